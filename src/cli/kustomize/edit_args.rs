//! The arguments of `kustomize edit`, under the names that kustomize gives them.

use clap::{Args, Subcommand};
use kfc_kustomize::edit::generator::GeneratorEntry;
use kfc_kustomize::edit::patch::PatchEntry;

/// `kustomize edit …`.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one value in a run")]
pub(in crate::cli) enum EditCommand {
    #[command(flatten)]
    Change(ChangeCommand),
    /// List the plug-ins that are built in.
    #[command(name = "alpha-list-builtin-plugin", alias = "list-builtin-plugin")]
    ListBuiltinPlugins,
}

/// What changes the kustomization file.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ChangeCommand {
    /// Add to the kustomization file of this directory.
    Add {
        #[command(subcommand)]
        what: AddCommand,
    },
    /// Set values in the kustomization file of this directory.
    Set {
        #[command(subcommand)]
        what: SetCommand,
    },
    /// Remove from the kustomization file of this directory.
    Remove {
        #[command(subcommand)]
        what: RemoveCommand,
    },
    /// Move the values of deprecated fields to the fields that replace them.
    Fix {
        /// Turn `vars` into `replacements`, also in the files that use them.
        #[arg(long)]
        vars: bool,
    },
}

/// `kustomize edit add …`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AddCommand {
    /// Add annotations to all resources.
    Annotation(AddPairs),
    /// Add a directory to `resources`.
    Base(Paths),
    /// Add options of `buildMetadata`.
    Buildmetadata(Names),
    /// Add kustomize components.
    Component(Paths),
    /// Add a config map, or sources to an existing one.
    Configmap(GeneratorArgs),
    /// Add files that configure generators.
    Generator(Paths),
    /// Add labels to all resources.
    Label(AddLabels),
    /// Add a patch.
    Patch(PatchArgs),
    /// Add files and directories to `resources`.
    Resource(Paths),
    /// Add a secret, or sources to an existing one.
    Secret(SecretArgs),
    /// Add files that configure transformers.
    Transformer(Paths),
}

/// `kustomize edit set …`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SetCommand {
    /// Set annotations of all resources.
    Annotation(Pairs),
    /// Set the options of `buildMetadata`.
    Buildmetadata(Names),
    /// Set literals of a config map.
    Configmap(SetGenerator),
    /// Set new names, tags and digests of images.
    Image(Texts),
    /// Set labels of all resources.
    Label(SetLabels),
    /// Set the prefix of names.
    Nameprefix(Text),
    /// Set the suffix of names.
    Namesuffix(Text),
    /// Set the namespace of all resources.
    Namespace(Text),
    /// Set the number of replicas.
    Replicas(Texts),
    /// Set literals of a secret.
    Secret(SetGenerator),
}

