//! CRDs whose schemas are in the [notation](kfc_kube::notation): `openAPIV3Schema: {$ref: crds.types#JobSet.v1alpha2}`
//! names a file beside the kustomization file, and a type in it.

use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use kfc_kube::notation::Notation;
use kfc_kustomize::provenance::{Step, StepKind};
use kfc_kustomize::resource::Resource;
use kfc_yaml::{Map, Node, Value};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

/// The key of a reference.
const REFERENCE: &str = "$ref";
/// A CRD gets a schema of the notation.
const SCHEMA: StepKind = StepKind::Other("schema");
/// The column of a schema's keys in the text of a CRD.
pub(crate) const COLUMN: usize = 8;

/// Replaces the references in CRDs with the schemas that they name. `read` reads a file of the notation, once.
///
/// # Errors
/// Those of `read`, and schemas that do not exist.
pub(crate) fn resolve(
    resources: &mut [Resource],
    read: impl Fn(&str, Mark) -> Result<Notation>,
) -> Result<()> {
    let mut errors = Diagnostics::default();
    let mut files: BTreeMap<String, Option<Arc<Notation>>> = BTreeMap::new();
    let mut found = Vec::new();
    for reference in references(resources) {
        let Some((file, name)) = reference.text.split_once('#') else {
            let message = format!("`{}` does not name a schema", reference.text);
            let error = Diagnostic::error(Code::BadValue, message).at(reference.mark);
            errors.push(error.help("write `FILE#TYPE`"));
            continue;
        };
        let notation = files
            .entry(file.to_owned())
            .or_insert_with(|| errors.collect(read(file, reference.mark)).map(Arc::new))
            .clone();
        let name = name.to_owned();
        found.extend(notation.map(|notation| (reference, notation, name)));
    }
    let rendered: Vec<Result<(Reference, Map)>> = found
        .into_par_iter()
        .with_max_len(1)
        .map(|(reference, notation, name)| {
            let map = schema_of(&notation, &name, reference.mark)?;
            Ok((reference, map))
        })
        .collect();
    let rendered = rendered.into_iter().filter_map(|done| errors.collect(done)).collect();
    put(resources, rendered);
    errors.into_result(())
}

/// Puts schemas in the places of the references to them.
pub(crate) fn put(resources: &mut [Resource], schemas: Vec<(Reference, Map)>) {
    for (Reference { resource, version, mark, .. }, map) in schemas {
        let step = Step::new(SCHEMA, mark);
        let Ok(()) = resources[resource].edit(&step).change(|draft| {
            if let Some((_, schema)) = versions_mut(&mut draft.node).nth(version) {
                schema.value = Value::Map(map);
            }
            Ok::<(), Infallible>(())
        });
    }
}

/// The schema of a type.
///
/// # Errors
/// Types that do not exist, or are too large.
pub(crate) fn schema_of(notation: &Notation, name: &str, mark: impl Into<Option<Mark>>) -> Result<Map> {
    let mark = mark.into();
    match notation.render(name, COLUMN, mark) {
        Ok(Some(rendered)) => Ok(Map::deferred(rendered)),
        Ok(None) => {
            let error = Diagnostic::error(Code::NotFound, format!("the schema `{name}` does not exist"));
            let error = error.at(mark);
            Err(match nearest(name, notation.names()) {
                Some(other) => error.help(format!("did you mean `{other}`?")),
                None => error,
            }
            .into())
        }
        Err(why) => Err(Diagnostic::error(Code::TooLarge, why).at(mark).into()),
    }
}

/// A schema in a CRD that names another one.
pub(crate) struct Reference {
    /// Index of the CRD.
    resource: usize,
    /// Index of the version that has a schema, among those.
    version: usize,
    /// `FILE#TYPE`.
    pub(crate) text: String,
    pub(crate) mark: Mark,
}

