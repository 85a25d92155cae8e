//! Credentials of addresses, wherever they are in a text: users and passwords before hosts, values of queries and fragments
//! that sign in. Texts of others have no grammar, and passwords are often not encoded: what may be either is taken for a
//! credential, except where ordinary text has the same form (ports, digests, versions, e-mail addresses).
//!
//! Every pass reads a text once: the patterns have no look-around, and what is read by hand is read forward.

pub use crate::numbers::COVERED;
use crate::numbers::is_token;
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

type Pattern = LazyLock<Option<Regex>>;

/// The user and password of an address with a scheme. RFC 3986 ends them at the last `@` before the first `/`, `?` or `#`.
/// A password that was not encoded may hold those characters: then what looks like a port is not a number. A quote before
/// a letter or digit is part of a password, any other ends the address.
static USER: Pattern = LazyLock::new(|| {
    let plain = r#"((?:[^\s/?#`"'<>]|[`"'<>][A-Za-z0-9])*[`"'<>]?)@"#;
    let odd = r#"([^\s/?#`"'<>@:\[\]]+:[0-9]*[^0-9\s/?#`"<>@\]](?:[^`"<>\r\n@]|[`"<>][A-Za-z0-9])*)@"#;
    Regex::new(&format!("([A-Za-z][A-Za-z0-9+.-]*)://(?:{plain}|{odd})")).ok()
});

/// A user with a password that begins as a port and a path do, and the host.
static LIKE_PORT: Pattern = LazyLock::new(|| {
    let user = r#"([^\s/?#`"'<>@:\[\]]*):([0-9]*)([/?#][^\s`"<>]*)@([A-Za-z0-9.-]*)"#;
    Regex::new(&format!("([A-Za-z][A-Za-z0-9+.-]*)://{user}")).ok()
});

