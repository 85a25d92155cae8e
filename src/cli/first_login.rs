//! What a run ends with that brought up a platform with a login: where it is reached, who logs in first, and with which password.
//!
//! These are names of the built-in catalogue. A plan without them has no such end.

use kfc_catalogue::catalogue::SecretWay;
use kfc_catalogue::resolve::{Plan, Planned};
use kfc_cluster::cluster::Connection;
use serde_json::Value;

/// The service of the gateway that users come through.
const GATEWAY: (&str, &str) = ("istio-system", "istio-ingressgateway");
/// The components that bring the gateway and ask users who they are.
const NEEDED: [&str; 3] = ["istio", "kubeflow-gateway", "oauth2-proxy"];
/// The Secret with the password of the first user.
const PASSWORD: &str = "auth/dex-passwords";
/// The password whose hash is the published default of `dex.passwordHash`.
const PUBLISHED: &str = "12341234";

/// How users come into a platform, as its plan says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FirstLogin {
    domain: String,
    route: Route,
    login: Login,
}

/// How the platform is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Without TLS.
    Plain,
    /// The gateway has a certificate.
    Tls,
    /// Another program before the gateway adds TLS: a router, an ingress controller or a proxy of the user.
    Before,
    /// An ingress controller that adds no TLS.
    PlainBefore,
}

/// Who logs in, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Login {
    /// The first user of dex, and what is known of the password.
    User(String, Password),
    /// Whoever this identity provider lets in.
    Issuer(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Password {
    /// It is in this Secret.
    Made(String),
    /// It is published.
    Published,
    /// The user has chosen it: its hash is a parameter.
    Chosen,
    /// Only its hash is in this Secret.
    Hashed(String),
}

impl FirstLogin {
    /// That of a plan, if the plan has a login.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let find = |name: &str| plan.components.iter().find(|planned| planned.name() == name);
        let has_all = NEEDED.iter().all(|name| find(name).is_some_and(|planned| !planned.present));
        let global = |name: &str| plan.parameters[name].as_str().map(str::to_owned);
        let login = match find("external-issuer") {
            Some(issuer) => Login::Issuer(issuer.parameters["issuer"].as_str()?.to_owned()),
            None => Login::User(global("user")?, password(plan, find("dex")?)),
        };
        let has_overlay = |name| plan.overlays.iter().any(|planned| planned.overlay.name.value == name);
        let is_before = has_overlay("ingress/class") || has_overlay("ingress/openshift-route");
        let route = match (global("scheme")? == "https", plan.parameters["tls"] != "none", is_before) {
            (true, true, false) => Route::Tls,
            (true, ..) => Route::Before,
            (false, _, true) => Route::PlainBefore,
            (false, _, false) => Route::Plain,
        };
        has_all.then_some(Self { domain: global("domain")?, route, login })
    }

    /// The lines for people. `context` is that of the kubeconfig, where the user named one.
    pub(super) async fn lines(&self, connection: &Connection, context: Option<&str>) -> Vec<String> {
        let (namespace, name) = GATEWAY;
        let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
        let service = connection.get(&path).await.unwrap_or_default();
        let node = if service["spec"]["type"] == "NodePort" {
            let nodes = connection.get("/api/v1/nodes?limit=1").await.unwrap_or_default();
            node_address(&nodes["items"][0]).map(str::to_owned)
        } else {
            None
        };
        let context = context.map(|name| format!(" --context {name}")).unwrap_or_default();
        let mut lines = vec![format!("address: {}", self.address(&service, node.as_deref(), &context))];
        match &self.login {
            Login::User(user, password) => {
                lines.push(format!("user: {user}"));
                lines.push(format!("password: {}", password.line(&context)));
            }
            Login::Issuer(issuer) => lines.push(format!("user: an account of {issuer}")),
        }
        lines
    }

    /// The address, and what it needs. `service` is that of the gateway, or null; `node` is the address of a node.
    fn address(&self, service: &Value, node: Option<&str>, context: &str) -> String {
        let (namespace, name) = GATEWAY;
        let domain = &self.domain;
        let forward = |ports: &str| {
            format!("`kubectl{context} port-forward --namespace {namespace} service/{name} {ports}`")
        };
        let balancer = &service["status"]["loadBalancer"]["ingress"][0];
        let balancer = balancer["ip"].as_str().or(balancer["hostname"].as_str());
        match (self.route, service["spec"]["type"].as_str().unwrap_or_default()) {
            (Route::Before, _) => format!("https://{domain}, where {domain} leads to what adds TLS"),
            (Route::PlainBefore, _) => {
                format!("http://{domain}, where {domain} leads to the ingress controller")
            }
            (route, "LoadBalancer") => match (route, balancer) {
                (Route::Plain, Some(balancer)) => format!("http://{balancer}"),
                (_, Some(balancer)) => {
                    format!("https://{domain}, when a DNS record leads {domain} to {balancer}")
                }
                (_, None) => format!(
                    "that of the load balancer, which has none yet: `kubectl{context} get service --namespace {namespace} {name}`"
                ),
            },
            (Route::Plain, "NodePort") => {
                format!("http://{}:{}", node.unwrap_or("NODE"), node_port(service, 80))
            }
            (_, "NodePort") => format!(
                "https://{domain}, where {domain} leads to what passes port 443 on to port {} of the nodes ({})",
                node_port(service, 443),
                node.unwrap_or("NODE")
            ),
            (Route::Plain, _) => format!("http://localhost:8080, with {}", forward("8080:80")),
            (_, _) => format!(
                "https://{domain}, with {} and a line `127.0.0.1 {domain}` in the file of hosts",
                forward("443:443")
            ),
        }
    }
}

