//! Runs against a cluster that meet trouble: signals, broken connections, servers that are busy, many objects, TLS and
//! sign-in. The server is the stand-in in `tests/apiserver`; tests are skipped where there is no python3.

use super::standin::{NAMESPACE, Server, config_map, deployment, fails, inventory, is_known, succeeds};
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn config_maps(count: usize) -> String {
    let maps: String = (0..count).map(|at| config_map(&format!("m{at:05}"), "1")).collect();
    format!("{NAMESPACE}{maps}")
}

fn count(server: &Server) -> usize {
    server.objects().keys().filter(|name| name.starts_with("/configmaps/app/m")).count()
}

fn input(server: &Server, args: &[&str], text: &str) -> Output {
    let mut command = server.command(args);
    let mut run =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    run.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    run.wait_with_output().unwrap()
}

/// Sends a signal to a run as soon as the cluster has some of its objects, and gives what it said.
fn stop(server: &Server, args: &[&str], signal: &str, is_time: impl Fn(usize) -> bool) -> Output {
    let mut command = server.command(args);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while !is_time(count(server)) {
        assert!(started.elapsed() < Duration::from_secs(60), "the run does not get on");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = run.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    run.wait_with_output().unwrap()
}

#[test]
fn a_signal_in_the_middle_of_a_wave_loses_nothing() {
    let Some(server) = Server::start(&json!({"latency": 0.02})) else { return };
    let before: Vec<String> = server.objects().into_keys().collect();
    std::fs::write(server.folder.path().join("bundle.yaml"), config_maps(300)).unwrap();
    let apply = ["apply", "bundle.yaml", "--name", "test", "--concurrency", "4"];
    for (signal, word, from) in [("-INT", "an interrupt", 30), ("-TERM", "a request to terminate", 120)] {
        let stopped = stop(&server, &apply, signal, |there| there >= from);
        let err = fails(&stopped);
        assert!(err.contains(&format!("error[KFC1608]: stopped by {word}")), "{err}");
        assert!((from..300).contains(&count(&server)), "{}", count(&server));
        let listed = inventory(&server, "test");
        let objects = server.objects();
        let unknown = objects.keys().filter(|name| !before.contains(name) && !is_known(name, &listed));
        assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&String>::new());
    }
    let there = count(&server);
    let (out, _) = succeeds(&server.kfc(&apply));
    assert_eq!(out.lines().filter(|line| line.starts_with("created ")).count(), 300 - there, "{out}");
    assert_eq!(succeeds(&server.kfc(&apply)).0, "");
    let delete = ["delete", "--name", "test", "--yes", "--delete-all", "--concurrency", "4"];
    let err = fails(&stop(&server, &delete, "-INT", |there| there < 250));
    assert!(err.contains("KFC1608"), "{err}");
    succeeds(&server.kfc(&delete));
    assert_eq!(server.objects().into_keys().collect::<Vec<_>>(), before);
}

#[test]
fn thousands_of_objects_go_in_parallel_but_not_all_at_once() {
    const MANY: usize = 3000;
    let Some(server) = Server::start(&json!({})) else { return };
    std::fs::write(server.folder.path().join("bundle.yaml"), config_maps(MANY)).unwrap();
    let apply = ["apply", "bundle.yaml", "--name", "test"];
    let (out, _) = succeeds(&server.kfc(&apply));
    assert_eq!((out.lines().count(), count(&server)), (MANY + 1, MANY));
    assert_eq!(inventory(&server, "test").len(), MANY + 1);
    let peak = server.get("/_test/peak")["done"].as_u64().unwrap();
    // One more may be that which renews the lock.
    assert!((2..=17).contains(&peak), "{peak} requests at once");
    assert_eq!(succeeds(&server.kfc(&apply)).0, "");
    let (out, _) = succeeds(&server.kfc(&["delete", "--name", "test", "--yes", "--delete-all"]));
    assert_eq!(out.lines().count(), MANY + 1);
    assert_eq!(count(&server), 0);
}

