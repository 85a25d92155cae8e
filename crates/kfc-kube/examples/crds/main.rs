//! Writes the CRDs of a base from those that upstream publishes, for maintainers of the catalogue:
//!
//! ```sh
//! cargo run -p kfc-kube --example crds -- bases/jobset upstream.yaml            # those that the base has
//! cargo run -p kfc-kube --example crds -- bases/kueue upstream.yaml NAME ...    # these, in this order
//! cargo run -p kfc-kube --example crds -- --check bases/kueue upstream.yaml     # compares, and prints a table
//! ```
//!
//! `crds.yaml` gets names, versions, columns and conversion, `crds.types` the schemas. Descriptions are left out, and the
//! messages of rules are those of `messages.txt`: the program fails and lists the rules that have none there.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for maintainers")]

use kfc_diagnostics::{SourceId, Sources, Style};
use kfc_kube::notation::{Notation, write};
use kfc_yaml::emit::emit_all;
use kfc_yaml::parse::parse;
use kfc_yaml::{Map, Node, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

/// Words for people, and fields that an API server does not keep.
const DROPPED: [&str; 5] = ["description", "title", "example", "externalDocs", "$schema"];
/// Fields that say nothing when they are false or empty.
const FLAGS: [&str; 7] = [
    "nullable",
    "uniqueItems",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
];
/// Annotations that an API server or cert-manager reads.
const ANNOTATIONS: [&str; 2] = ["api-approved.kubernetes.io", INJECTED];
/// The certificate of a conversion webhook; without a webhook, cert-manager ignores it.
const INJECTED: &str = "cert-manager.io/inject-ca-from";
/// The fields of a CRD's spec that are carried over.
const SPEC: [&str; 5] = ["conversion", "group", "names", "scope", "versions"];
/// Our message for each rule.
const MESSAGES: &str = include_str!("messages.txt");

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let checks = arguments.first().is_some_and(|first| first == "--check");
    arguments.drain(..usize::from(checks));
    let [base, upstream, names @ ..] = arguments.as_slice() else {
        eprintln!("usage: crds [--check] BASE UPSTREAM.yaml [NAME ...]");
        return ExitCode::FAILURE;
    };
    let done = if checks {
        check(Path::new(base), Path::new(upstream))
    } else {
        update(Path::new(base), Path::new(upstream), names)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The CRDs in a file, by name, in the order of the file.
fn definitions(path: &Path) -> Done<Vec<(String, Node)>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let sources = Sources::default();
    let (id, source) = sources.add(path.to_string_lossy(), text);
    let style = Style { colour: false, width: 120 };
    let nodes =
        parse(&source.text, id).map_err(|errors| kfc_kube::redaction::render(&errors, &sources, style))?;
    let is_crd = |node: &Node| node.get("kind").and_then(Node::as_str) == Some("CustomResourceDefinition");
    let named = |node: Node| Some((node.at(&["metadata", "name"])?.as_text()?.to_owned(), node));
    Ok(nodes.into_iter().filter(is_crd).filter_map(named).collect())
}

/// The schemas of a CRD with the name of each: `JobSet.v1alpha2`.
fn schemas(definition: &mut Node) -> Vec<(String, &mut Node)> {
    let kind =
        definition.at(&["spec", "names", "kind"]).and_then(Node::as_text).unwrap_or_default().to_owned();
    let versions = definition.get_mut("spec").and_then(|spec| spec.get_mut("versions"));
    let versions = versions.and_then(Node::as_seq_mut).into_iter().flatten();
    versions
        .filter_map(|version| {
            let name = format!("{kind}.{}", version.get("name")?.as_text()?);
            Some((name, version.get_mut("schema")?.get_mut("openAPIV3Schema")?))
        })
        .collect()
}

fn update(base: &Path, upstream: &Path, names: &[String]) -> Done<()> {
    let mut found: BTreeMap<String, Node> = definitions(upstream)?.into_iter().collect();
    let own = base.join("crds.yaml");
    let names = match names {
        [] => definitions(&own)?.into_iter().map(|(name, _)| name).collect(),
        names => names.to_vec(),
    };
    let mut cleaner = Cleaner::new();
    let (mut definitions, mut written) = (Vec::new(), Vec::new());
    for name in &names {
        let definition =
            found.remove(name).ok_or_else(|| format!("{name} is not in {}", upstream.display()))?;
        let mut definition = cleaner.definition(&definition);
        for (name, schema) in schemas(&mut definition) {
            let reference = format!("crds.types#{name}");
            let mut map = Map::new();
            map.set("$ref", Node::string(&reference, None));
            written.push((name, std::mem::replace(schema, Node::map(map, None))));
        }
        definitions.push(definition);
    }
    cleaner.missing()?;
    let text = write(written.iter().map(|(name, schema)| (name.clone(), schema)))?;
    let component = base.file_name().unwrap_or_default().to_string_lossy();
    let head = format!("# The schemas of the CRDs of {component}, in the notation of docs/catalogue.md.\n\n");
    std::fs::write(base.join("crds.types"), head + &text)?;
    let parts = emit_all(&definitions.iter().collect::<Vec<_>>()).map_err(|errors| format!("{errors:?}"))?;
    let head = "# The API of this component. `$ref` names a schema in crds.types.\n";
    std::fs::write(own, [head.as_bytes(), &parts.concat()].concat())?;
    Ok(())
}

fn check(base: &Path, upstream: &Path) -> Done<()> {
    let found: BTreeMap<String, Node> = definitions(upstream)?.into_iter().collect();
    let text = std::fs::read_to_string(base.join("crds.types"))?;
    let notation = Notation::parse(&text, SourceId::NONE).map_err(|errors| format!("{errors:?}"))?;
    let mut cleaner = Cleaner::new();
    let mut differences = Vec::new();
    for (name, mut own) in definitions(&base.join("crds.yaml"))? {
        let Some(other) = found.get(&name) else {
            differences.push(format!("{name} is not in {}", upstream.display()));
            continue;
        };
        let count = |definition: &mut Node| {
            let mut counts = Counts::default();
            for (_, schema) in schemas(definition) {
                counts.add(schema);
            }
            counts
        };
        for (_, schema) in schemas(&mut own) {
            let Some(reference) = schema.get("$ref").and_then(Node::as_text) else { continue };
            let name = reference.trim_start_matches("crds.types#").to_owned();
            if let Some(rendered) = notation.render(&name, 8, None)? {
                *schema = Node::map(Map::deferred(rendered), None);
            }
        }
        let mut other = cleaner.definition(other);
        compare(&own, &other, &name, &mut differences);
        println!("| {name} | {} | {} |", count(&mut other), count(&mut own));
    }
    cleaner.missing()?;
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
}

/// Everything in which two trees differ. The order of lists of required fields says nothing.
fn compare(own: &Node, other: &Node, path: &str, found: &mut Vec<String>) {
    match (&own.value, &other.value) {
        (Value::Map(own), Value::Map(other)) => {
            let keys: BTreeSet<&str> =
                own.iter().chain(other.iter()).map(|entry| entry.key.text.as_str()).collect();
            for key in keys {
                let path = format!("{path}.{key}");
                match (own.get(key), other.get(key)) {
                    (Some(own), Some(other)) => compare(own, other, &path, found),
                    (None, _) => found.push(format!("{path} is only upstream")),
                    (_, None) => found.push(format!("{path} is only ours")),
                }
            }
        }
        (Value::Seq(own), Value::Seq(other)) if path.ends_with(".required") => {
            let names = |nodes: &[Node]| nodes.iter().filter_map(Node::as_text).map(str::to_owned).collect();
            let (own, other): (BTreeSet<String>, BTreeSet<String>) = (names(own), names(other));
            if own != other {
                found.push(format!("{path}: {own:?}, upstream {other:?}"));
            }
        }
        (Value::Seq(own), Value::Seq(other)) if own.len() == other.len() => {
            for (at, (own, other)) in own.iter().zip(other).enumerate() {
                compare(own, other, &format!("{path}[{at}]"), found);
            }
        }
        _ if own == other => {}
        _ => found.push(format!("{path} differs")),
    }
}

/// Takes out what is not carried over, and replaces messages.
struct Cleaner {
    messages: BTreeMap<String, String>,
    missing: BTreeSet<String>,
}

impl Cleaner {
    fn new() -> Self {
        let mut messages = BTreeMap::new();
        let mut rule = String::new();
        for line in MESSAGES.lines().filter(|line| !line.starts_with('#')) {
            match line.strip_prefix("  ") {
                Some(message) => drop(messages.insert(std::mem::take(&mut rule), message.to_owned())),
                None if line.starts_with('"') => rule = serde_json::from_str(line).unwrap_or_default(),
                None => line.clone_into(&mut rule),
            }
        }
        Self { messages, missing: BTreeSet::new() }
    }

    fn missing(&self) -> Done<()> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let rules: Vec<&str> = self.missing.iter().map(String::as_str).collect();
        Err(format!("messages.txt has no message for these rules:\n{}", rules.join("\n")).into())
    }

    fn definition(&mut self, upstream: &Node) -> Node {
        let mut definition = Map::new();
        for field in ["apiVersion", "kind"] {
            definition.set(field, upstream.get(field).cloned().unwrap_or_else(|| Node::null(None)));
        }
        let mut metadata = Map::new();
        let mut annotations = Map::new();
        let is_converted = upstream.at(&["spec", "conversion", "webhook"]).is_some();
        for name in ANNOTATIONS.into_iter().filter(|name| is_converted || *name != INJECTED) {
            match upstream.at(&["metadata", "annotations", name]) {
                // A placeholder that nothing replaces: the controller has a certificate of its own.
                Some(value) if value.as_text().is_some_and(|text| text.starts_with("$(")) => {}
                Some(value) => annotations.set(name, value.clone()),
                None => {}
            }
        }
        if !annotations.is_empty() {
            metadata.set("annotations", Node::map(annotations, None));
        }
        metadata.set("name", upstream.at(&["metadata", "name"]).cloned().unwrap_or_else(|| Node::null(None)));
        definition.set("metadata", Node::map(metadata, None));
        let mut spec = upstream.get("spec").cloned().unwrap_or_else(|| Node::map(Map::new(), None));
        if let Some(map) = spec.as_map_mut() {
            map.retain(|entry| {
                let field = entry.key.text.as_str();
                // An API server sets the strategy itself.
                let is_default = entry.value.get("strategy").and_then(Node::as_text) == Some("None");
                SPEC.contains(&field) && !(field == "conversion" && is_default)
            });
        }
        for version in spec.get_mut("versions").and_then(Node::as_seq_mut).into_iter().flatten() {
            for column in
                version.get_mut("additionalPrinterColumns").and_then(Node::as_seq_mut).into_iter().flatten()
            {
                column.as_map_mut().into_iter().for_each(|column| drop(column.remove("description")));
            }
            if let Some(map) = version.as_map_mut() {
                // An API server has words of its own, which name the version to use.
                map.remove("deprecationWarning");
                let is_empty = |node: &Node| {
                    node.as_seq().is_some_and(<[Node]>::is_empty) || node.as_text() == Some("false")
                };
                map.retain(|entry| {
                    let may_go =
                        ["additionalPrinterColumns", "deprecated"].contains(&entry.key.text.as_str());
                    !(may_go && is_empty(&entry.value))
                });
            }
            if let Some(schema) =
                version.get_mut("schema").and_then(|schema| schema.get_mut("openAPIV3Schema"))
            {
                self.schema(schema);
            }
        }
        definition.set("spec", spec);
        Node::map(definition, None)
    }

    fn schema(&mut self, schema: &mut Node) {
        let Some(map) = schema.as_map_mut() else { return };
        map.retain(|entry| {
            let field = entry.key.text.as_str();
            let is_false = entry.value.as_text() == Some("false");
            let is_empty = entry.value.as_seq().is_some_and(<[Node]>::is_empty)
                || entry.value.as_map().is_some_and(Map::is_empty);
            let says_nothing = (FLAGS.contains(&field) && is_false)
                || (["properties", "required", "x-kubernetes-list-map-keys"].contains(&field) && is_empty);
            !DROPPED.contains(&field) && !says_nothing
        });
        for property in
            map.get_mut("properties").and_then(Node::as_map_mut).into_iter().flat_map(Map::iter_mut)
        {
            self.schema(&mut property.value);
        }
        for field in ["items", "additionalProperties", "not"] {
            map.get_mut(field).into_iter().for_each(|schema| self.schema(schema));
        }
        for field in ["allOf", "anyOf", "oneOf"] {
            let all = map.get_mut(field).and_then(Node::as_seq_mut);
            all.into_iter().flatten().for_each(|schema| self.schema(schema));
        }
        let Some(rules) = map.get_mut("x-kubernetes-validations").and_then(Node::as_seq_mut) else { return };
        // Server-side apply refuses a rule that is defined more than once.
        let mut known = BTreeSet::new();
        rules.retain(|rule| known.insert(rule.get("rule").and_then(Node::as_text).map(str::to_owned)));
        for rule in rules.iter_mut().filter_map(Node::as_map_mut) {
            let Some(text) = rule.get("rule").and_then(Node::as_text).map(str::to_owned) else { continue };
            match self.messages.get(&text) {
                _ if !rule.contains("message") => {}
                Some(message) => rule.set("message", Node::string(message, None)),
                None => drop(self.missing.insert(text)),
            }
        }
    }
}

