//! Dotted field paths of replacements and variables: `spec.containers.[name=app].image`, `metadata.annotations.a\.b/c`.

use crate::diagnostics::{Code, Diagnostic, Mark, nearest};
use crate::yaml::parse::resolve_plain;
use crate::yaml::{Entry, Key, Map, Node, Value};
use regex::Regex;

/// Splits a variable's path: at dots that no backslash stands before, and before `[0]`.
#[must_use]
pub fn split_dotted(path: &str) -> Vec<String> {
    let mut steps = Vec::new();
    for part in split(path) {
        match part.strip_suffix(']').and_then(|inner| inner.rsplit_once('[')) {
            Some((name, index)) => {
                if !name.is_empty() {
                    steps.push(name.to_owned());
                }
                steps.push(index.to_owned());
            }
            None => steps.push(part),
        }
    }
    steps
}

/// Splits at dots, but for those behind a backslash.
fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut joins = false;
    for piece in path.split('.') {
        let (text, escaped) = piece.strip_suffix('\\').map_or((piece, false), |text| (text, true));
        match parts.last_mut().filter(|_| joins) {
            Some(last) => {
                last.push('.');
                last.push_str(text);
            }
            None => parts.push(text.to_owned()),
        }
        joins = escaped;
    }
    if let Some(last) = parts.last_mut().filter(|_| joins) {
        last.push('\\');
    }
    parts
}

/// Splits the path of a replacement; dots in `[…]` do not count.
#[must_use]
pub fn split_replacement(path: &str) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut open = false;
    for part in split(path) {
        let closes = part.ends_with(']');
        if open {
            if let Some(last) = steps.last_mut() {
                last.push('.');
                last.push_str(&part);
            }
            open = !closes;
        } else {
            open = part.starts_with('[') && !closes;
            steps.push(part);
        }
    }
    steps.into_iter().map(plain_key).collect()
}

/// `[a.b/c]`, a key in brackets so that its dots do not count, without the brackets.
fn plain_key(step: String) -> String {
    match step.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|key| !key.contains('=')) {
        Some(key) => key.to_owned(),
        None => step,
    }
}

/// What is put where a path ends, when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A scalar.
    Scalar,
    /// A mapping.
    Map,
    /// A sequence.
    Seq,
}

impl Kind {
    /// The kind of a node.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        match node.value {
            Value::Scalar(_) => Self::Scalar,
            Value::Map(_) => Self::Map,
            Value::Seq(_) => Self::Seq,
        }
    }

    fn empty(self, mark: Mark) -> Node {
        match self {
            Self::Scalar => Node::null(mark),
            Self::Map => Node::map(Map::new(), mark),
            Self::Seq => Node::seq(Vec::new(), mark),
        }
    }
}

