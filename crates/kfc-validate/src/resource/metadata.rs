//! Names, labels, annotations, and fields that the cluster sets.

use super::super::finding::Findings;
use super::super::pods::{pod_template, text};
use kfc_diagnostics::Code;
use kfc_kube::Object;
use kfc_yaml::{Entry, Node};

/// The most bytes that all annotations of an object may have.
const ANNOTATIONS: usize = 256 * 1024;
/// Fields that the API server sets; a manifest that has them was copied from a cluster.
const OF_THE_SERVER: [&str; 6] =
    ["uid", "resourceVersion", "generation", "selfLink", "managedFields", "deletionTimestamp"];

/// How a name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syntax {
    /// Lowercase letters, digits, `-` and `.`: at most 253.
    Subdomain,
    /// Lowercase letters, digits and `-`: at most 63.
    Label,
    /// Anything that can be a segment of a URL.
    Segment,
}

impl Syntax {
    fn of(resource: &Object) -> Self {
        match resource.kind() {
            "Role"
            | "ClusterRole"
            | "RoleBinding"
            | "ClusterRoleBinding"
            | "PodDisruptionBudget"
            | "Event"
            | "ClusterTrustBundle" => Self::Segment,
            "Service" if resource.api_version() == "v1" => Self::Label,
            "Namespace" => Self::Label,
            _ => Self::Subdomain,
        }
    }

    fn holds(self, name: &str) -> bool {
        match self {
            Self::Segment => !name.contains(['/', '%']) && !matches!(name, "." | ".."),
            Self::Label => is_label(name),
            Self::Subdomain => is_subdomain(name),
        }
    }

    const fn describe(self) -> &'static str {
        match self {
            Self::Segment => "it may not contain `/` or `%`",
            Self::Label => {
                "at most 63 lowercase letters, digits and `-`, with a letter or digit at both ends"
            }
            Self::Subdomain => {
                "at most 253 lowercase letters, digits, `-` and `.`, with a letter or digit at both ends of each part"
            }
        }
    }
}

/// A name of one part, as RFC 1123 has it.
pub(super) fn is_label(name: &str) -> bool {
    let is_end = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= 63
        && is_end(name.bytes().next())
        && is_end(name.bytes().last())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_subdomain(name: &str) -> bool {
    // Only the whole is limited in length, not each part.
    let is_part = |part: &str| {
        let is_end = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        is_end(part.bytes().next())
            && is_end(part.bytes().last())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= 253 && name.split('.').all(is_part)
}

/// The part of a label's key after the prefix, and the value of a label: up to 63 characters.
fn is_word(text: &str) -> bool {
    let is_end = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric());
    text.len() <= 63
        && is_end(text.bytes().next())
        && is_end(text.bytes().last())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A key of a label or annotation: `name` or `prefix/name`.
fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        None => is_word(key),
        Some((prefix, name)) => is_subdomain(prefix) && is_word(name),
    }
}

pub(super) fn check(resource: &Object, namespaced: Option<bool>, found: &mut Findings<'_>) {
    let top = &resource.node;
    let syntax = Syntax::of(resource);
    if let Some(name) = top.at(&["metadata", "name"])
        && !syntax.holds(resource.name())
    {
        let message = format!("`{}` is not a valid name for {}", resource.name(), article(resource.kind()));
        found.error_at(Code::BadName, name, message).help = Some(syntax.describe().to_owned());
    }
    // The server adds a few letters and digits.
    if let Some(prefix) = top.at(&["metadata", "generateName"]).filter(|_| !resource.is_named())
        && !syntax.holds(&format!("{}x", resource.name()))
    {
        let message = format!(
            "`{}` is not the start of a valid name for {}",
            resource.name(),
            article(resource.kind())
        );
        found.error_at(Code::BadName, prefix, message).help = Some(syntax.describe().to_owned());
    }
    if let (Some(namespace), Some(false)) = (top.at(&["metadata", "namespace"]), namespaced) {
        let message = format!("{} is cluster-scoped: `namespace` has no effect", resource.kind());
        found.warning_at(Code::WrongScope, namespace, message);
    } else if let Some(namespace) =
        top.at(&["metadata", "namespace"]).filter(|n| !n.is_null() && n.as_str() != Some(""))
        && !is_label(resource.namespace())
    {
        let message = format!("`{}` is not a valid name of a namespace", resource.namespace());
        found.error_at(Code::BadName, namespace, message).help = Some(Syntax::Label.describe().to_owned());
    }
    for field in OF_THE_SERVER {
        if let Some(value) = top.at(&["metadata", field]).filter(|value| !value.is_null()) {
            let message = format!("`{field}` is set by the cluster and does not belong in a manifest");
            found.warning_at(Code::ServerOwned, value, message);
        }
    }
    let template = pod_template(resource).filter(|pod| !std::ptr::eq(*pod, top));
    for metadata in [Some(top), template].into_iter().flatten().filter_map(|object| object.get("metadata")) {
        check_texts(metadata, found);
    }
}

