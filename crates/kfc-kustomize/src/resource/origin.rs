//! The origins that `buildMetadata` writes into annotations.

/// The origin of a resource or of a transformation, as kustomize's `originAnnotations` tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Path of the file, relative to the root of the build (or of the repository for a remote one).
    pub path: String,
    /// The remote repository.
    pub repo: String,
    /// The ref in it.
    pub reference: String,
    /// The file that configured the generator or transformer.
    pub configured_in: String,
    /// The generator or transformer: apiVersion, kind, name, namespace.
    pub configured_by: Option<ConfiguredBy>,
    /// The text of the annotation, of an origin that a program wrote there: it stays as it is.
    pub text: Option<String>,
}

/// The identity of a generator or transformer configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredBy {
    /// `builtin` for kustomization fields.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}
