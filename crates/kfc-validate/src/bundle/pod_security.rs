//! Pod security standards: pods that a namespace would not admit, in the words of the API server.
//!
//! The checks, their order and the versions from which they hold are those of the server's admission plug-in.
//! <https://kubernetes.io/docs/concepts/security/pod-security-standards/>

use super::super::finding::{Finding, Findings};
use super::super::pods::{containers, items, pod_template, text};
use super::super::version::Version;
use kfc_diagnostics::Code;
use kfc_kube::Object;
use kfc_yaml::Node;
use std::collections::{BTreeSet, HashMap};

/// The label by which a namespace enforces a standard.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
/// The label with the version of the standard; the newest when there is none.
const ENFORCED_VERSION: &str = "pod-security.kubernetes.io/enforce-version";
/// The beginning of annotations with the profile of a container, which are older than the field.
pub(crate) const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
/// Capabilities that the standard `baseline` lets containers add.
const CAPABILITIES: [&str; 13] = [
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
/// Types of `SELinux` that `baseline` allows, with the version from which it does.
const SELINUX_TYPES: [(&str, u32); 4] =
    [("container_t", 0), ("container_init_t", 0), ("container_kvm_t", 0), ("container_engine_t", 31)];
/// Settings of the kernel that `baseline` allows, with the version from which it does.
const SYSCTLS: [(&str, u32); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];
/// Types of volumes that `restricted` allows.
const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
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

/// What a namespace enforces.
#[derive(Clone, Debug)]
struct Policy {
    standard: Standard,
    /// The version of its rules.
    version: u32,
    /// Standard and version as the server prints them.
    name: String,
}

impl Policy {
    /// What the labels of a namespace say to a server of a version.
    fn of(namespace: &Object, server: Version) -> Option<Self> {
        let label = |name: &str| text(&namespace.node, &["metadata", "labels", name]);
        let word = label(ENFORCE)?;
        let standard = match word {
            "baseline" => Standard::Baseline,
            "restricted" => Standard::Restricted,
            _ => return None,
        };
        // Another check reports a version that is not one.
        let wanted = label(ENFORCED_VERSION).filter(|text| text.starts_with('v')).and_then(Version::parse);
        let written = wanted.map_or("latest".to_owned(), |version| format!("v{version}"));
        let version = wanted.unwrap_or(server).min(server).0;
        Some(Self { standard, version, name: format!("{word}:{written}") })
    }

    /// What it says of a pod: a reason with details for each check that fails.
    fn judge(&self, template: &Node) -> Vec<Refusal> {
        let pod = Pod::of(template, self.version);
        let is_restricted = self.standard == Standard::Restricted;
        let baseline =
            BASELINE.iter().filter(|check| !is_restricted || self.version < check.replaced).map(|c| c.check);
        let restricted = RESTRICTED.iter().filter(|_| is_restricted).copied();
        baseline.chain(restricted).filter_map(|check| check(&pod)).collect()
    }
}

/// Why a check refuses a pod, and in which parts of it.
type Refusal = (&'static str, String);
type Check = fn(&Pod<'_>) -> Option<Refusal>;

/// A check of `baseline`.
struct BaselineCheck {
    check: Check,
    /// The version from which `restricted` has a stricter one instead.
    replaced: u32,
}

const fn always(check: Check) -> BaselineCheck {
    BaselineCheck { check, replaced: u32::MAX }
}

const BASELINE: [BaselineCheck; 12] = [
    always(apparmor),
    BaselineCheck { check: added_capabilities, replaced: 22 },
    always(host_namespaces),
    BaselineCheck { check: host_paths, replaced: 0 },
    always(host_ports),
    always(hosts_of_probes),
    always(privileged),
    BaselineCheck { check: proc_mount, replaced: 35 },
    always(selinux),
    BaselineCheck { check: seccomp, replaced: 19 },
    always(sysctls),
    always(host_process),
];
const RESTRICTED: [Check; 7] = [
    escalation,
    capabilities,
    restricted_proc_mount,
    volumes,
    run_as_non_root,
    run_as_user,
    restricted_seccomp,
];

/// Finds workloads whose namespace refuses their pods because of the standard that it enforces.
pub(super) fn check(resources: &[&Object], checked: &[&Object], server: Version) -> Vec<Finding> {
    let namespaces = resources.iter().copied().filter(|resource| resource.kind() == "Namespace");
    let policies: HashMap<&str, Policy> =
        namespaces.filter_map(|one| Some((one.name(), Policy::of(one, server)?))).collect();
    let mut all = Vec::new();
    for resource in checked.iter().copied() {
        let Some(pod) = pod_template(resource) else { continue };
        let Some(policy) = policies.get(resource.namespace()) else { continue };
        let refusals: Vec<String> =
            policy.judge(pod).into_iter().map(|(reason, detail)| format!("{reason} ({detail})")).collect();
        if refusals.is_empty() {
            continue;
        }
        let mut found = Findings::of(resource);
        let message = format!("violates PodSecurity \"{}\": {}", policy.name, refusals.join(", "));
        found.error_at(Code::PodSecurity, pod, message);
        all.append(&mut found.list);
    }
    all
}

/// A pod or a template of pods.
struct Pod<'p> {
    template: &'p Node,
    /// Its containers by name, in the server's order.
    containers: Vec<(&'p str, &'p Node)>,
    /// The version of the standard.
    version: u32,
}

impl<'p> Pod<'p> {
    fn of(template: &'p Node, version: u32) -> Self {
        let named = |container: &'p Node| (text(container, &["name"]).unwrap_or_default(), container);
        Self { template, containers: containers(template).map(named).collect(), version }
    }

    /// The names of the containers that something holds for.
    fn those(&self, is_wrong: impl Fn(&Node) -> bool) -> Vec<&'p str> {
        self.containers.iter().filter(|(_, container)| is_wrong(container)).map(|(name, _)| *name).collect()
    }

    /// The security contexts of the pod and its containers.
    fn contexts(&self) -> impl Iterator<Item = &'p Node> {
        let of_containers = self.containers.iter().map(|(_, container)| container.get("securityContext"));
        std::iter::once(self.template.at(&["spec", "securityContext"])).chain(of_containers).flatten()
    }

    fn security(&self, path: &[&str]) -> Option<&'p str> {
        text(self.template, &[&["spec", "securityContext"], path].concat())
    }

    /// The pod and its containers whose security context is wrong: `pod and container "a"`.
    fn setters(&self, is_wrong: impl Fn(&Node) -> bool) -> Option<String> {
        let context = |node: &Node| node.get("securityContext").is_some_and(&is_wrong);
        let is_of_pod = self.template.get("spec").is_some_and(context);
        let wrong = self.those(context);
        let of_containers = (!wrong.is_empty()).then(|| named("container", &wrong));
        let all: Vec<String> = is_of_pod.then(|| "pod".to_owned()).into_iter().chain(of_containers).collect();
        (!all.is_empty()).then(|| all.join(" and "))
    }

    fn is_windows(&self) -> bool {
        self.version >= 25 && text(self.template, &["spec", "os", "name"]) == Some("windows")
    }

    /// Whether its users are others than those of the node.
    fn has_own_users(&self) -> bool {
        self.version >= 35 && text(self.template, &["spec", "hostUsers"]) == Some("false")
    }
}

