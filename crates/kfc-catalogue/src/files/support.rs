//! `supports`: conditions on facts.

use kfc_yaml::Spanned;
use kfc_yaml::de::TextOr;
use serde::{Deserialize, Deserializer};

/// A condition on facts that something requires.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Support"))]
#[serde(rename = "a condition", deny_unknown_fields)]
pub struct Support {
    /// The condition, an expression.
    pub when: Spanned<String>,
    /// The reason, for messages.
    #[serde(default)]
    pub reason: String,
}

/// One expression, or a list of conditions with reasons.
pub(super) fn supports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Support>, D::Error> {
    Ok(match TextOr::<Vec<Support>>::deserialize(deserializer)? {
        TextOr::Text(when) => vec![Support { when, reason: String::new() }],
        TextOr::Whole(list) => list,
    })
}
