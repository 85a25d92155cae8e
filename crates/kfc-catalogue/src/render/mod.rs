//! Renders a plan: as a tree for the terminal, DOT, Mermaid, SVG and JSON, each with the reason for every edge.

mod json;
mod mermaid;
mod svg;
mod tree;

mod dot;

use crate::resolve::{Edge, Plan};

pub use dot::dot;
pub use json::json;
pub use mermaid::mermaid;
pub use svg::svg;
pub use tree::tree;

/// The reason for an edge.
fn reason(edge: &Edge) -> &str {
    edge.capability.as_deref().unwrap_or("by name")
}

/// The second line of a component's box.
fn subtitle(plan: &Plan, at: usize) -> String {
    let planned = &plan.components[at];
    let version = &planned.component.version;
    match (planned.present, version.is_empty()) {
        (true, _) => "present on the cluster".to_owned(),
        (false, true) => planned.reason.text(),
        (false, false) => format!("{version}, {}", planned.reason.text()),
    }
}
