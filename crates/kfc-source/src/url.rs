//! kustomize's grammar for remote roots: `HOST/ORG/REPO//PATH?ref=REF&timeout=90s&submodules=false` in all its forms; and
//! ours for OCI artifacts: `oci://REGISTRY/NAME:TAG//PATH`.

use super::source::{Request, Source};
use kfc_diagnostics::address::{bare_address, decoded};
use std::net::IpAddr;
use std::time::Duration;

/// How long a fetch may take without a `timeout` in the URL.
pub(super) const TIMEOUT: Duration = Duration::from_secs(27);
/// The longest time that a URL may ask for.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// A remote root: a directory in a repository at a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteUrl {
    /// The address that git gets.
    pub repository: String,
    /// The directory in the repository; empty for its root.
    pub path: String,
    /// Branch, tag or commit; empty for the default branch.
    pub reference: String,
    /// How long git may take.
    pub timeout: Duration,
    /// Whether submodules are fetched.
    pub submodules: bool,
}

impl RemoteUrl {
    /// Reads a URL. `None` when it is a local path.
    ///
    /// # Errors
    /// A message when it looks like a URL but cannot be read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        if text.starts_with('/') || text.contains('\n') {
            return None;
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (host, rest) = host(address)?;
        Some(Self::of_parts(host, rest, query))
    }

    fn of_parts(host: String, rest: &str, query: &str) -> Result<Self, String> {
        let (repository, path) = split_path(rest, host == "file://")
            .filter(|(repository, _)| !repository.is_empty())
            .ok_or("the repository is missing")?;
        let path = path.trim_start_matches('/').to_owned();
        if leaves_repository(&path) {
            return Err(format!("the path `{path}` leaves the repository"));
        }
        let mut url = Self {
            repository: host + repository,
            path,
            reference: String::new(),
            timeout: TIMEOUT,
            submodules: true,
        };
        url.read_query(query);
        Ok(url)
    }

    /// `ref` (or the older `version`), `timeout` in seconds or as `1m30s`, `submodules`. Values that cannot be read count
    /// as not given, as in kustomize.
    fn read_query(&mut self, query: &str) {
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(key, value)| *key == name && !value.is_empty())
                .map(|(_, value)| decoded(value, true))
        };
        self.reference = value("ref").or_else(|| value("version")).unwrap_or_default();
        if let Some(timeout) = value("timeout").and_then(|text| duration(&text)) {
            self.timeout = timeout;
        }
        let is_no = |word: &str| matches!(word, "0" | "f" | "F" | "false" | "FALSE" | "False");
        self.submodules = !value("submodules").is_some_and(|word| is_no(&word));
    }
}

/// A directory in a remote source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRoot {
    /// What is fetched.
    pub source: Source,
    /// The directory in it; empty for its top.
    pub path: String,
    /// How long git may take.
    pub timeout: Duration,
}

impl RemoteRoot {
    /// Reads a URL. `None` when it is a local path.
    ///
    /// # Errors
    /// A message when it looks like a URL but cannot be read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        let root = match text.strip_prefix("oci://") {
            Some(address) => oci(address),
            None => RemoteUrl::parse(text)?.map(|url| Self {
                path: url.path.clone(),
                timeout: url.timeout,
                source: url.source(),
            }),
        };
        Some(root.map_err(|why| Self::why_without_credentials(text, why)))
    }

    /// What is wrong with an address: a message about one that has credentials may quote a part of them.
    fn why_without_credentials(text: &str, why: String) -> String {
        let bare = bare_address(text);
        if bare == text {
            return why;
        }
        match Self::parse(&bare) {
            Some(Err(why)) => why,
            _ => "the user and password in it are not encoded".to_owned(),
        }
    }

    /// What has to be there.
    #[must_use]
    pub fn request(&self) -> Request {
        Request { source: self.source.clone(), timeout: self.timeout }
    }
}

impl RemoteUrl {
    /// What is fetched.
    #[must_use]
    pub fn source(self) -> Source {
        Source::Git { repository: self.repository, reference: self.reference, submodules: self.submodules }
    }
}

