//! The built-in catalogue as a whole: every component on every platform, and nothing in it that has no effect.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by a panic")]

mod setting;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kfc_catalogue::assemble::{assemble, known_credentials};
use kfc_catalogue::catalogue::{Component, DEFAULTS, Parameter, SecretKey, Setter, Stack};
use kfc_catalogue::golden;
use kfc_catalogue::resolve::{Expression, Name, names_in, touches};
use kfc_catalogue::resolve::{Plan, resolve};
use kfc_diagnostics::Code;
use kfc_kustomize::resource::Resource;
use kfc_yaml::emit::emit_at;
use kfc_yaml::value::to_json;
use kfc_yaml::{Map, Node, Spanned};
use rayon::prelude::*;
use serde_json::Value;
use setting::{Setting, setting, shown};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Components that stand for one another: at most one of each line can take part.
const CHOICES: [&[&str]; 3] = [
    &["mysql", "cloud-sql", "rds", "azure-mysql"],
    &["seaweedfs", "gcs", "s3", "azure-blob"],
    &["dex", "external-issuer"],
];

/// All components but the device plug-ins, which the profile decides on, and those that stand for another.
fn everything(setting: &Setting) -> Vec<String> {
    let choices: Vec<&str> = CHOICES.iter().flat_map(|choice| choice.iter().copied()).collect();
    let is_meant = |component: &&Component| {
        let name = component.name.value.as_str();
        !choices.contains(&name) && !component.provides.iter().any(|c| c.value == "accelerator-device-plugin")
    };
    setting.catalogue.components.values().filter(is_meant).map(|c| c.name.value.clone()).collect()
}

/// `.ci/run` validates them on every profile, with the program that is shipped.
#[test]
fn all_components_fit_together() {
    let setting = setting();
    assert!(everything(&setting).len() > 30, "only {} components", everything(&setting).len());
    let is_meant = |name: &str| ["onprem", "openshift+gpu"].contains(&name);
    let bundles: Vec<_> = everything_everywhere().iter().filter(|(name, _)| is_meant(name)).collect();
    assert_eq!(bundles.len(), 2);
    bundles.par_iter().for_each(|(profile, resources)| setting.check(profile, resources));
}

/// `.ci/run` builds each alone on every profile, with the program that is shipped.
#[test]
fn every_component_builds_alone() {
    let setting = setting();
    everything(&setting).par_iter().for_each(|name| {
        let resources = setting.resources(&Stack::of_profile("onprem").with_components([name]));
        setting.check(name, &resources);
    });
}

/// The emitter copies the text of schemas; a step that reads one parses the text.
#[test]
fn schemas_of_crds_are_written_as_the_emitter_writes_them() {
    let setting = setting();
    let resources = setting.resources(&Stack::of_profile("onprem").with_components(everything(&setting)));
    let definitions = resources.iter().filter(|resource| resource.kind() == "CustomResourceDefinition");
    let versions = definitions.flat_map(|crd| crd.node.at(&["spec", "versions"]).unwrap().as_seq().unwrap());
    let mut count = 0;
    for version in versions {
        let schema = version.at(&["schema", "openAPIV3Schema"]).and_then(Node::as_map).unwrap();
        let form = schema.as_deferred().expect("a schema of the catalogue is in the notation");
        let own: Map = schema.iter().cloned().collect();
        let mut emitted = Vec::new();
        emit_at(&own, form.column(), &mut emitted).unwrap();
        assert!(emitted == form.text(), "{}", String::from_utf8_lossy(&emitted));
        count += 1;
    }
    assert!(count > 100, "{count}");
}

/// The profiles that have a golden.
fn profiles() -> Vec<String> {
    let profiles = golden::names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"));
    assert!(profiles.len() >= 20, "only {} profiles", profiles.len());
    profiles
}

/// The stack with values for the parameters that have no default.
fn with_what_must_be_set(stack: Stack) -> Stack {
    let text = "
        cloud-sql: {instance: 'project:region:name'}
        rds: {host: db.example.com}
        azure-mysql: {host: db.example.com}
        azure-blob: {account: example}
        external-issuer: {issuer: 'https://login.example.com'}
        cloudIdentity: someone
        dex: {users: [{email: bob@example.org, passwordHash: $2y$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234}]}
        tls: {acme: admin@example.org}
        exposure: public";
    let parameters = kfc_yaml::parse::parse(text, kfc_diagnostics::SourceId::NONE).unwrap().remove(0);
    Stack { parameters, ..stack }
}

/// Builds a stack; nothing where a component does not support the platform, which is said by name.
fn build_where_supported(setting: &Setting, what: &str, stack: &Stack) -> bool {
    let plan = match resolve(&setting.catalogue, stack) {
        Ok(plan) => plan,
        Err(errors) => {
            let is_reason = errors.0.iter().all(|error| error.code == Code::Unsupported);
            assert!(is_reason, "{what}: {}", shown(&errors, &setting.sources));
            return false;
        }
    };
    if let Err(errors) = assemble(&plan, stack, &setting.loader) {
        panic!("{what}: {}", shown(&errors, &setting.sources));
    }
    true
}

/// `.ci/run` leaves out each on every profile, with the program that is shipped.
#[test]
fn every_component_may_be_on_the_cluster_already() {
    let setting = setting();
    let profile = "openshift+gpu";
    let plan = resolve(&setting.catalogue, &Stack::of_profile(profile)).unwrap();
    let names: Vec<String> = plan.components.iter().map(|planned| planned.name().to_owned()).collect();
    names.par_iter().for_each(|name| {
        let mut stack = Stack::of_profile(profile);
        stack.present = Stack::of_profile(profile).with_components([name]).components.unwrap_or_default();
        build_where_supported(&setting, &format!("{profile}, {name} present"), &stack);
    });
}

/// The resources of all components on every profile; built once for all tests that ask something of them.
fn everything_everywhere() -> &'static [(String, Vec<Resource>)] {
    static BUNDLES: OnceLock<Vec<(String, Vec<Resource>)>> = OnceLock::new();
    BUNDLES.get_or_init(|| {
        let setting = setting();
        let all = everything(&setting);
        let build = |profile: &String| {
            let resources = setting.resources(&Stack::of_profile(profile).with_components(&all));
            (profile.clone(), resources)
        };
        profiles().par_iter().map(build).collect()
    })
}

/// A resource as JSON, but for the schemas of a CRD, which are most of a bundle.
fn without_schemas(resource: &Resource) -> Value {
    let mut node = resource.node.clone();
    if resource.kind() == "CustomResourceDefinition" {
        node.get_mut("spec").and_then(Node::as_map_mut).and_then(|spec| spec.remove("versions"));
    }
    to_json(&node)
}

#[test]
fn every_setter_selects_something_somewhere() {
    let setting = setting();
    let mut others = Vec::new();
    for (profile, name) in [
        ("gke", "cloud-sql"),
        ("gke", "gcs"),
        ("aws", "rds"),
        ("aws", "s3"),
        ("azure", "azure-mysql"),
        ("azure", "azure-blob"),
        ("onprem", "external-issuer"),
        ("openshift", "istio"),
        ("k3s", "istio"),
        ("gke", "oauth2-proxy"),
        ("onprem+gpu", "gpu-device-plugin"),
        ("onprem+amd-gpu", "amd-gpu-device-plugin"),
        ("aws+neuron", "neuron-device-plugin"),
    ] {
        let stack = with_what_must_be_set(Stack::of_profile(profile).with_components([name]));
        others.extend(setting.resources(&stack));
    }
    let found = |setter: &Setter| {
        let mut lists = everything_everywhere().iter().map(|(_, list)| list).chain([&others]);
        lists.any(|list| list.iter().any(|resource| setter.selects(resource)))
    };
    let idle = |setter: &&Spanned<Setter>| !found(setter);
    let catalogue = &setting.catalogue;
    let of_overlays = catalogue.overlays.values().map(|overlay| (&overlay.name.value, &overlay.set));
    let of_components =
        catalogue.components.values().map(|component| (&component.name.value, &component.set));
    for (owner, setters) in of_overlays.chain(of_components) {
        let found: Vec<String> = setters
            .iter()
            .filter(idle)
            .map(|s| {
                let select = &s.select;
                format!("{:?} {:?} at {}", select.kind, select.name, s.path.value)
            })
            .collect();
        assert!(found.is_empty(), "setters of {owner} that never select anything: {found:?}");
    }
}

