//! Changes of form alone: other spellings of one quantity, and values that the API server would set anyway.

use super::model::{Fold, Path};
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
        return matches!((quantity(&a.text), quantity(&b.text)), (Some(a), Some(b)) if a == b);
    }
    let is_number = |kind: ScalarKind| matches!(kind, ScalarKind::Int | ScalarKind::Float);
    is_number(a.kind) && is_number(b.kind) && a.text.parse::<f64>().ok() == b.text.parse::<f64>().ok()
}

/// A Kubernetes quantity as mantissa and exponents of ten and two, normalised: `1000m` is `1`, `1024Ki` is `1Mi`.
/// `None` for what is not a quantity, and for those of more than 18 digits.
pub(crate) fn quantity(text: &str) -> Option<(i128, i32)> {
    let number_end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(number_end);
    let (factor, mut exponent): (i128, i32) = match suffix {
        "" => (1, 0),
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => (1, suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + part.len() > 18 || (whole.trim_start_matches(['+', '-']).is_empty() && part.is_empty()) {
        return None;
    }
    exponent -= i32::try_from(part.len()).ok()?;
    let mut value = format!("{whole}{part}").parse::<i128>().ok()?.checked_mul(factor)?;
    if value == 0 {
        return Some((0, 0));
    }
    while value % 10 == 0 {
        value /= 10;
        exponent += 1;
    }
    Some((value, exponent))
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

#[cfg(test)]
mod tests {
    use super::quantity;

    #[test]
    fn quantities_in_other_spellings_are_equal() {
        for (a, b) in
            [("1000m", "1"), ("1Gi", "1024Mi"), ("0.5", "500m"), ("1e3", "1k"), ("2.0", "2"), ("0", "0m")]
        {
            assert_eq!(quantity(a), quantity(b), "{a} and {b}");
            assert!(quantity(a).is_some());
        }
        assert_ne!(quantity("1G"), quantity("1Gi"));
        for wrong in ["", "x", "1x", ".", "1.2.3", "99999999999999999999"] {
            assert_eq!(quantity(wrong), None, "{wrong}");
        }
    }
}
