//! `kfc.yaml`: the user's own file.

use super::document::{Document, Place, read_one};
use crate::files::{SecretWay, StackText, UserName, UserProfile};
use kfc_diagnostics::{Diagnostics, Result};
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::ReadyRule;
use kfc_source::Loader;
use kfc_yaml::de::Mapping;
use kfc_yaml::{Map, Node, Spanned};

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
    /// Kustomize components, applied last.
    pub overlays: Vec<Spanned<String>>,
    /// Fields of objects that are left to others.
    pub ignore: Vec<IgnoreRule>,
    /// When objects are ready, instead of what their kind says.
    pub ready: Vec<ReadyRule>,
    /// Which component provides a capability.
    pub prefers: Vec<(Spanned<String>, Spanned<String>)>,
    /// Further catalogues, relative to the file's directory.
    pub catalogues: Vec<Spanned<String>>,
    /// Whether the built-in catalogue is below them.
    pub builtin: bool,
    /// The directory of the file; none for a profile that was named on the command line.
    pub place: Option<Place>,
}

/// A stack's file: its directory and name.
#[derive(Clone, Debug)]
pub struct StackFile {
    /// The directory.
    pub place: Place,
    /// The file in it.
    pub name: String,
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
            overlays: Vec::new(),
            ignore: Vec::new(),
            ready: Vec::new(),
            prefers: Vec::new(),
            catalogues: Vec::new(),
            builtin: true,
            place: None,
        }
    }

    /// The same stack with these components instead of its own, as `--components` asks for them.
    #[must_use]
    pub fn with_components<S: AsRef<str>>(self, names: impl IntoIterator<Item = S>) -> Self {
        let spanned = |name: S| Spanned::nowhere(name.as_ref().trim().to_owned());
        Self { components: Some(names.into_iter().map(spanned).collect()), ..self }
    }

    /// Reads a stack's file.
    ///
    /// # Errors
    /// All errors of the file.
    pub fn load(loader: &Loader, file: &StackFile) -> Result<Self> {
        read_one(loader, &file.place, &file.name, read)
    }
}

fn read(document: &Document, file: StackText, errors: &mut Diagnostics) -> Stack {
    let (name, spec) = (file.metadata.name, file.spec);
    document.check_not_empty(&name, errors);
    let mapping = |given: Option<Mapping>| {
        given.map_or_else(|| Node::map(Map::new(), document.node.mark), |mapping| mapping.0)
    };
    Stack {
        name: name.value,
        platform: spec.platform,
        release: spec.release,
        components: spec.components,
        present: spec.present,
        without: spec.without,
        facts: mapping(spec.facts),
        observed: mapping(None),
        parameters: mapping(spec.parameters),
        secrets: spec.secrets.0,
        profiles: spec.profiles,
        groups: spec.groups.0,
        overlays: spec.overlays,
        prefers: spec.prefers.0,
        catalogues: spec.catalogues,
        builtin: spec.builtin,
        ignore: spec.ignore.into_iter().map(|entry| entry.0).collect(),
        ready: spec.ready.into_iter().map(|entry| entry.0).collect(),
        place: Some(document.place.clone()),
    }
}
