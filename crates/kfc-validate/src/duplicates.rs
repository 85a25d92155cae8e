//! Duplicates: items of a list that are defined more than once.

use super::fit::Fit;
use super::path::Path;
use super::shape::{Identity, Shape};
use kfc_diagnostics::{Code, Mark};
use kfc_yaml::{Node, json};
use rustc_hash::FxHashMap;

/// Finds items that are the same as an earlier one.
pub(super) fn check(fit: &mut Fit<'_>, items: &[Node], shape: &Shape, path: &Path<'_>, place: Option<Mark>) {
    if items.len() < 2 || shape.identity == Identity::None {
        return;
    }
    let Some(item_shape) = shape.items.map(|id| fit.shapes.get(id)) else { return };
    let mut seen: FxHashMap<String, usize> = FxHashMap::default();
    for (index, item) in items.iter().enumerate() {
        let Some(identity) = identity(fit, item, item_shape, &shape.identity) else { continue };
        let Some(first) = seen.insert(identity.clone(), index) else { continue };
        let message =
            format!("two items of `{}` are the same: {identity}", path.last().unwrap_or("the list"));
        let mark = item.mark.known().or(place);
        let diagnostic = fit.found.error(Code::ValueTwice, &path.item(index), mark, message);
        *diagnostic = diagnostic.clone().label(items[first].mark.known(), "the first one");
    }
}

/// The identity of an item as text; `None` when it has none of the keys.
fn identity(fit: &Fit<'_>, item: &Node, shape: &Shape, identity: &Identity) -> Option<String> {
    let Identity::Keys(keys) = identity else {
        let mut text = String::new();
        return json::write(item, &mut text).ok().map(|()| text);
    };
    item.as_map()?;
    let mut parts = Vec::new();
    for key in keys {
        let default = || {
            let field = shape.fields.get(key).and_then(|id| fit.shapes.get(*id).default.as_ref());
            field.and_then(Node::as_text).or((key == "protocol" && fit.null_is_nothing).then_some("TCP"))
        };
        if let Some(value) = item.get(key).and_then(Node::as_text).or_else(default) {
            parts.push(format!("{key} `{value}`"));
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
