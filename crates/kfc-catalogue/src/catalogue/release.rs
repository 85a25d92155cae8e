//! `releases/*.yaml`: the release of upstream's manifests that components are built from, instead of the bases of the
//! catalogue. Parameters, setters, overlays, waves and readiness stay those of the catalogue.

use super::base::{Base, BaseOrigin, BaseSource};
use super::component::{Component, split_ready};
use super::document::{Document, Named, Place, read_one};
use crate::expressions::names_in;
use crate::files::{FixedParameter, GitSource, ReleaseFile, ReleaseRoot, ReleasedComponent, Setter};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use kfc_source::Loader;
use kfc_yaml::Spanned;
use kfc_yaml::de::Entries;

/// The file of a release in the directory that `kfc catalog fetch` writes.
pub const FETCHED: &str = "release.yaml";

/// A release of upstream's manifests.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its name.
    pub name: Spanned<String>,
    /// One line.
    pub description: String,
    /// The address of the git repository.
    pub git: Spanned<String>,
    /// The branch or tag.
    pub reference: Spanned<String>,
    /// The commit.
    pub commit: Spanned<String>,
    /// The digest of the tree of the commit, in hexadecimal.
    pub tree: Option<String>,
    /// Components by name.
    pub components: Vec<(Spanned<String>, ReleasedComponent)>,
    /// Components of the catalogue that it is without.
    pub without: Vec<Spanned<String>>,
    /// Overlays that do not fit it, with the reasons.
    pub left_out: Vec<(Spanned<String>, Spanned<String>)>,
    /// The directory of its file.
    pub place: Place,
    /// The file in it.
    pub file: String,
}

pub(super) fn read(document: &Document, file: ReleaseFile, errors: &mut Diagnostics) -> Release {
    let release = of_file(document, file, errors);
    let named = Named { object: "release", file: "file" };
    document.check_name(&release.name, &document.stem, &named, errors);
    release
}

/// A release that was fetched has its name in the file alone: the user chooses the name of the directory.
fn of_file(document: &Document, file: ReleaseFile, errors: &mut Diagnostics) -> Release {
    let (name, spec) = (file.metadata.name, file.spec);
    for (name, reason) in &spec.left_out.0 {
        if reason.trim().is_empty() {
            let message = format!("the overlay `{}` is left out without a reason", name.value);
            errors.push(Diagnostic::error(Code::BadValue, message).at(reason.mark));
        }
    }
    Release {
        name,
        description: spec.description,
        git: spec.git,
        reference: spec.reference,
        commit: spec.commit.0,
        tree: spec.tree.map(|tree| tree.0.value.trim_start_matches("sha256:").to_owned()),
        components: spec.components.0,
        without: spec.without,
        left_out: spec.left_out.0,
        place: document.place.clone(),
        file: format!("{}.yaml", document.stem),
    }
}

impl Release {
    /// Reads the release that `kfc catalog fetch` wrote into a directory. What its lock pins is taken from there.
    ///
    /// # Errors
    /// All errors of the file and of the lock.
    pub fn fetched(loader: &Loader, place: &Place) -> Result<Self> {
        loader.remotes().build_upon(&place.folder)?;
        read_one(loader, place, FETCHED, of_file)
    }

    /// The source of one of its roots.
    fn source(&self, root: &ReleaseRoot) -> GitSource {
        GitSource {
            git: self.git.clone(),
            reference: Some(self.reference.clone()),
            commit: Some(crate::files::Commit(self.commit.clone())),
            path: Some(root.path.clone()),
            namespace: root.namespace.clone(),
            only: root.only.clone(),
            except: root.except.clone(),
        }
    }

    /// A component as it is in this release.
    pub(super) fn component(
        &self,
        ours: &Component,
        release: &ReleasedComponent,
        errors: &mut Diagnostics,
    ) -> Component {
        let list = release.roots.iter().map(|root| BaseSource::of_git(self.source(root))).collect();
        let origin = BaseOrigin::Sources { list, file: self.file.clone() };
        let mut component = ours.clone();
        component.base = Base { place: self.place.clone(), origin };
        if let Some(description) = &release.description {
            component.description.clone_from(description);
        }
        if let Some(version) = &release.version {
            component.version.clone_from(version);
        }
        component.supports.extend(release.supports.iter().cloned());
        if let Some(set) = &release.set {
            component.set.clone_from(set);
        }
        if let Some(ready) = &release.ready {
            (component.awaited, component.ready) = split_ready(ready.clone());
        }
        fix_parameters(&mut component, &release.fixed, errors);
        component
    }
}

/// Fixes parameters that the release cannot set, and leaves out the setters that name them.
fn fix_parameters(component: &mut Component, fixed: &Entries<FixedParameter>, errors: &mut Diagnostics) {
    for (name, fixed) in &fixed.0 {
        let names = component.parameters.iter().map(|parameter| parameter.name.value.clone());
        let names: Vec<String> = names.collect();
        let Some(parameter) = component.parameters.iter_mut().find(|parameter| *parameter.name == name.value)
        else {
            let message =
                format!("the component `{}` has no parameter `{}`", component.name.value, name.value);
            let error = Diagnostic::error(Code::Parameter, message).at(name.mark);
            let near = nearest(&name.value, names.iter().map(String::as_str));
            errors.push(error.helped(near.map(|near| format!("did you mean `{near}`?"))));
            continue;
        };
        parameter.default = Some(fixed.value.clone());
        parameter.published = false;
        parameter.fixed = Some(fixed.reason.value.clone());
        component.set.retain(|setter| !names_parameter(setter, &name.value));
    }
}

/// Whether the value or the condition of a setter depends on a parameter of its component.
fn names_parameter(setter: &Setter, parameter: &str) -> bool {
    let condition = setter
        .when
        .as_ref()
        .map(|when| kfc_yaml::Node::string(&format!("{{{{ {} }}}}", when.value), when.mark));
    let named = names_in(&setter.new_value).into_iter().chain(condition.iter().flat_map(names_in));
    named.into_iter().any(|name| {
        name.below("parameters").and_then(|path| path.first()).is_some_and(|first| first == parameter)
    })
}
