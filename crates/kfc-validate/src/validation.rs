//! The validation of a whole bundle.

use super::api::{self, Api};
use super::bundle;
use super::definitions::{self, Definitions};
use super::finding::{Finding, Findings};
use super::fit::Fit;
use super::path::Path;
use super::readiness;
use super::rules::{self, Rules};
use super::table::{self, Table};
use super::update::{Update, Updates};
use super::version::Version;
use super::{facts, foreign, policies, resource};
use kfc_diagnostics::{Code, Severity};
use kfc_kube::{Object, ObjectId};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// What is checked, and how strictly.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The version of Kubernetes; the newest known one when not given.
    pub kubernetes: Option<Version>,
    /// Whether warnings are errors.
    pub strict: bool,
    /// Whether the bundle is all that the cluster will have, so that references to other resources are errors.
    pub complete: bool,
    /// What the cluster has besides: policies with their bindings and parameters, namespaces, Secrets that others create. They are
    /// not checked.
    pub beside: Vec<Object>,
    /// The resources of the bundle that exist already: policies see what they were, too.
    pub updates: Vec<Update>,
    /// Codes of findings that are left out.
    pub ignored: Vec<Code>,
    /// Kinds that are not checked.
    pub skipped: Vec<KindName>,
    /// Whether to skip kinds without a definition.
    pub allow_missing_schema: bool,
}

/// A kind as users name it: `Route`, `route.openshift.io/Route` or `route.openshift.io/v1/Route`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindName {
    /// The API group or `apiVersion`; any when there is none.
    of: Option<String>,
    kind: String,
}

impl KindName {
    /// Reads a name. Every text is one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.rsplit_once('/') {
            None => Self { of: None, kind: text.to_owned() },
            Some((of, kind)) => Self { of: Some(of.to_owned()), kind: kind.to_owned() },
        }
    }

    fn names(&self, resource: &Object) -> bool {
        let is_of = |of: &String| of == resource.group() || of == resource.api_version();
        self.kind == resource.kind() && self.of.as_ref().is_none_or(is_of)
    }
}

impl Options {
    /// Checks against one version of Kubernetes, or the newest known one, with all findings and no exceptions.
    #[must_use]
    pub fn of_version(kubernetes: Option<Version>) -> Self {
        Self { kubernetes, ..Self::default() }
    }

    /// Whether a resource is of a kind that is not checked.
    fn skips(&self, resource: &Object) -> bool {
        self.skipped.iter().any(|skipped| skipped.names(resource))
    }

    fn ignores(&self, code: Code) -> bool {
        self.ignored.contains(&code)
    }
}

/// What a validation found, and how much it checked: no finding means nothing when nothing was checked.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Verdict {
    /// The findings in the order of the resources, then those about the whole bundle.
    pub findings: Vec<Finding>,
    /// How many resources were checked against a schema.
    pub checked: usize,
    /// How many have a kind without a known schema.
    pub unchecked: usize,
    /// How many were skipped because of [`Options::skipped`].
    pub skipped: usize,
}

/// Validates the resources of a bundle, with further CRDs.
#[must_use]
pub fn validate(resources: &[&Object], definitions: &[&Object], options: &Options) -> Verdict {
    let version = options.kubernetes.unwrap_or(table::covered().last);
    let table = table::shared(version);
    let used: FxHashSet<(&str, &str)> = resources.iter().map(|r| (r.api_version(), r.kind())).collect();
    let foreign = foreign::definitions();
    let all = foreign.iter().chain(definitions.iter().copied()).chain(resources.iter().copied());
    let definitions = Definitions::of(all, &used);
    let checked: Vec<&Object> =
        resources.iter().copied().filter(|resource| !options.skips(resource)).collect();
    let found: Vec<(Vec<Finding>, bool)> = checked
        .par_iter()
        .map(|resource| {
            let mut found = Findings::of(resource);
            let had_schema = check(resource, table, &definitions, options, &mut found);
            (found.list, had_schema)
        })
        .collect();
    let unchecked = found.iter().filter(|(_, had_schema)| !had_schema).count();
    let mut all: Vec<Finding> = found.into_iter().flat_map(|(list, _)| list).collect();
    let updates = Updates::of(&options.updates);
    all.extend(check_rules(&checked, &definitions, &all, &updates));
    all.extend(checked.iter().flat_map(|resource| readiness::find(resource)));
    all.extend(bundle::check(resources, &options.beside, &|resource| options.skips(resource), version));
    let beside = options.beside.iter().chain(resources.iter().copied());
    all.extend(policies::check(&beside.collect::<Vec<_>>(), &checked, &updates));
    all.retain(|finding| !options.ignores(finding.diagnostic.code));
    for finding in &mut all {
        let severity = &mut finding.diagnostic.severity;
        let is_raised = match severity {
            Severity::Error => true,
            Severity::Warning => options.strict,
            Severity::Note => options.complete,
        };
        if is_raised {
            *severity = Severity::Error;
        }
    }
    Verdict {
        findings: all,
        checked: checked.len() - unchecked,
        unchecked,
        skipped: resources.len() - checked.len(),
    }
}

