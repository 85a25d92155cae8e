//! The tree of a styled document.

use crate::node::ScalarKind;
use crate::parse::grammar::Comments;
use crate::parse::resolve_plain;
use crate::parse::token::Style;

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of YAML")]
pub enum Content {
    Scalar {
        text: String,
        style: Style,
    },
    Map {
        entries: Vec<(StyledNode, StyledNode)>,
        in_flow: bool,
    },
    Seq {
        items: Vec<StyledNode>,
        in_flow: bool,
    },
    /// The name of an anchor.
    Alias(String),
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyledNode {
    /// What it is.
    pub content: Content,
    /// What its tag is, written or not, in the short form `!!str`; empty for that of the text.
    pub tag: String,
    /// Whether the tag is written.
    pub is_tagged: bool,
    /// Its anchor.
    pub anchor: Option<String>,
    /// Its comments.
    pub comments: Comments,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyledDocument {
    /// The node that it is.
    pub root: StyledNode,
    /// Comments around it, apart from those of the node.
    pub comments: Comments,
}

impl StyledNode {
    /// A node that nobody wrote: without tag, anchor and comments.
    #[must_use]
    pub fn new(content: Content) -> Self {
        Self { content, tag: String::new(), is_tagged: false, anchor: None, comments: Comments::default() }
    }

    /// A scalar without quotes.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self::new(Content::Scalar { text: text.to_owned(), style: Style::Plain })
    }

    /// A mapping in a block.
    #[must_use]
    pub fn mapping(entries: Vec<(Self, Self)>) -> Self {
        Self::new(Content::Map { entries, in_flow: false })
    }

    /// A string in a style.
    #[must_use]
    pub fn string(text: &str, style: Style) -> Self {
        let content = Content::Scalar { text: text.to_owned(), style };
        Self { tag: "!!str".to_owned(), ..Self::new(content) }
    }

    /// The text of a scalar.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether it is a null scalar.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.as_text().is_some() && self.tag == "!!null"
    }

    /// The value with this key, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Content::Map { entries, .. } = &self.content else { return None };
        entries.iter().find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value)
    }

    /// As [`get`](Self::get), to change the value.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Content::Map { entries, .. } = &mut self.content else { return None };
        entries.iter_mut().find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value)
    }

    /// The word of YAML for what it is.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar { .. } => "a scalar",
            Content::Map { .. } => "a mapping",
            Content::Seq { .. } => "a sequence",
            Content::Alias(_) => "an alias",
        }
    }

    /// Takes the style that Go's library calls flow: on one line where that is possible, without quotes and tag.
    pub fn set_flow(&mut self) {
        self.is_tagged = false;
        match &mut self.content {
            Content::Scalar { style, .. } => *style = Style::Plain,
            Content::Map { in_flow, .. } | Content::Seq { in_flow, .. } => *in_flow = true,
            Content::Alias(_) => {}
        }
    }

    /// Takes all comments out, of what is in it too.
    pub fn strip_comments(&mut self) {
        self.comments = Comments::default();
        match &mut self.content {
            Content::Map { entries, .. } => {
                for (key, value) in entries {
                    key.strip_comments();
                    value.strip_comments();
                }
            }
            Content::Seq { items, .. } => items.iter_mut().for_each(Self::strip_comments),
            Content::Scalar { .. } | Content::Alias(_) => {}
        }
    }
}

/// The short tag of a text without quotes.
pub(super) fn resolved_tag(text: &str) -> &'static str {
    match resolve_plain(text) {
        ScalarKind::Str | ScalarKind::Binary => "!!str",
        ScalarKind::Null => "!!null",
        ScalarKind::Bool => "!!bool",
        ScalarKind::Int => "!!int",
        ScalarKind::Float => "!!float",
        ScalarKind::Timestamp => "!!timestamp",
    }
}
