//! The Secrets of a bundle: those whose values come from elsewhere leave it, before which all that reads them follows.

use crate::catalogue::{ExternalStore, SecretKey, SecretWay, Stack};
use crate::resolve::{Plan, PlannedSecret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::secret::{KeyRecipe, SecretRecipe};
use kfc_kube::{ObjectId, ResId};
use kfc_kustomize::engine::Bundle;
use kfc_kustomize::engine::assembly::Assembly;
use kfc_kustomize::generate::env_pairs;
use kfc_kustomize::provenance::{Step, StepKind};
use kfc_kustomize::resource::{Draft, Resource};
use kfc_source::Loader;
use kfc_yaml::value::{from_json, to_json};
use kfc_yaml::{Entry, Key, Node, Spanned};
use serde_json::{Value, json};
use std::convert::Infallible;

/// `secrets` of a stack.
pub const SECRETS: StepKind = StepKind::Other("secrets");

/// Secrets that leave the bundle after the user's overlays.
#[derive(Debug, Default)]
pub(super) struct DepartingSecrets(Vec<DepartingSecret>);

#[derive(Debug)]
struct DepartingSecret {
    secret: PlannedSecret,
    /// What it is without the changes of the user's overlays.
    before: Node,
}

/// Does what the stack says of each Secret, before the user's overlays: those may change all that the bundle has.
///
/// # Errors
/// Files of values that cannot be read or do not have the keys.
pub(super) fn settle(
    plan: &Plan,
    stack: &Stack,
    loader: &Loader,
    assembly: &mut Assembly,
) -> Result<DepartingSecrets> {
    let mut errors = Diagnostics::default();
    let mut departing = DepartingSecrets::default();
    let mut added = Vec::new();
    for secret in plan.secrets.iter().filter(|secret| !secret.declared.is_written_by_controller()) {
        let resources = &mut assembly.resources().list;
        // A release of upstream may have no such Secret.
        let Some(resource) = resources.iter_mut().find(|resource| secret.is(resource)) else { continue };
        let step = Step::new(SECRETS, secret.mark);
        change(resource, &step, fold);
        match &secret.source {
            SecretWay::Bundle => continue,
            SecretWay::Value(file) => {
                errors.collect(put_values(secret, file, stack, loader, resource));
                continue;
            }
            SecretWay::External(store) => {
                if let Some(store) = store {
                    let mut external = Resource::new(external_secret(secret, store, resource), false);
                    external.owner = resource.owner;
                    added.push(external);
                }
                // An overlay may bring the Secret itself.
                assembly.resources().retain(|resource| !secret.is(resource));
                continue;
            }
            SecretWay::Existing(_) | SecretWay::Generated => {}
        }
        change(resource, &step, |draft| keep_constants(draft, secret));
        departing.0.push(DepartingSecret { secret: secret.clone(), before: resource.node.clone() });
    }
    errors.collect(assembly.resources().append(added));
    errors.into_result(departing)
}

pub(super) fn change(resource: &mut Resource, step: &Step, change: impl FnOnce(&mut Draft<'_>)) {
    let Ok(()) = resource.edit(step).change(|draft| -> std::result::Result<(), Infallible> {
        change(draft);
        Ok(())
    });
}

impl DepartingSecrets {
    /// Gives Secrets the names of those that exist in the cluster, so that all that reads them follows. What an overlay did to
    /// their names does not count.
    ///
    /// # Errors
    /// Names of Secrets that the bundle has itself.
    pub(super) fn rename(&self, assembly: &mut Assembly) -> Result<()> {
        let mut errors = Diagnostics::default();
        for DepartingSecret { secret, .. } in &self.0 {
            let SecretWay::Existing(name) = &secret.source else { continue };
            let resources = &mut assembly.resources().list;
            let is_in_bundle = resources.iter().any(|other| {
                other.kind() == "Secret"
                    && other.name() == name.value
                    && other.namespace() == secret.declared.namespace.value
                    && !secret.is(other)
            });
            if is_in_bundle {
                let message = format!("the bundle has the Secret `{}` itself", name.value);
                errors.push(Diagnostic::error(Code::Secret, message).at(name.mark));
                continue;
            }
            let Some(resource) = resources.iter_mut().find(|resource| secret.is(resource)) else { continue };
            if resource.name() != name.value {
                resource.remember_id();
                resource.edit(&Step::new(SECRETS, secret.mark)).set_name(&name.value);
            }
        }
        errors.into_result(())
    }

    /// Takes the Secrets out of a finished bundle, and returns how those are made that kfc makes, with the component of each.
    ///
    /// # Errors
    /// Secrets that an overlay of the stack has given values or deleted, although the values come from elsewhere.
    pub(super) fn leave(self, plan: &Plan, bundle: &mut Bundle) -> Result<Vec<PlannedRecipe>> {
        let mut errors = Diagnostics::default();
        let mut recipes = Vec::new();
        for DepartingSecret { secret, before } in &self.0 {
            let name = secret.full_name();
            let is_generated = matches!(secret.source, SecretWay::Generated);
            let error = |message: String| Diagnostic::error(Code::Secret, message).at(secret.mark);
            let entry = format!("`secrets: {{{}: …}}` in kfc.yaml", secret.declared.name.value);
            match bundle.resources.list.iter().find(|resource| secret.is(resource)) {
                Some(resource) if data_of(&resource.node) != data_of(before) => {
                    let error = error(format!(
                        "an overlay changes the Secret {name}, whose values come from elsewhere"
                    ));
                    errors
                        .push(error.help(format!("say `bundle` for it, with {entry}; or remove the change")));
                }
                Some(resource) if is_generated => {
                    let component = plan.components[secret.component].name().to_owned();
                    recipes.push(PlannedRecipe { component, recipe: recipe(secret, resource, plan) });
                }
                None if is_generated => {
                    let error = error(format!("an overlay deletes the Secret {name}, which kfc makes"));
                    errors.push(
                        error.help(format!("say `external` for it, with {entry}; or remove the deletion")),
                    );
                }
                _ => {}
            }
        }
        bundle.resources.retain(|resource| !self.0.iter().any(|departing| departing.secret.is(resource)));
        errors.into_result(recipes)
    }
}

/// How a Secret of a plan is made.
#[derive(Clone, Debug)]
pub struct PlannedRecipe {
    /// The component that declares it.
    pub component: String,
    /// How it is made.
    pub recipe: SecretRecipe,
}

impl PlannedSecret {
    /// Whether a resource of an assembly is it, whatever it is called now.
    fn is(&self, resource: &Resource) -> bool {
        let has_name =
            |id: ResId| id.name == self.declared.name.value && id.namespace == self.declared.namespace.value;
        resource.kind() == "Secret"
            && resource.owner.is_none_or(|owner| owner as usize == self.component)
            && std::iter::once(resource.id()).chain(resource.previous_ids()).any(has_name)
    }
}

/// The Secrets that plans leave to others, by the names that they have in the cluster: an apply does not delete them, although an
/// earlier bundle had them.
#[must_use]
pub fn secrets_of_others(plan: &Plan) -> Vec<ObjectId> {
    let left = plan.secrets.iter().filter_map(|secret| {
        let name = match &secret.source {
            SecretWay::Existing(name) => name,
            SecretWay::External(_) | SecretWay::Generated => &secret.declared.name,
            SecretWay::Value(_) | SecretWay::Bundle => return None,
        };
        Some(secret_id(&secret.declared.namespace.value, &name.value))
    });
    left.collect()
}

fn secret_id(namespace: &str, name: &str) -> ObjectId {
    ObjectId {
        group: String::new(),
        version: "v1".to_owned(),
        kind: "Secret".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// How a Secret is made: `resource` is what the bundle would have.
fn recipe(secret: &PlannedSecret, resource: &Resource, plan: &Plan) -> SecretRecipe {
    let namespace = resource.namespace();
    let recipe_of = |key: &SecretKey| match key {
        SecretKey::Random(text) => Some(KeyRecipe::Random {
            length: usize::from(text.length.0),
            characters: text.alphabet.characters(),
        }),
        SecretKey::Bcrypt(hashed) => Some(KeyRecipe::Bcrypt(hashed.clone())),
        SecretKey::Copy(copied) => {
            let of = &copied.copy;
            let is_source = |other: &&PlannedSecret| {
                other.declared.name.value == of.name && other.declared.namespace.value == of.namespace
            };
            let name = match plan.secrets.iter().find(is_source).map(|source| &source.source) {
                Some(SecretWay::Existing(name)) => &name.value,
                _ => &of.name,
            };
            Some(KeyRecipe::Copy { of: secret_id(&of.namespace, name), key: of.key.clone() })
        }
        SecretKey::Constant | SecretKey::Given | SecretKey::Controller => None,
    };
    let keys =
        secret.declared.keys.0.iter().filter_map(|(name, key)| Some((name.value.clone(), recipe_of(key)?)));
    let readers = secret.declared.readers.iter().map(|reader| ObjectId {
        group: "apps".to_owned(),
        version: "v1".to_owned(),
        kind: reader.kind.clone(),
        namespace: namespace.to_owned(),
        name: reader.name.clone(),
    });
    SecretRecipe {
        object: secret_id(namespace, resource.name()),
        body: to_json(&resource.node),
        keys: keys.collect(),
        readers: readers.collect(),
        rotation: secret.declared.rotation.clone(),
    }
}

/// Moves the values of `stringData` to `data`: a generator with `behavior: merge` keeps those alone.
fn fold(secret: &mut Draft<'_>) {
    let Some(object) = secret.node.as_map_mut() else { return };
    let Some(plain) = object.remove("stringData") else { return };
    let data = object.get_or_insert_map("data", plain.mark);
    for entry in plain.as_map().into_iter().flatten() {
        let text = entry.value.as_text().unwrap_or_default();
        put(data, &entry.key.text, text.as_bytes(), entry.value.mark);
    }
}

fn put(data: &mut Node, key: &str, value: &[u8], mark: kfc_diagnostics::Mark) {
    let Some(data) = data.as_map_mut() else { return };
    let encoded = Node::string(&STANDARD.encode(value), mark);
    match data.get_mut(key) {
        Some(known) => *known = encoded,
        None => data.push(Entry { key: Key::new(key, mark), value: encoded }),
    }
}

fn data_of(node: &Node) -> (Option<&Node>, Option<&Node>) {
    (node.get("data"), node.get("stringData"))
}

/// Removes all values but those that need not be secret.
fn keep_constants(draft: &mut Draft<'_>, secret: &PlannedSecret) {
    let is_constant = |key: &str| {
        secret.declared.keys.0.iter().any(|(name, made)| name.value == key && *made == SecretKey::Constant)
    };
    if let Some(data) = draft.node.get_mut("data").and_then(Node::as_map_mut) {
        data.retain(|entry| is_constant(&entry.key.text));
    }
}

/// Puts the values of an env file into a Secret.
fn put_values(
    secret: &PlannedSecret,
    file: &Spanned<String>,
    stack: &Stack,
    loader: &Loader,
    resource: &mut Resource,
) -> Result<()> {
    let Some(place) = stack.place_of(file) else { return Ok(()) };
    let folder = loader.beside(&place.folder, &place.shown, file.mark)?;
    let values = env_pairs(file, &folder)?;
    check_keys(secret, file, &values)?;
    let mark = file.mark.unwrap_or(resource.node.mark);
    let step = Step::new(SECRETS, secret.mark);
    resource.edit(&step).change(|draft| {
        let Some(object) = draft.node.as_map_mut() else { return Ok(()) };
        let data = object.get_or_insert_map("data", mark);
        for (key, value) in &values {
            put(data, key, value, mark);
        }
        Ok(())
    })
}

/// Checks that a file has the keys that have to be secret, and no others.
fn check_keys(secret: &PlannedSecret, file: &Spanned<String>, values: &[(String, Vec<u8>)]) -> Result<()> {
    let name = secret.full_name();
    let mut errors = Diagnostics::default();
    for key in secret.declared.secret_keys() {
        if !values.iter().any(|(given, value)| given == key && !value.is_empty()) {
            let message = format!("`{}` has no value for the key `{key}` of Secret {name}", file.value);
            let error = Diagnostic::error(Code::Secret, message).at(file.mark);
            errors.push(error.help(format!("add the line `{key}=VALUE` to the file")));
        }
    }
    let known: Vec<&str> = secret.declared.stored_keys().collect();
    // The name of a key that is not known may be part of a value.
    if values.iter().any(|(given, _)| !known.contains(&given.as_str())) {
        let message = format!("`{}` has a key that Secret {name} does not have", file.value);
        let error = Diagnostic::error(Code::Secret, message).at(file.mark);
        errors.push(error.help(format!("its keys are {}", known.join(", "))));
    }
    errors.into_result(())
}

/// What asks External Secrets Operator to create a Secret: the keys that have to be secret are properties of one entry, the others
/// are as in the base.
fn external_secret(secret: &PlannedSecret, store: &ExternalStore, base: &Resource) -> Node {
    let name = &secret.declared.name.value;
    let remote = store.key.as_deref().unwrap_or(name);
    let data = secret
        .declared
        .secret_keys()
        .map(|key| json!({"secretKey": key, "remoteRef": {"key": remote, "property": key}}));
    let base = to_json(&base.node);
    let constants = secret.declared.keys.0.iter().filter(|(_, made)| *made == SecretKey::Constant);
    let constants = constants.filter_map(|(key, _)| {
        let value = STANDARD.decode(base["data"][&key.value].as_str()?).ok()?;
        Some((key.value.clone(), Value::from(String::from_utf8(value).ok()?)))
    });
    let constants: serde_json::Map<String, Value> = constants.collect();
    let mut target = json!({"name": name});
    if !constants.is_empty() {
        target["template"] = json!({"mergePolicy": "Merge", "data": constants});
    }
    if let Some(of_type) = base.get("type") {
        target["template"]["type"] = of_type.clone();
    }
    let mut external = json!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": secret.declared.namespace.value},
        "spec": {
            "secretStoreRef": {"kind": store.kind.word(), "name": store.store},
            "target": target,
            "data": data.collect::<Value>(),
        },
    });
    if let Some(labels) = base["metadata"].get("labels") {
        external["metadata"]["labels"] = labels.clone();
    }
    from_json(&external, secret.mark)
}
