//! Reads the files of `configurations:`.

use super::{FieldSpec, NameReference, TransformerConfig};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Result};
use crate::resource::Gvk;
use crate::yaml::{Entry, Node, ScalarKind};

impl TransformerConfig {
    /// Reads one document of a `configurations` file. Like kustomize it takes field names in any case and refuses
    /// unknown ones; the tables come out sorted.
    ///
    /// # Errors
    /// [`Code::UnknownField`] and [`Code::WrongType`], all of the document.
    pub fn read(document: &Node) -> Result<Self> {
        let mut config = Self::default();
        let mut errors = Diagnostics::default();
        for entry in entries(document)? {
            let name = entry.key.text.as_str();
            if name.eq_ignore_ascii_case("nameReference") {
                let references = read_list(&entry.value, NameReference::read);
                config.name_reference.extend(errors.collect(references).unwrap_or_default());
            } else if let Some(table) = config.table_mut(name) {
                table.extend(errors.collect(read_list(&entry.value, FieldSpec::read)).unwrap_or_default());
            } else {
                errors.push(unknown(entry, &Self::table_names()));
            }
        }
        config.sort();
        errors.into_result(config)
    }
}

impl FieldSpec {
    /// Reads one field spec: `group`, `version`, `kind`, `path` and `create`.
    ///
    /// # Errors
    /// [`Code::UnknownField`] and [`Code::WrongType`], all of the spec.
    pub fn read(node: &Node) -> Result<Self> {
        let mut spec = Self::default();
        let mut errors = Diagnostics::default();
        for entry in entries(node)? {
            let name = entry.key.text.as_str();
            let result = if let Some(part) = gvk_part(&mut spec.gvk, name) {
                read_text(&entry.value).map(|text| *part = text)
            } else if name.eq_ignore_ascii_case("path") {
                read_text(&entry.value).map(|text| spec.path = text)
            } else if name.eq_ignore_ascii_case("create") {
                read_bool(&entry.value).map(|create| spec.create = create)
            } else {
                Err(unknown(entry, &["group", "version", "kind", "path", "create"]).into())
            };
            errors.collect(result);
        }
        errors.into_result(spec)
    }
}

impl NameReference {
    /// Reads one name reference: `group`, `version`, `kind` and `fieldSpecs`.
    fn read(node: &Node) -> Result<Self> {
        let mut reference = Self::default();
        let mut errors = Diagnostics::default();
        for entry in entries(node)? {
            let name = entry.key.text.as_str();
            let result = if let Some(part) = gvk_part(&mut reference.referral, name) {
                read_text(&entry.value).map(|text| *part = text)
            } else if name.eq_ignore_ascii_case("fieldSpecs") {
                read_list(&entry.value, FieldSpec::read).map(|fields| reference.fields = fields)
            } else {
                Err(unknown(entry, &["group", "version", "kind", "fieldSpecs"]).into())
            };
            errors.collect(result);
        }
        errors.into_result(reference)
    }
}

fn gvk_part<'g>(gvk: &'g mut Gvk, name: &str) -> Option<&'g mut String> {
    match name.to_ascii_lowercase().as_str() {
        "group" => Some(&mut gvk.group),
        "version" => Some(&mut gvk.version),
        "kind" => Some(&mut gvk.kind),
        _ => None,
    }
}

/// The entries of a mapping; none for null.
fn entries(node: &Node) -> Result<&[Entry]> {
    match node.as_map() {
        Some(map) => Ok(map.iter().as_slice()),
        None if node.is_null() => Ok(&[]),
        None => Err(wrong_type(node, "a mapping")),
    }
}

/// Reads every item of a list, with the errors of all; null is an empty list.
fn read_list<T>(node: &Node, read: fn(&Node) -> Result<T>) -> Result<Vec<T>> {
    let items = match node.as_seq() {
        Some(items) => items,
        None if node.is_null() => &[],
        None => return Err(wrong_type(node, "a sequence")),
    };
    let mut errors = Diagnostics::default();
    let read_items = items.iter().filter_map(|item| errors.collect(read(item))).collect();
    errors.into_result(read_items)
}

fn read_text(node: &Node) -> Result<String> {
    match node.as_str() {
        Some(text) => Ok(text.to_owned()),
        None if node.is_null() => Ok(String::new()),
        None => Err(wrong_type(node, "a string")),
    }
}

/// `true` and `false`, and the further words of YAML 1.1, in which kustomize reads its own files.
fn read_bool(node: &Node) -> Result<bool> {
    let scalar =
        node.as_scalar().filter(|s| matches!(s.kind, ScalarKind::Bool | ScalarKind::Str | ScalarKind::Null));
    match scalar.map(|s| s.text.to_ascii_lowercase()).as_deref() {
        Some("true" | "yes" | "on" | "y") => Ok(true),
        Some("false" | "no" | "off" | "n") => Ok(false),
        _ if node.is_null() => Ok(false),
        _ => Err(wrong_type(node, "a boolean")),
    }
}

fn wrong_type(node: &Node, expected: &str) -> Diagnostics {
    let message = format!("expected {expected}, found {}", node.describe());
    Diagnostic::error(Code::WrongType, message).at(node.mark).into()
}

fn unknown(entry: &Entry, known: &[&str]) -> Diagnostic {
    let message = format!("unknown field `{}` in a transformer configuration", entry.key.text);
    Diagnostic::error(Code::UnknownField, message)
        .at(entry.key.mark)
        .help(format!("the fields here are {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::testing::yaml;

    #[test]
    fn tables_are_read_in_any_case() {
        let config = TransformerConfig::read(&yaml(
            "CommonLabels: [{Path: spec/a, create: true, Kind: Foo, group: x}]
nameReference: [{kind: Secret, version: v1, fieldSpecs: [{path: b, kind: Foo}]}]
images: null",
        ))
        .unwrap();
        let gvk = Gvk { group: "x".into(), version: String::new(), kind: "Foo".into() };
        assert_eq!(config.common_labels, [FieldSpec { gvk, path: "spec/a".into(), create: true }]);
        assert_eq!(config.name_reference[0].referral, Gvk::new("v1", "Secret"));
        assert_eq!(config.name_reference[0].fields[0].path, "b");
    }

    #[test]
    fn all_errors_are_told() {
        let text = "bogus: 1\nlabels: [{path: 5, bogus: 2}, 7]\nimages: {}";
        let codes: Vec<_> =
            TransformerConfig::read(&yaml(text)).unwrap_err().0.iter().map(|e| e.code).collect();
        let expected =
            [Code::UnknownField, Code::WrongType, Code::UnknownField, Code::WrongType, Code::WrongType];
        assert_eq!(codes, expected);
    }
}
