//! Markdown for a pull-request comment: the summary first, then folded detail as far as it fits.

use super::kinds::{Found, Kind, kinds};
use super::style::Style;
use super::view::{Field, Finding, Group, HAPPENED, Item, Line, View, counted, place};
use super::words::{keep_start, visible};
use crate::model::{Origin, Severity};
use std::fmt::Write as _;

/// Kinds of findings that the summary names, beside lost data, which it always names.
const MOST_KINDS: usize = 20;
/// Characters of a cell of the summary.
const CELL: usize = 200;
/// Characters of a value in the detail.
const VALUE: usize = 500;
/// Lines of a changed text.
const MOST_LINES: usize = 60;
/// Bytes that the note on what was left out may take.
const NOTE: usize = 200;

/// The report as Markdown of at most `style.max_bytes`, unless the summary alone is longer: that is never cut.
pub(super) fn markdown(view: &View, style: &Style<'_>) -> String {
    let mut out = summary(view);
    let limit = style.max_bytes.saturating_sub(NOTE);
    let mut left_out = (0, 0);
    for group in &view.groups {
        detail(group, limit, &mut out, &mut left_out);
    }
    let (resources, changes) = left_out;
    if resources > 0 {
        let _ = write!(
            out,
            "\n> Left out for its length: the details of {} with {}. `kfc diff --format html` has all of it.\n",
            counted(resources, "resource"),
            counted(changes, "change")
        );
    }
    out
}

fn summary(view: &View) -> String {
    let mut out = format!("### {} → {}\n\n", code(&view.before), code(&view.after));
    if view.groups.is_empty() {
        out.push_str("Nothing differs.\n");
        return out;
    }
    let _ = writeln!(out, "{}.\n", view.counts());
    out.push_str("| component | added | removed | changed | renamed | moved | worst |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |\n");
    for group in &view.groups {
        let count = |happened| match group.items.iter().filter(|item| item.happened == happened).count() {
            0 => String::new(),
            count => count.to_string(),
        };
        let counts: Vec<String> = HAPPENED.into_iter().map(count).collect();
        let worst = group.items.iter().map(|item| item.severity).max().unwrap_or_default();
        let _ = writeln!(out, "| {} | {} | {} |", name(group), counts.join(" | "), badge(worst));
    }
    let kinds = kinds(view, Severity::Medium);
    if kinds.is_empty() {
        return out;
    }
    out.push_str("\n| severity | class | what | resources |\n| --- | --- | --- | --- |\n");
    let mut left_out = 0;
    for (nth, kind) in kinds.iter().enumerate() {
        if nth >= MOST_KINDS && !kind.always_shown() {
            left_out += kind.found.len();
            continue;
        }
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            badge(kind.severity),
            kind.class,
            what_of(kind),
            resources(kind)
        );
    }
    if left_out > 0 {
        let _ = write!(out, "\nand {} more\n", counted(left_out, "finding"));
    }
    out
}

/// The message of a kind of finding.
fn what_of(kind: &Kind<'_>) -> String {
    if let Some(Found { item, finding: (finding, field, origin), .. }) = kind.only() {
        return what(finding, *field, *origin, item);
    }
    let message = kind.message();
    let message = if message.is_empty() { kind.plainly() } else { message };
    escaped(&keep_start(&message, CELL))
}

/// The resources of a kind of finding, by the kind of resource.
fn resources(kind: &Kind<'_>) -> String {
    let (named, more) = kind.named();
    let mut out = String::new();
    let mut last = None;
    for found in named {
        if !out.is_empty() {
            out.push_str(", ");
        }
        if last.replace(&found.item.kind) != Some(&found.item.kind) {
            let _ = write!(out, "{} ", escaped(&found.item.kind));
        }
        out.push_str(&cell(&found.item.id()));
    }
    if more > 0 {
        let _ = write!(out, " and {more} more");
    }
    let count = kind.items().len();
    if count > 1 { format!("{count}: {out}") } else { out }
}

fn what(finding: &Finding, field: Option<&Field>, origin: Option<&Origin>, item: &Item) -> String {
    let mut out = match field {
        _ if !finding.message.is_empty() => escaped(&keep_start(&finding.message, CELL)),
        Some(field) if !field.lines.is_empty() => {
            let changed =
                field.lines.iter().filter(|line| matches!(line, Line::Removed(_) | Line::Added(_))).count();
            format!("{}: {} differ", cell(&field.path), counted(changed, "line"))
        }
        Some(field) => {
            let side = |value: &Option<String>| {
                value.as_deref().map_or("∅".to_owned(), |text| cell(&keep_start(&visible(text), CELL / 2)))
            };
            format!("{}: {} → {}", cell(&field.path), side(&field.before), side(&field.after))
        }
        None => item.happened.name().to_owned(),
    };
    if let Some(origin) = origin {
        let _ = write!(out, "<br>{}", cell(&place(origin)));
    }
    out
}

