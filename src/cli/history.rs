//! `kfc history`: the revisions of an inventory.

use super::args::{ClusterArgs, ListFormat, ListFormatArgs, inventory_id};
use super::interrupt::run_until_interrupted;
use super::inventory::{existing, inventory_here};
use super::listing::{Listing, Row, described, encoded};
use super::output;
use super::progress::Progress;
use clap::Args;
use kfc_cluster::apply::{InventoryHistory, InventoryId, Revision, Session};
use kfc_cluster::cluster::Connection;
use kfc_diagnostics::text::document;
use kfc_diagnostics::{Result, Sources};
use serde_json::json;
use std::fmt::Write as _;

/// How many digits of a digest a table has.
const DIGITS: usize = 12;

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// The inventory: `NAME`, or `NAMESPACE/NAME` outside of `default`; that of the `kfc.yaml` here when not given.
    #[arg(value_name = "[NAMESPACE/]NAME", value_parser = inventory_id)]
    inventory: Option<InventoryId>,
    /// Show one revision, with all that is known of it.
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    form: ListFormatArgs,
}

pub(super) fn run(args: &HistoryArgs) -> u8 {
    let progress = Progress::new();
    let result = history(args, &progress);
    progress.end();
    output::finish(result, &Sources::default(), "the command")
}

fn history(args: &HistoryArgs, progress: &Progress) -> Result<String> {
    let id = args.inventory.clone().map_or_else(inventory_here, Ok)?;
    run_until_interrupted(async {
        let connection = Connection::open(&args.cluster.options()).await?;
        let session = Session::start(&connection, args.cluster.concurrency, progress).await?;
        let history = InventoryHistory::read(&session, &id).await?;
        if history.revisions().is_empty() {
            existing(&session, &id).await?;
        }
        if let Some(number) = args.revision {
            let revision = history.revision(number)?;
            return match args.form.format {
                ListFormat::Text | ListFormat::Wide => Ok(document(one(revision))),
                ListFormat::Name => Ok(format!("{}\n", revision.number)),
                format => encoded(&described("Revision", json!(revision)), format),
            };
        }
        if history.revisions().is_empty() {
            progress.say(&format!(
                "the inventory {id} has no history: an apply that changes something adds a revision"
            ));
        }
        match args.form.format {
            ListFormat::Text | ListFormat::Wide | ListFormat::Name if history.revisions().is_empty() => {
                Ok(String::new())
            }
            ListFormat::Json | ListFormat::Yaml => {
                let all = json!({"inventory": id.words(), "revisions": history.revisions()});
                encoded(&described("RevisionList", all), args.form.format)
            }
            format => listing(history.revisions()).render(format),
        }
    })
}

/// The revisions as a table, the oldest first.
fn listing(revisions: &[Revision]) -> Listing {
    let heads = vec!["REVISION", "TIME", "RESULT", "CREATED", "CHANGED", "DELETED", "DIGEST", "SOURCE"];
    let row = |revision: &Revision| {
        let changes = revision.changes;
        let columns = vec![
            revision.number.to_string(),
            revision.time.clone(),
            revision.result.word().to_owned(),
            changes.created.to_string(),
            changes.changed.to_string(),
            changes.deleted.to_string(),
            revision.digest.chars().take(DIGITS).collect(),
            match revision.rollback_to {
                Some(number) => format!("rollback to {number}: {}", source(revision)),
                None => source(revision),
            },
        ];
        Row { columns, json: json!(revision) }
    };
    Listing { kind: "RevisionList", heads, rows: revisions.iter().map(row).collect() }
}

/// What the bundle of a revision was made from, as a command line has it.
pub(super) fn source(revision: &Revision) -> String {
    let source = &revision.source;
    let only = (!source.only.is_empty()).then(|| format!("--only={}", source.only.join(",")));
    let words = std::iter::once(source.target.clone()).chain(source.arguments.iter().cloned()).chain(only);
    words.collect::<Vec<_>>().join(" ")
}

/// All that is known of a revision, one field in a line.
fn one(revision: &Revision) -> String {
    let changes = revision.changes;
    let mut lines = vec![
        ("revision", revision.number.to_string()),
        ("time", revision.time.clone()),
        ("kfc", revision.version.clone()),
        ("result", revision.result.word().to_owned()),
        (
            "changes",
            format!(
                "{} created, {} changed, {} deleted, {} hooks run",
                changes.created, changes.changed, changes.deleted, changes.hooks
            ),
        ),
        ("digest", revision.digest.clone()),
        ("source", source(revision)),
    ];
    lines.extend(revision.rollback_to.map(|number| ("rollback", format!("to revision {number}"))));
    if !revision.source.components.is_empty() {
        lines.push(("components", revision.source.components.join(", ")));
    }
    let copy = match &revision.copy {
        Some(copy) if copy.parts == 1 => "kept, in 1 config map".to_owned(),
        Some(copy) => format!("kept, in {} config maps", copy.parts),
        None => "not kept: it was too large".to_owned(),
    };
    lines.push(("copy", copy));
    lines.extend(revision.withheld.iter().map(|object| ("withheld", object.to_string())));
    lines.into_iter().fold(String::new(), |mut text, (name, value)| {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{name:<10}  {value}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{ListFormat, listing, one};
    use kfc_cluster::apply::{CopyRef, Revision, RevisionResult, RevisionSource, Tally};

    fn revision() -> Revision {
        Revision {
            number: 3,
            time: "2026-11-29T07:17:22Z".to_owned(),
            version: "0.1.0".to_owned(),
            result: RevisionResult::Failed,
            changes: Tally { created: 1, changed: 20, deleted: 0, hooks: 2 },
            digest: "0123456789abcdef".repeat(4),
            source: RevisionSource {
                target: "gke+gpu".to_owned(),
                arguments: vec!["--set=domain=example.org".to_owned()],
                only: vec!["katib".to_owned()],
                components: vec!["katib".to_owned(), "mysql".to_owned()],
            },
            rollback_to: Some(1),
            withheld: vec!["Secret shop/s".parse().unwrap()],
            copy: Some(CopyRef { digest: "0".repeat(64), parts: 1 }),
        }
    }

    #[test]
    fn a_table_has_one_line_for_each_revision() {
        let first = Revision { number: 1, rollback_to: None, ..revision() };
        let second = Revision { result: RevisionResult::Succeeded, ..revision() };
        assert_eq!(
            listing(&[first, second]).render(ListFormat::Wide).unwrap(),
            "REVISION  TIME                  RESULT     CREATED  CHANGED  DELETED  DIGEST        SOURCE\n\
             1         2026-11-29T07:17:22Z  failed     1        20       0        0123456789ab  gke+gpu --set=domain=example.org --only=katib\n\
             3         2026-11-29T07:17:22Z  succeeded  1        20       0        0123456789ab  rollback to 1: gke+gpu --set=domain=example.org --only=katib\n"
        );
    }

    #[test]
    fn one_revision_names_what_is_withheld() {
        let text = one(&revision());
        for line in [
            "result      failed\n",
            "changes     1 created, 20 changed, 0 deleted, 2 hooks run\n",
            "rollback    to revision 1\n",
            "components  katib, mysql\n",
            "copy        kept, in 1 config map\n",
            "withheld    Secret shop/s\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
