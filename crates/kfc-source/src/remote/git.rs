//! Fetches repositories with the git program. The checkout of a full commit hash, which never changes, is kept for
//! later runs.

use crate::lock::tree;
use crate::program::{self, Limits};
use crate::surroundings::{Surroundings, Variables};
use crate::url;
use kfc_diagnostics::Foreign;
use kfc_diagnostics::address::{bare_address, split_user};
use kfc_diagnostics::{Code, Diagnostic};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Bytes that git may print; it runs with `--quiet`.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What is to be fetched.
pub(super) struct Wanted<'a> {
    pub(super) repository: &'a str,
    pub(super) reference: &'a str,
    pub(super) submodules: bool,
    pub(super) timeout: Duration,
    /// `http://` and `git://` are allowed for every host, not only for this machine.
    pub(super) plain_http: bool,
    pub(super) surroundings: &'a Surroundings,
}

/// What was fetched.
pub(super) struct Got {
    pub(super) commit: String,
    /// Whether the ref is a tag.
    pub(super) is_tag: bool,
}

/// Where the checkout of a full commit hash is kept; none for other refs.
pub(super) fn kept(wanted: &Wanted<'_>) -> Option<PathBuf> {
    let reference = wanted.reference;
    let is_commit = reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    let cache = wanted.surroundings.cache_directory.as_ref()?;
    let key = format!("{}?{reference}&{}", bare_address(wanted.repository), wanted.submodules);
    is_commit.then(|| cache.join("kfc/git").join(tree::sha256(key.as_bytes())))
}

/// Moves a checkout of a full commit hash to the cache, if possible.
pub(super) fn keep(folder: &Path, wanted: &Wanted<'_>) -> Option<PathBuf> {
    let kept = kept(wanted)?;
    std::fs::create_dir_all(kept.parent()?).ok()?;
    std::fs::rename(folder, &kept).ok()?;
    Some(kept)
}

/// Checks a repository out into an empty directory: at `pinned`, when a commit is given, else at the ref.
///
/// # Errors
/// Errors of git; [`Code::Moved`] when the ref has moved and the server no longer provides the pinned commit.
pub(super) fn fetch(folder: &Path, wanted: &Wanted<'_>, pinned: Option<&str>) -> Result<Got, Diagnostic> {
    let failed = |why: Foreign| cannot_fetch(wanted, &why);
    if wanted.reference.starts_with('-') || wanted.repository.starts_with('-') {
        return Err(failed(Foreign::new(format!("`{}` is not a ref", wanted.reference))));
    }
    if url::is_plain(wanted.repository) && !wanted.plain_http && !url::is_on_this_machine(wanted.repository) {
        let why = "anybody on the network can change what plain http and git:// transfer; use https or ssh, or allow \
                   it with `--allow-plain-http`";
        return Err(failed(Foreign::new(why)));
    }
    // A remote repository may not have submodules on this machine, nor any over plain http.
    let protocols = match (url::is_on_this_machine(wanted.repository), wanted.plain_http) {
        (true, _) if wanted.repository.starts_with("file://") => "file:git:http:https:ssh",
        (false, false) => "https:ssh",
        _ => "git:http:https:ssh",
    };
    let deadline = Instant::now() + wanted.timeout;
    let (address, user) = split_user(wanted.repository);
    let mut run = Run {
        folder,
        deadline,
        timeout: wanted.timeout,
        protocols,
        variables: &wanted.surroundings.git,
        credentials: user.and_then(|user| Credentials::of(&address, &user)),
        ssh: Ssh::Ours,
    };
    run.git(&["init", "--quiet", "--template="]).map_err(failed)?;
    run.ssh = Ssh::of(&run);
    run.git(&["remote", "add", "origin", &address]).map_err(failed)?;
    let reference = if wanted.reference.is_empty() { "HEAD" } else { wanted.reference };
    let fetch = |what: &str| run.git(&["fetch", "--quiet", "--depth=1", "origin", what]);
    // Not every server provides a commit by its hash.
    if pinned.is_none_or(|commit| fetch(commit).is_err()) {
        fetch(reference).map_err(failed)?;
    }
    let fetched = std::fs::read_to_string(folder.join(".git/FETCH_HEAD")).unwrap_or_default();
    run.git(&["checkout", "--quiet", "FETCH_HEAD"]).map_err(failed)?;
    let commit = run.git(&["rev-parse", "HEAD"]).map_err(failed)?.trim().to_owned();
    if let Some(pinned) = pinned.filter(|pinned| **pinned != commit) {
        return Err(moved(wanted, pinned, &commit));
    }
    if wanted.submodules && folder.join(".gitmodules").exists() {
        run.git(&["submodule", "update", "--quiet", "--init", "--recursive", "--depth=1"]).map_err(failed)?;
    }
    let is_tag = fetched.lines().next().is_some_and(|line| line.contains("\ttag '"));
    Ok(Got { commit, is_tag })
}

fn moved(wanted: &Wanted<'_>, pinned: &str, commit: &str) -> Diagnostic {
    let message = format!(
        "`{}` of `{}` has moved: kfc.lock pins {pinned}, the repository has {commit}",
        wanted.reference,
        bare_address(wanted.repository)
    );
    Diagnostic::error(Code::Moved, message).help("look at what changed with `kfc vendor --update --dry-run`")
}

