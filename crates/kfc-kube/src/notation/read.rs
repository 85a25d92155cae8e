//! Reads the notation.

use super::line::{self, Draft, Wrong};
use super::value;
use super::words::{JUNCTORS, RULE_FIELDS, RULES};
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId};
use kfc_yaml::emit::{self, compare_keys};
use kfc_yaml::{Entry, Key, Map, Node, ScalarKind};
use rustc_hash::FxHashMap;

/// Levels of nesting that are read.
const DEEPEST: usize = 100;
/// Bytes that the name of a field may have.
const LONGEST_NAME: usize = 100;
/// Spaces that each level adds.
const INDENT: usize = 2;

/// The named types of a text.
#[derive(Debug)]
pub struct Notation {
    pub(super) types: Vec<Use>,
    extents: Vec<Extent>,
    names: FxHashMap<String, usize>,
}

/// A schema: its fields in the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) parts: Vec<(&'static str, Part)>,
}

/// A field of a schema.
#[derive(Debug)]
pub(super) enum Part {
    /// A line that is the same at each column, with its line break.
    Line(CompactString),
    /// Several such lines.
    Lines(String),
    /// A value whose lines depend on the column, because it may be folded.
    Value { map: Map, bytes: usize },
    /// A schema below the field.
    Below(Use),
    /// The schemas of fields, with the text of their keys.
    Properties(Vec<(CompactString, Use)>),
    /// A list of schemas.
    List(Vec<Use>),
}

/// A schema where it is used.
#[derive(Debug)]
pub(super) enum Use {
    Own(Schema),
    Named(usize),
}

impl Notation {
    /// Reads a text.
    ///
    /// # Errors
    /// Lines that are not of the notation, types that do not exist, are defined more than once, or contain themselves.
    pub fn parse(text: &str, source: SourceId) -> Result<Self> {
        let mut names = FxHashMap::default();
        let mut errors = Diagnostics::default();
        let lines = lines(text, source, &mut errors);
        let tops = lines.iter().filter(|line| line.depth == 0);
        for (at, line) in tops.clone().enumerate() {
            let name = line.text.split(' ').next().unwrap_or_default();
            if names.insert(name.to_owned(), at).is_some() {
                let message = format!("the type `{name}` is defined more than once");
                errors.push(Diagnostic::error(Code::DuplicateKey, message).at(line.mark));
            }
        }
        let mut reader = Reader { text, source, lines: &lines, at: 0, names: &names, errors };
        let mut types = Vec::with_capacity(names.len());
        while let Some(line) = reader.next_at(0) {
            let rest = line.text.split_once(' ').map_or("", |(_, rest)| rest);
            types.push(reader.schema(rest, 1));
        }
        let marks: Vec<Mark> = tops.map(|line| line.mark).collect();
        let errors = reader.errors;
        if !errors.is_empty() {
            return Err(errors);
        }
        match Extents::of_types(&types) {
            Ok(extents) => Ok(Self { types, extents, names }),
            Err(Endless { at, code }) => {
                let message = match code {
                    Code::Cycle => "this type contains itself",
                    _ => "this type is nested deeper than 100 levels",
                };
                let mark = marks.get(at).copied();
                Err(Diagnostic::error(code, message).at(mark).into())
            }
        }
    }

    /// The schema of a type, and its extent.
    pub(super) fn named(&self, name: &str) -> Option<(&Schema, Extent)> {
        self.names.get(name).map(|at| (resolve(&self.types, &self.types[*at]), self.extents[*at]))
    }

    /// The names of all types, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}

/// A line without its indentation.
struct Line<'t> {
    depth: usize,
    text: &'t str,
    mark: Mark,
}

