//! Writes new kustomization files, as `kustomize create` does.

use super::label::Pair;
use super::write::Style;
use super::{document, layout};
use kfc_diagnostics::Result;
use kfc_yaml::{Map, Node};

/// What a new kustomization file says.
#[derive(Clone, Debug, Default)]
pub struct NewKustomization {
    /// `resources`.
    pub resources: Vec<String>,
    /// `namespace`; empty for none, as all texts here.
    pub namespace: String,
    /// `namePrefix`.
    pub name_prefix: String,
    /// `nameSuffix`.
    pub name_suffix: String,
    /// `commonLabels`.
    pub labels: Vec<Pair>,
    /// `commonAnnotations`.
    pub annotations: Vec<Pair>,
}

/// The text of the file.
///
/// # Errors
/// Values that cannot be written.
pub fn create(new: &NewKustomization) -> Result<String> {
    let mut map = document::texts([
        ("apiVersion", "kustomize.config.k8s.io/v1beta1"),
        ("kind", "Kustomization"),
        ("namespace", &new.namespace),
        ("namePrefix", &new.name_prefix),
        ("nameSuffix", &new.name_suffix),
    ]);
    for (field, pairs) in [("commonLabels", &new.labels), ("commonAnnotations", &new.annotations)] {
        let node = pairs.iter().map(|(key, value)| document::entry(key, Node::string(value, None)));
        if !pairs.is_empty() {
            map.push(document::entry(field, Node::map(node.collect::<Map>(), None)));
        }
    }
    if !new.resources.is_empty() {
        let items = new.resources.iter().map(|path| Node::string(path, None)).collect();
        map.push(document::entry("resources", Node::seq(items, None)));
    }
    layout::whole(&Node::map(map, None), Style::default())
}
