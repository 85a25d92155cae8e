//! From styled documents to text, as Go's YAML library writes them, with lines of any length.

use super::node::{Content, StyledDocument, StyledNode, resolved_tag};
use crate::parse::grammar::{CORE, Comments};
use crate::parse::token::Style;
use crate::style::{escape, is_break, is_printable};

/// Where lines begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Spaces that a level of indentation has.
    pub indent: usize,
    /// Whether lists are in the column of their keys.
    pub is_compact: bool,
}

impl Layout {
    /// As kustomize has Go's library write.
    pub const KUSTOMIZE: Self = Self { indent: 2, is_compact: true };
    /// As Go's library writes when nobody asks for something else.
    pub const DEFAULT: Self = Self { indent: 4, is_compact: false };
}

/// Bytes of a key that is written without `?`.
const LONGEST_KEY: usize = 128;

/// Writes a document as kustomize does.
#[must_use]
pub fn write(document: &StyledDocument) -> String {
    write_in(document, Layout::KUSTOMIZE)
}

/// Writes a document in a layout.
#[must_use]
pub fn write_in(document: &StyledDocument, layout: Layout) -> String {
    let mut writer = Writer::new(layout);
    writer.pending.head.clone_from(&document.comments.head);
    if !writer.pending.head.is_empty() {
        writer.head_comment();
        writer.put_break();
    }
    writer.load(&document.root.comments, "");
    writer.head_comment();
    writer.node(&document.root, Context::default());
    writer.line_comment();
    writer.foot_comment();
    writer.pending.foot.clone_from(&document.comments.foot);
    writer.foot_indent = Some(0);
    writer.foot_comment();
    writer.foot_indent = None;
    writer.write_indent();
    writer.out
}

/// Writes documents one after the other as kustomize does, with `---` between them.
#[must_use]
pub fn write_all(documents: &[StyledDocument]) -> String {
    write_all_in(documents, Layout::KUSTOMIZE)
}

/// Writes documents one after the other in a layout, with `---` between them.
#[must_use]
pub fn write_all_in(documents: &[StyledDocument], layout: Layout) -> String {
    documents.iter().map(|document| write_in(document, layout)).collect::<Vec<_>>().join("---\n")
}

/// Where a node is.
#[derive(Clone, Copy, Default)]
struct Context {
    in_mapping: bool,
    is_item: bool,
    is_simple_key: bool,
}

/// The state of Go's emitter, which decides where blanks and line breaks go.
struct Writer {
    layout: Layout,
    out: String,
    column: usize,
    /// The column of the innermost collection; none outside.
    indent: Option<usize>,
    flow_level: usize,
    /// Whether the last character is a blank.
    is_after_blank: bool,
    /// Whether there is nothing but indentation and indicators on this line.
    is_at_indentation: bool,
    /// The column of the last foot comment, after which a blank line comes.
    foot_indent: Option<usize>,
    /// Comments that are not written yet.
    pending: Comments,
    /// The foot of the entry before.
    tail: String,
    key_line: String,
}

impl Writer {
    fn new(layout: Layout) -> Self {
        Self {
            layout,
            out: String::new(),
            column: 0,
            indent: None,
            flow_level: 0,
            is_after_blank: true,
            is_at_indentation: true,
            foot_indent: None,
            pending: Comments::default(),
            tail: String::new(),
            key_line: String::new(),
        }
    }
}

/// What the characters of a scalar allow.
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
#[derive(Default)]
struct Analysis {
    has_breaks: bool,
    allows_plain_in_flow: bool,
    allows_plain_in_block: bool,
    allows_single_quotes: bool,
    allows_block: bool,
}

