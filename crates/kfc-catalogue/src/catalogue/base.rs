//! Where the resources of a component come from.

use super::document::Place;
use crate::files::{ChartSource, ComponentSource, GitSource, Selected};
use kfc_kube::{ObjectId, ObjectPattern};
use kfc_kustomize::resource::Resource;
use kfc_yaml::{Entry, Key, Map, Node, ScalarKind, Spanned};

/// How long git may take for a source: upstream's repositories are large.
const TIMEOUT: &str = "10m";

/// Where the resources of a component come from.
#[derive(Clone, Debug)]
pub struct Base {
    /// The directory of the component.
    pub place: Place,
    /// What in it or elsewhere.
    pub origin: BaseOrigin,
}

/// What the resources of a component come from.
#[derive(Clone, Debug)]
pub enum BaseOrigin {
    /// A kustomization root: a directory relative to that of the component, or a URL.
    Root(Spanned<String>),
    /// Sources, in order.
    Sources {
        /// The sources.
        list: Vec<BaseSource>,
        /// The file that names them, in the directory of the base.
        file: String,
    },
}

/// One source of a component.
#[derive(Clone, Debug)]
pub struct BaseSource {
    /// A kustomization that builds its resources.
    pub kustomization: Node,
    /// What is to be fetched.
    pub remote: BaseRemote,
    /// Objects of it that are taken; all of them when empty.
    only: Vec<ObjectPattern>,
    /// Objects of it that are not taken.
    except: Vec<ObjectPattern>,
}

/// What a source needs from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseRemote {
    /// The URL of a kustomization root.
    Root(Spanned<String>),
    /// A chart.
    Chart {
        /// Its repository.
        repository: Spanned<String>,
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
}

impl BaseSource {
    /// The source that a file names for a component.
    pub(super) fn new(component: &str, source: Spanned<ComponentSource>) -> Self {
        match source.value {
            ComponentSource::Git(git) => Self::of_git(git),
            ComponentSource::Chart(chart) => Self::of_chart(component, chart),
        }
    }

    pub(super) fn of_git(source: GitSource) -> Self {
        let url = url(&source);
        let mut kustomization = Map::new();
        let resources = Node::seq(vec![text(&url)], url.mark);
        kustomization.push(field("resources", resources));
        if let Some(entry) = namespace_field(source.namespace.as_ref()) {
            kustomization.push(entry);
        }
        Self {
            kustomization: Node::map(kustomization, url.mark),
            remote: BaseRemote::Root(url),
            only: patterns(source.only),
            except: patterns(source.except),
        }
    }

    fn of_chart(component: &str, source: ChartSource) -> Self {
        let mark = source.chart.mark;
        let component = Spanned { value: component.to_owned(), mark };
        let mut chart = Map::new();
        chart.push(field("name", text(&source.chart)));
        chart.push(field("repo", text(&source.repository)));
        chart.push(field("version", text(&source.version)));
        chart.push(field("releaseName", text(source.release.as_ref().unwrap_or(&component))));
        chart.push(field("includeCRDs", Node::scalar("true".into(), ScalarKind::Bool, mark)));
        if let Some(entry) = namespace_field(source.namespace.as_ref()) {
            chart.push(entry);
        }
        if let Some(values) = source.values {
            chart.push(field("valuesInline", values.0));
        }
        let mut kustomization = Map::new();
        kustomization.push(field("helmCharts", Node::seq(vec![Node::map(chart, mark)], mark)));
        if let Some(entry) = namespace_field(source.namespace.as_ref()) {
            kustomization.push(entry);
        }
        Self {
            kustomization: Node::map(kustomization, mark),
            remote: BaseRemote::Chart {
                repository: source.repository,
                name: source.chart.value,
                version: source.version.value,
            },
            only: patterns(source.only),
            except: patterns(source.except),
        }
    }

    /// Whether all of its objects are taken.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }

