//! Workloads, jobs, autoscalers and disruption budgets.

use super::here::{Check, Here, number, text};
use kfc_diagnostics::Code;
use kfc_yaml::Node;
use std::collections::HashSet;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("apps.v1.DeploymentSpec", deployment),
    ("apps.v1.DeploymentSpec", always),
    ("apps.v1.ReplicaSetSpec", always),
    ("apps.v1.StatefulSetSpec", always),
    ("apps.v1.DaemonSetSpec", always),
    ("core.v1.ReplicationControllerSpec", always),
    ("apps.v1.DeploymentSpec", selector),
    ("apps.v1.ReplicaSetSpec", selector),
    ("apps.v1.StatefulSetSpec", selector),
    ("apps.v1.DaemonSetSpec", selector),
    ("apps.v1.RollingUpdateDeployment", no_zeros),
    ("apps.v1.RollingUpdateDaemonSet", one_of_two),
    ("apps.v1.StatefulSetSpec", stateful),
    ("apps.v1.StatefulSet", stateful_name),
    ("batch.v1.Job", job_name),
    ("batch.v1.CronJob", cron_name),
    ("batch.v1.JobSpec", job),
    ("batch.v1.PodFailurePolicyOnExitCodesRequirement", exit_codes),
    ("autoscaling.v1.HorizontalPodAutoscalerSpec", autoscaler),
    ("autoscaling.v2.HorizontalPodAutoscalerSpec", autoscaler),
    ("autoscaling.v2.ResourceMetricSource", resource_metric),
    ("autoscaling.v2.ContainerResourceMetricSource", resource_metric),
];

/// The first version whose server checks the claims of `StatefulSets`.
pub(in super::super) const CLAIMS_CHECKED: u32 = 36;

fn deployment(here: &mut Here<'_, '_>) {
    let ready = here.number(&["minReadySeconds"]).unwrap_or(0);
    if here.number(&["progressDeadlineSeconds"]).unwrap_or(600) <= ready {
        let field = if here.at(&["progressDeadlineSeconds"]).is_some() {
            "progressDeadlineSeconds"
        } else {
            "minReadySeconds"
        };
        here.invalid(field, "must be greater than minReadySeconds");
    }
}

/// What always runs restarts always, and has no deadline.
fn always(here: &mut Here<'_, '_>) {
    if let Some(policy) =
        here.text(&["template", "spec", "restartPolicy"]).filter(|policy| *policy != "Always")
    {
        here.refuse(
            Code::ValueNotAllowed,
            "template.spec.restartPolicy",
            &super::table::unsupported(policy, &["Always"]),
        );
    }
    if here.at(&["template", "spec", "activeDeadlineSeconds"]).is_some() {
        here.forbidden(
            "template.spec.activeDeadlineSeconds",
            "activeDeadlineSeconds in ReplicaSet is not Supported",
        );
    }
}

/// An empty selector selects everything.
fn selector(here: &mut Here<'_, '_>) {
    let Some(selector) = here.map(&["selector"]) else { return };
    let is_empty = selector.iter().all(|entry| super::here::is_empty(&entry.value));
    if is_empty && !here.path.is_empty() {
        here.invalid("selector", "empty selector is invalid");
    }
}

fn zero(node: Option<&Node>) -> bool {
    node.and_then(Node::as_text).is_some_and(|text| matches!(text, "0" | "0%"))
}

fn no_zeros(here: &mut Here<'_, '_>) {
    if zero(here.at(&["maxSurge"])) && zero(here.at(&["maxUnavailable"])) {
        here.invalid("maxUnavailable", "may not be 0 when `maxSurge` is 0");
    }
}

fn one_of_two(here: &mut Here<'_, '_>) {
    let is_set = |field: &str| here.at(&[field]).is_some() && !zero(here.at(&[field]));
    let (surge, unavailable) = (is_set("maxSurge"), is_set("maxUnavailable"));
    if surge && (unavailable || here.at(&["maxUnavailable"]).is_none()) {
        here.invalid("maxSurge", "may not be set when maxUnavailable is non-zero");
    } else if !surge && zero(here.at(&["maxUnavailable"])) {
        here.required("maxUnavailable", "cannot be 0 when maxSurge is 0");
    }
}

