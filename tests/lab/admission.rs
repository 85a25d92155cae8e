//! Whether the API server admits what we build.

use super::cluster::{Cluster, Run, Setup, lab_file};
use serde::Deserialize;
use std::path::Path;

#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) objects: usize,
    pub(crate) distinct: usize,
    pub(crate) problems: Vec<Problem>,
}

/// What the server refuses or warns of.
#[derive(Debug, Deserialize)]
pub(crate) struct Problem {
    pub(crate) object: String,
    pub(crate) bundles: Vec<String>,
    pub(crate) message: String,
}

/// Every object of every profile with a golden, in one go: most are in many profiles. A refusal fails, and a warning of the
/// server too.
#[test]
#[ignore = "needs the lab: .ci/lab"]
fn every_object_of_every_profile_is_admitted_without_a_warning() {
    let cluster = Cluster::start_with(&Setup { bare: true, ..Setup::default() });
    let profiles = kfc_catalogue::golden::names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"));
    assert!(profiles.len() >= 22, "only {} profiles", profiles.len());
    cluster.define_platform_kinds();
    let bundles: Vec<String> = profiles
        .iter()
        .map(|profile| {
            let file = cluster.path(&format!("{profile}.json")).to_str().unwrap().to_owned();
            cluster.kfc(&["build", profile, "--format", "json", "-o", &file]).succeeds();
            file
        })
        .collect();
    let report = admit(&cluster, &bundles);
    assert!(report.objects > 500 * profiles.len() && report.distinct > 600, "{report:?}");
    let problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| {
            let Problem { object, bundles, message } = problem;
            format!("{object} (in {} of {}): {message}", bundles.len(), profiles.len())
        })
        .collect();
    assert!(
        problems.is_empty(),
        "{} of {} objects:\n{}",
        problems.len(),
        report.distinct,
        problems.join("\n")
    );
}

/// Asks the API server about the objects of some bundles, each a file with a JSON list.
pub(crate) fn admit(cluster: &Cluster, bundles: &[String]) -> Report {
    let program = lab_file("admit.py");
    let folder = cluster.folder().to_str().unwrap();
    let mut args = vec!["-B", program.to_str().unwrap(), folder];
    args.extend(bundles.iter().map(String::as_str));
    let (out, _) = Run::of(&mut cluster.command("python3", &args)).succeeds();
    serde_json::from_str(&out).unwrap()
}
