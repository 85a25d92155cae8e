//! The provider of the cluster, its distribution and version of Kubernetes, and its processors.

use super::answers::{Answers, annotation, label};
use super::finding::Finding;
use kfc_diagnostics::Result;
use serde_json::Value;
use std::collections::BTreeMap;

/// The platform layer of a cluster.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) layer: &'static str,
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
}

/// A mark of the nodes of a platform: its description, and whether a node has it.
type Mark = (&'static str, fn(&Value) -> bool);

/// A platform: its layer, its `provider` fact, its distribution, and its marks. The first whose marks are on most nodes.
type Platform = (&'static str, &'static str, &'static str, &'static [Mark]);

const PLATFORMS: &[Platform] = &[
    (
        "openshift",
        "openshift",
        "openshift",
        &[("the label node.openshift.io/os_id", |node| label(node, "node.openshift.io/os_id").is_some())],
    ),
    (
        "gke",
        "gcp",
        "gke",
        &[
            ("the label cloud.google.com/gke-nodepool", |node| {
                label(node, "cloud.google.com/gke-nodepool").is_some()
            }),
            ("a kubelet with `-gke.` in its version", |node| kubelet(node).contains("-gke.")),
        ],
    ),
    (
        "aws",
        "aws",
        "eks",
        &[
            ("the label eks.amazonaws.com/nodegroup", |node| {
                label(node, "eks.amazonaws.com/nodegroup").is_some()
            }),
            ("a kubelet with `-eks-` in its version", |node| kubelet(node).contains("-eks-")),
        ],
    ),
    (
        "azure",
        "azure",
        "aks",
        &[("the label kubernetes.azure.com/cluster", |node| {
            label(node, "kubernetes.azure.com/cluster").is_some()
        })],
    ),
    (
        "minikube",
        "minikube",
        "minikube",
        &[("the label minikube.k8s.io/name", |node| label(node, "minikube.k8s.io/name").is_some())],
    ),
    (
        "kind",
        "kind",
        "kind",
        &[("a provider ID that begins with kind://", |node| id(node).starts_with("kind://"))],
    ),
    ("k3s", "k3s", "k3s", &[("a kubelet with `+k3s` in its version", |node| kubelet(node).contains("+k3s"))]),
    (
        "onprem",
        "onprem",
        "rke2",
        &[("a kubelet with `+rke2` in its version", |node| kubelet(node).contains("+rke2"))],
    ),
    (
        "onprem",
        "onprem",
        "k0s",
        &[("a kubelet with `+k0s` in its version", |node| kubelet(node).contains("+k0s"))],
    ),
    (
        "onprem",
        "onprem",
        "microk8s",
        &[("the label microk8s.io/cluster", |node| label(node, "microk8s.io/cluster").is_some())],
    ),
    (
        "onprem",
        "onprem",
        "talos",
        &[("Talos as operating system", |node| {
            node["status"]["nodeInfo"]["osImage"].as_str().is_some_and(|image| image.starts_with("Talos"))
        })],
    ),
    (
        "onprem",
        "onprem",
        "kubeadm",
        &[("the annotation kubeadm.alpha.kubernetes.io/cri-socket", |node| {
            annotation(node, "kubeadm.alpha.kubernetes.io/cri-socket").is_some()
        })],
    ),
];

fn kubelet(node: &Value) -> &str {
    node["status"]["nodeInfo"]["kubeletVersion"].as_str().unwrap_or_default()
}

fn id(node: &Value) -> &str {
    node["spec"]["providerID"].as_str().unwrap_or_default()
}

/// The platform that most nodes are of.
///
/// # Errors
/// No nodes.
pub(super) fn provider(answers: &Answers) -> Result<Provider> {
    let nodes = answers.nodes()?;
    for (layer, provider, distribution, marks) in PLATFORMS {
        for (words, has) in *marks {
            let count = nodes.iter().filter(|node| has(node)).count();
            if count * 2 <= nodes.len() {
                continue;
            }
            let evidence = format!("{count} of {} nodes have {words}", nodes.len());
            let mut notes = Vec::new();
            if count < nodes.len() {
                notes.push(format!("only {evidence}: the others differ"));
            }
            if *layer == "onprem" && cloud(nodes).is_some() {
                let cloud = cloud(nodes).unwrap_or_default();
                notes.push(format!(
                    "the nodes are machines of {cloud}, but this is not its managed Kubernetes: its services are not used"
                ));
            }
            let findings = vec![
                Finding::new("provider", *provider, evidence.clone()),
                Finding::new("distribution", *distribution, evidence),
            ];
            return Ok(Provider { layer, findings, notes });
        }
    }
    let evidence = "no node has the marks of a known provider";
    let findings =
        vec![Finding::new("provider", "onprem", evidence), Finding::new("distribution", "unknown", evidence)];
    Ok(Provider { layer: "onprem", findings, notes: Vec::new() })
}

/// The cloud that the machines are of.
fn cloud(nodes: &[Value]) -> Option<&'static str> {
    let clouds = [("gce://", "Google Cloud"), ("aws://", "AWS"), ("azure://", "Azure")];
    clouds
        .into_iter()
        .find(|(prefix, _)| nodes.iter().any(|node| id(node).starts_with(prefix)))
        .map(|(_, name)| name)
}

/// The version of the server, else the oldest of the kubelets.
pub(super) fn version(answers: &Answers) -> Option<Finding> {
    let minor = |text: &str| {
        let mut parts = text.trim_start_matches('v').split(['.', '+', '-']);
        let (major, minor) = (parts.next()?, parts.next()?);
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    };
    if let Some((major, minor)) = minor(&answers.version) {
        let evidence = format!("the server is {}", answers.version);
        return Some(Finding::new("kubernetes", format!("{major}.{minor}"), evidence));
    }
    let oldest =
        answers.of("Node").iter().filter_map(|node| Some((minor(kubelet(node))?, kubelet(node)))).min()?;
    let ((major, minor), text) = oldest;
    let evidence = format!("the oldest kubelet is {text}; the server's version was not saved");
    Some(Finding::new("kubernetes", format!("{major}.{minor}"), evidence))
}

/// The processors.
#[derive(Debug)]
pub(super) struct Architecture {
    pub(super) layer: Option<&'static str>,
    pub(super) findings: Vec<Finding>,
}

/// The architecture of the nodes; with several, that of most, with a note.
pub(super) fn architecture(answers: &Answers, notes: &mut Vec<String>) -> Architecture {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for node in answers.of("Node") {
        let of_node =
            node["status"]["nodeInfo"]["architecture"].as_str().or(label(node, "kubernetes.io/arch"));
        *counts.entry(of_node.unwrap_or("unknown")).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|(arch, count)| format!("{count} {arch}")).collect();
    let most = counts
        .iter()
        .max_by_key(|(arch, count)| (**count, **arch == "amd64"))
        .map_or("amd64", |(arch, _)| *arch);
    if counts.len() > 1 {
        notes.push(format!(
            "the nodes have several architectures ({}): images are chosen for {most}",
            words.join(", ")
        ));
    }
    let layer = (most == "arm64").then_some("arm64");
    let findings = vec![Finding::new("arch", most, format!("nodes: {}", words.join(", ")))];
    Architecture { layer, findings }
}
