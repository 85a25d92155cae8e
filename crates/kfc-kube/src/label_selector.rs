//! Kubernetes label selector expressions: `a=b,c!=d,e in (f,g),!h,i>3`.

use kfc_yaml::{Map, Node};

/// A parsed expression: requirements that all have to hold. No requirement holds for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

/// What is asked of the value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Parses an expression with the grammar of the Kubernetes API; blank text gives a selector that holds always.
    ///
    /// # Errors
    /// What was found and what was expected there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens = scan(text);
        let mut parser = Parser { tokens: &tokens };
        let mut requirements = Vec::new();
        if parser.peek() == Token::End {
            return Ok(Self::default());
        }
        loop {
            requirements.push(parser.requirement()?);
            match parser.next() {
                Token::End => return Ok(Self { requirements }),
                Token::Symbol(",") => {}
                other => return Err(format!("expected `,` or the end, found {other}")),
            }
        }
    }

    /// Whether the labels (or annotations) fulfil every requirement; missing ones count as an empty mapping.
    #[must_use]
    pub fn matches(&self, labels: Option<&Map>) -> bool {
        self.requirements.iter().all(|r| r.test.holds(labels.and_then(|map| map.get(&r.key))))
    }
}

impl Test {
    fn holds(&self, value: Option<&Node>) -> bool {
        let text = value.map(|node| node.as_text().unwrap_or(""));
        let number = || text.and_then(|t| t.parse::<i64>().ok());
        match self {
            Self::Exists => text.is_some(),
            Self::Missing => text.is_none(),
            Self::In(values) => text.is_some_and(|t| values.iter().any(|v| v == t)),
            Self::NotIn(values) => text.is_none_or(|t| values.iter().all(|v| v != t)),
            Self::Greater(bound) => number().is_some_and(|n| n > *bound),
            Self::Less(bound) => number().is_some_and(|n| n < *bound),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Symbol(&'t str),
    End,
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(text) | Self::Symbol(text) => write!(f, "`{text}`"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// Cuts an expression into words and the longest symbols.
fn scan(text: &str) -> Vec<Token<'_>> {
    let is_special = |c: char| "=!(),><".contains(c);
    let is_space = |c: char| " \t\r\n".contains(c);
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let symbol = rest.starts_with(is_special);
        let end = match symbol {
            true if rest.starts_with("==") || rest.starts_with("!=") => 2,
            true => 1,
            false => rest.find(|c| is_special(c) || is_space(c)).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(end);
        tokens.push(if symbol { Token::Symbol(token) } else { Token::Word(token) });
        rest = after.trim_start_matches(is_space);
    }
    tokens
}

struct Parser<'p, 't> {
    tokens: &'p [Token<'t>],
}

impl<'t> Parser<'_, 't> {
    fn peek(&self) -> Token<'t> {
        self.tokens.first().copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'t> {
        let token = self.peek();
        self.tokens = self.tokens.get(1..).unwrap_or_default();
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let negated = self.peek() == Token::Symbol("!");
        if negated {
            self.next();
        }
        let key = match self.next() {
            Token::Word(word) => valid_key(word)?.to_owned(),
            other => return Err(format!("expected a label key, found {other}")),
        };
        let test = match self.peek() {
            _ if negated => Test::Missing,
            Token::End | Token::Symbol(",") => Test::Exists,
            _ => self.operation()?,
        };
        Ok(Requirement { key, test })
    }

    fn operation(&mut self) -> Result<Test, String> {
        match self.next() {
            Token::Symbol("=" | "==") => Ok(Test::In(vec![self.value()?])),
            Token::Symbol("!=") => Ok(Test::NotIn(vec![self.value()?])),
            Token::Symbol(">") => Ok(Test::Greater(self.integer()?)),
            Token::Symbol("<") => Ok(Test::Less(self.integer()?)),
            Token::Word("in") => Ok(Test::In(self.list()?)),
            Token::Word("notin") => Ok(Test::NotIn(self.list()?)),
            other => Err(format!("expected `=`, `==`, `!=`, `in`, `notin`, `>` or `<`, found {other}")),
        }
    }

    /// The value after an operator; nothing at all is the empty value.
    fn value(&mut self) -> Result<String, String> {
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(String::new());
        }
        match self.next() {
            Token::Word(word) => valid_value(word).map(str::to_owned),
            other => Err(format!("expected a label value, found {other}")),
        }
    }

    fn integer(&mut self) -> Result<i64, String> {
        let text = self.value()?;
        text.parse().map_err(|_| format!("expected an integer after `>` or `<`, found `{text}`"))
    }

