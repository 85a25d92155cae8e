//! Reads documents with a complete YAML parser: anchors, aliases, merge keys, tags, flow collections over several lines.

use super::grammar::{CORE, Comments, Event, Grammar, Properties, Receiver, Stop};
use super::scalar::{kind_in_flow, resolve_plain};
use super::token::{Fault, Style};
use crate::node::{Entry, Key, Map, Node, Scalar, ScalarKind, Spelling, Value};
use crate::size::{DEEPEST, Size};
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, Severity, SourceId};
use rustc_hash::{FxHashMap, FxHashSet};

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
    /// Only the first one; what follows is not looked at.
    First,
}

/// What was read.
pub(super) struct Parsed {
    /// The documents that are not null.
    pub(super) nodes: Vec<Node>,
    pub(super) warnings: Diagnostics,
    /// Where text follows after the first document, when no more is read.
    pub(super) rest: Option<Mark>,
}

/// Parses documents of `text`, which starts at byte `base` of the source.
pub(super) fn parse(
    text: &str,
    base: usize,
    source: SourceId,
    duplicates: Duplicates,
    documents: Documents,
) -> Result<Parsed> {
    let mut builder = Builder {
        base,
        source,
        stack: Vec::new(),
        anchors: FxHashMap::default(),
        aliased: 0,
        aliased_bytes: 0,
        documents: Vec::new(),
        duplicates,
        warnings: Diagnostics::default(),
    };
    let rest = match read(text, &mut builder, documents) {
        Ok(rest) => rest.map(|at| builder.mark(at)),
        Err(Stop::Refused(error)) => return Err((*error).into()),
        Err(Stop::Fault(fault)) => return Err(syntax_error(&fault, builder.mark(fault.at)).into()),
    };
    builder.documents.retain(|document| !document.is_null());
    Ok(Parsed { nodes: builder.documents, warnings: builder.warnings, rest })
}

/// Reads documents into a builder. Returns the byte of what follows after the first one, when no more is read.
fn read<'t>(
    text: &'t str,
    builder: &mut Builder<'t>,
    documents: Documents,
) -> std::result::Result<Option<usize>, Stop> {
    let mut grammar = Grammar::new(text, builder);
    if documents == Documents::First {
        grammar.document()?;
        return Ok(grammar.trailing());
    }
    while grammar.document()? {}
    Ok(None)
}

pub(crate) fn syntax_error(fault: &Fault, mark: Mark) -> Diagnostic {
    let message = format!("this is not valid YAML: {}", fault.message);
    Diagnostic::error(Code::Syntax, message).at(mark).helped(fault.help.map(str::to_owned))
}

fn too_deep(mark: Mark) -> Diagnostic {
    Diagnostic::error(Code::TooDeep, format!("this is nested more than {DEEPEST} levels deep")).at(mark)
}

/// A mapping or sequence that is being read.
struct Open<'t> {
    node: Node,
    /// Whether it is written in braces or brackets.
    in_flow: bool,
    anchor: Option<&'t str>,
    /// The key that waits for its value.
    key: Option<Key>,
    /// Values of merge keys, joined when the mapping is complete.
    merges: Vec<Node>,
    /// Keys of a large mapping.
    seen: FxHashSet<CompactString>,
}

struct Builder<'t> {
    base: usize,
    source: SourceId,
    stack: Vec<Open<'t>>,
    /// Nodes by their anchors; none while a node is being read.
    anchors: FxHashMap<&'t str, Option<(Node, Size)>>,
    aliased: usize,
    /// Bytes of text that aliases expanded to.
    aliased_bytes: usize,
    documents: Vec<Node>,
    duplicates: Duplicates,
    warnings: Diagnostics,
}

type Step<T> = std::result::Result<T, Box<Diagnostic>>;

impl<'t> Receiver<'t> for Builder<'t> {
    fn take(&mut self, event: Event<'t>, at: usize, _: Option<Box<Comments>>) -> Step<()> {
        let mark = self.mark(at);
        match event {
            Event::MapStart { in_flow, properties } => {
                self.open(Node::map(Map::new(), mark), in_flow, properties.anchor)
            }
            Event::SeqStart { in_flow, properties } => {
                self.open(Node::seq(Vec::new(), mark), in_flow, properties.anchor)
            }
            Event::MapEnd | Event::SeqEnd => match self.stack.pop() {
                Some(open) => self.close(open),
                None => Ok(()),
            },
            Event::Scalar { text, style, properties } => self.scalar(&text, style, &properties, mark),
            Event::Alias(name) => {
                let mut node = self.alias(name, mark)?;
                if self.reads_flow_as_kustomize() {
                    put_into_flow(&mut node);
                }
                self.place(node, false)
            }
            Event::DocumentStart | Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
        }
    }
}

impl<'t> Builder<'t> {
    fn mark(&self, at: usize) -> Mark {
        Mark { source: self.source, offset: u32::try_from(self.base + at).unwrap_or(u32::MAX) }
    }