impl Writer {
    /// Takes the comments of a node, and the foot of what was before it.
    fn load(&mut self, comments: &Comments, tail: &str) {
        let take = |into: &mut String, from: &str| {
            if !from.is_empty() {
                from.clone_into(into);
            }
        };
        take(&mut self.pending.head, &comments.head);
        take(&mut self.pending.line, &comments.line);
        take(&mut self.pending.foot, &comments.foot);
        take(&mut self.tail, tail);
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.is_at_indentation = true;
    }

    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.is_at_indentation || self.column > indent || (self.column == indent && !self.is_after_blank)
        {
            self.put_break();
        }
        if self.foot_indent == Some(indent) {
            self.put_break();
        }
        while self.column < indent {
            self.put(" ");
        }
        self.is_after_blank = true;
        self.foot_indent = None;
    }

    fn indicator(&mut self, text: &str, needs_blank: bool, is_blank: bool, is_indentation: bool) {
        if needs_blank && !self.is_after_blank {
            self.put(" ");
        }
        self.put(text);
        self.is_after_blank = is_blank;
        self.is_at_indentation &= is_indentation;
    }

    fn head_comment(&mut self) {
        if !self.tail.is_empty() {
            self.write_indent();
            let tail = std::mem::take(&mut self.tail);
            self.comment(&tail);
            self.foot_indent = Some(self.indent.unwrap_or(0));
        }
        if !self.pending.head.is_empty() {
            self.write_indent();
            let head = std::mem::take(&mut self.pending.head);
            self.comment(&head);
        }
    }

    fn line_comment(&mut self) {
        self.line_comment_or_break(false);
    }

    fn line_comment_or_break(&mut self, needs_break: bool) {
        if self.pending.line.is_empty() {
            if needs_break {
                self.put_break();
            }
            return;
        }
        if !self.is_after_blank {
            self.put(" ");
        }
        let line = std::mem::take(&mut self.pending.line);
        self.comment(&line);
    }

    fn foot_comment(&mut self) {
        if self.pending.foot.is_empty() {
            return;
        }
        self.write_indent();
        let foot = std::mem::take(&mut self.pending.foot);
        self.comment(&foot);
        self.foot_indent = Some(self.indent.unwrap_or(0));
    }

    fn comment(&mut self, text: &str) {
        let mut ends_with_break = false;
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.put_break();
                ends_with_break = true;
            }
            if line.is_empty() {
                continue;
            }
            if ends_with_break {
                self.write_indent();
            }
            if !line.starts_with('#') {
                self.put("# ");
            }
            self.put(line);
            self.is_at_indentation = false;
            ends_with_break = false;
        }
        if !ends_with_break {
            self.put_break();
        }
        self.is_after_blank = true;
    }

    fn has_comments(&self) -> bool {
        !self.pending.line.is_empty() || !self.pending.foot.is_empty() || !self.tail.is_empty()
    }

    /// Writes a node whose comments are loaded.
    fn node(&mut self, node: &StyledNode, context: Context) {
        match &node.content {
            Content::Alias(name) => {
                self.indicator("*", true, false, false);
                self.put(name);
                self.is_after_blank = false;
            }
            Content::Scalar { text, style } => self.scalar(node, text, *style, context),
            Content::Seq { items, in_flow } => {
                self.properties(node, written_tag(node, "!!seq"));
                if self.flow_level > 0 || *in_flow || items.is_empty() {
                    self.flow_sequence(node, items, context);
                } else {
                    self.block_sequence(node, items, context);
                }
            }
            Content::Map { entries, in_flow } => {
                self.properties(node, written_tag(node, "!!map"));
                if self.flow_level > 0 || *in_flow || entries.is_empty() {
                    self.flow_mapping(node, entries, context);
                } else {
                    self.block_mapping(node, entries, context);
                }
            }
        }
    }

    fn properties(&mut self, node: &StyledNode, tag: &str) {
        if let Some(anchor) = &node.anchor {
            self.indicator("&", true, false, false);
            self.put(anchor);
            self.is_after_blank = false;
            self.is_at_indentation = false;
        }
        if tag.is_empty() {
            return;
        }
        let written = if tag.starts_with('!') { tag.to_owned() } else { format!("!<{tag}>") };
        self.indicator(&written, true, false, false);
    }

    /// Goes one level in; returns the level before.
    fn increase_indent(&mut self, in_flow: bool, context: Context, is_compact: bool) -> Option<usize> {
        let before = self.indent;
        let width = self.layout.indent;
        self.indent = Some(match before {
            None if in_flow => width,
            None => 0,
            Some(indent) if context.is_item => indent + 2,
            Some(indent) => {
                let next = width * ((indent + width) / width);
                if is_compact { next - 2 } else { next }
            }
        });
        before
    }

    fn block_sequence(&mut self, node: &StyledNode, items: &[StyledNode], context: Context) {
        let is_compact =
            self.layout.is_compact && context.in_mapping && (self.column == 0 || !self.is_at_indentation);
        let before = self.increase_indent(false, context, is_compact);
        for item in items {
            self.load(&item.comments_before(), "");
            self.head_comment();
            self.write_indent();
            self.indicator("-", true, false, true);
            self.node(item, Context { is_item: true, ..Context::default() });
            self.line_comment();
            self.foot_comment();
        }
        self.indent = before;
        self.load(&node.comments_after(), "");
    }

    fn block_mapping(&mut self, node: &StyledNode, entries: &[(StyledNode, StyledNode)], context: Context) {
        let before = self.increase_indent(false, context, false);
        let mut tail = "";
        for (key, value) in entries {
            let comments = Comments { foot: String::new(), ..key.comments_before() };
            self.load(&comments, tail);
            tail = &key.comments.foot;
            self.head_comment();
            self.write_indent();
            if !self.pending.line.is_empty() {
                self.key_line = std::mem::take(&mut self.pending.line);
            }
            let is_simple = is_simple_key(key);
            if is_simple {
                self.node(key, Context { in_mapping: true, is_simple_key: true, is_item: false });
                self.load(&value.comments_before(), "");
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.node(key, Context { in_mapping: true, ..Context::default() });
                self.load(&value.comments_before(), "");
                self.write_indent();
                self.indicator(":", true, false, true);
            }
            self.place_key_line(value);
            self.node(value, Context { in_mapping: true, ..Context::default() });
            self.line_comment();
            self.foot_comment();
        }
        self.load(&node.comments_after(), tail);
        self.head_comment();
        self.indent = before;
    }

    /// The line comment of a key is that of its scalar, or comes before the collection.
    fn place_key_line(&mut self, value: &StyledNode) {
        if self.key_line.is_empty() {
            return;
        }
        match &value.content {
            Content::Scalar { .. } if self.pending.line.is_empty() => {
                self.pending.line = std::mem::take(&mut self.key_line);
            }
            Content::Seq { in_flow: false, .. } | Content::Map { in_flow: false, .. } => {
                std::mem::swap(&mut self.pending.line, &mut self.key_line);
                self.line_comment();
                std::mem::swap(&mut self.pending.line, &mut self.key_line);
            }
            _ => {}
        }
    }

    fn flow_sequence(&mut self, node: &StyledNode, items: &[StyledNode], context: Context) {
        self.indicator("[", true, true, false);
        let before = self.increase_indent(true, context, false);
        self.flow_level += 1;
        let mut needs_comma = false;
        for item in items {
            self.load(&item.comments_before(), "");
            self.flow_start(needs_comma);
            needs_comma = !self.has_comments();
            self.node(item, Context { is_item: false, ..Context::default() });
            self.flow_end_of_part();
        }
        self.load(&node.comments_after(), "");
        self.flow_level -= 1;
        self.indent = before;
        if self.column == 0 {
            self.write_indent();
        }
        self.indicator("]", false, false, false);
        self.line_comment();
        self.foot_comment();
    }

    /// The comma, the comments and the line break before a part of a flow collection.
    fn flow_start(&mut self, needs_comma: bool) {
        if needs_comma {
            self.indicator(",", false, false, false);
        }
        self.head_comment();
        if self.column == 0 {
            self.write_indent();
        }
    }

    fn flow_end_of_part(&mut self) {
        if self.has_comments() {
            self.indicator(",", false, false, false);
        }
        self.line_comment();
        self.foot_comment();
    }

    fn flow_mapping(&mut self, node: &StyledNode, entries: &[(StyledNode, StyledNode)], context: Context) {
        self.indicator("{", true, true, false);
        let before = self.increase_indent(true, context, false);
        self.flow_level += 1;
        let mut needs_comma = false;
        let mut tail = "";
        for (key, value) in entries {
            let comments = Comments { foot: String::new(), ..key.comments_before() };
            self.load(&comments, tail);
            tail = &key.comments.foot;
            self.flow_start(needs_comma);
            let is_simple = is_simple_key(key);
            if !is_simple {
                self.indicator("?", true, false, false);
            }
            self.node(key, Context { in_mapping: true, is_simple_key: is_simple, is_item: false });
            self.load(&value.comments_before(), "");
            self.indicator(":", !is_simple, false, false);
            needs_comma = !self.has_comments();
            self.node(value, Context { in_mapping: true, ..Context::default() });
            self.flow_end_of_part();
        }
        self.load(&node.comments_after(), tail);
        let has_comments =
            !self.pending.head.is_empty() || !self.pending.foot.is_empty() || !self.tail.is_empty();
        if has_comments && needs_comma {
            self.indicator(",", false, false, false);
        }
        self.head_comment();
        self.flow_level -= 1;
        self.indent = before;
        self.indicator("}", false, false, false);
        self.line_comment();
        self.foot_comment();
    }

    fn scalar(&mut self, node: &StyledNode, text: &str, style: Style, context: Context) {
        let (tag, needs_quotes) = scalar_tag(node, text, style);
        let analysis = Analysis::of(text);
        let wanted = match style {
            Style::Plain if text.contains('\n') => Style::Literal,
            Style::Plain if needs_quotes => Style::DoubleQuoted,
            style => style,
        };
        let style = self.allowed_style(wanted, text, &analysis, context);
        self.properties(node, tag);
        let before = self.increase_indent(true, context, false);
        match style {
            Style::Plain => self.plain(text),
            Style::SingleQuoted => self.single_quoted(text),
            Style::DoubleQuoted => self.double_quoted(text),
            Style::Literal => self.literal(text),
            Style::Folded => self.folded(text),
        }
        self.indent = before;
    }

    fn allowed_style(&self, wanted: Style, text: &str, analysis: &Analysis, context: Context) -> Style {
        let in_flow = self.flow_level > 0;
        let mut style = wanted;
        if context.is_simple_key && analysis.has_breaks {
            style = Style::DoubleQuoted;
        }
        if style == Style::Plain {
            let is_allowed =
                if in_flow { analysis.allows_plain_in_flow } else { analysis.allows_plain_in_block };
            if !is_allowed || (text.is_empty() && (in_flow || context.is_simple_key)) {
                style = Style::SingleQuoted;
            }
        }
        if style == Style::SingleQuoted && !analysis.allows_single_quotes {
            style = Style::DoubleQuoted;
        }
        let is_block = matches!(style, Style::Literal | Style::Folded);
        if is_block && (!analysis.allows_block || in_flow || context.is_simple_key) {
            style = Style::DoubleQuoted;
        }
        style
    }

    /// Writes text in which Go's library doubles line breaks.
    fn flowing(&mut self, text: &str, is_quoted: bool) {
        let mut after_break = false;
        for character in text.chars() {
            if character == ' ' {
                self.put(" ");
            } else if is_break(character) {
                if !after_break && character == '\n' {
                    self.put_break();
                }
                self.break_character(character);
                after_break = true;
            } else {
                if after_break {
                    self.write_indent();
                }
                if is_quoted && character == '\'' {
                    self.put("'");
                }
                self.put(character.encode_utf8(&mut [0; 4]));
                self.is_at_indentation = false;
                after_break = false;
            }
        }
    }

    fn break_character(&mut self, character: char) {
        if character != '\n' {
            self.put(character.encode_utf8(&mut [0; 4]));
            self.column = 0;
            self.is_at_indentation = true;
            return;
        }
        self.put_break();
    }

    fn plain(&mut self, text: &str) {
        if !text.is_empty() && !self.is_after_blank {
            self.put(" ");
        }
        self.flowing(text, false);
        if !text.is_empty() {
            self.is_after_blank = false;
        }
        self.is_at_indentation = false;
    }

    fn single_quoted(&mut self, text: &str) {
        self.indicator("'", true, false, false);
        self.flowing(text, true);
        self.indicator("'", false, false, false);
    }

    fn double_quoted(&mut self, text: &str) {
        self.indicator("\"", true, false, false);
        for character in text.chars() {
            if !is_printable(character) || is_break(character) || matches!(character, '"' | '\\' | '\u{feff}')
            {
                self.put(&format!("\\{}", escape(character)));
            } else {
                self.put(character.encode_utf8(&mut [0; 4]));
            }
        }
        self.indicator("\"", false, false, false);
    }

    /// The digit and the sign after `|` or `>`.
    fn block_header(&mut self, indicator: &str, text: &str) {
        self.indicator(indicator, true, false, false);
        if text.starts_with([' ', '\n', '\u{85}', '\u{2028}', '\u{2029}']) {
            self.indicator(&self.layout.indent.to_string(), false, false, false);
        }
        let mut backwards = text.chars().rev();
        let chomp = match (backwards.next().map(is_break), backwards.next().map(is_break)) {
            (None | Some(false), _) => "-",
            (Some(true), None | Some(true)) => "+",
            (Some(true), Some(false)) => "",
        };
        if !chomp.is_empty() {
            self.indicator(chomp, false, false, false);
        }
        self.line_comment_or_break(true);
        self.is_after_blank = true;
    }

    fn literal(&mut self, text: &str) {
        self.block_header("|", text);
        let mut after_break = true;
        for character in text.chars() {
            if is_break(character) {
                self.break_character(character);
                after_break = true;
                continue;
            }
            if after_break {
                self.write_indent();
            }
            self.put(character.encode_utf8(&mut [0; 4]));
            self.is_at_indentation = false;
            after_break = false;
        }
    }

    fn folded(&mut self, text: &str) {
        self.block_header(">", text);
        // Go's library looks at the start of the text here, not at the line that follows.
        let first = text.chars().find(|character| !is_break(*character));
        let starts_blank = first.is_none_or(|character| matches!(character, ' ' | '\t'));
        let (mut after_break, mut is_indented) = (true, true);
        for character in text.chars() {
            if is_break(character) {
                if !after_break && !is_indented && character == '\n' && !starts_blank {
                    self.put_break();
                }
                self.break_character(character);
                after_break = true;
                continue;
            }
            if after_break {
                self.write_indent();
                is_indented = matches!(character, ' ' | '\t');
            }
            self.put(character.encode_utf8(&mut [0; 4]));
            self.is_at_indentation = false;
            after_break = false;
        }
    }
}

