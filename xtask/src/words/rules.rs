//! The list of words: rules in its order, phrases that are allowed, files that are not read.

use crate::program::Failure;
use fancy_regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

static ALLOWED_HERE: LazyLock<Option<regex::Regex>> =
    LazyLock::new(|| regex::Regex::new(r#"words: allow ([^:\n]+): [\w`"]"#).ok());

struct Rule {
    words: String,
    pattern: Regex,
    instead: String,
}

pub(crate) struct Rules {
    words: Vec<Rule>,
    phrases: Vec<Regex>,
    skipped: Vec<String>,
}

/// Words that a rule replaces.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Finding {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) rule: String,
    pub(crate) words: String,
    pub(crate) instead: String,
}

/// Whole words in any case; a space is any white space, so that a phrase may go over a line break.
fn pattern(words: &str) -> Result<Regex, Failure> {
    let pattern = format!(r"(?i)\b(?:{})(?!\w)", words.trim().replace(' ', r"\s+"));
    Regex::new(&pattern).map_err(|error| Failure(format!("`{words}`: {error}")))
}

/// The places in a text that a pattern matches.
fn places(pattern: &Regex, text: &str) -> Result<Vec<Range<usize>>, Failure> {
    let ranges = pattern.find_iter(text).map(|found| found.map(|found| found.range()));
    ranges.collect::<Result<_, _>>().map_err(|error| Failure(error.to_string()))
}

impl Rules {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut all = Self { words: Vec::new(), phrases: Vec::new(), skipped: Vec::new() };
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let place = |failure: Failure| Failure(format!(".ci/words.txt:{}: {failure}", at + 1));
            if let Some(phrase) = line.strip_prefix("allow ") {
                all.phrases.push(pattern(phrase).map_err(place)?);
            } else if let Some(file) = line.strip_prefix("skip ") {
                all.skipped.push(file.trim().to_owned());
            } else if let Some((words, instead)) = line.split_once("=>") {
                let (words, instead) = (words.trim().to_owned(), instead.trim().to_owned());
                all.words.push(Rule { pattern: pattern(&words).map_err(place)?, words, instead });
            } else {
                let expected = "expected `WORDS => INSTEAD`, `allow PHRASE` or `skip FILE`";
                return Err(place(Failure(expected.to_owned())));
            }
        }
        Ok(all)
    }

    pub(crate) fn skips(&self, file: &str) -> bool {
        self.skipped.iter().any(|skipped| skipped == file)
    }

    /// The findings in one file, from its text and its prose, which have the same lines.
    pub(crate) fn find(&self, text: &str, prose: &str) -> Result<Vec<Finding>, Failure> {
        let lines: Vec<&str> = text.split('\n').collect();
        let mut findings = Vec::new();
        let mut line = 0;
        // Nothing matches over what is not prose.
        for part in prose.split_inclusive(super::prose::NOTHING) {
            if part.len() > 1 {
                self.find_in_part(part, line, &lines, &mut findings)?;
            }
            line += part.matches('\n').count();
        }
        findings.sort();
        Ok(findings)
    }

    fn find_in_part(
        &self,
        part: &str,
        first: usize,
        lines: &[&str],
        findings: &mut Vec<Finding>,
    ) -> Result<(), Failure> {
        let mut allowed = None;
        for rule in &self.words {
            for place in places(&rule.pattern, part)? {
                let allowed = match &mut allowed {
                    Some(allowed) => allowed,
                    none => none.insert(self.allowed(part)?),
                };
                if allowed.iter().any(|phrase| phrase.start <= place.start && place.end <= phrase.end) {
                    continue;
                }
                let line = first + part[..place.start].matches('\n').count();
                let words = part[place].split_whitespace().collect::<Vec<_>>().join(" ");
                if !is_allowed(&words, &lines[line.saturating_sub(1)..=line]) {
                    let (rule, instead) = (rule.words.clone(), rule.instead.clone());
                    findings.push(Finding { line: line + 1, rule, words, instead });
                }
            }
        }
        Ok(())
    }

    fn allowed(&self, part: &str) -> Result<Vec<Range<usize>>, Failure> {
        let mut all = Vec::new();
        for phrase in &self.phrases {
            all.extend(places(phrase, part)?);
        }
        Ok(all)
    }
}

/// Whether one of these lines allows the words, with a reason.
fn is_allowed(words: &str, lines: &[&str]) -> bool {
    let Some(pattern) = &*ALLOWED_HERE else { return false };
    let mut named = lines.iter().flat_map(|line| pattern.captures_iter(line));
    named.any(|named| named[1].trim().to_lowercase() == words.to_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::super::prose;
    use super::Rules;

    const LIST: &str = "# a comment\nskip docs/list.md\ncolou?rs? => hue\nred(?! wine) => scarlet\n\
        in a hurry => quickly\nallow red (?:and|or) blue\n";

    fn found(text: &str) -> Vec<(usize, String)> {
        let findings = Rules::parse(LIST).unwrap().find(text, &prose::of_markdown(text)).unwrap();
        findings.into_iter().map(|finding| (finding.line, finding.words)).collect()
    }

    #[test]
    fn whole_words_are_found_in_any_case() {
        assert_eq!(
            found("Colours\nthe color\ncolorful"),
            [(1, "Colours".to_owned()), (2, "color".to_owned())]
        );
    }

    #[test]
    fn what_follows_may_make_a_word_right() {
        assert_eq!(found("red wine\nred car\nreds"), [(2, "red".to_owned())]);
    }

    #[test]
    fn a_phrase_goes_over_a_line_break() {
        assert_eq!(found("one\nin a\n  hurry"), [(2, "in a hurry".to_owned())]);
    }

    #[test]
    fn a_phrase_that_is_allowed_allows_its_words() {
        assert_eq!(found("red and blue\nblue and red"), [(2, "red".to_owned())]);
    }

    #[test]
    fn a_line_allows_a_word_with_a_reason() {
        let allowed = "<!-- words: allow red: quoted -->\nred\n";
        assert_eq!(found(allowed), []);
        assert_eq!(found(&allowed.replace(": quoted", ":")), [(2, "red".to_owned())]);
        assert_eq!(found(&allowed.replace("\nred", "\nblue\nred")), [(3, "red".to_owned())]);
    }

    #[test]
    fn files_are_skipped_by_their_whole_name() {
        let rules = Rules::parse(LIST).unwrap();
        assert!(rules.skips("docs/list.md") && !rules.skips("list.md"));
    }

    #[test]
    fn a_wrong_line_is_an_error_with_its_number() {
        for (list, problem) in [
            ("red", ".ci/words.txt:1: expected `WORDS => INSTEAD`, `allow PHRASE` or `skip FILE`"),
            ("# list\n(red => x", ".ci/words.txt:2: `(red`: "),
        ] {
            let error = Rules::parse(list).err().unwrap().0;
            assert!(error.starts_with(problem), "{error}");
        }
    }
}
