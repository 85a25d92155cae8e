//! Where the values of the Secrets of a plan come from.

use super::expression::Scope;
use super::plan::{Planned, PlannedSecret};
use super::profile::Profile;
use crate::catalogue::{
    Catalogue, Component, DeclaredSecret, KeyReference, SecretKey, SecretWay, Setter, Stack,
};
use crate::expressions::names_in;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};
use kfc_yaml::{Node, Spanned};

impl PlannedSecret {
    /// Namespace and name, as messages and stacks have it.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.declared.namespace.value, self.declared.name.value)
    }

    /// Where its values come from, in a word.
    #[must_use]
    pub fn source_word(&self) -> &'static str {
        match &self.source {
            SecretWay::Bundle if self.declared.is_written_by_controller() => "controller",
            way => way.word(),
        }
    }

    fn is_meant(&self, name: &str) -> bool {
        self.declared.name.value == name || self.full_name() == name
    }
}

impl DeclaredSecret {
    /// Whether a controller writes all of its values.
    #[must_use]
    pub fn is_written_by_controller(&self) -> bool {
        self.keys.0.iter().all(|(_, key)| *key == SecretKey::Controller)
    }

    /// The keys that have a value wherever the Secret comes from: all but those that exist only to be hashed.
    pub(crate) fn stored_keys(&self) -> impl Iterator<Item = &str> {
        let is_hashed = |name: &str| {
            self.keys.0.iter().any(|(_, made)| matches!(made, SecretKey::Bcrypt(hashed) if hashed == name))
        };
        self.keys.0.iter().map(|(name, _)| name.value.as_str()).filter(move |name| !is_hashed(name))
    }

    /// Those of them that have to be secret.
    pub(crate) fn secret_keys(&self) -> impl Iterator<Item = &str> {
        let is_constant = |name: &str| {
            self.keys.0.iter().any(|(known, made)| known.value == name && *made == SecretKey::Constant)
        };
        self.stored_keys().filter(move |name| !is_constant(name))
    }
}

/// The Secrets of the components of a plan, with what the stack says of each.
///
/// # Errors
/// Entries of the stack that name no Secret, one of several, one twice, or one that a controller writes; values that cannot be made.
pub(super) fn plan(
    (catalogue, profile): (&Catalogue, &Profile),
    stack: &Stack,
    components: &[Planned],
    warnings: &mut Diagnostics,
) -> Result<Vec<PlannedSecret>> {
    let mut secrets: Vec<PlannedSecret> = Vec::new();
    let mut errors = Diagnostics::default();
    for (component, planned) in components.iter().enumerate().filter(|(_, planned)| !planned.present) {
        for declared in &planned.component.secrets {
            let declared = errors.collect(with_keys_of(declared, &planned.scope));
            secrets.extend(declared.map(|declared| PlannedSecret {
                component,
                declared,
                source: SecretWay::Bundle,
                mark: None,
            }));
        }
    }
    for (name, way) in &stack.secrets {
        let meant: Vec<usize> = (0..secrets.len()).filter(|at| secrets[*at].is_meant(&name.value)).collect();
        match meant.as_slice() {
            [at] => errors.collect(set(&mut secrets[*at], name, way)).unwrap_or_default(),
            [] if is_declared(catalogue, &name.value) => {
                let message = format!("no selected component has the Secret `{}`", name.value);
                warnings.push(Diagnostic::warning(Code::Secret, message).at(name.mark));
            }
            [] => errors.push(unknown(name, &secrets)),
            several => {
                let names: Vec<_> =
                    several.iter().map(|at| format!("`{}`", secrets[*at].full_name())).collect();
                let message = format!("several Secrets have the name `{}`", name.value);
                let error = Diagnostic::error(Code::Secret, message).at(name.mark);
                errors.push(error.help(format!("name one with its namespace: {}", names.join(", "))));
            }
        }
    }
    let declared: Vec<DeclaredSecret> = secrets.iter().map(|secret| secret.declared.clone()).collect();
    let is_default = profile.generates_secrets();
    for secret in secrets.iter_mut().filter(|secret| !secret.declared.is_written_by_controller()) {
        let is_said = secret.mark.is_some();
        match only_given(&secret.declared, &declared) {
            Some(key) if is_said && matches!(secret.source, SecretWay::Generated) => {
                let message = format!("no value can be made for the key `{key}` of {}", secret.full_name());
                let error = Diagnostic::error(Code::Secret, message).at(secret.mark);
                errors.push(error.help("say where its values come from: `existing`, `external` or `value`"));
            }
            None if is_default && !is_said && secret.declared.secret_keys().next().is_some() => {
                let component = &components[secret.component].component;
                if !has_given_parameter(&secret.declared, component, &stack.parameters) {
                    secret.source = SecretWay::Generated;
                }
            }
            _ => {}
        }
    }
    errors.0.extend(secrets.iter().filter_map(|secret| lacks_source(secret, &secrets)));
    errors.into_result(secrets)
}

