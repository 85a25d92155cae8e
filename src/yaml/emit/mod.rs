//! Writes nodes exactly as kustomize writes them.
//!
//! In kustomize a value is read by Go's YAML v3 library, becomes JSON, is read back and written by the v2 library. The
//! net effect is done here in one pass over the tree: sorted keys, v2's choice of styles, numbers normalised.

mod number;
mod order;
mod style;
mod text;

pub use order::compare as compare_keys;

pub(crate) use number::{float, go_float, go_integer, integer, is_timestamp, json_float, timestamp};

use super::node::{Entry, Map, Node, Scalar, ScalarKind, Value};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use base64::Engine as _;
use rayon::prelude::*;
use std::borrow::Cow;
use style::Style;
use text::TextWriter;

/// Whether a string is written without quotes and not as a block.
pub(crate) fn is_written_plain(text: &str) -> bool {
    style::is_surely_plain(text) || style::choose(text, false) == Style::Plain
}

/// Spaces that each level of nesting adds.
const INDENT: usize = 2;

/// Bytes of a line up to which no scalar can fold.
const SURELY_NARROW: usize = 80;

/// What stands between two documents.
const SEPARATOR: &[u8] = b"---\n";

/// Documents that one thread writes in one go.
const CHUNK: usize = 16;

/// Writes one document at the end of `out`, with a line break behind it.
///
/// # Errors
/// [`Code::Unwritable`] for values that kustomize cannot write either: infinities, control characters, keys below the
/// top level that are no strings.
pub fn emit(node: &Node, out: &mut Vec<u8>) -> Result<()> {
    let line_start = out.len();
    let mut emitter = Emitter { out, line_start, line_began: true, depth: 0 };
    // A document that is a scalar alone has its lines indented all the same.
    let indent = if node.as_scalar().is_some() { INDENT } else { 0 };
    emitter.node(node, indent, Place::Start)?;
    if !emitter.line_began {
        out.push(b'\n');
    }
    Ok(())
}

/// Writes documents in order, in parallel, as chunks that make up the output when they are joined.
///
/// # Errors
/// Those of [`emit`], of all documents.
pub fn emit_all(nodes: &[&Node]) -> Result<Vec<Vec<u8>>> {
    let chunks: Vec<Result<Vec<u8>>> =
        nodes.par_chunks(CHUNK).enumerate().map(|(index, chunk)| emit_chunk(chunk, index == 0)).collect();
    let mut errors = Diagnostics::default();
    let written = chunks.into_iter().filter_map(|chunk| errors.collect(chunk)).collect();
    errors.into_result(written)
}

fn emit_chunk(nodes: &[&Node], first: bool) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(16 * 1024);
    let mut errors = Diagnostics::default();
    for (index, node) in nodes.iter().enumerate() {
        if !first || index > 0 {
            out.extend_from_slice(SEPARATOR);
        }
        errors.collect(emit(node, &mut out));
    }
    // All chunks are held until the last one is written: room to grow would add up.
    out.shrink_to_fit();
    errors.into_result(out)
}

/// Where the next value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the start of the document.
    Start,
    /// Behind `key:`.
    Value,
    /// Behind `- `, `? ` or `: `, on the same line.
    Item,
}

struct Emitter<'a> {
    out: &'a mut Vec<u8>,
    /// Where the current line starts in `out`.
    line_start: usize,
    /// Whether a new line has begun and nothing stands on it yet.
    line_began: bool,
    depth: usize,
}

