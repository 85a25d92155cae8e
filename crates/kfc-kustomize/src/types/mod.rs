//! Plain types that kustomizations, transformers and generators share, as in kustomize's own `types` package.
//!
//! They have no behaviour here: the module that works with a type implements it.

mod annotation;
mod behavior;
mod field_spec;
mod iam_policy;
mod key_places;
mod namespace;
mod selector;
mod transformer_config;
mod value_add;

pub(crate) use annotation::LOCAL_CONFIG;
pub use behavior::Behavior;
pub use field_spec::FieldSpec;
pub use iam_policy::IamPolicyArgs;
pub use key_places::KeyPlaces;
pub use namespace::{NamespaceRules, Subjects};
pub use selector::Selector;
pub use transformer_config::{NameReference, TransformerConfig};
pub use value_add::{ValueAddArgs, ValueAddTarget};