#[test]
fn what_controllers_own_is_left_to_them() {
    for (profile, resources) in everything_everywhere() {
        let objects: Vec<Value> = resources.iter().map(without_schemas).collect();
        let name_of =
            |object: &Value| format!("{profile}: {} {}", object["kind"], object["metadata"]["name"]);
        let scaled: BTreeSet<(String, String)> = objects
            .iter()
            .filter(|object| object["kind"] == "HorizontalPodAutoscaler")
            .map(|hpa| {
                let target = &hpa["spec"]["scaleTargetRef"];
                (hpa["metadata"]["namespace"].to_string(), format!("{}/{}", target["kind"], target["name"]))
            })
            .collect();
        assert!(scaled.len() >= 5, "{profile} has {} autoscalers", scaled.len());
        for object in &objects {
            if object.get("aggregationRule").is_some() {
                assert!(object.get("rules").is_none(), "{} has rules", name_of(object));
            }
            // Whoever signs the certificates of webhooks, conversions and API services puts the authority there.
            let kind = object["kind"].as_str().unwrap_or_default();
            if kind.ends_with("WebhookConfiguration")
                || kind == "CustomResourceDefinition"
                || kind == "APIService"
            {
                assert!(!object.to_string().contains("\"caBundle\""), "{} has a caBundle", name_of(object));
            }
            // An empty map is claimed by whoever applies it, again after each change of the controller that fills it.
            let is_empty = |field: &str| object[field].as_object().is_some_and(serde_json::Map::is_empty);
            assert!(!is_empty("data") && !is_empty("stringData"), "{} has empty data", name_of(object));
            let id = (
                object["metadata"]["namespace"].to_string(),
                format!("{}/{}", object["kind"], object["metadata"]["name"]),
            );
            if scaled.contains(&id) {
                assert!(object["spec"].get("replicas").is_none(), "{} has replicas", name_of(object));
            }
            if object["metadata"]["name"] == "istio-validator-istio-system" {
                assert!(object["webhooks"][0].get("failurePolicy").is_none(), "istiod sets failurePolicy");
            }
        }
    }
}

/// Whether every label of a selector is on a pod.
fn matches(selector: &Value, labels: &Value) -> bool {
    let selector = selector.as_object();
    selector.is_some_and(|selector| {
        !selector.is_empty() && selector.iter().all(|(k, v)| labels.get(k) == Some(v))
    })
}

#[test]
fn services_workloads_and_budgets_select_the_pods_of_one_workload() {
    for (profile, resources) in everything_everywhere() {
        let objects: Vec<Value> = resources.iter().map(without_schemas).collect();
        let mut pods: BTreeMap<String, Vec<(String, &Value)>> = BTreeMap::new();
        for object in &objects {
            if let labels @ Value::Object(_) = &object["spec"]["template"]["metadata"]["labels"] {
                let name = format!("{}/{}", object["kind"], object["metadata"]["name"]);
                pods.entry(object["metadata"]["namespace"].to_string()).or_default().push((name, labels));
            }
        }
        for object in &objects {
            let selector = match object["kind"].as_str().unwrap_or_default() {
                "Service" => &object["spec"]["selector"],
                "Deployment" | "StatefulSet" | "DaemonSet" | "PodDisruptionBudget" => {
                    &object["spec"]["selector"]["matchLabels"]
                }
                _ => continue,
            };
            let beside =
                pods.get(&object["metadata"]["namespace"].to_string()).map_or(&[][..], Vec::as_slice);
            let selected: Vec<&String> =
                beside.iter().filter(|(_, labels)| matches(selector, labels)).map(|(name, _)| name).collect();
            assert!(
                selected.len() <= 1,
                "{profile}: {} {} selects the pods of {selected:?}",
                object["kind"],
                object["metadata"]["name"]
            );
        }
    }
}

/// The object of a kind and name in a bundle.
fn object(resources: &[Resource], kind: &str, name: &str) -> Value {
    let found = resources.iter().find(|resource| resource.kind() == kind && resource.name() == name);
    to_json(&found.unwrap_or_else(|| panic!("there is no {kind} {name}")).node)
}

#[test]
fn definitions_of_protected_groups_say_who_approved_them() {
    let setting = setting();
    let resources = setting.resources(&Stack::of_profile("onprem").with_components(everything(&setting)));
    let mut protected = 0;
    for resource in resources.iter().filter(|resource| resource.kind() == "CustomResourceDefinition") {
        let definition = to_json(&resource.node);
        let group = definition["spec"]["group"].as_str().unwrap_or_default();
        // The API server refuses them otherwise; `x-k8s.io` is free.
        if group.ends_with(".k8s.io") || group.ends_with(".kubernetes.io") {
            let approval = &definition["metadata"]["annotations"]["api-approved.kubernetes.io"];
            let approval = approval.as_str().unwrap_or_default();
            let is_accepted = approval.starts_with("https://") || approval.starts_with("unapproved");
            assert!(is_accepted, "{} is approved by {approval:?}", resource.name());
            protected += 1;
        }
    }
    assert_eq!(protected, 7);
}

#[test]
fn the_managers_of_training_find_what_they_insist_on() {
    let setting = setting();
    let resources = setting.resources(&Stack::of_profile("onprem").with_components(["trainer"]));
    let config = object(&resources, "ConfigMap", "kubeflow-trainer-config");
    let text = config["data"]["controller_manager_config.yaml"].as_str().unwrap().to_owned();
    let config = kfc_yaml::parse::parse(&text, kfc_diagnostics::SourceId::NONE).unwrap().remove(0);
    for (field, value) in [("leaseDuration", "15s"), ("renewDeadline", "10s"), ("retryPeriod", "2s")] {
        assert_eq!(config.at(&["leaderElection", field]).and_then(Node::as_text), Some(value), "{field}");
    }
    let mut runtimes = 0;
    for resource in resources.iter().filter(|resource| resource.kind() == "ClusterTrainingRuntime") {
        let runtime = to_json(&resource.node);
        for job in runtime["spec"]["template"]["spec"]["replicatedJobs"].as_array().unwrap() {
            // Trainer's webhook: "always must be 1".
            assert_eq!(job["replicas"], 1, "{} of {}", job["name"], resource.name());
        }
        runtimes += 1;
    }
    assert_eq!(runtimes, 8);
    let properties = |name: &str, path: &str| {
        let definition = object(&resources, "CustomResourceDefinition", name);
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        schema.pointer(path).cloned().unwrap_or_default()
    };
    let jobs = "/properties/spec/properties/replicatedJobs/items/properties";
    let nested = format!("/properties/spec/properties/template{jobs}");
    for (name, path) in [
        ("jobsets.jobset.x-k8s.io", jobs),
        ("clustertrainingruntimes.trainer.kubeflow.org", &nested),
        ("trainingruntimes.trainer.kubeflow.org", &nested),
    ] {
        let jobs = properties(name, path);
        assert_eq!(
            (&jobs["groupName"]["default"], &jobs["replicas"]["default"]),
            (&"default".into(), &1.into())
        );
    }
    let reference =
        properties("trainjobs.trainer.kubeflow.org", "/properties/spec/properties/runtimeRef/properties");
    assert_eq!(reference["apiGroup"]["default"], "trainer.kubeflow.org");
    assert_eq!(reference["kind"]["default"], "ClusterTrainingRuntime");
}

#[test]
fn sidecars_fit_namespaces_that_are_restricted() {
    let setting = setting();
    let resources = setting.resources(&Stack::of_profile("onprem").with_components(["istio"]));
    let injector = object(&resources, "ConfigMap", "istio-sidecar-injector");
    let config = injector["data"]["config"].as_str().unwrap();
    let config = kfc_yaml::parse::parse(config, kfc_diagnostics::SourceId::NONE).unwrap().remove(0);
    let template = config.at(&["templates", "sidecar"]).and_then(Node::as_str).unwrap();
    let containers: Vec<&str> = template.split("- name: istio-").skip(1).collect();
    let guarded = |name: &str| {
        let text = containers.iter().find(|text| text.starts_with(name)).unwrap();
        let guards = ["seccompProfile: {type: RuntimeDefault}", "runAsNonRoot: true", "drop: [ALL]"];
        guards.iter().all(|guard| text.contains(guard))
    };
    assert!(guarded("validation") && guarded("proxy"));
}

/// What upstream's templates do, too; ours were compared with theirs in istio's own injector.
#[test]
fn every_way_into_the_mesh_has_a_template() {
    let setting = setting();
    let resources = setting.resources(&Stack::of_profile("onprem").with_components(["istio"]));
    let injector = object(&resources, "ConfigMap", "istio-sidecar-injector");
    let config = injector["data"]["config"].as_str().unwrap();
    let config = kfc_yaml::parse::parse(config, kfc_diagnostics::SourceId::NONE).unwrap().remove(0);
    let template = |name: &str| config.at(&["templates", name]).and_then(Node::as_str).unwrap().to_owned();
    let sidecar = template("sidecar");
    for part in [
        "sidecar.istio.io/proxyCPU`",
        "sidecar.istio.io/proxyMemory`",
        "sidecar.istio.io/proxyCPULimit`",
        "sidecar.istio.io/proxyMemoryLimit`",
        "traffic.sidecar.istio.io/excludeOutboundPorts`",
        "POST, drain]",
        "app.kubernetes.io/name`",
    ] {
        assert!(sidecar.contains(part), "the sidecar's template has no {part}");
    }
    assert!(!sidecar.contains("fsGroup"), "the group of a pod's files is the pod's own choice");
    for (name, kind) in [
        ("gateway", "router"),
        ("grpc-simple", "GRPC_XDS_BOOTSTRAP"),
        ("waypoint", "- waypoint"),
        ("kube-gateway", "- router"),
    ] {
        assert!(template(name).contains(kind), "{name} has no {kind}");
    }
}

