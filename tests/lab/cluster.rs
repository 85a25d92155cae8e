//! A Kubernetes control plane for the time of a test.
//!
//! ```text
//! let cluster = Cluster::start();                                // etcd, API server, controllers, three simulated nodes
//! cluster.kfc(&["apply", "minikube"]).succeeds();                // what it printed, as `(out, err)`
//! let web = cluster.get("deployment", "shop", "web").unwrap();   // an object as JSON
//! ```
//!
//! Every control plane is in a network namespace of its own, in which nothing else can be reached: tests run beside each other,
//! and nothing ever leaves. It ends when the value is dropped or the test is killed. Programs that simulate the rest of a cluster answer
//! webhooks, fill in certificates, bind claims and give load balancers addresses; [`Setup`] chooses among them.
//!
//! Tests that need nothing but a server share one ([`Server`]), each with namespaces and inventories of its own:
//! `Cluster::of(Server::Bare)`. [`Cluster::with_faults`] puts a proxy before the API server.

#![allow(dead_code, reason = "each program that has it uses part of it")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What an audited cluster records: each request once.
const AUDIT: &str =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n";

/// How a cluster is made; `tests/lab/up --help` explains the options.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    /// The API server only: no controllers, no nodes, nothing simulated. Starts in half the time.
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

/// A control plane that tests share. It starts with the first of them and ends with the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// The API server only: what it deletes in the foreground stays, and so do namespaces.
    Bare,
    /// With the controllers, without nodes: deleted objects go.
    Controlled,
    /// The API server of the oldest supported version, only. It waits for no controllers to collect garbage, so that what it deletes
    /// goes, but for namespaces.
    Oldest,
}

impl Server {
    /// A control plane of this kind, as a test has it that cannot share.
    pub(crate) fn setup(self) -> Setup {
        match self {
            Self::Bare => Setup { bare: true, ..Setup::default() },
            Self::Controlled => Setup { nodes: Some(0), ..Setup::default() },
            Self::Oldest => {
                let server_flags = vec!["--enable-garbage-collector=false"];
                Setup { bare: true, oldest: true, server_flags, ..Setup::default() }
            }
        }
    }
}

/// A test for each of these functions of the module, against this server; in `.ci/full` the same against the API server of the
/// oldest supported version. The functions are given the server.
macro_rules! on_each_server {
    ($newest:ident: $($test:ident)*) => {
        mod newest {
            $(
                #[test]
                #[ignore = "needs the lab: .ci/lab"]
                fn $test() {
                    super::$test(crate::cluster::Server::$newest);
                }
            )*
        }

        mod full {
            $(
                #[test]
                #[ignore = "needs the lab: .ci/full"]
                fn $test() {
                    super::$test(crate::cluster::Server::Oldest);
                }
            )*
        }
    };
}
pub(crate) use on_each_server;

/// The programs of a running control plane.
struct Plane {
    /// The first process of the namespace; everything in it ends with this one.
    process: Child,
    folder: PathBuf,
    is_ready: bool,
}

impl Drop for Plane {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
        // What programs of pods wrote to the very end is still there.
        if self.is_ready && std::env::var_os("KFC_LAB_KEEP").is_none() {
            drop(std::fs::remove_dir_all(&self.folder));
        }
    }
}

impl Plane {
    /// Panics when it cannot be started.
    fn start(setup: &Setup) -> Self {
        let folder = tempfile::Builder::new().prefix("kfc-lab-").tempdir().unwrap();
        std::fs::write(folder.path().join("audit.yaml"), AUDIT).unwrap();
        let mut command = Command::new(lab_file("up"));
        command.arg(folder.path()).args(setup.options()).env("KFC_LAB_BIN", setup.programs());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // From here on the folder is the control plane's, which may outlive every value of a test.
        let plane = Self { process, folder: folder.keep(), is_ready: line.starts_with("ready: ") };
        assert!(
            plane.is_ready,
            "the lab does not start: run .ci/lab, and see {}",
            plane.folder.join("log").display()
        );
        plane
    }
}

/// A control plane as one test uses it.
pub(crate) struct Cluster {
    plane: Arc<Plane>,
    /// Where clients of a shared control plane run, with a kubeconfig of their own.
    own: Option<TempDir>,
}

impl Cluster {
    /// A whole control plane with everything that is simulated.
    pub(crate) fn start() -> Self {
        Self::start_with(&Setup::default())
    }

    /// The control plane that a setup describes. Panics when it cannot be started.
    pub(crate) fn start_with(setup: &Setup) -> Self {
        Self { plane: Arc::new(Plane::start(setup)), own: None }
    }

    /// A shared control plane.
    pub(crate) fn of(server: Server) -> Self {
        static PLANES: [OnceLock<Arc<Plane>>; 3] = [const { OnceLock::new() }; 3];
        let plane = PLANES[server as usize].get_or_init(|| Arc::new(Plane::start(&server.setup())));
        let own = tempfile::Builder::new().prefix("kfc-client-").tempdir().unwrap();
        std::fs::copy(plane.folder.join("kubeconfig"), own.path().join("kubeconfig")).unwrap();
        Self { plane: Arc::clone(plane), own: Some(own) }
    }

