//! Functions and external plug-ins: programs that a configuration under `generators`, `transformers` or `validators` asks for. They
//! run only if the options have a [`Runner`](kfc_source::Runner), and only for configurations of this machine.
//!
//! [`krm`] has what functions read and print, [`legacy`] the plug-ins that are older than
//! functions, [`notes`] what kustomize writes into annotations for both, [`settled`] and [`output`] what becomes of what they print.

mod krm;
mod legacy;
mod notes;
mod output;
mod settled;
mod shell_words;

use super::load::Root;
use super::origin;
use crate::invocation::Invocation;
use crate::kustomization::function::{self, FunctionProgram, FunctionSpec};
use crate::kustomization::plugin;
use crate::provenance::Step;
use crate::resource::{Resource, ResourceSet};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId};
use kfc_kube::redaction::note_target;
use kfc_source::Runner;
use kfc_yaml::{Node, Value, parse};
use std::sync::Arc;

/// The kind whose values are never shown.
const SECRET: &str = "Secret";

/// A program that a configuration asks for, with what it needs to run.
pub(super) struct External<'a> {
    root: &'a Root,
    /// The configuration, with marks that errors can show, and the annotations of a build that tracks origins.
    config: Node,
    /// Whether the build does.
    tracks_origins: bool,
    runner: Arc<dyn Runner>,
    kind: Kind,
}

enum Kind {
    Function(FunctionSpec),
    Legacy,
}

/// The program of a configuration; none for those of built-in plug-ins.
///
/// # Errors
/// [`Code::Plugin`] for a program that may not run, and descriptions of functions that are wrong.
pub(super) fn external<'a>(config: &Resource, root: &'a Root) -> Result<Option<External<'a>>> {
    let mut node = config.located_node().into_owned();
    if plugin::is_builtin(&node) {
        return Ok(None);
    }
    let spec = function::read(&node, root.loader.sources())?;
    let runner = permitted(&node, spec.as_ref(), root)?;
    let kind = spec.map_or(Kind::Legacy, Kind::Function);
    for (key, text) in origin::annotations(config)? {
        notes::set_annotation(&mut node, key, &text);
    }
    Ok(Some(External { root, config: node, tracks_origins: config.origin.is_some(), runner, kind }))
}

/// The runner, if the configuration may run its program.
fn permitted(config: &Node, spec: Option<&FunctionSpec>, root: &Root) -> Result<Arc<dyn Runner>> {
    let options = &root.loader.options().functions;
    let mark = spec.map_or(config.mark, |spec| spec.mark);
    let is_exec = spec.is_some_and(|spec| matches!(spec.program, FunctionProgram::Exec(_)));
    let Some(runner) = &options.runner else {
        let Some(_) = spec else { return Err(plugin::external(config).into()) };
        let (what, flags) = if is_exec {
            ("an exec function", "`--enable-alpha-plugins --enable-exec`")
        } else {
            ("a container function", "`--enable-alpha-plugins`")
        };
        let message = format!("this configuration asks for {what}, and functions are not enabled");
        return Err(Diagnostic::error(Code::Plugin, message)
            .at(mark)
            .help(format!("add {flags} to let kfc run it, or list its output under `resources`"))
            .note("kfc runs no program of a tree unless you enable it")
            .into());
    };
    if root.loader.repository().is_some() || !is_local(config, root) {
        return Err(from_elsewhere(mark).into());
    }
    if is_exec && !options.exec {
        let message = "this configuration asks for an exec function, and those are not enabled";
        return Err(Diagnostic::error(Code::Plugin, message).at(mark).help("add `--enable-exec`").into());
    }
    Ok(Arc::clone(runner))
}

/// The error for a program that text from elsewhere asks for.
fn from_elsewhere(mark: Mark) -> Diagnostic {
    Diagnostic::error(Code::Plugin, "a configuration that was fetched or generated asks for a program")
        .at(mark)
        .note("kfc runs only programs that files of this machine name")
        .help(
            "read it, and keep a copy of it in your tree: `kfc kustomize localize` makes one of a whole root",
        )
}

/// Refuses programs in configurations of a root that is partly from elsewhere: kustomize components and patches from there can
/// change what runs, and leave no trace in the configuration.
///
/// # Errors
/// One for each configuration that is not for a built-in plug-in.
pub(super) fn refuse_from_elsewhere(configs: &[Resource]) -> Result<()> {
    let external = configs.iter().filter(|config| !plugin::is_builtin(&config.node));
    let errors = external.map(|config| from_elsewhere(config.mark())).collect();
    Diagnostics(errors).into_result(())
}

