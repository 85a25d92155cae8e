//! The accelerators of a cluster.

use super::answers::{Answers, label};
use super::finding::Finding;
use serde_json::Value;

/// The accelerators of a cluster.
#[derive(Debug, Default)]
pub(super) struct Accelerators {
    pub(super) layer: Option<&'static str>,
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
}

/// An extended resource (or the start of its name), its layer, kind and vendor, and labels of nodes with it.
type Kind = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const KINDS: &[Kind] = &[
    (
        "nvidia.com/gpu",
        "gpu",
        "gpu",
        "nvidia",
        &["cloud.google.com/gke-accelerator", "nvidia.com/gpu.present", "k8s.amazonaws.com/accelerator"],
    ),
    ("google.com/tpu", "tpu", "tpu", "google", &["cloud.google.com/gke-tpu-accelerator"]),
    ("aws.amazon.com/neuron", "neuron", "neuron", "aws", &[]),
    ("amd.com/gpu", "amd-gpu", "gpu", "amd", &["amd.com/gpu.present"]),
];

/// The accelerators that nodes offer, that of most nodes first; a profile has one kind.
pub(super) fn accelerators(answers: &Answers) -> Accelerators {
    let mut found: Vec<(&Kind, usize, u64)> = Vec::new();
    for kind in KINDS {
        let carriers = answers.of("Node").iter().filter(|node| carries(node, kind));
        let (nodes, count) =
            carriers.fold((0, 0), |(nodes, count), node| (nodes + 1, count + offered(node, kind.0)));
        if nodes > 0 {
            found.push((kind, nodes, count));
        }
    }
    found.sort_by_key(|(_, nodes, _)| std::cmp::Reverse(*nodes));
    let mut result = Accelerators::default();
    let Some(((resource, layer, kind, vendor, _), nodes, count)) = found.first().copied() else {
        result.findings.push(Finding::new("accelerator.kind", "none", "no node offers an accelerator"));
        return result;
    };
    let evidence = format!("{count} {resource} on {nodes} of {} nodes", answers.of("Node").len());
    result.layer = Some(layer);
    result.findings.push(Finding::new("accelerator.kind", *kind, evidence.clone()));
    result.findings.push(Finding::new("accelerator.vendor", *vendor, evidence.clone()));
    result.findings.push(Finding::new("accelerator.resource", *resource, evidence));
    result.findings.push(Finding::new("accelerator count", count, products(answers, resource)));
    if count > 0 {
        let evidence = "the nodes offer the resource: a device plug-in runs already";
        result.findings.push(Finding::new("accelerator.devicePlugin", false, evidence));
    }
    for ((resource, ..), nodes, count) in &found[1..] {
        result.notes.push(format!(
            "there are also {count} {resource} on {nodes} nodes; a profile has one kind of accelerator"
        ));
    }
    result
}

/// How many of a resource a node offers. AWS counts devices and cores under separate names.
fn offered(node: &Value, resource: &str) -> u64 {
    let quantity =
        |name: &str| node["status"]["allocatable"][name].as_str().and_then(|text| text.parse().ok());
    let names = [resource.to_owned(), format!("{resource}device"), format!("{resource}core")];
    names.iter().filter_map(|name| quantity(name)).find(|count| *count > 0).unwrap_or(0)
}

fn carries(node: &Value, (resource, _, _, _, labels): &Kind) -> bool {
    offered(node, resource) > 0
        || labels.iter().any(|name| label(node, name).is_some_and(|value| value != "false"))
}

/// What the labels of nodes call their accelerators.
fn products(answers: &Answers, resource: &str) -> String {
    let names = [
        "nvidia.com/gpu.product",
        "cloud.google.com/gke-accelerator",
        "cloud.google.com/gke-tpu-accelerator",
        "node.kubernetes.io/instance-type",
    ];
    let product = |node: &Value| names.into_iter().find_map(|name| label(node, name)).map(str::to_owned);
    let carriers = answers.of("Node").iter().filter(|node| offered(node, resource) > 0);
    let mut products: Vec<String> = carriers.filter_map(product).collect();
    products.sort();
    products.dedup();
    if products.is_empty() {
        "by what the nodes offer".to_owned()
    } else {
        format!("nodes with {}", products.join(", "))
    }
}
