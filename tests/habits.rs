//! The habits of the command line: the same word for the same thing in every command, flags where users of kubectl expect them,
//! documents with a schema, and exit statuses that shells know.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

mod habits {
    mod errors;
}

use clap::{Arg, ArgAction, Command};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use support::{Project, text};

/// Commands that print scripts, manifests, schemas and texts in one form only, or what Argo CD calls.
const WITHOUT_FORMAT: [&str; 14] = [
    "argocd discover",
    "argocd generate",
    "argocd ignore-differences",
    "argocd parameters",
    "completion",
    "eject",
    "init",
    "new component",
    "new overlay",
    "new platform",
    "schema",
    "secrets generate",
    "secrets hash",
    "secrets rotate",
];

/// The commands of kfc that run something, by their words, without those of kustomize.
fn commands() -> Vec<(String, Command)> {
    fn add(path: &str, command: &Command, all: &mut Vec<(String, Command)>) {
        for sub in command.get_subcommands().filter(|sub| !["help", "kustomize"].contains(&sub.get_name())) {
            let path = format!("{path} {}", sub.get_name()).trim().to_owned();
            if sub.has_subcommands() {
                add(&path, sub, all);
            } else {
                all.push((path, sub.clone()));
            }
        }
    }
    let mut all = Vec::new();
    let mut kfc = kfc::cli::kfc_command();
    kfc.build();
    add("", &kfc, &mut all);
    all
}

fn has(command: &Command, flag: &str) -> bool {
    command.get_arguments().any(|known| known.get_long() == Some(flag))
}

/// What a flag takes: the name of its value, or nothing.
fn takes(flag: &Arg) -> String {
    if !flag.get_action().takes_values() {
        return if matches!(flag.get_action(), ArgAction::Count) { "a count" } else { "nothing" }.to_owned();
    }
    flag.get_value_names().unwrap_or_default().join(" ")
}

#[test]
fn every_command_says_what_it_does_in_words_of_its_own() {
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    for (path, command) in commands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.len() > 10, "`kfc {path}` says nothing of itself");
        if let Some(other) = said.insert(about.clone(), path.clone()) {
            panic!("`kfc {path}` and `kfc {other}` both say: {about}");
        }
    }
    let kfc = kfc::cli::kfc_command();
    assert!(kfc.get_about().is_some_and(|about| about.to_string().contains("machine-learning platform")));
    let groups = kfc.get_subcommands().filter(|sub| sub.has_subcommands());
    groups.for_each(|group| {
        let about = group.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!about.is_empty() && !said.contains_key(&about), "`kfc {}`: {about}", group.get_name());
    });
}

#[test]
fn every_flag_is_described_and_has_one_meaning() {
    // A flag whose value differs from command to command, on purpose.
    let several: BTreeMap<&str, &str> = [
        ("against", "one side, or a version of a bundle in a check"),
        ("dry-run", "`apply` can ask the server too"),
        ("from", "what is read instead of the cluster, the network or the release"),
        ("output", "a path where something is written, a format where nothing is"),
        ("release", "a release, or a directory of one"),
        ("to", "a revision, or a release"),
    ]
    .into();
    let mut meanings: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (path, command) in commands() {
        for flag in command.get_arguments() {
            assert!(flag.get_help().is_some(), "{path}: {} has no help", flag.get_id());
            let Some(long) = flag.get_long() else { continue };
            meanings.entry(long.to_owned()).or_default().entry(takes(flag)).or_default().push(path.clone());
        }
    }
    let differing: Vec<_> = meanings
        .iter()
        .filter(|(flag, values)| values.len() > 1 && !several.contains_key(flag.as_str()))
        .collect();
    assert!(differing.is_empty(), "{differing:#?}");
}

