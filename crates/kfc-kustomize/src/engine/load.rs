//! Loads a tree of kustomization roots: reads and parses every file that the roots name, in parallel, and changes nothing.
//! Reports all errors of single files in one run.

use super::origin;
use crate::kustomization::{
    self, Named,
    model::{Kind, Kustomization, Patch, Replacement, ReplacementField},
};
use crate::provenance::Configuration;
use crate::resource::Origin;
use crate::rules::{Rule, has_parent_in_name};
use crate::transform::TransformerConfig;
use crate::transform::patch::{LoadedPatch, PatchOptions};
use crate::types::ValueAddArgs;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_kube::redaction::note_target;
use kfc_kube::schema::Schema;
use kfc_source::{File, Loader, Resolved};
use kfc_yaml::{Node, Spanned, parse};
use rayon::prelude::*;
use std::sync::Arc;

/// A kustomization root with everything it names.
pub(super) struct Root {
    /// Reads further files: those of generators.
    pub loader: Loader,
    /// Name of the kustomization file.
    pub file: String,
    /// What the file says.
    pub kustomization: Kustomization,
    /// `resources`, in order.
    pub resources: Vec<Entry>,
    /// `components`, in order.
    pub components: Vec<Root>,
    /// `generators`.
    pub generators: PluginConfigs,
    /// `transformers`.
    pub transformers: PluginConfigs,
    /// `validators`.
    pub validators: PluginConfigs,
    /// `patches`.
    pub patches: Vec<LoadedPatch>,
    /// `patchesStrategicMerge`.
    pub patches_strategic_merge: Vec<LoadedPatch>,
    /// `patchesJson6902`.
    pub patches_json6902: Vec<LoadedPatch>,
    /// `replacements`, those in files included.
    pub replacements: Vec<Replacement>,
    /// kustomize's default field specs with `configurations` joined.
    pub config: Arc<TransformerConfig>,
    /// What each file of `configurations` adds to them.
    pub configurations: Vec<Configuration>,
    /// Field specs from `crds`.
    pub crds: Vec<TransformerConfig>,
    /// The schema that `openapi` names.
    pub openapi: Option<Arc<Schema>>,
    /// The schema that the root merges with.
    pub schema: Arc<Schema>,
    /// The location of the root for origin annotations.
    pub origin: Origin,
    /// Deprecated fields and other warnings.
    pub warnings: Diagnostics,
}

impl Root {
    fn is_fetched(&self) -> bool {
        let plugins = [&self.generators, &self.transformers, &self.validators];
        self.loader.repository().is_some()
            || self.components.iter().any(Self::is_fetched)
            || self.resources.iter().any(|entry| entry.is_fetched(&self.loader))
            || plugins.iter().any(|configs| configs.are_fetched(&self.loader))
    }

    /// Refuses what kustomize refuses: the field `kfc.dev`, here and in all roots below.
    ///
    /// # Errors
    /// [`Code::UnknownField`] for each.
    pub(super) fn refuse_extensions(&self) -> Result<()> {
        let mut errors = Diagnostics::default();
        if let Some(mark) = self.kustomization.extensions.mark {
            let error = Diagnostic::error(Code::UnknownField, "kustomize has no field `kfc.dev`").at(mark);
            errors.push(error.help("build this tree with `kfc build`"));
        }
        let configs = [&self.generators, &self.transformers, &self.validators];
        let entries = configs.into_iter().flat_map(|configs| &configs.entries).chain(&self.resources);
        let roots = entries.filter_map(|entry| match entry {
            Entry::Root(root) => Some(&**root),
            Entry::File { .. } => None,
        });
        for root in roots.chain(&self.components) {
            errors.collect(root.refuse_extensions());
        }
        errors.into_result(())
    }
}

/// One entry of `resources`.
#[allow(clippy::large_enum_variant, reason = "entries are few")]
pub(super) enum Entry {
    /// A file with its documents.
    File {
        /// Where it lies.
        origin: Origin,
        /// Its documents.
        documents: Vec<Node>,
        /// What is to be said about its text.
        warnings: Diagnostics,
        /// Whether it was decrypted.
        is_decrypted: bool,
    },
    /// Another root.
    Root(Box<Root>),
}

