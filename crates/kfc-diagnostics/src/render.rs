//! Shows diagnostics to people, in the look of a compiler.

use crate::diagnostic::{Diagnostic, Diagnostics, Label, Severity};
use crate::numbers::Numbers;
use crate::redact::Redact;
use crate::source::{Mark, Position, Source, Sources};
use crate::text::for_message as visible;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

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
pub fn render(diagnostics: &Diagnostics, sources: &Sources, style: Style, redact: &dyn Redact) -> String {
    render_run(diagnostics, sources, style, redact, "the build")
}

/// As [`render`], for a run that is called `what` in the line that counts the errors: "the build", "validation".
#[must_use]
pub fn render_run(
    diagnostics: &Diagnostics,
    sources: &Sources,
    style: Style,
    redact: &dyn Redact,
    what: &str,
) -> String {
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width);
    let mut out = String::new();
    for diagnostic in &redacted(diagnostics, sources, redact).0 {
        out.push_str(&render_one(diagnostic, sources, &renderer, redact));
        out.push('\n');
        // There are often many warnings: no blank lines between them.
        if diagnostic.severity == Severity::Error {
            out.push('\n');
        }
    }
    let errors = diagnostics.0.iter().filter(|d| d.severity == Severity::Error).count();
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        let count = Level::ERROR.primary_title(format!("{what} failed with {errors} error{plural}"));
        out.push_str(&renderer.render(&[Group::with_title(count)]));
        out.push('\n');
    }
    out
}

/// Shows diagnostics as a few plain lines each, without the lines of their sources, for where neither a terminal nor a
/// fixed-width font is: errors alone when there are any, and at most `most` of them.
#[must_use]
pub fn render_plain(
    diagnostics: &Diagnostics,
    sources: &Sources,
    redact: &dyn Redact,
    most: usize,
) -> String {
    let diagnostics = redacted(diagnostics, sources, redact);
    let errors: Vec<&Diagnostic> = diagnostics.0.iter().filter(|d| d.severity == Severity::Error).collect();
    let shown = if errors.is_empty() { diagnostics.0.iter().collect() } else { errors };
    let mut out = String::new();
    for diagnostic in shown.iter().take(most) {
        plain(diagnostic, sources, &mut out);
    }
    let more = shown.len().saturating_sub(most);
    if more > 0 {
        let _ = writeln!(out, "… and {more} more");
    }
    out
}

/// The diagnostics with numbers for the hidden values that they quote, for programs. Errors are searched for
/// values of the sources' secrets, so that no code that writes an error can forget to hide them.
#[must_use]
pub fn redacted(diagnostics: &Diagnostics, sources: &Sources, redact: &dyn Redact) -> Diagnostics {
    let mut numbers = Numbers::default();
    let mut all = diagnostics.clone();
    if all.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        redact.redact_errors(sources, &mut all.0);
    }
    all.0.iter_mut().for_each(|diagnostic| diagnostic.number(&mut numbers));
    all
}

fn plain(diagnostic: &Diagnostic, sources: &Sources, out: &mut String) {
    let word = diagnostic.severity.word();
    let mut line = |text: &str| {
        out.push_str(visible(text).trim_end());
        out.push('\n');
    };
    line(&format!("{word}[{}]: {}", diagnostic.code.as_str(), diagnostic.message));
    if let Some(place) = diagnostic.mark.and_then(|mark| plain_place(mark, sources)) {
        line(&format!("  at {place}"));
    }
    for Label { mark, text } in &diagnostic.labels {
        let place = plain_place(*mark, sources).map_or_else(String::new, |place| format!(" at {place}"));
        line(&format!("  {text}{place}"));
    }
    diagnostic.notes.iter().for_each(|note| line(&format!("  note: {note}")));
    diagnostic.help.iter().for_each(|help| line(&format!("  help: {help}")));
}

/// Where a mark points; a text of one line is a place by itself.
fn plain_place(mark: Mark, sources: &Sources) -> Option<String> {
    let source = sources.get(mark.source)?;
    if mark.offset == 0 && !source.text.trim_end().contains('\n') {
        Some(source.name.clone())
    } else {
        sources.locate(mark)
    }
}

/// A place that is in a text.
struct Place<'a> {
    source: Arc<Source>,
    mark: Mark,
    label: &'a str,
    is_main: bool,
}

