//! Walks target and patch together.

use super::directive::{self, Directive};
use super::irregular_list;
use super::item::{ListPatch, MergeItem, Merged};
use super::keyed_list;
use super::location::Location;
use super::scalar_list;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::schema::{Schema, TypeRef};
use kfc_yaml::{Entry, Map, Node, Scalar, ScalarKind, Value};
use rustc_hash::FxHashMap;

/// What became of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is still there, changed or not.
    Kept,
    /// The patch took it away, with `$patch: delete` or by emptying it.
    Removed,
}

/// Merges a patch into a target in place. `kind` is the type of both; without one, objects inside that have an
/// `apiVersion` and a `kind` of their own are still merged as such. `$patch: replace` at the top changes nothing, as in
/// kustomize.
///
/// # Errors
/// [`Code::Merge`] when patch and target differ in shape (a scalar against a mapping), [`Code::BadPatch`] for an unknown
/// `$patch` directive. The target may be half changed then.
pub fn apply(target: &mut Node, patch: &Node, schema: &Schema, kind: Option<TypeRef<'_>>) -> Result<Outcome> {
    let outcome = match (Merger { schema }).merge(target, patch, kind, &Location::Root)? {
        Merged::Kept | Merged::Instead(_) => Outcome::Kept,
        Merged::Removed => Outcome::Removed,
    };
    match target.as_map() {
        Some(map) if map.is_empty() => Ok(Outcome::Removed),
        _ => Ok(outcome),
    }
}

/// The three ways to walk a tree: [`Merger::merge`] a patch into it, [`Merger::settle`] what is new (as if a value were
/// merged with itself), and [`Merger::tidy`] what the patch does not touch.
struct Merger<'s> {
    schema: &'s Schema,
}

impl<'s> MergeItem<'s> for Merger<'s> {
    fn merge(
        &self,
        target: &mut Node,
        patch: &Node,
        known: Option<TypeRef<'s>>,
        at: &Location<'_>,
    ) -> Result<Merged> {
        if patch.is_null() {
            return Ok(Merged::Removed);
        }
        if target.is_null() {
            return Ok(self.adopt(patch, known, at)?.map_or(Merged::Removed, Merged::Instead));
        }
        let known = known.or_else(|| self.own_type(target)).or_else(|| self.own_type(patch));
        match (&mut target.value, &patch.value) {
            (Value::Map(map), Value::Map(with)) => self.merge_maps(map, with, patch, known, at),
            (Value::Seq(items), Value::Seq(with)) => self.merge_lists(items, with, patch, known, at),
            (Value::Scalar(old), Value::Scalar(new)) => {
                put_into_quotes_of(old, new);
                target.mark = patch.mark;
                Ok(Merged::Kept)
            }
            _ => Err(different_shapes(target, patch, at)),
        }
    }

    fn adopt(&self, patch: &Node, known: Option<TypeRef<'s>>, at: &Location<'_>) -> Result<Option<Node>> {
        let mut node = patch.clone();
        let known = known.or_else(|| self.own_type(patch));
        let keep = match &mut node.value {
            Value::Scalar(_) => !node.is_null(),
            Value::Seq(items) => self.settle_items(items, known, at)?,
            Value::Map(map) => match directive::of_new_map(map) {
                Some(Directive::Delete) => false,
                directive => {
                    if directive.is_some() {
                        map.remove(directive::KEY);
                    }
                    self.settle_fields(map, known, at)?;
                    true
                }
            },
        };
        Ok(keep.then_some(node))
    }

    fn settle(&self, node: &mut Node, known: Option<TypeRef<'s>>, at: &Location<'_>) -> Result<bool> {
        let known = known.or_else(|| self.own_type(node));
        match &mut node.value {
            Value::Scalar(_) => Ok(!node.is_null()),
            Value::Map(map) => {
                let directive = directive::of_map(map, at)?;
                if directive.is_some() {
                    map.remove(directive::KEY);
                }
                if directive == Some(Directive::Delete) {
                    return Ok(false);
                }
                self.settle_fields(map, known, at)?;
                Ok(true)
            }
            Value::Seq(items) => {
                if known.and_then(TypeRef::merge_keys).is_some() {
                    match directive::of_list(items, at)? {
                        Some((Directive::Delete, _)) => return Ok(false),
                        Some((_, holder)) => drop(items.remove(holder)),
                        None => {}
                    }
                }
                self.settle_items(items, known, at)
            }
        }
    }

    fn tidy(&self, node: &mut Node, known: Option<TypeRef<'s>>, at: &Location<'_>) -> Result<()> {
        let known = known.or_else(|| self.own_type(node));
        match &mut node.value {
            Value::Scalar(_) => Ok(()),
            Value::Seq(items) => self.merge_items(items, ListPatch::None, known, at),
            Value::Map(map) => {
                map.retain(|entry| !is_unwritten_null(&entry.value));
                map.iter_mut().try_for_each(|entry| {
                    let field = known.and_then(|t| t.field(&entry.key.text));
                    self.tidy(&mut entry.value, field, &Location::Field(at, &entry.key.text))
                })
            }
        }
    }
}