impl Entry {
    /// Whether it is a file or root that was fetched, or a root with such ones in it. `loader` is that of the root that names it.
    pub(super) fn is_fetched(&self, loader: &Loader) -> bool {
        match self {
            Self::File { documents, .. } => {
                documents.iter().any(|document| !loader.is_local_text(document.mark.source))
            }
            Self::Root(root) => root.is_fetched(),
        }
    }
}

/// Configurations of generators, transformers or validators: inline ones come before those in files, as in kustomize.
#[derive(Default)]
pub(super) struct PluginConfigs {
    /// Documents written in the kustomization itself.
    pub inline: Vec<Node>,
    /// Files and roots that hold configurations.
    pub entries: Vec<Entry>,
}

impl PluginConfigs {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.inline.is_empty() && self.entries.is_empty()
    }

    /// Whether one of them was fetched; see [`Entry::is_fetched`].
    pub(super) fn are_fetched(&self, loader: &Loader) -> bool {
        self.entries.iter().any(|entry| entry.is_fetched(loader))
    }
}

/// What every root of a tree shares while it is loaded.
#[derive(Clone)]
struct Shared {
    default_config: Arc<TransformerConfig>,
    builtin: Arc<Schema>,
    /// The namespace for charts of roots that have none of their own: that of the nearest root above.
    chart_namespace: Arc<str>,
    /// Whether the root may have nothing, as one that a user has not filled in yet.
    may_be_empty: bool,
}

impl Shared {
    fn new(builtin: &Arc<Schema>) -> Self {
        let default_config = Arc::new(TransformerConfig::default_config());
        Self { default_config, builtin: Arc::clone(builtin), chart_namespace: "".into(), may_be_empty: false }
    }

    /// For the roots below this one.
    fn below(&self, kustomization: &Kustomization) -> Self {
        let mut below = Self { may_be_empty: false, ..self.clone() };
        if !kustomization.namespace.is_empty() {
            below.chart_namespace = kustomization.namespace.as_str().into();
        }
        below
    }
}

/// Loads the root in the directory of `loader`, and all roots below it.
///
/// # Errors
/// All errors of all files.
pub(super) fn load(loader: Loader, builtin: &Arc<Schema>) -> Result<Root> {
    load_root(loader, Origin::default(), None, &Shared::new(builtin))
}

/// Loads a root whose kustomization is a document of another file, `file`, in the directory of `loader`.
///
/// # Errors
/// As [`load`].
pub(super) fn load_document(
    loader: Loader,
    document: &Node,
    file: &str,
    builtin: &Arc<Schema>,
) -> Result<Root> {
    let read = kustomization::read_in(document, &loader);
    load_parts(loader, file.to_owned(), read, Origin::default(), &Shared::new(builtin))
}

/// Loads a kustomize component that is named at `entry`, and all below it. It may be empty.
///
/// # Errors
/// As [`load`], and when the root is not a kustomize component.
pub(super) fn load_component(loader: Loader, entry: Option<Mark>, builtin: &Arc<Schema>) -> Result<Root> {
    let shared = Shared { may_be_empty: true, ..Shared::new(builtin) };
    load_root(loader, Origin::default(), Some((Kind::Component, entry)), &shared)
}

/// Loads one root; `wanted` is the kind that the field naming it asks for, with the place of the entry.
fn load_root(
    loader: Loader,
    origin: Origin,
    wanted: Option<(Kind, Option<Mark>)>,
    shared: &Shared,
) -> Result<Root> {
    let entry = wanted.and_then(|(_, entry)| entry);
    let found = loader.find_kustomization().map_err(|errors| errors.or_at(entry))?;
    let (documents, warnings) = parse::parse_last_wins(&found.source.text, found.id)?;
    let document = first_document(documents, Mark { source: found.id, offset: 0 })?;
    let mut read = kustomization::read_in(&document, &loader);
    read.warnings.extend(warnings);
    if !shared.may_be_empty && kustomization::is_empty(&document) {
        read.errors.push(kustomization::empty(document.mark));
    }
    if let Some((kind, entry)) = wanted.filter(|(kind, _)| *kind != read.kustomization.kind) {
        return Err(wrong_kind(kind, entry, &document).into());
    }
    load_parts(loader, found.name, read, origin, shared)
}

fn wrong_kind(wanted: Kind, entry: Option<Mark>, document: &Node) -> Diagnostic {
    let (message, help) = match wanted {
        Kind::Component => ("this root is not a kustomize component", "list it under `resources`"),
        Kind::Kustomization => ("a kustomize component cannot be a resource", "list it under `components`"),
    };
    let kind = document.get("kind").map_or(document.mark, |kind| kind.mark);
    Diagnostic::error(Code::BadValue, message).at(entry).label(kind, "its kind is set here").help(help)
}

