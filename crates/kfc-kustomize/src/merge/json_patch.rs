//! JSON patches (RFC 6902) with the habits of the library that kustomize uses: negative indices count from the end, a test
//! for null passes where nothing is, replacing a field that does not exist adds it, copying one that does not exist copies
//! null.

use super::failure::Failure;
use super::pointer::{self, Pointer, insert_position, item_position};
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use kfc_yaml::emit::Written;
use kfc_yaml::parse::DEEPEST;
use kfc_yaml::size::{Size, TOO_LARGE};
use kfc_yaml::{Entry, Key, Node, ScalarKind, Spelling, Value, emit, json};

/// What an operation does.
#[derive(Clone, Debug, PartialEq)]
enum Action {
    Add(Node),
    Remove,
    Replace(Node),
    Move(Pointer),
    Copy(Pointer),
    Test(Node),
}

impl Action {
    fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Remove => "remove",
            Self::Replace(_) => "replace",
            Self::Move(_) => "move",
            Self::Copy(_) => "copy",
            Self::Test(_) => "test",
        }
    }
}

const NAMES: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

/// One operation of a patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    action: Action,
    path: Pointer,
    mark: Mark,
}

impl Operation {
    /// Its location.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The path that it sets, and the value; none for a field that it removes. What it adds to a list is not set.
    #[must_use]
    pub fn sets(&self) -> Option<(&[String], Option<&Node>)> {
        let is_item =
            || self.path.steps().last().is_some_and(|step| step == "-" || step.parse::<usize>().is_ok());
        match &self.action {
            Action::Add(value) if !is_item() => Some((self.path.steps(), Some(value))),
            Action::Replace(value) => Some((self.path.steps(), Some(value))),
            Action::Remove if !is_item() => Some((self.path.steps(), None)),
            _ => None,
        }
    }

    /// Whether it writes or removes all annotations of a resource at once.
    #[must_use]
    pub fn replaces_annotations(&self) -> bool {
        let writes = !matches!(self.action, Action::Test(_));
        let replaces = |path: &Pointer| path.leads_to_or_above(&["metadata", "annotations"]);
        let moves_away = matches!(&self.action, Action::Move(from) if replaces(from));
        (writes && replaces(&self.path)) || moves_away
    }
}

/// Reads a patch: a list of operations.
///
/// # Errors
/// [`Code::BadPatch`] for everything that is not an operation.
pub fn read(document: &Node) -> Result<Vec<Operation>> {
    let Some(items) = document.as_seq() else {
        let message = format!("a JSON patch is a list of operations, but this is {}", document.describe());
        return Err(Diagnostic::error(Code::BadPatch, message).at(document.mark).into());
    };
    let mut errors = Diagnostics::default();
    let operations = items.iter().filter_map(|item| errors.collect(operation(item))).collect();
    errors.into_result(operations)
}

fn operation(node: &Node) -> Result<Operation> {
    let text = |key: &str| node.get(key).and_then(Node::as_text);
    let needs = |op: &str, key: &str| -> Diagnostics {
        Diagnostic::error(Code::BadPatch, format!("the `{op}` operation needs `{key}`")).at(node.mark).into()
    };
    let pointer = |op, key| text(key).map(Pointer::parse).ok_or_else(|| needs(op, key));
    // What has no value gets null, as in kustomize; only a test without one has no meaning there.
    let value = || node.get("value").cloned().unwrap_or_else(|| Node::null(node.mark));
    let Some(op) = text("op") else {
        let error = Diagnostic::error(Code::BadPatch, "a JSON patch operation needs an `op`").at(node.mark);
        return Err(error.help(format!("`op` is one of {}", NAMES.join(", "))).into());
    };
    let action = match op {
        "add" => Action::Add(value()),
        "remove" => Action::Remove,
        "replace" => Action::Replace(value()),
        "move" => Action::Move(pointer(op, "from")?),
        "copy" => Action::Copy(pointer(op, "from")?),
        "test" => Action::Test(node.get("value").cloned().ok_or_else(|| needs(op, "value"))?),
        other => return Err(unknown_operation(other, node)),
    };
    Ok(Operation { action, path: pointer(op, "path")?, mark: node.mark })
}

fn unknown_operation(name: &str, node: &Node) -> Diagnostics {
    let mark = node.get("op").map_or(node.mark, |op| op.mark);
    let error = Diagnostic::error(Code::BadPatch, format!("`{name}` is not a JSON patch operation")).at(mark);
    match nearest(name, NAMES) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("it is one of {}", NAMES.join(", "))),
    }
    .into()
}

