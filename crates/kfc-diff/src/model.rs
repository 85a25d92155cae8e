//! The report of what changes between two bundles: the one value that every format is written from. Its JSON form is
//! public (`kfc schema report`) and complete: applied to the old bundle, it results in the new one (see [`super::apply`]).

use kfc_kube::ObjectId;
use kfc_yaml::field_path::{ItemStep, KeyStep};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What changes from one bundle to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// The old bundle.
    pub before: Side,
    /// The new bundle.
    pub after: Side,
    /// How much changes.
    pub summary: Summary,
    /// The resources that change: by component, then in the order of the bundles.
    pub changes: Vec<ResourceChange>,
    /// The components of the new bundle and what they wait for, when it was made from a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<Graph>,
}

/// One of the bundles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Side {
    /// What the user named.
    pub label: String,
    /// How many resources it has.
    pub resources: usize,
}

/// How much changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Summary {
    /// Resources that are new.
    pub added: usize,
    /// Resources that are removed.
    pub removed: usize,
    /// Resources that keep their identity and change.
    pub changed: usize,
    /// Resources with another name.
    pub renamed: usize,
    /// Resources in another namespace.
    pub moved: usize,
    /// Resources that are the same.
    pub unchanged: usize,
    /// Fields that change, folded ones left out.
    pub fields: usize,
    /// Fields that change in form alone.
    pub folded: usize,
    /// Changes and findings of each class.
    pub classes: BTreeMap<Class, usize>,
    /// Resources of each severity.
    pub severities: BTreeMap<Severity, usize>,
    /// Resources that change in each component; the empty name stands for none.
    pub components: BTreeMap<String, usize>,
}

/// What a change is about. Written in kebab case, as `--fail-on` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Class {
    /// Something that holds data is removed: a namespace, a CRD, a PVC.
    DataLoss,
    /// An immutable field: the resource has to be recreated.
    Recreate,
    /// A CRD: versions and schemas.
    Crd,
    /// Who may do what.
    Rbac,
    /// What can be reached from where.
    Exposure,
    /// Admission webhooks.
    Webhook,
    /// What pods are allowed to do on their nodes.
    Security,
    /// PVs, PVCs, volumes of pods and storage classes.
    Storage,
    /// Images, their tags and digests.
    Image,
    /// How many copies run.
    Replicas,
    /// Requests and limits.
    Resources,
    /// Environment variables.
    Env,
    /// Contents of config maps and secrets, and arguments.
    Config,
    /// Where pods may run.
    Scheduling,
    /// Labels and annotations.
    Metadata,
    /// A resource as a whole.
    Resource,
    /// Everything else.
    Other,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::DataLoss,
        Self::Recreate,
        Self::Crd,
        Self::Rbac,
        Self::Exposure,
        Self::Webhook,
        Self::Security,
        Self::Storage,
        Self::Image,
        Self::Replicas,
        Self::Resources,
        Self::Env,
        Self::Config,
        Self::Scheduling,
        Self::Metadata,
        Self::Resource,
        Self::Other,
    ];

    /// Its name: `data-loss`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataLoss => "data-loss",
            Self::Recreate => "recreate",
            Self::Crd => "crd",
            Self::Rbac => "rbac",
            Self::Exposure => "exposure",
            Self::Webhook => "webhook",
            Self::Security => "security",
            Self::Storage => "storage",
            Self::Image => "image",
            Self::Replicas => "replicas",
            Self::Resources => "resources",
            Self::Env => "env",
            Self::Config => "config",
            Self::Scheduling => "scheduling",
            Self::Metadata => "metadata",
            Self::Resource => "resource",
            Self::Other => "other",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// The order in which changes are reported: lost data first, then what has to be recreated, who may do what, what can be
