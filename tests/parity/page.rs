//! The results as a page of the documentation.

use crate::case::{Outcome, same, text};
use crate::parity::compare::Compared;
use crate::parity::table::{Only, Table, Tables};
use libtest_mimic::Completion;
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "# The catalogue beside upstream
`cargo test --test parity` builds our bases and upstream's manifests of the same release, and compares every object and field, what each
service account may do, and the YAML and JSON texts in config maps. What an API server would store the same counts as equal: defaults,
order, spelling. This page is written by that test ([testing.md](testing.md#beside-upstream)); CRDs are not part of it.

";

/// Compares the page with what it should be, or writes it when `KFC_PARITY` says so.
pub(crate) fn check(compared: &Compared, tables: &Tables, path: &Path) -> Outcome {
    let page = page(compared, tables);
    if std::env::var_os("KFC_PARITY").is_some_and(|word| word == "write") {
        std::fs::write(path, &page).unwrap();
        return Ok(Completion::Completed);
    }
    same(&text(path), &page, "docs/parity.md; KFC_PARITY=write writes it", "this run")
}

fn page(compared: &Compared, tables: &Tables) -> String {
    let mut page = HEAD.to_owned();
    page += "## Sources\n| source | repository | release | commit |\n| --- | --- | --- | --- |\n";
    for (name, source) in &tables.sources {
        let commit: String = source.commit.chars().take(12).collect();
        writeln!(page, "| `{name}` | {} | {} | `{commit}` |", source.repository, source.release).unwrap();
    }
    page += "\n## Components\nObjects count for the component of ours that has them.\n\n";
    page += "| component | objects of both | equal | differ on purpose | only ours | only upstream's |\n";
    page += "| --- | --- | --- | --- | --- | --- |\n";
    for (name, table) in &tables.components {
        writeln!(page, "| `{name}` | {} |", figures(compared, name, table)).unwrap();
    }
    page += "\n## What differs on purpose\n";
    for (name, table) in tables.components.iter().filter(|(_, table)| !table.differs.is_empty()) {
        writeln!(page, "### {name}\n| object | what | why |\n| --- | --- | --- |").unwrap();
        for line in &table.differs {
            let what = match (&line.field, line.only) {
                (Some(field), _) => format!("`{}`", field.replace('|', "\\|")),
                (None, Some(Only::Ours)) => "only ours".to_owned(),
                (None, _) => "only upstream's".to_owned(),
            };
            writeln!(page, "| {} | {what} | {} |", line.object, line.reason).unwrap();
        }
        page.push('\n');
    }
    format!("{}\n", page.trim_end())
}

fn figures(compared: &Compared, name: &str, table: &Table) -> String {
    let Some(found) = compared.components.get(name) else {
        return format!("none: {} | | | |", table.why.as_deref().unwrap_or_default());
    };
    let absent = |only: Only| table.differs.iter().filter(|line| line.only == Some(only)).count();
    let differ = found.common - found.equal();
    let [ours, upstream] = [absent(Only::Ours), absent(Only::Upstream)];
    format!("{} | {} | {differ} | {ours} | {upstream}", found.common, found.equal())
}
