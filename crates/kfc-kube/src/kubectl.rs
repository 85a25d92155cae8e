//! The kubectl commands that wait for a wave, for users who apply waves with kubectl. They wait for everything that
//! `kfc apply` waits for. kubectl does not retry, so they also wait for the addresses and certificates of webhooks.

use crate::object_id::ObjectId;
use crate::wave::{Gate, Item, Wave};
use serde_json::Value;
use std::collections::BTreeMap;

/// How long kubectl waits for one condition: as long as `kfc apply` does for a wave.
const TIMEOUT: &str = "--timeout=10m";

/// Annotations that make cert-manager write the certificate of a conversion webhook.
const INJECTED: &str = "cert-manager.io/inject-";

/// The commands that wait until a wave is ready, in the order in which they are to be run. `bundle` is all waves: a
/// wave may need objects of another one.
#[must_use]
pub fn wait_commands(wave: &Wave, bundle: &[Wave]) -> Vec<String> {
    let objects = Objects::of(wave);
    let services = webhook_services(&objects);
    let mut commands = Vec::new();
    wait(
        &mut commands,
        "--for=condition=Established",
        objects.all("CustomResourceDefinition", "apiextensions.k8s.io"),
    );
    for workload in workloads(wave, &objects, &services) {
        rollout(&mut commands, workload);
    }
    wait(&mut commands, "--for=condition=Available", objects.all("APIService", "apiregistration.k8s.io"));
    if wave.gate == Gate::All {
        wait(&mut commands, "--for=condition=Complete", objects.all("Job", "batch"));
    }
    for (namespace, name) in services.iter().filter(|service| is_served(service, bundle)) {
        commands.push(format!(
            "kubectl wait --for='jsonpath={{.endpoints[0].conditions.ready}}=true' {TIMEOUT}{} endpointslice --selector={}",
            in_namespace(namespace),
            shell_word(&format!("kubernetes.io/service-name={name}"))
        ));
    }
    wait(
        &mut commands,
        "--for='jsonpath={.webhooks[0].clientConfig.caBundle}'",
        uncertified_webhooks(&objects),
    );
    wait(
        &mut commands,
        "--for='jsonpath={.spec.conversion.webhook.clientConfig.caBundle}'",
        uncertified_conversions(&objects),
    );
    commands
}

/// The objects of a wave, read.
struct Objects<'w>(Vec<(&'w Item, Value)>);

impl<'w> Objects<'w> {
    fn of(wave: &'w Wave) -> Self {
        let read = |item: &'w Item| (item, serde_json::from_str(&item.body).unwrap_or_default());
        // To kubectl, hooks of an apply are resources as others.
        let hooks = wave.hooks.iter().filter(|hook| hook.hook.is_of_apply()).map(|hook| &hook.item);
        Self(wave.items.iter().chain(hooks).map(read).collect())
    }

    fn of_kind(
        &self,
        kind: &'static str,
        group: &'static str,
    ) -> impl Iterator<Item = (&'w ObjectId, &Value)> {
        let found =
            self.0.iter().filter(move |(item, _)| item.object.kind == kind && item.object.group == group);
        found.map(|(item, body)| (&item.object, body))
    }

    fn all(&self, kind: &'static str, group: &'static str) -> Vec<&'w ObjectId> {
        self.of_kind(kind, group).map(|(object, _)| object).collect()
    }

    fn webhooks(&self) -> impl Iterator<Item = (&'w ObjectId, &Value)> {
        let group = "admissionregistration.k8s.io";
        self.of_kind("MutatingWebhookConfiguration", group)
            .chain(self.of_kind("ValidatingWebhookConfiguration", group))
    }
}

/// Namespace and name of the services that answer the webhooks of a wave.
fn webhook_services(objects: &Objects<'_>) -> Vec<(String, String)> {
    let mut services = Vec::new();
    for (_, body) in objects.webhooks() {
        for webhook in body["webhooks"].as_array().into_iter().flatten() {
            let service = &webhook["clientConfig"]["service"];
            if let (Some(namespace), Some(name)) = (service["namespace"].as_str(), service["name"].as_str()) {
                services.push((namespace.to_owned(), name.to_owned()));
            }
        }
    }
    services.sort();
    services.dedup();
    services
}

/// Whether a service is in the bundle, with pods of its own choice.
fn is_served((namespace, name): &(String, String), bundle: &[Wave]) -> bool {
    bundle.iter().flat_map(|wave| &wave.items).any(|item| {
        let ObjectId { kind, group, namespace: there, name: of, .. } = &item.object;
        kind == "Service"
            && group.is_empty()
            && there == namespace
            && of == name
            && item.body.contains("\"selector\":{")
    })
}

/// What rolls out and has to be ready: everything of a wave, or what answers its webhooks only.
fn workloads<'w>(wave: &'w Wave, objects: &Objects<'w>, services: &[(String, String)]) -> Vec<&'w ObjectId> {
    let mut found = Vec::new();
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        for (object, body) in objects.of_kind(kind, "apps") {
            // kubectl does not follow what only changes when its pods are deleted.
            let is_followed = body["spec"]["updateStrategy"]["type"] != "OnDelete";
            if is_followed && (wave.gate == Gate::All || answers(object, body, objects, services)) {
                found.push(object);
            }
        }
    }
    let is_workload = |object: &&ObjectId| object.group == "apps";
    for object in wave.awaited.iter().filter(is_workload) {
        if !found.iter().any(|known| known.same_object(object)) {
            found.push(object);
        }
    }
    found
}

