//! `overlay.yaml`: a kustomize component that is applied over bases when its condition holds.

use super::document::{Document, Place, name_of};
use super::setter::{self, Setter};
use kfc_diagnostics::{Code, Diagnostic};
use kfc_yaml::fields::{Errors, Spanned};

/// What a platform changes.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// `area/name`, as its folder is.
    pub name: Spanned,
    /// One line.
    pub description: String,
    /// Applied when this is true; always when it is not there.
    pub when: Option<Spanned>,
    /// Components that must all be in the plan.
    pub components: Vec<Spanned>,
    /// Overlays that come before it when they are applied, too.
    pub after: Vec<Spanned>,
    /// Where facts land.
    pub set: Vec<Setter>,
    /// Its folder.
    pub place: Place,
    /// Whether the folder has a kustomization; setters alone need none.
    pub patches: bool,
}

pub(super) fn read(document: &Document, errors: &Errors) -> Option<Overlay> {
    let (top, spec) = document.open("Overlay", errors)?;
    let name = name_of(&top, errors);
    top.finish();
    let mut folders = document.place.folder.components().rev().map(|part| part.as_os_str().to_string_lossy());
    let (last, area) = (folders.next().unwrap_or_default(), folders.next().unwrap_or_default());
    let due = format!("{area}/{last}");
    if !name.text.is_empty() && name.text != due {
        let message = format!("the overlay is called `{}`, but its folder `{due}`", name.text);
        errors.push(Diagnostic::error(Code::BadValue, message).at(name.mark).help("use one name for both"));
    }
    let Some(spec) = spec else {
        errors.push(Diagnostic::error(Code::MissingField, "an overlay needs `spec`").at(document.node.mark));
        return None;
    };
    let overlay = Overlay {
        name,
        description: spec.string("description"),
        when: spec.spanned("when"),
        components: spec.strings("components"),
        after: spec.strings("after"),
        set: spec.list("set", |item| setter::read(item, errors)),
        place: document.place.clone(),
        patches: document.has_kustomization,
    };
    spec.finish();
    Some(overlay)
}
