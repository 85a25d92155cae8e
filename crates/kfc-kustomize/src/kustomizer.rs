//! The front door for programs that build kustomizations.

use crate::engine::{Bundle, Options, build};
use crate::resource::{Resource, write_objects};
use kfc_diagnostics::{Diagnostics, Sources, Style};
use kfc_kube::Object;
use kfc_kube::redaction::render;
use kfc_source::{FileSystem, Memory, Surroundings};
use kfc_yaml::emit;
use std::fmt;
use std::sync::Arc;

/// Builds kustomization roots.
///
/// ```
/// use kfc_kustomize::Kustomizer;
/// use kfc_source::Memory;
///
/// let files = Memory::new([
///     ("/base/kustomization.yaml", "resources: [config.yaml]"),
///     ("/base/config.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}"),
///     ("/overlays/prod/kustomization.yaml", "namePrefix: prod-\nresources: [../../base]"),
/// ]);
/// let built = Kustomizer::in_memory().run(&files, "overlays/prod")?;
/// assert_eq!(built.objects()[0].name(), "prod-web");
/// assert!(built.yaml()?.starts_with(b"apiVersion: v1\nkind: ConfigMap\n"));
/// # Ok::<(), kfc_kustomize::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Kustomizer {
    options: Options,
}

impl Kustomizer {
    /// A builder with these options. The file system that they name is replaced by that of [`Self::run`].
    ///
    /// ```
    /// use kfc_kustomize::Kustomizer;
    /// use kfc_kustomize::engine::{Options, Reorder};
    /// use kfc_source::{Memory, Surroundings};
    /// use std::sync::Arc;
    ///
    /// let mut options = Options::new(&Arc::new(Surroundings::in_memory(Memory::default()))).keeping_origins(true);
    /// options.reorder = Reorder::None;
    /// let files = Memory::new([
    ///     ("/overlays/prod/kustomization.yaml", "resources: [web.yaml]\nnamePrefix: prod-"),
    ///     ("/overlays/prod/web.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}"),
    /// ]);
    /// let built = Kustomizer::new(options).run(&files, "overlays/prod")?;
    /// let resource = &built.resources()[0];
    /// let name = resource.node.at(&["metadata", "name"]).unwrap();
    /// let steps: Vec<String> =
    ///     resource.history().chain(name.mark).iter().map(|link| link.step.kind.to_string()).collect();
    /// assert_eq!(steps, ["base", "namePrefix"]);
    /// # Ok::<(), kfc_kustomize::BuildError>(())
    /// ```
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// A builder that knows no variable, cache or credential. Paths start at `/`.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(Options::new(&Arc::new(Surroundings::in_memory(Memory::default()))))
    }

    /// Builds the root at a path of a file system, or at a URL. Relative paths start at the working directory of the
    /// options' surroundings.
    ///
    /// # Errors
    /// Everything that is wrong with the tree, as far as one run can find it.
    pub fn run<F>(&self, files: &F, root: &str) -> Result<Built, BuildError>
    where
        F: FileSystem + Clone + 'static,
    {
        let sources = Arc::new(Sources::default());
        let files: Arc<dyn FileSystem> = Arc::new(files.clone());
        let surroundings = Arc::new((*self.options.surroundings).clone().with_files(files));
        let options = Options { surroundings, ..self.options.clone() };
        match build(root, &options, &sources) {
            Ok(bundle) => Ok(Built { bundle, sources }),
            Err(errors) => Err(BuildError { errors, sources }),
        }
    }
}

/// What a root builds to.
#[derive(Clone, Debug)]
pub struct Built {
    bundle: Bundle,
    sources: Arc<Sources>,
}

impl Built {
    /// The objects, in the order of the output.
    #[must_use]
    pub fn objects(&self) -> Vec<&Object> {
        crate::resource::objects(&self.bundle.resources.list)
    }

    /// The objects with what the build knows of them: earlier names, and the provenance of fields if the options ask for it.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.bundle.resources.list
    }

    /// The bytes that `kustomize build` writes.
    ///
    /// # Errors
    /// Values that YAML cannot hold, as kustomize writes it.
    pub fn yaml(&self) -> Result<Vec<u8>, BuildError> {
        match write_objects(&self.bundle.resources.list, emit::emit_all) {
            Ok(parts) => Ok(parts.concat()),
            Err(errors) => Err(BuildError { errors, sources: Arc::clone(&self.sources) }),
        }
    }

    /// Warnings: deprecated fields, variables that nothing uses.
    #[must_use]
    pub fn warnings(&self) -> &Diagnostics {
        &self.bundle.warnings
    }
}

/// Why a root could not be built. Its `Display` shows each error with the line of its source and a suggestion; values of
/// Secrets are redacted.
#[derive(Clone, Debug)]
pub struct BuildError {
    errors: Diagnostics,
    sources: Arc<Sources>,
}

impl BuildError {
    /// The errors, one by one.
    #[must_use]
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.errors
    }

    /// The texts that the places of the errors point into.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const STYLE: Style = Style { colour: false, width: 140 };
        f.write_str(render(&self.errors, &self.sources, STYLE).trim_end())
    }
}

impl std::error::Error for BuildError {}

#[cfg(test)]
mod tests {
    use super::Kustomizer;
    use kfc_source::Memory;

    #[test]
    fn errors_are_shown_with_their_lines() {
        let files = Memory::new([("/a/kustomization.yaml", "namePrefx: a-\n")]);
        let error = Kustomizer::in_memory().run(&files, "a").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("a/kustomization.yaml:1:1") && text.contains("did you mean `namePrefix`?"),
            "{text}"
        );
        assert_eq!(error.diagnostics().0.len(), 1);
        let boxed: Box<dyn std::error::Error> = Box::new(error);
        assert!(boxed.to_string().contains("namePrefx"));
    }

    #[test]
    fn files_of_the_machine_are_not_seen_in_memory() {
        let files = Memory::new([("/a/kustomization.yaml", "resources: [../../etc/passwd]\n")]);
        assert!(Kustomizer::in_memory().run(&files, "a").is_err());
        assert!(Kustomizer::in_memory().run(&Memory::default(), "/").is_err());
    }
}
