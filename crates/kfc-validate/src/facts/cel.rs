//! Expressions in CEL: of CRDs, policies, webhooks and selectors of devices. Whether they can be read, name what there is, and
//! give what is wanted. What is not known here is taken.

use super::super::budget::{Budget, check_text};
use super::super::expressions::{Known, compile};
use super::super::path::Path;
use super::cel_cost::{self, Sized};
use super::cel_types::{AUTHORIZER, Checker, Scope, Type};
use super::here::{Check, Here, is_true, text};
use super::words::escaped;
use kfc_yaml::Node;
use kfc_yaml::value::to_json;
use kube_cel::ErrorKind;
use kube_cel::cel::Program;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("admissionregistration.v1.ValidatingWebhook", webhook),
    ("admissionregistration.v1.MutatingWebhook", webhook),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", policy),
    ("admissionregistration.v1.MutatingAdmissionPolicySpec", policy),
    ("apiextensions.v1.CustomResourceDefinitionVersion", definition),
    ("resource.v1.CELDeviceSelector", device),
];

/// Bytes of stack for the library, which goes down several levels for each of an expression.
const STACK: usize = 256 << 20;
/// Levels of a schema that are looked at.
const DEEPEST: usize = 60;

/// What an expression has to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Bool,
    /// Of a CRD, in the server's words.
    Rule,
    Text,
    TextOrNull,
    Object,
    Patches,
    Anything,
}

impl Want {
    fn refuses(self, given: &Type) -> Option<String> {
        let is_right = match (self, given) {
            (Self::Anything, _) | (_, Type::Unknown) | (Self::Rule, Type::Dyn) => true,
            (Self::Bool | Self::Rule, given) => *given == Type::Bool,
            (Self::Text, given) => *given == Type::String,
            (Self::TextOrNull, given) => matches!(given, Type::String | Type::Null | Type::Dyn),
            (Self::Object, given) => matches!(given, Type::Opaque("Object")),
            (Self::Patches, given) => {
                matches!(given, Type::List(item) if matches!(**item, Type::Opaque("JSONPatch") | Type::Dyn))
            }
        };
        let wanted = match self {
            Self::Rule => return (!is_right).then(|| "cel expression must evaluate to a bool".to_owned()),
            Self::Bool => "bool",
            Self::Text => "string",
            Self::TextOrNull => "one of [string null_type]",
            Self::Object => "Object",
            Self::Patches => "list(JSONPatch)",
            Self::Anything => "",
        };
        (!is_right).then(|| format!("must evaluate to {wanted} but got {given}"))
    }
}

/// An expression that nothing is known to be wrong with.
struct Tried {
    given: Type,
    /// None if it is not read, as with what nests too deep.
    program: Option<Arc<Program>>,
}

impl Tried {
    const UNREAD: Self = Self { given: Type::Unknown, program: None };
}

/// Reads an expression, or says what is wrong with it. Runs where there is stack enough.
fn read(expression: &str, scope: &Scope, want: Want) -> Result<Tried, String> {
    if check_text(expression).is_err() {
        return Ok(Tried::UNREAD);
    }
    let program = match compile(expression) {
        Ok(program) => program,
        Err(reason) => {
            // Optional fields are syntax that the library does not have.
            if reason.contains("unsupported syntax") {
                return Ok(Tried::UNREAD);
            }
            return Err(format!("compilation failed: {}", reason.lines().next().unwrap_or("syntax error")));
        }
    };
    let given = Checker::of(scope)
        .check(program.expression())
        .map_err(|words| format!("compilation failed: {words}"))?;
    match want.refuses(&given) {
        Some(words) => Err(words),
        None => Ok(Tried { given, program: Some(program) }),
    }
}

/// A condition over `object`, or what is wrong with it. Runs where there is stack enough.
pub(crate) fn condition(expression: &str) -> Result<Arc<Program>, String> {
    check_text(expression)?;
    let program =
        compile(expression).map_err(|reason| reason.lines().next().unwrap_or("syntax error").to_owned())?;
    let mut scope = Scope::default();
    scope.set("object", Type::Dyn);
    let given = Checker::of(&scope).check(program.expression())?;
    match Want::Bool.refuses(&given).filter(|_| given != Type::Dyn) {
        Some(words) => Err(format!("it {words}")),
        None => Ok(program),
    }
}

