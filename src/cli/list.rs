//! `kfc list`: the contents of the catalogue.

use super::args::{ListFormatArgs, StackArgs};
use super::here;
use super::listing::{Listing, Row};
use super::output;
use super::targets::{Resolved, Target, resolve_with};
use clap::{Args, ValueEnum};
use kfc_catalogue::catalogue::{
    Catalogue, Component, DEFAULTS, DeclaredSecret, Overlay, Parameter, Place, Role,
};
use kfc_catalogue::resolve::PlannedSecret;
use kfc_diagnostics::{Result, Sources};
use kfc_source::Loader;
use kfc_yaml::value::to_json;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// What can be selected.
    Components,
    /// The layers that profiles are made of.
    Platforms,
    /// What platforms change.
    Overlays,
    /// What can be set.
    Parameters,
    /// What expressions and layers refer to.
    Facts,
    /// What must be kept secret: all that components declare, or those of a profile or stack.
    Secrets,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// What to list.
    what: What,
    /// Only entries that contain this word. After `secrets`, a profile or stack: only its Secrets.
    #[arg(value_name = "FILTER|TARGET")]
    filter: Option<String>,
    #[command(flatten)]
    form: ListFormatArgs,
    /// Directories of catalogues that extend the built-in one.
    #[arg(long = "catalog", alias = "catalogue", value_name = "DIR")]
    catalogue: Vec<PathBuf>,
}

pub(super) fn run(args: &ListArgs) -> u8 {
    let sources = Arc::new(Sources::default());
    let loader = Loader::here(here::reads(), &sources);
    let text = list(args, loader, &sources).and_then(|listing| listing.render(args.form.format));
    output::finish(text, &sources, "the command")
}

fn list(args: &ListArgs, loader: Loader, sources: &Arc<Sources>) -> Result<Listing> {
    if let (What::Secrets, Some(target)) = (args.what, &args.filter) {
        let stack = StackArgs { catalogue: args.catalogue.clone(), ..StackArgs::default() };
        let resolved = resolve_with(loader, &Target::of(target), &stack, sources)?;
        return Ok(Listing {
            kind: "SecretList",
            heads: PLANNED_HEADS.to_vec(),
            rows: secrets_of(&resolved),
        });
    }
    let folders: Vec<Place> = args.catalogue.iter().map(|folder| here::place(folder)).collect();
    let catalogue = Catalogue::load(&loader, &folders)?;
    let parameter_heads = vec!["NAME", "TYPE", "DEFAULT", "DESCRIPTION"];
    let (kind, heads, mut rows) = match args.what {
        What::Components => {
            ("ComponentList", vec!["NAME", "STAGE", "VERSION", "DESCRIPTION"], components(&catalogue))
        }
        What::Platforms => ("PlatformList", vec!["NAME", "ROLE", "DESCRIPTION"], platforms(&catalogue)),
        What::Overlays => ("OverlayList", vec!["NAME", "WHEN", "DESCRIPTION"], overlays(&catalogue)),
        What::Parameters => ("ParameterList", parameter_heads, parameters(&catalogue)),
        What::Facts => ("FactList", parameter_heads, facts(&catalogue)),
        What::Secrets => ("SecretList", SECRET_HEADS.to_vec(), secrets(&catalogue)),
    };
    if let Some(word) = &args.filter {
        let word = word.to_lowercase();
        rows.retain(|row| row.columns.iter().any(|column| column.to_lowercase().contains(&word)));
    }
    Ok(Listing { kind, heads, rows })
}

const SECRET_HEADS: [&str; 5] = ["SECRET", "COMPONENT", "KEYS", "READERS", "DESCRIPTION"];

/// With a profile or stack, also where the values come from.
const PLANNED_HEADS: [&str; 6] = ["SECRET", "COMPONENT", "SOURCE", "KEYS", "READERS", "DESCRIPTION"];

fn secrets(catalogue: &Catalogue) -> Vec<Row> {
    let components = catalogue.components.values();
    let declared =
        components.flat_map(|component| component.secrets.iter().map(move |secret| (component, secret)));
    declared.map(|(component, secret)| secret_row(component, secret)).collect()
}

fn secrets_of(resolved: &Resolved) -> Vec<Row> {
    let row = |secret: &PlannedSecret| {
        let component = &resolved.plan.components[secret.component].component;
        let source = secret.source_word();
        let mut row = secret_row(component, &secret.declared);
        row.columns.insert(2, source.to_owned());
        row.json["source"] = source.into();
        row
    };
    resolved.plan.secrets.iter().map(row).collect()
}

