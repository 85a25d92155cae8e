//! One page for a browser: no server, no network, no fonts or scripts from elsewhere. It can be read without scripts,
//! and searched and filtered with them.
//!
//! All values go through the template's escaping and are in text or in quoted attributes, never in a script or a style;
//! the content security policy allows only the one script, by its hash.

mod graph;
mod page;
mod rows;

pub(super) use page::html;
