//! Variables in braces, `${name}`, in the resources of a finished build. kustomize has no such thing; Flux has it after its
//! builds, and trees for Flux rely on it. Nothing is substituted unless the caller asks for it.

use crate::resource::{Field, Pass, Resource};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_yaml::parse::resolve_plain;
use kfc_yaml::{Map, Node, Scalar, ScalarKind, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The annotations and labels that keep a resource as it is, with the value `disabled`.
pub const SWITCHES: [&str; 2] = ["kfc.dev/substitute", "kustomize.toolkit.fluxcd.io/substitute"];

/// The values of variables.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, Scalar>);

impl Variables {
    /// Gives a variable the value that a plain scalar of YAML has with this text: `3` is a number. Takes the place of an earlier
    /// one.
    ///
    /// # Errors
    /// [`Code::Variable`] for what cannot be the name of a variable.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        self.put(name, typed(text), None)
    }

    /// Takes variables from a mapping of scalars, or from the data of a ConfigMap. The latter can have texts alone, so that their types
    /// are those that they have without quotes, as in Flux.
    ///
    /// # Errors
    /// [`Code::WrongType`] for other documents, [`Code::Variable`] for what cannot be the name of a variable.
    pub fn read(&mut self, document: &Node) -> Result<()> {
        let is_config_map = document.get("kind").and_then(Node::as_text) == Some("ConfigMap");
        let pairs = if is_config_map { document.get("data") } else { Some(document) };
        let pairs = pairs.and_then(Node::as_map).ok_or_else(|| {
            let message = "expected a mapping of variables to their values, or a ConfigMap";
            Diagnostic::error(Code::WrongType, message).at(document.mark)
        })?;
        let mut errors = Diagnostics::default();
        for entry in pairs {
            match &entry.value.value {
                Value::Scalar(scalar) => {
                    let value = if is_config_map { typed(&scalar.text) } else { scalar.clone() };
                    errors.collect(self.put(&entry.key.text, value, Some(entry.key.mark)));
                }
                _ => errors.push(
                    Diagnostic::error(Code::WrongType, "the value of a variable must be a scalar")
                        .at(entry.value.mark),
                ),
            }
        }
        errors.into_result(())
    }

    fn put(&mut self, name: &str, value: Scalar, mark: Option<Mark>) -> Result<()> {
        if !is_name(name) {
            let message = format!("`{name}` cannot be the name of a variable");
            let error = Diagnostic::error(Code::Variable, message).at(mark);
            return Err(error.help("names have letters, digits and `_`, and begin with no digit").into());
        }
        self.0.insert(name.to_owned(), value);
        Ok(())
    }
}

/// The value that YAML reads without quotes, but for nothing at all, which is an empty text here.
fn typed(text: &str) -> Scalar {
    let kind = if text.is_empty() { ScalarKind::Str } else { resolve_plain(text) };
    Scalar::new(text.into(), kind)
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    text.as_bytes().first().is_some_and(|first| !first.is_ascii_digit())
        && text.as_bytes().iter().all(is_part)
}

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// `${name}`.
    Variable {
        name: &'t str,
        default: Option<Fallback<'t>>,
    },
}

/// What follows the name of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fallback<'t> {
    text: &'t str,
    /// Whether it also stands for an empty value: `:-` and `:=`.
    if_empty: bool,
}

/// What `:-default` says, or one of its other forms.
fn fallback(text: &str) -> Option<Fallback<'_>> {
    let after_colon = text.strip_prefix(':');
    let text = after_colon.unwrap_or(text).strip_prefix(['-', '='])?;
    Some(Fallback { text, if_empty: after_colon.is_some() })
}

/// The pieces of a text. `$${` is a `${` that stays as it is.
fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            found.extend([Piece::Text(&rest[..at - 1]), Piece::Text("${")]);
            rest = &rest[at + 2..];
            continue;
        }
        let (inside, after) = rest[at + 2..].split_once('}')?;
        let end = inside.find([':', '-', '=']).unwrap_or(inside.len());
        let (name, default) = inside.split_at(end);
        let default = if default.is_empty() { None } else { Some(fallback(default)?) };
        if !is_name(name) {
            return None;
        }
        found.extend([Piece::Text(&rest[..at]), Piece::Variable { name, default }]);
        rest = after;
    }
    found.push(Piece::Text(rest));
    found.retain(|piece| *piece != Piece::Text(""));
    Some(found)
}

