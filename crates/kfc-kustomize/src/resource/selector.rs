//! Which resources a patch, label, replacement or removal selects.

use super::single::Resource;
use crate::types::Selector;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_kube::label_selector::LabelSelector;
use kfc_kube::pattern::Pattern;
use kfc_kube::{GroupVersion, Gvk, effective_namespace};

/// A [`Selector`] with its expressions parsed.
#[derive(Clone, Debug)]
pub struct CompiledSelector {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    annotations: LabelSelector,
    labels: LabelSelector,
    /// Whether it has no expression for identities.
    any_id: bool,
    /// Whether it has no expression for labels and annotations.
    any_label: bool,
}

impl Selector {
    /// Parses the expressions.
    ///
    /// # Errors
    /// [`Code::BadValue`] for the first wrong regular expression or label selector, at the place of the selector.
    pub fn compile(&self) -> Result<CompiledSelector> {
        let pattern = |field, text| {
            Pattern::whole(text).map_err(|why| self.refuse(field, text, "regular expression", &why))
        };
        let expression = |field, text| {
            LabelSelector::parse(text).map_err(|why| self.refuse(field, text, "label selector", &why))
        };
        Ok(CompiledSelector {
            group: pattern("group", &self.gvk.group)?,
            version: pattern("version", &self.gvk.version)?,
            kind: pattern("kind", &self.gvk.kind)?,
            name: pattern("name", &self.name)?,
            namespace: pattern("namespace", &self.namespace)?,
            annotations: expression("annotationSelector", &self.annotation_selector)?,
            labels: expression("labelSelector", &self.label_selector)?,
            any_id: self.gvk == Gvk::default() && self.name.is_empty() && self.namespace.is_empty(),
            any_label: self.annotation_selector.is_empty() && self.label_selector.is_empty(),
        })
    }

    fn refuse(&self, field: &str, text: &str, what: &str, why: &str) -> Diagnostic {
        let message = format!("`{field}: {text}` is not a {what}: {why}");
        Diagnostic::error(Code::BadValue, message).at(self.mark)
    }
}

impl CompiledSelector {
    /// Whether the selector covers a resource. Name and namespace may be those it has now or those it was read with
    /// (not those in between); a missing namespace counts as `default`. The rest is compared as it is now. This is
    /// what kustomize's `ResMap.Select` does.
    #[must_use]
    pub fn matches(&self, resource: &Resource) -> bool {
        self.matches_name(resource)
            && self.matches_namespace(resource)
            && self.matches_gvk(resource)
            && self.labels.matches(resource.labels())
            && self.annotations.matches(resource.annotations())
    }

    /// Whether the selector covers a resource by any identity that it has or ever had. This is how replacements select.
    #[must_use]
    pub fn matches_any_id(&self, resource: &Resource) -> bool {
        self.covers_any_id(resource)
            && self.labels.matches(resource.labels())
            && self.annotations.matches(resource.annotations())
    }

    /// Whether a replacement's `reject` covers a resource: by any identity, or by labels or annotations; each counts only
    /// when the selector has an expression for it.
    #[must_use]
    pub fn rejects(&self, resource: &Resource) -> bool {
        (!self.any_id && self.covers_any_id(resource))
            || (!self.any_label
                && self.labels.matches(resource.labels())
                && self.annotations.matches(resource.annotations()))
    }

    fn covers_any_id(&self, resource: &Resource) -> bool {
        resource.ids_for_replacements().any(|id| {
            self.kind.covers(&id.gvk.kind)
                && self.group.covers(&id.gvk.group)
                && self.version.covers(&id.gvk.version)
                && self.name.covers(&id.name)
                && self.namespace.covers(&id.namespace)
        })
    }

    fn matches_name(&self, resource: &Resource) -> bool {
        self.name.covers(resource.name())
            || resource.previous.first().is_some_and(|original| self.name.covers(&original.name))
    }

    fn matches_namespace(&self, resource: &Resource) -> bool {
        let covers =
            |namespace| self.namespace.covers(effective_namespace(namespace, resource.cluster_scoped));
        covers(resource.namespace())
            || resource.previous.first().is_some_and(|original| covers(&original.namespace))
    }

    fn matches_gvk(&self, resource: &Resource) -> bool {
        let GroupVersion { group, version } = resource.group_version();
        self.kind.covers(resource.kind()) && self.group.covers(group) && self.version.covers(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::Step;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    fn renamed() -> Resource {
        let text = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: x, labels: {a: b}}}";
        let mut resource = Resource::new(parse(text, SourceId::NONE).unwrap().remove(0), false);
        for name in ["p1-x", "p2-p1-x"] {
            resource.remember_id();
            resource.edit(&Step::default()).set_name(name);
        }
        resource.remember_id();
        resource.edit(&Step::default()).set_namespace("nn");
        resource
    }

    fn selects(edit: impl FnOnce(&mut Selector)) -> bool {
        let mut selector = Selector::default();
        edit(&mut selector);
        selector.compile().unwrap().matches(&renamed())
    }

    #[test]
    fn original_and_current_names_match_but_not_those_between() {
        assert!(selects(|s| s.name = "x".into()));
        assert!(selects(|s| s.name = "p2-p1-x".into()));
        assert!(!selects(|s| s.name = "p1-x".into()));
        assert!(selects(|s| s.namespace = "def.*".into()));
        assert!(selects(|s| s.namespace = "nn".into()));
        assert!(!selects(|s| s.namespace = "n".into()));
    }

    #[test]
    fn kind_group_version_and_labels_narrow() {
        assert!(selects(|s| s.gvk = Gvk::new("apps/v1", "Deploy.*")));
        assert!(!selects(|s| s.gvk.kind = "Deploy".into()));
        assert!(selects(|s| s.label_selector = "a in (b)".into()));
        assert!(!selects(|s| s.annotation_selector = "a".into()));
    }

    #[test]
    fn wrong_expressions_are_told() {
        let selector = Selector { name: "(x".into(), ..Selector::default() };
        let errors = selector.compile().unwrap_err();
        assert_eq!(errors.0[0].code, Code::BadValue);
        assert_eq!(errors.0[0].message, "`name: (x` is not a regular expression: unclosed group");
    }
}
