//! A stack from the answers of a cluster, and one stack on every platform: what `kfc init --detect` writes builds, and when the
//! line `platform` changes, and no other, then secrets, TLS, exposure, identity and storage follow.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{Project, text};

/// The answers of clusters, and the profile of each.
const CLUSTERS: [(&str, &str); 8] = [
    ("aks", "azure+gpu"),
    ("eks", "aws+neuron"),
    ("gke", "gke+gpu"),
    ("k3s", "k3s+arm64"),
    ("kind", "kind"),
    ("kubeadm", "onprem+amd-gpu"),
    ("minikube", "minikube+gpu"),
    ("openshift", "openshift"),
];

fn answers(cluster: &str) -> String {
    let path = format!("tests/cases/detect-{cluster}/input");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

#[test]
fn what_init_writes_for_a_cluster_builds() {
    let project = Project::new(&[]);
    for (cluster, profile) in CLUSTERS {
        let report = project.good(&["init", "--detect-from", &answers(cluster), cluster]);
        assert!(report.starts_with(&format!("profile: {profile}\n  provider ")), "{report}");
        assert!(report.contains(&format!("wrote {cluster}/kfc.yaml\n")), "{report}");
        let detected = project.good(&["detect", "--from", &answers(cluster)]);
        assert!(report.starts_with(&detected), "{cluster}: {report}\n{detected}");
        let stack = project.read(&format!("{cluster}/kfc.yaml"));
        for line in detected.lines().skip_while(|line| *line != "present:").skip(1) {
            let Some((name, evidence)) = line.strip_prefix("  ").and_then(|line| line.split_once("  "))
            else {
                break;
            };
            assert!(stack.contains(&format!("\n  - {name}  # {evidence}\n")), "{cluster}: {stack}");
            assert!(!stack.contains(&format!("\n  - {name}  # The ")), "{cluster}: {stack}");
        }
        project.good(&["build", cluster, "--output", &format!("{cluster}.yaml")]);
        let bare = project.good(&["build", "--detect-from", &answers(cluster)]);
        let objects = |bundle: &str| bundle.matches("\nkind: ").count();
        assert_eq!(objects(&project.read(&format!("{cluster}.yaml"))), objects(&bare), "{cluster}");
    }
    let stack = project.read("kubeadm/kfc.yaml");
    let lines = "  platform: onprem+amd-gpu\n";
    let present = "\n\n  # On the cluster already: not emitted, but what they provide counts.\n  present:\n  - cert-manager  # certificates";
    let facts = "\n  # Where this cluster differs from its profile.\n  facts:\n    accelerator:\n      devicePlugin: false  # the nodes offer";
    let users = "\n\n  # `kfc list parameters` shows all.\n  parameters:\n    domain: kubeflow.example.com\n    user: user@example.com\n";
    for part in [lines, present, facts, users] {
        assert!(stack.contains(part), "{part}\nis not in\n{stack}");
    }
}

#[test]
fn init_takes_a_profile_or_detects_one() {
    let project = Project::new(&[]);
    project.good(&["init", "kind", "new"]);
    for (arguments, why) in [
        (&["init", "new"][..], "<PROFILE>"),
        (&["init", "gke", "new", "--detect"], "cannot be used with"),
        (&["init", "--detect-from", "answers"], "<FOLDER>"),
    ] {
        let output = project.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(why), "{arguments:?}: {}", text(&output.stderr));
    }
    let errors = project.bad(&["init", "--detect-from", &answers("gke"), "new"]);
    assert!(errors.contains("already exists"), "{errors}");
    project.good(&["init", "--detect-from", &answers("gke"), "new", "--force"]);
}

/// A platform, and what a stack gets there.
struct Expected {
    platform: &'static str,
    /// The type of the gateway's service.
    service: &'static str,
    /// The class of claims; the default one of the cluster when there is none.
    class: Option<&'static str>,
    /// Where pods of pipelines say who they are in the cloud.
    identity: Option<&'static str>,
    /// The kind and the host of what leads to the gateway from before it.
    before: Option<(&'static str, &'static str)>,
    /// An annotation of the service that only this platform needs.
    annotation: Option<&'static str>,
}