/// Whether all of a configuration is text of files of this machine.
fn is_local(node: &Node, root: &Root) -> bool {
    let is_local = |mark: Mark| mark.known().is_none_or(|mark| root.loader.is_local_text(mark.source));
    is_local(node.mark)
        && match &node.value {
            Value::Map(map) => {
                map.iter().all(|entry| is_local(entry.key.mark) && self::is_local(&entry.value, root))
            }
            Value::Seq(items) => items.iter().all(|item| self::is_local(item, root)),
            Value::Scalar(_) => true,
        }
}

impl External<'_> {
    /// Runs the program as a generator.
    ///
    /// # Errors
    /// Those of the program, and output that is not resources.
    pub(super) fn generate(&self, warnings: &mut Diagnostics) -> Result<Vec<Resource>> {
        let printed = match &self.kind {
            Kind::Function(spec) => self.run_function(spec, None)?,
            Kind::Legacy => self.run_legacy(&[])?,
        };
        let mut resources = self.resources(printed, &[], warnings)?;
        resources.iter_mut().try_for_each(notes::take_generator_options)?;
        Ok(resources)
    }

    /// Runs the program as a transformer or validator.
    ///
    /// # Errors
    /// Those of the program, and output that is not resources.
    pub(super) fn transform(
        &self,
        set: &mut ResourceSet,
        step: &Step,
        warnings: &mut Diagnostics,
    ) -> Result<()> {
        let input: Vec<Node> = set.list.iter().map(notes::annotated).collect::<Result<_>>()?;
        let printed = match &self.kind {
            Kind::Function(spec) => self.run_function(spec, Some(input.clone()))?,
            Kind::Legacy => self.run_legacy(&input)?,
        };
        if printed.trim_ascii().is_empty() {
            let error = self.error(format!("{} printed nothing", self.name()));
            return Err(error.help("a transformer prints all resources that are to stay").into());
        }
        let mut printed = self.resources(printed, &input, warnings)?;
        if self.tracks_origins {
            for resource in &mut printed {
                origin::take_origin(resource)?;
                origin::take_transformations(resource)?;
            }
        }
        output::update(set, printed, step)
    }

    /// The resources that the program printed for those that it was given.
    fn resources(
        &self,
        printed: Vec<u8>,
        given: &[Node],
        warnings: &mut Diagnostics,
    ) -> Result<Vec<Resource>> {
        let Ok(text) = String::from_utf8(printed) else {
            return Err(self.error(format!("{} printed bytes that are not text", self.name())).into());
        };
        let sources = self.root.loader.sources();
        let (id, source) = sources.add(self.invocation().output_name(), text);
        let resources = self.read(&source.text, (id, given), warnings);
        if resources.is_err() {
            // What cannot be read may be a secret.
            note_target(sources, id, SECRET);
        }
        resources
    }

    fn read(
        &self,
        text: &str,
        (id, given): (SourceId, &[Node]),
        warnings: &mut Diagnostics,
    ) -> Result<Vec<Resource>> {
        let (documents, found) = parse::parse_resources(text, id)?;
        warnings.extend(found);
        let documents = match &self.kind {
            Kind::Function(_) => self.items(documents, given, warnings)?,
            Kind::Legacy => documents,
        };
        super::read::resources(documents, &self.root.schema)
    }

    /// How messages name it.
    fn name(&self) -> String {
        let text = |path: &[&str]| self.config.at(path).and_then(Node::as_text).unwrap_or("").to_owned();
        let what = match self.kind {
            Kind::Function(_) => "function",
            Kind::Legacy => "plug-in",
        };
        format!("the {what} {} `{}`", text(&["kind"]), text(&["metadata", "name"]))
    }

    /// Where it is configured.
    fn mark(&self) -> Mark {
        match &self.kind {
            Kind::Function(spec) => spec.mark,
            Kind::Legacy => self.config.mark,
        }
    }

    fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::Plugin, message).at(self.mark())
    }

    fn invocation(&self) -> Invocation<'_> {
        let loader = &self.root.loader;
        Invocation {
            name: self.name(),
            mark: self.mark(),
            directory: loader.root(),
            options: &loader.options().functions,
            runner: self.runner.as_ref(),
            sources: loader.sources(),
            real_path: Box::new(|path| loader.real_path(path, self.mark())),
        }
    }
}
