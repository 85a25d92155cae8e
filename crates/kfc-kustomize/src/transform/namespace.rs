//! The namespace transformer: puts resources, and what points at their namespace, into one namespace.

use super::field_spec::{expect_scalar, set_string};
use super::{Create, FieldSpecs};
use crate::resource::{Field, Pass, Resource};
use crate::types::{FieldSpec, NamespaceRules, Subjects};
use kfc_diagnostics::Result;
use kfc_yaml::Node;

/// Sets `metadata.namespace` of every resource whose kind lives in a namespace, the fields of the field specs, and
/// subjects of role bindings. As in kustomize, a spec for `metadata/name` (that of the kind Namespace) counts for
/// resources of `apiVersion: v1` only, specs for `metadata/namespace` and role binding subjects do not count, and
/// every resource remembers the identity it had. What helm rendered stays as it is: helm was given the namespace. So do the
/// resources that the pass leaves alone.
///
/// # Errors
/// Fields that are not scalars, paths that cannot be followed, and [`Code::DuplicateId`] when two resources have one
/// identity afterwards. An empty namespace does nothing.
///
/// [`Code::DuplicateId`]: kfc_diagnostics::Code::DuplicateId
pub fn apply(
    Pass { set, step, exempt }: Pass<'_>,
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
    let is_left = |resource: &Resource| {
        resource.helm_generated || exempt.iter().any(|selector| selector.matches(resource))
    };
    for resource in set.list.iter_mut().filter(|resource| !is_left(resource)) {
        resource.remember_id();
        if !resource.cluster_scoped {
            resource.edit(step).walk(|object| setter.set_own_namespace(object))?;
        }
        if is_role_binding(resource.kind()) {
            resource.edit(step).walk(|object| setter.set_subjects(object))?;
        }
        if resource.api_version() == "v1" {
            names.apply(resource.edit(step), Create::Scalar, |node| setter.set(node))?;
        }
        others.apply(resource.edit(step), Create::Scalar, |node| setter.set(node))?;
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

    fn set_own_namespace(&self, object: &mut Field<'_>) -> Result<()> {
        let mark = object.node().mark;
        let Some(mut metadata) = object.open_map("metadata", mark) else { return Ok(()) };
        if let Some(mut namespace) = metadata.get("namespace") {
            return namespace.change(|namespace| self.set(namespace));
        }
        metadata.put("namespace", Node::string(self.namespace, mark));
        Ok(())
    }

    fn set_subjects(&self, object: &mut Field<'_>) -> Result<()> {
        let (key, value) = match self.rules.subjects {
            Subjects::None => return Ok(()),
            Subjects::DefaultOnly => ("name", "default"),
            Subjects::AllServiceAccounts => ("kind", "ServiceAccount"),
        };
        let Some(mut subjects) = object.get("subjects") else { return Ok(()) };
        subjects.each_item(|subject| {
            if subject.node().get(key).and_then(Node::as_text) != Some(value) {
                return Ok(());
            }
            if let Some(mut namespace) = subject.get("namespace").filter(|field| !field.node().is_null()) {
                return namespace.change(|namespace| self.set(namespace));
            }
            let mark = subject.node().mark;
            subject.put("namespace", Node::string(self.namespace, mark));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::Step;
    use crate::resource::ResourceSet;
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
        let rules = NamespaceRules { subjects, unset_only };
        apply(set.pass(&Step::default()), "new", &fields, rules).unwrap();
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
            apply(set.pass(&Step::default()), "new", &[], NamespaceRules::default()).unwrap_err().0[0].code,
            Code::DuplicateId
        );
    }
}
