//! What plain scalars are.

use crate::node::ScalarKind;
use crate::number::{go_float, go_integer, is_point_float, is_timestamp};

/// What a plain scalar is, as Go's YAML v3 library resolves it.
#[must_use]
pub fn resolve_plain(text: &str) -> ScalarKind {
    let Some(first) = text.as_bytes().first() else { return ScalarKind::Null };
    match first {
        b'~' | b'n' | b'N' if matches!(text, "~" | "null" | "Null" | "NULL") => ScalarKind::Null,
        b't' | b'T' | b'f' | b'F'
            if matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") =>
        {
            ScalarKind::Bool
        }
        b'0'..=b'9' | b'+' | b'-' | b'.' => resolve_number(text),
        _ => ScalarKind::Str,
    }
}

/// The kind of a scalar in braces or brackets. kustomize writes the time of a date in quotes there, for its colons, and so
/// never reads it as a date again.
pub(super) fn kind_in_flow(kind: ScalarKind, text: &str) -> ScalarKind {
    if kind == ScalarKind::Timestamp && text.contains(':') { ScalarKind::Str } else { kind }
}

fn resolve_number(text: &str) -> ScalarKind {
    if is_special_float(text) {
        return ScalarKind::Float;
    }
    if text.starts_with('.') {
        return if is_point_float(text) { ScalarKind::Float } else { ScalarKind::Str };
    }
    if is_timestamp(text) {
        return ScalarKind::Timestamp;
    }
    let plain: std::borrow::Cow<'_, str> =
        if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    if go_integer(&plain).is_some() {
        return ScalarKind::Int;
    }
    if is_float_notation(&plain) && go_float(&plain).is_some() {
        return ScalarKind::Float;
    }
    ScalarKind::Str
}

fn is_special_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// `1.`, `.5`, `1.5e3`: digits with a point or an exponent.
fn is_float_notation(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && mantissa.len() > 1,
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    mantissa_fits && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::resolve_plain;
    use crate::node::ScalarKind::{Bool, Float, Int, Null, Str, Timestamp};

    #[test]
    fn plain_scalars_resolve_as_in_go() {
        let cases = [
            ("", Null),
            ("~", Null),
            ("null", Null),
            ("nULL", Str),
            ("true", Bool),
            ("yes", Str),
            ("y", Str),
            ("0x1F", Int),
            ("014", Int),
            ("0o14", Int),
            ("1_000", Int),
            ("+12", Int),
            ("08", Float),
            ("1e3", Float),
            ("1.", Float),
            (".5", Float),
            (".1_000", Float),
            ("._5", Str),
            (".inf", Float),
            ("-.inf", Float),
            ("+.nan", Str),
            ("-", Str),
            ("1.2.3", Str),
            ("2001-01-01", Timestamp),
            ("12345678901234567890123", Float),
            ("1:20", Str),
        ];
        for (text, kind) in cases {
            assert_eq!(resolve_plain(text), kind, "{text}");
        }
    }
}
