//! Remote sources: fetched as kustomize does, vendored and pinned by `kfc vendor`, built without network afterwards, and
//! refused when anything was tampered with. Repositories and servers are all on this machine.

#![cfg(all(unix, feature = "fetch"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use support::{Answer, Project, Repository, Server, config_map, file, text, tgz, write};

const ONE_SOURCE: &str = "kfc.lock has 1 source, 1 changed\n";

fn repository() -> Repository {
    let repository = Repository::new(&[
        ("base/kustomization.yaml", "resources: [a.yaml, ../more]\n"),
        ("base/a.yaml", &config_map("a", "one")),
        ("more/kustomization.yaml", "resources: [b.yaml]\n"),
        ("more/b.yaml", &config_map("b", "one")),
        ("script.sh", "#!/bin/sh\n"),
    ]);
    let script = repository.path().join("script.sh");
    std::fs::set_permissions(script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("base/a.yaml", repository.path().join("link.yaml")).unwrap();
    repository.commit(&[]);
    repository.git(&["tag", "v1"]);
    repository
}

fn project_of(repository: &Repository, reference: &str) -> Project {
    let url = format!("resources:\n- {}//base?ref={reference}\nnamePrefix: p-\n", repository.url());
    Project::new(&[("kustomization.yaml", &url)])
}

fn vendored() -> (Project, Repository) {
    let repository = repository();
    let project = project_of(&repository, "v1");
    assert!(project.good(&["vendor"]).ends_with(ONE_SOURCE));
    (project, repository)
}

#[test]
fn a_vendored_tree_builds_with_the_network_cut() {
    let repository = repository();
    let project = project_of(&repository, "v1");
    let fetched = project.run(&["build"]);
    assert!(text(&fetched.stderr).contains("no lock pins it"), "{}", text(&fetched.stderr));
    project.good(&["vendor"]);
    repository.remove();
    let built = project.run_without_programs(&["build"]);
    assert_eq!((text(&built.stdout), text(&built.stderr)), (text(&fetched.stdout), String::new()));
    let as_kustomize = project.run_without_programs(&["kustomize", "build"]);
    assert_eq!(text(&as_kustomize.stdout), text(&fetched.stdout));
    assert!(project.good(&["vendor", "--check"]).contains("1 vendored tree is"));
    // What is there is not fetched again.
    assert_eq!(project.good(&["vendor"]), "kfc.lock has 1 source, 0 changed\n");
    assert!(!project.vendored(".").join(".git").exists());
}

#[test]
fn the_same_sources_give_the_same_lock() {
    let (project, repository) = vendored();
    let (lock, list) = (project.read("kfc.lock"), project.trees());
    std::fs::remove_dir_all(project.path("vendor")).unwrap();
    project.good(&["vendor"]);
    assert_eq!(project.read("kfc.lock"), lock);
    let other = project_of(&repository, "v1");
    other.good(&["vendor"]);
    assert_eq!(other.read("kfc.lock"), lock);
    assert_eq!(list.len(), 1);
}

#[test]
fn every_kind_of_entry_is_found() {
    let server = Server::new();
    let inner = Repository::new(&[
        ("kustomization.yaml", "resources: [inner.yaml]\n"),
        ("inner.yaml", &config_map("inner", "one")),
    ]);
    let outer = Repository::new(&[
        ("root/kustomization.yaml", &format!("resources:\n- {}\n", inner.url())),
        (
            "part/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -c\n",
        ),
    ]);
    let patch = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {patched: \"yes\"}\n";
    let transformer = |path: &str| {
        format!(
            "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: t}}\npath: {path}\ntarget: {{kind: ConfigMap, name: plain}}\n"
        )
    };
    let openapi = r#"{"definitions": {}}"#;
    let kustomization = format!(
        "resources:\n- {}\n- {}//root?ref=main\ncomponents:\n- {}//part\npatches:\n- path: {}\nconfigurations: [{}]\ncrds: [{}]\nopenapi: {{path: {}}}\nreplacements:\n- path: {}\nconfigMapGenerator:\n- name: made\n  files: [{}, key={}]\n  envs: [{}]\ntransformers:\n- {}\n",
        server.file("/plain.yaml", &config_map("plain", "one")),
        outer.url(),
        outer.url(),
        server.file("/patch.yaml", patch),
        server.file("/configuration.yaml", "nameReference: []\n"),
        server.file("/crds.json", "{}"),
        server.file("/openapi.json", openapi),
        server.file("/replacements.yaml", "[]\n"),
        server.file("/file.txt", "text"),
        server.file("/keyed.txt", "keyed"),
        server.file("/x.env", "a=1\n"),
        server.file(
            "/transformer.yaml",
            &transformer(
                &server.file("/inner-patch.yaml", "- {op: add, path: /data/late, value: \"yes\"}\n")
            )
        ),
    );
    let project = Project::new(&[("kustomization.yaml", &kustomization)]);
    let fetched = project.good(&["build"]);
    for part in
        ["patched: \"yes\"", "late: \"yes\"", "file.txt: text", "key: keyed", "a: \"1\"", "name: inner-c"]
    {
        assert!(fetched.contains(part), "{part}: {fetched}");
    }
    let before = server.asked().len();
    project.good(&["vendor"]);
    // Each once, and not one more.
    let asked: Vec<String> = server.asked().split_off(before);
    assert_eq!(asked.len(), 11, "{asked:?}");
    let lock = project.read("kfc.lock");
    assert_eq!((lock.matches("- file:").count(), lock.matches("- git:").count()), (11, 3), "{lock}");
    server.clear();
    inner.remove();
    outer.remove();
    let built = project.run_without_programs(&["build"]);
    assert_eq!(text(&built.stdout), fetched, "{}", text(&built.stderr));
    project.good(&["vendor", "--check"]);
}

#[test]
fn web_addresses_are_files_or_repositories_as_in_kustomize() {
    let server = Server::new();
    let page = server.file("/org/page", "<html></html>");
    let manifest = server.file("/org/manifest", &config_map("a", "one"));
    server.set("/moved", Answer::status(302).header("location", "/org/manifest"));
    let build = |url: &str| {
        Project::new(&[("kustomization.yaml", &format!("resources: ['{url}']\n"))]).run(&["build"])
    };
    assert!(text(&build(&manifest).stdout).contains("name: a"));
    assert!(text(&build(&server.url("/moved")).stdout).contains("name: a"));
    // A page is none: git is asked, and tells.
    let refused = build(&page);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        server.asked().iter().any(|path| path.starts_with("/org/page/info/refs")),
        "{:?}",
        server.asked()
    );
    let missing = text(&build(&server.url("/missing.yaml")).stderr);
    assert!(missing.contains("404") && missing.contains("kustomization.yaml:1:13"), "{missing}");
    server.set("/short.yaml", Answer::ok("a: 1\n").header("content-length", "100"));
    assert!(text(&build(&server.url("/short.yaml")).stderr).contains("breaks off"));
    server.set("/huge.yaml", Answer::ok("a: 1\n").header("content-length", "1000000000"));
    assert!(text(&build(&server.url("/huge.yaml")).stderr).contains("larger than 256 MiB"));
    let plain = text(&build("http://192.0.2.1/x.yaml").stderr);
    assert!(plain.contains("--allow-plain-http"), "{plain}");
    let nobody = text(&build("https://nothing.invalid/x.yaml").stderr);
    assert!(nobody.contains("cannot be reached") && nobody.contains("check the network"), "{nobody}");
}

#[test]
fn certificates_are_checked() {
    let (server, certificate) = Server::secure();
    server.file("/a.yaml", &config_map("a", "one"));
    let url = format!("resources: ['{}']\n", server.secure_url("/a.yaml"));
    let mut project = Project::new(&[("kustomization.yaml", &url), ("ca.pem", &certificate)]);
    assert!(project.bad(&["build"]).contains("certificate"));
    project.variables.push(("SSL_CERT_FILE", project.path("ca.pem").display().to_string()));
    assert!(project.good(&["build"]).contains("name: a"));
    project.good(&["vendor"]);
    server.clear();
    assert!(project.good(&["build"]).contains("name: a"));
}

#[test]
fn schemas_of_a_catalogue_are_fetched_over_https() {
    let (server, certificate) = Server::secure();
    let schema = r#"{"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}"#;
    server.file("/all/example.com/widget_v1.json", schema);
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: large}\n";
    let gadget = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: b}\n";
    let mut project = Project::new(&[("a.yaml", widget), ("b.yaml", gadget), ("ca.pem", &certificate)]);
    let catalogue = server.secure_url("/all");
    let unknown = project.bad(&["validate", "a.yaml", "--schema-location", &catalogue]);
    assert!(unknown.contains("certificate"), "{unknown}");
    project.variables.push(("SSL_CERT_FILE", project.path("ca.pem").display().to_string()));
    let found = project.bad(&["validate", "a.yaml", "--schema-location", &catalogue]);
    assert!(found.contains("`size` must be an integer"), "{found}");
    // A kind that the catalogue does not have is none that cannot be fetched.
    let absent = project.bad(&["validate", "b.yaml", "--schema-location", &catalogue]);
    assert!(absent.contains("Gadget") && !absent.contains("cannot be fetched"), "{absent}");
}

