//! What a command is asked to work on: a kustomization root, a stack, or a profile of the catalogue.

use clap::Args;
use kfc_catalogue::catalogue::{API_VERSION, Catalogue, DEFAULTS, Parameter, Place, Stack, StackFile};
use kfc_catalogue::resolve::{Plan, resolve};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId, Sources, nearest};
use kfc_source::{self, Loader, door, is_entry, is_stream};
use kfc_yaml::fields::Spanned;
use kfc_yaml::{Entry, Key, Map, Node, parse};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The names that a stack's file may have.
pub(super) const STACK_FILES: [&str; 2] = ["kfc.yaml", "kfc.yml"];
/// The names that a kustomization file may have.
pub(super) const KUSTOMIZATION_FILES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What changes a stack from the command line.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct StackArgs {
    /// Components in place of those of the stack or profile; what they require comes along.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) components: Vec<String>,
    /// Components to leave out.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) without: Vec<String>,
    /// Components that are on the cluster already: they are not part of the bundle, but what they provide counts.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) present: Vec<String>,
    /// Sets a parameter (`domain=…`, `pipelines.storageClass=…`) or a fact (`facts.storage.class=…`).
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) set: Vec<String>,
    /// Folders of catalogues that lie on top of the built-in one.
    #[arg(long, value_name = "DIR")]
    pub(super) catalogue: Vec<PathBuf>,
    /// Take the catalogues that are named in place of the built-in one.
    #[arg(long)]
    pub(super) no_builtin: bool,
}

impl StackArgs {
    /// Whether nothing is changed.
    pub(super) fn is_empty(&self) -> bool {
        self.components.is_empty()
            && self.without.is_empty()
            && self.present.is_empty()
            && self.set.is_empty()
            && self.catalogue.is_empty()
            && !self.no_builtin
    }
}

/// What TARGET means.
#[derive(Debug)]
pub(super) enum Target {
    /// A kustomization root: a folder or URL.
    Root(String),
    /// A stack's file.
    Stack(StackFile),
    /// Layers joined by `+`.
    Profile(String),
}

/// Whether a file is a stack, under whatever name: `kfc.yaml` by its name, any other by the apiVersion and kind of a document.
pub(super) fn is_stack_file(path: &Path) -> bool {
    if path.file_name().is_some_and(|name| STACK_FILES.iter().any(|stack| name == *stack)) {
        return true;
    }
    // What a pipe has can be read once only, and nobody writes a stack into one.
    if is_stream(path) {
        return false;
    }
    // Bundles are large, and hardly ever speak of us: most are not parsed here.
    let Ok(text) = door::read_text_of_user(path) else { return false };
    if !text.contains(API_VERSION) {
        return false;
    }
    let is_stack = |node: &Node| {
        let says = |field: &str, word: &str| node.get(field).and_then(Node::as_text) == Some(word);
        says("apiVersion", API_VERSION) && says("kind", "Stack")
    };
    parse::parse(&text, SourceId::NONE).is_ok_and(|documents| documents.iter().any(is_stack))
}

impl Target {
    /// Tells what a target is: what is on disk goes before a profile of the same name.
    pub(super) fn of(text: &str) -> Self {
        let path = Path::new(text);
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Self::Stack(StackFile {
                place: super::here::place(path.parent().unwrap_or(Path::new(""))),
                name,
            });
        }
        // Where a link leads is for the door to say.
        let has = |names: &[&'static str]| names.iter().copied().find(|name| is_entry(&path.join(name)));
        if let Some(name) = has(&STACK_FILES) {
            return Self::Stack(StackFile { place: super::here::place(path), name: name.to_owned() });
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '_' | ' ');
        let is_profile = !text.is_empty() && text.chars().all(is_word);
        if is_profile && has(&KUSTOMIZATION_FILES).is_none() && (!path.is_dir() || text.contains('+')) {
            return Self::Profile(text.to_owned());
        }
        Self::Root(text.to_owned())
    }
}

/// A stack that was resolved, with what is needed to assemble it.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) plan: Plan,
    pub(super) stack: Stack,
    pub(super) catalogue: Catalogue,
    pub(super) loader: Loader,
}

