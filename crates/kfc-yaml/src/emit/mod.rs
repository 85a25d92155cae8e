//! Writes nodes exactly as kustomize writes them.
//!
//! In kustomize a value is read by Go's YAML v3 library, becomes JSON, is read back and written by the v2 library. The
//! net effect is done here in one pass over the tree: sorted keys (`order`), v2's choice of styles (`style`), numbers
//! normalised (`number`), strings as they come out of JSON (`through_json`).

mod document;
mod order;
mod text;
mod through_json;
mod value;

pub use crate::number::{
    float, float_from_json, go_float, go_float_key, go_integer, go_integer_key, integer, is_timestamp,
    json_number,
};
pub use crate::style::is_written_plain;
pub use document::{emit, emit_all, emit_at};
pub use order::compare as compare_keys;
pub use value::{Written, is_true, key_text, written};

#[cfg(test)]
mod tests;
