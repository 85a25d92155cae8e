//! `component.yaml`.

use super::readiness::rule;
use super::source::sources;
use super::support::supports;
use super::{
    ApiVersion, ComponentSource, Declaration, DeclaredSecret, Ignore, Metadata, Setter, Support, words,
};
use kfc_diagnostics::Mark;
use kfc_kube::ObjectPattern;
use kfc_kube::readiness::ReadyRule;
use kfc_yaml::Spanned;
#[cfg(feature = "schema")]
use kfc_yaml::de::OneOr;
use kfc_yaml::de::{Entries, TextOr};
use serde::Deserialize;

/// A unit that a user selects, with what it requires and provides.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ComponentFile"))]
#[serde(rename = "a component", rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentFile {
    /// The version of the format.
    pub api_version: ApiVersion,
    /// The kind of the file.
    pub kind: ComponentKind,
    /// The name of the component, that of its directory.
    pub metadata: Metadata,
    /// The component.
    pub spec: ComponentSpec,
}

words! {
    /// The kind of a component.
    ComponentKind is "the kind of a component" {
        /// The only one.
        Component = "Component",
    }
}

/// A component.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ComponentSpec"))]
#[serde(rename = "a component", deny_unknown_fields)]
pub struct ComponentSpec {
    /// What it is, in one line.
    #[serde(default)]
    pub description: String,
    /// The stage in the life of a model that it is for.
    pub stage: Stage,
    /// The version of what it installs.
    #[serde(default)]
    pub version: String,
    /// The kustomization root of its resources, relative to its directory, or a URL; the directory itself when not given.
    pub base: Option<Spanned<String>>,
    /// Where its resources come from, when that is not a kustomization root in or beside its directory: a source, or a list of
    /// them.
    #[serde(default, deserialize_with = "sources")]
    #[cfg_attr(feature = "schema", schemars(with = "OneOr<ComponentSource>"))]
    pub source: Vec<Spanned<ComponentSource>>,
    /// What it requires: components by name, or capabilities.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// Capabilities, which others can require without a name.
    #[serde(default)]
    pub provides: Vec<Spanned<String>>,
    /// Components that cannot be in the same plan.
    #[serde(default)]
    pub conflicts: Vec<Spanned<String>>,
    /// Conditions on facts: an expression, or a list with reasons.
    #[serde(default, deserialize_with = "supports")]
    #[cfg_attr(feature = "schema", schemars(with = "TextOr<Vec<Support>>"))]
    pub supports: Vec<Support>,
    /// Parameters by name, with their JSON Schemas.
    #[serde(default)]
    pub parameters: Entries<Declaration>,
    /// The Secrets that it needs.
    #[serde(default)]
    pub secrets: Vec<DeclaredSecret>,
    /// Setters for parameters.
    #[serde(default)]
    pub set: Vec<Spanned<Setter>>,
    /// Fields of objects that are left to others.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
    /// What must be ready before the next wave, and when objects are ready, instead of what their kind says.
    #[serde(default)]
    pub ready: Vec<Ready>,
}

words! {
    /// The stages in the life of a model.
    Stage is "a stage" {
        /// Data is prepared.
        Data = "data",
        /// Models are trained.
        Training = "training",
        /// Models are served.
        Serving = "serving",
        /// Steps are joined to pipelines.
        Pipelines = "pipelines",
        /// People work on models.
        Workbench = "workbench",
        /// Models, users and their access are managed.
        Management = "management",
        /// What the other stages build on.
        Foundation = "foundation",
    }
}

/// Something that a component requires.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "Spanned<TextOr<RequirementFields>>")
)]
#[serde(from = "Spanned<TextOr<RequirementFields>>")]
pub struct Requirement {
    /// The component or capability.
    pub wanted: Wanted,
    /// Holds only when this is true.
    pub when: Option<Spanned<String>>,
    /// Its location.
    pub mark: Option<Mark>,
}

/// What is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A component by name.
    Component(String),
    /// Any component that provides this.
    Capability(String),
}

/// A requirement that is not only a name.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
#[serde(rename = "$keyed a requirement", rename_all = "camelCase")]
enum RequirementFields {
    Component(RequiredComponent),
    Capability(RequiredCapability),
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RequiredComponent"))]
#[serde(rename = "a requirement", deny_unknown_fields)]
struct RequiredComponent {
    /// The name of a component.
    component: String,
    /// An expression: it is required only when this is true.
    when: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RequiredCapability"))]
#[serde(rename = "a requirement", deny_unknown_fields)]
struct RequiredCapability {
    /// A capability, which any component may provide.
    capability: String,
    /// An expression: it is required only when this is true.
    when: Option<Spanned<String>>,
}

impl From<Spanned<TextOr<RequirementFields>>> for Requirement {
    fn from(written: Spanned<TextOr<RequirementFields>>) -> Self {
        let (wanted, when) = match written.value {
            TextOr::Text(name) => (Wanted::Component(name.value), None),
            TextOr::Whole(RequirementFields::Component(one)) => (Wanted::Component(one.component), one.when),
            TextOr::Whole(RequirementFields::Capability(one)) => {
                (Wanted::Capability(one.capability), one.when)
            }
        };
        Self { wanted, when, mark: written.mark }
    }
}

words! {
    /// What can be waited for.
    ReadyKind is "a kind that can be waited for" {
        /// Its replicas are available.
        Deployment = "deployment",
        /// Its replicas are ready.
        StatefulSet = "statefulset",
        /// Its pods are ready on every node.
        DaemonSet = "daemonset",
        /// It is complete.
        Job = "job",
        /// It is established.
        CustomResourceDefinition = "crd",
        /// It can be called.
        Webhook = "webhook",
    }
}

impl ReadyKind {
    /// The API group and the kind of such objects; a webhook may also be a `MutatingWebhookConfiguration`.
    #[must_use]
    pub const fn group_and_kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Deployment => ("apps", "Deployment"),
            Self::StatefulSet => ("apps", "StatefulSet"),
            Self::DaemonSet => ("apps", "DaemonSet"),
            Self::Job => ("batch", "Job"),
            Self::CustomResourceDefinition => ("apiextensions.k8s.io", "CustomResourceDefinition"),
            Self::Webhook => ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        }
    }
}

