//! Checks whether a value fits its shape, field by field.

use super::duplicates;
use super::equality::are_equal;
use super::finding::Finding;
use super::fit::Fit;
use super::format::Format;
use super::limits;
use super::path::{Path, name};
use super::resource;
use super::shape::{Kind, Limits, Others, Shape, ShapeId, Shapes};
use super::table::field_spans;
use compact_str::CompactString;
use kfc_diagnostics::{Code, Mark, nearest};
use kfc_kube::Quantity;
use kfc_yaml::{Entry, Map, Node, Scalar, ScalarKind, Value, emit};

/// Allowed values that a message lists.
const LISTED: usize = 12;

impl Fit<'_> {
    /// Checks a value. `place` is the location to report for a value that has none itself.
    pub(super) fn check(&mut self, node: &Node, id: ShapeId, path: &Path<'_>, place: Option<Mark>) {
        let shapes = self.shapes;
        let shape = shapes.get(id);
        let place = placed(node.mark, place);
        if !shape.choices.is_empty() {
            return self.choose(node, shape, path, place);
        }
        if node.is_null() {
            if !shape.nullable && shape.default.is_none() && shape.kind != Kind::Any {
                self.wrong_type(node, shape, path, place);
            }
            return;
        }
        let fits = match (&node.value, shape.kind) {
            (Value::Map(map), Kind::Object) => {
                self.object(map, shape, path, place);
                true
            }
            (Value::Map(map), Kind::Any) if !shape.fields.is_empty() || !shape.required.is_empty() => {
                self.object(map, shape, path, place);
                true
            }
            (Value::Seq(items), Kind::Array | Kind::Any) => {
                self.array(items, shape, path, place);
                true
            }
            (_, Kind::Any) => true,
            (Value::Scalar(scalar), kind) => self.scalar(scalar, kind, shape, path, place),
            _ => false,
        };
        if !fits {
            return self.wrong_type(node, shape, path, place);
        }
        if !shape.values.is_empty() && !self.is_listed(node, shape) {
            self.not_listed(node, shape, path, place);
        }
        if let Some(limits) = &shape.limits {
            limits::check(self, node, limits, path, place);
            joined(self, node, limits, path, place);
        }
    }

    /// Checks the value against the choice for its kind.
    fn choose(&mut self, node: &Node, shape: &Shape, path: &Path<'_>, place: Option<Mark>) {
        let shapes = self.shapes;
        let kind = match &node.value {
            Value::Map(_) => Kind::Object,
            Value::Seq(_) => Kind::Array,
            Value::Scalar(scalar) if scalar.kind == ScalarKind::Bool => Kind::Boolean,
            Value::Scalar(_) if node.is_null() => return,
            Value::Scalar(_) => Kind::String,
        };
        if let Some(choice) = shape.choices.iter().find(|choice| shapes.get(**choice).kind == kind) {
            self.check(node, *choice, path, place);
        } else {
            let expected: Vec<&str> =
                shape.choices.iter().map(|id| shapes.get(*id).kind.describe()).collect();
            let message =
                format!("{} must be {}, but it is {}", name(path), expected.join(" or "), node.describe());
            self.found.error(Code::ValueType, path, place, message);
        }
    }

    fn wrong_type(&mut self, node: &Node, shape: &Shape, path: &Path<'_>, place: Option<Mark>) {
        let expected = shape.kind.describe();
        let message = format!("{} must be {expected}, but it is {}", name(path), node.describe());
        let diagnostic = self.found.error(Code::ValueType, path, place, message);
        if let (Value::Scalar(scalar), Kind::String) = (&node.value, shape.kind)
            && scalar.kind != ScalarKind::Null
        {
            diagnostic.help = Some(format!("write it in quotes: \"{}\"", scalar.text));
        }
        if let (Value::Scalar(scalar), Kind::Integer | Kind::Number | Kind::Boolean) =
            (&node.value, shape.kind)
            && scalar.is_quoted()
            && scalar.kind == ScalarKind::Str
        {
            diagnostic.help = Some("write it without quotes".to_owned());
        }
    }

    /// A mapping with its fields.
    fn object(&mut self, map: &Map, shape: &Shape, path: &Path<'_>, place: Option<Mark>) {
        for entry in map {
            let key = entry.key.text.as_str();
            let below = path.field(key);
            if shape.embedded && key == "metadata" {
                self.metadata(&entry.value, &below, placed(entry.key.mark, place));
            }
            match (shape.fields.get(key), shape.others) {
                (Some(field), _) => self.check(&entry.value, *field, &below, placed(entry.key.mark, place)),
                (None, Others::Shaped(other)) => {
                    self.check(&entry.value, other, &below, placed(entry.key.mark, place));
                }
                (None, Others::Kept) => {}
                (None, Others::Refused) => self.unknown(entry, map, shape, path, place),
            }
        }
        for field in &shape.required {
            let value = map.get(field);
            let is_there = value.is_some_and(|value| !(self.null_is_nothing && value.is_null()));
            let has_default =
                shape.fields.get(field).is_some_and(|id| self.shapes.get(*id).default.is_some());
            if !is_there && !has_default {
                let message = format!("{} has no `{field}`, which is required", whole(path));
                self.found.error(Code::ValueMissing, &path.field(field), place, message);
            }
        }
    }

    /// `metadata` of an object inside a custom resource, and of the custom resource itself.
    fn metadata(&mut self, node: &Node, path: &Path<'_>, place: Option<Mark>) {
        let table = self.table;
        let (Some(id), false) = (table.metadata(), node.is_null()) else { return };
        let mut fit = Fit { shapes: &table.shapes, table, null_is_nothing: true, found: self.found.empty() };
        fit.check(node, id, path, place);
        self.found.list.append(&mut fit.found.list);
        // Those of the resource itself are checked with its name.
        if path.to_string() != "metadata" {
            resource::check_texts(node, &mut self.found);
        }
    }

    fn unknown(&mut self, entry: &Entry, map: &Map, shape: &Shape, path: &Path<'_>, place: Option<Mark>) {
        let key = entry.key.text.as_str();
        let message = format!("{} has no field `{key}`", described(shape, path));
        let place = placed(entry.key.mark, place);
        let version = self.table.version;
        let diagnostic = self.found.error(Code::ValueUnknown, &path.field(key), place, message);
        let spans = if shape.name.is_empty() { Vec::new() } else { field_spans(&shape.name, key) };
        let later = spans.iter().find(|span| span.first > version);
        if let Some(span) = later {
            diagnostic.help =
                Some(format!("the field exists since Kubernetes {}, but this is {version}", span.first));
        } else if let Some(span) = spans.first() {
            diagnostic.help = Some(format!("the field was removed after Kubernetes {}", span.last));
        } else {
            // A field that the mapping already has was hardly meant.
            let free =
                shape.fields.keys().map(CompactString::as_str).filter(|field| map.get(field).is_none());
            let near = nearest(key, free).map(|near| format!("did you mean `{near}`?"));
            diagnostic.help = near.or_else(|| deeper(self.shapes, shape, key));
        }
    }

    /// A list with its items.
    fn array(&mut self, items: &[Node], shape: &Shape, path: &Path<'_>, place: Option<Mark>) {
        let Some(id) = shape.items else { return };
        for (index, item) in items.iter().enumerate() {
            self.check(item, id, &path.item(index), place);
        }
        duplicates::check(self, items, shape, path, place);
    }

    /// Whether a scalar is of a kind; reports what is wrong with its form.
    fn scalar(
        &mut self,
        scalar: &Scalar,
        kind: Kind,
        shape: &Shape,
        path: &Path<'_>,
        place: Option<Mark>,
    ) -> bool {
        use ScalarKind::{Binary, Bool, Float, Int, Str, Timestamp};
        let is_text = matches!(scalar.kind, Str | Timestamp | Binary);
        match kind {
            Kind::String if is_text => self.format(scalar, shape, path, place),
            Kind::IntOrString | Kind::Integer if scalar.kind == Int => self.range(scalar, shape, path, place),
            Kind::IntOrString => return is_text,
            Kind::Integer => {
                let number = emit::go_float(&scalar.text).filter(|_| scalar.kind == Float);
                return number.is_some_and(|number| number.fract() == 0.0);
            }
            Kind::Number => return matches!(scalar.kind, Int | Float),
            Kind::Boolean => return scalar.kind == Bool,
            Kind::Quantity if is_text || matches!(scalar.kind, Int | Float) => {
                if Quantity::parse(&scalar.text).is_none() {
                    let message = format!("{} is not a quantity", quoted(scalar, path));
                    let diagnostic = self.found.error(Code::ValueFormat, path, place, message);
                    diagnostic.help = Some("write it as `500m`, `2`, `1.5Gi` or `10G`".to_owned());
                }
            }
            _ => return false,
        }
        true
    }

    fn format(&mut self, scalar: &Scalar, shape: &Shape, path: &Path<'_>, place: Option<Mark>) {
        let Some(format) = shape.format else { return };
        let is_unset = self.null_is_nothing && scalar.text.is_empty();
        if !is_unset && scalar.kind != ScalarKind::Timestamp && !format.holds(&scalar.text) {
            let message = format!("{} must be {}", quoted(scalar, path), format.describe());
            self.found.error(Code::ValueFormat, path, place, message);
        }
    }

    fn range(&mut self, scalar: &Scalar, shape: &Shape, path: &Path<'_>, place: Option<Mark>) {
        let number = emit::go_integer(&scalar.text);
        let fits = match shape.format {
            // Older servers do not compare those of custom resources with their format.
            Some(Format::Int32) if self.null_is_nothing || self.table.version.0 >= 36 => {
                number.is_some_and(|number| i32::try_from(number).is_ok())
            }
            _ => number.is_some_and(|number| i64::try_from(number).is_ok()),
        };
        if !fits {
            let format = shape.format.unwrap_or(Format::Int64);
            let message = format!("{} must be {}", quoted(scalar, path), format.describe());
            self.found.error(Code::ValueFormat, path, place, message);
        }
    }

    fn is_listed(&self, node: &Node, shape: &Shape) -> bool {
        // An empty text is the default for the types of Kubernetes.
        let is_unset = || self.null_is_nothing && node.as_str() == Some("");
        shape.values.iter().any(|value| are_equal(value, node)) || is_unset()
    }

    fn not_listed(&mut self, node: &Node, shape: &Shape, path: &Path<'_>, place: Option<Mark>) {
        let allowed: Vec<&str> = shape.values.iter().filter_map(Node::as_text).collect();
        let what = node.as_scalar().map_or_else(|| name(path), |scalar| quoted(scalar, path));
        let message = format!("{what} is not allowed");
        let near = node.as_text().and_then(|text| nearest(text, allowed.iter().copied()));
        let listed =
            allowed.iter().take(LISTED).map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ");
        let more = if allowed.len() > LISTED { ", …" } else { "" };
        let diagnostic = self.found.error(Code::ValueNotAllowed, path, place, message);
        diagnostic.help = near.map(|near| format!("did you mean `{near}`?"));
        diagnostic.notes.push(format!("allowed are {listed}{more}"));
    }
}

