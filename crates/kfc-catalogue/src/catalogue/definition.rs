//! `kfc.yaml`: the user's own file, with the stacks that it extends, its environments and its clusters.

use super::document::{Document, Place};
use super::layering::{Difference, StackLines, differences, lay_over};
use super::secrets::values_in_clusters;
use super::stack::{Stack, StackChoice, StackFile};
use crate::files::{ClusterSpec, StackSpec, StackText};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, SourceId, Sources, nearest};
use kfc_source::Loader;
use kfc_source::door::clean;
use kfc_yaml::de::{self, TextOr};
use kfc_yaml::{Map, Node, Spanned, parse};
use std::path::{Path, PathBuf};

/// The names that a stack's file may have.
pub const STACK_FILES: [&str; 2] = ["kfc.yaml", "kfc.yml"];

/// The longest name of an inventory, which a stack has together with its environment.
const LONGEST_NAME: usize = 50;

/// Fields that a stack has once, and no environment or cluster has.
const OF_STACKS: [&str; 4] = ["extends", "environments", "clusters", "defaults"];

/// What a stack's file says, with the stacks that it extends.
#[derive(Clone, Debug)]
pub struct StackDefinition {
    /// The name.
    pub name: Spanned<String>,
    /// The environments, those of extended stacks first.
    pub environments: Vec<StackEnvironment>,
    /// The clusters, those of extended stacks first.
    pub clusters: Vec<StackCluster>,
    place: Place,
    /// The lines of the chain of stacks: the one that extends nothing first, this one last.
    lines: Vec<StackLines>,
    /// The location of `environments`.
    environments_at: Option<Mark>,
    /// The location of the fields of `spec`.
    fields_at: Option<Mark>,
    places: Vec<(SourceId, Place)>,
    given: Vec<Node>,
    /// The files with lists of clusters.
    lists: Vec<PathBuf>,
}

/// An environment of a stack.
#[derive(Clone, Debug)]
pub struct StackEnvironment {
    /// Its name.
    pub name: Spanned<String>,
    lines: Vec<StackLines>,
}

/// A cluster of a stack.
#[derive(Clone, Debug)]
pub struct StackCluster {
    /// Its name.
    pub name: Spanned<String>,
    /// Its environment; none when the stack has none.
    pub environment: Option<Spanned<String>>,
    /// The context of the kubeconfig.
    pub context: String,
    lines: Vec<StackLines>,
}

impl StackEnvironment {
    /// The lines by which it differs from the stack.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        self.lines.iter().flat_map(differences).collect()
    }
}

impl StackCluster {
    /// The lines by which it differs from its environment.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        self.lines.iter().flat_map(differences).collect()
    }

    /// The choice of a stack that it is.
    #[must_use]
    pub fn choice(&self) -> StackChoice {
        let environment = self.environment.as_ref().map(|name| name.value.clone());
        StackChoice { environment, cluster: Some(self.name.value.clone()) }
    }
}

impl Stack {
    /// Reads a stack's file, with the environment and cluster that are chosen.
    ///
    /// # Errors
    /// All errors of the file and of what it extends; an environment that does not exist, or that has to be named.
    pub fn load(loader: &Loader, file: &StackFile) -> Result<Self> {
        let definition = StackDefinition::load(loader, file)?;
        definition.stack(&file.choice).inspect_err(|_| definition.hide_given(loader.sources()))
    }
}

impl StackDefinition {
    /// Reads a stack's file and what it extends, with all its environments and clusters.
    ///
    /// # Errors
    /// All errors of these files.
    pub fn load(loader: &Loader, file: &StackFile) -> Result<Self> {
        let mut reading = Reading::new(loader);
        reading.read(&file.place, &file.name, None);
        let Reading { errors: of_files, definition, .. } = reading;
        let mut errors = Diagnostics::default();
        if let Some(definition) = &definition {
            definition.check(&mut errors);
        }
        errors.extend(of_files);
        errors.0.sort_by_key(|error| error.mark.map(|mark| (mark.source, mark.offset)));
        if let Some(definition) = definition.as_ref().filter(|_| !errors.is_empty()) {
            definition.hide_given(loader.sources());
        }
        match definition {
            Some(definition) => errors.into_result(definition),
            None => Err(errors),
        }
    }

    /// Keeps the values of all parameters out of lines that are shown, where it is not known which of them are secret.
    pub fn hide_given(&self, sources: &Sources) {
        for entry in self.given.iter().filter_map(Node::as_map).flatten() {
            sources.hide(entry.value.mark);
        }
    }

