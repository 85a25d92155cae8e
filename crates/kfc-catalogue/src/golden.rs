//! Goldens: the checked-in bundles of profiles, stacks and kustomization roots. A change of one base shows as a readable
//! change of them.
//!
//! The golden of a profile has the profile's name. Those of stacks and roots are listed in [`INDEX`], each with the target
//! that it is built from, so that a check builds the same target as when the golden was written.
//!
//! Schemas of CRDs that a catalogue has in its notation are not in the goldens but in [`SCHEMAS`], once for all goldens of the
//! directory. A golden names them with a digest.

use crate::assemble::assemble;
use crate::catalogue::{Catalogue, Stack};
use crate::definitions;
use crate::resolve::resolve;
use base16ct::lower;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId, Sources};
use kfc_kube::notation::{self, Notation};
use kfc_kustomize::resource::Resource;
use kfc_source::door::{self, Limit, Named};
use kfc_source::{FileSystem as _, Loader, Os, Surroundings};
use kfc_yaml::{Map, Node, Value, emit};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use similar::TextDiff;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use yaml_serde::Mapping;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// The file of a profile's golden.
#[must_use]
pub fn file(folder: &Path, profile: &str) -> PathBuf {
    folder.join(format!("{profile}.yaml"))
}

/// The text of a golden. The directory of goldens is part of a checkout: a link in it, or in its own path below the
/// working directory, may not lead out of that.
///
/// # Errors
/// Files that cannot be read.
pub fn read(
    folder: &Path,
    name: &str,
    surroundings: &Surroundings,
) -> std::result::Result<String, Diagnostic> {
    read_file(folder, &format!("{name}.yaml"), surroundings)
}

/// The text of a file in the directory of goldens.
///
/// # Errors
/// Files that cannot be read.
pub fn read_file(
    folder: &Path,
    name: &str,
    surroundings: &Surroundings,
) -> std::result::Result<String, Diagnostic> {
    let file = folder.join(name);
    let shown = file.display().to_string();
    let top = match door::clean(folder) {
        below if below.is_absolute() || below.starts_with("..") => surroundings.working_directory.join(below),
        _ => surroundings.working_directory.clone(),
    };
    let top = Os.canonicalize(&top).unwrap_or(top);
    let limit = Limit { folder: &top, what: &format!("`{}`", surroundings.shown(&top).display()) };
    let path = surroundings.working_directory.join(&file);
    let read =
        Named { files: &Os, path: &path, limit: Some(limit), shown: &shown, referrer: None }.read_text();
    read.map_err(|error| match error.code {
        Code::NotFound => error.help("write it with `kfc golden update`"),
        _ => error,
    })
}

/// The file, next to the goldens, that names the targets of those that are not of a profile.
pub const INDEX: &str = "targets.yaml";

/// The names of the goldens in a directory, sorted.
#[must_use]
pub fn names(folder: &Path) -> Vec<String> {
    let names = Os.names_in(folder);
    let names = names.into_iter().filter(|name| name != INDEX);
    names.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect()
}

/// The targets of the goldens that are not of a profile: by the name of the golden, relative to the working directory in
/// which it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Targets(BTreeMap<String, String>);

impl Targets {
    /// Reads the text of [`INDEX`]: a mapping from names to targets.
    ///
    /// # Errors
    /// Text that is not such a mapping.
    pub fn parse(text: &str, id: SourceId) -> Result<Self> {
        // A mapping refuses keys that are defined twice.
        let read: std::result::Result<Option<Mapping>, _> = yaml_serde::from_str(text);
        let read = read.and_then(|map| map.map(|map| yaml_serde::from_value(map.into())).transpose());
        let targets = read.map_err(|error| {
            let offset = error.location().map_or(0, |location| location.index());
            let mark = Mark { source: id, offset: u32::try_from(offset).unwrap_or(u32::MAX) };
            let message = "expected a mapping from the names of goldens to their targets";
            Diagnostic::error(Code::BadValue, message).at(mark).note(error.to_string())
        })?;
        Ok(targets.unwrap_or_default())
    }

    /// The text of [`INDEX`].
    ///
    /// # Errors
    /// Those of the emitter.
    pub fn text(&self) -> Result<String> {
        let head =
            "# Goldens of stacks and kustomization roots, each with the target that it is built from.\n";
        let targets = yaml_serde::to_string(self)
            .map_err(|error| Diagnostic::error(Code::Output, format!("cannot write `{INDEX}`: {error}")))?;
        Ok(format!("{head}{targets}"))
    }

    /// The target of a golden; none for that of a profile.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The name of the golden of a target.
    #[must_use]
    pub fn name_of(&self, target: &str) -> Option<&str> {
        self.0.iter().find(|(_, known)| same_path(known, target)).map(|(name, _)| name.as_str())
    }

