//! A marker is planted in many places where a secret may be, many commands are run on it, and no byte that they print has
//! the marker in it. And nothing that is read can forge a line or steer a terminal.

#![cfg(all(unix, feature = "fetch"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use support::{Project, Repository, config_map, text};

use base64::Engine as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Long enough that nothing else has it, and in no way special.
const MARKER: &str = "PLANTED-7f3a9c";

const FORMATS: [&str; 8] = ["text", "markdown", "json", "sarif", "junit", "codequality", "unified", "html"];

fn forms() -> [String; 3] {
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    [MARKER.to_owned(), encode(MARKER), MARKER.to_lowercase()]
}

/// Runs commands in a project; nothing that they print has the marker. A bundle has it, so the standard output of builds is
/// not looked at, unless they fail.
#[track_caller]
fn hides(project: &Project, commands: &[&[&str]]) {
    for arguments in commands {
        let output = project.run(arguments);
        let is_build = ["build", "kustomize", "argocd"].contains(&arguments[0]);
        let looked_at = if is_build && output.status.code() == Some(0) {
            text(&output.stderr)
        } else {
            text(&output.stdout) + &text(&output.stderr)
        };
        assert!(output.status.code().is_some(), "{arguments:?} was killed");
        for form in forms() {
            assert!(!looked_at.contains(&form), "{arguments:?} shows the marker:\n{looked_at}");
        }
        assert!(!looked_at.contains(['\u{f0f0}', '\u{f0f1}']), "{arguments:?} shows a token:\n{looked_at}");
    }
}

/// Secrets in every spelling that may be taken for one, some of them wrong in one way or another.
fn secrets() -> Vec<String> {
    let m = MARKER;
    let encoded = &forms()[1];
    let heads = [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n",
        "apiVersion: v1\nkind: &k Secret\nmetadata: {name: s}\n",
        "apiVersion: v1\nkind: !!str Secret\nmetadata: {name: s}\n",
        "apiVersion: v1\n\"k\\u0069nd\": Secret\nmetadata: {name: s}\n",
        "apiVersion: v1\nkind: \"S\\u0065cret\"\nmetadata: {name: s}\n",
        "apiVersion: v1\nkind: Secrets\nmetadata: {name: s}\n",
        "apiVersion: v1\nkind: secret\nmetadata: {name: s}\n",
        "apiVersion: v1\nmetadata: {name: s}\n",
    ];
    let bodies = [
        format!("stringData: {{a: {m}}}\n"),
        format!("data: {{a: {encoded}}}\n"),
        format!("data: {{a: '{m}'}}\n"),
        format!("stringdata: {{a: {m}}}\n"),
        format!("DATA:\n  a: {m}\n"),
        format!("stringData:\n  a: {m}: x\n"),
        format!("stringData:\n  a: |\n    one\n---x\n    {m}\n"),
        format!("stringData:\n  a: '{m}\n"),
        format!("stringData: {{a: !!int {m}}}\n"),
        format!("stringData: {{a: !!binary {m}}}\n"),
        format!("stringData: {{a: [{m}]}}\n"),
        format!("stringData:\n  a: one\n  a: {m}\n"),
        format!("stringData: {m}\n"),
        format!("type: [{m}]\nimmutable: {m}\n"),
        format!("stringData:\n\ta: {m}\n"),
        format!("stringData: {{a: x\u{1}{m}}}\n"),
    ];
    heads.iter().flat_map(|head| bodies.iter().map(move |body| format!("{head}{body}"))).collect()
}

#[test]
fn values_of_secrets_in_any_spelling() {
    let project = Project::new(&[("kustomization.yaml", "resources: [s.yaml]\nnamePrefix: p-\n")]);
    project.write(
        "other.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: other-value}\n",
    );
    for (nth, secret) in secrets().iter().enumerate() {
        project.write("s.yaml", secret);
        hides(&project, &[&["build"], &["validate", "s.yaml"]]);
        // What follows is the same for all heads that are read alike.
        let format = FORMATS[nth % FORMATS.len()];
        hides(
            &project,
            &[
                &["diff", "other.yaml", "s.yaml", "--format", format],
                &["explain", "secret/p-s", "-t", "."],
                &["argocd", "generate"],
            ],
        );
    }
}

