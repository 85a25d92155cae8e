//! What changes do to a cluster: a class and a severity for every field, and findings in words for what people should know
//! before they apply a bundle.

mod changed;
mod crd;
mod exposure;
mod field;
mod findings;
mod image;
mod immutable;
mod loss;
mod rbac;

pub(crate) use changed::Changed;
pub(crate) use field::class_of;
pub(crate) use findings::{findings, removal};
pub(crate) use rbac::Grants;