#[test]
fn offline_nothing_is_fetched() {
    let repository = repository();
    let project = project_of(&repository, "v1");
    let errors = project.bad(&["build", "--offline"]);
    assert!(errors.contains("KFC1407") && errors.contains("kustomization.yaml:2:3"), "{errors}");
    project.good(&["vendor"]);
    project.good(&["build", "--offline"]);
    project.good(&["build", "--no-lock"]);
    repository.remove();
    project.bad(&["build", "--no-lock"]);
}

/// Each of these is done to a vendored project; the build must then fail and say these words.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of what is done to a tree, and what is said of it")]
fn tampering_with_trees_and_locks_is_refused_by_name() {
    type Deed<'a> = Box<dyn Fn() + 'a>;
    let (project, _repository) = vendored();
    let tree = project.trees().remove(0);
    let (lock, list) = (project.path("kfc.lock"), tree.join("files"));
    let file = |name: &str| tree.join("tree").join(name);
    let edit = |path: &std::path::Path, from: &str, to: &str| {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{from} is not in {}", path.display());
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    let mode = |path: &std::path::Path, bits: u32| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(bits)).unwrap();
    };
    let link = |target: &str, path: &std::path::Path| {
        let _ = std::fs::remove_file(path);
        std::os::unix::fs::symlink(target, path).unwrap();
    };
    let digest = tree.file_name().unwrap().to_str().unwrap().trim_start_matches("sha256-").to_owned();
    let cases: Vec<(&str, Deed<'_>, Vec<&str>)> = vec![
        (
            "a changed byte",
            Box::new(|| edit(&file("base/a.yaml"), "one", "two")),
            vec!["KFC1404", "tree/base/a.yaml` has been changed"],
        ),
        (
            "a change in what the build does not read",
            Box::new(|| edit(&file("script.sh"), "sh", "ksh")),
            vec!["KFC1404", "tree/script.sh` has been changed"],
        ),
        (
            "an extra file",
            Box::new(|| write(&file("base/extra.yaml"), "a: 1\n")),
            vec!["KFC1404", "tree/base/extra.yaml` does not belong there"],
        ),
        (
            "a missing file",
            Box::new(|| std::fs::remove_file(file("more/b.yaml")).unwrap()),
            vec!["KFC1404", "tree/more/b.yaml` is missing"],
        ),
        (
            "a mode that was taken away",
            Box::new(|| mode(&file("script.sh"), 0o644)),
            vec!["KFC1404", "tree/script.sh` is a plain file, expected an executable file"],
        ),
        (
            "a mode that was given",
            Box::new(|| mode(&file("base/a.yaml"), 0o755)),
            vec!["KFC1404", "tree/base/a.yaml` is an executable file"],
        ),
        (
            "a link that leads out",
            Box::new(|| link("../../../kustomization.yaml", &file("link.yaml"))),
            vec!["KFC1404", "`link.yaml` is a symbolic link that leads out"],
        ),
        (
            "a link that leads elsewhere",
            Box::new(|| link("more/b.yaml", &file("link.yaml"))),
            vec!["KFC1404", "tree/link.yaml` has been changed"],
        ),
        (
            "a link in place of a file",
            Box::new(|| link("../more/b.yaml", &file("base/a.yaml"))),
            vec!["KFC1404", "tree/base/a.yaml` is a symbolic link, expected a plain file"],
        ),
        (
            "names that clash",
            Box::new(|| write(&file("base/A.yaml"), "a: 1\n")),
            vec!["KFC1404", "differ only in case"],
        ),
        (
            "a pipe",
            Box::new(|| {
                assert!(std::process::Command::new("mkfifo").arg(file("pipe")).status().unwrap().success());
            }),
            vec!["KFC1404", "`pipe` is a device, pipe or socket"],
        ),
        (
            "a list that was changed along",
            Box::new(|| {
                write(&file("base/extra.yaml"), "");
                edit(&list, "more/", "more/");
                std::fs::write(
                    &list,
                    format!("{}100644 {} z\n", std::fs::read_to_string(&list).unwrap(), "0".repeat(64)),
                )
                .unwrap();
            }),
            vec!["KFC1404", "files` does not have the digest that kfc.lock pins"],
        ),
        (
            "no list",
            Box::new(|| std::fs::remove_file(&list).unwrap()),
            vec!["KFC1404", "files` does not exist"],
        ),
        (
            "a tree that is a link",
            Box::new(|| {
                std::fs::rename(tree.join("tree"), project.path("elsewhere")).unwrap();
                std::os::unix::fs::symlink(project.path("elsewhere"), tree.join("tree")).unwrap();
            }),
            vec!["KFC1404", "tree` is not a directory"],
        ),
        ("no tree", Box::new(|| std::fs::remove_dir_all(&tree).unwrap()), vec!["KFC1402", "is missing"]),
        (
            "another digest in the lock",
            Box::new(|| edit(&lock, &digest, &"0".repeat(64))),
            vec!["KFC1403", "kfc.lock:", "was changed after"],
        ),
        (
            "a path in the lock",
            Box::new(|| edit(&lock, &format!("sha256:{digest}"), "sha256:../../../etc")),
            vec!["KFC1403", "kfc.lock:", "is not a digest"],
        ),
        (
            "another commit in the lock",
            Box::new(|| edit(&lock, "ref: v1", "ref: v2")),
            vec!["KFC1403", "was changed after"],
        ),
        (
            "a source twice",
            Box::new(|| {
                let text = std::fs::read_to_string(&lock).unwrap();
                let entry = &text[text.find("- git:").unwrap()..text.find("seal:").unwrap()];
                edit(&lock, "seal:", &format!("{entry}seal:"));
            }),
            vec!["KFC1403", "is a duplicate"],
        ),
        (
            "a later version of the lock",
            Box::new(|| edit(&lock, "version: 1", "version: 2")),
            vec!["KFC1403", "only version 1 is known"],
        ),
        (
            "an unknown field",
            Box::new(|| edit(&lock, "version: 1", "version: 1\nhooks: [x]")),
            vec!["unknown field `hooks` in a lock"],
        ),
        (
            "half a lock",
            Box::new(|| {
                let text = std::fs::read(&lock).unwrap();
                std::fs::write(&lock, &text[..text.len() / 2]).unwrap();
            }),
            vec!["kfc.lock"],
        ),
        (
            "an empty lock",
            Box::new(|| std::fs::write(&lock, "").unwrap()),
            vec!["KFC1403", "one YAML document"],
        ),
        (
            "a lock that is a link",
            Box::new(|| {
                std::fs::rename(&lock, project.path("other")).unwrap();
                std::os::unix::fs::symlink("other", &lock).unwrap();
            }),
            vec!["KFC1403", "expected a file"],
        ),
        (
            "a lock over the limit",
            Box::new(|| std::fs::File::create(&lock).unwrap().set_len(1 << 30).unwrap()),
            vec!["KFC1403", "larger than 16 MiB"],
        ),
    ];
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(done.success());
    };
    let saved = tempfile::tempdir().unwrap();
    copy(&project.path("vendor"), &saved.path().join("vendor"));
    copy(&lock, &saved.path().join("kfc.lock"));
    for (what, deed, words) in cases {
        project.good(&["build"]);
        deed();
        for arguments in [&["build"][..], &["kustomize", "build"], &["vendor", "--check"]] {
            let errors = project.bad(arguments);
            for word in &words {
                assert!(errors.contains(word), "{what}, {arguments:?}: `{word}` is not in {errors}");
            }
        }
        std::fs::remove_dir_all(project.path("vendor")).unwrap();
        let _ = std::fs::remove_file(&lock);
        copy(&saved.path().join("vendor"), &project.path("vendor"));
        copy(&saved.path().join("kfc.lock"), &lock);
    }
}

