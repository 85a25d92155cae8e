//! Lines `KEY=value`. What sops says of the encryption is in keys such as `sops_age__list_0__map_enc`.

use crate::failure::Result;
use crate::metadata::FIELD;
use crate::value::{Comment, Entry, Item, Value};
use kfc_source::DecryptFailure;
use kfc_yaml::emit::float_from_json;
use std::collections::BTreeMap;

/// What the keys of sops itself start with.
const PREFIX: &str = "sops_";
const OF_MAPPING: &str = "__map_";
const OF_LIST: &str = "__list_";
/// How a line break in a value is written.
const ESCAPED_BREAK: &str = "\\n";

pub(super) fn read(text: &str) -> Result<Vec<Entry>> {
    let (mut document, mut own) = (Vec::new(), Branch::default());
    for (index, line) in text.split('\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix('#') {
            document.push(Entry::Comment(Comment { text: comment.to_owned(), is_inline: false }));
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(DecryptFailure::new(format!("has no `=` in line {}", index + 1)));
        };
        let value = value.replace(ESCAPED_BREAK, "\n");
        match key.strip_prefix(PREFIX) {
            Some(path) => own.place(path, value),
            None => document.push(Entry::Pair(key.to_owned(), Value::Text(value.into_bytes()))),
        }
    }
    document.push(Entry::Pair(FIELD.to_owned(), own.value()));
    Ok(document)
}

/// A tree while it is put together from flat keys; items of lists have numbers as names.
#[derive(Default)]
struct Branch {
    text: String,
    is_list: bool,
    below: BTreeMap<String, Branch>,
}

impl Branch {
    fn place(&mut self, path: &str, text: String) {
        let mut branch = self;
        let (mut rest, mut in_list) = (path, false);
        loop {
            let next = [OF_MAPPING, OF_LIST].iter().filter_map(|mark| Some((rest.find(mark)?, *mark))).min();
            let name = next.map_or(rest, |(at, _)| &rest[..at]);
            branch.is_list = in_list;
            branch = branch.below.entry(name.to_owned()).or_default();
            let Some((at, mark)) = next else { break };
            (rest, in_list) = (&rest[at + mark.len()..], mark == OF_LIST);
        }
        branch.text = text;
    }

    fn value(self) -> Value {
        if self.below.is_empty() {
            return Value::Text(self.text.into_bytes());
        }
        if !self.is_list {
            let entries = self.below.into_iter().map(|(key, branch)| Entry::Pair(key, branch.value()));
            return Value::Map(entries.collect());
        }
        let mut items: Vec<(usize, Self)> = self
            .below
            .into_iter()
            .map(|(number, branch)| (number.parse().unwrap_or(usize::MAX), branch))
            .collect();
        items.sort_by_key(|(number, _)| *number);
        Value::Seq(items.into_iter().map(|(_, branch)| Item::Value(branch.value())).collect())
    }
}

/// None for a file with lists or mappings.
pub(super) fn write(document: &[Entry]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for entry in document {
        match entry {
            Entry::Comment(comment) => {
                out.push(b'#');
                out.extend(comment.text.bytes());
            }
            Entry::Pair(key, value) => {
                out.extend(key.bytes());
                out.push(b'=');
                out.extend(line_of(value)?);
            }
        }
        out.push(b'\n');
    }
    Some(out)
}

fn line_of(value: &Value) -> Option<Vec<u8>> {
    Some(match value {
        Value::Text(bytes) => {
            bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(ESCAPED_BREAK.as_bytes())
        }
        Value::Null => b"<nil>".to_vec(),
        Value::Bool(value) => value.to_string().into_bytes(),
        Value::Int(value) => value.to_string().into_bytes(),
        Value::Float(value) => float_line(*value).into_bytes(),
        Value::Time(text) => text.clone().into_bytes(),
        Value::Seq(_) | Value::Map(_) => return None,
    })
}

/// As Go formats a float with `G`, and never as an integer.
fn float_line(value: f64) -> String {
    match float_from_json(&value.to_string()) {
        Some(text) if text.contains(['.', 'e']) => text.to_uppercase().into(),
        _ => format!("{value:.1}"),
    }
}
