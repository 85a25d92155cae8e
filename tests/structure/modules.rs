//! The modules of every crate, and which of them each one names.

use regex::{Captures, Regex};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{LazyLock, OnceLock};

/// The path of a module within its crate: `["merge", "pointer"]`; empty for the crate's front page.
pub(crate) type ModulePath = Vec<String>;

/// The sources of one crate.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) modules: BTreeMap<ModulePath, Module>,
    /// What a module hands on: a name, and where it comes from.
    handed_on: BTreeMap<(ModulePath, String), (ModulePath, Vec<String>)>,
}

/// One file.
pub(crate) struct Module {
    /// Below `src`, with `/`.
    pub(crate) file: String,
    /// Its text without comments, strings and tests.
    pub(crate) code: String,
}

/// The program and all crates; read once for all tests.
pub(crate) fn crates(top: &Path) -> &'static [Crate] {
    static CRATES: OnceLock<Vec<Crate>> = OnceLock::new();
    CRATES.get_or_init(|| read_all(top))
}

fn read_all(top: &Path) -> Vec<Crate> {
    let mut found = vec![read("kfc".to_owned(), &top.join("src"))];
    for entry in std::fs::read_dir(top.join("crates")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        found.push(read(name, &path.join("src")));
    }
    found
}

fn read(name: String, source: &Path) -> Crate {
    let mut modules = BTreeMap::new();
    let mut open = vec![source.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let Some(file) = path.strip_prefix(source).unwrap().to_str().map(|file| file.replace('\\', "/"))
            else {
                continue;
            };
            let Some(stem) = file.strip_suffix(".rs") else { continue };
            let mut parts: ModulePath = stem.split('/').map(str::to_owned).collect();
            let last = parts.last().cloned().unwrap_or_default();
            if ["tests", "testing"].contains(&last.as_str()) {
                continue;
            }
            if ["mod", "lib", "main"].contains(&last.as_str()) {
                parts.pop();
            }
            let code = code(&std::fs::read_to_string(&path).unwrap());
            modules.entry(parts).or_insert(Module { file, code });
        }
    }
    let mut part = Crate { name, modules, handed_on: BTreeMap::new() };
    part.handed_on = part.find_handed_on();
    part
}

/// A text without comments, strings and tests, which stand at the end of a file.
fn code(text: &str) -> String {
    static TESTS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"#\[cfg\((?:all\()?test[^\]]*\]\s*(?:pub(?:\(crate\))? )?mod \w+ \{").unwrap()
    });
    // A raw text, a text, a character, a comment: whichever begins first.
    static LITERAL: LazyLock<Regex> = LazyLock::new(|| {
        let literals = r##"(?s)r#"(?:.*?)"#|"(?:\\.|[^"\\])*"|'(?:\\[^']+|\\'|[^'\\])'|(?-s://.*)"##;
        Regex::new(literals).unwrap()
    });
    static REACH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"pub\(in [^)]*\)").unwrap());
    let end = TESTS.find(text).map_or(text.len(), |found| found.start());
    let blank = |found: &Captures<'_>| if found[0].starts_with("//") { "" } else { "0" };
    let text = LITERAL.replace_all(&text[..end], blank);
    REACH.replace_all(&text, "pub").into_owned()
}

