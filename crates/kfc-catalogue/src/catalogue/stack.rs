//! What a user asks for: a stack, as its file, an environment and a cluster say it together.

use super::document::Place;
use crate::files::{SecretWay, Setter, UserName, UserProfile};
use kfc_diagnostics::{Mark, SourceId};
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::ReadyRule;
use kfc_source::door::clean;
use kfc_yaml::{Map, Node, Spanned};
use std::path::{Path, PathBuf};

/// What a user asks for.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The profile: layers joined by `+`.
    pub platform: Spanned<String>,
    /// The release of upstream's manifests that components are built from: its name, or its directory.
    pub release: Option<Spanned<String>>,
    /// Components that the user names; those of the platform without the field.
    pub components: Option<Vec<Spanned<String>>>,
    /// Components that are already in the cluster.
    pub present: Vec<Spanned<String>>,
    /// Components that are left out, though the platform has them.
    pub without: Vec<Spanned<String>>,
    /// Values of facts that replace those of layers; a mapping.
    pub facts: Node,
    /// Facts of the cluster, for those that neither the stack nor a layer sets; a mapping.
    pub observed: Node,
    /// Values of parameters: global ones by name, those of a component below its name.
    pub parameters: Node,
    /// Where the values of Secrets come from, by name.
    pub secrets: Vec<(Spanned<String>, SecretWay)>,
    /// Namespaces of users and teams.
    pub profiles: Vec<UserProfile>,
    /// Users by the name of a group.
    pub groups: Vec<(Spanned<String>, Vec<Spanned<UserName>>)>,
    /// Setters, applied before the overlays.
    pub set: Vec<Spanned<Setter>>,
    /// Kustomize components, applied last.
    pub overlays: Vec<Spanned<String>>,
    /// Fields of objects that are left to others.
    pub ignore: Vec<IgnoreRule>,
    /// When objects are ready, instead of what their kind says.
    pub ready: Vec<ReadyRule>,
    /// Which component provides a capability.
    pub prefers: Vec<(Spanned<String>, Spanned<String>)>,
    /// Further catalogues.
    pub catalogues: Vec<Spanned<String>>,
    /// Whether the built-in catalogue is below them.
    pub builtin: bool,
    /// The directory of the file; none for a profile that was named on the command line.
    pub place: Option<Place>,
    /// The directories of the files that it is made of, by their texts.
    pub places: Vec<(SourceId, Place)>,
    /// Everything that these files give to parameters, also what is replaced or of another environment.
    pub given: Vec<Node>,
}

/// A stack's file: its directory and name, and what is chosen of it.
#[derive(Clone, Debug)]
pub struct StackFile {
    /// The directory.
    pub place: Place,
    /// The file in it.
    pub name: String,
    /// The environment and cluster.
    pub choice: StackChoice,
}

/// Which environment of a stack is meant, and which of its clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackChoice {
    /// The environment; none of a stack that has none.
    pub environment: Option<String>,
    /// The cluster, for the lines by which it differs.
    pub cluster: Option<String>,
}

impl Stack {
    /// The stack of a profile alone, as `kfc build gke+gpu` asks for it.
    #[must_use]
    pub fn of_profile(profile: &str) -> Self {
        let empty = || Node::map(Map::new(), None);
        Self {
            name: profile.to_owned(),
            platform: Spanned::nowhere(profile.to_owned()),
            release: None,
            components: None,
            present: Vec::new(),
            without: Vec::new(),
            facts: empty(),
            observed: empty(),
            parameters: empty(),
            secrets: Vec::new(),
            profiles: Vec::new(),
            groups: Vec::new(),
            set: Vec::new(),
            overlays: Vec::new(),
            ignore: Vec::new(),
            ready: Vec::new(),
            prefers: Vec::new(),
            catalogues: Vec::new(),
            builtin: true,
            place: None,
            places: Vec::new(),
            given: Vec::new(),
        }
    }

    /// The same stack with these components instead of its own, as `--components` asks for them.
    #[must_use]
    pub fn with_components<S: AsRef<str>>(self, names: impl IntoIterator<Item = S>) -> Self {
        let spanned = |name: S| Spanned::nowhere(name.as_ref().trim().to_owned());
        Self { components: Some(names.into_iter().map(spanned).collect()), ..self }
    }

    /// The directory that a path of the stack is relative to: that of the file that says it.
    #[must_use]
    pub fn place_of(&self, path: &Spanned<String>) -> Option<&Place> {
        let of_file = |mark: Mark| self.places.iter().find(|(source, _)| *source == mark.source);
        path.mark.and_then(of_file).map(|(_, place)| place).or(self.place.as_ref())
    }

    /// The directory of an overlay on disk.
    pub(super) fn overlay_path(&self, path: &Spanned<String>) -> PathBuf {
        let folder = self.place_of(path).map_or(Path::new(""), |place| place.folder.as_path());
        clean(&folder.join(&path.value))
    }
}
