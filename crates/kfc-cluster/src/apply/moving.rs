//! Moves all objects of one inventory to another: a stack was renamed, or another profile replaces it.

use super::history::InventoryHistory;
use super::hook_record::HookRecord;
use super::inventory::Inventory;
use super::inventory_id::OLD_MANAGER;
use super::owner::Former;
use super::session::Session;
use super::snapshot::{Seen, Snapshot};
use super::survey;
use futures::stream::{self, StreamExt};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::ObjectId;

/// Moves what `from` lists to `to`: first the list, then the fields from the old field manager to the new one, then `from` is
/// deleted with its history, which is that of other bundles than those of `to`. When it stops in between, at least one of them lists each object, and the next try completes it. Only the managed
/// fields of the objects change. Returns the objects.
///
/// # Errors
/// When an inventory or the managed fields of an object cannot be written; then both list the objects.
pub async fn move_inventory(
    session: &Session<'_>,
    from: &mut Inventory,
    to: &mut Inventory,
) -> Result<Vec<ObjectId>> {
    let entries: Vec<_> = from.entries().cloned().collect();
    for entry in &entries {
        if !to.has(&entry.object) {
            to.add(entry.object.clone(), entry.wave);
            to.set_found(&entry.object, entry.found);
        }
    }
    to.write(session).await?;
    let mut hooks = HookRecord::read(session, &from.id).await?;
    let mut taken = HookRecord::read(session, &to.id).await?;
    taken.absorb(&hooks);
    taken.write(session).await?;
    let managers = Former::of([OLD_MANAGER.to_owned(), from.id.manager()]);
    let new = to.id.manager();
    let snapshot = Snapshot::take(session, entries.iter().map(|entry| &entry.object)).await;
    let each = stream::iter(&entries).map(|entry| {
        let metadata = match snapshot.seen(&entry.object) {
            Seen::Exists(metadata) => Some(metadata.clone()),
            Seen::Absent | Seen::Unknown => None,
        };
        let (managers, new) = (&managers, &new);
        async move {
            let moved = survey::take_over(session, &entry.object, metadata?, managers, new).await;
            moved.err().map(|failure| (&entry.object, failure))
        }
    });
    let failed: Vec<_> = each.buffered(session.concurrency).collect().await;
    let mut errors = Diagnostics::default();
    for (object, failure) in failed.into_iter().flatten() {
        let message = format!("cannot move the fields of {object} to `{new}`: {}", failure.message);
        errors.push(Diagnostic::error(Code::Refused, message));
    }
    errors.into_result(())?;
    hooks.delete(session).await?;
    InventoryHistory::delete_of(session, &from.id).await?;
    from.delete(session).await?;
    Ok(entries.into_iter().map(|entry| entry.object).collect())
}
