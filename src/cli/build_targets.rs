//! `kfc build` with several targets: which these are, and where the bundle of each goes.

use super::args::EnvironmentArgs;
use super::environments::{ChosenTarget, Unnamed, chosen};
use super::folder;
use super::patterns::{buildable, is_pattern};
use super::targets::Target;
use kfc_catalogue::catalogue::StackChoice;
use kfc_catalogue::golden::name_for;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is the name of a target in `--output`.
const PLACEHOLDER: &str = "{root}";
/// What is the environment of its stack there.
const ENVIRONMENT: &str = "{environment}";
/// What is the cluster of its stack there.
const CLUSTER: &str = "{cluster}";

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
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) chosen: ChosenTarget,
    pub(super) place: Place,
}

/// The targets of a run, in the order in which they are named; what a pattern matches, in the order of the names; of a stack, the
/// environments that the flags name.
///
/// # Errors
/// A pattern that matches nothing that can be built, environments that do not exist, several targets without a name for the file of
/// each, and two targets of one name.
pub(super) fn plan(
    (targets, environments): (&[String], &EnvironmentArgs),
    output: Option<&Path>,
    sources: &Arc<Sources>,
) -> Result<Vec<Planned>> {
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
    let mut all = chosen(&all, environments, Unnamed::Refused, sources)?;
    let pattern = output.and_then(Path::to_str).filter(|text| placeholders(text).next().is_some());
    match (all.len(), pattern) {
        (_, Some(pattern)) => named(all, pattern),
        (1, None) => Ok(all.drain(..).map(|chosen| Planned { chosen, place: Place::of(output) }).collect()),
        (count, None) => {
            let message = format!("{count} targets need a file each");
            let placeholder = match all.first().map(|first| &first.choice) {
                Some(StackChoice { cluster: Some(_), .. }) => CLUSTER,
                Some(StackChoice { environment: Some(_), .. }) => ENVIRONMENT,
                _ => PLACEHOLDER,
            };
            let help = format!("name the files as in `--output 'bundles/{placeholder}.yaml'`");
            Err(Diagnostic::error(Code::Usage, message).help(help).into())
        }
    }
}

/// The placeholders in a pattern.
fn placeholders(pattern: &str) -> impl Iterator<Item = &'static str> {
    [PLACEHOLDER, ENVIRONMENT, CLUSTER].into_iter().filter(move |placeholder| pattern.contains(placeholder))
}

/// Each target with the place that has its names.
fn named(targets: Vec<ChosenTarget>, pattern: &str) -> Result<Vec<Planned>> {
    let mut errors = Diagnostics::default();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut planned = Vec::new();
    for chosen in targets {
        let values: Vec<(&str, String)> =
            placeholders(pattern).map(|placeholder| (placeholder, name_at(placeholder, &chosen))).collect();
        let target = &chosen.target;
        if let Some((placeholder, _)) = values.iter().find(|(_, name)| name.is_empty()) {
            let message = format!("`{target}` has no name that could stand for `{placeholder}`");
            let error = Diagnostic::error(Code::Usage, message);
            errors.push(match *placeholder {
                ENVIRONMENT => error.help("name its environment with `--environment`"),
                CLUSTER => error.help("name its cluster with `--targets`"),
                _ => error.help("name its directory, as in `../here`"),
            });
            continue;
        }
        let name = values.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join("/");
        if let Some(other) = names.insert(name.clone(), target.clone()) {
            let message = format!("`{other}` and `{target}` would be one file: `{name}` is the name of both");
            errors
                .push(Diagnostic::error(Code::Usage, message).help("build one of them in a run of its own"));
            continue;
        }
        planned.push(Planned { place: place(pattern, &values), chosen });
    }
    errors.into_result(planned)
}

/// What stands for a placeholder.
fn name_at(placeholder: &str, chosen: &ChosenTarget) -> String {
    match placeholder {
        ENVIRONMENT => chosen.choice.environment.clone().unwrap_or_default(),
        CLUSTER => chosen.choice.cluster.clone().unwrap_or_default(),
        _ => match Target::of(&chosen.target) {
            Target::Profile(name) => name,
            _ => name_for(&chosen.target),
        },
    }
}

/// The place that a pattern gives these names.
fn place(pattern: &str, names: &[(&str, String)]) -> Place {
    let path =
        names.iter().fold(pattern.to_owned(), |path, (placeholder, name)| path.replace(placeholder, name));
    if path.ends_with('/') {
        return Place::Directory(path.into());
    }
    // The user named what is before the first part with the name of a target; that name came from a tree.
    let first = names.iter().filter_map(|(placeholder, _)| pattern.find(placeholder)).min();
    let (above, below) =
        path.split_at(pattern[..first.unwrap_or_default()].rfind('/').map_or(0, |slash| slash + 1));
    Place::Below(above.into(), below.into())
}

#[cfg(test)]
mod tests {
    use super::{EnvironmentArgs, PLACEHOLDER, Place, Planned, place, plan};
    use kfc_diagnostics::Sources;
    use std::path::Path;
    use std::sync::Arc;

    fn places(targets: &[&str], output: Option<&str>) -> Result<Vec<(String, Place)>, String> {
        let targets: Vec<String> = targets.iter().map(|&target| target.to_owned()).collect();
        let sources = Arc::new(Sources::default());
        let planned = plan((&targets, &EnvironmentArgs::default()), output.map(Path::new), &sources);
        let planned = planned.map_err(|errors| errors.0[0].message.clone())?;
        Ok(planned.into_iter().map(|Planned { chosen, place }| (chosen.target, place)).collect())
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
        let place = |pattern: &str| place(pattern, &[(PLACEHOLDER, "a".to_owned())]);
        assert_eq!(place("{root}/bundle.yaml"), Place::Below("".into(), "a/bundle.yaml".into()));
        assert_eq!(place("out/x-{root}/"), Place::Directory("out/x-a/".into()));
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
