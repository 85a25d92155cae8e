//! Explains conflicts: which field, who owns it and since when, its value, and the value in the bundle.

use super::claims::Claims;
use super::inventory_id::{DEFAULT_NAMESPACE, InventoryId, OLD_MANAGER};
use super::owner;
use crate::cluster::{Cause, Failure, without_server_fields};
use kfc_diagnostics::{Code, Diagnostic};
use kfc_kube::ObjectId;
use kfc_kube::redaction::message;
use serde_json::Value;
use std::collections::BTreeSet;

/// Longer values are cut in messages.
const LONGEST: usize = 80;

/// Whether the server refused because other field managers own fields.
pub(super) fn is_conflict(failure: &Failure) -> bool {
    failure.status == 409 && failure.causes.iter().any(|cause| cause.reason == "FieldManagerConflict")
}

/// The conflicts of a refused apply in which a value would change, by the live object and by what it would become. In the
/// others nothing but the owner would: the same value in another spelling, or without defaults.
pub(super) fn differing(causes: Vec<Cause>, live: &Value, predicted: &Value) -> Vec<Cause> {
    let (is_equal, before, after) =
        (without_server_fields(live.clone()) == without_server_fields(predicted.clone()), live, predicted);
    let differs = |cause: &Cause| match (at(before, &cause.field), at(after, &cause.field)) {
        (Some(old), Some(new)) => old != new,
        // The field cannot be found: then only the whole objects tell.
        _ => !is_equal,
    };
    causes.into_iter().filter(|cause| cause.reason != "FieldManagerConflict" || differs(cause)).collect()
}

/// A conflict: what we sent, and what the server said.
pub(super) struct Conflict<'c> {
    pub(super) object: &'c ObjectId,
    pub(super) failure: &'c Failure,
    /// The object as it is, if it could be read.
    pub(super) live: Option<&'c Value>,
    /// What we sent.
    pub(super) body: &'c str,
}

impl Conflict<'_> {
    /// The error for it: each field with its owner, and what can be done for the inventory `own`.
    pub(super) fn explain(&self, own: &InventoryId, claims: &Claims) -> Diagnostic {
        let Self { object, failure, live, body } = self;
        let ours: Value = serde_json::from_str(body).unwrap_or_default();
        let causes: Vec<_> =
            failure.causes.iter().filter(|cause| cause.reason == "FieldManagerConflict").collect();
        let message = match causes.len() {
            1 => format!("{object}: 1 field has another owner"),
            count => format!("{object}: {count} fields have other owners"),
        };
        let mut error = Diagnostic::error(Code::OwnedByOthers, message);
        let mut stacks = BTreeSet::new();
        let mut managers = BTreeSet::new();
        for cause in causes {
            let manager = manager_in(&cause.message);
            let part = subresource_in(&cause.message);
            managers.insert((manager, part));
            let stack = self.stack_of(manager, claims);
            let owner = match &stack {
                Some(id) => format!("the inventory {id} (field manager `{manager}`)"),
                None => format!("`{manager}`"),
            };
            stacks.extend(stack);
            let since = live.and_then(|live| since(live, manager, part)).unwrap_or_default();
            let shown = |value: Option<&Value>| {
                value.map_or("unset".to_owned(), |value| show(value, &cause.field, &object.kind))
            };
            let has = live
                .map_or(String::new(), |live| format!(", its value is {}", shown(at(live, &cause.field))));
            let wants = shown(at(&ours, &cause.field));
            error = error.note(format!(
                "`{}` is owned by {owner}{since}{has}; the bundle has {wants}",
                cause.field.trim_start_matches('.')
            ));
        }
        for id in &stacks {
            error = error.note(move_advice(id, own));
        }
        let entries = || live.map(|live| owner::entries(&live["metadata"])).into_iter().flatten();
        let is_installed = managers.iter().any(|(manager, part)| {
            let is = |entry: &&Value| is_of(entry, manager, *part);
            entries().filter(is).any(owner::is_installer)
        });
        error.help(if is_installed {
            "`--adopt` takes over what another tool installed, with all its fields; `--force-conflicts` takes only these; or \
             leave them to their owner: remove them from the bundle, or declare them under `ignore`"
        } else {
            "take the fields over with `--force-conflicts`, or leave them to their owner: remove them from the bundle, or \
             declare them under `ignore`"
        })
    }

    /// The inventory of a field manager. The manager of earlier versions belongs to the inventory that lists the object.
    fn stack_of(&self, manager: &str, claims: &Claims) -> Option<InventoryId> {
        match manager {
            OLD_MANAGER => claims.holder(self.object).cloned(),
            _ => InventoryId::of_manager(manager),
        }
    }
}

