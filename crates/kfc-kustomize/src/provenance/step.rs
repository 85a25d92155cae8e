//! The steps of a build, named by the field that asks for them.

use crate::types::KeyPlaces;
use kfc_diagnostics::{Mark, SourceId};
use std::any::Any;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// The field, or other reason, that asks for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StepKind {
    /// No change yet: the value is in a file of `resources`.
    Base,
    /// `patches`.
    Patch,
    /// `patchesStrategicMerge`.
    PatchStrategicMerge,
    /// `patchesJson6902`.
    PatchJson6902,
    /// `namespace`.
    Namespace,
    /// `namePrefix`.
    NamePrefix,
    /// `nameSuffix`.
    NameSuffix,
    /// `labels`.
    Labels,
    /// `commonLabels`.
    CommonLabels,
    /// `commonAnnotations`.
    CommonAnnotations,
    /// `images`.
    Images,
    /// `replicas`.
    Replicas,
    /// `replacements`.
    Replacements,
    /// `vars`.
    Vars,
    /// `configMapGenerator`.
    ConfigMapGenerator,
    /// `secretGenerator`.
    SecretGenerator,
    /// `helmCharts`.
    HelmCharts,
    /// A file or root of `generators`.
    Generator,
    /// A file or root of `transformers`.
    Transformer,
    /// The content hash after a generated name.
    Hash,
    /// A field follows the name of the resource that it refers to.
    NameReference,
    /// A file of `configurations`.
    Configurations,
    /// What the command line or `buildMetadata` adds.
    BuildMetadata,
    /// A step of the program that uses the engine, by the name that is shown.
    Other(&'static str),
}

impl StepKind {
    /// As it is shown: the name of the field that asks for it where there is one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Patch => "patches",
            Self::PatchStrategicMerge => "patchesStrategicMerge",
            Self::PatchJson6902 => "patchesJson6902",
            Self::Namespace => "namespace",
            Self::NamePrefix => "namePrefix",
            Self::NameSuffix => "nameSuffix",
            Self::Labels => "labels",
            Self::CommonLabels => "commonLabels",
            Self::CommonAnnotations => "commonAnnotations",
            Self::Images => "images",
            Self::Replicas => "replicas",
            Self::Replacements => "replacements",
            Self::Vars => "vars",
            Self::ConfigMapGenerator => "configMapGenerator",
            Self::SecretGenerator => "secretGenerator",
            Self::HelmCharts => "helmCharts",
            Self::Generator => "generators",
            Self::Transformer => "transformers",
            Self::Hash => "name hash",
            Self::NameReference => "name reference",
            Self::Configurations => "configurations",
            Self::BuildMetadata => "build metadata",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A value that went into a step, with its own place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input {
    /// Its name as expressions have it: `parameters.dbSize`.
    pub name: String,
    /// Location of its value, if a text holds it.
    pub place: Option<Mark>,
    /// Location of the entry with the value, of which `place` may be one field. Else the same location.
    pub entry: Option<Mark>,
    /// Who set it, in the words of the program that uses the engine: `default`, `--set`.
    pub by: String,
    /// Whether its value must not be shown.
    pub secret: bool,
}

impl Input {
    /// A value at a place, which is not secret.
    #[must_use]
    pub fn new(name: impl Into<String>, place: impl Into<Option<Mark>>, by: impl Into<String>) -> Self {
        let place = place.into().and_then(Mark::known);
        Self { name: name.into(), place, entry: place, by: by.into(), secret: false }
    }
}

/// Details of a step for explanations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// A few words: `newTag v0.19`.
    pub text: String,
    /// What went into it.
    pub inputs: Vec<Input>,
}

/// What a step is a part of, for the program that uses the engine: the engine hands it on and never looks inside.
///
/// ```
/// use kfc_kustomize::provenance::Stage;
///
/// let stage = Stage::new("hardening");
/// assert_eq!(stage.get::<&str>(), Some(&"hardening"));
/// ```
#[derive(Clone)]
pub struct Stage(Arc<dyn Any + Send + Sync>);

