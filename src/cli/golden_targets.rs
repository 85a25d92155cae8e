//! Which stacks and roots have goldens.

use super::here;
use kfc_catalogue::golden::{self, Targets};
use kfc_diagnostics::{Result, Sources};
use std::path::Path;

/// The targets in the index of the goldens.
pub(super) fn listed(folder: &Path, sources: &Sources) -> Result<Targets> {
    let path = folder.join(golden::INDEX);
    if !path.exists() {
        return Ok(Targets::default());
    }
    let name = golden::INDEX.trim_end_matches(".yaml");
    let text = golden::read(folder, name, &here::surroundings())?;
    let (id, source) = sources.add(path.to_string_lossy(), &text);
    Targets::parse(&source.text, id)
}
