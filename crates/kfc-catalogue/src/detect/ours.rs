//! What kfc itself installed in the cluster: it is not a property of the cluster, and does not count as present. Otherwise a
//! second detection would leave it out of the stack, and the next apply would delete it.

use super::answers::Answers;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The label of the config maps of an inventory, with its name.
const LABEL: &str = "kfc.dev/inventory";
/// The field manager of kfc, or the start of those of its inventories.
const MANAGER: &str = "kfc";

/// What kfc's inventories list, and which they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Ours {
    /// Kind, namespace, name.
    listed: BTreeSet<(String, String, String)>,
    /// How many objects each inventory lists.
    pub(super) inventories: BTreeMap<String, usize>,
}

impl Ours {
    /// Reads the inventories among the answers.
    pub(super) fn of(answers: &Answers) -> Self {
        let mut ours = Self::default();
        for map in answers.of("ConfigMap") {
            let Some(name) = map["metadata"]["labels"][LABEL].as_str() else { continue };
            let lines = map["data"]["objects"].as_str().unwrap_or_default().lines();
            let objects: Vec<_> = lines.filter_map(listed).collect();
            *ours.inventories.entry(name.to_owned()).or_default() += objects.len();
            ours.listed.extend(objects);
        }
        ours
    }

    /// Whether kfc installed an object: an inventory lists it, or a field manager of kfc applies it.
    pub(super) fn has(&self, kind: &str, object: &Value) -> bool {
        let metadata = &object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let entries = metadata["managedFields"].as_array().into_iter().flatten();
        let mut managers = entries.filter(|entry| entry["operation"] == "Apply");
        self.listed.contains(&(kind.to_owned(), text("namespace"), text("name")))
            || managers.any(|entry| entry["manager"].as_str().is_some_and(is_manager))
    }
}

fn is_manager(manager: &str) -> bool {
    manager.strip_prefix(MANAGER).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// An object as an inventory has it: `3 apps/v1 Deployment kubeflow katib-controller`, with `-` for no namespace.
fn listed(line: &str) -> Option<(String, String, String)> {
    let mut words = line.split(' ').skip(2).map(str::to_owned);
    let (kind, namespace, name) = (words.next()?, words.next()?, words.next()?);
    Some((kind, if namespace == "-" { String::new() } else { namespace }, name))
}

#[cfg(test)]
mod tests {
    use super::Ours;
    use crate::detect::Answers;
    use serde_json::json;

    #[test]
    fn inventories_and_field_managers_tell_what_kfc_installed() {
        let mut answers = Answers::default();
        answers.add(json!({"kind": "ConfigMapList", "items": [
            {"metadata": {"name": "kfc-inventory-a", "labels": {"kfc.dev/inventory": "a"}},
             "data": {"objects": "0 v1 Namespace - app\n1 apps/v1 Deployment app web found\n"}},
            {"metadata": {"name": "other"}, "data": {"objects": "0 v1 Namespace - no\n"}},
        ]}));
        let ours = Ours::of(&answers);
        assert_eq!(ours.inventories.get("a"), Some(&2));
        let has = |kind: &str, namespace: &str, name: &str| {
            ours.has(kind, &json!({"metadata": {"namespace": namespace, "name": name}}))
        };
        assert!(has("Deployment", "app", "web") && has("Namespace", "", "app"));
        assert!(!has("Deployment", "app", "other") && !has("Namespace", "", "no"));
        let managed = |manager: &str| {
            let entry = json!({"manager": manager, "operation": "Apply"});
            ours.has("Deployment", &json!({"metadata": {"name": "x", "managedFields": [entry]}}))
        };
        assert!(managed("kfc") && managed("kfc-shop") && !managed("kfctl") && !managed("helm"));
    }
}
