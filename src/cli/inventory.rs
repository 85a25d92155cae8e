//! `kfc inventory`: the inventories of a cluster, and how objects move from one to another.

use super::args::{ClusterArgs, ListFormatArgs, LockArgs, ResultFormatArgs, inventory_id};
use super::consent::count_of;
use super::here;
use super::interrupt::{Held, run_holding, run_until_interrupted};
use super::listing::{Listing, Row};
use super::name::dns_name;
use super::output;
use super::progress::Progress;
use super::results::{Printed, Results};
use super::targets::Target;
use super::waves::object_json;
use clap::{Args, Subcommand};
use kfc_catalogue::catalogue::{StackChoice, StackDefinition, StackEnvironment};
use kfc_cluster::apply::{self, DEFAULT_NAMESPACE, Inventory, InventoryId, Session};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_source::Loader;
use serde_json::json;
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum InventoryCommand {
    /// List the inventories of the cluster, with how many objects each has.
    List(ListArgs),
    /// Print the objects that an inventory lists.
    Show(ShowArgs),
    /// Make an inventory again that was lost or edited: from the objects that its field manager applied. Nothing is deleted.
    Rebuild(RebuildArgs),
    /// Move all objects of one inventory to another, with the ownership of their fields: for a renamed stack, or another
    /// profile. The objects themselves do not change.
    Move(MoveArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    form: ListFormatArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The inventory: `NAME`, or `NAMESPACE/NAME` outside of `default`.
    #[arg(value_name = "[NAMESPACE/]NAME", value_parser = inventory_id)]
    inventory: InventoryId,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    form: ListFormatArgs,
}

#[derive(Debug, Args)]
pub(super) struct RebuildArgs {
    /// The inventory: `NAME`, or `NAMESPACE/NAME` outside of `default`.
    #[arg(value_name = "[NAMESPACE/]NAME", value_parser = inventory_id)]
    inventory: InventoryId,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    lock: LockArgs,
    /// Only list what would be added.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    form: ResultFormatArgs,
}

#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// The inventory that has the objects: `NAME`, or `NAMESPACE/NAME` outside of `default`.
    #[arg(value_name = "OLD", value_parser = inventory_id)]
    from: InventoryId,
    /// The inventory that gets them; it is created when it does not exist.
    #[arg(value_name = "NEW", value_parser = inventory_id)]
    to: InventoryId,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    lock: LockArgs,
    /// Only list what would be moved.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    form: ResultFormatArgs,
}

pub(super) fn run(command: &InventoryCommand) -> u8 {
    let progress = Progress::new();
    let result = match command {
        InventoryCommand::List(args) => list(args, &progress),
        InventoryCommand::Show(args) => show(args, &progress),
        InventoryCommand::Rebuild(args) => {
            rebuild(args, &progress).and_then(|printed| printed.rendered(None))
        }
        InventoryCommand::Move(args) => move_all(args, &progress).and_then(|printed| printed.rendered(None)),
    };
    progress.end();
    output::finish(result, &Sources::default(), "the command")
}

fn list(args: &ListArgs, progress: &Progress) -> Result<String> {
    run_until_interrupted(async {
        let connection = Connection::open(&args.cluster.options()).await?;
        let session = Session::start(&connection, args.cluster.concurrency, progress).await?;
        let row = |(id, count): (InventoryId, usize)| Row {
            columns: vec![format!("{}/{}", id.namespace, id.name), count.to_string()],
            json: json!({"namespace": id.namespace, "name": id.name, "objects": count}),
        };
        let found = apply::inventories(&session, connection.namespace()).await?;
        let heads = vec!["NAME", "OBJECTS"];
        let rows = found.into_iter().map(row).collect();
        Listing { kind: "InventoryList", heads, rows }.render(args.form.format)
    })
}

fn show(args: &ShowArgs, progress: &Progress) -> Result<String> {
    run_until_interrupted(async {
        let connection = Connection::open(&args.cluster.options()).await?;
        let session = Session::start(&connection, args.cluster.concurrency, progress).await?;
        let inventory = existing(&session, &args.inventory).await?;
        let rows = inventory.entries().map(|entry| {
            let mut json = object_json(&entry.object);
            json["existedBefore"] = entry.found.into();
            let found = if entry.found { "existed before" } else { "" };
            Row { columns: vec![entry.object.to_string(), found.to_owned()], json }
        });
        Listing { kind: "ObjectList", heads: vec!["OBJECT", "NOTE"], rows: rows.collect() }
            .render(args.form.format)
    })
}

