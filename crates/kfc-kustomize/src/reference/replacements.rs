//! `replacements`: a value that is copied from one field to others.

use super::field_path::{self, Kind};
use super::structured::{self, Outcome, insert_part};
use crate::kustomization::model::{FieldOptions, Replacement, ReplacementSource, ReplacementTarget};
use crate::provenance::{Step, StepKind};
use crate::redaction;
use crate::resource::{CompiledSelector, Excerpt, Resource, ResourceSet, Selector};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use kfc_kube::ResId;
use kfc_kube::effective_namespace;
use kfc_yaml::parse::{DEEPEST, resolve_plain};
use kfc_yaml::size::{Size, TOO_LARGE};
use kfc_yaml::{Node, Scalar, ScalarKind, Spanned, Spelling, Value};
use std::sync::LazyLock;

/// The field of sources and targets that name none.
const DEFAULT_PATH: &str = "metadata.name";

/// Applies replacements in order.
///
/// # Errors
/// [`Code::Replacement`] for sources that do not exist or match several resources, and for targets without the field.
pub fn apply(set: &mut ResourceSet, replacements: &[Replacement]) -> Result<()> {
    let mut errors = Diagnostics::default();
    for replacement in replacements {
        errors.collect(apply_one(set, replacement));
    }
    errors.into_result(())
}

fn apply_one(set: &mut ResourceSet, replacement: &Replacement) -> Result<()> {
    let (value, is_decrypted) = match (&replacement.source, &replacement.source_value) {
        (Some(source), None) => source_value(set, source)?,
        (None, Some(value)) => (given_value(value), false),
        (None, None) => {
            let error = wrong(replacement.mark, "a replacement needs a `source` or a `sourceValue`");
            return Err(error.into());
        }
        (Some(source), Some(value)) => {
            let error = wrong(value.mark, "a replacement has either `source` or `sourceValue`, not both");
            return Err(error.label_or_note(source.mark, "the source is here").into());
        }
    };
    if replacement.targets.is_empty() {
        return Err(wrong(replacement.mark, "a replacement needs at least one target").into());
    }
    let mut errors = Diagnostics::default();
    let step = step(replacement);
    let step = if is_decrypted { step.with_decrypted_input() } else { step };
    for target in &replacement.targets {
        errors.collect(apply_target(set, target, &value, &step));
    }
    errors.into_result(())
}

/// The step that an entry asks for.
pub(crate) fn step(replacement: &Replacement) -> Step {
    let from = replacement.source.as_ref().map_or_else(
        || "from `sourceValue`".to_owned(),
        |source| {
            let Selector { gvk, name, .. } = &source.resource;
            let path = if source.field_path.is_empty() { DEFAULT_PATH } else { &source.field_path };
            format!("from {} {name} {path}", if gvk.kind.is_empty() { "the resource" } else { &gvk.kind })
        },
    );
    Step::new(StepKind::Replacements, replacement.mark).with_details(from)
}

fn wrong(mark: Option<Mark>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::Replacement, message).at(mark)
}

/// A namespace, or `default` for none. Replacements do not ask whether a kind lives in a namespace at all.
fn or_default(namespace: &str) -> &str {
    effective_namespace(namespace, false)
}

/// `sourceValue`: a scalar without a type, as if it was written without quotes.
fn given_value(value: &Spanned<String>) -> Excerpt {
    let kind = resolve_plain(&value.value);
    Excerpt::written(Node::scalar(value.value.as_str().into(), kind, value.mark))
}

