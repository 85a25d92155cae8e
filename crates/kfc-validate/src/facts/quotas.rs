//! Quotas and ranges of resources, nodes, and what names and labels of single kinds say.

use super::here::{Check, Here, amount, is_empty, key, text};
use super::resources::{NOT_STANDARD, is_huge_page};
use super::words::{cidr, is_extended, qualified};
use kfc_yaml::Node;
use std::collections::HashSet;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("core.v1.ResourceQuotaSpec", quota),
    ("core.v1.ResourceQuotaSpec", scopes),
    ("core.v1.ScopedResourceSelectorRequirement", scope),
    ("core.v1.LimitRangeItem", range),
    ("core.v1.NodeSpec", node),
    ("core.v1.Namespace", namespace),
    ("core.v1.NamespaceSpec", namespace_finalizers),
    ("meta.ObjectMeta", metadata),
    ("scheduling.v1.PriorityClass", priority_class),
    ("node.v1.Scheduling", tolerations),
    ("core.v1.Secret", secret),
    ("core.v1.Event", event),
    ("certificates.v1.ClusterTrustBundle", trust_bundle),
    ("certificates.v1.CertificateSigningRequestSpec", signing_request),
];

/// Resources that a quota measures, without a domain.
const MEASURED: [&str; 10] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];
/// Resources that a quota counts, without a domain.
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];
const STANDARD_FINALIZERS: [&str; 4] =
    ["kubernetes", "orphan", "foregroundDeletion", "kubernetes.io/pvc-protection"];

fn quota(here: &mut Here<'_, '_>) {
    for entry in here.map(&["hard"]).into_iter().flatten() {
        let name = entry.key.text.as_str();
        let below = format!("hard{}", key(name));
        let is_known = MEASURED.contains(&name)
            || COUNTED.contains(&name)
            || name.contains('/')
            || is_huge_page(name)
            || is_huge_page(name.strip_prefix("requests.").unwrap_or(""));
        if let Some(words) = qualified(name) {
            here.invalid(&below, &words);
        } else if !is_known {
            here.invalid(&below, NOT_STANDARD);
        }
        let Some(amount) = amount(&entry.value) else { continue };
        let is_whole = COUNTED.contains(&name) || name.starts_with("count/") || is_extended(name);
        if amount < 0.0 {
            here.invalid(&below, "must be greater than or equal to 0");
        } else if is_whole && amount.fract() != 0.0 {
            here.invalid(&below, "must be an integer");
        }
    }
}

fn scopes(here: &mut Here<'_, '_>) {
    let all: Vec<&str> = here.items(&["scopes"]).filter_map(|(_, scope)| scope.as_text()).collect();
    for (one, other) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if all.contains(&one) && all.contains(&other) {
            here.invalid("scopes", "conflicting scopes");
        }
    }
    let resources: Vec<&str> =
        here.map(&["hard"]).into_iter().flatten().map(|entry| entry.key.text.as_str()).collect();
    if all.iter().any(|scope| resources.iter().any(|name| !can_scope(scope, name))) {
        here.invalid("scopes", NOT_SCOPED);
    }
    for (index, one) in here.items(&["scopeSelector", "matchExpressions"]) {
        let scope = one.get("scopeName").and_then(text).unwrap_or("");
        if resources.iter().any(|name| !can_scope(scope, name)) {
            here.invalid(&format!("scopeSelector.matchExpressions[{index}]"), NOT_SCOPED);
        }
    }
}

const NOT_SCOPED: &str = "unsupported scope applied to resource";

/// Whether a quota of a resource can be limited to a scope. Those of resources with a domain always can.
fn can_scope(scope: &str, resource: &str) -> bool {
    let is_standard = MEASURED.contains(&resource) || COUNTED.contains(&resource);
    let is_of_pods = resource == "pods";
    let is_of_claims = matches!(resource, "persistentvolumeclaims" | "requests.storage");
    let is_computed = MEASURED.contains(&resource) && !resource.ends_with("storage");
    match scope {
        _ if !is_standard => true,
        "BestEffort" => is_of_pods,
        "NotBestEffort"
        | "Terminating"
        | "NotTerminating"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => is_of_pods || is_computed,
        "VolumeAttributesClass" => is_of_claims,
        _ => true,
    }
}

