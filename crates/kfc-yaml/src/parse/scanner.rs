//! Cuts a text into tokens, by the rules of libyaml, which Go's YAML library follows: where these are looser or stricter
//! than YAML 1.2, a document has to mean what it means there.
//!
//! The scanner knows indentation and keys without `?`; which tokens may follow one another is the business of `grammar`.

use super::token::{Comment, Fault, Kind, Position, Scan, Seen, Sort, Style, Token};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Characters that a key without `?` and its colon may have between them.
const LONGEST_KEY: usize = 1024;

/// Tokens that are looked at ahead of the one that is asked for. An error there is an error of the document, even where it
/// comes after the end of the document.
const LOOKAHEAD: usize = 2;

const LEFT_OPEN: &str = "is a quote, bracket or brace left open above?";
const ALIGN: &str = "entries of one mapping or list start in the same column, and a key is followed by `: `";
const QUOTE_COLON: &str = "put a text that contains `: ` in quotes, or correct the indentation";
const NO_TABS: &str = "indent with spaces: YAML allows no tabs there";

/// A token that is the start of a key, if a colon follows it.
#[derive(Clone, Copy, Debug, Default)]
struct PossibleKey {
    is_possible: bool,
    /// Whether nothing else can be at this place.
    is_required: bool,
    /// The number of the token, from the start of the text.
    number: usize,
    place: Position,
}

#[derive(Debug)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    pub(super) at: Position,
    queue: VecDeque<Token<'t>>,
    /// Number of tokens that were taken out of the queue.
    taken: usize,
    /// The column of the innermost block collection; -1 outside.
    pub(super) indent: isize,
    indents: Vec<isize>,
    /// For each level of braces and brackets, and the block around them.
    keys: Vec<PossibleKey>,
    /// Whether a key may start here.
    allows_key: bool,
    /// Comments that no token was given; none when they are not wanted.
    pub(super) comments: Option<VecDeque<Comment>>,
    /// Line breaks since the last character that is not a blank.
    pub(super) newlines: usize,
    /// The last token and the one before, each with its start.
    pub(super) last: (Seen, Seen),
}

/// What is between two words of a scalar.
#[derive(Default)]
struct Gap<'t> {
    /// Blanks before the first line break.
    blanks: &'t str,
    /// All line breaks.
    breaks: String,
    /// Whether it begins with a line break that is escaped.
    is_escaped: bool,
}

