//! The names in expressions: for the errors of a computation, the facts of a condition, the origin of a setter's inputs, and
//! the parameters without an effect.

use super::limits;
use super::pieces::{Piece, split};
use kfc_yaml::{Node, Value};
use minijinja::machinery::{ast, parse_expr};
use std::fmt;

/// A variable with the fields of it that an expression uses: `facts.storage.class`, `parameters['my-demo'].size`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    steps: Vec<String>,
}

impl Name {
    /// The variable, then its fields.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// The steps below the variable, when it is this one.
    #[must_use]
    pub fn below(&self, variable: &str) -> Option<&[String]> {
        self.steps.split_first().filter(|(first, _)| *first == variable).map(|(_, rest)| rest)
    }
}

/// Whether reading `named` reads something of the value at `path`: one of them is the beginning of the other, step by step.
/// `sizeLimit` does not touch `size`.
#[must_use]
pub fn touches<S: AsRef<str>, T: AsRef<str>>(named: &[S], path: &[T]) -> bool {
    named.iter().zip(path).all(|(named, step)| named.as_ref() == step.as_ref())
}

/// As in an expression: a step that is not an identifier is in brackets.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            if at > 0 && !is_identifier(step) {
                write!(f, "['{step}']")?;
            } else {
                write!(f, "{}{step}", if at > 0 { "." } else { "" })?;
            }
        }
        Ok(())
    }
}

impl<S: AsRef<str>> FromIterator<S> for Name {
    fn from_iter<I: IntoIterator<Item = S>>(steps: I) -> Self {
        Self { steps: steps.into_iter().map(|step| step.as_ref().to_owned()).collect() }
    }
}

fn is_identifier(step: &str) -> bool {
    step.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && step.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A condition, or the content of the `{{ }}` of a value.
#[derive(Clone, Copy, Debug)]
pub struct Expression<'t>(pub &'t str);

impl Expression<'_> {
    /// The names in it, each once, in order. One that cannot be parsed has no names: computing it returns the error.
    ///
    /// A subscript with a text is a step (`parameters['a-b']`). Where one is computed (`parameters[name]`), the name ends before
    /// it, and so means everything below.
    #[must_use]
    pub fn names(self) -> Vec<Name> {
        // Expressions that nest too deep are refused before parsing, here as for computing.
        let parsed = limits::check(self.0).ok().and_then(|()| parse_expr(self.0).ok());
        let Some(expression) = parsed else { return Vec::new() };
        let mut names: Vec<Name> = Vec::new();
        // A list instead of recursion, so that no expression is too deep. The first name comes first.
        let mut left = vec![&expression];
        while let Some(expression) = left.pop() {
            match chain(expression) {
                Some(name) if names.contains(&name) => {}
                Some(name) => names.push(name),
                None => {
                    let from = left.len();
                    parts(expression, &mut left);
                    left[from..].reverse();
                }
            }
        }
        names
    }
}

/// The name that an expression is; none when it is not a variable with constant steps.
fn chain(expression: &ast::Expr<'_>) -> Option<Name> {
    let mut steps = Vec::new();
    let mut here = expression;
    loop {
        match here {
            ast::Expr::Var(variable) => {
                steps.push(variable.id.to_owned());
                steps.reverse();
                return Some(Name { steps });
            }
            ast::Expr::GetAttr(field) => {
                steps.push(field.name.to_owned());
                here = &field.expr;
            }
            ast::Expr::GetItem(item) => {
                steps.push(constant(&item.subscript_expr)?);
                here = &item.expr;
            }
            _ => return None,
        }
    }
}

/// The step that a constant subscript is: a text, or the index of a list.
fn constant(subscript: &ast::Expr<'_>) -> Option<String> {
    match subscript {
        ast::Expr::Const(constant) => Some(constant.value.to_string()),
        _ => None,
    }
}

