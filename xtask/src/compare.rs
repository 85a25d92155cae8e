//! Compares kfc with kustomize's output over trees of others, next to the repository in ../shared.

use crate::passing::Recorded;
use crate::program::{Finished, SHIPPED, command, failed, has_program, passed, read, shared, skipped, top};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::Stdio;

#[derive(Args)]
pub(crate) struct Options {
    what: What,
    /// The program that is compared
    #[arg(long, default_value = SHIPPED)]
    program: PathBuf,
    /// Compare only cases whose name has this; the recorded count is not asked for
    #[arg(long)]
    filter: Option<String>,
}

impl Options {
    pub(crate) fn all_of(what: What) -> Self {
        Self { what, program: PathBuf::from(SHIPPED), filter: None }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum What {
    /// Small cases, each of one behaviour
    Conformance,
    /// Real trees of other projects
    Corpora,
    /// Inputs of public reports
    Reports,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Conformance => "conformance",
            Self::Corpora => "corpora",
            Self::Reports => "reports",
        }
    }
}

/// How many cases passed and failed, by the last line of a report: `3 passed, 1 failed`.
fn counts(report: &str) -> Option<(u64, u64)> {
    let (passed, failed) = report.lines().next_back()?.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.strip_suffix(" failed")?.parse().ok()?))
}

pub(crate) fn run(options: &Options) -> Finished {
    let what = options.what.name();
    let Some(judge) = shared().map(|folder| folder.join("compare.py")).filter(|judge| judge.is_file()) else {
        return skipped("there is no ../shared");
    };
    if !has_program("python3") {
        return skipped("there is no python3");
    }
    let failures = top().join("target").join(format!("{what}.failures"));
    // As kustomize alone: `kfc build` takes more, such as `generateName`.
    let kfc = format!("{} kustomize build {{dir}}", top().join(&options.program).display());
    let mut compare = command("python3", [judge.as_os_str()]);
    compare.args([what, &kfc, "--failures"]).arg(&failures);
    compare.args(options.filter.iter().flat_map(|filter| ["--filter", filter]));
    // It fails when any case does; the recorded count decides here.
    let output = compare.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    let report = String::from_utf8_lossy(&output.stdout);
    print!("{report}");
    print!("{}", read(&failures)?);
    let counted = counts(&report).filter(|(good, bad)| good + bad > 0);
    let Some((good, bad)) = counted else { return failed(format!("{what}: no case was compared")) };
    if options.filter.is_none() {
        Recorded::load()?.at_least(what, good)?;
    }
    passed(format!("{good} cases are the same, {bad} differ"))
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn counts_are_in_the_last_line() {
        assert_eq!(counts("a: 2 of 3\n3 passed, 1 failed\n"), Some((3, 1)));
        assert_eq!(counts("3 passed, 1 failed\nTraceback\n"), None);
        assert_eq!(counts(""), None);
    }
}
