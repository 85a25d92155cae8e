//! Splits a text into documents and reads each with the parser that fits.

use super::block;
use super::general::{self, Documents, Duplicates};
use crate::node::Node;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId};
use std::ops::Range;

/// Parses all documents of a text. Empty documents give no node.
///
/// # Errors
/// Text that is not YAML, duplicate keys, unknown aliases, nesting and aliases beyond the limits; each with its place.
pub fn parse(text: &str, source: SourceId) -> Result<Vec<Node>> {
    if u32::try_from(text.len()).is_err() {
        return Err(Diagnostic::error(Code::TooLarge, "this text is larger than 4 GiB").into());
    }
    refuse_control_characters(text, source)?;
    match chunks(text) {
        Some(chunks) => parse_chunks(text, source, &chunks).map(|(nodes, _)| nodes),
        None => {
            general::parse(text, 0, source, Duplicates::Refused, Documents::All).map(|parsed| parsed.nodes)
        }
    }
}

/// Parses the documents of a file of resources as kustomize does: it splits the text at lines `---`, before it knows
/// anything of YAML, and reads the first document of each part. What follows in a part is ignored, with a warning.
///
/// # Errors
/// As [`parse`], and text after `---` that is not a comment.
pub fn parse_resources(text: &str, source: SourceId) -> Result<(Vec<Node>, Diagnostics)> {
    if u32::try_from(text.len()).is_err() {
        return Err(Diagnostic::error(Code::TooLarge, "this text is larger than 4 GiB").into());
    }
    parse_chunks(text, source, &parts(text, source)?)
}

fn parse_chunks(text: &str, source: SourceId, chunks: &[Chunk]) -> Result<(Vec<Node>, Diagnostics)> {
    let has_odd_breaks = has_odd_breaks(text);
    let mut nodes = Vec::with_capacity(chunks.len());
    let (mut errors, mut warnings) = (Diagnostics::default(), Diagnostics::default());
    for Chunk { start, end, documents, may_be_plain } in chunks {
        // A byte order mark may come before every document, not only at the start of a file.
        let byte_order_mark =
            if text[*start..*end].starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let start = start + byte_order_mark;
        let is_plain = !has_odd_breaks && *may_be_plain;
        if let Some(node) = is_plain.then(|| block::parse(text, start, *end, source)).flatten() {
            nodes.extend(node);
            continue;
        }
        let part = text.get(start..*end).unwrap_or_default();
        let parsed = general::parse(part, start, source, Duplicates::Refused, *documents);
        if let Some(parsed) = errors.collect(parsed) {
            nodes.extend(parsed.nodes);
            warnings.0.extend(parsed.rest.map(ignored_rest));
        }
    }
    errors.into_result((nodes, warnings))
}

fn ignored_rest(mark: Mark) -> Diagnostic {
    Diagnostic::warning(Code::Syntax, "kustomize ignores the text from here on")
        .at(mark)
        .help("separate documents with a line `---`")
}

/// Parses all documents of a text with the general parser alone. For tests that compare the two.
///
/// # Errors
/// As [`parse`].
pub fn parse_generally(text: &str, source: SourceId) -> Result<Vec<Node>> {
    refuse_control_characters(text, source)?;
    general::parse(text, 0, source, Duplicates::Refused, Documents::All).map(|parsed| parsed.nodes)
}

/// Parses the document of a kustomization file, where of two equal keys the last one counts, with a warning: the library
/// that kustomize reads these files with does so. Further documents are not looked at.
///
/// # Errors
/// As [`parse`], but for duplicate keys.
pub fn parse_last_wins(text: &str, source: SourceId) -> Result<(Vec<Node>, Diagnostics)> {
    refuse_control_characters(text, source)?;
    let parsed = general::parse(text, 0, source, Duplicates::LastWins, Documents::First)?;
    Ok((parsed.nodes, parsed.warnings))
}

/// Parses all documents of a text, where equal keys are all kept: for a look at a text that is refused for them.
///
/// # Errors
/// As [`parse`], but for duplicate keys.
pub fn parse_every_key(text: &str, source: SourceId) -> Result<Vec<Node>> {
    refuse_control_characters(text, source)?;
    general::parse(text, 0, source, Duplicates::Kept, Documents::All).map(|parsed| parsed.nodes)
}

/// YAML allows no control characters but tab and line breaks, neither those of ASCII nor those of Latin 1.
fn refuse_control_characters(text: &str, source: SourceId) -> Result<()> {
    let Some(at) = control_character(text) else { return Ok(()) };
    let code = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, u32::from);
    let offset = u32::try_from(at).unwrap_or(u32::MAX);
    let error =
        Diagnostic::error(Code::Syntax, format!("the control character U+{code:04X} is not allowed in YAML"));
    Err(error.at(Mark { source, offset }).help("in double quotes it can be written as an escape").into())
}