fn cannot_fetch(wanted: &Wanted<'_>, why: &Foreign) -> Diagnostic {
    let at = if wanted.reference.is_empty() { String::new() } else { format!("?ref={}", wanted.reference) };
    let message = format!("cannot fetch `{}{at}`: {}", bare_address(wanted.repository), why.message());
    let error = Diagnostic::error(Code::Remote, message);
    let offline = ["resolve host", "unable to access", "connect to", "network", "Network"];
    if offline.iter().any(|word| why.mentions(word)) {
        error.help("check the network; `kfc vendor` keeps copies that build without it")
    } else {
        error
    }
}

/// Calls of git in one directory, with one deadline for all of them.
struct Run<'a> {
    folder: &'a Path,
    deadline: Instant,
    timeout: Duration,
    /// Transports that git may use.
    protocols: &'static str,
    /// The environment of git.
    variables: &'a Variables,
    credentials: Option<Credentials>,
    ssh: Ssh,
}

/// The user and password of an address. Everybody on the machine can read arguments, so git gets them from a helper,
/// which has them from its environment, and asks for them at the server of the address alone.
struct Credentials {
    /// `https://host:port`.
    server: String,
    user: String,
    password: String,
}

impl Credentials {
    /// `None` when they contain what git's protocol for helpers cannot transfer.
    fn of(address: &str, user: &str) -> Option<Self> {
        let (scheme, rest) = address.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let decoded = |text: &str| kfc_diagnostics::address::decoded(text, false);
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (user, password) = (decoded(user), decoded(password));
        let is_line = |text: &str| !text.contains(['\n', '\r', '\0']);
        (is_line(&user) && is_line(&password)).then(|| Self {
            server: format!("{}://{host}", scheme.to_ascii_lowercase()),
            user,
            password,
        })
    }

    fn name_helper(&self, command: &mut Command) {
        const HELPER: &str = r#"!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$KFC_GIT_USER" "$KFC_GIT_PASSWORD"; }; f"#;
        // An empty helper removes those of the user, which would store these credentials.
        let key = format!("credential.{}.helper", self.server);
        command.args(["-c", &format!("{key}="), "-c", &format!("{key}={HELPER}")]);
    }
}

/// Which ssh git calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ssh {
    /// One that asks no questions.
    Ours,
    /// The one that the caller's environment or configuration of git names.
    Callers,
}

impl Ssh {
    fn of(run: &Run<'_>) -> Self {
        let is_set = ["GIT_SSH_COMMAND", "GIT_SSH"].iter().any(|name| run.variables.get(name).is_some());
        if is_set || run.git(&["config", "--get", "core.sshCommand"]).is_ok() {
            Self::Callers
        } else {
            Self::Ours
        }
    }
}

impl Run<'_> {
    /// Runs git and returns its standard output. It may neither ask questions, nor run hooks, nor use other transports than
    /// those of the URL grammar; what it checks out does not depend on the user's settings.
    fn git(&self, arguments: &[&str]) -> Result<String, Foreign> {
        let limits = Limits { deadline: self.deadline, largest: LARGEST };
        let output = program::run(&mut self.command(arguments), limits).map_err(|failure| match failure {
            program::Failure::Start(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Foreign::new("the git program is not installed")
            }
            program::Failure::Start(error) => Foreign::new(format!("git cannot be started: {error}")),
            program::Failure::TooLong => {
                Foreign::new(format!("git took longer than {} s", self.timeout.as_secs_f64()))
            }
            program::Failure::TooMuch => Foreign::new("git printed too much"),
        })?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(reason(&Foreign::of_bytes(&output.stderr)))
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::command("git");
        command
            .args(["-c", "core.autocrlf=false", "-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=true"])
            .args(["-c", "advice.detachedHead=false"])
            // No process of it remains: neither maintenance nor, when kfc is killed, one that waits for a server.
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"]);
        if let Some(credentials) = &self.credentials {
            credentials.name_helper(&mut command);
        }
        command
            .args(arguments)
            .current_dir(self.folder)
            .env_clear()
            .envs(self.variables.iter())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", self.protocols)
            .env("GIT_LFS_SKIP_SMUDGE", "1");
        // Credentials of the caller are used, but git never asks for some.
        if self.variables.get("GIT_ASKPASS").is_none() {
            command.env("GIT_ASKPASS", "true");
        }
        if self.ssh == Ssh::Ours {
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        if let Some(credentials) = &self.credentials {
            command.env("KFC_GIT_USER", &credentials.user).env("KFC_GIT_PASSWORD", &credentials.password);
        }
        command
    }
}

/// The most informative line of git's message.
fn reason(message: &Foreign) -> Foreign {
    message.part(telling_line)
}

fn telling_line(message: &str) -> &str {
    let lines = || message.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let line = telling.or_else(|| lines().next_back()).unwrap_or("git failed without a message");
    line.trim_start_matches("fatal: ").trim_start_matches("error: ")
}
