//! What a command is asked to work on, recognised by its name and read: only this module decides what `TARGET` means.

mod kind;
mod load;
mod resolve;

pub(super) use kind::{
    ENVIRONMENT, KUSTOMIZATION_FILES, STACK_FILES, Target, can_be_built, is_bundle_file, is_stack_file,
    split_choice, target_of,
};
#[cfg(feature = "cluster")]
pub(super) use load::resources_in;
pub(super) use load::{Loaded, load, resources_of_file, resources_of_text, standard_input};
pub(super) use resolve::{
    OWN_BASES, Resolved, catalogue, is_open_setting, resolve_stack, resolve_target, resolve_with,
};
