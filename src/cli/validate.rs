//! `kfc validate`: what an API server would refuse in a bundle.

use super::across::{OfTarget, report_once};
use super::args::{FunctionArgs, NamedArgs, RestrictorFlag, StackArgs};
use super::environments::{ChosenTarget, Unnamed, chosen};
use super::exit::{DONE, FAILED};
use super::findings::{self, Checked};
use super::here;
use super::members::members;
use super::output;
use super::schema_catalogue::{Catalogued, SchemaLocation, Wanted, look_up};
use super::side::{ClusterSide, Reader, RevisionCopies, Side};
use super::sides::{Sides, both};
use super::targets::{
    ENVIRONMENT, KUSTOMIZATION_FILES, Loaded, STACK_FILES, Target, is_bundle_file, is_stack_file, load,
    resources_of_file, resources_of_text, standard_input,
};
use super::trace::step;
use super::validation::{finding_diagnostic, version};
use clap::{Args, ValueEnum};
use kfc_catalogue::assemble;
use kfc_catalogue::catalogue::{API_VERSION, StackChoice};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Severity, SourceId, Sources, nearest};
use kfc_diff::Input;
use kfc_kube::ignore::IgnoreRule;
use kfc_kube::schema::Schema;
use kfc_kube::{Object, ObjectId};
use kfc_kustomize::resource::{Resource, objects};
use kfc_source::{FileSystem as _, Loader, Os};
use kfc_validate::{Finding, KindName, Options, Update, Verdict, immutable, table, undefined, validate};
use kfc_yaml::value::from_json;
use kfc_yaml::{Node, parse::parse};
use serde_json::json;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, on standard error.
    #[default]
    Text,
    /// An object: for each target its counts and findings.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for test reports.
    Junit,
    /// GitLab's code quality report.
    #[value(name = "codequality")]
    CodeQuality,
}

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Profiles, stacks, kustomization roots, files or directories of resources, or `-` for standard input.
    #[arg(default_value = ".", value_name = "TARGET|FILE|-", conflicts_with_all = ["filename", "kustomize"])]
    targets: Vec<String>,
    #[command(flatten)]
    named: NamedArgs,
    #[command(flatten)]
    stack: StackArgs,
    /// Version of Kubernetes; that of the profile, or the newest one, when not given.
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<String>,
    /// Files or directories with further CRDs.
    #[arg(long, value_name = "FILE|DIR")]
    crds: Vec<PathBuf>,
    /// A catalogue of JSON Schemas for kinds without a CRD, in kubeconform's layouts: a directory, a URL, or a template
    /// such as `schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`; can be repeated, and the first that has a kind counts.
    #[arg(long, value_name = "DIR|URL|TEMPLATE")]
    schema_location: Vec<SchemaLocation>,
    /// Files or directories with policies that the cluster has, their bindings and parameters; those of the bundle are run anyway.
    #[arg(long, value_name = "FILE|DIR")]
    policies: Vec<PathBuf>,
    /// The existing resources, whose immutable fields must not change: a bundle, a git revision (`HEAD~1:.`), `golden`, or
    /// `cluster`.
    #[arg(long, value_name = "FILE|GIT-REF|golden|cluster")]
    against: Option<String>,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    cluster: super::args::ClusterArgs,
    /// Treat warnings as errors, also those for kinds without a schema.
    #[arg(long)]
    strict: bool,
    /// Nothing but the bundle is in the cluster: references to other resources are errors.
    #[arg(long)]
    complete: bool,
    /// Codes of findings to ignore.
    #[arg(long, value_name = "CODE,…", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Kinds to skip: `Route` or `route.openshift.io/Route`.
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', value_parser = |text: &str| Ok::<_, Infallible>(KindName::parse(text)))]
    skip_kind: Vec<KindName>,
    /// Skip resources whose kind has no schema.
    #[arg(long)]
    allow_missing_schema: bool,
    /// Whether files outside of a kustomization root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    load_restrictor: RestrictorFlag,
    #[command(flatten)]
    functions: FunctionArgs,
    /// Output format.
    #[arg(
        short = 'o',
        long,
        visible_alias = "output",
        value_enum,
        value_name = "FORMAT",
        default_value = "text"
    )]
    format: Format,
}

/// Resources that are validated together.
struct Bundle {
    /// What they are of: a target as it was written, or a root that was found below it.
    target: String,
    resources: Vec<Resource>,
    /// The version of Kubernetes that they are meant for, when they say one.
    kubernetes: Option<String>,
    /// Fields that are left to others in a cluster.
    ignore: Vec<IgnoreRule>,
    /// Secrets that others create.
    secrets: Vec<ObjectId>,
}