    /// The stack of an environment and a cluster.
    ///
    /// # Errors
    /// An environment or cluster that does not exist, or an environment that has to be named.
    pub fn stack(&self, choice: &StackChoice) -> Result<Stack> {
        let all = self.lines_of(choice)?;
        let mut errors = Diagnostics::default();
        let mut stack = Stack { name: self.name_of(choice), ..Stack::of_profile("") };
        stack.place = Some(self.place.clone());
        stack.places.clone_from(&self.places);
        stack.given.clone_from(&self.given);
        for lines in all {
            lay_over(&mut stack, lines, &mut errors);
        }
        errors.into_result(stack)
    }

    /// The name of the stack of an environment; its inventory has it. All clusters of an environment have the same.
    #[must_use]
    pub fn name_of(&self, choice: &StackChoice) -> String {
        match &choice.environment {
            Some(environment) => format!("{}-{environment}", self.name.value),
            None => self.name.value.clone(),
        }
    }

    /// The lists of clusters, and the files of values of the stack, of all its environments and clusters.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        let environments = self.environments.iter().flat_map(|environment| &environment.lines);
        let clusters = self.clusters.iter().flat_map(|cluster| &cluster.lines);
        let lines = self.lines.iter().chain(environments).chain(clusters);
        self.lists.iter().cloned().chain(lines.flat_map(StackLines::files))
    }

    /// The lists of clusters, and the files of values of an environment and a cluster.
    ///
    /// # Errors
    /// An environment or cluster that does not exist, or an environment that has to be named.
    pub fn files_of(&self, choice: &StackChoice) -> Result<Vec<PathBuf>> {
        let files = self.lines_of(choice)?.into_iter().flat_map(StackLines::files);
        Ok(self.lists.iter().cloned().chain(files).collect())
    }

    /// The lines that a choice has, on top of each other.
    fn lines_of(&self, choice: &StackChoice) -> Result<Vec<&StackLines>> {
        let environment = self.environment(choice.environment.as_deref())?;
        let cluster = choice.cluster.as_deref().map(|name| self.cluster(name)).transpose()?;
        let environment = environment.into_iter().flat_map(|environment| &environment.lines);
        let cluster = cluster.into_iter().flat_map(|cluster| &cluster.lines);
        Ok(self.lines.iter().chain(environment).chain(cluster).collect())
    }

    /// The clusters of an environment.
    pub fn clusters_of<'d>(&'d self, environment: Option<&'d str>) -> impl Iterator<Item = &'d StackCluster> {
        let is_of = move |cluster: &&StackCluster| {
            cluster.environment.as_ref().map(|e| e.value.as_str()) == environment
        };
        self.clusters.iter().filter(is_of)
    }

    fn environment(&self, name: Option<&str>) -> Result<Option<&StackEnvironment>> {
        match name {
            None if self.environments.is_empty() => Ok(None),
            None => Err(self.unnamed().into()),
            Some(name) => match self.environments.iter().find(|known| known.name.value == name) {
                Some(environment) => Ok(Some(environment)),
                None => Err(self.unknown_environment(name, self.environments_at.or(self.name.mark)).into()),
            },
        }
    }

    /// The error for a stack with environments of which none is named.
    #[must_use]
    pub fn unnamed(&self) -> Diagnostic {
        let names: Vec<&str> = self.environments.iter().map(|known| known.name.value.as_str()).collect();
        let message = format!("the stack `{}` has environments, and one has to be named", self.name.value);
        let error = Diagnostic::error(Code::Environment, message).at(self.environments_at);
        error.help(format!("name it with `--environment`: {}; `-e '*'` names all", names.join(", ")))
    }

    /// The error for an environment that does not exist.
    #[must_use]
    pub fn unknown_environment(&self, name: &str, mark: Option<Mark>) -> Diagnostic {
        let message = format!("the stack `{}` has no environment `{name}`", self.name.value);
        let error = Diagnostic::error(Code::Environment, message).at(mark.or(self.environments_at));
        let names: Vec<&str> = self.environments.iter().map(|known| known.name.value.as_str()).collect();
        match nearest(name, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if names.is_empty() => error.help("define it under `environments` of the stack"),
            None => error.help(format!("it has {}", names.join(", "))),
        }
    }

    fn cluster(&self, name: &str) -> Result<&StackCluster> {
        let found = self.clusters.iter().find(|known| known.name.value == name);
        found.ok_or_else(|| self.unknown_cluster(name).into())
    }

    /// The error for a cluster that does not exist.
    #[must_use]
    pub fn unknown_cluster(&self, name: &str) -> Diagnostic {
        let message = format!("the stack `{}` has no cluster `{name}`", self.name.value);
        let error = Diagnostic::error(Code::Environment, message).at(self.name.mark);
        match nearest(name, self.clusters.iter().map(|known| known.name.value.as_str())) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if self.clusters.is_empty() => error.help("list it under `clusters` of the stack"),
            None => error.help("list them with `kfc list clusters`"),
        }
    }

    /// The errors for environments, or a stack without any, that have no platform.
    fn check_platform(&self, errors: &mut Diagnostics) {
        let has = |lines: &[StackLines]| lines.iter().any(|lines| lines.spec.platform.is_some());
        if has(&self.lines) {
            return;
        }
        let error = Diagnostic::error(Code::MissingField, "a stack needs `platform`");
        if self.environments.is_empty() {
            errors.push(error.at(self.fields_at));
            return;
        }
        for environment in self.environments.iter().filter(|environment| !has(&environment.lines)) {
            let help = format!("set it here, or for all under `spec` of `{}`", self.name.value);
            errors.push(error.clone().at(environment.name.mark).help(help));
        }
    }

    fn check(&self, errors: &mut Diagnostics) {
        self.check_platform(errors);
        for environment in &self.environments {
            self.check_environment(&environment.name, errors);
        }
        for (at, cluster) in self.clusters.iter().enumerate() {
            check_word(&cluster.name, "a cluster", errors);
            match &cluster.environment {
                None if !self.environments.is_empty() => {
                    let message = format!("the cluster `{}` has no environment", cluster.name.value);
                    let error = Diagnostic::error(Code::Environment, message).at(cluster.name.mark);
                    errors.push(error.help("name it with `environment`"));
                }
                Some(name) if !self.environments.iter().any(|known| known.name.value == name.value) => {
                    errors.push(self.unknown_environment(&name.value, name.mark));
                }
                _ => {}
            }
            let is_same = |other: &&StackCluster| {
                let environment =
                    |cluster: &StackCluster| cluster.environment.as_ref().map(|name| name.value.clone());
                other.context == cluster.context && environment(other) == environment(cluster)
            };
            if let Some(other) = self.clusters[..at].iter().find(is_same) {
                let message = format!(
                    "the clusters `{}` and `{}` have one context, `{}`",
                    other.name.value, cluster.name.value, cluster.context
                );
                let error = Diagnostic::error(Code::Environment, message).at(cluster.name.mark);
                let error = error.label(other.name.mark, "the first one");
                errors.push(
                    error
                        .note("an apply of one would prune what the other applied")
                        .help("name another `context`"),
                );
            }
        }
    }

    fn check_environment(&self, name: &Spanned<String>, errors: &mut Diagnostics) {
        check_word(name, "an environment", errors);
        let full = format!("{}-{}", self.name.value, name.value);
        if full.chars().count() > LONGEST_NAME {
            let message = format!("the name `{full}` of the stack and its environment is too long");
            let error = Diagnostic::error(Code::Environment, message).at(name.mark);
            errors.push(
                error.help(format!("shorten one of them: both have at most {LONGEST_NAME} characters")),
            );
        }
    }
}

