//! The JSON Schemas of our own files, and the reference of their fields, from the types that read them.

use crate::catalogue::{Catalogue, DEFAULTS, Parameter, Role};
use crate::files::{ClusterSpec, ComponentFile, OverlayFile, PlatformFile, ReleaseFile, StackText};
use kfc_source::lock::LockFile;
use kfc_yaml::value::to_json;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// A kind of file of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `bases/*/component.yaml`.
    Component,
    /// `overlays/*/*/overlay.yaml`.
    Overlay,
    /// `platforms/*.yaml`.
    Platform,
    /// `releases/*.yaml`.
    Release,
    /// `kfc.yaml`.
    Stack,
    /// The file that `clusters` of a stack names.
    Clusters,
    /// `kfc.lock`.
    Lock,
}

/// Fields of a stack that its environments and clusters do not have.
const OF_STACKS: [&str; 4] = ["extends", "environments", "clusters", "defaults"];

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Component,
        Self::Overlay,
        Self::Platform,
        Self::Release,
        Self::Stack,
        Self::Clusters,
        Self::Lock,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Overlay => "overlay",
            Self::Platform => "platform",
            Self::Release => "release",
            Self::Stack => "stack",
            Self::Clusters => "clusters",
            Self::Lock => "lock",
        }
    }

    /// Where such files are.
    const fn files(self) -> &'static str {
        match self {
            Self::Component => "bases/NAME/component.yaml",
            Self::Overlay => "overlays/AREA/NAME/overlay.yaml",
            Self::Platform => "platforms/NAME.yaml",
            Self::Release => "releases/NAME.yaml",
            Self::Stack => "kfc.yaml",
            Self::Clusters => "clusters.yaml",
            Self::Lock => "kfc.lock",
        }
    }

    /// The JSON Schema of its files. A YAML file is valid when it is as JSON, without its nulls: null counts as absent.
    #[must_use]
    pub fn schema(self) -> Value {
        let mut schema = self.declared();
        self.add_lines(&mut schema);
        schema
    }

    /// As [`Self::schema`], where the names and values are those of a catalogue: of components, parameters, facts and layers.
    #[must_use]
    pub fn schema_with(self, catalogue: &Catalogue) -> Value {
        let mut schema = self.declared();
        match self {
            Self::Stack => add_catalogue(&mut schema["properties"]["spec"]["properties"], catalogue),
            Self::Clusters => {
                let mut lines = Self::Stack.declared()["properties"]["spec"].take();
                add_catalogue(&mut lines["properties"], catalogue);
                put_lines(&mut schema["items"]["properties"]["spec"], &lines);
                return schema;
            }
            _ => {}
        }
        self.add_lines(&mut schema);
        schema
    }

    /// Gives the environments and clusters of a stack its fields: in types they are what a stack is, which has no end.
    fn add_lines(self, schema: &mut Value) {
        match self {
            Self::Stack => {
                let lines = schema["properties"]["spec"].clone();
                let fields = &mut schema["properties"]["spec"]["properties"];
                put_lines(&mut fields["environments"]["additionalProperties"], &lines);
                for form in fields["clusters"]["anyOf"].as_array_mut().into_iter().flatten() {
                    if form.get("items").is_some() {
                        put_lines(&mut form["items"]["properties"]["spec"], &lines);
                    }
                }
            }
            Self::Clusters => {
                let lines = &Self::Stack.declared()["properties"]["spec"];
                put_lines(&mut schema["items"]["properties"]["spec"], lines);
            }
            _ => {}
        }
    }

    fn declared(self) -> Value {
        let schema = match self {
            Self::Component => schema_of::<ComponentFile>(),
            Self::Overlay => schema_of::<OverlayFile>(),
            Self::Platform => schema_of::<PlatformFile>(),
            Self::Release => schema_of::<ReleaseFile>(),
            Self::Stack => schema_of::<StackText>(),
            Self::Clusters => schema_of::<Vec<ClusterSpec>>(),
            Self::Lock => schema_of::<LockFile>(),
        };
        let version = if self == Self::Lock { "v1" } else { "v1alpha1" };
        let mut root = Map::new();
        root.insert(
            "$id".to_owned(),
            format!("https://kfc.dev/schemas/{version}/{}.json", self.word()).into(),
        );
        let mut title = self.word().to_owned();
        title[..1].make_ascii_uppercase();
        root.insert("title".to_owned(), title.into());
        let Value::Object(fields) = schema else { return schema };
        root.extend(fields.into_iter().filter(|(name, _)| name != "title"));
        Value::Object(root)
    }
}

