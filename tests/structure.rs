//! What ARCHITECTURE.md promises of the crates: who may use whom, no circles between modules, and who alone touches files,
//! programs, servers, the environment and the terminal. Read from the sources.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![allow(missing_docs, reason = "a program, not a library")]

mod structure {
    pub(crate) mod circles;
    pub(crate) mod modules;
}

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use structure::circles::circles;
use structure::modules::{Crate, crates};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each crate with those that it may use, the lowest first. The command line uses all of them.
const FLOORS: [(&str, &[&str]); 11] = [
    ("kfc-diagnostics", &[]),
    ("kfc-layout", &[]),
    ("kfc-yaml", &["kfc-diagnostics"]),
    ("kfc-kube", &["kfc-diagnostics", "kfc-yaml"]),
    ("kfc-source", &["kfc-diagnostics", "kfc-yaml"]),
    ("kfc-sops", &["kfc-diagnostics", "kfc-yaml", "kfc-source"]),
    ("kfc-kustomize", &["kfc-diagnostics", "kfc-yaml", "kfc-kube", "kfc-source"]),
    ("kfc-diff", &["kfc-diagnostics", "kfc-layout", "kfc-yaml", "kfc-kube"]),
    ("kfc-validate", &["kfc-diagnostics", "kfc-yaml", "kfc-kube", "kfc-diff"]),
    (
        "kfc-catalogue",
        &["kfc-diagnostics", "kfc-layout", "kfc-yaml", "kfc-kube", "kfc-source", "kfc-kustomize"],
    ),
    ("kfc-cluster", &["kfc-diagnostics", "kfc-yaml", "kfc-kube"]),
];

/// The names under a table of a manifest, as `[dependencies]`.
fn names_under(manifest: &str, table: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != format!("[{table}]")).skip(1);
    let entries = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
    entries.filter_map(|line| Some(line.split(['.', ' ', '=']).next()?.to_owned())).collect()
}

#[test]
fn a_crate_uses_only_those_below_it() {
    let mut found: Vec<String> = std::fs::read_dir(top().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut known: Vec<&str> = FLOORS.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(found, known);
    for (name, below) in FLOORS {
        let manifest = std::fs::read_to_string(top().join("crates").join(name).join("Cargo.toml")).unwrap();
        let uses = names_under(&manifest, "dependencies").into_iter().filter(|own| own.starts_with("kfc"));
        let above: Vec<String> = uses.filter(|own| !below.contains(&own.as_str())).collect();
        assert_eq!(above, [""; 0], "{name} uses what is not below it");
    }
}

#[test]
fn the_engine_is_built_without_what_only_the_program_needs() {
    const HEAVY: [&str; 9] = [
        "aes-gcm",
        "clap",
        "minijinja",
        "kube",
        "kube-cel",
        "k8s-openapi",
        "mimalloc",
        "jsonschema",
        "kfc-catalogue",
    ];
    for name in ["kfc-diagnostics", "kfc-yaml", "kfc-kube", "kfc-source", "kfc-kustomize"] {
        let tree = std::process::Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", name])
            .current_dir(top())
            .output()
            .unwrap();
        assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
        let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
        let used: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(used.contains(&name), "{tree}");
        let heavy: Vec<&&str> = HEAVY.iter().filter(|heavy| used.contains(heavy)).collect();
        assert!(heavy.is_empty(), "{name} is built with {heavy:?}");
    }
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    let mut found = BTreeMap::new();
    let mut count = 0;
    for part in crates(top()) {
        count += part.modules.len();
        let circles = circles(part);
        if !circles.is_empty() {
            found.insert(part.name.clone(), circles);
        }
    }
    assert!(count > 300, "the sources are not where they were: {count} modules");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_directory_of_sources_has_a_name_that_tools_ignore() {
    let mut open: Vec<PathBuf> = vec![top().join("src"), top().join("crates")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                assert!(
                    !["build", "vendor", "target", "dist"].contains(&name.as_str()),
                    "{}",
                    path.display()
                );
                open.push(path);
            }
        }
    }
}

