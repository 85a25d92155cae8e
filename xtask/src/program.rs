//! What every step needs: where things are, how programs are run, and what a step ends with.

use std::ffi::OsStr;
use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The program that is shipped, in the repository.
pub(crate) const SHIPPED: &str = "target/dist/kfc";

/// What a step that did not fail ends with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// It passed, with its result in a few words.
    Passed(String),
    /// It could not run here, for this reason.
    Skipped(String),
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passed(result) => f.write_str(result),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
        }
    }
}

/// Why a step failed.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// What a step ends with.
pub(crate) type Finished = Result<Outcome, Failure>;

/// A step that passed.
#[expect(clippy::unnecessary_wraps, reason = "the last line of a step")]
pub(crate) fn passed(result: impl Into<String>) -> Finished {
    Ok(Outcome::Passed(result.into()))
}

/// A step that cannot run here.
#[expect(clippy::unnecessary_wraps, reason = "the last line of a step")]
pub(crate) fn skipped(reason: impl Into<String>) -> Finished {
    Ok(Outcome::Skipped(reason.into()))
}

/// A step that failed.
pub(crate) fn failed<T>(why: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(why.into()))
}

/// The top of the repository.
pub(crate) fn top() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Trees of others to compare with, next to the repository; not everywhere.
pub(crate) fn shared() -> Option<PathBuf> {
    Some(top().join("../shared")).filter(|folder| folder.is_dir())
}

/// The text of a file of the repository.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure(format!("{}: {error}", path.display())))
}

pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// The variables that `cargo xtask` has only because cargo started it. Build scripts that watch them would run again.
fn is_of_own_crate(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// A command in the top of the repository.
pub(crate) fn command<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(top());
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_own_crate(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}

/// As [`command`], of words that are separated by spaces.
pub(crate) fn line(words: &str) -> Command {
    let mut words = words.split_whitespace();
    command(words.next().unwrap_or_default(), words)
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn unstarted(command: &Command, error: &std::io::Error) -> Failure {
    Failure(format!("cannot start `{}`: {error}", shown(command)))
}

/// Runs a command that has to succeed; it prints to this terminal.
pub(crate) fn succeed(command: &mut Command) -> Result<(), Failure> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| unstarted(command, &error))?;
    if status.success() { Ok(()) } else { failed(format!("`{}` ended with {status}", shown(command))) }
}

/// A command that runs beside what follows, without a word, until it ends or is dropped.
pub(crate) struct Beside(Child);

impl Beside {
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(silent.spawn().map_err(|error| unstarted(command, &error))?))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a command can be started and succeeds; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

/// The standard output of a command that has to succeed.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| unstarted(command, &error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    failed(format!("`{}` ended with {}", shown(command), output.status))
}

/// As [`output`], as text.
pub(crate) fn text(command: &mut Command) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&output(command)?).into_owned())
}

/// Does something with each item, as many at a time as there are cores; stops at an error.
pub(crate) fn on_all_cores<T: Sync>(
    items: &[T],
    visit: impl Fn(&T) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    on_each_core(|| {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            visit(item)?;
        }
        Ok(())
    })
}

/// Does the same work once on each core, at the same time.
pub(crate) fn on_each_core(work: impl Fn() -> Result<(), Failure> + Sync) -> Result<(), Failure> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(&work)).collect();
        running
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|_| failed("a worker panicked")))
    })
}

/// Makes sure that a program is there: installs a Debian package that has it, where that is possible.
pub(crate) fn install(program: &str, package: &str) -> bool {
    has_program(program)
        || (succeeds(&mut line("apt-get update -qq"))
            && succeeds(&mut line(&format!("apt-get install -y -qq {package}"))))
}
