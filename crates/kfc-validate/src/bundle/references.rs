//! References to what is not in the bundle: names of resources, keys and ports. A resource may be in the cluster, which is a note;
//! a name that is misspelt is an error.

use super::super::finding::{Finding, Findings};
use super::super::pods::{items, text};
use super::needs::{Need, home, needs};
use kfc_diagnostics::{Code, edits, nearest};
use kfc_kube::Object;
use std::collections::{HashMap, HashSet};

/// Namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];
/// Roles that every cluster has.
const ROLES: [&str; 6] = [
    "admin",
    "edit",
    "view",
    "cluster-admin",
    "system:auth-delegator",
    "extension-apiserver-authentication-reader",
];
/// Config maps that a controller of Kubernetes or Istio creates in every namespace.
const CONFIG_MAPS: [&str; 2] = ["kube-root-ca.crt", "istio-ca-root-cert"];
/// Kinds that a cluster has by itself: only a name that is similar to one of the bundle is reported.
const OF_THE_CLUSTER: [&str; 3] = ["StorageClass", "IngressClass", "RuntimeClass"];

type Key<'r> = (&'r str, &'r str, &'r str);

/// Finds references to resources that are neither in the bundle, nor in every cluster, nor created by a controller, as
/// cert-manager creates the secrets of certificates.
pub(super) fn check(resources: &[&Object], beside: &[Object], checked: &[&Object]) -> Vec<Finding> {
    let there: HashMap<Key<'_>, &Object> =
        resources.iter().copied().chain(beside).map(|r| ((r.kind(), home(r), r.name()), r)).collect();
    let made = made_by_controllers(resources);
    let mut namespaces = HashSet::new();
    let mut all = Vec::new();
    for resource in checked.iter().copied() {
        let mut found = Findings::of(resource);
        let mut told = HashSet::new();
        for need in needs(resource) {
            let key = (need.kind, need.namespace, need.name);
            match there.get(&key) {
                Some(target) => check_parts(&need, target, &mut found),
                None if made.contains(&key) || is_built_in(&need) => {}
                // A missing namespace is reported once, not for each resource in it.
                None if need.kind == "Namespace" && !namespaces.insert(need.name) => {}
                None if !told.insert(key) => {}
                None => missing(&need, resources, &mut found),
            }
        }
        all.append(&mut found.list);
    }
    all
}

fn is_built_in(need: &Need<'_>) -> bool {
    match need.kind {
        "Namespace" => NAMESPACES.contains(&need.name),
        "ClusterRole" | "Role" => ROLES.contains(&need.name) || need.name.starts_with("system:"),
        "ServiceAccount" => need.name == "default" || need.namespace == "kube-system",
        "ConfigMap" => CONFIG_MAPS.contains(&need.name),
        _ => false,
    }
}

/// Secrets that controllers write: cert-manager for certificates of the bundle, External Secrets Operator and Sealed Secrets for
/// what asks them.
fn made_by_controllers<'r>(resources: &[&'r Object]) -> HashSet<Key<'r>> {
    let made = |resource: &'r Object| {
        let named = |path: &[&str]| text(&resource.node, path);
        match resource.kind() {
            "Certificate" => named(&["spec", "secretName"]),
            "ExternalSecret" => named(&["spec", "target", "name"]).or(Some(resource.name())),
            "SealedSecret" => named(&["spec", "template", "metadata", "name"]).or(Some(resource.name())),
            _ => None,
        }
    };
    let secrets = resources.iter().filter_map(|resource| Some((resource, made(resource)?)));
    secrets.map(|(resource, name)| ("Secret", resource.namespace(), name)).collect()
}

fn missing(need: &Need<'_>, resources: &[&Object], found: &mut Findings<'_>) {
    let same = || resources.iter().copied().filter(|r| r.kind() == need.kind);
    let names = same()
        .filter(|r| r.namespace() == need.namespace)
        .map(kfc_kube::Object::name)
        .filter(|name| *name != need.name);
    let near = nearest(need.name, names);
    if OF_THE_CLUSTER.contains(&need.kind) && near.is_none() {
        return;
    }
    let message = format!("{} does not exist in the bundle", need.object());
    if let Some(near) = near.filter(|near| is_misspelt(need.name, near)) {
        found.error_at(Code::Misspelt, need.node, message).help = Some(format!("did you mean `{near}`?"));
        return;
    }
    let elsewhere = same().find(|r| r.name() == need.name).map(home);
    found.info_at(Code::Outside, need.node, message).help = match (near, elsewhere) {
        (_, Some(namespace)) if !namespace.is_empty() => Some(format!("the namespace `{namespace}` has one")),
        (Some(near), _) => Some(format!("the nearest is `{near}`")),
        _ => None,
    };
}

/// Whether a name is most likely another one, misspelt: one long word of it differs in one letter or two neighbours, or only its
/// separators differ. Names of a series, as `store-1` and `store-b`, and plurals are names of their own.
fn is_misspelt(name: &str, other: &str) -> bool {
    const SEPARATORS: [char; 2] = ['-', '.'];
    let words = |name: &'_ str| name.split(SEPARATORS).map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (words(name), words(other));
    if ours.len() != theirs.len() {
        return ours.concat() == theirs.concat();
    }
    let mut different = ours.iter().zip(&theirs).filter(|(a, b)| a != b);
    let (Some((a, b)), None) = (different.next(), different.next()) else { return false };
    let letters = |word: &str| word.replace(|c: char| c.is_ascii_digit(), "");
    let is_plural = |one: &str, many: &str| many.strip_suffix('s') == Some(one);
    let is_long = a.len().min(b.len()) >= 4;
    is_long && edits(a, b) == 1 && letters(a) != letters(b) && !is_plural(a, b) && !is_plural(b, a)
}

/// The key or port of a resource that exists.
fn check_parts(need: &Need<'_>, target: &Object, found: &mut Findings<'_>) {
    if let Some(key) = need.key
        && let Some(word) = key.as_text()
    {
        let maps = ["data", "binaryData", "stringData"].iter().filter_map(|f| target.node.get(f)?.as_map());
        let keys: Vec<&str> = maps.flat_map(|map| map.iter().map(|e| e.key.text.as_str())).collect();
        // A controller fills a resource without data.
        if !keys.is_empty() && !keys.contains(&word) {
            let message = format!("{} has no key `{word}`", need.object());
            found.warning_at(Code::MissingPart, key, message).help =
                nearest(word, keys).map(|near| format!("did you mean `{near}`?"));
        }
    }
    if let Some(port) = need.port
        && let Some(word) = port.as_text()
    {
        let is_it =
            |one: &kfc_yaml::Node| text(one, &["port"]) == Some(word) || text(one, &["name"]) == Some(word);
        if !items(&target.node, &["spec", "ports"]).any(is_it) {
            let message = format!("{} has no port `{word}`", need.object());
            found.warning_at(Code::MissingPart, port, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_misspelt;

    #[test]
    fn a_name_is_misspelt_if_one_letter_differs_but_not_of_a_series() {
        for name in ["web-confg", "web-ocnfig", "webconfig", "wab-config"] {
            assert_eq!(is_misspelt(name, "web-config"), name != "wab-config", "{name}");
        }
        for (name, other) in [
            ("store-1", "store-2"),
            ("store-a", "store-b"),
            ("secret", "secrets"),
            ("db", "dbs"),
            ("model1", "model2"),
            ("shop-cart", "shop-site"),
        ] {
            assert!(!is_misspelt(name, other), "{name} {other}");
        }
    }
}
