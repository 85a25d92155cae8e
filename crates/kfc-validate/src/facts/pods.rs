//! Pods: their containers, volumes, security and scheduling.

use super::super::bundle::APPARMOR;
use super::here::{Check, Here, is_empty, is_true, number, text};
use super::words::{is_label_value, qualified};
use kfc_yaml::Node;
use std::collections::HashSet;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("core.v1.Container", container),
    ("core.v1.PodSpec", pod_spec),
    ("core.v1.PodSpec", host),
    ("core.v1.PodSpec", of_pod),
    ("core.v1.PodSpec", windows),
    ("core.v1.PodSpec", claims),
    ("core.v1.Pod", pod),
    ("core.v1.Pod", profiles),
    ("core.v1.PodTemplateSpec", profiles),
    ("core.v1.PodCertificateProjection", pod_certificate),
    ("core.v1.VolumeMount", mount),
    ("core.v1.Volume", image),
    ("core.v1.EnvVarSource", env_source),
    ("core.v1.DownwardAPIVolumeFile", downward_file),
    ("core.v1.ProjectedVolumeSource", projected),
    ("core.v1.PodAffinityTerm", affinity_term),
    ("core.v1.NodeSelectorTerm", node_selector_term),
    ("meta.LabelSelector", label_selector),
    ("meta.LabelSelectorRequirement", label_requirement),
    ("core.v1.AzureDiskVolumeSource", azure_disk),
    ("core.v1.ClusterTrustBundleProjection", trust_bundle),
];

fn container(here: &mut Here<'_, '_>) {
    for probe in ["livenessProbe", "startupProbe"] {
        if here.number(&[probe, "successThreshold"]).is_some_and(|count| count > 1) {
            here.invalid(&format!("{probe}.successThreshold"), "must be 1");
        }
    }
    if here.at(&["readinessProbe", "terminationGracePeriodSeconds"]).is_some() {
        here.invalid("readinessProbe.terminationGracePeriodSeconds", "must not be set for readinessProbes");
    }
    let is_privileged = here.is_true(&["securityContext", "privileged"]);
    let may_not_escalate = here.text(&["securityContext", "allowPrivilegeEscalation"]) == Some("false");
    if is_privileged && may_not_escalate {
        here.invalid(
            "securityContext",
            "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
        );
    }
    let adds = |word: &str| {
        here.items(&["securityContext", "capabilities", "add"])
            .any(|(_, added)| added.as_text() == Some(word))
    };
    if may_not_escalate && adds("CAP_SYS_ADMIN") {
        here.invalid(
            "securityContext",
            "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN",
        );
    }
    for (index, mount) in here.items(&["volumeMounts"]) {
        if text_at(mount, "mountPropagation") == Some("Bidirectional") && !is_privileged {
            here.forbidden(
                &format!("volumeMounts[{index}].mountPropagation"),
                "Bidirectional mount propagation is available only to privileged containers",
            );
        }
        let path = text_at(mount, "mountPath");
        if path.is_some()
            && here.items(&["volumeDevices"]).any(|(_, device)| text_at(device, "devicePath") == path)
        {
            here.invalid(
                &format!("volumeMounts[{index}].mountPath"),
                "must not already exist as a path in volumeDevices",
            );
        }
    }
    let mut devices = HashSet::new();
    for (index, device) in here.items(&["volumeDevices"]) {
        if let Some(name) = text_at(device, "name").filter(|name| !devices.insert(*name)) {
            here.invalid(&format!("volumeDevices[{index}].name"), &format!("must not already exist: {name}"));
        }
    }
    stop_signal(here);
}

fn stop_signal(here: &mut Here<'_, '_>) {
    for (field, what) in [("lifecycle", "preStop"), ("lifecycle", "postStart")] {
        let Some(handler) = here.at(&[field, what]) else { continue };
        if handler.get("grpc").is_some_and(|grpc| !grpc.is_null()) {
            here.forbidden(&format!("{field}.{what}.grpc"), "is not a handler of a hook");
        }
    }
}

fn text_at<'n>(node: &'n Node, field: &str) -> Option<&'n str> {
    node.get(field).and_then(text)
}

