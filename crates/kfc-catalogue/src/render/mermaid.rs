//! The plan for Mermaid, as README files on GitHub show it.

use super::{reason, subtitle};
use crate::resolve::Plan;
use kfc_diagnostics::text::{escaped_markup, for_message};
use std::fmt::Write as _;

/// The plan as a Mermaid flow chart.
#[must_use]
pub fn mermaid(plan: &Plan) -> String {
    let mut out = "flowchart BT\n".to_owned();
    for (at, planned) in plan.components.iter().enumerate() {
        let label = format!("{}<br/>{}", escaped(planned.name()), escaped(&subtitle(plan, at)));
        let _ = writeln!(out, "  c{at}[\"{label}\"]");
    }
    for edge in &plan.edges {
        let label =
            edge.capability.as_ref().map_or(String::new(), |_| format!("|\"{}\"|", escaped(reason(edge))));
        let _ = writeln!(out, "  c{} -->{label} c{}", edge.from, edge.to);
    }
    out
}

fn escaped(text: &str) -> String {
    escaped_markup(&for_message(text)).into_owned()
}
