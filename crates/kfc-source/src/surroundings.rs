//! The surroundings of a run: where relative paths start, where caches and credentials are, and which variables the programs
//! that it runs get. The caller provides them: this library never reads them from the process, so that the environment,
//! the working directory and the clock cannot affect the output.

use crate::file::Os;
use crate::files::{FileSystem, Memory};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Variables of the environment, by name. Their values may be secrets: they have no `Display`, and `Debug` shows names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(OsString, OsString)>);

impl Variables {
    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.iter().find(|(own, value)| own == name && !value.is_empty());
        found.map(|(_, value)| value.as_os_str())
    }

    /// The variables, as [`std::process::Command::envs`] takes them.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The first of these variables that is set and not empty, as text.
    fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name)?.to_str().map(str::to_owned))
    }

    pub(crate) fn kept(&self, is_kept: impl Fn(&str) -> bool) -> Self {
        let kept = |(name, _): &&(OsString, OsString)| name.to_str().is_some_and(&is_kept);
        Self(self.0.iter().filter(kept).cloned().collect())
    }
}

impl FromIterator<(OsString, OsString)> for Variables {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The proxy for https, and the hosts that are reached without it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// The address of the proxy; it may hold a password.
    pub(crate) address: Option<String>,
    /// Patterns of hosts, as `NO_PROXY` has them.
    pub(crate) without: Vec<String>,
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxySettings").field("without", &self.without).finish_non_exhaustive()
    }
}

/// Files, directories and variables that a run may use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Surroundings {
    /// Where files that are not fetched come from.
    pub files: Arc<dyn FileSystem>,
    /// Where relative paths start; absolute, without symbolic links.
    pub working_directory: PathBuf,
    /// Where temporary files are created.
    pub temporary_directory: PathBuf,
    /// Where checkouts of full commit hashes are kept between runs; `None` keeps none.
    pub cache_directory: Option<PathBuf>,
    /// The configuration file of docker with credentials for registries.
    pub docker_config: Option<PathBuf>,
    /// The proxy for https.
    pub proxy: ProxySettings,
    /// The variables for git.
    pub git: Variables,
    /// The variables for helm.
    pub helm: Variables,
}

impl Surroundings {
    /// Surroundings without a variable, a cache or credentials.
    #[must_use]
    pub fn bare(working_directory: PathBuf, temporary_directory: PathBuf) -> Self {
        Self::of(working_directory, temporary_directory, &Variables::default())
    }

    /// The same, with files from elsewhere.
    #[must_use]
    pub fn with_files(self, files: Arc<dyn FileSystem>) -> Self {
        Self { files, ..self }
    }

    /// The surroundings of a process with these variables, of which only the ones that are used are kept.
    ///
    /// The directories are those of the programs that write there: `XDG_CACHE_HOME` or `~/.cache` (XDG base directories),
    /// `DOCKER_CONFIG` or `~/.docker` (docker), `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (curl).
    #[must_use]
    pub fn of(working_directory: PathBuf, temporary_directory: PathBuf, variables: &Variables) -> Self {
        let place = |name: &str| variables.get(name).map(|value| working_directory.join(value));
        let home = place("HOME");
        let below_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let proxies = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
        let without = variables.first(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
        Self {
            files: Arc::new(Os),
            cache_directory: place("XDG_CACHE_HOME").or_else(|| below_home(".cache")),
            docker_config: place("DOCKER_CONFIG")
                .or_else(|| below_home(".docker"))
                .map(|folder| folder.join("config.json")),
            proxy: ProxySettings {
                address: variables.first(&proxies),
                without: without.split(',').map(|host| host.trim().to_owned()).collect(),
            },
            git: variables.kept(|name| !is_of_another_repository(name)),
            helm: variables.kept(is_for_helm),
            working_directory,
            temporary_directory,
        }
    }

    /// Files in memory and nothing else: no variable, cache or credential. Paths start at `/`.
    #[must_use]
    pub fn in_memory(files: Memory) -> Self {
        let bare = Self::bare(PathBuf::from("/"), std::path::absolute("/").unwrap_or_default());
        Self { files: Arc::new(files), ..bare }
    }

    /// A temporary directory, which is removed when the value is dropped.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn temporary_folder(&self) -> std::io::Result<tempfile::TempDir> {
        tempfile::Builder::new().prefix("kfc-").tempdir_in(&self.temporary_directory)
    }

