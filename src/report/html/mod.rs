//! One page for a browser: no server, no network, no fonts or scripts from elsewhere. Without scripts it can be read;
//! with them it can be searched and filtered.
//!
//! All values go through the template's escaping and stand in text or in quoted attributes, never in a script or a style;
//! the content security policy lets nothing run but the one script, by its hash.

mod graph;
mod rows;

use super::failure;
use super::view::{HAPPENED, Item, View, counted};
use crate::diagnostics::Result;
use crate::diff::model::{Graph, Severity};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::cmp::Reverse;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Findings that stand on top.
const FIRST: usize = 12;

/// The page.
pub(super) fn html(view: &View, graph: Option<&Graph>) -> Result<String> {
    let mut environment = Environment::new();
    environment.add_template("page.html", PAGE).map_err(|error| failure(&error))?;
    let page = environment.get_template("page.html").map_err(|error| failure(&error))?;
    let rows = rows::rows(view);
    let (findings, more_findings) = findings(view);
    let values = context! {
        style => STYLE,
        style_hash => hash(STYLE),
        script => SCRIPT,
        script_hash => hash(SCRIPT),
        before => &view.before,
        after => &view.after,
        headline => headline(view),
        tiles => Serde(tiles(view)),
        filters => Serde(filters(view)),
        findings => Serde(findings),
        more_findings,
        graph => graph.map(|graph| graph::svg(graph, view)),
        groups => Serde(rows.groups),
        left_out => rows.left_out,
    };
    page.render(values).map_err(|error| failure(&error).into())
}

/// The hash of an inline text, as a content security policy names it.
fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

fn headline(view: &View) -> String {
    let folded = match view.folded {
        0 => String::new(),
        count => format!("; {} of form alone not shown", counted(count, "change")),
    };
    format!("{}{folded}", view.counts())
}

#[derive(Serialize)]
struct Tile {
    tone: &'static str,
    label: String,
    count: usize,
}

fn tiles(view: &View) -> Vec<Tile> {
    let tile = |severity: Severity| Tile {
        tone: severity.name(),
        label: severity.name().to_owned(),
        count: view.items().filter(|item| item.severity == severity).count(),
    };
    Severity::ALL.into_iter().rev().map(tile).collect()
}

#[derive(Serialize)]
struct Filter {
    name: &'static str,
    title: &'static str,
    choices: Vec<Choice>,
}

#[derive(Serialize)]
struct Choice {
    value: String,
    label: String,
    count: usize,
    tone: Option<&'static str>,
    anchor: Option<String>,
}

fn filters(view: &View) -> Vec<Filter> {
    let choice = |value: &str, count, tone| Choice {
        value: value.to_owned(),
        label: value.to_owned(),
        count,
        tone,
        anchor: None,
    };
    let of_severity = |severity: &Severity| view.items().filter(|item| item.severity == *severity).count();
    let severities = Severity::ALL.iter().rev().map(|s| choice(s.name(), of_severity(s), Some(s.name())));
    let classes =
        view.classes.iter().map(|(class, worst, count)| choice(class.name(), *count, Some(worst.name())));
    let happened = |kind| view.items().filter(|item| item.happened == kind).count();
    let changes = HAPPENED.into_iter().map(|kind| choice(kind.name(), happened(kind), None));
    let components = view.groups.iter().enumerate().map(|(nth, group)| Choice {
        anchor: Some(rows::component_anchor(nth)),
        ..choice(rows::group_name(group), group.items.len(), None)
    });
    let filter = |name, title, choices: Vec<Choice>| Filter {
        name,
        title,
        choices: choices.into_iter().filter(|choice| choice.count > 0).collect(),
    };
    vec![
        filter("severity", "Severity", severities.collect()),
        filter("class", "Class", classes.collect()),
        filter("change", "Change", changes.collect()),
        filter("component", "Component", components.collect()),
    ]
}

#[derive(Serialize)]
struct First {
    tone: &'static str,
    class: &'static str,
    text: String,
    anchor: String,
    resource: String,
    origin: Option<String>,
}

/// The worst findings, and how many more there are.
fn findings(view: &View) -> (Vec<First>, usize) {
    let anchored = view.groups.iter().enumerate().flat_map(|(group, of)| {
        of.items.iter().enumerate().map(move |(nth, item)| (rows::anchor(group, nth), item))
    });
    let of_item = |(anchor, item): (String, &Item)| {
        let first = |(finding, field, origin): super::view::Told<'_>| {
            let text = match (finding.message.is_empty(), field) {
                (false, _) => finding.message.clone(),
                (true, Some(field)) => format!("{} changes", field.path),
                (true, None) => item.happened.name().to_owned(),
            };
            let first = First {
                tone: finding.severity.name(),
                class: finding.class.name(),
                text,
                anchor: anchor.clone(),
                resource: item.title(),
                origin: origin.map(super::view::place),
            };
            (finding.severity, first)
        };
        item.all_findings().map(first).collect::<Vec<_>>()
    };
    let mut all: Vec<_> =
        anchored.flat_map(of_item).filter(|(severity, _)| *severity > Severity::Medium).collect();
    all.sort_by_key(|(severity, _)| Reverse(*severity));
    let more = all.len().saturating_sub(FIRST);
    (all.into_iter().take(FIRST).map(|(_, first)| first).collect(), more)
}
