//! Scripts for shells: real ones complete with them.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips or measures")]

use std::process::Command;

/// The script that a command line prints.
fn script(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kfc")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What bash offers for the last word of a command line, with the script that a command prints.
fn offered(printed_by: &str, words: &[&str]) -> Vec<String> {
    let (program, last) = (words[0], words[words.len() - 1]);
    let before = words[words.len() - 2];
    let line = format!(
        "source <(\"$KFC\" {printed_by}); COMP_WORDS=({}); COMP_CWORD={}
        _{program} {program} {last} {before}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len() - 1,
    );
    let output =
        Command::new("bash").args(["-c", &line]).env("KFC", env!("CARGO_BIN_EXE_kfc")).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_flags() {
    if Command::new("bash").arg("--version").output().is_err() {
        println!("skipped: there is no bash");
        return;
    }
    let kfc = |words: &[&str]| offered("completion bash", words);
    assert_eq!(kfc(&["kfc", "bui"]), ["build"]);
    assert_eq!(kfc(&["kfc", "build", "--load-r"]), ["--load-restrictor"]);
    assert_eq!(kfc(&["kfc", "kustomize", "edit", "set", "im"]), ["image"]);
    assert_eq!(offered("kustomize completion bash", &["kustomize", "loc"]), ["localize"]);
}

#[test]
fn every_shell_gets_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(script(&["completion", shell]).contains("rollback") == cfg!(feature = "cluster"), "{shell}");
        assert!(script(&["kustomize", "completion", shell]).contains("localize"), "{shell}");
    }
}
