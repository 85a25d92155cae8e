//! Lists of paths: `resources`, `components`, `generators`, `transformers`, and `buildMetadata`.

use super::Document;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use kfc_yaml::Node;

/// What `buildMetadata` may list.
pub const BUILD_METADATA: [&str; 3] = ["managedByLabel", "originAnnotations", "transformerAnnotations"];

/// Appends texts to a list field, in order. Returns a warning for each that already existed.
pub fn add(document: &mut Document, field: &str, texts: &[String]) -> Diagnostics {
    let mut warnings = Diagnostics::default();
    for text in texts {
        let existing = document.items(field).iter().find(|item| item.as_text() == Some(text));
        match existing.map(|item| item.mark) {
            Some(mark) => warnings.push(
                Diagnostic::warning(Code::EditExists, format!("`{text}` is already in `{field}`")).at(mark),
            ),
            None => document.push_item(field, Node::string(text, None)),
        }
    }
    warnings
}

/// Takes texts out of the first of these list fields that has them.
///
/// # Errors
/// [`Code::EditMissing`] for each that is in none.
pub fn remove(document: &mut Document, fields: &[&str], texts: &[String]) -> Result<()> {
    let mut errors = Diagnostics::default();
    for text in texts {
        let is_meant = |item: &Node| item.as_text() == Some(text);
        let field = fields.iter().find(|field| document.items(field).iter().any(is_meant));
        match field {
            Some(field) => {
                let left = document.items(field).iter().filter(|item| !is_meant(item)).cloned().collect();
                document.set_items(field, left);
            }
            None => errors.push(missing(document, fields, text)),
        }
    }
    errors.into_result(())
}

fn missing(document: &Document, fields: &[&str], text: &str) -> Diagnostic {
    let listed = fields.iter().flat_map(|field| document.items(field)).filter_map(Node::as_text);
    let error = Diagnostic::error(Code::EditMissing, format!("`{text}` is not in `{}`", fields[0]));
    match nearest(text, listed) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

/// Checks what is to be put into `buildMetadata`.
///
/// # Errors
/// [`Code::Usage`] for what kustomize does not know.
pub fn check_build_metadata(options: &[String]) -> Result<()> {
    let mut errors = Diagnostics::default();
    for option in options.iter().filter(|option| !BUILD_METADATA.contains(&option.as_str())) {
        let error = Diagnostic::error(Code::Usage, format!("`{option}` is not an option of `buildMetadata`"));
        errors.push(match nearest(option, BUILD_METADATA) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("the options are {}", BUILD_METADATA.join(", "))),
        });
    }
    errors.into_result(())
}
