//! Ordered sets of resources.

use super::Resource;

/// Resources in the order in which they were accumulated.
#[derive(Clone, Debug, Default)]
pub struct ResourceSet {
    /// The resources.
    pub list: Vec<Resource>,
}
