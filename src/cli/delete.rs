//! `kfc delete`.

use super::cluster::{
    ClusterArgs, Intake, InventoryArgs, checked, dns_name, duration, run_until_interrupted,
};
use super::progress::Progress;
use super::target::{StackArgs, Target};
use super::{DONE, FAILED, output};
use crate::apply::{self, Deletion, Inventory, Session};
use crate::catalogue::Stack;
use crate::cluster::{Connection, ObjectRef};
use crate::diagnostics::{Code, Diagnostic, Result, Sources};
use crate::sources::{LoadRestrictor, Loader};
use clap::Args;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write as _};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// The profile or stack that was applied, not needed with `--name`; or resources to be deleted whoever applied them: a
    /// file, a kustomization root, or `-` for standard input.
    #[arg(default_value = ".", value_name = "TARGET|FILE|-")]
    target: String,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    inventory: InventoryArgs,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// How long the objects of a wave may take to go.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    timeout: Duration,
    /// Do not wait until things are gone.
    #[arg(long)]
    no_wait: bool,
    /// Only list what would be deleted.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &DeleteArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    let progress = Progress::new();
    let result = delete(args, &sources, &progress);
    progress.end();
    match result {
        Ok(text) if text.is_empty() => DONE,
        Ok(text) => output::print(&text),
        Err(errors) => {
            output::report_run(&errors, &sources, "the deletion");
            FAILED
        }
    }
}

fn delete(args: &DeleteArgs, sources: &Arc<Sources>, progress: &Progress) -> Result<String> {
    match subject(args, sources)? {
        Subject::Inventory(name) => delete_inventory(args, &name, progress),
        Subject::Resources(intake) => delete_resources(args, &intake, progress),
    }
}

/// What is to be deleted.
enum Subject {
    /// Everything that an inventory of this name lists.
    Inventory(String),
    /// Resources, whether an inventory lists them or not.
    Resources(Intake),
}

/// A stack is read for its name alone: it can be deleted also when it builds no more.
fn subject(args: &DeleteArgs, sources: &Arc<Sources>) -> Result<Subject> {
    if let Some(name) = &args.inventory.name {
        return Ok(Subject::Inventory(checked(name)?));
    }
    if args.target != "-" && !Intake::is_bundle(&args.target, sources)? {
        match Target::of(&args.target) {
            Target::Profile(profile) => return Ok(Subject::Inventory(dns_name(&profile))),
            Target::Stack(file) => {
                let loader = Loader::here(super::here::reads(), sources);
                return Ok(Subject::Inventory(dns_name(&Stack::load(&loader, &file)?.name)));
            }
            Target::Root(_) => {}
        }
    }
    let stack = StackArgs::default();
    Intake::read(&args.target, &stack, LoadRestrictor::RootOnly, sources).map(Subject::Resources)
}

fn delete_inventory(args: &DeleteArgs, name: &str, progress: &Progress) -> Result<String> {
    let namespace = &args.inventory.inventory_namespace;
    run_until_interrupted(async {
        let connection = Connection::open(&args.cluster.options()).await?;
        let session = Session::start(&connection, args.cluster.concurrency, progress).await?;
        let mut inventory = Inventory::read(&session, namespace, name).await?;
        if !inventory.is_there() {
            progress.say(&format!("nothing to delete: there is no inventory `{name}` in `{namespace}`"));
            for (namespace, other) in apply::inventories(&session).await {
                progress.say(&format!("there is `{other}` in `{namespace}`"));
            }
            return Ok(String::new());
        }
        let objects: Vec<ObjectRef> = inventory.objects().map(|(object, _)| object.clone()).collect();
        if args.dry_run {
            return Ok(lines("would delete", &objects));
        }
        if !args.yes {
            progress.end();
            confirm(name, connection.server(), &objects)?;
        }
        let done = apply::delete(&session, &mut inventory, args.timeout, !args.no_wait).await?;
        progress.say(&format!("done: {}", counts(&done)));
        Ok(lines("deleted", &done.gone))
    })
}

fn delete_resources(args: &DeleteArgs, intake: &Intake, progress: &Progress) -> Result<String> {
    run_until_interrupted(async {
        let connection = Connection::open(&args.cluster.options()).await?;
        let mut waves = intake.waves(connection.namespace())?;
        let session = Session::start(&connection, args.cluster.concurrency, progress).await?;
        apply::wave::settle_scopes(&mut waves, &session.discovery());
        let numbered = waves.iter().enumerate();
        let items = numbered.flat_map(|(at, wave)| wave.items.iter().map(move |item| (&item.object, at)));
        let objects: Vec<(ObjectRef, usize)> = items.map(|(object, at)| (object.clone(), at)).collect();
        let named: Vec<ObjectRef> = objects.iter().map(|(object, _)| object.clone()).collect();
        if args.dry_run {
            return Ok(lines("would delete", &named));
        }
        if !args.yes {
            progress.end();
            confirm("yes", connection.server(), &named)?;
        }
        let done = apply::delete_objects(&session, objects, args.timeout, !args.no_wait).await?;
        progress.say(&format!("done: {}", counts(&done)));
        Ok(lines("deleted", &done.gone))
    })
}

fn counts(done: &Deletion) -> String {
    let mut text = format!("{} deleted", done.gone.len());
    let more = [(done.absent.len(), "not there"), (done.spared.len(), "left in place")];
    for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, ", {count} {what}");
    }
    text
}

/// Asks on a terminal; elsewhere it has to be said beforehand.
fn confirm(name: &str, server: &str, objects: &[ObjectRef]) -> Result<()> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for object in objects {
        *kinds.entry(&object.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let question = format!(
        "This deletes {} objects from {server}, with all data in them: {}.",
        objects.len(),
        kinds.join(", ")
    );
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let error = Diagnostic::error(Code::Usage, "deleting has to be confirmed").note(question);
        return Err(error.help("say `--yes`").into());
    }
    let mut answer = String::new();
    {
        let mut out = std::io::stderr().lock();
        // Nothing can be asked when the terminal is gone; no answer is a no.
        drop(write!(out, "{question}\nType `{name}` to go on: "));
        drop(out.flush());
    }
    drop(std::io::stdin().lock().read_line(&mut answer));
    if answer.trim() == name {
        return Ok(());
    }
    Err(Diagnostic::error(Code::Usage, "not confirmed: nothing was deleted").into())
}

fn lines(word: &str, objects: &[ObjectRef]) -> String {
    objects.iter().fold(String::new(), |mut text, object| {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{word} {object}");
        text
    })
}
