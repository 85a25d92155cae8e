//! A revision: what one run did to the cluster, and from which bundle.

use super::super::outcome::Outcome;
use super::super::report::Report;
use jiff::Timestamp;
use kfc_kube::ObjectId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevisionResult {
    /// Everything was applied, and was ready where the run waited for it.
    Succeeded,
    /// Something was refused, or was not ready in time.
    Failed,
}

impl RevisionResult {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// How many objects a run changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tally {
    /// Objects that did not exist before.
    pub created: usize,
    /// Objects that are different now, or were recreated.
    pub changed: usize,
    /// Objects that left the bundle and were deleted.
    pub deleted: usize,
    /// Hooks that ran.
    pub hooks: usize,
}

impl Tally {
    /// What a report counts.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut tally = Self { deleted: report.pruned.len(), hooks: report.hooks.len(), ..Self::default() };
        for (_, outcome) in &report.outcomes {
            match outcome {
                Outcome::Created => tally.created += 1,
                Outcome::Changed | Outcome::Recreated | Outcome::Applied => tally.changed += 1,
                Outcome::Unchanged => {}
            }
        }
        tally
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a bundle was made from, as a person may read it: no credentials, no value of a secret parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RevisionSource {
    /// The profile, directory, address or file.
    pub target: String,
    /// The flags that changed it.
    pub arguments: Vec<String>,
    /// The components that alone were applied; empty for all of them.
    pub only: Vec<String>,
    /// The components of the profile or stack.
    pub components: Vec<String>,
}

/// Where a kept copy is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyRef {
    /// The digest of its bytes; the names of its config maps begin with it.
    pub digest: String,
    /// How many config maps it has.
    pub parts: usize,
}

/// A revision of an inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// Its number, from 1.
    pub number: u64,
    /// When the run ended, by the clock of the machine that ran it: `2026-11-29T07:17:22Z`.
    pub time: String,
    /// The version of kfc that ran.
    pub version: String,
    /// How the run ended.
    pub result: RevisionResult,
    /// What it changed.
    #[serde(default)]
    pub changes: Tally,
    /// The digest of the bundle.
    pub digest: String,
    /// What the bundle was made from.
    #[serde(default)]
    pub source: RevisionSource,
    /// The revision that the run restored, of a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_to: Option<u64>,
    /// Objects of the bundle that hold secret values, so that nothing but their identity is kept.
    #[serde(default)]
    pub withheld: Vec<ObjectId>,
    /// The kept copy; none of a bundle that is too large.
    #[serde(default)]
    pub copy: Option<CopyRef>,
}

impl Revision {
    /// Whether its bundle was applied as a whole, and that ended well.
    #[must_use]
    pub fn is_whole_success(&self) -> bool {
        self.result == RevisionResult::Succeeded && self.source.only.is_empty()
    }
}

/// A time since 1970 in UTC, in whole seconds.
pub(super) fn time_text(since_1970: Duration) -> String {
    let seconds = i64::try_from(since_1970.as_secs()).unwrap_or_default();
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// Removes the revisions that are not kept: all but the last `keep`, and the last one that succeeded.
pub(super) fn trim(revisions: &mut Vec<Revision>, keep: usize) {
    if keep == 0 {
        revisions.clear();
        return;
    }
    let first = revisions.len().saturating_sub(keep);
    let good = revisions.iter().rposition(Revision::is_whole_success);
    let mut at = 0..;
    revisions.retain(|_| at.next().is_some_and(|at| at >= first || Some(at) == good));
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Revision, RevisionResult, RevisionSource, Tally, time_text, trim};
    use crate::apply::{Outcome, Report};
    use std::time::Duration;

    pub(in super::super) fn revision(number: u64, result: RevisionResult) -> Revision {
        Revision {
            number,
            time: "2026-11-29T07:17:22Z".to_owned(),
            version: "0.1.0".to_owned(),
            result,
            changes: Tally::default(),
            digest: "d".repeat(64),
            source: RevisionSource::default(),
            rollback_to: None,
            withheld: Vec::new(),
            copy: None,
        }
    }

    fn kept(results: &[RevisionResult], keep: usize) -> Vec<u64> {
        let mut revisions: Vec<Revision> =
            (1..).zip(results).map(|(number, result)| revision(number, *result)).collect();
        trim(&mut revisions, keep);
        revisions.iter().map(|revision| revision.number).collect()
    }

    #[test]
    fn the_last_revisions_are_kept_and_the_last_that_succeeded() {
        use RevisionResult::{Failed, Succeeded};
        assert_eq!(kept(&[Succeeded, Succeeded, Succeeded], 2), [2, 3]);
        assert_eq!(kept(&[Succeeded, Succeeded, Failed, Failed, Failed], 2), [2, 4, 5]);
        assert_eq!(kept(&[Failed, Failed, Failed], 1), [3]);
        assert_eq!(kept(&[Succeeded, Failed], 5), [1, 2]);
        assert_eq!(kept(&[Succeeded, Failed], 0), [0; 0]);
    }

    #[test]
    fn a_revision_is_read_as_it_is_written_and_so_is_one_with_new_fields() {
        let revision = Revision { rollback_to: Some(2), ..revision(3, RevisionResult::Failed) };
        let mut value = serde_json::to_value(&revision).unwrap();
        assert_eq!(value["result"], "failed");
        value["future"] = 1.into();
        assert_eq!(serde_json::from_value::<Revision>(value).unwrap(), revision);
    }

    #[test]
    fn only_changes_count() {
        let object = |name: &str| format!("ConfigMap shop/{name}").parse().unwrap();
        let mut report = Report { outcomes: vec![(object("a"), Outcome::Unchanged)], ..Report::default() };
        assert!(Tally::of(&report).is_empty());
        report.outcomes.extend([(object("b"), Outcome::Created), (object("c"), Outcome::Recreated)]);
        report.pruned.push(object("d"));
        let tally = Tally::of(&report);
        assert_eq!((tally.created, tally.changed, tally.deleted, tally.hooks), (1, 1, 1, 0));
    }

    #[test]
    fn a_time_has_seconds_in_utc() {
        assert_eq!(time_text(Duration::from_millis(784_111_777_250)), "1994-11-06T08:49:37Z");
    }
}
