//! `platforms/*.yaml`: layers of facts, which form a profile when they are joined by `+`.

use super::component::{Parameter, parameters};
use super::document::{Document, Named};
use crate::files::{LayerComponent, PlatformFile, Role, Support};
use kfc_diagnostics::Diagnostics;
use kfc_yaml::{Node, Spanned};

/// A layer of facts.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its name, that of its file.
    pub name: Spanned<String>,
    /// One line.
    pub description: String,
    /// Its role.
    pub role: Role,
    /// Layers that it builds on and may contradict.
    pub extends: Vec<Spanned<String>>,
    /// Declarations of facts, as JSON Schemas with defaults: only in the layer of defaults.
    pub declares: Vec<Parameter>,
    /// Declarations of parameters that all components see.
    pub parameters: Vec<Parameter>,
    /// Values of facts, a mapping.
    pub facts: Option<Node>,
    /// Which component provides a capability when there is a choice.
    pub prefers: Vec<(Spanned<String>, Spanned<String>)>,
    /// Components that a profile with this layer has.
    pub components: Vec<LayerComponent>,
    /// Components that are left out, though another layer has them.
    pub without: Vec<Spanned<String>>,
    /// Conditions on facts.
    pub supports: Vec<Support>,
}

pub(super) fn read(document: &Document, file: PlatformFile, errors: &mut Diagnostics) -> Layer {
    let (name, spec) = (file.metadata.name, file.spec);
    document.check_name(&name, &document.stem, &Named { object: "layer", file: "file" }, errors);
    Layer {
        name,
        description: spec.description,
        role: spec.role,
        extends: spec.extends,
        declares: parameters(spec.declares, errors),
        parameters: parameters(spec.parameters, errors),
        facts: spec.facts.map(|facts| facts.0),
        prefers: spec.prefers.0,
        components: spec.components,
        without: spec.without,
        supports: spec.supports,
    }
}