#[test]
fn the_services_of_clouds_and_an_issuer_of_ones_own_build() {
    let cases: [&[&str]; 6] = [
        &[
            "gke+managed",
            "cloud-sql.instance=project:region:name",
            "cloud-sql.password=of-the-database",
            "gcs.accessKey=name-of-the-key",
            "gcs.secretKey=secret-of-the-key",
            "cloudIdentity=kfc@project.iam.gserviceaccount.com",
        ],
        &[
            "aws+managed",
            "rds.host=db.example.com",
            "rds.password=of-the-database",
            "s3.region=eu-west-1",
            "s3.accessKey=name-of-the-key",
            "s3.secretKey=secret-of-the-key",
            "cloudIdentity=arn:aws:iam::1:role/kfc",
        ],
        &[
            "azure+managed",
            "azure-mysql.host=db.example.com",
            "azure-mysql.password=of-the-database",
            "azure-blob.account=example",
            "azure-blob.accountKey=key-of-the-account",
            "cloudIdentity=0-0-0-0",
        ],
        &[
            "onprem",
            "facts.services.issuer=external",
            "external-issuer.issuer=https://login.example.com",
            "oidcClientSecret=shared-with-the-issuer",
            "oauth2-proxy.cookieSecret=cookies-are-encrypted-with-this-",
        ],
        &[
            "onprem",
            "facts.services.issuer=external",
            "external-issuer.issuer=https://login.example.com",
            "external-issuer.emailClaim=preferred_username",
            "external-issuer.groupsClaim=roles",
            "oidcClientSecret=shared-with-the-issuer",
        ],
        &["onprem", "pipelines.bucket=ml", "seaweedfs.bucket=ml", "user=a@b.c"],
    ];
    for case in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
        command.args(["build", case[0]]);
        for setting in &case[1..] {
            command.args(["--set", setting]);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{case:?}: {}", String::from_utf8_lossy(&output.stderr));
        let bundle = String::from_utf8(output.stdout).unwrap();
        for value in case[1..].iter().filter_map(|setting| setting.split_once('=')) {
            // Secrets have their values in base64.
            let lands = value.0.starts_with("facts.")
                || bundle.contains(value.1)
                || bundle.contains(&STANDARD.encode(value.1));
            assert!(lands, "{case:?}: `{}` is nowhere in the bundle", value.1);
        }
    }
}

/// A stack with parameters as a user writes them.
fn stack_with(profile: &str, parameters: &str) -> Stack {
    let parsed = kfc_yaml::parse::parse(parameters, kfc_diagnostics::SourceId::NONE).unwrap().remove(0);
    Stack { parameters: parsed, ..Stack::of_profile(profile) }
}

/// What is said of the credentials of a stack: as an error, or as a warning, or nothing.
fn said_of_credentials(setting: &Setting, stack: &Stack) -> Result<String, String> {
    let plan =
        resolve(&setting.catalogue, stack).unwrap_or_else(|e| panic!("{}", shown(&e, &setting.sources)));
    let resources = assemble(&plan, stack, &setting.loader).unwrap().bundle.resources.list;
    let text = |found| shown(&found, &setting.sources);
    known_credentials(&plan, &resources).map(text).map_err(text)
}

/// All credentials of a bundle whose services are in the cluster, replaced.
const OWN: &str = "
    oidcClientSecret: of-ones-own-client-secret
    dex: {passwordHash: $2y$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234}
    oauth2-proxy: {cookieSecret: of-ones-own-cookie-secret-123456}
    mysql: {password: of-ones-own-mysql}
    seaweedfs: {secretKey: of-ones-own-seaweedfs}
    katib: {databasePassword: of-ones-own-katib}
    model-registry: {databasePassword: of-ones-own-registry}
";

#[test]
fn known_credentials_are_announced_until_they_are_changed() {
    let setting = setting();
    let said = said_of_credentials(&setting, &Stack::of_profile("kind")).unwrap();
    for parameter in [
        "mysql.password",
        "seaweedfs.secretKey",
        "dex.passwordHash",
        "oidcClientSecret",
        "katib.databasePassword",
        "model-registry.databasePassword",
        "oauth2-proxy.cookieSecret",
    ] {
        assert!(said.contains(&format!("`--set {parameter}=VALUE`")), "{parameter}: {said}");
    }
    assert!(said.contains("(Secrets auth/dex-oidc-client, oauth2-proxy/oauth2-proxy)"), "{said}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/login.md");
    let page = std::fs::read_to_string(page).unwrap();
    let plan = resolve(&setting.catalogue, &Stack::of_profile("onprem")).unwrap();
    assert_eq!(plan.published.len(), 7);
    for parameter in &plan.published {
        assert!(
            page.contains(&format!("| `{}` |", parameter.name)),
            "docs/login.md lacks {}",
            parameter.name
        );
    }
    assert!(!said.contains("change-me") && !said.contains("$2y$"), "{said}");
    let but_mysql = OWN.replace("    mysql:", "    #");
    assert_eq!(said_of_credentials(&setting, &stack_with("kind", OWN)).unwrap(), "");
    let some = said_of_credentials(&setting, &stack_with("kind", &but_mysql)).unwrap();
    assert!(
        some.contains("this bundle has a published credential") && some.contains("mysql.password"),
        "{some}"
    );
    // Elsewhere, kfc makes what is not set. What cannot be made, or comes with what is set, has to be set.
    for parameters in ["{}", OWN, &but_mysql] {
        assert_eq!(said_of_credentials(&setting, &stack_with("onprem", parameters)).unwrap(), "");
    }
    let half = stack_with("onprem", "oidcClientSecret: of-ones-own-client-secret");
    let half = said_of_credentials(&setting, &half).unwrap_err();
    assert!(half.contains("`--set oauth2-proxy.cookieSecret=VALUE`") && !half.contains("mysql"), "{half}");
    let managed = with_what_must_be_set(Stack::of_profile("aws+managed"));
    let managed = said_of_credentials(&setting, &managed).unwrap_err();
    assert!(managed.contains("`--set rds.password=VALUE`") && !managed.contains("katib"), "{managed}");
}

#[test]
fn a_credential_that_is_changed_is_changed_everywhere() {
    let setting = setting();
    let resources = setting.resources(&stack_with("onprem", OWN));
    let text: String = resources.iter().map(|resource| to_json(&resource.node).to_string()).collect();
    assert!(
        !text.contains("change-me")
            && !text.contains("4K/VkmDd1q1Orb3xAt82zu8gk7Ad6ReFR4LCP9UeYE90NLiN9Df72")
    );
    let secret = |name: &str, key: &str| object(&resources, "Secret", name)["data"][key].clone();
    let secret = |name: &str, key: &str| {
        let decoded = STANDARD.decode(secret(name, key).as_str().unwrap()).unwrap();
        String::from_utf8(decoded).unwrap()
    };
    assert_eq!(secret("dex-oidc-client", "OIDC_CLIENT_SECRET"), "of-ones-own-client-secret");
    assert_eq!(secret("oauth2-proxy", "client-secret"), "of-ones-own-client-secret");
    assert_eq!(secret("oauth2-proxy", "cookie-secret"), "of-ones-own-cookie-secret-123456");
    assert_eq!(secret("mysql-secret", "password"), "of-ones-own-mysql");
    assert_eq!(secret("katib-mysql-secrets", "MYSQL_ROOT_PASSWORD"), "of-ones-own-katib");
    assert_eq!(secret("model-registry-db-secrets", "MYSQL_ROOT_PASSWORD"), "of-ones-own-registry");
    assert_eq!(secret("mlpipeline-minio-artifact", "secretkey"), "of-ones-own-seaweedfs");
}

