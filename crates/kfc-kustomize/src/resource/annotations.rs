//! Annotations as kustomize reads them: a map of strings.

use kfc_yaml::Node;

/// Makes every annotation a string, as kustomize's way through a string map does: a number keeps its spelling, and so does
/// null; a mapping or sequence becomes an empty string. No text is a folded block then, because kustomize writes every
/// annotation again when it removes its own (`RemoveBuildAnnotations`).
pub fn make_annotations_texts(object: &mut Node) {
    if let Some(annotations) = object.get_mut("metadata").and_then(|node| node.get_mut("annotations")) {
        let map = annotations.as_map_mut();
        map.into_iter().flat_map(|map| map.iter_mut()).for_each(|entry| entry.value.make_new_text());
    }
}
