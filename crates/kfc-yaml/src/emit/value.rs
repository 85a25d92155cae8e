//! How scalars and keys that are not strings are written.

use crate::node::{Key, Scalar, ScalarKind};
use crate::number;
use base64::Engine as _;
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use std::borrow::Cow;

/// What is written for a scalar.
pub enum Written<'a> {
    /// A number or word, written as in the source.
    AsItIs(&'a str),
    /// A number in a new spelling.
    Number(CompactString),
    /// A string, in the style that it needs.
    String(&'a str),
    /// A string that the scalar becomes.
    NewString(CompactString),
}

/// What is written for a scalar.
///
/// # Errors
/// Texts that are nothing of the scalar's kind, and numbers that JSON does not have.
pub fn written(scalar: &Scalar, mark: Mark) -> Result<Written<'_>> {
    let text = scalar.text.as_str();
    let written = match scalar.kind {
        ScalarKind::Str => Some(Written::String(text)),
        ScalarKind::Null => is_null(text).then_some(Written::AsItIs("null")),
        ScalarKind::Bool if is_true(text) => Some(Written::AsItIs("true")),
        ScalarKind::Bool => is_false(text).then_some(Written::AsItIs("false")),
        ScalarKind::Int if number::is_canonical(text) => Some(Written::AsItIs(text)),
        ScalarKind::Int => number::integer(text).map(Written::Number),
        ScalarKind::Float => number::float(text).map(Written::Number),
        ScalarKind::Timestamp => number::timestamp(text).map(Written::NewString),
        ScalarKind::Binary => binary(text).map(Written::NewString),
    };
    written.ok_or_else(|| unwritable(scalar, mark))
}

/// The error for a scalar whose text is nothing that can be written for its kind.
fn unwritable(scalar: &Scalar, mark: Mark) -> Diagnostics {
    let what = match scalar.kind {
        ScalarKind::Str => "a string that can be written",
        ScalarKind::Null => "null",
        ScalarKind::Bool => "a boolean",
        ScalarKind::Int => "an integer",
        ScalarKind::Float => "a number that JSON, and with it Kubernetes, can hold",
        ScalarKind::Timestamp => "a date that exists",
        ScalarKind::Binary => "base64",
    };
    // The value may be a secret: the source line shows it, where it is none.
    let message = format!("the value is not {what}");
    let help = match scalar.kind {
        ScalarKind::Binary => "encode the bytes with standard base64, padding included",
        _ => "put it in quotes, without a tag, to keep it as text",
    };
    Diagnostic::error(Code::Unwritable, message).at(mark).help(help).into()
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether the text of a boolean stands for true.
#[must_use]
pub fn is_true(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE")
}

fn is_false(text: &str) -> bool {
    matches!(text, "false" | "False" | "FALSE")
}

/// The text of base64 data, which may have line breaks in it; bytes that are not UTF-8 become replacement characters, as
/// Go's JSON makes them.
fn binary(text: &str) -> Option<CompactString> {
    let compact: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(compact).ok()?;
    Some(replace_invalid(&bytes))
}

/// UTF-8 with one replacement character for every byte that is none.
fn replace_invalid(bytes: &[u8]) -> CompactString {
    let mut text = CompactString::default();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|_| text.push(char::REPLACEMENT_CHARACTER));
    }
    text
}

/// A key as text. At the top level of a resource, keys that are numbers or booleans become strings with their spelling,
/// below it they are errors: kustomize reads the top level into a Go map with string keys.
///
/// # Errors
/// A key that is not a string where it has to be one.
pub fn key_text(key: &Key, top_level: bool) -> Result<Cow<'_, str>> {
    let text = key.text.as_str();
    match key.kind {
        ScalarKind::Str => Ok(Cow::Borrowed(text)),
        ScalarKind::Binary if top_level => {
            let decoded = binary(text).map(|text| Cow::Owned(text.into_string()));
            let undecoded = Scalar::new(key.text.clone(), key.kind);
            decoded.ok_or_else(|| unwritable(&undecoded, key.mark))
        }
        ScalarKind::Null => Err(odd_key(key)),
        _ if top_level => Ok(Cow::Borrowed(text)),
        _ => Err(odd_key(key)),
    }
}

fn odd_key(key: &Key) -> Diagnostics {
    Diagnostic::error(Code::Unwritable, format!("the key `{}` is not a string", key.text))
        .at(key.mark)
        .help(format!("write it in quotes: \"{}\"", key.text))
        .note("JSON, which every Kubernetes object goes through, has string keys only")
        .into()
}
