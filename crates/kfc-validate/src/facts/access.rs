//! RBAC, API services, priority and fairness.

use super::here::{Check, Here, is_empty};
use kfc_diagnostics::Code;
use kfc_yaml::Node;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("rbac.v1.Role", role),
    ("rbac.v1.ClusterRole", cluster_role),
    ("rbac.v1.ClusterRoleBinding", cluster_binding),
    ("apiregistration.v1.APIService", api_service),
    ("flowcontrol.v1.ResourcePolicyRule", stars),
    ("flowcontrol.v1.NonResourcePolicyRule", stars),
    ("flowcontrol.v1.QueuingConfiguration", queues),
    ("flowcontrol.v1.FlowSchemaSpec", flow_schema),
    ("flowcontrol.v1.FlowSchema", named_schema),
    ("flowcontrol.v1.PriorityLevelConfiguration", priority_level),
];

fn role(here: &mut Here<'_, '_>) {
    rules(here, false);
}

fn cluster_role(here: &mut Here<'_, '_>) {
    rules(here, true);
}

fn rules(here: &mut Here<'_, '_>, is_cluster: bool) {
    for (index, rule) in here.items(&["rules"]) {
        let has = |field: &str| rule.get(field).is_some_and(|list| !is_empty(list));
        let below = |field: &str| format!("rules[{index}].{field}");
        if has("nonResourceURLs") {
            if !is_cluster {
                here.invalid(&below("nonResourceURLs"), "namespaced rules cannot apply to non-resource URLs");
            }
            if has("apiGroups") || has("resources") || has("resourceNames") {
                here.invalid(
                    &below("nonResourceURLs"),
                    "rules cannot apply to both regular resources and non-resource URLs",
                );
            }
            continue;
        }
        if !has("apiGroups") {
            here.required(&below("apiGroups"), "resource rules must supply at least one api group");
        }
        if !has("resources") {
            here.required(&below("resources"), "resource rules must supply at least one resource");
        }
    }
}

fn cluster_binding(here: &mut Here<'_, '_>) {
    for (index, subject) in here.items(&["subjects"]) {
        let is_account = subject.get("kind").and_then(Node::as_text) == Some("ServiceAccount");
        if is_account && subject.get("namespace").is_none_or(is_empty) {
            here.required(&format!("subjects[{index}].namespace"), "");
        }
    }
    if let Some(kind) = here.text(&["roleRef", "kind"]).filter(|kind| *kind != "ClusterRole") {
        here.refuse(
            Code::ValueNotAllowed,
            "roleRef.kind",
            &super::table::unsupported(kind, &["ClusterRole"]),
        );
    }
}

fn api_service(here: &mut Here<'_, '_>) {
    let (group, version) =
        (here.text(&["spec", "group"]).unwrap_or(""), here.text(&["spec", "version"]).unwrap_or(""));
    let due = format!("{version}.{group}");
    if here.text(&["metadata", "name"]).is_some_and(|name| name != due) {
        here.invalid("metadata.name", &format!("must be `spec.version+\".\"+spec.group`: \"{due}\""));
    }
    if group.is_empty() && version != "v1" {
        here.required("spec.group", "only v1 may have an empty group and it better be legacy kube");
    }
    if version.is_empty() {
        here.required("spec.version", "");
    }
    let is_insecure = here.is_true(&["spec", "insecureSkipTLSVerify"]);
    let has_bundle = here.text(&["spec", "caBundle"]).is_some();
    if here.at(&["spec", "service"]).is_none() {
        for (field, is_set) in [("insecureSkipTLSVerify", is_insecure), ("caBundle", has_bundle)] {
            if is_set {
                here.invalid(&format!("spec.{field}"), "local APIServices may not have it");
            }
        }
    }
}

/// A `*` is alone.
fn stars(here: &mut Here<'_, '_>) {
    for list in ["verbs", "apiGroups", "resources", "namespaces", "nonResourceURLs"] {
        let all: Vec<&str> = here.items(&[list]).filter_map(|(_, item)| item.as_text()).collect();
        if all.len() > 1 && all.contains(&"*") {
            here.invalid(list, "if '*' is present, must not specify other values");
        }
    }
}

fn queues(here: &mut Here<'_, '_>) {
    let queues = here.number(&["queues"]).filter(|count| *count != 0).unwrap_or(64);
    let hand = here.number(&["handSize"]).filter(|count| *count != 0).unwrap_or(8);
    if hand > queues {
        here.invalid("handSize", "should not be greater than queues");
        return;
    }
    // The number of different hands of cards has to fit a number of 60 bits; those of so many cards never do.
    let counted = hand.clamp(0, 60);
    #[allow(clippy::cast_precision_loss, reason = "compared with 60 bits")]
    let entropy = (0..counted).map(|dealt| ((queues - dealt).max(1) as f64).log2()).sum::<f64>();
    if entropy > 60.0 {
        here.invalid(
            "handSize",
            "required entropy bits of deckSize and handSize should not be greater than 60",
        );
    }
}

/// Only one level is exempt.
fn priority_level(here: &mut Here<'_, '_>) {
    let is_exempt = here.text(&["metadata", "name"]) == Some("exempt");
    let kind = here.text(&["spec", "type"]);
    if kind.is_some_and(|kind| (kind == "Exempt") != is_exempt) {
        here.invalid("spec.type", "must be 'Exempt' if and only if `name` is 'exempt'");
    }
    // This one always exists, as the server made it.
    let shares = here.number(&["spec", "limited", "nominalConcurrencyShares"]);
    if here.text(&["metadata", "name"]) == Some("catch-all") && shares != Some(5) {
        here.invalid("spec", "spec of 'catch-all' must equal the fixed value");
    }
}

fn flow_schema(here: &mut Here<'_, '_>) {
    if here.at(&["distinguisherMethod"]).is_some_and(|method| method.get("type").is_none_or(Node::is_null)) {
        here.refuse(
            Code::ValueNotAllowed,
            "distinguisherMethod.type",
            &super::table::unsupported("", &["ByNamespace", "ByUser"]),
        );
    }
}

/// The schemas that always exist, as the server made them.
fn named_schema(here: &mut Here<'_, '_>) {
    let precedence = here.number(&["spec", "matchingPrecedence"]);
    let level = here.text(&["spec", "priorityLevelConfiguration", "name"]);
    let name = here.text(&["metadata", "name"]);
    let due = match name {
        Some("exempt") => (Some(1), Some("exempt")),
        Some("catch-all") => (Some(10000), Some("catch-all")),
        _ if precedence == Some(1) => {
            return here.invalid(
                "spec.matchingPrecedence",
                "only the schema named 'exempt' may have matchingPrecedence 1",
            );
        }
        _ => return,
    };
    if (precedence, level) != due {
        let name = name.unwrap_or_default();
        here.invalid("spec", &format!("spec of '{name}' must equal the fixed value"));
    }
}
