//! The keys of age for files of sops, from where sops itself looks for them.

use super::here;
use kfc_diagnostics::Foreign;
use kfc_sops::{Identities, Sops};
use kfc_source::{Decrypter, FileSystem, Os, Refusal, Variables};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where sops looks below the directory for configurations of the user.
const KEYS: &str = "sops/age/keys.txt";

/// Variables that name keys which kfc does not use, with the reason.
const UNUSED: [(&str, &str); 3] = [
    ("SOPS_AGE_KEY_CMD", "a program, which kfc does not start"),
    ("SOPS_AGE_SSH_PRIVATE_KEY_FILE", "a key of SSH, which kfc does not know"),
    ("SOPS_AGE_SSH_PRIVATE_KEY_CMD", "a program, which kfc does not start"),
];

/// What decrypts files of sops, with the keys that this process has.
pub(super) fn decrypter() -> Arc<dyn Decrypter> {
    let variables: Variables = std::env::vars_os().collect();
    Arc::new(Sops::new(identities(&variables, &here::working_directory(), &Os)))
}

/// The keys of a process with these variables: of `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, and the file in the home
/// directory, of all of which sops uses each that exists.
fn identities(variables: &Variables, working_directory: &Path, files: &dyn FileSystem) -> Identities {
    let mut identities = Identities::default();
    if let Some(keys) = variables.get("SOPS_AGE_KEY") {
        identities.add_text("SOPS_AGE_KEY", &keys.to_string_lossy());
    }
    let named = variables.get("SOPS_AGE_KEY_FILE").map(|name| working_directory.join(name));
    let own = configurations(variables).map(|folder| working_directory.join(folder).join(KEYS));
    for (path, has_to_exist) in
        named.map(|path| (path, true)).into_iter().chain(own.map(|path| (path, false)))
    {
        let place = format!("`{}`", Foreign::new(path.display().to_string()).message());
        match files.read(&path) {
            Ok(bytes) => identities.add_text(&place, &String::from_utf8_lossy(&bytes)),
            Err(Refusal::Error(error)) if error.kind() == ErrorKind::NotFound && !has_to_exist => {}
            Err(Refusal::Error(error)) => identities.add_problem(format!("{place} cannot be read: {error}")),
            Err(Refusal::TooLarge) => identities.add_problem(format!("{place} is too large")),
            Err(Refusal::Kind(kind)) => identities.add_problem(format!("{place} is {kind}, not a file")),
        }
    }
    for (name, what) in UNUSED.iter().filter(|(name, _)| variables.get(name).is_some()) {
        identities.add_problem(format!("{name} names {what}"));
    }
    identities
}

/// The directory for configurations of the user, as Go and sops have it.
fn configurations(variables: &Variables) -> Option<PathBuf> {
    let place = |name: &str| variables.get(name).map(PathBuf::from);
    if cfg!(windows) {
        return place("APPDATA");
    }
    let below_home = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".config" };
    place("XDG_CONFIG_HOME").or_else(|| place("HOME").map(|home| home.join(below_home)))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::identities;
    use kfc_source::{Memory, Variables};
    use std::path::Path;

    /// Made for this test.
    const KEY: &str = "AGE-SECRET-KEY-1AVKU3EDWEUJNXQ0NRQ4NYYURCQQ9ZF78CZH435RZ2Q32XQPNPT2QXWA8W8";

    fn found(variables: &[(&str, &str)], files: &[(&str, &str)]) -> String {
        let variables: Variables =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        format!("{:?}", identities(&variables, Path::new("/work"), &Memory::new(files.iter().copied())))
    }

    #[test]
    fn keys_are_where_sops_looks_for_them() {
        let three = found(
            &[("SOPS_AGE_KEY", &format!("{KEY} {KEY}")), ("SOPS_AGE_KEY_FILE", "k"), ("HOME", "/h")],
            &[("/work/k", KEY), ("/h/.config/sops/age/keys.txt", KEY)],
        );
        assert_eq!(three, "Identities { count: 4, problems: [] }");
        let own = found(
            &[("XDG_CONFIG_HOME", "/c"), ("HOME", "/h")],
            &[("/c/sops/age/keys.txt", KEY), ("/h/.config/sops/age/keys.txt", KEY)],
        );
        assert_eq!(own, "Identities { count: 1, problems: [] }");
        assert_eq!(found(&[("HOME", "/h")], &[]), "Identities { count: 0, problems: [] }");
    }

    #[test]
    fn a_place_without_a_key_that_fits_is_a_problem() {
        let problems = found(
            &[("SOPS_AGE_KEY_FILE", "none"), ("SOPS_AGE_KEY_CMD", "pass show"), ("HOME", "/h")],
            &[("/h/.config/sops/age/keys.txt", "age-encryption.org/v1\n-> scrypt")],
        );
        assert!(problems.contains("`/work/none` cannot be read: "), "{problems}");
        assert!(problems.contains("`/h/.config/sops/age/keys.txt` is encrypted itself"), "{problems}");
        assert!(
            problems.contains("SOPS_AGE_KEY_CMD names a program, which kfc does not start"),
            "{problems}"
        );
        let directory = found(&[("SOPS_AGE_KEY_FILE", "k")], &[("/work/k/a", "")]);
        assert!(directory.contains("`/work/k` is a directory, not a file"), "{directory}");
    }
}
