//! Standard output, standard error and files.

use super::{DONE, FAILED};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Sources};
use std::io::{ErrorKind, IsTerminal, Write};

/// Prints text on standard output; gives the exit code.
pub(super) fn print(text: &str) -> u8 {
    print_chunks(&[text.as_bytes()])
}

/// Writes chunks one after the other to standard output; gives the exit code. A reader that has gone away (`| head`) is
/// no error of ours, but the result is not whole.
pub(super) fn print_chunks<T: AsRef<[u8]>>(chunks: &[T]) -> u8 {
    let mut out = std::io::stdout().lock();
    let written =
        chunks.iter().try_for_each(|chunk| out.write_all(chunk.as_ref())).and_then(|()| out.flush());
    match written {
        Ok(()) => DONE,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => FAILED,
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

/// Prints a line on standard error.
pub(super) fn note(text: &str) {
    // Nothing can be said when standard error itself is gone.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Prints errors and warnings on standard error.
pub(super) fn report(diagnostics: &Diagnostics, sources: &Sources) {
    report_run(diagnostics, sources, "the build");
}

/// As [`report`], for a run that is called `what`.
pub(super) fn report_run(diagnostics: &Diagnostics, sources: &Sources, what: &str) {
    if diagnostics.is_empty() {
        return;
    }
    let stderr = std::io::stderr();
    let style = crate::diagnostics::Style {
        colour: stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        width: 140,
    };
    let text = crate::diagnostics::render_run(&told_once(diagnostics), sources, style, what);
    // Nothing can be said when standard error itself is gone.
    drop(stderr.lock().write_all(text.as_bytes()));
}

/// As [`report`], in plain and few lines, for a page that shows what a program said.
pub(super) fn report_plain(diagnostics: &Diagnostics, sources: &Sources) {
    const MOST: usize = 20;
    let text = crate::diagnostics::render_plain(&told_once(diagnostics), sources, MOST);
    // Nothing can be said when standard error itself is gone.
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

/// The diagnostics without those that were told before.
fn told_once(diagnostics: &Diagnostics) -> Diagnostics {
    // Several ways may lead to the same trouble, close to each other; comparing all with all would take too long.
    const NEAR: usize = 100;
    let mut told = Diagnostics::default();
    diagnostics.0.iter().for_each(|one| {
        if !told.0.iter().rev().take(NEAR).any(|near| near == one) {
            told.push(one.clone());
        }
    });
    told
}

/// The operating system's words for an error, without its number.
pub(super) fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
