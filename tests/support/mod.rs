//! What the tests of remote sources share: projects in temporary folders, git repositories, servers on loopback.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]
#![allow(dead_code, reason = "each program that has it uses part of it")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A folder with a project to build.
pub(crate) struct Project {
    folder: TempDir,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Project {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() };
        // The top of a repository: no lock is looked for above it.
        std::fs::create_dir(project.path(".git")).unwrap();
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.path(path), text);
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("HOME", self.path("home")).env_remove("XDG_CACHE_HOME").env_remove("DOCKER_CONFIG");
        command.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs kfc where there is no git.
    pub(crate) fn run_without_programs(&self, arguments: &[&str]) -> Output {
        self.command(arguments).env("PATH", self.path("nowhere")).output().unwrap()
    }

    /// The standard output of a run that does what it was asked to.
    #[track_caller]
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// The standard error of a run that fails as it should: exit code 1 and nothing on standard output.
    #[track_caller]
    pub(crate) fn bad(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stdout));
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        text(&output.stderr)
    }

    /// The folders of vendored trees, sorted.
    pub(crate) fn trees(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path("vendor")) else { return Vec::new() };
        let mut trees: Vec<PathBuf> =
            entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
        trees.sort();
        trees
    }

    /// The one vendored file of this name.
    #[track_caller]
    pub(crate) fn vendored(&self, name: &str) -> PathBuf {
        let found =
            self.trees().into_iter().map(|tree| tree.join("tree").join(name)).find(|path| path.exists());
        found.unwrap_or_else(|| panic!("nothing vendored is called {name}"))
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

pub(crate) fn config_map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: {value}\n")
}

/// A git repository on disk.
pub(crate) struct Repository(TempDir);

impl Repository {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit(files);
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    pub(crate) fn commit(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            write(&self.path().join(path), text);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=change"]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
        let output = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
    }

    /// Removes the repository, as if its host were gone.
    pub(crate) fn remove(self) {
        drop(self);
    }
}

/// What a server answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Handler = dyn Fn(&str, &str) -> Option<Answer> + Send + Sync;

/// A server on loopback: answers by path, or by a function of the path and the whole request.
pub(crate) struct Server {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
    routes: Arc<Mutex<BTreeMap<String, Answer>>>,
    gone: Arc<AtomicBool>,
}

/// A server that is dropped answers nobody any more.
impl Drop for Server {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
    }
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with(None, |_, _| None)
    }

    /// A server for https, and the certificate to trust. Its host is `localhost`.
    pub(crate) fn secure() -> (Self, String) {
        let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private)
            .unwrap();
        (Self::with(Some(Arc::new(config)), |_, _| None), key.cert.pem())
    }

    /// The address of a file for a client of https.
    pub(crate) fn secure_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.rsplit(':').next().unwrap())
    }

    pub(crate) fn with(
        tls: Option<Arc<rustls::ServerConfig>>,
        handler: impl Fn(&str, &str) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (asked, routes, gone) = (Arc::default(), Arc::default(), Arc::new(AtomicBool::new(false)));
        let server =
            Self { address, asked: Arc::clone(&asked), routes: Arc::clone(&routes), gone: Arc::clone(&gone) };
        let handler: Arc<Handler> = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if gone.load(Ordering::SeqCst) {
                    return;
                }
                let (asked, routes, handler, tls) =
                    (Arc::clone(&asked), Arc::clone(&routes), Arc::clone(&handler), tls.clone());
                std::thread::spawn(move || match tls {
                    None => serve(stream, &asked, &routes, &*handler),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        serve(rustls::StreamOwned::new(connection, stream), &asked, &routes, &*handler);
                    }
                });
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn set(&self, path: &str, answer: Answer) {
        self.routes.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(crate) fn file(&self, path: &str, text: &str) -> String {
        self.set(path, Answer::ok(text));
        self.url(path)
    }

    /// The paths that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// From now on nothing is there.
    pub(crate) fn clear(&self) {
        self.routes.lock().unwrap().clear();
    }
}

fn serve(
    mut stream: impl Read + Write,
    asked: &Mutex<Vec<String>>,
    routes: &Mutex<BTreeMap<String, Answer>>,
    handler: &Handler,
) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let request = text(&request);
    let path = request.split_whitespace().nth(1).unwrap_or("").to_owned();
    asked.lock().unwrap().push(path.clone());
    let answer = handler(&path, &request).or_else(|| routes.lock().unwrap().get(&path).cloned());
    let answer = answer.unwrap_or_else(|| Answer::status(404));
    let mut head = format!("HTTP/1.1 {} Answer\r\nconnection: close\r\n", answer.status);
    if !answer.headers.iter().any(|(name, _)| name == "content-length") {
        write!(head, "content-length: {}\r\n", answer.body.len()).unwrap();
    }
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    // The client may hang up on what it refuses.
    let _ = stream
        .write_all(format!("{head}\r\n").as_bytes())
        .and_then(|()| stream.write_all(&answer.body))
        .and_then(|()| stream.flush());
}

/// One entry of an archive.
pub(crate) struct Entry<'a> {
    pub(crate) path: &'a str,
    pub(crate) kind: tar::EntryType,
    pub(crate) link: &'a str,
    pub(crate) content: &'a [u8],
}

pub(crate) fn file<'a>(path: &'a str, content: &'a str) -> Entry<'a> {
    Entry { path, kind: tar::EntryType::Regular, link: "", content: content.as_bytes() }
}

/// A compressed archive of these entries, whatever their paths are.
pub(crate) fn tgz(entries: &[Entry<'_>]) -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(encoder);
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(entry.kind);
        header.set_size(entry.content.len() as u64);
        header.set_mode(0o644);
        let raw = header.as_old_mut();
        raw.name[..entry.path.len()].copy_from_slice(entry.path.as_bytes());
        raw.linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_cksum();
        builder.append(&header, entry.content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}
