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

/// The name of a stack in a folder: the folder's own, as far as names may be so.
pub(super) fn stack_name(folder: &Path) -> String {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
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
    fn a_stack_is_named_after_its_folder() {
        assert_eq!(stack_name(Path::new("clusters/Prod EU")), "prod-eu");
        assert_eq!(stack_name(Path::new("/")), "ml-platform");
        let here = std::env::current_dir().unwrap();
        assert_eq!(stack_name(Path::new("")), dns_name(&here.file_name().unwrap().to_string_lossy()));
    }
}
