//! Which lists have items with keys: those of the built-in types, and those for which the CRDs of the bundles declare
//! `x-kubernetes-list-map-keys`.

use kfc_kube::schema::{Schema, TypeRef};
use kfc_kube::{GroupVersion, Object};
use kfc_yaml::Node;
use std::collections::HashMap;

/// The types of both bundles.
pub(super) struct Types<'a> {
    schema: &'a Schema,
    custom: HashMap<(&'a str, &'a str, &'a str), &'a Node>,
}

/// What is known about a field.
#[derive(Clone, Copy)]
pub(super) enum Type<'a> {
    /// A built-in type.
    Builtin(TypeRef<'a>),
    /// A part of a custom resource's schema.
    Custom(&'a Node),
    /// Nothing.
    Unknown,
}

/// What distinguishes the items of a list.
pub(super) enum ItemKey<'a> {
    /// These fields.
    Fields(Vec<&'a str>),
    /// Their content.
    Content,
    /// Not known: their names, when they have some.
    Unknown,
}

impl<'a> Types<'a> {
    /// The built-in types and those of the CRDs among objects; later CRDs win.
    pub(super) fn of(schema: &'a Schema, objects: impl Iterator<Item = &'a Object>) -> Self {
        let mut custom = HashMap::new();
        for definition in objects.filter(|object| object.kind() == "CustomResourceDefinition") {
            let text = |path: &[&str]| definition.node.at(path).and_then(Node::as_text).unwrap_or_default();
            let (group, kind) = (text(&["spec", "group"]), text(&["spec", "names", "kind"]));
            let versions =
                definition.node.at(&["spec", "versions"]).and_then(Node::as_seq).unwrap_or_default();
            for version in versions {
                let name = version.get("name").and_then(Node::as_text).unwrap_or_default();
                if let Some(schema) = version.at(&["schema", "openAPIV3Schema"]) {
                    custom.insert((group, name, kind), schema);
                }
            }
        }
        Self { schema, custom }
    }

    /// The type of a resource.
    pub(super) fn resource(&self, node: &Node) -> Type<'_> {
        let text = |field: &str| node.get(field).and_then(Node::as_text).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if let Some(found) = self.schema.lookup(api_version, kind) {
            return Type::Builtin(found);
        }
        let GroupVersion { group, version } = GroupVersion::parse(api_version);
        let custom: &HashMap<(&str, &str, &str), &Node> = &self.custom;
        custom.get(&(group, version, kind)).map_or(Type::Unknown, |schema| Type::Custom(schema))
    }
}

impl<'a> Type<'a> {
    /// The type of a field.
    pub(super) fn field(self, name: &str) -> Self {
        match self {
            Self::Builtin(of) => of.field(name).map_or(Self::Unknown, Self::Builtin),
            Self::Custom(schema) => {
                let named = schema.get("properties").and_then(|properties| properties.get(name));
                let any = schema.get("additionalProperties").filter(|any| any.as_map().is_some());
                named.or(any).map_or(Self::Unknown, Self::Custom)
            }
            Self::Unknown => Self::Unknown,
        }
    }

    /// The type of a list's items.
    pub(super) fn item(self) -> Self {
        match self {
            Self::Builtin(of) => of.element().map_or(Self::Unknown, Self::Builtin),
            Self::Custom(schema) => schema.get("items").map_or(Self::Unknown, Self::Custom),
            Self::Unknown => Self::Unknown,
        }
    }

    /// What distinguishes the items of a list of this type.
    pub(super) fn item_key(self) -> ItemKey<'a> {
        match self {
            Self::Builtin(of) => match of.merge_keys() {
                Some([]) => ItemKey::Content,
                Some(keys) => ItemKey::Fields(keys.iter().map(AsRef::as_ref).collect()),
                None => ItemKey::Unknown,
            },
            Self::Custom(schema) => {
                let keys = schema.get("x-kubernetes-list-map-keys").and_then(Node::as_seq);
                match keys.map(|keys| keys.iter().filter_map(Node::as_text).collect::<Vec<_>>()) {
                    Some(keys) if !keys.is_empty() => ItemKey::Fields(keys),
                    _ => ItemKey::Unknown,
                }
            }
            Self::Unknown => ItemKey::Unknown,
        }
    }
}
