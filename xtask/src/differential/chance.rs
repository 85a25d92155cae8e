//! Random choices that a seed repeats, and YAML of values in random styles.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// What a string begins with that is written as it is: a scalar whose spelling matters.
const SPELLED: char = '\u{1}';

/// A scalar that is written as it is spelled.
pub(super) fn spelled(scalar: &str) -> Value {
    Value::String(format!("{SPELLED}{scalar}"))
}

/// Random choices; the same seed makes the same ones.
pub(super) struct Chance(fastrand::Rng);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// True for one of `n` calls.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.0.usize(..n) == 0
    }

    /// A number from `least` to `most`.
    pub(super) fn between(&mut self, least: usize, most: usize) -> usize {
        self.0.usize(least..=most)
    }

    pub(super) fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.0.usize(..all.len())].clone()
    }

    /// `least` to `most` of all, each once.
    pub(super) fn some<T: Clone>(&mut self, all: &[T], least: usize, most: usize) -> Vec<T> {
        let count = self.between(least, most).min(all.len());
        self.0.choose_multiple(all.iter().cloned(), count)
    }

    pub(super) fn shuffle<T>(&mut self, all: &mut [T]) {
        self.0.shuffle(all);
    }
}

/// Writes values as YAML, in a random order of keys and in random styles.
pub(super) struct Writer<'c> {
    chance: &'c mut Chance,
    text: String,
}

impl<'c> Writer<'c> {
    /// The YAML of a mapping.
    pub(super) fn document(value: &Value, chance: &'c mut Chance) -> String {
        let mut writer = Self { chance, text: String::new() };
        match value {
            Value::Object(fields) if !fields.is_empty() => writer.fields(fields, 0, true),
            Value::Array(items) if !items.is_empty() => writer.items(items, 0),
            other => {
                let text = writer.flow(other);
                writer.text.push_str(&text);
                writer.text.push('\n');
            }
        }
        writer.text
    }

    /// A value in one line.
    fn flow(&mut self, value: &Value) -> String {
        match value {
            Value::Object(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(key, value)| format!("{}: {}", scalar(key), self.flow(value)))
                    .collect();
                format!("{{{}}}", fields.join(", "))
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::String(text) if self.chance.one_in(6) => quoted(text),
            Value::String(text) => scalar(text),
            other => other.to_string(),
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>, indent: usize, is_at_line: bool) {
        let mut fields: Vec<_> = fields.iter().collect();
        if self.chance.one_in(3) {
            self.chance.shuffle(&mut fields);
        }
        for (at, (key, value)) in fields.into_iter().enumerate() {
            if at > 0 || is_at_line {
                if self.chance.one_in(60) {
                    let _ = writeln!(self.text, "{}# a comment", " ".repeat(indent));
                }
                self.text.push_str(&" ".repeat(indent));
            }
            self.text.push_str(&scalar(key));
            self.text.push(':');
            self.node(value, indent);
        }
    }

    fn items(&mut self, items: &[Value], indent: usize) {
        for item in items {
            let _ = write!(self.text, "{}-", " ".repeat(indent));
            match item {
                Value::Object(fields) if !fields.is_empty() && !self.is_flow(item) => {
                    self.text.push(' ');
                    self.fields(fields, indent + 2, false);
                }
                other => self.node(other, indent),
            }
        }
    }

    fn is_flow(&mut self, value: &Value) -> bool {
        value.to_string().len() < 100 && self.chance.one_in(8) && !has_spelled(value)
    }

    /// What follows a colon or a dash, to the end of its lines.
    fn node(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(fields) if !fields.is_empty() && !self.is_flow(value) => {
                self.text.push('\n');
                self.fields(fields, indent + 2, true);
            }
            Value::Array(items) if !items.is_empty() && !self.is_flow(value) => {
                self.text.push('\n');
                let deeper = if self.chance.one_in(2) { 2 } else { 0 };
                // A list in a list has to be further in.
                let deeper = if self.text.trim_end().ends_with('-') { 2 } else { deeper };
                self.items(items, indent + deeper);
            }
            Value::String(text) if is_block(text) => {
                let lines = text.trim_end_matches('\n').split('\n');
                let lines: Vec<String> =
                    lines.map(|line| format!("{}{line}\n", " ".repeat(indent + 2))).collect();
                let chomp = if text.ends_with('\n') { "" } else { "-" };
                let _ = write!(self.text, " |{chomp}\n{}", lines.concat());
            }
            other => {
                let text = self.flow(other);
                let _ = writeln!(self.text, " {text}");
            }
        }
    }
}

fn has_spelled(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(has_spelled),
        Value::Array(items) => items.iter().any(has_spelled),
        Value::String(text) => text.starts_with(SPELLED),
        _ => false,
    }
}

/// Whether a text of several lines can be a literal block.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && text.chars().all(|c| c == '\n' || c == '\t' || (' '..'\u{7f}').contains(&c))
}

/// A text in quotes, or as it is spelled.
fn quoted(text: &str) -> String {
    match text.strip_prefix(SPELLED) {
        Some(spelled) => spelled.to_owned(),
        None => Value::String(text.to_owned()).to_string(),
    }
}

/// A text without quotes where that is surely the same text.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "./-_()*+".contains(c))
        && !matches!(text, "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null");
    if is_plain { text.to_owned() } else { quoted(text) }
}