/// Checks a name that becomes part of names of files and inventories.
fn check_word(name: &Spanned<String>, what: &str, errors: &mut Diagnostics) {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name =
        name.chars().all(is_allowed) && !name.starts_with('-') && !name.ends_with('-') && !name.is_empty();
    if !is_name {
        let message = format!("`{}` is not a name of {what}", name.value);
        let error = Diagnostic::error(Code::Environment, message).at(name.mark);
        errors.push(error.help("use lowercase letters, digits and hyphens"));
    }
}

/// A chain of stacks that is being read.
struct Reading<'a> {
    loader: &'a Loader,
    errors: Diagnostics,
    /// The files of the chain, as they really are and as they are shown.
    chain: Vec<(PathBuf, String)>,
    /// What was read so far: the last one read is on top.
    definition: Option<StackDefinition>,
}

impl<'a> Reading<'a> {
    fn new(loader: &'a Loader) -> Self {
        Self { loader, errors: Diagnostics::default(), chain: Vec::new(), definition: None }
    }

    /// Reads a stack on top of those that it extends.
    fn read(&mut self, place: &Place, name: &str, referrer: Option<Mark>) {
        let path = place.folder.join(name);
        let path = self.loader.files().canonicalize(&path).unwrap_or(path);
        let shown = place.join(name).shown;
        let is_circle = self.chain.iter().any(|(known, _)| *known == path);
        self.chain.push((path, shown));
        if is_circle {
            let chain: Vec<String> = self.chain.iter().map(|(_, shown)| format!("`{shown}`")).collect();
            let error = Diagnostic::error(Code::Extends, "stacks extend each other in a circle").at(referrer);
            self.errors.push(error.note(chain.join(" extends ")).help("remove one `extends`"));
            return;
        }
        let document = Document::load(self.loader, place, name).map_err(|errors| errors.or_at(referrer));
        let Some(document) = self.errors.collect(document) else { return };
        let (text, errors) = document.fields::<StackText>();
        self.errors.extend(errors);
        let Some(text) = text else { return };
        document.check_not_empty(&text.metadata.name, &mut self.errors);
        if let Some(extends) = &text.spec.extends {
            self.extend(place, extends);
        }
        self.add(&document, text);
    }

