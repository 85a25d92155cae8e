//! Which kinds the server knows, and under which paths. Asked in the aggregated form first, one request a prefix; servers
//! before Kubernetes 1.27 are asked group by group.

use super::{Connection, Failure};
use http::Method;
use kfc_kube::{GroupVersion, ObjectId};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// A kind as the server serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiResource {
    /// API group; empty for the core.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Its name in paths: `deployments`.
    pub plural: String,
    /// Whether its objects are namespaced.
    pub namespaced: bool,
}

/// All kinds of a server.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// By group and kind, the server's preferred version first.
    kinds: HashMap<(String, String), Vec<ApiResource>>,
    /// Groups whose own server does not answer now.
    unanswered: HashSet<String>,
}

impl Discovery {
    /// Asks the server.
    ///
    /// # Errors
    /// Those of the requests. Groups whose own server does not answer are passed over.
    pub async fn ask(connection: &Connection) -> Result<Self, Failure> {
        let mut found = Self::default();
        for (prefix, is_core) in [("/api", true), ("/apis", false)] {
            let (_, answer) = connection.send(Method::GET, prefix, AGGREGATED, super::Body::None).await?;
            if answer["kind"] == "APIGroupDiscoveryList" {
                found.add_aggregated(&answer);
            } else {
                found.add_each(connection, &answer, is_core).await?;
            }
        }
        Ok(found)
    }

    fn add_aggregated(&mut self, answer: &Value) {
        for group in list(&answer["items"]) {
            let name = text(&group["metadata"]["name"]);
            for version in list(&group["versions"]) {
                if version["freshness"] == "Stale" {
                    self.unanswered.insert(name.clone());
                }
                for resource in list(&version["resources"]) {
                    self.add(ApiResource {
                        group: name.clone(),
                        version: text(&version["version"]),
                        kind: text(&resource["responseKind"]["kind"]),
                        plural: text(&resource["resource"]),
                        namespaced: resource["scope"] == "Namespaced",
                    });
                }
            }
        }
    }

