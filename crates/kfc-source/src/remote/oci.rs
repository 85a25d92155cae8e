//! OCI registries: artifacts whose layers are archives or single files. Every manifest and layer is checked against its digest.

use super::archive::{self, Limits};
use super::credentials;
use super::web::{Answer, Ask, Client, Failure};
use crate::lock::tree;
use crate::source::Pin;
use crate::tree_path;
use crate::url::is_this_machine;
use kfc_diagnostics::Code;
use serde_json::Value;
use std::path::Path;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json";
/// The layer of a chart's artifact that holds the chart.
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The annotation with the name of a layer's file.
const TITLE: &str = "org.opencontainers.image.title";
/// Bytes that a manifest may have, as registries have it.
const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;
/// Tags that are read of one repository.
const MOST_TAGS: usize = 100_000;

/// The part of a manifest that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its layers.
    pub layers: Vec<Layer>,
}

/// One layer of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What it is.
    pub media_type: String,
    /// The sha256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// The number of its bytes.
    pub size: u64,
    /// The name of its file; empty when it has none.
    pub title: String,
}

/// Reads a manifest.
///
/// # Errors
/// A sentence on what is wrong with it.
pub fn read_manifest(bytes: &[u8]) -> Result<Manifest, String> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("the manifest is not JSON: {error}"))?;
    if value.get("manifests").is_some() {
        return Err("it is an index of several artifacts; name one of them by its digest".to_owned());
    }
    let layers = value.get("layers").and_then(Value::as_array).ok_or("the manifest has no layers")?;
    let layers: Result<Vec<Layer>, String> = layers.iter().map(read_layer).collect();
    Ok(Manifest { layers: layers? })
}

fn read_layer(layer: &Value) -> Result<Layer, String> {
    let text = |name: &str| layer.get(name).and_then(Value::as_str).unwrap_or("");
    let sha256 = text("digest").strip_prefix("sha256:").filter(|digest| tree::is_sha256(digest));
    let title = layer.get("annotations").and_then(|annotations| annotations.get(TITLE)?.as_str());
    Ok(Layer {
        media_type: text("mediaType").to_owned(),
        sha256: sha256.ok_or_else(|| format!("a layer has no sha256, but `{}`", text("digest")))?.to_owned(),
        size: layer.get("size").and_then(Value::as_u64).ok_or("a layer has no size")?,
        title: title.unwrap_or("").to_owned(),
    })
}

/// Whether a tag is a version, which is meant never to change.
#[must_use]
pub fn is_version(tag: &str) -> bool {
    tag.starts_with("sha256:") || semver::Version::parse(tag.trim_start_matches('v')).is_ok()
}

/// Fetches an artifact and puts its layers into an empty directory.
pub(super) fn fetch(
    client: &Client,
    repository: &str,
    reference: &str,
    pin: Option<&Pin>,
    into: &Path,
) -> Result<Pin, Failure> {
    let registry = Registry::new(client, repository)?;
    let reference = pin.map_or(reference, |pin| &pin.revision);
    let (manifest, digest) = registry.manifest(reference)?;
    if manifest.layers.is_empty() {
        return Err(refused("the artifact has no layers".to_owned()));
    }
    let is_archive = |layer: &&Layer| {
        ["tar", "tar+gzip", "tar.gzip", "tgz"].iter().any(|end| ends_with(&layer.media_type, end))
    };
    let (archives, files): (Vec<&Layer>, Vec<&Layer>) = manifest.layers.iter().partition(is_archive);
    if archives.len() > 1 {
        let message = format!("it has {} archives, as a container image has; expected one", archives.len());
        return Err(refused(message));
    }
    let limits = Limits::default();
    let total = files.iter().try_fold(0_u64, |total, layer| total.checked_add(layer.size));
    if files.len() > limits.files || total.is_none_or(|total| total > limits.bytes) {
        let message = format!("its files come to more than {} MiB", limits.bytes / 1024 / 1024);
        return Err(Failure::Refused(Code::TooLarge, message));
    }
    // Files first: an archive may contain links, and no file may be written through one.
    files.into_iter().try_for_each(|layer| registry.write_file(layer, into))?;
    for layer in archives {
        archive::unpack(&registry.blob(layer)?, into, &limits).map_err(refused)?;
    }
    Ok(Pin { revision: format!("sha256:{digest}"), archive: String::new() })
}

