//! The JSON Schemas of parameters, compiled to check values if they are small enough.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use kfc_diagnostics::address::COVERED;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark};
use kfc_kube::Quantity;
use serde_json::Value;
use std::collections::HashMap;

/// The number of schemas that one schema may expand to. Every reference counts with all that it refers to, and alternatives
/// count twice, as often as the library checks them.
const MOST: u64 = 20_000;

/// A schema that is compiled to check values.
///
/// # Errors
/// Why it is not a JSON Schema; references that lead out of the schema or are circular, and schemas that expand to more than
/// 20,000.
pub(crate) fn validator(schema: &Value) -> Result<jsonschema::Validator, String> {
    let mut counter = Counter { schema, known: HashMap::new() };
    if counter.count(schema)? > MOST {
        return Err(format!("with its references it expands to more than {MOST} schemas"));
    }
    jsonschema::validator_for(schema).map_err(|error| error.to_string())
}

struct Counter<'s> {
    schema: &'s Value,
    /// The numbers of schemas of references; `None` while they are counted.
    known: HashMap<&'s str, Option<u64>>,
}

impl<'s> Counter<'s> {
    /// The number of schemas that a schema expands to. Each value in it counts as one.
    fn count(&mut self, value: &'s Value) -> Result<u64, String> {
        let mut sum = 1_u64;
        match value {
            Value::Array(items) => {
                for item in items {
                    sum = sum.saturating_add(self.count(item)?);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    let more = match (name.as_str(), field) {
                        ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(to)) => {
                            self.reference(to)?
                        }
                        // Each alternative is tried once, and again for its error.
                        ("anyOf" | "oneOf", field) => self.count(field)?.saturating_mul(2),
                        _ => self.count(field)?,
                    };
                    sum = sum.saturating_add(more);
                }
            }
            _ => {}
        }
        Ok(sum)
    }

    fn reference(&mut self, to: &'s str) -> Result<u64, String> {
        match self.known.get(to) {
            Some(Some(count)) => return Ok(*count),
            Some(None) => return Err(format!("the reference `{to}` refers to itself")),
            None => {}
        }
        let found = to.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer));
        let found = found.ok_or_else(|| {
            format!("the reference `{to}` does not exist in the schema: write it as `#/$defs/NAME`")
        })?;
        self.known.insert(to, None);
        let count = self.count(found)?;
        self.known.insert(to, Some(count));
        Ok(count)
    }
}

/// A value that is checked.
pub(crate) struct Checked<'v> {
    /// Its name in errors.
    pub(crate) what: &'v str,
    /// The code of the errors.
    pub(crate) code: Code,
    pub(crate) value: &'v Value,
    /// Whether errors may quote it.
    pub(crate) is_secret: bool,
}

/// Checks a value; `mark_of` returns the location of a JSON pointer in it.
pub(crate) fn check_schema(
    schema: &Value,
    checked: &Checked<'_>,
    mark_of: impl Fn(&str) -> Option<Mark>,
) -> kfc_diagnostics::Result<()> {
    let Checked { what, code, value, is_secret } = *checked;
    let validator = match validator(schema) {
        Ok(validator) => validator,
        Err(error) => {
            let message = format!("the schema of {what} is not valid: {error}");
            return Err(Diagnostic::error(code, message).at(mark_of("")).into());
        }
    };
    let mut errors = Diagnostics::default();
    let refused = validator.iter_errors(value).map(|error| {
        let why = if is_secret { masked(&error) } else { error.to_string() };
        (error.instance_path().to_string(), why)
    });
    let no_quantity = (!is_quantity(schema, value)).then(|| {
        let shown = if is_secret { "value".to_owned() } else { value.to_string() };
        (String::new(), format!("{shown} is not a quantity, such as 500m or 20Gi"))
    });
    for (pointer, why) in refused.chain(no_quantity) {
        let shown = if is_secret { open_pointer(&pointer, schema) } else { pointer.clone() };
        let within = if shown.is_empty() { String::new() } else { format!(" at `{shown}`") };
        let message = format!("{what} has a wrong value{within}: {why}");
        let description = schema.get("description").and_then(Value::as_str);
        let diagnostic = Diagnostic::error(code, message).at(mark_of(&pointer));
        errors.push(
            description.into_iter().fold(diagnostic, |d, text| d.note(format!("its description: {text}"))),
        );
    }
    errors.into_result(())
}

