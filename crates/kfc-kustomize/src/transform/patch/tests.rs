//! Expected results are kustomize 5.8.1's.

use super::{LoadedPatch, PatchOptions, apply_patches};
use crate::resource::{ResourceSet, Selector};
use crate::transform::testing::{rename, resources};
use kfc_diagnostics::{Code, Diagnostics, Mark, SourceId};
use kfc_kube::Gvk;
use kfc_kube::schema::Schema;
use kfc_yaml::json;

const TWO: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: katib-db-manager}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ui, namespace: kubeflow}
";

fn named(name: &str) -> Selector {
    Selector { name: name.to_owned(), ..Selector::default() }
}

fn read(text: &str, target: Option<&Selector>) -> Result<LoadedPatch, Diagnostics> {
    let entry = Mark { source: SourceId(0), offset: 0 };
    LoadedPatch::read(text, SourceId(1), Some(entry), target, PatchOptions::default())
}

fn apply(set: &mut ResourceSet, text: &str, target: Option<&Selector>) -> Result<(), Diagnostics> {
    apply_patches(set, &[read(text, target)?], &Schema::builtin()).map(drop)
}

fn message(result: Result<(), Diagnostics>) -> String {
    result.unwrap_err().0[0].message.clone()
}

fn patch_of(name: &str, rest: &str) -> String {
    format!("{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}}}{rest}}}")
}

fn json_of(set: &ResourceSet, at: usize) -> String {
    let mut text = String::new();
    json::write(&set.list[at].node, &mut text).unwrap();
    text
}

#[test]
fn a_patch_finds_its_resource_by_any_identity_it_had() {
    let mut set = resources(TWO);
    for name in ["p-katib-db-manager", "q-p-katib-db-manager"] {
        set.list[0].remember_id();
        rename(&mut set.list[0], name);
    }
    for (name, field) in
        [("katib-db-manager", "a"), ("p-katib-db-manager", "b"), ("q-p-katib-db-manager", "c")]
    {
        apply(&mut set, &patch_of(name, &format!(", {field}: 1")), None).unwrap();
    }
    let expected = r#"{"a":1,"apiVersion":"apps/v1","b":1,"c":1,"kind":"Deployment","metadata":{"name":"q-p-katib-db-manager"}}"#;
    assert_eq!(json_of(&set, 0), expected);
}

#[test]
fn a_patch_without_a_resource_names_the_nearest() {
    let mut set = resources(TWO);
    let errors = apply(&mut set, &patch_of("katib-db", ""), None).unwrap_err();
    assert_eq!(errors.0[0].code, Code::NoTarget);
    assert_eq!(errors.0[0].message, "patch target Deployment/katib-db matches nothing");
    assert_eq!(errors.0[0].help.as_deref(), Some("the nearest is Deployment/katib-db-manager"));
    assert_eq!(errors.0[0].labels[1].mark, set.list[0].mark());

    let errors = apply(&mut set, &patch_of("ui", ""), None).unwrap_err();
    assert_eq!(errors.0[0].labels[1].text, "this one is in namespace `kubeflow`");
}

#[test]
fn two_resources_of_one_earlier_name_are_ambiguous() {
    let mut set = resources(&TWO.replace(", namespace: kubeflow", ""));
    rename(&mut set.list[1], "x");
    set.list[1].remember_id();
    rename(&mut set.list[1], "y");
    rename(&mut set.list[0], "x");
    let errors = apply(&mut set, &patch_of("x", ""), None).unwrap_err();
    assert_eq!(errors.0[0].code, Code::Ambiguous);
    assert_eq!(errors.0[0].labels.len(), 2);
}

#[test]
fn a_target_covers_any_number_of_resources() {
    let mut set = resources(TWO);
    let any_kind = "{apiVersion: v9, kind: Odd, metadata: {name: odd, namespace: odd}, a: 1}";
    apply(&mut set, any_kind, Some(&named(".*"))).unwrap();
    let expected = [
        r#"{"a":1,"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"katib-db-manager"}}"#,
        r#"{"a":1,"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"ui","namespace":"kubeflow"}}"#,
    ];
    assert_eq!([json_of(&set, 0), json_of(&set, 1)], expected);
    apply(&mut set, any_kind, Some(&named("nothing"))).unwrap();
    apply(&mut set, "- {op: remove, path: /nothing}", Some(&named("nothing"))).unwrap();
}

