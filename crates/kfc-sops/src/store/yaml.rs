//! YAML. Of a file, sops keeps values and comments, and nothing of their styles.

use crate::failure::Result;
use crate::value::{Comment, Entry, Item, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kfc_diagnostics::Mark;
use kfc_diagnostics::SourceId;
use kfc_source::DecryptFailure;
use kfc_yaml::emit::{Written, float_from_json, go_float, go_integer, is_true, written};
use kfc_yaml::parse::resolve_plain;
use kfc_yaml::styled::{
    Comments, Content, Layout, Style, StyledDocument, StyledNode, parse_resources, write_all_in,
};
use kfc_yaml::{Scalar, ScalarKind};

/// The tag of the text `<<`.
const MERGE: &str = "!!merge";

pub(super) fn read(text: &str) -> Result<Vec<Vec<Entry>>> {
    let documents = parse_resources(text, SourceId::NONE).map_err(|_| DecryptFailure::new("is not YAML"))?;
    let mut read = Vec::with_capacity(documents.len());
    for StyledDocument { root, comments } in &documents {
        let Content::Map { entries, .. } = &root.content else {
            return Err(DecryptFailure::new("has a document that is not a mapping"));
        };
        let mut document = Vec::new();
        add_comments(
            &mut document,
            &[&comments.head, &comments.line, &root.comments.head, &root.comments.line],
        );
        mapping(entries, &mut document)?;
        add_comments(&mut document, &[&root.comments.foot, &comments.foot]);
        read.push(document);
    }
    Ok(read)
}

/// The comments in a text that has one a line, each with its `#`.
fn comments(text: &str, is_inline: bool) -> impl Iterator<Item = Comment> {
    let lines = text.split('\n').filter(|line| !line.is_empty());
    lines.map(move |line| Comment { text: line.strip_prefix('#').unwrap_or(line).to_owned(), is_inline })
}

fn add_comments(into: &mut Vec<Entry>, texts: &[&String]) {
    into.extend(texts.iter().flat_map(|text| comments(text, false)).map(Entry::Comment));
}

fn mapping(entries: &[(StyledNode, StyledNode)], into: &mut Vec<Entry>) -> Result<()> {
    for (key, value) in entries {
        let Some(name) = key.as_text().filter(|_| matches!(&*key.tag, "!!str" | MERGE)) else {
            return Err(DecryptFailure::new("has a key that is not a string"));
        };
        add_comments(into, &[&key.comments.head, &key.comments.line]);
        let is_scalar = matches!(value.content, Content::Scalar { .. });
        if is_scalar {
            add_comments(into, &[&value.comments.head]);
            into.extend(comments(&value.comments.line, true).map(Entry::Comment));
        }
        into.push(Entry::Pair(name.to_owned(), node(value, is_scalar)?));
        if is_scalar {
            add_comments(into, &[&value.comments.foot]);
        }
        add_comments(into, &[&key.comments.foot]);
    }
    Ok(())
}

/// The value of a node. `has_comments_outside`: those of the node itself are not in the value.
fn node(of: &StyledNode, has_comments_outside: bool) -> Result<Value> {
    let Comments { head, line, foot } = &of.comments;
    let (before, after): (&[&String], &[&String]) =
        if has_comments_outside { (&[], &[]) } else { (&[head, line], &[foot]) };
    match &of.content {
        Content::Map { entries, .. } => {
            let mut list = Vec::new();
            add_comments(&mut list, before);
            mapping(entries, &mut list)?;
            add_comments(&mut list, after);
            Ok(Value::Map(list))
        }
        Content::Seq { items, .. } => {
            let own = |texts: &[&String]| {
                texts.iter().flat_map(|text| comments(text, false)).map(Item::Comment).collect::<Vec<_>>()
            };
            let mut list = own(before);
            for item in items {
                list.extend(own(&[&item.comments.head]));
                list.extend(comments(&item.comments.line, true).map(Item::Comment));
                list.push(Item::Value(node(item, true)?));
                list.extend(own(&[&item.comments.foot]));
            }
            list.extend(own(after));
            Ok(Value::Seq(list))
        }
        Content::Scalar { text, .. } => scalar(text, &of.tag),
        Content::Alias(_) => Err(DecryptFailure::new("has an alias, which sops does not write")),
    }
}

fn scalar(text: &str, tag: &str) -> Result<Value> {
    let unreadable = || DecryptFailure::new("has a value of a type that sops does not know");
    let plain = text.replace('_', "");
    Ok(match tag {
        "!!str" | MERGE => Value::Text(text.as_bytes().to_vec()),
        "!!null" => Value::Null,
        "!!bool" => Value::Bool(is_true(text)),
        "!!int" => {
            let value = go_integer(&plain).and_then(|value| i64::try_from(value).ok());
            Value::Int(value.ok_or_else(unreadable)?)
        }
        "!!float" => Value::Float(go_float(&plain).ok_or_else(unreadable)?),
        "!!timestamp" => {
            let scalar = Scalar::new(text.into(), ScalarKind::Timestamp);
            match written(&scalar, Mark::stored(None)) {
                Ok(Written::NewString(text)) => Value::Time(text.into()),
                _ => return Err(unreadable()),
            }
        }
        "!!binary" => {
            let text: String = text.split_whitespace().collect();
            Value::Text(STANDARD.decode(text).map_err(|_| unreadable())?)
        }
        _ => return Err(unreadable()),
    })
}

pub(super) fn write(documents: &[Vec<Entry>]) -> String {
    let documents: Vec<StyledDocument> = documents
        .iter()
        .map(|document| StyledDocument { root: styled_mapping(document), comments: Comments::default() })
        .collect();
    write_all_in(&documents, Layout::DEFAULT)
}

/// Comments that wait for the node that they belong to.
#[derive(Default)]
struct Waiting {
    head: Vec<String>,
    inline: Vec<String>,
}

impl Waiting {
    fn add(&mut self, comment: &Comment) {
        let list = if comment.is_inline { &mut self.inline } else { &mut self.head };
        list.push(format!("#{}", comment.text));
    }

    fn take_head(&mut self) -> String {
        std::mem::take(&mut self.head).join("\n")
    }

    fn take_inline(&mut self) -> String {
        std::mem::take(&mut self.inline).join("\n")
    }

    /// What is left at the end of a collection.
    fn rest(mut self) -> String {
        self.head.append(&mut self.inline);
        self.take_head()
    }
}

fn styled_mapping(of: &[Entry]) -> StyledNode {
    let (mut entries, mut waiting, mut own_head) = (Vec::new(), Waiting::default(), String::new());
    for entry in of {
        let (key, value) = match entry {
            Entry::Comment(comment) => {
                waiting.add(comment);
                continue;
            }
            Entry::Pair(key, value) => (key, value),
        };
        let mut key = styled_text(key.as_bytes());
        // The comments before the first entry are those of the mapping.
        let place = if entries.is_empty() { &mut own_head } else { &mut key.comments.head };
        *place = waiting.take_head();
        let mut value = styled(value);
        join(&mut value.comments.line, &waiting.take_inline());
        entries.push((key, value));
    }
    let rest = waiting.rest();
    match entries.last_mut() {
        Some((key, _)) => join(&mut key.comments.foot, &rest),
        None => own_head = rest,
    }
    with_head(StyledNode::mapping(entries), "!!map", own_head)
}

fn styled_sequence(of: &[Item]) -> StyledNode {
    let (mut items, mut waiting, mut own_head) = (Vec::new(), Waiting::default(), String::new());
    for item in of {
        let value = match item {
            Item::Comment(comment) => {
                waiting.add(comment);
                continue;
            }
            Item::Value(value) => value,
        };
        let mut node = styled(value);
        if items.is_empty() {
            own_head = waiting.take_head();
        } else {
            let head = waiting.take_head();
            let below = std::mem::take(&mut node.comments.head);
            node.comments.head = head;
            join(&mut node.comments.head, &below);
        }
        join(&mut node.comments.line, &waiting.take_inline());
        items.push(node);
    }
    let rest = waiting.rest();
    match items.last_mut() {
        Some(item) => join(&mut item.comments.foot, &rest),
        None => own_head = rest,
    }
    with_head(StyledNode::new(Content::Seq { items, in_flow: false }), "!!seq", own_head)
}

/// A collection with the comments before its first entry.
fn with_head(node: StyledNode, tag: &str, head: String) -> StyledNode {
    StyledNode { tag: tag.to_owned(), comments: Comments { head, ..Comments::default() }, ..node }
}

/// Adds lines of comments after those that exist.
fn join(to: &mut String, more: &str) {
    if !to.is_empty() && !more.is_empty() {
        to.push('\n');
    }
    to.push_str(more);
}

fn styled(of: &Value) -> StyledNode {
    let plain = |text: &str, tag: &str| StyledNode { tag: tag.to_owned(), ..StyledNode::plain(text) };
    match of {
        Value::Null => plain("null", "!!null"),
        Value::Bool(value) => plain(if *value { "true" } else { "false" }, "!!bool"),
        Value::Int(value) => plain(&value.to_string(), "!!int"),
        Value::Float(value) => plain(&float_text(*value), ""),
        Value::Time(text) => plain(text, "!!timestamp"),
        Value::Text(bytes) => styled_text(bytes),
        Value::Seq(items) => styled_sequence(items),
        Value::Map(entries) => styled_mapping(entries),
    }
}

fn float_text(value: f64) -> String {
    let text = value.to_string();
    float_from_json(&text).map_or(text, Into::into)
}

fn styled_text(bytes: &[u8]) -> StyledNode {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let node = StyledNode::plain(&STANDARD.encode(bytes));
        return StyledNode { tag: "!!binary".to_owned(), is_tagged: true, ..node };
    };
    if text == "<<" {
        // Go's library writes the tag of a merge key, whatever it was.
        return StyledNode { tag: MERGE.to_owned(), is_tagged: true, ..StyledNode::plain(text) };
    }
    let style = if text.contains('\n') {
        Style::Literal
    } else if means_something_else(text) {
        Style::DoubleQuoted
    } else {
        Style::Plain
    };
    StyledNode::string(text, style)
}

/// Whether some version of YAML reads the text without quotes as something else than a string.
fn means_something_else(text: &str) -> bool {
    const OLD_BOOLEANS: [&str; 16] =
        ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    resolve_plain(text) != ScalarKind::Str || OLD_BOOLEANS.contains(&text) || is_base_60(text)
}

/// Numbers such as `1:30:00.5`.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = text.split(':');
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let is_first = |part: &str| part.starts_with(|c: char| c.is_ascii_digit()) && is_number(part);
    let is_next = |part: &str| match part.as_bytes() {
        [ones] => ones.is_ascii_digit(),
        [tens, ones] => matches!(tens, b'0'..=b'5') && ones.is_ascii_digit(),
        _ => false,
    };
    let starts = parts.next().is_some_and(is_first);
    let rest: Vec<&str> = parts.collect();
    starts && !rest.is_empty() && rest.into_iter().all(is_next) && is_number(fraction)
}
