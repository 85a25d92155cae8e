//! `set`: the values of parameters and facts in resources.

use kfc_yaml::{Node, Spanned};
use serde::Deserialize;

/// Puts the value of an expression at a path of the resources that it selects.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Setter"))]
#[serde(rename = "a setter", deny_unknown_fields)]
pub struct Setter {
    /// The resources.
    pub select: Select,
    /// The field whose text, YAML or JSON, `path` leads into; the resource itself when not given.
    pub inside: Option<Spanned<String>>,
    /// Whether it may select nothing.
    #[serde(default)]
    pub optional: bool,
    /// A field path as in replacements: dots, `[name=x]` for items of a list, `*` for all of them.
    pub path: Spanned<String>,
    /// An expression: without it, or when it is true, the value is set.
    pub when: Option<Spanned<String>>,
    /// The value: an expression in `{{ }}`, text with such expressions, or any YAML.
    #[serde(rename = "value")]
    pub new_value: Node,
}

/// Which resources a setter selects. Each field narrows it; a resource of any value is selected by one that is not given.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Select"))]
#[serde(rename = "`select`", deny_unknown_fields)]
pub struct Select {
    /// The component that the resources are of. Setters of a component select only its own resources.
    pub component: Option<Spanned<String>>,
    /// The API group; an empty one is that of core Kubernetes.
    pub group: Option<String>,
    /// The API version.
    pub version: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// A field path: only resources that have the field are selected.
    pub has: Option<Spanned<String>>,
}
