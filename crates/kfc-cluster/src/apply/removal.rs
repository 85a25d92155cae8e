//! What is to be deleted and what stays, decided before anybody is asked and anything is done. Prunes and deletions follow
//! the same rules: what others own stays, what holds data stays unless its kind is requested, and a namespace or CRD stays
//! when deleting it would delete an object that stays.

use super::claims::Claims;
use super::inventory::{Entry, Identity, identity};
use super::inventory_id::InventoryId;
use super::owner;
use super::session::Session;
use super::snapshot::{self, Seen, Snapshot};
use crate::cluster::{ApiResource, Failure};
use futures::stream::{self, StreamExt};
use kfc_kube::ObjectId;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// With the value `disabled`, an object stays when it leaves the bundle, and when everything is deleted.
pub const PRUNE_ANNOTATION: &str = "kfc.dev/prune";

/// Objects that are named when many are meant.
const NAMED: usize = 3;

/// Kinds that hold data or other objects, and are deleted only on request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is requested on its own")]
pub struct Kinds {
    /// Namespaces, with everything in them.
    pub namespaces: bool,
    /// CRDs whose kind has objects, with all these objects.
    pub crds: bool,
    /// PVCs, with their data.
    pub pvcs: bool,
    /// PVs, with their data.
    pub pvs: bool,
}

impl Kinds {
    /// Every kind.
    pub const ALL: Self = Self { namespaces: true, crds: true, pvcs: true, pvs: true };

    /// Whether any kind is requested.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// Why an object stays because of its kind; `None` when its kind may be deleted.
    fn spares(self, object: &ObjectId) -> Option<&'static str> {
        match (object.group.as_str(), object.kind.as_str()) {
            ("", "Namespace") if !self.namespaces => {
                Some("namespaces are deleted only with `--delete-namespaces` or `--delete-all`")
            }
            ("", "PersistentVolumeClaim") if !self.pvcs => {
                Some("PVCs are deleted only with `--delete-pvcs` or `--delete-all`")
            }
            ("", "PersistentVolume") if !self.pvs => {
                Some("PVs are deleted only with `--delete-pvs` or `--delete-all`")
            }
            _ => None,
        }
    }
}

/// An object that is not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Which object.
    pub object: ObjectId,
    /// Why.
    pub why: String,
    /// Whether the inventory no longer lists it, as it has another owner.
    pub forgotten: bool,
}

impl Stay {
    pub(super) fn kept(object: &ObjectId, why: impl Into<String>) -> Self {
        Self { object: object.clone(), why: why.into(), forgotten: false }
    }

    pub(super) fn forgotten(object: &ObjectId, why: impl Into<String>) -> Self {
        Self { object: object.clone(), why: why.into(), forgotten: true }
    }
}

/// What is to be deleted and what stays.
#[derive(Clone, Debug, Default)]
pub struct RemovalPlan {
    /// What is to be deleted, with the wave that it was applied in.
    pub going: Vec<(ObjectId, usize)>,
    /// What stays, and why.
    pub staying: Vec<Stay>,
    /// What does not exist any more.
    pub absent: Vec<ObjectId>,
    /// What the user has to know before agreeing.
    pub notes: Vec<String>,
}

/// The rules of a deletion.
#[derive(Clone, Debug)]
pub(super) struct Rules<'r> {
    /// The inventory that deletes; none when objects are named.
    pub(super) own: Option<&'r InventoryId>,
    pub(super) kinds: Kinds,
    /// Objects that are deleted although inventories list them.
    pub(super) taken: &'r [ObjectId],
}

