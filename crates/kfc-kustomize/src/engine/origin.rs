//! `buildMetadata: [originAnnotations, transformerAnnotations]`: where resources come from and what changed them, as
//! annotations.

use super::read::{ORIGIN, TRANSFORMATIONS};
use crate::provenance::{Step, StepKind};
use crate::resource::{ConfiguredBy, Origin, Resource, ResourceSet};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, SourceId};
use kfc_yaml::{Map, Node, emit, parse};

/// The apiVersion of what kustomization fields configure.
const BUILTIN: &str = "builtin";

/// The origin of a file or root at `path` as seen from `base`.
#[must_use]
pub(super) fn below(base: &Origin, path: &str) -> Origin {
    Origin { path: join(&base.path, path), ..base.clone() }
}

/// The origin of what a field of the kustomization file `file` configures.
#[must_use]
pub(super) fn of_field(base: &Origin, file: &str, kind: &str) -> Origin {
    let by =
        ConfiguredBy { api_version: BUILTIN.to_owned(), kind: kind.to_owned(), ..ConfiguredBy::default() };
    configured(base, join(&base.path, file), by)
}

/// The origin of what a generator or transformer configuration makes: where `config` is, which may be in another repository
/// than the root.
#[must_use]
pub(super) fn of_plugin(config: &Resource) -> Origin {
    let by = ConfiguredBy {
        api_version: config.api_version().to_owned(),
        kind: config.kind().to_owned(),
        name: config.name().to_owned(),
        namespace: config.namespace().to_owned(),
    };
    let base = config.origin.clone().unwrap_or_default();
    configured(&base, base.path.clone(), by)
}

fn configured(base: &Origin, configured_in: String, by: ConfiguredBy) -> Origin {
    Origin {
        path: String::new(),
        repo: base.repo.clone(),
        reference: base.reference.clone(),
        configured_in,
        configured_by: Some(by),
        text: None,
    }
}

/// Notes that a generator made a resource, unless it says itself where the resource is from.
///
/// # Errors
/// [`Code::BadValue`] for annotations that are not what `buildMetadata` writes.
pub(super) fn made_by(resource: &mut Resource, origin: &Origin) -> Result<()> {
    take_transformations(resource)?;
    let own = annotation(resource, ORIGIN).map(|(_, text)| Origin { text: Some(text), ..Origin::default() });
    resource.origin = Some(own.unwrap_or_else(|| origin.clone()));
    Ok(())
}

/// Remembers on every resource that the transformer of this origin ran. A resource without an origin counts as made by
/// it, as in kustomize.
pub(super) fn add_transformation(set: &mut ResourceSet, origin: &Origin) {
    for resource in &mut set.list {
        if resource.origin.is_some() {
            resource.transformations.push(origin.clone());
        } else {
            resource.origin = Some(origin.clone());
        }
    }
}

