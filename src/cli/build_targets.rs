//! `kfc build` with several targets: which these are, and where the bundle of each goes.

use super::folder;
use super::patterns::{buildable, is_pattern};
use super::targets::Target;
use kfc_catalogue::golden::name_for;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is the name of a target in `--output`.
const PLACEHOLDER: &str = "{root}";

/// Where a bundle goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Standard output.
    Standard,
    /// A file that the user named.
    File(PathBuf),
    /// A directory that the user named: one file for each resource.
    Directory(PathBuf),
    /// A file whose name has that of the target, below a directory that the user named.
    Below(PathBuf, PathBuf),
}

impl Place {
    /// The place that `--output` names for a single target.
    pub(super) fn of(output: Option<&Path>) -> Self {
        match output {
            None => Self::Standard,
            Some(path) if folder::is_directory(path) => Self::Directory(path.to_owned()),
            Some(path) => Self::File(path.to_owned()),
        }
    }
}

/// One target, and the place of its bundle.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) target: String,
    pub(super) place: Place,
}

/// The targets of a run, in the order in which they are named; what a pattern matches, in the order of the names.
///
/// # Errors
/// A pattern that matches nothing that can be built, several targets without a name for the file of each, and two targets of
/// one name.
pub(super) fn plan(targets: &[String], output: Option<&Path>) -> Result<Vec<Planned>> {
    let mut errors = Diagnostics::default();
    let mut all: Vec<String> = Vec::new();
    for target in targets {
        if is_pattern(target) {
            all.extend(errors.collect(buildable(target)).unwrap_or_default());
        } else {
            all.push(target.clone());
        }
    }
    errors.into_result(())?;
    let pattern = output.and_then(Path::to_str).filter(|text| text.contains(PLACEHOLDER));
    match (all.as_slice(), pattern) {
        ([_], None) => {
            Ok(all.into_iter().map(|target| Planned { target, place: Place::of(output) }).collect())
        }
        (_, Some(pattern)) => named(all, pattern),
        (_, None) => {
            let message = format!("{} targets need a file each", all.len());
            let help = format!("name the files as in `--output 'bundles/{PLACEHOLDER}.yaml'`");
            Err(Diagnostic::error(Code::Usage, message).help(help).into())
        }
    }
}

/// Each target with the place that has its name.
fn named(targets: Vec<String>, pattern: &str) -> Result<Vec<Planned>> {
    let mut errors = Diagnostics::default();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut planned = Vec::new();
    for target in targets {
        let name = match Target::of(&target) {
            Target::Profile(name) => name,
            _ => name_for(&target),
        };
        if name.is_empty() {
            let message = format!("`{target}` has no name that could stand for `{PLACEHOLDER}`");
            errors.push(Diagnostic::error(Code::Usage, message).help("name its directory, as in `../here`"));
            continue;
        }
        if let Some(other) = names.insert(name.clone(), target.clone()) {
            let message = format!("`{other}` and `{target}` would be one file: `{name}` is the name of both");
            errors
                .push(Diagnostic::error(Code::Usage, message).help("build one of them in a run of its own"));
            continue;
        }
        planned.push(Planned { place: place(pattern, &name), target });
    }
    errors.into_result(planned)
}

/// The place that a pattern gives a name.
fn place(pattern: &str, name: &str) -> Place {
    let path = pattern.replace(PLACEHOLDER, name);
    if path.ends_with('/') {
        return Place::Directory(path.into());
    }
    // The user named what is before the first part with the name of a target; that name came from a tree.
    let first = pattern.find(PLACEHOLDER).unwrap_or_default();
    let (above, below) = path.split_at(pattern[..first].rfind('/').map_or(0, |slash| slash + 1));
    Place::Below(above.into(), below.into())
}

#[cfg(test)]
mod tests {
    use super::{Place, Planned, place, plan};
    use std::path::Path;

    fn places(targets: &[&str], output: Option<&str>) -> Result<Vec<(String, Place)>, String> {
        let targets: Vec<String> = targets.iter().map(|&target| target.to_owned()).collect();
        let planned = plan(&targets, output.map(Path::new));
        let planned = planned.map_err(|errors| errors.0[0].message.clone())?;
        Ok(planned.into_iter().map(|Planned { target, place }| (target, place)).collect())
    }

    #[test]
    fn each_target_has_a_place_of_its_own() {
        let below = |name: &str| Place::Below("out/".into(), name.into());
        assert_eq!(
            places(&["overlays/prod", "gke+gpu"], Some("out/{root}.yaml")).unwrap(),
            [
                ("overlays/prod".to_owned(), below("overlays-prod.yaml")),
                ("gke+gpu".to_owned(), below("gke+gpu.yaml"))
            ]
        );
        assert_eq!(place("{root}/bundle.yaml", "a"), Place::Below("".into(), "a/bundle.yaml".into()));
        assert_eq!(place("out/x-{root}/", "a"), Place::Directory("out/x-a/".into()));
        assert_eq!(places(&["a"], None).unwrap(), [("a".to_owned(), Place::Standard)]);
    }

    #[test]
    fn targets_without_a_place_are_errors() {
        assert_eq!(places(&["a", "b"], None).unwrap_err(), "2 targets need a file each");
        let error = places(&["a/b", "a-b"], Some("{root}.yaml")).unwrap_err();
        assert_eq!(error, "`a/b` and `a-b` would be one file: `a-b` is the name of both");
        let error = places(&["./"], Some("{root}.yaml")).unwrap_err();
        assert_eq!(error, "`./` has no name that could stand for `{root}`");
        let error = places(&["nowhere/*"], Some("{root}.yaml")).unwrap_err();
        assert_eq!(error, "no kustomization root and no stack matches `nowhere/*`");
    }
}
