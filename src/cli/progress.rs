//! Shows the progress of a run against a cluster on standard error: a live line on a terminal, plain lines elsewhere.

use super::output;
use super::screen::{Detail, is_live, shows};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kfc_cluster::apply::{Event, Observer, Outcome};
use kfc_diagnostics::Numbers;
use kfc_diagnostics::text::document;
use kfc_kube::ObjectId;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often plain lines say what the run waits for.
const REMIND: Duration = Duration::from_secs(10);
/// The most objects that are named in a line.
const NAMED: usize = 3;

/// Shows events.
#[derive(Debug)]
pub(super) struct Progress {
    /// The live line; `None` where standard error is not a terminal.
    line: Option<ProgressBar>,
    /// What each plain line begins with.
    prefix: String,
    state: Mutex<State>,
    /// The hidden values that lines have shown.
    hidden: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct State {
    /// `wave 2 of 9`.
    title: String,
    resources: usize,
    counts: BTreeMap<Outcome, usize>,
    deleted: usize,
    /// When plain lines last said what the run waits for, and the text.
    reminded: Option<(Instant, String)>,
    /// The last reason for which an object is tried again.
    retried: BTreeMap<String, String>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let line = is_live().then(|| {
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
                line.set_style(style);
            }
            line.enable_steady_tick(Duration::from_millis(120));
            line
        });
        Self { line, prefix: String::new(), state: Mutex::default(), hidden: Mutex::default() }
    }

    /// Plain lines for one of several clusters that are worked on at the same time: each begins with its name.
    pub(super) fn of_cluster(name: &str) -> Self {
        Self { line: None, prefix: format!("{name}: "), state: Mutex::default(), hidden: Mutex::default() }
    }

    /// Removes the live line.
    pub(super) fn end(&self) {
        if let Some(line) = &self.line {
            line.finish_and_clear();
        }
    }

    /// Prints a line that stays, unless only errors are shown.
    pub(super) fn say(&self, text: &str) {
        if shows(Detail::Usual) {
            self.insist(text);
        }
    }

    /// Prints a line that stays, however little is shown: what a question is about, and what is lost.
    pub(super) fn insist(&self, text: &str) {
        let text = self.hidden.lock().unwrap_or_else(PoisonError::into_inner).shown(text).into_owned();
        let text = document(text);
        if let Some(line) = &self.line {
            line.println(text);
        } else {
            let lines: Vec<String> = text.lines().map(|line| format!("{}{line}", self.prefix)).collect();
            output::title(&lines.join("\n"));
        }
    }

    fn show(&self, text: String) {
        if let Some(line) = &self.line {
            line.set_message(text);
        }
    }

    fn applied(&self, state: &mut State, outcome: Outcome) {
        *state.counts.entry(outcome).or_default() += 1;
        let done: usize = state.counts.values().sum();
        self.show(format!("{}: {done} of {} applied", state.title, state.resources));
        if done == state.resources {
            self.say(&format!("{}: {}", state.title, counts(&state.counts)));
        }
    }

    fn waiting(&self, state: &mut State, pending: &[(ObjectId, String)]) {
        let text = pending_text(pending);
        // A deletion has no wave to name.
        let line = match state.title.as_str() {
            "" => format!("waiting for {text}"),
            title => format!("{title}: waiting for {text}"),
        };
        self.remind(state, &line, text);
    }

    /// Shows what the run waits for, on plain lines from time to time.
    fn remind(&self, state: &mut State, line: &str, text: String) {
        self.show(line.to_owned());
        if self.line.is_some() {
            return;
        }
        let now = Instant::now();
        let is_due = match &state.reminded {
            None => true,
            Some((at, said)) => {
                let age = now.duration_since(*at);
                (age >= REMIND && *said != text) || age >= REMIND * 6
            }
        };
        if is_due {
            self.say(line);
            state.reminded = Some((now, text));
        }
    }
}

impl Observer for Progress {
    fn see(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Wave { at, of, resources } => {
                *state =
                    State { title: format!("wave {at} of {of}"), resources: *resources, ..State::default() };
                self.show(format!("{}: {resources} resources", state.title));
            }
            Event::Applied { outcome, .. } => self.applied(&mut state, *outcome),
            Event::Retry { object, why } => {
                let known = state.retried.insert(object.to_string(), (*why).to_owned());
                if known.as_deref() != Some(*why) {
                    self.say(&format!("{}: trying {object} again: {why}", state.title));
                }
            }
            Event::Waiting { pending } => self.waiting(&mut state, pending),
            Event::Ready { object } => self.show(format!("{}: {object} is ready", state.title)),
            Event::Hook { object, moment } => {
                self.say(&format!("running the {} hook {object}", moment.word()));
            }
            Event::Deleting { object } => self.show(format!("deleting {object}")),
            Event::Deleted { object } => {
                state.deleted += 1;
                self.show(format!("{} deleted, last {object}", state.deleted));
            }
            Event::Locked { inventory, holder } => {
                let text = format!("another run on the inventory {inventory}: {holder}");
                self.remind(&mut state, &format!("waiting for {text}"), text);
            }
            Event::Generated { object } => self.say(&format!("made {object}")),
            Event::Kept { object, why } => self.say(&format!("{object} stays: {why}")),
        }
    }
}

/// `3 created, 2 unchanged`.
pub(super) fn counts(counts: &BTreeMap<Outcome, usize>) -> String {
    let parts: Vec<String> =
        counts.iter().map(|(outcome, count)| format!("{count} {}", outcome.word())).collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
}

fn pending_text(pending: &[(ObjectId, String)]) -> String {
    let named: Vec<String> =
        pending.iter().take(NAMED).map(|(object, why)| format!("{object} ({why})")).collect();
    match pending.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
