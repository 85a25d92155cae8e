//! `cfg grep`: resources with a value.

use super::path::{FieldQuery, compile, parse_field_path, search, text_of};
use kfc_diagnostics::{Code, Diagnostic};
use kfc_kube::Quantity;
use kfc_yaml::styled::StyledNode;
use regex::Regex;
use std::cmp::Ordering;

/// How a value is compared.
#[derive(Clone, Debug)]
enum Test {
    /// It matches.
    Pattern(Regex),
    /// It is an amount that compares so.
    Amount(Comparison, String),
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    AtLeast,
    AtMost,
    More,
    Less,
}

/// `path.to.field=pattern`, or with `>`, `<`, `>=` or `<=` before an amount.
#[derive(Clone, Debug)]
pub struct Query {
    path: FieldQuery,
    test: Test,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// [`Code::Usage`] for a path or a pattern that is wrong.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let mut path = parse_field_path(text)?;
        let last = path.0.pop().unwrap_or_default();
        let signs = [
            (">=", Some(Comparison::AtLeast)),
            ("<=", Some(Comparison::AtMost)),
            (">", Some(Comparison::More)),
            ("<", Some(Comparison::Less)),
            ("=", None),
        ];
        let found = signs.into_iter().find(|(sign, _)| last.contains(sign));
        let (sign, comparison) = found.unwrap_or(("=", None));
        let mut parts = last.split(sign);
        let (field, value) = (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default());
        if parts.next().is_some() {
            let error = Diagnostic::error(Code::Usage, format!("`{last}` has `{sign}` more than once"));
            return Err(error.help("compare one value: `path.to.field=value`"));
        }
        path.0.push(field);
        let test = match comparison {
            Some(comparison) => Test::Amount(comparison, value.to_owned()),
            None => Test::Pattern(compile(value)?),
        };
        Ok(Self { path, test })
    }

    /// Whether a resource has such a value.
    ///
    /// # Errors
    /// A path that does not fit the resource, and values that are not amounts.
    pub fn matches(&self, root: &StyledNode) -> Result<bool, Diagnostic> {
        let mut is_found = false;
        for found in search(root, &self.path.0)? {
            is_found |= self.test.matches(found.node)?;
        }
        Ok(is_found)
    }
}

impl Test {
    fn matches(&self, mut node: StyledNode) -> Result<bool, Diagnostic> {
        match self {
            Self::Pattern(pattern) => {
                node.set_flow();
                Ok(pattern.is_match(text_of(&node).replace('"', "").trim()))
            }
            Self::Amount(comparison, wanted) => {
                let value = node.as_text().filter(|value| !value.is_empty());
                let Some(value) = value else { return Ok(false) };
                let order = amount(value)?.compare(amount(wanted)?);
                Ok(match comparison {
                    Comparison::AtLeast => order != Ordering::Less,
                    Comparison::AtMost => order != Ordering::Greater,
                    Comparison::More => order == Ordering::Greater,
                    Comparison::Less => order == Ordering::Less,
                })
            }
        }
    }
}

fn amount(text: &str) -> Result<Quantity, Diagnostic> {
    Quantity::parse(text).ok_or_else(|| {
        Diagnostic::error(Code::BadValue, format!("`{text}` is not an amount, such as 100m or 2Gi"))
    })
}

#[cfg(test)]
mod tests {
    use super::Query;
    use kfc_yaml::styled::parse;

    fn matches(text: &str, query: &str) -> bool {
        Query::parse(query).unwrap().matches(&parse(text).unwrap().root).unwrap()
    }

    #[test]
    fn values_match_patterns_and_amounts() {
        let text = "kind: Deployment\nspec:\n  replicas: 3\n  memory: 1Gi\n  args: [\"a\", b]\n";
        for query in [
            "kind=Dep",
            "kind",
            "spec.replicas=^3$",
            "spec.replicas>2",
            "spec.memory>=1024Mi",
            "spec.args=a, b",
        ] {
            assert!(matches(text, query), "{query}");
        }
        for query in ["kind=Job", "spec.replicas<3", "spec.none", "spec.memory>1Gi"] {
            assert!(!matches(text, query), "{query}");
        }
    }

    #[test]
    fn wrong_queries_are_errors() {
        assert!(Query::parse("a=b=c").is_err() && Query::parse("a=(").is_err());
        let text = parse("a: x").unwrap();
        assert!(Query::parse("a>1").unwrap().matches(&text.root).is_err());
    }
}
