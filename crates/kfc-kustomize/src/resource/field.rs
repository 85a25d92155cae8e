//! A walk to single fields of a tree.

use crate::provenance::Log;
use kfc_diagnostics::{Mark, Result};
use kfc_yaml::{Map, Node, Value};

/// A field of a tree that is being edited; the tree itself at first.
#[derive(Debug)]
pub struct Field<'f> {
    node: &'f mut Node,
    log: Option<&'f mut Log>,
}

impl<'f> Field<'f> {
    pub(super) fn new(node: &'f mut Node, log: Option<&'f mut Log>) -> Self {
        Self { node, log }
    }

    /// The value.
    #[must_use]
    pub fn node(&self) -> &Node {
        self.node
    }

    /// The field of a mapping.
    pub fn get(&mut self, key: &str) -> Option<Field<'_>> {
        let node = self.node.get_mut(key)?;
        Some(Field { node, log: self.log.as_deref_mut() })
    }

    /// The field of a mapping. `blank` fills one that is null, and makes one that is missing if `create` allows it. To kustomize
    /// null is as good as missing on the way to a field: that it becomes `blank` does not count as a change.
    pub fn open(&mut self, key: &str, blank: Option<Node>, create: bool) -> Option<Field<'_>> {
        let map = self.node.as_map_mut()?;
        if !map.contains(key) {
            map.set(key, blank.filter(|_| create)?);
            let node = map.get_mut(key)?;
            if let Some(log) = &mut self.log {
                log.created(node);
            }
            return Some(Field { node, log: self.log.as_deref_mut() });
        }
        let node = map.get_mut(key)?;
        if let Some(mut blank) = blank.filter(|_| node.is_null()) {
            blank.mark = node.mark;
            *node = blank;
        }
        Some(Field { node, log: self.log.as_deref_mut() })
    }

    /// The field of a mapping that is a mapping itself, made at `mark` when it is missing or null.
    pub fn open_map(&mut self, key: &str, mark: Mark) -> Option<Field<'_>> {
        self.open(key, Some(Node::map(Map::new(), mark)), true)
    }

    /// Sets the field of a mapping.
    pub fn put(&mut self, key: &str, value: Node) {
        let Some(map) = self.node.as_map_mut() else { return };
        match (map.get_mut(key), &mut self.log) {
            (Some(node), Some(log)) => log.compare(std::mem::replace(node, value), node),
            (Some(node), None) => *node = value,
            (None, log) => {
                map.set(key, value);
                if let (Some(log), Some(node)) = (log, map.get_mut(key)) {
                    log.created(node);
                }
            }
        }
    }

    /// Visits the items of a list.
    ///
    /// # Errors
    /// The first of a visit.
    pub fn each_item(&mut self, mut visit: impl FnMut(&mut Field<'_>) -> Result<()>) -> Result<()> {
        let items = self.node.as_seq_mut().into_iter().flatten();
        for node in items {
            visit(&mut Field { node, log: self.log.as_deref_mut() })?;
        }
        Ok(())
    }

    /// Visits the fields of a mapping, with their names.
    ///
    /// # Errors
    /// The first of a visit.
    pub fn each_field(&mut self, mut visit: impl FnMut(&str, &mut Field<'_>) -> Result<()>) -> Result<()> {
        let Value::Map(map) = &mut self.node.value else { return Ok(()) };
        for entry in map.iter_mut() {
            let mut field = Field { node: &mut entry.value, log: self.log.as_deref_mut() };
            visit(&entry.key.text, &mut field)?;
        }
        Ok(())
    }

    /// Changes the value in any way.
    pub fn change<T>(&mut self, change: impl FnOnce(&mut Node) -> T) -> T {
        self.change_from(|node, _| change(node))
    }

    /// Changes the value, and says where parts of it come from.
    pub fn change_from<T>(&mut self, change: impl FnOnce(&mut Node, &mut Sourcing<'_>) -> T) -> T {
        let Some(log) = &mut self.log else { return change(self.node, &mut Sourcing(None)) };
        let before = self.node.clone();
        let result = change(self.node, &mut Sourcing(Some(&mut **log)));
        log.compare(before, self.node);
        result
    }
}

/// Marks for values that come from elsewhere.
#[derive(Debug)]
pub struct Sourcing<'l>(Option<&'l mut Log>);

impl Sourcing<'_> {
    /// The mark for a value that comes from `place`; its location in errors is that of `mark`.
    #[must_use]
    pub fn mark(&mut self, place: Option<Mark>, mark: Mark) -> Mark {
        match (&mut self.0, place) {
            (Some(log), Some(place)) => log.moved(place, mark),
            _ => mark,
        }
    }
}