/// A user and password in an address that is encoded in the query of another.
static ENCODED_USER: Pattern =
    LazyLock::new(|| Regex::new(r#"(?i)(%3a(?:%2f%2f|//))([^\s&#`"<>/]*)%40"#).ok());

/// A name before its value in the query or fragment of an address, and what parts it from what is before it: `&` as JSON
/// and HTML have it too, `#/` of pages that have their own routes.
static NAME: Pattern = LazyLock::new(|| {
    Regex::new(r"(?:[?&#;]|\\u0026|\\u003[bB]|#[A-Za-z0-9!/_.-]*/)([A-Za-z0-9_.\-\[\]%]+)=").ok()
});

/// A name with its value in an address that is encoded in the query of another.
static ENCODED_VALUE: Pattern = LazyLock::new(|| {
    let value = r#"((?:[^\s&#`"'<>%;]|%[013-9a-f][0-9a-f]|%2[0-57-9a-f])*)"#;
    Regex::new(&format!("(?i)((?:[?&#;]|%3f|%26|%23|%3b)([a-z0-9_.-]+)%3d){value}")).ok()
});

/// A fragment that is a token, with its name before it or without any.
static FRAGMENT: Pattern = LazyLock::new(|| {
    let name = "[a-z_-]{0,24}?(?:token|secret|password|passwd|api_?key|credential|jwt)";
    Regex::new(&format!(r#"(#[!/]*)(?:({name})([:/]|%3[aA])?|(eyJ))([^\s`"'<>&#=]+)"#)).ok()
});

/// A user and password before a host without a scheme.
static SCP: Pattern = LazyLock::new(|| {
    let password = r#"[^\s/@`"'<>:](?:[^\s/`"'<>:]|[`"'<>][A-Za-z0-9])*"#;
    Regex::new(&format!(r"([A-Za-z0-9._%+-]+):({password})@([A-Za-z0-9.-]+)(:[0-9a-fA-F]{{32,}})?")).ok()
});

/// The same with a password that holds a slash.
static SCP_WITH_SLASH: Pattern = LazyLock::new(|| {
    let password = r#"[^\s/@`"'<>:][^\s@`"'<>:]*/[^\s@`"'<>:]*"#;
    Regex::new(&format!(r"([A-Za-z0-9_%+-]+):({password})@([A-Za-z0-9.-]+)(:[^\s:])?")).ok()
});

/// The header of a request that signs in.
static HEADER: Pattern = LazyLock::new(|| {
    let scheme = r"(?:(?:basic|bearer|token|digest)\s+)?";
    Regex::new(&format!(r#"(?i)(authorization["']?\s*[:=]\s*["']?{scheme})([^\s"'`]+)"#)).ok()
});

/// The text with the credentials of every address in it taken out: `USER:PASSWORD@`, and the values of a query that sign
/// in, as `?token=`. The user of an ssh address stays: it is part of the address, not a credential.
#[must_use]
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    rewritten(text, &mut Cover { stand_in: None, is_address: false })
}

/// The text with something else for the credentials of every address in it; nothing else of it changes. A text that begins
/// with an address and has one line is nothing but that: a value in it may have spaces.
pub fn covered<'t>(text: &'t str, stand_in: &mut dyn FnMut(&str) -> String) -> Cow<'t, str> {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-');
    let is_address = !scheme.is_empty() && scheme.chars().all(is_scheme) && !text.contains('\n');
    match rewritten(text, &mut Cover { stand_in: Some(stand_in), is_address }) {
        Cow::Owned(new) if new == text => Cow::Borrowed(text),
        new => new,
    }
}

/// Stars for the credentials of every address in the texts of a JSON value.
pub fn cover_json(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            if let Cow::Owned(new) = covered(text, &mut |_| COVERED.to_owned()) {
                *text = new;
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(cover_json),
        serde_json::Value::Object(map) => map.values_mut().for_each(cover_json),
        _ => {}
    }
}

/// What is written for credentials.
struct Cover<'s> {
    /// What stands for one; without it, users and passwords are left out, and stars stand for values.
    stand_in: Option<&'s mut dyn FnMut(&str) -> String>,
    /// Whether the text is one address.
    is_address: bool,
}

impl Cover<'_> {
    fn value(&mut self, value: &str) -> String {
        match &mut self.stand_in {
            _ if is_covered(value) => value.to_owned(),
            Some(_) if value.is_empty() => String::new(),
            Some(stand_in) => stand_in(value),
            None => COVERED.to_owned(),
        }
    }

    /// What is written before the host: the user of an ssh address stays.
    fn user(&mut self, scheme: &str, user: &str) -> String {
        if is_covered(user) {
            return format!("{scheme}://{user}@");
        }
        let (name, password) = user.split_once(':').map_or((user, None), |(name, rest)| (name, Some(rest)));
        let is_ssh = scheme.to_ascii_lowercase().contains("ssh") && !name.is_empty();
        if is_ssh && password.is_some_and(is_covered) {
            return format!("{scheme}://{user}@");
        }
        match (&mut self.stand_in, password) {
            (None, _) | (Some(_), None) if is_ssh => format!("{scheme}://{name}@"),
            (None, _) => format!("{scheme}://"),
            (Some(_), Some(password)) if is_ssh => format!("{scheme}://{name}:{}@", self.value(password)),
            (Some(_), _) => format!("{scheme}://{}@", self.value(user)),
        }
    }

    fn password(&mut self, user: &str, password: &str) -> String {
        match self.stand_in {
            _ if is_covered(password) => format!("{user}:{password}@"),
            None => format!("{user}@"),
            Some(_) => format!("{user}:{}@", self.value(password)),
        }
    }
}

/// Whether something stands for a credential already.
fn is_covered(text: &str) -> bool {
    text == COVERED || is_token(text)
}

fn rewritten<'t>(text: &'t str, cover: &mut Cover<'_>) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains("://") && text.contains('@') {
        replace_users(&mut text, cover);
    }
    if text.contains('%') {
        replace(&mut text, &ENCODED_USER, |found| match cover.stand_in {
            None if !is_covered(&found[2]) => found[1].to_owned(),
            _ => format!("{}{}%40", &found[1], cover.value(&found[2])),
        });
        replace(&mut text, &ENCODED_VALUE, |found| {
            if is_credential(&found[2]) {
                format!("{}{}", &found[1], cover.value(&found[3]))
            } else {
                found[0].to_owned()
            }
        });
    }
    if text.contains('=') {
        replace_values(&mut text, cover);
    }
    if text.contains('#') {
        replace(&mut text, &FRAGMENT, |found| without_fragment(found, cover));
    }
    if text.contains('@') && text.contains(':') {
        replace(&mut text, &SCP, |found| without_password(found, cover));
        replace(&mut text, &SCP_WITH_SLASH, |found| without_slashes(found, cover));
    }
    if text.contains("uthorization") || text.contains("UTHORIZATION") {
        replace(&mut text, &HEADER, |found| format!("{}{}", &found[1], cover.value(&found[2])));
    }
    text
}

