//! Reads the tables of built-in types.

use super::graph::{Graph, Shape, ShapeId};
use crate::group_version::GroupVersion;
use compact_str::{CompactString, format_compact};
use rustc_hash::FxHashMap;

/// `type ⇥ field ⇥ merge keys ⇥ leads to`; the file says what the columns hold.
const MERGING: &str = include_str!("merging.tsv");

/// `apiVersion` and its kinds; the file says what the dash means.
const SCOPES: &str = include_str!("scopes.txt");

/// Whether kinds are namespaced, by `apiVersion` and kind.
pub(super) fn scopes() -> FxHashMap<(&'static str, &'static str), bool> {
    let mut scopes = FxHashMap::default();
    for (api_version, kinds) in
        SCOPES.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(' '))
    {
        for kind in kinds.split(' ') {
            let cluster_scoped = kind.strip_prefix('-');
            scopes.insert((api_version, cluster_scoped.unwrap_or(kind)), cluster_scoped.is_none());
        }
    }
    scopes
}

/// The graph of built-in types, and the types by the names of their definitions in Kubernetes' OpenAPI document.
pub(super) fn types() -> (Graph, FxHashMap<CompactString, ShapeId>) {
    let mut graph = Graph::default();
    let mut ids: FxHashMap<&str, ShapeId> = FxHashMap::default();
    for [owner, field, keys, to] in rows(MERGING) {
        let owner = id_of(owner, &mut ids, &mut graph);
        let to = (!to.is_empty()).then(|| id_of(to, &mut ids, &mut graph));
        let field_type = match (keys, to) {
            ("", Some(to)) => to,
            ("", None) => continue,
            (keys, items) => graph.add(Shape { merge_keys: Some(split(keys)), items, ..Shape::default() }),
        };
        graph.shape_mut(owner).fields.insert(CompactString::new(field), field_type);
    }
    let mut definitions = FxHashMap::default();
    for (name, id) in ids {
        definitions.insert(definition_name(name), id);
        if name.contains(' ') {
            graph.name_resource(CompactString::new(name), id);
        }
    }
    (graph, definitions)
}

/// `io.k8s.api.apps.v1.DeploymentSpec` for `apps/v1:DeploymentSpec`.
fn definition_name(name: &str) -> CompactString {
    let (api_version, kind) = name.split_once([' ', ':']).unwrap_or(("", name));
    let GroupVersion { group, version } = GroupVersion::parse(api_version);
    let package = match group.split_once('.').map_or(group, |(first, _)| first) {
        "" => "api.core",
        "meta" => "apimachinery.pkg.apis.meta",
        "apiextensions" => "apiextensions-apiserver.pkg.apis.apiextensions",
        "apiregistration" => "kube-aggregator.pkg.apis.apiregistration",
        group => return format_compact!("io.k8s.api.{group}.{version}.{kind}"),
    };
    format_compact!("io.k8s.{package}.{version}.{kind}")
}

fn rows(table: &'static str) -> impl Iterator<Item = [&'static str; 4]> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut columns = line.split('\t');
        [(); 4].map(|()| columns.next().unwrap_or(""))
    })
}

fn id_of(name: &'static str, ids: &mut FxHashMap<&'static str, ShapeId>, graph: &mut Graph) -> ShapeId {
    *ids.entry(name).or_insert_with(|| graph.add(Shape::default()))
}

fn split(keys: &str) -> Vec<CompactString> {
    if keys == "=" { Vec::new() } else { keys.split(',').map(CompactString::new).collect() }
}
