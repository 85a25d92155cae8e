//! The value add transformer (`kind: ValueAddTransformer` in a `transformers` file): puts one value into many fields.

use super::field_spec::{rewrite_scalar, split_path};
use crate::resource::{Pass, Resource};
use crate::types::ValueAddArgs;
use kfc_diagnostics::{Code, Diagnostic, Mark, Result};
use kfc_yaml::{Map, Node, Value};

/// Sets the value in the fields of every target, or puts it into the file paths there.
///
/// # Errors
/// Wrong selectors, [`Code::FieldPath`] for paths that do not fit a resource, [`Code::WrongType`] for fields that are
/// not scalars.
pub fn apply(Pass { set, step, .. }: Pass<'_>, args: &ValueAddArgs) -> Result<()> {
    for target in &args.targets {
        let selector = target.selector.compile()?;
        let steps: Vec<_> = split_path(&target.field_path).filter(|step| !step.trim().is_empty()).collect();
        let steps: Vec<&str> = steps.iter().map(|step| step.trim()).collect();
        let selected = |resource: &&mut Resource| selector.matches(resource);
        for resource in set.list.iter_mut().filter(selected) {
            resource.edit(step).change(|object| match open(&mut object.node, &steps)? {
                Some(field) => set_value(field, target.file_path_position, &args.value),
                None => Ok(()),
            })?;
        }
    }
    Ok(())
}

fn set_value(field: &mut Node, file_path_position: i64, value: &str) -> Result<()> {
    match usize::try_from(file_path_position) {
        Ok(position) if position > 0 => {
            let path = field.as_scalar().map_or("", |scalar| scalar.text.as_str());
            let path = insert_path_part(path, position - 1, value);
            rewrite_scalar(field, &path)
        }
        _ => rewrite_scalar(field, value),
    }
}

/// The node at the end of a path, created when it is missing; nothing when a position in a list is beyond its end.
fn open<'n>(node: &'n mut Node, steps: &[&str]) -> Result<Option<&'n mut Node>> {
    let Some((step, rest)) = steps.split_first() else { return Ok(Some(node)) };
    let (mark, found) = (node.mark, node.describe());
    // kustomize looks for nothing in null.
    if node.is_null() && !matches!(item_of(step), Some(Item::With(..))) {
        return Ok(None);
    }
    let is_below_zero = step.parse::<i64>().is_ok_and(|at| at < 0);
    if is_below_zero || *step == "*" || is_in_brackets(step) && item_of(step).is_none() {
        let error =
            Diagnostic::error(Code::FieldPath, format!("`{step}` is not a field or an item")).at(mark);
        return Err(error.help("write `[key=value]` for an item of a list").into());
    }
    let child = match (item_of(step), &mut node.value) {
        (None, Value::Map(map)) => field(map, step, rest, mark),
        (Some(item), Value::Seq(items)) => list_item(items, &item, mark),
        (item, _) => {
            let expected = if item.is_some() { "a sequence" } else { "a mapping" };
            let message = format!("expected {expected} for `{step}`, found {found}");
            return Err(Diagnostic::error(Code::FieldPath, message).at(mark).into());
        }
    };
    child.map_or(Ok(None), |child| open(child, rest))
}

/// The field of a mapping. One that is missing becomes what the next step needs: a mapping for `-` too, as in kyaml's
/// `getPathPartKind`.
fn field<'n>(map: &'n mut Map, step: &str, rest: &[&str], mark: Mark) -> Option<&'n mut Node> {
    if !map.contains(step) {
        let blank = match rest.first().map(|next| item_of(next)) {
            None => Node::string("", mark),
            Some(Some(Item::At(_) | Item::With(..))) => Node::seq(Vec::new(), mark),
            Some(None | Some(Item::Last)) => Node::map(Map::new(), mark),
        };
        map.set(step, blank);
    }
    map.get_mut(step)
}

/// A step into a list.
enum Item<'s> {
    At(usize),
    Last,
    With(&'s str, &'s str),
}

fn item_of(step: &str) -> Option<Item<'_>> {
    if step == "-" {
        return Some(Item::Last);
    }
    match step.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => inside.split_once('=').map(|(key, value)| Item::With(key, value)),
        None => step.parse().ok().map(Item::At),
    }
}

fn is_in_brackets(step: &str) -> bool {
    step.starts_with('[') && step.ends_with(']')
}

