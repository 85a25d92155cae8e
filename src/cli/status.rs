//! `kfc status`: whether everything that was applied is ready.

use super::args::{
    ClusterArgs, InventoryArgs, ListFormat, ListFormatArgs, NamedArgs, NamespaceArgs, ParallelArgs,
    SeveralArgs, StackArgs, inventory_name,
};
use super::consent::count_of;
use super::environments::{ChosenTarget, in_clusters, read_each};
use super::exit::{DONE, FAILED};
use super::intake::{Intake, IntakeReads};
use super::interrupt::run_until_interrupted;
use super::inventory::existing;
use super::listing::described;
use super::output;
use super::progress::Progress;
use super::results::Printed;
use super::several::{Clusters, Done};
use super::waves::object_json;
use clap::Args;
use kfc_cluster::apply::{self, ObjectStatus, Session};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Numbers, Result, Sources};
use kfc_kube::ObjectId;
use kfc_kube::ready::State;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// The profile, stack or resources that were applied: their components are shown. With `--name` alone, only the inventory
    /// is read.
    #[arg(value_name = "TARGET|FILE|-", conflicts_with_all = ["filename", "kustomize"])]
    target: Option<String>,
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    namespace: NamespaceArgs,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    inventory: InventoryArgs,
    #[command(flatten)]
    at_once: ParallelArgs,
    /// List the objects that are ready too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: ListFormatArgs,
}

/// What the run is called.
const RUN: &str = "the command";

pub(super) fn run(args: &StatusArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    // The state of one cluster does not depend on another.
    let several = SeveralArgs { keep_going: true, at_once: args.at_once };
    let ready = targets(args, &sources).and_then(|targets| {
        let clusters = Clusters::of_targets(&targets, &args.cluster, &several, (RUN, &sources))?;
        Ok((clusters, read_each(&targets, |target| subject(args, target, &sources))?))
    });
    match ready {
        Ok((clusters, subjects)) => {
            clusters.run(&|run, progress| status(args, &run.cluster, &subjects[run.target], progress))
        }
        Err(errors) => output::finish(Err(errors), &sources, RUN),
    }
}

/// What was applied.
struct Subject {
    /// The name of its inventory.
    name: String,
    /// What it was applied from, if that is given.
    intake: Option<Intake>,
}

/// The target that is named.
fn given(args: &StatusArgs) -> Option<&str> {
    args.named.target().or(args.target.as_deref())
}

/// The target, once for each environment and cluster of it.
fn targets(args: &StatusArgs, sources: &Arc<Sources>) -> Result<Vec<ChosenTarget>> {
    match (given(args), &args.inventory.name) {
        (None, Some(_)) => Ok(vec![ChosenTarget::plain(".")]),
        (target, _) => in_clusters(target.unwrap_or("."), &args.stack.environments, sources),
    }
}

fn subject(args: &StatusArgs, target: &str, sources: &Arc<Sources>) -> Result<Subject> {
    if let (None, Some(name)) = (given(args), &args.inventory.name) {
        return Ok(Subject { name: inventory_name(name)?, intake: None });
    }
    let intake = Intake::read(target, &args.stack, IntakeReads::default(), sources)?;
    Ok(Subject { name: intake.name(&args.inventory)?, intake: Some(intake) })
}

fn status(args: &StatusArgs, cluster: &ClusterArgs, subject: &Subject, progress: &Progress) -> Result<Done> {
    let Subject { name, intake } = subject;
    let id = args.inventory.id(name);
    run_until_interrupted(async {
        let connection = Connection::open(&cluster.options_in(&args.namespace)).await?;
        let session = Session::start(&connection, cluster.concurrency, progress).await?;
        // Where nothing runs conditions, kinds decide.
        let conditions = intake.as_ref().and_then(|intake| intake.conditions(&[]).ok()).unwrap_or_default();
        let session = session.with_readiness(conditions);
        let inventory = existing(&session, &id).await?;
        let components = match intake {
            Some(intake) => intake.components(connection.namespace())?,
            None => HashMap::new(),
        };
        let found = apply::status(&session, &inventory).await?;
        let is_ready = found.iter().all(|status| status.state == State::Ready);
        let status = if is_ready { DONE } else { FAILED };
        let printed = match args.form.format {
            ListFormat::Text => rendered(name, &found, &components, args.all).into(),
            ListFormat::Wide => rendered(name, &found, &components, true).into(),
            ListFormat::Name => {
                found.iter().fold(String::new(), |text, one| text + &format!("{}\n", one.object)).into()
            }
            format => Printed::Document(as_json(name, &found, &components), format),
        };
        Ok(Done { printed, status })
    })
}