/// `[name=value]` as its two parts.
fn list_match(step: &str) -> Option<(&str, &str)> {
    step.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

/// The one node that the path of a source leads to.
///
/// # Errors
/// A step that does not fit the node it meets.
pub fn lookup<'n>(root: &'n Node, path: &[String]) -> Result<Option<&'n Node>, Diagnostic> {
    let mut node = root;
    for step in path {
        let next = match (&node.value, step.parse::<usize>(), list_match(step)) {
            (Value::Seq(items), _, Some((field, wanted))) => {
                items.iter().find(|item| match field {
                    "" => item.as_text() == Some(wanted),
                    field => item.get(field).and_then(Node::as_text) == Some(wanted),
                })
            }
            (Value::Seq(items), Ok(index), _) => items.get(index),
            (Value::Seq(items), Err(_), None) if step == "-" => items.last(),
            (Value::Map(map), ..) => map.get(step),
            (Value::Scalar(_), ..) if node.is_null() => None,
            _ => return Err(wrong_node(node, step)),
        };
        match next {
            Some(next) => node = next,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

fn wrong_node(node: &Node, step: &str) -> Diagnostic {
    Diagnostic::error(Code::FieldPath, format!("`{step}` cannot be looked up in {}", node.describe())).at(node.mark)
}

/// Calls `set` on every node that the path of a target leads to; with `create`, missing fields and list items are made.
/// Gives how many nodes were found, and tells of the first step that was not there.
///
/// # Errors
/// A step that does not fit the node it meets, an index behind the end of a list.
pub fn visit(
    node: &mut Node,
    path: &[String],
    create: Option<Kind>,
    set: &mut impl FnMut(&mut Node) -> Result<(), Diagnostic>,
) -> Result<usize, Diagnostic> {
    let Some((step, rest)) = path.split_first() else {
        set(node)?;
        return Ok(1);
    };
    let mut visitor = |node: &mut Node| visit(node, rest, create, set);
    let made = create.map(|kind| rest.first().map_or(kind, |next| part_kind(next)));
    let mark = node.mark;
    match &mut node.value {
        Value::Seq(items) if step == "*" => sum(items.iter_mut().map(visitor)),
        Value::Seq(items) if list_match(step).is_some() => {
            let matching = matching_items(items, step, made.is_some(), mark)?;
            sum(matching.into_iter().map(|at| visitor(&mut items[at])))
        }
        Value::Seq(items) => match step.parse::<usize>() {
            Ok(index) => {
                if let Some(kind) = made.filter(|_| index == items.len()) {
                    items.push(kind.empty(mark));
                }
                let count = items.len();
                let item = items.get_mut(index).ok_or_else(|| {
                    let message = format!("there is no item {index}: the list has {count}");
                    Diagnostic::error(Code::FieldPath, message).at(mark)
                })?;
                visitor(item)
            }
            Err(_) => Err(wrong_node(node, step)),
        },
        Value::Map(map) if step != "*" && list_match(step).is_none() => {
            if let Some(kind) = made.filter(|_| !map.contains(step)) {
                map.push(Entry { key: Key::new(step, mark), value: kind.empty(mark) });
            }
            map.get_mut(step).map_or(Ok(0), |child| visitor(child))
        }
        // A field that is null takes nothing in, and is no error either when fields may be created.
        Value::Scalar(scalar) if scalar.kind == crate::yaml::ScalarKind::Null => Ok(usize::from(create.is_some())),
        _ => Err(wrong_node(node, step)),
    }
}

fn sum(counts: impl Iterator<Item = Result<usize, Diagnostic>>) -> Result<usize, Diagnostic> {
    counts.sum()
}

/// The kind of node that a step is looked up in.
fn part_kind(step: &str) -> Kind {
    if list_match(step).is_some() || step.parse::<usize>().is_ok() || step == "-" { Kind::Seq } else { Kind::Map }
}

/// The items that `[field=pattern]` matches; the pattern is a regular expression that may match anywhere, as in kustomize.
fn matching_items(items: &mut Vec<Node>, step: &str, create: bool, mark: Mark) -> Result<Vec<usize>, Diagnostic> {
    let (field, wanted) = list_match(step).unwrap_or(("", ""));
    let pattern = Regex::new(wanted).map_err(|_| {
        Diagnostic::error(Code::FieldPath, format!("`{wanted}` in `{step}` is no regular expression")).at(mark)
    })?;
    let matches = |item: &Node| {
        let value = if field.is_empty() { Some(item) } else { item.get(field) };
        value.and_then(Node::as_scalar).is_some_and(|scalar| pattern.is_match(&scalar.text))
    };
    let found: Vec<usize> = (0..items.len()).filter(|at| matches(&items[*at])).collect();
    if !found.is_empty() || !create {
        return Ok(found);
    }
    let value = Node::scalar(wanted.into(), resolve_plain(wanted), mark);
    items.push(match field {
        "" => value,
        field => {
            let mut map = Map::new();
            map.set(field, value);
            Node::map(map, mark)
        }
    });
    Ok(vec![items.len() - 1])
}

/// How far a path leads into a tree, in words: "`spec` has no `replica`", with the nearest name that is there.
#[must_use]
pub fn explain_missing(root: &Node, path: &[String]) -> (Mark, String, Option<String>) {
    let mut node = root;
    let mut way = String::new();
    for step in path {
        let next = match &node.value {
            Value::Map(map) => map.get(step),
            _ => lookup(node, std::slice::from_ref(step)).ok().flatten(),
        };
        let Some(next) = next else { return missing_step(node, &way, step) };
        if !way.is_empty() {
            way.push('.');
        }
        way.push_str(step);
        node = next;
    }
    (node.mark, format!("`{way}` is there"), None)
}

fn missing_step(node: &Node, way: &str, step: &str) -> (Mark, String, Option<String>) {
    let place = if way.is_empty() { "the resource".to_owned() } else { format!("`{way}`") };
    let names: Vec<&str> = node.as_map().into_iter().flatten().map(|entry| entry.key.text.as_str()).collect();
    let near = nearest(step, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    (node.mark, format!("{place} has no `{step}`"), near)
}

#[cfg(test)]
mod tests {
    use super::{split_dotted, split_replacement};

    #[test]
    fn paths_are_split_at_their_dots() {
        assert_eq!(split_replacement(r"a.b\.c/d.e"), ["a", "b.c/d", "e"]);
        assert_eq!(split_replacement("a.[name=x.y].0.*"), ["a", "[name=x.y]", "0", "*"]);
        assert_eq!(split_replacement("a.[b.c/d].[=x]"), ["a", "b.c/d", "[=x]"]);
        assert_eq!(split_dotted("spec.ports[0].port"), ["spec", "ports", "0", "port"]);
    }
}
