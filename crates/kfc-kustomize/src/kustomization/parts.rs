//! Reads the parts of a kustomization that plug-in configurations have as well.

use super::model::{
    ConfigMapArgs, FieldOptions, GeneratorOptions, HelmChart, HelmGlobals, Image, KvSources, Label, Patch,
    Replacement, ReplacementField, ReplacementSource, ReplacementTarget, Replica, SecretArgs, Var, VarTarget,
};
use crate::rules::Rule;
use crate::types::{Behavior, FieldSpec, Selector};
use kfc_diagnostics::{Code, Diagnostic, nearest};
use kfc_kube::Gvk;
use kfc_yaml::Node;
use kfc_yaml::fields::{Errors, Fields};

/// A field spec: `path`, `group`, `version`, `kind`, `create`.
pub(crate) fn field_spec(node: &Node, errors: &Errors) -> Option<FieldSpec> {
    let fields = Fields::of(node, "a field spec", errors)?;
    let spec = FieldSpec {
        gvk: fields.embedded(gvk),
        path: fields.string("path"),
        create: fields.boolean("create"),
    };
    fields.finish();
    Some(spec)
}

pub(crate) fn gvk(fields: &Fields<'_>) -> Gvk {
    Gvk { group: fields.string("group"), version: fields.string("version"), kind: fields.string("kind") }
}

fn selector_fields(fields: &Fields<'_>, node: &Node) -> Selector {
    Selector {
        gvk: fields.embedded(gvk),
        name: fields.embedded(|fields| fields.string("name")),
        namespace: fields.embedded(|fields| fields.string("namespace")),
        annotation_selector: fields.string("annotationSelector"),
        label_selector: fields.string("labelSelector"),
        mark: Some(node.mark),
    }
}

pub(super) fn selector(node: &Node, errors: &Errors) -> Option<Selector> {
    let fields = Fields::of(node, "a target", errors)?;
    let selector = selector_fields(&fields, node);
    fields.finish();
    Some(selector)
}

pub(super) fn patch(node: &Node, errors: &Errors) -> Option<Patch> {
    let fields = Fields::of(node, "a patch", errors)?;
    let patch = patch_fields(&fields, node, errors);
    fields.finish();
    Some(patch)
}

/// The fields of a patch; plug-ins have further fields.
pub(super) fn patch_fields(fields: &Fields<'_>, node: &Node, errors: &Errors) -> Patch {
    let mut patch = Patch {
        path: fields.spanned("path").filter(|path| !path.value.is_empty()),
        patch: fields.spanned("patch").filter(|patch| !patch.value.is_empty()),
        target: fields.node("target").and_then(|target| selector(target, errors)),
        mark: Some(node.mark),
        ..Patch::default()
    };
    if let Some(options) = fields.nested("options", "the options of a patch") {
        patch.allow_name_change = options.boolean("allowNameChange");
        patch.allow_kind_change = options.boolean("allowKindChange");
        options.finish();
    }
    patch
}

pub(super) fn label(node: &Node, errors: &Errors) -> Option<Label> {
    let fields = Fields::of(node, "an entry of `labels`", errors)?;
    let label = Label {
        pairs: fields.pairs("pairs"),
        include_selectors: fields.boolean("includeSelectors"),
        include_templates: fields.boolean("includeTemplates"),
        include_claim_templates: Rule::ClaimTemplatesOnRequest.holds()
            && fields.boolean("includeVolumeClaimTemplates"),
        fields: fields.list("fields", |item| field_spec(item, errors)),
        places: fields.key_places("pairs"),
        mark: Some(node.mark),
    };
    fields.finish();
    Some(label)
}

pub(super) fn image(node: &Node, errors: &Errors) -> Option<Image> {
    let fields = Fields::of(node, "an image", errors)?;
    let image = Image {
        name: fields.string("name"),
        new_name: fields.string("newName"),
        new_tag: fields.string("newTag"),
        tag_suffix: fields.string("tagSuffix"),
        digest: fields.string("digest"),
        mark: Some(node.mark),
        change_mark: ["newTag", "digest", "newName", "tagSuffix"].iter().find_map(|name| fields.place(name)),
    };
    fields.finish();
    Some(image)
}

