//! A Kubernetes control plane for the time of a test.
//!
//! ```text
//! let cluster = Cluster::start();                                // etcd, API server, controllers, three simulated nodes
//! cluster.kfc(&["apply", "minikube"]).succeeds();                // what it printed, as `(out, err)`
//! let web = cluster.get("deployment", "shop", "web").unwrap();   // an object as JSON
//! ```
//!
//! Every cluster is in a network namespace of its own, in which nothing else can be reached: tests run beside each other,
//! and nothing ever leaves. It ends when the value is dropped or the test is killed. Stand-ins answer webhooks, fill in
//! certificates, bind claims and give load balancers addresses; [`Setup`] chooses among them.

// Each test uses part of it.
#![allow(dead_code)]

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What an audited cluster records: each request once.
const AUDIT: &str =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n";

/// How a cluster is made; `tests/lab/up --help` explains the options.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    /// The API server only: no controllers, no nodes, no stand-ins. Starts in half the time.
    pub(crate) bare: bool,
    /// Simulated nodes; three when not given.
    pub(crate) nodes: Option<usize>,
    /// Stand-ins to leave out: `webhooks`, `certificates`, `claims`, `addresses`.
    pub(crate) without: Vec<&'static str>,
    /// Real programs: an image without its tag, and the program that runs as the containers that have it, by its path or as
    /// `tests/lab/build` calls it.
    pub(crate) programs: Vec<(&'static str, String)>,
    /// Webhook services, as `NAMESPACE/NAME`, that real programs answer with certificates of their own.
    pub(crate) left: Vec<&'static str>,
    /// Further flags of the API server.
    pub(crate) server_flags: Vec<&'static str>,
    /// Record every request: see [`Cluster::requests`].
    pub(crate) audited: bool,
    /// The API server of the oldest supported version; only with `bare`.
    pub(crate) oldest: bool,
}

/// A running control plane.
pub(crate) struct Cluster {
    /// The first process of the namespace; everything in it ends with this one.
    process: Child,
    folder: TempDir,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        // For a look at the logs of a failed test.
        if std::env::var_os("KFC_LAB_KEEP").is_some() {
            self.folder.disable_cleanup(true);
        }
    }
}

impl Cluster {
    /// A whole control plane with all stand-ins.
    pub(crate) fn start() -> Self {
        Self::start_with(&Setup::default())
    }

    /// The control plane that a setup describes. Panics when it cannot be started.
    pub(crate) fn start_with(setup: &Setup) -> Self {
        let folder = tempfile::Builder::new().prefix("kfc-lab-").tempdir().unwrap();
        std::fs::write(folder.path().join("audit.yaml"), AUDIT).unwrap();
        let mut command = Command::new(lab_file("up"));
        command.arg(folder.path()).args(setup.options()).env("KFC_LAB_BIN", setup.programs());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let cluster = Self { process, folder };
        assert!(
            line.starts_with("ready: "),
            "the lab does not start: run .ci/lab, and see {}",
            cluster.path("log").display()
        );
        cluster
    }

    /// The folder of the lab: clients run in it, and find `kubeconfig` and `log/` there.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The kubeconfig of an administrator. It is of use inside the namespace only.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    /// Writes a file into the folder and gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A program inside the namespace of the cluster, with its kubeconfig, without a terminal.
    pub(crate) fn command(&self, program: impl AsRef<Path>, args: &[&str]) -> Command {
        let mut command = Command::new(self.path("enter"));
        command
            .arg(program.as_ref())
            .args(args)
            .env("CI", "true")
            .stdin(Stdio::null())
            .current_dir(self.folder());
        command
    }

    /// kfc inside the namespace.
    pub(crate) fn kfc_command(&self, args: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_kfc"), args)
    }

    /// Runs kfc.
    pub(crate) fn kfc(&self, args: &[&str]) -> Run {
        Run::of(&mut self.kfc_command(args))
    }

    /// Runs kfc on a terminal and types `answers`; what it prints comes as one text.
    pub(crate) fn on_terminal(&self, args: &[&str], answers: &str) -> Run {
        const SCRIPT: &str = "import os, pty, sys\n\
            answers = sys.argv[1].encode()\n\
            def read(fd):\n\
            \x20   global answers\n\
            \x20   data = os.read(fd, 1024)\n\
            \x20   if answers and data.rstrip().endswith(b']') or data.rstrip().endswith(b':'):\n\
            \x20       line, answers = answers.split(b'\\n', 1)\n\
            \x20       os.write(fd, line + b'\\n')\n\
            \x20   return data\n\
            sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[2:], read)))\n";
        let mut command = self.command("python3", &["-c", SCRIPT, answers, env!("CARGO_BIN_EXE_kfc")]);
        Run::of(command.args(args).env("NO_COLOR", "1"))
    }