#[test]
fn busy_servers_and_lost_answers_are_got_over() {
    let faults = json!([
        {"method": "PATCH", "path": "/configmaps/m", "status": 429, "times": 30, "retryAfter": 1},
        {"method": "PATCH", "path": "/configmaps/m", "status": 0, "times": 30},
        {"method": "PATCH", "path": "/configmaps/m", "late": true, "times": 30},
        {"method": "POST", "path": "/configmaps$", "late": true, "times": 1},
        {"method": "PUT", "path": "/configmaps/kfc-inventory", "late": true, "times": 1},
        {"method": "DELETE", "path": "/configmaps/", "late": true, "times": 20},
        {"method": "GET", "path": "/apis", "status": 0, "times": 2},
    ]);
    let Some(server) = Server::start(&json!({"faults": faults})) else { return };
    let (out, _) = succeeds(&server.apply(&config_maps(60), &[]));
    assert_eq!(out.lines().count(), 61, "{out}");
    let (out, _) = succeeds(&server.apply(&config_maps(20), &["--prune-most"]));
    assert_eq!(out.lines().filter(|line| line.starts_with("pruned ")).count(), 40, "{out}");
    assert_eq!(inventory(&server, "test").len(), 21);
    let left = server.get("/_test/settings")["done"]["faults"].clone();
    let left: Vec<&Value> = left.as_array().unwrap().iter().filter(|fault| fault["times"] != 0).collect();
    assert!(left.is_empty(), "faults that nobody met: {left:?}");
}

#[test]
fn files_and_standard_input_are_deleted_and_taken_out_of_inventories() {
    let Some(server) = Server::start(&json!({})) else { return };
    let before: Vec<String> = server.objects().into_keys().collect();
    let all = [NAMESPACE, &config_map("a", "1"), &config_map("b", "1"), &deployment("web:1")].concat();
    succeeds(&server.apply(&all, &[]));
    let path = |name: &str| server.folder.path().join(name);
    std::fs::write(path("some.yaml"), [config_map("a", "1"), config_map("none", "1")].concat()).unwrap();
    // What an inventory lists is not deleted beside it without a word.
    let err = fails(&server.kfc(&["delete", "some.yaml", "--yes"]));
    assert!(err.contains("error[KFC1603]: inventories list 1 object of these"), "{err}");
    assert!(err.contains("the inventory `test` lists ConfigMap app/a") && err.contains("--adopt"), "{err}");
    let err = fails(&server.kfc(&["delete", "some.yaml", "--adopt"]));
    assert!(err.contains("the deletion has to be confirmed") && err.contains("1 ConfigMap"), "{err}");
    let (out, _) = succeeds(&server.kfc(&["delete", "some.yaml", "--adopt", "--dry-run"]));
    assert_eq!(out, "would delete ConfigMap app/a\n");
    let (out, err) = succeeds(&server.kfc(&["delete", "some.yaml", "--adopt", "--yes"]));
    assert_eq!(out, "deleted ConfigMap app/a\n");
    assert!(err.contains("done: 1 deleted, 1 missing"), "{err}");
    assert!(!inventory(&server, "test").iter().any(|(_, _, name)| name == "a"), "the inventory forgets it");
    let (out, _) = succeeds(&input(&server, &["delete", "-", "--yes", "--adopt", "--delete-all"], &all));
    assert_eq!(out.lines().last(), Some("deleted Namespace app"), "{out}");
    assert_eq!(server.objects().into_keys().collect::<Vec<_>>(), before, "the inventory is gone, too");
    // A kustomization root.
    std::fs::write(path("kustomization.yaml"), "resources: [bundle.yaml]\n").unwrap();
    succeeds(&server.kfc(&["apply", ".", "--name", "root"]));
    succeeds(&server.kfc(&["delete", ".", "--yes", "--adopt", "--delete-all"]));
    assert_eq!(server.objects().into_keys().collect::<Vec<_>>(), before);
}

