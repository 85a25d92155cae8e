//! Helm charts of repositories: the index of a repository names the archive of each version; over OCI each chart is
//! an artifact.

use super::archive::{self, Limits};
use super::oci;
use super::web::{Client, Failure};
use crate::lock::tree;
use crate::source::Pin;
use kfc_diagnostics::Code;
use semver::{Version, VersionReq};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use yaml_serde::Value;

/// A chart that is to be fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) repository: &'a str,
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

/// A version of a chart, as the index of its repository has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The version.
    pub version: String,
    /// The URL of the archive, relative to the repository.
    pub url: String,
    /// The sha256 of the archive; empty when the index has none.
    pub digest: String,
}

/// Fetches a chart and unpacks it into an empty directory.
pub(super) fn fetch(
    client: &Client,
    wanted: &Wanted<'_>,
    pin: Option<&Pin>,
    into: &Path,
) -> Result<Pin, Failure> {
    let version = pin.map_or(wanted.version, |pin| &pin.revision);
    let (version, archive) = match wanted.repository.strip_prefix("oci://") {
        Some(registry) => {
            let repository = format!("{}/{}", registry.trim_end_matches('/'), wanted.name);
            let tag = match version {
                "" | "*" => newest_tag(client, &repository, "*")?,
                range if Version::parse(range.trim_start_matches('v')).is_err() => {
                    newest_tag(client, &repository, range)?
                }
                version => version.replace('+', "_"),
            };
            (tag.replace('_', "+"), oci::chart(client, &repository, &tag)?)
        }
        None => of_index(client, wanted, version)?,
    };
    let sha256 = tree::sha256(&archive);
    if let Some(pinned) = pin.filter(|pin| pin.archive != sha256) {
        let why = format!(
            "its version {} has moved: kfc.lock pins an archive of sha256 {}, the repository has {sha256}",
            pinned.revision, pinned.archive
        );
        return Err(Failure::Refused(Code::Moved, why));
    }
    archive::unpack(&archive, into, &Limits::default()).map_err(refused)?;
    if !into.join(wanted.name).join("Chart.yaml").is_file() {
        return Err(refused(format!(
            "the archive has no `{}/Chart.yaml`: it is not a chart of that name",
            wanted.name
        )));
    }
    Ok(Pin { revision: version, archive: sha256 })
}

fn refused(why: String) -> Failure {
    Failure::Refused(Code::RefusedContent, why)
}

fn of_index(client: &Client, wanted: &Wanted<'_>, version: &str) -> Result<(String, Vec<u8>), Failure> {
    let repository = wanted.repository.trim_end_matches('/');
    let index = client.get(&format!("{repository}/index.yaml"))?;
    let releases = releases(&index, wanted.name).map_err(refused)?;
    let release = choose(&releases, version, |release| &release.version).ok_or_else(|| {
        let versions: Vec<&str> = releases.iter().take(5).map(|release| release.version.as_str()).collect();
        refused(format!("there is no version `{version}`; the repository has {}", versions.join(", ")))
    })?;
    let url = if release.url.contains("://") {
        release.url.clone()
    } else {
        format!("{repository}/{}", release.url.trim_start_matches('/'))
    };
    let archive = client.get(&url)?;
    let sha256 = tree::sha256(&archive);
    let said = release.digest.trim_start_matches("sha256:");
    if !said.is_empty() && said != sha256 {
        return Err(refused(format!(
            "the archive of {} has the sha256 {sha256}, but the index says {said}",
            release.version
        )));
    }
    Ok((release.version.clone(), archive))
}

fn newest_tag(client: &Client, repository: &str, range: &str) -> Result<String, Failure> {
    let tags = oci::tags(client, repository)?;
    let tag = choose(&tags, range, |tag| tag).cloned();
    tag.ok_or_else(|| refused(format!("there is no version `{range}` among the tags")))
}

/// The index of a repository, as far as kfc reads it. What it says of other charts may have any form.
#[derive(Deserialize)]
struct Index {
    entries: BTreeMap<String, Vec<Value>>,
}

/// A version of a chart in an index.
#[derive(Deserialize)]
struct IndexEntry {
    version: String,
    urls: Vec<String>,
    digest: Option<String>,
}

/// The releases of a chart in the index of a repository, in its order. As helm does, it passes over versions that it cannot read.
///
/// # Errors
/// A sentence on what is wrong with the index.
pub fn releases(index: &[u8], name: &str) -> Result<Vec<Release>, String> {
    let Index { mut entries } = yaml_serde::from_slice(index)
        .map_err(|error| format!("the index of the repository cannot be read: {error}"))?;
    let Some(list) = entries.remove(name) else {
        let near = kfc_diagnostics::nearest(name, entries.keys().map(String::as_str));
        let near = near.map(|near| format!("; the nearest is `{near}`")).unwrap_or_default();
        return Err(format!("the repository has no chart `{name}`{near}"));
    };
    let entries = list.into_iter().filter_map(|entry| yaml_serde::from_value::<IndexEntry>(entry).ok());
    let releases = entries.map(|IndexEntry { version, urls, digest }| Release {
        version,
        url: urls.into_iter().next().unwrap_or_default(),
        digest: digest.unwrap_or_default(),
    });
    Ok(releases.filter(|release| !release.url.is_empty() && !release.version.is_empty()).collect())
}

