//! Functions and external plug-ins of kustomize: programs that a tree names, which a build runs only through a [`Runner`] that its
//! caller gives. [`Programs`] is the one that starts them as processes; a library that is given none starts nothing.

use crate::decryption::Decrypter;
use crate::program::{self, Failure, Limits};
use crate::surroundings::Variables;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Which functions and plug-ins a build may run, what they get, and what does the work of one without a program.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct FunctionOptions {
    /// Runs functions and external plug-ins; without one, each is an error (`--enable-alpha-plugins`).
    pub runner: Option<Arc<dyn Runner>>,
    /// Whether exec functions run, too (`--enable-exec`).
    pub exec: bool,
    /// The network of containers that ask for one (`--network`); without it, those are an error.
    pub network: Option<String>,
    /// Further mounts of containers, in the words of the user (`--mount`).
    pub mounts: Vec<String>,
    /// Variables for all functions, in the order of the flags; those without a value are not set where the build runs (`--env`).
    pub variables: Vec<(String, Option<OsString>)>,
    /// The user that containers run as, `UID:GID`; `nobody` when not given (`--as-current-user`).
    pub user: Option<String>,
    /// Decrypts files, for which kustomize needs a function; without one, they stay as they are (`--enable-sops`).
    pub decrypter: Option<Arc<dyn Decrypter>>,
}

/// Shows no values of variables: they may be secrets.
impl fmt::Debug for FunctionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.iter().map(|(name, _)| name).collect();
        f.debug_struct("FunctionOptions")
            .field("runner", &self.runner)
            .field("exec", &self.exec)
            .field("network", &self.network)
            .field("mounts", &self.mounts)
            .field("variables", &names)
            .field("user", &self.user)
            .field("decrypter", &self.decrypter)
            .finish()
    }
}

/// Who a program is run for: that decides which variables of the environment it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A function or plug-in.
    Function,
    /// The program that runs containers.
    Engine,
}

/// A program to run.
#[derive(Clone)]
pub struct Call {
    /// Who it is for.
    pub caller: Caller,
    /// An absolute path, or a name that is looked up in `PATH`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Its variables, in addition to those that the runner gives.
    pub variables: Vec<(OsString, OsString)>,
    /// What it reads.
    pub input: Vec<u8>,
}

/// A program that has ended.
#[derive(Clone)]
pub struct Finished {
    /// Its exit status; none when a signal ended it.
    pub status: Option<i32>,
    /// What it printed on standard output.
    pub stdout: Vec<u8>,
    /// What it printed on standard error.
    pub stderr: Vec<u8>,
}

/// Why a program gave nothing, as the end of a sentence that starts with its name: "took longer than 600 s".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure(pub String);

/// Runs programs for a build.
pub trait Runner: fmt::Debug + Send + Sync {
    /// Runs a program to its end.
    ///
    /// # Errors
    /// A program that cannot be started, or that exceeds a limit.
    fn run(&self, call: &Call) -> Result<Finished, CallFailure>;

    /// The values of the variables that a program gets from the environment.
    fn variable(&self, caller: Caller, name: &str) -> Option<OsString>;

    /// The program that runs containers, such as `docker`.
    fn engine(&self) -> Option<String>;

    /// The program of a legacy plug-in at this path below the home of plug-ins.
    ///
    /// # Errors
    /// Why there is none, as a whole sentence.
    fn plug_in(&self, below_home: &Path) -> Result<PathBuf, CallFailure>;
}