    fn extend(&mut self, place: &Place, extends: &Spanned<String>) {
        let is_stack = |folder: &Path| {
            let has = |name: &&&str| self.loader.files().is_file(&folder.join(name));
            STACK_FILES.iter().find(has).map(|name| (*name).to_owned())
        };
        let folder = place.folder.join(&extends.value);
        if self.loader.files().is_directory(&folder) {
            if let Some(name) = is_stack(&folder) {
                self.read(&below(place, Path::new(&extends.value)), &name, extends.mark);
            } else {
                let message = format!("the directory `{}` has no stack", extends.value);
                let error = Diagnostic::error(Code::Extends, message).at(extends.mark);
                self.errors.push(error.help("name a `kfc.yaml` or its directory"));
            }
            return;
        }
        let (place, name) = named_file(place, &extends.value);
        self.read(&place, &name, extends.mark);
    }

    /// Puts what a file says on top of what it extends.
    fn add(&mut self, document: &Document, text: StackText) {
        let key = |names: &[&str], last: &str| {
            document.node.at(names).and_then(Node::as_map)?.entry(last).map(|entry| entry.key.mark)
        };
        let place = &document.place;
        let StackText { metadata, mut spec, .. } = text;
        let environments = std::mem::take(&mut spec.environments.0);
        let clusters = spec.clusters.take();
        let mut definition = self.definition.take().unwrap_or_else(|| StackDefinition {
            name: metadata.name.clone(),
            environments: Vec::new(),
            clusters: Vec::new(),
            place: place.clone(),
            lines: Vec::new(),
            environments_at: None,
            fields_at: None,
            places: Vec::new(),
            given: Vec::new(),
            lists: Vec::new(),
        });
        definition.name = metadata.name;
        definition.place = place.clone();
        let fields = document.node.get("spec").and_then(Node::as_map);
        let first = fields.and_then(|fields| fields.iter().next()).map(|entry| entry.key.mark);
        definition.fields_at = first.or_else(|| key(&[], "spec"));
        definition.environments_at = key(&["spec"], "environments").or(definition.environments_at);
        definition.places.push((document.source, place.clone()));
        let lines = self.lines(place, spec, &mut definition);
        definition.lines.push(lines);
        for (name, spec) in environments {
            let node = document.node.at(&["spec", "environments", &name.value]);
            self.refuse_fields_of_stacks(node, "an environment");
            let lines = self.lines(place, spec.unwrap_or_default(), &mut definition);
            match definition.environments.iter_mut().find(|known| known.name.value == name.value) {
                Some(known) => {
                    known.name = name;
                    known.lines.push(lines);
                }
                None => definition.environments.push(StackEnvironment { name, lines: vec![lines] }),
            }
        }
        match clusters {
            Some(TextOr::Whole(list)) => {
                let node = document.node.at(&["spec", "clusters"]).cloned();
                self.add_clusters(place, list, node.as_ref(), &mut definition);
            }
            Some(TextOr::Text(path)) => self.read_clusters(place, &path, &mut definition),
            None => {}
        }
        self.definition = Some(definition);
    }

    /// Reads a list of clusters in a file of its own.
    fn read_clusters(&mut self, place: &Place, path: &Spanned<String>, definition: &mut StackDefinition) {
        let (place, name) = named_file(place, &path.value);
        definition.lists.push(place.folder.join(&name));
        let read = read_tree(self.loader, &place, &name, path.mark);
        let Some((node, source)) = self.errors.collect(read) else { return };
        for mark in values_in_clusters(&node) {
            self.loader.sources().hide(mark);
        }
        let (list, errors) = de::read::<Vec<ClusterSpec>>(&node);
        self.errors.extend(errors);
        definition.places.push((source, place.clone()));
        self.add_clusters(&place, list.unwrap_or_default(), Some(&node), definition);
    }

