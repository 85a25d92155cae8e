//! From the text of a patch to what it asks for.

use super::target::Target;
use crate::kustomization::model::Patch;
use crate::merge::json_patch;
use crate::provenance::{Step, StepKind};
use crate::resource::Selector;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId};
use kfc_yaml::{Node, ScalarKind, Value, json, parse, through_json};

/// What a patch may change besides content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchOptions {
    /// The name.
    pub allow_name_change: bool,
    /// The kind.
    pub allow_kind_change: bool,
}

impl PatchOptions {
    /// The options of an entry.
    #[must_use]
    pub fn of(patch: &Patch) -> Self {
        Self { allow_name_change: patch.allow_name_change, allow_kind_change: patch.allow_kind_change }
    }

    /// Whether neither name nor kind may change.
    pub(super) fn keep_identity(self) -> bool {
        self == Self::default()
    }
}

/// What a patch consists of.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Documents that look like the resource.
    Strategic(Vec<Node>),
    /// Operations.
    Json(Vec<json_patch::Operation>),
}

/// One patch, ready to be applied.
#[derive(Clone, Debug)]
pub struct LoadedPatch {
    pub(super) content: Content,
    pub(super) target: Option<Target>,
    pub(super) options: PatchOptions,
    /// Whether resources remember the identity that they had before a JSON patch.
    pub(super) remembers: bool,
    /// Where the entry is in the kustomization.
    pub(super) mark: Option<Mark>,
    /// The field that lists it.
    pub(super) kind: StepKind,
    /// Whether its file was decrypted.
    pub(super) is_decrypted: bool,
}

impl LoadedPatch {
    /// Reads an entry of `patches`: a list of operations is a JSON patch, everything else a strategic merge patch.
    /// `mark` is the place of the entry.
    ///
    /// # Errors
    /// [`Code::BadPatch`] for a text that is neither, and for a target that does not fit it.
    pub fn read(
        text: &str,
        source: SourceId,
        mark: Option<Mark>,
        target: Option<&Selector>,
        options: PatchOptions,
    ) -> Result<Self> {
        let target = target.map(Target::compile).transpose()?;
        let mut content = content(text, source, mark)?;
        if target.is_some() {
            check_single(&content)?;
            make_maps_of_text(&mut content, &["labels", "annotations"]);
        } else if let Content::Json(_) = content {
            return Err(needs_target(Mark { source, offset: 0 }, mark));
        } else if !options.keep_identity() {
            make_maps_of_text(&mut content, &["annotations"]);
        }
        Ok(Self {
            content,
            target,
            options,
            remembers: true,
            mark,
            kind: StepKind::Patch,
            is_decrypted: false,
        })
    }

    /// Reads an entry of `patchesStrategicMerge`. It may be empty: kustomize only minds when all of them are.
    ///
    /// # Errors
    /// [`Code::BadPatch`] for a document that names no resource.
    pub fn read_strategic(text: &str, source: SourceId, mark: Option<Mark>) -> Result<Self> {
        let mut content = Content::Strategic(resources(filled(parsed(text, source)?))?);
        make_maps_of_text(&mut content, &["labels", "annotations"]);
        let (options, kind) = (PatchOptions::default(), StepKind::PatchStrategicMerge);
        Ok(Self { content, target: None, options, remembers: true, mark, kind, is_decrypted: false })
    }

    /// Reads an entry of `patchesJson6902`. Other than with `patches`, resources do not remember their identity, and only
    /// those on which kustomize keeps notes anyway can be given a first annotation.
    ///
    /// # Errors
    /// [`Code::BadPatch`] for a text that is not a list of operations or an empty one, and for a missing target.
    pub fn read_json6902(
        text: &str,
        source: SourceId,
        mark: Option<Mark>,
        target: Option<&Selector>,
    ) -> Result<Self> {
        let start = Mark { source, offset: 0 };
        let Some(target) = target else { return Err(needs_target(start, mark)) };
        let documents = documents(text, source)?;
        let operations = documents.first().map(operations).transpose()?.unwrap_or_default();
        if operations.is_empty() {
            return Err(empty(start));
        }
        let (content, target) = (Content::Json(operations), Some(Target::compile(target)?));
        let (options, kind) = (PatchOptions::default(), StepKind::PatchJson6902);
        Ok(Self { content, target, options, remembers: false, mark, kind, is_decrypted: false })
    }

