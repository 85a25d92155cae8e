//! Expected results are kustomize 5.8.1's.

use super::{Outcome, apply};
use kfc_diagnostics::SourceId;
use kfc_kube::schema::Schema;
use kfc_yaml::parse::parse;
use kfc_yaml::{Node, json};
use proptest::prelude::*;

const POD: &str = "apiVersion: v1\nkind: Pod\n";

fn yaml(text: &str) -> Node {
    parse(text, SourceId::NONE).unwrap().remove(0)
}

fn as_json(node: &Node) -> String {
    let mut text = String::new();
    json::write(node, &mut text).unwrap();
    text
}

fn merged_as(schema: &Schema, head: &str, target: &str, patch: &str) -> Result<String, String> {
    let (mut target, patch) = (yaml(&format!("{head}{target}")), yaml(&format!("{head}{patch}")));
    let text = |key: &str| patch.get(key).and_then(Node::as_text).unwrap_or("");
    let kind = schema.lookup(text("apiVersion"), text("kind"));
    match apply(&mut target, &patch, schema, kind) {
        Ok(Outcome::Kept) => {
            let map = target.as_map_mut().unwrap();
            map.remove("apiVersion");
            map.remove("kind");
            Ok(as_json(&target))
        }
        Ok(Outcome::Removed) => Ok("removed".to_owned()),
        Err(errors) => Err(errors.0[0].message.clone()),
    }
}

/// Merges fields of a pod.
fn merged(target: &str, patch: &str) -> Result<String, String> {
    merged_as(&Schema::builtin(), POD, target, patch)
}

fn assert_merges(cases: &[(&str, &str, &str)]) {
    for (target, patch, expected) in cases {
        let expected = as_json(&yaml(expected));
        assert_eq!(merged(target, patch), Ok(expected), "\n{target}\n{patch}");
    }
}

/// Merges lists of containers, given as `name` or `name:field`, where `!` asks for removal.
fn assert_containers(cases: &[(&str, &str, &str)]) {
    assert_lists("containers", cases, |item| {
        let (name, field) = item.split_once(':').unwrap_or((item, ""));
        let name = if name.is_empty() { String::new() } else { format!("name: {name}, ") };
        let field = if field.is_empty() { String::new() } else { format!("f{field}: 1") };
        format!("{name}{field}")
    });
}

/// Merges lists of container ports, given as `80`, `80T`, `80Ux`: port, protocol, name.
fn assert_ports(cases: &[(&str, &str, &str)]) {
    let schema = Schema::builtin();
    let item = |item: &str| {
        let digits = item.find(|c: char| !c.is_ascii_digit()).unwrap_or(item.len());
        let (port, rest) = item.split_at(digits);
        let protocol = rest.chars().next().filter(|c| "TU".contains(*c));
        let name = rest.trim_start_matches(['T', 'U']);
        let field = |key: &str, value: &str| {
            if value.is_empty() { String::new() } else { format!("{key}: {value}, ") }
        };
        let protocol = protocol.map_or("", |c| if c == 'T' { "TCP" } else { "UDP" });
        format!("{}{}{}", field("port", port), field("protocol", protocol), field("name", name))
    };
    for (target, patch, expected) in cases {
        let [target, patch, expected] = [target, patch, expected].map(|list| list_of("ports", list, item));
        let found = merged_as(&schema, "apiVersion: v1\nkind: Service\n", &target, &patch);
        assert_eq!(found, Ok(as_json(&yaml(&expected))), "\n{target}\n{patch}");
    }
}

fn assert_lists(field: &str, cases: &[(&str, &str, &str)], item: impl Fn(&str) -> String + Copy) {
    for (target, patch, expected) in cases {
        let [target, patch, expected] = [target, patch, expected].map(|list| list_of(field, list, item));
        assert_merges(&[(target.as_str(), patch.as_str(), expected.as_str())]);
    }
}

/// `spec` with a list; `-` for no list.
fn list_of(field: &str, list: &str, item: impl Fn(&str) -> String) -> String {
    if list == "-" {
        return "spec: {}".to_owned();
    }
    let items = list.split(' ').filter(|i| !i.is_empty()).map(|text| match text.strip_suffix('!') {
        Some(text) => format!("{{{}, $patch: delete}}", item(text).trim_end_matches(", ")),
        None => format!("{{{}}}", item(text).trim_end_matches(", ")),
    });
    format!("spec: {{{field}: [{}]}}", items.collect::<Vec<_>>().join(", "))
}

#[test]
fn mappings_merge_and_nulls_remove() {
    assert_merges(&[
        ("a: {x: 1, y: {z: 1}}", "a: {y: {q: 2}, x: null}", "a: {y: {z: 1, q: 2}}"),
        ("a: {x: 1}", "a: {}", "a: {x: 1}"),
        ("a: {x: {}}", "a: {x: null, y: null}", "a: {}"),
        ("a: null\nb: null", "a: {x: null, y: {z: null}}", "{a: {y: {}}, b: null}"),
        ("z: 1", "a: {x: null, l: [{n: null}, null]}\nb: null", "{z: 1, a: {l: [{n: null}, null]}}"),
        ("l: [1, 2]\nm: [1]", "l: [3]\nm: []", "{l: [3], m: []}"),
    ]);
}

