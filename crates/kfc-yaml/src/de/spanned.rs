//! Reads values with their location.

use crate::Spanned;
use kfc_diagnostics::{Mark, SourceId};
use serde_core::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// The name by which a reader knows that a location is wanted.
pub(super) const NAME: &str = "$kfc::Spanned";
/// Its fields.
pub(super) const FIELDS: &[&str] = &["$mark", "$value"];

/// A location as one number.
pub(super) fn pack(mark: Mark) -> u64 {
    (u64::from(mark.source.0) << 32) | u64::from(mark.offset)
}

fn unpack(number: u64) -> Mark {
    let part = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    Mark { source: SourceId(part(number >> 32)), offset: part(number) }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct(NAME, FIELDS, SpannedVisitor(PhantomData))
    }
}

struct SpannedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
    type Value = Spanned<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a tree")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mark: Option<(String, u64)> = map.next_entry()?;
        let value: Option<(String, T)> = map.next_entry()?;
        match (mark, value) {
            (Some((name, mark)), Some((_, value))) if name == FIELDS[0] => {
                Ok(Spanned::at(value, unpack(mark)))
            }
            _ => Err(A::Error::custom("only trees have locations")),
        }
    }
}
