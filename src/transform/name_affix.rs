//! The name prefix and name suffix transformers.

use super::{Create, FieldSpec, FieldSpecs, Route};
use crate::diagnostics::Result;
use crate::resource::{Gvk, Resource, ResourceSet};
use crate::transform::field_spec::rewrite_scalar;
use crate::yaml::Node;

/// Puts a prefix before the fields of the specs, by default `metadata.name`. Custom resource definitions, API services
/// and namespaces keep their names. A resource whose name changes remembers its identity and the prefix; an empty
/// prefix does nothing.
///
/// # Errors
/// Fields that are no scalars, and paths that cannot be followed.
pub fn apply_prefix(set: &mut ResourceSet, prefix: &str, fields: &[FieldSpec]) -> Result<()> {
    apply(set, fields, prefix, |resource| &mut resource.prefixes, |name| format!("{prefix}{name}"))
}

/// As [`apply_prefix`], behind the fields.
///
/// # Errors
/// As [`apply_prefix`].
pub fn apply_suffix(set: &mut ResourceSet, suffix: &str, fields: &[FieldSpec]) -> Result<()> {
    apply(set, fields, suffix, |resource| &mut resource.suffixes, |name| format!("{name}{suffix}"))
}

fn apply(
    set: &mut ResourceSet,
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
        if keeps_name(resource) {
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
            route.walk(&mut resource.node, Create::Scalar, &mut |node| change(node, &rename))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::testing::{resources, yaml};

    fn spec(path: &str, kind: &str, create: bool) -> FieldSpec {
        FieldSpec { gvk: Gvk { kind: kind.into(), ..Gvk::default() }, path: path.into(), create }
    }

    #[test]
    fn some_kinds_keep_their_names() {
        let mut set = resources(
            "{apiVersion: v1, kind: Namespace, metadata: {name: n}}\n---\n\
             {apiVersion: x/v1, kind: CustomResourceDefinition, metadata: {name: n}}\n---\n\
             {apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: n}}\n---\n\
             {apiVersion: x/v1, kind: APIService, metadata: {name: n}}",
        );
        apply_prefix(&mut set, "p-", &[spec("metadata/name", "", false)]).unwrap();
        let names: Vec<_> = set.list.iter().map(Resource::name).collect();
        assert_eq!(names, ["n", "n", "n", "p-n"]);
        assert!(set.list[0].previous.is_empty());
        assert_eq!(set.list[3].previous[0].name, "n");
        assert_eq!(set.list[3].prefixes, ["p-"]);
    }

    #[test]
    fn every_spec_that_fits_is_applied() {
        let mut set = resources("{apiVersion: v1, kind: ConfigMap, metadata: {name: '1'}}");
        let specs = [
            spec("metadata/name", "ConfigMap", false),
            spec("metadata/name", "", false),
            spec("a/b", "", true),
        ];
        apply_suffix(&mut set, "0", &specs).unwrap();
        assert_eq!(
            set.list[0].node,
            yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: '100'}, a: {b: 0}}")
        );
        assert_eq!(set.list[0].previous.len(), 2);
        assert_eq!(set.list[0].suffixes, ["0", "0"]);
    }
}
