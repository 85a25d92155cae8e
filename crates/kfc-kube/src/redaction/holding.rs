//! Which objects have values that must not be stored anywhere but in a Secret.

use super::copied::is_copied;
use super::document::has_embedded_secret;
use super::is_secret;
use super::object::has_credentials;
use crate::traced::Traced;
use kfc_yaml::Node;

/// Whether an object has such a value, as far as its text tells: it is a Secret or has one in it, or an address in it has
/// credentials.
#[must_use]
pub fn holds_secret(node: &Node) -> bool {
    let kind = node.get("kind").and_then(Node::as_text).unwrap_or_default();
    is_secret(kind) || has_embedded_secret(node) || has_credentials(node)
}

/// Whether an object was a Secret, or has values that came out of one, which only its history tells.
#[must_use]
pub fn came_from_secret(traced: &dyn Traced) -> bool {
    traced.was_secret() || is_copied(traced, &traced.object().node)
}

#[cfg(test)]
mod tests {
    use super::holds_secret;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    #[test]
    fn an_object_holds_a_secret_by_its_kind_its_content_or_an_address() {
        let holds = |text: &str| holds_secret(&parse(text, SourceId::NONE).unwrap().remove(0));
        for secret in [
            "{kind: Secret, data: {}}",
            "{kind: SealedSecret, spec: {template: [{kind: Secret, stringData: {a: b}}]}}",
            "{kind: ConfigMap, data: {url: 'https://me:planted@example.org/x'}}",
        ] {
            assert!(holds(secret), "{secret}");
        }
        for open in [
            "{kind: ConfigMap, data: {url: 'https://example.org/x'}}",
            "{kind: Role, rules: [{resources: [secrets]}]}",
            "{kind: Pod, spec: {ref: {kind: Secret, name: a}}}",
        ] {
            assert!(!holds(open), "{open}");
        }
    }
}