#[test]
fn repositories_that_do_harm_are_refused_and_nothing_is_left() {
    let case = |change: &dyn Fn(&Repository), words: &[&str]| {
        let repository = repository();
        change(&repository);
        let project = project_of(&repository, "main");
        let errors = project.bad(&["vendor"]);
        for word in words {
            assert!(errors.contains(word), "`{word}` is not in {errors}");
        }
        assert!(!project.path("kfc.lock").exists() && project.trees().is_empty());
    };
    let linked = |target: &'static str| {
        move |repository: &Repository| {
            std::os::unix::fs::symlink(target, repository.path().join("base/out")).unwrap();
            repository.commit(&[]);
        }
    };
    case(&linked("../../x"), &["KFC1405", "`base/out` is a symbolic link that leads out"]);
    case(&linked("/etc/passwd"), &["KFC1405", "to `/etc/passwd`"]);
    case(&|repository| repository.commit(&[("base/A.yaml", "")]), &["KFC1405", "differ only in case"]);
    case(&|repository| repository.commit(&[("base/a\\b", "")]), &["KFC1405", "backslash"]);
    case(
        &|repository| {
            repository.git(&["gc", "--quiet"]);
            let packs = repository.path().join(".git/objects/pack");
            let pack = std::fs::read_dir(packs).unwrap().map(|entry| entry.unwrap().path());
            let pack =
                pack.into_iter().find(|path| path.extension().is_some_and(|end| end == "pack")).unwrap();
            let bytes = std::fs::read(&pack).unwrap();
            std::fs::remove_file(&pack).unwrap();
            std::fs::write(&pack, &bytes[..bytes.len() / 2]).unwrap();
        },
        &["KFC0008", "cannot fetch `file://"],
    );
}