/// The kinds of resources, with their apiVersion, that neither the version of Kubernetes nor a CRD of the bundle or among further
/// ones defines.
#[must_use]
pub fn undefined(
    resources: &[&Object],
    definitions: &[&Object],
    options: &Options,
) -> BTreeSet<(String, String)> {
    let table = table::shared(options.kubernetes.unwrap_or(table::covered().last));
    let foreign = foreign::definitions();
    let all = foreign.iter().chain(definitions.iter().copied()).chain(resources.iter().copied());
    let definitions = Definitions::of(all, &FxHashSet::default());
    let is_undefined = |resource: &&&Object| {
        let (api_version, kind) = (resource.api_version(), resource.kind());
        table.kind(api_version, kind).is_none() && definitions.kind(api_version, kind).is_none()
    };
    let checked = resources.iter().filter(|resource| !options.skips(resource));
    let kinds = checked.filter(is_undefined);
    kinds.map(|resource| (resource.api_version().to_owned(), resource.kind().to_owned())).collect()
}

/// Checks one resource by itself; returns whether there was a schema to check it against, or it is known that none exists.
fn check(
    resource: &Object,
    table: &Table,
    definitions: &Definitions,
    options: &Options,
    found: &mut Findings<'_>,
) -> bool {
    let before = found.list.len();
    let api = api::find(resource, table, definitions, options.allow_missing_schema, found);
    let (shapes, id, null_is_nothing) = match api {
        Some(Api::Builtin(id)) => (&table.shapes, Some(id), true),
        Some(Api::Custom(definition)) => (&definitions.shapes, definition.shape, false),
        None => (&table.shapes, None, true),
    };
    if let Some(id) = id {
        let mut fit = Fit { shapes, table, null_is_nothing, found: found.empty() };
        fit.check(&resource.node, id, &Path::TOP, resource.mark());
        if matches!(api, Some(Api::Custom(definition)) if definition.drops_status) {
            let is_of_form = |code| matches!(code, Code::ValueUnknown | Code::ValueType);
            fit.found.list.retain(|finding| {
                !finding.path.starts_with("status.") || is_of_form(finding.diagnostic.code)
            });
        }
        if matches!(api, Some(Api::Builtin(_))) {
            fit.found.list.retain(|finding| {
                let is_of_others = finding.diagnostic.code == Code::ValueNotAllowed
                    && finding.path.contains(facts::OTHERS_SELECTOR);
                !is_of_others && !facts::is_taken(finding, table.version)
            });
        }
        found.list.append(&mut fit.found.list);
    }
    let namespaced = match api {
        Some(Api::Custom(definition)) => Some(definition.namespaced),
        Some(Api::Builtin(_)) => Some(!resource.cluster_scoped),
        None => None,
    };
    // A kind that its API does not have is an error, so it was checked.
    let is_refused = api.is_none() && found.list[before..].iter().any(Finding::is_error);
    let of_builtin = matches!(api, Some(Api::Builtin(_))).then_some(table.version);
    resource::check(resource, namespaced, of_builtin, found);
    if let Some(Api::Builtin(id)) = api {
        facts::check(resource, table, id, found);
    }
    id.is_some() || is_refused
}

/// Runs the rules of CRDs on the resources that fit their schemas. A rule expects values of the right kinds, as an API
/// server gives it.
fn check_rules(
    resources: &[&Object],
    definitions: &Definitions,
    found: &[Finding],
    updates: &Updates<'_>,
) -> Vec<Finding> {
    let mut by_kind: FxHashMap<(&str, &str), Vec<&Object>> = FxHashMap::default();
    for resource in resources {
        let has_rules = |d: &definitions::Definition| d.rules.is_some();
        if definitions.kind(resource.api_version(), resource.kind()).is_some_and(has_rules) {
            by_kind.entry((resource.api_version(), resource.kind())).or_default().push(resource);
        }
    }
    let wrong: FxHashSet<&ObjectId> =
        found.iter().filter(|f| f.is_error()).filter_map(|f| f.subject.as_ref()).collect();
    let mut kinds: Vec<_> = by_kind.into_iter().collect();
    kinds.sort_unstable_by_key(|(kind, _)| *kind);
    let check = |((api_version, kind), resources): &((&str, &str), Vec<&Object>)| {
        let mut list = Vec::new();
        let rules =
            resources.first().and_then(|first| Rules::of(definitions.kind(api_version, kind)?, first));
        for resource in resources.iter().filter(|r| !wrong.contains(&ObjectId::of(r, ""))) {
            let mut found = Findings::of(resource);
            if let Some(rules) = &rules {
                rules.check(resource, updates.find(resource), &mut found);
            }
            list.append(&mut found.list);
        }
        list
    };
    let check_all = || -> Vec<Finding> {
        kinds.par_iter().map(check).collect::<Vec<_>>().into_iter().flatten().collect()
    };
    if kinds.is_empty() {
        return Vec::new();
    }
    // The library that reads and runs rules goes down a level of the stack for every level of a rule.
    let threads = rayon::current_num_threads().min(MOST_RULE_THREADS);
    match rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(RULE_STACK).build() {
        Ok(pool) => pool.install(check_all),
        Err(error) => {
            kinds.iter().flat_map(|(_, resources)| rules::none_run(resources, &error.to_string())).collect()
        }
    }
}

/// Bytes of stack for rules of the deepest kind that [`budget`] lets through. Only what is used takes memory.
const RULE_STACK: usize = 256 << 20;
/// The number of threads that run rules.
const MOST_RULE_THREADS: usize = 4;
