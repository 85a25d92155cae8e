//! Resources as a side of a comparison has them.

use kfc_diff::Member;
use kfc_kustomize::resource::Resource;
use std::sync::Arc;

/// The resources of a side, with their histories. The owner of a resource is the index of its component in `components`.
pub(in crate::cli) fn members(resources: Vec<Resource>, components: &[String]) -> Vec<Member> {
    let member = |resource: Resource| {
        let owner = resource.owner.and_then(|owner| usize::try_from(owner).ok());
        let component = owner.and_then(|owner| components.get(owner)).cloned();
        Member { traced: Arc::new(resource), component }
    };
    resources.into_iter().map(member).collect()
}
