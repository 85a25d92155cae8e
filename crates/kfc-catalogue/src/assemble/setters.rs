//! Puts the values of setters into resources.

use super::step::SETTER;
use crate::catalogue::Setter;
use crate::resolve::{Inputs, Planned, Scope};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, SourceId, nearest};
use kfc_kube::Object;
use kfc_kustomize::provenance::Step;
use kfc_kustomize::reference::field_path::{explain_missing, split_setter};
use kfc_kustomize::resource::Resource;
use kfc_yaml::value::to_json;
use kfc_yaml::{Entry, Key, Map, Node, Spanned, Value, emit, parse};
use std::sync::LazyLock;

/// Applies setters in order.
///
/// # Errors
/// [`Code::Setter`] for setters that select nothing or whose field does not exist, and expressions that cannot be computed.
pub(super) fn apply(
    setters: &[Spanned<Setter>],
    scope: &Scope,
    inputs: Inputs<'_>,
    resources: &mut [Resource],
) -> Result<()> {
    let mut errors = Diagnostics::default();
    for setter in setters {
        errors.collect(apply_one(setter, scope, inputs, resources));
    }
    errors.into_result(())
}

fn apply_one(
    setter: &Spanned<Setter>,
    scope: &Scope,
    inputs: Inputs<'_>,
    resources: &mut [Resource],
) -> Result<()> {
    if !scope.allows(setter.when.as_ref())? {
        return Ok(());
    }
    let value = scope.value(&setter.new_value)?;
    let steps = steps_of(&setter.path)?;
    let by = LazyLock::new(|| step(setter, inputs));
    let owner = owner(setter, inputs)?;
    let mut errors = Diagnostics::default();
    let mut selected = false;
    for resource in resources.iter_mut().filter(|resource| owner.has(resource) && setter.selects(resource)) {
        selected = true;
        errors.collect(resource.edit(&by).change(|object| match &setter.inside {
            Some(inside) => put_inside(setter, inside, object, &steps, &value),
            None if put(&mut object.node, &steps, &value) => Ok(()),
            None => Err(missing_field(setter, &setter.path, object, &object.node, &steps).into()),
        }));
    }
    if !selected && !setter.optional {
        errors.push(selects_nothing(setter, resources));
    }
    errors.into_result(())
}

/// The component that a setter names.
///
/// # Errors
/// A component that is not in the plan, or the name of one in a setter of a component.
fn owner(setter: &Setter, inputs: Inputs<'_>) -> Result<Owner> {
    let Some(name) = &setter.select.component else { return Ok(Owner::Any) };
    if let Some(component) = inputs.component {
        let message =
            format!("setters of the component `{}` select only its own resources", component.name.value);
        let error = Diagnostic::error(Code::Setter, message).at(name.mark);
        return Err(error.help("remove `component`").into());
    }
    let planned = &inputs.plan.components;
    match planned.iter().position(|planned| planned.name() == name.value && !planned.present) {
        Some(at) => Ok(u32::try_from(at).map_or(Owner::None, Owner::At)),
        None if setter.optional => Ok(Owner::None),
        None => {
            let message = format!("this setter selects nothing: `{}` is not in the bundle", name.value);
            let error = Diagnostic::error(Code::Setter, message).at(name.mark);
            let near = nearest(&name.value, planned.iter().map(Planned::name));
            Err(error.helped(near.map(|near| format!("did you mean `{near}`?"))).into())
        }
    }
}

/// Whose resources are meant.
#[derive(Clone, Copy)]
enum Owner {
    Any,
    At(u32),
    None,
}

impl Owner {
    fn has(self, resource: &Resource) -> bool {
        match self {
            Self::Any => true,
            Self::At(owner) => resource.owner == Some(owner),
            Self::None => false,
        }
    }
}

/// The steps of a path.
///
/// # Errors
/// [`Code::Setter`] for a path with blank parts: every field has a name.
fn steps_of(path: &Spanned<String>) -> Result<Vec<String>> {
    split_setter(&path.value).map_err(|why| {
        let error = Diagnostic::error(Code::Setter, why).at(path.mark);
        error.help("write the names of fields with one dot between them").into()
    })
}

/// The step that a setter is: with what its expressions name, and where that was set.
fn step(setter: &Spanned<Setter>, inputs: Inputs<'_>) -> Step {
    let text = setter.new_value.as_str().unwrap_or_default();
    let step = Step::new(SETTER, setter.mark).with_text(setter.new_value.mark);
    step.with_inputs(text, inputs.of(&setter.new_value))
}

/// Puts a value at a path, creating fields of mappings, but not items of lists. Returns whether the path exists.
fn put(node: &mut Node, steps: &[String], value: &Node) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        node.value = value.value.clone();
        node.mark = value.mark;
        return true;
    };
    let item = step.strip_prefix('[').and_then(|step| step.strip_suffix(']')).and_then(|s| s.split_once('='));
    if node.is_null() && item.is_none() && step != "*" {
        node.value = Value::Map(Map::new());
    }
    let mark = node.mark;
    if let Some(items) = node.as_seq_mut() {
        let index = step.parse::<usize>();
        let is_meant = |at: usize, node: &Node| match item {
            Some((field, wanted)) => node.get(field).and_then(Node::as_text) == Some(wanted),
            None => step == "*" || index == Ok(at),
        };
        let mut found = false;
        for (at, item) in items.iter_mut().enumerate() {
            if is_meant(at, item) {
                found |= put(item, rest, value);
            }
        }
        return found;
    }
    let Some(map) = node.as_map_mut().filter(|_| item.is_none()) else { return false };
    if step == "*" {
        let found: Vec<bool> = map.iter_mut().map(|entry| put(&mut entry.value, rest, value)).collect();
        return found.contains(&true);
    }
    if !map.contains(step) {
        map.push(Entry { key: Key::new(step, mark), value: Node::null(mark) });
    }
    map.get_mut(step).is_some_and(|below| put(below, rest, value))
}