fn scope(here: &mut Here<'_, '_>) {
    let values = here.items(&["values"]).next().is_some();
    let operator = here.text(&["operator"]);
    let name = here.text(&["scopeName"]);
    if matches!(
        name,
        Some("BestEffort" | "NotBestEffort" | "Terminating" | "NotTerminating" | "CrossNamespacePodAffinity")
    ) && operator.is_some_and(|operator| operator != "Exists")
    {
        here.invalid(
            "operator",
            &format!("must be 'Exists' only operator when scope is {}", name.unwrap_or("")),
        );
    }
    match operator {
        Some("In" | "NotIn") if !values => {
            here.required("values", "must be at least one value when `operator` is 'In' or 'NotIn'");
        }
        Some("Exists" | "DoesNotExist") if values => {
            here.invalid("values", "must be no value when `operator` is 'Exists' or 'DoesNotExist'");
        }
        _ => {}
    }
}

fn range(here: &mut Here<'_, '_>) {
    let kind = here.text(&["type"]).unwrap_or("");
    if let Some(words) = qualified(kind).filter(|_| !kind.is_empty()) {
        here.invalid("type", &words);
    } else if !kind.is_empty()
        && !kind.contains('/')
        && !matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim")
    {
        here.invalid("type", "must be a standard limit type or fully qualified");
    }
    if kind == "PersistentVolumeClaim"
        && here.at(&["min", "storage"]).is_none()
        && here.at(&["max", "storage"]).is_none()
    {
        here.required("", "either minimum or maximum storage value is required, but neither was provided");
    }
    for list in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
        for entry in here.map(&[list]).into_iter().flatten() {
            let name = entry.key.text.as_str();
            let below = format!("{list}{}", key(name));
            let is_known = matches!(name, "cpu" | "memory" | "ephemeral-storage" | "storage" | "pods")
                || name.contains('/')
                || is_huge_page(name);
            if !is_known {
                here.invalid(&below, NOT_STANDARD);
            }
            of_range(here, list, name);
        }
    }
}

/// The amounts of one resource, from the least to the most: `min`, `defaultRequest`, `default`, `max`.
fn of_range(here: &mut Here<'_, '_>, list: &str, name: &str) {
    const ORDER: [&str; 4] = ["min", "defaultRequest", "default", "max"];
    let node = here.node;
    let at = |list: &str| node.at(&[list, name]).and_then(amount);
    let Some(value) = at(list) else { return };
    let below = format!("{list}{}", key(name));
    if list == "maxLimitRequestRatio" {
        if value < 1.0 {
            here.invalid(&below, "the ratio is less than 1");
        }
        if let (Some(min), Some(max)) = (at("min"), at("max"))
            && value > max / min
        {
            here.invalid(&below, "the ratio is greater than max/min");
        }
        return;
    }
    let position = ORDER.iter().position(|one| *one == list).unwrap_or(0);
    for lower in &ORDER[..position] {
        if at(lower).is_some_and(|least| least > value) {
            let words = format!("{lower} value is greater than {list} value");
            here.invalid(&below, &words);
            here.invalid(&format!("{lower}{}", key(name)), &words);
        }
    }
    if is_extended(name)
        && list == "defaultRequest"
        && at("default").is_some_and(|most| (most - value).abs() > f64::EPSILON)
    {
        here.invalid(&below, "default value must equal to defaultRequest value");
    }
}

fn node(here: &mut Here<'_, '_>) {
    let mut seen = HashSet::new();
    for (index, taint) in here.items(&["taints"]) {
        let of = |field: &str| taint.get(field).and_then(text);
        if of("key").is_some() && !seen.insert((of("key"), of("effect"))) {
            here.duplicate(&format!("taints[{index}]"), of("key").unwrap_or(""));
        }
    }
    let ranges: Vec<_> = here.items(&["podCIDRs"]).filter_map(|(_, range)| cidr(range.as_text()?)).collect();
    if ranges.len() > 1 && ranges.iter().all(|(address, _)| address.is_ipv4() == ranges[0].0.is_ipv4()) {
        here.invalid("podCIDRs", "may specify no more than one CIDR for each IP family");
    }
}

