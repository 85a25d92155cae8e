//! The steps that must pass before a merge, in their order, and the table of what became of them.

use crate::compare::{self, What};
use crate::program::{Finished, Outcome, SHIPPED, failed, passed, top};
use crate::{bundles, checks, cli_records, deny, differential, readme, records, sizes, words};
use clap::Args;
use std::time::{Duration, Instant};

#[derive(Args)]
pub(crate) struct Choice {
    /// Print the names of the steps, and what each does
    #[arg(long)]
    list: bool,
    /// Begin with this step
    #[arg(long, value_name = "STEP", value_parser = known)]
    from: Option<String>,
    /// Run the steps after one that failed, too
    #[arg(long)]
    keep_going: bool,
}

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Finished,
}

const fn step(name: &'static str, what: &'static str, run: fn() -> Finished) -> Step {
    Step { name, what, run }
}

/// What is quick to fail comes first; what needs the shipped program follows `sizes`, which builds it.
const STEPS: [Step; 21] = [
    step("words", "words that docs/terms.md replaces", words::check),
    step("tests", "tests", checks::tests),
    step("formatting", "formatting", checks::formatting),
    step("lints", "lints, with and without features", checks::lints),
    step("documentation", "documentation", checks::documentation),
    step("oldest-rust", "the oldest Rust that Cargo.toml names", checks::oldest_rust),
    step("deny", "licences, sources and advisories of dependencies", deny::run),
    step("fuzz-targets", "fuzz targets agree with the crates", checks::fuzz_targets),
    step("packages", "each crate has a package; .ci/full builds them", checks::packages),
    step("sizes", "the size of the shipped program, and what it links", sizes::run),
    step("lab", "the shipped program against a real API server", checks::lab),
    step("readme", "commands of the README", shipped_readme),
    step("verdicts", "verdicts of validation", bundles::verdicts),
    step("pages", "report pages in a browser", bundles::pages),
    step("bundles", "bundles against the schemas of Kubernetes and their own definitions", bundles::bundles),
    step("records", "records of kustomize", records::check),
    step("cli-records", "records of the command line of kustomize", cli_records::check),
    step("conformance", "conformance cases of kustomize", conformance),
    step("corpora", "real trees of other projects", corpora),
    step("reports", "inputs of public reports on kustomize", reports),
    step("differential", "random trees and documents, beside kustomize", differential::check),
];

fn shipped_readme() -> Finished {
    readme::run(&top().join(SHIPPED))
}

fn conformance() -> Finished {
    compare::run(&compare::Options::all_of(What::Conformance))
}

fn corpora() -> Finished {
    compare::run(&compare::Options::all_of(What::Corpora))
}

fn reports() -> Finished {
    compare::run(&compare::Options::all_of(What::Reports))
}

/// A name of a step, for the command line.
fn known(name: &str) -> Result<String, String> {
    if STEPS.iter().any(|step| step.name == name) {
        Ok(name.to_owned())
    } else {
        Err(format!("the steps are {}", STEPS.map(|step| step.name).join(", ")))
    }
}

/// What became of a step.
enum Ending {
    Finished(Outcome),
    Failed(String),
    NotRun,
}

struct Row {
    name: &'static str,
    time: Duration,
    ending: Ending,
}

impl Row {
    fn result(&self) -> String {
        match &self.ending {
            Ending::Finished(outcome) => outcome.to_string(),
            Ending::Failed(why) => format!("FAILED: {why}"),
            Ending::NotRun => "not run".to_owned(),
        }
    }

    fn is_failure(&self) -> bool {
        matches!(self.ending, Ending::Failed(_))
    }

    fn is_skipped(&self) -> bool {
        matches!(self.ending, Ending::Finished(Outcome::Skipped(_)))
    }
}

/// A table of steps, their seconds and their results; those that were skipped come last.
fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default().max("step".len());
    let mut lines = vec![format!("{:width$}  seconds  result", "step")];
    let (skipped, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is_skipped());
    for row in others.into_iter().chain(skipped) {
        lines.push(format!("{:width$}  {:>7}  {}", row.name, row.time.as_secs(), row.result()));
    }
    lines.join("\n")
}

