//! Which places of a source hold values of secrets, by the structure of its documents.

use super::{is_secret, object};
use kfc_yaml::{Entry, Node, Value};

/// Fields that documents have which are not Secrets: other objects, locks, lists of replacements, configurations of
/// transformers. What is below them is open in a document whose kind is not known.
const OF_OTHERS: [&str; 40] = [
    "$patch",
    "aggregationRule",
    "automountServiceAccountToken",
    "commonAnnotations",
    "commonLabels",
    "definitions",
    "endpoints",
    "fieldPaths",
    "groups",
    "images",
    "labels",
    "namePrefix",
    "nameReference",
    "nameSuffix",
    "namespace",
    "options",
    "path",
    "paths",
    "provisioner",
    "reject",
    "replacements",
    "replicas",
    "roleRef",
    "rules",
    "seal",
    "select",
    "source",
    "sources",
    "spec",
    "status",
    "subjects",
    "subsets",
    "target",
    "targets",
    "template",
    "templateLabels",
    "varReference",
    "vars",
    "version",
    "webhooks",
];

/// Fields of an entry of `secretGenerator` whose values are open.
const OF_GENERATORS: [&str; 13] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "behavior",
    "type",
    "files",
    "envs",
    "env",
    "options",
    "disableNameSuffixHash",
    "immutable",
];

/// Fields of kustomizations and of the configurations of transformers that hold patches as texts.
const PATCHES: [&str; 5] = ["patch", "patches", "patchesStrategicMerge", "patchesJson6902", "jsonOp"];

/// What a document is a patch of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Its kind says so, or nothing does.
    Unknown,
    /// Objects that are not Secrets.
    Open,
    /// Secrets, perhaps.
    Secret,
}

/// A key or single value of a document.
pub(super) struct Spot<'n> {
    /// The byte of the text that it starts at.
    pub(super) offset: u32,
    pub(super) text: &'n str,
    pub(super) is_key: bool,
    pub(super) is_hidden: bool,
}

/// The keys and single values of a document. `marked` are the offsets of values that must never be shown.
pub(super) fn spots<'n>(document: &'n Node, target: Target, marked: &dyn Fn(u32) -> bool) -> Vec<Spot<'n>> {
    let mut walk = Walk { marked, spots: Vec::new() };
    walk.document(document, target);
    walk.spots
}

/// Whether a text that is in another one, a patch in a kustomization, may have values of a secret in it.
fn may_hide(text: &str) -> bool {
    let documents = kfc_yaml::parse::parse(text, kfc_diagnostics::SourceId::NONE);
    documents.map_or(true, |documents| {
        documents
            .iter()
            .any(|document| spots(document, Target::Unknown, &|_| false).iter().any(|spot| spot.is_hidden))
    })
}

struct Walk<'n, 'm> {
    marked: &'m dyn Fn(u32) -> bool,
    spots: Vec<Spot<'n>>,
}

