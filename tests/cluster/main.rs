//! `kfc apply`, `kfc delete` and `kfc inventory` against the stand-in for an API server in `tests/apiserver`, for faults that a
//! real server cannot be made to show. Most of these tests wait, so they are one program, and run beside each other.

#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(clippy::print_stderr, reason = "says what it skips or measures")]

mod apply;
#[cfg(unix)]
mod owners;
mod standin;
#[cfg(unix)]
mod trouble;
