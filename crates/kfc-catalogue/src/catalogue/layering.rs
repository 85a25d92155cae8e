//! Lines of stacks on top of each other: those of a stack over those that it extends, then those of an environment and a cluster.

use super::document::Place;
use super::stack::Stack;
use crate::files::StackSpec;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark};
use kfc_source::door::clean;
use kfc_yaml::{Map, Node, Spanned};
use std::path::PathBuf;

/// Lines of a stack that are in one file, with the files of values that they name.
#[derive(Clone, Debug)]
pub(super) struct StackLines {
    /// The directory of the file.
    pub(super) place: Place,
    pub(super) spec: StackSpec,
    pub(super) values: Vec<Node>,
}

impl StackLines {
    /// The files of values.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.spec.values.iter().map(|path| self.place.folder.join(&path.value))
    }
}

/// A line by which an environment or a cluster differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is of: `domain`, `facts.storage.class`, `platform`, `components`, …
    pub name: String,
    /// What it says; none for a line that takes a value away.
    pub value: Option<String>,
    /// Whether the value is that of a parameter, which may be secret.
    pub is_parameter: bool,
    /// Its location.
    pub mark: Option<Mark>,
}

/// Puts lines on top of a stack.
///
/// # Errors
/// Overlays that are left out, but that nothing below has.
pub(super) fn lay_over(stack: &mut Stack, lines: &StackLines, errors: &mut Diagnostics) {
    let spec = &lines.spec;
    replace(&mut stack.platform, spec.platform.as_ref());
    if spec.release.is_some() {
        stack.release.clone_from(&spec.release);
    }
    stack.builtin = spec.builtin.unwrap_or(stack.builtin);
    if let Some(names) = &spec.components {
        // What is selected here is no longer left out.
        stack.without.retain(|left_out| !names.iter().any(|name| name.value == left_out.value));
        add_names(stack.components.get_or_insert_default(), names);
    }
    add_names(&mut stack.present, &spec.present);
    stack.without.extend(spec.without.iter().cloned());
    for values in &lines.values {
        merge_values(stack, values);
    }
    merge_given(&mut stack.facts, spec.facts.as_ref().map(|facts| &facts.0));
    merge_given(&mut stack.parameters, spec.parameters.as_ref().map(|parameters| &parameters.0));
    for (name, way) in &spec.secrets.0 {
        put_named(&mut stack.secrets, name, way.clone());
    }
    let before = stack.profiles.len();
    for profile in &spec.profiles {
        // One list that has a name twice is left as it is.
        let known = stack.profiles[..before].iter_mut();
        match known.into_iter().find(|known| known.name.value.as_str() == profile.name.value.as_str()) {
            Some(known) => known.clone_from(profile),
            None => stack.profiles.push(profile.clone()),
        }
    }
    for (name, users) in &spec.groups.0 {
        put_named(&mut stack.groups, name, users.clone());
    }
    for (capability, provider) in &spec.prefers.0 {
        put_named(&mut stack.prefers, capability, provider.clone());
    }
    leave_out_overlays(stack, lines, errors);
    stack.overlays.extend(spec.overlays.iter().cloned());
    stack.set.extend(spec.set.iter().cloned());
    stack.ignore.extend(spec.ignore.iter().map(|entry| entry.0.clone()));
    stack.ready.extend(spec.ready.iter().map(|entry| entry.0.clone()));
    stack.catalogues.extend(spec.catalogues.iter().cloned());
}

fn replace(value: &mut Spanned<String>, new: Option<&Spanned<String>>) {
    if let Some(new) = new {
        value.clone_from(new);
    }
}

fn add_names(list: &mut Vec<Spanned<String>>, names: &[Spanned<String>]) {
    let before = list.len();
    for name in names {
        // One list that has a name twice is left as it is.
        if !list[..before].iter().any(|known| known.value == name.value) {
            list.push(name.clone());
        }
    }
}

fn put_named<T>(list: &mut Vec<(Spanned<String>, T)>, name: &Spanned<String>, value: T) {
    match list.iter_mut().find(|(known, _)| known.value == name.value) {
        Some(known) => *known = (name.clone(), value),
        None => list.push((name.clone(), value)),
    }
}

impl Stack {
    /// Puts the values of a file on top: parameters by name, and facts below `facts`.
    pub fn add_values(&mut self, values: &Node) {
        self.given.push(values.clone());
        merge_values(self, values);
    }
}

fn merge_values(stack: &mut Stack, values: &Node) {
    let (facts, parameters) = split_values(values);
    merge_given(&mut stack.facts, facts.as_ref());
    merge_given(&mut stack.parameters, Some(&parameters));
}

fn split_values(values: &Node) -> (Option<Node>, Node) {
    let mut parameters = values.clone();
    let facts = parameters.as_map_mut().and_then(|map| map.remove("facts"));
    (facts, parameters)
}

/// Merges a tree that a user gave. The first one stays as it is written.
fn merge_given(tree: &mut Node, given: Option<&Node>) {
    let Some(given) = given else { return };
    if tree.as_map().is_some_and(Map::is_empty) {
        tree.clone_from(given);
    } else {
        merge_tree(tree, given);
    }
}

