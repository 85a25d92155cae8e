//! Every format of one small, rich report, and what holds for all of them.

use super::{COMMENT, Format, SCHEMA, Style, write};
use crate::model::{Class, Graph, GraphEdge, GraphNode, Report};
use crate::{Input, Member, compare};
use kfc_diagnostics::Sources;
use kfc_kube::Object;
use kfc_kube::schema::Schema;
use kfc_yaml::parse::parse;
use serde_json::Value;
use std::sync::Arc;

const BEFORE: &str = include_str!("fixtures/before.yaml");
const AFTER: &str = include_str!("fixtures/after.yaml");

fn input(name: &str, text: &str) -> Input {
    let sources = Sources::default();
    let (id, source) = sources.add(name, text);
    let nodes = parse(&source.text, id).unwrap();
    Input {
        label: name.to_owned(),
        resources: nodes.into_iter().map(|node| Member::new(Object::new(node, false))).collect(),
        sources: Arc::new(sources),
        ..Input::default()
    }
}

fn report_of(before: &str, after: &str) -> Report {
    compare(&input("before.yaml", before), &input("after.yaml", after), &Schema::builtin())
}

/// The fixtures' report with components and a graph.
fn report() -> Report {
    let mut report = report_of(BEFORE, AFTER);
    for change in &mut report.changes {
        change.component = match change.identity.kind.as_str() {
            "Secret" | "PersistentVolumeClaim" => Some("store".to_owned()),
            "ClusterRole" => None,
            _ => Some("trainer".to_owned()),
        };
    }
    let node = |name: &str, depth| GraphNode {
        name: name.to_owned(),
        depth,
        present: false,
        reason: "asked for".to_owned(),
    };
    report.graph = Some(Graph {
        nodes: vec![node("store", 0), node("trainer", 1)],
        edges: vec![GraphEdge { from: "trainer".to_owned(), to: "store".to_owned(), capability: None }],
    });
    report
}

fn written(format: Format, report: &Report, style: &Style<'_>) -> String {
    String::from_utf8(write(format, report, style).unwrap()).unwrap()
}

fn style() -> Style<'static> {
    Style { fail_on: &[Class::DataLoss], ..Style::default() }
}

#[test]
fn text() {
    insta::assert_snapshot!(written(Format::Text, &report(), &style()));
}

#[test]
fn text_in_eighty_columns_shows_every_change() {
    let text = written(Format::Text, &report(), &Style { width: Some(80), ..style() });
    insta::assert_snapshot!(text);
    assert!(text.contains("v1.8.0 → ") && text.contains("v1.9.0"));
}

#[test]
fn colours_are_there_when_asked_for() {
    assert!(!written(Format::Text, &report(), &style()).contains('\u{1b}'));
    assert!(written(Format::Text, &report(), &Style { colour: true, ..style() }).contains("\u{1b}[31m"));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(written(Format::Markdown, &report(), &style()));
}

#[test]
fn sarif() {
    insta::assert_snapshot!(written(Format::Sarif, &report(), &style()));
}

#[test]
fn junit() {
    insta::assert_snapshot!(written(Format::Junit, &report(), &style()));
}

#[test]
fn markdown_keeps_its_summary_and_says_what_is_left_out() {
    let whole = written(Format::Markdown, &report(), &style());
    let summary = whole.split("\n<details>").next().unwrap();
    for max_bytes in [0, 3000, whole.len() - 1, COMMENT] {
        let text = written(Format::Markdown, &report(), &Style { max_bytes, ..style() });
        assert!(text.starts_with(summary));
        assert!(text.len() <= max_bytes.max(summary.len() + 200), "{} of {max_bytes}", text.len());
        assert_eq!(text.contains("Left out for its length"), max_bytes < COMMENT);
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    }
}

#[test]
fn json_follows_its_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document: Value = serde_json::from_str(&written(Format::Json, &report(), &style())).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut wrong = document;
    wrong["changes"][0]["severity"] = "dreadful".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn the_schema_knows_every_class() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let classes: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
    assert_eq!(schema["$defs"]["class"]["enum"], serde_json::json!(classes));
}

#[test]
fn sarif_results_have_rules_levels_and_places() {
    let document: Value = serde_json::from_str(&written(Format::Sarif, &report(), &style())).unwrap();
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        let file = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(["before.yaml", "after.yaml"].contains(&file), "{file}");
        assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
    }
}