fn ends_with(media_type: &str, end: &str) -> bool {
    media_type.strip_suffix(end).is_some_and(|start| start.ends_with(['.', '+', '/']))
}

/// The archive of a chart.
pub(super) fn chart(client: &Client, repository: &str, tag: &str) -> Result<Vec<u8>, Failure> {
    let registry = Registry::new(client, repository)?;
    let (manifest, _) = registry.manifest(tag)?;
    let layer = manifest.layers.iter().find(|layer| layer.media_type == CHART);
    registry.blob(layer.ok_or_else(|| refused("the artifact is not a chart".to_owned()))?)
}

/// The tags of a repository.
pub(super) fn tags(client: &Client, repository: &str) -> Result<Vec<String>, Failure> {
    let registry = Registry::new(client, repository)?;
    let mut tags = Vec::new();
    let mut path = "tags/list?n=1000".to_owned();
    while tags.len() < MOST_TAGS {
        let answer = registry.ask(&path, "application/json")?;
        let list: Value = serde_json::from_slice(&answer.body)
            .map_err(|error| refused(format!("the list of tags is not JSON: {error}")))?;
        let more = list.get("tags").and_then(Value::as_array).into_iter().flatten();
        let before = tags.len();
        tags.extend(more.filter_map(Value::as_str).map(str::to_owned));
        // A `Link` header has the URL of the next page; only its query is used.
        let next = answer.header("link").and_then(|link| link.split_once('?')?.1.split('>').next());
        match next.filter(|_| tags.len() > before) {
            Some(query) => path = format!("tags/list?{query}"),
            None => break,
        }
    }
    Ok(tags)
}

fn refused(why: String) -> Failure {
    Failure::Refused(Code::RefusedContent, why)
}

/// One repository of a registry.
struct Registry<'a> {
    client: &'a Client,
    host: &'a str,
    base: String,
    name: &'a str,
    token: std::cell::RefCell<Option<String>>,
}

impl<'a> Registry<'a> {
    fn new(client: &'a Client, repository: &'a str) -> Result<Self, Failure> {
        let (host, name) =
            repository.split_once('/').ok_or_else(|| refused("the repository is missing".to_owned()))?;
        let host_name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        // Registries on this machine use plain http, as docker assumes, too.
        let scheme = if is_this_machine(host_name) { "http" } else { "https" };
        let server = if host == "docker.io" { "registry-1.docker.io" } else { host };
        let base = format!("{scheme}://{server}/v2/{name}");
        Ok(Self { client, host, base, name, token: std::cell::RefCell::default() })
    }

    /// Asks below the repository, with a token when the registry wants one.
    fn ask(&self, path: &str, accept: &str) -> Result<Answer, Failure> {
        let url = format!("{}/{path}", self.base);
        let ask =
            |token: Option<&str>| self.client.ask(&url, Ask { accept: Some(accept), authorization: token });
        let token = self.token.borrow().clone();
        let mut answer = ask(token.as_deref())?;
        if answer.status == 401 {
            let challenge = answer.header("www-authenticate").unwrap_or("").to_owned();
            let token = self.authorize(&challenge)?;
            answer = ask(token.as_deref())?;
            *self.token.borrow_mut() = token;
        }
        match answer.status {
            200..=299 => Ok(answer),
            status => Err(Failure::Status(status, url)),
        }
    }

    /// Answers the challenge of a registry: with a token of its token server, or the user's own credentials.
    fn authorize(&self, challenge: &str) -> Result<Option<String>, Failure> {
        let own = {
            let host = if self.host == "docker.io" { "index.docker.io" } else { self.host };
            credentials::of_registry(host, self.client.docker_config.as_deref())
        };
        let Some(parameters) = challenge.strip_prefix("Bearer ") else { return Ok(own) };
        let value = |name: &str| {
            let start = parameters.find(&format!("{name}=\""))? + name.len() + 2;
            parameters.get(start..)?.split('"').next()
        };
        let Some(realm) = value("realm") else { return Ok(own) };
        let scope = format!("repository:{}:pull", self.name);
        let scope = value("scope").unwrap_or(&scope);
        let service = value("service").map(|service| format!("service={service}&")).unwrap_or_default();
        let joined = if realm.contains('?') { '&' } else { '?' };
        let url = format!("{realm}{joined}{service}scope={scope}").replace(' ', "%20");
        let answer = self.client.ask(&url, Ask { accept: None, authorization: own.as_deref() })?;
        if !(200..=299).contains(&answer.status) {
            return Err(Failure::Status(answer.status, url));
        }
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = ["token", "access_token"].iter().find_map(|name| value.get(name)?.as_str());
        Ok(token.map(|token| format!("Bearer {token}")))
    }

