//! What a generator does with an existing resource.

/// What a generator does when its resource already exists (kustomize's `behavior`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Behavior {
    /// Not said; acts as create.
    #[default]
    Unspecified,
    /// An error when the resource exists.
    Create,
    /// Takes the place of the existing one.
    Replace,
    /// Adds to the existing one.
    Merge,
}
