//! Answers over https, with limits on size, time and redirects. Plain http is only for this machine, unless it is allowed:
//! anybody on the network can change its answers.

use super::credentials;
use crate::source::Source;
use crate::surroundings::{ProxySettings, Surroundings};
use crate::url::is_this_machine;
use kfc_diagnostics::address::bare_address;
use kfc_diagnostics::{Code, Diagnostic};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::Uri;
use ureq::http::header::{HeaderMap, LOCATION};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

/// Bytes that an answer may have.
pub(super) const LARGEST: u64 = 256 * 1024 * 1024;
/// Redirects that are followed.
const MOST_REDIRECTS: usize = 10;

/// Why there is no answer to work with.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server answers with this status.
    Status(u16, String),
    /// There is no answer.
    Unreachable(String, String),
    /// There is one, but it is refused.
    Refused(Code, String),
}

impl Failure {
    /// As an error of the source that was to be fetched.
    pub(super) fn of_source(self, source: &Source) -> Diagnostic {
        match self {
            Self::Status(status, url) => {
                let message = format!("cannot fetch `{source}`: the server answered {}", status_text(status));
                let error = Diagnostic::error(Code::Remote, message);
                let error =
                    if url == source.to_string() { error } else { error.note(format!("{url} answered")) };
                match status {
                    401 | 403 => {
                        error.help("check the credentials; docs/vendor.md says where they come from")
                    }
                    404 | 410 => error.help("check the address: it does not exist"),
                    _ => error,
                }
            }
            Self::Unreachable(host, why) => {
                let message = format!("cannot fetch `{source}`: {host} cannot be reached: {why}");
                Diagnostic::error(Code::Remote, message)
                    .help("check the network; `kfc vendor` keeps copies that build without it")
            }
            Self::Refused(code, why) => Diagnostic::error(code, format!("cannot fetch `{source}`: {why}")),
        }
    }
}

fn status_text(status: u16) -> String {
    let reason = ureq::http::StatusCode::from_u16(status).ok();
    match reason.and_then(|code| code.canonical_reason()) {
        Some(reason) => format!("{status} ({reason})"),
        None => status.to_string(),
    }
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A request to a server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ask<'a> {
    pub(super) accept: Option<&'a str>,
    pub(super) authorization: Option<&'a str>,
}

/// Requests files of servers.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    /// For this machine itself, without a proxy.
    local: Agent,
    plain_http: bool,
    /// The file with credentials for registries.
    pub(super) docker_config: Option<PathBuf>,
}

impl Client {
    pub(super) fn new(plain_http: bool, surroundings: &Surroundings) -> Self {
        Self::with_patience(plain_http, surroundings, Duration::from_secs(30))
    }