#[test]
fn every_credential_in_a_secret_has_a_parameter() {
    /// Keys whose values name something, and open nothing.
    const NAMES: [&str; 8] = [
        "client-id",
        "OIDC_CLIENT_ID",
        "username",
        "MYSQL_USER_NAME",
        "POSTGRES_USER",
        "account",
        ".dockerconfigjson",
        "accesskey",
    ];
    let setting = setting();
    let catalogue = &setting.catalogue;
    let global = &catalogue.layers[DEFAULTS].parameters;
    let mut credentials = 0;
    for component in catalogue.components.values() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bases").join(&component.name.value);
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let documents = kfc_yaml::parse::parse(&text, kfc_diagnostics::SourceId::NONE).unwrap();
            for secret in documents.iter().map(to_json).filter(|object| object["kind"] == "Secret") {
                assert!(secret["data"].as_object().is_none_or(serde_json::Map::is_empty), "{secret}");
                for (key, _) in secret["stringData"].as_object().into_iter().flatten() {
                    if NAMES.contains(&key.as_str()) {
                        continue;
                    }
                    let name = secret["metadata"]["name"].as_str().unwrap();
                    let sets = |setter: &&Spanned<Setter>| {
                        setter.select.kind.as_deref() == Some("Secret")
                            && setter.select.name.as_deref() == Some(name)
                            && setter.path.value == format!("stringData.{key}")
                    };
                    let setter = component.set.iter().find(sets);
                    let value = setter.and_then(|setter| setter.new_value.as_str()).unwrap_or_default();
                    let parameters = component.parameters.iter().chain(global);
                    let is_published = parameters
                        .filter(|parameter| parameter.published)
                        .any(|p| value == format!("{{{{ parameters.{} }}}}", p.name.value));
                    assert!(is_published, "no published parameter sets {key} of {}", file.display());
                    credentials += 1;
                }
            }
        }
    }
    assert!(credentials >= 15, "only {credentials} credentials");
}

#[test]
fn nothing_is_exposed_unless_it_is_asked_for() {
    for (profile, resources) in everything_everywhere() {
        for resource in resources {
            let object = without_schemas(resource);
            let kind = object["spec"]["type"].as_str().unwrap_or("ClusterIP");
            let is_open = match resource.kind() {
                "Service" => !["ClusterIP", "ExternalName"].contains(&kind),
                "NetworkPolicy" => resource.name() == "allow-outside-to-istio-ingressgateway",
                kind => kind == "Route" || kind == "Ingress",
            };
            assert!(!is_open, "{profile}: {} {} is exposed", resource.kind(), resource.name());
        }
        let gateway = object(resources, "Service", "istio-ingressgateway");
        assert_eq!(gateway["spec"]["type"], "ClusterIP");
        assert!(gateway["metadata"].get("annotations").is_none(), "{profile}");
        assert!(gateway["spec"].get("externalTrafficPolicy").is_none(), "{profile}");
    }
}

#[test]
fn exposure_needs_credentials_of_ones_own() {
    let setting = setting();
    for (profile, exposure, kind, annotations) in [
        ("gke", "public", "LoadBalancer", 1),
        ("gke", "internal", "LoadBalancer", 1),
        ("aws", "load-balancer", "LoadBalancer", 3),
        ("aws", "internal", "LoadBalancer", 3),
        ("aws", "node-port", "NodePort", 0),
        ("azure", "public", "LoadBalancer", 0),
        ("azure", "internal", "LoadBalancer", 1),
        ("onprem", "public", "NodePort", 0),
        ("onprem", "internal", "NodePort", 0),
        ("openshift", "internal", "NodePort", 0),
        ("k3s", "load-balancer", "LoadBalancer", 0),
        ("kind", "node-port", "NodePort", 0),
        ("minikube", "load-balancer", "LoadBalancer", 0),
    ] {
        let exposed = format!("    exposure: {exposure}\n    tls: {{secret: certificate}}");
        let few = |parameters: &str| stack_with(profile, parameters).with_components(["istio", "dex"]);
        let said = said_of_credentials(&setting, &few(&exposed));
        if matches!(profile, "kind" | "minikube" | "k3s") {
            let error = said.unwrap_err();
            assert!(
                error.contains(&format!("Service istio-system/istio-ingressgateway is of type {kind}")),
                "{error}"
            );
            assert!(
                error.contains("`--set dex.passwordHash=VALUE`") && error.contains("`exposure: none`"),
                "{error}"
            );
        } else {
            assert_eq!(said.unwrap(), "", "{profile}");
        }
        let stack = few(&format!("{OWN}\n{exposed}"));
        assert_eq!(said_of_credentials(&setting, &stack).unwrap(), "", "{profile}");
        let resources = setting.resources(&stack);
        let gateway = object(&resources, "Service", "istio-ingressgateway");
        assert_eq!(gateway["spec"]["type"], kind, "{profile}");
        // The policies of the namespace let in nobody from outside, but this one does, to all ports of the Service.
        let policy = object(&resources, "NetworkPolicy", "allow-outside-to-istio-ingressgateway");
        let ports = |list: &serde_json::Value, name: &str| {
            let numbers = list.as_array().unwrap().iter().map(|port| port[name].as_u64().unwrap());
            numbers.collect::<BTreeSet<_>>()
        };
        let let_in = ports(&policy["spec"]["ingress"][0]["ports"], "port");
        assert_eq!(let_in, ports(&gateway["spec"]["ports"], "targetPort"), "{profile}");
        let found = gateway["metadata"]["annotations"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(found, annotations, "{profile} with {exposure}");
    }
}

#[test]
fn cookies_fit_the_scheme_that_is_served() {
    let setting = setting();
    for (profile, parameters, secure) in [
        ("onprem", "{}", "false"),
        ("openshift", "{}", "false"),
        ("openshift", "exposure: public", "true"),
        ("gke", "exposure: internal", "false"),
        ("gke", "tls: {issuer: company}", "true"),
        ("gke", "scheme: https", "true"),
    ] {
        let apps = ["notebooks", "volumes", "tensorboards", "kserve-web-app", "oauth2-proxy"];
        let resources = setting.resources(&stack_with(profile, parameters).with_components(apps));
        for name in ["jupyter-web-app", "volumes-web-app", "tensorboards-web-app"] {
            let app = object(&resources, "Deployment", &format!("{name}-deployment"));
            let variables =
                app["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap().clone();
            let cookies = variables.iter().find(|variable| variable["name"] == "APP_SECURE_COOKIES").unwrap();
            assert_eq!(cookies["value"], secure, "{name} on {profile} with {parameters}");
        }
        let kserve = object(&resources, "ConfigMap", "kserve-models-web-application-config");
        assert_eq!(kserve["data"]["APP_SECURE_COOKIES"], secure);
        let proxy = object(&resources, "ConfigMap", "oauth2-proxy-parameters");
        assert_eq!(proxy["data"]["FORCE_HTTPS"], secure, "{profile} with {parameters}");
        let has_route = resources.iter().any(|resource| resource.kind() == "Route");
        assert_eq!(has_route, profile == "openshift" && parameters.contains("public"));
    }
}

/// What a build of a stack is refused for.
fn refusal(setting: &Setting, stack: &Stack) -> String {
    resolve(&setting.catalogue, stack)
        .map_or_else(|errors| shown(&errors, &setting.sources), |_| String::new())
}

#[test]
fn what_any_network_can_reach_has_tls() {
    let setting = setting();
    let why = "without TLS, others can read the passwords";
    for (profile, parameters, is_refused) in [
        ("gke", "exposure: public", true),
        ("gke", "exposure: load-balancer", true),
        ("kind", "exposure: node-port", true),
        // Words of earlier releases mean the same.
        ("gke", "exposure: external", true),
        ("gke", "{exposure: public, tls: none}", true),
        ("gke", "exposure: internal", false),
        ("gke", "exposure: cluster", false),
        ("openshift", "exposure: public", false),
        ("gke", "{exposure: public, scheme: https}", false),
        ("gke", "{exposure: public, tls: {issuer: company}}", false),
        ("gke", "{exposure: public, tls: {secret: certificate}}", false),
        ("gke", "{exposure: public, tls: {acme: admin@example.org}}", false),
    ] {
        let said = refusal(&setting, &stack_with(profile, parameters));
        assert_eq!(said.contains(why), is_refused, "{profile} with {parameters}: {said}");
        assert_eq!(said.is_empty(), !is_refused, "{profile} with {parameters}: {said}");
    }
    let said = refusal(&setting, &stack_with("gke", "exposure: public"));
    assert!(said.contains("note: the parameter `exposure` is `public`"), "{said}");
    let said = refusal(&setting, &stack_with("gke", "{tls: {issuer: company}, scheme: http}"));
    assert!(said.contains("a platform with a certificate is reached with `scheme: https`"), "{said}");
}

#[test]
fn names_of_hosts_are_names_of_hosts() {
    let setting = setting();
    for (parameters, is_refused) in [
        ("domain: ml.example.org", false),
        ("domain: ml", false),
        ("domain: xn--bcher-kva.example", false),
        ("domain: bad domain!", true),
        ("domain: https://ml.example.org", true),
        ("domain: ml.example.org/", true),
        ("domain: ml.example.org:8080", true),
        ("domain: '*.example.org'", true),
        ("domain: ML.example.org", true),
        ("domain: ml..example.org", true),
        ("domain: 192.0.2.1", true),
        ("domain: a.b,user=a@b.c", true),
        ("domain: ''", true),
        ("{domain: a.example, knative-serving: {servingDomain: a.example}}", true),
        ("{domain: a.example, knative-serving: {servingDomain: 'a b'}}", true),
        ("kubeflow-gateway: {certificateNames: ['*.serving.example.org', b.example]}", false),
        ("kubeflow-gateway: {certificateNames: ['a.*']}", true),
        ("tls: some", true),
        ("tls: {}", true),
        ("tls: {issuer: a, secret: b}", true),
        ("tls: {acme: nobody}", true),
        ("tls: {issuer: Company CA}", true),
    ] {
        let said = refusal(&setting, &stack_with("onprem", parameters));
        assert_eq!(!said.is_empty(), is_refused, "{parameters}: {said}");
    }
}

/// What a bundle says of how users reach it.
struct Front<'r>(&'r [Resource]);

impl Front<'_> {
    fn object(&self, kind: &str, name: &str) -> Value {
        object(self.0, kind, name)
    }

    fn has(&self, kind: &str, name: &str) -> bool {
        self.0.iter().any(|resource| resource.kind() == kind && resource.name() == name)
    }

    fn proxy_arguments(&self) -> Vec<String> {
        let proxy = self.object("Deployment", "oauth2-proxy");
        let arguments =
            proxy["spec"]["template"]["spec"]["containers"][0]["args"].as_array().unwrap().clone();
        arguments.iter().map(|argument| argument.as_str().unwrap().to_owned()).collect()
    }

    /// YAML or JSON in a config map.
    fn inside(&self, name: &str, key: &str) -> Value {
        let text = self.object("ConfigMap", name)["data"][key].as_str().unwrap().to_owned();
        to_json(&kfc_yaml::parse::parse(&text, kfc_diagnostics::SourceId::NONE).unwrap()[0])
    }
}

