//! Webhooks and admission policies.

use super::here::{Check, Here};
use super::words::Writing;
use kfc_yaml::Node;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("admissionregistration.v1.ValidatingWebhook", webhook),
    ("admissionregistration.v1.MutatingWebhook", webhook),
    ("apiextensions.v1.WebhookConversion", conversion),
    ("admissionregistration.v1.RuleWithOperations", rule),
    ("admissionregistration.v1.NamedRuleWithOperations", rule),
    ("admissionregistration.v1.MatchResources", match_resources),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", policy),
    ("admissionregistration.v1.MutatingAdmissionPolicySpec", policy),
    ("admissionregistration.v1.MutatingAdmissionPolicySpec", mutating_policy),
    ("admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec", binding),
    ("admissionregistration.v1.Validation", validation),
    ("admissionregistration.v1.MatchCondition", expression),
    ("admissionregistration.v1.Variable", expression),
];

/// Versions of reviews that an API server sends.
const SENT: [&str; 2] = ["v1", "v1beta1"];

fn webhook(here: &mut Here<'_, '_>) {
    versions(here, "admissionReviewVersions");
    for field in ["sideEffects", "failurePolicy", "matchPolicy", "reinvocationPolicy"] {
        if here.node.get(field).and_then(Node::as_str) == Some("") {
            here.invalid(field, "Unsupported value: \"\"");
        }
    }
}

fn conversion(here: &mut Here<'_, '_>) {
    versions(here, "conversionReviewVersions");
}

fn versions(here: &mut Here<'_, '_>, field: &str) {
    let all: Vec<&str> = here.items(&[field]).filter_map(|(_, version)| version.as_text()).collect();
    if !all.is_empty() && !all.iter().any(|version| SENT.contains(version)) {
        here.invalid(field, "must include at least one of v1, v1beta1");
    }
    for (index, version) in all.iter().enumerate() {
        if version.is_empty() || Writing::Label1035.fault(version).is_some() {
            here.invalid(
                &format!("{field}[{index}]"),
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-'",
            );
        }
    }
}

fn rule(here: &mut Here<'_, '_>) {
    let texts =
        |list: &str| -> Vec<&str> { here.items(&[list]).filter_map(|(_, item)| item.as_text()).collect() };
    let (operations, groups, versions, resources) =
        (texts("operations"), texts("apiGroups"), texts("apiVersions"), texts("resources"));
    for (list, all, what) in [
        ("operations", &operations, "operations"),
        ("apiGroups", &groups, "API groups"),
        ("apiVersions", &versions, "API versions"),
    ] {
        if all.len() > 1 && all.contains(&"*") {
            here.invalid(list, &format!("if '*' is present, must not specify other {what}"));
        }
    }
    if here.node.get("scope").and_then(Node::as_str) == Some("") {
        here.invalid(
            "scope",
            "Unsupported value: \"\": supported values: \"*\", \"Cluster\", \"Namespaced\"",
        );
    }
    if resources.len() > 1 && resources.contains(&"*/*") {
        here.invalid("resources", "if '*/*' is present, must not specify other resources");
    }
    if resources.contains(&"*")
        && resources.iter().any(|resource| *resource != "*" && !resource.contains('/'))
    {
        here.invalid("resources", "if '*' is present, must not specify other resources without subresources");
    }
    let mut seen: Vec<&str> = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        if let Some((of, sub)) = resource.split_once('/') {
            let (any_of, any_sub) = (format!("*/{sub}"), format!("{of}/*"));
            let wider = seen
                .iter()
                .find(|other| (**other == any_of && of != "*") || (**other == any_sub && sub != "*"));
            if let Some(wider) = wider {
                here.invalid(
                    &format!("resources[{index}]"),
                    &format!("if '{wider}' is present, must not specify {resource}"),
                );
            }
        }
        seen.push(resource);
    }
}

fn match_resources(here: &mut Here<'_, '_>) {
    let is_of_policy = here.path.ends_with("matchConstraints");
    if is_of_policy && here.items(&["resourceRules"]).next().is_none() {
        here.required("resourceRules", "");
    }
}

fn policy(here: &mut Here<'_, '_>) {
    for list in ["failurePolicy", "reinvocationPolicy"] {
        if here.node.get(list).and_then(Node::as_str) == Some("") {
            here.invalid(list, "Unsupported value: \"\"");
        }
    }
}

/// What is deleted or connected cannot be changed.
fn mutating_policy(here: &mut Here<'_, '_>) {
    for (index, rule) in here.items(&["matchConstraints", "resourceRules"]) {
        for (at, operation) in rule.get("operations").and_then(Node::as_seq).into_iter().flatten().enumerate()
        {
            if matches!(operation.as_text(), Some("DELETE")) {
                here.invalid(
                    &format!("matchConstraints.resourceRules[{index}].operations[{at}]"),
                    &format!(
                        "Unsupported value: \"{}\": supported values: \"CREATE\", \"UPDATE\"",
                        operation.as_text().unwrap_or("")
                    ),
                );
            }
        }
    }
}

fn binding(here: &mut Here<'_, '_>) {
    let has = |action: &str| here.items(&["validationActions"]).any(|(_, one)| one.as_text() == Some(action));
    if has("Deny") && has("Warn") {
        here.invalid("validationActions", "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)");
    }
}

fn validation(here: &mut Here<'_, '_>) {
    expression(here);
    if here
        .node
        .get("message")
        .and_then(Node::as_str)
        .is_some_and(|message| !message.is_empty() && message.trim().is_empty())
    {
        here.invalid("message", "must be non-empty if specified");
    }
}

fn expression(here: &mut Here<'_, '_>) {
    if here.text(&["expression"]).is_some_and(|expression| expression.trim().is_empty()) {
        here.required("expression", "");
    }
}
