//! Documents that keep how they are written: the styles of scalars and collections, tags, anchors and comments.
//!
//! kustomize writes the YAML in a field of a resource again after a replacement changed it. Go's YAML library then keeps of
//! the text what is in this tree, and nothing else: blank lines and the indentation of lists go. `kustomize cfg` reads and
//! writes resources so, too.

mod build;
mod node;
mod write;

pub use crate::parse::grammar::Comments;
pub use crate::parse::token::Style;
pub use build::{parse, parse_resources};
pub use node::{Content, StyledDocument, StyledNode};
pub use write::{Layout, write, write_all, write_all_in, write_in};

#[cfg(test)]
mod tests;
