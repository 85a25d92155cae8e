//! The Kubernetes types as far as a merge needs them: which lists merge by which key, and which kinds are namespaced.

mod builtin;
mod graph;
mod openapi;

pub use openapi::Builtin;

use compact_str::CompactString;
use graph::{Graph, Shape, ShapeId};
use kfc_diagnostics::Result;
use kfc_yaml::Node;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// The version of Kubernetes that the built-in types are of, as in kustomize 5.8.1.
pub const BUILTIN_VERSION: &str = "v1.21.2";

/// The types of one build. Nothing is read before the first question is asked.
#[derive(Debug, Default)]
pub struct Schema {
    /// The graph of types: the built-in one, read on demand, unless [`Schema::with_openapi`] filled it.
    graph: OnceLock<Graph>,
    builtin_scopes: OnceLock<FxHashMap<(&'static str, &'static str), bool>>,
    /// Scopes of kinds that only the OpenAPI file knows.
    more_scopes: FxHashMap<(String, String), bool>,
    /// The OpenAPI document that the types are from.
    document: Option<Node>,
}

/// One type of a [`Schema`]: of a resource, of a field, or of a list's items.
#[derive(Clone, Copy, Debug)]
pub struct TypeRef<'s> {
    graph: &'s Graph,
    id: ShapeId,
}

impl Schema {
    /// The types that kustomize 5 has built in.
    #[must_use]
    pub fn builtin() -> Self {
        Self::default()
    }

    /// The types of an OpenAPI document (`openapi.path` of a kustomization). As in kustomize they replace all
    /// built-in ones: a Deployment merges as a custom resource then, unless the document defines it. Only the scopes of
    /// the built-in kinds stay; `paths` of the document adds scopes.
    ///
    /// # Errors
    /// [`kfc_diagnostics::Code::WrongType`] when the document, or its `definitions`, is not a mapping.
    pub fn with_openapi(document: &Node) -> Result<Self> {
        let graph = openapi::read_definitions(document)?;
        let (more_scopes, document) = (openapi::read_scopes(document), Some(document.clone()));
        Ok(Self { graph: graph.into(), more_scopes, document, ..Self::default() })
    }

    /// The types of the same OpenAPI document added to the built-in ones; the same schema when there is no document.
    #[must_use]
    pub fn joined(&self, builtin: Builtin) -> Self {
        let graph =
            self.document.as_ref().and_then(|document| openapi::join_definitions(document, builtin).ok());
        Self {
            graph: graph.map_or_else(OnceLock::new, Into::into),
            more_scopes: self.more_scopes.clone(),
            document: self.document.clone(),
            ..Self::default()
        }
    }

    /// These types and those of the CRDs among some objects, whose lists merge by the keys of `x-kubernetes-list-map-keys`.
    #[must_use]
    pub fn with_crds<'n>(&self, objects: impl Iterator<Item = &'n Node>) -> Self {
        let graph = self.graph.get_or_init(|| builtin::types().0).clone();
        Self {
            graph: openapi::join_crds(graph, objects).into(),
            more_scopes: self.more_scopes.clone(),
            document: self.document.clone(),
            ..Self::default()
        }
    }

    /// Whether a kind is namespaced; `None` for a kind that is not known, which counts as namespaced.
    #[must_use]
    pub fn is_namespaced(&self, api_version: &str, kind: &str) -> Option<bool> {
        let builtin = self.builtin_scopes.get_or_init(builtin::scopes);
        builtin.get(&(api_version, kind)).copied().or_else(|| {
            if self.more_scopes.is_empty() {
                return None;
            }
            self.more_scopes.get(&(api_version.to_owned(), kind.to_owned())).copied()
        })
    }

    /// The type of a resource, if it is known.
    #[must_use]
    pub fn lookup(&self, api_version: &str, kind: &str) -> Option<TypeRef<'_>> {
        let graph = self.graph.get_or_init(|| builtin::types().0);
        graph.resource(api_version, kind).map(|id| TypeRef { graph, id })
    }
}

