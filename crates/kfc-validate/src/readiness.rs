//! Conditions of readiness that users write in CEL, run by the kube-cel crate within the budget that the rules of CRDs have.

use super::budget::check_cost;
use super::cel_value::value_of;
use super::facts::{condition, with_stack};
use super::finding::{Finding, Findings};
use super::path::Path;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::readiness::{Expression, Readiness, ReadyRule, annotated, annotation_of, annotation_of_item};
use kfc_kube::ready::{State, unobserved};
use kfc_kube::wave::Item;
use kfc_kube::{Object, ObjectId, ObjectPattern};
use kube_cel::KubeCelExt;
use kube_cel::cel::{Context, ExecutionError, Program, Value as CelValue};
use serde_json::Value;
use std::sync::Arc;

/// An expression that can be run.
#[derive(Debug)]
struct Condition {
    text: String,
    program: Arc<Program>,
}

/// When some objects are ready.
#[derive(Debug)]
struct Rule {
    objects: ObjectPattern,
    when: Condition,
    failed: Option<Condition>,
    message: Option<String>,
}

/// The conditions of users, ready to run.
///
/// ```
/// use kfc_kube::readiness::{Expression, Readiness, ReadyRule};
/// use kfc_kube::ready::State;
/// use kfc_validate::readiness::Conditions;
/// use serde_json::json;
///
/// let text = "object.data.phase == 'done'".to_owned();
/// let when = Expression { text, mark: None, place: "`when`".to_owned() };
/// let rule = ReadyRule { objects: "ConfigMap shop/a".parse().map(|id| kfc_kube::ObjectPattern::of(&id))?, when, failed: None, message: None };
/// # if cfg!(feature = "rules") {
/// let conditions = Conditions::compile(&[rule], &[])?;
/// let live = json!({"kind": "ConfigMap", "data": {"phase": "done"}});
/// assert_eq!(conditions.state(&"ConfigMap shop/a".parse()?, &live), Some(State::Ready));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Conditions {
    rules: Vec<Rule>,
}

impl Conditions {
    /// Compiles the rules of a plan, and checks the conditions in annotations, which are compiled again as they are found on
    /// live objects.
    ///
    /// # Errors
    /// [`Code::ReadyCondition`] for each expression that is wrong.
    pub fn compile(rules: &[ReadyRule], annotated: &[Expression]) -> Result<Self> {
        if rules.is_empty() && annotated.is_empty() {
            return Ok(Self::default());
        }
        with_stack(|| compile(rules, annotated)).unwrap_or_else(|| {
            let message = "the conditions of readiness cannot be checked: there is no memory for a thread";
            Err(Diagnostic::error(Code::ReadyCondition, message).into())
        })
    }
}

fn compile(rules: &[ReadyRule], annotated: &[Expression]) -> Result<Conditions> {
    let mut errors = Diagnostics::default();
    let mut compiled = Vec::new();
    for rule in rules {
        let when = errors.collect(compile_one(&rule.when));
        let failed = rule.failed.as_ref().map(|failed| errors.collect(compile_one(failed)));
        if let (Some(when), None | Some(Some(_))) = (when, &failed) {
            compiled.push(Rule {
                objects: rule.objects.clone(),
                when,
                failed: failed.flatten(),
                message: rule.message.clone(),
            });
        }
    }
    for expression in annotated {
        errors.collect(compile_one(expression));
    }
    errors.into_result(Conditions { rules: compiled })
}

fn compile_one(expression: &Expression) -> Result<Condition> {
    read(&expression.text).map_err(|why| {
        let message = format!("{} is not a condition in CEL over `object`: {why}", expression.place);
        let error = Diagnostic::error(Code::ReadyCondition, message).at(expression.mark);
        error
            .help("write it as `object.status.phase == 'Ready'`; `has(object.status.phase)` asks for a field")
            .into()
    })
}

fn read(text: &str) -> std::result::Result<Condition, String> {
    let program = condition(text)?;
    check_cost(program.expression(), &Value::Null)?;
    Ok(Condition { text: text.to_owned(), program })
}