#[test]
fn submodules_are_vendored_without_what_git_keeps() {
    let inner = Repository::new(&[
        ("kustomization.yaml", "resources: [i.yaml]\n"),
        ("i.yaml", &config_map("i", "one")),
    ]);
    let outer = Repository::new(&[("kustomization.yaml", "resources: [part]\n")]);
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &inner.url(), "part"]);
    outer.commit(&[]);
    let project = Project::new(&[("kustomization.yaml", &format!("resources: ['{}']\n", outer.url()))]);
    project.good(&["vendor"]);
    inner.remove();
    outer.remove();
    assert!(project.good(&["build"]).contains("name: i"));
    assert!(!project.vendored("part").join(".git").exists());
}

#[test]
fn a_root_that_is_a_url_is_vendored_for_the_working_folder() {
    let repository = repository();
    let url = format!("{}//base?ref=v1", repository.url());
    let project = Project::new(&[]);
    project.good(&["vendor", &url]);
    repository.remove();
    assert!(project.good(&["build", &url]).contains("name: a"));
    assert!(project.bad(&["build", &url.replace("v1", "v2")]).contains("KFC1402"));
    project.good(&["vendor", "--check"]);
}

#[test]
fn moved_tags_are_refused_until_they_are_allowed() {
    let (project, repository) = vendored();
    let before = project.good(&["build"]);
    repository.commit(&[("base/a.yaml", &config_map("a", "two"))]);
    repository.git(&["tag", "--force", "v1"]);
    // What is pinned is what is fetched again, whatever the tag means now.
    std::fs::remove_dir_all(project.path("vendor")).unwrap();
    project.good(&["vendor"]);
    assert_eq!(project.good(&["build"]), before);
    let errors = project.bad(&["vendor", "--update"]);
    assert!(errors.contains("KFC1406") && errors.contains("?ref=v1` has moved"), "{errors}");
    assert_eq!(project.good(&["build"]), before);
    let report = project.good(&["vendor", "--update", "--allow-moved"]);
    assert!(report.contains("data.value: one → two"), "{report}");
    assert!(project.good(&["build"]).contains("value: two"));
    assert_eq!(project.trees().len(), 1);
}