#[test]
fn domain_and_certificate_move_everything_together() {
    let setting = setting();
    let parameters = "{domain: ml.example.org, exposure: public, tls: {secret: certificate}}";
    let resources = setting.resources(&stack_with("gke", parameters));
    setting.check("gke with TLS", &resources);
    let front = Front(&resources);
    let hosts = serde_json::json!(["ml.example.org", "*.serving.ml.example.org"]);
    let servers = front.object("Gateway", "kubeflow-gateway")["spec"]["servers"].clone();
    assert_eq!(servers.as_array().unwrap().len(), 1, "{servers}");
    assert_eq!((&servers[0]["hosts"], &servers[0]["port"]["number"]), (&hosts, &443.into()));
    assert_eq!(servers[0]["tls"]["credentialName"], "certificate");
    let redirect = front.object("Gateway", "kubeflow-gateway-redirect")["spec"]["servers"].clone();
    assert_eq!((&redirect[0]["hosts"], &redirect[0]["port"]["number"]), (&hosts, &80.into()));
    let route = front.object("VirtualService", "kubeflow-gateway-redirect");
    assert_eq!(route["spec"]["http"][0]["redirect"]["scheme"], "https");
    assert!(!front.has("Certificate", "kubeflow-gateway"), "a Secret needs no certificate of cert-manager");
    let dex = front.inside("dex", "config.yaml");
    let issuer = "https://ml.example.org/dex";
    assert_eq!(dex["issuer"], issuer);
    let callback = "https://ml.example.org/oauth2/callback";
    assert_eq!(dex["staticClients"][0]["redirectURIs"], serde_json::json!([callback]));
    let token = front.object("RequestAuthentication", "dex-jwt")["spec"]["jwtRules"][0].clone();
    assert_eq!(token["issuer"], issuer);
    assert_eq!(token["jwksUri"], "http://dex.auth.svc.cluster.local:5556/dex/keys");
    let arguments = front.proxy_arguments();
    for argument in [
        format!("--oidc-issuer-url={issuer}"),
        format!("--redirect-url={callback}"),
        "--relative-redirect-url=false".to_owned(),
    ] {
        assert!(arguments.contains(&argument), "{argument}: {arguments:?}");
    }
    assert_eq!(front.object("ConfigMap", "oauth2-proxy-parameters")["data"]["FORCE_HTTPS"], "true");
    let serving = front.inside("inferenceservice-config", "ingress");
    assert_eq!(
        (&serving["ingressDomain"], &serving["urlScheme"]),
        (&"ml.example.org".into(), &"https".into())
    );
    assert_eq!(serving["pathTemplate"], "/serving/{{ .Namespace }}/{{ .Name }}");
    assert_eq!(front.object("ConfigMap", "config-domain")["data"]["serving.ml.example.org"], "");
    assert_eq!(front.object("ConfigMap", "config-network")["data"]["default-external-scheme"], "https");
    let probes =
        front.object("NetworkPolicy", "allow-knative-to-istio-gateways")["spec"]["ingress"][0].clone();
    assert_eq!(probes["ports"][1]["port"], 8443);
}

#[test]
fn without_a_certificate_the_platform_answers_under_any_name() {
    let setting = setting();
    let resources = setting.resources(&stack_with("onprem", "domain: ml.example.org"));
    let front = Front(&resources);
    let servers = front.object("Gateway", "kubeflow-gateway")["spec"]["servers"].clone();
    assert_eq!(
        (&servers[0]["hosts"], &servers[0]["port"]["number"]),
        (&serde_json::json!(["*"]), &80.into())
    );
    assert!(!front.has("Gateway", "kubeflow-gateway-redirect"));
    assert_eq!(front.proxy_arguments().len(), 2);
    let serving = front.inside("inferenceservice-config", "ingress");
    // A route for the domain itself would hide the dashboard.
    assert_eq!(serving["ingressDomain"], "serving.ml.example.org");
    assert_eq!(serving["urlScheme"], "http");
}

#[test]
fn certificates_come_from_an_issuer_or_by_acme() {
    let setting = setting();
    let few = ["kubeflow-gateway", "oauth2-proxy", "dex"];
    let build = |profile: &str, parameters: &str| {
        setting.resources(&stack_with(profile, parameters).with_components(few))
    };
    let resources =
        build("aws", "{tls: {issuer: company}, kubeflow-gateway: {certificateNames: [ml.corp.example]}}");
    let front = Front(&resources);
    let certificate = front.object("Certificate", "kubeflow-gateway");
    assert_eq!(certificate["spec"]["issuerRef"]["name"], "company");
    assert_eq!(
        certificate["spec"]["dnsNames"],
        serde_json::json!(["kubeflow.example.com", "ml.corp.example"])
    );
    let servers = front.object("Gateway", "kubeflow-gateway")["spec"]["servers"].clone();
    assert_eq!(servers[0]["tls"]["credentialName"], certificate["spec"]["secretName"]);
    assert!(front.has("Deployment", "cert-manager") && !front.has("ClusterIssuer", "kubeflow-acme"));

    let resources = build("aws", "{exposure: public, tls: {acme: admin@example.org}}");
    let front = Front(&resources);
    let issuer = front.object("ClusterIssuer", "kubeflow-acme")["spec"]["acme"].clone();
    assert_eq!(issuer["email"], "admin@example.org");
    assert_eq!(issuer["solvers"][0]["http01"]["ingress"], serde_json::json!({"class": "istio"}));
    assert_eq!(front.object("Certificate", "kubeflow-gateway")["spec"]["issuerRef"]["name"], "kubeflow-acme");
    for name in ["istio-ingressgateway-oauth2-proxy", "istio-ingressgateway-require-jwt"] {
        let rules = front.object("AuthorizationPolicy", name)["spec"]["rules"].clone();
        let challenge = serde_json::json!("/.well-known/acme-challenge/*");
        let open = rules[0]["to"][0]["operation"]["notPaths"].as_array().unwrap().clone();
        assert!(open.contains(&challenge) && open.contains(&"/oauth2/*".into()), "{name}: {open:?}");
        let guarded = &rules[1]["to"][0]["operation"];
        assert_eq!((&guarded["paths"][0], &guarded["notPorts"][0]), (&challenge, &"8080".into()), "{name}");
    }
}