impl Gap<'_> {
    fn is_folded(&self) -> bool {
        self.is_escaped || !self.breaks.is_empty()
    }

    /// A single line break is a space, of several the first one does not count. Only the separators of Unicode all stay.
    fn write(&self, into: &mut String) {
        match self.breaks.strip_prefix('\n') {
            _ if !self.is_folded() => into.push_str(self.blanks),
            Some("") if !self.is_escaped => into.push(' '),
            Some(more) if !self.is_escaped => into.push_str(more),
            _ => into.push_str(&self.breaks),
        }
    }
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let byte = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self {
            text,
            at: Position { byte, ..Position::default() },
            queue: VecDeque::new(),
            taken: 0,
            indent: -1,
            indents: Vec::new(),
            keys: vec![PossibleKey::default()],
            allows_key: true,
            comments: None,
            newlines: 0,
            last: (Some((Sort::Other, byte)), None),
        }
    }

    /// Keeps the comments.
    pub(super) fn with_comments(self) -> Self {
        Self { comments: Some(VecDeque::new()), ..self }
    }

    /// The next comment that belongs to a token which starts at this byte.
    pub(super) fn comment_until(&mut self, at: usize) -> Option<&Comment> {
        self.comments.as_ref()?.front().filter(|comment| comment.token <= at)
    }

    /// Takes the comment that [`Scanner::comment_until`] gave.
    pub(super) fn take_comment(&mut self) -> Option<Comment> {
        self.comments.as_mut()?.pop_front()
    }

    /// The next token.
    pub(super) fn peek(&mut self) -> Scan<&Token<'t>> {
        while self.needs_more()? {
            self.fetch()?;
        }
        let end = self.at.byte;
        self.queue.front().ok_or(Fault { message: "nothing follows", help: None, at: end })
    }

    /// Takes the token that [`Scanner::peek`] gave.
    pub(super) fn take(&mut self) -> Scan<Token<'t>> {
        self.peek()?;
        let end = self.at.byte;
        self.taken += 1;
        self.queue.pop_front().ok_or(Fault { message: "nothing follows", help: None, at: end })
    }

    fn needs_more(&mut self) -> Scan<bool> {
        if self.queue.len() <= LOOKAHEAD {
            return Ok(true);
        }
        let taken = self.taken;
        match self.keys.iter().position(|key| key.is_possible && key.number == taken) {
            Some(level) => self.is_valid_key(level),
            None => Ok(false),
        }
    }

    fn flow_level(&self) -> usize {
        self.keys.len() - 1
    }

    pub(super) fn is_in_flow(&self) -> bool {
        self.flow_level() > 0
    }

    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at.byte + ahead).copied().unwrap_or(0)
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    pub(super) fn is_end(&self, ahead: usize) -> bool {
        self.at.byte + ahead >= self.text.len()
    }

    /// Number of bytes of a line break; 0 for none. The next line, line separator and paragraph separator of Unicode are
    /// line breaks, too.
    fn break_length(&self, ahead: usize) -> usize {
        match self.byte(ahead) {
            b'\n' => 1,
            b'\r' => 1 + usize::from(self.byte(ahead + 1) == b'\n'),
            0xC2 if self.byte(ahead + 1) == 0x85 => 2,
            0xE2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xA8 | 0xA9) => 3,
            _ => 0,
        }
    }

    pub(super) fn is_break(&self, ahead: usize) -> bool {
        self.break_length(ahead) > 0
    }

    pub(super) fn is_break_or_end(&self, ahead: usize) -> bool {
        self.is_break(ahead) || self.is_end(ahead)
    }

    fn is_space_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Passes over bytes of whole characters, none of which is a line break.
    pub(super) fn skip(&mut self, bytes: usize) {
        let passed = self.text.as_bytes().get(self.at.byte..self.at.byte + bytes).unwrap_or_default();
        let characters = passed.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        if passed.iter().any(|byte| !matches!(byte, b' ' | b'\t')) {
            self.newlines = 0;
        }
        self.at.byte += bytes;
        self.at.character += characters;
        self.at.column += characters;
    }

    pub(super) fn skip_character(&mut self) {
        if self.byte(0).is_ascii() {
            if !self.is_blank(0) {
                self.newlines = 0;
            }
            self.at.byte += 1;
            self.at.character += 1;
            self.at.column += 1;
            return;
        }
        let rest = self.text.get(self.at.byte..).unwrap_or_default();
        self.skip(rest.chars().next().map_or(0, char::len_utf8));
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.skip(1);
        }
    }

    pub(super) fn skip_break(&mut self) {
        let bytes = self.break_length(0);
        self.at.character += if bytes == 2 && self.byte(0) == b'\r' { 2 } else { 1 };
        self.at.byte += bytes;
        self.at.line += 1;
        self.at.column = 0;
        self.newlines += 1;
    }

    /// Passes over a line break, and appends what it is in a scalar.
    fn read_break(&mut self, into: &mut String) {
        let bytes = self.break_length(0);
        match bytes {
            0 => return,
            3 => into.push_str(self.text.get(self.at.byte..self.at.byte + 3).unwrap_or_default()),
            _ => into.push('\n'),
        }
        self.skip_break();
    }

    fn skip_to_line_end(&mut self) {
        while !self.is_break_or_end(0) {
            self.skip_character();
        }
    }

    fn fault(&self, message: &'static str, help: Option<&'static str>) -> Fault {
        Fault { message, help, at: self.at.byte }
    }

    fn push(&mut self, kind: Kind<'t>, at: usize) {
        self.last = (Some((kind.sort(), at)), self.last.0);
        self.queue.push_back(Token { kind, at });
    }

    fn fetch(&mut self) -> Scan<()> {
        let scan = self.at;
        self.skip_to_token(scan);
        self.close_blocks(self.column(), scan.byte);
        if self.is_end(0) {
            return self.fetch_stream_end();
        }
        if self.at.column == 0 {
            if self.byte(0) == b'%' {
                return self.fetch_directive();
            }
            if self.is_document_marker() {
                let kind = if self.byte(0) == b'-' { Kind::DocumentStart } else { Kind::DocumentEnd };
                return self.fetch_document_marker(kind);
            }
        }
        let is_after = if self.is_in_flow() { self.byte(0) == b',' } else { self.byte(0) == b':' };
        let owner = self.last.0.filter(|_| is_after).map_or(self.at.byte, |(_, at)| at);
        self.fetch_value_token()?;
        if self.last.0.is_none_or(|(sort, _)| sort != Sort::BlockEntry) {
            self.scan_line_comment(owner);
        }
        Ok(())
    }

    fn fetch_value_token(&mut self) -> Scan<()> {
        let (in_flow, is_spaced) = (self.is_in_flow(), self.is_space_or_end(1));
        match self.byte(0) {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if is_spaced => self.fetch_block_entry(),
            b'?' if in_flow || is_spaced => self.fetch_key(),
            b':' if in_flow || is_spaced => self.fetch_value(),
            b'*' => self.fetch_anchor(Kind::Alias),
            b'&' => self.fetch_anchor(Kind::Anchor),
            b'!' => self.fetch_tag(),
            b'|' if !in_flow => self.fetch_block_scalar(Style::Literal),
            b'>' if !in_flow => self.fetch_block_scalar(Style::Folded),
            b'\'' => self.fetch_quoted(Style::SingleQuoted),
            b'"' => self.fetch_quoted(Style::DoubleQuoted),
            b'\t' => Err(self.fault("a tab cannot start a value", Some(NO_TABS))),
            b'#' | b'%' | b'@' | b'`' | b'|' | b'>' => {
                Err(self.fault("this character cannot start a value", Some("put the text in quotes")))
            }
            _ => self.fetch_plain(),
        }
    }

    fn column(&self) -> isize {
        isize::try_from(self.at.column).unwrap_or(isize::MAX)
    }

    /// Whether `---` or `...` is here; at the start of a line, that is a marker.
    fn is_document_marker(&self) -> bool {
        let marker = [self.byte(0), self.byte(1), self.byte(2)];
        (marker == *b"---" || marker == *b"...") && self.is_space_or_end(3)
    }

    /// Passes over blanks, comments and line breaks. Tabs count as blanks only where no key could start.
    fn skip_to_token(&mut self, scan: Position) {
        loop {
            while self.byte(0) == b' ' || (self.byte(0) == b'\t' && (self.is_in_flow() || !self.allows_key)) {
                self.skip(1);
            }
            if self.comments.is_some() {
                self.turn_line_comment();
            }
            if self.byte(0) == b'#' {
                if self.comments.is_some() {
                    self.scan_comments(scan);
                } else {
                    self.skip_to_line_end();
                }
            }
            if !self.is_break(0) {
                return;
            }
            self.skip_break();
            if !self.is_in_flow() {
                self.allows_key = true;
            }
        }
    }

    /// Opens a block collection when this column is further in; `number` is that of the token that it starts before.
    fn open_block(&mut self, column: usize, number: Option<usize>, kind: Kind<'t>, at: usize) {
        let column = isize::try_from(column).unwrap_or(isize::MAX);
        if self.is_in_flow() || self.indent >= column {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column;
        match number {
            Some(number) => self.queue.insert(number - self.taken, Token { kind, at }),
            None => self.push(kind, at),
        }
    }

    /// Ends the block collections that are further in than this column; `scan` is where the blanks before it begin.
    fn close_blocks(&mut self, column: isize, scan: usize) {
        if self.is_in_flow() {
            return;
        }
        let mut end = scan.saturating_sub(1);
        while self.indent > column {
            let at = if self.comments.is_some() { self.block_end(&mut end) } else { self.at.byte };
            self.push(Kind::BlockEnd, at);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn is_valid_key(&mut self, level: usize) -> Scan<bool> {
        let (here, byte) = (self.at, self.at.byte);
        let Some(key) = self.keys.get_mut(level).filter(|key| key.is_possible) else { return Ok(false) };
        if key.place.line < here.line || key.place.character + LONGEST_KEY < here.character {
            if key.is_required {
                return Err(missing_colon(key.place.byte.min(byte)));
            }
            key.is_possible = false;
        }
        Ok(key.is_possible)
    }

    /// The next token may be a key.
    fn save_key(&mut self) -> Scan<()> {
        if !self.allows_key {
            return Ok(());
        }
        let is_required = !self.is_in_flow() && self.indent == self.column();
        let number = self.taken + self.queue.len();
        self.drop_key()?;
        if let Some(last) = self.keys.last_mut() {
            *last = PossibleKey { is_possible: true, is_required, number, place: self.at };
        }
        Ok(())
    }

    fn drop_key(&mut self) -> Scan<()> {
        let Some(last) = self.keys.last_mut() else { return Ok(()) };
        if last.is_possible && last.is_required {
            return Err(missing_colon(last.place.byte));
        }
        last.is_possible = false;
        Ok(())
    }

    fn fetch_stream_end(&mut self) -> Scan<()> {
        if self.at.column != 0 {
            self.at.column = 0;
            self.at.line += 1;
        }
        self.close_blocks(-1, self.at.byte);
        self.drop_key()?;
        self.allows_key = false;
        self.push(Kind::StreamEnd, self.at.byte);
        Ok(())
    }

    fn fetch_document_marker(&mut self, kind: Kind<'t>) -> Scan<()> {
        self.close_blocks(-1, self.at.byte);
        self.drop_key()?;
        self.allows_key = false;
        self.push(kind, self.at.byte);
        self.skip(3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind<'t>) -> Scan<()> {
        self.save_key()?;
        self.keys.push(PossibleKey::default());
        self.allows_key = true;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind<'t>) -> Scan<()> {
        self.drop_key()?;
        if self.is_in_flow() {
            self.keys.pop();
        }
        self.allows_key = false;
        self.push_indicator(kind);
        Ok(())
    }

    fn push_indicator(&mut self, kind: Kind<'t>) {
        self.push(kind, self.at.byte);
        self.skip(1);
    }

    fn fetch_flow_entry(&mut self) -> Scan<()> {
        self.drop_key()?;
        self.allows_key = true;
        self.push_indicator(Kind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scan<()> {
        if !self.is_in_flow() {
            if !self.allows_key {
                return Err(self.fault("a list cannot start here", Some("start it on a line of its own")));
            }
            self.open_block(self.at.column, None, Kind::BlockSequenceStart, self.at.byte);
        }
        self.drop_key()?;
        self.allows_key = true;
        self.push_indicator(Kind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scan<()> {
        if !self.is_in_flow() {
            if !self.allows_key {
                return Err(self.fault("a key cannot start here", Some(QUOTE_COLON)));
            }
            self.open_block(self.at.column, None, Kind::BlockMappingStart, self.at.byte);
        }
        self.drop_key()?;
        self.allows_key = !self.is_in_flow();
        self.push_indicator(Kind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scan<()> {
        let level = self.flow_level();
        if self.is_valid_key(level)? {
            let key = self.keys[level];
            self.keys[level].is_possible = false;
            self.queue.insert(key.number - self.taken, Token { kind: Kind::Key, at: key.place.byte });
            let number = Some(key.number);
            self.open_block(key.place.column, number, Kind::BlockMappingStart, key.place.byte);
            self.allows_key = false;
        } else {
            if !self.is_in_flow() {
                if !self.allows_key {
                    return Err(
                        self.fault("mapping values are not allowed in this context", Some(QUOTE_COLON))
                    );
                }
                self.open_block(self.at.column, None, Kind::BlockMappingStart, self.at.byte);
            }
            self.allows_key = !self.is_in_flow();
        }
        self.push_indicator(Kind::Value);
        Ok(())
    }

    /// Passes over letters, digits, `_` and `-`.
    fn word(&mut self) -> &'t str {
        let rest = self.text.get(self.at.byte..).unwrap_or_default();
        let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let length = rest.bytes().take_while(|byte| is_inside(*byte)).count();
        self.skip(length);
        &rest[..length]
    }

    fn fetch_anchor(&mut self, kind: fn(&'t str) -> Kind<'t>) -> Scan<()> {
        self.save_key()?;
        self.allows_key = false;
        let start = self.at.byte;
        self.skip(1);
        let name = self.word();
        let is_ended = self.is_space_or_end(0)
            || matches!(self.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !is_ended {
            let help = "use letters, digits, `_` and `-`, or put the text in quotes";
            return Err(self.fault("this is not the name of an anchor", Some(help)));
        }
        self.push(kind(name), start);
        Ok(())
    }

    fn fetch_tag(&mut self) -> Scan<()> {
        self.save_key()?;
        self.allows_key = false;
        let start = self.at.byte;
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.skip(2);
            let suffix = self.tag_uri("")?;
            if self.byte(0) != b'>' {
                return Err(self.fault("this tag is not closed with `>`", None));
            }
            self.skip(1);
            ("", suffix)
        } else {
            self.short_tag()?
        };
        if !self.is_space_or_end(0) {
            return Err(self.fault("a blank is expected after this tag", None));
        }
        self.push(Kind::Tag { handle, suffix }, start);
        Ok(())
    }

    /// `!suffix`, `!handle!suffix`, or `!` alone.
    fn short_tag(&mut self) -> Scan<(&'t str, Cow<'t, str>)> {
        let head = self.tag_handle();
        if head.len() > 1 && head.ends_with('!') {
            return Ok((head, self.tag_uri("")?));
        }
        let suffix = self.tag_uri(head)?;
        Ok(if suffix.is_empty() { ("", Cow::Borrowed("!")) } else { ("!", suffix) })
    }

    /// `!`, with the word after it, and with another `!` after that.
    fn tag_handle(&mut self) -> &'t str {
        let start = self.at.byte;
        self.skip(1);
        self.word();
        if self.byte(0) == b'!' {
            self.skip(1);
        }
        self.text.get(start..self.at.byte).unwrap_or_default()
    }

    /// What follows `head`, with escapes decoded and without the exclamation mark of the head.
    fn tag_uri(&mut self, head: &'t str) -> Scan<Cow<'t, str>> {
        let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_-;/?:@&=+$,.!~*'()[]%".contains(&byte);
        let rest = self.text.get(self.at.byte..).unwrap_or_default();
        let length = rest.bytes().take_while(|byte| is_inside(*byte)).count();
        if head.is_empty() && length == 0 {
            return Err(self.fault("this tag has no name", None));
        }
        let start = self.at.byte - head.len() + usize::from(!head.is_empty());
        let written = self.text.get(start..self.at.byte + length).unwrap_or_default();
        if !written.contains('%') {
            self.skip(length);
            return Ok(Cow::Borrowed(written));
        }
        match unescaped_uri(written) {
            Some(uri) => {
                self.skip(length);
                Ok(Cow::Owned(uri))
            }
            None => Err(self.fault("this tag has an escape that is not UTF-8", None)),
        }
    }

    fn fetch_directive(&mut self) -> Scan<()> {
        self.close_blocks(-1, self.at.byte);
        self.drop_key()?;
        self.allows_key = false;
        let start = self.at.byte;
        self.skip(1);
        let name = self.word();
        let kind = match name {
            "YAML" if self.is_space_or_end(0) => self.version()?,
            "TAG" if self.is_space_or_end(0) => self.tag_directive()?,
            _ => {
                return Err(self
                    .fault("this directive is unknown", Some("put a text that starts with `%` in quotes")));
            }
        };
        self.skip_blanks();
        if self.byte(0) == b'#' {
            self.skip_to_line_end();
        }
        if !self.is_break_or_end(0) {
            return Err(self.fault("a line break is expected after this directive", None));
        }
        if self.is_break(0) {
            self.skip_break();
        }
        self.push(kind, start);
        Ok(())
    }

    fn version(&mut self) -> Scan<Kind<'t>> {
        self.skip_blanks();
        let major = self.version_number()?;
        if self.byte(0) != b'.' {
            return Err(self.fault("this is not a version of YAML", Some("write `%YAML 1.1`")));
        }
        self.skip(1);
        Ok(Kind::Version(major, self.version_number()?))
    }

    /// At most two digits.
    fn version_number(&mut self) -> Scan<u8> {
        let rest = self.text.get(self.at.byte..).unwrap_or_default();
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        match rest[..length].parse().ok().filter(|_| length <= 2) {
            Some(number) => {
                self.skip(length);
                Ok(number)
            }
            None => Err(self.fault("this is not a version of YAML", Some("write `%YAML 1.1`"))),
        }
    }

    fn tag_directive(&mut self) -> Scan<Kind<'t>> {
        let wrong = "this is not a tag directive";
        self.skip_blanks();
        if self.byte(0) != b'!' {
            return Err(self.fault(wrong, None));
        }
        let handle = self.tag_handle();
        if !(handle == "!" || handle.ends_with('!')) || !self.is_blank(0) {
            return Err(self.fault(wrong, None));
        }
        self.skip_blanks();
        let prefix = self.tag_uri("")?;
        if !self.is_space_or_end(0) {
            return Err(self.fault(wrong, None));
        }
        Ok(Kind::TagDirective { handle, prefix })
    }

    fn fetch_block_scalar(&mut self, style: Style) -> Scan<()> {
        self.drop_key()?;
        self.allows_key = true;
        let start = self.at.byte;
        let text = self.block_scalar(style == Style::Folded)?;
        self.push(Kind::Scalar { text: Cow::Owned(text), style }, start);
        Ok(())
    }

    fn block_scalar(&mut self, is_folded: bool) -> Scan<String> {
        let start = self.at.byte;
        self.skip(1);
        let (chomp, more) = self.block_header(start)?;
        let base = usize::try_from(self.indent).unwrap_or(0);
        let mut indent = more.map(|more| base + more);
        let (mut text, mut first_break, mut breaks) = (String::new(), String::new(), String::new());
        let mut is_after_blank = false;
        let mut column = self.block_breaks(&mut indent, &mut breaks)?;
        while self.at.column == column && !self.is_end(0) {
            let is_blank = self.is_blank(0);
            if is_folded && first_break == "\n" && !is_after_blank && !is_blank {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&first_break);
            }
            text.push_str(&breaks);
            first_break.clear();
            breaks.clear();
            is_after_blank = is_blank;
            let line = self.at.byte;
            self.skip_to_line_end();
            text.push_str(self.text.get(line..self.at.byte).unwrap_or_default());
            self.read_break(&mut first_break);
            column = self.block_breaks(&mut indent, &mut breaks)?;
        }
        if chomp != Some(b'-') {
            text.push_str(&first_break);
        }
        if chomp == Some(b'+') {
            text.push_str(&breaks);
        }
        Ok(text)
    }

    /// What follows `|` or `>`, which is at `start`: `+` or `-`, and a digit, in any order.
    fn block_header(&mut self, start: usize) -> Scan<(Option<u8>, Option<usize>)> {
        let (mut chomp, mut more) = (None, None);
        for _ in 0..2 {
            match self.byte(0) {
                sign @ (b'+' | b'-') if chomp.is_none() => chomp = Some(sign),
                b'0' if more.is_none() => {
                    return Err(self.fault("the indentation of a block cannot be 0", None));
                }
                digit @ b'1'..=b'9' if more.is_none() => more = Some(usize::from(digit - b'0')),
                _ => break,
            }
            self.skip(1);
        }
        self.skip_blanks();
        self.scan_line_comment(start);
        if self.byte(0) == b'#' {
            self.skip_to_line_end();
        }
        if !self.is_break_or_end(0) {
            let help = "start the text of the block on the next line";
            return Err(self.fault("a line break is expected after this", Some(help)));
        }
        if self.is_break(0) {
            self.skip_break();
        }
        Ok((chomp, more))
    }

    /// Passes over indentation and blank lines; the longest of these decides the indentation that is not known. Returns it.
    fn block_breaks(&mut self, indent: &mut Option<usize>, breaks: &mut String) -> Scan<usize> {
        let mut longest = 0;
        loop {
            let is_before = |column: usize| indent.is_none_or(|indent| column < indent);
            while is_before(self.at.column) && self.byte(0) == b' ' {
                self.skip(1);
            }
            longest = longest.max(self.at.column);
            if is_before(self.at.column) && self.byte(0) == b'\t' {
                return Err(self.fault("a tab cannot indent the text of a block", Some(NO_TABS)));
            }
            if !self.is_break(0) {
                break;
            }
            self.read_break(breaks);
        }
        let least = usize::try_from(self.indent + 1).unwrap_or(0).max(1);
        Ok(*indent.get_or_insert(longest.max(least)))
    }

    fn fetch_quoted(&mut self, style: Style) -> Scan<()> {
        self.save_key()?;
        self.allows_key = false;
        let start = self.at.byte;
        let quote = self.byte(0);
        self.skip(1);
        let text = match self.simple_quoted(quote) {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.quoted(quote, start)?),
        };
        self.push(Kind::Scalar { text, style }, start);
        Ok(())
    }

    /// A text on one line without escapes.
    fn simple_quoted(&mut self, quote: u8) -> Option<&'t str> {
        let rest = self.text.get(self.at.byte..)?;
        let special = |byte: &u8| matches!(byte, b'\\' | b'\n' | b'\r' | 0xC2 | 0xE2) || *byte == quote;
        let end = rest.as_bytes().iter().position(special)?;
        let bytes = rest.as_bytes();
        let is_escaped_quote = quote == b'\'' && bytes.get(end + 1) == Some(&b'\'');
        if bytes[end] != quote || is_escaped_quote {
            return None;
        }
        self.skip(end + 1);
        rest.get(..end)
    }

    fn quoted(&mut self, quote: u8, start: usize) -> Scan<String> {
        let open = |message| Fault { message, help: Some(LEFT_OPEN), at: start };
        let mut text = String::new();
        loop {
            if self.at.column == 0 && self.is_document_marker() {
                return Err(open("a document marker ends this quoted text"));
            }
            if self.is_end(0) {
                return Err(open("this quoted text does not end"));
            }
            let mut is_escaped = false;
            while !self.is_space_or_end(0) {
                match self.byte(0) {
                    b'\'' if quote == b'\'' && self.byte(1) == b'\'' => {
                        text.push('\'');
                        self.skip(2);
                    }
                    byte if byte == quote => break,
                    b'\\' if quote == b'"' && self.is_break(1) => {
                        self.skip(1);
                        self.skip_break();
                        is_escaped = true;
                        break;
                    }
                    b'\\' if quote == b'"' => text.push(self.escape()?),
                    _ => self.copy_character(&mut text),
                }
            }
            if self.byte(0) == quote {
                self.skip(1);
                return Ok(text);
            }
            self.gap(is_escaped, |_| Ok(()))?.write(&mut text);
        }
    }

    pub(super) fn copy_character(&mut self, into: &mut String) {
        let from = self.at.byte;
        self.skip_character();
        into.push_str(self.text.get(from..self.at.byte).unwrap_or_default());
    }

    /// Reads blanks and line breaks; `check` looks at each blank after a line break.
    fn gap(&mut self, is_escaped: bool, check: impl Fn(&Self) -> Scan<()>) -> Scan<Gap<'t>> {
        let start = self.at.byte;
        let mut gap = Gap { is_escaped, ..Gap::default() };
        loop {
            if self.is_blank(0) {
                if gap.is_folded() {
                    check(self)?;
                }
                self.skip(1);
            } else if self.is_break(0) {
                self.read_break(&mut gap.breaks);
            } else {
                break;
            }
        }
        if !gap.is_folded() {
            gap.blanks = self.text.get(start..self.at.byte).unwrap_or_default();
        }
        Ok(gap)
    }

    /// An escape in double quotes.
    fn escape(&mut self) -> Scan<char> {
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            letter => {
                let character = escaped(letter).ok_or_else(|| {
                    self.fault("this escape is unknown", Some("write `\\\\` for a backslash"))
                })?;
                self.skip(2);
                return Ok(character);
            }
        };
        let code = self.text.get(self.at.byte + 2..self.at.byte + 2 + digits);
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let character = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        let character =
            character.ok_or_else(|| self.fault("this escape is not a character of Unicode", None))?;
        self.skip(2 + digits);
        Ok(character)
    }

    fn fetch_plain(&mut self) -> Scan<()> {
        self.save_key()?;
        self.allows_key = false;
        let start = self.at.byte;
        let text = self.plain()?;
        self.push(Kind::Scalar { text, style: Style::Plain }, start);
        Ok(())
    }

    fn plain(&mut self) -> Scan<Cow<'t, str>> {
        let inside = self.indent + 1;
        let mut text = Cow::Borrowed("");
        let mut gap = Gap::default();
        loop {
            let is_marker = self.at.column == 0 && self.is_document_marker();
            if is_marker || self.byte(0) == b'#' {
                break;
            }
            let word = self.plain_word();
            if !word.is_empty() {
                self.join(&mut text, &gap, word);
                gap = Gap::default();
            }
            if !self.is_blank(0) && !self.is_break(0) {
                break;
            }
            gap = self.gap(false, |scanner| {
                let is_wrong = scanner.byte(0) == b'\t' && scanner.column() < inside;
                if is_wrong {
                    Err(scanner.fault("a tab cannot indent a text", Some(NO_TABS)))
                } else {
                    Ok(())
                }
            })?;
            if !self.is_in_flow() && self.column() < inside {
                break;
            }
        }
        if gap.is_folded() {
            self.allows_key = true;
        }
        Ok(text)
    }

    /// Appends a word; words of one line stay a part of the source.
    fn join(&self, text: &mut Cow<'t, str>, gap: &Gap<'t>, word: &'t str) {
        match text {
            Cow::Borrowed("") => *text = Cow::Borrowed(word),
            Cow::Borrowed(before) if !gap.is_folded() => {
                let end = self.at.byte;
                let start = end - word.len() - gap.blanks.len() - before.len();
                *text = Cow::Borrowed(self.text.get(start..end).unwrap_or_default());
            }
            _ => {
                let text = text.to_mut();
                gap.write(text);
                text.push_str(word);
            }
        }
    }

    /// The characters of a plain scalar up to a blank.
    fn plain_word(&mut self) -> &'t str {
        let start = self.at.byte;
        while !self.is_space_or_end(0) {
            let ends = match self.byte(0) {
                b':' => self.is_space_or_end(1),
                b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.is_in_flow(),
                _ => false,
            };
            if ends {
                break;
            }
            self.skip_character();
        }
        self.text.get(start..self.at.byte).unwrap_or_default()
    }
}

