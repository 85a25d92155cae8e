//! What a check found: a diagnostic, and the resource and field that it is about.

use super::path::{Path, with_path_of};
use kfc_diagnostics::address::without_credentials;
use kfc_diagnostics::{Code, Diagnostic, Mark, Severity};
use kfc_kube::redaction::message;
use kfc_kube::{Object, ObjectId};
use kfc_yaml::Node;

/// One error, warning or note about a resource.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The resource, `Deployment shop/web`; none for what is about the whole bundle.
    pub subject: Option<ObjectId>,
    /// The field in it, `spec.replicas`; empty for the resource itself.
    pub path: String,
    /// What is wrong.
    pub diagnostic: Diagnostic,
    /// Whether the source line may hold a secret, so that it must not be shown.
    pub secret: bool,
}

impl Finding {
    /// What is wrong with a whole bundle.
    #[must_use]
    pub fn of_bundle(diagnostic: Diagnostic) -> Self {
        Self { subject: None, path: String::new(), diagnostic, secret: false }
    }

    /// Whether it is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.diagnostic.severity == Severity::Error
    }
}

/// Collects what the checks of one resource find.
#[derive(Debug)]
pub(super) struct Findings<'r> {
    resource: &'r Object,
    /// What was found so far.
    pub(super) list: Vec<Finding>,
}

impl<'r> Findings<'r> {
    /// No findings for a resource.
    #[must_use]
    pub(super) fn of(resource: &'r Object) -> Self {
        Self { resource, list: Vec::new() }
    }

    /// No findings for the same resource.
    #[must_use]
    pub(super) fn empty(&self) -> Self {
        Self::of(self.resource)
    }

    /// Adds an error at a field.
    pub(super) fn error(
        &mut self,
        code: Code,
        path: &Path<'_>,
        mark: Option<Mark>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(path, Diagnostic::error(code, message).at(mark))
    }

    /// Adds a warning at a field.
    pub(super) fn warning(
        &mut self,
        code: Code,
        path: &Path<'_>,
        mark: Option<Mark>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(path, Diagnostic::warning(code, message).at(mark))
    }

    /// Adds an error at a node of the resource.
    pub(super) fn error_at(
        &mut self,
        code: Code,
        node: &Node,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push_at(node, Diagnostic::error(code, message))
    }

    /// Adds a warning at a node of the resource.
    pub(super) fn warning_at(
        &mut self,
        code: Code,
        node: &Node,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push_at(node, Diagnostic::warning(code, message))
    }

    /// Adds a note at a node of the resource.
    pub(super) fn info_at(&mut self, code: Code, node: &Node, message: impl Into<String>) -> &mut Diagnostic {
        self.push_at(node, Diagnostic::info(code, message))
    }

    fn push_at(&mut self, node: &Node, diagnostic: Diagnostic) -> &mut Diagnostic {
        let diagnostic = diagnostic.at(node.mark.known().or(self.resource.mark()));
        let resource = self.resource;
        with_path_of(&resource.node, node, &mut |path| {
            self.push(path, diagnostic.clone());
        });
        let last = self.list.len() - 1;
        &mut self.list[last].diagnostic
    }

    /// Adds a finding; gives its diagnostic for a suggestion to be added.
    pub(super) fn push(&mut self, path: &Path<'_>, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.push_text(&path.to_string(), diagnostic)
    }

    /// Adds a finding at a path that is written already.
    pub(super) fn push_text(&mut self, path: &str, diagnostic: Diagnostic) -> &mut Diagnostic {
        let is_secret = kfc_kube::redaction::is_secret(self.resource.kind());
        let names: Vec<&str> = path.splitn(3, '.').collect();
        let is_open = path.is_empty() || path == "metadata" || kfc_kube::redaction::object::is_open(&names);
        self.list.push(Finding {
            subject: Some(ObjectId::of(self.resource, "")),
            path: without_credentials(path).into_owned(),
            diagnostic: if is_secret {
                message::in_secret(diagnostic, &self.resource.node)
            } else {
                diagnostic
            },
            secret: is_secret && !is_open,
        });
        let last = self.list.len() - 1;
        &mut self.list[last].diagnostic
    }
}
