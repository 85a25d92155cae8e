//! Published credentials: Secrets of a bundle that still have the default of a parameter with `published`.

use crate::catalogue::Setter;
use crate::resolve::{Plan, Published, names_in};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Severity};
use kfc_kustomize::reference::field_path::split_replacement;
use kfc_kustomize::resource::Resource;
use kfc_yaml::Node;

/// A published parameter, and the Secrets that have its default.
struct Known<'p> {
    parameter: &'p Published,
    secrets: Vec<String>,
}

/// Searches the resources of a plan for published credentials. The Secrets themselves are read, so it does not
/// matter whether a parameter or a patch has replaced a value.
///
/// Returns a warning that names the Secrets and the parameters that change them, or nothing.
///
/// # Errors
/// [`Code::KnownCredential`] when the resources can also be reached from outside of the cluster.
pub fn known_credentials(plan: &Plan, resources: &[Resource]) -> Result<Diagnostics> {
    let known = known(plan, resources);
    if known.is_empty() {
        return Ok(Diagnostics::default());
    }
    let count = match known.len() {
        1 => "a published credential".to_owned(),
        many => format!("{many} published credentials"),
    };
    let exposures: Vec<String> = resources.iter().filter_map(exposure).collect();
    let (severity, end) = if exposures.is_empty() {
        (Severity::Warning, ": the catalogue publishes these defaults")
    } else {
        (Severity::Error, ", and it can be reached from outside of the cluster")
    };
    let message = format!("this bundle has {count}{end}");
    let report = Diagnostic::error(Code::KnownCredential, message).with_severity(severity);
    let report = exposures.into_iter().fold(report, Diagnostic::note);
    let report = known.iter().fold(report, |report, one| report.note(one.sentence()));
    let own = "set your own values, with `--set` or under `parameters` of kfc.yaml";
    if severity == Severity::Error {
        return Err(report
            .help(format!(
                "{own}; or close the access from outside (`exposure: cluster` in the built-in catalogue)"
            ))
            .into());
    }
    Ok(report.help(format!("{own}, before anybody else can reach the platform")).into())
}

impl Known<'_> {
    fn sentence(&self) -> String {
        let Published { name, description, .. } = self.parameter;
        let secrets = self.secrets.join(", ");
        let word = if self.secrets.len() == 1 { "Secret" } else { "Secrets" };
        format!("`--set {name}=VALUE`: {} ({word} {secrets})", description.trim_end_matches('.'))
    }
}

/// The published parameters whose defaults are in Secrets, in the order of the plan.
fn known<'p>(plan: &'p Plan, resources: &[Resource]) -> Vec<Known<'p>> {
    let secrets: Vec<&Resource> = resources.iter().filter(|resource| resource.kind() == "Secret").collect();
    let mut known: Vec<Known<'_>> = Vec::new();
    let mut add = |parameter: &'p Published, secret: &Resource| {
        let secret = format!("{}/{}", secret.namespace(), secret.name());
        match known.iter_mut().find(|one| one.parameter.name == parameter.name) {
            Some(one) if one.secrets.contains(&secret) => {}
            Some(one) => one.secrets.push(secret),
            None => known.push(Known { parameter, secrets: vec![secret] }),
        }
    };
    let of_components = plan.components.iter().filter(|planned| !planned.present);
    let setters = of_components
        .flat_map(|planned| planned.component.set.iter().map(|setter| (Some(planned.name()), setter)))
        .chain(plan.overlays.iter().flat_map(|planned| planned.overlay.set.iter().map(|s| (None, s))));
    for (component, setter) in setters.filter(|(_, setter)| setter.select.kind.as_deref() == Some("Secret")) {
        for parameter in parameters_in(&setter.new_value, component, &plan.published) {
            let meant = secrets.iter().filter(|secret| is_meant(setter, secret));
            meant.filter(|secret| holds(secret, setter, &parameter.value)).for_each(|s| add(parameter, s));
        }
    }
    known
}

/// The published parameters that a value names: in a component by their own name, in an overlay by component and name.
fn parameters_in<'p>(
    value: &Node,
    component: Option<&str>,
    published: &'p [Published],
) -> Vec<&'p Published> {
    let named = names_in(value);
    let named = named.iter().filter_map(|name| Some(name.below("parameters")?.join(".")));
    let find = |name: &str| published.iter().find(|parameter| parameter.name == name);
    named
        .filter_map(|name| match component {
            Some(component) => find(&format!("{component}.{name}")).or_else(|| find(&name)),
            None => find(&name),
        })
        .collect()
}