/// reached, and the rest; in each the worst first. Smaller comes first.
#[must_use]
pub const fn urgency(class: Class, severity: Severity) -> (u8, u8, Class) {
    let group = match class {
        Class::DataLoss => 0,
        Class::Recreate => 1,
        Class::Rbac => 2,
        Class::Exposure => 3,
        _ => 4,
    };
    (group, u8::MAX - severity as u8, class)
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much attention a change needs; the last is the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Only a value changes in the cluster.
    #[default]
    Low,
    /// Something restarts or behaves differently.
    Medium,
    /// Something may stop working, or more is allowed than before.
    High,
    /// Data may be lost, or it cannot be applied as it is.
    Critical,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its name: `high`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a resource changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is removed.
    Removed,
    /// Its fields change.
    Changed,
    /// It has another name, and perhaps other fields.
    Renamed,
    /// It is in another namespace, and perhaps has another name and other fields.
    Moved,
}

impl ChangeKind {
    /// Its name: `added`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Renamed => "renamed",
            Self::Moved => "moved",
        }
    }
}

/// A resource that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceChange {
    /// How.
    pub kind: ChangeKind,
    /// What it is: in the new bundle, or in the old one when it is removed.
    pub identity: ObjectId,
    /// What it was, when that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<ObjectId>,
    /// The component it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The highest severity of its findings and fields.
    pub severity: Severity,
    /// Its impact, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The fields that change, in the order of the resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// All of it, when it is new or removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Where it comes from, when it is new or removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl ResourceChange {
    /// Whether nothing but the form of values changes.
    #[must_use]
    pub fn is_folded(&self) -> bool {
        let has_fields = !self.fields.is_empty();
        self.kind == ChangeKind::Changed
            && has_fields
            && self.fields.iter().all(|field| field.folded.is_some())
    }

    /// Every class that it has.
    pub fn classes(&self) -> impl Iterator<Item = Class> {
        let fields = self.fields.iter().filter(|field| field.folded.is_none()).map(|field| field.class);
        self.findings.iter().map(|finding| finding.class).chain(fields)
    }

    /// Its urgency: that of its most urgent finding or field. See [`urgency`].
    #[must_use]
    pub fn urgency(&self) -> (u8, u8, Class) {
        let fields = self.fields.iter().filter(|field| field.folded.is_none());
        let fields = fields.map(|field| urgency(field.class, field.severity));
        let findings = self.findings.iter().map(|finding| urgency(finding.class, finding.severity));
        let own = urgency(Class::Other, self.severity);
        findings.chain(fields).min().unwrap_or(own).min(own)
    }
}

/// The impact of a change, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub class: Class,
    /// How much attention it needs.
    pub severity: Severity,
    /// One sentence without a full stop.
    pub message: String,
    /// The field path that it refers to, as text; empty for the resource.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// A field that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FieldChange {
    /// Where it is.
    pub path: Path,
    /// How it changes.
    pub change: Change,
    /// The changed lines, when both values are texts of several lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Hunk>,
    /// What it is about.
    pub class: Class,
    /// How much attention it needs.
    pub severity: Severity,
    /// Why it may be skipped, when only the form of the value changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded: Option<Fold>,
    /// Where the old value comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_origin: Option<Origin>,
    /// Where the new value comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_origin: Option<Origin>,
}

/// How a field changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Change {
    /// It is new.
    Added {
        /// Its value.
        after: Value,
    },
    /// It is removed.
    Removed {
        /// Its value.
        before: Value,
    },
    /// It has another value.
    Replaced {
        /// The old value.
        before: Value,
        /// The new value.
        after: Value,
    },
    /// A list has its items in another order.
    Reordered {
        /// For each item that stays, in the new order, its index in the old list.
        order: Vec<usize>,
    },
}

impl Change {
    /// Its name: `added`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Added { .. } => "added",
            Self::Removed { .. } => "removed",
            Self::Replaced { .. } => "replaced",
            Self::Reordered { .. } => "reordered",
        }
    }

    /// The old value.
    #[must_use]
    pub const fn before(&self) -> Option<&Value> {
        match self {
            Self::Removed { before } | Self::Replaced { before, .. } => Some(before),
            Self::Added { .. } | Self::Reordered { .. } => None,
        }
    }

    /// The new value.
    #[must_use]
    pub const fn after(&self) -> Option<&Value> {
        match self {
            Self::Added { after } | Self::Replaced { after, .. } => Some(after),
            Self::Removed { .. } | Self::Reordered { .. } => None,
        }
    }
}

