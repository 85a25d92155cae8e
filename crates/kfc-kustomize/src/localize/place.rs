//! Where remote files and roots go, below the root that names them: `localized-files/HOST/PATH`, and
//! `localized-files/HOST/REPOSITORY/REF` with the tree of the repository below.

use kfc_source::Remote;
use std::path::{Component, Path, PathBuf};

/// The directory of everything remote.
const FOLDER: &str = "localized-files";

/// Replaces the host of repositories on this machine.
const FILE_HOST: &str = "file-schemed";

/// The place of the file at a web address. Query and fragment, port and user are not part of it.
pub(super) fn of_file(address: &str) -> PathBuf {
    let address = address.split(['?', '#']).next().unwrap_or(address);
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    Path::new(FOLDER).join(host_name(authority)).join(cleaned(path))
}

/// The place of a repository at a ref.
pub(super) fn of_repository(remote: &Remote) -> PathBuf {
    let (host, path) = parts(&remote.repository);
    let path = path.trim_end_matches('/');
    let reference = cleaned(&remote.reference.replace(':', "-"));
    let host = if host == FILE_HOST { host } else { host_name(host) };
    Path::new(FOLDER).join(host).join(cleaned(path.strip_suffix(".git").unwrap_or(path))).join(reference)
}

/// The last part of a repository's address.
pub(super) fn repository_name(repository: &str) -> Option<String> {
    let path = parts(repository).1.trim_end_matches('/');
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".git").unwrap_or(name);
    (!name.is_empty()).then(|| name.to_owned())
}

/// The host and the path of a repository: `https://HOST/PATH`, `USER@HOST:PATH`, `file:///PATH`.
fn parts(repository: &str) -> (&str, &str) {
    match repository.split_once("://") {
        Some(("file", path)) => (FILE_HOST, path),
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        None => repository.split_once([':', '/']).unwrap_or((repository, "")),
    }
}

fn host_name(authority: &str) -> &str {
    let host = authority.rsplit('@').next().unwrap_or(authority);
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(host),
    }
}

/// The names of a path, `.` and `..` taken out; it cannot lead out of where it is put.
fn cleaned(path: &str) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    clean
}

/// The relative path from one directory to another path below the same top; both are without `..`.
pub(super) fn relative(to: &Path, from: &Path) -> String {
    let shared = to.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".into());
    let down = to.components().skip(shared).map(|part| part.as_os_str().to_string_lossy());
    let parts: Vec<_> = up.chain(down).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::{of_file, of_repository, relative, repository_name};
    use kfc_source::Remote;
    use std::path::Path;

    #[test]
    fn files_go_by_host_and_path() {
        let place = |url: &str| of_file(url).to_string_lossy().into_owned();
        assert_eq!(place("https://host.example/a/b.yaml"), "localized-files/host.example/a/b.yaml");
        assert_eq!(
            place("https://me:pw@host.example:8443/a.yaml?x=1#f"),
            "localized-files/host.example/a.yaml"
        );
        assert_eq!(place("https://h/../../../etc/passwd"), "localized-files/h/etc/passwd");
        assert_eq!(place("http://[::1]:80/a"), "localized-files/::1/a");
    }

    #[test]
    fn repositories_go_by_host_path_and_ref() {
        let place = |repository: &str, reference: &str| {
            let remote = Remote {
                repository: repository.to_owned(),
                path: String::new(),
                reference: reference.to_owned(),
            };
            of_repository(&remote).to_string_lossy().into_owned()
        };
        assert_eq!(place("https://github.com/o/r.git", "v1"), "localized-files/github.com/o/r/v1");
        assert_eq!(place("git@github.com:o/r", "a/b"), "localized-files/github.com/o/r/a/b");
        assert_eq!(place("ssh://git@h.example:7999/p/r.git", "v"), "localized-files/h.example/p/r/v");
        assert_eq!(place("file:///srv/r.git", "v"), "localized-files/file-schemed/srv/r/v");
        assert_eq!(place("oci://h:5000/o/r", "sha256:ab"), "localized-files/h/o/r/sha256-ab");
        assert_eq!(repository_name("git@github.com:o/r.git").as_deref(), Some("r"));
    }

    #[test]
    fn paths_lead_from_folder_to_folder() {
        let path = |to: &str, from: &str| relative(Path::new(to), Path::new(from));
        assert_eq!(path("/a/b/c.yaml", "/a/b"), "c.yaml");
        assert_eq!(path("/a/c/d", "/a/b/e"), "../../c/d");
        assert_eq!(path("/a", "/a"), ".");
    }
}