impl Rules<'_> {
    fn manager(&self) -> String {
        self.own.map(InventoryId::manager).unwrap_or_default()
    }

    /// Why an object stays by its metadata: its annotation, or the field manager of an inventory that cannot be read.
    pub(super) fn spares_live(
        &self,
        object: &ObjectId,
        metadata: &serde_json::Value,
        claims: &Claims,
    ) -> Option<Stay> {
        if metadata["annotations"][PRUNE_ANNOTATION] == "disabled" {
            return Some(Stay::forgotten(
                object,
                format!("its annotation `{PRUNE_ANNOTATION}` is `disabled`"),
            ));
        }
        if claims.unseen().is_some()
            && !self.taken.iter().any(|taken| taken.same_object(object))
            && let Some(other) = owner::other_stacks(metadata, &self.manager()).first()
        {
            return Some(Stay::forgotten(object, format!("the inventory {other} applies it too")));
        }
        None
    }

    /// Why a namespace or CRD stays: deleting it would delete objects of another inventory.
    pub(super) fn spares_holder(
        object: &ObjectId,
        claims: &Claims,
        kind: Option<&ApiResource>,
    ) -> Option<Stay> {
        match (object.group.as_str(), object.kind.as_str()) {
            ("", "Namespace") => {
                if let Some(other) = claims.in_namespace(&object.name) {
                    return Some(Stay::kept(object, format!("the inventory {other} has objects in it")));
                }
            }
            ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                if let Some(kind) = kind
                    && let Some(other) = claims.of_kind(&kind.group, &kind.kind)
                {
                    return Some(Stay::kept(
                        object,
                        format!("the inventory {other} has objects of its kind"),
                    ));
                }
            }
            _ => return None,
        }
        claims
            .unseen()
            .map(|_| Stay::kept(object, "inventories of other namespaces, which may need it, cannot be read"))
    }
}

/// The kind that a CRD defines; `None` when the server does not serve it.
pub(super) fn defined_kind(session: &Session<'_>, definition: &ObjectId) -> Option<ApiResource> {
    let (plural, group) = definition.name.split_once('.')?;
    session.discovery().of_plural(group, plural).cloned()
}

pub(super) fn is_definition(object: &ObjectId) -> bool {
    object.group == "apiextensions.k8s.io" && object.kind == "CustomResourceDefinition"
}

pub(super) fn is_namespace(object: &ObjectId) -> bool {
    object.group.is_empty() && object.kind == "Namespace"
}

/// Why a CRD stays that is not requested: its kind has objects, or that cannot be found out. Objects in `but` are deleted
/// before it.
pub(super) async fn spares_definition(
    session: &Session<'_>,
    definition: &ObjectId,
    but: &HashSet<Identity>,
) -> Option<Stay> {
    const FLAGS: &str = "it is deleted only with `--delete-crds` or `--delete-all`";
    let Some(kind) = defined_kind(session, definition) else {
        let why = format!("it cannot be found out whether objects of its kind exist: {FLAGS}");
        return Some(Stay::kept(definition, why));
    };
    match count_others(session, &kind, but).await {
        Ok(0) => None,
        Ok(1) => Some(Stay::kept(definition, format!("1 object of its kind exists: {FLAGS}"))),
        Ok(count) => Some(Stay::kept(definition, format!("{count} objects of its kind exist: {FLAGS}"))),
        Err(failure) => {
            let why = format!("its objects cannot be read ({}): {FLAGS}", failure.message);
            Some(Stay::kept(definition, why))
        }
    }
}

/// How many objects of a kind exist, some left out.
async fn count_others(
    session: &Session<'_>,
    kind: &ApiResource,
    but: &HashSet<Identity>,
) -> Result<usize, Failure> {
    match snapshot::list(session, kind, "").await {
        Ok(found) => Ok(found.iter().filter(|(object, _)| !but.contains(&identity(object))).count()),
        Err(failure) if failure.is_not_found() => Ok(0),
        Err(failure) => Err(failure),
    }
}

/// Which other objects the deletion of a CRD deletes.
async fn note_of_objects(
    session: &Session<'_>,
    definition: &ObjectId,
    but: &HashSet<Identity>,
) -> Option<String> {
    let kind = defined_kind(session, definition)?;
    match count_others(session, &kind, but).await {
        Ok(0) => None,
        Ok(count) => Some(format!(
            "deleting {definition} deletes every {}, {count} more than those listed here",
            kind.kind
        )),
        Err(failure) => Some(format!(
            "deleting {definition} deletes every {}; they cannot be read: {}",
            kind.kind, failure.message
        )),
    }
}

impl RemovalPlan {
    /// Decides about each of some entries.
    pub(super) async fn make(
        session: &Session<'_>,
        entries: Vec<Entry>,
        rules: &Rules<'_>,
        claims: &Claims,
    ) -> Self {
        let mut plan = Self::default();
        let snapshot = Snapshot::take(session, entries.iter().map(|entry| &entry.object)).await;
        for entry in entries {
            plan.sort(entry, &snapshot, rules, claims);
        }
        plan.keep_definitions(session, rules, claims).await;
        plan.keep_namespaces(session, rules, claims).await;
        plan
    }

