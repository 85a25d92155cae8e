//! The plan as SVG: one row of boxes for each depth, with required components at the bottom. Within a row, boxes are near the
//! middle of those that they are connected with, so that few lines cross.

use super::{reason, subtitle};
use crate::resolve::Plan;
use kfc_diagnostics::text::for_message;
use std::fmt::Write as _;

const BOX_HEIGHT: usize = 44;
const ROW_GAP: usize = 56;
const COLUMN_GAP: usize = 18;
const MARGIN: usize = 20;
/// An upper bound for the width of a character in a label.
const CHARACTER: usize = 7;
/// Passes that move boxes towards their neighbours.
const PASSES: usize = 8;

struct Placed {
    x: usize,
    y: usize,
    width: usize,
}

/// The plan as an SVG document without scripts or fonts.
#[must_use]
pub fn svg(plan: &Plan) -> String {
    let rows = rows(plan);
    let boxes = place(plan, &rows);
    let width = boxes.iter().map(|b| b.x + b.width).max().unwrap_or(0) + MARGIN;
    let height = rows.len() * (BOX_HEIGHT + ROW_GAP) + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        escaped(&plan.name)
    );
    for edge in &plan.edges {
        let (from, to) = (&boxes[edge.from], &boxes[edge.to]);
        let (x1, y1) = (from.x + from.width / 2, from.y + BOX_HEIGHT);
        let (x2, y2) = (to.x + to.width / 2, to.y);
        let title = format!(
            "{} requires {} ({})",
            plan.components[edge.from].name(),
            plan.components[edge.to].name(),
            reason(edge)
        );
        let bend = ROW_GAP / 2;
        let _ = writeln!(
            out,
            "<path d=\"M{x1} {y1}C{x1} {} {x2} {} {x2} {y2}\" fill=\"none\" stroke=\"#8aa\"><title>{}</title></path>",
            y1 + bend,
            y2.saturating_sub(bend),
            escaped(&title)
        );
    }
    for (at, (planned, b)) in plan.components.iter().zip(&boxes).enumerate() {
        let dash = if planned.present { " stroke-dasharray=\"4\"" } else { "" };
        let middle = b.x + b.width / 2;
        let _ = writeln!(
            out,
            "<g><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{BOX_HEIGHT}\" rx=\"6\" fill=\"#f2f7f7\" stroke=\"#366\"{dash}/>\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" fill=\"#566\" font-size=\"10\">{}</text></g>",
            escaped(&planned.component.description),
            b.x,
            b.y,
            b.width,
            b.y + 18,
            escaped(planned.name()),
            b.y + 34,
            escaped(&subtitle(plan, at))
        );
    }
    out.push_str("</svg>\n");
    out
}

/// The components of each depth, the deepest first, each row in the order in which it is drawn.
fn rows(plan: &Plan) -> Vec<Vec<usize>> {
    let depth = plan.components.iter().map(|planned| planned.depth).max().unwrap_or(0);
    let mut rows: Vec<Vec<usize>> = (0..=depth)
        .rev()
        .map(|depth| (0..plan.components.len()).filter(|at| plan.components[*at].depth == depth).collect())
        .collect();
    for pass in 0..PASSES {
        let positions = positions(plan, &rows);
        let at_row = |nth: usize| if pass % 2 == 0 { nth } else { rows.len() - 1 - nth };
        for nth in (0..rows.len()).map(at_row).collect::<Vec<_>>() {
            let mut keyed: Vec<(usize, usize)> =
                rows[nth].iter().map(|at| (barycentre(plan, *at, &positions), *at)).collect();
            keyed.sort_unstable();
            rows[nth] = keyed.into_iter().map(|(_, at)| at).collect();
        }
    }
    rows
}

/// The horizontal position of each component in its row, in thousandths.
fn positions(plan: &Plan, rows: &[Vec<usize>]) -> Vec<usize> {
    let mut positions = vec![0; plan.components.len()];
    for row in rows {
        for (nth, at) in row.iter().enumerate() {
            positions[*at] = (2 * nth + 1) * 1000 / (2 * row.len());
        }
    }
    positions
}

/// The mean position of the components that a component is connected with, or its own.
fn barycentre(plan: &Plan, at: usize, positions: &[usize]) -> usize {
    let joined = plan.edges.iter().filter_map(|edge| match (edge.from == at, edge.to == at) {
        (true, _) => Some(positions[edge.to]),
        (_, true) => Some(positions[edge.from]),
        _ => None,
    });
    let (sum, count) = joined.fold((0, 0), |(sum, count), position| (sum + position, count + 1));
    sum.checked_div(count).unwrap_or(positions[at])
}

fn place(plan: &Plan, rows: &[Vec<usize>]) -> Vec<Placed> {
    let width = |at: usize| {
        let name = plan.components[at].name().chars().count() * (CHARACTER + 1);
        let below = subtitle(plan, at).chars().count() * (CHARACTER - 1);
        name.max(below) + 2 * CHARACTER
    };
    let row_width = |row: &[usize]| row.iter().map(|at| width(*at) + COLUMN_GAP).sum::<usize>();
    let widest = rows.iter().map(|row| row_width(row)).max().unwrap_or(0);
    let mut boxes: Vec<Placed> =
        (0..plan.components.len()).map(|at| Placed { x: 0, y: 0, width: width(at) }).collect();
    for (nth, row) in rows.iter().enumerate() {
        let mut x = MARGIN + (widest - row_width(row)) / 2;
        for at in row {
            boxes[*at].x = x;
            boxes[*at].y = MARGIN + nth * (BOX_HEIGHT + ROW_GAP);
            x += boxes[*at].width + COLUMN_GAP;
        }
    }
    boxes
}

fn escaped(text: &str) -> String {
    for_message(text).replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
