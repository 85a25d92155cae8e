//! `images` and `replicas`.

use super::Document;
use super::document::{entry, texts};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result};
use kfc_yaml::{Node, ScalarKind};

/// Keeps what the entry has now, instead of a new name, tag or digest.
const KEEP: &str = "*";

/// One argument of `edit set image`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Setting {
    name: String,
    new_name: String,
    new_tag: String,
    digest: String,
}

/// Sets images, as `NAME=NEWNAME`, `NAME=NEWNAME:TAG`, `NAME=NEWNAME@DIGEST`, `NAME:TAG` or `NAME@DIGEST`; `*` keeps a
/// part of the entry that is there.
///
/// # Errors
/// [`Code::Usage`] for arguments that are not any of these.
pub fn set_images(document: &mut Document, arguments: &[String]) -> Result<()> {
    let mut errors = Diagnostics::default();
    let settings: Vec<Setting> =
        arguments.iter().filter_map(|argument| errors.collect(read_image(argument))).collect();
    errors.into_result(())?;
    let mut items = document.items("images").to_vec();
    for setting in settings {
        put(&mut items, &setting.name, |old| {
            let kept = |field: &str, text: &str| match text {
                KEEP => old.and_then(|old| old.get(field)?.as_text()).unwrap_or("").to_owned(),
                text => text.to_owned(),
            };
            let new_name = kept("newName", &setting.new_name);
            let (new_tag, digest) = (kept("newTag", &setting.new_tag), kept("digest", &setting.digest));
            let fields = [
                ("name", setting.name.as_str()),
                ("newName", &new_name),
                ("newTag", &new_tag),
                ("digest", &digest),
            ];
            Node::map(texts(fields), None)
        });
    }
    document.set_items("images", items);
    Ok(())
}

/// Reads one argument, by the rules of kustomize's `set image`.
fn read_image(argument: &str) -> Result<Setting> {
    let (name, rest) = match argument.split_once('=') {
        Some((name, rest)) => (Some(name), rest),
        None => (None, argument),
    };
    let (image, new_tag, digest) = split_image(rest);
    let says_nothing = rest.is_empty() || (name.is_none() && new_tag.is_empty() && digest.is_empty());
    if says_nothing || name == Some("") || image.is_empty() && name.is_none() {
        let error = Diagnostic::error(Code::Usage, format!("`{argument}` sets no image"));
        let help = "write NAME=NEWNAME, NAME=NEWNAME:TAG, NAME=NEWNAME@DIGEST, NAME:TAG or NAME@DIGEST";
        return Err(error.help(help).into());
    }
    let (new_tag, digest) = (new_tag.to_owned(), digest.to_owned());
    Ok(match name {
        Some(name) => Setting { name: name.to_owned(), new_name: image.to_owned(), new_tag, digest },
        None => Setting { name: image.to_owned(), new_name: String::new(), new_tag, digest },
    })
}

/// Name, tag and digest; a colon before a slash belongs to a port.
fn split_image(text: &str) -> (&str, &str, &str) {
    if let Some((name, digest)) = text.split_once('@') {
        return (name, "", digest);
    }
    let is_tag = |tag: &str| tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    match text.rsplit_once(':').filter(|(_, tag)| *tag == KEEP || is_tag(tag)) {
        Some((name, tag)) => (name, tag, ""),
        None => (text, "", ""),
    }
}

/// Sets replicas, as `NAME=COUNT`.
///
/// # Errors
/// [`Code::Usage`] for arguments of another form.
pub fn set_replicas(document: &mut Document, arguments: &[String]) -> Result<()> {
    let mut errors = Diagnostics::default();
    let mut items = document.items("replicas").to_vec();
    for argument in arguments {
        let count = argument.split_once('=').filter(|(name, _)| !name.is_empty());
        if let Some((name, count)) = count.and_then(|(name, count)| Some((name, count.parse::<u32>().ok()?)))
        {
            put(&mut items, name, |_| {
                let count = Node::scalar(count.to_string().into(), ScalarKind::Int, None);
                let name = Node::string(name, None);
                Node::map([entry("name", name), entry("count", count)].into_iter().collect(), None)
            });
        } else {
            let error = Diagnostic::error(Code::Usage, format!("`{argument}` sets no replicas"));
            errors.push(error.help("write NAME=COUNT, with a count of 0 or more"));
        }
    }
    errors.into_result(())?;
    document.set_items("replicas", items);
    Ok(())
}

/// Replaces the item of this name, or appends one.
fn put(items: &mut Vec<Node>, name: &str, make: impl Fn(Option<&Node>) -> Node) {
    match items.iter_mut().find(|item| item.get("name").and_then(Node::as_text) == Some(name)) {
        Some(item) => *item = make(Some(item)),
        None => items.push(make(None)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Setting, read_image};

    fn read(argument: &str) -> Option<[String; 4]> {
        let Setting { name, new_name, new_tag, digest } = read_image(argument).ok()?;
        Some([name, new_name, new_tag, digest])
    }

    #[test]
    fn arguments_of_set_image() {
        let is = |argument: &str, wanted: [&str; 4]| {
            assert_eq!(read(argument), Some(wanted.map(str::to_owned)), "{argument}");
        };
        is("a=b", ["a", "b", "", ""]);
        is("a=b:v1", ["a", "b", "v1", ""]);
        is("a=b@sha256:12", ["a", "b", "", "sha256:12"]);
        is("a:v1", ["a", "", "v1", ""]);
        is("host:5000/a@sha256:12", ["host:5000/a", "", "", "sha256:12"]);
        is("host:5000/a:v1", ["host:5000/a", "", "v1", ""]);
        is("a=host:5000/b", ["a", "host:5000/b", "", ""]);
        is("a=*:v2", ["a", "*", "v2", ""]);
        for wrong in ["", "a", "=b", "a=", "host:5000/a", ":v1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
