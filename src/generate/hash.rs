//! The content hash behind the names of generated config maps and secrets.

use crate::diagnostics::Result;
use crate::yaml::{Node, json};
use sha2::{Digest, Sha256};

/// Length of a suffix.
const LENGTH: usize = 10;

/// The suffix for the content of a resource, without the dash: ten hex digits of the sha256 of its JSON, with those
/// digits replaced that could make words. Of a config map and a secret only the data (and a secret's type) count.
///
/// # Errors
/// Content that has no JSON form.
pub fn suffix(node: &Node) -> Result<String> {
    let digest = Sha256::digest(content(node)?.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(hex.chars().take(LENGTH).map(harmless).collect())
}

fn harmless(digit: char) -> char {
    match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    }
}

fn content(node: &Node) -> Result<String> {
    let kind = node.get("kind").and_then(Node::as_text).unwrap_or("");
    let mut out = String::new();
    match kind {
        "ConfigMap" => {
            out.push('{');
            field(node, "binaryData", false, &mut out)?;
            field(node, "data", true, &mut out)?;
            out.push_str(r#""kind":"ConfigMap","name":""}"#);
        }
        "Secret" => {
            out.push('{');
            field(node, "data", true, &mut out)?;
            out.push_str(r#""kind":"Secret","name":"","#);
            field(node, "stringData", false, &mut out)?;
            field(node, "type", true, &mut out)?;
            out.pop();
            out.push('}');
        }
        _ => json::write(node, &mut out)?,
    }
    Ok(out)
}

/// Appends a field with a comma; an empty string stands for a missing one that always counts.
fn field(node: &Node, name: &str, always: bool, out: &mut String) -> Result<()> {
    let value = node.get(name);
    if value.is_none() && !always {
        return Ok(());
    }
    json::write_string(name, out);
    out.push(':');
    match value {
        Some(value) => json::write(value, out)?,
        None => out.push_str("\"\""),
    }
    out.push(',');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::suffix;
    use crate::diagnostics::SourceId;
    use crate::yaml::parse::parse;

    fn hash(text: &str) -> String {
        suffix(&parse(text, SourceId::NONE).unwrap()[0]).unwrap()
    }

    #[test]
    fn suffixes_are_those_of_kustomize() {
        assert_eq!(hash("{kind: ConfigMap}"), "6ct58987ht");
        assert_eq!(hash("{kind: ConfigMap, metadata: {name: x}, data: {a: '1', b: 'yes'}}"), "dg79t4479m");
    }
}
