//! The order of the output: kustomize's `sortOptions`, and the legacy order that also sorts field specs.

use crate::kustomization::model::{Order, SortOptions};
use crate::resource::{Resource, ResourceSet};
use kfc_kube::{GroupVersion, Gvk};
use std::cmp::{Ordering, Reverse};

/// Kinds that come first in the legacy order.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last in the legacy order.
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Sorts a set as `sortOptions` says: `fifo` leaves it as it is; `legacy` goes by kind (those named first, the rest,
/// those named last), then group, version and kind, then namespace and name. Without `legacySortOptions` the legacy
/// order has kustomize's own lists; with them, a list that is not given is empty.
pub fn sort(set: &mut ResourceSet, options: &SortOptions) {
    if options.order != Order::Legacy {
        return;
    }
    match &options.legacy_options {
        None => set.list.sort_by_cached_key(|resource| key(resource, default_rank(resource.kind()))),
        Some(lists) => set.list.sort_by_cached_key(|resource| {
            key(resource, rank(resource.kind(), &lists.order_first, &lists.order_last))
        }),
    }
}

/// Orders field specs and name references by the kinds they refer to, as the legacy order does.
pub(crate) fn compare_gvks(a: &Gvk, b: &Gvk) -> Ordering {
    let ranks = default_rank(&a.kind).cmp(&default_rank(&b.kind));
    ranks.then_with(|| {
        let text = |gvk: &Gvk| gvk_text(&gvk.group, &gvk.version, &gvk.kind);
        text(a).cmp(&text(b))
    })
}

/// The order of groups, versions and kinds of one rank. Where namespaces have a rank of their own, those of Kubernetes come before those
/// of other groups, and their versions backwards.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum GvkOrder {
    CoreNamespace(Reverse<String>),
    Other(String),
}

/// Rank of the kind; group, version and kind; namespace and name. The last two are compared as the joined texts that
/// kustomize compares, with its words for what is missing: namespace `n-b` comes before `n`, as `-` does before `|`.
fn key(resource: &Resource, rank: isize) -> (isize, GvkOrder, String) {
    let GroupVersion { group, version } = resource.group_version();
    let namespace = text_or(resource.namespace(), "~X");
    let name = text_or(resource.name(), "~N");
    let text = gvk_text(group, version, resource.kind());
    let is_core_namespace = rank != 0 && group.is_empty() && resource.kind() == "Namespace";
    let order =
        if is_core_namespace { GvkOrder::CoreNamespace(Reverse(text)) } else { GvkOrder::Other(text) };
    (rank, order, format!("{namespace}|{name}"))
}

fn gvk_text(group: &str, version: &str, kind: &str) -> String {
    format!("{}_{}_{}", text_or(group, "~G"), text_or(version, "~V"), text_or(kind, "~K"))
}

fn text_or<'t>(text: &'t str, none: &'static str) -> &'t str {
    if text.is_empty() { none } else { text }
}

fn default_rank(kind: &str) -> isize {
    rank(kind, &FIRST, &LAST)
}

