//! Runs that meet trouble: faults that a proxy before the API server makes, signals, many objects. Also against the API server of
//! the oldest supported version, where nothing is deleted.

use super::cluster::{Run, Server, on_each_server};
use super::space::Space;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

on_each_server! { Bare:
    a_server_in_trouble_is_asked_again
    what_is_refused_is_reported_at_once_with_the_reason
    values_of_secrets_are_never_shown
    what_was_forbidden_does_not_stay_in_the_inventory
    what_the_server_refuses_or_hides_is_not_a_difference
}

/// A fault that happens whenever it can.
fn refusal(method: &str, path: &str, status: u16, message: &str) -> Value {
    json!({"method": method, "path": path, "status": status, "times": 999, "message": message})
}

fn a_server_in_trouble_is_asked_again(server: Server) {
    let space = Space::of(server, "busy");
    let of = |name: &str| format!("^/api/v1/namespaces/busy/configmaps/{name}$");
    let faults = json!([
        {"method": "PATCH", "path": of("a"), "status": 429, "times": 2, "retryAfter": 1},
        {"method": "PATCH", "path": of("b"), "status": 503, "times": 2},
        {"method": "PATCH", "path": of("c"), "cut": true, "times": 2},
        {"method": "PATCH", "path": of("d"), "status": 500, "times": 3},
        {"method": "GET", "path": "/configmaps/d", "status": 500, "times": 0},
        {"method": "GET", "path": "^/apis$", "cut": true, "times": 2},
        {"method": "POST", "path": "/configmaps$", "status": 503, "times": 1},
    ]);
    let maps = ["a", "b", "c", "d"].map(|name| space.map(name, "1")).concat();
    space.cluster.write("busy.yaml", &space.bundle(&[&maps]));
    let mut proxy = space.cluster.with_faults(&faults);
    let (out, _) = proxy.kfc(&["apply", "busy.yaml", "--name", "busy"]).succeeds();
    assert_eq!(out.lines().count(), 5, "{out}");
    assert_eq!(proxy.left(), [Value::Null; 0], "faults that did not happen");
}

fn what_is_refused_is_reported_at_once_with_the_reason(server: Server) {
    let space = Space::of(server, "refused");
    // A policy of the cluster, which only the server knows.
    let policy = "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: refused}, spec: {\
        matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}], \
        namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: refused}}}, \
        validations: [{expression: \"object.metadata.name != 'a'\", reason: Forbidden, message: nobody may have this one}]}}\n---\n\
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: refused}, \
        spec: {policyName: refused, validationActions: [Deny]}}\n";
    space.cluster.apply(&space.bundle(&[policy]));
    let probe = ["create", "configmap", "a", "--namespace=refused", "--dry-run=server"];
    space.cluster.wait("the policy is in force", 30, || space.cluster.kubectl(&probe).code != Some(0));
    let err = space.apply(&space.bundle(&[&space.map("a", "1"), &space.map("b", "1")]), &[]).refused();
    assert!(err.contains("error[KFC1602]: ConfigMap refused/a: "), "{err}");
    assert!(err.contains("nobody may have this one"), "{err}");
    assert!(space.has_map("b"), "the others of the wave are sent all the same");
}