/// Merges mappings; null takes a value away, and anything else replaces what was there.
fn merge_tree(below: &mut Node, above: &Node) {
    let (Some(map), Some(entries)) = (below.as_map_mut(), above.as_map()) else {
        below.clone_from(above);
        return;
    };
    for entry in entries {
        let name = entry.key.text.as_str();
        if entry.value.is_null() {
            map.remove(name);
        } else if let Some(known) = map.get_mut(name) {
            merge_tree(known, &entry.value);
        } else {
            map.push(entry.clone());
        }
    }
}

fn leave_out_overlays(stack: &mut Stack, lines: &StackLines, errors: &mut Diagnostics) {
    for left_out in &lines.spec.without_overlays {
        let wanted = clean(&lines.place.folder.join(&left_out.value));
        let before = stack.overlays.len();
        let paths: Vec<PathBuf> = stack.overlays.iter().map(|path| stack.overlay_path(path)).collect();
        let mut paths = paths.iter();
        stack
            .overlays
            .retain(|path| paths.next().is_none_or(|known| *known != wanted) && path.value != left_out.value);
        if stack.overlays.len() == before {
            let message = format!("no overlay `{}` is left out: nothing below adds it", left_out.value);
            let error = Diagnostic::error(Code::UnknownOverlay, message).at(left_out.mark);
            let known: Vec<&str> = stack.overlays.iter().map(|path| path.value.as_str()).collect();
            errors.push(match kfc_diagnostics::nearest(&left_out.value, known.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None if known.is_empty() => error.help("remove the line: there are no overlays below"),
                None => error.help(format!("the overlays below are {}", known.join(", "))),
            });
        }
    }
}

/// The lines of an environment or a cluster, one by one.
pub(super) fn differences(lines: &StackLines) -> Vec<Difference> {
    let spec = &lines.spec;
    let mut list = Vec::new();
    let mut line = |name: &str, value: &str, mark: Option<Mark>| {
        let (name, value) = (name.to_owned(), Some(value.to_owned()));
        list.push(Difference { name, value, is_parameter: false, mark });
    };
    let single = [("platform", &spec.platform), ("release", &spec.release)];
    for (name, value) in single {
        if let Some(value) = value {
            line(name, &value.value, value.mark);
        }
    }
    let lists = [
        ("components", spec.components.as_deref().unwrap_or_default()),
        ("present", &spec.present),
        ("without", &spec.without),
        ("values", &spec.values),
        ("overlays", &spec.overlays),
        ("withoutOverlays", &spec.without_overlays),
        ("catalogues", &spec.catalogues),
    ];
    for (name, values) in lists {
        for value in values {
            line(name, &value.value, value.mark);
        }
    }
    for setter in &spec.set {
        line("set", &setter.path.value, setter.mark);
    }
    for (name, way) in &spec.secrets.0 {
        line(&format!("secrets.{}", name.value), way.word(), name.mark);
    }
    for profile in &spec.profiles {
        line("profiles", profile.name.value.as_str(), profile.name.mark);
    }
    for (name, _) in &spec.groups.0 {
        line("groups", &name.value, name.mark);
    }
    for (name, provider) in &spec.prefers.0 {
        line(&format!("prefers.{}", name.value), &provider.value, name.mark);
    }
    for (name, count) in [("ignore", spec.ignore.len()), ("ready", spec.ready.len())] {
        (count > 0).then(|| line(name, &count.to_string(), None));
    }
    for values in &lines.values {
        let (facts, parameters) = split_values(values);
        if let Some(facts) = &facts {
            add_leaves(facts, "facts.", false, &mut list);
        }
        add_leaves(&parameters, "", true, &mut list);
    }
    spec.facts.iter().for_each(|facts| add_leaves(&facts.0, "facts.", false, &mut list));
    spec.parameters.iter().for_each(|parameters| add_leaves(&parameters.0, "", true, &mut list));
    list
}

fn add_leaves(node: &Node, before: &str, is_parameter: bool, list: &mut Vec<Difference>) {
    for entry in node.as_map().into_iter().flatten() {
        let name = format!("{before}{}", entry.key.text);
        if entry.value.as_map().is_some_and(|map| !map.is_empty()) {
            add_leaves(&entry.value, &format!("{name}."), is_parameter, list);
            continue;
        }
        let text = || match entry.value.as_text() {
            Some(text) => text.to_owned(),
            None => kfc_yaml::value::to_json(&entry.value).to_string(),
        };
        let value = (!entry.value.is_null()).then(text);
        list.push(Difference { name, value, is_parameter, mark: entry.value.mark.known() });
    }
}

#[cfg(test)]
mod tests {
    use super::merge_tree;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;
    use kfc_yaml::value::to_json;
    use serde_json::json;

    #[test]
    fn mappings_merge_and_null_takes_away() {
        let tree = |text: &str| parse(text, SourceId::NONE).unwrap().remove(0);
        let mut below = tree("{a: {b: 1, c: 2}, d: [1], e: x, f: {g: 1}}");
        merge_tree(&mut below, &tree("{a: {b: 3, n: 4}, d: [2], e: null, f: 5}"));
        assert_eq!(to_json(&below), json!({"a": {"b": 3, "c": 2, "n": 4}, "d": [2], "f": 5}));
    }
}
