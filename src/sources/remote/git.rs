//! Fetches repositories with the git program. A full commit hash, which can never mean something else, is kept for later
//! runs.

use crate::diagnostics::{Code, Diagnostic};
use crate::sources::{Surroundings, Variables};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is to be fetched.
pub(super) struct Wanted<'a> {
    pub(super) repository: &'a str,
    pub(super) reference: &'a str,
    pub(super) submodules: bool,
    pub(super) timeout: Duration,
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
    let key = format!("{}?{reference}&{}", wanted.repository, wanted.submodules);
    let digest = Sha256::digest(key.as_bytes());
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    is_commit.then(|| cache.join("kfc/git").join(name))
}

/// Moves a checkout to where it is kept, when it is one to keep and that can be done.
pub(super) fn keep(folder: &Path, wanted: &Wanted<'_>) -> Option<PathBuf> {
    let kept = kept(wanted)?;
    std::fs::create_dir_all(kept.parent()?).ok()?;
    std::fs::rename(folder, &kept).ok()?;
    Some(kept)
}

/// Checks a repository out into an empty folder: at `pinned`, when a commit is given, else at the ref.
///
/// # Errors
/// Why it cannot be done; [`Code::Moved`] when the ref has moved on and the server no longer gives the pinned commit.
pub(super) fn fetch(folder: &Path, wanted: &Wanted<'_>, pinned: Option<&str>) -> Result<Got, Diagnostic> {
    let failed = |why: String| cannot_fetch(wanted, &why);
    if wanted.reference.starts_with('-') || wanted.repository.starts_with('-') {
        return Err(failed(format!("`{}` is no ref", wanted.reference)));
    }
    // A repository from elsewhere may not have submodules of this machine.
    let protocols = match wanted.repository.starts_with("file://") {
        true => "file:git:http:https:ssh",
        false => "git:http:https:ssh",
    };
    let deadline = Instant::now() + wanted.timeout;
    let variables = &wanted.surroundings.git;
    let run = Run { folder, deadline, timeout: wanted.timeout, protocols, variables };
    run.git(&["init", "--quiet", "--template="]).map_err(failed)?;
    run.git(&["remote", "add", "origin", wanted.repository]).map_err(failed)?;
    let reference = if wanted.reference.is_empty() { "HEAD" } else { wanted.reference };
    let fetch = |what: &str| run.git(&["fetch", "--quiet", "--depth=1", "origin", what]);
    // Not every server gives a commit by its hash.
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
        wanted.reference, wanted.repository
    );
    Diagnostic::error(Code::Moved, message).help("look at what changed with `kfc vendor --update --dry-run`")
}

fn cannot_fetch(wanted: &Wanted<'_>, why: &str) -> Diagnostic {
    let at = if wanted.reference.is_empty() { String::new() } else { format!("?ref={}", wanted.reference) };
    let message = format!("cannot fetch `{}{at}`: {why}", wanted.repository);
    let error = Diagnostic::error(Code::Remote, message);
    let offline = ["resolve host", "unable to access", "connect to", "network", "Network"];
    match offline.iter().any(|word| why.contains(word)) {
        true => error.help("is the network there? `kfc vendor` keeps copies that build without it"),
        false => error,
    }
}

/// Calls of git in one folder, all together within a time.
struct Run<'a> {
    folder: &'a Path,
    deadline: Instant,
    timeout: Duration,
    /// Transports that git may use.
    protocols: &'static str,
    /// The environment of git.
    variables: &'a Variables,
}

impl Run<'_> {
    /// Runs git and gives its standard output. It may neither ask questions, nor run hooks, nor use other transports than
    /// those of the URL grammar; what it checks out does not depend on the user's settings.
    fn git(&self, arguments: &[&str]) -> Result<String, String> {
        let mut child = Command::new("git")
            .args(["-c", "core.autocrlf=false", "-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=true"])
            .args(["-c", "advice.detachedHead=false"])
            .args(arguments)
            .current_dir(self.folder)
            .env_clear()
            .envs(self.variables.iter())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "true")
            .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
            .env("GIT_ALLOW_PROTOCOL", self.protocols)
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => "the git program is not installed".to_owned(),
                _ => format!("git cannot be started: {error}"),
            })?;
        // Read beside the wait, so that a long message cannot block git.
        let stdout = child.stdout.take();
        let stdout = std::thread::spawn(move || read(stdout));
        let stderr = child.stderr.take();
        let stderr = std::thread::spawn(move || read(stderr));
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(stdout.join().unwrap_or_default()),
                Ok(Some(_)) => return Err(reason(&stderr.join().unwrap_or_default())),
                Ok(None) if Instant::now() < self.deadline => std::thread::sleep(Duration::from_millis(5)),
                Ok(None) => {
                    drop(child.kill());
                    drop(child.wait());
                    return Err(format!("git took longer than {} s", self.timeout.as_secs_f64()));
                }
                Err(error) => return Err(format!("git cannot be waited for: {error}")),
            }
        }
    }
}

/// Up to 64 KiB of what a pipe gives; the rest is read and dropped.
fn read(pipe: Option<impl Read>) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let mut bytes = Vec::new();
    drop(pipe.by_ref().take(64 * 1024).read_to_end(&mut bytes));
    drop(std::io::copy(&mut pipe, &mut std::io::sink()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The line of git's message that says most.
fn reason(message: &str) -> String {
    let lines = || message.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let line = telling.or_else(|| lines().next_back()).unwrap_or("git failed without a message");
    line.trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned()
}
