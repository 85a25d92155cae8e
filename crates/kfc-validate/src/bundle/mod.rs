//! Checks of a whole bundle: that what its resources refer to exists, that selectors select something, that no resource
//! comes before one that it needs, that its CRDs are structural, and that namespaces admit its pods.

mod check;
mod needs;
mod order;
mod pod_security;
mod references;
mod selectors;
mod structural;
mod twice;

pub(super) use check::check;
pub use order::order;
pub(super) use pod_security::APPARMOR;
