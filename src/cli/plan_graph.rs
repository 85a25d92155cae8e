//! The components of a plan as a report shows them.

use kfc_catalogue::resolve::{Edge, Plan, Planned};
use kfc_diff::model::{Graph, GraphEdge, GraphNode};

/// The components of a plan, for a report.
#[must_use]
pub(super) fn graph_of(plan: &Plan) -> Graph {
    let name = |at: usize| plan.components[at].name().to_owned();
    let node = |planned: &Planned| {
        let mut node = GraphNode::new(planned.name(), planned.reason.text());
        (node.depth, node.present) = (planned.depth, planned.present);
        node
    };
    let edge = |edge: &Edge| GraphEdge::new(name(edge.from), name(edge.to), edge.capability.clone());
    Graph::new(plan.components.iter().map(node).collect(), plan.edges.iter().map(edge).collect())
}

/// The names of the components of a plan, by their indices.
#[must_use]
pub(super) fn names_of(plan: &Plan) -> Vec<String> {
    plan.components.iter().map(|planned| planned.name().to_owned()).collect()
}
