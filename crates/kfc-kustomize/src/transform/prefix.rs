//! The name prefix transformer.

use super::{FieldSpec, name_affix};
use crate::resource::Pass;
use kfc_diagnostics::Result;

/// Puts a prefix before the fields of the specs, by default `metadata.name`. Custom resource definitions, API services
/// and namespaces keep their names. A resource whose name changes remembers its identity and the prefix; an empty
/// prefix does nothing.
///
/// # Errors
/// Fields that are not scalars, and paths that cannot be followed.
pub fn apply(pass: Pass<'_>, prefix: &str, fields: &[FieldSpec]) -> Result<()> {
    name_affix::apply(
        pass,
        fields,
        prefix,
        |resource| &mut resource.prefixes,
        |name| format!("{prefix}{name}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::Step;
    use crate::transform::testing::resources;
    use kfc_kube::Gvk;

    fn spec(path: &str, kind: &str, create: bool) -> FieldSpec {
        FieldSpec { gvk: Gvk { kind: kind.into(), ..Gvk::default() }, path: path.into(), create }
    }

    #[test]
    fn some_kinds_keep_their_names() {
        let mut set = resources(
            "{apiVersion: v1, kind: Namespace, metadata: {name: n}}\n---\n\
             {apiVersion: x/v1, kind: CustomResourceDefinition, metadata: {name: n}}\n---\n\
             {apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: n}}\n---\n\
             {apiVersion: x/v1, kind: APIService, metadata: {name: n}}",
        );
        apply(set.pass(&Step::default()), "p-", &[spec("metadata/name", "", false)]).unwrap();
        let names: Vec<_> = set.list.iter().map(|resource| resource.name()).collect();
        assert_eq!(names, ["n", "n", "n", "p-n"]);
        assert!(set.list[0].previous.is_empty());
        assert_eq!(set.list[3].previous[0].name, "n");
        assert_eq!(set.list[3].prefixes, ["p-"]);
    }
}
