//! What a generator does with an existing resource.

/// What a generator does when its resource already exists (kustomize's `behavior`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Behavior {
    /// Not given; acts as create.
    #[default]
    Unspecified,
    /// An error when the resource exists.
    Create,
    /// Replaces the existing one.
    Replace,
    /// Adds to the existing one.
    Merge,
}
