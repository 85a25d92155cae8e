//! What takes too long for every change. Prints the figures for docs/testing.md; about an hour of two cores.

use crate::differential::{self, What};
use crate::program::{Failure, Finished, command, failed, install, line, passed, read, succeed, text, top};
use crate::{checks, suite};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

/// The coverage that libFuzzer needs: the flags of cargo-fuzz without a sanitizer, for which the compiler of the project is
/// enough.
const FUZZ_FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Ccodegen-units=1 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// The machine that fuzz targets are compiled for; named, so that build scripts do not get the flags.
const MACHINE: &str = "x86_64-unknown-linux-gnu";

/// Runs a command that has to succeed, prints its output and keeps it in a file.
fn logged(command: &mut std::process::Command, log: &str) -> Result<String, Failure> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut file = std::fs::File::create(top().join(log))?;
    for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
        let line = line?;
        println!("{line}");
        writeln!(file, "{line}")?;
    }
    let status = child.wait()?;
    if status.success() { read(&top().join(log)) } else { failed(format!("ended with {status}: see {log}")) }
}

/// The figures that tests print, as lines `figure: …`.
fn figures_of(log: &str) -> Vec<String> {
    log.lines().filter_map(|line| line.strip_prefix("figure: ")).map(str::to_owned).collect()
}

/// All tests of the lab, with the program that is shipped.
fn lab() -> Result<Vec<String>, Failure> {
    succeed(&mut line("cargo build --locked --profile dist"))?;
    let started = Instant::now();
    std::fs::create_dir_all(top().join("target/lab"))?;
    let mut tests = line(".ci/lab --show-output");
    tests.env("KFC_LAB_ALL", "1").env("KFC_LAB_PROGRAM", top().join("target/dist/kfc"));
    let log = logged(&mut tests, "target/lab/full.log")?;
    let mut figures = figures_of(&log);
    figures.push(format!("all tests of the lab: {} s", started.elapsed().as_secs()));
    Ok(figures)
}

/// Removes what cargo keeps of our packages: it unpacks and compiles a version once, also when the crate has changed since.
fn forget_packages(target: &Path) -> Result<(), Failure> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let registries = home.into_iter().flat_map(|home| entries(&home.join("registry/src")));
    for kept in
        registries.chain([target.join("debug/.fingerprint")]).flat_map(|directory| entries(&directory))
    {
        if kept.file_name().is_some_and(|name| name.to_string_lossy().starts_with("kfc-")) {
            std::fs::remove_dir_all(kept)?;
        }
    }
    Ok(())
}

/// The entries of a directory; none if it does not exist.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn packages() -> Result<Vec<String>, Failure> {
    let target = "target/packages";
    forget_packages(&top().join(target))?;
    checks::package(&["--target-dir", target])?;
    Ok(vec![format!("crates that build from their packages: {}, and the program", checks::crates()?)])
}

/// How many values the tests of properties try.
const CASES: u32 = 20_000;

/// The tests of properties with many values that no run has tried before.
fn properties() -> Result<Vec<String>, Failure> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = now.map_or(0, |now| now.as_secs()).to_string();
    let with_values = |tests: &str| {
        let mut tests = line(tests);
        tests.env("PROPTEST_RNG_SEED", &seed).env("PROPTEST_CASES", CASES.to_string());
        succeed(&mut tests)
    };
    with_values("cargo test --locked --workspace --lib")?;
    with_values("cargo test --locked --test parsers --test diff")?;
    Ok(vec![format!("tests of properties: {CASES} values each, seed {seed}")])
}

/// How many random trees, and how many documents, both programs build.
const RANDOM: usize = 20_000;

/// Random trees and documents that no run has tried before, every word in every position, and kustomize's own tests.
fn beside_kustomize() -> Result<Vec<String>, Failure> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = now.map_or(0, |now| now.as_secs());
    let mut figures = vec![format!("random trees and documents: seed {seed}")];
    for (what, count) in [(What::Trees, RANDOM), (What::Documents, RANDOM), (What::Words, 0)] {
        figures.push(differential::run(&differential::Options::of(what, count, seed))?.to_string());
    }
    figures.push(format!("kustomize's own tests: {}", suite::run(&suite::Options::all())?));
    Ok(figures)
}