    /// Runs kubectl.
    pub(crate) fn kubectl(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command("kubectl", args))
    }

    /// The requests that a program has sent since the last call, as `patch deployments`; of an audited cluster.
    pub(crate) fn requests(&self, program: &str) -> Vec<String> {
        // The server writes its log before it answers the last request, but into a buffer of the system.
        let path = self.path("audit.log");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let seen = self.path("audit.seen");
        let skip = std::fs::read_to_string(&seen).ok().and_then(|count| count.parse().ok()).unwrap_or(0);
        std::fs::write(&seen, text.len().to_string()).unwrap();
        let events = text[skip..].lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let sent =
            events.filter(|event| event["userAgent"].as_str().unwrap_or_default().starts_with(program));
        sent.map(|event| {
            let resource = event["objectRef"]["resource"].as_str().or(event["requestURI"].as_str());
            format!("{} {}", event["verb"].as_str().unwrap(), resource.unwrap())
        })
        .collect()
    }

    /// Creates or changes objects from YAML text, as kubectl's server-side apply does.
    pub(crate) fn apply(&self, text: &str) {
        let file = tempfile::NamedTempFile::with_suffix_in(".yaml", self.folder()).unwrap();
        std::fs::write(file.path(), text).unwrap();
        self.kubectl(&["apply", "--server-side", "-f", file.path().to_str().unwrap()]).succeeds();
    }

    /// Installs definitions of the kinds that OpenShift and Multus bring.
    pub(crate) fn define_platform_kinds(&self) {
        let file = lab_file("../../crates/kfc-validate/schemas/foreign.yaml");
        self.kubectl(&["apply", "--server-side", "-f", file.to_str().unwrap()]).succeeds();
        self.kubectl(&["wait", "--for=condition=Established", "-f", file.to_str().unwrap()]).succeeds();
    }

    /// An object, or none; the namespace of one that lives in none is empty.
    pub(crate) fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let mut args = vec!["get", kind, name, "--ignore-not-found", "--output=json"];
        if !namespace.is_empty() {
            args.extend(["--namespace", namespace]);
        }
        let (out, _) = self.kubectl(&args).succeeds();
        (!out.trim().is_empty()).then(|| serde_json::from_str(&out).unwrap())
    }

    /// All objects of a kind in all namespaces.
    pub(crate) fn list(&self, kind: &str) -> Vec<Value> {
        let (out, _) = self.kubectl(&["get", kind, "--all-namespaces", "--output=json"]).succeeds();
        let list: Value = serde_json::from_str(&out).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// Waits until something holds; panics with `what` when it does not within some seconds.
    #[track_caller]
    #[expect(clippy::unused_self, reason = "the cluster is what is waited for")]
    pub(crate) fn wait(&self, what: &str, seconds: u64, mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(seconds);
        while !holds() {
            assert!(Instant::now() < end, "after {seconds} seconds: {what} is not so");
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

impl Setup {
    /// The folder with the programs of the control plane.
    fn programs(&self) -> PathBuf {
        if self.oldest { programs().join("oldest") } else { programs() }
    }

    fn options(&self) -> Vec<String> {
        let mut options = vec!["--until-closed".to_owned()];
        options.extend(self.bare.then(|| "--bare".to_owned()));
        options.extend(self.programs.iter().map(|(image, program)| format!("--run={image}={program}")));
        options.extend(self.nodes.map(|nodes| format!("--nodes={nodes}")));
        options.push(format!("--without={}", self.without.join(",")));
        options.push(format!("--leave={}", self.left.join(",")));
        if self.audited {
            options.push("--api-server=--audit-policy-file=audit.yaml".to_owned());
            options.push("--api-server=--audit-log-path=audit.log".to_owned());
        }
        options.extend(self.server_flags.iter().map(|flag| format!("--api-server={flag}")));
        options
    }
}

/// What a program did.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// Standard output and standard error of a run that ended with 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> (String, String) {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        (self.out, self.err)
    }

    /// Standard output and standard error of a run that ended with 1.
    #[track_caller]
    pub(crate) fn fails(self) -> (String, String) {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        (self.out, self.err)
    }
}

/// A file of the lab in the repository.
pub(crate) fn lab_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab").join(name)
}

/// The folder with the programs that `tests/lab/build` makes.
pub(crate) fn programs() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab/bin");
    std::env::var_os("KFC_LAB_BIN").map_or_else(default, PathBuf::from)
}
