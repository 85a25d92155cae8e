//! What is expected here is what `kustomize build` of version 5.8.1 prints.

use super::{emit, emit_all};
use crate::node::{Entry, Key, Map, Node, ScalarKind, Value};
use crate::parse::parse;
use kfc_diagnostics::SourceId;
use proptest::prelude::*;

fn string(text: &str) -> Node {
    Node::string(text, None)
}

fn emitted(node: &Node) -> Option<String> {
    let mut out = Vec::new();
    emit(node, &mut out).ok()?;
    String::from_utf8(out).ok()
}

/// Writes out the short forms of repetitions: `¶3;` for three times `word `, `¤3;` for `a: `, `§3;` for `x`.
fn expand(text: &str) -> String {
    let repeat = |text: &str, sign: char, unit: &str| {
        let mut parts = text.split(sign);
        let mut expanded = parts.next().unwrap_or("").to_owned();
        for part in parts {
            let (count, rest) = part.split_once(';').unwrap();
            expanded.push_str(&unit.repeat(count.parse().unwrap()));
            expanded.push_str(rest);
        }
        expanded
    };
    repeat(&repeat(&repeat(text, '¶', "word "), '¤', "a: "), '§', "x")
}

/// Checks strings as items of a list.
fn check_values(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let list = Node::seq(vec![string(&expand(text))], None);
        assert_eq!(emitted(&list), Some(format!("- {}\n", expand(expected))), "{text:?}");
    }
}

/// Checks strings as keys with the value 1.
fn check_keys(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let one = Node::scalar("1".into(), ScalarKind::Int, None);
        let entry = Entry { key: Key::new(&expand(text), None), value: one };
        let map = Node::map(Map::from_iter([entry]), None);
        assert_eq!(emitted(&map), Some(format!("{}\n", expand(expected))), "{text:?}");
    }
}

/// Checks documents, given as YAML.
fn check_documents(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let nodes = parse(text, SourceId::NONE).unwrap();
        assert_eq!(emitted(&nodes[0]).as_deref(), Some(*expected), "{text}");
    }
}

fn check_errors(texts: &[&str]) {
    for text in texts {
        let nodes = parse(text, SourceId(0)).unwrap();
        let errors = emit(&nodes[0], &mut Vec::new()).unwrap_err().0;
        assert_eq!(errors.len(), 1, "{text}");
        assert!(errors[0].mark.is_some_and(|mark| mark.source == SourceId(0)), "{text}");
    }
}

#[test]
fn collections_nest_as_in_go_yaml() {
    check_documents(&[
        ("{b: {}, a: []}", "a: []\nb: {}\n"),
        (
            "a: [b, [c, [d], []], {e: f, g: [h]}, {}]",
            "a:\n- b\n- - c\n  - - d\n  - []\n- e: f\n  g:\n  - h\n- {}\n",
        ),
        ("a: {b: {c: [{d: null}]}}", "a:\n  b:\n    c:\n    - d: null\n"),
        ("a: [[], [[]], {b: {}}]", "a:\n- []\n- - []\n- b: {}\n"),
        ("a: \"b\\n\\n\"\nc: d", "a: |+\n  b\n\nc: d\n"),
        ("[a: \" b\\nc\", d: [\"e\\n\"]]", "- a: |2-\n     b\n    c\n- d:\n  - |\n    e\n"),
        ("? \"a\\nb\"\n: [c]", "? |-\n  a\n  b\n: - c\n"),
        ("? \"a\\nb\"\n: {c: d, e: f}", "? |-\n  a\n  b\n: c: d\n  e: f\n"),
        ("? \"a\\nb\"\n: {}", "? |-\n  a\n  b\n: {}\n"),
    ]);
}

#[test]
fn scalars_that_are_no_strings_are_normalised() {
    check_documents(&[
        ("[~, NULL, True, FALSE]", "- null\n- null\n- true\n- false\n"),
        ("[0x1F, 014, 0b11, +5, -0, 1_000]", "- 31\n- 12\n- 3\n- 5\n- 0\n- 1000\n"),
        ("[1.0, 1.10, 12345678.5, 1e21, 1e-7]", "- 1\n- 1.1\n- 1.23456785e+07\n- 1e+21\n- 1e-07\n"),
        ("[2001-01-01, !!binary aGk=]", "- \"2001-01-01T00:00:00Z\"\n- hi\n"),
        ("[!!binary /w==, !!binary woU=]", "- \u{FFFD}\n- ' '\n"),
        ("[!!float 7, !!float 0x1F, !!str 7]", "- 7\n- 31\n- \"7\"\n"),
        ("{1.50: a, true: b, 0x1F: c, !!binary aGk=: d}", "\"0x1F\": c\n\"1.50\": a\nhi: d\n\"true\": b\n"),
    ]);
}

