//! Lists of one item that need no list.

use serde_core::de::{Deserialize, Deserializer, EnumAccess, VariantAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// The name by which a reader knows that a list may be left out.
pub(super) const NAME: &str = "$kfc::OneOr";
/// Its forms.
pub(super) const FORMS: &[&str] = &["one", "several"];

/// One value, or a list of such values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OneOr<T> {
    /// One.
    One(T),
    /// A list.
    Several(Vec<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum(NAME, FORMS, FormVisitor(PhantomData))
    }
}

struct FormVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FormVisitor<T> {
    type Value = OneOr<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or a list of such values")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
        let (form, content) = access.variant::<String>()?;
        if form == FORMS[0] {
            content.newtype_variant().map(OneOr::One)
        } else {
            content.newtype_variant().map(OneOr::Several)
        }
    }
}