/// The lines that say something.
fn lines<'t>(text: &'t str, source: SourceId, errors: &mut Diagnostics) -> Vec<Line<'t>> {
    let mut lines = Vec::with_capacity(text.len() / 24);
    let mut offset = 0;
    let mut deepest = 0;
    for whole in text.split_inclusive('\n') {
        let written = whole.trim_end();
        let line = written.trim_start_matches(' ');
        let indent = written.len() - line.len();
        let mark = Mark { source, offset: u32::try_from(offset + indent).unwrap_or(u32::MAX) };
        offset += whole.len();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let depth = indent / INDENT;
        if indent % INDENT != 0 || depth > deepest || depth > DEEPEST {
            let error = Diagnostic::error(Code::Syntax, "this line is not indented below a line");
            errors.push(error.at(mark).help("indent it by two spaces more than the line that it belongs to"));
            continue;
        }
        deepest = depth + 1;
        lines.push(Line { depth, text: line, mark });
    }
    lines
}

/// The schema that is used; a type may be another name of a type.
pub(super) fn resolve<'n>(types: &'n [Use], mut using: &'n Use) -> &'n Schema {
    loop {
        match using {
            Use::Own(schema) => return schema,
            Use::Named(at) => using = &types[*at],
        }
    }
}

/// How large the text of a schema is, with all types that it uses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    levels: usize,
    /// Bytes, if its keys are at the start of a line; about as many if values are folded.
    bytes: usize,
    lines: usize,
}

impl Extent {
    /// Adds lines of its own.
    fn add(&mut self, bytes: usize, lines: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.lines = self.lines.saturating_add(lines);
    }

    /// Adds a schema below a line with this many bytes, indented by some columns.
    fn add_below(&mut self, bytes: usize, below: Self, column: usize) {
        self.add(bytes, 1);
        self.add(below.bytes_at(column), below.lines);
        self.levels = self.levels.max(below.levels);
    }

    /// Bytes, if its keys are at a column.
    pub(super) fn bytes_at(self, column: usize) -> usize {
        self.bytes.saturating_add(self.lines.saturating_mul(column))
    }
}

/// The extents of types.
struct Extents<'n> {
    types: &'n [Use],
    known: Vec<State>,
}

#[derive(Clone, Copy)]
enum State {
    Unknown,
    Open,
    Known(Extent),
}

/// A type that cannot be a schema.
struct Endless {
    at: usize,
    code: Code,
}

impl Extents<'_> {
    /// The extents of all types, or the first type that contains itself or is nested too deeply.
    fn of_types(types: &[Use]) -> std::result::Result<Vec<Extent>, Endless> {
        let mut extents = Extents { types, known: vec![State::Unknown; types.len()] };
        (0..types.len()).map(|at| extents.named(at, 0)).collect()
    }

    /// The extent of a type that is used at a depth.
    fn named(&mut self, at: usize, depth: usize) -> std::result::Result<Extent, Endless> {
        match self.known[at] {
            State::Open => return Err(Endless { at, code: Code::Cycle }),
            State::Known(extent) => return Ok(extent),
            State::Unknown => {}
        }
        // Each level can have a name of its own.
        if depth > 2 * DEEPEST {
            return Err(Endless { at, code: Code::TooDeep });
        }
        self.known[at] = State::Open;
        let types = self.types;
        let extent = self.of(&types[at], depth)?;
        if extent.levels > DEEPEST {
            return Err(Endless { at, code: Code::TooDeep });
        }
        self.known[at] = State::Known(extent);
        Ok(extent)
    }

    fn of(&mut self, using: &Use, depth: usize) -> std::result::Result<Extent, Endless> {
        let schema = match using {
            Use::Own(schema) => schema,
            Use::Named(at) => return self.named(*at, depth + 1),
        };
        let mut extent = Extent::default();
        for (field, part) in &schema.parts {
            match part {
                Part::Line(line) => extent.add(line.len(), 1),
                Part::Lines(lines) => {
                    extent.add(lines.len(), lines.bytes().filter(|byte| *byte == b'\n').count());
                }
                Part::Value { bytes, .. } => extent.add(*bytes, 1 + bytes / 40),
                Part::Below(using) => extent.add_below(field.len() + 5, self.of(using, depth + 1)?, 2),
                Part::Properties(all) => {
                    extent.add("properties:\n".len(), 1);
                    for (key, using) in all {
                        extent.add_below(key.len() + 6, self.of(using, depth + 1)?, 4);
                    }
                }
                Part::List(all) => {
                    extent.add(field.len() + 2, 1);
                    for using in all {
                        extent.add_below(5, self.of(using, depth + 1)?, 2);
                    }
                }
            }
        }
        extent.levels += 1;
        Ok(extent)
    }
}

