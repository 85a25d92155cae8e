//! Which facts of our bases a release of upstream no longer has, component by component: for a maintainer who takes a new release.

use super::compare::{compare_release, versions_that_differ};
use super::table::Tables;
use super::trees;
use std::fmt::Write as _;
use std::path::Path;

/// The report, and how many facts no longer hold.
pub(crate) fn report(tables: &Tables, directory: &Path) -> (String, usize) {
    let (release, problems) = trees::release(directory);
    let found = compare_release(tables, &release);
    let (mut text, mut count, mut holding) = (String::new(), 0, Vec::new());
    for (name, found) in &found {
        let mut facts = versions_that_differ(&release[name], &trees::ours(name));
        facts.extend(found.facts());
        if facts.is_empty() {
            holding.push(name.as_str());
            continue;
        }
        count += facts.len();
        writeln!(text, "{name}: {} of {} objects equal, upstream → ours:", found.equal(), found.common)
            .unwrap();
        facts.iter().for_each(|fact| writeln!(text, "  {fact}").unwrap());
    }
    for problem in &problems {
        writeln!(text, "cannot be built: {problem}").unwrap();
    }
    writeln!(text, "unchanged: {}", if holding.is_empty() { "none".to_owned() } else { holding.join(", ") })
        .unwrap();
    let components = found.len() - holding.len();
    writeln!(text, "{count} facts of {components} components no longer hold").unwrap();
    (text, count + problems.len())
}
