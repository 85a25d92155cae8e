//! Whether an object is ready, by its own status.

use crate::group_version::GroupVersion;
use serde_json::Value;

/// The state that the status of an object shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is ready to be used.
    Ready,
    /// It is not ready yet, with the reason.
    Waiting(String),
    /// It failed, with the reason.
    Failed(String),
}

/// The state of an object by its kind. Kinds without a state are ready as soon as they exist.
#[must_use]
pub fn state(object: &Value) -> State {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    match (GroupVersion::parse(api_version).group, object["kind"].as_str().unwrap_or_default()) {
        ("", "Namespace") => namespace(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("apiregistration.k8s.io", "APIService") => condition(object, "Available"),
        ("apps", "Deployment") => deployment(object),
        ("apps", "ReplicaSet") => replica_set(object),
        ("apps", "StatefulSet") => stateful_set(object),
        ("apps", "DaemonSet") => daemon_set(object),
        ("batch", "Job") => job(object),
        ("", "PersistentVolumeClaim") => volume_claim(object),
        ("", "Pod") => pod(object),
        _ => other(object),
    }
}

/// Whether objects of a kind become ready only some time after they are made.
#[must_use]
pub fn takes_time(group: &str, kind: &str) -> bool {
    is_custom(group)
        || matches!(
            (group, kind),
            ("", "Namespace" | "PersistentVolumeClaim" | "Pod")
                | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
                | ("batch", "Job")
                | ("apiextensions.k8s.io", "CustomResourceDefinition")
                | ("apiregistration.k8s.io", "APIService")
                | (
                    "admissionregistration.k8s.io",
                    "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration"
                )
        )
}

/// Whether a group is of custom resources.
fn is_custom(group: &str) -> bool {
    group.contains('.') && !group.ends_with(".k8s.io")
}

/// The condition of a type: its status, reason and message.
#[must_use]
pub fn condition_of<'o>(object: &'o Value, kind: &str) -> Option<(&'o str, &'o str, &'o str)> {
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == kind)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default();
    Some((text("status"), text("reason"), text("message")))
}

