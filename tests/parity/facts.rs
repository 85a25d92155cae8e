//! Which facts of our bases a release of upstream no longer has, component by component: for a maintainer who takes a new release.

use super::compare::{compare_release, versions_that_differ};
use super::table::Tables;
use super::trees;
use std::fmt::Write as _;
use std::path::Path;

/// The most objects of one fact that are named.
const NAMED: usize = 3;

/// A line for each fact; one that many objects have, such as a label with the version, is one line.
fn lines(facts: &[(String, String)]) -> String {
    let mut by_fact: Vec<(&str, Vec<&str>)> = Vec::new();
    for (object, what) in facts {
        match by_fact.iter_mut().find(|(known, _)| known == what) {
            Some((_, objects)) => objects.push(object),
            None => by_fact.push((what, vec![object])),
        }
    }
    let mut text = String::new();
    for (what, objects) in by_fact {
        if objects.len() > NAMED {
            writeln!(text, "  {} objects, such as {}: {what}", objects.len(), objects[0]).unwrap();
        } else {
            for object in objects {
                writeln!(text, "  {object}: {what}").unwrap();
            }
        }
    }
    text
}

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
        text += &lines(&facts);
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
