//! Dotted field paths of replacements and variables: `spec.containers.[name=app].image`, `metadata.annotations.a\.b/c`.

use kfc_diagnostics::{Code, Diagnostic, Mark, nearest};
use kfc_yaml::parse::{DEEPEST, resolve_plain};
use kfc_yaml::{Entry, Key, Map, Node, Value};
use regex::Regex;

/// Splits the path of a variable, which may also write the index of a list as `ports[0]`.
#[must_use]
pub fn split_variable(path: &str) -> Vec<String> {
    let mut steps = Vec::new();
    for part in split_replacement(path) {
        match part.strip_suffix(']').and_then(|inner| inner.rsplit_once('[')) {
            Some((name, index)) if is_digits(index) => {
                steps.push(name.to_owned());
                steps.push(index.to_owned());
            }
            _ => steps.push(part),
        }
    }
    without_blanks(&steps)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits the path of a replacement's source. Blank parts do not count there, nor do blanks around a part: this is
/// kyaml's `cleanPath`, which every `Lookup` of kustomize calls.
#[must_use]
pub fn split_source(path: &str) -> Vec<String> {
    without_blanks(&split_replacement(path))
}

fn without_blanks(steps: &[String]) -> Vec<String> {
    steps.iter().map(|step| step.trim()).filter(|step| !step.is_empty()).map(str::to_owned).collect()
}

/// Splits the path of one of our own setters, which have the grammar of replacements, but for `[h]`, a key too.
///
/// # Errors
/// What is wrong with a path that has blank parts, or blanks around a part.
pub fn split_setter(path: &str) -> Result<Vec<String>, String> {
    let steps: Vec<String> = split_replacement(path).into_iter().map(plain_key).collect();
    match steps.iter().find(|step| step.is_empty() || step.trim() != step.as_str()) {
        None => Ok(steps),
        Some(step) if step.trim().is_empty() => Err(format!("a part of the path `{path}` is empty")),
        Some(step) => Err(format!("the part `{step}` of the path `{path}` has blanks around it")),
    }
}

/// `[h]`, a key in brackets, without the brackets.
fn plain_key(step: String) -> String {
    match step.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|key| !key.contains('=')) {
        Some(key) => key.to_owned(),
        None => step,
    }
}

/// Splits at dots, but for those after a backslash. An empty part in front of the first dot does not count.
fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut joins = false;
    for piece in path.strip_prefix('.').unwrap_or(path).split('.') {
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

/// Splits the path of a replacement's target as kyaml's `SmarterPathSplitter` does: dots between brackets do not count,
/// and brackets that held dots together are dropped, unless they select an item (`[name=a.b]`). Empty parts stay.
#[must_use]
pub fn split_replacement(path: &str) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut open = false;
    for part in split(path) {
        let closes = part.ends_with(']');
        if let Some(last) = steps.last_mut().filter(|_| open) {
            last.push('.');
            last.push_str(&part);
            if closes {
                open = false;
                unbracket(last);
            }
        } else {
            open = part.starts_with('[') && !closes;
            steps.push(part);
        }
    }
    if let Some(last) = steps.last_mut().filter(|_| open) {
        unbracket(last);
    }
    steps
}

