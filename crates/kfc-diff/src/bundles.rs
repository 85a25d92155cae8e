//! Compares two bundles: which of their resources belong together, in which fields these differ, and what that does.

use crate::compare::{self, Difference};
use crate::impact::{self, Changed, Grants};
use crate::input::Input;
use crate::keys;
use crate::lines;
use crate::matching::{Compared, Matches, matches};
use crate::model::{Change, ChangeKind, FieldChange, Path, Report, ResourceChange, Severity, Side, Step};
use crate::origin::{removal_line, source_line};
use crate::summary::summary;
use kfc_kube::redaction::copied::{self, Copied};
use kfc_kube::redaction::object;
use kfc_kube::schema::Schema;
use kfc_kube::{ObjectId, Traced};
use kfc_yaml::Node;
use kfc_yaml::value::to_json;
use rayon::prelude::*;

/// Compares two bundles.
#[must_use]
pub fn compare(before: &Input, after: &Input, schema: &Schema) -> Report {
    let copied = Copied::of(before.traced().chain(after.traced()));
    let (mut old, mut new) = (compared(before, &copied), compared(after, &copied));
    let matches = matches(&old, &new);
    redact_identities(&mut old, &mut new, &matches);
    let types = keys::Types::of(schema, before.traced().chain(after.traced()).map(Traced::object));
    let grants = Grants::of(&new);
    let sides = Sides { before, after, types, grants, copied: &copied };
    let pairs: Vec<(Option<usize>, Option<usize>)> = (0..new.len())
        .map(|at| (matches.before_of[at], Some(at)))
        .chain(matches.gone.iter().map(|at| (Some(*at), None)))
        .collect();
    let changes: Vec<Option<ResourceChange>> = pairs
        .par_iter()
        .map(|(before, after)| sides.change(before.map(|at| &old[at]), after.map(|at| &new[at])))
        .collect();
    let unchanged = changes.iter().filter(|change| change.is_none()).count();
    let mut changes: Vec<ResourceChange> = changes.into_iter().flatten().collect();
    changes.sort_by(|a, b| a.urgency().cmp(&b.urgency()).then_with(|| a.component.cmp(&b.component)));
    let side = |input: &Input| Side { label: input.label.clone(), resources: input.resources.len() };
    Report {
        before: side(before),
        after: side(after),
        summary: summary(&changes, unchanged),
        changes,
        graph: after.graph.clone(),
    }
}

fn compared<'i>(input: &'i Input, copied: &Copied) -> Vec<Compared<'i>> {
    input.resources.par_iter().map(|member| Compared::of(member, copied)).collect()
}

/// Redacts names, namespaces and kinds that were copied from secrets, after resources were matched by them: on both sides,
/// because a side that was not built does not know their provenance.
fn redact_identities(old: &mut [Compared<'_>], new: &mut [Compared<'_>], matches: &Matches) {
    for (at, new) in new.iter_mut().enumerate() {
        let old = matches.before_of[at].and_then(|at| old.get_mut(at));
        let known = new.hide_identity();
        if let Some(old) = old {
            let known_before = old.hide_identity();
            old.hide_identity_as(&known);
            new.hide_identity_as(&known_before);
        }
    }
    matches.gone.iter().for_each(|at| drop(old[*at].hide_identity()));
}

struct Sides<'a> {
    before: &'a Input,
    after: &'a Input,
    types: keys::Types<'a>,
    grants: Grants<'a>,
    copied: &'a Copied,
}