struct Reader<'a, 't> {
    text: &'t str,
    source: SourceId,
    lines: &'a [Line<'t>],
    at: usize,
    names: &'a FxHashMap<String, usize>,
    errors: Diagnostics,
}

/// A schema that is being read.
#[derive(Default)]
struct Parts {
    fields: Vec<(&'static str, Part)>,
    properties: Vec<(CompactString, Use)>,
    required: Vec<Node>,
    rules: Vec<Node>,
    /// A field with a value that YAML cannot hold.
    unwritable: Option<&'static str>,
    lists: [Vec<Use>; JUNCTORS.len()],
}

impl<'a, 't> Reader<'a, 't> {
    /// The next line, if it has this depth.
    fn next_at(&mut self, depth: usize) -> Option<&'a Line<'t>> {
        let line = self.lines.get(self.at).filter(|line| line.depth == depth)?;
        self.at += 1;
        Some(line)
    }

    fn wrong(&mut self, wrong: &Wrong<'_>) {
        // Texts of errors are parts of the text that is read.
        let offset = (wrong.at.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let offset = u32::try_from(offset.min(self.text.len())).unwrap_or(u32::MAX);
        let mark = Mark { source: self.source, offset };
        self.errors.push(Diagnostic::error(Code::Syntax, wrong.message.clone()).at(mark));
    }

    /// Reads a type, its attributes, and the lines at `depth`, which are below its line.
    fn schema(&mut self, text: &'t str, depth: usize) -> Use {
        match line::schema(text) {
            Ok((draft, "")) => self.finish(draft, depth),
            Ok((_, rest)) => {
                self.wrong(&Wrong { message: "expected the end of the line".to_owned(), at: rest });
                self.skip(depth)
            }
            Err(wrong) => {
                self.wrong(&wrong);
                self.skip(depth)
            }
        }
    }

    fn skip(&mut self, depth: usize) -> Use {
        while self.lines.get(self.at).is_some_and(|line| line.depth >= depth) {
            self.at += 1;
        }
        Use::Own(Schema::default())
    }

    fn finish(&mut self, draft: Draft<'t>, depth: usize) -> Use {
        if let Some(name) = draft.name {
            if let Some(line) = self.lines.get(self.at).filter(|line| line.depth == depth) {
                let message = "a type that is used by its name has no lines below it here";
                self.wrong(&Wrong { message: message.to_owned(), at: line.text });
                self.skip(depth);
            }
            return if let Some(at) = self.names.get(name) {
                Use::Named(*at)
            } else {
                let message = format!("the type `{name}` does not exist");
                self.wrong(&Wrong { message, at: name });
                Use::Own(Schema::default())
            };
        }
        let line = self.lines.get(self.at.saturating_sub(1)).map_or("", |line| line.text);
        let mut parts = Parts::default();
        for (field, value) in draft.fields {
            match field {
                "required" => parts.required.extend(value.as_seq().unwrap_or_default().iter().cloned()),
                _ => parts.push(field, value),
            }
        }
        match draft.element {
            Some((field, element)) => {
                let element = self.finish(*element, depth);
                parts.fields.push((field, Part::Below(element)));
            }
            None => self.below(&mut parts, depth),
        }
        let schema = parts.finish();
        schema.map_or_else(
            |message| {
                self.wrong(&Wrong { message, at: line });
                Use::Own(Schema::default())
            },
            Use::Own,
        )
    }

    /// Reads the lines at this depth.
    fn below(&mut self, parts: &mut Parts, depth: usize) {
        while let Some(line) = self.next_at(depth) {
            match line.text.strip_prefix('@') {
                Some(text) => self.keyword(text, parts, depth + 1),
                None => self.field(line.text, parts, depth + 1),
            }
        }
        if let Some(line) = self.lines.get(self.at).filter(|line| line.depth > depth) {
            self.wrong(&Wrong { message: "this line belongs to no other line".to_owned(), at: line.text });
            self.skip(depth);
        }
    }

    fn field(&mut self, text: &'t str, parts: &mut Parts, depth: usize) {
        let (name, rest) = match line::name(text) {
            Ok(read) => read,
            Err(wrong) => {
                self.wrong(&wrong);
                self.skip(depth);
                return;
            }
        };
        if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            let message = "a name of a field is not longer than 100 bytes, and has no control characters";
            self.wrong(&Wrong { message: message.to_owned(), at: text });
        }
        let rest = match rest.strip_prefix('!') {
            Some(rest) => {
                parts.required.push(Node::string(&name, None));
                rest
            }
            None => rest,
        };
        let schema = self.schema(rest, depth);
        if parts.properties.iter().any(|(other, _)| *other == name) {
            let message = format!("the field `{name}` is defined more than once");
            self.wrong(&Wrong { message, at: text });
        }
        parts.properties.push((CompactString::from(name), schema));
    }

