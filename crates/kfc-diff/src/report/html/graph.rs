//! The rendered graph of components in the page: required components at the bottom, changed ones in the colour of their
//! worst severity. A box links to the changes of its component.

use super::rows::component_anchor;
use crate::model::{Graph, Severity};
use crate::report::view::{View, counted};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const BOX_HEIGHT: usize = 44;
const ROW_GAP: usize = 56;
const COLUMN_GAP: usize = 18;
const MARGIN: usize = 12;
/// Width of a character of the labels, rounded up.
const CHARACTER: usize = 8;
/// The most boxes beside each other.
const COLUMNS: usize = 9;
/// How often boxes are moved towards their neighbours.
const PASSES: usize = 8;

#[derive(Clone, Copy, Default)]
struct Placed {
    x: usize,
    y: usize,
    width: usize,
}

/// What changed in a component: its place in the list, how many resources, how badly.
type Touched<'a> = BTreeMap<&'a str, (usize, usize, Severity)>;

/// The rendered graph.
pub(super) fn svg(graph: &Graph, view: &View) -> String {
    let edges = edges(graph);
    let boxes = place(graph, &rows(graph, &edges));
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
    let (a, b) = (boxes[from], boxes[to]);
    let (x1, y1, x2, y2) = (a.x + a.width / 2, a.y + BOX_HEIGHT, b.x + b.width / 2, b.y);
    let bend = ROW_GAP / 2;
    let on = if touched.contains_key(graph.nodes[to].name.as_str()) { " on" } else { "" };
    let _ = write!(
        out,
        "<path class=\"edge{on}\" d=\"M{x1} {y1}C{x1} {} {x2} {} {x2} {y2}\"><title>{} requires {}</title></path>",
        y1 + bend,
        y2.saturating_sub(bend),
        escaped(&graph.nodes[from].name),
        escaped(&graph.nodes[to].name)
    );
}

fn write_box(
    node: &crate::model::GraphNode,
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
        escaped(&node.name),
        escaped(&node.reason),
        b.x,
        b.y,
        b.width,
        b.y + 19,
        escaped(&node.name),
        b.y + 34,
        escaped(subtitle)
    );
}

/// The edges as indices of nodes; those of unknown nodes are left out.
fn edges(graph: &Graph) -> Vec<(usize, usize)> {
    let at: BTreeMap<&str, usize> =
        graph.nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
    let find = |name: &str| at.get(name).copied();
    graph.edges.iter().filter_map(|edge| find(&edge.from).zip(find(&edge.to))).collect()
}

/// The nodes of each depth, the deepest first; boxes are near the middle of their neighbours. A depth with many nodes
/// takes several rows.
fn rows(graph: &Graph, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut depths: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        depths.entry(node.depth).or_default().push(at);
    }
    let mut rows: Vec<Vec<usize>> = depths.into_values().rev().collect();
    let mut positions = vec![0; graph.nodes.len()];
    for pass in 0..PASSES {
        for row in &rows {
            for (nth, at) in row.iter().enumerate() {
                positions[*at] = (2 * nth + 1) * 1000 / (2 * row.len());
            }
        }
        let order: Vec<usize> =
            if pass % 2 == 0 { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        for nth in order {
            rows[nth].sort_by_cached_key(|at| (middle_of_neighbours(*at, edges, &positions), *at));
        }
    }
    rows.into_iter().flat_map(|row| row.chunks(COLUMNS).map(<[usize]>::to_vec).collect::<Vec<_>>()).collect()
}

fn middle_of_neighbours(at: usize, edges: &[(usize, usize)], positions: &[usize]) -> usize {
    let neighbours = edges.iter().filter_map(|(from, to)| match (*from == at, *to == at) {
        (true, _) => Some(positions[*to]),
        (_, true) => Some(positions[*from]),
        _ => None,
    });
    let (sum, count) = neighbours.fold((0, 0), |(sum, count), position| (sum + position, count + 1));
    sum.checked_div(count).unwrap_or(positions[at])
}

fn place(graph: &Graph, rows: &[Vec<usize>]) -> Vec<Placed> {
    let width = |at: usize| (graph.nodes[at].name.chars().count().max(18) + 2) * CHARACTER;
    let row_width = |row: &[usize]| row.iter().map(|at| width(*at) + COLUMN_GAP).sum::<usize>();
    let widest = rows.iter().map(|row| row_width(row)).max().unwrap_or(0);
    let mut boxes = vec![Placed::default(); graph.nodes.len()];
    for (nth, row) in rows.iter().enumerate() {
        let mut x = MARGIN + (widest - row_width(row)) / 2;
        for at in row {
            boxes[*at] = Placed { x, y: MARGIN + nth * (BOX_HEIGHT + ROW_GAP), width: width(*at) };
            x += width(*at) + COLUMN_GAP;
        }
    }
    boxes
}

/// Names are in text only; all that could end it is escaped.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