pub(super) fn run(args: &ValidateArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    check(args, &sources).unwrap_or_else(|errors| output::fail(&errors, &sources, "validation"))
}

fn check(args: &ValidateArgs, sources: &Arc<Sources>) -> Result<u8> {
    let mut errors = Diagnostics::default();
    let asked = args.kubernetes_version.as_deref().map(version).transpose()?;
    let ignored = ignored(&args.ignore)?;
    let policies: Vec<Resource> =
        args.policies.iter().filter_map(|path| errors.collect(files(path, sources))).flatten().collect();
    let crds: Vec<Resource> =
        args.crds.iter().filter_map(|path| errors.collect(files(path, sources))).flatten().collect();
    errors.into_result(())?;
    let mut checked = Vec::new();
    let named: Vec<String> = args.named.target().map(str::to_owned).into_iter().collect();
    for target in if named.is_empty() { &args.targets } else { &named } {
        let mut errors = Diagnostics::default();
        let environments = &args.stack.environments;
        let found = targets_in(target).and_then(|found| chosen(&found, environments, Unnamed::All, sources));
        for ChosenTarget { target: found, choice, .. } in errors.collect(found).unwrap_or_default() {
            let read = step(|| format!("read {found}"), || bundle(&found, args, sources));
            let bundle = match read {
                Ok(bundle) => bundle,
                Err(found_errors) if choice != StackChoice::default() => {
                    checked.push(unchecked(&found, found_errors));
                    continue;
                }
                Err(found_errors) => {
                    errors.extend(found_errors);
                    continue;
                }
            };
            let of_profile = match (asked, &bundle.kubernetes) {
                (None, Some(text)) => errors.collect(version(text)),
                _ => None,
            };
            let kubernetes = asked.or(of_profile).unwrap_or(table::covered().last);
            let mut options = Options::of_version(Some(kubernetes));
            options.strict = args.strict;
            options.complete = args.complete;
            let secrets = bundle.secrets.iter().map(secret_beside);
            options.beside = objects(&policies).into_iter().cloned().chain(secrets).collect();
            options.ignored.clone_from(&ignored);
            options.skipped.clone_from(&args.skip_kind);
            options.allow_missing_schema = args.allow_missing_schema;
            let compared = args
                .against
                .as_ref()
                .and_then(|against| errors.collect(compared(against, &bundle, args, sources)));
            options.updates = compared.as_ref().map(updates).unwrap_or_default();
            let resources = objects(&bundle.resources);
            let mut definitions = objects(&crds);
            let mut catalogued = Catalogued::default();
            if !args.schema_location.is_empty() {
                let wanted = undefined(&resources, &definitions, &options);
                let wanted = wanted.into_iter().map(|(api_version, kind)| Wanted { api_version, kind });
                let looked_up = look_up(&wanted.collect(), &args.schema_location, kubernetes, sources);
                catalogued = errors.collect(looked_up).unwrap_or_default();
            }
            definitions.extend(&catalogued.definitions);
            let name = || format!("validate {}", bundle.target);
            let mut verdict = step(name, || validate(&resources, &definitions, &options));
            verdict.findings.extend(catalogued.missing.0.into_iter().map(Finding::of_bundle));
            errors.collect(checked_something(&bundle.target, &verdict, args));
            if let Some(compared) = compared {
                let mut changed = changes(compared, &bundle);
                changed.retain(|finding| !ignored.contains(&finding.diagnostic.code));
                verdict.findings.extend(changed);
            }
            checked.push(Checked { target: bundle.target.clone(), kubernetes, verdict });
            // Handing millions of nodes back to the allocator one by one would only cost time.
            std::mem::forget(bundle);
        }
        // An error in one target must not hide the others, and is in every output format.
        if !errors.is_empty() {
            checked.push(unchecked(target, errors));
        }
    }
    Ok(answer(args, &checked, sources))
}

/// A Secret that others create: its keys are not known.
fn secret_beside(secret: &ObjectId) -> Object {
    let metadata = json!({"name": secret.name, "namespace": secret.namespace});
    Object::new(from_json(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}), None), false)
}

/// What kept a target, or a part of it, from being checked.
fn unchecked(target: &str, errors: Diagnostics) -> Checked {
    let mut verdict = Verdict::default();
    verdict.findings = errors.0.into_iter().map(Finding::of_bundle).collect();
    Checked { target: target.to_owned(), kubernetes: table::covered().last, verdict }
}