/// Replaces the variables in all values. A value that is one variable and nothing else gets its type too, unless it is in quotes,
/// or only texts can be there: labels, annotations, and the data of config maps and Secrets. Returns the variables that no value
/// names.
///
/// # Errors
/// [`Code::Variable`] for variables without a value, for `${` that begins no variable, and for variables in keys. Errors about
/// Secrets do not show the names, as any text may be part of a password.
pub fn apply(Pass { set, step, .. }: Pass<'_>, variables: &Variables) -> Result<Vec<String>> {
    let mut errors = Diagnostics::default();
    let mut unused: BTreeSet<&str> = variables.0.keys().map(String::as_str).collect();
    for resource in &mut set.list {
        if is_disabled(resource) {
            continue;
        }
        let kind = resource.kind().to_owned();
        let mut run = Run {
            variables,
            unused: &mut unused,
            errors: Diagnostics::default(),
            is_secret: kind == "Secret",
        };
        let with_data = run.is_secret || kind == "ConfigMap";
        resource.edit(step).walk(|field| run.visit(field, Place::Object { with_data }))?;
        let found = run.errors;
        errors.extend(resource.located(found));
    }
    errors.into_result(unused.into_iter().map(str::to_owned).collect())
}

fn is_disabled(resource: &Resource) -> bool {
    let is_set = |map: &str, key: &str| {
        resource.node.at(&["metadata", map, key]).and_then(Node::as_text) == Some("disabled")
    };
    SWITCHES.iter().any(|key| is_set("annotations", key) || is_set("labels", key))
}

/// The substitution in one resource.
struct Run<'r, 'v> {
    variables: &'v Variables,
    unused: &'r mut BTreeSet<&'v str>,
    errors: Diagnostics,
    is_secret: bool,
}

/// Where a field is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The resource itself; only texts can be in the data of some kinds.
    Object {
        with_data: bool,
    },
    Anywhere,
    /// In `metadata`, of the resource or of what it makes.
    Metadata,
    /// Where only texts can be.
    Texts,
}

impl Run<'_, '_> {
    fn visit(&mut self, field: &mut Field<'_>, place: Place) -> Result<()> {
        match &field.node().value {
            Value::Scalar(scalar) if scalar.text.contains("${") => {
                let mark = field.node().mark;
                if let Some(value) = self.value(scalar, place, mark) {
                    field.change(|node| node.value = Value::Scalar(value));
                }
                Ok(())
            }
            Value::Scalar(_) => Ok(()),
            Value::Seq(_) => field.each_item(|item| self.visit(item, Place::Anywhere)),
            Value::Map(map) => {
                self.check_keys(map);
                field.each_field(|key, field| {
                    let place = match (place, key) {
                        (Place::Texts, _)
                        | (Place::Object { with_data: true }, "data" | "stringData")
                        | (Place::Metadata, "labels" | "annotations") => Place::Texts,
                        (_, "metadata") => Place::Metadata,
                        _ => Place::Anywhere,
                    };
                    self.visit(field, place)
                })
            }
        }
    }

    fn check_keys(&mut self, map: &Map) {
        for entry in map.iter().filter(|entry| entry.key.text.contains("${")) {
            self.errors
                .push(Diagnostic::error(Code::Variable, "a key cannot have variables").at(entry.key.mark));
        }
    }

