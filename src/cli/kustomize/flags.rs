//! What the parser of kustomize allows that ours does not by itself: `--flag=false`, and a flag that is given twice.

use clap::{ArgAction, Command};

/// A command line of kustomize, with all commands below it: flags without a value also take one (`--flag=true`, `--flag=f`),
/// the last value of a flag counts, and values of flags are compared to the letter.
pub(in crate::cli) fn as_kustomize_parses(command: Command) -> Command {
    let command = command.args_override_self(true).mut_args(|arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .default_value("false")
            .hide_default_value(true)
            .value_name("BOOL")
            .value_parser(parse_boolean),
        _ => arg.ignore_case(false),
    });
    command.mut_subcommands(as_kustomize_parses)
}

/// A boolean as Go's `strconv.ParseBool` reads it.
pub(in crate::cli) fn parse_boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("expected `true` or `false`".to_owned()),
    }
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