    fn sort(&mut self, entry: Entry, snapshot: &Snapshot, rules: &Rules<'_>, claims: &Claims) {
        let object = entry.object;
        if let Some(other) = claims.holder(&object) {
            self.staying.push(Stay::forgotten(&object, format!("the inventory {other} lists it too")));
            return;
        }
        let metadata = match snapshot.seen(&object) {
            Seen::Exists(metadata) => Some(metadata),
            Seen::Absent => {
                self.absent.push(object);
                return;
            }
            Seen::Unknown => None,
        };
        let why_live = metadata.and_then(|metadata| rules.spares_live(&object, metadata, claims));
        if let Some(stay) = why_live {
            self.staying.push(stay);
        } else if entry.found {
            let why = "it existed before and is not from kfc (`kfc apply --adopt` takes it over)";
            self.staying.push(Stay::forgotten(&object, why));
        } else if let Some(why) = rules.kinds.spares(&object) {
            self.staying.push(Stay::kept(&object, why));
        } else {
            self.going.push((object, entry.wave));
        }
    }

    /// An object of a kind that stays.
    fn staying_of(&self, kind: &ApiResource) -> Option<&Stay> {
        self.staying.iter().find(|stay| stay.object.group == kind.group && stay.object.kind == kind.kind)
    }

    async fn keep_definitions(&mut self, session: &Session<'_>, rules: &Rules<'_>, claims: &Claims) {
        let (definitions, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.going).into_iter().partition(|(object, _)| is_definition(object));
        self.going = others;
        let going = &self.going.iter().map(|(object, _)| identity(object)).collect();
        let each = stream::iter(definitions).map(|(definition, wave)| async move {
            let (stay, note) = if rules.kinds.crds {
                (None, note_of_objects(session, &definition, going).await)
            } else {
                (spares_definition(session, &definition, going).await, None)
            };
            (definition, wave, stay, note)
        });
        let each: Vec<_> = each.buffered(session.concurrency).collect().await;
        for (definition, wave, stay, note) in each {
            let kind = defined_kind(session, &definition);
            let stay = stay.or_else(|| match (rules.kinds.crds, &kind) {
                (true, Some(kind)) => self
                    .staying_of(kind)
                    .map(|stay| Stay::kept(&definition, format!("{} stays", stay.object))),
                _ => None,
            });
            let needed = || Rules::spares_holder(&definition, claims, kind.as_ref());
            if let Some(stay) = stay.or_else(needed) {
                self.staying.push(stay);
            } else {
                self.notes.extend(note);
                self.going.push((definition, wave));
            }
        }
    }

    async fn keep_namespaces(&mut self, session: &Session<'_>, rules: &Rules<'_>, claims: &Claims) {
        let (namespaces, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.going).into_iter().partition(|(object, _)| is_namespace(object));
        self.going = others;
        if namespaces.is_empty() {
            return;
        }
        let names: BTreeSet<&str> = namespaces.iter().map(|(object, _)| object.name.as_str()).collect();
        let mut inside = Contents::of(session, &names).await;
        inside.remove(&self.going.iter().map(|(object, _)| identity(object)).collect());
        for (namespace, wave) in namespaces {
            if let Some(stay) = self.why_namespace_stays(&namespace, rules, claims, &inside) {
                self.staying.push(stay);
            } else {
                self.notes.extend(inside.note(&namespace));
                self.going.push((namespace, wave));
            }
        }
    }

    fn why_namespace_stays(
        &self,
        namespace: &ObjectId,
        rules: &Rules<'_>,
        claims: &Claims,
        inside: &Contents,
    ) -> Option<Stay> {
        if let Some(stay) = Rules::spares_holder(namespace, claims, None) {
            return Some(stay);
        }
        if let Some(stay) = self.staying.iter().find(|stay| stay.object.namespace == namespace.name) {
            return Some(Stay::kept(namespace, format!("{} in it stays", stay.object)));
        }
        let mut others = inside.of_namespace(&namespace.name).iter();
        if !rules.kinds.pvcs
            && let Some(claim) = others.find(|object| object.kind == "PersistentVolumeClaim")
        {
            let why =
                format!("it contains {claim}: PVCs are deleted only with `--delete-pvcs` or `--delete-all`");
            return Some(Stay::kept(namespace, why));
        }
        None
    }
}