#[test]
fn the_way_in_of_the_platform_is_taken_where_it_has_one() {
    let setting = setting();
    let build = |profile: &str, parameters: &str| {
        let parameters = format!("{OWN}\n    domain: ml.example.org\n    {parameters}");
        setting.resources(&stack_with(profile, &parameters).with_components([
            "kubeflow-gateway",
            "dex",
            "oauth2-proxy",
        ]))
    };
    // Traefik has the ports on k3s.
    let resources = build("k3s", "exposure: public\n    tls: {acme: admin@example.org}");
    let front = Front(&resources);
    let ingress = front.object("Ingress", "kubeflow");
    assert_eq!(ingress["spec"]["ingressClassName"], "traefik");
    assert_eq!(ingress["spec"]["rules"][0]["host"], "ml.example.org");
    assert_eq!(ingress["spec"]["tls"][0]["secretName"], "kubeflow-gateway-tls");
    let entry = &ingress["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.entrypoints"];
    assert_eq!(entry, "websecure");
    assert_eq!(front.object("Service", "istio-ingressgateway")["spec"]["type"], "ClusterIP");
    let servers = front.object("Gateway", "kubeflow-gateway")["spec"]["servers"].clone();
    assert_eq!(
        (&servers[0]["hosts"][0], &servers[0]["port"]["number"]),
        (&"ml.example.org".into(), &80.into())
    );
    assert!(!front.has("Gateway", "kubeflow-gateway-redirect"));
    let solver = front.object("ClusterIssuer", "kubeflow-acme")["spec"]["acme"]["solvers"][0].clone();
    assert_eq!(solver["http01"]["ingress"], serde_json::json!({"ingressClassName": "traefik"}));
    assert!(
        front.proxy_arguments().contains(&"--redirect-url=https://ml.example.org/oauth2/callback".to_owned())
    );

    // OpenShift's router has a certificate of its own, or leaves TLS to the gateway.
    let resources = build("openshift", "exposure: public");
    let route = Front(&resources).object("Route", "kubeflow")["spec"].clone();
    assert_eq!((&route["host"], &route["tls"]["termination"]), (&"ml.example.org".into(), &"edge".into()));
    let resources = build("openshift", "exposure: public\n    tls: {issuer: company}");
    let route = Front(&resources).object("Route", "kubeflow")["spec"].clone();
    assert_eq!(
        (&route["tls"]["termination"], &route["port"]["targetPort"]),
        (&"passthrough".into(), &"https".into())
    );
    let servers = Front(&resources).object("Gateway", "kubeflow-gateway")["spec"]["servers"].clone();
    assert_eq!(servers[0]["port"]["number"], 443);

    for (profile, annotation, value) in [
        ("gke", "networking.gke.io/load-balancer-type", "Internal"),
        ("aws", "service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"),
        ("azure", "service.beta.kubernetes.io/azure-load-balancer-internal", "true"),
    ] {
        let resources = build(profile, "exposure: internal");
        let service = Front(&resources).object("Service", "istio-ingressgateway");
        assert_eq!(service["metadata"]["annotations"][annotation], value, "{profile}");
    }
}

