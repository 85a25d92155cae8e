//! Fetches remote repositories with the git program, each once a run; a full commit hash, which can never mean something
//! else, is kept for later runs.

use super::file::describe;
use super::url::RemoteUrl;
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What one fetch came to: the folder of the checkout, or why there is none.
type Outcome = Result<PathBuf, String>;

/// The repositories fetched in a run. Temporary checkouts are removed when it goes.
#[derive(Debug, Default)]
pub(super) struct Repositories {
    fetched: Mutex<FxHashMap<String, Arc<OnceLock<Outcome>>>>,
    folders: Mutex<Vec<TempDir>>,
}

impl Repositories {
    /// The checkout of a remote root's repository; fetched by the first caller, the others wait for it.
    pub(super) fn checkout(&self, url: &RemoteUrl) -> Outcome {
        let key = format!("{}?{}&{}", url.repository, url.reference, url.submodules);
        let slot = {
            let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(fetched.entry(key.clone()).or_default())
        };
        slot.get_or_init(|| self.fetch(url, &key)).clone()
    }

    fn fetch(&self, url: &RemoteUrl, key: &str) -> Outcome {
        if url.reference.starts_with('-') {
            return Err(format!("`{}` is no ref", url.reference));
        }
        let kept = kept_folder(&url.reference, key);
        if let Some(folder) = kept.as_ref().filter(|folder| folder.is_dir()) {
            return Ok(folder.clone());
        }
        let parent =
            kept.as_ref().and_then(|folder| folder.parent()).filter(|p| std::fs::create_dir_all(p).is_ok());
        let folder = parent.map_or_else(TempDir::new, TempDir::new_in);
        let folder =
            folder.map_err(|error| format!("cannot make a temporary folder: {}", describe(&error)))?;
        clone_into(folder.path(), url)?;
        if let Some(kept) = kept.filter(|kept| std::fs::rename(folder.path(), kept).is_ok()) {
            return Ok(kept);
        }
        let path = folder.path().to_owned();
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).push(folder);
        Ok(path)
    }
}

/// Where the checkout of a full commit hash is kept.
fn kept_folder(reference: &str, key: &str) -> Option<PathBuf> {
    let is_commit = reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    let digest = Sha256::digest(key.as_bytes());
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    is_commit.then(|| cache.join("kfc/git").join(name))
}

fn clone_into(folder: &Path, url: &RemoteUrl) -> Result<(), String> {
    let deadline = Instant::now() + url.timeout;
    let reference = if url.reference.is_empty() { "HEAD" } else { &url.reference };
    let steps: [&[&str]; 4] = [
        &["init", "--quiet"],
        &["remote", "add", "origin", &url.repository],
        &["fetch", "--quiet", "--depth=1", "origin", reference],
        &["checkout", "--quiet", "FETCH_HEAD"],
    ];
    for step in steps {
        git(folder, step, deadline, url.timeout)?;
    }
    if url.submodules && folder.join(".gitmodules").exists() {
        git(
            folder,
            &["submodule", "update", "--quiet", "--init", "--recursive", "--depth=1"],
            deadline,
            url.timeout,
        )?;
    }
    Ok(())
}

/// Runs git in a folder; it may neither ask questions nor use other transports than those of the URL grammar.
fn git(folder: &Path, arguments: &[&str], deadline: Instant, timeout: Duration) -> Result<(), String> {
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "true")
        .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        .env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "the git program is not installed".to_owned(),
            _ => format!("git cannot be started: {}", describe(&error)),
        })?;
    // Read beside the wait, so that a long message cannot block git.
    let stderr = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let read = stderr.map(|stderr| stderr.take(64 * 1024).read_to_string(&mut text));
        drop(read);
        text
    });
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(_)) => return Err(reason(&reader.join().unwrap_or_default())),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                drop(child.kill());
                drop(child.wait());
                return Err(format!("git took longer than {} s", timeout.as_secs_f64()));
            }
            Err(error) => return Err(format!("git cannot be waited for: {}", describe(&error))),
        }
    }
}

/// The line of git's message that says most.
fn reason(message: &str) -> String {
    let lines = || message.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let line = telling.or_else(|| lines().next_back()).unwrap_or("git failed without a message");
    line.trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned()
}
