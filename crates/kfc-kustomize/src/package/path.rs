//! Paths to fields as `kustomize cfg` takes them, `spec.template.spec.containers[name=web].image`, and what they lead to.

use super::kind::wrong_kind;
use kfc_diagnostics::{Code, Diagnostic};
use kfc_yaml::styled::{self, Comments, Content, StyledDocument, StyledNode};
use regex::Regex;

type Result<T> = std::result::Result<T, Diagnostic>;

/// A path, step by step: names of fields, `[field=pattern]`, `[=pattern]`, numbers and `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldQuery(pub(super) Vec<String>);

impl FieldQuery {
    /// A path of steps.
    #[must_use]
    pub fn of(steps: &[&str]) -> Self {
        Self(steps.iter().map(|step| (*step).to_owned()).collect())
    }
}

/// Reads a path. A dot that is part of a name has a backslash before it.
///
/// # Errors
/// [`Code::Usage`] for a step with more than one bracket.
pub fn parse_field_path(text: &str) -> Result<FieldQuery> {
    let mut steps = Vec::new();
    // As kustomize does it: four dollar signs are an escaped dot.
    for step in text.replace("\\.", "$$$$").split('.') {
        let step = step.replace("$$$$", ".");
        match step.split_once('[') {
            None => steps.push(step),
            Some((_, rest)) if rest.contains('[') => {
                let error = Diagnostic::error(Code::Usage, format!("`{step}` is not a step of a path"));
                return Err(error.help("write a list as `list[field=value]`"));
            }
            Some((list, rest)) => steps.extend([list.to_owned(), format!("[{rest}")]),
        }
    }
    Ok(FieldQuery(steps))
}

/// A node that a path leads to.
pub(super) struct Found {
    pub(super) node: StyledNode,
    /// What the patterns on the path matched, the last one first.
    pub(super) matched: Vec<String>,
}

/// The nodes that a path leads to.
///
/// # Errors
/// A step that does not fit what is there, and patterns that are not regular expressions.
pub(super) fn search(node: &StyledNode, path: &[String]) -> Result<Vec<Found>> {
    let Some((step, rest)) = path.split_first() else {
        return Ok(vec![Found { node: node.clone(), matched: Vec::new() }]);
    };
    if let Ok(index) = step.parse::<usize>() {
        let items = items(node)?;
        let item = items.get(index).ok_or_else(|| {
            let count = items.len();
            Diagnostic::error(Code::BadValue, format!("item {index} does not exist: the list has {count}"))
        })?;
        return search(item, rest);
    }
    if let Some(inner) = step.strip_prefix('[').and_then(|step| step.strip_suffix(']')) {
        return search_items(items(node)?, inner, rest);
    }
    if step == "*" {
        let mut found = Vec::new();
        for item in items(node)? {
            found.extend(search(item, rest)?.into_iter().map(|found| found.with("*")));
        }
        return Ok(found);
    }
    search_field(node, step, rest)
}

impl Found {
    fn with(mut self, matched: &str) -> Self {
        self.matched.push(matched.to_owned());
        self
    }
}

fn items(node: &StyledNode) -> Result<&[StyledNode]> {
    match &node.content {
        Content::Seq { items, .. } => Ok(items),
        _ if node.is_null() => Ok(&[]),
        _ => Err(wrong_kind("a sequence", node)),
    }
}

fn search_field(node: &StyledNode, name: &str, rest: &[String]) -> Result<Vec<Found>> {
    if node.is_null() {
        return Ok(Vec::new());
    }
    if !matches!(node.content, Content::Map { .. }) {
        return Err(wrong_kind("a mapping", node));
    }
    match node.get(name) {
        None => Ok(Vec::new()),
        // YAML in a text.
        Some(value) if !rest.is_empty() && value.as_text().is_some() => {
            let document = styled::parse(value.as_text().unwrap_or_default());
            search(&document.ok_or_else(|| wrong_kind("a mapping", value))?.root, rest)
        }
        Some(value) => search(value, rest),
    }
}

fn search_items(items: &[StyledNode], inner: &str, rest: &[String]) -> Result<Vec<Found>> {
    let Some((field, pattern)) = inner.split_once('=') else {
        let error = Diagnostic::error(Code::Usage, format!("`[{inner}]` does not say what it matches"));
        return Err(error.help("write `[field=pattern]`, or `[=pattern]` for a list of texts"));
    };
    let pattern = compile(pattern)?;
    let mut found = Vec::new();
    for item in items {
        if field.is_empty() {
            if pattern.is_match(text_of(item).trim()) {
                found.push(Found { node: item.clone(), matched: Vec::new() });
            }
            continue;
        }
        let Some(text) = item.get(field).map(text_of) else { continue };
        if pattern.is_match(text.trim()) {
            found.extend(search(item, rest)?.into_iter().map(|found| found.with(text.trim())));
        }
    }
    Ok(found)
}

/// A pattern of a user.
pub(super) fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().to_owned();
        Diagnostic::error(Code::Usage, format!("`{pattern}` is not a regular expression: {reason}"))
    })
}

/// A node as it would be written alone.
pub(super) fn text_of(node: &StyledNode) -> String {
    styled::write(&StyledDocument { root: node.clone(), comments: Comments::default() })
}

#[cfg(test)]
mod tests {
    use super::{parse_field_path, search, text_of};
    use kfc_yaml::styled::parse;

    fn found(text: &str, path: &str) -> Result<Vec<String>, String> {
        let path = parse_field_path(path).map_err(|error| error.message)?;
        let found = search(&parse(text).unwrap().root, &path.0).map_err(|error| error.message)?;
        Ok(found.iter().map(|found| text_of(&found.node).trim().to_owned()).collect())
    }

    #[test]
    fn steps_lead_through_fields_and_lists() {
        let text = "a:\n- name: x\n  v: 1\n- name: 'y' # c\n  v: [2, 3]\nb.c: t\n";
        assert_eq!(found(text, "a[name=x].v").unwrap(), ["1"]);
        assert_eq!(found(text, "a[name=\\.*].v").unwrap(), ["1", "[2, 3]"]);
        assert_eq!(found(text, "a.1.v[=3]").unwrap(), ["3"]);
        assert_eq!(found(text, "a.*.name").unwrap(), ["x", "'y' # c"]);
        assert_eq!(found(text, "b\\.c").unwrap(), ["t"]);
        assert_eq!(found(text, "z.y").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn steps_lead_into_yaml_in_a_text() {
        assert_eq!(found("data:\n  f: |\n    a: [b]\n", "data.f.a.0").unwrap(), ["b"]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert_eq!(found("a: {b: c}", "a[name=x]").unwrap_err(), "expected a sequence, found a mapping");
        assert_eq!(found("a: [b]", "a.b").unwrap_err(), "expected a mapping, found a sequence");
        assert_eq!(found("a: [b]", "a.1").unwrap_err(), "item 1 does not exist: the list has 1");
        assert!(found("a: [b]", "a[=(]").unwrap_err().starts_with("`(` is not a regular expression"));
        assert!(found("a: [b]", "a[b][c]").is_err() && found("a: [b]", "a[b]").is_err());
        // As kustomize: an empty text is not a mapping.
        assert!(found("a:", "a.b").is_err());
    }
}
