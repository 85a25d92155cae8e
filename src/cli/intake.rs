//! What is to be applied or deleted, as waves of resources, and the name of its inventory.

use super::args::{InventoryArgs, StackArgs, inventory_name};
use super::here;
use super::name::dns_name;
use super::output;
use super::targets::{
    Loaded, Resolved, Target, is_bundle_file, load, resources_of_file, resources_of_text, standard_input,
};
use kfc_catalogue::assemble::{self, Assembled};
use kfc_catalogue::resolve::{Plan, Planned};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources, nearest};
use kfc_kube::ObjectId;
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::{ReadyRule, annotated_in};
use kfc_kube::schema::Schema;
use kfc_kube::wave::{self, Wave};
use kfc_kustomize::resource::{Resource, objects};
use kfc_source::LoadRestrictor;
use kfc_validate::readiness::Conditions;
use std::collections::HashMap;
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
        let options = here::builds().restricted(restrictor);
        Ok(match load(&Target::of(target), stack, &options, texts)? {
            Loaded::Root(bundle) => {
                let directory = path.canonicalize().unwrap_or_default();
                Self::Resources { hint: name_of(directory.file_name()), resources: bundle.resources.list }
            }
            Loaded::Stack(resolved) => Self::Planned { name: resolved.plan.name.clone(), resolved },
        })
    }

    /// Its waves; those of some components when these are named.
    pub(super) fn waves(&self, namespace: &str, only: &[String]) -> Result<Vec<Wave>> {
        match self {
            Self::Planned { resolved, .. } => {
                let assembled = resolved.assemble(false)?;
                let known = assemble::known_credentials(&resolved.plan, &assembled.bundle.resources.list)?;
                output::report(&known, &Sources::default());
                let mut waves = assemble::schedule(&resolved.plan, &assembled, namespace)?;
                if !only.is_empty() {
                    let owners = owners(&resolved.plan, &assembled, namespace);
                    check_names(&resolved.plan, only)?;
                    let is_meant = |object: &ObjectId| {
                        owners.get(object).is_some_and(|owner| only.iter().any(|name| name == owner))
                    };
                    for wave in &mut waves {
                        wave.items.retain(|item| is_meant(&item.object));
                        wave.hooks.retain(|hook| is_meant(&hook.item.object));
                        wave.awaited.retain(is_meant);
                    }
                    waves.retain(|wave| wave.objects().next().is_some());
                }
                Ok(waves)
            }
            Self::Resources { .. } if !only.is_empty() => {
                let message = "`--only` needs a profile or a stack: these resources have no components";
                Err(Diagnostic::error(Code::Usage, message).into())
            }
            Self::Resources { resources, .. } => wave::of_bundle(&objects(resources), namespace),
        }
    }

    /// The component of each object, of a profile or stack.
    pub(super) fn components(&self, namespace: &str) -> Result<HashMap<ObjectId, String>> {
        match self {
            Self::Planned { resolved, .. } => {
                Ok(owners(&resolved.plan, &resolved.assemble(false)?, namespace))
            }
            Self::Resources { .. } => Ok(HashMap::new()),
        }
    }

    /// The fields that it leaves to others.
    pub(super) fn ignore(&self) -> &[IgnoreRule] {
        match self {
            Self::Planned { resolved, .. } => &resolved.plan.ignore,
            Self::Resources { .. } => &[],
        }
    }

    /// When objects are ready, as a stack declares it.
    fn ready(&self) -> &[ReadyRule] {
        match self {
            Self::Planned { resolved, .. } => &resolved.plan.ready,
            Self::Resources { .. } => &[],
        }
    }

    /// The conditions of readiness of its waves.
    ///
    /// # Errors
    /// Those that cannot be run.
    pub(super) fn conditions(&self, waves: &[Wave]) -> Result<Arc<Conditions>> {
        Conditions::compile(self.ready(), &annotated_in(waves)).map(Arc::new)
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

/// The component of each object.
fn owners(plan: &Plan, assembled: &Assembled, namespace: &str) -> HashMap<ObjectId, String> {
    let resources = assembled.bundle.resources.list.iter();
    resources
        .filter_map(|resource| {
            let planned = plan.components.get(usize::try_from(resource.owner?).ok()?)?;
            Some((ObjectId::of(resource, namespace), planned.name().to_owned()))
        })
        .collect()
}

fn check_names(plan: &Plan, only: &[String]) -> Result<()> {
    let names = || plan.components.iter().map(Planned::name);
    let mut errors = Diagnostics::default();
    for wrong in only.iter().filter(|name| !names().any(|known| known == name.as_str())) {
        let message = format!("the component `{wrong}` is not in the plan");
        let error = Diagnostic::error(Code::Usage, message);
        errors.push(match nearest(wrong, names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        });
    }
    errors.into_result(())
}
