//! `kustomize edit`.

pub(in crate::cli) use super::edit_args::EditCommand;

use super::edit_args::{
    AddCommand, AddLabels, ChangeCommand, Paths, RemoveCommand, SecretArgs, SetCommand, SetLabels,
};
use super::file::{self, File};
use crate::cli::exit::DONE;
use crate::cli::{here, output};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kustomize::edit::label::{COMMON_ANNOTATIONS, COMMON_LABELS};
use kfc_kustomize::edit::vars::ResourceFile;
use kfc_kustomize::edit::{Document, fix, generator, image, label, list, patch, vars};
use kfc_kustomize::engine;
use kfc_kustomize::kustomization::PLUGIN_KINDS;
use kfc_yaml::{Node, emit};
use std::path::Path;
use std::sync::Arc;

/// Changes the kustomization file of the working directory.
pub(in crate::cli) fn run(command: &EditCommand) -> u8 {
    let change = match command {
        EditCommand::ListBuiltinPlugins => return list_plugins(),
        EditCommand::Change(change) => change,
    };
    let sources = Arc::new(Sources::default());
    match edit(change, &sources) {
        Ok(warnings) => {
            output::report(&warnings, &sources);
            DONE
        }
        Err(errors) => output::fail(&errors, &sources, "the edit"),
    }
}

fn list_plugins() -> u8 {
    let lines: Vec<String> = PLUGIN_KINDS.iter().map(|kind| format!(" * {kind}\n")).collect();
    output::print(&format!("Builtin plugins:\n\n{}", lines.concat()))
}

fn edit(command: &ChangeCommand, sources: &Arc<Sources>) -> Result<Diagnostics> {
    let mut file = File::open(sources)?;
    let warnings = match command {
        ChangeCommand::Add { what } => add(what, &mut file)?,
        ChangeCommand::Set { what } => set(what, &mut file.document).map(|()| Diagnostics::default())?,
        ChangeCommand::Remove { what } => {
            remove(what, &mut file.document).map(|()| Diagnostics::default())?
        }
        ChangeCommand::Fix { vars } => return fix_file(file, *vars, sources),
    };
    file.save()?;
    Ok(warnings)
}

