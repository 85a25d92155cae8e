//! The diff report in every format: text for a terminal, Markdown for a pull request, JSON, SARIF and JUnit for CI, a
//! unified diff, and one self-contained HTML page.
//!
//! [`arrange`] decides what is shown and in which order; the formats for people mark that up. For programs, [`changes`]
//! makes entries of a report; a validation makes its own. SARIF, JUnit's XML and code quality reports are written from those.

mod arrange;
mod changes;
mod code_quality;
mod entry;
mod failure;
mod format;
mod hidden;
mod html;
mod json_patch;
mod junit;
mod kinds;
mod markdown;
mod sarif;
mod style;
mod text;
mod unified;
mod view;
mod words;
mod write;

#[cfg(test)]
mod tests;

pub use code_quality::code_quality;
pub use entry::{Entry, Level, Place, Rule};
pub use format::Format;
pub use junit::{Case, Failure, Suite, junit};
pub use sarif::sarif;
pub use style::{COMMENT, Style};
pub use write::{SCHEMA, write};
