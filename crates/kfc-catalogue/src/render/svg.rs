//! The plan as SVG: one row of boxes for each depth, with required components at the bottom. Within a row, boxes are near the
//! middle of those that they are connected with, so that few lines cross.

use super::{reason, subtitle};
use crate::resolve::Plan;
use kfc_diagnostics::text::{escaped_markup, for_message};
use kfc_layout::{BOX_HEIGHT, ROW_GAP, place, rows};
use std::fmt::Write as _;

const MARGIN: usize = 20;
/// An upper bound for the width of a character in a label.
const CHARACTER: usize = 7;
/// The plan as an SVG document without scripts or fonts.
#[must_use]
pub fn svg(plan: &Plan) -> String {
    let depths: Vec<usize> = plan.components.iter().map(|planned| planned.depth).collect();
    let edges: Vec<(usize, usize)> = plan.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let rows = rows(&depths, &edges);
    let widths: Vec<usize> = (0..plan.components.len()).map(|at| width_of(plan, at)).collect();
    let boxes = place(&rows, &widths, MARGIN);
    let width = boxes.iter().map(|b| b.x + b.width).max().unwrap_or(0) + MARGIN;
    let height = rows.len().max(1) * (BOX_HEIGHT + ROW_GAP) + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        escaped(&plan.name)
    );
    for edge in &plan.edges {
        let title = format!(
            "{} requires {} ({})",
            plan.components[edge.from].name(),
            plan.components[edge.to].name(),
            reason(edge)
        );
        let _ = writeln!(
            out,
            "<path d=\"{}\" fill=\"none\" stroke=\"#8aa\"><title>{}</title></path>",
            boxes[edge.from].line_to(boxes[edge.to]),
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

fn width_of(plan: &Plan, at: usize) -> usize {
    let name = plan.components[at].name().chars().count() * (CHARACTER + 1);
    let below = subtitle(plan, at).chars().count() * (CHARACTER - 1);
    name.max(below) + 2 * CHARACTER
}

fn escaped(text: &str) -> String {
    escaped_markup(&for_message(text)).into_owned()
}
