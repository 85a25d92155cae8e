//! Services, Ingresses, NetworkPolicies and addresses.

use super::here::{Check, Here, number, text};
use super::words::{as_read, cidr, ip, is_label, port_name};
use kfc_diagnostics::Code;
use kfc_yaml::Node;
use std::collections::HashSet;
use std::net::IpAddr;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("core.v1.Service", service_name),
    ("core.v1.Service", source_ranges),
    ("core.v1.ServiceSpec", service),
    ("core.v1.ServiceSpec", addresses),
    ("core.v1.EndpointSubset", subset),
    ("discovery.v1.EndpointSlice", slice),
    ("networking.v1.Ingress", ingress),
    ("networking.v1.NetworkPolicyPort", policy_port),
    ("networking.v1.IPBlock", block),
    ("networking.v1.NetworkPolicyPeer", peer),
    ("networking.v1.IPAddress", address),
    ("networking.v1.ServiceCIDRSpec", service_ranges),
];

fn service_name(here: &mut Here<'_, '_>) {
    let name = here.text(&["metadata", "name"]).unwrap_or("");
    if here.version.0 < 36 && is_label(name) && name.starts_with(|c: char| c.is_ascii_digit()) {
        here.invalid("metadata.name", "a DNS-1035 label must start with an alphabetic character");
    }
}

/// The annotation that `loadBalancerSourceRanges` replaced.
fn source_ranges(here: &mut Here<'_, '_>) {
    const RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let Some(ranges) = here.at(&["metadata", "annotations", RANGES]).and_then(Node::as_text) else { return };
    if here.items(&["spec", "loadBalancerSourceRanges"]).next().is_some() {
        return;
    }
    let below = format!("metadata.annotations{}", super::here::key(RANGES));
    if here.text(&["spec", "type"]) != Some("LoadBalancer") {
        here.forbidden(&below, "may only be used when `type` is 'LoadBalancer'");
    }
    let ranges = ranges.trim();
    for range in ranges.split(',').filter(|_| !ranges.is_empty()) {
        if let Some(words) = super::words::Writing::AnyCidr.fault(range) {
            here.invalid(&below, &words);
        }
    }
}

fn service(here: &mut Here<'_, '_>) {
    let kind = here.text(&["type"]).unwrap_or("ClusterIP");
    let is_headless = here.text(&["clusterIP"]) == Some("None");
    let mut numbers = HashSet::new();
    let mut on_nodes = HashSet::new();
    for (index, port) in here.items(&["ports"]) {
        let protocol = port.get("protocol").and_then(text).unwrap_or("TCP");
        if let Some(number) =
            port.get("port").and_then(number).filter(|number| !numbers.insert((protocol, *number)))
        {
            here.duplicate(&format!("ports[{index}]"), &format!("{number}/{protocol}"));
        }
        if let Some(number) = port.get("nodePort").and_then(number).filter(|number| *number != 0) {
            let below = format!("ports[{index}].nodePort");
            if !on_nodes.insert((protocol, number)) {
                here.duplicate(&below, &number.to_string());
            }
        }
    }
    if is_headless && matches!(kind, "NodePort" | "LoadBalancer") {
        here.invalid("clusterIPs[0]", &format!("may not be set to 'None' for {kind} services"));
        here.invalid("clusterIP", &format!("may not be set to 'None' for {kind} services"));
    }
    if let Some(class) = here.text(&["trafficDistribution"]).filter(|_| here.version.0 < 35) {
        let allowed: &[&str] = if here.version.0 == 34 {
            &["PreferClose", "PreferSameZone", "PreferSameNode"]
        } else {
            &["PreferClose"]
        };
        if !allowed.contains(&class) {
            here.refuse(
                Code::ValueNotAllowed,
                "trafficDistribution",
                &super::table::unsupported(class, allowed),
            );
        }
    }
    let is_external = matches!(kind, "NodePort" | "LoadBalancer");
    if here.text(&["externalTrafficPolicy"]).is_some()
        && !is_external
        && here.items(&["externalIPs"]).next().is_none()
    {
        here.invalid("externalTrafficPolicy", "may only be set for externally-accessible services");
    }
    if here.at(&["healthCheckNodePort"]).and_then(number).is_some_and(|number| number < 0) {
        here.invalid("healthCheckNodePort", "must be between 1 and 65535, inclusive");
    }
}

