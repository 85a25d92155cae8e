//! Shared scalars: scalars of a resource that change together.
//!
//! A label or annotation that kustomize adds to several fields of a resource is one value in all of them: a later change
//! of one of them (by another label transformer, a strategic merge patch, a replacement) changes all.
//! A JSON patch rewrites the resource and so separates them.

use compact_str::CompactString;
use kfc_yaml::{Node, Scalar, Value};

/// The values of the shared scalars of a resource; the number of a shared scalar is its position here, from 1.
#[derive(Clone, Debug, Default)]
pub struct SharedScalars {
    /// Nothing for a value that is no longer shared.
    texts: Vec<Option<CompactString>>,
}

impl SharedScalars {
    /// The number of the last shared scalar; a new one gets the next.
    #[must_use]
    pub fn last(&self) -> usize {
        self.texts.len()
    }

    /// Adds a shared scalar with this text; without a text, only its number is used up.
    pub fn add(&mut self, text: Option<&str>) {
        self.texts.push(text.map(CompactString::from));
    }

    /// Separates all shared scalars. Their numbers are not used again: scalars still carry them.
    pub fn separate(&mut self) {
        self.texts.fill(None);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.texts.iter().all(Option::is_none)
    }

    fn text(&self, scalar: &Scalar) -> Option<&CompactString> {
        self.texts.get((scalar.shared as usize).checked_sub(1)?)?.as_ref()
    }

    /// After a change of a scalar in the node of a resource, gives the others that share it the same value; of several
    /// changes the last one counts.
    pub(super) fn update(&mut self, node: &mut Node) {
        if self.is_idle() {
            return;
        }
        let mut changed: Vec<Scalar> = Vec::new();
        each_scalar(node, &mut |scalar| {
            if self.text(scalar).is_some_and(|text| *text != scalar.text) {
                changed.retain(|other| other.shared != scalar.shared);
                changed.push(scalar.clone());
            }
        });
        if changed.is_empty() {
            return;
        }
        each_scalar(node, &mut |scalar| {
            if let Some(new) = changed.iter().find(|new| new.shared == scalar.shared) {
                scalar.clone_from(new);
            }
        });
        for new in changed {
            self.texts[new.shared as usize - 1] = Some(new.text);
        }
    }
}

fn each_scalar(node: &mut Node, visit: &mut impl FnMut(&mut Scalar)) {
    match &mut node.value {
        Value::Scalar(scalar) => visit(scalar),
        Value::Seq(items) => items.iter_mut().for_each(|item| each_scalar(item, visit)),
        Value::Map(map) => map.iter_mut().for_each(|entry| each_scalar(&mut entry.value, visit)),
    }
}