    /// `(a,b)`. An empty place between commas is the empty value; as in Kubernetes the second of two commas in a row
    /// has to be followed by a value or a comma.
    fn list(&mut self) -> Result<Vec<String>, String> {
        match self.next() {
            Token::Symbol("(") => {}
            other => return Err(format!("expected `(`, found {other}")),
        }
        let mut values = Vec::new();
        if self.peek() == Token::Symbol(")") {
            self.next();
            return Ok(vec![String::new()]);
        }
        loop {
            match self.next() {
                Token::Word(word) => {
                    values.push(valid_value(word)?.to_owned());
                    match self.peek() {
                        Token::Symbol(",") => {}
                        Token::Symbol(")") => break,
                        other => return Err(format!("expected `,` or `)`, found {other}")),
                    }
                }
                Token::Symbol(",") => {
                    if values.is_empty() || matches!(self.peek(), Token::Symbol("," | ")")) {
                        values.push(String::new());
                    }
                    match self.peek() {
                        Token::Symbol(")") => break,
                        Token::Symbol(",") => _ = self.next(),
                        _ => {}
                    }
                }
                other => return Err(format!("expected a label value or `,`, found {other}")),
            }
        }
        self.next();
        Ok(values)
    }
}

/// `name` or `prefix/name`: the name at most 63 of letters, digits, `-`, `_`, `.`, the prefix a DNS name.
fn valid_key(key: &str) -> Result<&str, String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(p, n)| (Some(p), n));
    let name_is_valid = !name.is_empty() && is_label_text(name);
    if name_is_valid && prefix.is_none_or(is_dns_subdomain) {
        return Ok(key);
    }
    Err(format!("`{key}` is not a label key (`name` or `dns.prefix/name`)"))
}

/// At most 63 of letters, digits, `-`, `_`, `.`, with a letter or digit at both ends; or nothing.
fn valid_value(value: &str) -> Result<&str, String> {
    if is_label_text(value) {
        return Ok(value);
    }
    Err(format!("`{value}` is not a label value (at most 63 letters, digits, `-`, `_` and `.`)"))
}

fn is_label_text(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    text.len() <= 63
        && text.bytes().all(inner)
        && text.bytes().next().is_none_or(|b| b.is_ascii_alphanumeric())
        && text.bytes().last().is_none_or(|b| b.is_ascii_alphanumeric())
}

fn is_dns_subdomain(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.len() <= 253
        && text.split('.').all(|part| {
            !part.is_empty() && part.bytes().all(inner) && !part.starts_with('-') && !part.ends_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::LabelSelector;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    fn matches(expression: &str) -> Result<bool, String> {
        let labels = parse("{a: b, n: '5', e: ''}", SourceId::NONE).unwrap().remove(0);
        LabelSelector::parse(expression).map(|s| s.matches(labels.as_map()))
    }

    #[test]
    fn expressions_that_hold() {
        for expression in [
            "a=b",
            "a==b",
            "a  \n = b",
            "a in (b,c), !d",
            "a in(b)",
            "a\tin (b)",
            "n>4",
            "n > 4,n<6",
            "e=",
            "e",
            "e in ()",
            "e in (,x)",
            "e in (,)",
            "e in (a,,b)",
            "e in (a,)",
            "a in (b, )",
            "zz!=a",
            "zz notin (a)",
            "! q",
            "!in",
            " ",
            "",
            "a,a",
            "a !=c",
            "e= ",
        ] {
            assert_eq!(matches(expression), Ok(true), "{expression}");
        }
    }

    #[test]
    fn expressions_that_do_not_hold() {
        for expression in [
            "a=",
            "a=in",
            "a in (in,notin)",
            "n>5",
            "a>3",
            "! a",
            "in in (a)",
            "in=b",
            "a =  ,e",
            "e!=",
            "x in (,)",
            "a,b,notin",
            "foo.com/a",
            "u=https",
        ] {
            assert_eq!(matches(expression), Ok(false), "{expression}");
        }
    }

    #[test]
    fn expressions_that_are_refused() {
        for expression in [
            "a = b c",
            "a=b,",
            ",a=b",
            "!a=b",
            "a,,a",
            "a,=b",
            "a=b=c",
            "a in (b) c",
            "a>=3",
            "(a)",
            "=b",
            "a=/x",
            "a===b",
            "a!b",
            "a in b",
            "n>x",
            "a in (b",
            "a/b/c",
            "-a",
            "a in (b,c d)",
            "!(a)",
            "a>",
            "A@b",
            "a=>3",
            "a in ((b))",
            "a in (b=c)",
            "n<-6",
            "n<6.0",
            "Foo.com/a",
            "a in",
            "a in (",
            "e in (,,)",
            "a=ü",
        ] {
            assert!(matches(expression).is_err(), "{expression}");
        }
    }
}
