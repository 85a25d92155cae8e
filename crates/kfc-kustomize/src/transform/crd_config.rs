//! Reads the files of `crds:`: OpenAPI definitions whose extensions say which fields hold names, labels and
//! annotations.

use super::config::merge_specs;
use super::{FieldSpec, NameReference, TransformerConfig};
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_kube::Gvk;
use kfc_yaml::{Map, Node};

impl TransformerConfig {
    /// The field specs of a file of OpenAPI definitions: a mapping of type names to `{Schema: …}`. Types with the
    /// properties `apiVersion`, `kind` and `metadata` are kinds; their properties are followed through `$ref`, neither
    /// into lists nor into inline objects, as kustomize does. The kind is the text after the last dot of the name.
    ///
    /// # Errors
    /// [`Code::WrongType`] for a definition that is not a mapping, which is what a custom resource definition looks like.
    pub fn from_crds(document: &Node) -> Result<Self> {
        let mut config = Self::default();
        let definitions = match document.as_map() {
            Some(map) => map,
            None if document.is_null() => return Ok(config),
            None => return Err(no_definition(document).into()),
        };
        for entry in definitions {
            if !entry.value.is_null() && entry.value.as_map().is_none() {
                return Err(no_definition(&entry.value).into());
            }
            let is_kind = properties(&entry.value)
                .is_some_and(|map| ["apiVersion", "kind", "metadata"].iter().all(|key| map.contains(key)));
            if is_kind {
                let name = entry.key.text.as_str();
                let kind = name.rsplit_once('.').map_or(name, |(_, kind)| kind);
                let mut reader = Reader { definitions, kind, config: &mut config, path: Vec::new() };
                reader.read_type(name, &mut Vec::new())?;
            }
        }
        config.sort();
        Ok(config)
    }
}

/// `Schema.properties` of a definition.
fn properties(definition: &Node) -> Option<&Map> {
    let schema = definition.get("Schema").or_else(|| definition.get("schema"))?;
    schema.get("properties")?.as_map()
}

fn no_definition(node: &Node) -> Diagnostic {
    let message = format!("expected an OpenAPI definition, which is a mapping, found {}", node.describe());
    Diagnostic::error(Code::WrongType, message)
        .at(node.mark)
        .help("`crds` takes files that map type names to OpenAPI schemas; list CRDs in `resources`")
}

struct Reader<'d, 'c> {
    definitions: &'d Map,
    kind: &'d str,
    config: &'c mut TransformerConfig,
    /// Property names from the kind down to the type that is being read.
    path: Vec<&'d str>,
}

impl<'d> Reader<'d, '_> {
    /// Reads the properties of a type, and of those that it refers to. `open` holds the types that are being read:
    /// one that contains itself is not followed again (kustomize would never end).
    fn read_type(&mut self, name: &'d str, open: &mut Vec<&'d str>) -> Result<()> {
        let Some(properties) = self.definitions.get(name).and_then(properties) else { return Ok(()) };
        if open.contains(&name) {
            return Ok(());
        }
        open.push(name);
        for property in properties {
            self.path.push(&property.key.text);
            self.read_property(&property.value)?;
            if let Some(referred) = property.value.get("$ref").and_then(Node::as_text) {
                self.read_type(referred, open)?;
            }
            self.path.pop();
        }
        open.pop();
        Ok(())
    }

    fn read_property(&mut self, property: &Node) -> Result<()> {
        let extension = |name: &str| property.get(name).and_then(Node::as_str);
        if extension("x-kubernetes-annotation").is_some() {
            let spec = self.field(None);
            merge_specs(&mut self.config.common_annotations, &[spec], "commonAnnotations")?;
        }
        if extension("x-kubernetes-label-selector").is_some() {
            let spec = self.field(None);
            merge_specs(&mut self.config.common_labels, &[spec], "commonLabels")?;
        }
        if extension("x-kubernetes-identity").is_some() {
            let spec = self.field(None);
            merge_specs(&mut self.config.name_prefix, &[spec], "namePrefix")?;
        }
        let version = extension("x-kubernetes-object-ref-api-version");
        let kind = extension("x-kubernetes-object-ref-kind");
        if let (Some(version), Some(kind)) = (version, kind) {
            let key = extension("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let referral = Gvk { version: version.to_owned(), kind: kind.to_owned(), ..Gvk::default() };
            let fields = vec![self.field(Some(key))];
            self.config.merge(&TransformerConfig {
                name_reference: vec![NameReference { referral, fields }],
                ..TransformerConfig::default()
            })?;
        }
        Ok(())
    }

    /// The field spec of the property that is being read, or of a field in it.
    fn field(&self, inner: Option<&str>) -> FieldSpec {
        let path: Vec<&str> = self.path.iter().copied().chain(inner).collect();
        let gvk = Gvk { kind: self.kind.to_owned(), ..Gvk::default() };
        FieldSpec { gvk, path: path.join("/"), create: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::testing::yaml;

    const BEE: &str = "
example.com/v1.Bee:
  Schema:
    properties:
      kind: {type: string}
      apiVersion: {type: string}
      metadata: {type: object}
      spec: {$ref: example.com/v1.BeeSpec}
      inline: {properties: {sub: {x-kubernetes-annotation: ''}}}
      notes: {x-kubernetes-annotation: ''}
      flag: {x-kubernetes-annotation: true}
      id: {x-kubernetes-identity: ''}
      list: {type: array, items: {$ref: example.com/v1.BeeSpec}}
example.com/v1.BeeSpec:
  Schema:
    properties:
      self: {$ref: example.com/v1.BeeSpec}
      picks: {x-kubernetes-label-selector: ''}
      key: {x-kubernetes-object-ref-api-version: v1, x-kubernetes-object-ref-kind: Secret}
      cert:
        x-kubernetes-object-ref-api-version: v1
        x-kubernetes-object-ref-kind: Secret
        x-kubernetes-object-ref-name-key: id
";

    fn paths(specs: &[FieldSpec]) -> Vec<String> {
        specs.iter().map(|spec| format!("{} {}", spec.gvk.kind, spec.path)).collect()
    }

    #[test]
    fn extensions_become_field_specs() {
        let config = TransformerConfig::from_crds(&yaml(BEE)).unwrap();
        assert_eq!(paths(&config.common_annotations), ["Bee notes"]);
        assert_eq!(paths(&config.common_labels), ["Bee spec/picks"]);
        assert_eq!(paths(&config.name_prefix), ["Bee id"]);
        assert_eq!(config.name_reference.len(), 1);
        assert_eq!(config.name_reference[0].referral, Gvk::new("v1", "Secret"));
        assert_eq!(paths(&config.name_reference[0].fields), ["Bee spec/key/name", "Bee spec/cert/id"]);
    }

    #[test]
    fn a_custom_resource_definition_is_refused_with_help() {
        let errors = TransformerConfig::from_crds(&yaml("{apiVersion: v1, kind: CustomResourceDefinition}"));
        let error = errors.unwrap_err().0.remove(0);
        assert_eq!(error.code, Code::WrongType);
        assert!(error.help.unwrap().contains("`resources`"));
    }
}
