//! Counts what changes.

use crate::model::{ChangeKind, Class, ResourceChange, Summary};

/// How many resources and fields change, by kind, class, severity and component.
pub(super) fn summary(changes: &[ResourceChange], unchanged: usize) -> Summary {
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
        // The reason of a removal has the class already.
        if change.kind != ChangeKind::Changed && change.classes().all(|class| class != Class::Resource) {
            *summary.classes.entry(Class::Resource).or_default() += 1;
        }
        *summary.severities.entry(change.severity).or_default() += 1;
        *summary.components.entry(change.component.clone().unwrap_or_default()).or_default() += 1;
    }
    summary
}
