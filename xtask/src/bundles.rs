//! Judges that are written in Python, because what they are made of exists only there: the package kubernetes-validate has the
//! published schemas of Kubernetes and its own reading of them, so that no code of ours judges ours; the driver of the browser
//! needs one small package where the crates for it need a hundred others.

use crate::program::{
    Failure, Finished, SHIPPED, command, failed, has_program, install, line, passed, skipped, succeed,
    succeeds, text, top,
};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A Python with these packages, in a directory of its own; nothing when they cannot be installed.
fn python_with(packages: &[&str]) -> Option<PathBuf> {
    let folder = top().join("target/python");
    let python = folder.join("bin/python");
    let is_there = python.exists() || {
        install("python3", "python3");
        succeeds(command("python3", ["-m", "venv"]).arg(&folder))
            || (succeeds(&mut line("apt-get install -y -qq python3-venv"))
                && succeeds(command("python3", ["-m", "venv", "--clear"]).arg(&folder)))
    };
    let mut pip = command(&python, ["-m", "pip", "install", "--quiet"]);
    (is_there && succeeds(pip.args(packages))).then_some(python)
}

fn without(packages: &str) -> Finished {
    skipped(format!("the Python packages {packages} cannot be installed"))
}

/// Compares the verdicts of `kfc validate` with those of the published schemas, field by field.
pub(crate) fn verdicts() -> Finished {
    let Some(python) = python_with(&["kubernetes-validate", "PyYAML"]) else {
        return without("kubernetes-validate and PyYAML");
    };
    let report = text(&mut command(python, [".ci/verdicts", SHIPPED]))?;
    print!("{report}");
    passed(report.trim().replace('\n', "; "))
}

/// A comparison writes a page; it ends with 1 when there are differences.
fn write_page(before: &str, after: &str, file: &str) -> Result<(), Failure> {
    let status = command(SHIPPED, ["diff", before, after, "-o", file]).stdin(Stdio::null()).status()?;
    if matches!(status.code(), Some(0 | 1)) {
        return Ok(());
    }
    failed(format!("`kfc diff {before} {after}` ended with {status}"))
}

/// Works with report pages in a browser.
pub(crate) fn pages() -> Finished {
    install("chromium", "chromium");
    if !has_program("chromium") {
        return skipped("Chromium cannot be installed");
    }
    let Some(python) = python_with(&["websocket-client"]) else { return without("websocket-client") };
    let fixtures = "crates/kfc-diff/src/report/fixtures";
    let pages = ["target/fixtures.html", "target/profiles.html"];
    write_page(&format!("{fixtures}/before.yaml"), &format!("{fixtures}/after.yaml"), pages[0])?;
    write_page("aws", "azure", pages[1])?;
    succeed(command(python, [".ci/page"]).args(pages))?;
    passed(format!("{} pages work", pages.len()))
}

/// The directories `examples/NAME/KIND`, sorted.
fn examples(kinds: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(top().join("examples"))? {
        let folder = entry?.path();
        found.extend(kinds.iter().map(|kind| folder.join(kind)).filter(|example| example.is_dir()));
    }
    found.sort();
    Ok(found)
}

/// The name of the component that an example is for.
fn component(example: &std::path::Path) -> String {
    let parent = example.parent().and_then(|folder| folder.file_name()).unwrap_or_default();
    parent.to_string_lossy().into_owned()
}

/// A bundle with all components that have examples, and these.
fn write_examples(file: &str) -> Result<(), Failure> {
    let components: Vec<String> = examples(&["cpu"])?.iter().map(|example| component(example)).collect();
    let mut bundle =
        text(&mut command(SHIPPED, ["build", "onprem+gpu", "--components", &components.join(",")]))?;
    for example in examples(&["cpu", "gpu"])? {
        let built = text(command(SHIPPED, ["build"]).arg(example))?;
        let _ = write!(bundle, "---\n{built}");
    }
    Ok(std::fs::write(top().join(file), bundle)?)
}

/// The version of Kubernetes that a profile is for.
fn kubernetes() -> Result<String, Failure> {
    let graph = text(&mut command(SHIPPED, ["graph", "onprem", "--format", "json"]))?;
    let graph: serde_json::Value =
        serde_json::from_str(&graph).map_err(|error| Failure(error.to_string()))?;
    let version = graph["facts"]["kubernetes"].as_str();
    version
        .map(str::to_owned)
        .ok_or_else(|| Failure("the facts of onprem have no version of Kubernetes".into()))
}

/// Runs all commands, two at a time.
fn succeed_in_pairs(commands: &mut [Command]) -> Result<(), Failure> {
    for pair in commands.chunks_mut(2) {
        let running: Vec<_> = pair.iter_mut().map(|command| command.stdin(Stdio::null()).spawn()).collect();
        for child in running {
            let status = child?.wait()?;
            if !status.success() {
                return failed(format!("a bundle is not valid: {status}"));
            }
        }
    }
    Ok(())
}

/// The profiles that have a golden, sorted.
fn profiles() -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(top().join("golden"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        found.extend(name.strip_suffix(".yaml").map(str::to_owned));
    }
    found.sort();
    Ok(found)
}

/// Writes the stack of every profile as `kfc init` does, and validates it as strictly as kfc can.
fn validate_new_stacks() -> Result<(), Failure> {
    let folder = top().join("target/stacks");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    for profile in profiles()? {
        let name = profile.replace('+', "-");
        let mut init = command(top().join(SHIPPED), ["init", &profile, &name]);
        text(init.current_dir(&folder))?;
        let mut validate = command(top().join(SHIPPED), ["validate", &name, "--strict", "--complete"]);
        succeed(validate.current_dir(&folder))?;
    }
    Ok(())
}

/// Validates what `kfc init` writes for every profile, the bundle of every profile that has a golden, and every example with
/// the definitions of the bundle that it runs on.
/// The goldens themselves only name the schemas of their CRDs.
pub(crate) fn bundles() -> Finished {
    validate_new_stacks()?;
    let Some(python) = python_with(&["kubernetes-validate", "PyYAML", "jsonschema"]) else {
        return without("kubernetes-validate, PyYAML and jsonschema");
    };
    let version = kubernetes()?;
    let folder = top().join("target/bundles");
    std::fs::create_dir_all(&folder)?;
    let mut files = Vec::new();
    for profile in profiles()? {
        let file = folder.join(format!("{profile}.yaml"));
        std::fs::write(&file, text(&mut command(SHIPPED, ["build", &profile]))?)?;
        files.push(file);
    }
    let judge = || command(&python, [".ci/schemas", &version]);
    let mut commands: Vec<Command> = Vec::new();
    for files in files.chunks(files.len().div_ceil(2).max(1)) {
        let mut command = judge();
        command.args(files);
        commands.push(command);
    }
    succeed_in_pairs(&mut commands)?;
    let file = "target/examples.yaml";
    write_examples(file)?;
    succeed(judge().arg(file))?;
    passed(format!("{} bundles, new stacks and all examples are valid in Kubernetes {version}", files.len()))
}
