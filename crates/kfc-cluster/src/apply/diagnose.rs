//! Finds out why an object is not ready: conditions of its pods, what their containers wait for, events.

use super::session::Session;
use kfc_diagnostics::Foreign;
use kfc_kube::ObjectId;
use kfc_kube::ready::condition_of;
use serde_json::Value;
use std::collections::BTreeSet;

/// The most facts about one object.
const FACTS: usize = 6;
const EVENTS: usize = 3;
/// With so many facts, no more logs are read.
const LOGGED: usize = 4;
/// Lines of a log.
const LINES: usize = 5;

/// What is known about an object that is not ready, one fact a line.
pub(super) async fn diagnose(session: &Session<'_>, object: &ObjectId) -> Vec<String> {
    let mut facts = Vec::new();
    let Ok(Some(live)) = session.read(object).await else { return facts };
    let mut named = BTreeSet::from([object.name.clone()]);
    if let Some(selector) = selector(&live) {
        for pod in pods(session, &object.namespace, &selector).await {
            let before = facts.len();
            of_pod(&pod, &mut facts);
            if before < LOGGED {
                for container in crashed(&pod) {
                    facts.extend(last_lines(session, &pod, container).await);
                }
            }
            if facts.len() > before {
                named.insert(pod["metadata"]["name"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    if let Some(("True" | "False", reason, message)) = condition_of(&live, "ReplicaFailure") {
        facts.push(format!("{reason}: {message}"));
    }
    facts.truncate(FACTS);
    facts.extend(events(session, &object.namespace, &named).await);
    facts
}

/// The pods of a workload, as a label selector in a query.
fn selector(live: &Value) -> Option<String> {
    let labels = live["spec"]["selector"]["matchLabels"].as_object()?;
    let pairs: Vec<String> =
        labels.iter().filter_map(|(key, value)| Some(format!("{key}%3D{}", value.as_str()?))).collect();
    (!pairs.is_empty()).then(|| pairs.join("%2C"))
}

async fn pods(session: &Session<'_>, namespace: &str, selector: &str) -> Vec<Value> {
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}&limit=50");
    let Ok(answer) = session.connection.get(&path).await else { return Vec::new() };
    answer["items"].as_array().cloned().unwrap_or_default()
}

/// What is wrong with a pod; nothing when it is ready.
fn of_pod(pod: &Value, facts: &mut Vec<String>) {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    if let Some(("True", ..)) = condition_of(pod, "Ready") {
        return;
    }
    if let Some(("False", reason, message)) = condition_of(pod, "PodScheduled") {
        facts.push(format!("pod {name} cannot be scheduled: {reason}: {message}"));
        return;
    }
    let before = facts.len();
    for list in ["initContainerStatuses", "containerStatuses"] {
        for container in pod["status"][list].as_array().into_iter().flatten() {
            facts.extend(of_container(name, container));
        }
    }
    if facts.len() == before && pod["status"]["phase"] == "Failed" {
        let text = |field: &str| pod["status"][field].as_str().unwrap_or_default();
        facts.push(format!("pod {name} failed: {} {}", text("reason"), text("message")));
    }
}

fn of_container(pod: &str, container: &Value) -> Option<String> {
    let name = container["name"].as_str().unwrap_or_default();
    let waiting = &container["state"]["waiting"];
    if let Some(reason) = waiting["reason"].as_str() {
        if matches!(reason, "PodInitializing" | "ContainerCreating") && waiting["message"].is_null() {
            return None;
        }
        let message = waiting["message"].as_str().map(|text| format!(": {text}")).unwrap_or_default();
        let last = &container["lastState"]["terminated"];
        let last = last["exitCode"].as_i64().map(|code| {
            let reason = last["reason"].as_str().unwrap_or("ended");
            format!(" (last time {reason} with exit status {code})")
        });
        return Some(format!("container {name} of pod {pod}: {reason}{message}{}", last.unwrap_or_default()));
    }
    let ended = &container["state"]["terminated"];
    if let Some(code) = ended["exitCode"].as_i64().filter(|code| *code != 0) {
        let reason = ended["reason"].as_str().unwrap_or("ended");
        return Some(format!("container {name} of pod {pod}: {reason} with exit status {code}"));
    }
    let is_running_unready = container["ready"] == false && !container["state"]["running"].is_null();
    is_running_unready.then(|| format!("container {name} of pod {pod} runs, but its readiness probe fails"))
}

/// The containers of a pod that ended with an error.
fn crashed(pod: &Value) -> impl Iterator<Item = &str> {
    let statuses = ["initContainerStatuses", "containerStatuses"].into_iter();
    let statuses = statuses.flat_map(|list| pod["status"][list].as_array().into_iter().flatten());
    let failed = |end: &Value| end["exitCode"].as_i64().is_some_and(|code| code != 0);
    let is_crashed = move |status: &&Value| {
        failed(&status["state"]["terminated"])
            || (failed(&status["lastState"]["terminated"]) && status["ready"] == false)
    };
    statuses.filter(is_crashed).filter_map(|status| status["name"].as_str())
}

/// The last lines that a container printed before it ended.
async fn last_lines(session: &Session<'_>, pod: &Value, container: &str) -> Option<String> {
    let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
    let path = format!("/api/v1/namespaces/{}/pods/{}/log", text("namespace"), text("name"));
    let limits = format!("container={container}&tailLines={LINES}&limitBytes=4096");
    // That of the last run; the first one has no other.
    let log = match session.connection.get_text(&format!("{path}?{limits}&previous=true")).await {
        Ok(log) if !log.trim().is_empty() => log,
        _ => session.connection.get_text(&format!("{path}?{limits}")).await.ok()?,
    };
    let lines: Vec<String> = log
        .lines()
        .map(|line| Foreign::new(line.to_owned()).message())
        .filter(|line| !line.is_empty())
        .collect();
    let skip = lines.len().saturating_sub(LINES);
    let lines = lines.get(skip..)?.join(" | ");
    (!lines.is_empty()).then(|| format!("container {container} of pod {} printed: {lines}", text("name")))
}

/// The last warnings about objects of these names, and about replica sets and pods whose names begin with them.
async fn events(session: &Session<'_>, namespace: &str, names: &BTreeSet<String>) -> Vec<String> {
    if namespace.is_empty() {
        return Vec::new();
    }
    let path = format!("/api/v1/namespaces/{namespace}/events?fieldSelector=type%3DWarning&limit=500");
    let Ok(answer) = session.connection.get(&path).await else { return Vec::new() };
    let mut found: Vec<(String, String)> = Vec::new();
    for event in answer["items"].as_array().into_iter().flatten() {
        let about = event["involvedObject"]["name"].as_str().unwrap_or_default();
        let is_about = |name: &String| {
            about == name || about.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('-'))
        };
        if !names.iter().any(is_about) {
            continue;
        }
        let text = |field: &str| event[field].as_str().unwrap_or_default();
        let at = [text("lastTimestamp"), text("eventTime")].into_iter().max().unwrap_or_default();
        let times = event["count"].as_i64().filter(|count| *count > 1);
        let times = times.map(|count| format!(" ({count} times)")).unwrap_or_default();
        let kind = event["involvedObject"]["kind"].as_str().unwrap_or_default();
        let line = format!("event of {kind} {about}: {}: {}{times}", text("reason"), text("message").trim());
        found.push((at.to_owned(), line));
    }
    found.sort();
    found.dedup_by(|a, b| a.1 == b.1);
    let skip = found.len().saturating_sub(EVENTS);
    found.into_iter().skip(skip).map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::of_pod;
    use serde_json::json;

    #[test]
    fn what_containers_wait_for_is_reported() {
        let pod = json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [
            {"name": "a", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}},
            {"name": "b", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 2, "reason": "Error"}}},
            {"name": "c", "ready": false, "state": {"running": {}}},
            {"name": "d", "ready": true, "state": {"running": {}}},
        ]}});
        let mut facts = Vec::new();
        of_pod(&pod, &mut facts);
        assert_eq!(
            facts,
            [
                "container a of pod p: ImagePullBackOff: no such image",
                "container b of pod p: CrashLoopBackOff (last time Error with exit status 2)",
                "container c of pod p runs, but its readiness probe fails",
            ]
        );
    }

    #[test]
    fn a_pod_without_a_node_says_why() {
        let pod = json!({"metadata": {"name": "p"}, "status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes have a GPU"}]}});
        let mut facts = Vec::new();
        of_pod(&pod, &mut facts);
        assert_eq!(facts, ["pod p cannot be scheduled: Unschedulable: 0/3 nodes have a GPU"]);
    }
}