impl Stage {
    /// A stage that any value stands for.
    #[must_use]
    pub fn new(value: impl Any + Send + Sync) -> Self {
        Self(Arc::new(value))
    }

    /// The value, if it has this type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}

/// Which values that a step writes are marked with the location that they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// None: changes are shown at the step's own location.
    NoMarks,
    /// Values from this text; others were only moved in the resource.
    MarksOf(SourceId),
    /// All values.
    AllMarks,
}

/// One step, as it was asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The field that asks for it.
    pub kind: StepKind,
    /// The entry that asks for it, if one does; two steps of one entry are one.
    pub entry: Option<Mark>,
    /// The place of what it changes, when nothing better is known.
    pub place: Option<Mark>,
    /// Which of the values that it writes have marks.
    pub writes: Writes,
    /// The places of the keys that it sets, where each has its own.
    pub keys: Option<Arc<KeyPlaces>>,
    /// Details for explanations.
    pub details: Option<Arc<Details>>,
    /// What it is a part of.
    pub stage: Option<Stage>,
}

/// The step that an edit belongs to: a [`Step`], or a [`LazyLock`] that makes it when a history asks for it, so that a build
/// without histories makes none.
pub trait Cause {
    /// The step.
    fn step(&self) -> &Step;
}

impl Cause for Step {
    fn step(&self) -> &Step {
        self
    }
}

impl<F: FnOnce() -> Step> Cause for LazyLock<Step, F> {
    fn step(&self) -> &Step {
        self
    }
}

/// The step of all values in files of `resources`.
impl Default for Step {
    fn default() -> Self {
        Self::new(StepKind::Base, None)
    }
}

impl Step {
    /// A step that is asked for at a place, such as a field of a kustomization.
    #[must_use]
    pub fn new(kind: StepKind, entry: impl Into<Option<Mark>>) -> Self {
        let entry = entry.into().and_then(Mark::known);
        Self { kind, entry, place: entry, writes: Writes::NoMarks, keys: None, details: None, stage: None }
    }

    /// The step that a field with keys asks for.
    #[must_use]
    pub fn of_keys(kind: StepKind, keys: &KeyPlaces) -> Self {
        Self::new(kind, keys.first().map(|(_, mark)| *mark)).with_keys(keys)
    }

    /// With values from the text of `start`, which is where changes without a place of their own are shown.
    #[must_use]
    pub fn with_text(self, start: Mark) -> Self {
        Self { place: Some(start), writes: Writes::MarksOf(start.source), ..self }
    }

    /// Whose values all have the mark of the place that they come from.
    #[must_use]
    pub fn with_marks(self) -> Self {
        Self { writes: Writes::AllMarks, ..self }
    }

    /// Whose changes are shown at the key that was set.
    #[must_use]
    pub fn with_keys(self, keys: &KeyPlaces) -> Self {
        Self { keys: (!keys.is_empty()).then(|| Arc::new(keys.clone())), ..self }
    }

    /// With a few words.
    #[must_use]
    pub fn with_details(self, text: impl Into<String>) -> Self {
        let details = Details { text: text.into(), inputs: Vec::new() };
        Self { details: (!details.text.is_empty()).then(|| Arc::new(details)), ..self }
    }

    /// With what went into it, and a few words.
    #[must_use]
    pub fn with_inputs(self, text: impl Into<String>, inputs: Vec<Input>) -> Self {
        Self { details: Some(Arc::new(Details { text: text.into(), inputs })), ..self }
    }

    /// With what was decrypted, so that no value that the step sets is shown. A few words stay.
    #[must_use]
    pub fn with_decrypted_input(self) -> Self {
        let text = self.details.as_deref().map_or_else(String::new, |details| details.text.clone());
        let input = Input { secret: true, ..Input::new("a file", self.entry, "decrypted") };
        self.with_inputs(text, vec![input])
    }

    /// As a part of a stage.
    #[must_use]
    pub fn in_stage(self, stage: Stage) -> Self {
        Self { stage: Some(stage), ..self }
    }
}
