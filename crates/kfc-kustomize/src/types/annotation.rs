//! Annotations that several parts know.

/// Marks a resource that is for tools or for the build, and not for a cluster.
pub(crate) const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";
