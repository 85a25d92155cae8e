//! How the programs of functions and plug-ins are called: their arguments, environment and failures. [`container`] has what docker
//! and podman are given.

mod container;

use crate::kustomization::function::{ExecSpec, FunctionProgram, FunctionSpec};
use kfc_diagnostics::{Code, Diagnostic, Foreign, Mark, Result, Sources};
use kfc_source::door::clean;
use kfc_source::{Call, Caller, Finished, FunctionOptions, Runner};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Lines of standard error that a message repeats: the last ones say why a program failed.
const MOST_LINES: usize = 20;

/// Gets the real path of a path.
pub(crate) type RealPath<'a> = dyn Fn(&str) -> Result<PathBuf> + 'a;

/// A function or plug-in to run, and what decides how.
pub(crate) struct Invocation<'a> {
    /// How messages name it: "the function Edit `web`".
    pub name: String,
    /// Where it is described.
    pub mark: Mark,
    /// Where it runs, and what its paths are relative to.
    pub directory: &'a Path,
    /// What it may do.
    pub options: &'a FunctionOptions,
    /// What runs it.
    pub runner: &'a dyn Runner,
    /// Gets what it printed, for messages.
    pub sources: &'a Sources,
    /// The real path of what a tree mounts.
    pub real_path: Box<RealPath<'a>>,
}

impl Invocation<'_> {
    /// Runs a function on the text of a `ResourceList`. Returns what it prints.
    ///
    /// # Errors
    /// As [`output_of`](Self::output_of), and descriptions that ask for what is not allowed.
    pub(crate) fn run(&self, spec: &FunctionSpec, input: Vec<u8>) -> Result<Vec<u8>> {
        self.output_of(&self.call(spec, input)?)
    }

    /// The call of a function.
    ///
    /// # Errors
    /// Descriptions that ask for what is not allowed.
    pub(crate) fn call(&self, spec: &FunctionSpec, input: Vec<u8>) -> Result<Call> {
        if self.directory.parent().is_none() {
            return Err(self.error("a function cannot run in the root directory of the machine").into());
        }
        match &spec.program {
            FunctionProgram::Exec(exec) => self.exec_call(exec, input),
            FunctionProgram::Container(container) => self.container_call(container, input),
        }
    }

    fn exec_call(&self, exec: &ExecSpec, input: Vec<u8>) -> Result<Call> {
        let mut variables = Vec::new();
        for variable in &exec.variables {
            match variable.split_once('=') {
                Some((name, value)) => variables.push((OsString::from(name), OsString::from(value))),
                None if self.knows_variable(Caller::Function, variable) => {}
                None => return Err(self.unknown_variable(variable).into()),
            }
        }
        variables.extend(self.passed());
        // A path is relative to the directory, a single name is looked up in `PATH`.
        let is_path = Path::new(&exec.path).components().count() > 1 || exec.path.contains('/');
        let program = if is_path {
            clean(&self.directory.join(&exec.path)).to_string_lossy().into_owned()
        } else {
            exec.path.clone()
        };
        Ok(Call {
            caller: Caller::Function,
            program,
            arguments: exec.arguments.clone(),
            directory: self.directory.to_owned(),
            variables,
            input,
        })
    }

    /// An error about the function.
    pub(crate) fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::Plugin, message).at(self.mark)
    }

    /// What a program prints on standard output.
    ///
    /// # Errors
    /// A program that cannot be run, that exceeds a limit, and one that fails, with what it printed on standard error.
    pub(crate) fn output_of(&self, call: &Call) -> Result<Vec<u8>> {
        let finished = self.finished(call)?;
        self.failure_of(&finished).map_or(Ok(finished.stdout), |failure| Err(failure.into()))
    }

    /// What became of a program.
    ///
    /// # Errors
    /// A program that cannot be run, and one that exceeds a limit.
    pub(crate) fn finished(&self, call: &Call) -> Result<Finished> {
        self.runner.run(call).map_err(|failure| {
            let program = Foreign::new(&*call.program).message();
            self.error(format!("{} cannot run: `{program}` {}", self.name, failure.0)).into()
        })
    }

    /// Why a program failed, if it did.
    pub(crate) fn failure_of(&self, finished: &Finished) -> Option<Diagnostic> {
        if finished.status == Some(0) {
            return None;
        }
        // Secrets in what it printed are known from then on, so that no message repeats them.
        let printed = String::from_utf8_lossy(&finished.stdout);
        self.sources.add(self.output_name(), printed);
        let how = match finished.status {
            Some(status) => format!("exit status {status}"),
            None => "a signal ended it".to_owned(),
        };
        let lines = Foreign::of_bytes(&finished.stderr).lines();
        let rest = lines.len().saturating_sub(MOST_LINES);
        let error = self.error(format!("{} failed: {how}", self.name));
        let lines = lines.iter().skip(rest).filter(|line| !line.is_empty());
        Some(lines.fold(error, |error, line| error.note(line.message())))
    }

    /// How messages name what it prints.
    pub(crate) fn output_name(&self) -> String {
        format!("the output of {}", self.name)
    }

    /// The variables of the command line that a program gets from where the build runs.
    pub(crate) fn passed(&self) -> impl Iterator<Item = (OsString, OsString)> {
        self.options.variables.iter().filter_map(|(name, value)| Some((name.into(), value.clone()?)))
    }

    /// Whether the user passes a variable, or the runner does.
    fn knows_variable(&self, caller: Caller, name: &str) -> bool {
        self.options.variables.iter().any(|(own, _)| own == name)
            || self.runner.variable(caller, name).is_some()
    }

    fn unknown_variable(&self, name: &str) -> Diagnostic {
        let name = Foreign::new(name).message();
        self.error(format!("{} asks for the variable `{name}` of the environment", self.name))
            .help(format!("add `--env {name}` to pass it"))
            .note("functions get only a few variables, so that a tree cannot read your credentials")
    }
}
