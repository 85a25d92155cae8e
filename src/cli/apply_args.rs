//! The arguments of `kfc apply` and `kfc plan`.

use super::args::{
    CascadeFlag, ClusterArgs, FunctionArgs, HowArgs, InventoryArgs, LockArgs, NamedArgs, NamespaceArgs,
    RestrictorFlag, SeveralArgs, StackArgs,
};
use clap::{Args, ValueEnum as _};
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
pub(super) struct ApplyArgs {
    /// A profile (`gke+gpu`), a `kfc.yaml` or its directory, a kustomization root, a file of resources, or `-` for
    /// resources on standard input; or a plan that `kfc plan` saved.
    #[arg(default_value = ".", value_name = "TARGET|FILE|-", conflicts_with_all = ["filename", "kustomize"])]
    pub(super) target: String,
    /// Detect the profile of the cluster and apply it instead of a target, in the inventory `platform`.
    #[arg(long, conflicts_with_all = ["target", "filename", "kustomize", "environment", "clusters"])]
    pub(super) detect: bool,
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    pub(super) namespace: NamespaceArgs,
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
    #[command(flatten)]
    pub(super) several: SeveralArgs,
    #[command(flatten)]
    pub(super) how: HowArgs,
    /// Whether files outside of a kustomization root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    pub(super) load_restrictor: RestrictorFlag,
    #[command(flatten)]
    pub(super) functions: FunctionArgs,
}

impl ApplyArgs {
    /// These arguments with the target that a flag of kubectl names.
    pub(super) fn settled(mut self) -> Self {
        if let Some(target) = self.named.target() {
            target.clone_into(&mut self.target);
        }
        self
    }

    /// The names of the parameters that are set.
    pub(super) fn set_names(&self) -> Vec<String> {
        let name = |text: &String| text.split('=').next().unwrap_or_default().to_owned();
        self.stack.set.iter().map(name).collect()
    }

    /// These arguments with the parameters of others, and with the programs that may run: a saved plan enables none.
    pub(super) fn with_parameters(mut self, given: &Self) -> Self {
        self.stack.set.clone_from(&given.stack.set);
        self.functions = given.functions.clone();
        self
    }
}

/// The arguments as words, without parameters.
pub(super) fn words(args: &ApplyArgs) -> Vec<String> {
    let mut words = Vec::new();
    let mut flag = |name: &str, is_set: bool| words.extend(is_set.then(|| format!("--{name}")));
    flag("detect", args.detect);
    flag("no-builtin", args.stack.no_builtin);
    flag("force-conflicts", args.how.force_conflicts);
    flag("adopt", args.how.adopt);
    flag("recreate", args.how.recreate);
    flag("no-wait", args.how.no_wait);
    flag("run-hooks", args.how.run_hooks);
    flag("prune", args.how.prune);
    flag("prune-most", args.how.prune_most);
    flag("no-prune", args.how.no_prune);
    flag("keep-going", args.several.keep_going);
    let kinds = args.how.kinds.kinds();
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
    value("values", &texts(&args.stack.values));
    value("catalog", &texts(&args.stack.catalogue));
    value("kubeconfig", &texts(args.cluster.kubeconfig.as_slice()));
    value("context", args.cluster.context.as_slice());
    value("namespace", args.namespace.namespace.as_slice());
    value("name", args.inventory.name.as_slice());
    value("inventory-namespace", std::slice::from_ref(&args.inventory.inventory_namespace));
    value("recreate-object", &args.how.recreate_object.iter().map(ToString::to_string).collect::<Vec<_>>());
    let restrictor = args.load_restrictor.to_possible_value();
    value("load-restrictor", &restrictor.iter().map(|value| value.get_name().to_owned()).collect::<Vec<_>>());
    value("timeout", &[format!("{}s", args.how.timeout.as_secs())]);
    value(
        "cascade",
        &[if args.how.cascade == CascadeFlag::Orphan { "orphan" } else { "foreground" }.to_owned()],
    );
    value("keep-revisions", &[args.how.keep_revisions.to_string()]);
    if !args.detect {
        words.push("--".to_owned());
        words.push(args.target.clone());
    }
    words
}
