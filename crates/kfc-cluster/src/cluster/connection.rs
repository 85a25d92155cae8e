//! The connection: where the server is and who we are, as kubectl finds it out, and how requests are sent.

use super::Failure;
use super::limiter::Limiter;
use super::old_certificates::with_any_version;
use super::proxy::{self, Proxies};
use super::words::chain;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kfc_diagnostics::address::bare_address;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Foreign, Result, nearest};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use serde_json::Value;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often a busy or unreachable server is asked again, at most.
const TRIES: u32 = 8;
/// The longest pause between two tries, unless the server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// No answer takes longer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Which cluster, as whom, and how fast.
#[derive(Clone, Debug)]
pub struct Options {
    /// A kubeconfig instead of `$KUBECONFIG` and `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// A context of it instead of the current one.
    pub context: Option<String>,
    /// The namespace of objects that name none, instead of that of the context.
    pub namespace: Option<String>,
    /// Requests a second; zero for no limit.
    pub rate: f64,
    /// The proxies of the caller's environment.
    pub proxies: Proxies,
}

/// The body of a request, with its type.
#[derive(Clone, Copy, Debug)]
pub enum Body<'b> {
    /// None.
    None,
    /// An object.
    Json(&'b str),
    /// An object to be applied on the server's side.
    Apply(&'b str),
    /// What is to be merged into an object.
    Merge(&'b str),
}

/// A connection to an API server.
pub struct Connection {
    client: Client,
    limiter: Limiter,
    server: String,
    /// The `Date` of the last answer.
    clock: Mutex<Option<Timestamp>>,
    /// What the server warned of, each text once.
    warnings: Mutex<BTreeSet<String>>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Runs what talks to a cluster, on this thread.
///
/// # Errors
/// Those of `work`, and when no event loop can be created.
pub fn run<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        let message = format!("cannot start an event loop: {error}");
        Diagnostics::from(Diagnostic::error(Code::Unreachable, message))
    })?;
    runtime.block_on(work)
}

impl Connection {
    /// Finds the cluster and signs in. Asks the server nothing yet.
    ///
    /// # Errors
    /// [`Code::Unreachable`] when there is no kubeconfig, no such context, or its certificates cannot be read.
    pub async fn open(options: &Options) -> Result<Self> {
        let mut config = configuration(options).await?;
        if let Some(namespace) = &options.namespace {
            config.default_namespace.clone_from(namespace);
        }
        check_token(&config)?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        config.reset_reader_on_write = true;
        config.default_retry = false;
        let server = bare_address(config.cluster_url.to_string().trim_end_matches('/'));
        let plug_in = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
        let client = with_any_version(|| Client::try_from(config.clone()), |error| chain(error));
        let client = client.map_err(|error| {
            let message = format!("cannot connect to {server}: {}", chain(&error));
            let error = Diagnostic::error(Code::Unreachable, message);
            Diagnostics::from(match plug_in {
                Some(program) => {
                    error.note(format!("the kubeconfig authenticates with the program `{program}`"))
                }
                None => error,
            })
        })?;
        Ok(Self {
            client,
            limiter: Limiter::new(options.rate),
            server,
            clock: Mutex::new(None),
            warnings: Mutex::default(),
        })
    }

