//! A tree and its history: what a step changes is recorded, and errors are those of a tree without history.

use super::{Editor, Resource};
use crate::provenance::{Stage, Step, StepKind};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, SourceId};
use kfc_yaml::parse::parse;
use kfc_yaml::{Node, Value};
use std::cell::Cell;
use std::sync::LazyLock;

const BASE: SourceId = SourceId(1);
const PATCH: SourceId = SourceId(2);

const TEXT: &str = "kind: Foo
metadata: {name: f, labels: {a: one}}
spec:
  image: web:1
  list: [{name: x, v: 1}, {name: y, v: 2}]
  words: [red, green]
  gone: soon
";

fn read(text: &str, id: SourceId) -> Node {
    parse(text, id).unwrap().remove(0)
}

fn plain() -> Resource {
    Resource::new(read(TEXT, BASE), false)
}

/// The resource with a history.
fn kept() -> Resource {
    let mut resource = plain();
    resource.keep_history(Step::default());
    resource
}

/// A step that is asked for at an offset of the patch.
fn step(offset: u32) -> Step {
    Step::new(StepKind::Patch, Mark { source: PATCH, offset })
}

fn mark_of(resource: &Resource, path: &[&str]) -> Mark {
    resource.node.at(path).unwrap().mark
}

/// Puts a value at a path.
fn put(editor: Editor<'_>, path: &[&str], value: Node) {
    let done: Result<(), Diagnostics> = editor.change(|object| {
        let (last, parents) = path.split_last().unwrap();
        let parent = parents.iter().fold(&mut object.node, |node, key| node.get_mut(key).unwrap());
        parent.as_map_mut().unwrap().set(last, value);
        Ok(())
    });
    done.unwrap();
}

/// The steps of a field as `place: value before`.
fn chain(resource: &Resource, path: &[&str]) -> Vec<String> {
    let links = resource.history().chain(mark_of(resource, path));
    let before = |node: Option<&Node>| node.and_then(Node::as_text).unwrap_or("-").to_owned();
    links.iter().map(|link| format!("{} {}", link.step.kind, before(link.before))).collect()
}

#[test]
fn without_a_history_no_step_is_made_and_marks_stay() {
    let mut resource = plain();
    let made = Cell::new(false);
    let step = LazyLock::new(|| {
        made.set(true);
        step(0)
    });
    resource.edit(&step).set_name("g");
    assert!(!made.get());
    assert!(!resource.history().is_kept() && resource.history().last(resource.mark()).is_none());
    assert_eq!(mark_of(&resource, &["metadata", "name"]), resource.node.mark);
}

#[test]
fn every_change_of_a_field_leads_back_to_its_base() {
    let mut resource = kept();
    let base = mark_of(&resource, &["spec", "image"]);
    for (at, value) in ["web:2", "web:3"].into_iter().enumerate() {
        let at = u32::try_from(at).unwrap();
        put(resource.edit(&step(at)), &["spec", "image"], Node::string(value, base));
    }
    assert_eq!(chain(&resource, &["spec", "image"]), ["base -", "patches web:1", "patches web:2"]);
    let mark = mark_of(&resource, &["spec", "image"]);
    assert_eq!(resource.history().place(mark), Some(Mark { source: PATCH, offset: 1 }));
    assert_eq!(resource.location(mark), base, "errors are shown where a build without history shows them");
}

