//! The catalogue: components with their bases, overlays, and the layers that platform profiles are made of. Reads what is
//! built into the program and, on top of it, the user's own folders of the same layout.

mod component;
mod overlay;
mod platform;
pub mod schema;
mod setter;
mod stack;

pub use component::{Base, Component, Parameter, Ready, Requirement, STAGES, Support, Wanted};
pub use overlay::Overlay;
pub use platform::{Entry, Layer, Role};
pub use setter::Setter;
pub use stack::{Stack, StackFile};

use crate::resolve::{Name, names_in, touches};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, Source, SourceId};
use kfc_source::{FileSystem, Loader};
use kfc_yaml::fields::{Errors, Fields};
use kfc_yaml::{Node, parse};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The apiVersion of all our own files.
pub const API_VERSION: &str = "kfc.dev/v1alpha1";

/// The layer that declares every fact and global parameter, under all others.
pub const DEFAULTS: &str = "defaults";

/// Everything that can be selected, by name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// `bases/*/component.yaml`.
    pub components: BTreeMap<String, Component>,
    /// `overlays/*/*/overlay.yaml`, by `area/name`.
    pub overlays: BTreeMap<String, Overlay>,
    /// `platforms/*.yaml`.
    pub layers: BTreeMap<String, Layer>,
}

/// Where a program has the catalogue that is built into it: see [`kfc_source::Embedded`]. No path on disk can have this
/// name, as it holds a NUL.
pub const BUILT_IN: &str = "/\0catalogue";

/// A folder of our own files, with the name that it is shown under.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder on disk, or below [`BUILT_IN`].
    pub folder: PathBuf,
    /// How it is shown in messages.
    pub shown: String,
}

impl Place {
    /// A folder on disk as seen from the working directory, shown as it was written.
    #[must_use]
    pub fn on_disk(working_directory: &Path, folder: &Path) -> Self {
        let shown = folder.to_string_lossy();
        let shown = shown.trim_start_matches("./").trim_end_matches('/');
        let shown = if shown == "." { String::new() } else { shown.to_owned() };
        Self { folder: working_directory.join(folder), shown }
    }

    /// A place below this one, or beside it.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let shown = if self.shown.is_empty() { name.to_owned() } else { format!("{}/{name}", self.shown) };
        Self { folder: self.folder.join(name), shown }
    }
}

impl Catalogue {
    /// Reads the built-in catalogue and those in `folders`, later ones on top: what has the same name is replaced.
    ///
    /// # Errors
    /// Everything that is wrong with any of the files, and folders that are no catalogues.
    pub fn load(loader: &Loader, folders: &[Place]) -> Result<Self> {
        let built_in = Place { folder: PathBuf::from(BUILT_IN), shown: String::new() };
        Self::read(loader, &built_in)?.with(loader, folders)
    }

    /// Reads the catalogues in `folders` alone, in place of the built-in one.
    ///
    /// # Errors
    /// As [`Catalogue::load`].
    pub fn load_only(loader: &Loader, folders: &[Place]) -> Result<Self> {
        Self::default().with(loader, folders)
    }

    fn with(mut self, loader: &Loader, folders: &[Place]) -> Result<Self> {
        for place in folders {
            let more = Self::read(loader, place)?;
            if more.components.is_empty() && more.overlays.is_empty() && more.layers.is_empty() {
                return Err(no_catalogue(&place.shown).into());
            }
            self.components.extend(more.components);
            self.overlays.extend(more.overlays);
            self.layers.extend(more.layers);
        }
        self.mark_derived();
        Ok(self)
    }

    /// Marks the parameters whose defaults are made of secrets, those that are made of these, and so on.
    fn mark_derived(&mut self) {
        let global = self.layers.get_mut(DEFAULTS).map_or(&mut [][..], |layer| &mut layer.parameters);
        mark_derived(global, &[]);
        let global: Vec<String> = secrets(global);
        for component in self.components.values_mut() {
            mark_derived(&mut component.parameters, &global);
        }
    }

