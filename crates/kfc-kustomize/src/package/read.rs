//! Reading resources of packages and streams.

use super::annotations;
use super::ignore::{IGNORE_FILE, Ignored};
use crate::kustomization::function;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId, Sources};
use kfc_source::{FileSystem, Refusal};
use kfc_yaml::styled::{Comments, Content, StyledDocument, StyledNode, parse_resources};
use kfc_yaml::{Node, parse};
use std::path::{Path, PathBuf};

/// The name of the file that makes a directory a package.
pub const PACKAGE_FILE: &str = "Krmfile";

/// Where resources are read, and what notes where.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The files.
    pub files: &'a dyn FileSystem,
    /// The directory that paths are seen from.
    pub working_directory: &'a Path,
    /// Gets the texts, for messages.
    pub sources: &'a Sources,
}

/// What of the directories in a package is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All but packages.
    Package,
    /// All.
    Everything,
    /// All, and nothing is noted in annotations.
    Unannotated,
    /// All, also JSON files.
    WithJson,
}

/// A resource, and the same one with places for messages about its function.
#[derive(Clone, Debug)]
pub struct Located {
    /// With comments and styles.
    pub document: StyledDocument,
    /// With the places of its fields; none where the text has no function.
    pub(super) node: Option<Node>,
}

/// The resources of a text that a function printed, or that is given to functions.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    pub resources: Vec<Located>,
    /// Whether they are the items of a list.
    pub is_list: bool,
    /// What the list says of them.
    pub results: Option<StyledNode>,
}

impl Input<'_> {
    fn real(&self, path: &str) -> Result<PathBuf> {
        self.files.canonicalize(&self.working_directory.join(path)).map_err(|_| {
            let message = format!("`{path}` does not exist");
            Diagnostic::error(Code::NotFound, message).help("name a file or a directory").into()
        })
    }

    fn read(&self, path: &Path, shown: &str) -> Result<String> {
        let refuse = |code, why: String| Diagnostic::error(code, format!("`{shown}` cannot be read: {why}"));
        let real =
            self.files.canonicalize(path).map_err(|error| refuse(Code::Unreadable, error.to_string()))?;
        let bytes = self.files.read(&real).map_err(|refusal| match refusal {
            Refusal::Kind(kind) => refuse(Code::WrongFileType, format!("it is {kind}")),
            Refusal::TooLarge => refuse(Code::TooLarge, "it is too large".to_owned()),
            Refusal::Error(error) => refuse(Code::Unreadable, error.to_string()),
        })?;
        String::from_utf8(bytes).map_err(|_| refuse(Code::NotText, "it is not UTF-8".to_owned()).into())
    }

    fn is_link(&self, path: &Path) -> bool {
        self.files.read_link(path).is_some()
    }

    fn is_directory(&self, path: &Path) -> bool {
        !self.is_link(path) && self.files.is_directory(path)
    }
}

/// The packages in a directory, in the order in which commands print them: the directory itself first, as it is written. kustomize
/// lists it a second time when it has a package file and is not written in its shortest form.
///
/// # Errors
/// [`Code::NotFound`].
pub fn packages(input: &Input<'_>, root: &str, recurse: bool) -> Result<Vec<String>> {
    let real = input.real(root)?;
    let mut found = Vec::new();
    if recurse {
        package_files(input, &real, &clean(root), &mut found);
    } else if input.files.exists(&real.join(PACKAGE_FILE)) {
        found.push(clean(root));
    }
    if !found.iter().any(|package| package == root) {
        found.insert(0, root.to_owned());
    }
    Ok(found)
}

/// Adds the directories in a directory that have a package file, in the order of all names.
fn package_files(input: &Input<'_>, directory: &Path, shown: &str, found: &mut Vec<String>) {
    for name in input.files.names_in(directory) {
        let path = directory.join(&name);
        if name == PACKAGE_FILE {
            found.push(shown.to_owned());
        } else if input.is_directory(&path) {
            package_files(input, &path, &clean(&format!("{shown}/{name}")), found);
        }
    }
}

/// A path in its shortest form, as `filepath.Clean` of Go writes it.
#[must_use]
pub fn clean(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let is_absolute = path.starts_with('/');
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            ".." if is_absolute => {}
            name => names.push(name),
        }
    }
    let joined = names.join("/");
    match (is_absolute, joined.as_str()) {
        (true, _) => format!("/{joined}"),
        (false, "") => ".".to_owned(),
        (false, _) => joined,
    }
}

