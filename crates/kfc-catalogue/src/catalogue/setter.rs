//! `set`: puts the values of parameters and facts into resources: into their trees, never into YAML text.

use kfc_diagnostics::{Code, Diagnostic, Mark};
use kfc_kube::GroupVersion;
use kfc_kustomize::reference::field_path::split_replacement;
use kfc_kustomize::resource::Resource;
use kfc_yaml::Node;
use kfc_yaml::fields::{Errors, Fields, Spanned};

/// Puts the value of an expression at a path of the resources that it selects.
#[derive(Clone, Debug)]
pub struct Setter {
    /// API group of the resources; any when not given.
    pub group: Option<String>,
    /// API version of the resources; any when empty.
    pub version: String,
    /// Kind of the resources; any when empty.
    pub kind: String,
    /// Name of the resources; any when empty.
    pub name: String,
    /// Namespace of the resources; any when empty.
    pub namespace: String,
    /// A field path: only resources that have the field are selected.
    pub has: Option<Spanned>,
    /// The field whose text, YAML or JSON, `path` leads into; the resource itself when not given.
    pub inside: Option<Spanned>,
    /// Whether it may select nothing.
    pub optional: bool,
    /// A path as in replacements: dots, `[name=x]` for items of a list, `*` for all of them.
    pub path: Spanned,
    /// A condition: without it, or when it is true, the value is set.
    pub when: Option<Spanned>,
    /// The value: an expression in `{{ }}`, text with such expressions, or any YAML.
    pub value: Node,
    /// The location of the setter.
    pub mark: Mark,
}

impl Setter {
    /// Whether the setter selects a resource.
    #[must_use]
    pub fn selects(&self, resource: &Resource) -> bool {
        let GroupVersion { group, version } = resource.group_version();
        let fits = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        self.group.as_deref().is_none_or(|wanted| wanted == group)
            && fits(&self.version, version)
            && fits(&self.kind, resource.kind())
            && fits(&self.name, resource.name())
            && fits(&self.namespace, resource.namespace())
            && self.has.as_ref().is_none_or(|field| has(resource, &field.text))
    }
}

fn has(resource: &Resource, field: &str) -> bool {
    let steps = split_replacement(field);
    let names: Vec<&str> = steps.iter().map(String::as_str).collect();
    resource.node.at(&names).is_some()
}

pub(super) fn read(node: &Node, errors: &Errors) -> Option<Setter> {
    let fields = Fields::of(node, "a setter", errors)?;
    let select = fields.nested("select", "`select`");
    if select.is_none() && fields.node("select").is_none() {
        let error = Diagnostic::error(Code::MissingField, "a setter needs `select`").at(node.mark);
        errors.push(
            error.help("name the kind and name of the resource: `select: {kind: Deployment, name: x}`"),
        );
    }
    let text = |name| select.as_ref().map(|select| select.string(name)).unwrap_or_default();
    let setter = Setter {
        group: select.as_ref().and_then(|select| select.spanned("group")).map(|group| group.text),
        version: text("version"),
        kind: text("kind"),
        name: text("name"),
        namespace: text("namespace"),
        has: select.as_ref().and_then(|select| select.spanned("has")),
        inside: fields.spanned("inside"),
        optional: fields.boolean("optional"),
        path: fields.required("path"),
        when: fields.spanned("when"),
        value: fields.node("value").cloned().unwrap_or_else(|| Node::null(node.mark)),
        mark: node.mark,
    };
    if fields.node("value").is_none() {
        errors.push(Diagnostic::error(Code::MissingField, "a setter needs `value`").at(node.mark));
    }
    if let Some(select) = select {
        select.finish();
    }
    fields.finish();
    Some(setter)
}
