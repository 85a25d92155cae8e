//! What a function printed gets the comments and the order of fields of what it was given, because few functions keep them.
//!
//! The rules are those of `comments.CopyComments` and `order.SyncOrder` of kyaml, with their oddities: items of lists are paired by
//! their place, those of lists that merge by keys by their keys too, and a comment before the first field of an item is also one
//! before the item.

use crate::package::annotations::Meta;
use crate::package::kind::wrong_kind;
use kfc_diagnostics::{Diagnostic, Result};
use kfc_kube::schema::{Schema, TypeRef};
use kfc_yaml::styled::{Comments, Content, Style, StyledDocument, StyledNode};

/// Copies comments and order from what a function was given to what it printed. `is_item` says that this was an item of a list,
/// not a document of its own.
///
/// # Errors
/// Fields that a function made another kind of node.
pub(super) fn restore(
    given: &StyledDocument,
    printed: &mut StyledDocument,
    is_item: bool,
    schema: &Schema,
) -> Result<()> {
    let has_own = given.comments != Comments::default();
    let comments = if has_own { &given.comments } else { &given.root.comments };
    fill(comments, if is_item { &mut printed.root.comments } else { &mut printed.comments });
    (Copier { schema }).copy(&given.root, &mut printed.root, None)?;
    sync_order(&given.root, &mut printed.root);
    lift_head_comments(&mut printed.root);
    Ok(())
}

/// Fills in the comments that are missing.
fn fill(from: &Comments, to: &mut Comments) {
    for (from, to) in [(&from.head, &mut to.head), (&from.line, &mut to.line), (&from.foot, &mut to.foot)] {
        if to.is_empty() {
            to.clone_from(from);
        }
    }
}

struct Copier<'s> {
    schema: &'s Schema,
}

impl<'s> Copier<'s> {
    /// Copies comments of what is in a node, and of a scalar.
    fn copy(&self, from: &StyledNode, to: &mut StyledNode, known: Option<TypeRef<'s>>) -> Result<()> {
        let known = known.or_else(|| self.own_type(from)).or_else(|| self.own_type(to));
        if from.is_null() || to.is_null() {
            fill(&from.comments, &mut to.comments);
            copy_scalar(None, to);
            return Ok(());
        }
        match (&from.content, &mut to.content) {
            (Content::Alias(_), _) => {}
            (Content::Map { entries, .. }, Content::Map { entries: others, .. }) => {
                self.copy_fields(entries, others, known)?;
            }
            (Content::Seq { items, .. }, Content::Seq { items: others, .. }) => {
                self.copy_items(items, others, known)?;
                fill(&from.comments, &mut to.comments);
            }
            (Content::Scalar { .. }, Content::Scalar { .. }) => copy_scalar(Some(from), to),
            _ => return Err(changed_kind(from, to).into()),
        }
        Ok(())
    }

    /// The type that a node says it is.
    fn own_type(&self, node: &StyledNode) -> Option<TypeRef<'s>> {
        let meta = Meta::of(node);
        (!meta.kind.is_empty() && !meta.api_version.is_empty())
            .then(|| self.schema.lookup(&meta.api_version, &meta.kind))
            .flatten()
    }

    fn copy_fields(
        &self,
        from: &[(StyledNode, StyledNode)],
        to: &mut [(StyledNode, StyledNode)],
        known: Option<TypeRef<'s>>,
    ) -> Result<()> {
        for (key, value) in to {
            let name = key.as_text().unwrap_or_default();
            let known = known.and_then(|known| known.field(name));
            match from.iter().find(|(key, _)| key.as_text() == Some(name)) {
                None => copy_scalar(None, value),
                Some((from_key, from_value)) => {
                    fill(&from_key.comments, &mut key.comments);
                    if matches!(value.content, Content::Map { .. }) {
                        fill(&from_value.comments, &mut value.comments);
                    }
                    self.copy(from_value, value, known)?;
                }
            }
        }
        Ok(())
    }

    fn copy_items(
        &self,
        from: &[StyledNode],
        to: &mut [StyledNode],
        known: Option<TypeRef<'s>>,
    ) -> Result<()> {
        for (from, to) in from.iter().zip(to.iter_mut()) {
            // Only scalars have a text.
            if from.as_text().unwrap_or_default() == to.as_text().unwrap_or_default() {
                self.copy_item(from, to, None)?;
            }
        }
        let Some(known) = known else { return Ok(()) };
        let Some(keys) = known.merge_keys() else { return Ok(()) };
        for from in from {
            let same = |to: &&mut StyledNode| match keys {
                [] => from.as_text().is_some() && from.as_text() == to.as_text(),
                keys => keys.iter().all(|key| text_of(from, key) == text_of(to, key)),
            };
            if let Some(to) = to.iter_mut().find(same) {
                self.copy_item(from, to, known.element())?;
            }
        }
        Ok(())
    }

    fn copy_item(&self, from: &StyledNode, to: &mut StyledNode, known: Option<TypeRef<'s>>) -> Result<()> {
        fill(&from.comments, &mut to.comments);
        self.copy(from, to, known)
    }
}

