//! What an upgrade asks of people: the changes between two bundles, sorted by what has to happen before, during and after an
//! apply. What is lost comes first.

mod render;
mod versions;

use crate::input::Input;
use crate::model::{ChangeKind, Class, Report, ResourceChange, Side};
use kfc_kube::Object;
use kfc_yaml::Node;
pub use render::ApplyStep;
use serde::Serialize;
use std::collections::BTreeMap;
pub use versions::{Migration, MigrationTime};

/// What an upgrade asks of people.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Upgrade {
    /// The old bundle.
    pub before: Side,
    /// The new bundle.
    pub after: Side,
    /// Data that is lost, or left behind, unless somebody saves it.
    pub losses: Vec<Concern>,
    /// Workloads with volumes that get another image: their data should be saved before.
    pub backups: Vec<Concern>,
    /// Custom resources that have to be stored in another version.
    pub migrations: Vec<Migration>,
    /// Objects that have to be deleted and created again.
    pub recreations: Vec<Concern>,
    /// What nothing but a person can do.
    pub by_hand: Vec<Concern>,
    /// How many resources of each component change, in the order in which they are applied.
    pub components: Vec<ComponentChange>,
}

/// Something to know or to do, about one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Concern {
    /// The component of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The object: `Kind namespace/name`.
    pub object: String,
    /// One sentence without a full stop.
    pub message: String,
}

/// A component that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ComponentChange {
    /// Its name.
    pub name: String,
    /// The length of the longest chain of components below it: what is lower is applied first.
    pub depth: usize,
    /// How many of its resources change.
    pub resources: usize,
}

impl Upgrade {
    /// What the changes between two bundles ask of people. `report` is what [`crate::compare`] found between them; `cluster` has
    /// the CRDs of the cluster, whose status lists in which versions objects are stored, as far as they are known.
    #[must_use]
    pub fn new(before: &Input, after: &Input, report: &Report, cluster: &[Object]) -> Self {
        let (old, new) = (before.objects(), after.objects());
        let sides = versions::Sides { before: &old, after: &new, cluster };
        let migrations = versions::migrations(&sides, |object| component(before, after, object));
        let mut by_hand = removed_versions(&migrations);
        by_hand.extend(changed_secrets(report));
        Self {
            before: report.before.clone(),
            after: report.after.clone(),
            losses: of_class(report, Class::DataLoss),
            backups: backups(report, &old),
            migrations,
            recreations: of_class(report, Class::Recreate),
            by_hand,
            components: components(report),
        }
    }

    /// Whether an apply alone does everything.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.losses.is_empty()
            && self.backups.is_empty()
            && self.migrations.is_empty()
            && self.recreations.is_empty()
            && self.by_hand.is_empty()
    }
}

/// A form of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextForm {
    /// For a terminal.
    #[default]
    Plain,
    /// Markdown.
    Markdown,
}

/// The component of an object, in the new bundle or else in the old one.
fn component(before: &Input, after: &Input, object: &Object) -> Option<String> {
    let of = |input: &Input| {
        let is_it = |other: &Object| {
            (other.kind(), other.namespace(), other.name())
                == (object.kind(), object.namespace(), object.name())
        };
        let found = input.resources.iter().find(|member| is_it(member.traced.object()))?;
        found.component.clone()
    };
    of(after).or_else(|| of(before))
}

fn concern(change: &ResourceChange, message: impl Into<String>) -> Concern {
    let object = change.previous.as_ref().unwrap_or(&change.identity).to_string();
    Concern { component: change.component.clone(), object, message: message.into() }
}

/// The findings of a class.
fn of_class(report: &Report, class: Class) -> Vec<Concern> {
    let found = report.changes.iter().flat_map(|change| {
        let findings = change.findings.iter().filter(move |finding| finding.class == class);
        findings.map(move |finding| concern(change, finding.message.clone()))
    });
    found.collect()
}

