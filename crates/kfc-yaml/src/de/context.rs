//! What is known of a document while it is read.

use super::error::Error;
use crate::Node;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics};
use std::cell::RefCell;
use std::collections::HashMap;

/// A type with fields: its name, which others may share, and its fields.
pub(super) type Shape = (&'static str, &'static [&'static str]);

/// What the reading of a document has found, and what earlier readings have learned.
#[derive(Default)]
pub(super) struct Context {
    found: RefCell<Diagnostics>,
    /// Fields that must be there, with their type.
    required: RefCell<Vec<(Shape, &'static str)>>,
    /// Values that their type refuses, by their address.
    refused: RefCell<HashMap<usize, Refusal>>,
}

/// Why a type refuses a value.
struct Refusal {
    why: String,
    /// Whether it refuses the empty value, too.
    also_empty: bool,
}

fn address(node: &Node) -> usize {
    std::ptr::from_ref(node) as usize
}

impl Context {
    /// Starts to read the document, perhaps again: errors are found again, too.
    pub(super) fn start(&self) {
        self.found.borrow_mut().0.clear();
    }

    pub(super) fn push(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// The fields that values of a type must have.
    pub(super) fn required(&self, shape: Shape) -> Vec<&'static str> {
        let required = self.required.borrow();
        required.iter().filter(|(of, _)| *of == shape).map(|(_, field)| *field).collect()
    }

    /// Whether the value was refused before; notes that again.
    pub(super) fn is_refused(&self, node: &Node) -> bool {
        let refused = self.refused.borrow();
        let refusal = refused.get(&address(node));
        if let Some(refusal) = refusal {
            self.push(Diagnostic::error(Code::BadValue, refusal.why.clone()).at(node.mark));
        }
        refusal.is_some()
    }

    /// Whether there is nothing to read instead of a value, so that it is left out; notes why.
    pub(super) fn is_left_out(&self, node: &Node) -> bool {
        let also_empty = self.refused.borrow().get(&address(node)).is_some_and(|refusal| refusal.also_empty);
        also_empty && self.is_refused(node)
    }

    /// Learns from a type that gave up on a value: the next reading does not fail there.
    pub(super) fn learn(&self, error: Error, node: Option<&Node>, shape: Shape) -> Error {
        match (error, node) {
            (Error::Missing(field), _) if !self.required.borrow().contains(&(shape, field)) => {
                self.required.borrow_mut().push((shape, field));
                Error::Again
            }
            (Error::Refused(why), Some(node)) => {
                let mut refused = self.refused.borrow_mut();
                refused
                    .entry(address(node))
                    .and_modify(|refusal| refusal.also_empty = true)
                    .or_insert(Refusal { why, also_empty: false });
                Error::Again
            }
            (error, _) => error,
        }
    }

    /// Notes that a document was not read to its end, if nothing says so yet.
    pub(super) fn note_more(&self, node: &Node) {
        if self.found.borrow().is_empty() {
            let message = "this has more errors than are reported";
            self.push(Diagnostic::error(Code::BadValue, message).at(node.mark));
        }
    }

    /// All that was found, in the order of the source.
    pub(super) fn into_found(self) -> Diagnostics {
        self.found.into_inner().in_order()
    }
}
