//! The environments and clusters of a stack that a command works on: each is a target of its own.

use super::args::EnvironmentArgs;
use super::here;
use super::targets::{Target, is_bundle_file, target_of};
use glob::Pattern;
use kfc_catalogue::catalogue::{StackChoice, StackDefinition};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_source::Loader;
use std::path::Path;
use std::sync::Arc;

/// What a stack with environments means when none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// An error.
    Refused,
    /// All environments.
    All,
}

/// A target with its environment and cluster.
#[derive(Clone, Debug)]
pub(super) struct ChosenTarget {
    /// The target.
    pub(super) target: String,
    /// What is chosen of its stack.
    pub(super) choice: StackChoice,
    /// The context of the cluster.
    pub(super) context: Option<String>,
}

impl ChosenTarget {
    /// A target without a choice.
    pub(super) fn plain(target: &str) -> Self {
        Self { target: target.to_owned(), choice: StackChoice::default(), context: None }
    }

    /// What messages about several call it.
    pub(super) fn name(&self) -> String {
        match (&self.choice.environment, &self.choice.cluster) {
            (Some(environment), None) => environment.clone(),
            (_, Some(cluster)) => cluster.clone(),
            (None, None) => self.target.clone(),
        }
    }

    fn of(path: &str, choice: StackChoice, definition: &StackDefinition) -> Self {
        let is_it = |name: &str| choice.cluster.as_deref() == Some(name);
        let cluster = definition.clusters.iter().find(|cluster| is_it(&cluster.name.value));
        let context = cluster.map(|cluster| cluster.context.clone());
        Self { target: target_of(path, &choice), choice, context }
    }
}

/// The targets of a run: a stack with environments, once for each that is named.
///
/// # Errors
/// Environments and clusters that do not exist, or that have to be named; targets without environments.
pub(super) fn chosen(
    targets: &[String],
    args: &EnvironmentArgs,
    unnamed: Unnamed,
    sources: &Arc<Sources>,
) -> Result<Vec<ChosenTarget>> {
    let mut errors = Diagnostics::default();
    let mut all = Vec::new();
    for target in targets {
        all.extend(errors.collect(chosen_of(target, args, unnamed, sources)).unwrap_or_default());
    }
    errors.into_result(all)
}

/// As [`chosen`], of one target.
pub(super) fn chosen_of(
    target: &str,
    args: &EnvironmentArgs,
    unnamed: Unnamed,
    sources: &Arc<Sources>,
) -> Result<Vec<ChosenTarget>> {
    let found = if is_bundle_file(Path::new(target)) { None } else { Some(Target::of(target)) };
    let Some(Target::Stack(file)) = found else {
        return if args.is_empty() {
            Ok(vec![ChosenTarget::plain(target)])
        } else {
            Err(not_a_stack(target))
        };
    };
    if file.choice != StackChoice::default() {
        if args.is_empty() {
            let choice = file.choice;
            return Ok(vec![ChosenTarget { target: target.to_owned(), choice, context: None }]);
        }
        let message = format!("`{target}` names its environment already");
        let error = Diagnostic::error(Code::Usage, message);
        return Err(error.help("leave out `--environment` and `--targets`").into());
    }
    let loader = Loader::here(here::reads(), sources);
    let definition = match StackDefinition::load(&loader, &file) {
        Ok(definition) => definition,
        // The command reads it again, and reports what is wrong together with what else is.
        Err(_) if args.is_empty() => return Ok(vec![ChosenTarget::plain(target)]),
        Err(errors) => return Err(errors),
    };
    let choices = choices(&definition, args, unnamed).inspect_err(|_| definition.hide_given(sources))?;
    Ok(choices.into_iter().map(|choice| ChosenTarget::of(target, choice, &definition)).collect())
}

/// What is read of each target, or the errors of all of them: nothing is begun before all can be.
///
/// # Errors
/// Those of `read`.
#[cfg(feature = "cluster")]
pub(super) fn read_each<T>(targets: &[ChosenTarget], read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    let mut errors = Diagnostics::default();
    let all = targets.iter().filter_map(|chosen| errors.collect(read(&chosen.target))).collect();
    errors.into_result(all)
}

/// The only target of a command that works on one.
///
/// # Errors
/// As [`chosen`]; several environments or clusters.
pub(super) fn single(target: &str, args: &EnvironmentArgs, sources: &Arc<Sources>) -> Result<String> {
    let mut all = chosen_of(target, args, Unnamed::Refused, sources)?;
    match (all.pop(), all.len()) {
        (Some(only), 0) => Ok(only.target),
        (_, others) => {
            let message = format!("this command works on one environment, and {} are named", others + 1);
            Err(Diagnostic::error(Code::Usage, message).help("name one of them").into())
        }
    }
}

