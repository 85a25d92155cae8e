//! How Go's sigs.k8s.io/yaml converts a text to JSON. kustomize reads JSON patches and kustomizations with it,
//! and it knows YAML 1.1: unquoted `yes`, `on` and `y` are booleans, as values and as keys.

use super::emit;
use super::node::{Key, Node, Scalar, ScalarKind, Spelling, Value};
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};

/// Converts a tree that was read as YAML 1.2 to what that library reads: words of YAML 1.1 become booleans, dates become the
/// strings that they are written as, and keys become strings.
///
/// # Errors
/// [`Code::Unwritable`] for keys that have no form as a string: null, and integers beyond 63 bits.
pub fn convert(node: &mut Node) -> Result<()> {
    let mut errors = Diagnostics::default();
    convert_into(node, &mut errors);
    errors.into_result(())
}

fn convert_into(node: &mut Node, errors: &mut Diagnostics) {
    match &mut node.value {
        Value::Scalar(scalar) => convert_scalar(scalar),
        Value::Seq(items) => items.iter_mut().for_each(|item| convert_into(item, errors)),
        Value::Map(map) => {
            for entry in map.iter_mut() {
                if let Some(text) = errors.collect(key_text(&entry.key)) {
                    entry.key = Key { text, kind: ScalarKind::Str, ..entry.key.clone() };
                }
                convert_into(&mut entry.value, errors);
            }
        }
    }
}

fn convert_scalar(scalar: &mut Scalar) {
    match scalar.kind {
        // `!!bool yes`, `!!bool "on"`
        ScalarKind::Bool => scalar.text = truth(&scalar.text).map_or(scalar.text.clone(), boolean),
        ScalarKind::Timestamp => (scalar.kind, scalar.spelling) = (ScalarKind::Str, Spelling::Quoted),
        // A missing value in braces or brackets.
        ScalarKind::Str if scalar.text.is_empty() && scalar.spelling == Spelling::Plain => {
            scalar.kind = ScalarKind::Null;
        }
        _ => {
            if let Some(truth) = old_boolean(scalar) {
                (scalar.text, scalar.kind) = (boolean(truth), ScalarKind::Bool);
            }
        }
    }
}

fn boolean(truth: bool) -> CompactString {
    CompactString::const_new(if truth { "true" } else { "false" })
}

fn key_text(key: &Key) -> Result<CompactString> {
    let text = match key.kind {
        ScalarKind::Str if key.quoted => None,
        ScalarKind::Str | ScalarKind::Bool => truth(&key.text).map(boolean),
        ScalarKind::Int => return emit::go_integer_key(&key.text).ok_or_else(|| no_string(key)),
        ScalarKind::Float => return emit::go_float_key(&key.text).ok_or_else(|| no_string(key)),
        ScalarKind::Null => return Err(no_string(key)),
        ScalarKind::Timestamp | ScalarKind::Binary => None,
    };
    Ok(text.unwrap_or_else(|| key.text.clone()))
}

fn no_string(key: &Key) -> Diagnostics {
    let error = Diagnostic::error(Code::Unwritable, format!("the key `{}` is not a string", key.text));
    error.at(key.mark).help("put it in quotes").into()
}

/// The value of an unquoted string that is a boolean in YAML 1.1 only.
pub(crate) fn old_boolean(scalar: &Scalar) -> Option<bool> {
    let is_word = scalar.kind == ScalarKind::Str && scalar.spelling == Spelling::Plain;
    truth(&scalar.text).filter(|_| is_word)
}

/// The boolean value of a word in any notation of YAML 1.1: in lowercase, capitalised, or in capitals.
pub(crate) fn truth(text: &str) -> Option<bool> {
    let rest = text.get(1..).unwrap_or_default();
    let is_cased =
        text.bytes().all(|b| b.is_ascii_uppercase()) || rest.bytes().all(|b| b.is_ascii_lowercase());
    if !is_cased || text.len() > 5 {
        return None;
    }
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "on" => Some(true),
        "false" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::convert;
    use crate::{json, parse::parse};
    use kfc_diagnostics::SourceId;

    fn converted(text: &str) -> Option<String> {
        let mut node = parse(text, SourceId::NONE).unwrap().remove(0);
        convert(&mut node).ok()?;
        let mut out = String::new();
        json::write(&node, &mut out).unwrap();
        Some(out)
    }

    #[test]
    fn words_are_booleans_unless_they_are_quoted() {
        for word in ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True"] {
            assert_eq!(converted(&format!("[{word}, {{a: {word}}}]")).unwrap(), r#"[true,{"a":true}]"#);
        }
        for word in ["n", "N", "no", "No", "NO", "off", "Off", "OFF", "FALSE"] {
            assert_eq!(converted(&format!("- {word}")).unwrap(), "[false]");
        }
        assert_eq!(
            converted("['yes', \"on\", yEs, oN, yess, !!str y, ! no, !!bool off, {a: }]").unwrap(),
            r#"["yes","on","yEs","oN","yess","y","no",false,{"a":null}]"#
        );
    }

    #[test]
    fn dates_are_the_text_that_they_are_written_as() {
        assert_eq!(
            converted("[2001-1-1, 2001-12-14t21:59:43.10-05:00]").unwrap(),
            r#"["2001-1-1","2001-12-14t21:59:43.10-05:00"]"#
        );
    }

    #[test]
    fn keys_become_strings() {
        let cases = [
            ("y", "true"),
            ("OFF", "false"),
            ("True", "true"),
            ("'y'", "y"),
            ("2001-01-01", "2001-01-01"),
            ("0x1F", "31"),
            ("017", "15"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("1.50", "1.5"),
            ("1e-7", "1e-07"),
            ("123456789.123456789", "1.2345679e+08"),
            (".inf", ".inf"),
            ("08", "8"),
            ("18446744073709551616", "1.8446744e+19"),
        ];
        for (key, expected) in cases {
            assert_eq!(
                converted(&format!("a: {{ {key} : 1}}")).unwrap(),
                format!(r#"{{"a":{{"{expected}":1}}}}"#)
            );
            assert_eq!(
                converted(&format!("a:\n  {key}: 1")).unwrap(),
                format!(r#"{{"a":{{"{expected}":1}}}}"#)
            );
        }
        for key in ["~", "9223372036854775808"] {
            assert_eq!(converted(&format!("a: {{ {key} : 1}}")), None, "{key}");
        }
    }
}
