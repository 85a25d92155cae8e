//! Errors and warnings with their location and help: the error type of all crates.
//!
//! A [`Diagnostic`] has a [`Code`], a message, the places it refers to ([`Mark`]s into [`Sources`]) and, where there is
//! one, a suggestion. Stages return [`Diagnostics`], so that every independent error of a run is reported, not only the
//! first. Text of other programs is kept in [`Foreign`]; [`mod@text`] decides what of it may be shown.
//!
//! This crate must never know YAML, Kubernetes or files. An implementation of [`Redact`] decides
//! what is secret in a text; nothing is rendered without one. Every other crate is built on this one, and others may be.
//!
//! ```
//! use kfc_diagnostics::{Code, Diagnostic, Mark, NothingSecret, Sources, Style, render};
//!
//! let sources = Sources::default();
//! let (source, _) = sources.add("kustomization.yaml", "namePrefx: a-\n");
//! let error = Diagnostic::error(Code::UnknownField, "unknown field `namePrefx`").at(Mark { source, offset: 0 });
//! let text = render(&error.into(), &sources, Style { colour: false, width: 80 }, &NothingSecret);
//! assert!(text.contains(" --> kustomization.yaml:1:1"));
//! ```

pub mod address;
mod code;
mod diagnostic;
mod foreign;
mod numbers;
mod redact;
mod render;
mod source;
mod suggest;
pub mod text;

pub use code::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Result, Severity};
pub use foreign::Foreign;
pub use numbers::{Numbers, credential, is_token, token};
pub use redact::{NothingSecret, Redact};
pub use render::{Style, redacted, render, render_plain, render_run};
pub use source::{Mark, Position, Source, SourceId, Sources, Target};
pub use suggest::{edits, nearest};
