//! What of a bundle is recorded: its digest, and which objects are withheld.

use super::super::hook_record::digest;
use kfc_kube::ObjectId;
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::ReadyRule;
use kfc_kube::redaction::holds_secret;
use kfc_kube::wave::{Item, Wave};
use kfc_yaml::value::from_json;
use serde_json::Value;
use std::collections::HashSet;

/// A bundle as a run applies it.
#[derive(Clone, Copy, Debug)]
pub struct RecordedBundle<'b> {
    /// Its waves.
    pub waves: &'b [Wave],
    /// The fields that it leaves to others.
    pub ignore: &'b [IgnoreRule],
    /// When its objects are ready.
    pub ready: &'b [ReadyRule],
    /// Objects with values that came out of Secrets, which their text does not tell.
    pub secret: &'b HashSet<ObjectId>,
}

impl RecordedBundle<'_> {
    /// Whether an object is withheld: its text holds a value that must not be stored, or it is known to.
    pub(super) fn withholds(&self, item: &Item, body: &Value) -> bool {
        // The namespace of an object may be settled since it became known.
        let is_same = |known: &ObjectId| {
            (&known.group, &known.kind, &known.name)
                == (&item.object.group, &item.object.kind, &item.object.name)
        };
        self.secret.iter().any(is_same) || holds_secret(&from_json(body, None))
    }

    /// The objects that are withheld, in the order of their identities.
    #[must_use]
    pub fn withheld(&self) -> Vec<ObjectId> {
        let mut withheld: Vec<ObjectId> = items(self.waves)
            .filter(|item| self.withholds(item, &body_of(item)))
            .map(|item| item.object.clone())
            .collect();
        withheld.sort();
        withheld
    }

    /// The digest of its objects: independent of their order, their waves and the spelling of their fields. An object that is
    /// withheld counts by its identity only, because a digest would tell a short value to anybody who tries all of them.
    #[must_use]
    pub fn digest(&self) -> String {
        let line = |item: &Item| {
            let body = body_of(item);
            let content = if self.withholds(item, &body) { String::new() } else { body.to_string() };
            // The namespace as it is written: that of the cluster's context is not part of the bundle.
            let namespace = body["metadata"]["namespace"].as_str().unwrap_or_default();
            let object = &item.object;
            format!("{} {} {namespace} {}\n{content}\n", object.api_version(), object.kind, object.name)
        };
        let mut lines: Vec<String> = items(self.waves).map(line).collect();
        lines.sort();
        digest(lines.concat())
    }
}

/// Every resource of some waves, hooks included.
fn items(waves: &[Wave]) -> impl Iterator<Item = &Item> {
    waves.iter().flat_map(|wave| wave.items.iter().chain(wave.hooks.iter().map(|hook| &hook.item)))
}

/// A resource as JSON, with its keys in order.
pub(super) fn body_of(item: &Item) -> Value {
    serde_json::from_str(&item.body).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::RecordedBundle;
    use kfc_diagnostics::SourceId;
    use kfc_kube::wave::{Wave, of_bundle};
    use kfc_kube::{Object, ObjectId};
    use kfc_yaml::Node;
    use kfc_yaml::parse::parse;
    use std::collections::HashSet;

    /// The waves of the documents of a text.
    pub(in super::super) fn waves(text: &str) -> Vec<Wave> {
        let documents = parse(text, SourceId(0)).unwrap();
        let scoped = |node: &Node| node.get("kind").and_then(Node::as_text) == Some("Namespace");
        let object = |node: Node| {
            let is_scoped = scoped(&node);
            Object::new(node, is_scoped)
        };
        let objects: Vec<Object> = documents.into_iter().map(object).collect();
        of_bundle(&objects.iter().collect::<Vec<_>>(), "shop").unwrap()
    }

    /// A bundle without anything but waves.
    pub(in super::super) fn bundle<'b>(
        waves: &'b [Wave],
        secret: &'b HashSet<ObjectId>,
    ) -> RecordedBundle<'b> {
        RecordedBundle { waves, ignore: &[], ready: &[], secret }
    }

    fn digest(text: &str) -> String {
        bundle(&waves(text), &HashSet::new()).digest()
    }

    const MAP: &str =
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {a: '1', b: '2'}}";
    const SECRET: &str = "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: planted}}";

    #[test]
    fn the_digest_is_that_of_the_objects_in_any_order_and_spelling() {
        let other = "kind: ConfigMap\napiVersion: v1\ndata:\n  b: \"2\"\n  a: \"1\"\nmetadata: {namespace: shop, name: a}\n";
        let role = "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: []}";
        assert_eq!(digest(&format!("{MAP}\n---\n{role}")), digest(&format!("{role}\n---\n{other}")));
        assert_ne!(digest(MAP), digest(&MAP.replace('2', "3")));
        assert_ne!(digest(MAP), digest(&format!("{MAP}\n---\n{role}")));
        assert_eq!(digest(MAP).len(), 64);
    }

    #[test]
    fn a_secret_counts_by_its_identity() {
        let with = |secret: &str| digest(&format!("{MAP}\n---\n{secret}"));
        assert_eq!(with(SECRET), with(&SECRET.replace("planted", "other")));
        assert_ne!(with(SECRET), with(&SECRET.replace("name: s", "name: t")));
        assert_ne!(with(SECRET), digest(MAP));
    }

    #[test]
    fn what_holds_a_secret_is_withheld() {
        let url = "{apiVersion: v1, kind: ConfigMap, metadata: {name: url}, data: {a: 'https://me:planted@example.org'}}";
        let copied = "{apiVersion: v1, kind: ConfigMap, metadata: {name: copied}, data: {a: planted}}";
        let hook = "{apiVersion: batch/v1, kind: Job, metadata: {name: h, annotations: {kfc.dev/hook: pre-apply}}, spec: {a: 'amqp://me:planted@host'}}";
        let waves = waves(&[MAP, SECRET, url, copied, hook].join("\n---\n"));
        let known = ObjectId { version: "v1".to_owned(), ..id("ConfigMap other/copied") };
        let secret = HashSet::from([known]);
        let withheld: Vec<String> =
            bundle(&waves, &secret).withheld().iter().map(ToString::to_string).collect();
        assert_eq!(withheld, ["ConfigMap shop/copied", "ConfigMap shop/url", "Secret shop/s", "Job shop/h"]);
    }

    fn id(text: &str) -> ObjectId {
        text.parse().unwrap()
    }
}