/// What to do when one inventory is to replace another.
#[must_use]
pub fn move_advice(from: &InventoryId, to: &InventoryId) -> String {
    let named = |id: &InventoryId| match id.namespace.as_str() {
        DEFAULT_NAMESPACE => id.name.clone(),
        namespace => format!("{namespace}/{}", id.name),
    };
    format!(
        "if {to} replaces {from}, run `kfc inventory move {} {}`; `--adopt` takes over only the objects of this bundle",
        named(from),
        named(to)
    )
}

/// The manager that a message names: `conflict with "kubectl-edit" using apps/v1`.
pub(super) fn manager_in(message: &str) -> &str {
    message.split('"').nth(1).unwrap_or(message)
}

/// The subresource that a message names: `conflict with "kubectl" with subresource "scale" using apps/v1`.
fn subresource_in(message: &str) -> Option<&str> {
    message.split_once("with subresource \"")?.1.split('"').next()
}

fn is_of(entry: &Value, manager: &str, part: Option<&str>) -> bool {
    entry["manager"] == manager && entry["subresource"].as_str() == part
}

/// Since when and how a manager owns fields.
fn since(live: &Value, owner: &str, part: Option<&str>) -> Option<String> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    let entry = entries.iter().find(|entry| is_of(entry, owner, part))?;
    let time = entry["time"].as_str().map(|time| format!(" since {time}")).unwrap_or_default();
    let how = match entry["operation"].as_str()? {
        "Apply" => "by an apply",
        _ => "by an update",
    };
    let part = part.map(|part| format!(" of its {part}")).unwrap_or_default();
    Some(format!("{time} {how}{part}"))
}

fn show(value: &Value, field: &str, kind: &str) -> String {
    if let Some(hidden) = message::hidden(kind, field, value) {
        return hidden;
    }
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return format!("`{text}`");
    }
    format!("`{}…`", text.chars().take(LONGEST).collect::<String>())
}

/// The value at a path as the server writes it: `.spec.template.spec.containers[name="app"].image`,
/// `.metadata.finalizers[="a"]`, `.metadata.labels.app.kubernetes.io/name`.
fn at<'v>(object: &'v Value, path: &str) -> Option<&'v Value> {
    let mut here = object;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = closing(inside)?;
            here = item(here, &inside[..end])?;
            rest = &inside[end + 1..];
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        // Keys may contain dots: the longest key that exists is meant.
        let ends = rest.char_indices().filter(|(_, c)| matches!(c, '.' | '[')).map(|(at, _)| at);
        let mut ends: Vec<usize> = ends.filter(|at| *at > 0).chain([rest.len()]).collect();
        ends.reverse();
        let end = ends.into_iter().find(|end| here.get(&rest[..*end]).is_some())?;
        here = here.get(&rest[..end])?;
        rest = &rest[end..];
    }
    Some(here)
}