/// `REGISTRY/NAME:TAG//PATH` or `REGISTRY/NAME@sha256:DIGEST//PATH`, `latest` without a tag.
fn oci(address: &str) -> Result<RemoteRoot, String> {
    let address = address.split('?').next().unwrap_or(address);
    let (artefact, path) = address.split_once("//").unwrap_or((address, ""));
    let (registry, name) = artefact.split_once('/').ok_or("the repository in the registry is missing")?;
    let (name, reference) = match name.split_once('@') {
        Some((name, digest)) => (name.split(':').next().unwrap_or(name), digest),
        None => name.split_once(':').unwrap_or((name, "latest")),
    };
    let in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c);
    let in_reference = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let is_name = !name.is_empty()
        && name.chars().all(in_name)
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if registry.is_empty() || !is_name {
        return Err(format!(
            "`{registry}/{name}` is not a valid repository of a registry: write it in lowercase"
        ));
    }
    let starts_well = reference.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if !starts_well || !reference.chars().all(in_reference) {
        return Err(format!("`{reference}` is neither a tag nor a digest"));
    }
    let path = path.trim_matches('/').to_owned();
    if leaves_repository(&path) {
        return Err(format!("the path `{path}` leaves the artifact"));
    }
    let source = Source::Oci { repository: format!("{registry}/{name}"), reference: reference.to_owned() };
    Ok(RemoteRoot { source, path, timeout: TIMEOUT })
}

/// Whether a host is this machine.
pub(super) fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an address, with a scheme or as ssh and registries write it, leads to files or servers of this machine.
#[must_use]
pub fn is_on_this_machine(address: &str) -> bool {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    if scheme.eq_ignore_ascii_case("file") || scheme.is_empty() && rest.starts_with(['/', '.']) {
        return true;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(host),
    };
    is_this_machine(host)
}

/// Whether a git address uses a protocol that is neither encrypted nor signed.
pub(super) fn is_plain(address: &str) -> bool {
    let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
    ["http", "git"].iter().any(|plain| scheme.eq_ignore_ascii_case(plain))
}

/// Whether a text is a web address.
#[must_use]
pub fn is_web_address(text: &str) -> bool {
    let has = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    has("https://") || has("http://")
}

/// Whether a web address can only be a repository: it has what only the grammar of repositories has, or it is a page of
/// GitHub without a file. kustomize requests every address as a file first, and falls back to git; the result is the same.
pub(super) fn is_repository(text: &str) -> bool {
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let of_git = |key: &str| ["ref", "version", "submodules", "timeout"].contains(&key);
    if query.split('&').filter_map(|pair| pair.split_once('=')).any(|(key, _)| of_git(key)) {
        return true;
    }
    if address.contains("//")
        || address.contains("/_git/")
        || address.contains(".git/")
        || address.ends_with(".git")
    {
        return true;
    }
    let mut parts = address.split('/');
    let is_hub = parts.next().is_some_and(|host| host.eq_ignore_ascii_case("github.com"));
    is_hub && !parts.nth(2).is_some_and(|word| ["raw", "blob", "releases", "archive"].contains(&word))
}

/// `90`, `90s`, `1m30s`; more than zero, and at most a day.
fn duration(text: &str) -> Option<Duration> {
    written_duration(text).map(|duration| duration.min(LONGEST_TIMEOUT))
}

fn written_duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u64>() {
        return (seconds > 0).then(|| Duration::from_secs(seconds));
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value: f64 = rest[..number_end].parse().ok()?;
        rest = &rest[number_end..];
        let unit_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let seconds = match &rest[..unit_end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        total += value * seconds;
        rest = &rest[unit_end..];
    }
    (total > 0.0 && total < 1e9).then(|| Duration::from_secs_f64(total))
}

/// The part of an address that names the host, as git takes it, and what follows.
fn host(address: &str) -> Option<(String, &str)> {
    let address = address.strip_prefix("git::").unwrap_or(address);
    let (scheme, rest) = scheme(address);
    let (user, rest) = user(rest, scheme);
    let github = is_github(rest);
    if scheme == "file://" {
        return Some((scheme.to_owned(), &address[scheme.len()..]));
    }
    let scp_style = scheme.is_empty() && !user.is_empty();
    if scheme.is_empty() && !scp_style && !github {
        return None;
    }
    let end = rest.find(|c| c == '/' || (c == ':' && (scp_style || github)))?;
    let (name, path) = rest.split_at(end + 1);
    if github {
        let host =
            if scheme == "ssh://" || !user.is_empty() { "git@github.com:" } else { "https://github.com/" };
        return Some((host.to_owned(), path));
    }
    (name.len() > 1).then(|| (format!("{scheme}{user}{name}"), path))
}

fn scheme(address: &str) -> (&str, &str) {
    if let Some(rest) = address.strip_prefix("gh:") {
        return ("", rest);
    }
    let schemes = ["ssh://", "https://", "http://", "file://"];
    let found = schemes
        .into_iter()
        .find(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    found.map_or(("", address), |scheme| address.split_at(scheme.len()))
}

/// `git@` without a scheme, any user with one.
fn user<'a>(rest: &'a str, scheme: &str) -> (&'a str, &'a str) {
    let first = rest.split('/').next().unwrap_or(rest);
    match first.find('@') {
        Some(at)
            if !scheme.is_empty()
                || first[..at].chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) =>
        {
            rest.split_at(at + 1)
        }
        _ => ("", rest),
    }
}

