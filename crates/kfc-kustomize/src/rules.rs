//! Which kustomize the engine follows, and the rules that its development branch has changed since.
//!
//! To follow a later release, change [`KUSTOMIZE_VERSION`] and [`FOLLOWED`], the one switch, and record the tests again: each
//! [`Rule`] is asked where it counts. A rule that a release has otherwise than the branch had it is corrected then.

use kfc_kube::schema::Schema;

/// A release of kustomize.
type Release = (u16, u16, u16);

/// The kustomize release whose behaviour the engine has.
pub const KUSTOMIZE_VERSION: &str = "v5.8.1";
/// The same, to compare.
const FOLLOWED: Release = (5, 8, 1);
/// The release after it, which does not exist yet.
const NEXT: Release = (5, 9, 0);

/// What kustomize does otherwise after 5.8.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// An entry of `images` covers references with digests of any algorithm, not of sha256 alone.
    AnyDigest,
    /// `ValidatingAdmissionPolicy` and its binding are cluster-scoped.
    ClusterScopedPolicies,
    /// A path of a root with `..` inside of a name is refused: two entries in one text, `../a - ../b`.
    NoParentsInNames,
    /// `delimiter` and `index` of a replacement count in YAML and JSON in a field, too, and so does the type of the field there.
    DelimitersInTexts,
    /// `labels` reach the templates of PVCs only with `includeVolumeClaimTemplates`.
    ClaimTemplatesOnRequest,
}

impl Rule {
    /// The release that has it first.
    const fn since(self) -> Release {
        match self {
            Self::AnyDigest
            | Self::ClusterScopedPolicies
            | Self::NoParentsInNames
            | Self::DelimitersInTexts
            | Self::ClaimTemplatesOnRequest => NEXT,
        }
    }

    /// Whether it holds in the kustomize that the engine follows.
    pub(crate) fn holds(self) -> bool {
        self.since() <= FOLLOWED
    }
}

/// Kinds that are cluster-scoped, which kustomize learned later.
const POLICIES: [&str; 2] = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];

/// Whether objects of a kind have no namespace, as far as kustomize knows.
pub(crate) fn is_cluster_scoped(schema: &Schema, api_version: &str, kind: &str) -> bool {
    schema.is_namespaced(api_version, kind) == Some(false)
        || (Rule::ClusterScopedPolicies.holds() && is_policy(api_version, kind))
}

fn is_policy(api_version: &str, kind: &str) -> bool {
    api_version.starts_with("admissionregistration.k8s.io/") && POLICIES.contains(&kind)
}

/// Whether two paths seem to be in one text: `..` is a part of a name in it.
pub(crate) fn has_parent_in_name(path: &str) -> bool {
    path.split('/').any(|part| part != ".." && part.contains(".."))
}

#[cfg(test)]
mod tests {
    use super::{FOLLOWED, KUSTOMIZE_VERSION, Rule, has_parent_in_name, is_policy};

    #[test]
    fn the_version_is_the_one_that_rules_are_compared_with() {
        let (major, minor, patch) = FOLLOWED;
        assert_eq!(KUSTOMIZE_VERSION, format!("v{major}.{minor}.{patch}"));
        assert_eq!(Rule::AnyDigest.holds(), FOLLOWED >= (5, 9, 0));
    }

    #[test]
    fn parents_are_names_of_their_own() {
        for path in ["../base", "..", "a/../b", "./a", "https://example.com/a"] {
            assert!(!has_parent_in_name(path), "{path}");
        }
        for path in ["../a - ../b", "a/b..c/d", "../a\t../b"] {
            assert!(has_parent_in_name(path), "{path}");
        }
    }

    #[test]
    fn policies_are_of_their_group() {
        assert!(is_policy("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"));
        assert!(!is_policy("example.com/v1", "ValidatingAdmissionPolicy"));
        assert!(!is_policy("admissionregistration.k8s.io/v1", "Other"));
    }
}
