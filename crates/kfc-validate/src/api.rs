//! Which API versions there are: what was removed, what is deprecated, and kinds without a definition.

use super::definitions::{Definition, Definitions};
use super::finding::Findings;
use super::path::Path;
use super::shape::ShapeId;
use super::table::{self, Table};
use super::version::Version;
use kfc_diagnostics::{Code, nearest};
use kfc_kube::{GroupVersion, Object};
use kfc_yaml::Node;

const REMOVALS: &str = include_str!("../schemas/removals.txt");

/// Kinds of Kubernetes that are deprecated without a newer version of their own: since when, and what instead.
const SUPERSEDED: [(&str, &str, Version, &str); 2] = [
    ("v1", "Endpoints", Version(33), "use discovery.k8s.io/v1 EndpointSlice"),
    ("v1", "ComponentStatus", Version(19), "read the health endpoints of the components instead"),
];

/// Who defines a kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Api<'a> {
    /// Kubernetes itself.
    Builtin(ShapeId),
    /// A custom resource definition.
    Custom(&'a Definition),
}

/// A line of the table of removals.
struct Removal {
    api_version: &'static str,
    kind: &'static str,
    removed: Version,
    replacement: Option<&'static str>,
}

fn removals() -> impl Iterator<Item = Removal> {
    REMOVALS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut words = line.split(' ');
        Some(Removal {
            api_version: words.next()?,
            kind: words.next()?,
            removed: Version(words.next()?.parse().ok()?),
            replacement: words.next().filter(|word| *word != "-"),
        })
    })
}

/// Finds the definition of a resource's kind; reports what is wrong with its apiVersion.
pub(super) fn find<'a>(
    resource: &Object,
    table: &Table,
    definitions: &'a Definitions,
    allow_missing: bool,
    found: &mut Findings<'_>,
) -> Option<Api<'a>> {
    let (api_version, kind) = (resource.api_version(), resource.kind());
    let place = resource.node.get("apiVersion").unwrap_or(&resource.node);
    if let Some(id) = table.kind(api_version, kind) {
        deprecated(resource, place, table, found);
        return Some(Api::Builtin(id));
    }
    if let Some(definition) = definitions.kind(api_version, kind) {
        if !definition.served {
            let message = format!("{api_version} {kind} is defined but not served");
            let help = served(definitions, api_version, kind);
            found.error_at(Code::UnknownApi, place, message).help = help;
        } else if let Some(warning) = &definition.deprecated {
            found.warning_at(Code::DeprecatedApi, place, warning.clone());
        }
        if definition.shape.is_none() && !allow_missing {
            let message = format!("{api_version} {kind} was not checked: its CRD has no schema");
            found.warning(Code::NotChecked, &Path::TOP, place.mark.known(), message);
        }
        return Some(Api::Custom(definition));
    }
    if !removed(resource, place, table, found) {
        unknown(resource, place, table, definitions, allow_missing, found);
    }
    None
}

fn group(api_version: &str) -> &str {
    GroupVersion::parse(api_version).group
}

/// Order of API versions: alpha before beta before stable, then by number.
fn maturity(api_version: &str) -> (u8, u32, u32) {
    let version = GroupVersion::parse(api_version).version.trim_start_matches('v');
    let number = |text: &str| text.parse().unwrap_or(0);
    for (rank, word) in [(0, "alpha"), (1, "beta")] {
        if let Some((major, minor)) = version.split_once(word) {
            return (rank, number(major), number(minor));
        }
    }
    (2, number(version), 0)
}

/// The most mature version of a kind that a Kubernetes version has in the same group.
fn replacement(table: &Table, api_version: &str, kind: &str) -> Option<&'static str> {
    let same = table.all_kinds().filter(|(other, k)| *k == kind && group(other) == group(api_version));
    same.map(|(other, _)| other).max_by_key(|other| maturity(other))
}

fn deprecated(resource: &Object, place: &Node, table: &Table, found: &mut Findings<'_>) {
    let (api_version, kind) = (resource.api_version(), resource.kind());
    for (superseded, same_kind, since, help) in SUPERSEDED {
        if (superseded, same_kind) == (api_version, kind) && since <= table.version {
            let message = format!("{api_version} {kind} is deprecated since Kubernetes {since}");
            found.warning_at(Code::DeprecatedApi, place, message).help = Some(help.to_owned());
        }
    }
    let Some(newer) = replacement(table, api_version, kind) else { return };
    if maturity(newer).0 == 2 && maturity(api_version).0 < 2 {
        let message = format!("{api_version} {kind} is deprecated: there is a stable version");
        let end = table::kinds()
            .find(|line| (line.api_version, line.kind) == (api_version, kind))
            .map(|line| line.span.last)
            .filter(|last| *last < table::covered().last)
            .map(|last| format!(" (it is removed in Kubernetes {})", Version(last.0 + 1)));
        let help = format!("use {newer}{}", end.unwrap_or_default());
        found.warning_at(Code::DeprecatedApi, place, message).help = Some(help);
    }
}

