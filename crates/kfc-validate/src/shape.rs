//! The shape that a value must have: one form for the types of Kubernetes and for the schemas of custom resources.

use super::format::Format;
use compact_str::CompactString;
use kfc_yaml::Node;
use regex::Regex;
use rustc_hash::FxHashMap;

/// Number of a shape in [`Shapes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShapeId(u32);

/// The kind of value that is expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Any value.
    #[default]
    Any,
    /// A mapping.
    Object,
    /// A list.
    Array,
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A whole number or a text.
    IntOrString,
    /// An amount such as `500m` or `2Gi`, written as text or number.
    Quantity,
}

/// What a mapping may have besides its named fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// Nothing: an unknown field is an error.
    #[default]
    Refused,
    /// Anything, without a check.
    Kept,
    /// Values of this shape.
    Shaped(ShapeId),
}

/// Which items of a list count as the same; two of those are an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// None.
    #[default]
    None,
    /// Equal ones.
    Value,
    /// Those with the same values of these keys.
    Keys(Vec<CompactString>),
}

/// One shape.
#[derive(Debug, Default)]
pub struct Shape {
    /// The name of the type, when it has one: `core.v1.Container`.
    pub name: CompactString,
    /// Kind of value.
    pub kind: Kind,
    /// Whether null is a value.
    pub nullable: bool,
    /// The named fields.
    pub fields: FxHashMap<CompactString, ShapeId>,
    /// Fields that must exist.
    pub required: Vec<CompactString>,
    /// Other fields.
    pub others: Others,
    /// The items of a list.
    pub items: Option<ShapeId>,
    /// Which items are the same.
    pub identity: Identity,
    /// The only values that are allowed; none: all.
    pub values: Vec<Node>,
    /// How a text or number is written.
    pub format: Option<Format>,
    /// The value that a missing or null field gets.
    pub default: Option<Node>,
    /// Whether the mapping is a whole Kubernetes object.
    pub embedded: bool,
    /// Shapes of which the one fits that takes this kind of value; none: this shape itself.
    pub choices: Vec<ShapeId>,
    /// Limits, which few shapes have.
    pub limits: Option<Box<Limits>>,
}

/// Limits of values.
#[derive(Debug, Default)]
pub struct Limits {
    /// Least number.
    pub minimum: Option<f64>,
    /// Whether the least number itself is excluded.
    pub above_minimum: bool,
    /// Greatest number.
    pub maximum: Option<f64>,
    /// Whether the greatest number itself is excluded.
    pub below_maximum: bool,
    /// A number that the value is a multiple of.
    pub multiple_of: Option<f64>,
    /// Least and greatest number of characters.
    pub length: (Option<u64>, Option<u64>),
    /// Least and greatest number of items.
    pub items: (Option<u64>, Option<u64>),
    /// Least and greatest number of fields.
    pub properties: (Option<u64>, Option<u64>),
    /// Whether no two items may be equal.
    pub unique: bool,
    /// What a text has to match anywhere.
    pub pattern: Option<Regex>,
    /// Shapes that all have to fit.
    pub all_of: Vec<ShapeId>,
    /// Shapes of which one at least has to fit.
    pub any_of: Vec<ShapeId>,
    /// Shapes of which exactly one has to fit.
    pub one_of: Vec<ShapeId>,
    /// A shape that must not fit.
    pub not: Option<ShapeId>,
}

/// Shapes that name each other by number.
#[derive(Debug, Default)]
pub struct Shapes {
    list: Vec<Shape>,
}

impl Shapes {
    /// Adds a shape.
    pub fn add(&mut self, shape: Shape) -> ShapeId {
        self.list.push(shape);
        ShapeId(u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX))
    }

    /// The shape with this number.
    #[must_use]
    pub fn get(&self, id: ShapeId) -> &Shape {
        &self.list[id.0 as usize]
    }

    /// The shape with this number, to be changed.
    pub fn get_mut(&mut self, id: ShapeId) -> &mut Shape {
        &mut self.list[id.0 as usize]
    }
}

impl Kind {
    /// What is expected, for messages.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Object => "a mapping",
            Self::Array => "a list",
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::IntOrString => "an integer or a string",
            Self::Quantity => "a quantity",
        }
    }
}

#[cfg(test)]
impl Shapes {
    pub(super) fn at(&self, index: usize) -> Option<&Shape> {
        self.list.get(index)
    }
}