/// The item with exactly this version, else the newest within the range. Pre-releases count only when the range names one.
fn choose<'a, T>(items: &'a [T], wanted: &str, version: impl Fn(&T) -> &str) -> Option<&'a T> {
    let bare = |text: &str| text.trim_start_matches('v').replace('_', "+");
    let exact = items.iter().find(|item| version(item) == wanted || bare(version(item)) == bare(wanted));
    if exact.is_some() && !wanted.is_empty() {
        return exact;
    }
    let ranges = ranges(wanted)?;
    let fits = |version: &Version| ranges.iter().any(|range| range.matches(version));
    let parsed = items.iter().filter_map(|item| Some((Version::parse(&bare(version(item))).ok()?, item)));
    parsed.filter(|(version, _)| fits(version)).max_by(|a, b| a.0.cmp(&b.0)).map(|(_, item)| item)
}

/// A range as Helm writes it: `^1.2`, `~1.2`, `1.2` (any patch of it), `1.x`, `>=1.2 <2`, `1.2 - 1.4`, parts joined by `||`.
fn ranges(text: &str) -> Option<Vec<VersionReq>> {
    text.split("||").map(|part| range(part.trim())).collect()
}

fn range(text: &str) -> Option<VersionReq> {
    if text.is_empty() || text == "*" {
        return Some(VersionReq::STAR);
    }
    if let Some((low, high)) = text.split_once(" - ") {
        return VersionReq::parse(&format!(">={}, <={}", low.trim(), high.trim())).ok();
    }
    // There may be a space between an operator and its version.
    let mut joined = text.replace(',', " ");
    for operator in [">=", "<=", ">", "<", "=", "~", "^"] {
        joined = joined.replace(&format!("{operator} "), operator);
    }
    let comparators = joined.split_whitespace().map(|word| {
        let word = word.replace(['X', 'x'], "*");
        let start = word.find(|c: char| c.is_ascii_digit() || c == '*' || c == 'v').unwrap_or(0);
        let (operator, version) = word.split_at(start);
        let operator = if operator.is_empty() && !version.contains('*') { "=" } else { operator };
        format!("{operator}{}", version.trim_start_matches('v'))
    });
    VersionReq::parse(&comparators.collect::<Vec<_>>().join(", ")).ok()
}

#[cfg(test)]
mod tests {
    use super::{choose, releases};

    #[test]
    fn versions_are_chosen_as_helm_does() {
        let all = ["2.0.0-rc.1", "1.10.0", "v1.9.1", "1.9.0", "0.3.0", "odd"];
        let chosen = |wanted: &str| choose(&all, wanted, |version| version).copied();
        for (wanted, version) in [
            ("", Some("1.10.0")),
            ("*", Some("1.10.0")),
            ("1.9.1", Some("v1.9.1")),
            ("2.0.0-rc.1", Some("2.0.0-rc.1")),
            ("^1.2", Some("1.10.0")),
            ("~1.9", Some("v1.9.1")),
            ("1.9", Some("v1.9.1")),
            ("1.x", Some("1.10.0")),
            (">= 0.1 < 1.10", Some("v1.9.1")),
            ("0.1 - 0.5", Some("0.3.0")),
            ("9.x || 0.x", Some("0.3.0")),
            ("3.0.0", None),
            ("odd", Some("odd")),
            ("nonsense", None),
        ] {
            assert_eq!(chosen(wanted), version, "{wanted}");
        }
    }

    #[test]
    fn an_index_names_its_charts() {
        let index = b"entries:\n  web:\n  - version: 1.0.0\n    urls: [web-1.0.0.tgz]\n    digest: abc\n  - version: 2\n  \
            - version: 0.9.0\n    urls: [web-0.9.0.tgz, other.tgz]\n    digest: null\n    created: 2020-01-01\n  \
            - version: 0.8.0\n    urls: []\n";
        let found = releases(index, "web").unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|found| [&found.version, &found.url, &found.digest].map(String::as_str))
            .collect();
        assert_eq!(found, [["1.0.0", "web-1.0.0.tgz", "abc"], ["0.9.0", "web-0.9.0.tgz", ""]]);
        assert!(releases(index, "wbe").unwrap_err().contains("the nearest is `web`"));
        for wrong in [&b"<html>"[..], b"a: {", b"", b"\xff", b"apiVersion: v1", b"entries: [web]"] {
            let error = releases(wrong, "web").unwrap_err();
            assert!(error.starts_with("the index of the repository cannot be read: "), "{error}");
        }
    }
}
