//! Validation of whole bundles: reading the types of Kubernetes, and checking every resource of a file.
//!
//! `cargo bench --bench validate -- FILE...`

#![allow(clippy::panic, reason = "a benchmark fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips or measures")]
#![allow(missing_docs, reason = "a program, not a library")]

use kfc_diagnostics::Sources;
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::read;
use kfc_kustomize::resource::objects;
use kfc_validate::{Options, Version, table::Table, validate};
use kfc_yaml::parse::parse;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 10;

fn main() {
    let table = best(|| Table::of(Version(32)));
    println!("types of one version: {table:.2} ms");
    for file in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let sources = Sources::default();
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let (id, source) = sources.add(file.as_str(), text);
        let documents = parse(&source.text, id).unwrap_or_else(|errors| panic!("{file}: {:?}", errors.0));
        let resources =
            read::resources(documents, &Schema::builtin()).unwrap_or_else(|errors| panic!("{:?}", errors.0));
        let checked = best(|| validate(&objects(&resources), &[], &Options::default()));
        println!("{file}: {} resources, {checked:.2} ms", resources.len());
    }
}

/// Milliseconds of the fastest round.
fn best<T>(mut run: impl FnMut() -> T) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        std::hint::black_box(run());
        best = best.min(start.elapsed());
    }
    best.as_secs_f64() * 1000.0
}