impl<'n> Walk<'n, '_> {
    fn document(&mut self, node: &'n Node, target: Target) {
        match (&node.value, target) {
            (Value::Seq(items), _) => items.iter().for_each(|item| {
                if item.get("op").is_some() {
                    self.operation(item, target);
                } else {
                    self.document(item, target);
                }
            }),
            (Value::Map(_), Target::Open) | (Value::Scalar(_), _) => self.open(node),
            (Value::Map(_), _) => self.object(node, target),
        }
    }

    fn object(&mut self, node: &'n Node, target: Target) {
        let kind = node.get("kind").and_then(Node::as_text).unwrap_or("");
        let items = node.get("items").filter(|items| items.as_seq().is_some());
        // A patch for Secrets changes Secrets, even if its own text has another kind.
        if is_secret(kind) || target == Target::Secret {
            self.secret(node, &mut Vec::new());
        } else if kind.eq_ignore_ascii_case("SecretList") {
            self.each(node, |this, entry| match (entry.key.text.as_str(), entry.value.as_seq()) {
                ("items", Some(items)) => items.iter().for_each(|item| this.secret(item, &mut Vec::new())),
                _ => this.open(&entry.value),
            });
        } else if let (Some(_), true) = (items, kind.is_empty() || kind.ends_with("List")) {
            self.each(node, |this, entry| match entry.key.text.as_str() {
                "items" => this.document(&entry.value, target),
                _ => this.open(&entry.value),
            });
        } else if kind == "SecretGenerator" {
            self.generator(node);
        } else if kind.is_empty() && !is_kustomization(node) {
            self.unknown(node);
        } else {
            self.open(node);
        }
    }

    /// An object whose kind is not known: open is what no Secret has, and what is open in a Secret.
    fn unknown(&mut self, node: &'n Node) {
        self.each(node, |this, entry| {
            if OF_OTHERS.contains(&entry.key.text.as_str()) {
                this.open(&entry.value);
            } else {
                this.secret(&entry.value, &mut vec![entry.key.text.to_string()]);
            }
        });
    }

    /// A part of a Secret, at a path.
    fn secret(&mut self, node: &'n Node, path: &mut Vec<String>) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        match &node.value {
            Value::Scalar(scalar) => self.scalar(node, !object::is_open_value(&names, &scalar.text)),
            Value::Map(map) if object::has_open_keys(&names) => {
                for entry in map {
                    self.key(entry, false);
                    path.push(entry.key.text.to_string());
                    self.secret(&entry.value, path);
                    path.pop();
                }
            }
            _ => self.hidden(node),
        }
    }

    /// An operation of a JSON patch. Where its target is not known, its path says what it may be.
    fn operation(&mut self, node: &'n Node, target: Target) {
        let pointer = node.get("path").and_then(Node::as_text).unwrap_or("");
        let path: Vec<String> =
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        let first = path.first().map_or("", String::as_str);
        let is_open = target == Target::Open || (target == Target::Unknown && OF_OTHERS.contains(&first));
        self.each(node, |this, entry| match entry.key.text.as_str() {
            "op" | "path" | "from" => this.open(&entry.value),
            "value" if is_open => this.open(&entry.value),
            "value" if path.is_empty() => this.object(&entry.value, target),
            "value" => this.secret(&entry.value, &mut path.clone()),
            _ => this.hidden(&entry.value),
        });
    }

    fn generator(&mut self, node: &'n Node) {
        let Value::Map(_) = &node.value else { return self.hidden(node) };
        self.each(node, |this, entry| match entry.key.text.as_str() {
            name if OF_GENERATORS.contains(&name) => this.open(&entry.value),
            "literals" => {
                entry.value.as_seq().into_iter().flatten().for_each(|item| this.literal_key(item));
                this.hidden(&entry.value);
            }
            _ => this.hidden(&entry.value),
        });
    }

    /// The key of a literal, `key=` of `key=value`.
    fn literal_key(&mut self, item: &'n Node) {
        let text = item.as_text().unwrap_or("");
        let key = text.find('=').map_or("", |at| &text[..=at]);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._=".contains(c);
        if key.len() > 1 && key.chars().all(is_plain) {
            self.spots.push(Spot { offset: item.mark.offset, text: key, is_key: false, is_hidden: false });
        }
    }

    /// A text that is not a secret itself, but may contain one.
    fn open(&mut self, node: &'n Node) {
        match &node.value {
            Value::Scalar(_) => self.scalar(node, false),
            Value::Seq(items) => items.iter().for_each(|item| self.open(item)),
            Value::Map(_) if is_embedded_secret(node) => self.secret(node, &mut Vec::new()),
            Value::Map(_) => self.each(node, |this, entry| match entry.key.text.as_str() {
                "secretGenerator" => match &entry.value.value {
                    Value::Seq(items) => items.iter().for_each(|item| this.generator(item)),
                    _ => this.generator(&entry.value),
                },
                name if PATCHES.contains(&name) => this.patches(&entry.value, patch_target(node)),
                _ => this.open(&entry.value),
            }),
        }
    }

    /// Patches in a kustomization, as texts or in lists.
    fn patches(&mut self, node: &'n Node, target: Target) {
        match &node.value {
            Value::Scalar(scalar) => {
                let is_text = scalar.text.contains(['\n', '{', ':', '[']);
                let is_hidden = target == Target::Secret
                    || (is_text && target == Target::Unknown && may_hide(&scalar.text));
                self.scalar(node, is_hidden && is_text);
            }
            Value::Seq(items) => items.iter().for_each(|item| match item.as_scalar() {
                Some(_) => self.patches(item, target),
                None => self.open(item),
            }),
            Value::Map(_) => self.open(node),
        }
    }

    fn each(&mut self, node: &'n Node, mut then: impl FnMut(&mut Self, &'n Entry)) {
        if (self.marked)(node.mark.offset) {
            return self.hidden(node);
        }
        for entry in node.as_map().into_iter().flatten() {
            self.key(entry, false);
            if (self.marked)(entry.value.mark.offset) { self.hidden(&entry.value) } else { then(self, entry) }
        }
    }

    fn key(&mut self, entry: &'n Entry, is_hidden: bool) {
        let (offset, text) = (entry.key.mark.offset, entry.key.text.as_str());
        self.spots.push(Spot { offset, text, is_key: true, is_hidden });
    }

    fn scalar(&mut self, node: &'n Node, is_hidden: bool) {
        let Some(scalar) = node.as_scalar() else { return };
        let is_hidden = is_hidden || (self.marked)(node.mark.offset);
        self.spots.push(Spot { offset: node.mark.offset, text: &scalar.text, is_key: false, is_hidden });
    }

    fn hidden(&mut self, node: &'n Node) {
        match &node.value {
            Value::Scalar(_) => self.scalar(node, true),
            Value::Seq(items) => items.iter().for_each(|item| self.hidden(item)),
            Value::Map(map) => map.iter().for_each(|entry| {
                self.key(entry, true);
                self.hidden(&entry.value);
            }),
        }
    }
}

