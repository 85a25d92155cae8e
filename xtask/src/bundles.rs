//! Judges that are written in Python, because what they are made of exists only there: the package kubernetes-validate has the
//! published schemas of Kubernetes and its own reading of them, so that no code of ours judges ours; the driver of the browser
//! needs one small package where the crates for it need a hundred others.

use crate::program::{
    Failure, Finished, SHIPPED, command, failed, has_program, install, line, on_all_cores, passed, skipped,
    succeed, succeeds, text, top,
};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

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
    let graph = json(&["graph", "onprem", "--format", "json"])?;
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

/// Values for the parameters that have no default, or a published one that kfc cannot replace by a generated value.
const WHAT_MUST_BE_SET: [&str; 16] = [
    "cloud-sql.instance=project:region:name",
    "rds.host=db.example.com",
    "azure-mysql.host=db.example.com",
    "azure-blob.account=example",
    "external-issuer.issuer=https://login.example.com",
    "cloudIdentity=someone",
    "cloud-sql.password=of-ones-own",
    "rds.password=of-ones-own",
    "azure-mysql.password=of-ones-own",
    "gcs.accessKey=of-ones-own",
    "gcs.secretKey=of-ones-own",
    "s3.accessKey=of-ones-own",
    "s3.secretKey=of-ones-own",
    "azure-blob.accountKey=of-ones-own",
    "oidcClientSecret=of-ones-own",
    "oauth2-proxy.cookieSecret=of-ones-own-cookie-secret-123456",
];
/// The error of a component that a profile does not support.
const UNSUPPORTED: &str = "error[KFC1005]";

/// What a command prints as JSON.
fn json(arguments: &[&str]) -> Result<serde_json::Value, Failure> {
    let printed = text(&mut command(SHIPPED, arguments))?;
    serde_json::from_str(&printed).map_err(|error| Failure(error.to_string()))
}

/// The names of the objects in a list.
fn names_in(list: &serde_json::Value) -> Vec<String> {
    let objects = list.as_array().into_iter().flatten();
    objects.filter_map(|object| object["name"].as_str()).map(str::to_owned).collect()
}

/// Whether a bundle is built; an error if it is refused for anything but a component that the profile does not support.
fn is_built(arguments: &[&str]) -> Result<bool, Failure> {
    let mut command = command(SHIPPED, ["build"]);
    command.args(arguments).args(WHAT_MUST_BE_SET.iter().flat_map(|value| ["--set", value]));
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let mut errors = said.lines().filter(|line| line.starts_with("error["));
    let is_unsupported = output.status.code() == Some(1) && errors.all(|line| line.starts_with(UNSUPPORTED));
    if output.status.success() || is_unsupported {
        return Ok(output.status.success());
    }
    failed(format!("`kfc build {}`: {said}", arguments.join(" ")))
}

/// Builds each component alone on every profile, and every profile with each of its components on the cluster already.
fn build_each_alone(all: &serde_json::Value) -> Result<usize, Failure> {
    let all = names_in(all);
    let mut choices = Vec::new();
    for profile in profiles()? {
        let part = names_in(&json(&["graph", &profile, "--format", "json"])?["components"]);
        let mut choose = |flag, names: &[String]| {
            choices.extend(names.iter().map(|name| (profile.clone(), flag, name.clone())));
        };
        choose("--components", &all);
        choose("--present", &part);
    }
    let built = AtomicUsize::new(0);
    on_all_cores(&choices, |(profile, flag, name)| {
        built.fetch_add(usize::from(is_built(&[profile, flag, name])?), Ordering::Relaxed);
        Ok(())
    })?;
    let built = built.into_inner();
    if built * 4 < choices.len() * 3 {
        return failed(format!("only {built} of {} bundles are built", choices.len()));
    }
    Ok(built)
}

/// The components of a profile, and all others whose capabilities it does not have yet; device plug-ins are the profile's to choose.
fn everything(profile: &str, all: &serde_json::Value) -> Result<Vec<String>, Failure> {
    let mut chosen = names_in(&json(&["graph", profile, "--format", "json"])?["components"]);
    let provided = |component: &serde_json::Value| -> Vec<String> {
        let capabilities = component["provides"].as_array().into_iter().flatten();
        capabilities.filter_map(serde_json::Value::as_str).map(str::to_owned).collect()
    };
    let (part, others): (Vec<_>, Vec<_>) = all
        .as_array()
        .into_iter()
        .flatten()
        .partition(|component| chosen.iter().any(|name| component["name"] == name.as_str()));
    let mut taken: Vec<String> = part.into_iter().flat_map(provided).collect();
    taken.push("accelerator-device-plugin".to_owned());
    for component in others {
        let capabilities = provided(component);
        if !capabilities.iter().any(|capability| taken.contains(capability)) {
            taken.extend(capabilities);
            chosen.extend(component["name"].as_str().map(str::to_owned));
        }
    }
    Ok(chosen)
}

/// Validates every profile with all components that it can have at once.
fn validate_everything(all: &serde_json::Value) -> Result<(), Failure> {
    on_all_cores(&profiles()?, |profile| {
        let components = everything(profile, all)?.join(",");
        succeed(command(SHIPPED, ["validate", profile, "--strict"]).args(["--components", &components]))
    })
}

/// Builds each component alone; validates every profile with all components, what `kfc init` writes for every profile, the bundle
/// of every profile that has a golden, and every example with the definitions of the bundle that it runs on. The goldens
/// themselves only name the schemas of their CRDs.
pub(crate) fn bundles() -> Finished {
    let components = json(&["list", "components", "--format", "json"])?;
    let all = &components["items"];
    let alone = build_each_alone(all)?;
    validate_everything(all)?;
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
    passed(format!(
        "{} bundles, with their own components and with all, new stacks and all examples are valid in Kubernetes {version}; {alone} bundles of one component, or without one, are built",
        files.len()
    ))
}