fn rebuild(args: &RebuildArgs, progress: &Progress) -> Result<Printed> {
    let id = &args.inventory;
    let held = Held::default();
    run_holding(&held, async {
        let connection = Arc::new(Connection::open(&args.cluster.options()).await?);
        let session = Session::start(&connection, args.cluster.concurrency, progress).await?;
        let work = async {
            let mut inventory = Inventory::read(&session, id).await?;
            let (added, unseen) = apply::rebuild(&session, &mut inventory).await;
            for kind in unseen {
                progress.say(&format!("warning: {kind} cannot be listed: its objects are not added"));
            }
            if !args.dry_run && !added.is_empty() {
                inventory.write(&session).await?;
            }
            let count = count_of(inventory.len());
            progress.say(&format!("the inventory {id} lists {count}, {} of them new", added.len()));
            let action = if args.dry_run { "would add" } else { "added" };
            Ok(Results::default().all(action, &added).printed(args.form.format))
        };
        let lock = (!args.dry_run).then(|| args.lock.terms(id));
        Box::pin(held.during(&connection, lock, progress, work)).await
    })
}

/// The inventory of the stack in the working directory.
pub(super) fn inventory_here() -> Result<InventoryId> {
    let Target::Stack(file) = Target::of(".") else {
        let error = Diagnostic::error(Code::Usage, "there is no `kfc.yaml` here that names an inventory");
        return Err(error.help("name one; `kfc inventory list` lists those of the cluster").into());
    };
    let loader = Loader::here(here::reads(), &Arc::new(Sources::default()));
    let definition = StackDefinition::load(&loader, &file)?;
    if !definition.environments.is_empty() {
        let name = |environment: &StackEnvironment| {
            let environment = Some(environment.name.value.clone());
            dns_name(&definition.name_of(&StackChoice { environment, cluster: None }))
        };
        let names: Vec<String> = definition.environments.iter().map(name).collect();
        let help = format!("name the inventory of one: {}", names.join(", "));
        return Err(definition.unnamed().help(help).into());
    }
    Ok(InventoryId::new(DEFAULT_NAMESPACE, &dns_name(&definition.name.value)))
}

/// An inventory, which has to exist.
pub(super) async fn existing(session: &Session<'_>, id: &InventoryId) -> Result<Inventory> {
    let inventory = Inventory::read(session, id).await?;
    if inventory.exists() {
        return Ok(inventory);
    }
    let message = format!("the inventory {id} does not exist");
    let error = Diagnostic::error(Code::Inventory, message);
    Err(error.help("list those that do with `kfc inventory list`").into())
}

fn move_all(args: &MoveArgs, progress: &Progress) -> Result<Printed> {
    if args.from == args.to {
        let message = format!("the inventory {} cannot be moved to itself", args.from);
        return Err(Diagnostic::error(Code::Usage, message).into());
    }
    let held = Held::default();
    run_holding(&held, async {
        let connection = Arc::new(Connection::open(&args.cluster.options()).await?);
        let session = Session::start(&connection, args.cluster.concurrency, progress).await?;
        if args.dry_run {
            let from = existing(&session, &args.from).await?;
            let objects = from.entries().map(|entry| &entry.object);
            return Ok(Results::default().all("would move", objects).printed(args.form.format));
        }
        // Always in the same order, so that two opposite moves do not wait for each other.
        let (first, second) =
            if args.from < args.to { (&args.from, &args.to) } else { (&args.to, &args.from) };
        let work = async {
            let mut from = existing(&session, &args.from).await?;
            let mut to = Inventory::read(&session, &args.to).await?;
            let moved = apply::move_inventory(&session, &mut from, &mut to).await?;
            progress.say(&format!(
                "done: the inventory {} now lists {} of {}",
                args.to,
                count_of(moved.len()),
                args.from
            ));
            Ok(Results::default().all("moved", &moved).printed(args.form.format))
        };
        let lock = |id: &InventoryId| Some(args.lock.terms(id));
        let work = Box::pin(held.during(&connection, lock(second), progress, work));
        held.during(&connection, lock(first), progress, work).await
    })
}
