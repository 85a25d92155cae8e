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