/// The document of a kustomization file; kustomize ignores further ones.
fn first_document(documents: Vec<Node>, start: Mark) -> Result<Node> {
    documents.into_iter().next().ok_or_else(|| kustomization::empty(start).into())
}

fn load_parts(
    loader: Loader,
    file: String,
    read: kustomization::Read,
    origin: Origin,
    shared: &Shared,
) -> Result<Root> {
    let mut kustomization = read.kustomization;
    let shared = &shared.below(&kustomization);
    for chart in kustomization.helm_charts.iter_mut().filter(|chart| chart.namespace.is_empty()) {
        chart.namespace = shared.chart_namespace.to_string();
    }
    let mut errors = read.errors;
    let (entry_paths, component_paths) = roots_of(&kustomization);
    let ((resources, components), (configs, patches)) = rayon::join(
        || {
            rayon::join(
                || entries(&loader, &entry_paths, &origin, shared),
                || load_components(&loader, &component_paths, &origin, shared),
            )
        },
        || {
            rayon::join(
                || load_configs(&loader, &kustomization, &origin, shared),
                || load_patches(&loader, &kustomization),
            )
        },
    );
    let settings = errors.collect(load_settings(&loader, &kustomization, shared));
    let (resources, components) = (errors.collect(resources), errors.collect(components));
    let (configs, patches) = (errors.collect(configs), errors.collect(patches));
    let (Some(settings), Some(resources), Some(components), Some(configs), Some(patches)) =
        (settings, resources, components, configs, patches)
    else {
        return Err(errors);
    };
    let mut warnings = read.warnings;
    warnings.extend(settings.warnings);
    let [generators, transformers, validators] = configs;
    let [patches, patches_strategic_merge, patches_json6902] = patches;
    errors.into_result(Root {
        loader,
        file,
        resources,
        components,
        generators,
        transformers,
        validators,
        patches,
        patches_strategic_merge,
        patches_json6902,
        replacements: settings.replacements,
        config: settings.config,
        configurations: settings.configurations,
        crds: settings.crds,
        openapi: settings.openapi,
        schema: Arc::clone(&shared.builtin),
        kustomization,
        origin,
        warnings,
    })
}

/// The entries and kustomize components that a root names.
///
/// Everything else that [`Kustomization::named`] lists is read where its field is: what a file means depends on the field (the
/// target and options of a patch, the list of a plug-in), and errors come in the order of the fields. Generators and charts
/// read their files when they run. The test `named` compares what a build reads with that list.
fn roots_of(kustomization: &Kustomization) -> (Vec<&Spanned<String>>, Vec<&Spanned<String>>) {
    let (mut entries, mut components) = (Vec::new(), Vec::new());
    for named in kustomization.named() {
        match named {
            Named::Resource(path) => entries.push(path),
            Named::Component(path) => components.push(path),
            Named::Plugin(_) | Named::File(_) | Named::Patch(_) | Named::Generator(_) | Named::Chart(..) => {}
        }
    }
    (entries, components)
}

/// Loads the entries of a list of files and roots in parallel; the result has the order of the list.
fn entries(
    loader: &Loader,
    paths: &[&Spanned<String>],
    origin: &Origin,
    shared: &Shared,
) -> Result<Vec<Entry>> {
    let loaded: Vec<Result<Entry>> =
        paths.par_iter().with_max_len(1).map(|path| entry(loader, path, origin, shared)).collect();
    all(loaded)
}

/// Loads one entry of `resources`, a file or a root.
fn entry(loader: &Loader, path: &Spanned<String>, origin: &Origin, shared: &Shared) -> Result<Entry> {
    match loader.resolve(&path.value, path.mark)? {
        Resolved::File(file) => {
            let (documents, warnings) = parse::parse_resources(&file.source.text, file.id)?;
            let (origin, is_decrypted) = (origin::below(origin, &path.value), file.is_decrypted);
            Ok(Entry::File { origin, documents, warnings, is_decrypted })
        }
        Resolved::Root(child) => {
            refuse_two_in_one(path, &child)?;
            let origin = child_origin(origin, &path.value, &child);
            let root = load_root(child, origin, Some((Kind::Kustomization, path.mark)), shared)?;
            Ok(Entry::Root(Box::new(root)))
        }
    }
}

