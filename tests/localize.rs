//! `kustomize localize`: remote files and roots become local ones, and the copy builds to what the original does, without
//! network. Repositories and servers are all on this machine. What is local only is under `tests/edit/localize`.

#![cfg(all(unix, feature = "fetch"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(dead_code, reason = "each program that has it uses part of it")]

mod support;

use std::path::Path;
use support::{Project, Repository, Server, config_map, text, write};

fn paths_below(folder: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    files.map(|entry| entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
}

fn transformer(path: &str) -> String {
    format!(
        "# comment\napiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: t}}\npath: {path} # remote\ntarget: {{kind: ConfigMap, name: plain}}\n"
    )
}

#[test]
fn everything_remote_is_brought_in() {
    let server = Server::new();
    let inner = Repository::new(&[
        ("a/kustomization.yaml", "resources: [../b, link.yaml]\n"),
        ("b/kustomization.yaml", "resources: [b.yaml]\n"),
        ("b/b.yaml", &config_map("b", "one")),
        ("a/below/real.yaml", &config_map("linked", "one")),
        ("never.yaml", &config_map("never", "named")),
    ]);
    std::os::unix::fs::symlink("below/real.yaml", inner.path().join("a/link.yaml")).unwrap();
    inner.commit(&[]);
    inner.git(&["tag", "release/v1"]);
    let outer = Repository::new(&[(
        "kustomization.yaml",
        &format!("resources:\n- {}//a?ref=release%2Fv1\n", inner.url()),
    )]);
    outer.git(&["tag", "v2"]);
    let patch = server.file("/deep/patch.yaml", "- {op: add, path: /data/late, value: \"yes\"}\n");
    let kustomization = format!(
        "# kept\nresources:\n- {} # kept, too\n- '{}?ref=v2'\nconfigMapGenerator:\n- name: made\n  files: [{}, key={}]\n  envs: [{}]\ntransformers:\n- {}\n- plugins\nconfigurations: [{}]\n",
        server.file("/plain.yaml", &config_map("plain", "one")),
        outer.url(),
        server.file("/file.txt", "text"),
        server.file("/keyed.txt", "keyed"),
        server.file("/x.env", "a=1\n"),
        server.file("/transformer.yaml", &transformer(&patch)),
        server.file("/configuration.yaml", "nameReference: []\n"),
    );
    let plugin = "apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: s}\npaths: [of-top.yaml]\n";
    let project = Project::new(&[
        ("top/kustomization.yaml", &kustomization),
        ("top/plugins/kustomization.yaml", "resources: [plugin.yaml]\n"),
        ("top/plugins/plugin.yaml", plugin),
        (
            "top/of-top.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {merged: \"yes\"}\n",
        ),
    ]);
    let built = project.good(&["build", "top"]);
    for part in ["late: \"yes\"", "merged: \"yes\"", "file.txt: text", "name: linked", "name: b"] {
        assert!(built.contains(part), "{part}: {built}");
    }
    let told = project.run(&["kustomize", "localize", "top"]);
    assert!(told.status.success(), "{}", text(&told.stderr));
    assert!(text(&told.stderr).contains("both build to the same"), "{}", text(&told.stderr));

    let copy = project.path("localized-top");
    let outer_place = outer.path().to_str().unwrap().trim_start_matches('/').to_owned();
    let inner_place = inner.path().to_str().unwrap().trim_start_matches('/').to_owned();
    let (outer_place, inner_place) = (
        format!("localized-files/file-schemed/{outer_place}/v2"),
        format!("localized-files/file-schemed/{inner_place}/release/v1"),
    );
    let kustomization = project.read("localized-top/kustomization.yaml");
    let expected = format!(
        "# kept\nresources:\n- localized-files/127.0.0.1/plain.yaml # kept, too\n- {outer_place}\nconfigMapGenerator:\n"
    );
    assert!(kustomization.starts_with(&expected), "{kustomization}");
    let transformer = project.read("localized-top/localized-files/127.0.0.1/transformer.yaml");
    assert_eq!(transformer, self::transformer("localized-files/127.0.0.1/deep/patch.yaml"));
    let paths = paths_below(&copy);
    assert!(!paths.iter().any(|path| path.contains("never.yaml") || path.contains(".git/")), "{paths:?}");
    // The repository that a repository names is below that one; a link became the file.
    let named = project.read(&format!("localized-top/{outer_place}/{inner_place}/a/kustomization.yaml"));
    assert_eq!(named, "resources:\n- ../b\n- below/real.yaml\n");

    inner.remove();
    outer.remove();
    drop(server);
    let local = project.run_without_programs(&[
        "build",
        "localized-top",
        "--load-restrictor",
        "LoadRestrictionsNone",
    ]);
    assert_eq!((text(&local.stdout), text(&local.stderr)), (built, String::new()));
}

#[test]
fn a_remote_target_becomes_a_folder_of_its_own() {
    let repository = Repository::new(&[
        ("part/kustomization.yaml", "resources: [../shared.yaml]\n"),
        ("shared.yaml", &config_map("shared", "one")),
    ]);
    repository.git(&["tag", "v1"]);
    let project = Project::new(&[]);
    let url = format!("{}//part?ref=v1", repository.url());
    project.good(&["kustomize", "localize", &url]);
    assert_eq!(paths_below(&project.path("localized-part-v1")), ["part/kustomization.yaml", "shared.yaml"]);
    let refused = project.bad(&["kustomize", "localize", &url, "other", "--scope", "."]);
    assert!(refused.contains("its scope is always its repository"), "{refused}");
    let refused = project.bad(&["kustomize", "localize", &repository.url(), "other"]);
    assert!(refused.contains("has no ref"), "{refused}");
}

#[test]
fn what_may_not_be_copied_is_refused_and_nothing_is_written() {
    let repository =
        Repository::new(&[("kustomization.yaml", "resources: [out.yaml]\n"), ("a/kustomization.yaml", "")]);
    std::os::unix::fs::symlink("/etc/hostname", repository.path().join("out.yaml")).unwrap();
    repository.commit(&[]);
    repository.git(&["tag", "v1"]);
    let project = Project::new(&[
        (
            "top/kustomization.yaml",
            &format!("resources:\n- {0}?ref=v1\n- {0}//a\n- ../beside.yaml\n- link.yaml\n", repository.url()),
        ),
        ("beside.yaml", &config_map("beside", "one")),
    ]);
    std::os::unix::fs::symlink("../beside.yaml", project.path("top/link.yaml")).unwrap();
    let refused = project.bad(&["kustomize", "localize", "top", "copy"]);
    for part in [
        "out.yaml",
        "has no ref",
        "`../beside.yaml` is outside the scope `top`",
        "`link.yaml` is outside the scope",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert!(!project.path("copy").exists());

    // What the new folder would hold is no part of the old one.
    write(&project.path("again/kustomization.yaml"), "resources: [sub/copy]\n");
    write(&project.path("again/sub/copy/kustomization.yaml"), "resources: []\n");
    let refused = project.bad(&["kustomize", "localize", "again", "again/sub"]);
    assert!(refused.contains("already exists"), "{refused}");

    // Two addresses that differ in their queries only have one place.
    let server = Server::new();
    server.file("/a.yaml?v=1", &config_map("a", "one"));
    server.file("/a.yaml?v=2", &config_map("b", "two"));
    write(
        &project.path("twice/kustomization.yaml"),
        &format!("resources:\n- {0}?v=1\n- {0}?v=2\n", server.url("/a.yaml")),
    );
    let refused = project.bad(&["kustomize", "localize", "twice"]);
    assert!(
        refused.contains("two different files would become `localized-files/127.0.0.1/a.yaml`"),
        "{refused}"
    );
}

#[test]
fn charts_come_along() {
    let project = Project::new(&[
        (
            "top/kustomization.yaml",
            "helmGlobals: {chartHome: ../charts}\nhelmCharts:\n- name: one # local\n  valuesFile: values/prod.yaml\n  additionalValuesFiles: [../charts/one/extra.yaml]\n",
        ),
        ("top/values/prod.yaml", "a: 1\n"),
        ("charts/one/Chart.yaml", "name: one\nversion: 1.0.0\n"),
        ("charts/one/templates/x.yaml", "{{ .Values.a }}\n"),
        ("charts/one/extra.yaml", "b: 2\n"),
        ("charts/other/Chart.yaml", "name: other\n"),
    ]);
    let outside = project.bad(&["kustomize", "localize", "top", "copy", "--no-verify"]);
    assert!(outside.contains("outside the scope"), "{outside}");
    let unbuilt = project.bad(&["kustomize", "localize", "top", "copy", "--scope", "."]);
    assert!(unbuilt.contains("copy it anyway with `--no-verify`"), "{unbuilt}");
    project.good(&["kustomize", "localize", "top", "copy", "--scope", ".", "--no-verify"]);
    assert_eq!(
        paths_below(&project.path("copy")),
        [
            "charts/one/Chart.yaml",
            "charts/one/extra.yaml",
            "charts/one/templates/x.yaml",
            "top/kustomization.yaml",
            "top/values/prod.yaml"
        ]
    );
    assert_eq!(project.read("copy/top/kustomization.yaml"), project.read("top/kustomization.yaml"));
}
