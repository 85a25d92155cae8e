//! Types as a graph: types refer to each other by number, so that they may be recursive.

use compact_str::{CompactString, format_compact};
use rustc_hash::FxHashMap;

/// Number of a type in a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShapeId(u32);

/// How many `$ref`s in a row are followed; a longer chain goes in a circle.
const LONGEST_CHAIN: usize = 16;

/// What is known of one type.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// Types of the fields that matter to a merge.
    pub(super) fields: FxHashMap<CompactString, ShapeId>,
    /// Type of all other fields.
    pub(super) other_fields: Option<ShapeId>,
    /// Type of the items of a list.
    pub(super) items: Option<ShapeId>,
    /// Merge keys, when it is a list that merges.
    pub(super) merge_keys: Option<Vec<CompactString>>,
    /// The type that this one stands for.
    pub(super) same_as: Option<ShapeId>,
}

/// All types of a schema.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    shapes: Vec<Shape>,
    /// Types of resources by `apiVersion kind`.
    resources: FxHashMap<CompactString, ShapeId>,
}

impl Graph {
    /// Adds a type.
    pub(super) fn add(&mut self, shape: Shape) -> ShapeId {
        self.shapes.push(shape);
        ShapeId(u32::try_from(self.shapes.len() - 1).unwrap_or(u32::MAX))
    }

    /// A type to be changed. Numbers come from [`Graph::add`] of the same graph only.
    pub(super) fn shape_mut(&mut self, id: ShapeId) -> &mut Shape {
        &mut self.shapes[id.0 as usize]
    }

    /// A type.
    pub(super) fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0 as usize]
    }

    /// The type that `id` stands for in the end; nothing when the references go in a circle.
    pub(super) fn resolve(&self, mut id: ShapeId) -> Option<ShapeId> {
        for _ in 0..LONGEST_CHAIN {
            match self.shape(id).same_as {
                Some(next) => id = next,
                None => return Some(id),
            }
        }
        None
    }

    /// Names the type of a resource: `apiVersion kind`.
    pub(super) fn name_resource(&mut self, name: CompactString, id: ShapeId) {
        self.resources.insert(name, id);
    }

    /// The type of a resource.
    pub(super) fn resource(&self, api_version: &str, kind: &str) -> Option<ShapeId> {
        let id = self.resources.get(&format_compact!("{api_version} {kind}"))?;
        self.resolve(*id)
    }
}