/// Whether the pods of a workload answer one of the services.
fn answers(object: &ObjectId, body: &Value, objects: &Objects<'_>, services: &[(String, String)]) -> bool {
    let labels = &body["spec"]["template"]["metadata"]["labels"];
    objects.of_kind("Service", "").any(|(service, body)| {
        let is_named =
            services.iter().any(|(namespace, name)| *namespace == service.namespace && *name == service.name);
        let selector = body["spec"]["selector"].as_object().filter(|selector| !selector.is_empty());
        is_named
            && service.namespace == object.namespace
            && selector.is_some_and(|selector| selector.iter().all(|(key, value)| labels[key] == *value))
    })
}

/// The webhook configurations whose certificate somebody else writes.
fn uncertified_webhooks<'w>(objects: &Objects<'w>) -> Vec<&'w ObjectId> {
    let lacks = |body: &Value| {
        let client = &body["webhooks"][0]["clientConfig"];
        client["service"].is_object() && client["caBundle"].as_str().unwrap_or_default().is_empty()
    };
    objects.webhooks().filter(|(_, body)| lacks(body)).map(|(object, _)| object).collect()
}

/// The definitions whose conversion webhook gets its certificate from cert-manager.
fn uncertified_conversions<'w>(objects: &Objects<'w>) -> Vec<&'w ObjectId> {
    let lacks = |body: &Value| {
        let client = &body["spec"]["conversion"]["webhook"]["clientConfig"];
        let annotations = body["metadata"]["annotations"].as_object();
        client["service"].is_object()
            && client["caBundle"].as_str().unwrap_or_default().is_empty()
            && annotations.is_some_and(|all| all.keys().any(|key| key.starts_with(INJECTED)))
    };
    let definitions = objects.of_kind("CustomResourceDefinition", "apiextensions.k8s.io");
    definitions.filter(|(_, body)| lacks(body)).map(|(object, _)| object).collect()
}

/// One command for the objects of each namespace.
fn wait(commands: &mut Vec<String>, what: &str, objects: Vec<&ObjectId>) {
    let mut by_namespace: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for object in objects {
        by_namespace.entry(&object.namespace).or_default().push(named(object));
    }
    for (namespace, names) in by_namespace {
        commands.push(format!(
            "kubectl wait {what} {TIMEOUT}{} {}",
            in_namespace(namespace),
            names.join(" ")
        ));
    }
}

fn rollout(commands: &mut Vec<String>, object: &ObjectId) {
    let namespace = in_namespace(&object.namespace);
    commands.push(format!("kubectl rollout status {TIMEOUT}{namespace} {}", named(object)));
}

fn named(object: &ObjectId) -> String {
    shell_word(&format!("{}/{}", object.kind.to_lowercase(), object.name))
}

fn in_namespace(namespace: &str) -> String {
    if namespace.is_empty() { String::new() } else { format!(" --namespace={}", shell_word(namespace)) }
}

/// A word of a shell, quoted where it has to be.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::wait_commands;
    use crate::object::Object;
    use crate::wave::of_bundle;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    fn commands(yaml: &str) -> Vec<Vec<String>> {
        let documents = parse(yaml, SourceId::NONE).unwrap();
        let wide =
            ["CustomResourceDefinition", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
        let object = |node| {
            let mut object = Object::new(node, false);
            object.cluster_scoped = wide.contains(&object.kind());
            object
        };
        let objects: Vec<Object> = documents.into_iter().map(object).collect();
        let waves = of_bundle(&objects.iter().collect::<Vec<_>>(), "").unwrap();
        waves.iter().map(|wave| wait_commands(wave, &waves)).collect()
    }

    const OPERATOR: &str = "
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: foos.x.io},
  spec: {group: x.io, names: {kind: Foo, plural: foos}, scope: Namespaced}}
---
{apiVersion: v1, kind: Service, metadata: {name: hooks, namespace: ops}, spec: {selector: {app: hooks}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: hooks, namespace: ops},
  spec: {template: {metadata: {labels: {app: hooks, more: x}}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: other, namespace: ops},
  spec: {template: {metadata: {labels: {app: other}}}}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: hooks},
  webhooks: [{name: a.x.io, clientConfig: {service: {name: hooks, namespace: ops}}}]}
---
{apiVersion: x.io/v1, kind: Foo, metadata: {name: f, namespace: ops}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: \"it's\", namespace: ops}}
";

    #[test]
    fn waves_wait_for_what_the_next_one_needs() {
        let found = commands(OPERATOR);
        assert_eq!(
            found[0],
            ["kubectl wait --for=condition=Established --timeout=10m customresourcedefinition/foos.x.io"]
        );
        assert_eq!(
            found[1],
            [
                "kubectl rollout status --timeout=10m --namespace=ops deployment/hooks",
                "kubectl wait --for='jsonpath={.endpoints[0].conditions.ready}=true' --timeout=10m --namespace=ops \
                 endpointslice --selector=kubernetes.io/service-name=hooks",
                "kubectl wait --for='jsonpath={.webhooks[0].clientConfig.caBundle}' --timeout=10m \
                 validatingwebhookconfiguration/hooks",
            ]
        );
        assert_eq!(found[2], [""; 0]);
    }

    #[test]
    fn the_last_wave_waits_for_everything_in_it() {
        let (_, rest) = OPERATOR.split_once("---").unwrap();
        let rest = rest.replace("clientConfig: {", "clientConfig: {caBundle: eA==, ");
        let found = commands(&rest);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0],
            [
                "kubectl rollout status --timeout=10m --namespace=ops deployment/hooks",
                "kubectl rollout status --timeout=10m --namespace=ops deployment/other",
                r"kubectl wait --for=condition=Complete --timeout=10m --namespace=ops 'job/it'\''s'",
                "kubectl wait --for='jsonpath={.endpoints[0].conditions.ready}=true' --timeout=10m --namespace=ops \
                 endpointslice --selector=kubernetes.io/service-name=hooks",
            ]
        );
    }
}
