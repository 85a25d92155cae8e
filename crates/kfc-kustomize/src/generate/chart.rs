//! A chart before helm gets it. helm follows every link, and its schemas of values may refer to any file: a chart is part of
//! a root, and reads what the root may read.

use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_source::Os;
use kfc_source::door::{Limit, Named};
use kfc_source::walk::{self, Walked};
use kfc_source::{FileSystem as _, LoadRestrictor, Loader, is_on_this_machine};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The file of a chart, and of each chart in it, that helm checks the values against.
const SCHEMA: &str = "values.schema.json";

/// Refuses a chart with links or schemas that lead to what the root may not read, or with something that is not a file: helm
/// would follow the links and wait for what is not a file.
///
/// # Errors
/// [`Code::OutsideRoot`], [`Code::WrongFileType`]; [`Code::Helm`] for what helm could not read either.
pub(super) fn check(location: &Path, loader: &Loader, mark: Option<Mark>) -> Result<()> {
    let root = loader.root();
    // A fetched chart is outside of the root, and nothing in it may lead out of the chart.
    let locate = |path: &Path| -> Result<PathBuf> {
        match path.strip_prefix(root) {
            Ok(below) => loader.real_path(&below.to_string_lossy(), mark),
            Err(_) => Ok(in_chart(location, path, mark).locate()?),
        }
    };
    let files = if Os.is_file(location) {
        vec![Walked { below: PathBuf::new(), real: location.to_owned() }]
    } else {
        walk::files(location, mark, &locate)?
    };
    let is_lifted = loader.options().restrictor == LoadRestrictor::None && loader.repository().is_none();
    if is_lifted {
        return Ok(());
    }
    let mut errors = Diagnostics::default();
    for file in files {
        let is_whole = file.below.as_os_str().is_empty();
        let place = if is_whole { location.to_owned() } else { location.join(&file.below) };
        let shown = place.strip_prefix(root).unwrap_or(&place).to_string_lossy();
        let is_packed = || place.extension().is_some_and(|ending| ending == "tgz");
        let is_dependency = || place.parent().is_some_and(|folder| folder.ends_with("charts"));
        let checked = if place.file_name().is_some_and(|name| name == SCHEMA) {
            file.read(&shown, mark).and_then(|bytes| check_schema(&bytes, &shown, mark))
        } else if is_whole || is_packed() && is_dependency() {
            file.read(&shown, mark).and_then(|bytes| check_packed(&bytes, &shown, mark))
        } else {
            Ok(())
        };
        errors.collect(checked);
    }
    errors.into_result(())
}

/// A file of a chart, which may not lead out of it.
pub(super) fn in_chart<'p>(location: &'p Path, path: &'p Path, referrer: Option<Mark>) -> Named<'p> {
    let limit = Some(Limit { folder: location, what: "its chart" });
    Named { files: &Os, path, limit, shown: path.to_str().unwrap_or("a file of the chart"), referrer }
}

fn check_schema(bytes: &[u8], shown: &str, mark: Option<Mark>) -> Result<()> {
    let schema: Value = serde_json::from_slice(bytes).map_err(|_| {
        Diagnostics::from(Diagnostic::error(Code::Helm, format!("`{shown}` is not JSON")).at(mark))
    })?;
    let Some(reference) = leading_out(&schema, false) else { return Ok(()) };
    let message = format!("`{shown}` refers to `{}`, which is outside its chart", reference.escape_debug());
    let error = Diagnostic::error(Code::OutsideRoot, message).at(mark);
    Err(error.help("copy the schema that it refers to into this one, below `$defs`").into())
}

/// The first reference of a schema to a file or server of this machine. Relative references start at the schema's `$id`,
/// and at the top of the file system when it has none.
fn leading_out(schema: &Value, mut is_on_the_web: bool) -> Option<&str> {
    match schema {
        Value::Array(items) => items.iter().find_map(|item| leading_out(item, is_on_the_web)),
        Value::Object(fields) => {
            for name in ["$id", "id"] {
                let Some(id) = fields.get(name).and_then(Value::as_str) else { continue };
                match id.split_once("://") {
                    Some(("http" | "https", _)) if !is_on_this_machine(id) => is_on_the_web = true,
                    Some(_) => return Some(id),
                    // A property may be called `id`; an opaque address (`file:x`) is none that anything could start at.
                    None if id.to_ascii_lowercase().starts_with("file:") => return Some(id),
                    None => {}
                }
            }
            let references = ["$ref", "$schema", "$dynamicRef", "$recursiveRef"];
            let mut references = references.iter().filter_map(|name| fields.get(*name)?.as_str());
            references
                .find(|reference| leads_out(reference, is_on_the_web))
                .or_else(|| fields.values().find_map(|field| leading_out(field, is_on_the_web)))
        }
        _ => None,
    }
}