/// Starts programs as processes of this machine, within limits of time and output.
#[derive(Clone, Debug)]
pub struct Programs {
    functions: Variables,
    engine: Variables,
    /// Where plug-ins may be, with the variable that says so, in the order in which kustomize looks.
    homes: Vec<(&'static str, PathBuf)>,
    /// How long one program may take.
    time: Duration,
}

/// Bytes that a program may print.
const LARGEST: u64 = 64 * 1024 * 1024;
/// Programs that run containers, the first that exists.
const ENGINES: [&str; 2] = ["docker", "podman"];

impl Programs {
    /// For a process with these variables, of which functions get only those that programs need on any machine, and those of
    /// sops. `time` is how long one program may take.
    ///
    /// Plug-ins are looked for where kustomize does: `KUSTOMIZE_PLUGIN_HOME`, `XDG_CONFIG_HOME`, `~/.config` and the home
    /// directory.
    #[must_use]
    pub fn new(working_directory: &Path, variables: &Variables, time: Duration) -> Self {
        let place = |name: &str| variables.get(name).map(|value| working_directory.join(value));
        let home = place(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        let places = [
            ("KUSTOMIZE_PLUGIN_HOME", place("KUSTOMIZE_PLUGIN_HOME")),
            ("XDG_CONFIG_HOME", place("XDG_CONFIG_HOME").map(|folder| folder.join("kustomize/plugin"))),
            ("HOME", home.as_ref().map(|folder| folder.join(".config/kustomize/plugin"))),
            ("HOME", home.as_ref().map(|folder| folder.join("kustomize/plugin"))),
        ];
        Self {
            functions: variables.kept(is_for_functions),
            engine: variables.kept(is_for_engines),
            homes: places.into_iter().filter_map(|(name, folder)| Some((name, folder?))).collect(),
            time,
        }
    }

    fn variables(&self, caller: Caller) -> &Variables {
        match caller {
            Caller::Function => &self.functions,
            Caller::Engine => &self.engine,
        }
    }

    /// The file of a program. Entries of `PATH` that are not absolute are left out, as in kustomize: they would lead into the
    /// directory of the tree.
    fn find(&self, program: &str) -> Option<PathBuf> {
        let path = self.functions.get("PATH").unwrap_or_default();
        let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
        folders.map(|folder| folder.join(program)).find(|file| is_executable(file))
    }
}

impl Runner for Programs {
    fn run(&self, call: &Call) -> Result<Finished, CallFailure> {
        let failed = |why: String| Err(CallFailure(why));
        let path = match Path::new(&call.program) {
            path if path.is_absolute() => path.to_owned(),
            path if path.components().count() == 1 => match self.find(&call.program) {
                Some(found) => found,
                None => return failed("does not exist in any directory of `PATH`".to_owned()),
            },
            _ => return failed("is neither an absolute path nor the name of a program".to_owned()),
        };
        let mut command = program::command(&path.to_string_lossy());
        command.args(&call.arguments).current_dir(&call.directory);
        command.env_clear().envs(self.variables(call.caller).iter());
        command.envs(call.variables.iter().map(|(name, value)| (name, value)));
        let limits = Limits::of(self.time, LARGEST);
        match program::run_with_input(&mut command, call.input.clone(), limits) {
            Ok(output) => {
                Ok(Finished { status: output.status.code(), stdout: output.stdout, stderr: output.stderr })
            }
            Err(Failure::Start(error)) => failed(format!("cannot be run: {error}")),
            Err(Failure::TooLong) => {
                failed(format!("took longer than {} s, and was ended", self.time.as_secs()))
            }
            Err(Failure::TooMuch) => {
                failed(format!("printed more than {} MiB, and was ended", LARGEST / 1024 / 1024))
            }
        }
    }

    fn variable(&self, caller: Caller, name: &str) -> Option<OsString> {
        self.variables(caller).get(name).map(OsStr::to_owned)
    }

    fn engine(&self) -> Option<String> {
        ENGINES.iter().find(|name| self.find(name).is_some()).map(|name| (*name).to_owned())
    }

    fn plug_in(&self, below_home: &Path) -> Result<PathBuf, CallFailure> {
        let Some((_, home)) = self.homes.iter().find(|(_, folder)| folder.is_dir()) else {
            let tried: Vec<String> =
                self.homes.iter().map(|(name, folder)| format!("`{}` ({name})", folder.display())).collect();
            return Err(CallFailure(if tried.is_empty() {
                "there is no home of plug-ins: set KUSTOMIZE_PLUGIN_HOME".to_owned()
            } else {
                format!("there is no home of plug-ins: none of {} exists", tried.join(", "))
            }));
        };
        let is_below = below_home.components().all(|part| matches!(part, Component::Normal(_)));
        let path = home.join(below_home);
        if !is_below || !path.exists() {
            return Err(CallFailure(format!("the plug-in `{}` does not exist", path.display())));
        }
        if is_executable(&path) {
            Ok(path)
        } else {
            Err(CallFailure(format!("the plug-in `{}` is not executable", path.display())))
        }
    }
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// Whether any program on a machine needs a variable: where programs, files and certificates are, languages, proxies.
fn is_for_machine(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "USERPROFILE",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TMP",
        "TEMP",
        "SYSTEMROOT",
        "PATHEXT",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ];
    const PROXIES: [&str; 4] = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];
    let upper = name.to_ascii_uppercase();
    NAMES.contains(&upper.as_str())
        || PROXIES.contains(&upper.as_str())
        || name.starts_with("LC_")
        || name.starts_with("XDG_")
}

/// Whether functions get a variable: not the credentials of clouds, clusters and CI systems, which `--env NAME` passes.
fn is_for_functions(name: &str) -> bool {
    is_for_machine(name) || name.starts_with("SOPS_") || name == "GNUPGHOME"
}

/// Whether docker and podman get a variable.
fn is_for_engines(name: &str) -> bool {
    is_for_machine(name) || name.starts_with("DOCKER_") || name.starts_with("CONTAINER")
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Call, Caller, Programs, Runner};
    use crate::surroundings::Variables;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::time::Duration;

