//! What every format that people read shows: the differences in order and in groups, as plain texts.
//!
//! The formats differ in their markup alone; this module decides what is said, and in which order.

use crate::model::{ChangeKind, Class, Origin, Severity};

/// A report, ready to be marked up.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// The side that is compared against.
    pub(super) before: String,
    /// The side that is looked at.
    pub(super) after: String,
    /// The resources that differ, by component: the one with the most urgent change first.
    pub(super) groups: Vec<Group>,
    /// How many changes and findings each class has with its worst severity; the most urgent first.
    pub(super) classes: Vec<(Class, Severity, usize)>,
    /// Fields that change in form alone and are not shown.
    pub(super) folded: usize,
}

/// The differing resources of a component.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The component; none for what belongs to none.
    pub(super) component: Option<String>,
    /// Its resources, the most urgent first.
    pub(super) items: Vec<Item>,
}

/// What may happen to a resource, in the order in which it is counted.
pub(super) const HAPPENED: [ChangeKind; 5] =
    [ChangeKind::Added, ChangeKind::Removed, ChangeKind::Changed, ChangeKind::Renamed, ChangeKind::Moved];

/// The sign before a resource.
pub(super) const fn sign(happened: ChangeKind) -> &'static str {
    match happened {
        ChangeKind::Added => "+",
        ChangeKind::Removed => "-",
        ChangeKind::Changed => "~",
        ChangeKind::Renamed | ChangeKind::Moved => "→",
    }
}

/// `overlays/a/kustomization.yaml:12 (images)`.
pub(super) fn place(origin: &Origin) -> String {
    let step = if origin.step.is_empty() { String::new() } else { format!(" ({})", origin.step) };
    format!("{}:{}{step}", origin.file, origin.line)
}

/// A resource that differs.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// What happened to it.
    pub(super) happened: ChangeKind,
    /// The worst severity of its changes.
    pub(super) severity: Severity,
    /// Its urgency, as [`crate::model::urgency`] has it.
    pub(super) urgency: (u8, u8, Class),
    /// Its kind.
    pub(super) kind: String,
    /// Its namespace, empty when it has none.
    pub(super) namespace: String,
    /// Its name.
    pub(super) name: String,
    /// What it was called before, when that differs.
    pub(super) was: Option<String>,
    /// The impact of adding, removing or moving it.
    pub(super) findings: Vec<Finding>,
    /// Where it comes from.
    pub(super) origin: Option<Origin>,
    /// The fields that changed, in the order of the resource.
    pub(super) fields: Vec<Field>,
    /// All of it as an outline, when it is new or removed; only on request.
    pub(super) body: Option<String>,
}

/// A finding with the field that it refers to and the line that made the change.
pub(super) type FindingAt<'a> = (&'a Finding, Option<&'a Field>, Option<&'a Origin>);

/// The impact of a change.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    /// Its class.
    pub(super) class: Class,
    /// How bad it is.
    pub(super) severity: Severity,
    /// A sentence; empty when the class says it all.
    pub(super) message: String,
}

/// A field that changed.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its path, `spec.containers[name=app].image`.
    pub(super) path: String,
    /// The impact of the change; the worst first.
    pub(super) findings: Vec<Finding>,
    /// The value before; `None` when there was none.
    pub(super) before: Option<String>,
    /// The value after; `None` when there is none.
    pub(super) after: Option<String>,
    /// The changed lines, of values with several.
    pub(super) lines: Vec<Line>,
    /// Where the value before came from.
    pub(super) before_origin: Option<Origin>,
    /// Where the value after comes from.
    pub(super) after_origin: Option<Origin>,
}

/// A line of a value with several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line of both.
    Same(String),
    /// A line that is gone.
    Removed(String),
    /// A line that is new.
    Added(String),
    /// So many lines of both are not shown.
    Gap(usize),
}

impl Field {
    /// The line of source that made the change.
    pub(super) fn origin(&self) -> Option<&Origin> {
        self.after_origin.as_ref().or(self.before_origin.as_ref())
    }
}

impl Item {
    /// `kubeflow/katib-controller`.
    pub(super) fn id(&self) -> String {
        if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }

    /// `Deployment kubeflow/katib-controller`.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.kind, self.id())
    }

    /// All findings of it and its fields, with the field and its origin.
    pub(super) fn all_findings(&self) -> impl Iterator<Item = FindingAt<'_>> {
        let own = self.findings.iter().map(|finding| (finding, None, self.origin.as_ref()));
        let of_fields = self.fields.iter().flat_map(|field| {
            field.findings.iter().map(move |finding| (finding, Some(field), field.origin()))
        });
        own.chain(of_fields)
    }

    /// The number of changes: one for each field, one for a resource that is new or removed.
    pub(super) fn changes(&self) -> usize {
        self.fields.len().max(1)
    }
}

impl View {
    /// All resources that differ.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.groups.iter().flat_map(|group| &group.items)
    }

    /// `2 added, 1 removed, 3 changed`; what does not occur is not named.
    pub(super) fn counts(&self) -> String {
        let count = |happened| self.items().filter(|item| item.happened == happened).count();
        let named = HAPPENED.iter().map(|happened| (count(*happened), happened.name()));
        let parts: Vec<String> =
            named.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        if parts.is_empty() { "nothing differs".to_owned() } else { parts.join(", ") }
    }
}

/// `1 resource`, `2 resources`.
pub(super) fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
