//! What happens around each step of a pipeline of kyaml: of the annotations for a place, the older and the newer names are kept
//! together.

use super::annotations::{self, INDEX, LEGACY_INDEX, LEGACY_PATH, Meta, PAIRS, PATH};
use kfc_diagnostics::{Code, Diagnostic, Result};
use kfc_yaml::styled::{StyledDocument, StyledNode};

/// Runs a step. Resources without annotations get an empty list of them on the way, which is not printed. Where the step changes one
/// of two names of an annotation, the other follows.
///
/// # Errors
/// Those of the step, and annotations that contradict one another.
pub fn with_migration(
    mut documents: Vec<StyledDocument>,
    step: impl FnOnce(Vec<StyledDocument>) -> Result<Vec<StyledDocument>>,
) -> Result<Vec<StyledDocument>> {
    let uses = used_names(&documents)?;
    let before: Vec<Meta> = documents.iter().map(|document| Meta::of(&document.root)).collect();
    for (at, document) in documents.iter_mut().enumerate() {
        annotations::set(&mut document.root, MARKER, &at.to_string())?;
        annotations::complete_pairs(&mut document.root)?;
        refuse_mismatch(&Meta::of(&document.root))?;
    }
    let mut documents = step(documents)?;
    for document in &mut documents {
        annotations::complete_pairs(&mut document.root)?;
        let meta = Meta::of(&document.root);
        let place = meta.annotation(MARKER).and_then(|place| place.parse::<usize>().ok());
        if let Some(before) = place.and_then(|place| before.get(place)) {
            follow_changes(&mut document.root, before, &meta)?;
        }
        for (legacy, today) in PAIRS {
            for (name, _) in
                [(legacy, uses.legacy), (today, uses.today)].iter().filter(|(_, is_used)| !is_used)
            {
                annotations::clear(&mut document.root, name)?;
            }
        }
        refuse_mismatch(&Meta::of(&document.root))?;
        annotations::clear(&mut document.root, MARKER)?;
    }
    Ok(documents)
}

/// Gives the name of an annotation that a step left as it was the value of the other one, which it changed.
fn follow_changes(root: &mut StyledNode, before: &Meta, after: &Meta) -> std::result::Result<(), Diagnostic> {
    for (legacy, today) in [(LEGACY_PATH, PATH), (LEGACY_INDEX, INDEX)] {
        let value = |name: &str| after.annotation(name).unwrap_or_default();
        let original = before.annotation(today).or_else(|| before.annotation(legacy)).unwrap_or_default();
        if original.is_empty() {
            continue;
        }
        if original != value(today) {
            // Where both changed and differ, that is found later.
            if original == value(legacy) {
                annotations::set(root, legacy, value(today))?;
            }
        } else if original != value(legacy) {
            annotations::set(root, today, value(legacy))?;
        }
    }
    Ok(())
}

const MARKER: &str = "internal.config.kubernetes.io/annotations-migration-resource-id";

/// Which names of annotations the resources have.
struct Used {
    legacy: bool,
    today: bool,
}

fn used_names(documents: &[StyledDocument]) -> Result<Used> {
    let mut used: Option<Used> = None;
    for meta in documents.iter().map(|document| Meta::of(&document.root)) {
        let legacy = PAIRS.iter().any(|(legacy, _)| meta.annotation(legacy).is_some());
        let today = PAIRS.iter().any(|(_, today)| meta.annotation(today).is_some());
        match &used {
            _ if !legacy && !today => {}
            None => used = Some(Used { legacy, today }),
            Some(used) if (used.legacy, used.today) == (legacy, today) => {}
            Some(_) => {
                let message = "some resources have annotations `config.kubernetes.io/…` and others `internal.config.kubernetes.io/…`";
                return Err(Diagnostic::error(Code::BadValue, message).help("use one of the two").into());
            }
        }
    }
    // Without any, neither is kept, unless there is no resource.
    Ok(used.unwrap_or(Used { legacy: documents.is_empty(), today: documents.is_empty() }))
}

fn refuse_mismatch(meta: &Meta) -> Result<()> {
    for (legacy, today) in PAIRS {
        let values =
            (meta.annotation(legacy).unwrap_or_default(), meta.annotation(today).unwrap_or_default());
        if !values.0.is_empty() && !values.1.is_empty() && values.0 != values.1 {
            let message =
                format!("the annotations `{legacy}` and `{today}` of {} {} differ", meta.kind, meta.name);
            return Err(Diagnostic::error(Code::BadValue, message).help("remove one of the two").into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::with_migration;
    use kfc_yaml::styled::{parse, write_all};

    fn after(texts: &[&str]) -> Option<String> {
        let documents = texts.iter().map(|text| parse(text).unwrap()).collect();
        with_migration(documents, Ok).ok().map(|documents| write_all(&documents))
    }

    #[test]
    fn names_that_were_not_used_are_not_added() {
        let text = "metadata:\n  annotations:\n    config.kubernetes.io/path: a\n";
        assert_eq!(after(&[text]).unwrap(), text);
        assert_eq!(after(&["kind: A\n"]).unwrap(), "kind: A\nmetadata:\n  annotations: {}\n");
    }

    #[test]
    fn what_contradicts_is_refused() {
        let legacy = "metadata: {annotations: {config.kubernetes.io/path: a}}";
        let today = "metadata: {annotations: {internal.config.kubernetes.io/path: a}}";
        assert!(after(&[legacy, today]).is_none());
        let both =
            "metadata: {annotations: {config.kubernetes.io/path: a, internal.config.kubernetes.io/path: b}}";
        assert!(after(&[both]).is_none());
    }
}
