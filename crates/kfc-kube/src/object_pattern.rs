//! Which objects a declaration is about: by group, kind, namespace and name. A pattern is a text in which `*` stands for any
//! characters.

use crate::ObjectId;

/// Which objects a declaration is about.
///
/// ```
/// use kfc_kube::ObjectPattern;
///
/// let pattern = ObjectPattern { kind: "Deployment".into(), name: "web-*".into(), ..ObjectPattern::default() };
/// assert!(pattern.selects(&"Deployment shop/web-1".parse()?));
/// assert!(!pattern.selects(&"Job shop/web-1".parse()?));
/// # Ok::<(), kfc_kube::NotAnObjectId>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectPattern {
    /// API group of the objects; any when not given.
    pub group: Option<String>,
    /// Pattern of their kind; empty for any.
    pub kind: String,
    /// Pattern of their namespace; empty for any.
    pub namespace: String,
    /// Pattern of their name; empty for any.
    pub name: String,
}

impl ObjectPattern {
    /// The pattern of exactly one object.
    #[must_use]
    pub fn of(object: &ObjectId) -> Self {
        Self {
            group: Some(object.group.clone()),
            kind: object.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        }
    }

    /// Whether it covers an object.
    #[must_use]
    pub fn selects(&self, object: &ObjectId) -> bool {
        let fits = |pattern: &str, text: &str| pattern.is_empty() || covers(pattern, text);
        self.group.as_deref().is_none_or(|group| group == object.group)
            && fits(&self.kind, &object.kind)
            && fits(&self.namespace, &object.namespace)
            && fits(&self.name, &object.name)
    }
}

/// Whether a pattern covers a whole text; `*` stands for any characters.
pub(crate) fn covers(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    if rest.is_empty() {
        return true;
    }
    loop {
        if covers(rest, text) {
            return true;
        }
        let mut chars = text.chars();
        if chars.next().is_none() {
            return false;
        }
        text = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::{ObjectPattern, covers};
    use crate::ObjectId;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text) in [("*", ""), ("a*", "abc"), ("*c", "abc"), ("a*c*e", "abcde"), ("abc", "abc")] {
            assert!(covers(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a*c", "abd"), ("a*b", "ba"), ("ab", "abc"), ("a**b", "a")] {
            assert!(!covers(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_given_fits_everything_and_a_group_is_exact() {
        let job: ObjectId = ObjectId { group: "batch".into(), .."Job shop/migrate".parse().unwrap() };
        assert!(ObjectPattern::default().selects(&job) && ObjectPattern::of(&job).selects(&job));
        let of_group = |group: &str| ObjectPattern { group: Some(group.into()), ..ObjectPattern::default() };
        assert!(of_group("batch").selects(&job) && !of_group("").selects(&job));
    }
}
