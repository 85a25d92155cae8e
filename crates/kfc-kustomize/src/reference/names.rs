//! Name references: fields that hold a name which a resource once had get the name that it has now.
//!
//! The rules are those of kustomize's name reference transformer. A resource can be referred to by any earlier name. Of
//! several that had the name, the field's kind, the namespace, and then the prefixes and suffixes that referrer and
//! target share decide.

use crate::provenance::{self, StepKind};
use crate::resource::{Resource, ResourceSet, Sourcing};
use crate::transform::{Create, FieldSpec, Route, TransformerConfig, rewritten};
use compact_str::CompactString;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result};
use kfc_kube::Gvk;
use kfc_kube::ResId;
use kfc_kube::effective_namespace;
use kfc_yaml::{Map, Node, Scalar, ScalarKind, Value};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

/// Rewrites every name reference of a set.
///
/// # Errors
/// [`Code::NameReference`] where a name matches several resources that now have different names.
pub fn fix_back_references(set: &mut ResourceSet, config: &TransformerConfig) -> Result<()> {
    check_subjects(set)?;
    // Without any renamed resource, too: kustomize refuses paths that lead into scalars, and references without a name.
    let targets = Targets::of(set);
    let plans = Plans::of(set, config);
    let results: Vec<Result<()>> = set
        .list
        .par_iter_mut()
        .map(|resource| match plans.of_resource(resource) {
            Some(plan) if !plan.is_empty() => fix_one(resource, plan, &targets),
            _ => Ok(()),
        })
        .collect();
    let mut errors = Diagnostics::default();
    for result in results {
        errors.collect(result);
    }
    errors.into_result(())
}

/// Refuses role bindings that name a service account with an empty `namespace`.
fn check_subjects(set: &ResourceSet) -> Result<()> {
    let mut errors = Diagnostics::default();
    for binding in set.list.iter().filter(|resource| resource.kind() == "RoleBinding") {
        let subjects = binding.node.get("subjects").and_then(Node::as_seq).unwrap_or_default();
        let accounts =
            subjects.iter().filter(|s| s.get("kind").and_then(Node::as_text) == Some("ServiceAccount"));
        for namespace in accounts.filter_map(|s| s.get("namespace")).filter(|namespace| namespace.is_null()) {
            let message = format!("the namespace of a subject of RoleBinding `{}` is blank", binding.name());
            let error = Diagnostic::error(Code::NameReference, message).at(binding.location(namespace.mark));
            errors.push(error.help("name the namespace of the service account, or remove the field"));
        }
    }
    errors.into_result(())
}

/// A resource that had another name or namespace before, as it is and was.
///
/// Names are short as a rule: compact texts spare an allocation for each.
struct Target {
    /// Group and version now and ever; the kind is that of now.
    gvk: Gvk,
    name: CompactString,
    namespace: CompactString,
    cluster_scoped: bool,
    /// Namespace that counted when it was read.
    original_namespace: CompactString,
    /// Earlier kinds.
    previous_kinds: Vec<CompactString>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    mark: Mark,
    /// The line that gave it its name, when origins are kept.
    place: Option<Mark>,
}

/// All targets, by every earlier name.
struct Targets {
    list: Vec<Target>,
    by_name: FxHashMap<CompactString, Vec<usize>>,
    /// Every namespace that some resource had when it was read.
    original_namespaces: FxHashSet<CompactString>,
}