/// Runs a step and prints what it does, its time and its result.
fn finish(step: &Step) -> Row {
    println!("\n== {}: {}", step.name, step.what);
    let started = Instant::now();
    let ending = match (step.run)() {
        Ok(outcome) => Ending::Finished(outcome),
        Err(failure) => Ending::Failed(failure.0),
    };
    let row = Row { name: step.name, time: started.elapsed(), ending };
    println!("== {} after {} s: {}", row.name, row.time.as_secs(), row.result());
    row
}

/// The step with which the shipped program starts to be compiled, so that `sizes` has less to wait for: linking it keeps one core
/// busy for minutes. Not before, because steps that are likely to fail have the machine to themselves.
const BESIDE: &str = "lints";

/// Runs steps until one fails, or all of them; gives a row for each.
fn rows(steps: &[Step], keep_going: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut shipped = None;
    for step in steps {
        let is_over = !keep_going && rows.iter().any(Row::is_failure);
        if step.name == BESIDE && !is_over {
            // Without it, `sizes` says what is wrong.
            shipped = sizes::begin().ok();
        }
        rows.push(if is_over {
            Row { name: step.name, time: Duration::ZERO, ending: Ending::NotRun }
        } else {
            finish(step)
        });
    }
    drop(shipped);
    rows
}

pub(crate) fn run(choice: &Choice) -> Finished {
    if choice.list {
        let lines: Vec<String> = STEPS.iter().map(|step| format!("{:14} {}", step.name, step.what)).collect();
        return passed(lines.join("\n"));
    }
    let first = choice.from.as_ref().and_then(|name| STEPS.iter().position(|step| step.name == name));
    let rows = rows(&STEPS[first.unwrap_or_default()..], choice.keep_going);
    println!("\n{}", table(&rows));
    let failures: Vec<&str> = rows.iter().filter(|row| row.is_failure()).map(|row| row.name).collect();
    if failures.is_empty() {
        passed("\neverything that ran here passed")
    } else {
        failed(format!("failed: {}", failures.join(", ")))
    }
}

/// Runs one step.
pub(crate) fn run_one(name: &str) -> Finished {
    match STEPS.iter().find(|step| step.name == name) {
        Some(step) => (step.run)(),
        None => failed(known(name).err().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::{BESIDE, Row, STEPS, Step, known, rows, step, table};
    use crate::program::{failed, passed, skipped};

    fn good() -> crate::program::Finished {
        passed("3 cases")
    }

    fn absent() -> crate::program::Finished {
        skipped("there is no judge")
    }

    fn bad() -> crate::program::Finished {
        failed("2 of 3")
    }

    const SOME: [Step; 4] =
        [step("absent", "", absent), step("good", "", good), step("bad", "", bad), step("after", "", good)];

    #[test]
    fn the_table_has_a_row_for_each_step_and_those_that_were_skipped_at_the_end() {
        let expected = [
            "step    seconds  result",
            "good          0  3 cases",
            "bad           0  FAILED: 2 of 3",
            "after         0  not run",
            "absent        0  skipped: there is no judge",
        ];
        assert_eq!(table(&rows(&SOME, false)), expected.join("\n"));
    }

    #[test]
    fn steps_after_a_failure_run_only_when_asked_for() {
        let results = |keep_going| rows(&SOME, keep_going).iter().map(Row::result).collect::<Vec<_>>();
        assert_eq!(results(false)[3], "not run");
        assert_eq!(results(true)[3], "3 cases");
    }

    #[test]
    fn names_of_steps_are_unique_and_known() {
        let mut names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        assert!(names.iter().all(|name| known(name).is_ok()));
        assert!(known("none").is_err_and(|error| error.starts_with("the steps are words, tests, ")));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
        assert!(names.binary_search(&BESIDE).is_ok());
    }
}
