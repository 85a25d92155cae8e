//! Annotations that steer how Argo CD syncs a resource.
//! <https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/>, `sync-waves/`

use kfc_diagnostics::{Code, Diagnostic, Mark, Result, nearest};
use kfc_kube::hook::{HOOK_ANNOTATION, Hook, HookEnd, Moment};
use kfc_kube::wave::hook_of;
use kfc_kustomize::provenance::{Step, StepKind};
use kfc_kustomize::resource::Resource;
use kfc_yaml::emit;
use std::collections::HashSet;

const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
const HOOK: &str = "argocd.argoproj.io/hook";
const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Argo CD reads the hooks of charts, too.
const HELM_HOOK: &str = "helm.sh/hook";
/// The annotation that keeps a resource in the cluster under `kfc apply` and `kfc delete`.
const KEEP: &str = "kfc.dev/prune";

const NO_PRUNE: &str = "Prune=false";
const IGNORE_EXTRANEOUS: &str = "IgnoreExtraneous";

/// Bytes of YAML from which a resource is applied on the server's side. Client-side apply keeps a copy of it in an
/// annotation, and all annotations of an object have at most 262,144 bytes; the copy is JSON, which escapes quotes.
const LARGE: usize = 128 * 1024;

/// Which annotations are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// The wave of each resource.
    pub waves: bool,
    /// Jobs as hooks, which Argo CD recreates at each sync.
    pub hooks: bool,
    /// Sync options, for resources that fail to sync or are lost without them.
    pub options: bool,
}

impl Annotations {
    /// All of them.
    pub const ALL: Self = Self { waves: true, hooks: true, options: true };
    /// Their names.
    const NAMES: [&'static str; 3] = ["waves", "hooks", "options"];

    /// Reads names: `waves`, `hooks`, `options`, or `all` and `none` alone.
    ///
    /// # Errors
    /// Other names, with the location that `mark` returns.
    pub fn named<S: AsRef<str>>(names: &[S], mark: impl Into<Option<Mark>>) -> Result<Self> {
        let mut chosen = Self::default();
        for name in names {
            match name.as_ref().trim() {
                "waves" => chosen.waves = true,
                "hooks" => chosen.hooks = true,
                "options" => chosen.options = true,
                "all" if names.len() == 1 => chosen = Self::ALL,
                "none" if names.len() == 1 => {}
                other => return Err(unknown(other, mark.into()).into()),
            }
        }
        Ok(chosen)
    }

    /// The chosen names.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let chosen = [self.waves, self.hooks, self.options];
        Self::NAMES
            .into_iter()
            .zip(chosen)
            .filter(|(_, is_chosen)| *is_chosen)
            .map(|(name, _)| name)
            .collect()
    }
}

fn unknown(name: &str, mark: Option<Mark>) -> Diagnostic {
    let message = format!("`{name}` is not one of Argo CD's annotations");
    let error = Diagnostic::error(Code::PluginParameter, message).at(mark);
    match nearest(name, Annotations::NAMES) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("expected waves, hooks and options; or all, or none"),
    }
}

/// Annotates resources; `waves` has the wave of each, where there are any. Existing sync options of a resource stay.
pub fn annotate(resources: &mut [Resource], waves: Option<&[usize]>, which: Annotations) {
    let defined = defined_kinds(resources);
    let waves = waves.filter(|_| which.waves).unwrap_or_default();
    let last = waves.iter().max().copied().unwrap_or_default();
    let mut wave_of = waves.iter().copied();
    for resource in resources {
        let mut wanted: Vec<(&str, String)> = Vec::new();
        let wave = wave_of.next().map(|wave| if is_autoscaler(resource) { last } else { wave });
        wanted.extend(wave.map(|wave| (SYNC_WAVE, wave.to_string())));
        let is_hook =
            is_job(resource) && [HOOK, HELM_HOOK].iter().all(|name| annotation(resource, name).is_none());
        let own =
            hook_of(resource).ok().flatten().filter(|_| annotation(resource, HOOK_ANNOTATION).is_some());
        match own {
            Some(hook) if which.hooks && annotation(resource, HOOK).is_none() => {
                wanted.push((HOOK, hook_words(&hook)));
                wanted.push((HOOK_DELETE_POLICY, delete_words(&hook)));
                if hook.weight != 0 {
                    wanted.retain(|(name, _)| *name != SYNC_WAVE);
                    wanted.push((SYNC_WAVE, hook.weight.to_string()));
                }
            }
            None if which.hooks && is_hook => {
                wanted.push((HOOK, "Sync".to_owned()));
                wanted.push((HOOK_DELETE_POLICY, "BeforeHookCreation".to_owned()));
            }
            _ => {}
        }
        if which.options {
            let options = options(resource, &defined);
            let all = options.as_deref().or_else(|| annotation(resource, SYNC_OPTIONS)).unwrap_or_default();
            if all.split(',').any(|option| option.trim() == NO_PRUNE) {
                wanted.push((COMPARE_OPTIONS, compare_options(resource)));
            }
            wanted.extend(options.map(|options| (SYNC_OPTIONS, options)));
        }
        if wanted.is_empty() {
            continue;
        }
        write(resource, &wanted);
    }
}

