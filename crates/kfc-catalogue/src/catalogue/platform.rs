//! `platforms/*.yaml`: layers of facts, which form a profile when they are joined by `+`.

use super::component::{Parameter, Support, parameters, supports};
use super::document::{Document, name_of};
use kfc_diagnostics::{Code, Diagnostic};
use kfc_yaml::Node;
use kfc_yaml::fields::{Errors, Fields, Spanned};

/// The role of a layer; a profile has at most one layer of each role, and exactly one platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Where the cluster runs: `gke`, `onprem`.
    Platform,
    /// The accelerators: `gpu`, `tpu`, `cpu`.
    Accelerator,
    /// The processors: `amd64`, `arm64`.
    Architecture,
    /// Which services of the platform are used.
    Services,
    /// Something that other layers extend, or the defaults; not for profiles.
    Abstract,
}

impl Role {
    const ALL: [(&'static str, Role); 5] = [
        ("platform", Role::Platform),
        ("accelerator", Role::Accelerator),
        ("architecture", Role::Architecture),
        ("services", Role::Services),
        ("abstract", Role::Abstract),
    ];

    /// Its word in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }
}

/// A component of a layer.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: Spanned,
    /// Only when this is true.
    pub when: Option<Spanned>,
}

/// A layer of facts.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its name, that of its file.
    pub name: Spanned,
    /// One line.
    pub description: String,
    /// Its role.
    pub role: Role,
    /// Layers that it builds on and may contradict.
    pub extends: Vec<Spanned>,
    /// Declarations of facts, as JSON Schemas with defaults: only in the layer of defaults.
    pub declares: Vec<Parameter>,
    /// Declarations of parameters that all components see.
    pub parameters: Vec<Parameter>,
    /// Values of facts, a mapping.
    pub facts: Option<Node>,
    /// Which component provides a capability when there is a choice.
    pub prefers: Vec<(String, Spanned)>,
    /// Components that a profile with this layer has.
    pub components: Vec<Entry>,
    /// Components that are left out, though another layer has them.
    pub without: Vec<Spanned>,
    /// Conditions on facts.
    pub supports: Vec<Support>,
}

pub(super) fn read(document: &Document, errors: &Errors) -> Option<Layer> {
    let (top, spec) = document.open("Platform", errors)?;
    let name = name_of(&top, errors);
    top.finish();
    if !name.text.is_empty() && name.text != document.stem {
        let message =
            format!("the name of the layer is `{}`, but its file is `{}`", name.text, document.stem);
        errors.push(
            Diagnostic::error(Code::BadValue, message).at(name.mark).help("use the same name for both"),
        );
    }
    let Some(spec) = spec else {
        let error = Diagnostic::error(Code::MissingField, "a platform layer needs `spec`");
        errors.push(error.at(document.node.mark));
        return None;
    };
    let layer = Layer {
        name,
        description: spec.string("description"),
        role: role(&spec, errors),
        extends: spec.strings("extends"),
        declares: parameters(&spec, "declares", errors),
        parameters: parameters(&spec, "parameters", errors),
        facts: facts(&spec, errors),
        prefers: prefers(&spec, errors),
        components: spec.list("components", |item| entry(item, errors)),
        without: spec.strings("without"),
        supports: supports(&spec, errors),
    };
    spec.finish();
    Some(layer)
}

fn role(spec: &Fields<'_>, errors: &Errors) -> Role {
    let word = spec.required("role");
    let found = Role::ALL.iter().find(|(name, _)| *name == word.text);
    if found.is_none() && !word.text.is_empty() {
        let names: Vec<&str> = Role::ALL.iter().map(|(name, _)| *name).collect();
        let error = Diagnostic::error(Code::BadValue, format!("`{}` is not a role of a layer", word.text));
        errors.push(error.at(word.mark).help(format!("expected one of {}", names.join(", "))));
    }
    found.map_or(Role::Abstract, |(_, role)| *role)
}

fn facts(spec: &Fields<'_>, errors: &Errors) -> Option<Node> {
    let node = spec.node("facts")?;
    if node.as_map().is_none() {
        errors.push(Diagnostic::error(Code::WrongType, "`facts` must be a mapping").at(node.mark));
        return None;
    }
    Some(node.clone())
}

pub(super) fn prefers(spec: &Fields<'_>, errors: &Errors) -> Vec<(String, Spanned)> {
    let Some(node) = spec.node("prefers") else { return Vec::new() };
    let Some(map) = node.as_map() else {
        let message = "`prefers` must be a mapping from capabilities to components";
        errors.push(Diagnostic::error(Code::WrongType, message).at(node.mark));
        return Vec::new();
    };
    let pair = |entry: &kfc_yaml::Entry| {
        let text = entry.value.as_str().map(str::to_owned);
        if text.is_none() {
            let message = format!("the provider of `{}` must be the name of a component", entry.key.text);
            errors.push(Diagnostic::error(Code::WrongType, message).at(entry.value.mark));
        }
        Some((entry.key.text.to_string(), Spanned { text: text?, mark: entry.value.mark }))
    };
    map.iter().filter_map(pair).collect()
}

fn entry(item: &Node, errors: &Errors) -> Option<Entry> {
    if let Some(name) = item.as_str() {
        return Some(Entry { name: Spanned { text: name.to_owned(), mark: item.mark }, when: None });
    }
    let fields = Fields::of(item, "a component of a layer", errors)?;
    let entry = Entry { name: fields.required("name"), when: fields.spanned("when") };
    fields.finish();
    Some(entry)
}
