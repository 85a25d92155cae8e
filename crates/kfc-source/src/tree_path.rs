//! Paths inside trees that others wrote: archives, repositories, lists of files. Paths that could lead out of the tree, or
//! to another file on another machine, are refused.

use rustc_hash::FxHashMap;

/// Bytes that one name may have, as in common file systems.
const LONGEST_NAME: usize = 255;
/// Bytes that a path may have.
const LONGEST_PATH: usize = 4096;

/// Checks a path with `/` between names, relative to the top of the tree.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that starts with the path.
pub fn check(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("is empty");
    }
    if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        return Err("is an absolute path");
    }
    if path.len() > LONGEST_PATH {
        return Err("is too long");
    }
    if path.contains('\\') {
        return Err("has a backslash, which separates directories on some systems");
    }
    if path.chars().any(char::is_control) {
        return Err("has control characters in its name");
    }
    path.split('/').try_for_each(check_name)
}

fn check_name(name: &str) -> Result<(), &'static str> {
    match name {
        ".." => Err("leads out of the tree"),
        "" | "." => Err("is not a path in its shortest form"),
        name if name.eq_ignore_ascii_case(".git") => Err("would be read as data of git"),
        name if name.len() > LONGEST_NAME => Err("has a name that is too long"),
        _ => Ok(()),
    }
}

/// Whether a symbolic link at `path` with this target stays in the tree, by the text of both.
#[must_use]
pub fn link_stays(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains(['\\', '\0']) {
        return false;
    }
    let mut depth = path.split('/').count() - 1;
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

/// The paths of a tree so far. Finds duplicates, also those on file systems that ignore case.
#[derive(Debug, Default)]
pub struct Paths {
    /// By the path in lowercase: the path, and whether it is a directory.
    seen: FxHashMap<String, (String, bool)>,
}

impl Paths {
    /// Adds the path of a file or link.
    ///
    /// # Errors
    /// A sentence that names the path.
    pub fn add(&mut self, path: &str) -> Result<(), String> {
        check(path).map_err(|why| format!("`{}` {why}", path.escape_debug()))?;
        for (end, _) in path.match_indices('/') {
            self.insert(&path[..end], true)?;
        }
        self.insert(path, false)
    }

    fn insert(&mut self, path: &str, is_folder: bool) -> Result<(), String> {
        let lower = path.to_lowercase();
        match self.seen.get(&lower) {
            None => {
                self.seen.insert(lower, (path.to_owned(), is_folder));
                Ok(())
            }
            Some((other, _)) if other != path => Err(format!("`{other}` and `{path}` differ only in case")),
            Some((_, true)) if is_folder => Ok(()),
            Some((_, was_folder)) if *was_folder != is_folder => {
                Err(format!("`{path}` is a file and a directory"))
            }
            Some(_) => Err(format!("`{path}` is defined more than once")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Paths, check, link_stays};

    #[test]
    fn paths_that_leave_the_tree_are_refused() {
        for path in
            ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "C:/x", "a\\..\\b", "a\nb", "a/.GIT/x"]
        {
            assert!(check(path).is_err(), "{path}");
        }
        for path in ["a", "a/b.yaml", "..a/b..", ".github/x", "ä/ö"] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn links_may_go_up_but_not_out() {
        assert!(link_stays("a/b/link", "../../c"));
        assert!(!link_stays("a/b/link", "../../../c"));
        assert!(!link_stays("link", "/etc/passwd"));
        assert!(!link_stays("a/link", "x/../../../y"));
    }

    #[test]
    fn clashes_are_found() {
        let mut paths = Paths::default();
        paths.add("a/b").unwrap();
        paths.add("a/c").unwrap();
        assert!(paths.add("a/b").unwrap_err().contains("more than once"));
        assert!(paths.add("A/d").unwrap_err().contains("case"));
        assert!(paths.add("a/B").unwrap_err().contains("case"));
        assert!(paths.add("a").unwrap_err().contains("a file and a directory"));
        assert!(paths.add("a/b/c").unwrap_err().contains("a file and a directory"));
    }
}