fn control_character(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let refused = |byte: &u8| (*byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7F;
    let in_ascii = bytes
        .chunks(STRIDE)
        .position(|chunk| chunk.iter().fold(false, |found, byte| found | refused(byte)))
        .and_then(|chunk| bytes[chunk * STRIDE..].iter().position(refused).map(|at| chunk * STRIDE + at));
    if in_ascii.is_some() || text.is_ascii() {
        return in_ascii;
    }
    let mut latin = memchr::memchr_iter(0xC2, bytes);
    let in_latin =
        latin.find(|at| bytes.get(at + 1).is_some_and(|next| (0x80..0xA0).contains(next) && *next != 0x85));
    let no_character = ["\u{fffe}", "\u{ffff}"].into_iter();
    in_latin.into_iter().chain(no_character.filter_map(|no| memchr::memmem::find(bytes, no.as_bytes()))).min()
}

/// Bytes that are looked at together for control characters.
const STRIDE: usize = 64;

/// Whether a text has other line breaks than `\n`: a carriage return, or those of Unicode.
fn has_odd_breaks(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr(b'\r', bytes).is_some()
        || (!text.is_ascii()
            && ["\u{85}", "\u{2028}", "\u{2029}"]
                .into_iter()
                .any(|odd| memchr::memmem::find(bytes, odd.as_bytes()).is_some()))
}

/// A stretch of text between two lines `---`.
struct Chunk {
    start: usize,
    end: usize,
    /// [`Documents::First`] after a line `...`: kustomize splits a text at lines `---` and reads one document of each part.
    documents: Documents,
    /// Whether the block parser may try it.
    may_be_plain: bool,
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
                    chunks.push(Chunk {
                        start,
                        end: at_line,
                        documents,
                        may_be_plain: documents == Documents::All,
                    });
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
    let may_be_plain = documents == Documents::All;
    chunks.push(Chunk { start, end: bytes.len(), documents, may_be_plain });
    Some(chunks)
}

/// The parts of a text as [`parse_resources`] reads them, without a line `---` at their start.
fn parts(text: &str, source: SourceId) -> Result<Vec<Chunk>> {
    let parts = resource_parts(text, source)?.into_iter().map(|Range { start, end }| {
        let start = start + marker_length(&text.as_bytes()[start..end]);
        Chunk { start, end, documents: Documents::First, may_be_plain: true }
    });
    Ok(parts.collect())
}

/// The parts between lines `---`, of which the first line of a text is none, nor a last one without a line break.
///
/// # Errors
/// Control characters, and text after `---` that is not a comment.
pub(crate) fn resource_parts(text: &str, source: SourceId) -> Result<Vec<Range<usize>>> {
    refuse_control_characters(text, source)?;
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some(found) = memchr::memmem::find(&bytes[start..], b"\n---") {
        let marker = start + found + 1;
        let Some(length) = memchr::memchr(b'\n', &bytes[marker..]) else { break };
        let rest = bytes[marker + 3..marker + length].trim_ascii();
        if !rest.is_empty() && !rest.starts_with(b"#") {
            let mark = Mark { source, offset: u32::try_from(marker).unwrap_or(u32::MAX) };
            let error = Diagnostic::error(Code::Syntax, "a line that starts with `---` separates documents");
            return Err(error.at(mark).help("write nothing after it but a comment").into());
        }
        parts.push(start..marker);
        start = marker + length + 1;
    }
    parts.push(start..bytes.len());
    Ok(parts)
}

/// The bytes of a line `---` at the start of a part.
fn marker_length(part: &[u8]) -> usize {
    match part.strip_prefix(b"---") {
        Some(rest) => {
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            if is_blank_or_comment(&rest[..length]) { (length + 4).min(part.len()) } else { 0 }
        }
        None => 0,
    }
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
    use super::{control_character, parse, parse_resources};
    use kfc_diagnostics::SourceId;

    fn keys(text: &str) -> Vec<String> {
        let (nodes, _) = parse_resources(text, SourceId::NONE).unwrap();
        let keys = nodes.iter().flat_map(|node| node.as_map().unwrap().iter());
        keys.map(|entry| entry.key.text.to_string()).collect()
    }

    #[test]
    fn resources_are_the_first_documents_between_lines_of_dashes() {
        assert_eq!(keys("---\na: 1\n--- # more\nb: 2\n---\n---\nc: 3\n---"), ["a", "b", "c"]);
        assert_eq!(keys("# none\n---\r\na: 1\r\n---\r\nb: 2\r\n"), ["a", "b"]);
        assert_eq!(keys("a: 1\n...\nb: 2\n"), ["a"]);
        assert_eq!(keys("{\"a\": 1}\n{\"b\": 2}\n"), ["a"]);
        let (_, warnings) = parse_resources("{\"a\": 1}\n{\"b\": 2}\n", SourceId(0)).unwrap();
        assert_eq!(warnings.0[0].mark.unwrap().offset, 9);
        for text in ["a: 1\n--- b\nc: 2\n", "%YAML 1.1\n---\na: 1\n", "%YAML 1.2\n"] {
            assert!(parse_resources(text, SourceId::NONE).is_err(), "{text}");
        }
    }

    #[test]
    fn control_characters_are_found_wherever_they_are() {
        let long = "x".repeat(200);
        for odd in ["\u{1}", "\u{7f}", "\u{80}", "\u{9f}", "\u{fffe}"] {
            assert_eq!(control_character(&format!("{long}{odd}é")), Some(200), "{odd:?}");
        }
        assert_eq!(control_character("é\t\r\n\u{85}\u{a0}\u{feff}\u{10ffff}"), None);
    }

    #[test]
    fn a_byte_order_mark_before_a_later_document_is_passed_over() {
        let nodes = parse("a: 1\n---\n\u{feff}b: 2\n", SourceId::NONE).unwrap();
        let entry = &nodes[1].as_map().unwrap().as_slice()[0];
        assert_eq!((entry.key.text.as_str(), entry.key.mark.offset), ("b", 12));
    }
}
