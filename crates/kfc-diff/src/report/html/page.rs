//! Fills the page.

use super::{graph, rows};
use crate::model::{Graph, Severity};
use crate::report::failure::failure;
use crate::report::kinds::{Found, Kind, kinds};
use crate::report::view::{HAPPENED, View, counted, place};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kfc_diagnostics::Result;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// How many kinds of findings are at the top.
const FIRST: usize = 12;

/// The page.
pub(in crate::report) fn html(view: &View, graph: Option<&Graph>) -> Result<String> {
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
    resources: Vec<Link>,
    more: usize,
    count: usize,
    origin: Option<String>,
}

#[derive(Serialize)]
struct Link {
    anchor: String,
    title: String,
}

/// The most urgent kinds of findings, and how many findings there are of others.
fn findings(view: &View) -> (Vec<First>, usize) {
    let kinds = kinds(view, Severity::High);
    let is_first = |nth: usize, kind: &Kind<'_>| nth < FIRST || kind.always_shown();
    let more = kinds.iter().enumerate().filter(|(nth, kind)| !is_first(*nth, kind));
    let more = more.map(|(_, kind)| kind.found.len()).sum();
    let first = kinds.iter().enumerate().filter(|(nth, kind)| is_first(*nth, kind));
    (first.map(|(_, kind)| first_of(kind)).collect(), more)
}

fn first_of(kind: &Kind<'_>) -> First {
    let only = kind.only();
    let text = match (kind.message(), only) {
        (message, _) if !message.is_empty() => message,
        (_, Some(found)) => match found.finding.1 {
            Some(field) => format!("{} changes", field.path),
            None => found.item.happened.name().to_owned(),
        },
        _ => kind.plainly(),
    };
    let (named, more) = kind.named();
    let link =
        |found: &&Found<'_>| Link { anchor: rows::anchor(found.at.0, found.at.1), title: found.item.title() };
    First {
        tone: kind.severity.name(),
        class: kind.class.name(),
        text,
        resources: named.iter().map(link).collect(),
        more,
        count: kind.items().len(),
        origin: only.and_then(|found| found.finding.2).map(place),
    }
}
