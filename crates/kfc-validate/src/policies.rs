//! Runs the policies that the API server would run (`ValidatingAdmissionPolicy`) on resources that are to be created, or updated
//! where it is known what they were before. Nothing of a bundle is deleted or connected to.
//!
//! A policy applies where a binding says so, with the parameters that the binding names. What a bundle does not tell, the user who
//! sends it or a parameter that only the cluster has, is not guessed: such a policy is reported as not run.

use super::budget::{check_cost, check_text};
use super::cel_value::value_of;
use super::expressions::compile;
use super::facts::with_stack;
use super::finding::{Finding, Findings};
use super::path::Path;
use super::pods::{items, selects, text};
use super::update::{Update, Updates};
use kfc_diagnostics::{Code, Diagnostic, Mark};
use kfc_kube::{GroupVersion, Object, ObjectId};
use kfc_yaml::Node;
use kfc_yaml::value::to_json;
use kube_cel::KubeCelExt;
use kube_cel::cel::{Context, ExecutionError, Program, Value as CelValue};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The label that every namespace has.
const NAME_OF_NAMESPACE: &str = "kubernetes.io/metadata.name";
/// The most bytes of a message that an expression makes.
const LONGEST_MESSAGE: usize = 5000;
/// What an expression can ask for that no bundle tells.
const UNKNOWN: [(&str, &str); 2] =
    [("authorizer", "asks for the rights of a user"), ("request.userInfo", "asks who sends the object")];

/// An expression, ready to run.
#[derive(Debug)]
struct Expression {
    text: String,
    program: Arc<Program>,
}

/// One validation of a policy.
#[derive(Debug)]
struct Validation {
    rule: Expression,
    message: Option<String>,
    message_expression: Option<Expression>,
    mark: Option<Mark>,
}

/// A policy, ready to run.
#[derive(Debug)]
struct Policy<'r> {
    resource: &'r Object,
    conditions: Vec<Expression>,
    variables: Vec<(String, Expression)>,
    validations: Vec<Validation>,
    has_params: bool,
}

/// What a validation that fails leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Deny,
    Warn,
}

/// Everything that policies are looked up in.
struct World<'r> {
    /// All resources that are known: of the bundle, and beside it.
    all: &'r [&'r Object],
    /// The plural names of custom kinds, by group and kind.
    plurals: HashMap<(&'r str, &'r str), &'r str>,
    namespaces: BTreeMap<&'r str, &'r Object>,
    /// Policies that change objects before others judge them, each with a binding.
    mutations: Vec<(&'r Object, &'r Object)>,
}

/// A resource that is sent to the server.
#[derive(Clone, Copy, Debug)]
struct Request<'r> {
    /// The resource of the bundle, which is reported.
    resource: &'r Object,
    /// What it is and will be in the cluster, if it exists already.
    update: Option<&'r Update>,
}

impl<'r> Request<'r> {
    const fn operation(&self) -> &'static str {
        if self.update.is_some() { "UPDATE" } else { "CREATE" }
    }

    /// The object as the server will have it.
    fn object(&self) -> &'r Object {
        self.update.map_or(self.resource, |update| &update.after)
    }
}

/// Runs the policies among `all` on the resources that are `checked`; those of `updates` exist already.
pub(super) fn check(all: &[&Object], checked: &[&Object], updates: &Updates<'_>) -> Vec<Finding> {
    let is_binding = |resource: &&Object| {
        is_of_policies(resource) && resource.kind() == "ValidatingAdmissionPolicyBinding"
    };
    let bindings: Vec<&Object> = all.iter().copied().filter(is_binding).collect();
    if bindings.is_empty() {
        return Vec::new();
    }
    // The library that reads and runs expressions goes down a level of the stack for every level of an expression.
    with_stack(|| run(all, checked, updates, &bindings)).unwrap_or_default()
}

fn is_of_policies(resource: &Object) -> bool {
    let kind = resource.kind();
    resource.group() == "admissionregistration.k8s.io"
        && (kind.starts_with("ValidatingAdmissionPolicy") || kind.starts_with("MutatingAdmissionPolicy"))
}

