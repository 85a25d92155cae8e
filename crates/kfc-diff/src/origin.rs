//! Where the values of a side come from.

use crate::input::Input;
use crate::model::{Origin, Path, Step};
use kfc_diagnostics::Mark;
use kfc_kube::{LastChange, Traced};
use kfc_yaml::Node;

/// The line that set a value, with the step when that is known.
pub(super) fn source_line(input: &Input, traced: &dyn Traced, value: &Node) -> Option<Origin> {
    match traced.set_by(value) {
        None => origin(input, value.mark.known()?),
        Some(change) => of_change(input, change),
    }
}

/// The line of the step that removed a field, when that is known.
pub(super) fn removal_line(input: &Input, traced: &dyn Traced, path: &Path) -> Option<Origin> {
    let (last, parents) = path.0.split_last()?;
    let parent = parents.iter().try_fold(&traced.object().node, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Item { after, .. } => node.as_seq()?.get((*after)?),
    })?;
    let Step::Key(key) = last else { return None };
    of_change(input, traced.removed_by(parent, key)?)
}

fn of_change(input: &Input, change: LastChange<'_>) -> Option<Origin> {
    Some(Origin { step: change.step.to_owned(), ..origin(input, change.mark?)? })
}

fn origin(input: &Input, mark: Mark) -> Option<Origin> {
    let source = input.sources.get(mark.source)?;
    let position = source.position(mark.offset);
    let (line, column) = (position.line, position.column);
    let shown = input
        .renamed
        .as_ref()
        .and_then(|(from, to)| Some(format!("{to}{}", source.name.strip_prefix(from)?)));
    Some(Origin { file: shown.unwrap_or_else(|| source.name.clone()), line, column, step: String::new() })
}
