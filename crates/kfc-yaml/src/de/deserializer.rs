//! How a value answers what serde asks for.

use super::access::{Content, Items, KeyedFields, NamedEntries, SpannedFields, Word};
use super::error::Error;
use super::reader::Reader;
use super::{one_or, spanned, text_or, tree};
use crate::{Map, Node, ScalarKind};
use serde_core::de::{Deserializer, Visitor};

/// What the name of an enum starts with when the keys of a mapping choose its variant: `#[serde(rename = "$keyed a source")]`.
const KEYED: &str = "$keyed ";

/// Numbers of these types are integers of a file.
macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.settled(visitor.visit_i64(self.integer()))
        }
    )*};
}

/// Requests for these types are met by another method.
macro_rules! forwarded {
    ($($method:ident => $to:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$to(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(node) = self.node() else { return self.settled(visitor.visit_unit()) };
        if node.as_map().is_some() {
            return self.deserialize_map(visitor);
        }
        match node.as_scalar().map(|scalar| scalar.kind) {
            None => self.deserialize_seq(visitor),
            Some(ScalarKind::Null) => self.settled(visitor.visit_unit()),
            Some(ScalarKind::Bool) => self.deserialize_bool(visitor),
            Some(ScalarKind::Int) => self.deserialize_i64(visitor),
            Some(ScalarKind::Float) => self.deserialize_f64(visitor),
            Some(ScalarKind::Str | ScalarKind::Timestamp | ScalarKind::Binary) => {
                self.deserialize_string(visitor)
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.settled(visitor.visit_bool(self.boolean()))
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.settled(visitor.visit_f64(self.number()))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.settled(visitor.visit_string(self.text()))
    }

    forwarded! {
        deserialize_char => deserialize_string
        deserialize_str => deserialize_string
        deserialize_bytes => deserialize_string
        deserialize_byte_buf => deserialize_string
        deserialize_identifier => deserialize_string
        deserialize_unit => deserialize_any
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node {
            Some(node) if !node.is_null() => visitor.visit_some(self),
            _ => visitor.visit_none(),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            tree::NAME => {
                let node = self.node().cloned();
                tree::hand_over(node.unwrap_or_else(|| Node::null(self.mark)), visitor)
            }
            tree::MAPPING => {
                let map = self.mapping(&self.name()).cloned().unwrap_or_default();
                tree::hand_over(Node::map(map, self.mark), visitor)
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.settled(visitor.visit_seq(Items::new(self, self.items())))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let entries = self.mapping(&self.name()).map_or(&[][..], Map::as_slice);
        self.settled(visitor.visit_map(NamedEntries::new(self, entries)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == spanned::NAME {
            return visitor.visit_map(SpannedFields::new(self));
        }
        let map = self.mapping(name);
        let shape = (name, fields);
        self.settled_as(visitor.visit_map(KeyedFields::new(self, shape, map)), shape)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == text_or::NAME {
            let is_text = self.node.is_none_or(|node| node.as_scalar().is_some());
            let form = text_or::FORMS[usize::from(!is_text)];
            return visitor.visit_enum(Content { word: Word(form), value: self });
        }
        if name == one_or::NAME {
            let is_list = self.node.is_some_and(|node| node.as_seq().is_some());
            let form = one_or::FORMS[usize::from(is_list)];
            return visitor.visit_enum(Content { word: Word(form), value: self });
        }
        let chosen = match name.strip_prefix(KEYED) {
            Some(name) => self.mapping(name).and_then(|map| self.key(name, variants, map)),
            None => self.word(name, variants),
        };
        let value = if chosen.is_some() { self } else { self.empty() };
        let word = Word(chosen.or(variants.first().copied()).unwrap_or_default());
        self.settled(visitor.visit_enum(Content { word, value }))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}
