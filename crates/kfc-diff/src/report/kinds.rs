//! Findings of one kind in one row, with the resources that they are about. A report of hundreds of changes has few kinds.

use super::view::{Finding, FindingAt, Item, View, counted};
use crate::model::{Class, Severity, urgency};

/// The most resources of a row that are named; when data is lost, all are.
const MOST_NAMED: usize = 10;

/// A finding with its resource: the group and the place in it, for a link.
pub(super) struct Found<'v> {
    pub(super) at: (usize, usize),
    pub(super) item: &'v Item,
    pub(super) finding: FindingAt<'v>,
}

/// All findings of one kind, in the order of the report.
pub(super) struct Kind<'v> {
    pub(super) class: Class,
    pub(super) severity: Severity,
    pub(super) found: Vec<Found<'v>>,
}

/// The findings of a severity and above by kind: lost data first, then what has to be recreated, access, exposure, and
/// the rest; in each the worst first.
pub(super) fn kinds(view: &View, least: Severity) -> Vec<Kind<'_>> {
    let mut kinds: Vec<((Class, Severity, String), Kind<'_>)> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for (group, of) in view.groups.iter().enumerate() {
        for (nth, item) in of.items.iter().enumerate() {
            for finding in item.all_findings().filter(|(finding, ..)| finding.severity >= least) {
                let (class, severity) = (finding.0.class, finding.0.severity);
                let key = (class, severity, pattern(finding.0));
                let at = *known.entry(key.clone()).or_insert_with(|| {
                    kinds.push((key, Kind { class, severity, found: Vec::new() }));
                    kinds.len() - 1
                });
                kinds[at].1.found.push(Found { at: (group, nth), item, finding });
            }
        }
    }
    let mut kinds: Vec<Kind<'_>> = kinds.into_iter().map(|(_, kind)| kind).collect();
    kinds.sort_by_key(|kind| urgency(kind.class, kind.severity));
    kinds
}

impl<'v> Kind<'v> {
    /// Whether it is never left out.
    pub(super) fn always_shown(&self) -> bool {
        self.class == Class::DataLoss
    }

    /// The common message of all findings: names that differ are left out. Empty where the class says it all.
    pub(super) fn message(&self) -> String {
        let messages = self.found.iter().map(|found| found.finding.0.message.as_str());
        let mut rows = messages.map(|message| message.split('`').collect::<Vec<_>>());
        let Some(mut common) = rows.next() else { return String::new() };
        for row in rows {
            for (part, other) in common.iter_mut().zip(row) {
                if *part != other {
                    *part = "…";
                }
            }
        }
        common.join("`")
    }

    /// Its resources, each once.
    pub(super) fn items(&self) -> Vec<&Found<'v>> {
        let mut last = None;
        self.found.iter().filter(|found| last.replace(found.at) != Some(found.at)).collect()
    }

    /// The resources that are named, and how many more there are.
    pub(super) fn named(&self) -> (Vec<&Found<'v>>, usize) {
        let mut items = self.items();
        let most = if self.always_shown() { items.len() } else { MOST_NAMED };
        let more = items.len().saturating_sub(most);
        items.truncate(most);
        (items, more)
    }

    /// The only finding, if there is one only.
    pub(super) fn only(&self) -> Option<&Found<'v>> {
        match self.found.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// `3 fields change`, where no message says more.
    pub(super) fn plainly(&self) -> String {
        let fields = self.found.iter().filter(|found| found.finding.1.is_some()).count();
        match fields {
            0 => counted(self.found.len(), "resource"),
            1 => "1 field changes".to_owned(),
            count => format!("{count} fields change"),
        }
    }
}

/// A message without the names in it, which are between backticks.
fn pattern(finding: &Finding) -> String {
    finding.message.split('`').step_by(2).collect::<Vec<_>>().join("`…`")
}
