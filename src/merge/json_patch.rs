//! JSON patches (RFC 6902) with the habits of the library that kustomize uses: negative indices count from the end, a test
//! for null passes where nothing is, replacing a field that is not there adds it.

use crate::diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use crate::yaml::{Entry, Key, Node, Scalar, ScalarKind, Value, emit};

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    Add(Node),
    Remove,
    Replace(Node),
    Move(Vec<String>),
    Copy(Vec<String>),
    Test(Node),
}

/// One operation of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    action: Action,
    /// The path as written.
    shown: String,
    path: Vec<String>,
    mark: Mark,
}

/// Reads a patch: a list of operations.
///
/// # Errors
/// [`Code::BadPatch`] for everything that is no operation.
pub fn read(document: &Node) -> Result<Vec<Operation>> {
    let Some(items) = document.as_seq() else {
        let message = format!("a JSON patch is a list of operations, but this is {}", document.describe());
        return Err(Diagnostic::error(Code::BadPatch, message).at(document.mark).into());
    };
    let mut errors = Diagnostics::default();
    let operations = items.iter().filter_map(|item| errors.collect(operation(item).map_err(Diagnostics::from))).collect();
    errors.into_result(operations)
}

fn operation(node: &Node) -> std::result::Result<Operation, Diagnostic> {
    let bad = |message: String| Diagnostic::error(Code::BadPatch, message).at(node.mark);
    let text = |key: &str| node.get(key).and_then(Node::as_text);
    let op = text("op").ok_or_else(|| bad("a JSON patch operation needs an `op`".to_owned()))?;
    let shown = text("path").ok_or_else(|| bad(format!("the `{op}` operation needs a `path`")))?;
    let value = || node.get("value").cloned().ok_or_else(|| bad(format!("the `{op}` operation needs a `value`")));
    let from = || text("from").map(split).ok_or_else(|| bad(format!("the `{op}` operation needs a `from`")));
    let action = match op {
        "add" => Action::Add(value()?),
        "remove" => Action::Remove,
        "replace" => Action::Replace(value()?),
        "move" => Action::Move(from()?),
        "copy" => Action::Copy(from()?),
        "test" => Action::Test(node.get("value").cloned().unwrap_or_else(|| Node::null(node.mark))),
        other => {
            let error = bad(format!("`{other}` is no JSON patch operation"));
            let words = ["add", "remove", "replace", "move", "copy", "test"];
            return Err(match nearest(other, words) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("it is one of {}", words.join(", "))),
            });
        }
    };
    Ok(Operation { action, shown: shown.to_owned(), path: split(shown), mark: node.mark })
}

/// The steps of a pointer. What stands before the first slash does not count.
fn split(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// Applies operations in order.
///
/// # Errors
/// [`Code::JsonPatch`] for the first operation that cannot be applied, with what is there in its place.
pub fn apply(target: &mut Node, operations: &[Operation]) -> Result<()> {
    for operation in operations {
        apply_one(target, operation).map_err(|why| failed(target, operation, why))?;
    }
    Ok(())
}

/// Why an operation cannot be applied.
#[derive(Debug)]
struct Failure {
    message: String,
    place: Mark,
    help: Option<String>,
}

fn failed(target: &Node, operation: &Operation, why: Failure) -> Diagnostics {
    let name = match &operation.action {
        Action::Add(_) => "add",
        Action::Remove => "remove",
        Action::Replace(_) => "replace",
        Action::Move(_) => "move",
        Action::Copy(_) => "copy",
        Action::Test(_) => "test",
    };
    let text = |path: &[&str]| target.at(path).and_then(Node::as_text).unwrap_or("");
    let resource = format!("{} `{}`", text(&["kind"]), text(&["metadata", "name"]));
    let message = format!("cannot {name} `{}` in {resource}: {}", operation.shown, why.message);
    let error = Diagnostic::error(Code::JsonPatch, message).at(operation.mark).label(why.place, "in what is here");
    Diagnostic { help: why.help, ..error }.into()
}

fn apply_one(target: &mut Node, operation: &Operation) -> std::result::Result<(), Failure> {
    match &operation.action {
        Action::Add(value) => add(target, &operation.path, value.clone()),
        Action::Remove => remove(target, &operation.path).map(drop),
        Action::Replace(value) => replace(target, &operation.path, value.clone()),
        Action::Move(from) => {
            let value = remove(target, from)?;
            add(target, &operation.path, value)
        }
        Action::Copy(from) => {
            let value = find(target, from)?.clone();
            add(target, &operation.path, value)
        }
        Action::Test(value) => test(target, &operation.path, value),
    }
}

fn missing(node: &Node, step: &str) -> Failure {
    let names: Vec<&str> = node.as_map().into_iter().flatten().map(|entry| entry.key.text.as_str()).collect();
    let message = match &node.value {
        Value::Map(_) => format!("there is no `{step}`"),
        Value::Seq(items) => format!("there is no item `{step}` in a list of {}", items.len()),
        Value::Scalar(_) => format!("`{step}` cannot be looked up in {}", node.describe()),
    };
    let help = match nearest(step, names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.is_empty() => None,
        None => Some(format!("there are {}", names.iter().take(12).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))),
    };
    Failure { message, place: node.mark, help }
}

