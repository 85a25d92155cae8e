//! Other programs, run within limits of time and output.

use std::io::{Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The time between checks whether a program has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a program may take, and how much it may print.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// When the program is killed.
    pub deadline: Instant,
    /// Bytes on standard output, and on standard error.
    pub largest: u64,
}

impl Limits {
    /// Limits with a deadline that is this far from now.
    #[must_use]
    pub fn of(time: Duration, largest: u64) -> Self {
        Self { deadline: Instant::now() + time, largest }
    }
}

/// A command for [`run`]. The program is found through `PATH` unless its name is a path.
#[must_use]
pub fn command(program: &str) -> Command {
    Command::new(program)
}

/// The output of a program that has ended.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed on standard output.
    pub stdout: Vec<u8>,
    /// What it printed on standard error.
    pub stderr: Vec<u8>,
}

/// Why there is no output.
#[derive(Debug)]
pub enum Failure {
    /// It cannot be run.
    Start(std::io::Error),
    /// It took too long, and was killed.
    TooLong,
    /// It printed too much, and was killed.
    TooMuch,
}

/// Runs a program without standard input. When it exceeds a limit, it is killed with all programs that it has started: git
/// starts others, which wait for servers.
///
/// # Errors
/// See [`Failure`].
pub fn run(command: &mut Command, limits: Limits) -> Result<Output, Failure> {
    command.stdin(Stdio::null());
    finish(command, None, limits)
}

/// As [`run`], with a standard input. A program need not read all of it.
///
/// # Errors
/// See [`Failure`].
pub fn run_with_input(command: &mut Command, input: Vec<u8>, limits: Limits) -> Result<Output, Failure> {
    command.stdin(Stdio::piped());
    finish(command, Some(input), limits)
}

fn finish(command: &mut Command, input: Option<Vec<u8>>, limits: Limits) -> Result<Output, Failure> {
    own_group(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Failure::Start)?;
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // The thread ends with the program, which closes the other end.
        std::thread::spawn(move || drop(pipe.write_all(&input)));
    }
    let is_too_much = Arc::new(AtomicBool::new(false));
    // Reading during the wait keeps a long message from blocking the program.
    let stdout = read(child.stdout.take(), limits.largest, &is_too_much);
    let stderr = read(child.stderr.take(), limits.largest, &is_too_much);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            _ if is_too_much.load(Ordering::Relaxed) => {
                kill(&mut child);
                return Err(Failure::TooMuch);
            }
            Ok(None) if Instant::now() < limits.deadline => std::thread::sleep(PAUSE),
            _ => {
                kill(&mut child);
                return Err(Failure::TooLong);
            }
        }
    };
    // A program that it has left running may keep its pipes open for ever.
    let rest = || limits.deadline.saturating_duration_since(Instant::now()).max(PAUSE);
    let printed = stdout.recv_timeout(rest()).and_then(|out| Ok((out, stderr.recv_timeout(rest())?)));
    let Ok((stdout, stderr)) = printed else {
        kill(&mut child);
        return Err(Failure::TooLong);
    };
    if is_too_much.load(Ordering::Relaxed) {
        Err(Failure::TooMuch)
    } else {
        Ok(Output { status, stdout, stderr })
    }
}

/// The bytes of a pipe, when it has ended.
fn read(
    pipe: Option<impl Read + Send + 'static>,
    largest: u64,
    is_too_much: &Arc<AtomicBool>,
) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    let is_too_much = Arc::clone(is_too_much);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // The exit status of the program reports an incomplete output.
            drop(pipe.take(largest + 1).read_to_end(&mut bytes));
        }
        if bytes.len() as u64 > largest {
            is_too_much.store(true, Ordering::Relaxed);
        }
        drop(sender.send(bytes));
    });
    receiver
}

/// Gives the program its own process group, so that it can be killed with all that it starts.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

/// Ends a program and its group.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    {
        let group = rustix::process::Pid::from_child(child);
        // It may have ended meanwhile.
        _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    drop(child.kill());
    drop(child.wait());
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Failure, Limits, run, run_with_input};
    use std::process::Command;
    use std::time::{Duration, Instant};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_status_are_given() {
        let limits = Limits::of(Duration::from_secs(60), 100);
        let output = run(&mut shell("echo out; echo err >&2; exit 3"), limits).unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_program_reads_its_input_or_leaves_it() {
        let limits = || Limits::of(Duration::from_secs(60), 2_000_000);
        let input = vec![b'x'; 1_000_000];
        let output = run_with_input(&mut shell("cat"), input.clone(), limits()).unwrap();
        assert_eq!(output.stdout, input);
        let output = run_with_input(&mut shell("echo unread"), input, limits()).unwrap();
        assert_eq!(output.stdout, b"unread\n");
    }

    #[test]
    fn a_program_that_is_too_slow_is_killed_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let script = format!("(sleep 2; echo alive >'{}') & sleep 60", mark.display());
        let started = Instant::now();
        let killed = run(&mut shell(&script), Limits::of(Duration::from_millis(200), 100));
        assert!(matches!(killed, Err(Failure::TooLong)));
        assert!(started.elapsed() < Duration::from_secs(30));
        // Nothing can be waited for: the grandchild would write after two seconds.
        std::thread::sleep(Duration::from_secs(3));
        assert!(!mark.exists());
    }

    #[test]
    fn a_program_that_prints_without_end_is_killed() {
        let killed =
            run(&mut shell("while :; do echo more; done"), Limits::of(Duration::from_secs(60), 1000));
        assert!(matches!(killed, Err(Failure::TooMuch)));
    }
}