#[test]
fn an_equal_value_keeps_its_provenance_but_errors_follow_the_new_one() {
    let mut resource = kept();
    let base = mark_of(&resource, &["spec", "image"]);
    let text = Step::new(StepKind::Patch, None).with_text(Mark { source: PATCH, offset: 0 });
    for path in [["spec", "image"], ["spec", "words"], ["spec", "list"], ["metadata", "labels"]] {
        let base = mark_of(&resource, &path);
        let mut value = resource.node.at(&path).unwrap().clone();
        set_marks(&mut value, Mark { source: PATCH, offset: 7 });
        put(resource.edit(&text), &path, value);
        let mark = mark_of(&resource, &path);
        assert_eq!(resource.history().place(mark), Some(base), "{path:?}");
        assert_eq!(resource.location(mark), Mark { source: PATCH, offset: 7 }, "{path:?}");
    }
    assert_eq!(resource.history().steps().count(), 1, "nothing has changed");
    put(resource.edit(&step(3)), &["spec", "image"], Node::string("web:2", None));
    let links = resource.history().chain(mark_of(&resource, &["spec", "image"]));
    assert_eq!(links.first().map(|link| link.place), Some(Some(base)));
}

fn set_marks(node: &mut Node, mark: Mark) {
    node.mark = mark;
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| set_marks(&mut entry.value, mark)),
        Value::Seq(items) => items.iter_mut().for_each(|item| set_marks(item, mark)),
        Value::Scalar(_) => {}
    }
}

