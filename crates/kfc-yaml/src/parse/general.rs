//! Reads a document with a complete YAML parser: anchors, aliases, merge keys, tags, flow collections over several lines.

use super::scalar::resolve_plain;
use crate::node::{Entry, Key, Map, Node, Scalar, ScalarKind, Spelling, Value};
use crate::size::{DEEPEST, Size};
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, Severity, SourceId};
use rustc_hash::{FxHashMap, FxHashSet};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

/// Nodes that aliases may expand to in one text.
const MOST_ALIASED: usize = 1_000_000;
/// Bytes of text that they may expand to.
const MOST_ALIASED_BYTES: usize = 64 << 20;

/// Entries of a mapping from which on duplicate keys are looked for with a hash set.
const MANY: usize = 16;

/// What a duplicate key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duplicates {
    /// An error.
    Refused,
    /// The last one counts, with a warning.
    LastWins,
    /// All of them are kept.
    Kept,
}

/// How many documents of a text are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Documents {
    All,
    /// Only the first one.
    First,
}

/// Parses documents of `text`, which starts at byte `base` of the source. Returns them with warnings.
pub(super) fn parse(
    text: &str,
    base: usize,
    source: SourceId,
    duplicates: Duplicates,
    documents: Documents,
) -> Result<(Vec<Node>, Diagnostics)> {
    let places = Places::of(text, base, source);
    let mut builder = Builder {
        text,
        places,
        stack: Vec::new(),
        anchors: FxHashMap::default(),
        aliased: 0,
        aliased_bytes: 0,
        documents: Vec::new(),
        duplicates,
        warnings: Diagnostics::default(),
        ends_without_break: !text.lines().next_back().unwrap_or("").trim_matches(' ').is_empty()
            && !text.ends_with('\n'),
        end: text.chars().count(),
    };
    for item in Parser::new_from_str(text) {
        let (event, span) =
            item.map_err(|error| syntax_error(error.info(), builder.places.mark(error.marker().index())))?;
        let is_end = matches!(event, Event::DocumentEnd);
        builder.take(event, span).map_err(|error| *error)?;
        if is_end && documents == Documents::First {
            break;
        }
    }
    builder.documents.retain(|document| !document.is_null());
    Ok((builder.documents, builder.warnings))
}

fn syntax_error(info: &str, mark: Mark) -> Diagnostic {
    if info.contains("recursion limit") {
        return too_deep(mark);
    }
    let info = info.trim_end_matches('.');
    let error = Diagnostic::error(Code::Syntax, format!("this is not valid YAML: {info}")).at(mark);
    let lower = info.to_lowercase();
    if lower.contains("tab") {
        error.help("indent with spaces: YAML allows no tabs there")
    } else if lower.contains("quote") || lower.contains("end of stream") {
        error.help("is a quote, bracket or brace left open above?")
    } else if lower.contains("mapping values") {
        error.help("put a text that contains `: ` in quotes, or correct the indentation")
    } else if lower.contains("indent") || lower.contains("block") || lower.contains("simple key") {
        error.help("entries of one mapping or list start in the same column, and a key is followed by `: `")
    } else {
        error
    }
}

fn too_deep(mark: Mark) -> Diagnostic {
    Diagnostic::error(Code::TooDeep, format!("this is nested more than {DEEPEST} levels deep")).at(mark)
}

/// Turns the parser's positions, which count characters, into bytes.
struct Places {
    base: usize,
    source: SourceId,
    /// The byte offset of every 256th character; none for ASCII.
    offsets: Option<Vec<usize>>,
    text: String,
}

/// Characters between two entries of [`Places::offsets`].
const STRIDE: usize = 256;

impl Places {
    fn of(text: &str, base: usize, source: SourceId) -> Self {
        let offsets =
            (!text.is_ascii()).then(|| text.char_indices().step_by(STRIDE).map(|(at, _)| at).collect());
        let text = if text.is_ascii() { String::new() } else { text.to_owned() };
        Self { base, source, offsets, text }
    }

    fn byte(&self, character: usize) -> usize {
        let Some(offsets) = &self.offsets else { return self.base + character };
        let start = offsets.get(character / STRIDE).copied().unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or("");
        let within = rest.char_indices().nth(character % STRIDE).map_or(rest.len(), |(at, _)| at);
        self.base + start + within
    }

    fn mark(&self, character: usize) -> Mark {
        Mark { source: self.source, offset: u32::try_from(self.byte(character)).unwrap_or(u32::MAX) }
    }
}

/// A mapping or sequence that is being read.
struct Open {
    node: Node,
    /// Whether it is written in braces or brackets.
    in_flow: bool,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<Key>,
    /// Values of merge keys, joined when the mapping is complete.
    merges: Vec<Node>,
    /// Keys of a large mapping.
    seen: FxHashSet<CompactString>,
}

