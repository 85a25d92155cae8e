//! Pods and the templates of workloads.

use super::super::facts::CLAIMS_CHECKED;
use super::super::finding::Findings;
use super::super::pods::{containers, items, selects, text};
use super::super::version::Version;
use super::metadata::{is_label, is_port, is_port_name};
use super::resources;
use kfc_diagnostics::{Code, nearest};
use kfc_kube::Object;
use kfc_yaml::{Node, Value};
use std::collections::{HashMap, HashSet};

pub(super) fn check(resource: &Object, pod: &Node, version: Version, found: &mut Findings<'_>) {
    check_selector(resource, pod, found);
    check_restart_policy(resource, pod, found);
    check_names(pod, found);
    check_volumes(resource, pod, version, found);
    let ports: HashSet<&str> =
        containers(pod).flat_map(|c| items(c, &["ports"])).filter_map(|port| text(port, &["name"])).collect();
    for container in containers(pod) {
        if text(container, &["image"]).is_none() {
            let name = text(container, &["name"]).unwrap_or_default();
            found.error_at(Code::PodSpec, container, format!("container `{name}` has no image"));
        }
        for variable in items(container, &["env"]) {
            if variable.get("value").is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
                && let Some(from) = variable.get("valueFrom").filter(|from| !from.is_null())
            {
                let name = text(variable, &["name"]).unwrap_or_default();
                let message = format!("variable `{name}` has both `value` and `valueFrom`");
                found.error_at(Code::PodSpec, from, message);
            }
        }
        check_ports(container, &ports, found);
        resources::check(container, found);
    }
}

/// A workload's selector must match its own pods.
fn check_selector(resource: &Object, pod: &Node, found: &mut Findings<'_>) {
    if matches!(resource.kind(), "Pod" | "Job" | "CronJob") {
        return;
    }
    let Some(selector) = resource.node.at(&["spec", "selector"]).filter(|s| s.as_map().is_some()) else {
        return;
    };
    if !selects(selector, pod.at(&["metadata", "labels"])) {
        let message = "`selector` does not match template `labels`";
        let place = pod.at(&["metadata", "labels"]).or(pod.get("metadata")).unwrap_or(pod);
        let diagnostic = found.error_at(Code::Selector, place, message);
        *diagnostic = diagnostic.clone().label(selector.mark, "the selector");
    }
}

fn check_restart_policy(resource: &Object, pod: &Node, found: &mut Findings<'_>) {
    let policy = pod.at(&["spec", "restartPolicy"]);
    let word = policy.and_then(Node::as_text);
    let (allowed, place): (&[&str], _) = match resource.kind() {
        "Job" | "CronJob" => (&["OnFailure", "Never"], policy.unwrap_or(pod)),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" if word.is_some() => {
            (&["Always"], policy.unwrap_or(pod))
        }
        _ => return,
    };
    if !word.is_some_and(|word| allowed.contains(&word)) {
        let kind = resource.kind();
        let allowed = allowed.join("` or `");
        let message = format!("`restartPolicy` of the pods of a {kind} must be `{allowed}`");
        found.error_at(Code::PodSpec, place, message);
    }
}

/// Each container has its own name, across all lists.
fn check_names(pod: &Node, found: &mut Findings<'_>) {
    let mut seen: HashMap<&str, &Node> = HashMap::new();
    for (list, is_initial) in [("containers", false), ("initContainers", true)] {
        for name in items(pod, &["spec", list]).filter_map(|container| container.get("name")) {
            let Some(word) = name.as_text() else { continue };
            if !is_label(word) {
                let message = format!("`{word}` is not a valid name for a container");
                found.error_at(Code::BadName, name, message).help =
                    Some("at most 63 lowercase letters, digits and `-`".to_owned());
            }
            // A duplicate in one list is reported as such.
            if !is_initial {
                seen.insert(word, name);
            } else if let Some(first) = seen.get(word) {
                let message = format!("container `{word}` is defined more than once in the pod");
                let diagnostic = found.error_at(Code::ValueTwice, name, message);
                *diagnostic = diagnostic.clone().label(first.mark, "the first one");
            }
        }
    }
}

