//! `kfc secrets`: makes the values of Secrets, and changes them.

use super::args::StackArgs;
use super::environments::single;
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
use std::io::{BufRead as _, IsTerminal as _};
use std::sync::Arc;

/// The bytes of a password that bcrypt reads.
const LONGEST_PASSWORD: usize = 72;

#[allow(clippy::large_enum_variant, reason = "there is one value in a run")]
#[derive(Debug, Subcommand)]
pub(super) enum SecretsCommand {
    /// Print new Secrets for `kubectl create -f -`, which leaves those alone that exist. `kfc apply` makes them itself.
    Generate(GenerateArgs),
    /// Print the bcrypt hash of a password, for `dex.users` and `dex.passwordHash`. Reads the password from the terminal, without
    /// showing it, or from the first line of standard input.
    Hash(HashArgs),
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

#[derive(Debug, Args)]
pub(super) struct HashArgs {
    /// What a check of the hash costs, as a power of two.
    #[arg(long, value_name = "NUMBER", default_value_t = 12, value_parser = clap::value_parser!(u32).range(10..=16))]
    cost: u32,
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
        SecretsCommand::Hash(args) => hash(args),
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
    let target = &single(target, &stack.environments, sources)?;
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

/// The hash of a password that the user types, or that standard input has.
fn hash(args: &HashArgs) -> Result<String> {
    let refused = |why: &str| Diagnostics::from(Diagnostic::error(Code::Usage, why));
    let password = read_password().map_err(|error| refused(&format!("cannot read the password: {error}")))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(refused("the password is empty"));
    }
    // More would not count, so that other passwords would be right, too.
    if password.len() > LONGEST_PASSWORD || password.contains('\0') {
        let why =
            format!("a password for bcrypt has at most {LONGEST_PASSWORD} bytes, and none of them is 0");
        return Err(refused(&why));
    }
    let mut salt = [0; 16];
    random::fill(&mut salt);
    let hash = bcrypt::hash_with_salt(password, args.cost, salt);
    let hash = hash.map_err(|error| refused(&format!("bcrypt cannot make a hash: {error}")))?;
    Ok(document(format!("{}\n", hash.format_for_version(bcrypt::Version::TwoY))))
}

/// A line of standard input; a terminal does not show what is typed.
fn read_password() -> std::io::Result<String> {
    let input = std::io::stdin();
    let quiet = input.is_terminal().then(Quiet::new).transpose()?;
    if quiet.is_some() {
        output::note("Password:");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    Ok(line)
}

/// While it lives, the terminal of standard input does not show what is typed.
struct Quiet {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Quiet {
    fn new() -> std::io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet)?;
        Ok(Self { before })
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // The terminal may be gone.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(not(unix))]
impl Quiet {
    /// Other systems have other terminals, which kfc does not know.
    fn new() -> std::io::Result<Self> {
        Err(std::io::Error::other("pipe it into the command: a terminal would show it"))
    }
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
