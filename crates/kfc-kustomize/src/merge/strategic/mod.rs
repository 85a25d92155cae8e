//! Strategic merge patches as kustomize 5.8.1 applies them.
//!
//! Mappings merge field by field, null removes a field, scalars and most lists are replaced, and lists of which the
//! schema knows a merge key merge item by item (see `keyed_list`). A merge cleans up the whole target, as in kustomize:
//! duplicate items of a keyed list are joined even where the patch has no entry. `$retainKeys`,
//! `$setElementOrder/…` and `$deleteFromPrimitiveList/…` are plain fields to kustomize, and so they are here.

mod directive;
mod irregular_list;
mod item;
mod keyed_list;
mod location;
mod scalar_list;
mod tree;

pub use tree::{Outcome, apply};

#[cfg(test)]
mod tests;
