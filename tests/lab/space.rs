//! What a test has to itself on a shared server: a namespace, and an inventory of the same name.

use super::cluster::{Cluster, Run, Server};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) struct Space {
    pub(crate) cluster: Cluster,
    pub(crate) name: &'static str,
}

impl Space {
    pub(crate) fn of(server: Server, name: &'static str) -> Self {
        Self { cluster: Cluster::of(server), name }
    }

    /// The documents after the namespace.
    pub(crate) fn bundle(&self, documents: &[&str]) -> String {
        format!("{}{}", namespace(self.name), documents.concat())
    }

    pub(crate) fn map(&self, name: &str, value: &str) -> String {
        map(self.name, name, value)
    }

    pub(crate) fn maps(&self, range: std::ops::Range<usize>) -> String {
        range.map(|at| self.map(&format!("m{at:04}"), "1")).collect()
    }

    pub(crate) fn secret(&self, name: &str, value: &str) -> String {
        let name = meta(self.name, name);
        format!("apiVersion: v1\nkind: Secret\n{name}\nstringData: {{password: {value}}}\n---\n")
    }

    pub(crate) fn claim(&self, name: &str, more: &str) -> String {
        let name = meta(self.name, name);
        format!(
            "apiVersion: v1\nkind: PersistentVolumeClaim\n{name}\n\
             spec: {{{more}accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}\n---\n"
        )
    }

    /// A config map that is ready once its `phase` is `warm`: see [`Space::warm`].
    pub(crate) fn slow(&self, name: &str) -> String {
        let ready = "annotations: {kfc.dev/ready: \"has(object.data.phase) && object.data.phase == 'warm'\"}";
        self.map(name, "1").replace("namespace:", &format!("{ready}, namespace:"))
    }

    pub(crate) fn warm(&self, name: &str) {
        self.edit("configmap", name, r#"{"data": {"phase": "warm"}}"#);
    }

    /// A Deployment whose pods are bound to a node that does not exist: nothing but a test writes their status.
    pub(crate) fn deployment(&self, image: &str) -> String {
        let name = meta(self.name, "web");
        format!(
            "apiVersion: apps/v1\nkind: Deployment\n{name}\nspec:\n  replicas: 1\n  selector: {{matchLabels: {{app: web}}}}\n  \
             template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      nodeName: nowhere\n      \
             containers:\n      - {{name: web, image: '{image}'}}\n---\n"
        )
    }

    /// Applies YAML text under the name.
    pub(crate) fn apply(&self, text: &str, more: &[&str]) -> Run {
        self.apply_as(self.name, text, more)
    }

    /// Applies YAML text as another inventory.
    pub(crate) fn apply_as(&self, name: &str, text: &str, more: &[&str]) -> Run {
        let file = format!("{name}.yaml");
        self.cluster.write(&file, text);
        let mut args = vec!["apply", &file, "--name", name];
        if !more.contains(&"--timeout") {
            args.extend(["--timeout", "40s"]);
        }
        self.cluster.kfc(&[&args[..], more].concat())
    }

    pub(crate) fn delete(&self, more: &[&str]) -> Run {
        self.cluster.kfc(&[&["delete", "--name", self.name, "--yes"], more].concat())
    }

    /// Changes an object as somebody else does.
    pub(crate) fn edit(&self, kind: &str, name: &str, patch: &str) {
        let place = format!("--namespace={}", self.name);
        let how = ["--type=merge", "--field-manager=kubectl-edit", "--patch", patch];
        self.cluster.kubectl(&[&["patch", kind, name, &place], &how[..]].concat()).succeeds();
    }

    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<Value> {
        self.cluster.get(kind, self.name, name)
    }

    pub(crate) fn has_map(&self, name: &str) -> bool {
        self.get("configmap", name).is_some()
    }

    /// Whether the namespace exists.
    pub(crate) fn exists(&self) -> bool {
        self.cluster.get("namespace", "", self.name).is_some()
    }

    /// What the inventory lists, as `ConfigMap NAMESPACE/a`; nothing when it does not exist.
    pub(crate) fn listed(&self) -> BTreeSet<String> {
        listed(&self.cluster, self.name)
    }

    /// The config maps and Secrets of the namespace and the config maps of the inventory, with their versions.
    pub(crate) fn versions(&self) -> BTreeMap<String, String> {
        let all = self.cluster.list("configmaps,secrets,persistentvolumeclaims,deployments");
        let named = all.iter().filter_map(|object| {
            let meta = &object["metadata"];
            let (space, name) = (meta["namespace"].as_str()?, meta["name"].as_str()?);
            let is_kept = meta["labels"]["kfc.dev/inventory"] == self.name;
            let is_own = space == self.name && name != "kube-root-ca.crt";
            let name = format!("{} {space}/{name}", object["kind"].as_str()?);
            (is_own || is_kept).then(|| Some((name, meta["resourceVersion"].as_str()?.to_owned())))?
        });
        named.collect()
    }

    /// Who owns fields of a config map.
    pub(crate) fn managers(&self, name: &str) -> Vec<String> {
        let place = format!("--namespace={}", self.name);
        let show = ["get", "configmap", name, &place, "--output=json", "--show-managed-fields"];
        let object: Value = serde_json::from_str(&self.cluster.kubectl(&show).succeeds().0).unwrap();
        let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<String> =
            entries.iter().map(|entry| entry["manager"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

/// What an inventory lists; nothing when it does not exist.
pub(crate) fn listed(cluster: &Cluster, name: &str) -> BTreeSet<String> {
    let run = cluster.kfc(&["inventory", "show", name]);
    if run.code != Some(0) {
        assert!(run.err.contains("does not exist"), "{}", run.err);
        return BTreeSet::new();
    }
    // A line of titles, and a column of notes.
    let objects = run.out.lines().skip(1).filter_map(|line| line.split("  ").next());
    objects.map(|object| object.trim().to_owned()).collect()
}

pub(crate) fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n---\n")
}

pub(crate) fn map(namespace: &str, name: &str, value: &str) -> String {
    let name = meta(namespace, name);
    format!("apiVersion: v1\nkind: ConfigMap\n{name}\ndata: {{key: '{value}'}}\n---\n")
}

fn meta(namespace: &str, name: &str) -> String {
    format!("metadata: {{name: {name}, namespace: {namespace}}}")
}
