//! `argsOneLiner` of legacy plug-ins: words as a shell splits them.

/// Splits a line at spaces; quotes and backslashes protect, `#` begins a comment. Without variables, patterns or commands.
///
/// # Errors
/// A quote that is not closed.
pub(super) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.extend(characters.next()),
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('#', None) => break,
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote in `argsOneLiner` is not closed");
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_those_of_kustomize() {
        let words = |line| split(line).unwrap();
        assert_eq!(words(r#"a 'b c' "d 'e" f\ g h"i"j"#), ["a", "b c", "d 'e", "f g", "hij"]);
        assert_eq!(words("a#b c"), ["a"]);
        assert_eq!(words(r#"'\' "\"""#), ["\\", "\""]);
        assert_eq!(words("'' \t"), [""; 0]);
        assert!(split("'a").is_err());
    }
}
