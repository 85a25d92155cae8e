//! Regular expressions as kustomize reads them: Go's dialect, which is RE2's.

use regex::{Regex, RegexBuilder};

/// Bytes of one automaton. All patterns of a build are kept, and a short one can ask for much: `(\\pL{30}){6}` takes 6 MB.
const LARGEST: usize = 1 << 20;

/// A pattern that has to cover a whole text.
///
/// Most patterns in the wild are plain names. They, and names with dots in them, are compared without building an
/// automaton.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Covers every text; what an empty pattern means.
    Any,
    /// Covers the text itself; a dot covers any one character.
    Plain(String),
    /// Anything else.
    Regex(Regex),
}

impl Pattern {
    /// Reads a pattern; an empty one covers everything.
    ///
    /// # Errors
    /// The complaint of the regex parser.
    pub fn whole(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            Ok(Self::Any)
        } else if is_plain(text) {
            Ok(Self::Plain(text.to_owned()))
        } else {
            compile(&format!("^(?:{})$", translate(text))).map(Self::Regex)
        }
    }

    /// Whether the pattern covers `text`.
    #[must_use]
    pub fn covers(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Plain(plain) => plain_prefix(plain, text) == Some(""),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Whether a pattern has no other special character than the dot.
#[must_use]
pub fn is_plain(pattern: &str) -> bool {
    pattern.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:@ ~,=<>&%#".contains(&b))
}

/// What follows in `text` after a plain pattern that covers its beginning.
#[must_use]
pub fn plain_prefix<'t>(plain: &str, text: &'t str) -> Option<&'t str> {
    let mut rest = text.chars();
    for expected in plain.chars() {
        let found = rest.next()?;
        if found != expected && (expected != '.' || found == '\n') {
            return None;
        }
    }
    Some(rest.as_str())
}

/// Builds a regex of translated text.
///
/// # Errors
/// The last line of the parser's complaint, which says what is wrong.
pub fn compile(translated: &str) -> Result<Regex, String> {
    RegexBuilder::new(translated).size_limit(LARGEST).build().map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        last.trim().trim_start_matches("error: ").to_owned()
    })
}

/// Rewrites an expression of Go's dialect so that the regex crate reads it alike: `\d`, `\s`, `\w` and `\b` know ASCII
/// only, `\Q…\E` quotes, a brace that is not a count and a bracket in a class are literal.
#[must_use]
pub fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => translate_escape(tail, false, &mut out),
            '[' => translate_class(tail, &mut out),
            '{' if !is_count(tail) => {
                out.push_str("\\{");
                tail
            }
            _ => {
                out.push(c);
                tail
            }
        };
    }
    out
}

/// Whether what follows a brace makes it a repetition: `3}`, `3,}`, `3,5}`.
fn is_count(tail: &str) -> bool {
    let Some((inside, _)) = tail.split_once('}') else { return false };
    let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
    !low.is_empty() && low.bytes().chain(high.bytes()).all(|b| b.is_ascii_digit())
}

/// Writes one escape; `tail` is what follows the backslash. Returns the text after the escape.
fn translate_escape<'p>(tail: &'p str, in_class: bool, out: &mut String) -> &'p str {
    let Some(c) = tail.chars().next() else {
        out.push('\\');
        return tail;
    };
    let after = &tail[c.len_utf8()..];
    if c == 'Q' && !in_class {
        let (quoted, after) = after.split_once("\\E").unwrap_or((after, ""));
        out.push_str(&regex::escape(quoted));
        return after;
    }
    let replacement = match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        's' => "[\\t\\n\\f\\r ]",
        'S' => "[^\\t\\n\\f\\r ]",
        'b' if !in_class => "(?-u:\\b)",
        '<' => "<",
        '>' => ">",
        _ => {
            out.push('\\');
            out.push(c);
            return after;
        }
    };
    out.push_str(replacement);
    after
}

/// Writes a character class; `tail` is what follows its opening bracket. Returns the text after the class.
fn translate_class<'p>(tail: &'p str, out: &mut String) -> &'p str {
    out.push('[');
    let mut rest = tail;
    for leading in ["^", "]"] {
        if let Some(after) = rest.strip_prefix(leading) {
            out.push_str(if leading == "]" { "\\]" } else { leading });
            rest = after;
        }
    }
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            ']' => {
                out.push(']');
                return after;
            }
            '\\' => translate_escape(after, true, out),
            '[' if after.starts_with(':') && after.contains(":]") => {
                let end = after.find(":]").map_or(0, |i| i + 2);
                out.push('[');
                out.push_str(&after[..end]);
                &after[end..]
            }
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
                after
            }
            _ => {
                out.push(c);
                after
            }
        };
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn covers(pattern: &str, text: &str) -> bool {
        Pattern::whole(pattern).unwrap().covers(text)
    }

    #[test]
    fn plain_patterns_need_no_regex_and_cover_whole_texts() {
        assert!(matches!(Pattern::whole("my-app").unwrap(), Pattern::Plain(_)));
        assert!(covers("my-app", "my-app"));
        assert!(!covers("my-app", "my-app-2"));
        assert!(!covers("my-app", "my-ap"));
        assert!(covers("a.b", "axb"));
        assert!(!covers("a.b", "a\nb"));
        assert!(covers("", "anything"));
    }

    #[test]
    fn alternatives_are_anchored_as_a_group() {
        assert!(covers("Config.*|Secret", "ConfigMap"));
        assert!(!covers("Config|Secret", "ConfigMap"));
    }

    #[test]
    fn go_dialect_is_understood() {
        assert!(covers("\\Qa.b\\E", "a.b"));
        assert!(!covers("\\Qa.b\\E", "axb"));
        assert!(covers("[a&&b]|[[]", "["));
        assert!(covers("[a&&b]", "&"));
        assert!(covers("[[:alpha:]]{2}", "ab"));
        assert!(covers("a{b}", "a{b}"));
        assert!(covers("\\d+", "12"));
        assert!(!covers("\\d+", "٣"));
        assert!(covers("[]x]", "]"));
    }

    #[test]
    fn a_wrong_pattern_says_why() {
        assert_eq!(Pattern::whole("(x").unwrap_err(), "unclosed group");
    }
}
