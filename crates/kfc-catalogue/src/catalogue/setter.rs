//! Which resources a setter selects.

use crate::files::Setter;
use kfc_kube::GroupVersion;
use kfc_kustomize::reference::field_path::split_replacement;
use kfc_kustomize::resource::Resource;

impl Setter {
    /// Whether the setter selects a resource.
    #[must_use]
    pub fn selects(&self, resource: &Resource) -> bool {
        let GroupVersion { group, version } = resource.group_version();
        let select = &self.select;
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted.is_empty() || wanted == found)
        };
        select.group.as_deref().is_none_or(|wanted| wanted == group)
            && fits(&select.version, version)
            && fits(&select.kind, resource.kind())
            && fits(&select.name, resource.name())
            && fits(&select.namespace, resource.namespace())
            && select.has.as_ref().is_none_or(|field| has(resource, field))
    }
}

fn has(resource: &Resource, field: &str) -> bool {
    let steps = split_replacement(field);
    let names: Vec<&str> = steps.iter().map(String::as_str).collect();
    resource.node.at(&names).is_some()
}
