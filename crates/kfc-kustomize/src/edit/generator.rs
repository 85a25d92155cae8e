//! `configMapGenerator` and `secretGenerator`.

use super::Document;
use super::document::{entry, texts};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use kfc_yaml::{Map, Node, ScalarKind};

/// The field of config maps.
pub const CONFIG_MAPS: &str = "configMapGenerator";
/// The field of secrets.
pub const SECRETS: &str = "secretGenerator";

/// An entry of a generator as arguments tell it.
#[derive(Clone, Debug, Default)]
pub struct GeneratorEntry {
    /// Its name.
    pub name: String,
    /// Its namespace; empty for none.
    pub namespace: String,
    /// `key=value`.
    pub literals: Vec<String>,
    /// `path` or `key=path`.
    pub files: Vec<String>,
    /// Files of `key=value` lines.
    pub env_files: Vec<String>,
    /// `create`, `merge`, `replace`, or nothing.
    pub behavior: String,
    /// The type of a secret.
    pub secret_type: String,
    /// Leaves the hash away.
    pub disable_name_suffix_hash: bool,
}

/// Adds a generator, or adds sources to the one of this name and namespace.
///
/// # Errors
/// [`Code::Usage`] without a source or for literals without a value, [`Code::EditExists`] for keys that are there.
pub fn add(document: &mut Document, field: &str, wanted: &GeneratorEntry) -> Result<()> {
    if wanted.literals.is_empty() && wanted.files.is_empty() && wanted.env_files.is_empty() {
        let error = Diagnostic::error(Code::Usage, format!("`{}` has no source", wanted.name));
        return Err(error.help("give `--from-literal`, `--from-file` or `--from-env-file`").into());
    }
    let has_others = !wanted.literals.is_empty() || !wanted.files.is_empty();
    if has_others && !wanted.env_files.is_empty() {
        let message = "`--from-env-file` cannot be used with `--from-literal` or `--from-file`";
        return Err(Diagnostic::error(Code::Usage, message)
            .help("add the sources one after the other")
            .into());
    }
    check_literals(&wanted.literals)?;
    let mut items = document.items(field).to_vec();
    match items.iter_mut().find(|item| is_named(item, &wanted.name, &wanted.namespace)) {
        Some(item) => extend(item, wanted)?,
        None => items.push(Node::map(new_entry(wanted), None)),
    }
    document.set_items(field, items);
    Ok(())
}

/// Sets literals of a generator that is there, and its namespace when `new_namespace` is not empty.
///
/// # Errors
/// [`Code::EditMissing`] when there is no such generator, or no literal of a key.
pub fn set(document: &mut Document, field: &str, wanted: &GeneratorEntry, new_namespace: &str) -> Result<()> {
    check_literals(&wanted.literals)?;
    let mut items = document.items(field).to_vec();
    let Some(item) = items.iter_mut().find(|item| is_named(item, &wanted.name, &wanted.namespace)) else {
        return Err(missing(document, field, &wanted.name).into());
    };
    let mut errors = Diagnostics::default();
    for literal in &wanted.literals {
        errors.collect(set_literal(item, literal, &wanted.name));
    }
    errors.into_result(())?;
    if let Some(map) = item.as_map_mut().filter(|_| !new_namespace.is_empty()) {
        map.set("namespace", Node::string(new_namespace, None));
    }
    document.set_items(field, items);
    Ok(())
}

/// Takes generators out, by name and namespace.
///
/// # Errors
/// [`Code::EditMissing`] for names that no generator has.
pub fn remove(document: &mut Document, field: &str, names: &[String], namespace: &str) -> Result<()> {
    let mut errors = Diagnostics::default();
    for name in names {
        let items = document.items(field);
        let left: Vec<Node> = items.iter().filter(|item| !is_named(item, name, namespace)).cloned().collect();
        if left.len() == items.len() {
            errors.push(missing(document, field, name));
        } else {
            document.set_items(field, left);
        }
    }
    errors.into_result(())
}

fn is_named(item: &Node, name: &str, namespace: &str) -> bool {
    let text = |field: &str| item.get(field).and_then(Node::as_text).unwrap_or_default();
    let space = |namespace: &str| if namespace.is_empty() { "default" } else { namespace }.to_owned();
    text("name") == name && space(text("namespace")) == space(namespace)
}

fn check_literals(literals: &[String]) -> Result<()> {
    let mut errors = Diagnostics::default();
    for literal in literals.iter().filter(|literal| key_of(literal).is_none()) {
        // The text may be a secret's.
        let shown: String = literal.chars().take(12).collect();
        let error =
            Diagnostic::error(Code::Usage, format!("the literal that starts with `{shown}` has no value"));
        errors.push(error.help("write it as `--from-literal=KEY=VALUE`"));
    }
    errors.into_result(())
}

