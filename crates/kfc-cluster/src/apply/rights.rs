//! Which rights a run lacks, all of them in one message.

use super::session::Session;
use crate::cluster::{ApiResource, Body, Failure};
use futures::stream::{self, StreamExt};
use http::Method;
use kfc_diagnostics::{Code, Diagnostic};
use kfc_kube::ObjectId;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a user lacks a right. Admission refuses with the same status, for other reasons.
pub(super) fn is_missing_right(failure: &Failure) -> bool {
    failure.is_forbidden() && failure.message.contains("User \"") && failure.message.contains(" cannot ")
}

/// The error for rights that are missing to write some objects; each is given with whether it has to be created. `None` when
/// none is missing, or the server does not say.
pub(super) async fn missing(session: &Session<'_>, objects: &[(&ObjectId, bool)]) -> Option<Diagnostic> {
    let discovery = session.discovery();
    let mut needed: BTreeSet<Right> = BTreeSet::new();
    for (object, is_new) in objects {
        let Some(kind) = discovery.find(object) else { continue };
        needed.insert(Right::new("patch", kind, object));
        if *is_new {
            // Server-side apply of a new object needs both.
            needed.insert(Right::new("create", kind, object));
        }
    }
    let each = stream::iter(&needed).map(|right| async move { (right, is_allowed(session, right).await) });
    let each: Vec<_> = each.buffered(session.concurrency).collect().await;
    let lacking: Vec<&Right> =
        each.into_iter().filter(|(_, is_allowed)| !is_allowed).map(|(right, _)| right).collect();
    let mut verbs: BTreeMap<(&str, String), BTreeSet<&str>> = BTreeMap::new();
    for right in &lacking {
        verbs.entry((&right.namespace, right.resource())).or_default().insert(right.verb);
    }
    if verbs.is_empty() {
        return None;
    }
    let count = match verbs.len() {
        1 => "rights on 1 kind are missing".to_owned(),
        count => format!("rights on {count} kinds are missing"),
    };
    let mut error = Diagnostic::error(Code::Refused, format!("{count}; nothing of these was written"));
    for ((namespace, resource), verbs) in verbs {
        let verbs: Vec<&str> = verbs.into_iter().collect();
        let place = match namespace {
            "" => "in the whole cluster".to_owned(),
            namespace => format!("in the namespace `{namespace}`"),
        };
        error = error.note(format!("{} {resource} {place}", verbs.join(" and ")));
    }
    Some(error.help("let an administrator grant them, or leave these resources out; `kubectl auth can-i --list` shows yours"))
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    verb: &'static str,
    group: String,
    plural: String,
    namespace: String,
}

impl Right {
    fn new(verb: &'static str, kind: &ApiResource, object: &ObjectId) -> Self {
        let namespace = if kind.namespaced { object.namespace.clone() } else { String::new() };
        Self { verb, group: kind.group.clone(), plural: kind.plural.clone(), namespace }
    }

    /// `deployments.apps`.
    fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }
}

/// Asks the server; when it does not say, the right counts as there.
async fn is_allowed(session: &Session<'_>, right: &Right) -> bool {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "verb": right.verb, "group": right.group, "resource": right.plural, "namespace": right.namespace,
        }},
    });
    let review = review.to_string();
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let sent = session.connection.send(Method::POST, path, "application/json", Body::Json(&review)).await;
    sent.map_or(true, |(_, answer)| answer["status"]["allowed"] != false)
}