/// Puts the fields of a stack where lines of it may be.
fn put_lines(at: &mut Value, stack: &Value) {
    let mut lines = stack.clone();
    if let Some(fields) = lines["properties"].as_object_mut() {
        fields.retain(|name, _| !OF_STACKS.contains(&name.as_str()));
    }
    if let Some(description) = at.get("description") {
        lines["description"] = description.clone();
    }
    *at = lines;
}

/// The schema of a file of values.
#[must_use]
pub fn values_schema(catalogue: &Catalogue) -> Value {
    let mut schema = parameters_schema(catalogue);
    schema["properties"]["facts"] = facts_schema(catalogue);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["$id"] = "https://kfc.dev/schemas/v1alpha1/values.json".into();
    schema["title"] = "Values".into();
    schema["description"] = "Parameters of a stack by name, and facts below `facts`.".into();
    schema
}

/// Adds the names of a catalogue to the fields of a stack.
fn add_catalogue(fields: &mut Value, catalogue: &Catalogue) {
    let components: Vec<&str> = catalogue.components.keys().map(String::as_str).collect();
    for list in ["components", "present", "without"] {
        fields[list]["items"]["enum"] = json!(components);
    }
    let layers = || catalogue.layers.values().filter(|layer| layer.role != Role::Abstract);
    let names: Vec<String> = layers().map(|layer| layer.name.value.replace('.', "\\.")).collect();
    let any = names.join("|");
    fields["platform"]["pattern"] = format!("^({any})(\\+({any}))*$").into();
    let platforms = layers().filter(|layer| layer.role == Role::Platform);
    fields["platform"]["examples"] = platforms.map(|layer| Value::from(layer.name.value.as_str())).collect();
    for (field, schema) in [("parameters", parameters_schema(catalogue)), ("facts", facts_schema(catalogue))]
    {
        let description = fields[field]["description"].take();
        fields[field] = schema;
        fields[field]["description"] = description;
    }
}

fn parameters_schema(catalogue: &Catalogue) -> Value {
    let mut properties = Map::new();
    for parameter in catalogue.global_parameters() {
        properties.insert(parameter.name.value.clone(), parameter_schema(parameter));
    }
    for (name, component) in &catalogue.components {
        if component.parameters.is_empty() {
            continue;
        }
        let own: Map<String, Value> = component
            .parameters
            .iter()
            .map(|parameter| (parameter.name.value.clone(), parameter_schema(parameter)))
            .collect();
        let description = &component.description;
        let schema = json!({"type": "object", "description": description, "properties": own, "additionalProperties": false});
        properties.insert(name.clone(), schema);
    }
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// The schema of a parameter or fact, with its default unless that is computed or secret.
fn parameter_schema(parameter: &Parameter) -> Value {
    let mut schema = parameter.shown_schema();
    let default = parameter.default.as_ref().filter(|_| !parameter.is_secret()).map(to_json);
    if let Some(default) = default.filter(|default| !default.to_string().contains("{{"))
        && schema.is_object()
    {
        schema["default"] = default;
    }
    schema
}

fn facts_schema(catalogue: &Catalogue) -> Value {
    let mut root = json!({"type": "object", "properties": {}, "additionalProperties": false});
    for fact in catalogue.layers.get(DEFAULTS).into_iter().flat_map(|layer| &layer.declares) {
        let mut here = &mut root;
        for step in fact.name.value.split('.') {
            if !here["properties"].is_object() {
                *here = json!({"type": "object", "properties": {}, "additionalProperties": false});
            }
            here = &mut here["properties"][step];
        }
        *here = parameter_schema(fact);
    }
    root
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    simplify(&mut schema);
    schema
}

/// Removes null, which counts as absent, from types, and defaults that are nothing.
fn simplify(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(map) => {
            let is_nothing =
                |value: &Value| value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
            if map.get("default").is_some_and(is_nothing) {
                map.remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_mut_slice() {
                    let only = only.take();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
                if let [only] = choices.as_mut_slice() {
                    let only = only.take();
                    map.remove("anyOf");
                    for (name, value) in only.as_object().into_iter().flatten() {
                        map.entry(name).or_insert_with(|| value.clone());
                    }
                }
            }
            map.values_mut().for_each(simplify);
        }
        _ => {}
    }
}

/// The page with the fields of all kinds of files, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = "\
# The fields of our files
Every field of the files that kfc reads, from the types that read them. `kfc schema KIND` prints the JSON Schema of a kind, for editors
and checks. Names are cased, an unknown field is an error, and null counts as absent. A text that looks like a number or a boolean
needs quotes.
"
    .to_owned();
    for kind in FileKind::ALL {
        let schema = kind.declared();
        let title = schema["title"].as_str().unwrap_or_default();
        let _ = write!(page, "\n## {title}: `{}`\n", kind.files());
        if let Some(description) = schema["description"].as_str() {
            let _ = writeln!(page, "{description}\n");
        }
        page.push_str("| field | type | description |\n| --- | --- | --- |\n");
        let mut rows = Vec::new();
        add_fields(&schema, "", &mut rows);
        for Row { path, is_required, of_type, description } in rows {
            let required = if is_required { ", required" } else { "" };
            let _ = writeln!(page, "| `{path}` | {of_type}{required} | {description} |");
        }
    }
    page
}

