//! What commands print for people and for programs: lists with columns, and documents.

use super::args::ListFormat;
use super::messages::API_VERSION;
use super::output;
use super::screen::Stream;
use super::table::table;
use kfc_diagnostics::Result;
use kfc_diagnostics::text::{document, json_document};
use kfc_yaml::emit::emit;
use kfc_yaml::value::from_json;
use serde_json::{Value, json};

/// A list of things of one kind.
pub(super) struct Listing {
    /// The kind of the document: `ComponentList`.
    pub(super) kind: &'static str,
    /// The heads of the columns.
    pub(super) heads: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
}

/// One thing in a list: its columns, of which the first is its name, and itself for programs.
pub(super) struct Row {
    pub(super) columns: Vec<String>,
    pub(super) json: Value,
}

impl Listing {
    /// The list in a form.
    ///
    /// # Errors
    /// A value that YAML cannot have.
    pub(super) fn render(&self, format: ListFormat) -> Result<String> {
        let columns = || self.rows.iter().map(|row| row.columns.clone()).collect::<Vec<_>>();
        match format {
            ListFormat::Text | ListFormat::Wide if self.rows.is_empty() => {
                output::note("nothing was found");
                Ok(String::new())
            }
            ListFormat::Text => Ok(document(table(&self.heads, &columns(), Stream::Output.width()))),
            ListFormat::Wide => Ok(document(table(&self.heads, &columns(), None))),
            ListFormat::Name => {
                let names =
                    self.rows.iter().filter_map(|row| row.columns.first().filter(|name| !name.is_empty()));
                Ok(document(names.fold(String::new(), |text, name| text + name + "\n")))
            }
            ListFormat::Json | ListFormat::Yaml => {
                let items: Vec<&Value> = self.rows.iter().map(|row| &row.json).collect();
                encoded(&described(self.kind, json!({"items": items})), format)
            }
        }
    }
}

/// A document of this kind: an object with its kind and the version of its form.
pub(super) fn described(kind: &str, mut value: Value) -> Value {
    value["apiVersion"] = API_VERSION.into();
    value["kind"] = kind.into();
    value
}

/// A document as JSON, or as YAML when that is the form.
///
/// # Errors
/// A value that YAML cannot have.
pub(super) fn encoded(value: &Value, format: ListFormat) -> Result<String> {
    if format != ListFormat::Yaml {
        return Ok(pretty(value));
    }
    let mut bytes = Vec::new();
    emit(&from_json(value, None), &mut bytes)?;
    Ok(document(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A document as JSON.
pub(super) fn pretty(value: &Value) -> String {
    json_document(format!("{value:#}\n"))
}