/// `container "a"`, `containers "a", "b"`.
fn named(what: &str, names: &[&str]) -> String {
    format!("{} {}", plural(what, names.len()), quoted(names.iter().copied()))
}

fn plural(what: &str, count: usize) -> String {
    if count == 1 { what.to_owned() } else { format!("{what}s") }
}

fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    format!("\"{}\"", names.join("\", \""))
}

fn apparmor(pod: &Pod<'_>) -> Option<Refusal> {
    /// The type of a profile that is not allowed.
    fn wrong(context: &Node) -> Option<&str> {
        text(context, &["appArmorProfile", "type"]).filter(|kind| !is_profile_allowed(kind))
    }
    let kinds: BTreeSet<&str> = pod.contexts().filter_map(wrong).collect();
    let mut setters: Vec<String> = pod.setters(|context| wrong(context).is_some()).into_iter().collect();
    let annotations = pod.template.at(&["metadata", "annotations"]).and_then(Node::as_map);
    let mut unsafe_ones: Vec<String> = annotations
        .into_iter()
        .flatten()
        .filter(|entry| entry.key.text.starts_with(APPARMOR))
        .filter_map(|entry| Some((entry.key.text.as_str(), entry.value.as_text()?)))
        .filter(|(_, profile)| {
            !profile.is_empty() && *profile != "runtime/default" && !profile.starts_with("localhost/")
        })
        .map(|(name, profile)| format!("{name}=\"{profile}\""))
        .collect();
    unsafe_ones.sort_unstable();
    if !unsafe_ones.is_empty() {
        setters.push(plural("annotation", unsafe_ones.len()));
    }
    let values: Vec<&str> = kinds.into_iter().chain(unsafe_ones.iter().map(String::as_str)).collect();
    let reason = if values.len() == 1 { "forbidden AppArmor profile" } else { "forbidden AppArmor profiles" };
    (!setters.is_empty()).then(|| {
        let detail = format!(
            "{} must not set AppArmor profile type to {}",
            setters.join(" and "),
            quoted(values.iter().copied())
        );
        (reason, detail)
    })
}

