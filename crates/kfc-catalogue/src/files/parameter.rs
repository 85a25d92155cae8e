//! Declarations of parameters and facts.

use kfc_yaml::de::Mapping;
use serde::Deserialize;

/// The JSON Schema of a parameter or fact, with three fields more than JSON Schema has.
#[derive(Clone, Debug, Deserialize)]
pub struct Declaration(pub Mapping);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Declaration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Declaration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "A JSON Schema.",
            "properties": {
                "default": {"description": "The default; it may have expressions over facts."},
                "formerly": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "Former words for values of a parameter, and those that replace them: they still work, with a warning.",
                },
                "published": {
                    "type": "boolean",
                    "description": "Whether the default is a published credential: a bundle that contains it gets a warning. It needs `writeOnly: true`, and a default without expressions.",
                },
                "writeOnly": {
                    "type": "boolean",
                    "description": "Whether values are secret: no message shows them.",
                },
            },
        })
    }
}