fn mount(here: &mut Here<'_, '_>) {
    let is_recursive = matches!(here.text(&["recursiveReadOnly"]), Some("Enabled" | "IfPossible"));
    if is_recursive && !here.is_true(&["readOnly"]) {
        here.forbidden("recursiveReadOnly", "may only be specified when readOnly is true");
    }
    if is_recursive && !matches!(here.text(&["mountPropagation"]), None | Some("None")) {
        here.forbidden(
            "recursiveReadOnly",
            "may only be specified when mountPropagation is None or not specified",
        );
    }
}

/// An image is a source like others where servers have it.
fn image(here: &mut Here<'_, '_>) {
    let sources = here.node.as_map().into_iter().flatten();
    let count = sources.filter(|entry| entry.key.text != "name" && !entry.value.is_null()).count();
    if here.version.0 >= 35 && here.at(&["image"]).is_some() && count > 1 {
        here.forbidden("image", "may not specify more than 1 volume type");
    }
}

fn pod(here: &mut Here<'_, '_>) {
    // The admission of priorities gives a pod without a class the default.
    let class = here.text(&["spec", "priorityClassName"]);
    if let Some(priority) =
        here.number(&["spec", "priority"]).filter(|priority| class.is_none() && *priority != 0)
    {
        here.forbidden(
            "spec.priority",
            &format!("the integer value of priority ({priority}) must not be provided in pod spec"),
        );
    }
    // The admission of runtime classes fills in the overhead of the class.
    if here.at(&["spec", "overhead"]).is_some() && here.text(&["spec", "runtimeClassName"]).is_none() {
        here.forbidden(
            "spec.overhead",
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        );
    }
    if class.is_none() && here.text(&["spec", "preemptionPolicy"]) == Some("Never") {
        here.forbidden(
            "spec.preemptionPolicy",
            "the string value of PreemptionPolicy (Never) must not be provided in pod spec",
        );
    }
}

/// Annotations with profiles of containers, which are older than the fields.
fn profiles(here: &mut Here<'_, '_>) {
    const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
    const SECCOMP: &str = "container.seccomp.security.alpha.kubernetes.io/";
    let names: Vec<&str> = ["initContainers", "containers"]
        .iter()
        .flat_map(|list| here.items(&["spec", list]).collect::<Vec<_>>())
        .filter_map(|(_, container)| text_at(container, "name"))
        .collect();
    for entry in here.map(&["metadata", "annotations"]).into_iter().flatten() {
        let (annotation, Some(profile)) = (entry.key.text.as_str(), entry.value.as_text()) else { continue };
        let below = format!("metadata.annotations{}", super::here::key(annotation));
        if let Some(name) = annotation.strip_prefix(APPARMOR) {
            if !names.contains(&name) {
                here.invalid(&below, &format!("Invalid value: \"{name}\": container not found"));
            } else if !matches!(profile, "" | "runtime/default" | "unconfined")
                && !profile.starts_with("localhost/")
            {
                here.invalid(&below, &format!("invalid AppArmor profile name: \"{profile}\""));
            }
        }
        let is_seccomp = annotation == SECCOMP_POD || annotation.starts_with(SECCOMP);
        if is_seccomp
            && !matches!(profile, "runtime/default" | "docker/default" | "unconfined")
            && !profile.starts_with("localhost/")
        {
            here.invalid(&below, &format!("Invalid value: \"{profile}\": must be a valid seccomp profile"));
        }
    }
}

fn pod_certificate(here: &mut Here<'_, '_>) {
    let paths = ["credentialBundlePath", "keyPath", "certificateChainPath"];
    if here.version.0 >= 37 && paths.iter().all(|path| here.text(&[path]).is_none()) {
        here.required("", "specify at least one of credentialBundlePath, keyPath, and certificateChainPath");
    }
}

