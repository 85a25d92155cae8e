//! Configurations of kustomize's built-in generators and transformers, as `generators`, `transformers` and `validators`
//! list them: resources with `apiVersion: builtin`.

use super::model::{
    ConfigMapArgs, HelmChart, HelmGlobals, Image, Patch, ReplacementField, Replica, SecretArgs,
};
use super::parts;
use crate::types::{FieldSpec, IamPolicyArgs, NamespaceRules, Subjects, ValueAddArgs, ValueAddTarget};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use kfc_yaml::fields::{Errors, Fields};
use kfc_yaml::{Node, Spanned};

/// The apiVersion of built-in plug-ins.
const BUILTIN: &str = "builtin";

/// A plug-in with its configuration. `fields` are the fields that a transformer changes.
#[expect(missing_docs, reason = "plain data, named as in kustomize")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Plugin {
    /// `AnnotationsTransformer`.
    Annotations { annotations: Vec<(String, String)>, fields: Vec<FieldSpec> },
    /// `LabelTransformer`.
    Labels { labels: Vec<(String, String)>, fields: Vec<FieldSpec> },
    /// `NamespaceTransformer`.
    Namespace { namespace: String, fields: Vec<FieldSpec>, rules: NamespaceRules },
    /// `PrefixTransformer`.
    Prefix { prefix: String, fields: Vec<FieldSpec> },
    /// `SuffixTransformer`.
    Suffix { suffix: String, fields: Vec<FieldSpec> },
    /// `PrefixSuffixTransformer`.
    PrefixSuffix { prefix: String, suffix: String, fields: Vec<FieldSpec> },
    /// `ImageTagTransformer`.
    Image { image: Image, fields: Vec<FieldSpec> },
    /// `ReplicaCountTransformer`.
    Replicas { replica: Replica, fields: Vec<FieldSpec> },
    /// `PatchTransformer` or `PatchJson6902Transformer`.
    Patch(Patch),
    /// `PatchStrategicMergeTransformer`: paths and inline patches.
    PatchStrategicMerge(Vec<Spanned<String>>),
    /// `ReplacementTransformer`.
    Replacements(Vec<ReplacementField>),
    /// `HashTransformer`.
    Hash,
    /// `ValueAddTransformer`.
    ValueAdd(ValueAddArgs),
    /// `ConfigMapGenerator`.
    ConfigMap(ConfigMapArgs),
    /// `SecretGenerator`.
    Secret(SecretArgs),
    /// `HelmChartInflationGenerator`.
    HelmChart(Box<HelmChart>, HelmGlobals),
    /// `IAMPolicyGenerator`.
    IamPolicy(IamPolicyArgs),
}

