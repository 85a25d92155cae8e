//! Versions of CRDs: which custom resources must be stored in another version, and when.
//!
//! An API server refuses a CRD without a version that `status.storedVersions` lists, because objects may be stored in it. So
//! these have to be written again, in a version that both CRDs have, and the list has to be shortened, before the new CRD is
//! applied.

use kfc_kube::Object;
use kfc_yaml::Node;
use serde::Serialize;

/// When objects are written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MigrationTime {
    /// Before the new CRD is applied, or the API server refuses it.
    Before,
    /// Afterwards, before a later release removes the version.
    After,
}

/// Custom resources that have to be stored in another version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Migration {
    /// The CRD: `jobs.example.com`.
    pub definition: String,
    /// The API group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The component of the CRD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// When.
    pub time: MigrationTime,
    /// The versions that objects are stored in and that go.
    pub from: Vec<String>,
    /// The version to store them in; none when no version is in both CRDs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Versions that the old CRD served and the new one does not.
    pub no_longer_served: Vec<String>,
    /// Versions that the new CRD serves.
    pub served: Vec<String>,
    /// Commands, in order.
    pub commands: Vec<String>,
}

/// A version of a CRD.
struct Version<'n> {
    name: &'n str,
    is_served: bool,
    is_stored: bool,
}

/// The versions of a CRD, in order.
fn versions(definition: &Object) -> Vec<Version<'_>> {
    let list = definition.node.at(&["spec", "versions"]).and_then(Node::as_seq).unwrap_or_default();
    let is = |version: &Node, field: &str| version.get(field).and_then(Node::as_text) == Some("true");
    list.iter()
        .filter_map(|version| {
            let name = version.get("name")?.as_text()?;
            Some(Version { name, is_served: is(version, "served"), is_stored: is(version, "storage") })
        })
        .collect()
}

/// The versions that objects may be stored in: what a cluster says, or the one that the CRD stores.
fn stored<'n>(definition: &'n Object, live: Option<&'n Object>, versions: &[Version<'n>]) -> Vec<&'n str> {
    let list =
        |definition: &'n Object| definition.node.at(&["status", "storedVersions"]).and_then(Node::as_seq);
    let listed = live.and_then(list).or_else(|| list(definition)).unwrap_or_default();
    let listed: Vec<&str> = listed.iter().filter_map(Node::as_text).collect();
    if listed.is_empty() {
        versions.iter().filter(|version| version.is_stored).map(|version| version.name).collect()
    } else {
        listed
    }
}

/// The objects of two bundles, and those of a cluster that has the first one.
pub(super) struct Sides<'n> {
    pub(super) before: &'n [&'n Object],
    pub(super) after: &'n [&'n Object],
    pub(super) cluster: &'n [Object],
}

fn is_definition(object: &Object) -> bool {
    object.kind() == "CustomResourceDefinition"
}

/// The migrations between the CRDs of two bundles; those that must happen before come first.
pub(super) fn migrations(sides: &Sides<'_>, component: impl Fn(&Object) -> Option<String>) -> Vec<Migration> {
    let mut found: Vec<Migration> = Vec::new();
    for new in sides.after.iter().filter(|object| is_definition(object)) {
        let old = sides.before.iter().find(|old| is_definition(old) && old.name() == new.name());
        let live = sides.cluster.iter().find(|live| is_definition(live) && live.name() == new.name());
        if let Some(migration) = old.and_then(|old| migration(old, live, new)) {
            found.push(Migration { component: component(new), ..migration });
        }
    }
    found.sort_by(|a, b| (a.time, &a.definition).cmp(&(b.time, &b.definition)));
    found
}