struct Builder<'t> {
    text: &'t str,
    places: Places,
    stack: Vec<Open>,
    anchors: FxHashMap<usize, (Node, Size)>,
    aliased: usize,
    /// Bytes of text that aliases expanded to.
    aliased_bytes: usize,
    documents: Vec<Node>,
    duplicates: Duplicates,
    warnings: Diagnostics,
    /// Whether the last line has no line break, nor has a block scalar that it ends.
    ends_without_break: bool,
    /// Number of characters.
    end: usize,
}

type Step<T> = std::result::Result<T, Box<Diagnostic>>;

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Step<()> {
        let mark = self.places.mark(span.start.index());
        match event {
            Event::MappingStart(anchor, _) => self.open(Node::map(Map::new(), mark), anchor),
            Event::SequenceStart(anchor, _) => self.open(Node::seq(Vec::new(), mark), anchor),
            Event::MappingEnd | Event::SequenceEnd => match self.stack.pop() {
                Some(open) => self.close(open),
                None => Ok(()),
            },
            Event::Scalar(text, style, anchor, tag) => {
                // The parser writes `~` for a missing value.
                let written =
                    self.text.as_bytes().get(mark.offset as usize - self.places.base) == Some(&b'~');
                let absent = style == ScalarStyle::Plain
                    && (text.is_empty()
                        || span.start.index() == span.end.index()
                        || (&*text == "~" && !written));
                let text = if absent { "" } else { &*text };
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let cut = self.ends_without_break && is_block && span.end.index() >= self.end;
                let text = if cut { text.strip_suffix('\n').unwrap_or(text) } else { text };
                let in_flow = absent && self.duplicates == Duplicates::Refused && self.is_in_flow();
                let kind = if in_flow { ScalarKind::Str } else { kind(text, style, tag.as_deref()) };
                let scalar = Scalar {
                    text: CompactString::new(text),
                    kind,
                    spelling: match style {
                        ScalarStyle::Plain if tag.is_some() && kind == ScalarKind::Str => Spelling::Tagged,
                        ScalarStyle::Plain => Spelling::Plain,
                        ScalarStyle::Folded => Spelling::Folded,
                        _ => Spelling::Quoted,
                    },
                    shared: 0,
                };
                let node = Node { value: Value::Scalar(scalar), mark };
                let merge = style == ScalarStyle::Plain && tag.is_none() && text == "<<";
                self.anchor(anchor, &node);
                self.place(node, merge)
            }
            Event::Alias(anchor) => {
                let node = self.alias(anchor, mark)?;
                self.place(node, false)
            }
            Event::DocumentStart(_) | Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd => Ok(()),
        }
    }

    /// Whether what is open is written in braces or brackets. A missing value is an empty string then: that is
    /// how it comes out of kustomize's way through Go's YAML library.
    fn is_in_flow(&self) -> bool {
        self.stack.last().is_some_and(|open| open.in_flow)
    }

    fn open(&mut self, node: Node, anchor: usize) -> Step<()> {
        if self.stack.len() >= DEEPEST {
            return Err(Box::new(too_deep(node.mark)));
        }
        let start = node.mark.offset as usize - self.places.base;
        let in_flow = matches!(self.text.as_bytes().get(start), Some(b'{' | b'['));
        // The parser puts a list whose dashes are below its key at the place of its first item.
        if let Some(parent) = self.stack.last_mut().filter(|parent| parent.node.mark == node.mark) {
            parent.in_flow = false;
        }
        let (merges, seen) = (Vec::new(), FxHashSet::default());
        self.stack.push(Open { node, in_flow, anchor, key: None, merges, seen });
        Ok(())
    }

    fn close(&mut self, mut open: Open) -> Step<()> {
        for merge in std::mem::take(&mut open.merges) {
            join(&mut open.node, merge)?;
        }
        self.anchor(open.anchor, &open.node);
        self.place(open.node, false)
    }

    fn anchor(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), Size::of(node)));
        }
    }

    fn alias(&mut self, anchor: usize, mark: Mark) -> Step<Node> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            let error = Diagnostic::error(Code::BadAlias, "this alias is inside the value that it refers to");
            return Err(Box::new(error.at(mark)));
        };
        self.aliased += size.values;
        self.aliased_bytes += size.bytes;
        if self.aliased > MOST_ALIASED || self.aliased_bytes > MOST_ALIASED_BYTES {
            let message = if self.aliased > MOST_ALIASED {
                format!("the aliases of this text expand to more than {MOST_ALIASED} values")
            } else {
                "the aliases of this text expand to more than 64 MiB".to_owned()
            };
            return Err(Box::new(Diagnostic::error(Code::AliasBomb, message).at(mark)));
        }
        if self.stack.len() + size.depth - 1 > DEEPEST {
            return Err(Box::new(too_deep(mark)));
        }
        Ok(node.clone())
    }

    /// Puts a finished node into what is open, or ends a document with it.
    fn place(&mut self, node: Node, merge_key: bool) -> Step<()> {
        let Some(open) = self.stack.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut open.node.value {
            Value::Seq(items) => items.push(node),
            Value::Scalar(_) => {}
            Value::Map(map) => match open.key.take() {
                None => {
                    let key = new_key(&node, merge_key)?;
                    let kept = self.duplicates == Duplicates::Kept;
                    if let Some(first) = known_key(&key, map, &mut open.seen).filter(|_| !kept) {
                        let error = duplicate_key(&key, first);
                        if self.duplicates == Duplicates::Refused {
                            return Err(Box::new(error.help("remove one of them, or join their values")));
                        }
                        self.warnings.push(error.with_severity(Severity::Warning));
                        map.remove(&key.text);
                    }
                    open.key = Some(key);
                }
                Some(key) if key.kind == ScalarKind::Binary && key.text == "<<" => open.merges.push(node),
                Some(key) => map.push(Entry { key, value: node }),
            },
        }
        Ok(())
    }
}