    fn keyword(&mut self, text: &'t str, parts: &mut Parts, depth: usize) {
        let (word, rest) = line::word(text);
        let rest = rest.trim_start_matches(' ');
        if word == "rule" {
            return self.rule(rest, parts, depth);
        }
        if let Some(at) = JUNCTORS.iter().position(|junctor| *junctor == word) {
            let schema = self.schema(rest, depth);
            return parts.lists[at].push(schema);
        }
        let below = [("items", "items"), ("values", "additionalProperties"), ("not", "not")];
        if let Some((_, field)) = below.iter().find(|(known, _)| *known == word) {
            let schema = self.schema(rest, depth);
            parts.fields.push((field, Part::Below(schema)));
        } else {
            let message = format!("`@{word}` is not a word of the notation");
            self.wrong(&Wrong { message, at: text });
            self.skip(depth);
        }
    }

    fn rule(&mut self, text: &'t str, parts: &mut Parts, depth: usize) {
        let mut rule = Map::new();
        match value::read_text(text) {
            Some(text) => rule.set("rule", Node::string(&text, None)),
            None => self.wrong(&Wrong { message: "the quotes of this rule do not end".to_owned(), at: text }),
        }
        while let Some(line) = self.next_at(depth) {
            let (word, rest) = line.text.split_once(' ').unwrap_or((line.text, ""));
            let known = RULE_FIELDS.iter().find(|field| **field == word);
            match (known, value::read_text(rest)) {
                (Some(&"optionalOldSelf"), _) => rule.set("optionalOldSelf", line::yes()),
                (Some(field), Some(text)) => rule.set(field, Node::string(&text, None)),
                _ => {
                    let message = format!("expected one of {}", RULE_FIELDS.join(", "));
                    self.wrong(&Wrong { message, at: line.text });
                }
            }
        }
        parts.rules.push(Node::map(rule, None));
    }
}

impl Parts {
    /// Adds a field with a value that has no further schemas.
    fn push(&mut self, field: &'static str, value: Node) {
        match part(field, value) {
            Some(part) => self.fields.push((field, part)),
            None => self.unwritable = Some(field),
        }
    }

