//! Replacements into YAML or JSON that is the text of a field: `data.config\.yaml.server.port`.

use super::field_path::{Kind, Part, lookup_mut};
use crate::kustomization::model::FieldOptions;
use crate::rules::Rule;
use kfc_diagnostics::SourceId;
use kfc_yaml::parse::{DEEPEST, parse};
use kfc_yaml::styled::{self, Content, Style, StyledDocument, StyledNode};
use kfc_yaml::{Node, Scalar, ScalarKind, Spelling, Value, json};
use regex::Regex;

/// What became of a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The path does not lead into a text, or to nothing there.
    NotThere,
    /// The text has the value now.
    Written,
    /// The text cannot hold the value. kustomize then sets it in a copy of the text that it drops, without a word.
    Dropped,
}

/// Sets the value where the path leads into the text of a field. The delimiter and the index of a target count there only with
/// [`Rule::DelimitersInTexts`].
pub(super) fn set(root: &mut Node, steps: &[String], value: &Node, options: &FieldOptions) -> Outcome {
    let part = (Rule::DelimitersInTexts.holds() && !options.delimiter.is_empty()).then_some(options);
    set_part(root, steps, value, (options.create, part))
}

fn set_part(
    root: &mut Node,
    steps: &[String],
    value: &Node,
    (create, part): (bool, Option<&FieldOptions>),
) -> Outcome {
    let Some((scalar, rest)) = text_on_path(root, steps) else { return Outcome::NotThere };
    let Some(mut document) = styled::parse(&scalar.text) else { return Outcome::NotThere };
    let create = create.then(|| Kind::of(value));
    let value = styled_value(value);
    let mut fits = true;
    let found = visit(&mut document.root, rest, create, &mut |field| fits &= replace(field, &value, part));
    match found.filter(|_| fits) {
        None | Some(0) => Outcome::NotThere,
        Some(_) => match serialized(&document, &scalar.text) {
            Some(text) => {
                scalar.text = text.into();
                Outcome::Written
            }
            None => Outcome::Dropped,
        },
    }
}

/// The first scalar that the path meets before its end, with the steps from there on.
fn text_on_path<'n, 's>(root: &'n mut Node, steps: &'s [String]) -> Option<(&'n mut Scalar, &'s [String])> {
    let is_scalar = |node: &Node| matches!(node.value, Value::Scalar(_));
    let found = (1..steps.len()).find(|&length| {
        lookup_mut(root, &steps[..length]).ok().flatten().is_some_and(|node| is_scalar(node))
    })?;
    let node = lookup_mut(root, &steps[..found]).ok().flatten()?;
    match &mut node.value {
        Value::Scalar(scalar) => Some((scalar, &steps[found..])),
        Value::Map(_) | Value::Seq(_) => None,
    }
}

/// A value of a resource, of which nothing but its quotes is known.
fn styled_value(value: &Node) -> StyledNode {
    match &value.value {
        Value::Scalar(scalar) => {
            let style = match scalar.spelling {
                Spelling::Plain | Spelling::Tagged | Spelling::Untagged => Style::Plain,
                Spelling::Quoted => Style::DoubleQuoted,
                Spelling::Folded => Style::Folded,
            };
            let content = Content::Scalar { text: scalar.text.to_string(), style };
            StyledNode { tag: tag(scalar.kind).to_owned(), ..StyledNode::new(content) }
        }
        Value::Seq(items) => {
            let items = items.iter().map(styled_value).collect();
            StyledNode::new(Content::Seq { items, in_flow: false })
        }
        Value::Map(map) => {
            let entries =
                map.iter().map(|entry| (StyledNode::plain(&entry.key.text), styled_value(&entry.value)));
            StyledNode::new(Content::Map { entries: entries.collect(), in_flow: false })
        }
    }
}

fn tag(kind: ScalarKind) -> &'static str {
    match kind {
        ScalarKind::Str => "!!str",
        ScalarKind::Null => "!!null",
        ScalarKind::Bool => "!!bool",
        ScalarKind::Int => "!!int",
        ScalarKind::Float => "!!float",
        ScalarKind::Timestamp => "!!timestamp",
        ScalarKind::Binary => "!!binary",
    }
}