/// How much a schema says.
#[derive(Default)]
struct Counts {
    fields: usize,
    defaults: usize,
    enums: usize,
    limits: usize,
    rules: usize,
    lists: usize,
}

impl Counts {
    fn add(&mut self, schema: &Node) {
        const LIMITS: [&str; 10] = [
            "pattern",
            "minimum",
            "maximum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "format",
            "multipleOf",
            "exclusiveMinimum",
        ];
        let Some(map) = schema.as_map() else { return };
        let has = |field: &str| usize::from(map.contains(field));
        self.defaults += has("default");
        self.enums += has("enum");
        self.limits += LIMITS.into_iter().map(has).sum::<usize>();
        self.rules += map.get("x-kubernetes-validations").and_then(Node::as_seq).unwrap_or_default().len();
        self.lists +=
            usize::from(map.contains("x-kubernetes-list-type") || map.contains("x-kubernetes-map-type"));
        for property in map.get("properties").and_then(Node::as_map).into_iter().flatten() {
            self.fields += 1;
            self.add(&property.value);
        }
        for field in ["items", "additionalProperties", "not"] {
            map.get(field).into_iter().for_each(|schema| self.add(schema));
        }
        for field in ["allOf", "anyOf", "oneOf"] {
            map.get(field).and_then(Node::as_seq).into_iter().flatten().for_each(|schema| self.add(schema));
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { fields, defaults, enums, limits, rules, lists } = self;
        write!(
            f,
            "{fields} fields, {defaults} defaults, {enums} enums, {limits} limits, {rules} rules, {lists} list and map types"
        )
    }
}
