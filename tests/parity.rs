//! Every component of the catalogue beside upstream's manifests of the same release, object by object and field by field.
//!
//! `tests/parity/sources.yaml` names the releases, `tests/parity/components` has a table for each component: the roots that
//! upstream builds, and every object and field that differs on purpose, with the reason. A difference that no line names fails,
//! and so does a line without a difference. The trees of upstream are not part of the repository: `KFC_UPSTREAM` names a
//! directory with a checkout of each source; the comparisons are ignored without it. With `KFC_PARITY=write`, the run writes
//! the results to `docs/parity.md`. CRDs are not compared here.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod case;
mod parity {
    pub(crate) mod compare;
    pub(crate) mod form;
    pub(crate) mod grants;
    pub(crate) mod page;
    pub(crate) mod table;
    pub(crate) mod trees;
}

use libtest_mimic::{Completion, Trial};
use parity::compare::{Compared, compare_all};
use parity::table::Tables;
use parity::{page, trees};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn every_component_has_a_table() {
    let entries = std::fs::read_dir(top().join("bases")).unwrap();
    let mut components: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    components.sort();
    let tables = Tables::read();
    assert_eq!(tables.components.keys().cloned().collect::<Vec<_>>(), components);
    for (name, table) in &tables.components {
        let given = [!table.upstream.is_empty(), table.within.is_some(), table.why.is_some()];
        let count = given.iter().filter(|is_given| **is_given).count();
        assert_eq!(count, 1, "{name}: one of `upstream`, `within` and `why` is due");
        assert!(table.within.iter().all(|other| tables.components.contains_key(other)), "{name}: `within`");
        for root in &table.upstream {
            assert!(tables.sources.contains_key(&root.source), "{name}: unknown source {}", root.source);
        }
        for line in &table.differs {
            assert!(line.field.is_none() == line.only.is_some(), "{name}: {} needs `field` or `only`", line.object);
            assert!(line.reason.split_whitespace().count() >= 3, "{name}: {} has no reason", line.object);
            assert!(!line.object.contains('*'), "{name}: {} is a pattern", line.object);
        }
    }
}

/// The comparison of one component, or the reason why there is none.
fn trial(name: &str, compared: &Result<Arc<Compared>, String>) -> Trial {
    let (name, compared) = (name.to_owned(), compared.clone());
    Trial::ignorable_test(name.clone(), move || match compared {
        Err(why) => Ok(Completion::ignored_with(why)),
        Ok(compared) => match compared.components.get(&name) {
            None => Ok(Completion::ignored_with("upstream has no manifests of it")),
            Some(found) => found.unexplained().map_or(Ok(Completion::Completed), |text| Err(text.into())),
        },
    })
}

fn main() -> ExitCode {
    let tables = Tables::read();
    let compared = trees::directory().map(|directory| Arc::new(compare_all(&tables, &directory)));
    let mut trials: Vec<Trial> = tables.components.keys().map(|name| trial(name, &compared)).collect();
    trials.push(case::trial("every_component_has_a_table", every_component_has_a_table));
    let source_trial = |name: &String| {
        let (name, compared) = (name.clone(), compared.clone());
        Trial::ignorable_test(format!("source-{name}"), move || match compared {
            Err(why) => Ok(Completion::ignored_with(why)),
            Ok(compared) => match compared.digests.get(&name) {
                Some((due, found)) if due != found => Err(format!(
                    "the tree is not the release that tests/parity/sources.yaml names: its digest is {found}"
                )
                .into()),
                _ => Ok(Completion::Completed),
            },
        })
    };
    trials.extend(tables.sources.keys().map(source_trial));
    let for_page = compared.clone();
    trials.push(Trial::ignorable_test("the_page_has_the_results", move || match for_page {
        Err(why) => Ok(Completion::ignored_with(why)),
        Ok(compared) => page::check(&compared, &Tables::read(), &top().join("docs/parity.md")),
    }));
    case::run(trials)
}
