//! Writes the schema of a named type as the emitter would.

use super::read::{Notation, Part, Schema, Use, resolve};
use kfc_diagnostics::Mark;
use kfc_diagnostics::SourceId;
use kfc_yaml::parse::parse;
use kfc_yaml::{Deferred, Entry, Node, Value, emit};

/// As large may the text of one schema be: types within types within types would fill any memory.
const MOST: usize = 16 << 20;

/// The schema of a named type: text that the emitter copies, and a tree for steps that read it.
pub struct Rendered {
    text: String,
    column: usize,
    mark: Mark,
}

impl Notation {
    /// The schema of a type, with its keys at a column. Its nodes have the location `mark`. `None` when no type has the
    /// name, or it is empty.
    ///
    /// # Errors
    /// A message when the schema is larger than any API server accepts.
    pub fn render(&self, name: &str, column: usize, mark: Mark) -> Result<Option<Rendered>, &'static str> {
        let Some(schema) = self.named(name).filter(|schema| !schema.parts.is_empty()) else {
            return Ok(None);
        };
        let mut writer = Writer { types: &self.types, out: Vec::with_capacity(64 * 1024) };
        writer.schema(schema, column);
        if writer.out.len() > MOST {
            return Err("the schema is larger than 16 MiB");
        }
        let text = String::from_utf8(writer.out).map_err(|_| "the schema is not UTF-8")?;
        Ok(Some(Rendered { text, column, mark }))
    }
}

struct Writer<'n> {
    types: &'n [Use],
    out: Vec<u8>,
}

/// Spaces, to copy as many as a line needs.
const SPACES: [u8; 128] = [b' '; 128];

impl<'n> Writer<'n> {
    fn indent(&mut self, column: usize) {
        match SPACES.get(..column) {
            Some(spaces) => self.out.extend_from_slice(spaces),
            None => self.out.resize(self.out.len() + column, b' '),
        }
    }

    fn line(&mut self, text: &str, column: usize) {
        self.indent(column);
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'\n');
    }

    fn schema(&mut self, schema: &'n Schema, column: usize) {
        for (field, part) in &schema.parts {
            if self.out.len() > MOST {
                return;
            }
            match part {
                Part::Lines(lines) => lines.iter().for_each(|line| self.line(line, column)),
                Part::Value(map) => {
                    // What cannot be written is not in a schema that was read from text.
                    emit::emit_at(map, column, &mut self.out).unwrap_or_default();
                }
                Part::Below(using) => {
                    self.indent(column);
                    self.out.extend_from_slice(field.as_bytes());
                    self.out.push(b':');
                    self.value(using, column + 2);
                }
                Part::Properties(properties) => {
                    self.line("properties:", column);
                    for (key, using) in properties {
                        self.indent(column + 2);
                        self.out.extend_from_slice(key.as_bytes());
                        self.value(using, column + 4);
                    }
                }
                Part::List(all) => {
                    self.indent(column);
                    self.out.extend_from_slice(field.as_bytes());
                    self.out.extend_from_slice(b":\n");
                    all.iter().for_each(|using| self.item(using, column));
                }
            }
        }
    }

    /// A schema after a key, whose own keys are at the column.
    fn value(&mut self, using: &'n Use, column: usize) {
        let schema = resolve(self.types, using);
        if schema.parts.is_empty() {
            self.out.extend_from_slice(b" {}\n");
        } else {
            self.out.push(b'\n');
            self.schema(schema, column);
        }
    }

    /// A schema in a list.
    fn item(&mut self, using: &'n Use, column: usize) {
        let start = self.out.len() + column;
        let schema = resolve(self.types, using);
        if schema.parts.is_empty() {
            return self.line("- {}", column);
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
        let mut nodes = parse(&self.text, SourceId::NONE).unwrap_or_default();
        let Some(node) = nodes.first_mut() else { return Vec::new() };
        set_marks(node, self.mark);
        let Value::Map(map) = std::mem::replace(&mut node.value, Value::Seq(Vec::new())) else {
            return Vec::new();
        };
        map.into_iter().collect()
    }

    fn text(&self) -> &str {
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
