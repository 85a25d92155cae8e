//! Field specs: which fields of which kinds a transformer changes, and the walk to those fields.

use crate::resource::{Editor, Field};
use crate::types::FieldSpec;
use kfc_diagnostics::{Code, Diagnostic, Mark, Result};
use kfc_kube::Object;
use kfc_yaml::parse::{DEEPEST, resolve_plain};
use kfc_yaml::{Entry, Key, Map, Node, Scalar, ScalarKind, Spelling, Value};
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// What replaces a field that is missing or null, when its spec says `create`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Nothing: missing fields stay missing, even if the spec says `create`.
    Nothing,
    /// A scalar to be set.
    Scalar,
    /// An empty mapping to be filled.
    Mapping,
}

/// One part of a path.
#[derive(Clone, Debug)]
struct Step<'s> {
    name: Cow<'s, str>,
    /// Written with `[]`: the field is a list.
    list: bool,
    /// Written with blanks alone: the step stays where it is. (One with no text at all is an error.)
    stays: bool,
}

impl<'s> Step<'s> {
    /// Reads a part of a path. Blanks around a name do not count, as in every `Lookup` of kyaml.
    fn new(part: Cow<'s, str>) -> Self {
        let (name, list) = match part.strip_suffix("[]") {
            Some(shorter) => (shorter, true),
            None => (part.as_ref(), false),
        };
        let trimmed = name.trim();
        let stays = trimmed.is_empty() && !name.is_empty();
        let name = if trimmed.len() == part.len() { part } else { Cow::Owned(trimmed.to_owned()) };
        Self { name, list, stays }
    }
}

/// A field spec with its path cut into steps.
#[derive(Clone, Debug)]
pub struct Route<'s> {
    /// The spec.
    pub spec: &'s FieldSpec,
    steps: Vec<Step<'s>>,
}

/// Field specs made ready for many resources: paths are cut once, and the specs that fit are looked for once for each
/// apiVersion and kind.
#[derive(Debug)]
pub struct FieldSpecs<'s> {
    routes: Vec<Route<'s>>,
    /// Kind, then apiVersion, to the positions of the fitting routes.
    fitting: FxHashMap<String, Vec<(String, Vec<usize>)>>,
}

impl<'s> FieldSpecs<'s> {
    /// Field specs in the order in which they are to be applied.
    pub fn new(specs: impl IntoIterator<Item = &'s FieldSpec>) -> Self {
        let routes = specs.into_iter().map(Route::new).collect();
        Self { routes, fitting: FxHashMap::default() }
    }

    /// Calls `set` on every field of the object that a spec names. Missing fields are created as `create` says
    /// where the spec allows it; null on the way counts as missing; lists are entered, written with `[]` or not.
    ///
    /// # Errors
    /// [`Code::FieldPath`] when a path leads into a scalar or cannot be followed, and the errors of `set`.
    pub fn apply(
        &mut self,
        object: Editor<'_>,
        create: Create,
        mut set: impl FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        self.visit(object, create, |field| field.change(&mut set))
    }

    /// As [`FieldSpecs::apply`], for changes that say where values come from.
    ///
    /// # Errors
    /// Those of [`FieldSpecs::apply`].
    pub fn visit(
        &mut self,
        object: Editor<'_>,
        create: Create,
        mut visit: impl FnMut(&mut Field<'_>) -> Result<()>,
    ) -> Result<()> {
        let fitting = Self::fitting(&mut self.fitting, &self.routes, &object);
        if fitting.is_empty() {
            return Ok(());
        }
        object.walk(|object| {
            fitting.iter().try_for_each(|at| self.routes[*at].walk(object, create, &mut visit))
        })
    }

    /// The routes that fit an object.
    pub fn routes_of<'f>(&'f mut self, object: &Object) -> impl Iterator<Item = &'f Route<'s>> + use<'f, 's> {
        Self::fitting(&mut self.fitting, &self.routes, object).iter().map(|at| &self.routes[*at])
    }