/// The item of a list. One that is asked for by a key is appended when it is missing.
fn list_item<'n>(items: &'n mut Vec<Node>, item: &Item<'_>, mark: Mark) -> Option<&'n mut Node> {
    match item {
        Item::At(at) => items.get_mut(*at),
        Item::Last => items.last_mut(),
        Item::With(key, value) => {
            let has = |item: &Node| item.get(key).and_then(Node::as_text) == Some(value);
            let at = items.iter().position(has).unwrap_or_else(|| {
                let mut map = Map::new();
                map.set(key, Node::string(value, mark));
                items.push(Node::map(map, mark));
                items.len() - 1
            });
            items.get_mut(at)
        }
    }
}

/// Puts a part into a file path at a position from 0, or at its end; an absolute path stays absolute.
fn insert_path_part(path: &str, position: usize, part: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(position.min(parts.len()), part);
    let joined = parts.join("/");
    if is_absolute { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::Step;
    use crate::transform::testing::{resources, yaml};
    use crate::types::{Selector, ValueAddTarget};

    const FOO: &str = "{apiVersion: v1, kind: Foo, metadata: {name: f}, spec: {n: 2, p: /a/b, q: '', r: a/b/c, s: {}, \
                       t: null, l: [{x: y}], b: true}}";

    fn add(value: &str, field_path: &str, file_path_position: i64) -> Result<Node> {
        let mut set = resources(FOO);
        let target = ValueAddTarget {
            field_path: field_path.into(),
            file_path_position,
            selector: Selector::default(),
        };
        apply(
            set.pass(&Step::default()),
            &ValueAddArgs { value: value.into(), targets: vec![target], ..ValueAddArgs::default() },
        )?;
        Ok(set.list[0].node.clone())
    }

    fn expect(value: &str, path: &str, position: i64, key: &str, expected: &str) {
        let node = add(value, path, position).unwrap();
        assert_eq!(node.at(&["spec", key]), Some(&yaml(expected)), "{path} {position}");
    }

    #[test]
    fn values_are_set_and_fields_created() {
        expect("123", "spec/n", 0, "n", "123");
        expect("true", "spec/t", 0, "t", "true");
        expect("x", "/spec/z/a\\/b", 0, "z", "{a/b: x}");
        expect("7", "spec/l/[x=y]/z", 0, "l", "[{x: y, z: 7}]");
        expect("7", "spec/l/[x=n]/z", 0, "l", "[{x: y}, {x: n, z: 7}]");
        expect("7", "spec/l/0/x", 0, "l", "[{x: 7}]");
        expect("7", "spec/l/-/w", 0, "l", "[{x: y, w: 7}]");
        expect("7", "spec/l/3/w", 0, "l", "[{x: y}]");
        expect("7", "spec/k/[x=n]/w", 0, "k", "[{x: n, w: 7}]");
    }

    #[test]
    fn nothing_is_looked_for_in_null() {
        for path in ["spec/t/w", "spec/t/0", "spec/t/w/x"] {
            assert!(add("7", path, 0).unwrap().at(&["spec", "t"]).unwrap().is_null(), "{path}");
        }
    }

    #[test]
    fn file_paths_get_a_part() {
        expect("PEACH", "spec/p", 1, "p", "/PEACH/a/b");
        expect("PEACH", "spec/p", 2, "p", "/a/PEACH/b");
        expect("PEACH", "spec/p", 7, "p", "/a/b/PEACH");
        expect("PEACH", "spec/r", 3, "r", "a/b/PEACH/c");
        expect("PEACH", "spec/q", 1, "q", "PEACH");
        expect("PEACH", "spec/z/y", 9, "z", "{y: PEACH}");
        expect("PEACH", "spec/t", 9, "t", "null/PEACH");
    }

    #[test]
    fn wrong_paths_are_errors() {
        let code = |path: &str| add("x", path, 0).unwrap_err().0[0].code;
        assert_eq!(code("spec/s"), Code::WrongType);
        assert_eq!(code("spec/l/x"), Code::FieldPath);
        assert_eq!(code("spec/s/-"), Code::FieldPath);
        assert_eq!(code("spec/s/*"), Code::FieldPath);
        assert_eq!(code("spec/s/-1"), Code::FieldPath);
        assert_eq!(code("spec/k/-/w"), Code::FieldPath);
        assert_eq!(code("spec/s/[]"), Code::FieldPath);
    }
}