/// A certificate for this machine, signed by an authority of its own: the authority, and a file for the server.
fn certificates(folder: &std::path::Path) -> (String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let own_key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let own = CertificateParams::new(names).unwrap().signed_by(&own_key, &issuer).unwrap();
    let file = folder.join("server.pem");
    std::fs::write(&file, format!("{}{}", own.pem(), own_key.serialize_pem())).unwrap();
    (authority, file.to_str().unwrap().to_owned())
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn tls_trusts_the_authority_of_the_kubeconfig_and_no_other() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (other, _) = certificates(folders[0].path());
    let (own, file) = certificates(folders[1].path());
    let Some(server) = Server::start_with(&json!({}), &["--certificate", &file]) else { return };
    let cluster = |authority: &str| json!({"server": format!("https://127.0.0.1:{}", server.port), "certificate-authority-data": base64(authority)});
    std::fs::write(server.folder.path().join("bundle.yaml"), config_maps(20)).unwrap();
    let apply = ["apply", "bundle.yaml", "--name", "test"];
    server.write_kubeconfig(&cluster(&other), &json!({}));
    let err = fails(&server.kfc(&apply));
    assert!(err.contains("error[KFC1601]") && err.contains("certificate"), "{err}");
    server.write_kubeconfig(&cluster(&own), &json!({}));
    let (out, _) = succeeds(&server.kfc(&apply));
    assert_eq!(out.lines().count(), 21);
    succeeds(&server.kfc(&["delete", "--name", "test", "--yes"]));
}

#[test]
fn plug_ins_sign_in() {
    let Some(server) = Server::start(&json!({"token": "t0ken-planted"})) else { return };
    let cluster = json!({"server": format!("http://127.0.0.1:{}", server.port)});
    let path = |name: &str| server.folder.path().join(name);
    let plug_in = "#!/bin/sh\necho called >> calls\ncat <<END\n{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \"status\": {\"token\": \"$TOKEN\"}}\nEND\n";
    std::fs::write(path("sign-in"), plug_in).unwrap();
    std::fs::set_permissions(path("sign-in"), PermissionsExt::from_mode(0o755)).unwrap();
    let user = |program: &str, token: &str| {
        json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": path(program), "interactiveMode": "Never",
            "env": [{"name": "TOKEN", "value": token}],
        }})
    };
    std::fs::write(path("bundle.yaml"), config_maps(20)).unwrap();
    let apply = ["apply", "bundle.yaml", "--name", "test"];
    server.write_kubeconfig(&cluster, &user("sign-in", "t0ken-planted"));
    let (out, err) = succeeds(&server.kfc(&apply));
    assert_eq!(out.lines().count(), 21);
    assert!(!err.contains("t0ken"), "{err}");
    let calls = std::fs::read_to_string(path("calls")).unwrap().lines().count();
    // The client asks for each part of a sign-in, but not for each of the requests.
    assert!(calls < 10, "the plug-in was called {calls} times for one run");
    server.write_kubeconfig(&cluster, &user("sign-in", "wrong-planted"));
    let err = fails(&server.kfc(&apply));
    assert!(err.contains("refuses access") && !err.contains("planted"), "{err}");
    server.write_kubeconfig(&cluster, &user("not-there", "t0ken-planted"));
    let err = fails(&server.kfc(&apply));
    assert!(err.contains("KFC1601") && err.contains("not-there") && !err.contains("planted"), "{err}");
}

#[test]
fn a_live_cluster_is_detected() {
    let Some(server) = Server::start(&json!({"storageClasses": ["standard"]})) else { return };
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "minikube", "labels": {"minikube.k8s.io/name": "minikube", "kubernetes.io/arch": "amd64"}},
        "status": {"nodeInfo": {"architecture": "amd64", "kubeletVersion": "v1.33.0"}, "capacity": {"cpu": "4"}},
    });
    server.request("POST", "/api/v1/nodes", "application/json", &node.to_string());
    let (out, err) = succeeds(&server.kfc(&["detect"]));
    assert!(out.starts_with("profile: minikube"), "{out}\n{err}");
    let (out, err) = succeeds(&server.kfc(&["build", "--detect", "--components", "mpi-operator"]));
    assert!(err.contains("detected: minikube") && out.contains("mpi-operator"), "{err}");
}