/// Reports that another version of Kubernetes has this kind; returns whether one has.
fn removed(resource: &Object, place: &Node, table: &Table, found: &mut Findings<'_>) -> bool {
    let (api_version, kind) = (resource.api_version(), resource.kind());
    let lines: Vec<_> =
        table::kinds().filter(|line| (line.api_version, line.kind) == (api_version, kind)).collect();
    let by_hand = removals().find(|line| (line.api_version, line.kind) == (api_version, kind));
    let version = table.version;
    if let Some(line) = lines.iter().find(|line| line.span.first > version) {
        let since = line.span.first;
        let message = format!("{api_version} {kind} exists since Kubernetes {since}, but this is {version}");
        let instead = replacement(table, api_version, kind);
        found.error_at(Code::UnknownApi, place, message).help = instead.map(|other| format!("use {other}"));
        return true;
    }
    let gone = lines.last().map(|line| Version(line.span.last.0 + 1)).or(by_hand.as_ref().map(|l| l.removed));
    let Some(gone) = gone else { return false };
    let message = format!("{api_version} {kind} was removed in Kubernetes {gone}");
    let instead = by_hand.and_then(|line| line.replacement).or(replacement(table, api_version, kind));
    let help = match instead {
        Some(instead) => format!("use {instead}"),
        None if kind == "PodSecurityPolicy" => "label the namespaces for Pod Security Admission".to_owned(),
        None => "nothing replaces it".to_owned(),
    };
    found.error_at(Code::RemovedApi, place, message).help = Some(help);
    true
}

/// The kind has no definition: an error in a group of Kubernetes or of a CRD, else a note.
fn unknown(
    resource: &Object,
    place: &Node,
    table: &Table,
    definitions: &Definitions,
    allow_missing: bool,
    found: &mut Findings<'_>,
) {
    let (api_version, kind) = (resource.api_version(), resource.kind());
    let group = group(api_version);
    let is_builtin = table.all_kinds().any(|(other, _)| self::group(other) == group)
        || removals().any(|line| self::group(line.api_version) == group);
    let is_defined = definitions.all_kinds().any(|(other, k)| self::group(other) == group && k == kind);
    if is_builtin || is_defined {
        let owner = if is_builtin { format!("Kubernetes {}", table.version) } else { "the CRD".to_owned() };
        let message = format!("{owner} has no {api_version} {kind}");
        let help = served(definitions, api_version, kind).or_else(|| suggestion(table, api_version, kind));
        found.error_at(Code::UnknownApi, place, message).help = help;
    } else if !group.is_empty() && !group.contains('.') {
        // The group of a CRD is a domain.
        let message = format!("there is no API group `{group}`");
        let help = suggestion(table, api_version, kind);
        found.error_at(Code::UnknownApi, place, message).help = help;
    } else if !allow_missing {
        let message = format!("{api_version} {kind} was not checked: it has no definition");
        let help = "name its CRD with `--crds`, or a catalogue with `--schema-location`, or pass `--allow-missing-schema`";
        found.warning(Code::NotChecked, &Path::TOP, place.mark.known(), message).help = Some(help.to_owned());
    }
}

/// The versions of a custom kind that are served.
fn served(definitions: &Definitions, api_version: &str, kind: &str) -> Option<String> {
    let is_other = |other: &str, k: &str| k == kind && group(other) == group(api_version);
    let mut versions: Vec<&str> = definitions
        .all_kinds()
        .filter(|(other, k)| is_other(other, k) && definitions.kind(other, k).is_some_and(|d| d.served))
        .map(|(other, _)| other)
        .collect();
    versions.sort_by_key(|other| std::cmp::Reverse(maturity(other)));
    (!versions.is_empty()).then(|| format!("use {}", versions.join(" or ")))
}

fn suggestion(table: &Table, api_version: &str, kind: &str) -> Option<String> {
    let mut same_kind: Vec<&str> =
        table.all_kinds().filter(|(_, k)| *k == kind).map(|(other, _)| other).collect();
    same_kind.sort_by_key(|other| std::cmp::Reverse(maturity(other)));
    if let Some(other) = same_kind.first() {
        return Some(format!("did you mean {other} {kind}?"));
    }
    let mut kinds: Vec<&str> = table
        .all_kinds()
        .filter(|(other, _)| group(other) == group(api_version))
        .map(|(_, kind)| kind)
        .collect();
    kinds.sort_unstable();
    nearest(kind, kinds).map(|near| format!("did you mean {near}?"))
}

#[cfg(test)]
mod tests {
    use super::{maturity, removals, replacement};
    use crate::table::{Table, kinds};
    use crate::version::Version;

    #[test]
    fn every_removal_names_what_there_is_instead() {
        let table = Table::of(Version(37));
        let mut count = 0;
        for line in removals() {
            count += 1;
            assert!(
                !kinds().any(|k| (k.api_version, k.kind) == (line.api_version, line.kind)),
                "{}",
                line.kind
            );
            if let Some(other) = line.replacement {
                assert!(table.kind(other, line.kind).is_some(), "{other} {}", line.kind);
            }
        }
        assert!(count > 50);
    }

    #[test]
    fn versions_are_ordered_by_maturity() {
        assert!(maturity("a/v1") > maturity("a/v1beta2"));
        assert!(maturity("a/v1beta2") > maturity("a/v1beta1"));
        assert!(maturity("a/v1beta1") > maturity("a/v2alpha1"));
        assert!(maturity("v2") > maturity("v1"));
        let table = Table::of(Version(30));
        assert_eq!(
            replacement(&table, "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"),
            Some("flowcontrol.apiserver.k8s.io/v1")
        );
    }
}
