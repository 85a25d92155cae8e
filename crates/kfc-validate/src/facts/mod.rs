//! What the API server checks of one object beyond the schema of its kind.
//!
//! [`table`] has what can be said of single fields of a type; the other modules have a function for each type that needs more.
//! All of them see one mapping of a known type at a time, wherever it is: a container of a Pod, or of the template of a CronJob.

mod access;
mod admission;
#[cfg(feature = "rules")]
mod cel;
#[cfg(feature = "rules")]
mod cel_cost;
#[cfg(feature = "rules")]
mod cel_types;
mod crd;
mod cron;
mod expand;
mod here;
mod network;
mod pods;
mod quotas;
mod resources;
mod storage;
mod table;
mod words;
mod workloads;
mod zones;

#[cfg(feature = "rules")]
pub(super) use cel::{condition, with_stack};

pub(super) use pods::OTHERS_SELECTOR;
pub(super) use workloads::CLAIMS_CHECKED;

use super::finding::{Finding, Findings};
use super::shape::{Others, ShapeId};
use super::table::Table;
use super::version::Version;
use here::{Check, Here, key};
use kfc_diagnostics::{Code, Mark};
use kfc_kube::Object;
use kfc_yaml::{Node, Value};
use rustc_hash::FxHashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// What is checked of one type.
#[derive(Default)]
struct TypeRules {
    facts: Vec<table::Fact>,
    checks: Vec<Check>,
}

/// The rules of every type that has some.
static RULES: LazyLock<FxHashMap<&'static str, TypeRules>> = LazyLock::new(|| {
    let mut all: FxHashMap<&'static str, TypeRules> = FxHashMap::default();
    for (name, fact) in table::facts() {
        all.entry(name).or_default().facts.push(fact);
    }
    let groups = [
        pods::CHECKS,
        resources::CHECKS,
        workloads::CHECKS,
        network::CHECKS,
        access::CHECKS,
        admission::CHECKS,
        crd::CHECKS,
        storage::CHECKS,
        quotas::CHECKS,
    ];
    for (name, check) in groups.into_iter().flatten() {
        all.entry(name).or_default().checks.push(*check);
    }
    #[cfg(feature = "rules")]
    for (name, check) in cel::CHECKS {
        all.entry(name).or_default().checks.push(*check);
    }
    all
});

/// Checks a resource of a kind of Kubernetes. What another check has reported at the same field is not reported again.
pub(super) fn check(resource: &Object, table: &Table, id: ShapeId, found: &mut Findings<'_>) {
    let mut walk = Walk { table, found: found.empty(), path: String::new() };
    walk.value(&resource.node, id, resource.mark());
    let known: Vec<String> =
        found.list.iter().filter(|finding| finding.is_error()).map(|finding| finding.path.clone()).collect();
    let fresh = walk.found.list.into_iter().filter(|finding| !known.contains(&finding.path));
    found.list.extend(fresh.filter(|finding| !is_taken(finding, table.version)));
}

/// Whether a server of a version takes what newer ones refuse, or what the published schemas do.
pub(super) fn is_taken(finding: &Finding, version: Version) -> bool {
    let code = finding.diagnostic.code;
    let is_of_older = version.0 < CLAIMS_CHECKED
        && finding.path.starts_with("spec.volumeClaimTemplates")
        && !matches!(code, Code::ValueUnknown | Code::ValueType);
    // The schemas that a CRD has inside of these are not known to the server as lists with keys.
    let is_of_inner = code == Code::ValueTwice
        && finding.path.contains(".x-kubernetes-validations[")
        && [".items.", ".additionalProperties."].iter().any(|part| finding.path.contains(part));
    is_of_older || is_of_inner
}

struct Walk<'w> {
    table: &'w Table,
    found: Findings<'w>,
    path: String,
}

impl Walk<'_> {
    fn value(&mut self, node: &Node, id: ShapeId, place: Option<Mark>) {
        let shape = self.table.shapes.get(id);
        let place = node.mark.known().or(place);
        let length = self.path.len();
        match &node.value {
            Value::Map(map) => {
                if !shape.name.is_empty() {
                    self.of_type(node, &shape.name, place);
                }
                for entry in map {
                    let name = entry.key.text.as_str();
                    // The server drops the status of a new object.
                    if length == 0 && name == "status" {
                        continue;
                    }
                    let below = match (shape.fields.get(name), shape.others) {
                        (Some(field), _) => *field,
                        (None, Others::Shaped(other)) => other,
                        _ => continue,
                    };
                    if name.contains(['.', '/', '[', '\'']) {
                        self.path.push_str(&key(name));
                    } else {
                        let dot = if length == 0 { "" } else { "." };
                        let _ = write!(self.path, "{dot}{name}");
                    }
                    self.value(&entry.value, below, place);
                    self.path.truncate(length);
                }
            }
            Value::Seq(items) => {
                let Some(item_shape) = shape.items else { return };
                for (index, item) in items.iter().enumerate() {
                    let _ = write!(self.path, "[{index}]");
                    self.value(item, item_shape, place);
                    self.path.truncate(length);
                }
            }
            Value::Scalar(_) => {}
        }
    }

    fn of_type(&mut self, node: &Node, type_name: &str, place: Option<Mark>) {
        let Some(rules) = RULES.get(type_name) else { return };
        let (table, version) = (self.table, self.table.version);
        let mut here = Here { node, path: &self.path, place, version, table, found: &mut self.found };
        for fact in &rules.facts {
            fact.check(&mut here);
        }
        for check in &rules.checks {
            check(&mut here);
        }
    }
}
