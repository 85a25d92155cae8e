//! The name suffix transformer.

use super::{FieldSpec, name_affix};
use crate::resource::Pass;
use kfc_diagnostics::Result;

/// Appends a suffix to the fields of the specs, by default `metadata.name`. Custom resource definitions, API services
/// and namespaces keep their names. A resource whose name changes remembers its identity and the suffix; an empty
/// suffix does nothing.
///
/// # Errors
/// Fields that are not scalars, and paths that cannot be followed.
pub fn apply(pass: Pass<'_>, suffix: &str, fields: &[FieldSpec]) -> Result<()> {
    name_affix::apply(
        pass,
        fields,
        suffix,
        |resource| &mut resource.suffixes,
        |name| format!("{name}{suffix}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::Step;
    use crate::transform::testing::{resources, yaml};
    use kfc_kube::Gvk;

    fn spec(path: &str, kind: &str, create: bool) -> FieldSpec {
        FieldSpec { gvk: Gvk { kind: kind.into(), ..Gvk::default() }, path: path.into(), create }
    }

    #[test]
    fn every_spec_that_fits_is_applied() {
        let mut set = resources("{apiVersion: v1, kind: ConfigMap, metadata: {name: '1'}}");
        let specs = [
            spec("metadata/name", "ConfigMap", false),
            spec("metadata/name", "", false),
            spec("a/b", "", true),
        ];
        apply(set.pass(&Step::default()), "0", &specs).unwrap();
        assert_eq!(
            set.list[0].node,
            yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: '100'}, a: {b: 0}}")
        );
        assert_eq!(set.list[0].previous.len(), 2);
        assert_eq!(set.list[0].suffixes, ["0", "0"]);
    }
}
