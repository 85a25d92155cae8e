//! Replaces `rules` in a program that is built without the feature `rules`: says that nothing was run.

use super::definitions::Definition;
use super::finding::{Finding, Findings};
use super::path::Path;
use super::update::Update;
use kfc_diagnostics::{Code, Diagnostic};
use kfc_kube::Object;

/// The rules of one version of a kind, which are not run.
#[derive(Debug)]
pub(super) struct Rules;

impl Rules {
    /// The rules of a definition; `None` if it has none.
    pub(super) fn of(definition: &Definition, _: &Object) -> Option<Self> {
        definition.rules.as_ref().map(|_| Self)
    }

    /// Reports that the rules were not run.
    #[expect(clippy::unused_self, reason = "has the signature that it has with rules")]
    pub(super) fn check(&self, resource: &Object, _: Option<&Update>, found: &mut Findings<'_>) {
        let warning = Diagnostic::warning(Code::RuleNotRun, "the rules of the CRD were not run")
            .note("this kfc was built without the feature `rules`");
        found.push(&Path::TOP, warning.at(resource.mark()));
    }
}

/// Nothing more than [`Rules::check`] reports.
pub(super) fn none_run(_: &[&Object], _: &str) -> Vec<Finding> {
    Vec::new()
}