/// The objects in some namespaces, without those that every namespace has and those that an owner deletes.
#[derive(Debug, Default)]
struct Contents {
    by_namespace: BTreeMap<String, Vec<ObjectId>>,
    /// Why some of it could not be read.
    unseen: Option<String>,
}

impl Contents {
    async fn of(session: &Session<'_>, namespaces: &BTreeSet<&str>) -> Self {
        let discovery = session.discovery();
        let kinds: Vec<ApiResource> =
            discovery.preferred().filter(|kind| is_counted(kind)).cloned().collect();
        let lists = stream::iter(kinds).map(|kind| list_in(session, kind, namespaces));
        let lists: Vec<_> = lists.buffer_unordered(session.concurrency).collect().await;
        let mut contents = Self::default();
        for list in lists {
            match list {
                Ok(found) => {
                    for object in found {
                        contents.by_namespace.entry(object.namespace.clone()).or_default().push(object);
                    }
                }
                // Kinds that cannot be listed, such as reviews, are requests and not objects.
                Err(failure) if matches!(failure.status, 404 | 405) => {}
                Err(failure) => contents.unseen = Some(failure.message),
            }
        }
        contents.by_namespace.values_mut().for_each(|objects| objects.sort());
        contents
    }

    /// Removes what is deleted anyway.
    fn remove(&mut self, going: &HashSet<Identity>) {
        self.by_namespace
            .values_mut()
            .for_each(|objects| objects.retain(|object| !going.contains(&identity(object))));
    }

    /// Which objects that no inventory lists are deleted with a namespace.
    fn note(&self, namespace: &ObjectId) -> Option<String> {
        let others = self.of_namespace(&namespace.name);
        let unseen =
            self.unseen.as_ref().map(|why| format!("not every object in {namespace} can be read: {why}"));
        if others.is_empty() {
            return unseen;
        }
        let named: Vec<String> = others.iter().take(NAMED).map(ToString::to_string).collect();
        let more = others.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let count = others.len();
        let objects = if count == 1 { "object" } else { "objects" };
        let named = named.join(", ");
        let note =
            format!("deleting {namespace} deletes {count} {objects} that no inventory lists: {named}{more}");
        Some(unseen.into_iter().fold(note, |note, unseen| format!("{note}; {unseen}")))
    }

    fn of_namespace(&self, namespace: &str) -> &[ObjectId] {
        self.by_namespace.get(namespace).map_or(&[], Vec::as_slice)
    }
}

async fn list_in(
    session: &Session<'_>,
    kind: ApiResource,
    namespaces: &BTreeSet<&str>,
) -> Result<Vec<ObjectId>, Failure> {
    let mut found = match snapshot::list(session, &kind, "").await {
        Err(failure) if failure.is_forbidden() => {
            let mut found = Vec::new();
            for namespace in namespaces {
                found.extend(snapshot::list(session, &kind, namespace).await?);
            }
            found
        }
        found => found?,
    };
    found.retain(|(object, metadata)| {
        namespaces.contains(object.namespace.as_str())
            && metadata["ownerReferences"].as_array().is_none_or(Vec::is_empty)
            && !is_of_every_namespace(object)
    });
    Ok(found.into_iter().map(|(object, _)| object).collect())
}

/// Events and what is computed from other objects do not count.
fn is_counted(kind: &ApiResource) -> bool {
    kind.namespaced
        && !matches!(kind.kind.as_str(), "Event" | "Endpoints" | "EndpointSlice")
        && kind.group != "metrics.k8s.io"
}

fn is_of_every_namespace(object: &ObjectId) -> bool {
    match (object.kind.as_str(), object.name.as_str()) {
        ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt" | "openshift-service-ca.crt") => {
            true
        }
        // Our own lists and locks.
        ("ConfigMap" | "Lease", name) => {
            ["kfc-inventory-", "kfc-hooks-", "kfc-history-"].iter().any(|own| name.starts_with(own))
        }
        _ => false,
    }
}