/// The codes of `--ignore`. One that does not exist would be ignored silently, and with it the user's intention.
fn ignored(words: &[String]) -> Result<Vec<Code>> {
    let mut errors = Diagnostics::default();
    let mut codes = Vec::new();
    for word in words {
        if let Some(code) = Code::parse(word.trim()) {
            codes.push(code);
        } else {
            let message = format!("`--ignore {word}`: the code `{word}` does not exist");
            let error = Diagnostic::error(Code::Usage, message);
            let upper = word.trim().to_ascii_uppercase();
            let near = nearest(&upper, Code::ALL.iter().map(|code| code.as_str()));
            errors.push(match near {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("a code is in brackets after `error` or `warning`, such as `KFC1503`"),
            });
        }
    }
    errors.into_result(codes)
}

/// A validation that checked nothing is not a success: a wrong directory or an empty bundle would always pass.
fn checked_something(target: &str, verdict: &Verdict, args: &ValidateArgs) -> Result<()> {
    let nothing = |message: String, help: &str| -> Result<()> {
        Err(Diagnostic::error(Code::NothingChecked, message).help(help).into())
    };
    match verdict {
        Verdict { checked: 0, unchecked: 0, skipped: 0, .. } => {
            nothing(format!("`{target}` has no resources"), "name a file, a root or a bundle with resources")
        }
        Verdict { checked: 0, unchecked: 0, skipped, .. } => nothing(
            format!("nothing of `{target}` was checked: `--skip-kind` skips all {skipped} resources"),
            "remove `--skip-kind` or the target",
        ),
        Verdict { checked: 0, unchecked, .. } if !args.allow_missing_schema => nothing(
            format!(
                "nothing of `{target}` was checked: the kinds of its resources ({unchecked}) have no schema"
            ),
            "pass their CRDs with `--crds`, or `--allow-missing-schema`",
        ),
        _ => Ok(()),
    }
}

/// The bundle and the side `against`.
fn compared(against: &str, bundle: &Bundle, args: &ValidateArgs, sources: &Arc<Sources>) -> Result<Sides> {
    let schema = Schema::builtin();
    let target = bundle.target.as_str();
    let reader = Reader {
        stack: &args.stack,
        restrictor: args.load_restrictor.into(),
        functions: args.functions.options(),
        goldens: Path::new("golden"),
        schema: &schema,
        sources,
        copies: RevisionCopies::default(),
        #[cfg(feature = "cluster")]
        cluster: ClusterSide { args: args.cluster.clone(), ..ClusterSide::default() },
        #[cfg(not(feature = "cluster"))]
        cluster: ClusterSide::default(),
    };
    let ours = Input {
        label: target.to_owned(),
        resources: members(bundle.resources.clone(), &[]),
        ignore: bundle.ignore.clone(),
        sources: Arc::clone(sources),
        ..Input::default()
    };
    let before = reader.read(against, target)?;
    both(before, Side::Here(Box::new(ours)), (against, target), &reader)
}

/// The resources that are on both sides.
fn updates(sides: &Sides) -> Vec<Update> {
    let before: HashMap<ObjectId, &Object> =
        sides.before.objects().into_iter().map(|object| (ObjectId::of(object, ""), object)).collect();
    let update = |after: &Object| {
        let before = (*before.get(&ObjectId::of(after, ""))?).clone();
        Some(Update { before, after: after.clone() })
    };
    sides.after.objects().into_iter().filter_map(update).collect()
}

/// The immutable fields that differ, and what the server refuses.
fn changes(sides: Sides, bundle: &Bundle) -> Vec<Finding> {
    let report = kfc_diff::compare(&sides.before, &sides.after, &Schema::builtin());
    let mut found = immutable(&report, &objects(&bundle.resources));
    found.extend(sides.refused.0.into_iter().map(|refusal| of_server(refusal, &bundle.resources)));
    found
}

/// A refusal of the server as a finding.
fn of_server(refusal: Diagnostic, resources: &[Resource]) -> Finding {
    let resource = resources.iter().find(|resource| Some(resource.mark()) == refusal.mark);
    let mut finding = Finding::of_bundle(refusal);
    finding.subject = resource.map(|resource| ObjectId::of(resource, ""));
    finding.secret = resource.is_some_and(|resource| kfc_kube::redaction::is_secret(resource.kind()));
    finding
}

