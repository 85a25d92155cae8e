//! Writes scalars that are long, quoted or of several lines, with libyaml's rules for folding and escapes.

use crate::style::{escape, is_break, is_printable};

/// Columns after which scalars fold.
pub(super) const WIDTH: usize = 80;

/// Writes one scalar; columns count characters, from 0.
pub(super) struct TextWriter<'a> {
    pub out: &'a mut Vec<u8>,
    /// Column of the next character.
    pub column: usize,
    /// Indentation of lines that continue the scalar.
    pub indent: usize,
    /// Whether lines may be folded; they may not in keys.
    pub fold: bool,
}

impl TextWriter<'_> {
    fn put(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        self.column += 1;
    }

    fn new_line(&mut self) {
        self.out.push(b'\n');
        self.out.resize(self.out.len() + self.indent, b' ');
        self.column = self.indent;
    }

    fn folds_here(&self, after_space: bool) -> bool {
        self.fold && !after_space && self.column > WIDTH
    }

    /// A plain scalar of ASCII: no breaks, no space at either end.
    pub(super) fn ascii_plain(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut start = 0;
        while let Some(at) = single_space(bytes, start + (WIDTH + 1).saturating_sub(self.column)) {
            self.out.extend_from_slice(&bytes[start..at]);
            self.new_line();
            start = at + 1;
        }
        self.out.extend_from_slice(&bytes[start..]);
    }

    /// A plain scalar: no breaks, no space at either end.
    pub(super) fn plain(&mut self, text: &str) {
        let mut after_space = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' && self.folds_here(after_space) && chars.peek() != Some(&' ') {
                self.new_line();
            } else {
                self.put(c);
            }
            after_space = c == ' ';
        }
    }

    /// A scalar in quotes that needs no escapes, nor to be folded.
    pub(super) fn quoted_as_it_is(&mut self, text: &str, quote: u8) {
        self.out.push(quote);
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(quote);
    }

    /// A scalar in single quotes.
    pub(super) fn single_quoted(&mut self, text: &str) {
        self.put('\'');
        let (mut after_space, mut after_break) = (false, false);
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            if c == ' ' {
                let inside = at > 0 && next.is_some();
                if inside && self.folds_here(after_space) && next != Some(' ') {
                    self.new_line();
                } else {
                    self.put(c);
                }
                after_space = true;
            } else if is_break(c) {
                self.put(c);
                self.column = 0;
                after_break = true;
            } else {
                if after_break {
                    self.out.resize(self.out.len() + self.indent.saturating_sub(self.column), b' ');
                    self.column = self.column.max(self.indent);
                }
                if c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                (after_space, after_break) = (false, false);
            }
        }
        self.put('\'');
    }

    /// A scalar in double quotes, with escapes.
    pub(super) fn double_quoted(&mut self, text: &str) {
        self.put('"');
        // Of a text that starts with a byte order mark, libyaml escapes every character.
        let escapes_all = text.starts_with('\u{FEFF}');
        let mut after_space = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if escapes_all {
                self.escape(c);
            } else if c == ' ' {
                let next = chars.peek().map(|(_, c)| *c);
                if at > 0 && next.is_some() && self.folds_here(after_space) {
                    self.new_line();
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                after_space = true;
            } else {
                if !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                    self.escape(c);
                } else {
                    self.put(c);
                }
                after_space = false;
            }
        }
        self.put('"');
    }

    fn escape(&mut self, c: char) {
        self.put('\\');
        escape(c).chars().for_each(|c| self.put(c));
    }

    /// A literal block. Returns whether it ends with a line break, so that the next line has begun.
    pub(super) fn literal(&mut self, text: &str) -> bool {
        self.out.push(b'|');
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.out.push(b'2');
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next().is_none_or(is_break)) {
            (false, _) => self.out.push(b'-'),
            (true, true) => self.out.push(b'+'),
            (true, false) => {}
        }
        self.out.push(b'\n');
        if text.is_ascii() {
            text.split_inclusive('\n').for_each(|line| self.literal_line(line));
        } else {
            text.split_inclusive(is_break).for_each(|line| self.literal_line(line));
        }
        text.ends_with(is_break)
    }

    fn literal_line(&mut self, line: &str) {
        if !line.starts_with(is_break) {
            self.out.resize(self.out.len() + self.indent, b' ');
        }
        self.out.extend_from_slice(line.as_bytes());
    }
}

/// Whether a text is the same in quotes of either kind.
pub(super) fn is_quoted_as_it_is(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'"' | b'\\'))
}

/// The first space, from `from` on, that has no other space at either side.
fn single_space(bytes: &[u8], from: usize) -> Option<usize> {
    let is_space = |at: usize| bytes.get(at) == Some(&b' ');
    let tail = bytes.get(from..)?;
    memchr::memchr_iter(b' ', tail)
        .map(|at| from + at)
        .find(|at| !is_space(at + 1) && !is_space(at.wrapping_sub(1)))
}
