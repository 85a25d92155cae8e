//! The types of all known Kubernetes versions, from the table `schemas/kubernetes.txt`, which `schemas/build.py` writes.
//! Its head explains the form of a line.

use super::format::Format;
use super::shape::{Identity, Kind, Others, Shape, ShapeId, Shapes};
use super::version::{Span, Version};
use compact_str::CompactString;
use kfc_yaml::Node;
use rustc_hash::FxHashMap;
use std::sync::{LazyLock, OnceLock};

/// The table, which build.rs packs, unpacked at the first use. An error in it would leave nothing, which every test of types
/// would notice.
static TABLE: LazyLock<String> = LazyLock::new(|| {
    let packed = include_bytes!(concat!(env!("OUT_DIR"), "/kubernetes.lz4"));
    let text = lz4_flex::decompress_size_prepended(packed).unwrap_or_default();
    String::from_utf8(text).unwrap_or_default()
});

/// The kinds of one Kubernetes version.
#[derive(Debug)]
pub struct Table {
    /// The shapes of all types.
    pub shapes: Shapes,
    /// The version.
    pub version: Version,
    kinds: FxHashMap<(&'static str, &'static str), ShapeId>,
}

/// One line about a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindLine {
    /// `apps/v1`.
    pub api_version: &'static str,
    /// `Deployment`.
    pub kind: &'static str,
    /// The name of its type.
    type_name: &'static str,
    /// The versions that have it.
    pub span: Span,
}

/// The versions that the table covers.
#[must_use]
pub fn covered() -> Span {
    let mut words = TABLE.lines().next().unwrap_or_default().split(' ').skip(1);
    let mut next = || Version(words.next().and_then(|word| word.parse().ok()).unwrap_or(0));
    Span { first: next(), last: next() }
}

/// Every kind of every version.
pub fn kinds() -> impl Iterator<Item = KindLine> {
    static KINDS: LazyLock<Vec<KindLine>> = LazyLock::new(|| {
        let all = covered();
        let lines = TABLE.lines().filter_map(|line| {
            let mut words = line.strip_prefix("= ")?.split(' ');
            let (api_version, kind, type_name) = (words.next()?, words.next()?, words.next()?);
            Some(KindLine { api_version, kind, type_name, span: span(words.next(), all) })
        });
        lines.collect()
    });
    KINDS.iter().copied()
}

/// The versions in which a type has a field; for messages about fields that the version at hand does not have.
#[must_use]
pub fn field_spans(type_name: &str, field: &str) -> Vec<Span> {
    let all = covered();
    let mut is_inside = false;
    let mut found = Vec::new();
    for line in TABLE.lines() {
        let Some(field_line) = line.strip_prefix(' ') else {
            is_inside = line.split(' ').next() == Some(type_name);
            continue;
        };
        if is_inside {
            let line = FieldLine::parse(field_line, all);
            found.extend(line.filter(|line| line.name == field).map(|line| line.span));
        }
    }
    found
}

/// Reads `28-31`, `-31` or `28-`.
fn span(word: Option<&str>, all: Span) -> Span {
    let Some((first, last)) = word.and_then(|word| word.split_once('-')) else { return all };
    let read = |text: &str, otherwise| text.parse().map_or(otherwise, Version);
    Span { first: read(first, all.first), last: read(last, all.last) }
}

struct FieldLine {
    name: &'static str,
    required: bool,
    type_text: &'static str,
    values: Option<&'static str>,
    span: Span,
}

impl FieldLine {
    fn parse(line: &'static str, all: Span) -> Option<Self> {
        let mut words = line.split(' ');
        let name = words.next()?;
        let type_text = words.next()?;
        let (mut values, mut versions) = (None, None);
        for word in words {
            match word.strip_prefix('=') {
                Some(list) => values = Some(list),
                None => versions = Some(word),
            }
        }
        let bare = name.strip_suffix('!');
        let (name, required) = (bare.unwrap_or(name), bare.is_some());
        Some(Self { name, required, type_text, values, span: span(versions, all) })
    }
}

/// The types of one version, which are read once.
pub(super) fn shared(version: Version) -> &'static Table {
    static TABLES: [OnceLock<Table>; 32] = [const { OnceLock::new() }; 32];
    let all = covered();
    let version = version.clamp(all.first, all.last);
    let index = (version.0 - all.first.0) as usize % TABLES.len();
    TABLES[index].get_or_init(|| Table::of(version))
}

impl Table {
    /// Reads the types of one version; of the nearest one that the table covers.
    #[must_use]
    pub fn of(version: Version) -> Self {
        let all = covered();
        let version = version.clamp(all.first, all.last);
        let mut reader = Reader { shapes: Shapes::default(), named: FxHashMap::default() };
        let mut current = None;
        for line in TABLE.lines().skip(1).filter(|line| !line.starts_with('=')) {
            match (line.strip_prefix(' '), current) {
                (None, _) => {
                    let (name, versions) = line.split_once(' ').map_or((line, None), |(n, v)| (n, Some(v)));
                    current = span(versions, all).contains(version).then(|| reader.named(name));
                }
                (Some(text), Some(id)) => {
                    if let Some(field) = FieldLine::parse(text, all).filter(|f| f.span.contains(version)) {
                        reader.field(id, &field);
                    }
                }
                (Some(_), None) => {}
            }
        }
        let there = kinds().filter(|line| line.span.contains(version));
        let kinds = there.map(|line| ((line.api_version, line.kind), reader.named(line.type_name))).collect();
        Self { shapes: reader.shapes, version, kinds }
    }