/// Checks expressions before a bundle is written.
///
/// # Errors
/// As [`Conditions::compile`].
pub fn check(rules: &[ReadyRule], annotated: &[Expression]) -> Result<()> {
    Conditions::compile(rules, annotated).map(|_| ())
}

/// The findings about the annotation of a resource.
pub(super) fn find(resource: &Object) -> Vec<Finding> {
    let Err(errors) = check(&[], &annotated([resource])) else { return Vec::new() };
    let mut found = Findings::of(resource);
    for error in errors.0 {
        found.push(&Path::TOP, error);
    }
    found.list
}

impl Readiness for Conditions {
    fn concerns(&self, item: &Item) -> bool {
        self.rules.iter().any(|rule| rule.objects.selects(&item.object)) || annotation_of_item(item).is_some()
    }

    fn state(&self, object: &ObjectId, live: &Value) -> Option<State> {
        let own = annotation_of(live);
        let rule = self.rules.iter().rev().find(|rule| rule.objects.selects(object));
        if own.is_none() && rule.is_none() {
            return None;
        }
        if let Some(state) = unobserved(live) {
            return Some(state);
        }
        let judged = with_stack(|| match (own, rule) {
            (Some(text), _) => match read(text) {
                Ok(when) => when.state(live, None),
                Err(why) => State::Waiting(format!("its annotation is not a condition in CEL: {why}")),
            },
            (None, Some(rule)) => rule.state(live),
            (None, None) => State::Ready,
        });
        Some(judged.unwrap_or_else(|| State::Waiting("its condition cannot be run".to_owned())))
    }
}

impl Rule {
    fn state(&self, live: &Value) -> State {
        if let Some(failed) = &self.failed
            && failed.holds(live) == Ok(true)
        {
            return State::Failed(format!("`{}` is true", failed.text));
        }
        self.when.state(live, self.message.as_deref())
    }
}

impl Condition {
    fn state(&self, live: &Value, message: Option<&str>) -> State {
        let lacking = match self.holds(live) {
            Ok(true) => return State::Ready,
            Ok(false) => format!("`{}` is not true", self.text),
            Err(why) => format!("`{}` is not true: {why}", self.text),
        };
        State::Waiting(message.map_or(lacking, str::to_owned))
    }