    fn read(loader: &Loader, top: &Place) -> Result<Self> {
        let mut errors = Diagnostics::default();
        let files = loader.files();
        let bases = subfolders_with(files, &top.join("bases"), "component.yaml");
        let components = read_all(loader, &bases, "component.yaml", &mut errors, component::read);
        let areas = subfolders(files, &top.join("overlays"));
        let folders: Vec<Place> =
            areas.iter().flat_map(|area| subfolders_with(files, area, "overlay.yaml")).collect();
        let overlays = read_all(loader, &folders, "overlay.yaml", &mut errors, overlay::read);
        let platforms = top.join("platforms");
        let layers = files.names_in(&platforms.folder).into_iter().filter(|name| name.ends_with(".yaml"));
        let layers: Vec<Layer> = layers
            .filter_map(|name| errors.collect(read_one(loader, &platforms, &name, platform::read)))
            .collect();
        errors.into_result(Self {
            components: components.into_iter().map(|c| (c.name.text.clone(), c)).collect(),
            overlays: overlays.into_iter().map(|o| (o.name.text.clone(), o)).collect(),
            layers: layers.into_iter().map(|l| (l.name.text.clone(), l)).collect(),
        })
    }
}

/// The names of the parameters whose values must not be shown.
fn secrets(parameters: &[Parameter]) -> Vec<String> {
    let secret = parameters.iter().filter(|parameter| parameter.is_secret());
    secret.map(|parameter| parameter.name.text.clone()).collect()
}

/// Marks parameters whose defaults name secrets among them or `outer` ones, until none is left.
fn mark_derived(parameters: &mut [Parameter], outer: &[String]) {
    loop {
        let known = [outer, secrets(parameters).as_slice()].concat();
        let is_secret = |name: &Name| {
            let path = name.below("parameters");
            path.is_some_and(|path| known.iter().any(|known| touches(path, std::slice::from_ref(known))))
        };
        let mut is_done = true;
        for parameter in parameters.iter_mut().filter(|parameter| !parameter.is_secret()) {
            let named = parameter.default.as_ref().map(names_in).unwrap_or_default();
            parameter.derived = named.iter().any(is_secret);
            is_done &= !parameter.derived;
        }
        if is_done {
            break;
        }
    }
}

fn no_catalogue(shown: &str) -> Diagnostic {
    let message = format!("there is no catalogue in `{shown}`");
    Diagnostic::error(Code::NotFound, message)
        .help("a catalogue has `bases/*/component.yaml`, `overlays/*/*/overlay.yaml` or `platforms/*.yaml`")
}

fn subfolders(files: &dyn FileSystem, place: &Place) -> Vec<Place> {
    let below = files.names_in(&place.folder).into_iter().map(|name| place.join(&name));
    below.filter(|below| files.is_directory(&below.folder)).collect()
}

fn subfolders_with(files: &dyn FileSystem, place: &Place, file: &str) -> Vec<Place> {
    subfolders(files, place).into_iter().filter(|below| files.is_file(&below.folder.join(file))).collect()
}

/// Reads the file of this name in each folder, in parallel; the result has the order of the folders.
fn read_all<T: Send>(
    loader: &Loader,
    folders: &[Place],
    file: &str,
    errors: &mut Diagnostics,
    read: impl Fn(&Document, &Errors) -> Option<T> + Sync,
) -> Vec<T> {
    let results: Vec<Result<T>> =
        folders.par_iter().map(|place| read_one(loader, place, file, &read)).collect();
    results.into_iter().filter_map(|result| errors.collect(result)).collect()
}

fn read_one<T>(
    loader: &Loader,
    place: &Place,
    file: &str,
    read: impl Fn(&Document, &Errors) -> Option<T>,
) -> Result<T> {
    let document = Document::load(loader, place, file)?;
    let errors = Errors::exact();
    let value = read(&document, &errors);
    match value {
        Some(value) => errors.into_inner().into_result(value),
        None => Err(errors.into_inner()),
    }
}

/// One of our own files.
pub(crate) struct Document {
    /// Where it lies.
    pub(crate) place: Place,
    /// Its name without the ending.
    pub(crate) stem: String,
    /// What it holds.
    pub(crate) node: Node,
    /// Whether a kustomization is beside it.
    pub(crate) has_kustomization: bool,
}