impl<'s> Merger<'s> {
    fn settle_fields(&self, map: &mut Map, known: Option<TypeRef<'s>>, at: &Location<'_>) -> Result<()> {
        let mut first_error = None;
        map.retain(|entry| {
            let known = known.and_then(|t| t.field(&entry.key.text));
            let settled = self.settle(&mut entry.value, known, &Location::Field(at, &entry.key.text));
            settled.unwrap_or_else(|error| {
                first_error.get_or_insert(error);
                true
            })
        });
        first_error.map_or(Ok(()), Err)
    }

    fn settle_items(
        &self,
        items: &mut Vec<Node>,
        known: Option<TypeRef<'s>>,
        at: &Location<'_>,
    ) -> Result<bool> {
        self.merge_items(items, ListPatch::Itself, known, at)?;
        Ok(true)
    }

    fn merge_maps(
        &self,
        target: &mut Map,
        with: &Map,
        patch: &Node,
        known: Option<TypeRef<'s>>,
        at: &Location<'_>,
    ) -> Result<Merged> {
        match directive::of_map(with, at)? {
            Some(Directive::Delete) => return Ok(Merged::Removed),
            Some(Directive::Replace) => {
                return Ok(self.adopt(patch, known, at)?.map_or(Merged::Removed, Merged::Instead));
            }
            Some(Directive::Merge) | None => {}
        }
        let places = Places::of(target);
        let mut touched = vec![false; target.len()];
        let mut gone = Vec::new();
        let mut new = Vec::new();
        for entry in with.iter().filter(|e| e.key.text != directive::KEY) {
            let name = entry.key.text.as_str();
            let field = known.and_then(|t| t.field(name));
            let below = Location::Field(at, name);
            let place = places.find(target, name);
            let Some((place, old)) = place.and_then(|p| Some((p, target.iter_mut().nth(p)?))) else {
                new.extend(
                    self.adopt(&entry.value, field, &below)?
                        .map(|value| Entry { key: entry.key.clone(), value }),
                );
                continue;
            };
            touched[place] = true;
            match self.merge(&mut old.value, &entry.value, field, &below)? {
                Merged::Kept => {}
                Merged::Removed => gone.push(place),
                Merged::Instead(node) => old.value = node,
            }
        }
        gone.extend(self.tidy_untouched(target, &touched, known, at)?);
        remove_all(target, &gone);
        for entry in new {
            target.push(entry);
        }
        Ok(Merged::Kept)
    }

    /// Cleans up the fields that the patch lacks; returns the places of those that are to go.
    fn tidy_untouched(
        &self,
        target: &mut Map,
        touched: &[bool],
        known: Option<TypeRef<'s>>,
        at: &Location<'_>,
    ) -> Result<Vec<usize>> {
        let mut gone = Vec::new();
        for (place, entry) in target.iter_mut().enumerate().filter(|(place, _)| !touched[*place]) {
            if is_unwritten_null(&entry.value) {
                gone.push(place);
            } else {
                let field = known.and_then(|t| t.field(&entry.key.text));
                self.tidy(&mut entry.value, field, &Location::Field(at, &entry.key.text))?;
            }
        }
        Ok(gone)
    }

