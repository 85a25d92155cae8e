//! Links the unwinder of the C compiler statically on Linux, so that the program depends on nothing but libc.
//!
//! The standard library asks the linker for `gcc_s`, the shared form of the unwinder. A linker script of that name, found
//! first, sends the linker to the static form instead. Where the compiler has none, nothing is changed.
//!
//! Also lets the linker fold functions with the same code and leave out what a program that never unwinds does not read, packs
//! the catalogue and the page that explains errors, and links src/stdout.c into the program, which notices when standard output is
//! closed.

#![expect(clippy::expect_used, reason = "a build script reports what is wrong with its input by a panic")]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    pack_catalogue();
    pack_errors();
    if std::env::var_os("CARGO_CFG_UNIX").is_some() {
        link_stdout_check();
    }
    let is_linux_gnu = std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux")
        && std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu")
        && std::env::var("TARGET") == std::env::var("HOST");
    let Ok(out) = std::env::var("OUT_DIR") else { return };
    if std::env::var("OPT_LEVEL").is_ok_and(|level| level != "0") {
        link_with(&out, &[FOLD.to_owned()]);
        // The profiles that are for use abort; a build script is not told.
        if is_linux_gnu && std::env::var("PROFILE").as_deref() == Ok("release") {
            leave_out_unwind_tables(&out);
        }
    }
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let found = Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output();
    let path =
        found.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if is_linux_gnu && Path::new(&path).is_absolute() {
        let script = Path::new(&out).join("libgcc_s.so");
        if std::fs::write(script, format!("INPUT({path})\n")).is_ok() {
            println!("cargo:rustc-link-search=native={out}");
        }
    }
}

/// Lets the linker keep one of several functions with the same machine code: generic code has many. lld and mold know it, others
/// do not.
const FOLD: &str = "-Wl,--icf=all";

/// The tables are read to unwind. A program that aborts when it panics does not, and they are a fifteenth of it.
fn leave_out_unwind_tables(out: &str) {
    let script = Path::new(out).join("unwind.ld");
    let discard = "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.eh_frame_hdr) } } INSERT AFTER .text;\n";
    if std::fs::write(&script, discard).is_ok() {
        link_with(out, &["-Wl,--no-eh-frame-hdr".to_owned(), format!("-Wl,-T,{}", script.display())]);
    }
}

/// Links programs with these arguments if the linker takes them.
fn link_with(out: &str, arguments: &[String]) {
    if links_with(out, arguments) {
        for argument in arguments {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}

/// Whether a program can be linked with these arguments.
fn links_with(out: &str, arguments: &[String]) -> bool {
    let source = Path::new(out).join("probe.rs");
    let (Some(rustc), Some(target)) = (std::env::var_os("RUSTC"), std::env::var_os("TARGET")) else {
        return false;
    };
    if std::fs::write(&source, "fn main() {}\n").is_err() {
        return false;
    }
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let linker = std::env::var("RUSTC_LINKER").map(|linker| format!("-Clinker={linker}"));
    let mut command = Command::new(rustc);
    command.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty())).args(linker);
    command.arg("--target").arg(target).args(["--crate-type=bin", "-Cpanic=abort", "-o"]);
    command.arg(Path::new(out).join("probe")).arg(source);
    command.args(arguments.iter().map(|argument| format!("-Clink-arg={argument}")));
    command.output().is_ok_and(|output| output.status.success())
}

/// Packs the catalogue that is built into the program, for src/embedded.rs.
fn pack_catalogue() {
    let mut archive = Vec::new();
    let mut field = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).expect("no file of the catalogue has 4 GiB");
        archive.extend_from_slice(&length.to_le_bytes());
        archive.extend_from_slice(bytes);
    };
    for folder in ["bases", "overlays", "platforms", "releases"] {
        println!("cargo:rerun-if-changed={folder}");
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.expect("the catalogue can be read");
            if entry.file_type().is_file() {
                let path = entry.path().to_str().expect("paths of the catalogue are UTF-8");
                field(path.replace('\\', "/").as_bytes());
                field(&std::fs::read(entry.path()).expect("files of the catalogue can be read"));
            }
        }
    }
    pack("catalogue.lz4", &archive);
}

/// Packs the page that `kfc explain CODE` prints from.
fn pack_errors() {
    println!("cargo:rerun-if-changed=docs/errors.md");
    pack("errors.lz4", &std::fs::read("docs/errors.md").expect("the page of errors can be read"));
}

/// Writes bytes, compressed, to a file in the output directory.
fn pack(name: &str, bytes: &[u8]) {
    let out = std::env::var_os("OUT_DIR").expect("cargo gives a directory for output");
    let level = lz4::block::CompressionMode::HIGHCOMPRESSION(12);
    let packed = lz4::block::compress(bytes, Some(level), true).expect("text can be compressed");
    std::fs::write(Path::new(&out).join(name), packed).expect("the output directory can be written");
}

/// A library would be left out, as nothing calls into it: the object itself is linked.
fn link_stdout_check() {
    println!("cargo:rerun-if-changed=src/stdout.c");
    for object in cc::Build::new().file("src/stdout.c").compile_intermediates() {
        println!("cargo:rustc-link-arg-bins={}", object.display());
    }
}
