//! What is to be applied or deleted, as waves of resources, and the name of its inventory.

use super::apply_run::RunBundle;
use super::args::{InventoryArgs, StackArgs, inventory_name};
use super::first_login::FirstLogin;
use super::here;
use super::name::dns_name;
use super::output;
use super::targets::{
    Loaded, Resolved, Target, can_be_built, is_bundle_file, load, resolve_stack, resources_in,
    resources_of_file, resources_of_text, standard_input,
};
use super::trace::step;
use kfc_catalogue::assemble::{self, Assembled, PlannedRecipe};
use kfc_catalogue::catalogue::Stack;
use kfc_catalogue::resolve::{Plan, Planned};
use kfc_cluster::apply::RevisionSource;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Foreign, Result, Sources, nearest};
use kfc_kube::ObjectId;
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::{ReadyRule, annotated_in};
use kfc_kube::redaction::came_from_secret;
use kfc_kube::schema::Schema;
use kfc_kube::secret::SecretRecipe;
use kfc_kube::wave::{self, Wave};
use kfc_kustomize::engine::Options;
use kfc_kustomize::resource::{Resource, objects};
use kfc_source::{FunctionOptions, LoadRestrictor, Loader};
use kfc_validate::readiness::Conditions;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

/// What a root may read and run.
#[derive(Default)]
pub(super) struct IntakeReads {
    /// Which files.
    pub(super) restrictor: LoadRestrictor,
    /// Which functions and plug-ins.
    pub(super) functions: FunctionOptions,
}

impl IntakeReads {
    fn options(self) -> Options {
        let mut options = here::builds().restricted(self.restrictor);
        options.functions = self.functions;
        // Only origins tell which values came out of Secrets.
        options.keep_origins = true;
        options
    }
}

/// What is to be applied, and the name that it has.
pub(super) enum Intake {
    /// A stack or profile.
    Planned { name: String, resolved: Box<Resolved> },
    /// Any set of resources.
    Resources { hint: String, resources: Vec<Resource> },
}

/// The waves of what is to be applied.
struct Scheduled {
    waves: Vec<Wave>,
    /// The objects with values that came out of Secrets.
    secret: HashSet<ObjectId>,
    /// The Secrets that are made when they do not exist.
    recipes: Vec<SecretRecipe>,
}

impl Intake {
    /// Reads a target: a profile, a stack, a kustomization root, a file of resources, or `-` for standard input.
    pub(super) fn read(
        target: &str,
        stack: &StackArgs,
        reads: IntakeReads,
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
        if path.is_dir() && !can_be_built(path) && matches!(Target::of(target), Target::Root(_)) {
            let directory = path.canonicalize().unwrap_or_default();
            let resources = resources_in(path, &schema, texts)?;
            return Ok(Self::Resources { hint: name_of(directory.file_name()), resources });
        }
        let options = reads.options();
        let loaded = step(|| format!("read {target}"), || load(&Target::of(target), stack, &options, texts));
        Ok(match loaded? {
            Loaded::Root(bundle) => {
                let directory = path.canonicalize().unwrap_or_default();
                Self::Resources { hint: name_of(directory.file_name()), resources: bundle.resources.list }
            }
            Loaded::Stack(resolved) => Self::Planned { name: resolved.plan.name.clone(), resolved },
        })
    }

    /// As [`Intake::read`], of a stack that no file has. Its inventory is called `platform`, whatever the cluster becomes.
    pub(super) fn of_stack(
        found: Stack,
        stack: &StackArgs,
        reads: IntakeReads,
        texts: &Arc<Sources>,
    ) -> Result<Self> {
        let loader = Loader::here(reads.options().reads(), texts);
        let resolved = resolve_stack(loader, found, None, stack, texts)?;
        Ok(Self::Planned { name: "platform".to_owned(), resolved: Box::new(resolved) })
    }

    /// How users come into it, if it has a login.
    pub(super) fn first_login(&self) -> Option<FirstLogin> {
        match self {
            Self::Planned { resolved, .. } => FirstLogin::of(&resolved.plan),
            Self::Resources { .. } => None,
        }
    }