/// Refuses the path of a root that seems to be two, where kustomize does.
fn refuse_two_in_one(path: &Spanned<String>, child: &Loader) -> Result<()> {
    if !Rule::NoParentsInNames.holds() || child.remote().is_some() || !has_parent_in_name(&path.value) {
        return Ok(());
    }
    let message = format!("`{}` has `..` inside of a name", path.value);
    Err(Diagnostic::error(Code::BadValue, message)
        .at(path.mark)
        .help("write each path as an entry of its own, in the same column")
        .into())
}

fn child_origin(origin: &Origin, path: &str, child: &Loader) -> Origin {
    match child.remote() {
        Some(remote) => Origin {
            path: remote.path.clone(),
            repo: remote.repository.clone(),
            reference: remote.reference.clone(),
            ..Origin::default()
        },
        None => origin::below(origin, path),
    }
}

fn load_components(
    loader: &Loader,
    paths: &[&Spanned<String>],
    origin: &Origin,
    shared: &Shared,
) -> Result<Vec<Root>> {
    let load = |path: &&Spanned<String>| {
        let child = loader.child(&path.value, path.mark)?;
        refuse_two_in_one(path, &child)?;
        let origin = child_origin(origin, &path.value, &child);
        load_root(child, origin, Some((Kind::Component, path.mark)), shared)
    };
    all(paths.par_iter().with_max_len(1).map(load).collect())
}

/// Loads `generators`, `transformers` and `validators`.
fn load_configs(
    loader: &Loader,
    kustomization: &Kustomization,
    origin: &Origin,
    shared: &Shared,
) -> Result<[PluginConfigs; 3]> {
    let mut errors = Diagnostics::default();
    let fields = [&kustomization.generators, &kustomization.transformers, &kustomization.validators];
    let configs = fields.map(|list| {
        let mut configs = PluginConfigs::default();
        let mut paths = Vec::new();
        for item in list {
            match errors.collect(inline_documents(loader, item)) {
                Some(Some(documents)) => configs.inline.extend(documents),
                Some(None) => paths.push(item),
                None => {}
            }
        }
        configs.entries = errors.collect(entries(loader, &paths, origin, shared)).unwrap_or_default();
        configs
    });
    errors.into_result(configs)
}

/// The documents of an inline configuration, or nothing for a path. A text of one line that is not a mapping is a path; one
/// of nothing at all configures nothing.
///
/// # Errors
/// Text of several lines that is not YAML.
pub(crate) fn inline_documents(loader: &Loader, item: &Spanned<String>) -> Result<Option<Vec<Node>>> {
    let several_lines = item.value.trim_end().contains('\n');
    if item.value.trim().is_empty() {
        return Ok(Some(Vec::new()));
    }
    if !several_lines && !item.value.contains(['{', ':']) {
        return Ok(None);
    }
    let (id, source) = loader.sources().add_inline(item.mark, &item.value);
    match parse::parse(&source.text, id) {
        Ok(documents) if documents.iter().all(|d| d.as_map().is_some()) && !documents.is_empty() => {
            Ok(Some(documents))
        }
        Err(errors) if several_lines => Err(errors),
        _ => Ok(None),
    }
}

/// Loads `patches`, `patchesStrategicMerge` and `patchesJson6902`.
fn load_patches(loader: &Loader, kustomization: &Kustomization) -> Result<[Vec<LoadedPatch>; 3]> {
    let mut errors = Diagnostics::default();
    let patches = all(kustomization.patches.iter().map(|patch| load_patch(loader, patch)).collect());
    let strategic =
        kustomization.patches_strategic_merge.iter().map(|item| load_strategic(loader, item)).collect();
    let first = kustomization.patches_strategic_merge.first().and_then(|item| item.mark);
    let strategic = all(strategic).and_then(|list| not_all_empty(list, first));
    let json = all(kustomization.patches_json6902.iter().map(|patch| load_json6902(loader, patch)).collect());
    let lists = [patches, strategic, json].map(|list| errors.collect(list).unwrap_or_default());
    errors.into_result(lists)
}