const fn on(platform: &'static str, service: &'static str, class: Option<&'static str>) -> Expected {
    Expected { platform, service, class, identity: None, before: None, annotation: None }
}

const PLATFORMS: [Expected; 8] = [
    on("kind", "NodePort", Some("standard")),
    on("minikube", "NodePort", Some("standard")),
    Expected {
        before: Some(("Ingress", "/spec/rules/0/host")),
        ..on("k3s", "ClusterIP", Some("local-path"))
    },
    on("onprem", "NodePort", None),
    Expected { before: Some(("Route", "/spec/host")), ..on("openshift", "ClusterIP", None) },
    Expected {
        identity: Some("iam.gke.io/gcp-service-account"),
        annotation: Some("cloud.google.com/l4-rbs"),
        ..on("gke", "LoadBalancer", Some("premium-rwo"))
    },
    Expected {
        identity: Some("eks.amazonaws.com/role-arn"),
        annotation: Some("service.beta.kubernetes.io/aws-load-balancer-scheme"),
        ..on("aws", "LoadBalancer", Some("gp3"))
    },
    Expected {
        identity: Some("azure.workload.identity/client-id"),
        ..on("azure", "LoadBalancer", Some("managed-csi-premium"))
    },
];

/// A bundle.
struct Bundle(Vec<Value>);

impl Bundle {
    fn find(&self, kind: &str, name: &str) -> Option<&Value> {
        self.0.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    }

    /// Whether a Job makes Secrets where kfc does not. Its name has a hash.
    fn makes_secrets(&self) -> bool {
        let is_job = |object: &&Value| object["kind"] == "Job";
        self.0
            .iter()
            .filter(is_job)
            .any(|job| job["metadata"]["labels"]["app.kubernetes.io/name"] == "secret-generator")
    }

    #[track_caller]
    fn get(&self, kind: &str, name: &str) -> &Value {
        self.find(kind, name).unwrap_or_else(|| panic!("there is no {kind} {name}"))
    }
}

/// Builds the one stack on a platform.
fn bundle(project: &Project, stack: &str, platform: &str) -> Bundle {
    project.write("stack/kfc.yaml", &stack.replace("PLATFORM", platform));
    Bundle(serde_json::from_str(&project.good(&["build", "stack", "--format", "json"])).unwrap())
}

/// A stack with one line for each platform.
const STACK: &str = "\
apiVersion: kfc.dev/v1alpha1
kind: Stack
metadata: {name: ml-platform}
spec:
  platform: PLATFORM
  components: [central-dashboard, dex, oauth2-proxy, pipelines, profiles]
";

#[test]
fn a_stack_moves_by_its_platform_alone() {
    let project = Project::new(&[]);
    for expected in PLATFORMS {
        let bundle = bundle(&project, STACK, expected.platform);
        let platform = expected.platform;
        let gateway = bundle.get("Service", "istio-ingressgateway");
        assert_eq!(gateway["spec"]["type"], "ClusterIP", "{platform}: nobody reaches it from outside");
        // A laptop is for a look at it; elsewhere no bundle has a password.
        let is_laptop = ["kind", "minikube", "k3s"].contains(&platform);
        assert_eq!(bundle.find("Secret", "dex-passwords").is_some(), is_laptop, "{platform}");
        assert_eq!(bundle.makes_secrets(), !is_laptop, "{platform}");
        has_storage(&bundle, &expected);
    }
}

#[test]
fn an_open_platform_moves_by_its_platform_alone() {
    let project = Project::new(&[]);
    let stack = format!(
        "{STACK}  facts: {{secrets: {{default: generated}}}}\n  parameters:\n    domain: ml.example.org\n    user: alice@example.org\n    \
         exposure: public\n    tls: {{acme: admin@example.org}}\n    cloudIdentity: somebody\n"
    );
    for expected in PLATFORMS {
        let bundle = bundle(&project, &stack, expected.platform);
        has_no_password(&bundle, &expected);
        is_reached(&bundle, &expected);
        has_certificate(&bundle, &expected);
        has_identity(&bundle, &expected);
        has_storage(&bundle, &expected);
    }
}

