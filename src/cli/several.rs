//! Runs against several clusters: one after another, or some of them at the same time.

use super::args::{ClusterArgs, Parallel, SeveralArgs};
use super::consent::is_asked;
use super::environments::ChosenTarget;
use super::exit::DONE;
use super::output;
use super::progress::Progress;
use super::results::Printed;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use std::sync::{Mutex, PoisonError};

/// What is done in one cluster.
type Work<'w> = &'w (dyn Fn(&ClusterRun, &Progress) -> Result<Done> + Sync);

/// One run of several: in which cluster, and of which target.
#[derive(Clone, Debug)]
pub(super) struct ClusterRun {
    /// The cluster.
    pub(super) cluster: ClusterArgs,
    /// The index of the target.
    pub(super) target: usize,
    /// What messages call it.
    name: String,
    /// What it is: a cluster, or an environment.
    kind: &'static str,
}

/// What a run in one cluster came to.
pub(super) struct Done {
    /// What goes to standard output.
    pub(super) printed: Printed,
    /// The exit status.
    pub(super) status: u8,
}

impl From<Printed> for Done {
    fn from(printed: Printed) -> Self {
        Self { printed, status: DONE }
    }
}

/// The clusters that a command works on, and what becomes of the others when one fails.
pub(super) struct Clusters<'c> {
    list: Vec<ClusterRun>,
    /// Go on with the next one after a failure.
    keep_going: bool,
    /// How many are worked on at the same time; one after the other when not given.
    parallel: Option<Parallel>,
    /// The texts that errors point into.
    sources: &'c Sources,
    /// What the run is called.
    what: &'static str,
}

/// How far a run has come.
#[derive(Default)]
struct Turn {
    /// The first cluster that is not begun.
    next: usize,
    stopped: bool,
    status: u8,
}

impl<'c> Clusters<'c> {
    /// The clusters of some flags, for a run that is called `what`, and the texts that its errors point into.
    pub(super) fn new(
        cluster: &ClusterArgs,
        several: &SeveralArgs,
        (what, sources): (&'static str, &'c Sources),
    ) -> Self {
        let SeveralArgs { keep_going, at_once } = *several;
        let list = cluster.each_context().into_iter().map(|cluster| ClusterRun::of(cluster, 0));
        Self { list: list.collect(), keep_going, parallel: at_once.parallel, sources, what }
    }

    /// As [`Self::new`], for targets of which some have a cluster of their own.
    ///
    /// # Errors
    /// `--context` with the context of none of these clusters.
    pub(super) fn of_targets(
        targets: &[ChosenTarget],
        cluster: &ClusterArgs,
        several: &SeveralArgs,
        named: (&'static str, &'c Sources),
    ) -> Result<Self> {
        let contexts = cluster.each_context();
        let is_named = |context: &str| {
            contexts.iter().any(|args| args.context.as_deref().is_none_or(|it| it == context))
        };
        let mut list = Vec::new();
        for (at, chosen) in targets.iter().enumerate() {
            match &chosen.context {
                Some(context) if is_named(context) => {
                    let args = ClusterArgs { context: Some(context.clone()), ..cluster.clone() };
                    let name = chosen.choice.cluster.clone().unwrap_or_else(|| context.clone());
                    list.push(ClusterRun { name, ..ClusterRun::of(args, at) });
                }
                Some(_) => {}
                None => list.extend(contexts.iter().map(|args| {
                    let run = ClusterRun::of(args.clone(), at);
                    match &chosen.choice.environment {
                        Some(environment) if targets.len() > 1 => run.in_environment(environment),
                        _ => run,
                    }
                })),
            }
        }
        if list.is_empty() {
            let known: Vec<&str> = targets.iter().filter_map(|chosen| chosen.context.as_deref()).collect();
            let message = "`--context` names the context of no cluster that is meant";
            let error = Diagnostic::error(Code::Environment, message);
            let error = error.note(format!("the clusters have the contexts {}", known.join(", ")));
            return Err(error.help("leave out `--context`, and choose clusters with `--targets`").into());
        }
        let mut clusters = Self::new(cluster, several, named);
        clusters.list = list;
        Ok(clusters)
    }