fn stateful(here: &mut Here<'_, '_>) {
    // Older servers look at neither the claims nor the volumes.
    if here.version.0 < CLAIMS_CHECKED {
        return;
    }
    let templates: HashSet<&str> = here
        .items(&["volumeClaimTemplates"])
        .filter_map(|(_, claim)| claim.at(&["metadata", "name"]).and_then(text))
        .collect();
    let volumes: HashSet<&str> = here
        .items(&["template", "spec", "volumes"])
        .filter_map(|(_, volume)| volume.get("name").and_then(text))
        .collect();
    for (index, claim) in here.items(&["volumeClaimTemplates"]) {
        let spec = claim.get("spec").filter(|spec| !super::here::is_empty(spec));
        if spec.is_none() {
            here.required(
                &format!("volumeClaimTemplates[{index}].spec.accessModes"),
                "at least 1 access mode is required",
            );
        }
        if claim.at(&["metadata", "name"]).and_then(text).is_some_and(|name| !super::words::is_label(name)) {
            here.invalid(
                &format!("volumeClaimTemplates[{index}].metadata.name"),
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'",
            );
        }
    }
    for (at, container) in here.items(&["template", "spec", "containers"]) {
        for (index, mount) in
            container.get("volumeMounts").and_then(Node::as_seq).into_iter().flatten().enumerate()
        {
            let Some(name) = mount.get("name").and_then(text) else { continue };
            if !templates.contains(name) && !volumes.contains(name) {
                here.invalid(
                    &format!("template.spec.containers[{at}].volumeMounts[{index}].name"),
                    &format!("Not found: \"{name}\""),
                );
            }
        }
    }
}

/// Pods of a StatefulSet are named after it, as labels are written.
fn stateful_name(here: &mut Here<'_, '_>) {
    let name = here.text(&["metadata", "name"]).unwrap_or("");
    if !name.is_empty() && !super::words::is_label(name) {
        here.invalid(
            "metadata.name",
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', of at most 63",
        );
    }
}

fn cron_name(here: &mut Here<'_, '_>) {
    if here.text(&["metadata", "name"]).is_some_and(|name| name.len() > 52) {
        here.invalid("metadata.name", "must be no more than 52 characters");
    }
    jobs_pods(
        here,
        "spec.jobTemplate.spec.template.spec",
        &["spec", "jobTemplate", "spec", "template", "spec"],
    );
    if here.text(&["spec", "schedule"]).is_none() && here.at(&["spec"]).is_some() {
        here.required("spec.schedule", "");
    }
    if here.at(&["spec", "jobTemplate", "spec", "selector"]).is_some() {
        here.invalid("spec.jobTemplate.spec.selector", "`selector` will be auto-generated");
    }
}

fn job_name(here: &mut Here<'_, '_>) {
    jobs_pods(here, "spec.template.spec", &["spec", "template", "spec"]);
    if here.text(&["metadata", "name"]).is_some_and(|name| name.len() > 63) {
        here.invalid("metadata.name", "must be no more than 63 characters");
    }
    let manual = here.is_true(&["spec", "manualSelector"]);
    if !manual && here.at(&["spec", "selector"]).is_some_and(|selector| !super::here::is_empty(selector)) {
        here.invalid("spec.selector", "`selector` not auto-generated");
    }
    if !manual {
        own_labels(here);
    }
    if manual {
        let labels = here.at(&["spec", "template", "metadata", "labels"]);
        let selector = here.at(&["spec", "selector"]);
        if selector.is_none_or(|selector| !super::super::pods::selects(selector, labels)) {
            here.invalid("spec.template.metadata.labels", "`selector` does not match template `labels`");
        }
    }
    indexes(here);
}

