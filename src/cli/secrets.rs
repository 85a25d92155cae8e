//! `kfc secrets`: makes the values of Secrets, and changes them.

use super::args::StackArgs;
use super::exit::FAILED;
use super::here;
use super::output;
use super::random;
use super::targets::{Loaded, Target, load};
use clap::{Args, Subcommand};
use kfc_diagnostics::text::document;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kube::ObjectId;
use kfc_kube::secret::{SecretRecipe, SecretValues};
use kfc_yaml::emit::emit;
use kfc_yaml::value::from_json;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum SecretsCommand {
    /// Print new Secrets for `kubectl create -f -`, which leaves those alone that exist. `kfc apply` makes them itself.
    Generate(GenerateArgs),
    /// Give a Secret new values, and those that copy it; prints how to restart what reads them.
    #[cfg(feature = "cluster")]
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// A profile, or a stack.
    target: String,
    #[command(flatten)]
    stack: StackArgs,
}

#[cfg(feature = "cluster")]
#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    /// The profile or stack that was applied.
    target: String,
    /// The Secret: its name, or NAMESPACE/NAME.
    secret: String,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    cluster: super::args::ClusterArgs,
}

pub(super) fn run(command: &SecretsCommand) -> u8 {
    let sources = Arc::new(Sources::default());
    let printed = match command {
        SecretsCommand::Generate(args) => generate(args, &sources),
        #[cfg(feature = "cluster")]
        SecretsCommand::Rotate(args) => rotate(args, &sources),
    };
    match printed {
        Ok(text) => output::print(&text),
        Err(errors) => {
            output::report(&errors, &sources);
            FAILED
        }
    }
}

/// How the Secrets of a target are made.
fn recipes(target: &str, stack: &StackArgs, sources: &Arc<Sources>) -> Result<Vec<SecretRecipe>> {
    let Loaded::Stack(resolved) = load(&Target::of(target), stack, &here::builds(), sources)? else {
        let message = format!("`{target}` is neither a profile nor a stack");
        return Err(Diagnostic::error(Code::Usage, message).into());
    };
    let recipes = resolved.assemble(false)?.recipes;
    if recipes.is_empty() {
        let message = format!("kfc makes no Secret of {}", resolved.plan.name);
        let help = format!("list where their values come from with `kfc list secrets {target}`");
        return Err(Diagnostic::error(Code::Secret, message).help(help).into());
    }
    Ok(recipes.into_iter().map(|planned| planned.recipe).collect())
}

/// Randomness, and the values that were made so far.
#[derive(Default)]
struct Values(HashMap<(ObjectId, String), Vec<u8>>);

impl SecretValues for Values {
    fn fill(&mut self, bytes: &mut [u8]) {
        random::fill(bytes);
    }

    fn known(&self, secret: &ObjectId, key: &str) -> Option<Vec<u8>> {
        self.0.get(&(secret.clone(), key.to_owned())).cloned()
    }
}

fn generate(args: &GenerateArgs, sources: &Arc<Sources>) -> Result<String> {
    let mut values = Values::default();
    let mut errors = Diagnostics::default();
    let mut text = Vec::new();
    for recipe in recipes(&args.target, &args.stack, sources)? {
        let Some(made) = recipe.values(&mut values) else {
            let message = format!("{} copies a Secret that only the cluster has", recipe.object);
            errors.push(Diagnostic::error(Code::Secret, message).help("make it with `kfc apply`"));
            continue;
        };
        for (key, value) in &made {
            values.0.insert((recipe.object.clone(), key.clone()), value.clone());
        }
        if !text.is_empty() {
            text.extend(b"---\n");
        }
        emit(&from_json(&recipe.with_values(&made), None), &mut text)?;
    }
    errors.into_result(document(String::from_utf8_lossy(&text).into_owned()))
}

#[cfg(feature = "cluster")]
fn rotate(args: &RotateArgs, sources: &Arc<Sources>) -> Result<String> {
    use kfc_cluster::apply::{Generation, Session, Unobserved};
    use kfc_cluster::cluster::{Connection, run};
    use std::fmt::Write as _;

    let recipes = recipes(&args.target, &args.stack, sources)?;
    let secret = chosen(&recipes, &args.secret)?.clone();
    let generation = Generation { recipes, fill: random::fill };
    let readers = run(async {
        let connection = Connection::open(&args.cluster.options()).await?;
        let session = Session::start(&connection, args.cluster.concurrency, &Unobserved).await?;
        kfc_cluster::apply::rotate(&session, &generation, &secret).await
    })?;
    output::note(&format!("{secret} has new values; restart what reads them:"));
    let mut text = String::new();
    for reader in &readers {
        let kind = reader.kind.to_lowercase();
        let _ =
            writeln!(text, "kubectl rollout restart {kind}/{} --namespace {}", reader.name, reader.namespace);
    }
    Ok(document(text))
}

/// The Secret of this name, when new values of it alone harm nobody.
#[cfg(feature = "cluster")]
fn chosen<'r>(recipes: &'r [SecretRecipe], name: &str) -> Result<&'r ObjectId> {
    let is_it =
        |object: &ObjectId| object.name == name || format!("{}/{}", object.namespace, object.name) == name;
    let Some(recipe) = recipes.iter().find(|recipe| is_it(&recipe.object)) else {
        let names: Vec<&str> = recipes.iter().map(|recipe| recipe.object.name.as_str()).collect();
        let error = Diagnostic::error(Code::Secret, format!("kfc does not make a Secret `{name}` here"));
        return Err(error.help(format!("it makes {}", names.join(", "))).into());
    };
    match &recipe.rotation {
        Some(more) => {
            let message = format!("new values of {} alone would lock out what reads it", recipe.object);
            Err(Diagnostic::error(Code::Secret, message).help(more.clone()).into())
        }
        None => Ok(&recipe.object),
    }
}
