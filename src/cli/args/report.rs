//! Flags that say how a diff report is written.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use kfc_diff::Class;
use kfc_diff::report::{COMMENT, Format};
use std::path::PathBuf;

/// How a report is written.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    /// Format; when not given, that of the ending of the output file.
    #[arg(long, value_parser = format_parser(), value_name = "FORMAT")]
    pub(in crate::cli) format: Option<Format>,
    /// Write to this file.
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Show and count changes of form alone too: the order of lists, other spellings of a quantity, values that the API
    /// server sets.
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Fail only on these classes: data-loss, recreate, crd, rbac, exposure, webhook, security, storage, image, ….
    #[arg(long, value_name = "CLASS,…", value_delimiter = ',', value_parser = class)]
    pub(in crate::cli) fail_on: Vec<Class>,
    /// The most bytes of a Markdown report; its summary is never shortened.
    #[arg(long, default_value_t = COMMENT, value_name = "N")]
    pub(in crate::cli) max_bytes: usize,
}

/// Reads the name of a format of reports.
pub(in crate::cli) fn format_parser() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|format| PossibleValue::new(format.name()).help(format.describe()));
    PossibleValuesParser::new(values).try_map(|name| Format::named(&name).ok_or("the format does not exist"))
}

fn class(name: &str) -> std::result::Result<Class, String> {
    Class::named(name).ok_or_else(|| {
        let names: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
        let near = kfc_diagnostics::nearest(name, names.iter().copied());
        let help = near.map_or_else(
            || format!("expected one of {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        format!("the class `{name}` does not exist: {help}")
    })
}
