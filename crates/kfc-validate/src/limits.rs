//! Limits of numbers, texts, lists and mappings.

use super::equality::are_equal;
use super::fit::Fit;
use super::path::{Path, name};
use super::shape::Limits;
use kfc_diagnostics::{Code, Mark};
use kfc_yaml::{Node, ScalarKind, Value, emit};

/// Checks a value that is of the right kind.
pub(super) fn check(fit: &mut Fit<'_>, node: &Node, limits: &Limits, path: &Path<'_>, place: Option<Mark>) {
    match &node.value {
        Value::Scalar(scalar) => match scalar.kind {
            ScalarKind::Int | ScalarKind::Float => {
                if let Some(number) = emit::go_float(&scalar.text) {
                    of_number(fit, number, &scalar.text, limits, path, place);
                }
            }
            ScalarKind::Str | ScalarKind::Timestamp | ScalarKind::Binary => {
                of_text(fit, &scalar.text, limits, path, place);
            }
            ScalarKind::Bool | ScalarKind::Null => {}
        },
        Value::Seq(items) => {
            count(fit, items.len(), limits.items, "items", path, place);
            let twice =
                || (1..items.len()).find(|at| items[..*at].iter().any(|one| are_equal(one, &items[*at])));
            if let Some(at) = twice().filter(|_| limits.unique) {
                let message = format!("two items of {} are the same", name(path));
                fit.found.error(Code::ValueTwice, &path.item(at), items[at].mark.known().or(place), message);
            }
        }
        Value::Map(map) => count(fit, map.len(), limits.properties, "fields", path, place),
    }
}

fn of_number(
    fit: &mut Fit<'_>,
    number: f64,
    text: &str,
    limits: &Limits,
    path: &Path<'_>,
    place: Option<Mark>,
) {
    let what = name(path);
    if let Some(least) = limits.minimum {
        if limits.above_minimum && number <= least {
            fit.beyond(path, place, format!("{what} must be greater than {least}, but it is {text}"));
        } else if number < least {
            fit.beyond(path, place, format!("{what} must be at least {least}, but it is {text}"));
        }
    }
    if let Some(most) = limits.maximum {
        if limits.below_maximum && number >= most {
            fit.beyond(path, place, format!("{what} must be less than {most}, but it is {text}"));
        } else if number > most {
            fit.beyond(path, place, format!("{what} must be at most {most}, but it is {text}"));
        }
    }
    if let Some(factor) = limits.multiple_of.filter(|factor| *factor > 0.0) {
        let times = number / factor;
        if (times - times.round()).abs() > 1e-9 {
            fit.beyond(path, place, format!("{what} must be a multiple of {factor}, but it is {text}"));
        }
    }
}

fn of_text(fit: &mut Fit<'_>, text: &str, limits: &Limits, path: &Path<'_>, place: Option<Mark>) {
    count(fit, text.chars().count(), limits.length, "characters", path, place);
    if let Some(pattern) = limits.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
        fit.beyond(path, place, format!("{} does not match its pattern", name(path)))
            .notes
            .push(format!("the pattern is {pattern}"));
    }
}

fn count(
    fit: &mut Fit<'_>,
    count: usize,
    (least, most): (Option<u64>, Option<u64>),
    of_what: &str,
    path: &Path<'_>,
    place: Option<Mark>,
) {
    let count = count as u64;
    if let Some(least) = least.filter(|least| count < *least) {
        let message = format!("{} must have at least {least} {of_what}, but it has {count}", name(path));
        fit.beyond(path, place, message);
    }
    if let Some(most) = most.filter(|most| count > *most) {
        let message = format!("{} must have at most {most} {of_what}, but it has {count}", name(path));
        fit.beyond(path, place, message);
    }
}
