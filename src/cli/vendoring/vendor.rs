//! `kfc vendor`: vendors remote sources, and checks that everything a tree needs is vendored.

use super::progress;
use super::targets::{self, Targets};
use crate::cli::args::{RestrictorFlag, ResultFormat, ResultFormatArgs};
use crate::cli::diff_report::write_to;
use crate::cli::listing::{described, pretty};
use crate::cli::screen::Stream;
use crate::cli::{here, output};
use clap::Args;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources, nearest};
use kfc_diff::report::{self, Format, Style};
use kfc_diff::{Report, compare, join};
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::Options;
use kfc_kustomize::vendoring::walk;
use kfc_source::Loader;
use kfc_source::lock::{self, Lock};
use kfc_source::remote::{LockUse, Refresh, RemoteOptions, Renewal, Source};
use kfc_source::vendoring::{
    change::{self, Change},
    store,
};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Sources that are fetched at once.
pub(in crate::cli) const AT_ONCE: usize = 16;

/// The name of the bundle before in a report.
const PINNED: &str = "as kfc.lock pins it";
/// The name of the bundle after.
const UPDATED: &str = "updated";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::cli) struct VendorArgs {
    /// Stacks and kustomization roots; those of kfc.lock are always among them.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Check, without the network, that kfc.lock has exactly what is needed, and that every vendored tree is what it pins.
    #[arg(long, conflicts_with_all = ["update", "dry_run"])]
    check: bool,
    /// Resolve sources again, all of them or those called NAME, and show what that changes in the bundles.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    update: Option<Vec<String>>,
    /// Write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Also write what an update changes into this file, in the format of its ending.
    #[arg(long, value_name = "FILE", requires = "update")]
    report: Option<PathBuf>,
    /// The directory of kfc.lock and vendor/; by default the nearest one above the target with a lock, or the target's.
    #[arg(long, value_name = "DIR")]
    at: Option<PathBuf>,
    /// Accept tags and versions that were moved to other content.
    #[arg(long)]
    allow_moved: bool,
    /// Whether files outside of a kustomization root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    load_restrictor: RestrictorFlag,
    /// Allow plain http for other hosts than this machine.
    #[arg(long)]
    allow_plain_http: bool,
    /// Allow charts to be rendered by the helm program, for what an update changes.
    #[arg(long)]
    enable_helm: bool,
    /// The helm program.
    #[arg(long, default_value = "helm", value_name = "PROGRAM")]
    helm_command: String,
    #[command(flatten)]
    form: ResultFormatArgs,
}

pub(in crate::cli) fn run(args: &VendorArgs) -> u8 {
    let texts = Arc::new(Sources::default());
    match vendor(args, &texts) {
        Ok(code) => code,
        Err(errors) => output::fail(&errors, &texts, "the vendoring"),
    }
}

/// What a run works on.
struct Work<'a> {
    args: &'a VendorArgs,
    texts: &'a Arc<Sources>,
    before: Lock,
    targets: Targets,
}

fn vendor(args: &VendorArgs, texts: &Arc<Sources>) -> Result<u8> {
    let folder = targets::lock_directory(args.at.as_deref(), &args.targets)?;
    let surroundings = here::surroundings();
    let found = Lock::find(&folder, &surroundings, texts)?;
    if args.check && found.is_none() {
        let message = format!("`{}` has no kfc.lock", folder.display());
        return Err(Diagnostic::error(Code::Drift, message).help("write one with `kfc vendor`").into());
    }
    let before = found.unwrap_or_else(|| Lock::new(&folder, &surroundings));
    let targets = Targets::new(&folder, &before.targets, &args.targets)?;
    let work = Work { args, texts, before, targets };
    check_names(&work)?;
    if args.check { work.check() } else { work.renew() }
}

