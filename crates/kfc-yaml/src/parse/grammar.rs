//! Which tokens may follow one another, by the rules of libyaml: reads tokens and reports what they say as events.

use super::scanner::Scanner;
use super::token::{Fault, Kind, Relation, Style, Token};
use kfc_diagnostics::Diagnostic;
use std::borrow::Cow;

/// What the grammar reports, in the order of the text.
pub(crate) enum Event<'t> {
    Scalar { text: Cow<'t, str>, style: Style, properties: Properties<'t> },
    Alias(&'t str),
    MapStart { in_flow: bool, properties: Properties<'t> },
    MapEnd,
    SeqStart { in_flow: bool, properties: Properties<'t> },
    SeqEnd,
    DocumentStart,
    DocumentEnd,
}

/// What may be before a node.
#[derive(Default)]
pub(crate) struct Properties<'t> {
    pub(crate) anchor: Option<&'t str>,
    /// In full: `tag:yaml.org,2002:str` for `!!str`.
    pub(crate) tag: Option<Cow<'t, str>>,
}

/// The comments of a node, each with its number signs, and a line break between those of several lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// On lines of their own before it.
    pub head: String,
    /// At the end of its line.
    pub line: String,
    /// On lines of their own after it.
    pub foot: String,
}

/// Who gets the events, each with the byte where it starts.
pub(crate) trait Receiver<'t> {
    /// Whether it wants comments.
    const COMMENTS: bool = false;

    /// # Errors
    /// What is wrong with the document for the receiver; it gets no further event.
    fn take(
        &mut self,
        event: Event<'t>,
        at: usize,
        comments: Option<Box<Comments>>,
    ) -> Result<(), Box<Diagnostic>>;
}

/// Why reading ended.
pub(crate) enum Stop {
    /// The text is not YAML.
    Fault(Fault),
    /// The receiver refused an event.
    Refused(Box<Diagnostic>),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Box<Diagnostic>> for Stop {
    fn from(error: Box<Diagnostic>) -> Self {
        Self::Refused(error)
    }
}

type Parse<T> = Result<T, Stop>;

/// The prefix that `!!` stands for.
pub(crate) const CORE: &str = "tag:yaml.org,2002:";

const ALIGN: &str = "entries of one mapping or list start in the same column, and a key is followed by `: `";

/// Reads one document after the other.
pub(crate) struct Grammar<'t, 'r, R> {
    tokens: Scanner<'t>,
    receiver: &'r mut R,
    /// Handles of tags and the prefixes that they stand for.
    handles: Vec<(&'t str, Cow<'t, str>)>,
    is_first: bool,
    /// Comments up to the next token that no event had.
    pending: Comments,
    /// The head of a list item that is a collection: it belongs to the collection, not to what is first in it.
    stem: String,
}

/// Where a node is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a block, where a list may not be in the column of what is around it.
    Block,
    /// The key or value of a mapping in a block, where it may.
    Entry,
    Flow,
}

