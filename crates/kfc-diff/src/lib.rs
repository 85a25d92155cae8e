//! The semantic diff of two bundles: which resources belong together ([`matching`]), in which fields they differ
//! ([`compare`]), and what that means ([`meaning`]). Gives a [`Report`], which formats are written from.

pub mod apply;
mod compare;
mod fold;
mod join;
mod keys;
mod lines;
mod matching;
mod meaning;
pub mod model;
pub mod report;

pub use join::join;
pub use model::{Class, Report};

use compare::Difference;
use kfc_diagnostics::{Mark, SourceId, Sources};
use kfc_kube::redaction::object;
use kfc_kube::schema::Schema;
use kfc_kustomize::redaction::{self, Copied};
use kfc_kustomize::resource::Resource;
use kfc_yaml::Node;
use kfc_yaml::value::to_json;
use matching::{Compared, Matches, matches};
use meaning::{Changed, Grants};
use model::{
    Change, ChangeKind, FieldChange, Graph, Identity, Origin, Path, ResourceChange, Severity, Side, Step,
    Summary,
};
use rayon::prelude::*;
use std::sync::Arc;

/// One side of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// What the user named.
    pub label: String,
    /// Its resources, in order.
    pub resources: Vec<Resource>,
    /// The component of each resource that belongs to one, by [`Resource::owner`].
    pub components: Vec<String>,
    /// The texts that marks point into.
    pub sources: Arc<Sources>,
    /// The components, when it was made from a plan.
    pub graph: Option<Graph>,
    /// How names of files that start so are shown instead: those of a copy.
    pub renamed: Option<(String, String)>,
    /// The name of the stack or profile, by which a cluster keeps the list of what was applied.
    pub stack: Option<String>,
    /// Why resources go that the other side does not have, where that is known.
    pub why_removed: Option<String>,
}

impl Input {
    fn component(&self, resource: &Resource) -> Option<String> {
        let owner = usize::try_from(resource.owner?).ok()?;
        self.components.get(owner).cloned()
    }
}

/// The text of a bundle as a report may show it, tokens for values of secrets: [`crate::report::write`] numbers them.
///
/// # Errors
/// Values that cannot be written.
pub fn shown_text(input: &Input) -> kfc_diagnostics::Result<String> {
    text_without(input, &Copied::default())
}

/// The texts of two bundles, as [`shown_text`], without what either of them is known to have copied out of secrets.
///
/// # Errors
/// Values that cannot be written.
pub fn shown_texts(before: &Input, after: &Input) -> kfc_diagnostics::Result<(String, String)> {
    let copied = Copied::of(before.resources.iter().chain(&after.resources));
    Ok((text_without(before, &copied)?, text_without(after, &copied)?))
}

fn text_without(input: &Input, copied: &Copied) -> kfc_diagnostics::Result<String> {
    let shown: Vec<_> =
        input.resources.iter().map(|resource| redaction::shown_without(resource, copied)).collect();
    let nodes: Vec<&Node> = shown.iter().map(|node| &**node).collect();
    let bytes = kfc_yaml::emit::emit_all(&nodes)?.concat();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Compares two bundles.
#[must_use]
pub fn compare(before: &Input, after: &Input, schema: &Schema) -> Report {
    let copied = Copied::of(before.resources.iter().chain(&after.resources));
    let (mut old, mut new) = (compared(before, &copied), compared(after, &copied));
    let matches = matches(&old, &new);
    hide_identities(&mut old, &mut new, &matches);
    let types = keys::Types::of(schema, before.resources.iter().chain(&after.resources));
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
    input.resources.par_iter().map(|resource| Compared::of(resource, copied)).collect()
}

/// Hides names, namespaces and kinds that came out of secrets, after resources were matched by them: on both sides, as a
/// side that was not built does not know where they came from.
fn hide_identities(old: &mut [Compared<'_>], new: &mut [Compared<'_>], matches: &Matches) {
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
    /// What changes of one resource; none when it is the same.
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
        let mut findings = meaning::findings(&changed, &self.grants);
        if let (ChangeKind::Removed, Some(why)) = (kind, &self.before.why_removed) {
            findings.push(meaning::removal(why));
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
            component: input.component(shown.resource),
            severity: severity.unwrap_or_else(|| of_whole(kind)).max(of_whole(kind)),
            findings,
            fields,
            value: is_whole.then(|| whole(shown)),
            origin: if is_whole { source_line(input, shown.resource, shown.node.mark) } else { None },
        })
    }

    fn field(
        &self,
        kind: &str,
        (old, new): (Option<&Compared<'_>>, Option<&Compared<'_>>),
        difference: &Difference<'_>,
    ) -> FieldChange {
        let is_copied = |side: Option<&Compared<'_>>, node: Option<&Node>| {
            side.zip(node).is_some_and(|(side, node)| redaction::is_copied(side.resource, node))
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
        let (class, severity) = meaning::class_of(kind, difference);
        FieldChange {
            path: path_without(&difference.path, self.copied),
            change,
            lines,
            class,
            severity,
            folded: difference.folded,
            before_origin: old
                .and_then(|old| source_line(self.before, old.resource, difference.before?.mark)),
            after_origin: new.and_then(|new| match difference.after {
                Some(node) => source_line(self.after, new.resource, node.mark),
                None => removal_line(self.after, new.resource, &difference.path),
            }),
        }
    }
}