impl<'s> TypeRef<'s> {
    fn shape(self) -> &'s Shape {
        self.graph.shape(self.id)
    }

    fn resolved(self, id: Option<ShapeId>) -> Option<Self> {
        let id = self.graph.resolve(id?)?;
        Some(Self { id, ..self })
    }

    /// The type of a field: the one named so, else the one that all unnamed fields have (`additionalProperties`).
    #[must_use]
    pub fn field(self, name: &str) -> Option<Self> {
        let shape = self.shape();
        self.resolved(shape.fields.get(name).copied().or(shape.other_fields))
    }

    /// The type of a list's items.
    #[must_use]
    pub fn element(self) -> Option<Self> {
        self.resolved(self.shape().items)
    }

    /// The merge keys of a list; an empty slice for a list of scalars that merges by value, `None` for a list that a
    /// patch replaces, and for what is not a list.
    #[must_use]
    pub fn merge_keys(self) -> Option<&'s [CompactString]> {
        self.shape().merge_keys.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::parse::parse;

    fn keys(schema: &Schema, api_version: &str, kind: &str, path: &[&str]) -> Option<Vec<String>> {
        let mut found = schema.lookup(api_version, kind)?;
        for part in path {
            found = if *part == "[]" { found.element()? } else { found.field(part)? };
        }
        Some(found.merge_keys()?.iter().map(ToString::to_string).collect())
    }

    fn custom(text: &str) -> Schema {
        Schema::with_openapi(&parse(text, SourceId::NONE).unwrap().remove(0)).unwrap()
    }

    #[test]
    fn builtin_lists_have_their_keys() {
        let schema = Schema::builtin();
        let containers = ["spec", "template", "spec", "containers"];
        assert_eq!(keys(&schema, "apps/v1", "Deployment", &containers).unwrap(), ["name"]);
        let ports = [&containers[..], &["[]", "ports"]].concat();
        assert_eq!(keys(&schema, "apps/v1", "Deployment", &ports).unwrap(), ["containerPort", "protocol"]);
        assert_eq!(keys(&schema, "v1", "Pod", &["metadata", "finalizers"]).unwrap(), [""; 0]);
        assert_eq!(keys(&schema, "v1", "Pod", &["spec", "tolerations"]), None);
        let cron = ["spec", "jobTemplate", "spec", "template", "spec", "initContainers", "[]", "env"];
        assert_eq!(keys(&schema, "batch/v1", "CronJob", &cron).unwrap(), ["name"]);
    }

    #[test]
    fn only_resources_can_be_looked_up() {
        let schema = Schema::builtin();
        assert!(schema.lookup("apps/v1", "Deployment").is_some());
        assert!(schema.lookup("apps/v1", "DeploymentSpec").is_none());
        assert!(schema.lookup("apps/v1beta1", "Deployment").is_none());
        assert!(schema.lookup("example.com/v1", "Foo").is_none());
    }

    #[test]
    fn scopes_are_known_for_builtin_kinds() {
        let schema = Schema::builtin();
        assert_eq!(schema.is_namespaced("v1", "Namespace"), Some(false));
        assert_eq!(schema.is_namespaced("apps/v1", "Deployment"), Some(true));
        assert_eq!(schema.is_namespaced("example.com/v1", "Foo"), None);
    }

    const FOO: &str = r##"
definitions:
  L: {type: array, x-kubernetes-patch-merge-key: id, x-kubernetes-patch-strategy: merge}
  Round: {$ref: "#/definitions/Round"}
  Foo:
    x-kubernetes-group-version-kind: [{group: example.com, kind: Foo, version: v1}]
    properties:
      shared: {$ref: "#/definitions/L"}
      round: {$ref: "#/definitions/Round"}
      strategyMissing: {type: array, x-kubernetes-patch-merge-key: name}
      both: {type: array, x-kubernetes-patch-strategy: "merge,retainKeys", x-kubernetes-list-map-keys: [a, b], items: {
        properties: {deep: {type: array, x-kubernetes-patch-strategy: merge}}}}
      labelled: {additionalProperties: {properties: {l: {x-kubernetes-patch-strategy: merge}}}}
