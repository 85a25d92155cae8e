//! What merging and identities need to know of the types of the Kubernetes API: which lists merge by which key, and which
//! kinds live in no namespace. kustomize's built-in schema, or one that `openapi.path` names.

use crate::diagnostics::{Code, Diagnostic, Result};
use crate::yaml::{Map, Node};
use rustc_hash::{FxHashMap, FxHashSet};

/// See the head of the file.
const MERGE_LISTS: &str = include_str!("merge_lists.txt");
/// See the head of the file.
const CLUSTER_SCOPED: &str = include_str!("cluster_scoped.txt");

/// Short names of API groups in [`MERGE_LISTS`], where they differ from the groups.
const GROUPS: [(&str, &str); 16] = [
    ("", "core"),
    ("admissionregistration.k8s.io", "admissionregistration"),
    ("apiextensions.k8s.io", "apiextensions"),
    ("apiregistration.k8s.io", "apiregistration"),
    ("authentication.k8s.io", "authentication"),
    ("authorization.k8s.io", "authorization"),
    ("certificates.k8s.io", "certificates"),
    ("coordination.k8s.io", "coordination"),
    ("discovery.k8s.io", "discovery"),
    ("events.k8s.io", "events"),
    ("flowcontrol.apiserver.k8s.io", "flowcontrol"),
    ("networking.k8s.io", "networking"),
    ("node.k8s.io", "node"),
    ("rbac.authorization.k8s.io", "rbac"),
    ("scheduling.k8s.io", "scheduling"),
    ("storage.k8s.io", "storage"),
];

/// A field that is or leads to a list which merges.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    /// Type of the mapping, or of the items of the list.
    of: Option<String>,
    /// For a list that merges: the keys of its items, none for plain values.
    merge_keys: Option<Vec<String>>,
}

/// The types that are known.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    types: FxHashMap<String, Vec<Field>>,
    /// Names of types by apiVersion and kind, for custom schemas.
    kinds: FxHashMap<(String, String), String>,
    cluster_scoped: FxHashSet<(String, String)>,
    namespaced: FxHashSet<(String, String)>,
}

/// One type, or what a field of it is.
#[derive(Clone, Copy, Debug)]
pub struct TypeRef<'s> {
    schema: &'s Schema,
    fields: Option<&'s [Field]>,
    merge_keys: Option<&'s [String]>,
}

impl<'s> TypeRef<'s> {
    /// What a field of this type is; none when nothing below it merges.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<TypeRef<'s>> {
        let field = self.fields?.iter().find(|field| field.name == name)?;
        let fields = field.of.as_ref().and_then(|of| self.schema.types.get(of)).map(Vec::as_slice);
        Some(TypeRef { schema: self.schema, fields, merge_keys: field.merge_keys.as_deref() })
    }

    /// For a list that merges, the keys of its items; an empty slice when they are plain values.
    #[must_use]
    pub fn merge_keys(&self) -> Option<&'s [String]> {
        self.merge_keys
    }

    /// The type of the items of this list.
    #[must_use]
    pub fn element(&self) -> TypeRef<'s> {
        TypeRef { merge_keys: None, ..*self }
    }
}

impl Schema {
    /// kustomize's built-in schema.
    #[must_use]
    pub fn builtin() -> Self {
        let mut schema = Self::scopes();
        for line in MERGE_LISTS.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, fields)) = line.split_once(' ') {
                schema.types.insert(name.to_owned(), fields.split(' ').filter_map(Field::parse).collect());
            }
        }
        schema
    }

    fn scopes() -> Self {
        let mut schema = Self::default();
        for line in CLUSTER_SCOPED.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let api_version = words.next().unwrap_or("");
            schema.cluster_scoped.extend(words.map(|kind| (api_version.to_owned(), kind.to_owned())));
        }
        schema
    }

    /// The schema of an OpenAPI document. As in kustomize it takes the place of the built-in types; which built-in kinds
    /// live in a namespace stays known.
    ///
    /// # Errors
    /// [`Code::BadValue`] when the document has no `definitions`.
    pub fn with_openapi(document: &Node) -> Result<Self> {
        let Some(definitions) = document.get("definitions").and_then(Node::as_map) else {
            let error = Diagnostic::error(Code::BadValue, "this OpenAPI document has no `definitions`");
            return Err(error
                .at(document.mark)
                .help("print one with `kubectl get --raw /openapi/v2`")
                .into());
        };
        let mut schema = Self::scopes();
        for entry in definitions {
            schema.define(&entry.key.text, &entry.value, 0);
            for gvk in
                entry.value.get("x-kubernetes-group-version-kind").and_then(Node::as_seq).unwrap_or_default()
            {
                schema.kinds.insert(kind_of(gvk), entry.key.text.to_string());
            }
        }
        schema.read_paths(document.get("paths").and_then(Node::as_map));
        Ok(schema)
    }

    /// Adds a type and the types that are written out inside it.
    fn define(&mut self, name: &str, definition: &Node, depth: usize) {
        let Some(properties) = definition.get("properties").and_then(Node::as_map).filter(|_| depth < 100)
        else {
            return;
        };
        let mut fields = Vec::new();
        for property in properties {
            let value = &property.value;
            let target = value.get("items").unwrap_or(value);
            let of = match target.get("$ref").and_then(Node::as_text) {
                Some(reference) => reference.rsplit('/').next().unwrap_or(reference).to_owned(),
                None => {
                    let inner = format!("{name}/{}", property.key.text);
                    self.define(&inner, target, depth + 1);
                    inner
                }
            };
            fields.push(Field {
                name: property.key.text.to_string(),
                of: Some(of),
                merge_keys: merge_keys(value),
            });
        }
        self.types.insert(name.to_owned(), fields);
    }

    /// Learns from the paths of an API which kinds live in a namespace.
    fn read_paths(&mut self, paths: Option<&Map>) {
        for path in paths.into_iter().flatten() {
            let Some(gvk) = path.value.at(&["get", "x-kubernetes-group-version-kind"]) else { continue };
            let kind = kind_of(gvk);
            if path.key.text.contains("namespaces/{namespace}") {
                self.cluster_scoped.remove(&kind);
                self.namespaced.insert(kind);
            } else if !self.namespaced.contains(&kind) {
                self.cluster_scoped.insert(kind);
            }
        }
    }

    /// Whether a kind lives in a namespace; none when it is not known, which counts as yes.
    #[must_use]
    pub fn is_namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        let key = (api_version.to_owned(), kind.to_owned());
        if self.cluster_scoped.contains(&key) {
            return Some(false);
        }
        self.namespaced.contains(&key).then_some(true)
    }

    /// The type of a kind; none when nothing in it merges.
    #[must_use]
    pub fn lookup(&self, api_version: &str, kind: &str) -> Option<TypeRef<'_>> {
        let name = match self.kinds.get(&(api_version.to_owned(), kind.to_owned())) {
            Some(name) => name.clone(),
            None => type_name(api_version, kind),
        };
        let fields = self.types.get(&name)?;
        Some(TypeRef { schema: self, fields: Some(fields), merge_keys: None })
    }
}

