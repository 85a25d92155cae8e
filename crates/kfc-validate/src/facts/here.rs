//! A value of a known type, and the report of what is wrong in it.

use super::super::finding::Findings;
use super::super::table::Table;
use super::super::version::Version;
use kfc_diagnostics::{Code, Diagnostic, Mark};
use kfc_kube::Quantity;
use kfc_yaml::{Map, Node, ScalarKind, emit};
use std::fmt::{Display, Write as _};

/// The rules of a type that the table of facts cannot say.
pub(super) type Check = fn(&mut Here<'_, '_>);

/// One mapping of a resource, whose type is known.
pub(super) struct Here<'h, 'r> {
    /// The mapping.
    pub(super) node: &'h Node,
    /// Where it is in the resource: `spec.template.spec`.
    pub(super) path: &'h str,
    /// The location to report for what has none.
    pub(super) place: Option<Mark>,
    /// The version of Kubernetes.
    pub(super) version: Version,
    /// The types of that version.
    pub(super) table: &'h Table,
    pub(super) found: &'h mut Findings<'r>,
}

impl<'h> Here<'h, '_> {
    /// The value at a path; none for null.
    pub(super) fn at(&self, path: &[&str]) -> Option<&'h Node> {
        self.node.at(path).filter(|node| !node.is_null())
    }

    /// The text at a path, without empty ones.
    pub(super) fn text(&self, path: &[&str]) -> Option<&'h str> {
        self.at(path).and_then(text)
    }

    /// The whole number at a path.
    pub(super) fn number(&self, path: &[&str]) -> Option<i64> {
        self.at(path).and_then(number)
    }

    /// Whether a boolean is set to true.
    pub(super) fn is_true(&self, path: &[&str]) -> bool {
        self.at(path).is_some_and(is_true)
    }

    /// The items at a path, with their numbers.
    pub(super) fn items(&self, path: &[&str]) -> impl Iterator<Item = (usize, &'h Node)> + use<'h> {
        self.at(path).and_then(Node::as_seq).into_iter().flatten().enumerate()
    }

    /// The entries of the mapping at a path.
    pub(super) fn map(&self, path: &[&str]) -> Option<&'h Map> {
        self.at(path).and_then(Node::as_map)
    }

    /// Reports an error at a place below this mapping, in the words of the API server.
    pub(super) fn refuse(&mut self, code: Code, below: &(impl Display + ?Sized), words: &str) {
        let below = &below.to_string();
        let mut path = self.path.to_owned();
        if !below.is_empty() {
            let dot = if path.is_empty() || below.starts_with('[') { "" } else { "." };
            let _ = write!(path, "{dot}{below}");
        }
        let mark = self.mark(below);
        let name = last_name(&path);
        let message = if name.is_empty() { words.to_owned() } else { format!("`{name}`: {words}") };
        self.found.push_text(&path, Diagnostic::error(code, message).at(mark));
    }

    /// A value that is missing.
    pub(super) fn required(&mut self, below: &(impl Display + ?Sized), words: &str) {
        let words =
            if words.is_empty() { "Required value".to_owned() } else { format!("Required value: {words}") };
        self.refuse(Code::ValueMissing, below, &words);
    }

    /// A value that breaks a rule.
    pub(super) fn invalid(&mut self, below: &(impl Display + ?Sized), words: &str) {
        self.refuse(Code::ServerRule, below, words);
    }

    /// A value that may not be there.
    pub(super) fn forbidden(&mut self, below: &(impl Display + ?Sized), words: &str) {
        self.refuse(Code::ServerRule, below, words);
    }

    /// A value that an earlier one has, too.
    pub(super) fn duplicate(&mut self, below: &(impl Display + ?Sized), value: &str) {
        self.refuse(Code::ValueTwice, below, &format!("Duplicate value: \"{value}\""));
    }

    /// The location of what is below, or of the nearest part above that has one.
    fn mark(&self, below: &str) -> Option<Mark> {
        let mut mark = self.node.mark.known().or(self.place);
        let mut node = self.node;
        for step in super::expand::steps(below) {
            let next = match step.parse::<usize>() {
                Ok(index) if node.as_seq().is_some() => node.as_seq().and_then(|items| items.get(index)),
                _ => node.get(step),
            };
            let Some(next) = next else { break };
            mark = next.mark.known().or(mark);
            node = next;
        }
        mark
    }
}

/// The last field name of a path.
fn last_name(path: &str) -> &str {
    let path = path.trim_end_matches(|c: char| c == ']' || c.is_ascii_digit() || c == '[');
    if let Some(start) = path.strip_suffix('\'').and_then(|rest| rest.rfind("['")) {
        return &path[start + 2..path.len() - 1];
    }
    path.rsplit(['.', ']']).next().unwrap_or(path)
}

/// A text that is not empty.
pub(super) fn text(node: &Node) -> Option<&str> {
    node.as_text().filter(|text| !text.is_empty())
}

/// A whole number.
pub(super) fn number(node: &Node) -> Option<i64> {
    let scalar =
        node.as_scalar().filter(|scalar| matches!(scalar.kind, ScalarKind::Int | ScalarKind::Float))?;
    if scalar.kind == ScalarKind::Int {
        return emit::go_integer(&scalar.text).and_then(|number| i64::try_from(number).ok());
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "larger numbers are at the end of the range, as for the server"
    )]
    emit::go_float(&scalar.text).filter(|number| number.fract() == 0.0).map(|number| number as i64)
}

/// `true`.
pub(super) fn is_true(node: &Node) -> bool {
    node.as_text().is_some_and(emit::is_true)
}

/// The value of a quantity.
pub(super) fn amount(node: &Node) -> Option<f64> {
    Quantity::parse(node.as_text()?).map(Quantity::value)
}

/// Whether a value is the same as none for the types of Kubernetes: null, an empty text, list or mapping.
pub(super) fn is_empty(node: &Node) -> bool {
    node.is_null()
        || node.as_str() == Some("")
        || node.as_seq().is_some_and(<[Node]>::is_empty)
        || node.as_map().is_some_and(Map::is_empty)
}

/// A key as a step of a path.
pub(super) fn key(key: &str) -> String {
    format!("['{key}']")
}

#[cfg(test)]
mod tests {
    use super::last_name;

    #[test]
    fn fields_are_named_without_their_items() {
        for (path, name) in
            [("a.b[0]", "b"), ("a", "a"), ("a['b/c']", "b/c"), ("a[0].c", "c"), ("", ""), ("a.b[0][1]", "b")]
        {
            assert_eq!(last_name(path), name, "{path}");
        }
    }
}