#[test]
fn what_kustomize_cannot_write_is_an_error_at_its_place() {
    check_errors(&[
        "a: .inf",
        "a: -.INF",
        "a: .nan",
        "a: !!binary \"a G k =\"",
        "a: !!bool yes",
        "a: !!int 7.0",
        "a: !!null b",
        "a: 2001-01-01T00:00:00+24:00",
        "a: \"\\x7f\"",
        "a: \"\\x80\"",
        "a: \"\\uFFFE\"",
        "a: \"b\\x85--- c\"",
        "\"a\\x85\": b",
        "~: a",
        "a: {1: b}",
        "a: [{true: b}]",
        "a: {~: b}",
        "a: {2001-01-01: b}",
    ]);
}

#[test]
fn keys_of_more_than_1024_characters_of_json_are_an_error() {
    let with_key = |key: String| emitted(&Node::map(Map::from_iter([entry(&key, string("v"))]), None));
    assert!(with_key("é".repeat(1022)).is_some());
    assert!(with_key("é".repeat(1023)).is_none());
    assert!(with_key("<".repeat(170)).is_some());
    assert!(with_key("<".repeat(171)).is_none());
}

#[test]
fn all_errors_of_all_documents_are_told() {
    let nodes = parse("{a: .inf, b: .nan}\n---\n{a: {1: .inf}}\n---\na: b\n", SourceId(0)).unwrap();
    let nodes: Vec<&Node> = nodes.iter().collect();
    assert_eq!(emit_all(&nodes).unwrap_err().0.len(), 4);
}

#[test]
fn documents_are_joined_in_order() {
    let nodes: Vec<Node> = (0..100).map(|number| string(&format!("a{number}"))).collect();
    let chunks = emit_all(&nodes.iter().collect::<Vec<_>>()).unwrap();
    let expected: Vec<String> = (0..100).map(|number| format!("a{number}\n")).collect();
    assert_eq!(String::from_utf8(chunks.concat()).unwrap(), expected.join("---\n"));
}

fn entry(key: &str, value: Node) -> Entry {
    Entry { key: Key::new(key, None), value }
}

/// What is special in YAML, without the characters that are folded or refused.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    " ", "  ", "\n", "\n\n", "\t", ":", ": ", " #", "#", "-", "- ", "?", "? ", ",", "[", "]", "{", "}", "&",
    "*", "!", "|", ">", "'", "\"", "%", "@", "`", "\\", "a", "word ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "é", "\u{FEFF}", "😀", "\r", "\0", "\u{1}", "\u{1b}", "\u{A0}", "\u{E000}", "---", "...",
    "~", "null", "true", "1", "0", "0x", "_", ".", "e", "+", "T", "<", "=",
    "word word word word word word word word",
];

fn nasty_string() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..12).prop_map(|pieces| pieces.concat())
}

fn scalar() -> impl Strategy<Value = Node> {
    let number = |text: String, kind| Node::scalar(text.into(), kind, None);
    prop_oneof![
        8 => nasty_string().prop_map(|text| string(&text)),
        1 => any::<i64>().prop_map(move |value| number(value.to_string(), ScalarKind::Int)),
        1 => any::<f64>().prop_filter("JSON has none", |value| value.is_finite())
            .prop_map(move |value| number(format!("{value:e}"), ScalarKind::Float)),
        1 => any::<bool>().prop_map(move |value| number(value.to_string(), ScalarKind::Bool)),
        1 => Just(Node::null(None)),
    ]
}

fn tree() -> impl Strategy<Value = Node> {
    scalar().prop_recursive(4, 40, 5, |inner| {
        let map = prop::collection::btree_map(nasty_string(), inner.clone(), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|items| Node::seq(items, None)),
            map.prop_map(|map| {
                let entries =
                    map.into_iter().filter(|(key, _)| key != "<<").map(|(key, value)| entry(&key, value));
                Node::map(entries.collect(), None)
            }),
        ]
    })
}