#[test]
fn a_commit_that_is_gone_is_not_replaced_by_another() {
    let (project, repository) = vendored();
    repository.git(&["checkout", "--quiet", "--orphan", "new"]);
    repository.commit(&[("base/a.yaml", &config_map("a", "two"))]);
    repository.git(&["tag", "--force", "v1"]);
    repository.git(&["branch", "--delete", "--force", "main"]);
    repository.git(&["reflog", "expire", "--expire=now", "--all"]);
    repository.git(&["gc", "--quiet", "--prune=now"]);
    std::fs::remove_dir_all(project.path("vendor")).unwrap();
    let errors = project.bad(&["vendor"]);
    assert!(errors.contains("KFC1406") && errors.contains("kfc.lock pins"), "{errors}");
}

#[test]
fn an_update_shows_what_it_changes_and_hides_secrets() {
    let secret = |value: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {value}}}\n")
    };
    let repository = repository();
    repository.commit(&[
        ("base/kustomization.yaml", "resources: [a.yaml, s.yaml]\n"),
        ("base/s.yaml", &secret("hunter2")),
    ]);
    let project = project_of(&repository, "main");
    project.good(&["vendor"]);
    repository.commit(&[("base/a.yaml", &config_map("a", "two")), ("base/s.yaml", &secret("swordfish"))]);
    let lock = project.read("kfc.lock");
    assert_eq!(project.good(&["vendor"]), "kfc.lock has 1 source, 0 changed\n");
    let name = repository.path().file_name().unwrap().to_str().unwrap();
    let shown = project.good(&["vendor", "--update", name, "--dry-run"]);
    assert!(shown.starts_with("updated ") && shown.contains("data.value: one → two"), "{shown}");
    assert!(
        shown.contains("password: <hidden 1>") && !shown.contains("hunter2") && !shown.contains("swordfish"),
        "{shown}"
    );
    let written = ["vendor", "--update", "--dry-run", "--report", "update.json"];
    project.good(&written);
    let report: serde_json::Value = serde_json::from_str(&project.read("update.json")).unwrap();
    assert_eq!(report["summary"]["changed"], 2);
    assert_eq!(project.read("kfc.lock"), lock);
    assert_eq!(project.good(&["vendor", "--update"]).replace("has 1", "would have 1"), shown);
    assert_ne!(project.read("kfc.lock"), lock);
    assert!(project.bad(&["vendor", "--update", "nobody"]).contains("no source called `nobody`"));
}

