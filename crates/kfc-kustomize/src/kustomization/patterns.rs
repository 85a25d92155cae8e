//! Patterns in `resources`, an extension of kfc.

use super::model::Kustomization;
use super::read::{Read, read};
use glob::Pattern;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics};
use kfc_source::{FileSystem, KUSTOMIZATION_FILES, Loader, RemoteRoot, is_web_address};
use kfc_yaml::{Node, Spanned};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// Reads the document of a kustomization file in the directory of `loader`, as [`read`] does, with the files and directories
/// that patterns in `resources` match instead of the patterns.
#[must_use]
pub fn read_in(document: &Node, loader: &Loader) -> Read {
    let mut read = read(document);
    if read.kustomization.extensions.resource_patterns {
        read.errors.extend(expand(&mut read.kustomization, loader));
    }
    read
}

/// Expands the patterns in `resources`; returns the errors. What another entry names, too, counts once.
fn expand(kustomization: &mut Kustomization, loader: &Loader) -> Diagnostics {
    let mut errors = Diagnostics::default();
    let entries = std::mem::take(&mut kustomization.resources).into_iter();
    let entries: Vec<_> = entries.map(|entry| (is_pattern(&entry.value, loader), entry)).collect();
    let plain = entries.iter().filter(|(is_pattern, _)| !is_pattern);
    let mut seen: HashSet<String> = plain.map(|(_, entry)| entry.value.clone()).collect();
    for (is_pattern, entry) in entries {
        if !is_pattern {
            kustomization.resources.push(entry);
            continue;
        }
        match matches(&entry, loader) {
            Ok(found) => {
                let new = found.into_iter().filter(|path| seen.insert(path.clone()));
                kustomization.resources.extend(new.map(|value| Spanned { value, mark: entry.mark }));
            }
            Err(error) => errors.push(error),
        }
    }
    errors
}

/// Whether an entry is a pattern: a file may have such a name, too.
fn is_pattern(text: &str, loader: &Loader) -> bool {
    text.contains(['*', '?', '['])
        && RemoteRoot::parse(text).is_none()
        && !is_web_address(text)
        && !loader.files().exists(&loader.root().join(text))
}

/// The files and directories in the root that a pattern matches, sorted. It matches no kustomization file and no hidden name, and
/// `**` does not look into other roots, whose files are theirs.
fn matches(entry: &Spanned<String>, loader: &Loader) -> Result<Vec<String>, Diagnostic> {
    let refuse = |message: String| Diagnostic::error(Code::BadValue, message).at(entry.mark);
    let text = entry.value.strip_prefix("./").unwrap_or(&entry.value).trim_end_matches('/');
    if text.starts_with('/') || text.split('/').any(|step| step == "..") {
        let error = refuse(format!("the pattern `{text}` leads out of the root"));
        return Err(error.help("name what is outside one by one"));
    }
    let mut steps = Vec::new();
    for step in text.split('/') {
        let pattern = Pattern::new(step)
            .map_err(|error| refuse(format!("`{text}` is not a pattern: {}", error.msg)))?;
        steps.push((step, pattern));
    }
    let mut found = BTreeSet::new();
    Search { files: loader.files(), root: loader.root() }.visit("", &steps, &mut found);
    if found.is_empty() {
        let error = Diagnostic::error(Code::NotFound, format!("nothing matches the pattern `{text}`"));
        return Err(error.at(entry.mark).help("patterns are relative to the directory of this file"));
    }
    Ok(found.into_iter().collect())
}

struct Search<'a> {
    files: &'a dyn FileSystem,
    root: &'a Path,
}