fn has_no_password(bundle: &Bundle, Expected { platform, .. }: &Expected) {
    for name in
        ["dex-passwords", "dex-oidc-client", "oauth2-proxy", "mysql-secret", "mlpipeline-minio-artifact"]
    {
        assert!(bundle.find("Secret", name).is_none(), "{platform} has the Secret {name}");
    }
    assert!(bundle.makes_secrets(), "{platform}");
}

fn is_reached(bundle: &Bundle, expected: &Expected) {
    let platform = expected.platform;
    let gateway = bundle.get("Service", "istio-ingressgateway");
    assert_eq!(gateway["spec"]["type"], expected.service, "{platform}");
    let annotations = &gateway["metadata"]["annotations"];
    for name in PLATFORMS.iter().filter_map(|other| other.annotation) {
        assert_eq!(
            annotations.get(name).is_some(),
            expected.annotation == Some(name),
            "{platform}: {annotations}"
        );
    }
    for (kind, host) in PLATFORMS.iter().filter_map(|other| other.before) {
        let found = bundle.find(kind, "kubeflow");
        assert_eq!(
            found.is_some(),
            expected.before.is_some_and(|(own, _)| own == kind),
            "{platform}: {kind}"
        );
        if let Some(found) = found {
            assert_eq!(found.pointer(host).unwrap(), "ml.example.org", "{platform}");
        }
    }
}

fn has_certificate(bundle: &Bundle, Expected { platform, .. }: &Expected) {
    let certificate = bundle.get("Certificate", "kubeflow-gateway");
    assert_eq!(certificate["spec"]["dnsNames"][0], "ml.example.org", "{platform}");
    assert_eq!(bundle.get("ClusterIssuer", "kubeflow-acme")["spec"]["acme"]["email"], "admin@example.org");
    let secret = certificate["spec"]["secretName"].clone();
    let server = &bundle.get("Gateway", "kubeflow-gateway")["spec"]["servers"][0];
    if *platform == "k3s" {
        // Traefik has the certificate, and the gateway none.
        assert_eq!(bundle.get("Ingress", "kubeflow")["spec"]["tls"][0]["secretName"], secret, "{platform}");
        assert_eq!(server["port"]["protocol"], "HTTP", "{platform}");
    } else {
        assert_eq!(server["port"]["protocol"], "HTTPS", "{platform}");
        assert_eq!(server["tls"]["credentialName"], secret, "{platform}");
    }
}

fn has_identity(bundle: &Bundle, expected: &Expected) {
    let platform = expected.platform;
    let dex = bundle.get("ConfigMap", "dex")["data"]["config.yaml"].as_str().unwrap();
    assert!(dex.contains("issuer: https://ml.example.org/dex\n"), "{platform}: {dex}");
    assert!(dex.contains("alice@example.org"), "{platform}: {dex}");
    let account = &bundle.get("ServiceAccount", "ml-pipeline")["metadata"]["annotations"];
    for name in PLATFORMS.iter().filter_map(|other| other.identity) {
        let is_own = expected.identity == Some(name);
        assert_eq!(account[name] == "somebody", is_own, "{platform}: {account}");
    }
}

fn has_storage(bundle: &Bundle, Expected { platform, class, .. }: &Expected) {
    let claims: Vec<&Value> =
        bundle.0.iter().filter(|object| object["kind"] == "PersistentVolumeClaim").collect();
    assert!(!claims.is_empty(), "{platform}");
    for claim in claims {
        assert_eq!(claim["spec"]["storageClassName"].as_str(), *class, "{platform}: {claim}");
    }
}

/// All platforms of the catalogue that are one by themselves are among those.
#[test]
fn every_platform_is_tried() {
    let directory: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("platforms");
    let mut platforms: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if std::fs::read_to_string(&path).unwrap().contains("\n  role: platform\n") {
            platforms.push(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    platforms.sort();
    let mut tried: Vec<&str> = PLATFORMS.iter().map(|expected| expected.platform).collect();
    tried.sort_unstable();
    assert_eq!(platforms, tried);
}