/// Joins two slash-separated paths and resolves `.` and `..` in the text alone.
pub(super) fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if base.starts_with('/') || (base.is_empty() && path.starts_with('/')) { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// Writes the annotations that `buildMetadata` asks for.
///
/// # Errors
/// None in practice: origins hold plain text only.
pub(super) fn annotate(set: &mut ResourceSet, origins: bool, transformations: bool) -> Result<()> {
    let by = Step::new(StepKind::BuildMetadata, None);
    for resource in &mut set.list {
        for (key, text) in annotations(resource)? {
            let is_asked_for = if key == ORIGIN { origins } else { transformations };
            if is_asked_for {
                resource.edit(&by).set_annotation(key, &text);
            }
        }
    }
    Ok(())
}

/// The annotations of a resource that say where it is from and what changed it.
///
/// # Errors
/// As [`annotate`].
pub(super) fn annotations(resource: &Resource) -> Result<Vec<(&'static str, String)>> {
    let mut annotations = Vec::new();
    if let Some(origin) = &resource.origin {
        annotations.push((ORIGIN, origin_text(origin)?));
    }
    if !resource.transformations.is_empty() {
        annotations.push((TRANSFORMATIONS, transformations_text(&resource.transformations)?));
    }
    Ok(annotations)
}

/// Gives a resource that a program printed the origin of its annotation. kustomize keeps origins in annotations alone: those
/// that a program drops are lost, those that it writes count.
///
/// # Errors
/// [`Code::BadValue`] for a text that is not an origin.
pub(super) fn take_origin(resource: &mut Resource) -> Result<()> {
    let Some((node, text)) = annotation(resource, ORIGIN) else {
        resource.origin = None;
        return Ok(());
    };
    let is_origin = |node: &Node| node.is_null() || read_origin(node).is_some();
    if !parsed(&text).is_some_and(|document| is_origin(&document)) {
        return Err(not_origins(ORIGIN, &node));
    }
    resource.origin = Some(Origin { text: Some(text), ..Origin::default() });
    Ok(())
}

/// Gives a resource that was read or printed the transformations of its annotation.
///
/// # Errors
/// As [`take_origin`].
pub(super) fn take_transformations(resource: &mut Resource) -> Result<()> {
    resource.transformations.clear();
    let Some((node, text)) = annotation(resource, TRANSFORMATIONS) else { return Ok(()) };
    let refused = || not_origins(TRANSFORMATIONS, &node);
    let document = parsed(&text).ok_or_else(refused)?;
    if !document.is_null() {
        let steps = document.as_seq().map(|steps| steps.iter().map(read_origin).collect::<Option<Vec<_>>>());
        resource.transformations = steps.flatten().ok_or_else(refused)?;
    }
    Ok(())
}

/// An annotation that a resource has, and its text.
fn annotation(resource: &Resource, key: &str) -> Option<(Node, String)> {
    let node = resource.annotations()?.get(key)?;
    Some((node.clone(), node.as_text()?.to_owned()))
}

/// The first document of the text of an annotation, null for a text without one; nothing for a text that is not YAML.
fn parsed(text: &str) -> Option<Node> {
    let documents = parse::parse(text, SourceId::NONE).ok()?;
    Some(documents.into_iter().next().unwrap_or_else(|| Node::null(None)))
}

fn not_origins(key: &str, node: &Node) -> Diagnostics {
    let message = format!("the annotation `{key}` is not what `buildMetadata` writes");
    Diagnostic::error(Code::BadValue, message).at(node.mark).help("remove it").into()
}

/// One origin of an annotation. Fields that kustomize does not know are ignored, as it does.
fn read_origin(node: &Node) -> Option<Origin> {
    let text = |node: &Node, key: &str| match node.get(key) {
        None => Some(String::new()),
        Some(value) if value.is_null() => Some(String::new()),
        Some(value) => Some(value.as_scalar()?.text.to_string()),
    };
    node.as_map()?;
    let by = match node.get("configuredBy").filter(|by| !by.is_null()) {
        None => None,
        Some(by) => Some(ConfiguredBy {
            api_version: text(by, "apiVersion")?,
            kind: text(by, "kind")?,
            name: text(by, "name")?,
            namespace: text(by, "namespace")?,
        }),
    };
    Some(Origin {
        path: text(node, "path")?,
        repo: text(node, "repo")?,
        reference: text(node, "ref")?,
        configured_in: text(node, "configuredIn")?,
        configured_by: by,
        text: None,
    })
}

fn transformations_text(steps: &[Origin]) -> Result<String> {
    let mut text = String::new();
    for step in steps {
        for (index, line) in origin_text(step)?.lines().enumerate() {
            text.push_str(if index == 0 { "- " } else { "  " });
            text.push_str(line);
            text.push('\n');
        }
    }
    Ok(text)
}

/// The YAML of one origin, in kustomize's order of fields, empty ones left out.
fn origin_text(origin: &Origin) -> Result<String> {
    if let Some(text) = &origin.text {
        return Ok(text.clone());
    }
    let mut text = String::new();
    let fields = [
        ("path", &origin.path),
        ("repo", &origin.repo),
        ("ref", &origin.reference),
        ("configuredIn", &origin.configured_in),
    ];
    for (key, value) in fields {
        push_line(&mut text, "", key, value)?;
    }
    if let Some(by) = &origin.configured_by {
        text.push_str("configuredBy:\n");
        let fields = [
            ("apiVersion", &by.api_version),
            ("kind", &by.kind),
            ("name", &by.name),
            ("namespace", &by.namespace),
        ];
        for (key, value) in fields {
            push_line(&mut text, "  ", key, value)?;
        }
    }
    Ok(text)
}

fn push_line(text: &mut String, indent: &str, key: &str, value: &str) -> Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    let mut map = Map::new();
    map.set(key, Node::string(value, None));
    let mut line = Vec::new();
    emit::emit(&Node::map(map, None), &mut line)?;
    text.push_str(indent);
    text.push_str(&String::from_utf8_lossy(&line));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_are_joined_and_cleaned() {
        assert_eq!(join("", "kustomization.yaml"), "kustomization.yaml");
        assert_eq!(join("a/b", "../../../c"), "../c");
        assert_eq!(join("../base", "./x//y.yaml"), "../base/x/y.yaml");
        assert_eq!(join("", "/abs/x"), "/abs/x");
    }
}