/// A scalar takes the text, or a part of it, and keeps its style and its type; anything else is replaced, unless a part of it is
/// to be.
fn replace(field: &mut StyledNode, value: &StyledNode, part: Option<&FieldOptions>) -> bool {
    match (&mut field.content, part) {
        (Content::Scalar { text, .. }, part) => {
            let new = value.as_text().unwrap_or_default();
            *text = part.map_or_else(|| new.to_owned(), |options| insert_part(text, new, options));
        }
        (_, Some(_)) => return false,
        (_, None) => *field = value.clone(),
    }
    true
}

/// Replaces one part of a text: before it for an index below 0, after it for one past the end.
pub(super) fn insert_part(old: &str, new: &str, options: &FieldOptions) -> String {
    let mut parts: Vec<&str> = old.split(options.delimiter.as_str()).collect();
    match usize::try_from(options.index) {
        Err(_) => parts.insert(0, new),
        Ok(index) => match parts.get_mut(index) {
            Some(part) => *part = new,
            None => parts.push(new),
        },
    }
    parts.join(&options.delimiter)
}

/// Calls `set` on every node that the path leads to, as the search in a resource does. Returns their number, or nothing for a
/// step that does not fit.
fn visit(
    node: &mut StyledNode,
    path: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut StyledNode),
) -> Option<usize> {
    let Some((step, rest)) = path.split_first().filter(|_| path.len() <= DEEPEST) else {
        set(node);
        return path.is_empty().then_some(1);
    };
    let made = create.map(|kind| rest.first().map_or(kind, |next| Part::of(next).holder()));
    match (&mut node.content, Part::of(step)) {
        (Content::Seq { items, .. }, Part::Every) => {
            items.iter_mut().map(|item| visit(item, rest, create, set)).sum()
        }
        (Content::Seq { items, .. }, Part::Item(field, wanted)) => {
            let found = matching_items(items, field, wanted, made.is_some())?;
            let rest = if field.is_empty() { &[] } else { rest };
            found.into_iter().map(|at| visit(&mut items[at], rest, create, set)).sum()
        }
        (Content::Seq { items, .. }, Part::Index(index)) => {
            let index = usize::try_from(index).ok()?;
            if let Some(kind) = made.filter(|_| index == items.len()) {
                items.push(empty(kind));
            }
            visit(items.get_mut(index)?, rest, create, set)
        }
        (Content::Map { entries, .. }, Part::Field(name)) if !name.is_empty() => {
            if let Some(kind) = made.filter(|_| !entries.iter().any(|(key, _)| key.as_text() == Some(name))) {
                entries.push((StyledNode::plain(name), empty(kind)));
            }
            let Some((_, value)) = entries.iter_mut().find(|(key, _)| key.as_text() == Some(name)) else {
                return Some(0);
            };
            match value.as_text() {
                Some(text) if !rest.is_empty() => visit_copy(text, rest, create),
                _ => visit(value, rest, create, set),
            }
        }
        _ => None,
    }
}

/// A text within the text: kustomize looks there too, but at a copy, so that nothing changes.
fn visit_copy(text: &str, path: &[String], create: Option<Kind>) -> Option<usize> {
    let mut copy = styled::parse(text)?;
    visit(&mut copy.root, path, create, &mut |_| {})
}

fn empty(kind: Kind) -> StyledNode {
    match kind {
        Kind::Scalar => StyledNode::plain(""),
        Kind::Map => StyledNode::new(Content::Map { entries: Vec::new(), in_flow: false }),
        Kind::Seq => StyledNode::new(Content::Seq { items: Vec::new(), in_flow: false }),
    }
}

/// The items that `[field=pattern]` matches; one is made when there is none.
fn matching_items(
    items: &mut Vec<StyledNode>,
    field: &str,
    wanted: &str,
    create: bool,
) -> Option<Vec<usize>> {
    let pattern = Regex::new(wanted).ok()?;
    let matches = |item: &StyledNode| {
        let value = if field.is_empty() { Some(item) } else { item.get(field) };
        value.and_then(StyledNode::as_text).is_some_and(|text| pattern.is_match(text))
    };
    let found: Vec<usize> = (0..items.len()).filter(|at| matches(&items[*at])).collect();
    if !found.is_empty() || !create {
        return Some(found);
    }
    let value = StyledNode::plain(wanted);
    items.push(match field {
        "" => value,
        field => {
            let entries = vec![(StyledNode::plain(field), value)];
            StyledNode::new(Content::Map { entries, in_flow: false })
        }
    });
    Some(vec![items.len() - 1])
}