#[test]
fn values_of_secrets_in_every_format() {
    let m = MARKER;
    let old = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  labels: {{shown: shown-label}}\n  annotations: {{a: old-{m}}}\ndata: {{d: {encoded}}}\nstringData: {{a: {m}, b: old-{m}}}\nstringdata: {{a: {m}}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: gone}}\nstringData: {{a: gone-{m}}}\n",
        encoded = forms()[1]
    );
    let new = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  labels: {{shown: other-label}}\n  annotations: {{a: new-{m}}}\ndata: {{d: bmV3}}\nstringData: {{a: new-{m}, b: {m}}}\nDATA: {{a: {m}}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: added}}\nstringData: {{a: gone-{m}, b: added-{m}}}\n"
    );
    let project = Project::new(&[("old.yaml", &old), ("new.yaml", &new)]);
    for format in FORMATS {
        let arguments = ["diff", "old.yaml", "new.yaml", "--all", "--format", format];
        hides(&project, &[&arguments]);
        let report = text(&project.run(&arguments).stdout);
        assert_eq!(text(&project.run(&arguments).stdout), report, "{format} is not the same twice");
        // A page marks what changed within a number, and has its findings on top.
        if ["sarif", "codequality", "junit", "html"].contains(&format) {
            continue;
        }
        // Numbers begin with 1 and appear in their order.
        let report = report.replace("&lt;", "<").replace("\\u003c", "<");
        let mut next = 1;
        for part in report.split("<hidden ").skip(1) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            // A value that is cut may end within one.
            let Ok(number) = digits.parse::<usize>() else { continue };
            assert!(number <= next, "{format}: {number} before {next}\n{report}");
            next = next.max(number + 1);
        }
        assert!(next > 4, "{format}: only {next} numbers\n{report}");
        assert!(report.contains("shown-label") && report.contains("other-label"), "{format}: {report}");
    }
}

/// Kustomizations that fail, or are only looked at, with a Secret in them.
#[test]
fn values_of_secrets_in_errors() {
    let m = MARKER;
    let secret =
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{a: {m}, b: '{m}/x'}}\n");
    let project = Project::new(&[
        ("s.yaml", secret.as_str()),
        ("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v}\n"),
        ("d.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 3}\n"),
        ("secrets.env", &format!("{m}\n1{m}=x\n={m}\n")),
        ("patch.yaml", &format!("metadata: {{name: s}}\nstringData:\n  a: {m}: x\n")),
        ("json.yaml", &format!("- {{op: add, path: /stringdata/a/b/c, value: {m}}}\n")),
    ]);
    let patch = |target: &str, patch: &str| {
        let lines = patch.lines().fold(String::new(), |text, line| text + "    " + line + "\n");
        format!("patches:\n- target: {{{target}}}\n  patch: |-\n{lines}")
    };
    let replacement = |options: &str, target: &str| {
        format!(
            "replacements:\n- source: {{kind: Secret, name: s, fieldPath: stringData.b{options}}}\n  targets: [{target}]\n"
        )
    };
    let roots = [
        patch("kind: Secret", "- {op: test, path: /stringData/a, value: x}"),
        patch("kind: Secret", &format!("- {{op: test, path: /stringData/a, value: x{m}}}")),
        patch("kind: Secret", &format!("- {{op: replace, path: /stringData/z/y, value: {m}}}")),
        patch("kind: Secret", &format!("- {{op: add, path: '', value: [{m}]}}")),
        patch("kind: Secret", &format!("- {{op: ad, path: /stringdata/a, value: {m}}}")),
        patch("kind: Secret", &format!("- op: add\n  path: /stringData/a\n  value: {m}: x")),
        patch("kind: Secret", &format!("metadata: {{name: s}}\nstringData:\n  a: {m}: x")),
        patch("kind: Secret", &format!("metadata: {{name: s}}\nstringData: [{m}]")),
        patch("kind: Sec.*", &format!("metadata: {{name: s}}\nspec:\n  a: {m}: x")),
        patch("name: s", &format!("stringdata:\n  a: {m}: x")),
        patch("kind: Secret", &format!("stringData: {{a: !!int {m}}}")),
        format!("patchesStrategicMerge:\n- |-\n  kind: Secret\n  metadata: {{name: s}}\n  data:\n    a: {m}: x\n"),
        "patches: [{path: patch.yaml, target: {kind: Secret}}]\n".to_owned(),
        "patches: [{path: json.yaml, target: {kind: Secret}}]\n".to_owned(),
        "patches: [{path: json.yaml, target: {name: s}}]\n".to_owned(),
        replacement(", options: {delimiter: /, index: 9}", "{select: {kind: ConfigMap}, fieldPaths: [data.k]}"),
        replacement("", "{select: {kind: Deployment}, fieldPaths: [spec.replicas]}"),
        replacement("", "{select: {kind: ConfigMap}, fieldPaths: [data.none.deeper]}"),
        format!("secretGenerator:\n- name: g\n  literals: [{m}, 'a b={m}', 'k={m}', 'k={m}']\n"),
        format!("secretGenerator:\n- name: g\n  literal: [a={m}]\n"),
        format!("secretGenerator:\n- name: g\n  literals:\n  - a={m}\n bad: [\n"),
        format!("secretGenrator:\n- name: g\n  literals: [a={m}]\n"),
        "secretGenerator:\n- name: g\n  envs: [secrets.env]\n".to_owned(),
        format!("generators:\n- |-\n  apiVersion: builtin\n  kind: SecretGenerator\n  metadata: {{name: g}}\n  literals: [{m}, a={m}, a={m}]\n"),
        format!("vars:\n- name: V\n  objref: {{kind: Secret, name: s, apiVersion: v1}}\n  fieldref: {{fieldpath: stringData.a.{m}x}}\n")
            .replace(&format!(".{m}x"), ".none"),
    ];
    for root in roots {
        let text = format!("resources: [s.yaml, c.yaml, d.yaml]\n{root}");
        project.write("kustomization.yaml", &text);
        hides(
            &project,
            &[
                &["build"],
                &["build", "--validate"],
                &["argocd", "generate"],
                &["explain", "--unused", "-t", "."],
            ],
        );
    }
}

