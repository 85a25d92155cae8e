//! `kustomize localize`.

use crate::cli::args::RemoteArgs;
use crate::cli::exit::DONE;
use crate::cli::{here, output};
use clap::Args;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kustomize::engine::{self, Bundle, Options};
use kfc_kustomize::localize::{Scope, default_name, localize, refuse_existing, refuse_without_ref};
use kfc_source::{LoadRestrictor, Loader};
use kfc_yaml::{Node, emit};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Args)]
pub(in crate::cli) struct LocalizeArgs {
    /// The kustomization root: a directory, or a URL with a ref.
    #[arg(default_value = ".")]
    target: String,
    /// The new directory; `localized-` and the target's name when not given.
    destination: Option<PathBuf>,
    /// The directory that everything local has to be in; the target itself when not given.
    #[arg(long, value_name = "DIR")]
    scope: Option<PathBuf>,
    /// Do not check that target and copy build to the same bundle.
    #[arg(long)]
    no_verify: bool,
    /// Allow charts to be rendered by the helm program when target and copy are built.
    #[arg(long)]
    enable_helm: bool,
    /// The helm program.
    #[arg(long, default_value = "helm", value_name = "PROGRAM")]
    helm_command: String,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Copies a root into a new directory.
pub(in crate::cli) fn run(args: &LocalizeArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    match copy(args, &sources) {
        Ok(done) => {
            output::note(&done);
            DONE
        }
        Err(errors) => output::fail(&errors, &sources, "the copy"),
    }
}

fn copy(args: &LocalizeArgs, sources: &Arc<Sources>) -> Result<String> {
    if !Path::new(&args.target).is_dir() {
        refuse_without_ref(&args.target, None)?;
    }
    let options = options(args);
    let loader = Loader::open(&args.target, options.reads(), sources)?;
    let scope = Scope::of(&loader, &args.target, args.scope.as_deref())?;
    let destination = args.destination.clone().unwrap_or_else(|| PathBuf::from(default_name(&loader)));
    refuse_existing(&destination)?;
    let copy = localize(loader.clone(), &scope, &resolved(&destination))?;
    let before = if args.no_verify {
        None
    } else {
        // Only what could be copied is compared.
        Some(bytes(&engine::build_root(&scope.bound(loader), &options).map_err(advise)?)?)
    };
    copy.write(&destination)?;
    if let Some(before) = before {
        let root = destination.join(&copy.root);
        let after = engine::build(&root.to_string_lossy(), &options, sources)?;
        if bytes(&after)? != before {
            let message =
                format!("`{}` does not build to the same bundle as `{}`", root.display(), args.target);
            return Err(Diagnostic::error(Code::Localize, message)
                .note("origin annotations differ in a copy, and so may charts that depend on their path")
                .help("compare them with `kfc diff`, or skip this check with `--no-verify`")
                .into());
        }
    }
    let count = copy.files().count();
    let files = if count == 1 { "file" } else { "files" };
    let verified = if args.no_verify { "" } else { "; both build to the same bundle" };
    Ok(format!("localized `{}` to `{}`: {count} {files}{verified}", args.target, destination.display()))
}

fn options(args: &LocalizeArgs) -> Options {
    // The scope says what may be read.
    let mut options = here::builds().restricted(LoadRestrictor::None);
    options.helm.enabled = args.enable_helm;
    options.helm.command.clone_from(&args.helm_command);
    options.remote = args.remote.options();
    options
}

/// The errors of a target that does not build, with help.
fn advise(errors: Diagnostics) -> Diagnostics {
    let message = "the target does not build, so the copy cannot be compared with it";
    let hint = Diagnostic::error(Code::Localize, message).help("copy it anyway with `--no-verify`");
    Diagnostics(errors.0.into_iter().chain([hint]).collect())
}

fn bytes(bundle: &Bundle) -> Result<Vec<u8>> {
    let nodes: Vec<&Node> = bundle.resources.list.iter().map(|resource| &resource.node).collect();
    Ok(emit::emit_all(&nodes)?.concat())
}

/// A path that does not exist yet, without symbolic links in its parents.
fn resolved(path: &Path) -> PathBuf {
    let whole = here::working_directory().join(path);
    let mut above = whole.as_path();
    while let (Some(parent), Some(_)) = (above.parent(), above.file_name()) {
        above = parent;
        if let Ok(real) = above.canonicalize() {
            return real.join(whole.strip_prefix(above).unwrap_or(Path::new("")));
        }
    }
    whole
}
