//! The configuration of an `IAMPolicyGenerator`.

/// Which service accounts an `IAMPolicyGenerator` links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IamPolicyArgs {
    /// The cloud; only `gke` exists.
    pub cloud: String,
    /// Project of the cluster.
    pub project_id: String,
    /// Namespace of the Kubernetes service account.
    pub kubernetes_namespace: String,
    /// Name of the Kubernetes service account.
    pub kubernetes_name: String,
    /// Name of the Google service account.
    pub account_name: String,
    /// Project of the Google service account.
    pub account_project: String,
}