/// The single paths of a `use` tree: `a::{b, c::d}` has two.
fn expanded(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let (Some(open), Some(close)) = (tree.find('{'), tree.rfind('}')) else { return vec![tree.to_owned()] };
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in tree[open + 1..close].chars() {
        match c {
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(expanded).map(|part| format!("{}{part}", &tree[..open])).collect()
}

impl Crate {
    /// The other modules that each module names, with what it names there.
    pub(crate) fn uses(&self) -> BTreeMap<ModulePath, BTreeMap<ModulePath, BTreeSet<String>>> {
        let mut uses: BTreeMap<ModulePath, BTreeMap<ModulePath, BTreeSet<String>>> = BTreeMap::new();
        for (path, module) in &self.modules {
            for named in self.paths_in(path, &module.code) {
                if let Some(target) = self.target(path, &named).filter(|target| target != path) {
                    uses.entry(path.clone()).or_default().entry(target).or_default().insert(named);
                }
            }
        }
        uses
    }

    fn paths_in(&self, path: &ModulePath, code: &str) -> Vec<String> {
        static HANDED_ON: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\bpub(?:\([^)]*\))? use [^;]+;").unwrap());
        static BROUGHT_IN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\buse ([^;]+);").unwrap());
        static NAMED: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\b(?:crate|super|self)(?:::\w+)+").unwrap());
        let code = HANDED_ON.replace_all(code, "");
        let trees: Vec<String> = BROUGHT_IN.captures_iter(&code).map(|found| found[1].to_owned()).collect();
        let mut paths: Vec<String> = trees.iter().flat_map(|tree| expanded(tree)).collect();
        let rest = BROUGHT_IN.replace_all(&code, "");
        paths.extend(NAMED.find_iter(&rest).map(|found| found.as_str().to_owned()));
        let children = self.modules.keys().filter(|child| child.len() == path.len() + 1);
        for child in children.filter(|child| child.starts_with(path)).filter_map(|child| child.last()) {
            let named = Regex::new(&format!(r"(?:^|[^\w:])({child}::\w+)")).unwrap();
            paths.extend(named.captures_iter(&rest).map(|found| found[1].to_owned()));
        }
        paths
    }

    fn find_handed_on(&self) -> BTreeMap<(ModulePath, String), (ModulePath, Vec<String>)> {
        let pattern = Regex::new(r"\bpub(?:\([^)]*\))? use ([^;]+);").unwrap();
        let mut found = BTreeMap::new();
        for (path, module) in &self.modules {
            for tree in pattern.captures_iter(&module.code) {
                for named in expanded(&tree[1]) {
                    let name = named.rsplit(" as ").next().unwrap_or(&named);
                    let name = name.rsplit("::").next().unwrap_or(name).trim().to_owned();
                    if let Some(place) = self.place(path, &named).filter(|(module, _)| module != path) {
                        found.insert((path.clone(), name), place);
                    }
                }
            }
        }
        found
    }

    /// The module that a path leads to, and the names that follow; none for what is of another crate.
    fn place(&self, from: &ModulePath, named: &str) -> Option<(ModulePath, Vec<String>)> {
        let named = named.split(" as ").next().unwrap_or(named).replace("r#", "");
        let mut names: Vec<String> = named.split("::").map(|name| name.trim().to_owned()).collect();
        let mut at = match names.first()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => from.clone(),
            first => {
                let child: ModulePath = from.iter().cloned().chain([first.to_owned()]).collect();
                self.modules.contains_key(&child).then(|| from.clone())?
            }
        };
        if ["crate", "self"].contains(&names[0].as_str()) {
            names.remove(0);
        }
        while names.first().is_some_and(|name| name == "super") {
            at.pop();
            names.remove(0);
        }
        while let Some(name) = names.first() {
            let below: ModulePath = at.iter().cloned().chain([name.clone()]).collect();
            if !self.modules.contains_key(&below) {
                break;
            }
            at = below;
            names.remove(0);
        }
        Some((at, names))
    }

    /// The module that has what a path names: whoever hands it on does not count.
    fn target(&self, from: &ModulePath, named: &str) -> Option<ModulePath> {
        let (mut at, mut names) = self.place(from, named)?;
        while let Some((module, rest)) =
            names.first().and_then(|name| self.handed_on.get(&(at.clone(), name.clone())))
        {
            at.clone_from(module);
            if rest.is_empty() {
                names.remove(0);
            } else {
                names.clone_from(rest);
            }
        }
        Some(at)
    }
}
