//! A catalogue whose components are built from a release of upstream's manifests.

use super::document::Place;
use super::load::Catalogue;
use super::release::{FETCHED, Release};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use kfc_source::Loader;
use kfc_yaml::Spanned;

impl Catalogue {
    /// The release of this name.
    ///
    /// # Errors
    /// A name that no release has.
    pub fn known_release(&self, named: &Spanned<String>) -> Result<&Release> {
        if let Some(release) = self.releases.get(&named.value) {
            return Ok(release);
        }
        let message = format!("the release `{}` does not exist", named.value);
        let error = Diagnostic::error(Code::UnknownRelease, message).at(named.mark);
        let error = match nearest(&named.value, self.releases.keys().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(
                "list releases with `kfc catalog list`, or name the directory of one that `kfc catalog fetch` wrote",
            ),
        };
        Err(error.into())
    }

    /// The release that a user names: one of the catalogue, or the directory of one that was fetched, relative to `from`.
    ///
    /// # Errors
    /// Names that are neither, and errors of the files of the directory.
    pub fn release(&self, loader: &Loader, named: &Spanned<String>, from: &Place) -> Result<Release> {
        let place = from.join(&named.value);
        let is_fetched = || loader.files().is_file(&place.folder.join(FETCHED));
        if !self.releases.contains_key(&named.value) && is_fetched() {
            return Release::fetched(loader, &place);
        }
        self.known_release(named).cloned()
    }

    /// This catalogue with its components as they are in a release: the resources come from upstream's roots, everything else
    /// stays.
    ///
    /// # Errors
    /// Components, overlays and parameters of the release that the catalogue does not have.
    pub fn at_release(mut self, release: &Release) -> Result<Self> {
        let mut errors = Diagnostics::default();
        for (name, released) in &release.components {
            match self.components.get_mut(&name.value) {
                Some(component) => *component = release.component(component, released, &mut errors),
                None => errors.push(unknown(
                    Code::UnknownComponent,
                    "component",
                    name,
                    self.components.keys().map(String::as_str),
                )),
            }
        }
        for name in &release.without {
            if self.components.remove(&name.value).is_none() {
                let names = self.components.keys().map(String::as_str);
                errors.push(unknown(Code::UnknownComponent, "component", name, names));
            }
        }
        let is_left_out = |name: &str| release.without.iter().any(|without| without.value == name);
        for layer in self.layers.values_mut() {
            layer.components.retain(|component| !is_left_out(&component.name.value));
        }
        // An overlay applies only where all of its components are.
        self.overlays.retain(|_, overlay| !overlay.components.iter().any(|name| is_left_out(&name.value)));
        for (name, _) in &release.left_out {
            if self.overlays.remove(&name.value).is_none() {
                let names = self.overlays.keys().map(String::as_str);
                errors.push(unknown(Code::UnknownOverlay, "overlay", name, names));
            }
        }
        // An overlay that comes after one that is left out comes after nothing.
        for overlay in self.overlays.values_mut() {
            overlay
                .after
                .retain(|name| release.left_out.iter().all(|(left_out, _)| left_out.value != name.value));
        }
        errors.into_result(self)
    }
}

fn unknown<'n>(
    code: Code,
    what: &str,
    name: &Spanned<String>,
    names: impl Iterator<Item = &'n str>,
) -> Diagnostic {
    let error = Diagnostic::error(code, format!("the {what} `{}` does not exist", name.value)).at(name.mark);
    error.helped(nearest(&name.value, names).map(|near| format!("did you mean `{near}`?")))
}
