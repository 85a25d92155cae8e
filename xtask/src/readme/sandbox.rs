//! Where the commands of the README run: temporary directories with what they name, and a kubectl that keeps what it gets.

use crate::program::{Failure, command, failed, top};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A directory that a command runs in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// A kustomization root, the second commit of a repository, with the files that commands name.
    Root,
    /// The directory of a stack.
    Stack,
    /// Resources without a kustomization.
    Resources,
    /// Only goldens.
    Goldens,
    /// This repository.
    Repository,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Stack => "stack",
            Self::Resources => "resources",
            Self::Goldens => "goldens",
            Self::Repository => "",
        }
    }
}

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  selector:\n    matchLabels:\n      app: web\n  \
    template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n      - name: web\n        image: web:v1\n";
const ROOT: &str = "resources:\n- web.yaml\n";
/// Waiting takes no time, and finds that everything is ready.
const KUBECTL: &str = "#!/bin/sh\nif [ \"$1\" = apply ]; then cat >>\"$APPLIED\"; fi\n";

pub(crate) struct Sandbox {
    folder: TempDir,
    path: OsString,
}

impl Sandbox {
    /// Prepares everything; `program` is what is run as kfc and kustomize.
    pub(crate) fn new(program: &Path) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let programs = folder.path().join("bin");
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(programs).chain(std::env::split_paths(&inherited));
        let path = std::env::join_paths(paths).map_err(|error| Failure(error.to_string()))?;
        let sandbox = Self { folder, path };
        sandbox.add_programs(program)?;
        sandbox.add_roots()?;
        sandbox.add_goldens()?;
        sandbox.add_stack()?;
        Ok(sandbox)
    }

    fn at(&self, place: Place, path: &str) -> PathBuf {
        match place {
            Place::Repository => top().join(path),
            place => self.folder.path().join(place.name()).join(path),
        }
    }

    fn write(&self, place: Place, path: &str, text: &str) -> Result<(), Failure> {
        let file = self.at(place, path);
        std::fs::create_dir_all(file.parent().unwrap_or(&file))?;
        Ok(std::fs::write(file, text)?)
    }

    #[cfg(unix)]
    fn add_programs(&self, program: &Path) -> Result<(), Failure> {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let programs = self.folder.path().join("bin");
        std::fs::create_dir(&programs)?;
        for name in ["kfc", "kustomize"] {
            symlink(program.canonicalize()?, programs.join(name))?;
        }
        std::fs::write(programs.join("kubectl"), KUBECTL)?;
        Ok(std::fs::set_permissions(programs.join("kubectl"), std::fs::Permissions::from_mode(0o755))?)
    }

    #[cfg(not(unix))]
    fn add_programs(&self, program: &Path) -> Result<(), Failure> {
        failed(format!("{} needs a shell", program.display()))
    }

    /// A root in two commits, and in it another one, which the README calls DIR.
    fn add_roots(&self) -> Result<(), Failure> {
        for root in ["", "DIR/"] {
            self.write(Place::Root, &format!("{root}kustomization.yaml"), ROOT)?;
            self.write(Place::Root, &format!("{root}web.yaml"), DEPLOYMENT)?;
        }
        self.write(Place::Root, "old.yaml", DEPLOYMENT)?;
        self.write(Place::Resources, "web.yaml", DEPLOYMENT)?;
        let commit = "git init --quiet && git add --all && git -c user.name=Test -c user.email=test@example.com commit --quiet -m";
        self.must(&format!("{commit} one"), Place::Root)?;
        self.write(Place::Root, "web.yaml", &DEPLOYMENT.replace("web:v1", "web:v2"))?;
        self.must(&format!("{commit} two"), Place::Root)
    }

    fn add_goldens(&self) -> Result<(), Failure> {
        for file in ["golden/gke.yaml", "golden/schemas.types"] {
            self.write(Place::Goldens, file, &crate::program::read(&top().join(file))?)?;
        }
        Ok(())
    }

    fn add_stack(&self) -> Result<(), Failure> {
        self.must("kfc init minikube ../stack", Place::Root)
    }

    /// Runs a line of shell.
    pub(crate) fn shell(&self, line: &str, place: Place) -> Result<Output, Failure> {
        let mut shell = command("sh", ["-c", line]);
        self.surround(&mut shell, place);
        Ok(shell.output()?)
    }

    fn must(&self, line: &str, place: Place) -> Result<(), Failure> {
        let output = self.shell(line, place)?;
        if output.status.success() {
            Ok(())
        } else {
            failed(format!("`{line}`: {}", String::from_utf8_lossy(&output.stderr)))
        }
    }

    fn surround(&self, command: &mut Command, place: Place) {
        command.current_dir(self.at(place, "")).stdin(Stdio::null());
        command.env("PATH", &self.path).env("APPLIED", self.folder.path().join("applied.yaml"));
    }

    /// The standard output of kfc, which has to succeed.
    pub(crate) fn kfc(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let mut kfc = command(self.folder.path().join("bin/kfc"), arguments);
        self.surround(&mut kfc, Place::Root);
        crate::program::output(&mut kfc)
    }

    /// All that kubectl was to apply since the last call.
    pub(crate) fn take_applied(&self) -> Result<Vec<u8>, Failure> {
        let file = self.folder.path().join("applied.yaml");
        let applied = std::fs::read(&file)?;
        std::fs::remove_file(file)?;
        Ok(applied)
    }

    /// A file in the root.
    pub(crate) fn file(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(std::fs::read(self.at(Place::Root, path))?)
    }

    /// The names in a directory of the root that end with this.
    pub(crate) fn names(&self, directory: &str, end: &str) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.at(Place::Root, directory))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name.ends_with(end));
        Ok(names)
    }
}
