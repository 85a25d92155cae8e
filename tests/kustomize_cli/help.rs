//! The command line of the real kustomize, from its help.

use regex::Regex;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Commands that are in no help.
const HIDDEN_COMMANDS: [&str; 1] = ["openapi"];

/// Flags that are in no help, as they are recorded.
const HIDDEN_FLAGS: [(&str, &str); 3] = [
    ("build", "--enable-managedby-label bool"),
    ("build", "--reorder string \"legacy\""),
    ("version", "--short bool"),
];

/// The commands and flags of the program, one a line.
pub(crate) fn commands(program: &Path) -> String {
    let mut lines = Vec::new();
    visit(program, &mut Vec::new(), &mut lines);
    lines.concat()
}

fn help(program: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).arg("--help").stdin(Stdio::null()).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn visit(program: &Path, path: &mut Vec<String>, lines: &mut Vec<String>) {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    let text = help(program, &words).unwrap();
    let name = [&["kustomize"][..], &words].concat().join(" ");
    let aliases = section(&text, "Aliases:").into_iter().flat_map(|line| line.trim().split(", ").skip(1));
    let aliases: Vec<String> = aliases.map(|alias| format!(" | {alias}")).collect();
    lines.push(format!("{name}{}\n", aliases.concat()));
    let flags = section(&text, "Flags:").into_iter().chain(section(&text, "Global Flags:"));
    let mut facts: BTreeMap<String, String> = flags.filter_map(parse_flag).collect();
    for (_, fact) in HIDDEN_FLAGS.iter().filter(|(command, _)| *command == words.join(" ")) {
        let flag = fact.split(' ').next().unwrap();
        let given = fact.split('"').nth(1).map_or(flag.to_owned(), |value| format!("{flag}={value}"));
        assert!(
            help(program, &[&words[..], &[given.as_str()]].concat()).is_some(),
            "{name} has no flag {flag}"
        );
        facts.insert(flag.to_owned(), (*fact).to_owned());
    }
    lines.extend(facts.values().map(|fact| format!("{name} {fact}\n")));
    let hidden = HIDDEN_COMMANDS.iter().copied().filter(|_| words.is_empty());
    let mut below: Vec<String> = commands_of(&text).into_iter().chain(hidden).map(str::to_owned).collect();
    below.sort();
    for command in below {
        path.push(command);
        visit(program, path, lines);
        path.pop();
    }
    for topic in topics_of(&text) {
        lines.push(format!("{name} {topic}\n"));
        for flag in TOPIC_FLAGS {
            let long = flag.split(' ').next().unwrap();
            assert!(help(program, &[topic, long]).is_some(), "{topic} has no flag {long}");
            lines.push(format!("{name} {topic} {flag}\n"));
        }
    }
}

/// The flags of topics, whose help is their text.
const TOPIC_FLAGS: [&str; 2] = ["--help -h bool", "--stack-trace bool"];

/// The commands that a help lists.
fn commands_of(help: &str) -> Vec<&str> {
    // A description may go on at the start of a line.
    let lines = section(help, "Available Commands:").into_iter().filter(|line| line.starts_with("  "));
    lines.filter_map(|line| line.split_whitespace().next()).filter(|command| *command != "help").collect()
}

/// The topics that a help lists, with the spelling that it has in kustomize.
fn topics_of(help: &str) -> Vec<&str> {
    let lines = section(help, "Additional help topcis:").into_iter();
    lines.filter_map(|line| line.split_whitespace().nth(1)).collect()
}

/// The lines of a section of a help, up to the next empty line.
fn section<'h>(help: &'h str, title: &str) -> Vec<&'h str> {
    help.lines().skip_while(|line| *line != title).skip(1).take_while(|line| !line.is_empty()).collect()
}

/// The name of a flag, and the flag as it is recorded: its letter, type and default. Nothing for a line that continues another.
fn parse_flag(line: &str) -> Option<(String, String)> {
    let pattern = r"^ {2}(?:-(\w), | {4})--([\w-]+)(?: (\w+))? {2,}\S(?:.*\(default (.*)\))?";
    let found = Regex::new(pattern).unwrap().captures(line)?;
    let part = |number: usize| found.get(number).map(|part| part.as_str());
    let name = format!("--{}", part(2)?);
    let mut fact = name.clone();
    if let Some(letter) = part(1) {
        write!(fact, " -{letter}").unwrap();
    }
    write!(fact, " {}", part(3).unwrap_or("bool")).unwrap();
    if let Some(default) = part(4) {
        write!(fact, " {default}").unwrap();
    }
    Some((name, fact))
}

pub(crate) fn flags_of_a_help_are_read() {
    let fact = |line: &str| parse_flag(line).map(|(_, fact)| fact);
    let line = "  -R, --recurse-subpackages   print all (default true)";
    assert_eq!(fact(line).unwrap(), "--recurse-subpackages -R bool true");
    let line = "      --helm-command string   helm command (path) (default \"helm\")";
    assert_eq!(fact(line).unwrap(), "--helm-command string \"helm\"");
    assert_eq!(fact("      --field strings            print field").unwrap(), "--field strings");
    assert_eq!(fact("                       Cannot specify --scope for remote targets"), None);
    let text = "A:\n\nAvailable Commands:\n  help  h\n  a     x\nin two lines\n\nAdditional help topcis:\n  kustomize b  y\n\n";
    assert_eq!((commands_of(text), topics_of(text)), (vec!["a"], vec!["b"]));
}
