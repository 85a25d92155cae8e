//! Values of flags that are not given: those of variables of the environment, then those of the project, a section of the
//! `kfc.yaml` in or above the working directory. None of them can change what a bundle contains, nor name a program to run.

use super::line::KUSTOMIZE;
use super::targets::STACK_FILES;
use clap::Command;
use kfc_catalogue::files::Defaults;
use kfc_diagnostics::{Diagnostics, Result, Sources};
use kfc_source::{door, is_entry, is_stream};
use kfc_yaml::{Node, de, parse::parse};
use std::path::{Path, PathBuf};

/// The flags that have a variable, by their identifiers.
const VARIABLES: [(&str, &str); 8] = [
    ("color", "KFC_COLOR"),
    ("concurrency", "KFC_CONCURRENCY"),
    ("context", "KFC_CONTEXT"),
    ("jobs", "KFC_JOBS"),
    ("message_format", "KFC_MESSAGE_FORMAT"),
    ("offline", "KFC_OFFLINE"),
    ("qps", "KFC_QPS"),
    ("quiet", "KFC_QUIET"),
];

/// Values of flags, by the identifiers of these.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DefaultValues(Vec<(&'static str, String)>);

impl DefaultValues {
    /// The values for a run in a directory, of which later ones replace earlier ones.
    ///
    /// # Errors
    /// A section of the project's file with an error.
    pub(super) fn find(
        directory: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
        sources: &Sources,
    ) -> Result<Self> {
        let mut values = match project_file(directory) {
            Some(file) => Self::of_file(&file, sources)?,
            None => Self::default(),
        };
        for (flag, name) in VARIABLES {
            if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
                values.0.push((flag, value));
            }
        }
        Ok(values)
    }

    /// Those of a stack's file. A file that cannot be read is reported by the command that needs it.
    fn of_file(file: &Path, sources: &Sources) -> Result<Self> {
        let Ok(text) = door::read_text_of_user(file) else { return Ok(Self::default()) };
        if !text.contains("defaults") {
            return Ok(Self::default());
        }
        let (id, source) = sources.add(file.to_string_lossy(), text);
        let documents = parse(&source.text, id).unwrap_or_default();
        let section = documents.first().and_then(|document| document.get("spec")?.get("defaults"));
        section.map_or_else(|| Ok(Self::default()), Self::of_section)
    }

    fn of_section(section: &Node) -> Result<Self> {
        let (defaults, errors) = de::read::<Defaults>(section);
        let Defaults { concurrency, context, jobs, offline, qps } =
            Diagnostics::into_result(errors, defaults)?.unwrap_or_default();
        let given = [
            ("concurrency", concurrency.map(|count| count.to_string())),
            ("context", context),
            ("jobs", jobs.map(|count| count.to_string())),
            ("offline", offline.map(|is_offline| is_offline.to_string())),
            ("qps", qps.map(|count| count.to_string())),
        ];
        Ok(Self(given.into_iter().filter_map(|(flag, value)| Some((flag, value?))).collect()))
    }

    /// The command line with these values for flags that are not given.
    pub(super) fn apply(&self, command: Command) -> Command {
        if self.0.is_empty() || command.get_name() == KUSTOMIZE {
            return command;
        }
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        let command = names
            .into_iter()
            .fold(command, |command, name| command.mut_subcommand(name, |sub| self.apply(sub)));
        self.0.iter().fold(command, |command, (flag, value)| {
            let Some(known) = command.get_arguments().find(|known| known.get_id() == flag) else {
                return command;
            };
            let is_switch = !known.get_action().takes_values();
            let value = if is_switch { switch(value) } else { value };
            // The command line of the process lives as long as the process.
            let value: &'static str = Box::leak(value.to_owned().into_boxed_str());
            command.mut_arg(*flag, |known| known.default_value(value))
        })
    }
}

/// The value of a flag without one: as variables of the environment say yes and no.
fn switch(value: &str) -> &str {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => "true",
        "0" | "false" | "no" | "off" => "false",
        _ => value,
    }
}

/// The stack's file in a directory, or in the nearest one above it within the same repository.
fn project_file(directory: &Path) -> Option<PathBuf> {
    let in_directory = |directory: &Path| {
        let mut files = STACK_FILES.iter().map(|name| directory.join(name));
        files.find(|file| is_entry(file) && !is_stream(file))
    };
    let own = in_directory(directory);
    let mut nearest = own.clone();
    for above in directory.ancestors() {
        nearest = nearest.or_else(|| in_directory(above));
        if above.join(".git").exists() {
            return nearest;
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::{DefaultValues, project_file};
    use clap::{Arg, ArgAction, Command};
    use kfc_diagnostics::Sources;

    const STACK: &str = "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {name: a}\nspec:\n  platform: gke\n  defaults:\n";

    #[test]
    fn variables_come_before_the_project() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kfc.yaml"), format!("{STACK}    {{context: prod, jobs: 2}}\n"))
            .unwrap();
        let variable = |name: &str| (name == "KFC_CONTEXT").then(|| "dev".to_owned());
        let found = DefaultValues::find(folder.path(), &variable, &Sources::default()).unwrap();
        let jobs = Arg::new("jobs").long("jobs");
        let sub = Command::new("apply").arg(Arg::new("context").long("context")).arg(jobs);
        let matches = found
            .apply(Command::new("kfc").subcommand(sub))
            .get_matches_from(["kfc", "apply", "--jobs", "3"]);
        let (_, apply) = matches.subcommand().unwrap();
        assert_eq!(apply.get_one::<String>("context").unwrap(), "dev");
        assert_eq!(apply.get_one::<String>("jobs").unwrap(), "3", "a flag comes first");
    }

    #[test]
    fn switches_say_yes_and_no() {
        let offline =
            || Command::new("kfc").arg(Arg::new("offline").long("offline").action(ArgAction::SetTrue));
        for (value, is_set) in [("1", true), ("yes", true), ("off", false)] {
            let values = DefaultValues(vec![("offline", value.to_owned())]);
            assert_eq!(
                values.apply(offline()).get_matches_from(["kfc"]).get_flag("offline"),
                is_set,
                "{value}"
            );
        }
        let wrong = DefaultValues(vec![("offline", "maybe".to_owned())]);
        assert!(wrong.apply(offline()).try_get_matches_from(["kfc"]).is_err());
    }

    #[test]
    fn errors_of_the_section_are_reported_and_others_left_to_commands() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kfc.yaml");
        let found = |text: &str| {
            std::fs::write(&file, text).unwrap();
            DefaultValues::find(folder.path(), &|_| None, &Sources::default())
        };
        assert!(found(&format!("{STACK}    contxt: prod\n")).unwrap_err().0[0].message.contains("contxt"));
        assert_eq!(found("defaults: [").unwrap(), DefaultValues::default());
    }

    #[test]
    fn the_project_ends_where_its_repository_does() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("repository/clusters/prod");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(folder.path().join("kfc.yaml"), "").unwrap();
        assert_eq!(project_file(&below), None);
        std::fs::create_dir(folder.path().join("repository/.git")).unwrap();
        assert_eq!(project_file(&below), None);
        let file = folder.path().join("repository/kfc.yml");
        std::fs::write(&file, "").unwrap();
        assert_eq!(project_file(&below), Some(file));
    }
}
