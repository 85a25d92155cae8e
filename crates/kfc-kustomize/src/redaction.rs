//! What of a resource came out of a Secret: all of it, if it is one or was one before a patch, or fields copied from one.

use crate::provenance::{Last, Link, Step, StepKind};
use crate::resource::Resource;
use kfc_diagnostics::{Diagnostics, Mark, is_token};
use kfc_kube::redaction::{is_secret, message};
use kfc_kube::{LastChange, Object, Traced};
use kfc_yaml::{Entry, Node, Scalar, ScalarKind};

/// Whether a resource is a Secret, or was one before a patch changed its kind, or was decrypted.
#[must_use]
pub fn was_secret(resource: &Resource) -> bool {
    resource.is_decrypted
        || is_secret(resource.kind())
        || resource.previous.iter().any(|previous| is_secret(&previous.kind))
}

/// As [`message::in_secret`], for what went wrong with a resource, if it is a Secret, or `was_one` before.
#[must_use]
pub fn redacted_errors(errors: Diagnostics, resource: &Resource, was_one: bool) -> Diagnostics {
    if !was_one && !was_secret(resource) {
        return errors;
    }
    Diagnostics(errors.0.into_iter().map(|error| message::in_secret(error, &resource.node)).collect())
}

/// Whether a step puts a value into other objects that must not be shown: a replacement out of a Secret, a parameter that
/// is `writeOnly`.
fn is_secret_step(step: &Step) -> bool {
    let Some(details) = step.details.as_deref() else { return false };
    let from = details.text.strip_prefix("from ").and_then(|rest| rest.split(' ').next());
    let copies = step.kind == StepKind::Replacements && from.is_some_and(is_secret);
    copies || details.inputs.iter().any(|input| input.secret)
}

/// Whether a step copied a value from a secret.
#[must_use]
pub fn came_from_secret(links: &[Link<'_>]) -> bool {
    links.iter().any(|link| is_secret_step(link.step))
}

/// Whether a resource that was built with its origins may have values out of secrets.
#[must_use]
pub fn has_copied(resource: &Resource) -> bool {
    resource.history().steps().any(is_secret_step)
}

/// Whether a single value came out of a secret.
fn is_copied_value(resource: &Resource, scalar: &Scalar, mark: Mark) -> bool {
    scalar.kind != ScalarKind::Null && came_from_secret(&resource.history().chain(mark))
}

/// Whether an expression with a secret in it made a key: then the key has the place of the expression, as its value has.
#[must_use]
pub fn is_copied_key(resource: &Resource, entry: &Entry) -> bool {
    if is_token(&entry.key.text) {
        return false;
    }
    let links = resource.history().chain(entry.value.mark);
    let place = resource.history().place_of_key(entry.key.mark).known();
    links.iter().any(|link| link.place == place && is_secret_step(link.step))
}

/// A resource remembers what its build did with it: everything, if the build keeps origins.
impl Traced for Resource {
    fn object(&self) -> &Object {
        self
    }

    fn was_secret(&self) -> bool {
        was_secret(self)
    }

    fn set_by(&self, value: &Node) -> Option<LastChange<'_>> {
        let Last { step, place } = self.history().last(value.mark)?;
        Some(LastChange { step: step.kind.as_str(), mark: place })
    }

    fn removed_by(&self, parent: &Node, key: &str) -> Option<LastChange<'_>> {
        let removal = self.history().removals(parent.mark).find(|removal| removal.key == key)?;
        Some(LastChange { step: removal.step.kind.as_str(), mark: removal.step.place })
    }

    fn has_copied(&self) -> bool {
        has_copied(self)
    }

    fn is_copied_value(&self, value: &Node) -> bool {
        value.as_scalar().is_some_and(|scalar| is_copied_value(self, scalar, value.mark))
    }

    fn is_copied_key(&self, entry: &Entry) -> bool {
        is_copied_key(self, entry)
    }
}
