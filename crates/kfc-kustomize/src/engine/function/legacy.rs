//! Legacy exec plug-ins: programs in the home of plug-ins, found by the group, version and kind of their configuration. They get a
//! file with the configuration as their first argument, and resources without a `ResourceList` around them.

use super::{External, shell_words};
use kfc_diagnostics::{Diagnostic, Result};
use kfc_source::{Call, Caller, write};
use kfc_yaml::{Node, emit};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// The most bytes that one variable may have on Linux; kustomize leaves out what is longer, too.
const LONGEST_VARIABLE: usize = 131_071;
/// The variable with the configuration.
const CONFIG: &str = "KUSTOMIZE_PLUGIN_CONFIG_STRING";
/// The variable with the directory of the root.
const ROOT: &str = "KUSTOMIZE_PLUGIN_CONFIG_ROOT";

impl External<'_> {
    /// Runs a legacy plug-in on resources, or as a generator without any. Returns what it prints.
    pub(super) fn run_legacy(&self, items: &[Node]) -> Result<Vec<u8>> {
        let invocation = self.invocation();
        let program = self.runner.plug_in(&self.place()?).map_err(|failure| self.no_plug_in(&failure.0))?;
        let loader = &self.root.loader;
        let mut config = Vec::new();
        emit::emit(&self.config, &mut config)?;
        let cannot_write = |why: String| self.error(format!("cannot write the configuration: {why}"));
        let scratch = loader
            .options()
            .surroundings
            .temporary_folder()
            .map_err(|error| cannot_write(write::describe(&error)))?;
        let file = scratch.path().join("config.yaml");
        write::scratch(&file, &config).map_err(|error| cannot_write(error.to_string()))?;
        let mut arguments = vec![file.to_string_lossy().into_owned()];
        arguments.extend(self.arguments()?);
        let config = String::from_utf8_lossy(&config).into_owned();
        let root = loader.root().as_os_str().to_owned();
        let own = [(CONFIG, OsString::from(config)), (ROOT, root)];
        let fits = |(name, value): &(&str, OsString)| name.len() + 1 + value.len() <= LONGEST_VARIABLE;
        let own = own.into_iter().filter(fits).map(|(name, value)| (name.into(), value));
        let call = Call {
            caller: Caller::Function,
            program: program.to_string_lossy().into_owned(),
            arguments,
            directory: loader.root().to_owned(),
            variables: invocation.passed().chain(own).collect(),
            input: emit::emit_all(&items.iter().collect::<Vec<_>>())?.concat(),
        };
        invocation.output_of(&call)
    }

    /// The path of the plug-in below the home of plug-ins: `GROUP/VERSION/kind/Kind`.
    fn place(&self) -> Result<PathBuf> {
        let text = |key: &str| self.config.get(key).and_then(Node::as_text).unwrap_or("");
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let parts: Vec<&str> = api_version.split('/').chain([kind]).collect();
        let is_name = |part: &&str| {
            let mut components = Path::new(part).components();
            matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
        };
        if parts.len() > 3 || !parts.iter().all(is_name) {
            let message = format!("`{api_version}` and `{kind}` are not the name of a plug-in");
            return Err(self.error(message).into());
        }
        let (kind, above) = parts.split_last().map_or(("", &parts[..]), |(kind, above)| (*kind, above));
        Ok(above.iter().collect::<PathBuf>().join(kind.to_lowercase()).join(kind))
    }

    fn no_plug_in(&self, why: &str) -> Diagnostic {
        let kind = self.config.get("kind").and_then(Node::as_text).unwrap_or("");
        self.error(format!("`{kind}` is not a built-in generator or transformer, and {why}"))
            .help("put the program there, or name one in the annotation `config.kubernetes.io/function`")
    }

    /// Further arguments: the words of `argsOneLiner`, then the lines of the file that `argsFromFile` names.
    fn arguments(&self) -> Result<Vec<String>> {
        let field = |key: &str| {
            self.config.get(key).filter(|node| node.as_text().is_some_and(|text| !text.is_empty()))
        };
        let mut arguments = Vec::new();
        if let Some(line) = field("argsOneLiner") {
            let words = shell_words::split(line.as_text().unwrap_or(""));
            arguments.extend(words.map_err(|why| self.error(why).at(line.mark))?);
        }
        if let Some(path) = field("argsFromFile") {
            let file = self.root.loader.load(path.as_text().unwrap_or(""), path.mark)?;
            let lines = file.source.text.split('\n').map(|line| line.trim_start_matches(' '));
            arguments.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
        }
        Ok(arguments)
    }
}
