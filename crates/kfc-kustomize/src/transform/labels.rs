//! The label transformer: `labels` and `commonLabels`.

use super::config::merge_specs;
use super::field_spec::set_entry;
use super::{Create, FieldSpec, FieldSpecs, TransformerConfig};
use crate::kustomization::model::Label;
use crate::resource::{Pass, Resource};
use kfc_diagnostics::Result;

/// Applies each entry of `labels` in order, then `commonLabels`, as kustomize does.
///
/// # Errors
/// Conflicting field specs of an entry, fields that are not mappings, and paths that cannot be followed.
pub fn apply_all(
    mut pass: Pass<'_>,
    labels: &[Label],
    common: &[(String, String)],
    config: &TransformerConfig,
) -> Result<()> {
    for label in labels {
        apply(pass.again(), &label.pairs, &fields_of(label, config)?)?;
    }
    apply(pass, common, &config.common_labels)
}

/// The fields that one entry of `labels` reaches: its own, the `labels` table, what `includeSelectors` or
/// `includeTemplates` add, and `metadata.labels`. The rules of merging hold, so that an own field
/// `metadata/labels` of one kind takes the place of the default for every kind.
///
/// # Errors
/// [`kfc_diagnostics::Code::FieldConflict`] when a field is there with another `create`.
pub fn fields_of(label: &Label, config: &TransformerConfig) -> Result<Vec<FieldSpec>> {
    let mut fields = label.fields.clone();
    merge_specs(&mut fields, &config.labels, "labels")?;
    if label.include_selectors {
        merge_specs(&mut fields, &config.common_labels, "labels")?;
    } else {
        if label.include_templates {
            merge_specs(&mut fields, &config.template_labels, "labels")?;
        }
        if label.include_claim_templates {
            merge_specs(&mut fields, &TransformerConfig::claim_template_labels(), "labels")?;
        }
        merge_specs(&mut fields, &TransformerConfig::metadata_labels(), "labels")?;
    }
    Ok(fields)
}

/// Sets labels, or annotations, as strings in every field of the specs; missing mappings are created where the spec
/// says so.
///
/// # Errors
/// Fields that are not mappings, and paths that cannot be followed.
pub fn apply(
    Pass { set, step, .. }: Pass<'_>,
    pairs: &[(String, String)],
    fields: &[FieldSpec],
) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let mut pairs: Vec<_> = pairs.iter().collect();
    pairs.sort();
    let mut specs = FieldSpecs::new(fields);
    let mut added = vec![0; pairs.len()];
    for resource in &mut set.list {
        let last_shared = resource.shared().last();
        added.fill(0);
        specs.apply(resource.edit(step), Create::Mapping, |node| {
            for (at, (key, value)) in pairs.iter().enumerate() {
                added[at] += usize::from(set_entry(node, key, value, last_shared + at + 1)?);
            }
            Ok(())
        })?;
        resource.edit(step).update_shared();
        share(resource, &pairs, &added);
    }
    Ok(())
}

/// Remembers which pairs were added to several fields: kustomize makes one value of all of them.
fn share(resource: &mut Resource, pairs: &[&(String, String)], added: &[usize]) {
    for ((_, value), added) in pairs.iter().zip(added) {
        resource.shared_mut().add((*added > 1).then_some(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::Step;
    use crate::transform::testing::{resources, yaml};
    use kfc_diagnostics::Code;
    use kfc_kube::Gvk;

    const DEPLOYMENT: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, labels: {L: 2}}}";

    fn label(fields: Vec<FieldSpec>) -> Label {
        Label { pairs: vec![("L".into(), "x".into())], fields, ..Label::default() }
    }

    fn spec(kind: &str, path: &str, create: bool) -> FieldSpec {
        FieldSpec { gvk: Gvk { kind: kind.into(), ..Gvk::default() }, path: path.into(), create }
    }

    fn labelled(text: &str, label: Label) -> kfc_yaml::Node {
        let mut set = resources(text);
        apply_all(set.pass(&Step::default()), &[label], &[], &TransformerConfig::default_config()).unwrap();
        set.list.remove(0).into_node()
    }

    #[test]
    fn an_entry_reaches_metadata_templates_or_selectors_too() {
        let node = labelled(DEPLOYMENT, label(Vec::new()));
        assert_eq!(node.get("metadata"), Some(&yaml("{name: d, labels: {L: x}}")));
        assert_eq!(node.get("spec"), None);
        let node = labelled(DEPLOYMENT, Label { include_templates: true, ..label(Vec::new()) });
        assert_eq!(node.get("spec"), Some(&yaml("{template: {metadata: {labels: {L: x}}}}")));
        let node = labelled(DEPLOYMENT, Label { include_selectors: true, ..label(Vec::new()) });
        let both = "{selector: {matchLabels: {L: x}}, template: {metadata: {labels: {L: x}}}}";
        assert_eq!(node.get("spec"), Some(&yaml(both)));
    }

    #[test]
    fn a_field_for_one_kind_takes_the_place_of_the_default() {
        let node = labelled(DEPLOYMENT, label(vec![spec("Foo", "metadata/labels", true)]));
        assert_eq!(node, yaml(DEPLOYMENT));
        let conflict = label(vec![spec("Foo", "metadata/labels", false)]);
        let errors = fields_of(&conflict, &TransformerConfig::default_config()).unwrap_err();
        assert_eq!(errors.0[0].code, Code::FieldConflict);
    }

    #[test]
    fn common_labels_come_last() {
        let mut set = resources(DEPLOYMENT);
        let common = [("L".to_owned(), "true".to_owned())];
        apply_all(
            set.pass(&Step::default()),
            &[label(Vec::new())],
            &common,
            &TransformerConfig::default_config(),
        )
        .unwrap();
        assert_eq!(set.list[0].labels(), yaml("{L: 'true'}").as_map());
    }

    #[test]
    fn labels_that_are_no_mapping_are_an_error() {
        let mut set = resources("{apiVersion: v1, kind: Foo, metadata: {name: a, labels: [1]}}");
        let errors = apply_all(
            set.pass(&Step::default()),
            &[label(Vec::new())],
            &[],
            &TransformerConfig::default_config(),
        );
        assert_eq!(errors.unwrap_err().0[0].code, Code::WrongType);
    }
}