fn text_of<'n>(node: &'n StyledNode, key: &str) -> &'n str {
    node.get(key).and_then(StyledNode::as_text).unwrap_or_default()
}

/// Copies the comments of a scalar. Go's library writes the comment of a folded text without a blank before it: such a text gets
/// double quotes.
fn copy_scalar(from: Option<&StyledNode>, to: &mut StyledNode) {
    let Content::Scalar { style, .. } = &mut to.content else { return };
    if *style == Style::Folded {
        *style = Style::DoubleQuoted;
    }
    if let Some(from) = from {
        fill(&from.comments, &mut to.comments);
    }
}

fn changed_kind(from: &StyledNode, to: &StyledNode) -> Diagnostic {
    wrong_kind(from.kind(), to).help("a function must not make a field of resources another kind of value")
}

/// Puts the fields that both have into the order of what was given, before all others.
fn sync_order(from: &StyledNode, to: &mut StyledNode) {
    match (&from.content, &mut to.content) {
        (Content::Map { entries: from, .. }, Content::Map { entries: to, .. }) => {
            let place = |key: &StyledNode| {
                from.iter().position(|(own, _)| own.as_text() == key.as_text()).unwrap_or(from.len())
            };
            to.sort_by_key(|(key, _)| place(key));
            for (key, value) in to {
                if let Some((_, from)) = from.iter().find(|(own, _)| own.as_text() == key.as_text()) {
                    sync_order(from, value);
                }
            }
        }
        (Content::Seq { items: from, .. }, Content::Seq { items: to, .. }) => {
            from.iter().zip(to).for_each(|(from, to)| sync_order(from, to));
        }
        _ => {}
    }
}

/// Repeats a comment before the first field of an item before the item.
fn lift_head_comments(node: &mut StyledNode) {
    match &mut node.content {
        Content::Map { entries, .. } => {
            for (key, value) in entries {
                lift_head_comments(key);
                lift_head_comments(value);
            }
        }
        Content::Seq { items, .. } => items.iter_mut().for_each(lift_from_first),
        Content::Scalar { .. } | Content::Alias(_) => {}
    }
}

fn lift_from_first(item: &mut StyledNode) {
    let first = match &mut item.content {
        Content::Map { entries, .. } => entries.first_mut().map(|(key, _)| key),
        Content::Seq { items, .. } => items.first_mut(),
        Content::Scalar { .. } | Content::Alias(_) => None,
    };
    let Some(first) = first.filter(|first| first.as_text().is_some()) else { return };
    if item.comments.head.is_empty() {
        item.comments.head.clone_from(&first.comments.head);
    } else if !first.comments.head.is_empty() {
        item.comments.head = format!("{}\n{}", item.comments.head, std::mem::take(&mut first.comments.head));
    }
}

#[cfg(test)]
mod tests {
    use super::restore;
    use kfc_kube::schema::Schema;
    use kfc_yaml::styled::{parse, write};

    fn restored(given: &str, printed: &str) -> Option<String> {
        let mut document = parse(printed).unwrap();
        restore(&parse(given).unwrap(), &mut document, false, &Schema::builtin()).ok()?;
        Some(write(&document))
    }

    #[test]
    fn comments_and_order_come_back() {
        let given = "# top\n\nkind: A # line\nb: 1\n# before\na: 2\n";
        assert_eq!(
            restored(given, "a: 3\nb: 1\nc: 4\nkind: A\n").unwrap(),
            "# top\n\nkind: A # line\nb: 1\n# before\na: 3\nc: 4\n"
        );
    }

    #[test]
    fn items_of_a_list_with_keys_are_found_by_them() {
        let list = |items: &str| format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{items}");
        let given = list("  - name: a # the first\n  - name: b # the second\n");
        let printed = list("  - name: x\n  - name: y\n  - name: b\n");
        // Comments go to the items in the same places, too.
        let expected = list("  - name: x # the first\n  - name: y # the second\n  - name: b # the second\n");
        assert_eq!(restored(&given, &printed).unwrap(), expected);
    }

    #[test]
    fn a_folded_text_gets_quotes() {
        assert_eq!(restored("a: x\n", "a: >\n  b\n  c\n").unwrap(), "a: \"b c\\n\"\n");
    }

    #[test]
    fn a_field_of_another_kind_is_refused() {
        assert!(restored("a: 1\n", "a: {b: 1}\n").is_none());
        assert!(restored("a:\n", "a: {b: 1}\n").is_some());
    }
}
