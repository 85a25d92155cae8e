//! The two parts of an `apiVersion`.

use std::fmt;

/// Group and version of an `apiVersion`: `apps/v1`, or `v1` of the core group.
///
/// ```
/// use kfc_kube::GroupVersion;
///
/// let deployments = GroupVersion::parse("apps/v1");
/// assert_eq!((deployments.group, deployments.version), ("apps", "v1"));
/// assert_eq!(GroupVersion::parse("v1"), GroupVersion { group: "", version: "v1" });
/// assert_eq!(deployments.to_string(), "apps/v1");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupVersion<'a> {
    /// API group; empty for the core group.
    pub group: &'a str,
    /// API version.
    pub version: &'a str,
}

impl<'a> GroupVersion<'a> {
    /// Splits at the first slash. A text without one is a version of the core group.
    #[must_use]
    pub fn parse(api_version: &'a str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group, version }
    }
}

/// Writes what [`GroupVersion::parse`] reads.
impl fmt::Display for GroupVersion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group {
            "" => f.write_str(self.version),
            group => write!(f, "{group}/{}", self.version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GroupVersion;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_printed_is_read(group in "[a-z0-9.]{0,20}", version in "[a-z0-9]{0,10}") {
            let one = GroupVersion { group: &group, version: &version };
            let printed = one.to_string();
            prop_assert_eq!(GroupVersion::parse(&printed), one);
        }
    }

    #[test]
    fn the_first_slash_counts() {
        assert_eq!(GroupVersion::parse("a/b/c"), GroupVersion { group: "a", version: "b/c" });
        assert_eq!(GroupVersion::parse("/v1"), GroupVersion { group: "", version: "v1" });
        assert_eq!(GroupVersion::parse("apps/"), GroupVersion { group: "apps", version: "" });
    }
}
