//! What a platform needs and a cluster does not have, and who provides it.

use super::answers::{Answers, label, name};
use super::finding::Finding;
use crate::resolve::Profile;
use serde_json::Value;

/// Something that the cluster lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What it is, in a few words.
    pub name: &'static str,
    /// The part of the answers that shows it.
    pub evidence: String,
    /// What brings it, or what works without it.
    pub remedy: String,
}

/// Everything that a cluster lacks, from storage to certificates. What the answers say nothing about is left out.
pub(super) fn lacking(answers: &Answers, layer: &str, profile: &Profile, findings: &[Finding]) -> Vec<Lack> {
    let all = [
        storage_class(findings),
        shared_storage(findings),
        load_balancer(answers, layer, findings),
        metrics(findings),
        device_plugin(profile, findings),
        dns(answers),
        records(answers, layer),
        issuer(answers, layer),
    ];
    all.into_iter().flatten().collect()
}

fn finding<'f>(findings: &'f [Finding], name: &str) -> Option<&'f Finding> {
    findings.iter().find(|finding| finding.name == name)
}

fn lack(name: &'static str, evidence: impl Into<String>, remedy: impl Into<String>) -> Lack {
    Lack { name, evidence: evidence.into(), remedy: remedy.into() }
}

fn storage_class(findings: &[Finding]) -> Option<Lack> {
    let class = finding(findings, "storage.class").filter(|class| class.value == "")?;
    let remedy = "mark a class as the default, or name one in the fact `storage.class`";
    Some(lack("storage class", class.evidence.clone(), remedy))
}

fn shared_storage(findings: &[Finding]) -> Option<Lack> {
    let class = finding(findings, "storage.sharedClass").filter(|class| class.value == "")?;
    let remedy = "only volumes that pods on several nodes write to need one: the fact `storage.sharedClass`";
    Some(lack("shared storage", class.evidence.clone(), remedy))
}

fn load_balancer(answers: &Answers, layer: &str, findings: &[Finding]) -> Option<Lack> {
    const CONTROLLER: &str = "aws-load-balancer-controller";
    let service = finding(findings, "ingress.service")?;
    if layer == "aws" {
        // EKS Auto Mode has the controller outside of the cluster.
        let is_auto = |node: &Value| label(node, "eks.amazonaws.com/compute-type") == Some("auto");
        let is_known = answers.knows("Deployment") && !answers.of("Node").iter().any(is_auto);
        if is_known && !answers.has("Deployment", CONTROLLER) {
            let evidence = format!("there is no Deployment {CONTROLLER}");
            let remedy = "install the AWS Load Balancer Controller before `exposure: public`";
            return Some(lack("load balancer", evidence, remedy));
        }
        return None;
    }
    if layer == "openshift" || service.value == "LoadBalancer" {
        return None;
    }
    let remedy = "`exposure: public` opens a port of the nodes; with MetalLB it gets an address";
    Some(lack("load balancer", service.evidence.clone(), remedy))
}

fn metrics(findings: &[Finding]) -> Option<Lack> {
    let metrics = finding(findings, "metrics.provided").filter(|metrics| metrics.value == false)?;
    Some(lack("metrics server", metrics.evidence.clone(), "the platform brings it"))
}

fn device_plugin(profile: &Profile, findings: &[Finding]) -> Option<Lack> {
    finding(findings, "accelerator count").filter(|count| count.value == 0)?;
    let resource = finding(findings, "accelerator.resource")?.value.as_str().unwrap_or_default();
    let evidence = format!("nodes have the label of an accelerator, and offer no {resource}");
    let is_ours = profile.facts.get("accelerator.devicePlugin").is_some_and(|fact| fact.value == true);
    let remedy = if is_ours {
        "the platform brings it; drivers are on the nodes"
    } else {
        "enable it in the platform of the cluster, or set the fact `accelerator.devicePlugin`"
    };
    Some(lack("device plug-in", evidence, remedy))
}

/// A service of the server for names inside of the cluster.
fn is_dns(service: &Value) -> bool {
    label(service, "k8s-app") == Some("kube-dns")
        || label(service, "dns.operator.openshift.io/owning-dns").is_some()
        || name(service).contains("coredns")
        || name(service) == "kube-dns"
}

fn dns(answers: &Answers) -> Option<Lack> {
    let services = answers.of("Service");
    if !answers.knows("Service") || services.iter().any(is_dns) {
        return None;
    }
    let evidence = format!("none of {} services is that of a DNS server", services.len());
    Some(lack("DNS", evidence, "install CoreDNS: no component finds another one without it"))
}

