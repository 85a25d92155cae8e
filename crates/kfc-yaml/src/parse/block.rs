//! Reads plain block YAML in one pass over the bytes: block mappings and sequences, plain, quoted and block scalars, flow
//! collections of plain and quoted scalars, comments. Inside flow collections indentation means nothing, as for Go's
//! libraries; the general parser is stricter there.
//!
//! Whatever it is not sure of (anchors, tags, odd indentation, everything that is an error) it leaves to the general
//! parser, by giving up on the document.

use super::scalar::{kind_in_flow, resolve_plain};
use crate::node::{Entry, Key, Map, Node, ScalarKind, Spelling};
use crate::size::DEEPEST;
use compact_str::CompactString;
use kfc_diagnostics::{Mark, SourceId};
use memchr::memchr;

/// Entries of a mapping above which the general parser looks for duplicate keys.
const MANY: usize = 64;

/// Parses one document between two byte offsets. The outer option is none when the document is left to the general
/// parser, the inner one when there is nothing in it.
#[allow(clippy::option_option, reason = "the outer one says whether it was found out, the inner one what")]
pub(super) fn parse(text: &str, start: usize, end: usize, source: SourceId) -> Option<Option<Node>> {
    let mut reader = Reader {
        text: text.get(..end)?,
        at: start,
        source,
        depth: 0,
        entries: Vec::new(),
        items: Vec::new(),
        scratch: String::new(),
    };
    let Some(column) = reader.next_content()? else { return Some(None) };
    let node = reader.block(column, -1)?;
    match reader.next_content()? {
        None => Some(Some(node)),
        Some(_) => None,
    }
}

/// What comments are to a search for content.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comments {
    Skipped,
    Content,
}

struct Reader<'t> {
    /// The text up to the end of the document.
    text: &'t str,
    /// The next byte to be read.
    at: usize,
    source: SourceId,
    depth: usize,
    /// Entries of the mappings that are open; each takes its own from the end, so that it has just the room it needs.
    entries: Vec<Entry>,
    /// Items of the sequences that are open.
    items: Vec<Node>,
    /// Room for the text of a block scalar.
    scratch: String,
}

/// The column at which a node's parent is; -1 for none.
type Parent = isize;