    fn scalar(&mut self, text: &str, style: Style, properties: &Properties<'t>, mark: Mark) -> Step<()> {
        let tag = properties.tag.as_deref().filter(|tag| *tag != "!");
        let is_absent = style == Style::Plain && text.is_empty();
        let in_flow = self.reads_flow_as_kustomize();
        let kind = match kind(text, style, tag) {
            _ if is_absent && (in_flow || tag.is_none() && self.expects_key()) => ScalarKind::Str,
            kind if in_flow => kind_in_flow(kind, text),
            kind => kind,
        };
        let spelling = match style {
            Style::Plain if properties.tag.is_some() && kind == ScalarKind::Str => Spelling::Tagged,
            Style::Plain => Spelling::Plain,
            Style::Folded => Spelling::Folded,
            _ => Spelling::Quoted,
        };
        let scalar = Scalar { text: CompactString::new(text), kind, spelling, shared: 0 };
        let node = Node { value: Value::Scalar(scalar), mark };
        let is_merge = style == Style::Plain && tag.is_none() && text == "<<";
        self.anchor(properties.anchor, &node);
        self.place(node, is_merge)
    }

    /// Whether the next node is the key of a mapping, in a file that kustomize writes again. A missing key gets quotes on that way.
    fn expects_key(&self) -> bool {
        let is_key = |open: &Open<'_>| open.key.is_none() && matches!(open.node.value, Value::Map(_));
        self.duplicates == Duplicates::Refused && self.stack.last().is_some_and(is_key)
    }

    /// Whether what is open is in braces or brackets, in a file of which kustomize writes them again. A missing value is an
    /// empty string then: that is how it comes out of kustomize's way through Go's YAML library.
    fn reads_flow_as_kustomize(&self) -> bool {
        self.duplicates == Duplicates::Refused && self.stack.last().is_some_and(|open| open.in_flow)
    }

    fn open(&mut self, node: Node, in_flow: bool, anchor: Option<&'t str>) -> Step<()> {
        if self.stack.len() >= DEEPEST {
            return Err(Box::new(too_deep(node.mark)));
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, None);
        }
        let (merges, seen) = (Vec::new(), FxHashSet::default());
        self.stack.push(Open { node, in_flow, anchor, key: None, merges, seen });
        Ok(())
    }

    fn close(&mut self, mut open: Open<'t>) -> Step<()> {
        for merge in std::mem::take(&mut open.merges) {
            join(&mut open.node, merge)?;
        }
        // An anchor of the same name inside of the value is the later one.
        let is_last = open.anchor.is_some_and(|anchor| self.anchors.get(anchor).is_none_or(Option::is_none));
        self.anchor(open.anchor.filter(|_| is_last), &open.node);
        self.place(open.node, false)
    }

    fn anchor(&mut self, anchor: Option<&'t str>, node: &Node) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Some((node.clone(), Size::of(node))));
        }
    }

    fn alias(&mut self, name: &str, mark: Mark) -> Step<Node> {
        let (node, size) = match self.anchors.get(name) {
            Some(Some(anchored)) => anchored,
            Some(None) => {
                let message = "this alias is inside the value that it refers to";
                return Err(Box::new(Diagnostic::error(Code::BadAlias, message).at(mark)));
            }
            None => {
                let message = format!("the anchor `{name}` does not exist");
                let error = Diagnostic::error(Code::BadAlias, message).at(mark);
                return Err(Box::new(
                    error.help("define it earlier in the document, or put the text in quotes"),
                ));
            }
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

/// What an alias stands for, in the braces or brackets around the alias.
fn put_into_flow(node: &mut Node) {
    match &mut node.value {
        Value::Scalar(scalar) if scalar.kind == ScalarKind::Null && scalar.text.is_empty() => {
            scalar.kind = ScalarKind::Str;
        }
        Value::Scalar(scalar) => scalar.kind = kind_in_flow(scalar.kind, &scalar.text),
        Value::Seq(items) => items.iter_mut().for_each(put_into_flow),
        Value::Map(map) => map.iter_mut().for_each(|entry| put_into_flow(&mut entry.value)),
    }
}

fn kind(text: &str, style: Style, tag: Option<&str>) -> ScalarKind {
    let resolved = || if style == Style::Plain { resolve_plain(text) } else { ScalarKind::Str };
    let Some(tag) = tag else { return resolved() };
    match tag.strip_prefix(CORE) {
        Some("int") => ScalarKind::Int,
        Some("float") => ScalarKind::Float,
        Some("bool") => ScalarKind::Bool,
        Some("null") => ScalarKind::Null,
        Some("binary") => ScalarKind::Binary,
        Some("timestamp") => ScalarKind::Timestamp,
        // A tag of somebody's own leaves the text as it is.
        _ => ScalarKind::Str,
    }
}
