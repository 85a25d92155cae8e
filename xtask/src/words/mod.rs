//! Finds words that docs/terms.md replaces, by the list `.ci/words.txt`, which explains its format. Code, names in backticks and
//! URLs are never reported. A line that needs a word says so, with the word and the reason, on this line or the one before:
//!
//! ```text
//! // words: allow later: the reason
//! <!-- words: allow later: the reason -->
//! ```

mod changed;
mod prose;
mod rules;

use crate::passing::Recorded;
use crate::program::{Failure, Finished, failed, passed, read, top};
use clap::{Args, ValueEnum};
use rules::Rules;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct Options {
    /// What to read; both when it is not given
    group: Option<Group>,
    /// Print how often each rule is broken, not where
    #[arg(long)]
    count: bool,
    /// How many findings are accepted
    #[arg(long, value_name = "N", default_value_t = 0)]
    most: u64,
    /// Report only lines that changed since this git revision
    #[arg(long, value_name = "REVISION")]
    since: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Group {
    /// Comments and string literals of Rust files
    Source,
    /// Pages in Markdown, and the descriptions of the catalogue
    Text,
}

impl Group {
    const ALL: [Self; 2] = [Self::Source, Self::Text];

    fn patterns(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["src/**/*.rs", "crates/**/*.rs", "xtask/**/*.rs"],
            Self::Text => &[
                "*.md",
                "docs/**/*.md",
                "crates/**/*.md",
                "deploy/**/*.md",
                "examples/**/*.md",
                ".github/**/*.md",
                "bases/*/component.yaml",
                "overlays/*/*/overlay.yaml",
                "platforms/*.yaml",
                "deploy/**/*.yaml",
                "examples/**/*.yaml",
            ],
        }
    }

    /// The files of the group, relative to the top.
    fn files(self) -> Result<BTreeSet<PathBuf>, Failure> {
        let mut files = BTreeSet::new();
        for pattern in self.patterns() {
            let paths = glob::glob(&top().join(pattern).to_string_lossy());
            for path in paths.map_err(|error| Failure(error.to_string()))?.filter_map(Result::ok) {
                files.insert(path.strip_prefix(top()).unwrap_or(&path).to_owned());
            }
        }
        Ok(files)
    }
}

/// What was found in all files.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    by_rule: BTreeMap<String, u64>,
    files: usize,
}

impl Report {
    fn total(&self) -> u64 {
        self.by_rule.values().sum()
    }

    fn print(&self, only_counts: bool) {
        if !only_counts {
            self.lines.iter().for_each(|line| println!("{line}"));
            return;
        }
        let mut counts: Vec<(&String, &u64)> = self.by_rule.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (rule, count) in &counts {
            println!("{count:6} {rule}");
        }
    }
}

fn find(groups: &[Group], since: Option<&str>) -> Result<Report, Failure> {
    let rules = Rules::parse(&read(&top().join(".ci/words.txt"))?)?;
    let changed = since.map(changed::lines).transpose()?;
    let mut files = BTreeSet::new();
    for group in groups {
        files.extend(group.files()?);
    }
    let mut report = Report { files: files.len(), ..Report::default() };
    for file in files {
        let name = file.to_string_lossy().replace('\\', "/");
        if rules.skips(&name) {
            continue;
        }
        let text = read(&top().join(&file))?;
        for finding in rules.find(&text, &prose_of(&file, &text))? {
            if changed.as_ref().is_some_and(|changed| !changed.has(&name, finding.line)) {
                continue;
            }
            *report.by_rule.entry(finding.rule.clone()).or_default() += 1;
            report
                .lines
                .push(format!("{name}:{}: `{}`: write {}", finding.line, finding.words, finding.instead));
        }
    }
    Ok(report)
}

/// The prose of a file, by the language that its name says.
fn prose_of(file: &Path, text: &str) -> String {
    match file.extension().and_then(|end| end.to_str()) {
        Some("rs") => prose::of_rust(text),
        Some("md") => prose::of_markdown(text),
        _ => prose::of_catalogue(text),
    }
}

pub(crate) fn run(options: &Options) -> Finished {
    let groups = options.group.map_or(Group::ALL.to_vec(), |group| vec![group]);
    let report = find(&groups, options.since.as_deref())?;
    report.print(options.count);
    let result = format!("words: {} in {} files, {} accepted", report.total(), report.files, options.most);
    if report.total() > options.most || report.files == 0 { failed(result) } else { passed(result) }
}

/// Counts both groups; fails above a recorded count.
pub(crate) fn check() -> Finished {
    let recorded = Recorded::load()?;
    let mut results = Vec::new();
    for (group, name) in [(Group::Source, "source"), (Group::Text, "text")] {
        let report = find(&[group], None)?;
        report.print(true);
        if report.files == 0 {
            return failed(format!("there is no file of the group {name}"));
        }
        let above = recorded.at_most(&format!("words-{name}"), report.total());
        let advice = "`cargo xtask words --since REVISION` lists those of your change";
        above.map_err(|failure| Failure(format!("{failure}; {advice}")))?;
        results.push(format!("{} in {name}", report.total()));
    }
    passed(results.join(", "))
}