/// The value of a source, and whether it is from a resource that was decrypted.
fn source_value(set: &ResourceSet, source: &ReplacementSource) -> Result<(Excerpt, bool)> {
    let wanted = &source.resource;
    let fits = |id: &ResId| {
        (wanted.name.is_empty() || wanted.name == id.name)
            && (wanted.namespace.is_empty() || or_default(&wanted.namespace) == or_default(&id.namespace))
            && wanted.gvk.selects(&id.gvk)
    };
    let found: Vec<&Resource> =
        set.list.iter().filter(|r| r.ids_for_replacements().any(|id| fits(&id))).collect();
    let resource = match found.as_slice() {
        [resource] => resource,
        [] => return Err(no_source(set, source).into()),
        several => {
            let message = format!("the source of this replacement is {} resources, not one", several.len());
            let error =
                wrong(source.mark, message).help("add a name, kind or namespace that only one of them has");
            return Err(several
                .iter()
                .take(5)
                .fold(error, |e, r| e.label(r.mark(), "this is one of them"))
                .into());
        }
    };
    let path = if source.field_path.is_empty() { DEFAULT_PATH } else { &source.field_path };
    let steps = field_path::split_source(path);
    let found = field_path::lookup(&resource.node, &steps).map_err(|error| resource.located(error))?;
    if let Some(node) = found.filter(|node| !is_empty(node)) {
        let refined = refine(node, &source.options, source.mark);
        let value = refined.map_err(|errors| redaction::redacted_errors(errors, resource, false))?;
        Ok((resource.excerpt(value), resource.is_decrypted))
    } else {
        let (place, what, near) = field_path::explain_missing(&resource.node, &steps);
        let message = format!("{} `{}` has no value at `{path}`", resource.kind(), resource.name());
        let error = wrong(source.mark, message).label(resource.location(place), what);
        Err(error.helped(near).into())
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => scalar.kind == ScalarKind::Null,
        Value::Map(map) => map.is_empty(),
        Value::Seq(items) => items.is_empty(),
    }
}