/// A field in the reference.
struct Row {
    path: String,
    is_required: bool,
    of_type: String,
    description: String,
}

/// Adds the fields of a schema, those of alternatives once: such a field must be there if each alternative needs it.
fn add_fields(schema: &Value, prefix: &str, rows: &mut Vec<Row>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let description = field["description"].as_str().unwrap_or_default();
        let description = description.replace('|', "\\|").replace('\n', " ");
        match rows.iter_mut().find(|row| row.path == path) {
            Some(known) if known.description != description => {
                known.description.push(' ');
                known.description.push_str(&description);
            }
            Some(_) => {}
            None => rows.push(Row {
                is_required: is_required(schema, name),
                of_type: type_of(field),
                description,
                path: path.clone(),
            }),
        }
        add_fields(field, &path, rows);
    }
    let below = [("items", "[]"), ("additionalProperties", ".NAME")];
    for (keyword, suffix) in below {
        if schema[keyword].is_object() {
            add_fields(&schema[keyword], &format!("{prefix}{suffix}"), rows);
        }
    }
    let own = rows.len();
    let mappings: Vec<&Value> = choices(schema).flat_map(mappings_of).collect();
    for choice in choices(schema).filter(|choice| !is_list_of_another(schema, choice)) {
        add_fields(choice, prefix, rows);
    }
    for row in &mut rows[own..] {
        let field = row.path.strip_prefix(prefix).and_then(|path| path.strip_prefix('.'));
        if let Some(field) = field.filter(|field| !field.contains(['.', '['])) {
            row.is_required = mappings.iter().all(|mapping| is_required(mapping, field));
        }
    }
}

/// Whether an alternative is a list of what another alternative is.
fn is_list_of_another(schema: &Value, choice: &Value) -> bool {
    choice["type"] == "array" && choices(schema).any(|other| *other == choice["items"])
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|word| word == name))
}

/// The mappings that a value may be.
fn mappings_of(schema: &Value) -> Vec<&Value> {
    if schema["properties"].is_object() {
        vec![schema]
    } else {
        choices(schema).flat_map(mappings_of).collect()
    }
}

fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"].into_iter().filter_map(|keyword| schema[keyword].as_array()).flatten()
}

fn type_of(schema: &Value) -> String {
    let constants: Vec<String> = choices(schema)
        .chain([schema])
        .filter_map(|choice| choice.get("const"))
        .map(|word| format!("`{}`", word.as_str().map_or_else(|| word.to_string(), str::to_owned)))
        .collect();
    if !constants.is_empty() {
        return constants.join(", ");
    }
    match schema["type"].as_str() {
        Some("string") => "text".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("array") => match type_of(&schema["items"]).as_str() {
            "text" => "list of texts".to_owned(),
            "mapping" => "list of mappings".to_owned(),
            _ => "list".to_owned(),
        },
        Some("object") => "mapping".to_owned(),
        Some(other) => other.to_owned(),
        None => {
            let mut types: Vec<String> = choices(schema).map(type_of).collect();
            types.dedup();
            if types.is_empty() { "any value".to_owned() } else { types.join(" or ") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FileKind;

    #[test]
    fn schemas_have_no_nulls_and_no_references() {
        for kind in FileKind::ALL {
            let text = kind.schema().to_string();
            assert!(!text.contains("null") && !text.contains("$ref"), "{text}");
            assert!(jsonschema::validator_for(&kind.schema()).is_ok());
        }
    }
}
