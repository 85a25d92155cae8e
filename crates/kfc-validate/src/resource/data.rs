//! Config maps and secrets. No message shows a value.

use super::super::finding::Findings;
use super::super::path::Path;
use kfc_diagnostics::Code;
use kfc_kube::Object;
use kfc_yaml::Map;

/// The most bytes of all values.
const LIMIT: usize = 1024 * 1024;

pub(super) fn check(resource: &Object, found: &mut Findings<'_>) {
    let fields: Vec<(&str, &Map)> = ["data", "binaryData", "stringData"]
        .into_iter()
        .filter_map(|field| Some((field, resource.node.get(field)?.as_map()?)))
        .collect();
    let mut size = 0;
    for (field, map) in &fields {
        let is_base64 = *field == "binaryData" || (*field == "data" && resource.kind() == "Secret");
        for entry in *map {
            let key = entry.key.text.as_str();
            let length = entry.value.as_text().map_or(0, str::len);
            size += if is_base64 { length / 4 * 3 } else { length };
            if !is_key(key) {
                let diagnostic = found.error_at(
                    Code::BadName,
                    &entry.value,
                    format!("`{key}` is not a valid key of data"),
                );
                diagnostic.mark = Some(entry.key.mark);
                diagnostic.help = Some("at most 253 letters, digits, `-`, `_` and `.`".to_owned());
            }
            let twice = fields.iter().any(|(other, map)| *other == "data" && map.contains(key));
            if *field == "binaryData" && twice {
                let message = format!("`{key}` is in both `data` and `binaryData`");
                found.error_at(Code::ValueTwice, &entry.value, message);
            }
        }
    }
    if size > LIMIT {
        let message = format!("the data has {size} bytes, but at most {LIMIT} are allowed");
        found.error_at(Code::TooBig, &resource.node, message);
    }
    if resource.kind() == "Secret" {
        check_type(resource, &fields, found);
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 253
        && !matches!(key, "." | "..")
        && !key.starts_with("..")
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Types of secrets that require keys.
fn check_type(resource: &Object, fields: &[(&str, &Map)], found: &mut Findings<'_>) {
    let Some(kind) = resource.node.get("type") else { return };
    let due: &[&str] = match kind.as_text() {
        Some("kubernetes.io/tls") => &["tls.crt", "tls.key"],
        Some("kubernetes.io/dockerconfigjson") => &[".dockerconfigjson"],
        Some("kubernetes.io/dockercfg") => &[".dockercfg"],
        Some("kubernetes.io/ssh-auth") => &["ssh-privatekey"],
        _ => return,
    };
    for key in due.iter().filter(|key| !fields.iter().any(|(_, map)| map.contains(key))) {
        let message = format!("a secret of type {} needs the key `{key}`", kind.as_text().unwrap_or(""));
        let place = Path::TOP.field("data");
        found.error(Code::ValueMissing, &place.field(key), kind.mark.known(), message);
    }
}
