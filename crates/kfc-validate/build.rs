//! Packs the table of Kubernetes types, for src/table.rs: a fifth of its size.

#![expect(clippy::expect_used, reason = "a build script reports what is wrong with its input by a panic")]

use lz4::block::{CompressionMode, compress};
use std::path::Path;

const TABLE: &str = "schemas/kubernetes.txt";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={TABLE}");
    let table = std::fs::read(TABLE).expect("the table can be read");
    let packed = compress(&table, Some(CompressionMode::HIGHCOMPRESSION(12)), true);
    let out = std::env::var_os("OUT_DIR").expect("cargo gives a directory for output");
    std::fs::write(Path::new(&out).join("kubernetes.lz4"), packed.expect("the table can be packed"))
        .expect("the output directory can be written");
}
