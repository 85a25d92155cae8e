//! Reads the commands out of a page: what its blocks of shell have.

use crate::program::{Failure, failed};

/// The commands of all blocks that begin with ```` ```sh ````, in order, without comments. A command goes over several lines
/// when a line ends with a backslash, or a loop is not done.
pub(crate) fn of(page: &str) -> Result<Vec<String>, Failure> {
    let mut commands = Vec::new();
    let mut block = None;
    for line in page.lines() {
        match (&mut block, line.trim()) {
            (None, "```sh") => block = Some(String::new()),
            (Some(text), "```") => {
                if !text.is_empty() {
                    return failed(format!("a command has no end: {text}"));
                }
                block = None;
            }
            (Some(text), line) => {
                text.push_str(without_comment(line));
                if let Some(start) = text.strip_suffix('\\') {
                    *text = start.to_owned();
                } else if is_open(text) {
                    text.push('\n');
                } else if !text.is_empty() {
                    commands.push(std::mem::take(text));
                }
            }
            (None, _) => {}
        }
    }
    Ok(commands)
}

/// A line up to a `#` that is neither quoted nor within a word.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match quote {
            Some(mark) if mark == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '#' && before.is_whitespace() => return line[..at].trim_end(),
            _ => {}
        }
        before = c;
    }
    line.trim_end()
}

/// Whether a loop has begun and is not done.
fn is_open(command: &str) -> bool {
    let words =
        |word: &str| command.split(|c: char| c.is_whitespace() || c == ';').filter(|w| *w == word).count();
    command.starts_with("for ") && words("do") > words("done")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{of, without_comment};

    #[test]
    fn commands_are_the_lines_of_shell_blocks() {
        let page =
            "text\n```sh\na b   # why\n\n# only a comment\nc\n```\n```yaml\nd: e\n```\n```sh\nf\n```\n";
        assert_eq!(of(page).unwrap(), ["a b", "c", "f"]);
    }

    #[test]
    fn a_mark_within_a_word_or_quotes_begins_no_comment() {
        assert_eq!(without_comment("a b#c '# d' \"# e\" # f"), "a b#c '# d' \"# e\"");
        assert_eq!(without_comment("a 'it\"s' # b"), "a 'it\"s'");
    }

    #[test]
    fn lines_are_joined_until_a_command_ends() {
        let page = "```sh\na \\\n  b\nfor n in $(c); do\n  d $n || break; done\ne\n```\n";
        assert_eq!(of(page).unwrap(), ["a b", "for n in $(c); do\nd $n || break; done", "e"]);
    }

    #[test]
    fn a_command_without_an_end_is_an_error() {
        let error = of("```sh\nfor n in 1 2; do\n```\n").unwrap_err();
        assert_eq!(error.0, "a command has no end: for n in 1 2; do\n");
    }
}