#[test]
fn copies_of_secrets_are_hidden_too() {
    let m = MARKER;
    let project = Project::new(&[
        ("s.yaml", &format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{a: {m}}}\n")),
        ("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v, l: w}\n"),
        (
            "kustomization.yaml",
            "resources: [s.yaml, c.yaml]\nreplacements:\n- source: {kind: Secret, name: s, fieldPath: stringData.a}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.k]}]\n",
        ),
    ]);
    hides(
        &project,
        &[&["explain", "cm/c", "-t", "."], &["explain", "cm/c", "data.k", "-t", ".", "--format", "json"]],
    );
    project
        .write("before.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: old, l: w}\n");
    for format in FORMATS {
        hides(&project, &[&["diff", "before.yaml", ".", "--format", format]]);
    }
}

#[test]
fn passwords_in_addresses() {
    let m = MARKER;
    let addresses = [
        format!("https://me:{m}@127.0.0.1:1/o/r.git?ref=v1"),
        format!("https://{m}@127.0.0.1:1/o/r.git?ref=v1"),
        format!("git::https://me:{m}@127.0.0.1:1/o/r?ref=v1"),
        format!("ssh://git:{m}@127.0.0.1:1/o/r.git?ref=v1"),
        format!("http://me:{m}@127.0.0.1:1/x.yaml"),
        format!("http://127.0.0.1:1/x.yaml?token={m}"),
        format!("http://127.0.0.1:1/x.yaml?a=b&X-Amz-Signature={m}"),
        format!("https://127.0.0.1:1/o/r.git?ref=v1&private_token={m}"),
        format!("me:{m}@127.0.0.1:o/r.git"),
        format!("https://me:{m}/x@127.0.0.1:1/o/r.git"),
        format!("oci://me:{m}@127.0.0.1:1/o/r:v1"),
    ];
    for address in &addresses {
        let project = Project::new(&[("kustomization.yaml", &format!("resources:\n- {address}\n"))]);
        hides(
            &project,
            &[
                &["build"],
                &["build", "--offline"],
                &["build", address],
                &["vendor"],
                &["vendor", address],
                &["argocd", "generate", "--offline"],
                &["diff", address, "."],
                &["kustomize", "localize", ".", "copy"],
                &["validate", "."],
            ],
        );
        let fields = format!(
            "components: [\"{address}\"]\npatches: [{{path: \"{address}\"}}]\nconfigMapGenerator: [{{name: c, files: [\"{address}\"]}}]\nhelmCharts: [{{name: c, repo: \"{address}\", version: 1.0.0}}]\n"
        );
        project.write("kustomization.yaml", &fields);
        hides(&project, &[&["build"], &["build", "--enable-helm", "--helm-command", "false"], &["vendor"]]);
    }
}

#[test]
fn what_was_fetched_is_named_without_its_password() {
    let server = support::Server::new();
    let m = MARKER;
    server.set(&format!("/x.yaml?b=c&token={m}"), support::Answer::ok(config_map("a", "one")));
    let url = format!("http://me:{m}@{}/x.yaml?b=c&token={m}", server.address);
    let project = Project::new(&[("kustomization.yaml", &format!("resources:\n- {url}\n"))]);
    let built = project.run(&["build"]);
    assert!(
        built.status.success() && text(&built.stderr).contains("no lock pins it"),
        "{}",
        text(&built.stderr)
    );
    hides(&project, &[&["build"], &["vendor"], &["vendor", "--check"], &["build"]]);
    let lock = project.read("kfc.lock");
    assert!(!lock.contains(m) && lock.contains("/x.yaml?b=c"), "{lock}");
    // The lock is found by the address with the credentials.
    assert_eq!(text(&project.run_without_programs(&["build"]).stdout), text(&built.stdout));
    // Another password means the same source.
    let other = url.replace(m, "another");
    project.write("kustomization.yaml", &format!("resources:\n- {other}\n"));
    assert_eq!(text(&project.run_without_programs(&["build"]).stdout), text(&built.stdout));
}

/// Serves a repository over http to those who sign in, until the test ends.
fn git_server(repository: &Path, user: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let header = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(user));
    let folder = repository.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            answer(stream, &folder, &header);
        }
    });
    address
}

