//! One run against one cluster: what it would do, whether that is agreed to, and what becomes of it in the history.

use super::apply_args::ApplyArgs;
use super::apply_text::{hook_lines, report_losses, report_owners, results, summary};
use super::args::HowArgs;
use super::changes::changes_text;
use super::consent::{ask, count_of, is_asked, named, preview};
use super::plan_file::{Foreseen, PlanFile};
use super::progress::Progress;
use super::random;
use super::results::Printed;
use kfc_cluster::apply::{
    self, Generation, Inventory, InventoryHistory, InventoryId, NewRevision, PruneSet, RecordedBundle,
    Report, Revision, RevisionContent, RevisionResult, RevisionSource, Session, Tally, Trigger,
};
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_kube::ObjectId;
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::readiness::ReadyRule;
use kfc_kube::secret::SecretRecipe;
use kfc_kube::wave::Wave;
use std::collections::HashSet;
use std::path::Path;
use std::time::SystemTime;

/// What a run is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'p> {
    Apply,
    /// Apply what a plan says, and nothing else.
    Saved(&'p PlanFile),
    /// Save a plan of these arguments into a file.
    Save(&'p ApplyArgs, &'p Path),
}

/// What a run applies.
pub(super) struct RunBundle {
    pub(super) waves: Vec<Wave>,
    /// The fields that it leaves to others.
    pub(super) ignore: Vec<IgnoreRule>,
    /// Secrets whose values come from elsewhere.
    pub(super) released: Vec<ObjectId>,
    /// The Secrets that are made when they do not exist.
    pub(super) recipes: Vec<SecretRecipe>,
    /// When its objects are ready.
    pub(super) ready: Vec<ReadyRule>,
    /// Objects with values that came out of Secrets.
    pub(super) secret: HashSet<ObjectId>,
    /// What it was made from.
    pub(super) source: RevisionSource,
    /// The revision that it restores.
    pub(super) restored: Option<Restored>,
}

/// A revision that a rollback restores.
pub(super) struct Restored {
    pub(super) revision: Revision,
    /// Secrets that stay as they are in the cluster; none when the bundle was given again.
    pub(super) kept: Vec<ObjectId>,
    /// Whether its kept copy is restored.
    pub(super) is_copy: bool,
}

impl RunBundle {
    /// Its digest, as revisions have it.
    pub(super) fn digest(&self) -> String {
        self.content().digest()
    }

    fn content(&self) -> RevisionContent<'_> {
        match &self.restored {
            Some(restored) if restored.is_copy => RevisionContent::Copy(&restored.revision),
            _ => RevisionContent::Bundle(RecordedBundle {
                waves: &self.waves,
                ignore: &self.ignore,
                ready: &self.ready,
                secret: &self.secret,
            }),
        }
    }
}

