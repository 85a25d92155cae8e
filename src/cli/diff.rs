//! `kfc diff`: what changes between two bundles.

use super::side::{ClusterSide, Reader, Side};
use super::target::StackArgs;
use super::{DONE, FAILED, USAGE, output};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_diff::report::{self, Format, Style};
use kfc_diff::{self, Class, Input, Report};
use kfc_kube::schema::Schema;
use kfc_source::LoadRestrictor;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Exit code when the sides differ.
const DIFFERS: u8 = FAILED;
/// Exit code when they could not be compared.
const TROUBLE: u8 = USAGE;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal.
    #[default]
    Auto,
    Always,
    Never,
}

/// How a report is shown.
#[derive(Clone, Debug, Args)]
pub(super) struct ReportArgs {
    /// Format; by the ending of the file's name when there is one.
    #[arg(long, value_parser = format_parser(), value_name = "FORMAT")]
    format: Option<Format>,
    /// Write to this file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show and count changes of form alone, too: the order of lists, other spellings of a quantity, values that the API
    /// server sets.
    #[arg(long)]
    all: bool,
    /// Fail on these classes only: data-loss, recreate, crd, rbac, exposure, webhook, security, storage, image, ….
    #[arg(long, value_name = "CLASS,…", value_delimiter = ',', value_parser = class)]
    fail_on: Vec<Class>,
    /// Colours in text.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Colour,
    /// The most bytes of a Markdown report; the summary is never cut.
    #[arg(long, default_value_t = report::COMMENT, value_name = "N")]
    max_bytes: usize,
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|(_, name, what)| PossibleValue::new(name).help(what));
    PossibleValuesParser::new(values).try_map(|name| Format::named(&name).ok_or("there is no such format"))
}