    /// The address of the server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The namespace of objects that name none: the one that the options or the kubeconfig's context name, or `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// What the server warned of since the last call, as of a deprecated version or a field that it ignores; each text once.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *warnings).into_iter().collect()
    }

    /// What the server's clock showed when it gave its last answer, in whole seconds; `None` when it never said.
    #[must_use]
    pub fn server_time(&self) -> Option<Timestamp> {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what a path of the API holds.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn get(&self, path: &str) -> std::result::Result<Value, Failure> {
        Ok(self.send(Method::GET, path, "application/json", Body::None).await?.1)
    }

    /// Reads a text that a path of the API holds, as a log.
    ///
    /// # Errors
    /// What the server says against it. It is asked once.
    pub async fn get_text(&self, path: &str) -> std::result::Result<String, Failure> {
        self.limiter.turn().await;
        let (_, bytes) = self.exchange(Method::GET, path, "*/*", Body::None).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends a request and reads its answer; when the server is busy or cannot be reached, tries again with growing
    /// pauses. Returns the status and the body.
    ///
    /// # Errors
    /// What the server says against the request, or why there was no answer in all this time.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Body<'_>,
    ) -> std::result::Result<(u16, Value), Failure> {
        let mut pause = Duration::from_millis(100);
        let mut left = TRIES;
        loop {
            self.limiter.turn().await;
            let started = Instant::now();
            let failure = match self.try_once(method.clone(), path, accept, body).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            left -= 1;
            // A server that refuses connections is given up soon: the address may be mistyped.
            let is_refused = failure.status == 0 && started.elapsed() < Duration::from_millis(200);
            if !failure.is_transient() || left == 0 || (is_refused && left < TRIES / 2) {
                return Err(failure);
            }
            let asked = failure.retry_after.map(|seconds| Duration::from_secs(seconds.min(60)));
            sleep(asked.map_or(pause, |asked| asked.max(pause))).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_once(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Body<'_>,
    ) -> std::result::Result<(u16, Value), Failure> {
        let (status, bytes) = self.exchange(method, path, accept, body).await?;
        let odd = |why: &str| {
            let message = format!("the answer to {path} is not a Kubernetes object: {why}");
            Failure { status: 406, message, ..Failure::default() }
        };
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| odd(&error.to_string()))?;
        if !value.is_object() {
            return Err(odd("it is not a mapping"));
        }
        Ok((status, value))
    }

    /// Sends a request once, and reads the bytes of its answer.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Body<'_>,
    ) -> std::result::Result<(u16, Vec<u8>), Failure> {
        let (content_type, text) = match body {
            Body::None => (None, ""),
            Body::Json(text) => (Some("application/json"), text),
            Body::Apply(text) => (Some("application/apply-patch+yaml"), text),
            Body::Merge(text) => (Some("application/merge-patch+json"), text),
        };
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        request = request.header(header::USER_AGENT, concat!("kfc/", env!("CARGO_PKG_VERSION")));
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let request = request.body(kube::client::Body::from(text.as_bytes().to_vec()));
        let request = request.map_err(|error| Failure { status: 400, ..wrong(&error) })?;
        let answer = self.client.send(request).await.map_err(|error| of_client(&error))?;
        let status = answer.status().as_u16();
        let date = answer.headers().get(header::DATE).and_then(|date| http_date(date.to_str().ok()?));
        if date.is_some() {
            *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = date;
        }
        let warnings = answer.headers().get_all(header::WARNING).iter();
        let warnings: Vec<String> = warnings.filter_map(|text| warning_text(text.to_str().ok()?)).collect();
        if !warnings.is_empty() {
            self.warnings.lock().unwrap_or_else(PoisonError::into_inner).extend(warnings);
        }
        let retry_after = answer.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let bytes = answer.into_body().collect().await.map_err(|error| wrong(&error))?.to_bytes();
        if status >= 400 {
            return Err(Failure::read(status, &bytes, retry_after));
        }
        Ok((status, bytes.to_vec()))
    }
}

/// The time in a header of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`, which is a date as mails have it.
fn http_date(text: &str) -> Option<Timestamp> {
    Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())
}

/// The text of a `Warning` header: `299 - "v1beta1 is deprecated"`.
fn warning_text(header: &str) -> Option<String> {
    let mut rest = header.trim().strip_prefix("299 ")?.split_once('"')?.1.chars();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            '\\' => text.extend(rest.next()),
            '"' => return Some(Foreign::new(text).message()),
            c => text.push(c),
        }
    }
    None
}

/// Refuses a token that no header can hold: the library would panic.
fn check_token(config: &Config) -> Result<()> {
    let user = serde_json::to_value(&config.auth_info).unwrap_or_default();
    let token = user["token"].as_str().unwrap_or_default();
    if !token.chars().any(char::is_control) {
        return Ok(());
    }
    let message = "the token of the kubeconfig's user has a line break or another control character";
    Err(Diagnostic::error(Code::Unreachable, message).help("write it in one line, as it was issued").into())
}

async fn configuration(options: &Options) -> std::result::Result<Config, Diagnostic> {
    let is_named = options.kubeconfig.is_some() || options.context.is_some();
    let read = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    if let (Ok(read), Some(name)) = (&read, &options.context) {
        let contexts: Vec<&str> = read.contexts.iter().map(|context| context.name.as_str()).collect();
        if !contexts.contains(&name.as_str()) {
            return Err(unknown_context(name, &contexts));
        }
    }
    let found = match read {
        Ok(read) => of_kubeconfig(read, options).await,
        Err(error) => Err(error),
    };
    match found {
        Ok((mut config, proxy)) => {
            let proxy = options.proxies.choose(proxy.as_deref(), &config.cluster_url);
            config.proxy_url = proxy.map_err(|error| nowhere(&error))?;
            Ok(config)
        }
        // In a cluster there is none.
        Err(error) if !is_named && is_missing(&error) => {
            let why = "no kubeconfig names one, and this is not a pod in a cluster";
            Config::incluster().map_err(|_| nowhere(why))
        }
        Err(error) => Err(nowhere(&chain(&error))),
    }
}

