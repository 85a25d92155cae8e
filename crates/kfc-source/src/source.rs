//! What a remote source is, and what pins it.

use kfc_diagnostics::address::bare_address;
use kfc_diagnostics::text::for_message;
use std::fmt;
use std::time::Duration;

/// A remote source, by all that its tree depends on. Two entries with the same values are one source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A Helm chart of a repository, over https or OCI.
    Chart {
        /// The repository's URL, `https://…` or `oci://…`.
        repository: String,
        /// The chart.
        name: String,
        /// The version or range of versions; empty for the newest.
        version: String,
    },
    /// A single file.
    File {
        /// Its URL.
        url: String,
    },
    /// A git repository at a ref.
    Git {
        /// The address that git gets.
        repository: String,
        /// Branch, tag or commit; empty for the default branch.
        reference: String,
        /// Whether submodules are fetched.
        submodules: bool,
    },
    /// An OCI artifact.
    Oci {
        /// Registry and name, `ghcr.io/org/name`.
        repository: String,
        /// A tag, or a digest with its `sha256:`.
        reference: String,
    },
}

impl Source {
    /// Whether a word is a name of this source: its text in messages, its address, or the last part of that.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        let source = self.bare();
        let address = source.address();
        let bare = address.split_once("://").map_or(address, |(_, rest)| rest);
        let bare = bare.trim_end_matches('/').trim_end_matches(".git");
        word == self.to_string() || word == address || word == bare || word == self.short_name()
    }

    /// The last part of its address.
    #[must_use]
    pub fn short_name(&self) -> &str {
        match self {
            Self::Chart { name, .. } => name,
            Self::File { .. } => self.file_name().unwrap_or("file"),
            Self::Git { repository: address, .. } | Self::Oci { repository: address, .. } => {
                let bare = address.trim_end_matches('/').trim_end_matches(".git");
                bare.rsplit(['/', ':']).next().unwrap_or(bare)
            }
        }
    }

    /// The same source without the credentials in its address: what locks have, and what sources are compared by.
    #[must_use]
    pub fn bare(&self) -> Self {
        let mut bare = self.clone();
        let (Self::Chart { repository: address, .. }
        | Self::Git { repository: address, .. }
        | Self::Oci { repository: address, .. }
        | Self::File { url: address }) = &mut bare;
        *address = bare_address(address);
        bare
    }

    fn address(&self) -> &str {
        match self {
            Self::Chart { repository, .. } | Self::Git { repository, .. } | Self::Oci { repository, .. } => {
                repository
            }
            Self::File { url } => url,
        }
    }

    /// For a single file, the name that it has in its tree.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        let Self::File { url } = self else { return None };
        let address = url.split(['?', '#']).next().unwrap_or(url);
        let path = address
            .split_once("://")
            .map_or("", |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        let name = path.rsplit('/').next().unwrap_or("");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        let is_plain = name.len() <= 200 && name.chars().all(plain) && !name.starts_with('.');
        Some(if is_plain && !name.is_empty() { name } else { "file" })
    }
}

/// Without credentials, for messages, progress and locks.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match &self.bare() {
            Self::Chart { repository, name, version } if version.is_empty() => {
                format!("{name} of {repository}")
            }
            Self::Chart { repository, name, version } => format!("{name} {version} of {repository}"),
            Self::File { url } => url.clone(),
            Self::Git { repository, reference, .. } if reference.is_empty() => repository.clone(),
            Self::Git { repository, reference, .. } => format!("{repository}?ref={reference}"),
            Self::Oci { repository, reference } => {
                let parted_by = if reference.starts_with("sha256:") { '@' } else { ':' };
                format!("oci://{repository}{parted_by}{reference}")
            }
        };
        f.write_str(&for_message(&text))
    }
}

/// The commit or digest of a source when it was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// The commit of a repository, the version of a chart, the digest of an OCI manifest; empty for files.
    pub revision: String,
    /// The sha256 of a chart's archive; empty for others.
    pub archive: String,
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_commit = self.revision.len() == 40 && self.revision.bytes().all(|b| b.is_ascii_hexdigit());
        f.write_str(if is_commit { &self.revision[..12] } else { &self.revision })
    }
}

/// A source that is needed, and how long it may take to fetch.
#[derive(Clone, Debug)]
pub struct Request {
    /// The source.
    pub source: Source,
    /// How long git may take; other fetches have limits of their own.
    pub timeout: Duration,
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn sources_are_called_by_several_names() {
        let git = Source::Git {
            repository: "https://github.com/org/repo.git".to_owned(),
            reference: "v1".to_owned(),
            submodules: true,
        };
        for word in ["repo", "github.com/org/repo", "https://github.com/org/repo.git?ref=v1"] {
            assert!(git.is_called(word), "{word}");
        }
        assert!(!git.is_called("org"));
    }

    #[test]
    fn credentials_are_no_part_of_what_a_source_is() {
        let file = |url: &str| Source::File { url: url.to_owned() };
        let secret = file("https://me:PLANTED@host/a.yaml?b=c&token=PLANTED");
        assert_eq!(secret.bare(), file("https://host/a.yaml?b=c"));
        assert_eq!(secret.to_string(), "https://host/a.yaml?b=c");
        assert!(secret.is_called("host/a.yaml?b=c"));
        let git = |repository: &str| Source::Git {
            repository: repository.to_owned(),
            reference: "v1".to_owned(),
            submodules: true,
        };
        assert_eq!(git("https://PLANTED@host/o/r").to_string(), "https://host/o/r?ref=v1");
        assert_eq!(git("ssh://git@host/o/r").bare(), git("ssh://git@host/o/r"));
    }

    #[test]
    fn files_have_plain_names() {
        let name = |url: &str| Source::File { url: url.to_owned() }.file_name().unwrap().to_owned();
        assert_eq!(name("https://host/a/b.yaml?x=y/z"), "b.yaml");
        assert_eq!(name("https://host/a/..%2f"), "file");
        assert_eq!(name("https://host"), "file");
        assert_eq!(name("https://host/.."), "file");
    }
}