impl Emitter<'_> {
    fn node(&mut self, node: &Node, indent: usize, place: Place) -> Result<()> {
        match &node.value {
            Value::Scalar(scalar) => {
                if place == Place::Value {
                    self.out.push(b' ');
                }
                self.line_began = false;
                self.scalar(scalar, indent, node.mark)
            }
            Value::Map(map) if map.is_empty() => self.empty("{}", place),
            Value::Seq(items) if items.is_empty() => self.empty("[]", place),
            Value::Map(map) => self.map(map, indent, place),
            // A sequence below a key stands at the key's own column.
            Value::Seq(items) if place == Place::Value => self.seq(items, indent - INDENT, place),
            Value::Seq(items) => self.seq(items, indent, place),
        }
    }

    fn empty(&mut self, text: &str, place: Place) -> Result<()> {
        if place == Place::Value {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(text.as_bytes());
        self.line_began = false;
        Ok(())
    }

    /// Starts a new line at this column, unless the value goes on behind an indicator.
    fn start_line(&mut self, indent: usize) {
        if !self.line_began {
            self.out.push(b'\n');
        }
        self.line_start = self.out.len();
        self.out.resize(self.out.len() + indent, b' ');
        self.line_began = false;
    }

    fn map(&mut self, map: &Map, indent: usize, place: Place) -> Result<()> {
        self.depth += 1;
        let mut in_line = place == Place::Item;
        each_sorted(map, |entry| {
            if !in_line {
                self.start_line(indent);
            }
            in_line = false;
            self.entry(entry, indent)
        })?;
        self.depth -= 1;
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, indent: usize) -> Result<()> {
        let Entry { key, value } = entry;
        if key.kind != ScalarKind::Str && self.depth > 1 {
            return Err(odd_key(entry).into());
        }
        if style::is_surely_plain(&key.text) && key.text.len() <= 128 {
            self.out.extend_from_slice(key.text.as_bytes());
        } else if style::is_simple_key(&key.text) {
            check_characters(&key.text, key.mark)?;
            self.string(&key.text, indent, true);
        } else {
            return self.long_entry(entry, indent);
        }
        self.out.push(b':');
        self.node(value, indent + INDENT, Place::Value)
    }

    /// An entry whose key is too long for one line.
    fn long_entry(&mut self, entry: &Entry, indent: usize) -> Result<()> {
        check_characters(&entry.key.text, entry.key.mark)?;
        self.out.extend_from_slice(b"? ");
        self.string(&entry.key.text, indent + INDENT, false);
        self.start_line(indent);
        self.out.extend_from_slice(b": ");
        self.node(&entry.value, indent + INDENT, Place::Item)
    }

    fn seq(&mut self, items: &[Node], indent: usize, place: Place) -> Result<()> {
        self.depth += 1;
        let mut in_line = place == Place::Item;
        for item in items {
            if !in_line {
                self.start_line(indent);
            }
            in_line = false;
            self.out.extend_from_slice(b"- ");
            self.node(item, indent + INDENT, Place::Item)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Writes a scalar whose lines continue at `indent`.
    fn scalar(&mut self, scalar: &Scalar, indent: usize, mark: Mark) -> Result<()> {
        if scalar.kind == ScalarKind::Str {
            let text = scalar.text.as_str();
            if style::is_surely_plain(text) && self.fits(text.len()) {
                self.out.extend_from_slice(text.as_bytes());
            } else {
                check_characters(text, mark)?;
                self.string(text, indent, false);
            }
            return Ok(());
        }
        match text_of(scalar, mark)? {
            Written::Plain(text) => self.out.extend_from_slice(text.as_bytes()),
            Written::String(text) => {
                check_characters(&text, mark)?;
                self.string(&text, indent, false);
            }
        }
        Ok(())
    }

    /// Whether so many bytes more leave the line too short to fold.
    fn fits(&self, bytes: usize) -> bool {
        self.out.len() - self.line_start + bytes <= SURELY_NARROW
    }

    fn column(&self) -> usize {
        let line = self.out.get(self.line_start..).unwrap_or_default();
        // Bytes that continue a UTF-8 character are no columns.
        line.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
    }

    fn string(&mut self, text: &str, indent: usize, key: bool) {
        let column = self.column();
        let mut writer = TextWriter { out: self.out, column, indent, fold: !key };
        self.line_began = false;
        match style::choose(text, key) {
            Style::Plain if key => writer.out.extend_from_slice(text.as_bytes()),
            Style::Plain => writer.plain(text),
            Style::SingleQuoted => writer.single_quoted(text),
            Style::DoubleQuoted => writer.double_quoted(text),
            Style::Literal => self.line_began = writer.literal(text),
        }
    }
}

/// Calls `write` for the entries of a mapping in the order in which they are written. Most mappings of real manifests are
/// sorted already.
fn each_sorted(map: &Map, mut write: impl FnMut(&Entry) -> Result<()>) -> Result<()> {
    let before = |a: &Entry, b: &Entry| order::compare(&a.key.text, &b.key.text);
    if map.iter().is_sorted_by(|a, b| before(a, b).is_le()) {
        return map.iter().try_for_each(write);
    }
    let mut entries: Vec<&Entry> = map.iter().collect();
    order::sort(&mut entries, |entry| &entry.key.text);
    entries.into_iter().try_for_each(&mut write)
}

/// What a scalar that is no string comes to.
enum Written<'a> {
    /// Written as it stands.
    Plain(Cow<'a, str>),
    /// A string after all, to be quoted as one.
    String(Cow<'a, str>),
}

fn text_of(scalar: &Scalar, mark: Mark) -> Result<Written<'_>> {
    let text = scalar.text.as_str();
    let unwritable = |what: &str| -> Diagnostics {
        Diagnostic::error(Code::Unwritable, format!("`{text}` {what}"))
            .at(mark)
            .help("quote it to keep the text")
            .into()
    };
    let owned = |text: compact_str::CompactString| Written::Plain(Cow::Owned(text.into()));
    match scalar.kind {
        ScalarKind::Str => Ok(Written::String(Cow::Borrowed(text))),
        ScalarKind::Null => Ok(Written::Plain(Cow::Borrowed("null"))),
        ScalarKind::Bool => Ok(Written::Plain(Cow::Borrowed(if is_true(text) { "true" } else { "false" }))),
        ScalarKind::Int => {
            integer(text).map(owned).ok_or_else(|| unwritable("is no number that can be written"))
        }
        ScalarKind::Float => {
            float(text).map(owned).ok_or_else(|| unwritable("cannot be written: JSON has no such number"))
        }
        ScalarKind::Timestamp => {
            let stamp = timestamp(text).ok_or_else(|| unwritable("is no date that exists"))?;
            Ok(Written::String(Cow::Owned(stamp.into())))
        }
        ScalarKind::Binary => {
            binary(text).map(|t| Written::String(Cow::Owned(t))).ok_or_else(|| unwritable("is no base64"))
        }
    }
}

/// Whether the text of a boolean stands for true.
pub(crate) fn is_true(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE")
}

/// The text of base64 data; bytes that are no UTF-8 become replacement characters, as Go's JSON makes them.
pub(crate) fn binary(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(compact).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn odd_key(entry: &Entry) -> Diagnostic {
    Diagnostic::error(Code::Unwritable, format!("the key `{}` is no string", entry.key.text))
        .at(entry.key.mark)
        .help(format!("write it in quotes: \"{}\"", entry.key.text))
        .note("JSON, which every Kubernetes object goes through, has string keys only")
}

fn check_characters(text: &str, mark: Mark) -> Result<()> {
    if text.is_ascii() && !text.contains('\u{7F}') {
        return Ok(());
    }
    match text.chars().find(|c| style::is_refused(*c)) {
        None => Ok(()),
        Some(c) => {
            let message = format!("the control character U+{:04X} cannot be written", u32::from(c));
            Err(Diagnostic::error(Code::Unwritable, message)
                .at(mark)
                .help("remove it, or encode the text in base64")
                .into())
        }
    }
}