impl Search<'_> {
    /// Adds what the steps lead to from a directory.
    fn visit(&self, directory: &str, steps: &[(&str, Pattern)], found: &mut BTreeSet<String>) {
        let Some(((step, pattern), rest)) = steps.split_first() else { return };
        if *step == "**" {
            self.visit(directory, rest, found);
        }
        for name in self.files.names_in(&self.root.join(directory)) {
            let is_hidden = name.starts_with('.') && !step.starts_with('.');
            if is_hidden || KUSTOMIZATION_FILES.contains(&name.as_str()) {
                continue;
            }
            let path = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
            if *step == "**" {
                if !self.is_directory(&path) {
                    found.extend(rest.is_empty().then_some(path));
                } else if !self.is_root(&path) {
                    self.visit(&path, steps, found);
                }
            } else if pattern.matches(&name) {
                if rest.is_empty() {
                    found.insert(path);
                } else if self.is_directory(&path) {
                    self.visit(&path, rest, found);
                }
            }
        }
    }

    /// Whether a path is a directory itself, not a link to one.
    fn is_directory(&self, path: &str) -> bool {
        let path = self.root.join(path);
        self.files.is_directory(&path) && self.files.read_link(&path).is_none()
    }

    fn is_root(&self, path: &str) -> bool {
        KUSTOMIZATION_FILES.iter().any(|name| self.files.exists(&self.root.join(path).join(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::read_in;
    use kfc_diagnostics::{SourceId, Sources};
    use kfc_source::{Loader, Memory, Options, Surroundings};
    use kfc_yaml::parse::parse;
    use std::sync::Arc;

    /// The `resources` of a kustomization beside some files, or the messages of its errors.
    fn resources(list: &str) -> Result<Vec<String>, Vec<String>> {
        let files = Memory::new(
            [
                "kustomization.yaml",
                "a.yaml",
                "b.yaml",
                "c.yml",
                ".d.yaml",
                "odd[1].yaml",
                "e/f.yaml",
                "e/g/h.yaml",
                "r/kustomization.yaml",
                "r/i.yaml",
            ]
            .map(|path| (format!("/root/{path}"), "")),
        );
        let options = Options::new(&Arc::new(Surroundings::in_memory(files)));
        let loader = Loader::open("/root", options, &Arc::new(Sources::default())).unwrap();
        let text = format!("kfc.dev: {{resourcePatterns: true}}\nresources: {list}\n");
        let read = read_in(&parse(&text, SourceId::NONE).unwrap()[0], &loader);
        if !read.errors.is_empty() {
            return Err(read.errors.0.into_iter().map(|error| error.message).collect());
        }
        Ok(read.kustomization.resources.into_iter().map(|entry| entry.value).collect())
    }

    #[test]
    fn patterns_become_what_they_match() {
        assert_eq!(resources("['*.yaml']").unwrap(), ["a.yaml", "b.yaml", "odd[1].yaml"]);
        assert_eq!(resources("[b.yaml, './*.yaml']").unwrap(), ["b.yaml", "a.yaml", "odd[1].yaml"]);
        assert_eq!(resources("['odd[1].yaml', '[bc].*']").unwrap(), ["odd[1].yaml", "b.yaml", "c.yml"]);
        assert_eq!(resources("['**/?.yaml']").unwrap(), ["a.yaml", "b.yaml", "e/f.yaml", "e/g/h.yaml"]);
        assert_eq!(resources("['e/**']").unwrap(), ["e/f.yaml", "e/g/h.yaml"]);
        assert_eq!(resources("['r/*', 'r*/']").unwrap(), ["r/i.yaml", "r"]);
        assert_eq!(resources("['https://host/o/base?ref=v1']").unwrap(), ["https://host/o/base?ref=v1"]);
    }

    #[test]
    fn patterns_that_lead_nowhere_or_out_are_errors() {
        assert_eq!(resources("['x*']").unwrap_err(), ["nothing matches the pattern `x*`"]);
        assert_eq!(resources("['../*']").unwrap_err(), ["the pattern `../*` leads out of the root"]);
        assert!(resources("['a[']").unwrap_err()[0].starts_with("`a[` is not a pattern"));
    }
}
