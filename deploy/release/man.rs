//! Writes the man pages of all commands into a directory: `cargo run --example man -- DIRECTORY`. They are made from the command line
//! itself, and not by the program, which would become larger.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let directory = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    std::fs::create_dir_all(&directory)?;
    clap_mangen::generate_to(kfc::cli::kfc_command(), directory)
}