impl<'t> Reader<'t> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn mark(&self, at: usize) -> Mark {
        Mark { source: self.source, offset: u32::try_from(at).unwrap_or(u32::MAX) }
    }

    fn line_end(&self, from: usize) -> usize {
        memchr(b'\n', &self.text.as_bytes()[from..]).map_or(self.text.len(), |i| from + i)
    }

    fn scalar(&self, text: &str, at: usize) -> Node {
        Node::scalar(CompactString::new(text), resolve_plain(text), self.mark(at))
    }

    /// From the start of a line, goes to the first character of the next line with content and gives its column; nothing
    /// at the end of the document.
    #[allow(
        clippy::option_option,
        reason = "the outer one says whether it was found out, the inner one what"
    )]
    fn next_content(&mut self) -> Option<Option<usize>> {
        self.next_line_with(Comments::Skipped)
    }

    /// As [`Reader::next_content`], but comments count as content.
    #[allow(
        clippy::option_option,
        reason = "the outer one says whether it was found out, the inner one what"
    )]
    fn next_content_without_comments(&mut self) -> Option<Option<usize>> {
        self.next_line_with(Comments::Content)
    }

    #[allow(
        clippy::option_option,
        reason = "the outer one says whether it was found out, the inner one what"
    )]
    fn next_line_with(&mut self, comments: Comments) -> Option<Option<usize>> {
        let bytes = self.text.as_bytes();
        loop {
            let start = self.at;
            let mut at = start;
            while bytes.get(at) == Some(&b' ') {
                at += 1;
            }
            match bytes.get(at) {
                None => {
                    self.at = at;
                    return Some(None);
                }
                Some(b'\n') => self.at = at + 1,
                Some(b'#') if comments == Comments::Skipped => {
                    self.at = (self.line_end(at) + 1).min(bytes.len());
                }
                Some(b'\t') => return None,
                Some(_) => {
                    self.at = at;
                    return Some(Some(at - start));
                }
            }
        }
    }

    /// Skips spaces, tabs and a comment up to the end of the line, and the line break; returns up on anything else.
    fn finish_line(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while matches!(bytes.get(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        match bytes.get(at) {
            None => self.at = at,
            Some(b'\n') => self.at = at + 1,
            // Go's libraries need no space before a comment here.
            Some(b'#') => self.at = (self.line_end(at) + 1).min(bytes.len()),
            Some(_) => return None,
        }
        Some(())
    }

    /// Reads the collection that starts here, in this column.
    fn block(&mut self, column: usize, parent: Parent) -> Option<Node> {
        if self.depth >= DEEPEST || parent >= isize::try_from(column).ok()? {
            return None;
        }
        self.depth += 1;
        let node = match (self.byte(self.at)?, self.byte(self.at + 1)) {
            (b'-', None | Some(b' ' | b'\n')) => self.sequence(column),
            _ => self.mapping(column),
        };
        self.depth -= 1;
        node
    }

    fn sequence(&mut self, column: usize) -> Option<Node> {
        let start = self.at;
        let parent = isize::try_from(column).ok()?;
        let first = self.items.len();
        loop {
            self.at += 1;
            let item = self.item(column, parent)?;
            self.items.push(item);
            match self.next_content()? {
                Some(next) if next == column => match (self.byte(self.at)?, self.byte(self.at + 1)) {
                    (b'-', None | Some(b' ' | b'\n')) => {}
                    // The next entry of the mapping whose value this is.
                    _ => break,
                },
                Some(next) if next > column => return None,
                _ => break,
            }
        }
        self.rewind_to_line_start();
        let items = self.items.split_off(first);
        Some(Node::seq(items, self.mark(start)))
    }

    /// Goes back to the start of the line, so that the caller can read its indentation again.
    fn rewind_to_line_start(&mut self) {
        let bytes = self.text.as_bytes();
        while self.at > 0 && bytes.get(self.at - 1) == Some(&b' ') {
            self.at -= 1;
        }
    }

    /// Reads one item, from after its dash.
    fn item(&mut self, column: usize, parent: Parent) -> Option<Node> {
        let dash = self.at;
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while bytes.get(at) == Some(&b' ') {
            at += 1;
        }
        match bytes.get(at) {
            None | Some(b'\n' | b'#') => self.below(parent, dash, false),
            Some(b'-') if matches!(bytes.get(at + 1), None | Some(b' ' | b'\n')) => {
                self.at = at;
                self.block(column + 1 + (at - dash), parent)
            }
            Some(_) => {
                self.at = at;
                if self.starts_entry(at) {
                    return self.block(column + 1 + (at - dash), parent);
                }
                self.value(parent)
            }
        }
    }

    /// Whether `key:` starts here.
    fn starts_entry(&self, at: usize) -> bool {
        let line = &self.text.as_bytes()[at..self.line_end(at)];
        match line.first() {
            Some(quote @ (b'"' | b'\'')) => {
                let rest = &line[1..];
                let Some(close) = memchr(*quote, rest) else { return false };
                let behind = rest[close + 1..].trim_ascii_start();
                matches!(behind, [b':'] | [b':', b' ', ..])
            }
            Some(b'{' | b'[' | b'|' | b'>') | None => false,
            Some(_) => find_colon(line).is_some(),
        }
    }

    /// Reads the value on the lines below `key:` or a lone dash.
    fn below(&mut self, parent: Parent, at: usize, in_mapping: bool) -> Option<Node> {
        self.finish_line()?;
        let next = self.next_content()?;
        let Some(column) = next else { return Some(self.scalar("", at)) };
        let place = isize::try_from(column).ok()?;
        let is_dash =
            self.byte(self.at) == Some(b'-') && matches!(self.byte(self.at + 1), None | Some(b' ' | b'\n'));
        if place > parent || (in_mapping && place == parent && is_dash) {
            if !is_dash && !self.starts_entry(self.at) {
                return self.value(parent);
            }
            return self.block(column, if place == parent { parent - 1 } else { parent });
        }
        self.rewind_to_line_start();
        Some(self.scalar("", at))
    }

    fn mapping(&mut self, column: usize) -> Option<Node> {
        let start = self.at;
        let parent = isize::try_from(column).ok()?;
        let first = self.entries.len();
        loop {
            let key = self.key()?;
            let known = self.entries.get(first..)?;
            if known.len() >= MANY || known.iter().any(|entry| entry.key.text == key.text) {
                return None;
            }
            let value = self.entry_value(parent)?;
            self.entries.push(Entry { key, value });
            match self.next_content()? {
                Some(next) if next == column => {}
                Some(next) if next > column => return None,
                _ => break,
            }
        }
        self.rewind_to_line_start();
        let map = self.entries.split_off(first).into_iter().collect();
        Some(Node::map(map, self.mark(start)))
    }

    /// Reads a key with its colon.
    fn key(&mut self) -> Option<Key> {
        let start = self.at;
        let mark = self.mark(start);
        let first = self.byte(start)?;
        if matches!(first, b'"' | b'\'') {
            let text = self.quoted_on_line(first)?;
            let mut at = self.at;
            while self.byte(at) == Some(b' ') {
                at += 1;
            }
            if self.byte(at) != Some(b':') || !matches!(self.byte(at + 1), None | Some(b' ' | b'\n')) {
                return None;
            }
            self.at = at + 1;
            return Some(Key { text, kind: ScalarKind::Str, quoted: true, mark });
        }
        if is_indicator(first) {
            return None;
        }
        let line = &self.text.as_bytes()[start..self.line_end(start)];
        let colon = find_colon(line)?;
        let text = self.text.get(start..start + colon)?.trim_end_matches(' ');
        if text == "<<" || text.ends_with('\t') || line.len() > 1024 && colon > 1000 {
            return None;
        }
        self.at = start + colon + 1;
        Some(Key { text: CompactString::new(text), kind: resolve_plain(text), quoted: false, mark })
    }

    /// Reads the value after a key's colon.
    fn entry_value(&mut self, parent: Parent) -> Option<Node> {
        let colon = self.at;
        let bytes = self.text.as_bytes();
        let mut at = colon;
        while matches!(bytes.get(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        match bytes.get(at) {
            None | Some(b'\n' | b'#') => self.below(parent, colon, true),
            Some(b'-') if matches!(bytes.get(at + 1), None | Some(b' ' | b'\n')) => None,
            Some(_) => {
                self.at = at;
                self.value(parent)
            }
        }
    }

    /// Reads a scalar or flow collection that starts here, and the rest of its line.
    fn value(&mut self, parent: Parent) -> Option<Node> {
        let start = self.at;
        let node = match self.byte(start)? {
            b'|' => return self.block_scalar(parent, false),
            b'>' => return self.block_scalar(parent, true),
            quote @ (b'"' | b'\'') => {
                let text = self.quoted(quote)?;
                Node::quoted(text, self.mark(start))
            }
            b'[' | b'{' => self.flow()?,
            b'-' | b'?' | b':' if !matches!(self.byte(start + 1), None | Some(b' ' | b'\n')) => {
                return self.plain(parent);
            }
            first if is_indicator(first) => return None,
            _ => return self.plain(parent),
        };
        self.finish_line()?;
        Some(node)
    }

    /// Reads a plain scalar, which may go on over the following lines.
    fn plain(&mut self, parent: Parent) -> Option<Node> {
        let start = self.at;
        let (first, mut ended) = self.plain_line()?;
        let mut joined: Option<String> = None;
        while !ended {
            let line_start = self.at;
            let Some(column) = self.next_content_without_comments()? else { break };
            if isize::try_from(column).ok()? <= parent || self.byte(self.at) == Some(b'#') {
                self.at = line_start;
                break;
            }
            let breaks = self.text[line_start..self.at].matches('\n').count();
            let (more, comment) = self.plain_line()?;
            ended = comment;
            let text = joined.get_or_insert_with(|| first.to_owned());
            if breaks == 0 {
                text.push(' ');
            } else {
                text.extend(std::iter::repeat_n('\n', breaks));
            }
            text.push_str(more);
        }
        match joined {
            None => Some(self.scalar(first, start)),
            Some(text) => Some(self.scalar(&text, start)),
        }
    }

    /// The plain text on the rest of this line, and whether a comment ends it. Gives up on `: ` in it.
    fn plain_line(&mut self) -> Option<(&'t str, bool)> {
        let start = self.at;
        let end = self.line_end(start);
        let line = self.text.get(start..end)?;
        let bytes = line.as_bytes();
        let mut text_end = line.len();
        let mut comment = false;
        for at in memchr::memchr3_iter(b':', b'#', b'\t', bytes) {
            match bytes[at] {
                b':' if matches!(bytes.get(at + 1), None | Some(b' ')) => return None,
                b'#' if at > 0 && bytes[at - 1] == b' ' => {
                    text_end = at;
                    comment = true;
                    break;
                }
                b'\t' => return None,
                _ => {}
            }
        }
        self.at = (end + 1).min(self.text.len());
        Some((line[..text_end].trim_end_matches(' '), comment))
    }

    /// Reads a quoted text that closes on this line.
    fn quoted_on_line(&mut self, quote: u8) -> Option<CompactString> {
        let line_end = self.line_end(self.at);
        let text = self.quoted(quote)?;
        (self.at <= line_end).then_some(text)
    }

    /// Reads a quoted text and its closing quote.
    fn quoted(&mut self, quote: u8) -> Option<CompactString> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let close = start + memchr(quote, bytes.get(start..)?)?;
        let inner = self.text.get(start..close)?;
        let escaped = if quote == b'"' { inner.contains('\\') } else { bytes.get(close + 1) == Some(&b'\'') };
        if escaped || inner.contains('\n') {
            return self.quoted_slowly(quote).map(|text| CompactString::new(&text));
        }
        self.at = close + 1;
        Some(CompactString::new(inner))
    }

    /// Reads a quoted text with escapes or over several lines.
    fn quoted_slowly(&mut self, quote: u8) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.text.get(self.at + 1..)?.char_indices();
        let base = self.at + 1;
        // Up to where trailing spaces of a line must stay: they were escaped.
        let mut kept = 0;
        while let Some((at, c)) = rest.next() {
            match c {
                '\'' if quote == b'\'' => {
                    let mut ahead = rest.clone();
                    if ahead.next().map(|(_, c)| c) != Some('\'') {
                        self.at = base + at + 1;
                        return Some(text);
                    }
                    rest = ahead;
                    text.push('\'');
                }
                '"' if quote == b'"' => {
                    self.at = base + at + 1;
                    return Some(text);
                }
                '\\' if quote == b'"' => {
                    if !escape(&mut rest, &mut text)? {
                        skip_blank_lines(&mut rest, &mut text);
                    }
                    kept = text.len();
                }
                '\n' => {
                    let trimmed = text[kept..].trim_end_matches([' ', '\t']).len() + kept;
                    text.truncate(trimmed);
                    let mut breaks = 0;
                    loop {
                        skip_indentation(&mut rest);
                        let mut ahead = rest.clone();
                        if ahead.next().map(|(_, c)| c) != Some('\n') {
                            break;
                        }
                        rest = ahead;
                        breaks += 1;
                    }
                    if breaks == 0 {
                        text.push(' ');
                    } else {
                        text.extend(std::iter::repeat_n('\n', breaks));
                    }
                    kept = text.len();
                }
                c => text.push(c),
            }
        }
        None
    }

    /// Reads a literal or folded block scalar.
    fn block_scalar(&mut self, parent: Parent, folded: bool) -> Option<Node> {
        let start = self.at;
        self.at += 1;
        let (mut chomp, mut indent) = (Chomp::Clip, None);
        loop {
            match self.byte(self.at) {
                Some(b'-') if chomp == Chomp::Clip => chomp = Chomp::Strip,
                Some(b'+') if chomp == Chomp::Clip => chomp = Chomp::Keep,
                Some(digit @ b'1'..=b'9') if indent.is_none() => indent = Some(usize::from(digit - b'0')),
                _ => break,
            }
            self.at += 1;
        }
        self.finish_line()?;
        let base = usize::try_from(parent.max(0)).ok()?;
        let indent = match indent {
            Some(more) => base + more,
            None => match self.block_indent(parent)? {
                Some(indent) => indent,
                // Nothing but blank lines.
                None => base + 1,
            },
        };
        let text = self.block_lines(indent, folded, chomp)?;
        let spelling = if folded { Spelling::Folded } else { Spelling::Quoted };
        Some(Node::spelt(text, spelling, self.mark(start)))
    }

    /// The indentation of the first line with content, when it belongs to the scalar. Gives up when a blank line before it
    /// is longer.
    #[allow(
        clippy::option_option,
        reason = "the outer one says whether it was found out, the inner one what"
    )]
    fn block_indent(&self, parent: Parent) -> Option<Option<usize>> {
        let bytes = self.text.as_bytes();
        let mut line = self.at;
        let mut longest = 0;
        loop {
            let spaces = bytes.get(line..)?.iter().take_while(|b| **b == b' ').count();
            match bytes.get(line + spaces) {
                // Nothing but blank lines: none of them has content, however long it is.
                None => return Some(Some(longest.max(spaces).max(usize::try_from(parent + 1).ok()?))),
                Some(b'\n') => {
                    longest = longest.max(spaces);
                    line += spaces + 1;
                }
                Some(b'\t') => return None,
                Some(_) if isize::try_from(spaces).ok()? <= parent => {
                    return if longest > 0 { None } else { Some(None) };
                }
                Some(_) if longest > spaces => return None,
                Some(_) => return Some(Some(spaces)),
            }
        }
    }

    /// Reads the lines of a block scalar, with the folding and chomping of libyaml.
    fn block_lines(&mut self, indent: usize, folded: bool, chomp: Chomp) -> Option<CompactString> {
        let bytes = self.text.as_bytes();
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        let mut leading_break = "";
        let mut trailing_breaks = 0;
        let mut after_blank = false;
        loop {
            let line = self.at;
            let spaces = bytes.get(line..)?.iter().take(indent).take_while(|b| **b == b' ').count();
            match bytes.get(line + spaces) {
                None => break,
                Some(b'\n') => {
                    trailing_breaks += 1;
                    self.at = line + spaces + 1;
                    continue;
                }
                Some(b'\t') if spaces < indent => return None,
                Some(_) if spaces < indent => break,
                Some(_) => {}
            }
            let content_end = self.line_end(line);
            let content = self.text.get(line + indent..content_end)?;
            let starts_blank = content.starts_with([' ', '\t']);
            if folded && leading_break == "\n" && !after_blank && !starts_blank {
                if trailing_breaks == 0 {
                    text.push(' ');
                }
            } else {
                text.push_str(leading_break);
            }
            text.extend(std::iter::repeat_n('\n', trailing_breaks));
            trailing_breaks = 0;
            text.push_str(content);
            after_blank = starts_blank;
            leading_break = if content_end < bytes.len() { "\n" } else { "" };
            self.at = (content_end + 1).min(bytes.len());
        }
        if chomp != Chomp::Strip {
            text.push_str(leading_break);
        }
        if chomp == Chomp::Keep {
            text.extend(std::iter::repeat_n('\n', trailing_breaks));
        }
        // Copied, so that the node takes just the room that its text needs.
        let exact = CompactString::new(&text);
        self.scratch = text;
        Some(exact)
    }

    /// Reads a flow collection that ends on this line.
    fn flow(&mut self) -> Option<Node> {
        if self.depth >= DEEPEST {
            return None;
        }
        self.depth += 1;
        let start = self.at;
        let close = if self.byte(start)? == b'[' { b']' } else { b'}' };
        let (mut items, mut map) = (Vec::new(), Map::new());
        self.at += 1;
        self.skip_flow_space();
        while self.byte(self.at)? != close {
            if close == b']' {
                items.push(self.flow_item()?);
            } else {
                let entry = self.flow_entry()?;
                if map.len() >= MANY || map.contains(&entry.key.text) {
                    return None;
                }
                map.push(entry);
            }
            self.skip_flow_space();
            match self.byte(self.at)? {
                b',' => {
                    self.at += 1;
                    self.skip_flow_space();
                }
                byte if byte == close => {}
                _ => return None,
            }
        }
        self.at += 1;
        self.depth -= 1;
        Some(if close == b']' {
            Node::seq(items, self.mark(start))
        } else {
            Node::map(map, self.mark(start))
        })
    }

    fn skip_spaces(&mut self) {
        while self.byte(self.at) == Some(b' ') {
            self.at += 1;
        }
    }

    /// Skips spaces, line breaks and comments.
    fn skip_flow_space(&mut self) {
        loop {
            let before = self.at.checked_sub(1).and_then(|at| self.byte(at));
            match self.byte(self.at) {
                Some(b' ' | b'\n') => self.at += 1,
                Some(b'#') if matches!(before, Some(b' ' | b'\n')) => self.at = self.line_end(self.at),
                _ => return,
            }
        }
    }

    fn flow_item(&mut self) -> Option<Node> {
        let start = self.at;
        match self.byte(start)? {
            b'[' | b'{' => self.flow(),
            quote @ (b'"' | b'\'') => {
                let text = self.quoted(quote)?;
                // A pair in a list: `["a": 1]`.
                let mut at = self.at;
                while self.byte(at) == Some(b' ') {
                    at += 1;
                }
                (self.byte(at) != Some(b':')).then(|| Node::quoted(text, self.mark(start)))
            }
            _ => {
                let text = self.flow_plain()?;
                let kind = kind_in_flow(resolve_plain(text), text);
                Some(Node::scalar(CompactString::new(text), kind, self.mark(start)))
            }
        }
    }

    fn flow_entry(&mut self) -> Option<Entry> {
        let start = self.at;
        let mark = self.mark(start);
        let is_quoted = matches!(self.byte(start)?, b'"' | b'\'');
        let key = if let quote @ (b'"' | b'\'') = self.byte(start)? {
            Key { text: self.quoted_on_line(quote)?, kind: ScalarKind::Str, quoted: true, mark }
        } else {
            let text = self.flow_plain()?;
            Key { text: CompactString::new(text), kind: resolve_plain(text), quoted: false, mark }
        };
        self.skip_spaces();
        // After a quoted key the value may follow without a space, as in JSON.
        let is_parted = is_quoted || matches!(self.byte(self.at + 1)?, b' ' | b'\n');
        if key.text == "<<" || self.byte(self.at)? != b':' || !is_parted {
            return None;
        }
        self.at += 1;
        self.skip_flow_space();
        match self.byte(self.at)? {
            b',' | b'}' => None,
            _ => Some(Entry { key, value: self.flow_item()? }),
        }
    }

    /// A plain scalar of simple characters in a flow collection.
    fn flow_plain(&mut self) -> Option<&'t str> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let simple = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'_' | b'.'
                        | b'/'
                        | b'-'
                        | b'='
                        | b'+'
                        | b'('
                        | b')'
                        | b'$'
                        | b';'
                        | b'^'
                        | b'~'
                        | b'<'
                        | b' '
                )
                || byte >= 0x80
        };
        let first = self.byte(start)?;
        let starts_well =
            first.is_ascii_alphanumeric() || matches!(first, b'_' | b'.' | b'/' | b'$' | b'+' | b'~');
        let is_negative =
            first == b'-' && self.byte(start + 1).is_some_and(|next| next.is_ascii_alphanumeric());
        if !starts_well && !is_negative {
            return None;
        }
        let mut at = start;
        loop {
            match bytes.get(at)? {
                b':' if !matches!(bytes.get(at + 1)?, b' ' | b',' | b'[' | b']' | b'{' | b'}' | b'\n') => {
                    at += 1;
                }
                b':' | b',' | b']' | b'}' => break,
                b'#' if bytes.get(at - 1) == Some(&b' ') => break,
                b'\n' if self.flow_scalar_ends(at) => break,
                byte if simple(*byte) => at += 1,
                _ => return None,
            }
        }
        self.at = at;
        Some(self.text.get(start..at)?.trim_end_matches(' '))
    }

    /// Whether nothing of a plain scalar follows after this line break.
    fn flow_scalar_ends(&self, line_break: usize) -> bool {
        let rest = self.text.as_bytes().get(line_break..).unwrap_or_default();
        let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\n'));
        matches!(next, Some(b',' | b']' | b'}' | b'#'))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Clip,
    Strip,
    Keep,
}