/// The document in the form that its text had: JSON for one that begins with a brace or a bracket, on several lines when the
/// text has some and is indented; else YAML. Nothing for what cannot be JSON.
fn serialized(document: &StyledDocument, before: &str) -> Option<String> {
    let yaml = styled::write(document);
    if !before.trim().starts_with(['{', '[']) {
        return Some(yaml.trim().to_owned());
    }
    let node = parse(&yaml, SourceId::NONE).ok()?.into_iter().next()?;
    let mut compact = String::new();
    json::write(&node, &mut compact).ok()?;
    let is_indented = before.contains('\n') && before.contains("  ");
    Some(if is_indented { json::indented(&compact) } else { compact })
}

#[cfg(test)]
mod tests {
    use super::{FieldOptions, Outcome, set, set_part};
    use crate::reference::field_path::split_replacement;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::{Node, parse::parse};

    /// The text of `data.f` after `value` was put to a path in it.
    fn after(text: &str, path: &str, value: &str, create: bool) -> (Outcome, String) {
        let mut node = parse("data: {f: x}", SourceId::NONE).unwrap().remove(0);
        let data = node.get_mut("data").unwrap().as_map_mut().unwrap();
        data.set("f", Node::string(text, None));
        let value = parse(value, SourceId::NONE).unwrap().remove(0);
        let options = FieldOptions { create, ..FieldOptions::default() };
        let outcome = set(&mut node, &split_replacement(path), &value, &options);
        (outcome, node.at(&["data", "f"]).unwrap().as_text().unwrap().to_owned())
    }

    fn written(text: &str, path: &str, value: &str) -> String {
        let (outcome, text) = after(text, path, value, false);
        assert_eq!(outcome, Outcome::Written);
        text
    }

    #[test]
    fn yaml_keeps_comments_and_types() {
        let text = "# head\na:\n    - x # first\n    - {b: 1}\n";
        assert_eq!(written(text, "data.f.a.0", "y"), "# head\na:\n- y # first\n- {b: 1}");
        assert_eq!(written(text, "data.f.a.1.b", "y"), "# head\na:\n- x # first\n- {b: !!int y}");
        assert_eq!(written("a: 'x'\n", "data.f.a", "1"), "a: '1'");
    }

    #[test]
    fn json_is_sorted_and_as_long_as_it_was() {
        assert_eq!(written(r#"{"b": 1, "a": "x"}"#, "data.f.a", "<"), r#"{"a":"\u003c","b":1}"#);
        let text = "{\n  \"a\": [],\n  \"b\": [1]\n}";
        assert_eq!(written(text, "data.f.b.0", "2"), "{\n  \"a\": [],\n  \"b\": [\n    2\n  ]\n}");
    }

    #[test]
    fn parts_are_replaced_later() {
        for (index, expected) in
            [(-1, "x/https://a/b"), (0, "x//a/b"), (3, "https://a/x"), (6, "https://a/b/x")]
        {
            let mut node = parse("data: {f: 'url: https://a/b'}", SourceId::NONE).unwrap().remove(0);
            let value = parse("x", SourceId::NONE).unwrap().remove(0);
            let options = FieldOptions { delimiter: "/".to_owned(), index, ..FieldOptions::default() };
            let steps = split_replacement("data.f.url");
            assert_eq!(set_part(&mut node, &steps, &value, (false, Some(&options))), Outcome::Written);
            let text = node.at(&["data", "f"]).unwrap().as_text().unwrap();
            assert_eq!(text, format!("url: {expected}"));
        }
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        assert_eq!(
            after(r#"{"a": 1}"#, "data.f.a", "x", false),
            (Outcome::Dropped, r#"{"a": 1}"#.to_owned())
        );
        for path in ["data.f.b", "data.f", "data.f.a.0", "data.g.a"] {
            assert_eq!(after("{a: {b: x}}", path, "y", false).0, Outcome::NotThere, "{path}");
        }
        assert_eq!(after("a: [", "data.f.a", "y", true).0, Outcome::NotThere);
        assert_eq!(after("a: 1", "data.f.b.c", "y", true).1, "a: 1\nb:\n  c: y");
    }
}