/// A Secret with the keys whose conditions hold.
fn with_keys_of(declared: &DeclaredSecret, scope: &Scope) -> Result<DeclaredSecret> {
    let mut errors = Diagnostics::default();
    let mut declared = declared.clone();
    declared.keys.0.retain(|(_, key)| match key {
        SecretKey::Copy(copied) => errors.collect(scope.allows(copied.when.as_ref())).unwrap_or(true),
        _ => true,
    });
    errors.into_result(declared)
}

/// A key whose value only a user has.
fn only_given<'d>(secret: &'d DeclaredSecret, all: &[DeclaredSecret]) -> Option<&'d str> {
    let is_given = |key: &SecretKey| match key {
        SecretKey::Given => true,
        SecretKey::Copy(of) => !all.iter().any(|other| has_key(other, &of.copy)),
        SecretKey::Constant | SecretKey::Controller | SecretKey::Random(_) | SecretKey::Bcrypt(_) => false,
    };
    let mut keys = secret.keys.0.iter();
    keys.find(|(_, key)| is_given(key)).map(|(name, _)| name.value.as_str())
}

fn has_key(secret: &DeclaredSecret, reference: &KeyReference) -> bool {
    secret.name.value == reference.name
        && secret.namespace.value == reference.namespace
        && secret.keys.0.iter().any(|(key, _)| key.value == reference.key)
}

/// Whether the user has set a parameter whose value one of the secret keys gets.
fn has_given_parameter(secret: &DeclaredSecret, component: &Component, given: &Node) -> bool {
    let own = given.get(&component.name.value);
    let is_given = |setter: &Setter| {
        let path: Vec<&str> = setter.path.value.split('.').collect();
        let [_, key] = path.as_slice() else { return false };
        let is_it = setter.select.kind.as_deref() == Some("Secret")
            && setter.select.name.as_deref() == Some(secret.name.value.as_str())
            && secret.secret_keys().any(|known| known == *key);
        is_it
            && names_in(&setter.new_value).iter().any(|name| {
                let parameter = name.below("parameters").and_then(|path| path.first());
                parameter.is_some_and(|name| {
                    own.and_then(|own| own.get(name)).or_else(|| given.get(name)).is_some()
                })
            })
    };
    component.set.iter().any(|setter| is_given(setter))
}

/// The error for a Secret that is made from another one, which no program can read when it makes this one.
fn lacks_source(secret: &PlannedSecret, all: &[PlannedSecret]) -> Option<Diagnostic> {
    if !matches!(secret.source, SecretWay::Generated) {
        return None;
    }
    let copied = secret.declared.keys.0.iter().filter_map(|(key, made)| match made {
        SecretKey::Copy(of) => Some((key, all.iter().find(|other| has_key(&other.declared, &of.copy))?)),
        _ => None,
    });
    let is_unreadable =
        |source: &PlannedSecret| !matches!(source.source, SecretWay::Generated | SecretWay::Existing(_));
    let (key, source) = copied.into_iter().find(|(_, source)| is_unreadable(source))?;
    let (name, other) = (secret.full_name(), source.full_name());
    let message = format!(
        "the key `{}` of the Secret {name} is made from {other}, whose values are not known when it is made",
        key.value
    );
    let error = Diagnostic::error(Code::Secret, message).at(secret.mark.or(source.mark));
    Some(error.help(format!("say under `secrets` of kfc.yaml where the values of {name} come from, too")))
}

fn set(secret: &mut PlannedSecret, name: &Spanned<String>, way: &SecretWay) -> Result<()> {
    if secret.declared.is_written_by_controller() {
        let message = format!("a controller writes the values of the Secret `{}`", name.value);
        let error = Diagnostic::error(Code::Secret, message).at(name.mark);
        return Err(error.help("remove the entry").into());
    }
    if let Some(first) = secret.mark {
        let message = format!("the Secret `{}` is defined more than once", secret.full_name());
        let error = Diagnostic::error(Code::Secret, message).at(name.mark);
        return Err(error.label(first, "the first entry is here").into());
    }
    secret.source = way.clone();
    secret.mark = name.mark;
    Ok(())
}

/// Whether any component of the catalogue has such a Secret.
fn is_declared(catalogue: &Catalogue, name: &str) -> bool {
    catalogue.components.values().flat_map(|component| &component.secrets).any(|secret| {
        secret.name.value == name || format!("{}/{}", secret.namespace.value, secret.name.value) == name
    })
}

fn unknown(name: &Spanned<String>, secrets: &[PlannedSecret]) -> Diagnostic {
    let error = Diagnostic::error(Code::Secret, format!("the Secret `{}` does not exist", name.value));
    let names = secrets.iter().map(|secret| secret.declared.name.value.as_str());
    match nearest(&name.value, names) {
        Some(near) => error.at(name.mark).help(format!("did you mean `{near}`?")),
        None => error.at(name.mark).help("list the Secrets of a stack with `kfc list secrets DIR`"),
    }
}
