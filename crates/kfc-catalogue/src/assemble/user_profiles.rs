//! The objects of the profiles of users: a namespace, the Profile itself, and what lets contributors in.

use crate::resolve::{Plan, Planned, PlannedBinding, PlannedUserProfile};
use kfc_diagnostics::{Mark, Result};
use kfc_kustomize::engine::assembly::Assembly;
use kfc_kustomize::resource::Resource;
use kfc_yaml::Node;
use kfc_yaml::value::from_json;
use serde_json::{Value, json};

/// The config map of the component that makes namespaces of profiles, with the names that policies need.
const CONFIG: &str = "profiles-config";

/// Who may send requests to a namespace, and in which header they name the user.
struct Entrance {
    principals: [String; 2],
    header: String,
    prefix: String,
}

impl Entrance {
    /// What the component says; a release of upstream may leave a part to the defaults of its programs.
    fn of(resources: &[Resource]) -> Self {
        let config = resources.iter().find(|r| r.kind() == "ConfigMap" && r.original_id().name == CONFIG);
        let text = |key: &str, default: &str| {
            let value = config.and_then(|config| config.node.at(&["data", key])).and_then(Node::as_text);
            value.unwrap_or(default).to_owned()
        };
        let gateway = "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account";
        let pipelines = "cluster.local/ns/kubeflow/sa/ml-pipeline-ui";
        Self {
            principals: [
                text("ISTIO_INGRESS_GATEWAY_PRINCIPAL", gateway),
                text("KFP_UI_PRINCIPAL", pipelines),
            ],
            header: text("USERID_HEADER", "kubeflow-userid"),
            prefix: text("USERID_PREFIX", ""),
        }
    }
}

/// Adds the objects of all profiles, to the component that makes their namespaces.
///
/// # Errors
/// Objects that the bundle has already.
pub(super) fn add(plan: &Plan, assembly: &mut Assembly) -> Result<()> {
    if plan.user_profiles.is_empty() {
        return Ok(());
    }
    let is_owner = |planned: &Planned| !planned.present && planned.provides_profiles();
    let owner = plan.components.iter().position(is_owner).and_then(|at| u32::try_from(at).ok());
    let entrance = Entrance::of(&assembly.resources().list);
    let mut added = Vec::new();
    let mut add = |object: &Value, mark: Option<Mark>| {
        let mut resource = Resource::new(from_json(object, mark), false);
        resource.owner = owner;
        added.push(resource);
    };
    for profile in &plan.user_profiles {
        add(&namespace(profile), profile.mark);
        add(&kubeflow_profile(profile), profile.mark);
        for binding in &profile.bindings {
            add(&role_binding(profile, binding), binding.mark);
            add(&authorization_policy(profile, binding, &entrance), binding.mark);
        }
    }
    assembly.resources().append(added)
}

/// The controller would create it later than what is in it, and without these: it accepts one that names the owner, and adds its
/// other labels.
fn namespace(profile: &PlannedUserProfile) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {
            "name": profile.name,
            "annotations": {"owner": profile.owner},
            "labels": {"istio-injection": "enabled"},
        },
    })
}

fn kubeflow_profile(profile: &PlannedUserProfile) -> Value {
    let mut spec = json!({"owner": {"kind": "User", "name": profile.owner}});
    if let Some(quota) = &profile.quota {
        spec["resourceQuotaSpec"] = json!({"hard": quota});
    }
    json!({
        "apiVersion": "kubeflow.org/v1", "kind": "Profile", "metadata": {"name": profile.name}, "spec": spec,
    })
}

/// What the dashboard shows of a contributor, and finds by: the user, and a word for the role.
fn metadata(profile: &PlannedUserProfile, binding: &PlannedBinding) -> Value {
    json!({
        "name": binding.name, "namespace": profile.name,
        "annotations": {"role": binding.role.word(), "user": binding.user},
    })
}

fn role_binding(profile: &PlannedUserProfile, binding: &PlannedBinding) -> Value {
    let group = "rbac.authorization.k8s.io";
    json!({
        "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": metadata(profile, binding),
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": format!("kubeflow-{}", binding.role)},
        "subjects": [{"apiGroup": group, "kind": "User", "name": binding.user}],
    })
}

fn authorization_policy(
    profile: &PlannedUserProfile,
    binding: &PlannedBinding,
    entrance: &Entrance,
) -> Value {
    json!({
        "apiVersion": "security.istio.io/v1beta1", "kind": "AuthorizationPolicy",
        "metadata": metadata(profile, binding),
        "spec": {"rules": [{
            "from": [{"source": {"principals": entrance.principals}}],
            "when": [{
                "key": format!("request.headers[{}]", entrance.header),
                "values": [format!("{}{}", entrance.prefix, binding.user)],
            }],
        }]},
    })
}
