//! Schemas of custom kinds out of catalogues of JSON Schemas, which have a file for each version of a kind.

use super::here;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kube::{GroupVersion, Object};
use kfc_source::{FileSystem as _, LoadRestrictor, Loader, Os, is_web_address};
use kfc_validate::Version;
use kfc_yaml::parse::parse;
use kfc_yaml::value::{from_json, to_json};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// Where the files of a catalogue are, as kubeconform has it: a directory or an address, or a template of the path of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SchemaLocation {
    /// The templates of paths, in the order in which they are tried.
    templates: Vec<String>,
}

/// The layouts of catalogues below a directory or an address: that of Kubernetes' JSON Schemas, and the usual one for CRDs.
const LAYOUTS: [&str; 2] = [
    "{{.NormalizedKubernetesVersion}}-standalone{{.StrictSuffix}}/{{.ResourceKind}}{{.KindSuffix}}.json",
    "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json",
];

impl FromStr for SchemaLocation {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let templates = match text {
            // What kubeconform brings with it; ours are always used.
            "default" => Vec::new(),
            text if text.contains("{{") || text.ends_with(".json") => vec![text.to_owned()],
            text => LAYOUTS.iter().map(|layout| format!("{}/{layout}", text.trim_end_matches('/'))).collect(),
        };
        Ok(Self { templates })
    }
}

/// One version of a kind whose schema is wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    pub(super) api_version: String,
    pub(super) kind: String,
}

impl Wanted {
    /// Fills in a template; `None` for a kind whose name could lead out of the catalogue.
    fn fill(&self, template: &str, kubernetes: Version) -> Option<String> {
        let GroupVersion { group, version } = GroupVersion::parse(&self.api_version);
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        let is_safe = |text: &str| is_plain(text) && !text.contains("..");
        if ![group, version, self.kind.as_str()].into_iter().all(is_safe) {
            return None;
        }
        let start = group.split('.').next().unwrap_or_default();
        let suffix = if group.is_empty() { format!("-{version}") } else { format!("-{start}-{version}") };
        let values = [
            ("NormalizedKubernetesVersion", format!("v{kubernetes}.0")),
            ("StrictSuffix", "-strict".to_owned()),
            ("ResourceKind", self.kind.to_lowercase()),
            ("ResourceAPIVersion", version.to_owned()),
            ("Group", group.to_owned()),
            ("KindSuffix", suffix.to_lowercase()),
        ];
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}")?;
            let name = name.trim().trim_start_matches('.');
            out.push_str(before);
            out.push_str(&values.iter().find(|(known, _)| *known == name)?.1);
            rest = after;
        }
        Some(out + rest)
    }

    /// A CRD with a schema.
    fn definition(&self, schema: &Value) -> Object {
        let GroupVersion { group, version } = GroupVersion::parse(&self.api_version);
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{}.{group}", self.kind.to_lowercase())},
            // A catalogue does not say whether a kind is namespaced.
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": self.kind}, "versions": [
                {"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}},
            ]},
        });
        Object::new(from_json(&definition, None), true)
    }
}

/// What catalogues have of some kinds.
#[derive(Debug, Default)]
pub(super) struct Catalogued {
    /// CRDs with their schemas.
    pub(super) definitions: Vec<Object>,
    /// Which kinds none of them has, and what the servers said.
    pub(super) missing: Diagnostics,
}

/// Looks up kinds in catalogues; the first that has one counts.
///
/// # Errors
/// Files that cannot be read or are not JSON or YAML.
pub(super) fn look_up(
    wanted: &BTreeSet<Wanted>,
    locations: &[SchemaLocation],
    kubernetes: Version,
    sources: &Arc<Sources>,
) -> Result<Catalogued> {
    let mut options = here::reads();
    options.restrictor = LoadRestrictor::None;
    let loader = Loader::here(options, sources);
    let mut found = Catalogued::default();
    for one in wanted {
        let templates = locations.iter().flat_map(|location| &location.templates);
        let places = templates.filter_map(|template| one.fill(template, kubernetes));
        let mut answers = Vec::new();
        let mut definition = None;
        for place in places {
            match schema_at(&place, &loader)? {
                Answer::Schema(schema) => {
                    definition = Some(one.definition(&schema));
                    break;
                }
                Answer::Absent => {}
                Answer::Failed(why) => answers.push(why),
            }
        }
        if let Some(definition) = definition {
            found.definitions.push(definition);
        } else if !answers.is_empty() {
            let message = format!("no schema of {} {} can be fetched", one.api_version, one.kind);
            let warning = Diagnostic::warning(Code::NotChecked, message);
            found.missing.push(answers.into_iter().fold(warning, Diagnostic::note));
        }
    }
    Ok(found)
}

/// What a place has.
enum Answer {
    Schema(Value),
    Absent,
    /// It cannot be fetched: why.
    Failed(String),
}

fn schema_at(place: &str, loader: &Loader) -> Result<Answer> {
    let is_remote = is_web_address(place);
    if !is_remote && !Os.is_file(Path::new(place)) {
        return Ok(Answer::Absent);
    }
    let file = match loader.load(place, None) {
        Ok(file) => file,
        Err(errors) if is_remote => {
            let messages: Vec<String> = errors.0.into_iter().map(|error| error.message).collect();
            return Ok(Answer::Failed(messages.join("; ")));
        }
        Err(errors) => return Err(errors),
    };
    if let [schema] = parse(&file.source.text, file.id)?.as_slice() {
        return Ok(Answer::Schema(to_json(schema)));
    }
    let message = format!("`{place}` is not a JSON Schema");
    Err(Diagnostic::error(Code::Usage, message).help("a file has one schema, of one kind").into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{SchemaLocation, Version, Wanted};

    fn places(location: &str, api_version: &str, kind: &str) -> Vec<String> {
        let wanted = Wanted { api_version: api_version.to_owned(), kind: kind.to_owned() };
        let location: SchemaLocation = location.parse().unwrap();
        let kubernetes = Version::parse("1.37").unwrap();
        location.templates.iter().filter_map(|template| wanted.fill(template, kubernetes)).collect()
    }

    #[test]
    fn a_directory_and_an_address_have_both_layouts() {
        let expected = [
            "v1.37.0-standalone-strict/scaledobject-keda-v1alpha1.json",
            "keda.sh/scaledobject_v1alpha1.json",
        ];
        assert_eq!(
            places("schemas/", "keda.sh/v1alpha1", "ScaledObject"),
            expected.map(|end| format!("schemas/{end}"))
        );
        let address = "https://schemas.example.com/all";
        assert_eq!(
            places(address, "keda.sh/v1alpha1", "ScaledObject"),
            expected.map(|end| format!("{address}/{end}"))
        );
        assert!(places("default", "keda.sh/v1alpha1", "ScaledObject").is_empty());
    }

    #[test]
    fn a_template_names_the_file() {
        let template = "s/{{ .Group }}/{{.ResourceKind}}_{{ .ResourceAPIVersion }}.json";
        assert_eq!(places(template, "keda.sh/v1", "ScaledJob"), ["s/keda.sh/scaledjob_v1.json"]);
        assert_eq!(places("one.json", "keda.sh/v1", "ScaledJob"), ["one.json"]);
        // What no layout has, and what would lead elsewhere.
        assert!(places("s/{{ .Other }}.json", "keda.sh/v1", "ScaledJob").is_empty());
        assert!(places(template, "../../etc/v1", "ScaledJob").is_empty());
        assert!(
            places(template, "a..b/v1", "ScaledJob").is_empty()
                && places(template, "a/v1", "../x").is_empty()
        );
    }
}
