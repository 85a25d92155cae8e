//! How messages name a resource.

use kfc_kustomize::resource::Resource;

/// Kind and name of a resource, for messages.
pub(super) fn title(resource: &Resource) -> String {
    match resource.namespace() {
        "" => format!("{} `{}`", resource.kind(), resource.name()),
        namespace => format!("{} `{}` in `{namespace}`", resource.kind(), resource.name()),
    }
}