    /// How a path is shown: relative to the working directory, when it is below.
    #[must_use]
    pub fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.working_directory).unwrap_or(path)
    }
}

/// Whether a variable is about another repository: those of `git rev-parse --local-env-vars`, which git itself does not pass
/// on to another repository, and `GIT_NAMESPACE`. All others are kept: it is unknown which of them ssh, a credential helper or
/// an askpass program needs, and none affects the files that git checks out.
fn is_of_another_repository(name: &str) -> bool {
    const LOCAL: [&str; 17] = [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    ];
    LOCAL.contains(&name)
}

/// Whether helm gets a variable: those for programs, certificates, proxies and credentials of registries. It does not get those
/// that affect the result, such as `HELM_NAMESPACE`, `KUBECONFIG` (whose context has a namespace) and `HELM_PLUGINS`.
fn is_for_helm(name: &str) -> bool {
    const NAMES: [&str; 15] = [
        "PATH",
        "HOME",
        "USER",
        "TMPDIR",
        "SYSTEMROOT",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "DOCKER_CONFIG",
        "HELM_REGISTRY_CONFIG",
        "HELM_REPOSITORY_CONFIG",
        "ALL_PROXY",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "XDG_RUNTIME_DIR",
    ];
    let is_proxy = name.to_ascii_lowercase().ends_with("_proxy");
    NAMES.contains(&name) || is_proxy && NAMES.contains(&name.to_ascii_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{Surroundings, Variables};
    use std::path::{Path, PathBuf};

    fn surroundings(variables: &[(&str, &str)]) -> Surroundings {
        let variables: Variables =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Surroundings::of(PathBuf::from("/work"), PathBuf::from("/tmp"), &variables)
    }

    #[test]
    fn places_are_those_of_the_programs_that_write_there() {
        let own = surroundings(&[("HOME", "/home/me")]);
        assert_eq!(own.cache_directory.as_deref(), Some(Path::new("/home/me/.cache")));
        assert_eq!(own.docker_config.as_deref(), Some(Path::new("/home/me/.docker/config.json")));
        let named = surroundings(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c"), ("DOCKER_CONFIG", "d")]);
        assert_eq!(named.cache_directory.as_deref(), Some(Path::new("/c")));
        assert_eq!(named.docker_config.as_deref(), Some(Path::new("/work/d/config.json")));
        let none = surroundings(&[("HOME", "")]);
        assert_eq!((none.cache_directory, none.docker_config), (None, None));
    }

    #[test]
    fn programs_are_given_what_they_need() {
        let own = surroundings(&[
            ("PATH", "/bin"),
            ("https_proxy", "http://proxy"),
            ("MY_SECRET", "s"),
            ("GIT_DIR", "/r"),
            ("GIT_COMMON_DIR", "/r"),
            ("GIT_SSH_COMMAND", "ssh -i key"),
            ("HELM_NAMESPACE", "theirs"),
            ("HELM_PLUGINS", "/p"),
            ("KUBECONFIG", "/k"),
        ]);
        let names = |variables: &Variables| -> Vec<String> {
            variables.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(&own.helm), ["PATH", "https_proxy"]);
        let git = names(&own.git);
        assert!(git.contains(&"GIT_SSH_COMMAND".to_owned()) && git.contains(&"PATH".to_owned()));
        assert!(!git.iter().any(|name| ["GIT_DIR", "GIT_COMMON_DIR"].contains(&name.as_str())));
        assert_eq!(own.proxy.address.as_deref(), Some("http://proxy"));
    }

    #[test]
    fn values_of_variables_are_not_printed() {
        let shown = format!("{:?}", surroundings(&[("PATH", "sesame"), ("ALL_PROXY", "http://me:sesame@p")]));
        assert!(shown.contains("PATH") && !shown.contains("sesame"), "{shown}");
    }
}
