//! What an apply will do to the objects that exist, found out before anything is written: each resource that may differ is
//! sent as a dry run. So the user sees what changes, and conflicts, immutable fields and missing rights of all waves are one
//! answer.

use super::foreseen::Preview;
use super::send::Sender;
use super::session::Session;
use super::settings::Settings;
use super::snapshot::Seen;
use super::survey::Survey;
use super::{conflict, recreate, rights, send};
use futures::stream::{self, StreamExt};
use kfc_diagnostics::{Diagnostics, Result};
use kfc_kube::ObjectId;
use kfc_kube::wave::{Item, Wave};
use tokio::time::Instant;

/// Looks ahead. Nothing is written.
///
/// # Errors
/// Conflicts and immutable fields that nobody agreed to, and rights that are missing: those of all waves.
pub async fn preview(
    session: &Session<'_>,
    waves: &[Wave],
    survey: &Survey,
    settings: &Settings,
) -> Result<Preview> {
    let bundle = send::Known::of(waves);
    let manager = settings.inventory.manager();
    let sender = Sender {
        session,
        settings,
        survey,
        preview: None,
        bundle: &bundle,
        deadline: Instant::now() + settings.timeout,
        manager: &manager,
    };
    let items: Vec<&Item> = waves.iter().flat_map(|wave| &wave.items).collect();
    let each = stream::iter(&items).map(|item| sender.foresee(item));
    let each: Vec<_> = each.buffered(session.concurrency).collect().await;
    let mut preview = Preview::default();
    let mut errors = Diagnostics::default();
    for (item, foreseen) in items.iter().zip(each) {
        let object = &item.object;
        match foreseen {
            Ok(foreseen) => preview.add(object, foreseen),
            Err(failure) if send::is_immutable(&failure) => {
                match recreate::agreed(&settings.recreate, object, survey.snapshot.live(object), &failure) {
                    Ok(loss) => preview.recreated.push(loss),
                    Err(_) => errors.push(sender.error(item, &failure).await),
                }
            }
            Err(failure) if conflict::is_conflict(&failure) => {
                errors.push(sender.error(item, &failure).await);
            }
            // What the cluster lacks now may be there when it is sent: the apply reports what is not.
            Err(_) => {}
        }
    }
    if survey.snapshot.is_restricted() {
        let writes = items.iter().map(|item| &item.object).filter(|object| !preview.settled.contains(object));
        let writes: Vec<(&ObjectId, bool)> =
            writes.map(|object| (object, !matches!(survey.snapshot.seen(object), Seen::Exists(_)))).collect();
        errors.0.extend(rights::missing(session, &writes).await);
    }
    errors.into_result(preview)
}
