//! The arguments of `kfc apply` and `kfc plan`.

use super::args::{ClusterArgs, InventoryArgs, KindArgs, LockArgs, StackArgs, duration};
use clap::{Args, ValueEnum};
use kfc_cluster::apply::{Cascade, InventoryId, Recreate, Settings};
use kfc_kube::ObjectId;
use kfc_kube::ignore::IgnoreRule;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DryRun {
    /// Ask the server what would happen; nothing is written.
    Server,
    /// Print the waves without asking a server.
    Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CascadeFlag {
    /// They are deleted first.
    Foreground,
    /// They stay.
    Orphan,
}

impl From<CascadeFlag> for Cascade {
    fn from(flag: CascadeFlag) -> Self {
        match flag {
            CascadeFlag::Foreground => Self::Foreground,
            CascadeFlag::Orphan => Self::Orphan,
        }
    }
}

#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct ApplyArgs {
    /// A profile (`gke+gpu`), a `kfc.yaml` or its directory, a kustomization root, a file of resources, or `-` for
    /// resources on standard input; or a plan that `kfc plan` saved.
    #[arg(default_value = ".", value_name = "TARGET|FILE|-")]
    pub(super) target: String,
    #[command(flatten)]
    pub(super) stack: StackArgs,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
    #[command(flatten)]
    pub(super) inventory: InventoryArgs,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    /// Apply only these components of the profile or stack; the rest stays as it is.
    #[arg(long, value_name = "COMPONENT,…", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// With several contexts in `--context`, go on with the next cluster after a failure.
    #[arg(long)]
    pub(super) keep_going: bool,
    /// Take over fields that have other owners.
    #[arg(long)]
    pub(super) force_conflicts: bool,
    /// Take over objects of the bundle that other inventories list, or that existed before: from then on only this
    /// inventory lists them.
    #[arg(long)]
    pub(super) adopt: bool,
    /// Delete objects whose immutable fields change, and create them again; not namespaces, CRDs, PVCs and PVs.
    #[arg(long)]
    pub(super) recreate: bool,
    /// The same for one object of any kind, named as kfc prints it: `Job shop/migrate`.
    #[arg(long, value_name = "KIND NAME")]
    pub(super) recreate_object: Vec<ObjectId>,
    /// What becomes of the pods of a Deployment that is recreated, and of all that an object owns.
    #[arg(long, value_name = "HOW", value_enum, default_value = "foreground")]
    pub(super) cascade: CascadeFlag,
    /// How long a wave may take.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(super) timeout: Duration,
    /// Wait only for what the next wave cannot be sent without, not until everything is ready.
    #[arg(long)]
    pub(super) no_wait: bool,
    /// Run the hooks of the bundle also when it changes nothing.
    #[arg(long)]
    pub(super) run_hooks: bool,
    /// Only report what would happen.
    #[arg(long, value_name = "WHO", value_enum)]
    pub(super) dry_run: Option<DryRun>,
    /// Delete what left the bundle without asking.
    #[arg(long, conflicts_with = "no_prune")]
    pub(super) prune: bool,
    /// Agree to every question without asking.
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Delete what left the bundle even when that is most of what the inventory lists.
    #[arg(long, conflicts_with = "no_prune")]
    pub(super) prune_most: bool,
    /// Delete nothing that left the bundle, and do not ask.
    #[arg(long, conflicts_with_all = ["delete_all", "delete_namespaces", "delete_crds", "delete_pvcs", "delete_pvs"])]
    pub(super) no_prune: bool,
    #[command(flatten)]
    pub(super) kinds: KindArgs,
    /// Read files outside the kustomization root.
    #[arg(long, value_name = "WHICH", hide = true)]
    pub(super) load_restrictor: Option<String>,
}

impl ApplyArgs {
    /// The names of the parameters that are set.
    pub(super) fn set_names(&self) -> Vec<String> {
        let name = |text: &String| text.split('=').next().unwrap_or_default().to_owned();
        self.stack.set.iter().map(name).collect()
    }

    /// These arguments with the parameters of others.
    pub(super) fn with_parameters(mut self, given: &Self) -> Self {
        self.stack.set.clone_from(&given.stack.set);
        self
    }
}

/// The arguments as words, without parameters.
pub(super) fn words(args: &ApplyArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut flag = |name: &str, is_set: bool| words.extend(is_set.then(|| format!("--{name}")));
    flag("no-builtin", args.stack.no_builtin);
    flag("force-conflicts", args.force_conflicts);
    flag("adopt", args.adopt);
    flag("recreate", args.recreate);
    flag("no-wait", args.no_wait);
    flag("run-hooks", args.run_hooks);
    flag("prune", args.prune);
    flag("prune-most", args.prune_most);
    flag("no-prune", args.no_prune);
    flag("keep-going", args.keep_going);
    let kinds = args.kinds.kinds();
    flag("delete-namespaces", kinds.namespaces);
    flag("delete-crds", kinds.crds);
    flag("delete-pvcs", kinds.pvcs);
    flag("delete-pvs", kinds.pvs);
    let mut value = |name: &str, values: &[String]| {
        words.extend(values.iter().map(|value| format!("--{name}={value}")));
    };
    value("components", &args.stack.components);
    value("without", &args.stack.without);
    value("present", &args.stack.present);
    value("only", &args.only);
    let texts = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    value("catalog", &texts(&args.stack.catalogue));
    value("kubeconfig", &texts(args.cluster.kubeconfig.as_slice()));
    value("context", args.cluster.context.as_slice());
    value("name", args.inventory.name.as_slice());
    value("inventory-namespace", std::slice::from_ref(&args.inventory.inventory_namespace));
    value("recreate-object", &args.recreate_object.iter().map(ToString::to_string).collect::<Vec<_>>());
    value("load-restrictor", args.load_restrictor.as_slice());
    value("timeout", &[format!("{}s", args.timeout.as_secs())]);
    value("cascade", &[if args.cascade == CascadeFlag::Orphan { "orphan" } else { "foreground" }.to_owned()]);
    words.push("--".to_owned());
    words.push(args.target.clone());
    words
}

/// How the arguments have a bundle applied.
pub(super) fn settings(args: &ApplyArgs, id: &InventoryId, ignore: &[IgnoreRule]) -> Settings {
    Settings {
        inventory: id.clone(),
        force_conflicts: args.force_conflicts,
        adopt: args.adopt,
        timeout: args.timeout,
        wait: !args.no_wait,
        prune: false,
        kinds: args.kinds.kinds(),
        ignore: ignore.to_vec(),
        recreate: Recreate {
            all: args.recreate,
            named: args.recreate_object.clone(),
            cascade: args.cascade.into(),
        },
        partial: !args.only.is_empty(),
        run_hooks: args.run_hooks,
        dry_run: args.dry_run.is_some(),
    }
}