impl StyledNode {
    fn is_collection(&self) -> bool {
        matches!(self.content, Content::Map { .. } | Content::Seq { .. })
    }

    /// The comments that come with the start of a node: of a collection only its head.
    fn comments_before(&self) -> Comments {
        if self.is_collection() {
            Comments { head: self.comments.head.clone(), ..Comments::default() }
        } else {
            self.comments.clone()
        }
    }

    /// The comments that come with the end of a collection.
    fn comments_after(&self) -> Comments {
        Comments { head: String::new(), ..self.comments.clone() }
    }
}

/// The tag of a collection, when it has to be written.
fn written_tag<'n>(node: &'n StyledNode, default: &str) -> &'n str {
    if !node.is_tagged && node.tag == default { "" } else { &node.tag }
}

/// The tag of a scalar, when it has to be written, and whether the text has to be in quotes to be a string.
fn scalar_tag<'n>(node: &'n StyledNode, text: &str, style: Style) -> (&'n str, bool) {
    let tag = node.tag.as_str();
    if node.is_tagged || tag.is_empty() {
        return (tag, false);
    }
    let is_string = tag == "!!str";
    if is_string && style != Style::Plain {
        return ("", false);
    }
    if resolved_tag(text) == tag {
        ("", false)
    } else if is_string {
        ("", true)
    } else {
        (tag, false)
    }
}

