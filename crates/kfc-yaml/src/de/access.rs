//! The parts of a value, as serde asks for them.

use super::context::Shape;
use super::error::Error;
use super::reader::Reader;
use super::spanned;
use crate::{Entry, Map, Node};
use kfc_diagnostics::{Code, Diagnostic, Mark, nearest};
use serde_core::de::value::{StrDeserializer, U64Deserializer};
use serde_core::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_core::forward_to_deserialize_any;
use std::slice::Iter;

/// Reads a part as what `seed` wants; what its type refuses is noted for the next reading.
fn read_as<'de, S: DeserializeSeed<'de>>(part: Reader<'_>, seed: S) -> Result<S::Value, Error> {
    part.settled(seed.deserialize(part))
}

/// The items of a list.
pub(super) struct Items<'a> {
    reader: Reader<'a>,
    items: Iter<'a, Node>,
}

impl<'a> Items<'a> {
    pub(super) fn new(reader: Reader<'a>, items: &'a [Node]) -> Self {
        Self { reader, items: items.iter() }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let context = self.reader.context;
        let item = self.items.by_ref().find(|item| !context.is_left_out(item));
        item.map(|item| read_as(self.reader.of_item(item), seed)).transpose()
    }
}

/// The entries of a mapping whose keys are names.
pub(super) struct NamedEntries<'a> {
    reader: Reader<'a>,
    entries: Iter<'a, Entry>,
    value: Option<&'a Entry>,
}

impl<'a> NamedEntries<'a> {
    pub(super) fn new(reader: Reader<'a>, entries: &'a [Entry]) -> Self {
        Self { reader, entries: entries.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for NamedEntries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let context = self.reader.context;
        self.value = self.entries.by_ref().find(|entry| !context.is_left_out(&entry.value));
        self.value
            .map(|entry| seed.deserialize(Name { text: &entry.key.text, mark: entry.key.mark }))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = self.value.map_or(self.reader.empty(), |entry| self.reader.of_entry(entry));
        read_as(value, seed)
    }
}

/// A key.
struct Name<'a> {
    text: &'a str,
    mark: Mark,
}

impl<'de> Deserializer<'de> for Name<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name != spanned::NAME {
            return self.deserialize_any(visitor);
        }
        let parts = [Part::Mark(self.mark), Part::Text(self.text)];
        visitor.visit_map(SpannedName { parts: parts.into_iter(), value: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

enum Part<'a> {
    Mark(Mark),
    Text(&'a str),
}

/// A key as a [`crate::Spanned`].
struct SpannedName<'a> {
    parts: std::array::IntoIter<Part<'a>, 2>,
    value: Option<Part<'a>>,
}

impl<'de> MapAccess<'de> for SpannedName<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.value = self.parts.next();
        let name = match self.value {
            Some(Part::Mark(_)) => spanned::FIELDS[0],
            Some(Part::Text(_)) => spanned::FIELDS[1],
            None => return Ok(None),
        };
        seed.deserialize(Word(name).into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(Part::Mark(mark)) => seed.deserialize(number(mark)),
            Some(Part::Text(text)) => seed.deserialize(StrDeserializer::new(text)),
            None => seed.deserialize(StrDeserializer::new("")),
        }
    }
}

fn number(mark: Mark) -> U64Deserializer<Error> {
    spanned::pack(mark).into_deserializer()
}

/// The fields of [`crate::Spanned`]: the location, then the value itself.
pub(super) struct SpannedFields<'a> {
    reader: Reader<'a>,
    at: usize,
}

impl<'a> SpannedFields<'a> {
    pub(super) fn new(reader: Reader<'a>) -> Self {
        Self { reader, at: 0 }
    }
}

impl<'de> MapAccess<'de> for SpannedFields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let name = spanned::FIELDS.get(self.at);
        self.at += 1;
        name.map(|name| seed.deserialize(Word(name).into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.at {
            1 => seed.deserialize(number(self.reader.mark)),
            _ => read_as(self.reader, seed),
        }
    }
}

