//! One side of a comparison, and its text.

use crate::model::Graph;
use kfc_diagnostics::Sources;
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::redaction::copied::{self, Copied};
use kfc_kube::{Object, ObjectId, Traced};
use kfc_yaml::Node;
use std::sync::Arc;

/// One side of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The side as the user named it.
    pub label: String,
    /// Its resources, in order.
    pub resources: Vec<Member>,
    /// The texts that marks point into.
    pub sources: Arc<Sources>,
    /// The components, when it was made from a plan.
    pub graph: Option<Graph>,
    /// A prefix of file names and what replaces it: the path of a copy.
    pub renamed: Option<(String, String)>,
    /// The name of the stack or profile, by which a cluster keeps the list of what was applied.
    pub stack: Option<String>,
    /// Fields that are left to others when it is compared with a cluster.
    pub ignore: Vec<IgnoreRule>,
    /// Objects that are not here, and that an apply leaves to others.
    pub released: Vec<ObjectId>,
    /// Why resources are removed that the other side does not have, where that is known.
    pub why_removed: Option<String>,
}

/// A resource of a side.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its object, with its history if that is known.
    pub traced: Arc<dyn Traced>,
    /// The component that it belongs to.
    pub component: Option<String>,
}

impl Member {
    /// A resource that belongs to no component.
    #[must_use]
    pub fn new(traced: impl Traced + 'static) -> Self {
        Self { traced: Arc::new(traced), component: None }
    }
}

impl Input {
    /// The objects of its resources, in order.
    #[must_use]
    pub fn objects(&self) -> Vec<&Object> {
        self.resources.iter().map(|member| member.traced.object()).collect()
    }

    /// Its resources with what is known of their histories.
    pub(super) fn traced(&self) -> impl Iterator<Item = &dyn Traced> {
        self.resources.iter().map(|member| &*member.traced)
    }
}

/// The text of a bundle as a report may show it, tokens for values of secrets: [`crate::report::write`] numbers them.
///
/// # Errors
/// Values that cannot be written.
pub fn redacted_text(input: &Input) -> kfc_diagnostics::Result<String> {
    text_without(input, &Copied::default())
}

/// The texts of two bundles, as [`redacted_text`], without what either of them is known to have copied out of secrets.
///
/// # Errors
/// Values that cannot be written.
pub fn redacted_texts(before: &Input, after: &Input) -> kfc_diagnostics::Result<(String, String)> {
    let copied = Copied::of(before.traced().chain(after.traced()));
    Ok((text_without(before, &copied)?, text_without(after, &copied)?))
}

fn text_without(input: &Input, copied: &Copied) -> kfc_diagnostics::Result<String> {
    let redacted: Vec<_> = input.traced().map(|traced| copied::shown_without(traced, copied)).collect();
    let nodes: Vec<&Node> = redacted.iter().map(|node| &**node).collect();
    let bytes = kfc_yaml::emit::emit_all(&nodes)?.concat();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
