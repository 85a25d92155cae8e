//! The replica count transformer: `replicas`.

use super::field_spec::expect_scalar;
use super::{Create, FieldSpec, Route};
use crate::kustomization::model::Replica;
use crate::provenance::{Step, StepKind};
use crate::resource::{Field, Resource, ResourceSet};
use compact_str::format_compact;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_yaml::{Node, ScalarKind};

/// Sets the replica count of the resources that have the name, or had it at any time, and a kind of the specs.
///
/// # Errors
/// [`Code::NoTarget`] when there is no such resource; fields that are not scalars, and paths that cannot be followed.
pub fn apply(set: &mut ResourceSet, replica: &Replica, fields: &[FieldSpec]) -> Result<()> {
    let routes: Vec<Route<'_>> = fields.iter().map(Route::new).collect();
    let step = step(replica);
    let mut found = false;
    for resource in set.list.iter_mut().filter(|resource| has_or_had_name(resource, &replica.name)) {
        let ids: Vec<_> = resource.previous_ids().chain([resource.id()]).collect();
        let gvk = resource.gvk();
        for route in &routes {
            let wanted = &route.spec.gvk;
            if ids.iter().any(|id| id.name == replica.name && wanted.selects(&id.gvk)) {
                found = true;
                if wanted.selects(&gvk) {
                    let mut set = |field: &mut Field<'_>| field.change(|node| set_count(node, replica.count));
                    resource.edit(&step).walk(|object| route.walk(object, Create::Scalar, &mut set))?;
                }
            }
        }
    }
    if found { Ok(()) } else { Err(no_target(set, replica, fields).into()) }
}

/// The step that an entry asks for.
pub(crate) fn step(replica: &Replica) -> Step {
    let entry = replica.mark;
    Step { place: replica.count_mark.or(entry), ..Step::new(StepKind::Replicas, entry) }
}

fn has_or_had_name(resource: &Resource, name: &str) -> bool {
    resource.name() == name || resource.previous.iter().any(|previous| previous.name == name)
}

/// A count in quotes stays in quotes, as in kustomize.
fn set_count(node: &mut Node, count: i64) -> Result<()> {
    let kind = if expect_scalar(node)? { ScalarKind::Str } else { ScalarKind::Int };
    *node = Node::scalar(format_compact!("{count}"), kind, node.mark);
    Ok(())
}

fn no_target(set: &ResourceSet, replica: &Replica, fields: &[FieldSpec]) -> Diagnostic {
    let mut kinds: Vec<_> = fields.iter().map(|spec| spec.gvk.kind.as_str()).collect();
    kinds.dedup();
    let name = &replica.name;
    let message = format!("`replicas` names `{name}`, but no resource of a kind with replicas has that name");
    let error = Diagnostic::error(Code::NoTarget, message)
        .note(format!("kinds with replicas here: {}", kinds.join(", ")));
    match set.list.iter().find(|resource| has_or_had_name(resource, name)) {
        Some(other) => error.label(other.mark(), format!("a {} has the name", other.kind())),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::TransformerConfig;
    use crate::transform::testing::{rename, resources, yaml};

    fn count(set: &mut ResourceSet, name: &str, count: i64) -> Result<()> {
        let replica = Replica { name: name.into(), count, ..Replica::default() };
        apply(set, &replica, &TransformerConfig::default_config().replicas)
    }

    #[test]
    fn every_kind_with_the_name_is_scaled() {
        let mut set = resources(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: '2'}}\n---\n\
             {apiVersion: v1, kind: ReplicationController, metadata: {name: d}, spec: null}\n---\n\
             {apiVersion: v1, kind: Foo, metadata: {name: d}}",
        );
        count(&mut set, "d", 5).unwrap();
        assert_eq!(set.list[0].node.get("spec"), Some(&yaml("{replicas: '5'}")));
        assert_eq!(set.list[1].node.get("spec"), Some(&yaml("{replicas: 5}")));
        assert_eq!(set.list[2].node.get("spec"), None);
    }

    #[test]
    fn names_of_any_time_count() {
        let mut set = resources("{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}");
        for name in ["p-a", "p-a-s"] {
            set.list[0].remember_id();
            rename(&mut set.list[0], name);
        }
        for name in ["a", "p-a", "p-a-s"] {
            count(&mut set, name, 1).unwrap();
        }
    }

    #[test]
    fn a_name_that_no_workload_has_is_an_error() {
        let mut set = resources("{apiVersion: v1, kind: Foo, metadata: {name: d}}");
        let errors = count(&mut set, "d", 1).unwrap_err();
        assert_eq!(errors.0[0].code, Code::NoTarget);
        assert_eq!(errors.0[0].labels[0].text, "a Foo has the name");
    }
}
