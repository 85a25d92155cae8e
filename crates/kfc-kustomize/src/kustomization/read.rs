//! Reads a kustomization file.

use super::extension_fields::extensions;
use super::model::{
    HelmGlobals, Kind, Kustomization, LegacySortOptions, Order, Places, Replacement, SortOptions,
};
use super::parts;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_yaml::Node;
use kfc_yaml::fields::{Errors, Fields};

/// A kustomization with what is to be said about it.
#[derive(Debug, Default)]
pub struct Read {
    /// The fields.
    pub kustomization: Kustomization,
    /// Deprecated fields.
    pub warnings: Diagnostics,
    /// Every unknown field, wrong type and value that is not allowed. What is left can still be looked at, so that one
    /// run tells what is wrong with the files that it names, too.
    pub errors: Diagnostics,
}

/// Reads the document of a kustomization file.
#[must_use]
pub fn read(document: &Node) -> Read {
    let errors = Errors::kustomization();
    let mut kustomization = Kustomization::default();
    if let Some(fields) = Fields::of(document, "a kustomization", &errors) {
        kustomization.kind = kind(&fields, &errors);
        read_lists(&fields, &mut kustomization, &errors);
        read_transformations(&fields, &mut kustomization, &errors);
        read_generators(&fields, &mut kustomization, &errors);
        read_settings(&fields, &mut kustomization, &errors);
        kustomization.extensions = extensions(&fields, &errors);
        for name in ["apiVersion", "kind", "metadata"] {
            fields.node(name);
        }
        check_metadata(&fields);
        fields.finish();
    }
    let (errors, mut warnings) = errors.split();
    warnings.0.extend(deprecations(document));
    Read { kustomization, warnings, errors }
}

/// Reads a file of replacements: one, or a list of them. Unknown fields are no more than warnings.
///
/// # Errors
/// Wrong types and values.
pub fn read_replacement_file(document: &Node) -> Result<(Vec<Replacement>, Diagnostics)> {
    let errors = Errors::replacements();
    let items = document.as_seq().unwrap_or(std::slice::from_ref(document));
    let replacements = items.iter().filter_map(|item| parts::replacement(item, &errors)).collect();
    let (errors, warnings) = errors.split();
    errors.into_result((replacements, warnings))
}

fn kind(fields: &Fields<'_>, errors: &Errors) -> Kind {
    let kind = match fields.spanned("kind").map(|kind| (kind.value.as_str().to_owned(), kind.mark)) {
        None => Kind::Kustomization,
        Some((text, mark)) => match text.as_str() {
            "" | "Kustomization" => Kind::Kustomization,
            "Component" => Kind::Component,
            other => {
                let error =
                    Diagnostic::error(Code::BadValue, format!("`{other}` is not a kind of kustomization"));
                errors.push(error.at(mark).help("write `kind: Kustomization` or `kind: Component`"));
                Kind::Kustomization
            }
        },
    };
    let wanted = match kind {
        Kind::Kustomization => "kustomize.config.k8s.io/v1beta1",
        Kind::Component => "kustomize.config.k8s.io/v1alpha1",
    };
    if let Some(version) = fields.spanned("apiVersion").filter(|v| !v.value.is_empty() && v.value != wanted) {
        let error = Diagnostic::error(
            Code::BadValue,
            format!("`{}` is not the apiVersion of this kind", version.value),
        );
        errors.push(error.at(version.mark).help(format!("write `apiVersion: {wanted}`")));
    }
    kind
}

/// Whether a kustomization says no more than its kind. Of other fields, null and an empty string count as missing, but an empty
/// list or mapping does not: such a kustomization builds to nothing.
#[must_use]
pub fn is_empty(document: &Node) -> bool {
    let says_nothing =
        |value: &Node| value.is_null() || value.as_scalar().is_some_and(|scalar| scalar.text.is_empty());
    let is_head = |name: &str| ["apiVersion", "kind"].iter().any(|head| name.eq_ignore_ascii_case(head));
    let mut entries = document.as_map().into_iter().flatten();
    entries.all(|entry| is_head(&entry.key.text) || says_nothing(&entry.value))
}

/// The error for a kustomization file that says nothing.
#[must_use]
pub fn empty(mark: Mark) -> Diagnostic {
    let error = Diagnostic::error(Code::BadValue, "this kustomization file is empty");
    error.at(mark).help("list at least one file under `resources`")
}

fn check_metadata(fields: &Fields<'_>) {
    if let Some(metadata) = fields.nested("metadata", "the metadata of a kustomization") {
        for name in ["name", "namespace"] {
            metadata.string(name);
        }
        for name in ["labels", "annotations"] {
            metadata.pairs(name);
        }
        metadata.finish();
    }
}

fn read_lists(fields: &Fields<'_>, into: &mut Kustomization, errors: &Errors) {
    into.resources = fields.strings("resources");
    into.resources.extend(fields.strings("bases"));
    into.components = fields.strings("components");
    into.crds = fields.strings("crds");
    into.configurations = fields.strings("configurations");
    into.generators = fields.strings("generators");
    into.transformers = fields.strings("transformers");
    into.validators = fields.strings("validators");
    into.vars = fields.list("vars", |var| parts::var(var, errors));
    into.build_metadata = fields.strings("buildMetadata");
}

