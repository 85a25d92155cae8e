//! Compares our verdict with that of a real API server, on thousands of objects with one fault each, and on valid ones.
//!
//! `faults/bases.yaml` has a valid object of every kind. A line of `faults/cases/*.txt` changes one of them:
//!
//! ```text
//! deployment    spec.replicas=-1    => 1.37    no    spec.replicas: Invalid value: -1: must be greater than or equal to 0
//! ```
//! They are separated by tabs. First come the base and the edits: `path=value` with a value in JSON (`*70 a` is a text of 70 letters), `-path` for a field
//! that is taken out. Then come a version of Kubernetes and what its server says; another version follows where it differs.
//! `faults/lists/*.txt` are the cases as they are written by hand, and `tests/lab/faults.py` makes the others from the OpenAPI
//! documents of a server and asks it. `faults/counts.txt` has how many cases each kind of rule has.
//!
//! The outcome for each kind of rule is a table for each version in docs/validate.md; `INSTA_UPDATE=always` writes it.
//! `KFC_FAULTS=word cargo test --test faults -- --nocapture` prints the cases that have the
//! word in their kind of rule, base or edits, and that we judge differently.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips or measures")]

use kfc_diagnostics::{Severity, SourceId};
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::read;
use kfc_kustomize::resource::{Resource, objects};
use kfc_validate::{Options, Version, validate};
use kfc_yaml::parse::parse;
use kfc_yaml::value::to_json;
use rayon::prelude::*;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The version whose verdicts every case has.
const NEWEST: &str = "1.37";
/// The oldest version that has been asked; a case without its verdict has the same.
const OLDEST: &str = "1.33";
/// The part of the refused cases that is reported at the right place.
const LEAST: f64 = 0.97;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

struct Case {
    rule: String,
    base: String,
    edits: Vec<String>,
    verdicts: Vec<Judged>,
}

/// What a server says: nothing when it accepts.
struct Judged {
    version: String,
    is_refused: bool,
    /// `path: message`
    causes: Vec<String>,
}

impl Case {
    fn read(rule: &str, line: &str) -> Self {
        let mut parts = line.split("\t=> ");
        let mut head = parts.next().unwrap().split('\t').map(str::to_owned);
        let verdicts = parts.map(|part| {
            let mut fields = part.split('\t').map(str::to_owned);
            let (version, word) = (fields.next().unwrap(), fields.next().unwrap());
            Judged { version, is_refused: word == "no", causes: fields.collect() }
        });
        Self {
            rule: rule.to_owned(),
            base: head.next().unwrap(),
            edits: head.collect(),
            verdicts: verdicts.collect(),
        }
    }

    fn object(&self, bases: &BTreeMap<String, Value>) -> Value {
        let mut object = bases[&self.base].clone();
        for edit in &self.edits {
            if let Some(path) = edit.strip_prefix('-') {
                change(&mut object, path, None);
            } else {
                let (path, value) = edit.split_once('=').unwrap();
                change(&mut object, path, Some(value_of(value)));
            }
        }
        object
    }

    /// The server's verdict in a version: that of the newest, unless it is known to differ.
    fn verdict(&self, version: &str) -> &Judged {
        let of = |version: &str| self.verdicts.iter().find(|judged| judged.version == version);
        of(version).or_else(|| of(NEWEST)).unwrap_or_else(|| panic!("{} has no verdict", self.name()))
    }

    fn name(&self) -> String {
        let edits: Vec<String> = self.edits.iter().map(|edit| edit.chars().take(300).collect()).collect();
        format!("{} {}", self.base, edits.join(" & "))
    }

    /// The field that the fault is in.
    fn edited(&self) -> String {
        let last = self.edits.last().map_or("", String::as_str);
        let path = last.strip_prefix('-').unwrap_or(last);
        path.split('=').next().unwrap().to_owned()
    }
}

fn value_of(text: &str) -> Value {
    match text.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((count, piece)) => Value::String(piece.repeat(count.parse().unwrap())),
        None => serde_json::from_str(text).unwrap(),
    }
}

/// The steps of a path: keys, and numbers in brackets.
fn steps(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("['") {
            let (key, after) = quoted.split_once("']").unwrap();
            found.push(key.to_owned());
            rest = after;
        } else if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']').unwrap();
            found.push(format!("[{index}"));
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
    }
    found
}