/// The fields of a struct: those of the mapping, then empty ones for those that are missing.
pub(super) struct KeyedFields<'a> {
    reader: Reader<'a>,
    shape: Shape,
    /// None when there is no mapping, which is reported already.
    map: Option<&'a Map>,
    entries: Iter<'a, Entry>,
    missing: Option<std::vec::IntoIter<&'static str>>,
    value: Reader<'a>,
}

impl<'a> KeyedFields<'a> {
    pub(super) fn new(reader: Reader<'a>, shape: Shape, map: Option<&'a Map>) -> Self {
        let entries = map.map_or(&[][..], Map::as_slice).iter();
        Self { reader, shape, map, entries, missing: None, value: reader.empty() }
    }

    /// Where a missing field would be.
    fn mark(&self) -> Mark {
        self.map.and_then(|map| map.iter().next()).map_or(self.reader.mark, |entry| entry.key.mark)
    }

    /// The fields that must be there and are not. Reports them, and the unknown ones.
    fn missing(&self) -> Vec<&'static str> {
        let has =
            |field: &str| self.map.is_some_and(|map| map.get(field).is_some_and(|value| !value.is_null()));
        let missing = self.reader.context.required(self.shape).into_iter();
        let missing: Vec<&'static str> = missing.filter(|field| !has(field)).collect();
        if let Some(map) = self.map {
            for field in &missing {
                let named = map.entry(field).map_or(self.mark(), |entry| entry.key.mark);
                let message = format!("{} needs `{field}`", self.shape.0);
                self.reader.context.push(Diagnostic::error(Code::MissingField, message).at(named));
            }
            let unknown = map.iter().filter(|entry| !self.shape.1.contains(&entry.key.text.as_str()));
            unknown.for_each(|entry| self.reader.context.push(self.unknown(entry)));
        }
        missing
    }

    fn unknown(&self, entry: &Entry) -> Diagnostic {
        let name = entry.key.text.as_str();
        let message = format!("unknown field `{name}` in {}", self.shape.0);
        let error = Diagnostic::error(Code::UnknownField, message).at(entry.key.mark);
        if let Some(near) = nearest(name, self.shape.1.iter().copied()) {
            return error.help(format!("did you mean `{near}`?"));
        }
        let listed: Vec<String> = self.shape.1.iter().map(|name| format!("`{name}`")).collect();
        error.help(format!("it may have {}", listed.join(", ")))
    }
}

impl<'de> MapAccess<'de> for KeyedFields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        for entry in self.entries.by_ref() {
            // Null counts as absent.
            let known = self.shape.1.iter().find(|field| **field == entry.key.text && !entry.value.is_null());
            if let Some(field) = known
                && !self.reader.context.is_left_out(&entry.value)
            {
                self.value = self.reader.of_entry(entry);
                return seed.deserialize(Word(field).into_deserializer()).map(Some);
            }
        }
        let missing = match self.missing.take() {
            Some(missing) => missing,
            None => self.missing().into_iter(),
        };
        let missing = self.missing.insert(missing);
        self.value = self.reader.empty();
        missing.next().map(|field| seed.deserialize(Word(field).into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        read_as(self.value, seed)
    }
}

/// The name of a field or of a variant.
pub(super) struct Word(pub(super) &'static str);

impl IntoDeserializer<'_, Error> for Word {
    type Deserializer = StrDeserializer<'static, Error>;
    fn into_deserializer(self) -> Self::Deserializer {
        StrDeserializer::new(self.0)
    }
}

/// A variant with the value that it was chosen for.
pub(super) struct Content<'a> {
    pub(super) word: Word,
    pub(super) value: Reader<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Content<'a> {
    type Error = Error;
    type Variant = Variant<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Variant<'a>), Error> {
        Ok((seed.deserialize(self.word.into_deserializer())?, Variant(self.value)))
    }
}

/// What a variant holds: nothing, or the value that it was chosen for.
pub(super) struct Variant<'a>(Reader<'a>);

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        read_as(self.0, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_struct("this", fields, visitor)
    }
}