    fn merge_lists(
        &self,
        target: &mut Vec<Node>,
        with: &[Node],
        patch: &Node,
        known: Option<TypeRef<'s>>,
        at: &Location<'_>,
    ) -> Result<Merged> {
        if known.and_then(TypeRef::merge_keys).is_none() {
            return Ok(Merged::Instead(patch.clone()));
        }
        let Some((directive, holder)) = directive::of_list(with, at)? else {
            self.merge_items(target, ListPatch::Items(with), known, at)?;
            return Ok(Merged::Kept);
        };
        let mut rest = with.to_vec();
        rest.remove(holder);
        match directive {
            Directive::Delete => Ok(Merged::Removed),
            Directive::Merge => {
                self.merge_items(target, ListPatch::Items(&rest), known, at)?;
                Ok(Merged::Kept)
            }
            Directive::Replace => {
                self.settle_items(&mut rest, known, at)?;
                Ok(Merged::Instead(Node::seq(rest, patch.mark)))
            }
        }
    }

    /// Merges items into a list by key or value; a list that does not merge stays as it is.
    fn merge_items(
        &self,
        target: &mut Vec<Node>,
        with: ListPatch<'_>,
        known: Option<TypeRef<'s>>,
        at: &Location<'_>,
    ) -> Result<()> {
        let Some(keys) = known.and_then(TypeRef::merge_keys) else { return Ok(()) };
        let element = known.and_then(TypeRef::element);
        if keys.is_empty() {
            return scalar_list::merge(target, with, at);
        }
        keyed_list::check_items(target, at)?;
        keyed_list::check_items(with.items(), at)?;
        let list = keyed_list::KeyedList { merger: self, keys, element, at };
        if list.merge_regular(target, with)? {
            return Ok(());
        }
        irregular_list::merge(&list, target, with)
    }

    /// The type of an object that says itself what it is.
    fn own_type(&self, node: &Node) -> Option<TypeRef<'s>> {
        let map = node.as_map()?;
        let kind = map.get("kind")?.as_text()?;
        self.schema.lookup(map.get("apiVersion")?.as_text()?, kind)
    }
}

/// Replaces a scalar; what is in quotes stays in quotes and so becomes a string, spelt as in the patch.
fn put_into_quotes_of(old: &mut Scalar, new: &Scalar) {
    let (spelling, shared) = (old.spelling, old.shared);
    old.clone_from(new);
    (old.spelling, old.shared) = (spelling, shared);
    if old.is_quoted() {
        old.kind = ScalarKind::Str;
    }
}

/// A null that the source does not write: the entry has only a key.
fn is_unwritten_null(node: &Node) -> bool {
    node.as_scalar().is_some_and(|scalar| scalar.kind == ScalarKind::Null && scalar.text.is_empty())
}

/// Where each key of a mapping is; built only for mappings so large that looking for each key would be slow.
struct Places {
    index: Option<FxHashMap<compact_str::CompactString, usize>>,
}

/// From this size on a mapping is indexed.
const LARGE: usize = 32;

impl Places {
    fn of(map: &Map) -> Self {
        let index = (map.len() >= LARGE)
            .then(|| map.iter().enumerate().map(|(i, entry)| (entry.key.text.clone(), i)).collect());
        Self { index }
    }

    fn find(&self, map: &Map, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => map.position(key),
        }
    }
}

fn remove_all(map: &mut Map, places: &[usize]) {
    if places.is_empty() {
        return;
    }
    let mut stays = vec![true; map.len()];
    for &place in places {
        stays[place] = false;
    }
    let mut stays = stays.into_iter();
    map.retain(|_| stays.next().unwrap_or(true));
}

fn different_shapes(target: &Node, patch: &Node, at: &Location<'_>) -> Diagnostics {
    let (is, wants) = (target.describe(), patch.describe());
    let message = format!("the patch has {wants} at `{at}`, where the target has {is}");
    Diagnostic::error(Code::Merge, message)
        .at(patch.mark)
        .label(target.mark, format!("this is {is}"))
        .help("to change its type, remove the field with a JSON patch first")
        .into()
}
