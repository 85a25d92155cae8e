//! Flags that change a stack or profile.

use super::EnvironmentArgs;
use clap::Args;
use std::path::PathBuf;

/// What changes a stack from the command line.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct StackArgs {
    #[command(flatten)]
    pub(in crate::cli) environments: EnvironmentArgs,
    /// Components instead of those of the stack or profile; what they require is included.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(in crate::cli) components: Vec<String>,
    /// Components to leave out.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(in crate::cli) without: Vec<String>,
    /// Components that the cluster already has: they are not in the bundle, but their capabilities count.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(in crate::cli) present: Vec<String>,
    /// A file of values for parameters, by name, and for facts, below `facts`. Of several files, later ones replace values of earlier
    /// ones, and `--set` those of all.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) values: Vec<PathBuf>,
    /// Sets a parameter (`domain=…`, `pipelines.storageClass=…`) or a fact (`facts.storage.class=…`).
    #[arg(long, value_name = "NAME=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// Build components from this release of upstream's manifests instead of the bases of the catalogue: a name of `kfc catalog
    /// list`, or a directory that `kfc catalog fetch` wrote. With `catalog`, those bases even where the stack names a release.
    #[arg(long, value_name = "NAME|DIR")]
    pub(in crate::cli) release: Option<String>,
    /// Directories of catalogues that extend the built-in one.
    #[arg(long = "catalog", alias = "catalogue", value_name = "DIR")]
    pub(in crate::cli) catalogue: Vec<PathBuf>,
    /// Use only the catalogues that are named, not the built-in one.
    #[arg(long)]
    pub(in crate::cli) no_builtin: bool,
}

impl StackArgs {
    /// Whether nothing is changed.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.components.is_empty()
            && self.without.is_empty()
            && self.present.is_empty()
            && self.values.is_empty()
            && self.set.is_empty()
            && self.release.is_none()
            && self.catalogue.is_empty()
            && !self.no_builtin
    }

    /// The flags that say the same, a word each; `shown` gives a setting as it may be shown.
    pub(in crate::cli) fn words(&self, shown: impl Fn(&str) -> String) -> Vec<String> {
        let listed = |flag: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("--{flag}={}", names.join(",")))
        };
        let mut words: Vec<String> = listed("components", &self.components).into_iter().collect();
        words.extend(listed("without", &self.without));
        words.extend(listed("present", &self.present));
        words.extend(self.values.iter().map(|file| format!("--values={}", file.display())));
        words.extend(self.release.iter().map(|release| format!("--release={release}")));
        words.extend(self.catalogue.iter().map(|folder| format!("--catalog={}", folder.display())));
        words.extend(self.no_builtin.then(|| "--no-builtin".to_owned()));
        words.extend(self.set.iter().map(|setting| format!("--set={}", shown(setting))));
        words
    }
}