paths:
  /apis/example.com/v1/foos/{name}:
    get: {x-kubernetes-group-version-kind: {group: example.com, kind: Foo, version: v1}}
  /apis/example.com/v1/namespaces/{namespace}/bars/{name}:
    get: {x-kubernetes-group-version-kind: {group: example.com, kind: Bar, version: v1}}
"##;

    #[test]
    fn crds_add_the_keys_of_their_lists() {
        let crd = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {group: example.com, names: {kind: Foo}, versions: [{name: v1, schema: {openAPIV3Schema: {properties: {spec: {properties: {rules: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [host, port], items: {properties: {names: {type: array, x-kubernetes-list-type: set}}}}}}}}}}, {name: v2}]}}";
        let objects = [
            parse(crd, SourceId::NONE).unwrap().remove(0),
            parse("kind: B", SourceId::NONE).unwrap().remove(0),
        ];
        let schema = Schema::builtin().with_crds(objects.iter());
        assert_eq!(keys(&schema, "example.com/v1", "Foo", &["spec", "rules"]).unwrap(), ["host", "port"]);
        assert_eq!(keys(&schema, "example.com/v1", "Foo", &["spec", "rules", "[]", "names"]), None);
        assert!(schema.lookup("example.com/v2", "Foo").is_none());
        assert!(schema.lookup("apps/v1", "Deployment").is_some());
    }

    #[test]
    fn an_openapi_document_replaces_the_types() {
        let schema = custom(FOO);
        let of = |path: &[&str]| keys(&schema, "example.com/v1", "Foo", path);
        assert_eq!(of(&["shared"]).unwrap(), ["id"]);
        assert_eq!(of(&["round"]), None);
        assert_eq!(of(&["strategyMissing"]), None);
        assert_eq!(of(&["both"]).unwrap(), ["a", "b"]);
        assert_eq!(of(&["both", "[]", "deep"]).unwrap(), [""; 0]);
        assert_eq!(of(&["labelled", "any", "l"]).unwrap(), [""; 0]);
        assert!(schema.lookup("apps/v1", "Deployment").is_none());
    }

    #[test]
    fn an_openapi_document_can_be_added_to_the_builtin_types() {
        let document = r##"
definitions:
  io.k8s.api.core.v1.Container: {properties: {ports: {type: array}}}
  Foo:
    x-kubernetes-group-version-kind: [{group: example.com, kind: Foo, version: v1}]
    properties:
      metadata: {$ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
      template: {$ref: "#/definitions/io.k8s.api.core.v1.PodTemplateSpec"}
"##;
        let containers = ["spec", "template", "spec", "containers"];
        let ports = [&containers[..], &["[]", "ports"]].concat();
        for builtin in [Builtin::Wins, Builtin::Yields] {
            let schema = custom(document).joined(builtin);
            let of = |path: &[&str]| keys(&schema, "example.com/v1", "Foo", path);
            assert_eq!(of(&["metadata", "finalizers"]).unwrap(), [""; 0]);
            assert_eq!(of(&["template", "spec", "containers"]).unwrap(), ["name"]);
            assert_eq!(keys(&schema, "apps/v1", "Deployment", &containers).unwrap(), ["name"]);
            let ports = keys(&schema, "apps/v1", "Deployment", &ports);
            assert_eq!(ports.is_some(), builtin == Builtin::Wins);
        }
    }

    #[test]
    fn an_openapi_document_adds_scopes() {
        let schema = custom(FOO);
        assert_eq!(schema.is_namespaced("example.com/v1", "Foo"), Some(false));
        assert_eq!(schema.is_namespaced("example.com/v1", "Bar"), Some(true));
        assert_eq!(schema.is_namespaced("v1", "Namespace"), Some(false));
    }

    #[test]
    fn an_openapi_document_has_to_be_a_mapping() {
        assert!(Schema::with_openapi(&Node::string("foo", None)).is_err());
        assert!(custom("a: b").lookup("apps/v1", "Deployment").is_none());
    }
}