/// The kinds of built-in plug-ins.
pub const PLUGIN_KINDS: [&str; 18] = [
    "AnnotationsTransformer",
    "ConfigMapGenerator",
    "HashTransformer",
    "HelmChartInflationGenerator",
    "IAMPolicyGenerator",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "SecretGenerator",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// Whether a configuration is for a built-in plug-in; annotations of functions do not count then, as in kustomize.
#[must_use]
pub fn is_builtin(config: &Node) -> bool {
    config.get("apiVersion").and_then(Node::as_text) == Some(BUILTIN)
}

/// Reads a configuration. Unknown fields are only warnings: kustomize ignores them.
///
/// # Errors
/// [`Code::Plugin`] for a kind that is not a built-in plug-in, else the errors of its fields.
pub fn read(config: &Node) -> Result<(Plugin, Diagnostics)> {
    let text = |key: &str| config.get(key).and_then(Node::as_text).unwrap_or("");
    if !is_builtin(config) {
        return Err(external(config).into());
    }
    let errors = Errors::plugin();
    let plugin = Fields::of(config, "this configuration", &errors).and_then(|fields| {
        let plugin = of_kind(text("kind"), &fields, config, &errors);
        for name in ["apiVersion", "kind", "metadata"] {
            fields.node(name);
        }
        match &plugin {
            Some(_) => fields.finish(),
            None => errors.push(unknown(config, text("kind"))),
        }
        plugin
    });
    let (errors, warnings) = errors.split();
    match plugin {
        Some(plugin) => errors.into_result((plugin, warnings)),
        None => Err(errors),
    }
}

fn of_kind(kind: &str, fields: &Fields<'_>, config: &Node, errors: &Errors) -> Option<Plugin> {
    let specs = || fields.list("fieldSpecs", |item| parts::field_spec(item, errors));
    let required_specs = |specs: Vec<FieldSpec>| {
        if fields.node("fieldSpecs").is_none() {
            let error = Diagnostic::error(Code::MissingField, format!("a {kind} needs `fieldSpecs`"));
            errors.push(
                error.at(config.mark).help("list the fields to change, such as `- path: metadata/name`"),
            );
        }
        specs
    };
    Some(match kind {
        "AnnotationsTransformer" => {
            Plugin::Annotations { annotations: fields.pairs("annotations"), fields: specs() }
        }
        "LabelTransformer" => Plugin::Labels { labels: fields.pairs("labels"), fields: specs() },
        "NamespaceTransformer" => namespace(fields, config, errors, specs()),
        "PrefixTransformer" => {
            Plugin::Prefix { prefix: fields.string("prefix"), fields: required_specs(specs()) }
        }
        "SuffixTransformer" => {
            Plugin::Suffix { suffix: fields.string("suffix"), fields: required_specs(specs()) }
        }
        "PrefixSuffixTransformer" => Plugin::PrefixSuffix {
            prefix: fields.string("prefix"),
            suffix: fields.string("suffix"),
            fields: specs(),
        },
        "ImageTagTransformer" => {
            let image =
                fields.node("imageTag").and_then(|image| parts::image(image, errors)).unwrap_or_default();
            Plugin::Image { image, fields: specs() }
        }
        "ReplicaCountTransformer" => {
            let replica =
                fields.node("replica").and_then(|item| parts::replica(item, errors)).unwrap_or_default();
            Plugin::Replicas { replica, fields: specs() }
        }
        "PatchTransformer" => Plugin::Patch(parts::patch_fields(fields, config, errors)),
        "PatchJson6902Transformer" => Plugin::Patch(json_patch(fields, config, errors)),
        "PatchStrategicMergeTransformer" => Plugin::PatchStrategicMerge(strategic_patches(fields)),
        "ReplacementTransformer" => {
            Plugin::Replacements(fields.list("replacements", |item| parts::replacement_field(item, errors)))
        }
        "HashTransformer" => Plugin::Hash,
        "ValueAddTransformer" => Plugin::ValueAdd(value_add(fields, errors)),
        _ => return generator(kind, fields, config, errors),
    })
}

fn generator(kind: &str, fields: &Fields<'_>, config: &Node, errors: &Errors) -> Option<Plugin> {
    Some(match kind {
        "ConfigMapGenerator" => {
            let args = fields.embedded(|fields| parts::generator_fields(fields, config, errors));
            Plugin::ConfigMap(named(args, config))
        }
        "SecretGenerator" => Plugin::Secret(SecretArgs {
            common: named(fields.embedded(|fields| parts::generator_fields(fields, config, errors)), config),
            secret_type: fields.string("type"),
        }),
        "HelmChartInflationGenerator" => {
            let globals = parts::helm_globals(fields);
            let own = fields.embedded(|fields| HelmGlobals {
                chart_home: fields.string("chartHome"),
                config_home: fields.string("configHome"),
            });
            let globals = if own == HelmGlobals::default() { globals } else { own };
            let chart = fields.embedded(|fields| parts::helm_chart_fields(fields, config));
            Plugin::HelmChart(Box::new(chart), globals)
        }
        "IAMPolicyGenerator" => Plugin::IamPolicy(iam_policy(fields)),
        _ => return None,
    })
}

/// A generator's resource takes name and namespace of the configuration's metadata where it has none of its own.
fn named(mut args: ConfigMapArgs, config: &Node) -> ConfigMapArgs {
    let metadata = |key: &str| config.at(&["metadata", key]).and_then(Node::as_text).unwrap_or("").to_owned();
    if args.name.is_empty() {
        args.name = metadata("name");
    }
    if args.namespace.is_empty() {
        args.namespace = metadata("namespace");
    }
    args
}

fn namespace(fields: &Fields<'_>, config: &Node, errors: &Errors, specs: Vec<FieldSpec>) -> Plugin {
    let namespace = config.at(&["metadata", "namespace"]).and_then(Node::as_text).unwrap_or("");
    let subjects = match fields.spanned("setRoleBindingSubjects") {
        None => Subjects::default(),
        Some(word) => match word.value.as_str() {
            "" | "defaultOnly" => Subjects::DefaultOnly,
            "allServiceAccounts" => Subjects::AllServiceAccounts,
            "none" => Subjects::None,
            other => {
                let error =
                    Diagnostic::error(Code::BadValue, format!("`{other}` is not a choice of subjects"));
                let error = error.at(word.mark).help("use `defaultOnly`, `allServiceAccounts` or `none`");
                errors.push(error);
                Subjects::default()
            }
        },
    };
    Plugin::Namespace {
        namespace: namespace.to_owned(),
        fields: specs,
        rules: NamespaceRules { subjects, unset_only: fields.boolean("unsetOnly") },
    }
}

fn json_patch(fields: &Fields<'_>, config: &Node, errors: &Errors) -> Patch {
    let json = fields.spanned("jsonOp").filter(|json| !json.value.is_empty());
    let patch = parts::patch_fields(fields, config, errors);
    Patch { patch: patch.patch.clone().or(json), ..patch }
}

/// `paths` lists files; `patches` holds inline documents as text.
fn strategic_patches(fields: &Fields<'_>) -> Vec<Spanned<String>> {
    let mut patches = fields.strings("paths");
    patches.extend(fields.spanned("patches").filter(|inline| !inline.value.is_empty()));
    patches
}

fn value_add(fields: &Fields<'_>, errors: &Errors) -> ValueAddArgs {
    ValueAddArgs {
        value: fields.string("value").trim().to_owned(),
        target_file_path: fields.spanned("targetFilePath").filter(|path| !path.value.is_empty()),
        targets: value_add_targets(fields, errors),
    }
}

/// Reads a file that `targetFilePath` of a `ValueAddTransformer` names.
///
/// # Errors
/// Wrong types. Unknown fields are warnings, which are returned.
pub fn read_value_add_targets(document: &Node) -> Result<(Vec<ValueAddTarget>, Diagnostics)> {
    let errors = Errors::replacements();
    let fields = Fields::of(document, "a file of targets", &errors);
    let targets = fields.map(|fields| {
        let targets = value_add_targets(&fields, &errors);
        fields.finish();
        targets
    });
    let (errors, warnings) = errors.split();
    errors.into_result((targets.unwrap_or_default(), warnings))
}

fn value_add_targets(fields: &Fields<'_>, errors: &Errors) -> Vec<ValueAddTarget> {
    fields.list("targets", |item| {
        let target = Fields::of(item, "a target", errors)?;
        let selector =
            target.node("selector").and_then(|node| parts::selector(node, errors)).unwrap_or_default();
        let field_path = target.string("fieldPath");
        let file_path_position = target.integer("filePathPosition");
        target.node("notSelector");
        target.finish();
        Some(ValueAddTarget { selector, field_path, file_path_position })
    })
}

fn iam_policy(fields: &Fields<'_>) -> IamPolicyArgs {
    let mut args = IamPolicyArgs {
        cloud: fields.string("cloud"),
        project_id: fields.string("projectId"),
        ..IamPolicyArgs::default()
    };
    if let Some(account) = fields.nested("kubernetesService", "the Kubernetes service account") {
        args.kubernetes_namespace = account.string("namespace");
        args.kubernetes_name = account.string("name");
        account.finish();
    }
    if let Some(account) = fields.nested("serviceAccount", "the service account") {
        args.account_name = account.string("name");
        args.account_project = account.string("projectId");
        account.finish();
    }
    args
}

/// The error for a configuration that is not for a built-in plug-in, where none else may run.
pub(crate) fn external(config: &Node) -> Diagnostic {
    let kind = config.get("kind").and_then(Node::as_text).unwrap_or("");
    let error =
        Diagnostic::error(Code::Plugin, format!("`{kind}` is not a built-in generator or transformer"))
            .at(config.get("apiVersion").map_or(config.mark, |node| node.mark));
    match nearest(kind, PLUGIN_KINDS) {
        Some(near) => error.help(format!("for the built-in {near}, set `apiVersion: {BUILTIN}`")),
        None => error.help("add `--enable-alpha-plugins` to let kfc run external plug-ins"),
    }
}

fn unknown(config: &Node, kind: &str) -> Diagnostic {
    let error = Diagnostic::error(Code::Plugin, format!("there is not a built-in plug-in `{kind}`"))
        .at(config.get("kind").map_or(config.mark, |node| node.mark));
    if matches!(kind, "LegacyOrderTransformer" | "SortOrderTransformer") {
        return error.help("set `sortOptions` of the kustomization to order the output");
    }
    match nearest(kind, PLUGIN_KINDS) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("the built-in ones are {}", PLUGIN_KINDS.join(", "))),
    }
}