impl<'t, 'r, R: Receiver<'t>> Grammar<'t, 'r, R> {
    pub(crate) fn new(text: &'t str, receiver: &'r mut R) -> Self {
        let tokens = Scanner::new(text);
        let tokens = if R::COMMENTS { tokens.with_comments() } else { tokens };
        let (pending, stem) = (Comments::default(), String::new());
        Self { tokens, receiver, handles: Vec::new(), is_first: true, pending, stem }
    }

    fn kind(&mut self) -> Parse<&Kind<'t>> {
        if R::COMMENTS {
            self.collect_comments()?;
        }
        Ok(&self.tokens.peek()?.kind)
    }

    fn at(&mut self) -> Parse<usize> {
        Ok(self.tokens.peek()?.at)
    }

    /// Takes the comments that belong to the next token.
    fn collect_comments(&mut self) -> Parse<()> {
        let token = self.tokens.peek()?;
        let (at, ends_block) = (token.at, token.kind == Kind::BlockEnd);
        while let Some(next) = self.tokens.comment_until(at) {
            if ends_block && next.relation == Relation::Head {
                break;
            }
            let Some(comment) = self.tokens.take_comment() else { break };
            let into = match comment.relation {
                Relation::Head => &mut self.pending.head,
                Relation::Line => &mut self.pending.line,
                Relation::Foot => &mut self.pending.foot,
            };
            if !into.is_empty() {
                into.push('\n');
            }
            into.push_str(&comment.text);
        }
        Ok(())
    }

    fn take_comments(&mut self) -> Option<Box<Comments>> {
        if !R::COMMENTS {
            return None;
        }
        self.stem.clear();
        Some(Box::new(std::mem::take(&mut self.pending)))
    }

    /// The head that a collection has from the list item that it is.
    fn take_stem(&mut self) -> Option<Box<Comments>> {
        let head = std::mem::take(&mut self.stem);
        (!head.is_empty()).then(|| Box::new(Comments { head, ..Comments::default() }))
    }

    /// Keeps the head of a list item for the collection that it is; `length` is that of what came before the dash.
    fn split_stem(&mut self, length: usize) -> Parse<()> {
        let is_collection = matches!(self.kind()?, Kind::BlockSequenceStart | Kind::BlockMappingStart);
        if is_collection && length > 0 {
            let rest = self.pending.head.split_off(length);
            self.stem = std::mem::replace(
                &mut self.pending.head,
                rest.strip_prefix('\n').unwrap_or(&rest).to_owned(),
            );
        }
        Ok(())
    }

    fn take(&mut self) -> Parse<Token<'t>> {
        Ok(self.tokens.take()?)
    }

    /// Takes the next token when it is of this kind.
    fn takes(&mut self, kind: &Kind<'t>) -> Parse<bool> {
        let is_next = self.kind()? == kind;
        if is_next {
            self.take()?;
        }
        Ok(is_next)
    }

    fn report(&mut self, event: Event<'t>, at: usize) -> Parse<()> {
        Ok(self.receiver.take(event, at, None)?)
    }

    fn report_with(&mut self, event: Event<'t>, at: usize, comments: Option<Box<Comments>>) -> Parse<()> {
        Ok(self.receiver.take(event, at, comments)?)
    }

    fn fault<T>(&mut self, message: &'static str, help: Option<&'static str>) -> Parse<T> {
        let at = self.at()?;
        Err(Fault { message, help, at }.into())
    }

    /// Where content follows after the last document, whatever it is.
    pub(super) fn trailing(&mut self) -> Option<usize> {
        match self.tokens.peek() {
            Ok(token) => (!matches!(token.kind, Kind::StreamEnd | Kind::DocumentStart)).then_some(token.at),
            Err(fault) => Some(fault.at),
        }
    }

    /// Reads one document. False at the end of the text.
    pub(crate) fn document(&mut self) -> Parse<bool> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        while !is_first && self.takes(&Kind::DocumentEnd)? {}
        let start = self.at()?;
        match self.kind()? {
            Kind::StreamEnd => return Ok(false),
            Kind::Version(..) | Kind::TagDirective { .. } | Kind::DocumentStart => {
                self.explicit_start(start)?;
            }
            _ if is_first => {
                self.add_default_handles();
                let comments = self.document_head();
                self.report_with(Event::DocumentStart, start, comments)?;
                self.node(Place::Block)?;
            }
            _ => {
                return self
                    .fault("another document cannot start here", Some("separate documents with `---`"));
            }
        }
        self.handles.clear();
        let end = self.at()?;
        self.takes(&Kind::DocumentEnd)?;
        let mut comments = self.take_comments();
        if let Some(comments) = comments.as_mut().filter(|comments| comments.foot.is_empty()) {
            comments.foot = std::mem::take(&mut comments.head);
        }
        self.report_with(Event::DocumentEnd, end, comments)?;
        Ok(true)
    }

    /// The comment at the start of a document that a blank line separates from that of its first node.
    fn document_head(&mut self) -> Option<Box<Comments>> {
        let text = std::mem::take(&mut self.pending.head);
        let parted = text.strip_suffix('\n').map(|head| (head, "")).or_else(|| text.rsplit_once("\n\n"));
        let Some((head, rest)) = parted else {
            self.pending.head = text;
            return None;
        };
        rest.clone_into(&mut self.pending.head);
        let head = head.to_owned();
        Some(Box::new(Comments { head, ..Comments::default() }))
    }

    fn explicit_start(&mut self, start: usize) -> Parse<()> {
        self.directives()?;
        if !self.takes(&Kind::DocumentStart)? {
            return self.fault("another document cannot start here", Some("separate documents with `---`"));
        }
        self.report(Event::DocumentStart, start)?;
        match self.kind()? {
            Kind::Version(..)
            | Kind::TagDirective { .. }
            | Kind::DocumentStart
            | Kind::DocumentEnd
            | Kind::StreamEnd => self.empty(start),
            _ => self.node(Place::Block),
        }
    }

    fn directives(&mut self) -> Parse<()> {
        let mut has_version = false;
        loop {
            match self.kind()? {
                Kind::Version(..) if has_version => return self.fault("a second version of YAML", None),
                Kind::Version(1, 1) => {
                    has_version = true;
                    self.take()?;
                }
                Kind::Version(..) => {
                    return self.fault("this is not version 1.1 of YAML", Some("remove the directive"));
                }
                Kind::TagDirective { handle, .. } => {
                    let handle = *handle;
                    if self.handles.iter().any(|(known, _)| *known == handle) {
                        return self.fault("this handle of tags is defined more than once", None);
                    }
                    if let Kind::TagDirective { handle, prefix } = self.take()?.kind {
                        self.handles.push((handle, prefix));
                    }
                }
                _ => break,
            }
        }
        self.add_default_handles();
        Ok(())
    }

    fn add_default_handles(&mut self) {
        for (handle, prefix) in [("!", "!"), ("!!", CORE)] {
            if !self.handles.iter().any(|(known, _)| *known == handle) {
                self.handles.push((handle, Cow::Borrowed(prefix)));
            }
        }
    }

    fn empty(&mut self, at: usize) -> Parse<()> {
        let (text, style) = (Cow::Borrowed(""), Style::Plain);
        self.report(Event::Scalar { text, style, properties: Properties::default() }, at)
    }

    fn node(&mut self, place: Place) -> Parse<()> {
        if let Kind::Alias(name) = *self.kind()? {
            let at = self.take()?.at;
            let comments = self.take_comments();
            return self.report_with(Event::Alias(name), at, comments);
        }
        let start = self.at()?;
        let properties = self.properties()?;
        let at = self.at()?;
        match self.kind()? {
            Kind::BlockEntry if place == Place::Entry => self.indentless_sequence(properties),
            Kind::Scalar { .. } => {
                let Kind::Scalar { text, style } = self.take()?.kind else { return Ok(()) };
                let comments = self.take_comments();
                self.report_with(Event::Scalar { text, style, properties }, at, comments)
            }
            Kind::FlowSequenceStart => self.flow_sequence(properties),
            Kind::FlowMappingStart => self.flow_mapping(properties),
            Kind::BlockSequenceStart if place != Place::Flow => self.block_sequence(properties),
            Kind::BlockMappingStart if place != Place::Flow => self.block_mapping(properties),
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                let (text, style) = (Cow::Borrowed(""), Style::Plain);
                self.report(Event::Scalar { text, style, properties }, start)
            }
            Kind::BlockEntry => self.fault("a list cannot start here", Some(ALIGN)),
            _ => {
                self.fault("a value is expected here", Some("is a quote, bracket or brace left open above?"))
            }
        }
    }

    /// An anchor and a tag, in any order.
    fn properties(&mut self) -> Parse<Properties<'t>> {
        let mut properties = Properties::default();
        loop {
            match self.kind()? {
                Kind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(*name);
                    self.take()?;
                }
                Kind::Tag { .. } if properties.tag.is_none() => properties.tag = Some(self.tag()?),
                _ => return Ok(properties),
            }
        }
    }

    fn tag(&mut self) -> Parse<Cow<'t, str>> {
        let token = self.take()?;
        let Kind::Tag { handle, suffix } = token.kind else { return Ok(Cow::Borrowed("")) };
        if handle.is_empty() {
            return Ok(suffix);
        }
        if let Some((_, prefix)) = self.handles.iter().find(|(known, _)| *known == handle) {
            return Ok(Cow::Owned(format!("{prefix}{suffix}")));
        }
        let (message, help) = ("this handle of tags is not defined", None);
        Err(Fault { message, help, at: token.at }.into())
    }

    fn block_sequence(&mut self, properties: Properties<'t>) -> Parse<()> {
        let start = self.take()?.at;
        let stem = self.take_stem();
        self.report_with(Event::SeqStart { in_flow: false, properties }, start, stem)?;
        while self.kind()? == &Kind::BlockEntry {
            let head = self.pending.head.len();
            let dash = self.take()?.at;
            self.split_stem(head)?;
            match self.kind()? {
                Kind::BlockEntry | Kind::BlockEnd => self.empty(dash + 1)?,
                _ => self.node(Place::Block)?,
            }
        }
        let end = self.at()?;
        if !self.takes(&Kind::BlockEnd)? {
            return self.fault("a list item that starts with `-` is expected here", Some(ALIGN));
        }
        self.report(Event::SeqEnd, end)
    }

    /// A list whose dashes are in the column of the key that it belongs to.
    fn indentless_sequence(&mut self, properties: Properties<'t>) -> Parse<()> {
        let start = self.at()?;
        self.report(Event::SeqStart { in_flow: false, properties }, start)?;
        while self.kind()? == &Kind::BlockEntry {
            let head = self.pending.head.len();
            let dash = self.take()?.at;
            self.split_stem(head)?;
            match self.kind()? {
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(dash + 1)?,
                _ => self.node(Place::Block)?,
            }
        }
        let end = self.at()?;
        self.report(Event::SeqEnd, end)
    }

    fn block_mapping(&mut self, properties: Properties<'t>) -> Parse<()> {
        let start = self.take()?.at;
        let stem = self.take_stem();
        self.report_with(Event::MapStart { in_flow: false, properties }, start, stem)?;
        while self.kind()? == &Kind::Key {
            self.block_entry_part()?;
            if self.kind()? == &Kind::Value {
                self.block_entry_part()?;
            } else {
                let at = self.at()?;
                self.empty(at)?;
            }
        }
        let end = self.at()?;
        if !self.takes(&Kind::BlockEnd)? {
            return self.fault("a key is expected here", Some(ALIGN));
        }
        let comments = self.take_comments();
        self.report_with(Event::MapEnd, end, comments)
    }

    /// What follows the token of a key or a value.
    fn block_entry_part(&mut self) -> Parse<()> {
        let indicator = self.take()?.at;
        match self.kind()? {
            Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(indicator + 1),
            _ => self.node(Place::Entry),
        }
    }

    fn flow_sequence(&mut self, properties: Properties<'t>) -> Parse<()> {
        let start = self.take()?.at;
        let comments = self.take_comments();
        self.report_with(Event::SeqStart { in_flow: true, properties }, start, comments)?;
        let mut is_first = true;
        while self.kind()? != &Kind::FlowSequenceEnd {
            if !is_first && !self.takes(&Kind::FlowEntry)? {
                return self.fault("`,` or `]` is expected here", Some("is a bracket left open above?"));
            }
            is_first = false;
            match self.kind()? {
                Kind::Key => self.flow_pair()?,
                Kind::FlowSequenceEnd => {}
                _ => self.node(Place::Flow)?,
            }
        }
        let end = self.take()?.at;
        let comments = self.take_comments();
        self.report_with(Event::SeqEnd, end, comments)
    }

    /// `[key: value]`: a mapping of one entry without braces. Where the key is missing, libyaml drops the token after it, so that
    /// `[? : value]` is refused.
    fn flow_pair(&mut self) -> Parse<()> {
        let start = self.take()?.at;
        self.report(Event::MapStart { in_flow: true, properties: Properties::default() }, start)?;
        match self.kind()? {
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                self.take()?;
                self.empty(start)?;
            }
            _ => self.node(Place::Flow)?,
        }
        self.flow_value(&Kind::FlowSequenceEnd)?;
        let end = self.at()?;
        self.report(Event::MapEnd, end)
    }

    /// The value of an entry in a flow collection, which `end` closes.
    fn flow_value(&mut self, end: &Kind<'t>) -> Parse<()> {
        if self.takes(&Kind::Value)? && self.kind()? != &Kind::FlowEntry && self.kind()? != end {
            return self.node(Place::Flow);
        }
        let at = self.at()?;
        self.empty(at)
    }

    fn flow_mapping(&mut self, properties: Properties<'t>) -> Parse<()> {
        let start = self.take()?.at;
        let comments = self.take_comments();
        self.report_with(Event::MapStart { in_flow: true, properties }, start, comments)?;
        let mut is_first = true;
        while self.kind()? != &Kind::FlowMappingEnd {
            if !is_first && !self.takes(&Kind::FlowEntry)? {
                return self.fault("`,` or `}` is expected here", Some("is a brace left open above?"));
            }
            is_first = false;
            self.flow_entry()?;
        }
        let end = self.take()?.at;
        let comments = self.take_comments();
        self.report_with(Event::MapEnd, end, comments)
    }

    fn flow_entry(&mut self) -> Parse<()> {
        if self.takes(&Kind::Key)? {
            match self.kind()? {
                Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => {
                    let at = self.at()?;
                    self.empty(at)?;
                }
                _ => self.node(Place::Flow)?,
            }
            return self.flow_value(&Kind::FlowMappingEnd);
        }
        if self.kind()? == &Kind::FlowMappingEnd {
            return Ok(());
        }
        self.node(Place::Flow)?;
        let at = self.at()?;
        self.empty(at)
    }
}
