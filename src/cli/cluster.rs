//! What all commands that speak to a cluster have in common: flags, reading what is to be applied, running until done or
//! interrupted.

use super::output;
use super::progress::Progress;
pub(super) use super::target::dns_name;
use super::target::{StackArgs, Target, is_stack_file, resolve_target};
use clap::Args;
use kfc_catalogue::assemble;
use kfc_cluster::apply::{InventoryId, Lock, LockTerms, Locked};
use kfc_cluster::cluster::{Connection, Options};
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
use kfc_kube::schema::Schema;
use kfc_kube::wave::{self, Wave};
use kfc_kustomize::engine::{self, read};
use kfc_kustomize::resource::Resource;
use kfc_kustomize::resource::objects;
use kfc_source::{self, FileSystem as _, LoadRestrictor, Os, door, is_stream};
use kfc_yaml::{Node, parse};
use std::cell::RefCell;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Which cluster, and how hard it may be worked.
#[derive(Clone, Debug, Args)]
pub(super) struct ClusterArgs {
    /// The kubeconfig, in place of `$KUBECONFIG` or `~/.kube/config`.
    #[arg(long, value_name = "FILE")]
    pub(super) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, in place of its current one.
    #[arg(long, value_name = "NAME")]
    pub(super) context: Option<String>,
    /// Requests a second at most, with bursts of four times as many; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 50.0)]
    pub(super) qps: f64,
    /// Requests under way at once at most.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(super) concurrency: usize,
}

impl ClusterArgs {
    pub(super) fn options(&self) -> Options {
        Options { kubeconfig: self.kubeconfig.clone(), context: self.context.clone(), rate: self.qps }
    }
}

/// Which inventory.
#[derive(Clone, Debug, Args)]
pub(super) struct InventoryArgs {
    /// The name under which the cluster keeps the list of what was applied; the stack's or profile's when not given.
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The namespace of that list; it has to be there.
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    pub(super) inventory_namespace: String,
}

impl InventoryArgs {
    /// The inventory of a name in the namespace of the arguments.
    pub(super) fn id(&self, name: &str) -> InventoryId {
        InventoryId::new(&self.inventory_namespace, name)
    }
}

/// How one run at a time is seen to.
#[derive(Clone, Debug, Args)]
pub(super) struct LockArgs {
    /// How long to wait for another run that works on the same inventory.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    lock_timeout: Duration,
    /// How long the lock of a run holds that was killed.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration, hide = true)]
    lock_duration: Duration,
}

impl LockArgs {
    /// What a lock is taken with.
    fn terms(&self, inventory: &InventoryId) -> LockTerms {
        LockTerms {
            inventory: inventory.clone(),
            holder: holder(),
            wait: self.lock_timeout,
            duration: self.lock_duration,
        }
    }
}

/// Who runs this: `alice@laptop, process 1234`.
fn holder() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let user = user.filter(|user| !user.is_empty()).map_or(String::new(), |user| format!("{user}@"));
    format!("{user}{}, process {}", host(), std::process::id())
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "another machine".to_owned())
}

/// A lock that is held, and the connection by which it is released.
type HeldLock = (Arc<Connection>, Rc<Lock>);

/// The locks that a run holds, to be released when it is interrupted.
#[derive(Debug, Default)]
pub(super) struct Held(RefCell<Vec<HeldLock>>);

impl Held {
    /// Does work while it holds the lock of an inventory, and releases it afterwards.
    pub(super) async fn during<T>(
        &self,
        connection: &Arc<Connection>,
        inventory: &InventoryId,
        args: &LockArgs,
        progress: &Progress,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let lock = match Lock::acquire(connection, &args.terms(inventory), progress).await? {
            Locked::Held(lock) => Rc::new(lock),
            Locked::Impossible(why) => {
                progress.say(&format!(
                    "warning: runs on the inventory {inventory} cannot be kept apart, do not start a second one: {why} \
                     (they need get, create, update and delete on leases.coordination.k8s.io in `{}`)",
                    inventory.namespace
                ));
                return work.await;
            }
        };
        self.0.borrow_mut().push((Arc::clone(connection), Rc::clone(&lock)));
        let result = tokio::select! {
            result = work => result,
            lost = lock.keep(connection) => Err(lost),
        };
        self.0.borrow_mut().pop();
        lock.release(connection).await;
        result
    }

    async fn release(&self) {
        let held = std::mem::take(&mut *self.0.borrow_mut());
        for (connection, lock) in held {
            lock.release(&connection).await;
        }
    }
}

/// What is to be applied, and the name that it has of itself.
pub(super) enum Intake {
    /// A stack or profile.
    Planned { name: String, resolved: Box<super::target::Resolved> },
    /// Any set of resources.
    Resources { hint: String, resources: Vec<Resource> },
}

impl Intake {
    /// Reads a target: a profile, a stack, a kustomization root, a file of resources, or `-` for standard input.
    pub(super) fn read(
        target: &str,
        stack: &StackArgs,
        restrictor: LoadRestrictor,
        texts: &Arc<Sources>,
    ) -> Result<Self> {
        if target == "-" {
            return Ok(Self::Resources { hint: "my-app".to_owned(), resources: from_input(texts)? });
        }
        let options = kfc_source::Options { restrictor, ..super::here::reads() };
        if let Some(documents) = bundle_in(Path::new(target), texts)? {
            let hint = Path::new(target).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let resources = read::resources(documents, &Schema::builtin())?;
            return Ok(Self::Resources { hint, resources });
        }
        let found = Target::of(target);
        if let Target::Root(root) = &found {
            let options = engine::Options { restrictor, ..super::here::builds() };
            let resources = engine::build(root, &options, texts)?.resources.list;
            let folder = Path::new(target).canonicalize().unwrap_or_default();
            let hint = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok(Self::Resources { hint, resources });
        }
        let resolved = resolve_target(&found, stack, options, texts)?;
        Ok(Self::Planned { name: resolved.plan.name.clone(), resolved: Box::new(resolved) })
    }

