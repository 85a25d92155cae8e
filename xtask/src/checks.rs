//! The steps that only call cargo.

use crate::program::{
    Failure, Finished, SHIPPED, command, failed, line, passed, read, skipped, succeed, succeeds, top,
};

pub(crate) fn tests() -> Finished {
    succeed(&mut line("cargo test --locked"))?;
    // Not one of the default members, so that the first commands of the README do not compile it.
    succeed(&mut line("cargo test --locked --package xtask"))?;
    passed("all pass")
}

pub(crate) fn lab() -> Finished {
    succeed(line(".ci/lab").env("KFC_LAB_PROGRAM", top().join(SHIPPED)))?;
    passed("all pass")
}

pub(crate) fn formatting() -> Finished {
    succeed(&mut line("cargo fmt --all --check"))?;
    passed("no difference")
}

pub(crate) fn lints() -> Finished {
    succeed(&mut line("cargo clippy --locked --workspace --all-targets -- -D warnings"))?;
    let sets = [
        "--no-default-features",
        "--no-default-features --features fetch",
        "--no-default-features --features cluster",
    ];
    for features in sets {
        succeed(&mut line(&format!("cargo clippy --locked --lib --bins {features} -- -D warnings")))?;
    }
    passed(format!("no warning, with all features and {} other sets", sets.len()))
}

pub(crate) fn documentation() -> Finished {
    let doc = "cargo doc --locked --workspace --no-deps --all-features";
    succeed(line(doc).env("RUSTDOCFLAGS", "-D warnings"))?;
    passed("no warning")
}

/// The `rust-version` of a manifest.
fn rust_version(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
}

pub(crate) fn oldest_rust() -> Finished {
    let manifest = read(&top().join("Cargo.toml"))?;
    let Some(version) = rust_version(&manifest) else { return failed("Cargo.toml has no rust-version") };
    let is_there = succeeds(&mut line(&format!("rustup run {version} cargo --version")));
    if !is_there && !succeeds(&mut line(&format!("rustup toolchain install {version} --profile minimal"))) {
        return skipped(format!("Rust {version} cannot be installed"));
    }
    let check = "check --locked --workspace --all-features --target-dir target/oldest";
    // The toolchain of the project must not win.
    succeed(line(&format!("rustup run {version} cargo {check}")).env_remove("RUSTUP_TOOLCHAIN"))?;
    passed(format!("Rust {version} compiles every crate"))
}

pub(crate) fn fuzz_targets() -> Finished {
    let folder = top().join("fuzz");
    succeed(line("cargo fmt --check").current_dir(&folder))?;
    succeed(line("cargo check --locked --target-dir ../target/fuzz-check").current_dir(&folder))?;
    passed("formatted, and compile")
}

pub(crate) fn packages() -> Finished {
    package(&["--no-verify"])?;
    passed(format!("{} packages", crates()? + 1))
}

/// Packs every crate that is published.
pub(crate) fn package(more: &[&str]) -> Result<(), Failure> {
    let arguments = ["package", "--locked", "--workspace", "--exclude", "xtask", "--allow-dirty", "--quiet"];
    succeed(command("cargo", arguments).args(more))
}

/// How many crates there are below the program.
pub(crate) fn crates() -> Result<usize, Failure> {
    Ok(std::fs::read_dir(top().join("crates"))?.count())
}

#[cfg(test)]
mod tests {
    use super::rust_version;

    #[test]
    fn the_oldest_rust_is_that_of_the_manifest() {
        assert_eq!(rust_version("[workspace.package]\nrust-version = \"1.89\"\n"), Some("1.89"));
        assert_eq!(rust_version("rust-version.workspace = true\n"), None);
    }
}