impl Targets {
    fn of(set: &ResourceSet) -> Self {
        let list: Vec<Target> =
            set.list.par_iter().filter(|r| !r.previous.is_empty()).map(Target::of).collect();
        let mut by_name: FxHashMap<CompactString, Vec<usize>> = FxHashMap::default();
        by_name.reserve(list.len());
        let mut original_namespaces = FxHashSet::default();
        let mut at = 0;
        for resource in &set.list {
            let namespace = resource.original_namespace();
            if !original_namespaces.contains(namespace) {
                original_namespaces.insert(CompactString::from(namespace));
            }
            for previous in &resource.previous {
                let positions = by_name.entry(previous.name.as_str().into()).or_default();
                if positions.last() != Some(&at) {
                    positions.push(at);
                }
            }
            at += usize::from(!resource.previous.is_empty());
        }
        Self { list, by_name, original_namespaces }
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Target> {
        self.by_name.get(name).into_iter().flatten().map(|at| &self.list[*at])
    }
}

impl Target {
    fn of(resource: &Resource) -> Self {
        Self {
            gvk: resource.gvk(),
            name: resource.name().into(),
            namespace: resource.namespace().into(),
            cluster_scoped: resource.cluster_scoped,
            original_namespace: resource.original_namespace().into(),
            previous_kinds: resource.previous.iter().map(|p| p.kind.as_str().into()).collect(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            mark: resource.node.mark,
            place: resource
                .node
                .at(&["metadata", "name"])
                .and_then(|name| resource.history().last(name.mark)?.place),
        }
    }

    /// Namespace that counts now.
    fn current_namespace(&self) -> &str {
        effective_namespace(&self.namespace, self.cluster_scoped)
    }

    fn was_of_kind(&self, pattern: &Gvk) -> bool {
        let part = |pattern: &str, value: &str| pattern.is_empty() || pattern == value;
        part(&pattern.group, &self.gvk.group)
            && part(&pattern.version, &self.gvk.version)
            && self.previous_kinds.iter().any(|kind| part(&pattern.kind, kind))
    }

    fn id(&self) -> ResId {
        ResId {
            gvk: self.gvk.clone(),
            name: self.name.to_string(),
            namespace: self.namespace.to_string(),
            cluster_scoped: self.cluster_scoped,
        }
    }
}

/// One field that may hold a name, with the kind that it refers to.
struct Step<'c> {
    route: Route<'c>,
    referral: &'c Gvk,
}

/// The fields to look at, by apiVersion and original kind.
struct Plans<'c> {
    by_kind: FxHashMap<String, FxHashMap<String, Vec<Step<'c>>>>,
}

impl<'c> Plans<'c> {
    fn of(set: &ResourceSet, config: &'c TransformerConfig) -> Self {
        let mut plans = Self { by_kind: FxHashMap::default() };
        for resource in &set.list {
            if plans.of_resource(resource).is_none() {
                let steps = Self::steps(&resource.original_id().gvk, config);
                let kinds = plans.by_kind.entry(resource.api_version().to_owned()).or_default();
                kinds.insert(resource.original_kind().to_owned(), steps);
            }
        }
        plans
    }

    fn steps(gvk: &Gvk, config: &'c TransformerConfig) -> Vec<Step<'c>> {
        let fields = config.name_reference.iter().flat_map(|r| r.fields.iter().map(|f| (&r.referral, f)));
        let fitting = fields.filter(|(_, field): &(&Gvk, &FieldSpec)| field.gvk.selects(gvk));
        fitting.map(|(referral, field)| Step { route: Route::new(field), referral }).collect()
    }

    fn of_resource(&self, resource: &Resource) -> Option<&Vec<Step<'c>>> {
        self.by_kind.get(resource.api_version())?.get(resource.original_kind())
    }
}

/// What holds the name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A scalar: the name alone.
    Scalar,
    /// A mapping, in which the namespace is written too.
    Mapping,
}

/// The kind that a field refers to, and the one that `roleRef` names for a role.
type Wanted<'a> = (&'a Gvk, Option<&'a Gvk>);

/// The resource whose fields are rewritten, as the rules need it.
struct Referrer<'a> {
    cluster_scoped: bool,
    namespace: String,
    prefixes: &'a [String],
    suffixes: &'a [String],
    role: Option<Gvk>,
    /// Namespaces of the service accounts that a role binding names.
    account_namespaces: Vec<String>,
    targets: &'a Targets,
}

