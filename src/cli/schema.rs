//! `kfc schema`: the JSON Schemas of what kfc reads and writes.

use super::exit::{FAILED, USAGE};
use super::output;
use clap::Args;
use kfc_diagnostics::{Code, Sources};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// `component`, `overlay`, `platform`, `release`, `stack`, `clusters`, `values`, `lock`, `report`, or `output` for the other JSON
    /// that kfc prints.
    kind: String,
    /// Directories of catalogues that extend the built-in one: schemas of stacks and values have their names too.
    #[arg(long = "catalog", alias = "catalogue", value_name = "DIR")]
    catalogue: Vec<PathBuf>,
    /// Use only the catalogues that are named, not the built-in one.
    #[arg(long)]
    no_builtin: bool,
}

/// The report of `kfc diff`, which is not a file that kfc reads.
const REPORT: &str = "report";
/// What other commands print.
const OUTPUT: &str = "output";
/// The JSON Schema of that.
const OUTPUT_SCHEMA: &str = include_str!("output.json");
/// The directory with the schemas that files of a project name in their first line.
pub(super) const SCHEMAS: &str = ".kfc";

pub(super) fn run(args: &SchemaArgs) -> u8 {
    for (name, schema) in [(REPORT, kfc_diff::report::SCHEMA), (OUTPUT, OUTPUT_SCHEMA)] {
        if args.kind.eq_ignore_ascii_case(name) {
            return output::print(schema);
        }
    }
    match of_file(args) {
        Ok(text) => output::print(&text),
        Err(errors) => {
            let is_usage = errors.0.iter().all(|error| error.code == Code::Usage);
            output::report_run(&errors, &Sources::default(), "the command");
            if is_usage { USAGE } else { FAILED }
        }
    }
}

#[cfg(feature = "schema")]
mod of_files {
    use super::{OUTPUT, REPORT, SchemaArgs};
    use crate::cli::here;
    use kfc_catalogue::catalogue::{Catalogue, Place};
    use kfc_catalogue::schema::{FileKind, values_schema};
    use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
    use kfc_source::Loader;
    use std::path::PathBuf;
    use std::sync::Arc;

    /// Files of values, which have no type of their own.
    const VALUES: &str = "values";

    pub(super) fn of_file(args: &SchemaArgs) -> Result<String> {
        let read = || catalogue(&args.catalogue, args.no_builtin);
        if args.kind.eq_ignore_ascii_case(VALUES) {
            return Ok(format!("{:#}\n", values_schema(&read()?)));
        }
        let kind = FileKind::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(&args.kind));
        match kind {
            Some(kind @ (FileKind::Stack | FileKind::Clusters)) => {
                Ok(format!("{:#}\n", kind.schema_with(&read()?)))
            }
            Some(kind) => Ok(format!("{:#}\n", kind.schema())),
            None => Err(unknown(&args.kind)),
        }
    }

    fn unknown(word: &str) -> Diagnostics {
        let names = FileKind::ALL.iter().map(|kind| kind.word()).chain([VALUES, REPORT, OUTPUT]);
        let names: Vec<&str> = names.collect();
        let error = Diagnostic::error(Code::Usage, format!("`{word}` is not a kind of kfc"));
        error.help(format!("use one of {}", names.join(", "))).into()
    }

    fn catalogue(directories: &[PathBuf], no_builtin: bool) -> Result<Catalogue> {
        let loader = Loader::here(here::reads(), &Arc::new(Sources::default()));
        let places: Vec<Place> = directories.iter().map(|directory| here::place(directory)).collect();
        if no_builtin { Catalogue::load_only(&loader, &places) } else { Catalogue::load(&loader, &places) }
    }

    /// The schemas of files of a catalogue.
    pub(in crate::cli) fn schema_files() -> Vec<(String, String)> {
        let kinds = [FileKind::Component, FileKind::Overlay, FileKind::Platform];
        let file = |kind: FileKind| (format!("{}.json", kind.word()), format!("{:#}\n", kind.schema()));
        kinds.map(file).into()
    }

    /// The schemas of stacks and what belongs to them, with the names of catalogues.
    pub(in crate::cli) fn stack_schema_files(directories: &[PathBuf]) -> Result<Vec<(String, String)>> {
        let catalogue = catalogue(directories, false)?;
        let file = |kind: FileKind| {
            (format!("{}.json", kind.word()), format!("{:#}\n", kind.schema_with(&catalogue)))
        };
        let values = (format!("{VALUES}.json"), format!("{:#}\n", values_schema(&catalogue)));
        Ok(vec![file(FileKind::Stack), file(FileKind::Clusters), values])
    }
}

#[cfg(not(feature = "schema"))]
mod of_files {
    use super::SchemaArgs;
    use kfc_diagnostics::{Code, Diagnostic, Result};
    use std::path::PathBuf;

    pub(super) fn of_file(_: &SchemaArgs) -> Result<String> {
        let error = Diagnostic::error(Code::Usage, "this kfc was built without the schemas of files");
        Err(error.help("build it with the feature `schema`").into())
    }

    pub(in crate::cli) fn schema_files() -> Vec<(String, String)> {
        Vec::new()
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the same signature as with the feature, which reads catalogues"
    )]
    pub(in crate::cli) fn stack_schema_files(_: &[PathBuf]) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }
}

use of_files::of_file;
pub(super) use of_files::{schema_files, stack_schema_files};