#[test]
fn an_issuer_outside_needs_only_the_secret_of_its_client() {
    let setting = setting();
    let mut stack = stack_with(
        "onprem",
        "{oidcClientSecret: from-the-issuer, domain: ml.example.org, tls: {issuer: company}, external-issuer: {issuer: 'https://login.example.com', scopes: [openid, email], emailDomains: [example.org, example.net]}}",
    );
    let facts = "services: {issuer: external}";
    stack.facts = kfc_yaml::parse::parse(facts, kfc_diagnostics::SourceId::NONE).unwrap().remove(0);
    assert_eq!(said_of_credentials(&setting, &stack).unwrap(), "");
    let plan = resolve(&setting.catalogue, &stack).unwrap();
    let assembled = assemble(&plan, &stack, &setting.loader).unwrap();
    let made: Vec<String> =
        assembled.recipes.iter().map(|planned| planned.recipe.object.name.clone()).collect();
    assert!(made.contains(&"oauth2-proxy".to_owned()), "{made:?}");
    let recipe =
        assembled.recipes.iter().find(|planned| planned.recipe.object.name == "oauth2-proxy").unwrap();
    let keys: Vec<&str> = recipe.recipe.keys.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["cookie-secret"]);
    let resources = &assembled.bundle.resources.list;
    let secret = object(resources, "Secret", "external-issuer");
    assert_eq!(secret["data"]["client-secret"], STANDARD.encode("from-the-issuer"));
    let front = Front(resources);
    let arguments = front.proxy_arguments();
    for argument in [
        "--redirect-url=https://ml.example.org/oauth2/callback",
        "--scope=openid email",
        "--email-domain=example.org,example.net",
    ] {
        assert!(arguments.iter().any(|one| one == argument), "{argument}: {arguments:?}");
    }
    let proxy = front.object("Deployment", "oauth2-proxy");
    let variables = proxy["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap().clone();
    let secret_of = |name: &str| {
        let variable = variables.iter().find(|variable| variable["name"] == name).unwrap();
        variable["valueFrom"]["secretKeyRef"]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(secret_of("OAUTH2_PROXY_CLIENT_SECRET"), "external-issuer");
    assert_eq!(secret_of("OAUTH2_PROXY_COOKIE_SECRET"), "oauth2-proxy");
    // Without the client's secret, it is this one alone that kfc asks for.
    let mut without = stack.clone();
    without.parameters.as_map_mut().unwrap().remove("oidcClientSecret");
    let said = said_of_credentials(&setting, &without).unwrap_err();
    assert!(said.contains("`--set oidcClientSecret=VALUE`") && !said.contains("cookieSecret"), "{said}");
}

#[test]
fn hashes_of_passwords_are_printed() {
    let run = |arguments: &[&str], input: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kfc"));
        command.args(["secrets", "hash"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let password = "correct horse battery staple";
    let (code, out, said) = run(&["--cost", "10"], &format!("{password}\nanother line\n"));
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let hash = out.strip_suffix('\n').unwrap();
    assert!(hash.starts_with("$2y$10$"), "{hash}");
    assert!(bcrypt::verify(password, hash).unwrap() && !bcrypt::verify("another", hash).unwrap());
    // The catalogue accepts it.
    let setting = setting();
    let parameters =
        format!("dex: {{passwordHash: {hash}, users: [{{email: bob@example.org, passwordHash: {hash}}}]}}");
    assert_eq!(refusal(&setting, &stack_with("onprem", &parameters)), "");
    let longest = "é".repeat(36);
    assert_eq!(run(&["--cost", "10"], &longest).0, Some(0));
    for (input, why) in [
        ("", "the password is empty"),
        ("\n", "the password is empty"),
        (&format!("{longest}x"), "at most 72 bytes"),
        ("a\0b", "none of them is 0"),
    ] {
        let (code, out, said) = run(&[], input);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn users_and_connectors_of_dex_keep_their_secrets_in_secrets() {
    let setting = setting();
    let hash = "$2y$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234";
    let parameters = format!(
        "{{user: alice@example.org, dex: {{users: [{{email: bob@example.org, passwordHash: {hash}}}], connectors: [{{type: github, id: github, name: GitHub, config: {{clientSecret: $GITHUB_SECRET}}}}]}}}}"
    );
    let resources = setting.resources(&stack_with("onprem", &parameters).with_components(["dex"]));
    let front = Front(&resources);
    let config = front.inside("dex", "config.yaml");
    let users = config["staticPasswords"].as_array().unwrap();
    let emails: Vec<&str> = users.iter().map(|user| user["email"].as_str().unwrap()).collect();
    assert_eq!(emails, ["alice@example.org", "bob@example.org"]);
    assert_ne!(users[0]["userID"], users[1]["userID"]);
    assert!(users.iter().all(|user| user.get("hash").is_none()), "{users:?}");
    let variable = users[1]["hashFromEnv"].as_str().unwrap();
    let secret = front.object("Secret", "dex-users");
    assert_eq!(secret["stringData"][variable], hash);
    let dex = front.object("Deployment", "dex");
    let read = &dex["spec"]["template"]["spec"]["containers"][0]["envFrom"];
    let names: Vec<&str> =
        read.as_array().unwrap().iter().map(|from| from["secretRef"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["dex-oidc-client", "dex-connectors", "dex-users"]);
    assert_eq!(config["connectors"][0]["config"]["clientSecret"], "$GITHUB_SECRET");
    let twice = format!("dex: {{users: [{{email: user@example.com, passwordHash: {hash}}}]}}");
    let said = refusal(&setting, &stack_with("onprem", &twice));
    assert!(said.contains("`dex.users` has the first user, `user`, too") && !said.contains(hash), "{said}");
}

#[test]
fn build_apply_and_init_say_which_credentials_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("platform").display().to_string();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_kfc")).args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    for arguments in [
        &["build", "kind"][..],
        &["apply", "kind", "--dry-run=client"],
        &["init", "kind", &written],
        &["argocd", "generate", &written],
    ] {
        let (code, out, told) = run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {told}");
        assert!(!out.is_empty() && told.contains("[KFC1014]"), "{arguments:?}: {told}");
        assert!(told.contains("`--set dex.passwordHash=VALUE`"), "{arguments:?}: {told}");
    }
    for arguments in [
        &["build", "kind", "--set=exposure=internal"][..],
        &["apply", "kind", "--dry-run=client", "--set=exposure=internal"],
    ] {
        let (code, out, told) = run(arguments);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(told.contains("error[KFC1014]"), "{arguments:?}: {told}");
    }
}

/// What a condition, or a value with expressions, names: below the component whose expression it is, if it is one's.
struct Named {
    component: Option<String>,
    names: Vec<Name>,
}

impl Named {
    /// Whether it reads the parameter `name` of `component`, or the global one.
    fn reads_parameter(&self, component: Option<&str>, name: &str) -> bool {
        let path = match (component, self.component.as_deref()) {
            (Some(owner), Some(own)) if owner != own => return false,
            (Some(owner), None) => vec![owner, name],
            _ => vec![name],
        };
        self.names.iter().filter_map(|named| named.below("parameters")).any(|named| touches(named, &path))
    }

    fn reads_fact(&self, fact: &str) -> bool {
        let path: Vec<&str> = fact.split('.').collect();
        self.names.iter().any(|named| touches(named.below("facts").unwrap_or(named.steps()), &path))
    }
}

/// What every expression of the catalogue names.
fn expressions(setting: &Setting) -> Vec<Named> {
    let mut all = Vec::new();
    let mut add = |component: Option<&str>, conditions: Vec<String>, values: Vec<Node>| {
        let conditions = conditions.iter().flat_map(|when| Expression(when).names());
        let names = conditions.chain(values.iter().flat_map(names_in)).collect();
        all.push(Named { component: component.map(str::to_owned), names });
    };
    let setters = |list: &[Spanned<Setter>]| {
        let conditions: Vec<String> =
            list.iter().filter_map(|setter| setter.when.as_ref().map(|when| when.value.clone())).collect();
        let values: Vec<Node> = list.iter().map(|setter| setter.new_value.clone()).collect();
        (conditions, values)
    };
    let defaults =
        |list: &[Parameter]| -> Vec<Node> { list.iter().filter_map(|p| p.default.clone()).collect() };
    for component in setting.catalogue.components.values() {
        let (mut conditions, mut values) = setters(&component.set);
        conditions
            .extend(component.requires.iter().filter_map(|r| r.when.as_ref().map(|when| when.value.clone())));
        conditions.extend(component.supports.iter().map(|support| support.when.value.clone()));
        values.extend(defaults(&component.parameters));
        add(Some(&component.name.value), conditions, values);
    }
    for overlay in setting.catalogue.overlays.values() {
        let (mut conditions, values) = setters(&overlay.set);
        conditions.extend(overlay.when.as_ref().map(|when| when.value.clone()));
        add(None, conditions, values);
    }
    for layer in setting.catalogue.layers.values() {
        let mut conditions: Vec<String> =
            layer.supports.iter().map(|support| support.when.value.clone()).collect();
        conditions
            .extend(layer.components.iter().filter_map(|e| e.when.as_ref().map(|when| when.value.clone())));
        let mut values = defaults(&layer.parameters);
        values.extend(layer.prefers.iter().map(|(_, word)| Node::string(&word.value, word.mark)));
        add(None, conditions, values);
    }
    all
}

#[test]
fn every_parameter_and_fact_has_an_effect() {
    let setting = setting();
    let expressions = expressions(&setting);
    let defaults = &setting.catalogue.layers[DEFAULTS];
    // What kfc itself reads, not an overlay.
    let by_kfc = ["kubernetes"];
    for fact in defaults.declares.iter().filter(|fact| !by_kfc.contains(&fact.name.value.as_str())) {
        let name = &fact.name.value;
        assert!(
            expressions.iter().any(|named| named.reads_fact(name)),
            "no expression has the fact `{name}`"
        );
    }
    let is_used = |parameter: &Parameter, component: Option<&str>| {
        expressions.iter().any(|named| named.reads_parameter(component, &parameter.name.value))
    };
    for parameter in &defaults.parameters {
        assert!(is_used(parameter, None), "no expression has the parameter `{}`", parameter.name.value);
    }
    for component in setting.catalogue.components.values() {
        for parameter in &component.parameters {
            let name = component.name.value.as_str();
            assert!(is_used(parameter, Some(name)), "nothing uses `{name}.{}`", parameter.name.value);
            assert!(
                parameter.schema.get("description").is_some(),
                "`{name}.{}` says nothing of itself",
                parameter.name.value
            );
            assert!(parameter.name.mark.is_some());
        }
    }
}

#[test]
fn every_parameter_that_an_expression_names_is_declared() {
    let setting = setting();
    let components = &setting.catalogue.components;
    let has = |declared: &[Parameter], name: &str| declared.iter().any(|p| p.name.value == name);
    let is_global = |name: &str| has(&setting.catalogue.layers[DEFAULTS].parameters, name);
    let is_of = |component: &str, name: &str| {
        components.get(component).is_some_and(|component| has(&component.parameters, name))
    };
    let mut count = 0;
    for Named { component, names } in expressions(&setting) {
        for path in names.iter().filter_map(|name| name.below("parameters")) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let is_declared = match (component.as_deref(), path.as_slice()) {
                (Some(own), [name, ..]) => is_of(own, name) || is_global(name),
                (None, [other, name, ..]) => is_of(other, name) || is_global(other),
                (None, [name]) => is_global(name),
                (_, []) => true,
            };
            let owner = component.as_deref().unwrap_or("an overlay or layer");
            assert!(is_declared, "{owner} names the parameter `{}`, which does not exist", path.join("."));
            count += 1;
        }
    }
    assert!(count > 100, "only {count} parameters are named");
}

#[test]
fn every_manifest_of_the_catalogue_is_listed_by_its_kustomization() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["bases", "overlays"] {
        for entry in walkdir::WalkDir::new(top.join(folder)).into_iter().filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !entry.file_type().is_file()
                || ["kustomization.yaml", "component.yaml", "overlay.yaml"].contains(&name.as_str())
            {
                continue;
            }
            if name.ends_with(".types") {
                let definitions = std::fs::read_to_string(entry.path().with_file_name("crds.yaml")).unwrap();
                let is_named = definitions.contains(&format!("$ref: {name}#"));
                assert!(is_named, "no CRD names a schema in {}", entry.path().display());
                continue;
            }
            let beside = entry.path().with_file_name("kustomization.yaml");
            let text = std::fs::read_to_string(&beside).unwrap();
            let listed = to_json(&kfc_yaml::parse::parse(&text, kfc_diagnostics::SourceId::NONE).unwrap()[0])
                .to_string();
            assert!(listed.contains(&name), "{} is listed nowhere", entry.path().display());
        }
    }
}

/// A Secret: its namespace and name.
type SecretName = (String, String);

/// Adds the Secrets that a pod template names, of the namespace of its workload.
fn add_named_secrets(value: &Value, namespace: &str, found: &mut BTreeSet<SecretName>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = match field.as_str() {
                    "secretKeyRef" | "secretRef" => value["name"].as_str(),
                    "secretName" => value.as_str(),
                    _ => None,
                };
                found.extend(name.map(|name| (namespace.to_owned(), name.to_owned())));
                add_named_secrets(value, namespace, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| add_named_secrets(item, namespace, found)),
        _ => {}
    }
}

/// The keys of a Secret with their values.
fn keys_of(secret: &Value) -> BTreeSet<String> {
    let fields = ["data", "stringData"].into_iter().filter_map(|field| secret[field].as_object());
    fields.flat_map(|fields| fields.keys().cloned()).collect()
}

/// Plans of all components whose Secrets are all in the bundle, with each way to have a database, an object store and an issuer.
fn plans_of_all_choices(setting: &Setting) -> Vec<(Stack, Plan)> {
    let choices = [
        ("onprem", "in-cluster"),
        ("onprem", "external"),
        ("gke+managed", "in-cluster"),
        ("aws+managed", "in-cluster"),
        ("azure+managed", "in-cluster"),
    ];
    let stacks = choices.map(|(profile, issuer)| {
        let mut stack = Stack::of_profile(profile).with_components(everything(setting));
        let facts = &format!("{{secrets: {{default: published}}, services: {{issuer: {issuer}}}}}");
        stack.facts = kfc_yaml::parse::parse(facts, kfc_diagnostics::SourceId::NONE).unwrap().remove(0);
        if (profile, issuer) == ("onprem", "in-cluster") { stack } else { with_what_must_be_set(stack) }
    });
    let mut plans = Vec::new();
    for mut stack in stacks {
        if let Some(parameters) = stack.parameters.as_map_mut() {
            parameters.remove("exposure");
            parameters.remove("tls");
            parameters.remove("dex");
        }
        let plan =
            resolve(&setting.catalogue, &stack).unwrap_or_else(|e| panic!("{}", shown(&e, &setting.sources)));
        plans.push((stack, plan));
    }
    plans
}

