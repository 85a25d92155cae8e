//! What an application's parameters tab shows: the parameters that a stack has, with their values.
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#parameters>

use super::{CLUSTER, ENVIRONMENT};
use crate::catalogue::{Catalogue, Parameter, Stack, StackChoice};
use crate::resolve::{Plan, Profile};
use kfc_diagnostics::address::cover_json;
use kfc_yaml::Spanned;
use kfc_yaml::value::to_json;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One parameter, in the form that Argo CD reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Announcement {
    /// The name by which an application sets it.
    pub name: String,
    /// Its title in the tab: the name, so that errors and the tab use the same word.
    pub title: String,
    /// What it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tooltip: String,
    /// Whether it must be set.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// `string`, `number` or `boolean`: the type of the value, or of each item.
    pub item_type: &'static str,
    /// `string`, `array` or `map`.
    pub collection_type: &'static str,
    /// The value it has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string: Option<String>,
    /// The values it has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array: Option<Vec<String>>,
    /// The values it has now, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<BTreeMap<String, String>>,
}

/// The parameters of a stack that was resolved: its fields, the global ones, those of the components that it installs.
#[must_use]
pub fn announce(plan: &Plan, stack: &Stack, catalogue: &Catalogue) -> Vec<Announcement> {
    let mut all = fields(stack, Some(plan), catalogue);
    let value = |values: &Value, name: &str| values.get(name).cloned();
    all.extend(
        catalogue
            .global_parameters()
            .iter()
            .map(|p| declared(p, &p.name.value, value(&plan.parameters, &p.name.value))),
    );
    let mut installed: Vec<_> = plan.components.iter().filter(|planned| !planned.present).collect();
    installed.sort_by_key(|planned| planned.name().to_owned());
    for planned in installed {
        let own = planned.component.parameters.iter();
        all.extend(own.map(|p| {
            declared(
                p,
                &format!("{}.{}", planned.name(), p.name.value),
                value(&planned.parameters, &p.name.value),
            )
        }));
    }
    all
}

/// The parameters of a stack that cannot be resolved, perhaps because one is missing: all that the catalogue has, with the
/// values of the stack.
#[must_use]
pub fn announce_all(stack: &Stack, catalogue: &Catalogue) -> Vec<Announcement> {
    let mut all = fields(stack, None, catalogue);
    let said = |path: &[&str]| stack.parameters.at(path).map(to_json);
    all.extend(
        catalogue.global_parameters().iter().map(|p| declared(p, &p.name.value, said(&[&p.name.value]))),
    );
    for component in catalogue.components.values() {
        let name = component.name.value.as_str();
        let own = component.parameters.iter();
        all.extend(
            own.map(|p| declared(p, &format!("{name}.{}", p.name.value), said(&[name, &p.name.value]))),
        );
    }
    all
}

/// The environment and cluster of a stack, which choose its lines.
#[must_use]
pub fn announce_choice(choice: &StackChoice) -> Vec<Announcement> {
    let text = |name: &str, tooltip: &str, value: &Option<String>| Announcement {
        string: Some(value.clone().unwrap_or_default()),
        ..titled(name, tooltip)
    };
    let environment = "The environment of the stack, of those under `environments` of kfc.yaml.";
    let mut all = vec![text(ENVIRONMENT, environment, &choice.environment)];
    if choice.cluster.is_some() {
        let cluster = "The cluster of the stack, of those under `clusters` of kfc.yaml.";
        all.push(text(CLUSTER, cluster, &choice.cluster));
    }
    all
}