#[test]
fn no_format_shows_a_value_of_a_secret() {
    // The texts of a unified diff come from the caller, who replaces the values: they are not part of the report.
    for format in
        Format::ALL.into_iter().filter(|format| !matches!(format, Format::Unified | Format::JsonPatch))
    {
        let text = written(format, &report(), &style());
        for planted in ["planted", "cGxhbnRlZ"] {
            assert!(!text.contains(planted), "{format:?} shows {planted}");
        }
    }
}

#[test]
fn json_patches_make_the_old_objects_the_new_ones() {
    let texts = Some((BEFORE, AFTER));
    let patches: Value = serde_json::from_str(&written(
        Format::JsonPatch,
        &report(),
        &Style { texts, folded: true, ..style() },
    ))
    .unwrap();
    assert!(write(Format::JsonPatch, &report(), &style()).is_err());
    let objects = |text: &str| -> std::collections::BTreeMap<String, Value> {
        let documents = parse(text, kfc_diagnostics::SourceId::NONE).unwrap();
        let named = |object: Value| {
            let metadata = &object["metadata"];
            let name = format!("{} {}/{}", object["kind"], metadata["namespace"], metadata["name"]);
            (name, object)
        };
        documents.iter().map(kfc_yaml::value::to_json).map(named).collect()
    };
    let (before, after) = (objects(BEFORE), objects(AFTER));
    let mut patched = before.clone();
    for entry in patches.as_array().unwrap() {
        let name = |object: &Value| format!("{} {}/{}", object["kind"], object["namespace"], object["name"]);
        let old = entry.get("previous").unwrap_or(&entry["object"]);
        let mut object = patched.remove(&name(old)).unwrap_or_default();
        let patch: json_patch::Patch = serde_json::from_value(entry["patch"].clone()).unwrap();
        json_patch::patch(&mut object, &patch).unwrap();
        if !object.is_null() {
            patched.insert(name(&entry["object"]), object);
        }
    }
    assert_eq!(patched, after);
    assert_ne!(before, after);
}

#[test]
#[allow(clippy::print_stderr, reason = "says what it skips or measures")]
fn a_unified_diff_is_one_that_patch_reads() {
    let texts = Some((BEFORE, AFTER));
    let unified = written(Format::Unified, &report(), &Style { texts, ..style() });
    assert!(unified.starts_with("--- before.yaml\n+++ after.yaml\n@@ -"), "{unified}");
    assert!(write(Format::Unified, &report(), &style()).is_err());
    let folder = tempfile::tempdir().unwrap();
    let (bundle, patch) = (folder.path().join("bundle.yaml"), folder.path().join("change.diff"));
    std::fs::write(&bundle, BEFORE).unwrap();
    std::fs::write(&patch, unified).unwrap();
    let patched = std::process::Command::new("patch").arg(&bundle).arg(&patch).output();
    let Ok(patched) = patched else {
        eprintln!("skipped: there is no `patch`");
        return;
    };
    assert!(patched.status.success(), "{patched:?}");
    assert_eq!(std::fs::read_to_string(&bundle).unwrap(), AFTER);
}

#[test]
fn nothing_differs() {
    let same = report_of(BEFORE, BEFORE);
    assert_eq!(written(Format::Text, &same, &style()), "before.yaml → after.yaml: nothing differs\n");
    assert!(written(Format::Markdown, &same, &style()).contains("Nothing differs."));
    assert!(written(Format::Html, &same, &style()).contains("Nothing differs."));
}

/// Names and values that try to leave their place in every format.
const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>]]>--><!--```|`{{ 7 * 7 }} javascript:alert(3) @team";

fn hostile() -> Report {
    let resource = |value: &str| {
        let quoted = serde_json::to_string(value).unwrap();
        let key = serde_json::to_string(HOSTILE).unwrap();
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {key}\n  namespace: {key}\ndata:\n  {key}: {quoted}\n"
        )
    };
    let mut report = report_of(&resource("before"), &resource(&format!("{HOSTILE}\u{1b}[31m\u{7}")));
    report.before.label = HOSTILE.to_owned();
    report.after.label = HOSTILE.to_owned();
    for change in &mut report.changes {
        change.component = Some(HOSTILE.to_owned());
    }
    let node = GraphNode { name: HOSTILE.to_owned(), depth: 0, present: false, reason: HOSTILE.to_owned() };
    report.graph = Some(Graph { nodes: vec![node], edges: Vec::new() });
    report
}