/// One request, answered by git's own CGI program.
fn answer(mut stream: TcpStream, folder: &Path, header: &str) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let field = |name: &str| {
        let named = |line: &String| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        lines.iter().find_map(named).unwrap_or_default()
    };
    let mut body = vec![0; field("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    if field("authorization") != header {
        let refused = "HTTP/1.1 401 No\r\nwww-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(refused.as_bytes()).unwrap();
        return;
    }
    let mut words = lines[0].split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut backend = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("REQUEST_METHOD", method)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", field("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", field("content-encoding"))
        .env("GIT_PROTOCOL", field("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    backend.stdin.take().unwrap().write_all(&body).unwrap();
    let output = backend.wait_with_output().unwrap().stdout;
    stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n").unwrap();
    stream.write_all(&output).unwrap();
}

#[test]
fn git_signs_in_with_what_no_argument_has() {
    let repository = Repository::new(&[
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", &config_map("a", "one")),
    ]);
    let address = git_server(repository.path(), &format!("me@there:{MARKER}/ü"));
    let encoded = format!("{MARKER}%2F%C3%BC");
    let url = format!("http://me%40there:{encoded}@{address}/.git//base?ref=main");
    let mut project = Project::new(&[("kustomization.yaml", &format!("resources:\n- {url}\n"))]);
    // A git that writes down what it is called with.
    let real = text(&Command::new("sh").args(["-c", "command -v git"]).output().unwrap().stdout);
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\nexec {} \"$@\"\n",
        project.path("log").display(),
        real.trim()
    );
    project.write("bin/git", &script);
    std::fs::set_permissions(project.path("bin/git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", project.path("bin").display(), std::env::var("PATH").unwrap());
    project.variables.push(("PATH", path));
    let built = project.run(&["build"]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    assert!(text(&built.stdout).contains("value: one"));
    hides(&project, &[&["build"], &["vendor"]]);
    let log = project.read("log");
    assert!(log.contains(&format!("remote add origin http://{address}/.git")), "{log}");
    assert!(!log.contains(MARKER) && !log.contains(&encoded), "{log}");
    // A wrong password is refused, and not shown either.
    project.write("kustomization.yaml", &format!("resources:\n- {}\n", url.replace("%2F", "-wrong")));
    hides(&project, &[&["build", "--no-lock"]]);
    project.bad(&["build", "--no-lock"]);
}

#[test]
fn ssh_and_askpass_of_the_caller_are_used() {
    let project = Project::new(&[(
        "kustomization.yaml",
        "resources:\n- ssh://git@host.invalid/o/r.git?ref=v1\n- git@host.invalid:o/s.git?ref=v1\n",
    )]);
    project.write(
        "ssh",
        &format!(
            "#!/bin/sh\necho \"called $@ askpass $GIT_ASKPASS\" >> '{}'\nexit 1\n",
            project.path("log").display()
        ),
    );
    std::fs::set_permissions(project.path("ssh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let command = format!("{} -i mykey", project.path("ssh").display());
    let mut project = project;
    project.variables.push(("GIT_SSH_COMMAND", command));
    project.variables.push(("GIT_ASKPASS", "/my/askpass".to_owned()));
    project.bad(&["build"]);
    let log = project.read("log");
    assert_eq!(log.matches("called -i mykey").count(), 2, "{log}");
    assert!(!log.contains("BatchMode") && log.matches("askpass /my/askpass").count() == 2, "{log}");
}

#[test]
fn parameters_that_are_write_only() {
    let m = MARKER;
    let project = Project::new(&[
        (
            "cat/bases/c/component.yaml",
            "apiVersion: kfc.dev/v1alpha1\nkind: Component\nmetadata: {name: c}\nspec:\n  description: d\n  stage: foundation\n  parameters:\n    pw: {type: string, writeOnly: true, minLength: 3, pattern: '^[A-Za-z0-9-]*$'}\n    deep: {type: object, properties: {pw: {type: string, writeOnly: true, maxLength: 99}}, default: {}}\n    open: {type: string, default: x}\n  set:\n  - {select: {kind: ConfigMap, name: c}, path: data.pw, value: '{{ parameters.pw }}'}\n  - {select: {kind: ConfigMap, name: c}, path: data.both, value: '{{ parameters.open ~ parameters.pw }}'}\n",
        ),
        ("cat/bases/c/kustomization.yaml", "resources: [base.yaml]\n"),
        (
            "cat/bases/c/base.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {pw: none, both: none}\n",
        ),
        ("old.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {pw: none, both: none}\n"),
    ]);
    let stack = |parameters: &str| {
        format!(
            "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {{name: s}}\nspec:\n  platform: kind\n  components: [c]\n  catalogues: [cat]\n  parameters:\n{parameters}"
        )
    };
    project.write("kfc.yaml", &stack(&format!("    c: {{pw: {m}}}\n")));
    let graph = project.good(&["graph", "--format", "json"]);
    assert!(graph.contains("\"pw\": \"<hidden 1>\"") && graph.contains("\"open\": \"x\""), "{graph}");
    hides(&project, &[&["graph"], &["graph", "--format", "json"], &["graph", "--format", "svg"]]);
    hides(&project, &[&["list", "parameters", "--catalog", "cat"], &["explain", "--unused"]]);
    hides(
        &project,
        &[&["explain", "cm/c"], &["explain", "cm/c", "--format", "json"], &["explain", "cm/c", "data.both"]],
    );
    for format in FORMATS {
        hides(&project, &[&["diff", "old.yaml", ".", "--format", format]]);
    }
    for wrong in [
        format!("    c: {{pw: [{m}]}}\n"),
        format!("    c: {{pw: '{m} ü'}}\n"),
        format!("    c: {{deep: {{pw: [{m}]}}}}\n"),
        format!("    c: {{pwd: {m}}}\n"),
        format!("    c: {{pw: x{m}: y}}\n"),
        format!("    c:\n      pw: {m}: y\n"),
        format!("    c: {{open: {{a: 1}}, pw: {m}}}\n"),
        format!("    d: {{pw: {m}}}\n"),
        format!("    pw: {m}\n"),
    ] {
        project.write("kfc.yaml", &stack(&wrong));
        hides(&project, &[&["build"], &["graph"], &["argocd", "generate"], &["validate", "kfc.yaml"]]);
    }
    project.write("kfc.yaml", &stack("    c: {open: y}\n"));
    for setting in [
        format!("c.pw={m}: x: y"),
        format!("c.pw=[{m}]"),
        format!("c.pwd={m}"),
        format!("pw={m}"),
        format!("c.pw={m}"),
        format!("c.pw='{m}"),
    ] {
        hides(&project, &[&["build", "--set", &setting], &["graph", "--format", "json", "--set", &setting]]);
    }
}

/// A catalogue whose component `c` has these parameters and setters, and defaults with these global ones.
fn catalogue(global: &str, parameters: &str, set: &str) -> Project {
    let mut component = format!(
        "apiVersion: kfc.dev/v1alpha1\nkind: Component\nmetadata: {{name: c}}\nspec:\n  description: d\n  stage: foundation\n  parameters:\n{parameters}"
    );
    if !set.is_empty() {
        component = format!("{component}  set:\n{set}");
    }
    let defaults =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/platforms/defaults.yaml")).unwrap();
    let defaults = defaults.replacen("  parameters:\n", &format!("  parameters:\n{global}"), 1);
    let base = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {open: none}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: m, image: i}]}\n";
    Project::new(&[
        ("cat/platforms/defaults.yaml", &defaults),
        ("cat/bases/c/component.yaml", &component),
        ("cat/bases/c/kustomization.yaml", "resources: [base.yaml]\n"),
        ("cat/bases/c/base.yaml", base),
        ("old.yaml", base),
    ])
}

fn stack(parameters: &str) -> String {
    format!(
        "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {{name: s}}\nspec:\n  platform: kind\n  components: [c]\n  catalogues: [cat]\n  parameters:\n{parameters}"
    )
}

/// Everything that shows something of a stack.
#[track_caller]
fn hides_stack(project: &Project) {
    hides(
        project,
        &[
            &["build"],
            &["graph"],
            &["graph", "--format", "json"],
            &["list", "parameters", "--catalog", "cat"],
            &["list", "parameters", "--catalog", "cat", "--format", "json"],
            &["explain", "cm/c"],
            &["explain", "cm/c", "--format", "json"],
            &["explain", "cm/c", "data.none"],
            &["explain", "deploy/d"],
            &["explain", "deploy/d", "--format", "json"],
            &["explain", "--unused"],
            &["explain", "cm/none"],
            &["validate", "."],
            &["validate", ".", "--format", "json"],
            &["argocd", "generate"],
        ],
    );
    let announced = text(&project.run(&["argocd", "parameters"]).stdout);
    assert!(!announced.contains(MARKER), "{announced}");
    for format in FORMATS {
        hides(
            project,
            &[
                &["diff", "old.yaml", ".", "--all", "--format", format],
                &["diff", ".", "old.yaml", "--all", "--format", format],
            ],
        );
    }
}

/// What shows the errors of a stack.
#[track_caller]
fn hides_errors(project: &Project) {
    hides(
        project,
        &[
            &["build"],
            &["graph"],
            &["list", "parameters", "--catalog", "cat", "--format", "json"],
            &["explain", "cm/c"],
            &["diff", "old.yaml", "."],
            &["validate", "."],
            &["argocd", "generate"],
        ],
    );
    let announced = text(&project.run(&["argocd", "parameters"]).stdout);
    assert!(!announced.contains(MARKER), "{announced}");
}

#[test]
fn what_is_made_of_write_only_parameters() {
    let m = MARKER;
    let project = catalogue(
        "    rootPw: {type: string, writeOnly: true, default: x}\n    rootUrl: {type: string, default: 'pg://{{ parameters.rootPw }}/x', maxLength: 99}\n",
        "    url: {type: string, default: '{{ parameters.rootUrl }}/y', maxLength: 99}\n    list: {type: array, items: {type: string}, default: ['{{ parameters.rootUrl }}']}\n",
        "  - {select: {kind: ConfigMap, name: c}, path: data.url, value: '{{ parameters.url }}'}\n  - {select: {kind: ConfigMap, name: c}, path: data.list, value: '{{ parameters.list[0] }}'}\n",
    );
    project.write("kfc.yaml", &stack(&format!("    rootPw: {m}\n")));
    assert!(project.good(&["build"]).contains(&format!("pg://{m}/x/y")));
    hides_stack(&project);
    assert!(project.good(&["argocd", "parameters"]).contains("c.url"));
    // Values that the schemas refuse, of the parameters that are made of it.
    for parameters in
        [format!("    rootPw: '{m}{}'\n", "x".repeat(99)), format!("    rootPw: x\n    c: {{url: [{m}]}}\n")]
    {
        project.write("kfc.yaml", &stack(&parameters));
        assert!(project.bad(&["build"]).contains("has a wrong value"));
        hides_errors(&project);
    }
}

#[test]
fn keys_of_write_only_parameters() {
    let m = MARKER;
    let project = catalogue(
        "",
        "    pw: {type: string, writeOnly: true, default: x}\n    users: {type: object, writeOnly: true, default: {}, properties: {known: {type: string}}, additionalProperties: {type: string, maxLength: 30}, propertyNames: {maxLength: 40}}\n    few: {type: object, writeOnly: true, default: {}, properties: {known: {type: string}}, additionalProperties: false}\n",
        "  - {select: {kind: ConfigMap, name: c}, path: data, value: '{{ parameters.users }}'}\n  - {select: {kind: ConfigMap, name: c}, path: metadata.annotations, value: {shown: '{{ parameters.pw }}'}}\n  - {select: {kind: Deployment, name: d}, path: metadata.annotations, value: '{{ {parameters.pw: \"v\"} }}'}\n  - {select: {kind: Deployment, name: d}, path: 'spec.template.spec.containers.[name=m].env', value: '{{ [{\"name\": parameters.pw, \"value\": \"v\"}] }}'}\n",
    );
    project.write("kfc.yaml", &stack(&format!("    c: {{users: {{{m}: value, known: {m}}}, pw: {m}-2}}\n")));
    let built = project.good(&["build"]);
    assert!(built.contains(&format!("{m}: value")) && built.contains(&format!("{m}-2: v")), "{built}");
    hides_stack(&project);
    let explained = project.good(&["explain", "cm/c"]);
    assert!(
        explained.contains("shown: <hidden") && explained.contains("<hidden 2>: <hidden 3>"),
        "{explained}"
    );
    let report = text(&project.run(&["diff", "old.yaml", ".", "--format", "unified"]).stdout);
    assert!(report.contains("+    shown: <hidden") && report.contains("+  <hidden"), "{report}");
    for wrong in [
        format!("    c: {{users: {{{m}: [{m}]}}}}\n"),
        format!("    c: {{users: {{{m}{}: a}}}}\n", "x".repeat(40)),
        format!("    c: {{few: {{{m}: a}}}}\n"),
        format!("    c: {{few: {{known: [{m}]}}}}\n"),
        format!("    c:\n      few:\n        {m}: a\n"),
    ] {
        project.write("kfc.yaml", &stack(&wrong));
        assert!(project.bad(&["build"]).contains("has a wrong value"));
        hides_errors(&project);
    }
}

#[test]
fn examples_of_write_only_parameters() {
    let m = MARKER;
    for parameter in [
        format!("    pw: {{type: string, writeOnly: true, examples: [{m}], example: {m}}}\n"),
        format!(
            "    pw: {{type: object, properties: {{a: {{type: string, writeOnly: true, default: {m}, examples: [{m}]}}}}, examples: [{{a: {m}}}]}}\n"
        ),
        format!("    pw: {{type: string, writeOnly: true, minLength: x, default: {m}, examples: [{m}]}}\n"),
        format!("    pw: {{type: string, writeOnly: true, examples: [{m}: x: y]}}\n"),
    ] {
        let project = catalogue("", &parameter, "");
        project.write("kfc.yaml", &stack("    {}\n"));
        project.bad(&["build"]);
        hides_errors(&project);
    }
}

#[test]
fn passwords_of_addresses_in_open_objects() {
    let m = MARKER;
    let object = |password: &str| {
        let url = format!("https://me:{password}@h.example/x?a=b&token={password}");
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, annotations: {{a: '{url}'}}}}\ndata:\n  url: {url}\n  text: |\n    first\n    open {url} now\n    last\n  json: '{{\"u\":\"{url}\",\"n\":1}}'\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec:\n  selector: {{matchLabels: {{a: b}}}}\n  template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n      containers:\n      - name: m\n        image: i\n        args: ['--url={url}', '-c', 'curl \"{url}\"']\n        env: [{{name: U, value: 'redis://:{password}@h:6379'}}]\n"
        )
    };
    let (old, new) = (object(&format!("{m}-1")), object(&format!("{m}-2")));
    let project = Project::new(&[
        ("old.yaml", &old),
        ("new.yaml", &new),
        ("none.yaml", &config_map("other", "x")),
        (
            "root/kustomization.yaml",
            "resources: [new.yaml]\nnamePrefix: p-\npatches:\n- target: {kind: ConfigMap}\n  patch: '[{\"op\": \"remove\", \"path\": \"/data/text\"}]'\n",
        ),
        ("root/new.yaml", &new),
    ]);
    for format in FORMATS {
        hides(
            &project,
            &[
                &["diff", "old.yaml", "new.yaml", "--all", "--format", format],
                &["diff", "none.yaml", "new.yaml", "--all", "--format", format],
                &["diff", "new.yaml", "none.yaml", "--all", "--format", format],
                &["diff", "old.yaml", "root", "--all", "--format", format],
            ],
        );
        let arguments = ["diff", "old.yaml", "new.yaml", "--all", "--format", format];
        let report = text(&project.run(&arguments).stdout);
        if !["sarif", "junit", "codequality"].contains(&format) {
            assert!(report.contains("***@h.example"), "{format}: {report}");
        }
        assert!(report.contains("url"), "{format} shows no change: {report}");
    }
    hides(
        &project,
        &[
            &["explain", "cm/c", "-t", "root"],
            &["explain", "cm/c", "-t", "root", "--format", "json"],
            &["explain", "cm/c", "data.url", "-t", "root"],
            &["explain", "deploy/d", "-t", "root"],
            &["explain", "deploy/d", "-t", "root", "--format", "json"],
            &["validate", "root"],
        ],
    );
    let odd = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, annotations: {{'https://u:{m}@h': x}}}}\n"
    );
    project.write("odd.yaml", &odd);
    project.write("odd/kustomization.yaml", &format!("images: [{{name: z, newName: 'u:{m}@h/x'}}]\n"));
    hides(
        &project,
        &[
            &["validate", "odd.yaml"],
            &["validate", "odd.yaml", "--format", "json"],
            &["validate", "odd.yaml", "--format", "sarif"],
            &["explain", "--unused", "-t", "odd", "--format", "json"],
        ],
    );
    let stack = stack("    {}\n").replace(
        "  parameters:",
        &format!("  facts: {{a: 'https://u:{m}@h', storage: {{class: 'https://u:{m}@h'}}}}\n  parameters:"),
    );
    project.write("kfc.yaml", &stack.replace("[c]", "[jobset]").replace("  catalogues: [cat]\n", ""));
    hides(&project, &[&["graph"], &["graph", "--format", "json"]]);
    assert!(!text(&project.run(&["argocd", "parameters"]).stdout).contains(m));
    assert!(project.good(&["explain", "cm/c", "data.url", "-t", "root"]).contains("https://***@h.example"));
    // What is applied has them.
    assert_eq!(project.good(&["build", "root"]).matches(m).count(), 11);
}

