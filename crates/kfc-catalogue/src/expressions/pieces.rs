//! The pieces of a text: the expressions in its `{{ }}`, and the text around them.

/// A part of a text.
pub(crate) enum Piece<'t> {
    Text(&'t str),
    Expression(&'t str),
}

/// Splits text at its `{{ }}`; none when one is not closed.
pub(crate) fn split(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        let inside = &rest[start + 2..];
        let end = inside.find("}}")?;
        pieces.push(Piece::Expression(inside[..end].trim()));
        rest = &inside[end + 2..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Some(pieces)
}
