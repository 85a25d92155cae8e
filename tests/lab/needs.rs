//! What a kubelet needs to start the pods of a cluster: simulated nodes start every pod, also one whose Secret is missing.

use super::cluster::Cluster;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Config maps that controllers make once they run, and that nothing makes here: namespace and name. istiod writes the
/// certificate of its authority into every namespace.
const MADE: [(&str, &str); 1] = [("istio-system", "istio-ca-root-cert")];

/// What containers wait for, or would not find: config maps, Secrets, their keys, claims, ServiceAccounts. A line each,
/// empty when nothing is missing.
pub(crate) fn missing(cluster: &Cluster) -> String {
    let stock = Stock::of(cluster);
    let mut lines = BTreeSet::new();
    for pod in cluster.list("pods") {
        for line in stock.missing_of(&pod) {
            lines.insert(line);
        }
    }
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// What there is: kind, namespace and name, with the keys of its data.
struct Stock(BTreeMap<(&'static str, String, String), BTreeSet<String>>);

impl Stock {
    fn of(cluster: &Cluster) -> Self {
        let mut stock = BTreeMap::new();
        for kind in ["configmap", "secret", "serviceaccount", "persistentvolumeclaim"] {
            for object in cluster.list(kind) {
                let keys = [&object["data"], &object["binaryData"]];
                let keys =
                    keys.into_iter().filter_map(Value::as_object).flat_map(|data| data.keys().cloned());
                let [namespace, name] = ["namespace", "name"].map(|field| text(&object["metadata"][field]));
                stock.insert((kind, namespace, name), keys.collect());
            }
        }
        Self(stock)
    }

    fn missing_of(&self, pod: &Value) -> Vec<String> {
        let mut wants = vec![("serviceaccount", text(&pod["spec"]["serviceAccountName"]), None)];
        for volume in items(&pod["spec"]["volumes"]) {
            let projected = items(&volume["projected"]["sources"]);
            for source in if projected.is_empty() { std::slice::from_ref(volume) } else { projected } {
                wants_of_volume(source, &mut wants);
            }
        }
        for container in ["containers", "initContainers"].iter().flat_map(|list| items(&pod["spec"][*list])) {
            wants_of_container(container, &mut wants);
        }
        let namespace = text(&pod["metadata"]["namespace"]);
        let lacks = |(kind, name, key): &(&'static str, String, Option<String>)| {
            let there = self.0.get(&(*kind, namespace.clone(), name.clone()));
            !MADE.contains(&(namespace.as_str(), name.as_str()))
                && there.is_none_or(|keys| key.as_ref().is_some_and(|key| !keys.contains(key)))
        };
        let line = |(kind, name, key): (&str, String, Option<String>)| {
            let key = key.map_or_else(String::new, |key| format!(" with the key {key}"));
            let pod = text(&pod["metadata"]["generateName"]);
            format!("{namespace}/{pod} wants {kind} {name}{key}")
        };
        wants.into_iter().filter(lacks).map(line).collect()
    }
}

type Wants = Vec<(&'static str, String, Option<String>)>;

fn wants_of_volume(source: &Value, wants: &mut Wants) {
    let claim = &source["persistentVolumeClaim"]["claimName"];
    if claim.is_string() {
        wants.push(("persistentvolumeclaim", text(claim), None));
    }
    for (kind, field) in [("configmap", "configMap"), ("secret", "secret")] {
        let source = &source[field];
        if source.is_null() || source["optional"] == true {
            continue;
        }
        let name = text(if source["name"].is_string() { &source["name"] } else { &source["secretName"] });
        wants.extend(
            items(&source["items"]).iter().map(|item| (kind, name.clone(), Some(text(&item["key"])))),
        );
        wants.push((kind, name, None));
    }
}

fn wants_of_container(container: &Value, wants: &mut Wants) {
    for (kind, one, all) in
        [("configmap", "configMapKeyRef", "configMapRef"), ("secret", "secretKeyRef", "secretRef")]
    {
        for variable in items(&container["env"]) {
            let source = &variable["valueFrom"][one];
            if !source.is_null() && source["optional"] != true {
                wants.push((kind, text(&source["name"]), Some(text(&source["key"]))));
            }
        }
        for source in items(&container["envFrom"]) {
            let source = &source[all];
            if !source.is_null() && source["optional"] != true {
                wants.push((kind, text(&source["name"]), None));
            }
        }
    }
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