fn build_fuzz_targets() -> Result<(), Failure> {
    install("c++", "g++");
    let build = format!("cargo build --release --target {MACHINE} --target-dir ../target/fuzz");
    succeed(line(&build).current_dir(top().join("fuzz")).env("RUSTFLAGS", FUZZ_FLAGS))
}

/// The names of all fuzz targets, sorted.
fn fuzz_targets() -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(top().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "rs") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// How many inputs a fuzz target ran, by its final statistics.
fn runs_of(log: &str) -> Option<u64> {
    log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

/// Runs a fuzz target; a crash fails.
fn fuzz(name: &str, seconds: u32) -> Result<String, Failure> {
    println!("\n== fuzz target {name}");
    let corpus = format!("fuzz/corpus/{name}");
    std::fs::create_dir_all(top().join(&corpus))?;
    let program = PathBuf::from(format!("target/fuzz/{MACHINE}/release/{name}"));
    let limits = format!("-max_total_time={seconds} -rss_limit_mb=4096 -timeout=30");
    let output = command(&program, [corpus.as_str()])
        .args(limits.split(' '))
        .args(["-print_final_stats=1", "-artifact_prefix=target/fuzz/"])
        .stdin(Stdio::null())
        .output()?;
    // It reports on standard error.
    let log = String::from_utf8_lossy(&output.stderr);
    std::fs::write(top().join(format!("target/fuzz/{name}.log")), log.as_bytes())?;
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(8)..].iter().for_each(|line| println!("{line}"));
    if !output.status.success() {
        return failed(format!(
            "fuzz target {name} ended with {}: see target/fuzz/{name}.log",
            output.status
        ));
    }
    let runs =
        runs_of(&log).ok_or_else(|| Failure(format!("fuzz target {name} prints no number of runs")))?;
    Ok(format!("fuzz target {name}: {runs} runs in {seconds} s"))
}

/// When, at which commit and on what the figures were measured.
fn head() -> Result<String, Failure> {
    let date = text(&mut line("date +%F"))?;
    let commit = text(&mut line("git rev-parse --short HEAD"))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(format!("figures of {}, commit {}, {cores} cores", date.trim(), commit.trim()))
}

/// Runs all of it; without the lab, what comes after it.
pub(crate) fn run(seconds: u32, without_lab: bool) -> Finished {
    let mut figures = Vec::new();
    if !without_lab {
        println!("\n== tests against a real API server");
        figures = lab()?;
    }
    println!("\n== each crate builds from its package");
    figures.extend(packages()?);
    println!("\n== tests of properties");
    figures.extend(properties()?);
    println!("\n== beside kustomize");
    figures.extend(beside_kustomize()?);
    println!("\n== fuzz targets");
    build_fuzz_targets()?;
    for name in fuzz_targets()? {
        figures.push(fuzz(&name, seconds)?);
    }
    passed(format!("\n{}\n{}", head()?, figures.join("\n")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{figures_of, fuzz_targets, runs_of};

    #[test]
    fn figures_are_lines_of_their_own() {
        let log = "running 2 tests\nfigure: aws: 641 objects\nnot a figure: x\nfigure: gke: 631 objects\n";
        assert_eq!(figures_of(log), ["aws: 641 objects", "gke: 631 objects"]);
    }

    #[test]
    fn runs_are_in_the_final_statistics() {
        assert_eq!(runs_of("Done\nstat::number_of_executed_units: 4096\nstat::x: 1\n"), Some(4096));
        assert_eq!(runs_of("stat::number_of_executed_units: many\n"), None);
    }

    #[test]
    fn every_fuzz_target_is_found() {
        let manifest = crate::program::read(&crate::program::top().join("fuzz/Cargo.toml")).unwrap();
        assert_eq!(fuzz_targets().unwrap().len(), manifest.matches("[[bin]]").count());
    }
}