fn read_transformations(fields: &Fields<'_>, into: &mut Kustomization, errors: &Errors) {
    into.namespace = fields.string("namespace");
    into.name_prefix = fields.string("namePrefix");
    into.name_suffix = fields.string("nameSuffix");
    into.places = Places {
        namespace: fields.place("namespace"),
        name_prefix: fields.place("namePrefix"),
        name_suffix: fields.place("nameSuffix"),
        common_labels: fields.key_places("commonLabels"),
        common_annotations: fields.key_places("commonAnnotations"),
    };
    into.labels = fields.list("labels", |label| parts::label(label, errors));
    into.common_labels = fields.pairs("commonLabels");
    into.common_annotations = fields.pairs("commonAnnotations");
    into.patches = fields.list("patches", |patch| parts::patch(patch, errors));
    into.patches_strategic_merge = fields.strings("patchesStrategicMerge");
    into.patches_json6902 = fields.list("patchesJson6902", |patch| parts::patch(patch, errors));
    into.images = fields.list("images", |image| parts::image(image, errors));
    into.images.extend(fields.list("imageTags", |image| parts::image(image, errors)));
    into.replicas = fields.list("replicas", |replica| parts::replica(replica, errors));
    into.replacements = fields.list("replacements", |item| parts::replacement_field(item, errors));
}

fn read_generators(fields: &Fields<'_>, into: &mut Kustomization, errors: &Errors) {
    into.config_maps = fields.list("configMapGenerator", |args| parts::config_map(args, errors));
    into.secrets = fields.list("secretGenerator", |args| parts::secret(args, errors));
    into.generator_options = parts::generator_options(fields, "generatorOptions");
    into.helm_globals = parts::helm_globals(fields);
    into.helm_charts = fields.list("helmCharts", |chart| parts::helm_chart(chart, errors));
    for (chart, globals) in
        fields.list("helmChartInflationGenerator", |chart| parts::old_helm_chart(chart, errors))
    {
        if into.helm_globals == HelmGlobals::default() {
            into.helm_globals = globals;
        }
        into.helm_charts.push(chart);
    }
}

fn read_settings(fields: &Fields<'_>, into: &mut Kustomization, errors: &Errors) {
    if let Some(openapi) = fields.nested("openapi", "`openapi`") {
        into.openapi_path = openapi.spanned("path");
        into.openapi_version = openapi.spanned("version");
        check_openapi_version(into, errors);
    }
    into.sort_options = fields.nested("sortOptions", "`sortOptions`").map(|options| {
        let order = options.spanned("order");
        let legacy_options = options.nested("legacySortOptions", "`legacySortOptions`").map(|legacy| {
            let texts = |name| legacy.strings(name).into_iter().map(|item| item.value).collect();
            let options =
                LegacySortOptions { order_first: texts("orderFirst"), order_last: texts("orderLast") };
            legacy.finish();
            options
        });
        let order = match order.as_ref().map(|order| order.value.as_str()) {
            Some("legacy") => Order::Legacy,
            Some("fifo") => Order::Fifo,
            _ => Order::Unknown,
        };
        options.finish();
        SortOptions { order, legacy_options, mark: fields.place("sortOptions") }
    });
}

/// The one OpenAPI version that kustomize 5.8.1 has built in.
const OPENAPI_VERSION: &str = "v1.21.2";

fn check_openapi_version(kustomization: &Kustomization, errors: &Errors) {
    let Some(version) =
        kustomization.openapi_version.as_ref().filter(|version| version.value != OPENAPI_VERSION)
    else {
        return;
    };
    let error =
        Diagnostic::error(Code::BadValue, format!("OpenAPI version `{}` is not built in", version.value));
    errors
        .push(error.at(version.mark).help(format!("use `{OPENAPI_VERSION}`, or give a schema with `path`")));
}

/// A warning for each deprecated field, in kustomize's sense.
fn deprecations(document: &Node) -> Vec<Diagnostic> {
    const REPLACED: [(&str, &str); 7] = [
        ("bases", "resources"),
        ("commonLabels", "labels"),
        ("imageTags", "images"),
        ("patchesJson6902", "patches"),
        ("patchesStrategicMerge", "patches"),
        ("vars", "replacements"),
        ("helmChartInflationGenerator", "helmCharts"),
    ];
    let entries = document.as_map().into_iter().flatten();
    let replaced = |name: &str| REPLACED.iter().find(|(old, _)| name.eq_ignore_ascii_case(old));
    entries
        .filter_map(|entry| {
            let (old, new) = replaced(&entry.key.text)?;
            let warning = Diagnostic::warning(Code::Deprecated, format!("`{old}` is deprecated"));
            Some(warning.at(entry.key.mark).help(format!("use `{new}`")))
        })
        .collect()
}