impl Document {
    /// Reads the file `file` of a folder, which must hold one document.
    pub(crate) fn load(loader: &Loader, place: &Place, file: &str) -> Result<Self> {
        let here = loader.beside(&place.folder, &place.shown, Mark::NONE)?;
        let read = here.load(file, Mark::NONE)?;
        let node = one_document(&read.source, read.id)?;
        component::values_of_secrets(&node).into_iter().for_each(|mark| loader.sources().hide(mark));
        let stem = file.trim_end_matches(".yaml").trim_end_matches(".yml").to_owned();
        let has_kustomization = loader.files().is_file(&place.folder.join("kustomization.yaml"));
        Ok(Self { place: place.clone(), stem, node, has_kustomization })
    }

    /// The fields of the file and of its `spec`, when it is of this kind.
    pub(crate) fn open<'a>(
        &'a self,
        kind: &'static str,
        errors: &'a Errors,
    ) -> Option<(Fields<'a>, Option<Fields<'a>>)> {
        let what = match kind {
            "Component" => "a component",
            "Overlay" => "an overlay",
            "Platform" => "a platform layer",
            _ => "a stack",
        };
        let top = Fields::of(&self.node, what, errors)?;
        for (field, wanted) in [("apiVersion", API_VERSION), ("kind", kind)] {
            let found = top.required(field);
            if !found.text.is_empty() && found.text != wanted {
                let message = format!("`{field}` is `{}`, but {what} has `{wanted}`", found.text);
                errors.push(Diagnostic::error(Code::BadValue, message).at(found.mark));
            }
        }
        let spec = top.nested("spec", what);
        Some((top, spec))
    }
}

/// The name of a file's object.
pub(crate) fn name_of(top: &Fields<'_>, errors: &Errors) -> kfc_yaml::fields::Spanned {
    match top.nested("metadata", "`metadata`") {
        Some(metadata) => {
            let name = metadata.required("name");
            metadata.finish();
            name
        }
        None => {
            if top.node("metadata").is_none() {
                let error = Diagnostic::error(Code::MissingField, "there is no `metadata.name`");
                errors.push(error.at(top.mark("metadata")));
            }
            kfc_yaml::fields::Spanned { text: String::new(), mark: Mark::NONE }
        }
    }
}

fn one_document(source: &Arc<Source>, id: SourceId) -> Result<Node> {
    let documents = parse::parse(&source.text, id)?;
    let start = Mark { source: id, offset: 0 };
    match <[Node; 1]>::try_from(documents) {
        Ok([node]) => Ok(node),
        Err(documents) => {
            let message = format!("`{}` has {} documents, but one is due", source.name, documents.len());
            Err(Diagnostic::error(Code::BadValue, message).at(start).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameter, mark_derived, secrets};
    use kfc_diagnostics::{Mark, SourceId};
    use kfc_yaml::fields::Spanned;
    use kfc_yaml::parse::parse;
    use serde_json::json;

    fn parameter(name: &str, secret: bool, default: &str) -> Parameter {
        let name = Spanned { text: name.to_owned(), mark: Mark::NONE };
        let default = parse(default, SourceId::NONE).unwrap().into_iter().next();
        Parameter { name, schema: json!({"writeOnly": secret}), default, published: false, derived: false }
    }

    #[test]
    fn what_is_made_of_a_secret_is_one() {
        let mut parameters = [
            parameter("last", false, "{a: ['x-{{ parameters.url }}']}"),
            parameter("url", false, "'https://u:{{ parameters.pw | lower }}@h'"),
            parameter("pw", true, "x"),
            parameter("computed", false, "\"{{ parameters['p' ~ 'w'] }}\""),
            parameter("size", false, "'{{ parameters.pwSize }} {{ facts.pw }} {{ pw }}'"),
            parameter("outer", false, "'{{ parameters.token.part }}'"),
            parameter("itself", false, "'{{ parameters.itself }}'"),
        ];
        mark_derived(&mut parameters, &["token".to_owned()]);
        assert_eq!(secrets(&parameters), ["last", "url", "pw", "computed", "outer"]);
    }
}
