//! Changes of form alone: other spellings of one quantity, and values that the API server would set anyway.

use super::model::{Fold, Path};
use kfc_kube::Quantity;
use kfc_yaml::{Node, ScalarKind};

/// Why a change may be skipped, if it may; a side without the field is `None`.
pub(super) fn fold(path: &Path, before: Option<&Node>, after: Option<&Node>) -> Option<Fold> {
    match (before, after) {
        (Some(before), Some(after)) => equal(path, before, after).then_some(Fold::Equal),
        (Some(value), None) | (None, Some(value)) => is_default(path, value).then_some(Fold::Default),
        (None, None) => None,
    }
}

/// Keys below which scalars are quantities.
const QUANTITIES: [&str; 9] = [
    "limits",
    "requests",
    "capacity",
    "hard",
    "sizeLimit",
    "defaultRequest",
    "overhead",
    "nominalQuota",
    "divisor",
];

fn equal(path: &Path, before: &Node, after: &Node) -> bool {
    let (Some(a), Some(b)) = (before.as_scalar(), after.as_scalar()) else { return false };
    let is_quantity = path.keys().any(|key| QUANTITIES.contains(&key));
    if is_quantity {
        let both = Quantity::parse(&a.text).zip(Quantity::parse(&b.text));
        return both.is_some_and(|(a, b)| a.is_same(b));
    }
    let is_number = |kind: ScalarKind| matches!(kind, ScalarKind::Int | ScalarKind::Float);
    is_number(a.kind) && is_number(b.kind) && a.text.parse::<f64>().ok() == b.text.parse::<f64>().ok()
}

/// What the API server sets where a pod template, service or workload has no value: the field, its parent key (empty for
/// any), and the value.
const DEFAULTS: [(&str, &str, &str); 35] = [
    ("protocol", "ports", "TCP"),
    ("imagePullPolicy", "containers", "IfNotPresent"),
    ("terminationMessagePath", "", "/dev/termination-log"),
    ("terminationMessagePolicy", "", "File"),
    ("restartPolicy", "spec", "Always"),
    ("dnsPolicy", "spec", "ClusterFirst"),
    ("schedulerName", "spec", "default-scheduler"),
    ("terminationGracePeriodSeconds", "spec", "30"),
    ("enableServiceLinks", "spec", "true"),
    ("revisionHistoryLimit", "spec", "10"),
    ("progressDeadlineSeconds", "spec", "600"),
    ("podManagementPolicy", "spec", "OrderedReady"),
    ("type", "spec", "ClusterIP"),
    ("sessionAffinity", "spec", "None"),
    ("internalTrafficPolicy", "spec", "Cluster"),
    ("externalTrafficPolicy", "spec", "Cluster"),
    ("ipFamilyPolicy", "spec", "SingleStack"),
    ("volumeMode", "spec", "Filesystem"),
    ("concurrencyPolicy", "spec", "Allow"),
    ("successfulJobsHistoryLimit", "spec", "3"),
    ("failedJobsHistoryLimit", "spec", "1"),
    ("suspend", "spec", "false"),
    ("completionMode", "spec", "NonIndexed"),
    ("periodSeconds", "", "10"),
    ("timeoutSeconds", "livenessProbe", "1"),
    ("timeoutSeconds", "readinessProbe", "1"),
    ("successThreshold", "", "1"),
    ("failureThreshold", "", "3"),
    ("scheme", "httpGet", "HTTP"),
    ("defaultMode", "", "420"),
    ("apiVersion", "fieldRef", "v1"),
    ("timeoutSeconds", "webhooks", "10"),
    ("matchPolicy", "webhooks", "Equivalent"),
    ("reinvocationPolicy", "webhooks", "Never"),
    ("scope", "rules", "*"),
];

fn is_default(path: &Path, value: &Node) -> bool {
    let mut keys = path.keys().rev();
    let (Some(field), parent) = (keys.next(), keys.next().unwrap_or_default()) else { return false };
    if path.ends_in_item() {
        return false;
    }
    let is_empty = value.as_map().is_some_and(kfc_yaml::Map::is_empty);
    if is_empty && matches!(field, "securityContext" | "resources") {
        return true;
    }
    let Some(text) = value.as_text() else { return false };
    DEFAULTS.iter().any(|(name, below, default)| {
        *name == field && (below.is_empty() || *below == parent) && *default == text
    })
}
