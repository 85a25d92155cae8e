//! Whether the time of a build grows with its resources and no faster: 1,000, 5,000 and 20,000 deployments and config maps
//! with a prefix, a namespace, labels, a patch and name references.
//!
//! `cargo bench --bench scaling`

#![allow(clippy::panic, reason = "a benchmark fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips or measures")]
#![allow(missing_docs, reason = "a program, not a library")]

use kfc_diagnostics::Sources;
use kfc_kustomize::engine::{Options, build};
use kfc_source::Surroundings;
use kfc_yaml::emit;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nothing of this machine but its folders.
fn surroundings() -> Arc<Surroundings> {
    Arc::new(Surroundings::bare(std::env::current_dir().unwrap_or_default(), std::env::temp_dir()))
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;

const KUSTOMIZATION: &str = "\
resources: [resources.yaml]
namePrefix: team-
namespace: apps
labels:
- pairs: {owner: team}
  includeSelectors: true
patches:
- target: {kind: Deployment}
  patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: any}
    spec:
      template:
        spec:
          containers:
          - name: app
            env: [{name: LEVEL, value: info}]
";

fn resources(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count / 2 {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{number}\ndata:\n  key: value\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number}\nspec:\n  selector:\n    matchLabels:\n\
             \x20     app: app-{number}\n  template:\n    metadata:\n      labels:\n        app: app-{number}\n    spec:\n\
             \x20     containers:\n      - name: app\n        image: app:1\n        envFrom:\n        - configMapRef:\n\
             \x20           name: settings-{number}\n"
        );
    }
    text
}

fn fastest(folder: &Path) -> Duration {
    let target = folder.to_string_lossy();
    let once = || {
        let sources = Arc::new(Sources::default());
        let start = Instant::now();
        let bundle = build(&target, &Options::new(&surroundings()), &sources)
            .unwrap_or_else(|errors| panic!("{:?}", errors.0));
        let nodes: Vec<_> = bundle.resources.list.iter().map(|resource| &resource.node).collect();
        std::hint::black_box(emit::emit_all(&nodes).unwrap_or_default());
        start.elapsed()
    };
    (0..ROUNDS).map(|_| once()).min().unwrap_or_default()
}

fn main() {
    let mut previous: Option<(usize, Duration)> = None;
    for count in [1_000, 5_000, 20_000] {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        write("kustomization.yaml", KUSTOMIZATION).unwrap_or_else(|error| panic!("{error}"));
        write("resources.yaml", &resources(count)).unwrap_or_else(|error| panic!("{error}"));
        let time = fastest(folder.path());
        let growth = previous.map_or(String::new(), |(before, old)| {
            format!(", {:.2} times that of {before}", time.as_secs_f64() / old.as_secs_f64())
        });
        println!("{count:>6} resources: {:.1} ms{growth}", time.as_secs_f64() * 1000.0);
        previous = Some((count, time));
    }
}
