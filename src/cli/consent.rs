//! Shows what is to be deleted and gets consent before anything is done: on a terminal by an answer, elsewhere by a flag.

use super::screen::{MessageFormat, screen};
use kfc_cluster::apply::{RemovalPlan, Stay};
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_kube::ObjectId;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write as _};

/// Objects that are named when many stay for one reason.
const NAMED: usize = 5;

/// How a run that applies something asks nothing.
pub(super) const AGREED: &str =
    "look with `--dry-run=server`, then agree with `--yes` (and `--no-prune` to delete nothing)";

/// Whether there is a terminal on which the user can be asked, and nothing else reads what is printed there.
pub(super) fn is_asked() -> bool {
    let is_for_people = screen().messages == MessageFormat::Text;
    is_for_people && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// The answer to a question on the terminal; empty when there is none.
pub(super) fn ask(question: &str) -> String {
    {
        let mut out = std::io::stderr().lock();
        // A closed terminal cannot be asked; no answer means no.
        drop(write!(out, "{question}"));
        drop(out.flush());
    }
    let mut answer = String::new();
    drop(std::io::stdin().lock().read_line(&mut answer));
    answer.trim().to_owned()
}

/// What would be deleted, one object in a line, those that hold data first; then the notes.
pub(super) fn preview(word: &str, plan: &RemovalPlan) -> String {
    let mut objects: Vec<&ObjectId> = plan.going.iter().map(|(object, _)| object).collect();
    objects.sort_by_key(|object| (!holds_data(object), object.kind != "CustomResourceDefinition"));
    let mut text = String::new();
    for object in objects {
        let loss = if holds_data(object) { " (with its data)" } else { "" };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {word} {object}{loss}");
    }
    for note in &plan.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    text
}

fn holds_data(object: &ObjectId) -> bool {
    object.group.is_empty()
        && matches!(object.kind.as_str(), "Namespace" | "PersistentVolumeClaim" | "PersistentVolume")
}

/// What stays, one line for each reason.
pub(super) fn staying(stays: &[Stay]) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<&ObjectId>> = BTreeMap::new();
    for stay in stays {
        by_reason.entry(&stay.why).or_default().push(&stay.object);
    }
    let line = |(why, objects): (&str, Vec<&ObjectId>)| {
        if let [object] = objects.as_slice() {
            return format!("{object} stays: {why}");
        }
        format!("{} objects stay: {why}: {}", objects.len(), named(objects.iter().copied()))
    };
    by_reason.into_iter().map(line).collect()
}

/// The first few of some objects.
pub(super) fn named<'o>(objects: impl ExactSizeIterator<Item = &'o ObjectId>) -> String {
    let more = objects.len().saturating_sub(NAMED);
    let names: Vec<String> = objects.take(NAMED).map(ToString::to_string).collect();
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// How many objects of each kind: `2 ConfigMap, 1 Namespace`.
pub(super) fn by_kind<'o>(objects: impl Iterator<Item = &'o ObjectId>) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for object in objects {
        *kinds.entry(&object.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    kinds.join(", ")
}

/// Asks on a terminal for `name` to be typed; elsewhere requires `--yes`.
pub(super) fn confirm_deletion(name: &str, server: &str, plan: &RemovalPlan) -> Result<()> {
    let count = plan.going.len();
    let kinds = by_kind(plan.going.iter().map(|(object, _)| object));
    let objects = if count == 1 { "object" } else { "objects" };
    let question = format!("This deletes {count} {objects} from {server}, with all data in them: {kinds}.");
    if !is_asked() {
        let error = Diagnostic::error(Code::Usage, "the deletion has to be confirmed").note(question);
        return Err(error.help("confirm it with `--yes`; `--dry-run` lists the objects").into());
    }
    let answer = ask(&format!("{}{question}\nType `{name}` to continue: ", preview("delete", plan)));
    if answer == name {
        return Ok(());
    }
    Err(Diagnostic::error(Code::Usage, "not confirmed; nothing was deleted").into())
}

/// `N objects`, or `1 object`.
pub(super) fn count_of(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}
