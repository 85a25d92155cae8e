//! Where the values of a side come from.

use crate::input::Input;
use crate::model::{Origin, Path, Step};
use kfc_diagnostics::{Mark, SourceId};
use kfc_kustomize::resource::Resource;

/// The line that set a field, with the step when the side was built with origins.
pub(super) fn source_line(input: &Input, resource: &Resource, mark: Mark) -> Option<Origin> {
    match resource.history().last(mark) {
        None => origin(input, mark),
        Some(last) => Some(Origin { step: last.step.kind.to_string(), ..origin(input, last.place)? }),
    }
}

/// The line of the step that removed a field, when the side was built with origins.
pub(super) fn removal_line(input: &Input, resource: &Resource, path: &Path) -> Option<Origin> {
    let (last, parents) = path.0.split_last()?;
    let parent = parents.iter().try_fold(&resource.node, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Item { after, .. } => node.as_seq()?.get((*after)?),
    })?;
    let Step::Key(key) = last else { return None };
    let removal = resource.history().removals(parent.mark).find(|removal| removal.key == *key)?;
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