/// The texts of a list in the security context of a container.
fn capabilities_of<'n>(container: &'n Node, list: &'static str) -> impl Iterator<Item = &'n str> {
    items(container, &["securityContext", "capabilities", list]).filter_map(Node::as_text)
}

/// Containers that add capabilities other than the allowed ones.
fn adding(pod: &Pod<'_>, allowed: &[&str]) -> Option<String> {
    let is_wrong = |name: &&str| !allowed.contains(name);
    let names = pod.those(|container| capabilities_of(container, "add").any(|name| is_wrong(&name)));
    let added: BTreeSet<&str> = pod
        .containers
        .iter()
        .flat_map(|(_, container)| capabilities_of(container, "add"))
        .filter(is_wrong)
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} must not include {} in securityContext.capabilities.add",
            named("container", &names),
            quoted(added)
        )
    })
}

fn added_capabilities(pod: &Pod<'_>) -> Option<Refusal> {
    Some(("non-default capabilities", adding(pod, &CAPABILITIES)?))
}

fn host_namespaces(pod: &Pod<'_>) -> Option<Refusal> {
    let shared: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .iter()
        .filter(|field| text(pod.template, &["spec", field]) == Some("true"))
        .map(|field| format!("{field}=true"))
        .collect();
    (!shared.is_empty()).then(|| ("host namespaces", shared.join(", ")))
}

fn host_paths(pod: &Pod<'_>) -> Option<Refusal> {
    let names: Vec<&str> = items(pod.template, &["spec", "volumes"])
        .filter(|volume| volume.get("hostPath").is_some_and(|path| !path.is_null()))
        .map(|volume| text(volume, &["name"]).unwrap_or_default())
        .collect();
    (!names.is_empty()).then(|| ("hostPath volumes", named("volume", &names)))
}

fn host_ports(pod: &Pod<'_>) -> Option<Refusal> {
    fn ports(container: &Node) -> impl Iterator<Item = &str> {
        let ports = items(container, &["ports"]);
        ports.filter_map(|port| text(port, &["hostPort"])).filter(|port| *port != "0")
    }
    let names = pod.those(|container| ports(container).next().is_some());
    let all: BTreeSet<&str> = pod.containers.iter().flat_map(|(_, container)| ports(container)).collect();
    (!names.is_empty()).then(|| {
        let what = plural("hostPort", all.len());
        let ports = all.into_iter().collect::<Vec<_>>().join(", ");
        ("hostPort", format!("{} {} {what} {ports}", named("container", &names), uses(names.len())))
    })
}

const fn uses(count: usize) -> &'static str {
    if count == 1 { "uses" } else { "use" }
}