    /// The schema; a message when it cannot be one.
    fn finish(mut self) -> std::result::Result<Schema, String> {
        if !self.properties.is_empty() {
            if !self.properties.is_sorted_by(|a, b| compare_keys(&a.0, &b.0).is_le()) {
                self.properties.sort_by(|a, b| compare_keys(&a.0, &b.0));
            }
            for (name, _) in &mut self.properties {
                *name = key(name);
            }
            self.fields.push(("properties", Part::Properties(std::mem::take(&mut self.properties))));
        }
        if !self.required.is_empty() {
            self.required.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            let required = std::mem::take(&mut self.required);
            self.push("required", Node::seq(required, None));
        }
        if !self.rules.is_empty() {
            let rules = std::mem::take(&mut self.rules);
            self.push(RULES, Node::seq(rules, None));
        }
        for (junctor, list) in JUNCTORS.into_iter().zip(std::mem::take(&mut self.lists)) {
            if !list.is_empty() {
                self.fields.push((junctor, Part::List(list)));
            }
        }
        self.fields.sort_by(|a, b| compare_keys(a.0, b.0));
        let repeated = self.fields.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0);
        match (repeated, self.unwritable) {
            (Some(field), _) => Err(format!("`{field}` is defined more than once")),
            (None, Some(field)) => Err(format!("YAML cannot hold the value of `{field}`")),
            (None, None) => Ok(Schema { parts: self.fields }),
        }
    }
}

/// The text of a key with its colon.
fn key(name: &str) -> CompactString {
    if is_simple(name) {
        return joined(&[name, ":"]);
    }
    let one = Node::scalar("1".into(), ScalarKind::Int, None);
    text_of(&entry(name, one)).unwrap_or_default().trim_end().trim_end_matches(" 1").into()
}

/// Whether a string is written as it is at any column.
fn is_simple(text: &str) -> bool {
    text.len() < 60 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) && emit::is_written_plain(text)
}

fn joined(parts: &[&str]) -> CompactString {
    let mut text = CompactString::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        text.push_str(part);
    }
    text
}

fn entry(name: &str, value: Node) -> Map {
    Map::from_iter([Entry { key: Key::new(name, None), value }])
}

fn text_of(map: &Map) -> Option<String> {
    let mut out = Vec::new();
    emit::emit_at(map, 0, &mut out).ok()?;
    String::from_utf8(out).ok()
}

/// A field with a value that has no further schemas; nothing when it cannot be written.
fn part(field: &'static str, value: Node) -> Option<Part> {
    // Other schemas of this field have lines of their own.
    if field == "anyOf" {
        return Some(Part::Lines("anyOf:\n- type: integer\n- type: string\n".to_owned()));
    }
    if let Some(scalar) = value.as_scalar() {
        let text = scalar.text.as_str();
        let is_as_it_is = match scalar.kind {
            // The words of types are known.
            ScalarKind::Str => field == "type" || is_simple(text),
            ScalarKind::Int => {
                text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
            }
            ScalarKind::Bool => text == "true",
            _ => false,
        };
        if is_as_it_is {
            return Some(Part::Line(joined(&[field, ": ", text, "\n"])));
        }
    }
    if let Some(items) = value.as_seq()
        && items.iter().all(|item| item.as_str().is_some_and(is_simple))
    {
        let mut lines = String::with_capacity(field.len() + 24 * items.len());
        lines.push_str(field);
        lines.push_str(":\n");
        for item in items.iter().filter_map(Node::as_str) {
            lines.push_str("- ");
            lines.push_str(item);
            lines.push('\n');
        }
        return Some(Part::Lines(lines));
    }
    let may_fold = may_fold(&value);
    let map = entry(field, value);
    let text = text_of(&map)?;
    Some(if may_fold { Part::Value { map, bytes: text.len() } } else { Part::Lines(text) })
}

/// Whether the lines of a value depend on its column.
fn may_fold(node: &Node) -> bool {
    if let Some(map) = node.as_map() {
        return map.iter().any(|entry| may_fold(&entry.value));
    }
    match node.as_seq() {
        Some(items) => items.iter().any(may_fold),
        None => node.as_text().is_some_and(|text| text.contains([' ', '\n', '\t'])),
    }
}
