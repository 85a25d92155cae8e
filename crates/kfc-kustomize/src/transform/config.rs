//! Which fields each transformer touches: kustomize's defaults, `configurations` files and `crds` joined.

use super::order::compare_gvks;
use crate::types::{FieldSpec, TransformerConfig};
use kfc_diagnostics::{Code, Diagnostic, Result};
use std::sync::Arc;

impl TransformerConfig {
    /// Adds the field specs of another configuration, then sorts every table by kind. A spec that already exists is
    /// left out. As in kustomize (`TransformerConfig.Merge`) a spec also counts as existing when one with the same
    /// path for *fewer* kinds is; and the result is sorted, so that merging a configuration into an empty one may drop
    /// specs that it had.
    ///
    /// # Errors
    /// [`Code::FieldConflict`] when such a spec is there with another `create`.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        for (ours, (theirs, table)) in self.tables_mut().into_iter().zip(other.tables()) {
            merge_specs(ours, theirs, table)?;
        }
        for theirs in &other.name_reference {
            match self.name_reference.iter_mut().find(|ours| ours.referral == theirs.referral) {
                Some(ours) => merge_specs(&mut ours.fields, &theirs.fields, "nameReference")?,
                None => self.name_reference.push(theirs.clone()),
            }
        }
        self.sort();
        Ok(())
    }

    /// As [`TransformerConfig::merge`], of shared configurations. Two that are one and the same give it back as it is,
    /// which is right when it was the result of a merge into an empty configuration, as every layer's is.
    ///
    /// # Errors
    /// As [`TransformerConfig::merge`].
    pub fn merge_shared(ours: &Arc<Self>, theirs: &Arc<Self>) -> Result<Arc<Self>> {
        if Arc::ptr_eq(ours, theirs) {
            return Ok(Arc::clone(ours));
        }
        let mut merged = Self::clone(ours);
        merged.merge(theirs)?;
        Ok(Arc::new(merged))
    }

    /// `metadata.labels` of every kind.
    #[must_use]
    pub fn metadata_labels() -> [FieldSpec; 1] {
        [FieldSpec { path: "metadata/labels".to_owned(), create: true, ..FieldSpec::default() }]
    }

    /// Sorts every table as kustomize keeps them: by the legacy order of kinds.
    pub(crate) fn sort(&mut self) {
        for table in self.tables_mut() {
            table.sort_by(|a, b| compare_gvks(&a.gvk, &b.gvk));
        }
        self.name_reference.sort_by(|a, b| compare_gvks(&a.referral, &b.referral));
    }

    /// Every table of field specs with its name.
    #[must_use]
    pub fn tables(&self) -> [(&Vec<FieldSpec>, &'static str); 10] {
        [
            (&self.name_prefix, "namePrefix"),
            (&self.name_suffix, "nameSuffix"),
            (&self.namespace, "namespace"),
            (&self.common_labels, "commonLabels"),
            (&self.labels, "labels"),
            (&self.template_labels, "templateLabels"),
            (&self.common_annotations, "commonAnnotations"),
            (&self.var_reference, "varReference"),
            (&self.images, "images"),
            (&self.replicas, "replicas"),
        ]
    }

    /// The same, to be filled.
    pub(super) fn tables_mut(&mut self) -> [&mut Vec<FieldSpec>; 10] {
        [
            &mut self.name_prefix,
            &mut self.name_suffix,
            &mut self.namespace,
            &mut self.common_labels,
            &mut self.labels,
            &mut self.template_labels,
            &mut self.common_annotations,
            &mut self.var_reference,
            &mut self.images,
            &mut self.replicas,
        ]
    }
}

/// Adds those of `theirs` that are not yet in `ours`.
///
/// # Errors
/// [`Code::FieldConflict`] for one that is there with another `create`; `table` is what the message calls the list.
pub(crate) fn merge_specs(ours: &mut Vec<FieldSpec>, theirs: &[FieldSpec], table: &str) -> Result<()> {
    theirs.iter().try_for_each(|spec| merge_spec(ours, spec, table))
}

fn merge_spec(ours: &mut Vec<FieldSpec>, spec: &FieldSpec, table: &str) -> Result<()> {
    match ours.iter().find(|known| known.path == spec.path && spec.gvk.selects(&known.gvk)) {
        None => ours.push(spec.clone()),
        Some(known) if known.create == spec.create => {}
        Some(known) => {
            let message = format!(
                "the field spec `{}` of {} is in `{table}` with `create: {}` and with `create: {}`",
                spec.path, spec.gvk, known.create, spec.create
            );
            let help = "give both the same `create`; kustomize's defaults count too";
            return Err(Diagnostic::error(Code::FieldConflict, message).help(help).into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::NameReference;
    use kfc_kube::Gvk;

    fn spec(kind: &str, path: &str, create: bool) -> FieldSpec {
        FieldSpec { gvk: Gvk { kind: kind.into(), ..Gvk::default() }, path: path.into(), create }
    }

    fn config(labels: Vec<FieldSpec>) -> TransformerConfig {
        TransformerConfig { labels, ..TransformerConfig::default() }
    }

    #[test]
    fn a_spec_for_more_kinds_is_dropped_when_one_for_fewer_is_there() {
        let mut ours = config(vec![spec("Foo", "spec/l", true)]);
        ours.merge(&config(vec![spec("", "spec/l", true)])).unwrap();
        assert_eq!(ours.labels, [spec("Foo", "spec/l", true)]);
        let mut ours = config(vec![spec("", "spec/l", true)]);
        ours.merge(&config(vec![spec("Foo", "spec/l", true)])).unwrap();
        assert_eq!(ours.labels, [spec("Foo", "spec/l", true), spec("", "spec/l", true)]);
    }

    #[test]
    fn specs_that_differ_in_create_conflict() {
        let mut ours = config(vec![spec("Foo", "spec/l", true)]);
        let errors = ours.merge(&config(vec![spec("Foo", "spec/l", false)])).unwrap_err();
        assert_eq!(errors.0[0].code, Code::FieldConflict);
    }

    #[test]
    fn name_references_are_joined_by_the_kind_they_refer_to() {
        let reference = |kind: &str, path: &str| NameReference {
            referral: Gvk { kind: kind.into(), ..Gvk::default() },
            fields: vec![spec("Foo", path, false)],
        };
        let of = |list| TransformerConfig { name_reference: list, ..TransformerConfig::default() };
        let mut ours = of(vec![reference("Foo", "a"), reference("Secret", "b")]);
        ours.merge(&of(vec![reference("Foo", "c"), reference("Foo", "a")])).unwrap();
        assert_eq!(ours.name_reference[0].referral.kind, "Secret");
        assert_eq!(ours.name_reference[1].fields, [spec("Foo", "a", false), spec("Foo", "c", false)]);
    }
}