    /// What is run, in its order.
    pub(super) fn runs(&self) -> &[ClusterRun] {
        &self.list
    }

    /// Checks that runs at the same time have nothing to ask, as questions of several clusters would be mixed up; `agreed` are
    /// the flags by which they ask nothing.
    pub(super) fn check_agreed(&self, is_agreed: bool, agreed: &str) -> Result<()> {
        if self.parallel.is_none() || self.list.len() == 1 || is_agreed || !is_asked() {
            return Ok(());
        }
        let message =
            "runs in several clusters at the same time cannot ask, so all has to be agreed to before";
        Err(Diagnostic::error(Code::Usage, message).help(agreed).into())
    }

    /// Runs in each cluster. Returns the worst exit status.
    pub(super) fn run(&self, work: Work<'_>) -> u8 {
        match self.parallel {
            Some(parallel) if self.list.len() > 1 => self.in_parallel(parallel.most(self.list.len()), work),
            _ => self.one_after_another(work),
        }
    }

    fn one_after_another(&self, work: Work<'_>) -> u8 {
        let mut turn = Turn::default();
        while let Some(cluster) = turn.take(&self.list) {
            if self.list.len() > 1 {
                output::title(&cluster.title());
            }
            let progress = Progress::new();
            let result = work(cluster, &progress);
            progress.end();
            let is_final = self.is_final(&result);
            turn.add(self.finish(cluster, result), is_final);
        }
        self.finish_turn(&turn)
    }

    /// Runs at most `most` at the same time, each in a thread of its own. The lines of progress begin with the name of the
    /// cluster; what a run comes to is printed in one piece.
    fn in_parallel(&self, most: usize, work: Work<'_>) -> u8 {
        let turn = Mutex::new(Turn::default());
        let lock = || turn.lock().unwrap_or_else(PoisonError::into_inner);
        let runner = || {
            loop {
                // The lock must not be held during the run.
                let taken = lock().take(&self.list);
                let Some(cluster) = taken else { break };
                let progress = Progress::of_cluster(&cluster.name);
                let result = work(cluster, &progress);
                progress.end();
                let is_final = self.is_final(&result);
                // One block at a time.
                let mut turn = lock();
                if result.is_err() {
                    output::title(&cluster.title());
                }
                turn.add(self.finish(cluster, result), is_final);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..most.min(self.list.len()) {
                scope.spawn(runner);
            }
        });
        self.finish_turn(&turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether no further cluster is begun after a result.
    fn is_final(&self, result: &Result<Done>) -> bool {
        let is_interrupted =
            |errors: &Diagnostics| errors.0.iter().any(|error| error.code == Code::Interrupted);
        result.as_ref().is_err_and(|errors| !self.keep_going || is_interrupted(errors))
    }

    /// Prints what a run came to; what several print on standard output has their names.
    fn finish(&self, cluster: &ClusterRun, result: Result<Done>) -> u8 {
        let cluster = (self.list.len() > 1).then_some(cluster.name.as_str());
        let rendered = result.and_then(|done| Ok((done.printed.rendered(cluster)?, done.status)));
        match rendered {
            Ok((text, status)) => output::finish(Ok(text), self.sources, self.what).max(status),
            Err(errors) => output::fail(&errors, self.sources, self.what),
        }
    }

    /// Names the clusters that were not begun.
    fn finish_turn(&self, turn: &Turn) -> u8 {
        let left: Vec<&str> = self.list.iter().skip(turn.next).map(|run| run.name.as_str()).collect();
        if !left.is_empty() {
            output::title(&format!("not begun: {}", left.join(", ")));
        }
        turn.status
    }
}

impl Turn {
    /// The next cluster, unless a failure stopped the run.
    fn take<'c>(&mut self, list: &'c [ClusterRun]) -> Option<&'c ClusterRun> {
        let next = list.get(self.next).filter(|_| !self.stopped)?;
        self.next += 1;
        Some(next)
    }

