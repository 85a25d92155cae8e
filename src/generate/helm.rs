//! `helmCharts`: charts rendered by the helm program.

use crate::diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use crate::kustomization::model::{HelmChart, HelmGlobals};
use crate::merge::values;
use crate::secrecy::Foreign;
use crate::sources::Loader;
use crate::sources::remote::Source;
use crate::yaml::{Node, emit, parse, through_json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Renders a chart with `helm template`, pulling it first when it is not in the chart home and names a repository. Gives
/// the YAML text that helm prints.
///
/// # Errors
/// [`Code::Helm`] when helm is not enabled, not installed or fails.
pub fn render(chart: &HelmChart, globals: &HelmGlobals, loader: &Loader) -> Result<String> {
    let mark = chart.mark.unwrap_or(Mark::NONE);
    if !loader.options().helm.enabled {
        let error = Diagnostic::error(
            Code::Helm,
            format!("the chart `{}` needs helm, which is not enabled", chart.name),
        );
        return Err(error.at(mark).help("add `--enable-helm` to let kfc run the helm program").into());
    }
    if chart.name.is_empty() {
        return Err(Diagnostic::error(Code::MissingField, "a chart needs a `name`").at(mark).into());
    }
    let scratch = loader
        .options()
        .surroundings
        .temporary_folder()
        .map_err(|error| failed(mark, &format!("no temporary folder: {error}")))?;
    let run = Run { chart, loader, mark, scratch: scratch.path(), config_home: &globals.config_home };
    let location = match local(chart, globals, loader) {
        Some(location) => location,
        None if chart.repo.is_empty() => {
            let folder = home(globals, loader);
            let message = format!(
                "there is no chart `{}` in `{}`, and it names no `repo`",
                chart.name,
                folder.display()
            );
            return Err(failed(mark, &message));
        }
        None if loader.remotes().provides_charts()? => {
            loader.chart(&chart.repo, &chart.name, &chart.version, mark)?
        }
        None => run.pull(&pulled(chart, globals, loader))?,
    };
    run.template(&location)
}

/// The folder of the charts of a root.
fn home(globals: &HelmGlobals, loader: &Loader) -> PathBuf {
    let home = if globals.chart_home.is_empty() { "charts" } else { &globals.chart_home };
    loader.root().join(home)
}

/// The folder that kustomize pulls a chart into.
#[must_use]
pub fn pulled(chart: &HelmChart, globals: &HelmGlobals, loader: &Loader) -> PathBuf {
    let home = home(globals, loader);
    if chart.version.is_empty() { home } else { home.join(format!("{}-{}", chart.name, chart.version)) }
}

/// The folder of a chart that is there already: in the chart home, or where it was pulled to before.
#[must_use]
pub fn local(chart: &HelmChart, globals: &HelmGlobals, loader: &Loader) -> Option<PathBuf> {
    let folders = [home(globals, loader), pulled(chart, globals, loader)];
    folders.into_iter().map(|folder| folder.join(&chart.name)).find(|location| location.exists())
}

fn failed(mark: Mark, why: &str) -> Diagnostics {
    Diagnostic::error(Code::Helm, why.to_owned()).at(mark).into()
}

/// One call of helm after another for one chart.
struct Run<'a> {
    chart: &'a HelmChart,
    loader: &'a Loader,
    mark: Mark,
    scratch: &'a Path,
    config_home: &'a str,
}

