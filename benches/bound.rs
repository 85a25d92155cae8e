//! How far a whole build is from the least that is possible: one parse of all its inputs plus one emit of its output,
//! nothing between. Both run in this process, in turn, with the same threads; the figure of each is its fastest round.
//!
//! `cargo bench --bench bound -- ROOT...`

#![allow(clippy::panic, reason = "a benchmark fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips or measures")]
#![allow(missing_docs, reason = "a program, not a library")]

use kfc_diagnostics::{SourceId, Sources};
use kfc_kustomize::engine::{Options, build};
use kfc_source::{LoadRestrictor, Surroundings};
use kfc_yaml::{emit, parse};
use rayon::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nothing of this machine but its folders.
fn surroundings() -> Arc<Surroundings> {
    Arc::new(Surroundings::bare(std::env::current_dir().unwrap_or_default(), std::env::temp_dir()))
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 15;

fn main() {
    let roots: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if roots.is_empty() {
        println!("name the roots to measure: cargo bench --bench bound -- ROOT...");
    }
    for root in roots {
        measure(&root);
    }
}

fn measure(root: &str) {
    let options = Options::new(&surroundings()).restricted(LoadRestrictor::None);
    let mut best = [Duration::MAX; 3];
    let (mut read, mut written) = (0, 0);
    for _ in 0..ROUNDS {
        let sources = Arc::new(Sources::default());
        let start = Instant::now();
        let bundle =
            build(root, &options, &sources).unwrap_or_else(|errors| panic!("{root}: {:?}", errors.0));
        let nodes: Vec<_> = bundle.resources.list.iter().map(|resource| &resource.node).collect();
        let chunks = emit::emit_all(&nodes).unwrap_or_default();
        best[0] = best[0].min(start.elapsed());
        written = chunks.iter().map(Vec::len).sum();

        let texts: Vec<_> = (0..).map_while(|id| sources.get(SourceId(id))).collect();
        read = texts.iter().map(|source| source.text.len()).sum::<usize>();
        let start = Instant::now();
        let parsed: Vec<_> = texts
            .par_iter()
            .with_max_len(1)
            .map(|source| parse::parse(&source.text, SourceId::NONE))
            .collect();
        best[1] = best[1].min(start.elapsed());
        let start = Instant::now();
        let emitted = emit::emit_all(&nodes).unwrap_or_default();
        best[2] = best[2].min(start.elapsed());
        std::hint::black_box((parsed, emitted));
    }
    let [whole, parsing, emitting] = best.map(|duration| duration.as_secs_f64() * 1000.0);
    println!("{root}");
    #[expect(clippy::cast_precision_loss, reason = "megabytes to one digit")]
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    println!("  {:.1} MB in, {:.1} MB out", megabytes(read), megabytes(written));
    println!("  build {whole:.1} ms, parse {parsing:.1} ms, emit {emitting:.1} ms");
    println!("  build / (parse + emit) = {:.2}", whole / (parsing + emitting));
}
