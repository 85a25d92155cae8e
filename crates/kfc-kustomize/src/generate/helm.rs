//! `helmCharts`: charts rendered by the helm program.
//!
//! helm gets values, never flags: each text of a root comes after the name of a flag or after `--`, and nothing of it may
//! begin with `-`. helm reads what the root may read: it gets value files as copies, and links in a chart may not lead out.
//! It has no plug-ins: neither those of the user, which would change the result, nor any of the root, which would be run. Of
//! the configuration of helm that a root may have, it gets only the logins of registries.

use crate::kustomization::model::{HelmChart, HelmGlobals};
use crate::merge::values;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kfc_diagnostics::Foreign;
use kfc_diagnostics::address;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_source::door::clean;
use kfc_source::program::{self, Limits};
use kfc_source::remote::Source;
use kfc_source::{FileSystem as _, Loader, Os, tree_path, write};
use kfc_yaml::{Node, emit, parse, through_json};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one call of helm may take.
const TIME: Duration = Duration::from_secs(600);
/// The file with the logins of registries.
const LOGINS: &str = "registry.json";
/// Bytes that helm may print.
const LARGEST: u64 = 256 * 1024 * 1024;
/// What helm calls the repository whose credentials it is given in a file.
const REPOSITORY: &str = "kfc";

/// Renders a chart with `helm template`, pulling it first when it is not in the chart home and names a repository. Returns
/// the YAML text that helm prints.
///
/// # Errors
/// [`Code::Helm`] when helm is not enabled, not installed or fails, and for what helm must not be given;
/// [`Code::OutsideRoot`] for charts and files that the root may not read.
pub fn render(chart: &HelmChart, globals: &HelmGlobals, loader: &Loader) -> Result<String> {
    let mark = chart.mark;
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
    check_words(chart, loader, mark)?;
    let scratch = loader
        .options()
        .surroundings
        .temporary_folder()
        .map_err(|error| failed(mark, &format!("cannot create a temporary directory: {error}")))?;
    let mut run = Run { chart, loader, mark, scratch: scratch.path(), variables: Vec::new() };
    run.copy_logins(&globals.config_home)?;
    let location = match local(chart, globals, loader)? {
        Some(location) => Os.canonicalize(&location).unwrap_or(location),
        None if chart.repo.is_empty() => {
            let message = format!(
                "the chart `{}` does not exist in `{}`, and has no `repo`",
                chart.name,
                loader.root().join(home(globals)).display()
            );
            return Err(failed(mark, &message));
        }
        None if loader.remotes().provides_charts()? => {
            loader.chart(&chart.repo, &chart.name, &chart.version, mark)?
        }
        None => run.pull(&place(&pulled_to(chart, globals), loader, mark)?)?,
    };
    run.template(&location)
}

/// The directory of the charts of a root, as the root names it.
fn home(globals: &HelmGlobals) -> &str {
    if globals.chart_home.is_empty() { "charts" } else { &globals.chart_home }
}

/// The directory that kustomize pulls a chart into, as the root would name it.
fn pulled_to(chart: &HelmChart, globals: &HelmGlobals) -> String {
    match chart.version.as_str() {
        "" => home(globals).to_owned(),
        version => format!("{}/{}-{version}", home(globals), chart.name),
    }
}

/// The directory that kustomize pulls a chart into.
#[must_use]
pub fn pulled(chart: &HelmChart, globals: &HelmGlobals, loader: &Loader) -> PathBuf {
    loader.root().join(pulled_to(chart, globals))
}

/// The directory of a chart that already exists, as the root names it: in the chart home, or where it was pulled to before.
///
/// # Errors
/// A chart that the root may not read.
pub fn local(chart: &HelmChart, globals: &HelmGlobals, loader: &Loader) -> Result<Option<PathBuf>> {
    let mark = chart.mark;
    for folder in [home(globals).to_owned(), pulled_to(chart, globals)] {
        // The name counts below the home also when it begins with `/`, as in kustomize.
        let text = format!("{folder}/{}", chart.name);
        match loader.real_path(&text, mark) {
            Ok(_) => return Ok(Some(loader.root().join(text))),
            Err(errors) if is_missing(&errors) => {}
            Err(errors) => return Err(errors),
        }
    }
    Ok(None)
}

fn is_missing(errors: &Diagnostics) -> bool {
    errors.0.iter().all(|error| error.code == Code::NotFound)
}

/// A directory that helm may write: one that the root may read, or that does not exist yet.
fn place(path: &str, loader: &Loader, mark: Option<Mark>) -> Result<PathBuf> {
    match loader.real_path(path, mark) {
        Ok(place) => Ok(place),
        Err(errors) if is_missing(&errors) => Ok(clean(&loader.root().join(path))),
        Err(errors) => Err(errors),
    }
}

