//! The words of the notation, and what each is in a schema.

/// A type that stands for several entries of a schema.
pub(super) struct Sugar {
    pub(super) word: &'static str,
    pub(super) kind: &'static str,
    pub(super) format: Option<&'static str>,
}

const fn sugar(word: &'static str, kind: &'static str, format: Option<&'static str>) -> Sugar {
    Sugar { word, kind, format }
}

/// Types, and types with a format.
pub(super) const TYPES: [Sugar; 13] = [
    sugar("object", "object", None),
    sugar("string", "string", None),
    sugar("integer", "integer", None),
    sugar("number", "number", None),
    sugar("boolean", "boolean", None),
    sugar("array", "array", None),
    sugar("int32", "integer", Some("int32")),
    sugar("int64", "integer", Some("int64")),
    sugar("float", "number", Some("float")),
    sugar("double", "number", Some("double")),
    sugar("date-time", "string", Some("date-time")),
    sugar("byte", "string", Some("byte")),
    sugar("any", "", None),
];

/// An integer or a string, as ports and quantities are.
pub(super) const INT_OR_STRING: &str = "int-or-string";
/// As [`INT_OR_STRING`], with [`QUANTITY_PATTERN`].
pub(super) const QUANTITY: &str = "quantity";
/// The pattern that schemas of quantities have.
pub(super) const QUANTITY_PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// What follows `=`, if anything does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing: the word alone says that it is true.
    Nothing,
    /// One value.
    Value,
    /// Values with `|` between them.
    Values,
    /// The type of a list: `set`, `atomic`, `map(key,…)`.
    ListType,
}

/// An attribute: its word, the field of a schema that it is, and what it takes.
pub(super) struct Attribute {
    pub(super) word: &'static str,
    pub(super) field: &'static str,
    pub(super) takes: Takes,
}

const fn attribute(word: &'static str, field: &'static str, takes: Takes) -> Attribute {
    Attribute { word, field, takes }
}

/// Everything that can follow a type, in the order in which it is written.
pub(super) const ATTRIBUTES: [Attribute; 24] = [
    attribute("nullable", "nullable", Takes::Nothing),
    attribute("open", "x-kubernetes-preserve-unknown-fields", Takes::Nothing),
    attribute("embedded", "x-kubernetes-embedded-resource", Takes::Nothing),
    attribute("loose", "x-kubernetes-int-or-string", Takes::Nothing),
    attribute("unique", "uniqueItems", Takes::Nothing),
    attribute("format", "format", Takes::Value),
    attribute("enum", "enum", Takes::Values),
    attribute("minimum", "minimum", Takes::Value),
    attribute("maximum", "maximum", Takes::Value),
    attribute("exclusiveMinimum", "exclusiveMinimum", Takes::Nothing),
    attribute("exclusiveMaximum", "exclusiveMaximum", Takes::Nothing),
    attribute("multipleOf", "multipleOf", Takes::Value),
    attribute("minLength", "minLength", Takes::Value),
    attribute("maxLength", "maxLength", Takes::Value),
    attribute("minItems", "minItems", Takes::Value),
    attribute("maxItems", "maxItems", Takes::Value),
    attribute("minProperties", "minProperties", Takes::Value),
    attribute("maxProperties", "maxProperties", Takes::Value),
    attribute("pattern", "pattern", Takes::Value),
    attribute("list", "x-kubernetes-list-type", Takes::ListType),
    attribute("map", "x-kubernetes-map-type", Takes::Value),
    attribute("required", "required", Takes::Values),
    attribute("others", "additionalProperties", Takes::Value),
    attribute("default", "default", Takes::Value),
];

/// The keys of a list whose type is `map`.
pub(super) const MAP_KEYS: &str = "x-kubernetes-list-map-keys";
/// The rules of a schema.
pub(super) const RULES: &str = "x-kubernetes-validations";
/// The schemas that one value is checked against.
pub(super) const JUNCTORS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The fields of a rule beside its expression, in the order in which they are written.
pub(super) const RULE_FIELDS: [&str; 5] =
    ["message", "messageExpression", "reason", "fieldPath", "optionalOldSelf"];