/// kustomize accepts empty files among `patchesStrategicMerge`, but not when all are. `place` is that of the first.
fn not_all_empty(patches: Vec<LoadedPatch>, place: Option<Mark>) -> Result<Vec<LoadedPatch>> {
    if patches.is_empty() || !patches.iter().all(LoadedPatch::is_empty) {
        return Ok(patches);
    }
    let error = Diagnostic::error(Code::BadPatch, "these patches are empty").at(place);
    Err(error.help("remove them, or write what they change").into())
}

pub(super) fn load_patch(loader: &Loader, patch: &Patch) -> Result<LoadedPatch> {
    let File { id, source, is_decrypted } = patch_text(loader, patch)?;
    if let Some(target) = &patch.target {
        note_target(loader.sources(), id, &target.gvk.kind);
    }
    let place = patch.mark;
    let read = LoadedPatch::read(&source.text, id, place, patch.target.as_ref(), PatchOptions::of(patch))?;
    Ok(read.of_decrypted(is_decrypted))
}

fn load_json6902(loader: &Loader, patch: &Patch) -> Result<LoadedPatch> {
    let File { id, source, is_decrypted } = patch_text(loader, patch)?;
    if let Some(target) = &patch.target {
        note_target(loader.sources(), id, &target.gvk.kind);
    }
    let place = patch.mark;
    let read = LoadedPatch::read_json6902(&source.text, id, place, patch.target.as_ref())?;
    Ok(read.of_decrypted(is_decrypted))
}

fn patch_text(loader: &Loader, patch: &Patch) -> Result<File> {
    let place = patch.mark;
    match (&patch.path, &patch.patch) {
        (Some(path), None) => loader.load_manifest(&path.value, path.mark),
        (None, Some(text)) => Ok(inline(loader, text)),
        (Some(_), Some(text)) => {
            let error = Diagnostic::error(
                Code::FieldConflict,
                "a patch has either `path` or `patch`, but this has both",
            );
            Err(error.at(text.mark).into())
        }
        (None, None) => {
            let error = Diagnostic::error(
                Code::MissingField,
                "a patch needs `path` or `patch`, but this has neither",
            );
            Err(error.at(place).into())
        }
    }
}

/// A text in the kustomization.
fn inline(loader: &Loader, text: &Spanned<String>) -> File {
    let (id, source) = loader.sources().add_inline(text.mark, &text.value);
    File { id, source, is_decrypted: false }
}

/// Loads one entry of `patchesStrategicMerge`: a file when there is one of that name, else the patch itself.
fn load_strategic(loader: &Loader, item: &Spanned<String>) -> Result<LoadedPatch> {
    let is_inline = item.value.contains('\n') || item.value.trim_start().starts_with('{');
    let file = if is_inline { inline(loader, item) } else { loader.load_manifest(&item.value, item.mark)? };
    let read = LoadedPatch::read_strategic(&file.source.text, file.id, item.mark)?;
    Ok(read.of_decrypted(file.is_decrypted))
}

/// Loads the patches of a `PatchStrategicMergeTransformer` that is configured at `place`.
pub(super) fn load_strategic_plugin(
    loader: &Loader,
    items: &[Spanned<String>],
    place: Option<Mark>,
) -> Result<Vec<LoadedPatch>> {
    if items.is_empty() {
        let error = Diagnostic::error(Code::MissingField, "this transformer needs `paths` or `patches`");
        return Err(error.at(place).into());
    }
    all(items.iter().map(|item| load_strategic(loader, item)).collect())
        .and_then(|patches| not_all_empty(patches, place))
}

