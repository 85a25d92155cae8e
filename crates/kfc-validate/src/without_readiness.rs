//! Replaces `readiness` in a program that is built without the feature `rules`: it cannot judge by conditions of users, and
//! says so before anything is applied.

use super::finding::Finding;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_kube::readiness::{Expression, Readiness, ReadyRule};
use kfc_kube::ready::State;
use kfc_kube::wave::Item;
use kfc_kube::{Object, ObjectId};
use serde_json::Value;

/// No conditions.
#[derive(Debug, Default)]
pub struct Conditions;

impl Conditions {
    /// No conditions.
    ///
    /// # Errors
    /// [`Code::ReadyCondition`] when there are some: nobody could say when the objects are ready.
    pub fn compile(rules: &[ReadyRule], annotated: &[Expression]) -> Result<Self> {
        let first = rules.iter().map(|rule| &rule.when).chain(annotated).next();
        let Some(first) = first else { return Ok(Self) };
        let message =
            format!("{} cannot be run: this kfc was built without the feature `rules`", first.place);
        let error = Diagnostic::error(Code::ReadyCondition, message).at(first.mark);
        Err(error.help("build it with `--features rules`").into())
    }
}

/// Nothing is checked before an apply.
///
/// # Errors
/// Never.
pub fn check(_: &[ReadyRule], _: &[Expression]) -> Result<()> {
    Ok(())
}

/// No findings.
pub(super) fn find(_: &Object) -> Vec<Finding> {
    Vec::new()
}

impl Readiness for Conditions {
    fn concerns(&self, _: &Item) -> bool {
        false
    }

    fn state(&self, _: &ObjectId, _: &Value) -> Option<State> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Conditions;
    use kfc_diagnostics::Code;
    use kfc_kube::readiness::Expression;

    #[test]
    fn a_condition_is_an_error_that_says_what_is_missing() {
        assert!(Conditions::compile(&[], &[]).is_ok());
        let when = Expression { text: "true".to_owned(), mark: None, place: "`when`".to_owned() };
        let errors = Conditions::compile(&[], &[when]).unwrap_err();
        assert_eq!(errors.0[0].code, Code::ReadyCondition);
        assert!(errors.0[0].message.contains("without the feature `rules`"), "{errors}");
    }
}