/// Applies a bundle, or saves a plan, when everything that it would do is agreed to. Returns what it did, one object in a line.
pub(super) async fn run_waves(
    how: &HowArgs,
    session: &Session<'_>,
    (bundle, purpose): (&RunBundle, Purpose<'_>),
    id: &InventoryId,
    progress: &Progress,
) -> Result<Printed> {
    let waves = bundle.waves.as_slice();
    let mut inventory = Inventory::read(session, id).await?;
    let mut settings = how.settings(id);
    settings.ignore.clone_from(&bundle.ignore);
    settings.released.clone_from(&bundle.released);
    settings.generation = Some(Generation { recipes: bundle.recipes.clone(), fill: random::fill });
    settings.partial = !bundle.source.only.is_empty();
    settings.kept = bundle.restored.as_ref().map(|restored| restored.kept.clone()).unwrap_or_default();
    let survey = apply::survey(session, waves, &inventory, &settings).await?;
    report_owners(how, &survey, id, progress);
    let preview = apply::preview(session, waves, &survey, &settings).await?;
    report_losses(how, &preview, progress);
    let is_pruning = how.prune || how.prune_most || how.kinds.kinds().any();
    let pruned = is_pruning.then_some(&survey.prune_set);
    let changes = !preview.is_empty() || pruned.is_some_and(|pruned| !pruned.plan.going.is_empty());
    let hooks = survey.hooks.due(waves, Trigger { changes, asked: how.run_hooks });
    let foreseen = Foreseen { waves, preview: &preview, pruned, hooks: &hooks };
    match purpose {
        Purpose::Save(args, file) => {
            agreed(how, &survey.prune_set, progress)?;
            PlanFile::make(args, session.connection, &foreseen).write(file)?;
            progress.say(&format!("wrote {}: apply it with `kfc apply {}`", file.display(), file.display()));
            let text = changes_text(waves, &preview)? + "\n" + &hook_lines(&hooks);
            return Ok(text.into());
        }
        Purpose::Saved(plan) => plan.check(session.connection, &foreseen)?,
        Purpose::Apply => {}
    }
    let is_agreed = how.yes || matches!(purpose, Purpose::Saved(_));
    if !is_agreed && how.dry_run.is_none() && is_asked() && !(preview.is_empty() && hooks.is_empty()) {
        progress.end();
        progress.insist(&changes_text(waves, &preview)?);
        if !hooks.is_empty() {
            progress.insist(hook_lines(&hooks).trim_end());
        }
        let question = format!("Apply this to {}? [y/N] ", session.connection.server());
        if !matches!(ask(&question).to_lowercase().as_str(), "y" | "yes") {
            return Err(Diagnostic::error(Code::Usage, "not confirmed; nothing was written").into());
        }
    }
    settings.prune = agreed(how, &survey.prune_set, progress)?;
    let mut report = Report::default();
    let done = apply::apply(session, waves, &mut inventory, &settings, (survey, &preview), &mut report).await;
    if how.dry_run.is_none() {
        let result = if done.is_ok() { RevisionResult::Succeeded } else { RevisionResult::Failed };
        record(how, session, (bundle, id), (&report, result), progress).await;
    }
    done?;
    if !report.unpruned.is_empty() && !how.no_prune {
        let count = count_of(report.unpruned.len());
        progress.say(&format!("{count} that left the bundle were not deleted: `--prune` deletes them"));
    }
    if !report.addressless.is_empty() {
        let names = named(report.addressless.iter());
        progress.say(&format!("note: no load balancer has given an address yet to {names}"));
    }
    progress.say(&summary(&report, how.dry_run.is_some()));
    Ok(results(&report).printed(how.form.format))
}

/// Records a run in the history of its inventory. What was applied stays applied when that fails, so it is a warning.
async fn record(
    how: &HowArgs,
    session: &Session<'_>,
    (bundle, id): (&RunBundle, &InventoryId),
    (report, result): (&Report, RevisionResult),
    progress: &Progress,
) {
    let changes = Tally::of(report);
    if changes.is_empty() && how.keep_revisions == 0 {
        return;
    }
    if changes.is_empty() {
        // Only what an earlier run began may have been completed; who may not read a history has none.
        if result == RevisionResult::Succeeded
            && let Ok(mut history) = InventoryHistory::read(session, id).await
        {
            warn(history.complete(session, &bundle.content()).await, progress);
        }
        return;
    }
    let new = NewRevision {
        time: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION"),
        result,
        changes,
        source: &bundle.source,
        rollback_to: bundle.restored.as_ref().map(|restored| restored.revision.number),
        content: bundle.content(),
    };
    let recorded = match InventoryHistory::read(session, id).await {
        Ok(mut history) => history.record(session, &new, how.keep_revisions).await,
        Err(errors) => Err(errors),
    };
    warn(recorded, progress);
}

/// Shows why a history was not written.
fn warn<T>(recorded: Result<T>, progress: &Progress) {
    for error in recorded.err().into_iter().flat_map(|errors| errors.0) {
        let help = error.help.map(|help| format!("; {help}")).unwrap_or_default();
        progress.say(&format!("warning[{}]: {}{help}", error.code.as_str(), error.message));
    }
}

/// Whether the prune set is to be deleted. It is printed first; on a terminal the user is asked, elsewhere a flag decides.
fn agreed(how: &HowArgs, prune_set: &PruneSet, progress: &Progress) -> Result<bool> {
    let count = prune_set.plan.going.len();
    if count == 0 || how.no_prune {
        return Ok(false);
    }
    let is_agreed = how.prune || how.prune_most || how.yes || how.kinds.kinds().any();
    let is_asked = !is_agreed && how.dry_run.is_none() && is_asked();
    if how.dry_run.is_none() || !prune_set.plan.notes.is_empty() {
        let left = count_of(count);
        let (title, word) = match (is_agreed, is_asked) {
            (true, _) => (format!("{left} left the bundle, to be deleted at the end:"), "delete"),
            (_, true) => (format!("{left} left the bundle:"), "delete"),
            _ => (format!("{left} left the bundle, to be deleted only with `--prune`:"), "left"),
        };
        progress.insist(&title);
        progress.insist(preview(word, &prune_set.plan).trim_end());
    }
    if prune_set.is_most() && !how.prune_most && how.dry_run.is_none() && (is_agreed || is_asked) {
        let listed = prune_set.listed;
        let message = format!(
            "{count} of the {listed} objects that the inventory lists left the bundle and would be deleted"
        );
        let error = Diagnostic::error(Code::MostPruned, message)
            .note("check that it is the right bundle: it replaces the one that was applied under this name");
        let help = "delete them with `--prune-most`, or keep them with `--no-prune`; nothing was done";
        return Err(error.help(help).into());
    }
    if !is_asked {
        return Ok(is_agreed);
    }
    progress.end();
    Ok(matches!(ask("Delete them at the end? [y/N] ").to_lowercase().as_str(), "y" | "yes"))
}