/// The parts of an expression that may name something, in order.
fn parts<'e, 's>(expression: &'e ast::Expr<'s>, out: &mut Vec<&'e ast::Expr<'s>>) {
    match expression {
        ast::Expr::Var(_) | ast::Expr::Const(_) => {}
        ast::Expr::GetAttr(field) => out.push(&field.expr),
        ast::Expr::GetItem(item) => out.extend([&item.expr, &item.subscript_expr]),
        ast::Expr::Slice(slice) => {
            out.push(&slice.expr);
            out.extend([&slice.start, &slice.stop, &slice.step].into_iter().flatten());
        }
        ast::Expr::UnaryOp(operation) => out.push(&operation.expr),
        ast::Expr::BinOp(operation) => out.extend([&operation.left, &operation.right]),
        ast::Expr::Compare(compared) => {
            out.push(&compared.expr);
            out.extend(compared.ops.iter().map(|operation| &operation.expr));
        }
        ast::Expr::IfExpr(choice) => {
            out.extend([&choice.true_expr, &choice.test_expr]);
            out.extend(&choice.false_expr);
        }
        ast::Expr::Filter(filter) => {
            out.extend(&filter.expr);
            out.extend(filter.args.iter().map(argument));
        }
        ast::Expr::Test(test) => {
            out.push(&test.expr);
            out.extend(test.args.iter().map(argument));
        }
        ast::Expr::Call(call) => {
            out.push(&call.expr);
            out.extend(call.args.iter().map(argument));
        }
        ast::Expr::List(list) => out.extend(&list.items),
        ast::Expr::Tuple(tuple) => out.extend(&tuple.items),
        ast::Expr::Map(map) => out.extend(map.keys.iter().chain(&map.values)),
    }
}

fn argument<'e, 's>(argument: &'e ast::CallArg<'s>) -> &'e ast::Expr<'s> {
    match argument {
        ast::CallArg::Pos(expression)
        | ast::CallArg::Kwarg(_, expression)
        | ast::CallArg::PosSplat(expression)
        | ast::CallArg::KwargSplat(expression) => expression,
    }
}

/// What the `{{ }}` in the texts of a value name, each once.
#[must_use]
pub fn names_in(value: &Node) -> Vec<Name> {
    let mut names = Vec::new();
    add_names(value, &mut names);
    names
}

fn add_names(value: &Node, names: &mut Vec<Name>) {
    match &value.value {
        Value::Map(map) => map.iter().for_each(|entry| add_names(&entry.value, names)),
        Value::Seq(items) => items.iter().for_each(|item| add_names(item, names)),
        Value::Scalar(scalar) => {
            for piece in split(&scalar.text).unwrap_or_default() {
                if let Piece::Expression(expression) = piece {
                    let new = Expression(expression).names().into_iter();
                    let new: Vec<Name> = new.filter(|name| !names.contains(name)).collect();
                    names.extend(new);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, Name, names_in, touches};
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    fn names(expression: &str) -> Vec<String> {
        Expression(expression).names().iter().map(Name::to_string).collect()
    }

    #[test]
    fn subscripts_with_a_text_are_steps() {
        assert_eq!(names("parameters['my-demo'].size"), ["parameters['my-demo'].size"]);
        assert_eq!(names("parameters[\"a\"]['b']"), ["parameters.a.b"]);
        assert_eq!(names("facts.zones[0]"), ["facts.zones['0']"]);
    }

    #[test]
    fn computed_subscripts_stand_for_all_below() {
        assert_eq!(names("parameters[facts.provider].size"), ["parameters", "facts.provider"]);
        assert_eq!(names("parameters.list[1:parameters.end]"), ["parameters.list", "parameters.end"]);
    }

    #[test]
    fn every_form_of_expression_is_looked_into() {
        assert_eq!(names("a and not b or -c + d"), ["a", "b", "c", "d"]);
        assert_eq!(names("x.y if x.z else w"), ["x.y", "x.z", "w"]);
        assert_eq!(names("a | default(b.c, boolean=d) is sameas(e)"), ["a", "b.c", "d", "e"]);
        assert_eq!(names("[a, {b: c}, (d, e)] ~ f(g)"), ["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(names("1 < a <= b.c and 'x.y' in components"), ["a", "b.c", "components"]);
        assert_eq!(names("a.b == a.b"), ["a.b"]);
    }

    #[test]
    fn texts_and_words_of_the_language_name_nothing() {
        assert_eq!(names("'parameters.size' == \"facts\" and true is defined"), [""; 0]);
        assert_eq!(names("a =="), [""; 0]);
    }

    #[test]
    fn only_braces_count_in_values() {
        let text = "a: [\"x-{{ parameters.size }}-{{ size }}\", 'facts.x', {b: '{{ parameters.size }}'}]\n";
        let value = &parse(text, SourceId::NONE).unwrap()[0];
        let names: Vec<String> = names_in(value).iter().map(Name::to_string).collect();
        assert_eq!(names, ["parameters.size", "size"]);
    }

    #[test]
    fn a_name_touches_what_it_leads_to_and_what_leads_to_it() {
        assert!(touches(&["size"], &["size"]) && touches(&["size", "min"], &["size"]));
        assert!(touches::<&str, _>(&[], &["size"]));
        assert!(!touches(&["sizeLimit"], &["size"]) && !touches(&["a", "size"], &["b", "size"]));
    }
}