fn migration(before: &Object, live: Option<&Object>, after: &Object) -> Option<Migration> {
    let (old, new) = (versions(before), versions(after));
    let has = |versions: &[Version<'_>], name: &str| versions.iter().any(|version| version.name == name);
    let serves = |name: &str| new.iter().any(|version| version.name == name && version.is_served);
    let stores = |name: &str| new.iter().any(|version| version.name == name && version.is_stored);
    let stored = stored(before, live, &old);
    let removed: Vec<&str> = stored.iter().copied().filter(|name| !has(&new, name)).collect();
    let moved: Vec<&str> = stored.iter().copied().filter(|name| has(&new, name) && !stores(name)).collect();
    let served_before = old.iter().filter(|version| version.is_served).map(|version| version.name);
    let no_longer_served: Vec<&str> = served_before.filter(|name| !serves(name)).collect();
    if removed.is_empty() && moved.is_empty() && no_longer_served.is_empty() {
        return None;
    }
    let (time, from) =
        if removed.is_empty() { (MigrationTime::After, moved) } else { (MigrationTime::Before, removed) };
    // Before the new CRD is applied, only versions of the old one can be stored, and only those of both survive.
    let in_both = |version: &&Version<'_>| has(&old, version.name);
    let to = match time {
        MigrationTime::After => new.iter().find(|version| version.is_stored),
        MigrationTime::Before => {
            let stored_in_both = new.iter().filter(in_both).find(|version| version.is_stored);
            stored_in_both.or_else(|| new.iter().filter(in_both).find(|version| version.is_served))
        }
    };
    let to = to.map(|version| version.name.to_owned());
    let text = |path: &[&str]| after.node.at(path).and_then(Node::as_text).unwrap_or_default().to_owned();
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let commands = match &to {
        _ if from.is_empty() => Vec::new(),
        Some(to) => commands(after.name(), time, &old, to),
        None => commands_to_replace(after.name()),
    };
    Some(Migration {
        definition: after.name().to_owned(),
        group: text(&["spec", "group"]),
        kind: text(&["spec", "names", "kind"]),
        component: None,
        time,
        from: owned(from),
        to,
        no_longer_served: owned(no_longer_served),
        served: new
            .iter()
            .filter(|version| version.is_served)
            .map(|version| version.name.to_owned())
            .collect(),
        commands,
    })
}

/// Commands that store all objects of a CRD in a version, and say so in its status.
fn commands(definition: &str, time: MigrationTime, old: &[Version<'_>], to: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let is_stored = old.iter().any(|version| version.name == to && version.is_stored);
    if time == MigrationTime::Before && !is_stored {
        let operations = old.iter().enumerate().filter_map(|(at, version)| {
            let is_meant = version.name == to;
            let changes = is_meant != version.is_stored;
            let operation =
                format!(r#"{{"op":"replace","path":"/spec/versions/{at}/storage","value":{is_meant}}}"#);
            changes.then_some(operation)
        });
        let operations: Vec<String> = operations.collect();
        commands
            .push(format!("kubectl patch crd {definition} --type=json --patch='[{}]'", operations.join(",")));
    }
    // kubectl calls it an error when there is nothing to replace.
    let all = format!("kubectl get {definition} --all-namespaces");
    commands.push(format!(
        r#"[ -z "$({all} --output=name)" ] || {all} --output=json | kubectl replace --filename=-"#
    ));
    commands.push(format!(
        r#"kubectl patch crd {definition} --subresource=status --type=merge --patch='{{"status":{{"storedVersions":["{to}"]}}}}'"#
    ));
    commands
}

/// Commands that make room for a CRD that has no version of the old one.
fn commands_to_replace(definition: &str) -> Vec<String> {
    vec![
        format!("kubectl get {definition} --all-namespaces --output=yaml > {definition}.yaml"),
        format!("kubectl delete crd {definition}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::{MigrationTime, Sides, migrations};
    use kfc_diagnostics::SourceId;
    use kfc_kube::Object;
    use kfc_yaml::parse::parse;

    /// A CRD with these versions: `v1` is served, `v1!` also stored, `(v1)` neither.
    fn definition(versions: &[&str], stored: &str) -> Object {
        let version = |text: &&str| {
            let name = text.trim_matches(['!', '(', ')']);
            let (is_served, is_stored) = (!text.starts_with('('), text.ends_with('!'));
            format!("{{name: {name}, served: {is_served}, storage: {is_stored}}}")
        };
        let versions: Vec<String> = versions.iter().map(version).collect();
        let text = format!(
            "{{kind: CustomResourceDefinition, metadata: {{name: as.g}}, spec: {{group: g, names: {{kind: A}}, \
             versions: [{}]}}, status: {{storedVersions: [{stored}]}}}}",
            versions.join(", ")
        );
        Object::new(parse(&text, SourceId::NONE).unwrap().remove(0), true)
    }

    /// When, from what to what, what is no longer served, and how many commands.
    fn migration(before: &Object, after: &Object) -> Option<(MigrationTime, String, String, usize)> {
        let sides = Sides { before: &[before], after: &[after], cluster: &[] };
        let found = migrations(&sides, |_| None).pop()?;
        let to = format!("{} → {}", found.from.join("+"), found.to.as_deref().unwrap_or("nothing"));
        Some((found.time, to, found.no_longer_served.join("+"), found.commands.len()))
    }

    #[test]
    fn what_is_stored_in_a_version_that_goes_is_migrated_before() {
        use MigrationTime::{After, Before};
        let expect =
            |time, to: &str, gone: &str, commands| Some((time, to.to_owned(), gone.to_owned(), commands));
        let old = definition(&["v1alpha1!", "v1"], "");
        assert_eq!(
            migration(&old, &definition(&["v1!"], "")),
            expect(Before, "v1alpha1 → v1", "v1alpha1", 3)
        );
        assert_eq!(
            migration(&old, &definition(&["v1alpha1", "v1!"], "")),
            expect(After, "v1alpha1 → v1", "", 2)
        );
        assert_eq!(
            migration(&old, &definition(&["(v1alpha1)", "v1!"], "")),
            expect(After, "v1alpha1 → v1", "v1alpha1", 2)
        );
        assert_eq!(
            migration(&old, &definition(&["v2!"], "")),
            expect(Before, "v1alpha1 → nothing", "v1alpha1+v1", 2)
        );
        assert_eq!(migration(&old, &old), None);
    }

    #[test]
    fn a_cluster_knows_more_versions_than_the_stored_one() {
        let old = definition(&["v1alpha1", "v1!"], "v1alpha1, v1");
        let found = migration(&old, &definition(&["v1!"], ""));
        assert_eq!(
            found,
            Some((MigrationTime::Before, "v1alpha1 → v1".to_owned(), "v1alpha1".to_owned(), 2))
        );
        let only_served = definition(&["v1alpha1", "v1!"], "");
        let found = migration(&only_served, &definition(&["v1!"], ""));
        assert_eq!(found, Some((MigrationTime::After, " → v1".to_owned(), "v1alpha1".to_owned(), 0)));
    }
}
