//! The order of components: required ones come first.

use super::plan::Edge;
use super::requirements::Choice;
use kfc_diagnostics::{Code, Diagnostic, Result};
use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

/// The position of a component.
pub(super) struct Placed {
    /// Its index in the choice.
    pub(super) index: usize,
    /// The length of the longest chain of components below it.
    pub depth: usize,
}

/// Orders components: by depth, then by name.
///
/// # Errors
/// [`Code::RequirementCycle`], with the whole chain.
pub(super) fn order(choice: &Choice) -> Result<Vec<Placed>> {
    let mut graph: DiGraph<usize, ()> = DiGraph::new();
    let nodes: Vec<NodeIndex> = (0..choice.list.len()).map(|at| graph.add_node(at)).collect();
    for edge in &choice.edges {
        // From the required component to the one that requires it.
        graph.update_edge(nodes[edge.to], nodes[edge.from], ());
    }
    let Ok(sorted) = toposort(&graph, None) else { return Err(cycle(choice, &graph).into()) };
    let mut depths = vec![0; choice.list.len()];
    for node in sorted {
        for next in graph.neighbors(node) {
            depths[next.index()] = depths[next.index()].max(depths[node.index()] + 1);
        }
    }
    let mut order: Vec<Placed> =
        depths.into_iter().enumerate().map(|(index, depth)| Placed { index, depth }).collect();
    order.sort_by(|a, b| {
        let name = |placed: &Placed| &choice.list[placed.index].name;
        a.depth.cmp(&b.depth).then_with(|| name(a).cmp(name(b)))
    });
    Ok(order)
}

/// The error for components that wait for each other, with one shortest chain and the locations of its requirements.
fn cycle(choice: &Choice, graph: &DiGraph<usize, ()>) -> Diagnostic {
    let knots = tarjan_scc(graph).into_iter().filter(|knot| knot.len() > 1);
    let mut knot: Vec<usize> = knots
        .map(|knot| knot.into_iter().map(|node| graph[node]).collect::<Vec<_>>())
        .min_by_key(Vec::len)
        .unwrap_or_default();
    knot.sort_by_key(|at| &choice.list[*at].name);
    let start = knot.first().copied().unwrap_or(0);
    let chain = shortest_path(&choice.edges, &knot, start);
    let names: Vec<String> = chain.iter().map(|edge| choice.list[edge.from].name.clone()).collect();
    let message = format!(
        "components wait for each other: {} and {} again",
        names.join(", then "),
        names.first().map_or("", String::as_str)
    );
    let mut error = Diagnostic::error(Code::RequirementCycle, message);
    for (at, edge) in chain.iter().enumerate() {
        let (from, to) = (&choice.list[edge.from].name, &choice.list[edge.to].name);
        let text = match &edge.capability {
            None => format!("`{from}` requires `{to}`"),
            Some(capability) => format!("`{from}` requires `{capability}`, which `{to}` provides"),
        };
        error = if at == 0 { error.at(edge.mark).note(text) } else { error.label(edge.mark, text) };
    }
    error.help("remove one of these requirements, or have another component provide the capability")
}

/// The edges of a shortest path from a component back to itself within a strongly connected component.
fn shortest_path<'e>(edges: &'e [Edge], knot: &[usize], start: usize) -> Vec<&'e Edge> {
    let mut paths: Vec<Vec<&Edge>> = vec![Vec::new()];
    let mut seen = Vec::new();
    while !paths.is_empty() {
        let mut longer = Vec::new();
        for path in paths {
            let here = path.last().map_or(start, |edge| edge.to);
            for edge in edges.iter().filter(|edge| edge.from == here && knot.contains(&edge.to)) {
                let mut next = path.clone();
                next.push(edge);
                if edge.to == start {
                    return next;
                }
                if !seen.contains(&edge.to) {
                    seen.push(edge.to);
                    longer.push(next);
                }
            }
        }
        paths = longer;
    }
    Vec::new()
}
