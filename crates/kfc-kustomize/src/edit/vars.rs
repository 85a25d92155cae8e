//! Turns `vars` into `replacements`, as `kustomize edit fix --vars` does: every `$(NAME)` in a file becomes a placeholder
//! that a replacement fills.

use super::Document;
use super::document::{entry, texts};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_kube::GroupVersion;
use kfc_yaml::{Map, Node, ScalarKind, Value};

/// A file of resources or patches next to the kustomization.
#[derive(Clone, Debug)]
pub struct ResourceFile {
    /// Its path, as the kustomization names it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its documents.
    pub documents: Vec<Node>,
}

/// A place where a variable is used.
struct Use {
    select: Map,
    path: String,
    options: Map,
}

/// Replaces all variables of the document. The texts of the files change; returns warnings for variables that no file uses.
///
/// # Errors
/// [`Code::Edit`] for uses that no replacement can fill.
pub fn convert(document: &mut Document, files: &mut [ResourceFile]) -> Result<Diagnostics> {
    let Some(vars) = document.fields().get("vars").cloned() else { return Ok(Diagnostics::default()) };
    let mut errors = Diagnostics::default();
    let mut warnings = Diagnostics::default();
    for var in vars.as_seq().unwrap_or_default() {
        let Some(name) = var.get("name").and_then(Node::as_text) else { continue };
        let token = format!("$({name})");
        let mut uses = Vec::new();
        for resource in files.iter().flat_map(|file| &file.documents) {
            find(resource, resource, &token, &mut Vec::new(), &mut uses, &mut errors);
        }
        if uses.is_empty() {
            let warning = Diagnostic::warning(Code::Edit, format!("no file of this root uses `{token}`"));
            warnings.push(warning.at(var.mark).note("files of other roots are not searched"));
            continue;
        }
        document.push_item("replacements", replacement(var, uses));
        for file in files.iter_mut() {
            file.text = put_placeholder(&file.text, &token, &placeholder(name));
        }
    }
    document.fields_mut().remove("vars");
    errors.into_result(warnings)
}

fn placeholder(name: &str) -> String {
    format!("{name}_PLACEHOLDER")
}

/// `$$(NAME)` is not a use of the variable, but the text `$(NAME)`.
fn put_placeholder(text: &str, token: &str, placeholder: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(token) {
        let escaped = rest[..at].ends_with('$');
        result.push_str(&rest[..at]);
        result.push_str(if escaped { token } else { placeholder });
        rest = &rest[at + token.len()..];
    }
    result + rest
}

/// Finds the scalars of a resource that hold the token.
fn find(
    resource: &Node,
    node: &Node,
    token: &str,
    path: &mut Vec<String>,
    uses: &mut Vec<Use>,
    errors: &mut Diagnostics,
) {
    match &node.value {
        Value::Map(map) => {
            for entry in map {
                path.push(entry.key.text.replace('.', "\\."));
                find(resource, &entry.value, token, path, uses, errors);
                path.pop();
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(step_of(items, index));
                find(resource, item, token, path, uses, errors);
                path.pop();
            }
        }
        Value::Scalar(scalar) if put_placeholder(&scalar.text, token, "") != *scalar.text => {
            if let Some(options) = options_for(&scalar.text, token) {
                uses.push(Use { select: select(resource), path: path.join("."), options });
            } else {
                let message = format!("no replacement can fill `{token}` in `{}`", path.join("."));
                let error = Diagnostic::error(Code::Edit, message).at(node.mark);
                errors.push(error.help("it must be the whole value, or be alone between delimiters"));
            }
        }
        Value::Scalar(_) => {}
    }
}

/// An item by its name when no other has it, else by its index.
fn step_of(items: &[Node], index: usize) -> String {
    let name_of = |item: &Node| item.get("name").and_then(Node::as_text).map(str::to_owned);
    match name_of(&items[index]) {
        Some(name) if items.iter().filter(|item| name_of(item).as_ref() == Some(&name)).count() == 1 => {
            format!("[name={name}]")
        }
        _ => index.to_string(),
    }
}