#[test]
fn options_let_name_and_kind_change() {
    let mut set = resources(TWO);
    let options = PatchOptions { allow_name_change: true, allow_kind_change: true };
    let text = "{apiVersion: v1, kind: Namespace, metadata: {name: new}}";
    let patch = LoadedPatch::read(text, SourceId::NONE, None, Some(&named("ui")), options).unwrap();
    let again = read(
        "{apiVersion: apps/v1, kind: Namespace, metadata: {name: new, namespace: kubeflow}, a: 1}",
        None,
    );
    apply_patches(&mut set, &[patch, again.unwrap()], &Schema::builtin()).unwrap();
    let expected = r#"{"a":1,"apiVersion":"apps/v1","kind":"Namespace","metadata":{"name":"new","namespace":"kubeflow"}}"#;
    assert_eq!(json_of(&set, 1), expected);
    assert_eq!(set.list[1].original_id().name, "ui");

    let mut set = resources(&TWO.replace(", namespace: kubeflow", ""));
    let everything =
        LoadedPatch::read(text, SourceId::NONE, None, Some(&Selector::default()), options).unwrap();
    let errors = apply_patches(&mut set, &[everything], &Schema::builtin()).unwrap_err();
    assert_eq!(errors.0[0].code, Code::DuplicateId);
}

#[test]
fn deleted_resources_are_gone() {
    let mut set = resources(TWO);
    let delete = patch_of("katib-db-manager", ", $patch: delete");
    let patches =
        [read(&delete, None).unwrap(), read(&patch_of("katib-db-manager", ", a: 1"), None).unwrap()];
    let errors = apply_patches(&mut set, &patches[..1], &Schema::builtin()).map(drop);
    assert_eq!((errors, set.list.len(), set.list[0].name()), (Ok(()), 1, "ui"));

    let mut set = resources(TWO);
    let errors = apply_patches(&mut set, &patches, &Schema::builtin()).map(drop);
    assert_eq!(message(errors), "patch target Deployment/katib-db-manager matches nothing");
}

#[test]
fn errors_of_all_patches_are_told() {
    let mut set = resources(TWO);
    let patches = ["a", "b", "c", "d"].map(|name| read(&patch_of(name, ""), None).unwrap());
    let errors = apply_patches(&mut set, &patches, &Schema::builtin()).unwrap_err();
    assert_eq!(errors.0.len(), 4);
}

