//! `vars`: values of fields that replace `$(NAME)`.

use super::field_path;
use crate::kustomization::model::Var;
use crate::provenance::{Step, StepKind};
use crate::resource::{Resource, ResourceSet, Sourcing};
use crate::transform::{Create, FieldSpecs, TransformerConfig};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Mark, Result, nearest};
use kfc_kube::Gvk;
use kfc_kube::ResId;
use kfc_yaml::{Node, Scalar, ScalarKind, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// The variables of a root and of all below it, in the order in which they were found.
#[derive(Debug, Default)]
pub struct VarSet {
    list: Vec<Var>,
}

impl VarSet {
    /// Adds the variables of one kustomization, and notes on each resource which variables take their value from it.
    ///
    /// # Errors
    /// [`Code::Variable`] for a name that is taken and for a target that several resources are.
    pub fn merge(&mut self, vars: &[Var], set: &mut ResourceSet) -> Result<()> {
        let mut errors = Diagnostics::default();
        for var in vars {
            errors.collect(note_target(var, set));
        }
        errors.collect(self.absorb(Self { list: vars.to_vec() }));
        errors.into_result(())
    }

    /// Adds the variables of another root.
    ///
    /// # Errors
    /// [`Code::Variable`] for every name that is taken.
    pub fn absorb(&mut self, other: Self) -> Result<()> {
        let mut errors = Diagnostics::default();
        for var in other.list {
            match self.list.iter().find(|known| known.name == var.name) {
                Some(known) => errors.push(duplicate_variable(&var, known)),
                None => self.list.push(var),
            }
        }
        errors.into_result(())
    }

    /// Replaces `$(NAME)` in every field that the configuration lists. Returns warnings for variables that no field uses.
    ///
    /// # Errors
    /// [`Code::Variable`] for variables without a value.
    pub fn resolve(&self, set: &mut ResourceSet, config: &TransformerConfig) -> Result<Diagnostics> {
        if self.list.is_empty() {
            return Ok(Diagnostics::default());
        }
        let places = self.places(set);
        let mut expansion = Expansion { values: self.values(set)?, places, used: FxHashSet::default() };
        let mut specs = FieldSpecs::new(&config.var_reference);
        let mut errors = Diagnostics::default();
        let step = Step::new(StepKind::Vars, None).with_marks();
        for resource in &mut set.list {
            errors.collect(specs.visit(resource.edit(&step), Create::Nothing, |field| {
                field.change_from(|node, sourcing| expansion.replace_in(node, sourcing))
            }));
        }
        errors.into_result(())?;
        let unused = self.list.iter().filter(|var| !expansion.used.contains(var.name.as_str()));
        Ok(Diagnostics(unused.map(never_used).collect()))
    }

    /// Where each variable is, when origins are kept.
    fn places(&self, set: &ResourceSet) -> FxHashMap<String, Mark> {
        if !set.list.iter().any(|resource| resource.history().is_kept()) {
            return FxHashMap::default();
        }
        self.list.iter().filter_map(|var| Some((var.name.clone(), var.mark?))).collect()
    }

    fn values(&self, set: &ResourceSet) -> Result<FxHashMap<String, Scalar>> {
        let mut values = FxHashMap::default();
        let mut errors = Diagnostics::default();
        for var in &self.list {
            let holder = set.list.iter().find(|resource| resource.ref_vars.contains(&var.name));
            match holder.map(|resource| value_of(var, resource)) {
                Some(Ok(value)) => drop(values.insert(var.name.clone(), value)),
                Some(Err(error)) => errors.push(error),
                None => errors.push(no_target(var, set)),
            }
        }
        errors.into_result(values)
    }
}

/// Finds the resource that a variable takes its value from, by any identity that it has or had.
fn note_target(var: &Var, set: &mut ResourceSet) -> Result<()> {
    let target = &var.target;
    let wanted = Gvk::new(&target.api_version, &target.kind);
    let matches = |id: &ResId| {
        id.name == target.name
            && id.gvk == wanted
            && (target.namespace.is_empty() || id.effective_namespace() == target.namespace)
    };
    let has = |resource: &Resource| {
        let named = resource.name() == target.name || resource.previous.iter().any(|p| p.name == target.name);
        named && (matches(&resource.id()) || resource.previous_ids().any(|id| matches(&id)))
    };
    let found: Vec<usize> = (0..set.list.len()).filter(|at| has(&set.list[*at])).collect();
    match found.as_slice() {
        [] => {}
        [at] => set.list[*at].ref_vars.push(var.name.clone()),
        several => {
            let message =
                format!("the variable `{}` may take its value from {} resources", var.name, several.len());
            let error = Diagnostic::error(Code::Variable, message)
                .at(var.mark)
                .help("add the `namespace` to its `objref`");
            return Err(several
                .iter()
                .fold(error, |e, at| e.label(set.list[*at].mark(), "this is one of them"))
                .into());
        }
    }
    Ok(())
}

fn value_of(var: &Var, resource: &Resource) -> std::result::Result<Scalar, Diagnostic> {
    let steps = field_path::split_variable(&var.field_path);
    let mark = var.mark;
    let found = field_path::lookup(&resource.node, &steps).map_err(|error| {
        let place = error.mark.map(|mark| resource.location(mark));
        let resource = format!("this is in {} `{}`", resource.kind(), resource.name());
        error.with_code(Code::Variable).at(mark).label_or_note(place, resource)
    })?;
    let Some(node) = found else {
        let message = format!("{} `{}` has no field `{}`", resource.kind(), resource.name(), var.field_path);
        let (place, what, near) = field_path::explain_missing(&resource.node, &steps);
        let error = Diagnostic::error(Code::Variable, message).at(mark);
        let error = error.label(resource.location(place), what);
        return Err(error.help(near.unwrap_or_else(|| "correct the variable's `fieldref`".to_owned())));
    };
    // A mapping or list is not a value that could be put into a text: the variable stays as it is written.
    let Some(scalar) = node.as_scalar() else {
        return Ok(Scalar::new(syntax(&var.name).into(), ScalarKind::Str));
    };
    decoded(scalar).ok_or_else(|| {
        let message = format!("the variable `{}` cannot hold this {}", var.name, node.describe());
        let error = Diagnostic::error(Code::Variable, message).at(mark);
        error.label(resource.location(node.mark), "the value is here").help("write the number in decimal")
    })
}

/// A scalar as kustomize reads it for a variable: with Go's `strconv`, which knows the numbers of YAML in decimal only, and
/// takes a leading zero for nothing more than a digit. Nothing for other numbers.
fn decoded(scalar: &Scalar) -> Option<Scalar> {
    let text = match scalar.kind {
        ScalarKind::Int => scalar.text.parse::<i64>().ok()?.to_string().into(),
        ScalarKind::Float => {
            scalar.text.parse::<f64>().ok().filter(|number| number.is_finite())?;
            scalar.text.clone()
        }
        _ => scalar.text.clone(),
    };
    Some(Scalar { text, ..scalar.clone() })
}

fn syntax(name: &str) -> String {
    format!("$({name})")
}

struct Expansion {
    values: FxHashMap<String, Scalar>,
    /// The places of variables whose marks go to what they are put into; empty unless origins are kept.
    places: FxHashMap<String, Mark>,
    used: FxHashSet<String>,
}

impl Expansion {
    /// Replaces variables in a string, or in the strings directly in a mapping or list.
    fn replace_in(&mut self, node: &mut Node, sourcing: &mut Sourcing<'_>) -> Result<()> {
        match &mut node.value {
            Value::Scalar(_) => self.replace_in_scalar(node, sourcing),
            Value::Map(map) => {
                map.iter_mut().for_each(|entry| self.replace_in_scalar(&mut entry.value, sourcing));
            }
            Value::Seq(items) => {
                for item in items {
                    match &item.value {
                        Value::Scalar(scalar) if scalar.kind == ScalarKind::Str => {
                            self.replace_in_scalar(item, sourcing);
                        }
                        _ => {
                            let message = format!(
                                "variables go into lists of strings, but this item is {}",
                                item.describe()
                            );
                            return Err(Diagnostic::error(Code::Variable, message).at(item.mark).into());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn replace_in_scalar(&mut self, node: &mut Node, sourcing: &mut Sourcing<'_>) {
        let Value::Scalar(scalar) = &mut node.value else { return };
        if scalar.kind == ScalarKind::Str && scalar.text.contains('$') {
            let expanded = self.expand(&scalar.text);
            if !self.places.is_empty() && expanded != *scalar {
                let first = self.places.iter().filter(|(name, _)| scalar.text.contains(&syntax(name)));
                let first = first.map(|(_, mark)| *mark).min_by_key(|mark| mark.offset);
                node.mark = sourcing.mark(first, node.mark);
            }
            *scalar = expanded;
        }
    }

    /// Kubernetes' syntax: `$(NAME)` is replaced, `$$` stands for `$`. A text that is one variable takes its type too.
    fn expand(&mut self, text: &str) -> Scalar {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(tail) = after.strip_prefix('$') {
                out.push('$');
                rest = tail;
            } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')'))
            {
                let value = self.value(name);
                if at == 0 && out.is_empty() && tail.is_empty() && rest.len() == text.len() {
                    return value;
                }
                out.push_str(&value.text);
                rest = tail;
            } else {
                out.push('$');
                rest = after;
            }
        }
        out.push_str(rest);
        Scalar::new(out.into(), ScalarKind::Str)
    }

    fn value(&mut self, name: &str) -> Scalar {
        let Some(value) = self.values.get(name) else {
            return Scalar::new(syntax(name).into(), ScalarKind::Str);
        };
        self.used.insert(name.to_owned());
        let plain = match value.kind {
            ScalarKind::Int => kfc_yaml::emit::integer(&value.text),
            ScalarKind::Float => kfc_yaml::emit::float(&value.text),
            ScalarKind::Bool => {
                Some(if kfc_yaml::emit::is_true(&value.text) { "true" } else { "false" }.into())
            }
            ScalarKind::Str | ScalarKind::Binary => Some(value.text.clone()),
            // The text as it is written, of any kind.
            ScalarKind::Null | ScalarKind::Timestamp => {
                return Scalar::new(value.text.clone(), ScalarKind::Str);
            }
        };
        match plain {
            Some(text) => Scalar::new(text, value.kind),
            None => Scalar::new(syntax(name).into(), ScalarKind::Str),
        }
    }
}

fn duplicate_variable(var: &Var, known: &Var) -> Diagnostic {
    Diagnostic::error(Code::Variable, format!("the variable `{}` is defined more than once", var.name))
        .at(var.mark)
        .label(known.mark, "the first one is here")
        .help("variables of all roots of a build share their names; rename one")
}

fn never_used(var: &Var) -> Diagnostic {
    let message = format!("the variable `{}` is not used", var.name);
    Diagnostic::warning(Code::Variable, message).at(var.mark)
}

fn no_target(var: &Var, set: &ResourceSet) -> Diagnostic {
    let target = &var.target;
    let message = format!(
        "the variable `{}` takes its value from {} `{}`, which does not exist",
        var.name, target.kind, target.name
    );
    let error = Diagnostic::error(Code::Variable, message).at(var.mark);
    let same_kind = set.list.iter().filter(|resource| resource.kind() == target.kind);
    let names: Vec<&str> =
        same_kind.flat_map(|r| r.previous.iter().map(|p| p.name.as_str()).chain([r.name()])).collect();
    if names.contains(&target.name.as_str()) {
        return error.help("its apiVersion or namespace differs: compare the `objref` with the resource");
    }
    match nearest(&target.name, names) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::{Expansion, Scalar};
    use kfc_yaml::ScalarKind;
    use rustc_hash::{FxHashMap, FxHashSet};

    fn expand(text: &str) -> (String, ScalarKind) {
        let scalar = |text: &str, kind| Scalar::new(text.into(), kind);
        let values = [("A", scalar("x", ScalarKind::Str)), ("N", scalar("0x10", ScalarKind::Int))];
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let expanded =
            Expansion { values, places: FxHashMap::default(), used: FxHashSet::default() }.expand(text);
        (expanded.text.to_string(), expanded.kind)
    }

    #[test]
    fn variables_expand_as_in_kubernetes() {
        let cases = [
            ("$(A)", "x", ScalarKind::Str),
            ("a$(A)b$(N)", "axb16", ScalarKind::Str),
            ("$(N)", "16", ScalarKind::Int),
            ("$$(A)", "$(A)", ScalarKind::Str),
            ("$(B) $(A", "$(B) $(A", ScalarKind::Str),
            ("$A $", "$A $", ScalarKind::Str),
        ];
        for (text, expected, kind) in cases {
            assert_eq!(expand(text), (expected.to_owned(), kind), "{text}");
        }
    }
}
