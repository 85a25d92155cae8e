//! What an apply will change, as a diff report.

use super::screen::Stream;
use kfc_cluster::apply::Preview;
use kfc_diagnostics::Result;
use kfc_diff::report::{self, Format, Style};
use kfc_diff::{Input, Member};
use kfc_kube::ObjectId;
use kfc_kube::schema::Schema;
use kfc_kube::wave::Wave;
use kfc_kustomize::engine::read;
use kfc_yaml::value::from_json;
use serde_json::Value;
use std::collections::HashSet;

/// The report of what is created, changed and recreated, for a terminal. Values of Secrets are redacted.
pub(super) fn changes_text(waves: &[Wave], preview: &Preview) -> Result<String> {
    let schema = Schema::builtin();
    let member = |value: &Value| -> Result<Member> {
        Ok(Member::new(read::resource(from_json(value, None), &schema)?))
    };
    let mut before = Input { label: "cluster".to_owned(), ..Input::default() };
    let mut after = Input { label: "bundle".to_owned(), ..Input::default() };
    for change in &preview.changed {
        before.resources.push(member(&change.before)?);
        after.resources.push(member(&change.after)?);
    }
    let created: HashSet<&ObjectId> = preview.created.iter().collect();
    for item in waves.iter().flat_map(|wave| &wave.items).filter(|item| created.contains(&item.object)) {
        let body: Value = serde_json::from_str(&item.body).unwrap_or_default();
        after.resources.push(member(&body)?);
    }
    let report = kfc_diff::compare(&before, &after, &schema);
    let style = Style {
        colour: Stream::Errors.colours(),
        width: Stream::Errors.width(),
        folded: false,
        max_bytes: report::COMMENT,
        fail_on: &[],
        texts: None,
    };
    let bytes = report::write(Format::Text, &report, &style)?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}
