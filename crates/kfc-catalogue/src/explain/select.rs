//! Finds the resource that a user means: `deployment/web`, `deploy/web`, `svc/web`, `gateways.networking.istio.io/web`, or
//! `Deployment shop/web` as messages print it.

use super::kind::TypedKind;
use kfc_diagnostics::{Code, Diagnostic, Result, nearest};
use kfc_kube::ObjectId;
use kfc_kube::redaction::copied as resources;
use kfc_kustomize::resource::{Resource, ResourceSet};
use std::borrow::Cow;

/// Resources of an error message at most.
const SHOWN: usize = 8;

/// Finds one resource of a bundle. The name is its current one, or any that it had before prefixes, suffixes and hashes;
/// current names come first.
///
/// # Errors
/// [`Code::ExplainedResource`] when there is none, with a suggestion or the step that removed it, and when there are several.
pub fn select<'b>(set: &'b ResourceSet, text: &str, namespace: Option<&str>) -> Result<&'b Resource> {
    // As every message names it: `Deployment shop/web`.
    if let Ok(id) = text.parse::<ObjectId>() {
        let own = if id.namespace.is_empty() { namespace } else { Some(id.namespace.as_str()) };
        return select(set, &format!("{}/{}", id.kind, id.name), own);
    }
    let Some((kind, name)) = text.split_once('/').filter(|(kind, name)| !kind.is_empty() && !name.is_empty())
    else {
        let error =
            Diagnostic::error(Code::ExplainedResource, format!("`{text}` is not the name of a resource"));
        return Err(error.help(without_name(set, text)).into());
    };
    let kind = TypedKind::read(kind, &set.list);
    let lives_there = |resource: &Resource| namespace.is_none_or(|wanted| resource.namespace() == wanted);
    let of_kind: Vec<&Resource> = set.list.iter().filter(|r| kind.covers(r)).collect();
    let (there, elsewhere): (Vec<&Resource>, Vec<&Resource>) = of_kind.iter().partition(|r| lives_there(r));
    let now: Vec<&Resource> = there.iter().copied().filter(|r| r.name() == name).collect();
    let earlier = || there.iter().copied().filter(|r| had(r, name)).collect();
    let found = if now.is_empty() { earlier() } else { now };
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(nothing(set, text, name, &of_kind, &elsewhere, &kind).into()),
        several => Err(ambiguous(text, several).into()),
    }
}

fn had(resource: &Resource, name: &str) -> bool {
    resource.previous.iter().any(|previous| previous.name == name)
}

fn qualified_name(resource: &Resource) -> String {
    let gvk = resource.gvk();
    let group = if gvk.group.is_empty() { String::new() } else { format!(".{}", gvk.group) };
    let namespace = match &*resources::namespace(resource) {
        "" => String::new(),
        namespace => format!(" in namespace {namespace}"),
    };
    format!("{}{group}/{}{namespace}", resources::kind(resource), resources::name(resource))
}

/// What to write instead of only a kind or a name.
fn without_name(set: &ResourceSet, text: &str) -> String {
    let word = text.trim_matches('/');
    let kind = TypedKind::read(word, &set.list);
    let named = |r: &&Resource| r.name() == word || had(r, word) || kind.covers(r);
    match set.list.iter().find(named) {
        Some(near) => {
            format!("write the kind and the name: `{}/{}`", resources::kind(near), resources::name(near))
        }
        None => "write the kind and the name: `deployment/web`".to_owned(),
    }
}

