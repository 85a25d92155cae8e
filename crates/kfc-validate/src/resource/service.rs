//! Services.

use super::super::finding::Findings;
use super::super::pods::{items, text};
use super::metadata::{is_label, is_port, is_port_name};
use kfc_diagnostics::Code;
use kfc_kube::Object;
use kfc_yaml::{Node, ScalarKind};
use std::collections::HashSet;

pub(super) fn check(resource: &Object, found: &mut Findings<'_>) {
    let spec = resource.node.get("spec").unwrap_or(&resource.node);
    let ports: Vec<&Node> = items(spec, &["ports"]).collect();
    let kind = text(spec, &["type"]);
    let is_headless = text(spec, &["clusterIP"]) == Some("None");
    if kind == Some("ExternalName") {
        if text(spec, &["externalName"]).is_none() {
            found.error_at(Code::ServiceSpec, spec, "a service of type ExternalName needs `externalName`");
        }
    } else if ports.is_empty() && !is_headless {
        found.error_at(Code::ServiceSpec, spec, "the service has no ports");
    }
    let mut names = HashSet::new();
    for port in &ports {
        match text(port, &["name"]) {
            None if ports.len() > 1 => {
                found.error_at(
                    Code::ServiceSpec,
                    port,
                    "each port of a service with several must have a name",
                );
            }
            Some(name) if !names.insert(name) => {
                found.error_at(Code::ValueTwice, port, format!("port `{name}` is defined more than once"));
            }
            Some(name) if !is_label(name) => {
                found.error_at(Code::BadName, port, format!("`{name}` is not a valid name for a port"));
            }
            _ => {}
        }
        check_numbers(port, kind, found);
    }
}

fn check_numbers(port: &Node, kind: Option<&str>, found: &mut Findings<'_>) {
    if let Some(number) = port.get("port").filter(|number| number.as_text().is_some() && !is_port(number)) {
        found.error_at(Code::ServiceSpec, number, "a port must be between 1 and 65535");
    }
    if let Some(target) = port.get("targetPort")
        && let Some(scalar) = target.as_scalar()
    {
        if scalar.kind == ScalarKind::Int && scalar.text != "0" && !is_port(target) {
            found.error_at(Code::ServiceSpec, target, "a port must be between 1 and 65535");
        } else if scalar.kind == ScalarKind::Str && !scalar.text.is_empty() && !is_port_name(&scalar.text) {
            let diagnostic = found.error_at(
                Code::BadName,
                target,
                format!("`{}` is not a valid name for a port", scalar.text),
            );
            if scalar.text.bytes().all(|byte| byte.is_ascii_digit()) {
                diagnostic.help = Some("write a number without quotes".to_owned());
            }
        }
    }
    let node_port = port.get("nodePort").filter(|number| text(number, &[]).is_some_and(|n| n != "0"));
    if let Some(number) = node_port.filter(|_| matches!(kind, None | Some("ClusterIP" | "ExternalName"))) {
        let message = "`nodePort` needs a service of type NodePort or LoadBalancer";
        found.error_at(Code::ServiceSpec, number, message);
    }
}