/// Numbers as they are read back.
fn normalise(node: &mut Node) {
    match &mut node.value {
        Value::Scalar(scalar) if scalar.kind == ScalarKind::Float => {
            let text = super::float(&scalar.text).unwrap();
            *node = Node::scalar(text.clone(), crate::parse::resolve_plain(&text), None);
        }
        Value::Scalar(_) => {}
        Value::Seq(items) => items.iter_mut().for_each(normalise),
        Value::Map(map) => map.iter_mut().for_each(|entry| normalise(&mut entry.value)),
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_and_is_written_the_same(tree in tree()) {
        let mut tree = Node::map(Map::from_iter([entry("spec", tree)]), None);
        let text = emitted(&tree).unwrap();
        let read = parse(&text, SourceId::NONE).unwrap_or_else(|errors| panic!("{text}\n{errors:?}"));
        normalise(&mut tree);
        prop_assert_eq!(&read[0], &tree, "{}", text);
        prop_assert_eq!(emitted(&read[0]).unwrap(), text);
    }
}

#[test]
fn plain_where_nothing_else_could_be_meant() {
    check_values(&[
        ("a:b", "a:b"),
        ("a#b", "a#b"),
        ("-a", "-a"),
        ("?a", "?a"),
        ("it's", "it's"),
        ("a\\b", "a\\b"),
        ("a \"b\"", "a \"b\""),
        ("1.2.3", "1.2.3"),
        ("123abc", "123abc"),
        ("1:60", "1:60"),
        ("2001-13-01", "2001-13-01"),
        ("nULL", "nULL"),
        ("+.nan", "+.nan"),
        ("08x", "08x"),
        ("<<", "<<"),
        ("=", "="),
        ("$(A)", "$(A)"),
        ("/a", "/a"),
        ("^a", "^a"),
        ("a  b", "a  b"),
        ("a, b", "a, b"),
        ("a]", "a]"),
    ]);
}

#[test]
fn quoted_where_an_indicator_stands() {
    check_values(&[
        (" ", "' '"),
        (" a", "' a'"),
        ("a ", "'a '"),
        ("a: b", "'a: b'"),
        ("a:", "'a:'"),
        ("a #b", "'a #b'"),
        ("#a", "'#a'"),
        ("- a", "'- a'"),
        ("-", "'-'"),
        ("--- a", "'--- a'"),
        ("...", "'...'"),
        ("? a", "'? a'"),
        ("@a", "'@a'"),
        ("`a", "'`a'"),
        ("%a", "'%a'"),
        ("!a", "'!a'"),
        ("&a", "'&a'"),
        ("*a", "'*a'"),
        ("'a'", "'''a'''"),
        ("\"a\"", "'\"a\"'"),
        ("{a}", "'{a}'"),
        ("[a]", "'[a]'"),
        (",a", "',a'"),
        ("|", "'|'"),
        (">", "'>'"),
        ("it's: a", "'it''s: a'"),
    ]);
}

#[test]
fn double_quoted_where_it_would_not_be_a_string() {
    check_values(&[
        ("", "\"\""),
        ("yes", "\"yes\""),
        ("y", "\"y\""),
        ("N", "\"N\""),
        ("Off", "\"Off\""),
        ("~", "\"~\""),
        ("null", "\"null\""),
        ("true", "\"true\""),
        ("FALSE", "\"FALSE\""),
        (".inf", "\".inf\""),
        ("-.INF", "\"-.INF\""),
        (".NaN", "\".NaN\""),
        ("1", "\"1\""),
        ("-1", "\"-1\""),
        ("+1", "\"+1\""),
        ("0x1F", "\"0x1F\""),
        ("0o14", "\"0o14\""),
        ("014", "\"014\""),
        ("08", "\"08\""),
        ("0b1", "\"0b1\""),
        ("0b+1", "\"0b+1\""),
        ("1_000", "\"1_000\""),
        ("1.5", "\"1.5\""),
        ("1.", "\"1.\""),
        ("1e3", "\"1e3\""),
        (".5", "\".5\""),
        ("1:20", "\"1:20\""),
        ("-190:20:30.15", "\"-190:20:30.15\""),
        ("1:2:3", "\"1:2:3\""),
        ("2001-01-01", "\"2001-01-01\""),
        ("2001-1-1", "\"2001-1-1\""),
        ("2001-01-01T00:00:00Z", "\"2001-01-01T00:00:00Z\""),
        ("2001-01-01  1:2:3", "\"2001-01-01  1:2:3\""),
    ]);
}

#[test]
fn escaped_where_characters_are_not_printable() {
    check_values(&[
        ("a\tb", "\"a\\tb\""),
        ("\r", "\"\\r\""),
        ("a\rb", "\"a\\rb\""),
        ("\u{0}", "\"\\0\""),
        ("\u{1B}[0m", "\"\\e[0m\""),
        ("\u{7}\u{8}\u{B}\u{C}", "\"\\a\\b\\v\\f\""),
        ("é", "é"),
        ("é: x", "'é: x'"),
        ("日本", "日本"),
        ("\u{A0}a", "\u{A0}a"),
        ("\u{2028}", "'\u{2028}'"),
        ("a\u{2029}b", "'a\u{2029}  b'"),
        ("a\u{FEFF}b", "\"a\\uFEFFb\""),
        ("\u{FEFF}a é", "\"\\uFEFF\\x61\\x20\\xE9\""),
        ("\u{1F600}", "\"\\U0001F600\""),
        ("\u{E000}", "\u{E000}"),
        ("\u{FFFD}", "\u{FFFD}"),
        ("a\tb\nc", "\"a\\tb\\nc\""),
        ("\\ \" \t", "\"\\\\ \\\" \\t\""),
    ]);
}

#[test]
fn next_line_characters_fold() {
    check_values(&[
        ("a\u{85}b", "a b"),
        ("a \u{85} \u{85} b", "|-\n  a\n  b"),
        ("\u{85}", "' '"),
        ("a\u{85}\u{85}\u{85}b", "|-\n  a\n\n  b"),
        ("a\u{85}---b", "a ---b"),
        ("a\u{85} --- b", "a --- b"),
    ]);
}

#[test]
fn literal_where_there_are_lines() {
    check_values(&[
        ("a\nb", "|-\n  a\n  b"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\nb\n\n", "|+\n  a\n  b\n"),
        ("\na", "|2-\n\n  a"),
        (" a\nb", "|2-\n   a\n  b"),
        ("a\n b", "|-\n  a\n   b"),
        ("a\n\nb", "|-\n  a\n\n  b"),
        ("\n", "|2+\n"),
        ("\n\n", "|2+\n\n"),
        ("a \nb", "\"a \\nb\""),
        ("a\n ", "\"a\\n \""),
        ("a\né\n", "|\n  a\n  é"),
        ("a\n#b: c\n", "|\n  a\n  #b: c"),
        ("a\n\u{2028}b", "|-\n  a\n\u{2028}  b"),
        ("yes\n", "|\n  yes"),
        ("¶17;\n¶3;", "\"¶15;word\n  word \\n¶3;\""),
    ]);
}

#[test]
fn folded_behind_column_80() {
    check_values(&[
        ("¶15;end", "¶15;end"),
        ("¶16;end", "¶15;word\n  end"),
        ("¶33;end", "¶15;word\n  ¶15;word\n  word end"),
        ("¶16;two  spaces here word word end", "¶15;word\n  two  spaces here word word end"),
        (": ¶17;it's", "': ¶15;word\n  word it''s'"),
        ("¶16;a: word word end", "'¶15;word\n  a: word word end'"),
        ("\t¶17;end", "\"\\t¶15;word\n  word end\""),
        ("\t¶15;wo   three word word end", "\"\\t¶15;wo\n  \\  three word word end\""),
        ("é ¶17;end", "é ¶15;word\n  word end"),
        ("§90; a b", "§90;\n  a b"),
        ("§79; a b", "§79;\n  a b"),
        ("§77; a b", "§77; a\n  b"),
        ("a: §75; b", "'a: §75;\n  b'"),
        ("§81;  a b", "§81;  a\n  b"),
        ("¶16; ", "'¶16; '"),
    ]);
}

#[test]
fn keys_need_quotes_as_values_do() {
    check_keys(&[
        ("a", "a: 1"),
        ("1", "\"1\": 1"),
        ("yes", "\"yes\": 1"),
        ("a: b", "'a: b': 1"),
        ("", "\"\": 1"),
        ("- a", "'- a': 1"),
        ("é", "é: 1"),
        ("a\tb", "\"a\\tb\": 1"),
        ("\u{FEFF}a", "\"\\uFEFF\\x61\": 1"),
        ("¶20;end", "¶20;end: 1"),
        ("¤40;", "'¤40;': 1"),
    ]);
}

#[test]
fn long_keys_and_keys_of_several_lines_stand_alone() {
    check_keys(&[
        ("a\nb", "? |-\n  a\n  b\n: 1"),
        ("a\rb", "? \"a\\rb\"\n: 1"),
        ("\u{2028}", "? '\u{2028}'\n: 1"),
        ("¶26;", "? '¶15;word\n  ¶10;'\n: 1"),
        ("¶25;end", "¶25;end: 1"),
        ("§128;", "§128;: 1"),
        ("§129;", "? §129;\n: 1"),
        ("¤43;", "? '¤26;a:\n  ¤16;'\n: 1"),
    ]);
}
