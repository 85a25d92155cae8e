//! `.ci/passing`: the recorded counts, in one place.

use crate::program::{Failure, read, top};
use std::collections::BTreeMap;

/// The recorded counts by name.
#[derive(Debug)]
pub(crate) struct Recorded(BTreeMap<String, u64>);

impl Recorded {
    pub(crate) fn load() -> Result<Self, Failure> {
        Self::parse(&read(&top().join(".ci/passing"))?)
    }

    /// Reads lines `NAME NUMBER`; those that begin with `#` are comments.
    fn parse(text: &str) -> Result<Self, Failure> {
        let mut counts = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let problem = |what: &str| Failure(format!(".ci/passing:{}: {what}", at + 1));
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, number] = words[..] else { return Err(problem("expected `NAME NUMBER`")) };
            let number = number.parse().map_err(|_| problem(&format!("`{number}` is not a number")))?;
            if counts.insert(name.to_owned(), number).is_some() {
                return Err(problem(&format!("`{name}` is defined more than once")));
            }
        }
        Ok(Self(counts))
    }

    pub(crate) fn count(&self, name: &str) -> Result<u64, Failure> {
        self.0.get(name).copied().ok_or_else(|| Failure(format!(".ci/passing does not have `{name}`")))
    }

    /// Fails when a count is below the recorded one.
    pub(crate) fn at_least(&self, name: &str, count: u64) -> Result<(), Failure> {
        let recorded = self.count(name)?;
        if count >= recorded {
            return Ok(());
        }
        Err(Failure(format!("{name}: {count}, fewer than the recorded {recorded}")))
    }

    /// Fails when a count is above the recorded one.
    pub(crate) fn at_most(&self, name: &str, count: u64) -> Result<(), Failure> {
        let recorded = self.count(name)?;
        if count <= recorded {
            return Ok(());
        }
        Err(Failure(format!("{name}: {count}, more than the recorded {recorded}")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::Recorded;

    #[test]
    fn counts_are_read_by_name() {
        let recorded = Recorded::parse("# cases\nconformance 213\n\nbytes   18200000\n").unwrap();
        assert_eq!(recorded.count("conformance").unwrap(), 213);
        assert_eq!(recorded.count("bytes").unwrap(), 18_200_000);
        assert_eq!(recorded.count("corpora").unwrap_err().0, ".ci/passing does not have `corpora`");
    }

    #[test]
    fn limits_hold_in_both_directions() {
        let recorded = Recorded::parse("cases 3").unwrap();
        assert!(recorded.at_least("cases", 3).is_ok() && recorded.at_most("cases", 3).is_ok());
        assert_eq!(recorded.at_least("cases", 2).unwrap_err().0, "cases: 2, fewer than the recorded 3");
        assert_eq!(recorded.at_most("cases", 4).unwrap_err().0, "cases: 4, more than the recorded 3");
    }

    #[test]
    fn a_wrong_line_is_an_error_with_its_number() {
        for (text, problem) in [
            ("a 1\nb", ".ci/passing:2: expected `NAME NUMBER`"),
            ("a 1 2", ".ci/passing:1: expected `NAME NUMBER`"),
            ("a many", ".ci/passing:1: `many` is not a number"),
            ("a -1", ".ci/passing:1: `-1` is not a number"),
            ("a 1\na 2", ".ci/passing:2: `a` is defined more than once"),
        ] {
            assert_eq!(Recorded::parse(text).unwrap_err().0, problem);
        }
    }

    #[test]
    fn the_file_has_every_name_that_a_step_asks_for() {
        let recorded = Recorded::load().unwrap();
        for name in ["conformance", "corpora", "reports", "suite", "words-source", "words-text", "bytes"] {
            recorded.count(name).unwrap();
        }
    }
}