/// A container may only mount volumes that its pod has; a volume has one source.
fn check_volumes(resource: &Object, pod: &Node, version: Version, found: &mut Findings<'_>) {
    let volumes = items(pod, &["spec", "volumes"]).filter_map(|volume| text(volume, &["name"]));
    let claims = items(&resource.node, &["spec", "volumeClaimTemplates"])
        .filter_map(|claim| text(claim, &["metadata", "name"]));
    let known: Vec<&str> = volumes.chain(claims).collect();
    for container in containers(pod) {
        let mounts = items(container, &["volumeMounts"]).chain(items(container, &["volumeDevices"]));
        for name in mounts.filter_map(|mount| mount.get("name")) {
            let word = name.as_text().unwrap_or("");
            if !known.contains(&word) {
                let message = format!("volume `{word}` does not exist in the pod");
                let near = nearest(word, known.iter().copied());
                // Older servers take such a StatefulSet, and refuse its pods.
                let is_late = resource.kind() == "StatefulSet" && version.0 < CLAIMS_CHECKED;
                let diagnostic = if is_late {
                    found.warning_at(Code::PodSpec, name, message)
                } else {
                    found.error_at(Code::PodSpec, name, message)
                };
                diagnostic.help = near.map(|near| format!("did you mean `{near}`?"));
            }
        }
    }
    for volume in items(pod, &["spec", "volumes"]) {
        let sources = volume.as_map().into_iter().flatten();
        let sources: Vec<&str> = sources
            .filter(|entry| entry.key.text != "name" && !entry.value.is_null())
            .map(|entry| entry.key.text.as_str())
            .filter(|source| *source != "image" || version.0 >= 35)
            .collect();
        if sources.len() > 1 {
            let name = text(volume, &["name"]).unwrap_or_default();
            let message = format!("volume `{name}` has several sources: {}", sources.join(", "));
            found.error_at(Code::PodSpec, volume, message);
        }
    }
}

/// Numbers and names of ports, and the ports that probes and hooks name.
fn check_ports(container: &Node, names: &HashSet<&str>, found: &mut Findings<'_>) {
    for port in items(container, &["ports"]) {
        for field in ["containerPort", "hostPort"] {
            if let Some(number) =
                port.get(field).filter(|number| number.as_text().is_some() && !is_port(number))
            {
                // 0 means no port of the host.
                if field == "containerPort" || number.as_text() != Some("0") {
                    found.error_at(Code::PodSpec, number, "a port must be between 1 and 65535");
                }
            }
        }
        if let Some(name) = port.get("name").filter(|n| text(n, &[]).is_some_and(|word| !is_port_name(word)))
        {
            let message = format!("`{}` is not a valid name for a port", name.as_text().unwrap_or(""));
            found.error_at(Code::BadName, name, message).help =
                Some("at most 15 lowercase letters, digits and `-`, with at least one letter".to_owned());
        }
    }
    let probes = ["livenessProbe", "readinessProbe", "startupProbe"].iter().filter_map(|p| container.get(p));
    let hooks = ["postStart", "preStop"].iter().filter_map(|hook| container.at(&["lifecycle", hook]));
    for handler in probes.chain(hooks) {
        let ports = [handler.at(&["httpGet", "port"]), handler.at(&["tcpSocket", "port"])];
        for port in ports.into_iter().flatten() {
            let Value::Scalar(scalar) = &port.value else { continue };
            let is_number = scalar.text.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number && !names.contains(scalar.text.as_str()) {
                let message = format!("port `{}` does not exist in the pod", scalar.text);
                let near = nearest(&scalar.text, names.iter().copied());
                found.warning_at(Code::PodSpec, port, message).help =
                    near.map(|near| format!("did you mean `{near}`?"));
            }
        }
    }
}
