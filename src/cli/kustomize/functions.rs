//! `kustomize fn`: functions that a directory describes, run on its resources.

use crate::cli::args::CallArgs;
use crate::cli::targets::standard_input;
use crate::cli::{here, output};
use clap::{ArgAction, Args, Subcommand};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kube::schema::Schema;
use kfc_kustomize::package::{self, FunctionRun, Input, Located, Output, Ran, Scope};
use kfc_source::Surroundings;
use kfc_source::write;
use kfc_yaml::styled::{StyledDocument, StyledNode};
use std::path::{Path, PathBuf};

/// `kustomize fn …`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FunctionCommand {
    /// Run the functions that a directory describes on its resources, and write what they print into the directory.
    Run(RunArgs),
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::cli) struct RunArgs {
    /// The directory or file; standard input when not given, and what functions print goes to standard output.
    dir: Option<String>,
    /// Print the resources, and write no file.
    #[arg(long)]
    dry_run: bool,
    /// Run this program instead of the functions of the directory. Needs `--enable-exec`.
    #[arg(long, value_name = "PROGRAM", default_value = "", hide_default_value = true)]
    exec_path: String,
    /// Run the functions in these directories instead of those of the directory.
    #[arg(long, value_name = "DIR,…", value_delimiter = ',')]
    fn_path: Vec<String>,
    /// Give functions all resources, not only those in and below their directory.
    #[arg(long)]
    global_scope: bool,
    /// Run this image instead of the functions of the directory.
    #[arg(long, value_name = "IMAGE", default_value = "", hide_default_value = true)]
    image: String,
    /// Has no effect, as in kustomize: all directories below are read.
    #[arg(long, action = ArgAction::SetFalse)]
    include_subpackages: bool,
    /// Name the program of each function before it runs.
    #[arg(long)]
    log_steps: bool,
    /// Write the results of functions into this directory: `results-0.yaml`, …
    #[arg(long, value_name = "DIR", default_value = "", hide_default_value = true)]
    results_dir: String,
    #[command(flatten)]
    calls: CallArgs,
    /// What `--image` or `--exec-path` is given: its kind, then data, `KEY=VALUE`.
    #[arg(last = true, value_name = "KIND|KEY=VALUE")]
    data: Vec<String>,
}

/// Runs a command.
pub(in crate::cli) fn run(command: &FunctionCommand) -> u8 {
    let FunctionCommand::Run(args) = command;
    let sources = Sources::default();
    if !args.include_subpackages {
        output::note("note: `--include-subpackages` has no effect: all directories below are read");
    }
    match run_functions(args, &here::surroundings(), &sources) {
        Ok(text) => output::print(&text),
        Err(errors) => output::fail(&errors, &sources, "the command"),
    }
}

/// Runs functions, and writes their files. Returns what is to be printed.
fn run_functions(args: &RunArgs, surroundings: &Surroundings, sources: &Sources) -> Result<String> {
    let input = Input {
        files: surroundings.files.as_ref(),
        working_directory: &surroundings.working_directory,
        sources,
    };
    let explicit = explicit_function(args)?;
    let resources = match &args.dir {
        None => package::read_located_stream(&standard_input()?, sources)?,
        Some(dir) => package::read_located(&input, dir, Scope::WithJson)?,
    };
    let before = package::paths_of(&resources);
    let ran = ran(args, input, explicit, resources);
    for (name, text) in &ran.results {
        output::write_file(&Path::new(&args.results_dir).join(name), text.as_bytes())?;
    }
    let mut errors = ran.errors;
    let mut text = String::new();
    if let Some(resources) = ran.resources {
        let directory = args.dir.as_ref().filter(|_| !args.dry_run);
        let written = match directory {
            Some(dir) => {
                let directory = real_directory(surroundings, dir);
                write_files(resources, &before, &directory).map(|()| String::new())
            }
            None => package::write(resources, &Output { keeps_path: true, ..Output::default() }),
        };
        text = errors.collect(written).unwrap_or_default();
    }
    if !errors.is_empty() {
        // Functions whose failure is reported at the end left resources, which kustomize prints, too.
        output::print(&text);
    }
    errors.into_result(text)
}

fn ran(args: &RunArgs, input: Input<'_>, explicit: Option<StyledNode>, resources: Vec<Located>) -> Ran {
    let report = |program: &str| {
        if args.log_steps {
            output::note(&format!("Running {program}"));
        }
    };
    let run = FunctionRun {
        input,
        options: &args.calls.options(),
        schema: &Schema::builtin(),
        is_global: args.global_scope,
        directories: &args.fn_path,
        explicit,
        report: &report,
    };
    let mut ran = package::run_functions(resources, &run);
    if args.results_dir.is_empty() {
        ran.results.clear();
    }
    ran
}

/// The function that the command line describes.
fn explicit_function(args: &RunArgs) -> Result<Option<StyledNode>> {
    let usage = |message: &str| Err(Diagnostic::error(Code::Usage, message).into());
    if !args.exec_path.is_empty() && !args.calls.enable_exec {
        return usage("`--exec-path` needs `--enable-exec`");
    }
    let function = match (args.image.as_str(), args.exec_path.as_str()) {
        ("", "") if args.data.is_empty() => return Ok(None),
        ("", "") => return usage("arguments after `--` need `--image` or `--exec-path`"),
        ("", path) => package::exec_function(path),
        (image, _) => package::image_function(image, args.calls.network),
    };
    let (kind, data) = match args.data.split_first() {
        Some((kind, data)) if !kind.contains('=') => (Some(kind.as_str()), data),
        _ => (None, args.data.as_slice()),
    };
    let mut pairs = Vec::new();
    for pair in data {
        let Some(pair) = pair.split_once('=') else {
            return usage(&format!("`{pair}` is not a key and a value: expected `KEY=VALUE`"));
        };
        pairs.push(pair);
    }
    Ok(Some(package::function_config(&function, kind, &pairs)))
}

/// The directory that files are written into: that of a file.
fn real_directory(surroundings: &Surroundings, dir: &str) -> PathBuf {
    let path = surroundings.working_directory.join(dir);
    match path.parent() {
        Some(above) if !surroundings.files.is_directory(&path) => above.to_owned(),
        _ => path,
    }
}

/// Writes resources into the files of a directory, and removes the files that no resource is from any more.
fn write_files(resources: Vec<StyledDocument>, before: &[String], directory: &Path) -> Result<()> {
    let files = package::files_of(resources)?;
    let mut errors = Diagnostics::default();
    for (name, text) in &files {
        errors.collect(output::write_below(directory, Path::new(name), text.as_bytes()));
    }
    if !errors.is_empty() {
        return errors.into_result(());
    }
    for name in before.iter().filter(|name| !files.contains_key(*name)) {
        let removed = write::remove_below(directory, Path::new(name));
        errors.collect(removed.map_err(|error| output::cannot_write(&directory.join(name), &error)));
    }
    errors.into_result(())
}
