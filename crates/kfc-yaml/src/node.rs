//! The tree that every stage works on.
//!
//! A tree owns its text (short scalars are stored inline), so it can be moved between threads and edited
//! independently of the source buffer. Every node and every key carries a [`Mark`], the place in the source it came from;
//! the mark stays with the node when a patch carries it into another tree.

use crate::{folded, style};
use compact_str::CompactString;
use kfc_diagnostics::Mark;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What a scalar is, as Go's YAML v3 library resolves it for Kubernetes (YAML 1.2 core schema with some of 1.1:
/// `yes`, `on` and `y` are strings; `0x1F`, `014`, `1_000` are integers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarKind {
    /// Quoted, a block scalar, or a plain word that is nothing else.
    Str,
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true`, `True`, `TRUE`, `false`, …
    Bool,
    /// Any integer notation, also beyond 64 bits.
    Int,
    /// Any float notation, `.inf` and `.nan` included.
    Float,
    /// An unquoted date or date and time.
    Timestamp,
    /// A scalar with the tag `!!binary`; the text is base64.
    Binary,
}

/// How the source writes a scalar, as far as it changes the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// Without quotes.
    #[default]
    Plain,
    /// Without quotes, but with a tag that says that it is a string: `!!str yes`.
    Tagged,
    /// Without quotes, with a text that a step of kustomize has set: the type is that of the text, and again when another text
    /// is set.
    Untagged,
    /// In quotes, or as a literal block.
    Quoted,
    /// As a folded block, which comes out of kustomize changed where lines are indented (see [`Scalar::folded_text`]).
    Folded,
}

/// A leaf. `text` is the value with quotes, escapes and folding undone; for numbers, booleans and timestamps it is the
/// spelling of the source (`0x1F`, `1.10`), which only the emitter normalises.
#[derive(Clone, Debug, Eq)]
pub struct Scalar {
    /// The value as text.
    pub text: CompactString,
    /// How the text is to be read.
    pub kind: ScalarKind,
    /// How the source has it. A strategic merge patch puts its scalars into the target's quotes, so that a number becomes
    /// a string. Does not count in comparisons.
    pub spelling: Spelling,
    /// The number of the shared scalar of its resource that it belongs to; 0 for none. Does not count in comparisons.
    pub shared: u32,
}

impl Scalar {
    /// A scalar without quotes.
    #[must_use]
    pub fn new(text: CompactString, kind: ScalarKind) -> Self {
        Self { text, kind, spelling: Spelling::Plain, shared: 0 }
    }

    /// Whether the source has it in quotes or as a block.
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        !matches!(self.spelling, Spelling::Plain | Spelling::Tagged | Spelling::Untagged)
    }

    /// What kustomize makes of the text when it writes it as a folded block and reads it; none where it stays as it is, and where
    /// it is not a folded block.
    #[must_use]
    pub fn folded_text(&self) -> Option<CompactString> {
        let is_folded = self.spelling == Spelling::Folded && self.kind == ScalarKind::Str;
        is_folded.then(|| folded::read_back(&self.text)).flatten()
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.kind == other.kind
    }
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A leaf, null included.
    Scalar(Scalar),
    /// A mapping.
    Map(Map),
    /// A sequence.
    Seq(Vec<Node>),
}

/// One node of a tree. Two nodes are equal when their values are; the mark does not count.
#[derive(Clone, Debug)]
pub struct Node {
    /// The content.
    pub value: Value,
    /// Where it came from.
    pub mark: Mark,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl Eq for Node {}

/// The key of a mapping entry. `kind` is [`ScalarKind::Str`] for all but odd keys such as `1:` or `true:`.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key as text.
    pub text: CompactString,
    /// How the key resolves.
    pub kind: ScalarKind,
    /// Whether the source has it in quotes.
    pub quoted: bool,
    /// Its location.
    pub mark: Mark,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The node of the key.
    pub value: Node,
}

/// A mapping in source order. Keys are unique: the parser refuses duplicates and [`Map::set`] replaces.
#[derive(Clone, Debug)]
pub struct Map {
    entries: Entries,
}

/// The entries of a mapping.
#[derive(Clone)]
enum Entries {
    Own(Vec<Entry>),
    /// Not read yet, and shared by all clones. Every change makes them the mapping's own.
    Deferred(Arc<Held>),
}

/// A large mapping in a form that is faster to write than a tree: most runs only copy it to their output.
pub trait Deferred: Send + Sync {
    /// The entries, of which there is at least one. Called once, when a step first reads the mapping.
    fn entries(&self) -> Vec<Entry>;

    /// The lines that the emitter writes for the entries, each with its line break and indented to [`Self::column`]: UTF-8.
    fn text(&self) -> &[u8];

    /// The column of the keys in [`Self::text`].
    fn column(&self) -> usize;
}

struct Held {
    form: Box<dyn Deferred>,
    entries: OnceLock<Vec<Entry>>,
}

impl Held {
    fn entries(&self) -> &Vec<Entry> {
        self.entries.get_or_init(|| self.form.entries())
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(entries) => entries.fmt(f),
            Self::Deferred(held) => String::from_utf8_lossy(held.form.text()).fmt(f),
        }
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

/// Mappings are equal when they have the same keys with equal values, in any order.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.is_same_text(other)
            || self.len() == other.len() && self.iter().all(|e| other.get(&e.key.text) == Some(&e.value))
    }
}
impl Eq for Map {}

impl Map {
    /// An empty mapping.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Entries::Own(Vec::new()) }
    }

    /// An empty mapping with room for `n` entries.
    #[must_use]
    pub fn with_capacity(n: usize) -> Self {
        Self { entries: Entries::Own(Vec::with_capacity(n)) }
    }

    /// A mapping that is read when a step needs its entries.
    #[must_use]
    pub fn deferred(form: impl Deferred + 'static) -> Self {
        Self { entries: Entries::Deferred(Arc::new(Held { form: Box::new(form), entries: OnceLock::new() })) }
    }

    /// The form of a deferred mapping that no step has changed.
    #[must_use]
    pub fn as_deferred(&self) -> Option<&dyn Deferred> {
        match &self.entries {
            Entries::Own(_) => None,
            Entries::Deferred(held) => Some(&*held.form),
        }
    }

    /// Whether both are deferred and have the same text, so that they are equal without being read.
    #[must_use]
    pub fn is_same_text(&self, other: &Self) -> bool {
        match (&self.entries, &other.entries) {
            (Entries::Deferred(one), Entries::Deferred(other)) => {
                Arc::ptr_eq(one, other)
                    || one.form.column() == other.form.column() && one.form.text() == other.form.text()
            }
            _ => false,
        }
    }

    fn own(&mut self) -> &mut Vec<Entry> {
        if let Entries::Deferred(held) = &self.entries {
            self.entries = Entries::Own(held.entries().clone());
        }
        match &mut self.entries {
            Entries::Own(entries) => entries,
            Entries::Deferred(_) => unreachable!("the entries became the mapping's own above"),
        }
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.entries, Entries::Own(entries) if entries.is_empty())
    }

    /// The entries in order, as a slice.
    #[must_use]
    pub fn as_slice(&self) -> &[Entry] {
        match &self.entries {
            Entries::Own(entries) => entries,
            Entries::Deferred(held) => held.entries(),
        }
    }

    /// The entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.as_slice().iter()
    }

    /// The entries in order, to be changed. Keys must stay unique.
    #[expect(
        clippy::iter_without_into_iter,
        reason = "`for` over a mutable map would hide that keys must stay unique"
    )]
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Entry> {
        self.own().iter_mut()
    }

    /// Position of the entry with this key.
    #[must_use]
    pub fn position(&self, key: &str) -> Option<usize> {
        self.iter().position(|e| e.key.text == key)
    }

    /// The entry with this key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.iter().find(|e| e.key.text == key)
    }

    /// The value with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The value with this key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.own().iter_mut().find(|e| e.key.text == key).map(|e| &mut e.value)
    }

    /// Whether there is an entry with this key.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Replaces the value of an existing key, or appends a new entry.
    pub fn set(&mut self, key: &str, value: Node) {
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.push(Entry { key: Key::new(key, value.mark), value }),
        }
    }

    /// Appends an entry without looking for its key; the caller knows that it is new.
    pub fn push(&mut self, entry: Entry) {
        self.own().push(entry);
    }

    /// Takes the entry with this key out; the order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.position(key).map(|i| self.own().remove(i).value)
    }

    /// Keeps the entries for which `keep` holds.
    pub fn retain(&mut self, keep: impl FnMut(&mut Entry) -> bool) {
        self.own().retain_mut(keep);
    }

    /// The value with this key; a new empty mapping at `mark` is put there when it is missing.
    pub fn get_or_insert_map(&mut self, key: &str, mark: impl Into<Option<Mark>>) -> &mut Node {
        let mark = Mark::stored(mark);
        let at = self.position(key).unwrap_or_else(|| {
            self.push(Entry { key: Key::new(key, mark), value: Node::map(Map::new(), mark) });
            self.len() - 1
        });
        &mut self.own()[at].value
    }
}

impl IntoIterator for Map {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;
    fn into_iter(mut self) -> Self::IntoIter {
        std::mem::take(self.own()).into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = &'a Entry;
    type IntoIter = std::slice::Iter<'a, Entry>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Entry> for Map {
    fn from_iter<T: IntoIterator<Item = Entry>>(iter: T) -> Self {
        Self { entries: Entries::Own(iter.into_iter().collect()) }
    }
}

impl Key {
    /// A string key.
    #[must_use]
    pub fn new(text: &str, mark: impl Into<Option<Mark>>) -> Self {
        Self {
            text: CompactString::new(text),
            kind: ScalarKind::Str,
            quoted: false,
            mark: Mark::stored(mark),
        }
    }
}

impl Node {
    /// A string, even if the text looks like a number: `Node::string("123")` is emitted as `"123"`.
    #[must_use]
    pub fn string(text: &str, mark: impl Into<Option<Mark>>) -> Self {
        let mut scalar = Scalar::new(CompactString::new(text), ScalarKind::Str);
        if !text.is_empty() && !style::is_written_plain(text) {
            scalar.spelling = Spelling::Quoted;
        }
        Self { value: Value::Scalar(scalar), mark: Mark::stored(mark) }
    }

    /// A string that the source has in quotes or as a literal block.
    #[must_use]
    pub fn quoted(text: CompactString, mark: impl Into<Option<Mark>>) -> Self {
        Self::spelt(text, Spelling::Quoted, mark)
    }

    /// A string in a known spelling.
    #[must_use]
    pub fn spelt(text: CompactString, spelling: Spelling, mark: impl Into<Option<Mark>>) -> Self {
        Self {
            value: Value::Scalar(Scalar { text, kind: ScalarKind::Str, spelling, shared: 0 }),
            mark: Mark::stored(mark),
        }
    }

    /// A scalar of a known kind.
    #[must_use]
    pub fn scalar(text: CompactString, kind: ScalarKind, mark: impl Into<Option<Mark>>) -> Self {
        Self { value: Value::Scalar(Scalar::new(text, kind)), mark: Mark::stored(mark) }
    }

    /// A null.
    #[must_use]
    pub fn null(mark: impl Into<Option<Mark>>) -> Self {
        Self::scalar(CompactString::const_new("null"), ScalarKind::Null, mark)
    }

    /// A mapping.
    #[must_use]
    pub fn map(map: Map, mark: impl Into<Option<Mark>>) -> Self {
        Self { value: Value::Map(map), mark: Mark::stored(mark) }
    }

    /// A sequence.
    #[must_use]
    pub fn seq(items: Vec<Node>, mark: impl Into<Option<Mark>>) -> Self {
        Self { value: Value::Seq(items), mark: Mark::stored(mark) }
    }

    /// The mapping, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The mapping to be changed, if it is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The items, if it is a sequence.
    #[must_use]
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(s) => Some(s),
            _ => None,
        }
    }

    /// The items to be changed, if it is a sequence.
    pub fn as_seq_mut(&mut self) -> Option<&mut Vec<Node>> {
        match &mut self.value {
            Value::Seq(s) => Some(s),
            _ => None,
        }
    }

    /// The scalar, if it is one (null is one).
    #[must_use]
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(s) => Some(s),
            _ => None,
        }
    }

    /// The text of a scalar that is not null.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.as_scalar().filter(|s| s.kind != ScalarKind::Null).map(|s| s.text.as_str())
    }

    /// The text of a scalar that is a string; numbers and booleans are none.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_scalar().filter(|s| s.kind == ScalarKind::Str).map(|s| s.text.as_str())
    }

    /// Whether it is a null scalar.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(|s| s.kind == ScalarKind::Null)
    }

    /// The child with this key, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// The child with this key to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_map_mut()?.get_mut(key)
    }

    /// The node below this one along mapping keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Makes a string of it, as Go does when it reads a map of strings: a scalar keeps its spelling, null too; a mapping
    /// or sequence becomes an empty text.
    pub fn make_text(&mut self) {
        match &mut self.value {
            Value::Scalar(scalar) => scalar.kind = ScalarKind::Str,
            Value::Map(_) | Value::Seq(_) => *self = Self::string("", self.mark),
        }
    }

    /// Makes a new string of it, which is not written as a folded block any more.
    pub fn make_new_text(&mut self) {
        self.make_text();
        if let Value::Scalar(scalar) = &mut self.value
            && scalar.spelling == Spelling::Folded
        {
            scalar.spelling = Spelling::Quoted;
        }
    }

    /// What the node is, for messages: "a mapping", "a string", …
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match &self.value {
            Value::Map(_) => "a mapping",
            Value::Seq(_) => "a sequence",
            Value::Scalar(s) => match s.kind {
                ScalarKind::Str => "a string",
                ScalarKind::Null => "null",
                ScalarKind::Bool => "a boolean",
                ScalarKind::Int => "an integer",
                ScalarKind::Float => "a float",
                ScalarKind::Timestamp => "a timestamp",
                ScalarKind::Binary => "binary data",
            },
        }
    }
}