/// The path without names of items that came out of secrets.
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

/// All of a resource, without what it has copied out of secrets.
fn whole(shown: &Compared<'_>) -> serde_json::Value {
    match redaction::has_copied(shown.resource) {
        true => {
            let mut node = shown.node.clone().into_owned();
            redaction::hide_copied(shown.resource, &mut node, &mut object::token_of_bytes);
            to_json(&node)
        }
        false => to_json(&shown.node),
    }
}

fn previous(old: Option<&Compared<'_>>, new: Option<&Compared<'_>>) -> Option<Identity> {
    let (old, new) = (old?, new?);
    (old.identity != new.identity).then(|| old.identity.clone())
}

/// The severity of a resource that comes, goes or gets another name.
fn of_whole(kind: ChangeKind) -> Severity {
    match kind {
        ChangeKind::Changed | ChangeKind::Added => Severity::Low,
        ChangeKind::Removed | ChangeKind::Renamed | ChangeKind::Moved => Severity::Medium,
    }
}

/// The line that gave a field its value, with the step when the side was built with origins.
fn source_line(input: &Input, resource: &Resource, mark: Mark) -> Option<Origin> {
    match resource.trail.last(mark) {
        None => origin(input, mark),
        Some(last) => Some(Origin { step: last.step.kind.to_string(), ..origin(input, last.place)? }),
    }
}

/// The line of the step that took a field away, when the side was built with origins.
fn removal_line(input: &Input, resource: &Resource, path: &Path) -> Option<Origin> {
    let (last, way) = path.0.split_last()?;
    let parent = way.iter().try_fold(&resource.node, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Item { after, .. } => node.as_seq()?.get((*after)?),
    })?;
    let Step::Key(key) = last else { return None };
    let removal = resource.trail.removals(parent.mark).find(|removal| removal.key == *key)?;
    let step = removal.step.kind.to_string();
    Some(Origin { step, ..origin(input, removal.step.place)? })
}

fn origin(input: &Input, mark: Mark) -> Option<Origin> {
    if mark.source == SourceId::NONE {
        return None;
    }
    let source = input.sources.get(mark.source)?;
    let position = source.position(mark.offset);
    let (line, column) = (position.line, position.column);
    let shown = input
        .renamed
        .as_ref()
        .and_then(|(from, to)| Some(format!("{to}{}", source.name.strip_prefix(from)?)));
    Some(Origin { file: shown.unwrap_or_else(|| source.name.clone()), line, column, step: String::new() })
}

fn summary(changes: &[ResourceChange], unchanged: usize) -> Summary {
    let mut summary = Summary { unchanged, ..Summary::default() };
    for change in changes {
        let folded = change.fields.iter().filter(|field| field.folded.is_some()).count();
        summary.folded += folded;
        summary.fields += change.fields.len() - folded;
        if change.is_folded() {
            summary.unchanged += 1;
            continue;
        }
        match change.kind {
            ChangeKind::Added => summary.added += 1,
            ChangeKind::Removed => summary.removed += 1,
            ChangeKind::Changed => summary.changed += 1,
            ChangeKind::Renamed => summary.renamed += 1,
            ChangeKind::Moved => summary.moved += 1,
        }
        for class in change.classes() {
            *summary.classes.entry(class).or_default() += 1;
        }
        // Why it goes may have been said with the class already.
        if change.kind != ChangeKind::Changed && change.classes().all(|class| class != Class::Resource) {
            *summary.classes.entry(Class::Resource).or_default() += 1;
        }
        *summary.severities.entry(change.severity).or_default() += 1;
        *summary.components.entry(change.component.clone().unwrap_or_default()).or_default() += 1;
    }
    summary
}
