//! Writes the schema of a named type as the emitter would.

use super::read::{Notation, Part, Schema, Use, resolve};
use kfc_diagnostics::{Mark, SourceId};
use kfc_yaml::parse::parse;
use kfc_yaml::{Deferred, Entry, Node, Value, emit};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// As large may the text of one schema be: types within types within types would fill any memory.
const MOST: usize = 16 << 20;

/// The schema of a named type: text that the emitter copies, and a tree for steps that read it.
pub struct Rendered {
    text: Vec<u8>,
    column: usize,
    mark: Mark,
}

impl Notation {
    /// The schema of a type, with its keys at a column. Its nodes have the location `mark`. `None` when no type has the
    /// name, or it is empty.
    ///
    /// # Errors
    /// A message when the schema is larger than any API server accepts.
    pub fn render(
        &self,
        name: &str,
        column: usize,
        mark: impl Into<Option<Mark>>,
    ) -> Result<Option<Rendered>, &'static str> {
        let named = self.named(name).filter(|(schema, _)| !schema.parts.is_empty());
        let Some((schema, extent)) = named else { return Ok(None) };
        let bytes = extent.bytes_at(column);
        if bytes > MOST {
            return Err("the schema is larger than 16 MiB");
        }
        let out = Vec::with_capacity(bytes + SPACES.len());
        let mut writer = Writer { types: &self.types, out, written: FxHashMap::default() };
        writer.schema(schema, column);
        Ok(Some(Rendered { text: writer.out, column, mark: Mark::stored(mark) }))
    }
}

struct Writer<'n> {
    types: &'n [Use],
    out: Vec<u8>,
    /// Where the text of a type is already, by its number and the column of its keys.
    written: FxHashMap<(usize, usize), Range<usize>>,
}

/// Spaces. Copying all of them and cutting them short is faster than filling in the exact number.
const SPACES: [u8; 64] = [b' '; 64];

impl<'n> Writer<'n> {
    fn indent(&mut self, column: usize) {
        let end = self.out.len() + column;
        if column <= SPACES.len() {
            self.out.extend_from_slice(&SPACES);
            self.out.truncate(end);
        } else {
            self.out.resize(end, b' ');
        }
    }

    fn line(&mut self, text: &str, column: usize) {
        self.indent(column);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn schema(&mut self, schema: &'n Schema, column: usize) {
        for (field, part) in &schema.parts {
            match part {
                Part::Line(line) => self.line(line, column),
                Part::Lines(lines) => lines.split_inclusive('\n').for_each(|line| self.line(line, column)),
                Part::Value { map, .. } => {
                    // What cannot be written is not in a schema that was read from text.
                    emit::emit_at(map, column, &mut self.out).unwrap_or_default();
                }
                Part::Below(using) => {
                    self.line(field, column);
                    self.out.push(b':');
                    self.value(using, column + 2);
                }
                Part::Properties(properties) => {
                    self.line("properties:\n", column);
                    for (key, using) in properties {
                        self.line(key, column + 2);
                        self.value(using, column + 4);
                    }
                }
                Part::List(all) => {
                    self.line(field, column);
                    self.out.extend_from_slice(b":\n");
                    for using in all {
                        self.item(using, column);
                    }
                }
            }
        }
    }

    /// A schema after a key, whose own keys are at the column.
    fn value(&mut self, using: &'n Use, column: usize) {
        let schema = resolve(self.types, using);
        if schema.parts.is_empty() {
            return self.out.extend_from_slice(b" {}\n");
        }
        self.out.push(b'\n');
        let Use::Named(at) = using else { return self.schema(schema, column) };
        if let Some(written) = self.written.get(&(*at, column)) {
            return self.out.extend_from_within(written.clone());
        }
        let start = self.out.len();
        self.schema(schema, column);
        self.written.insert((*at, column), start..self.out.len());
    }

    /// A schema in a list.
    fn item(&mut self, using: &'n Use, column: usize) {
        let start = self.out.len() + column;
        let schema = resolve(self.types, using);
        if schema.parts.is_empty() {
            return self.line("- {}\n", column);
        }
        self.schema(schema, column + 2);
        if let Some(dash) = self.out.get_mut(start) {
            *dash = b'-';
        }
    }
}

impl Deferred for Rendered {
    fn entries(&self) -> Vec<Entry> {
        // The text is written above; tests read all schemas of the catalogue.
        let text = std::str::from_utf8(&self.text).unwrap_or_default();
        let mut nodes = parse(text, SourceId::NONE).unwrap_or_default();
        let Some(node) = nodes.first_mut() else { return Vec::new() };
        set_marks(node, self.mark);
        let Value::Map(map) = std::mem::replace(&mut node.value, Value::Seq(Vec::new())) else {
            return Vec::new();
        };
        map.into_iter().collect()
    }

    fn text(&self) -> &[u8] {
        &self.text
    }

    fn column(&self) -> usize {
        self.column
    }
}

fn set_marks(node: &mut Node, mark: Mark) {
    node.mark = mark;
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Seq(items) => items.iter_mut().for_each(|item| set_marks(item, mark)),
        Value::Map(map) => {
            for entry in map.iter_mut() {
                entry.key.mark = mark;
                set_marks(&mut entry.value, mark);
            }
        }
    }
}
