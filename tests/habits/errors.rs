//! The error index: docs/errors.md has a section for each code, its examples give the messages that it shows, and `kfc explain`
//! prints it.

use crate::support::{Project, text};
use kfc_diagnostics::Code;
use rayon::prelude::*;
use std::path::Path;
use std::process::Command;

/// A section of the page.
struct Section {
    code: Code,
    body: String,
    /// The information of each fenced block, and its text.
    blocks: Vec<(String, String)>,
}

impl Section {
    fn block(&self, info: &str) -> &str {
        self.blocks.iter().find(|(own, _)| own == info).map_or("", |(_, text)| text)
    }

    fn files(&self) -> Vec<(&str, &str)> {
        let named = |(info, text)| Some((str::split_once(info, ' ')?.1, text));
        self.blocks.iter().map(|(info, text)| (info.as_str(), text.as_str())).filter_map(named).collect()
    }
}

/// The blocks of a section, and its text without them.
fn parts(section: &str) -> (String, Vec<(String, String)>) {
    let (mut body, mut blocks) = (String::new(), Vec::new());
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        match line.strip_prefix("```") {
            Some(info) => {
                let block = lines.by_ref().take_while(|line| *line != "```");
                blocks.push((info.to_owned(), block.fold(String::new(), |text, line| text + line + "\n")));
            }
            None => body.extend([line, "\n"]),
        }
    }
    (body, blocks)
}

/// The page: each heading, and its section.
fn page() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let page = std::fs::read_to_string(path).unwrap();
    let sections = page.split("\n## ").skip(1);
    sections
        .map(|section| section.split_once('\n').unwrap())
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect()
}

fn sections() -> Vec<Section> {
    let read = |(heading, section): (String, String)| {
        let code = Code::parse(heading.split(':').next().unwrap()).unwrap();
        let (body, blocks) = parts(&section);
        Section { code, body, blocks }
    };
    page().into_iter().map(read).collect()
}

#[test]
fn every_code_has_its_section() {
    let headings: Vec<String> = page().into_iter().map(|(heading, _)| heading).collect();
    let expected: Vec<String> =
        Code::ALL.iter().map(|code| format!("{}: {}", code.as_str(), code.title())).collect();
    assert_eq!(headings, expected);
    for Section { code, body, .. } in &sections() {
        let paragraphs: Vec<&str> =
            body.split("\n\n").map(str::trim).filter(|part| !part.is_empty()).collect();
        let [cause, fix] = paragraphs.as_slice() else { panic!("{}: {paragraphs:?}", code.as_str()) };
        assert!(
            cause.starts_with("**Cause.** ") && fix.starts_with("**Fix.** "),
            "{}: {body}",
            code.as_str()
        );
    }
}

#[test]
fn every_example_names_its_code() {
    for section in sections() {
        let code = section.code.as_str();
        let is_named = |severity: &str| {
            section.block("text").starts_with(&format!("{severity}[{code}]: "))
                && !section.block("sh").is_empty()
        };
        assert!(["error", "warning", "note"].into_iter().any(is_named), "{code}: {:?}", section.blocks);
    }
}

#[test]
#[cfg_attr(
    not(all(
        target_os = "linux",
        feature = "cluster",
        feature = "fetch",
        feature = "rules",
        feature = "sops"
    )),
    ignore = "some examples need all features, and programs of Linux"
)]
fn every_example_gives_its_message() {
    let program = Path::new(env!("CARGO_BIN_EXE_kfc")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let with_files: Vec<Section> =
        sections().into_iter().filter(|section| !section.files().is_empty()).collect();
    assert!(with_files.len() > 100, "{}", with_files.len());
    let failures: Vec<String> = with_files
        .par_iter()
        .filter_map(|section| {
            let project = Project::new(&section.files());
            let mut command = Command::new("sh");
            command.args(["-c", section.block("sh")]).current_dir(project.path(""));
            command.env("PATH", &path).env("HOME", project.path("home")).env_remove("KUBECONFIG");
            let output = command.output().unwrap();
            let said = text(&output.stdout) + &text(&output.stderr);
            let lines: Vec<&str> = said.lines().map(str::trim).collect();
            let missing = section.block("text").lines().find(|line| !lines.contains(&line.trim()))?;
            Some(format!("{}: `{missing}` is missing in:\n{said}", section.code.as_str()))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn explain_prints_the_sections_of_codes() {
    let project = Project::new(&[]);
    let said = project.good(&["explain", "kfc0402", "KFC1601", "KFC0402"]);
    assert!(said.starts_with("KFC0402: A patch whose target does not exist\n\nCause: A patch, "), "{said}");
    assert!(said.contains("\n    error[KFC0402]: patch target Deployment/wep matches nothing\n"), "{said}");
    assert!(said.contains("\n$ kfc build .\n") && said.contains("\n\nFix: Write "), "{said}");
    assert_eq!(said.matches("\nCause: ").count(), 2, "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 140), "{said}");
    let all = Code::ALL.iter().map(|code| code.as_str());
    let json = project.good(&["explain", "-o", "json"].into_iter().chain(all).collect::<Vec<_>>());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let items = json["items"].as_array().unwrap();
    assert_eq!(items.len(), Code::ALL.len());
    for item in items {
        for field in [&item["cause"], &item["fix"], &item["example"]["output"]] {
            assert!(field.as_str().is_some_and(|text| !text.is_empty()), "{item:#}");
        }
    }
    let names = project.good(&["list", "codes", "-o", "name"]);
    assert_eq!(names.lines().count(), Code::ALL.len());
    assert!(
        project.good(&["list", "codes", "deprecated"]).contains("KFC1503  An API version that is deprecated")
    );
}

#[test]
fn explain_refuses_unknown_codes_with_the_nearest() {
    let project = Project::new(&[]);
    let said = project.bad(&["explain", "KFC402", "KFC0402", "KFC16O1"]);
    assert!(
        said.contains("the code `KFC402` does not exist") && said.contains("did you mean `KFC0402`?"),
        "{said}"
    );
    assert!(said.contains("the code `KFC16O1` does not exist"), "{said}");
    let said = project.bad(&["explain", "KFC0402", "-n", "shop"]);
    assert!(said.contains("`KFC0402` is a code"), "{said}");
    let said = project.bad(&["explain", "deploy/web", "spec", "more"]);
    assert!(said.contains("`more` is a third argument"), "{said}");
}
