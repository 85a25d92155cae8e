//! What a command is asked to work on: resources that are written out, a kustomization root, a stack, or a profile of the
//! catalogue.

use crate::cli::here;
pub(in crate::cli) use kfc_catalogue::catalogue::STACK_FILES;
use kfc_catalogue::catalogue::{API_VERSION, StackChoice, StackFile};
use kfc_diagnostics::SourceId;
pub(in crate::cli) use kfc_source::KUSTOMIZATION_FILES;
use kfc_source::{FileSystem as _, Os, door, is_entry, is_stream};
use kfc_yaml::{Node, parse};
use std::path::Path;

/// What is between a stack and its environment in a target.
pub(in crate::cli) const ENVIRONMENT: char = '@';

/// What TARGET means.
#[derive(Debug)]
pub(in crate::cli) enum Target {
    /// A kustomization root: a directory or URL.
    Root(String),
    /// A stack's file.
    Stack(StackFile),
    /// Layers joined by `+`.
    Profile(String),
}

/// Whether a file is a stack, under any name: `kfc.yaml` by its name, any other by the apiVersion and kind of a document.
pub(in crate::cli) fn is_stack_file(path: &Path) -> bool {
    if path.file_name().is_some_and(|name| STACK_FILES.iter().any(|stack| name == *stack)) {
        return true;
    }
    // A pipe can be read only once, and nobody writes a stack into one.
    if is_stream(path) {
        return false;
    }
    // Bundles are large, and hardly any contain our apiVersion: most are not parsed here.
    let Ok(text) = door::read_text_of_user(path) else { return false };
    if !text.contains(API_VERSION) {
        return false;
    }
    let is_stack = |node: &Node| {
        let says = |field: &str, word: &str| node.get(field).and_then(Node::as_text) == Some(word);
        says("apiVersion", API_VERSION) && says("kind", "Stack")
    };
    parse::parse(&text, SourceId::NONE).is_ok_and(|documents| documents.iter().any(is_stack))
}

/// Whether a path is a bundle: a file of resources. A pipe can be read only once, so it always is one.
pub(in crate::cli) fn is_bundle_file(path: &Path) -> bool {
    Os.is_file(path) && (is_stream(path) || !is_stack_file(path))
}

/// Whether a path on disk is something to build: a root, a stack, or the file of a stack; or an environment of one.
pub(in crate::cli) fn can_be_built(path: &Path) -> bool {
    // The door checks the targets of links.
    let is_root = || STACK_FILES.iter().chain(&KUSTOMIZATION_FILES).any(|name| is_entry(&path.join(name)));
    let chosen = path.to_str().and_then(split_choice);
    if let Some((path, _)) = chosen {
        return matches!(Target::of_path(path), Target::Stack(_));
    }
    if path.is_file() { is_stack_file(path) } else { is_root() }
}

impl std::fmt::Display for Target {
    /// As a user names it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root(name) | Self::Profile(name) => f.write_str(name),
            Self::Stack(file) => f.write_str(&file.name),
        }
    }
}

/// The path and the choice of a stack's environment that a text names: `PATH@ENVIRONMENT`, `PATH@ENVIRONMENT/CLUSTER`, or
/// `PATH@/CLUSTER` for a stack without environments.
pub(in crate::cli) fn split_choice(text: &str) -> Option<(&str, StackChoice)> {
    let (path, chosen) = text.rsplit_once(ENVIRONMENT)?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/');
    if chosen.is_empty() || !chosen.chars().all(is_word) || Path::new(text).exists() {
        return None;
    }
    let (environment, cluster) = match chosen.split_once('/') {
        Some((environment, cluster)) => (environment, Some(cluster.to_owned())),
        None => (chosen, None),
    };
    let environment = (!environment.is_empty()).then(|| environment.to_owned());
    Some((if path.is_empty() { "." } else { path }, StackChoice { environment, cluster }))
}

/// The target of a choice of a stack.
pub(in crate::cli) fn target_of(path: &str, choice: &StackChoice) -> String {
    let environment = choice.environment.as_deref().unwrap_or_default();
    match &choice.cluster {
        Some(cluster) => format!("{path}{ENVIRONMENT}{environment}/{cluster}"),
        None if environment.is_empty() => path.to_owned(),
        None => format!("{path}{ENVIRONMENT}{environment}"),
    }
}

impl Target {
    /// The target of a name: what is on disk takes precedence over a profile. An environment of a stack comes after `@`.
    pub(in crate::cli) fn of(text: &str) -> Self {
        if let Some((path, choice)) = split_choice(text)
            && let Self::Stack(file) = Self::of_path(path)
        {
            return Self::Stack(StackFile { choice, ..file });
        }
        Self::of_path(text)
    }

    fn of_path(text: &str) -> Self {
        let path = Path::new(text);
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Self::Stack(StackFile {
                place: here::place(path.parent().unwrap_or(Path::new(""))),
                name,
                choice: StackChoice::default(),
            });
        }
        // The door checks the targets of links.
        let has = |names: &[&'static str]| names.iter().copied().find(|name| is_entry(&path.join(name)));
        if let Some(name) = has(&STACK_FILES) {
            let choice = StackChoice::default();
            return Self::Stack(StackFile { place: here::place(path), name: name.to_owned(), choice });
        }
        // A comma cannot be part of a profile, but may be meant as `+`.
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '_' | ' ' | ',');
        let is_profile = !text.is_empty() && text.chars().all(is_word);
        if is_profile && has(&KUSTOMIZATION_FILES).is_none() && (!path.is_dir() || text.contains('+')) {
            return Self::Profile(text.to_owned());
        }
        Self::Root(text.to_owned())
    }
}