#[test]
fn created_and_removed_fields_and_moved_items_are_recorded() {
    let mut resource = kept();
    let moved = mark_of(&resource, &["spec", "list"]);
    let done: Result<(), Diagnostics> = resource.edit(&step(5)).change(|object| {
        let spec = object.node.get_mut("spec").unwrap();
        let items = spec.get_mut("list").unwrap().as_seq_mut().unwrap();
        items.swap(0, 1);
        items[1].as_map_mut().unwrap().set("v", Node::string("three", moved));
        let spec = spec.as_map_mut().unwrap();
        spec.set("new", read("{deep: value}", PATCH));
        spec.remove("gone");
        Ok(())
    });
    done.unwrap();
    let items = resource.node.at(&["spec", "list"]).unwrap().as_seq().unwrap();
    let links = |node: &Node| resource.history().chain(node.mark).len();
    assert_eq!(items.iter().map(|item| links(item.get("v").unwrap())).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(chain(&resource, &["spec", "new"]), ["patches -"]);
    let removals: Vec<&str> =
        resource.history().removals(mark_of(&resource, &["spec"])).map(|gone| gone.key.as_str()).collect();
    assert_eq!(removals, ["gone"]);
}

#[test]
fn a_walk_records_the_fields_that_it_changes() {
    let mut resource = kept();
    let done: Result<(), Diagnostics> = resource.edit(&step(1)).walk(|object| {
        let mark = object.node().mark;
        let mut spec = object.get("spec").unwrap();
        spec.put("gone", Node::string("later", mark));
        spec.open_map("made", mark).unwrap().put("key", Node::string("value", mark));
        spec.get("image").unwrap().change(|image| *image = Node::string("web:2", image.mark));
        spec.get("list").unwrap().each_item(|item| {
            item.put("seen", Node::string("yes", mark));
            Ok(())
        })
    });
    done.unwrap();
    assert_eq!(chain(&resource, &["spec", "gone"]), ["base -", "patches soon"]);
    assert_eq!(chain(&resource, &["spec", "made", "key"]), ["patches -"]);
    assert_eq!(chain(&resource, &["spec", "image"]), ["base -", "patches web:1"]);
    let items = resource.node.at(&["spec", "list"]).unwrap().as_seq().unwrap();
    let first = |item: &Node| resource.history().chain(item.get("seen").unwrap().mark)[0].step.kind;
    assert_eq!(items.iter().map(first).collect::<Vec<_>>(), [StepKind::Patch; 2]);
    assert_eq!(chain(&resource, &["metadata", "labels", "a"]), ["base -"]);
}

#[test]
fn scalars_that_change_together_change_under_the_step() {
    let mut resource = kept();
    for path in [["spec", "image"], ["spec", "gone"]] {
        let mut shared = Node::string("same", mark_of(&resource, &path));
        if let Value::Scalar(scalar) = &mut shared.value {
            scalar.shared = 1;
        }
        put(resource.edit(&step(0)), &path, shared);
    }
    resource.shared_mut().add(Some("same"));
    let done: Result<(), Diagnostics> = resource.edit(&step(1)).walk(|object| {
        object.get("spec").unwrap().get("image").unwrap().change(|image| {
            if let Value::Scalar(scalar) = &mut image.value {
                scalar.text = "other".into();
            }
        });
        Ok(())
    });
    done.unwrap();
    resource.edit(&step(1)).update_shared();
    assert_eq!(resource.node.at(&["spec", "gone"]).and_then(Node::as_text), Some("other"));
    assert_eq!(chain(&resource, &["spec", "gone"]), ["base -", "patches soon", "patches same"]);
}

#[test]
fn a_value_of_another_resource_keeps_its_place_and_its_location() {
    let mut source = kept();
    let base = mark_of(&source, &["metadata", "labels", "a"]);
    put(source.edit(&step(9)), &["metadata", "labels", "a"], Node::string("two", base));
    let value = source.excerpt(source.node.at(&["metadata", "labels"]).unwrap().clone());
    let copied_by = Step::new(StepKind::Replacements, Mark { source: PATCH, offset: 20 });
    for (mut target, place) in [(kept(), Mark { source: PATCH, offset: 9 }), (plain(), base)] {
        let mut editor = target.edit(&copied_by);
        let adopted = editor.adopt(&value).into_owned();
        put(editor, &["spec", "copy"], adopted);
        let mark = mark_of(&target, &["spec", "copy", "a"]);
        assert_eq!((target.history().place(mark), target.location(mark)), (Some(place), base));
    }
}

#[test]
fn errors_of_a_change_have_locations_in_texts() {
    let mut resource = kept();
    let base = mark_of(&resource, &["spec", "image"]);
    put(resource.edit(&step(4)), &["spec", "image"], Node::string("web:2", base));
    let wrong =
        |node: &Node| Diagnostic::error(Code::BadValue, "wrong").at(node.mark).label(node.mark, "here");
    let changed = resource
        .edit(&step(5))
        .change(|object| Err::<(), _>(Diagnostics::from(wrong(object.node.at(&["spec", "image"]).unwrap()))));
    let walked = resource
        .edit(&step(5))
        .walk(|object| Err::<(), _>(Diagnostics::from(wrong(object.node().at(&["spec", "image"]).unwrap()))));
    for errors in [changed.unwrap_err(), walked.unwrap_err()] {
        assert_eq!((errors.0[0].mark, errors.0[0].labels[0].mark), (Some(base), base));
    }
    assert_eq!(resource.located_node().at(&["spec", "image"]).unwrap().mark, base);
}

#[test]
fn a_stage_is_handed_on_with_every_step() {
    #[derive(Debug, PartialEq)]
    struct Part(u8);
    let mut resource = kept();
    resource.came_with(&Stage::new(Part(1)));
    resource.enter_stage(Some(&Stage::new(Part(2))));
    resource.edit(&step(0)).set_name("g");
    resource.enter_stage(None);
    resource.edit(&step(1)).set_namespace("n");
    let part = |step: &Step| step.stage.as_ref().and_then(Stage::get::<Part>).map(|part| part.0);
    assert_eq!(resource.history().steps().map(part).collect::<Vec<_>>(), [Some(1), Some(2), None]);
    assert_eq!(Stage::new(Part(1)).get::<u8>(), None);
}

#[test]
fn a_step_that_removes_the_whole_object_is_known_by_its_text() {
    let mut resource = kept();
    let by = Step::new(StepKind::Patch, None).with_text(Mark { source: PATCH, offset: 0 });
    let done: Result<(), Diagnostics> = resource.edit(&by).change(|object| {
        object.remove();
        *object.node.as_map_mut().unwrap() = kfc_yaml::Map::new();
        Ok(())
    });
    done.unwrap();
    let kinds: Vec<StepKind> = resource.history().steps().map(|step| step.kind).collect();
    assert_eq!(kinds, [StepKind::Base, StepKind::Patch]);
}
