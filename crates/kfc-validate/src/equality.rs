//! Equality of values.

use kfc_yaml::{Node, ScalarKind, Value, emit};

/// Whether two values are equal as JSON: `1.0` is `1`.
#[expect(clippy::float_cmp, reason = "an API server compares numbers exactly, too")]
pub(super) fn are_equal(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Scalar(x), Value::Scalar(y)) => {
            let is_number = |kind| matches!(kind, ScalarKind::Int | ScalarKind::Float);
            x == y
                || (is_number(x.kind)
                    && is_number(y.kind)
                    && emit::go_float(&x.text).zip(emit::go_float(&y.text)).is_some_and(|(x, y)| x == y))
                || (x.kind == ScalarKind::Bool
                    && y.kind == ScalarKind::Bool
                    && emit::is_true(&x.text) == emit::is_true(&y.text))
        }
        (Value::Seq(x), Value::Seq(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| are_equal(x, y)),
        (Value::Map(x), Value::Map(y)) => {
            x.len() == y.len()
                && x.iter().all(|e| y.get(&e.key.text).is_some_and(|other| are_equal(&e.value, other)))
        }
        _ => false,
    }
}