/// Whether a setter is for a Secret, which may have been renamed since.
fn is_meant(setter: &Setter, secret: &Resource) -> bool {
    let wanted = setter.select.name.as_deref().unwrap_or_default();
    wanted.is_empty() || [secret.name(), &secret.original_id().name].contains(&wanted)
}

/// Whether the key of a setter has a value, as text or in base64.
fn holds(secret: &Resource, setter: &Setter, value: &str) -> bool {
    let steps = split_replacement(&setter.path.value);
    let [_, key] = steps.as_slice() else { return false };
    let text = |field: &str| secret.node.at(&[field, key]).and_then(Node::as_text);
    // `stringData` goes before `data` in the API server, too.
    match (text("stringData"), text("data")) {
        (Some(plain), _) => plain == value,
        (None, Some(encoded)) => {
            let compact: String = encoded.split_whitespace().collect();
            STANDARD.decode(compact).is_ok_and(|bytes| bytes == value.as_bytes())
        }
        (None, None) => false,
    }
}

/// How a resource admits requests from outside of the cluster, if it does.
fn exposure(resource: &Resource) -> Option<String> {
    let how = match (resource.group(), resource.kind()) {
        ("", "Service") => service(&resource.node)?,
        ("networking.k8s.io" | "extensions", "Ingress")
        | ("route.openshift.io", "Route")
        | ("gateway.networking.k8s.io", "Gateway") => "admits requests into the cluster".to_owned(),
        _ => return None,
    };
    Some(format!("{} {}/{} {how}", resource.kind(), resource.namespace(), resource.name()))
}

fn service(node: &Node) -> Option<String> {
    let kind = node.at(&["spec", "type"]).and_then(Node::as_text).unwrap_or_default();
    if matches!(kind, "LoadBalancer" | "NodePort") {
        return Some(format!("is of type {kind}"));
    }
    let addresses = node.at(&["spec", "externalIPs"]).and_then(Node::as_seq).unwrap_or_default();
    (!addresses.is_empty()).then(|| "has external addresses".to_owned())
}

#[cfg(test)]
mod tests {
    use super::exposure;
    use kfc_diagnostics::SourceId;
    use kfc_kustomize::resource::Resource;
    use kfc_yaml::parse::parse;

    #[test]
    fn exposures_are_services_ingresses_routes_and_gateways() {
        let exposed =
            |yaml: &str| exposure(&Resource::new(parse(yaml, SourceId::NONE).unwrap().remove(0), false));
        let service = |spec: &str| {
            format!("{{apiVersion: v1, kind: Service, metadata: {{name: a, namespace: b}}, spec: {spec}}}")
        };
        let object = |api: &str, kind: &str| {
            format!("{{apiVersion: {api}, kind: {kind}, metadata: {{name: a, namespace: b}}}}")
        };
        assert_eq!(exposed(&service("{type: NodePort}")).as_deref(), Some("Service b/a is of type NodePort"));
        assert_eq!(
            exposed(&service("{type: LoadBalancer}")).as_deref(),
            Some("Service b/a is of type LoadBalancer")
        );
        assert_eq!(
            exposed(&service("{externalIPs: [192.0.2.1]}")).as_deref(),
            Some("Service b/a has external addresses")
        );
        for (api, kind) in [
            ("networking.k8s.io/v1", "Ingress"),
            ("route.openshift.io/v1", "Route"),
            ("gateway.networking.k8s.io/v1", "Gateway"),
        ] {
            assert!(exposed(&object(api, kind)).is_some(), "{kind}");
        }
        for closed in
            [service("{}"), service("{type: ClusterIP}"), service("{type: ExternalName, externalIPs: []}")]
        {
            assert_eq!(exposed(&closed), None, "{closed}");
        }
        // The mesh's Gateway configures pods that a Service leads to; a Route of Knative is served inside.
        assert_eq!(exposed(&object("networking.istio.io/v1", "Gateway")), None);
        assert_eq!(exposed(&object("serving.knative.dev/v1", "Route")), None);
    }
}
