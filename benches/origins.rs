//! What it costs to keep origins: builds of a root with and without them, in turn, and the ratio of their times.
//!
//! `cargo bench --bench origins -- ROOT [ROUNDS]`

#![allow(clippy::print_stdout, reason = "says what it skips or measures")]
#![allow(missing_docs, reason = "a program, not a library")]

use kfc_diagnostics::Sources;
use kfc_kustomize::engine::{Options, build};
use kfc_source::{LoadRestrictor, Surroundings};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nothing of this machine but its folders.
fn surroundings() -> Arc<Surroundings> {
    Arc::new(Surroundings::bare(std::env::current_dir().unwrap_or_default(), std::env::temp_dir()))
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn time(root: &str, keep_origins: bool) -> Option<Duration> {
    let options =
        Options::new(&surroundings()).restricted(LoadRestrictor::None).keeping_origins(keep_origins);
    let sources = Arc::new(Sources::default());
    let start = Instant::now();
    let bundle = build(root, &options, &sources).ok()?;
    let time = start.elapsed();
    drop(bundle);
    Some(time)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let Some(root) = arguments.next() else {
        println!("skipped: name a kustomization root");
        return;
    };
    let rounds: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(31);
    let (mut plain, mut kept) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        plain.extend(time(&root, false));
        kept.extend(time(&root, true));
    }
    if kept.is_empty() {
        println!("{root} does not build");
        return;
    }
    let best = |times: &[Duration]| times.iter().min().copied().unwrap_or_default();
    let (least_plain, least_kept) = (best(&plain), best(&kept));
    let (plain, kept) = (median(&mut plain), median(&mut kept));
    println!("without origins: median {plain:.1?}, least {least_plain:.1?}");
    println!("with origins:    median {kept:.1?}, least {least_kept:.1?}");
    println!(
        "ratio: {:.3} of the medians, {:.3} of the least",
        kept.as_secs_f64() / plain.as_secs_f64(),
        least_kept.as_secs_f64() / least_plain.as_secs_f64()
    );
}
