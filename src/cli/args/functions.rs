//! Flags that say which programs of a tree a build runs, and whether it decrypts files.

use super::duration;
use crate::cli::here;
#[cfg(feature = "sops")]
use crate::cli::sops;
use clap::Args;
use kfc_source::FunctionOptions;
use std::time::Duration;

/// The network of containers that need one when the command line names none, as in kustomize.
const HOST_NETWORK: &str = "host";

/// Which functions and external plug-ins of kustomize run, and whether files are decrypted without one. No file of a tree can set any of this.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct FunctionArgs {
    /// Run the container functions and external plug-ins that a root configures.
    #[arg(long)]
    pub(in crate::cli) enable_alpha_plugins: bool,
    #[command(flatten)]
    calls: CallArgs,
    /// The network of container functions that use one; that of this machine when not given.
    #[arg(long, value_name = "NAME")]
    network_name: Option<String>,
    /// Decrypt files of sops that the tree names: resources, patches and files of generators. With keys of age alone, from
    /// `SOPS_AGE_KEY`, `SOPS_AGE_KEY_FILE` and `~/.config/sops/age/keys.txt`; no program runs.
    #[cfg(feature = "sops")]
    #[arg(long)]
    enable_sops: bool,
}

/// How functions are called.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct CallArgs {
    /// Run exec functions too: any program that a root names.
    #[arg(long)]
    pub(in crate::cli) enable_exec: bool,
    /// A variable for functions, or the name of one of the environment; they get few others.
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// A mount for container functions: `type=bind,src=PATH,dst=PATH,rw=true`.
    #[arg(long, value_name = "MOUNT")]
    mount: Vec<String>,
    /// Let container functions use the network if they ask for it.
    #[arg(long)]
    pub(in crate::cli) network: bool,
    /// Run container functions as the user of this command instead of nobody.
    #[arg(long)]
    as_current_user: bool,
    /// How long one function or plug-in may take.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    function_timeout: Duration,
}

impl FunctionArgs {
    /// What a build may run, and decrypt.
    pub(in crate::cli) fn options(&self) -> FunctionOptions {
        let mut options = FunctionOptions::default();
        #[cfg(feature = "sops")]
        {
            options.decrypter = self.enable_sops.then(sops::decrypter);
        }
        if !self.enable_alpha_plugins {
            return options;
        }
        self.calls.set(&mut options, self.network_name.as_deref());
        options
    }
}

impl CallArgs {
    /// What functions may do that the command itself runs.
    pub(in crate::cli) fn options(&self) -> FunctionOptions {
        let mut options = FunctionOptions::default();
        self.set(&mut options, None);
        options
    }

    fn set(&self, options: &mut FunctionOptions, network: Option<&str>) {
        options.runner = Some(here::runner(self.function_timeout));
        options.exec = self.enable_exec;
        options.network = self.network.then(|| network.unwrap_or(HOST_NETWORK).to_owned());
        options.mounts.clone_from(&self.mount);
        options.variables = self
            .env
            .iter()
            .map(|variable| match variable.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.into())),
                None => (variable.clone(), here::variable(variable)),
            })
            .collect();
        options.user = self.as_current_user.then(here::user).flatten();
    }
}