fn leads_out(reference: &str, is_on_the_web: bool) -> bool {
    match reference.split_once("://") {
        Some(("http" | "https", _)) => is_on_this_machine(reference),
        Some(_) => true,
        None if reference.starts_with('#') || reference.is_empty() => false,
        None => !is_on_the_web || reference.to_ascii_lowercase().starts_with("file:"),
    }
}

/// Looks into a chart that is packed, and into those that are packed in it.
#[cfg(feature = "fetch")]
fn check_packed(bytes: &[u8], shown: &str, mark: Option<Mark>) -> Result<()> {
    use kfc_source::remote::archive::{Limits, files_of};
    /// Charts in each other.
    const DEEPEST: usize = 8;
    let mut open = vec![(bytes.to_vec(), shown.to_owned(), 0)];
    let mut left = Limits::default();
    while let Some((bytes, shown, depth)) = open.pop() {
        let refused = |why: String| {
            let message = format!("the packed chart `{shown}` is refused: {why}");
            Diagnostics::from(Diagnostic::error(Code::Helm, message).at(mark))
        };
        if depth == DEEPEST {
            return Err(refused(format!("it is nested {DEEPEST} charts deep")));
        }
        let is_meant = |parts: &[&str]| parts.contains(&SCHEMA) || is_packed_dependency(parts);
        for (name, bytes) in files_of(&bytes, &mut left, is_meant).map_err(refused)? {
            let shown = format!("{shown}/{name}");
            match name.ends_with(".tgz") {
                true => open.push((bytes, shown, depth + 1)),
                // A link or directory of that name is an empty file to helm.
                false if bytes.is_empty() => {}
                false => check_schema(&bytes, &shown, mark)?,
            }
        }
    }
    Ok(())
}

#[cfg(feature = "fetch")]
fn is_packed_dependency(parts: &[&str]) -> bool {
    parts.contains(&"charts") && parts.last().is_some_and(|name| name.ends_with(".tgz"))
}

#[cfg(not(feature = "fetch"))]
fn check_packed(_: &[u8], shown: &str, mark: Option<Mark>) -> Result<()> {
    let message = format!("this kfc was built without the feature `fetch`, and cannot look into `{shown}`");
    Err(Diagnostic::error(Code::Helm, message).at(mark).help("unpack the chart").into())
}

#[cfg(test)]
mod tests {
    use super::leading_out;
    use serde_json::json;

    #[test]
    fn schemas_refer_to_themselves_or_to_the_web() {
        for schema in [
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/$defs/a"}),
            json!({"properties": {"a": {"$ref": "https://example.com/a.json"}, "id": {"type": "string"}}}),
            json!({"$id": "https://example.com/x/", "items": {"$ref": "a.json"}}),
            json!({"properties": {"$ref": {"type": "string"}}, "$id": "name"}),
        ] {
            assert_eq!(leading_out(&schema, false), None, "{schema}");
        }
        for reference in [
            "file:///etc/passwd",
            "FILE:///etc/passwd",
            "file:/etc/passwd",
            "/etc/passwd",
            "etc/passwd",
            "../a.json",
            "http://127.0.0.1:8080/a",
            "https://localhost/a",
            "jar://x",
        ] {
            for schema in [
                json!({"properties": {"a": [{"$ref": reference}]}}),
                json!({"$schema": reference}),
                json!({"$defs": {"x": {"$dynamicRef": reference}}}),
            ] {
                assert_eq!(leading_out(&schema, false), Some(reference), "{schema}");
            }
        }
        for id in ["file:///etc/", "file:/etc/", "http://localhost/"] {
            assert_eq!(leading_out(&json!({"$id": id, "$ref": "#/a"}), false), Some(id));
        }
        let nested = json!({"$id": "https://example.com/", "items": {"$ref": "file:a"}});
        assert_eq!(leading_out(&nested, false), Some("file:a"));
        let scoped = json!({"$id": "https://example.com/", "items": {"$ref": "/a"}});
        assert_eq!(leading_out(&scoped, false), None);
    }
}
