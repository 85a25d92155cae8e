//! helm gets values, never flags, reads what the root may read, and runs no program of the root: with a program that stands
//! in for helm and writes down what it is given, and with the real one where there is one (`KFC_TEST_HELM`, or in `PATH`).

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![allow(clippy::print_stderr, reason = "says what it skips or measures")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use support::{Project, text};
#[cfg(feature = "fetch")]
use support::{file, tgz};

/// Writes down its arguments, its environment and the values; makes the chart that it is to pull.
const STAND_IN: &str = r#"#!/bin/sh
here=$(dirname "$0")
printf '%s\n' "$@" >>"$here/arguments"
env >>"$here/environment"
cat "$HELM_REPOSITORY_CONFIG" "$HELM_REGISTRY_CONFIG" >>"$here/credentials" 2>/dev/null
ls -A "$HELM_PLUGINS" >>"$here/plugins" 2>/dev/null
cat "$HELM_REGISTRY_CONFIG" >"$here/logins"
for argument; do
  case "$before" in
    --values) cat "$argument" >>"$here/values" ;;
    --untardir) mkdir -p "$argument/c" ;;
  esac
  before=$argument
done
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n'
"#;

const CHART: &str = "apiVersion: v2\nname: c\nversion: 1.0.0\n";
const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}', namespace: '{{ .Release.Namespace }}'}\ndata: {v: '{{ .Values.mark }}'}\n";

/// A root with a chart, something outside of it, and the stand-in.
struct Setting {
    project: Project,
    helm: String,
}

impl Setting {
    fn new(charts: &str) -> Self {
        let project = Project::new(&[
            ("bin/helm", STAND_IN),
            ("outside/values.yaml", "mark: PLANTED\n"),
            ("outside/c/Chart.yaml", CHART),
            ("root/kustomization.yaml", charts),
            ("root/own.yaml", "mark: own\n"),
            ("root/charts/c/Chart.yaml", CHART),
            ("root/charts/c/values.yaml", "mark: default\n"),
            ("root/charts/c/templates/cm.yaml", TEMPLATE),
        ]);
        let helm = project.path("bin/helm");
        std::fs::set_permissions(&helm, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { helm: helm.display().to_string(), project }
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["build", "root", "--enable-helm", "--helm-command", &self.helm], more].concat()
    }

    fn build(&self, more: &[&str]) -> String {
        self.project.good(&self.arguments(more))
    }

    /// The errors of a build for which helm was not even started.
    #[track_caller]
    fn refused(&self, what: &str) -> String {
        let output = self.project.run(&self.arguments(&[]));
        let errors = text(&output.stderr);
        assert!(!output.status.success() && !errors.contains("PLANTED"), "{what}: {errors}");
        assert!(!self.project.path("bin/arguments").exists(), "{what}: helm was run: {errors}");
        errors
    }

    fn seen(&self, what: &str) -> String {
        std::fs::read_to_string(self.project.path("bin").join(what)).unwrap_or_default()
    }
}

#[test]
fn no_field_becomes_a_flag() {
    let fields = [
        "releaseName: --set-file=mark=/etc/hostname",
        "releaseName: --output-dir=/tmp/somewhere",
        "releaseName: --post-renderer=program",
        "namespace: -n",
        "nameTemplate: --dry-run=server",
        "version: --devel",
        "kubeVersion: --validate",
        "apiVersions: [--values=/etc/hostname]",
        "repo: --insecure-skip-tls-verify",
        "repo: -x",
    ];
    for field in fields {
        let setting = Setting::new(&format!("helmCharts:\n- name: c\n  {field}\n"));
        let name = field.split(':').next().unwrap();
        let errors = setting.refused(field);
        assert!(errors.contains(&format!("`{name}` begins with `-`")), "{field}: {errors}");
    }
    let setting = Setting::new("helmCharts: [{name: --post-renderer=x}]");
    assert!(setting.refused("name").contains("`name` begins with `-`"));
    let setting = Setting::new("helmCharts: [{name: c}]");
    let errors = setting.project.bad(&setting.arguments(&["--helm-api-versions=--values=x"]));
    assert!(errors.contains("begins with `-`"), "{errors}");
}