/// Below zero for the kinds that come first, above zero for those that come last. A kind that is listed twice is
/// where it is listed last.
fn rank<T: AsRef<str>>(kind: &str, first: &[T], last: &[T]) -> isize {
    let position = |list: &[T]| list.iter().rposition(|listed| listed.as_ref() == kind);
    let before = |at: usize| isize::try_from(first.len() - at).unwrap_or(isize::MAX);
    match (position(last), position(first)) {
        (Some(at), _) => isize::try_from(at + 1).unwrap_or(isize::MAX),
        (None, Some(at)) => -before(at),
        (None, None) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kustomization::model::LegacySortOptions;
    use crate::provenance::Step;

    use kfc_yaml::{Map, Node};
    use proptest::prelude::*;

    fn resource(api_version: &str, kind: &str, namespace: &str, name: &str) -> Resource {
        let mut map = Map::new();
        map.set("apiVersion", Node::string(api_version, None));
        map.set("kind", Node::string(kind, None));
        let mut resource = Resource::new(Node::map(map, None), false);
        resource.edit(&Step::default()).set_name(name);
        if !namespace.is_empty() {
            resource.edit(&Step::default()).set_namespace(namespace);
        }
        resource
    }

    fn sorted(list: &[[&str; 4]], options: &SortOptions) -> Vec<String> {
        let list = list.iter().map(|[a, k, ns, n]| resource(a, k, ns, n)).collect();
        let mut set = ResourceSet::new(list);
        sort(&mut set, options);
        set.list
            .iter()
            .map(|r| format!("{} {} {}/{}", r.api_version(), r.kind(), r.namespace(), r.name()))
            .collect()
    }

    fn legacy() -> SortOptions {
        SortOptions::legacy()
    }

    #[test]
    fn the_legacy_order_goes_by_kind_then_texts() {
        let list = [
            ["v1", "MutatingWebhookConfiguration", "", "f"],
            ["~z/v1", "ReplicaSet", "", "f"],
            ["v2", "Bar", "", "f"],
            ["v1", "Foo", "", "f"],
            ["x_y/v1", "Foo", "", "f"],
            ["x/v1", "Foo", "", "f"],
            ["v1", "Secret", "", "q"],
            ["v1", "ConfigMap", "", "c"],
            ["v1", "ConfigMap", "n", "b"],
            ["v1", "ConfigMap", "n", "B"],
            ["v1", "ConfigMap", "n-b", "a"],
            ["v1", "Namespace", "", "n"],
        ];
        let mut expected: Vec<_> = list.iter().map(|[a, k, ns, n]| format!("{a} {k} {ns}/{n}")).collect();
        expected.reverse();
        assert_eq!(sorted(&list, &legacy()), expected);
    }

    #[test]
    fn own_lists_take_the_place_of_both_defaults() {
        let names = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let lists =
            LegacySortOptions { order_first: names(&["Pod", "Foo", "Pod"]), order_last: names(&["Bar"]) };
        let options = SortOptions { legacy_options: Some(lists), ..legacy() };
        let list = [
            ["v1", "Bar", "", "a"],
            ["v1", "Namespace", "", "a"],
            ["v1", "ConfigMap", "", "a"],
            ["v1", "Pod", "", "a"],
            ["v1", "Foo", "", "a"],
        ];
        let kinds: Vec<_> =
            sorted(&list, &options).iter().map(|t| t.split(' ').nth(1).unwrap().to_owned()).collect();
        assert_eq!(kinds, ["Foo", "Pod", "ConfigMap", "Namespace", "Bar"]);
    }

    #[test]
    fn fifo_changes_nothing() {
        let list = [["v1", "Secret", "", "a"], ["v1", "ConfigMap", "", "a"]];
        assert_eq!(sorted(&list, &SortOptions::default())[0], "v1 Secret /a");
    }

    proptest! {
        #[test]
        fn sorting_permutes_and_does_not_depend_on_the_order_before(
            mut list in prop::collection::vec(
                ("[a-c]{0,1}", "(ConfigMap|Secret|Foo|Bar)", "[a|-]{0,2}", "[a-c]{1,2}"),
                0..12,
            ),
        ) {
            list.sort();
            list.dedup();
            let borrow = |list: &[(String, String, String, String)]| {
                let rows: Vec<[String; 4]> = list.iter()
                    .map(|(g, k, ns, n)| [format!("{g}/v1"), k.clone(), ns.clone(), n.clone()]).collect();
                let rows: Vec<[&str; 4]> = rows.iter().map(|r| [&*r[0], &*r[1], &*r[2], &*r[3]]).collect();
                let mut before: Vec<_> = rows.iter().map(|[a, k, ns, n]| format!("{a} {k} {ns}/{n}")).collect();
                let after = sorted(&rows, &legacy());
                let mut same = after.clone();
                before.sort();
                same.sort();
                assert_eq!(before, same);
                after
            };
            let forward = borrow(&list);
            list.reverse();
            let unambiguous = list.iter().all(|(_, _, ns, _)| !ns.contains('|'));
            let backward = borrow(&list);
            prop_assert!(!unambiguous || forward == backward);
        }
    }
}