/// A key; that of a merge is marked by its kind until its value is there.
fn new_key(node: &Node, merge: bool) -> Step<Key> {
    let Some(scalar) = node.as_scalar() else {
        let error = Diagnostic::error(
            Code::Syntax,
            format!("a key must be a string, but this is {}", node.describe()),
        );
        return Err(Box::new(
            error.at(node.mark).help("put the braces of a template in quotes: \"{{ … }}\""),
        ));
    };
    let kind = if merge { ScalarKind::Binary } else { scalar.kind };
    Ok(Key { text: scalar.text.clone(), kind, quoted: scalar.spelling != Spelling::Plain, mark: node.mark })
}

/// The location of a key that already exists. `seen` holds the keys once there are many.
fn known_key(key: &Key, map: &Map, seen: &mut FxHashSet<CompactString>) -> Option<Mark> {
    if key.kind == ScalarKind::Binary && key.text == "<<" {
        return None;
    }
    if map.len() >= MANY && seen.is_empty() {
        seen.extend(map.iter().map(|entry| entry.key.text.clone()));
    }
    let known = if map.len() < MANY { map.contains(&key.text) } else { !seen.insert(key.text.clone()) };
    if known { map.entry(&key.text).map(|first| first.key.mark) } else { None }
}

fn duplicate_key(key: &Key, first: Mark) -> Diagnostic {
    let error =
        Diagnostic::error(Code::DuplicateKey, format!("the key `{}` is defined more than once", key.text));
    error.at(key.mark).label(first, "the first one is here")
}

/// Joins the value of a merge key into a mapping: keys that are there win, earlier values before later ones.
fn join(node: &mut Node, merge: Node) -> Step<()> {
    let Some(into) = node.as_map_mut() else { return Ok(()) };
    let wrong = |node: &Node| {
        let error =
            Diagnostic::error(Code::Syntax, format!("`<<` merges mappings, but this is {}", node.describe()));
        Err(Box::new(error.at(node.mark)))
    };
    let maps = match merge.value {
        Value::Map(map) => vec![map],
        Value::Seq(items) => {
            let mut maps = Vec::with_capacity(items.len());
            for item in items {
                match item.value {
                    Value::Map(map) => maps.push(map),
                    _ => return wrong(&item),
                }
            }
            maps
        }
        Value::Scalar(_) => return wrong(&merge),
    };
    for entry in maps.into_iter().flatten() {
        if !into.contains(&entry.key.text) {
            into.push(entry);
        }
    }
    Ok(())
}

fn kind(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> ScalarKind {
    let resolved = || if style == ScalarStyle::Plain { resolve_plain(text) } else { ScalarKind::Str };
    let Some(tag) = tag else { return resolved() };
    let core = tag.is_yaml_core_schema();
    match tag.suffix.as_str() {
        "str" if core => ScalarKind::Str,
        "int" if core => ScalarKind::Int,
        "float" if core => ScalarKind::Float,
        "bool" if core => ScalarKind::Bool,
        "null" if core => ScalarKind::Null,
        "binary" if core => ScalarKind::Binary,
        "timestamp" if core => ScalarKind::Timestamp,
        // A tag of somebody's own leaves the text as it is.
        _ => ScalarKind::Str,
    }
}