fn fix_one(resource: &mut Resource, plan: &[Step<'_>], targets: &Targets) -> Result<()> {
    let affixes = (std::mem::take(&mut resource.prefixes), std::mem::take(&mut resource.suffixes));
    let result = fix_fields(resource, &affixes, plan, targets);
    (resource.prefixes, resource.suffixes) = affixes;
    result
}

/// Rewrites the fields of a plan. The prefixes and suffixes of the resource are read while it is changed.
fn fix_fields(
    resource: &mut Resource,
    (prefixes, suffixes): &(Vec<String>, Vec<String>),
    plan: &[Step<'_>],
    targets: &Targets,
) -> Result<()> {
    let referrer = Referrer {
        cluster_scoped: resource.cluster_scoped,
        namespace: effective_namespace(resource.namespace(), resource.cluster_scoped).to_owned(),
        prefixes,
        suffixes,
        role: role_of(&resource.node),
        account_namespaces: account_namespaces(resource),
        targets,
    };
    let by = provenance::Step::new(StepKind::NameReference, None).with_marks();
    resource.edit(&by).walk(|object| {
        plan.iter().try_for_each(|step| {
            let in_role = step.route.spec.path.ends_with("roleRef/name");
            let role = referrer.role.as_ref().filter(|_| in_role);
            step.route.walk(object, Create::Nothing, &mut |field| {
                field.change_from(|node, sourcing| referrer.fix_node(node, (step.referral, role), sourcing))
            })
        })
    })
}

/// Sets a field to a text, in the quotes that it has; without any, its type is that of the text.
fn set_text(map: &mut Map, key: &str, text: &str, mark: Mark) {
    let old = map.get(key).and_then(Node::as_scalar).cloned();
    let old = old.unwrap_or_else(|| Scalar::new(CompactString::default(), ScalarKind::Null));
    map.set(key, Node { value: Value::Scalar(rewritten(&old, text)), mark });
}

/// The kind that `roleRef` names.
fn role_of(node: &Node) -> Option<Gvk> {
    let text = |key: &str| node.at(&["roleRef", key]).and_then(Node::as_text).map(str::to_owned);
    Some(Gvk { group: text("apiGroup")?, version: String::new(), kind: text("kind")? })
}

fn account_namespaces(resource: &Resource) -> Vec<String> {
    if resource.kind() != "RoleBinding" {
        return Vec::new();
    }
    let subjects = resource.node.get("subjects").and_then(Node::as_seq).unwrap_or_default();
    let text = |subject: &Node, key: &str| subject.get(key).and_then(Node::as_text).map(str::to_owned);
    let accounts = subjects.iter().filter(|s| text(s, "kind").as_deref() == Some("ServiceAccount"));
    accounts.filter_map(|subject| text(subject, "namespace")).collect()
}

impl Referrer<'_> {
    /// A field may be a name, a mapping with a name and perhaps a namespace, or a list of either.
    fn fix_node(&self, node: &mut Node, wanted: Wanted<'_>, sourcing: &mut Sourcing<'_>) -> Result<()> {
        match &mut node.value {
            Value::Scalar(scalar) if scalar.kind == ScalarKind::Null => Ok(()),
            Value::Scalar(scalar) => {
                if let Some(target) = self.select(&scalar.text, Place::Scalar, None, wanted, node.mark)?
                    && target.name != scalar.text.as_str()
                {
                    *scalar = rewritten(scalar, &target.name);
                    node.mark = sourcing.mark(target.place, node.mark);
                }
                Ok(())
            }
            Value::Map(_) => self.fix_mapping(node, wanted, sourcing),
            Value::Seq(items) => items.iter_mut().try_for_each(|item| self.fix_node(item, wanted, sourcing)),
        }
    }

    fn fix_mapping(&self, node: &mut Node, wanted: Wanted<'_>, sourcing: &mut Sourcing<'_>) -> Result<()> {
        let mark = node.mark;
        let Some(name) = node.get("name").and_then(Node::as_text) else {
            let error = Diagnostic::error(Code::NameReference, "this reference has no `name`");
            return Err(error.at(mark).help("add the name of the resource that it refers to").into());
        };
        let namespace = node.get("namespace").and_then(Node::as_text);
        let Some(target) = self.select(name, Place::Mapping, namespace, wanted, mark)? else {
            return Ok(());
        };
        if target.name == name && target.namespace.is_empty() {
            return Ok(());
        }
        let Some(map) = node.as_map_mut() else { return Ok(()) };
        let mark = sourcing.mark(target.place, mark);
        set_text(map, "name", &target.name, mark);
        if !target.namespace.is_empty() {
            set_text(map, "namespace", &target.namespace, mark);
        }
        Ok(())
    }

    /// Picks the resource that a name stands for; none when no renamed one fits.
    fn select(
        &self,
        name: &str,
        place: Place,
        namespace: Option<&str>,
        (referral, role): Wanted<'_>,
        mark: Mark,
    ) -> Result<Option<&Target>> {
        let mapping = place == Place::Mapping;
        let fits = |target: &&Target| {
            self.may_refer_to(target)
                && target.was_of_kind(referral)
                && role.is_none_or(|role| target.was_of_kind(role))
                && self.lives_with(target)
        };
        let mut candidates: Vec<&Target> = self.targets.named(name).filter(fits).collect();
        if let Some(namespace) = namespace.filter(|_| !candidates.is_empty()) {
            candidates = self.in_namespace(candidates, namespace);
        }
        for allow_empty in [true, false] {
            if candidates.len() <= 1 {
                break;
            }
            candidates.retain(|target| self.shares_affixes(target, allow_empty));
        }
        match candidates.as_slice() {
            [] => Ok(None),
            [first, rest @ ..]
                if rest.iter().all(|other| {
                    other.name == first.name && (!mapping || other.namespace == first.namespace)
                }) =>
            {
                Ok(Some(first))
            }
            several => Err(ambiguous(name, several, mark).into()),
        }
    }

    /// Candidates whose namespace was the given one when they were read; if no resource at all had it, those that live
    /// in it now.
    fn in_namespace<'t>(&self, candidates: Vec<&'t Target>, namespace: &str) -> Vec<&'t Target> {
        let had_it = self.targets.original_namespaces.contains(namespace);
        let keep = |target: &&Target| {
            let lives = if had_it { &target.original_namespace } else { target.current_namespace() };
            !target.cluster_scoped && lives == namespace
        };
        candidates.into_iter().filter(keep).collect()
    }

    fn may_refer_to(&self, target: &Target) -> bool {
        self.cluster_scoped
            || target.cluster_scoped
            || target.current_namespace() == self.namespace
            || self.account_namespaces.iter().any(|namespace| target.namespace == namespace.as_str())
    }

    /// Service accounts may be referred to from any namespace.
    fn lives_with(&self, target: &Target) -> bool {
        self.cluster_scoped
            || target.cluster_scoped
            || target.gvk.kind == "ServiceAccount"
            || target.current_namespace() == self.namespace
    }

    fn shares_affixes(&self, target: &Target, allow_empty: bool) -> bool {
        let same = |a: &[String], b: &[String]| {
            let one_is_empty = a.is_empty() || b.is_empty();
            let ends_match = || a.iter().rev().zip(b.iter().rev()).all(|(x, y)| x == y);
            if one_is_empty { allow_empty || a.len() == b.len() } else { ends_match() }
        };
        same(&target.prefixes, self.prefixes) && same(&target.suffixes, self.suffixes)
    }
}

fn ambiguous(name: &str, candidates: &[&Target], mark: Mark) -> Diagnostic {
    let error =
        Diagnostic::error(Code::NameReference, format!("the name `{name}` matches several resources"))
            .at(mark)
            .help("give the resources different names, or use the final name of the right one");
    candidates
        .iter()
        .fold(error, |error, target| error.label(target.mark, format!("{} is one of them", target.id())))
}