/// Refuses what helm would take for something else than a value.
fn check_words(chart: &HelmChart, loader: &Loader, mark: Option<Mark>) -> Result<()> {
    let options = loader.options();
    let mut errors = Diagnostics::default();
    let fields = [
        ("name", &chart.name),
        ("releaseName", &chart.release_name),
        ("namespace", &chart.namespace),
        ("nameTemplate", &chart.name_template),
        ("version", &chart.version),
        ("repo", &chart.repo),
        ("kubeVersion", &chart.kube_version),
        ("--helm-kube-version", &options.helm.kube_version),
    ];
    let of_chart = chart.api_versions.iter().map(|version| ("apiVersions", version));
    let of_options = options.helm.api_versions.iter().map(|version| ("--helm-api-versions", version));
    for (field, value) in fields.into_iter().chain(of_chart).chain(of_options) {
        if value.starts_with('-') {
            let message = format!("`{field}` begins with `-`, and helm would take it for a flag");
            errors.push(Diagnostic::error(Code::Helm, message).at(mark).help("write a value without it"));
        }
    }
    if !matches!(chart.values_merge.as_str(), "" | "override" | "merge" | "replace") {
        let message =
            format!("`valuesMerge` is `override`, `merge` or `replace`, not `{}`", chart.values_merge);
        errors.push(Diagnostic::error(Code::Helm, message).at(mark));
    }
    errors.collect(check_repository(chart, options.remote.plain_http).map_err(|error| error.at(mark).into()));
    errors.collect(Repository::read(&chart.repo).map_err(|error| error.at(mark).into()));
    errors.into_result(())
}

/// Refuses repositories that helm would leave to a plug-in, or whose content can be changed on the network.
fn check_repository(chart: &HelmChart, plain_http: bool) -> std::result::Result<(), Diagnostic> {
    let wrong = |message: String, help: &str| Err(Diagnostic::error(Code::Helm, message).help(help));
    match chart.repo.split_once("://") {
        None if chart.repo.is_empty() => return Ok(()),
        Some(("https" | "oci", _)) => {}
        Some(("http", _)) if plain_http || kfc_source::is_on_this_machine(&chart.repo) => {}
        Some(("http", _)) => {
            let message = "`repo` is reached over plain http, which anybody on the way can change";
            return wrong(message.to_owned(), "use https, or allow it with `--allow-plain-http`");
        }
        _ => {
            let message = "`repo` is not the address of a repository of charts".to_owned();
            return wrong(message, "it begins with `https://` or `oci://`");
        }
    }
    if chart.name.contains('/') || tree_path::check(&chart.name).is_err() {
        wrong("`name` is not the name of a chart in a repository".to_owned(), "write only its last part")
    } else {
        Ok(())
    }
}

/// A repository of charts with the credentials that its address has.
struct Repository {
    /// The address without user and password.
    address: String,
    /// User and password, decoded.
    user: Option<(String, String)>,
}

impl Repository {
    /// Reads an address.
    ///
    /// # Errors
    /// Credentials that helm can be given in its arguments alone, which every user of the machine can read.
    fn read(repo: &str) -> std::result::Result<Self, Diagnostic> {
        let wrong = |message: &str, help: &str| Err(Diagnostic::error(Code::Helm, message).help(help));
        let (scheme, rest) = repo.split_once("://").unwrap_or(("", repo));
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) = host.rsplit_once('@').map_or((None, host), |(user, host)| (Some(user), host));
        let user = user.map(|user| user.split_once(':').unwrap_or((user, "")));
        let address = if scheme.is_empty() { repo.to_owned() } else { format!("{scheme}://{host}{path}") };
        if address::has_user(&address) {
            let help = "write `%2F` for `/`, `%3F` for `?`, `%23` for `#` and `%40` for `@` in the password";
            return wrong("the user and password in `repo` are not encoded", help);
        }
        if scheme == "oci" && address::bare_address(&address) != address {
            let help = "write user and password before the host, or use `helm registry login`";
            return wrong("`repo` signs in by its query, which registries do not read", help);
        }
        let decoded = |text: &str| address::decoded(text, false);
        Ok(Self { address, user: user.map(|(name, password)| (decoded(name), decoded(password))) })
    }

    /// Whether the address, with its query, has something that no argument may have.
    fn is_secret(&self) -> bool {
        self.user.is_some() || address::bare_address(&self.address) != self.address
    }

    fn host(&self) -> &str {
        let rest = self.address.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// The file in which helm looks for repositories by name.
    fn repositories(&self) -> String {
        let (username, password) = self.user.clone().unwrap_or_default();
        let url = &self.address;
        let entry = json!({"name": REPOSITORY, "url": url, "username": username, "password": password});
        json!({"apiVersion": "", "repositories": [entry]}).to_string()
    }

    /// The file in which helm looks for the credentials of registries.
    fn registries(&self) -> String {
        let (username, password) = self.user.clone().unwrap_or_default();
        let auth = STANDARD.encode(format!("{username}:{password}"));
        json!({"auths": {self.host(): {"auth": auth}}}).to_string()
    }
}