/// Prints the findings; returns the exit status. The line with the counts goes to standard output when all is valid, and to
/// standard error when it is not or a document is printed.
fn answer(args: &ValidateArgs, checked: &[Checked], sources: &Sources) -> u8 {
    let checked = &findings::numbered(checked);
    let findings = || checked.iter().flat_map(|checked| &checked.verdict.findings);
    let code = if findings().any(Finding::is_error) { FAILED } else { DONE };
    let document = match args.format {
        Format::Text => None,
        Format::Json => Some(findings::json(checked, sources)),
        Format::Sarif => Some(findings::sarif(checked, sources)),
        Format::Junit => Some(findings::junit(checked, sources)),
        Format::CodeQuality => Some(findings::code_quality(checked, sources)),
    };
    let counted = |one: &&Checked| one.verdict.checked + one.verdict.unchecked + one.verdict.skipped > 0;
    let lines: String = checked.iter().filter(counted).map(|one| summary(one, checked.len() > 1)).collect();
    if let Some(document) = document {
        if !lines.is_empty() {
            output::note(lines.trim_end());
        }
        return output::print(&document).max(code);
    }
    output::report_run(&printed(checked, sources), sources, "validation");
    if code == DONE {
        return output::print(&lines);
    }
    if !lines.is_empty() {
        output::note(lines.trim_end());
    }
    code
}

/// The findings; what several environments of a stack have is there once.
fn printed(checked: &[Checked], sources: &Sources) -> Diagnostics {
    let of_target = |checked: &Checked| {
        let found = checked.verdict.findings.iter().map(|finding| finding_diagnostic(finding, sources));
        OfTarget { name: checked.target.clone(), found: found.collect(), sources }
    };
    let mut targets: Vec<OfTarget<'_>> = checked.iter().map(of_target).collect();
    if targets.len() > 1 && targets.iter().all(|target| target.name.contains(ENVIRONMENT)) {
        report_once(&mut targets);
    }
    targets.into_iter().flat_map(|target| target.found.0).collect()
}

/// What was checked, in one line: "12 resources are valid for Kubernetes 1.37, 1 could not be checked".
fn summary(checked: &Checked, is_one_of_several: bool) -> String {
    let Verdict { findings, checked: count, unchecked, skipped, .. } = &checked.verdict;
    let of = |severity| findings.iter().filter(|finding| finding.diagnostic.severity == severity).count();
    let (errors, warnings, notes) = (of(Severity::Error), of(Severity::Warning), of(Severity::Note));
    let verb = match (errors, *count) {
        (0, 1) => "resource is valid",
        (0, _) => "resources are valid",
        (_, 1) => "resource was checked",
        (..) => "resources were checked",
    };
    let mut line = format!("{count} {verb} for Kubernetes {}", checked.kubernetes);
    let mut add = |count: usize, one: &str, many: &str| {
        if count > 0 {
            let _ = write!(line, ", {count} {}", if count == 1 { one } else { many });
        }
    };
    add(
        *unchecked,
        "could not be checked: its kind has no schema",
        "could not be checked: their kinds have no schema",
    );
    add(*skipped, "was skipped by `--skip-kind`", "were skipped by `--skip-kind`");
    add(errors, "error", "errors");
    add(warnings, "warning", "warnings");
    add(notes, "note", "notes");
    if is_one_of_several { format!("{}: {line}\n", checked.target) } else { format!("{line}\n") }
}

/// What there is to validate in a target: the target itself, or, for a directory that is neither a root nor a stack,
/// every root and stack below it, and the directory itself when it has other files.
fn targets_in(target: &str) -> Result<Vec<String>> {
    let path = Path::new(target);
    if target == "-" || !path.is_dir() || is_root(path) {
        return Ok(vec![target.to_owned()]);
    }
    let mut roots = Vec::new();
    let mut has_files = false;
    let mut errors = Diagnostics::default();
    let mut walk = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                // What cannot be read must not count as checked.
                let message = format!("cannot read all of `{target}`: {error}");
                errors.push(Diagnostic::error(Code::Unreadable, message));
                continue;
            }
        };
        if is_hidden(&entry) {
            skip(&entry, &mut walk);
        } else if entry.file_type().is_dir() && is_root(entry.path()) {
            // A kustomize component belongs to the roots that name it; it cannot be built alone.
            if !is_kustomize_component(entry.path()) {
                roots.push(entry.path().to_string_lossy().into_owned());
            }
        } else if is_resource_file(&entry) && is_stack_file(entry.path()) {
            let is_of_its_root =
                entry.path().file_name().is_some_and(|name| STACK_FILES.iter().any(|s| name == *s));
            if !is_of_its_root {
                roots.push(entry.path().to_string_lossy().into_owned());
            }
        } else {
            has_files |= is_loose_resource_file(&entry, path);
        }
    }
    errors.into_result(())?;
    if has_files {
        roots.insert(0, target.to_owned());
    }
    if roots.is_empty() {
        let message = format!("`{target}` has nothing to validate");
        let help = "expected a kustomization, a `kfc.yaml`, or YAML or JSON files with resources";
        return Err(Diagnostic::error(Code::NothingChecked, message).help(help).into());
    }
    Ok(roots)
}