/// Where the bracket closes; texts in quotes may have brackets.
fn closing(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The item of a list that a selector names: `name="app"`, `containerPort=80,protocol="TCP"`, `="value"`, `3`.
fn item<'v>(list: &'v Value, selector: &str) -> Option<&'v Value> {
    let items = list.as_array()?;
    if let Ok(index) = selector.parse::<usize>() {
        return items.get(index);
    }
    let pairs: Vec<(&str, Value)> = selector
        .split(',')
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key, serde_json::from_str(value).ok()?))
        })
        .collect();
    let fits = |item: &&Value| {
        pairs.iter().all(|(key, value)| if key.is_empty() { *item == value } else { item[*key] == *value })
    };
    items.iter().find(fits).filter(|_| !pairs.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Conflict, at, differing};
    use crate::apply::{Claims, InventoryId};
    use crate::cluster::{Cause, Failure};
    use kfc_kube::ObjectId;
    use serde_json::json;

    #[test]
    fn paths_of_the_server_are_followed() {
        let object = json!({
            "metadata": {"labels": {"app.kubernetes.io/name": "x"}, "finalizers": ["a/b"]},
            "spec": {"containers": [{"name": "a]", "ports": [{"containerPort": 80, "protocol": "TCP", "n": 1}]}]},
        });
        let get = |path: &str| at(&object, path).map(ToString::to_string);
        assert_eq!(get(".metadata.labels.app.kubernetes.io/name").as_deref(), Some("\"x\""));
        assert_eq!(get(".metadata.finalizers[=\"a/b\"]").as_deref(), Some("\"a/b\""));
        let port = r#".spec.containers[name="a]"].ports[containerPort=80,protocol="TCP"].n"#;
        assert_eq!(get(port).as_deref(), Some("1"));
        for wrong in
            [".spec.no", ".spec.containers[name=\"b\"]", ".spec.containers[", ".spec.containers[9]", "[", "."]
        {
            assert_eq!(get(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_conflict_that_changes_a_value_is_one() {
        let cause = |field: &str| Cause {
            reason: "FieldManagerConflict".to_owned(),
            field: field.to_owned(),
            ..Cause::default()
        };
        let live = json!({"spec": {"a": "1", "b": [{"x": 1}]}, "metadata": {"resourceVersion": "1"}});
        let mut after = live.clone();
        after["metadata"]["resourceVersion"] = "2".into();
        let causes = || vec![cause(".spec.a"), cause(".spec.b"), cause(".spec.none")];
        assert_eq!(differing(causes(), &live, &after), []);
        after["spec"]["b"] = json!([{"x": 2}]);
        assert_eq!(differing(causes(), &live, &after), [cause(".spec.b"), cause(".spec.none")]);
    }

    #[test]
    fn both_values_and_the_owner_are_reported_but_no_secret() {
        let object = ObjectId {
            group: String::new(),
            version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: "n".to_owned(),
            name: "s".to_owned(),
        };
        let cause = Cause {
            reason: "FieldManagerConflict".to_owned(),
            field: ".data.password".to_owned(),
            message: "conflict with \"kubectl-edit\" using v1".to_owned(),
        };
        let failure = Failure { status: 409, causes: vec![cause], ..Failure::default() };
        let live = json!({
            "metadata": {"managedFields": [{"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-02T03:04:05Z"}]},
            "data": {"password": "b2xk"},
        });
        let body = r#"{"data":{"password":"bmV3"}}"#;
        let conflict = Conflict { object: &object, failure: &failure, live: Some(&live), body };
        let error = conflict.explain(&InventoryId::new("default", "shop"), &Claims::default());
        assert_eq!(error.message, "Secret n/s: 1 field has another owner");
        let note = kfc_diagnostics::Numbers::default().shown(&error.notes[0]).into_owned();
        let start = "`data.password` is owned by `kubectl-edit` since 2026-01-02T03:04:05Z by an update, its value is <hidden 1>; the bundle has <hidden 2>";
        assert!(note.starts_with(start), "{note}");
        assert!(!note.contains("b2xk") && !note.contains("bmV3"), "{note}");
    }
}