/// Sets what is at a path, and makes what is missing on the way; or takes it out.
fn change(object: &mut Value, path: &str, value: Option<Value>) {
    let steps = steps(path);
    let (last, before) = steps.split_last().unwrap();
    let mut at = object;
    for (step, after) in before.iter().zip(&steps[1..]) {
        let empty =
            || if after.starts_with('[') { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
        at = if let Some(index) = step.strip_prefix('[') {
            let (items, index): (_, usize) = (at.as_array_mut().unwrap(), index.parse().unwrap());
            while items.len() <= index {
                items.push(empty());
            }
            &mut items[index]
        } else {
            let slot = at.as_object_mut().unwrap().entry(step.clone()).or_insert(Value::Null);
            if !slot.is_object() && !slot.is_array() {
                *slot = empty();
            }
            slot
        };
    }
    match (last.strip_prefix('['), value) {
        (Some(index), Some(value)) => {
            let (items, index): (_, usize) = (at.as_array_mut().unwrap(), index.parse().unwrap());
            if index < items.len() { items[index] = value } else { items.push(value) }
        }
        (Some(index), None) => drop(at.as_array_mut().unwrap().remove(index.parse().unwrap())),
        (None, Some(value)) => drop(at.as_object_mut().unwrap().insert(last.clone(), value)),
        (None, None) => drop(at.as_object_mut().and_then(|map| map.remove(last))),
    }
}

fn bases() -> BTreeMap<String, Value> {
    let all = text("bases.yaml");
    let parts = all.split("\n# base ").skip(1);
    parts
        .map(|part| {
            let (head, yaml) = part.split_once('\n').unwrap();
            let name = head.split(' ').next().unwrap().to_owned();
            (name, to_json(&parse(yaml, SourceId::NONE).unwrap()[0]))
        })
        .collect()
}

fn cases() -> Vec<Case> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder().join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let mut rule = String::new();
        for line in std::fs::read_to_string(file).unwrap().lines() {
            if let Some(name) = line.strip_prefix("== ") {
                name.clone_into(&mut rule);
            } else if !line.is_empty() && !line.starts_with('#') {
                all.push(Case::read(&rule, line));
            }
        }
    }
    all
}

fn resources(yaml: &str) -> Result<Vec<Resource>, String> {
    let documents = parse(yaml, SourceId::NONE).map_err(|error| format!("{error:?}"))?;
    read::resources(documents, &Schema::builtin()).map_err(|errors| errors.0[0].message.clone())
}

/// The errors that we report for an object among others: path and message.
fn reported(object: &Value, around: &[Resource], kubernetes: Version) -> Vec<(String, String)> {
    let read = resources(&object.to_string()).map(|of_case| {
        let mut all = around.to_vec();
        all.extend(of_case);
        all
    });
    let all = match read {
        Ok(all) => all,
        Err(message) => return vec![(String::new(), message)],
    };
    let subject = all.last().map(|resource| kfc_kube::ObjectId::of(resource, ""));
    let options = Options::of_version(Some(kubernetes));
    let found = validate(&objects(&all), &[], &options).findings;
    found
        .into_iter()
        .filter(|finding| finding.diagnostic.severity == Severity::Error && finding.subject == subject)
        .map(|finding| (finding.path, finding.diagnostic.message))
        .collect()
}

/// The keys of a path of the server or of ours, without numbers of items, which the server leaves out at times.
fn keys(path: &str) -> Vec<String> {
    // A CRD whose versions have the same schema is one with a single schema, for the server's messages.
    let mut path = path.to_owned();
    for (shared, own) in [
        ("spec.validation.openAPIV3Schema", "spec.versions.schema.openAPIV3Schema"),
        ("spec.subresources", "spec.versions.subresources"),
        ("spec.additionalPrinterColumns", "spec.versions.additionalPrinterColumns"),
        ("spec.selectableFields", "spec.versions.selectableFields"),
    ] {
        if let Some(rest) = path.strip_prefix(shared) {
            path = format!("{own}{rest}");
        }
    }
    let mut found = Vec::new();
    let mut rest = path.as_str();
    while !rest.is_empty() {
        let key;
        if let Some(inside) = rest.strip_prefix('[') {
            (key, rest) = inside.split_once(']').unwrap_or((inside, ""));
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            key = &rest[..end];
            rest = &rest[end..];
        }
        let key = key.trim_matches(['\'', '"']);
        if !key.is_empty() && key.parse::<usize>().is_err() && key != "*" {
            found.push(key.to_owned());
        }
    }
    found
}

