//! What the error of a failed connection may contain: never the content of a kubeconfig, nor what an authentication program
//! was given or printed.

use kfc_diagnostics::Foreign;
use kube::client::AuthError;
use kube::config::KubeconfigError;
use std::error::Error;

/// An error with those below it, each said once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut next = Some(error);
    while let Some(one) = next {
        if let Some(words) = guarded(one) {
            return words;
        }
        next = one.source();
    }
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(below) = next {
        let words = below.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = below.source();
    }
    Foreign::new(text).message()
}

/// Our words for errors whose own may quote a secret.
fn guarded(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<KubeconfigError>() {
        return of_kubeconfig(error);
    }
    if let Some(kube::Error::Auth(error)) = error.downcast_ref::<kube::Error>() {
        return Some(of_sign_in(error));
    }
    error.downcast_ref::<AuthError>().map(of_sign_in)
}

fn of_kubeconfig(error: &KubeconfigError) -> Option<String> {
    match error {
        KubeconfigError::Parse(error) => {
            let place = error.location();
            let place = place.map(|at| format!(", line {}, column {}", at.line(), at.column()));
            Some(format!("the kubeconfig is not valid{}", place.unwrap_or_default()))
        }
        KubeconfigError::ParseClusterUrl(_) => Some("the address of the server is not a URL".to_owned()),
        KubeconfigError::ParseProxyUrl(_) => Some("the address of the proxy is not a URL".to_owned()),
        KubeconfigError::ParseCertificates(_) => {
            Some("the certificates of the kubeconfig are not in PEM".to_owned())
        }
        _ => None,
    }
}

fn of_sign_in(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { out, .. } => {
            format!("the authentication program failed with {}", out.status)
        }
        AuthError::AuthExecStart(error) => format!("the authentication program cannot be run: {error}"),
        AuthError::AuthExecParse(_) => {
            "the authentication program did not print an ExecCredential".to_owned()
        }
        AuthError::AuthExec(_) => "the authentication program failed".to_owned(),
        AuthError::ParseTokenKey(_) => "the answer of the authentication program has no token".to_owned(),
        AuthError::InvalidBasicAuth(_) => "user and password cannot be sent in a header".to_owned(),
        AuthError::InvalidBearerToken(_) => "the token cannot be sent in a header".to_owned(),
        other => Foreign::new(other.to_string()).message(),
    }
}

#[cfg(test)]
mod tests {
    use super::chain;
    use kube::config::Kubeconfig;

    #[test]
    fn a_kubeconfig_that_cannot_be_read_is_not_quoted() {
        for text in [
            "users:\n- name: a\n  user: {token: PLANTED: x}\n",
            "users: PLANTED\n",
            "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: [PLANTED]\n",
            "users:\n- name: a\n  user:\n    exec: PLANTED\n",
        ] {
            let error = Kubeconfig::from_yaml(text).unwrap_err();
            let words = chain(&error);
            assert!(!words.contains("PLANTED") && words.contains("line"), "{words}");
        }
    }
}