/// Reads the resources of a directory or file: those in `*.yaml` and `*.yml`.
///
/// # Errors
/// [`Code::NotFound`], files that cannot be read, that are not YAML, or whose documents are not mappings.
pub fn read_package(input: &Input<'_>, path: &str, scope: Scope) -> Result<Vec<StyledDocument>> {
    let located = read_located(input, path, scope)?;
    Ok(located.into_iter().map(|resource| resource.document).collect())
}

/// As [`read_package`], with places.
///
/// # Errors
/// As there.
pub fn read_located(input: &Input<'_>, path: &str, scope: Scope) -> Result<Vec<Located>> {
    let real = input.real(path)?;
    let mut reader =
        Reader { input, shown: clean(path), scope, ignored: Ignored::default(), resources: Vec::new() };
    let mut errors = Diagnostics::default();
    if input.files.is_directory(&real) {
        let ignore_file = real.join(IGNORE_FILE);
        if input.files.is_file(&ignore_file) {
            reader.ignored = Ignored::parse(&input.read(&ignore_file, IGNORE_FILE)?);
        }
        reader.directory(&real, "", &mut errors);
    } else {
        let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
        reader.shown.clear();
        if reader.is_resource_file(&name) {
            errors.collect(reader.file(&real, &name));
        }
    }
    errors.into_result(reader.resources)
}

struct Reader<'a> {
    input: &'a Input<'a>,
    /// The directory, for messages.
    shown: String,
    scope: Scope,
    ignored: Ignored,
    resources: Vec<Located>,
}

impl Reader<'_> {
    fn directory(&mut self, directory: &Path, below: &str, errors: &mut Diagnostics) {
        for name in self.input.files.names_in(directory) {
            let path = directory.join(&name);
            let below = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            let is_directory = self.input.is_directory(&path);
            if self.ignored.matches(&below, is_directory) {
                continue;
            }
            if is_directory {
                let is_package =
                    self.scope == Scope::Package && self.input.files.exists(&path.join(PACKAGE_FILE));
                if !is_package {
                    self.directory(&path, &below, errors);
                }
            } else if self.is_resource_file(&name) {
                errors.collect(self.file(&path, &below));
            }
        }
    }

    fn file(&mut self, path: &Path, below: &str) -> Result<()> {
        let shown =
            if self.shown.is_empty() { below.to_owned() } else { clean(&format!("{}/{below}", self.shown)) };
        let text = self.input.read(path, &shown)?;
        let note = if self.scope == Scope::Unannotated { Note::Nothing } else { Note::File(below) };
        self.resources.extend(located(&text, self.input.sources, &shown, note)?);
        Ok(())
    }

    fn is_resource_file(&self, name: &str) -> bool {
        let is_json = self.scope == Scope::WithJson && name.ends_with(".json");
        is_json || name.ends_with(".yaml") || name.ends_with(".yml")
    }
}

/// Reads the resources of a text; of a list alone, its items.
///
/// # Errors
/// Text that is not YAML, or whose documents are not mappings.
pub fn read_stream(text: &str, sources: &Sources) -> Result<Vec<StyledDocument>> {
    let stream = stream(text, sources, "standard input")?;
    Ok(stream.resources.into_iter().map(|resource| resource.document).collect())
}

/// As [`read_stream`], with places.
///
/// # Errors
/// As there.
pub fn read_located_stream(text: &str, sources: &Sources) -> Result<Vec<Located>> {
    Ok(stream(text, sources, "standard input")?.resources)
}

/// Reads the resources of a text; of a list alone, its items, and its results.
///
/// # Errors
/// As [`read_stream`].
pub(super) fn stream(text: &str, sources: &Sources, shown: &str) -> Result<Stream> {
    let is_list = |root: &StyledNode| {
        matches!(annotations::Meta::of(root).kind.as_str(), "List" | "ResourceList")
            && (root.get("items").is_some() || root.get("functionConfig").is_some())
    };
    let resources = located(text, sources, shown, Note::Index)?;
    let [list] = resources.as_slice() else { return Ok(Stream { resources, ..Stream::default() }) };
    if !is_list(&list.document.root) {
        return Ok(Stream { resources, ..Stream::default() });
    }
    let items = match list.document.root.get("items").map(|items| &items.content) {
        Some(Content::Seq { items, .. }) => items.as_slice(),
        _ => &[],
    };
    let nodes = list.node.as_ref().and_then(|list| list.get("items")?.as_seq());
    let resources = items.iter().enumerate().map(|(at, root)| Located {
        document: StyledDocument { root: root.clone(), comments: Comments::default() },
        node: nodes.and_then(|nodes| nodes.get(at)).cloned(),
    });
    let results = list.document.root.get("results").cloned();
    Ok(Stream { resources: resources.collect(), is_list: true, results })
}

