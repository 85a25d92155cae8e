//! The component that creates Secrets in the cluster: it gets the recipes, and the rights that these need.

use super::secrets::{PlannedRecipe, SECRETS, change};
use crate::resolve::{Plan, Planned};
use base16ct::lower::encode_string;
use kfc_kube::secret::SecretRecipe;
use kfc_kustomize::provenance::Step;
use kfc_kustomize::resource::{Resource, ResourceSet};
use kfc_yaml::value::{from_json, to_json};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The capability of the component with the program.
pub const SECRET_GENERATOR: &str = "secret-generator";

/// The file of the program's config map that lists the recipes.
const RECIPES: &str = "recipes.json";

/// The characters of a digest in a name.
const DIGEST_LENGTH: usize = 8;

/// Gives the component that creates Secrets its recipes and roles; takes it out of the bundle when there are none.
pub(super) fn equip(plan: &Plan, planned: &[PlannedRecipe], resources: &mut ResourceSet) {
    let recipes: Vec<&SecretRecipe> = planned.iter().map(|planned| &planned.recipe).collect();
    let is_generator = |planned: &Planned| {
        !planned.present && planned.component.provides.iter().any(|word| word.value == SECRET_GENERATOR)
    };
    let component = plan.components.iter().position(is_generator);
    let Some(owner) = component.and_then(|at| u32::try_from(at).ok()) else { return };
    let is_own = |resource: &Resource| resource.owner == Some(owner);
    if recipes.is_empty() {
        resources.retain(|resource| !is_own(resource));
        return;
    }
    let recipe_texts: Vec<Value> = recipes.iter().map(|recipe| recipe.to_json()).collect();
    let text = format!("{:#}\n", Value::from(recipe_texts));
    let step = Step::new(SECRETS, None);
    let mut digest = Sha256::new();
    for resource in
        resources.list.iter_mut().filter(|resource| is_own(resource) && resource.kind() == "ConfigMap")
    {
        change(resource, &step, |draft| {
            let mut object = to_json(&draft.node);
            object["data"][RECIPES] = text.clone().into();
            draft.node = from_json(&object, draft.node.mark);
        });
        digest.update(to_json(&resource.node)["data"].to_string());
    }
    let digest = encode_string(&digest.finalize());
    let mut accounts = BTreeSet::new();
    for job in resources.list.iter_mut().filter(|resource| is_own(resource) && resource.kind() == "Job") {
        let account = job.node.at(&["spec", "template", "spec", "serviceAccountName"]);
        let account = account.and_then(kfc_yaml::Node::as_text).unwrap_or("default").to_owned();
        accounts.insert((job.namespace().to_owned(), account));
        let name = format!("{}-{}", job.name(), &digest[..DIGEST_LENGTH]);
        job.edit(&step).set_name(&name);
    }
    for (namespace, account) in &accounts {
        for role in roles(&recipes, namespace, account) {
            let mut role = Resource::new(from_json(&role, None), false);
            role.owner = Some(owner);
            resources.list.push(role);
        }
    }
}

/// In each namespace, the right to create Secrets, and to read those that are made or copied. A right to create cannot name what
/// is created.
fn roles(recipes: &[&SecretRecipe], namespace: &str, account: &str) -> Vec<Value> {
    let mut read: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for recipe in recipes {
        let copied = recipe.copied().map(|(secret, _)| secret);
        for secret in copied.chain([&recipe.object]) {
            read.entry(&secret.namespace).or_default().insert(&secret.name);
        }
    }
    let mut roles = Vec::new();
    for (target, names) in read {
        let metadata = json!({"name": account, "namespace": target});
        let mut rules = vec![
            json!({"apiGroups": [""], "resources": ["secrets"], "resourceNames": names, "verbs": ["get"]}),
        ];
        if recipes.iter().any(|recipe| recipe.object.namespace == target) {
            rules.push(json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}));
        }
        roles.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules,
        }));
        roles.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        }));
    }
    roles
}