/// Lines that have one of these words, `CRATE/FILE: LINE`, tests and comments left out.
fn lines_with(words: &[&str], may: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut count = 0;
    for Crate { name, modules, .. } in crates(top()) {
        for module in modules.values() {
            count += 1;
            let file = format!("{name}/{}", module.file);
            if may(&file) {
                continue;
            }
            let hits = module.code.lines().filter(|line| words.iter().any(|word| line.contains(word)));
            lines.extend(hits.map(|line| format!("{file}: {}", line.trim())));
        }
    }
    assert!(count > 300, "the sources are not where they were: {count} files");
    lines
}

#[test]
fn only_the_program_reads_environment_working_directory_and_clock() {
    const WORDS: [&str; 19] = [
        "env::var",
        "env::vars",
        "env::current",
        "env::home_dir",
        "env::args",
        "env::temp_dir",
        "env::set",
        "current_dir()",
        "SystemTime",
        "UNIX_EPOCH",
        "Utc::now",
        "Local::now",
        "Timestamp::now",
        "OffsetDateTime::now",
        // These ask for the directory of temporary files.
        "TempDir::new()",
        "tempfile::tempdir()",
        "tempfile::tempfile()",
        "NamedTempFile::new()",
        "process::exit",
    ];
    assert_eq!(lines_with(&WORDS, |file| file.starts_with("kfc/")), [""; 0]);
}

#[test]
fn only_the_program_prints() {
    const WORDS: [&str; 6] = ["println!", "eprintln!", "print!(", "eprint!(", "io::stdout()", "io::stderr()"];
    assert_eq!(lines_with(&WORDS, |file| file.starts_with("kfc/")), [""; 0]);
}

#[test]
fn only_code_that_waits_for_others_measures_time() {
    // A deadline never reaches the output: it ends a wait for a process, a server or a cluster.
    let waits = |file: &str| {
        ["kfc/", "kfc-cluster/", "kfc-source/remote/", "kfc-source/program.rs"]
            .iter()
            .any(|place| file.starts_with(place))
    };
    assert_eq!(lines_with(&["Instant"], waits), [""; 0]);
}

#[test]
fn only_the_source_crate_touches_files() {
    const WORDS: [&str; 8] = [
        "std::fs",
        " fs::",
        "File::open(",
        "OpenOptions",
        ".symlink_metadata()",
        ".canonicalize()",
        "WalkDir",
        "read_dir(",
    ];
    let may = |file: &str| file.starts_with("kfc/") || file.starts_with("kfc-source/");
    assert_eq!(lines_with(&WORDS, may), [""; 0]);
}

#[test]
fn only_the_door_opens_files_that_a_tree_names() {
    const WORDS: [&str; 5] =
        ["fs::read(", "fs::read_to_string(", "fs::File::open(", " File::open(", "OpenOptions"];
    // Not of a tree: what was written here before, the answer of our own checkout, docker's own settings.
    let may = |file: &str| {
        [
            "kfc/cli/kustomize/edit.rs",
            "kfc-source/write/",
            "kfc-source/file.rs",
            "kfc-source/door.rs",
            "kfc-source/remote/git.rs",
            "kfc-source/remote/credentials.rs",
        ]
        .iter()
        .any(|place| file.starts_with(place))
    };
    assert_eq!(lines_with(&WORDS, may), [""; 0]);
}

#[test]
fn programs_are_started_in_one_file() {
    let may = |file: &str| file == "kfc-source/program.rs";
    assert_eq!(lines_with(&["Command::new("], may), [""; 0]);
}

#[test]
fn only_the_cluster_crate_speaks_to_an_api_server() {
    for (name, _) in FLOORS.iter().filter(|(name, _)| *name != "kfc-cluster") {
        let manifest = std::fs::read_to_string(top().join("crates").join(name).join("Cargo.toml")).unwrap();
        let uses = names_under(&manifest, "dependencies");
        assert!(!uses.iter().any(|own| ["kube", "k8s-openapi", "tokio"].contains(&own.as_str())), "{name}");
    }
}