fn render_one(
    diagnostic: &Diagnostic,
    sources: &Sources,
    renderer: &Renderer,
    redact: &dyn Redact,
) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let main = diagnostic.mark.map(|mark| (mark, "", true));
    let others = diagnostic.labels.iter().map(|Label { mark, text }| (*mark, text.as_str(), false));
    let (known, unknown): (Vec<_>, Vec<_>) =
        main.into_iter().chain(others).partition(|(mark, ..)| sources.get(mark.source).is_some());
    let places: Vec<Place<'_>> = known
        .into_iter()
        .filter_map(|(mark, label, is_main)| {
            sources.get(mark.source).map(|source| Place { source, mark, label, is_main })
        })
        .collect();
    let title = level.primary_title(visible(&diagnostic.message)).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    for place in &places {
        group = group.elements(place.elements(diagnostic.severity, sources, redact));
    }
    let labels = unknown.iter().map(|(_, label, _)| *label).filter(|label| !label.is_empty());
    for note in labels.chain(diagnostic.notes.iter().map(String::as_str)) {
        group = group.element(Level::NOTE.message(visible(note)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    let text = renderer.render(&[group]);
    if places.iter().any(|place| place.position().column as usize > FAR) {
        without_empty_names(&text)
    } else {
        text
    }
}

/// A snippet without a file's name gets an empty line for it all the same.
fn without_empty_names(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| line.trim() != ":::").collect();
    lines.join("\n")
}

impl Place<'_> {
    fn position(&self) -> Position {
        self.source.position(self.mark.offset)
    }

    /// The rendered location: with its line for an error, else only named.
    fn elements(&self, severity: Severity, sources: &Sources, redact: &dyn Redact) -> Vec<Element<'_>> {
        let position = self.position();
        let name = visible(&self.source.name);
        let origin =
            || Origin::path(name.clone()).line(position.line as usize).char_column(position.column as usize);
        if severity != Severity::Error {
            return vec![origin().into()];
        }
        let (line, start) = line_at(&self.source, self.mark);
        // A text within a text starts further to the right in its file than in its own line.
        let indent = (position.column as usize).saturating_sub(line[..start].chars().count() + 1);
        let line = redact.redact_line(sources, self.mark, line);
        let (line, start) = visible_line(&line, start);
        // Nobody reads lines of this length, and the renderer takes many times their memory.
        let is_far = position.column as usize > FAR;
        let (line, start) = if is_far {
            around(&line, start)
        } else {
            (" ".repeat(indent) + until_far(&line, start), start + indent)
        };
        let kind = if self.is_main { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(token(&line, start));
        let annotation =
            if self.label.is_empty() { annotation } else { annotation.label(visible(self.label)) };
        let snippet = Snippet::source(line).line_start(position.line as usize).annotation(annotation);
        if is_far { vec![origin().into(), snippet.into()] } else { vec![snippet.path(name).into()] }
    }
}

/// A line without control characters and credentials, and the new position of its byte `start`.
fn visible_line(line: &str, start: usize) -> (String, usize) {
    // The renderer has its own way with tabs.
    let shown = |text: &str| text.split('\t').map(visible).collect::<Vec<_>>().join("\t");
    let whole = shown(line);
    let (before, behind) = line.split_at(start);
    let before = shown(before);
    let parts = format!("{before}{}", shown(behind));
    // A credential that begins before the location and ends after it is recognised only in the whole line.
    if shown(&parts) == parts { (parts, before.len()) } else { (whole, 0) }
}

/// Columns beyond this are named, but what is before them in the line is not shown.
const FAR: usize = 2000;
/// As many bytes before such a place are shown.
const BEFORE: usize = 40;

/// The line as far as it is worth looking at.
fn until_far(line: &str, start: usize) -> &str {
    let end = char_boundary(line, (start + FAR).min(line.len()));
    &line[..end]
}

/// What is around a byte of a long line, and where in it that byte is.
fn around(line: &str, start: usize) -> (String, usize) {
    let from = char_boundary(line, start.min(line.len()).saturating_sub(BEFORE));
    let shown = format!("…{}", &until_far(line, start)[from..]);
    (shown, start - from + '…'.len_utf8())
}

/// The line of a mark and the byte in it that the mark points at.
fn line_at(source: &Source, mark: Mark) -> (&str, usize) {
    let mut offset = (mark.offset as usize).min(source.text.len());
    while !source.text.is_char_boundary(offset) {
        offset -= 1;
    }
    let start = source.text[..offset].rfind('\n').map_or(0, |i| i + 1);
    let end = source.text[offset..].find('\n').map_or(source.text.len(), |i| offset + i);
    let line = source.text[start..end].trim_end_matches('\r');
    // The mark may be at the end of the line, after what is not shown.
    (line, (offset - start).min(line.len()))
}