fn key_of(literal: &str) -> Option<&str> {
    literal.split_once('=').map(|(key, _)| key).filter(|key| !key.is_empty())
}

/// The key that a file is stored under.
fn file_key(file: &str) -> &str {
    key_of(file).unwrap_or_else(|| file.rsplit('/').next().unwrap_or(file))
}

fn new_entry(wanted: &GeneratorEntry) -> Map {
    let mut map = texts([
        ("name", wanted.name.as_str()),
        ("namespace", &wanted.namespace),
        ("behavior", &wanted.behavior),
        ("type", &wanted.secret_type),
    ]);
    for (field, sources) in sources(wanted) {
        if !sources.is_empty() {
            let items = sources.iter().map(|text| Node::string(text, None)).collect();
            map.push(entry(field, Node::seq(items, None)));
        }
    }
    if wanted.disable_name_suffix_hash {
        map.push(entry("options", Node::map(hash_option().collect(), None)));
    }
    map
}

fn hash_option() -> impl Iterator<Item = kfc_yaml::Entry> {
    let flag = Node::scalar("true".into(), ScalarKind::Bool, None);
    std::iter::once(entry("disableNameSuffixHash", flag))
}

fn sources(wanted: &GeneratorEntry) -> [(&'static str, &[String]); 3] {
    [("files", &wanted.files), ("literals", &wanted.literals), ("envs", &wanted.env_files)]
}

fn extend(item: &mut Node, wanted: &GeneratorEntry) -> Result<()> {
    let mut errors = Diagnostics::default();
    let taken = |item: &Node, field: &str, key: &str, key_of: &dyn Fn(&str) -> String| {
        let items = item.get(field).and_then(Node::as_seq).unwrap_or_default();
        items.iter().find(|node| node.as_text().map(key_of).as_deref() == Some(key)).map(|node| node.mark)
    };
    let literal_key = |text: &str| key_of(text).unwrap_or_default().to_owned();
    let path_key = |text: &str| file_key(text).to_owned();
    let keys =
        wanted.literals.iter().map(|text| literal_key(text)).chain(wanted.files.iter().map(|f| path_key(f)));
    for key in keys {
        let old =
            taken(item, "literals", &key, &literal_key).or_else(|| taken(item, "files", &key, &path_key));
        if let Some(mark) = old {
            let message = format!("`{}` already has the key `{key}`", wanted.name);
            errors.push(Diagnostic::error(Code::EditExists, message).at(mark));
        }
    }
    errors.into_result(())?;
    let Some(map) = item.as_map_mut() else { return Ok(()) };
    for (field, sources) in sources(wanted) {
        let mut items = map.get(field).and_then(Node::as_seq).unwrap_or_default().to_vec();
        let known = |items: &[Node], text: &str| items.iter().any(|node| node.as_text() == Some(text));
        for text in sources {
            if !known(&items, text) {
                items.push(Node::string(text, None));
            }
        }
        if !items.is_empty() {
            map.set(field, Node::seq(items, None));
        }
    }
    for (field, text) in [("behavior", &wanted.behavior), ("type", &wanted.secret_type)] {
        // The default of the flag does not ask to change what exists.
        if !text.is_empty() && text != "Opaque" {
            map.set(field, Node::string(text, None));
        }
    }
    if wanted.disable_name_suffix_hash {
        let mut options = map.get("options").and_then(Node::as_map).cloned().unwrap_or_default();
        hash_option().for_each(|entry| options.set(&entry.key.text, entry.value.clone()));
        map.set("options", Node::map(options, None));
    }
    Ok(())
}

fn set_literal(item: &mut Node, literal: &str, name: &str) -> Result<()> {
    let key = key_of(literal);
    let literals = item.get_mut("literals").and_then(Node::as_seq_mut);
    let old = literals.and_then(|all| all.iter_mut().find(|node| node.as_text().and_then(key_of) == key));
    if let Some(old) = old {
        *old = Node::string(literal, None);
    } else {
        let message = format!("`{name}` has no literal `{}`", key.unwrap_or_default());
        return Err(Diagnostic::error(Code::EditMissing, message).into());
    }
    Ok(())
}

fn missing(document: &Document, field: &str, name: &str) -> Diagnostic {
    let error = Diagnostic::error(Code::EditMissing, format!("there is no `{name}` in `{field}`"));
    let names = document.items(field).iter().filter_map(|item| item.get("name")?.as_text());
    match nearest(name, names) {
        Some(near) if near != name => error.help(format!("did you mean `{near}`?")),
        Some(_) => error.help("it is in another namespace: give `--namespace`"),
        None => error,
    }
}
