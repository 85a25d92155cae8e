//! Standard output, standard error and files.

use super::exit::{CLOSED, DONE, FAILED, of_errors};
use super::messages;
use super::ownership::collapsed;
use super::screen::{Detail, MessageFormat, Stream, screen, shows};
use kfc_diagnostics::text::document;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Severity, Sources};
use kfc_source::write;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Columns of messages where no terminal says how many it has.
const COLUMNS: usize = 140;

/// Prints text on standard output; returns the exit status.
pub(super) fn print(text: &str) -> u8 {
    print_chunks(&[text.as_bytes()])
}

/// Writes chunks one after the other to standard output; returns the exit status. A reader that closed its end
/// (`| head`) is not an error to report, but the result is not whole: the status is that of a program which the signal stops.
pub(super) fn print_chunks<T: AsRef<[u8]>>(chunks: &[T]) -> u8 {
    let written = standard_output().and_then(|mut out| {
        chunks.iter().try_for_each(|chunk| out.write_all(chunk.as_ref())).and_then(|()| out.flush())
    });
    match written {
        Ok(()) => DONE,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => CLOSED,
        Err(error) => {
            let failure = Diagnostic::error(
                Code::Output,
                format!("cannot write to standard output: {}", describe(&error)),
            );
            report(&failure.into(), &Sources::default());
            FAILED
        }
    }
}

/// Standard output as a file: Rust's own handle reports no error when it is closed.
#[cfg(unix)]
fn standard_output() -> std::io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(std::io::stdout().as_fd().try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
fn standard_output() -> std::io::Result<std::io::Stdout> {
    Ok(std::io::stdout())
}

/// Prints a note on standard error, unless only errors are shown.
pub(super) fn note(text: &str) {
    if shows(Detail::Usual) {
        line(text);
    }
}

/// Prints a line that tells what follows or what an error is about.
pub(super) fn title(text: &str) {
    line(text);
}

/// Prints what is traced: it comes from any thread and may name any file.
pub(super) fn trace(text: &str) {
    line(&document(text.to_owned()));
}

/// Prints a line on standard error, in the form of messages.
fn line(text: &str) {
    let text = match screen().messages {
        MessageFormat::Text => format!("{text}\n"),
        MessageFormat::Json => messages::note_json(text),
        // A log has findings, not lines.
        MessageFormat::Sarif => return,
    };
    print_error(&text);
}

/// Writes to standard error.
fn print_error(text: &str) {
    // There is nowhere to report a closed standard error.
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

/// Prints what the run kept for its end.
pub(super) fn print_log() {
    if screen().messages == MessageFormat::Sarif {
        print_error(&messages::log());
    }
}

/// Prints errors and warnings on standard error.
pub(super) fn report(diagnostics: &Diagnostics, sources: &Sources) {
    report_run(diagnostics, sources, "the build");
}

/// Prints what a run that is called `what` came to: its text, if it has one, or its errors. Returns the exit status.
pub(super) fn finish(result: Result<String>, sources: &Sources, what: &str) -> u8 {
    match result {
        Ok(text) if text.is_empty() => DONE,
        Ok(text) => print(&text),
        Err(errors) => fail(&errors, sources, what),
    }
}

/// Prints the errors of a run that is called `what`. Returns the exit status.
pub(super) fn fail(errors: &Diagnostics, sources: &Sources, what: &str) -> u8 {
    report_run(errors, sources, what);
    of_errors(errors, FAILED)
}

/// As [`report`], for a run that is called `what`.
pub(super) fn report_run(diagnostics: &Diagnostics, sources: &Sources, what: &str) {
    let diagnostics = &without_repeats(diagnostics);
    if diagnostics.is_empty() {
        return;
    }
    let messages = screen().messages;
    if messages != MessageFormat::Text {
        let readable = kfc_kube::redaction::redacted(diagnostics, sources);
        match messages {
            MessageFormat::Sarif => messages::keep(&readable, sources),
            _ => print_error(&messages::lines(&readable, sources)),
        }
        return;
    }
    let style = kfc_diagnostics::Style {
        colour: Stream::Errors.colours(),
        width: Stream::Errors.width().unwrap_or(COLUMNS),
    };
    let shown = collapsed(diagnostics, sources);
    print_error(&kfc_kube::redaction::render_run(&shown, sources, style, what));
}

/// As [`report`], in plain and few lines, for a page that shows the output of a program.
pub(super) fn report_plain(diagnostics: &Diagnostics, sources: &Sources) {
    const MOST: usize = 20;
    if screen().messages != MessageFormat::Text {
        return report(diagnostics, sources);
    }
    print_error(&kfc_kube::redaction::render_plain(&without_repeats(diagnostics), sources, MOST));
}

/// The diagnostics without repeated ones, and without those that this run does not show.
fn without_repeats(diagnostics: &Diagnostics) -> Diagnostics {
    // The same error may be found several times, close to each other; comparing all with all would take too long.
    const NEAR: usize = 100;
    let mut kept = Diagnostics::default();
    let is_shown = |one: &&Diagnostic| one.severity == Severity::Error || shows(Detail::Usual);
    diagnostics.0.iter().filter(is_shown).for_each(|one| {
        if !kept.0.iter().rev().take(NEAR).any(|near| near == one) {
            kept.push(one.clone());
        }
    });
    kept
}

pub(super) use kfc_source::write::describe;

/// Writes a file that the user named; see [`kfc_source::write::replace`].
///
/// # Errors
/// [`Code::Output`].
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    write::replace(path, bytes).map_err(|error| cannot_write(path, &error))
}

/// Writes a file that only its owner may read.
///
/// # Errors
/// [`Code::Output`].
#[cfg(feature = "cluster")]
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    write::replace_private(path, bytes).map_err(|error| cannot_write(path, &error))
}

/// Writes a file of a fixed name below a directory that the user named; see [`kfc_source::write::replace_below`].
///
/// # Errors
/// [`Code::Output`].
pub(super) fn write_below(directory: &Path, name: &Path, bytes: &[u8]) -> Result<()> {
    write::replace_below(directory, name, bytes).map_err(|error| cannot_write(&directory.join(name), &error))
}

/// The error for a file or directory that cannot be written.
pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Diagnostics {
    let message = format!("cannot write {}: {}", path.display(), describe(error));
    let diagnostic = Diagnostic::error(Code::Output, message);
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::ResourceBusy => diagnostic
            .help("make the directory writable: kfc writes a new file beside the old one and renames it")
            .into(),
        _ => diagnostic.into(),
    }
}