    async fn add_each(
        &mut self,
        connection: &Connection,
        answer: &Value,
        is_core: bool,
    ) -> Result<(), Failure> {
        let paths: Vec<String> = if is_core {
            list(&answer["versions"]).map(|version| format!("/api/{}", text(version))).collect()
        } else {
            let versions = list(&answer["groups"]).flat_map(|group| {
                let preferred = &group["preferredVersion"];
                let others = list(&group["versions"]).filter(move |version| *version != preferred);
                std::iter::once(preferred).chain(others)
            });
            versions.map(|version| format!("/apis/{}", text(&version["groupVersion"]))).collect()
        };
        for path in paths {
            match connection.get(&path).await {
                Ok(answer) => self.add_version(&answer),
                // The server of an aggregated API may be down: its kinds are unknown until it is up.
                Err(failure) if failure.status >= 404 => {
                    let group = path.trim_start_matches("/apis/").split('/').next().unwrap_or_default();
                    self.unanswered.insert(group.to_owned());
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    fn add_version(&mut self, answer: &Value) {
        let name = text(&answer["groupVersion"]);
        let GroupVersion { group, version } = GroupVersion::parse(&name);
        for resource in list(&answer["resources"]).filter(|resource| !text(&resource["name"]).contains('/')) {
            self.add(ApiResource {
                group: group.to_owned(),
                version: version.to_owned(),
                kind: text(&resource["kind"]),
                plural: text(&resource["name"]),
                namespaced: resource["namespaced"] == true,
            });
        }
    }

    fn add(&mut self, resource: ApiResource) {
        self.kinds.entry((resource.group.clone(), resource.kind.clone())).or_default().push(resource);
    }

    /// How an object's kind is served: in its own version, else in the one that the server prefers. `None` for kinds
    /// that the server does not know.
    #[must_use]
    pub fn find(&self, object: &ObjectId) -> Option<&ApiResource> {
        let served = self.of_kind(&object.group, &object.kind);
        served.iter().find(|resource| resource.version == object.version).or_else(|| served.first())
    }

    /// How an object's kind is served in its own version.
    #[must_use]
    pub fn find_exactly(&self, object: &ObjectId) -> Option<&ApiResource> {
        self.find(object).filter(|resource| resource.version == object.version)
    }

    /// Whether an unknown kind may exist, as the server of its group does not answer now.
    #[must_use]
    pub fn may_have(&self, group: &str, kind: &str) -> bool {
        self.of_kind(group, kind).is_empty() && self.unanswered.contains(group)
    }

    /// The kind that has a name in paths: `deployments` of `apps`.
    #[must_use]
    pub fn of_plural(&self, group: &str, plural: &str) -> Option<&ApiResource> {
        self.preferred().find(|resource| resource.group == group && resource.plural == plural)
    }

    /// Every kind in the version that the server prefers.
    pub fn preferred(&self) -> impl Iterator<Item = &ApiResource> {
        self.kinds.values().filter_map(|served| served.first())
    }

    /// The versions in which a kind is served, the preferred one first.
    #[must_use]
    pub fn of_kind(&self, group: &str, kind: &str) -> &[ApiResource] {
        self.kinds.get(&(group.to_owned(), kind.to_owned())).map_or(&[], Vec::as_slice)
    }
}

impl ApiResource {
    /// `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The path of all objects of the kind, in all namespaces when `namespace` is empty.
    #[must_use]
    pub fn path(&self, namespace: &str) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if self.namespaced && !namespace.is_empty() {
            path.push_str("/namespaces/");
            path.push_str(&escaped(namespace));
        }
        path.push('/');
        path.push_str(&self.plural);
        path
    }

    /// The path of one object.
    #[must_use]
    pub fn path_of(&self, object: &ObjectId) -> String {
        format!("{}/{}", self.path(&object.namespace), escaped(&object.name))
    }
}

/// A name as a segment of a path. Names of roles may contain colons and more.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{ApiResource, Discovery};
    use kfc_kube::ObjectId;
    use serde_json::json;

    fn object(group: &str, version: &str, kind: &str, namespace: &str, name: &str) -> ObjectId {
        let [group, version, kind, namespace, name] =
            [group, version, kind, namespace, name].map(str::to_owned);
        ObjectId { group, version, kind, namespace, name }
    }

    #[test]
    fn names_cannot_leave_their_place_in_a_path() {
        let role = ApiResource {
            group: "rbac.authorization.k8s.io".to_owned(),
            version: "v1".to_owned(),
            kind: "ClusterRole".to_owned(),
            plural: "clusterroles".to_owned(),
            namespaced: false,
        };
        let path =
            role.path_of(&object("rbac.authorization.k8s.io", "v1", "ClusterRole", "", "system:a/../b?c"));
        assert_eq!(path, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%2F..%2Fb%3Fc");
    }

    #[test]
    fn a_version_that_is_gone_is_found_in_the_preferred_one() {
        let mut discovery = Discovery::default();
        discovery.add_aggregated(&json!({"items": [{"metadata": {"name": "g"}, "versions": [
            {"version": "v2", "resources": [{"resource": "things", "responseKind": {"kind": "Thing"}, "scope": "Namespaced"}]},
            {"version": "v1", "resources": [{"resource": "things", "responseKind": {"kind": "Thing"}, "scope": "Namespaced"}]},
        ]}]}));
        let find =
            |version: &str| discovery.find(&object("g", version, "Thing", "n", "a")).map(|r| r.path("n"));
        assert_eq!(find("v1").as_deref(), Some("/apis/g/v1/namespaces/n/things"));
        assert_eq!(find("v1beta1").as_deref(), Some("/apis/g/v2/namespaces/n/things"));
        assert!(discovery.find_exactly(&object("g", "v1beta1", "Thing", "n", "a")).is_none());
        assert!(discovery.find(&object("", "v1", "Thing", "n", "a")).is_none());
    }
}