fn reason_text(reason: &str, message: &str) -> String {
    match (reason, message) {
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

fn condition(object: &Value, kind: &str) -> State {
    match condition_of(object, kind) {
        Some(("True", ..)) => State::Ready,
        Some((_, reason, message)) => State::Waiting(reason_text(reason, message)),
        None => State::Waiting(format!("its status does not say yet whether it is {}", kind.to_lowercase())),
    }
}

fn namespace(object: &Value) -> State {
    match object["status"]["phase"].as_str() {
        Some("Terminating") => State::Waiting("it is being deleted".to_owned()),
        _ => State::Ready,
    }
}

fn definition(object: &Value) -> State {
    if let Some(("False", reason, message)) = condition_of(object, "NamesAccepted") {
        return State::Failed(reason_text(reason, message));
    }
    condition(object, "Established")
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// Whether the controller has seen the object as it is now.
fn is_observed(object: &Value) -> bool {
    number(&object["status"]["observedGeneration"]) >= number(&object["metadata"]["generation"])
}

fn unseen() -> State {
    State::Waiting("its controller has not seen it yet".to_owned())
}

/// The state of an object whose controller records what it has seen, and has not seen the object as it is now.
#[must_use]
pub fn unobserved(object: &Value) -> Option<State> {
    (object["status"]["observedGeneration"].is_i64() && !is_observed(object)).then(unseen)
}

fn wanted(object: &Value) -> i64 {
    object["spec"]["replicas"].as_i64().unwrap_or(1)
}

fn count_state(have: i64, wanted: i64, what: &str) -> State {
    State::Waiting(format!("{have} of {wanted} {what}"))
}

fn deployment(object: &Value) -> State {
    if !is_observed(object) {
        return unseen();
    }
    if let Some(("False", "ProgressDeadlineExceeded", message)) = condition_of(object, "Progressing") {
        return State::Failed(reason_text("ProgressDeadlineExceeded", message));
    }
    let (status, wanted) = (&object["status"], wanted(object));
    let updated = number(&status["updatedReplicas"]);
    let available = number(&status["availableReplicas"]);
    if updated < wanted {
        return count_state(updated, wanted, "replicas are of the new version");
    }
    if number(&status["replicas"]) > updated {
        return State::Waiting("replicas of the old version still exist".to_owned());
    }
    if available < wanted {
        return count_state(available, wanted, "replicas are available");
    }
    State::Ready
}

fn replica_set(object: &Value) -> State {
    if !is_observed(object) {
        return unseen();
    }
    if let Some(("True", reason, message)) = condition_of(object, "ReplicaFailure") {
        return State::Waiting(reason_text(reason, message));
    }
    let (wanted, available) = (wanted(object), number(&object["status"]["availableReplicas"]));
    if available < wanted { count_state(available, wanted, "replicas are available") } else { State::Ready }
}

fn stateful_set(object: &Value) -> State {
    if !is_observed(object) {
        return unseen();
    }
    let (status, wanted) = (&object["status"], wanted(object));
    let ready = number(&status["readyReplicas"]);
    if ready < wanted {
        return count_state(ready, wanted, "replicas are ready");
    }
    let strategy = &object["spec"]["updateStrategy"];
    if strategy["type"] == "OnDelete" {
        return State::Ready;
    }
    let due = (wanted - number(&strategy["rollingUpdate"]["partition"])).max(0);
    let updated = number(&status["updatedReplicas"]);
    // A controller that never had to update anything gives no number.
    if updated < due && status["currentRevision"] != status["updateRevision"] {
        return count_state(updated, due, "replicas are of the new version");
    }
    State::Ready
}

fn daemon_set(object: &Value) -> State {
    if !is_observed(object) {
        return unseen();
    }
    let status = &object["status"];
    let wanted = number(&status["desiredNumberScheduled"]);
    let updated = number(&status["updatedNumberScheduled"]);
    let available = number(&status["numberAvailable"]);
    if object["spec"]["updateStrategy"]["type"] != "OnDelete" && updated < wanted {
        return count_state(updated, wanted, "nodes have the new version");
    }
    if available < wanted {
        return count_state(available, wanted, "nodes have it available");
    }
    State::Ready
}

fn job(object: &Value) -> State {
    if object["spec"]["suspend"] == true {
        return State::Ready;
    }
    if let Some(("True", reason, message)) = condition_of(object, "Failed") {
        return State::Failed(reason_text(reason, message));
    }
    if let Some(("True", ..)) = condition_of(object, "Complete") {
        return State::Ready;
    }
    let wanted = object["spec"]["completions"].as_i64().unwrap_or(1);
    count_state(number(&object["status"]["succeeded"]), wanted, "pods are done")
}

fn volume_claim(object: &Value) -> State {
    match object["status"]["phase"].as_str() {
        Some("Bound") => State::Ready,
        Some("Lost") => State::Failed("its volume is lost".to_owned()),
        _ => State::Waiting("it is not bound to a volume yet".to_owned()),
    }
}

fn pod(object: &Value) -> State {
    match object["status"]["phase"].as_str() {
        Some("Succeeded") => State::Ready,
        Some("Failed") => State::Failed(reason_text(
            object["status"]["reason"].as_str().unwrap_or("the pod failed"),
            object["status"]["message"].as_str().unwrap_or_default(),
        )),
        _ => condition(object, "Ready"),
    }
}

/// The state of a pod that is to end: a hook.
#[must_use]
pub fn ended_pod(object: &Value) -> State {
    match pod(object) {
        State::Ready if object["status"]["phase"] != "Succeeded" => {
            State::Waiting("it has not ended yet".to_owned())
        }
        state => state,
    }
}

/// Kinds that follow the common conventions, as custom resources do: `Stalled`, `Reconciling`, `Ready`, and the generation
/// that the controller has seen. What has none of these is ready as soon as it exists.
fn other(object: &Value) -> State {
    if let Some(("True", reason, message)) = condition_of(object, "Stalled") {
        return State::Failed(reason_text(reason, message));
    }
    if let Some(state) = unobserved(object) {
        return state;
    }
    if let Some(("True", reason, message)) = condition_of(object, "Reconciling") {
        return State::Waiting(reason_text(reason, message));
    }
    match condition_of(object, "Ready") {
        Some(("False" | "Unknown", reason, message)) => State::Waiting(match reason_text(reason, message) {
            text if text.is_empty() => "its condition Ready is not true".to_owned(),
            text => text,
        }),
        _ => State::Ready,
    }
}

#[cfg(test)]
mod tests {
    use super::{State, ended_pod, state, unobserved};
    use serde_json::{Value, json};

    fn waiting(text: &str) -> State {
        State::Waiting(text.to_owned())
    }

    fn deployment(generation: i64, status: &Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generation": generation},
               "spec": {"replicas": 2}, "status": status})
    }

    #[test]
    fn a_pod_that_is_a_hook_is_ready_once_it_has_ended() {
        let pod = |phase: &str| {
            let conditions = json!([{"type": "Ready", "status": "True"}]);
            json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase, "conditions": conditions}})
        };
        assert_eq!(state(&pod("Running")), State::Ready);
        assert_eq!(ended_pod(&pod("Running")), waiting("it has not ended yet"));
        assert_eq!(ended_pod(&pod("Succeeded")), State::Ready);
        assert!(matches!(ended_pod(&pod("Failed")), State::Failed(_)));
    }

    #[test]
    fn only_a_controller_that_says_so_has_not_seen_an_object() {
        let object = |status: Value| json!({"metadata": {"generation": 3}, "status": status});
        assert_eq!(unobserved(&object(json!({}))), None);
        assert_eq!(unobserved(&object(json!({"observedGeneration": 3}))), None);
        assert!(unobserved(&object(json!({"observedGeneration": 2}))).is_some());
    }

    #[test]
    fn a_deployment_is_ready_when_all_replicas_are_new_and_available() {
        let half =
            json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1});
        assert_eq!(state(&deployment(3, &half)), waiting("its controller has not seen it yet"));
        assert_eq!(state(&deployment(2, &half)), waiting("1 of 2 replicas are available"));
        let old =
            json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3});
        assert_eq!(state(&deployment(2, &old)), waiting("replicas of the old version still exist"));
        let done =
            json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert_eq!(state(&deployment(2, &done)), State::Ready);
        let late = json!({"observedGeneration": 1, "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too long"}]});
        let expected = State::Failed("ProgressDeadlineExceeded: too long".to_owned());
        assert_eq!(state(&deployment(1, &late)), expected);
    }

    #[test]
    fn jobs_end_in_one_way_or_the_other() {
        let job =
            |status: &Value| json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {}, "status": status});
        assert_eq!(state(&job(&json!({}))), waiting("0 of 1 pods are done"));
        let done = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        assert_eq!(state(&job(&done)), State::Ready);
        let failed =
            json!({"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]});
        assert_eq!(state(&job(&failed)), State::Failed("BackoffLimitExceeded".to_owned()));
    }

    #[test]
    fn a_set_that_updates_only_on_delete_does_not_wait_for_its_update() {
        let set = |kind: &str| {
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"generation": 1},
                   "spec": {"replicas": 1, "updateStrategy": {"type": kind}},
                   "status": {"observedGeneration": 1, "readyReplicas": 1, "updatedReplicas": 0,
                              "currentRevision": "a", "updateRevision": "b"}})
        };
        assert_eq!(state(&set("OnDelete")), State::Ready);
        assert_eq!(state(&set("RollingUpdate")), waiting("0 of 1 replicas are of the new version"));
    }

    #[test]
    fn custom_resources_are_ready_as_their_conditions_say() {
        let object = |status: Value| json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"generation": 2}, "status": status});
        let ready =
            |status: &str| json!({"conditions": [{"type": "Ready", "status": status, "reason": "Why"}]});
        assert_eq!(state(&object(json!({}))), State::Ready);
        assert_eq!(state(&object(ready("True"))), State::Ready);
        assert_eq!(state(&object(ready("False"))), waiting("Why"));
        assert_eq!(
            state(&object(json!({"observedGeneration": 1}))),
            waiting("its controller has not seen it yet")
        );
        let stalled = json!({"conditions": [{"type": "Stalled", "status": "True", "reason": "Never"}]});
        assert_eq!(state(&object(stalled)), State::Failed("Never".to_owned()));
    }

    #[test]
    fn odd_objects_are_no_trouble() {
        for odd in [
            json!(null),
            json!([]),
            json!({"kind": 3}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment"}),
        ] {
            let _ = state(&odd);
        }
    }
}