/// Runs something with a stack that is large enough for the library.
pub(crate) fn with_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).ok()?.join().ok()
    })
}

/// The findings of one mapping: place and words.
type Found = Vec<(String, String)>;

fn report(here: &mut Here<'_, '_>, found: Option<Found>) {
    for (below, words) in found.into_iter().flatten() {
        here.invalid(&below, &words);
    }
}

fn expression<'n>(node: &'n Node, field: &str) -> Option<&'n str> {
    node.get(field).and_then(text).filter(|text| !text.trim().is_empty())
}

fn try_at(found: &mut Found, below: String, expression: Option<&str>, scope: &Scope, want: Want) -> Tried {
    let Some(expression) = expression else { return Tried::UNREAD };
    read(expression, scope, want).unwrap_or_else(|words| {
        found.push((below, words));
        Tried::UNREAD
    })
}

/// What requests of admission have.
fn admission_scope() -> Scope {
    let strings = |names: &[&str]| {
        names.iter().map(|name| ((*name).to_owned(), Type::String)).collect::<HashMap<_, _>>()
    };
    let kind = || Type::Object(Rc::new(strings(&["group", "version", "kind"])));
    let resource = || Type::Object(Rc::new(strings(&["group", "version", "resource"])));
    let mut user = strings(&["username", "uid"]);
    user.insert("groups".to_owned(), Type::List(Rc::new(Type::String)));
    user.insert(
        "extra".to_owned(),
        Type::Map(Rc::new(Type::String), Rc::new(Type::List(Rc::new(Type::String)))),
    );
    let mut request =
        strings(&["uid", "subResource", "requestSubResource", "name", "namespace", "operation"]);
    request.insert("kind".to_owned(), kind());
    request.insert("requestKind".to_owned(), kind());
    request.insert("resource".to_owned(), resource());
    request.insert("requestResource".to_owned(), resource());
    request.insert("userInfo".to_owned(), Type::Object(Rc::new(user)));
    request.insert("dryRun".to_owned(), Type::Bool);
    request.insert("options".to_owned(), Type::Dyn);
    let mut scope = Scope::default();
    for (name, given) in [
        ("object", Type::Dyn),
        ("oldObject", Type::Dyn),
        ("request", Type::Object(Rc::new(request))),
        ("authorizer", AUTHORIZER),
        ("namespaceObject", namespace_object()),
    ] {
        scope.set(name, given);
    }
    scope
}

/// The namespace of an object, with the fields that expressions see.
fn namespace_object() -> Type {
    let of = |fields: Vec<(&str, Type)>| {
        Type::Object(Rc::new(fields.into_iter().map(|(name, given)| (name.to_owned(), given)).collect()))
    };
    let texts = || Type::List(Rc::new(Type::String));
    let named = || Type::Map(Rc::new(Type::String), Rc::new(Type::String));
    let metadata = of(vec![
        ("name", Type::String),
        ("generateName", Type::String),
        ("namespace", Type::String),
        ("labels", named()),
        ("annotations", named()),
        ("UID", Type::String),
        ("creationTimestamp", Type::Timestamp),
        ("deletionGracePeriodSeconds", Type::Int),
        ("deletionTimestamp", Type::Timestamp),
        ("generation", Type::Int),
        ("resourceVersion", Type::String),
        ("finalizers", texts()),
    ]);
    let status = of(vec![("conditions", Type::Unknown), ("phase", Type::String)]);
    of(vec![("metadata", metadata), ("spec", of(vec![("finalizers", texts())])), ("status", status)])
}

fn webhook(here: &mut Here<'_, '_>) {
    if here.items(&["matchConditions"]).next().is_none() {
        return;
    }
    let node = here.node;
    let found = with_stack(|| {
        let mut found = Found::new();
        let conditions = node.get("matchConditions").and_then(Node::as_seq).into_iter().flatten();
        for (index, condition) in conditions.enumerate() {
            let below = format!("matchConditions[{index}].expression");
            try_at(&mut found, below, expression(condition, "expression"), &admission_scope(), Want::Bool);
        }
        found
    });
    report(here, found);
}

