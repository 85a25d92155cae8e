//! The rows of the page. Their size is limited: nobody reads what a browser cannot show.

use crate::model::{ChangeKind, Class, Severity};
use crate::report::view::{Field, Finding, Group, Item, Line, View, counted, place, sign};
use crate::report::words::{Pieces, keep_start, split};
use serde::Serialize;

/// Bytes of all rows together.
const BUDGET: usize = 850_000;
/// Bytes of a resource whose values are left out, about.
const HEAD: usize = 900;
/// Bytes of the markup of a row, about.
const MARKUP: usize = 420;
/// Characters of a value.
const VALUE: usize = 3000;
/// Lines of a changed text.
const MOST_LINES: usize = 200;
/// Resources up to which all of them with a high severity are open from the start.
const OPEN: usize = 40;

/// All rows.
pub(super) struct Rows {
    pub(super) groups: Vec<GroupRow>,
    pub(super) left_out: Option<String>,
}

#[derive(Serialize)]
pub(super) struct GroupRow {
    name: String,
    resources: Vec<ResourceRow>,
}

#[derive(Serialize)]
struct ResourceRow {
    anchor: String,
    change: &'static str,
    sign: &'static str,
    tone: &'static str,
    kind: String,
    namespace: String,
    name: String,
    note: Option<String>,
    tags: Vec<Tag>,
    open: bool,
    fields: Vec<FieldRow>,
    left_out: Option<String>,
}

#[derive(Serialize)]
struct Tag {
    tone: &'static str,
    label: String,
}

#[derive(Default, Serialize)]
struct FieldRow {
    tone: &'static str,
    classes: String,
    label: Option<&'static str>,
    path: String,
    why: String,
    sides: Vec<Side>,
    lines: Vec<LineRow>,
    origin: Option<String>,
}

/// One of the two values beside each other.
#[derive(Serialize)]
struct Side {
    old: bool,
    cell: Option<Cell>,
}

#[derive(Serialize)]
struct Cell {
    start: String,
    changed: String,
    end: String,
    origin: Option<String>,
}

#[derive(Serialize)]
struct LineRow {
    side: &'static str,
    text: String,
}

/// The address of a resource within the page.
pub(super) fn anchor(group: usize, nth: usize) -> String {
    format!("r-{group}-{nth}")
}

/// The address that filters by a component.
pub(super) fn component_anchor(group: usize) -> String {
    format!("c-{group}")
}

pub(super) fn group_name(group: &Group) -> &str {
    group.component.as_deref().unwrap_or("no component")
}

pub(super) fn rows(view: &View) -> Rows {
    let all = view.items().count();
    let few = all <= OPEN;
    // First the heads of all resources, then as much detail as there is room for.
    let mut heads = all.min(BUDGET / HEAD);
    let mut budget = BUDGET - heads * HEAD;
    let groups = view
        .groups
        .iter()
        .enumerate()
        .map(|(nth_group, group)| {
            let mut resources = Vec::with_capacity(group.items.len());
            for (nth, item) in group.items.iter().enumerate() {
                if heads > 0 {
                    heads -= 1;
                    resources.push(resource(item, anchor(nth_group, nth), few, &mut budget));
                }
            }
            GroupRow { name: group_name(group).to_owned(), resources }
        })
        .filter(|group: &GroupRow| !group.resources.is_empty())
        .collect();
    let left_out = all.saturating_sub(BUDGET / HEAD);
    let left_out = (left_out > 0).then(|| note(&counted(left_out, "resource")));
    Rows { groups, left_out }
}

fn note(what: &str) -> String {
    format!("Left out for its length: {what}. The JSON report has all of it.")
}

fn resource(item: &Item, anchor: String, few: bool, budget: &mut usize) -> ResourceRow {
    let mut fields: Vec<FieldRow> = whole(item).into_iter().collect();
    fields.extend(item.fields.iter().map(field));
    let total = fields.len();
    let mut kept: Vec<FieldRow> = Vec::with_capacity(total);
    let mut left_out = None;
    for row in fields {
        let size = row.size();
        if size <= *budget {
            *budget -= size;
            kept.push(row);
        } else if kept.is_empty() {
            // Every resource keeps a row: filters go by rows.
            kept.push(row.without_values());
            left_out = Some(note("the values"));
        } else {
            left_out = Some(note(&counted(total - kept.len(), "change")));
            break;
        }
    }
    let mut notes: Vec<String> = item.was.iter().map(|was| format!("was {was}")).collect();
    if !item.fields.is_empty() {
        notes.push(counted(item.fields.len(), "field"));
    }
    ResourceRow {
        anchor,
        change: item.happened.name(),
        sign: sign(item.happened),
        tone: item.severity.name(),
        kind: item.kind.clone(),
        namespace: item.namespace.clone(),
        name: item.name.clone(),
        note: (!notes.is_empty()).then(|| notes.join(", ")),
        tags: tags(item),
        open: few && item.severity >= Severity::High,
        fields: kept,
        left_out,
    }
}

