//! The time of a comparison: two bundles from the disk to the JSON report, their parse included.
//!
//! `cargo bench --bench diff -- OLD.yaml [NEW.yaml]`; without a second file the new bundle is the old one with every twentieth
//! image and every tenth number changed, without arguments both come from the golden of `gke`, repeated to 6 MB.

#![allow(clippy::panic, reason = "a benchmark fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips or measures")]
#![allow(missing_docs, reason = "a program, not a library")]

use kfc_diagnostics::Sources;
use kfc_diff::report::{Format, Style, write};
use kfc_diff::{Input, Member, compare};
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::read;
use kfc_yaml::parse;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 9;

/// Bytes that the bundle has at least when none is named.
const SIZE: usize = 6 << 20;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let before = files.first().map_or_else(golden, |file| read_file(Path::new(file)));
    let after = files.get(1).map_or_else(|| mutated(&before), |file| read_file(Path::new(file)));
    let mut times: Vec<(Duration, Duration)> = (0..ROUNDS).map(|_| once(&before, &after)).collect();
    times.sort();
    let (whole, comparison) = times[ROUNDS / 2];
    #[allow(clippy::cast_precision_loss, reason = "megabytes to one digit")]
    let size = |text: &str| text.len() as f64 / 1e6;
    println!(
        "{:.1} and {:.1} MB: {whole:.1?} with parse and JSON report, {comparison:.1?} of it the comparison (median of {ROUNDS})",
        size(&before),
        size(&after)
    );
}

fn once(before: &str, after: &str) -> (Duration, Duration) {
    let start = Instant::now();
    let schema = Schema::builtin();
    let (before, after) = rayon::join(|| input(before, &schema), || input(after, &schema));
    let parsed = Instant::now();
    let report = compare(&before, &after, &schema);
    let compared = parsed.elapsed();
    let json = write(Format::Json, &report, &Style::default()).unwrap_or_else(|error| panic!("{error:?}"));
    let whole = start.elapsed();
    assert!(!json.is_empty() && !report.changes.is_empty());
    // As in the program, which ends here.
    std::mem::forget((before, after, report));
    (whole, compared)
}

fn input(text: &str, schema: &Schema) -> Input {
    let sources = Arc::new(Sources::default());
    let (id, source) = sources.add("bundle", text);
    let resources = parse::parse(&source.text, id).and_then(|nodes| read::resources(nodes, schema));
    let resources = resources.unwrap_or_else(|error| panic!("{error:?}"));
    let resources = resources.into_iter().map(Member::new).collect();
    Input { resources, sources, ..Input::default() }
}

fn read_file(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The golden of a profile, as often as it takes, each time in namespaces of its own.
fn golden() -> String {
    let golden = read_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/gke.yaml"));
    let mut text = String::new();
    while text.len() < SIZE {
        let suffix = text.len();
        for line in golden.lines() {
            text.push_str(line);
            if line.starts_with("  name: ") {
                let _ = write!(text, "-{suffix}");
            }
            text.push('\n');
        }
        text.push_str("---\n");
    }
    text
}

fn mutated(bundle: &str) -> String {
    let (mut images, mut ports) = (0, 0);
    let change = |line: &str| {
        let key = line.trim_start_matches([' ', '-']);
        if key.starts_with("image: ") {
            images += 1;
            return if images % 20 == 0 { format!("{line}-next\n") } else { format!("{line}\n") };
        }
        if key.starts_with("port: ") {
            ports += 1;
            return if ports % 10 == 0 { format!("{line}1\n") } else { format!("{line}\n") };
        }
        format!("{line}\n")
    };
    bundle.lines().map(change).collect()
}