impl Run<'_> {
    /// Pulls the chart into a folder below `target`, and gives that.
    fn pull(&self, target: &Path) -> Result<PathBuf> {
        let chart = self.chart;
        let (repository, name) = (chart.repo.clone(), chart.name.clone());
        self.loader.remotes().note(Source::Chart { repository, name, version: chart.version.clone() });
        let mut arguments = vec!["pull".to_owned(), "--untar".to_owned(), "--untardir".to_owned()];
        arguments.push(target.to_string_lossy().into_owned());
        if chart.repo.starts_with("oci://") {
            arguments.push(format!("{}/{}", chart.repo.trim_end_matches('/'), chart.name));
        } else {
            arguments.extend(["--repo".to_owned(), chart.repo.clone(), chart.name.clone()]);
        }
        if !chart.version.is_empty() {
            arguments.extend(["--version".to_owned(), chart.version.clone()]);
        }
        if chart.devel {
            arguments.push("--devel".to_owned());
        }
        self.helm(&arguments)?;
        Ok(target.join(&chart.name))
    }

    fn template(&self, location: &Path) -> Result<String> {
        let chart = self.chart;
        let options = &self.loader.options().helm;
        let mut arguments = vec!["template".to_owned()];
        if !chart.release_name.is_empty() {
            arguments.push(chart.release_name.clone());
        }
        let mut option = |name: &str, value: &str| {
            if !value.is_empty() {
                arguments.extend([name.to_owned(), value.to_owned()]);
            }
        };
        option("--namespace", &chart.namespace);
        option("--name-template", &chart.name_template);
        option(
            "--kube-version",
            if chart.kube_version.is_empty() { &options.kube_version } else { &chart.kube_version },
        );
        let values = self.values_file(location)?;
        option("--values", &values.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default());
        for file in &chart.additional_values_files {
            option("--values", &self.loader.root().join(file).to_string_lossy());
        }
        for version in chart.api_versions.iter().chain(&options.api_versions) {
            option("--api-versions", version);
        }
        let flags = [
            (chart.release_name.is_empty() && chart.name_template.is_empty(), "--generate-name"),
            (chart.include_crds, "--include-crds"),
            (chart.skip_tests, "--skip-tests"),
            (chart.skip_hooks, "--no-hooks"),
            (chart.debug || options.debug, "--debug"),
            (chart.devel, "--devel"),
        ];
        arguments.push(location.to_string_lossy().into_owned());
        arguments.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag.to_owned()));
        self.helm(&arguments)
    }

    /// The values: the named file, the inline ones, or both joined as `valuesMerge` says (`override` when it says nothing:
    /// the inline ones win).
    fn values_file(&self, location: &Path) -> Result<Option<PathBuf>> {
        let chart = self.chart;
        let named = (!chart.values_file.is_empty()).then(|| self.loader.root().join(&chart.values_file));
        let Some(mut inline) = chart.values_inline.clone() else { return Ok(named) };
        through_json::convert(&mut inline)?;
        let file = if chart.values_file.is_empty() {
            location.join("values.yaml")
        } else {
            named.unwrap_or_default()
        };
        let base = std::fs::read_to_string(&file).unwrap_or_default();
        let (id, source) = self.loader.sources().add(file.display().to_string(), base);
        let base = parse::parse(&source.text, id)?.into_iter().next();
        let joined = match (chart.values_merge.as_str(), base) {
            ("replace", _) | (_, None) => inline,
            ("merge", Some(base)) => values::overlay(inline, &base),
            ("" | "override", Some(base)) => values::overlay(base, &inline),
            (other, Some(_)) => {
                return Err(failed(
                    self.mark,
                    &format!("`valuesMerge` is `override`, `merge` or `replace`, not `{other}`"),
                ));
            }
        };
        self.write_values(&joined).map(Some)
    }

    fn write_values(&self, values: &Node) -> Result<PathBuf> {
        let mut bytes = Vec::new();
        emit::emit(values, &mut bytes)?;
        let path = self.scratch.join("values.yaml");
        std::fs::write(&path, bytes)
            .map_err(|error| failed(self.mark, &format!("cannot write values: {error}")))?;
        Ok(path)
    }

    /// Runs helm with folders of its own and a few variables, so that nothing of the user's configuration changes the result:
    /// not the namespace of a kubeconfig's context either, which helm takes for that of the release.
    fn helm(&self, arguments: &[String]) -> Result<String> {
        let program = &self.loader.options().helm.command;
        let home = |name: &str| match self.config_home {
            "" => self.scratch.join(name),
            home => self.loader.root().join(home).join(name),
        };
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.loader.root())
            .env_clear()
            .envs(self.loader.options().surroundings.helm.iter())
            .env("KUBECONFIG", self.scratch.join("kubeconfig"))
            .env("HELM_CONFIG_HOME", home("config"))
            .env("HELM_CACHE_HOME", home(".cache"))
            .env("HELM_DATA_HOME", home(".data"))
            .output()
            .map_err(|error| failed(self.mark, &format!("`{program}` cannot be run: {error}")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = Foreign::of_bytes(&output.stderr);
        let message = message.part(|text| text.trim().trim_start_matches("Error: ")).message();
        Err(failed(
            self.mark,
            &format!("`{program} {}` failed: {message}", arguments.first().map_or("", String::as_str)),
        ))
    }
}
