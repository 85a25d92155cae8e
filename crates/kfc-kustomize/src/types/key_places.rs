//! Where the keys of a mapping are.

use kfc_diagnostics::Mark;

/// The location of each key, in source order.
pub type KeyPlaces = Vec<(String, Mark)>;