/// Workloads that keep their volume and get another image: their programs may change the format of the data, and most cannot
/// read it again after a return to the old image.
fn backups(report: &Report, old: &[&Object]) -> Vec<Concern> {
    let workloads: BTreeMap<String, &Object> = old.iter().map(|object| (id_of(object), *object)).collect();
    let changed = report.changes.iter().filter(|change| change.kind == ChangeKind::Changed);
    let mut found = Vec::new();
    for change in changed {
        let Some(volumes) = workloads.get(&change.identity.to_string()).map(|object| claims_of(object))
        else {
            continue;
        };
        let images = change.fields.iter().filter(|field| field.class == Class::Image);
        let images: Vec<String> = images
            .filter_map(|field| {
                let text =
                    |value: Option<&serde_json::Value>| value.and_then(|v| v.as_str()).map(str::to_owned);
                Some(format!("{} → {}", text(field.change.before())?, text(field.change.after())?))
            })
            .collect();
        if !volumes.is_empty() && !images.is_empty() {
            let message = format!("{}, with the data of PVC {}", images.join(", "), volumes.join(", "));
            found.push(concern(change, message));
        }
    }
    found
}

fn id_of(object: &Object) -> String {
    kfc_kube::ObjectId::of(object, "").to_string()
}

/// The PVCs that the pods of a workload mount.
fn claims_of(object: &Object) -> Vec<String> {
    let list = |path: &[&str]| object.node.at(path).and_then(Node::as_seq).unwrap_or_default();
    let volumes = list(&["spec", "template", "spec", "volumes"]).iter();
    let named = volumes.filter_map(|volume| volume.at(&["persistentVolumeClaim", "claimName"])?.as_text());
    let templates = list(&["spec", "volumeClaimTemplates"]).iter();
    let templates = templates.filter_map(|template| template.at(&["metadata", "name"])?.as_text());
    named.chain(templates).map(str::to_owned).collect()
}

/// Manifests of users that name versions which are gone.
fn removed_versions(migrations: &[Migration]) -> Vec<Concern> {
    let gone = migrations.iter().filter(|migration| !migration.no_longer_served.is_empty());
    gone.map(|migration| Concern {
        component: migration.component.clone(),
        object: format!("CustomResourceDefinition {}", migration.definition),
        message: format!(
            "manifests and programs of your own that use {} must use {}",
            apis(&migration.group, &migration.no_longer_served),
            apis(&migration.group, &migration.served),
        ),
    })
    .collect()
}

fn apis(group: &str, versions: &[String]) -> String {
    let apis: Vec<String> = versions.iter().map(|version| format!("{group}/{version}")).collect();
    if apis.is_empty() { "another kind".to_owned() } else { apis.join(" or ") }
}

/// Secrets whose values change: what already runs keeps the old ones until it restarts.
fn changed_secrets(report: &Report) -> Vec<Concern> {
    let secrets = report.changes.iter().filter(|change| {
        let keys = change.fields.iter().filter(|field| field.folded.is_none());
        let mut keys = keys.filter_map(|field| field.path.keys().next());
        change.kind == ChangeKind::Changed
            && change.identity.kind == "Secret"
            && keys.any(|key| matches!(key, "data" | "stringData"))
    });
    secrets
        .map(|change| {
            concern(
                change,
                "its values change: set the ones that your databases and stores have, and restart what reads it",
            )
        })
        .collect()
}

/// The components that change, what others require first.
fn components(report: &Report) -> Vec<ComponentChange> {
    let depth = |name: &str| {
        let nodes = report.graph.iter().flat_map(|graph| &graph.nodes);
        nodes.filter(|node| node.name == name).map(|node| node.depth).next().unwrap_or_default()
    };
    let counted = report.summary.components.iter().filter(|(name, _)| !name.is_empty());
    let mut components: Vec<ComponentChange> = counted
        .map(|(name, resources)| ComponentChange {
            name: name.clone(),
            depth: depth(name),
            resources: *resources,
        })
        .collect();
    components.sort_by(|a, b| (a.depth, &a.name).cmp(&(b.depth, &b.name)));
    components
}
