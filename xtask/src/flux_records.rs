//! What Flux builds from the trees in tests/flux: its packages, in a Go program of ours, write `expected.yaml` of each.

use crate::program::{Finished, failed, has_program, line, passed, skipped, succeed, text, top};
use crate::records::trees_in;
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail where a record is not what Flux builds
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(options: &Options) -> Finished {
    if !has_program("go") {
        return skipped("there is no go to compile the packages of Flux with");
    }
    let program = top().join("target/flux/build");
    let mut build = line("go build -mod=readonly -buildvcs=false -o");
    succeed(build.arg(&program).arg(".").current_dir(top().join("xtask/flux")))?;
    let cases = trees_in(&top().join("tests/flux"))?;
    for case in &cases {
        let scratch = tempfile::tempdir()?;
        // The build writes into the tree.
        let tree = scratch.path().join("tree");
        succeed(line("cp -r").arg(case.join("tree")).arg(&tree))?;
        let mut flux = std::process::Command::new(&program);
        let built = text(flux.arg(&tree).arg("apps").arg(case.join("flux.yaml")))?;
        let record = case.join("expected.yaml");
        if !options.check {
            std::fs::write(record, built)?;
        } else if std::fs::read_to_string(&record).unwrap_or_default() != built {
            return failed(format!("`{}` is not what Flux builds", record.display()));
        }
    }
    let done = if options.check { "compared with" } else { "recorded from" };
    passed(format!("{} trees {done} the packages of Flux", cases.len()))
}