/// Characters that a plain scalar cannot start with.
fn is_indicator(byte: u8) -> bool {
    matches!(
        byte,
        b'?' | b':'
            | b'-'
            | b','
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'#'
            | b'&'
            | b'*'
            | b'!'
            | b'|'
            | b'>'
            | b'\''
            | b'"'
            | b'%'
            | b'@'
            | b'`'
            | b'\t'
    )
}

/// The position of the colon of a plain key in a line: before a space or the end, and before any comment.
fn find_colon(line: &[u8]) -> Option<usize> {
    for at in memchr::memchr2_iter(b':', b'#', line) {
        match line[at] {
            b':' if matches!(line.get(at + 1), None | Some(b' ' | b'\t')) => return (at > 0).then_some(at),
            b'#' if at > 0 && matches!(line[at - 1], b' ' | b'\t') => return None,
            _ => {}
        }
    }
    None
}

fn skip_indentation(rest: &mut std::str::CharIndices<'_>) {
    let mut ahead = rest.clone();
    while ahead.next().is_some_and(|(_, c)| c == ' ' || c == '\t') {
        *rest = ahead.clone();
    }
}

/// After an escaped line break, each further one counts.
fn skip_blank_lines(rest: &mut std::str::CharIndices<'_>, text: &mut String) {
    skip_indentation(rest);
    while rest.as_str().starts_with('\n') {
        rest.next();
        text.push('\n');
        skip_indentation(rest);
    }
}

/// Reads an escape from after its backslash. False when it was a line break.
fn escape(rest: &mut std::str::CharIndices<'_>, text: &mut String) -> Option<bool> {
    let (_, c) = rest.next()?;
    let plain = match c {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        ' ' => ' ',
        '"' => '"',
        '\\' => '\\',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' => code(rest, 2)?,
        'u' => code(rest, 4)?,
        'U' => code(rest, 8)?,
        '\n' => return Some(false),
        _ => return None,
    };
    text.push(plain);
    Some(true)
}

fn code(rest: &mut std::str::CharIndices<'_>, digits: usize) -> Option<char> {
    let mut value = 0_u32;
    for _ in 0..digits {
        value = value.checked_mul(16)? + rest.next()?.1.to_digit(16)?;
    }
    char::from_u32(value)
}
