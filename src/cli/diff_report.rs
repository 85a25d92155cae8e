//! Writes diff reports to the terminal and to files.

use super::args::ReportArgs;
use super::exit::DONE;
use super::output;
use super::screen::Stream;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_diff::report::{self, Format, Style};
use kfc_diff::{Input, Report};
use std::path::Path;

/// Writes a report where the arguments say; returns the exit status of a run that does nothing else.
pub(super) fn write(args: &ReportArgs, report: &Report, sides: Option<(&Input, &Input)>) -> Result<u8> {
    let of_file = args.output.as_deref().and_then(Format::of_file);
    let format = args.format.or(of_file).unwrap_or_default();
    let texts = match sides.filter(|_| matches!(format, Format::Unified | Format::JsonPatch)) {
        Some((before, after)) => Some(kfc_diff::redacted_texts(before, after)?),
        None => None,
    };
    let style = Style {
        colour: args.output.is_none() && Stream::Output.colours(),
        width: args.output.is_none().then(|| Stream::Output.width()).flatten(),
        folded: args.all,
        max_bytes: args.max_bytes,
        fail_on: &args.fail_on,
        texts: texts.as_ref().map(|(before, after)| (before.as_str(), after.as_str())),
    };
    let bytes = report::write(format, report, &style)?;
    match &args.output {
        Some(file) => output::write_file(file, &bytes).map(|()| DONE),
        None => Ok(output::print_chunks(&[bytes])),
    }
}

/// Writes a report into a file, in the format of its ending.
pub(super) fn write_to(file: &Path, report: &Report, sides: Option<(&Input, &Input)>) -> Result<()> {
    if Format::of_file(file).is_none() {
        let message = format!("the ending of {} is not that of a format", file.display());
        let error = Diagnostic::error(Code::Usage, message);
        return Err(error.help(format!("use one of {}", endings())).into());
    }
    let args = ReportArgs {
        format: None,
        output: Some(file.to_owned()),
        all: false,
        fail_on: Vec::new(),
        max_bytes: report::COMMENT,
    };
    write(&args, report, sides).map(drop)
}

/// The first ending of each format that has one: `.txt, .md and .html`.
fn endings() -> String {
    let endings = Format::ALL.iter().filter_map(|format| format.endings().first());
    let endings: Vec<String> = endings.map(|ending| format!(".{ending}")).collect();
    match endings.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        endings => endings.concat(),
    }
}