    /// The same patch, whose file was decrypted or not.
    #[must_use]
    pub fn of_decrypted(self, is_decrypted: bool) -> Self {
        Self { is_decrypted, ..self }
    }

    /// The step that it is.
    #[must_use]
    pub fn step(&self) -> Step {
        let step = Step::new(self.kind, self.mark);
        if self.is_decrypted { step.with_decrypted_input() } else { step }
    }

    /// What it is for, in a few words: `of Deployment web`.
    #[must_use]
    pub fn subject(&self) -> String {
        if let Some(target) = &self.target {
            return format!("of {}", target.description());
        }
        let Content::Strategic(documents) = &self.content else { return String::new() };
        let text =
            |node: &Node, path: &[&str]| node.at(path).and_then(Node::as_text).unwrap_or("").to_owned();
        let name = |node: &Node| format!("{} {}", text(node, &["kind"]), text(node, &["metadata", "name"]));
        match documents.as_slice() {
            [] => String::new(),
            [one] => format!("of {}", name(one)),
            [first, rest @ ..] => format!("of {} and {} more", name(first), rest.len()),
        }
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is merged, rather than a list of operations.
    #[must_use]
    pub fn is_strategic(&self) -> bool {
        matches!(&self.content, Content::Strategic(documents) if !documents.is_empty())
    }

    /// The number of documents or operations.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.content {
            Content::Strategic(documents) => documents.len(),
            Content::Json(operations) => operations.len(),
        }
    }
}

fn content(text: &str, source: SourceId, entry: Option<Mark>) -> Result<Content> {
    let mut documents = filled(documents(text, source)?);
    let Some(first) = documents.first() else {
        return Ok(Content::Strategic(Vec::new()));
    };
    match &first.value {
        Value::Seq(_) => Ok(Content::Json(operations(first)?)),
        Value::Map(_) => Ok(Content::Strategic(resources(std::mem::take(&mut documents))?)),
        Value::Scalar(_) => {
            let message =
                format!("a patch is a mapping or a list of operations, but this is {}", first.describe());
            Err(Diagnostic::error(Code::BadPatch, message)
                .at(first.mark)
                .label(entry, "the patch is listed here")
                .into())
        }
    }
}

/// The operations of a JSON patch, which kustomize reads by way of JSON.
fn operations(document: &Node) -> Result<Vec<json_patch::Operation>> {
    let mut document = document.clone();
    through_json::convert(&mut document)?;
    // What JSON does not have is refused, also in a patch that fits nothing.
    json::write(&document, &mut String::new())?;
    json_patch::read(&document)
}

/// The documents that hold anything. Like comments alone, `{}` and `[]` are patches that change nothing.
fn filled(mut documents: Vec<Node>) -> Vec<Node> {
    documents.retain(|document| match &document.value {
        Value::Map(map) => !map.is_empty(),
        Value::Seq(items) => !items.is_empty(),
        Value::Scalar(scalar) => scalar.kind != ScalarKind::Null,
    });
    documents
}

/// The documents of a patch. A text that begins with a bracket has to be JSON, as in kustomize.
fn documents(text: &str, source: SourceId) -> Result<Vec<Node>> {
    if !text.starts_with('[') {
        return parsed(text, source);
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => parsed(text, source),
        Err(error) => {
            let offset = offset_of(text, error.line(), error.column());
            let help = "write it as strict JSON, or as a YAML list with a `-` before each operation";
            let message = "a patch that begins with `[` has to be JSON";
            Err(Diagnostic::error(Code::BadPatch, message).at(Mark { source, offset }).help(help).into())
        }
    }
}