#[test]
fn hostile_values_stay_in_their_place_on_the_page() {
    let page = written(Format::Html, &hostile(), &style());
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    assert!(!page.contains("<img") && page.contains("{{ 7 * 7 }}") && !page.contains(" 49 "));
    assert!(!page.contains("href=\"javascript:") && !page.contains(" onerror=\""));
    let links = page.matches("href=\"").count();
    assert_eq!(links, page.matches("href=\"#").count());
    // The apostrophe and the quote cannot end an attribute.
    assert!(!page.contains("\"'>"));
}

#[test]
fn hostile_values_stay_in_their_place_elsewhere() {
    let text = written(Format::Text, &hostile(), &style());
    assert!(!text.contains(['\u{1b}', '\u{7}']));
    let markdown = written(Format::Markdown, &hostile(), &style());
    let outside_code: String = markdown.split("````diff").next().unwrap().to_owned();
    assert!(markdown.contains("````diff") && !outside_code.contains(" @team |"));
    let junit = written(Format::Junit, &hostile(), &style());
    assert!(!junit.contains("<img") && !junit.contains('\u{1b}'));
    serde_json::from_str::<Value>(&written(Format::Sarif, &hostile(), &style())).unwrap();
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let page = written(Format::Html, &report(), &style());
    assert!(page.contains("default-src 'none'") && !page.contains("unsafe-"));
    for word in ["http://", "https://", "@import", "url(", " src=", "style=\""] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn a_page_of_many_changes_stays_small() {
    let resource = |nth: usize, value: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{nth}\ndata:\n  a: {value}\n")
    };
    let bundle = |value: &str| (0..2000).map(|nth| resource(nth, value)).collect::<Vec<_>>().join("---\n");
    let report = report_of(&bundle(&"old ".repeat(300)), &bundle(&"new ".repeat(300)));
    let page = written(Format::Html, &report, &style());
    assert!(page.len() < 1_000_000, "{}", page.len());
    assert!(page.contains("Left out for its length"));
    assert!(written(Format::Markdown, &report, &style()).len() <= COMMENT);
}

/// Deployments that each have to be recreated, and changes that are more urgent.
fn with_lost_data(recreated: usize, lost: usize) -> Report {
    let claim = |at: usize| {
        format!(
            "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data-{at}, namespace: prod}}\nspec: {{}}\n"
        )
    };
    let deployment = |at: usize, label: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d{at}, namespace: prod}}\nspec: {{selector: {{matchLabels: {{app: {label}}}}}}}\n"
        )
    };
    let side = |label: &str| (0..recreated).map(|at| deployment(at, label)).collect::<String>();
    let claims: String = (0..lost).map(claim).collect();
    let definition = "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: foos.example.com}\nspec: {names: {kind: Foo}}\n";
    report_of(&format!("{}{claims}{definition}", side("old")), &side("new"))
}

#[test]
fn lost_data_comes_first_and_is_never_left_out() {
    let report = with_lost_data(60, 40);
    for format in
        Format::ALL.into_iter().filter(|format| !matches!(format, Format::Unified | Format::JsonPatch))
    {
        let text = written(format, &report, &Style { max_bytes: 0, ..style() });
        let text = if format == Format::Html {
            text.split("Look at these first").nth(1).unwrap().to_owned()
        } else {
            text
        };
        // The summaries name classes before anything else.
        let first = |word: &str| text.find(word).unwrap_or_else(|| panic!("{format:?} has no {word}"));
        assert!((0..40).all(|at| first(&format!("data-{at}")) > 0), "{format:?}");
        let (lost, recreated) = match format {
            Format::Json => (first("data-0"), first("\"d0\"")),
            _ => (first("data-39"), first("is immutable")),
        };
        assert!(lost < recreated, "{format:?} has lost data after what is recreated");
        assert!(text.contains("foos.example.com"), "{format:?}");
    }
}

#[test]
fn findings_of_one_kind_are_one_row_with_an_exact_count() {
    let report = with_lost_data(60, 3);
    let text = written(Format::Markdown, &report, &Style { max_bytes: 0, ..style() });
    let rows: Vec<&str> =
        text.lines().filter(|line| line.contains("| data-loss |") || line.contains("| recreate |")).collect();
    assert_eq!(rows.len(), 3, "{text}");
    let of = |word: &str| rows.iter().find(|row| row.contains(word)).unwrap();
    assert!(
        of("PVC").contains("| 3: PersistentVolumeClaim `prod/data-0`, `prod/data-1`, `prod/data-2` |"),
        "{text}"
    );
    assert!(
        of("is immutable").contains("60: Deployment `prod/d0`") && of("is immutable").contains("and 50 more"),
        "{text}"
    );
    assert!(of("CRD of").contains("`Foo"), "{text}");
}