    /// The value of a scalar with variables; nothing when there is an error.
    fn value(&mut self, scalar: &Scalar, place: Place, mark: Mark) -> Option<Scalar> {
        let Some(pieces) = pieces(&scalar.text) else {
            let error = Diagnostic::error(Code::Variable, "`${` begins no variable here").at(mark);
            self.errors.push(error.help(
                "write `${name}` or `${name:-default}`; `$${` for the characters themselves; or annotate the resource \
                 with `kfc.dev/substitute: disabled`",
            ));
            return None;
        };
        if let ([Piece::Variable { name, default }], false) =
            (pieces.as_slice(), place == Place::Texts || scalar.is_quoted())
        {
            return self.variable(name, *default, mark);
        }
        let mut text = String::new();
        let mut is_whole = true;
        for piece in pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Variable { name, default } => match self.variable(name, default, mark) {
                    Some(value) => text.push_str(&value.text),
                    None => is_whole = false,
                },
            }
        }
        is_whole.then(|| Scalar { spelling: scalar.spelling, ..Scalar::new(text.into(), ScalarKind::Str) })
    }

    fn variable(&mut self, name: &str, default: Option<Fallback<'_>>, mark: Mark) -> Option<Scalar> {
        self.unused.remove(name);
        let value = self.variables.0.get(name);
        let stands_in =
            |default: &Fallback<'_>| value.is_none_or(|value| default.if_empty && value.text.is_empty());
        if let Some(default) = default.filter(stands_in) {
            return Some(typed(default.text));
        }
        if value.is_none() {
            let (message, help) = if self.is_secret {
                (
                    "a variable in this Secret has no value".to_owned(),
                    "give it one with `--substitute NAME=VALUE`".to_owned(),
                )
            } else {
                let help = format!(
                    "give it one with `--substitute {name}=VALUE`, or a default: `${{{name}:-VALUE}}`"
                );
                (format!("the variable `${{{name}}}` has no value"), help)
            };
            self.errors.push(Diagnostic::error(Code::Variable, message).at(mark).help(help));
        }
        value.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Fallback, Piece, Variables, apply, pieces};
    use crate::provenance::{Step, StepKind};
    use crate::resource::{Resource, ResourceSet};
    use kfc_diagnostics::SourceId;
    use kfc_yaml::ScalarKind;
    use kfc_yaml::emit::emit;
    use kfc_yaml::parse::parse;

    fn variables() -> Variables {
        let mut all = Variables::default();
        let file = parse("{region: eu, count: 3, port: '8080', empty: ''}", SourceId::NONE).unwrap();
        all.read(&file[0]).unwrap();
        all.set("debug", "true").unwrap();
        all
    }

    /// A resource after the substitution, or the messages of its errors.
    fn substituted(text: &str) -> Result<String, Vec<String>> {
        let node = parse(text, SourceId::NONE).unwrap().remove(0);
        let mut set = ResourceSet::new(vec![Resource::new(node, false)]);
        let step = Step::new(StepKind::Other("substitute"), None);
        let done = apply(set.pass(&step), &variables());
        done.map_err(|errors| errors.0.into_iter().map(|error| error.message).collect::<Vec<_>>())?;
        let mut out = Vec::new();
        emit(&set.list[0].node, &mut out).unwrap();
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn texts_have_pieces() {
        let variable = |name, default| Piece::Variable { name, default };
        let default = |text, if_empty| Some(Fallback { text, if_empty });
        assert_eq!(pieces("a ${b}c").unwrap(), [Piece::Text("a "), variable("b", None), Piece::Text("c")]);
        assert_eq!(pieces("${b:-x:y}").unwrap(), [variable("b", default("x:y", true))]);
        assert_eq!(pieces("${b:=}").unwrap(), [variable("b", default("", true))]);
        assert_eq!(pieces("${b-x}").unwrap(), [variable("b", default("x", false))]);
        assert_eq!(pieces("$${b} $c").unwrap(), [Piece::Text("${"), Piece::Text("b} $c")]);
        for wrong in ["${", "${b", "${}", "${1}", "${b^^}", "${b:+x}", "${ b }"] {
            assert_eq!(pieces(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_have_the_type_of_their_variable_where_that_is_possible() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-${region}\n  annotations:\n    count: ${count}\ndata:\n  count: ${count}\n  script: $${HOME} $1\nspec:\n  debug: ${debug}\n  either: ${none:-5}\n  empty: ${empty:-x}\n  none: ${none-}\n  number: ${count}\n  quoted: \"${count}\"\n  text: ${port}\n  two: ${count}${count}\n";
        assert_eq!(
            substituted(text).unwrap(),
            "apiVersion: v1\ndata:\n  count: \"3\"\n  script: ${HOME} $1\nkind: ConfigMap\nmetadata:\n  annotations:\n    count: \"3\"\n  name: app-eu\nspec:\n  debug: true\n  either: 5\n  empty: x\n  none: \"\"\n  number: 3\n  quoted: \"3\"\n  text: \"8080\"\n  two: \"33\"\n"
        );
    }

    #[test]
    fn all_errors_come_in_one_run() {
        let errors = substituted(
            "apiVersion: v1\nkind: A\nmetadata: {name: '${x}'}\nspec: {a: '${y} ${', b: '${z}', '${k}': 1}\n",
        );
        assert_eq!(
            errors.unwrap_err(),
            [
                "the variable `${x}` has no value",
                "a key cannot have variables",
                "`${` begins no variable here",
                "the variable `${z}` has no value"
            ]
        );
        let errors = substituted(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: 'pass${word}'}\n",
        );
        assert_eq!(errors.unwrap_err(), ["a variable in this Secret has no value"]);
    }

    #[test]
    fn resources_can_be_left_as_they_are() {
        for key in super::SWITCHES {
            let text = format!(
                "apiVersion: v1\nkind: A\nmetadata:\n  annotations:\n    {key}: disabled\n  name: a\nspec: ${{x}}\n"
            );
            assert_eq!(substituted(&text).unwrap(), text);
        }
    }

    #[test]
    fn names_and_values_are_checked() {
        let mut all = Variables::default();
        assert!(all.set("a-b", "1").is_err() && all.set("", "1").is_err() && all.set("1a", "1").is_err());
        for wrong in ["[a]", "{a: [1]}", "{a-b: 1}", "{kind: ConfigMap}"] {
            let document = parse(wrong, SourceId::NONE).unwrap().remove(0);
            assert!(all.read(&document).is_err(), "{wrong}");
        }
        let map = parse("{kind: ConfigMap, data: {a: b, c: '3'}}", SourceId::NONE).unwrap().remove(0);
        all.read(&map).unwrap();
        assert!(all.0["a"].text == "b");
        assert_eq!(all.0["c"].kind, ScalarKind::Int);
        all.read(&parse("{c: '3'}", SourceId::NONE).unwrap().remove(0)).unwrap();
        assert_eq!(all.0["c"].kind, ScalarKind::Str);
    }
}