fn values_of_secrets_are_never_shown(server: Server) {
    let space = Space::of(server, "secrets");
    let name = "secrets.yaml";
    space.apply(&space.bundle(&[&space.secret("a", "topsecret-value")]), &[]).succeeds();
    space.edit("secret", "a", r#"{"data": {"password": "b3RoZXItc2VjcmV0"}}"#);
    let secrets = [space.secret("a", "topsecret-value"), space.secret("refused", "topsecret-value")].concat();
    space.cluster.write(name, &space.bundle(&[&secrets]));
    let message = "bad value topsecret-value here";
    let proxy = space.cluster.with_faults(&json!([refusal("PATCH", "/refused$", 403, message)]));
    let conflict = proxy.kfc(&["apply", name, "--name", "secrets"]).refused();
    assert!(conflict.contains("`data.password` is owned by `kubectl-edit`"), "{conflict}");
    assert!(conflict.contains(", its value is <hidden 1>;"), "{conflict}");
    let refused = proxy.kfc(&["apply", name, "--name", "secrets", "--force-conflicts"]).fails().1;
    assert!(refused.contains("Secret secrets/refused: bad value <hidden"), "{refused}");
    for value in ["topsecret", "dG9wc2VjcmV0", "b3RoZXItc2VjcmV0", "other-secret"] {
        assert!(!conflict.contains(value) && !refused.contains(value), "{value} in {conflict}{refused}");
    }
    let kept = space.cluster.get("configmap", "default", "kfc-inventory-secrets").unwrap().to_string();
    assert!(!kept.contains("topsecret"));
}

fn what_was_forbidden_does_not_stay_in_the_inventory(server: Server) {
    let space = Space::of(server, "place");
    let forbidden = |method: &str, times: u32| json!({"method": method, "path": "/secret-place$", "status": 403, "times": times, "message": "not for you"});
    let mut proxy = space.cluster.with_faults(&json!([forbidden("PATCH", 1)]));
    let less = space.bundle(&[&space.map("a", "1")]);
    space.cluster.write("less.yaml", &less);
    space.cluster.write("more.yaml", &[&*less, &space.map("secret-place", "1")].concat());
    let args = |file| ["apply", file, "--name", "place"];
    let err = proxy.kfc(&args("more.yaml")).refused();
    assert!(err.contains("KFC1602") && err.contains("not for you"), "{err}");
    let listed: Vec<String> = space.listed().into_iter().collect();
    assert_eq!(listed, ["ConfigMap place/a", "Namespace place"], "what never existed is not listed");
    assert_eq!(proxy.kfc(&args("less.yaml")).succeeds().0, "");
    // What an earlier run made, and this user may not see, is not taken for absent, and fails nobody's run.
    proxy.kfc(&args("more.yaml")).succeeds();
    let list = refusal("GET", "^/api/v1/(namespaces/place/)?configmaps$", 403, "no");
    proxy.change(&json!([forbidden("GET", 99), list]));
    let (_, err) = proxy.kfc(&["apply", "less.yaml", "--name", "place", "--prune"]).succeeds();
    assert!(err.contains("ConfigMap place/secret-place stays: it cannot be read"), "{err}");
    assert!(space.listed().contains("ConfigMap place/secret-place"));
}

fn what_the_server_refuses_or_hides_is_not_a_difference(server: Server) {
    let space = Space::of(server, "hidden");
    // The only one of its kind is read by itself.
    let bundle = |value: &str| {
        space.bundle(&[&space.map("a", value), &space.secret("b", "one"), &space.map("c", value)])
    };
    space.apply(&bundle("1"), &[]).succeeds();
    let proxy = space.cluster.with_faults(&json!([
        refusal("PATCH", "/configmaps/a$", 422, "spec.x: Invalid value: field is immutable"),
        refusal("GET", "/secrets/b$", 403, "secrets \"b\" is forbidden"),
    ]));
    space.cluster.write("hidden.yaml", &bundle("2"));
    let run = proxy.kfc(&["diff", "cluster", "hidden.yaml", "--name", "hidden"]);
    assert_eq!(run.code, Some(2), "{}{}", run.out, run.err);
    assert!(run.out.contains("1 changed") && run.out.contains("ConfigMap hidden/c"), "{}", run.out);
    assert!(!run.out.contains("ConfigMap hidden/a") && !run.out.contains("Secret hidden/b"), "{}", run.out);
    let refused = "the server refuses ConfigMap hidden/a: spec.x: Invalid value: field is immutable";
    assert!(run.err.contains(refused), "{}", run.err);
    let forbidden = "Secret hidden/b cannot be read: secrets \"b\" is forbidden";
    assert!(run.err.contains(forbidden), "{}", run.err);
    let (_, err) = proxy.kfc(&["validate", "hidden.yaml", "--against", "cluster"]).fails();
    assert!(err.contains("error[KFC1522]: the server refuses ConfigMap hidden/a"), "{err}");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn busy_servers_and_lost_answers_are_got_over() {
    let space = Space::of(Server::Controlled, "lost");
    let map = "^/api/v1/namespaces/lost/configmaps/m";
    let own = "^/api/v1/namespaces/default/configmaps";
    let faults = json!([
        {"method": "PATCH", "path": map, "status": 429, "times": 30, "retryAfter": 1},
        {"method": "PATCH", "path": map, "cut": true, "times": 30},
        {"method": "PATCH", "path": map, "late": true, "times": 30},
        {"method": "POST", "path": format!("{own}$"), "late": true, "times": 1},
        {"method": "PUT", "path": format!("{own}/kfc-inventory-lost"), "late": true, "times": 1},
        {"method": "PUT", "path": format!("{own}/kfc-history-lost"), "late": true, "times": 1},
        {"method": "DELETE", "path": map, "late": true, "times": 20},
        {"method": "GET", "path": "^/apis$", "cut": true, "times": 2},
    ]);
    space.cluster.write("sixty.yaml", &space.bundle(&[&space.maps(0..60)]));
    space.cluster.write("twenty.yaml", &space.bundle(&[&space.maps(0..20)]));
    let mut proxy = space.cluster.with_faults(&faults);
    let (out, _) = proxy.kfc(&["apply", "sixty.yaml", "--name", "lost"]).succeeds();
    assert_eq!(out.lines().count(), 61, "{out}");
    let (out, err) = proxy.kfc(&["apply", "twenty.yaml", "--name", "lost", "--prune-most"]).succeeds();
    assert!(!err.contains("warning["), "{err}");
    assert_eq!(out.lines().filter(|line| line.starts_with("pruned ")).count(), 40, "{out}");
    assert_eq!(space.listed().len(), 21);
    assert_eq!(proxy.left(), [Value::Null; 0], "faults that did not happen");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_namespace_stays_when_something_in_it_turns_out_to_stay() {
    let space = Space::of(Server::Controlled, "turns");
    space.apply(&space.bundle(&[&space.map("a", "1"), &space.map("b", "1")]), &[]).succeeds();
    // Each change between the look at it and its deletion is a conflict, and it is looked at again.
    let proxy =
        space.cluster.with_faults(&json!([refusal("DELETE", "/turns/configmaps/a$", 409, "changed")]));
    let mut command = proxy.kfc_command(&["delete", "--name", "turns", "--yes", "--delete-all"]);
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    space.cluster.wait("the deletion has begun", 60, || !space.has_map("b"));
    space.edit("configmap", "a", r#"{"metadata": {"annotations": {"kfc.dev/prune": "disabled"}}}"#);
    let (out, err) = Run::from(run.wait_with_output().unwrap()).succeeds();
    assert_eq!(out, "deleted ConfigMap turns/b\n", "{err}");
    let why = "its annotation `kfc.dev/prune` is `disabled`";
    assert!(err.contains(&format!("ConfigMap turns/a stays: {why}")), "{err}");
    assert!(err.contains("Namespace turns stays: ConfigMap turns/a stays"), "{err}");
    let listed: Vec<String> = space.listed().into_iter().collect();
    assert!(space.has_map("a") && listed == ["Namespace turns"], "{err}");
}

/// The config maps of a namespace that a bundle of [`Space::maps`] has.
fn maps_of(space: &Space) -> BTreeSet<String> {
    let place = format!("--namespace={}", space.name);
    let (out, _) = space.cluster.kubectl(&["get", "configmaps", &place, "--output=name"]).succeeds();
    let names = out.lines().filter_map(|line| line.strip_prefix("configmap/m"));
    names.map(|name| format!("ConfigMap {}/m{name}", space.name)).collect()
}

/// Sends a signal to a run as soon as the cluster has some of its objects; gives what it says at its end.
fn stop(space: &Space, mut command: Command, signal: &str, is_time: impl Fn(usize) -> bool) -> String {
    let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    space.cluster.wait("the run gets on", 60, || is_time(maps_of(space).len()));
    // The client that enters the namespace has become kfc itself.
    assert!(Command::new("kill").args([signal, &run.id().to_string()]).status().unwrap().success());
    let run = Run::from(run.wait_with_output().unwrap());
    assert_eq!((run.code, run.out.as_str()), (Some(130), ""), "{}", run.err);
    run.err
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_signal_in_the_middle_of_a_wave_loses_nothing() {
    const MAPS: usize = 100;
    let space = Space::of(Server::Controlled, "signal");
    space.cluster.write("signal.yaml", &space.bundle(&[&space.maps(0..MAPS)]));
    // Slow enough for a signal to come in the middle of it.
    let slow =
        |method: &str| json!({"method": method, "path": "/signal/configmaps/m", "delay": 0.1, "times": 9999});
    let proxy = space.cluster.with_faults(&json!([slow("PATCH"), slow("DELETE")]));
    let apply = ["apply", "signal.yaml", "--name", "signal", "--concurrency", "4"];
    for (signal, word, from) in [("-INT", "an interrupt", 15), ("-TERM", "a request to terminate", 50)] {
        let err = stop(&space, proxy.kfc_command(&apply), signal, |there| there >= from);
        assert!(err.contains(&format!("error[KFC1608]: stopped by {word}")), "{err}");
        let (exist, listed) = (maps_of(&space), space.listed());
        assert!((from..MAPS).contains(&exist.len()), "{}", exist.len());
        let unlisted: Vec<&String> = exist.difference(&listed).collect();
        assert_eq!(unlisted, Vec::<&String>::new());
    }
    let there = maps_of(&space).len();
    let (out, _) = space.cluster.kfc(&apply).succeeds();
    assert_eq!(out.lines().filter(|line| line.starts_with("created ")).count(), MAPS - there, "{out}");
    assert_eq!(space.cluster.kfc(&apply).succeeds().0, "");
    let delete = ["delete", "--name", "signal", "--yes", "--delete-all", "--concurrency", "4"];
    let err = stop(&space, proxy.kfc_command(&delete), "-INT", |there| there < MAPS - 20);
    assert!(err.contains("KFC1608"), "{err}");
    space.cluster.kfc(&delete).succeeds();
    assert!(!space.exists() && space.listed().is_empty());
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn hundreds_of_objects_go_in_parallel_but_not_all_at_once() {
    const MANY: usize = 600;
    // Two pages of a list.
    let space = Space::of(Server::Controlled, "many");
    space.cluster.write("many.yaml", &space.bundle(&[&space.maps(0..MANY)]));
    let mut proxy = space.cluster.with_faults(&json!([]));
    let apply = ["apply", "many.yaml", "--name", "many", "--qps", "0"];
    let (out, _) = proxy.kfc(&apply).succeeds();
    assert_eq!((out.lines().count(), maps_of(&space).len()), (MANY + 1, MANY));
    assert_eq!(space.listed().len(), MANY + 1);
    let peak = proxy.peak();
    // One more may be that which renews the lock.
    assert!((2..=17).contains(&peak), "{peak} requests at once");
    assert_eq!(proxy.kfc(&apply).succeeds().0, "");
    let (out, _) = space.delete(&["--qps", "0"]).succeeds();
    assert_eq!(out.lines().count(), MANY);
    assert_eq!(maps_of(&space).len(), 0);
}
