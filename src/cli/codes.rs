//! The error index: what docs/errors.md says of each code, for people and for programs.

use super::listing::{Row, described, pretty};
use super::screen::Stream;
use anstyle::{AnsiColor, Style as Paint};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use serde_json::{Value, json};
use std::fmt::Write as _;

const HEAD: Paint = Paint::new().bold();
const FILE: Paint = AnsiColor::Cyan.on_default();
const COMMAND: Paint = AnsiColor::Green.on_default();

/// Columns of text where no terminal has fewer.
const COLUMNS: usize = 100;

/// Whether a word is meant as a code. No resource is: its name has a `/` or a space.
pub(super) fn is_code(word: &str) -> bool {
    match word.split_at_checked(3) {
        Some((start, digits)) => {
            start.eq_ignore_ascii_case("kfc")
                && !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_digit())
        }
        None => false,
    }
}

/// All codes with their titles, as a list.
pub(super) fn rows() -> Vec<Row> {
    let row = |code: &Code| Row {
        columns: vec![code.as_str().to_owned(), code.title().to_owned()],
        json: json!({"code": code.as_str(), "title": code.title()}),
    };
    Code::ALL.iter().map(row).collect()
}

/// The sections of codes, as text for a terminal.
///
/// # Errors
/// A code that does not exist.
pub(super) fn text<'w>(words: impl IntoIterator<Item = &'w str>, page: &str) -> Result<String> {
    let screen = Printer {
        colour: Stream::Output.colours(),
        width: Stream::Output.width().map_or(COLUMNS, |width| width.min(COLUMNS)),
    };
    let codes = codes(words)?;
    Ok(codes
        .into_iter()
        .map(|code| screen.section(code, &Section::of(code, page)))
        .collect::<Vec<_>>()
        .join("\n"))
}

/// As [`text`], as JSON.
///
/// # Errors
/// A code that does not exist.
pub(super) fn json<'w>(words: impl IntoIterator<Item = &'w str>, page: &str) -> Result<String> {
    let items = codes(words)?.into_iter().map(|code| Section::of(code, page).json(code)).collect::<Value>();
    Ok(pretty(&described("CodeList", json!({"items": items}))))
}

fn codes<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Vec<Code>> {
    let mut errors = Diagnostics::default();
    let mut codes = Vec::new();
    for word in words {
        match Code::parse(word) {
            Some(code) if codes.contains(&code) => {}
            Some(code) => codes.push(code),
            None => errors.push(unknown(word)),
        }
    }
    errors.into_result(codes)
}

fn unknown(word: &str) -> Diagnostic {
    let error = Diagnostic::error(Code::Usage, format!("the code `{word}` does not exist"));
    match nearest(word, Code::ALL.iter().map(|code| code.as_str())) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("list all codes with `kfc list codes`"),
    }
}

/// What the page says of one code.
#[derive(Default)]
struct Section {
    cause: String,
    /// Files of the example, with their paths.
    files: Vec<(String, String)>,
    /// Lines of shell that show it.
    commands: String,
    /// The first lines of the message.
    output: String,
    fix: String,
}

impl Section {
    /// The section of a code; a test checks that the page has one for each.
    fn of(code: Code, page: &str) -> Self {
        let heading = format!("{}: ", code.as_str());
        let body = page.split("\n## ").find(|section| section.starts_with(&heading)).unwrap_or_default();
        let mut section = Self::default();
        let mut lines = body.lines().skip(1);
        while let Some(line) = lines.next() {
            if let Some(info) = line.strip_prefix("```") {
                let block = lines.by_ref().take_while(|line| *line != "```");
                let block = block.fold(String::new(), |text, line| text + line + "\n");
                match info.split_once(' ') {
                    Some((_, path)) => section.files.push((path.to_owned(), block)),
                    None if info == "sh" => section.commands = block,
                    None => section.output = block,
                }
                continue;
            }
            if line.is_empty() {
                continue;
            }
            let rest = lines.by_ref().take_while(|line| !line.is_empty());
            let paragraph = rest.fold(line.to_owned(), |text, line| text + " " + line);
            if let Some(cause) = paragraph.strip_prefix("**Cause.** ") {
                section.cause = without_links(cause);
            } else if let Some(fix) = paragraph.strip_prefix("**Fix.** ") {
                section.fix = without_links(fix);
            }
        }
        section
    }