    fn fitting<'f>(
        known: &'f mut FxHashMap<String, Vec<(String, Vec<usize>)>>,
        routes: &[Route<'_>],
        object: &Object,
    ) -> &'f [usize] {
        let (api_version, kind) = (object.api_version(), object.kind());
        if !known.contains_key(kind) {
            known.insert(kind.to_owned(), Vec::new());
        }
        let Some(versions) = known.get_mut(kind) else { return &[] };
        let at = versions.iter().position(|(known, _)| known == api_version).unwrap_or_else(|| {
            let gvk = object.gvk();
            let fits = |(_, route): &(usize, &Route<'_>)| route.spec.gvk.selects(&gvk);
            let found = routes.iter().enumerate().filter(fits).map(|(at, _)| at).collect();
            versions.push((api_version.to_owned(), found));
            versions.len() - 1
        });
        &versions[at].1
    }
}

impl<'s> Route<'s> {
    /// Cuts the path of a spec. A slash at its beginning does not count.
    pub fn new(spec: &'s FieldSpec) -> Self {
        Self { spec, steps: split_path(&spec.path).map(Step::new).collect() }
    }

    /// Visits every field below `object` that the path leads to, and creates those that are missing as `create` says.
    ///
    /// # Errors
    /// [`Code::FieldPath`] when the path leads into a scalar or cannot be followed, and the errors of the visits.
    pub fn walk(
        &self,
        object: &mut Field<'_>,
        create: Create,
        visit: &mut impl FnMut(&mut Field<'_>) -> Result<()>,
    ) -> Result<()> {
        let create = if self.spec.create { create } else { Create::Nothing };
        if self.steps.len() > DEEPEST {
            let message = format!("the field path has more than {DEEPEST} steps, the limit of nesting");
            return Err(Diagnostic::error(Code::TooDeep, message).at(object.node().mark).into());
        }
        self.walk_steps(object, &self.steps, create, visit)
    }

    fn walk_steps(
        &self,
        field: &mut Field<'_>,
        steps: &[Step<'_>],
        create: Create,
        visit: &mut impl FnMut(&mut Field<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some((step, rest)) = steps.split_first() else { return visit(field) };
        let (mark, found) = (field.node().mark, field.node().describe());
        match &field.node().value {
            Value::Map(_) if step.stays => self.walk_steps(field, rest, create, visit),
            Value::Map(_) => {
                self.check_name(step, mark)?;
                match field.open(&step.name, blank(step, rest.is_empty(), create, mark), !step.list) {
                    Some(mut field) => self.walk_steps(&mut field, rest, create, visit),
                    None => Ok(()),
                }
            }
            Value::Seq(_) => field.each_item(|item| self.walk_steps(item, steps, create, visit)),
            Value::Scalar(scalar) if scalar.kind == ScalarKind::Null => Ok(()),
            Value::Scalar(_) => {
                let message = format!("expected a mapping or a sequence with `{}`, found {found}", step.name);
                Err(self.error(message, mark).into())
            }
        }
    }

    /// kustomize reads `*`, numbers, `-` and `[key=value]` as steps into lists, which a mapping is not.
    fn check_name(&self, step: &Step<'_>, mark: Mark) -> Result<()> {
        let name = step.name.as_ref();
        let into_list = name == "*"
            || name == "-"
            || name.parse::<i64>().is_ok()
            || (name.starts_with('[') && name.ends_with(']'));
        if name.is_empty() {
            Err(self.error("a part of the field's path is empty".to_owned(), mark).into())
        } else if into_list {
            Err(self.error(format!("expected a sequence for `{name}`, found a mapping"), mark).into())
        } else {
            Ok(())
        }
    }

    fn error(&self, message: String, mark: Mark) -> Diagnostic {
        let FieldSpec { gvk, path, .. } = self.spec;
        let of = if gvk.kind.is_empty() { "every kind" } else { &gvk.kind };
        Diagnostic::error(Code::FieldPath, message)
            .at(mark)
            .note(format!("the transformer's configuration names the field `{path}` of {of}"))
    }
}

/// What the field of a step becomes when it is null, or is missing and may be created, which a list never is: a list for
/// `[]`, else what `create` says.
fn blank(step: &Step<'_>, last: bool, create: Create, mark: Mark) -> Option<Node> {
    match create {
        _ if step.list => Some(Node::seq(Vec::new(), mark)),
        Create::Nothing => None,
        Create::Scalar if last => Some(Node::scalar("".into(), ScalarKind::Str, mark)),
        _ => Some(Node::map(Map::new(), mark)),
    }
}

/// Cuts a path at its slashes; `\/` stands for a slash in a part.
pub fn split_path(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(path.strip_prefix('/').unwrap_or(path));
    std::iter::from_fn(move || {
        let (mut part, mut after) = cut(rest?);
        while let Some(open) = part.strip_suffix('\\').filter(|_| after.is_some()) {
            let (more, next) = cut(after?);
            part = Cow::Owned(format!("{open}/{more}"));
            after = next;
        }
        rest = after;
        Some(part)
    })
}

fn cut(path: &str) -> (Cow<'_, str>, Option<&str>) {
    path.split_once('/').map_or((Cow::Borrowed(path), None), |(part, rest)| (Cow::Borrowed(part), Some(rest)))
}

/// Sets the text of a scalar and reads it again, as kustomize does: `tru` with the suffix `e` becomes a boolean. A scalar in
/// quotes stays a string.
///
/// # Errors
/// [`Code::WrongType`] when the node is not a scalar.
pub fn rewrite_scalar(node: &mut Node, text: &str) -> Result<()> {
    expect_scalar(node)?;
    if let Value::Scalar(scalar) = &mut node.value {
        *scalar = Scalar { shared: 0, ..rewritten(scalar, text) };
    }
    Ok(())
}

/// A scalar with a new text, in the same quotes; without any, its type is that of the text.
#[must_use]
pub fn rewritten(scalar: &Scalar, text: &str) -> Scalar {
    let (kind, spelling) = if scalar.is_quoted() {
        (ScalarKind::Str, scalar.spelling)
    } else {
        (resolve_plain(text), Spelling::Untagged)
    };
    Scalar { text: text.into(), kind, spelling, shared: scalar.shared }
}

/// Sets a scalar to a string, even if the text looks like a number or boolean.
///
/// # Errors
/// [`Code::WrongType`] when the node is not a scalar.
pub fn set_string(node: &mut Node, text: &str) -> Result<()> {
    expect_scalar(node)?;
    *node = Node::string(text, node.mark);
    Ok(())
}

/// Whether a scalar is in quotes.
///
/// # Errors
/// [`Code::WrongType`] when the node is not a scalar.
pub fn expect_scalar(node: &Node) -> Result<bool> {
    if let Some(scalar) = node.as_scalar() {
        Ok(scalar.is_quoted())
    } else {
        let message = format!("expected a scalar, found {}", node.describe());
        Err(Diagnostic::error(Code::WrongType, message).at(node.mark).into())
    }
}

/// Sets an entry of a mapping to a string; null is left alone. A new entry gets the number `shared`, an
/// existing one keeps its own. Returns whether the entry is new.
///
/// # Errors
/// [`Code::WrongType`] when the node is neither a mapping nor null.
pub fn set_entry(node: &mut Node, key: &str, text: &str, shared: usize) -> Result<bool> {
    let (mark, found) = (node.mark, node.describe());
    match &mut node.value {
        Value::Map(map) => {
            let old = map.get_mut(key);
            let is_new = old.is_none();
            let shared = match old.as_ref().map(|old| old.as_scalar()) {
                None => u32::try_from(shared).unwrap_or_default(),
                Some(old) => old.map_or(0, |scalar| scalar.shared),
            };
            let mut new = Node::string(text, old.as_ref().map_or(mark, |old| old.mark));
            if let Value::Scalar(scalar) = &mut new.value {
                scalar.shared = shared;
            }
            match old {
                Some(old) => *old = new,
                None => map.push(Entry { key: Key::new(key, mark), value: new }),
            }
            Ok(is_new)
        }
        Value::Scalar(scalar) if scalar.kind == ScalarKind::Null => Ok(false),
        _ => {
            let message = format!("expected a mapping to set `{key}` in, found {found}");
            Err(Diagnostic::error(Code::WrongType, message).at(mark).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance;
    use crate::resource::Resource;
    use kfc_diagnostics::SourceId;
    use kfc_kube::Gvk;
    use kfc_yaml::parse::parse;

    const FOO: &str = "{apiVersion: v1, kind: Foo, metadata: {name: f}, spec: {a: {b: null}, s: text, \
                       l: [{x: {}}, {x: {}}], e: {}, nul: null, el: []}}";

    fn label(path: &str, create: bool) -> std::result::Result<Node, Code> {
        let mut resource = Resource::new(parse(FOO, SourceId::NONE).unwrap().remove(0), false);
        let gvk = Gvk { kind: "Foo".into(), ..Gvk::default() };
        let spec = FieldSpec { gvk, path: path.into(), create };
        FieldSpecs::new([&spec])
            .apply(resource.edit(&provenance::Step::default()), Create::Mapping, |node| {
                set_entry(node, "L", "x", 0).map(drop)
            })
            .map_err(|errors| errors.0[0].code)?;
        Ok(resource.node.get("spec").unwrap().clone())
    }

    fn changed(path: &str, create: bool, key: &str, expected: &str) {
        let spec = label(path, create).unwrap();
        assert_eq!(spec.get(key), parse(expected, SourceId::NONE).unwrap().first(), "{path}");
    }

    #[test]
    fn missing_and_null_fields_are_created_when_asked() {
        changed("spec/n/m", true, "n", "{m: {L: x}}");
        changed("spec/a/b", true, "a", "{b: {L: x}}");
        changed("spec/nul/x/y", true, "nul", "{x: {y: {L: x}}}");
        changed("/spec/e/a\\/b", true, "e", "{a/b: {L: x}}");
        changed("spec/e[]/x", true, "e", "{x: {L: x}}");
        assert!(label("spec/nul/x", false).unwrap().get("nul").unwrap().is_null());
        assert!(label("spec/n[]", true).unwrap().get("n").is_none());
    }

    #[test]
    fn lists_are_entered_with_and_without_brackets() {
        changed("spec/l/x", true, "l", "[{x: {L: x}}, {x: {L: x}}]");
        changed("spec/l[]/x", false, "l", "[{x: {L: x}}, {x: {L: x}}]");
        changed("spec/nul[]/x", false, "nul", "[]");
        changed("spec/el/x", true, "el", "[]");
    }

    #[test]
    fn paths_that_cannot_be_followed_are_errors() {
        for path in ["spec/s/t", "spec/e/0/x", "spec/*", "spec/[x=1]", "spec/-/x", "spec/e/", ""] {
            assert_eq!(label(path, true), Err(Code::FieldPath), "{path}");
        }
        for path in ["spec/s", "spec/l", "spec/el[]", "spec/nul[]"] {
            assert_eq!(label(path, true), Err(Code::WrongType), "{path}");
        }
    }

    #[test]
    fn blanks_in_a_path_do_not_count() {
        changed(" spec / e / n ", true, "e", "{n: {L: x}}");
        changed("spec/ /e/ /n/ ", true, "e", "{n: {L: x}}");
        changed("spec/ l[]/x", false, "l", "[{x: {L: x}}, {x: {L: x}}]");
        for path in ["spec//e", "spec/e/[]", "spec/ 0", "spec/e/ * "] {
            assert_eq!(label(path, true), Err(Code::FieldPath), "{path}");
        }
    }

    #[test]
    fn a_rewritten_scalar_is_read_anew_unless_it_was_quoted() {
        let rewritten = |old: &str, new: &str| {
            let mut node = parse(old, SourceId::NONE).unwrap().remove(0);
            rewrite_scalar(&mut node, new).unwrap();
            node.as_scalar().unwrap().kind
        };
        assert_eq!(rewritten("tru", "true"), ScalarKind::Bool);
        assert_eq!(rewritten("'1'", "11"), ScalarKind::Str);
        assert_eq!(rewritten("\"tru\"", "true"), ScalarKind::Str);
        assert_eq!(rewritten("5", "6"), ScalarKind::Int);
        assert_eq!(rewritten("5", "x-5"), ScalarKind::Str);
    }
}