impl Sides<'_> {
    /// The change of one resource; `None` when it is the same.
    fn change(&self, old: Option<&Compared<'_>>, new: Option<&Compared<'_>>) -> Option<ResourceChange> {
        let kind = match (old, new) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            (Some(old), Some(new)) if old.identity.namespace != new.identity.namespace => ChangeKind::Moved,
            (Some(old), Some(new)) if old.identity.name != new.identity.name => ChangeKind::Renamed,
            _ => ChangeKind::Changed,
        };
        let differences = match (old, new) {
            (Some(old), Some(new)) => {
                if compare::same(&old.node, &new.node) {
                    return None;
                }
                compare::compare(&old.node, &new.node, self.types.resource(&new.node))
            }
            _ => Vec::new(),
        };
        let changed = Changed { kind, before: old, after: new, differences: &differences };
        let mut findings = impact::findings(&changed, &self.grants);
        if let (ChangeKind::Removed, Some(why)) = (kind, &self.before.why_removed) {
            findings.push(impact::removal(why));
        }
        let (shown, input) = match (new, old) {
            (Some(new), _) => (new, self.after),
            (None, Some(old)) => (old, self.before),
            (None, None) => return None,
        };
        let fields: Vec<FieldChange> = differences
            .iter()
            .map(|difference| self.field(&shown.identity.kind, (old, new), difference))
            .collect();
        let of_fields = fields.iter().filter(|field| field.folded.is_none()).map(|field| field.severity);
        let severity = findings.iter().map(|finding| finding.severity).chain(of_fields).max();
        let is_whole = matches!(kind, ChangeKind::Added | ChangeKind::Removed);
        Some(ResourceChange {
            kind,
            identity: shown.identity.clone(),
            previous: previous(old, new),
            component: shown.component.map(str::to_owned),
            severity: severity.unwrap_or_else(|| of_whole(kind)).max(of_whole(kind)),
            findings,
            fields,
            value: is_whole.then(|| whole(shown)),
            origin: if is_whole { source_line(input, shown.traced, &shown.node) } else { None },
        })
    }

    fn field(
        &self,
        kind: &str,
        (old, new): (Option<&Compared<'_>>, Option<&Compared<'_>>),
        difference: &Difference<'_>,
    ) -> FieldChange {
        let is_copied = |side: Option<&Compared<'_>>, node: Option<&Node>| {
            side.zip(node).is_some_and(|(side, node)| copied::is_copied(side.traced, node))
        };
        let is_hidden = is_copied(old, difference.before) || is_copied(new, difference.after);
        let json = |node: Option<&Node>| match (node, is_hidden) {
            (Some(node), true) => object::token_of(node).into(),
            (node, _) => node.map(to_json).unwrap_or_default(),
        };
        let change = match (difference.before, difference.after, &difference.order) {
            (_, _, Some(order)) => Change::Reordered { order: order.clone() },
            (None, after, None) => Change::Added { after: json(after) },
            (before, None, None) => Change::Removed { before: json(before) },
            (before, after, None) => Change::Replaced { before: json(before), after: json(after) },
        };
        let lines = match (
            &change,
            difference.before.and_then(Node::as_str),
            difference.after.and_then(Node::as_str),
        ) {
            (Change::Replaced { .. }, Some(before), Some(after)) if !is_hidden => lines::hunks(before, after),
            _ => Vec::new(),
        };
        let (class, severity) = impact::class_of(kind, difference);
        FieldChange {
            path: path_without(&difference.path, self.copied),
            change,
            lines,
            class,
            severity,
            folded: difference.folded,
            before_origin: old.and_then(|old| source_line(self.before, old.traced, difference.before?)),
            after_origin: new.and_then(|new| match difference.after {
                Some(node) => source_line(self.after, new.traced, node),
                None => removal_line(self.after, new.traced, &difference.path),
            }),
        }
    }
}

/// The path without names of items that were copied from secrets.
fn path_without(path: &Path, copied: &Copied) -> Path {
    let mut path = path.clone();
    for step in &mut path.0 {
        let Step::Item { key, .. } = step else { continue };
        for (_, value) in key.iter_mut().filter(|(_, value)| copied.values.contains(value)) {
            *value = object::token_of_bytes(value.as_bytes());
        }
    }
    path
}

/// The whole resource, without values that it copied from secrets.
fn whole(shown: &Compared<'_>) -> serde_json::Value {
    if !shown.traced.has_copied() {
        return to_json(&shown.node);
    }
    let mut node = shown.node.clone().into_owned();
    copied::hide_copied(shown.traced, &mut node, &mut object::token_of_bytes);
    to_json(&node)
}

fn previous(old: Option<&Compared<'_>>, new: Option<&Compared<'_>>) -> Option<ObjectId> {
    let (old, new) = (old?, new?);
    (old.identity != new.identity).then(|| old.identity.clone())
}

/// The severity of a resource that is added, removed or renamed.
fn of_whole(kind: ChangeKind) -> Severity {
    match kind {
        ChangeKind::Changed | ChangeKind::Added => Severity::Low,
        ChangeKind::Removed | ChangeKind::Renamed | ChangeKind::Moved => Severity::Medium,
    }
}
