//! Circles between modules.

use super::modules::{Crate, ModulePath};
use std::collections::{BTreeMap, BTreeSet};

/// The modules of a crate that use each other in a circle, each circle as its modules and what they use of one another.
/// A directory counts as the files in it; a name that a front page hands on counts as use of the file that has it.
pub(crate) fn circles(part: &Crate) -> Vec<Vec<String>> {
    let uses = part.uses();
    let mut graph = petgraph::graphmap::DiGraphMap::<usize, ()>::new();
    let modules: Vec<&ModulePath> = part.modules.keys().collect();
    let number = |path: &ModulePath| modules.iter().position(|own| *own == path);
    for (from, targets) in &uses {
        for to in targets.keys() {
            if let (Some(from), Some(to)) = (number(from), number(to)) {
                graph.add_edge(from, to, ());
            }
        }
    }
    let sets = petgraph::algo::tarjan_scc(&graph).into_iter().filter(|set| set.len() > 1);
    let mut found: Vec<Vec<String>> = sets.map(|set| edges(&set, &modules, &uses)).collect();
    found.extend(sibling_circles(part, &uses));
    found
}

type Uses = BTreeMap<ModulePath, BTreeMap<ModulePath, BTreeSet<String>>>;

fn edges(set: &[usize], modules: &[&ModulePath], uses: &Uses) -> Vec<String> {
    let inside: Vec<&ModulePath> = set.iter().map(|at| modules[*at]).collect();
    let mut lines = Vec::new();
    for from in &inside {
        for (to, names) in uses.get(*from).into_iter().flatten().filter(|(to, _)| inside.contains(to)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            lines.push(format!("{} -> {} ({})", from.join("::"), to.join("::"), names.join(", ")));
        }
    }
    lines
}

/// Circles between directories and files beside each other, each taken with everything below it.
fn sibling_circles(part: &Crate, uses: &Uses) -> Vec<Vec<String>> {
    let parents: BTreeSet<ModulePath> =
        part.modules.keys().flat_map(|path| (0..path.len()).map(|length| path[..length].to_vec())).collect();
    let mut found = Vec::new();
    for parent in parents {
        let depth = parent.len();
        let mut graph = petgraph::graphmap::DiGraphMap::<&str, ()>::new();
        let below = |path: &ModulePath| path.len() > depth && path[..depth] == parent[..];
        for (from, targets) in uses.iter().filter(|(from, _)| below(from)) {
            for to in targets.keys().filter(|to| below(to) && to[depth] != from[depth]) {
                graph.add_edge(from[depth].as_str(), to[depth].as_str(), ());
            }
        }
        for set in petgraph::algo::tarjan_scc(&graph).into_iter().filter(|set| set.len() > 1) {
            found.push(set.into_iter().map(|name| format!("{}::{name}", parent.join("::"))).collect());
        }
    }
    found
}