/// The position that a step names in a list; below 0 from the end.
fn index(step: &str, len: usize) -> Option<usize> {
    let index: i64 = step.parse().ok()?;
    let len = i64::try_from(len).ok()?;
    let index = if index < 0 { index + len } else { index };
    usize::try_from(index).ok()
}

fn child<'n>(node: &'n Node, step: &str) -> std::result::Result<&'n Node, Failure> {
    let found = match &node.value {
        Value::Map(map) => map.get(step),
        Value::Seq(items) => index(step, items.len()).and_then(|at| items.get(at)),
        Value::Scalar(_) => None,
    };
    found.ok_or_else(|| missing(node, step))
}

fn find<'n>(node: &'n Node, path: &[String]) -> std::result::Result<&'n Node, Failure> {
    path.iter().try_fold(node, |node, step| child(node, step))
}

/// The node that holds the last step of a path.
fn parent<'n, 'p>(node: &'n mut Node, path: &'p [String]) -> std::result::Result<(&'n mut Node, &'p str), Failure> {
    let Some((last, way)) = path.split_last() else {
        return Err(Failure { message: "the path names the whole resource".to_owned(), place: node.mark, help: None });
    };
    let mut node = node;
    for step in way {
        child(node, step)?;
        node = match &mut node.value {
            Value::Map(map) => map.get_mut(step),
            Value::Seq(items) => index(step, items.len()).and_then(|at| items.get_mut(at)),
            Value::Scalar(_) => None,
        }
        .ok_or_else(|| Failure { message: format!("there is no `{step}`"), place: Mark::NONE, help: None })?;
    }
    Ok((node, last))
}

fn add(root: &mut Node, path: &[String], value: Node) -> std::result::Result<(), Failure> {
    let (node, step) = parent(root, path)?;
    let refusal = missing(node, step);
    match &mut node.value {
        Value::Map(map) => {
            map.set(step, value);
            Ok(())
        }
        Value::Seq(items) if step == "-" => {
            items.push(value);
            Ok(())
        }
        Value::Seq(items) => match index_to_insert(step, items.len()) {
            Some(at) => {
                items.insert(at, value);
                Ok(())
            }
            None => Err(refusal),
        },
        Value::Scalar(_) => Err(refusal),
    }
}

/// Where a new item goes: up to the end of the list; -1 is the end.
fn index_to_insert(step: &str, len: usize) -> Option<usize> {
    let index: i64 = step.parse().ok()?;
    let len_after = i64::try_from(len).ok()? + 1;
    let index = if index < 0 { index + len_after } else { index };
    usize::try_from(index).ok().filter(|at| *at <= len)
}

fn remove(root: &mut Node, path: &[String]) -> std::result::Result<Node, Failure> {
    let (node, step) = parent(root, path)?;
    let refusal = missing(node, step);
    let removed = match &mut node.value {
        Value::Map(map) => map.remove(step),
        Value::Seq(items) => index(step, items.len()).filter(|at| *at < items.len()).map(|at| items.remove(at)),
        Value::Scalar(_) => None,
    };
    removed.ok_or(refusal)
}

fn replace(root: &mut Node, path: &[String], value: Node) -> std::result::Result<(), Failure> {
    if path.is_empty() {
        *root = value;
        return Ok(());
    }
    let (node, step) = parent(root, path)?;
    let refusal = missing(node, step);
    let mark = value.mark;
    match &mut node.value {
        Value::Map(map) => match map.get_mut(step) {
            Some(old) => *old = value,
            None => map.push(Entry { key: Key::new(step, mark), value }),
        },
        Value::Seq(items) => {
            let slot = index(step, items.len()).and_then(|at| items.get_mut(at));
            *slot.ok_or(refusal)? = value;
        }
        Value::Scalar(_) => return Err(refusal),
    }
    Ok(())
}

