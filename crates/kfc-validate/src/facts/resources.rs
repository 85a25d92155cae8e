//! Names and amounts of resources: of containers, pods, claims and volumes.

use super::here::{Check, Here, amount, key};
use super::words::{is_extended, qualified};
use kfc_kube::Quantity;
use kfc_yaml::{Map, Node};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("core.v1.Container", container),
    ("core.v1.PodSpec", pod),
    ("core.v1.PersistentVolumeClaimSpec", claim),
    ("core.v1.PersistentVolumeSpec", volume),
    ("node.v1.Overhead", overhead),
];

/// Resources that a container may have without a domain.
const OF_CONTAINERS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// What is wrong with a name that is neither known nor has a domain.
pub(super) const NOT_STANDARD: &str = "must be a standard resource type or fully qualified";

pub(super) fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Whether amounts of a resource are whole.
pub(super) fn is_whole(name: &str) -> bool {
    is_extended(name)
}

/// A name of a resource, and its amount.
pub(super) fn named_amount(here: &mut Here<'_, '_>, below: &str, name: &str, node: &Node, is_known: bool) {
    if let Some(words) = qualified(name) {
        here.invalid(below, &words);
    } else if !is_known {
        here.invalid(below, NOT_STANDARD);
    }
    let Some(amount) = amount(node) else { return };
    if amount < 0.0 {
        here.invalid(below, "must be greater than or equal to 0");
    } else if is_whole(name) && amount.fract() != 0.0 {
        here.invalid(below, "must be an integer");
    }
}

fn lists<'h>(here: &Here<'h, '_>, path: &[&str]) -> Vec<(&'static str, &'h Map)> {
    ["limits", "requests"]
        .into_iter()
        .filter_map(|list| {
            let path: Vec<&str> = path.iter().copied().chain([list]).collect();
            Some((list, here.map(&path)?))
        })
        .collect()
}

fn container(here: &mut Here<'_, '_>) {
    let all = lists(here, &["resources"]);
    for (list, amounts) in &all {
        for entry in *amounts {
            let name = entry.key.text.as_str();
            let is_known = OF_CONTAINERS.contains(&name)
                || is_huge_page(name)
                || is_extended(name)
                || (name.contains('/') && !name.starts_with("requests."));
            let below = format!("resources.{list}{}", key(name));
            named_amount(here, &below, name, &entry.value, is_known);
            if is_huge_page(name) {
                huge_page(here, &below, name, &entry.value);
            }
        }
    }
    let (limits, requests) = (here.map(&["resources", "limits"]), here.map(&["resources", "requests"]));
    for entry in requests.into_iter().flatten() {
        let name = entry.key.text.as_str();
        if !is_extended(name) && !is_huge_page(name) {
            continue;
        }
        let limit = limits.and_then(|limits| limits.get(name)).and_then(amount);
        let below = format!("resources.requests{}", key(name));
        match (limit, amount(&entry.value)) {
            (None, _) => here.required(
                &format!("resources.limits{}", key(name)),
                "Limit must be set for non overcommitable resources",
            ),
            (Some(limit), Some(request)) if (limit - request).abs() > f64::EPSILON => {
                here.invalid(&below, &format!("must be equal to {name} limit"));
            }
            _ => {}
        }
    }
    huge_pages_alone(here, &all);
}

/// Huge pages come with other resources.
fn huge_pages_alone(here: &mut Here<'_, '_>, lists: &[(&str, &Map)]) {
    let has = |wanted: fn(&str) -> bool| {
        lists.iter().any(|(_, amounts)| amounts.iter().any(|entry| wanted(&entry.key.text)))
    };
    if has(is_huge_page) && !has(|name| matches!(name, "cpu" | "memory")) {
        here.forbidden("resources", "HugePages require cpu or memory");
    }
}

/// Huge pages come whole.
fn huge_page(here: &mut Here<'_, '_>, below: &str, name: &str, node: &Node) {
    let size = name.strip_prefix("hugepages-").and_then(Quantity::parse).map(Quantity::value);
    if let (Some(size), Some(amount)) = (size, amount(node))
        && size > 0.0
        && (amount / size).fract() != 0.0
    {
        here.invalid(below, &format!("must be a multiple of the page size {name}"));
    }
}

/// `resources` of a whole pod, which older servers drop.
fn pod(here: &mut Here<'_, '_>) {
    if here.version.0 < 34 {
        return;
    }
    let all = lists(here, &["resources"]);
    for (list, amounts) in &all {
        for entry in *amounts {
            let name = entry.key.text.as_str();
            let below = format!("resources.{list}{}", key(name));
            if !matches!(name, "cpu" | "memory") && !is_huge_page(name) {
                here.invalid(&below, &super::table::unsupported(name, &["cpu", "hugepages-", "memory"]));
            } else if amount(&entry.value).is_some_and(|amount| amount < 0.0) {
                here.invalid(&below, "must be greater than or equal to 0");
            }
        }
    }
    huge_pages_alone(here, &all);
    let top = here.node;
    let at = |list: &str, name: &str| top.at(&["resources", list, name]).and_then(amount);
    let containers: Vec<&Node> = here.items(&["containers"]).map(|(_, node)| node).collect();
    let amounts = |list: &'static str, name: &'static str| {
        containers.iter().filter_map(move |node| node.at(&["resources", list, name]).and_then(amount))
    };
    for name in ["cpu", "memory"] {
        let (limit, request) = (at("limits", name), at("requests", name));
        let requested: f64 = amounts("requests", name).sum();
        let largest = amounts("limits", name).fold(0.0, f64::max);
        let below = |list: &str| format!("resources.{list}{}", key(name));
        if let (Some(limit), Some(request)) = (limit, request)
            && request > limit
        {
            here.invalid(&below("requests"), &format!("must be less than or equal to {name} limit"));
        }
        if request.or(limit).is_some_and(|request| requested > request) {
            here.invalid(&below("requests"), "must be greater than or equal to aggregate container requests");
        }
        if limit.is_some_and(|limit| largest > limit) {
            here.invalid(
                &below("limits"),
                &format!("must be greater than or equal to the {name} limits of containers"),
            );
        }
    }
}

fn claim(here: &mut Here<'_, '_>) {
    let storage = here.at(&["resources", "requests", "storage"]);
    match storage.map(amount) {
        None => here.required("resources.requests.storage", ""),
        Some(Some(amount)) if amount <= 0.0 => {
            here.invalid("resources.requests.storage", "must be greater than zero");
        }
        Some(_) => {}
    }
}

fn volume(here: &mut Here<'_, '_>) {
    let capacity = here.map(&["capacity"]);
    let is_only_storage = capacity.is_some_and(|map| map.len() == 1 && map.get("storage").is_some());
    if capacity.is_some_and(|map| !map.is_empty()) && !is_only_storage {
        here.invalid("capacity", &super::table::unsupported("", &["storage"]));
    }
    if here.at(&["capacity", "storage"]).and_then(amount).is_some_and(|amount| amount <= 0.0) {
        here.invalid("capacity.storage", "must be greater than zero");
    }
}

fn overhead(here: &mut Here<'_, '_>) {
    for entry in here.map(&["podFixed"]).into_iter().flatten() {
        let name = entry.key.text.as_str();
        let is_known = OF_CONTAINERS.contains(&name) || is_huge_page(name) || is_extended(name);
        named_amount(here, &format!("podFixed{}", key(name)), name, &entry.value, is_known);
    }
}