/// Labels of a namespace that the pod security admission reads.
fn namespace(here: &mut Here<'_, '_>) {
    for mode in ["enforce", "audit", "warn"] {
        let level = format!("pod-security.kubernetes.io/{mode}");
        if let Some(text) = here.at(&["metadata", "labels", &level]).and_then(Node::as_text)
            && !matches!(text, "privileged" | "baseline" | "restricted")
        {
            here.invalid(
                &format!("metadata.labels{}", key(&level)),
                "must be one of privileged, baseline, restricted",
            );
        }
        let version = format!("{level}-version");
        if let Some(text) = here.at(&["metadata", "labels", &version]).and_then(Node::as_text)
            && text != "latest"
            && !text
                .strip_prefix("v1.")
                .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()))
        {
            here.invalid(&format!("metadata.labels{}", key(&version)), "must be \"latest\" or \"v1.x\"");
        }
    }
}

fn namespace_finalizers(here: &mut Here<'_, '_>) {
    finalizers(here);
}

fn finalizers(here: &mut Here<'_, '_>) {
    for (index, one) in here.items(&["finalizers"]) {
        let Some(name) = one.as_text() else { continue };
        let below = format!("finalizers[{index}]");
        if let Some(words) = qualified(name) {
            here.invalid(&below, &words);
        } else if !name.contains('/') && !STANDARD_FINALIZERS.contains(&name) {
            here.invalid(&below, "name is neither a standard finalizer name nor is it fully qualified");
        }
    }
}

fn metadata(here: &mut Here<'_, '_>) {
    if here.path != "metadata" {
        // The template of a CronJob's jobs is only checked with the jobs.
        if !here.path.ends_with("jobTemplate.metadata") {
            of_template(here);
        }
        return;
    }
    finalizers(here);
    let has = |name: &str| here.items(&["finalizers"]).any(|(_, one)| one.as_text() == Some(name));
    if has("orphan") && has("foregroundDeletion") {
        here.invalid("finalizers", "finalizer orphan and foregroundDeletion cannot be both set");
    }
    if here.node.get("managedFields").is_some_and(|fields| fields.as_seq().is_some()) {
        here.forbidden("managedFields", "metadata.managedFields must be nil");
    }
    let mut controllers = 0;
    for (index, owner) in here.items(&["ownerReferences"]) {
        let of = |field: &str| owner.get(field).and_then(text);
        controllers += usize::from(of("controller") == Some("true"));
        if (of("apiVersion"), of("kind")) == (Some("v1"), Some("Event")) {
            here.invalid(
                &format!("ownerReferences[{index}]"),
                "/v1, Kind=Event is disallowed from being an owner",
            );
        }
    }
    if controllers > 1 {
        here.invalid("ownerReferences", "Only one reference can have Controller set to true");
    }
}

/// `metadata` inside a spec.
fn of_template(here: &mut Here<'_, '_>) {
    for field in ["labels", "annotations"] {
        for entry in here.map(&[field]).into_iter().flatten() {
            let name = entry.key.text.to_string();
            let words = qualified(&if field == "labels" { name.clone() } else { name.to_ascii_lowercase() });
            if let Some(words) = words {
                here.invalid(&format!("{field}{}", key(&name)), &words);
            }
            if field == "labels"
                && entry.value.as_text().is_some_and(|value| !super::words::is_label_value(value))
            {
                here.invalid(&format!("{field}{}", key(&name)), "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'");
            }
        }
    }
    if here.path == "spec.metadata" && here.text(&["name"]).is_some() {
        here.forbidden("name", "cannot be set");
    }
}

fn priority_class(here: &mut Here<'_, '_>) {
    let name = here.text(&["metadata", "name"]).unwrap_or("");
    if name.starts_with("system-") && !matches!(name, "system-node-critical" | "system-cluster-critical") {
        here.forbidden(
            "metadata.name",
            "priority class names with 'system-' prefix are reserved for system use only",
        );
    }
    // The server makes these two, and nobody changes them.
    let due = match name {
        "system-node-critical" => 2_000_001_000,
        "system-cluster-critical" => 2_000_000_000,
        _ => return,
    };
    if here.number(&["value"]) != Some(due) {
        here.forbidden("value", "may not be changed in an update.");
    }
    if here.text(&["preemptionPolicy"]).is_some_and(|policy| policy != "PreemptLowerPriority") {
        here.invalid("preemptionPolicy", "field is immutable");
    }
}

