//! `ready`: when objects are ready, as expressions in CEL.

use kfc_kube::ObjectPattern;
use kfc_kube::readiness::{Expression, ReadyRule};
use kfc_yaml::Spanned;
use serde::Deserialize;

/// When objects are ready, instead of what their kind says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "ReadyCondition"))]
#[serde(from = "ReadyCondition")]
pub struct ReadyWhen(pub ReadyRule);

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReadyCondition"))]
#[serde(rename = "an entry of `ready`", deny_unknown_fields)]
struct ReadyCondition {
    /// API group of the objects; any when not given.
    group: Option<String>,
    /// Pattern of their kind, in which `*` stands for any characters.
    kind: String,
    /// Pattern of their namespace.
    #[serde(default)]
    namespace: String,
    /// Pattern of their name.
    #[serde(default)]
    name: String,
    /// An expression in CEL over `object`: they are ready when it is true.
    when: Spanned<String>,
    /// An expression in CEL over `object`: they have failed when it is true.
    failed: Option<Spanned<String>>,
    /// What a run waits for, in words.
    message: Option<String>,
}

impl From<ReadyCondition> for ReadyWhen {
    fn from(written: ReadyCondition) -> Self {
        let ReadyCondition { group, kind, namespace, name, when, failed, message } = written;
        Self(rule(ObjectPattern { group, kind, namespace, name }, when, failed, message))
    }
}

/// The rule of an entry.
pub(super) fn rule(
    objects: ObjectPattern,
    when: Spanned<String>,
    failed: Option<Spanned<String>>,
    message: Option<String>,
) -> ReadyRule {
    let expression = |written: Spanned<String>, place: &str| Expression {
        text: written.value,
        mark: written.mark,
        place: place.to_owned(),
    };
    ReadyRule {
        objects,
        when: expression(when, "`when`"),
        failed: failed.map(|failed| expression(failed, "`failed`")),
        message,
    }
}
