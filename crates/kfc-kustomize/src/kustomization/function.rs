//! What a configuration says about its function: the annotation `config.kubernetes.io/function`, and its older forms.

use kfc_diagnostics::{Code, Diagnostic, Mark, Result, Sources};
use kfc_yaml::fields::{Errors, Fields};
use kfc_yaml::{Node, parse};

/// The annotations that mark a function, the current one first.
pub(crate) const ANNOTATIONS: [&str; 2] = ["config.kubernetes.io/function", "config.k8s.io/function"];
/// An annotation that has nothing but the image of a container.
const IMAGE: &str = "config.kubernetes.io/container";
/// The field of metadata that was before annotations.
const FIELD: &str = "configFn";
/// One of these is in every text that describes a function.
pub(crate) const MARKS_OF_FUNCTIONS: [&str; 4] = [ANNOTATIONS[0], ANNOTATIONS[1], IMAGE, FIELD];

/// A function, as its configuration describes it.
#[derive(Clone, Debug)]
pub(crate) struct FunctionSpec {
    /// What it runs.
    pub program: FunctionProgram,
    /// Whether its failure is reported after what it printed was used; a build fails either way.
    pub defers_failure: bool,
    /// Where it is described.
    pub mark: Mark,
}

/// What a function runs.
#[derive(Clone, Debug)]
pub(crate) enum FunctionProgram {
    /// A program of this machine.
    Exec(ExecSpec),
    /// A container.
    Container(ContainerSpec),
}

/// A program of this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExecSpec {
    /// A path, relative to the root, or a name that is looked up in `PATH`.
    pub path: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables: `NAME=VALUE`, or `NAME` for one of the environment.
    pub variables: Vec<String>,
}

/// A container.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContainerSpec {
    /// The image.
    pub image: String,
    /// Whether it needs a network.
    pub network: bool,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// Variables: `NAME=VALUE`, or `NAME` for one of the environment.
    pub variables: Vec<String>,
}

/// A directory or file for a container.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mount {
    /// `bind` or `tmpfs`.
    pub kind: String,
    /// The path in the root.
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// Whether the container may write there.
    pub is_writable: bool,
}

/// Reads what a configuration says about its function; nothing when it says nothing.
///
/// # Errors
/// Wrong types and unknown fields, which kustomize refuses here, and a function without a program.
pub(crate) fn read(config: &Node, sources: &Sources) -> Result<Option<FunctionSpec>> {
    let annotation = |name: &&str| {
        let value = config.at(&["metadata", "annotations", name])?;
        value.as_text().filter(|text| !text.is_empty()).map(|text| (value.mark, text))
    };
    if let Some((mark, text)) = ANNOTATIONS.iter().find_map(annotation) {
        let (id, source) = sources.add_inline(mark, text);
        let documents = parse::parse(&source.text, id)?;
        return documents.first().map(|document| spec(document, mark)).transpose();
    }
    if let Some(described) = config.at(&["metadata", FIELD]).filter(|node| !node.is_null()) {
        return spec(described, described.mark).map(Some);
    }
    Ok(annotation(&IMAGE).map(|(mark, image)| {
        let container = ContainerSpec { image: image.to_owned(), ..ContainerSpec::default() };
        FunctionSpec { program: FunctionProgram::Container(container), defers_failure: false, mark }
    }))
}

fn spec(document: &Node, mark: Mark) -> Result<FunctionSpec> {
    let errors = Errors::field_specs();
    let Some(fields) = Fields::of(document, "a function", &errors) else { return Err(errors.into_inner()) };
    let defers_failure = fields.boolean("deferFailure");
    let container = fields.nested("container", "the container of a function").map(container);
    let exec = fields.nested("exec", "the program of a function").map(|fields| {
        let exec = ExecSpec {
            path: fields.string("path"),
            arguments: texts(&fields, "args"),
            variables: texts(&fields, "envs"),
        };
        fields.finish();
        exec
    });
    fields.finish();
    let container = container.filter(|container| !container.image.is_empty());
    let program = match (container, exec.filter(|exec| !exec.path.is_empty())) {
        (Some(container), _) => Some(FunctionProgram::Container(container)),
        (None, exec) => exec.map(FunctionProgram::Exec),
    };
    let found = errors.into_inner();
    match program {
        _ if !found.is_empty() => Err(found),
        Some(program) => Ok(FunctionSpec { program, defers_failure, mark }),
        None => {
            let message = "this function has neither `exec.path` nor `container.image`";
            Err(Diagnostic::error(Code::MissingField, message).at(mark).into())
        }
    }
}

fn container(fields: Fields<'_>) -> ContainerSpec {
    let container = ContainerSpec {
        image: fields.string("image"),
        network: fields.boolean("network"),
        mounts: fields.nested_list("mounts", "a mount").into_iter().map(mount).collect(),
        variables: texts(&fields, "envs"),
    };
    fields.finish();
    container
}

fn mount(fields: Fields<'_>) -> Mount {
    let mount = Mount {
        kind: fields.string("type"),
        source: fields.string("src"),
        target: fields.string("dst"),
        is_writable: fields.boolean("rw"),
    };
    fields.finish();
    mount
}

fn texts(fields: &Fields<'_>, name: &'static str) -> Vec<String> {
    fields.strings(name).into_iter().map(|text| text.value).collect()
}