/// Delimiter and index that pick the token out of a text; none are needed when it is all of the text.
fn options_for(text: &str, token: &str) -> Option<Map> {
    if text == token {
        return Some(Map::new());
    }
    let at = text.find(token)?;
    let before = text[..at].chars().next_back();
    let after = text[at + token.len()..].chars().next();
    // The placeholder is made of letters and underscores, which must not be split.
    let mut delimiters = before.into_iter().chain(after).filter(|c| !c.is_alphanumeric() && *c != '_');
    delimiters.find_map(|delimiter| {
        let mut parts = text.split(delimiter).enumerate().filter(|(_, part)| part.contains(token));
        let (index, part) = parts.next()?;
        let is_alone = part == token && parts.next().is_none();
        is_alone.then(|| {
            let mut options = texts([("delimiter", delimiter.to_string().as_str())]);
            let index = Node::scalar(index.to_string().into(), ScalarKind::Int, None);
            options.push(entry("index", index));
            options
        })
    })
}

/// The selector of a resource.
fn select(resource: &Node) -> Map {
    let text = |path: &[&str]| resource.at(path).and_then(Node::as_text).unwrap_or_default();
    texts([
        ("kind", text(&["kind"])),
        ("name", text(&["metadata", "name"])),
        ("namespace", text(&["metadata", "namespace"])),
    ])
}

fn replacement(var: &Node, uses: Vec<Use>) -> Node {
    let text = |path: &[&str]| var.at(path).and_then(Node::as_text).unwrap_or_default();
    let GroupVersion { group, version } = GroupVersion::parse(text(&["objref", "apiVersion"]));
    let field = match text(&["fieldref", "fieldpath"]) {
        "" => text(&["fieldref", "fieldPath"]),
        field => field,
    };
    let source = texts([
        ("group", group),
        ("version", version),
        ("kind", text(&["objref", "kind"])),
        ("name", text(&["objref", "name"])),
        ("namespace", text(&["objref", "namespace"])),
        ("fieldPath", if field.is_empty() { "metadata.name" } else { field }),
    ]);
    let mut targets: Vec<Node> = Vec::new();
    for Use { select, path, options } in uses {
        let mut fields: Map = [entry("select", Node::map(select, None))].into_iter().collect();
        let paths = vec![Node::string(&path, None)];
        fields.push(entry("fieldPaths", Node::seq(paths, None)));
        if !options.is_empty() {
            fields.push(entry("options", Node::map(options, None)));
        }
        targets.push(Node::map(fields, None));
    }
    let fields = [entry("source", Node::map(source, None)), entry("targets", Node::seq(targets, None))];
    Node::map(fields.into_iter().collect(), None)
}

#[cfg(test)]
mod tests {
    use super::{options_for, put_placeholder};
    use kfc_yaml::Node;

    #[test]
    fn a_token_is_picked_out_by_its_neighbours() {
        let picked = |text: &str| {
            let options = options_for(text, "$(V)")?;
            let part = |field: &str| options.get(field).and_then(Node::as_text).unwrap_or("").to_owned();
            Some((part("delimiter"), part("index")))
        };
        let is = |delimiter: &str, index: &str| Some((delimiter.to_owned(), index.to_owned()));
        assert_eq!(picked("$(V)"), is("", ""));
        assert_eq!(picked("http://$(V):80/x"), None);
        assert_eq!(picked("a/$(V)/c"), is("/", "1"));
        assert_eq!(picked("$(V).svc"), is(".", "0"));
        assert_eq!(picked("--name=$(V)"), is("=", "1"));
        assert_eq!(picked("x$(V)y"), None);
    }

    #[test]
    fn escaped_tokens_stay() {
        assert_eq!(put_placeholder("a $(V) $$(V) $(W)", "$(V)", "P"), "a P $$(V) $(W)");
    }
}