/// Addresses and families of a service. The lab's and kubeadm's range of services is not known: only the form is checked.
fn addresses(here: &mut Here<'_, '_>) {
    let kind = here.text(&["type"]).unwrap_or("ClusterIP");
    if kind == "ExternalName" {
        if here.text(&["clusterIP"]).is_some() {
            here.forbidden("clusterIPs", "may not be set for ExternalName services");
            here.forbidden("clusterIP", "may not be set for ExternalName services");
        }
        return;
    }
    let one = here.text(&["clusterIP"]);
    let all: Vec<&str> = here.items(&["clusterIPs"]).filter_map(|(_, address)| address.as_text()).collect();
    if let Some(one) = one.filter(|one| *one != "None" && ip(one).is_err()) {
        here.invalid(
            "clusterIP",
            &format!("{one}: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        );
    }
    match (one, all.first()) {
        (Some(one), Some(first)) if one != *first => {
            here.invalid("clusterIPs", "first value must match `clusterIP`");
        }
        (None, Some(_)) => here.invalid("clusterIPs", "must be empty when `clusterIP` is not specified"),
        _ => {}
    }
    for address in one.into_iter().chain(all.iter().copied()).filter_map(|text| ip(text).ok()) {
        if address.is_loopback() || address.is_unspecified() {
            here.invalid("clusterIP", "the provided IP is not in the valid range of services");
        }
    }
    for (index, range) in here.items(&["loadBalancerSourceRanges"]) {
        if here.version.0 >= 36 && range.as_text().and_then(cidr).is_some_and(has_more_bits) {
            here.invalid(
                &format!("loadBalancerSourceRanges[{index}]"),
                "must not have bits set beyond the prefix length",
            );
        }
    }
    let families: Vec<&str> =
        here.items(&["ipFamilies"]).filter_map(|(_, family)| family.as_text()).collect();
    if families.len() > 1 && matches!(here.text(&["ipFamilyPolicy"]), None | Some("SingleStack")) {
        here.invalid(
            "ipFamilyPolicy",
            "must be RequireDualStack or PreferDualStack when multiple 'ipFamilies' are specified",
        );
        here.invalid(
            "ipFamilies",
            "'ipFamilyPolicy' must be RequireDualStack or PreferDualStack when multiple are specified",
        );
    }
}

fn subset(here: &mut Here<'_, '_>) {
    let has = |list: &str| here.items(&[list]).next().is_some();
    if !has("addresses") && !has("notReadyAddresses") {
        here.required("", "must specify `addresses` or `notReadyAddresses`");
    }
    let is_one = here.items(&["ports"]).count() < 2;
    for (index, port) in here.items(&["ports"]) {
        if !is_one && port.get("name").and_then(text).is_none() {
            here.required(&format!("ports[{index}].name"), "");
        }
    }
}

fn slice(here: &mut Here<'_, '_>) {
    let kind = here.text(&["addressType"]).unwrap_or("");
    for (index, endpoint) in here.items(&["endpoints"]) {
        for (at, address) in
            endpoint.get("addresses").and_then(Node::as_seq).into_iter().flatten().enumerate()
        {
            let Some(text) = address.as_text() else { continue };
            let below = format!("endpoints[{index}].addresses[{at}]");
            let read = as_read(text, here.version);
            let words = match kind {
                "IPv4" | "IPv6" => match ip(&read) {
                    Ok(address) if address.is_ipv4() == (kind == "IPv4") => {
                        super::words::Writing::EndpointIp.fault(&read)
                    }
                    Ok(_) => Some(format!("must be a valid {kind} address")),
                    Err(words) => Some(words),
                },
                "FQDN"
                    if !text.contains('.')
                        || !super::words::is_subdomain(text.strip_suffix('.').unwrap_or(text)) =>
                {
                    Some("should be a domain with at least two segments separated by dots".to_owned())
                }
                _ => None,
            };
            if let Some(words) = words {
                here.invalid(&below, &words);
            }
        }
    }
    let mut names = HashSet::new();
    for (index, port) in here.items(&["ports"]) {
        if !names.insert(port.get("name").and_then(text)) && port.get("name").and_then(text).is_none() {
            here.duplicate(&format!("ports[{index}].name"), "");
        }
    }
}

fn ingress(here: &mut Here<'_, '_>) {
    for (index, rule) in here.items(&["spec", "rules"]) {
        if rule
            .get("host")
            .and_then(text)
            .is_some_and(|host| host.starts_with('*') && !host.starts_with("*."))
        {
            here.invalid(
                &format!("spec.rules[{index}].host"),
                "a wildcard DNS-1123 subdomain must start with '*.'",
            );
        }
        if rule.get("http").is_some_and(|http| http.get("paths").is_none_or(Node::is_null)) {
            here.required(&format!("spec.rules[{index}].http.paths"), "");
        }
    }
}

fn policy_port(here: &mut Here<'_, '_>) {
    let end = here.number(&["endPort"]);
    let Some(port) = here.at(&["port"]) else { return };
    match (number(port), end) {
        (Some(port), Some(end)) if end < port => {
            here.invalid("endPort", "must be greater than or equal to `port`");
        }
        (None, Some(_)) => here.invalid("endPort", "may not be specified when `port` is non-numeric"),
        _ => {}
    }
    if let Some(words) = port.as_str().and_then(port_name) {
        here.invalid("port", &words);
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Whether a range lies within another, and is smaller.
fn is_within(inner: (IpAddr, u32), outer: (IpAddr, u32)) -> bool {
    let mask = if outer.1 == 0 { 0 } else { u128::MAX << (128 - outer.1) };
    inner.0.is_ipv4() == outer.0.is_ipv4()
        && inner.1 > outer.1
        && bits(inner.0) & mask == bits(outer.0) & mask
}

/// A peer is pods, namespaces or both, or addresses.
fn peer(here: &mut Here<'_, '_>) {
    let is_there = |field: &str| here.at(&[field]).is_some();
    let (pods, block) = (is_there("podSelector") || is_there("namespaceSelector"), is_there("ipBlock"));
    if !pods && !block {
        here.required("", "must specify a peer");
    } else if pods && block {
        here.forbidden("ipBlock", "may not specify both ipBlock and another peer");
    }
}

/// Whether a range has bits after those that it says.
fn has_more_bits((address, length): (IpAddr, u32)) -> bool {
    let mask = if length == 0 { 0 } else { u128::MAX << (128 - length) };
    bits(address) & !mask != 0
}

fn block(here: &mut Here<'_, '_>) {
    if here.version.0 >= 36
        && let Some(range) = here.text(&["cidr"]).and_then(cidr)
    {
        if has_more_bits(range) {
            here.invalid("cidr", "must not have bits set beyond the prefix length");
        }
        if matches!(range.0, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
            here.invalid("cidr", "must not have an IPv4-mapped IPv6 address");
        }
    }
    let Some(outer) = here.text(&["cidr"]).and_then(cidr) else { return };
    for (index, except) in here.items(&["except"]) {
        if except.as_text().and_then(cidr).is_some_and(|inner| !is_within(inner, outer)) {
            here.invalid(&format!("except[{index}]"), "must be a strict subset of `cidr`");
        }
    }
}

fn address(here: &mut Here<'_, '_>) {
    let name = here.text(&["metadata", "name"]).unwrap_or("");
    if ip(name).map_or(true, |address| address.to_string() != name) {
        here.invalid("metadata.name", "must be a valid IP address in canonical form");
    }
}

fn service_ranges(here: &mut Here<'_, '_>) {
    let ranges: Vec<(IpAddr, u32)> =
        here.items(&["cidrs"]).filter_map(|(_, range)| cidr(range.as_text()?)).collect();
    if ranges.len() == 2 && ranges[0].0.is_ipv4() == ranges[1].0.is_ipv4() {
        here.invalid("cidrs", "must be one per IP family");
    }
    for (index, range) in ranges.iter().enumerate() {
        if has_more_bits(*range) {
            here.invalid(
                &format!("cidrs[{index}]"),
                "must be in canonical form: without bits after those of the range",
            );
        }
    }
}
