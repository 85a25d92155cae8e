//! Shows diagnostics to people, in the look of a compiler.

use super::{Diagnostic, Diagnostics, Label, Mark, Severity, Source, Sources};
use std::fmt::Write as _;

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// With terminal colours.
    pub colour: bool,
    /// Characters of a line; longer source lines are cut around the place.
    pub width: usize,
}

/// Shows all diagnostics in order, each with its places, and a line that counts the errors.
#[must_use]
pub fn render(diagnostics: &Diagnostics, sources: &Sources, style: Style) -> String {
    let paint = Paint { colour: style.colour };
    let mut out = String::new();
    for diagnostic in &diagnostics.0 {
        render_one(diagnostic, sources, style, paint, &mut out);
    }
    let errors = diagnostics.0.iter().filter(|d| d.severity == Severity::Error).count();
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        let _ = writeln!(out, "{}: the build failed with {errors} error{plural}", paint.with(RED, "error"));
    }
    out
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const CYAN: &str = "\x1b[1;36m";

#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn with(self, colour: &str, text: &str) -> String {
        if self.colour { format!("{colour}{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn render_one(diagnostic: &Diagnostic, sources: &Sources, style: Style, paint: Paint, out: &mut String) {
    let (word, colour) = match diagnostic.severity {
        Severity::Error => ("error", RED),
        Severity::Warning => ("warning", YELLOW),
    };
    let head = paint.with(colour, &format!("{word}[{}]", diagnostic.code.as_str()));
    let _ = writeln!(out, "{head}: {}", visible(&diagnostic.message));
    // Warnings come in numbers: one line of place and advice each is enough.
    let brief = diagnostic.severity == Severity::Warning;
    if let Some(mark) = diagnostic.mark {
        place(&Label { mark, text: String::new() }, sources, style, paint, brief, out);
    }
    for label in &diagnostic.labels {
        place(label, sources, style, paint, brief, out);
    }
    let bar = paint.with(BLUE, "=");
    for (kind, text) in diagnostic
        .notes
        .iter()
        .map(|note| ("note", note))
        .chain(diagnostic.help.iter().map(|help| ("help", help)))
    {
        let _ = writeln!(out, "  {bar} {}: {}", paint.with(CYAN, kind), visible(text));
    }
    if !brief {
        out.push('\n');
    }
}

/// Shows one place: where it is, the line, a caret under the word.
fn place(label: &Label, sources: &Sources, style: Style, paint: Paint, brief: bool, out: &mut String) {
    let Some(source) = sources.get(label.mark.source) else {
        if !label.text.is_empty() {
            let _ = writeln!(out, "  {} {}", paint.with(BLUE, "="), visible(&label.text));
        }
        return;
    };
    let position = source.position(label.mark.offset);
    let arrow = paint.with(BLUE, "-->");
    let _ = writeln!(out, "  {arrow} {}:{}:{}", visible(&source.name), position.line, position.column);
    if brief {
        return;
    }
    let (line, column) = line_at(&source, label.mark);
    let (shown, column) = cut(line, column, style.width.saturating_sub(12).max(20));
    let number = position.line.to_string();
    let gutter = " ".repeat(number.len());
    let bar = paint.with(BLUE, "|");
    let caret = paint.with(RED, &"^".repeat(token_length(&shown, column)));
    let pad: String = shown.chars().take(column).flat_map(|c| std::iter::repeat_n(' ', width(c))).collect();
    let text = if label.text.is_empty() { String::new() } else { format!(" {}", visible(&label.text)) };
    let _ = writeln!(out, "{gutter} {bar}");
    let _ = writeln!(out, "{} {bar} {}", paint.with(BLUE, &number), visible(&shown));
    let _ = writeln!(out, "{gutter} {bar} {pad}{caret}{text}");
}

/// The line of a mark and the column in it, in characters from 0.
fn line_at(source: &Source, mark: Mark) -> (&str, usize) {
    let mut offset = (mark.offset as usize).min(source.text.len());
    while !source.text.is_char_boundary(offset) {
        offset -= 1;
    }
    let start = source.text[..offset].rfind('\n').map_or(0, |i| i + 1);
    let end = source.text[offset..].find('\n').map_or(source.text.len(), |i| offset + i);
    let line = source.text[start..end].trim_end_matches('\r');
    (line, source.text[start..offset].chars().count())
}

/// Cuts a long line to what is around the column.
fn cut(line: &str, column: usize, width: usize) -> (String, usize) {
    let skip = if column + 10 < width { 0 } else { column.saturating_sub(width / 2) };
    let mut shown: String = line.chars().skip(skip).take(width).collect();
    if line.chars().nth(skip + width).is_some() {
        shown.push('…');
    }
    if skip == 0 {
        return (shown, column);
    }
    (format!("…{shown}"), column - skip + 1)
}

/// Characters of the word at a column: a quoted text, or up to the next space or colon; at least 1.
fn token_length(line: &str, column: usize) -> usize {
    let rest: Vec<char> = line.chars().skip(column).collect();
    let quoted = rest
        .first()
        .filter(|c| matches!(c, '"' | '\''))
        .and_then(|quote| rest.iter().skip(1).position(|c| c == quote).map(|at| at + 2));
    let word =
        || rest.iter().position(|c| c.is_whitespace() || matches!(c, ',' | '}' | ']')).unwrap_or(rest.len());
    let length = quoted.unwrap_or_else(word);
    let without_colon = if length > 1 && rest.get(length - 1) == Some(&':') { length - 1 } else { length };
    without_colon.max(1)
}

/// Columns of a character on a terminal, roughly: wide ones take two, and a tab is shown as one.
fn width(c: char) -> usize {
    let wide = matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD);
    1 + usize::from(wide)
}

/// Text with control characters replaced, so that a file cannot play with the terminal.
fn visible(text: &str) -> String {
    let control = |c: char| c.is_control() && c != '\n';
    if !text.contains(control) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if control(c) {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Style, render};
    use crate::diagnostics::{Code, Diagnostic, Mark, Sources};

    fn shown(text: &str, offset: u32, help: &str) -> String {
        let sources = Sources::default();
        let (source, _) = sources.add("kustomization.yaml", text);
        let error =
            Diagnostic::error(Code::UnknownField, "unknown field `namePrefx`").at(Mark { source, offset });
        render(&error.help(help).into(), &sources, Style { colour: false, width: 80 })
    }

    #[test]
    fn an_error_shows_its_line() {
        insta::assert_snapshot!(shown("resources: []\nnamePrefx: a-\n", 14, "did you mean `namePrefix`?"), @r"
        error[KFC0201]: unknown field `namePrefx`
          --> kustomization.yaml:2:1
          |
        2 | namePrefx: a-
          | ^^^^^^^^^
          = help: did you mean `namePrefix`?

        error: the build failed with 1 error
        ");
    }

    #[test]
    fn a_long_line_is_cut_and_controls_are_harmless() {
        let line = format!("{}\u{1b}[31mword {}", "x".repeat(5000), "y".repeat(5000));
        let text = shown(&line, 5000, "shorten it");
        assert!(text.len() < 500, "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