fn policy(here: &mut Here<'_, '_>) {
    let node = here.node;
    let found = with_stack(|| of_policy(node));
    report(here, found);
}

fn of_policy(node: &Node) -> Found {
    let mut found = Found::new();
    let list = |field: &str| {
        node.get(field).and_then(Node::as_seq).into_iter().flatten().enumerate().collect::<Vec<_>>()
    };
    let mut scope = admission_scope();
    if node.get("paramKind").is_some_and(|kind| !kind.is_null()) {
        scope.set("params", Type::Dyn);
    }
    // Only what changes an object can make one.
    if node.get("mutations").is_some() {
        for made in ["Object", "JSONPatch"] {
            scope.set(made, Type::Unknown);
        }
    }
    for (index, condition) in list("matchConditions") {
        let below = format!("matchConditions[{index}].expression");
        try_at(&mut found, below, expression(condition, "expression"), &scope, Want::Bool);
    }
    let mut variables: HashMap<String, Type> = HashMap::new();
    for (index, variable) in list("variables") {
        if !variables.is_empty() {
            scope.set("variables", Type::Object(Rc::new(variables.clone())));
        }
        let below = format!("variables[{index}].expression");
        let tried = try_at(&mut found, below, expression(variable, "expression"), &scope, Want::Anything);
        if let Some(name) = variable.get("name").and_then(text) {
            variables.insert(name.to_owned(), tried.given);
        }
    }
    if !variables.is_empty() {
        scope.set("variables", Type::Object(Rc::new(variables)));
    }
    for (index, validation) in list("validations") {
        try_at(
            &mut found,
            format!("validations[{index}].expression"),
            expression(validation, "expression"),
            &scope,
            Want::Bool,
        );
        let mut of_message = scope.clone();
        of_message.remove("authorizer");
        let below = format!("validations[{index}].messageExpression");
        try_at(&mut found, below, expression(validation, "messageExpression"), &of_message, Want::Text);
    }
    for (index, annotation) in list("auditAnnotations") {
        let below = format!("auditAnnotations[{index}].valueExpression");
        try_at(&mut found, below, expression(annotation, "valueExpression"), &scope, Want::TextOrNull);
    }
    for (index, mutation) in list("mutations") {
        for (field, want) in [("applyConfiguration", Want::Object), ("jsonPatch", Want::Patches)] {
            let Some(inner) = mutation.get(field) else { continue };
            let below = format!("mutations[{index}].{field}.expression");
            try_at(&mut found, below, expression(inner, "expression"), &scope, want);
        }
    }
    found
}

fn device(here: &mut Here<'_, '_>) {
    let node = here.node;
    let found = with_stack(|| {
        let by_domain = || {
            Type::Map(
                Rc::new(Type::String),
                Rc::new(Type::Map(Rc::new(Type::String), Rc::new(Type::Unknown))),
            )
        };
        let fields: HashMap<String, Type> = [
            ("driver".to_owned(), Type::String),
            ("attributes".to_owned(), by_domain()),
            ("capacity".to_owned(), by_domain()),
            ("allowMultipleAllocations".to_owned(), Type::Bool),
        ]
        .into();
        let mut scope = Scope::default();
        scope.set("device", Type::Object(Rc::new(fields)));
        let mut found = Found::new();
        try_at(&mut found, "expression".to_owned(), expression(node, "expression"), &scope, Want::Bool);
        found
    });
    report(here, found);
}

fn definition(here: &mut Here<'_, '_>) {
    let Some(schema) = here.at(&["schema", "openAPIV3Schema"]) else { return };
    if !has_rules(schema, 0) {
        return;
    }
    let found = with_stack(|| {
        let mut rules = Rules::default();
        let at = At { is_root: true, times: Some(1.0), ..At::default() };
        let outer = Path::TOP.field("schema");
        of_schema(schema, &outer.field("openAPIV3Schema"), at, &mut rules);
        if let Some(words) = cel_cost::refusal_of_all(rules.cost) {
            rules.found.push(("schema.openAPIV3Schema".to_owned(), words));
        }
        rules.found
    });
    report(here, found);
}