    /// The shape of a kind.
    #[must_use]
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<ShapeId> {
        self.kinds.get(&(api_version, kind)).copied()
    }

    /// Every kind with its apiVersion, in any order.
    pub fn all_kinds(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        self.kinds.keys().copied()
    }

    /// The shape of `metadata`.
    #[must_use]
    pub fn metadata(&self) -> Option<ShapeId> {
        let config_map = self.shapes.get(self.kind("v1", "ConfigMap")?);
        config_map.fields.get("metadata").copied()
    }
}

struct Reader {
    shapes: Shapes,
    named: FxHashMap<&'static str, ShapeId>,
}

impl Reader {
    fn named(&mut self, name: &'static str) -> ShapeId {
        let shapes = &mut self.shapes;
        *self.named.entry(name).or_insert_with(|| {
            shapes.add(Shape {
                name: CompactString::const_new(name),
                kind: Kind::Object,
                nullable: true,
                ..Shape::default()
            })
        })
    }

    fn field(&mut self, owner: ShapeId, field: &FieldLine) {
        let id = self.type_of(field.type_text);
        if let Some(values) = field.values {
            let text = |text: &str| Node::string(&text.replace('~', " "), None);
            let of = self.shapes.get(id).items.unwrap_or(id);
            self.shapes.get_mut(of).values = values.split(',').map(text).collect();
        }
        let owner = self.shapes.get_mut(owner);
        let name = CompactString::const_new(field.name);
        if field.required {
            owner.required.push(name.clone());
        }
        owner.fields.insert(name, id);
    }

    fn type_of(&mut self, text: &'static str) -> ShapeId {
        if let Some((list, identity)) = text.strip_prefix('[').and_then(|rest| rest.rsplit_once(']'))
            && !text.contains('|')
        {
            let items = Some(self.type_of(list));
            let identity = match identity.strip_prefix("map:") {
                Some(keys) => Identity::Keys(keys.split(',').map(CompactString::const_new).collect()),
                None if identity == "set" => Identity::Value,
                None => Identity::None,
            };
            return self.add(Shape { items, identity, ..Shape::default() }, Kind::Array);
        }
        if let Some(values) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let others = Others::Shaped(self.type_of(values));
            return self.add(Shape { others, ..Shape::default() }, Kind::Object);
        }
        if text.contains('|') {
            let choices = text.split('|').map(|choice| self.type_of(choice)).collect();
            return self.add(Shape { choices, ..Shape::default() }, Kind::Any);
        }
        self.plain(text)
    }

    fn plain(&mut self, text: &'static str) -> ShapeId {
        let (kind, format) = match text {
            "any" => (Kind::Any, None),
            "object" => {
                return self.add(Shape { others: Others::Kept, ..Shape::default() }, Kind::Object);
            }
            "string" => (Kind::String, None),
            "bytes" => (Kind::String, Some(Format::Byte)),
            "time" => (Kind::String, Some(Format::DateTime)),
            "integer" => (Kind::Integer, None),
            "int32" => (Kind::Integer, Some(Format::Int32)),
            "int64" => (Kind::Integer, Some(Format::Int64)),
            "number" => (Kind::Number, None),
            "boolean" => (Kind::Boolean, None),
            "quantity" => (Kind::Quantity, None),
            "intOrString" => (Kind::IntOrString, None),
            name => return self.named(name),
        };
        self.add(Shape { format, ..Shape::default() }, kind)
    }

    fn add(&mut self, shape: Shape, kind: Kind) -> ShapeId {
        self.shapes.add(Shape { kind, nullable: true, ..shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ_in_fields_and_kinds() {
        let (old, new) = (Table::of(Version(28)), Table::of(Version(34)));
        let has = |table: &Table, field: &str| {
            let pod = table.shapes.get(table.kind("v1", "Pod").unwrap());
            table.shapes.get(pod.fields["spec"]).fields.contains_key(field)
        };
        assert!(has(&old, "containers") && has(&new, "containers"));
        assert!(!has(&old, "hostnameOverride") && has(&new, "hostnameOverride"));
        assert!(old.kind("resource.k8s.io/v1", "ResourceClaim").is_none());
        assert!(new.kind("resource.k8s.io/v1", "ResourceClaim").is_some());
    }

    #[test]
    fn every_line_of_the_table_is_understood() {
        let all = covered();
        for minor in all.first.0..=all.last.0 {
            let table = Table::of(Version(minor));
            assert!(table.all_kinds().count() > 60);
            for shape in &table.shapes_for_test().iter().filter(|s| !s.name.is_empty()).collect::<Vec<_>>() {
                assert!(shape.name.contains('.'), "{} is not a type", shape.name);
            }
        }
    }

    #[test]
    fn fields_know_their_versions() {
        let found = field_spans("core.v1.PodSpec", "hostnameOverride");
        assert_eq!(found, [Span { first: Version(34), last: covered().last }]);
        assert!(field_spans("core.v1.PodSpec", "unheard").is_empty());
    }

    impl Table {
        pub(crate) fn named(&self, name: &str) -> Option<&Shape> {
            (0..).map_while(|at| self.shapes.at(at)).find(|shape| shape.name == name)
        }

        fn shapes_for_test(&self) -> Vec<&Shape> {
            (0..).map_while(|at| self.shapes.at(at)).collect()
        }
    }
}
