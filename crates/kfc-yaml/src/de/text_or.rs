//! Values with a short form.

use crate::Spanned;
use serde_core::de::{Deserialize, Deserializer, EnumAccess, VariantAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// The name by which a reader knows that a short form is possible.
pub(super) const NAME: &str = "$kfc::TextOr";
/// Its forms.
pub(super) const FORMS: &[&str] = &["text", "whole"];

/// A text that stands for a whole value, or the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextOr<T> {
    /// The short form.
    Text(Spanned<String>),
    /// The value.
    Whole(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum(NAME, FORMS, FormVisitor(PhantomData))
    }
}

struct FormVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FormVisitor<T> {
    type Value = TextOr<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a value")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Self::Value, A::Error> {
        let (form, content) = access.variant::<String>()?;
        if form == FORMS[0] {
            content.newtype_variant().map(TextOr::Text)
        } else {
            content.newtype_variant().map(TextOr::Whole)
        }
    }
}