fn is_hidden(entry: &walkdir::DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
}

fn skip(entry: &walkdir::DirEntry, walk: &mut walkdir::IntoIter) {
    if entry.file_type().is_dir() {
        walk.skip_current_dir();
    }
}

/// Whether a directory has a kustomization file or a stack.
fn is_root(directory: &Path) -> bool {
    KUSTOMIZATION_FILES.iter().chain(&STACK_FILES).any(|name| Os.exists(&directory.join(name)))
}

fn is_kustomize_component(directory: &Path) -> bool {
    let sources = Arc::new(Sources::default());
    let loader = Loader::open(&directory.to_string_lossy(), here::reads(), &sources);
    let Ok(found) = loader.and_then(|loader| loader.find_kustomization()) else { return false };
    let documents = parse(&found.source.text, SourceId::NONE).unwrap_or_default();
    documents.iter().any(|node| node.get("kind").and_then(Node::as_text) == Some("Component"))
}

fn is_resource_file(entry: &walkdir::DirEntry) -> bool {
    let is_meant = |ending: &std::ffi::OsStr| ending == "yaml" || ending == "yml" || ending == "json";
    entry.file_type().is_file() && entry.path().extension().is_some_and(is_meant)
}

/// Whether an entry is a file of resources that is not in a root below `top`.
fn is_loose_resource_file(entry: &walkdir::DirEntry, top: &Path) -> bool {
    let above = || entry.path().ancestors().skip(1).take_while(|directory| directory.starts_with(top));
    is_resource_file(entry) && !above().any(is_root)
}

/// The resources of a target.
fn bundle(target: &str, args: &ValidateArgs, sources: &Arc<Sources>) -> Result<Bundle> {
    let plain = |resources| {
        Ok(Bundle {
            target: target.to_owned(),
            resources,
            kubernetes: None,
            ignore: Vec::new(),
            secrets: Vec::new(),
        })
    };
    if target == "-" {
        return plain(resources_of_standard_input(sources)?);
    }
    let path = Path::new(target);
    if is_bundle_file(path) {
        return plain(files(path, sources)?);
    }
    let what = Target::of(target);
    if matches!(what, Target::Root(_)) && path.is_dir() && !is_root(path) {
        return plain(files(path, sources)?);
    }
    let mut options = here::builds().restricted(args.load_restrictor.into());
    options.functions = args.functions.options();
    let resolved = match load(&what, &args.stack, &options, sources)? {
        Loaded::Root(bundle) => return plain(bundle.resources.list),
        Loaded::Stack(resolved) => resolved,
    };
    let assembled = resolved.assemble(false)?;
    // What `kfc build` would refuse.
    assemble::known_credentials(&resolved.plan, &assembled.bundle.resources.list)?;
    let kubernetes = resolved.plan.profile.kubernetes().map(str::to_owned);
    Ok(Bundle {
        target: target.to_owned(),
        resources: assembled.bundle.resources.list,
        kubernetes,
        secrets: assemble::secrets_of_others(&resolved.plan),
        ignore: resolved.plan.ignore,
    })
}

fn resources_of_standard_input(sources: &Sources) -> Result<Vec<Resource>> {
    let resources = resources_of_text("standard input", standard_input()?, &Schema::builtin(), sources)?;
    let is_stack = |resource: &&Resource| resource.api_version() == API_VERSION && resource.kind() == "Stack";
    match resources.iter().find(is_stack) {
        // It refers to files by paths relative to itself, and standard input has no path.
        Some(stack) => Err(Diagnostic::error(Code::Usage, "a stack cannot be read from standard input")
            .at(stack.mark())
            .help("name its file or directory")
            .into()),
        None => Ok(resources),
    }
}

/// The resources of a file, or of all YAML and JSON files in and below a directory.
fn files(path: &Path, sources: &Sources) -> Result<Vec<Resource>> {
    if !path.is_dir() {
        return resources_of_file(path, &Schema::builtin(), sources);
    }
    let mut errors = Diagnostics::default();
    let mut all = Vec::new();
    let walk = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|entry| !is_hidden(entry));
    for entry in walk.filter_map(std::result::Result::ok) {
        if is_loose_resource_file(&entry, path) && !is_stack_file(entry.path()) {
            let read = resources_of_file(entry.path(), &Schema::builtin(), sources);
            all.extend(errors.collect(read).unwrap_or_default());
        }
    }
    errors.into_result(all)
}
