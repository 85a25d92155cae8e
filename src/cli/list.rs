//! `kfc list`: the contents of the catalogue, and the codes of errors.

use super::args::{ListFormatArgs, StackArgs};
use super::codes;
use super::here;
use super::listing::{Listing, Row};
use super::output;
use super::targets::{Resolved, Target, catalogue, is_open_setting, resolve_with};
use clap::{Args, ValueEnum};
use kfc_catalogue::catalogue::{
    Catalogue, Component, DEFAULTS, DeclaredSecret, Difference, Overlay, Parameter, Place, Role, StackChoice,
    StackCluster, StackDefinition, StackEnvironment,
};
use kfc_catalogue::resolve::PlannedSecret;
use kfc_diagnostics::{Code, Diagnostic, Result, Sources};
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
    /// The environments of a stack, with the lines by which each differs.
    Environments,
    /// The clusters of a stack, with the lines by which each differs from its environment.
    Clusters,
    /// Codes of errors and warnings; `kfc explain CODE` has the cause and the fix.
    Codes,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// What to list.
    what: What,
    /// Only entries that contain this word. After `secrets`, a profile or stack: only its Secrets. After `environments` and `clusters`,
    /// the stack; the one here when not given.
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
    if matches!(args.what, What::Environments | What::Clusters) {
        return of_stack(args, &loader);
    }
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
        What::Secrets | What::Environments | What::Clusters => {
            ("SecretList", SECRET_HEADS.to_vec(), secrets(&catalogue))
        }
        What::Codes => ("CodeList", vec!["CODE", "TITLE"], codes::rows()),
    };
    if let Some(word) = &args.filter {
        let word = word.to_lowercase();
        rows.retain(|row| row.columns.iter().any(|column| column.to_lowercase().contains(&word)));
    }
    Ok(Listing { kind, heads, rows })
}

/// The environments or clusters of a stack.
fn of_stack(args: &ListArgs, loader: &Loader) -> Result<Listing> {
    let target = args.filter.as_deref().unwrap_or(".");
    let Target::Stack(file) = Target::of(target) else {
        let message = format!("`{target}` is not a stack");
        let error = Diagnostic::error(Code::Usage, message);
        return Err(error.help("name a `kfc.yaml` or its directory").into());
    };
    let definition = StackDefinition::load(loader, &file)?;
    // Values of parameters are shown as far as their catalogue says that they are not secret.
    let shown = |difference: &Difference, catalogue: Option<&Catalogue>| -> (String, Value) {
        let Difference { name, value, is_parameter, mark } = difference;
        let is_open = !is_parameter || catalogue.is_some_and(|catalogue| is_open_setting(catalogue, name));
        let shown = match value {
            Some(value) if is_open => value.clone(),
            Some(_) => "…".to_owned(),
            None => "null".to_owned(),
        };
        let place = mark.and_then(|mark| loader.sources().locate(mark));
        (format!("{name}={shown}"), json!({"name": name, "value": shown, "place": place}))
    };
    let catalogue_of = |choice: &StackChoice| {
        let stack = definition.stack(choice).ok()?;
        let stack_args = StackArgs { catalogue: args.catalogue.clone(), ..StackArgs::default() };
        Some((catalogue(loader, &stack, &stack_args).ok()?, stack.platform.value))
    };
    let row = |names: Vec<String>, mut json: Value, list: &[Difference], catalogue: Option<&Catalogue>| {
        let (texts, lines): (Vec<String>, Vec<Value>) = list.iter().map(|one| shown(one, catalogue)).unzip();
        json["differs"] = lines.into();
        Row { columns: names.into_iter().chain([texts.join(" ")]).collect(), json }
    };
    if matches!(args.what, What::Clusters) {
        let known = definition.clusters.first().and_then(|cluster| catalogue_of(&cluster.choice()));
        let row = |cluster: &StackCluster| {
            let environment = cluster.environment.as_ref().map(|name| name.value.clone());
            let name = cluster.name.value.clone();
            let json = json!({"name": name, "environment": environment, "context": cluster.context});
            let names = vec![name, environment.unwrap_or_default(), cluster.context.clone()];
            row(names, json, &cluster.differences(), known.as_ref().map(|(catalogue, _)| catalogue))
        };
        let heads = vec!["NAME", "ENVIRONMENT", "CONTEXT", "DIFFERS"];
        return Ok(Listing {
            kind: "ClusterList",
            heads,
            rows: definition.clusters.iter().map(row).collect(),
        });
    }
    let row = |environment: &StackEnvironment| {
        let name = environment.name.value.clone();
        let choice = StackChoice { environment: Some(name.clone()), cluster: None };
        let known = catalogue_of(&choice);
        let (catalogue, platform) = known.as_ref().map_or((None, ""), |(c, platform)| (Some(c), platform));
        let count = definition.clusters_of(Some(&name)).count();
        let json = json!({"name": name, "platform": platform, "clusters": count});
        row(vec![name, platform.to_owned(), count.to_string()], json, &environment.differences(), catalogue)
    };
    let heads = vec!["NAME", "PLATFORM", "CLUSTERS", "DIFFERS"];
    Ok(Listing { kind: "EnvironmentList", heads, rows: definition.environments.iter().map(row).collect() })
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
