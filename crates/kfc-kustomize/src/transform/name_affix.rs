//! What the prefix and the suffix transformer share.

use super::{Create, FieldSpec, FieldSpecs, Route};
use crate::resource::{Field, Pass, Resource};
use crate::transform::field_spec::rewrite_scalar;
use kfc_diagnostics::Result;
use kfc_kube::Gvk;
use kfc_yaml::Node;

/// Renames the fields of the specs in every resource that may be renamed, and that the pass does not leave alone. A resource
/// whose name changes remembers its identity, and the affix in the list that `affixes` gives.
pub(super) fn apply(
    Pass { set, step, exempt }: Pass<'_>,
    fields: &[FieldSpec],
    affix: &str,
    affixes: fn(&mut Resource) -> &mut Vec<String>,
    rename: impl Fn(&str) -> String,
) -> Result<()> {
    if affix.is_empty() {
        return Ok(());
    }
    let mut specs = FieldSpecs::new(fields);
    for resource in &mut set.list {
        if keeps_name(resource) || exempt.iter().any(|selector| selector.matches(resource)) {
            continue;
        }
        let read_as = changed_kind(resource);
        let was_selected =
            |route: &&Route<'_>| read_as.as_ref().is_none_or(|gvk| route.spec.gvk.selects(gvk));
        for route in specs.routes_of(resource).filter(was_selected) {
            if route.spec.path == "metadata/name" {
                affixes(resource).push(affix.to_owned());
                resource.remember_id();
            }
            let mut rename = |field: &mut Field<'_>| field.change(|name| change(name, &rename));
            resource.edit(step).walk(|object| route.walk(object, Create::Scalar, &mut rename))?;
        }
    }
    Ok(())
}

fn change(node: &mut Node, rename: &impl Fn(&str) -> String) -> Result<()> {
    let changed = rename(node.as_scalar().map_or("", |scalar| scalar.text.as_str()));
    rewrite_scalar(node, &changed)
}

/// The kind with which a resource was read, when a patch has changed it; kustomize asks for both.
fn changed_kind(resource: &Resource) -> Option<Gvk> {
    let original = resource.previous.first().filter(|original| original.kind != resource.kind())?;
    Some(Gvk::new(resource.api_version(), &original.kind))
}

/// Kinds whose names have a meaning that a prefix would break.
fn keeps_name(resource: &Resource) -> bool {
    let kind = resource.previous.first().map_or(resource.kind(), |original| &original.kind);
    match kind {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => resource.api_version().starts_with("apiregistration.k8s.io/"),
        _ => false,
    }
}
