//! Writes one document after another.

use super::text::{self, TextWriter, WIDTH};
use super::value::{self, Written};
use super::{order, through_json};
use crate::node::{Entry, Map, Node, Scalar, ScalarKind, Value};
use crate::style::{self, LONGEST_SIMPLE_KEY, Shape, Style};
use kfc_diagnostics::{Diagnostics, Mark, Result};
use rayon::prelude::*;

/// Spaces that each level of nesting adds.
const INDENT: usize = 2;

/// The line between two documents.
const SEPARATOR: &[u8] = b"---\n";

/// Documents that one thread writes in one go.
const CHUNK: usize = 16;

/// A line break and the indentation after it. Copying all of it and cutting it short is faster than filling in the
/// exact number of spaces.
const LINE_START: [u8; 64] = {
    let mut line = [b' '; 64];
    line[0] = b'\n';
    line
};

/// Writes one document at the end of `out`, with a line break after it. After an error `out` holds the parts that could
/// be written.
///
/// # Errors
/// All values that kustomize cannot write either ([`Unwritable`](kfc_diagnostics::Code::Unwritable)): infinities,
/// control characters, keys below the top level that are not strings, keys of more than 1,024 characters.
pub fn emit(node: &Node, out: &mut Vec<u8>) -> Result<()> {
    let line_start = out.len();
    let mut emitter = Emitter { out, line_start, fresh_line: true, depth: 0, errors: Diagnostics::default() };
    // A document that is a scalar alone has its lines indented all the same.
    let indent = if node.as_scalar().is_some() { INDENT } else { 0 };
    emitter.node(node, indent, Place::Start);
    if !emitter.fresh_line {
        emitter.out.push(b'\n');
    }
    emitter.errors.into_result(())
}

/// Writes a mapping in the midst of a document: its keys are at this column, and every line ends with a line break.
///
/// # Errors
/// Those of [`emit`].
pub fn emit_at(map: &Map, column: usize, out: &mut Vec<u8>) -> Result<()> {
    let line_start = out.len();
    let mut emitter = Emitter { out, line_start, fresh_line: true, depth: 1, errors: Diagnostics::default() };
    emitter.map(map, column, Place::Start);
    if !emitter.fresh_line {
        emitter.out.push(b'\n');
    }
    emitter.errors.into_result(())
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
    let copied: usize = nodes.iter().map(|node| copied_bytes(node)).sum();
    let mut out = Vec::with_capacity(64 * 1024 + copied);
    let mut errors = Diagnostics::default();
    for (index, node) in nodes.iter().enumerate() {
        if !first || index > 0 {
            out.extend_from_slice(SEPARATOR);
        }
        errors.collect(emit(node, &mut out));
    }
    errors.into_result(out)
}

/// The bytes of deferred mappings in a node: room for them is made once.
fn copied_bytes(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(_) => 0,
        Value::Seq(items) => items.iter().map(copied_bytes).sum(),
        Value::Map(map) => match map.as_deferred() {
            Some(form) => form.text().len(),
            None => map.iter().map(|entry| copied_bytes(&entry.value)).sum(),
        },
    }
}

/// Where the next value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the start of the document.
    Start,
    /// After `key:`.
    Value,
    /// After `- `, `? ` or `: `, on the same line.
    Item,
}

struct Emitter<'a> {
    out: &'a mut Vec<u8>,
    /// Where the current line starts in `out`.
    line_start: usize,
    /// Whether a new line has begun and nothing is on it yet.
    fresh_line: bool,
    /// Mappings and sequences that are open.
    depth: usize,
    errors: Diagnostics,
}

