//! `ignore`: fields of objects that are left to others.

use kfc_diagnostics::{Code, Diagnostic};
use kfc_kube::ignore::{FieldPattern, IgnoreRule};
use kfc_yaml::Node;
use kfc_yaml::fields::{Errors, Fields, Spanned};

pub(super) fn read(node: &Node, errors: &Errors) -> Option<IgnoreRule> {
    let entry = Fields::of(node, "an entry of `ignore`", errors)?;
    let text = |spanned: Spanned| spanned.text;
    let field = |written: Spanned| match FieldPattern::read(&written.text) {
        Ok(field) => Some(field),
        Err(why) => {
            let help = "write it as kfc prints paths: `spec.template.spec.containers[name=web].image`, `metadata.labels['a.b/c']`";
            errors.push(Diagnostic::error(Code::BadValue, why).at(written.mark).help(help));
            None
        }
    };
    let rule = IgnoreRule {
        group: entry.spanned("group").map(text),
        kind: entry.string("kind"),
        namespace: entry.string("namespace"),
        name: entry.string("name"),
        fields: entry.strings("fields").into_iter().filter_map(field).collect(),
        managers: entry.strings("managers").into_iter().map(text).collect(),
    };
    if entry.node("fields").is_none() && entry.node("managers").is_none() {
        let error =
            Diagnostic::error(Code::MissingField, "an entry of `ignore` needs `fields` or `managers`");
        errors.push(
            error.at(node.mark).help("`fields` are left to anybody, or to the field managers of `managers`"),
        );
    }
    entry.finish();
    Some(rule)
}