fn parsed(text: &str, source: SourceId) -> Result<Vec<Node>> {
    parse::parse_resources(text, source).map(|(documents, _)| documents)
}

/// The offset of a line and a column in bytes, both counted from 1.
fn offset_of(text: &str, line: usize, column: usize) -> u32 {
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    u32::try_from((line_start + column.saturating_sub(1)).min(text.len())).unwrap_or(u32::MAX)
}

/// The resources that documents describe: the items of lists take the places of the lists.
fn resources(documents: Vec<Node>) -> Result<Vec<Node>> {
    let mut errors = Diagnostics::default();
    let mut list = Vec::with_capacity(documents.len());
    for mut document in documents {
        let is_list = document.get("kind").and_then(Node::as_text).is_some_and(|kind| kind.ends_with("List"));
        match document
            .as_map_mut()
            .filter(|_| is_list)
            .and_then(|map| map.remove("items"))
            .map(|node| node.value)
        {
            Some(Value::Seq(items)) => list.extend(errors.collect(resources(items)).unwrap_or_default()),
            _ => list.extend(errors.collect(named(document))),
        }
    }
    errors.into_result(list)
}

/// A document that says which resource it describes.
fn named(document: Node) -> Result<Node> {
    let has = |path: &[&str]| document.at(path).and_then(Node::as_text).is_some_and(|text| !text.is_empty());
    let missing = [("kind", has(&["kind"])), ("metadata.name", has(&["metadata", "name"]))];
    let missing: Vec<&str> = missing.iter().filter(|(_, there)| !there).map(|(field, _)| *field).collect();
    if missing.is_empty() {
        return Ok(document);
    }
    let message = format!("this strategic merge patch has no `{}`", missing.join("` and no `"));
    let help =
        "both are needed even where a `target` says what to patch; a JSON patch is a list of operations";
    Err(Diagnostic::error(Code::BadPatch, message).at(document.mark).help(help).into())
}

fn check_single(content: &Content) -> Result<()> {
    let Content::Strategic(documents) = content else { return Ok(()) };
    let Some(second) = documents.get(1) else { return Ok(()) };
    let message = "a strategic merge patch with a `target` has one document, but this has several";
    let error = Diagnostic::error(Code::BadPatch, message).at(second.mark);
    Err(error.help("remove the target, or write one entry for each document").into())
}

/// With a `target`, and in `patchesStrategicMerge`, kustomize passes the labels and annotations of a strategic merge patch
/// through maps of strings: a null is the text `null` then and removes nothing, and empty maps do nothing. So it
/// does with the annotations of a patch that has `options`, which it notes down there (`AllowNameChange`).
fn make_maps_of_text(content: &mut Content, fields: &[&str]) {
    let Content::Strategic(documents) = content else { return };
    let metadata = documents.iter_mut().filter_map(|document| document.get_mut("metadata")?.as_map_mut());
    for metadata in metadata {
        for field in fields {
            match metadata.get_mut(field).map(|node| node.as_map_mut()) {
                Some(Some(map)) if !map.is_empty() => {
                    map.iter_mut().for_each(|entry| entry.value.make_new_text());
                }
                Some(_) => drop(metadata.remove(field)),
                None => {}
            }
        }
    }
}

fn needs_target(start: Mark, entry: Option<Mark>) -> Diagnostics {
    Diagnostic::error(Code::BadPatch, "a JSON patch needs a `target`")
        .at(start)
        .label(entry, "it is listed here")
        .help("add a `target` with the kind and the name of the resource")
        .into()
}

fn empty(start: Mark) -> Diagnostics {
    Diagnostic::error(Code::BadPatch, "this patch is empty")
        .at(start)
        .help("remove it, or write what it changes")
        .into()
}
