//! The waves of a bundle: the resources of each, and the condition for the next wave.

use crate::hook::{HOOK_ANNOTATION, Hook};
use crate::object::Object;
use crate::object_id::ObjectId;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_yaml::json;
use std::collections::HashSet;

/// What follows the `generateName` of a hook in its name.
const GENERATED: &str = "kfc";

/// A resource that is to be applied.
#[derive(Clone, Debug)]
pub struct Item {
    /// The object that it creates or changes.
    pub object: ObjectId,
    /// The resource as JSON.
    pub body: String,
    /// Its location, if it is in a text.
    pub mark: Option<Mark>,
    /// When it is applied in a wave.
    pub phase: Phase,
}

/// When a resource is applied in a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// What others are in, or are defined by: namespaces, CRDs, storage classes.
    Surroundings,
    /// What others need at their start: service accounts, roles, config maps, PVCs.
    Needs,
    /// All else.
    Users,
    /// What intercepts requests for others: webhooks, aggregated APIs.
    Watchers,
}

/// The condition for the next wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Everything in the wave is ready.
    All,
    /// Namespaces, CRDs and servers of aggregated APIs are ready. The rest may need the next wave to become ready.
    Definitions,
}

/// A resource that runs, instead of being applied.
#[derive(Clone, Debug)]
pub struct HookItem {
    /// The resource.
    pub item: Item,
    /// When it runs, and what becomes of it.
    pub hook: Hook,
}

/// Resources that are applied together once the earlier waves are ready.
#[derive(Clone, Debug)]
pub struct Wave {
    /// Its resources, by phase; without hooks.
    pub items: Vec<Item>,
    /// Its hooks, by weight.
    pub hooks: Vec<HookItem>,
    /// The condition for the next wave.
    pub gate: Gate,
    /// Further objects that must be ready too.
    pub awaited: Vec<ObjectId>,
}

impl Wave {
    /// The objects that its resources and hooks describe.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectId> {
        self.items.iter().chain(self.hooks.iter().map(|hook| &hook.item)).map(|item| &item.object)
    }

    /// What is applied before its pre-apply hooks run, and what after: its workloads and what watches others.
    #[must_use]
    pub fn around_hooks(&self) -> (&[Item], &[Item]) {
        self.items.split_at(self.items.partition_point(|item| item.phase < Phase::Users))
    }
}

/// Waves of any bundle, by kind: namespaces and CRDs, then all else, then objects of kinds that the bundle defines.
///
/// # Errors
/// Resources that cannot be written as JSON.
pub fn of_bundle(objects: &[&Object], namespace: &str) -> Result<Vec<Wave>> {
    collect(objects.iter().copied().zip(numbers_of(objects)), namespace, Gate::Definitions)
}

/// The wave of each resource of any bundle, from 0; see [`of_bundle`].
#[must_use]
pub fn numbers_of(objects: &[&Object]) -> Vec<usize> {
    let defined = defined_kinds(objects);
    let rank = |resource: &Object| {
        let group = resource.group();
        match phase(resource.kind(), group) {
            Phase::Surroundings => 0usize,
            _ if defined.contains(&(group, resource.kind())) => 2,
            _ => 1,
        }
    };
    let ranks: Vec<usize> = objects.iter().map(|object| rank(object)).collect();
    let mut used = ranks.clone();
    used.sort_unstable();
    used.dedup();
    ranks.iter().map(|rank| used.binary_search(rank).unwrap_or(0)).collect()
}

/// Waves of objects that have their numbers already, each with what must hold before the next.
///
/// # Errors
/// Objects that cannot be written as JSON.
pub fn collect<'o>(
    objects: impl Iterator<Item = (&'o Object, usize)>,
    namespace: &str,
    gate: Gate,
) -> Result<Vec<Wave>> {
    let mut waves: Vec<Wave> = Vec::new();
    for (resource, at) in objects {
        while waves.len() <= at {
            waves.push(Wave { items: Vec::new(), hooks: Vec::new(), gate, awaited: Vec::new() });
        }
        let hook = hook_of(resource)?;
        let item = match (&hook, resource.is_named()) {
            (_, true) => item(resource, namespace)?,
            (Some(_), false) => item(&named(resource), namespace)?,
            (None, false) => return Err(nameless(resource)),
        };
        if let Some(wave) = waves.get_mut(at) {
            match hook {
                Some(hook) => wave.hooks.push(HookItem { item, hook }),
                None => wave.items.push(item),
            }
        }
    }
    for wave in &mut waves {
        wave.items.sort_by_key(|item| item.phase);
        wave.hooks.sort_by(|a, b| (a.hook.weight, &a.item.object).cmp(&(b.hook.weight, &b.item.object)));
    }
    if let Some(last) = waves.last_mut() {
        last.gate = Gate::All;
    }
    Ok(waves)
}

/// The hook that a resource is; `None` for an ordinary resource.
///
/// # Errors
/// [`Code::Hook`] for wrong annotations.
pub fn hook_of(resource: &Object) -> Result<Option<Hook>> {
    let Some(annotations) = resource.annotations() else { return Ok(None) };
    let text = |name: &str| annotations.get(name).and_then(|value| value.as_text()).map(str::to_owned);
    Hook::of(resource.group(), resource.kind(), &text).map_err(|why| {
        let message = format!("{}: {why}", ObjectId::of(resource, ""));
        Diagnostic::error(Code::Hook, message).at(resource.mark()).into()
    })
}

