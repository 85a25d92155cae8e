//! The program that gives the namespace of every profile what pipelines need in it (`sync.py` of pipelines), run as
//! metacontroller runs it, with a stand-in for the object store's interface.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(missing_docs, reason = "a program, not a library")]

mod setting;

use kfc_catalogue::catalogue::Stack;
use kfc_yaml::value::to_json;
use serde_json::{Value, json};
use setting::setting;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Writes down the calls, and makes a key per user.
const STORE: &str = r#"
import json, os
class Client:
    def __init__(self, service, endpoint):
        self.service, self.endpoint = service, endpoint
    def __getattr__(self, name):
        def call(**arguments):
            if name == "create_access_key" and arguments["UserName"] == "refused":
                raise ValueError("the store refuses it")
            with open(os.environ["CALLS"], "a") as calls:
                calls.write(json.dumps([self.service, self.endpoint, name, arguments]) + "\n")
            user = arguments.get("UserName")
            return {"AccessKey": {"AccessKeyId": f"key-{user}", "SecretAccessKey": f"secret-{user}"}}
        return call
class Session:
    def create_client(self, service, region_name, endpoint_url):
        return Client(service, endpoint_url)
def get_session():
    return Session()
"#;

/// The running program; it ends with the test.
struct Hook {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Hook {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn program() -> String {
    let setting = setting();
    let resources = setting.resources(&Stack::of_profile("onprem").with_components(["pipelines"]));
    let code =
        resources.iter().find(|one| one.name() == "kubeflow-pipelines-profile-controller-code").unwrap();
    to_json(&code.node)["data"]["sync.py"].as_str().unwrap().to_owned()
}

impl Hook {
    fn start(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("botocore")).unwrap();
        std::fs::write(path("botocore/__init__.py"), "").unwrap();
        std::fs::write(path("botocore/session.py"), STORE).unwrap();
        std::fs::write(path("sync.py"), program()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("python3");
        command.arg(path("sync.py")).env("CALLS", path("calls")).env("CONTROLLER_PORT", port.to_string());
        command.stderr(Stdio::null()).env("PYTHONPATH", folder.path());
        for (name, value) in [
            ("KFP_VERSION", "2.16.0"),
            ("BUCKET", "ml"),
            ("OBJECT_STORE", "object-store.kubeflow:9000"),
            ("OBJECT_STORE_SECURE", "false"),
            ("OBJECT_STORE_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", "http://seaweedfs.kubeflow:8111"),
            ("AWS_ACCESS_KEY_ID", "administrator"),
            ("AWS_SECRET_ACCESS_KEY", "of-the-administrator"),
        ] {
            command.env(name, value);
        }
        command.envs(variables.iter().copied());
        Self { child: command.spawn().unwrap(), port, folder }
    }

