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

/// What a revision says of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Examined {
    /// The digest of its objects: independent of their order, their waves and the spelling of their fields. An object that is
    /// withheld counts by its identity only, because a digest would tell a short value to anybody who tries all of them.
    pub(super) digest: String,
    /// The objects that are withheld, in the order of their identities.
    pub(super) withheld: Vec<ObjectId>,
}

impl RecordedBundle<'_> {
    /// Looks at each object once.
    pub(super) fn examined(&self) -> Examined {
        // The namespace of an object may be settled since it became known that it holds a secret.
        let name = |object: &ObjectId| (object.group.clone(), object.kind.clone(), object.name.clone());
        let known: HashSet<(String, String, String)> = self.secret.iter().map(name).collect();
        let mut withheld = Vec::new();
        let mut lines = Vec::new();
        for item in items(self.waves) {
            let object = &item.object;
            // What cannot be read may hold anything.
            let read = serde_json::from_str::<Value>(&item.body);
            let is_withheld = known.contains(&name(object))
                || read.as_ref().map_or(true, |body| holds_secret(&from_json(body, None)));
            let body = read.unwrap_or_default();
            let content = if is_withheld { String::new() } else { body.to_string() };
            withheld.extend(is_withheld.then(|| object.clone()));
            // The namespace as it is written: that of the cluster's context is not part of the bundle.
            let namespace = body["metadata"]["namespace"].as_str().unwrap_or_default();
            let (version, kind, name) = (object.api_version(), &object.kind, &object.name);
            lines.push(format!("{version} {kind} {namespace} {name}\n{content}\n"));
        }
        withheld.sort();
        lines.sort();
        Examined { digest: digest(lines.concat()), withheld }
    }
}

/// Every resource of some waves, hooks included.
fn items(waves: &[Wave]) -> impl Iterator<Item = &Item> {
    waves.iter().flat_map(|wave| wave.items.iter().chain(wave.hooks.iter().map(|hook| &hook.item)))
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
        bundle(&waves(text), &HashSet::new()).examined().digest
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
            bundle(&waves, &secret).examined().withheld.iter().map(ToString::to_string).collect();
        assert_eq!(withheld, ["ConfigMap shop/copied", "ConfigMap shop/url", "Secret shop/s", "Job shop/h"]);
    }

    fn id(text: &str) -> ObjectId {
        text.parse().unwrap()
    }
}
