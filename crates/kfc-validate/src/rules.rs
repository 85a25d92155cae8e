//! The rules of custom resource definitions (`x-kubernetes-validations`), run by the kube-cel crate.

use super::budget::{Budget, Refused};
use super::definitions::Definition;
use super::finding::{Finding, Findings};
use super::path::Path;
use super::update::Update;
use kfc_diagnostics::{Code, Diagnostic, Mark};
use kfc_kube::Object;
use kfc_yaml::Node;
use kfc_yaml::value::to_json;
use kube_cel::{CompiledSchema, ErrorKind, RootContext, ValidationError, Validator, compile_schema};
use serde_json::Value;
use std::sync::OnceLock;

/// The rules of one version of a kind, ready to run.
#[derive(Debug)]
pub(super) struct Rules {
    /// The schema without the rules that are refused.
    schema: Value,
    compiled: CompiledSchema,
    /// The same for objects that exist already.
    updating: OnceLock<(Value, CompiledSchema)>,
    budget: Budget,
    refused: Vec<Refused>,
    validator: Validator,
    context: RootContext,
}

impl Rules {
    /// Compiles the rules of a CRD; `None` without rules.
    pub(super) fn of(definition: &Definition, resource: &Object) -> Option<Self> {
        let mut schema = definition.rules.clone()?;
        let (budget, refused) = Budget::of(&mut schema);
        let context = RootContext {
            api_version: resource.api_version().to_owned(),
            api_group: resource.group().to_owned(),
            kind: resource.kind().to_owned(),
        };
        let compiled = compile_schema(&schema);
        let updating = OnceLock::new();
        Some(Self { schema, compiled, updating, budget, refused, validator: Validator::new(), context })
    }

    /// Runs the rules on a resource, which must fit the schema. Those that compare with an older object need `update`.
    pub(super) fn check(&self, resource: &Object, update: Option<&Update>, found: &mut Findings<'_>) {
        let object = to_json(&update.map_or(resource, |update| &update.after).node);
        let before = update.map(|update| to_json(&update.before.node));
        let (schema, compiled) = if update.is_some() {
            let (schema, compiled) = self.updating.get_or_init(|| of_updates(&self.schema));
            (schema, compiled)
        } else {
            (&self.schema, &self.compiled)
        };
        let costly = self.budget.refuse_costly(schema, &object);
        let cheap = costly.as_ref().map(|(schema, _)| compile_schema(schema));
        let compiled = cheap.as_ref().unwrap_or(compiled);
        for refused in self.refused.iter().chain(costly.iter().flat_map(|(_, refused)| refused)) {
            let diagnostic = not_run(&refused.rule, &refused.why);
            found.push(&Path::TOP, diagnostic.at(resource.mark()));
        }
        let outcome = self.validator.validate_compiled_with_context(
            compiled,
            &object,
            before.as_ref(),
            Some(&self.context),
        );
        let mut errors = outcome.err().map(kube_cel::ValidationErrors::into_vec).unwrap_or_default();
        // The library walks maps in no fixed order.
        errors.sort_by(|a, b| (&a.field_path, &a.rule).cmp(&(&b.field_path, &b.rule)));
        for error in errors {
            report(&error, resource, found);
        }
    }
}

/// A schema for objects that exist already, and the same ready to run.
fn of_updates(schema: &Value) -> (Value, CompiledSchema) {
    let mut schema = schema.clone();
    without_comparisons_in_lists(&mut schema, false);
    let compiled = compile_schema(&schema);
    (schema, compiled)
}

/// Takes rules that compare with an older value out of the items of lists: the library pairs items by their place, and the
/// server by their keys.
fn without_comparisons_in_lists(schema: &mut Value, is_in_list: bool) {
    match schema {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::Array(rules) if name == "x-kubernetes-validations" => rules.retain(|rule| {
                        !is_in_list
                            || !rule.get("rule").and_then(Value::as_str).unwrap_or("").contains("oldSelf")
                    }),
                    field => without_comparisons_in_lists(field, is_in_list || name == "items"),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                without_comparisons_in_lists(item, is_in_list);
            }
        }
        _ => {}
    }
}

/// The findings for resources when no rule can be run.
pub(super) fn none_run(resources: &[&Object], why: &str) -> Vec<Finding> {
    let finding = |resource: &&Object| {
        let mut found = Findings::of(resource);
        found.push(&Path::TOP, not_run("every rule of the CRD", why).at(resource.mark()));
        found.list
    };
    resources.iter().flat_map(finding).collect()
}

fn not_run(rule: &str, why: &str) -> Diagnostic {
    const LONGEST: usize = 500;
    let shown =
        rule.char_indices().nth(LONGEST).map_or(rule.to_owned(), |(end, _)| format!("{}…", &rule[..end]));
    Diagnostic::warning(Code::RuleNotRun, "a rule of the CRD was not run")
        .note(format!("the rule is {shown}"))
        .note(why.to_owned())
}

fn report(error: &ValidationError, resource: &Object, found: &mut Findings<'_>) {
    let mark = place(&resource.node, &error.field_path).or(resource.mark());
    let diagnostic = if error.kind == ErrorKind::ValidationFailure {
        Diagnostic::error(Code::RuleBroken, error.message.clone()).note(format!("the rule is {}", error.rule))
    } else {
        not_run(&error.rule, &error.message)
    };
    found.push(&Path::TOP, diagnostic.at(mark));
    if let Some(last) = found.list.last_mut() {
        last.path.clone_from(&error.field_path);
    }
}

/// The location of a path such as `spec.list[0].name`: of its last part that exists.
fn place(top: &Node, path: &str) -> Option<Mark> {
    let mut node = top;
    let mut mark = None;
    for part in path.split(['.', '[']) {
        let below = match part.strip_suffix(']').and_then(|index| index.parse::<usize>().ok()) {
            Some(index) => node.as_seq().and_then(|items| items.get(index)),
            None => node.as_map().and_then(|map| map.entry(part)).map(|entry| {
                mark = entry.key.mark.known();
                &entry.value
            }),
        };
        match below {
            Some(below) => node = below,
            None => break,
        }
    }
    mark
}
