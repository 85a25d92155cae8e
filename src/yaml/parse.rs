//! Reads YAML text into nodes, each with the place it came from.

use crate::diagnostics::{Code, Diagnostic, Mark, Result, SourceId};
use crate::yaml::node::{Entry, Key, Map, Node, ScalarKind};
use compact_str::CompactString;
use saphyr_parser::{Event, Parser, ScalarStyle};

/// Parses all documents of a text. Empty documents give no node.
///
/// # Errors
/// Text that is not YAML, duplicate keys, unknown aliases; each with its place.
pub fn parse(text: &str, source: SourceId) -> Result<Vec<Node>> {
    let mut documents = Vec::new();
    let mut stack: Vec<(Node, Option<Key>)> = Vec::new();
    for item in Parser::new_from_str(text) {
        let (event, span) = item.map_err(|e| {
            Diagnostic::error(Code::Syntax, e.info().to_owned())
                .at(Mark { source, offset: u32::try_from(e.marker().index()).unwrap_or(0) })
        })?;
        let mark = Mark { source, offset: u32::try_from(span.start.index()).unwrap_or(0) };
        let done = match event {
            Event::MappingStart(..) => {
                stack.push((Node::map(Map::new(), mark), None));
                continue;
            }
            Event::SequenceStart(..) => {
                stack.push((Node::seq(Vec::new(), mark), None));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => stack.pop().map(|(n, _)| n),
            Event::Scalar(value, style, ..) => {
                let text = CompactString::new(&*value);
                Some(match style {
                    ScalarStyle::Plain => Node::scalar(text, resolve_plain(&value), mark),
                    _ => Node::quoted(text, mark),
                })
            }
            _ => None,
        };
        let Some(node) = done else { continue };
        match stack.last_mut() {
            None => documents.push(node),
            Some((parent, pending)) => {
                if let Some(items) = parent.as_seq_mut() {
                    items.push(node);
                } else if let Some(map) = parent.as_map_mut() {
                    match pending.take() {
                        Some(key) => map.push(Entry { key, value: node }),
                        None => {
                            let mut key = Key::new(node.as_scalar().map_or("", |s| &s.text), node.mark);
                            key.kind = node.as_scalar().map_or(ScalarKind::Str, |s| s.kind);
                            *pending = Some(key);
                        }
                    }
                }
            }
        }
    }
    documents.retain(|d| !d.is_null());
    Ok(documents)
}

/// What a plain scalar is.
#[must_use]
pub fn resolve_plain(text: &str) -> ScalarKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => ScalarKind::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => ScalarKind::Bool,
        _ if text.parse::<i128>().is_ok() => ScalarKind::Int,
        _ if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            && text.parse::<f64>().is_ok() =>
        {
            ScalarKind::Float
        }
        _ => ScalarKind::Str,
    }
}