fn is_simple_key(key: &StyledNode) -> bool {
    let length = match &key.content {
        Content::Alias(name) => name.len(),
        Content::Scalar { text, .. } if text.contains(is_break) => return false,
        Content::Scalar { text, style } => text.len() + long_tag(scalar_tag(key, text, *style).0),
        Content::Map { entries, .. } if !entries.is_empty() => return false,
        Content::Seq { items, .. } if !items.is_empty() => return false,
        Content::Map { .. } => long_tag(written_tag(key, "!!map")),
        Content::Seq { .. } => long_tag(written_tag(key, "!!seq")),
    };
    length + key.anchor.as_ref().map_or(0, String::len) <= LONGEST_KEY
}

/// The bytes of a tag as it is written.
fn long_tag(tag: &str) -> usize {
    tag.strip_prefix(CORE).map_or(tag.len(), |name| name.len() + 2)
}

impl Analysis {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { allows_plain_in_block: true, allows_single_quotes: true, ..Self::default() };
        }
        let starts_like_marker = text.starts_with("---") || text.starts_with("...");
        let (mut in_block, mut in_flow) = (starts_like_marker, starts_like_marker);
        let (mut has_breaks, mut has_tabs, mut is_special) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut after_space, mut after_break, mut after_blank) = (false, false, true);
        let mut rest = text.chars().peekable();
        let mut is_first = true;
        while let Some(character) = rest.next() {
            let before_blank = rest.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
            let (block, flow) = indicates(character, is_first, after_blank, before_blank);
            (in_block, in_flow, is_first) = (in_block | block, in_flow | flow, false);
            has_tabs |= character == '\t';
            is_special |= character != '\t' && !is_printable(character);
            break_space |= character == ' ' && after_break;
            space_break |= is_break(character) && after_space;
            has_breaks |= is_break(character);
            (after_space, after_break) = (character == ' ', is_break(character));
            after_blank = matches!(character, ' ' | '\t') || is_break(character);
        }
        let ends_with_space = text.ends_with(' ');
        let has_blank_ends = ends_with_space
            || text.starts_with(' ')
            || text.starts_with(is_break)
            || text.ends_with(is_break);
        let is_odd = break_space || space_break || has_tabs || is_special;
        let is_plain = !has_blank_ends && !is_odd && !has_breaks;
        Self {
            has_breaks,
            allows_plain_in_flow: is_plain && !in_flow,
            allows_plain_in_block: is_plain && !in_block,
            allows_single_quotes: !is_odd,
            allows_block: !ends_with_space && !space_break && !is_special,
        }
    }
}

/// Whether a character means something else than text in a block, and in braces or brackets.
fn indicates(character: char, is_first: bool, after_blank: bool, before_blank: bool) -> (bool, bool) {
    match character {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`'
            if is_first =>
        {
            (true, true)
        }
        '?' if is_first => (before_blank, true),
        '-' if is_first => (before_blank, before_blank),
        ',' | '?' | '[' | ']' | '{' | '}' => (false, true),
        ':' => (before_blank, true),
        '#' => (after_blank, after_blank),
        _ => (false, false),
    }
}
