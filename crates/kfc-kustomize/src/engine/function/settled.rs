//! What kustomize's runtime does to the resources that a function prints and was given: it copies comments, which resources do not
//! have, and on the way makes folded texts quoted ones, and refuses fields that are another kind of value now.
//!
//! What is compared with what is as in `package::function`, which has the same for documents with comments.

use kfc_diagnostics::{Code, Diagnostic};
use kfc_kube::schema::{Schema, TypeRef};
use kfc_yaml::{Node, Spelling, Value};

/// The annotations with the number of a resource.
const NUMBERS: [&str; 2] = ["internal.config.kubernetes.io/id", "config.k8s.io/id"];

/// Settles a resource that a function printed, if it was given to it.
///
/// # Errors
/// [`Code::Plugin`] for a field that is another kind of value than it was.
pub(super) fn settle(printed: &mut Node, given: &[Node], schema: &Schema) -> Result<(), Diagnostic> {
    let number = NUMBERS.iter().find_map(|name| printed.at(&["metadata", "annotations", name])?.as_text());
    let at = number.and_then(|number| number.parse::<usize>().ok()).and_then(|number| number.checked_sub(1));
    at.and_then(|at| given.get(at)).map_or(Ok(()), |given| Settler { schema }.node(given, printed, None))
}

struct Settler<'s> {
    schema: &'s Schema,
}

impl<'s> Settler<'s> {
    fn node(&self, given: &Node, printed: &mut Node, known: Option<TypeRef<'s>>) -> Result<(), Diagnostic> {
        let known = known.or_else(|| self.own_type(given)).or_else(|| self.own_type(printed));
        if given.is_null() || printed.is_null() {
            quote(printed);
            return Ok(());
        }
        let what = printed.describe();
        let mark = printed.mark;
        match (&given.value, &mut printed.value) {
            (Value::Map(given), Value::Map(printed)) => {
                for entry in printed.iter_mut() {
                    let known = known.and_then(|known| known.field(&entry.key.text));
                    match given.get(&entry.key.text) {
                        Some(given) => self.node(given, &mut entry.value, known)?,
                        None => quote(&mut entry.value),
                    }
                }
                Ok(())
            }
            (Value::Seq(given), Value::Seq(printed)) => self.items(given, printed, known),
            (Value::Scalar(_), Value::Scalar(_)) => {
                quote(printed);
                Ok(())
            }
            _ => {
                let message = format!("a field that was {} is {what} now", given.describe());
                let help = "a function must not make a field of resources another kind of value";
                Err(Diagnostic::error(Code::Plugin, message).at(mark).help(help))
            }
        }
    }

    fn items(
        &self,
        given: &[Node],
        printed: &mut [Node],
        known: Option<TypeRef<'s>>,
    ) -> Result<(), Diagnostic> {
        for (given, printed) in given.iter().zip(printed.iter_mut()) {
            if text(given) == text(printed) {
                self.node(given, printed, None)?;
            }
        }
        let Some((known, keys)) = known.and_then(|known| Some((known, known.merge_keys()?))) else {
            return Ok(());
        };
        for given in given {
            let is_same = |printed: &&mut Node| match keys {
                [] => given.as_scalar().is_some() && text(given) == text(printed),
                keys => keys.iter().all(|key| {
                    given.get(key).map(text).unwrap_or_default()
                        == printed.get(key).map(text).unwrap_or_default()
                }),
            };
            if let Some(printed) = printed.iter_mut().find(is_same) {
                self.node(given, printed, known.element())?;
            }
        }
        Ok(())
    }

    /// The type that a node says it is.
    fn own_type(&self, node: &Node) -> Option<TypeRef<'s>> {
        self.schema.lookup(node.get("apiVersion")?.as_text()?, node.get("kind")?.as_text()?)
    }
}

/// Gives folded texts the line breaks that they get in what kustomize's runtime writes of a resource. The build writes and reads it
/// once more, as it does with those of files.
pub(super) fn fold(node: &mut Node) {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|entry| fold(&mut entry.value)),
        Value::Seq(items) => items.iter_mut().for_each(fold),
        Value::Scalar(scalar) => {
            if let Some(changed) = scalar.folded_text() {
                scalar.text = changed;
            }
        }
    }
}

/// The text of a scalar; nothing of others.
fn text(node: &Node) -> &str {
    node.as_scalar().map_or("", |scalar| scalar.text.as_str())
}

fn quote(node: &mut Node) {
    if let Value::Scalar(scalar) = &mut node.value
        && scalar.spelling == Spelling::Folded
    {
        scalar.spelling = Spelling::Quoted;
    }
}

#[cfg(test)]
mod tests {
    use super::{fold, settle};
    use kfc_diagnostics::SourceId;
    use kfc_kube::schema::Schema;
    use kfc_yaml::{Node, Spelling, parse};

    fn node(text: &str) -> Node {
        parse::parse(text, SourceId::NONE).unwrap().remove(0)
    }

    fn settled(given: &str, printed: &str) -> Option<Node> {
        let mut printed = node(&format!("metadata: {{annotations: {{config.k8s.io/id: '1'}}}}\n{printed}"));
        settle(&mut printed, &[node(given)], &Schema::builtin()).ok().map(|()| printed)
    }

    #[test]
    fn folded_texts_are_quoted_where_the_resource_was_given() {
        let spelling = |given: &str| {
            let printed = settled(given, "data:\n  a: >\n    b\n").unwrap();
            printed.at(&["data", "a"]).unwrap().as_scalar().unwrap().spelling
        };
        assert_eq!(spelling("data: {a: x}"), Spelling::Quoted);
        assert_eq!(spelling("data: {}"), Spelling::Quoted);
        assert_eq!(spelling("kind: A"), Spelling::Folded);
    }

    #[test]
    fn folded_texts_get_the_line_breaks_of_being_written() {
        let mut printed = node("a: [{b: c}]\nd:\n- >\n  e\n    f\n- |\n  e\n    f\ng: >\n  h\n  i\n");
        fold(&mut printed);
        let text = |node: Option<&Node>| node.and_then(Node::as_text).map(str::to_owned);
        let items = printed.get("d").and_then(Node::as_seq).unwrap();
        assert_eq!(text(items.first()).as_deref(), Some("e\n\n  f\n"));
        assert_eq!(text(items.get(1)).as_deref(), Some("e\n  f\n"));
        assert_eq!(text(printed.get("g")).as_deref(), Some("h i\n"));
    }

    #[test]
    fn another_kind_of_value_is_refused() {
        assert!(settled("a: 1", "a: {b: 1}").is_none());
        assert!(settled("a: [{b: 1}]", "a: [{b: [1]}]").is_none());
        assert!(settled("a:", "a: {b: 1}").is_some());
        assert!(settled("b: 1", "a: {b: 1}").is_some());
        let containers = |items: &str| format!("apiVersion: v1\nkind: Pod\nspec: {{containers: [{items}]}}");
        let given = containers("{name: a, image: b}, {name: c, image: {d: e}}");
        assert!(settled(&given, &containers("{name: b}, {name: x}, {name: a, image: {f: g}}")).is_none());
        assert!(settled(&given, &containers("{name: b}, {name: x}, {name: y, image: {f: g}}")).is_some());
    }
}
