//! The command line of kfc as kustomize, in the form in which that of kustomize is recorded.

use clap::{Arg, ArgAction, Command};

/// The commands and flags, one a line.
pub(crate) fn commands() -> String {
    let mut command = kfc::cli::kustomize_command();
    command.build();
    let mut lines = Vec::new();
    visit(&command, "kustomize", &mut lines);
    lines.concat()
}

fn visit(command: &Command, name: &str, lines: &mut Vec<String>) {
    let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!(" | {alias}")).collect();
    lines.push(format!("{name}{}\n", aliases.concat()));
    let mut facts: Vec<String> = command.get_arguments().filter_map(fact).collect();
    facts.sort();
    lines.extend(facts.iter().map(|fact| format!("{name} {fact}\n")));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        visit(below, &format!("{name} {}", below.get_name()), lines);
    }
}

/// A flag with its letter, type and default; nothing for an argument without a name.
fn fact(arg: &Arg) -> Option<String> {
    let is_boolean = matches!(arg.get_action(), ArgAction::Help | ArgAction::Version)
        || arg.get_value_parser().type_id() == clap::builder::ValueParser::bool().type_id();
    let kind = match arg.get_action() {
        _ if is_boolean => "bool",
        ArgAction::Append if arg.get_value_delimiter().is_some() => "strings",
        ArgAction::Append => "stringArray",
        _ => "string",
    };
    let letter = arg.get_short().map(|letter| format!(" -{letter}")).unwrap_or_default();
    let default = arg.get_default_values().first().and_then(|value| value.to_str()).unwrap_or_default();
    let default = match (kind, default) {
        (_, "") | ("bool", "false") => String::new(),
        ("bool", value) => format!(" {value}"),
        (_, value) => format!(" \"{value}\""),
    };
    Some(format!("--{}{letter} {kind}{default}", arg.get_long()?))
}
