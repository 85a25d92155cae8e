//! Goldens: the checked-in bundles of profiles. A change of one base shows as a readable change of them.

use crate::assemble::assemble;
use crate::catalogue::{Catalogue, Stack};
use crate::diagnostics::{Code, Diagnostic, Mark};
use crate::resolve::resolve;
use crate::sources::door::{self, Limit, Named};
use crate::sources::{Loader, Surroundings};
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

/// The text of a profile's golden. The folder of goldens is part of a checkout: a link in it, or in its own path below the
/// working directory, may not lead out of that.
///
/// # Errors
/// What keeps it from being read.
pub fn read(folder: &Path, profile: &str, surroundings: &Surroundings) -> Result<String, Diagnostic> {
    let file = file(folder, profile);
    let shown = file.display().to_string();
    let top = match door::clean(folder) {
        below if below.is_absolute() || below.starts_with("..") => surroundings.working_directory.join(below),
        _ => surroundings.working_directory.clone(),
    };
    let top = top.canonicalize().unwrap_or(top);
    let limit = Limit { folder: &top, what: &format!("`{}`", surroundings.shown(&top).display()) };
    let path = surroundings.working_directory.join(&file);
    let read = Named { path: &path, limit: Some(limit), shown: &shown, referrer: Mark::NONE }.read_text();
    read.map_err(|error| match error.code {
        Code::NotFound => error.help("write it with `kfc golden update`"),
        _ => error,
    })
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
pub fn render(catalogue: &Catalogue, profile: &str, loader: &Loader) -> crate::diagnostics::Result<String> {
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
