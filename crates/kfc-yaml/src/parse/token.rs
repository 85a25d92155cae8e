//! Tokens, the comments between them, and faults.

use std::borrow::Cow;

/// What is wrong with a text, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: &'static str,
    pub(crate) help: Option<&'static str>,
    /// Byte in the text.
    pub(crate) at: usize,
}

pub(super) type Scan<T> = std::result::Result<T, Fault>;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of YAML")]
pub enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    StreamEnd,
    /// `%YAML 1.1`.
    Version(u8, u8),
    /// `%TAG`.
    TagDirective {
        handle: &'t str,
        prefix: Cow<'t, str>,
    },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'t str),
    Anchor(&'t str),
    /// The handle is empty for `!<…>` and for `!` alone, whose suffix is `!`.
    Tag {
        handle: &'t str,
        suffix: Cow<'t, str>,
    },
    Scalar {
        text: Cow<'t, str>,
        style: Style,
    },
}

/// The kinds of tokens that decide what a comment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    BlockEntry,
    BlockSequenceStart,
    FlowEntry,
    Value,
    Other,
}

/// A token that was read, with its start.
pub(super) type Seen = Option<(Sort, usize)>;

impl Kind<'_> {
    pub(super) fn sort(&self) -> Sort {
        match self {
            Self::BlockEntry => Sort::BlockEntry,
            Self::BlockSequenceStart => Sort::BlockSequenceStart,
            Self::FlowEntry => Sort::FlowEntry,
            Self::Value => Sort::Value,
            _ => Sort::Other,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    /// The byte where it starts.
    pub(super) at: usize,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    pub(super) byte: usize,
    pub(super) character: usize,
    pub(super) line: usize,
    /// In characters.
    pub(super) column: usize,
}

/// What a comment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Head,
    Line,
    Foot,
}

/// One comment, which may have several lines.
#[derive(Clone, Debug)]
pub(super) struct Comment {
    pub(super) relation: Relation,
    pub(super) text: String,
    /// It belongs to the first token that starts here or later.
    pub(super) token: usize,
    pub(super) start: Position,
    pub(super) end: usize,
    /// Where the blanks before it begin.
    pub(super) scan: usize,
}
