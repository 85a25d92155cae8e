//! Services of the platform: load balancers, metrics, identities, pod security.

use super::answers::{Answers, label, name};
use super::finding::Finding;
use crate::resolve::Profile;
use serde_json::Value;
use std::collections::BTreeMap;

/// Findings about services; `layer` is the platform's.
pub(super) fn services(
    answers: &Answers,
    layer: &str,
    profile: &Profile,
    notes: &mut Vec<String>,
) -> Vec<Finding> {
    let mut findings = vec![ingress(answers, layer, profile)];
    findings.extend(metrics(answers));
    findings.extend(issuers(answers));
    findings.extend(identity(answers, layer));
    findings.extend(scc(answers));
    findings.extend(pod_security(answers));
    for class in answers.of("IngressClass") {
        notes.push(format!("the ingress class {} exists", name(class)));
    }
    findings
}

fn ingress(answers: &Answers, layer: &str, profile: &Profile) -> Finding {
    let usual = profile.facts.get("ingress.service").map_or(Value::Null, |fact| fact.value.clone());
    let has_address = |service: &&Value| {
        service["spec"]["type"] == "LoadBalancer"
            && service["status"]["loadBalancer"]["ingress"].as_array().is_some_and(|list| !list.is_empty())
    };
    if layer == "openshift" {
        return Finding::new("ingress.service", usual, "OpenShift has routes");
    }
    if let Some(service) = answers.of("Service").iter().find(has_address) {
        let evidence = format!("the service {} has an address of a load balancer", name(service));
        return Finding::new("ingress.service", "LoadBalancer", evidence);
    }
    if answers.has("CustomResourceDefinition", "ipaddresspools.metallb.io") {
        return Finding::new("ingress.service", "LoadBalancer", "MetalLB is installed");
    }
    if answers.has("CustomResourceDefinition", "ciliumloadbalancerippools.cilium.io")
        && usual != "LoadBalancer"
    {
        return Finding::new(
            "ingress.service",
            usual,
            "Cilium could assign addresses if it has a pool of them",
        );
    }
    let evidence = match layer {
        "gke" | "aws" | "azure" => "the cloud has load balancers",
        "k3s" => "k3s has its own load balancer",
        _ => "no controller that assigns addresses was found",
    };
    Finding::new("ingress.service", usual, evidence)
}

fn metrics(answers: &Answers) -> Option<Finding> {
    const NAME: &str = "v1beta1.metrics.k8s.io";
    if !answers.knows("APIService") {
        return None;
    }
    let service = answers.of("APIService").iter().find(|service| name(service) == NAME);
    let evidence = match service {
        Some(_) => format!("the API service {NAME} exists"),
        None => format!("the API service {NAME} does not exist"),
    };
    Some(Finding::new("metrics.provided", service.is_some(), evidence))
}

/// The issuers of certificates, which the parameter `tls` can name.
fn issuers(answers: &Answers) -> Option<Finding> {
    let names: Vec<&str> = answers.of("ClusterIssuer").iter().map(name).collect();
    let evidence = "ClusterIssuers of cert-manager, for `tls: {issuer: NAME}`";
    (!names.is_empty()).then(|| Finding::new("certificate issuers", names.join(", "), evidence))
}

/// Only GKE's nodes show whether pods can have identities of the cloud.
fn identity(answers: &Answers, layer: &str) -> Option<Finding> {
    const LABEL: &str = "iam.gke.io/gke-metadata-server-enabled";
    if layer != "gke" {
        return None;
    }
    let count = answers.of("Node").iter().filter(|node| label(node, LABEL) == Some("true")).count();
    let evidence = format!("{count} of {} nodes have the label {LABEL}", answers.of("Node").len());
    let kind = if count > 0 { "gke-workload-identity" } else { "none" };
    Some(Finding::new("identity.kind", kind, evidence))
}

fn scc(answers: &Answers) -> Option<Finding> {
    const NAME: &str = "securitycontextconstraints.security.openshift.io";
    answers
        .has("CustomResourceDefinition", NAME)
        .then(|| Finding::new("security.scc", true, format!("the kind {NAME} exists")))
}

/// The levels that namespaces enforce; they do not show the level of new namespaces.
fn pod_security(answers: &Answers) -> Option<Finding> {
    let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
    for namespace in answers.of("Namespace") {
        if let Some(level) = label(namespace, "pod-security.kubernetes.io/enforce") {
            *levels.entry(level).or_default() += 1;
        }
    }
    if !answers.knows("Namespace") {
        return None;
    }
    let words: Vec<String> = levels.iter().map(|(level, count)| format!("{count} enforce {level}")).collect();
    let words = if words.is_empty() { "none enforces a level".to_owned() } else { words.join(", ") };
    Some(Finding::new(
        "pod security",
        words,
        format!("labels of {} namespaces", answers.of("Namespace").len()),
    ))
}
