//! Requests and limits of containers.

use super::super::finding::Findings;
use kfc_diagnostics::Code;
use kfc_kube::Quantity;
use kfc_yaml::Node;

/// Finds limits that are lower than requests, negative amounts, and devices whose requests are not their limits.
pub(super) fn check(container: &Node, found: &mut Findings<'_>) {
    let limits = container.at(&["resources", "limits"]);
    for entry in container.at(&["resources", "requests"]).and_then(Node::as_map).into_iter().flatten() {
        let name = entry.key.text.as_str();
        let limit = limits.and_then(|limits| limits.get(name));
        let (Some(request), Some(limit)) = (amount(&entry.value), limit.and_then(|l| Some((l, amount(l)?))))
        else {
            continue;
        };
        let is_device = !is_native(name);
        if request > limit.1 || (is_device && request < limit.1) {
            let asked = entry.value.as_text().unwrap_or("");
            let most = limit.0.as_text().unwrap_or("");
            let message = if is_device {
                format!("the request of `{name}` is {asked}, but it must be the limit, {most}")
            } else {
                format!("the request of `{name}`, {asked}, is more than its limit, {most}")
            };
            let diagnostic = found.error_at(Code::PodSpec, &entry.value, message);
            *diagnostic = diagnostic.clone().label(limit.0.mark, "the limit");
        }
    }
    for list in ["requests", "limits"] {
        let amounts = container.at(&["resources", list]).and_then(Node::as_map);
        for entry in amounts.into_iter().flatten() {
            if amount(&entry.value).is_some_and(|amount| amount < 0.0) {
                let message = format!("the amount of `{}` is negative", entry.key.text);
                found.error_at(Code::PodSpec, &entry.value, message);
            }
        }
    }
}

/// Whether Kubernetes itself allocates the resource, so that a limit may be higher than its request.
fn is_native(name: &str) -> bool {
    !name.contains('/') && !name.starts_with("hugepages-") || name.starts_with("kubernetes.io/")
}

fn amount(node: &Node) -> Option<f64> {
    Quantity::parse(node.as_text()?).map(Quantity::value)
}
