//! The namespace transformer: puts resources, and what points at their namespace, into one namespace.

use super::field_spec::{expect_scalar, set_string};
use super::{Create, FieldSpecs};
use crate::resource::{Resource, ResourceSet};
use crate::types::{FieldSpec, NamespaceRules, Subjects};
use kfc_diagnostics::Result;
use kfc_yaml::Node;

/// Sets `metadata.namespace` of every resource whose kind lives in a namespace, the fields of the field specs, and
/// subjects of role bindings. As in kustomize, a spec for `metadata/name` (that of the kind Namespace) counts for
/// resources of `apiVersion: v1` only, specs for `metadata/namespace` and role binding subjects do not count, and
/// every resource remembers the identity it had.
///
/// # Errors
/// Fields that are not scalars, paths that cannot be followed, and [`Code::DuplicateId`] when two resources have one
/// identity afterwards. An empty namespace does nothing.
///
/// [`Code::DuplicateId`]: kfc_diagnostics::Code::DuplicateId
pub fn apply(
    set: &mut ResourceSet,
    namespace: &str,
    fields: &[FieldSpec],
    rules: NamespaceRules,
) -> Result<()> {
    if namespace.is_empty() {
        return Ok(());
    }
    let setter = Setter { namespace, rules };
    let is_name = |spec: &&FieldSpec| spec.path == "metadata/name";
    let mut names = FieldSpecs::new(fields.iter().filter(is_name));
    let mut others = FieldSpecs::new(fields.iter().filter(|spec| !is_name(spec) && !is_built_in(spec)));
    for resource in &mut set.list {
        resource.remember_id();
        if !resource.cluster_scoped {
            resource.watch(&["metadata", "namespace"], |resource| setter.set_own_namespace(resource))?;
        }
        if is_role_binding(resource.kind()) {
            resource.watch(&["subjects"], |resource| setter.set_subjects(resource))?;
        }
        if resource.api_version() == "v1" {
            names.apply(resource, Create::Scalar, |node| setter.set(node))?;
        }
        others.apply(resource, Create::Scalar, |node| setter.set(node))?;
    }
    set.check_unique(0)
}

fn is_role_binding(kind: &str) -> bool {
    matches!(kind, "RoleBinding" | "ClusterRoleBinding")
}

/// Specs for fields that have a rule of their own.
fn is_built_in(spec: &FieldSpec) -> bool {
    spec.path == "metadata/namespace"
        || (spec.path == "subjects/namespace" && is_role_binding(&spec.gvk.kind))
}

/// A namespace with the rules by which it is put into place.
struct Setter<'a> {
    namespace: &'a str,
    rules: NamespaceRules,
}

impl Setter<'_> {
    fn set(&self, node: &mut Node) -> Result<()> {
        expect_scalar(node)?;
        let is_unset = node.as_scalar().is_some_and(|scalar| scalar.text.is_empty());
        if self.rules.unset_only && !is_unset {
            return Ok(());
        }
        set_string(node, self.namespace)
    }

    fn set_own_namespace(&self, resource: &mut Resource) -> Result<()> {
        match resource.node.get_mut("metadata").and_then(|metadata| metadata.get_mut("namespace")) {
            Some(namespace) => self.set(namespace),
            None => {
                resource.set_namespace(self.namespace);
                Ok(())
            }
        }
    }

    fn set_subjects(&self, resource: &mut Resource) -> Result<()> {
        let (key, value) = match self.rules.subjects {
            Subjects::None => return Ok(()),
            Subjects::DefaultOnly => ("name", "default"),
            Subjects::AllServiceAccounts => ("kind", "ServiceAccount"),
        };
        let subjects = resource.node.get_mut("subjects").and_then(Node::as_seq_mut);
        for subject in subjects.into_iter().flatten() {
            let mark = subject.mark;
            let Some(map) = subject.as_map_mut() else { continue };
            if map.get(key).and_then(Node::as_text) == Some(value) {
                match map.get_mut("namespace").filter(|namespace| !namespace.is_null()) {
                    Some(namespace) => self.set(namespace)?,
                    None => map.set("namespace", Node::string(self.namespace, mark)),
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::TransformerConfig;
    use crate::transform::testing::{resources, yaml};
    use kfc_diagnostics::Code;

    const BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rb}
subjects:
- {kind: ServiceAccount, name: default}
- {kind: ServiceAccount, name: sa, namespace: ''}
- {kind: User, name: default, namespace: q}
- null
";

    fn apply_to(text: &str, subjects: Subjects, unset_only: bool) -> ResourceSet {
        let mut set = resources(text);
        let fields = TransformerConfig::default_config().namespace;
        apply(&mut set, "new", &fields, NamespaceRules { subjects, unset_only }).unwrap();
        set
    }

    fn subject_namespaces(set: &ResourceSet) -> Vec<&str> {
        let subjects = set.list[0].node.get("subjects").unwrap().as_seq().unwrap();
        subjects.iter().map(|s| s.get("namespace").and_then(Node::as_text).unwrap_or("-")).collect()
    }

    #[test]
    fn the_namespace_object_itself_is_renamed() {
        let set = apply_to(
            "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n\
             {apiVersion: x/v1, kind: Namespace, metadata: {name: b}}\n---\n\
             {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: old}}",
            Subjects::DefaultOnly,
            false,
        );
        assert_eq!(set.list[0].node.get("metadata"), Some(&yaml("{name: new}")));
        assert_eq!(set.list[0].previous[0].name, "a");
        assert_eq!(set.list[1].node.get("metadata"), Some(&yaml("{name: b, namespace: new}")));
        assert_eq!(set.list[2].namespace(), "new");
        assert_eq!(set.list[2].previous[0].namespace, "old");
    }

    #[test]
    fn subjects_are_set_as_asked() {
        let namespaces = |mode, unset_only| {
            let set = apply_to(BINDING, mode, unset_only);
            subject_namespaces(&set).join(",")
        };
        assert_eq!(namespaces(Subjects::DefaultOnly, false), "new,,new,-");
        assert_eq!(namespaces(Subjects::AllServiceAccounts, false), "new,new,q,-");
        assert_eq!(namespaces(Subjects::DefaultOnly, true), "new,,q,-");
        assert_eq!(namespaces(Subjects::None, false), "-,,q,-");
    }

    #[test]
    fn unset_only_keeps_what_is_there() {
        let set = apply_to(
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: old}}\n---\n\
             {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: ''}}\n---\n\
             {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}",
            Subjects::DefaultOnly,
            true,
        );
        let namespaces: Vec<_> = set.list.iter().map(|resource| resource.namespace()).collect();
        assert_eq!(namespaces, ["old", "new", "new"]);
    }

    #[test]
    fn services_of_api_services_are_moved() {
        let set = apply_to(
            "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.x}}",
            Subjects::DefaultOnly,
            false,
        );
        assert_eq!(set.list[0].node.get("spec"), Some(&yaml("{service: {namespace: new}}")));
        assert!(set.list[0].namespace().is_empty());
    }

    #[test]
    fn one_identity_for_two_is_an_error() {
        let mut set = resources(
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: x}}\n---\n\
             {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: y}}",
        );
        assert_eq!(
            apply(&mut set, "new", &[], NamespaceRules::default()).unwrap_err().0[0].code,
            Code::DuplicateId
        );
    }
}
