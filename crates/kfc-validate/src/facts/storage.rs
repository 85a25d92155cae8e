//! Volumes, claims, classes, and devices.

use super::here::{Check, Here, text};
use kfc_diagnostics::Code;
use kfc_yaml::Node;
use std::collections::HashSet;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("core.v1.PersistentVolumeClaimSpec", claim),
    ("core.v1.PersistentVolumeSpec", volume),
    ("core.v1.PersistentVolumeSpec", access_modes),
    ("core.v1.PersistentVolumeClaimSpec", access_modes),
    ("storage.v1.StorageClass", class),
    ("storage.v1.VolumeAttributesClass", class),
    ("resource.v1.DeviceClaim", device_claim),
    ("resource.v1.Device", device),
    ("resource.v1.ResourceSliceSpec", slice),
];

fn access_modes(here: &mut Here<'_, '_>) {
    let modes: Vec<&str> = here.items(&["accessModes"]).filter_map(|(_, mode)| mode.as_text()).collect();
    if modes.len() > 1 && modes.contains(&"ReadWriteOncePod") {
        here.forbidden("accessModes", "may not use ReadWriteOncePod with other access modes");
    }
}

fn claim(here: &mut Here<'_, '_>) {
    if let Some(source) = here.at(&["dataSourceRef"]) {
        let field = "dataSourceRef";
        let of = |name: &str| source.get(name).and_then(text);
        let is_core = of("apiGroup").is_none();
        if is_core && of("kind").is_some_and(|kind| kind != "PersistentVolumeClaim") {
            here.invalid(field, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
        }
        for name in ["kind", "name"].iter().filter(|name| of(name).is_none()) {
            here.required(&format!("{field}.{name}"), "");
        }
    }
    if let Some(source) = here.at(&["dataSource"])
        && source.get("kind").and_then(text) == Some("PersistentVolumeClaim")
        && source.get("name").and_then(text).is_none()
    {
        here.required("dataSource.name", "");
    }
    if let (Some(source), Some(reference)) = (here.at(&["dataSource"]), here.at(&["dataSourceRef"]))
        && ["apiGroup", "kind", "name"]
            .iter()
            .any(|field| source.get(field).and_then(text) != reference.get(field).and_then(text))
    {
        here.invalid("", "must match dataSourceRef");
        here.invalid("dataSourceRef", "must match dataSource");
    }
}

/// Fields of a persistent volume that are not its source.
const NOT_SOURCES: [&str; 9] = [
    "capacity",
    "accessModes",
    "claimRef",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "mountOptions",
    "volumeMode",
    "nodeAffinity",
    "volumeAttributesClassName",
];

fn volume(here: &mut Here<'_, '_>) {
    let sources: Vec<&str> = here
        .node
        .as_map()
        .into_iter()
        .flatten()
        .filter(|entry| !entry.value.is_null() && !NOT_SOURCES.contains(&entry.key.text.as_str()))
        .map(|entry| entry.key.text.as_str())
        .collect();
    match sources.as_slice() {
        [] => here.required("", "must specify a volume type"),
        [_] => {}
        several => {
            for source in several {
                here.forbidden(source, "may not specify more than 1 volume type");
            }
        }
    }
    if here.path.ends_with("inlineVolumeSpec") {
        inline(here);
    } else if here.at(&["capacity"]).is_none_or(super::here::is_empty) {
        here.required("capacity", "");
    }
    let is_recycled = here.text(&["persistentVolumeReclaimPolicy"]) == Some("Recycle");
    if is_recycled && here.text(&["hostPath", "path"]) == Some("/") {
        here.forbidden("persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'");
    }
    if here.at(&["local"]).is_some() && here.at(&["nodeAffinity"]).is_none() {
        here.required("nodeAffinity", "Local volume requires node affinity");
    }
    if here.version.0 >= 34
        && here.text(&["volumeAttributesClassName"]).is_some()
        && here.at(&["csi"]).is_none()
    {
        here.required("csi", "has to be specified when using volumeAttributesClassName");
        here.invalid("volumeAttributesClassName", "csi has to be specified, too");
    }
    if here.at(&["nodeAffinity"]).is_some() && here.at(&["nodeAffinity", "required"]).is_none() {
        here.required("nodeAffinity.required", "must specify required node constraints");
    }
}

/// The volume of an attachment that has no object of its own.
fn inline(here: &mut Here<'_, '_>) {
    for field in ["claimRef", "capacity", "nodeAffinity"] {
        if here.at(&[field]).is_some_and(|value| !super::here::is_empty(value)) {
            here.forbidden(field, "may not be specified in the context of inline volumes");
        }
    }
    if here.at(&["csi"]).is_none() {
        here.required("csi", "has to be specified in the context of inline volumes");
    }
    if here.text(&["persistentVolumeReclaimPolicy"]).is_some_and(|policy| policy != "Retain") {
        here.forbidden(
            "persistentVolumeReclaimPolicy",
            "may only be Retain in the context of inline volumes",
        );
    }
}

fn class(here: &mut Here<'_, '_>) {
    const MODES: [&str; 2] = ["Immediate", "WaitForFirstConsumer"];
    if here.node.get("volumeBindingMode").and_then(Node::as_str) == Some("") {
        here.refuse(Code::ValueNotAllowed, "volumeBindingMode", &super::table::unsupported("", &MODES));
    }
    for entry in here.map(&["parameters"]).into_iter().flatten() {
        if entry.key.text.is_empty() {
            here.invalid("parameters", "field can not be empty.");
        }
    }
    let mut seen: Vec<&Node> = Vec::new();
    for (index, term) in here.items(&["allowedTopologies"]) {
        if term.get("matchLabelExpressions").is_none_or(super::here::is_empty) {
            here.required(&format!("allowedTopologies[{index}].matchLabelExpressions"), "");
        } else if seen.iter().any(|other| super::super::equality::are_equal(other, term)) {
            here.duplicate(&format!("allowedTopologies[{index}].matchLabelExpressions"), "");
        }
        seen.push(term);
    }
}

fn device_claim(here: &mut Here<'_, '_>) {
    let mut names = HashSet::new();
    for (_, request) in here.items(&["requests"]) {
        let Some(name) = request.get("name").and_then(text) else { continue };
        names.insert(name.to_owned());
        for sub in request.get("firstAvailable").and_then(Node::as_seq).into_iter().flatten() {
            names.insert(format!("{name}/{}", sub.get("name").and_then(text).unwrap_or("")));
        }
    }
    for list in ["constraints", "config"] {
        for (index, one) in here.items(&[list]) {
            for (at, request) in one.get("requests").and_then(Node::as_seq).into_iter().flatten().enumerate()
            {
                if let Some(name) = request.as_text().filter(|name| !names.contains(*name)) {
                    here.invalid(
                        &format!("{list}[{index}].requests[{at}]"),
                        &format!("must be the name of a request in the claim: {name}"),
                    );
                }
            }
        }
    }
}

/// Devices say where they are only if the slice says that they do.
fn slice(here: &mut Here<'_, '_>) {
    if here.version.0 < 36 {
        return;
    }
    let is_by_device = here.is_true(&["perDeviceNodeSelection"]);
    for (index, device) in here.items(&["devices"]) {
        let places = ["nodeName", "nodeSelector", "allNodes"];
        let count =
            places.iter().filter(|field| device.get(field).is_some_and(|value| !value.is_null())).count();
        let below = format!("devices[{index}]");
        match (is_by_device, count) {
            (false, 1..) => here.invalid(&below, "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec"),
            (true, 0 | 2..) => here.required(&below, "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec"),
            _ => {}
        }
    }
}

fn device(here: &mut Here<'_, '_>) {
    for list in ["attributes", "capacity"] {
        for entry in here.map(&[list]).into_iter().flatten() {
            let name = entry.key.text.as_str();
            let (domain, id) = name.split_once('/').map_or((None, name), |(domain, id)| (Some(domain), id));
            let is_id = super::words::Writing::Identifier.fault(id).is_none() && id.len() <= 32;
            if !is_id || domain.is_some_and(|domain| !super::words::is_subdomain(domain)) {
                here.invalid(
                    &format!("{list}{}", super::here::key(name)),
                    "must be an identifier of C, after a domain and '/' or alone",
                );
            }
        }
    }
}
