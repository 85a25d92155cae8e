//! Filters of expressions over lists of mappings, such as users: they make the lists and mappings that a resource needs.

use base16ct::lower::encode_string;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

type Items = Vec<Map<String, Value>>;

/// Adds the filters.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter("named", named);
    environment.add_filter("fields", fields);
    environment.add_filter("pairs", pairs);
}

/// Each mapping with one field more: a prefix, and a text that another field always has the same of, of letters and digits.
fn named(list: &minijinja::Value, new: &str, of: &str, prefix: &str) -> Result<minijinja::Value, Error> {
    changed(list, |mut item| {
        let name = format!("{prefix}{}", encode_string(text(&item, of)?.as_bytes()));
        item.insert(new.to_owned(), name.into());
        Ok(item)
    })
}

/// Mappings with other fields: the new names, and those of the fields that they come from.
fn fields(list: &minijinja::Value, from: &minijinja::Value) -> Result<minijinja::Value, Error> {
    let from: BTreeMap<String, String> = read(from, "a mapping of names to names of fields")?;
    changed(list, |item| {
        let field = |(new, old): (&String, &String)| -> Result<(String, Value), Error> {
            Ok((new.clone(), item.get(old).cloned().ok_or_else(|| lacks(old))?))
        };
        from.iter().map(field).collect()
    })
}

/// A mapping of one field of each to another one.
fn pairs(list: &minijinja::Value, key: &str, value: &str) -> Result<minijinja::Value, Error> {
    let items: Items = read(list, "a list of mappings")?;
    let pair = |item: &Map<String, Value>| -> Result<(String, Value), Error> {
        Ok((text(item, key)?.to_owned(), text(item, value)?.into()))
    };
    let pairs: Map<String, Value> = items.iter().map(pair).collect::<Result<_, Error>>()?;
    Ok(Serde(Value::Object(pairs)).into())
}

fn changed(
    list: &minijinja::Value,
    change: impl Fn(Map<String, Value>) -> Result<Map<String, Value>, Error>,
) -> Result<minijinja::Value, Error> {
    let items: Items = read(list, "a list of mappings")?;
    let items: Items = items.into_iter().map(change).collect::<Result<_, Error>>()?;
    Ok(Serde(items).into())
}

/// The message of the library would quote the value.
fn read<T: serde::de::DeserializeOwned>(value: &minijinja::Value, expected: &str) -> Result<T, Error> {
    let json = serde_json::to_value(value).unwrap_or_default();
    serde_json::from_value(json)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("expected {expected}")))
}

fn text<'i>(item: &'i Map<String, Value>, field: &str) -> Result<&'i str, Error> {
    item.get(field).and_then(Value::as_str).ok_or_else(|| lacks(field))
}

fn lacks(field: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("an item of the list has no text `{field}`"))
}

#[cfg(test)]
mod tests {
    use crate::resolve::Scope;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::Node;
    use kfc_yaml::value::to_json;
    use serde_json::{Value, json};

    fn value(expression: &str) -> Result<Value, String> {
        let users = json!([{"email": "a@b", "hash": "x"}, {"email": "c", "hash": "y"}]);
        let scope = Scope::new(&json!({}), &json!({"users": users}), &[]);
        let node = Node::string(
            &format!("{{{{ {expression} }}}}"),
            kfc_diagnostics::Mark { source: SourceId::NONE, offset: 0 },
        );
        scope.value(&node).map(|node| to_json(&node)).map_err(|errors| errors.0[0].message.clone())
    }

    #[test]
    fn lists_of_mappings_become_what_resources_need() {
        let named = "parameters.users | named('env', 'email', 'HASH_')";
        assert_eq!(
            value(&format!("{named} | fields({{'email': 'email', 'from': 'env'}})")).unwrap(),
            json!([{"email": "a@b", "from": "HASH_614062"}, {"email": "c", "from": "HASH_63"}])
        );
        assert_eq!(
            value(&format!("{named} | pairs('env', 'hash')")).unwrap(),
            json!({"HASH_614062": "x", "HASH_63": "y"})
        );
    }

    #[test]
    fn errors_show_no_values() {
        for (expression, why) in [
            ("parameters.users | pairs('email', 'name')", "an item of the list has no text `name`"),
            ("parameters.users | fields({'a': 'b'})", "an item of the list has no text `b`"),
            ("'text' | named('a', 'b', 'c')", "expected a list of mappings"),
            ("parameters.users | fields('hash')", "expected a mapping of names to names of fields"),
        ] {
            let said = value(expression).unwrap_err();
            assert!(said.ends_with(why), "{said}");
        }
    }
}
