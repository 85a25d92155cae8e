//! `kfc schema`: the JSON Schemas of the kinds of kfc.

use super::exit::USAGE;
use super::output;
use clap::Args;
use kfc_catalogue::catalogue::schema;
use kfc_diagnostics::{Code, Diagnostic, Sources};

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// `component`, `overlay`, `platform`, `report` or `stack`.
    kind: String,
}

pub(super) fn run(args: &SchemaArgs) -> u8 {
    match schema::of(&args.kind) {
        Some(text) => output::print(text),
        None => {
            let names: Vec<&str> = schema::SCHEMAS.iter().map(|(name, _)| *name).collect();
            let error = Diagnostic::error(Code::Usage, format!("`{}` is not a kind of kfc", args.kind));
            let error = error.help(format!("use one of {}", names.join(", ")));
            output::report(&error.into(), &Sources::default());
            USAGE
        }
    }
}
