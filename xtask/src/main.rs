//! The checks of this repository as one program: `cargo xtask ci` runs what must pass before a merge, `cargo xtask STEP` one of
//! its steps. It knows how to run cargo, kfc and the other judges, and what their results have to be; it never compiles kfc into
//! itself, so that it checks the program that is shipped. Nothing builds on it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this program reports to a terminal")]

mod bundles;
mod checks;
mod cli_records;
mod compare;
mod deny;
mod differential;
mod facts;
mod flux_records;
mod full;
mod passing;
mod program;
mod readme;
mod records;
mod roots;
mod sizes;
mod steps;
mod suite;
mod words;

use clap::{Parser, Subcommand};
use program::{Finished, top};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The checks of this repository")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run everything that must pass before a merge, step by step, and print a table of the steps
    Ci(steps::Choice),
    /// Run one step of `ci`, with the recorded limits; `cargo xtask ci --list` prints their names
    Step {
        /// Its name
        name: String,
    },
    /// Run what takes too long for every change, and print figures: the whole lab, packages, fuzz targets
    Full {
        /// How many seconds each fuzz target runs
        #[arg(default_value_t = 120)]
        seconds: u32,
        /// Go on after the lab, when its tests have passed
        #[arg(long)]
        without_lab: bool,
    },
    /// Find words that docs/terms.md replaces
    Words(words::Options),
    /// Run the commands of the README
    Readme {
        /// The program that is run as `kfc`
        #[arg(long, default_value = program::SHIPPED)]
        program: PathBuf,
    },
    /// Tell which facts of our bases a new release of upstream no longer has, component by component
    Facts(facts::Options),
    /// Check licences, bans, sources and advisories of all dependencies
    Deny,
    /// Build the program that is shipped; compare its size with the recorded one, and check that it links libc alone
    Sizes,
    /// Compare kfc with kustomize over ../shared
    Compare(compare::Options),
    /// Compare kfc with kustomize over random trees and documents
    Differential(differential::Options),
    /// Compare kfc with kustomize over the tests of kustomize itself
    Suite(suite::Options),
    /// Compare kfc with kustomize over all roots of real trees, and print a table
    Roots(roots::Options),
    /// Record what the real kustomize gives for the trees in tests/kustomize
    Record(records::Options),
    /// Record the commands and flags of the real kustomize, and what the calls in tests/kustomize-cli give
    RecordCli(cli_records::Options),
    /// Record what the packages of Flux build from the trees in tests/flux
    RecordFlux(flux_records::Options),
}

fn run(task: &Task) -> Finished {
    match task {
        Task::Ci(choice) => steps::run(choice),
        Task::Step { name } => steps::run_one(name),
        Task::Full { seconds, without_lab } => full::run(*seconds, *without_lab),
        Task::Words(options) => words::run(options),
        Task::Readme { program } => readme::run(&top().join(program)),
        Task::Facts(options) => facts::run(options),
        Task::Deny => deny::run(),
        Task::Sizes => sizes::run(),
        Task::Compare(options) => compare::run(options),
        Task::Differential(options) => differential::run(options),
        Task::Suite(options) => suite::run(options),
        Task::Roots(options) => roots::run(options),
        Task::Record(options) => records::run(options),
        Task::RecordCli(options) => cli_records::run(options),
        Task::RecordFlux(options) => flux_records::run(options),
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(outcome) => {
            println!("{outcome}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
