//! `overlay.yaml`: a kustomize component that is applied over bases when its condition holds.

use super::document::{Document, Named, Place};
use crate::files::{OverlayFile, Setter};
use kfc_diagnostics::Diagnostics;
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::ReadyRule;
use kfc_yaml::Spanned;

/// What a platform changes.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// `area/name`, like its directory.
    pub name: Spanned<String>,
    /// One line.
    pub description: String,
    /// Applied when this is true; always without it.
    pub when: Option<Spanned<String>>,
    /// Components that must all be in the plan.
    pub components: Vec<Spanned<String>>,
    /// Overlays that come before it if they are applied.
    pub after: Vec<Spanned<String>>,
    /// Setters for facts.
    pub set: Vec<Spanned<Setter>>,
    /// Fields of objects that are left to others.
    pub ignore: Vec<IgnoreRule>,
    /// When objects are ready, instead of what their kind says.
    pub ready: Vec<ReadyRule>,
    /// Its directory.
    pub place: Place,
    /// Whether the directory has a kustomization; with setters only, it needs none.
    pub patches: bool,
}

pub(super) fn read(document: &Document, file: OverlayFile, errors: &mut Diagnostics) -> Overlay {
    let (name, spec) = (file.metadata.name, file.spec);
    let mut folders = document.place.folder.components().rev().map(|part| part.as_os_str().to_string_lossy());
    let (last, area) = (folders.next().unwrap_or_default(), folders.next().unwrap_or_default());
    let named = Named { object: "overlay", file: "directory" };
    document.check_name(&name, &format!("{area}/{last}"), &named, errors);
    Overlay {
        name,
        description: spec.description,
        when: spec.when,
        components: spec.components,
        after: spec.after,
        set: spec.set,
        ignore: spec.ignore.into_iter().map(|entry| entry.0).collect(),
        ready: spec.ready.into_iter().map(|entry| entry.0).collect(),
        place: document.place.clone(),
        patches: document.has_kustomization,
    }
}