fn no_source(set: &ResourceSet, source: &ReplacementSource) -> Diagnostic {
    let Selector { gvk, name, .. } = &source.resource;
    let kind = if gvk.kind.is_empty() { "resource" } else { &gvk.kind };
    let error =
        wrong(source.mark, format!("the source of this replacement, {kind} `{name}`, does not exist"));
    let same_kind = set.list.iter().filter(|r| gvk.kind.is_empty() || r.kind() == gvk.kind);
    match nearest(name, same_kind.map(|resource| resource.name())) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

/// The part of a source's value that its options ask for.
fn refine(node: &Node, options: &FieldOptions, mark: Option<Mark>) -> Result<Node> {
    if options.delimiter.is_empty() {
        return Ok(node.clone());
    }
    let Some(scalar) = node.as_scalar() else {
        return Err(
            wrong(mark, format!("`delimiter` splits text, but the source is {}", node.describe())).into()
        );
    };
    let mut parts = scalar.text.split(options.delimiter.as_str());
    if let Some(part) = usize::try_from(options.index).ok().and_then(|index| parts.nth(index)) {
        Ok(Node::scalar(part.into(), scalar.kind, node.mark))
    } else {
        let message =
            format!("`{}` has no part {} between `{}`", scalar.text, options.index, options.delimiter);
        Err(wrong(mark, message).help("parts count from 0").into())
    }
}

/// The resources that a target means.
struct Choice {
    select: CompiledSelector,
    reject: Vec<CompiledSelector>,
}

fn apply_target(
    set: &mut ResourceSet,
    target: &ReplacementTarget,
    value: &Excerpt,
    step: &Step,
) -> Result<()> {
    let Some(select) = &target.select else {
        return Err(wrong(target.mark, "a target needs `select`").into());
    };
    let reject = target.reject.iter().map(Selector::compile).collect::<Result<Vec<_>>>()?;
    let choice = Choice { select: select.compile()?, reject };
    let mut errors = Diagnostics::default();
    for resource in &mut set.list {
        if choice.select.matches_any_id(resource) && !choice.reject.iter().any(|r| r.rejects(resource)) {
            errors.collect(copy_to(resource, target, value, step));
            resource.edit(step).update_shared();
        }
    }
    errors.into_result(())
}

fn copy_to(resource: &mut Resource, target: &ReplacementTarget, value: &Excerpt, step: &Step) -> Result<()> {
    let default = Spanned { value: DEFAULT_PATH.to_owned(), mark: target.mark };
    let paths =
        if target.field_paths.is_empty() { std::slice::from_ref(&default) } else { &target.field_paths };
    for path in paths {
        let steps = field_path::split_replacement(path);
        let create = target.options.create.then(|| Kind::of(value));
        // Whatever an annotation is, kustomize makes a text of it in the end.
        let is_annotation = steps.starts_with(&["metadata".to_owned(), "annotations".to_owned()]);
        let mut growth = Growth::new(&resource.node, value, steps.len());
        let step = LazyLock::new(|| Step { place: path.mark, ..step.clone() });
        let mut editor = resource.edit(&step);
        let value = editor.adopt(value);
        let found = editor.change(|object| {
            if structured::set(&mut object.node, &steps, &value, &target.options) != Outcome::NotThere {
                return Ok(1);
            }
            field_path::visit(&mut object.node, &steps, create, &mut |field| {
                growth.count(field)?;
                if is_annotation && field.as_scalar().is_some_and(|scalar| scalar.kind != ScalarKind::Null) {
                    field.make_text();
                }
                set_field(field, &value, &target.options, create.is_some())
            })
        });
        match found {
            Ok(0) => return Err(not_found(resource, &path.value, &steps, path.mark).into()),
            Ok(_) => {}
            Err(error) => {
                let resource = format!("this is in {} `{}`", resource.kind(), resource.name());
                let place = error.mark;
                return Err(error.at(path.mark).label_or_note(place, resource).into());
            }
        }
    }
    Ok(())
}

/// What is put into a resource, so that a value that is put into itself again and again ends at a limit.
struct Growth {
    value: Size,
    /// The size of the resource; none where the value is too small to matter.
    resource: Option<Size>,
    depth: usize,
}

impl Growth {
    fn new(resource: &Node, value: &Node, steps: usize) -> Self {
        let value = Size::of(value);
        Self { value, resource: (!value.is_small()).then(|| Size::of(resource)), depth: value.depth + steps }
    }

    /// Counts the value for one field more.
    fn count(&mut self, field: &Node) -> std::result::Result<(), Diagnostic> {
        let refused = |why: String| Diagnostic::error(Code::Replacement, why).at(field.mark);
        if self.value.depth > 1 && self.depth > DEEPEST {
            return Err(refused(format!("the value would be nested more than {DEEPEST} levels deep")));
        }
        let Some(resource) = &mut self.resource else { return Ok(()) };
        if !resource.fits_with(self.value) {
            return Err(refused(TOO_LARGE.to_owned()));
        }
        resource.values += self.value.values;
        resource.bytes += self.value.bytes;
        Ok(())
    }
}

fn not_found(resource: &Resource, path: &str, steps: &[String], mark: Option<Mark>) -> Diagnostic {
    let (place, what, near) = field_path::explain_missing(&resource.node, steps);
    let message = format!("{} `{}` has no field `{path}`", resource.kind(), resource.name());
    let error = Diagnostic::error(Code::Replacement, message).at(mark);
    let error = error.label(resource.location(place), what);
    error.help(near.unwrap_or_else(|| "set `options.create: true` to create it".to_owned()))
}

/// Puts the value into one field. A scalar keeps its own type; a field that was just made takes the type that the text
/// looks like.
fn set_field(
    field: &mut Node,
    value: &Node,
    options: &FieldOptions,
    create: bool,
) -> std::result::Result<(), Diagnostic> {
    let text = match (&field.value, options.delimiter.is_empty()) {
        (Value::Scalar(old), false) => {
            let old = if old.kind == ScalarKind::Null { "" } else { old.text.as_str() };
            insert_part(old, scalar_text(value), options)
        }
        (_, false) => {
            let message = format!("`delimiter` splits text, but this field is {}", field.describe());
            return Err(Diagnostic::error(Code::Replacement, message).at(field.mark));
        }
        (Value::Scalar(_), true) => scalar_text(value).to_owned(),
        (_, true) => {
            *field = value.clone();
            return Ok(());
        }
    };
    let Value::Scalar(old) = &mut field.value else { return Ok(()) };
    let looks = resolve_plain(&text);
    let (kind, spelling) = match old.kind {
        ScalarKind::Null if create => (looks, Spelling::Untagged),
        _ if old.spelling == Spelling::Untagged => (looks, Spelling::Untagged),
        ScalarKind::Str | ScalarKind::Binary => (ScalarKind::Str, old.spelling),
        ScalarKind::Float if looks == ScalarKind::Int => (ScalarKind::Float, old.spelling),
        kind if kind == looks => (kind, old.spelling),
        _ => {
            // The value, or what it was joined with, may come from a Secret.
            let message = format!("the value does not fit this field, which is {}", field.describe());
            return Err(Diagnostic::error(Code::Replacement, message).at(field.mark));
        }
    };
    *old = Scalar { text: text.into(), kind, spelling, shared: old.shared };
    Ok(())
}

fn scalar_text(value: &Node) -> &str {
    value.as_scalar().map_or("", |scalar| &scalar.text)
}