/// Applies operations in order. The whole target is then as if read from JSON, as in kustomize: strings are in quotes only
/// where they have to be, nulls are written out.
///
/// # Errors
/// [`Code::JsonPatch`] for the first operation that cannot be applied, with what the target has there. The operations
/// before it have been applied then. [`Code::Unwritable`] for values that JSON does not have, such as `.inf`.
pub fn apply(target: &mut Node, operations: &[Operation]) -> Result<()> {
    for (number, operation) in operations.iter().enumerate() {
        apply_one(target, operation).map_err(|why| failed(target, operation, number, why))?;
    }
    let mut errors = Diagnostics::default();
    forget_spelling(target, &mut errors);
    errors.into_result(())
}

type Applied<T = ()> = std::result::Result<T, Failure>;

fn failed(target: &Node, operation: &Operation, number: usize, why: Failure) -> Diagnostics {
    let text = |path: &[&str]| target.at(path).and_then(Node::as_text).unwrap_or("");
    let (name, path) = (operation.action.name(), &operation.path);
    let resource = format!("{} `{}`", text(&["kind"]), text(&["metadata", "name"]));
    let message = format!("cannot {name} `{path}` in {resource}: {}", why.message);
    let error = Diagnostic::error(Code::JsonPatch, message)
        .at(operation.mark)
        .label(why.place, "this is the current value")
        .note(format!("it is operation {} of the patch", number + 1));
    error.helped(why.help).into()
}

fn apply_one(target: &mut Node, operation: &Operation) -> Applied {
    let path = &operation.path;
    match &operation.action {
        Action::Add(value) => {
            fits(value, path)?;
            add(target, path, value.clone())
        }
        Action::Remove => remove(target, path).map(drop),
        Action::Replace(value) => {
            fits(value, path)?;
            replace(target, path, value.clone())
        }
        Action::Move(from) => {
            let value = remove(target, from)?;
            fits(&value, path)?;
            add(target, path, value)
        }
        Action::Copy(from) => {
            let value = find(target, from)?.cloned().unwrap_or_else(|| Node::null(operation.mark));
            let size = fits(&value, path)?;
            if !size.is_small() && !Size::of(target).fits_with(size) {
                return Err(Failure::new(TOO_LARGE, value.mark));
            }
            add(target, path, value)
        }
        Action::Test(value) => test(target, path, value),
    }
}

/// Refuses a value that would nest deeper than files may; returns its size.
fn fits(value: &Node, path: &Pointer) -> Applied<Size> {
    let size = Size::of(value);
    if path.len() + size.depth > DEEPEST {
        let message = format!("the value would be nested more than {DEEPEST} levels deep");
        return Err(Failure::new(message, value.mark));
    }
    Ok(size)
}

/// What a path leads to; nothing when the mapping at its end lacks the last step.
fn find<'n>(root: &'n Node, path: &Pointer) -> Applied<Option<&'n Node>> {
    let (holder, step) = pointer::holder(root, path)?;
    match &holder.value {
        Value::Map(map) => Ok(map.get(step)),
        Value::Seq(items) => match item_position(step, items.len()) {
            Some(at) => Ok(items.get(at)),
            None => Err(pointer::missing(holder, step)),
        },
        Value::Scalar(_) => Err(pointer::missing(holder, step)),
    }
}

fn add(root: &mut Node, path: &Pointer, value: Node) -> Applied {
    let (holder, step) = pointer::holder_mut(root, path)?;
    let at = match &mut holder.value {
        Value::Map(map) => {
            map.set(step, value);
            return Ok(());
        }
        Value::Seq(items) => insert_position(step, items.len()),
        Value::Scalar(_) => None,
    };
    match (at, holder.as_seq_mut()) {
        (Some(at), Some(items)) => {
            items.insert(at, value);
            Ok(())
        }
        _ => Err(pointer::missing(holder, step)),
    }
}

fn remove(root: &mut Node, path: &Pointer) -> Applied<Node> {
    let (holder, step) = pointer::holder_mut(root, path)?;
    let removed = match &mut holder.value {
        Value::Map(map) => map.remove(step),
        Value::Seq(items) => item_position(step, items.len()).map(|at| items.remove(at)),
        Value::Scalar(_) => None,
    };
    removed.ok_or_else(|| pointer::missing(holder, step))
}