    /// A client with these timeouts: for a connection, for an answer, and for each part of it.
    pub(super) fn with_patience(plain_http: bool, surroundings: &Surroundings, patience: Duration) -> Self {
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .user_agent(concat!("kfc/", env!("CARGO_PKG_VERSION")))
                .accept_encoding("identity")
                .timeout_resolve(Some(patience.min(Duration::from_secs(10))))
                .timeout_connect(Some(patience.min(Duration::from_secs(10))))
                .timeout_recv_response(Some(patience))
                .timeout_per_read(Some(patience))
                .timeout_global(Some(patience * 20))
        };
        let tls = TlsConfig::builder().root_certs(root_certificates()).build();
        let agent = config().tls_config(tls.clone()).proxy(proxy(&surroundings.proxy)).build().new_agent();
        let local = config().tls_config(tls).proxy(None).build().new_agent();
        Self { agent, local, plain_http, docker_config: surroundings.docker_config.clone() }
    }

    /// The body of a URL.
    pub(super) fn get(&self, url: &str) -> Result<Vec<u8>, Failure> {
        let answer = self.ask(url, Ask::default())?;
        match answer.status {
            200..=299 => Ok(answer.body),
            status => Err(Failure::Status(status, bare_address(url))),
        }
    }

    /// The answer of a URL with any status, after redirects.
    pub(super) fn ask(&self, url: &str, ask: Ask<'_>) -> Result<Answer, Failure> {
        let (address, own) = credentials::split(url);
        let authorization = ask.authorization.map(str::to_owned).or(own);
        let first = self.permitted(&address, None)?;
        let mut uri = first.clone();
        for _ in 0..=MOST_REDIRECTS {
            // Credentials are only for their own server.
            let is_same = (uri.authority(), uri.scheme()) == (first.authority(), first.scheme());
            let authorization = authorization.as_deref().filter(|_| is_same);
            let answer = self.ask_once(&uri, ask.accept, authorization)?;
            let location = matches!(answer.status, 301 | 302 | 303 | 307 | 308)
                .then(|| answer.header(LOCATION.as_str()));
            let Some(Some(location)) = location else { return Ok(answer) };
            uri = self.permitted(&join(&uri, location), Some(&uri))?;
        }
        Err(refused(format!("there are more than {MOST_REDIRECTS} redirects")))
    }

    /// The URL, when it may be requested.
    fn permitted(&self, url: &str, from: Option<&Uri>) -> Result<Uri, Failure> {
        let uri: Uri = url.parse().map_err(|_| refused(format!("`{url}` is not a URL")))?;
        let leads = if from.is_some() { " leads to" } else { "" };
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => Ok(uri),
            (Some("http"), Some(_)) if from.is_some_and(|from| from.scheme_str() == Some("https")) => {
                Err(refused(format!("it{leads} `{url}`, from https to plain http")))
            }
            (Some("http"), Some(host)) if self.plain_http || is_this_machine(host) => Ok(uri),
            (Some("http"), _) => Err(refused(format!(
                "{}anybody on the network can change what plain http transfers; use https, or allow it with `--allow-plain-http`",
                if from.is_some() { format!("it{leads} `{url}`: ") } else { String::new() }
            ))),
            _ => Err(refused(format!("`{url}` is not an https URL"))),
        }
    }

    fn ask_once(
        &self,
        uri: &Uri,
        accept: Option<&str>,
        authorization: Option<&str>,
    ) -> Result<Answer, Failure> {
        let host = uri.host().unwrap_or("");
        let agent = if is_this_machine(host) { &self.local } else { &self.agent };
        let mut request = agent.get(uri);
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let unreachable = |why: String| Failure::Unreachable(format!("`{host}`"), why);
        let response = request.call().map_err(|error| unreachable(describe(&error)))?;
        let (parts, body) = response.into_parts();
        if body.content_length().is_some_and(|length| length > LARGEST) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let read = body.into_reader().take(LARGEST + 1).read_to_end(&mut bytes);
        read.map_err(|error| unreachable(format!("the answer breaks off: {error}")))?;
        if bytes.len() as u64 > LARGEST {
            return Err(too_large());
        }
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: bytes })
    }
}

fn refused(why: String) -> Failure {
    Failure::Refused(Code::Remote, why)
}

fn too_large() -> Failure {
    Failure::Refused(Code::TooLarge, format!("the answer is larger than {} MiB", LARGEST / 1024 / 1024))
}

fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "the host does not exist, or there is no network".to_owned(),
        ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
        ureq::Error::Io(error) => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
        error => error.to_string(),
    }
}

/// The proxy of the settings; none when its address cannot be understood.
fn proxy(settings: &ProxySettings) -> Option<Proxy> {
    let named = Proxy::new(settings.address.as_deref()?).ok()?;
    let mut built = Proxy::builder(named.protocol()).host(named.host()).port(named.port());
    if let Some(name) = named.username() {
        built = built.username(name);
    }
    if let Some(password) = named.password() {
        built = built.password(password);
    }
    settings.without.iter().fold(built, |built, host| built.no_proxy(host)).build().ok()
}