/// Whether there is no kubeconfig, or one that names no cluster.
fn is_missing(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath | KubeconfigError::CurrentContextNotSet => true,
        KubeconfigError::ReadConfig(error, _) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

/// The error for a cluster that is not found.
fn nowhere(why: &str) -> Diagnostic {
    let message = format!("cannot find out where the cluster is: {why}");
    let help = "set `KUBECONFIG`, or pass `--kubeconfig FILE` and `--context NAME`, as for kubectl";
    Diagnostic::error(Code::Unreachable, message).help(help)
}

/// The error for a context that the kubeconfig does not have.
fn unknown_context(name: &str, contexts: &[&str]) -> Diagnostic {
    let error = Diagnostic::error(Code::Unreachable, format!("the kubeconfig has no context `{name}`"));
    let error = match contexts {
        [] => error.note("it has no contexts"),
        all => error.note(format!("it has {}", all.join(", "))),
    };
    error.helped(nearest(name, contexts.iter().copied()).map(|near| format!("did you mean `{near}`?")))
}

/// The configuration by a kubeconfig, and the proxy that it names.
async fn of_kubeconfig(
    read: Kubeconfig,
    options: &Options,
) -> std::result::Result<(Config, Option<String>), KubeconfigError> {
    let chosen = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    let proxy = proxy::of_kubeconfig(&read, options.context.as_deref());
    Ok((Config::from_custom_kubeconfig(read, &chosen).await?, proxy))
}

/// What went wrong before an answer came. Failures of authentication are not temporary.
fn of_client(error: &kube::Error) -> Failure {
    match error {
        kube::Error::Auth(_) | kube::Error::TlsRequired => Failure { status: 401, ..wrong(error) },
        // The layer's own name for what happened below it says nothing.
        kube::Error::Service(_) => std::error::Error::source(error).map_or_else(|| wrong(error), wrong),
        _ => wrong(error),
    }
}

fn wrong(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::unanswered(chain(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{Body, Connection, Options, Proxies, http_date, run, warning_text};
    use http::Method;
    use std::io::{BufRead, BufReader, Write};

    /// The first line that a proxy is sent, when a kubeconfig names it and something is asked of the cluster.
    fn asked_of_a_proxy(address: impl Fn(u16) -> String) -> Vec<u8> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = address(listener.local_addr().unwrap().port());
        let first = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut first = vec![0; 3];
            std::io::Read::read_exact(&mut stream, &mut first).unwrap();
            if first[0] == b'C' {
                BufReader::new(&stream).read_until(b'\n', &mut first).unwrap();
                stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").unwrap();
            }
            first
        });
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let config = format!(
            "{{kind: Config, apiVersion: v1, current-context: a, users: [{{name: a, user: {{}}}}],\n\
             contexts: [{{name: a, context: {{cluster: a, user: a}}}}],\n\
             clusters: [{{name: a, cluster: {{server: 'https://cluster.example.com:6443', proxy-url: '{proxy}'}}}}]}}"
        );
        file.write_all(config.as_bytes()).unwrap();
        let options = Options {
            kubeconfig: Some(file.path().to_owned()),
            context: None,
            namespace: None,
            rate: 0.0,
            proxies: Proxies::default(),
        };
        run(async {
            let connection = Connection::open(&options).await?;
            assert!(connection.exchange(Method::GET, "/version", "*/*", Body::None).await.is_err());
            Ok(())
        })
        .unwrap();
        first.join().unwrap()
    }

    #[test]
    fn the_proxy_of_a_kubeconfig_is_used() {
        let asked = asked_of_a_proxy(|port| format!("http://127.0.0.1:{port}"));
        assert_eq!(String::from_utf8_lossy(&asked), "CONNECT cluster.example.com:6443 HTTP/1.1\r\n");
        let asked = asked_of_a_proxy(|port| format!("socks5://127.0.0.1:{port}"));
        assert_eq!(asked, [5, 1, 0], "version 5, one way to sign in: none");
    }

    #[test]
    fn an_unknown_context_shows_those_that_exist() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let config = "{kind: Config, apiVersion: v1, contexts: [{name: prod, context: {cluster: a}}, {name: dev, context: {cluster: a}}]}";
        file.write_all(config.as_bytes()).unwrap();
        let options = Options {
            kubeconfig: Some(file.path().to_owned()),
            context: Some("prd".to_owned()),
            namespace: None,
            rate: 0.0,
            proxies: Proxies::default(),
        };
        let errors = run(async { Connection::open(&options).await }).unwrap_err();
        assert_eq!(errors.0[0].message, "the kubeconfig has no context `prd`");
        assert_eq!(errors.0[0].notes, ["it has prod, dev"]);
        assert_eq!(errors.0[0].help.as_deref(), Some("did you mean `prod`?"));
    }

    #[test]
    fn warnings_are_read_from_their_header() {
        let text = |header: &str| warning_text(header);
        assert_eq!(text(r#"299 - "a \"b\" is deprecated""#).as_deref(), Some("a \"b\" is deprecated"));
        assert_eq!(text("110 - \"stale\""), None);
        assert_eq!(text("299 - \"open"), None);
    }

    #[test]
    fn the_clock_of_the_server_is_read_from_its_answers() {
        let seconds = |text: &str| http_date(text).map(jiff::Timestamp::as_second);
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds("yesterday"), None);
    }
}
