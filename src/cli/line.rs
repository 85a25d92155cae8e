//! The command line as people write it: flags of every command may come before its name, as those of kubectl do.

use super::args::GlobalArgs;
use super::screen::{Colour, MessageFormat};
use clap::{Args as _, Command};
use std::ffi::OsString;

/// The command whose flags are those of kustomize.
pub(super) const KUSTOMIZE: &str = "kustomize";

/// Flags with a value that may come before the name of a command.
const WITH_VALUE: [&str; 6] =
    ["--color", "--context", "--kubeconfig", "--message-format", "--namespace", "-n"];

/// Adds the flags that every command has to a command and to those below it, except to kustomize's.
pub(super) fn with_global_flags(command: Command) -> Command {
    if command.get_name() == KUSTOMIZE {
        return command;
    }
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command =
        names.into_iter().fold(command, |command, name| command.mut_subcommand(name, with_global_flags));
    GlobalArgs::augment_args(command)
}

/// The arguments with the flags that come before the name of a command moved after it: `kfc --context prod apply`. A question
/// about kfc itself stays, and so do flags without a command.
pub(super) fn in_order(arguments: Vec<OsString>, command: &Command) -> Vec<OsString> {
    let text = |at: usize| arguments.get(at).and_then(|argument| argument.to_str()).unwrap_or_default();
    let mut at = 1;
    while text(at).starts_with('-') {
        if matches!(text(at), "-h" | "--help" | "-V" | "--version" | "--") {
            return arguments;
        }
        at += if WITH_VALUE.contains(&text(at)) { 2 } else { 1 };
    }
    let flags = at;
    let mut deepest = command;
    while let Some(below) = deepest.find_subcommand(text(at)) {
        deepest = below;
        at += 1;
    }
    if flags == 1 || flags == at {
        return arguments;
    }
    let (program, rest) = arguments.split_at(1);
    let (leading, rest) = rest.split_at(flags - 1);
    let (path, rest) = rest.split_at(at - flags);
    [program, path, leading, rest].concat()
}

/// The value of a flag, found before the command line is parsed: an error of the parser has to obey it.
fn value_of<T: clap::ValueEnum>(flag: &str, arguments: &[OsString]) -> Option<T> {
    let words = || arguments.iter().skip(1).map(|argument| argument.to_str().unwrap_or_default());
    let mut given = words().take_while(|word| *word != "--").zip(words().skip(1).chain([""]));
    let value = given.find_map(|(word, next)| match word.strip_prefix(flag)? {
        "" => Some(next),
        rest => rest.strip_prefix('='),
    });
    T::from_str(value?, true).ok()
}

/// How the parser's own errors are written.
pub(super) fn messages(arguments: &[OsString]) -> MessageFormat {
    value_of("--message-format", arguments).unwrap_or_default()
}

/// The colours of what the parser prints itself.
pub(super) fn colour_of_help(arguments: &[OsString]) -> clap::ColorChoice {
    match value_of("--color", arguments).unwrap_or_default() {
        Colour::Auto => clap::ColorChoice::Auto,
        Colour::Always => clap::ColorChoice::Always,
        Colour::Never => clap::ColorChoice::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::in_order;
    use clap::Command;
    use std::ffi::OsString;

    #[test]
    fn flags_before_a_command_are_its_own() {
        let inventory = Command::new("inventory").subcommand(Command::new("list"));
        let command = Command::new("kfc").subcommand(Command::new("apply")).subcommand(inventory);
        let ordered = |line: &str| {
            let arguments = line.split(' ').map(OsString::from).collect();
            let ordered = in_order(arguments, &command);
            ordered.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(ordered("kfc -v --context prod apply gke -- x"), "kfc apply -v --context prod gke -- x");
        assert_eq!(ordered("kfc --context=prod inventory list"), "kfc inventory list --context=prod");
        assert_eq!(ordered("kfc apply -v gke"), "kfc apply -v gke");
        for same in
            ["kfc", "kfc -v", "kfc -v --help apply", "kfc --version", "kfc -q nothing", "kfc -- apply"]
        {
            assert_eq!(ordered(same), same);
        }
    }
}