/// The phases of a hook of ours. Argo CD has none before a deletion in every version: such a hook alone is not applied.
fn hook_words(hook: &Hook) -> String {
    let phase = |(moment, _): &(Moment, _)| match moment {
        Moment::PreApply => Some("PreSync"),
        Moment::PostApply => Some("PostSync"),
        Moment::PostDelete => Some("PostDelete"),
        Moment::PreDelete => None,
    };
    let phases: Vec<&str> = hook.moments.iter().filter_map(phase).collect();
    if phases.is_empty() { "Skip".to_owned() } else { phases.join(",") }
}

/// When the object of a hook of ours is deleted.
fn delete_words(hook: &Hook) -> String {
    let ends = hook.deleted_after.iter().map(|end| match end {
        HookEnd::Succeeded => "HookSucceeded",
        HookEnd::Failed => "HookFailed",
    });
    ["BeforeHookCreation"].into_iter().chain(ends).collect::<Vec<_>>().join(",")
}

fn write(resource: &mut Resource, wanted: &[(&str, String)]) {
    let mut object = resource.edit(&Step::new(StepKind::BuildMetadata, None));
    for (name, value) in wanted {
        object.set_annotation(name, value);
    }
}

/// The sync options of a resource, existing ones first; `None` when it needs none.
fn options(resource: &Resource, defined: &HashSet<(String, String)>) -> Option<String> {
    let is_definition = resource.kind() == "CustomResourceDefinition";
    let mut needed = Vec::new();
    if is_definition || is_large(resource) {
        needed.push("ServerSideApply=true");
    }
    // A dry run of a sync knows neither earlier waves nor the CRD of an object's kind.
    if defined.contains(&(resource.group().to_owned(), resource.kind().to_owned())) {
        needed.push("SkipDryRunOnMissingResource=true");
    }
    let keeps = annotation(resource, KEEP) == Some("disabled");
    if keeps || is_definition || holds_others(resource) {
        needed.push(NO_PRUNE);
    }
    if keeps {
        needed.push("Delete=false");
    }
    let own = annotation(resource, SYNC_OPTIONS).unwrap_or_default();
    let own: Vec<&str> = own.split(',').map(str::trim).filter(|option| !option.is_empty()).collect();
    let key = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    needed.retain(|option| !own.iter().any(|other| key(other) == key(option)));
    (!needed.is_empty()).then(|| [own, needed].concat().join(","))
}

/// The compare options of a resource that is never pruned. Without them, an application whose source no longer has it
/// would stay out of sync, and with self-healing it would sync again and again.
fn compare_options(resource: &Resource) -> String {
    let own = annotation(resource, COMPARE_OPTIONS).unwrap_or_default();
    let mut options: Vec<&str> = own.split(',').map(str::trim).filter(|option| !option.is_empty()).collect();
    if !options.contains(&IGNORE_EXTRANEOUS) {
        options.push(IGNORE_EXTRANEOUS);
    }
    options.join(",")
}

/// A new HorizontalPodAutoscaler has no metrics yet, which Argo CD reports as a failure of its wave.
fn is_autoscaler(resource: &Resource) -> bool {
    resource.group() == "autoscaling" && resource.kind() == "HorizontalPodAutoscaler"
}

/// Whether deleting the resource deletes other resources or data, too.
fn holds_others(resource: &Resource) -> bool {
    resource.api_version() == "v1" && matches!(resource.kind(), "Namespace" | "PersistentVolumeClaim")
}

fn is_job(resource: &Resource) -> bool {
    resource.group() == "batch" && resource.kind() == "Job"
}

fn is_large(resource: &Resource) -> bool {
    let mut bytes = Vec::new();
    // Writing the bundle reports what cannot be written.
    emit::emit(&resource.node, &mut bytes).is_ok() && bytes.len() > LARGE
}

fn annotation<'r>(resource: &'r Resource, name: &str) -> Option<&'r str> {
    resource.annotations()?.get(name)?.as_text()
}

/// Group and kind of every CRD among the resources.
fn defined_kinds(resources: &[Resource]) -> HashSet<(String, String)> {
    let text = |resource: &Resource, path: &[&str]| resource.node.at(path)?.as_text().map(str::to_owned);
    let definitions = resources.iter().filter(|resource| resource.kind() == "CustomResourceDefinition");
    definitions
        .filter_map(|r| Some((text(r, &["spec", "group"])?, text(r, &["spec", "names", "kind"])?)))
        .collect()
}