    /// The manifest of a tag or digest, and its own digest.
    fn manifest(&self, reference: &str) -> Result<(Manifest, String), Failure> {
        let answer = self.ask(&format!("manifests/{reference}"), ACCEPTED)?;
        if answer.body.len() > LARGEST_MANIFEST {
            return Err(refused("the manifest is larger than 4 MiB".to_owned()));
        }
        let digest = tree::sha256(&answer.body);
        let wrong = reference.strip_prefix("sha256:").is_some_and(|wanted| wanted != digest);
        let said = answer.header("docker-content-digest").and_then(|said| said.strip_prefix("sha256:"));
        if wrong || said.is_some_and(|said| said != digest) {
            return Err(refused(format!("the manifest `{reference}` has the wrong digest, sha256:{digest}")));
        }
        let kind = answer.header("content-type").unwrap_or(MANIFEST);
        let manifest = read_manifest(&answer.body).map_err(|why| refused(format!("{why} (`{kind}`)")))?;
        Ok((manifest, digest))
    }

    fn blob(&self, layer: &Layer) -> Result<Vec<u8>, Failure> {
        if layer.size > super::web::LARGEST {
            return Err(Failure::Refused(Code::TooLarge, format!("a layer has {} bytes", layer.size)));
        }
        let bytes = self.ask(&format!("blobs/sha256:{}", layer.sha256), "*/*")?.body;
        if bytes.len() as u64 != layer.size {
            let message = format!("a layer has {} bytes, but the manifest says {}", bytes.len(), layer.size);
            return Err(refused(message));
        }
        if tree::sha256(&bytes) != layer.sha256 {
            return Err(refused(format!("a layer does not have the digest sha256:{}", layer.sha256)));
        }
        Ok(bytes)
    }

    fn write_file(&self, layer: &Layer, into: &Path) -> Result<(), Failure> {
        let title = &layer.title;
        if title.is_empty() {
            let message =
                format!("a layer of type `{}` is neither an archive nor a named file", layer.media_type);
            return Err(refused(message));
        }
        tree_path::check(title).map_err(|why| refused(format!("`{}` {why}", title.escape_debug())))?;
        let path = into.join(title);
        if path.symlink_metadata().is_ok() {
            return Err(refused(format!("`{title}` is defined more than once")));
        }
        let bytes = self.blob(layer)?;
        let made = std::fs::create_dir_all(path.parent().unwrap_or(into));
        made.and_then(|()| std::fs::write(&path, bytes))
            .map_err(|error| refused(format!("`{title}` cannot be written: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::{ends_with, is_version, read_manifest};

    #[test]
    fn manifests_are_read_strictly() {
        let sum = "a".repeat(64);
        let layer = |digest: &str| {
            format!(r#"{{"layers": [{{"mediaType": "x", "digest": "{digest}", "size": 3}}]}}"#)
        };
        let manifest = read_manifest(layer(&format!("sha256:{sum}")).as_bytes()).unwrap();
        assert_eq!((manifest.layers[0].size, manifest.layers[0].sha256.as_str()), (3, sum.as_str()));
        assert!(read_manifest(layer("sha256:../../etc").as_bytes()).is_err());
        assert!(read_manifest(br#"{"manifests": []}"#).unwrap_err().contains("index"));
        assert!(read_manifest(b"{}").is_err() && read_manifest(b"<html>").is_err());
    }

    #[test]
    fn archives_are_known_by_their_type() {
        assert!(ends_with("application/vnd.cncf.flux.content.v1.tar+gzip", "tar+gzip"));
        assert!(!ends_with("application/avatar", "tar"));
        assert!(is_version("v1.2.3") && !is_version("latest"));
    }
}
