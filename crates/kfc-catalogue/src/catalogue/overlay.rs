//! `overlay.yaml`: a kustomize component that is applied over bases when its condition holds.

use super::document::{Document, Named, Place, read_one};
use crate::files::{OverlayFile, Setter};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::ReadyRule;
use kfc_source::Loader;
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

impl Overlay {
    /// Reads the overlay of a stack: it may have any name, and comes where the stack lists it.
    ///
    /// # Errors
    /// All errors of the file.
    pub fn load_own(loader: &Loader, place: &Place, file: &str) -> Result<Self> {
        read_one(loader, place, file, |document, file: OverlayFile, errors| {
            document.check_not_empty(&file.metadata.name, errors);
            let fields = document.node.get("spec").and_then(kfc_yaml::Node::as_map);
            for entry in fields.into_iter().flatten() {
                let field = entry.key.text.as_str();
                if ["after", "ignore", "ready"].contains(&field) {
                    let message = format!("an overlay of a stack has no `{field}`");
                    let error = Diagnostic::error(Code::FieldConflict, message).at(entry.key.mark);
                    errors.push(match field {
                        "after" => error.help("order the overlays in `overlays` of the stack"),
                        _ => error.help(format!("put it under `{field}` of the stack")),
                    });
                }
            }
            of_file(document, file)
        })
    }
}

pub(super) fn read(document: &Document, file: OverlayFile, errors: &mut Diagnostics) -> Overlay {
    let name = &file.metadata.name;
    let mut folders = document.place.folder.components().rev().map(|part| part.as_os_str().to_string_lossy());
    let (last, area) = (folders.next().unwrap_or_default(), folders.next().unwrap_or_default());
    let named = Named { object: "overlay", file: "directory" };
    document.check_name(name, &format!("{area}/{last}"), &named, errors);
    of_file(document, file)
}

fn of_file(document: &Document, file: OverlayFile) -> Overlay {
    let (name, spec) = (file.metadata.name, file.spec);
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