#[test]
fn names_that_come_out_of_secrets() {
    let m = MARKER.to_lowercase();
    let project = Project::new(&[
        ("s.yaml", &format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{a: {m}}}\n")),
        ("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: n}\ndata: {k: v}\n"),
        (
            "kustomization.yaml",
            "resources: [s.yaml, c.yaml]\nreplacements:\n- source: {kind: Secret, name: s, fieldPath: stringData.a}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [metadata.name, metadata.namespace]}]\n",
        ),
        ("before.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: n}\ndata: {k: w}\n"),
        (
            "same.yaml",
            &format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {m}, namespace: {m}}}\ndata: {{k: w}}\n"
            ),
        ),
    ]);
    assert!(project.good(&["build"]).contains(&format!("name: {m}")));
    for format in FORMATS {
        hides(
            &project,
            &[
                &["diff", "before.yaml", ".", "--all", "--format", format],
                &["diff", ".", "before.yaml", "--all", "--format", format],
                &["diff", "s.yaml", ".", "--all", "--format", format],
                &["diff", "same.yaml", ".", "--all", "--format", format],
            ],
        );
    }
    let report = text(&project.run(&["diff", "s.yaml", "."]).stdout);
    assert!(report.contains("ConfigMap <hidden 1>/<hidden 1>"), "{report}");
    hides(
        &project,
        &[
            &["explain", "cm/c", "-t", "."],
            &["explain", "cm/c", "-t", ".", "--format", "json"],
            &["explain", "cm/none", "-t", "."],
            &["explain", "c", "-t", "."],
            &["explain", "cm/c", "nothing", "-t", "."],
        ],
    );
}

