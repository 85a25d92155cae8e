//! Pod security standards: pods that a namespace would not admit.
//!
//! The rules are those of the standards that Kubernetes publishes, for the fields that manifests commonly set.
//! <https://kubernetes.io/docs/concepts/security/pod-security-standards/>

use super::super::finding::{Finding, Findings};
use super::super::pods::{containers, items, pod_template, text};
use kfc_diagnostics::Code;
use kfc_kube::{Object, ObjectId};
use kfc_yaml::Node;
use std::collections::HashMap;

/// The label by which a namespace enforces a standard.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
/// Capabilities that the standard `baseline` lets containers add.
const BASELINE: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// A standard that a namespace enforces. `privileged` forbids nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standard {
    Baseline,
    Restricted,
}

impl Standard {
    fn named(name: &str) -> Option<Self> {
        match name {
            "baseline" => Some(Self::Baseline),
            "restricted" => Some(Self::Restricted),
            _ => None,
        }
    }
}

/// Finds workloads whose namespace refuses their pods because of the standard that it enforces.
pub(super) fn check(resources: &[&Object], checked: &[&Object]) -> Vec<Finding> {
    let namespaces = resources.iter().copied().filter(|resource| resource.kind() == "Namespace");
    let standards: HashMap<&str, Standard> = namespaces
        .filter_map(|r| Some((r.name(), Standard::named(text(&r.node, &["metadata", "labels", ENFORCE])?)?)))
        .collect();
    let mut all = Vec::new();
    for resource in checked.iter().copied() {
        let Some(pod) = pod_template(resource) else { continue };
        let Some(standard) = standards.get(resource.namespace()) else { continue };
        let mut reasons = Vec::new();
        against_baseline(pod, &mut reasons);
        if *standard == Standard::Restricted {
            against_restricted(pod, &mut reasons);
        }
        let mut found = Findings::of(resource);
        for reason in reasons {
            let message = format!(
                "{} is refused by the pod security of its namespace: {reason}",
                ObjectId::of(resource, "")
            );
            found.error_at(Code::PodSecurity, pod, message);
        }
        all.append(&mut found.list);
    }
    all
}

fn against_baseline(pod: &Node, reasons: &mut Vec<String>) {
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if text(pod, &["spec", field]) == Some("true") {
            reasons.push(format!("it sets `{field}`"));
        }
    }
    if items(pod, &["spec", "volumes"]).any(|volume| volume.get("hostPath").is_some()) {
        reasons.push("it mounts directories of the node".to_owned());
    }
    for container in containers(pod) {
        let name = text(container, &["name"]).unwrap_or_default();
        if text(container, &["securityContext", "privileged"]) == Some("true") {
            reasons.push(format!("`{name}` is privileged"));
        }
        if items(container, &["ports"]).any(|port| text(port, &["hostPort"]).is_some_and(|port| port != "0"))
        {
            reasons.push(format!("`{name}` takes a port of the node"));
        }
        let added = items(container, &["securityContext", "capabilities", "add"]).filter_map(Node::as_text);
        for capability in added.filter(|capability| !BASELINE.contains(capability)) {
            reasons.push(format!("`{name}` adds the capability {capability}"));
        }
    }
}

fn against_restricted(pod: &Node, reasons: &mut Vec<String>) {
    for container in containers(pod) {
        let name = text(container, &["name"]).unwrap_or_default();
        let own = |field: &[&str]| text(container, &[&["securityContext"], field].concat());
        let any = |field: &[&str]| {
            own(field).or_else(|| text(pod, &[&["spec", "securityContext"], field].concat()))
        };
        if own(&["allowPrivilegeEscalation"]) != Some("false") {
            reasons.push(format!("`{name}` may escalate its privileges"));
        }
        let mut dropped = items(container, &["securityContext", "capabilities", "drop"]);
        if !dropped.any(|capability| capability.as_text() == Some("ALL")) {
            reasons.push(format!("`{name}` keeps capabilities"));
        }
        if any(&["runAsNonRoot"]) != Some("true") || any(&["runAsUser"]) == Some("0") {
            reasons.push(format!("`{name}` may run as root"));
        }
        if !matches!(any(&["seccompProfile", "type"]), Some("RuntimeDefault" | "Localhost")) {
            reasons.push(format!("`{name}` has no seccomp profile"));
        }
    }
}
