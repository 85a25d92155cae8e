//! How much a tree holds. Steps that copy trees keep below a limit: a few copies of copies would fill any memory.

use super::node::{Node, Value};

/// Levels of nesting that are read. Far more than any manifest has, and few enough for every recursion over a tree.
pub const DEEPEST: usize = 500;

/// As many values may a resource have after something was copied into it. The API server takes 3 MB of JSON.
const MOST_VALUES: usize = 200_000;
/// As many bytes of text.
const MOST_BYTES: usize = 16 << 20;
/// A tree below this is never looked at: it takes as many steps as there are values to make something large of it.
const SMALL: usize = 1000;

/// What a tree holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Scalars, sequences and mappings.
    pub values: usize,
    /// Bytes of scalars and keys.
    pub bytes: usize,
    /// Levels: 1 for a scalar.
    pub depth: usize,
}

impl Size {
    /// The size of a tree.
    pub fn of(node: &Node) -> Self {
        let below = |sizes: &mut dyn Iterator<Item = Self>| {
            sizes.fold(Self { values: 1, bytes: 0, depth: 0 }, |sum, size| Self {
                values: sum.values + size.values,
                bytes: sum.bytes + size.bytes,
                depth: sum.depth.max(size.depth),
            })
        };
        let sum = match &node.value {
            Value::Scalar(scalar) => Self { values: 1, bytes: scalar.text.len(), depth: 0 },
            Value::Seq(items) => below(&mut items.iter().map(Self::of)),
            Value::Map(map) => below(&mut map.iter().map(|entry| {
                let size = Self::of(&entry.value);
                Self { bytes: size.bytes + entry.key.text.len(), ..size }
            })),
        };
        Self { depth: sum.depth + 1, ..sum }
    }

    /// Whether one tree alone cannot make another one large.
    #[must_use]
    pub fn is_small(self) -> bool {
        self.values <= SMALL && self.bytes <= SMALL * 64
    }

    /// Whether a resource may be as large as this and `more` together.
    #[must_use]
    pub fn fits_with(self, more: Self) -> bool {
        self.values.saturating_add(more.values) <= MOST_VALUES
            && self.bytes.saturating_add(more.bytes) <= MOST_BYTES
    }
}

/// What is said when something grows beyond the limit.
pub const TOO_LARGE: &str = "the resource would have more than 200,000 values, or more than 16 MiB of text";

#[cfg(test)]
mod tests {
    use super::Size;
    use crate::parse::parse;
    use kfc_diagnostics::SourceId;

    #[test]
    fn sizes_count_values_bytes_and_levels() {
        let node = &parse("a: [1, 22]\nbb: {c: x}\n", SourceId::NONE).unwrap()[0];
        assert_eq!(Size::of(node), Size { values: 6, bytes: 8, depth: 3 });
    }
}
