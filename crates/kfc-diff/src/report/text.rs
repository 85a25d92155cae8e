//! Text for a terminal: a summary, then one line a change, grouped by component and resource.

use super::kinds::kinds;
use super::style::Style;
use super::view::{Field, Group, Item, Line, View, counted, place, sign};
use super::words::{keep_start, shorten, split, visible};
use crate::model::{ChangeKind, Severity};
use anstyle::{AnsiColor, Style as Paint};
use std::fmt::Write as _;

const HEAD: Paint = Paint::new().bold();
const SOFT: Paint = Paint::new().dimmed();
const OLD: Paint = AnsiColor::Red.on_default();
const NEW: Paint = AnsiColor::Green.on_default();
const SEVERE: Paint = AnsiColor::Red.on_default().bold();
const SERIOUS: Paint = AnsiColor::Yellow.on_default().bold();

/// Characters of a value when the output has no width.
const UNBOUND: usize = 160;
/// The least room that a value is cut to.
const LEAST: usize = 16;
/// Lines of a changed text that are shown.
const MOST_LINES: usize = 40;

/// The report as text.
pub(super) fn text(view: &View, style: &Style<'_>) -> String {
    let mut out = String::new();
    let page = Page { colour: style.colour, width: style.width };
    page.summary(view, &mut out);
    page.findings(view, &mut out);
    for group in &view.groups {
        page.group(group, view.groups.len() > 1 || group.component.is_some(), &mut out);
    }
    out
}

struct Page {
    colour: bool,
    width: Option<usize>,
}