fn records(answers: &Answers, layer: &str) -> Option<Lack> {
    const CONTROLLER: &str = "external-dns";
    // The names of OpenShift's routes have a record.
    if layer == "openshift" || !answers.knows("Deployment") || answers.has("Deployment", CONTROLLER) {
        return None;
    }
    let evidence = format!("there is no Deployment {CONTROLLER}");
    Some(lack("DNS records", evidence, "for `exposure`, create one that leads `domain` to the gateway"))
}

fn issuer(answers: &Answers, layer: &str) -> Option<Lack> {
    // OpenShift's router has a certificate.
    let is_known = answers.knows("CustomResourceDefinition");
    if layer == "openshift" || !is_known || !answers.of("ClusterIssuer").is_empty() {
        return None;
    }
    let evidence = "there is no ClusterIssuer of cert-manager";
    let remedy = "`tls: {acme: EMAIL}` makes one, `tls: {secret: NAME}` needs none";
    Some(lack("certificates", evidence, remedy))
}

#[cfg(test)]
mod tests {
    use super::{Lack, lacking};
    use crate::detect::{Answers, Finding};
    use crate::resolve::Profile;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn lacks(layer: &str, answers: &[Value], findings: &[(&str, Value)]) -> Vec<Lack> {
        let mut all = Answers::default();
        for answer in answers {
            assert!(all.add(answer.clone()), "{answer}");
        }
        let profile = Profile { name: layer.to_owned(), layers: Vec::new(), facts: BTreeMap::new() };
        let findings: Vec<Finding> =
            findings.iter().map(|(name, value)| Finding::new(name, value.clone(), "seen")).collect();
        lacking(&all, layer, &profile, &findings)
    }

    fn names(layer: &str, answers: &[Value], findings: &[(&str, Value)]) -> Vec<&'static str> {
        lacks(layer, answers, findings).into_iter().map(|lack| lack.name).collect()
    }

    fn list(kind: &str, objects: &[(&str, &str)]) -> Value {
        let object = |(name, labels): &(&str, &str)| json!({"metadata": {"name": name, "labels": {*labels: "kube-dns"}}});
        json!({"kind": format!("{kind}List"), "items": objects.iter().map(object).collect::<Vec<_>>()})
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        assert_eq!(lacks("onprem", &[], &[]), []);
        assert_eq!(names("aws", &[], &[("ingress.service", json!("LoadBalancer"))]), [""; 0]);
    }

    #[test]
    fn empty_findings_are_lacks() {
        let findings = [
            ("storage.class", json!("")),
            ("storage.sharedClass", json!("")),
            ("ingress.service", json!("NodePort")),
            ("metrics.provided", json!(false)),
            ("accelerator count", json!(0)),
            ("accelerator.resource", json!("nvidia.com/gpu")),
        ];
        let all = ["storage class", "shared storage", "load balancer", "metrics server", "device plug-in"];
        assert_eq!(names("onprem", &[], &findings), all);
        let full = [
            ("storage.class", json!("a")),
            ("storage.sharedClass", json!("b")),
            ("ingress.service", json!("LoadBalancer")),
            ("metrics.provided", json!(true)),
            ("accelerator count", json!(4)),
        ];
        assert_eq!(names("onprem", &[], &full), [""; 0]);
        assert_eq!(names("openshift", &[], &[("ingress.service", json!("ClusterIP"))]), [""; 0]);
    }

    #[test]
    fn dns_and_certificates_are_looked_for() {
        let bare =
            [list("Service", &[("kubernetes", "")]), list("Deployment", &[("web", "")]), definitions("a.b")];
        assert_eq!(names("onprem", &bare, &[]), ["DNS", "DNS records", "certificates"]);
        assert_eq!(names("openshift", &bare, &[]), ["DNS"]);
        let full = [
            list("Service", &[("names", "k8s-app")]),
            list("Deployment", &[("external-dns", "")]),
            definitions("clusterissuers.cert-manager.io"),
            list("ClusterIssuer", &[("letsencrypt", "")]),
        ];
        assert_eq!(names("onprem", &full, &[]), [""; 0]);
    }

    fn definitions(name: &str) -> Value {
        list("CustomResourceDefinition", &[(name, "")])
    }

    #[test]
    fn load_balancers_of_aws_have_a_controller() {
        let service = [("ingress.service", json!("LoadBalancer"))];
        let deployments = |name: &str| [list("Deployment", &[("external-dns", ""), (name, "")])];
        assert_eq!(names("aws", &deployments("web"), &service), ["load balancer"]);
        assert_eq!(names("aws", &deployments("aws-load-balancer-controller"), &service), [""; 0]);
        let node = json!({"kind": "Node", "metadata": {"name": "a", "labels": {"eks.amazonaws.com/compute-type": "auto"}}});
        assert_eq!(names("aws", &[&deployments("web")[..], &[node]].concat(), &service), [""; 0]);
    }
}
