use super::{Entries, Mapping, TextOr, read};
use crate::Spanned;
use crate::parse::parse;
use crate::{Node, value::to_json};
use kfc_diagnostics::{SourceId, Sources};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename = "a stage", rename_all = "lowercase")]
enum Stage {
    Data,
    Training,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename = "a requirement", deny_unknown_fields)]
struct Requirement {
    component: Spanned<String>,
    when: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename = "$keyed a source", rename_all = "lowercase")]
enum Source {
    Git(Git),
    File(File),
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename = "a git source")]
struct Git {
    git: String,
    commit: Commit,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename = "a file source")]
struct File {
    file: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(try_from = "String")]
struct Commit(String);

impl TryFrom<String> for Commit {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let is_hash = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash { Ok(Self(text)) } else { Err(format!("`{text}` is not a commit")) }
    }
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename = "a component", rename_all = "camelCase", deny_unknown_fields)]
struct Component {
    name: Spanned<String>,
    stage: Stage,
    #[serde(default)]
    size_limit: i64,
    #[serde(default)]
    builtin: bool,
    #[serde(default)]
    requires: Vec<TextOr<Requirement>>,
    #[serde(default)]
    prefers: Entries<String>,
    #[serde(default)]
    sources: Vec<Source>,
    facts: Option<Mapping>,
    value: Option<Node>,
}

/// The errors, each with its location and help; a line each.
fn errors<T: DeserializeOwned>(text: &str) -> String {
    let sources = Sources::default();
    let (id, source) = sources.add("f", text);
    let (_, found) = read::<T>(&parse(&source.text, id).unwrap()[0]);
    let line = |error: &kfc_diagnostics::Diagnostic| {
        let place = error.mark.and_then(|mark| sources.locate(mark)).unwrap_or_default();
        let help = error.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{place} {} {}{help}\n", error.code.as_str(), error.message)
    };
    found.0.iter().map(line).collect()
}

#[test]
fn values_keep_their_locations_and_trees_their_spelling() {
    let text = "name: web\nstage: data\nsizeLimit: 0x10\nbuiltin: True\nrequires: [a, {component: b, when: c}]\n\
                prefers: {x: y}\nsources: [{git: u, commit: 'ab'}]\nfacts: {a: {b: 1.10}}\nvalue: '1'\n";
    let node = parse(text, SourceId(0)).unwrap().remove(0);
    let (component, found) = read::<Component>(&node);
    assert!(found.is_empty(), "{found}");
    let component = component.unwrap();
    assert_eq!((component.name.as_str(), component.name.mark.unwrap().offset), ("web", 6));
    assert_eq!((component.stage, component.size_limit, component.builtin), (Stage::Data, 16, true));
    let [TextOr::Text(short), TextOr::Whole(long)] = component.requires.as_slice() else { panic!() };
    assert_eq!((short.as_str(), long.component.as_str()), ("a", "b"));
    let offset = |needle: &str| u32::try_from(text.find(needle).unwrap()).unwrap();
    assert_eq!(long.when.as_ref().unwrap().mark.unwrap().offset, offset("c}]"));
    let (capability, provider) = &component.prefers.0[0];
    assert_eq!((capability.as_str(), provider.as_str()), ("x", "y"));
    assert_eq!(capability.mark.unwrap().offset, offset("x: y"));
    assert_eq!(
        component.sources,
        [Source::Git(Git { git: "u".to_owned(), commit: Commit("ab".to_owned()) })]
    );
    let facts = component.facts.unwrap().0;
    assert_eq!(to_json(&facts), json!({"a": {"b": 1.1}}));
    assert_eq!(facts.at(&["a", "b"]).and_then(Node::as_text), Some("1.10"));
    assert!(component.value.unwrap().as_scalar().unwrap().is_quoted());
}