    /// Whether an object of it is taken.
    #[must_use]
    pub fn takes(&self, resource: &Resource) -> bool {
        let object = ObjectId::of(resource, "");
        let selects = |patterns: &[ObjectPattern]| patterns.iter().any(|pattern| pattern.selects(&object));
        (self.only.is_empty() || selects(&self.only)) && !selects(&self.except)
    }
}

/// The URL of the root of a source, as kustomize writes it.
fn url(source: &GitSource) -> Spanned<String> {
    let reference = source.commit.as_ref().map(|commit| &commit.0).or(source.reference.as_ref());
    let path = source.path.as_ref().map_or("", |path| path.value.trim_matches('/'));
    let address = source.git.value.trim_end_matches('/');
    let mut url = format!("{address}//{path}?timeout={TIMEOUT}");
    if let Some(reference) = reference {
        url += "&ref=";
        // What a query ends or separates with is encoded; a ref has none of the rest.
        url.extend(reference.value.chars().map(|c| match c {
            '%' => "%25".to_owned(),
            '&' => "%26".to_owned(),
            '+' => "%2B".to_owned(),
            '#' => "%23".to_owned(),
            other => other.to_string(),
        }));
    }
    let mark = source.path.as_ref().map_or(source.git.mark, |path| path.mark);
    Spanned { value: url, mark }
}

fn patterns(selected: Vec<Selected>) -> Vec<ObjectPattern> {
    selected.into_iter().map(|selected| selected.0).collect()
}

fn text(value: &Spanned<String>) -> Node {
    Node::string(&value.value, value.mark)
}

fn field(name: &str, value: Node) -> Entry {
    Entry { key: Key::new(name, value.mark), value }
}

/// The namespace of a source, as a field of its kustomization.
fn namespace_field(namespace: Option<&Spanned<String>>) -> Option<Entry> {
    namespace.map(|namespace| field("namespace", text(namespace)))
}

#[cfg(test)]
mod tests {
    use super::{BaseRemote, BaseSource};
    use crate::files::ComponentFile;
    use kfc_diagnostics::SourceId;
    use kfc_yaml::de;
    use kfc_yaml::parse::parse;
    use kfc_yaml::value::to_json;
    use serde_json::json;

    fn sources(source: &str) -> Vec<BaseSource> {
        let text = format!(
            "{{apiVersion: kfc.dev/v1alpha1, kind: Component, metadata: {{name: a}}, spec: {{stage: data, source: {source}}}}}"
        );
        let (file, errors) = de::read::<ComponentFile>(&parse(&text, SourceId(0)).unwrap()[0]);
        assert!(errors.is_empty(), "{errors}");
        file.unwrap().spec.source.into_iter().map(|source| BaseSource::new("a", source)).collect()
    }

    fn url(source: &str) -> String {
        match sources(source).remove(0).remote {
            BaseRemote::Root(url) => url.value,
            BaseRemote::Chart { .. } => panic!("not a root"),
        }
    }

    #[test]
    fn a_commit_goes_before_a_ref_and_both_are_encoded() {
        let at = |rest: &str| format!("https://h/o/r//{rest}");
        assert_eq!(url("{git: https://h/o/r}"), at("?timeout=10m"));
        assert_eq!(url("{git: https://h/o/r/, ref: a+b, path: /c/}"), at("c?timeout=10m&ref=a%2Bb"));
        let commit = "0123456789012345678901234567890123456789";
        let both = format!("{{git: https://h/o/r, ref: v1, commit: '{commit}', path: c}}");
        assert_eq!(url(&both), at(&format!("c?timeout=10m&ref={commit}")));
    }

    #[test]
    fn a_chart_is_a_kustomization_with_one_chart() {
        let several =
            sources("[{chart: c, repository: https://h, version: 1.0.0, namespace: n, values: {x: 1}}]");
        let chart = json!({"name": "c", "repo": "https://h", "version": "1.0.0", "releaseName": "a", "includeCRDs": true,
            "namespace": "n", "valuesInline": {"x": 1}});
        assert_eq!(to_json(&several[0].kustomization), json!({"helmCharts": [chart], "namespace": "n"}));
    }
}
