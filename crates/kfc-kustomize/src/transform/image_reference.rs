//! Image references: `registry:port/name:tag@digest`.

use crate::rules::Rule;
use kfc_kube::pattern::{compile, is_plain, plain_prefix, translate};
use regex::Regex;

/// An image reference cut into its parts, as kustomize cuts it: a colon counts only after the first slash, so that a
/// registry may have a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageReference<'t> {
    /// Registry, path and name.
    pub(crate) name: &'t str,
    /// The tag; empty for none.
    pub(crate) tag: &'t str,
    /// The digest; empty for none.
    pub(crate) digest: &'t str,
}

impl<'t> ImageReference<'t> {
    /// Cuts a text; every text is a reference of some sort.
    pub(crate) fn split(text: &'t str) -> Self {
        let from = text.find('/').unwrap_or(0);
        let (before_digest, digest) = match text[from..].find('@') {
            Some(at) => (&text[..from + at], &text[from + at + 1..]),
            None => (text, ""),
        };
        let (name, tag) = match before_digest[from..].find(':') {
            Some(at) => (&before_digest[..from + at], &before_digest[from + at + 1..]),
            None => (before_digest, ""),
        };
        Self { name, tag, digest }
    }
}

/// The algorithm of digests that kustomize knows.
const ALGORITHM: &str = "sha256";
/// A pattern for the names of all, as [`is_algorithm`].
const ANY_ALGORITHM: &str = "[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*";

/// Decides whether a reference is one of an image. As in kustomize the name is a regular expression, that neither a
/// tag nor a digest hides; a plain name needs none.
#[derive(Debug)]
pub(crate) enum ImageName<'n> {
    /// A name whose only special characters are dots.
    Plain(&'n str),
    /// Anything else.
    Pattern(Regex),
}

impl<'n> ImageName<'n> {
    /// Reads a name.
    ///
    /// # Errors
    /// What is wrong with the regular expression.
    pub(crate) fn new(name: &'n str) -> Result<Self, String> {
        if is_plain(name) {
            return Ok(Self::Plain(name));
        }
        let name = translate(name);
        let algorithm = if Rule::AnyDigest.holds() { ANY_ALGORITHM } else { ALGORITHM };
        compile(&format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@{algorithm}:[a-zA-Z0-9_.{{}}-]*)?$"))
            .map(Self::Pattern)
    }

    /// Whether `reference` is the image, with any tag and digest.
    pub(crate) fn covers(&self, reference: &str) -> bool {
        match self {
            Self::Plain(name) => plain_prefix(name, reference)
                .is_some_and(|rest| is_tag_and_digest(rest, Rule::AnyDigest.holds())),
            Self::Pattern(regex) => regex.is_match(reference),
        }
    }
}

/// Whether a text is nothing, or `:tag`, or `@sha256:digest`, or both; with `any`, the digest may be of another algorithm.
fn is_tag_and_digest(text: &str, any: bool) -> bool {
    let skip = |text: &'_ str| {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_.{}-".contains(c)));
        end.unwrap_or(text.len())
    };
    let text = text.strip_prefix(':').map_or(text, |tag| &tag[skip(tag)..]);
    let digest = match text.strip_prefix('@').and_then(|digest| digest.split_once(':')) {
        Some((ALGORITHM, digest)) => digest,
        Some((algorithm, digest)) if any && is_algorithm(algorithm) => digest,
        _ => return text.is_empty(),
    };
    skip(digest) == digest.len()
}

/// Whether a text is the name of an algorithm: words of letters and digits, with one of `.+_-` between two.
fn is_algorithm(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    text.split(['.', '+', '_', '-']).all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> [&str; 3] {
        let ImageReference { name, tag, digest } = ImageReference::split(text);
        [name, tag, digest]
    }

    #[test]
    fn references_are_cut() {
        assert_eq!(split("nginx"), ["nginx", "", ""]);
        assert_eq!(split("nginx:1.2"), ["nginx", "1.2", ""]);
        assert_eq!(split("nginx@sha256:ab"), ["nginx", "", "sha256:ab"]);
        assert_eq!(split("nginx:1@sha256:ab"), ["nginx", "1", "sha256:ab"]);
        assert_eq!(split("reg:5000/nginx"), ["reg:5000/nginx", "", ""]);
        assert_eq!(split("reg:5000/a/nginx:1@sha256:ab"), ["reg:5000/a/nginx", "1", "sha256:ab"]);
    }

    #[test]
    fn names_cover_their_references() {
        let covers = |name: &str, reference: &str| ImageName::new(name).unwrap().covers(reference);
        assert!(covers("nginx", "nginx"));
        assert!(covers("nginx", "nginx:1@sha256:ab"));
        assert!(covers("nginx", "nginx:{TAG}"));
        assert!(!covers("nginx", "nginx2"));
        assert!(!covers("nginx", "nginx:1/x"));
        assert!(!covers("nginx", "nginx@md5:ab"));
        assert!(covers("ng.nx", "nginx:1"));
        assert!(covers("reg:5000/nginx", "reg:5000/nginx"));
        assert!(covers("ng+inx", "nginx"));
        assert!(covers("(foo|nginx)", "nginx:1"));
        assert!(ImageName::new("(").is_err());
    }

    #[test]
    fn digests_of_other_algorithms_count_later() {
        for text in ["@sha512:ab", ":1@sha512:ab", "@multihash+base58:Qm", "@sha256:ab"] {
            assert!(is_tag_and_digest(text, true), "{text}");
            assert_eq!(is_tag_and_digest(text, false), text == "@sha256:ab", "{text}");
        }
        for text in ["@+a:b", "@a+:b", "@:b", "@sha256", "@sha256:/"] {
            assert!(!is_tag_and_digest(text, true), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_parts_make_the_reference(
            name in "([a-z]{1,3}(:[0-9]{1,2})?/)?[a-z]{1,4}",
            tag in "[a-z0-9.]{0,4}",
            digest in "(sha256:[a-f0-9]{1,4})?",
        ) {
            let mut text = name.clone();
            if !tag.is_empty() {
                text = format!("{text}:{tag}");
            }
            if !digest.is_empty() {
                text = format!("{text}@{digest}");
            }
            prop_assert_eq!(split(&text), [name.as_str(), tag.as_str(), digest.as_str()]);
            prop_assert!(ImageName::new(&name).unwrap().covers(&text));
        }

        #[test]
        fn any_text_can_be_cut(text in "[a:@/é]{0,8}") {
            let [name, tag, digest] = split(&text);
            prop_assert!(name.len() + tag.len() + digest.len() <= text.len());
        }
    }
}