fn run(all: &[&Object], checked: &[&Object], updates: &Updates<'_>, bindings: &[&Object]) -> Vec<Finding> {
    let world = World::of(all);
    let requests: Vec<Request<'_>> =
        checked.iter().map(|resource| Request { resource, update: updates.find(resource) }).collect();
    let mut found = Vec::new();
    let mut policies = BTreeMap::new();
    for policy in
        all.iter().copied().filter(|one| is_of_policies(one) && one.kind() == "ValidatingAdmissionPolicy")
    {
        match Policy::read(policy) {
            Ok(read) => drop(policies.insert(policy.name(), read)),
            Err(why) => found.extend(not_run(policy, &why)),
        }
    }
    for binding in bindings {
        let Some(policy) = text(&binding.node, &["spec", "policyName"]).and_then(|name| policies.get(name))
        else {
            continue;
        };
        let Some(action) = action_of(binding) else { continue };
        for request in requests.iter().filter(|request| world.matches(policy.resource, binding, **request)) {
            found.extend(world.judge(policy, binding, *request, action));
        }
    }
    found
}

/// What a failure leads to by a binding; `None` if it is only recorded.
fn action_of(binding: &Object) -> Option<Action> {
    let actions: BTreeSet<&str> =
        items(&binding.node, &["spec", "validationActions"]).filter_map(Node::as_text).collect();
    if actions.contains("Deny") {
        Some(Action::Deny)
    } else {
        actions.contains("Warn").then_some(Action::Warn)
    }
}

/// Reports once that a policy was not run.
fn not_run(policy: &Object, why: &str) -> Vec<Finding> {
    let mut found = Findings::of(policy);
    let warning = Diagnostic::warning(Code::RuleNotRun, "the policy was not run").note(why.to_owned());
    found.push(&Path::TOP, warning.at(policy.mark()));
    found.list
}

impl Expression {
    fn read(text: &str) -> Result<Self, String> {
        if let Some((_, what)) = UNKNOWN.iter().find(|(word, _)| text.contains(word)) {
            return Err(format!("it {what}: {text}"));
        }
        check_text(text)?;
        let program = compile(text).map_err(|_| format!("it cannot be read: {text}"))?;
        Ok(Self { text: text.to_owned(), program })
    }

    fn run(&self, context: &Context<'_>, size: &Value) -> Result<CelValue, String> {
        check_cost(self.program.expression(), size)?;
        self.program.execute(context).map_err(|error| match error {
            ExecutionError::NoSuchKey(key) => format!("the field `{key}` does not exist"),
            ExecutionError::UndeclaredReference(name) => format!("`{name}` is not defined"),
            ExecutionError::IndexOutOfBounds(_) => "a list is shorter than that".to_owned(),
            _ => "an operator or function cannot take the values of the object".to_owned(),
        })
    }

    /// Whether it holds.
    fn holds(&self, context: &Context<'_>, size: &Value) -> Result<bool, String> {
        match self.run(context, size)? {
            CelValue::Bool(holds) => Ok(holds),
            _ => Err("its result is neither true nor false".to_owned()),
        }
    }
}

impl<'r> Policy<'r> {
    fn read(resource: &'r Object) -> Result<Self, String> {
        let read = |node: &Node| Expression::read(text(node, &["expression"]).unwrap_or_default());
        let spec = resource.node.get("spec").unwrap_or(&resource.node);
        let variable = |node: &Node| Ok((text(node, &["name"]).unwrap_or_default().to_owned(), read(node)?));
        let validation = |node: &Node| {
            Ok(Validation {
                rule: read(node)?,
                message: text(node, &["message"]).map(|message| message.trim().to_owned()),
                message_expression: text(node, &["messageExpression"]).map(Expression::read).transpose()?,
                mark: node.mark.known(),
            })
        };
        Ok(Self {
            resource,
            conditions: items(spec, &["matchConditions"]).map(read).collect::<Result<_, String>>()?,
            variables: items(spec, &["variables"]).map(variable).collect::<Result<_, String>>()?,
            validations: items(spec, &["validations"]).map(validation).collect::<Result<_, String>>()?,
            has_params: resource.node.at(&["spec", "paramKind"]).is_some_and(|kind| kind.as_map().is_some()),
        })
    }
}