fn containers<'h>(here: &Here<'h, '_>) -> Vec<(String, &'h Node)> {
    ["initContainers", "containers"]
        .into_iter()
        .flat_map(|list| {
            here.items(&[list])
                .map(move |(index, node)| (format!("{list}[{index}]"), node))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn pod_spec(here: &mut Here<'_, '_>) {
    if here.version.0 < 35 {
        restart_policies(here);
    }
    for (index, node) in here.items(&["initContainers"]) {
        if text_at(node, "restartPolicy") == Some("Always") {
            continue;
        }
        for field in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
            if node.get(field).is_some_and(|value| !is_empty(value)) {
                here.forbidden(
                    &format!("initContainers[{index}].{field}"),
                    "may not be set for init containers without restartPolicy=Always",
                );
            }
        }
    }
    let volumes: HashSet<&str> =
        here.items(&["volumes"]).filter_map(|(_, volume)| text_at(volume, "name")).collect();
    for (place, node) in containers(here) {
        for (index, device) in
            node.get("volumeDevices").and_then(Node::as_seq).into_iter().flatten().enumerate()
        {
            let name = text_at(device, "name");
            let volume = here
                .items(&["volumes"])
                .map(|(_, volume)| volume)
                .find(|volume| text_at(volume, "name") == name);
            let is_block = volume.is_some_and(|volume| {
                volume.get("persistentVolumeClaim").is_some() || volume.get("ephemeral").is_some()
            });
            match name {
                Some(name) if volume.is_none() && !here.path.contains("template") => {
                    here.refuse(
                        kfc_diagnostics::Code::ServerRule,
                        &format!("{place}.volumeDevices[{index}].name"),
                        &format!("Not found: \"{name}\""),
                    );
                }
                Some(_) if volume.is_some() && !is_block => {
                    here.invalid(&format!("{place}.volumeDevices[{index}].name"), "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
                }
                Some(name) if volume.is_none() => {
                    here.refuse(
                        kfc_diagnostics::Code::ServerRule,
                        &format!("{place}.volumeDevices[{index}].name"),
                        &format!("Not found: \"{name}\""),
                    );
                }
                _ => {}
            }
        }
        for (index, mount) in
            node.get("volumeMounts").and_then(Node::as_seq).into_iter().flatten().enumerate()
        {
            let devices = node.get("volumeDevices").and_then(Node::as_seq).into_iter().flatten();
            let name = text_at(mount, "name");
            if name.is_some() && devices.into_iter().any(|device| text_at(device, "name") == name) {
                here.invalid(
                    &format!("{place}.volumeMounts[{index}].name"),
                    "must not already exist in volumeDevices",
                );
            }
        }
        for (index, env) in node.get("env").and_then(Node::as_seq).into_iter().flatten().enumerate() {
            if let Some(name) = env.at(&["valueFrom", "fileKeyRef", "volumeName"]).and_then(text)
                && !volumes.contains(name)
            {
                here.invalid(
                    &format!("{place}.env[{index}].valueFrom.fileKeyRef.volumeName"),
                    &format!("Not found: \"{name}\""),
                );
            }
        }
    }
    if here.text(&["dnsPolicy"]) == Some("None")
        && here.at(&["dnsConfig"]).is_some()
        && here.items(&["dnsConfig", "nameservers"]).next().is_none()
    {
        here.required(
            "dnsConfig.nameservers",
            "must provide at least one DNS nameserver when `dnsPolicy` is None",
        );
    }
    spread(here);
}

/// Only containers that start before the others and go on have a policy of their own, until 1.34.
fn restart_policies(here: &mut Here<'_, '_>) {
    for (index, node) in here.items(&["initContainers"]) {
        if let Some(policy) = text_at(node, "restartPolicy").filter(|policy| *policy != "Always") {
            here.refuse(
                kfc_diagnostics::Code::ValueNotAllowed,
                &format!("initContainers[{index}].restartPolicy"),
                &super::table::unsupported(policy, &["Always"]),
            );
        }
    }
    for (index, node) in here.items(&["containers"]) {
        if text_at(node, "restartPolicy").is_some() {
            here.forbidden(
                &format!("containers[{index}].restartPolicy"),
                "may not be set for non-init containers",
            );
        }
    }
}

/// `topologySpreadConstraints`: no two for the same key, and labels that are not chosen twice.
fn spread(here: &mut Here<'_, '_>) {
    let mut seen = HashSet::new();
    for (index, constraint) in here.items(&["topologySpreadConstraints"]) {
        let key = (text_at(constraint, "topologyKey"), text_at(constraint, "whenUnsatisfiable"));
        if key.0.is_some() && !seen.insert(key) {
            here.duplicate(
                &format!("topologySpreadConstraints[{index}].{{topologyKey, whenUnsatisfiable}}"),
                key.0.unwrap_or(""),
            );
        }
        label_keys(here, &format!("topologySpreadConstraints[{index}]."), constraint, "matchLabelKeys");
    }
}

/// `matchLabelKeys`: they need a selector.
fn label_keys(here: &mut Here<'_, '_>, place: &str, node: &Node, field: &str) {
    let keys = node.get(field).and_then(Node::as_seq).unwrap_or_default();
    if keys.is_empty() {
        return;
    }
    if node.get("labelSelector").is_none_or(Node::is_null) {
        here.forbidden(&format!("{place}{field}"), "must not be specified when labelSelector is not set");
        return;
    }
    for (index, key) in keys.iter().enumerate() {
        let Some(word) = key.as_text() else { continue };
        if let Some(words) = qualified(word) {
            here.invalid(&format!("{place}{field}[{index}]"), &words);
        }
    }
}

fn affinity_term(here: &mut Here<'_, '_>) {
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        label_keys(here, "", here.node, field);
    }
    let mismatched: Vec<&str> =
        here.items(&["mismatchLabelKeys"]).filter_map(|(_, key)| key.as_text()).collect();
    for (index, key) in here.items(&["matchLabelKeys"]) {
        if key.as_text().is_some_and(|key| mismatched.contains(&key)) {
            here.invalid(
                &format!("matchLabelKeys[{index}]"),
                "exists in both matchLabelKeys and mismatchLabelKeys",
            );
        }
    }
}

/// Fields of containers that depend on the pod.
fn of_pod(here: &mut Here<'_, '_>) {
    let grace = here.number(&["terminationGracePeriodSeconds"]).unwrap_or(30);
    let has_own_users = here.text(&["hostUsers"]) == Some("false");
    for (place, node) in containers(here) {
        for hook in ["preStop", "postStart"] {
            if node
                .at(&["lifecycle", hook, "sleep", "seconds"])
                .and_then(number)
                .is_some_and(|seconds| seconds > grace)
            {
                here.invalid(
                    &format!("{place}.lifecycle.{hook}.sleep"),
                    &format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})"),
                );
            }
        }
        if node.at(&["securityContext", "procMount"]).and_then(text) == Some("Unmasked") && !has_own_users {
            here.invalid(
                &format!("{place}.securityContext.procMount"),
                "`hostUsers` must be false to use `Unmasked`",
            );
        }
    }
}

