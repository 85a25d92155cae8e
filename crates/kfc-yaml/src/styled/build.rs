//! From text to styled documents.

use super::node::{Content, StyledDocument, StyledNode, resolved_tag};
use crate::parse::documents::resource_parts;
use crate::parse::general::syntax_error;
use crate::parse::grammar::{CORE, Comments, Event, Grammar, Properties, Receiver, Stop};
use crate::parse::token::Style;
use crate::size::DEEPEST;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId};
use std::collections::HashSet;
use std::ops::Range;

/// Reads the first document of a text; nothing when it has none, or is not YAML.
#[must_use]
pub fn parse(text: &str) -> Option<StyledDocument> {
    read(text).ok().flatten()
}

/// Reads the documents of a file of resources, split as [`parse_resources`](crate::parse::parse_resources) does. Empty ones give
/// nothing.
///
/// # Errors
/// Text that is not YAML, or is nested too deep, with its place.
pub fn parse_resources(text: &str, source: SourceId) -> Result<Vec<StyledDocument>> {
    let mut errors = Diagnostics::default();
    let mut documents = Vec::new();
    for Range { start, end } in resource_parts(text, source)? {
        let mark = |at: usize| Mark { source, offset: u32::try_from(start + at).unwrap_or(u32::MAX) };
        match read(text.get(start..end).unwrap_or_default()) {
            Ok(document) => documents.extend(document.filter(|document| !document.root.is_null())),
            Err(Stop::Fault(fault)) => errors.push(syntax_error(&fault, mark(fault.at))),
            Err(Stop::Refused(error)) => errors.push(error.at(mark(0))),
        }
    }
    errors.into_result(documents)
}

fn read(text: &str) -> std::result::Result<Option<StyledDocument>, Stop> {
    let mut builder = Builder::default();
    let has_document = Grammar::new(text, &mut builder).document()?;
    let root = builder.root.filter(|_| has_document);
    Ok(root.map(|root| StyledDocument { root, comments: builder.comments }))
}

#[derive(Default)]
struct Builder {
    stack: Vec<Open>,
    root: Option<StyledNode>,
    comments: Comments,
    anchors: HashSet<String>,
}

/// A collection that is being read.
struct Open {
    node: StyledNode,
    /// The key that waits for its value.
    key: Option<StyledNode>,
}

impl<'t> Receiver<'t> for Builder {
    const COMMENTS: bool = true;

    fn take(
        &mut self,
        event: Event<'t>,
        _: usize,
        comments: Option<Box<Comments>>,
    ) -> std::result::Result<(), Box<Diagnostic>> {
        let comments = comments.map(|comments| *comments).unwrap_or_default();
        match event {
            Event::DocumentStart => self.comments.head = comments.head,
            Event::DocumentEnd => self.comments.foot = comments.foot,
            Event::MapStart { in_flow, properties } => {
                self.open(Content::Map { entries: Vec::new(), in_flow }, "!!map", properties, comments)?;
            }
            Event::SeqStart { in_flow, properties } => {
                self.open(Content::Seq { items: Vec::new(), in_flow }, "!!seq", properties, comments)?;
            }
            Event::MapEnd | Event::SeqEnd => self.close(comments),
            Event::Alias(name) if self.anchors.contains(name) => {
                self.place(StyledNode { comments, ..StyledNode::new(Content::Alias(name.to_owned())) });
            }
            Event::Alias(_) => return Err(refused("the anchor does not exist").into()),
            Event::Scalar { text, style, properties } => {
                let default = match (style, &*text) {
                    // Go's library writes this tag, although nobody wrote it.
                    (Style::Plain, "<<") => "!!merge",
                    (Style::Plain, text) => resolved_tag(text),
                    _ => "!!str",
                };
                let content = Content::Scalar { text: text.into_owned(), style };
                let node = self.node(content, default, properties, comments);
                self.place(node);
            }
        }
        Ok(())
    }
}

fn refused(why: &str) -> Diagnostic {
    Diagnostic::error(Code::Syntax, why)
}

impl Builder {
    fn node(
        &mut self,
        content: Content,
        default: &str,
        properties: Properties<'_>,
        comments: Comments,
    ) -> StyledNode {
        let tag = properties.tag.filter(|tag| tag != "!");
        let is_tagged = tag.is_some();
        let tag = match tag {
            None => default.to_owned(),
            Some(tag) => tag.strip_prefix(CORE).map_or_else(|| tag.to_string(), |name| format!("!!{name}")),
        };
        let anchor = properties.anchor.map(str::to_owned);
        self.anchors.extend(anchor.clone());
        StyledNode { content, tag, is_tagged, anchor, comments }
    }

    fn open(
        &mut self,
        content: Content,
        default: &str,
        properties: Properties<'_>,
        comments: Comments,
    ) -> std::result::Result<(), Box<Diagnostic>> {
        if self.stack.len() >= DEEPEST {
            return Err(refused("the text is nested too deep").into());
        }
        let node = self.node(content, default, properties, comments);
        self.stack.push(Open { node, key: None });
        Ok(())
    }

    /// Ends a collection. A foot in a mapping in a block is that of its last entry.
    fn close(&mut self, comments: Comments) {
        let Some(mut open) = self.stack.pop() else { return };
        let Comments { line, foot, .. } = comments;
        open.node.comments.line = line;
        match &mut open.node.content {
            Content::Map { entries, in_flow: false } if !foot.is_empty() && !entries.is_empty() => {
                if let Some((key, _)) = entries.last_mut() {
                    key.comments.foot = foot;
                }
            }
            _ => open.node.comments.foot = foot,
        }
        self.place(open.node);
    }

    /// Puts a finished node into what is open, or makes it the document.
    fn place(&mut self, mut node: StyledNode) {
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut open.node.content {
            Content::Seq { items, .. } => items.push(node),
            Content::Map { entries, in_flow } => match open.key.take() {
                None => {
                    // It comes after the entry before, which it is less indented than.
                    if let Some((before, _)) = entries.last_mut().filter(|_| !*in_flow)
                        && !node.comments.foot.is_empty()
                    {
                        before.comments.foot = std::mem::take(&mut node.comments.foot);
                    }
                    open.key = Some(node);
                }
                Some(mut key) => {
                    if key.comments.foot.is_empty() {
                        key.comments.foot = std::mem::take(&mut node.comments.foot);
                    }
                    entries.push((key, node));
                }
            },
            Content::Scalar { .. } | Content::Alias(_) => {}
        }
    }
}