#[test]
fn a_lock_that_is_behind_is_told_without_network() {
    let (project, repository) = vendored();
    let kustomization = project.read("kustomization.yaml");
    let more =
        kustomization.replace("namePrefix", &format!("- {}//more?ref=main\nnamePrefix", repository.url()));
    project.write("kustomization.yaml", &more);
    for arguments in [&["vendor", "--check"][..], &["build"]] {
        let errors = project.bad(arguments);
        assert!(errors.contains("KFC1402") && errors.contains("kustomization.yaml:3:3"), "{errors}");
    }
    project.write("kustomization.yaml", "namePrefix: p-\n");
    let errors = project.bad(&["vendor", "--check"]);
    assert!(errors.contains("KFC1408") && errors.contains("which nothing needs"), "{errors}");
    assert!(project.good(&["vendor"]).starts_with("removed "));
    assert!(!project.path("vendor").exists());
    project.good(&["vendor", "--check"]);
    project.write("kustomization.yaml", &kustomization);
    project.good(&["vendor"]);
    write(&project.path(&format!("vendor/sha256-{}/tree/x", "0".repeat(64))), "");
    write(&project.path("vendor/mine/x"), "");
    assert!(project.bad(&["vendor", "--check"]).contains("no source of kfc.lock uses"));
    project.good(&["vendor"]);
    assert!(project.path("vendor/mine/x").exists());
    std::fs::remove_file(project.path("kfc.lock")).unwrap();
    assert!(project.bad(&["vendor", "--check"]).contains("has no kfc.lock"));
}

#[test]
fn targets_share_a_lock_above_them() {
    let repository = repository();
    let root = |folder: &str, reference: &str| {
        (
            format!("{folder}/kustomization.yaml"),
            format!("resources: ['{}//base?ref={reference}']\n", repository.url()),
        )
    };
    let (one, two) = (root("overlays/one", "v1"), root("overlays/two", "main"));
    let project = Project::new(&[(&one.0, &one.1), (&two.0, &two.1)]);
    project.good(&["vendor", "--at", ".", "overlays/one"]);
    project.good(&["vendor", "overlays/two"]);
    let lock = project.read("kfc.lock");
    assert!(
        lock.contains("- overlays/one\n- overlays/two\n") && lock.matches("- git:").count() == 2,
        "{lock}"
    );
    // Both refs are the same commit: one tree.
    assert_eq!(project.trees().len(), 1);
    let built = project.good(&["build", "overlays/one"]);
    repository.remove();
    for folder in ["overlays/one", "overlays/two"] {
        assert_eq!(text(&project.run_without_programs(&["build", folder]).stdout), built);
    }
    std::fs::remove_dir_all(project.path("overlays/two")).unwrap();
    assert!(project.bad(&["vendor", "--check"]).contains("targets"));
    project.good(&["vendor"]);
    assert!(!project.read("kfc.lock").contains("overlays/two"));
}

#[test]
fn a_file_that_changed_is_not_taken_for_the_pinned_one() {
    let server = Server::new();
    let url = server.file("/a.yaml", &config_map("a", "one"));
    let project = Project::new(&[("kustomization.yaml", &format!("resources: ['{url}']\n"))]);
    project.good(&["vendor"]);
    server.file("/a.yaml", &config_map("a", "two"));
    std::fs::remove_dir_all(project.path("vendor")).unwrap();
    let errors = project.bad(&["vendor"]);
    assert!(
        errors.contains("KFC1406") && errors.contains("has changed since kfc.lock was written"),
        "{errors}"
    );
    assert!(project.good(&["vendor", "--update", "a.yaml"]).contains("updated "));
    assert!(project.good(&["build"]).contains("value: two"));
}

/// A program that stands in for helm: it prints the template of the chart that it is given, or fails when asked to pull.
const HELM: &str = "#!/bin/sh\n[ \"$1\" = template ] || exit 1\nfor last; do :; done\nfor word; do [ -d \"$word\" ] && cat \"$word/templates/a.yaml\"; done\n";

fn chart_entries(template: &str) -> Vec<u8> {
    tgz(&[file("web/Chart.yaml", "name: web\n"), file("web/templates/a.yaml", template)])
}

fn index(versions: &[(&str, &[u8])]) -> String {
    let entries = versions.iter().map(|(version, archive)| {
        let digest = kfc_source::lock::tree::sha256(archive);
        format!("  - {{version: {version}, urls: [web-{version}.tgz], digest: {digest}}}\n")
    });
    format!("apiVersion: v1\nentries:\n  web:\n{}", entries.collect::<String>())
}

