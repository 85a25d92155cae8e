//! Replaces `policies` in a program that is built without the feature `rules`: says that nothing was run.

use super::finding::{Finding, Findings};
use super::path::Path;
use super::update::Updates;
use kfc_diagnostics::{Code, Diagnostic};
use kfc_kube::Object;

/// Reports for each binding that its policy was not run.
pub(super) fn check(all: &[&Object], _: &[&Object], _: &Updates<'_>) -> Vec<Finding> {
    let bindings = all.iter().filter(|resource| resource.kind() == "ValidatingAdmissionPolicyBinding");
    let report = |binding: &&Object| {
        let mut found = Findings::of(binding);
        let warning = Diagnostic::warning(Code::RuleNotRun, "the policy was not run")
            .note("this kfc was built without the feature `rules`");
        found.push(&Path::TOP, warning.at(binding.mark()));
        found.list
    };
    bindings.flat_map(report).collect()
}