fn hosts_of_probes(pod: &Pod<'_>) -> Option<Refusal> {
    const HANDLERS: [&[&str]; 5] = [
        &["livenessProbe"],
        &["readinessProbe"],
        &["startupProbe"],
        &["lifecycle", "postStart"],
        &["lifecycle", "preStop"],
    ];
    fn hosts(container: &Node) -> impl Iterator<Item = &str> {
        let handlers = HANDLERS.iter().filter_map(|path| container.at(path));
        handlers.flat_map(|handler| {
            ["httpGet", "tcpSocket"].into_iter().filter_map(|kind| text(handler, &[kind, "host"]))
        })
    }
    if pod.version < 34 {
        return None;
    }
    let names: BTreeSet<&str> =
        pod.those(|container| hosts(container).next().is_some()).into_iter().collect();
    let all: BTreeSet<&str> = pod.containers.iter().flat_map(|(_, container)| hosts(container)).collect();
    (!names.is_empty()).then(|| {
        let names: Vec<&str> = names.into_iter().collect();
        let what = plural("probe or lifecycle host", all.len());
        let detail = format!("{} {} {what} {}", named("container", &names), uses(names.len()), quoted(all));
        ("probe or lifecycle host", detail)
    })
}

fn privileged(pod: &Pod<'_>) -> Option<Refusal> {
    let names = pod.those(|container| text(container, &["securityContext", "privileged"]) == Some("true"));
    (!names.is_empty()).then(|| {
        ("privileged", format!("{} must not set securityContext.privileged=true", named("container", &names)))
    })
}

fn proc_mount(pod: &Pod<'_>) -> Option<Refusal> {
    if pod.has_own_users() { None } else { unmasked(pod) }
}

fn restricted_proc_mount(pod: &Pod<'_>) -> Option<Refusal> {
    if pod.version < 35 { None } else { unmasked(pod) }
}

fn unmasked(pod: &Pod<'_>) -> Option<Refusal> {
    fn mount(container: &Node) -> Option<&str> {
        text(container, &["securityContext", "procMount"]).filter(|mount| *mount != "Default")
    }
    let names = pod.those(|container| mount(container).is_some());
    let all: BTreeSet<&str> = pod.containers.iter().filter_map(|(_, container)| mount(container)).collect();
    (!names.is_empty()).then(|| {
        let detail = format!(
            "{} must not set securityContext.procMount to {}",
            named("container", &names),
            quoted(all)
        );
        ("procMount", detail)
    })
}

fn selinux(pod: &Pod<'_>) -> Option<Refusal> {
    fn option<'c>(context: &'c Node, field: &str) -> Option<&'c str> {
        text(context, &["seLinuxOptions", field])
    }
    let is_allowed =
        |kind: &str| SELINUX_TYPES.iter().any(|(allowed, from)| *allowed == kind && *from <= pod.version);
    let setters = pod.setters(|context| {
        option(context, "type").is_some_and(|kind| !is_allowed(kind))
            || option(context, "user").is_some()
            || option(context, "role").is_some()
    })?;
    let types: BTreeSet<&str> = pod
        .contexts()
        .filter_map(|context| option(context, "type"))
        .filter(|kind| !is_allowed(kind))
        .collect();
    let types: Vec<&str> = types.into_iter().collect();
    let mut wrong: Vec<String> = (!types.is_empty()).then(|| named("type", &types)).into_iter().collect();
    for field in ["user", "role"] {
        if pod.contexts().any(|context| option(context, field).is_some()) {
            wrong.push(format!("{field} may not be set"));
        }
    }
    let detail = format!("{setters} set forbidden securityContext.seLinuxOptions: {}", wrong.join("; "));
    Some(("seLinuxOptions", detail))
}

/// Whether a profile of the kernel's filters is one of the runtime or of the node.
fn is_profile_allowed(kind: &str) -> bool {
    matches!(kind, "RuntimeDefault" | "Localhost")
}

