//! Which schema each root merges with. In kustomize the schema is one for the whole process: the first root, in the order
//! in which roots are entered, that names one sets it for everything that is built afterwards. It replaces the
//! built-in types when nothing has asked for those before, and is added to them otherwise (kyaml/openapi, `SetSchema` and
//! `initSchema`).

use super::load::{Entry, PluginConfigs, Root};
use crate::transform::patch::LoadedPatch;
use kfc_kube::schema::{Builtin, Schema};
use kfc_yaml::{Node, Value};
use std::sync::Arc;

/// The schema in force while a tree is walked in the order in which kustomize builds it.
#[derive(Default)]
pub(super) struct InForce {
    custom: Option<Arc<Schema>>,
    /// What has been asked of the built-in types so far.
    builtin: Asked,
}

/// What has been asked of the built-in types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    #[default]
    Nothing,
    /// Where a kind lives that kustomize's list of built-in kinds does not have: the types are read along with the schema
    /// that arrives next, after it.
    Scope,
    /// How something merges: the types have been read.
    Merge,
}

impl InForce {
    /// For roots that are applied to resources which others have loaded and merged.
    pub(super) fn after_others() -> Self {
        Self { custom: None, builtin: Asked::Merge }
    }

    /// A root names a schema. Only the first one counts.
    fn set(&mut self, named: Option<&Arc<Schema>>) {
        if self.custom.is_some() {
            return;
        }
        self.custom = named.map(|schema| match self.builtin {
            Asked::Nothing => Arc::clone(schema),
            Asked::Scope => Arc::new(schema.joined(Builtin::Wins)),
            Asked::Merge => Arc::new(schema.joined(Builtin::Yields)),
        });
    }

    fn ask(&mut self, question: Asked) {
        if self.builtin != Asked::Merge {
            self.builtin = question;
        }
    }

    /// A resource is read: kustomize asks whether its kind lives in a namespace.
    fn read(&mut self, document: &Node) {
        if self.builtin != Asked::Nothing || self.custom.is_some() {
            return;
        }
        let text = |key| document.get(key).and_then(Node::as_text).unwrap_or("");
        match document.get("items").map(|items| &items.value) {
            Some(Value::Seq(items)) if text("kind").ends_with("List") => {
                for item in items {
                    self.read(item);
                }
            }
            _ if Schema::builtin().is_namespaced(text("apiVersion"), text("kind")).is_none() => {
                self.ask(Asked::Scope);
            }
            _ => {}
        }
    }
}

/// Sets the schema of every root of a tree to the one in force when its transformers run.
pub(super) fn assign(root: &mut Root, state: &mut InForce) {
    state.set(root.openapi.as_ref());
    assign_entries(&mut root.resources, state);
    assign_configs(&mut root.generators, state);
    if !root.kustomization.helm_charts.is_empty() {
        // What a chart makes is not known yet. Nearly every chart has a kind of its own.
        state.ask(Asked::Scope);
    }
    for component in &mut root.components {
        assign(component, state);
    }
    assign_configs(&mut root.transformers, state);
    if let Some(custom) = &state.custom {
        root.schema = Arc::clone(custom);
    }
    let patches = root.patches_strategic_merge.iter().chain(&root.patches);
    if patches.into_iter().any(LoadedPatch::is_strategic) {
        state.ask(Asked::Merge);
    }
    assign_configs(&mut root.validators, state);
}

fn assign_configs(configs: &mut PluginConfigs, state: &mut InForce) {
    configs.inline.iter().for_each(|document| state.read(document));
    assign_entries(&mut configs.entries, state);
}

fn assign_entries(entries: &mut [Entry], state: &mut InForce) {
    for entry in entries {
        match entry {
            Entry::Root(root) => assign(root, state),
            Entry::File { documents, .. } => documents.iter().for_each(|document| state.read(document)),
        }
    }
}