/// No two tolerations of a class are the same.
fn tolerations(here: &mut Here<'_, '_>) {
    let all: Vec<&Node> = here.items(&["tolerations"]).map(|(_, toleration)| toleration).collect();
    for (index, one) in all.iter().enumerate() {
        if all[..index].iter().any(|other| super::super::equality::are_equal(other, one)) {
            here.duplicate(&format!("tolerations[{index}]"), one.get("key").and_then(text).unwrap_or(""));
        }
    }
}

/// Keys that a Secret of a type needs, as bytes or as text.
fn secret(here: &mut Here<'_, '_>) {
    let value = |name: &str| here.at(&["data", name]).or_else(|| here.at(&["stringData", name]));
    let is_full = |name: &str| value(name).is_some_and(|value| !is_empty(value));
    match here.text(&["type"]) {
        Some("kubernetes.io/basic-auth") if value("username").is_none() && value("password").is_none() => {
            here.required("data.username", "");
            here.required("data.password", "");
        }
        Some("kubernetes.io/ssh-auth") if !is_full("ssh-privatekey") => {
            here.required("data.ssh-privatekey", "");
        }
        Some("kubernetes.io/service-account-token") => {
            let account = ["metadata", "annotations", "kubernetes.io/service-account.name"];
            if here.text(&account).is_none() {
                here.required("metadata.annotations['kubernetes.io/service-account.name']", "");
            }
        }
        Some("kubernetes.io/dockerconfigjson") => json_value(here, ".dockerconfigjson"),
        Some("kubernetes.io/dockercfg") => json_value(here, ".dockercfg"),
        _ => {}
    }
}

/// The value of a key has to be JSON.
fn json_value(here: &mut Here<'_, '_>, name: &str) {
    use base64::Engine as _;
    let plain = here.at(&["stringData", name]).and_then(Node::as_text).map(str::as_bytes).map(<[u8]>::to_vec);
    let decoded = || {
        let text = here.at(&["data", name]).and_then(Node::as_text)?;
        base64::engine::general_purpose::STANDARD.decode(text.replace(['\n', '\r'], "")).ok()
    };
    let (field, bytes) = match plain {
        Some(bytes) => ("stringData", Some(bytes)),
        None => ("data", decoded()),
    };
    if let Some(bytes) = bytes
        && serde_json::from_slice::<serde_json::Value>(&bytes).is_err()
    {
        here.invalid(&format!("{field}{}", key(name)), "the value is not JSON");
    }
}

fn event(here: &mut Here<'_, '_>) {
    let own = here.text(&["metadata", "namespace"]).unwrap_or("default");
    let of = here.text(&["involvedObject", "namespace"]).unwrap_or("");
    let is_wrong = if of.is_empty() { own != "default" } else { of != own };
    if is_wrong {
        here.invalid("involvedObject.namespace", "does not match event.namespace");
    }
}

/// The name of a bundle that belongs to a signer begins with the signer.
fn trust_bundle(here: &mut Here<'_, '_>) {
    let name = here.text(&["metadata", "name"]).unwrap_or("");
    let signer = here.text(&["spec", "signerName"]).map(|signer| signer.replace('/', ":") + ":");
    match signer {
        Some(signer) if !name.starts_with(&signer) => {
            here.invalid(
                "metadata.name",
                &format!("ClusterTrustBundle for signerName must be named with prefix {signer}"),
            );
        }
        None if name.contains(':') => {
            here.invalid(
                "metadata.name",
                "ClusterTrustBundle without signer name must not have \":\" in its name",
            );
            here.invalid("spec.signerName", "a name with \":\" is that of a bundle with a signer");
        }
        Some(signer) if !super::words::is_subdomain(&name[signer.len()..]) => {
            here.invalid("metadata.name", "a lowercase RFC 1123 subdomain must follow the signer");
        }
        _ => {}
    }
}

fn signing_request(here: &mut Here<'_, '_>) {
    if here.text(&["signerName"]) == Some("kubernetes.io/legacy-unknown") {
        here.invalid("signerName", "the legacy signerName is not allowed via this API version");
    }
    if let Some(request) = here.text(&["request"]) {
        use base64::Engine as _;
        let decoded = base64::engine::general_purpose::STANDARD.decode(request.replace(['\n', '\r'], ""));
        if decoded.is_ok_and(|bytes| !String::from_utf8_lossy(&bytes).contains("CERTIFICATE REQUEST-----")) {
            here.invalid("request", "PEM block type must be CERTIFICATE REQUEST");
        }
    }
}
