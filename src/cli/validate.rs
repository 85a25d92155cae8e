//! `kfc validate`: what an API server would say of a bundle.

use super::build::RestrictorFlag;
use super::diff::Sides;
use super::side::{Reader, Side};
use super::target::{KUSTOMIZATION_FILES, StackArgs, Target, resolve_target};
use super::{DONE, FAILED, findings, output};
use crate::assemble;
use crate::build::{self, read};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Result, SourceId, Sources};
use crate::diff::{self, Input};
use crate::resource::Resource;
use crate::schema::Schema;
use crate::sources::{self, door, folder};
use crate::validate::{Finding, Options, Subject, Version, immutable, table, validate};
use crate::yaml::parse::parse;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, on standard error.
    #[default]
    Text,
    /// A list of findings.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit's XML, for test reports.
    Junit,
    /// GitLab's code quality report.
    #[value(name = "codequality")]
    CodeQuality,
}

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Profiles, stacks, kustomization roots, files or folders of resources, or `-` for standard input.
    #[arg(default_value = ".", value_name = "TARGET|FILE|-")]
    targets: Vec<String>,
    #[command(flatten)]
    stack: StackArgs,
    /// Version of Kubernetes; that of the profile, or the newest one, when not given.
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<String>,
    /// Files or folders with further custom resource definitions.
    #[arg(long, value_name = "FILE|DIR")]
    crds: Vec<PathBuf>,
    /// What is there already, whose immutable fields must stay: a bundle, a git revision (`HEAD~1:.`), `golden`, or
    /// `cluster`.
    #[arg(long, value_name = "FILE|GIT-REF|golden|cluster")]
    against: Option<String>,
    /// Take warnings for errors.
    #[arg(long)]
    strict: bool,
    /// Codes of findings to leave out.
    #[arg(long, value_name = "CODE,…", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Kinds to pass over: `Route` or `route.openshift.io/Route`.
    #[arg(long, value_name = "KIND,…", value_delimiter = ',')]
    skip_kind: Vec<String>,
    /// Pass over resources whose kind nothing defines.
    #[arg(long)]
    allow_missing_schema: bool,
    /// Whether files outside of a kustomization root may be read.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", ignore_case = true)]
    load_restrictor: RestrictorFlag,
    /// Form of the findings.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Resources with the version of Kubernetes that they are meant for.
struct Bundle {
    resources: Vec<Resource>,
    kubernetes: Option<String>,
}

pub(super) fn run(args: &ValidateArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    check(args, &sources).unwrap_or_else(|errors| {
        output::report_run(&errors, &sources, "validation");
        FAILED
    })
}

fn check(args: &ValidateArgs, sources: &Arc<Sources>) -> Result<u8> {
    let mut errors = Diagnostics::default();
    let asked = args.kubernetes_version.as_deref().map(version).transpose()?;
    let crds: Vec<Resource> =
        args.crds.iter().filter_map(|path| errors.collect(files(path, sources))).flatten().collect();
    let (mut found, mut count, mut versions) = (Vec::new(), 0, Vec::new());
    for target in &args.targets {
        let Some(bundle) = errors.collect(bundle(target, args, sources)) else { continue };
        let of_profile = bundle.kubernetes.as_deref().and_then(Version::parse);
        let kubernetes = asked.or(of_profile).unwrap_or(table::covered().last);
        let options = Options {
            kubernetes: Some(kubernetes),
            strict: args.strict,
            ignored: args.ignore.clone(),
            skipped: args.skip_kind.clone(),
            allow_missing_schema: args.allow_missing_schema,
        };
        found.extend(validate(&bundle.resources, &crds, &options));
        if let Some(against) = &args.against {
            found
                .extend(errors.collect(changes(against, target, &bundle, args, sources)).unwrap_or_default());
        }
        count += bundle.resources.len();
        versions.push(kubernetes);
        // Handing millions of nodes back to the allocator one by one would only cost time.
        std::mem::forget(bundle);
    }
    errors.into_result(())?;
    versions.dedup();
    Ok(answer(args, &found, count, &versions, sources))
}

/// What cannot be changed of that which the side `against` has.
fn changes(
    against: &str,
    target: &str,
    bundle: &Bundle,
    args: &ValidateArgs,
    sources: &Arc<Sources>,
) -> Result<Vec<Finding>> {
    let schema = Schema::builtin();
    let reader = Reader {
        stack: &args.stack,
        restrictor: args.load_restrictor.into(),
        goldens: Path::new("golden"),
        schema: &schema,
        sources,
        cluster: super::side::ClusterSide::default(),
    };
    let here = Input {
        label: target.to_owned(),
        resources: bundle.resources.clone(),
        sources: Arc::clone(sources),
        ..Input::default()
    };
    let before = reader.read(against, target)?;
    let Sides { before, after, refused } =
        super::diff::both(before, Side::Here(Box::new(here)), (against, target), &reader)?;
    let report = diff::compare(&before, &after, &schema);
    let is_ignored =
        |code: Code| args.ignore.iter().any(|ignored| ignored.eq_ignore_ascii_case(code.as_str()));
    let mut found = immutable(&report, &bundle.resources);
    found.extend(refused.0.into_iter().map(|refusal| of_server(refusal, &bundle.resources)));
    found.retain(|finding| !is_ignored(finding.diagnostic.code));
    Ok(found)
}