#[test]
#[cfg(feature = "cluster")]
fn kubeconfigs() {
    let m = MARKER;
    let config = |server: &str, user: &str| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\nclusters: [{{name: k, cluster: {{server: \"{server}\"}}}}]\nusers:\n- name: u\n  user: {user}\n"
        )
    };
    let local = "https://127.0.0.1:1";
    let exec = |command: &str, arguments: &str| {
        format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {command}, args: {arguments}, interactiveMode: Never}}}}"
        )
    };
    let configs = [
        format!("users:\n- name: u\n  user: {{token: {m}: x}}\n"),
        format!("apiVersion: v1\nkind: Config\nusers: {m}\n"),
        config(local, &format!("{{token: [{m}]}}")),
        config(local, &format!("{{token: \"{m}\\n\"}}")),
        config(local, &format!("{{username: me, password: {m}}}")),
        config(local, &exec("sh", &format!("[-c, 'echo {m} >&2; exit 3']"))),
        config(local, &exec("sh", &format!("[-c, 'echo {m}']"))),
        config(local, &exec("sh", &format!("[-c, 'echo {{\\\"token\\\": \\\"{m}\\\"}}']"))),
        config(local, &exec("/nowhere/program", &format!("[{m}]"))),
        config(&format!("https://me:{m}@127.0.0.1:1"), "{}"),
        config(&format!("https://me:{m}@127.0.0.1:1/a b"), "{}"),
        config(local, &format!("{{client-key-data: {m}, client-certificate-data: {m}}}")),
    ];
    let project = Project::new(&[("c.yaml", &config_map("c", "one"))]);
    for config in &configs {
        project.write("config", config);
        hides(
            &project,
            &[
                &["apply", "c.yaml", "--kubeconfig", "config", "--timeout", "1s"],
                &["detect", "--kubeconfig", "config"],
            ],
        );
    }
}

