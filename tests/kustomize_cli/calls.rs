//! Calls of a program that behaves as kustomize, and their record.

use crate::case::text;
use kfc_diagnostics::SourceId;
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};
use std::path::Path;
use std::process::{Command, Stdio};

/// What a call prints and ends with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The line that a shell runs.
    pub(crate) call: String,
    exit: String,
    output: String,
}

/// What the calls of a case come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// The calls, in order.
    pub(crate) entries: Vec<Entry>,
    /// The files that they create, change or, where there is no content, remove.
    pub(crate) files: BTreeMap<String, Option<String>>,
}

/// What ends a text without a line break, after the line break that it gets.
const UNENDED: &str = "(no line break at the end)\n";

fn write_text(f: &mut Formatter<'_>, text: &str) -> std::fmt::Result {
    text.split_inclusive('\n').try_for_each(|line| write!(f, "| {line}"))?;
    if text.is_empty() || text.ends_with('\n') { Ok(()) } else { write!(f, "\n{UNENDED}") }
}

impl Display for Entry {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "$ {}\nexit {}\n", self.call, self.exit)?;
        write_text(f, &self.output)
    }
}

impl Display for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.entries.iter().try_for_each(|entry| entry.fmt(f))?;
        for (name, content) in &self.files {
            match content {
                None => writeln!(f, "removed {name}")?,
                Some(content) => {
                    writeln!(f, "file {name}")?;
                    write_text(f, content)?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a record.
pub(crate) fn parse(text: &str) -> Record {
    let mut record = Record::default();
    let mut file = None;
    for line in text.split_inclusive('\n') {
        let file_text = file.as_ref().and_then(|name| record.files.get_mut(name)).and_then(Option::as_mut);
        let content = match (file_text, record.entries.last_mut()) {
            (Some(content), _) => content,
            (None, Some(entry)) => &mut entry.output,
            (None, None) => &mut String::new(),
        };
        if let Some(line) = line.strip_prefix("| ") {
            content.push_str(line);
        } else if line == UNENDED {
            content.pop();
        } else if let Some(call) = line.strip_prefix("$ ") {
            record.entries.push(Entry { call: call.trim_end().to_owned(), ..Entry::default() });
        } else if let Some(exit) = line.strip_prefix("exit ") {
            exit.trim_end().clone_into(&mut record.entries.last_mut().unwrap().exit);
        } else if let Some(name) = line.strip_prefix("removed ") {
            record.files.insert(name.trim_end().to_owned(), None);
        } else if let Some(name) = line.strip_prefix("file ") {
            record.files.insert(name.trim_end().to_owned(), Some(String::new()));
            file = Some(name.trim_end().to_owned());
        } else {
            panic!("not a line of a record: {line}");
        }
    }
    record
}

/// Runs the calls of a case in a copy of its files. `programs` is the directory with the program `kustomize`.
pub(crate) fn run(case: &Path, programs: &Path) -> Record {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().canonicalize().unwrap();
    let before = files(&case.join("before"));
    for (name, content) in &before {
        let path = place.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths([programs.to_owned()].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let hide = |text: &str| text.replace(&*place.to_string_lossy(), "{directory}");
    let mut record = Record::default();
    for call in text(&case.join("calls")).lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut command = Command::new("sh");
        command.args(["-c", call]).current_dir(&place).env("PATH", &path).stdin(Stdio::null());
        let output = command.output().unwrap();
        record.entries.push(Entry {
            call: call.to_owned(),
            exit: output.status.code().map_or("by a signal".to_owned(), |code| code.to_string()),
            output: hide(&String::from_utf8(output.stdout).unwrap()),
        });
    }
    let after = files(&place);
    let gone = before.keys().filter(|name| !after.contains_key(*name)).map(|name| (name.clone(), None));
    let changed = after.iter().filter(|(name, content)| before.get(*name) != Some(content));
    record.files = gone.chain(changed.map(|(name, content)| (name.clone(), Some(hide(content))))).collect();
    record
}

fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = walkdir::WalkDir::new(directory).into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let name = entry.path().strip_prefix(directory).unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

/// A file with its content; that of a YAML file by its values, with sorted fields, because kustomize and kfc keep other parts of
/// the layout. kustomize sorts `images` and `replicas`, too.
pub(crate) fn file_by_value(name: &str, content: Option<&str>) -> String {
    let Some(content) = content else { return format!("removed {name}\n") };
    let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with("Kustomization");
    let documents = is_yaml.then(|| kfc_yaml::parse::parse(content, SourceId::NONE).ok()).flatten();
    let values = documents.and_then(|mut documents| {
        for list in ["images", "replicas"] {
            let items = documents.iter_mut().filter_map(|document| document.get_mut(list));
            for items in items.filter_map(kfc_yaml::Node::as_seq_mut) {
                items.sort_by_key(|item| {
                    item.get("name").and_then(kfc_yaml::Node::as_text).map(str::to_owned)
                });
            }
        }
        let nodes: Vec<_> = documents.iter().collect();
        let values = kfc_yaml::emit::emit_all(&nodes).ok()?.concat();
        String::from_utf8(values).ok()
    });
    format!("file {name}\n{}\n", values.as_deref().unwrap_or(content))
}

pub(crate) fn records_are_read_as_they_are_written() {
    let entry =
        |call: &str, output: &str| Entry { call: call.into(), exit: "1".into(), output: output.into() };
    let files = [("a", Some("x\n\n")), ("b", None), ("c", Some("y")), ("d", Some(""))];
    let files = files.map(|(name, content)| (name.to_owned(), content.map(str::to_owned)));
    let record = Record { entries: vec![entry("one", "a\n\nb"), entry("two", "")], files: files.into() };
    assert_eq!(parse(&record.to_string()), record);
    assert_eq!(
        file_by_value("a.yaml", Some("b: 'x' # c\na: 1\n")),
        file_by_value("a.yaml", Some("a: 1\nb: x\n"))
    );
    assert_ne!(file_by_value("a.yaml", Some("a: 1")), file_by_value("a.yaml", Some("a: '1'")));
}
