//! Writes nodes as JSON, as Go's encoding/json writes what the YAML library read: sorted keys, HTML characters escaped.

use super::emit;
use super::node::{Entry, Map, Node, Scalar, ScalarKind, Value};
use kfc_diagnostics::{Diagnostics, Mark, Result};
use std::borrow::Cow;
use std::fmt::Write as _;

/// Appends compact JSON. After an error `out` holds the parts that could be written.
///
/// # Errors
/// All values that JSON has no form for ([`Unwritable`](kfc_diagnostics::Code::Unwritable)): infinities, keys below
/// the top level that are not strings.
pub fn write(node: &Node, out: &mut String) -> Result<()> {
    write_with(node, false, out)
}

/// Appends compact JSON in which every number is a 64-bit float, as in what Go reads from JSON without a type:
/// 9007199254740993 becomes 9007199254740992.
///
/// # Errors
/// As [`write()`].
pub fn write_with_floats(node: &Node, out: &mut String) -> Result<()> {
    write_with(node, true, out)
}

fn write_with(node: &Node, floats: bool, out: &mut String) -> Result<()> {
    let mut writer = Writer { out, floats, depth: 0, errors: Diagnostics::default() };
    writer.node(node);
    writer.errors.into_result(())
}

struct Writer<'a> {
    out: &'a mut String,
    /// Whether all numbers are floats.
    floats: bool,
    /// Mappings and sequences that are open.
    depth: usize,
    errors: Diagnostics,
}

impl Writer<'_> {
    fn node(&mut self, node: &Node) {
        self.depth += 1;
        match &node.value {
            Value::Scalar(scalar) => self.scalar(scalar, node.mark),
            Value::Seq(items) => self.seq(items),
            Value::Map(map) => self.map(map),
        }
        self.depth -= 1;
    }

    fn seq(&mut self, items: &[Node]) {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.node(item);
        }
        self.out.push(']');
    }

    fn map(&mut self, map: &Map) {
        let mut entries: Vec<(Cow<'_, str>, &Entry)> = Vec::with_capacity(map.len());
        for entry in map {
            // The node itself counts as one level.
            let key = self.errors.collect(emit::key_text(&entry.key, self.depth == 1));
            entries.extend(key.map(|key| (key, entry)));
        }
        if !entries.is_sorted_by(|a, b| a.0 <= b.0) {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
        }
        self.out.push('{');
        for (index, (key, entry)) in entries.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write_string(&key, self.out);
            self.out.push(':');
            self.node(&entry.value);
        }
        self.out.push('}');
    }

    fn scalar(&mut self, scalar: &Scalar, mark: Mark) {
        match emit::written(scalar, mark) {
            Err(errors) => self.errors.extend(errors),
            Ok(emit::Written::String(text)) => write_string(text, self.out),
            Ok(emit::Written::NewString(text)) => write_string(&text, self.out),
            // JSON spells floats in its own way.
            Ok(emit::Written::Number(_)) => self.number(scalar),
            Ok(emit::Written::AsItIs(_)) if self.floats && scalar.kind == ScalarKind::Int => {
                self.number(scalar);
            }
            Ok(emit::Written::AsItIs(text)) => self.out.push_str(text),
        }
    }

    fn number(&mut self, scalar: &Scalar) {
        let number = emit::json_number(&scalar.text, self.floats || scalar.kind == ScalarKind::Float);
        self.out.push_str(number.as_deref().unwrap_or("null"));
    }
}

/// Whether a byte is written to a JSON string as it is. Two characters beyond ASCII are not: U+2028 and U+2029, whose first
/// byte is 0xE2.
const fn is_as_it_is(byte: u8) -> bool {
    !matches!(byte, 0..0x20 | b'"' | b'\\' | b'<' | b'>' | b'&' | 0xE2)
}

const AS_IT_IS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    loop {
        table[byte as usize] = is_as_it_is(byte);
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Appends a JSON string.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !AS_IT_IS[usize::from(byte)]) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let mut chars = after.chars();
        if let Some(c) = chars.next() {
            write_character(c, out);
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn write_character(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
            // Writing into a string cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// JSON that is written without blanks, with an indentation of two, and a line for each value. Empty collections stay as they
/// are.
#[must_use]
pub fn indented(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut rest = compact.chars().peekable();
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = rest.next() {
        if in_string {
            (in_string, is_escaped) = (is_escaped || c != '"', c == '\\' && !is_escaped);
            out.push(c);
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if rest.peek().is_some_and(|next| !matches!(next, '}' | ']')) {
                    depth += 1;
                    new_line(&mut out, depth);
                } else {
                    out.extend(rest.next());
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    out
}

/// A JSON list of documents, one a line.
///
/// # Errors
/// As [`write()`], for all documents.
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

#[cfg(test)]
mod tests {
    use super::write;
    use crate::Node;
    use crate::parse::parse;
    use kfc_diagnostics::SourceId;

    fn json(text: &str) -> Option<String> {
        let mut out = String::new();
        write(&parse(text, SourceId::NONE).unwrap()[0], &mut out).ok().map(|()| out)
    }

    #[test]
    fn keys_are_sorted_by_bytes_and_numbers_spelled_as_in_go() {
        let text = "{a10: 0x1F, a9: [1.50, 1e21, 1e-7, -0, null, yes], B: {}, é: 2001-01-01, d: 100000000000000000000.0}";
        let expected = concat!(
            r#"{"B":{},"a10":31,"a9":[1.5,1e+21,1e-7,0,null,"yes"],"d":100000000000000000000,"#,
            r#""é":"2001-01-01T00:00:00Z"}"#
        );
        assert_eq!(json(text).as_deref(), Some(expected));
    }

    #[test]
    fn strings_are_escaped_as_in_go() {
        let mut out = String::new();
        let text = "<a>&\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}\u{85}\u{2028}\u{2029}\u{2030}é😀";
        write(&Node::string(text, None), &mut out).unwrap();
        let escaped = r#""\u003ca\u003e\u0026\"\\\n\r\t\b\f\u0001"#;
        assert_eq!(out, format!("{escaped}\u{7f}\u{85}\\u2028\\u2029\u{2030}é😀\""));
    }

    #[test]
    fn odd_keys_are_strings_at_the_top_and_errors_below() {
        assert_eq!(json("{1.50: a, true: b}").as_deref(), Some(r#"{"1.50":"a","true":"b"}"#));
        assert_eq!(json("{a: {1: b}}"), None);
        assert_eq!(json("[{1: b}]"), None);
        assert_eq!(json("{a: .inf}"), None);
    }
}