/// The arguments of a `ValueAddTransformer` that is configured at `place`, with the targets of its file and the value that
/// it has without one: the name of the directory of the kustomization.
pub(super) fn load_value_add(
    loader: &Loader,
    mut args: ValueAddArgs,
    place: Option<Mark>,
) -> Result<(ValueAddArgs, Diagnostics)> {
    if args.value.is_empty() {
        args.value = loader.root().file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    let mut warnings = Diagnostics::default();
    if let Some(path) = &args.target_file_path
        && let Some(document) = documents(loader, path)?.first()
    {
        let (targets, found) = kustomization::plugin::read_value_add_targets(document)?;
        args.targets.extend(targets);
        warnings.extend(found);
    }
    if args.targets.is_empty() {
        let error = Diagnostic::error(Code::MissingField, "this transformer needs at least one target");
        return Err(error.at(place).help("list it under `targets`").into());
    }
    Ok((args, warnings))
}

/// What a root's smaller files say.
struct Settings {
    config: Arc<TransformerConfig>,
    configurations: Vec<Configuration>,
    crds: Vec<TransformerConfig>,
    replacements: Vec<Replacement>,
    openapi: Option<Arc<Schema>>,
    warnings: Diagnostics,
}

fn load_settings(loader: &Loader, kustomization: &Kustomization, shared: &Shared) -> Result<Settings> {
    let mut errors = Diagnostics::default();
    let config = errors.collect(load_config(loader, &kustomization.configurations, shared));
    let crds = kustomization
        .crds
        .iter()
        .map(|path| all(documents(loader, path)?.iter().map(TransformerConfig::from_crds).collect()));
    let crds = errors.collect(all(crds.collect()));
    let replacements = errors.collect(load_replacements(loader, &kustomization.replacements));
    let openapi = errors.collect(load_openapi(loader, kustomization, shared));
    match (config, crds, replacements, openapi) {
        (Some((config, configurations)), Some(crds), Some((replacements, warnings)), Some(openapi)) => {
            let crds = crds.into_iter().flatten().collect();
            Ok(Settings { config, configurations, crds, replacements, openapi, warnings })
        }
        _ => Err(errors),
    }
}

fn documents(loader: &Loader, path: &Spanned<String>) -> Result<Vec<Node>> {
    let file = loader.load(&path.value, path.mark)?;
    parse::parse(&file.source.text, file.id)
}

/// The field specs of a root, and those of each of its own files.
fn load_config(
    loader: &Loader,
    paths: &[Spanned<String>],
    shared: &Shared,
) -> Result<(Arc<TransformerConfig>, Vec<Configuration>)> {
    if paths.is_empty() {
        return Ok((Arc::clone(&shared.default_config), Vec::new()));
    }
    let mut own = TransformerConfig::default();
    let mut configurations = Vec::new();
    for path in paths {
        for document in documents(loader, path)? {
            let config = TransformerConfig::read(&document)?;
            own.merge(&config)?;
            configurations.push(Configuration { path: path.clone(), config });
        }
    }
    let mut joined = TransformerConfig::default_config();
    joined.merge(&own)?;
    // Every layer goes through a merge into an empty configuration, which drops what a wider field spec covers.
    let mut config = TransformerConfig::default();
    config.merge(&joined)?;
    Ok((Arc::new(config), configurations))
}

/// The replacements of a list, those of files among them, with the warnings of the files.
pub(super) fn load_replacements(
    loader: &Loader,
    fields: &[ReplacementField],
) -> Result<(Vec<Replacement>, Diagnostics)> {
    let lists = fields.iter().map(|field| match field {
        ReplacementField::Inline(replacement) => {
            Ok(vec![(vec![Replacement::clone(replacement)], Diagnostics::default())])
        }
        ReplacementField::File(path) => {
            all(documents(loader, path)?.iter().map(kustomization::read_replacement_file).collect())
        }
    });
    let (mut replacements, mut warnings) = (Vec::new(), Diagnostics::default());
    for (list, found) in all(lists.collect())?.into_iter().flatten() {
        replacements.extend(list);
        warnings.extend(found);
    }
    Ok((replacements, warnings))
}

fn load_openapi(
    loader: &Loader,
    kustomization: &Kustomization,
    shared: &Shared,
) -> Result<Option<Arc<Schema>>> {
    let Some(path) = &kustomization.openapi_path else {
        // The schema versions of kustomize differ in nothing that merging looks at.
        return Ok(kustomization.openapi_version.as_ref().map(|_| Arc::clone(&shared.builtin)));
    };
    if let Some(version) = &kustomization.openapi_version {
        let error = Diagnostic::error(
            Code::FieldConflict,
            "`openapi` takes either `path` or `version`, but this has both",
        );
        return Err(error.at(version.mark).label(path.mark, "the path is here").into());
    }
    match documents(loader, path)?.first() {
        Some(document) => Ok(Some(Arc::new(Schema::with_openapi(document)?))),
        None => Err(Diagnostic::error(Code::BadValue, "this OpenAPI file is empty").at(path.mark).into()),
    }
}

/// The values, or all errors in the order of the list.
fn all<T>(results: Vec<Result<T>>) -> Result<Vec<T>> {
    let mut errors = Diagnostics::default();
    let values = results.into_iter().filter_map(|result| errors.collect(result)).collect();
    errors.into_result(values)
}