/// What is ready, is in progress and has failed, of some objects.
#[derive(Default)]
struct Counts {
    ready: usize,
    waiting: usize,
    failed: usize,
}

impl Counts {
    fn of<'s>(all: impl Iterator<Item = &'s ObjectStatus>) -> Self {
        let mut counts = Self::default();
        for status in all {
            match status.state {
                State::Ready => counts.ready += 1,
                State::Waiting(_) => counts.waiting += 1,
                State::Failed(_) => counts.failed += 1,
            }
        }
        counts
    }

    fn text(&self) -> String {
        let parts = [(self.failed, "failed"), (self.waiting, "in progress"), (self.ready, "ready")];
        let parts =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// The component of an object of an inventory, which may know another namespace of it, or none; empty for none.
fn by_component<'c>(components: &'c HashMap<ObjectId, String>) -> impl Fn(&ObjectId) -> &'c str {
    let by_object: HashMap<_, &String> = components
        .iter()
        .map(|(object, component)| {
            ((object.kind.as_str(), object.name.as_str(), object.group.as_str()), component)
        })
        .collect();
    move |object| {
        components
            .get(object)
            .or_else(|| {
                by_object.get(&(object.kind.as_str(), object.name.as_str(), object.group.as_str())).copied()
            })
            .map_or("", String::as_str)
    }
}

/// The objects with their states, for programs. What they quote of Secrets is numbered.
fn as_json(name: &str, all: &[ObjectStatus], components: &HashMap<ObjectId, String>) -> Value {
    let component_of = by_component(components);
    let mut numbers = Numbers::default();
    let mut items = Vec::new();
    for status in all {
        let mut item = object_json(&status.object);
        let (state, reason) = match &status.state {
            State::Ready => ("ready", None),
            State::Waiting(why) => ("inProgress", Some(why)),
            State::Failed(why) => ("failed", Some(why)),
        };
        item["state"] = state.into();
        item["reason"] = reason.map(|why| numbers.shown(why).into_owned()).into();
        item["component"] = component_of(&status.object).into();
        item["isHook"] = status.is_hook.into();
        item["facts"] = status.facts.iter().map(|fact| numbers.shown(fact).into_owned()).collect();
        items.push(item);
    }
    described("StatusList", json!({"name": name, "items": items}))
}

/// The tree: components, and below them the objects that are not ready, with the reasons.
fn rendered(
    name: &str,
    all: &[ObjectStatus],
    components: &HashMap<ObjectId, String>,
    is_all: bool,
) -> String {
    let component_of = by_component(components);
    let mut groups: BTreeMap<&str, Vec<&ObjectStatus>> = BTreeMap::new();
    for status in all {
        groups.entry(component_of(&status.object)).or_default().push(status);
    }
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{name}: {}: {}", count_of(all.len()), Counts::of(all.iter()).text());
    for (component, group) in groups {
        let indent = match component {
            "" => "  ",
            component => {
                let _ = writeln!(text, "  {component}: {}", Counts::of(group.iter().copied()).text());
                "    "
            }
        };
        for status in group {
            let hook = if status.is_hook { " (hook)" } else { "" };
            let object = format!("{}{hook}", status.object);
            let _ = match &status.state {
                State::Ready if is_all => writeln!(text, "{indent}{object}: ready"),
                State::Ready => Ok(()),
                State::Waiting(why) => writeln!(text, "{indent}{object}: in progress: {why}"),
                State::Failed(why) => writeln!(text, "{indent}{object}: failed: {why}"),
            };
            for fact in &status.facts {
                let _ = writeln!(text, "{indent}  {fact}");
            }
        }
    }
    Numbers::default().shown(&text).into_owned()
}
