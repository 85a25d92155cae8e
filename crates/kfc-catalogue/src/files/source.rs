//! `source`: where the resources of a component come from, when that is not its directory.

use kfc_kube::ObjectPattern;
use kfc_yaml::Spanned;
use kfc_yaml::de::{Mapping, OneOr};
use serde::{Deserialize, Deserializer};

/// A source of the resources of a component; its kind is the field that it has.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename = "$keyed a source", rename_all = "lowercase")]
pub enum ComponentSource {
    /// A kustomization root in a git repository.
    Git(GitSource),
    /// A Helm chart.
    Chart(ChartSource),
}

/// A kustomization root in a git repository.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "GitSource"))]
#[serde(rename = "a source", deny_unknown_fields)]
pub struct GitSource {
    /// The address of a git repository.
    pub git: Spanned<String>,
    /// The branch, tag or commit; the default branch without it.
    #[serde(rename = "ref")]
    pub reference: Option<Spanned<String>>,
    /// The commit that `ref` is. It is fetched, wherever `ref` has moved to since.
    pub commit: Option<Commit>,
    /// The kustomization root in the repository; its top without it.
    pub path: Option<Spanned<String>>,
    /// The namespace of its resources, as in a kustomization; what the root says without it.
    pub namespace: Option<Spanned<String>>,
    /// Only these objects of it.
    #[serde(default)]
    pub only: Vec<Selected>,
    /// All objects of it but these.
    #[serde(default)]
    pub except: Vec<Selected>,
}

/// A Helm chart, which is rendered by the helm program.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChartSource"))]
#[serde(rename = "a source", deny_unknown_fields)]
pub struct ChartSource {
    /// The name of a Helm chart.
    pub chart: Spanned<String>,
    /// The repository of the chart, over https or `oci://`.
    pub repository: Spanned<String>,
    /// The version of the chart.
    pub version: Spanned<String>,
    /// The name of the Helm release; that of the component without it.
    pub release: Option<Spanned<String>>,
    /// The namespace of its resources, as in a kustomization; what the root says without it.
    pub namespace: Option<Spanned<String>>,
    /// Values of the chart.
    pub values: Option<Mapping>,
    /// Only these objects of it.
    #[serde(default)]
    pub only: Vec<Selected>,
    /// All objects of it but these.
    #[serde(default)]
    pub except: Vec<Selected>,
}

/// The full hash of a commit.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String", extend("pattern" = "^([0-9a-f]{40}|[0-9a-f]{64})$")))]
#[serde(try_from = "Spanned<String>")]
pub struct Commit(pub Spanned<String>);

impl TryFrom<Spanned<String>> for Commit {
    type Error = String;

    fn try_from(written: Spanned<String>) -> Result<Self, String> {
        let is_hash = |text: &str| {
            [40, 64].contains(&text.len())
                && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if is_hash(&written.value) {
            return Ok(Self(written));
        }
        Err(format!("`{}` is not a commit; expected its full hash, of 40 characters", written.value))
    }
}

/// Objects by patterns.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "SelectedFields"))]
#[serde(from = "SelectedFields")]
pub struct Selected(pub ObjectPattern);

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SelectedFields"))]
#[serde(rename = "a selection of objects", deny_unknown_fields)]
struct SelectedFields {
    /// API group of the objects; any when not given.
    group: Option<String>,
    /// Pattern of their kind, in which `*` stands for any characters.
    #[serde(default)]
    kind: String,
    /// Pattern of their namespace.
    #[serde(default)]
    namespace: String,
    /// Pattern of their name.
    #[serde(default)]
    name: String,
}

impl From<SelectedFields> for Selected {
    fn from(written: SelectedFields) -> Self {
        let SelectedFields { group, kind, namespace, name } = written;
        Self(ObjectPattern { group, kind, namespace, name })
    }
}

/// One source, or a list of them.
pub(super) fn sources<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Spanned<ComponentSource>>, D::Error> {
    Ok(match OneOr::<Spanned<ComponentSource>>::deserialize(deserializer)? {
        OneOr::One(source) => vec![source],
        OneOr::Several(list) => list,
    })
}
