//! Reads `kfc.dev` of a kustomization.

use super::extensions::{Extensions, Skip, Skippable};
use super::parts;
use kfc_diagnostics::{Code, Diagnostic};
use kfc_yaml::fields::{Errors, Fields};
use kfc_yaml::{Node, Spanned};

/// Reads the field.
pub(super) fn extensions(fields: &Fields<'_>, errors: &Errors) -> Extensions {
    let mark = fields.place("kfc.dev");
    let Some(fields) = fields.nested("kfc.dev", "`kfc.dev`") else { return Extensions::default() };
    let extensions = Extensions {
        skip: fields.list("skip", |entry| skip(entry, errors)),
        resource_patterns: fields.boolean("resourcePatterns"),
        crd_list_keys: fields.boolean("crdListKeys"),
        mark,
    };
    fields.finish();
    extensions
}

fn skip(node: &Node, errors: &Errors) -> Option<Skip> {
    let fields = Fields::of(node, "an entry of `skip`", errors)?;
    let transformers = fields.strings("transformers");
    let target = fields.node("target").and_then(|target| parts::selector(target, errors));
    let missing = if transformers.is_empty() { "transformers" } else { "target" };
    fields.finish();
    match target {
        Some(target) if !transformers.is_empty() => {
            let transformers = transformers.iter().filter_map(|text| skippable(text, errors)).collect();
            Some(Skip { transformers, target })
        }
        _ => {
            let error =
                Diagnostic::error(Code::MissingField, format!("an entry of `skip` needs `{missing}`"));
            errors.push(error.at(node.mark));
            None
        }
    }
}

fn skippable(text: &Spanned<String>, errors: &Errors) -> Option<Skippable> {
    let found = Skippable::ALL.into_iter().find(|(name, _)| *name == text.value).map(|(_, found)| found);
    if found.is_none() {
        let names = Skippable::ALL.map(|(name, _)| format!("`{name}`")).join(", ");
        let message = format!("`{}` cannot be skipped; expected one of {names}", text.value);
        errors.push(Diagnostic::error(Code::BadValue, message).at(text.mark));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::kustomization::{Skippable, read};
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    #[test]
    fn entries_of_skip_have_transformers_and_a_target() {
        let read = |text: &str| read(&parse(text, SourceId::NONE).unwrap()[0]);
        let whole = "kfc.dev: {skip: [{transformers: [namePrefix, namespace], target: {kind: A}}]}";
        let skip = &read(whole).kustomization.extensions.skip[0];
        assert_eq!(skip.transformers, [Skippable::NamePrefix, Skippable::Namespace]);
        for wrong in [
            "kfc.dev: {skip: [{transformers: [images], target: {}}]}",
            "kfc.dev: {skip: [{transformers: [namespace]}]}",
            "kfc.dev: {skip: [{target: {}}]}",
            "kfc.dev: {other: true}",
        ] {
            assert_eq!(read(wrong).errors.0.len(), 1, "{wrong}");
        }
    }
}
