//! What functions read and print: a `ResourceList`.
//!
//! The rules are those of kustomize's function runtime: the items have annotations that tell them apart, a generator gets its own
//! configuration as the only item, and a list of documents without a `ResourceList` around it counts as one.

use super::{External, notes, settled};
use crate::kustomization::function::FunctionSpec;
use crate::types::LOCAL_CONFIG;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Foreign, Result};
use kfc_yaml::{Map, Node, Value, emit};

const API_VERSION: &str = "config.kubernetes.io/v1";
const KIND: &str = "ResourceList";
/// What messages say of the place of a configuration.
const CONFIGURED: &str = "the function is configured here";

impl External<'_> {
    /// Runs a function on resources, or as a generator without any. Returns what it prints.
    pub(super) fn run_function(&self, spec: &FunctionSpec, items: Option<Vec<Node>>) -> Result<Vec<u8>> {
        let mut config = self.config.clone();
        // A generator that prints its configuration, too, does not make a resource of it.
        notes::set_annotation(&mut config, LOCAL_CONFIG, "true");
        let items = items.unwrap_or_else(|| vec![config.clone()]);
        self.invocation().run(spec, resource_list(items, &config)?)
    }

    /// The items of what a function printed. Its results become warnings.
    pub(super) fn items(
        &self,
        mut documents: Vec<Node>,
        given: &[Node],
        warnings: &mut Diagnostics,
    ) -> Result<Vec<Node>> {
        let is_list = |document: &Node| {
            let kind = document.get("kind").and_then(Node::as_text).unwrap_or("");
            [KIND, "List"].contains(&kind)
                && (document.get("items").is_some() || document.get("functionConfig").is_some())
        };
        let mut items = match documents.as_mut_slice() {
            [list] if is_list(list) => {
                self.report_results(list, warnings);
                match list.get_mut("items") {
                    None => Vec::new(),
                    Some(items) if items.is_null() => Vec::new(),
                    Some(items) => match &mut items.value {
                        Value::Seq(list) => std::mem::take(list),
                        _ => return Err(self.not_a_list(items, "`items` is not a list").into()),
                    },
                }
            }
            _ => documents,
        };
        if let Some(item) = items.iter().find(|item| item.as_map().is_none() && !item.is_null()) {
            return Err(self.not_a_list(item, "it is not a `ResourceList`").into());
        }
        let mut errors = Diagnostics::default();
        for item in &mut items {
            let settled = settled::settle(item, given, &self.root.schema);
            errors.collect(settled.map_err(|error| error.label(self.mark(), CONFIGURED).into()));
            settled::fold(item);
        }
        errors.into_result(items)
    }

    fn not_a_list(&self, node: &Node, why: &str) -> Diagnostic {
        let message = format!("{} printed what kfc cannot read: {why}", self.name());
        Diagnostic::error(Code::Plugin, message)
            .at(node.mark)
            .label(self.mark(), CONFIGURED)
            .help(format!("a function prints a `{KIND}` of `{API_VERSION}`, or resources"))
    }

    /// Reports the results of a function that succeeded. kustomize drops them.
    fn report_results(&self, list: &Node, warnings: &mut Diagnostics) {
        let results = match list.get("results") {
            // Before v1 of the `ResourceList`, the results were in a mapping.
            Some(results) if results.as_map().is_some() => results.get("items"),
            results => results,
        };
        for result in results.and_then(Node::as_seq).into_iter().flatten() {
            let Some(text) = result.get("message").and_then(Node::as_text) else { continue };
            let severity = result.get("severity").and_then(Node::as_text).unwrap_or("");
            if severity == "info" {
                continue;
            }
            let said = Foreign::new(text).message();
            let warning = Diagnostic::warning(Code::Plugin, format!("{}: {said}", self.name()));
            warnings.push(warning.at(self.mark()));
        }
    }
}

/// The text of a `ResourceList`, with the annotations that kustomize gives its items.
fn resource_list(items: Vec<Node>, config: &Node) -> Result<Vec<u8>> {
    let mut text = format!("apiVersion: {API_VERSION}\nkind: {KIND}\nitems:");
    text.push_str(if items.is_empty() { " []\n" } else { "\n" });
    for (at, mut item) in items.into_iter().enumerate() {
        notes::number(&mut item, at);
        push_indented(&mut text, "- ", &item)?;
    }
    text.push_str("functionConfig:\n");
    push_indented(&mut text, "  ", config)?;
    Ok(text.into_bytes())
}

fn push_indented(text: &mut String, first: &str, node: &Node) -> Result<()> {
    let mut bytes = Vec::new();
    let empty = Node::map(Map::new(), None);
    emit::emit(if node.is_null() { &empty } else { node }, &mut bytes)?;
    for (at, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
        if !line.is_empty() {
            text.push_str(if at == 0 { first } else { "  " });
            text.push_str(line);
        }
        text.push('\n');
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::resource_list;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::{Node, parse};

    fn nodes(text: &str) -> Vec<Node> {
        parse::parse(text, SourceId(0)).unwrap()
    }

    #[test]
    fn texts_of_several_lines_survive_the_indentation() {
        let item = "data:\n  a: \"one\\n\\n  two\\n\"\n  b: \" x\\n\"\n  c: 'two  spaces and a very long line that is longer than \
                    any line that is folded, so that it has to be folded somewhere: here, or there'\nkind: A\nmetadata:\n  name: a\n";
        let text =
            String::from_utf8(resource_list(nodes(item), &nodes("kind: F").remove(0)).unwrap()).unwrap();
        let list = nodes(&text).remove(0);
        let data = |node: &Node| node.get("data").cloned();
        assert_eq!(
            list.get("items").and_then(|items| data(&items.as_seq()?[0])),
            data(&nodes(item)[0]),
            "{text}"
        );
        assert_eq!(list.at(&["functionConfig", "kind"]).and_then(Node::as_text), Some("F"));
    }
}
