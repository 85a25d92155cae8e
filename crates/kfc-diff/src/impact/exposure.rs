//! What can newly be reached from outside, and webhooks that block requests when they fail.

use super::changed::{Changed, finding};
use crate::model::{ChangeKind, Class, Finding, Severity};
use kfc_yaml::Node;

/// Findings of services, policies and webhooks.
pub(super) fn findings(changed: &Changed<'_, '_>) -> Vec<Finding> {
    match changed.resource_kind() {
        "Service" => service(changed),
        "NetworkPolicy" | "AuthorizationPolicy" | "RequestAuthentication" => policy(changed),
        "Ingress" | "Gateway" | "HTTPRoute" | "Route" if changed.kind == ChangeKind::Added => {
            let kind = changed.resource_kind();
            vec![finding(
                Class::Exposure,
                Severity::High,
                "",
                format!("a new {kind} can be reached from outside the cluster"),
            )]
        }
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => webhooks(changed),
        _ => Vec::new(),
    }
}

fn service(changed: &Changed<'_, '_>) -> Vec<Finding> {
    let kind = |node: Option<&Node>| {
        let found = node.and_then(|node| node.at(&["spec", "type"])).and_then(Node::as_text);
        found.unwrap_or("ClusterIP").to_owned()
    };
    let (before, after) = (kind(changed.old_node()), kind(changed.new_node()));
    let opens = matches!(after.as_str(), "LoadBalancer" | "NodePort") && changed.after.is_some();
    if !opens || before == after {
        return Vec::new();
    }
    let message = format!("the Service can be reached from outside the cluster: its type is {after}");
    vec![finding(Class::Exposure, Severity::High, "spec.type", message)]
}

fn policy(changed: &Changed<'_, '_>) -> Vec<Finding> {
    let Some(before) = changed.before.filter(|_| changed.kind == ChangeKind::Removed) else {
        return Vec::new();
    };
    let kind = &before.identity.kind;
    let message = format!("the {kind} no longer limits who may reach `{}`", selected(&before.node));
    vec![finding(Class::Exposure, Severity::High, "", message)]
}

/// What a policy is about, in words.
fn selected(node: &Node) -> String {
    let labels = node
        .at(&["spec", "podSelector", "matchLabels"])
        .or_else(|| node.at(&["spec", "selector", "matchLabels"]));
    let pairs = labels.and_then(Node::as_map).into_iter().flat_map(kfc_yaml::Map::iter);
    let text: Vec<String> = pairs
        .map(|entry| format!("{}={}", entry.key.text, entry.value.as_text().unwrap_or_default()))
        .collect();
    if text.is_empty() { "every pod of its namespace".to_owned() } else { text.join(",") }
}

fn webhooks(changed: &Changed<'_, '_>) -> Vec<Finding> {
    let hooks = |node: Option<&Node>| -> Vec<(String, String)> {
        let found =
            node.and_then(|node| node.get("webhooks")).and_then(Node::as_seq).unwrap_or_default().to_vec();
        let text = |hook: &Node, field: &str| hook.get(field).and_then(Node::as_text).map(str::to_owned);
        let policy = |hook: &Node| text(hook, "failurePolicy").unwrap_or_else(|| "Fail".to_owned());
        found.iter().map(|hook| (text(hook, "name").unwrap_or_default(), policy(hook))).collect()
    };
    let before = hooks(changed.old_node());
    let mut found = Vec::new();
    for (name, policy) in hooks(changed.new_node()) {
        let old = before.iter().find(|(other, _)| *other == name).map(|(_, policy)| policy.as_str());
        if policy == "Fail" && old != Some("Fail") {
            let message = format!("requests are refused when the webhook `{name}` does not answer");
            found.push(finding(Class::Webhook, Severity::High, "webhooks", message));
        } else if policy == "Ignore" && old == Some("Fail") {
            let message = format!("requests pass unchecked when the webhook `{name}` does not answer");
            found.push(finding(Class::Webhook, Severity::High, "webhooks", message));
        }
    }
    found
}
