//! What a patch is for.

use crate::resource::{CompiledSelector, Resource, Selector};
use crate::rules::is_cluster_scoped;
use kfc_diagnostics::{Code, Diagnostic, Mark, Result, nearest};
use kfc_kube::Gvk;
use kfc_kube::ResId;
use kfc_kube::schema::Schema;
use kfc_yaml::Node;

/// The `target` of a patch.
#[derive(Clone, Debug)]
pub(super) struct Target {
    selector: CompiledSelector,
    plain_name: Option<String>,
    description: String,
}

impl Target {
    /// Reads the expressions of a target.
    ///
    /// # Errors
    /// Those of [`Selector::compile`].
    pub(super) fn compile(selector: &Selector) -> Result<Self> {
        let name = selector.name.as_str();
        let is_plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let parts =
            [&selector.gvk.kind, &selector.name, &selector.label_selector, &selector.annotation_selector];
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        let description = if parts.is_empty() { "everything".to_owned() } else { parts.join(" ") };
        Ok(Self { selector: selector.compile()?, plain_name: is_plain.then(|| name.to_owned()), description })
    }

    /// The kind, name and selectors that it asks for, for messages.
    pub(super) fn description(&self) -> &str {
        &self.description
    }

    /// The one name that it covers, when its expression has no special characters.
    pub(super) fn plain_name(&self) -> Option<&str> {
        self.plain_name.as_deref()
    }

    /// Whether it covers a resource.
    pub(super) fn covers(&self, resource: &Resource) -> bool {
        self.selector.matches(resource)
    }
}

/// The identity that a strategic merge patch names.
pub(super) fn id_of(document: &Node, schema: &Schema) -> ResId {
    let text = |path: &[&str]| document.at(path).and_then(Node::as_text).unwrap_or("");
    let (api_version, kind) = (text(&["apiVersion"]), text(&["kind"]));
    ResId {
        gvk: Gvk::new(api_version, kind),
        name: text(&["metadata", "name"]).to_owned(),
        namespace: text(&["metadata", "namespace"]).to_owned(),
        cluster_scoped: is_cluster_scoped(schema, api_version, kind),
    }
}

/// Whether a resource has an identity or had it before a transformer changed it.
pub(super) fn has_or_had(resource: &Resource, id: &ResId) -> bool {
    resource.id().same(id) || resource.previous_ids().any(|previous| previous.same(id))
}

/// Says that no resource has the identity, and which one comes near.
pub(super) fn not_there<'a>(
    list: impl Iterator<Item = &'a Resource>,
    id: &ResId,
    document: &Node,
    entry: Option<Mark>,
) -> Diagnostic {
    let name_mark = document.at(&["metadata", "name"]).map_or(document.mark, |node| node.mark);
    let message = format!("patch target {}/{} matches nothing", id.gvk.kind, id.name);
    let error =
        Diagnostic::error(Code::NoTarget, message).at(name_mark).label(entry, "the patch is listed here");
    let (same_kind, others): (Vec<&Resource>, Vec<&Resource>) = list.partition(|r| r.kind() == id.gvk.kind);
    if let Some(near) = same_kind.iter().find(|r| r.name() == id.name) {
        return error
            .label(near.mark(), what_differs(near, id))
            .help("write the same apiVersion and namespace in the patch");
    }
    match similar(&same_kind, &id.name).or_else(|| others.iter().copied().find(|r| r.name() == id.name)) {
        Some(near) => {
            let near_name = format!("{}/{}", near.kind(), near.name());
            error.label(near.mark(), "this one is near").help(format!("the nearest is {near_name}"))
        }
        None if same_kind.is_empty() => {
            error.note(format!("there is no resource of the kind {}", id.gvk.kind))
        }
        None => error.note(format!("none of the {} resources of its kind has such a name", same_kind.len())),
    }
}

fn what_differs(near: &Resource, id: &ResId) -> String {
    if near.gvk() == id.gvk {
        format!("this one is in namespace `{}`", near.id().effective_namespace())
    } else {
        format!("this one has apiVersion `{}`", near.api_version())
    }
}

/// The resource whose name is a misspelling of the wanted one, begins with it, or is the beginning of it.
fn similar<'a>(candidates: &[&'a Resource], name: &str) -> Option<&'a Resource> {
    let named = |wanted: &str| candidates.iter().copied().find(|r| r.name() == wanted);
    nearest(name, candidates.iter().map(|r| r.name())).and_then(named).or_else(|| {
        candidates.iter().copied().find(|r| r.name().starts_with(name) || name.starts_with(r.name()))
    })
}

/// Says that several resources have the identity or had it.
pub(super) fn several<'a>(
    found: impl ExactSizeIterator<Item = &'a Resource>,
    id: &ResId,
    document: &Node,
) -> Diagnostic {
    let message = format!("patch target {}/{} matches {} resources", id.gvk.kind, id.name, found.len());
    let error = Diagnostic::error(Code::Ambiguous, message)
        .at(document.mark)
        .help("use a `target` to patch all of them, or a name that only one of them has");
    found.fold(error, |error, resource| error.label(resource.mark(), "this is one of them"))
}
