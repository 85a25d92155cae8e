//! Writes nodes as JSON, as Go's encoding/json writes what the YAML library read: sorted keys, HTML characters escaped.

use super::emit;
use super::node::{Entry, Node, Scalar, ScalarKind, Value};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Result};

/// Appends compact JSON.
///
/// # Errors
/// [`Code::Unwritable`] for what JSON has no form for: infinities, keys that are no strings.
pub fn write(node: &Node, out: &mut String) -> Result<()> {
    match &node.value {
        Value::Scalar(scalar) => write_scalar(scalar, node, out),
        Value::Seq(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
            Ok(())
        }
        Value::Map(map) => {
            let mut entries: Vec<&Entry> = map.iter().collect();
            entries.sort_by(|a, b| a.key.text.cmp(&b.key.text));
            out.push('{');
            for (index, entry) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(&entry.key.text, out);
                out.push(':');
                write(&entry.value, out)?;
            }
            out.push('}');
            Ok(())
        }
    }
}

fn write_scalar(scalar: &Scalar, node: &Node, out: &mut String) -> Result<()> {
    let text = scalar.text.as_str();
    let unwritable = || -> Diagnostics {
        Diagnostic::error(Code::Unwritable, format!("`{text}` has no form in JSON")).at(node.mark).into()
    };
    match scalar.kind {
        ScalarKind::Str => write_string(text, out),
        ScalarKind::Null => out.push_str("null"),
        ScalarKind::Bool => out.push_str(if emit::is_true(text) { "true" } else { "false" }),
        ScalarKind::Int | ScalarKind::Float => out.push_str(&number(text).ok_or_else(unwritable)?),
        ScalarKind::Timestamp => write_string(&emit::timestamp(text).ok_or_else(unwritable)?, out),
        ScalarKind::Binary => write_string(&emit::binary(text).ok_or_else(unwritable)?, out),
    }
    Ok(())
}

fn number(text: &str) -> Option<compact_str::CompactString> {
    let plain = text.replace('_', "");
    match emit::go_integer(&plain) {
        Some(value) => Some(compact_str::format_compact!("{value}")),
        None => emit::go_float(&plain).map(emit::json_float),
    }
}

/// Appends a JSON string.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A JSON list of documents, one a line.
///
/// # Errors
/// As [`write`], for all documents.
pub fn list(nodes: &[&Node]) -> Result<Vec<u8>> {
    let mut out = String::from("[");
    let mut errors = Diagnostics::default();
    for (index, node) in nodes.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        errors.collect(write(node, &mut out));
    }
    out.push_str("\n]\n");
    errors.into_result(out.into_bytes())
}
