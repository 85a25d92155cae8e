//! Checks of a whole bundle: that nothing in it refers to what is not there, that selectors select something, that nothing
//! comes before what it needs, that its custom resource definitions are structural, and that namespaces let its pods in.

mod check;
mod needs;
mod order;
mod pod_security;
mod references;
mod selectors;
mod structural;
mod title;
mod twice;

pub(super) use check::check;
pub use order::order;