fn test(root: &Node, path: &[String], value: &Node) -> std::result::Result<(), Failure> {
    match find(root, path) {
        Ok(found) if equal(found, value) => Ok(()),
        Ok(found) => {
            Err(Failure { message: "the value is another one".to_owned(), place: found.mark, help: None })
        }
        Err(_) if value.is_null() => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Equality as JSON has it: `1` and `1.0` are one number.
fn equal(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(a), Value::Scalar(b)) => json_text(a) == json_text(b),
        (Value::Seq(a), Value::Seq(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().all(|e| b.get(&e.key.text).is_some_and(|other| equal(&e.value, other)))
        }
        _ => false,
    }
}

fn json_text(scalar: &Scalar) -> (bool, String) {
    let number = matches!(scalar.kind, ScalarKind::Int | ScalarKind::Float);
    let text = match scalar.kind {
        ScalarKind::Int => emit::integer(&scalar.text).map(String::from),
        ScalarKind::Float => emit::float(&scalar.text).map(String::from),
        ScalarKind::Null => Some("null".to_owned()),
        ScalarKind::Bool => Some(emit::is_true(&scalar.text).to_string()),
        _ => return (true, scalar.text.to_string()),
    };
    (false, text.unwrap_or_else(|| format!("{number}{}", scalar.text)))
}

#[cfg(test)]
mod tests {
    use super::{apply, read};
    use crate::diagnostics::SourceId;
    use crate::yaml::parse::parse;

    fn patched(target: &str, patch: &str) -> Result<String, String> {
        let mut node = parse(target, SourceId::NONE).unwrap().remove(0);
        let operations = read(&parse(patch, SourceId::NONE).unwrap()[0]).unwrap();
        apply(&mut node, &operations).map_err(|errors| errors.0[0].message.clone())?;
        let mut out = String::new();
        crate::yaml::json::write(&node, &mut out).unwrap();
        Ok(out)
    }

    #[test]
    fn operations_have_the_habits_of_kustomize() {
        let l = "{l: [1, 2, 3], m: {a: b}}";
        let cases = [
            ("[{op: add, path: /l/-1, value: 9}]", r#"{"l":[1,2,3,9],"m":{"a":"b"}}"#),
            ("[{op: add, path: /l/-, value: 9}]", r#"{"l":[1,2,3,9],"m":{"a":"b"}}"#),
            ("[{op: add, path: /l/01, value: 9}]", r#"{"l":[1,9,2,3],"m":{"a":"b"}}"#),
            ("[{op: remove, path: /l/-1}]", r#"{"l":[1,2],"m":{"a":"b"}}"#),
            ("[{op: replace, path: /m/new, value: x}]", r#"{"l":[1,2,3],"m":{"a":"b","new":"x"}}"#),
            ("[{op: test, path: /zz, value: null}]", r#"{"l":[1,2,3],"m":{"a":"b"}}"#),
            ("[{op: test, path: /l/0, value: 1.0}]", r#"{"l":[1,2,3],"m":{"a":"b"}}"#),
            ("[{op: move, from: /m/a, path: /m/c}]", r#"{"l":[1,2,3],"m":{"c":"b"}}"#),
            ("[{op: copy, from: /m, path: /l/0}]", r#"{"l":[{"a":"b"},1,2,3],"m":{"a":"b"}}"#),
            ("[{op: add, path: x/m/z, value: 1}]", r#"{"l":[1,2,3],"m":{"a":"b","z":1}}"#),
        ];
        for (patch, expected) in cases {
            assert_eq!(patched(l, patch).as_deref(), Ok(expected), "{patch}");
        }
    }

    #[test]
    fn operations_that_cannot_be_applied_say_why() {
        for patch in [
            "[{op: remove, path: /m/zz}]",
            "[{op: add, path: /zz/a, value: 1}]",
            "[{op: replace, path: /l/7, value: 1}]",
            "[{op: add, path: /l/7, value: 1}]",
            "[{op: test, path: /m/a, value: c}]",
        ] {
            assert!(patched("{l: [1], m: {a: b}}", patch).is_err(), "{patch}");
        }
    }
}
