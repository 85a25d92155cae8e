//! What becomes of the resources that a transformer prints.

use super::notes;
use crate::provenance::Step;
use crate::resource::{Resource, ResourceSet};
use kfc_diagnostics::{Mark, Result};
use kfc_kube::Gvk;
use kfc_yaml::{Node, Value};
use rustc_hash::FxHashMap;

/// The identity of a resource by which what is printed finds what was given.
#[derive(PartialEq, Eq, Hash)]
struct Identity {
    gvk: Gvk,
    name: String,
    namespace: String,
}

impl Identity {
    fn of(resource: &Resource) -> Self {
        let id = resource.id();
        Self { namespace: id.effective_namespace().to_owned(), gvk: id.gvk, name: id.name }
    }
}

/// Replaces what a transformer was given by what it printed, as kustomize does: a resource with an identity that exists
/// replaces the old one, others are added, and what was not printed is removed.
///
/// # Errors
/// Two resources with one identity.
pub(super) fn update(set: &mut ResourceSet, printed: Vec<Resource>, step: &Step) -> Result<()> {
    let printed = ResourceSet::new(printed);
    printed.check_unique(0)?;
    let is_kept = set.list.first().is_some_and(|resource| resource.history().is_kept());
    let places: FxHashMap<Identity, usize> =
        set.list.iter().enumerate().map(|(at, resource)| (Identity::of(resource), at)).collect();
    let given = set.list.len();
    let mut stays = vec![false; given];
    for mut new in printed.list {
        if let Some(&at) = places.get(&Identity::of(&new)) {
            stays[at] = true;
            replace(&mut set.list[at], new, step)?;
        } else {
            notes::clean(&mut new)?;
            if is_kept {
                new.keep_history(step.clone());
            }
            set.list.push(new);
        }
    }
    let mut stays = stays.into_iter();
    set.retain(|_| stays.next().unwrap_or(true));
    Ok(())
}

/// Gives a resource the fields that a transformer printed. Fields that it left as they were keep their marks.
fn replace(old: &mut Resource, mut new: Resource, step: &Step) -> Result<()> {
    if !notes::are_same(old, &new) {
        old.previous = std::mem::take(&mut new.previous);
        old.prefixes = std::mem::take(&mut new.prefixes);
        old.suffixes = std::mem::take(&mut new.suffixes);
        old.behavior = new.behavior;
        old.needs_hash = new.needs_hash;
        old.allow_name_change = new.allow_name_change;
        old.allow_kind_change = new.allow_kind_change;
        old.helm_generated = new.helm_generated;
    }
    old.origin = new.origin.take();
    old.transformations = std::mem::take(&mut new.transformations);
    notes::clean(&mut new)?;
    let mut node = new.into_node();
    keep_marks(&mut node, &old.node);
    old.edit(step).replace(node);
    Ok(())
}

fn keep_marks(new: &mut Node, old: &Node) {
    let keep = |mark: &mut Mark, old: Mark| *mark = old;
    match (&mut new.value, &old.value) {
        (Value::Map(new_map), Value::Map(old_map)) => {
            keep(&mut new.mark, old.mark);
            for entry in new_map.iter_mut() {
                if let Some(old) = old_map.entry(&entry.key.text) {
                    keep(&mut entry.key.mark, old.key.mark);
                    keep_marks(&mut entry.value, &old.value);
                }
            }
        }
        (Value::Seq(new_items), Value::Seq(old_items)) => {
            keep(&mut new.mark, old.mark);
            new_items.iter_mut().zip(old_items).for_each(|(new, old)| keep_marks(new, old));
        }
        (Value::Scalar(new_scalar), Value::Scalar(old_scalar)) if new_scalar.text == old_scalar.text => {
            keep(&mut new.mark, old.mark);
        }
        _ => {}
    }
}
