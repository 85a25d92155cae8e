//! Writes new parts of a file: block style, keys in the order given, scalars as kustomize writes them.

use kfc_diagnostics::Result;
use kfc_yaml::{Entry, Map, Node, Value, emit};

/// Columns that a level of mappings adds.
const INDENT: usize = 2;

/// How a file is laid out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    /// Columns between a key and the dashes of the list below it.
    pub(super) list_indent: usize,
}

impl Style {
    /// The lines of an entry of a mapping whose keys are in `column`; the last one ends with a line break.
    ///
    /// # Errors
    /// Values that cannot be written.
    pub(super) fn entry(self, entry: &Entry, column: usize) -> Result<String> {
        let below = match &entry.value.value {
            Value::Map(map) if !map.is_empty() => self.map(map, column + INDENT)?,
            Value::Seq(items) if !items.is_empty() => self.seq(items, column + self.list_indent)?,
            _ => return scalar(&Node::map(Map::from_iter([entry.clone()]), None), column),
        };
        // A key alone is written as it would be with a value.
        let key = Entry { key: entry.key.clone(), value: Node::null(None) };
        let line = scalar(&Node::map(Map::from_iter([key]), None), column)?;
        let line = line.strip_suffix(" null\n").unwrap_or(&line).to_owned();
        Ok(format!("{line}\n{below}"))
    }

    /// The lines of an item of a list whose dashes are in `column`.
    ///
    /// # Errors
    /// Values that cannot be written.
    pub(super) fn item(self, item: &Node, column: usize) -> Result<String> {
        let lines = match &item.value {
            Value::Map(map) if !map.is_empty() => self.map(map, column + INDENT)?,
            Value::Seq(items) if !items.is_empty() => self.seq(items, column + INDENT)?,
            _ => return scalar(&Node::seq(vec![item.clone()], None), column),
        };
        let text = lines.trim_start_matches(' ');
        Ok(format!("{}- {text}", " ".repeat(column)))
    }

    /// The lines of a mapping.
    ///
    /// # Errors
    /// Values that cannot be written.
    pub(super) fn map(self, map: &Map, column: usize) -> Result<String> {
        map.iter().map(|entry| self.entry(entry, column)).collect()
    }

    fn seq(self, items: &[Node], column: usize) -> Result<String> {
        items.iter().map(|item| self.item(item, column)).collect()
    }
}

/// What the emitter writes of a node, moved to a column.
fn scalar(node: &Node, column: usize) -> Result<String> {
    let mut bytes = Vec::new();
    emit::emit(node, &mut bytes)?;
    let pad = " ".repeat(column);
    let text = String::from_utf8_lossy(&bytes);
    let indented = |line: &str| match line.trim_end_matches('\n') {
        "" => line.to_owned(),
        _ => format!("{pad}{line}"),
    };
    Ok(text.split_inclusive('\n').map(indented).collect())
}