impl Page {
    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }

    /// One line: what differs and its impact, the worst first.
    fn summary(&self, view: &View, out: &mut String) {
        let sides = format!("{} → {}", visible(&view.before), visible(&view.after));
        let _ = write!(out, "{}: {}", self.paint(HEAD, &sides), view.counts());
        let classes: usize = view.classes.iter().map(|(class, ..)| class.name().len() + 5).sum();
        let breaks =
            self.width.is_some_and(|width| sides.chars().count() + view.counts().len() + classes > width);
        for (nth, (class, severity, count)) in view.classes.iter().enumerate() {
            out.push_str(match (nth, breaks) {
                (0, true) => "\n",
                (0, false) => "; ",
                _ => ", ",
            });
            out.push_str(&self.paint(paint_of(*severity), &format!("{count} {class}")));
        }
        if view.folded > 0 {
            let _ = write!(out, "; {} of form alone not shown", counted(view.folded, "change"));
        }
        out.push('\n');
    }

    /// A line for each kind of serious findings, with its resources.
    fn findings(&self, view: &View, out: &mut String) {
        let kinds = kinds(view, Severity::High);
        for kind in &kinds {
            let message = kind.message();
            let message = match (message.is_empty(), kind.only().and_then(|found| found.finding.1)) {
                (false, _) => message,
                (true, Some(field)) => format!("{} changes", field.path),
                (true, None) => kind.plainly(),
            };
            let (named, more) = kind.named();
            let names: Vec<String> =
                named.iter().map(|found| visible(&found.item.title()).into_owned()).collect();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let class = self.paint(paint_of(kind.severity), &format!("[{}]", kind.class));
            let count = match kind.items().len() {
                1 => String::new(),
                count => format!("{count} resources: "),
            };
            let _ = writeln!(out, "{class} {}: {count}{}{more}", visible(&message), names.join(", "));
        }
    }

    fn group(&self, group: &Group, named: bool, out: &mut String) {
        let indent = if named { "  " } else { "" };
        if named {
            let name = group.component.as_deref().unwrap_or("no component");
            let _ = writeln!(out, "{}", self.paint(HEAD, &visible(name)));
        }
        for item in &group.items {
            self.item(item, indent, out);
        }
    }

    fn item(&self, item: &Item, indent: &str, out: &mut String) {
        let sign = match item.happened {
            ChangeKind::Added => self.paint(NEW, "+"),
            ChangeKind::Removed => self.paint(OLD, "-"),
            other => sign(other).to_owned(),
        };
        let _ = write!(out, "{indent}{sign} {}", self.paint(HEAD, &visible(&item.title())));
        if let Some(was) = &item.was {
            let _ = write!(out, " (was {})", visible(was));
        }
        for finding in &item.findings {
            let _ =
                write!(out, "  {}", self.paint(paint_of(finding.severity), &format!("[{}]", finding.class)));
            if !finding.message.is_empty() {
                let _ = write!(out, " {}", visible(&finding.message));
            }
        }
        if let Some(origin) = &item.origin {
            let _ = write!(out, "  {}", self.paint(SOFT, &visible(&place(origin))));
        }
        out.push('\n');
        for field in &item.fields {
            self.field(field, indent.len() + 4, out);
        }
    }

    /// The path, the values, the classes and the origin: on one line where that fits, else on two.
    fn field(&self, field: &Field, indent: usize, out: &mut String) {
        let path = visible(&field.path);
        let (notes, notes_width) = self.notes(field);
        let _ = write!(out, "{:indent$}", "");
        if !field.lines.is_empty() {
            let _ = writeln!(out, "{path}:{notes}");
            self.lines(&field.lines, indent + 2, out);
            return;
        }
        let used = indent + path.chars().count() + 2 + notes_width;
        let room = self.width.map_or(2 * UNBOUND, |width| width.saturating_sub(used));
        if self.width.is_none() || fits(field, room) {
            let _ = writeln!(out, "{path}: {}{notes}", self.values(field, room));
            return;
        }
        let deeper = indent + 2;
        let room_alone = room + notes_width;
        if fits(field, room_alone) {
            let _ = writeln!(
                out,
                "{path}: {}\n{:deeper$}{}",
                self.values(field, room_alone),
                "",
                notes.trim_start()
            );
            return;
        }
        let room = self.width.map_or(2 * UNBOUND, |width| width.saturating_sub(deeper)).max(2 * LEAST);
        let _ = writeln!(out, "{path}:{notes}\n{:deeper$}{}", "", self.values(field, room));
    }

    /// `old → new`, or the only value, in so many characters.
    fn values(&self, field: &Field, room: usize) -> String {
        let shown = |value: &Option<String>| value.as_deref().map(|text| visible(text).into_owned());
        match (shown(&field.before), shown(&field.after)) {
            (Some(before), Some(after)) => {
                let (old, new) = split(&before, &after);
                // A short value leaves its room to the other one.
                let each = room.saturating_sub(3) / 2;
                let (lengths, both) =
                    ((before.chars().count(), after.chars().count()), room.saturating_sub(3));
                let of_old = each.max(both.saturating_sub(lengths.1)).min(both);
                let of_new = each.max(both.saturating_sub(lengths.0)).min(both);
                let (old, new) = (shorten(old, of_old), shorten(new, of_new));
                format!("{} → {}", self.pieces(OLD, &old), self.pieces(NEW, &new))
            }
            (Some(before), None) => {
                self.paint(OLD, &format!("- {}", keep_start(&before, room.saturating_sub(2))))
            }
            (None, Some(after)) => {
                self.paint(NEW, &format!("+ {}", keep_start(&after, room.saturating_sub(2))))
            }
            (None, None) => String::new(),
        }
    }

    fn pieces(&self, paint: Paint, (start, changed, end): &(String, String, String)) -> String {
        let word = self.paint(paint.underline(), changed);
        format!("{}{word}{}", self.paint(paint, start), self.paint(paint, end))
    }

    /// The classes and the origin for the end of a line, with their width.
    fn notes(&self, field: &Field) -> (String, usize) {
        let (mut notes, mut width) = (String::new(), 0);
        for finding in &field.findings {
            let message = visible(&finding.message);
            let gap = if message.is_empty() { "" } else { " " };
            let class = format!("[{}]", finding.class);
            width += class.chars().count() + gap.len() + message.chars().count() + 2;
            let _ = write!(notes, "  {}{gap}{message}", self.paint(paint_of(finding.severity), &class));
        }
        if let Some(origin) = field.origin() {
            let origin = place(origin);
            width += origin.chars().count() + 2;
            let _ = write!(notes, "  {}", self.paint(SOFT, &visible(&origin)));
        }
        (notes, width)
    }

    fn lines(&self, lines: &[Line], indent: usize, out: &mut String) {
        let room = self.width.map_or(UNBOUND, |width| width.saturating_sub(indent + 2).max(LEAST));
        for line in lines.iter().take(MOST_LINES) {
            let cut = |text: &str| keep_start(&visible(text), room).into_owned();
            let line = match line {
                Line::Same(text) => format!("  {}", cut(text)),
                Line::Removed(text) => self.paint(OLD, &format!("- {}", cut(text))),
                Line::Added(text) => self.paint(NEW, &format!("+ {}", cut(text))),
                Line::Gap(count) => self.paint(SOFT, &format!("… {}", counted(*count, "line"))),
            };
            let _ = writeln!(out, "{:indent$}{}", "", line.trim_end());
        }
        if lines.len() > MOST_LINES {
            let more = format!("… {} more", counted(lines.len() - MOST_LINES, "line"));
            let _ = writeln!(out, "{:indent$}{}", "", self.paint(SOFT, &more));
        }
    }
}

/// Whether the whole values fit into so many characters.
fn fits(field: &Field, room: usize) -> bool {
    let count = |value: &Option<String>| value.as_deref().map_or(0, |text| text.chars().count());
    count(&field.before) + count(&field.after) + 3 <= room
}

/// The colour of a severity.
const fn paint_of(severity: Severity) -> Paint {
    match severity {
        Severity::Critical => SEVERE,
        Severity::High => SERIOUS,
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low => AnsiColor::Cyan.on_default(),
    }
}