    fn add_clusters(
        &mut self,
        place: &Place,
        list: Vec<ClusterSpec>,
        node: Option<&Node>,
        definition: &mut StackDefinition,
    ) {
        let items = node.and_then(Node::as_seq).unwrap_or_default();
        let of_others = definition.clusters.len();
        for (at, ClusterSpec { name, environment, context, spec }) in list.into_iter().enumerate() {
            self.refuse_fields_of_stacks(items.get(at).and_then(|item| item.get("spec")), "a cluster");
            let lines = self.lines(place, spec.unwrap_or_default(), definition);
            let context = context.map(|context| context.value);
            let known = definition.clusters.iter().position(|known| known.name.value == name.value);
            match known {
                Some(known) if known < of_others => {
                    let known = &mut definition.clusters[known];
                    known.name = name;
                    known.environment = environment.or(known.environment.take());
                    known.context = context.unwrap_or_else(|| known.context.clone());
                    known.lines.push(lines);
                }
                Some(first) => {
                    let message = format!("the cluster `{}` is defined more than once", name.value);
                    let error = Diagnostic::error(Code::Environment, message).at(name.mark);
                    self.errors.push(error.label(definition.clusters[first].name.mark, "the first one"));
                }
                None => {
                    let context = context.unwrap_or_else(|| name.value.clone());
                    definition.clusters.push(StackCluster { name, environment, context, lines: vec![lines] });
                }
            }
        }
    }

    /// Lines with the files of values that they name.
    fn lines(&mut self, place: &Place, spec: StackSpec, definition: &mut StackDefinition) -> StackLines {
        let mut values = Vec::new();
        for path in &spec.values {
            values.extend(self.errors.collect(Stack::read_values(self.loader, place, path)));
        }
        definition.given.extend(values.iter().cloned());
        definition.given.extend(spec.parameters.iter().map(|parameters| parameters.0.clone()));
        StackLines { place: place.clone(), spec, values }
    }

    fn refuse_fields_of_stacks(&mut self, node: Option<&Node>, what: &str) {
        for entry in node.and_then(Node::as_map).into_iter().flatten() {
            let field = entry.key.text.as_str();
            if OF_STACKS.contains(&field) {
                let message = format!("`{field}` is a field of a stack, not of {what}");
                let error = Diagnostic::error(Code::FieldConflict, message).at(entry.key.mark);
                self.errors.push(error.help("put it under `spec` of the stack"));
            }
        }
    }
}

impl Stack {
    /// Reads a file of values.
    ///
    /// # Errors
    /// A file that cannot be read, or is not a mapping.
    pub fn read_values(loader: &Loader, place: &Place, path: &Spanned<String>) -> Result<Node> {
        let (place, name) = named_file(place, &path.value);
        let (node, source) = read_tree(loader, &place, &name, path.mark)?;
        if node.as_map().is_some() {
            return Ok(node);
        }
        let start = Mark { source, offset: 0 };
        if node.is_null() {
            return Ok(Node::map(Map::new(), start));
        }
        let message = format!("a file of values must be a mapping, but this is {}", node.describe());
        let error = Diagnostic::error(Code::WrongType, message).at(node.mark.known().or(Some(start)));
        Err(error.help("write parameters by name, as in `parameters` of a stack").into())
    }
}

/// The only document of a file, null for an empty one.
fn read_tree(loader: &Loader, place: &Place, name: &str, referrer: Option<Mark>) -> Result<(Node, SourceId)> {
    let folder = loader.beside(&place.folder, &place.shown, referrer)?;
    let file = folder.load(name, referrer)?;
    let mut documents = parse::parse(&file.source.text, file.id)?;
    let start = Mark { source: file.id, offset: 0 };
    if documents.len() > 1 {
        let message = format!("`{}` has {} documents, expected one", file.source.name, documents.len());
        return Err(Diagnostic::error(Code::BadValue, message).at(start).into());
    }
    Ok((documents.pop().unwrap_or_else(|| Node::null(start)), file.id))
}

/// The directory and the name of a file that a file of ours names: it may be anywhere.
fn named_file(place: &Place, path: &str) -> (Place, String) {
    let path = Path::new(path);
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    (folder.map_or_else(|| place.clone(), |folder| below(place, folder)), name.into_owned())
}

/// A directory relative to another, shown without `..` where that is possible.
fn below(place: &Place, path: &Path) -> Place {
    let shown = clean(&Path::new(&place.shown).join(path)).to_string_lossy().into_owned();
    Place { folder: place.folder.join(path), shown }
}