/// Whether a value is an amount as Kubernetes writes it, where `format` asks for one. Formats of JSON Schema are not checked.
fn is_quantity(schema: &Value, value: &Value) -> bool {
    schema["format"] != "quantity" || value.as_str().is_none_or(|text| Quantity::parse(text).is_some())
}

/// What is wrong with a secret, without its values and without its keys, which may be as secret.
fn masked(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { .. }
        | ValidationErrorKind::UnevaluatedProperties { .. }
        | ValidationErrorKind::UnevaluatedItems { .. }
        | ValidationErrorKind::PropertyNames { .. }
        | ValidationErrorKind::FromUtf8 { .. }
        | ValidationErrorKind::Custom { .. } => {
            format!("value does not satisfy `{}` of its schema", error.kind().keyword())
        }
        _ => error.masked().to_string(),
    }
}

/// A JSON pointer into a secret without the keys that its schema does not name.
fn open_pointer(pointer: &str, schema: &Value) -> String {
    let is_open = |step: &str| {
        let key = step.replace("~1", "/").replace("~0", "~");
        step.is_empty() || step.parse::<usize>().is_ok_and(|at| at < 1000) || is_property(&key, schema)
    };
    let steps = pointer.split('/').map(|step| if is_open(step) { step } else { COVERED });
    steps.collect::<Vec<_>>().join("/")
}

/// Whether a schema, or one in it, names a property.
fn is_property(name: &str, schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            let named = map.get("properties").and_then(Value::as_object);
            named.is_some_and(|named| named.contains_key(name)) || map.values().any(|s| is_property(name, s))
        }
        Value::Array(items) => items.iter().any(|schema| is_property(name, schema)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::validator;
    use serde_json::{Value, json};

    #[test]
    fn references_count_with_what_they_lead_to() {
        let chain = |levels: usize, word: &str| {
            let level = |at: usize| {
                let next = json!({"$ref": format!("#/$defs/a{}", at + 1)});
                (format!("a{at}"), json!({word: [next.clone(), next]}))
            };
            let mut definitions: serde_json::Map<String, Value> = (0..levels).map(level).collect();
            definitions.insert(format!("a{levels}"), json!({"type": "string"}));
            json!({"$defs": definitions, "$ref": "#/$defs/a0"})
        };
        for word in ["anyOf", "allOf", "oneOf"] {
            assert!(validator(&chain(5, word)).is_ok(), "{word}");
            let error = validator(&chain(25, word)).unwrap_err();
            assert!(error.contains("more than 20000 schemas"), "{error}");
        }
    }

    #[test]
    fn references_lead_to_other_places_of_the_schema() {
        assert!(validator(&json!({"$ref": "#"})).unwrap_err().contains("refers to itself"));
        let around = json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"});
        assert!(validator(&around).unwrap_err().contains("refers to itself"));
        for to in ["https://example.com/x.json", "#/$defs/b", "#name", "x.json"] {
            assert!(validator(&json!({"$ref": to})).unwrap_err().contains("does not exist"), "{to}");
        }
        assert!(validator(&json!({"$defs": {"n": {"type": "integer"}}, "$ref": "#/$defs/n"})).is_ok());
        assert!(validator(&json!({"type": "nothing"})).is_err());
    }

    #[test]
    fn schemas_that_nest_are_refused_within_a_moment() {
        let mut schema = json!({"type": "string"});
        for level in 0..25 {
            schema = json!({"anyOf": [schema, {"type": "string"}]});
            if level == 5 {
                assert_eq!(validator(&schema).unwrap().iter_errors(&json!(1)).count(), 1);
            }
        }
        assert!(validator(&schema).unwrap_err().contains("more than 20000 schemas"));
    }
}