fn secret_row(component: &Component, secret: &DeclaredSecret) -> Row {
    let DeclaredSecret { name, namespace, description, keys, readers, rotation } = secret;
    let key_texts = keys.0.iter().map(|(name, key)| format!("{} ({})", name.value, key.word()));
    let reader_texts = readers.iter().map(|reader| format!("{}/{}", reader.kind, reader.name));
    Row {
        columns: vec![
            format!("{}/{}", namespace.value, name.value),
            component.name.value.clone(),
            key_texts.collect::<Vec<_>>().join(", "),
            reader_texts.clone().collect::<Vec<_>>().join(", "),
            description.clone(),
        ],
        json: json!({
            "name": name.value,
            "namespace": namespace.value,
            "component": component.name.value,
            "keys": keys.0.iter().map(|(name, key)| (name.value.clone(), key.word())).collect::<std::collections::BTreeMap<_, _>>(),
            "readers": reader_texts.collect::<Vec<_>>(),
            "rotation": rotation,
            "description": description,
        }),
    }
}

fn components(catalogue: &Catalogue) -> Vec<Row> {
    let mut all: Vec<&Component> = catalogue.components.values().collect();
    all.sort_by_key(|component| component.stage);
    let row = |component: &Component| Row {
        columns: vec![
            component.name.value.clone(),
            component.stage.word().to_owned(),
            component.version.clone(),
            component.description.clone(),
        ],
        json: json!({
            "name": component.name.value,
            "stage": component.stage.word(),
            "version": component.version,
            "description": component.description,
            "provides": component.provides.iter().map(|word| &word.value).collect::<Vec<_>>(),
        }),
    };
    all.into_iter().map(row).collect()
}

fn platforms(catalogue: &Catalogue) -> Vec<Row> {
    let mut layers: Vec<_> = catalogue.layers.values().filter(|layer| layer.role != Role::Abstract).collect();
    layers.sort_by_key(|layer| layer.role.min(Role::Architecture));
    let row = |layer: &kfc_catalogue::catalogue::Layer| Row {
        columns: vec![layer.name.value.clone(), layer.role.word().to_owned(), layer.description.clone()],
        json: json!({
            "name": layer.name.value,
            "role": layer.role.word(),
            "description": layer.description,
            "facts": layer.facts.as_ref().map(to_json),
        }),
    };
    layers.into_iter().map(row).collect()
}

fn overlays(catalogue: &Catalogue) -> Vec<Row> {
    let row = |overlay: &Overlay| {
        let when = overlay.when.as_ref().map_or("always", |when| when.value.as_str());
        Row {
            columns: vec![overlay.name.value.clone(), when.to_owned(), overlay.description.clone()],
            json: json!({
                "name": overlay.name.value,
                "when": when,
                "components": overlay.components.iter().map(|name| &name.value).collect::<Vec<_>>(),
                "description": overlay.description,
            }),
        }
    };
    catalogue.overlays.values().map(row).collect()
}

fn parameters(catalogue: &Catalogue) -> Vec<Row> {
    let global = catalogue.global_parameters();
    let of_components = catalogue.components.values().flat_map(|component| {
        component
            .parameters
            .iter()
            .map(|p| declared(p, &format!("{}.{}", component.name.value, p.name.value)))
    });
    global.iter().map(|p| declared(p, &p.name.value)).chain(of_components).collect()
}

fn facts(catalogue: &Catalogue) -> Vec<Row> {
    let facts = catalogue.layers.get(DEFAULTS).map_or(&[][..], |layer| &layer.declares);
    facts.iter().map(|fact| declared(fact, &fact.name.value)).collect()
}

fn declared(parameter: &Parameter, name: &str) -> Row {
    let schema = &parameter.schema;
    let choices = schema.get("enum").and_then(Value::as_array).map(|choices| {
        choices
            .iter()
            .map(|c| c.as_str().map_or_else(|| c.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join("|")
    });
    let kind = choices.or_else(|| type_of(schema)).unwrap_or_default();
    let default = parameter.default.as_ref().map(|default| {
        if parameter.is_secret() && !parameter.published {
            Value::from("(not shown)")
        } else {
            to_json(default)
        }
    });
    let default_text = match &default {
        None => "(must be set)".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "\"\"".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    Row {
        columns: vec![name.to_owned(), kind, default_text, description.to_owned()],
        json: json!({"name": name, "schema": parameter.shown_schema(), "default": default}),
    }
}

/// The types that a schema allows.
fn type_of(schema: &Value) -> Option<String> {
    match schema.get("type")? {
        Value::Array(types) => {
            let types: Vec<&str> = types.iter().filter_map(Value::as_str).collect();
            Some(types.join("|"))
        }
        one => one.as_str().map(str::to_owned),
    }
}
