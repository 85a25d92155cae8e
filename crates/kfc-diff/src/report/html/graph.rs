//! The rendered graph of components in the page: required components at the bottom, changed ones in the colour of their
//! worst severity. A box links to the changes of its component.

use super::rows::component_anchor;
use crate::model::{Graph, GraphNode, Severity};
use crate::report::view::{View, counted};
use kfc_diagnostics::text::escaped_markup;
use kfc_layout::{BOX_HEIGHT, Placed, place};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const MARGIN: usize = 12;
/// Width of a character of the labels, rounded up.
const CHARACTER: usize = 8;
/// The most boxes beside each other.
const COLUMNS: usize = 9;
/// What changed in a component: its place in the list, how many resources, how badly.
type Touched<'a> = BTreeMap<&'a str, (usize, usize, Severity)>;

/// The rendered graph.
pub(super) fn svg(graph: &Graph, view: &View) -> String {
    let edges = edges(graph);
    let widths: Vec<usize> = graph.nodes.iter().map(width_of).collect();
    let boxes = place(&rows(graph, &edges), &widths, MARGIN);
    let touched: Touched<'_> = (view.groups.iter().enumerate())
        .filter_map(|(nth, group)| {
            let worst = group.items.iter().map(|item| item.severity).max()?;
            Some((group.component.as_deref()?, (nth, group.items.len(), worst)))
        })
        .collect();
    let width = boxes.iter().map(|b| b.x + b.width).max().unwrap_or(0) + MARGIN;
    let height = boxes.iter().map(|b| b.y + BOX_HEIGHT).max().unwrap_or(0) + MARGIN;
    let mut out = format!(
        "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-size=\"13\" role=\"group\" aria-label=\"Components\">"
    );
    for (from, to) in edges {
        write_edge(graph, &boxes, (from, to), &touched, &mut out);
    }
    for (node, b) in graph.nodes.iter().zip(&boxes) {
        let subtitle = match touched.get(node.name.as_str()) {
            Some((_, count, _)) => format!("{} differ", counted(*count, "resource"))
                .replace("1 resource differ", "1 resource differs"),
            None if node.present => "present on the cluster".to_owned(),
            None => "the same".to_owned(),
        };
        write_box(node, *b, &subtitle, touched.get(node.name.as_str()), &mut out);
    }
    out.push_str("</svg>");
    out
}

fn write_edge(
    graph: &Graph,
    boxes: &[Placed],
    (from, to): (usize, usize),
    touched: &Touched<'_>,
    out: &mut String,
) {
    let on = if touched.contains_key(graph.nodes[to].name.as_str()) { " on" } else { "" };
    let _ = write!(
        out,
        "<path class=\"edge{on}\" d=\"{}\"><title>{} requires {}</title></path>",
        boxes[from].line_to(boxes[to]),
        escaped_markup(&graph.nodes[from].name),
        escaped_markup(&graph.nodes[to].name)
    );
}

fn write_box(
    node: &GraphNode,
    b: Placed,
    subtitle: &str,
    touched: Option<&(usize, usize, Severity)>,
    out: &mut String,
) {
    let middle = b.x + b.width / 2;
    let dash = if node.present { " stroke-dasharray=\"4\"" } else { "" };
    let (class, open, close) = match touched {
        Some((nth, _, worst)) => {
            let name = component_anchor(*nth);
            (format!(" touched s-{worst}"), format!("<a href=\"#{name}\">"), "</a>")
        }
        None => (String::new(), String::new(), ""),
    };
    let _ = write!(
        out,
        "{open}<g class=\"node{class}\"><title>{}: {}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{BOX_HEIGHT}\" rx=\"8\"{dash}/>\
         <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"600\">{}</text>\
         <text class=\"sub\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\">{}</text></g>{close}",
        escaped_markup(&node.name),
        escaped_markup(&node.reason),
        b.x,
        b.y,
        b.width,
        b.y + 19,
        escaped_markup(&node.name),
        b.y + 34,
        escaped_markup(subtitle)
    );
}

/// The edges as indices of nodes; those of unknown nodes are left out.
fn edges(graph: &Graph) -> Vec<(usize, usize)> {
    let at: BTreeMap<&str, usize> =
        graph.nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
    let find = |name: &str| at.get(name).copied();
    graph.edges.iter().filter_map(|edge| find(&edge.from).zip(find(&edge.to))).collect()
}

/// The nodes in rows; a depth with many nodes takes several.
fn rows(graph: &Graph, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let depths: Vec<usize> = graph.nodes.iter().map(|node| node.depth).collect();
    let rows = kfc_layout::rows(&depths, edges);
    rows.iter().flat_map(|row| row.chunks(COLUMNS)).map(<[usize]>::to_vec).collect()
}

fn width_of(node: &GraphNode) -> usize {
    (node.name.chars().count().max(18) + 2) * CHARACTER
}