/// What annotations say of where a resource is from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Note<'p> {
    Nothing,
    /// Which document of the text it is.
    Index,
    /// And the file.
    File(&'p str),
}

/// The documents of a text.
fn located(text: &str, sources: &Sources, shown: &str, note: Note<'_>) -> Result<Vec<Located>> {
    let (id, source) = sources.add(shown, text.replace("\r\n", "\n"));
    let documents = parse_resources(&source.text, id)?;
    let mut nodes = nodes_of_functions(&source.text, id, documents.len()).into_iter().flatten();
    let mut located: Vec<Located> =
        documents.into_iter().map(|document| Located { document, node: nodes.next() }).collect();
    let path = match note {
        Note::Nothing => return Ok(located),
        Note::Index => None,
        Note::File(path) => Some(path),
    };
    for (index, Located { document, .. }) in located.iter_mut().enumerate() {
        note_place(&mut document.root, path, index).map_err(|error| error.at(start(id)))?;
    }
    Ok(located)
}

/// The documents of a text that may have functions, with places. A text that only the reader of comments and styles can read has
/// none.
fn nodes_of_functions(text: &str, id: SourceId, count: usize) -> Option<Vec<Node>> {
    if !function::MARKS_OF_FUNCTIONS.iter().any(|part| text.contains(part)) {
        return None;
    }
    let (nodes, _) = parse::parse_resources(text, id).ok()?;
    let nodes: Vec<Node> = nodes.into_iter().filter(|node| !node.is_null()).collect();
    (nodes.len() == count).then_some(nodes)
}

fn start(source: SourceId) -> Mark {
    Mark { source, offset: 0 }
}

fn note_place(
    root: &mut StyledNode,
    path: Option<&str>,
    index: usize,
) -> std::result::Result<(), Diagnostic> {
    annotations::complete_pairs(root)?;
    // In the order of their names.
    let index = index.to_string();
    let noted = [
        (annotations::LEGACY_INDEX, Some(index.as_str())),
        (annotations::LEGACY_PATH, path),
        (annotations::INDEX, Some(&index)),
        (annotations::PATH, path),
    ];
    for (name, value) in noted {
        if let Some(value) = value {
            annotations::set(root, name, value)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Input, Scope, clean, packages, read_package, read_stream};
    use kfc_diagnostics::Sources;
    use kfc_source::Memory;
    use kfc_yaml::styled::write_all;
    use std::path::Path;

    fn tree() -> Memory {
        Memory::new([
            ("/p/Krmfile", ""),
            ("/p/a.yaml", "kind: A\n---\nkind: B\n"),
            ("/p/sub/b.yml", "kind: C\n"),
            ("/p/other/Krmfile", ""),
            ("/p/other/c.yaml", "kind: D\n"),
            ("/p/.krmignore", "sub/\n"),
        ])
    }

    fn kinds(path: &str, scope: Scope) -> Vec<String> {
        let (files, sources) = (tree(), Sources::default());
        let input = Input { files: &files, working_directory: Path::new("/"), sources: &sources };
        let documents = read_package(&input, path, scope).unwrap();
        documents.iter().map(|document| super::annotations::Meta::of(&document.root).kind).collect()
    }

    #[test]
    fn a_package_ends_where_another_begins() {
        assert_eq!(kinds("p", Scope::Package), ["A", "B"]);
        assert_eq!(kinds("p", Scope::Everything), ["A", "B", "D"]);
        assert_eq!(kinds("p/sub/b.yml", Scope::Package), ["C"]);
    }

    #[test]
    fn a_root_that_is_not_in_its_shortest_form_is_listed_twice() {
        let (files, sources) = (tree(), Sources::default());
        let input = Input { files: &files, working_directory: Path::new("/"), sources: &sources };
        assert_eq!(packages(&input, "p", true).unwrap(), ["p", "p/other"]);
        assert_eq!(packages(&input, "p/", true).unwrap(), ["p/", "p", "p/other"]);
        assert_eq!(packages(&input, "p/", false).unwrap(), ["p/", "p"]);
        assert!(packages(&input, "q", true).is_err());
    }

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, expected) in
            [("./a/", "a"), ("a/../b", "b"), ("", "."), ("../x", "../x"), ("/../a//b", "/a/b")]
        {
            assert_eq!(clean(path), expected);
        }
    }

    #[test]
    fn a_list_is_its_items() {
        let text = "kind: List\nitems:\n- kind: A # one\n- kind: B\n";
        let items = read_stream(text, &Sources::default()).unwrap();
        assert_eq!(write_all(&items), "kind: A # one\n---\nkind: B\n");
    }
}
