//! One Kubernetes object.

use crate::group_version::GroupVersion;
use crate::id::{Gvk, ResId};
use kfc_diagnostics::Mark;
use kfc_yaml::{Map, Node};

/// One Kubernetes object.
#[derive(Clone, Debug)]
pub struct Object {
    /// The object; always a mapping.
    pub node: Node,
    /// Whether the kind lives in no namespace; decided when the object is read.
    pub cluster_scoped: bool,
}

impl Object {
    /// An object of a mapping node that has `kind` and a name or `generateName` (the caller checked).
    #[must_use]
    pub fn new(node: Node, cluster_scoped: bool) -> Self {
        Self { node, cluster_scoped }
    }

    fn text(&self, path: &[&str]) -> &str {
        self.node.at(path).and_then(Node::as_text).unwrap_or("")
    }

    /// `apiVersion`, or an empty text.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.text(&["apiVersion"])
    }

    /// Group and version of `apiVersion`.
    #[must_use]
    pub fn group_version(&self) -> GroupVersion<'_> {
        GroupVersion::parse(self.api_version())
    }

    /// The API group; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.group_version().group
    }

    /// `kind`, or an empty text.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text(&["kind"])
    }

    /// `metadata.name`; the `metadata.generateName` of an object that gets its name from the server; else an empty text.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.text(&["metadata", "name"]) {
            "" => self.text(&["metadata", "generateName"]),
            name => name,
        }
    }

    /// Whether it has a name of its own: without one, each object that is created from it is another.
    #[must_use]
    pub fn is_named(&self) -> bool {
        !self.text(&["metadata", "name"]).is_empty()
    }

    /// `metadata.namespace`, or an empty text.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"])
    }

    /// Group, version and kind.
    #[must_use]
    pub fn gvk(&self) -> Gvk {
        Gvk::new(self.api_version(), self.kind())
    }

    /// Where the object is; `None` for one that is in no text.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        self.node.mark.known()
    }

    /// The identity it has now (kustomize's `CurId`).
    #[must_use]
    pub fn id(&self) -> ResId {
        ResId {
            gvk: self.gvk(),
            name: self.name().to_owned(),
            namespace: self.namespace().to_owned(),
            cluster_scoped: self.cluster_scoped,
        }
    }

    /// `metadata` as a mapping; created when it is missing or null.
    pub fn metadata_mut(&mut self) -> Option<&mut Map> {
        let mark = self.node.mark;
        let metadata = self.node.as_map_mut()?.get_or_insert_map("metadata", mark);
        if metadata.is_null() {
            *metadata = Node::map(Map::new(), mark);
        }
        metadata.as_map_mut()
    }

    /// Sets `metadata.name` to a string; the earlier identity is not remembered here.
    pub fn set_name(&mut self, name: &str) {
        let mark = self.node.mark;
        if let Some(metadata) = self.metadata_mut() {
            metadata.set("name", Node::string(name, mark));
        }
    }

    /// Sets `metadata.namespace` to a string; the earlier identity is not remembered here.
    pub fn set_namespace(&mut self, namespace: &str) {
        let mark = self.node.mark;
        if let Some(metadata) = self.metadata_mut() {
            metadata.set("namespace", Node::string(namespace, mark));
        }
    }

    /// `metadata.labels`, if it is a mapping.
    #[must_use]
    pub fn labels(&self) -> Option<&Map> {
        self.node.at(&["metadata", "labels"])?.as_map()
    }

    /// `metadata.annotations`, if it is a mapping.
    #[must_use]
    pub fn annotations(&self) -> Option<&Map> {
        self.node.at(&["metadata", "annotations"])?.as_map()
    }
}
