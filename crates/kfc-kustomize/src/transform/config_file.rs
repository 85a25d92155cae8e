//! Reads the files of `configurations:`.

use super::{NameReference, TransformerConfig};
use crate::kustomization::parts::{field_spec, gvk};
use kfc_diagnostics::Result;
use kfc_yaml::Node;
use kfc_yaml::fields::{Errors, Fields};

impl TransformerConfig {
    /// Reads one document of a `configurations` file. Like kustomize it takes field names in any case and refuses
    /// unknown ones; the tables come out sorted.
    ///
    /// # Errors
    /// [`Code::UnknownField`](kfc_diagnostics::Code) and `WrongType`, all of the document.
    pub fn read(document: &Node) -> Result<Self> {
        let mut config = Self::default();
        let errors = Errors::field_specs();
        if let Some(fields) = Fields::of(document, "a transformer configuration", &errors) {
            config.name_reference = fields.list("nameReference", |item| name_reference(item, &errors));
            let names = Self::default().tables().map(|(_, name)| name);
            for (table, name) in config.tables_mut().into_iter().zip(names) {
                *table = fields.list(name, |item| field_spec(item, &errors));
            }
            fields.finish();
        }
        config.sort();
        errors.into_inner().into_result(config)
    }
}

/// A name reference: `group`, `version`, `kind` and `fieldSpecs`.
fn name_reference(node: &Node, errors: &Errors) -> Option<NameReference> {
    let fields = Fields::of(node, "a name reference", errors)?;
    let reference = NameReference {
        referral: fields.embedded(gvk),
        fields: fields.list("fieldSpecs", |item| field_spec(item, errors)),
    };
    fields.finish();
    Some(reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::FieldSpec;
    use crate::transform::testing::yaml;
    use kfc_diagnostics::Code;
    use kfc_kube::Gvk;

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
        let text = "bogus: 1\nlabels: [{path: [], bogus: 2}, 7]\nimages: {}";
        let codes: Vec<_> =
            TransformerConfig::read(&yaml(text)).unwrap_err().0.iter().map(|e| e.code).collect();
        let expected =
            [Code::UnknownField, Code::WrongType, Code::UnknownField, Code::WrongType, Code::WrongType];
        assert_eq!(codes, expected);
    }
}
