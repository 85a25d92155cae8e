//! `.krmignore`: the files and directories of a package that are not read. Patterns are a part of those of git: each level of
//! a path is matched on its own, `**` means nothing special, and a pattern without `/` at its start matches the end of a path.

use glob::{MatchOptions, Pattern};

/// The name of the file with the patterns.
pub(super) const IGNORE_FILE: &str = ".krmignore";

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    /// Names of a path that it is compared with.
    depth: usize,
    is_absolute: bool,
    is_for_directories: bool,
}

/// The patterns of a package.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    ignored: Vec<Rule>,
    accepted: Vec<Rule>,
}

impl Ignored {
    /// Reads the patterns of a file. Those that are none match nothing.
    pub(super) fn parse(text: &str) -> Self {
        let mut rules = Self::default();
        for line in text.lines().map(|line| line.trim_matches(' ')).filter(|line| !line.is_empty()) {
            match line.strip_prefix('!') {
                _ if line.starts_with('#') => {}
                Some(accepted) => rules.accepted.extend(Rule::parse(accepted)),
                None => rules.ignored.extend(Rule::parse(
                    line.strip_prefix('\\').filter(|rest| rest.starts_with('#')).unwrap_or(line),
                )),
            }
        }
        rules
    }

    /// Whether a path, as seen from the package, is left out.
    pub(super) fn matches(&self, path: &str, is_directory: bool) -> bool {
        let is_matched = |rules: &[Rule]| rules.iter().any(|rule| rule.matches(path, is_directory));
        is_matched(&self.ignored) && !is_matched(&self.accepted)
    }
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let trimmed = text.trim_matches('/');
        // Go's patterns negate with `^`.
        let pattern = Pattern::new(&trimmed.replace("[^", "[!")).ok().filter(|_| !trimmed.is_empty())?;
        Some(Self {
            pattern,
            depth: trimmed.split('/').count(),
            is_absolute: text.starts_with('/'),
            is_for_directories: text.ends_with('/'),
        })
    }

    fn matches(&self, path: &str, is_directory: bool) -> bool {
        if self.is_for_directories && !is_directory {
            return false;
        }
        let names: Vec<&str> = path.split('/').collect();
        match names.len().checked_sub(self.depth) {
            None => false,
            Some(above) if self.is_absolute => above == 0 && self.pattern.matches_with(path, OPTIONS),
            Some(above) => self.pattern.matches_with(&names[above..].join("/"), OPTIONS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ignored;

    #[test]
    fn patterns_match_whole_ends_of_paths() {
        let cases = [
            ("a.yaml", "d/a.yaml", false, true),
            ("*.yaml", "d/e/a.yaml", false, true),
            ("d/*.yaml", "c/d/a.yaml", false, true),
            ("d/*.yaml", "d/e/a.yaml", false, false),
            ("/a.yaml", "d/a.yaml", false, false),
            ("/d/a.yaml", "d/a.yaml", false, true),
            ("d/", "d", true, true),
            ("d/", "d", false, false),
            ("[^a].yaml", "b.yaml", false, true),
            ("*.yaml\n!b.yaml", "d/b.yaml", false, false),
            ("# a.yaml\n\\#a", "#a", false, true),
            ("# a.yaml", "a.yaml", false, false),
        ];
        for (text, path, is_directory, expected) in cases {
            assert_eq!(Ignored::parse(text).matches(path, is_directory), expected, "{text} {path}");
        }
    }
}
