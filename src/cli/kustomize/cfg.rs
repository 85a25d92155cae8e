//! `kustomize cfg`: resources of directories, printed, counted and searched.

use super::flags::parse_flag;
use crate::cli::exit::DONE;
use crate::cli::targets::standard_input;
use crate::cli::{here, output};
use clap::{ArgAction, Args, Subcommand, ValueEnum};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kustomize::package::{
    self, FieldQuery, Input, MappingStyle, Meta, Output, PACKAGE_FILE, Query, Scope, Structure, Tree,
    TreeField, Wrapping, parse_field_path, with_migration,
};
use kfc_source::Surroundings;
use kfc_yaml::styled::StyledDocument;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// `kustomize cfg …`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CfgCommand {
    /// Print the resources of a directory, or of standard input.
    Cat(CatArgs),
    /// Count the resources of a directory, or of standard input.
    Count(CountArgs),
    /// Print the resources with a value: `path.to.field=pattern`, `list[name=x].field=pattern`, or `>`, `<`, `>=`, `<=` an
    /// amount.
    Grep(GrepArgs),
    /// Print the resources of a directory as a tree, with some of their fields.
    Tree(TreeArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PackageArgs {
    /// Also what is in packages below: directories with a `Krmfile`.
    #[arg(short = 'R', long, action = ArgAction::SetFalse)]
    recurse_subpackages: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LocalArgs {
    /// Leave out all but resources for tools, which have the annotation `config.kubernetes.io/local-config`.
    #[arg(long)]
    exclude_non_local: bool,
    /// Include resources for tools.
    #[arg(long)]
    include_local: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
#[expect(clippy::enum_variant_names, reason = "the values of the flag are named so")]
enum StyleFlag {
    TaggedStyle,
    DoubleQuotedStyle,
    SingleQuotedStyle,
    LiteralStyle,
    FoldedStyle,
    FlowStyle,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CatArgs {
    /// The directory or file; standard input when not given.
    dir: Option<String>,
    /// Annotate resources with the files that they are from.
    #[arg(long)]
    annotate: bool,
    /// Write to this file.
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    dest: String,
    /// Put fields into the order that kustomize knows.
    #[arg(long, action = ArgAction::SetFalse)]
    format: bool,
    /// The file with the `functionConfig` of the list that `--wrap-kind` makes.
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    function_config: String,
    /// Take comments out.
    #[arg(long)]
    strip_comments: bool,
    /// The style of resources. Only `FlowStyle` and `TaggedStyle` change how a mapping is written.
    #[arg(long, value_delimiter = ',', value_enum)]
    style: Vec<StyleFlag>,
    /// Print the resources in a list of this kind.
    #[arg(long, value_name = "KIND", default_value = "", hide_default_value = true)]
    wrap_kind: String,
    /// The apiVersion of that list.
    #[arg(long, value_name = "VERSION", default_value = "", hide_default_value = true)]
    wrap_version: String,
    #[command(flatten)]
    local: LocalArgs,
    #[command(flatten)]
    package: PackageArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CountArgs {
    /// The directory or file; standard input when not given.
    dir: Option<String>,
    /// Count each kind.
    #[arg(long, action = ArgAction::SetFalse)]
    kind: bool,
    #[command(flatten)]
    package: PackageArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct GrepArgs {
    /// What is looked for: `path.to.field=pattern`. A dot in a name is written `\.`.
    query: String,
    /// The directory or file; standard input when not given.
    dir: Option<String>,
    /// Annotate resources with the files that they are from.
    #[arg(long, action = ArgAction::SetFalse)]
    annotate: bool,
    /// Print the resources that do not have the value.
    #[arg(long)]
    invert_match: bool,
    #[command(flatten)]
    package: PackageArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TreeArgs {
    /// The directory or file; `-` is standard input.
    #[arg(default_value = ".")]
    dir: String,
    /// All of the fields below, but for those with `=false`.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    shown: ShownFields,
    /// A field: `metadata.annotations.foo`, `status.conditions[type=Ready].status`.
    #[arg(long, value_delimiter = ',', value_name = "PATH")]
    field: Vec<String>,
    /// What resources are arranged by; their owners where any has one, when not given.
    #[arg(long, value_enum, default_value = "", hide_default_value = true)]
    graph_structure: StructureFlag,
    #[command(flatten)]
    local: LocalArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StructureFlag {
    #[value(name = "", hide = true)]
    Unsaid,
    Owners,
    Directory,
}

/// Declares the flags of fields that are often asked for, and what each prints.
macro_rules! shown_fields {
    ($($(#[$doc:meta])* $name:ident: $paths:expr;)*) => {
        /// Fields that are often asked for.
        #[derive(Debug, Args)]
        pub(in crate::cli) struct ShownFields {
            $($(#[$doc])*
            #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
                value_parser = parse_flag)]
            $name: Option<bool>,)*
        }

        impl ShownFields {
            /// The fields that are chosen.
            fn fields(&self, all: bool) -> Vec<TreeField> {
                let mut fields = Vec::new();
                $(if self.$name.unwrap_or(all) {
                    let paths: &[&[&str]] = $paths;
                    fields.extend(paths.iter().flat_map(|path| of_containers(path)));
                })*
                fields
            }
        }
    };
}

shown_fields! {
    /// Names of containers.
    name: &[&["", "name"]];
    /// Images.
    image: &[&["", "image"]];
    /// Commands.
    command: &[&["", "command"]];
    /// Arguments.
    args: &[&["", "args"]];
    /// Environment variables.
    env: &[&["", "env"]];
    /// Replicas.
    replicas: &[&["spec", "replicas"]];
    /// Requests and limits.
    resources: &[&["", "resources"]];
    /// Ports.
    ports: &[&["", "ports"], &["spec", "ports"]];
}

/// The fields of a path; of one that begins with an empty step, those of containers, wherever kinds have them.
fn of_containers(path: &[&str]) -> Vec<TreeField> {
    let pods: [&[&str]; 3] = [&[], &["spec", "template"], &["spec", "jobTemplate", "spec", "template"]];
    match path {
        ["", field] => pods
            .iter()
            .map(|pod| [*pod, &["spec", "containers", "[name=.*]", *field]].concat())
            .map(|path| TreeField::new(FieldQuery::of(&path)))
            .collect(),
        path => vec![TreeField::new(FieldQuery::of(path))],
    }
}

/// What the commands read from.
struct Reading {
    surroundings: Arc<Surroundings>,
    sources: Sources,
}

impl Reading {
    fn input(&self) -> Input<'_> {
        Input {
            files: self.surroundings.files.as_ref(),
            working_directory: &self.surroundings.working_directory,
            sources: &self.sources,
        }
    }

    fn stream(&self) -> Result<Vec<StyledDocument>> {
        package::read_stream(&standard_input()?, &self.sources)
    }

    /// The resources of each package in a directory, or of standard input, which is a package without a name.
    fn packages(&self, dir: Option<&str>, args: &PackageArgs) -> Result<Vec<(String, Vec<StyledDocument>)>> {
        let Some(dir) = dir else { return Ok(vec![(String::new(), self.stream()?)]) };
        let mut errors = Diagnostics::default();
        let mut packages = Vec::new();
        for path in package::packages(&self.input(), dir, args.recurse_subpackages)? {
            let read = package::read_package(&self.input(), &path, Scope::Package);
            packages.extend(errors.collect(read).map(|resources| (path, resources)));
        }
        errors.into_result(packages)
    }
}

/// Runs a command. An error in any package is one of the whole: nothing is printed then.
pub(in crate::cli) fn run(command: &CfgCommand) -> u8 {
    let reading = Reading { surroundings: here::surroundings(), sources: Sources::default() };
    let result = match command {
        CfgCommand::Cat(args) => return finish(cat(args, &reading), Path::new(&args.dest), &reading.sources),
        CfgCommand::Count(args) => count(args, &reading),
        CfgCommand::Grep(args) => grep(args, &reading),
        CfgCommand::Tree(args) => tree(args, &reading),
    };
    finish(result, Path::new(""), &reading.sources)
}

/// Prints the text, or writes it to the file if there is one.
fn finish(result: Result<String>, file: &Path, sources: &Sources) -> u8 {
    let written = result.and_then(|text| {
        if file.as_os_str().is_empty() {
            return Ok(output::print(&text));
        }
        output::write_file(file, text.as_bytes()).map(|()| DONE)
    });
    written.unwrap_or_else(|errors| output::fail(&errors, sources, "the command"))
}

/// The outputs of packages, one after the other. The line between two is left out at the end, unless nothing follows the last
/// one, as in kustomize.
fn joined(outputs: Vec<String>) -> String {
    let parts: Vec<String> =
        outputs.into_iter().map(|text| if text.is_empty() { text } else { text + "---" }).collect();
    let text = parts.join("\n");
    text.strip_suffix("---").map(str::to_owned).unwrap_or(text)
}

fn cat(args: &CatArgs, reading: &Reading) -> Result<String> {
    let wrapping = wrapping(args, reading)?;
    let style = mapping_style(&args.style);
    let format = Output { keeps_index: args.annotate, keeps_path: args.annotate, wrapping, style };
    let packages = reading.packages(args.dir.as_deref(), &args.package)?;
    let mut outputs = Vec::new();
    for (_, resources) in packages {
        let mut resources = with_migration(resources, |resources| Ok(kept(resources, &args.local)))?;
        if args.format {
            resources = with_migration(resources, |mut resources| {
                resources.iter_mut().try_for_each(|resource| package::format(&mut resource.root))?;
                Ok(resources)
            })?;
        }
        if args.strip_comments {
            resources = with_migration(resources, |mut resources| {
                for resource in &mut resources {
                    resource.root.strip_comments();
                }
                Ok(resources)
            })?;
        }
        outputs.push(written(resources, &format)?);
    }
    Ok(if args.dir.is_some() { joined(outputs) } else { outputs.concat() })
}

/// Prints resources; nothing, not even a list, when there are none.
fn written(resources: Vec<StyledDocument>, output: &Output) -> Result<String> {
    if resources.is_empty() { Ok(String::new()) } else { package::write(resources, output) }
}

fn wrapping(args: &CatArgs, reading: &Reading) -> Result<Option<Wrapping>> {
    if args.wrap_kind.is_empty() {
        for (flag, value) in
            [("wrap-version", &args.wrap_version), ("function-config", &args.function_config)]
        {
            if !value.is_empty() {
                output::note(&format!("note: `--{flag}` has no effect without `--wrap-kind`"));
            }
        }
        return Ok(None);
    }
    let mut wrapping = Wrapping {
        kind: args.wrap_kind.clone(),
        api_version: args.wrap_version.clone(),
        function_config: None,
    };
    if !args.function_config.is_empty() {
        let scope = if args.annotate { Scope::Package } else { Scope::Unannotated };
        let mut found = package::read_package(&reading.input(), &args.function_config, scope)?;
        if found.len() != 1 {
            let message = format!("`{}` has {} resources, expected one", args.function_config, found.len());
            return Err(Diagnostic::error(Code::Usage, message).into());
        }
        wrapping.function_config = found.pop().map(|document| document.root);
    }
    Ok(Some(wrapping))
}

fn mapping_style(flags: &[StyleFlag]) -> Option<MappingStyle> {
    let style = MappingStyle {
        in_flow: flags.contains(&StyleFlag::FlowStyle),
        is_tagged: flags.contains(&StyleFlag::TaggedStyle),
    };
    (!flags.is_empty()).then_some(style)
}

fn kept(mut resources: Vec<StyledDocument>, local: &LocalArgs) -> Vec<StyledDocument> {
    resources.retain(|resource| {
        let is_local = package::is_local_config(&resource.root);
        if is_local { local.include_local } else { !local.exclude_non_local }
    });
    resources
}

fn count(args: &CountArgs, reading: &Reading) -> Result<String> {
    let mut outputs = Vec::new();
    for (path, resources) in reading.packages(args.dir.as_deref(), &args.package)? {
        let title = args.dir.as_ref().map(|_| format!("{path}/\n")).unwrap_or_default();
        let counts = if args.kind { counts_of_kinds(&resources) } else { format!("{}\n", resources.len()) };
        outputs.push(title + &counts);
    }
    Ok(outputs.join("\n"))
}

fn counts_of_kinds(resources: &[StyledDocument]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for resource in resources {
        *counts.entry(Meta::of(&resource.root).kind).or_default() += 1;
    }
    let lines: Vec<String> = counts.iter().map(|(kind, count)| format!("{kind}: {count}\n")).collect();
    lines.concat()
}

fn grep(args: &GrepArgs, reading: &Reading) -> Result<String> {
    let query = Query::parse(&args.query)?;
    // The annotations for the file stay in any case, as in kustomize.
    let format = Output { keeps_index: args.annotate, keeps_path: true, ..Output::default() };
    let mut outputs = Vec::new();
    for (_, resources) in reading.packages(args.dir.as_deref(), &args.package)? {
        let resources = with_migration(resources, |resources| {
            let mut found = Vec::new();
            for resource in resources {
                if query.matches(&resource.root)? != args.invert_match {
                    found.push(resource);
                }
            }
            Ok(found)
        })?;
        outputs.push(written(resources, &format)?);
    }
    Ok(if args.dir.is_some() { joined(outputs) } else { outputs.concat() })
}

fn tree(args: &TreeArgs, reading: &Reading) -> Result<String> {
    let (root, resources) = match args.dir.as_str() {
        "-" => (".".to_owned(), reading.stream()?),
        dir => (package::clean(dir), package::read_package(&reading.input(), dir, Scope::Everything)?),
    };
    let mut fields = Vec::new();
    for path in &args.field {
        fields.push(TreeField::new(parse_field_path(path)?));
    }
    fields.extend(args.shown.fields(args.all));
    let resources = with_migration(resources, |resources| Ok(kept(resources, &args.local)))?;
    if resources.is_empty() {
        return Ok(String::new());
    }
    let structure = match args.graph_structure {
        StructureFlag::Unsaid => None,
        StructureFlag::Owners => Some(Structure::Owners),
        StructureFlag::Directory => Some(Structure::Directory),
    };
    let top = reading.surroundings.working_directory.join(&root);
    let is_package =
        |directory: &str| reading.surroundings.files.exists(&top.join(directory).join(PACKAGE_FILE));
    let tree = Tree { root: &root, fields: &fields, structure, is_package: &is_package };
    Ok(package::render_tree(resources, &tree)?)
}
