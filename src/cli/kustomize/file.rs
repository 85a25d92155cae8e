//! The kustomization file of the working directory, and paths beside it.

use crate::cli::patterns::matches;
use crate::cli::{here, output};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kustomize::edit::Document;
use kfc_source::door;
use kfc_source::{Loader, RemoteUrl};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The kustomization file that is edited.
pub(super) struct File {
    /// Its name.
    pub(super) name: String,
    /// Its text as it was.
    pub(super) before: String,
    /// The document that commands change.
    pub(super) document: Document,
}

impl File {
    /// Reads the kustomization file of the working directory.
    pub(super) fn open(sources: &Arc<Sources>) -> Result<Self> {
        let found = Loader::here(here::reads(), sources).find_kustomization()?;
        let document = Document::read(&found.source.text, found.id)?;
        Ok(Self { name: found.name, before: found.source.text.clone(), document })
    }

    /// Writes the file when it changed.
    pub(super) fn save(self) -> Result<()> {
        let text = self.document.finish()?;
        if text == self.before {
            return Ok(());
        }
        write(&self.name, &text)
    }
}

/// Writes a file of the working directory, keeping a byte order mark.
pub(super) fn write(name: &str, text: &str) -> Result<()> {
    let mut start = Vec::new();
    let read = door::open_plain(Path::new(name)).and_then(|file| file.take(3).read_to_end(&mut start));
    let has_mark = read.is_ok() && start == b"\xef\xbb\xbf";
    let text = if has_mark { format!("\u{feff}{text}") } else { text.to_owned() };
    output::write_below(Path::new(""), Path::new(name), text.as_bytes())
}

/// The files and directories that match patterns, in order. A pattern that matches nothing is kept when it is a URL, or
/// when nothing is to be verified.
pub(super) fn expand(patterns: &[String], verify: bool) -> Result<Vec<String>> {
    if !verify {
        return Ok(patterns.to_vec());
    }
    let mut errors = Diagnostics::default();
    let mut paths = Vec::new();
    for pattern in patterns {
        let matches = matches(pattern);
        if !matches.is_empty() {
            paths.extend(matches);
        } else if is_remote(pattern) {
            paths.push(pattern.clone());
        } else {
            let message = format!("`{pattern}` is not a file or directory, and matches none");
            let error = Diagnostic::error(Code::NotFound, message);
            errors.push(error.help("create it first, or add a resource anyway with `--no-verify`"));
        }
    }
    errors.into_result(paths)
}

/// The files that match patterns; patterns without a match stay as they are.
pub(super) fn expand_or_keep(patterns: &[String]) -> Vec<String> {
    let expanded = |pattern: &String| match matches(pattern) {
        found if found.is_empty() => vec![pattern.clone()],
        found => found,
    };
    patterns.iter().flat_map(expanded).collect()
}

fn is_remote(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://") || RemoteUrl::parse(text).is_some()
}

/// The texts of a file that is named at `mark`.
pub(super) fn read(path: &str, sources: &Arc<Sources>) -> Result<(String, Vec<kfc_yaml::Node>)> {
    let file = Loader::here(here::reads(), sources).load(path, None)?;
    let documents = kfc_yaml::parse::parse(&file.source.text, file.id)?;
    Ok((file.source.text.clone(), documents))
}