    /// Its waves; those of some components when these are named.
    pub(super) fn waves(&self, namespace: &str, only: &[String]) -> Result<Vec<Wave>> {
        self.scheduled(namespace, only, false).map(|scheduled| scheduled.waves)
    }

    /// What a run applies of it.
    pub(super) fn bundle(&self, namespace: &str, source: RevisionSource) -> Result<RunBundle> {
        let Scheduled { waves, secret, recipes } = self.scheduled(namespace, &source.only, true)?;
        Ok(RunBundle {
            waves,
            ignore: self.ignore().to_vec(),
            released: self.released(),
            recipes,
            ready: self.ready().to_vec(),
            secret,
            source,
            restored: None,
        })
    }

    /// Its waves, with what belongs to them; only origins tell which values came out of Secrets.
    fn scheduled(&self, namespace: &str, only: &[String], keep_origins: bool) -> Result<Scheduled> {
        match self {
            Self::Planned { resolved, .. } => {
                let assembled = resolved.assemble(keep_origins)?;
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
                let secret = with_secrets(&assembled.bundle.resources.list, namespace);
                let is_due = |planned: &PlannedRecipe| only.is_empty() || only.contains(&planned.component);
                let recipes = assembled.recipes.into_iter().filter(is_due).map(|planned| planned.recipe);
                Ok(Scheduled { waves, secret, recipes: recipes.collect() })
            }
            Self::Resources { .. } if !only.is_empty() => {
                let message = "`--only` needs a profile or a stack: these resources have no components";
                Err(Diagnostic::error(Code::Usage, message).into())
            }
            Self::Resources { resources, .. } => {
                let waves = wave::of_bundle(&objects(resources), namespace)?;
                let secret = with_secrets(resources, namespace);
                Ok(Scheduled { waves, secret, recipes: Vec::new() })
            }
        }
    }

    /// The Secrets whose values come from elsewhere.
    fn released(&self) -> Vec<ObjectId> {
        match self {
            Self::Planned { resolved, .. } => assemble::secrets_of_others(&resolved.plan),
            Self::Resources { .. } => Vec::new(),
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

    /// What it was made from, as a revision shows it.
    pub(super) fn source(&self, target: &str, stack: &StackArgs, only: &[String]) -> RevisionSource {
        let target = if target == "-" { "standard input" } else { target };
        let (arguments, components) = match self {
            Self::Planned { resolved, .. } => {
                let planned = resolved.plan.components.iter().filter(|planned| !planned.present);
                let components = planned.map(|planned| planned.name().to_owned()).collect();
                (stack.words(|setting| resolved.shown_setting(setting)), components)
            }
            // They have no parameters to set.
            Self::Resources { .. } => {
                (StackArgs { set: Vec::new(), ..stack.clone() }.words(str::to_owned), Vec::new())
            }
        };
        let shown = |text: &String| Foreign::new(text.as_str()).message();
        RevisionSource {
            target: Foreign::new(target).message(),
            arguments: arguments.iter().map(shown).collect(),
            only: only.to_vec(),
            components,
        }
    }

    /// The conditions of readiness of its waves.
    ///
    /// # Errors
    /// Those that cannot be run.
    pub(super) fn conditions(&self, waves: &[Wave]) -> Result<Arc<Conditions>> {
        conditions(self.ready(), waves)
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

/// The conditions of readiness of some rules and of waves.
///
/// # Errors
/// Those that cannot be run.
pub(super) fn conditions(ready: &[ReadyRule], waves: &[Wave]) -> Result<Arc<Conditions>> {
    Conditions::compile(ready, &annotated_in(waves)).map(Arc::new)
}

/// The objects with values that came out of Secrets.
fn with_secrets(resources: &[Resource], namespace: &str) -> HashSet<ObjectId> {
    let secret = resources.iter().filter(|resource| came_from_secret(*resource));
    secret.map(|resource| ObjectId::of(resource, namespace)).collect()
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
