//! Expressions: `when`, `supports` and the `{{ }}` of values. They are computed over facts, parameters and the names of
//! components, and return values, never text that is parsed again.

use super::list_filters;
use crate::expressions::limits;
use crate::expressions::{Expression, Name};
use crate::expressions::{Piece, split};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use kfc_yaml::Spanned;
use kfc_yaml::value::from_json;
use kfc_yaml::value::to_json;
use kfc_yaml::{Entry, Map, Node};
use minijinja::ErrorKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Bytes of a text with the values of expressions.
const LONGEST_TEXT: usize = 4 << 20;

/// What an expression sees.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Facts as `facts.x` and, as most conditions use them, also as `x`.
    variables: serde_json::Map<String, Value>,
}

impl Scope {
    /// A scope of facts, parameters and the names of the plan's components.
    #[must_use]
    pub fn new(facts: &Value, parameters: &Value, components: &[String]) -> Self {
        let mut variables = facts.as_object().cloned().unwrap_or_default();
        variables.insert("facts".to_owned(), facts.clone());
        variables.insert("parameters".to_owned(), parameters.clone());
        variables.insert("components".to_owned(), json!(components));
        Self { variables }
    }

    /// Computes a condition.
    ///
    /// # Errors
    /// [`Code::Expression`].
    pub fn holds(&self, condition: &Spanned<String>) -> Result<bool> {
        Ok(self.compute(&condition.value, condition.mark)?.is_true())
    }

    /// Whether an optional condition holds.
    ///
    /// # Errors
    /// [`Code::Expression`].
    pub fn allows(&self, condition: Option<&Spanned<String>>) -> Result<bool> {
        condition.map_or(Ok(true), |condition| self.holds(condition))
    }

    /// The value of a node: strings with `{{ }}` are computed everywhere in it. A string that is only
    /// an expression becomes its value, of any type; in longer text the values become text.
    ///
    /// # Errors
    /// [`Code::Expression`], for every string that has one.
    pub fn value(&self, node: &Node) -> Result<Node> {
        if let Some(text) = node.as_str() {
            return self.text(text, node);
        }
        let mut errors = Diagnostics::default();
        let mut value =
            |node: &Node| errors.collect(self.value(node)).unwrap_or_else(|| Node::null(node.mark));
        let computed = if let Some(map) = node.as_map() {
            let entry = |entry: &Entry| Entry { key: entry.key.clone(), value: value(&entry.value) };
            Node::map(map.iter().map(entry).collect::<Map>(), node.mark)
        } else if let Some(items) = node.as_seq() {
            Node::seq(items.iter().map(value).collect(), node.mark)
        } else {
            node.clone()
        };
        errors.into_result(computed)
    }

    fn text(&self, text: &str, node: &Node) -> Result<Node> {
        if !text.contains("{{") {
            return Ok(node.clone());
        }
        let pieces = split(text).ok_or_else(|| -> Diagnostics {
            let message = format!("`{text}` has `{{{{` without `}}}}`");
            Diagnostic::error(Code::Expression, message).at(node.mark).into()
        })?;
        if let [Piece::Expression(expression)] = pieces.as_slice() {
            let value = self.compute(expression, Some(node.mark))?;
            let json = serde_json::to_value(&value).unwrap_or_default();
            return Ok(from_json(&json, node.mark));
        }
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Expression(expression) => {
                    out.push_str(&self.compute(expression, Some(node.mark))?.to_string());
                }
            }
            if out.len() > LONGEST_TEXT {
                let message = "the text with these expressions is longer than 4 MiB";
                return Err(Diagnostic::error(Code::Expression, message).at(node.mark).into());
            }
        }
        Ok(Node::string(&out, node.mark))
    }

    fn compute(&self, expression: &str, mark: Option<Mark>) -> Result<minijinja::Value> {
        limits::check(expression).map_err(|why| Diagnostic::error(Code::Expression, why).at(mark))?;
        let mut environment = limits::environment();
        environment.add_filter("match_expressions", match_expressions);
        list_filters::add(&mut environment);
        let computed = environment
            .compile_expression(expression)
            .and_then(|compiled| compiled.eval(minijinja::value::Serde(&self.variables)))
            .and_then(|value| limits::measure(&[&value]).map(|()| value));
        computed.map_err(|error| self.explain(expression, &error, mark).into()).and_then(|value| {
            if value.is_undefined() { Err(self.unknown(expression, mark).into()) } else { Ok(value) }
        })
    }

    fn explain(&self, expression: &str, error: &minijinja::Error, mark: Option<Mark>) -> Diagnostic {
        if error.kind() == ErrorKind::UndefinedError {
            return self.unknown(expression, mark);
        }
        let why = match error.kind() {
            ErrorKind::OutOfFuel => "it takes too many steps, or its value is too large".to_owned(),
            kind => error.detail().map_or_else(|| kind.to_string(), str::to_owned),
        };
        Diagnostic::error(Code::Expression, format!("`{expression}` cannot be computed: {why}")).at(mark)
    }

    /// The error for an expression that names something unknown.
    fn unknown(&self, expression: &str, mark: Option<Mark>) -> Diagnostic {
        let missing = Expression(expression).names().iter().find_map(|name| self.missing(name.steps()));
        let Some((name, near)) = missing else {
            let message = format!("`{expression}` names something that does not exist");
            return Diagnostic::error(Code::Expression, message).at(mark);
        };
        let name = name.to_string();
        let message = if name == expression {
            format!("`{name}` does not exist")
        } else {
            format!("`{expression}` names `{name}`, which does not exist")
        };
        let error = Diagnostic::error(Code::Expression, message).at(mark);
        match near {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("see `kfc list facts` and `kfc list parameters`"),
        }
    }

    /// The beginning of a name that does not exist, and the nearest name.
    fn missing(&self, steps: &[String]) -> Option<(Name, Option<Name>)> {
        let mut here = &self.variables;
        for (depth, step) in steps.iter().enumerate() {
            let named = |last: &str| steps[..depth].iter().map(String::as_str).chain([last]).collect();
            match here.get(step) {
                None => {
                    let near = nearest(step, here.keys().map(String::as_str));
                    return Some((named(step), near.map(named)));
                }
                Some(Value::Object(inside)) => here = inside,
                Some(_) => return None,
            }
        }
        None
    }
}

