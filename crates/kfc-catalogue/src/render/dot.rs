//! The plan as DOT, for Graphviz.

use super::{reason, subtitle};
use crate::resolve::Plan;
use kfc_diagnostics::text::for_message;
use std::fmt::Write as _;

/// The plan in the DOT language.
#[must_use]
pub fn dot(plan: &Plan) -> String {
    let mut out = format!("digraph {} {{\n", quoted(&[&plan.name]));
    out.push_str("  rankdir=BT;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n");
    for (at, planned) in plan.components.iter().enumerate() {
        let label = quoted(&[planned.name(), &subtitle(plan, at)]);
        let style = if planned.present { ", style=\"rounded,dashed\"" } else { "" };
        let _ = writeln!(out, "  {} [label={label}{style}];", quoted(&[planned.name()]));
    }
    for edge in &plan.edges {
        let (from, to) = (plan.components[edge.from].name(), plan.components[edge.to].name());
        let label = edge
            .capability
            .as_ref()
            .map_or(String::new(), |_| format!(" [label={}]", quoted(&[reason(edge)])));
        let _ = writeln!(out, "  {} -> {}{label};", quoted(&[from]), quoted(&[to]));
    }
    out.push_str("}\n");
    out
}

/// Lines in quotes.
fn quoted(lines: &[&str]) -> String {
    let escaped = |line: &&str| for_message(line).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(escaped).collect::<Vec<_>>().join("\\n"))
}