fn has_rules(schema: &Node, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    match (schema.as_map(), schema.as_seq()) {
        (Some(map), _) => {
            map.iter().any(|e| e.key.text == "x-kubernetes-validations" || has_rules(&e.value, depth + 1))
        }
        (_, Some(items)) => items.iter().any(|item| has_rules(item, depth + 1)),
        _ => false,
    }
}

#[derive(Clone, Copy, Default)]
struct At {
    is_root: bool,
    /// Whether the older value of the same part cannot be found: in a list without keys.
    is_uncorrelated: bool,
    /// How often the value can be in a resource.
    times: cel_cost::Times,
    depth: usize,
}

/// The rules of a whole schema: what is wrong with them, and what they cost together.
#[derive(Default)]
struct Rules {
    found: Found,
    cost: f64,
}

fn of_schema(schema: &Node, path: &Path<'_>, at: At, all: &mut Rules) {
    if at.depth > DEEPEST {
        return;
    }
    let before = all.found.len();
    let rules = schema.get("x-kubernetes-validations").and_then(Node::as_seq).unwrap_or_default();
    if !rules.is_empty() {
        let value = declared(schema, at.is_root, 0);
        let sized = Sized::of(schema, at.is_root, 0);
        for (index, rule) in rules.iter().enumerate() {
            let path = format!("{path}.x-kubernetes-validations[{index}]");
            let programs = of_rule(rule, &path, &value, at, &mut all.found);
            if let (Some(sized), Some(programs)) = (&sized, &programs) {
                all.cost += costs(programs, &path, sized, at.times, &mut all.found);
            }
        }
        if all.found.len() == before {
            on_default(schema, path, &mut all.found);
        }
    }
    let times = cel_cost::times_below(schema, at.times);
    let inner = At { is_root: false, depth: at.depth + 1, times, ..at };
    let properties = path.field("properties");
    for entry in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
        of_schema(&entry.value, &properties.field(&entry.key.text), inner, all);
    }
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.as_map().is_some()) {
        of_schema(values, &path.field("additionalProperties"), inner, all);
    }
    if let Some(items) = schema.get("items").filter(|items| items.as_map().is_some()) {
        let has_keys = schema.get("x-kubernetes-list-type").and_then(text) == Some("map");
        let of_items = At { is_uncorrelated: at.is_uncorrelated || !has_keys, ..inner };
        of_schema(items, &path.field("items"), of_items, all);
    }
}

/// A rule and the text that it makes for its message, as far as they are read.
struct Programs {
    rule: Option<Arc<Program>>,
    message: Option<Arc<Program>>,
}

/// What a rule and its message cost; reports what the server finds too much.
fn costs(
    programs: &Programs,
    path: &str,
    value: &Rc<Sized>,
    times: cel_cost::Times,
    found: &mut Found,
) -> f64 {
    let of_rule =
        programs.rule.as_ref().map_or(0.0, |rule| cel_cost::of_rule(rule.expression(), value, times));
    let of_message =
        programs.message.as_ref().map_or(0.0, |text| cel_cost::of_message(text.expression(), value));
    for (field, name, cost) in [
        ("rule", "estimated rule cost", of_rule),
        ("messageExpression", "estimated messageExpression cost", of_message),
    ] {
        if let Some(words) = cel_cost::refusal(name, cost) {
            found.push((format!("{path}.{field}"), words));
        }
    }
    of_rule + of_message
}

/// Checks one rule; `None` if something is wrong with it.
fn of_rule(rule: &Node, path: &str, value: &Type, at: At, found: &mut Found) -> Option<Programs> {
    let before = found.len();
    let mut scope = Scope::default();
    scope.set("self", value.clone());
    let old = if rule.get("optionalOldSelf").is_some_and(is_true) {
        Type::Optional(Rc::new(value.clone()))
    } else {
        value.clone()
    };
    scope.set("oldSelf", old);
    let text = expression(rule, "rule");
    let names_old = text.is_some_and(|rule| rule.contains("oldSelf"));
    if names_old && at.is_uncorrelated {
        found.push((
            format!("{path}.rule"),
            "oldSelf cannot be used on the uncorrelatable portion of the schema".to_owned(),
        ));
        return None;
    }
    let of_rule = try_at(found, format!("{path}.rule"), text, &scope, Want::Rule);
    let of_message = try_at(
        found,
        format!("{path}.messageExpression"),
        expression(rule, "messageExpression"),
        &scope,
        Want::Text,
    );
    (found.len() == before).then_some(Programs { rule: of_rule.program, message: of_message.program })
}

