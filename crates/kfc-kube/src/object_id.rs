//! The identity of an object: the one type for it, and the one spelling.

use crate::group_version::GroupVersion;
use crate::object::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// What identifies an object, with the version in which it was written. Printed and read as `Deployment shop/web`, or
/// `Namespace shop` for what has no namespace.
///
/// ```
/// use kfc_kube::ObjectId;
///
/// let id: ObjectId = "Deployment shop/web".parse()?;
/// assert_eq!((id.kind.as_str(), id.namespace.as_str(), id.name.as_str()), ("Deployment", "shop", "web"));
/// assert_eq!(id.to_string(), "Deployment shop/web");
/// # Ok::<(), kfc_kube::NotAnObjectId>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectId {
    /// API group; empty for the core.
    pub group: String,
    /// Version of the group.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for what has none.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectId {
    /// The object that a resource of a bundle describes. Namespaced resources without a namespace go to `namespace`.
    #[must_use]
    pub fn of(resource: &Object, namespace: &str) -> Self {
        let GroupVersion { group, version } = resource.group_version();
        let namespace = match (resource.cluster_scoped, resource.namespace()) {
            (true, _) => "",
            (false, "") => namespace,
            (false, own) => own,
        };
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: resource.kind().to_owned(),
            namespace: namespace.to_owned(),
            name: resource.name().to_owned(),
        }
    }

    /// The object that a JSON value describes; `None` when it has no kind or no name.
    #[must_use]
    pub fn of_json(value: &Value) -> Option<Self> {
        let GroupVersion { group, version } = GroupVersion::parse(value["apiVersion"].as_str()?);
        Some(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: value["kind"].as_str()?.to_owned(),
            namespace: value["metadata"]["namespace"].as_str().unwrap_or_default().to_owned(),
            name: value["metadata"]["name"].as_str()?.to_owned(),
        })
    }

    /// `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        GroupVersion { group: &self.group, version: &self.version }.to_string()
    }

    /// Whether both name the same object, in any version.
    #[must_use]
    pub fn same_object(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// What identifies it in any version: group, kind, namespace, name.
    #[must_use]
    pub fn identity(&self) -> (&str, &str, &str, &str) {
        (&self.group, &self.kind, &self.namespace, &self.name)
    }
}

/// `Deployment kubeflow/katib-controller`; the group is left out.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

/// A text that is not `KIND NAME` or `KIND NAMESPACE/NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnObjectId;

impl fmt::Display for NotAnObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected `KIND NAME` or `KIND NAMESPACE/NAME`")
    }
}

impl std::error::Error for NotAnObjectId {}

/// Reads what `Display` writes; group and version are empty.
impl FromStr for ObjectId {
    type Err = NotAnObjectId;

    fn from_str(text: &str) -> Result<Self, NotAnObjectId> {
        let (kind, place) = text.split_once(' ').ok_or(NotAnObjectId)?;
        let (namespace, name) = place.split_once('/').unwrap_or(("", place));
        let is_word = |word: &str| !word.is_empty() && !word.contains([' ', '/']);
        if !is_word(kind) || !is_word(name) || place.starts_with('/') {
            return Err(NotAnObjectId);
        }
        Ok(Self {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{NotAnObjectId, ObjectId};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_printed_is_read(kind in "[A-Z][A-Za-z]{0,20}", namespace in "[a-z0-9-]{0,20}", name in "[a-z0-9.:-]{1,30}") {
            let id = ObjectId { kind, namespace, name, ..ObjectId::default() };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "Deployment",
            "Deployment ",
            "Deployment /web",
            "Deployment shop/",
            "a b c",
            "a b/c/d",
            " web",
        ] {
            assert_eq!(text.parse::<ObjectId>(), Err(NotAnObjectId), "{text:?}");
        }
    }
}