impl<'r> World<'r> {
    fn of(all: &'r [&'r Object]) -> Self {
        let definitions = all.iter().copied().filter(|one| one.kind() == "CustomResourceDefinition");
        let plural = |one: &'r Object| {
            let part = |path: &[&str]| text(&one.node, path);
            let kind = (part(&["spec", "group"])?, part(&["spec", "names", "kind"])?);
            Some((kind, part(&["spec", "names", "plural"])?))
        };
        let of_mutations = |kind: &'static str| {
            all.iter().copied().filter(move |one| is_of_policies(one) && one.kind() == kind)
        };
        let mutations = of_mutations("MutatingAdmissionPolicyBinding").filter_map(|binding| {
            let name = text(&binding.node, &["spec", "policyName"])?;
            let policy = of_mutations("MutatingAdmissionPolicy").find(|policy| policy.name() == name)?;
            Some((policy, binding))
        });
        let namespaces =
            all.iter().copied().filter(|one| one.kind() == "Namespace" && one.api_version() == "v1");
        Self {
            all,
            plurals: definitions.filter_map(plural).collect(),
            namespaces: namespaces.map(|one| (one.name(), one)).collect(),
            mutations: mutations.collect(),
        }
    }

    /// The plural name of the kind of a resource, as rules have it.
    fn plural(&self, resource: &Object) -> String {
        match self.plurals.get(&(resource.group(), resource.kind())) {
            Some(plural) => (*plural).to_owned(),
            None => plural_of(resource.kind()),
        }
    }

    /// Whether a policy applies to a resource by itself and by a binding.
    fn matches(&self, policy: &Object, binding: &Object, request: Request<'_>) -> bool {
        // The server asks no policy about policies.
        if is_of_policies(request.resource) {
            return false;
        }
        let constraints = policy.node.at(&["spec", "matchConstraints"]);
        let more = binding.node.at(&["spec", "matchResources"]);
        constraints.is_some_and(|constraints| self.fits(constraints, request, false))
            && more.is_none_or(|more| self.fits(more, request, true))
    }

    /// Whether rules and selectors match a resource; without rules, all do for a binding and none for a policy.
    fn fits(&self, constraints: &Node, request: Request<'_>, is_of_binding: bool) -> bool {
        let is_in = |field: &str| items(constraints, &[field]).any(|rule| self.is_ruled(rule, request));
        let has_rules = items(constraints, &["resourceRules"]).next().is_some();
        (is_in("resourceRules") || (is_of_binding && !has_rules))
            && !is_in("excludeResourceRules")
            && self.is_selected(constraints, request)
    }

    fn is_ruled(&self, rule: &Node, request: Request<'_>) -> bool {
        let resource = request.resource;
        let has = |field: &str, word: &str| {
            items(rule, &[field]).filter_map(Node::as_text).any(|text| text == "*" || text == word)
        };
        let plural = self.plural(resource);
        let is_plural = |text: &str| text == "*" || text == "*/*" || text == plural;
        let scope = if resource.cluster_scoped { "Cluster" } else { "Namespaced" };
        let names: Vec<&str> = items(rule, &["resourceNames"]).filter_map(Node::as_text).collect();
        // A rule for one version matches the others of the kind too, by default: the server converts.
        has("apiGroups", resource.group())
            && has("operations", request.operation())
            && items(rule, &["resources"]).filter_map(Node::as_text).any(is_plural)
            && text(rule, &["scope"]).is_none_or(|wanted| wanted == "*" || wanted == scope)
            && (names.is_empty() || names.contains(&resource.name()))
    }

    fn is_selected(&self, constraints: &Node, request: Request<'_>) -> bool {
        let resource = request.resource;
        let is_there = |selector: &&Node| selector.as_map().is_some_and(|map| !map.is_empty());
        let of_object = constraints.get("objectSelector").filter(is_there);
        let of_namespace = constraints.get("namespaceSelector").filter(is_there);
        // What it was before counts as well.
        let mut states =
            [Some(request.object()), request.update.map(|update| &update.before)].into_iter().flatten();
        let is_by =
            |selector: &Node, state: &Object| selects(selector, state.node.at(&["metadata", "labels"]));
        if of_object.is_some_and(|selector| !states.any(|state| is_by(selector, state))) {
            return false;
        }
        let Some(selector) = of_namespace else { return true };
        let namespace = if resource.kind() == "Namespace" { resource.name() } else { resource.namespace() };
        (resource.cluster_scoped && resource.kind() != "Namespace")
            || selects(selector, self.namespace(namespace).at(&["metadata", "labels"]))
    }

    /// A namespace as the server has it, with the label that it adds.
    fn namespace(&self, name: &str) -> Node {
        let mut namespace = match self.namespaces.get(name) {
            Some(namespace) => to_json(&namespace.node),
            None => json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        };
        namespace["metadata"]["labels"][NAME_OF_NAMESPACE] = Value::from(name);
        kfc_yaml::value::from_json(&namespace, None)
    }

    /// The parameters of a policy by a binding for a resource: one for each run.
    fn params(&self, policy: &Policy<'_>, binding: &Object, resource: &Object) -> Result<Vec<Value>, String> {
        let reference = binding.node.at(&["spec", "paramRef"]).filter(|node| node.as_map().is_some());
        let (Some(reference), true) = (reference, policy.has_params) else { return Ok(vec![Value::Null]) };
        let of_kind = |field: &str| text(&policy.resource.node, &["spec", "paramKind", field]);
        let place = text(reference, &["namespace"]).unwrap_or(resource.namespace());
        let is_one = |one: &&Object| {
            let is_here = one.cluster_scoped || one.namespace() == place;
            let is_named = match (text(reference, &["name"]), reference.get("selector")) {
                (Some(name), _) => one.name() == name,
                (None, Some(selector)) => selects(selector, one.node.at(&["metadata", "labels"])),
                (None, None) => false,
            };
            Some(one.api_version()) == of_kind("apiVersion")
                && Some(one.kind()) == of_kind("kind")
                && is_here
                && is_named
        };
        let found: Vec<Value> =
            self.all.iter().copied().filter(is_one).map(|one| to_json(&one.node)).collect();
        match (found.is_empty(), text(reference, &["parameterNotFoundAction"])) {
            (true, Some("Allow")) | (false, _) => Ok(found),
            (true, _) => Err("its parameters are not in the bundle".to_owned()),
        }
    }

    /// Runs a policy on a resource.
    fn judge(
        &self,
        policy: &Policy<'_>,
        binding: &Object,
        request: Request<'_>,
        action: Action,
    ) -> Vec<Finding> {
        let resource = request.resource;
        let mut found = Findings::of(resource);
        let skipped = |why: &str| {
            let name = ObjectId::of(policy.resource, "");
            Diagnostic::warning(Code::RuleNotRun, format!("{name} was not run"))
                .note(why.to_owned())
                .at(resource.mark())
        };
        let params = self.can_run(request).and_then(|()| self.params(policy, binding, resource));
        let params = match params {
            Ok(params) => params,
            Err(why) => {
                found.push(&Path::TOP, skipped(&why));
                return found.list;
            }
        };
        let object = to_json(&request.object().node);
        let before = request.update.map_or(Value::Null, |update| to_json(&update.before.node));
        for params in params {
            let size = json!([object, before, params]);
            let mut context = self.context(request, [&object, &before, &params]);
            match policy.judge(&mut context, &size) {
                Ok(failed) => {
                    for (validation, message) in failed {
                        let diagnostic = refusal((policy, binding, action), validation, &message);
                        found.push(&Path::TOP, diagnostic.at(resource.mark()));
                    }
                }
                Err(why) => drop(found.push(&Path::TOP, skipped(&why))),
            }
        }
        found.list
    }

    /// Whether the object that policies would see is known.
    fn can_run(&self, request: Request<'_>) -> Result<(), String> {
        let change = self.mutations.iter().find(|(policy, binding)| self.matches(policy, binding, request));
        if let Some((policy, _)) = change {
            return Err(format!("{} changes the object before", ObjectId::of(policy, "")));
        }
        match request.update {
            Some(update) if update.before.api_version() != request.resource.api_version() => {
                Err(format!("the existing object is of the version {}", update.before.api_version()))
            }
            _ => Ok(()),
        }
    }

    /// What expressions may name: the object, what it was, and parameters.
    fn context(&self, sent: Request<'_>, [object, before, params]: [&Value; 3]) -> Context<'static> {
        let resource = sent.resource;
        let GroupVersion { group, version } = resource.group_version();
        let kind = json!({"group": group, "version": version, "kind": resource.kind()});
        let plural = json!({"group": group, "version": version, "resource": self.plural(resource)});
        let request = json!({
            "operation": sent.operation(),
            "name": resource.name(),
            "namespace": resource.namespace(),
            "dryRun": false,
            "subResource": "",
            "kind": kind, "requestKind": kind,
            "resource": plural, "requestResource": plural,
        });
        let namespace = if resource.cluster_scoped {
            Value::Null
        } else {
            to_json(&self.namespace(resource.namespace()))
        };
        let mut context = Context::default().with_all();
        let values = [
            ("object", object),
            ("oldObject", before),
            ("request", &request),
            ("params", params),
            ("namespaceObject", &namespace),
        ];
        for (name, value) in values {
            context.add_variable_from_value(name, value_of(value));
        }
        context
    }
}

