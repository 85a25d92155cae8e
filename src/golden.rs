//! Goldens: the checked-in bundles of profiles. A change of one base shows as a readable change of them.

use crate::assemble::assemble;
use crate::catalogue::{Catalogue, Stack};
use crate::diagnostics::{Code, Diagnostic, Result};
use crate::resolve::resolve;
use crate::sources::Loader;
use crate::yaml::{Node, emit};
use similar::TextDiff;
use std::path::{Path, PathBuf};

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// The file of a profile's golden.
#[must_use]
pub fn file(folder: &Path, profile: &str) -> PathBuf {
    folder.join(format!("{profile}.yaml"))
}

/// The profiles that have a golden in a folder, sorted.
#[must_use]
pub fn profiles(folder: &Path) -> Vec<String> {
    let names = crate::sources::folder::names_in(folder);
    names.into_iter().filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect()
}

/// The bundle of a profile, as its golden has it.
///
/// # Errors
/// Those of [`resolve`], [`assemble`] and the emitter.
pub fn render(catalogue: &Catalogue, profile: &str, loader: &Loader) -> Result<String> {
    let stack = Stack::of_profile(profile);
    let plan = resolve(catalogue, &stack)?;
    let assembled = assemble(&plan, &stack, loader)?;
    let nodes: Vec<&Node> = assembled.bundle.resources.list.iter().map(|resource| &resource.node).collect();
    let bytes = emit::emit_all(&nodes)?.concat();
    String::from_utf8(bytes).map_err(|_| {
        Diagnostic::error(Code::Output, format!("the bundle of `{profile}` is no UTF-8 text")).into()
    })
}

/// What changes from a golden to what is built now, as a unified diff; none when nothing does.
#[must_use]
pub fn difference(profile: &str, golden: &str, built: &str) -> Option<String> {
    if golden == built {
        return None;
    }
    let diff = TextDiff::from_lines(golden, built);
    let names = (format!("golden/{profile}.yaml"), format!("{profile}, as built now"));
    Some(diff.unified_diff().context_radius(CONTEXT).header(&names.0, &names.1).to_string())
}