/// A location, or the one around it for what has none.
fn placed(mark: Mark, around: Option<Mark>) -> Option<Mark> {
    mark.known().or(around)
}

/// How messages name a value without one of its parts.
fn whole(path: &Path<'_>) -> String {
    match path.last() {
        Some(name) => format!("`{name}`"),
        None => "this resource".to_owned(),
    }
}

fn described(shape: &Shape, path: &Path<'_>) -> String {
    let type_name = shape.name.rsplit('.').next().filter(|name| !name.is_empty());
    match (type_name, path.last()) {
        (Some(name), None) => name.to_owned(),
        (Some(type_name), Some(name)) => format!("`{name}` ({type_name})"),
        (None, _) => whole(path),
    }
}

/// A field with its value, which is left out when it may be a secret or long.
fn quoted(scalar: &Scalar, path: &Path<'_>) -> String {
    let hidden = path.is_below("data") || path.is_below("stringData");
    match scalar.text.chars().count() {
        0..=60 if !hidden => format!("{}: `{}`", name(path).trim_matches('`'), scalar.text),
        _ => format!("the value of {}", name(path)),
    }
}

/// A suggestion for a field that belongs one level down: `replicas` beside `spec`.
fn deeper(shapes: &Shapes, shape: &Shape, key: &str) -> Option<String> {
    let mut homes: Vec<&str> = shape
        .fields
        .iter()
        .filter(|(name, id)| name.as_str() != "status" && shapes.get(**id).fields.contains_key(key))
        .map(|(name, _)| name.as_str())
        .collect();
    homes.sort_unstable();
    homes.first().map(|home| format!("it belongs below `{home}`"))
}