/// Whether the patch next to a selector is for Secrets.
fn patch_target(holder: &Node) -> Target {
    let Some(target) = holder.get("target") else { return Target::Unknown };
    match target.get("kind").and_then(Node::as_text) {
        None | Some("") => Target::Unknown,
        Some(kind) if is_secret(kind) || !kind.chars().all(|c| c.is_ascii_alphanumeric()) => Target::Secret,
        Some(_) => Target::Open,
    }
}

/// Whether a whole Secret is somewhere inside an object.
pub(super) fn has_embedded_secret(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => {
            is_embedded_secret(node) || map.iter().any(|entry| has_embedded_secret(&entry.value))
        }
        Value::Seq(items) => items.iter().any(has_embedded_secret),
        Value::Scalar(_) => false,
    }
}

/// A whole Secret inside another object, not a mere reference to one.
fn is_embedded_secret(node: &Node) -> bool {
    let has_data = |name: &str| {
        let mut keys = node.as_map().into_iter().flatten().map(|entry| entry.key.text.as_str());
        keys.any(|key| key.eq_ignore_ascii_case(name))
    };
    node.get("kind").and_then(Node::as_text).is_some_and(is_secret)
        && (has_data("data") || has_data("stringData"))
}

/// Whether a document without a kind is a kustomization.
fn is_kustomization(node: &Node) -> bool {
    const FIELDS: [&str; 16] = [
        "resources",
        "bases",
        "components",
        "secretGenerator",
        "configMapGenerator",
        "patches",
        "patchesStrategicMerge",
        "patchesJson6902",
        "namePrefix",
        "nameSuffix",
        "images",
        "replacements",
        "commonLabels",
        "generators",
        "transformers",
        "helmCharts",
    ];
    FIELDS.iter().any(|field| node.get(field).is_some())
}