/// An entry of `ready` of a component.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "Spanned<ReadyFields>"))]
#[serde(try_from = "Spanned<ReadyFields>")]
pub enum Ready {
    /// An object that must be ready before the next wave.
    Awaited(Awaited),
    /// When objects are ready, instead of what their kind says.
    When(ReadyRule),
}

/// Something that must be ready before the next wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// What it is.
    pub kind: ReadyKind,
    /// Its name.
    pub name: String,
    /// Its namespace; none for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Its location.
    pub mark: Option<Mark>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReadyFields", transform = of_one_kind))]
#[serde(rename = "a readiness condition", deny_unknown_fields)]
struct ReadyFields {
    /// The name of a Deployment.
    deployment: Option<String>,
    /// The name of a StatefulSet.
    statefulset: Option<String>,
    /// The name of a DaemonSet.
    daemonset: Option<String>,
    /// The name of a Job.
    job: Option<String>,
    /// The name of a CustomResourceDefinition.
    crd: Option<String>,
    /// The name of a webhook configuration.
    webhook: Option<String>,
    /// The namespace of the object; none for a cluster-scoped one. With `when`, a pattern of namespaces.
    namespace: Option<String>,
    /// With `when`: API group of the objects; any when not given.
    group: Option<String>,
    /// With `when`: pattern of their kind, in which `*` stands for any characters.
    kind: Option<String>,
    /// With `when`: pattern of their name.
    name: Option<String>,
    /// An expression in CEL over `object`: the objects are ready when it is true.
    when: Option<Spanned<String>>,
    /// An expression in CEL over `object`: they have failed when it is true.
    failed: Option<Spanned<String>>,
    /// With `when`: what a run waits for, in words.
    message: Option<String>,
}

impl ReadyFields {
    /// Whether it has what belongs to `when`.
    fn has_conditions(&self) -> bool {
        [&self.group, &self.kind, &self.name, &self.message].iter().any(|field| field.is_some())
            || self.failed.is_some()
    }
}

impl TryFrom<Spanned<ReadyFields>> for Ready {
    type Error = String;

    fn try_from(written: Spanned<ReadyFields>) -> Result<Self, String> {
        let Spanned { value: mut fields, mark } = written;
        if fields.when.is_none() && fields.has_conditions() {
            return Err(
                "`group`, `kind`, `name`, `failed` and `message` of a readiness condition need `when`"
                    .to_owned(),
            );
        }
        let condition = fields.when.take();
        let (group, kind, name) = (fields.group.take(), fields.kind.take(), fields.name.take());
        let (failed, message) = (fields.failed.take(), fields.message.take());
        let named = [
            (ReadyKind::Deployment, fields.deployment),
            (ReadyKind::StatefulSet, fields.statefulset),
            (ReadyKind::DaemonSet, fields.daemonset),
            (ReadyKind::Job, fields.job),
            (ReadyKind::CustomResourceDefinition, fields.crd),
            (ReadyKind::Webhook, fields.webhook),
        ];
        let mut named = named.into_iter().filter_map(|(kind, name)| Some((kind, name?)));
        match (named.next(), named.next(), condition) {
            (Some((kind, name)), None, None) => {
                Ok(Self::Awaited(Awaited { kind, name, namespace: fields.namespace, mark }))
            }
            (None, _, Some(when)) => {
                let Some(kind) = kind else {
                    return Err("`when` of a readiness condition needs `kind`".to_owned());
                };
                let namespace = fields.namespace.unwrap_or_default();
                let objects = ObjectPattern { group, kind, namespace, name: name.unwrap_or_default() };
                Ok(Self::When(rule(objects, when, failed, message)))
            }
            _ => {
                let words: Vec<String> = ReadyKind::ALL.iter().map(|kind| format!("`{kind}`")).collect();
                Err(format!("a readiness condition must have exactly one of {}, `when`", words.join(", ")))
            }
        }
    }
}

#[cfg(feature = "schema")]
fn of_one_kind(schema: &mut schemars::Schema) {
    let words = ReadyKind::ALL.iter().map(|kind| kind.word()).chain(["when"]);
    let one = |word: &str| serde_json::json!({"required": [word]});
    schema.insert("oneOf".to_owned(), words.map(one).collect());
    let needs = serde_json::json!({
        "when": ["kind"], "group": ["when"], "kind": ["when"], "name": ["when"], "failed": ["when"], "message": ["when"],
    });
    schema.insert("dependentRequired".to_owned(), needs);
}