#[test]
fn what_helm_is_given_stands_behind_its_name() {
    let setting = Setting::new(
        "helmCharts:\n- name: c\n  releaseName: r\n  namespace: ns\n  includeCRDs: true\n  kubeVersion: '1.30'\n  apiVersions: [a/v1]\n  \
         valuesFile: own.yaml\n  additionalValuesFiles: [own.yaml]\n",
    );
    setting.build(&[]);
    let arguments = setting.seen("arguments");
    let lines: Vec<&str> = arguments.lines().filter(|line| !line.ends_with(".yaml")).collect();
    let chart = setting.project.path("root/charts/c").canonicalize().unwrap().display().to_string();
    let expected = [
        "template",
        "--namespace",
        "ns",
        "--kube-version",
        "1.30",
        "--values",
        "--values",
        "--api-versions",
        "a/v1",
        "--include-crds",
        "--",
        "r",
        &chart,
    ];
    assert_eq!(lines, expected);
    assert_eq!(setting.seen("values"), "mark: own\nmark: own\n");
    // The files are copies: what is in the root can change meanwhile.
    assert!(!arguments.contains("root/own.yaml"), "{arguments}");
}

#[test]
fn values_and_charts_lie_in_the_root() {
    let outside = |path: &str| format!("helmCharts: [{{name: c, {path}}}]");
    let cases = [
        outside("valuesFile: ../outside/values.yaml"),
        outside("valuesFile: /etc/hostname"),
        outside("valuesFile: link.yaml"),
        outside("valuesFile: ../outside/values.yaml, valuesInline: {a: 1}"),
        outside("additionalValuesFiles: [../outside/values.yaml]"),
        outside("additionalValuesFiles: [own.yaml, /etc/hostname]"),
        outside("additionalValuesFiles: [link.yaml]"),
        "helmGlobals: {chartHome: ../outside}\nhelmCharts: [{name: c}]".to_owned(),
        "helmGlobals: {chartHome: linked}\nhelmCharts: [{name: c}]".to_owned(),
        "helmGlobals: {configHome: ../outside}\nhelmCharts: [{name: c}]".to_owned(),
        "helmGlobals: {configHome: /tmp/somewhere}\nhelmCharts: [{name: c}]".to_owned(),
        "helmCharts: [{name: ../../outside/c}]".to_owned(),
        "helmCharts: [{name: new, repo: 'https://example.com', version: 1/../../../outside}]".to_owned(),
    ];
    for case in cases {
        let setting = Setting::new(&case);
        symlink("../outside/values.yaml", setting.project.path("root/link.yaml")).unwrap();
        symlink("../outside", setting.project.path("root/linked")).unwrap();
        let errors = setting.refused(&case);
        assert!(errors.contains("KFC0005"), "{case}: {errors}");
    }
    // A name is one of the chart home, however it begins.
    let absolute = Setting::new("helmCharts: [{name: /etc}]");
    assert!(absolute.refused("an absolute name").contains("the chart `/etc` does not exist"));
    // Whoever lifts the restrictor may read them.
    let lifted = Setting::new(&outside("additionalValuesFiles: [../outside/values.yaml]"));
    lifted.build(&["--load-restrictor", "LoadRestrictionsNone"]);
    assert_eq!(lifted.seen("values"), "mark: PLANTED\n");
}

#[test]
fn links_in_a_chart_lead_nowhere_else() {
    for (at, target) in [
        ("root/charts/c/templates/x.yaml", "/etc/hostname"),
        ("root/charts/c/files", "/etc"),
        ("root/charts/c/values.schema.json", "../../../outside/values.yaml"),
        // Nothing tells whether it is there.
        ("root/charts/c/templates/x.yaml", "/etc/nothing"),
        ("root/charts/c/files", "/root/.nothing/x"),
        ("root/charts/c/templates", "../../../outside"),
    ] {
        let setting = Setting::new("helmCharts: [{name: c}]");
        drop(std::fs::remove_dir_all(setting.project.path(at)));
        symlink(target, setting.project.path(at)).unwrap();
        let errors = setting.refused(at);
        assert!(
            errors.contains("KFC0005") && errors.contains("is a symbolic link that leads out of"),
            "{errors}"
        );
    }
    let setting = Setting::new("helmCharts: [{name: c, valuesInline: {a: 1}}]");
    std::fs::remove_file(setting.project.path("root/charts/c/values.yaml")).unwrap();
    symlink("/dev/zero", setting.project.path("root/charts/c/values.yaml")).unwrap();
    setting.refused("a device");
    let setting = Setting::new("helmCharts: [{name: c}]");
    let pipe = setting.project.path("root/charts/c/templates/pipe");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    assert!(setting.refused("a pipe").contains("expected a file"));
    // Those that stay in the root are as good as files.
    let setting = Setting::new("helmCharts: [{name: c}]");
    symlink("../../../own.yaml", setting.project.path("root/charts/c/templates/own.yaml")).unwrap();
    setting.build(&[]);
}

