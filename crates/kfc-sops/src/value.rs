//! What a file says, in any format.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// In the form of RFC 3339.
    Time(String),
    /// A text, of any bytes.
    Text(Vec<u8>),
    Seq(Vec<Item>),
    Map(Vec<Entry>),
}

/// An entry of a mapping, or a comment between entries.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Pair(String, Value),
    Comment(Comment),
}

/// An item of a sequence, or a comment between items.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Value(Value),
    Comment(Comment),
}

/// A comment without its mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) text: String,
    /// Whether it is on the line of the value that comes next.
    pub(crate) is_inline: bool,
}

impl Value {
    /// The value of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        get(entries, key)
    }

    /// The text, if this is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Time(text) => Some(text),
            _ => None,
        }
    }

    /// The values of a sequence.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Self> {
        let items = if let Self::Seq(items) = self { items.as_slice() } else { &[] };
        items.iter().filter_map(|item| match item {
            Item::Value(value) => Some(value),
            Item::Comment(_) => None,
        })
    }

    /// The form in which the MAC has it; none for what it does not cover.
    pub(crate) fn mac_text(&self) -> Option<String> {
        match self {
            Self::Bool(true) => Some("True".to_owned()),
            Self::Bool(false) => Some("False".to_owned()),
            Self::Int(value) => Some(value.to_string()),
            Self::Float(value) => Some(value.to_string()),
            Self::Time(text) => Some(text.clone()),
            Self::Null | Self::Text(_) | Self::Seq(_) | Self::Map(_) => None,
        }
    }
}

/// The value of a key.
pub(crate) fn get<'e>(entries: &'e [Entry], key: &str) -> Option<&'e Value> {
    entries.iter().find_map(|entry| match entry {
        Entry::Pair(name, value) if name == key => Some(value),
        _ => None,
    })
}