impl Policy<'_> {
    /// The validations that fail, with their messages; none if a condition does not hold.
    fn judge(
        &self,
        context: &mut Context<'static>,
        size: &Value,
    ) -> Result<Vec<(&Validation, String)>, String> {
        for condition in &self.conditions {
            if !condition.holds(context, size).map_err(|why| format!("{why}: {}", condition.text))? {
                return Ok(Vec::new());
            }
        }
        let mut known: HashMap<String, CelValue> = HashMap::new();
        for (name, variable) in &self.variables {
            // A variable that fails matters only to what uses it.
            if let Ok(value) = variable.run(context, size) {
                known.insert(name.clone(), value);
            }
            context.add_variable_from_value("variables", known.clone());
        }
        let mut failed = Vec::new();
        for validation in &self.validations {
            let rule = &validation.rule;
            if !rule.holds(context, size).map_err(|why| format!("{why}: {}", rule.text))? {
                failed.push((validation, validation.message(context, size)));
            }
        }
        Ok(failed)
    }
}

impl Validation {
    /// What the server says when it fails.
    fn message(&self, context: &Context<'_>, size: &Value) -> String {
        let made =
            self.message_expression.as_ref().and_then(|expression| match expression.run(context, size) {
                Ok(CelValue::String(text)) => Some(text.trim().to_owned()),
                _ => None,
            });
        let is_fit =
            |text: &String| !text.is_empty() && !text.contains('\n') && text.len() <= LONGEST_MESSAGE;
        made.filter(is_fit)
            .or_else(|| self.message.clone())
            .unwrap_or_else(|| format!("failed expression: {}", self.rule.text.trim()))
    }
}

