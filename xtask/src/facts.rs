//! `cargo xtask facts`: what a new release of upstream changes for our bases. Prints the facts that no longer hold by component, then
//! the profiles that do not build from it, with their errors: setters and overlays that do not fit.

use crate::program::{Failure, Finished, command, failed, line, passed, top};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Options {
    /// The directory of the release: `kfc catalog fetch NAME --catalog . -o DIR` wrote it
    directory: PathBuf,
    /// The program that builds profiles
    #[arg(long, default_value = "target/debug/kfc")]
    program: PathBuf,
    /// Profiles to build instead of those in golden/
    #[arg(long, value_name = "PROFILE,…", value_delimiter = ',')]
    profiles: Vec<String>,
}

/// The profiles that have goldens.
fn profiles() -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(top().join("golden"))?;
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.retain(|name| name != "targets");
    names.sort();
    Ok(names)
}

pub(crate) fn run(options: &Options) -> Finished {
    let directory = options.directory.canonicalize()?;
    let mut comparison = line("cargo test --quiet --test parity");
    let holds = comparison.env("KFC_RELEASE", &directory).status()?.success();
    let profiles = if options.profiles.is_empty() { profiles()? } else { options.profiles.clone() };
    let program = top().join(&options.program);
    let mut wrong = Vec::new();
    for profile in &profiles {
        let release = directory.display().to_string();
        let arguments =
            ["build", profile, "--no-builtin", "--catalog", ".", "--offline", "--release", &release];
        let output = command(&program, arguments).output()?;
        if !output.status.success() {
            println!("\n{profile} cannot be built:\n{}", String::from_utf8_lossy(&output.stderr));
            wrong.push(profile.as_str());
        }
    }
    match (holds, wrong.as_slice()) {
        (true, []) => passed(format!("all facts hold, and {} profiles build", profiles.len())),
        (false, []) => failed(format!("facts no longer hold; all {} profiles build", profiles.len())),
        (_, wrong) => failed(format!("these profiles do not build: {}", wrong.join(", "))),
    }
}
