//! Splits a text into documents and reads each with the parser that fits.

use super::block;
use super::general::{self, Documents, Duplicates};
use crate::node::Node;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId};

/// Parses all documents of a text. Empty documents give no node.
///
/// # Errors
/// Text that is not YAML, duplicate keys, unknown aliases, nesting and aliases beyond the limits; each with its place.
pub fn parse(text: &str, source: SourceId) -> Result<Vec<Node>> {
    if u32::try_from(text.len()).is_err() {
        return Err(Diagnostic::error(Code::TooLarge, "this text is larger than 4 GiB").into());
    }
    refuse_control_characters(text, source)?;
    let read = |start: usize, end: usize, documents: Documents| {
        let text = text.get(start..end).unwrap_or_default();
        general::parse(text, start, source, Duplicates::Refused, documents).map(|(nodes, _)| nodes)
    };
    let Some(chunks) = chunks(text) else { return read(0, text.len(), Documents::All) };
    let has_returns = memchr::memchr(b'\r', text.as_bytes()).is_some();
    let mut nodes = Vec::with_capacity(chunks.len());
    let mut errors = Diagnostics::default();
    for Chunk { start, end, documents } in chunks {
        // A byte order mark may come before every document, not only at the start of a file.
        let start =
            if text[start..end].starts_with('\u{feff}') { start + '\u{feff}'.len_utf8() } else { start };
        let is_plain = !has_returns && documents == Documents::All;
        match is_plain.then(|| block::parse(text, start, end, source)).flatten() {
            Some(node) => nodes.extend(node),
            None => nodes.extend(errors.collect(read(start, end, documents)).unwrap_or_default()),
        }
    }
    errors.into_result(nodes)
}

/// Parses all documents of a text with the general parser alone. For tests that compare the two.
///
/// # Errors
/// As [`parse`].
pub fn parse_generally(text: &str, source: SourceId) -> Result<Vec<Node>> {
    refuse_control_characters(text, source)?;
    general::parse(text, 0, source, Duplicates::Refused, Documents::All).map(|(nodes, _)| nodes)
}

/// Parses all documents of a kustomization file, where of two equal keys the last one counts, with a warning: the library
/// that kustomize reads these files with does so.
///
/// # Errors
/// As [`parse`], but for duplicate keys.
pub fn parse_last_wins(text: &str, source: SourceId) -> Result<(Vec<Node>, Diagnostics)> {
    refuse_control_characters(text, source)?;
    general::parse(text, 0, source, Duplicates::LastWins, Documents::All)
}

/// Parses all documents of a text, where equal keys are all kept: for a look at a text that is refused for them.
///
/// # Errors
/// As [`parse`], but for duplicate keys.
pub fn parse_every_key(text: &str, source: SourceId) -> Result<Vec<Node>> {
    refuse_control_characters(text, source)?;
    general::parse(text, 0, source, Duplicates::Kept, Documents::All).map(|(nodes, _)| nodes)
}

/// YAML allows no control characters but tab and line breaks.
fn refuse_control_characters(text: &str, source: SourceId) -> Result<()> {
    let refused = |byte: &u8| (*byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7F;
    let Some(at) = text.as_bytes().iter().position(refused) else { return Ok(()) };
    let code = text.as_bytes().get(at).copied().unwrap_or(0);
    let offset = u32::try_from(at).unwrap_or(u32::MAX);
    let error =
        Diagnostic::error(Code::Syntax, format!("the control character U+{code:04X} is not allowed in YAML"));
    Err(error.at(Mark { source, offset }).help("in double quotes it can be written as an escape").into())
}

/// A stretch of text between two lines `---`.
struct Chunk {
    start: usize,
    end: usize,
    /// [`Documents::First`] after a line `...`: kustomize splits a text at lines `---` and reads one document of each part.
    documents: Documents,
}

/// The parts of a text; none when it has directives, or content after a marker.
fn chunks(text: &str) -> Option<Vec<Chunk>> {
    let bytes = text.as_bytes();
    if bytes.first() == Some(&b'%') {
        return None;
    }
    let mut chunks = Vec::new();
    let (mut start, mut at_line, mut documents) = (0, 0, Documents::All);
    loop {
        let line = &bytes[at_line..];
        if line.starts_with(b"---") || line.starts_with(b"...") || line.starts_with(b"%") {
            let end = memchr::memchr(b'\n', line).map_or(bytes.len(), |i| at_line + i + 1);
            match &bytes[at_line..end] {
                [b'-', b'-', b'-', rest @ ..] if is_blank_or_comment(rest) => {
                    chunks.push(Chunk { start, end: at_line, documents });
                    (start, documents) = (end, Documents::All);
                }
                [b'.', b'.', b'.', rest @ ..] if is_blank_or_comment(rest) => documents = Documents::First,
                // A longer word that begins like a marker is content.
                [b'-', b'-', b'-', next, ..] | [b'.', b'.', b'.', next, ..]
                    if !next.is_ascii_whitespace() => {}
                _ => return None,
            }
        }
        match next_marker(bytes, at_line) {
            Some(next) => at_line = next,
            None => break,
        }
    }
    chunks.push(Chunk { start, end: bytes.len(), documents });
    Some(chunks)
}

/// The start of the next line that begins with `-`, `.` or `%`.
fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let found = memchr::memmem::find(&bytes[from..], b"\n---").map(|i| from + i + 1);
    let other = |needle: &[u8]| {
        memchr::memmem::find(&bytes[from..found.unwrap_or(bytes.len())], needle).map(|i| from + i + 1)
    };
    [found, other(b"\n..."), other(b"\n%")].into_iter().flatten().min()
}

fn is_blank_or_comment(rest: &[u8]) -> bool {
    let text = rest.trim_ascii();
    text.is_empty() || (text.starts_with(b"#") && rest.first() == Some(&b' '))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use kfc_diagnostics::SourceId;

    #[test]
    fn a_byte_order_mark_before_a_later_document_is_passed_over() {
        let nodes = parse("a: 1\n---\n\u{feff}b: 2\n", SourceId::NONE).unwrap();
        let entry = &nodes[1].as_map().unwrap().as_slice()[0];
        assert_eq!((entry.key.text.as_str(), entry.key.mark.offset), ("b", 12));
    }
}
