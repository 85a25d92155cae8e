//! The rules of custom resource definitions (`x-kubernetes-validations`), run by the kube-cel crate.

use super::definitions::Definition;
use super::finding::Findings;
use super::path::Path;
use crate::catalogue::to_json;
use crate::diagnostics::{Code, Diagnostic, Mark};
use crate::resource::Resource;
use crate::yaml::Node;
use kube_cel::{CompiledSchema, ErrorKind, RootContext, ValidationError, Validator, compile_schema};

/// The rules of one version of a kind, ready to run.
#[derive(Debug)]
pub(super) struct Rules {
    schema: CompiledSchema,
    validator: Validator,
    context: RootContext,
}

impl Rules {
    /// Compiles the rules of a definition; none when it has none.
    pub(super) fn of(definition: &Definition, resource: &Resource) -> Option<Self> {
        let schema = definition.rules.as_ref()?;
        let context = RootContext {
            api_version: resource.api_version().to_owned(),
            api_group: resource.gvk().group,
            kind: resource.kind().to_owned(),
        };
        Some(Self { schema: compile_schema(schema), validator: Validator::new(), context })
    }

    /// Runs the rules on a resource, which has to fit the schema.
    pub(super) fn check(&self, resource: &Resource, found: &mut Findings<'_>) {
        let object = to_json(&resource.node);
        let outcome =
            self.validator.validate_compiled_with_context(&self.schema, &object, None, Some(&self.context));
        let mut errors = outcome.err().map(kube_cel::ValidationErrors::into_vec).unwrap_or_default();
        // The library walks maps in no fixed order.
        errors.sort_by(|a, b| (&a.field_path, &a.rule).cmp(&(&b.field_path, &b.rule)));
        for error in errors {
            report(&error, resource, found);
        }
    }
}

fn report(error: &ValidationError, resource: &Resource, found: &mut Findings<'_>) {
    let mark = place(&resource.node, &error.field_path).unwrap_or(resource.mark());
    let diagnostic = if error.kind == ErrorKind::ValidationFailure {
        Diagnostic::error(Code::RuleBroken, error.message.clone()).note(format!("the rule is {}", error.rule))
    } else {
        let message = "a rule of the definition could not be run here";
        Diagnostic::warning(Code::RuleNotRun, message)
            .note(format!("the rule is {}", error.rule))
            .note(error.message.clone())
    };
    found.push(&Path::TOP, diagnostic.at(mark));
    if let Some(last) = found.list.last_mut() {
        last.path.clone_from(&error.field_path);
    }
}

/// The place of a path such as `spec.list[0].name`: of its last part that is there.
fn place(top: &Node, path: &str) -> Option<Mark> {
    let mut node = top;
    let mut mark = None;
    for part in path.split(['.', '[']) {
        let below = match part.strip_suffix(']').and_then(|index| index.parse::<usize>().ok()) {
            Some(index) => node.as_seq().and_then(|items| items.get(index)),
            None => node.as_map().and_then(|map| map.entry(part)).map(|entry| {
                mark = Some(entry.key.mark);
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
