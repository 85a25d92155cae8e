//! Validates a bundle that is built for another purpose, and shows findings to people.

use super::trace::step;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kube::Object;
use kfc_kustomize::engine::Bundle;
use kfc_kustomize::resource::located_objects;
use kfc_validate::{Finding, Options, Version, table, validate};

/// The bundle, when it is valid or no validation is requested.
pub(super) fn validated(
    mut bundle: Bundle,
    asked: bool,
    kubernetes: Option<&str>,
    sources: &Sources,
) -> Result<Bundle> {
    if asked {
        let options = Options::of_version(kubernetes.map(version).transpose()?);
        let located = located_objects(&bundle.resources.list);
        let objects: Vec<&Object> = located.iter().map(|object| &**object).collect();
        let found = step(|| "validate".to_owned(), || validate(&objects, &[], &options).findings);
        let is_broken = found.iter().any(Finding::is_error);
        let found = Diagnostics(found.iter().map(|finding| finding_diagnostic(finding, sources)).collect());
        if is_broken {
            return Err(found);
        }
        bundle.warnings.extend(found);
    }
    Ok(bundle)
}

/// A version of Kubernetes whose schemas kfc has.
///
/// # Errors
/// [`Code::Usage`] for any other.
pub(super) fn version(text: &str) -> Result<Version> {
    let all = table::covered();
    Version::parse(text).filter(|version| all.contains(*version)).ok_or_else(|| {
        let message = format!("kfc has no schemas of Kubernetes {text}");
        let help = format!("use a version from {} to {}", all.first, all.last);
        Diagnostic::error(Code::Usage, message).help(help).into()
    })
}

/// A finding for people: with the resource and field, and without the source line where that may be a secret.
pub(super) fn finding_diagnostic(finding: &Finding, sources: &Sources) -> Diagnostic {
    let mut diagnostic = finding.diagnostic.clone();
    if finding.secret {
        let place = diagnostic.mark.take().and_then(|mark| sources.locate(mark));
        diagnostic.labels.clear();
        diagnostic.notes.extend(place.map(|place| format!("at {place}")));
    }
    if let Some(subject) = &finding.subject {
        let field = if finding.path.is_empty() { String::new() } else { format!(", {}", finding.path) };
        diagnostic.notes.insert(0, format!("{subject}{field}"));
    }
    diagnostic
}