#[test]
fn schemas_of_a_chart_refer_to_nothing_outside_of_it() {
    let schema = |reference: &str| format!(r#"{{"properties": {{"mark": {{"$ref": "{reference}"}}}}}}"#);
    for reference in
        ["file:///etc/hostname", "file:///etc/nothing", "/etc/hostname", "etc/hostname", "http://127.0.0.1/x"]
    {
        for at in ["values.schema.json", "charts/sub/values.schema.json"] {
            let setting = Setting::new("helmCharts: [{name: c}]");
            setting.project.write(&format!("root/charts/c/{at}"), &schema(reference));
            let errors = setting.refused(reference);
            let message = format!("`charts/c/{at}` refers to `{reference}`, which is outside its chart");
            assert!(errors.contains("KFC0005") && errors.contains(&message), "{errors}");
        }
    }
    let setting = Setting::new("helmCharts: [{name: c}]");
    setting.project.write("root/charts/c/values.schema.json", &schema("#/$defs/x"));
    setting.build(&[]);
    let lifted = Setting::new("helmCharts: [{name: c}]");
    lifted.project.write("root/charts/c/values.schema.json", &schema("file:///etc/hostname"));
    lifted.build(&["--load-restrictor", "LoadRestrictionsNone"]);
}

#[cfg(feature = "fetch")]
#[test]
fn packed_charts_are_looked_into() {
    let schema = r#"{"$ref": "file:///etc/hostname"}"#;
    let packed = |schema: &str| tgz(&[file("d/Chart.yaml", CHART), file("d/values.schema.json", schema)]);
    let (inner, other) = (packed(schema), packed(r#"{"type": "object"}"#));
    let setting = Setting::new("helmCharts: [{name: c}]");
    std::fs::create_dir(setting.project.path("root/charts/c/charts")).unwrap();
    let place = setting.project.path("root/charts/c/charts/d-1.0.0.tgz");
    std::fs::write(&place, &inner).unwrap();
    let errors = setting.refused("a packed chart");
    assert!(
        errors.contains("d-1.0.0.tgz/d/values.schema.json` refers to `file:///etc/hostname`"),
        "{errors}"
    );
    std::fs::write(&place, &other).unwrap();
    setting.build(&[]);
    std::fs::remove_file(setting.project.path("bin/arguments")).unwrap();
    std::fs::write(&place, "no archive").unwrap();
    assert!(setting.refused("no archive").contains("KFC0602"));
    let whole = Setting::new("helmCharts: [{name: d.tgz}]");
    std::fs::write(whole.project.path("root/charts/d.tgz"), &inner).unwrap();
    assert!(whole.refused("a chart that is packed itself").contains("KFC0005"));
}

#[test]
fn helm_knows_nothing_of_the_user_and_has_no_plugins() {
    let mut setting = Setting::new("helmGlobals: {configHome: hc}\nhelmCharts: [{name: c, releaseName: r}]");
    setting.project.write("root/hc/.data/plugins/evil/plugin.yaml", "name: evil\n");
    setting.project.write("root/hc/plugins/evil/plugin.yaml", "name: evil\n");
    setting.project.variables =
        ["HELM_NAMESPACE", "HELM_PLUGINS", "HELM_KUBECONTEXT", "KUBECONFIG", "MY_SECRET"]
            .map(|name| (name, "PLANTED".to_owned()))
            .to_vec();
    setting.build(&[]);
    let environment = setting.seen("environment");
    assert!(environment.contains("PATH=") && !environment.contains("PLANTED"), "{environment}");
    let root = setting.project.path("root").canonicalize().unwrap();
    let in_root: Vec<&str> = environment
        .lines()
        .filter(|line| line.contains(&*root.to_string_lossy()) && !line.starts_with("PWD="))
        .collect();
    assert_eq!(in_root, [""; 0]);
    assert_eq!(setting.seen("plugins"), "");
}

#[test]
fn a_root_gives_logins_and_names_no_program_for_them() {
    let charts = "helmGlobals: {configHome: hc}\nhelmCharts: [{name: c, releaseName: r}]";
    let setting = Setting::new(charts);
    let config =
        r#"{"credsStore": "x/run", "credHelpers": {"h": "x/run"}, "auths": {"h": {"auth": "bTpw"}}}"#;
    setting.project.write("root/hc/registry/config.json", config);
    setting.build(&[]);
    assert_eq!(setting.seen("logins"), r#"{"auths":{"h":{"auth":"bTpw"}}}"#);
    let without = Setting::new("helmCharts: [{name: c, releaseName: r}]");
    without.build(&[]);
    assert_eq!(without.seen("logins"), "{}");
    // The user's own goes before it.
    let mut own = Setting::new(charts);
    own.project.write("mine.json", "{}\n");
    own.project.write("root/hc/registry/config.json", config);
    let mine = own.project.path("mine.json").display().to_string();
    own.project.variables = vec![("HELM_REGISTRY_CONFIG", mine)];
    own.build(&[]);
    assert_eq!(own.seen("logins"), "{}\n");
    for target in ["../../../outside/config.json", "/etc/nothing"] {
        let linked = Setting::new(charts);
        linked.project.write("outside/config.json", "PLANTED");
        linked.project.write("root/hc/registry/x", "");
        symlink(target, linked.project.path("root/hc/registry/config.json")).unwrap();
        assert!(linked.refused(target).contains("KFC0005"), "{target}");
    }
}

#[test]
fn charts_are_pulled_from_repositories_alone() {
    for repo in ["evil://x", "file:///etc", "../charts", "http://example.com/charts", "s3://bucket"] {
        let setting = Setting::new(&format!("helmCharts: [{{name: new, repo: '{repo}'}}]"));
        assert!(setting.refused(repo).contains("`repo`"), "{repo}");
    }
    for name in ["evil://x", "a/b", "/abs"] {
        let setting = Setting::new(&format!("helmCharts: [{{name: '{name}', repo: 'https://example.com'}}]"));
        assert!(setting.refused(name).contains("`name`"), "{name}");
    }
    let setting = Setting::new(
        "helmCharts: [{name: c, repo: 'https://example.com/charts', version: 2.0.0, releaseName: r}]",
    );
    std::fs::remove_dir_all(setting.project.path("root/charts")).unwrap();
    setting.build(&[]);
    let arguments = setting.seen("arguments");
    assert!(
        arguments.contains("--repo\nhttps://example.com/charts\n--version\n2.0.0\n--\nc\n"),
        "{arguments}"
    );
}

/// The real program, if there is one.
#[test]
fn no_argument_has_a_password() {
    let cases = [
        ("https://me:PLANTED%2Fx@h.example/charts", r#""username":"me""#, r#""password":"PLANTED/x""#),
        (
            "https://PLANTED@h.example/charts",
            r#""username":"PLANTED""#,
            r#""url":"https://h.example/charts""#,
        ),
        ("https://h.example/charts?token=PLANTED", "h.example/charts?token=PLANTED", r#""name":"kfc""#),
        ("oci://me:PLANTED@h.example:5000/charts", r#""h.example:5000":{"auth":"#, "bWU6UExBTlRFRA=="),
    ];
    for (repo, one, other) in cases {
        let setting = Setting::new(&format!("helmCharts: [{{name: d, repo: '{repo}', version: 1.0.0}}]"));
        let output = setting.project.run(&setting.arguments(&[]));
        assert!(!text(&output.stderr).contains("PLANTED"), "{}", text(&output.stderr));
        let (arguments, environment) = (setting.seen("arguments"), setting.seen("environment"));
        assert!(arguments.contains("pull"), "{repo}: {arguments}");
        assert!(
            !arguments.contains("PLANTED") && !environment.contains("PLANTED"),
            "{arguments}{environment}"
        );
        let credentials = setting.seen("credentials");
        assert!(credentials.contains(one) && credentials.contains(other), "{repo}: {credentials}");
    }
    let plain = Setting::new("helmCharts: [{name: d, repo: 'https://h.example/charts', version: 1.0.0}]");
    plain.project.run(&plain.arguments(&[]));
    assert!(plain.seen("arguments").contains("--repo\nhttps://h.example/charts\n"));
    for repo in ["https://me:PLAN/TED@h.example/charts", "oci://h.example/charts?token=PLANTED"] {
        let setting = Setting::new(&format!("helmCharts: [{{name: d, repo: '{repo}', version: 1.0.0}}]"));
        let errors = setting.refused(repo);
        assert!(errors.contains("not encoded") || errors.contains("signs in by its query"), "{errors}");
    }
}

/// Serves files to those who sign in, until the test ends.
fn chart_server(folder: PathBuf, header: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("/").to_owned();
            let file = std::fs::read(folder.join(path.trim_start_matches('/')));
            let (status, body) = match file {
                _ if !lines.iter().any(|line| line == header) => ("401 Unauthorized", Vec::new()),
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            drop(stream.write_all(&[head.as_bytes(), &body].concat()));
        }
    });
    address
}

#[test]
fn the_real_helm_signs_in() {
    let Some(helm) = real_helm() else { return };
    let setting = Setting { helm: helm.display().to_string(), ..Setting::new("") };
    let own = |arguments: &[&str]| {
        let done = Command::new(&helm).args(arguments).current_dir(setting.project.path("root")).output();
        assert!(done.unwrap().status.success(), "{arguments:?}");
    };
    own(&["package", "charts/c", "-d", "served"]);
    own(&["repo", "index", "served"]);
    std::fs::remove_dir_all(setting.project.path("root/charts")).unwrap();
    // me:p/w@x
    let server = chart_server(setting.project.path("root/served"), "Authorization: Basic bWU6cC93QHg=");
    let chart = |user: &str| {
        format!("helmCharts: [{{name: c, repo: 'http://{user}@{server}', version: 1.0.0, releaseName: r}}]")
    };
    setting.project.write("root/kustomization.yaml", &chart("me:another"));
    setting.project.bad(&setting.arguments(&[]));
    setting.project.write("root/kustomization.yaml", &chart("me:p%2Fw%40x"));
    assert!(setting.build(&[]).contains("v: default"));
}

fn real_helm() -> Option<PathBuf> {
    let named = std::env::var_os("KFC_TEST_HELM").map(PathBuf::from);
    let in_path = || {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join("helm"))
            .find(|path| path.is_file())
    };
    let found = named.or_else(in_path);
    if found.is_none() {
        eprintln!("skipped: there is no helm; KFC_TEST_HELM names one");
    }
    found
}

#[test]
fn the_real_helm_renders_what_the_root_says() {
    let Some(helm) = real_helm() else { return };
    let real = |charts: &str| Setting { helm: helm.display().to_string(), ..Setting::new(charts) };
    let plain = real("helmCharts: [{name: c, releaseName: r, additionalValuesFiles: [own.yaml]}]");
    let built = plain.build(&[]);
    assert!(
        built.contains("name: r\n") && built.contains("v: own") && built.contains("namespace: default"),
        "{built}"
    );
    // The namespace of a kubeconfig's context is the user's, not the root's.
    let mut cluster = real("helmCharts: [{name: c, releaseName: r}]");
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x, namespace: theirs}}]\nclusters: [{name: x, cluster: {server: 'https://127.0.0.1:1'}}]\n";
    cluster.project.write("home/.kube/config", kubeconfig);
    let there = cluster.project.path("home/.kube/config").display().to_string();
    cluster.project.variables = vec![("KUBECONFIG", there)];
    let built = cluster.build(&[]);
    assert!(built.contains("namespace: default") && built.contains("v: default"), "{built}");
    let generated = real("helmCharts: [{name: c, valuesInline: {mark: inline}}]").build(&[]);
    assert!(generated.contains("name: release-name") || generated.contains("name: c-"), "{generated}");
    assert!(generated.contains("v: inline"), "{generated}");
}