/// Whether two paths are the same field, or one is directly in the other.
fn is_same_place(ours: &str, theirs: &str) -> bool {
    let (ours, theirs) = (keys(ours), keys(theirs));
    let (short, long) = if ours.len() < theirs.len() { (&ours, &theirs) } else { (&theirs, &ours) };
    long.starts_with(short) && long.len() - short.len() <= 1
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Placed,
    Elsewhere,
    Missed,
    Accepted,
    False,
}

fn outcome(case: &Case, judged: &Judged, ours: &[(String, String)]) -> Outcome {
    match (judged.is_refused, ours.is_empty()) {
        (true, true) => return Outcome::Missed,
        (false, true) => return Outcome::Accepted,
        (false, false) => return Outcome::False,
        (true, false) => {}
    }
    // What was changed is the fault, whatever the server names: it may be a consequence.
    let edited = case.edited();
    let is_of_the_edit =
        ours.iter().any(|(path, _)| is_same_place(path, &edited) || keys(path).starts_with(&keys(&edited)));
    let is_placed = |cause: &String| {
        let theirs = cause.split_once(": ").map_or("", |(path, _)| path);
        ours.iter().any(|(path, _)| match theirs {
            "" | "-" | "<nil>" => keys(&edited).starts_with(&keys(path)),
            theirs => is_same_place(path, theirs),
        })
    };
    if is_of_the_edit || judged.causes.iter().any(is_placed) { Outcome::Placed } else { Outcome::Elsewhere }
}

#[derive(Default)]
struct Row {
    refused: usize,
    placed: usize,
    elsewhere: usize,
    accepted: usize,
    wrong: usize,
}

impl Row {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Placed => self.placed += 1,
            Outcome::Elsewhere => self.elsewhere += 1,
            Outcome::Missed | Outcome::Accepted => {}
            Outcome::False => self.wrong += 1,
        }
        match outcome {
            Outcome::Accepted | Outcome::False => self.accepted += 1,
            _ => self.refused += 1,
        }
    }

    fn line(&self, name: &str) -> String {
        let Self { refused, placed, elsewhere, accepted, wrong } = self;
        format!("| {name} | {refused} | {placed} | {elsewhere} | {accepted} | {wrong} |\n")
    }
}

/// The table of one version.
fn table(version: &str, all: &[Case]) -> (String, Row) {
    let kubernetes = Version::parse(version).unwrap();
    let bases = bases();
    let around = resources(&text("around.yaml")).unwrap();
    let wanted = std::env::var("KFC_FAULTS").ok();
    let outcomes: Vec<(Outcome, Vec<(String, String)>)> = all
        .par_iter()
        .map(|case| {
            // Most objects depend on nothing else.
            let object = case.object(&bases);
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            let needs_others = case.base == "train" || matches!(namespace, "restricted" | "baseline");
            let around = if needs_others { around.as_slice() } else { &[] };
            let ours = reported(&object, around, kubernetes);
            (outcome(case, case.verdict(version), &ours), ours)
        })
        .collect();
    let mut rows: Vec<(&str, Row)> = Vec::new();
    let mut sum = Row::default();
    for (case, (outcome, ours)) in all.iter().zip(&outcomes) {
        if rows.last().is_none_or(|(rule, _)| *rule != case.rule) {
            rows.push((&case.rule, Row::default()));
        }
        rows.last_mut().unwrap().1.add(*outcome);
        sum.add(*outcome);
        let is_wanted =
            |word: &String| case.rule.contains(word.as_str()) || case.name().contains(word.as_str());
        if wanted.as_ref().is_some_and(is_wanted) && !matches!(outcome, Outcome::Placed | Outcome::Accepted) {
            let causes = &case.verdict(version).causes;
            println!(
                "{outcome:?} {version} [{}] {}\n    server {causes:?}\n    ours   {ours:?}",
                case.rule,
                case.name()
            );
        }
    }
    let mut text = String::new();
    writeln!(text, "| Kubernetes {version} | refused | at the place | elsewhere | accepted | false |")
        .unwrap();
    text.push_str("|---|---|---|---|---|---|\n");
    for (rule, row) in &rows {
        text.push_str(&row.line(rule));
    }
    text.push_str(&sum.line("all"));
    (text, sum)
}