/// A default has to hold the rules of its own schema, and those inside.
fn on_default(schema: &Node, path: &Path<'_>, found: &mut Found) {
    let Some(default) = schema.get("default").filter(|default| !default.is_null()) else { return };
    let mut json = to_json(schema);
    let text = json.to_string();
    if HELD.get(&text).is_some() {
        return;
    }
    let before = found.len();
    let value = to_json(default);
    let (budget, refused) = Budget::of(&mut json);
    if !refused.is_empty() || budget.refuse_costly(&json, &value).is_some() {
        return;
    }
    let compiled = kube_cel::compile_schema(&json);
    let outcome = kube_cel::Validator::new().validate_compiled_with_context(&compiled, &value, None, None);
    // The library does not have these as the server does.
    let is_of_server = |rule: &str| ["type(", "format.", ".?"].iter().any(|part| rule.contains(part));
    for error in outcome.err().map(kube_cel::ValidationErrors::into_vec).unwrap_or_default() {
        let words = match error.kind {
            _ if error.rule == "true" || is_of_server(&error.rule) => continue,
            ErrorKind::ValidationFailure => format!("failed rule: {}", error.rule),
            ErrorKind::EvaluationError if cannot_convert(&error.message) => {
                format!("{} evaluating rule: {}", error.message, error.rule)
            }
            _ => continue,
        };
        found.push((format!("{path}.default"), words));
    }
    if found.len() == before {
        HELD.put(text, ());
    }
}

/// Schemas whose default holds their rules. Several versions and CRDs have the same.
static HELD: Known<()> = Known::up_to(256);

/// Whether a rule ended because a text cannot be what it has to be, and not because the library lacks something.
fn cannot_convert(message: &str) -> bool {
    let functions =
        ["int", "uint", "double", "duration", "timestamp", "ip", "cidr", "quantity", "semver", "url"];
    functions.iter().any(|name| message.contains(&format!("'{name}'")))
}

/// The type of values of a schema.
fn declared(schema: &Node, is_object: bool, depth: usize) -> Type {
    let says = |field: &str| schema.get(field).is_some_and(is_true);
    if depth > DEEPEST || says("x-kubernetes-int-or-string") {
        return Type::Dyn;
    }
    let is_object = is_object || says("x-kubernetes-embedded-resource");
    match schema.get("type").and_then(text) {
        Some("string") => match schema.get("format").and_then(text) {
            Some("date" | "date-time") => Type::Timestamp,
            Some("duration") => Type::Duration,
            Some("byte") => Type::Bytes,
            _ => Type::String,
        },
        Some("integer") => Type::Int,
        Some("number") => Type::Double,
        Some("boolean") => Type::Bool,
        Some("array") => Type::List(Rc::new(
            schema.get("items").map_or(Type::Dyn, |items| declared(items, false, depth + 1)),
        )),
        Some("object") => fields(schema, is_object, depth),
        _ if is_object => fields(schema, is_object, depth),
        _ => Type::Unknown,
    }
}

fn fields(schema: &Node, is_object: bool, depth: usize) -> Type {
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.as_map().is_some()) {
        return Type::Map(Rc::new(Type::String), Rc::new(declared(values, false, depth + 1)));
    }
    let mut all: HashMap<String, Type> = HashMap::new();
    for entry in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
        let given = declared(&entry.value, false, depth + 1);
        // After a dot, a reserved word such as `namespace` can also be written as it is.
        all.insert(entry.key.text.to_string(), given.clone());
        all.insert(escaped(&entry.key.text), given);
    }
    if is_object {
        let names: HashMap<String, Type> =
            ["name", "generateName"].iter().map(|name| ((*name).to_owned(), Type::String)).collect();
        all.insert("metadata".to_owned(), Type::Object(Rc::new(names)));
        all.entry("apiVersion".to_owned()).or_insert(Type::String);
        all.entry("kind".to_owned()).or_insert(Type::String);
    }
    Type::Object(Rc::new(all))
}
