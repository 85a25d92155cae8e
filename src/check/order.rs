//! The order of a bundle: no resource before what it needs.

use super::needs::needs;
use super::{text, title};
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::resource::Resource;
use std::collections::HashMap;

/// Finds resources that come before their namespace, the definition of their kind, or what they cannot start without:
/// service accounts, roles, config maps, secrets, volume claims, the services of webhooks.
#[must_use]
pub fn order(resources: &[Resource]) -> Diagnostics {
    let positions: HashMap<(&str, &str, &str), usize> =
        resources.iter().enumerate().map(|(at, r)| ((r.kind(), r.namespace(), r.name()), at)).collect();
    let definitions = definitions(resources);
    let mut found = Diagnostics::default();
    for (at, resource) in resources.iter().enumerate() {
        let needs = needs(resource).into_iter().filter(|need| need.before);
        let named = needs.filter_map(|need| positions.get(&(need.kind, need.namespace, need.name)));
        let definition = definitions.get(&(group(resource), resource.kind()));
        for later in named.chain(definition).copied().filter(|needed| *needed > at) {
            let message =
                format!("{} comes before {}, which it needs", title(resource), title(&resources[later]));
            let error = Diagnostic::error(Code::Order, message).at(resource.mark());
            found.push(error.label(resources[later].mark(), "this is what it needs"));
        }
    }
    found
}

fn group(resource: &Resource) -> &str {
    resource.api_version().split_once('/').map_or("", |(group, _)| group)
}

/// The places of custom resource definitions, by the group and kind that they define.
fn definitions(resources: &[Resource]) -> HashMap<(&str, &str), usize> {
    let mut found = HashMap::new();
    for (at, resource) in resources.iter().enumerate() {
        let part = |path: &[&str]| text(&resource.node, path);
        if resource.kind() == "CustomResourceDefinition"
            && let (Some(group), Some(kind)) = (part(&["spec", "group"]), part(&["spec", "names", "kind"]))
        {
            found.insert((group, kind), at);
        }
    }
    found
}