fn replace(text: &mut Cow<'_, str>, pattern: &Pattern, by: impl FnMut(&Captures<'_>) -> String) {
    let Some(pattern) = pattern.as_ref() else { return };
    if let Cow::Owned(changed) = pattern.replace_all(text, by) {
        *text = Cow::Owned(changed);
    }
}

fn replace_users(text: &mut Cow<'_, str>, cover: &mut Cover<'_>) {
    replace(text, &USER, |found| {
        let user = found.get(2).or_else(|| found.get(3)).map_or("", |user| user.as_str());
        cover.user(&found[1], user)
    });
    replace(text, &LIKE_PORT, |found| {
        let (user, port, rest, host) = (&found[2], &found[3], &found[4], &found[5]);
        if is_password(user, port, rest) && is_host(host) {
            format!("{}{host}", cover.user(&found[1], &format!("{user}:{port}{rest}")))
        } else {
            found[0].to_owned()
        }
    });
}

/// Whether what has the form of a port and a path is a password: `me:12/PASSWORD@host`, but not `host:8080/@scope/name`,
/// `example.com:80/me@example.com` and `host:80/?to=me@example.com`.
fn is_password(user: &str, port: &str, rest: &str) -> bool {
    if rest.contains("://") {
        return false;
    }
    let is_port = port.parse::<u16>().is_ok();
    let is_host = user.contains('.') || user == "localhost";
    let is_path = rest.ends_with('/') || rest.contains(['?', '#']);
    !is_port && !port.is_empty() || !is_host && (port.is_empty() || !is_path)
}

/// Whether a word after an `@` may be a host, and is not a digest, version or branch.
fn is_host(word: &str) -> bool {
    const OTHERS: [&str; 10] =
        ["sha256", "sha384", "sha512", "latest", "main", "master", "HEAD", "stable", "next", "dev"];
    let version = word.strip_prefix('v').unwrap_or(word);
    let is_version = version.starts_with(|c: char| c.is_ascii_digit());
    let is_address = word.parse::<std::net::Ipv4Addr>().is_ok();
    !word.is_empty() && !OTHERS.contains(&word) && (!is_version || is_address)
}

/// Replaces the values that sign in.
fn replace_values(text: &mut Cow<'_, str>, cover: &mut Cover<'_>) {
    let Some(pattern) = NAME.as_ref() else { return };
    let mut out = String::new();
    let (mut from, mut done) = (0, 0);
    let mut word = Word::default();
    while let Some(found) = pattern.captures_at(text, from) {
        let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else { break };
        let start = whole.end();
        from = start;
        if !is_credential(name.as_str()) {
            continue;
        }
        word.read(text, start);
        let rest = &text[start..];
        let close = if cover.is_address {
            rest.len()
        } else {
            word.quote.and_then(|quote| closing(rest, quote)).unwrap_or(0)
        };
        let end = start + value_end(rest, close);
        out.push_str(&text[done..start]);
        out.push_str(&cover.value(&text[start..end]));
        (from, done) = (end, end);
    }
    if done > 0 {
        out.push_str(&text[done..]);
        *text = Cow::Owned(out);
    }
}

/// The word that a place of a text is in.
#[derive(Default)]
struct Word {
    /// The bytes that were read.
    read: usize,
    /// The quote that is open in it.
    quote: Option<char>,
}

impl Word {
    fn read(&mut self, text: &str, to: usize) {
        for c in text.get(self.read..to).unwrap_or("").chars() {
            self.quote = match (c, self.quote) {
                (c, _) if c.is_whitespace() => None,
                ('`' | '"' | '\'', None) => Some(c),
                (c, Some(quote)) if c == quote => None,
                (_, quote) => quote,
            };
        }
        self.read = to;
    }
}

/// The bytes of a value at the start of a text. It ends at a space that is not before `close`, where the address ends; at a
/// quote that no letter or digit follows; at `&`, `#`, and a `;` before another name.
fn value_end(text: &str, close: usize) -> usize {
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let is_end = match c {
            '&' | '#' | '\n' | '\r' => true,
            c if c.is_whitespace() => at > close,
            ';' => is_name_next(rest),
            '`' | '"' | '\'' | '<' | '>' => !rest.starts_with(|c: char| c.is_ascii_alphanumeric()),
            _ => false,
        };
        if is_end {
            return at;
        }
    }
    text.len()
}