/// What the server says against a resource, as a finding.
fn of_server(refusal: Diagnostic, resources: &[Resource]) -> Finding {
    let resource = resources.iter().find(|resource| Some(resource.mark()) == refusal.mark);
    Finding {
        subject: resource.map(Subject::of).unwrap_or_default(),
        path: String::new(),
        secret: resource.is_some_and(|resource| crate::secrecy::is_secret(resource.kind())),
        diagnostic: refusal,
    }
}

/// Prints what was found; gives the exit code.
fn answer(
    args: &ValidateArgs,
    found: &[Finding],
    count: usize,
    versions: &[Version],
    sources: &Sources,
) -> u8 {
    let found = &findings::numbered(found);
    let failed = found.iter().filter(|finding| finding.is_error()).count();
    let code = if failed > 0 { FAILED } else { DONE };
    let target = args.targets.first().map_or(".", String::as_str);
    let document = match args.format {
        Format::Text => None,
        Format::Json => Some(findings::json(found, sources)),
        Format::Sarif => Some(findings::sarif(found, target, sources)),
        Format::Junit => Some(findings::junit(found, count, sources)),
        Format::CodeQuality => Some(findings::code_quality(found, target, sources)),
    };
    if let Some(document) = document {
        return output::print(&document).max(code);
    }
    let shown = Diagnostics(found.iter().map(|finding| shown(finding, sources)).collect());
    output::report_run(&shown, sources, "validation");
    if failed > 0 {
        return FAILED;
    }
    let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
    let warnings = match found.len() {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        many => format!(", {many} warnings"),
    };
    let plural = if count == 1 { "resource is" } else { "resources are" };
    output::print(&format!("{count} {plural} valid for Kubernetes {}{warnings}\n", versions.join(" and ")))
}

fn version(text: &str) -> Result<Version> {
    let all = table::covered();
    Version::parse(text).filter(|version| all.contains(*version)).ok_or_else(|| {
        let message = format!("the types of Kubernetes {text} are not known");
        let help = format!("those of {} to {} are", all.first, all.last);
        Diagnostic::error(Code::Usage, message).help(help).into()
    })
}

/// A finding as it is shown to people: with the resource and field, and without the line where that may be a secret.
pub(super) fn shown(finding: &Finding, sources: &Sources) -> Diagnostic {
    let mut diagnostic = finding.diagnostic.clone();
    if finding.secret {
        let place = diagnostic.mark.take().and_then(|mark| sources.locate(mark));
        diagnostic.labels.clear();
        diagnostic.notes.extend(place.map(|place| format!("at {place}")));
    }
    if !finding.subject.kind.is_empty() {
        let field = if finding.path.is_empty() { String::new() } else { format!(", {}", finding.path) };
        diagnostic.notes.insert(0, format!("{}{field}", finding.subject.title()));
    }
    diagnostic
}

/// The resources of a target.
fn bundle(target: &str, args: &ValidateArgs, sources: &Arc<Sources>) -> Result<Bundle> {
    let plain = |resources| Ok(Bundle { resources, kubernetes: None });
    if target == "-" {
        return plain(standard_input(sources)?);
    }
    let path = Path::new(target);
    let is_stack = path.file_name().is_some_and(|name| name == "kfc.yaml" || name == "kfc.yml");
    if folder::is_file(path) && !is_stack {
        return plain(files(path, sources)?);
    }
    let what = Target::of(target);
    let reads = sources::Options { restrictor: args.load_restrictor.into(), ..super::here::reads() };
    if let Target::Root(root) = &what {
        if path.is_dir() && !KUSTOMIZATION_FILES.iter().any(|name| folder::is_there(&path.join(name))) {
            return plain(files(path, sources)?);
        }
        let options = build::Options { restrictor: reads.restrictor, ..super::here::builds() };
        return plain(build::build(root, &options, sources)?.resources.list);
    }
    let resolved = resolve_target(&what, &args.stack, reads, sources)?;
    let assembled = assemble::assemble(&resolved.plan, &resolved.stack, &resolved.loader)?;
    let kubernetes = resolved.plan.profile.kubernetes().map(str::to_owned);
    Ok(Bundle { resources: assembled.bundle.resources.list, kubernetes })
}

fn standard_input(sources: &Sources) -> Result<Vec<Resource>> {
    let text = door::read_text_of_stream(std::io::stdin().lock(), "standard input")?;
    resources("standard input", text, sources)
}

/// The resources of a file, or of all YAML and JSON files in and below a folder.
fn files(path: &Path, sources: &Sources) -> Result<Vec<Resource>> {
    if !path.is_dir() {
        return resources(&path.display().to_string(), read_text(path)?, sources);
    }
    let mut errors = Diagnostics::default();
    let mut all = Vec::new();
    let is_hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let walk = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name()));
    for entry in walk.filter_map(std::result::Result::ok).filter(|entry| entry.file_type().is_file()) {
        let is_meant = |ending: &std::ffi::OsStr| ending == "yaml" || ending == "yml" || ending == "json";
        if entry.path().extension().is_some_and(is_meant) {
            let read = read_text(entry.path());
            let read = read.and_then(|text| resources(&entry.path().display().to_string(), text, sources));
            all.extend(errors.collect(read).unwrap_or_default());
        }
    }
    errors.into_result(all)
}

fn read_text(path: &Path) -> Result<String> {
    Ok(door::read_text_of_user(path)?)
}

fn resources(name: &str, text: String, sources: &Sources) -> Result<Vec<Resource>> {
    let (id, source): (SourceId, _) = sources.add(name, text);
    read::resources(parse(&source.text, id)?, &Schema::builtin())
}