fn class(name: &str) -> std::result::Result<Class, String> {
    Class::ALL.into_iter().find(|class| class.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
        let near = kfc_diagnostics::nearest(name, names.iter().copied());
        let help = near.map_or_else(
            || format!("the classes are {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        format!("there is no class `{name}`: {help}")
    })
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The old side: a bundle's file, `-`, a profile, a stack, a kustomization root, `REVISION:PATH`, `golden`,
    /// `golden:TARGET`, `cluster` or `cluster:CONTEXT`.
    before: String,
    /// The new side.
    after: String,
    #[command(flatten)]
    stack: StackArgs,
    #[command(flatten)]
    report: ReportArgs,
    /// The folder of the goldens.
    #[arg(long, default_value = "golden", value_name = "DIR")]
    goldens: PathBuf,
    /// Read files outside of roots, too.
    #[arg(long)]
    unrestricted: bool,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    inventory: super::cluster::InventoryArgs,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    kinds: super::consent::KindArgs,
}

impl DiffArgs {
    #[cfg(feature = "cluster")]
    fn cluster(&self) -> Result<ClusterSide> {
        let name = self.inventory.name.as_deref().map(super::cluster::checked).transpose()?;
        let namespace = self.inventory.inventory_namespace.clone();
        Ok(ClusterSide { name, namespace, kinds: self.kinds.kinds() })
    }

    #[cfg(not(feature = "cluster"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as with clusters")]
    fn cluster(&self) -> Result<ClusterSide> {
        Ok(ClusterSide::default())
    }
}

pub(super) fn run(args: &DiffArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    diff(args, &sources).unwrap_or_else(|errors| {
        output::report_run(&errors, &sources, "the comparison");
        TROUBLE
    })
}

fn diff(args: &DiffArgs, sources: &Arc<Sources>) -> Result<u8> {
    if args.before == "-" && args.after == "-" {
        return Err(Diagnostic::error(Code::Usage, "standard input can be one side only").into());
    }
    let schema = Schema::builtin();
    let restrictor = if args.unrestricted { LoadRestrictor::None } else { LoadRestrictor::RootOnly };
    let cluster = args.cluster()?;
    let reader =
        Reader { stack: &args.stack, restrictor, goldens: &args.goldens, schema: &schema, sources, cluster };
    let read = |name: &str, other: &str| reader.read(name, other);
    let (before, after) = rayon::join(|| read(&args.before, &args.after), || read(&args.after, &args.before));
    let Sides { before, after, refused } = both(before?, after?, (&args.before, &args.after), &reader)?;
    let report = kfc_diff::compare(&before, &after, &schema);
    if write(&args.report, &report, Some((&before, &after)))? != DONE {
        return Ok(TROUBLE);
    }
    if !refused.is_empty() {
        // What the server refuses is no difference: nobody can say what it would become.
        output::report_run(&refused, sources, "the comparison");
        return Ok(TROUBLE);
    }
    Ok(exit_code(&args.report, &report))
}

/// Both sides of a comparison.
pub(super) struct Sides {
    pub(super) before: Input,
    pub(super) after: Input,
    /// What the server refuses of a bundle, or does not show.
    pub(super) refused: Diagnostics,
}

impl Sides {
    fn here(before: Input, after: Input) -> Self {
        Self { before, after, refused: Diagnostics::default() }
    }
}

/// Both sides, those in a cluster asked for; `names` are what the user named.
pub(super) fn both(before: Side, after: Side, names: (&str, &str), reader: &Reader<'_>) -> Result<Sides> {
    let (old, new) = names;
    match (before, after) {
        (Side::Here(before), Side::Here(after)) => Ok(Sides::here(*before, *after)),
        (Side::Cluster { context }, Side::Here(after)) => {
            let asked = super::live::ask(context, *after, reader)?;
            let before = Input { label: old.to_owned(), ..asked.live };
            Ok(Sides { before, after: asked.applied, refused: asked.refused })
        }
        (Side::Here(before), Side::Cluster { context }) => {
            let asked = super::live::ask(context, *before, reader)?;
            let after = Input { label: new.to_owned(), why_removed: None, ..asked.live };
            Ok(Sides { before: asked.applied, after, refused: asked.refused })
        }
        (Side::Cluster { .. }, Side::Cluster { .. }) => {
            let error = Diagnostic::error(Code::Usage, "two clusters cannot be compared");
            Err(error
                .help("name a bundle, a profile or a root on one side: its resources are looked up")
                .into())
        }
    }
}

/// Writes a report where the arguments say; gives the exit code of a run that does nothing else.
fn write(args: &ReportArgs, report: &Report, sides: Option<(&Input, &Input)>) -> Result<u8> {
    let of_file = args.output.as_deref().and_then(Format::of_file);
    let format = args.format.or(of_file).unwrap_or_default();
    let is_terminal = args.output.is_none() && std::io::stdout().is_terminal();
    let texts = match sides.filter(|_| format == Format::Unified) {
        Some((before, after)) => Some(kfc_diff::shown_texts(before, after)?),
        None => None,
    };
    let style = Style {
        colour: match args.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => colours(is_terminal),
        },
        width: is_terminal.then(width).flatten(),
        folded: args.all,
        max_bytes: args.max_bytes,
        fail_on: &args.fail_on,
        texts: texts.as_ref().map(|(before, after)| (before.as_str(), after.as_str())),
    };
    let bytes = report::write(format, report, &style)?;
    match &args.output {
        Some(file) => output::write_file(file, &bytes).map(|()| DONE),
        None => Ok(output::print_chunks(&[bytes])),
    }
}

/// Writes a report into a file, in the format of its ending.
pub(super) fn write_to(file: &Path, report: &Report, sides: Option<(&Input, &Input)>) -> Result<()> {
    if Format::of_file(file).is_none() {
        let message = format!("the ending of {} names no format", file.display());
        let error = Diagnostic::error(Code::Usage, message);
        return Err(error.help("the endings are .txt, .md, .json, .sarif, .xml, .diff and .html").into());
    }
    let args = ReportArgs {
        format: None,
        output: Some(file.to_owned()),
        all: false,
        fail_on: Vec::new(),
        color: Colour::Never,
        max_bytes: report::COMMENT,
    };
    write(&args, report, sides).map(drop)
}

/// Whether text has colours, as `NO_COLOR` and `CLICOLOR_FORCE` say.
pub(super) fn colours(is_terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != *"0");
    !is_set("NO_COLOR") && (is_terminal || is_set("CLICOLOR_FORCE"))
}

/// Columns of the terminal.
pub(super) fn width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

fn exit_code(args: &ReportArgs, report: &Report) -> u8 {
    let mut counted = report.changes.iter().filter(|change| args.all || !change.is_folded());
    let differs = match args.fail_on.as_slice() {
        [] => counted.next().is_some(),
        classes => counted.any(|change| change.classes().any(|class| classes.contains(&class))),
    };
    if differs { DIFFERS } else { DONE }
}
