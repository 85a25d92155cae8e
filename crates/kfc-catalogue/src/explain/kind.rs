//! Kinds as people type them to kubectl: in any case, in the plural, by short name, with a group.

use kfc_kustomize::resource::Resource;
use kfc_yaml::Node;

/// Short names of built-in kinds; those of custom kinds are in their CRDs.
const SHORT: [(&str, &str); 34] = [
    ("cj", "CronJob"),
    ("cm", "ConfigMap"),
    ("crd", "CustomResourceDefinition"),
    ("crds", "CustomResourceDefinition"),
    ("cs", "ComponentStatus"),
    ("csr", "CertificateSigningRequest"),
    ("deploy", "Deployment"),
    ("ds", "DaemonSet"),
    ("ep", "Endpoints"),
    ("ev", "Event"),
    ("hpa", "HorizontalPodAutoscaler"),
    ("ing", "Ingress"),
    ("limits", "LimitRange"),
    ("mwc", "MutatingWebhookConfiguration"),
    ("netpol", "NetworkPolicy"),
    ("no", "Node"),
    ("ns", "Namespace"),
    ("pc", "PriorityClass"),
    ("pdb", "PodDisruptionBudget"),
    ("po", "Pod"),
    ("psp", "PodSecurityPolicy"),
    ("pv", "PersistentVolume"),
    ("pvc", "PersistentVolumeClaim"),
    ("quota", "ResourceQuota"),
    ("rb", "RoleBinding"),
    ("rc", "ReplicationController"),
    ("rs", "ReplicaSet"),
    ("sa", "ServiceAccount"),
    ("sc", "StorageClass"),
    ("sts", "StatefulSet"),
    ("svc", "Service"),
    ("vap", "ValidatingAdmissionPolicy"),
    ("vs", "VirtualService"),
    ("vwc", "ValidatingWebhookConfiguration"),
];

/// A kind as it was typed, with the names in the CRDs of a bundle.
pub(super) struct TypedKind {
    /// The word before the first dot, in lowercase.
    word: String,
    /// The version, if one was typed between kind and group.
    version: Option<String>,
    /// The group, if one was typed.
    group: Option<String>,
    /// Kinds whose CRD has this plural, singular or short name.
    defined: Vec<String>,
}

impl TypedKind {
    /// Reads `deploy`, `deployments.apps` or `deployment.v1.apps`.
    pub(super) fn read(text: &str, list: &[Resource]) -> Self {
        let text = text.to_lowercase();
        let (word, rest) = text.split_once('.').map_or((text.as_str(), ""), |(word, rest)| (word, rest));
        let is_version = |part: &str| {
            part.strip_prefix('v').is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
        };
        let (version, group) = match rest.split_once('.') {
            Some((version, group)) if is_version(version) => {
                (Some(version.to_owned()), Some(group.to_owned()))
            }
            _ if is_version(rest) => (Some(rest.to_owned()), Some(String::new())),
            _ if rest.is_empty() => (None, None),
            _ => (None, Some(rest.to_owned())),
        };
        let definitions = list.iter().filter(|resource| resource.kind() == "CustomResourceDefinition");
        let defined = definitions.filter_map(|definition| defined_as(&definition.node, word)).collect();
        Self { word: word.to_owned(), version, group, defined }
    }

    /// Whether a resource is of the kind.
    pub(super) fn covers(&self, resource: &Resource) -> bool {
        let gvk = resource.gvk();
        let fits = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        fits(&self.version, &gvk.version) && fits(&self.group, &gvk.group) && self.names(&gvk.kind)
    }

    fn names(&self, kind: &str) -> bool {
        let lower = kind.to_lowercase();
        lower == self.word
            || plural(&lower) == self.word
            || SHORT.contains(&(self.word.as_str(), kind))
            || self.defined.iter().any(|defined| defined == kind)
    }
}

/// The kind of a CRD that has this plural, singular or short name.
fn defined_as(definition: &Node, word: &str) -> Option<String> {
    let names = definition.at(&["spec", "names"])?;
    let text = |key: &str| names.get(key).and_then(Node::as_text);
    let short = names.get("shortNames").and_then(Node::as_seq).unwrap_or_default();
    let has = text("plural") == Some(word)
        || text("singular") == Some(word)
        || short.iter().any(|name| name.as_text() == Some(word));
    has.then(|| text("kind").map(str::to_owned)).flatten()
}

/// The plural of a kind in lowercase, as Kubernetes forms it.
fn plural(kind: &str) -> String {
    match kind {
        "endpoints" => kind.to_owned(),
        _ if kind.ends_with('s') || kind.ends_with('x') || kind.ends_with("ch") || kind.ends_with("sh") => {
            format!("{kind}es")
        }
        _ => match kind.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
            Some(stem) => format!("{stem}ies"),
            None => format!("{kind}s"),
        },
    }
}
