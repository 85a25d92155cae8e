//! Versions of Kubernetes.

use std::fmt;

/// A minor version of Kubernetes 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32);

impl Version {
    /// Reads `1.32`, `v1.32`, `1.32.4` or `v1.32.4-gke.100`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let minor = text.strip_prefix("1.")?;
        let digits = minor.split(['.', '-', '+']).next()?;
        digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit())).map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

/// The versions from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first one.
    pub first: Version,
    /// The last one.
    pub last: Version,
}

impl Span {
    /// Whether a version lies in it.
    #[must_use]
    pub fn contains(self, version: Version) -> bool {
        self.first <= version && version <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_are_read_as_clusters_tell_them() {
        for text in ["1.32", "v1.32", "1.32.4", "v1.32.4-gke.100", "1.32+"] {
            assert_eq!(Version::parse(text), Some(Version(32)), "{text}");
        }
        for text in ["", "1", "2.32", "1.", "1.x", "32", "1.+3"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