/// The fields of the stack that an application may set.
fn fields(stack: &Stack, plan: Option<&Plan>, catalogue: &Catalogue) -> Vec<Announcement> {
    let texts = |names: &[Spanned<String>]| names.iter().map(|name| name.value.clone()).collect::<Vec<_>>();
    let list = |name: &str, tooltip: &str, items: Vec<String>| Announcement {
        collection_type: "array",
        array: Some(items),
        ..titled(name, tooltip)
    };
    let asked = stack.components.as_deref().map(texts);
    // Without components of the stack, those of the platform: required components are included anyway.
    let of_platform = || {
        let planned = plan.iter().flat_map(|plan| &plan.components);
        let planned = planned.filter(|p| matches!(p.reason, crate::resolve::Reason::Platform(_)));
        let mut names: Vec<String> = planned.map(|planned| planned.name().to_owned()).collect();
        names.sort();
        names
    };
    let names: Vec<&str> = catalogue.components.keys().map(String::as_str).collect();
    vec![
        Announcement {
            string: Some(stack.platform.value.clone()),
            ..titled("platform", "Layers joined by +, such as gke+gpu.")
        },
        list(
            "components",
            &format!("What is installed; what it requires is included. There are {}.", names.join(", ")),
            asked.unwrap_or_else(of_platform),
        ),
        list(
            "present",
            "Components that are already in the cluster: they are not installed.",
            texts(&stack.present),
        ),
        list("without", "Components of the platform that are left out.", texts(&stack.without)),
        Announcement {
            collection_type: "map",
            map: Some(facts(stack, plan.map(|plan| &plan.profile))),
            ..titled("facts", "Facts that are known better here than in the platform, such as storage.class.")
        },
    ]
}

/// The facts that the stack itself sets.
fn facts(stack: &Stack, profile: Option<&Profile>) -> BTreeMap<String, String> {
    let own = |(name, fact): (&String, &crate::resolve::Fact)| {
        (fact.layer == Profile::STACK && is_open(&fact.value)).then(|| (name.clone(), text(&fact.value)))
    };
    if let Some(profile) = profile {
        profile.facts.iter().filter_map(own).collect()
    } else {
        let top = stack.facts.as_map().into_iter().flatten();
        top.filter(|entry| is_open(&to_json(&entry.value)))
            .filter_map(|entry| Some((entry.key.text.to_string(), entry.value.as_text()?.to_owned())))
            .collect()
    }
}

fn titled(name: &str, tooltip: &str) -> Announcement {
    Announcement {
        name: name.to_owned(),
        title: name.to_owned(),
        tooltip: tooltip.to_owned(),
        item_type: "string",
        collection_type: "string",
        ..Announcement::default()
    }
}

/// A parameter by its schema. The value of a `writeOnly` schema is left out.
fn declared(parameter: &Parameter, name: &str, value: Option<Value>) -> Announcement {
    let schema = &parameter.schema;
    let word = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    let value = value.filter(|value| !parameter.is_secret() && is_open(value));
    let announced = titled(name, &tooltip(word("description"), schema));
    let announced = Announcement { required: parameter.default.is_none(), ..announced };
    let items = |of: &str| schema.get(of).map_or("", |schema| scalar_type(schema));
    match word("type") {
        "array" if !items("items").is_empty() => Announcement {
            item_type: items("items"),
            collection_type: "array",
            array: value.map(|value| value.as_array().into_iter().flatten().map(text).collect()),
            ..announced
        },
        "object" if !items("additionalProperties").is_empty() => Announcement {
            item_type: items("additionalProperties"),
            collection_type: "map",
            map: value.map(|value| {
                let entries = value.as_object().into_iter().flatten();
                entries.map(|(key, value)| (key.clone(), text(value))).collect()
            }),
            ..announced
        },
        _ => {
            let item_type = scalar_type(schema);
            let item_type = if item_type.is_empty() { "string" } else { item_type };
            Announcement { item_type, string: value.as_ref().map(text), ..announced }
        }
    }
}

/// Whether a value may be shown: stars for the password of an address in it would be taken for the value.
fn is_open(value: &Value) -> bool {
    let mut covered = value.clone();
    cover_json(&mut covered);
    covered == *value
}

/// The type of a scalar as Argo CD calls it; empty for what is not a scalar.
fn scalar_type(schema: &Value) -> &'static str {
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => "boolean",
        Some("integer" | "number") => "number",
        Some("string") => "string",
        None if schema.get("enum").is_some() => "string",
        _ => "",
    }
}

fn tooltip(description: &str, schema: &Value) -> String {
    let choices: Vec<String> =
        schema.get("enum").and_then(Value::as_array).into_iter().flatten().map(text).collect();
    match choices.as_slice() {
        [] => description.to_owned(),
        _ => format!("{description} One of {}.", choices.join(", ")).trim().to_owned(),
    }
}

/// A value as the tab shows it: structures as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