fn refusal(
    (policy, binding, action): (&Policy<'_>, &Object, Action),
    validation: &Validation,
    message: &str,
) -> Diagnostic {
    let (policy, binding) = (policy.resource.name(), binding.name());
    let verb = if action == Action::Deny { "denied request" } else { "warned" };
    let message = format!("ValidatingAdmissionPolicy '{policy}' with binding '{binding}' {verb}: {message}");
    let diagnostic = match action {
        Action::Deny => Diagnostic::error(Code::Policy, message),
        Action::Warn => Diagnostic::warning(Code::Policy, message),
    };
    diagnostic.label(validation.mark, "the validation")
}

/// The plural of one of Kubernetes' own kinds.
fn plural_of(kind: &str) -> String {
    let kind = kind.to_lowercase();
    let is_vowel = |letter: char| "aeiou".contains(letter);
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with(is_vowel) => format!("{stem}ies"),
        _ if kind == "endpoints" => kind,
        _ if kind.ends_with(['s', 'x']) || kind.ends_with("ch") || kind.ends_with("sh") => {
            format!("{kind}es")
        }
        _ => format!("{kind}s"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::{Update, Updates, check, plural_of};
    use kfc_diagnostics::{Severity, SourceId};
    use kfc_kube::Object;
    use kfc_yaml::parse::parse;

    const POLICY: &str = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: few}\n";
    const BINDING: &str = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: all}\n";
    const DEPLOYMENTS: &str = "matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: ['*'], resources: [deployments]}]}";

    fn deployment(name: &str, replicas: u8) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{replicas: {replicas}}}\n"
        )
    }

    /// The findings about a bundle: severity, name of the resource, message and notes.
    fn found(documents: &[String]) -> Vec<(Severity, String, String)> {
        found_on_update(documents, &[])
    }

    fn read(documents: &[String]) -> Vec<Object> {
        let nodes = parse(&documents.join("---\n"), SourceId::NONE).unwrap();
        nodes
            .into_iter()
            .map(|node| {
                let kind = node.get("kind").unwrap().as_text().unwrap().to_owned();
                Object::new(node, kind == "Namespace" || kind.contains("AdmissionPolicy"))
            })
            .collect()
    }

    fn found_on_update(documents: &[String], updates: &[Update]) -> Vec<(Severity, String, String)> {
        let objects = read(documents);
        let all: Vec<&Object> = objects.iter().collect();
        let list = check(&all, &all, &Updates::of(updates)).into_iter().map(|finding| {
            let diagnostic = finding.diagnostic;
            let text =
                std::iter::once(diagnostic.message).chain(diagnostic.notes).collect::<Vec<_>>().join("; ");
            (diagnostic.severity, finding.subject.unwrap().name, text)
        });
        list.collect()
    }

    fn policy(spec: &str) -> String {
        format!("{POLICY}spec:\n  {DEPLOYMENTS}\n{spec}\n")
    }

    fn binding(spec: &str) -> String {
        format!("{BINDING}spec: {{policyName: few, {spec}}}\n")
    }

    #[test]
    fn a_bound_policy_refuses_what_breaks_it_and_nothing_else() {
        let rule = policy("  validations: [{expression: object.spec.replicas <= 5}]");
        let more = [deployment("small", 1), deployment("large", 9)];
        let said = found(&[&[rule.clone(), binding("validationActions: [Deny]")], &more[..]].concat());
        let message = "ValidatingAdmissionPolicy 'few' with binding 'all' denied request: \
                       failed expression: object.spec.replicas <= 5";
        assert_eq!(said, [(Severity::Error, "large".to_owned(), message.to_owned())]);
        // Without a binding, a policy does nothing; nor does one that only records.
        assert_eq!(found(&[std::slice::from_ref(&rule), &more[..]].concat()), []);
        assert_eq!(found(&[&[rule.clone(), binding("validationActions: [Audit]")], &more[..]].concat()), []);
        let said = found(&[&[rule, binding("validationActions: [Warn]")], &more[..]].concat());
        assert_eq!(said[0].0, Severity::Warning);
    }

    #[test]
    fn messages_variables_and_conditions_are_those_of_the_policy() {
        let rule = policy(
            "  variables: [{name: most, expression: '2 + 1'}, {name: much, expression: variables.most * 2}]\n  \
             matchConditions: [{name: not-small, expression: \"object.metadata.name != 'small'\"}]\n  \
             validations: [{expression: object.spec.replicas < variables.much, \
             messageExpression: \"'at most ' + string(variables.much)\"}]",
        );
        let said = found(&[
            rule,
            binding("validationActions: [Deny]"),
            deployment("small", 9),
            deployment("large", 9),
        ]);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].1 == "large" && said[0].2.ends_with("denied request: at most 6"), "{said:?}");
    }

    #[test]
    fn parameters_and_namespaces_select() {
        let rule = policy(
            "  paramKind: {apiVersion: v1, kind: ConfigMap}\n  \
             validations: [{expression: object.spec.replicas <= int(params.data.most)}]",
        );
        let most =
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: most, namespace: shop}\ndata: {most: '3'}\n"
                .to_owned();
        let space =
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: prod}}\n".to_owned();
        let bound = |tier: &str| {
            binding(&format!(
                "validationActions: [Deny], paramRef: {{name: most, parameterNotFoundAction: Deny}}, \
                 matchResources: {{namespaceSelector: {{matchLabels: {{tier: {tier}}}}}}}"
            ))
        };
        let of = |tier: &str| {
            found(&[rule.clone(), bound(tier), most.clone(), space.clone(), deployment("large", 9)])
        };
        assert_eq!((of("prod").len(), of("test").len()), (1, 0));
        let said = found(&[rule.clone(), bound("prod"), space.clone(), deployment("large", 9)]);
        assert_eq!(said[0].0, Severity::Warning);
        assert!(said[0].2.contains("its parameters are not in the bundle"), "{said:?}");
    }

    #[test]
    fn what_a_bundle_cannot_tell_is_not_guessed() {
        for (expression, why) in [
            ("request.userInfo.username == 'anna'", "asks who sends the object"),
            (
                "authorizer.group('').resource('pods').check('create').allowed()",
                "asks for the rights of a user",
            ),
            ("object.spec.paused == false", "the field `paused` does not exist"),
            ("object.spec.", "it cannot be read"),
        ] {
            let rule = policy(&format!("  validations: [{{expression: \"{expression}\"}}]"));
            let said = found(&[rule, binding("validationActions: [Deny]"), deployment("large", 9)]);
            assert!(said.len() == 1 && said[0].0 == Severity::Warning && said[0].2.contains(why), "{said:?}");
        }
    }

    #[test]
    fn what_exists_is_updated() {
        let scaled = |replicas: u8| deployment("large", replicas);
        let of = |rule: &str, operations: &str, was: u8| {
            let rule = policy(&format!("  validations: [{{expression: \"{rule}\"}}]"))
                .replace("operations: ['*']", &format!("operations: [{operations}]"));
            let update =
                Update { before: read(&[scaled(was)]).remove(0), after: read(&[scaled(9)]).remove(0) };
            let documents = [rule, binding("validationActions: [Deny]"), scaled(9)];
            (found(&documents).len(), found_on_update(&documents, &[update]).len())
        };
        let grows = "object.spec.replicas <= oldObject.spec.replicas";
        assert_eq!(of(grows, "UPDATE", 3), (0, 1));
        assert_eq!(of(grows, "UPDATE", 9), (0, 0));
        assert_eq!(of("request.operation == 'UPDATE'", "CREATE, UPDATE", 3), (1, 0));
        assert_eq!(of("object.spec.replicas < 5", "CREATE", 3), (1, 0));
        // A bundle deletes nothing, and connects to nothing.
        assert_eq!(of("false", "DELETE, CONNECT", 3), (0, 0));
    }

    #[test]
    fn what_another_policy_changes_is_not_judged() {
        let rule = policy("  validations: [{expression: object.spec.replicas <= 5}]");
        let change = |kind: &str, spec: &str| {
            format!(
                "apiVersion: admissionregistration.k8s.io/v1\nkind: {kind}\nmetadata: {{name: fewer}}\nspec:\n  {spec}\n"
            )
        };
        let documents = [
            rule,
            binding("validationActions: [Deny]"),
            change("MutatingAdmissionPolicy", DEPLOYMENTS),
            change("MutatingAdmissionPolicyBinding", "policyName: fewer"),
            deployment("large", 9),
        ];
        let said = found(&documents);
        assert!(said.len() == 1 && said[0].0 == Severity::Warning, "{said:?}");
        assert!(said[0].2.ends_with("MutatingAdmissionPolicy fewer changes the object before"), "{said:?}");
    }

    #[test]
    fn plurals_are_those_of_the_api() {
        for (kind, plural) in [
            ("NetworkPolicy", "networkpolicies"),
            ("Ingress", "ingresses"),
            ("Gateway", "gateways"),
            ("Endpoints", "endpoints"),
            ("PodDisruptionBudget", "poddisruptionbudgets"),
        ] {
            assert_eq!(plural_of(kind), plural);
        }
    }
}
