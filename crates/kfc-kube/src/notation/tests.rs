use super::{Notation, write};
use kfc_diagnostics::{Code, SourceId};
use kfc_yaml::emit::emit;
use kfc_yaml::parse::parse;
use kfc_yaml::{Entry, Key, Map, Node};
use proptest::prelude::*;
use std::fmt::Write as _;

fn node(yaml: &str) -> Node {
    parse(yaml, SourceId::NONE).unwrap().remove(0)
}

fn notation(text: &str) -> Notation {
    Notation::parse(text, SourceId(0)).unwrap_or_else(|errors| panic!("{text}\n{errors:?}"))
}

/// The schema of a type, as text at the start of a line.
fn rendered(text: &str, name: &str) -> String {
    let rendered = notation(text).render(name, 0, None).unwrap().unwrap();
    let mut out = Vec::new();
    emit(&Node::map(Map::deferred(rendered), None), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Checks that a schema is written as this text, which reads back as the schema.
fn check(yaml: &str, expected: &str) {
    let schema = node(yaml);
    let written = write([("A.v1".to_owned(), &schema)]).unwrap();
    assert_eq!(written, expected);
    assert_eq!(node(&rendered(&written, "A.v1")), schema, "{written}");
}

#[test]
fn each_word_is_written_and_read() {
    check(
        "{type: object, required: [b], properties: {
          a: {type: string, format: date-time, nullable: true},
          b: {type: integer, format: int32, minimum: 0, maximum: 10, exclusiveMaximum: true, default: 1},
          c: {anyOf: [{type: integer}, {type: string}], x-kubernetes-int-or-string: true},
          d: {type: array, items: {type: string, maxLength: 63}, x-kubernetes-list-type: set, maxItems: 4},
          e: {type: object, additionalProperties: {type: boolean}, x-kubernetes-map-type: atomic},
          f: {type: object, x-kubernetes-preserve-unknown-fields: true, x-kubernetes-embedded-resource: true},
          g: {type: string, enum: [A, '1', 'a b', ''], pattern: '^a{1,2}$'},
          h: {},
          i: {type: array, items: {}, default: [{a: 'b c'}]},
          j: {type: object, additionalProperties: true},
          k: {type: string, format: uri, default: 'true'},
          l: {type: number, enum: [1, 2.5, null]},
          m k: {x-kubernetes-int-or-string: true}}}",
        "A.v1 object\n  a date-time nullable\n  b! int32 minimum=0 maximum=10 exclusiveMaximum default=1\n  \
         c int-or-string\n  d [string maxLength=63] maxItems=4 list=set\n  e {boolean} map=atomic\n  \
         f object open embedded\n  g string enum=A|\"1\"|\"a b\"|\"\" pattern=\"^a{1,2}$\"\n  h any\n  \
         i [any] default=[{\"a\":\"b c\"}]\n  j object others=true\n  k string format=uri default=\"true\"\n  \
         l number enum=1|2.5|null\n  \"m k\" any loose\n",
    );
}

#[test]
fn lines_belong_to_the_innermost_type_of_the_line_above() {
    check(
        "{type: object, properties: {
          a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [b, c], items: {
            type: object, required: [b, c], properties: {b: {type: string}, c: {type: string}},
            x-kubernetes-validations: [{rule: 'self.b != self.c', message: two keys are equal}]}},
          d: {type: array, items: {type: object, properties: {e: {type: string}}},
            x-kubernetes-validations: [{rule: \"a\\nb\", fieldPath: .e, reason: FieldValueInvalid, optionalOldSelf: true}]},
          f: {type: object, oneOf: [{required: [g]}, {not: {anyOf: [{required: [g]}, {required: [h]}]}}],
            properties: {g: {type: string}, h: {type: string}}}}}",
        "A.v1 object\n  a [object] list=map(b,c)\n    b! string\n    c! string\n    @rule self.b != self.c\n      \
         message two keys are equal\n  d array\n    @items object\n      e string\n    @rule \"a\\nb\"\n      \
         reason FieldValueInvalid\n      fieldPath .e\n      optionalOldSelf\n  f object\n    g string\n    \
         h string\n    @oneOf any required=g\n    @oneOf any\n      @not any\n        @anyOf any required=g\n        \
         @anyOf any required=h\n",
    );
}

