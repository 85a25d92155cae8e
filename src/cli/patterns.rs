//! Patterns of paths (`overlays/*`), which a shell may have left to us.

use super::targets::can_be_built;
use kfc_diagnostics::{Code, Diagnostic, Result};
use std::path::Path;

/// The paths that match a pattern, in order; the path itself when it exists.
pub(super) fn matches(pattern: &str) -> Vec<String> {
    let plain = pattern.trim_start_matches("./").trim_end_matches('/');
    if !plain.is_empty() && Path::new(plain).exists() {
        return vec![pattern.trim_end_matches('/').to_owned()];
    }
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
    let found = glob::glob_with(pattern, options).into_iter().flatten().flatten();
    found.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// The kustomization roots and stacks that match a pattern.
///
/// # Errors
/// [`Code::NotFound`] when there is none.
pub(super) fn buildable(pattern: &str) -> Result<Vec<String>> {
    let found: Vec<String> =
        matches(pattern).into_iter().filter(|path| can_be_built(Path::new(path))).collect();
    if found.is_empty() {
        let message = format!("no kustomization root and no stack matches `{pattern}`");
        return Err(Diagnostic::error(Code::NotFound, message).into());
    }
    Ok(found)
}

/// Whether a text that names no path has the characters of a pattern.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[']) && !text.contains("://") && !Path::new(text).exists()
}
