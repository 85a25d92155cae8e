//! Scalars that change together.
//!
//! A label or annotation that kustomize adds to several fields of a resource is one value in all of them: whatever later
//! changes one of them in its place (another label transformer, a strategic merge patch, a replacement) changes all.
//! A JSON patch writes the resource anew and so parts them.

use compact_str::CompactString;
use kfc_yaml::{Node, Scalar, Value};

/// The values that the tied scalars of a resource have; the tie of a scalar is the place here, counted from 1.
#[derive(Clone, Debug, Default)]
pub struct Ties {
    /// Nothing for a tie that holds no more.
    texts: Vec<Option<CompactString>>,
}

impl Ties {
    /// The number of a new tie is above this.
    #[must_use]
    pub fn last(&self) -> usize {
        self.texts.len()
    }

    /// Adds a tie of scalars with this text, or of none.
    pub fn add(&mut self, text: Option<&str>) {
        self.texts.push(text.map(CompactString::from));
    }

    /// Lets all ties go. Their numbers are not used again: scalars still carry them.
    pub fn loosen(&mut self) {
        self.texts.fill(None);
    }

    fn is_idle(&self) -> bool {
        self.texts.iter().all(Option::is_none)
    }

    fn text(&self, scalar: &Scalar) -> Option<&CompactString> {
        self.texts.get((scalar.tie as usize).checked_sub(1)?)?.as_ref()
    }

    /// Gives all scalars of a tie in a resource's node the value that one of them was changed to; of several, the last
    /// change counts.
    pub(super) fn pull(&mut self, node: &mut Node) {
        if self.is_idle() {
            return;
        }
        let mut changed: Vec<Scalar> = Vec::new();
        each_scalar(node, &mut |scalar| {
            if self.text(scalar).is_some_and(|text| *text != scalar.text) {
                changed.retain(|other| other.tie != scalar.tie);
                changed.push(scalar.clone());
            }
        });
        if changed.is_empty() {
            return;
        }
        each_scalar(node, &mut |scalar| {
            if let Some(new) = changed.iter().find(|new| new.tie == scalar.tie) {
                scalar.clone_from(new);
            }
        });
        for new in changed {
            self.texts[new.tie as usize - 1] = Some(new.text);
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