pub(super) fn replica(node: &Node, errors: &Errors) -> Option<Replica> {
    let fields = Fields::of(node, "an entry of `replicas`", errors)?;
    let replica = Replica {
        name: fields.string("name"),
        count: fields.integer("count"),
        mark: Some(node.mark),
        count_mark: fields.place("count"),
    };
    fields.finish();
    Some(replica)
}

pub(super) fn generator_options(fields: &Fields<'_>, name: &'static str) -> Option<GeneratorOptions> {
    let fields = fields.nested(name, "the options of a generator")?;
    let options = GeneratorOptions {
        labels: fields.pairs("labels"),
        annotations: fields.pairs("annotations"),
        disable_name_suffix_hash: fields.boolean("disableNameSuffixHash"),
        immutable: fields.boolean("immutable"),
    };
    fields.finish();
    Some(options)
}

/// What config maps and secrets share. With `plugin`, the name may come from `metadata`.
pub(super) fn generator_fields(fields: &Fields<'_>, node: &Node, errors: &Errors) -> ConfigMapArgs {
    let mut envs = fields.strings("envs");
    envs.extend(fields.spanned("env").filter(|env| !env.value.is_empty()));
    ConfigMapArgs {
        namespace: fields.string("namespace"),
        name: fields.string("name"),
        behavior: behavior(fields, errors),
        sources: KvSources { literals: fields.strings("literals"), files: fields.strings("files"), envs },
        options: generator_options(fields, "options"),
        mark: Some(node.mark),
    }
}