/// The certificates that this machine trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others); Mozilla's, when it has none.
fn root_certificates() -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    let certificates: Vec<_> = found
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned())
        .collect();
    if certificates.is_empty() { RootCerts::WebPki } else { RootCerts::Specific(Arc::new(certificates)) }
}

/// Where a redirect leads.
fn join(from: &Uri, location: &str) -> String {
    let location = location.split('#').next().unwrap_or(location);
    if location.contains("://") {
        return location.to_owned();
    }
    let scheme = from.scheme_str().unwrap_or("https");
    if let Some(rest) = location.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let authority = from.authority().map_or("", |authority| authority.as_str());
    if location.starts_with('/') {
        return format!("{scheme}://{authority}{location}");
    }
    let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{scheme}://{authority}{folder}/{location}")
}

#[cfg(test)]
mod tests {
    use super::{Client, Failure, ProxySettings, is_this_machine, join, proxy};
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    fn client(patience: Duration) -> Client {
        let here = std::path::PathBuf::from("/");
        Client::with_patience(false, &crate::Surroundings::bare(here.clone(), here), patience)
    }

    #[test]
    fn proxies_are_those_of_the_settings() {
        let settings = ProxySettings {
            address: Some("http://me:p%40ss@proxy.example:3128".to_owned()),
            without: vec!["internal.example".to_owned()],
        };
        let proxy = proxy(&settings).unwrap();
        assert_eq!((proxy.host(), proxy.port(), proxy.password()), ("proxy.example", 3128, Some("p@ss")));
        assert!(proxy.is_no_proxy(&"https://internal.example/x".parse().unwrap()));
        assert!(super::proxy(&ProxySettings::default()).is_none());
    }

    /// Answers one connection after the other with these bytes; the last one stays silent when `then_silent`.
    fn serve(answers: Vec<String>, then_silent: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
            if then_silent {
                let kept = listener.accept();
                std::thread::sleep(Duration::from_secs(60));
                drop(kept);
            }
        });
        format!("http://{address}")
    }

    fn failure(answers: &[&str]) -> String {
        let url = serve(answers.iter().map(|answer| (*answer).to_owned()).collect(), false);
        match client(Duration::from_secs(30)).get(&format!("{url}/x.yaml")) {
            Ok(body) => panic!("{} bytes", body.len()),
            Err(Failure::Status(status, _)) => status.to_string(),
            Err(Failure::Unreachable(_, why) | Failure::Refused(_, why)) => why,
        }
    }

    #[test]
    fn answers_that_are_not_whole_or_too_large_are_refused() {
        assert!(failure(&["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"]).contains("breaks off"));
        assert!(
            failure(&["HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n"]).contains("larger than")
        );
        assert_eq!(failure(&["HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"]), "404");
    }

    #[test]
    fn a_silent_server_is_not_waited_for() {
        let url = serve(Vec::new(), true);
        let client = client(Duration::from_millis(200));
        assert!(matches!(client.get(&url), Err(Failure::Unreachable(..))));
    }

    #[test]
    fn redirects_end_and_never_go_to_plain_http_elsewhere() {
        let answer = "HTTP/1.1 302 Found\r\nlocation: http://example.com/x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        assert!(failure(&[answer]).contains("http://example.com/x"));
        let again = "HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        assert!(failure(&[again; 11]).contains("redirects"));
        let client = client(Duration::from_secs(30));
        assert!(matches!(client.get("http://example.com/x"), Err(Failure::Refused(..))));
    }

    #[test]
    fn redirects_are_joined() {
        let from = "https://h:8/a/b?q".parse().unwrap();
        for (location, to) in [
            ("c", "https://h:8/a/c"),
            ("/c", "https://h:8/c"),
            ("//k/c", "https://k/c"),
            ("http://k/", "http://k/"),
        ] {
            assert_eq!(join(&from, location), to);
        }
        assert!(
            is_this_machine("[::1]") && is_this_machine("127.9.9.9") && !is_this_machine("127.0.0.1.example")
        );
    }
}
