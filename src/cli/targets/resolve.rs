//! Reads the stack or profile of a target, changes it as the arguments say, and resolves it.

use super::kind::Target;
use crate::cli::args::StackArgs;
use crate::cli::here;
use kfc_catalogue::assemble::{Assembled, assemble, assemble_with_origins, check_overlays};
use kfc_catalogue::catalogue::{Catalogue, DEFAULTS, Parameter, Place, Stack};
use kfc_catalogue::resolve::{Plan, other_name, resolve};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, Sources, nearest};
use kfc_kube::readiness::annotated;
use kfc_kustomize::resource::objects;
use kfc_source::Loader;
use kfc_validate::readiness;
use kfc_yaml::{Entry, Key, Map, Node, Spanned, parse};
use std::path::Path;
use std::sync::Arc;

/// What `--release` names instead of a release: the bases of the catalogue itself.
pub(in crate::cli) const OWN_BASES: &str = "catalog";

/// A stack that was resolved, with what is needed to assemble it.
#[derive(Debug)]
pub(in crate::cli) struct Resolved {
    pub(in crate::cli) plan: Plan,
    pub(in crate::cli) stack: Stack,
    pub(in crate::cli) catalogue: Catalogue,
    pub(in crate::cli) loader: Loader,
}

impl Resolved {
    /// The resources of its components, with the origin of every field when `keep_origins` asks for it.
    ///
    /// # Errors
    /// Those of [`assemble`], and conditions of readiness in annotations that are wrong.
    pub(in crate::cli) fn assemble(&self, keep_origins: bool) -> Result<Assembled> {
        let assemble = if keep_origins { assemble_with_origins } else { assemble };
        let assembled = assemble(&self.plan, &self.stack, &self.loader)?;
        readiness::check(&[], &annotated(objects(&assembled.bundle.resources.list)))?;
        Ok(assembled)
    }

    /// A setting of the command line as it may be shown: the value of a fact, and that of a parameter that is declared and not
    /// secret.
    pub(in crate::cli) fn shown_setting(&self, setting: &str) -> String {
        match setting.split_once('=') {
            Some((name, _)) if !is_open_setting(&self.catalogue, name) => format!("{name}=…"),
            _ => setting.to_owned(),
        }
    }
}

/// Reads the catalogue, and the stack of a target, as the arguments change it.
pub(in crate::cli) fn resolve_target(
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
pub(in crate::cli) fn resolve_with(
    loader: Loader,
    target: &Target,
    args: &StackArgs,
    texts: &Arc<Sources>,
) -> Result<Resolved> {
    let stack = match target {
        Target::Stack(file) => Stack::load(&loader, file)?,
        Target::Profile(profile) => Stack::of_profile(profile),
        Target::Root(path) => return Err(not_a_stack(path).into()),
    };
    resolve_stack(loader, stack, Some(target), args, texts)
}

/// Resolves a stack as the arguments change it; `target` is what it was read from, if anything.
pub(in crate::cli) fn resolve_stack(
    loader: Loader,
    mut stack: Stack,
    target: Option<&Target>,
    args: &StackArgs,
    texts: &Arc<Sources>,
) -> Result<Resolved> {
    change(&mut stack, args, (&loader, texts))?;
    let catalogue = catalogue(&loader, &stack, args)?;
    hide_parameters(&stack, &catalogue, texts);
    check_settings(&args.set, &catalogue)?;
    if let Some(Target::Profile(profile)) = target {
        check_profile(profile, &catalogue)?;
    }
    let plan = resolve(&catalogue, &stack).map_err(|mut errors| {
        errors.collect(check_overlays(&stack, &loader));
        errors
    })?;
    readiness::check(&plan.ready, &[])?;
    Ok(Resolved { plan, stack, catalogue, loader })
}

/// Redacts the values of parameters in the source lines of errors, unless they are declared and not secret.
fn hide_parameters(stack: &Stack, catalogue: &Catalogue, texts: &Sources) {
    let is_open = |declared: &[Parameter], name: &str| {
        declared.iter().any(|parameter| parameter.name.value == name && !parameter.is_secret())
    };
    let globals = catalogue.global_parameters();
    let given = stack.given.iter().chain([&stack.parameters]);
    for entry in given.filter_map(Node::as_map).flatten() {
        let name = entry.key.text.as_str();
        match (catalogue.components.get(name), entry.value.as_map()) {
            (Some(component), Some(own)) => own
                .iter()
                .filter(|own| !is_open(&component.parameters, &own.key.text))
                .for_each(|own| texts.hide(own.value.mark)),
            // Facts in a file of values.
            _ if name == "facts" || is_open(globals, name) => {}
            _ => texts.hide(entry.value.mark),
        }
    }
}

/// Refuses values that go on with another setting, as helm reads them: `domain=ml.example.org,user=alice@example.org`.
fn check_settings(settings: &[String], catalogue: &Catalogue) -> Result<()> {
    let mut errors = Diagnostics::default();
    for (name, value) in settings.iter().filter_map(|setting| setting.split_once('=')) {
        let mut parts = value.split(',').skip(1).filter_map(|part| Some(part.split_once('=')?.0.trim()));
        if let Some(next) = parts.find(|next| is_setting(catalogue, next)) {
            let message = format!("`--set {name}=…` sets one value, but its text goes on with `,{next}=`");
            let help = format!("repeat the flag: `--set {name}=… --set {next}=…`");
            errors.push(Diagnostic::error(Code::Usage, message).help(help));
        }
    }
    errors.into_result(())
}

/// Whether a name is that of a fact or parameter.
fn is_setting(catalogue: &Catalogue, name: &str) -> bool {
    let facts = catalogue.layers.get(DEFAULTS).map_or(&[][..], |defaults| &defaults.declares[..]);
    match name.strip_prefix("facts.") {
        Some(fact) => facts.iter().any(|declared| declared.name.value == fact),
        None => declared_parameter(catalogue, name).is_some(),
    }
}

/// Whether a setting has a value that may be shown.
pub(in crate::cli) fn is_open_setting(catalogue: &Catalogue, name: &str) -> bool {
    name.split('.').next() == Some("facts")
        || declared_parameter(catalogue, name).is_some_and(|parameter| !parameter.is_secret())
}

/// The parameter that a setting sets, or a part of it.
fn declared_parameter<'c>(catalogue: &'c Catalogue, name: &str) -> Option<&'c Parameter> {
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    let globals = catalogue.global_parameters();
    let own = rest.split('.').next().filter(|own| !own.is_empty());
    let (declared, name) = match (catalogue.components.get(first), own) {
        (Some(component), Some(own)) => (&component.parameters[..], own),
        _ => (globals, first),
    };
    declared.iter().find(|parameter| parameter.name.value == name)
}

