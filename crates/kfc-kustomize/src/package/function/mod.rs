//! `kustomize fn run`: functions that a directory or stream of resources describes, run on its resources one after the other.
//!
//! [`scope`] has which resources a function works on, [`comments`] what of them a function need not keep. The rules are those of
//! `runfn` of kyaml 0.21.1.

mod comments;
mod explicit;
mod scope;

use super::annotations::{self, ID, LEGACY_ID, Meta};
use super::migration::with_migration;
use super::output::{Output, Wrapping, write};
use super::read::{Input, Located, Scope, Stream, read_located, stream};
use crate::invocation::Invocation;
use crate::kustomization::function::{self, FunctionProgram, FunctionSpec, MARKS_OF_FUNCTIONS};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId, Sources};
use kfc_kube::redaction::note_target;
use kfc_kube::schema::Schema;
use kfc_source::{FunctionOptions, Runner};
use kfc_yaml::styled::{Comments, StyledDocument, StyledNode, write as write_document};
use kfc_yaml::{Node, parse};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use explicit::{exec_function, function_config, image_function};

/// What functions read.
const LIST_KIND: &str = "ResourceList";
const LIST_VERSION: &str = "config.kubernetes.io/v1";

/// Which functions run, and how.
pub struct FunctionRun<'a> {
    /// Where files are read.
    pub input: Input<'a>,
    /// What functions may do.
    pub options: &'a FunctionOptions,
    /// The types of resources, by which items of lists find their comments.
    pub schema: &'a Schema,
    /// Whether functions of the resources work on all of them, not only on those of their directory.
    pub is_global: bool,
    /// Directories with functions that run instead of those of the resources.
    pub directories: &'a [String],
    /// A function that runs instead of those of the resources.
    pub explicit: Option<StyledNode>,
    /// Reports the program of each function before it runs.
    pub report: &'a dyn Fn(&str),
}

/// What became of resources.
#[derive(Debug, Default)]
pub struct Ran {
    /// The resources; none when a function failed, or left none: nothing is to be written then.
    pub resources: Option<Vec<StyledDocument>>,
    /// Texts of results, by the name of their file.
    pub results: Vec<(String, String)>,
    /// What failed, also what was to be reported at the end.
    pub errors: Diagnostics,
}

/// Runs functions on resources.
#[must_use]
pub fn run_functions(resources: Vec<Located>, run: &FunctionRun<'_>) -> Ran {
    let mut ran = Ran::default();
    match run.pipeline(resources, &mut ran) {
        Ok(resources) => ran.resources = resources,
        Err(errors) => ran.errors.extend(errors),
    }
    ran
}

/// A function that is going to run.
struct Function {
    spec: FunctionSpec,
    /// Its description, as it reads it.
    config: StyledNode,
    /// Which of the resources describes it.
    place: Option<usize>,
    /// Whether it works on all resources.
    is_global: bool,
    name: String,
    /// The name of the file for its results.
    results: String,
}

impl Function {
    fn program(&self) -> &str {
        match &self.spec.program {
            FunctionProgram::Exec(exec) => &exec.path,
            FunctionProgram::Container(container) => &container.image,
        }
    }
}

