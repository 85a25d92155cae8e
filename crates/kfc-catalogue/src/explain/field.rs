//! Field paths as people write them: `spec.containers[0].image`, `spec.containers[name=app].image`,
//! `metadata.labels['app.kubernetes.io/name']`, `/spec/containers/0/image`.

use kfc_diagnostics::{Code, Diagnostic, Result, nearest};
use kfc_kustomize::redaction as resources;
use kfc_kustomize::resource::Resource;
use kfc_yaml::field_path::{self, ItemStep, KeyStep, WrittenStep as Step};
use kfc_yaml::{Node, Value};
use std::fmt;

/// A path as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    text: String,
    steps: Vec<Step>,
}

/// One step of a path that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A key of a mapping.
    Key(String),
    /// An index of a list.
    Index(usize),
}

/// A field of a resource.
#[derive(Clone, Debug)]
pub struct Field<'n> {
    /// Its path.
    pub segments: Vec<Segment>,
    /// Its value.
    pub node: &'n Node,
}

impl FieldPath {
    /// Reads a path: dots between keys, `[0]` and `[name=x]` for items of lists, `['a.b/c']` for any key; `\.` is a dot
    /// in a key. A path that begins with a slash is a JSON pointer.
    ///
    /// # Errors
    /// [`Code::ExplainedField`] for brackets and quotes that are not closed, and empty parts.
    pub fn parse(text: &str) -> Result<Self> {
        let steps = field_path::read(text).map_err(|why| {
            let message = format!("`{text}` is not a field path: {why}");
            let help = "write keys with dots between them, `[0]` or `[name=x]` for items, `['a.b/c']` for keys with dots";
            Diagnostic::error(Code::ExplainedField, message).help(help)
        })?;
        Ok(Self { text: text.to_owned(), steps })
    }

    /// Finds the field in a resource. Where a mapping has no such key, it is tried joined with the parts after it, so
    /// that `metadata.annotations.example.com/a` needs no quotes.
    ///
    /// # Errors
    /// [`Code::ExplainedField`] when it does not exist, with the step that removed it or a suggestion.
    pub fn find<'n>(&self, resource: &'n Resource) -> Result<Field<'n>> {
        let mut field = Field { segments: Vec::new(), node: &resource.node };
        let mut rest = self.steps.as_slice();
        while let Some((first, _)) = rest.split_first() {
            let Some((segment, node, taken)) = step_into(field.node, rest) else {
                return Err(self.missing(resource, &field, first).into());
            };
            field.segments.push(segment);
            field.node = node;
            rest = &rest[taken..];
        }
        Ok(field)
    }

    fn missing(&self, resource: &Resource, reached: &Field<'_>, step: &Step) -> Diagnostic {
        let name = format!("{} `{}`", resource.kind(), resource.name());
        let place = Shown(&reached.segments).to_string();
        let step = text_of(step);
        let holder = if place.is_empty() { name.clone() } else { format!("`{place}` of {name}") };
        let error = match &reached.node.value {
            Value::Map(_) => format!("{holder} has no field `{step}`"),
            Value::Seq(items) => format!("{holder} has {} items, but no `{step}`", items.len()),
            Value::Scalar(_) => format!("{holder} is {}, so it has no `{step}`", reached.node.describe()),
        };
        let error = Diagnostic::error(Code::ExplainedField, error);
        if let Some(removal) =
            resource.history().removals(reached.node.mark).find(|removal| removal.key == step)
        {
            return error.at(removal.step.place).note(format!("`{}` removed it", removal.step.kind));
        }
        let keys: Vec<&str> = reached
            .node
            .as_map()
            .into_iter()
            .flatten()
            .filter(|entry| !resources::is_copied_key(resource, entry))
            .map(|entry| entry.key.text.as_str())
            .collect();
        match nearest(&step, keys.iter().copied()) {
            Some(near) => {
                let mut segments = reached.segments.clone();
                segments.push(Segment::Key(near.to_owned()));
                error.help(format!("did you mean `{}`?", Shown(&segments)))
            }
            None if keys.is_empty() => {
                error.help(format!("`{}` is longer than the fields are deep", self.text))
            }
            None => error.help(format!("it has {}", keys.join(", "))),
        }
    }
}

/// One step into a node: the value, and the number of steps of the path that it used.
fn step_into<'n>(node: &'n Node, steps: &[Step]) -> Option<(Segment, &'n Node, usize)> {
    let first = steps.first()?;
    match &node.value {
        Value::Scalar(_) => None,
        Value::Map(map) => {
            let key = match first {
                Step::Word(key) | Step::Key(key) => key.clone(),
                Step::Index(index) => index.to_string(),
                Step::Item(_) | Step::Named(_) => return None,
            };
            if let Some(found) = map.get(&key) {
                return Some((Segment::Key(key), found, 1));
            }
            let mut joined = key;
            for (at, step) in steps.iter().enumerate().skip(1) {
                let Step::Word(word) = step else { return None };
                joined = format!("{joined}.{word}");
                if let Some(found) = map.get(&joined) {
                    return Some((Segment::Key(joined), found, at + 1));
                }
            }
            None
        }
        Value::Seq(items) => {
            let at = position(items, first)?;
            items.get(at).map(|item| (Segment::Index(at), item, 1))
        }
    }
}