/// Labels as the match expressions that node affinities and selectors have, in the order of their names.
fn match_expressions(labels: &minijinja::Value) -> std::result::Result<minijinja::Value, minijinja::Error> {
    let labels: BTreeMap<String, Value> =
        serde_json::from_value(serde_json::to_value(labels).unwrap_or_default())
            // The message of the library quotes the value.
            .map_err(|_| {
                minijinja::Error::new(ErrorKind::InvalidOperation, "expected a mapping of labels")
            })?;
    let expression = |(key, value)| json!({"key": key, "operator": "In", "values": [value]});
    let expressions: Vec<Value> = labels.into_iter().map(expression).collect();
    Ok(minijinja::value::Serde(expressions).into())
}

/// The JSON of a value after computing its expressions.
///
/// # Errors
/// Those of [`Scope::value`].
pub(super) fn computed(scope: &Scope, node: &Node) -> Result<Value> {
    scope.value(node).map(|node| to_json(&node))
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::Spanned;
    use kfc_yaml::{emit, parse::parse};
    use serde_json::json;

    fn scope() -> Scope {
        let facts = json!({"provider": "gcp", "kubernetes": "1.32", "storage": {"class": "fast"}});
        Scope::new(&facts, &json!({"replicas": 3, "list": [1, "x"]}), &["katib".to_owned()])
    }

    fn holds(text: &str) -> Result<bool, String> {
        let condition = Spanned::nowhere(text.to_owned());
        scope().holds(&condition).map_err(|errors| {
            let error = &errors.0[0];
            format!("{} / {}", error.message, error.help.as_deref().unwrap_or(""))
        })
    }

    fn value(yaml: &str) -> String {
        let node = &parse(yaml, SourceId::NONE).unwrap()[0];
        let mut out = Vec::new();
        emit::emit(&scope().value(node).unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn conditions_see_facts_by_both_names() {
        assert_eq!(holds("facts.provider == 'gcp' and kubernetes >= '1.29'"), Ok(true));
        assert_eq!(holds("'katib' in components and 'kserve' not in components"), Ok(true));
        assert_eq!(holds("parameters.replicas > 3"), Ok(false));
    }

    #[test]
    fn unknown_names_are_errors_with_a_suggestion() {
        let error = holds("facts.storage.clas == 'fast'").unwrap_err();
        assert!(error.contains("names `facts.storage.clas`"), "{error}");
        assert!(error.ends_with("did you mean `facts.storage.class`?"), "{error}");
        assert!(holds("provider ==").unwrap_err().contains("cannot be computed"));
    }

    #[test]
    fn chains_of_operators_end_at_a_limit() {
        for (piece, end) in [
            ("not ", "true"),
            ("-", "1"),
            ("1+", "1"),
            ("1 if true else ", "1"),
            ("(", "1"),
            ("[", "1"),
            ("1 and ", "1"),
            ("'a'~", "'b'"),
            ("true is ", "true"),
            ("1,-", "1"),
        ] {
            for count in [600, 40_000] {
                let error = holds(&(piece.repeat(count) + end)).unwrap_err();
                assert!(error.starts_with("an expression has more than 500 operators"), "{piece}: {error}");
            }
            // What is below the limit is computed, or refused by the library.
            drop(holds(&(piece.repeat(490) + end)));
        }
        for tail in [".a", "|upper", "[0]", "()", "==1"] {
            let error = holds(&format!("'a'{}", tail.repeat(40_000))).unwrap_err();
            assert!(error.starts_with("an expression has more than 500 operators"), "{error}");
            drop(holds(&format!("'a'{}", tail.repeat(240))));
        }
        assert_eq!(holds(&format!("'{}' == 'x'", "((--not ".repeat(1000))), Ok(false));
        assert_eq!(holds(&format!("\"\\\"{}\" == 'x'", "((--not ".repeat(1000))), Ok(false));
        assert_eq!(holds(&format!("1 in [{}2]", "2,".repeat(5000))), Ok(false));
    }

    #[test]
    fn results_end_at_a_limit() {
        for expression in [
            "('x'*1000000)|replace('x','y'*10000)",
            "['x'*100000]*100000|join",
            "(['x'*100000]*100000)|join",
            "[1]|slice(1000000000)",
            "[1]|batch(1000000000, 0)",
            "'%1000000000d'|format(1)",
            "'%.1000000000f'|format(1.5)",
            "'%1000000000s'|format('x')",
            "'%0*d'|format(1000000000, 1)",
            "range(1000000000)|list|length",
            "range(100000000)|sum",
            "'x'*1000000000",
            "('x'*100000)|indent(1000000000)",
            "('a\\nb'*1000)|indent(100000000)",
            "'x'|center(1000000000)",
            "('x'*1000000)|list|join('y'*100000)",
            "[[1]*10000]*10000|tojson",
            "([[1]*10000]*10000)|tojson",
            "([[1]*10000]*10000)|pprint",
            "('x'*10000000)|urlencode|urlencode|urlencode",
            "[1]*1000000000",
            "([[1]*90000]*90000) ~ 'a'",
            "([[1]*90000]*90000)|upper",
            "'%s'|format([[1]*90000]*90000)",
            "([[1]*90000]*90000) == ([[1]*90000]*90000)",
            "(['x'*100000]*90000)|join",
            "[[1]*90000]*90000",
            "[[[[1]]]]|tojson(indent=100000000)",
            "('x'*100000)|wordwrap(1, false, 'y'*100000)",
            "(range(100000)|list)*1000|sort",
            "{'a': 'x'*10000000}|tojson",
            "('x,'*10000000)|split(',')|length",
            "('x'*10000000)[::-1]*1000",
        ] {
            let error = holds(expression);
            if let Err(error) = &error {
                let known = ["cannot be computed", "names", "lists that are repeated"];
                assert!(known.iter().any(|known| error.contains(known)), "{expression}: {error}");
            }
        }
        for good in [
            "[[1,2],[3]]|tojson(indent=2)",
            "[{'x':1}]|map(attribute='x')|list == [1]",
            "'a\\nb'|indent(width=3) == 'a\\n   b'",
            "[3,1]|sort(reverse=true)|first == 3",
            "missing|default(3) == 3",
        ] {
            assert_eq!(holds(good), Ok(true), "{good}");
        }
        for expression in ["'x'*1000000000", "'%1000000000d'|format(1)", "[1]|slice(1000000000)"] {
            let error = holds(expression).unwrap_err();
            assert!(
                error.contains("takes too many steps, or its value is too large"),
                "{expression}: {error}"
            );
        }
        let many = format!("a: \"{}\"", "{{ 'x' * 1000000 }}".repeat(100));
        let node = &parse(&many, SourceId::NONE).unwrap()[0];
        assert!(scope().value(node).unwrap_err().0[0].message.contains("longer than 4 MiB"));
    }

    #[test]
    fn values_keep_their_type_and_cannot_break_out() {
        assert_eq!(value("a: '{{ parameters.replicas }}'"), "a: 3\n");
        assert_eq!(
            value("a: ['{{ parameters.list }}', 'n-{{ parameters.replicas }}']"),
            "a:\n- - 1\n  - x\n- n-3\n"
        );
        assert_eq!(value("a: \"{{ 'b: c\\n- d' }}\""), "a: |-\n  b: c\n  - d\n");
        assert_eq!(value("a: no braces"), "a: no braces\n");
    }
}