/// Why a change may be skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fold {
    /// The items of a list are in another order.
    Order,
    /// The same number or quantity in another spelling: `1000m` and `1`.
    Equal,
    /// The value is the one that the API server sets when there is none.
    Default,
}

/// A field path within a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(pub Vec<Step>);

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Step {
    /// The key of a mapping.
    Key(String),
    /// The item of a list.
    Item {
        /// What distinguishes it from other items: names of fields with their values; empty when that is the content.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        key: Vec<(String, String)>,
        /// Its index in the old list, when it is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<usize>,
        /// Its index in the new list, when it is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<usize>,
    },
}

/// `spec.template.spec.containers[name=web].image`, `args[2]`, `data["a.b"]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => KeyStep { key, is_first: at == 0 }.fmt(f)?,
                Step::Item { key, before, after } if key.is_empty() => {
                    write!(f, "[{}]", after.or(*before).unwrap_or_default())?;
                }
                Step::Item { key, .. } => ItemStep(key).fmt(f)?,
            }
        }
        Ok(())
    }
}

impl Path {
    /// The keys of the path, items left out.
    #[must_use = "an iterator does nothing by itself"]
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Item { .. } => None,
        })
    }

    /// The last key.
    #[must_use]
    pub fn last_key(&self) -> &str {
        self.keys().next_back().unwrap_or_default()
    }

    /// Whether it ends in an item of a list.
    #[must_use]
    pub fn ends_in_item(&self) -> bool {
        matches!(self.0.last(), Some(Step::Item { .. }))
    }
}

/// Lines of a text that changed, with some around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Hunk {
    /// The first line in the old text, from 1.
    pub before_start: usize,
    /// The first line in the new text, from 1.
    pub after_start: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

/// Whether a line stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sign {
    /// It is on both sides.
    #[serde(rename = " ")]
    Same,
    /// It is removed.
    #[serde(rename = "-")]
    Removed,
    /// It is new.
    #[serde(rename = "+")]
    Added,
}

/// A line of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Line {
    /// Whether it stays.
    pub sign: Sign,
    /// The text without its line break.
    pub text: String,
}

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Origin {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The step that set it; empty when it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The components of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Graph {
    /// The components.
    pub nodes: Vec<GraphNode>,
    /// What waits for what.
    pub edges: Vec<GraphEdge>,
}

impl Graph {
    /// Components, and which of them wait for others.
    #[must_use]
    pub fn new(nodes: Vec<GraphNode>, edges: Vec<GraphEdge>) -> Self {
        Self { nodes, edges }
    }
}

/// A component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GraphNode {
    /// Its name.
    pub name: String,
    /// The length of the longest chain of components that it requires.
    pub depth: usize,
    /// Whether the cluster already has it.
    pub present: bool,
    /// Why it is selected.
    pub reason: String,
}

impl GraphNode {
    /// A component that requires no other, and that the cluster does not have yet.
    #[must_use]
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), depth: 0, present: false, reason: reason.into() }
    }
}

/// A component that waits for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GraphEdge {
    /// The one that waits.
    pub from: String,
    /// The one that it waits for.
    pub to: String,
    /// The capability, or nothing when it is required by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
}

impl GraphEdge {
    /// The component `from` waits for `to`.
    #[must_use]
    pub fn new(from: impl Into<String>, to: impl Into<String>, capability: Option<String>) -> Self {
        Self { from: from.into(), to: to.into(), capability }
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Path, Step};

    #[test]
    fn paths_are_shown_as_people_write_them() {
        let item = |key: &[(&str, &str)], before| Step::Item {
            key: key.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            before,
            after: None,
        };
        let path = Path(vec![
            Step::Key("spec".into()),
            Step::Key("ports".into()),
            item(&[("port", "80"), ("protocol", "TCP")], None),
            Step::Key("a.b/c".into()),
            item(&[], Some(3)),
        ]);
        assert_eq!(path.to_string(), "spec.ports[port=80,protocol=TCP]['a.b/c'][3]");
    }

    #[test]
    fn names_of_classes_are_those_of_json() {
        for class in Class::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
            assert_eq!(Class::named(class.name()), Some(class));
        }
    }
}