#[test]
fn json_patches_can_add_a_first_annotation() {
    let text = "- {op: add, path: /metadata/annotations/a, value: b}";
    let mut set = resources(TWO);
    apply(&mut set, text, Some(&named("ui"))).unwrap();
    assert!(json_of(&set, 1).contains(r#""annotations":{"a":"b"}"#));
    assert_eq!(set.list[1].previous.len(), 1);
    apply(&mut set, "- {op: remove, path: /metadata/annotations/a}", Some(&named("ui"))).unwrap();
    assert!(!json_of(&set, 1).contains("annotations"));

    // Only where kustomize keeps notes on the resource, for the older field.
    let patch = || LoadedPatch::read_json6902(text, SourceId::NONE, None, Some(&named("ui")));
    let mut set = resources(TWO);
    assert!(apply_patches(&mut set, &[patch().unwrap()], &Schema::builtin()).is_err());
    let mut set = resources(TWO);
    set.list[1].remember_id();
    apply_patches(&mut set, &[patch().unwrap()], &Schema::builtin()).unwrap();
    assert!(json_of(&set, 1).contains(r#""annotations":{"a":"b"}"#));
}

#[test]
fn a_json_patch_may_rename_but_not_unname() {
    let mut set = resources(TWO);
    apply(&mut set, "- {op: replace, path: /metadata/name, value: new}", Some(&named("ui"))).unwrap();
    apply(&mut set, &patch_of("new", "").replace("name: new", "name: new, namespace: kubeflow"), None)
        .unwrap();
    let clash =
        "[{\"op\": \"replace\", \"path\": \"/metadata\", \"value\": {\"name\": \"katib-db-manager\"}}]";
    let errors = apply(&mut set, clash, Some(&named("new"))).unwrap_err();
    assert_eq!(errors.0[0].code, Code::DuplicateId);
    let mut set = resources(TWO);
    let unname = apply(&mut set, "- {op: remove, path: /metadata/name}", Some(&named("ui")));
    assert_eq!(message(unname), "this patch removes the `metadata.name` of a resource");
}

#[test]
fn texts_that_are_no_patch_are_refused() {
    let some = named("x");
    let message = |text: &str, target| read(text, target).unwrap_err().0[0].message.clone();
    assert_eq!(
        message("hello", Some(&some)),
        "a patch is a mapping or a list of operations, but this is a string"
    );
    assert_eq!(message("- {op: remove, path: /a}", None), "a JSON patch needs a `target`");
    assert_eq!(
        message("[{op: remove, path: /a}]", Some(&some)),
        "a patch that begins with `[` has to be JSON"
    );
    assert_eq!(
        message("spec: {}", Some(&some)),
        "this strategic merge patch has no `kind` and no `metadata.name`"
    );
    assert_eq!(
        message("{kind: A, metadata: {name: a}}\n---\n{kind: A, metadata: {name: a}}", Some(&some)),
        "a strategic merge patch with a `target` has one document, but this has several"
    );
    assert!(LoadedPatch::read_json6902("[]", SourceId::NONE, None, Some(&some)).is_err());
}

#[test]
fn texts_without_content_are_patches_that_change_nothing() {
    let some = named("x");
    for text in ["", "# only a comment", "---", "[]", "{}", "null", "# a\n---\n{}"] {
        assert!(read(text, Some(&some)).unwrap().is_empty(), "{text}");
        assert!(read(text, None).unwrap().is_empty(), "{text}");
        assert!(LoadedPatch::read_strategic(text, SourceId::NONE, None).unwrap().is_empty(), "{text}");
    }
}

#[test]
fn items_of_a_list_are_patches_of_their_own() {
    let text = format!(
        "kind: List\nitems:\n- {}\n- {}",
        patch_of("katib-db-manager", ", a: 1"),
        patch_of("katib-db-manager", ", b: 1")
    );
    let mut set = resources(TWO);
    apply(&mut set, &text, None).unwrap();
    assert!(json_of(&set, 0).starts_with(r#"{"a":1,"apiVersion":"apps/v1","b":1"#));
}

#[test]
fn the_target_may_name_the_kind() {
    let mut set = resources(TWO);
    let target = Selector { gvk: Gvk::new("", "Deploy.*"), ..named("ui") };
    apply(&mut set, "- {op: add, path: /a, value: 1}", Some(&target)).unwrap();
    assert!(json_of(&set, 1).starts_with(r#"{"a":1"#));
}

#[test]
fn patches_without_an_effect_are_warnings() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n\
                      spec: {replicas: 1, template: {spec: {containers: [{name: a, image: x}]}}}\n";
    let found = |patches: &[(&str, Option<Selector>)]| -> Vec<String> {
        let mut set = resources(deployment);
        let patches: Vec<LoadedPatch> =
            patches.iter().map(|(text, target)| read(text, target.as_ref()).unwrap()).collect();
        let warnings = apply_patches(&mut set, &patches, &Schema::builtin()).unwrap();
        warnings.0.into_iter().map(|warning| warning.message).collect()
    };
    let (web, other) = (|| Some(named("web")), || Some(named("other")));
    let replicas = |count: u32| format!("- {{op: replace, path: /spec/replicas, value: {count}}}");
    let merged = |spec: &str| {
        format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {spec}\n")
    };
    assert_eq!(found(&[(&replicas(2), other())]), ["patch target other matches nothing"]);
    let twice = "two patches of web set `spec.replicas`; the later one counts";
    assert_eq!(found(&[(&replicas(2), web()), (&replicas(3), web())]), [twice]);
    assert_eq!(found(&[(&replicas(2), web()), (&replicas(2), web())]), [] as [&str; 0], "the same value");
    let by_name = "two patches of Deployment web set `spec.replicas`; the later one counts";
    assert_eq!(found(&[(&replicas(2), web()), (&merged("{replicas: 3}"), None)]), [by_name]);
    let image = |image: &str| {
        merged(&format!("{{template: {{spec: {{containers: [{{name: a, image: {image}}}]}}}}}}"))
    };
    assert_eq!(
        found(&[(&image("y"), None), (&image("z"), None)]),
        [
            "two patches of Deployment web set `spec.template.spec.containers[name=a].image`; the later one counts"
        ]
    );
    assert_eq!(
        found(&[(&image("y"), None), (&merged("{replicas: 3}"), None)]),
        [] as [&str; 0],
        "other fields"
    );
    let added = "- {op: add, path: /spec/template/spec/containers/-, value: {name: b}}";
    assert_eq!(found(&[(added, web()), (added, web())]), [] as [&str; 0], "items are added");
}