/// Where the quote that is open before a text closes, in its line and not too far away.
fn closing(text: &str, quote: char) -> Option<usize> {
    const FAR: usize = 512;
    let is_closed = |(at, _): &(usize, &str)| {
        let after = text[at + quote.len_utf8()..].chars().next();
        after.is_none_or(|c| !c.is_ascii_alphanumeric())
    };
    let end = text.char_indices().find(|(at, c)| *c == '\n' || *at > FAR).map_or(text.len(), |(at, _)| at);
    text[..end].match_indices(quote).find(is_closed).map(|(at, _)| at)
}

/// Whether a name and `=` follow, or nothing of the value does.
fn is_name_next(rest: &str) -> bool {
    const LONGEST: usize = 64;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | ' ' | '%');
    match rest.char_indices().take(LONGEST).find(|(_, c)| !is_name(*c)) {
        Some((at, c)) => c == '=' || at == 0,
        None => rest.is_empty(),
    }
}

/// `#token:VALUE`, `#/token/VALUE`, `#tokenVALUE` where that is not a word, as in the anchor `#secret-v1-core`.
fn without_fragment(found: &Captures<'_>, cover: &mut Cover<'_>) -> String {
    const LONG: usize = 16;
    let (mark, rest) = (&found[1], &found[5]);
    let part = |nth: usize| found.get(nth).map_or("", |part| part.as_str());
    let (name, parted_by, token) = (part(2), part(3), part(4));
    let has = |is_it: fn(&char) -> bool| rest.chars().any(|c| is_it(&c));
    let is_random = has(char::is_ascii_digit)
        && (has(char::is_ascii_uppercase) || (rest.len() >= LONG && !rest.contains('-')));
    let is_loud = rest.as_bytes().windows(2).any(|two| two.iter().all(u8::is_ascii_uppercase));
    if !token.is_empty() || !parted_by.is_empty() || is_random || is_loud {
        format!("{mark}{name}{parted_by}{}", cover.value(&format!("{token}{rest}")))
    } else {
        found[0].to_owned()
    }
}

/// `name:tag@sha256:…` is an image and `mailto:me@host` an e-mail address, everything else that has this form has a
/// password.
fn without_password(found: &Captures<'_>, cover: &mut Cover<'_>) -> String {
    let algorithm = matches!(&found[3], "sha256" | "sha384" | "sha512");
    if algorithm || found.get(4).is_some() || is_mail(&found[1]) {
        found[0].to_owned()
    } else {
        format!("{}{}", cover.password(&found[1], &found[2]), &found[3])
    }
}

/// A password with a slash is one before a host with dots, or with a path after a colon; not after what may be a port.
fn without_slashes(found: &Captures<'_>, cover: &mut Cover<'_>) -> String {
    let (user, password, host) = (&found[1], &found[2], &found[3]);
    let path = found.get(4).map_or("", |path| path.as_str());
    let is_port = password.split('/').next().is_some_and(|port| port.parse::<u16>().is_ok());
    let is_there = host.contains('.') || !path.is_empty();
    if is_there && is_host(host) && !is_port && !is_mail(user) {
        format!("{}{host}{path}", cover.password(user, password))
    } else {
        found[0].to_owned()
    }
}

/// Whether an e-mail address follows a word and its colon; as in policies of clouds, too.
fn is_mail(word: &str) -> bool {
    ["mailto", "serviceAccount", "group", "acct", "sip", "sips", "xmpp"].contains(&word)
}