/// What a text may do that gets into a message: begin lines of its own, hide or turn what follows.
const FORGED: &str =
    "x\n::error title=forged::by a name\nerror[KFC9999]: fake\r\u{1b}[31m\u{9b}31m\u{202e}\u{0}";

#[track_caller]
fn forges_nothing(project: &Project, commands: &[&[&str]]) {
    for arguments in commands {
        let output = project.run(arguments);
        let shown = text(&output.stdout) + &text(&output.stderr);
        let starts = |start: &str| shown.lines().any(|line| line.trim_start().starts_with(start));
        let is_page = arguments.contains(&"html");
        assert!(!starts("::error") && (is_page || !starts("error[KFC9999]")), "{arguments:?}:\n{shown}");
        let odd = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!shown.contains(odd), "{arguments:?}:\n{shown:?}");
    }
}

#[test]
fn nothing_forges_a_line() {
    let quoted = serde_json::to_string(FORGED).unwrap();
    let stack = |name: &str, component: &str| {
        format!(
            "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {{name: {name}}}\nspec: {{platform: kind, components: [{component}]}}\n"
        )
    };
    let project = Project::new(&[("kfc.yaml", &stack(&quoted, "cert-manager"))]);
    for format in ["tree", "dot", "mermaid", "svg", "json"] {
        forges_nothing(&project, &[&["graph", "--format", format]]);
    }
    forges_nothing(&project, &[&["explain", "--unused"]]);
    project.write("kfc.yaml", &stack("s", &quoted));
    forges_nothing(&project, &[&["build"], &["argocd", "generate"], &["graph"]]);
    let object = |kind: &str, name: &str, rest: &str| {
        format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{rest}\n")
    };
    for (old, new) in [
        (
            object("ConfigMap", &quoted, "data: {a: b}"),
            object("ConfigMap", &quoted, &format!("data: {{a: {quoted}, {quoted}: c}}")),
        ),
        (object(&quoted, "a", "data: {a: b}"), object(&quoted, "a", "data: {a: c}")),
        (
            object("ConfigMap", "a", "data: {a: b}"),
            object("ConfigMap", "a", &format!("data: [{quoted}]\n{quoted}: {quoted}")),
        ),
    ] {
        let project = Project::new(&[
            ("old.yaml", &old),
            ("new.yaml", &new),
            (
                "kustomization.yaml",
                &format!(
                    "resources: [new.yaml]\nnamePrefix: {quoted}\npatches: [{{target: {{name: {quoted}}}, patch: '[{{op: test, path: /x, value: 1}}]'}}]\n"
                ),
            ),
        ]);
        forges_nothing(
            &project,
            &[
                &["validate", "new.yaml"],
                &["build"],
                &["argocd", "generate"],
                &["diff", "old.yaml", "new.yaml"],
            ],
        );
        for format in ["json", "sarif", "junit", "codequality"] {
            forges_nothing(&project, &[&["validate", "new.yaml", "--format", format]]);
        }
        for format in ["markdown", "junit", "sarif", "codequality", "html"] {
            // The lines of a page are nobody's messages; only the commands of CI systems are looked for.
            forges_nothing(&project, &[&["diff", "old.yaml", "new.yaml", "--format", format]]);
        }
    }
    for field in ["resources", "components", "crds", "configurations"] {
        let project = Project::new(&[("kustomization.yaml", &format!("{field}: [{quoted}]\n{quoted}: x\n"))]);
        forges_nothing(&project, &[&["build"], &["vendor"], &["argocd", "generate"]]);
    }
    let url = format!("https://127.0.0.1:1/o/r.git?ref={}", "x%0A::error::y%1b%E2%80%AE");
    let project = Project::new(&[("kustomization.yaml", &format!("resources: [\"{url}\"]\n"))]);
    forges_nothing(&project, &[&["build"], &["vendor"], &["build", "--offline"]]);
}
