//! `kfc version` and `kustomize version`.

use super::args::{ListFormat, ListFormatArgs};
use super::listing::{described, encoded};
use super::output;
use clap::{Args, ValueEnum};
use kfc_diagnostics::Sources;
use kfc_kustomize::engine::KUSTOMIZE_VERSION;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Yaml,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct KfcVersionArgs {
    #[command(flatten)]
    form: ListFormatArgs,
}

#[derive(Debug, Args)]
pub(super) struct KustomizeVersionArgs {
    /// Print the version in braces, as old versions of kustomize did.
    #[arg(long, conflicts_with = "output")]
    short: bool,
    /// Print as YAML or JSON.
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

pub(super) fn run_kfc(args: &KfcVersionArgs) -> u8 {
    let version = env!("CARGO_PKG_VERSION");
    let text = match args.form.format {
        ListFormat::Text | ListFormat::Wide => Ok(format!("kfc {version} (kustomize {KUSTOMIZE_VERSION})\n")),
        ListFormat::Name => Ok(format!("{version}\n")),
        format => {
            let fields = serde_json::json!({"kustomize": KUSTOMIZE_VERSION, "version": version});
            encoded(&described("Version", fields), format)
        }
    };
    output::finish(text, &Sources::default(), "the command")
}

pub(super) fn run_kustomize(args: &KustomizeVersionArgs) -> u8 {
    let fields = [
        ("version", KUSTOMIZE_VERSION),
        ("gitCommit", "unknown"),
        ("buildDate", "unknown"),
        ("goOs", go_system()),
        ("goArch", go_architecture()),
        ("goVersion", "unknown"),
    ];
    let text = match (args.short, args.output) {
        (true, _) => {
            output::note("note: `--short` is deprecated by kustomize");
            format!("{{{KUSTOMIZE_VERSION}  unknown   }}\n")
        }
        (false, None) => format!("{KUSTOMIZE_VERSION}\n"),
        (false, Some(Format::Yaml)) => {
            let lines: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
            lines.concat() + "\n"
        }
        (false, Some(Format::Json)) => {
            let lines: Vec<String> =
                fields.iter().map(|(name, value)| format!("  \"{name}\": \"{value}\"")).collect();
            format!("{{\n{}\n}}\n", lines.join(",\n"))
        }
    };
    output::print(&text)
}

/// The system's name as Go spells it.
fn go_system() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

/// The processor's name as Go spells it.
fn go_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
