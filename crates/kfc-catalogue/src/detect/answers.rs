//! The answers of a cluster: objects by kind, and the version of its server.

use super::finding::insufficient_answers;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_source::door::{self, Limit, Named};
use kfc_source::{FileSystem as _, Os, walk};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Answers of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    objects: BTreeMap<String, Vec<Value>>,
    /// The `gitVersion` of the server; empty when it was not saved.
    pub version: String,
}

impl Answers {
    /// Reads saved answers: a file, or all `.json` files of a directory.
    ///
    /// # Errors
    /// [`Code::SavedAnswer`] for each file that cannot be read or is not an answer of kubectl in JSON.
    pub fn read(from: &[PathBuf]) -> Result<Self> {
        let mut answers = Self::default();
        let mut errors = Diagnostics::default();
        for path in from {
            if !Os.is_directory(path) {
                let bytes = door::read_of_user(path).map_err(|error| of_door(path, &error));
                errors.collect(bytes.and_then(|bytes| answers.add_file(path, &bytes)));
                continue;
            }
            // The user names only the directory, and files in it may be links to anything.
            let folder = Os.canonicalize(path).unwrap_or_else(|_| path.clone());
            let limit = Some(Limit { folder: &folder, what: "its directory" });
            for file in errors.collect(files(path)).unwrap_or_default() {
                let shown = file.display().to_string();
                let real = folder.join(file.file_name().unwrap_or_default());
                let named = Named { files: &Os, path: &real, limit, shown: &shown, referrer: None };
                let bytes = named.read().map_err(|error| of_door(&file, &error));
                errors.collect(bytes.and_then(|bytes| answers.add_file(&file, &bytes)));
            }
        }
        errors.into_result(answers)
    }

    fn add_file(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| unreadable(path, &format!("it is not JSON: {error}")))?;
        if self.add(value) {
            return Ok(());
        }
        let help = "save the output of `kubectl get … -o json` or `kubectl version -o json`";
        Err(unreadable(path, "it has neither objects nor a version").help(help).into())
    }

    /// Adds an answer; returns false when it is not one.
    pub fn add(&mut self, mut value: Value) -> bool {
        if let Some(version) = value["serverVersion"]["gitVersion"].as_str().or(value["gitVersion"].as_str())
        {
            version.clone_into(&mut self.version);
            return true;
        }
        // Items of typed lists do not have their kind.
        let kind = value["kind"].as_str().unwrap_or_default().to_owned();
        let item_kind = kind.strip_suffix("List").unwrap_or_default().to_owned();
        if let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
            if !item_kind.is_empty() {
                // An empty list says that there are none.
                self.objects.entry(item_kind.clone()).or_default();
            }
            for item in std::mem::take(items) {
                let own = item["kind"].as_str().map(str::to_owned);
                self.objects.entry(own.unwrap_or_else(|| item_kind.clone())).or_default().push(item);
            }
            return true;
        }
        // `kubectl version -o json` without a server has only the client's.
        if value["clientVersion"].is_object() {
            return true;
        }
        if kind.is_empty() || value["metadata"]["name"].as_str().is_none() {
            return false;
        }
        self.objects.entry(kind).or_default().push(value);
        true
    }

    /// The answers without these objects.
    pub(super) fn without(&self, is_left_out: impl Fn(&str, &Value) -> bool) -> Self {
        let kept = |(kind, objects): (&String, &Vec<Value>)| {
            let objects = objects.iter().filter(|object| !is_left_out(kind, object)).cloned().collect();
            (kind.clone(), objects)
        };
        Self { objects: self.objects.iter().map(kept).collect(), version: self.version.clone() }
    }

    /// The objects of a kind.
    #[must_use]
    pub fn of(&self, kind: &str) -> &[Value] {
        self.objects.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Whether the answers have objects of a kind; without them, nothing is known about it.
    #[must_use]
    pub fn knows(&self, kind: &str) -> bool {
        self.objects.contains_key(kind)
    }

    /// Whether there is an object of this kind and name.
    #[must_use]
    pub fn has(&self, kind: &str, name: &str) -> bool {
        self.of(kind).iter().any(|object| object["metadata"]["name"] == name)
    }

    /// The nodes.
    ///
    /// # Errors
    /// [`Code::UnknownProvider`] when there are none.
    pub fn nodes(&self) -> Result<&[Value]> {
        match self.of("Node") {
            [] => Err(insufficient_answers("the answers have no nodes, which show the provider").into()),
            nodes => Ok(nodes),
        }
    }
}

/// A label of an object.
pub(super) fn label<'o>(object: &'o Value, name: &str) -> Option<&'o str> {
    object["metadata"]["labels"][name].as_str()
}

/// An annotation of an object.
pub(super) fn annotation<'o>(object: &'o Value, name: &str) -> Option<&'o str> {
    object["metadata"]["annotations"][name].as_str()
}

/// The name of an object.
pub(super) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// The files of answers in a directory, in order.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let names = walk::names(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let files = names.iter().map(|name| path.join(name));
    let files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
    if files.is_empty() {
        return Err(unreadable(path, "it has no `.json` files").into());
    }
    Ok(files)
}

fn of_door(path: &Path, error: &Diagnostic) -> Diagnostics {
    unreadable(path, &error.message).into()
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    let why = why.split(" (os error").next().unwrap_or(why);
    Diagnostic::error(Code::SavedAnswer, format!("cannot read the saved answer {}: {why}", path.display()))
}
