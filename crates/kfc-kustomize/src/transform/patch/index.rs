//! Finds resources by name without looking at each.

use crate::resource::Resource;
use compact_str::CompactString;
use rustc_hash::FxHashMap;

/// With so few patches the list is searched through for each.
const TOO_FEW: usize = 3;

/// Positions of resources by every name that they have or had.
pub(super) struct Index {
    by_name: Option<FxHashMap<CompactString, Vec<usize>>>,
}

impl Index {
    /// An index that is to serve this many searches.
    pub(super) fn new(list: &[Resource], searches: usize) -> Self {
        if searches <= TOO_FEW {
            return Self { by_name: None };
        }
        let mut by_name = FxHashMap::default();
        by_name.reserve(list.len());
        let mut index = Self { by_name: Some(by_name) };
        for (at, resource) in list.iter().enumerate() {
            for name in names(resource) {
                index.add(name, at);
            }
        }
        index
    }

    /// Notes a name that a resource has now.
    pub(super) fn add(&mut self, name: &str, at: usize) {
        let Some(by_name) = &mut self.by_name else { return };
        let positions = by_name.entry(CompactString::new(name)).or_default();
        if let Err(place) = positions.binary_search(&at) {
            positions.insert(place, at);
        }
    }

    /// Positions of the resources that have or had a name, in the order of the list.
    pub(super) fn positions(&self, list: &[Resource], name: &str) -> Vec<usize> {
        match &self.by_name {
            Some(by_name) => by_name.get(name).cloned().unwrap_or_default(),
            None => (0..list.len()).filter(|&at| names(&list[at]).any(|n| n == name)).collect(),
        }
    }
}

fn names(resource: &Resource) -> impl Iterator<Item = &str> {
    resource.previous.iter().map(|previous| previous.name.as_str()).chain([resource.name()])
}
