//! Which hooks an apply runs: all of them when the bundle changes something, else those that changed themselves and those whose
//! last run did not succeed.

use super::hook_record::{HookRecord, digest};
use super::inventory::Inventory;
use super::session::Session;
use kfc_diagnostics::Result;
use kfc_kube::ObjectId;
use kfc_kube::hook::{Moment, Occasion};
use kfc_kube::wave::{HookItem, Wave};

/// A hook that runs.
#[derive(Clone, Copy, Debug)]
pub struct DueHook<'w> {
    /// When it runs.
    pub moment: Moment,
    /// Its wave, from 0.
    pub wave: usize,
    /// The hook.
    pub hook: &'w HookItem,
}

impl DueHook<'_> {
    /// Its object.
    #[must_use]
    pub fn object(&self) -> &ObjectId {
        &self.hook.item.object
    }
}

/// Why hooks run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trigger {
    /// Whether the bundle changes something.
    pub changes: bool,
    /// Whether the user asked for all of them.
    pub asked: bool,
}

/// What is known of hooks before a run.
#[derive(Clone, Debug)]
pub struct KnownHooks {
    pub(super) record: HookRecord,
    /// What the inventory lists.
    listed: Option<Inventory>,
}

impl KnownHooks {
    /// Reads what is remembered of the hooks of an inventory.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn read(session: &Session<'_>, inventory: &Inventory) -> Result<Self> {
        let record = HookRecord::read(session, &inventory.id).await?;
        Ok(Self { record, listed: Some(inventory.clone()) })
    }

    fn lists(&self, object: &ObjectId) -> bool {
        self.listed.as_ref().is_some_and(|inventory| inventory.has(object))
    }

    fn is_first(&self) -> bool {
        self.listed.as_ref().is_none_or(Inventory::is_empty)
    }

    /// The hooks that an apply of waves runs, in order.
    #[must_use]
    pub fn due<'w>(&self, waves: &'w [Wave], trigger: Trigger) -> Vec<DueHook<'w>> {
        let mut due = Vec::new();
        for moment in [Moment::PreApply, Moment::PostApply] {
            for (wave, hooks) in waves.iter().map(|wave| &wave.hooks).enumerate() {
                let of_moment = hooks.iter().filter_map(|hook| Some((hook, hook.hook.occasion(moment)?)));
                let running = of_moment.filter(|(hook, occasion)| self.is_due(hook, *occasion, trigger));
                due.extend(running.map(|(hook, _)| DueHook { moment, wave, hook }));
            }
        }
        due
    }

    fn is_due(&self, hook: &HookItem, occasion: Occasion, trigger: Trigger) -> bool {
        let object = &hook.item.object;
        let known = self.record.of(object);
        // A Job that was applied before it became a hook has run.
        let is_new = known.is_none() && !self.lists(object);
        let has_failed = known.is_some_and(|known| known.is_due);
        let has_changed = known.is_some_and(|known| known.digest != digest(&hook.item.body));
        match occasion {
            Occasion::First => is_new || has_failed,
            Occasion::Every | Occasion::Later
                if trigger.changes || trigger.asked || is_new || has_failed || has_changed =>
            {
                occasion == Occasion::Every || !self.is_first()
            }
            Occasion::Every | Occasion::Later => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hook_record::HookRecord;
    use super::super::hook_record::tests::{jobs, record};
    use super::super::inventory::Inventory;
    use super::{KnownHooks, Trigger};
    use crate::apply::InventoryId;
    use kfc_kube::wave::Wave;

    const LIST: [(&str, &str); 4] = [
        ("after", "kfc.dev/hook: post-apply"),
        ("before", "kfc.dev/hook: pre-apply"),
        ("once", "helm.sh/hook: pre-install"),
        ("upgrade", "helm.sh/hook: pre-upgrade"),
    ];

    fn due(known: &KnownHooks, waves: &[Wave], trigger: Trigger) -> Vec<String> {
        known.due(waves, trigger).iter().map(|due| due.object().name.clone()).collect()
    }

    fn known(record: HookRecord, listed: &[&str]) -> KnownHooks {
        let mut inventory = Inventory::new(InventoryId::new("default", "test"));
        for name in listed {
            let object = format!("Job shop/{name}").parse().unwrap();
            inventory.add(kfc_kube::ObjectId { group: "batch".to_owned(), ..object }, 0);
        }
        KnownHooks { record, listed: Some(inventory) }
    }

    const CHANGES: Trigger = Trigger { changes: true, asked: false };
    const NOTHING: Trigger = Trigger { changes: false, asked: false };
    const ASKED: Trigger = Trigger { changes: false, asked: true };

    #[test]
    fn the_first_apply_runs_all_but_those_of_later_ones() {
        let none = known(record(&[], &[]), &[]);
        assert_eq!(due(&none, &jobs(&LIST), CHANGES), ["before", "once", "after"]);
    }

    #[test]
    fn an_apply_without_changes_runs_none() {
        let waves = jobs(&LIST);
        let all = known(record(&waves, &[]), &["before", "after"]);
        assert_eq!(due(&all, &waves, NOTHING), [""; 0]);
        assert_eq!(due(&all, &waves, CHANGES), ["before", "upgrade", "after"]);
        assert_eq!(due(&all, &waves, ASKED), ["before", "upgrade", "after"]);
    }

    #[test]
    fn a_hook_that_failed_or_changed_runs_again() {
        let waves = jobs(&LIST);
        let failed = known(record(&waves, &["after", "once"]), &["before", "after"]);
        assert_eq!(due(&failed, &waves, NOTHING), ["once", "after"]);
        let mut list = LIST;
        list[1].1 = "kfc.dev/hook: pre-apply, other: x";
        let all = known(record(&waves, &[]), &["before", "after"]);
        assert_eq!(due(&all, &jobs(&list), NOTHING), ["before"]);
    }

    #[test]
    fn a_job_that_was_applied_before_it_was_a_hook_has_run() {
        let plain = known(record(&[], &[]), &["before", "once", "after", "upgrade"]);
        assert_eq!(due(&plain, &jobs(&LIST), NOTHING), [""; 0]);
        assert_eq!(due(&plain, &jobs(&LIST), CHANGES), ["before", "upgrade", "after"]);
    }

    #[test]
    fn without_an_inventory_nothing_is_known() {
        let nothing = KnownHooks { record: record(&[], &[]), listed: None };
        assert_eq!(due(&nothing, &jobs(&LIST), NOTHING), ["before", "once", "after"]);
    }
}