fn seccomp(pod: &Pod<'_>) -> Option<Refusal> {
    /// The type of a profile that is not allowed.
    fn wrong(context: &Node) -> Option<&str> {
        text(context, &["seccompProfile", "type"]).filter(|kind| !is_profile_allowed(kind))
    }
    if pod.version < 19 {
        return None;
    }
    let setters = pod.setters(|context| wrong(context).is_some())?;
    let kinds: BTreeSet<&str> = pod.contexts().filter_map(wrong).collect();
    let detail = format!("{setters} must not set securityContext.seccompProfile.type to {}", quoted(kinds));
    Some(("seccompProfile", detail))
}

fn sysctls(pod: &Pod<'_>) -> Option<Refusal> {
    let is_allowed =
        |name: &&str| SYSCTLS.iter().any(|(allowed, from)| allowed == name && *from <= pod.version);
    let names: Vec<&str> = items(pod.template, &["spec", "securityContext", "sysctls"])
        .filter_map(|sysctl| text(sysctl, &["name"]))
        .filter(|name| !is_allowed(name))
        .collect();
    (!names.is_empty()).then(|| ("forbidden sysctls", names.join(", ")))
}

fn host_process(pod: &Pod<'_>) -> Option<Refusal> {
    let setters = pod.setters(|context| text(context, &["windowsOptions", "hostProcess"]) == Some("true"))?;
    Some(("hostProcess", format!("{setters} must not set securityContext.windowsOptions.hostProcess=true")))
}

fn escalation(pod: &Pod<'_>) -> Option<Refusal> {
    if pod.is_windows() {
        return None;
    }
    let names = pod.those(|container| {
        text(container, &["securityContext", "allowPrivilegeEscalation"]) != Some("false")
    });
    (!names.is_empty()).then(|| {
        let detail =
            format!("{} must set securityContext.allowPrivilegeEscalation=false", named("container", &names));
        ("allowPrivilegeEscalation != false", detail)
    })
}

fn capabilities(pod: &Pod<'_>) -> Option<Refusal> {
    if pod.version < 22 || pod.is_windows() {
        return None;
    }
    let keeping = pod.those(|container| !capabilities_of(container, "drop").any(|name| name == "ALL"));
    let kept = (!keeping.is_empty()).then(|| {
        format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", named("container", &keeping))
    });
    let details: Vec<String> = kept.into_iter().chain(adding(pod, &["NET_BIND_SERVICE"])).collect();
    (!details.is_empty()).then(|| ("unrestricted capabilities", details.join("; ")))
}

fn volumes(pod: &Pod<'_>) -> Option<Refusal> {
    /// The type of a volume that is not allowed.
    fn kind(volume: &Node) -> Option<&str> {
        let kinds = volume.as_map()?.iter().filter(|entry| !entry.value.is_null());
        let mut kinds = kinds.map(|entry| entry.key.text.as_str()).filter(|kind| *kind != "name");
        kinds.clone().all(|kind| !VOLUMES.contains(&kind)).then(|| kinds.next()).flatten()
    }
    let wrong: Vec<(&str, &str)> = items(pod.template, &["spec", "volumes"])
        .filter_map(|volume| Some((text(volume, &["name"]).unwrap_or_default(), kind(volume)?)))
        .collect();
    let names: Vec<&str> = wrong.iter().map(|(name, _)| *name).collect();
    let kinds: BTreeSet<&str> = wrong.iter().map(|(_, kind)| *kind).collect();
    (!names.is_empty()).then(|| {
        let what = plural("restricted volume type", kinds.len());
        let detail = format!("{} {} {what} {}", named("volume", &names), uses(names.len()), quoted(kinds));
        ("restricted volume types", detail)
    })
}

fn run_as_non_root(pod: &Pod<'_>) -> Option<Refusal> {
    const REASON: &str = "runAsNonRoot != true";
    if pod.has_own_users() {
        return None;
    }
    if let Some(setters) = pod.setters(|context| text(context, &["runAsNonRoot"]) == Some("false")) {
        return Some((REASON, format!("{setters} must not set securityContext.runAsNonRoot=false")));
    }
    if pod.security(&["runAsNonRoot"]) == Some("true") {
        return None;
    }
    let names = pod.those(|container| text(container, &["securityContext", "runAsNonRoot"]).is_none());
    (!names.is_empty()).then(|| {
        (REASON, format!("pod or {} must set securityContext.runAsNonRoot=true", named("container", &names)))
    })
}