fn is_github(rest: &str) -> bool {
    let lower = rest.get(..11).unwrap_or("").to_ascii_lowercase();

    rest.len() >= 11 && lower.starts_with("github.com") && lower.ends_with(['/', ':'])
}

/// Splits what follows the host into the repository and the directory in it.
fn split_path(rest: &str, whole: bool) -> Option<(&str, &str)> {
    if let Some(at) = rest.find("_git/") {
        let name_start = at + "_git/".len();
        let end = rest[name_start..].find('/').map_or(rest.len(), |slash| name_start + slash);
        return Some((&rest[..end], &rest[end..]));
    }
    if let Some(at) = rest.find("//") {
        return Some((&rest[..at], &rest[at + 2..]));
    }
    if let Some(at) = rest.find(".git") {
        return Some(rest.split_at(at + ".git".len()));
    }
    if whole {
        return Some((rest, ""));
    }
    let org_end = rest.find('/')?;
    let end = rest[org_end + 1..].find('/').map_or(rest.len(), |slash| org_end + 1 + slash);
    Some(rest.split_at(end))
}

fn leaves_repository(path: &str) -> bool {
    let mut depth = 0_i64;
    path.split('/').any(|part| {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        depth < 0
    })
}

/// A single file in a repository that a web address of GitHub names: `https://raw.githubusercontent.com/ORG/REPO/REF/PATH`
/// and the `raw` and `blob` pages.
pub(super) fn github_file(text: &str) -> Option<RemoteUrl> {
    let address = text.split(['?', '#']).next().unwrap_or(text);
    let (parts, skip) = match address.strip_prefix("https://raw.githubusercontent.com/") {
        Some(rest) => (rest, None),
        None => (address.strip_prefix("https://github.com/")?, Some(["raw", "blob"])),
    };
    let mut segments: Vec<&str> = parts.split('/').collect();
    if let Some(words) = skip {
        if !segments.get(2).is_some_and(|word| words.contains(word)) {
            return None;
        }
        segments.remove(2);
    }
    if segments.get(2) == Some(&"refs") && segments.len() > 5 {
        segments.drain(2..4);
    }
    let [org, repo, reference, path @ ..] = segments.as_slice() else { return None };
    (!path.is_empty()).then(|| RemoteUrl {
        repository: format!("https://github.com/{org}/{repo}"),
        path: path.join("/"),
        reference: (*reference).to_owned(),
        timeout: TIMEOUT,
        submodules: false,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_of_this_machine_are_known() {
        for own in [
            "file:///r",
            "/r",
            "http://127.0.0.1:8/x",
            "https://me:pw@localhost/r",
            "git@127.9.0.1:o/r",
            "localhost:5000/a",
            "ssh://git@[::1]:22/r",
            "FILE:///r",
            "http://LOCALHOST/",
        ] {
            assert!(super::is_on_this_machine(own), "{own}");
        }
        for other in [
            "https://h/localhost",
            "git@host:o/r",
            "ghcr.io/o/n",
            "https://127.0.0.1.example/",
            "https://h/?@localhost",
        ] {
            assert!(!super::is_on_this_machine(other), "{other}");
        }
        assert!(super::is_plain("http://h/r") && super::is_plain("git://h/r"));
        assert!(!super::is_plain("https://h/r") && !super::is_plain("git@h:r"));
    }

    use super::{RemoteRoot, RemoteUrl, Source, github_file, is_repository};
    use std::time::Duration;

    fn parts(text: &str) -> (String, String, String) {
        let url = RemoteUrl::parse(text).unwrap().unwrap();
        (url.repository, url.path, url.reference)
    }

    fn expect(text: &str, repository: &str, path: &str, reference: &str) {
        let expected = (repository.to_owned(), path.to_owned(), reference.to_owned());
        assert_eq!(parts(text), expected, "{text}");
    }

    #[test]
    fn every_form_of_a_remote_root_is_read() {
        let hub = "https://github.com/org/repo";
        expect("github.com/org/repo/a/b?ref=v1", hub, "a/b", "v1");
        expect("https://github.com/org/repo//a/b?ref=v1", hub, "a/b", "v1");
        expect("https://github.com/org/repo", hub, "", "");
        expect("git::https://github.com/org/repo//a?version=x", hub, "a", "x");
        expect("https://github.com/org/repo.git/a", "https://github.com/org/repo.git", "a", "");
        expect("git@github.com:org/repo.git//a?ref=main", "git@github.com:org/repo.git", "a", "main");
        expect("ssh://git@github.com/org/repo//a", "git@github.com:org/repo", "a", "");
        expect("git@host.example:org/repo.git/a", "git@host.example:org/repo.git", "a", "");
        expect(
            "ssh://git@host.example:7999/p/repo.git//a",
            "ssh://git@host.example:7999/p/repo.git",
            "a",
            "",
        );
        expect(
            "https://host.example/group/sub/repo.git//a?ref=b%2Fc",
            "https://host.example/group/sub/repo.git",
            "a",
            "b/c",
        );
        expect(
            "https://u@dev.azure.com/org/project/_git/repo/a?ref=v",
            "https://u@dev.azure.com/org/project/_git/repo",
            "a",
            "v",
        );
        expect("file:///srv/repo.git//a", "file:///srv/repo.git", "a", "");
        expect("file:///srv/repo", "file:///srv/repo", "", "");
    }

    #[test]
    fn local_paths_are_not_remote() {
        for path in ["../base", "base", "./github.com", "a.yaml", "/abs/x", "c:/x", "github.company"] {
            assert_eq!(RemoteUrl::parse(path), None, "{path}");
        }
    }

    #[test]
    fn queries_set_timeout_and_submodules() {
        let url = RemoteUrl::parse("github.com/o/r?timeout=1m30s&submodules=false").unwrap().unwrap();
        assert_eq!((url.timeout, url.submodules), (Duration::from_secs(90), false));
        let url = RemoteUrl::parse("github.com/o/r?timeout=nonsense").unwrap().unwrap();
        assert_eq!((url.timeout, url.submodules), (Duration::from_secs(27), true));
        for long in ["18446744073709551615", "9223372036854775807", "100000h", "86401"] {
            let url = RemoteUrl::parse(&format!("github.com/o/r?timeout={long}")).unwrap().unwrap();
            assert_eq!(url.timeout, super::LONGEST_TIMEOUT, "{long}");
        }
    }

    #[test]
    fn a_path_may_not_leave_its_repository() {
        assert!(RemoteUrl::parse("github.com/o/r//a/../../x").unwrap().is_err());
        assert!(RemoteUrl::parse("https://github.com/o").unwrap().is_err());
    }

    #[test]
    fn files_on_github_are_found_in_their_repository() {
        let url = github_file("https://raw.githubusercontent.com/o/r/v1/a/b.yaml").unwrap();
        assert_eq!(
            (url.repository.as_str(), url.reference.as_str(), url.path.as_str()),
            ("https://github.com/o/r", "v1", "a/b.yaml")
        );
        assert!(github_file("https://github.com/o/r/blob/main/x.yaml").is_some());
        assert!(github_file("https://github.com/o/r//x?ref=y").is_none());
    }

    #[test]
    fn artefacts_have_a_name_and_a_tag_or_digest() {
        let parts = |text: &str| {
            let root = RemoteRoot::parse(text).unwrap()?;
            let Source::Oci { repository, reference } = root.source else { return Err(text.to_owned()) };
            Ok((repository, reference, root.path))
        };
        let expect = |text: &str, repository: &str, reference: &str, path: &str| {
            let expected = (repository.to_owned(), reference.to_owned(), path.to_owned());
            assert_eq!(parts(text), Ok(expected), "{text}");
        };
        expect("oci://ghcr.io/org/name:v1//a/b", "ghcr.io/org/name", "v1", "a/b");
        expect("oci://localhost:5000/name", "localhost:5000/name", "latest", "");
        let digest = format!("sha256:{}", "a".repeat(64));
        expect(&format!("oci://ghcr.io/o/n:v1@{digest}"), "ghcr.io/o/n", &digest, "");
        for wrong in
            ["oci://ghcr.io", "oci://ghcr.io/Org/n", "oci://h/n:-x", "oci://h/../n", "oci://h/n//a/../../b"]
        {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn errors_quote_no_part_of_a_password() {
        for (text, why) in [
            ("oci://me:12/PLANTED@h/o/r:v1", "the user and password in it are not encoded"),
            (
                "oci://me:a/PLANTED@h/O/r",
                "`h/O/r` is not a valid repository of a registry: write it in lowercase",
            ),
        ] {
            assert_eq!(RemoteRoot::parse(text).unwrap().unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn repositories_are_told_from_files() {
        for text in [
            "https://github.com/o/r",
            "https://github.com/o/r/a/b",
            "https://h/o/r.git",
            "https://h/o/r//a",
            "https://h/o/r?ref=v1",
            "https://dev.azure.com/o/p/_git/r/a",
        ] {
            assert!(is_repository(text), "{text}");
        }
        for text in [
            "https://h/o/x.yaml",
            "https://h/o/r",
            "https://h/x?token=a",
            "https://github.com/o/r/releases/download/v1/x.yaml",
            "https://raw.githubusercontent.com/o/r/v1/x.yaml",
            "https://github.com/o/r/raw/v1/x.yaml",
        ] {
            assert!(!is_repository(text), "{text}");
        }
    }
}