impl FunctionRun<'_> {
    fn pipeline(&self, resources: Vec<Located>, ran: &mut Ran) -> Result<Option<Vec<StyledDocument>>> {
        let mut functions = self.functions(&resources)?;
        let mut documents: Vec<_> = resources.into_iter().map(|resource| resource.document).collect();
        for at in 0..functions.len() {
            documents = with_migration(documents, |mut documents| {
                if at == 0 {
                    note_configurations(&mut functions, &mut documents)?;
                }
                self.run_one(&functions[at], documents, ran)
            })?;
            if documents.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(documents))
    }

    /// The functions in the order in which they run.
    fn functions(&self, resources: &[Located]) -> Result<Vec<Function>> {
        let mut found = Vec::new();
        let mut errors = Diagnostics::default();
        if self.explicit.is_none() && self.directories.is_empty() {
            let mut described = Vec::new();
            for (at, resource) in resources.iter().enumerate() {
                if let Some(function) = errors.collect(self.function(resource, Some(at))).flatten() {
                    described.push((Meta::of(&resource.document.root), function));
                }
            }
            found = scope::in_order(described);
        }
        for directory in self.directories {
            for resource in read_located(&self.input, directory, Scope::Everything)? {
                found.extend(errors.collect(self.function(&resource, None)).flatten());
            }
        }
        if let Some(config) = &self.explicit {
            let document = StyledDocument { root: config.clone(), comments: Comments::default() };
            found.extend(errors.collect(self.function(&Located { document, node: None }, None)).flatten());
        }
        for (number, function) in found.iter_mut().enumerate() {
            function.results = format!("results-{number}.yaml");
        }
        errors.into_result(found)
    }

    /// The function that a resource describes, if it does.
    fn function(&self, resource: &Located, place: Option<usize>) -> Result<Option<Function>> {
        let config = &resource.document.root;
        let meta = Meta::of(config);
        if !describes_function(config, &meta) {
            return Ok(None);
        }
        let node = match &resource.node {
            Some(node) => node.clone(),
            None => unlocated(&resource.document)?,
        };
        let Some(spec) = function::read(&node, self.input.sources)? else { return Ok(None) };
        let name = format!("the function {} `{}`", meta.kind, meta.name);
        let is_exec = matches!(spec.program, FunctionProgram::Exec(_));
        if is_exec && !self.options.exec {
            let message = format!("{name} is an exec function, and those are not enabled");
            return Err(Diagnostic::error(Code::Plugin, message)
                .at(spec.mark)
                .help("add `--enable-exec`")
                .into());
        }
        // kustomize has no such rule for exec functions.
        let is_global = self.is_global || (place.is_none() && !is_exec);
        let (config, results) = (config.clone(), String::new());
        Ok(Some(Function { spec, config, place, is_global, name, results }))
    }

    /// Runs a function on the resources that are in its scope.
    fn run_one(
        &self,
        function: &Function,
        documents: Vec<StyledDocument>,
        ran: &mut Ran,
    ) -> Result<Vec<StyledDocument>> {
        (self.report)(function.program());
        let scope = scope::scope_of(&Meta::of(&function.config));
        let (mut given, saved): (Vec<_>, Vec<_>) =
            documents.into_iter().partition(|document| is_given(document, function, &scope));
        number(&mut given)?;
        let printed = self.printed(function, given.clone(), ran)?;
        let is_item = printed.is_list;
        let mut documents: Vec<_> = printed.resources.into_iter().map(|resource| resource.document).collect();
        for document in &mut documents {
            self.recognize(document, &given, is_item).map_err(|errors| printed_wrongly(errors, function))?;
        }
        for document in &mut documents {
            scope::default_path(document, &scope).map_err(|error| printed_wrongly(error.into(), function))?;
        }
        documents.extend(saved);
        Ok(documents)
    }

    /// What a function prints for resources.
    fn printed(&self, function: &Function, given: Vec<StyledDocument>, ran: &mut Ran) -> Result<Stream> {
        let runner: &Arc<dyn Runner> = self.options.runner.as_ref().ok_or_else(|| {
            Diagnostic::error(Code::Plugin, "functions are not enabled").at(function.spec.mark)
        })?;
        let invocation = self.invocation(function, runner.as_ref());
        let call = invocation.call(&function.spec, resource_list(given, &function.config)?.into_bytes())?;
        let finished = invocation.finished(&call)?;
        let failure = invocation.failure_of(&finished);
        let text = String::from_utf8(finished.stdout)
            .map_err(|_| invocation.error(format!("{} printed bytes that are not text", function.name)));
        let printed = text.map_err(Diagnostics::from).and_then(|text| {
            // What cannot be read may be a secret.
            let read = stream(&text, self.input.sources, &invocation.output_name());
            read.inspect_err(|errors| note_secrets(errors, self.input.sources))
        });
        if let Ok(Stream { results: Some(results), .. }) = &printed {
            ran.results.push((function.results.clone(), text_of(results.clone())));
        }
        match failure {
            Some(failure) if !function.spec.defers_failure => Err(failure.into()),
            failure => {
                ran.errors.extend(failure.map(Diagnostics::from).unwrap_or_default());
                printed
            }
        }
    }

    fn invocation<'s>(&'s self, function: &'s Function, runner: &'s dyn Runner) -> Invocation<'s> {
        Invocation {
            name: function.name.clone(),
            mark: function.spec.mark,
            directory: self.input.working_directory,
            options: self.options,
            runner,
            sources: self.input.sources,
            real_path: Box::new(|path| self.real_path(path, function.spec.mark)),
        }
    }

    /// The real path of what a function mounts, which has to be in the working directory.
    fn real_path(&self, path: &str, mark: Mark) -> Result<std::path::PathBuf> {
        let refused = |why: &str| Diagnostic::error(Code::Plugin, format!("`{path}` {why}")).at(mark);
        let directory = self.input.working_directory;
        let real = |path: &Path| self.input.files.canonicalize(path);
        let path = real(&directory.join(path)).map_err(|_| refused("does not exist"))?;
        let top = real(directory).map_err(|_| refused("does not exist"))?;
        if path.starts_with(top) { Ok(path) } else { Err(refused("leads out of the directory").into()) }
    }

    /// Gives a resource that a function printed what functions need not keep, if it was given to it.
    fn recognize(&self, printed: &mut StyledDocument, given: &[StyledDocument], is_item: bool) -> Result<()> {
        let meta = Meta::of(&printed.root);
        let id = meta.annotation(ID).or_else(|| meta.annotation(LEGACY_ID));
        let at = id.and_then(|id| id.parse::<usize>().ok()).and_then(|id| id.checked_sub(1));
        let Some(given) = at.and_then(|at| given.get(at)) else { return Ok(()) };
        comments::restore(given, printed, is_item, self.schema)?;
        annotations::clear(&mut printed.root, ID)?;
        annotations::clear(&mut printed.root, LEGACY_ID)?;
        Ok(())
    }
}