fn article(kind: &str) -> String {
    let is_vowel = kind.starts_with(['A', 'E', 'I', 'O', 'U']);
    format!("{} {kind}", if is_vowel { "an" } else { "a" })
}

/// Labels and annotations in the metadata of an object, of a template of pods, or of an object in a custom resource.
pub(crate) fn check_texts(metadata: &Node, found: &mut Findings<'_>) {
    let entries = |field: &str| metadata.get(field).and_then(Node::as_map);
    for entry in entries("labels").into_iter().flatten() {
        check_key(entry, "label", found);
        let value = entry.value.as_text().unwrap_or("");
        if !value.is_empty() && !is_word(value) {
            let message = format!("`{value}` is not a valid value of a label");
            found.error_at(Code::BadName, &entry.value, message).help = Some(
                "at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
                    .to_owned(),
            );
        }
    }
    let Some(annotations) = entries("annotations") else { return };
    for entry in annotations {
        check_key(entry, "annotation", found);
    }
    let size: usize =
        annotations.iter().map(|e| e.key.text.len() + e.value.as_text().map_or(0, str::len)).sum();
    if size > ANNOTATIONS
        && let Some(node) = metadata.get("annotations")
    {
        let message = format!("the annotations have {size} bytes, but at most {ANNOTATIONS} are allowed");
        found.error_at(Code::TooBig, node, message);
    }
}

fn check_key(entry: &Entry, what: &str, found: &mut Findings<'_>) {
    let key = entry.key.text.as_str();
    // Keys of annotations are compared in lowercase.
    let is_fine = is_key(key) || (what == "annotation" && is_key(&key.to_lowercase()));
    if !is_fine {
        let message = format!(
            "`{key}` is not a valid key of {}",
            if what == "label" { "a label" } else { "an annotation" }
        );
        let diagnostic = found.error_at(Code::BadName, &entry.value, message);
        diagnostic.mark = Some(entry.key.mark);
        diagnostic.help =
            Some("an optional domain and `/`, then at most 63 letters, digits, `-`, `_` and `.`".to_owned());
    }
}

/// Whether a text names a port: lowercase letters, digits and `-`, at least one letter, at most 15 characters.
pub(super) fn is_port_name(name: &str) -> bool {
    name.len() <= 15
        && is_label(name)
        && !name.contains("--")
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Whether a number may be a port.
pub(super) fn is_port(node: &Node) -> bool {
    text(node, &[]).and_then(|text| text.parse::<u32>().ok()).is_some_and(|port| (1..=65535).contains(&port))
}

#[cfg(test)]
mod tests {
    use super::{Syntax, is_key, is_port_name, is_word};

    #[test]
    fn names_are_judged_as_the_api_server_does() {
        let long = "a".repeat(64);
        assert!(Syntax::Subdomain.holds("a.b-c.9") && Syntax::Subdomain.holds(&long));
        for wrong in ["", "-a", "a-", "A", "a_b", "a..b", "a.-b"] {
            assert!(!Syntax::Subdomain.holds(wrong), "{wrong}");
        }
        assert!(!Syntax::Label.holds(&long) && !Syntax::Label.holds("a.b") && Syntax::Label.holds("9a"));
        assert!(Syntax::Segment.holds("system:a") && !Syntax::Segment.holds("a/b"));
    }

    #[test]
    fn keys_and_values_of_labels() {
        assert!(is_key("app") && is_key("app.kubernetes.io/Name_1") && !is_key("a/b/c") && !is_key("/b"));
        assert!(is_word("V1.2_x") && !is_word("a b") && !is_word("-a"));
        assert!(is_port_name("http-1") && !is_port_name("8080") && !is_port_name("very-long-port-name"));
    }
}
