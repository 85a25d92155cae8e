//! Custom resource definitions: the kinds that they define, and their schemas as shapes.

use super::format::Format;
use super::shape::{Identity, Kind, Limits, Others, Shape, ShapeId, Shapes};
use compact_str::CompactString;
use kfc_kube::Object;
use kfc_yaml::value::to_json;
use kfc_yaml::{Node, emit};
use regex::RegexBuilder;
use rustc_hash::{FxHashMap, FxHashSet};

/// The memory that a compiled pattern may use, in bytes.
const PATTERN_SIZE: usize = 1 << 20;
/// Levels of a schema that are read. Deeper values are not checked.
const DEEPEST: usize = 200;

/// The kinds that custom resource definitions define.
#[derive(Debug, Default)]
pub struct Definitions {
    /// The shapes of all schemas.
    pub shapes: Shapes,
    kinds: FxHashMap<(String, String), Definition>,
}

/// One version of a kind.
#[derive(Debug)]
pub struct Definition {
    /// Its schema; none when the version has none.
    pub shape: Option<ShapeId>,
    /// Whether an API server serves it.
    pub served: bool,
    /// Whether the kind is namespaced.
    pub namespaced: bool,
    /// Whether `status` is a resource of its own, so that it is dropped from a manifest.
    pub drops_status: bool,
    /// The warning that it is deprecated.
    pub deprecated: Option<String>,
    /// The whole schema, when it has rules.
    pub rules: Option<serde_json::Value>,
}

impl Definitions {
    /// Reads the definitions among some resources. Schemas are read for the kinds that are used: apiVersion and kind.
    #[must_use]
    pub fn of<'r>(resources: impl IntoIterator<Item = &'r Object>, used: &FxHashSet<(&str, &str)>) -> Self {
        let mut all = Self::default();
        for resource in resources.into_iter().filter(|resource| resource.kind() == "CustomResourceDefinition")
        {
            all.add(resource, used);
        }
        all
    }

    /// The definition of a kind.
    #[must_use]
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&Definition> {
        self.kinds.get(&(api_version.to_owned(), kind.to_owned()))
    }

    /// Every kind with its apiVersion, in any order.
    pub fn all_kinds(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.kinds.keys().map(|(api_version, kind)| (api_version.as_str(), kind.as_str()))
    }

    fn add(&mut self, resource: &Object, used: &FxHashSet<(&str, &str)>) {
        let text = |path: &[&str]| resource.node.at(path).and_then(Node::as_text);
        let (Some(group), Some(kind)) = (text(&["spec", "group"]), text(&["spec", "names", "kind"])) else {
            return;
        };
        let namespaced = text(&["spec", "scope"]) == Some("Namespaced");
        for version in resource.node.at(&["spec", "versions"]).and_then(Node::as_seq).into_iter().flatten() {
            let Some(name) = version.get("name").and_then(Node::as_text) else { continue };
            let api_version = format!("{group}/{name}");
            // The form of v1beta1 has one schema for all versions.
            let schema = version
                .at(&["schema", "openAPIV3Schema"])
                .or_else(|| resource.node.at(&["spec", "validation", "openAPIV3Schema"]))
                .filter(|_| used.contains(&(api_version.as_str(), kind)));
            let says = |field: &str| version.get(field).and_then(Node::as_text).is_some_and(emit::is_true);
            let warning = version.get("deprecationWarning").and_then(Node::as_text);
            let definition = Definition {
                shape: schema.map(|schema| self.top(schema)),
                served: says("served"),
                namespaced,
                drops_status: version.at(&["subresources", "status"]).is_some(),
                deprecated: says("deprecated").then(|| {
                    warning.map_or_else(|| format!("{api_version} {kind} is deprecated"), str::to_owned)
                }),
                rules: schema.filter(|schema| has_rules(schema, 0)).map(to_json),
            };
            self.kinds.insert((api_version, kind.to_owned()), definition);
        }
    }

    /// The shape of a whole custom resource.
    fn top(&mut self, schema: &Node) -> ShapeId {
        let mut reader = Reader { shapes: &mut self.shapes, depth: 0 };
        let id = reader.read(schema, false);
        reader.make_object(id);
        id
    }
}

/// The shape of a schema by itself.
pub(super) fn shape_of(schema: &Node) -> (Shapes, ShapeId) {
    let mut shapes = Shapes::default();
    let id = Reader { shapes: &mut shapes, depth: 0 }.read(schema, false);
    (shapes, id)
}

/// Whether a schema has rules anywhere.
fn has_rules(schema: &Node, depth: usize) -> bool {
    let Some(map) = schema.as_map().filter(|_| depth < DEEPEST) else {
        return schema.as_seq().is_some_and(|items| items.iter().any(|item| has_rules(item, depth + 1)));
    };
    map.contains("x-kubernetes-validations") || map.iter().any(|entry| has_rules(&entry.value, depth + 1))
}

struct Reader<'s> {
    shapes: &'s mut Shapes,
    depth: usize,
}