fn missing_colon(at: usize) -> Fault {
    Fault { message: "a key is not followed by `:`", help: Some(ALIGN), at }
}

/// What an escape of one letter means.
fn escaped(letter: u8) -> Option<char> {
    Some(match letter {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\u{b}',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'e' => '\u{1b}',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}

fn unescaped_uri(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let code = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(code).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{Kind, Scanner, Style};

    /// The tokens up to the end, one letter each; scalars with their text.
    fn tokens(text: &str) -> String {
        let mut scanner = Scanner::new(text);
        let mut found = String::new();
        loop {
            let token = match scanner.take() {
                Ok(token) => token,
                Err(fault) => return format!("{found} {} at {}", fault.message, fault.at),
            };
            let word = match token.kind {
                Kind::StreamEnd => return found,
                Kind::Scalar { text, style } => {
                    let quote = if style == Style::Plain { "" } else { "'" };
                    found.extend([quote, &text, quote]);
                    " "
                }
                Kind::BlockMappingStart | Kind::FlowMappingStart => "{ ",
                Kind::BlockSequenceStart | Kind::FlowSequenceStart => "[ ",
                Kind::BlockEnd => "end ",
                Kind::FlowMappingEnd => "} ",
                Kind::FlowSequenceEnd => "] ",
                Kind::BlockEntry => "- ",
                Kind::FlowEntry => ", ",
                Kind::Key => "? ",
                Kind::Value => ": ",
                _ => "* ",
            };
            found.push_str(word);
        }
    }

    #[test]
    fn blocks_are_found_by_their_columns() {
        assert_eq!(tokens("a:\n- b\n-  c: d\n"), "{ ? a : - b - { ? c : d end end ");
        assert_eq!(tokens("a: [\nx ]\n"), "{ ? a : [ x ] end ");
        assert_eq!(tokens("a:\tx\n"), "{ ? a : x end ");
    }

    #[test]
    fn texts_are_joined_over_lines() {
        assert_eq!(tokens("a: b\n  c\n\n  d # e\n"), "{ ? a : b c\nd end ");
        assert_eq!(tokens("'it''s\n x'"), "'it's x' ");
        assert_eq!(tokens("\"a\\\n  b \\x41\\u00e9\""), "'ab Aé' ");
        assert_eq!(tokens("|-\n x\n  y\n"), "'x\n y' ");
        assert_eq!(tokens(">\n x\n y\n\n z\n"), "'x y\nz\n' ");
        assert_eq!(tokens("a\u{85}b"), "a b ");
        assert_eq!(tokens("a\u{2028}b"), "a\u{2028}b ");
    }

    #[test]
    fn faults_have_a_place() {
        for (text, at) in [("a: b: c", 4), ("a: @", 3), ("'a", 0), ("a:\n\tb: c", 3), ("\"\\z\"", 1)] {
            assert!(tokens(text).ends_with(&format!("at {at}")), "{text}: {}", tokens(text));
        }
    }
}