/// The folded detail of a component: each resource that fits, also after one that does not.
fn detail(group: &Group, limit: usize, out: &mut String, left_out: &mut (usize, usize)) {
    const END: &str = "\n</details>\n";
    let title = format!(
        "\n<details><summary><b>{}</b>: {}</summary>\n",
        html(group.component.as_deref().unwrap_or("no component")),
        counted(group.items.len(), "resource")
    );
    let mut room = limit.saturating_sub(out.len() + title.len() + END.len());
    let mut body = String::new();
    for item in &group.items {
        let text = resource(item);
        if text.len() <= room {
            room -= text.len();
            body.push_str(&text);
        } else {
            left_out.0 += 1;
            left_out.1 += item.changes();
        }
    }
    if !body.is_empty() {
        out.push_str(&title);
        out.push_str(&body);
        out.push_str(END);
    }
}

fn resource(item: &Item) -> String {
    let mut out = format!("\n**{} {}** {}", item.happened.name(), escaped(&item.kind), code(&item.id()));
    if let Some(was) = &item.was {
        let _ = write!(out, " (was {})", code(was));
    }
    for finding in &item.findings {
        let colon = if finding.message.is_empty() { "" } else { ": " };
        let _ = write!(
            out,
            " · {} {}{colon}{}",
            badge(finding.severity),
            finding.class,
            escaped(&finding.message)
        );
    }
    if let Some(origin) = &item.origin {
        let _ = write!(out, " · {}", code(&place(origin)));
    }
    out.push('\n');
    if item.fields.is_empty() {
        return out;
    }
    let body: String = item.fields.iter().map(fields_lines).collect();
    let fence = "`".repeat(longest_run(&body).max(2) + 1);
    let _ = write!(out, "\n{fence}diff\n{body}{fence}\n");
    out
}

/// A field in the lines of a diff: its path with its impact, then the values.
fn fields_lines(field: &Field) -> String {
    let mut out = format!("@@ {} @@", visible(&field.path));
    for finding in &field.findings {
        let _ = write!(out, " {}", finding.class);
        if !finding.message.is_empty() {
            let _ = write!(out, ": {}", visible(&finding.message));
        }
    }
    if let Some(origin) = field.origin() {
        let _ = write!(out, " [{}]", visible(&place(origin)));
    }
    out.push('\n');
    if field.lines.is_empty() {
        for (sign, value) in [("-", &field.before), ("+", &field.after)] {
            if let Some(value) = value {
                let _ = writeln!(out, "{sign} {}", keep_start(&visible(value), VALUE));
            }
        }
    }
    for line in field.lines.iter().take(MOST_LINES) {
        let _ = match line {
            Line::Same(text) => writeln!(out, "  {}", keep_start(&visible(text), VALUE)),
            Line::Removed(text) => writeln!(out, "- {}", keep_start(&visible(text), VALUE)),
            Line::Added(text) => writeln!(out, "+ {}", keep_start(&visible(text), VALUE)),
            Line::Gap(count) => writeln!(out, "  … {}", counted(*count, "line")),
        };
    }
    if field.lines.len() > MOST_LINES {
        let _ = writeln!(out, "  … {} more", counted(field.lines.len() - MOST_LINES, "line"));
    }
    out
}

fn name(group: &Group) -> String {
    group.component.as_deref().map_or("no component".to_owned(), escaped)
}

/// A coloured sign and the word.
fn badge(severity: Severity) -> String {
    let sign = match severity {
        Severity::Critical => "🔴",
        Severity::High => "🟠",
        Severity::Medium => "🟡",
        Severity::Low => "⚪",
    };
    format!("{sign} {}", severity.name())
}

/// Text in running Markdown: nothing in it is markup.
fn escaped(text: &str) -> String {
    // GitHub looks for mentions and bare addresses after it has read escapes: code has neither.
    if text.contains('@') || text.to_ascii_lowercase().contains("www.") || text.contains("://") {
        return cell(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            ':' => out.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

/// Text as code: more backticks around than it has itself.
fn code(text: &str) -> String {
    let text = visible(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    if text.is_empty() { "(empty)".to_owned() } else { format!("{fence}{pad}{text}{pad}{fence}") }
}

/// Text as code in a cell of a table, where a bar would end the cell even within code.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn html(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The longest row of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