#[test]
fn a_null_of_which_nothing_is_written_goes_with_any_patch() {
    let target =
        "a:\nb: null\nm:\n  c:\n  d: ~\nl:\n- e:\nspec:\n  containers:\n  - name: x\n    f:\n    g: null";
    assert_merges(&[(
        target,
        "z: 1",
        "{b: null, m: {d: null}, l: [{e: null}], spec: {containers: [{name: x, g: null}]}, z: 1}",
    )]);
}

#[test]
fn scalars_stay_in_the_quotes_of_the_target() {
    assert_merges(&[
        ("a: \"x\"\nb: x\nc: 5", "a: 5\nb: 5\nc: '6'", "{a: '5', b: 5, c: '6'}"),
        ("a: 'x'\nb: |\n  x\nc: \"1\"", "a: 0x1F\nb: 1.10\nc: true", "{a: '0x1F', b: '1.10', c: 'true'}"),
    ]);
}

#[test]
fn directives_delete_and_replace() {
    assert_merges(&[
        ("a: {x: 1}\nb: 1", "a: {$patch: delete}", "{b: 1}"),
        ("a: {x: 1}", "a: {$patch: replace, y: 1, z: null}", "a: {y: 1}"),
        ("a: {x: 1}", "a: {$patch: merge, y: 1}", "a: {x: 1, y: 1}"),
        (
            "z: 1",
            "a: {$patch: delete}\nb: {$patch: replace, c: 1}\nd: {$patch: odd, e: 1}",
            "{z: 1, b: {c: 1}, d: {$patch: odd, e: 1}}",
        ),
        ("a: 1", "$patch: replace\nb: 1", "a: 1"),
        ("a: [1]", "a: [{$patch: replace}, 2]", "a: [{$patch: replace}, 2]"),
        ("metadata: {finalizers: [a]}", "metadata: {finalizers: [{$patch: delete}]}", "metadata: {}"),
    ]);
    assert_eq!(merged("a: 1", "$patch: delete").unwrap(), "removed");
    assert_eq!(
        merged("a: {b: 1}", "a: {$patch: repalce}").unwrap_err(),
        "unknown patch strategy `repalce` at `a`"
    );
    let list = "spec: {containers: [{name: a}, {name: b}]}";
    assert_merges(&[
        (
            list,
            "spec: {containers: [{$patch: replace}, {name: c, x: null}]}",
            "spec: {containers: [{name: c}]}",
        ),
        (list, "spec: {containers: [{name: c}, {$patch: delete}]}", "spec: {}"),
        (
            list,
            "spec: {containers: [{$patch: merge}, {name: c}]}",
            "spec: {containers: [{name: c}, {name: a}, {name: b}]}",
        ),
        (list, "spec: {containers: [{name: a, x: 1, $patch: replace}]}", list),
        (
            "spec: {x: 1}",
            "spec: {containers: [{$patch: merge}, {name: c}]}",
            "spec: {x: 1, containers: [{$patch: merge}]}",
        ),
    ]);
}

#[test]
fn other_directives_are_plain_fields() {
    let patch = "a: {$retainKeys: [x]}\n$setElementOrder/l: [1]\n$deleteFromPrimitiveList/l: [1]";
    let expected =
        "{a: {y: 1, $retainKeys: [x]}, $setElementOrder/l: [1], $deleteFromPrimitiveList/l: [1], l: [1]}";
    assert_merges(&[("a: {y: 1}\nl: [1]", patch, expected)]);
}

#[test]
fn items_of_the_patch_come_first() {
    assert_containers(&[
        ("a b c", "n c:2 m", "n c:2 m a b"),
        ("a:1 b", "a! c", "c b"),
        ("a", "a!", ""),
        ("a b", "", "a b"),
        ("-", "a b", "a b"),
        ("a b:2", "c:4 c:5", "c:4 a b:2"),
        ("-", "c:4 c:5", "c:5"),
    ]);
}

#[test]
fn lists_of_items_without_keys_or_with_the_same_key_are_odd() {
    assert_containers(&[
        ("a:1 b a:3", "-", "a:3 b"),
        ("a:1 b a:3", "b:4", "b:4 a:3"),
        (":1 a b", "-", ":1"),
        ("a :1 b :2", "-", ":2"),
        ("a b", ":1", ""),
        ("a b", ":1 b:2 c", "b:2 c"),
        ("-", ":1 b c", ":1"),
    ]);
}

#[test]
fn several_keys_match_together() {
    assert_ports(&[
        ("53Uu 53Tt", "53Tx 9T", "9T 53Uu 53Tx"),
        ("80a 81d", "80 90", "80a 90 81d"),
        ("53Ua", "53Ua!", ""),
        ("52u 53t", "53!", "52u"),
    ]);
}