    /// Names the golden of a target, if it has none yet. Returns the name.
    ///
    /// # Errors
    /// [`Code::Golden`] when another target has the name.
    pub fn add(&mut self, name: &str, target: &str) -> Result<String> {
        if let Some(known) = self.name_of(target) {
            return Ok(known.to_owned());
        }
        if let Some(other) = self.target(name) {
            let message = format!("`{target}` and `{other}` would both have the golden `{name}.yaml`");
            let help = format!("give one of them another name in `{INDEX}`");
            return Err(Diagnostic::error(Code::Golden, message).help(help).into());
        }
        self.0.insert(name.to_owned(), target.to_owned());
        Ok(name.to_owned())
    }

    /// All names with their targets, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, target)| (name.as_str(), target.as_str()))
    }
}

/// Whether two paths differ only in their form: `./a/` and `a`.
fn same_path(one: &str, other: &str) -> bool {
    let parts = |path: &str| -> Vec<PathBuf> {
        let parts = Path::new(path).components().filter(|part| *part != std::path::Component::CurDir);
        parts.map(|part| PathBuf::from(part.as_os_str())).collect()
    };
    parts(one) == parts(other)
}

/// A name for the golden of the root or stack at a path: `overlays/prod` becomes `overlays-prod`, and a file loses its
/// extension.
#[must_use]
pub fn name_for(path: &str) -> String {
    let path = path.trim_end_matches(".yaml").trim_end_matches(".yml");
    let is_kept = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_');
    let name: String = path.chars().map(|c| if is_kept(c) { c } else { '-' }).collect();
    name.trim_matches(['-', '.']).to_owned()
}

/// The file, next to the goldens, with the schemas that they name, in the notation of [`kfc_kube::notation`].
pub const SCHEMAS: &str = "schemas.types";

/// A bundle as its golden has it.
#[derive(Clone, Debug)]
pub struct Golden {
    /// The text of the bundle, in which schemas are named.
    pub text: String,
    /// The schemas that the text names.
    pub schemas: BTreeMap<String, Map>,
}

impl Golden {
    /// The golden of a bundle.
    ///
    /// # Errors
    /// Those of the emitter.
    pub fn of(resources: &[Resource]) -> Result<Self> {
        let mut schemas = BTreeMap::new();
        let nodes: Vec<Cow<'_, Node>> =
            resources.iter().map(|resource| without_schemas(resource, &mut schemas)).collect();
        let bytes = emit::emit_all(&nodes.iter().map(AsRef::as_ref).collect::<Vec<_>>())?.concat();
        let text = String::from_utf8(bytes)
            .map_err(|_| Diagnostic::error(Code::Output, "the bundle is not UTF-8 text"))?;
        Ok(Self { text, schemas })
    }

    /// Replaces names of schemas with the schemas.
    ///
    /// # Errors
    /// Schemas that the golden does not have.
    pub fn resolve(&self, resources: &mut [Resource]) -> Result<()> {
        replace(resources, |name, mark| self.schemas.get(name).cloned().ok_or_else(|| unknown(name, mark)))
    }
}

/// A CRD whose schemas are named; anything else as it is.
fn without_schemas<'r>(resource: &'r Resource, schemas: &mut BTreeMap<String, Map>) -> Cow<'r, Node> {
    if resource.kind() != "CustomResourceDefinition" {
        return Cow::Borrowed(&resource.node);
    }
    let mut node = resource.node.clone();
    for (version, schema) in definitions::versions_mut(&mut node) {
        let Some(map) = schema.as_map() else { continue };
        let Some(form) = map.as_deferred() else { continue };
        let digest = lower::encode_string(&Sha256::digest(form.text())[..4]);
        let name = format!("{}/{version}@{digest}", resource.name());
        let reference = definitions::reference_to(&format!("{SCHEMAS}#{name}"));
        schemas.insert(name, map.clone());
        schema.value = Value::Map(reference);
    }
    Cow::Owned(node)
}

fn unknown(name: &str, mark: Mark) -> Diagnostics {
    let error = Diagnostic::error(Code::NotFound, format!("`{SCHEMAS}` does not have the schema `{name}`"));
    error.at(mark).help("write it with `kfc golden update`").into()
}

/// Replaces names of schemas in [`SCHEMAS`].
fn replace(resources: &mut [Resource], schema_of: impl Fn(&str, Mark) -> Result<Map>) -> Result<()> {
    let mut errors = Diagnostics::default();
    let mut found = Vec::new();
    for reference in definitions::references(resources) {
        let name = reference.text.strip_prefix(SCHEMAS).and_then(|rest| rest.strip_prefix('#'));
        let map = name.and_then(|name| errors.collect(schema_of(name, reference.mark)));
        found.extend(map.map(|map| (reference, map)));
    }
    definitions::put(resources, found);
    errors.into_result(())
}

/// The schemas in a directory of goldens.
#[derive(Debug, Default)]
pub struct Schemas(Option<Notation>);

