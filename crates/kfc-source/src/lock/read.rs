//! Reads a lock strictly: only what `kfc vendor` writes is accepted.

use super::file::{Entry, Lock, VERSION};
use super::format::{LockFile, LockedArtifact, LockedChart, LockedFile, LockedGit, LockedSource};
use super::{tree, write};
use crate::source::{Pin, Source};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId};
use kfc_yaml::de;
use kfc_yaml::{Node, Spanned, parse};

/// Reads the text of a lock. Its directory is left empty.
///
/// # Errors
/// [`Code::BadLock`], with the location, for everything that kfc would not have written; errors of YAML and of fields.
pub fn read(text: &str, id: SourceId) -> Result<Lock> {
    let documents = parse::parse(text, id)?;
    let start = Mark { source: id, offset: 0 };
    let [document] = documents.as_slice() else {
        return Err(bad("a lock has one YAML document", start).into());
    };
    check_version(document)?;
    let (fields, found) = de::read::<LockFile>(document);
    let mut errors: Diagnostics = found.0.into_iter().map(with_help).collect();
    let Some(LockFile { targets, sources, seal, .. }) = fields else { return Err(errors) };
    let mut entries = Vec::with_capacity(sources.len());
    for Spanned { value: source, mark } in sources {
        entries.extend(entry(source, &mut errors).map(|entry| (entry, mark)));
    }
    errors = errors.in_order();
    errors.extend(check_order(&targets, &entries));
    let lock = Lock {
        targets: targets.into_iter().map(|target| target.value).collect(),
        entries: entries.into_iter().map(|(entry, _)| entry).collect(),
        ..Lock::default()
    };
    if errors.is_empty() {
        errors.extend(check_seal(&lock, text, &seal));
    }
    errors.into_result(lock)
}

/// What to do when nothing better is known.
const RESTORE: &str = "restore kfc.lock from version control, or remove it and run `kfc vendor`";

/// An error of a field, with what to do.
fn with_help(error: Diagnostic) -> Diagnostic {
    match error.help {
        Some(_) => error,
        None => error.help(RESTORE),
    }
}

fn bad(message: impl Into<String>, mark: impl Into<Option<Mark>>) -> Diagnostic {
    Diagnostic::error(Code::BadLock, message).at(mark).help(RESTORE)
}

/// Comes before everything else: the meaning of a later version is unknown.
fn check_version(document: &Node) -> Result<()> {
    let Some(version) = document.get("version") else {
        return Err(bad("this lock has no version", document.mark).into());
    };
    match version.as_text() {
        Some(VERSION) => Ok(()),
        other => {
            let message = format!(
                "this lock has version `{}`, but only version {VERSION} is known",
                other.unwrap_or("")
            );
            Err(Diagnostic::error(Code::BadLock, message)
                .at(version.mark)
                .help("a newer kfc wrote it: use the newer one, or remove kfc.lock and run `kfc vendor`")
                .into())
        }
    }
}

fn entry(source: LockedSource, errors: &mut Diagnostics) -> Option<Entry> {
    let (source, pin, tree) = match source {
        LockedSource::Chart(LockedChart { chart, repository, version, resolved, archive, tree }) => {
            let pin = digest(&archive, errors).map(|archive| Pin { revision: resolved, archive });
            (Source::Chart { repository, name: chart, version }, pin, tree)
        }
        LockedSource::File(LockedFile { file, tree }) => {
            (Source::File { url: file }, Some(Pin::default()), tree)
        }
        LockedSource::Git(LockedGit { git, reference, submodules, commit: written, tree }) => {
            let source = Source::Git { repository: git, reference, submodules };
            (source, commit(&written, errors).map(pinned), tree)
        }
        LockedSource::Oci(LockedArtifact { oci, reference, manifest, tree }) => {
            let manifest = digest(&manifest, errors);
            let pin = manifest.map(|manifest| pinned(format!("sha256:{manifest}")));
            (Source::Oci { repository: oci, reference }, pin, tree)
        }
    };
    let tree = digest(&tree, errors);
    Some(Entry { source, pin: pin?, tree: tree? })
}

fn pinned(revision: String) -> Pin {
    Pin { revision, archive: String::new() }
}

/// A digest is the name of a directory: only 64 hexadecimal digits are accepted. An empty one is an error that is reported
/// already, or the error of a missing text.
fn digest(text: &Spanned<String>, errors: &mut Diagnostics) -> Option<String> {
    let digest = text.strip_prefix("sha256:").filter(|digest| tree::is_sha256(digest));
    if digest.is_none() && (!text.is_empty() || errors.is_empty()) {
        let message =
            format!("`{}` is not a digest, expected `sha256:` and 64 hexadecimal digits", text.value);
        errors.push(bad(message, text.mark));
    }
    digest.map(str::to_owned)
}

