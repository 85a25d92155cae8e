//! `kfc schema`: the JSON Schemas of what kfc reads and writes.

use super::exit::USAGE;
use super::output;
use clap::Args;
use kfc_diagnostics::{Code, Diagnostic, Sources};

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// `component`, `overlay`, `platform`, `release`, `stack`, `lock`, `report`, or `output` for the other JSON that kfc prints.
    kind: String,
}

/// The report of `kfc diff`, which is not a file that kfc reads.
const REPORT: &str = "report";
/// What other commands print.
const OUTPUT: &str = "output";
/// The JSON Schema of that.
const OUTPUT_SCHEMA: &str = include_str!("output.json");

pub(super) fn run(args: &SchemaArgs) -> u8 {
    for (name, schema) in [(REPORT, kfc_diff::report::SCHEMA), (OUTPUT, OUTPUT_SCHEMA)] {
        if args.kind.eq_ignore_ascii_case(name) {
            return output::print(schema);
        }
    }
    match of_file(&args.kind) {
        Ok(text) => output::print(&text),
        Err(error) => {
            output::report_run(&error.into(), &Sources::default(), "the command");
            USAGE
        }
    }
}

#[cfg(feature = "schema")]
fn of_file(word: &str) -> Result<String, Diagnostic> {
    use kfc_catalogue::schema::FileKind;
    let kind = FileKind::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(word));
    kind.map(|kind| format!("{:#}\n", kind.schema())).ok_or_else(|| {
        let names: Vec<&str> = FileKind::ALL.iter().map(|kind| kind.word()).chain([REPORT, OUTPUT]).collect();
        let error = Diagnostic::error(Code::Usage, format!("`{word}` is not a kind of kfc"));
        error.help(format!("use one of {}", names.join(", ")))
    })
}

#[cfg(not(feature = "schema"))]
fn of_file(_: &str) -> Result<String, Diagnostic> {
    let error = Diagnostic::error(Code::Usage, "this kfc was built without the schemas of files");
    Err(error.help("build it with the feature `schema`"))
}