/// What a pod shares with its host.
fn host(here: &mut Here<'_, '_>) {
    let (network, pid, ipc) =
        (here.is_true(&["hostNetwork"]), here.is_true(&["hostPID"]), here.is_true(&["hostIPC"]));
    let mut taken = HashSet::new();
    for (place, node) in containers(here) {
        for (index, port) in node.get("ports").and_then(Node::as_seq).into_iter().flatten().enumerate() {
            let on_host = port.get("hostPort").and_then(number).filter(|number| *number != 0);
            let Some(on_host) = on_host else { continue };
            if network && port.get("containerPort").and_then(number).is_some_and(|inside| inside != on_host) {
                here.invalid(
                    &format!("{place}.ports[{index}].hostPort"),
                    "must match `containerPort` when `hostNetwork` is true",
                );
            }
            let key =
                (text_at(port, "protocol").unwrap_or("TCP"), text_at(port, "hostIP").unwrap_or(""), on_host);
            if place.starts_with("containers") && !taken.insert(key) {
                here.duplicate(&format!("{place}.ports[{index}].hostPort"), &on_host.to_string());
            }
        }
    }
    if here.is_true(&["shareProcessNamespace"]) && pid {
        here.invalid("shareProcessNamespace", "ShareProcessNamespace and HostPID cannot both be enabled");
    }
    if here.text(&["hostUsers"]) == Some("false") {
        for (field, is_set) in [("hostNetwork", network), ("hostPID", pid), ("hostIPC", ipc)] {
            if is_set {
                here.forbidden(field, &format!("when `{field}` is true `hostUsers` must not be false"));
            }
        }
    }
    if here.is_true(&["setHostnameAsFQDN"]) && here.at(&["hostnameOverride"]).is_some() {
        here.invalid("hostnameOverride", "may not be set when setHostnameAsFQDN is true");
    }
    if network && here.at(&["hostnameOverride"]).is_some() {
        here.invalid("hostnameOverride", "may not be specified when hostNetwork is true");
    }
    for (index, sysctl) in here.items(&["securityContext", "sysctls"]) {
        let name = text_at(sysctl, "name").unwrap_or("").replace('/', ".");
        let of_ipc = ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|start| name.starts_with(start))
            || name == "kernel.sem";
        if network && name.starts_with("net.") {
            here.invalid(
                &format!("securityContext.sysctls[{index}].name"),
                "may not be specified when 'hostNetwork' is true",
            );
        }
        if ipc && of_ipc {
            here.invalid(
                &format!("securityContext.sysctls[{index}].name"),
                "may not be specified when 'hostIPC' is true",
            );
        }
    }
}