#[test]
fn items_that_lack_one_of_several_keys_are_odd() {
    assert_ports(&[
        ("53Ta", "53b 9T", "9T 53Ta"),
        ("53Ua 53c", "-", "53c"),
        ("53c 53Ua", "54T", "54T 53c 53Ua"),
        ("53a", "53T!", "53a"),
        ("53Ta 54b", "54!", "53Ta 54b"),
        ("54b 53Ta", "54c", "54c 53Ta"),
        ("a 53Tt", "-", "a"),
        ("a 53t", "-", "a 53t"),
        ("53Ta", "9 q", "9 9 53Ta"),
        ("-", "53T 53U 53 9 q", "q"),
        ("53Ua 54Tb 53c 53Ud", "-", "54Tb 53c 53Ud"),
    ]);
}

#[test]
fn scalar_lists_are_joined() {
    let list = |items: &str| format!("metadata: {{finalizers: [{items}]}}");
    for (target, patch, expected) in [
        ("a, b, c, b", "d, c, d, e, b", "d, c, e, b, a"),
        ("a, b, a", "", "a, b"),
        ("'1', 2", "1, '2', 3", "'1', 2, 3"),
        ("a, null, {}", "b", "b, a"),
    ] {
        assert_merges(&[(&list(target), &list(patch), &list(expected))]);
    }
}

#[test]
fn objects_inside_custom_resources_merge_as_what_they_are() {
    let head = "apiVersion: example.com/v1\nkind: Foo\n";
    let schema = Schema::builtin();
    let target = "t: {apiVersion: v1, kind: Pod, spec: {containers: [{name: a, x: 1}, {name: b}]}}\nl: [{name: a}, {name: b}]";
    let patch = "t: {spec: {containers: [{name: b, y: 1}]}}\nl: [{name: b}]";
    let expected = "t: {apiVersion: v1, kind: Pod, spec: {containers: [{name: b, y: 1}, {name: a, x: 1}]}}\nl: [{name: b}]";
    assert_eq!(merged_as(&schema, head, target, patch), Ok(as_json(&yaml(expected))));
}

#[test]
fn values_of_another_sort_are_refused() {
    let cases = [
        ("a: {b: 1}", "a: 1", "the patch has an integer at `a`, where the target has a mapping"),
        ("a: [1]", "a: {}", "the patch has a mapping at `a`, where the target has a sequence"),
        (
            "spec: {containers: [a]}",
            "x: 1",
            "the items of `spec.containers` merge by key and have to be mappings, but this is a string",
        ),
        (
            "metadata: {finalizers: [{a: 1}]}",
            "x: 1",
            "the items of `metadata.finalizers` have to be scalars, but this is a mapping",
        ),
    ];
    for (target, patch, message) in cases {
        assert_eq!(merged(target, patch), Err(message.to_owned()));
    }
    let nested = merged(
        "spec: {containers: [{name: a, env: {b: 1}}]}",
        "spec: {containers: [{name: a, env: [{name: c}]}]}",
    );
    let message = "the patch has a sequence at `spec.containers[name=a].env`, where the target has a mapping";
    assert_eq!(nested, Err(message.to_owned()));
}

fn value(depth: u32) -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (0..3_i32).prop_map(Into::into),
        "[ab]?".prop_map(Into::into),
        prop::sample::select(vec!["delete", "replace", "merge"]).prop_map(Into::into),
    ];
    leaf.prop_recursive(depth, 30, 4, |inner| {
        let keys = [
            "spec",
            "containers",
            "env",
            "ports",
            "name",
            "containerPort",
            "protocol",
            "metadata",
            "finalizers",
            "$patch",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(prop::sample::select(keys.to_vec()), inner, 0..4).prop_map(|map| {
                serde_json::Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

/// A pod whose fields, at least `least` of them, are mappings of strings, without nulls.
fn plain_maps(least: usize) -> impl Strategy<Value = serde_json::Value> {
    let inner = prop::collection::btree_map("[a-d]", "[a-z]{1,3}", 0..4);
    prop::collection::btree_map("[e-h]", inner, least..4).prop_map(|map| serde_json::json!(map))
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(target in value(5), patch in value(5)) {
        let schema = Schema::builtin();
        let kind = schema.lookup("v1", "Pod");
        // In a list, because a document that is null is none.
        let inside = |value| yaml(&serde_json::json!([value]).to_string()).as_seq_mut().map(|items| items.remove(0));
        let (mut target, patch) = (inside(target).unwrap(), inside(patch).unwrap());
        let _ = apply(&mut target, &patch, &schema, kind);
    }

    #[test]
    fn an_empty_patch_changes_no_plain_maps(target in plain_maps(1)) {
        let mut node = yaml(&target.to_string());
        apply(&mut node, &yaml("{}"), &Schema::builtin(), None).unwrap();
        prop_assert_eq!(as_json(&node), target.to_string());
    }

    #[test]
    fn merging_maps_twice_is_merging_once(target in plain_maps(0), patch in plain_maps(0)) {
        let schema = Schema::builtin();
        let (mut node, patch) = (yaml(&target.to_string()), yaml(&patch.to_string()));
        apply(&mut node, &patch, &schema, None).unwrap();
        let once = node.clone();
        apply(&mut node, &patch, &schema, None).unwrap();
        prop_assert_eq!(as_json(&node), as_json(&once));
    }
}