    /// Whether it holds for an object. A reason never has a value of the object: that may be secret.
    fn holds(&self, live: &Value) -> std::result::Result<bool, String> {
        check_cost(self.program.expression(), live)?;
        let mut context = Context::default().with_all();
        context.add_variable_from_value("object", value_of(live));
        match self.program.execute(&context) {
            Ok(CelValue::Bool(holds)) => Ok(holds),
            Ok(_) => Err("its result is neither true nor false".to_owned()),
            Err(ExecutionError::NoSuchKey(key)) => Err(format!("the field `{key}` does not exist")),
            Err(ExecutionError::UndeclaredReference(name)) => Err(format!("`{name}` is not defined")),
            Err(ExecutionError::IndexOutOfBounds(_)) => Err("a list is shorter than that".to_owned()),
            Err(_) => Err("an operator or function cannot take the values of the object".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Conditions;
    use kfc_diagnostics::Code;
    use kfc_kube::ObjectPattern;
    use kfc_kube::readiness::{Expression, Readiness, ReadyRule};
    use kfc_kube::ready::State;
    use serde_json::{Value, json};

    fn expression(text: &str) -> Expression {
        Expression { text: text.to_owned(), mark: None, place: "`when`".to_owned() }
    }

    fn rule(when: &str) -> ReadyRule {
        let objects = ObjectPattern { kind: "Cell".to_owned(), ..ObjectPattern::default() };
        ReadyRule { objects, when: expression(when), failed: None, message: None }
    }

    fn state(rules: &[ReadyRule], live: &Value) -> Option<State> {
        let conditions = Conditions::compile(rules, &[]).unwrap();
        conditions.state(&"Cell lab/a".parse().unwrap(), live)
    }

    fn waiting(text: &str) -> State {
        State::Waiting(text.to_owned())
    }

    #[test]
    fn an_object_is_ready_once_its_condition_is_true() {
        let rules = [rule("object.status.phase == 'Warm' && object.status.cells >= 2")];
        let of = |status: &Value| state(&rules, &json!({"status": status}));
        assert_eq!(of(&json!({"phase": "Warm", "cells": 2})), Some(State::Ready));
        let lacks = "`object.status.phase == 'Warm' && object.status.cells >= 2` is not true";
        assert_eq!(of(&json!({"phase": "Cold", "cells": 2})), Some(waiting(lacks)));
        assert_eq!(
            state(&rules, &json!({})),
            Some(waiting(&format!("{lacks}: the field `status` does not exist")))
        );
        assert_eq!(Conditions::default().state(&"Cell lab/a".parse().unwrap(), &json!({})), None);
        let other = Conditions::compile(&rules, &[]).unwrap();
        assert_eq!(other.state(&"Other lab/a".parse().unwrap(), &json!({})), None);
    }

    #[test]
    fn the_last_rule_holds_and_an_annotation_before_all() {
        let rules = [rule("false"), rule("true")];
        assert_eq!(state(&rules, &json!({})), Some(State::Ready));
        let annotated = json!({"metadata": {"annotations": {"kfc.dev/ready": "object.data['a.b/c'] == 'x'"}}, "data": {"a.b/c": "y"}});
        assert_eq!(state(&rules, &annotated), Some(waiting("`object.data['a.b/c'] == 'x'` is not true")));
        assert_eq!(state(&[], &annotated), Some(waiting("`object.data['a.b/c'] == 'x'` is not true")));
        let wrong = json!({"metadata": {"annotations": {"kfc.dev/ready": "object."}}});
        assert!(
            matches!(state(&[], &wrong), Some(State::Waiting(why)) if why.starts_with("its annotation is not"))
        );
    }

    #[test]
    fn failures_and_messages_are_those_of_the_rule() {
        let mut one = rule("object.status.phase == 'Warm'");
        one.failed = Some(expression("object.status.phase == 'Broken'"));
        one.message = Some("the cell warms up".to_owned());
        let rules = [one];
        let of = |phase: &str| state(&rules, &json!({"status": {"phase": phase}}));
        assert_eq!(of("Broken"), Some(State::Failed("`object.status.phase == 'Broken'` is true".to_owned())));
        assert_eq!(of("Cold"), Some(waiting("the cell warms up")));
        assert_eq!(state(&rules, &json!({})), Some(waiting("the cell warms up")));
    }

    #[test]
    fn an_old_status_does_not_count() {
        let live = json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1}});
        assert_eq!(state(&[rule("true")], &live), Some(waiting("its controller has not seen it yet")));
    }

    #[test]
    fn reasons_have_no_values_of_the_object() {
        let live = json!({"data": {"password": "hunter2"}});
        let Some(State::Waiting(why)) = state(&[rule("object.data.password > 3")], &live) else { panic!() };
        assert!(!why.contains("hunter2"), "{why}");
    }

    #[test]
    fn wrong_conditions_are_errors_with_what_is_wrong() {
        for (text, why) in [
            ("object.status.", ""),
            ("self.status.phase == 'a'", "self"),
            ("'a' + 'b'", "must evaluate to bool but got string"),
            ("'%.70000f'.format([1.0]).size() > 0", "more than 3 digits"),
            ("object.status.phase.shout()", "shout"),
        ] {
            let errors = Conditions::compile(&[rule(text)], &[]).unwrap_err();
            assert_eq!(errors.0[0].code, Code::ReadyCondition, "{text}");
            assert!(errors.0[0].message.starts_with("`when` is not a condition in CEL"), "{errors}");
            assert!(errors.0[0].message.contains(why), "{errors}");
        }
        let both = [rule("object."), rule("true")];
        assert_eq!(Conditions::compile(&both, &[expression("1")]).unwrap_err().0.len(), 2);
    }

    #[test]
    fn what_would_never_end_is_not_run() {
        let items = vec!["x"; 2000];
        let live = json!({"l": items});
        let rules = [rule("object.l.all(a, object.l.all(b, object.l.all(c, a == c)))")];
        let Some(State::Waiting(why)) = state(&rules, &live) else { panic!() };
        assert!(why.contains("steps on this object"), "{why}");
    }
}
