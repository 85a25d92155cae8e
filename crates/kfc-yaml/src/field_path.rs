//! Field paths: one grammar, printed and read. `spec.containers[name=web].image`, `spec.ports[port=80,protocol=TCP]`, `args[0]`,
//! `metadata.labels['app.kubernetes.io/name']`. A path that begins with a slash is a JSON pointer.

use std::fmt;

/// One step of a path as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenStep {
    /// A key, or an index of a list when it is a number.
    Word(String),
    /// A key in quotes.
    Key(String),
    /// `[0]`.
    Index(usize),
    /// `[name=web]`: the item with these values; an empty key stands for the item itself.
    Item(Vec<(String, String)>),
    /// `[web]`: the item with this value under the key that identifies items.
    Named(String),
}

/// Reads a path: dots between keys, brackets for items of lists, `['a.b/c']` for any key; `\.` is a dot in a key.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub fn read(text: &str) -> Result<Vec<WrittenStep>, String> {
    if let Some(pointer) = text.strip_prefix('/') {
        let word = |part: &str| WrittenStep::Word(part.replace("~1", "/").replace("~0", "~"));
        return Ok(pointer.split('/').map(word).collect());
    }
    Reader { rest: text.strip_prefix('.').unwrap_or(text) }.steps()
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn steps(mut self) -> Result<Vec<WrittenStep>, String> {
        let mut steps = Vec::new();
        while !self.rest.is_empty() {
            let step = match self.rest.strip_prefix('[') {
                Some(rest) => {
                    self.rest = rest;
                    self.bracket()?
                }
                None => self.word()?,
            };
            steps.push(step);
            match self.rest.strip_prefix('.') {
                Some("") => return Err("it ends in a dot".to_owned()),
                // kustomize writes `containers.[name=web]`.
                Some(rest) => self.rest = rest,
                None if self.rest.is_empty() || self.rest.starts_with('[') => {}
                None => return Err("expected a dot after `]`".to_owned()),
            }
        }
        Ok(steps)
    }

    fn word(&mut self) -> Result<WrittenStep, String> {
        let mut word = String::new();
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if matches!(chars.peek(), Some((_, '.' | '[' | '\\'))) => {
                    word.extend(chars.next().map(|(_, c)| c));
                }
                '.' | '[' => {
                    end = at;
                    break;
                }
                c => word.push(c),
            }
        }
        if word.is_empty() {
            return Err("one of its parts is empty".to_owned());
        }
        self.rest = &self.rest[end..];
        Ok(WrittenStep::Word(word))
    }

    fn bracket(&mut self) -> Result<WrittenStep, String> {
        if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let inside = &self.rest[1..];
            let end = inside.find(quote).ok_or("a quote is not closed")?;
            let after = inside[end + 1..].strip_prefix(']');
            self.rest = after.ok_or("expected `]` after the quote")?;
            return Ok(WrittenStep::Key(inside[..end].to_owned()));
        }
        let (inside, after) = self.rest.split_once(']').ok_or("a bracket is not closed")?;
        self.rest = after;
        if let Some(pairs) = pairs(inside) {
            return Ok(WrittenStep::Item(pairs));
        }
        match inside.parse() {
            Ok(index) => Ok(WrittenStep::Index(index)),
            Err(_) if inside.is_empty() => Err("a bracket is empty".to_owned()),
            Err(_) => Ok(WrittenStep::Named(inside.to_owned())),
        }
    }
}

/// `name=web`, or `port=80,protocol=TCP`. A comma belongs to the value when no `=` follows.
fn pairs(inside: &str) -> Option<Vec<(String, String)>> {
    let pair = |text: &str| {
        let (key, value) = text.split_once('=')?;
        Some((key.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
    };
    let several: Option<Vec<_>> = inside.split(',').map(pair).collect();
    several.or_else(|| Some(vec![pair(inside)?]))
}

/// A key as a path has it: `.image`, `['a.b/c']`; the first one without a dot.
#[derive(Clone, Copy, Debug)]
pub struct KeyStep<'k> {
    /// The key.
    pub key: &'k str,
    /// Whether the path begins with it.
    pub is_first: bool,
}

impl fmt::Display for KeyStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, is_first } = *self;
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '$');
        match !key.is_empty() && key.chars().all(is_plain) {
            true if is_first => f.write_str(key),
            true => write!(f, ".{key}"),
            false if key.contains('\'') => write!(f, "[\"{key}\"]"),
            false => write!(f, "['{key}']"),
        }
    }
}

/// An item of a list by what identifies it: `[name=web]`, `[port=80,protocol=TCP]`.
#[derive(Clone, Copy, Debug)]
pub struct ItemStep<'p, K, V>(pub &'p [(K, V)]);

impl<K: fmt::Display, V: fmt::Display> fmt::Display for ItemStep<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (at, (key, value)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{key}={value}")?;
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::{ItemStep, KeyStep, WrittenStep, read};
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Key(String),
        Index(usize),
        Item(Vec<(String, String)>),
    }

    fn step() -> impl Strategy<Value = Step> {
        let pair = ("[a-zA-Z]{1,8}", "[a-zA-Z0-9./:-]{1,12}");
        prop_oneof![
            "[a-zA-Z0-9_$-]{1,10}".prop_map(Step::Key),
            "[ -~&&[^'\"]]{0,12}".prop_map(Step::Key),
            (0..50_usize).prop_map(Step::Index),
            prop::collection::vec(pair, 1..3).prop_map(Step::Item),
        ]
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(steps in prop::collection::vec(step(), 1..6)) {
            let mut text = String::new();
            for (at, step) in steps.iter().enumerate() {
                match step {
                    Step::Key(key) => text.push_str(&KeyStep { key, is_first: at == 0 }.to_string()),
                    Step::Index(index) => text.push_str(&["[", &index.to_string(), "]"].concat()),
                    Step::Item(pairs) => text.push_str(&ItemStep(pairs).to_string()),
                }
            }
            let found = read(&text).unwrap();
            prop_assert_eq!(found.len(), steps.len(), "{}", text);
            for (found, step) in found.into_iter().zip(steps) {
                match (found, step) {
                    (WrittenStep::Word(found) | WrittenStep::Key(found), Step::Key(key)) => prop_assert_eq!(found, key),
                    (WrittenStep::Index(found), Step::Index(index)) => prop_assert_eq!(found, index),
                    (WrittenStep::Item(found), Step::Item(pairs)) => prop_assert_eq!(found, pairs),
                    (found, step) => prop_assert!(false, "{:?} {:?}", found, step),
                }
            }
        }
    }

    #[test]
    fn other_spellings_are_read() {
        let item = |key: &str, value: &str| WrittenStep::Item(vec![(key.to_owned(), value.to_owned())]);
        let word = |text: &str| WrittenStep::Word(text.to_owned());
        assert_eq!(read("a.[name=b].c"), Ok(vec![word("a"), item("name", "b"), word("c")]));
        assert_eq!(read("a[b]"), Ok(vec![word("a"), WrittenStep::Named("b".to_owned())]));
        assert_eq!(read("a[=x,y]"), Ok(vec![word("a"), item("", "x,y")]));
        assert_eq!(read("/a/b~1c"), Ok(vec![word("a"), word("b/c")]));
        for text in ["a.", "a..b", "a[]", "a['b", "a['b'x", "a[b", "a[0]b"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
