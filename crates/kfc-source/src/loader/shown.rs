//! How paths are shown in messages: as the user would write them from the working directory.

use super::Loader;
use crate::door::clean;
use std::path::Path;

impl Loader {
    /// How a path is shown: below the root as the root is shown, without `..` where the text allows it.
    pub(super) fn show(&self, path: &str) -> String {
        if self.checkout.is_none() && !Path::new(&self.shown).is_absolute() {
            let clean = clean(&self.root.join(path));
            if let Ok(below) = clean.strip_prefix(&self.options().surroundings.working_directory) {
                let text = below.to_string_lossy();
                return if text.is_empty() { ".".to_owned() } else { text.into_owned() };
            }
        }
        match (self.shown.as_str(), path) {
            ("", "") => ".".to_owned(),
            ("", path) => path.to_owned(),
            (root, "") => root.to_owned(),
            (root, path) if root.contains("://") => clean_address(&format!("{root}/{path}")),
            (root, path) => clean(&Path::new(root).join(path)).to_string_lossy().into_owned(),
        }
    }
}

/// Removes `.` and `..` from an address; the `//` between repository and directory stays.
fn clean_address(address: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in address.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "..")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::clean_address;

    #[test]
    fn addresses_keep_their_slashes() {
        assert_eq!(clean_address("file:///r//base/../more/./b.yaml"), "file:///r//more/b.yaml");
        assert_eq!(clean_address("https://h/o/r?ref=v1/a.yaml"), "https://h/o/r?ref=v1/a.yaml");
    }
}