/// `kustomize edit remove …`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RemoveCommand {
    /// Remove annotations by their keys.
    Annotation(Keys),
    /// Remove options of `buildMetadata`.
    Buildmetadata(Names),
    /// Remove kustomize components.
    Component(Texts),
    /// Remove config maps.
    Configmap(RemoveGenerator),
    /// Remove files that configure generators.
    Generator(Texts),
    /// Remove labels by their keys.
    Label(Keys),
    /// Remove a patch.
    Patch(PatchArgs),
    /// Remove files and directories from `resources`.
    Resource(Texts),
    /// Remove secrets.
    Secret(RemoveGenerator),
    /// Remove files that configure transformers.
    Transformer(Texts),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Texts {
    /// One or more.
    #[arg(required = true)]
    pub(super) texts: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Names {
    /// Names, separated by commas.
    #[arg(required = true, value_delimiter = ',')]
    pub(super) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Text {
    /// The value.
    #[arg(allow_hyphen_values = true)]
    pub(super) text: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Paths {
    /// Files, directories, patterns (`*.yaml`) or URLs.
    #[arg(required = true)]
    pub(super) paths: Vec<String>,
    /// Do not check whether they exist.
    #[arg(long)]
    pub(super) no_verify: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Pairs {
    /// `key:value,key:value`.
    #[arg(required = true)]
    pub(super) pairs: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AddPairs {
    /// `key:value,key:value`.
    #[arg(required = true)]
    pub(super) pairs: Vec<String>,
    /// Overwrite existing ones.
    #[arg(short, long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SetLabels {
    /// `key:value,key:value`.
    #[arg(required = true)]
    pub(super) pairs: Vec<String>,
    /// Leave selectors alone.
    #[arg(short = 'w', long)]
    pub(super) without_selector: bool,
    /// Label pod templates too.
    #[arg(short = 't', long, requires = "without_selector")]
    pub(super) include_templates: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AddLabels {
    #[command(flatten)]
    pub(super) labels: SetLabels,
    /// Overwrite existing ones.
    #[arg(short, long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Keys {
    /// Keys, separated by commas.
    #[arg(required = true, value_delimiter = ',')]
    pub(super) keys: Vec<String>,
    /// Ignore those that do not exist.
    #[arg(short, long)]
    pub(super) ignore_non_existence: bool,
}

/// Where the data of a config map or secret comes from.
#[derive(Debug, Args)]
pub(in crate::cli) struct SourceArgs {
    /// `key=value`.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) from_literal: Vec<String>,
    /// A file, under its own name or another key.
    #[arg(long, value_name = "[KEY=]FILE", value_delimiter = ',')]
    pub(super) from_file: Vec<String>,
    /// A file of `key=value` lines.
    #[arg(long, value_name = "FILE")]
    pub(super) from_env_file: Option<String>,
    /// Its namespace.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) namespace: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct GeneratorArgs {
    /// Its name.
    pub(super) name: String,
    #[command(flatten)]
    pub(super) sources: SourceArgs,
    /// What to do with an existing one: create, merge or replace.
    #[arg(long, default_value = "", hide_default_value = true, value_parser = ["", "create", "merge", "replace"])]
    pub(super) behavior: String,
    /// Leave out the hash of the content.
    #[arg(long = "disableNameSuffixHash", alias = "disable-name-suffix-hash")]
    pub(super) disable_name_suffix_hash: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SecretArgs {
    #[command(flatten)]
    pub(super) common: GeneratorArgs,
    /// The type of the secret.
    #[arg(long, default_value = "Opaque")]
    pub(super) r#type: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SetGenerator {
    /// Its name.
    pub(super) name: String,
    /// `key=value`.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) from_literal: Vec<String>,
    /// Its namespace.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) namespace: String,
    /// The namespace it gets.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) new_namespace: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RemoveGenerator {
    /// Names, separated by commas.
    #[arg(required = true, value_delimiter = ',')]
    pub(super) names: Vec<String>,
    /// Their namespace.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) namespace: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PatchArgs {
    /// The file.
    #[arg(long, default_value = "", hide_default_value = true)]
    path: String,
    /// The text.
    #[arg(long, default_value = "", hide_default_value = true)]
    patch: String,
    /// The group of its targets.
    #[arg(long, default_value = "", hide_default_value = true)]
    group: String,
    /// The version of its targets.
    #[arg(long, default_value = "", hide_default_value = true)]
    version: String,
    /// The kind of its targets.
    #[arg(long, default_value = "", hide_default_value = true)]
    kind: String,
    /// The name of its targets.
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// The namespace of its targets.
    #[arg(long, default_value = "", hide_default_value = true)]
    namespace: String,
    /// Selects targets by their annotations.
    #[arg(long, default_value = "", hide_default_value = true)]
    annotation_selector: String,
    /// Selects targets by their labels.
    #[arg(long, default_value = "", hide_default_value = true)]
    label_selector: String,
    /// The patch may change names.
    #[arg(long)]
    allow_name_change: bool,
    /// The patch may change kinds.
    #[arg(long)]
    allow_kind_change: bool,
}

impl PatchArgs {
    /// The entry of `patches`.
    pub(super) fn entry(&self) -> PatchEntry {
        let options =
            [("allowNameChange", self.allow_name_change), ("allowKindChange", self.allow_kind_change)];
        PatchEntry {
            path: self.path.clone(),
            patch: self.patch.clone(),
            target: [
                ("group", self.group.clone()),
                ("version", self.version.clone()),
                ("kind", self.kind.clone()),
                ("name", self.name.clone()),
                ("namespace", self.namespace.clone()),
                ("annotationSelector", self.annotation_selector.clone()),
                ("labelSelector", self.label_selector.clone()),
            ],
            options: options.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect(),
        }
    }
}

impl GeneratorArgs {
    /// The entry of a generator.
    pub(super) fn entry(&self) -> GeneratorEntry {
        let SourceArgs { from_literal, from_file, from_env_file, namespace } = &self.sources;
        GeneratorEntry {
            name: self.name.clone(),
            namespace: namespace.clone(),
            literals: from_literal.clone(),
            files: from_file.clone(),
            env_files: from_env_file.iter().cloned().collect(),
            behavior: self.behavior.clone(),
            secret_type: String::new(),
            disable_name_suffix_hash: self.disable_name_suffix_hash,
        }
    }
}

impl SetGenerator {
    /// The entry of a generator.
    pub(super) fn entry(&self) -> GeneratorEntry {
        GeneratorEntry {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            literals: self.from_literal.clone(),
            ..GeneratorEntry::default()
        }
    }
}