/// The labels by which a Job finds its pods are the server's.
fn own_labels(here: &mut Here<'_, '_>) {
    let name = here.text(&["metadata", "name"]).unwrap_or("").to_owned();
    for entry in here.map(&["spec", "template", "metadata", "labels"]).into_iter().flatten() {
        let due = match entry.key.text.as_str() {
            "controller-uid" | "batch.kubernetes.io/controller-uid" => "the UID of the Job",
            "job-name" | "batch.kubernetes.io/job-name" if entry.value.as_text() != Some(&name) => &name,
            _ => continue,
        };
        let below = format!("spec.template.metadata.labels{}", super::here::key(&entry.key.text));
        here.invalid(&below, &format!("must be '{due}'"));
    }
}

/// Pods of a Job end.
fn jobs_pods(here: &mut Here<'_, '_>, below: &str, path: &[&str]) {
    if here.at(path).is_none() {
        return;
    }
    let full: Vec<&str> = path.iter().copied().chain(["restartPolicy"]).collect();
    let below = format!("{below}.restartPolicy");
    match here.text(&full) {
        None => here.required(&below, "valid values: \"OnFailure\", \"Never\""),
        Some("OnFailure" | "Never") => {}
        Some(policy) => here.refuse(
            Code::ValueNotAllowed,
            &below,
            &super::table::unsupported(policy, &["OnFailure", "Never"]),
        ),
    }
}

/// A Job with indices: how many, and its name with the last of them.
fn indexes(here: &mut Here<'_, '_>) {
    if here.text(&["spec", "completionMode"]) != Some("Indexed") {
        return;
    }
    let completions = here.number(&["spec", "completions"]).unwrap_or(0);
    let name = here.text(&["metadata", "name"]).unwrap_or("");
    let longest = format!("{name}-{}", (completions - 1).max(0));
    if completions > 0 && !name.is_empty() && name.len() <= 63 && !super::words::is_label(&longest) {
        here.invalid("metadata.name", "will not able to create pod with invalid DNS label");
    }
    for (index, rule) in here.items(&["spec", "successPolicy", "rules"]) {
        let below = format!("spec.successPolicy.rules[{index}]");
        let listed = rule.get("succeededIndexes").and_then(text);
        let count = rule.get("succeededCount").and_then(number);
        if listed.is_none() && count.is_none() {
            here.required(&below, "at least one of succeededCount or succeededIndexes must be specified");
        }
        let numbers = listed.map(|listed| {
            listed.split(',').filter_map(|part| {
                let (start, end) = part.split_once('-').unwrap_or((part, part));
                Some((start.parse::<i64>().ok()?, end.parse::<i64>().ok()?))
            })
        });
        let (mut last, mut all) = (0, 0);
        for (start, end) in numbers.into_iter().flatten() {
            last = last.max(end);
            all += end - start + 1;
        }
        if listed.is_some() && last >= completions {
            here.invalid(
                &format!("{below}.succeededIndexes"),
                "index is too large, must be less than the number of completions",
            );
        }
        if count.is_some_and(|count| count > completions) {
            here.invalid(
                &format!("{below}.succeededCount"),
                "must be less than or equal to the number of specified completions",
            );
        } else if listed.is_some() && count.is_some_and(|count| count > all) {
            here.invalid(
                &format!("{below}.succeededCount"),
                "must be less than or equal to the number of indexes",
            );
        }
    }
}