    /// The status and the answer for a namespace with these attachments.
    fn ask(&self, namespace: &str, attachments: &Value) -> (u16, Value) {
        let request =
            json!({"object": {"metadata": {"name": namespace}}, "attachments": attachments}).to_string();
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut stream = loop {
            match TcpStream::connect(("127.0.0.1", self.port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            std::thread::yield_now();
        };
        let head = format!("POST /sync HTTP/1.0\r\ncontent-length: {}\r\n\r\n", request.len());
        stream.write_all((head + &request).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    fn calls(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn named<'a>(answer: &'a Value, kind: &str, name: &str) -> &'a Value {
    let attachments = answer["attachments"].as_array().unwrap();
    attachments.iter().find(|one| one["kind"] == kind && one["metadata"]["name"] == name).unwrap()
}

fn plain(secret: &Value, key: &str) -> String {
    use base64::Engine as _;
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(secret["data"][key].as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn has_python() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join("python3").is_file())
}

#[test]
fn every_namespace_gets_a_key_of_its_own_that_reaches_no_other() {
    assert!(has_python(), "this test needs python3");
    let hook = Hook::start(&[]);
    for namespace in ["team-a", "team-b"] {
        let (status, answer) = hook.ask(namespace, &json!({}));
        assert_eq!(status, 200);
        let secret = named(&answer, "Secret", "mlpipeline-minio-artifact");
        assert_eq!(plain(secret, "accesskey"), format!("key-{namespace}"));
        assert_eq!(plain(secret, "secretkey"), format!("secret-{namespace}"));
        let kinds: Vec<&str> = answer["attachments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["kind"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["Secret", "ConfigMap", "ConfigMap", "ConfigMap"], "no pods per namespace");
        let repository =
            named(&answer, "ConfigMap", "artifact-repositories")["data"]["default-namespaced"].as_str();
        let repository: Value = serde_json::from_str(repository.unwrap()).unwrap();
        assert_eq!(
            repository["s3"]["keyFormat"],
            format!(
                "private-artifacts/{namespace}/{{{{workflow.name}}}}/{{{{workflow.creationTimestamp.Y}}}}/\
                 {{{{workflow.creationTimestamp.m}}}}/{{{{workflow.creationTimestamp.d}}}}/{{{{pod.name}}}}"
            )
        );
    }
    let policies: Vec<Value> = hook.calls().into_iter().filter(|call| call[2] == "put_user_policy").collect();
    assert_eq!(policies.len(), 2);
    let document: Value = serde_json::from_str(policies[0][3]["PolicyDocument"].as_str().unwrap()).unwrap();
    let resources = document["Statement"][0]["Resource"].as_array().unwrap();
    let reached: Vec<&str> = resources.iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(
        reached,
        [
            "arn:aws:s3:::ml/artifacts/*",
            "arn:aws:s3:::ml/private-artifacts/team-a/*",
            "arn:aws:s3:::ml/private/team-a/*",
            "arn:aws:s3:::ml/shared/*"
        ]
    );
}

#[test]
fn a_key_is_kept_unless_it_is_that_of_the_administrator() {
    assert!(has_python(), "this test needs python3");
    let hook = Hook::start(&[]);
    let present = |access: &str| {
        use base64::Engine as _;
        let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        json!({"Secret.v1": {"team/mlpipeline-minio-artifact": {
            "data": {"accesskey": encoded(access), "secretkey": encoded("kept")}}}})
    };
    let (_, answer) = hook.ask("team", &present("of-before"));
    let secret = named(&answer, "Secret", "mlpipeline-minio-artifact");
    assert_eq!(
        (plain(secret, "accesskey").as_str(), plain(secret, "secretkey").as_str()),
        ("of-before", "kept")
    );
    assert_eq!(hook.calls(), [] as [Value; 0]);
    let (_, answer) = hook.ask("team", &present("administrator"));
    assert_eq!(plain(named(&answer, "Secret", "mlpipeline-minio-artifact"), "accesskey"), "key-team");
}

#[test]
fn a_store_that_refuses_changes_nothing() {
    assert!(has_python(), "this test needs python3");
    let hook = Hook::start(&[]);
    assert_eq!(hook.ask("refused", &json!({})), (500, json!({})));
}

#[test]
fn stores_without_keys_for_namespaces_share_theirs_and_keep_their_own_rules() {
    assert!(has_python(), "this test needs python3");
    let hook = Hook::start(&[("AWS_ENDPOINT_URL", ""), ("ARTIFACT_RETENTION_DAYS", "7")]);
    let (_, answer) = hook.ask("team", &json!({}));
    assert_eq!(plain(named(&answer, "Secret", "mlpipeline-minio-artifact"), "accesskey"), "administrator");
    assert_eq!(hook.calls(), [] as [Value; 0]);
}

#[test]
fn artifacts_are_deleted_after_the_days_that_are_set() {
    assert!(has_python(), "this test needs python3");
    let hook = Hook::start(&[("ARTIFACT_RETENTION_DAYS", "30"), ("ARTIFACTS_PROXY_ENABLED", "true")]);
    let (_, answer) = hook.ask("team", &json!({}));
    assert_eq!(
        named(&answer, "Deployment", "ml-pipeline-ui-artifact")["spec"]["selector"]["matchLabels"]["app"],
        "ml-pipeline-ui-artifact"
    );
    let calls = hook.calls();
    assert_eq!((&calls[0][0], &calls[0][2]), (&json!("s3"), &json!("put_bucket_lifecycle_configuration")));
    let rule = &calls[0][3]["LifecycleConfiguration"]["Rules"][0];
    assert_eq!(
        (&rule["Filter"]["Prefix"], &rule["Expiration"]["Days"]),
        (&json!("private-artifacts"), &json!(30))
    );
    let hook = Hook::start(&[("ARTIFACT_RETENTION_DAYS", "-1")]);
    hook.ask("team", &json!({}));
    assert_eq!(hook.calls()[0][2], "delete_bucket_lifecycle");
}
