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

/// Types of `SELinux` that `baseline` allows.
const SELINUX_TYPES: [&str; 4] = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
/// Settings of the kernel that `baseline` allows.
const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
];
/// Types of volumes that `restricted` allows.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
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
    contexts_against_baseline(pod, reasons);
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

/// What `baseline` says of the security contexts of a pod and its containers.
fn contexts_against_baseline(pod: &Node, reasons: &mut Vec<String>) {
    let of_pod = pod.at(&["spec", "securityContext"]).map(|context| ("the pod".to_owned(), context));
    let of_containers = containers(pod).filter_map(|container| {
        let name = text(container, &["name"]).unwrap_or_default();
        Some((format!("`{name}`"), container.get("securityContext")?))
    });
    for (whose, context) in of_pod.into_iter().chain(of_containers) {
        for profile in ["seccompProfile", "appArmorProfile"] {
            if text(context, &[profile, "type"]) == Some("Unconfined") {
                reasons.push(format!("{whose} sets `{profile}` to Unconfined"));
            }
        }
        let selinux = |field: &str| text(context, &["seLinuxOptions", field]);
        if selinux("type").is_some_and(|kind| !SELINUX_TYPES.contains(&kind))
            || selinux("user").is_some()
            || selinux("role").is_some()
        {
            reasons.push(format!("{whose} sets `seLinuxOptions` that are forbidden"));
        }
        for sysctl in items(context, &["sysctls"]).filter_map(|sysctl| text(sysctl, &["name"])) {
            if !SYSCTLS.contains(&sysctl) {
                reasons.push(format!("{whose} sets the sysctl {sysctl}"));
            }
        }
        if text(context, &["procMount"]).is_some_and(|mount| mount != "Default") {
            reasons.push(format!("{whose} sets `procMount`"));
        }
        if text(context, &["windowsOptions", "hostProcess"]) == Some("true") {
            reasons.push(format!("{whose} runs as a process of the node"));
        }
    }
}

fn against_restricted(pod: &Node, reasons: &mut Vec<String>) {
    for volume in items(pod, &["spec", "volumes"]) {
        let others = volume.as_map().into_iter().flatten().map(|entry| entry.key.text.as_str());
        for kind in others.filter(|kind| *kind != "name" && !VOLUMES.contains(kind)) {
            reasons.push(format!(
                "volume `{}` is of the type {kind}",
                text(volume, &["name"]).unwrap_or_default()
            ));
        }
    }
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