/// A hook that is to get its name from the server has one: kfc deletes the object of its last run before it runs again.
fn named(hook: &Object) -> Object {
    let mut hook = hook.clone();
    let name = format!("{}{GENERATED}", hook.name());
    if let Some(metadata) = hook.metadata_mut() {
        metadata.remove("generateName");
    }
    hook.set_name(&name);
    hook
}

fn nameless(resource: &Object) -> Diagnostics {
    let message = format!(
        "{} has `generateName` instead of a name: each apply would create another object",
        ObjectId::of(resource, "")
    );
    let help = format!("give it a name, or make it a hook with the annotation `{HOOK_ANNOTATION}`");
    Diagnostic::error(Code::NotAResource, message).at(resource.mark()).help(help).into()
}

fn item(resource: &Object, namespace: &str) -> Result<Item> {
    let object = ObjectId::of(resource, namespace);
    let mut body = String::new();
    json::write(&resource.node, &mut body)?;
    let phase = phase(&object.kind, &object.group);
    Ok(Item { object, body, mark: resource.mark(), phase })
}

/// The phase of a resource.
#[must_use]
pub fn phase_of(resource: &Object) -> Phase {
    phase(resource.kind(), resource.group())
}

/// The phase of a kind.
#[must_use]
pub fn phase(kind: &str, group: &str) -> Phase {
    match (group, kind) {
        ("", "Namespace")
        | ("apiextensions.k8s.io", "CustomResourceDefinition")
        | ("scheduling.k8s.io", "PriorityClass")
        | ("storage.k8s.io", _)
        | ("node.k8s.io", "RuntimeClass") => Phase::Surroundings,
        (
            "",
            "ServiceAccount"
            | "ConfigMap"
            | "Secret"
            | "Service"
            | "ResourceQuota"
            | "LimitRange"
            | "PersistentVolume"
            | "PersistentVolumeClaim"
            | "Endpoints",
        )
        | ("rbac.authorization.k8s.io" | "discovery.k8s.io", _) => Phase::Needs,
        ("admissionregistration.k8s.io" | "apiregistration.k8s.io", _) => Phase::Watchers,
        _ => Phase::Users,
    }
}

/// Group and kind of every definition in the bundle.
fn defined_kinds<'o>(resources: &[&'o Object]) -> HashSet<(&'o str, &'o str)> {
    let definitions = resources.iter().filter(|resource| resource.kind() == "CustomResourceDefinition");
    definitions
        .filter_map(|resource| {
            let group = resource.node.at(&["spec", "group"])?.as_text()?;
            let kind = resource.node.at(&["spec", "names", "kind"])?.as_text()?;
            Some((group, kind))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::of_bundle;
    use crate::object::Object;
    use kfc_diagnostics::{Code, SourceId};
    use kfc_yaml::parse::parse;

    fn objects(text: &str) -> Vec<Object> {
        parse(text, SourceId(0)).unwrap().into_iter().map(|node| Object::new(node, false)).collect()
    }

    #[test]
    fn hooks_are_not_applied_and_have_an_order() {
        let objects = objects(
            "
{kind: Job, apiVersion: batch/v1, metadata: {name: b, annotations: {kfc.dev/hook: pre-apply}}}
---
{kind: Job, apiVersion: batch/v1, metadata: {name: c, annotations: {kfc.dev/hook: post-apply, kfc.dev/hook-weight: -1}}}
---
{kind: Job, apiVersion: batch/v1, metadata: {name: plain}}
---
{kind: Job, apiVersion: batch/v1, metadata: {name: a, annotations: {kfc.dev/hook: pre-apply}}}
",
        );
        let waves = of_bundle(&objects.iter().collect::<Vec<_>>(), "").unwrap();
        let items: Vec<&str> = waves[0].items.iter().map(|item| item.object.name.as_str()).collect();
        let hooks: Vec<&str> = waves[0].hooks.iter().map(|hook| hook.item.object.name.as_str()).collect();
        assert_eq!((items, hooks), (vec!["plain"], vec!["c", "a", "b"]));
    }

    #[test]
    fn a_hook_without_a_name_gets_one_and_an_ordinary_object_is_refused() {
        let objects = objects(
            "
{kind: Job, apiVersion: batch/v1, metadata: {generateName: m-, namespace: a, annotations: {kfc.dev/hook: pre-apply}}}
---
{kind: Job, apiVersion: batch/v1, metadata: {generateName: m-, namespace: a}}
",
        );
        let waves = of_bundle(&[&objects[0]], "").unwrap();
        let item = &waves[0].hooks[0].item;
        assert_eq!(item.object.to_string(), "Job a/m-kfc");
        assert!(
            item.body.contains(r#""name":"m-kfc""#) && !item.body.contains("generateName"),
            "{}",
            item.body
        );
        let errors = of_bundle(&[&objects[1]], "").unwrap_err();
        assert!(errors.0[0].message.starts_with("Job a/m- has `generateName` instead of a name"), "{errors}");
    }

    #[test]
    fn a_wrong_hook_is_an_error_at_its_resource() {
        let objects = objects(
            "{kind: Job, apiVersion: batch/v1, metadata: {name: a, annotations: {kfc.dev/hook: sometimes}}}",
        );
        let errors = of_bundle(&[&objects[0]], "").unwrap_err();
        assert_eq!(errors.0[0].code, Code::Hook);
        assert!(errors.0[0].message.starts_with("Job a: `sometimes` in `kfc.dev/hook`"), "{errors}");
    }
}