    /// Kills the API server and starts it again after some seconds; returns at once.
    pub(crate) fn restart_server(&self, seconds: u32) {
        let mut input = self.plane.process.stdin.as_ref().unwrap();
        writeln!(input, "{seconds}").unwrap();
    }

    /// The folder of the control plane, with its certificates and logs.
    pub(crate) fn plane(&self) -> &Path {
        &self.plane.folder
    }

    /// The folder in which clients run, with their `kubeconfig`: that of the control plane, unless it is shared.
    pub(crate) fn folder(&self) -> &Path {
        self.own.as_ref().map_or(self.plane(), TempDir::path)
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
        let mut command = Command::new(self.plane().join("enter"));
        command
            .arg(program.as_ref())
            .args(args)
            .env("LAB_KUBECONFIG", self.kubeconfig())
            .env("CI", "true")
            .stdin(Stdio::null())
            .current_dir(self.folder());
        command
    }

    /// kfc inside the namespace.
    pub(crate) fn kfc_command(&self, args: &[&str]) -> Command {
        self.command(kfc(), args)
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
        let kfc = kfc();
        let mut command = self.command("python3", &["-c", SCRIPT, answers, kfc.to_str().unwrap()]);
        Run::of(command.args(args).env("NO_COLOR", "1"))
    }

    /// The same cluster behind a proxy with these faults: see `trouble.py`.
    pub(crate) fn with_faults(&self, faults: &Value) -> Troubled<'_> {
        Troubled::start(self, faults)
    }

    /// Lets clients of this control plane reach another, which is in a network of its own, with a context for it.
    pub(crate) fn reach(&self, other: &Cluster, context: &str) -> Link {
        let (socket, port) = (other.plane().join(context), "26443");
        let socket = socket.to_str().unwrap();
        let link = Link([other.relay(socket, "16443"), self.relay(port, socket)]);
        let pki = |name: &str| other.plane().join("pki").join(name).display().to_string();
        let name = |flag: &str, value: &str| format!("--{flag}={value}");
        let server = name("server", &format!("https://127.0.0.1:{port}"));
        let authority = name("certificate-authority", &pki("ca.crt"));
        self.kubectl(&["config", "set-cluster", context, &server, &authority]).succeeds();
        let (certificate, key) =
            (name("client-certificate", &pki("admin.crt")), name("client-key", &pki("admin.key")));
        self.kubectl(&["config", "set-credentials", context, &certificate, &key]).succeeds();
        let (cluster, user) = (name("cluster", context), name("user", context));
        self.kubectl(&["config", "set-context", context, &cluster, &user]).succeeds();
        link
    }

    /// Passes connections on, from and to a port in the namespace or a socket.
    fn relay(&self, from: &str, to: &str) -> Child {
        let program = lab_file("relay.py");
        let mut command = self.command("python3", &["-B", program.to_str().unwrap(), from, to]);
        let mut relay = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(relay.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        relay
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

    /// What the authorizer of an audited cluster has denied a ServiceAccount (`NAMESPACE:NAME`): verbs and paths.
    pub(crate) fn denials(&self, account: &str) -> BTreeSet<String> {
        let text = std::fs::read_to_string(self.plane().join("audit.log")).unwrap();
        let user = format!("system:serviceaccount:{account}");
        // The server may be writing the last line.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let events = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        let denied = events.filter(|event| {
            event["user"]["username"] == user
                && event["annotations"]["authorization.k8s.io/decision"] == "forbid"
        });
        denied.map(|event| format!("{} {}", event["verb"], event["requestURI"])).collect()
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

    /// Signs a service account in, and gives the context of the kubeconfig that uses its token.
    pub(crate) fn sign_in(&self, namespace: &str, account: &str) -> String {
        let context = format!("{namespace}-{account}");
        let token = self.kubectl(&["create", "token", account, "--namespace", namespace]).succeeds().0;
        let token = format!("--token={}", token.trim());
        self.kubectl(&["config", "set-credentials", &context, &token]).succeeds();
        let user = format!("--user={context}");
        let space = format!("--namespace={namespace}");
        self.kubectl(&["config", "set-context", &context, "--cluster=lab", &user, &space]).succeeds();
        context
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

    /// The identity of each object of some kinds, by `KIND NAMESPACE/NAME`.
    pub(crate) fn identities(&self, kinds: &str) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entry = |object: &Value| {
            let metadata = &object["metadata"];
            let place = format!("{}/{}", text(&metadata["namespace"]), text(&metadata["name"]));
            (format!("{} {place}", text(&object["kind"])), text(&metadata["uid"]))
        };
        self.list(kinds).iter().map(entry).collect()
    }

    /// All objects but those that programs of the cluster make for others or about themselves, as `KIND NAMESPACE/NAME`.
    pub(crate) fn objects(&self) -> BTreeSet<String> {
        let (kinds, _) = self.kubectl(&["api-resources", "--verbs=list", "--output=name"]).succeeds();
        let made = |kind: &&str| {
            // Nothing in a lab deletes the volumes of claims that are gone.
            let noted = ["events", "endpointslices", "leases", "persistentvolumes"];
            !noted.contains(&kind.split('.').next().unwrap()) && !kind.ends_with("metrics.k8s.io")
        };
        let kinds: Vec<&str> = kinds.lines().filter(made).collect();
        let all = self.list(&kinds.join(","));
        let own = all.iter().filter(|object| object["metadata"]["ownerReferences"].is_null());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        own.map(|object| {
            let meta = &object["metadata"];
            format!("{} {}/{}", text(&object["kind"]), text(&meta["namespace"]), text(&meta["name"]))
        })
        .collect()
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

/// The way from one control plane to another, as long as the value lives.
pub(crate) struct Link([Child; 2]);

impl Drop for Link {
    fn drop(&mut self) {
        for relay in &mut self.0 {
            drop(relay.kill());
            drop(relay.wait());
        }
    }
}

/// A cluster behind a proxy that makes faults.
pub(crate) struct Troubled<'c> {
    cluster: &'c Cluster,
    proxy: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    config: tempfile::NamedTempFile,
}

impl Drop for Troubled<'_> {
    fn drop(&mut self) {
        drop(self.proxy.kill());
        drop(self.proxy.wait());
    }
}

