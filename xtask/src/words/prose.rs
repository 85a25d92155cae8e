//! What of a file is prose. The rest is [`NOTHING`], which no rule matches; line breaks stay, so that lines can be counted.

use regex::Regex;
use std::sync::LazyLock;

/// What is not prose.
pub(crate) const NOTHING: char = '\0';

/// Code in backticks.
const CODE: &str = r"`[^`\n]*`";
/// Code, comments and links of Markdown; of a link, the text stays.
const MARKDOWN: &str = r"(?s)`[^`\n]*`|<!--.*?-->|<https?:[^>\n]*>|\]\([^)\n]*\)|https?://[^\s)>]+";
/// Where the text of a comment begins in shell and YAML.
const COMMENT: &str = r"(?:^|\s)#\s";
/// The fields of the catalogue that people read.
const FIELD: &str = r"^.*?\b(?:description|summary|reason): *";

struct Patterns {
    code: Regex,
    markdown: Regex,
    comment: Regex,
    field: Regex,
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and every test uses them")]
static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let regex = |pattern: &str| Regex::new(pattern).expect("a pattern of this file");
    Patterns { code: regex(CODE), markdown: regex(MARKDOWN), comment: regex(COMMENT), field: regex(FIELD) }
});

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { NOTHING }).collect()
}

fn without(pattern: &Regex, text: &str) -> String {
    pattern.replace_all(text, |found: &regex::Captures<'_>| blank(&found[0])).into_owned()
}

/// A token of Rust that can have prose in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token {
    Line,
    Block,
    String,
    Character,
}

/// The token that a text begins with, and its length.
fn token(text: &str) -> Option<(Token, usize)> {
    let until = |start: usize, end: &str| Some(start + text.get(start..)?.find(end)? + end.len());
    if text.starts_with("//") {
        return Some((Token::Line, text.find('\n').unwrap_or(text.len())));
    }
    if text.starts_with("/*") {
        return Some((Token::Block, until(2, "*/")?));
    }
    let start = usize::from(text.starts_with('b'));
    let rest = &text[start..];
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            return Some((Token::String, until(start + hashes + 2, &format!("\"{}", &raw[..hashes]))?));
        }
    }
    if rest.starts_with('"') {
        return Some((Token::String, start + quoted(rest, '"')?));
    }
    if rest.starts_with('\'') {
        return Some((Token::Character, start + character(rest)?));
    }
    None
}

/// The length of a literal that begins with this quote, and may have escapes.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return Some(at + 1);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    None
}

/// The length of a character; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let mut rest = text[1..].chars();
    match rest.next()? {
        '\\' => quoted(text, '\''),
        first => (rest.next()? == '\'').then(|| first.len_utf8() + 2),
    }
}

/// A comment without its marks: those on consecutive lines are one text, so the marks count as spaces.
fn comment(text: &str) -> String {
    let marks = if text.starts_with("///") || text.starts_with("//!") { 3 } else { 2 };
    format!("{}{}", " ".repeat(marks), &text[marks..])
}

/// A string literal that has a space in it: one word alone is a name.
fn literal(text: &str) -> String {
    if !text.contains(' ') {
        return blank(text);
    }
    text.replace("\\\n", " \n").replace("\\n", "  ").replace("\\t", "  ")
}

/// Comments and string literals.
pub(crate) fn of_rust(text: &str) -> String {
    let mut prose = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, part) = match token(rest) {
            Some((Token::Line, length)) => (length, comment(&rest[..length])),
            Some((Token::Block, length)) => (length, rest[..length].to_owned()),
            Some((Token::String, length)) => (length, literal(&rest[..length])),
            Some((Token::Character, length)) => (length, blank(&rest[..length])),
            None => (first.len_utf8(), blank(&rest[..first.len_utf8()])),
        };
        prose.push_str(&part);
        rest = &rest[length..];
    }
    without(&PATTERNS.code, &joined(&prose))
}

