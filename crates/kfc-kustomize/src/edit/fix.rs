//! Moves the values of deprecated fields into the fields that replace them, as `kustomize edit fix` does.

use super::Document;
use super::document::entry;
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_yaml::{Map, Node, ScalarKind};

/// Moves every deprecated field; `is_file` returns whether a path names a file next to the kustomization. Returns a
/// sentence for each field that was moved.
///
/// # Errors
/// [`Code::Edit`] when a label is in `commonLabels` and in `labels`.
pub fn fix(document: &mut Document, is_file: impl Fn(&str) -> bool) -> Result<Vec<&'static str>> {
    let mut done = Vec::new();
    let mut note = |moved: bool, text: &'static str| done.extend(moved.then_some(text));
    note(move_items(document, "bases", "resources", Clone::clone), "bases -> resources");
    note(move_items(document, "imageTags", "images", Clone::clone), "imageTags -> images");
    let strategic = |item: &Node| {
        let text = item.as_text().unwrap_or_default();
        let field = if is_file(text) { "path" } else { "patch" };
        Node::map([entry(field, item.clone())].into_iter().collect(), None)
    };
    note(
        move_items(document, "patchesStrategicMerge", "patches", strategic),
        "patchesStrategicMerge -> patches",
    );
    note(move_items(document, "patchesJson6902", "patches", Clone::clone), "patchesJson6902 -> patches");
    note(move_labels(document)?, "commonLabels -> labels");
    note(move_charts(document), "helmChartInflationGenerator -> helmCharts");
    for field in [super::generator::CONFIG_MAPS, super::generator::SECRETS] {
        note(move_env(document, field), "env -> envs");
    }
    Ok(done)
}

/// Appends what one list has, item by item, to another.
fn move_items(document: &mut Document, from: &str, to: &str, change: impl Fn(&Node) -> Node) -> bool {
    let Some(moved) = document.fields_mut().remove(from) else { return false };
    for item in moved.as_seq().unwrap_or_default() {
        document.push_item(to, change(item));
    }
    true
}

fn move_labels(document: &mut Document) -> Result<bool> {
    let Some(common) = document.fields().get(super::label::COMMON_LABELS).cloned() else { return Ok(false) };
    let keys = |node: &Node| {
        node.as_map().into_iter().flat_map(Map::iter).map(|e| e.key.clone()).collect::<Vec<_>>()
    };
    let common_keys = keys(&common);
    let pairs = document.items("labels").iter().filter_map(|item| item.get("pairs"));
    let twice = pairs.flat_map(keys).find(|key| common_keys.iter().any(|other| other.text == key.text));
    if let Some(key) = twice {
        let message = format!("the label `{}` is in `commonLabels` and in `labels`", key.text);
        return Err(Diagnostic::error(Code::Edit, message).at(key.mark).help("keep one of them").into());
    }
    document.fields_mut().remove(super::label::COMMON_LABELS);
    if !common_keys.is_empty() {
        let flag = Node::scalar("true".into(), ScalarKind::Bool, None);
        let item = [entry("includeSelectors", flag), entry("pairs", common)].into_iter().collect();
        document.push_item("labels", Node::map(item, None));
    }
    Ok(true)
}

/// The names of a chart's fields, old and new.
const CHART_FIELDS: [(&str, &str); 8] = [
    ("chartName", "name"),
    ("chartVersion", "version"),
    ("chartRepoUrl", "repo"),
    ("releaseName", "releaseName"),
    ("releaseNamespace", "namespace"),
    ("values", "valuesFile"),
    ("valuesLocal", "valuesInline"),
    ("valuesMerge", "valuesMerge"),
];

fn move_charts(document: &mut Document) -> bool {
    let Some(old) = document.fields_mut().remove("helmChartInflationGenerator") else { return false };
    for item in old.as_seq().unwrap_or_default() {
        let fields = CHART_FIELDS.iter().filter_map(|(from, to)| Some(entry(to, item.get(from)?.clone())));
        document.push_item("helmCharts", Node::map(fields.collect(), None));
        let mut globals =
            document.fields().get("helmGlobals").and_then(Node::as_map).cloned().unwrap_or_default();
        for (from, to) in [("chartHome", "chartHome"), ("helmHome", "configHome")] {
            if let Some(value) = item.get(from).filter(|_| !globals.contains(to)) {
                globals.push(entry(to, value.clone()));
            }
        }
        if !globals.is_empty() {
            document.fields_mut().set("helmGlobals", Node::map(globals, None));
        }
    }
    true
}

fn move_env(document: &mut Document, field: &str) -> bool {
    let mut items = document.items(field).to_vec();
    let mut moved = false;
    for map in items.iter_mut().filter_map(Node::as_map_mut) {
        if let Some(env) = map.remove("env") {
            let mut envs = map.get("envs").and_then(Node::as_seq).unwrap_or_default().to_vec();
            envs.push(env);
            map.set("envs", Node::seq(envs, None));
            moved = true;
        }
    }
    if moved {
        document.set_items(field, items);
    }
    moved
}