fn add(what: &AddCommand, file: &mut File) -> Result<Diagnostics> {
    let own_name = file.name.clone();
    let document = &mut file.document;
    let mut add_paths = |field: &str, paths: &Paths| {
        let mut found = file::expand(&paths.paths, !paths.no_verify)?;
        found.retain(|path| *path != own_name);
        Ok(list::add(document, field, &found))
    };
    match what {
        AddCommand::Resource(paths) | AddCommand::Base(paths) => add_paths("resources", paths),
        AddCommand::Component(paths) => add_paths("components", paths),
        AddCommand::Generator(paths) => add_paths("generators", paths),
        AddCommand::Transformer(paths) => add_paths("transformers", paths),
        AddCommand::Buildmetadata(names) => {
            list::check_build_metadata(&names.names)?;
            Ok(list::add(document, "buildMetadata", &names.names))
        }
        AddCommand::Annotation(args) => {
            done(label::add(document, COMMON_ANNOTATIONS, &label::pairs(&args.pairs)?, args.force))
        }
        AddCommand::Label(AddLabels { labels, force }) => done(add_labels(document, labels, *force)),
        AddCommand::Configmap(args) => done(generator::add(document, generator::CONFIG_MAPS, &args.entry())),
        AddCommand::Secret(SecretArgs { common, r#type }) => {
            let entry = generator::GeneratorEntry { secret_type: r#type.clone(), ..common.entry() };
            done(generator::add(document, generator::SECRETS, &entry))
        }
        AddCommand::Patch(args) => {
            let entry = args.entry();
            entry.check()?;
            let mut warnings = patch::add(document, &entry);
            if !entry.path.is_empty() {
                let found = file::expand(std::slice::from_ref(&entry.path), true);
                warnings.extend(found.err().unwrap_or_default().into_warnings());
            }
            Ok(warnings)
        }
    }
}

fn done(result: Result<()>) -> Result<Diagnostics> {
    result.map(|()| Diagnostics::default())
}

fn add_labels(document: &mut Document, args: &SetLabels, force: bool) -> Result<()> {
    let pairs = label::pairs(&args.pairs)?;
    if args.without_selector {
        label::add_without_selectors(document, &pairs, args.include_templates, force)
    } else {
        label::add(document, COMMON_LABELS, &pairs, force)
    }
}

fn set(what: &SetCommand, document: &mut Document) -> Result<()> {
    match what {
        SetCommand::Annotation(args) => {
            label::add(document, COMMON_ANNOTATIONS, &label::pairs(&args.pairs)?, true)
        }
        SetCommand::Label(args) => add_labels(document, args, true),
        SetCommand::Buildmetadata(names) => {
            list::check_build_metadata(&names.names)?;
            let items = names.names.iter().map(|name| Node::string(name, None));
            document.set_items("buildMetadata", items.collect());
            Ok(())
        }
        SetCommand::Configmap(args) => {
            generator::set(document, generator::CONFIG_MAPS, &args.entry(), &args.new_namespace)
        }
        SetCommand::Secret(args) => {
            generator::set(document, generator::SECRETS, &args.entry(), &args.new_namespace)
        }
        SetCommand::Image(args) => image::set_images(document, &args.texts),
        SetCommand::Replicas(args) => image::set_replicas(document, &args.texts),
        SetCommand::Nameprefix(args) => {
            document.set_text("namePrefix", &args.text);
            Ok(())
        }
        SetCommand::Namesuffix(args) => {
            document.set_text("nameSuffix", &args.text);
            Ok(())
        }
        SetCommand::Namespace(args) => {
            document.set_text("namespace", &args.text);
            Ok(())
        }
    }
}

fn remove(what: &RemoveCommand, document: &mut Document) -> Result<()> {
    match what {
        RemoveCommand::Annotation(args) => {
            label::remove(document, COMMON_ANNOTATIONS, &args.keys, args.ignore_non_existence)
        }
        RemoveCommand::Label(args) => {
            label::remove(document, COMMON_LABELS, &args.keys, args.ignore_non_existence)
        }
        RemoveCommand::Buildmetadata(args) => {
            list::check_build_metadata(&args.names)?;
            list::remove(document, &["buildMetadata"], &args.names)
        }
        RemoveCommand::Resource(args) => {
            list::remove(document, &["resources", "bases"], &file::expand_or_keep(&args.texts))
        }
        RemoveCommand::Component(args) => {
            list::remove(document, &["components"], &file::expand_or_keep(&args.texts))
        }
        RemoveCommand::Generator(args) => {
            list::remove(document, &["generators"], &file::expand_or_keep(&args.texts))
        }
        RemoveCommand::Transformer(args) => {
            list::remove(document, &["transformers"], &file::expand_or_keep(&args.texts))
        }
        RemoveCommand::Configmap(args) => {
            generator::remove(document, generator::CONFIG_MAPS, &args.names, &args.namespace)
        }
        RemoveCommand::Secret(args) => {
            generator::remove(document, generator::SECRETS, &args.names, &args.namespace)
        }
        RemoveCommand::Patch(args) => {
            let entry = args.entry();
            entry.check()?;
            patch::remove(document, &entry)
        }
    }
}

/// Fixes the file, and warns when the root builds to something else afterwards.
fn fix_file(mut file: File, with_vars: bool, sources: &Arc<Sources>) -> Result<Diagnostics> {
    let before = bundle();
    let moved = fix::fix(&mut file.document, |path| Path::new(path).is_file())?;
    let mut warnings = Diagnostics::default();
    if with_vars {
        warnings.extend(convert_vars(&mut file.document, sources)?);
    }
    file.save()?;
    for field in moved {
        output::note(&format!("fixed: {field}"));
    }
    if before.is_some() && before != bundle() {
        let warning = Diagnostic::warning(Code::Edit, "the root builds to another bundle than before");
        warnings.push(warning.help("compare the two bundles: the order of patches may have changed"));
    }
    Ok(warnings)
}

fn convert_vars(document: &mut Document, sources: &Arc<Sources>) -> Result<Diagnostics> {
    let items = ["resources", "patches"].into_iter().flat_map(|field| document.items(field));
    let paths = items.filter_map(|item| item.as_text().or_else(|| item.get("path")?.as_text()));
    let mut errors = Diagnostics::default();
    let mut files = Vec::new();
    for path in paths.filter(|path| Path::new(path).is_file()) {
        if let Some((text, documents)) = errors.collect(file::read(path, sources)) {
            files.push(ResourceFile { path: path.to_owned(), text, documents });
        }
    }
    errors.into_result(())?;
    let texts: Vec<String> = files.iter().map(|file| file.text.clone()).collect();
    let warnings = vars::convert(document, &mut files)?;
    for (file, before) in files.iter().zip(texts).filter(|(file, before)| file.text != *before) {
        drop(before);
        file::write(&file.path, &file.text)?;
    }
    Ok(warnings)
}

/// What the root of the working directory builds to now, if it builds.
fn bundle() -> Option<Vec<u8>> {
    let bundle = engine::build(".", &here::builds(), &Arc::new(Sources::default())).ok()?;
    let nodes: Vec<&Node> = bundle.resources.list.iter().map(|resource| &resource.node).collect();
    Some(emit::emit_all(&nodes).ok()?.concat())
}