fn commit(text: &Spanned<String>, errors: &mut Diagnostics) -> Option<String> {
    let is_hash =
        [40, 64].contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash && (!text.is_empty() || errors.is_empty()) {
        errors.push(bad(format!("`{}` is not a commit", text.value), text.mark));
    }
    is_hash.then(|| text.value.clone())
}

fn check_order(targets: &[Spanned<String>], entries: &[(Entry, Option<Mark>)]) -> Diagnostics {
    let mut errors = Diagnostics::default();
    for pair in targets.windows(2).filter(|pair| pair[0].value >= pair[1].value) {
        let message = format!("the target `{}` is a duplicate or out of order", pair[1].value);
        errors.push(bad(message, pair[1].mark));
    }
    for pair in entries.windows(2).filter(|pair| pair[0].0.source >= pair[1].0.source) {
        let (entry, mark) = &pair[1];
        errors.push(bad(format!("the source `{}` is a duplicate or out of order", entry.source), *mark));
    }
    errors
}

fn check_seal(lock: &Lock, text: &str, seal: &Spanned<String>) -> Diagnostics {
    let before = text.rfind("\nseal:").map_or("", |at| &text[..=at]);
    let is_ours = lock.text() == text.replace('\r', "");
    if write::seal(before) == seal.value && is_ours {
        return Diagnostics::default();
    }
    bad("this lock was changed after `kfc vendor` wrote it", seal.mark)
        .note("the seal does not match the text above it")
        .into()
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, Lock};
    use super::read;
    use crate::remote::{Pin, Source};
    use kfc_diagnostics::{Code, SourceId, Sources};

    fn lock() -> Lock {
        let tree = "1".repeat(64);
        let pin = |revision: &str| Pin { revision: revision.to_owned(), archive: String::new() };
        let entry = |source, pin| Entry { source, pin, tree: tree.clone() };
        Lock {
            targets: vec![".".to_owned(), "a b".to_owned(), "overlays/prod".to_owned()],
            entries: vec![
                entry(
                    Source::Chart {
                        repository: "https://charts.example.com".to_owned(),
                        name: "web".to_owned(),
                        version: "1.0".to_owned(),
                    },
                    Pin { revision: "1.0.0".to_owned(), archive: "2".repeat(64) },
                ),
                entry(Source::File { url: "https://h/x.yaml?a=\"b\"&c=\u{1}".to_owned() }, Pin::default()),
                entry(
                    Source::Git {
                        repository: "https://github.com/o/r".to_owned(),
                        reference: "true".to_owned(),
                        submodules: false,
                    },
                    pin(&"3".repeat(40)),
                ),
                entry(
                    Source::Oci { repository: "ghcr.io/o/n".to_owned(), reference: "1.10".to_owned() },
                    pin(&format!("sha256:{tree}")),
                ),
            ],
            ..Lock::default()
        }
    }

    fn id() -> SourceId {
        Sources::default().add("kfc.lock", "").0
    }

    #[test]
    fn what_is_written_is_read_back() {
        let lock = lock();
        assert_eq!(read(&lock.text(), id()).unwrap(), lock);
        assert_eq!(read(&lock.text().replace('\n', "\r\n"), id()).unwrap(), lock);
        let empty = Lock::default();
        assert_eq!(read(&empty.text(), id()).unwrap(), empty);
    }

    fn refused(text: &str) -> String {
        let errors = read(text, id()).unwrap_err();
        errors.0.iter().map(|error| [error.code.as_str(), ": ", &error.message, "\n"].concat()).collect()
    }

    #[test]
    fn locks_changed_by_hand_are_refused() {
        let text = lock().text();
        let bad = Code::BadLock.as_str();
        for (from, to, why) in [
            ("version: 1\n", "version: 2\n", "version `2`"),
            ("version: 1\n", "", "no version"),
            ("resolved: \"1.0.0\"", "resolved: \"1.0.1\"", "was changed"),
            ("# What", "# what", "was changed"),
            ("  tree: sha256:1", "  tree: sha256:../../1", "is not a digest"),
            ("commit: \"3", "commit: \"--x", "is not a commit"),
            ("- overlays/prod\n", "- overlays/prod\n- a\n", "out of order"),
        ] {
            assert!(text.contains(from), "{from}");
            let errors = refused(&text.replacen(from, to, 1));
            assert!(errors.contains(why) && errors.contains(bad), "{from}: {errors}");
        }
        let several = refused(&text.replacen("- git: https", "- oci: x\n  git: https", 1));
        assert!(several.contains("exactly one of `chart`, `file`, `git`, `oci`"), "{several}");
        let unknown = refused(&text.replacen("  tree:", "  trees:", 1));
        assert!(unknown.contains("unknown field `trees`"), "{unknown}");
    }
}