/// The bytes of the word that starts at a byte of a line: a quoted text, or up to the next space or colon; one character
/// at least.
fn token(line: &str, start: usize) -> Range<usize> {
    let start = start.min(line.len());
    let rest = &line[start..];
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let quoted = quote.and_then(|quote| rest[1..].find(quote).map(|at| at + 2));
    let word =
        || rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']')).unwrap_or(rest.len());
    let length = quoted.unwrap_or_else(word);
    let without_colon = if length > 1 && rest[..length].ends_with(':') { length - 1 } else { length };
    let first = rest.chars().next().map_or(0, char::len_utf8);
    start..start + without_colon.max(first)
}

/// The last boundary of characters at or before a byte of a line.
fn char_boundary(line: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{FAR, Style, render, render_plain};
    use crate::redact::NothingSecret;
    use crate::{Code, Diagnostic, Diagnostics, Mark, Sources};

    fn shown(text: &str, offset: u32, help: &str) -> String {
        let sources = Sources::default();
        let (source, _) = sources.add("kustomization.yaml", text);
        let error =
            Diagnostic::error(Code::UnknownField, "unknown field `namePrefx`").at(Mark { source, offset });
        render(&error.help(help).into(), &sources, Style { colour: false, width: 80 }, &NothingSecret)
    }

    #[test]
    fn a_place_behind_what_is_shown_of_a_line_is_its_end() {
        for text in ["&*[\r", "&*[\r\nb: 1", "\r"] {
            let offset = u32::try_from(text.find('\r').unwrap() + 1).unwrap();
            assert!(shown(text, offset, "").contains(" --> kustomization.yaml:"), "{text:?}");
        }
    }

    #[test]
    fn places_far_to_the_right_are_shown_with_what_is_around_them() {
        for start in [FAR, 65_535, 70_000, 3_000_000] {
            let text = format!(
                "a: 1\n{{b: {}\u{e4}, namePrefx: a-, c: {}}}\n",
                "x".repeat(start),
                "y".repeat(100_000)
            );
            let offset = u32::try_from(text.find("namePrefx").unwrap()).unwrap();
            let shown = shown(&text, offset, "did you mean `namePrefix`?");
            assert!(shown.contains(&format!(" --> kustomization.yaml:2:{}", start + 8)), "{shown}");
            assert!(shown.contains("namePrefx: a-") && shown.contains("^^^^^^^^^"), "{shown}");
            assert!(shown.len() < 1000, "{}", shown.len());
        }
        let text = format!("namePrefx: {}", "\0".repeat(5_000_000));
        assert!(shown(&text, 0, "").len() < 1000);
    }

    #[test]
    fn an_error_shows_its_line() {
        insta::assert_snapshot!(shown("resources: []\nnamePrefx: a-\n", 14, "did you mean `namePrefix`?"), @r"
        error[KFC0201]: unknown field `namePrefx`
         --> kustomization.yaml:2:1
          |
        2 | namePrefx: a-
          | ^^^^^^^^^
          |
          = help: did you mean `namePrefix`?

        error: the build failed with 1 error
        ");
    }

    #[test]
    fn plain_errors_are_few_and_have_no_lines_of_sources() {
        let sources = Sources::default();
        let (file, _) = sources.add("kfc.yaml", "a: b\nsecret: hush\n");
        let (word, _) = sources.add("parameter domain", "x");
        let error = |text: &str| Diagnostic::error(Code::Parameter, text);
        let all = vec![
            error("one\u{1b}[31m").at(Mark { source: file, offset: 5 }).note("a note").help("a way out"),
            Diagnostic::warning(Code::Parameter, "only a warning"),
            error("two")
                .at(Mark { source: word, offset: 0 })
                .label(Mark { source: file, offset: 0 }, "the other"),
            error("three"),
            error("four"),
        ];
        insta::assert_snapshot!(render_plain(&Diagnostics(all), &sources, &NothingSecret, 2), @r"
        error[KFC1009]: one\u{1b}[31m
          at kfc.yaml:2:1
          note: a note
          help: a way out
        error[KFC1009]: two
          at parameter domain
          the other at kfc.yaml:1:1
        … and 2 more
        ");
    }

    #[test]
    fn a_long_line_is_cut_and_controls_are_visible_line() {
        let line = format!("{}\u{1b}[31mword {}", "x".repeat(5000), "y".repeat(5000));
        let text = shown(&line, 5000, "shorten it");
        assert!(text.len() < 500, "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
