//! Container functions, run by docker or podman with the arguments that kustomize gives docker: without a network, as nobody,
//! without new privileges.

use super::Invocation;
use crate::kustomization::function::{ContainerSpec, Mount};
use kfc_diagnostics::Result;
use kfc_source::{Call, Caller};
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// The user that a container runs as when the command line does not say.
const NOBODY: &str = "nobody";
/// Variables of every container.
const DEFAULTS: [&str; 2] = ["LOG_TO_STDERR", "STRUCTURED_RESULTS"];

impl Invocation<'_> {
    pub(super) fn container_call(&self, container: &ContainerSpec, input: Vec<u8>) -> Result<Call> {
        let Some(program) = self.runner.engine() else {
            let error = self.error(format!("{} needs docker or podman, and `PATH` has neither", self.name));
            return Err(error.into());
        };
        let options = self.options;
        let network = match (&options.network, container.network) {
            (_, false) => "none",
            (Some(network), true) => network,
            (None, true) => {
                let error = self.error(format!("{} needs a network, and none is enabled", self.name));
                return Err(error.help("add `--network` to give it that of this machine").into());
            }
        };
        if container.image.starts_with('-') {
            return Err(self.error("the name of an image does not begin with `-`").into());
        }
        let user = options.user.as_deref().unwrap_or(NOBODY);
        let fixed = ["run", "--rm", "-i", "-a", "STDIN", "-a", "STDOUT", "-a", "STDERR"];
        let mut arguments: Vec<String> = fixed
            .into_iter()
            .chain(["--network", network, "--user", user, "--security-opt=no-new-privileges"])
            .map(str::to_owned)
            .collect();
        for mount in &container.mounts {
            arguments.extend(["--mount".to_owned(), self.mount_of_tree(mount)?]);
        }
        for mount in &options.mounts {
            arguments.extend(["--mount".to_owned(), self.mount_of_user(mount)]);
        }
        arguments.extend(self.variables_of(container)?);
        arguments.push(container.image.clone());
        Ok(Call {
            caller: Caller::Engine,
            program,
            arguments,
            directory: self.directory.to_owned(),
            variables: self.passed().collect(),
            input,
        })
    }

    /// A mount that the tree asks for: only of what the root may read, or of memory.
    fn mount_of_tree(&self, mount: &Mount) -> Result<String> {
        let refused = |why: &str| Err(self.error(format!("a mount of {}: {why}", self.name)).into());
        let is_plain = |text: &str| !text.contains([',', '"', '\n', '\r']);
        if !is_plain(&mount.source) || !is_plain(&mount.target) {
            return refused("a path with a comma, quote or line break cannot be mounted");
        }
        if mount.target.is_empty() {
            return refused("it has no `dst`");
        }
        let source = Path::new(&mount.source);
        if source.is_absolute() || source.components().any(|part| part == Component::ParentDir) {
            return refused("`src` must be a path in the root");
        }
        match mount.kind.as_str() {
            "bind" => {
                let real = (self.real_path)(&mount.source)?;
                let real = real.display().to_string();
                if !is_plain(&real) {
                    return refused("a path with a comma, quote or line break cannot be mounted");
                }
                Ok(mount_argument("bind", &real, &mount.target, mount.is_writable))
            }
            "tmpfs" => Ok(format!("type=tmpfs,target={}", mount.target)),
            _ => refused("`type` must be `bind` or `tmpfs`"),
        }
    }

    /// A mount of the command line, in kustomize's form: `type=bind,src=PATH,dst=PATH,rw=true`.
    fn mount_of_user(&self, text: &str) -> String {
        let (mut kind, mut source, mut target, mut is_writable) = ("", "", "", false);
        for (key, value) in text.split(',').filter_map(|part| part.split_once('=')) {
            match key {
                "type" => kind = value,
                "src" | "source" => source = value,
                "dst" | "target" => target = value,
                "rw" => is_writable = value == "true",
                _ => {}
            }
        }
        let source = self.directory.join(source);
        mount_argument(kind, &source.display().to_string(), target, is_writable)
    }

    /// The flags for variables: values first, by name, then those that docker takes from the environment. The command line goes
    /// before the tree.
    fn variables_of(&self, container: &ContainerSpec) -> Result<Vec<String>> {
        let mut values = BTreeMap::new();
        let mut exported = Vec::new();
        for variable in &container.variables {
            match variable.split_once('=') {
                Some((name, value)) => _ = values.insert(name, value.to_owned()),
                None if self.knows_variable(Caller::Engine, variable) => exported.push(variable.as_str()),
                None => return Err(self.unknown_variable(variable).into()),
            }
        }
        values.extend(DEFAULTS.map(|name| (name, "true".to_owned())));
        // Their values are in the environment of docker: arguments can be read by every user of the machine.
        let passed = self.options.variables.iter().map(|(name, _)| name.as_str());
        for name in passed {
            values.remove(name);
            if !exported.contains(&name) {
                exported.push(name);
            }
        }
        let values = values.into_iter().map(|(name, value)| format!("{name}={value}"));
        let flags = values.chain(exported.into_iter().map(str::to_owned));
        Ok(flags.flat_map(|variable| ["-e".to_owned(), variable]).collect())
    }
}

fn mount_argument(kind: &str, source: &str, target: &str, is_writable: bool) -> String {
    let mode = if is_writable { "" } else { ",readonly" };
    format!("type={kind},source={source},target={target}{mode}")
}