/// kustomize takes every unknown word for "not said"; here it is an error.
fn behavior(fields: &Fields<'_>, errors: &Errors) -> Behavior {
    let words = ["create", "replace", "merge"];
    let Some(word) = fields.spanned("behavior") else { return Behavior::Unspecified };
    match word.value.as_str() {
        "create" => Behavior::Create,
        "replace" => Behavior::Replace,
        "merge" => Behavior::Merge,
        "" | "unspecified" => Behavior::Unspecified,
        other => {
            let warning =
                Diagnostic::warning(Code::BadValue, format!("unknown behavior `{other}` counts as `create`"));
            let help = nearest(other, words).map_or_else(
                || "use `create`, `replace` or `merge`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            errors.push(warning.at(word.mark).help(help));
            Behavior::Unspecified
        }
    }
}

pub(super) fn config_map(node: &Node, errors: &Errors) -> Option<ConfigMapArgs> {
    let fields = Fields::of(node, "a config map generator", errors)?;
    let args = generator_fields(&fields, node, errors);
    fields.finish();
    Some(args)
}

pub(super) fn secret(node: &Node, errors: &Errors) -> Option<SecretArgs> {
    let fields = Fields::of(node, "a secret generator", errors)?;
    let args =
        SecretArgs { common: generator_fields(&fields, node, errors), secret_type: fields.string("type") };
    fields.finish();
    Some(args)
}

pub(super) fn var(node: &Node, errors: &Errors) -> Option<Var> {
    let fields = Fields::of(node, "a variable", errors)?;
    let mut var = Var { name: fields.string("name"), mark: Some(node.mark), ..Var::default() };
    if let Some(target) = fields.nested("objref", "the `objref` of a variable") {
        var.target = VarTarget {
            api_version: target.string("apiVersion"),
            kind: target.string("kind"),
            name: target.string("name"),
            namespace: target.string("namespace"),
        };
        for (group, version) in [(target.string("group"), target.string("version"))] {
            if var.target.api_version.is_empty() {
                var.target.api_version = Gvk { group, version, kind: String::new() }.api_version();
            }
        }
        target.finish();
    }
    if let Some(field) = fields.nested("fieldref", "the `fieldref` of a variable") {
        var.field_path = field.string("fieldpath");
        field.finish();
    }
    fields.finish();
    if var.field_path.is_empty() {
        "metadata.name".clone_into(&mut var.field_path);
    }
    Some(var)
}

/// An entry of `replacements`: a path or an inline one.
pub(super) fn replacement_field(node: &Node, errors: &Errors) -> Option<ReplacementField> {
    if let Some(path) =
        Fields::of(node, "a replacement", errors)?.spanned("path").filter(|p| !p.value.is_empty())
    {
        return Some(ReplacementField::File(path));
    }
    replacement(node, errors).map(|inline| ReplacementField::Inline(Box::new(inline)))
}

pub(super) fn replacement(node: &Node, errors: &Errors) -> Option<Replacement> {
    let fields = Fields::of(node, "a replacement", errors)?;
    fields.node("path");
    let replacement = Replacement {
        source: fields.node("source").and_then(|source| replacement_source(source, errors)),
        source_value: fields.spanned("sourceValue"),
        targets: fields.list("targets", |target| replacement_target(target, errors)),
        mark: Some(node.mark),
    };
    fields.finish();
    Some(replacement)
}

fn replacement_source(node: &Node, errors: &Errors) -> Option<ReplacementSource> {
    let fields = Fields::of(node, "the source of a replacement", errors)?;
    let source = ReplacementSource {
        resource: selector_fields(&fields, node),
        field_path: fields.string("fieldPath"),
        options: field_options(&fields),
        mark: Some(node.mark),
    };
    fields.finish();
    Some(source)
}

fn replacement_target(node: &Node, errors: &Errors) -> Option<ReplacementTarget> {
    let fields = Fields::of(node, "a target of a replacement", errors)?;
    let target = ReplacementTarget {
        select: fields.node("select").and_then(|select| selector(select, errors)),
        reject: fields.list("reject", |reject| selector(reject, errors)),
        field_paths: fields.strings("fieldPaths"),
        options: field_options(&fields),
        mark: Some(node.mark),
    };
    fields.finish();
    Some(target)
}

fn field_options(fields: &Fields<'_>) -> FieldOptions {
    let Some(fields) = fields.nested("options", "the options of a replacement") else {
        return FieldOptions::default();
    };
    let options = FieldOptions {
        delimiter: fields.string("delimiter"),
        index: fields.integer("index"),
        encoding: fields.string("encoding"),
        create: fields.boolean("create"),
    };
    fields.finish();
    options
}

pub(super) fn helm_chart(node: &Node, errors: &Errors) -> Option<HelmChart> {
    let fields = Fields::of(node, "a chart", errors)?;
    let chart = helm_chart_fields(&fields, node);
    fields.finish();
    Some(chart)
}

pub(super) fn helm_chart_fields(fields: &Fields<'_>, node: &Node) -> HelmChart {
    let texts = |name| fields.strings(name).into_iter().map(|item| item.value).collect();
    HelmChart {
        name: fields.string("name"),
        version: fields.string("version"),
        repo: fields.string("repo"),
        release_name: fields.string("releaseName"),
        namespace: fields.string("namespace"),
        values_file: fields.string("valuesFile"),
        additional_values_files: texts("additionalValuesFiles"),
        values_inline: fields.node("valuesInline").cloned(),
        values_merge: fields.string("valuesMerge"),
        include_crds: fields.boolean("includeCRDs"),
        skip_hooks: fields.boolean("skipHooks"),
        api_versions: texts("apiVersions"),
        kube_version: fields.string("kubeVersion"),
        name_template: fields.string("nameTemplate"),
        skip_tests: fields.boolean("skipTests"),
        debug: fields.boolean("debug"),
        devel: fields.boolean("devel"),
        mark: Some(node.mark),
    }
}

/// One entry of the older `helmChartInflationGenerator`.
pub(super) fn old_helm_chart(node: &Node, errors: &Errors) -> Option<(HelmChart, HelmGlobals)> {
    let fields = Fields::of(node, "a chart", errors)?;
    let chart = HelmChart {
        name: fields.string("chartName"),
        version: fields.string("chartVersion"),
        repo: fields.string("chartRepoUrl"),
        release_name: fields.string("releaseName"),
        namespace: fields.string("releaseNamespace"),
        values_file: fields.string("values"),
        values_inline: fields.node("valuesLocal").cloned(),
        values_merge: fields.string("valuesMerge"),
        mark: Some(node.mark),
        ..HelmChart::default()
    };
    let globals =
        HelmGlobals { chart_home: fields.string("chartHome"), config_home: fields.string("helmHome") };
    for ignored in ["chartRepoName", "helmBin", "extraArgs"] {
        fields.node(ignored);
    }
    fields.finish();
    Some((chart, globals))
}

pub(super) fn helm_globals(fields: &Fields<'_>) -> HelmGlobals {
    let Some(fields) = fields.nested("helmGlobals", "`helmGlobals`") else { return HelmGlobals::default() };
    let globals =
        HelmGlobals { chart_home: fields.string("chartHome"), config_home: fields.string("configHome") };
    fields.finish();
    globals
}