fn password(plan: &Plan, dex: &Planned) -> Password {
    let secret = plan.secrets.iter().find(|secret| secret.full_name() == PASSWORD);
    match secret.map(|secret| &secret.source) {
        Some(SecretWay::Generated) => Password::Made(PASSWORD.to_owned()),
        Some(SecretWay::Existing(name)) => {
            let namespace = PASSWORD.split('/').next().unwrap_or_default();
            Password::Hashed(format!("{namespace}/{}", name.value))
        }
        Some(SecretWay::External(_) | SecretWay::Value(_)) => Password::Hashed(PASSWORD.to_owned()),
        Some(SecretWay::Bundle) | None => {
            let published = plan.published.iter().find(|published| published.name == "dex.passwordHash");
            let is_default =
                published.is_some_and(|published| dex.parameters["passwordHash"] == published.value.as_str());
            if is_default { Password::Published } else { Password::Chosen }
        }
    }
}

impl Password {
    fn line(&self, context: &str) -> String {
        match self {
            Self::Made(secret) => {
                let (namespace, name) = secret.split_once('/').unwrap_or_default();
                format!(
                    "kubectl{context} get secret {name} --namespace {namespace} --output 'go-template={{{{.data.password | base64decode}}}}'"
                )
            }
            Self::Published => {
                format!("{PUBLISHED}, which everybody knows: change it with the parameter `dex.passwordHash`")
            }
            Self::Chosen => "the one of `dex.passwordHash`".to_owned(),
            Self::Hashed(secret) => format!("the one whose hash is in the Secret {secret}"),
        }
    }
}

/// An address of a node, one that others can reach before one of the cluster's own network.
fn node_address(node: &Value) -> Option<&str> {
    let addresses = || node["status"]["addresses"].as_array().into_iter().flatten();
    let of = |kind: &str| addresses().find(|address| address["type"] == kind)?["address"].as_str();
    of("ExternalIP").or_else(|| of("InternalIP"))
}