impl Emitter<'_> {
    fn node(&mut self, node: &Node, indent: usize, place: Place) {
        match &node.value {
            Value::Scalar(scalar) => {
                if place == Place::Value {
                    self.out.push(b' ');
                }
                self.fresh_line = false;
                self.scalar(scalar, indent, node.mark);
            }
            Value::Map(map) if map.is_empty() => self.empty(b" {}", place),
            Value::Seq(items) if items.is_empty() => self.empty(b" []", place),
            Value::Map(map) => self.map(map, indent, place),
            // A sequence below a key is at the key's own column.
            Value::Seq(items) if place == Place::Value => self.seq(items, indent - INDENT, place),
            Value::Seq(items) => self.seq(items, indent, place),
        }
    }

    fn empty(&mut self, text: &[u8], place: Place) {
        let start = usize::from(place != Place::Value);
        self.out.extend_from_slice(&text[start..]);
        self.fresh_line = false;
    }

    /// Starts a new line at this column, unless one has begun already.
    fn start_line(&mut self, indent: usize) {
        if self.fresh_line {
            self.line_start = self.out.len();
            self.out.resize(self.line_start + indent, b' ');
        } else {
            self.line_start = self.out.len() + 1;
            if indent < LINE_START.len() {
                self.out.extend_from_slice(&LINE_START);
                self.out.truncate(self.line_start + indent);
            } else {
                self.out.push(b'\n');
                self.out.resize(self.line_start + indent, b' ');
            }
        }
        self.fresh_line = false;
    }

    /// Copies the text of a deferred mapping, which ends with a line break.
    fn copy(&mut self, text: &[u8]) {
        if !self.fresh_line {
            self.out.push(b'\n');
        }
        self.out.extend_from_slice(text);
        self.line_start = self.out.len();
        self.fresh_line = true;
    }

    fn map(&mut self, map: &Map, indent: usize, place: Place) {
        let deferred = map.as_deferred().filter(|form| form.column() == indent && place != Place::Item);
        if let Some(form) = deferred {
            return self.copy(form.text());
        }
        self.depth += 1;
        let mut in_line = place == Place::Item;
        let mut write = |entry: &Entry| {
            if !in_line {
                self.start_line(indent);
            }
            in_line = false;
            self.entry(entry, indent);
        };
        // Most mappings of real manifests are sorted already.
        if order::is_sorted(map.as_slice()) {
            map.iter().for_each(write);
        } else {
            order::sorted(map.as_slice()).into_iter().for_each(&mut write);
        }
        self.depth -= 1;
    }

    fn entry(&mut self, entry: &Entry, indent: usize) {
        let text = entry.key.text.as_str();
        let key_is_plain = text.len() <= LONGEST_SIMPLE_KEY && style::shape(text) == Shape::Plain;
        if key_is_plain && entry.key.kind == ScalarKind::Str {
            self.out.extend_from_slice(text.as_bytes());
        } else if !self.unusual_key(entry, indent) {
            return;
        }
        self.out.push(b':');
        self.node(&entry.value, indent + INDENT, Place::Value);
    }

    /// Writes a key that needs quotes or more. False when there is nothing left to write of the entry.
    fn unusual_key(&mut self, entry: &Entry, indent: usize) -> bool {
        let Entry { key, value } = entry;
        let text = value::key_text(key, self.depth == 1).and_then(|text| {
            through_json::check_key(&text, key.mark)?;
            Ok(text)
        });
        let Some(text) = self.errors.collect(text) else {
            // Errors of the value are reported in the same run.
            self.node(value, indent + INDENT, Place::Value);
            return false;
        };
        if style::is_simple_key(&text) {
            self.string(&text, indent, true);
            return true;
        }
        self.out.extend_from_slice(b"? ");
        self.string(&text, indent + INDENT, false);
        self.start_line(indent);
        self.out.extend_from_slice(b": ");
        self.node(value, indent + INDENT, Place::Item);
        false
    }

    fn seq(&mut self, items: &[Node], indent: usize, place: Place) {
        self.depth += 1;
        let mut in_line = place == Place::Item;
        for item in items {
            if !in_line {
                self.start_line(indent);
            }
            in_line = false;
            self.out.extend_from_slice(b"- ");
            self.node(item, indent + INDENT, Place::Item);
        }
        self.depth -= 1;
    }

    /// Writes a scalar whose lines continue at `indent`.
    fn scalar(&mut self, scalar: &Scalar, indent: usize, mark: Mark) {
        let changed = scalar.folded_text();
        if let Some(text) = changed {
            return self.value_string(&text, indent, mark);
        }
        let written = match value::written(scalar, mark) {
            Ok(written) => written,
            Err(errors) => return self.errors.extend(errors),
        };
        match written {
            Written::AsItIs(text) => self.out.extend_from_slice(text.as_bytes()),
            Written::Number(text) => self.out.extend_from_slice(text.as_bytes()),
            Written::String(text) => self.value_string(text, indent, mark),
            Written::NewString(text) => self.value_string(&text, indent, mark),
        }
    }

    fn value_string(&mut self, text: &str, indent: usize, mark: Mark) {
        match style::shape(text) {
            Shape::Plain if self.width() + text.len() <= WIDTH => self.out.extend_from_slice(text.as_bytes()),
            Shape::Plain => self.writer(indent).ascii_plain(text),
            Shape::Literal => self.fresh_line = self.writer(indent).literal(text),
            Shape::Unsure => {
                if let Some(text) = self.errors.collect(through_json::value(text, mark)) {
                    self.string(&text, indent, false);
                }
            }
        }
    }

    /// Bytes of the current line so far, which are at least its columns.
    fn width(&self) -> usize {
        self.out.len() - self.line_start
    }

    fn writer(&mut self, indent: usize) -> TextWriter<'_> {
        let line = self.out.get(self.line_start..).unwrap_or_default();
        // Bytes that continue a UTF-8 character are not columns of their own.
        let column = line.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        TextWriter { out: self.out, column, indent, fold: true }
    }

    fn string(&mut self, text: &str, indent: usize, key: bool) {
        self.fresh_line = false;
        let style = style::choose(text, key);
        let fits = key || self.width() + text.len() <= WIDTH;
        let mut writer = self.writer(indent);
        writer.fold = !key;
        match style {
            Style::Plain if fits => writer.out.extend_from_slice(text.as_bytes()),
            Style::Plain => writer.plain(text),
            Style::SingleQuoted if fits && text::is_quoted_as_it_is(text) => {
                writer.quoted_as_it_is(text, b'\'');
            }
            Style::DoubleQuoted if fits && text::is_quoted_as_it_is(text) => {
                writer.quoted_as_it_is(text, b'"');
            }
            Style::SingleQuoted => writer.single_quoted(text),
            Style::DoubleQuoted => writer.double_quoted(text),
            Style::Literal => self.fresh_line = writer.literal(text),
        }
    }
}