#[test]
fn every_letter_is_one_flag() {
    let mut letters: BTreeMap<char, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (path, command) in commands() {
        for flag in command.get_arguments() {
            let (Some(short), Some(long)) = (flag.get_short(), flag.get_long()) else { continue };
            letters.entry(short).or_default().entry(long.to_owned()).or_default().push(path.clone());
        }
    }
    for (letter, flags) in &letters {
        let names: Vec<&str> = flags.keys().map(String::as_str).collect();
        match letter {
            // A path where something is written, a format where nothing is.
            'o' => assert_eq!(names, ["format", "output"]),
            _ => assert_eq!(names.len(), 1, "-{letter}: {flags:#?}"),
        }
    }
    for (letter, flag) in
        [('f', "filename"), ('k', "kustomize"), ('n', "namespace"), ('q', "quiet"), ('v', "verbose")]
    {
        let known = letters[&letter].keys().next().unwrap();
        if letter != 'n' || cfg!(feature = "cluster") {
            assert_eq!(known, flag);
        }
    }
}

#[test]
fn every_command_that_reports_has_formats_and_the_flags_of_all() {
    for (path, command) in commands() {
        for flag in ["verbose", "quiet", "color", "message-format", "timings"] {
            assert!(has(&command, flag), "{path} has no --{flag}");
        }
        let is_report = !WITHOUT_FORMAT.contains(&path.as_str());
        assert_eq!(has(&command, "format"), is_report, "{path}");
        assert_eq!(has(&command, "context"), has(&command, "kubeconfig"), "{path}");
        // `-o` is the format only where no flag names a file to write.
        let format = command.get_arguments().find(|flag| flag.get_long() == Some("format"));
        let writes = has(&command, "output");
        assert!(
            !writes || format.is_none_or(|flag| flag.get_short().is_none()),
            "{path}: two meanings of -o"
        );
    }
}