#[test]
fn every_error_of_a_document_is_reported_in_order() {
    let text = "name: 1.0\nstage: dat\nsizeLimit: many\nbuiltin: maybe\nbuiltIn: true\n\
                requires: [{when: x}, [a], {component: b, whn: c}, 5, {}]\nprefers: [x]\n\
                sources: [{gti: u}, {git: u, file: v}, {git: u, commit: zz}, x]\nfacts: a\nstages: {}\n";
    insta::assert_snapshot!(errors::<Component>(text), @r#"
    f:1:7 KFC0202 `name` must be a string, but this is a float (put it in quotes: "1.0")
    f:2:8 KFC0203 `dat` is not a stage (did you mean `data`?)
    f:3:12 KFC0202 `sizeLimit` must be an integer, but this is a string
    f:4:10 KFC0202 `builtin` must be `true` or `false`, but this is a string
    f:5:1 KFC0201 unknown field `builtIn` in a component (did you mean `builtin`?)
    f:6:13 KFC0204 a requirement needs `component`
    f:6:23 KFC0202 a requirement must be a mapping, but this is a sequence
    f:6:43 KFC0201 unknown field `whn` in a requirement (did you mean `when`?)
    f:6:52 KFC0202 `requires` must be a string, but this is an integer (put it in quotes: "5")
    f:6:55 KFC0204 a requirement needs `component`
    f:7:10 KFC0202 `prefers` must be a mapping, but this is a sequence
    f:8:11 KFC0206 a source must have exactly one of `git`, `file` (did you mean `git`?)
    f:8:21 KFC0206 a source must have exactly one of `git`, `file`
    f:8:57 KFC0203 `zz` is not a commit
    f:8:62 KFC0202 a source must be a mapping, but this is a string
    f:9:8 KFC0202 `facts` must be a mapping, but this is a string
    f:10:1 KFC0201 unknown field `stages` in a component (did you mean `stage`?)
    "#);
}

#[test]
fn missing_fields_are_reported_once_for_each_value() {
    let missing = "f:1:1 KFC0204 a component needs `name`\nf:1:1 KFC0204 a component needs `stage`\n";
    assert_eq!(errors::<Component>("{}"), missing);
    assert_eq!(
        errors::<Component>("name:\nstage: ~\nrequires: ~\n"),
        "f:1:1 KFC0204 a component needs `name`\nf:2:1 KFC0204 a component needs `stage`\n"
    );
    assert_eq!(
        errors::<Component>("[]"),
        "f:1:1 KFC0202 a component must be a mapping, but this is a sequence\n"
    );
    assert_eq!(
        errors::<Vec<Requirement>>("- {}\n- when: x\n- component: a\n- ~\n"),
        "f:1:3 KFC0204 a requirement needs `component`\n\
         f:2:3 KFC0204 a requirement needs `component`\n\
         f:4:3 KFC0202 a requirement must be a mapping, but this is null\n"
    );
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct NotEmpty;

impl TryFrom<String> for NotEmpty {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.len() > 1 { Ok(Self) } else { Err("this is too short") }
    }
}

#[test]
fn a_value_whose_type_has_no_empty_one_is_left_out() {
    let text = "[ab, c, [], d, efg]";
    let (value, _) = read::<Vec<NotEmpty>>(&parse(text, SourceId(0)).unwrap()[0]);
    assert_eq!(value.unwrap().len(), 2);
    assert_eq!(
        errors::<Vec<NotEmpty>>(text),
        "f:1:6 KFC0203 this is too short\nf:1:9 KFC0203 this is too short\nf:1:13 KFC0203 this is too short\n"
    );
    let (value, found) = read::<NotEmpty>(&parse("x", SourceId(0)).unwrap()[0]);
    assert!(value.is_none());
    assert_eq!(found.to_string(), "error[KFC0203]: this is too short");
}

#[test]
fn what_follows_an_error_is_still_read() {
    let node = parse("name: web\nstage: dat\nrequires: [{}, b]\n", SourceId(0)).unwrap().remove(0);
    let (component, found) = read::<Component>(&node);
    assert_eq!(found.0.len(), 2);
    let component = component.unwrap();
    assert_eq!((component.name.as_str(), component.requires.len()), ("web", 2));
}

#[test]
fn many_errors_take_no_more_readings_than_few() {
    let text = "- {when: [], x: 1}\n".repeat(20_000);
    let (_, found) = read::<Vec<Requirement>>(&parse(&text, SourceId(0)).unwrap()[0]);
    assert_eq!(found.0.len(), 60_000);
    // Each refused value takes another reading, up to a limit.
    let text = "- zz\n".repeat(2000);
    let (value, found) = read::<Vec<Commit>>(&parse(&text, SourceId(0)).unwrap()[0]);
    assert!(value.is_none());
    assert!((50..=super::MOST_READS).contains(&found.0.len()), "{}", found.0.len());
}

#[test]
fn other_formats_have_no_locations() {
    assert!(serde_json::from_value::<Spanned<String>>(json!({"$value": "a"})).is_err());
    assert!(serde_json::from_value::<Node>(json!(null)).is_err());
}

#[test]
fn booleans_of_yaml_1_1_are_refused_with_what_they_mean() {
    insta::assert_snapshot!(errors::<Component>("name: a\nstage: data\nbuiltin: Off\n"), @"f:3:10 KFC0202 `builtin` must be `true` or `false`, but this is a string (write it as `false`)");
}