/// The classes of a resource, each once with its worst severity.
fn tags(item: &Item) -> Vec<Tag> {
    let mut classes = std::collections::BTreeMap::new();
    for (finding, ..) in item.all_findings() {
        let worst = classes.entry(finding.class).or_insert(finding.severity);
        *worst = finding.severity.max(*worst);
    }
    classes.into_iter().map(|(class, tone)| Tag { tone: tone.name(), label: class.to_string() }).collect()
}

/// The row of the resource as a whole, with its content when it is new or removed.
fn whole(item: &Item) -> Option<FieldRow> {
    let stays = item.happened == ChangeKind::Changed;
    if stays && item.findings.is_empty() && !item.fields.is_empty() {
        return None;
    }
    let lines = item.body.as_deref().unwrap_or_default().lines().map(|line| {
        let (side, sign) = if item.happened == ChangeKind::Added { ("r", '+') } else { ("l", '-') };
        LineRow { side, text: format!("{sign} {line}") }
    });
    let mut row =
        finding_row(&item.findings, if item.fields.is_empty() { item.severity } else { Severity::Medium });
    if !stays && !row.classes.split(' ').any(|class| class == Class::Resource.name()) {
        row.classes = format!("{} {}", row.classes, Class::Resource);
    }
    Some(FieldRow { lines: lines.collect(), origin: item.origin.as_ref().map(place), ..row })
}

/// A row with the messages of findings.
fn finding_row(findings: &[Finding], otherwise: Severity) -> FieldRow {
    let messages: Vec<&str> = findings.iter().map(|f| f.message.as_str()).filter(|m| !m.is_empty()).collect();
    let classes: Vec<&str> = findings.iter().map(|finding| finding.class.name()).collect();
    let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or(otherwise);
    FieldRow {
        tone: worst.name(),
        classes: if classes.is_empty() { "resource".to_owned() } else { classes.join(" ") },
        label: findings.iter().max_by_key(|finding| finding.severity).map(|finding| finding.class.name()),
        why: messages.join("; "),
        ..FieldRow::default()
    }
}

fn field(field: &Field) -> FieldRow {
    let texts =
        [&field.before, &field.after].map(|value| value.as_deref().map(|text| keep_start(text, VALUE)));
    let whole = |text: &str| Pieces { start: "", changed: "", end: text }.into_owned();
    let (before, after) = match &texts {
        [Some(before), Some(after)] => {
            let (old, new) = split(before, after);
            (Some(old.into_owned()), Some(new.into_owned()))
        }
        [before, after] => (before.as_deref().map(whole), after.as_deref().map(whole)),
    };
    let cell = |pieces: Option<[String; 3]>, origin: Option<&crate::model::Origin>| {
        pieces.map(|[start, changed, end]| Cell { start, changed, end, origin: origin.map(place) })
    };
    let sides = if field.lines.is_empty() && (before.is_some() || after.is_some()) {
        vec![
            Side { old: true, cell: cell(before, field.before_origin.as_ref()) },
            Side { old: false, cell: cell(after, field.after_origin.as_ref()) },
        ]
    } else {
        Vec::new()
    };
    FieldRow {
        path: field.path.clone(),
        sides,
        lines: lines(&field.lines),
        origin: field.origin().map(place),
        ..finding_row(&field.findings, Severity::Low)
    }
}

fn lines(lines: &[Line]) -> Vec<LineRow> {
    let row = |line: &Line| match line {
        Line::Same(text) => LineRow { side: "s", text: format!("  {text}") },
        Line::Removed(text) => LineRow { side: "l", text: format!("- {text}") },
        Line::Added(text) => LineRow { side: "r", text: format!("+ {text}") },
        Line::Gap(count) => LineRow { side: "gap", text: format!("  … {}", counted(*count, "line")) },
    };
    let mut rows: Vec<LineRow> = lines.iter().take(MOST_LINES).map(row).collect();
    if lines.len() > MOST_LINES {
        let text = format!("  … {} more", counted(lines.len() - MOST_LINES, "line"));
        rows.push(LineRow { side: "gap", text });
    }
    rows
}

impl Pieces<'_> {
    fn into_owned(self) -> [String; 3] {
        [self.start.to_owned(), self.changed.to_owned(), self.end.to_owned()]
    }
}

impl FieldRow {
    /// Bytes on the page, about.
    fn size(&self) -> usize {
        let cell = |cell: &Cell| cell.start.len() + cell.changed.len() + cell.end.len() + 100;
        let cells: usize = self.sides.iter().filter_map(|side| side.cell.as_ref()).map(cell).sum();
        let lines: usize = self.lines.iter().map(|line| line.text.len() + 30).sum();
        MARKUP + self.path.len() + self.why.len() + cells + lines
    }

    fn without_values(self) -> Self {
        Self { sides: Vec::new(), lines: Vec::new(), ..self }
    }
}