/// The targets of a run in clusters: an environment whose clusters the stack lists, once for each of them.
///
/// # Errors
/// As [`chosen`].
#[cfg(feature = "cluster")]
pub(super) fn in_clusters(
    target: &str,
    args: &EnvironmentArgs,
    sources: &Arc<Sources>,
) -> Result<Vec<ChosenTarget>> {
    let mut all = Vec::new();
    for one in chosen_of(target, args, Unnamed::Refused, sources)? {
        let clusters = clusters_of(&one, sources)?;
        if clusters.is_empty() {
            all.push(one);
        } else {
            all.extend(clusters);
        }
    }
    Ok(all)
}

/// The clusters of an environment that is chosen without one; a cluster that is chosen, with its context.
#[cfg(feature = "cluster")]
fn clusters_of(one: &ChosenTarget, sources: &Arc<Sources>) -> Result<Vec<ChosenTarget>> {
    if is_bundle_file(Path::new(&one.target)) {
        return Ok(Vec::new());
    }
    let Target::Stack(file) = Target::of(&one.target) else { return Ok(Vec::new()) };
    let loader = Loader::here(here::reads(), sources);
    let definition = StackDefinition::load(&loader, &file)?;
    let path = one.target.strip_suffix(&target_of("", &file.choice)).unwrap_or(&one.target);
    let choices: Vec<StackChoice> = match file.choice.cluster {
        Some(_) => vec![file.choice],
        None => definition
            .clusters_of(file.choice.environment.as_deref())
            .map(kfc_catalogue::catalogue::StackCluster::choice)
            .collect(),
    };
    Ok(choices.into_iter().map(|choice| ChosenTarget::of(path, choice, &definition)).collect())
}

/// What the flags choose of a stack, in its order.
fn choices(
    definition: &StackDefinition,
    args: &EnvironmentArgs,
    unnamed: Unnamed,
) -> Result<Vec<StackChoice>> {
    let names: Vec<&str> = definition.environments.iter().map(|known| known.name.value.as_str()).collect();
    let mut errors = Diagnostics::default();
    let is_all = |pattern: &String| pattern == "*";
    let mut named: Vec<&str> = Vec::new();
    for pattern in &args.environment {
        let matching = errors.collect(matching(pattern, &names)).unwrap_or_default();
        if matching.is_empty() && !(names.is_empty() && is_all(pattern)) {
            errors.push(definition.unknown_environment(pattern, None));
        }
        named.extend(matching);
    }
    if !args.clusters.is_empty() {
        return clusters(definition, args, &named, errors);
    }
    errors.into_result(())?;
    let is_named =
        |name: &&&str| unnamed == Unnamed::All && args.environment.is_empty() || named.contains(name);
    let of = |name: &&str| StackChoice { environment: Some((*name).to_owned()), cluster: None };
    match (names.is_empty(), args.environment.is_empty(), unnamed) {
        (true, ..) => Ok(vec![StackChoice::default()]),
        (false, true, Unnamed::Refused) => Err(definition.unnamed().into()),
        _ => Ok(names.iter().filter(is_named).map(of).collect()),
    }
}

/// The clusters that the flags choose, of the environments that they name.
fn clusters(
    definition: &StackDefinition,
    args: &EnvironmentArgs,
    environments: &[&str],
    mut errors: Diagnostics,
) -> Result<Vec<StackChoice>> {
    let names: Vec<&str> = definition.clusters.iter().map(|known| known.name.value.as_str()).collect();
    let mut named: Vec<&str> = Vec::new();
    for pattern in args.clusters.iter().map(|pattern| pattern.trim()) {
        let matching = errors.collect(matching(pattern, &names)).unwrap_or_default();
        if matching.is_empty() {
            errors.push(definition.unknown_cluster(pattern));
        }
        named.extend(matching);
    }
    errors.into_result(())?;
    let is_chosen = |environment: &str| args.environment.is_empty() || environments.contains(&environment);
    let clusters = definition.clusters.iter().filter(|cluster| {
        let environment = cluster.environment.as_ref().map_or("", |name| name.value.as_str());
        named.contains(&cluster.name.value.as_str()) && (environment.is_empty() || is_chosen(environment))
    });
    let choices: Vec<StackChoice> = clusters.map(kfc_catalogue::catalogue::StackCluster::choice).collect();
    if choices.is_empty() {
        let message =
            format!("no cluster of `{}` is in {}", args.clusters.join(","), environments.join(", "));
        let error = Diagnostic::error(Code::Environment, message);
        return Err(error.help("list them with `kfc list clusters`").into());
    }
    Ok(choices)
}

/// The names that a pattern matches.
fn matching<'n>(pattern: &str, names: &[&'n str]) -> Result<Vec<&'n str>> {
    let parsed = Pattern::new(pattern).map_err(|error| -> Diagnostics {
        let message = format!("`{pattern}` is not a pattern: {}", error.msg);
        Diagnostic::error(Code::Usage, message).into()
    })?;
    Ok(names.iter().copied().filter(|name| parsed.matches(name)).collect())
}

fn not_a_stack(target: &str) -> Diagnostics {
    let message = format!("`{target}` is not a stack: it has no environments and clusters");
    Diagnostic::error(Code::Usage, message).help("leave out `--environment` and `--targets`").into()
}
