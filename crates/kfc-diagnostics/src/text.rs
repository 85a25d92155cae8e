//! What may be said of any text: credentials in addresses are taken out, and no character can break a line, steer a
//! terminal or turn the direction of reading.

use regex::{Captures, Regex};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// What stands for a credential in the query of an address.
const COVERED: &str = "***";

type Pattern = LazyLock<Option<Regex>>;

/// The user and password of an address with a scheme. RFC 3986 ends them at the last `@` before the first `/`, `?` or `#`.
/// A password that was not encoded may hold those characters: then what looks like a port is not a number.
static USER: Pattern = LazyLock::new(|| {
    let plain = r#"([^\s/?#`"<>]*)@"#;
    let odd = r#"([^\s/?#`"<>@:\[\]]+:[0-9]*[^0-9\s/?#`"<>@\]][^`"<>\r\n@]*)@"#;
    Regex::new(&format!("([A-Za-z][A-Za-z0-9+.-]*)://(?:{plain}|{odd})")).ok()
});

/// The same in an address that is encoded in the query of another.
static ENCODED_USER: Pattern = LazyLock::new(|| Regex::new(r#"(?i)(%3a(?:%2f%2f|//))[^\s&#`"<>/]*%40"#).ok());

/// A name with its value in the query or fragment of an address.
static QUERY: Pattern = LazyLock::new(|| Regex::new(r#"([?&#])([A-Za-z0-9_.\-\[\]%]+)=([^\s&#`"<>]*)"#).ok());

/// A user and password before a host without a scheme.
static SCP: Pattern = LazyLock::new(|| {
    Regex::new(r#"([A-Za-z0-9._%+-]+):([^\s/@`"<>:]+)@([A-Za-z0-9.-]+)(:[0-9a-fA-F]{32,})?"#).ok()
});

/// The header of a request that signs in.
static HEADER: Pattern = LazyLock::new(|| {
    let scheme = r"(?:(?:basic|bearer|token|digest)\s+)?";
    Regex::new(&format!(r#"(?i)(authorization["']?\s*[:=]\s*["']?{scheme})[^\s"'`]+"#)).ok()
});

/// A text that came from elsewhere as one line of a message: without credentials, everything escaped that is not a
/// character to read.
#[must_use]
pub fn for_message(text: &str) -> Cow<'_, str> {
    match without_credentials(text) {
        Cow::Borrowed(text) => escaped(text),
        Cow::Owned(text) => Cow::Owned(escaped(&text).into_owned()),
    }
}

/// Whether a character breaks a line, steers a terminal, turns the direction of reading or cannot be seen.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// The text with every [unsafe](is_unsafe) character written as an escape, a tab as a space.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if is_unsafe(c) => drop(write!(out, "\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A whole document, with the lines and tabs that it has, every other [unsafe](is_unsafe) character written as an escape.
#[must_use]
pub fn document(text: String) -> String {
    rewritten(text, |c, out| {
        let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
    })
}

/// A whole JSON document in which every [unsafe](is_unsafe) character is escaped as JSON has it: the same values.
#[must_use]
pub fn json_document(text: String) -> String {
    rewritten(text, |c, out| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn rewritten(text: String, escape: impl Fn(char, &mut String)) -> String {
    let is_odd = |c: char| !matches!(c, '\n' | '\t') && is_unsafe(c);
    if !text.contains(is_odd) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        if is_odd(c) { escape(c, &mut out) } else { out.push(c) }
    }
    out
}

/// The text with the credentials of every address in it taken out: `USER:PASSWORD@`, and the values of a query that sign
/// in, as `?token=`. The user of an ssh address stays: it is part of the address, not a credential.
#[must_use]
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    let has_mark = text.contains(['@', '=']) || text.contains("%40");
    let has_header = text.contains("uthorization") || text.contains("UTHORIZATION");
    if has_mark {
        replace(&mut text, &USER, without_user);
        replace(&mut text, &ENCODED_USER, |found| found[1].to_owned());
        replace(&mut text, &QUERY, without_value);
        replace(&mut text, &SCP, without_password);
    }
    if has_header {
        replace(&mut text, &HEADER, |found| format!("{}{COVERED}", &found[1]));
    }
    text
}

fn replace(text: &mut Cow<'_, str>, pattern: &Pattern, by: impl Fn(&Captures<'_>) -> String) {
    let Some(pattern) = pattern.as_ref() else { return };
    if let Cow::Owned(changed) = pattern.replace_all(text, by) {
        *text = Cow::Owned(changed);
    }
}

fn without_user(found: &Captures<'_>) -> String {
    let scheme = &found[1];
    let user = found.get(2).or_else(|| found.get(3)).map_or("", |user| user.as_str());
    let user = user.split(':').next().unwrap_or("");
    match scheme.to_ascii_lowercase().contains("ssh") && !user.is_empty() {
        true => format!("{scheme}://{user}@"),
        false => format!("{scheme}://"),
    }
}

fn without_value(found: &Captures<'_>) -> String {
    let value = if is_credential(&found[2]) { COVERED } else { &found[3] };
    format!("{}{}={value}", &found[1], &found[2])
}

/// `name:tag@sha256:…` is an image, everything else that has this form has a password.
fn without_password(found: &Captures<'_>) -> String {
    let algorithm = matches!(&found[3], "sha256" | "sha384" | "sha512");
    match algorithm || found.get(4).is_some() {
        true => found[0].to_owned(),
        false => format!("{}@{}", &found[1], &found[3]),
    }
}

/// Whether the name of a value in a query says that it signs in.
#[must_use]
pub fn is_credential(name: &str) -> bool {
    const PARTS: [&str; 11] = [
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "signature",
        "credential",
        "apikey",
        "accesskey",
        "authkey",
    ];
    const WHOLE: [&str; 12] = [
        "auth",
        "authorization",
        "key",
        "sig",
        "jwt",
        "pass",
        "pw",
        "pat",
        "code",
        "session",
        "sid",
        "bearer",
    ];
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    WHOLE.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

/// The address as it is written down: without user, password and the values of its query that sign in. It names the same
/// as the whole address.
#[must_use]
pub fn bare_address(url: &str) -> String {
    let mut text = Cow::Borrowed(url);
    replace(&mut text, &USER, without_user);
    split_query(&text).0
}

/// An address over http without user and password, and those as they were written, when it has them.
#[must_use]
pub fn split_user(url: &str) -> (String, Option<String>) {
    let is_web = |scheme: &str| ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| is_web(scheme)) else {
        return (bare_address(url), None);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        None => (url.to_owned(), None),
        Some((user, host)) => (format!("{scheme}://{host}{}", &rest[end..]), Some(user.to_owned())),
    }
}

/// The address without the values of its query that sign in, which says the same of what is fetched, and those values.
#[must_use]
pub fn split_query(url: &str) -> (String, Vec<String>) {
    let Some((address, query)) = url.split_once('?') else { return (url.to_owned(), Vec::new()) };
    let signs_in = |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| is_credential(name));
    let (taken, kept): (Vec<&str>, Vec<&str>) = query.split('&').partition(signs_in);
    if taken.is_empty() {
        return (url.to_owned(), Vec::new());
    }
    let parted_by = if kept.is_empty() { "" } else { "?" };
    (format!("{address}{parted_by}{}", kept.join("&")), taken.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::{ENCODED_USER, HEADER, QUERY, SCP, USER};
    use super::{document, escaped, for_message, json_document, split_query, without_credentials};

    #[test]
    fn every_pattern_is_read() {
        for pattern in [&USER, &ENCODED_USER, &QUERY, &SCP, &HEADER] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn credentials_leave_addresses_wherever_they_stand() {
        for (text, expected) in [
            ("`https://me:PLANTED@h:1/o/r.git?ref=v1`", "`https://h:1/o/r.git?ref=v1`"),
            ("https://PLANTED@github.com/o/r", "https://github.com/o/r"),
            ("(https://me:PL%40AN@h/a@b, http://u:PLANTED@k)", "(https://h/a@b, http://k)"),
            ("https://me:PLAN@TED@h/a", "https://h/a"),
            ("https://me:PLAN/TED@h/a", "https://h/a"),
            ("https://me:PLAN TED@h/a", "https://h/a"),
            ("git::https://me:PLANTED@h/a", "git::https://h/a"),
            ("ssh://git:PLANTED@h/a and ssh://git@h/a", "ssh://git@h/a and ssh://git@h/a"),
            ("me:PLANTED@host.example:o/r.git", "me@host.example:o/r.git"),
            ("https://h/x?a=b&token=PLANTED&ref=v1", "https://h/x?a=b&token=***&ref=v1"),
            ("h/x?private_token=PLANTED'", "h/x?private_token=***"),
            (
                "https://h/x?X-Amz-Signature=PLANTED#access_token=PLANTED",
                "https://h/x?X-Amz-Signature=***#access_token=***",
            ),
            ("?url=https%3A%2F%2Fme%3APLANTED%40h%2Fx", "?url=https%3A%2F%2Fh%2Fx"),
            ("HTTPS://me:PLANTED@H", "HTTPS://H"),
            ("Authorization: Bearer PLANTED sent", "Authorization: Bearer *** sent"),
            ("authorization: PLANTED", "authorization: ***"),
        ] {
            assert_eq!(without_credentials(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_credential_stays() {
        for text in [
            "quay.io/o/nginx:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "git@github.com:org/repo.git",
            "https://host/org/repo?ref=v1&timeout=90s&submodules=false",
            "https://host:8080/@scope/name",
            "http://[::1]:80/a@b",
            "a=b, mail me@example.com: now",
            "oci://ghcr.io/o/n@sha256:00",
            "field `a` has 3 values",
        ] {
            assert_eq!(without_credentials(text), text);
        }
    }

    #[test]
    fn nothing_breaks_a_line_or_steers_a_terminal() {
        assert_eq!(
            escaped("a\n::error::x\r\tb\u{1b}[31m\u{9b}1m\0\u{202e}\u{2028}é"),
            "a\\n::error::x\\r b\\u{1b}[31m\\u{9b}1m\\u{0}\\u{202e}\\u{2028}é"
        );
        let twice = for_message("x\n\u{1b}").into_owned();
        assert_eq!(for_message(&twice), twice);
        assert_eq!(document("a\n\tb\r\u{9b}".to_owned()), "a\n\tb\\u{d}\\u{9b}");
        let value = serde_json::json!("a\u{9b}\u{202e}\u{e0041}\n");
        let json = json_document(format!("{value}\n"));
        assert_eq!(json, "\"a\\u009b\\u202e\\udb40\\udc41\\n\"\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
    }

    #[test]
    fn queries_are_parted_from_what_signs_in() {
        let (url, taken) = split_query("https://h/x?a=b&token=PLANTED&c=d");
        assert_eq!((url.as_str(), taken), ("https://h/x?a=b&c=d", vec!["token=PLANTED".to_owned()]));
        assert_eq!(split_query("https://h/x?sig=P").0, "https://h/x");
        assert_eq!(split_query("https://h/x?a=b").0, "https://h/x?a=b");
    }
}
