//! Parse, emit, merge and a whole build, one by one.

#![allow(clippy::panic, reason = "a benchmark fails by a panic")]
#![allow(clippy::print_stdout, reason = "says what it skips or measures")]
#![allow(missing_docs, reason = "a program, not a library")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kfc_diagnostics::{SourceId, Sources};
use kfc_kube::schema::Schema;
use kfc_kustomize::engine::Options;
use kfc_kustomize::merge::strategic;
use kfc_source::Surroundings;
use kfc_yaml::{emit, parse};
use std::fmt::Write as _;
use std::sync::Arc;

/// Nothing of this machine but its folders.
fn surroundings() -> Arc<Surroundings> {
    Arc::new(Surroundings::bare(std::env::current_dir().unwrap_or_default(), std::env::temp_dir()))
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A text like that of a custom resource definition: deep, with descriptions in block scalars.
fn definition(fields: usize) -> String {
    let mut text = String::from(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.example.com\nspec:\n  \
         schema:\n    openAPIV3Schema:\n      properties:\n",
    );
    for number in 0..fields {
        let _ = write!(
            text,
            "        field{number}:\n          description: |-\n            What the field {number} is for, in a line that is \
             about as long as\n            such lines are, and a second one.\n          items:\n            properties:\n              \
             name:\n                description: The name of the thing that this is about.\n                type: string\n              \
             value:\n                type: integer\n            required:\n            - name\n            type: object\n          \
             type: array\n"
        );
    }
    text
}

fn yaml(c: &mut Criterion) {
    let text = definition(5_000);
    let nodes = parse::parse(&text, SourceId::NONE).unwrap_or_default();
    let mut group = c.benchmark_group("yaml");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse", |b| b.iter_with_large_drop(|| parse::parse(&text, SourceId::NONE)));
    group.sample_size(10);
    group.bench_function("parse generally", |b| {
        b.iter_with_large_drop(|| parse::parse_generally(&text, SourceId::NONE));
    });
    let mut out = Vec::new();
    group.bench_function("emit", |b| {
        b.iter(|| {
            out.clear();
            emit::emit(&nodes[0], &mut out)
        });
    });
    group.finish();
}

fn merge(c: &mut Criterion) {
    let schema = Schema::builtin();
    let read = |text: &str| parse::parse(text, SourceId::NONE).unwrap_or_default().swap_remove(0);
    let target = read(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: {containers: [{name: a, image: \
         b, env: [{name: A, value: a}, {name: B, value: b}]}, {name: c, image: d}]}}}}",
    );
    let patch = read(
        "{spec: {replicas: 3, template: {spec: {containers: [{name: c, env: [{name: X, value: y}]}]}}}}",
    );
    c.bench_function("merge", |b| {
        b.iter_batched(
            || target.clone(),
            |mut target| {
                strategic::apply(&mut target, &patch, &schema, schema.lookup("apps/v1", "Deployment"))
            },
            BatchSize::SmallInput,
        );
    });
}

fn build(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    let kustomization =
        "resources: [crd.yaml]\nnamePrefix: a-\nconfigMapGenerator:\n- name: b\n  literals: [c=d]\n";
    write("kustomization.yaml", kustomization).unwrap_or_else(|error| panic!("{error}"));
    write("crd.yaml", &definition(2_000)).unwrap_or_else(|error| panic!("{error}"));
    let target = folder.path().to_string_lossy().into_owned();
    c.bench_function("build", |b| {
        b.iter_with_large_drop(|| {
            kfc_kustomize::engine::build(
                &target,
                &Options::new(&surroundings()),
                &Arc::new(Sources::default()),
            )
        });
    });
}

criterion_group!(benches, yaml, merge, build);
criterion_main!(benches);
