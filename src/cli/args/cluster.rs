//! Flags that say which cluster and which inventory a command works on.

use super::NamespaceArgs;
use super::duration::duration;
use crate::cli::name::dns_name;
use clap::Args;
use kfc_cluster::apply::{DEFAULT_NAMESPACE, InventoryId, LockTerms};
use kfc_cluster::cluster::{Options, Proxies};
use kfc_diagnostics::{Code, Diagnostic, Result};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Which cluster, and how many requests it gets.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ClusterArgs {
    /// The kubeconfig, instead of `$KUBECONFIG` or `~/.kube/config`.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, instead of its current one; several are separated by commas.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) context: Option<String>,
    /// The most requests per second, with bursts of four times as many; 0 for no limit but that of the server, which answers
    /// that it is busy.
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    pub(in crate::cli) qps: f64,
    /// The most requests at the same time.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(in crate::cli) concurrency: usize,
}

impl Default for ClusterArgs {
    fn default() -> Self {
        Self { kubeconfig: None, context: None, qps: 0.0, concurrency: 16 }
    }
}

impl ClusterArgs {
    /// The arguments for each context that is named, separated by commas.
    pub(in crate::cli) fn each_context(&self) -> Vec<Self> {
        match &self.context {
            None => vec![self.clone()],
            Some(names) => names
                .split(',')
                .map(|name| Self { context: Some(name.trim().to_owned()), ..self.clone() })
                .collect(),
        }
    }

    /// The options of a connection for which resources without a namespace go to `namespace`.
    pub(in crate::cli) fn options_in(&self, namespace: &NamespaceArgs) -> Options {
        Options { namespace: namespace.namespace.clone(), ..self.options() }
    }

    pub(in crate::cli) fn options(&self) -> Options {
        Options {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespace: None,
            rate: self.qps,
            proxies: proxies(),
        }
    }
}

/// Which inventory.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct InventoryArgs {
    /// The name of the inventory; that of the stack or profile when not given.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,
    /// The namespace of the inventory; it has to exist.
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    pub(in crate::cli) inventory_namespace: String,
}

impl InventoryArgs {
    /// The inventory of a name in the namespace of the arguments.
    pub(in crate::cli) fn id(&self, name: &str) -> InventoryId {
        InventoryId::new(&self.inventory_namespace, name)
    }
}

/// How a run gets the lock of its inventory.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct LockArgs {
    /// How long to wait for another run that works on the same inventory.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    lock_timeout: Duration,
    /// How long the lock of a killed run stays valid.
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration, hide = true)]
    lock_duration: Duration,
}

impl LockArgs {
    /// The terms of the lock.
    pub(in crate::cli) fn terms(&self, inventory: &InventoryId) -> LockTerms {
        LockTerms {
            inventory: inventory.clone(),
            holder: holder(),
            wait: self.lock_timeout,
            duration: self.lock_duration,
        }
    }
}

/// The proxies that the environment names, by either spelling.
pub(in crate::cli) fn proxies() -> Proxies {
    let variable = |names: [&str; 2]| {
        let mut values = names.into_iter().filter_map(|name| std::env::var(name).ok());
        values.find(|value| !value.is_empty())
    };
    Proxies { https: variable(["HTTPS_PROXY", "https_proxy"]), none: variable(["NO_PROXY", "no_proxy"]) }
}

/// How many locks this process has asked for.
static LOCKS: AtomicUsize = AtomicUsize::new(0);

/// Who runs this: `alice@laptop, process 1234`. A lock is known by its holder, so that each further one of a process, which may
/// work on several contexts of one cluster at the same time, has a number too: `process 1234.2`.
fn holder() -> String {
    let number = match LOCKS.fetch_add(1, Ordering::Relaxed) {
        0 => String::new(),
        more => format!(".{}", more + 1),
    };
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let user = user.filter(|user| !user.is_empty()).map_or(String::new(), |user| format!("{user}@"));
    format!("{user}{}, process {}{number}", host(), std::process::id())
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "another machine".to_owned())
}

/// Checks that a name may be in a label and in the name of a config map.
pub(in crate::cli) fn inventory_name(name: &str) -> Result<String> {
    if name == dns_name(name) && name.len() <= 50 {
        return Ok(name.to_owned());
    }
    let message = format!("`{name}` is not a valid name of an inventory");
    let help = format!("use up to 50 lowercase letters, digits and hyphens: `{}`", dns_name(name));
    Err(Diagnostic::error(Code::Usage, message).help(help).into())
}

/// An inventory as it is named on the command line. A profile may be named as it is: `gke+gpu` has the inventory `gke-gpu`.
pub(in crate::cli) fn inventory_id(text: &str) -> std::result::Result<InventoryId, String> {
    let (namespace, name) = text.split_once('/').unwrap_or((DEFAULT_NAMESPACE, text));
    let name = name.replace('+', "-");
    match inventory_name(&name) {
        Ok(name) if !namespace.is_empty() => Ok(InventoryId::new(namespace, &name)),
        _ => Err("expected `NAME` or `NAMESPACE/NAME`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::holder;

    #[test]
    fn two_locks_of_a_process_have_two_holders() {
        assert_ne!(holder(), holder());
    }
}
