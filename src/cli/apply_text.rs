//! What `kfc apply` and `kfc rollback` say before a run and after it.

use super::args::{HowArgs, ListFormat, ResultFormat};
use super::consent::{count_of, named, staying};
use super::listing::described;
use super::progress::{Progress, counts};
use super::results::{Printed, Results};
use super::waves::as_json;
use kfc_cluster::apply::{self, DueHook, InventoryId, Preview, Report, Survey};
use kfc_kube::wave::Wave;
use std::fmt::Write;

/// Reports what is lost with the objects that are recreated, before anything is done.
pub(super) fn report_losses(how: &HowArgs, preview: &Preview, progress: &Progress) {
    let would = if how.dry_run.is_some() { "would be" } else { "will be" };
    for loss in &preview.recreated {
        let why = kfc_kube::redaction::message::hide(&loss.why, &loss.object.kind, "");
        progress.insist(&format!("{} {would} deleted and created again; {}: {why}", loss.object, loss.lost));
    }
}

/// Reports which objects of the bundle have other owners, and which of those that left it stay.
pub(super) fn report_owners(how: &HowArgs, survey: &Survey, id: &InventoryId, progress: &Progress) {
    for (other, objects) in &survey.shared {
        let (count, names) = (count_of(objects.len()), named(objects.iter()));
        if how.adopt {
            progress.say(&format!("note: {count} are taken over from the inventory {other}: {names}"));
            continue;
        }
        progress.say(&format!(
            "note: the inventory {other} lists {count} of this bundle too: {names}. Both apply them, and neither deletes them while \
             the other lists them"
        ));
        progress.say(&format!("note: {}", apply::move_advice(other, id)));
    }
    if !survey.found.is_empty() && !how.adopt {
        progress.say(&format!(
            "note: {} of this bundle existed before, not applied by kfc: {}. They are applied, but never deleted; `--adopt` takes them over",
            count_of(survey.found.len()),
            named(survey.found.iter())
        ));
    }
    if let Some(why) = survey.claims.unseen() {
        progress.say(&format!(
            "note: inventories of other namespaces cannot be read; what their field managers apply stays: {why}"
        ));
    }
    for line in &staying(&survey.prune_set.plan.staying) {
        progress.say(line);
    }
}

/// The hooks that run, one in a line.
pub(super) fn hook_lines(hooks: &[DueHook<'_>]) -> String {
    hooks
        .iter()
        .fold(String::new(), |text, hook| text + &format!("{} hook {}\n", hook.moment.word(), hook.object()))
}

/// What was done, one object after the other; unchanged objects are left out.
pub(super) fn results(report: &Report) -> Results {
    let mut results = Results::default();
    for (moment, object) in &report.hooks {
        results.push(format!("{} hook", moment.word()), object);
    }
    for (object, outcome) in
        report.outcomes.iter().filter(|(_, outcome)| *outcome != apply::Outcome::Unchanged)
    {
        results.push(outcome.word(), object);
    }
    results.all("pruned", &report.pruned)
}

pub(super) fn summary(report: &Report, is_dry: bool) -> String {
    let mut text = counts(&report.counts());
    if !report.hooks.is_empty() {
        let hooks = if report.hooks.len() == 1 { "hook" } else { "hooks" };
        let _ = write!(text, ", {} {hooks} run", report.hooks.len());
    }
    if !report.pruned.is_empty() {
        let _ = write!(text, ", {} pruned", report.pruned.len());
    }
    if !report.kept.is_empty() {
        let _ = write!(text, ", {} kept", report.kept.len());
    }
    if !report.unpruned.is_empty() {
        let _ = write!(text, ", {} not pruned", report.unpruned.len());
    }
    if is_dry { format!("this would happen: {text}; nothing was written") } else { format!("done: {text}") }
}

/// The waves with their resources.
pub(super) fn render_waves(waves: &[Wave], format: ResultFormat) -> Printed {
    if format == ResultFormat::Json {
        return Printed::Document(described("WaveList", as_json(waves)), ListFormat::Json);
    }
    let mut text = String::new();
    for (at, wave) in waves.iter().enumerate() {
        let _ = writeln!(text, "wave {}", at + 1);
        for item in &wave.items {
            let _ = writeln!(text, "  {}", item.object);
        }
        for hook in &wave.hooks {
            let _ = writeln!(text, "  {} hook {}", hook.hook.words(), hook.item.object);
        }
        for object in &wave.awaited {
            let _ = writeln!(text, "  awaits {object}");
        }
    }
    text.into()
}
