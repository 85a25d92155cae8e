//! Credentials: those in a URL, and those that `docker login` and similar commands have stored for registries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kfc_diagnostics::address::split_user;
use std::path::Path;

/// The URL without the credentials in it, and those as the value of an `Authorization` header.
pub(super) fn split(url: &str) -> (String, Option<String>) {
    let (url, user) = split_user(url);
    (url, user.map(|user| basic(&kfc_diagnostics::address::decoded(&user, false))))
}

fn basic(user_and_password: &str) -> String {
    let text = if user_and_password.contains(':') {
        user_and_password.to_owned()
    } else {
        format!("{user_and_password}:")
    };
    format!("Basic {}", STANDARD.encode(text))
}

/// The credentials for a registry in the configuration file of docker, as the value of an `Authorization` header. Credential
/// helpers are programs, and are not run.
pub(super) fn of_registry(host: &str, docker_config: Option<&Path>) -> Option<String> {
    let text = std::fs::read_to_string(docker_config?).ok()?;
    in_file(&text, host)
}

fn in_file(text: &str, host: &str) -> Option<String> {
    let config: serde_json::Value = serde_json::from_str(text).ok()?;
    let auths = config.get("auths")?.as_object()?;
    let bare = |key: &str| {
        let key = key.split_once("://").map_or(key, |(_, rest)| rest);
        key.split('/').next().unwrap_or(key).to_owned()
    };
    let (_, entry) = auths.iter().find(|(key, _)| bare(key) == host)?;
    let auth = entry.get("auth")?.as_str()?;
    (!auth.is_empty() && STANDARD.decode(auth).is_ok()).then(|| format!("Basic {auth}"))
}

#[cfg(test)]
mod tests {
    use super::{in_file, split};

    #[test]
    fn credentials_are_taken_out_of_urls() {
        let (url, header) = split("https://me:p%40ss@host/a@b?c");
        assert_eq!((url.as_str(), header.as_deref()), ("https://host/a@b?c", Some("Basic bWU6cEBzcw==")));
        assert_eq!(split("https://host/a@b"), ("https://host/a@b".to_owned(), None));
    }

    #[test]
    fn registries_are_found_in_the_file_of_docker() {
        let file = r#"{"auths": {"https://ghcr.io/v2/": {"auth": "dTpw"}, "quay.io": {}}}"#;
        assert_eq!(in_file(file, "ghcr.io").as_deref(), Some("Basic dTpw"));
        assert_eq!(in_file(file, "quay.io"), None);
        assert_eq!(in_file("not json", "ghcr.io"), None);
    }
}
