//! The `kfc` program: hands the command line to [`kfc::cli`].

/// Builds allocate many small strings and lists at once; this allocator is several times faster at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    kfc::cli::run(std::env::args_os()).into()
}
