//! A resource, or a part of it, as YAML with the origin of every field on its right.

use super::field::{Field, Segment};
use super::places::Places;
use super::{chain, redaction};
use kfc_diagnostics::text::for_message;
use kfc_diagnostics::{Mark, Result, SourceId};
use kfc_kube::redaction::copied as resources;
use kfc_kustomize::provenance::StepKind;
use kfc_kustomize::resource::Resource;
use kfc_yaml::{Node, Value, emit, parse};
use std::fmt::Write as _;

/// The column of origins, if lines are not longer.
const GUTTER: usize = 60;

/// Shows a field: a single value with its chain, a mapping or list as YAML with a line of source for every value.
///
/// # Errors
/// Values that YAML cannot represent.
pub fn annotated(resource: &Resource, field: &Field<'_>, places: &mut Places<'_>) -> Result<String> {
    let title = title(resource);
    let mut out = format!("{}\n", for_message(&places.hidden.shown(&title)));
    if is_single(field.node) {
        out.push_str(&chain::text(resource, field, places));
        return Ok(out);
    }
    if !field.segments.is_empty() {
        let _ = writeln!(out, "{}:", for_message(&field.to_string()));
    }
    out.push_str(&tree(resource, field, places)?);
    let mut gone = Vec::new();
    removed(resource, &field.segments, field.node, places, &mut gone);
    if !gone.is_empty() {
        out.push_str("\nremoved:\n");
        for line in &gone {
            out.push_str(line);
        }
    }
    Ok(out)
}

fn is_single(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(_) => true,
        Value::Map(map) => map.is_empty(),
        Value::Seq(items) => items.is_empty(),
    }
}

/// `Deployment kubeflow/katib-controller`, with the name in its source if that differs.
fn title(resource: &Resource) -> String {
    let namespace = match &*resources::namespace(resource) {
        "" => String::new(),
        namespace => format!("{namespace}/"),
    };
    let mut title = format!("{} {namespace}{}", resources::kind(resource), resources::name(resource));
    let first = resource.previous.first().map(|previous| previous.name.as_str());
    if let Some(first) = first.filter(|first| *first != resource.name()) {
        let _ = write!(title, " (read as {first})");
    }
    title
}

/// The YAML of a node, each line that a value starts in followed by the value's origin.
fn tree(resource: &Resource, field: &Field<'_>, places: &mut Places<'_>) -> Result<String> {
    let shown = redaction::redacted(resource, &field.segments, field.node, &mut places.hidden);
    let mut bytes = Vec::new();
    emit::emit(&shown, &mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // The emitted text is read again: its marks have the line of each value.
    let read = parse::parse(&text, SourceId::NONE)?;
    let mut origins: Vec<Option<Mark>> = vec![None; text.lines().count()];
    if let Some(read) = read.first() {
        let starts: Vec<usize> =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        attach(&shown, read, &starts, &mut origins);
    }
    let width =
        text.lines().map(|line| line.chars().count()).filter(|width| *width <= GUTTER).max().unwrap_or(0);
    let marks = origins.iter().flatten().filter_map(|mark| resource.history().last(*mark));
    let top = common_folder(marks.map(|last| places.short(last.place)));
    let mut out = String::with_capacity(text.len() * 2);
    if !top.is_empty() {
        let _ = writeln!(out, "# paths below {top}");
    }
    for (line, mark) in text.lines().zip(origins) {
        let Some(last) = mark.and_then(|mark| resource.history().last(mark)) else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let place = places.short(last.place);
        let _ = write!(out, "{line:width$}  # {}", place.strip_prefix(&top).unwrap_or(&place));
        if last.step.kind != StepKind::Base {
            let _ = write!(out, "  {}", last.step.kind);
        }
        out.push('\n');
    }
    Ok(out)
}

/// The directory of all files, when it is outside the working directory: it is shown only once.
fn common_folder(files: impl Iterator<Item = String>) -> String {
    let mut common: Option<String> = None;
    for file in files.filter(|file| file.contains('/')) {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let Some(known) = &common else {
            common = Some(format!("{folder}/"));
            continue;
        };
        let parts = known.split_inclusive('/').zip(file.split_inclusive('/'));
        common = Some(parts.take_while(|(a, b)| a == b).map(|(part, _)| part).collect());
    }
    let is_long = |common: &String| {
        common.starts_with(['/', '.']) && common.split('/').any(|part| !matches!(part, "" | "." | ".."))
    };
    common.filter(is_long).unwrap_or_default()
}

/// Records for the line of every value the mark that it has in the bundle.
fn attach(node: &Node, read: &Node, starts: &[usize], origins: &mut [Option<Mark>]) {
    match (&node.value, &read.value) {
        (Value::Map(map), Value::Map(with)) if !map.is_empty() => {
            for entry in with {
                if let Some(value) = map.get(&entry.key.text) {
                    note(value, entry.key.mark, starts, origins);
                    attach(value, &entry.value, starts, origins);
                }
            }
        }
        (Value::Seq(items), Value::Seq(with)) => {
            for (item, read) in items.iter().zip(with) {
                note(item, read.mark, starts, origins);
                attach(item, read, starts, origins);
            }
        }
        _ => {}
    }
}

fn note(value: &Node, at: Mark, starts: &[usize], origins: &mut [Option<Mark>]) {
    let line = starts.partition_point(|start| *start <= at.offset as usize).saturating_sub(1);
    if let Some(origin) = origins.get_mut(line).filter(|_| is_single(value)) {
        *origin = Some(value.mark);
    }
}

/// A line for every field that a step removed.
fn removed(
    resource: &Resource,
    segments: &[Segment],
    node: &Node,
    places: &mut Places<'_>,
    lines: &mut Vec<String>,
) {
    let below = |segment: Segment| [segments, &[segment]].concat();
    for removal in resource.history().removals(node.mark) {
        let is_list = node.as_seq().is_some();
        let index = removal.key.parse().ok().filter(|_| is_list);
        let segments = below(index.map_or_else(|| Segment::Key(removal.key.clone()), Segment::Index));
        let before = redaction::redacted(resource, &segments, &removal.before, &mut places.hidden);
        let field = Field { segments, node: &removal.before };
        let (kind, place) = (removal.step.kind, places.full(removal.step.place));
        let line = format!("{field} = {}  {kind}  {place}", chain::one_line(&before));
        lines.push(format!("  {}\n", for_message(&line)));
    }
    match &node.value {
        Value::Map(map) => {
            for entry in map {
                let key = redaction::key(resource, entry, &mut places.hidden);
                let segments = below(Segment::Key(key));
                removed(resource, &segments, &entry.value, places, lines);
            }
        }
        Value::Seq(items) => {
            for (at, item) in items.iter().enumerate() {
                removed(resource, &below(Segment::Index(at)), item, places, lines);
            }
        }
        Value::Scalar(_) => {}
    }
}
