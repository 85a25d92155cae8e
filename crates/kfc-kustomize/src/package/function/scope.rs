//! Which resources a function works on, in which order functions run, and where what they make belongs.

use crate::package::annotations::{self, INDEX, LEGACY_PATH, Meta, PATH};
use kfc_diagnostics::Diagnostic;
use kfc_yaml::styled::StyledDocument;
use std::cmp::Reverse;

/// Functions in a directory of this name are for the directory above.
const FUNCTIONS: &str = "functions";

/// The directory that a function is for: that of its file. Empty for a function that is not from a file.
pub(super) fn scope_of(config: &Meta) -> String {
    path_of(config).map(directory_in_scope).unwrap_or_default()
}

fn path_of(meta: &Meta) -> Option<&str> {
    meta.annotation(PATH).or_else(|| meta.annotation(LEGACY_PATH))
}

fn directory_in_scope(path: &str) -> String {
    let directory = parent(path);
    if base(&directory) == FUNCTIONS { parent(&directory) } else { directory }
}

/// The directory of a slash-separated path, as `path.Dir` of Go.
fn parent(path: &str) -> String {
    crate::package::read::clean(
        path.rsplit_once('/').map_or("", |(above, _)| if above.is_empty() { "/" } else { above }),
    )
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Whether a function for `scope` works on a resource. Directories are compared by their text, as in kustomize.
pub(super) fn is_in_scope(resource: &Meta, scope: &str) -> bool {
    matches!(scope, "" | ".")
        || path_of(resource).is_some_and(|path| directory_in_scope(path).starts_with(scope))
}

/// Puts functions into the order in which they run: those of deeper directories first, then by directory; those of one file by
/// their place in it.
pub(super) fn in_order<T>(functions: Vec<(Meta, T)>) -> Vec<T> {
    let mut files: Vec<String> = Vec::new();
    let mut keyed: Vec<_> = functions
        .into_iter()
        .map(|(meta, function)| {
            let path = meta.annotation(PATH).unwrap_or_default();
            let directory = directory_in_scope(path);
            let depth = if directory == "." { 0 } else { directory.split('/').count() };
            let file = files.iter().position(|file| file == path).unwrap_or_else(|| {
                files.push(path.to_owned());
                files.len() - 1
            });
            let index: usize =
                meta.annotation(INDEX).and_then(|index| index.parse().ok()).unwrap_or_default();
            ((Reverse(depth), directory, file, index), function)
        })
        .collect();
    keyed.sort_by(|(left, _), (right, _)| left.cmp(right));
    keyed.into_iter().map(|(_, function)| function).collect()
}

/// Notes in which file a resource belongs, if it does not say so.
///
/// # Errors
/// Metadata or annotations that are not mappings.
pub(super) fn default_path(resource: &mut StyledDocument, directory: &str) -> Result<(), Diagnostic> {
    annotations::complete_pairs(&mut resource.root)?;
    let meta = Meta::of(&resource.root);
    if meta.annotation(PATH).is_some() {
        return Ok(());
    }
    let file = format!("{}_{}.yaml", meta.kind.to_lowercase(), meta.name);
    let parts = [directory, meta.namespace.as_str(), file.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let path = crate::package::read::clean(&parts.join("/"));
    annotations::set(&mut resource.root, PATH, &path)?;
    annotations::set(&mut resource.root, LEGACY_PATH, &path)
}

#[cfg(test)]
mod tests {
    use super::{in_order, is_in_scope, scope_of};
    use crate::package::annotations::Meta;
    use kfc_yaml::styled::parse;

    fn at(path: &str, index: &str) -> Meta {
        let text = format!(
            "metadata: {{annotations: {{internal.config.kubernetes.io/path: {path}, internal.config.kubernetes.io/index: '{index}'}}}}"
        );
        Meta::of(&parse(&text).unwrap().root)
    }

    #[test]
    fn a_function_is_for_its_directory() {
        for (path, scope) in
            [("fn.yaml", "."), ("a/fn.yaml", "a"), ("a/functions/fn.yaml", "a"), ("functions/fn.yaml", ".")]
        {
            assert_eq!(scope_of(&at(path, "0")), scope);
        }
        assert!(is_in_scope(&at("a/b/x.yaml", "0"), "a"));
        assert!(is_in_scope(&at("ab/x.yaml", "0"), "a"));
        assert!(!is_in_scope(&at("x.yaml", "0"), "a"));
        assert!(is_in_scope(&at("x.yaml", "0"), "."));
    }

    #[test]
    fn deeper_functions_run_first() {
        let places = [
            ("b.yaml", "1"),
            ("a.yaml", "1"),
            ("b.yaml", "0"),
            ("x/c.yaml", "0"),
            ("x/functions/y/d.yaml", "0"),
        ];
        let functions = places.iter().map(|(path, index)| (at(path, index), (*path, *index))).collect();
        assert_eq!(
            in_order(functions),
            [
                ("x/functions/y/d.yaml", "0"),
                ("x/c.yaml", "0"),
                ("b.yaml", "0"),
                ("b.yaml", "1"),
                ("a.yaml", "1")
            ]
        );
    }
}
