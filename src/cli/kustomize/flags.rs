//! What the parser of kustomize allows that ours does not by itself: `--flag=false`, and a flag that is given twice.

use clap::{Arg, ArgAction, Command};
use kfc_kustomize::boolean::parse_boolean;

/// A command line of kustomize, with all commands below it: flags without a value also take one (`--flag=true`, `--flag=f`),
/// those that set false when they are declared are true unless they are given as `--flag=false`, the last value of a flag
/// counts, and values of flags are compared to the letter.
pub(in crate::cli) fn as_kustomize_parses(command: Command) -> Command {
    let command = command.args_override_self(true).mut_args(|arg| match arg.get_action() {
        ArgAction::SetTrue => with_value(arg, "false").hide_default_value(true),
        ArgAction::SetFalse => with_value(arg, "true"),
        // Variables for functions, as kustomize has them; elsewhere the letter names an environment of a stack.
        ArgAction::Append if arg.get_id() == "env" => arg.short('e'),
        _ => arg.ignore_case(false),
    });
    command.mut_subcommands(as_kustomize_parses)
}

/// A flag that takes a boolean after `=`, and is true without one.
fn with_value(arg: Arg, default: &'static str) -> Arg {
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .default_value(default)
        .value_name("BOOL")
        .value_parser(parse_flag)
}

/// The value of a flag.
pub(in crate::cli) fn parse_flag(text: &str) -> Result<bool, String> {
    parse_boolean(text).ok_or_else(|| "expected `true` or `false`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::as_kustomize_parses;
    use clap::{Arg, ArgAction, ArgMatches, Command};

    fn parsed(arguments: &[&str]) -> Result<ArgMatches, clap::Error> {
        let flag = |name: &'static str, short: char| {
            Arg::new(name).short(short).long(name).action(ArgAction::SetTrue)
        };
        let text = Arg::new("text").long("text").action(ArgAction::Set);
        let rest = Arg::new("rest").num_args(0..);
        let command = Command::new("test").args([flag("one", 'o'), flag("two", 't'), text, rest]);
        as_kustomize_parses(command).try_get_matches_from([&["test"][..], arguments].concat())
    }

    #[test]
    fn flags_take_values_after_an_equals_sign() {
        let matches = parsed(&["--one=T", "--two", "false"]).unwrap();
        assert_eq!((matches.get_flag("one"), matches.get_flag("two")), (true, true));
        assert_eq!(matches.get_one::<String>("rest").unwrap(), "false");
        let matches = parsed(&["-ot", "--one=0"]).unwrap();
        assert_eq!((matches.get_flag("one"), matches.get_flag("two")), (false, true));
        assert!(!parsed(&[]).unwrap().get_flag("one"));
        assert!(parsed(&["--one=yes"]).is_err());
    }

    #[test]
    fn the_last_value_counts() {
        let matches = parsed(&["--text", "a", "--text=b"]).unwrap();
        assert_eq!(matches.get_one::<String>("text").unwrap(), "b");
    }
}