#[test]
fn what_is_used_more_than_once_is_a_type_named_after_its_fields() {
    check(
        "{type: object, properties: {
          containers: {type: array, items: {type: object, properties: {image: {type: string}}}},
          spare: {type: object, properties: {image: {type: string}}},
          others: {type: object, properties: {
            containers: {type: array, items: {type: object, properties: {image: {type: string}}}}}}}}",
        "A.v1 object\n  containers [Container]\n  others object\n    containers [Container]\n  spare Container\n\n\
         Container object\n  image string\n",
    );
}

#[test]
fn a_schema_is_written_as_the_emitter_writes_it() {
    let long = "word ".repeat(40);
    let text = format!(
        "A.v1 object\n  a10 string\n  a9 string\n  true string\n  a-b [object]\n    x {{B}}\n  c any\n  d array\n    @items any\n    \
         @allOf any\n    @allOf any required=d\n    @rule {}\n      message {}\n\nB object\n  y string default=\"a: b\"\n",
        long.trim(),
        long.trim(),
    );
    let rendered = notation(&text).render("A.v1", 0, None).unwrap().unwrap();
    let copied = Node::map(Map::deferred(rendered), None);
    let read = Node::map(copied.as_map().unwrap().as_slice().iter().cloned().collect(), None);
    let text_of = |node: &Node| {
        let mut out = Vec::new();
        emit(node, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(
        copied.as_map().unwrap().as_deferred().is_some() && read.as_map().unwrap().as_deferred().is_none()
    );
    assert_eq!(text_of(&copied), text_of(&read));
    assert_eq!(copied, read);
}

#[test]
fn a_deferred_mapping_becomes_its_own_when_it_is_changed() {
    let rendered = notation("A.v1 object\n  a string\n").render("A.v1", 0, None).unwrap().unwrap();
    let mut map = Map::deferred(rendered);
    let before = map.clone();
    assert!(map.is_same_text(&before) && map == before && !map.is_empty());
    map.set("type", Node::string("string", None));
    assert!(map.as_deferred().is_none() && map != before);
    assert_eq!(before.get("type").and_then(Node::as_text), Some("object"));
}

#[test]
fn descriptions_and_what_does_not_exist_have_no_form() {
    for (yaml, path) in [
        ("{properties: {a: {description: b}}}", "A.v1.properties.a.description"),
        ("{nullable: false}", "A.v1.nullable"),
        ("{type: text}", "A.v1.type"),
        ("{items: [{type: string}]}", "A.v1.items"),
        ("{x-kubernetes-list-type: map}", "A.v1.x-kubernetes-list-type"),
        ("{x-kubernetes-validations: [{rule: a, severity: b}]}", "A.v1.x-kubernetes-validations"),
        ("{properties: {}}", "A.v1.properties"),
    ] {
        assert_eq!(write([("A.v1".to_owned(), &node(yaml))]).unwrap_err().path, path);
    }
}

#[test]
fn what_is_not_of_the_notation_is_an_error_at_its_place() {
    for (text, at, code) in [
        ("A.v1 text\n", 5, Code::Syntax),
        ("A.v1 string big\n", 12, Code::Syntax),
        ("A.v1 string maxLength\n", 21, Code::Syntax),
        ("A.v1 string maxLength=\n", 22, Code::Syntax),
        ("A.v1 [string\n", 12, Code::Syntax),
        ("A.v1 string pattern=\"a\n", 20, Code::Syntax),
        ("A.v1 array list=map(a\n", 20, Code::Syntax),
        ("A.v1 object\n    a string\n", 16, Code::Syntax),
        ("A.v1 object\n a string\n", 13, Code::Syntax),
        ("A.v1 object\n  a string\n  a string\n", 25, Code::Syntax),
        ("A.v1 object\n  a B\n", 16, Code::Syntax),
        ("A.v1 object\n  a B nullable\n\nB string\n", 18, Code::Syntax),
        ("A.v1 object\n  a B\n    c string\n\nB object\n", 22, Code::Syntax),
        ("A.v1 object\n  @some string\n", 15, Code::Syntax),
        ("A.v1 object\n  @rule a\n    cause b\n", 26, Code::Syntax),
        ("A.v1 string nullable nullable\n", 0, Code::Syntax),
        ("A.v1 int-or-string\n  @anyOf any\n", 0, Code::Syntax),
        ("A.v1 string pattern=\"\\u007f\"\n", 0, Code::Syntax),
        ("A.v1 object\n  \"a\\nb\" string\n", 14, Code::Syntax),
        ("A.v1 string\nA.v1 string\n", 12, Code::DuplicateKey),
        ("A.v1 object\n  a B\n\nB object\n  b [B]\n", 19, Code::Cycle),
        ("A.v1 B\nB A.v1\n", 0, Code::Cycle),
    ] {
        let errors = Notation::parse(text, SourceId(0)).unwrap_err();
        let found: Vec<_> = errors.0.iter().map(|error| (error.mark.unwrap().offset, error.code)).collect();
        assert_eq!(found, [(at, code)], "{text}\n{errors:?}");
    }
}

#[test]
fn nesting_has_a_limit_in_each_form() {
    let brackets = format!("A.v1 {}string{}\n", "[".repeat(5000), "]".repeat(5000));
    let chain = |order: &mut dyn Iterator<Item = usize>, last: usize| {
        let mut text = format!("T{last} string\n\n");
        for level in order {
            let _ = write!(text, "T{level} object\n  a T{}\n\n", level + 1);
        }
        text
    };
    let lines: String = (0..5000).map(|depth| "  ".repeat(depth) + "A object\n").collect();
    for text in [brackets, chain(&mut (0..5000), 5000), chain(&mut (0..5000).rev(), 5000), lines] {
        assert!(Notation::parse(&text, SourceId(0)).is_err());
    }
    assert!(Notation::parse(&chain(&mut (0..50), 50), SourceId(0)).is_ok());
}

#[test]
fn a_schema_that_would_fill_the_memory_is_refused() {
    let mut text = "T0 object\n  a string\n".to_owned();
    for level in 1..30 {
        let below = level - 1;
        let _ = write!(text, "\nT{level} object\n  a T{below}\n  b T{below}\n");
    }
    assert!(notation(&text).render("T29", 0, None).is_err());
}

fn schema() -> impl Strategy<Value = Node> {
    let leaf = prop::sample::select(vec![
        "{type: string}",
        "{type: string, pattern: '^[a-z ]*$', maxLength: 5}",
        "{type: integer, format: int64, default: 3}",
        "{type: object, x-kubernetes-preserve-unknown-fields: true}",
        "{anyOf: [{type: integer}, {type: string}], x-kubernetes-int-or-string: true, pattern: a}",
        "{type: string, x-kubernetes-validations: [{rule: self == oldSelf, message: a message of many words that is long enough to be folded where a line ends}]}",
        "{}",
    ]);
    let entry = |key: &str, value: Node| Entry { key: Key::new(key, None), value };
    leaf.prop_map(node).prop_recursive(4, 30, 4, move |inner| {
        let names = prop::sample::select(vec!["a", "b10", "b9", "x-y", "$ref", "true", "a b", "1"]);
        prop_oneof![
            prop::collection::btree_map(names, inner.clone(), 1..5).prop_map(move |fields| {
                let required = fields.keys().take(1).map(|name| Node::string(name, None)).collect();
                let fields = fields.into_iter().map(|(name, value)| entry(name, value)).collect();
                Node::map(
                    Map::from_iter([
                        entry("properties", Node::map(fields, None)),
                        entry("required", Node::seq(required, None)),
                        entry("type", Node::string("object", None)),
                    ]),
                    None,
                )
            }),
            inner.clone().prop_map(move |items| {
                let kind = Node::string("array", None);
                Node::map(Map::from_iter([entry("items", items), entry("type", kind)]), None)
            }),
            inner.clone().prop_map(move |values| {
                let kind = Node::string("object", None);
                let fields = [entry("additionalProperties", values), entry("type", kind)];
                Node::map(Map::from_iter(fields), None)
            }),
            prop::collection::vec(inner, 1..3).prop_map(move |all| {
                Node::map(Map::from_iter([entry("oneOf", Node::seq(all, None))]), None)
            }),
        ]
    })
}

/// A schema that says something.
fn filled() -> impl Strategy<Value = Node> {
    schema().prop_filter("an empty schema", |node| node.as_map().is_some_and(|map| !map.is_empty()))
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(one in filled(), other in filled()) {
        let text = write([("A.v1".to_owned(), &one), ("B.v1".to_owned(), &other)]).unwrap();
        for (name, schema) in [("A.v1", &one), ("B.v1", &other)] {
            let yaml = rendered(&text, name);
            let read = node(&yaml);
            prop_assert_eq!(&read, schema, "{}", text);
            let mut out = Vec::new();
            emit(&read, &mut out).unwrap();
            prop_assert_eq!(String::from_utf8(out).unwrap(), yaml);
        }
    }
}
