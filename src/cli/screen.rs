//! What a run shows besides its result, and how: the only place that asks terminals and the environment about it.

use clap::ValueEnum;
use std::io::IsTerminal;
use std::sync::OnceLock;

/// When text has colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal.
    #[default]
    Auto,
    /// In files and pipes too.
    Always,
    /// Nowhere.
    Never,
}

/// How errors, warnings and notes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum MessageFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object in each line; `kfc schema output` has its schema.
    Json,
    /// One SARIF log of the whole run, for code scanning.
    Sarif,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// Errors only.
    Errors,
    /// Warnings, notes and progress too.
    #[default]
    Usual,
    /// Steps and fetches too.
    Steps,
    /// Files that are read too.
    Files,
}

/// What the flags of every command say of the screen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Screen {
    pub(super) detail: Detail,
    pub(super) colour: Colour,
    pub(super) messages: MessageFormat,
    pub(super) timings: bool,
}

/// Set once, from the command line.
static SCREEN: OnceLock<Screen> = OnceLock::new();

/// Sets the screen of this run. The command line of kustomize sets none, so that it shows what kustomize does.
pub(super) fn set(screen: Screen) {
    // The first command line of a process counts.
    let _ = SCREEN.set(screen);
}

/// Whether this run has a screen of its own.
pub(super) fn is_set() -> bool {
    SCREEN.get().is_some()
}

/// The screen of this run.
pub(super) fn screen() -> Screen {
    SCREEN.get().copied().unwrap_or_default()
}

/// Whether this much is shown.
pub(super) fn shows(detail: Detail) -> bool {
    screen().detail >= detail
}

/// One of the two streams that people look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    Errors,
}

impl Stream {
    fn is_terminal(self) -> bool {
        match self {
            Self::Output => std::io::stdout().is_terminal(),
            Self::Errors => std::io::stderr().is_terminal(),
        }
    }

    /// Whether its text has colours: as `--color` says, then `NO_COLOR` and `CLICOLOR_FORCE`, and else on a terminal that is
    /// not `dumb`.
    pub(super) fn colours(self) -> bool {
        let environment = Environment { variable: &variable, is_terminal: self.is_terminal() };
        environment.colours(screen().colour)
    }

    /// Columns of the terminal; `None` when it is none, or does not say.
    pub(super) fn width(self) -> Option<usize> {
        let size = match self {
            Self::Output => terminal_size::terminal_size_of(std::io::stdout()),
            Self::Errors => terminal_size::terminal_size_of(std::io::stderr()),
        };
        size.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0)
    }
}

/// Whether lines that change can be shown on standard error: on a terminal that can, for people, outside of CI.
#[cfg(any(feature = "cluster", feature = "fetch"))]
pub(super) fn is_live() -> bool {
    let Screen { detail, messages, .. } = screen();
    Stream::Errors.is_terminal()
        && !is_dumb(&variable)
        && variable("CI").is_none()
        && detail == Detail::Usual
        && messages == MessageFormat::Text
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

fn is_dumb(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    variable("TERM").as_deref() == Some("dumb")
}

/// What colours depend on.
struct Environment<'e> {
    variable: &'e dyn Fn(&str) -> Option<String>,
    is_terminal: bool,
}

impl Environment<'_> {
    /// <https://no-color.org>: set and not empty. <https://bixense.com/clicolors>: `CLICOLOR=0` and `CLICOLOR_FORCE`, where 0
    /// is as good as not set.
    fn colours(&self, colour: Colour) -> bool {
        let value = |name: &str| (self.variable)(name).filter(|value| !value.is_empty());
        match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto if value("NO_COLOR").is_some() => false,
            Colour::Auto if value("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Colour::Auto => {
                self.is_terminal && !is_dumb(self.variable) && value("CLICOLOR").as_deref() != Some("0")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Colour, Environment};

    #[test]
    fn flags_come_before_variables_and_these_before_the_terminal() {
        let colours = |colour: Colour, is_terminal: bool, set: &[(&str, &str)]| {
            let variable =
                |name: &str| set.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
            Environment { variable: &variable, is_terminal }.colours(colour)
        };
        assert!(colours(Colour::Auto, true, &[]));
        assert!(!colours(Colour::Auto, false, &[]));
        assert!(!colours(Colour::Auto, true, &[("NO_COLOR", "1")]));
        assert!(colours(Colour::Auto, true, &[("NO_COLOR", "")]), "an empty one is not set");
        assert!(!colours(Colour::Auto, true, &[("TERM", "dumb")]));
        assert!(!colours(Colour::Auto, true, &[("CLICOLOR", "0")]));
        assert!(colours(Colour::Auto, false, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]));
        assert!(!colours(Colour::Auto, false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!colours(Colour::Auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(colours(Colour::Always, false, &[("NO_COLOR", "1")]));
        assert!(!colours(Colour::Never, true, &[("CLICOLOR_FORCE", "1")]));
    }
}