/// Reads the catalogue, and the stack of a target, as the arguments change it.
pub(super) fn resolve_target(
    target: &Target,
    args: &StackArgs,
    options: kfc_source::Options,
    texts: &Arc<Sources>,
) -> Result<Resolved> {
    let mut options = options;
    if let Target::Stack(file) = target {
        options.remote.start = Some(file.place.folder.clone());
    }
    resolve_with(Loader::here(options, texts), target, args, texts)
}

/// As [`resolve_target`], with a loader whose options and remote sources are shared with others.
pub(super) fn resolve_with(
    loader: Loader,
    target: &Target,
    args: &StackArgs,
    texts: &Arc<Sources>,
) -> Result<Resolved> {
    let stack = match target {
        Target::Stack(file) => Stack::load(&loader, file)?,
        Target::Profile(profile) => Stack::of_profile(profile),
        Target::Root(path) => return Err(no_stack(path).into()),
    };
    resolve_stack(loader, stack, Some(target), args, texts)
}

/// Resolves a stack as the arguments change it; `target` is what it was read from, if anything.
pub(super) fn resolve_stack(
    loader: Loader,
    mut stack: Stack,
    target: Option<&Target>,
    args: &StackArgs,
    texts: &Arc<Sources>,
) -> Result<Resolved> {
    change(&mut stack, args, texts)?;
    let catalogue = catalogue(&loader, &stack, args)?;
    hide_parameters(&stack, &catalogue, texts);
    if let Some(Target::Profile(profile)) = target {
        check_profile(profile, &catalogue)?;
    }
    let plan = resolve(&catalogue, &stack)?;
    Ok(Resolved { plan, stack, catalogue, loader })
}

/// Keeps the values of parameters out of the source lines that errors show, unless they are declared and no secrets.
fn hide_parameters(stack: &Stack, catalogue: &Catalogue, texts: &Sources) {
    let is_open = |declared: &[Parameter], name: &str| {
        declared.iter().any(|parameter| parameter.name.text == name && !parameter.is_secret())
    };
    let globals = catalogue.layers.get(DEFAULTS).map_or(&[][..], |layer| &layer.parameters);
    for entry in stack.parameters.as_map().into_iter().flatten() {
        let name = entry.key.text.as_str();
        match (catalogue.components.get(name), entry.value.as_map()) {
            (Some(component), Some(own)) => own
                .iter()
                .filter(|own| !is_open(&component.parameters, &own.key.text))
                .for_each(|own| texts.hide(own.value.mark)),
            _ if is_open(globals, name) => {}
            _ => texts.hide(entry.value.mark),
        }
    }
}

/// The catalogue of a stack, with those that the arguments name.
pub(super) fn catalogue(loader: &Loader, stack: &Stack, args: &StackArgs) -> Result<Catalogue> {
    let of_stack =
        stack.place.iter().flat_map(|place| stack.catalogues.iter().map(|path| place.join(&path.text)));
    let folders: Vec<Place> =
        of_stack.chain(args.catalogue.iter().map(|folder| super::here::place(folder))).collect();
    if stack.builtin && !args.no_builtin {
        Catalogue::load(loader, &folders)
    } else {
        Catalogue::load_only(loader, &folders)
    }
}

fn no_stack(path: &str) -> Diagnostic {
    let message = format!("`{path}` is neither a profile nor a stack");
    Diagnostic::error(Code::Usage, message)
        .help("name a profile (`gke+gpu`), a `kfc.yaml`, or the folder of one; `kfc init gke` writes one")
}

/// A word alone may be a mistyped folder as well as a mistyped profile.
fn check_profile(profile: &str, catalogue: &Catalogue) -> Result<()> {
    let names = || catalogue.layers.keys().map(String::as_str);
    if profile.contains('+') || names().any(|name| name == profile) {
        return Ok(());
    }
    let message = format!("there is no profile, stack or folder `{profile}`");
    let error = Diagnostic::error(Code::Profile, message);
    Err(match nearest(profile, names()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`kfc list platforms` shows the layers that profiles are made of"),
    }
    .into())
}

