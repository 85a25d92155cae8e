//! Starts the stand-in for an API server in `tests/apiserver`, which runs on this machine for the time of a test, and what
//! tests against it have in common. Needs python3; says that a test is skipped where there is none.

#![allow(dead_code, reason = "each program that has it uses part of it")]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    pub(crate) folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Server {
    /// Starts a server with these settings; `None` when there is no python3.
    pub(crate) fn start(settings: &Value) -> Option<Self> {
        Self::start_with(settings, &[])
    }

    /// As [`Self::start`], with further arguments.
    pub(crate) fn start_with(settings: &Value, more: &[&str]) -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apiserver/server.py");
        let settings = settings.to_string();
        let started = Command::new("python3")
            .arg("-B")
            .arg(program)
            .args(["--settings", &settings])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut process) = started else {
            eprintln!("skipped: there is no python3");
            return None;
        };
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the stand-in tells its port");
        let folder = tempfile::tempdir().unwrap();
        let server = Self { process, port, folder };
        server.write_kubeconfig(&json!({"server": format!("http://127.0.0.1:{port}")}), &json!({}));
        Some(server)
    }

    pub(crate) fn write_kubeconfig(&self, cluster: &Value, user: &Value) {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "t",
            "clusters": [{"name": "t", "cluster": cluster}],
            "users": [{"name": "t", "user": user}],
            "contexts": [{"name": "t", "context": {"cluster": "t", "user": "t"}}],
        });
        std::fs::write(self.kubeconfig(), config.to_string()).unwrap();
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
        command.args(args);
        if matches!(args.first(), Some(&("apply" | "delete"))) {
            command.args(["--qps", "0"]);
        }
        command.env("KUBECONFIG", self.kubeconfig()).env("CI", "true").stdin(Stdio::null());
        command.current_dir(self.folder.path());
        command
    }

    pub(crate) fn kfc(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Applies YAML text under a name.
    pub(crate) fn apply(&self, text: &str, more: &[&str]) -> Output {
        let file = self.folder.path().join("bundle.yaml");
        std::fs::write(&file, text).unwrap();
        let mut args = vec!["apply", "bundle.yaml", "--name", "test"];
        if !more.contains(&"--timeout") {
            args.extend(["--timeout", "20s"]);
        }
        args.extend(more);
        self.kfc(&args)
    }

    pub(crate) fn request(&self, method: &str, path: &str, kind: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n");
        let head = format!("{head}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.request("GET", path, "application/json", "")
    }

    /// All objects with their resource versions, without what controllers make.
    pub(crate) fn objects(&self) -> BTreeMap<String, String> {
        let answer = self.get("/_test/objects");
        let all: BTreeMap<String, String> = serde_json::from_value(answer["done"].clone()).unwrap();
        let made = ["/pods/", "/events/", "endpointslices/"];
        all.into_iter().filter(|(name, _)| !made.iter().any(|part| name.contains(part))).collect()
    }

    /// As somebody else who changes fields.
    pub(crate) fn edit(&self, path: &str, patch: &Value) {
        let path = format!("{path}?fieldManager=kubectl-edit");
        let answer = self.request("PATCH", &path, "application/merge-patch+json", &patch.to_string());
        assert_ne!(answer["kind"], "Status", "{answer}");
    }
}

pub(crate) fn said(output: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[track_caller]
pub(crate) fn succeeds(output: &Output) -> (String, String) {
    let (out, err) = said(output);
    assert!(output.status.success(), "{out}\n{err}");
    (out, err)
}

#[track_caller]
pub(crate) fn fails(output: &Output) -> String {
    let (out, err) = said(output);
    assert_eq!(output.status.code(), Some(1), "{out}\n{err}");
    assert!(out.is_empty(), "standard output has to stay empty: {out}");
    err
}

pub(crate) fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: app}}\ndata: {{key: {value}}}\n---\n"
    )
}

pub(crate) const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: app}\n---\n";
pub(crate) const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk, namespace: app}\n\
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n---\n";

pub(crate) fn deployment(image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: app}}\nspec:\n  replicas: 1\n  \
         selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      \
         containers:\n      - {{name: web, image: '{image}'}}\n---\n"
    )
}

/// What an inventory lists, as kind, namespace and name.
pub(crate) fn inventory(server: &Server, name: &str) -> Vec<(String, String, String)> {
    let answer = server
        .get(&format!("/api/v1/namespaces/default/configmaps?labelSelector=kfc.dev%2Finventory%3D{name}"));
    let items = answer["items"].as_array().unwrap().clone();
    let texts =
        items.iter().map(|item| item["data"]["objects"].as_str().unwrap().to_owned()).collect::<String>();
    let line = |line: &str| {
        let parts: Vec<&str> = line.split(' ').collect();
        let namespace = if parts[3] == "-" { "" } else { parts[3] };
        (parts[2].to_lowercase(), namespace.to_owned(), parts[4].to_owned())
    };
    texts.lines().map(line).collect()
}

pub(crate) fn is_known(name: &str, inventory: &[(String, String, String)]) -> bool {
    let mut parts = name.splitn(4, '/');
    let (_, plural, namespace, name) =
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    // What a cluster puts into every namespace, and our own list.
    if name == "kube-root-ca.crt"
        || (plural == "serviceaccounts" && name == "default")
        || name.starts_with("kfc-inventory-")
        || name.starts_with("kfc-history-")
    {
        return true;
    }
    let singular = |kind: &str| plural.starts_with(&kind[..kind.len() - 1]);
    inventory.iter().any(|(kind, space, known)| known == name && space == namespace && singular(kind))
}
