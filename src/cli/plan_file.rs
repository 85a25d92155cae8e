//! A saved plan: what an apply would do, as digests, and the arguments with which it was made. It has no content of any
//! resource: `kfc apply FILE` builds the bundle again and goes on only when exactly the same would happen.

use super::apply_args::{ApplyArgs, words};
use super::output;
use clap::Parser;
use kfc_cluster::apply::{DueHook, Preview, PruneSet};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_kube::ObjectId;
use kfc_kube::wave::Wave;
use kfc_source::door;
use kfc_source::lock::tree::sha256;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const KIND: &str = "ApplyPlan";
/// Differences that are named.
const NAMED: usize = 10;

/// A plan as it is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlanFile {
    /// The cluster.
    server: String,
    /// The arguments of `kfc apply`, without values of parameters: these may be secret.
    arguments: Vec<String>,
    /// The parameters that were set, which have to be set again.
    set: Vec<String>,
    /// What the digests are made with, so that a value cannot be looked up by its digest.
    salt: String,
    /// What would happen to each object, with a digest of it.
    steps: BTreeMap<String, String>,
}

#[derive(Debug, Parser)]
#[command(name = "plan")]
struct Saved {
    #[command(flatten)]
    args: ApplyArgs,
}

impl PlanFile {
    /// The plan of what a preview and a prune set say.
    pub(super) fn make(args: &ApplyArgs, connection: &Connection, foreseen: &Foreseen<'_>) -> Self {
        let moment = format!("{:?} {}", std::time::SystemTime::now(), std::process::id());
        let salt = sha256(moment.as_bytes());
        Self {
            server: connection.server().to_owned(),
            arguments: words(args),
            set: args.set_names(),
            steps: foreseen.steps(&salt),
            salt,
        }
    }

    /// The plan in a file; `None` when the file is something else.
    pub(super) fn read(target: &str) -> Option<Self> {
        let path = Path::new(target);
        if !path.is_file() {
            return None;
        }
        let text = door::read_text_of_user(path).ok()?;
        let plan: Value = serde_json::from_str(&text).ok()?;
        if plan["kind"] != KIND {
            return None;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect();
        let steps = plan["steps"].as_object().into_iter().flatten();
        Some(Self {
            server: text(&plan["server"]),
            arguments: list(&plan["arguments"]),
            set: list(&plan["set"]),
            salt: text(&plan["salt"]),
            steps: steps.map(|(step, digest)| (step.clone(), text(digest))).collect(),
        })
    }

    /// Writes the plan into a file that only its owner can read.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let plan = json!({
            "apiVersion": "kfc.dev/v1alpha1",
            "kind": KIND,
            "server": self.server,
            "arguments": self.arguments,
            "set": self.set,
            "salt": self.salt,
            "steps": self.steps,
        });
        output::write_private(file, format!("{plan:#}\n").as_bytes())
    }

    /// The arguments of the apply; `given` are those of this run, of which only parameters count.
    pub(super) fn arguments(&self, given: &ApplyArgs) -> Result<ApplyArgs> {
        let saved =
            Saved::try_parse_from(std::iter::once("plan").chain(self.arguments.iter().map(String::as_str)));
        let saved = saved.map_err(|error| {
            let message = format!("the plan has arguments that this version of kfc does not know: {error}");
            Diagnostic::error(Code::Outdated, message).help("make it again with `kfc plan`")
        })?;
        let args = saved.args.with_parameters(given);
        let missing: Vec<&String> = self.set.iter().filter(|name| !args.set_names().contains(name)).collect();
        if let Some(name) = missing.first() {
            let message =
                format!("the plan was made with `--set {name}=…`, and holds no values of parameters");
            return Err(Diagnostic::error(Code::Usage, message).help("pass the same `--set` again").into());
        }
        Ok(args)
    }

    /// Checks that the same would happen now.
    pub(super) fn check(&self, connection: &Connection, foreseen: &Foreseen<'_>) -> Result<()> {
        let mut error = Diagnostic::error(Code::Outdated, "the plan no longer is what an apply would do");
        if self.server != connection.server() {
            error = error.note(format!("it is for {}, this cluster is {}", self.server, connection.server()));
            return Err(error.into());
        }
        let now = foreseen.steps(&self.salt);
        if now == self.steps {
            return Ok(());
        }
        let differs = |step: &&String| self.steps.get(*step) != now.get(*step);
        let mut steps: Vec<&String> = self.steps.keys().chain(now.keys()).filter(differs).collect();
        steps.sort();
        steps.dedup();
        for step in steps.iter().take(NAMED) {
            error = error.note(match (self.steps.contains_key(*step), now.contains_key(*step)) {
                (true, true) => format!("{step}: the change is another one now"),
                (true, false) => format!("{step}: planned, and would not happen now"),
                _ => format!("{step}: not planned, and would happen now"),
            });
        }
        if steps.len() > NAMED {
            error = error.note(format!("and {} more", steps.len() - NAMED));
        }
        Err(error.help("the cluster or the sources have changed: make the plan again with `kfc plan`").into())
    }
}

/// What an apply would do.
pub(super) struct Foreseen<'f> {
    pub(super) waves: &'f [Wave],
    pub(super) preview: &'f Preview,
    /// What left the bundle, when it is to be deleted.
    pub(super) pruned: Option<&'f PruneSet>,
    /// The hooks that run.
    pub(super) hooks: &'f [DueHook<'f>],
}

impl Foreseen<'_> {
    /// What would happen to each object, with a digest of all that counts.
    fn steps(&self, salt: &str) -> BTreeMap<String, String> {
        let digest = |text: &str| sha256(format!("{salt}\n{text}").as_bytes());
        let bodies: BTreeMap<&ObjectId, &str> = self
            .waves
            .iter()
            .flat_map(|wave| &wave.items)
            .map(|item| (&item.object, item.body.as_str()))
            .collect();
        let body = |object: &ObjectId| bodies.get(object).copied().unwrap_or_default();
        let mut steps = BTreeMap::new();
        for object in &self.preview.created {
            steps.insert(format!("create {object}"), digest(body(object)));
        }
        for change in &self.preview.changed {
            steps.insert(
                format!("change {}", change.object),
                digest(&format!("{}\n{}", change.before, change.after)),
            );
        }
        for loss in &self.preview.recreated {
            steps.insert(format!("recreate {}", loss.object), digest(body(&loss.object)));
        }
        for hook in self.hooks {
            let step = format!("run the {} hook {}", hook.moment.word(), hook.object());
            steps.insert(step, digest(&hook.hook.item.body));
        }
        for (object, _) in self.pruned.iter().flat_map(|set| &set.plan.going) {
            steps.insert(format!("delete {object}"), String::new());
        }
        steps
    }
}