/// The catalogue of a stack, with the directories that the arguments name.
pub(in crate::cli) fn catalogue(loader: &Loader, stack: &Stack, args: &StackArgs) -> Result<Catalogue> {
    let of_stack = stack.catalogues.iter().filter_map(|path| Some(stack.place_of(path)?.join(&path.value)));
    let directories: Vec<Place> =
        of_stack.chain(args.catalogue.iter().map(|directory| here::place(directory))).collect();
    let catalogue = if stack.builtin && !args.no_builtin {
        Catalogue::load(loader, &directories)?
    } else {
        Catalogue::load_only(loader, &directories)?
    };
    let here = || here::place(Path::new(""));
    let (named, from) = match (&args.release, &stack.release) {
        (Some(named), _) if named == OWN_BASES => return Ok(catalogue),
        (Some(named), _) => (Spanned::nowhere(named.clone()), here()),
        (None, Some(named)) => (named.clone(), stack.place_of(named).cloned().unwrap_or_else(here)),
        (None, None) => return Ok(catalogue),
    };
    let release = catalogue.release(loader, &named, &from)?;
    catalogue.at_release(&release)
}

fn not_a_stack(path: &str) -> Diagnostic {
    let message = format!("`{path}` is neither a profile nor a stack");
    Diagnostic::error(Code::Usage, message)
        .help("name a profile (`gke+gpu`), a `kfc.yaml`, or its directory; write one with `kfc init gke`")
}

/// The profile that a list of layers with another sign between them stands for: `gke,gpu`.
fn joined(profile: &str) -> Option<String> {
    let layers: Vec<&str> = profile.split([',', ' ']).filter(|layer| !layer.is_empty()).collect();
    (layers.len() > 1).then(|| layers.join("+"))
}

/// A single word may be a mistyped directory or a mistyped profile.
fn check_profile(profile: &str, catalogue: &Catalogue) -> Result<()> {
    let names = || catalogue.layers.keys().map(String::as_str);
    if let Some(layers) = joined(profile) {
        let message = format!("`{profile}` is not a profile: its layers are joined by `+`");
        let help = format!("did you mean `{layers}`?");
        return Err(Diagnostic::error(Code::Profile, message).help(help).into());
    }
    if profile.contains('+') || names().any(|name| name == profile) {
        return Ok(());
    }
    let message = format!("the profile, stack or directory `{profile}` does not exist");
    let error = Diagnostic::error(Code::Profile, message);
    Err(match other_name(profile).or_else(|| nearest(profile, names())) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("list the layers of profiles with `kfc list platforms`"),
    }
    .into())
}

fn change(stack: &mut Stack, args: &StackArgs, (loader, texts): (&Loader, &Arc<Sources>)) -> Result<()> {
    let named = |names: &[String]| -> Vec<Spanned<String>> {
        names.iter().map(|name| Spanned::nowhere(name.trim().to_owned())).collect()
    };
    if !args.components.is_empty() {
        *stack = stack.clone().with_components(&args.components);
    }
    stack.without.extend(named(&args.without));
    stack.present.extend(named(&args.present));
    let mut errors = Diagnostics::default();
    for file in &args.values {
        let path = Spanned::nowhere(file.to_string_lossy().into_owned());
        let values = Stack::read_values(loader, &here::place(Path::new("")), &path);
        if let Some(values) = errors.collect(values) {
            stack.add_values(&values);
        }
    }
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
    // A text that is not YAML may be a password.
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
        let message = format!("`{name}` is not a name of a parameter");
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

#[cfg(all(test, feature = "cluster"))]
mod tests {
    use super::is_open_setting;
    use crate::cli::here;
    use kfc_catalogue::catalogue::Catalogue;
    use kfc_diagnostics::Sources;
    use kfc_source::Loader;
    use std::sync::Arc;

    #[test]
    fn only_values_of_facts_and_of_declared_parameters_that_are_not_secret_are_shown() {
        let loader = Loader::here(here::reads(), &Arc::new(Sources::default()));
        let catalogue = Catalogue::load(&loader, &[]).unwrap();
        for open in ["domain", "facts.storage.class", "fairing.registry"] {
            assert!(is_open_setting(&catalogue, open), "{open}");
        }
        for hidden in ["dex.passwordHash", "mysql.password", "nobody.knows", "password", ""] {
            assert!(!is_open_setting(&catalogue, hidden), "{hidden}");
        }
    }
}