fn run_as_user(pod: &Pod<'_>) -> Option<Refusal> {
    if pod.version < 23 || pod.has_own_users() {
        return None;
    }
    let setters = pod.setters(|context| text(context, &["runAsUser"]) == Some("0"))?;
    Some(("runAsUser=0", format!("{setters} must not set runAsUser=0")))
}

fn restricted_seccomp(pod: &Pod<'_>) -> Option<Refusal> {
    if pod.version < 19 || pod.is_windows() {
        return None;
    }
    if let Some(refusal) = seccomp(pod) {
        return Some(refusal);
    }
    if pod.security(&["seccompProfile", "type"]).is_some() {
        return None;
    }
    let names =
        pod.those(|container| text(container, &["securityContext", "seccompProfile", "type"]).is_none());
    (!names.is_empty()).then(|| {
        let detail = format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            named("container", &names)
        );
        ("seccompProfile", detail)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::check;
    use crate::version::Version;
    use kfc_diagnostics::SourceId;
    use kfc_kube::Object;
    use kfc_yaml::parse::parse;

    /// What a namespace with these labels says of a pod, to a server of a version.
    fn said(labels: &str, spec: &str, server: u32) -> Vec<String> {
        let namespace =
            format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{{labels}}}}}");
        let pod =
            format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: shop}}\nspec: {spec}");
        let read = |text: &str, is_cluster_scoped| {
            Object::new(parse(text, SourceId::NONE).unwrap().remove(0), is_cluster_scoped)
        };
        let (namespace, pod) = (read(&namespace, true), read(&pod, false));
        let found = check(&[&namespace, &pod], &[&pod], Version(server));
        found.into_iter().map(|finding| finding.diagnostic.message).collect()
    }

    #[test]
    fn the_words_are_those_of_the_server() {
        let labels = "pod-security.kubernetes.io/enforce: restricted";
        assert_eq!(
            said(labels, "{containers: [{name: a}, {name: b, securityContext: {runAsUser: 0}}]}", 37),
            [
                "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (containers \"a\", \"b\" must \
                 set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers \"a\", \"b\" must \
                 set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or containers \"a\", \"b\" must \
                 set securityContext.runAsNonRoot=true), runAsUser=0 (container \"b\" must not set runAsUser=0), \
                 seccompProfile (pod or containers \"a\", \"b\" must set securityContext.seccompProfile.type to \
                 \"RuntimeDefault\" or \"Localhost\")"
            ]
        );
        let baseline = "pod-security.kubernetes.io/enforce: baseline";
        let shared = "{hostPID: true, volumes: [{name: v, hostPath: {path: /}}], containers: [{name: a, ports: [{hostPort: 80}]}]}";
        assert_eq!(
            said(baseline, shared, 37),
            [
                "violates PodSecurity \"baseline:latest\": host namespaces (hostPID=true), hostPath volumes (volume \"v\"), \
                 hostPort (container \"a\" uses hostPort 80)"
            ]
        );
    }

    #[test]
    fn a_version_has_the_rules_of_its_time() {
        let probe = "{containers: [{name: a, livenessProbe: {httpGet: {host: 10.0.0.1}}}]}";
        let at = |version: &str| {
            format!(
                "pod-security.kubernetes.io/enforce: baseline, pod-security.kubernetes.io/enforce-version: {version}"
            )
        };
        assert_eq!(said(&at("latest"), probe, 37).len(), 1);
        assert_eq!(said(&at("v1.33"), probe, 37).len(), 0);
        assert_eq!(said(&at("latest"), probe, 33).len(), 0);
        let message = said(&at("v1.34"), probe, 37).remove(0);
        assert!(
            message.starts_with("violates PodSecurity \"baseline:v1.34\": probe or lifecycle host"),
            "{message}"
        );
    }
}
