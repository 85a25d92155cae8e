//! CRDs whose schemas are in the [notation](kfc_kube::notation): `openAPIV3Schema: {$ref: crds.types#JobSet.v1alpha2}`
//! names a file beside the kustomization file, and a type in it.

use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use kfc_kube::notation::Notation;
use kfc_kustomize::resource::Resource;
use kfc_yaml::{Map, Node, Value};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The key of a reference.
const REFERENCE: &str = "$ref";
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
    for Reference { schema, text, mark } in references(resources) {
        let Some((file, name)) = text.split_once('#') else {
            let message = format!("`{text}` does not name a schema");
            errors.push(Diagnostic::error(Code::BadValue, message).at(mark).help("write `FILE#TYPE`"));
            continue;
        };
        let notation = files
            .entry(file.to_owned())
            .or_insert_with(|| errors.collect(read(file, mark)).map(Arc::new))
            .clone();
        found.extend(notation.map(|notation| (schema, notation, name.to_owned(), mark)));
    }
    let rendered: Vec<Result<()>> = found
        .into_par_iter()
        .with_max_len(1)
        .map(|(schema, notation, name, mark)| {
            schema.value = Value::Map(schema_of(&notation, &name, mark)?);
            Ok(())
        })
        .collect();
    for done in rendered {
        errors.collect(done);
    }
    errors.into_result(())
}

/// The schema of a type.
///
/// # Errors
/// Types that do not exist, or are too large.
pub(crate) fn schema_of(notation: &Notation, name: &str, mark: Mark) -> Result<Map> {
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
pub(crate) struct Reference<'r> {
    pub(crate) schema: &'r mut Node,
    /// `FILE#TYPE`.
    pub(crate) text: String,
    pub(crate) mark: Mark,
}

/// The references in CRDs.
pub(crate) fn references(resources: &mut [Resource]) -> Vec<Reference<'_>> {
    let definitions = resources.iter_mut().filter(|resource| resource.kind() == "CustomResourceDefinition");
    let schemas = definitions.flat_map(|definition| versions(&mut definition.node)).map(|(_, schema)| schema);
    schemas.filter_map(reference).collect()
}

fn reference(schema: &mut Node) -> Option<Reference<'_>> {
    // A deferred mapping is a schema already, and not read for this.
    let map = schema.as_map().filter(|map| map.as_deferred().is_none())?;
    let value = map.get(REFERENCE)?;
    let (text, mark) = (value.as_text()?.to_owned(), value.mark);
    Some(Reference { schema, text, mark })
}

/// A schema that names another one.
pub(crate) fn reference_to(text: &str) -> Map {
    let mut map = Map::new();
    map.set(REFERENCE, Node::string(text, Mark::NONE));
    map
}

/// The versions of a CRD with their names and schemas.
pub(crate) fn versions(definition: &mut Node) -> impl Iterator<Item = (String, &mut Node)> {
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
