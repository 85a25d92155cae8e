//! The content hash at the end of the names of generated config maps and secrets.

use crate::provenance::{Step, StepKind};
use crate::resource::ResourceSet;
use base16ct::lower;
use kfc_diagnostics::{Diagnostics, Result};
use kfc_yaml::{Node, Value, json};
use sha2::{Digest, Sha256};

/// Length of a suffix.
const LENGTH: usize = 10;

/// The suffix for the content of a resource, without the dash: ten hex digits of the sha256 of its JSON, with those
/// digits replaced that could make words. Of a config map and a secret only the data (and a secret's type) count.
///
/// # Errors
/// Content that has no JSON form.
pub fn suffix(node: &Node) -> Result<String> {
    let digits = lower::encode_string(&Sha256::digest(content(node)?.as_bytes())[..LENGTH / 2]);
    Ok(digits.chars().map(harmless_digit).collect())
}

/// Appends the content hash to the name of every resource that asks for it.
///
/// # Errors
/// Content that has no JSON form.
pub(crate) fn append_to_names(set: &mut ResourceSet) -> Result<()> {
    let mut errors = Diagnostics::default();
    for resource in set.list.iter_mut().filter(|resource| resource.needs_hash) {
        let hash = suffix(&resource.node).map_err(|errors| resource.located(errors));
        if let Some(hash) = errors.collect(hash) {
            resource.remember_id();
            let name = format!("{}-{hash}", resource.name());
            // The entry that made the resource asks for the hash.
            let entry = resource.history().base().and_then(|base| base.entry);
            resource.edit(&Step::new(StepKind::Hash, entry)).set_name(&name);
        }
    }
    errors.into_result(())
}

fn harmless_digit(digit: char) -> char {
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
    let mut out = String::new();
    match node.get("kind").and_then(Node::as_text) {
        Some("ConfigMap") => {
            out.push('{');
            optional_field(node, "binaryData", &mut out)?;
            field(node, "data", &mut out)?;
            out.push_str(r#""kind":"ConfigMap","name":""}"#);
        }
        Some("Secret") => {
            out.push('{');
            field(node, "data", &mut out)?;
            out.push_str(r#""kind":"Secret","name":"","#);
            optional_field(node, "stringData", &mut out)?;
            field(node, "type", &mut out)?;
            out.pop();
            out.push('}');
        }
        _ => json::write(node, &mut out)?,
    }
    Ok(out)
}

/// Appends a field that counts only when it is a collection.
fn optional_field(node: &Node, name: &str, out: &mut String) -> Result<()> {
    match node.get(name).map(|value| &value.value) {
        None | Some(Value::Scalar(_)) => Ok(()),
        Some(Value::Map(_) | Value::Seq(_)) => field(node, name, out),
    }
}

/// Appends a field and a comma. As in kustomize, a scalar counts with its spelling, a missing one as an empty text,
/// all sequences as null, and numbers within as floats.
fn field(node: &Node, name: &str, out: &mut String) -> Result<()> {
    json::write_string(name, out);
    out.push(':');
    match node.get(name).map(|value| (value, &value.value)) {
        None => out.push_str("\"\""),
        Some((_, Value::Scalar(scalar))) => json::write_string(&scalar.text, out),
        Some((_, Value::Seq(_))) => out.push_str("null"),
        Some((value, Value::Map(_))) => json::write_with_floats(value, out)?,
    }
    out.push(',');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::suffix;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    fn hash(text: &str) -> String {
        suffix(&parse(text, SourceId::NONE).unwrap()[0]).unwrap()
    }

    #[test]
    fn suffixes_are_those_of_kustomize() {
        assert_eq!(hash("{kind: ConfigMap}"), "6ct58987ht");
        assert_eq!(hash("{kind: ConfigMap, metadata: {name: x}, data: {a: '1', b: 'yes'}}"), "dg79t4479m");
    }
}