    /// Whether a target is a file of resources.
    pub(super) fn is_bundle(target: &str, texts: &Arc<Sources>) -> Result<bool> {
        // A pipe gives what it has once only, and nobody writes a stack into one.
        Ok(is_stream(Path::new(target)) || bundle_in(Path::new(target), texts)?.is_some())
    }

    /// The waves of it.
    pub(super) fn waves(&self, namespace: &str) -> Result<Vec<Wave>> {
        match self {
            Self::Planned { resolved, .. } => {
                let assembled = assemble::assemble(&resolved.plan, &resolved.stack, &resolved.loader)?;
                let known = assemble::known_credentials(&resolved.plan, &assembled.bundle.resources.list)?;
                output::report(&known, &Sources::default());
                kfc_catalogue::assemble::schedule(&resolved.plan, &assembled, namespace)
            }
            Self::Resources { resources, .. } => wave::of_bundle(&objects(resources), namespace),
        }
    }

    /// The name of its inventory. Resources without a stack have none of themselves: two folders of one name would take
    /// away each other's resources.
    pub(super) fn name(&self, args: &InventoryArgs) -> Result<String> {
        match (&args.name, self) {
            (Some(name), _) => checked(name),
            (None, Self::Planned { name, .. }) => Ok(dns_name(name)),
            (None, Self::Resources { hint, .. }) => {
                let message = "these resources have no stack that names them, and the cluster keeps its list of them by name";
                let help =
                    format!("give them one that stays the same from run to run: `--name {}`", dns_name(hint));
                Err(Diagnostic::error(Code::Usage, message).help(help).into())
            }
        }
    }
}

/// A name that may stand in a label and in the name of a config map.
pub(super) fn checked(name: &str) -> Result<String> {
    if name == dns_name(name) && name.len() <= 50 {
        return Ok(name.to_owned());
    }
    let message = format!("`{name}` cannot be the name of an inventory");
    let help = format!("use up to 50 small letters, digits and hyphens: `{}`", dns_name(name));
    Err(Diagnostic::error(Code::Usage, message).help(help).into())
}

fn from_input(texts: &Arc<Sources>) -> Result<Vec<Resource>> {
    let text = door::read_text_of_stream(std::io::stdin().lock(), "standard input")?;
    let (id, source) = texts.add("standard input", &text);
    read::resources(parse::parse(&source.text, id)?, &Schema::builtin())
}

/// The documents of a file of resources; `None` when it is no such file but a stack or a folder.
fn bundle_in(path: &Path, texts: &Arc<Sources>) -> Result<Option<Vec<Node>>> {
    if !Os.is_file(path) || is_stack_file(path) {
        return Ok(None);
    }
    let text = door::read_text_of_user(path)?;
    let (id, source) = texts.add(path.to_string_lossy(), &text);
    parse::parse(&source.text, id).map(Some)
}

/// Runs what speaks to a cluster until it is done, or until somebody interrupts it.
pub(super) fn run_until_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    run_holding(&Held::default(), work)
}

/// As [`run_until_interrupted`], and releases locks that are held then.
pub(super) fn run_holding<T>(held: &Held, work: impl Future<Output = Result<T>>) -> Result<T> {
    kfc_cluster::cluster::run(async {
        tokio::select! {
            result = work => result,
            signal = interrupted() => {
                held.release().await;
                let message = format!("stopped by {signal}");
                let help = "what is done stays; the next run goes on from here";
                Err(Diagnostic::error(Code::Interrupted, message).help(help).into())
            }
        }
    })
}

#[cfg(unix)]
async fn interrupted() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => "an interrupt",
        _ = terminated.recv() => "a request to terminate",
    }
}

#[cfg(not(unix))]
async fn interrupted() -> &'static str {
    drop(tokio::signal::ctrl_c().await);
    "an interrupt"
}

/// The longest time that anything waits: ten years. The clock knows no time that is much later.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A span of time: `90s`, `10m`, `1h30m`, or seconds.
pub(super) fn duration(text: &str) -> std::result::Result<Duration, String> {
    written_duration(text).map(|duration| duration.min(LONGEST))
}

fn written_duration(text: &str) -> std::result::Result<Duration, String> {
    let wrong = || format!("`{text}` is no span of time: write `90s`, `10m` or `1h30m`");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = 0u64;
    let mut number = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(wrong()),
        };
        let count: u64 = number.parse().map_err(|_| wrong())?;
        total = count.checked_mul(unit).and_then(|more| total.checked_add(more)).ok_or_else(wrong)?;
        number.clear();
    }
    if number.is_empty() && !text.is_empty() { Ok(Duration::from_secs(total)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, duration};
    use std::time::Duration;

    #[test]
    fn spans_of_time() {
        assert_eq!(duration("1h30m5s"), Ok(Duration::from_secs(5405)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("18446744073709551615"), Ok(LONGEST));
        assert_eq!(duration("5124095576030431h"), Ok(LONGEST));
        for wrong in ["", "m", "5x", "5m3", "99999999999999999999h", "9999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
