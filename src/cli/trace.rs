//! What `--verbose` and `--timings` show of a run: its steps and how long each took, fetches, and files that are read.

use super::output;
use super::screen::{Detail, screen, shows};
use kfc_source::remote::{Event, Observer};
use kfc_source::{FileSystem, Refusal};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The steps that are done, with the time that each took.
static DONE: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());

/// Does a step of the run, and takes its time if that is shown. `name` says what is done, to whom: `build overlays/prod`.
pub(super) fn step<T>(name: impl FnOnce() -> String, work: impl FnOnce() -> T) -> T {
    if !screen().timings && !shows(Detail::Steps) {
        return work();
    }
    let name = name();
    let start = Instant::now();
    let done = work();
    let time = start.elapsed();
    if shows(Detail::Steps) {
        output::trace(&format!("{:>8}  {name}", seconds(time)));
    }
    DONE.lock().unwrap_or_else(PoisonError::into_inner).push((name, time));
    done
}

/// The time of each step and of the whole run, which began at `start`. Steps of several targets may overlap.
pub(super) fn timings(start: Instant) -> String {
    let mut text = String::from("timings:\n");
    for (name, time) in DONE.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {:>8}  {name}", seconds(*time));
    }
    let _ = write!(text, "  {:>8}  the whole run", seconds(start.elapsed()));
    text
}

fn seconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds < 1000.0 {
        format!("{milliseconds:.1} ms")
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}

/// Shows what is fetched, when that is asked for.
pub(super) fn fetches() -> Observer {
    if !shows(Detail::Steps) {
        return Observer::default();
    }
    Observer(Some(Arc::new(|source, event| {
        let word = match event {
            Event::Started => "fetching",
            Event::Done => "fetched",
            Event::Failed => "failed",
        };
        output::trace(&format!("{word}  {source}"));
    })))
}

/// Files, each of which is shown when it is read, if that is asked for.
pub(super) fn files(files: Arc<dyn FileSystem>) -> Arc<dyn FileSystem> {
    if shows(Detail::Files) { Arc::new(Traced(files)) } else { files }
}

#[derive(Debug)]
struct Traced(Arc<dyn FileSystem>);

impl FileSystem for Traced {
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.canonicalize(path)
    }

    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        self.0.read_link(path)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Refusal> {
        let read = self.0.read(path);
        let shown = path.display();
        output::trace(&match &read {
            Ok(bytes) => format!("read  {shown} ({} bytes)", bytes.len()),
            Err(_) => format!("cannot read  {shown}"),
        });
        read
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.0.is_directory(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.0.is_file(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.exists(path)
    }

    fn names_in(&self, directory: &Path) -> Vec<String> {
        self.0.names_in(directory)
    }

    fn is_built_in(&self, path: &Path) -> bool {
        self.0.is_built_in(path)
    }
}