fn chart_project(repository: &str, version: &str) -> Project {
    let chart =
        format!("helmCharts:\n- name: web\n  repo: {repository}\n  version: '{version}'\n  releaseName: r\n");
    let project = Project::new(&[("kustomization.yaml", &chart), ("helm", HELM)]);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(project.path("helm"), mode).unwrap();
    project
}

#[test]
fn charts_of_repositories_are_vendored() {
    let server = Server::new();
    let (one, two) = (chart_entries(&config_map("web", "one")), chart_entries(&config_map("web", "two")));
    server.file("/index.yaml", &index(&[("1.0.0", &one)]));
    server.set("/web-1.0.0.tgz", Answer::ok(one.clone()));
    let project = chart_project(&server.url(""), "1.x");
    project.good(&["vendor"]);
    let lock = project.read("kfc.lock");
    assert!(lock.contains("resolved: \"1.0.0\"") && lock.contains("archive: sha256:"), "{lock}");
    let helm = project.path("helm").display().to_string();
    let build = ["build", "--enable-helm", "--helm-command", &helm];
    assert!(project.good(&build).contains("value: one"));
    assert!(project.bad(&["build"]).contains("--enable-helm"));
    // Without the lock, helm is asked to pull: this one fails.
    assert!(project.bad(&["build", "--no-lock", "--enable-helm", "--helm-command", &helm]).contains("pull"));
    server.file("/index.yaml", &index(&[("1.0.0", &one), ("1.1.0", &two)]));
    server.set("/web-1.1.0.tgz", Answer::ok(two.clone()));
    let update = ["vendor", "--update", "web", "--enable-helm", "--helm-command", &helm];
    let report = project.good(&update);
    assert!(report.contains("1.0.0 -> 1.1.0") && report.contains("data.value: one → two"), "{report}");
    server.clear();
    assert!(project.good(&build).contains("value: two"));
    project.good(&["vendor", "--check"]);
    // The same version with other bytes, as a pinned one and as an update.
    let evil = chart_entries(&config_map("web", "evil"));
    server.file("/index.yaml", &index(&[("1.1.0", &evil)]));
    server.set("/web-1.1.0.tgz", Answer::ok(evil));
    assert!(project.bad(&["vendor", "--update"]).contains("KFC1406"));
    std::fs::remove_dir_all(project.path("vendor")).unwrap();
    let errors = project.bad(&["vendor"]);
    assert!(errors.contains("KFC1406") && errors.contains("1.1.0 has moved"), "{errors}");
}

#[test]
fn archives_that_do_harm_are_refused_and_nothing_is_left() {
    use support::Entry;
    use tar::EntryType;
    let chart = || file("web/Chart.yaml", "name: web\n");
    let entry = |path, kind, link| Entry { path, kind, link, content: b"" };
    let whole = chart_entries("a: 1\n");
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (tgz(&[chart(), file("../escaped", "x")]), "`../escaped` leads out of the tree"),
        (tgz(&[chart(), file("/escaped", "x")]), "is an absolute path"),
        (
            tgz(&[chart(), entry("web/l", EntryType::Symlink, "../../x")]),
            "`web/l` is a symbolic link that leads out",
        ),
        (tgz(&[chart(), entry("web/h", EntryType::Link, "web/Chart.yaml")]), "`web/h` is a hard link"),
        (tgz(&[chart(), entry("web/d", EntryType::Block, "")]), "`web/d` is a device"),
        (tgz(&[chart(), file("web/a", ""), file("web/A", "")]), "differ only in case"),
        (tgz(&[chart(), file("web/a", ""), file("web/a", "")]), "`web/a` is defined more than once"),
        (tgz(&[file("other/Chart.yaml", "")]), "no `web/Chart.yaml`"),
        (whole[..whole.len() / 2].to_vec(), "truncated"),
        (b"<html>not found</html>".to_vec(), "archive"),
    ];
    for (archive, why) in cases {
        let server = Server::new();
        server.file("/index.yaml", &index(&[("1.0.0", &archive)]));
        server.set("/web-1.0.0.tgz", Answer::ok(archive));
        let project = chart_project(&server.url(""), "1.0.0");
        let errors = project.bad(&["vendor"]);
        assert!(errors.contains(why) && errors.contains("KFC1405"), "`{why}` is not in {errors}");
        assert!(errors.contains("kustomization.yaml:2:3"), "{errors}");
        assert!(!project.path("kfc.lock").exists() && project.trees().is_empty());
    }
    let server = Server::new();
    server.file("/index.yaml", &index(&[("1.0.0", b"something else")]));
    server.set("/web-1.0.0.tgz", Answer::ok(whole));
    let errors = chart_project(&server.url(""), "1.0.0").bad(&["vendor"]);
    assert!(errors.contains("but the index says"), "{errors}");
    let errors = chart_project(&server.url(""), "2.0.0").bad(&["vendor"]);
    assert!(errors.contains("no version `2.0.0`; the repository has 1.0.0"), "{errors}");
}

