//! `kfc.yaml`: the user's own file.

use super::document::{Document, Place, name_of, read_one};
use super::ignore;
use kfc_diagnostics::{Code, Diagnostic, Mark, Result};
use kfc_kube::ignore::IgnoreRule;
use kfc_source::Loader;
use kfc_yaml::fields::{Errors, Fields, Spanned};
use kfc_yaml::{Map, Node};

/// What a user asks for.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The profile: layers joined by `+`.
    pub platform: Spanned,
    /// Components that the user names; those of the platform without the field.
    pub components: Option<Vec<Spanned>>,
    /// Components that are already in the cluster.
    pub present: Vec<Spanned>,
    /// Components that are left out, though the platform has them.
    pub without: Vec<Spanned>,
    /// Values of facts that replace those of layers; a mapping.
    pub facts: Node,
    /// Facts of the cluster, for those that neither the stack nor a layer sets; a mapping.
    pub observed: Node,
    /// Values of parameters: global ones by name, those of a component below its name.
    pub parameters: Node,
    /// Kustomize components, applied last.
    pub overlays: Vec<Spanned>,
    /// Fields of objects that are left to others.
    pub ignore: Vec<IgnoreRule>,
    /// Which component provides a capability.
    pub prefers: Vec<(String, Spanned)>,
    /// Further catalogues, relative to the file's directory.
    pub catalogues: Vec<Spanned>,
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
        let empty = || Node::map(Map::new(), Mark::NONE);
        Self {
            name: profile.to_owned(),
            platform: Spanned { text: profile.to_owned(), mark: Mark::NONE },
            components: None,
            present: Vec::new(),
            without: Vec::new(),
            facts: empty(),
            observed: empty(),
            parameters: empty(),
            overlays: Vec::new(),
            ignore: Vec::new(),
            prefers: Vec::new(),
            catalogues: Vec::new(),
            builtin: true,
            place: None,
        }
    }

    /// The same stack with these components instead of its own, as `--components` asks for them.
    #[must_use]
    pub fn with_components<S: AsRef<str>>(self, names: impl IntoIterator<Item = S>) -> Self {
        let spanned = |name: S| Spanned { text: name.as_ref().trim().to_owned(), mark: Mark::NONE };
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

fn read(document: &Document, errors: &Errors) -> Option<Stack> {
    let (top, spec) = document.open("Stack", errors)?;
    let name = name_of(&top, errors);
    top.finish();
    let Some(spec) = spec else {
        errors.push(Diagnostic::error(Code::MissingField, "a stack needs `spec`").at(document.node.mark));
        return None;
    };
    let stack = Stack {
        name: name.text,
        platform: spec.required("platform"),
        components: spec.node("components").is_some().then(|| spec.strings("components")),
        present: spec.strings("present"),
        without: spec.strings("without"),
        facts: mapping(&spec, "facts", errors),
        observed: Node::map(Map::new(), Mark::NONE),
        parameters: mapping(&spec, "parameters", errors),
        overlays: spec.strings("overlays"),
        ignore: spec.list("ignore", |item| ignore::read(item, errors)),
        prefers: super::platform::prefers(&spec, errors),
        catalogues: spec.strings("catalogues"),
        builtin: spec.node("builtin").is_none() || spec.boolean("builtin"),
        place: Some(document.place.clone()),
    };
    spec.finish();
    Some(stack)
}

fn mapping(spec: &Fields<'_>, name: &'static str, errors: &Errors) -> Node {
    let empty = || Node::map(Map::new(), Mark::NONE);
    let Some(node) = spec.node(name) else { return empty() };
    if node.as_map().is_none() {
        let message = format!("`{name}` must be a mapping, but this is {}", node.describe());
        errors.push(Diagnostic::error(Code::WrongType, message).at(node.mark));
        return empty();
    }
    node.clone()
}
