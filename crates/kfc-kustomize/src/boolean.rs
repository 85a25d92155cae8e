//! Booleans as Go's `strconv.ParseBool` reads them: in flags of kustomize, and in annotations that say what a generator made.

/// The boolean that a word is; nothing for any other text.
#[must_use]
pub fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
