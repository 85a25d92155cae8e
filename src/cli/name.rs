//! Names that stacks and inventories get when the user gives none.

use std::path::Path;

/// `gke+gpu` becomes `gke-gpu`.
pub(super) fn dns_name(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String =
        name.trim_matches(|c: char| !c.is_ascii_alphanumeric()).chars().map(allowed).take(50).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "my-app".to_owned() } else { name.to_owned() }
}

/// The name of a stack in a directory: that of the directory, in characters that names may have.
pub(super) fn stack_name(directory: &Path) -> String {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let full = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    match full.file_name() {
        Some(name) => dns_name(&name.to_string_lossy()),
        None => "ml-platform".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{dns_name, stack_name};
    use std::path::Path;

    #[test]
    fn names_fit_into_labels() {
        assert_eq!(dns_name("gke+gpu"), "gke-gpu");
        assert_eq!(dns_name("../My App"), "my-app");
        assert_eq!(dns_name("++"), "my-app");
        let long = format!("{}-b", "a".repeat(49));
        assert_eq!(dns_name(&long), "a".repeat(49), "what is cut does not end with a hyphen");
    }

    #[test]
    fn a_stack_is_named_after_its_directory() {
        assert_eq!(stack_name(Path::new("clusters/Prod EU")), "prod-eu");
        assert_eq!(stack_name(Path::new("/")), "ml-platform");
        let here = std::env::current_dir().unwrap();
        assert_eq!(stack_name(Path::new("")), dns_name(&here.file_name().unwrap().to_string_lossy()));
    }
}
