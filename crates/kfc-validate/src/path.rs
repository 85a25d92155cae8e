//! Field paths inside a resource, as people write them: `spec.containers[0].env[1].name`.

use kfc_yaml::field_path::KeyStep;
use kfc_yaml::{Node, Value};
use std::fmt;

/// A path, kept on the stack while a tree is walked; text is made of it only when something is wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    above: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Top,
    Field(&'a str),
    Item(usize),
}

impl<'a> Path<'a> {
    /// The resource itself.
    pub(super) const TOP: Path<'static> = Path { above: None, step: Step::Top };

    /// A field below.
    #[must_use]
    pub(super) fn field(&'a self, name: &'a str) -> Path<'a> {
        Path { above: Some(self), step: Step::Field(name) }
    }

    /// An item below.
    #[must_use]
    pub(super) fn item(&'a self, index: usize) -> Path<'a> {
        Path { above: Some(self), step: Step::Item(index) }
    }

    /// The name of the last field; none for the resource itself.
    #[must_use]
    pub(super) fn last(&self) -> Option<&'a str> {
        match self.step {
            Step::Field(name) => Some(name),
            Step::Item(_) => self.above.and_then(Path::last),
            Step::Top => None,
        }
    }

    /// Whether the path leads into this field of the resource.
    #[must_use]
    pub(super) fn is_below(&self, field: &str) -> bool {
        match (self.above, self.step) {
            (Some(above), Step::Field(name)) if matches!(above.step, Step::Top) => name == field,
            (Some(above), _) => above.is_below(field),
            (None, _) => false,
        }
    }
}

/// Calls `then` with the path of a node below `top`; with the path of the top itself for a node that is not in its tree.
pub(super) fn with_path_of<T>(top: &Node, node: &Node, then: &mut impl FnMut(&Path<'_>) -> T) -> T {
    search(top, node, &Path::TOP, then).unwrap_or_else(|| then(&Path::TOP))
}

fn search<T>(at: &Node, node: &Node, path: &Path<'_>, then: &mut impl FnMut(&Path<'_>) -> T) -> Option<T> {
    if std::ptr::eq(at, node) {
        return Some(then(path));
    }
    match &at.value {
        Value::Map(map) => map.iter().find_map(|e| search(&e.value, node, &path.field(&e.key.text), then)),
        Value::Seq(items) => {
            items.iter().enumerate().find_map(|(index, item)| search(item, node, &path.item(index), then))
        }
        Value::Scalar(_) => None,
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(above) = self.above else { return Ok(()) };
        above.fmt(f)?;
        match self.step {
            Step::Top => Ok(()),
            Step::Item(index) => write!(f, "[{index}]"),
            Step::Field(key) => KeyStep { key, is_first: above.above.is_none() }.fmt(f),
        }
    }
}

/// A field for messages.
pub(super) fn name(path: &Path<'_>) -> String {
    match path.last() {
        Some(name) => format!("`{name}`"),
        None => "the resource".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn paths_are_written_as_people_write_them() {
        let labels = Path::TOP.field("spec");
        let items = labels.field("list");
        let item = items.item(2);
        assert_eq!(
            item.field("app.kubernetes.io/name").to_string(),
            "spec.list[2]['app.kubernetes.io/name']"
        );
        assert_eq!(Path::TOP.to_string(), "");
        assert!(item.is_below("spec") && !item.is_below("list"));
    }
}