impl Schemas {
    /// Reads [`SCHEMAS`], if the directory has it.
    ///
    /// # Errors
    /// A file that cannot be read, or is not of the notation.
    pub fn read(folder: &Path, surroundings: &Surroundings, sources: &Sources) -> Result<Self> {
        match read_file(folder, SCHEMAS, surroundings) {
            Ok(text) => {
                let (id, source) = sources.add(folder.join(SCHEMAS).to_string_lossy(), text);
                Notation::parse(&source.text, id).map(|notation| Self(Some(notation)))
            }
            Err(error) if error.code == Code::NotFound => Ok(Self(None)),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the names of schemas in a golden with the schemas.
    ///
    /// # Errors
    /// Schemas that the directory does not have.
    pub fn resolve(&self, resources: &mut [Resource]) -> Result<()> {
        replace(resources, |name, mark| self.schema(name).ok_or_else(|| unknown(name, mark)))
    }

    fn schema(&self, name: &str) -> Option<Map> {
        definitions::schema_of(self.0.as_ref()?, name, None).ok()
    }

    /// Whether the directory has all of these schemas.
    #[must_use]
    pub fn has(&self, schemas: &BTreeMap<String, Map>) -> bool {
        schemas.iter().all(|(name, schema)| self.schema(name).is_some_and(|own| own.is_same_text(schema)))
    }

    /// The schemas that the texts of goldens name.
    #[must_use]
    pub fn named_in<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> BTreeMap<String, Map> {
        let start = format!("{SCHEMAS}#");
        let mut all = BTreeMap::new();
        for text in texts {
            let names = text.split(start.as_str()).skip(1).filter_map(|rest| rest.lines().next());
            all.extend(names.filter_map(|name| Some((name.to_owned(), self.schema(name)?))));
        }
        all
    }

    /// The text of [`SCHEMAS`] with exactly these schemas.
    ///
    /// # Errors
    /// A schema that the notation has no form for.
    pub fn text(schemas: &BTreeMap<String, Map>) -> Result<String> {
        let nodes: Vec<(String, Node)> =
            schemas.iter().map(|(name, schema)| (name.clone(), Node::map(schema.clone(), None))).collect();
        let text = notation::write(nodes.iter().map(|(name, node)| (name.clone(), node)))
            .map_err(|error| Diagnostic::error(Code::Output, error.to_string()))?;
        let head = "# The schemas of the CRDs in the goldens, in the notation of docs/catalogue.md. `kfc golden update` writes it.\n\n";
        Ok(format!("{head}{text}"))
    }
}

/// The bundle of a profile, as its golden has it.
///
/// # Errors
/// Those of [`resolve`], [`assemble`] and the emitter.
pub fn render(catalogue: &Catalogue, profile: &str, loader: &Loader) -> Result<Golden> {
    let stack = Stack::of_profile(profile);
    let plan = resolve(catalogue, &stack)?;
    let assembled = assemble(&plan, &stack, loader)?;
    Golden::of(&assembled.bundle.resources.list)
}

/// What changes from a golden to what is built now, as a unified diff; `None` without a change.
#[must_use]
pub fn difference(profile: &str, golden: &str, built: &str) -> Option<String> {
    if golden == built {
        return None;
    }
    let diff = TextDiff::from_lines(golden, built);
    let names = (format!("golden/{profile}.yaml"), format!("{profile}, as built now"));
    Some(diff.unified_diff().context_radius(CONTEXT).header(&names.0, &names.1).to_string())
}

#[cfg(test)]
mod tests {
    use super::{Targets, name_for};
    use kfc_diagnostics::{Code, SourceId};

    #[test]
    fn targets_are_read_as_they_are_written() {
        let mut targets = Targets::default();
        assert_eq!(targets.add("ml", ".").as_deref(), Ok("ml"));
        assert_eq!(targets.add("overlays-prod", "overlays/prod").as_deref(), Ok("overlays-prod"));
        assert_eq!(targets.add("other", "./overlays/prod/").as_deref(), Ok("overlays-prod"));
        assert!(targets.add("ml", "elsewhere").is_err());
        let text = targets.text().unwrap();
        assert_eq!(Targets::parse(&text, SourceId::NONE).unwrap(), targets);
        assert_eq!(targets.name_of("./"), Some("ml"));
        for wrong in ["- a", "a: {b: c}", "a: b\na: c", "a: ["] {
            let errors = Targets::parse(wrong, SourceId(0)).unwrap_err();
            assert_eq!(errors.0[0].code, Code::BadValue, "{wrong}");
        }
        assert_eq!(Targets::parse("# nothing yet\n", SourceId(0)), Ok(Targets::default()));
    }

    #[test]
    fn names_come_from_paths() {
        assert_eq!(name_for("overlays/prod"), "overlays-prod");
        assert_eq!(name_for("../staging/kfc.yaml"), "staging-kfc");
    }
}
