//! JSON pointers, and the way they lead through a tree.

use super::failure::Failure;
use kfc_diagnostics::nearest;
use kfc_yaml::{Node, Value};
use std::fmt;

/// A path of a JSON patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    written: String,
    /// The steps with their escapes undone.
    steps: Vec<String>,
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Pointer {
    /// Reads a path. The text before the first slash does not count, as in kustomize.
    pub(super) fn parse(text: &str) -> Self {
        let steps = text.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        Self { written: text.to_owned(), steps }
    }

    /// Its steps.
    pub(super) fn steps(&self) -> &[String] {
        &self.steps
    }

    /// How many steps it has.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it stands for the whole document.
    pub(super) fn is_root(&self) -> bool {
        self.written.is_empty()
    }

    /// Whether it stands for this place or for one that holds it.
    pub(super) fn leads_to_or_above(&self, place: &[&str]) -> bool {
        self.steps.len() <= place.len() && self.steps.iter().zip(place).all(|(a, b)| a == b)
    }

    /// The last step and those before it.
    fn split(&self, root: &Node) -> Result<(&str, &[String]), Failure> {
        if let Some((last, way)) = self.steps.split_last() {
            Ok((last, way))
        } else {
            let message = if self.is_root() {
                "the path names the whole resource"
            } else {
                "a path begins with a slash"
            };
            Err(Failure { message: message.to_owned(), place: Some(root.mark), help: None })
        }
    }
}

/// The node in which the last step of a path is to be looked up, and that step.
pub(super) fn holder<'n, 'p>(root: &'n Node, path: &'p Pointer) -> Result<(&'n Node, &'p str), Failure> {
    let (last, way) = path.split(root)?;
    let node =
        way.iter().try_fold(root, |node, step| child(node, step).ok_or_else(|| missing(node, step)))?;
    Ok((node, last))
}

/// [`holder`], to be changed.
pub(super) fn holder_mut<'n, 'p>(
    root: &'n mut Node,
    path: &'p Pointer,
) -> Result<(&'n mut Node, &'p str), Failure> {
    let (last, way) = path.split(root)?;
    let mut node = root;
    for step in way {
        if child(node, step).is_none() {
            return Err(missing(node, step));
        }
        let next = match &mut node.value {
            Value::Map(map) => map.get_mut(step),
            Value::Seq(items) => item_position(step, items.len()).and_then(|at| items.get_mut(at)),
            Value::Scalar(_) => None,
        };
        node = next.ok_or_else(|| Failure::new("", None))?;
    }
    Ok((node, last))
}

fn child<'n>(node: &'n Node, step: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(map) => map.get(step),
        Value::Seq(items) => item_position(step, items.len()).and_then(|at| items.get(at)),
        Value::Scalar(_) => None,
    }
}

/// The position that a step names in a list; below 0 from the end.
pub(super) fn item_position(step: &str, len: usize) -> Option<usize> {
    position(step, len).filter(|at| *at < len)
}

/// The position at which a step puts a new item: at most after the last one, which `-` and -1 mean.
pub(super) fn insert_position(step: &str, len: usize) -> Option<usize> {
    if step == "-" { Some(len) } else { position(step, len + 1).filter(|at| *at <= len) }
}

fn position(step: &str, len: usize) -> Option<usize> {
    let number: i64 = step.parse().ok()?;
    let from_start = if number < 0 { number.checked_add(i64::try_from(len).ok()?)? } else { number };
    usize::try_from(from_start).ok()
}

/// Reports that the field of a step does not exist, and which fields do.
pub(super) fn missing(node: &Node, step: &str) -> Failure {
    let message = match &node.value {
        Value::Map(_) => format!("there is no `{step}` in this mapping"),
        Value::Seq(items) => format!("the list of {} has no item `{step}`", items.len()),
        Value::Scalar(_) => format!("`{step}` cannot be looked up in {}", node.describe()),
    };
    let names: Vec<&str> = node.as_map().into_iter().flatten().map(|entry| entry.key.text.as_str()).collect();
    let help = match nearest(step, names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.is_empty() => None,
        None => Some(format!("its keys are {}", quoted_list(&names))),
    };
    Failure { message, place: Some(node.mark), help }
}

/// The first few names, each in quotes.
fn quoted_list(names: &[&str]) -> String {
    const ENOUGH: usize = 12;
    let mut list = names.iter().take(ENOUGH).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > ENOUGH {
        list.push_str(", …");
    }
    list
}