    fn json(&self, code: Code) -> Value {
        let file = |(path, text): &(String, String)| json!({"path": path, "text": text});
        json!({
            "code": code.as_str(),
            "title": code.title(),
            "cause": self.cause,
            "example": {
                "files": self.files.iter().map(file).collect::<Value>(),
                "commands": self.commands.lines().collect::<Value>(),
                "output": self.output,
            },
            "fix": self.fix,
        })
    }
}

/// A text with the words of its links only.
fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (before, words) = before.rsplit_once('[').unwrap_or((before, ""));
        out.push_str(before);
        out.push_str(words);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    out + rest
}

/// Writes sections for a terminal.
struct Printer {
    colour: bool,
    width: usize,
}

impl Printer {
    fn section(&self, code: Code, section: &Section) -> String {
        let title = self.painted(HEAD, &format!("{}: {}", code.as_str(), code.title()));
        let mut out = format!("{title}\n\n{}\n", self.paragraph("Cause:", &section.cause));
        for (path, text) in &section.files {
            let _ = writeln!(out, "{}", self.painted(FILE, path));
            out.push_str(&indented(text));
        }
        for command in section.commands.lines() {
            let _ = writeln!(out, "{}", self.painted(COMMAND, &format!("$ {command}")));
        }
        let _ = write!(out, "{}\n{}", indented(&section.output), self.paragraph("Fix:", &section.fix));
        out
    }

    /// A text after a word, in lines that fit.
    fn paragraph(&self, word: &str, text: &str) -> String {
        let mut out = self.painted(HEAD, word);
        let mut used = word.len();
        for word in text.split(' ') {
            let length = word.chars().count();
            let fits = used + 1 + length <= self.width;
            out.push(if fits { ' ' } else { '\n' });
            used = if fits { used + 1 + length } else { length };
            out.push_str(word);
        }
        out + "\n"
    }

    fn painted(&self, paint: Paint, text: &str) -> String {
        if self.colour { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |text, line| text + "    " + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::{Printer, Section, is_code, without_links};
    use kfc_diagnostics::Code;

    #[test]
    fn words_that_begin_as_codes_do_are_codes() {
        for code in ["KFC0402", "kfc402", "KFC9999"] {
            assert!(is_code(code), "{code}");
        }
        for other in ["kfc", "kfc0402x", "kfc/0402", "deploy/web", "Deployment web", "", "€€"] {
            assert!(!is_code(other), "{other}");
        }
    }

    #[test]
    fn a_section_is_text_in_lines_that_fit() {
        let page = "# Errors\n\n## KFC0402: A title\n\n**Cause.** One two\nthree four [docs/a.md](a.md#b) five.\n\n\
                    ```yaml a/b.yaml\nc: d\n```\n```sh\nkfc build .\n```\n```text\nerror[KFC0402]: e\n```\n\n\
                    **Fix.** Write `[a=b]`.\n\n## KFC0403: Another\n";
        let section = Section::of(Code::NoTarget, page);
        let printed = Printer { colour: false, width: 20 }.section(Code::NoTarget, &section);
        let expected = "KFC0402: A patch whose target does not exist\n\nCause: One two three\nfour docs/a.md five.\n\n\
                        a/b.yaml\n    c: d\n$ kfc build .\n    error[KFC0402]: e\n\nFix: Write `[a=b]`.\n";
        assert_eq!(printed, expected);
        let coloured = Printer { colour: true, width: 20 }.section(Code::NoTarget, &section);
        assert!(coloured.starts_with("\u{1b}[1mKFC0402: "), "{coloured}");
    }

    #[test]
    fn links_become_their_words() {
        assert_eq!(without_links("a [b](c.md) d [e](f) `[g=h]`"), "a b d e `[g=h]`");
    }
}
