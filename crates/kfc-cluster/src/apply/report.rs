//! What an apply did.

use super::outcome::Outcome;
use super::removal::Stay;
use kfc_diagnostics::Diagnostics;
use kfc_kube::ObjectId;
use kfc_kube::hook::Moment;
use std::collections::BTreeMap;

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What became of each resource, in the order of waves.
    pub outcomes: Vec<(ObjectId, Outcome)>,
    /// The hooks that ran, in order.
    pub hooks: Vec<(Moment, ObjectId)>,
    /// What left the bundle and was deleted.
    pub pruned: Vec<ObjectId>,
    /// What left the bundle and stays, with the reason.
    pub kept: Vec<Stay>,
    /// What left the bundle and was not deleted, because nobody agreed to it.
    pub unpruned: Vec<ObjectId>,
    /// Services that have no address of their load balancer yet: that may depend on things outside the cluster.
    pub addressless: Vec<ObjectId>,
    /// Warnings.
    pub warnings: Diagnostics,
}

impl Report {
    /// How many resources had each outcome.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for (_, outcome) in &self.outcomes {
            *counts.entry(*outcome).or_default() += 1;
        }
        counts
    }
}
