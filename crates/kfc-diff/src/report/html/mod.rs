//! One page for a browser: no server, no network, no fonts or scripts from elsewhere. Without scripts it can be read;
//! with them it can be searched and filtered.
//!
//! All values go through the template's escaping and stand in text or in quoted attributes, never in a script or a style;
//! the content security policy lets nothing run but the one script, by its hash.

mod graph;
mod page;
mod rows;

pub(super) use page::html;