    fn add(&mut self, status: u8, is_final: bool) {
        self.status = self.status.max(status);
        self.stopped |= is_final;
    }
}

impl ClusterRun {
    fn of(cluster: ClusterArgs, target: usize) -> Self {
        let name = cluster.context.as_deref().unwrap_or("of the current context").to_owned();
        Self { cluster, target, name, kind: "cluster" }
    }

    /// The run of an environment: several may be in one cluster.
    fn in_environment(self, environment: &str) -> Self {
        let name = match &self.cluster.context {
            Some(context) => format!("{environment} in {context}"),
            None => environment.to_owned(),
        };
        Self { name, kind: "environment", ..self }
    }

    fn title(&self) -> String {
        format!("{} {}:", self.kind, self.name)
    }
}

impl Parallel {
    /// How many of some clusters are worked on at the same time.
    pub(super) fn most(self, clusters: usize) -> usize {
        match self {
            Self::All => clusters,
            Self::AtMost(most) => most.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClusterRun, Clusters, Done, Printed, Progress};
    use crate::cli::args::{ClusterArgs, Parallel, ParallelArgs, SeveralArgs};
    use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
    use std::num::NonZeroUsize;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// Runs clusters of which those called `bad` fail and `cut` is interrupted; returns the status, which were begun, and the
    /// most at a time.
    fn run(names: &[&str], keep_going: bool, most: Option<usize>) -> (u8, Vec<String>, usize) {
        let (begun, now, peak) = (Mutex::new(Vec::new()), AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |run: &ClusterRun, _: &Progress| -> Result<Done> {
            let name = run.cluster.context.clone().unwrap();
            begun.lock().unwrap().push(name.clone());
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(if name == "slow" { 300 } else { 50 }));
            now.fetch_sub(1, Ordering::SeqCst);
            match name.as_str() {
                "bad" => Err(Diagnostic::error(Code::Refused, "it failed").into()),
                "cut" => Err(Diagnostic::error(Code::Interrupted, "stopped").into()),
                _ => Ok(Printed::from(String::new()).into()),
            }
        };
        let sources = Sources::default();
        let cluster = ClusterArgs { context: Some(names.join(",")), ..ClusterArgs::default() };
        let parallel = most.and_then(NonZeroUsize::new).map(Parallel::AtMost);
        let several = SeveralArgs { keep_going, at_once: ParallelArgs { parallel } };
        let status = Clusters::new(&cluster, &several, ("the run", &sources)).run(&work);
        let mut begun = begun.into_inner().unwrap();
        begun.sort();
        (status, begun, peak.into_inner())
    }

    #[test]
    fn a_failure_stops_what_is_not_begun_unless_the_run_is_to_go_on() {
        let (status, begun, peak) = run(&["a", "bad", "b"], false, None);
        assert_eq!((status, begun, peak), (1, vec!["a".to_owned(), "bad".to_owned()], 1));
        let (status, begun, peak) = run(&["a", "bad", "b"], true, None);
        assert_eq!((status, begun.len(), peak), (1, 3, 1));
        let (status, begun, _) = run(&["bad", "slow", "b", "c"], false, Some(2));
        assert_eq!((status, begun), (1, vec!["bad".to_owned(), "slow".to_owned()]));
        let (status, begun, peak) = run(&["bad", "slow", "b", "c"], true, Some(2));
        assert_eq!((status, begun.len(), peak), (1, 4, 2));
    }

    #[test]
    fn all_are_begun_at_once_when_that_is_asked_for() {
        let (status, begun, peak) = run(&["a", "b", "c"], false, Some(9));
        assert_eq!((status, begun.len(), peak), (0, 3, 3));
    }

    #[test]
    fn an_interrupt_begins_nothing_more() {
        assert_eq!(run(&["cut", "a"], true, None).1, ["cut"]);
        assert_eq!(run(&["cut", "slow", "a"], true, Some(2)).1, ["cut", "slow"]);
    }
}
