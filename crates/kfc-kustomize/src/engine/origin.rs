//! `buildMetadata: [originAnnotations, transformerAnnotations]`: where resources come from and what changed them, as
//! annotations.

use super::read::{ORIGIN, TRANSFORMATIONS};
use crate::provenance::{Step, StepKind};
use crate::resource::{ConfiguredBy, Origin, Resource, ResourceSet};
use kfc_diagnostics::Result;
use kfc_yaml::{Map, Node, emit};

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

/// The origin of what a generator or transformer configuration makes, where `config` was read from `config_origin`.
#[must_use]
pub(super) fn of_plugin(base: &Origin, configured_in: String, config: &Resource) -> Origin {
    let by = ConfiguredBy {
        api_version: config.api_version().to_owned(),
        kind: config.kind().to_owned(),
        name: config.name().to_owned(),
        namespace: config.namespace().to_owned(),
    };
    configured(base, configured_in, by)
}

fn configured(base: &Origin, configured_in: String, by: ConfiguredBy) -> Origin {
    Origin {
        path: String::new(),
        repo: base.repo.clone(),
        reference: base.reference.clone(),
        configured_in,
        configured_by: Some(by),
    }
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
        let origin = resource.origin.as_ref().filter(|_| origins).map(origin_text).transpose()?;
        let steps = (transformations && !resource.transformations.is_empty())
            .then(|| transformations_text(&resource.transformations))
            .transpose()?;
        for (key, text) in [(ORIGIN, origin), (TRANSFORMATIONS, steps)] {
            if let Some(text) = text {
                resource.edit(&by).set_annotation(key, &text);
            }
        }
    }
    Ok(())
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
