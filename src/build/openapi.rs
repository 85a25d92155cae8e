//! Which schema each root merges with. In kustomize the schema is one for the whole process: the first root, in the order
//! in which roots are entered, that names one sets it for everything that is built afterwards.

use super::load::{Entry, PluginConfigs, Root};
use crate::schema::Schema;
use std::sync::Arc;

/// Gives every root of a tree the schema in force when its transformers run; `current` is the custom schema in force so
/// far.
pub(super) fn assign(root: &mut Root, current: &mut Option<Arc<Schema>>) {
    if current.is_none() {
        current.clone_from(&root.openapi);
    }
    assign_entries(&mut root.resources, current);
    assign_configs(&mut root.generators, current);
    for component in &mut root.components {
        assign(component, current);
    }
    assign_configs(&mut root.transformers, current);
    assign_configs(&mut root.validators, current);
    if let Some(custom) = current {
        root.schema = Arc::clone(custom);
    }
}

fn assign_configs(configs: &mut PluginConfigs, current: &mut Option<Arc<Schema>>) {
    assign_entries(&mut configs.entries, current);
}

fn assign_entries(entries: &mut [Entry], current: &mut Option<Arc<Schema>>) {
    for entry in entries {
        if let Entry::Root(root) = entry {
            assign(root, current);
        }
    }
}