/// What the list has, by kind of rule, is fixed.
#[test]
fn the_list_has_its_counts() {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for case in cases() {
        if counts.last().is_none_or(|(rule, _)| *rule != case.rule) {
            counts.push((case.rule, 0));
        }
        counts.last_mut().unwrap().1 += 1;
    }
    let all = counts.iter().map(|(_, count)| count).sum();
    counts.push(("all".to_owned(), all));
    let listed: Vec<(String, usize)> = text("counts.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.trim().split_once(' ').unwrap())
        .map(|(count, rule)| (rule.to_owned(), count.parse().unwrap()))
        .collect();
    assert_eq!(counts, listed);
}

/// Compares a table with the one in docs/validate.md that begins with the same cell, or writes it there.
fn is_in_docs(table: &str) {
    // Tests that write run side by side.
    static WRITING: Mutex<()> = Mutex::new(());
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/validate.md");
    let _guard = WRITING.lock().unwrap();
    let before = std::fs::read_to_string(&docs).unwrap();
    let head = &table[..table[1..].find('|').unwrap() + 2];
    let start = before.find(head).unwrap_or_else(|| panic!("docs/validate.md has no table {head}"));
    let end = start + before[start..].find("\n\n").map_or(before.len() - start, |end| end + 1);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&docs, format!("{}{table}{}", &before[..start], &before[end..])).unwrap();
    } else {
        assert_eq!(table, &before[start..end], "INSTA_UPDATE=always writes the table");
    }
}

/// A server of a version agrees with us: no error of ours is false, and nearly all that it refuses is found at its place.
fn agrees(version: &str) {
    let (table, sum) = table(version, &cases());
    is_in_docs(&table);
    assert_eq!(sum.wrong, 0, "false errors");
    #[allow(clippy::cast_precision_loss, reason = "bounds and costs are rough")]
    let part = sum.placed as f64 / sum.refused as f64;
    assert!(part >= LEAST, "{part:.4} of what the server refuses is reported at the right place");
}

#[test]
fn the_newest_server_agrees() {
    agrees(NEWEST);
}

#[test]
fn the_oldest_server_agrees() {
    agrees(OLDEST);
}

/// How often the two servers differ, by kind of rule.
#[test]
fn the_differences_of_the_servers_are_documented() {
    let mut rows: Vec<(String, [usize; 2])> = Vec::new();
    for case in cases() {
        let (newest, oldest) = (case.verdict(NEWEST).is_refused, case.verdict(OLDEST).is_refused);
        if rows.last().is_none_or(|(rule, _)| *rule != case.rule) {
            rows.push((case.rule, [0; 2]));
        }
        let alone = &mut rows.last_mut().unwrap().1;
        alone[0] += usize::from(oldest && !newest);
        alone[1] += usize::from(newest && !oldest);
    }
    rows.retain(|(_, alone)| *alone != [0; 2]);
    let sum = rows.iter().fold([0; 2], |sum, (_, alone)| [sum[0] + alone[0], sum[1] + alone[1]]);
    rows.push(("all".to_owned(), sum));
    let mut table = format!("| refused by one alone | by {OLDEST} | by {NEWEST} |\n|---|---|---|\n");
    for (rule, [oldest, newest]) in rows {
        writeln!(table, "| {rule} | {oldest} | {newest} |").unwrap();
    }
    is_in_docs(&table);
}

#[test]
fn paths_are_compared_as_fields() {
    for (ours, theirs) in [
        ("spec.ports[0].port", "spec.ports[0].port"),
        ("spec.limits['nvidia.com/gpu']", "spec.limits[nvidia.com/gpu]"),
        ("spec.selector", "spec"),
        ("spec.a[0].b", "spec.a.b"),
        (
            "spec.versions[0].schema.openAPIV3Schema.properties.a",
            "spec.validation.openAPIV3Schema.properties[a]",
        ),
    ] {
        assert!(is_same_place(ours, theirs), "{ours} {theirs}");
    }
    for (ours, theirs) in [("spec.a", "spec.b"), ("spec.a.b.c", "spec.a"), ("", "spec.a")] {
        assert!(!is_same_place(ours, theirs), "{ours} {theirs}");
    }
}