/// The indentation before a comment counts as spaces, so that the comment goes on from the line above.
fn joined(prose: &str) -> String {
    let line = |line: &str| {
        let indent = line.len() - line.trim_start_matches(NOTHING).len();
        if line[indent..].starts_with(' ') {
            format!("{}{}", " ".repeat(indent), &line[indent..])
        } else {
            line.to_owned()
        }
    };
    prose.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A line of which only the text from here on is prose; it does not go on in the next one.
fn from(line: &str, start: Option<usize>) -> String {
    let start = start.unwrap_or(line.len());
    format!("{}{}{NOTHING}", blank(&line[..start]), &line[start..])
}

/// Everything but code; of fenced code, its comments.
pub(crate) fn of_markdown(text: &str) -> String {
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if line.trim_start_matches(' ').starts_with("```") {
            is_code = !is_code;
            lines.push(blank(line));
        } else if is_code {
            lines.push(from(line, PATTERNS.comment.find(line).map(|found| found.end())));
        } else {
            lines.push(line.to_owned());
        }
    }
    without(&PATTERNS.markdown, &lines.join("\n"))
}

/// The fields that people read, and comments.
pub(crate) fn of_catalogue(text: &str) -> String {
    let line = |line: &str| {
        let field = PATTERNS.field.find(line).or_else(|| PATTERNS.comment.find(line));
        from(line, field.map(|found| found.end()))
    };
    without(&PATTERNS.code, &text.split('\n').map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{NOTHING, Token, of_catalogue, of_markdown, of_rust, token};

    /// The words of a prose, line by line.
    fn words(prose: &str) -> Vec<Vec<&str>> {
        let is_between = |c: char| c == NOTHING || c.is_whitespace();
        prose
            .split('\n')
            .map(|line| line.split(is_between).filter(|word| !word.is_empty()).collect())
            .collect()
    }

    #[test]
    fn comments_and_strings_are_prose_of_rust() {
        let text = "let a = \"two words\"; // a note\nlet name = \"word\"; /* a\nblock */ let b = r#\"raw \"x\" text\"#;\n";
        assert_eq!(
            words(&of_rust(text)),
            [
                vec!["\"two", "words\"", "a", "note"],
                vec!["/*", "a"],
                vec!["block", "*/", "r#\"raw", "\"x\"", "text\"#"],
                vec![]
            ]
        );
    }

    #[test]
    fn comments_on_consecutive_lines_are_one_text() {
        let prose = of_rust("    /// one\n    /// two `code here`\n");
        assert!(prose.starts_with("        one\n        two "), "{prose:?}");
        assert!(!prose.contains("code") && !prose.split('\n').next().unwrap().contains(NOTHING));
    }

    #[test]
    fn lifetimes_are_no_characters() {
        assert_eq!(token("'a>(x: &'a str)"), None);
        assert_eq!(token("'a' b"), Some((Token::Character, 3)));
        assert_eq!(token("b'\\'' b"), Some((Token::Character, 5)));
        assert_eq!(token("'\\u{1f600}' b"), Some((Token::Character, 11)));
        assert_eq!(words(&of_rust("fn f<'a>(x: &'a str) {} // a note"))[0], ["a", "note"]);
        assert_eq!(words(&of_rust("let quote = '\"'; // a note"))[0], ["a", "note"]);
    }

    #[test]
    fn strings_end_at_their_own_quote() {
        assert_eq!(token(r#""a \" b" c"#), Some((Token::String, 8)));
        assert_eq!(token(r#""a \\" c"#), Some((Token::String, 6)));
        assert_eq!(token("br##\"a \"# b\"## c"), Some((Token::String, 14)));
        assert_eq!(token("\"without an end"), None);
        assert_eq!(words(&of_rust("\"one \\\n    two\\nthree\""))[1], ["two", "three\""]);
    }

    #[test]
    fn code_and_links_are_no_prose_of_markdown() {
        let text = "a `b` [text](file.md) <https://c.example> https://d.example e\n<!-- f\ng -->\n```sh\nrun it # h i\n```\nj";
        let expected: [&[&str]; 7] = [&["a", "[text", "e"], &[], &[], &[], &["h", "i"], &[], &["j"]];
        assert_eq!(words(&of_markdown(text)), expected);
    }

    #[test]
    fn fields_for_people_and_comments_are_prose_of_the_catalogue() {
        let text = "name: x\ndescription: one two # three\n- {when: a, reason: four}\npath: b # five\n# six";
        let expected: [&[&str]; 5] = [&[], &["one", "two", "#", "three"], &["four}"], &["five"], &["six"]];
        assert_eq!(words(&of_catalogue(text)), expected);
    }

    #[test]
    fn prose_has_the_lines_of_the_text() {
        let text = include_str!("prose.rs");
        for prose in [of_rust(text), of_markdown(text), of_catalogue(text)] {
            assert_eq!(prose.matches('\n').count(), text.matches('\n').count());
        }
    }
}
