//! The plan as text: the selected components, each with all that it requires below it.

use super::reason;
use crate::resolve::{Plan, Reason};
use kfc_diagnostics::text::for_message;
use std::fmt::Write as _;

/// The plan as a text tree. What a component requires is rendered below its first mention and only named at later ones.
#[must_use]
pub fn tree(plan: &Plan) -> String {
    let layers = plan.profile.layers.join(" + ");
    let mut out = format!("{} ({})\n", for_message(&plan.name), for_message(&layers));
    let mut drawn = vec![false; plan.components.len()];
    let is_root = |at: &usize| !matches!(plan.components[*at].reason, Reason::Required { .. });
    let roots: Vec<usize> = (0..plan.components.len()).filter(is_root).collect();
    for (nth, at) in roots.iter().enumerate() {
        branch(plan, *at, None, "", nth + 1 == roots.len(), &mut drawn, &mut out);
    }
    if !plan.overlays.is_empty() {
        let _ = writeln!(out, "\noverlays, in this order");
    }
    for planned in &plan.overlays {
        let when = planned.overlay.when.as_ref().map_or("always", |when| when.value.as_str());
        let line = format!("{}  ({when})", planned.overlay.name.value);
        let _ = writeln!(out, "  {}", for_message(&line));
    }
    out
}

fn branch(
    plan: &Plan,
    at: usize,
    why: Option<&str>,
    indent: &str,
    is_last: bool,
    drawn: &mut [bool],
    out: &mut String,
) {
    let planned = &plan.components[at];
    let below: Vec<_> = plan.edges.iter().filter(|edge| edge.from == at).collect();
    let seen = std::mem::replace(&mut drawn[at], true);
    let (elbow, bar) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
    let why = match why {
        Some(why) => format!("  [{why}]"),
        None => format!("  [{}]", planned.reason.text()),
    };
    let more = match (seen && !below.is_empty(), planned.present) {
        (true, _) => "  (see above)",
        (false, true) => "  (present)",
        (false, false) => "",
    };
    let name = format!("{}{why}", planned.name());
    let _ = writeln!(out, "{indent}{elbow}{}{more}", for_message(&name));
    if seen {
        return;
    }
    for (nth, edge) in below.iter().enumerate() {
        let deeper = format!("{indent}{bar}");
        branch(plan, edge.to, Some(reason(edge)), &deeper, nth + 1 == below.len(), drawn, out);
    }
}