/// The name of a built-in kind's type.
fn type_name(api_version: &str, kind: &str) -> String {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let short = GROUPS.iter().find(|(full, _)| *full == group).map_or(group, |(_, short)| short);
    format!("{short}.{version}.{kind}")
}

fn kind_of(gvk: &Node) -> (String, String) {
    let text = |key: &str| gvk.get(key).and_then(Node::as_text).unwrap_or("");
    let api_version = match text("group") {
        "" => text("version").to_owned(),
        group => format!("{group}/{}", text("version")),
    };
    (api_version, text("kind").to_owned())
}

/// The keys of a list that merges; `x-kubernetes-list-map-keys` goes before the one merge key.
fn merge_keys(property: &Node) -> Option<Vec<String>> {
    let text = |key: &str| property.get(key).and_then(Node::as_text);
    let merges =
        text("x-kubernetes-patch-strategy").is_some_and(|s| s.split(',').any(|word| word == "merge"));
    let several = property.get("x-kubernetes-list-map-keys").and_then(Node::as_seq);
    let several = several.map(|keys| keys.iter().filter_map(Node::as_text).map(str::to_owned).collect());
    let one = || text("x-kubernetes-patch-merge-key").map(|key| vec![key.to_owned()]);
    merges.then(|| several.or_else(one).unwrap_or_default())
}

impl Field {
    /// `name:Type`, `name[]:Type`, `name[key,key]:Type`, with `-` for no type.
    fn parse(text: &str) -> Option<Self> {
        let (field, of) = text.split_once(':')?;
        let (name, keys) = match field.split_once('[') {
            Some((name, keys)) => (name, Some(keys.trim_end_matches(']'))),
            None => (field, None),
        };
        let merge_keys = match keys {
            None | Some("") => None,
            Some("+") => Some(Vec::new()),
            Some(keys) => Some(keys.split(',').map(str::to_owned).collect()),
        };
        Some(Self { name: name.to_owned(), of: (of != "-").then(|| of.to_owned()), merge_keys })
    }
}

#[cfg(test)]
mod tests {
    use super::Schema;
    use crate::diagnostics::SourceId;
    use crate::yaml::parse::parse;

    #[test]
    fn lists_of_built_in_kinds_have_their_keys() {
        let schema = Schema::builtin();
        let pod = schema
            .lookup("apps/v1", "Deployment")
            .and_then(|t| t.field("spec")?.field("template")?.field("spec"));
        let containers = pod.and_then(|pod| pod.field("containers")).unwrap();
        assert_eq!(containers.merge_keys(), Some(&["name".to_owned()][..]));
        let ports = containers.element().field("ports").unwrap();
        assert_eq!(ports.merge_keys().map(<[String]>::len), Some(2));
        assert!(pod.unwrap().field("tolerations").is_none_or(|t| t.merge_keys().is_none()));
        assert_eq!(schema.is_namespaced("v1", "Namespace"), Some(false));
        assert_eq!(schema.is_namespaced("v1", "Foo"), None);
    }

    #[test]
    fn a_custom_schema_takes_the_place_of_the_types() {
        let text = r#"{"definitions": {"a.Foo": {"x-kubernetes-group-version-kind": [{"group": "g", "version": "v1", "kind": "Foo"}],
            "properties": {"spec": {"properties": {"l": {"type": "array", "items": {"type": "object"},
            "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "id"}}}}}}}"#;
        let schema = Schema::with_openapi(&parse(text, SourceId::NONE).unwrap()[0]).unwrap();
        let list = schema.lookup("g/v1", "Foo").and_then(|foo| foo.field("spec")?.field("l")).unwrap();
        assert_eq!(list.merge_keys(), Some(&["id".to_owned()][..]));
        assert!(schema.lookup("apps/v1", "Deployment").is_none());
        assert_eq!(schema.is_namespaced("v1", "Namespace"), Some(false));
    }
}