fn text_of(step: &Step) -> String {
    match step {
        Step::Word(text) | Step::Key(text) => text.clone(),
        Step::Index(index) => index.to_string(),
        Step::Item(pairs) => ItemStep(pairs).to_string(),
        Step::Named(name) => format!("[{name}]"),
    }
}

/// The position of the item that a step names; a single value names the one item that has it under a key that identifies
/// items.
fn position(items: &[Node], step: &Step) -> Option<usize> {
    let has = |item: &Node, key: &str, wanted: &str| {
        let value = if key.is_empty() { Some(item) } else { item.get(key) };
        value.and_then(Node::as_text) == Some(wanted)
    };
    match step {
        Step::Index(index) => Some(*index),
        Step::Word(word) => word.parse().ok(),
        Step::Key(_) => None,
        Step::Item(pairs) => {
            items.iter().position(|item| pairs.iter().all(|(key, wanted)| has(item, key, wanted)))
        }
        Step::Named(wanted) => {
            let keys = [
                "name",
                "mountPath",
                "containerPort",
                "port",
                "ip",
                "devicePath",
                "topologyKey",
                "type",
                "key",
                "",
            ];
            keys.iter().find_map(|key| items.iter().position(|item| has(item, key, wanted)))
        }
    }
}

impl Field<'_> {
    /// The path as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        let part = |segment: &Segment| match segment {
            Segment::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Index(index) => format!("/{index}"),
        };
        self.segments.iter().map(part).collect()
    }
}

/// The path with dots and brackets, which can be read again.
impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.segments).fmt(f)
    }
}

struct Shown<'s>(&'s [Segment]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => KeyStep { key, is_first: at == 0 }.fmt(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::FieldPath;
    use kfc_diagnostics::SourceId;
    use kfc_kustomize::resource::Resource;
    use kfc_yaml::parse::parse;
    use proptest::prelude::*;

    fn resource() -> Resource {
        let text = "{kind: Foo, metadata: {name: f, annotations: {a.b/c: x, 'd''e': y}}, \
                    spec: {list: [{name: x, v: 1}, {name: y, v: 2}], args: [a, b], '0': z}}";
        Resource::new(parse(text, SourceId::NONE).unwrap().remove(0), false)
    }

    fn found(path: &str) -> Result<(String, String), String> {
        let resource = resource();
        let error = |errors: kfc_diagnostics::Diagnostics| {
            let error = &errors.0[0];
            format!("{} / {}", error.message, error.help.as_deref().unwrap_or(""))
        };
        let field = FieldPath::parse(path).map_err(error)?.find(&resource).map_err(error)?;
        Ok((field.to_string(), field.node.as_text().unwrap_or("-").to_owned()))
    }

    #[test]
    fn all_ways_to_write_a_path_lead_to_the_field() {
        let cases = [
            ("spec.list[1].v", "spec.list[1].v", "2"),
            ("spec.list[name=y].v", "spec.list[1].v", "2"),
            ("spec.list[y].v", "spec.list[1].v", "2"),
            ("spec.list.[name=y,v=2].v", "spec.list[1].v", "2"),
            (".spec.list.1.v", "spec.list[1].v", "2"),
            ("/spec/list/1/v", "spec.list[1].v", "2"),
            ("spec.args[=b]", "spec.args[1]", "b"),
            ("metadata.annotations['a.b/c']", "metadata.annotations['a.b/c']", "x"),
            ("metadata.annotations.a.b/c", "metadata.annotations['a.b/c']", "x"),
            (r"metadata.annotations.a\.b/c", "metadata.annotations['a.b/c']", "x"),
            ("/metadata/annotations/a.b~1c", "metadata.annotations['a.b/c']", "x"),
            ("metadata.annotations[\"d'e\"]", "metadata.annotations[\"d'e\"]", "y"),
            ("spec['0']", "spec.0", "z"),
        ];
        for (path, shown, value) in cases {
            assert_eq!(found(path), Ok((shown.to_owned(), value.to_owned())), "{path}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong_with_a_path() {
        let cases = [
            ("spec.lst", "did you mean `spec.list`?"),
            ("spec.list[7]", "has 2 items, but no `7`"),
            ("metadata.name.x", "so it has no `x`"),
            ("spec.", "it ends in a dot"),
            ("spec..x", "one of its parts is empty"),
            ("spec['x]", "a quote is not closed"),
            ("spec[x", "a bracket is not closed"),
            ("spec.list[z]", "but no `[z]`"),
            ("spec.list[0]x", "expected a dot after `]`"),
        ];
        for (path, expected) in cases {
            let error = found(path).unwrap_err();
            assert!(error.contains(expected), "{path}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_shown_leads_back(text in "[a-z.\\[\\]='\"/0-9\\\\]{0,12}") {
            if let Ok((shown, value)) = found(&text) {
                prop_assert_eq!(found(&shown), Ok((shown.clone(), value)));
            }
        }
    }
}
