//! The published JSON Schemas of our own kinds, for editors and checks.

/// The kinds that have a schema, with its text.
pub const SCHEMAS: [(&str, &str); 4] = [
    ("component", include_str!("schemas/component.json")),
    ("overlay", include_str!("schemas/overlay.json")),
    ("platform", include_str!("schemas/platform.json")),
    ("stack", include_str!("schemas/stack.json")),
];

/// The schema of a kind, in any case.
#[must_use]
pub fn of(kind: &str) -> Option<&'static str> {
    SCHEMAS.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind)).map(|(_, text)| *text)
}