fn job(here: &mut Here<'_, '_>) {
    let completions = here.number(&["completions"]);
    if here.text(&["completionMode"]) == Some("Indexed")
        && completions.is_some_and(|count| count > 100_000)
        && here.number(&["parallelism"]).is_some_and(|count| count > 10_000)
    {
        here.invalid("parallelism", "must be less than or equal to 10000 when completions are unlimited");
    }
    if here.at(&["maxFailedIndexes"]).is_some() && here.at(&["backoffLimitPerIndex"]).is_none() {
        here.required("backoffLimitPerIndex", "when maxFailedIndexes is specified");
    }
    let most = here.number(&["maxFailedIndexes"]);
    if most.zip(completions).is_some_and(|(most, all)| most > all) {
        here.invalid("maxFailedIndexes", "must be less than or equal to completions");
    }
    let names: Vec<&str> = ["initContainers", "containers"]
        .iter()
        .flat_map(|list| here.items(&["template", "spec", list]).collect::<Vec<_>>())
        .filter_map(|(_, container)| container.get("name").and_then(text))
        .collect();
    for (index, rule) in here.items(&["podFailurePolicy", "rules"]) {
        let below = format!("podFailurePolicy.rules[{index}]");
        if let Some(name) = rule.at(&["onExitCodes", "containerName"]).and_then(text)
            && !names.contains(&name)
        {
            here.invalid(
                &format!("{below}.onExitCodes.containerName"),
                "must be one of the container or initContainer names in the pod template",
            );
        }
        let is_set = |field: &str| rule.get(field).is_some_and(|value| !super::here::is_empty(value));
        if rule.get("onPodConditions").is_some() && !is_set("onPodConditions") && !is_set("onExitCodes") {
            here.required(&below, "specifying one of OnExitCodes and OnPodConditions is required");
        }
        if rule.get("action").and_then(text) == Some("FailIndex")
            && here.at(&["backoffLimitPerIndex"]).is_none()
        {
            here.invalid(&format!("{below}.action"), "requires the backoffLimitPerIndex to be set");
        }
    }
    if here.at(&["podFailurePolicy"]).is_some()
        && here.text(&["template", "spec", "restartPolicy"]) != Some("Never")
    {
        here.invalid(
            "template.spec.restartPolicy",
            "only \"Never\" is supported when podFailurePolicy is specified",
        );
    }
}

fn exit_codes(here: &mut Here<'_, '_>) {
    let mut before: Option<i64> = None;
    let is_in = here.text(&["operator"]) == Some("In");
    for (index, value) in here.items(&["values"]) {
        let Some(value) = number(value) else { continue };
        let below = format!("values[{index}]");
        match before {
            _ if value == 0 && is_in => here.invalid(&below, "must not be 0 for the In operator"),
            Some(before) if before == value => here.duplicate(&below, &value.to_string()),
            Some(before) if before > value => here.invalid("values", "must be ordered"),
            _ => {}
        }
        before = Some(value);
    }
}

fn autoscaler(here: &mut Here<'_, '_>) {
    let least = here.number(&["minReplicas"]).unwrap_or(1);
    if here.number(&["maxReplicas"]).is_some_and(|most| most < least) {
        here.invalid("maxReplicas", "must be greater than or equal to `minReplicas`");
    }
    let is_of_group = |reference: &Node| {
        let kind = reference.get("kind").and_then(text).unwrap_or("");
        reference.get("apiVersion").and_then(text).is_none() && !matches!(kind, "ReplicationController")
    };
    let is_of_others = |(_, metric): (usize, &Node)| {
        matches!(metric.get("type").and_then(text), Some("Object" | "External"))
    };
    if here.number(&["minReplicas"]) == Some(0)
        && here.version.0 >= 37
        && !here.items(&["metrics"]).any(is_of_others)
    {
        here.forbidden(
            "metrics",
            "must specify at least one Object or External metric to support scaling to zero replicas",
        );
    }
    if here.version.0 >= 36 && here.at(&["scaleTargetRef"]).is_some_and(is_of_group) {
        here.invalid("scaleTargetRef.apiVersion", "apiVersion must specify API group");
    }
    for direction in ["scaleUp", "scaleDown"] {
        let rules = here.at(&["behavior", direction]);
        if rules
            .and_then(|rules| rules.get("policies"))
            .and_then(Node::as_seq)
            .is_some_and(<[Node]>::is_empty)
        {
            here.required(&format!("behavior.{direction}.policies"), "must specify at least one Policy");
        }
    }
}

fn resource_metric(here: &mut Here<'_, '_>) {
    if here.at(&["target", "value"]).is_some() {
        here.forbidden("target.value", "must not set the target value of a resource");
    }
}