impl<'c> Troubled<'c> {
    fn start(cluster: &'c Cluster, faults: &Value) -> Self {
        let (program, plane) = (lab_file("trouble.py"), cluster.plane().to_str().unwrap());
        let mut command = cluster.command("python3", &["-B", program.to_str().unwrap(), plane]);
        let mut proxy = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (proxy.stdin.take().unwrap(), proxy.stdout.take().unwrap());
        let mut output = BufReader::new(output);
        let mut port = String::new();
        output.read_line(&mut port).unwrap();
        let server = format!("https://127.0.0.1:{}", port.trim());
        let mut config: Value =
            serde_json::from_str(&std::fs::read_to_string(cluster.plane().join("kubeconfig")).unwrap())
                .unwrap();
        config["clusters"][0]["cluster"]["server"] = server.into();
        let file = tempfile::NamedTempFile::new_in(cluster.folder()).unwrap();
        std::fs::write(file.path(), config.to_string()).unwrap();
        let mut troubled = Self { cluster, proxy, input, output, config: file };
        troubled.change(faults);
        troubled
    }

    /// The kubeconfig of an administrator through the proxy.
    pub(crate) fn kubeconfig(&self) -> &Path {
        self.config.path()
    }

    /// Replaces the faults.
    pub(crate) fn change(&mut self, faults: &Value) {
        self.ask(faults);
    }

    /// The faults that have not happened as often as they say.
    pub(crate) fn left(&mut self) -> Vec<Value> {
        self.ask(&Value::Null)["left"].as_array().unwrap().clone()
    }

    /// How many requests there were at once, at most.
    pub(crate) fn peak(&mut self) -> u64 {
        self.ask(&Value::Null)["peak"].as_u64().unwrap()
    }

    fn ask(&mut self, faults: &Value) -> Value {
        writeln!(self.input, "{faults}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// kfc inside the namespace, through the proxy.
    pub(crate) fn kfc_command(&self, args: &[&str]) -> Command {
        let mut command = self.cluster.kfc_command(args);
        command.env("LAB_KUBECONFIG", self.kubeconfig());
        command
    }

    /// Runs kfc through the proxy.
    pub(crate) fn kfc(&self, args: &[&str]) -> Run {
        Run::of(&mut self.kfc_command(args))
    }
}

impl Setup {
    /// The folder with the programs of the control plane.
    fn programs(&self) -> PathBuf {
        if self.oldest { programs().join("oldest") } else { programs() }
    }

    fn options(&self) -> Vec<String> {
        let mut options = vec!["--until-closed".to_owned()];
        // For a look at the logs of a failed test.
        options.extend(std::env::var_os("KFC_LAB_KEEP").is_none().then(|| "--remove".to_owned()));
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

impl From<Output> for Run {
    fn from(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: status.code(), out: text(stdout), err: text(stderr) }
    }
}

impl Run {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().unwrap().into()
    }

    /// Standard output and standard error of a run that ended with 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> (String, String) {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        (self.out, self.err)
    }

    /// Standard error of a run that ended with 1 and printed nothing else.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        let (out, err) = self.fails();
        assert!(out.is_empty(), "standard output has to stay empty: {out}");
        err
    }

    /// Standard output and standard error of a run that ended with 1.
    #[track_caller]
    pub(crate) fn fails(self) -> (String, String) {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        (self.out, self.err)
    }
}

/// The program under test: that of this build, or the one that `$KFC_LAB_PROGRAM` names, such as the one that is shipped.
pub(crate) fn kfc() -> PathBuf {
    std::env::var_os("KFC_LAB_PROGRAM")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_kfc")), PathBuf::from)
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