fn nothing(
    set: &ResourceSet,
    text: &str,
    name: &str,
    of_kind: &[&Resource],
    elsewhere: &[&Resource],
    kind: &TypedKind,
) -> Diagnostic {
    let error = Diagnostic::error(Code::ExplainedResource, format!("the bundle has no `{text}`"));
    let is_gone = |gone: &&Resource| kind.covers(gone) && (gone.name() == name || had(gone, name));
    if let Some(step) = set.gone.iter().find(is_gone).and_then(|gone| gone.history().steps().last()) {
        return error.at(step.place).note(format!("`{}` removed it", step.kind));
    }
    if let Some(other) = elsewhere.iter().find(|resource| resource.name() == name || had(resource, name)) {
        return error
            .help(format!("there is {}: leave `-n` out, or name that namespace", qualified_name(other)));
    }
    if of_kind.is_empty() {
        let kinds = set.list.iter().map(|resource| resource.kind());
        let typed = text.split_once('/').map_or(text, |(kind, _)| kind);
        let same_name = set.list.iter().find(|resource| resource.name() == name || had(resource, name));
        return match (nearest(typed, kinds), same_name) {
            (Some(near), _) => error.help(format!("did you mean the kind `{near}`?")),
            (None, Some(other)) => error.help(format!("there is {}", qualified_name(other))),
            (None, None) => error.note(format!("it has no resource of the kind `{typed}`")),
        };
    }
    let names = || {
        of_kind
            .iter()
            .filter(|r| matches!(resources::name(**r), Cow::Borrowed(_)))
            .flat_map(|r| r.previous.iter().map(|previous| previous.name.as_str()).chain([r.name()]))
    };
    let begins = || names().find(|other| other.starts_with(name) || other.ends_with(name));
    if let Some(near) = nearest(name, names()).or_else(begins) {
        error.help(format!("did you mean `{near}`?"))
    } else {
        let mut list: Vec<Cow<'_, str>> = of_kind.iter().map(|resource| resources::name(*resource)).collect();
        list.sort_unstable();
        list.dedup();
        let more = list.len().saturating_sub(SHOWN);
        list.truncate(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        error.help(format!("of this kind it has {}{more}", list.join(", ")))
    }
}

fn ambiguous(text: &str, several: &[&Resource]) -> Diagnostic {
    let message = format!("`{text}` matches {} resources", several.len());
    let error = Diagnostic::error(Code::ExplainedResource, message);
    let error =
        several.iter().take(SHOWN).fold(error, |error, resource| error.note(qualified_name(resource)));
    error.help("name the namespace with `-n`, the group as in `deployment.apps/web`, or its final name")
}

#[cfg(test)]
mod tests {
    use super::select;
    use kfc_diagnostics::SourceId;
    use kfc_kube::schema::Schema;
    use kfc_kustomize::engine::read;
    use kfc_kustomize::provenance::Step;
    use kfc_kustomize::resource::ResourceSet;
    use kfc_yaml::parse::parse;

    fn found(text: &str, namespace: Option<&str>) -> Result<String, String> {
        let documents = parse(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: a}}\n---\n\
             {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: b}}\n---\n\
             {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}\n---\n\
             {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}}\n---\n\
             {apiVersion: x.io/v1, kind: Gateway, metadata: {name: web}}\n---\n\
             {apiVersion: y.io/v1, kind: Gateway, metadata: {name: web}}\n---\n\
             {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: g}, \
             spec: {names: {kind: Gateway, plural: gateways, shortNames: [gtw]}}}",
            SourceId::NONE,
        );
        let resources = read::resources(documents.unwrap(), &Schema::builtin()).unwrap();
        let mut set = ResourceSet::new(resources);
        set.list[2].remember_id();
        set.list[2].edit(&Step::default()).set_name("settings-abc123");
        select(&set, text, namespace)
            .map(|resource| format!("{}/{}", resource.api_version(), resource.name()))
            .map_err(|errors| {
                let error = &errors.0[0];
                format!("{} / {}", error.message, error.help.as_deref().unwrap_or(""))
            })
    }

    #[test]
    fn kinds_and_names_are_found_as_people_type_them() {
        for (text, expected) in [
            ("cm/settings", "v1/settings-abc123"),
            ("ConfigMaps/settings-abc123", "v1/settings-abc123"),
            ("networkpolicies/deny", "networking.k8s.io/v1/deny"),
            ("netpol.networking.k8s.io/deny", "networking.k8s.io/v1/deny"),
            ("gateway.x.io/web", "x.io/v1/web"),
            ("gtw.v1.y.io/web", "y.io/v1/web"),
            ("configmap.v1/settings", "v1/settings-abc123"),
            ("Deployment b/web", "apps/v1/web"),
            ("ConfigMap settings", "v1/settings-abc123"),
        ] {
            assert_eq!(found(text, None).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(found("deploy/web", Some("b")).as_deref(), Ok("apps/v1/web"));
    }

    #[test]
    fn errors_say_what_is_missing_or_ambiguous() {
        for (text, namespace, expected) in [
            ("deploy/web", None, "`deploy/web` matches 2 resources"),
            ("gtw/web", None, "matches 2 resources"),
            ("Deployment web", None, "`Deployment/web` matches 2 resources"),
            ("deploy/wbe", None, "did you mean `web`?"),
            ("deploy/web", Some("c"), "there is Deployment.apps/web in namespace a"),
            ("deploymnt/web", None, "did you mean the kind `Deployment`?"),
            ("cm/other-name", None, "of this kind it has settings-abc123"),
            ("settings", None, "write the kind and the name: `ConfigMap/settings-abc123`"),
            ("cm", None, "write the kind and the name: `ConfigMap/settings-abc123`"),
            ("job/x", None, "the bundle has no `job/x`"),
        ] {
            let error = found(text, namespace).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