/// A registry with one artefact under the tag `v1`, that wants a token.
fn registry(media_type: &str, layer: &[u8], served: Vec<u8>) -> Server {
    let sha256 = kfc_source::lock::tree::sha256;
    let digest = sha256(layer);
    let manifest = serde_json::json!({"schemaVersion": 2, "layers": [
        {"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": layer.len()}
    ]})
    .to_string();
    let manifest_digest = sha256(manifest.as_bytes());
    Server::with(None, move |path, request| {
        let host = request
            .lines()
            .find_map(|line| line.strip_prefix("host: ").or(line.strip_prefix("Host: ")))
            .unwrap_or("");
        if path.starts_with("/token?service=stub&scope=repository:org/") {
            return Some(Answer::ok(r#"{"token": "letmein"}"#));
        }
        if !request.to_lowercase().contains("authorization: bearer letmein") {
            let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"stub\"");
            return Some(Answer::status(401).header("www-authenticate", &challenge));
        }
        let names = ["/v2/org/thing", "/v2/org/web"];
        let rest = names.iter().find_map(|name| path.strip_prefix(name))?;
        if rest == "/manifests/v1"
            || rest == "/manifests/1.0.0"
            || rest == format!("/manifests/sha256:{manifest_digest}")
        {
            return Some(
                Answer::ok(manifest.clone())
                    .header("docker-content-digest", &format!("sha256:{manifest_digest}")),
            );
        }
        (rest == format!("/blobs/sha256:{digest}")).then(|| Answer::ok(served.clone()))
    })
}

#[test]
fn the_files_of_an_artefact_are_bounded_together() {
    let digest = kfc_source::lock::tree::sha256;
    let layer = |n: u64| {
        serde_json::json!({"mediaType": "text/yaml", "digest": format!("sha256:{}", digest(b"x")), "size": 200 << 20,
            "annotations": {"org.opencontainers.image.title": format!("f{n}.yaml")}})
    };
    let manifest = serde_json::json!({"layers": [layer(0), layer(1), layer(2)]}).to_string();
    let server = Server::with(None, move |path, _| {
        (path == "/v2/org/thing/manifests/v1").then(|| Answer::ok(manifest.clone()))
    });
    let root = format!("resources: ['oci://{}/org/thing:v1']\n", server.address);
    let errors = Project::new(&[("kustomization.yaml", &root)]).bad(&["vendor"]);
    assert!(errors.contains("its files come to more than 512 MiB"), "{errors}");
    assert!(server.asked().iter().all(|path| !path.contains("blobs")));
}

#[test]
fn artefacts_of_registries_are_vendored() {
    let layer = tgz(&[
        file("base/kustomization.yaml", "resources: [a.yaml]\n"),
        file("base/a.yaml", &config_map("a", "one")),
    ]);
    let server = registry("application/vnd.cncf.flux.content.v1.tar+gzip", &layer, layer.clone());
    let project = |address: &str| {
        Project::new(&[(
            "kustomization.yaml",
            &format!("resources: ['oci://{address}/org/thing:v1//base']\n"),
        )])
    };
    let good = project(&server.address);
    let fetched = good.good(&["build"]);
    assert!(fetched.contains("name: a"));
    good.good(&["vendor"]);
    let lock = good.read("kfc.lock");
    assert!(lock.contains("ref: v1") && lock.contains("manifest: \"sha256:"), "{lock}");
    drop(server);
    assert_eq!(text(&good.run_without_programs(&["build"]).stdout), fetched);
    let mut flipped = layer.clone();
    flipped[20] ^= 1;
    let evil = registry("application/vnd.cncf.flux.content.v1.tar+gzip", &layer, flipped);
    let errors = project(&evil.address).bad(&["vendor"]);
    assert!(errors.contains("KFC1405") && errors.contains("does not have the digest"), "{errors}");
}

#[test]
fn charts_of_registries_are_vendored() {
    let archive = chart_entries(&config_map("web", "one"));
    let server = registry("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &archive, archive.clone());
    let project = chart_project(&format!("oci://{}/org", server.address), "1.0.0");
    project.good(&["vendor"]);
    drop(server);
    let helm = project.path("helm").display().to_string();
    assert!(project.good(&["build", "--enable-helm", "--helm-command", &helm]).contains("value: one"));
}
