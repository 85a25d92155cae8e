//! The environment variables that Argo CD passes to a plug-in.
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#using-environment-variables-in-your-plugin>

use super::parameters::{self, Given, PARAMETERS};
use kfc_diagnostics::{Code, Diagnostic, Diagnostics, Result, nearest};

/// What Argo CD puts before the names of `plugin.env`, so that an application cannot set any other variable.
const OF_APPLICATION: &str = "ARGOCD_ENV_";
/// What our own variables start with.
const OURS: &str = "KFC_";
/// Builds kustomization roots, too, instead of leaving them to Argo CD. Set on the sidecar, it is for all applications; under
/// `plugin.env`, for one.
const KUSTOMIZE: &str = "KFC_KUSTOMIZE";

/// What is read of the environment.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The application's parameters.
    pub parameters: Vec<Given>,
    /// The cluster's version of Kubernetes, `1.32`.
    pub kubernetes: Option<String>,
    /// The cluster's version of Kubernetes as Argo CD passes it; empty when it does not.
    pub kubernetes_full: String,
    /// What the cluster serves: `apps/v1`, `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
    /// Whether kustomization roots without a lock are built, too.
    pub kustomize: bool,
    /// Warnings.
    pub warnings: Diagnostics,
}

impl Environment {
    /// Reads variables by name.
    ///
    /// # Errors
    /// Parameters that cannot be read; variables of our own that do not exist.
    pub fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let mut environment = Self::default();
        let mut errors = Diagnostics::default();
        for (name, value) in variables {
            match name.as_str() {
                PARAMETERS => {
                    environment.parameters = errors.collect(parameters::read(&value)).unwrap_or_default();
                }
                "KUBE_VERSION" if !value.is_empty() => environment.set_version(&value),
                "KUBE_API_VERSIONS" => {
                    let versions = value.split(',').map(str::trim).filter(|version| !version.is_empty());
                    environment.api_versions = versions.map(str::to_owned).collect();
                }
                KUSTOMIZE => environment.kustomize |= errors.collect(switch(&name, &value)).unwrap_or(false),
                _ => {
                    let own = name.strip_prefix(OF_APPLICATION).filter(|name| name.starts_with(OURS));
                    if own == Some(KUSTOMIZE) {
                        environment.kustomize |= errors.collect(switch(KUSTOMIZE, &value)).unwrap_or(false);
                    } else if let Some(own) = own {
                        errors.push(unknown(own));
                    }
                }
            }
        }
        errors.into_result(environment)
    }

    fn set_version(&mut self, text: &str) {
        text.clone_into(&mut self.kubernetes_full);
        self.kubernetes = minor(text);
        if self.kubernetes.is_none() {
            let message = format!("`{text}` in KUBE_VERSION is not a version of Kubernetes");
            self.warnings.push(Diagnostic::warning(Code::PluginEnvironment, message).note("it is ignored"));
        }
    }
}

/// `1.32` of `v1.32.4-gke.100`, `1.32+` or `1.32`.
fn minor(text: &str) -> Option<String> {
    let mut parts = text.trim().trim_start_matches('v').split('.');
    let major: u32 = parts.next()?.parse().ok()?;
    let minor = parts.next()?;
    let digits = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
    let minor: u32 = minor[..digits].parse().ok()?;
    (major == 1).then(|| format!("{major}.{minor}"))
}

fn switch(name: &str, value: &str) -> Result<bool> {
    match value.trim().to_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => {
            let message = format!("the variable `{name}` is `{value}`");
            Err(Diagnostic::error(Code::PluginEnvironment, message).help("expected `true` or `false`").into())
        }
    }
}

fn unknown(name: &str) -> Diagnostic {
    let error = Diagnostic::error(Code::PluginEnvironment, format!("the variable `{name}` does not exist"));
    match nearest(name, [KUSTOMIZE]) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("set values of the stack under `plugin.parameters` of the application"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, minor};

    #[test]
    fn versions_are_cut_to_their_minor() {
        let cases = [
            ("1.29", Some("1.29")),
            ("v1.30.2", Some("1.30")),
            ("1.31.1-gke.1678000", Some("1.31")),
            ("v1.28.5+k3s1", Some("1.28")),
            ("1.27+", Some("1.27")),
            ("", None),
            ("one", None),
            ("2.0", None),
        ];
        for (text, expected) in cases {
            assert_eq!(minor(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn variables_of_others_are_passed_over() {
        let variables =
            [("PATH", "/bin"), ("ARGOCD_APP_NAME", "ml"), ("ARGOCD_ENV_FOO", "1"), ("PARAM_DOMAIN", "x")];
        let read = Environment::read(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(read.is_ok_and(|environment| environment.parameters.is_empty() && !environment.kustomize));
    }
}