/// The references in CRDs.
pub(crate) fn references(resources: &[Resource]) -> Vec<Reference> {
    let mut found = Vec::new();
    for (index, definition) in resources.iter().enumerate() {
        if definition.kind() == "CustomResourceDefinition" {
            let schemas = versions(&definition.node).enumerate();
            found.extend(schemas.filter_map(|(version, schema)| {
                let (text, mark) = reference(schema)?;
                Some(Reference { resource: index, version, text, mark })
            }));
        }
    }
    found
}

fn reference(schema: &Node) -> Option<(String, Mark)> {
    // A deferred mapping is a schema already, and not read for this.
    let map = schema.as_map().filter(|map| map.as_deferred().is_none())?;
    let value = map.get(REFERENCE)?;
    Some((value.as_text()?.to_owned(), value.mark))
}

/// A schema that names another one.
pub(crate) fn reference_to(text: &str) -> Map {
    let mut map = Map::new();
    map.set(REFERENCE, Node::string(text, None));
    map
}

/// The schemas of the versions of a CRD.
fn versions(definition: &Node) -> impl Iterator<Item = &Node> {
    let versions = definition.at(&["spec", "versions"]).and_then(Node::as_seq).into_iter().flatten();
    versions.filter_map(|version| {
        version.get("name")?.as_text()?;
        version.at(&["schema", "openAPIV3Schema"])
    })
}

/// The versions of a CRD with their names and schemas, in the order of [`versions`].
pub(crate) fn versions_mut(definition: &mut Node) -> impl Iterator<Item = (String, &mut Node)> {
    let versions = definition.get_mut("spec").and_then(|spec| spec.get_mut("versions"));
    let versions = versions.and_then(Node::as_seq_mut).into_iter().flatten();
    versions.filter_map(|version| {
        let name = version.get("name")?.as_text()?.to_owned();
        Some((name, version.get_mut("schema")?.get_mut("openAPIV3Schema")?))
    })
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use kfc_diagnostics::{Code, Result, SourceId};
    use kfc_kube::notation::Notation;
    use kfc_kube::schema::Schema;
    use kfc_kustomize::engine::read::resources;
    use kfc_kustomize::resource::Resource;
    use kfc_yaml::emit::emit;
    use kfc_yaml::parse::parse;

    fn crd(schema: &str) -> Vec<Resource> {
        let text = format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: as.b.c\n\
             spec:\n  versions:\n  - name: v1\n    schema:\n      openAPIV3Schema:\n        {schema}\n    served: true\n"
        );
        resources(parse(&text, SourceId(0)).unwrap(), &Schema::builtin()).unwrap()
    }

    fn resolved(schema: &str) -> Result<String> {
        let mut all = crd(schema);
        let notation = "A.v1 object\n  a string\n";
        resolve(&mut all, |file, _| {
            assert_eq!(file, "crds.types");
            Notation::parse(notation, SourceId(1))
        })?;
        let mut out = Vec::new();
        emit(&all[0].node, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_reference_becomes_the_schema_that_it_names() {
        let text = resolved("$ref: crds.types#A.v1").unwrap();
        let schema = "      openAPIV3Schema:\n        properties:\n          a:\n            type: string\n        \
                      type: object\n    served: true\n";
        assert!(text.contains(schema), "{text}");
        assert!(resolved("type: object").unwrap().contains("        type: object\n"));
    }

    #[test]
    fn a_reference_to_nothing_is_an_error_at_its_place() {
        let errors = resolved("$ref: crds.types#A.v2").unwrap_err();
        assert_eq!(errors.0[0].code, Code::NotFound);
        assert_eq!(errors.0[0].help.as_deref(), Some("did you mean `A.v1`?"));
        assert_eq!(errors.0[0].mark.map(|mark| mark.source), Some(SourceId(0)));
        assert_eq!(resolved("$ref: A.v1").unwrap_err().0[0].code, Code::BadValue);
    }
}
