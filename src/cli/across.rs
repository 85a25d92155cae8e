//! What is wrong in several environments of a stack is reported once, with the names of all of them.

use kfc_diagnostics::{Diagnostic, Diagnostics, Sources};
use std::collections::HashMap;

/// The errors and warnings of one environment or target.
pub(super) struct OfTarget<'s> {
    /// What notes call it.
    pub(super) name: String,
    pub(super) found: Diagnostics,
    /// The texts that they point into.
    pub(super) sources: &'s Sources,
}

/// What makes two diagnostics of different targets one.
type Identity = (&'static str, &'static str, String, Option<String>);

fn identity(diagnostic: &Diagnostic, sources: &Sources) -> Identity {
    let place = diagnostic.mark.and_then(|mark| sources.locate(mark));
    (diagnostic.severity.word(), diagnostic.code.as_str(), diagnostic.message.clone(), place)
}

/// Leaves each diagnostic with the first target that has it, and notes all that have it.
pub(super) fn report_once(targets: &mut [OfTarget<'_>]) {
    let mut names: HashMap<Identity, Vec<String>> = HashMap::new();
    for OfTarget { name, found, sources } in targets.iter() {
        for diagnostic in &found.0 {
            let names = names.entry(identity(diagnostic, sources)).or_default();
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    for OfTarget { name, found, sources } in targets {
        let all = std::mem::take(&mut found.0);
        let is_first = |diagnostic: &Diagnostic| {
            let names = names.get(&identity(diagnostic, sources))?;
            (names.first() == Some(name)).then_some(names)
        };
        for diagnostic in all {
            if let Some(names) = is_first(&diagnostic) {
                let note = format!("in {}", names.join(", "));
                found.push(diagnostic.note(note));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OfTarget, report_once};
    use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Sources};

    #[test]
    fn what_several_have_is_reported_with_the_first() {
        let sources = Sources::default();
        let errors = |messages: &[&str]| -> Diagnostics {
            messages.iter().map(|message| Diagnostic::error(Code::Usage, *message)).collect()
        };
        let target = |name: &str, messages: &[&str]| OfTarget {
            name: name.to_owned(),
            found: errors(messages),
            sources: &sources,
        };
        let mut targets = [target("dev", &["a", "b"]), target("prod", &["b", "c"])];
        report_once(&mut targets);
        let shown = |target: &OfTarget<'_>| -> Vec<(String, String)> {
            target.found.0.iter().map(|found| (found.message.clone(), found.notes[0].clone())).collect()
        };
        let pair = |message: &str, note: &str| (message.to_owned(), note.to_owned());
        assert_eq!(shown(&targets[0]), [pair("a", "in dev"), pair("b", "in dev, prod")]);
        assert_eq!(shown(&targets[1]), [pair("c", "in prod")]);
    }
}