/// Puts a value into YAML or JSON that is the text of a field.
fn put_inside(
    setter: &Setter,
    inside: &Spanned<String>,
    object: &mut Object,
    steps: &[String],
    value: &Node,
) -> Result<()> {
    let field = steps_of(inside)?;
    let names: Vec<&str> = field.iter().map(String::as_str).collect();
    let Some(text) = object.node.at(&names).and_then(Node::as_str).map(str::to_owned) else {
        return Err(missing_field(setter, inside, object, &object.node, &field).into());
    };
    let unreadable = || {
        let message = format!(
            "`{}` of {} `{}` is not a single YAML document",
            inside.value,
            object.kind(),
            object.name()
        );
        Diagnostic::error(Code::Setter, message).at(inside.mark)
    };
    let documents = parse::parse(&text, SourceId::NONE).map_err(|_| unreadable())?;
    let [mut tree] = <[Node; 1]>::try_from(documents).map_err(|_| unreadable())?;
    if !put(&mut tree, steps, value) {
        return Err(missing_field(setter, &setter.path, object, &tree, steps).into());
    }
    let text = if text.trim_start().starts_with('{') { json_text(&tree) } else { yaml_text(&tree)? };
    put(&mut object.node, &field, &Node::string(&text, value.mark));
    Ok(())
}

fn json_text(tree: &Node) -> String {
    format!("{:#}\n", to_json(tree))
}

fn yaml_text(tree: &Node) -> Result<String> {
    let mut bytes = Vec::new();
    emit::emit(tree, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The error for a path that does not exist in `tree`, which is a resource or the content of one of its fields.
fn missing_field(
    setter: &Setter,
    path: &Spanned<String>,
    object: &Object,
    tree: &Node,
    steps: &[String],
) -> Diagnostic {
    let (place, what, near) = explain_missing(tree, steps);
    let field = match &setter.inside {
        Some(inside) if inside != path => format!("`{}` of ", inside.value),
        _ => String::new(),
    };
    let message =
        format!("field `{}` does not exist in {field}{} `{}`", path.value, object.kind(), object.name());
    let error = Diagnostic::error(Code::Setter, message).at(path.mark);
    // A text inside a resource has no locations.
    error.label_or_note(place, what).helped(near)
}

fn selects_nothing(setter: &Spanned<Setter>, resources: &[Resource]) -> Diagnostic {
    let select = &setter.select;
    let (kind, name) =
        (select.kind.as_deref().unwrap_or_default(), select.name.as_deref().unwrap_or_default());
    let wanted = if name.is_empty() { format!("no {kind}") } else { format!("no {kind} `{name}`") };
    let wanted = match &select.has {
        Some(field) => format!("{wanted} with the field `{}`", field.value),
        None => wanted,
    };
    let message = format!("this setter selects nothing: the bundle has {wanted}");
    let error = Diagnostic::error(Code::Setter, message).at(setter.mark);
    let same_kind = resources.iter().filter(|resource| kind.is_empty() || resource.kind() == kind);
    match nearest(name, same_kind.map(|resource| resource.name())) {
        Some(near) if near != name => error.help(format!("the nearest is {kind} `{near}`")),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::put;
    use kfc_diagnostics::SourceId;
    use kfc_kustomize::reference::field_path::split_setter;
    use kfc_yaml::{Node, emit, parse::parse};

    fn after(yaml: &str, path: &str) -> Option<String> {
        let mut node = parse(yaml, SourceId::NONE).unwrap().remove(0);
        let found = put(&mut node, &split_setter(path).unwrap(), &Node::string("v", None));
        let mut out = Vec::new();
        emit::emit(&node, &mut out).unwrap();
        found.then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn fields_are_made_and_items_are_not() {
        assert_eq!(after("a: {b: 1}", "a.c.d").as_deref(), Some("a:\n  b: 1\n  c:\n    d: v\n"));
        assert_eq!(after("a: null", "a.c").as_deref(), Some("a:\n  c: v\n"));
        let list = "a: [{name: x, i: 1}, {name: xx, i: 1}]";
        assert_eq!(
            after(list, "a.[name=x].i").as_deref(),
            Some("a:\n- i: v\n  name: x\n- i: 1\n  name: xx\n")
        );
        assert_eq!(after(list, "a.*.i").as_deref(), Some("a:\n- i: v\n  name: x\n- i: v\n  name: xx\n"));
        assert_eq!(after(list, "a.1.i").as_deref(), Some("a:\n- i: 1\n  name: x\n- i: v\n  name: xx\n"));
        assert_eq!(after(list, "a.[name=y].i"), None);
        assert_eq!(after(list, "a.b"), None);
        assert_eq!(after("a: 1", "a.b"), None);
    }
}