fn failed(mark: Option<Mark>, why: &str) -> Diagnostics {
    Diagnostic::error(Code::Helm, why.to_owned()).at(mark).into()
}

/// One call of helm after another for one chart.
struct Run<'a> {
    chart: &'a HelmChart,
    loader: &'a Loader,
    mark: Option<Mark>,
    scratch: &'a Path,
    /// Variables of this run alone.
    variables: Vec<(&'static str, PathBuf)>,
}

impl Run<'_> {
    /// Pulls the chart into a directory below `target`, and gives that.
    fn pull(&mut self, target: &Path) -> Result<PathBuf> {
        let chart = self.chart;
        let source = Repository::read(&chart.repo).map_err(|error| error.at(self.mark))?;
        let is_registry = chart.repo.starts_with("oci://");
        let (repository, name) = (chart.repo.clone(), chart.name.clone());
        self.loader.remotes().note(&Source::Chart { repository, name, version: chart.version.clone() });
        let mut arguments = vec!["pull".to_owned(), "--untar".to_owned(), "--untardir".to_owned()];
        arguments.push(target.to_string_lossy().into_owned());
        // No argument has credentials: every user of the machine can read those of running programs.
        let named = match is_registry {
            true => {
                if source.is_secret() {
                    self.write_credentials("HELM_REGISTRY_CONFIG", "registries.json", &source.registries())?;
                }
                format!("{}/{}", source.address.trim_end_matches('/'), chart.name)
            }
            false if source.is_secret() => {
                self.write_credentials(
                    "HELM_REPOSITORY_CONFIG",
                    "repositories.yaml",
                    &source.repositories(),
                )?;
                self.helm(&["repo".to_owned(), "update".to_owned(), REPOSITORY.to_owned()])?;
                format!("{REPOSITORY}/{}", chart.name)
            }
            false => {
                arguments.extend(["--repo".to_owned(), source.address]);
                chart.name.clone()
            }
        };
        if !chart.version.is_empty() {
            arguments.extend(["--version".to_owned(), chart.version.clone()]);
        }
        if chart.devel {
            arguments.push("--devel".to_owned());
        }
        arguments.extend(["--".to_owned(), named]);
        self.helm(&arguments)?;
        Ok(target.join(&chart.name))
    }

    /// Writes a file with credentials into the directory of this run, which nobody else can enter, and names it to helm.
    fn write_credentials(&mut self, variable: &'static str, name: &str, text: &str) -> Result<()> {
        let path = self.scratch.join(name);
        write::scratch(&path, text.as_bytes())
            .map_err(|error| failed(self.mark, &format!("cannot write credentials: {error}")))?;
        self.variables.push((variable, path));
        Ok(())
    }

    fn template(&self, location: &Path) -> Result<String> {
        let chart = self.chart;
        let options = &self.loader.options().helm;
        super::chart::check(location, self.loader, self.mark)?;
        let mut arguments = vec!["template".to_owned()];
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
        for file in self.values_files(location)? {
            option("--values", &file.to_string_lossy());
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
        arguments.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag.to_owned()));
        arguments.push("--".to_owned());
        if !chart.release_name.is_empty() {
            arguments.push(chart.release_name.clone());
        }
        arguments.push(location.to_string_lossy().into_owned());
        self.helm(&arguments)
    }

    /// The files of values, as copies: the named one, the inline values, or both joined as `valuesMerge` says (`override`
    /// when it is not given: the inline ones win), then the additional ones.
    fn values_files(&self, location: &Path) -> Result<Vec<PathBuf>> {
        let chart = self.chart;
        let mut files = Vec::new();
        match &chart.values_inline {
            Some(inline) => {
                let mut inline = inline.clone();
                through_json::convert(&mut inline)?;
                let mut bytes = Vec::new();
                emit::emit(&self.joined_values(inline, location)?, &mut bytes)?;
                files.push(self.write_values(0, &bytes)?);
            }
            None if chart.values_file.is_empty() => {}
            None => files.push(self.copy_values(0, &chart.values_file)?),
        }
        for (number, file) in (1..).zip(&chart.additional_values_files) {
            files.push(self.copy_values(number, file)?);
        }
        Ok(files)
    }

    fn joined_values(&self, inline: Node, location: &Path) -> Result<Node> {
        let chart = self.chart;
        if chart.values_merge == "replace" {
            return Ok(inline);
        }
        let (id, source) = match chart.values_file.as_str() {
            "" => {
                let file = location.join("values.yaml");
                let text = match super::chart::in_chart(location, &file, self.mark).read_text() {
                    Err(error) if error.code == Code::NotFound => String::new(),
                    text => text?,
                };
                self.loader.sources().add(file.display().to_string(), text)
            }
            file => {
                let file = self.loader.load(file, self.mark)?;
                (file.id, file.source)
            }
        };
        let base = parse::parse(&source.text, id)?.into_iter().next();
        Ok(match (chart.values_merge.as_str(), base) {
            (_, None) => inline,
            ("merge", Some(base)) => values::overlay(inline, &base),
            (_, Some(base)) => values::overlay(base, &inline),
        })
    }

    fn copy_values(&self, number: usize, file: &str) -> Result<PathBuf> {
        self.write_values(number, &self.loader.load_bytes(file, self.mark)?)
    }

    fn write_values(&self, number: usize, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.scratch.join(format!("values-{number}.yaml"));
        write::scratch(&path, bytes)
            .map_err(|error| failed(self.mark, &format!("cannot write values: {error}")))?;
        Ok(path)
    }

    /// Copies the registry logins of a root's configuration of helm, and nothing else of it: a configuration names programs
    /// that give credentials, which helm would run from the root, and files of certificates.
    fn copy_logins(&self, config_home: &str) -> Result<()> {
        let path = format!("{config_home}/registry/config.json");
        let mut logins = serde_json::Value::Null;
        if !config_home.is_empty() {
            place(config_home, self.loader, self.mark)?;
            let config: serde_json::Value = match self.loader.load_bytes(&path, self.mark) {
                Ok(bytes) => serde_json::from_slice(&bytes)
                    .map_err(|_| failed(self.mark, &format!("`{path}` is not JSON")))?,
                Err(errors) if is_missing(&errors) => serde_json::Value::Null,
                Err(errors) => return Err(errors),
            };
            logins = config["auths"].clone();
        }
        let text = if logins.is_object() {
            serde_json::json!({ "auths": logins }).to_string()
        } else {
            "{}".to_owned()
        };
        write::scratch(&self.scratch.join(LOGINS), text.as_bytes())
            .map_err(|error| failed(self.mark, &format!("cannot write the logins: {error}")))
    }

    /// Runs helm with directories of its own and a few variables, so that nothing of the user's configuration changes the result:
    /// not the namespace of a kubeconfig's context either, which helm takes for that of the release.
    fn helm(&self, arguments: &[String]) -> Result<String> {
        let program = &self.loader.options().helm.command;
        let called = format!("{program} {}", arguments.first().map_or("", String::as_str));
        let own = |name: &str| self.scratch.join(name);
        let mut command = program::command(program);
        command.args(arguments).current_dir(self.loader.root());
        command.env_clear().envs(self.loader.options().surroundings.helm.iter());
        if self.loader.options().surroundings.helm.get("HELM_REGISTRY_CONFIG").is_none() {
            command.env("HELM_REGISTRY_CONFIG", own(LOGINS));
        }
        for (name, folder) in [
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_CACHE_HOME", ".cache"),
            ("HELM_DATA_HOME", ".data"),
            ("HELM_PLUGINS", "plugins"),
            ("KUBECONFIG", "kubeconfig"),
        ] {
            command.env(name, own(folder));
        }
        command.envs(self.variables.iter().map(|(name, file)| (name, file)));
        let output = program::run(&mut command, Limits::of(TIME, LARGEST)).map_err(|failure| {
            failed(
                self.mark,
                &match failure {
                    program::Failure::Start(error) => format!("`{program}` cannot be run: {error}"),
                    program::Failure::TooLong => format!("`{called}` took longer than {} s", TIME.as_secs()),
                    program::Failure::TooMuch => {
                        format!("`{called}` printed more than {} MiB", LARGEST / 1024 / 1024)
                    }
                },
            )
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = Foreign::of_bytes(&output.stderr);
        let message = message.part(|text| text.trim().trim_start_matches("Error: ")).message();
        Err(failed(self.mark, &format!("`{called}` failed: {message}")))
    }
}
