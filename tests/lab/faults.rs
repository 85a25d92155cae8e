//! Whether the recorded verdicts on faults are those of the real API servers.

use super::cluster::{Cluster, Run, Setup, lab_file};

/// Asks a server for its verdict on every case of `tests/faults`.
fn check(setup: &Setup) {
    let cluster = Cluster::start_with(setup);
    let program = lab_file("faults.py");
    let args = ["-B", program.to_str().unwrap(), "check", cluster.folder().to_str().unwrap()];
    let (out, _) = Run::of(&mut cluster.command("python3", &args)).succeeds();
    assert!(out.contains("0 verdicts differ"), "{out}");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn the_recorded_verdicts_are_those_of_the_server() {
    check(&Setup { bare: true, ..Setup::default() });
}

mod full {
    use super::{Setup, check};

    #[test]
    #[ignore = "needs the lab: .ci/full"]
    fn the_recorded_verdicts_are_those_of_the_oldest_server() {
        check(&Setup { bare: true, oldest: true, ..Setup::default() });
    }
}