/// Fields that only Windows has, and those that it has not.
fn windows(here: &mut Here<'_, '_>) {
    const NOT_WINDOWS: [&str; 10] = [
        "seLinuxOptions",
        "seccompProfile",
        "appArmorProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ];
    let is_set =
        |node: &Node, field: &str| node.at(&["securityContext", field]).is_some_and(|value| !value.is_null());
    let system = here.text(&["os", "name"]);
    for (place, node) in containers(here) {
        if system == Some("windows") {
            for field in NOT_WINDOWS.iter().filter(|field| is_set(node, field)) {
                here.forbidden(
                    &format!("{place}.securityContext.{field}"),
                    "cannot be set for a windows pod",
                );
            }
        }
        if system == Some("linux") && is_set(node, "windowsOptions") {
            here.forbidden(
                &format!("{place}.securityContext.windowsOptions"),
                "windows options cannot be set for a linux pod",
            );
        }
    }
    let is_host_process =
        |node: &Node| node.at(&["securityContext", "windowsOptions", "hostProcess"]).is_some_and(is_true);
    if (is_host_process(here.node) || containers(here).iter().any(|(_, node)| is_host_process(node)))
        && !here.is_true(&["hostNetwork"])
    {
        here.invalid("hostNetwork", "hostNetwork must be true if pod contains any hostProcess containers");
    }
    if system == Some("windows") {
        for field in ["hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"] {
            if here.at(&[field]).is_some() {
                here.forbidden(field, "cannot be set for a windows pod");
            }
        }
        for field in [
            "seLinuxOptions",
            "fsGroup",
            "fsGroupChangePolicy",
            "sysctls",
            "runAsUser",
            "runAsGroup",
            "supplementalGroups",
            "seccompProfile",
            "appArmorProfile",
        ] {
            if is_set(here.node, field) {
                here.forbidden(&format!("securityContext.{field}"), "cannot be set for a windows pod");
            }
        }
    }
    if system == Some("linux") && is_set(here.node, "windowsOptions") {
        here.forbidden("securityContext.windowsOptions", "windows options cannot be set for a linux pod");
    }
}

/// Claims of devices that containers name.
fn claims(here: &mut Here<'_, '_>) {
    // Older servers drop them.
    if here.version.0 < 34 {
        return;
    }
    let claims: HashSet<&str> =
        here.items(&["resourceClaims"]).filter_map(|(_, claim)| text_at(claim, "name")).collect();
    for (place, node) in containers(here) {
        let mut seen = HashSet::new();
        for (index, claim) in
            node.at(&["resources", "claims"]).and_then(Node::as_seq).into_iter().flatten().enumerate()
        {
            let below = format!("{place}.resources.claims[{index}]");
            match text_at(claim, "name") {
                None => here.required(&format!("{below}.name"), ""),
                Some(name) if !claims.contains(name) => {
                    here.invalid(
                        &below,
                        &format!(
                            "Not found: \"{name}\": must be one of the names in pod.spec.resourceClaims"
                        ),
                    );
                }
                Some(name) if !seen.insert((name, text_at(claim, "request"))) => here.duplicate(&below, name),
                Some(_) => {}
            }
        }
    }
    if here.at(&["resources", "claims"]).is_some_and(|claims| !is_empty(claims)) {
        here.forbidden("resources.claims", "claims may not be set for Resources at pod-level");
    }
}

const OF_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

fn env_source(here: &mut Here<'_, '_>) {
    if let Some(path) = here.text(&["fieldRef", "fieldPath"]) {
        field_path(here, "fieldRef.fieldPath", path, &OF_FIELDS, false);
    }
    if let Some(resource) = here.text(&["resourceFieldRef", "resource"]) {
        resource_field(here, "resourceFieldRef", resource);
    }
}

fn downward_file(here: &mut Here<'_, '_>) {
    if let Some(path) = here.text(&["fieldRef", "fieldPath"]) {
        field_path(
            here,
            "fieldRef.fieldPath",
            path,
            &["metadata.name", "metadata.namespace", "metadata.uid"],
            true,
        );
    }
    if let Some(resource) = here.text(&["resourceFieldRef", "resource"]) {
        if here.text(&["resourceFieldRef", "containerName"]).is_none() {
            here.required("resourceFieldRef.containerName", "");
        }
        resource_field(here, "resourceFieldRef", resource);
    }
}

/// A field of a pod that can be a variable or a file.
fn field_path(here: &mut Here<'_, '_>, below: &str, path: &str, allowed: &[&str], may_be_all: bool) {
    let words = match path.split_once("['") {
        Some((field, key)) => {
            let Some(key) = key.strip_suffix("']") else {
                return here.invalid(below, "error converting fieldPath: unable to parse it");
            };
            match field {
                "metadata.labels" => qualified(key),
                "metadata.annotations" => qualified(&key.to_ascii_lowercase()),
                _ => Some(format!(
                    "error converting fieldPath: field label does not support subscript: {path}"
                )),
            }
        }
        None if allowed.contains(&path)
            || (may_be_all && matches!(path, "metadata.labels" | "metadata.annotations")) =>
        {
            None
        }
        None => Some(format!("error converting fieldPath: field label not supported: {path}")),
    };
    if let Some(words) = words {
        here.invalid(below, &words);
    }
}

fn resource_field(here: &mut Here<'_, '_>, below: &str, resource: &str) {
    const DIVISORS: [(&str, &[&str]); 3] = [
        ("cpu", &["1m", "1", "0"]),
        ("memory", &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", "0"]),
        (
            "ephemeral-storage",
            &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", "0"],
        ),
    ];
    let name = resource.strip_prefix("limits.").or_else(|| resource.strip_prefix("requests."));
    let known = name.and_then(|name| {
        let family = if name.starts_with("hugepages-") { "memory" } else { name };
        DIVISORS.iter().find(|(known, _)| *known == family)
    });
    let Some((_, divisors)) = known else {
        let all = [
            "limits.cpu",
            "limits.ephemeral-storage",
            "limits.memory",
            "requests.cpu",
            "requests.ephemeral-storage",
            "requests.memory",
        ];
        return here.refuse(
            kfc_diagnostics::Code::ValueNotAllowed,
            &format!("{below}.resource"),
            &super::table::unsupported(resource, &all),
        );
    };
    let divisor = here.at(&["resourceFieldRef", "divisor"]).and_then(Node::as_text);
    if divisor.is_some_and(|divisor| !divisors.contains(&divisor)) {
        here.invalid(
            &format!("{below}.divisor"),
            &format!("only divisor's values {} are supported", divisors.join(", ")),
        );
    }
}

/// Two files of a projected volume may not have the same path. Those of tokens and certificates are not compared.
fn projected(here: &mut Here<'_, '_>) {
    let mut paths = HashSet::new();
    for (index, source) in here.items(&["sources"]) {
        for kind in ["configMap", "secret", "downwardAPI"] {
            for (at, item) in
                source.at(&[kind, "items"]).and_then(Node::as_seq).into_iter().flatten().enumerate()
            {
                if let Some(path) = text_at(item, "path").filter(|path| !paths.insert(*path)) {
                    here.invalid(
                        &format!("sources[{index}].{kind}.items[{at}].path"),
                        &format!("conflicting duplicate paths: {path}"),
                    );
                }
            }
        }
    }
}

fn trust_bundle(here: &mut Here<'_, '_>) {
    if here.version.0 >= 37 && here.at(&["name"]).is_some() && here.at(&["labelSelector"]).is_some() {
        here.invalid("labelSelector", "only allowed with signerName");
    }
}

/// Fields of nodes can only be asked for one name.
fn node_selector_term(here: &mut Here<'_, '_>) {
    for list in ["matchExpressions", "matchFields"] {
        for (index, one) in here.items(&[list]) {
            let at = |field: &str| format!("{list}[{index}].{field}");
            let values = one.get("values").and_then(Node::as_seq).unwrap_or_default();
            let operator = text_at(one, "operator");
            let is_of_fields = list == "matchFields";
            match operator {
                Some("In" | "NotIn") if is_of_fields && values.len() != 1 => {
                    here.required(&at("values"), "must have one element");
                }
                Some(_) if is_of_fields && !matches!(operator, Some("In" | "NotIn")) => {
                    here.invalid(&at("operator"), "not a valid selector operator");
                }
                Some("In" | "NotIn") if values.is_empty() => {
                    here.required(&at("values"), "must be specified when `operator` is 'In' or 'NotIn'");
                }
                Some("Exists" | "DoesNotExist") if !values.is_empty() => {
                    here.forbidden(
                        &at("values"),
                        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    );
                }
                Some("Gt" | "Lt") if values.len() != 1 => {
                    here.required(
                        &at("values"),
                        "must be specified single value when `operator` is 'Lt' or 'Gt'",
                    );
                }
                _ => {}
            }
            let key = text_at(one, "key").unwrap_or("");
            if is_of_fields {
                if key != "metadata.name" {
                    here.invalid(&at("key"), "not a valid field selector key");
                }
            } else if let Some(words) = qualified(key) {
                here.invalid(&at("key"), &words);
            }
            // What is only preferred may have any value.
            if !is_of_fields && !here.path.ends_with("preference") {
                for (value_index, value) in values.iter().enumerate() {
                    if value.as_text().is_some_and(|value| !is_label_value(value)) {
                        here.invalid(&at(&format!("values[{value_index}]")), NOT_A_LABEL);
                    }
                }
            }
        }
    }
}

/// The selector of a metric is that of another system.
pub(in super::super) const OTHERS_SELECTOR: &str = "metric.selector";
const NOT_A_LABEL: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

fn label_selector(here: &mut Here<'_, '_>) {
    if here.path.ends_with(OTHERS_SELECTOR) {
        return;
    }
    for entry in here.map(&["matchLabels"]).into_iter().flatten() {
        let below = format!("matchLabels{}", super::here::key(&entry.key.text));
        if let Some(words) = qualified(&entry.key.text) {
            here.invalid(&below, &words);
        }
        if entry.value.as_text().is_some_and(|value| !is_label_value(value)) {
            here.invalid(&below, NOT_A_LABEL);
        }
    }
}

fn label_requirement(here: &mut Here<'_, '_>) {
    if here.path.contains(OTHERS_SELECTOR) {
        return;
    }
    let has_values = here.items(&["values"]).next().is_some();
    match here.text(&["operator"]) {
        Some("In" | "NotIn") if !has_values => {
            here.required("values", "must be specified when `operator` is 'In' or 'NotIn'");
        }
        Some("Exists" | "DoesNotExist") if has_values => {
            here.forbidden("values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        _ => {}
    }
    if let Some(words) = qualified(here.text(&["key"]).unwrap_or("")) {
        here.invalid("key", &words);
    }
    for (index, value) in here.items(&["values"]) {
        if value.as_text().is_some_and(|value| !is_label_value(value)) {
            here.invalid(&format!("values[{index}]"), NOT_A_LABEL);
        }
    }
}

fn azure_disk(here: &mut Here<'_, '_>) {
    let uri = here.text(&["diskURI"]).unwrap_or("").to_owned();
    let is_managed = here.text(&["kind"]) == Some("Managed");
    if is_managed && !uri.starts_with("/subscriptions") {
        here.invalid("diskURI", "Unsupported value: supported values: \"/subscriptions/…\"");
    } else if !is_managed && !uri.is_empty() && !uri.starts_with("https://") {
        here.invalid("diskURI", "Unsupported value: supported values: \"https://…\"");
    }
}