/// Refuses names that no source has.
fn check_names(work: &Work<'_>) -> Result<()> {
    let Refresh::Named(names) = refresh(work.args) else { return Ok(()) };
    let sources = || work.before.entries.iter().map(|entry| &entry.source);
    let mut errors = Diagnostics::default();
    for name in names.iter().filter(|name| !sources().any(|source| source.is_called(name))) {
        let error = Diagnostic::error(Code::Usage, format!("kfc.lock has no source called `{name}`"));
        let known: Vec<&str> = sources().map(Source::short_name).collect();
        errors.push(match nearest(name, known.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => error.help("it has no sources; run `kfc vendor` first"),
            None => error.help(format!("use one of {}; targets come before `--update`", known.join(", "))),
        });
    }
    errors.into_result(())
}

fn refresh(args: &VendorArgs) -> Refresh {
    match &args.update {
        None => Refresh::None,
        Some(names) if names.iter().any(|name| !name.is_empty()) => {
            Refresh::Named(names.iter().filter(|name| !name.is_empty()).cloned().collect())
        }
        Some(_) => Refresh::All,
    }
}

impl Work<'_> {
    fn options(&self, remote: RemoteOptions) -> Options {
        let mut options = here::builds().restricted(self.args.load_restrictor.into());
        options.helm.enabled = self.args.enable_helm;
        options.helm.command.clone_from(&self.args.helm_command);
        options.remote = remote;
        options
    }

    /// Finds all remote sources of the targets; they are in the remotes of the loader then.
    fn walk(&self, loader: &Loader) -> Result<()> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(AT_ONCE).build().map_err(|error| {
            Diagnostics::from(Diagnostic::error(Code::Usage, format!("cannot start threads: {error}")))
        })?;
        pool.install(|| walk::walk(&self.targets.roots(loader, self.texts)?))
    }

    fn check(&self) -> Result<u8> {
        let remote = RemoteOptions::using(LockUse::Given(Arc::new(self.before.clone())));
        let loader = Loader::here(self.options(remote).reads(), self.texts);
        let mut errors = Diagnostics::default();
        let walked = errors.collect(self.walk(&loader)).is_some();
        let used = loader.remotes().used();
        let drift = |message: String| Diagnostic::error(Code::Drift, message).help("run `kfc vendor`");
        for entry in &self.before.entries {
            if used.iter().any(|(source, _)| *source == entry.source.bare()) {
                continue;
            }
            // A source that nothing needs any more has to match the lock too.
            errors.collect(self.before.tree(entry));
            if walked {
                errors.push(drift(format!("kfc.lock has `{}`, which nothing needs", entry.source)));
            }
        }
        for name in store::unused(&self.before) {
            errors.push(drift(format!("no source of kfc.lock uses `{}/{name}`", lock::FOLDER)));
        }
        if self.targets.names() != self.before.targets {
            errors.push(drift(format!("kfc.lock has the targets {}", self.before.targets.join(", "))));
        }
        errors.into_result(())?;
        let count = self.before.entries.len();
        if self.args.form.format == ResultFormat::Json {
            return Ok(output::print(&pretty(&described("VendorCheck", json!({"sources": count})))));
        }
        let trees = if count == 1 { "tree is" } else { "trees are" };
        Ok(output::print(&format!("{count} vendored {trees} what kfc.lock pins\n")))
    }

    fn renew(&self) -> Result<u8> {
        let progress = progress::Progress::new();
        let renewal = Renewal { lock: self.before.clone(), refresh: refresh(self.args) };
        let mut remote = RemoteOptions::using(LockUse::Renew(Arc::new(renewal)));
        remote.plain_http = self.args.allow_plain_http;
        remote.observer = progress.observer();
        let loader = Loader::here(self.options(remote).reads(), self.texts);
        let walked = self.walk(&loader);
        progress.finish();
        walked?;
        let listed = store::list(&loader.remotes().used(), &self.before)?;
        if !self.args.allow_moved {
            change::refuse_moved(&self.before, &listed)?;
        }
        let after = Lock {
            folder: self.before.folder.clone(),
            shown: self.before.shown.clone(),
            targets: self.targets.names(),
            entries: listed.iter().map(|one| one.entry.clone()).collect(),
        };
        let shown = self.describe(&after, &loader)?;
        if !self.args.dry_run {
            store::put(&after.folder, &listed)?;
            store::write_lock(&after)?;
            store::remove_unused(&after)?;
        }
        Ok(output::print(&shown))
    }

    /// The changes, and with `--update` what they change in the bundles.
    fn describe(&self, after: &Lock, loader: &Loader) -> Result<String> {
        let changes = change::changes(&self.before, after);
        if self.args.form.format == ResultFormat::Json {
            return self.describe_as_json(&changes, after, loader);
        }
        let mut text = String::new();
        for change in &changes {
            let _ = writeln!(text, "{change}");
        }
        let word = if self.args.dry_run { "would have" } else { "has" };
        let counts = |count: usize| if count == 1 { "source" } else { "sources" };
        let count = after.entries.len();
        let _ = writeln!(text, "kfc.lock {word} {count} {}, {} changed", counts(count), changes.len());
        if self.args.update.is_some() && !changes.is_empty() {
            text.push_str(&self.differences(loader)?.0);
        }
        Ok(text)
    }

    /// The same for programs; the report of an update is a document of its own within it.
    fn describe_as_json(&self, changes: &[Change], after: &Lock, loader: &Loader) -> Result<String> {
        let one = |change: &Change| match change {
            Change::New(to) => {
                json!({"action": "new", "source": to.source.to_string(), "to": to.pin.to_string()})
            }
            Change::Updated { from, to } => json!({
                "action": "updated", "source": to.source.to_string(),
                "from": from.pin.to_string(), "to": to.pin.to_string(),
            }),
            Change::Removed(from) => {
                json!({"action": "removed", "source": from.source.to_string(), "from": from.pin.to_string()})
            }
        };
        let mut document = json!({
            "changes": changes.iter().map(one).collect::<Value>(),
            "sources": after.entries.len(),
            "written": !self.args.dry_run,
        });
        if self.args.update.is_some() && !changes.is_empty() {
            let report = report::write(Format::Json, &self.differences(loader)?.1, &Style::default())?;
            document["report"] = serde_json::from_slice(&report).unwrap_or_default();
        }
        Ok(pretty(&described("VendorResult", document)))
    }

    /// The text and the report of what changes in the bundles from the lock before to what was fetched now. A bundle that cannot be built
    /// is reported on standard error: the sources are valid all the same.
    fn differences(&self, after: &Loader) -> Result<(String, Report)> {
        let remote = RemoteOptions::using(LockUse::Given(Arc::new(self.before.clone())));
        let options = self.options(remote);
        let before = Loader::here(options.reads(), self.texts);
        let schema = Schema::builtin();
        let mut reports = Vec::new();
        for target in &self.targets.each(self.texts) {
            let side = |loader: &Loader, state: &str| {
                target.side(format!("{}, {state}", target.name()), loader, &options, self.texts)
            };
            match side(&before, PINNED).and_then(|old| Ok((old, side(after, UPDATED)?))) {
                Ok((old, new)) => reports.push((target.name().to_owned(), compare(&old, &new, &schema))),
                Err(errors) => {
                    let message = format!("cannot compare the bundles of `{}`", target.name());
                    output::report(&Diagnostic::warning(Code::Drift, message).into(), self.texts);
                    output::report_run(&errors, self.texts, "the build");
                }
            }
        }
        let text = reports.iter().map(|(_, report)| render_report(report)).collect::<Result<String>>()?;
        let joined = join((PINNED, UPDATED), reports);
        if let Some(file) = &self.args.report {
            write_to(file, &joined, None)?;
        }
        Ok((text, joined))
    }
}

/// A report for the terminal.
fn render_report(report: &Report) -> Result<String> {
    let (colour, width) = (Stream::Output.colours(), Stream::Output.width());
    let style = Style { colour, width, ..Style::default() };
    let bytes = report::write(Format::Text, report, &style)?;
    Ok(format!("\n{}", String::from_utf8_lossy(&bytes)))
}