/// The port that nodes have for a port of a service.
fn node_port(service: &Value, port: u16) -> String {
    let mut ports = service["spec"]["ports"].as_array().into_iter().flatten();
    let found = ports.find(|known| known["port"] == port).map(|known| known["nodePort"].to_string());
    found.unwrap_or_else(|| "PORT".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{FirstLogin, Login, PASSWORD, PUBLISHED, Password, Route, node_address};
    use serde_json::{Value, json};

    fn address(route: Route, service: &Value, node: Option<&str>) -> String {
        let login = Login::Issuer("https://login.example.com".to_owned());
        FirstLogin { domain: "ml.example.org".to_owned(), route, login }.address(service, node, "")
    }

    fn service(kind: &str) -> Value {
        let port = |port: u16| json!({"port": port, "nodePort": 30_000 + port});
        json!({"spec": {"type": kind, "ports": [port(15021), port(80), port(443)]}})
    }

    #[test]
    fn addresses_follow_the_service_of_the_gateway() {
        let mut balancer = service("LoadBalancer");
        assert!(address(Route::Tls, &balancer, None).contains("which has none yet: `kubectl get service"));
        balancer["status"] = json!({"loadBalancer": {"ingress": [{"hostname": "a.elb.example.com"}]}});
        let forward = "kubectl port-forward --namespace istio-system service/istio-ingressgateway";
        for (route, service, expected) in [
            (Route::Plain, service("ClusterIP"), format!("http://localhost:8080, with `{forward} 8080:80`")),
            (Route::Plain, Value::Null, format!("http://localhost:8080, with `{forward} 8080:80`")),
            (Route::Plain, service("NodePort"), "http://192.0.2.7:30080".to_owned()),
            (Route::Plain, balancer.clone(), "http://a.elb.example.com".to_owned()),
            (
                Route::Tls,
                service("ClusterIP"),
                format!("https://ml.example.org, with `{forward} 443:443` and a line `127.0.0.1 ml.example.org` in the file of hosts"),
            ),
            (
                Route::Tls,
                service("NodePort"),
                "https://ml.example.org, where ml.example.org leads to what passes port 443 on to port 30443 of the nodes (192.0.2.7)"
                    .to_owned(),
            ),
            (
                Route::Tls,
                balancer,
                "https://ml.example.org, when a DNS record leads ml.example.org to a.elb.example.com".to_owned(),
            ),
            (
                Route::Before,
                service("ClusterIP"),
                "https://ml.example.org, where ml.example.org leads to what adds TLS".to_owned(),
            ),
            (
                Route::PlainBefore,
                service("ClusterIP"),
                "http://ml.example.org, where ml.example.org leads to the ingress controller".to_owned(),
            ),
        ] {
            assert_eq!(address(route, &service, Some("192.0.2.7")), expected);
        }
    }

    #[test]
    fn nodes_are_named_by_the_address_that_others_reach() {
        let node = |addresses: Value| json!({"status": {"addresses": addresses}});
        let inner = json!({"type": "InternalIP", "address": "10.0.0.1"});
        let outer = json!({"type": "ExternalIP", "address": "192.0.2.1"});
        assert_eq!(node_address(&node(json!([inner, outer]))), Some("192.0.2.1"));
        assert_eq!(
            node_address(&node(json!([{"type": "Hostname", "address": "a"}, inner]))),
            Some("10.0.0.1")
        );
        assert_eq!(node_address(&Value::Null), None);
    }

    #[test]
    fn passwords_are_named_not_shown_unless_they_are_published() {
        let made = Password::Made(PASSWORD.to_owned()).line(" --context lab");
        let command = "kubectl --context lab get secret dex-passwords --namespace auth --output 'go-template={{.data.password | base64decode}}'";
        assert_eq!(made, command);
        assert!(Password::Published.line("").starts_with(PUBLISHED));
    }

    #[test]
    fn the_published_password_is_that_of_the_catalogue() {
        let component = include_str!("../../bases/dex/component.yaml");
        let hash = component.lines().find_map(|line| line.trim().strip_prefix("default: $2y$")).unwrap();
        assert!(bcrypt::verify(PUBLISHED, &format!("$2y${hash}")).unwrap());
    }
}