fn run(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kfc"));
    command.args(arguments).current_dir(project.path(""));
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "TERM", "KUBECONFIG"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

fn wrong() -> Project {
    Project::new(&[
        ("root/kustomization.yaml", "namePrefx: a-\n"),
        ("fine/kustomization.yaml", "bases: [../base]\n"),
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
    ])
}

/// The documents of standard error, one in a line.
fn messages(output: &Output) -> Vec<Value> {
    text(&output.stderr).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn errors_can_be_read_by_programs() {
    let project = wrong();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for (arguments, status, code) in [
        (&["build", "root", "--message-format", "json"][..], 1, "KFC0201"),
        (&["--message-format=json", "validate", "root"], 1, "KFC0201"),
        (&["diff", "root", "base", "--message-format", "json"], 2, "KFC0201"),
        (&["list", "components", "--catalog", "nowhere", "--message-format", "json"], 1, ""),
        (&["build", "--wrong", "--message-format", "json"], 2, "KFC0901"),
    ] {
        let output = run(&project, arguments, &[]);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        let found = messages(&output);
        assert!(!found.is_empty(), "{arguments:?}");
        for message in &found {
            let errors: Vec<_> = validator.iter_errors(message).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{message}: {errors:?}");
        }
        let codes: Vec<_> =
            found.iter().map(|message| message["code"].as_str().unwrap_or_default()).collect();
        assert!(codes.iter().any(|found| found.starts_with(code)), "{arguments:?}: {codes:?}");
    }
    let found = messages(&run(&project, &["build", "root"], &[("KFC_MESSAGE_FORMAT", "json")]));
    assert_eq!(found[0]["place"]["file"], "root/kustomization.yaml");
    assert_eq!(found[0]["place"]["line"], 1);
    assert_eq!(found[0]["help"], "did you mean `namePrefix`?");
    let log = text(&run(&project, &["build", "root", "--message-format", "sarif"], &[]).stderr);
    let log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "KFC0201");
}

fn schema() -> Value {
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_kfc")).args(["schema", "output"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn documents_fit_their_schema() {
    let project = wrong();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for (arguments, kind) in [
        (&["list", "components", "-o", "json"][..], "ComponentList"),
        (&["list", "parameters", "--format", "json"], "ParameterList"),
        (&["catalog", "list", "-o", "json"], "ReleaseList"),
        (&["version", "-o", "json"], "Version"),
        (&["graph", "kind", "-o", "json"], "Graph"),
        (&["explain", "configmap/a", "-t", "base", "-o", "json"], "Explanation"),
        (&["explain", "--unused", "base", "--format", "json"], "UnusedList"),
        (&["explain", "kfc0402", "KFC1601", "-o", "json"], "CodeList"),
        (&["list", "codes", "-o", "json"], "CodeList"),
        (&["validate", "base", "-o", "json"], "Validation"),
        (&["build", "kind", "--waves=json"], "WaveList"),
        (&["golden", "update", "base", "--format", "json"], "GoldenUpdate"),
        (&["golden", "check", "--format", "json"], "Report"),
        (&["diff", "base", "base", "--format", "json"], "Report"),
    ] {
        let output = run(&project, arguments, &[]);
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", text(&output.stderr)));
        assert_eq!((&document["kind"], &document["apiVersion"]), (&kind.into(), &"kfc.dev/v1alpha1".into()));
        let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(kind == "Report" || errors.is_empty(), "{arguments:?}: {errors:?}");
    }
    assert_eq!(text(&run(&project, &["version", "-o", "name"], &[]).stdout), "0.1.0\n");
    let yaml = text(&run(&project, &["list", "platforms", "gke", "-o", "yaml"], &[]).stdout);
    assert!(yaml.starts_with("apiVersion: kfc.dev/v1alpha1\nitems:\n"), "{yaml}");
    assert!(text(&run(&project, &["list", "platforms", "-o", "name"], &[]).stdout).contains("\ngke\n"));
}

#[test]
fn the_version_is_where_everyone_looks_for_it() {
    let project = wrong();
    for flag in ["--version", "-V"] {
        assert_eq!(text(&run(&project, &[flag], &[]).stdout), "kfc 0.1.0\n");
    }
}

#[test]
fn a_reader_that_goes_away_is_told_from_a_failure() {
    let project = wrong();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kfc"));
    let mut child =
        command.args(["build", "kind"]).current_dir(project.path("")).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

#[test]
fn warnings_and_traces_are_shown_as_asked() {
    let project = wrong();
    let errors =
        |arguments: &[&str], variables: &[(&str, &str)]| text(&run(&project, arguments, variables).stderr);
    assert!(errors(&["build", "fine"], &[]).contains("warning[KFC0205]"));
    assert_eq!(errors(&["build", "fine", "-q"], &[]), "");
    assert_eq!(errors(&["build", "fine"], &[("KFC_QUIET", "1")]), "");
    assert!(
        errors(&["build", "fine", "-v"], &[("KFC_QUIET", "1")]).contains("build fine"),
        "a flag comes first"
    );
    assert!(errors(&["-q", "build", "root"], &[]).contains("error[KFC0201]"), "errors are always shown");
    let files = errors(&["build", "fine", "-vv"], &[]);
    assert!(
        files.contains("read  ") && files.contains("base/a.yaml (") && files.contains("build fine"),
        "{files}"
    );
    assert!(!errors(&["build", "fine", "-v"], &[]).contains("base/a.yaml ("));
    let timings = errors(&["build", "fine", "--timings"], &[]);
    assert!(timings.contains("build fine") && timings.contains("the whole run"), "{timings}");
}

#[test]
fn deprecations_of_others_are_one_line() {
    let project = wrong();
    for repository in ["", "theirs/"] {
        std::fs::create_dir_all(project.path(&format!("{repository}.git"))).unwrap();
    }
    for name in ["a", "b"] {
        let directory = project.path(&format!("theirs/{name}"));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(
            directory.join("kustomization.yaml"),
            format!("bases: [../../base]\nnamePrefix: {name}-\n"),
        )
        .unwrap();
    }
    std::fs::create_dir(project.path("own")).unwrap();
    std::fs::write(project.path("own/kustomization.yaml"), "bases: [../theirs/a, ../theirs/b]\n").unwrap();
    let shown = text(&run(&project, &["build", "own"], &[]).stderr);
    assert_eq!(shown.matches("warning[").count(), 2, "{shown}");
    assert!(shown.contains("own/kustomization.yaml:1:1"), "{shown}");
    let line = "2 warnings about files of others: theirs/a/kustomization.yaml, theirs/b/kustomization.yaml (`-v` lists them)";
    assert!(shown.contains(line), "{shown}");
    let all = text(&run(&project, &["build", "own", "-v"], &[]).stderr);
    assert_eq!(all.matches("warning[").count(), 3, "{all}");
    let kustomize = text(&run(&project, &["kustomize", "build", "own"], &[]).stderr);
    assert!(!kustomize.contains("files of others"), "kustomize has no such line: {kustomize}");
}

#[test]
fn colours_follow_flags_and_variables() {
    let project = wrong();
    let is_coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        text(&run(&project, arguments, variables).stderr).contains("\u{1b}[")
    };
    assert!(!is_coloured(&["build", "root"], &[]));
    assert!(is_coloured(&["build", "root"], &[("CLICOLOR_FORCE", "1")]));
    assert!(is_coloured(&["build", "root", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(is_coloured(&["build", "root"], &[("KFC_COLOR", "always")]));
    assert!(!is_coloured(&["--color", "never", "build", "root"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn the_project_gives_defaults() {
    let stack = "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {name: a}\nspec:\n  platform: kind\n  components: [kubeflow-namespace]\n";
    let project = Project::new(&[("kfc.yaml", &format!("{stack}  defaults: {{jobs: 0}}\n"))]);
    let jobs = text(&run(&project, &["build"], &[]).stderr);
    assert!(jobs.contains("--jobs"), "the value of the project is used: {jobs}");
    assert!(run(&project, &["build", "--jobs", "1"], &[]).status.success());
    std::fs::write(project.path("kfc.yaml"), format!("{stack}  defaults: {{contxt: prod}}\n")).unwrap();
    let output = run(&project, &["list", "facts"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean `context`?"), "{}", text(&output.stderr));
}

/// The commands in the blocks of shell of a page.
fn commands_of(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_pages_run() {
    let project = wrong();
    std::fs::create_dir(project.path("bin")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kfc"), project.path("bin/kfc")).unwrap();
    let path = format!("{}:{}", project.path("bin").display(), std::env::var("PATH").unwrap());
    let mut count = 0;
    for page in ["docs/command-line.md", "docs/install.md"] {
        for command in commands_of(page).iter().filter(|command| !command.starts_with("cargo install ")) {
            let mut shell = std::process::Command::new("sh");
            let output = shell
                .args(["-c", command])
                .current_dir(project.path(""))
                .env("PATH", &path)
                .output()
                .unwrap();
            assert!(output.status.success(), "{page}: {command}: {}", text(&output.stderr));
            count += 1;
        }
    }
    assert!(count >= 7, "{count}");
}

#[test]
fn goldens_are_checked_where_a_change_can_reach_them() {
    let project = wrong();
    std::fs::remove_dir(project.path(".git")).unwrap();
    for name in ["a", "b"] {
        project.write(
            &format!("overlays/{name}/kustomization.yaml"),
            &format!("resources: [../../base-{name}]\nnamePrefix: {name}-\n"),
        );
        project.write(&format!("base-{name}/kustomization.yaml"), "resources: [a.yaml]\n");
        project
            .write(&format!("base-{name}/a.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    }
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(arguments);
        let output = command.current_dir(project.path("")).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    };
    git(&["init", "--quiet"]);
    let updated = text(&run(&project, &["golden", "update", "overlays/*"], &[]).stdout);
    assert_eq!(updated, "new: golden/overlays-a.yaml\nnew: golden/overlays-b.yaml\n");
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "Start"]);
    let check = |more: &[&str]| {
        let output = run(&project, &[&["golden", "check", "--changed-since", "HEAD"], more].concat(), &[]);
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let (status, _, said) = check(&[]);
    assert_eq!((status, said.as_str()), (0, "changes since HEAD can reach 0 of 2 goldens\n"));
    project.write("base-a/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
    let (status, out, said) = check(&[]);
    assert!(status == 1 && said.contains("can reach 1 of 2 goldens"), "{said}");
    assert!(
        out.contains("a-c") && said.contains("overlays-a") && !said.contains("overlays-b"),
        "{out}{said}"
    );
    // A new file in the directory of a root may be read, one elsewhere is not.
    git(&["commit", "--quiet", "--all", "--message", "Change"]);
    project.write("elsewhere/new.yaml", "");
    assert!(check(&[]).2.contains("can reach 0 of 2"));
    project.write("overlays/b/new.yaml", "");
    assert!(check(&[]).2.contains("can reach 1 of 2"));
    // The golden itself.
    project.write("golden/overlays-a.yaml", "");
    assert!(check(&[]).2.contains("can reach 2 of 2"));
    // What reads anything is always checked, and a revision must exist.
    assert!(check(&["--load-restrictor", "LoadRestrictionsNone"]).2.contains("can reach 2 of 2"));
    let unknown = run(&project, &["golden", "check", "--changed-since", "nowhere"], &[]);
    assert_eq!(unknown.status.code(), Some(1));
    let nothing = text(&run(&project, &["golden", "check", "nowhere/*"], &[]).stderr);
    assert!(nothing.contains("no kustomization root and no stack matches"), "{nothing}");
}

#[test]
fn patches_without_an_effect_are_warnings_of_kfc_alone() {
    let patches = "resources: [d.yaml]\npatches:\n\
                   - target: {kind: StatefulSet}\n  patch: '[{\"op\": \"add\", \"path\": \"/metadata/labels\", \"value\": {\"a\": \"b\"}}]'\n\
                   - path: one.yaml\n- path: two.yaml\n";
    let patch = |replicas: u32| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec:\n  replicas: {replicas}\n"
        )
    };
    let project = Project::new(&[
        ("kustomization.yaml", patches),
        ("d.yaml", &patch(1)),
        ("one.yaml", &patch(2)),
        ("two.yaml", &patch(3)),
    ]);
    let built = run(&project, &["build"], &[]);
    let said = text(&built.stderr);
    assert!(said.contains("warning[KFC0402]: patch target StatefulSet matches nothing"), "{said}");
    assert!(
        said.contains(
            "warning[KFC0405]: two patches of Deployment d set `spec.replicas`; the later one counts"
        ),
        "{said}"
    );
    assert!(said.contains("two.yaml:5:13") && said.contains("one.yaml:5:13"), "{said}");
    let kustomize = run(&project, &["kustomize", "build", "."], &[]);
    assert_eq!(text(&kustomize.stderr), "");
    assert_eq!(kustomize.stdout, built.stdout);
}

#[test]
fn a_resource_that_is_listed_twice_shows_both_entries() {
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let project =
        Project::new(&[("kustomization.yaml", "resources:\n- a.yaml\n- a.yaml\n"), ("a.yaml", config)]);
    let said = text(&run(&project, &["build"], &[]).stderr);
    assert!(said.contains("--> kustomization.yaml:3:3") && said.contains("kustomization.yaml:2:3"), "{said}");
}

#[test]
fn names_that_people_use_get_those_of_platforms() {
    let project = wrong();
    for (profile, help) in [
        ("gcp", "did you mean `gke`?"),
        ("eks", "did you mean `aws`?"),
        ("aks", "did you mean `azure`?"),
        ("gke+nvidia", "did you mean `gpu`?"),
        ("gke,gpu", "did you mean `gke+gpu`?"),
    ] {
        let output = run(&project, &["build", profile], &[]);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(help), "{profile}: {said}");
    }
}

#[test]
fn one_run_reports_everything_that_is_wrong_with_a_stack() {
    let stack = "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {name: x}\nspec:\n  platform: gke\n  \
                 components: [katibb]\n  without: [sparkk]\n  present: [istioo]\n  parameters: {domian: x, katib: {dbSiz: 1}}\n  \
                 facts: {storge: {class: a}}\n  overlays: [nope]\n";
    let project = Project::new(&[("kfc.yaml", stack)]);
    let said = text(&run(&project, &["build"], &[]).stderr);
    for (line, name) in [
        (6, "katibb"),
        (7, "sparkk"),
        (8, "istioo"),
        (9, "domian"),
        (9, "dbSiz"),
        (10, "storge"),
        (11, "nope"),
    ] {
        assert!(said.contains(name) && said.contains(&format!("--> kfc.yaml:{line}:")), "{name}: {said}");
    }
    assert!(said.contains("failed with 7 errors"), "{said}");
}