/// Whether the name of a value in a query says that it signs in.
#[must_use]
pub fn is_credential(name: &str) -> bool {
    const PARTS: [&str; 21] = [
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
        "sshkey",
        "privatekey",
        "signingkey",
        "encryptionkey",
        "deploykey",
        "sharedkey",
        "accountkey",
        "masterkey",
        "sessionid",
        "samlresponse",
    ];
    const WHOLE: [&str; 17] = [
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
        "creds",
        "cred",
        "otp",
        "cookie",
        "assertion",
    ];
    // Once more: it may be in an address that is encoded in another.
    let name = decoded(&decoded(name, false), false);
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    WHOLE.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

/// Undoes `%2F` and the like; in a query, `+` is a space.
#[must_use]
pub fn decoded(text: &str, is_query: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, code.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) if is_query => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The address as it is written down: without user, password and the values of its query that sign in. It names the same
/// as the whole address.
#[must_use]
pub fn bare_address(url: &str) -> String {
    let mut text = Cow::Borrowed(url);
    replace_users(&mut text, &mut Cover { stand_in: None, is_address: false });
    let bare = split_query(&text).0;
    // What is parted otherwise than by `&`, and fragments.
    without_credentials(&bare).into_owned()
}

/// Whether an address has a user before its host, or a password that was not encoded.
#[must_use]
pub fn has_user(url: &str) -> bool {
    let mut text = Cow::Borrowed(url);
    replace_users(&mut text, &mut Cover { stand_in: None, is_address: false });
    text != url
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
    use super::{COVERED, bare_address, cover_json, covered, split_query, without_credentials};
    use super::{ENCODED_USER, ENCODED_VALUE, FRAGMENT, HEADER, LIKE_PORT, NAME, SCP, SCP_WITH_SLASH, USER};

    #[test]
    fn every_pattern_is_read() {
        for pattern in [&USER, &LIKE_PORT, &ENCODED_USER, &NAME, &ENCODED_VALUE, &FRAGMENT] {
            assert!(pattern.is_some());
        }
        for pattern in [&SCP, &SCP_WITH_SLASH, &HEADER] {
            assert!(pattern.is_some());
        }
    }

    /// The address, the same without credentials, and with them covered.
    const CREDENTIALS: [(&str, &str, &str); 58] = [
        (
            "`https://me:PLANTED@h:1/r.git?ref=v1`",
            "`https://h:1/r.git?ref=v1`",
            "`https://***@h:1/r.git?ref=v1`",
        ),
        ("https://PLANTED@github.com/o/r", "https://github.com/o/r", "https://***@github.com/o/r"),
        (
            "(https://me:PL%40AN@h/a@b, http://u:P@k)",
            "(https://h/a@b, http://k)",
            "(https://***@h/a@b, http://***@k)",
        ),
        ("https://me:PLAN@TED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:PLAN/TED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:PLAN TED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:PLANT\"ED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:p@PLANT\"ED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:p@PLANT`ED'x<y>z@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:PLANTED'@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:PLAN/T\"ED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:1PLANTED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:12PLAN/TED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:12/PLANTED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:12/PLAN/TED@h.example/a", "https://h.example/a", "https://***@h.example/a"),
        ("https://me:12/PLAN@TED@10.0.0.1:8443/a", "https://10.0.0.1:8443/a", "https://***@10.0.0.1:8443/a"),
        ("https://me.x:123456/PLANTED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:/PLANTED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:?PLANTED@h/a", "https://h/a", "https://***@h/a"),
        ("https://me:#PLANTED@h/a", "https://h/a", "https://***@h/a"),
        ("redis://:PLANTED@h:6379/0", "redis://h:6379/0", "redis://***@h:6379/0"),
        ("git::https://me:PLANTED@h/a", "git::https://h/a", "git::https://***@h/a"),
        (
            "ssh://git:PLANTED@h/a and ssh://git@h/a",
            "ssh://git@h/a and ssh://git@h/a",
            "ssh://git:***@h/a and ssh://git@h/a",
        ),
        ("me:PLANTED@host.example:o/r.git", "me@host.example:o/r.git", "me:***@host.example:o/r.git"),
        ("me:PLAN@TED@host:o/r.git", "me@host:o/r.git", "me:***@host:o/r.git"),
        ("me:PLAN\"TED@host:o/r.git", "me@host:o/r.git", "me:***@host:o/r.git"),
        ("me:PLAN/TED@host.example/r.git", "me@host.example/r.git", "me:***@host.example/r.git"),
        ("me:PLAN/TED@host:o/r.git", "me@host:o/r.git", "me:***@host:o/r.git"),
        ("u:PLANTED@tcp(h:3306)/db", "u@tcp(h:3306)/db", "u:***@tcp(h:3306)/db"),
        (
            "https://h/x?a=b&token=PLANTED&ref=v1",
            "https://h/x?a=b&token=***&ref=v1",
            "https://h/x?a=b&token=***&ref=v1",
        ),
        ("h/x?private_token=PLANTED'", "h/x?private_token=***'", "h/x?private_token=***'"),
        ("h/x?a=b;token=PLANTED;c=d", "h/x?a=b;token=***;c=d", "h/x?a=b;token=***;c=d"),
        ("h/x?token=PLAN;TED&c=d", "h/x?token=***&c=d", "h/x?token=***&c=d"),
        (
            "Server=h;Password=PLANTED; Database=d",
            "Server=h;Password=***; Database=d",
            "Server=h;Password=***; Database=d",
        ),
        ("h/x?tok%65n=PLANTED&c=d", "h/x?tok%65n=***&c=d", "h/x?tok%65n=***&c=d"),
        ("h/x?tok%2565n=PLANTED", "h/x?tok%2565n=***", "h/x?tok%2565n=***"),
        ("h/x?token%3DPLANTED&c=d", "h/x?token%3D***&c=d", "h/x?token%3D***&c=d"),
        (
            "?url=https%3A%2F%2Fh%3Ftoken%3DPLANTED%26a%3Db",
            "?url=https%3A%2F%2Fh%3Ftoken%3D***%26a%3Db",
            "?url=https%3A%2F%2Fh%3Ftoken%3D***%26a%3Db",
        ),
        (
            "{\"u\":\"h?a=b\\u0026token=PLANTED\",\"c\":1}",
            "{\"u\":\"h?a=b\\u0026token=***\",\"c\":1}",
            "{\"u\":\"h?a=b\\u0026token=***\",\"c\":1}",
        ),
        (
            "<a href=\"h?a=b&amp;token=PLANTED\">x</a>",
            "<a href=\"h?a=b&amp;token=***\">x</a>",
            "<a href=\"h?a=b&amp;token=***\">x</a>",
        ),
        ("https://h/#token=PLANTED", "https://h/#token=***", "https://h/#token=***"),
        ("https://h/#/token=PLANTED", "https://h/#/token=***", "https://h/#/token=***"),
        ("https://h/#!/a/token=PLANTED", "https://h/#!/a/token=***", "https://h/#!/a/token=***"),
        ("https://h/#/a?token=PLANTED", "https://h/#/a?token=***", "https://h/#/a?token=***"),
        ("https://h/#token:PLANTED", "https://h/#token:***", "https://h/#token:***"),
        ("https://h/#/token/PLANTED", "https://h/#/token/***", "https://h/#/token/***"),
        ("https://h/#tokenPLANTED-7f3a9c", "https://h/#token***", "https://h/#token***"),
        ("https://h/#tokenPLANTED", "https://h/#token***", "https://h/#token***"),
        ("https://h/#eyJhbGciOi.PLANTED", "https://h/#***", "https://h/#***"),
        (
            "git::https://h/r?sshkey=PLANTED&ref=v1",
            "git::https://h/r?sshkey=***&ref=v1",
            "git::https://h/r?sshkey=***&ref=v1",
        ),
        ("h?token=PLAN\"TED&a=b", "h?token=***&a=b", "h?token=***&a=b"),
        ("h?token=PLAN`TED'x<y>z end", "h?token=*** end", "h?token=*** end"),
        (
            "`https://h?token=PLAN TED&a=b c` is",
            "`https://h?token=***&a=b c` is",
            "`https://h?token=***&a=b c` is",
        ),
        (
            "https://h/?sig=P#access_token=PLANTED",
            "https://h/?sig=***#access_token=***",
            "https://h/?sig=***#access_token=***",
        ),
        (
            "?url=https%3A%2F%2Fme%3APLANTED%40h%2Fx",
            "?url=https%3A%2F%2Fh%2Fx",
            "?url=https%3A%2F%2F***%40h%2Fx",
        ),
        ("HTTPS://me:PLANTED@H", "HTTPS://H", "HTTPS://***@H"),
        (
            "Authorization: Bearer PLANTED sent",
            "Authorization: Bearer *** sent",
            "Authorization: Bearer *** sent",
        ),
        ("authorization: PLANTED", "authorization: ***", "authorization: ***"),
    ];

    #[test]
    fn credentials_leave_addresses_wherever_they_stand() {
        for (text, without, with_stars) in CREDENTIALS {
            assert_eq!(without_credentials(text), without, "{text}");
            assert_eq!(without_credentials(without), without, "{text}");
            assert_eq!(covered(text, &mut |_| COVERED.to_owned()), with_stars, "{text}");
            assert_eq!(covered(with_stars, &mut |_| panic!()), with_stars, "{text}");
            // What was covered before a message is made of it stays so.
            assert_eq!(without_credentials(with_stars), with_stars, "{text}");
        }
    }

    #[test]
    fn what_is_no_credential_stays() {
        for text in [
            "quay.io/o/nginx:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "localhost:5000/o/nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "git@github.com:org/repo.git",
            "https://host/org/repo?ref=v1&timeout=90s&submodules=false",
            "https://host:8080/@scope/name",
            "http://registry:5000/name@v1.2.3, http://registry:5000/name@latest",
            "http://svc:8080/x?to=me@example.com",
            "http://example.com:8080/users/me@example.com",
            "http://svc.ns:8080/a http://u:80/b, mail me@example.com",
            "http://[::1]:80/a@b",
            "a=b, mail me@example.com: now",
            "write to me@example.com or \"Me\" <you@example.com>",
            "mailto:me@example.com serviceAccount:name@project.iam.gserviceaccount.com",
            "{\"home\":\"https://h:80\",\"mail\":\"me@example.com\"}",
            "urls=['https://h','https://k'],mails=['me@example.com']",
            "<https://h> <me@example.com>",
            "oci://ghcr.io/o/n@sha256:00",
            "tcp://10.0.0.1:5432 and 0.0.0.0:8080, 12:30, a:b/c",
            "https://kubernetes.io/docs/x/#secretkeyselector-v1-core #token-authentication",
            "https://pkg.go.dev/k8s.io/api/core/v1#SecretVolumeSource",
            "a; b; c=d; keys=3",
            "field `a` has 3 values",
        ] {
            assert_eq!(without_credentials(text), text);
            assert_eq!(covered(text, &mut |_| COVERED.to_owned()), text);
        }
    }

    #[test]
    fn a_value_that_is_an_address_may_have_spaces_in_it() {
        let stars = |text| covered(text, &mut |_| COVERED.to_owned()).into_owned();
        assert_eq!(stars("https://h?token=PLAN TED&a=b c"), "https://h?token=***&a=b c");
        assert_eq!(stars("get https://h?token=PLANTED now"), "get https://h?token=*** now");
    }

    #[test]
    fn credentials_in_json_are_covered() {
        let mut value = serde_json::json!({"a": ["https://u:PLANTED@h", 1], "b": "x"});
        cover_json(&mut value);
        assert_eq!(value, serde_json::json!({"a": ["https://***@h", 1], "b": "x"}));
    }

    #[test]
    fn two_passwords_are_told_apart() {
        let mut seen = Vec::new();
        let text = "see https://a:one@h?token=two me:three@k:x";
        drop(covered(text, &mut |credential| {
            seen.push(credential.to_owned());
            COVERED.to_owned()
        }));
        assert_eq!(seen, ["a:one", "two", "three"]);
    }

    /// Quadratic time would take hours.
    #[test]
    fn long_texts_take_linear_time() {
        let parts = [
            "a://",
            "://a:1/",
            "a://b:",
            "%3a//",
            "?token=",
            ";token=",
            "&token=\"",
            "#token",
            "#a/",
            "#/",
            "a:b/",
            "a:b@",
            "@",
            "\"a",
            "`a://b?token=c ",
            ";a",
            "\\u0026",
            "token%3d",
            "?a%3d%2",
            "authorization: ",
        ];
        for part in parts {
            let text = part.repeat(300_000 / part.len());
            assert!(!without_credentials(&text).is_empty());
        }
    }

    #[test]
    fn queries_are_parted_from_what_signs_in() {
        let (url, taken) = split_query("https://h/x?a=b&token=PLANTED&c=d");
        assert_eq!((url.as_str(), taken), ("https://h/x?a=b&c=d", vec!["token=PLANTED".to_owned()]));
        assert_eq!(split_query("https://h/x?sig=P").0, "https://h/x");
        assert_eq!(split_query("https://h/x?a=b").0, "https://h/x?a=b");
        assert_eq!(
            bare_address("https://u:P@h/x?a=b;token=P#token=P"),
            "https://h/x?a=b;token=***#token=***"
        );
    }
}