fn replace(root: &mut Node, path: &Pointer, value: Node) -> Applied {
    if path.is_root() {
        return replace_root(root, value);
    }
    let (holder, step) = pointer::holder_mut(root, path)?;
    let old = match &mut holder.value {
        Value::Map(map) if !map.contains(step) => {
            map.push(Entry { key: Key::new(step, value.mark), value });
            return Ok(());
        }
        Value::Map(map) => map.get_mut(step),
        Value::Seq(items) => item_position(step, items.len()).and_then(|at| items.get_mut(at)),
        Value::Scalar(_) => None,
    };
    match old {
        Some(old) => {
            *old = value;
            Ok(())
        }
        None => Err(pointer::missing(holder, step)),
    }
}

/// A mapping replaces the whole resource; a scalar is ignored, as in kustomize.
fn replace_root(root: &mut Node, value: Node) -> Applied {
    match &value.value {
        Value::Map(_) => *root = value,
        Value::Scalar(_) => {}
        Value::Seq(_) => return Err(Failure::new("a resource cannot become a sequence", value.mark)),
    }
    Ok(())
}

fn test(root: &Node, path: &Pointer, value: &Node) -> Applied {
    let found = if path.is_root() { Some(root) } else { find(root, path)? };
    match found {
        None if value.is_null() => Ok(()),
        None => Err(Failure::new("the field does not exist", root.mark)),
        Some(found) if equal(found, value) => Ok(()),
        Some(found) => {
            let kind = root.get("kind").and_then(Node::as_text).unwrap_or_default();
            let message = if kfc_kube::redaction::is_secret(kind) {
                "the value differs from the one tested for".to_owned()
            } else {
                difference(found, value)
            };
            Err(Failure::new(message, found.mark))
        }
    }
}

fn difference(found: &Node, wanted: &Node) -> String {
    match (found.as_scalar(), wanted.as_scalar()) {
        (Some(found), Some(wanted)) if found.text != wanted.text => {
            format!("the value is `{}`, not `{}`", found.text, wanted.text)
        }
        _ => format!("the value is {} that differs from the one tested for", found.describe()),
    }
}

/// Equality as JSON has it: `1` and `1.0` are one number.
fn equal(a: &Node, b: &Node) -> bool {
    let as_json = |node| {
        let mut text = String::new();
        json::write(node, &mut text).ok().map(|()| text)
    };
    match (&a.value, &b.value) {
        (Value::Scalar(a), Value::Scalar(b)) if a == b => true,
        _ => as_json(a).is_some_and(|a| as_json(b) == Some(a)),
    }
}