#[test]
fn every_secret_is_declared_and_every_declaration_is_of_a_secret() {
    let setting = setting();
    let plans = plans_of_all_choices(&setting);
    let mut real: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (stack, plan) in &plans {
        let assembled = assemble(plan, stack, &setting.loader).unwrap();
        let resources = &assembled.bundle.resources.list;
        for secret in resources.iter().filter(|resource| resource.kind() == "Secret") {
            let component = &plan.components[secret.owner.unwrap() as usize].component;
            let name = (secret.namespace(), secret.name());
            let what = format!("{}: Secret {}/{}", component.name.value, name.0, name.1);
            // Those of the plan have the keys whose conditions hold.
            let mut declared = plan.secrets.iter().map(|planned| &planned.declared);
            let declared = declared.find(|one| (one.namespace.as_str(), one.name.as_str()) == name);
            let declared = declared.unwrap_or_else(|| panic!("{what} is not declared"));
            real.insert((component.name.as_str(), declared.name.as_str()));
            // What a controller writes is not in the bundle, nor is what exists only to be hashed.
            let hashed = declared.keys.0.iter().filter_map(|(_, key)| match key {
                SecretKey::Bcrypt(hashed) => Some(hashed.as_str()),
                _ => None,
            });
            let hashed: Vec<&str> = hashed.collect();
            let emitted = declared
                .keys
                .0
                .iter()
                .filter(|(key, made)| *made != SecretKey::Controller && !hashed.contains(&key.as_str()));
            let emitted: BTreeSet<String> = emitted.map(|(key, _)| key.value.clone()).collect();
            assert_eq!(keys_of(&to_json(&secret.node)), emitted, "{what}");
        }
    }
    let declared = setting.catalogue.components.values().flat_map(|component| {
        component.secrets.iter().map(move |secret| (component.name.as_str(), secret.name.as_str()))
    });
    let declared: BTreeSet<(&str, &str)> = declared.collect();
    assert!(declared.len() > 20, "only {} Secrets", declared.len());
    assert_eq!(real, declared);
}

#[test]
fn readers_of_secrets_are_those_that_name_them() {
    let setting = setting();
    for (stack, plan) in &plans_of_all_choices(&setting) {
        let assembled = assemble(plan, stack, &setting.loader).unwrap();
        let mut readers: BTreeMap<SecretName, BTreeSet<String>> = BTreeMap::new();
        let mut workloads: BTreeSet<(String, String)> = BTreeSet::new();
        for workload in assembled
            .bundle
            .resources
            .list
            .iter()
            .filter(|resource| resource.node.at(&["spec", "template", "spec"]).is_some())
        {
            let template = to_json(workload.node.at(&["spec", "template"]).unwrap());
            let reader = format!("{}/{}", workload.kind(), workload.name());
            let mut named = BTreeSet::new();
            add_named_secrets(&template, workload.namespace(), &mut named);
            workloads.insert((workload.namespace().to_owned(), reader.clone()));
            for secret in named {
                readers.entry(secret).or_default().insert(reader.clone());
            }
        }
        for planned in &plan.components {
            for secret in &planned.component.secrets {
                let name = (secret.namespace.value.clone(), secret.name.value.clone());
                let declared = secret.readers.iter().map(|reader| format!("{}/{}", reader.kind, reader.name));
                let declared: BTreeSet<String> = declared.collect();
                let named = readers.remove(&name).unwrap_or_default();
                assert!(named.is_subset(&declared), "{name:?} is read by {named:?}");
                let is_of_controller = secret.keys.0.iter().all(|(_, key)| *key == SecretKey::Controller);
                for reader in &declared {
                    // A controller may read its certificate from the API.
                    let is_real = if is_of_controller {
                        workloads.contains(&(name.0.clone(), reader.clone()))
                    } else {
                        named.contains(reader)
                    };
                    assert!(is_real, "{reader} does not read {name:?}");
                }
            }
        }
    }
}

#[test]
fn values_are_made_of_keys_that_are_declared() {
    let setting = setting();
    let find = |namespace: &str, name: &str, key: &str| {
        setting.catalogue.components.values().flat_map(|component| &component.secrets).any(|secret| {
            secret.namespace.value == namespace
                && secret.name.value == name
                && secret.keys.0.iter().any(|(known, _)| known.value == key)
        })
    };
    let mut made = 0;
    for secret in setting.catalogue.components.values().flat_map(|component| &component.secrets) {
        for (key, recipe) in &secret.keys.0 {
            let (namespace, name, of) = match recipe {
                SecretKey::Bcrypt(of) => (&secret.namespace.value, &secret.name.value, of),
                SecretKey::Copy(of) => (&of.copy.namespace, &of.copy.name, &of.copy.key),
                _ => continue,
            };
            assert!(find(namespace, name, of), "{} of {} is made of nothing", key.value, secret.name.value);
            made += 1;
        }
    }
    assert_eq!(made, 2);
}

#[test]
fn no_bundle_has_a_constant_credential_unless_it_is_for_a_laptop() {
    let setting = setting();
    let mut generated = 0;
    for profile in profiles() {
        let stack = Stack::of_profile(&profile).with_components(everything(&setting));
        let plan = resolve(&setting.catalogue, &stack).unwrap();
        let assembled = assemble(&plan, &stack, &setting.loader).unwrap();
        let is_laptop = plan.profile.facts["size"].value == "laptop";
        let secrets = assembled.bundle.resources.list.iter().filter(|resource| resource.kind() == "Secret");
        let with_values = secrets.filter(|secret| !keys_of(&to_json(&secret.node)).is_empty());
        let with_values: Vec<&str> = with_values.map(|secret| secret.name()).collect();
        if is_laptop {
            assert!(with_values.len() >= 7 && assembled.recipes.is_empty(), "{profile}: {with_values:?}");
            continue;
        }
        // It says in which registries nobody is logged in.
        assert_eq!(with_values, ["fairing-docker-config"], "{profile}");
        assert_eq!(said_of_credentials(&setting, &stack).unwrap(), "", "{profile}");
        assert_eq!(assembled.recipes.len(), 8, "{profile}");
        generated += 1;
    }
    assert!(generated >= 15, "only {generated} profiles");
}

/// The rights of the program that makes Secrets, and where it is: before all that reads them.
#[test]
fn the_generator_may_do_no_more_than_it_has_to() {
    let setting = setting();
    let stack = Stack::of_profile("gke");
    let plan = resolve(&setting.catalogue, &stack).unwrap();
    let assembled = assemble(&plan, &stack, &setting.loader).unwrap();
    let resources = &assembled.bundle.resources.list;
    let roles: Vec<Value> = resources
        .iter()
        .filter(|resource| resource.kind() == "Role" && resource.name() == "secret-generator")
        .map(|resource| to_json(&resource.node))
        .collect();
    let rights: Vec<(&str, Vec<&str>, bool)> = roles
        .iter()
        .map(|role| {
            let rules = role["rules"].as_array().unwrap();
            for rule in rules {
                assert_eq!((&rule["apiGroups"], &rule["resources"]), (&[""].into(), &["secrets"].into()));
            }
            assert_eq!(rules[0]["verbs"], serde_json::json!(["get"]));
            let names = rules[0]["resourceNames"].as_array().unwrap();
            let creates = rules.iter().skip(1).all(|rule| rule["verbs"] == serde_json::json!(["create"]));
            let namespace = role["metadata"]["namespace"].as_str().unwrap();
            (namespace, names.iter().map(|name| name.as_str().unwrap()).collect(), creates)
        })
        .collect();
    let of_kubeflow =
        vec!["katib-mysql-secrets", "mlpipeline-minio-artifact", "model-registry-db-secrets", "mysql-secret"];
    let expected = [
        ("auth", vec!["dex-oidc-client", "dex-passwords"], true),
        ("kubeflow", of_kubeflow, true),
        ("oauth2-proxy", vec!["oauth2-proxy"], true),
    ];
    assert_eq!(rights, expected);
    let wave = |kind: &str, name: &str| {
        let at = resources.iter().position(|r| r.kind() == kind && r.name().starts_with(name));
        assembled.waves[at.unwrap_or_else(|| panic!("{kind} {name}"))]
    };
    let job = wave("Job", "secret-generator-");
    for namespace in ["auth", "kubeflow", "oauth2-proxy"] {
        assert_eq!(wave("Namespace", namespace), 0);
    }
    for reader in assembled.recipes.iter().flat_map(|planned| &planned.recipe.readers) {
        assert!(wave(&reader.kind, &reader.name) > job, "{reader}");
    }
    let text = object(resources, "ConfigMap", "secret-generator")["data"]["recipes.json"].clone();
    let recipes: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    assert_eq!(recipes.as_array().unwrap().len(), 7);
}