fn unbracket(step: &mut String) {
    if !step.contains('=') {
        *step = step.trim_matches(['[', ']']).to_owned();
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

/// What a step is looked up as. The form of the step alone decides, as in kyaml: `0` is never a key.
pub(super) enum Part<'s> {
    /// `0`: the item at a position.
    Index(i64),
    /// `*`: every item.
    Every,
    /// `[name=value]`: the items with that field, or that value when the name is empty.
    Item(&'s str, &'s str),
    /// `[h]`, which selects nothing.
    NoItem,
    /// The field of a mapping.
    Field(&'s str),
}

impl<'s> Part<'s> {
    pub(super) fn of(step: &'s str) -> Self {
        let inside = step.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match (step.parse(), inside) {
            (Ok(index), _) => Self::Index(index),
            (_, Some(inside)) => inside.split_once('=').map_or(Self::NoItem, |(f, v)| Self::Item(f, v)),
            _ if step == "*" => Self::Every,
            _ => Self::Field(step),
        }
    }

    /// The kind of node that it is looked up in.
    pub(super) fn holder(&self) -> Kind {
        match self {
            Self::Index(0..) | Self::Item(..) | Self::NoItem => Kind::Seq,
            Self::Index(_) | Self::Every | Self::Field(_) => Kind::Map,
        }
    }
}

/// The one node that the path of a source leads to.
///
/// # Errors
/// A step that does not fit the node it meets.
pub fn lookup<'n>(root: &'n Node, path: &[String]) -> Result<Option<&'n Node>, Diagnostic> {
    let mut node = root;
    for step in path {
        match (child(node, step)?, &node.value) {
            (Some(at), Value::Seq(items)) => node = &items[at],
            (Some(at), Value::Map(map)) => node = &map.as_slice()[at].value,
            _ => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// The same, to be changed.
pub(super) fn lookup_mut<'n>(
    root: &'n mut Node,
    path: &[String],
) -> Result<Option<&'n mut Node>, Diagnostic> {
    let mut node = root;
    for step in path {
        match (child(node, step)?, &mut node.value) {
            (Some(at), Value::Seq(items)) => node = &mut items[at],
            (Some(at), Value::Map(map)) => match map.iter_mut().nth(at) {
                Some(entry) => node = &mut entry.value,
                None => return Ok(None),
            },
            _ => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// Where the child is that a step of a source leads to.
fn child(node: &Node, step: &str) -> Result<Option<usize>, Diagnostic> {
    Ok(match (&node.value, Part::of(step)) {
        (_, Part::NoItem) => return Err(no_item(node, step)),
        (Value::Seq(items), Part::Item("", wanted)) => {
            items.iter().position(|item| item.as_text() == Some(wanted))
        }
        (Value::Seq(items), Part::Item(field, wanted)) => {
            items.iter().position(|item| item.get(field).and_then(Node::as_text) == Some(wanted))
        }
        (Value::Seq(items), Part::Index(index)) => {
            usize::try_from(index).ok().filter(|index| *index < items.len())
        }
        (Value::Seq(items), Part::Field("-")) => items.len().checked_sub(1),
        (Value::Map(map), Part::Field(name)) if name != "-" => map.position(name),
        (Value::Scalar(_), _) if node.is_null() => None,
        _ => return Err(wrong_node(node, step)),
    })
}

fn wrong_node(node: &Node, step: &str) -> Diagnostic {
    let message = match step {
        "" => "a part of this path is empty".to_owned(),
        _ => format!("`{step}` cannot be looked up in {}", node.describe()),
    };
    Diagnostic::error(Code::FieldPath, message).at(node.mark)
}

fn no_item(node: &Node, step: &str) -> Diagnostic {
    let key = step.trim_matches(['[', ']']);
    Diagnostic::error(Code::FieldPath, format!("`{step}` does not say which item of a list it selects"))
        .at(node.mark)
        .help(format!("write `[field=value]` for an item, `{key}` for the key of a mapping"))
}

/// Calls `set` on every node that the path of a target leads to; with `create`, missing fields and list items are made.
/// Returns how many nodes were found, and reports the first step that does not exist.
///
/// # Errors
/// A step that does not fit the node it meets, an empty step, an index after the end of a list.
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
    if path.len() > DEEPEST {
        let message = format!("the path has more than {DEEPEST} steps, the limit of nesting");
        return Err(Diagnostic::error(Code::TooDeep, message).at(node.mark));
    }
    let mut visitor = |node: &mut Node| visit(node, rest, create, set);
    let made = create.map(|kind| rest.first().map_or(kind, |next| Part::of(next).holder()));
    let mark = node.mark;
    match (&mut node.value, Part::of(step)) {
        (_, Part::NoItem) => Err(no_item(node, step)),
        (Value::Seq(items), Part::Every) => sum(items.iter_mut().map(visitor)),
        (Value::Seq(items), Part::Item(field, wanted)) => {
            let matching = matching_items(items, (field, wanted), made.is_some(), mark)?;
            // kustomize does not look at what follows `[=value]`.
            let rest = if field.is_empty() { &[] } else { rest };
            sum(matching.into_iter().map(|at| visit(&mut items[at], rest, create, set)))
        }
        (Value::Seq(items), Part::Index(index)) => {
            if let Some(kind) = made.filter(|_| usize::try_from(index) == Ok(items.len())) {
                items.push(kind.empty(mark));
            }
            let count = items.len();
            let item = usize::try_from(index).ok().and_then(|at| items.get_mut(at)).ok_or_else(|| {
                let message = format!("there is no item {index}: the list has {count}");
                Diagnostic::error(Code::FieldPath, message).at(mark)
            })?;
            visitor(item)
        }
        (Value::Map(map), Part::Field(name)) if !name.is_empty() => {
            if let Some(kind) = made.filter(|_| !map.contains(name)) {
                map.push(Entry { key: Key::new(name, mark), value: kind.empty(mark) });
            }
            map.get_mut(name).map_or(Ok(0), visitor)
        }
        // A field that is null takes nothing in, and is not an error either when fields may be created.
        (Value::Scalar(scalar), part)
            if scalar.kind == kfc_yaml::ScalarKind::Null && !matches!(part, Part::Every) =>
        {
            Ok(usize::from(create.is_some()))
        }
        _ => Err(wrong_node(node, step)),
    }
}

fn sum(counts: impl Iterator<Item = Result<usize, Diagnostic>>) -> Result<usize, Diagnostic> {
    counts.sum()
}

/// The items that `[field=pattern]` matches; the pattern is a regular expression that may match anywhere, as in kustomize.
fn matching_items(
    items: &mut Vec<Node>,
    (field, wanted): (&str, &str),
    create: bool,
    mark: Mark,
) -> Result<Vec<usize>, Diagnostic> {
    let pattern = Regex::new(wanted).map_err(|_| {
        let message = format!("`{wanted}` in `[{field}={wanted}]` is not a regular expression");
        Diagnostic::error(Code::FieldPath, message).at(mark)
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
    (node.mark, format!("`{way}` exists"), None)
}

fn missing_step(node: &Node, way: &str, step: &str) -> (Mark, String, Option<String>) {
    let place = if way.is_empty() { "the resource".to_owned() } else { format!("`{way}`") };
    let names: Vec<&str> = node.as_map().into_iter().flatten().map(|entry| entry.key.text.as_str()).collect();
    let near = nearest(step, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    (node.mark, format!("{place} has no `{step}`"), near)
}

#[cfg(test)]
mod tests {
    use super::{Kind, lookup, split_replacement, split_setter, split_source, split_variable, visit};
    use kfc_diagnostics::SourceId;
    use kfc_yaml::{Node, parse::parse};

    #[test]
    fn paths_are_split_at_their_dots() {
        assert_eq!(split_replacement(r"a.b\.c/d.e"), ["a", "b.c/d", "e"]);
        assert_eq!(split_replacement("a.[name=x.y].0.*"), ["a", "[name=x.y]", "0", "*"]);
        assert_eq!(split_replacement("a.[b.c/d].[=x]"), ["a", "b.c/d", "[=x]"]);
        assert_eq!(split_replacement("a.[b]"), ["a", "[b]"]);
        assert_eq!(split_replacement("a.[b.c"), ["a", "b.c"]);
        assert_eq!(split_variable("spec.ports[0].port"), ["spec", "ports", "0", "port"]);
        assert_eq!(split_variable("spec.[a.b].[name=x].p[x]"), ["spec", "a.b", "[name=x]", "p[x]"]);
    }

    fn tree() -> Node {
        parse("{a: {h: 1, '0': 2, '-': 3, '*': 4}, l: [x, y], n: null}", SourceId::NONE).unwrap().remove(0)
    }

    #[test]
    fn the_form_of_a_step_says_what_it_is_looked_up_in() {
        let found = |path: &str| lookup(&tree(), &split_source(path)).map(|node| node.is_some()).ok();
        for path in ["a.h", "l.0", "l.-", "l.[=y]", ".a..h.", "a.[h"] {
            assert_eq!(found(path), Some(true), "{path}");
        }
        for path in ["a.[h]", "a.0", "a.-", "a.*", "a.[h=1]", "l.h", "l.*", "l.[0]", "a.h.x"] {
            assert_eq!(found(path), None, "{path}");
        }
        assert_eq!(found("n.x"), Some(false));
    }

    #[test]
    fn no_field_without_a_name_is_ever_made() {
        for path in ["a..x", "a.new.", "a..", "b..c", "..b", "l.2.", "a.[x]", "a.0", "n.*"] {
            let mut node = tree();
            let mut set = |_: &mut Node| Ok(());
            let made = visit(&mut node, &split_replacement(path), Some(Kind::Scalar), &mut set);
            assert!(made.is_err(), "{path}");
            let mut text = String::new();
            kfc_yaml::json::write(&node, &mut text).unwrap();
            assert!(!text.contains(r#""":"#), "{path}: {text}");
        }
    }

    #[test]
    fn empty_parts_count_for_targets_only_and_not_in_front() {
        for path in [".a.b", "a..b", "a.b.", " a. .b "] {
            assert_eq!(split_source(path), ["a", "b"], "{path}");
            assert_eq!(split_variable(path), ["a", "b"], "{path}");
        }
        assert_eq!(split_replacement(".a.b"), ["a", "b"]);
        assert_eq!(split_replacement("a..b."), ["a", "", "b", ""]);
        assert_eq!(split_replacement(r".\.a"), [".a"]);
        assert_eq!(split_setter(".a.[b].[c.d]").unwrap(), ["a", "b", "c.d"]);
        for path in ["", "a..b", "a.", "a. .b", " a", "a.[]"] {
            assert!(split_setter(path).is_err(), "{path}");
        }
    }
}
