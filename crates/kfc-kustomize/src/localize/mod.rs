//! Copies a kustomization root with everything that it names into a new directory, as `kustomize localize` does. The copy
//! refers to nothing remote and nothing outside the directory.
//!
//! `scope` says what may be copied and what the new directory is called, `place` where remote files and roots go in it.
//! `root` and `plugin` read what roots name and give the copy (`copy`), which is written in one step.
//!
//! kustomize rewrites kustomization files; here, their comments and layout stay, and only paths that change are touched.

mod charts;
mod copy;
mod place;
mod plugin;
mod rename;
mod root;
mod scope;

pub use copy::{Copy, refuse_existing};
pub use scope::{Scope, default_name, refuse_without_ref};

use kfc_diagnostics::{Diagnostics, Result};
use kfc_source::Loader;
use std::path::Path;

/// The copy of the root in the directory of `loader`, for the directory `destination`, which does not exist yet.
///
/// # Errors
/// Paths outside the scope or in the destination, remote roots without a ref, sources that cannot be fetched, and every
/// reason why a kustomization cannot be read; all of them in one run.
pub fn localize(loader: Loader, scope: &Scope, destination: &Path) -> Result<Copy> {
    let mut walk = root::Walk::new(destination);
    let root = root::Root::first(loader, scope);
    walk.root(&root, None).map_err(|errors| {
        Diagnostics(
            errors.0.into_iter().map(|error| scope::of_door(error, root.loader.repository())).collect(),
        )
    })?;
    Ok(walk.finish(root.destination))
}
