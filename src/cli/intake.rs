//! What is to be applied or deleted, as waves of resources, and the name of its inventory.

use super::args::{InventoryArgs, StackArgs, inventory_name};
use super::here;
use super::name::dns_name;
use super::output;
use super::targets::{
    Loaded, Resolved, Target, is_bundle_file, load, resources_of_file, resources_of_text, standard_input,
};
use kfc_catalogue::assemble;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::schema::Schema;
use kfc_kube::wave::{self, Wave};
use kfc_kustomize::engine::Options;
use kfc_kustomize::resource::{Resource, objects};
use kfc_source::LoadRestrictor;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

/// What is to be applied, and the name that it has.
pub(super) enum Intake {
    /// A stack or profile.
    Planned { name: String, resolved: Box<Resolved> },
    /// Any set of resources.
    Resources { hint: String, resources: Vec<Resource> },
}

impl Intake {
    /// Reads a target: a profile, a stack, a kustomization root, a file of resources, or `-` for standard input.
    pub(super) fn read(
        target: &str,
        stack: &StackArgs,
        restrictor: LoadRestrictor,
        texts: &Arc<Sources>,
    ) -> Result<Self> {
        let schema = Schema::builtin();
        let name_of = |name: Option<&OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
        if target == "-" {
            let resources = resources_of_text("standard input", standard_input()?, &schema, texts)?;
            return Ok(Self::Resources { hint: "my-app".to_owned(), resources });
        }
        let path = Path::new(target);
        if is_bundle_file(path) {
            let resources = resources_of_file(path, &schema, texts)?;
            return Ok(Self::Resources { hint: name_of(path.file_stem()), resources });
        }
        let options = Options { restrictor, ..here::builds() };
        Ok(match load(&Target::of(target), stack, &options, texts)? {
            Loaded::Root(bundle) => {
                let directory = path.canonicalize().unwrap_or_default();
                Self::Resources { hint: name_of(directory.file_name()), resources: bundle.resources.list }
            }
            Loaded::Stack(resolved) => Self::Planned { name: resolved.plan.name.clone(), resolved },
        })
    }

    /// Its waves.
    pub(super) fn waves(&self, namespace: &str) -> Result<Vec<Wave>> {
        match self {
            Self::Planned { resolved, .. } => {
                let assembled = resolved.assemble(false)?;
                let known = assemble::known_credentials(&resolved.plan, &assembled.bundle.resources.list)?;
                output::report(&known, &Sources::default());
                assemble::schedule(&resolved.plan, &assembled, namespace)
            }
            Self::Resources { resources, .. } => wave::of_bundle(&objects(resources), namespace),
        }
    }

    /// The fields that it leaves to others.
    pub(super) fn ignore(&self) -> &[IgnoreRule] {
        match self {
            Self::Planned { resolved, .. } => &resolved.plan.ignore,
            Self::Resources { .. } => &[],
        }
    }

    /// The name of its inventory. Resources without a stack have none: two directories of one name would prune each other's
    /// resources.
    pub(super) fn name(&self, args: &InventoryArgs) -> Result<String> {
        match (&args.name, self) {
            (Some(name), _) => inventory_name(name),
            (None, Self::Planned { name, .. }) => Ok(dns_name(name)),
            (None, Self::Resources { hint, .. }) => {
                let message = "these resources have no stack, so their inventory has no name";
                let help = format!("pass a name that is the same in every run: `--name {}`", dns_name(hint));
                Err(Diagnostic::error(Code::Usage, message).help(help).into())
            }
        }
    }
}
