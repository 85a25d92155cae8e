//! Readiness that users define: when an object is ready, and when it has failed, as expressions in CEL over `object`. This crate
//! knows how they are declared; whoever has an engine for CEL implements [`Readiness`].

use crate::ready::State;
use crate::wave::{Item, Wave};
use crate::{Object, ObjectId, ObjectPattern};
use kfc_diagnostics::Mark;
use serde_json::Value;
use std::fmt;

/// The annotation with the condition for one object, in CEL.
pub const READY_ANNOTATION: &str = "kfc.dev/ready";

/// When some objects are ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyRule {
    /// The objects.
    pub objects: ObjectPattern,
    /// They are ready when this is true.
    pub when: Expression,
    /// They have failed when this is true.
    pub failed: Option<Expression>,
    /// What a run waits for, in words.
    pub message: Option<String>,
}

/// An expression in CEL over `object`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Its text.
    pub text: String,
    /// Its location, if it is in a file.
    pub mark: Option<Mark>,
    /// Where it is written, as errors name it: `` `when` ``, `the annotation … of ConfigMap shop/web`.
    pub place: String,
}

impl Expression {
    /// The condition in the annotation of an object.
    #[must_use]
    pub fn of_annotation(object: &ObjectId, text: &str, mark: Option<Mark>) -> Self {
        let place = format!("the annotation `{READY_ANNOTATION}` of {object}");
        Self { text: text.to_owned(), mark, place }
    }
}

/// Judges objects by the conditions of users.
pub trait Readiness: fmt::Debug + Send + Sync {
    /// Whether a user defined when the object of a resource is ready, by a rule or by its annotation.
    fn concerns(&self, item: &Item) -> bool;

    /// The state of a live object by its condition; `None` when it has none.
    fn state(&self, object: &ObjectId, live: &Value) -> Option<State>;
}

/// The condition in the annotation of an object.
#[must_use]
pub fn annotation_of(body: &Value) -> Option<&str> {
    body["metadata"]["annotations"][READY_ANNOTATION].as_str()
}

/// The conditions in the annotations of resources.
pub fn annotated<'o>(resources: impl IntoIterator<Item = &'o Object>) -> Vec<Expression> {
    let expression = |resource: &'o Object| {
        let value = resource.annotations()?.get(READY_ANNOTATION)?;
        let mark = value.mark.known().or(resource.mark());
        Some(Expression::of_annotation(&ObjectId::of(resource, ""), value.as_text()?, mark))
    };
    resources.into_iter().filter_map(expression).collect()
}

/// The conditions in the annotations of what waves send.
#[must_use]
pub fn annotated_in(waves: &[Wave]) -> Vec<Expression> {
    let items = waves.iter().flat_map(|wave| &wave.items);
    items.filter_map(annotation_of_item).collect()
}

/// The condition in the annotation of a resource.
#[must_use]
pub fn annotation_of_item(item: &Item) -> Option<Expression> {
    if !item.body.contains(READY_ANNOTATION) {
        return None;
    }
    let body: Value = serde_json::from_str(&item.body).ok()?;
    Some(Expression::of_annotation(&item.object, annotation_of(&body)?, item.mark))
}

#[cfg(test)]
mod tests {
    use super::{annotated, annotated_in};
    use crate::Object;
    use crate::wave::of_bundle;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    #[test]
    fn conditions_are_in_annotations() {
        let text = "
{kind: ConfigMap, apiVersion: v1, metadata: {name: a, annotations: {kfc.dev/ready: object.data.a == 'b'}}}
---
{kind: ConfigMap, apiVersion: v1, metadata: {name: b}, data: {kfc.dev/ready: no annotation}}
";
        let objects: Vec<Object> =
            parse(text, SourceId(0)).unwrap().into_iter().map(|node| Object::new(node, false)).collect();
        let found = annotated(&objects);
        let texts: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, ["object.data.a == 'b'"]);
        assert_eq!(found[0].place, "the annotation `kfc.dev/ready` of ConfigMap a");
        let waves = of_bundle(&objects.iter().collect::<Vec<_>>(), "shop").unwrap();
        let places: Vec<String> = annotated_in(&waves).into_iter().map(|one| one.place).collect();
        assert_eq!(places, ["the annotation `kfc.dev/ready` of ConfigMap shop/a"]);
    }
}
