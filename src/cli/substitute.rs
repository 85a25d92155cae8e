//! `kfc build --substitute`: variables in the resources of a bundle.

use clap::Args;
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, Sources};
use kfc_kustomize::provenance::{Step, StepKind};
use kfc_kustomize::resource::ResourceSet;
use kfc_kustomize::transform::substitution::{self, Variables};
use kfc_source::door;
use std::path::PathBuf;

/// Values of variables.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SubstituteArgs {
    /// Replace `${NAME}` in the resources, as Flux does after its builds. A variable without a value or a default
    /// (`${NAME:-DEFAULT}`) is an error.
    #[arg(long, value_name = "NAME=VALUE")]
    substitute: Vec<String>,
    /// Read the values of variables from a YAML file: a mapping, or a ConfigMap.
    #[arg(long, value_name = "FILE")]
    substitute_from: Vec<PathBuf>,
}

impl SubstituteArgs {
    /// Replaces the variables in a bundle, if a flag asks for it. Returns the warnings.
    ///
    /// # Errors
    /// Flags and files that cannot be read; see [`substitution::apply`].
    pub(super) fn apply(&self, set: &mut ResourceSet, sources: &Sources) -> Result<Diagnostics> {
        if self.substitute.is_empty() && self.substitute_from.is_empty() {
            return Ok(Diagnostics::default());
        }
        let variables = self.variables(sources)?;
        let step = Step::new(StepKind::Other("substitute"), None);
        let unused = substitution::apply(set.pass(&step), &variables)?;
        set.check_unique(0)?;
        let gives = |flag: &String, name: &str| flag.split_once('=').is_some_and(|(own, _)| own == name);
        let is_of_a_flag = |name: &&String| self.substitute.iter().any(|flag| gives(flag, name));
        let warning = |name: &String| {
            let message = format!("no resource has the variable `${{{name}}}` of `--substitute`");
            Diagnostic::warning(Code::Variable, message)
        };
        Ok(Diagnostics(unused.iter().filter(is_of_a_flag).map(warning).collect()))
    }

    fn variables(&self, sources: &Sources) -> Result<Variables> {
        let mut errors = Diagnostics::default();
        let mut variables = Variables::default();
        for file in &self.substitute_from {
            let read = door::read_text_of_user(file).map_err(Diagnostics::from).and_then(|text| {
                let (id, source) = sources.add(file.to_string_lossy(), text);
                let documents = kfc_yaml::parse::parse(&source.text, id)?;
                documents.iter().try_for_each(|document| variables.read(document))
            });
            errors.collect(read);
        }
        for flag in &self.substitute {
            let pair = flag.split_once('=').ok_or_else(|| {
                let message = format!("`--substitute {flag}` has no value");
                Diagnostic::error(Code::Usage, message).help("write NAME=VALUE").into()
            });
            errors.collect(pair.and_then(|(name, value)| variables.set(name, value)));
        }
        errors.into_result(variables)
    }
}
