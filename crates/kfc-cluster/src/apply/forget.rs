//! Removes objects from the lists of other inventories.

use super::history::InventoryHistory;
use super::inventory::Inventory;
use super::inventory_id::InventoryId;
use super::session::Session;
use kfc_diagnostics::Result;
use kfc_kube::ObjectId;

/// Removes objects from other inventories; an inventory that becomes empty is deleted with its history.
pub(super) async fn forget(
    session: &Session<'_>,
    gone: &[ObjectId],
    inventories: impl IntoIterator<Item = InventoryId>,
) -> Result<()> {
    for id in inventories {
        let mut inventory = Inventory::read(session, &id).await?;
        for object in gone {
            inventory.remove(object);
        }
        if inventory.is_empty() {
            InventoryHistory::delete_of(session, &id).await?;
            inventory.delete(session).await?;
        } else {
            inventory.write(session).await?;
        }
    }
    Ok(())
}