impl Reader<'_> {
    /// Reads a schema. One that is `joined` by `allOf` and the like only limits a value whose kind is in another schema.
    fn read(&mut self, schema: &Node, joined: bool) -> ShapeId {
        self.depth += 1;
        let id = if self.depth > DEEPEST {
            self.shapes.add(Shape { others: Others::Kept, nullable: true, ..Shape::default() })
        } else {
            let shape = self.shape(schema, joined);
            let embedded = shape.embedded;
            let id = self.shapes.add(shape);
            if embedded {
                self.make_object(id);
            }
            id
        };
        self.depth -= 1;
        id
    }

    fn shape(&mut self, schema: &Node, joined: bool) -> Shape {
        let text = |field: &str| schema.get(field).and_then(Node::as_text);
        let says = |field: &str| text(field).is_some_and(emit::is_true);
        let mut shape = Shape {
            kind: if says("x-kubernetes-int-or-string") { Kind::IntOrString } else { kind(text("type")) },
            nullable: says("nullable"),
            embedded: says("x-kubernetes-embedded-resource"),
            format: text("format").and_then(Format::named),
            default: schema.get("default").cloned(),
            values: list(schema, "enum").cloned().collect(),
            required: list(schema, "required").filter_map(Node::as_text).map(CompactString::new).collect(),
            ..Shape::default()
        };
        for property in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
            let id = self.read(&property.value, joined);
            shape.fields.insert(property.key.text.clone(), id);
        }
        let keeps = joined || says("x-kubernetes-preserve-unknown-fields") || shape.kind == Kind::Any;
        shape.others = match schema.get("additionalProperties") {
            Some(others) if others.as_map().is_some() => Others::Shaped(self.read(others, joined)),
            Some(allowed) if allowed.as_text().is_some_and(emit::is_true) => Others::Kept,
            _ if keeps => Others::Kept,
            _ => Others::Refused,
        };
        shape.items =
            schema.get("items").filter(|items| items.as_map().is_some()).map(|i| self.read(i, joined));
        shape.identity = match text("x-kubernetes-list-type") {
            Some("set") => Identity::Value,
            Some("map") => {
                let keys = list(schema, "x-kubernetes-list-map-keys").filter_map(Node::as_text);
                Identity::Keys(keys.map(CompactString::new).collect())
            }
            _ => Identity::None,
        };
        shape.limits = self.limits(schema);
        shape
    }

    fn limits(&mut self, schema: &Node) -> Option<Box<Limits>> {
        let mut is_limited = false;
        let mut number = |field: &str| {
            let found = schema.get(field).and_then(Node::as_text).and_then(emit::go_float);
            is_limited |= found.is_some();
            found
        };
        let mut limits = Limits {
            minimum: number("minimum"),
            maximum: number("maximum"),
            multiple_of: number("multipleOf"),
            ..Limits::default()
        };
        // A count below zero or beyond 2^53 limits nothing.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is not negative, and saturates"
        )]
        let mut count = |field: &str| number(field).filter(|count| *count >= 0.0).map(|count| count as u64);
        limits.length = (count("minLength"), count("maxLength"));
        limits.items = (count("minItems"), count("maxItems"));
        limits.properties = (count("minProperties"), count("maxProperties"));
        let text = |field: &str| schema.get(field).and_then(Node::as_text);
        let says = |field: &str| text(field).is_some_and(emit::is_true);
        limits.above_minimum = says("exclusiveMinimum");
        limits.below_maximum = says("exclusiveMaximum");
        limits.unique = says("uniqueItems");
        limits.pattern = text("pattern")
            .and_then(|pattern| RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build().ok());
        limits.all_of = list(schema, "allOf").map(|part| self.read(part, true)).collect();
        limits.any_of = list(schema, "anyOf").map(|part| self.read(part, true)).collect();
        limits.one_of = list(schema, "oneOf").map(|part| self.read(part, true)).collect();
        limits.not = schema.get("not").filter(|not| not.as_map().is_some()).map(|not| self.read(not, true));
        let is_joined = !(limits.all_of.is_empty() && limits.any_of.is_empty() && limits.one_of.is_empty());
        is_limited |= limits.unique || limits.pattern.is_some() || is_joined || limits.not.is_some();
        is_limited.then(|| Box::new(limits))
    }

    /// Gives a shape the fields that every Kubernetes object has.
    fn make_object(&mut self, id: ShapeId) {
        let text = self.shapes.add(Shape { kind: Kind::String, ..Shape::default() });
        // It is checked as the `metadata` of every object; a schema can only limit the name.
        let any = self.shapes.add(Shape { others: Others::Kept, ..Shape::default() });
        let shape = self.shapes.get_mut(id);
        shape.kind = Kind::Object;
        shape.embedded = true;
        for field in ["apiVersion", "kind"] {
            shape.fields.entry(CompactString::const_new(field)).or_insert(text);
            if !shape.required.iter().any(|required| required == field) {
                shape.required.push(CompactString::const_new(field));
            }
        }
        let metadata = *shape.fields.entry(CompactString::const_new("metadata")).or_insert(any);
        if metadata != any {
            let metadata = self.shapes.get_mut(metadata);
            metadata.others = Others::Kept;
        }
    }
}

fn kind(name: Option<&str>) -> Kind {
    match name {
        Some("object") => Kind::Object,
        Some("array") => Kind::Array,
        Some("string") => Kind::String,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        _ => Kind::Any,
    }
}

fn list<'n>(schema: &'n Node, field: &str) -> impl Iterator<Item = &'n Node> {
    schema.get(field).and_then(Node::as_seq).into_iter().flatten()
}