/// Forgets how scalars were spelt in their source. All numbers are floats of 64 bits then: Go reads them from JSON without
/// a type, so that 9007199254740993 becomes 9007199254740992. Dates and binary values are strings.
fn forget_spelling(node: &mut Node, errors: &mut Diagnostics) {
    let mark = node.mark;
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| forget_spelling(&mut entry.value, errors)),
        Value::Seq(items) => items.iter_mut().for_each(|item| forget_spelling(item, errors)),
        Value::Scalar(scalar) => {
            if let Some(changed) = scalar.folded_text() {
                scalar.text = changed;
            }
            let is_number = matches!(scalar.kind, ScalarKind::Int | ScalarKind::Float);
            let changed: Option<(CompactString, ScalarKind)> = match errors
                .collect(emit::written(scalar, mark))
            {
                Some(_) if is_number => emit::float_from_json(&scalar.text).map(|text| (text, scalar.kind)),
                Some(Written::AsItIs(word)) => Some((word.into(), scalar.kind)),
                Some(Written::NewString(text)) => Some((text, ScalarKind::Str)),
                Some(Written::Number(_) | Written::String(_)) | None => None,
            };
            if let Some((text, kind)) = changed {
                (scalar.text, scalar.kind) = (text, kind);
            }
            let is_plain = scalar.kind != ScalarKind::Str || emit::is_written_plain(&scalar.text);
            scalar.spelling = if is_plain { Spelling::Plain } else { Spelling::Quoted };
            if scalar.kind == ScalarKind::Int && emit::go_integer(&scalar.text).is_none() {
                scalar.kind = ScalarKind::Float;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{apply, read};
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;
    use proptest::prelude::*;

    fn patched(target: &str, patch: &str) -> Result<String, String> {
        let mut node = parse(target, SourceId::NONE).unwrap().remove(0);
        let operations =
            read(&parse(patch, SourceId::NONE).unwrap()[0]).map_err(|errors| errors.0[0].message.clone())?;
        apply(&mut node, &operations).map_err(|errors| errors.0[0].message.clone())?;
        let mut out = String::new();
        kfc_yaml::json::write(&node, &mut out).unwrap();
        Ok(out)
    }

    #[test]
    fn operations_have_the_habits_of_kustomize() {
        let target = "{l: [1, 2, 3], m: {a: b}, n: null}";
        let rest = r#""m":{"a":"b"},"n":null}"#;
        let cases = [
            ("{op: add, path: /l/-1, value: 9}", r#"{"l":[1,2,3,9],"#),
            ("{op: add, path: /l/-4, value: 9}", r#"{"l":[9,1,2,3],"#),
            ("{op: add, path: /l/-, value: 9}", r#"{"l":[1,2,3,9],"#),
            ("{op: add, path: /l/01, value: 9}", r#"{"l":[1,9,2,3],"#),
            ("{op: add, path: /l/+1, value: 9}", r#"{"l":[1,9,2,3],"#),
            ("{op: remove, path: /l/-1}", r#"{"l":[1,2],"#),
            ("{op: replace, path: /l/-1}", r#"{"l":[1,2,null],"#),
            ("{op: replace, path: /l/02, value: 7}", r#"{"l":[1,2,7],"#),
            ("{op: test, path: /zz, value: null}", r#"{"l":[1,2,3],"#),
            ("{op: test, path: /n, value: null}", r#"{"l":[1,2,3],"#),
            ("{op: test, path: /l/0, value: 1.0}", r#"{"l":[1,2,3],"#),
            ("{op: test, path: /l, value: [1, 2, 0x3]}", r#"{"l":[1,2,3],"#),
            ("{op: move, from: /l/0, path: /l/2}", r#"{"l":[2,3,1],"#),
            ("{op: copy, from: /zz, path: /l/0}", r#"{"l":[null,1,2,3],"#),
            ("{op: replace, path: x/l, value: 5}", r#"{"l":5,"#),
            ("{op: replace, path: '', value: 5}", r#"{"l":[1,2,3],"#),
        ];
        for (patch, expected) in cases {
            assert_eq!(patched(target, &format!("[{patch}]")), Ok(format!("{expected}{rest}")), "{patch}");
        }
    }

    #[test]
    fn copies_of_copies_end_at_a_limit() {
        let copies: Vec<String> =
            (0..40).map(|at| format!("{{op: copy, from: /a, path: /a/x{at}}}")).collect();
        let error = patched("{kind: K, metadata: {name: n}, a: {b: c}}", &format!("[{}]", copies.join(", ")));
        assert!(error.clone().unwrap_err().contains("more than 200,000 values"), "{error:?}");
        let text = format!("{{kind: K, metadata: {{name: n}}, a: {{b: {}}}}}", "x".repeat(1 << 20));
        let error = patched(&text, &format!("[{}]", copies.join(", ")));
        assert!(error.unwrap_err().contains("more than 16 MiB of text"));
    }

    #[test]
    fn copies_nest_as_deep_as_files_may() {
        let copy = |at: usize| {
            let path = "/a".repeat(1 << at);
            format!("{{op: copy, from: /a, path: {path}/a}}")
        };
        let nested = |count: usize| {
            let copies: Vec<String> = (0..count).map(copy).collect();
            patched("{kind: K, metadata: {name: n}, a: {}}", &format!("[{}]", copies.join(", ")))
        };
        assert!(nested(8).is_ok());
        let error = nested(16).unwrap_err();
        assert!(error.contains("the value would be nested more than 500 levels deep"), "{error}");
        let deep = format!("{}1{}", "{a: ".repeat(240), "}".repeat(240));
        let moves: Vec<String> = [("b", 241), ("c", 481)]
            .map(|(from, to)| format!("{{op: move, from: /{from}, path: {}}}", "/a".repeat(to)))
            .into();
        let target = format!("{{kind: K, metadata: {{name: n}}, a: {deep}, b: {deep}, c: {deep}}}");
        assert!(patched(&target, &format!("[{}]", moves[0])).is_ok());
        let error = patched(&target, &format!("[{}]", moves.join(", ")));
        assert!(error.unwrap_err().contains("nested more than 500 levels"));
    }

    #[test]
    fn slashes_and_tildes_are_escaped() {
        let patch = "[{op: replace, path: /a~1b~0c~01, value: 2}, {op: add, path: /, value: 3}]";
        assert_eq!(patched("{a/b~c~1: 1}", patch).unwrap(), r#"{"":3,"a/b~c~1":2}"#);
    }

    #[test]
    fn operations_that_cannot_be_applied_say_why() {
        let target = "{kind: K, metadata: {name: n}, l: [1], m: {abc: b}, z: null}";
        let cases = [
            (
                "{op: remove, path: /m/abd}",
                "cannot remove `/m/abd` in K `n`: there is no `abd` in this mapping",
            ),
            (
                "{op: add, path: /zz/a, value: 1}",
                "cannot add `/zz/a` in K `n`: there is no `zz` in this mapping",
            ),
            (
                "{op: add, path: /z/a, value: 1}",
                "cannot add `/z/a` in K `n`: `a` cannot be looked up in null",
            ),
            (
                "{op: replace, path: /l/-, value: 1}",
                "cannot replace `/l/-` in K `n`: the list of 1 has no item `-`",
            ),
            ("{op: add, path: /l/7, value: 1}", "cannot add `/l/7` in K `n`: the list of 1 has no item `7`"),
            (
                "{op: test, path: /m/abc, value: c}",
                "cannot test `/m/abc` in K `n`: the value is `b`, not `c`",
            ),
            (
                "{op: test, path: /zz/a, value: null}",
                "cannot test `/zz/a` in K `n`: there is no `zz` in this mapping",
            ),
            (
                "{op: test, path: /l/9, value: null}",
                "cannot test `/l/9` in K `n`: the list of 1 has no item `9`",
            ),
            (
                "{op: move, from: /m, path: /m/a}",
                "cannot move `/m/a` in K `n`: there is no `m` in this mapping",
            ),
            ("{op: add, path: l, value: 1}", "cannot add `l` in K `n`: a path begins with a slash"),
            ("{op: remove, path: ''}", "cannot remove `` in K `n`: the path names the whole resource"),
            ("{op: ad, path: /l}", "`ad` is not a JSON patch operation"),
            ("{op: test, path: /l}", "the `test` operation needs `value`"),
            ("{op: copy, path: /l}", "the `copy` operation needs `from`"),
        ];
        for (patch, message) in cases {
            assert_eq!(patched(target, &format!("[{patch}]")), Err(message.to_owned()), "{patch}");
        }
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            (0..9_i32).prop_map(Into::into),
            "[ab]{0,2}".prop_map(Into::into)
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
                prop::collection::btree_map("[abc]", inner, 0..3)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn one_operation() -> impl Strategy<Value = serde_json::Value> {
        let path =
            || prop::collection::vec("[abc012-]", 1..4).prop_map(|steps| format!("/{}", steps.join("/")));
        let op = prop::sample::select(vec!["add", "remove", "replace", "test", "move", "copy"]);
        (op, path(), path(), value())
            .prop_map(|(op, path, from, value)| serde_json::json!({"op": op, "path": path, "from": from, "value": value}))
    }

    /// Where kustomize is laxer than the RFC on purpose: replacing or copying a missing value, which counts as null.
    fn is_lax(operation: &serde_json::Value) -> bool {
        matches!(operation["op"].as_str(), Some("replace" | "copy")) || operation["value"].is_null()
    }

    proptest! {
        #[test]
        fn what_the_rfc_allows_has_the_same_result(
            target in prop::collection::btree_map("[abc]", value(), 0..4), operation in one_operation()
        ) {
            let target = serde_json::Value::Object(target.into_iter().collect());
            let patch = serde_json::json!([operation]);
            let ours = patched(&target.to_string(), &patch.to_string());
            let mut theirs = target.clone();
            let strict: json_patch::Patch = serde_json::from_value(patch).unwrap();
            match json_patch::patch(&mut theirs, &strict) {
                // The RFC lets a value be moved onto itself, where nothing changes, and refuses to move it into itself.
                Ok(()) => prop_assert_eq!(
                    serde_json::from_str::<serde_json::Value>(&ours.unwrap()).unwrap(), theirs),
                Err(_) => prop_assert!(ours.is_err() || is_lax(&operation)),
            }
        }
    }
}
