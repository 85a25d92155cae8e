//! A unified diff of the two bundles, as `diff -u` writes it and `patch` reads it.

use super::failure::failure;
use crate::model::Report;
use kfc_diagnostics::Result;
use similar::TextDiff;

/// Lines around a change.
const CONTEXT: usize = 3;

/// The difference of the texts line by line; empty when there is none.
pub(super) fn unified(report: &Report, texts: Option<(&str, &str)>) -> Result<String> {
    let Some((before, after)) = texts else {
        return Err(failure(&"a unified diff needs the texts of both bundles").into());
    };
    let names = [&report.before.label, &report.after.label].map(|label| name(label));
    let diff = TextDiff::from_lines(before, after);
    Ok(diff.unified_diff().context_radius(CONTEXT).header(&names[0], &names[1]).to_string())
}

/// A name without line breaks and tabs: `patch` reads what follows a tab as a time.
fn name(label: &str) -> String {
    label.chars().map(|c| if c.is_control() { '_' } else { c }).collect()
}