fn change(stack: &mut Stack, args: &StackArgs, texts: &Arc<Sources>) -> Result<()> {
    let named = |names: &[String]| -> Vec<Spanned> {
        names.iter().map(|name| Spanned { text: name.trim().to_owned(), mark: Mark::NONE }).collect()
    };
    if !args.components.is_empty() {
        *stack = stack.clone().with_components(&args.components);
    }
    stack.without.extend(named(&args.without));
    stack.present.extend(named(&args.present));
    let mut errors = Diagnostics::default();
    for setting in &args.set {
        errors.collect(set(stack, setting, texts));
    }
    errors.into_result(())
}

/// Puts `NAME=VALUE` into the stack; the value is read as YAML.
fn set(stack: &mut Stack, setting: &str, texts: &Arc<Sources>) -> Result<()> {
    let Some((name, value)) = setting.split_once('=') else {
        let message = format!("`--set {setting}` has no value");
        return Err(Diagnostic::error(Code::Usage, message).help("write it as `--set NAME=VALUE`").into());
    };
    let (id, source) = texts.add("--set", setting);
    let start = name.len() + 1;
    let padded = format!("{}{value}", " ".repeat(start));
    let value_at = Mark { source: id, offset: u32::try_from(start).unwrap_or(0) };
    // What cannot be read may be a password.
    let read = parse::parse(&padded, id).inspect_err(|_| texts.hide(value_at));
    let node = read?.pop().unwrap_or_else(|| {
        // An empty value is an empty text, not a null.
        Node::string("", value_at)
    });
    drop(source);
    let mark = Mark { source: id, offset: 0 };
    let (tree, path) = match name.strip_prefix("facts.") {
        Some(path) => (&mut stack.facts, path),
        None => (&mut stack.parameters, name),
    };
    let steps: Vec<&str> = path.split('.').collect();
    if steps.iter().any(|step| step.is_empty()) {
        let message = format!("`{name}` is no name of a parameter");
        return Err(Diagnostic::error(Code::Usage, message).at(mark).into());
    }
    put(tree, &steps, node, mark);
    Ok(())
}

fn put(tree: &mut Node, steps: &[&str], value: Node, mark: Mark) {
    let Some((step, rest)) = steps.split_first() else {
        *tree = value;
        return;
    };
    if tree.as_map().is_none() {
        *tree = Node::map(Map::new(), mark);
    }
    let Some(map) = tree.as_map_mut() else { return };
    if !map.contains(step) {
        map.push(Entry { key: Key::new(step, mark), value: Node::null(mark) });
    }
    if let Some(below) = map.get_mut(step) {
        put(below, rest, value, mark);
    }
}

/// `gke+gpu` becomes `gke-gpu`.
pub(super) fn dns_name(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String =
        name.trim_matches(|c: char| !c.is_ascii_alphanumeric()).chars().map(allowed).take(50).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "my-app".to_owned() } else { name.to_owned() }
}

/// The name of a stack in a folder: the folder's own, as far as names may be so.
pub(super) fn stack_name(folder: &Path) -> String {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    match full.file_name() {
        Some(name) => dns_name(&name.to_string_lossy()),
        None => "ml-platform".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{dns_name, stack_name};
    use std::path::Path;

    #[test]
    fn names_fit_into_labels() {
        assert_eq!(dns_name("gke+gpu"), "gke-gpu");
        assert_eq!(dns_name("../My App"), "my-app");
        assert_eq!(dns_name("++"), "my-app");
        let long = format!("{}-b", "a".repeat(49));
        assert_eq!(dns_name(&long), "a".repeat(49), "what is cut does not end with a hyphen");
    }

    #[test]
    fn a_stack_is_named_after_its_folder() {
        assert_eq!(stack_name(Path::new("clusters/Prod EU")), "prod-eu");
        assert_eq!(stack_name(Path::new("/")), "ml-platform");
        let here = std::env::current_dir().unwrap();
        assert_eq!(stack_name(Path::new("")), dns_name(&here.file_name().unwrap().to_string_lossy()));
    }
}