    fn programs(variables: &[(&str, &str)]) -> Programs {
        let variables: Variables =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Programs::new(Path::new("/w"), &variables, Duration::from_secs(60))
    }

    fn call(program: &str, arguments: &[&str]) -> Call {
        Call {
            caller: Caller::Function,
            program: program.to_owned(),
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            directory: "/".into(),
            variables: vec![("OWN".into(), "1".into())],
            input: b"in".to_vec(),
        }
    }

    #[test]
    fn a_function_gets_few_variables() {
        let set = [
            ("PATH", "/usr/bin:/bin"),
            ("LC_ALL", "C"),
            ("SOPS_AGE_KEY_FILE", "/k"),
            ("AWS_SECRET_ACCESS_KEY", "PLANTED"),
            ("KUBECONFIG", "/k"),
            ("GITHUB_TOKEN", "PLANTED"),
            ("DOCKER_HOST", "tcp://h"),
        ];
        let output = programs(&set).run(&call("sh", &["-c", "env; cat"])).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut names: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        // What shells set themselves.
        names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
        names.sort_unstable();
        assert_eq!(names, ["LC_ALL", "OWN", "PATH", "SOPS_AGE_KEY_FILE"], "{text}");
        assert!(text.ends_with("in"));
        assert!(programs(&set).variable(Caller::Engine, "DOCKER_HOST").is_some());
        assert!(programs(&set).variable(Caller::Engine, "SOPS_AGE_KEY_FILE").is_none());
    }

    #[test]
    fn a_name_is_never_looked_up_in_the_tree() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("planted");
        std::fs::write(&file, "#!/bin/sh\necho PLANTED\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        for path in ["", ":/bin", ".", "/bin:."] {
            let mut call = call("planted", &[]);
            folder.path().clone_into(&mut call.directory);
            assert!(programs(&[("PATH", path)]).run(&call).is_err(), "{path}");
        }
        assert!(programs(&[("PATH", "/bin")]).run(&call("./planted", &[])).is_err());
        assert!(programs(&[("PATH", "/bin")]).run(&call(file.to_str().unwrap(), &[])).is_ok());
    }

    #[test]
    fn plug_ins_are_in_the_first_home_that_exists() {
        let folder = tempfile::tempdir().unwrap();
        let plug_in = folder.path().join("h/.config/kustomize/plugin/g/v1/a/A");
        std::fs::create_dir_all(plug_in.parent().unwrap()).unwrap();
        std::fs::write(&plug_in, "#!/bin/sh\n").unwrap();
        let home = folder.path().join("h").display().to_string();
        let missing = folder.path().join("none").display().to_string();
        let set = [("HOME", home.as_str()), ("KUSTOMIZE_PLUGIN_HOME", missing.as_str())];
        let why = programs(&set).plug_in(Path::new("g/v1/a/A")).unwrap_err().0;
        assert!(why.ends_with("is not executable"), "{why}");
        std::fs::set_permissions(&plug_in, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(programs(&set).plug_in(Path::new("g/v1/a/A")).unwrap(), plug_in);
        assert!(programs(&set).plug_in(Path::new("g/v1/a/../a/A")).is_err());
        assert!(programs(&[]).plug_in(Path::new("g/v1/a/A")).is_err());
    }
}
