//! Reads whole catalogues.

use super::component::{self, Component, Parameter};
use super::document::{BUILT_IN, Document, Place, read_one};
use super::overlay::{self, Overlay};
use super::platform::{self, Layer};
use super::release::{self, Release};
use crate::expressions::{Name, names_in, touches};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_source::{FileSystem, Loader};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The layer that declares every fact and global parameter, below all others.
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
    /// `releases/*.yaml`.
    pub releases: BTreeMap<String, Release>,
}

impl Catalogue {
    /// The parameters of no component in particular, as the defaults declare them.
    #[must_use]
    pub fn global_parameters(&self) -> &[Parameter] {
        self.layers.get(DEFAULTS).map_or(&[], |layer| &layer.parameters)
    }

    /// Reads the built-in catalogue and those in `folders`, later ones on top: entries with the same name are replaced.
    ///
    /// # Errors
    /// All errors of the files, and directories that are not catalogues.
    pub fn load(loader: &Loader, folders: &[Place]) -> Result<Self> {
        let built_in = Place { folder: PathBuf::from(BUILT_IN), shown: String::new() };
        Self::read(loader, &built_in)?.with(loader, folders)
    }

    /// Reads only the catalogues in `folders`, instead of the built-in one.
    ///
    /// # Errors
    /// As [`Catalogue::load`].
    pub fn load_only(loader: &Loader, folders: &[Place]) -> Result<Self> {
        Self::default().with(loader, folders)
    }

    fn with(mut self, loader: &Loader, folders: &[Place]) -> Result<Self> {
        for place in folders {
            let more = Self::read(loader, place)?;
            if more.is_empty() {
                return Err(no_catalogue(&place.shown).into());
            }
            self.components.extend(more.components);
            self.overlays.extend(more.overlays);
            self.layers.extend(more.layers);
            self.releases.extend(more.releases);
        }
        self.mark_derived();
        Ok(self)
    }

    fn is_empty(&self) -> bool {
        self.components.is_empty()
            && self.overlays.is_empty()
            && self.layers.is_empty()
            && self.releases.is_empty()
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
        let layers = read_files(loader, &top.join("platforms"), &mut errors, platform::read);
        let releases = read_files(loader, &top.join("releases"), &mut errors, release::read);
        errors.into_result(Self {
            components: components.into_iter().map(|c| (c.name.value.clone(), c)).collect(),
            overlays: overlays.into_iter().map(|o| (o.name.value.clone(), o)).collect(),
            layers: layers.into_iter().map(|l| (l.name.value.clone(), l)).collect(),
            releases: releases.into_iter().map(|r| (r.name.value.clone(), r)).collect(),
        })
    }
}

/// The names of the parameters whose values must not be shown.
fn secrets(parameters: &[Parameter]) -> Vec<String> {
    let secret = parameters.iter().filter(|parameter| parameter.is_secret());
    secret.map(|parameter| parameter.name.value.clone()).collect()
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
    let message = format!("`{shown}` is not a catalogue");
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

/// Reads all files of a directory.
fn read_files<F: DeserializeOwned, T>(
    loader: &Loader,
    place: &Place,
    errors: &mut Diagnostics,
    read: impl Fn(&Document, F, &mut Diagnostics) -> T,
) -> Vec<T> {
    let names = loader.files().names_in(&place.folder).into_iter().filter(|name| name.ends_with(".yaml"));
    names.filter_map(|name| errors.collect(read_one(loader, place, &name, &read))).collect()
}

/// Reads the file of this name in each directory, in parallel; the result has the order of the directories.
fn read_all<F: DeserializeOwned, T: Send>(
    loader: &Loader,
    folders: &[Place],
    file: &str,
    errors: &mut Diagnostics,
    read: impl Fn(&Document, F, &mut Diagnostics) -> T + Sync,
) -> Vec<T> {
    let results: Vec<Result<T>> =
        folders.par_iter().map(|place| read_one(loader, place, file, &read)).collect();
    results.into_iter().filter_map(|result| errors.collect(result)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Parameter, mark_derived, secrets};
    use kfc_diagnostics::SourceId;
    use kfc_yaml::Spanned;
    use kfc_yaml::parse::parse;
    use serde_json::json;

    fn parameter(name: &str, secret: bool, default: &str) -> Parameter {
        let name = Spanned::nowhere(name.to_owned());
        let default = parse(default, SourceId(0)).unwrap().into_iter().next();
        Parameter {
            name,
            schema: json!({"writeOnly": secret}),
            default,
            published: false,
            formerly: std::collections::BTreeMap::new(),
            derived: false,
            fixed: None,
        }
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
