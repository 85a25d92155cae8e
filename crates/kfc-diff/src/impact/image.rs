//! What is easily overlooked in the change of an image reference: an older version, a missing digest, another digest of the
//! same tag.

use super::changed::{Changed, finding};
use crate::model::{Class, Finding, Severity};
use kfc_yaml::Node;
use std::cmp::Ordering;

/// Findings of every `image` that changes.
pub(super) fn findings(changed: &Changed<'_, '_>) -> Vec<Finding> {
    let found = changed.real().filter_map(|difference| {
        let text = |node: Option<&'_ Node>| node.and_then(Node::as_str).map(str::to_owned);
        let (before, after) = (text(difference.before)?, text(difference.after)?);
        if difference.path.last_key() != "image" {
            return None;
        }
        let (severity, message) = reference_finding(&Reference::of(&before), &Reference::of(&after))?;
        Some(finding(Class::Image, severity, &difference.path.to_string(), message))
    });
    found.collect()
}

/// An image reference in its parts.
struct Reference<'t> {
    name: &'t str,
    tag: Option<&'t str>,
    digest: Option<&'t str>,
}

impl<'t> Reference<'t> {
    /// Only a colon after the last slash starts a tag: a registry may have a port.
    fn of(text: &'t str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        match rest[last..].find(':') {
            Some(colon) => Self { name: &rest[..last + colon], tag: Some(&rest[last + colon + 1..]), digest },
            None => Self { name: rest, tag: None, digest },
        }
    }
}

fn reference_finding(before: &Reference<'_>, after: &Reference<'_>) -> Option<(Severity, String)> {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    if last(before.name) != last(after.name) {
        return Some((Severity::Medium, "it is another image".to_owned()));
    }
    if let (Some(old), Some(new)) = (before.tag, after.tag)
        && by_version(old, new) == Some(Ordering::Greater)
    {
        return Some((Severity::High, format!("the image goes back from {old} to {new}")));
    }
    if before.digest.is_some() && after.digest.is_none() {
        return Some((Severity::High, "the image is no longer pinned by its digest".to_owned()));
    }
    let is_loose =
        |image: &Reference<'_>| image.digest.is_none() && matches!(image.tag, None | Some("latest"));
    if is_loose(after) && !is_loose(before) {
        return Some((Severity::High, "the tag `latest` may be another image at any time".to_owned()));
    }
    if before.name != after.name {
        let place = after.name.rsplit_once('/').map_or("Docker Hub", |(place, _)| place);
        return Some((
            Severity::Medium,
            format!("the image comes from another registry or repository: {place}"),
        ));
    }
    let same_tag = before.tag == after.tag && before.digest != after.digest && before.digest.is_some();
    same_tag.then(|| (Severity::Medium, "the same tag has another digest".to_owned()))
}

/// How two tags compare as versions; `None` when they are not versions of one series (`1.2-alpine` and `1.3-debian`).
fn by_version(a: &str, b: &str) -> Option<Ordering> {
    let ((a, a_rest), (b, b_rest)) = (version(a)?, version(b)?);
    (a_rest == b_rest).then(|| a.cmp(&b))
}

/// The numbers of a version and what follows them.
fn version(tag: &str) -> Option<(Vec<u64>, &str)> {
    let text = tag.strip_prefix('v').unwrap_or(tag);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let numbers: Option<Vec<u64>> = text[..end].split('.').map(|number| number.parse().ok()).collect();
    // A number alone is as likely a commit or a build.
    numbers.filter(|numbers| numbers.len() > 1).map(|numbers| (numbers, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::{Reference, reference_finding};

    #[test]
    fn findings_of_two_references() {
        for (before, after, expected) in [
            ("a/b:1.10.0", "a/b:1.9.0", Some("the image goes back from 1.10.0 to 1.9.0")),
            ("a/b:v1.9", "a/b:v1.10", None),
            ("a/b:1.10-alpine", "a/b:1.9-debian", None),
            ("a/b:1.2", "a/c:1.2", Some("it is another image")),
            ("r:5000/b:1.2", "q/b:1.2", Some("the image comes from another registry or repository: q")),
            ("a/b:1.2@sha256:0", "a/b:1.2@sha256:1", Some("the same tag has another digest")),
            ("a/b:1.2@sha256:0", "a/b:1.2", Some("the image is no longer pinned by its digest")),
            ("a/b:1.2", "a/b", Some("the tag `latest` may be another image at any time")),
            ("r:5000/b", "r:5000/b:latest", None),
        ] {
            let found =
                reference_finding(&Reference::of(before), &Reference::of(after)).map(|(_, message)| message);
            assert_eq!(found.as_deref(), expected, "{before} to {after}");
        }
    }
}