/// Notes that the texts with errors may be those of Secrets.
fn note_secrets(errors: &Diagnostics, sources: &Sources) {
    for mark in errors.0.iter().filter_map(|error| error.mark) {
        note_target(sources, mark.source, "Secret");
    }
}

/// Errors in what a function printed, which has no place of its own.
fn printed_wrongly(errors: Diagnostics, function: &Function) -> Diagnostics {
    let at = |error: Diagnostic| error.at(function.spec.mark).note(format!("{} printed it", function.name));
    Diagnostics(errors.0.into_iter().map(at).collect())
}

/// Whether a resource may describe a function.
fn describes_function(config: &StyledNode, meta: &Meta) -> bool {
    let has_field = |name: &str| config.get("metadata").is_some_and(|metadata| metadata.get(name).is_some());
    MARKS_OF_FUNCTIONS.iter().any(|name| meta.annotation(name).is_some() || has_field(name))
}

/// The description of a function whose places are not known.
fn unlocated(document: &StyledDocument) -> Result<Node> {
    let nodes = parse::parse(&write_document(document), SourceId::NONE)?;
    Ok(nodes.into_iter().next().unwrap_or_else(|| Node::null(None)))
}

/// Notes in the configurations of functions what their resources have when the first function runs, as in kustomize, where both
/// are one object.
fn note_configurations(functions: &mut [Function], documents: &mut [StyledDocument]) -> Result<()> {
    let Some(first) = functions.first() else { return Ok(()) };
    let scope = scope::scope_of(&Meta::of(&first.config));
    let mut given: Vec<StyledDocument> = Vec::new();
    let mut places = Vec::new();
    for (place, document) in documents.iter().enumerate() {
        if is_given(document, first, &scope) {
            places.push(place);
            given.push(document.clone());
        }
    }
    number(&mut given)?;
    for (place, document) in places.into_iter().zip(given) {
        documents[place] = document;
    }
    for function in functions {
        if let Some(document) = function.place.and_then(|place| documents.get(place)) {
            function.config = document.root.clone();
        }
    }
    Ok(())
}

/// Numbers the resources that a function is given, by which they are found again.
fn number(given: &mut [StyledDocument]) -> Result<()> {
    for (at, document) in given.iter_mut().enumerate() {
        let id = (at + 1).to_string();
        annotations::set(&mut document.root, ID, &id)?;
        annotations::set(&mut document.root, LEGACY_ID, &id)?;
    }
    Ok(())
}

fn resource_list(given: Vec<StyledDocument>, config: &StyledNode) -> Result<String> {
    let wrapping = Wrapping {
        kind: LIST_KIND.to_owned(),
        api_version: LIST_VERSION.to_owned(),
        function_config: Some(config.clone()),
    };
    write(given, &Output { keeps_index: true, keeps_path: true, wrapping: Some(wrapping), style: None })
}

fn text_of(root: StyledNode) -> String {
    write_document(&StyledDocument { root, comments: Comments::default() })
}

/// The files of a directory with these resources, by their path in it.
///
/// # Errors
/// Paths that lead out of the directory, and what [`write()`] refuses.
pub fn files_of(mut resources: Vec<StyledDocument>) -> Result<BTreeMap<String, String>> {
    annotations::default_index(&mut resources)?;
    let mut files: BTreeMap<String, Vec<(usize, StyledDocument)>> = BTreeMap::new();
    for resource in resources {
        let meta = Meta::of(&resource.root);
        let path = meta.annotation(annotations::PATH).unwrap_or_default().to_owned();
        if path.starts_with('/') || super::read::clean(&path).contains("..") || path.is_empty() {
            let message = format!(
                "{} {} is for the file `{path}`, which is not in the directory",
                meta.kind, meta.name
            );
            let help = format!("change its annotation `{}`", annotations::PATH);
            return Err(Diagnostic::error(Code::Plugin, message).help(help).into());
        }
        let index = meta.annotation(annotations::INDEX).unwrap_or_default();
        let Ok(index) = index.parse() else {
            let message = format!("`{index}` is not the place of {} {} in a file", meta.kind, meta.name);
            let help = format!("change its annotation `{}`", annotations::INDEX);
            return Err(Diagnostic::error(Code::Plugin, message).help(help).into());
        };
        files.entry(super::read::clean(&path)).or_default().push((index, resource));
    }
    let mut texts = BTreeMap::new();
    for (path, mut resources) in files {
        resources.sort_by_key(|(index, _)| *index);
        let resources = resources.into_iter().map(|(_, resource)| resource).collect();
        texts.insert(path, write(resources, &Output::default())?);
    }
    Ok(texts)
}

/// The paths of the files that resources are from.
#[must_use]
pub fn paths_of(resources: &[Located]) -> Vec<String> {
    let mut paths: Vec<String> = resources
        .iter()
        .filter_map(|resource| {
            Some(Meta::of(&resource.document.root).annotation(annotations::PATH)?.to_owned())
        })
        .collect();
    paths.dedup();
    paths
}

/// Whether a function gets a document.
fn is_given(document: &StyledDocument, function: &Function, scope: &str) -> bool {
    function.is_global || scope::is_in_scope(&Meta::of(&document.root), scope)
}