/// `allOf`, `anyOf`, `oneOf` and `not`.
fn joined(fit: &mut Fit<'_>, node: &Node, limits: &Limits, path: &Path<'_>, place: Option<Mark>) {
    for id in &limits.all_of {
        fit.check(node, *id, path, place);
    }
    let attempts = |fit: &Fit<'_>, ids: &[ShapeId]| -> Vec<Vec<Finding>> {
        let attempt = |id: &ShapeId| {
            let mut apart = fit.apart();
            apart.check(node, *id, path, place);
            apart.found.list
        };
        ids.iter().map(attempt).collect()
    };
    if !limits.any_of.is_empty() {
        let attempts = attempts(fit, &limits.any_of);
        if attempts.iter().all(|found| !found.is_empty()) {
            no_choice(fit, &attempts, "anyOf", path, place);
        }
    }
    if !limits.one_of.is_empty() {
        let attempts = attempts(fit, &limits.one_of);
        match attempts.iter().filter(|found| found.is_empty()).count() {
            1 => {}
            0 => no_choice(fit, &attempts, "oneOf", path, place),
            several => {
                let message =
                    format!("{} fits {several} schemas of `oneOf`, expected exactly one", name(path));
                fit.beyond(path, place, message);
            }
        }
    }
    if let Some(id) = limits.not
        && attempts(fit, &[id]).iter().all(Vec::is_empty)
    {
        fit.beyond(path, place, format!("{} has the form that `not` forbids", name(path)));
    }
}

/// No schema fits: reports why for each of them.
fn no_choice(fit: &mut Fit<'_>, attempts: &[Vec<Finding>], word: &str, path: &Path<'_>, place: Option<Mark>) {
    let message = format!("{} fits no schema of `{word}`", name(path));
    let diagnostic = fit.beyond(path, place, message);
    let reasons = attempts.iter().filter_map(|found| found.first()).map(|first| &first.diagnostic.message);
    let mut reasons: Vec<String> = reasons.map(|reason| format!("either {reason}")).collect();
    reasons.dedup();
    diagnostic.notes.extend(reasons.into_iter().take(5));
}
