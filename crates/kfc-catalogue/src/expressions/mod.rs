//! The expressions of the catalogue: what they name, the pieces of a text around them, and the limits of what they may cost.

pub(crate) mod limits;
mod names;
mod pieces;

pub use names::{Expression, Name, names_in, touches};
pub(crate) use pieces::{Piece, split};
