//! Licences, banned crates, sources and advisories of all dependencies, by deny.toml.

use crate::program::{Finished, command, line, passed, succeed, succeeds, text, top};

const VERSION: &str = "0.20.2";
const PROGRAM: &str = "target/tools/bin/cargo-deny";
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// Installs cargo-deny once, into target/tools. It runs for a second: optimizing it would take longer.
fn install() -> Result<(), crate::program::Failure> {
    let installed = text(&mut line(&format!("{PROGRAM} --version")));
    if installed.is_ok_and(|version| version.trim() == format!("cargo-deny {VERSION}")) {
        return Ok(());
    }
    println!("installing cargo-deny {VERSION}");
    let directories = "--root target/tools --target-dir target/tools/build";
    succeed(&mut line(&format!(
        "cargo install --debug --quiet --locked {directories} cargo-deny@{VERSION}"
    )))?;
    Ok(std::fs::remove_dir_all(top().join("target/tools/build"))?)
}

pub(crate) fn run() -> Finished {
    install()?;
    let mut checks = vec!["bans", "licenses", "sources"];
    let has_database = succeeds(&mut line(&format!("timeout 20 git ls-remote --quiet {DATABASE} HEAD")));
    if has_database {
        checks.push("advisories");
    }
    // One version twice is a warning that Cargo.lock shows as well.
    let options = ["--locked", "check", "--hide-inclusion-graph", "--allow", "duplicate"];
    succeed(command(PROGRAM, options).args(&checks))?;
    if has_database {
        passed(checks.join(", "))
    } else {
        passed(format!("{}; advisories skipped: {DATABASE} cannot be reached", checks.join(", ")))
    }
}
