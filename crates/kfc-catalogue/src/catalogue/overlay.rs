//! `overlay.yaml`: a kustomize component that is applied over bases when its condition holds.

use super::document::{Document, Place, name_of};
use super::ignore;
use super::setter::{self, Setter};
use kfc_diagnostics::{Code, Diagnostic};
use kfc_kube::ignore::IgnoreRule;
use kfc_yaml::fields::{Errors, Spanned};

/// What a platform changes.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// `area/name`, like its directory.
    pub name: Spanned,
    /// One line.
    pub description: String,
    /// Applied when this is true; always without it.
    pub when: Option<Spanned>,
    /// Components that must all be in the plan.
    pub components: Vec<Spanned>,
    /// Overlays that come before it if they are applied.
    pub after: Vec<Spanned>,
    /// Setters for facts.
    pub set: Vec<Setter>,
    /// Fields of objects that are left to others.
    pub ignore: Vec<IgnoreRule>,
    /// Its directory.
    pub place: Place,
    /// Whether the directory has a kustomization; with setters only, it needs none.
    pub patches: bool,
}

pub(super) fn read(document: &Document, errors: &Errors) -> Option<Overlay> {
    let (top, spec) = document.open("Overlay", errors)?;
    let name = name_of(&top, errors);
    top.finish();
    let mut folders = document.place.folder.components().rev().map(|part| part.as_os_str().to_string_lossy());
    let (last, area) = (folders.next().unwrap_or_default(), folders.next().unwrap_or_default());
    let expected = format!("{area}/{last}");
    if !name.text.is_empty() && name.text != expected {
        let message =
            format!("the name of the overlay is `{}`, but its directory is `{expected}`", name.text);
        errors.push(
            Diagnostic::error(Code::BadValue, message).at(name.mark).help("use the same name for both"),
        );
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
        ignore: spec.list("ignore", |item| ignore::read(item, errors)),
        place: document.place.clone(),
        patches: document.has_kustomization,
    };
    spec.finish();
    Some(overlay)
}
