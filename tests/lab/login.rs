//! Whether users can log in as README.md and docs/login.md say: dex and oauth2-proxy as their projects release them run as
//! the containers of their pods, a browser of a few lines goes through the pages, and `gateway.py` does for Envoy what the
//! objects of the bundle ask of it.

use super::cluster::{Cluster, Run, Setup, lab_file};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The image that each program is the container of.
const IMAGES: [(&str, &str); 2] =
    [("dex", "ghcr.io/dexidp/dex"), ("oauth2-proxy", "quay.io/oauth2-proxy/oauth2-proxy")];
/// An address outside the cluster, for a router; `policies.py` has the range.
const ROUTER: &str = "10.250.0.1";
/// The address of an identity provider outside the cluster.
const ISSUER: &str = "10.250.0.2";

/// A program out of its image, where a maintainer has put it.
fn program(name: &str) -> String {
    let folder = std::env::var("KFC_LAB_IMAGES").expect("KFC_LAB_IMAGES: see docs/testing.md");
    Path::new(&folder).join(name).to_str().unwrap().to_owned()
}

/// A cluster, and who works with it until it ends.
struct Platform {
    cluster: Cluster,
    helpers: Vec<Child>,
}

/// Where a visit ended.
struct Page {
    status: u64,
    body: String,
    steps: Vec<Value>,
}

impl Drop for Platform {
    fn drop(&mut self) {
        for helper in &mut self.helpers {
            drop(helper.kill());
            drop(helper.wait());
        }
    }
}

impl Platform {
    /// A cluster in which some of the programs run.
    fn start(programs: &[&str]) -> Self {
        let chosen = IMAGES.iter().filter(|(name, _)| programs.contains(name));
        let programs = chosen.map(|(name, image)| (*image, program(name))).collect();
        Self { cluster: Cluster::start_with(&Setup { programs, ..Setup::default() }), helpers: Vec::new() }
    }

    /// Runs lines of a shell with kfc in the path.
    fn shell(&self, lines: &str) -> Run {
        let folder = Path::new(env!("CARGO_BIN_EXE_kfc")).parent().unwrap().display();
        Run::of(&mut self.cluster.command("bash", &["-euc", &format!("PATH={folder}:$PATH\n{lines}")]))
    }

    /// Starts a program that goes on, and waits until it prints a line with this text.
    fn keep(&mut self, mut command: Command, text: &str) {
        let mut helper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(helper.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains(text)), "{command:?} does not print {text:?}");
        // What it prints later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        self.helpers.push(helper);
    }

    /// Starts the ingress gateway, with the dashboard after it.
    fn serve(&mut self, options: &[&str]) {
        let (script, folder) = (lab_file("gateway.py"), self.cluster.folder().to_owned());
        let args = ["-B", script.to_str().unwrap(), folder.to_str().unwrap()];
        let mut command = self.cluster.command("python3", &args);
        command.args(["--answer", "kubeflow/dashboard"]).args(options);
        self.keep(command, "ready");
    }

    /// Runs a command that forwards a port of this machine, and goes on.
    fn forward(&mut self, line: &str, port: u16) {
        let args: Vec<&str> = line.split(' ').collect();
        let command = self.cluster.command(args[0], &args[1..]);
        self.keep(command, &format!("Forwarding from [::1]:{port}"));
    }

    /// Waits until the pods of a deployment are those of its newest revision, and their programs answer.
    fn wait_for(&self, namespace: &str, deployment: &str) {
        let place = format!("deployment/{deployment}");
        let args = ["rollout", "status", &place, "--namespace", namespace, "--timeout=120s"];
        self.cluster.kubectl(&args).succeeds();
        let pods = || {
            let selector = format!("--selector=app={deployment}");
            let selector = if deployment == "dex" {
                selector
            } else {
                selector.replace("app=", "app.kubernetes.io/name=")
            };
            let args = ["get", "pods", "--namespace", namespace, &selector, "--output=name"];
            self.cluster.kubectl(&args).succeeds().0
        };
        self.cluster.wait(&format!("{deployment} answers its readiness probe"), 120, || {
            let names = pods();
            !names.is_empty()
                && names.lines().all(|name| {
                    let name = name.rsplit('/').next().unwrap();
                    let state =
                        self.cluster.path(&format!("pods/{namespace}.{name}.{deployment}/state.json"));
                    std::fs::read_to_string(state).is_ok_and(|text| text.contains("\"ready\": true"))
                })
        });
    }

    /// Waits for both programs.
    fn wait_for_programs(&self) {
        self.wait_for("auth", "dex");
        self.wait_for("oauth2-proxy", "oauth2-proxy");
    }

    /// Lets a browser work: see `browser.py`.
    fn visit(&self, browser: &str, action: &[&str]) -> Page {
        let (script, folder) = (lab_file("browser.py"), self.cluster.folder().to_owned());
        // Stand-ins for webhooks have the ports of 127.0.0.1.
        let hosts = [
            "localhost=::1".to_owned(),
            format!("ml.example.org={ROUTER}"),
            format!("login.example.com={ISSUER}"),
        ];
        let mut command = self.cluster.command("python3", &["-B", script.to_str().unwrap()]);
        command.args(hosts.iter().flat_map(|host| ["--host", host]));
        let (out, _) = Run::of(command.arg(folder).arg(browser).args(action)).succeeds();
        let page: Value = serde_json::from_str(&out).unwrap();
        Page {
            status: page["status"].as_u64().unwrap(),
            body: page["body"].as_str().unwrap().to_owned(),
            steps: page["steps"].as_array().unwrap().clone(),
        }
    }

    /// The requests that reached the dashboard.
    fn answered(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.cluster.path("answered")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Page {
    /// Who the dashboard says that the user is; the page has to be the dashboard's.
    #[track_caller]
    fn user(&self) -> String {
        assert_eq!(self.status, 200, "{:#?}\n{}", self.steps, self.body);
        let request: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(request["service"], "kubeflow/dashboard");
        request["headers"]["kubeflow-userid"].as_str().unwrap().to_owned()
    }

    /// Whether the page is the one on which users start to sign in.
    fn is_sign_in(&self) -> bool {
        self.status == 403 && self.body.contains("action=\"/oauth2/start\"")
    }

    /// The addresses that were opened.
    fn urls(&self) -> Vec<&str> {
        self.steps.iter().map(|step| step["url"].as_str().unwrap()).collect()
    }
}

mod full {
    //! What a change does not wait for.
    use super::*;

    /// Tokens and names that a client without a session may try, and the status that it gets.
    const TRIES: [(&str, &[&str], u64); 7] = [
        ("/", &[], 403),
        ("/api/namespaces", &[], 401),
        ("/dex/%2e%2e/api/namespaces", &[], 401),
        ("/", &["Authorization: Bearer a.b.c"], 401),
        ("/", &["Authorization: Basic dXNlcjp1c2Vy"], 403),
        ("/", &["kubeflow-userid: user@example.com", "x-auth-request-email: user@example.com"], 403),
        ("/", &["Cookie: oauth2_proxy_kubeflow=djF8Zm9yZ2Vk|1795951626|c2ln"], 403),
    ];

    #[test]
    #[ignore = "needs the lab and the programs of images: docs/testing.md"]
    fn nobody_reaches_the_dashboard_without_a_session() {
        let mut platform = Platform::start(&["oauth2-proxy"]);
        platform.shell("kfc apply minikube --components central-dashboard,oauth2-proxy,dex").succeeds();
        platform.wait_for("oauth2-proxy", "oauth2-proxy");
        platform.serve(&[]);
        platform.forward(
            "kubectl port-forward --namespace istio-system service/istio-ingressgateway 8080:80",
            8080,
        );
        for (path, headers, status) in TRIES {
            let url = format!("http://localhost:8080{path}");
            let page = platform.visit("nobody", &[&["get", url.as_str()], headers].concat());
            assert_eq!(page.status, status, "{path} {headers:?}: {}", page.body);
        }
        assert_eq!(platform.answered(), Vec::<Value>::new());
        assert!(platform.visit("nobody", &["get", "http://localhost:8080/"]).is_sign_in());
    }

    mod images {
        //! Whole logins.
        use super::*;

        /// The blocks of commands of a section, from its title to the next one.
        fn commands(page: &str, title: &str) -> Vec<String> {
            let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
            let section = text.split_once(&format!("\n{title}\n")).unwrap().1.split("\n## ").next().unwrap();
            section
                .split("```sh\n")
                .skip(1)
                .map(|part| part.split("```").next().unwrap().to_owned())
                .collect()
        }

        /// The command of docs/login.md that makes a value for a parameter.
        fn command_for(parameter: &str) -> String {
            let text =
                std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/login.md")).unwrap();
            let row = text.lines().find(|line| line.starts_with(&format!("| `{parameter}` |"))).unwrap();
            let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
            cell.trim_matches('`').replace("\\|", "|")
        }

        const PAGE: &str = "http://localhost:8080/";

        #[test]
        #[ignore = "needs the lab and the programs of images: docs/testing.md"]
        fn the_commands_of_the_readme_lead_to_the_dashboard_and_change_user_and_password() {
            let mut platform = Platform::start(&["dex", "oauth2-proxy"]);
            let blocks = commands("README.md", "## First login");
            let (install, forward) = blocks[0].trim_end().rsplit_once('\n').unwrap();
            let (said, _) = platform.shell(install).succeeds();
            // The last command prints it, without a line end.
            let password = said.rsplit('\n').next().unwrap();
            assert_eq!(password.len(), 20, "{said}");
            platform.wait_for_programs();
            platform.serve(&[]);
            platform.forward(forward, 8080);

            let login = ["login", PAGE, "user@example.com", password];
            let page = platform.visit("first", &login);
            assert_eq!(page.user(), "user@example.com");
            assert!(page.urls().iter().all(|url| url.starts_with(PAGE)), "{:?}", page.urls());
            let wrong = platform.visit("guest", &["login", PAGE, "user@example.com", "12341235"]);
            assert_eq!(wrong.status, 401, "{}", wrong.body);
            let count = platform.answered().len();
            assert!(platform.visit("first", &["forge", PAGE]).is_sign_in());
            assert_eq!(platform.answered().len(), count, "a forged cookie reaches the dashboard");
            let claims = ["get", PAGE, "kubeflow-userid: admin@example.com", "kubeflow-groups: admins"];
            assert_eq!(platform.visit("first", &claims).user(), "user@example.com");
            assert_eq!(platform.answered().last().unwrap()["headers"].get("kubeflow-groups"), None);
            let other = forward.replace("8080:80", "9090:80");
            platform.forward(&other, 9090);
            let page =
                platform.visit("other", &["login", "http://localhost:9090/", "user@example.com", password]);
            assert_eq!(page.user(), "user@example.com");
            assert!(
                page.urls().iter().all(|url| url.starts_with("http://localhost:9090/")),
                "{:?}",
                page.urls()
            );

            platform.shell(&blocks[1]).succeeds();
            platform.wait_for_programs();
            assert_eq!(
                platform.visit("new", &["login", PAGE, "alice@example.org", "PASSWORD"]).user(),
                "alice@example.org"
            );
            assert_eq!(platform.visit("old", &login).status, 401);
            // Sessions outlive a password, and end with the cookie's secret: docs/login.md.
            assert_eq!(platform.visit("first", &["get", PAGE]).user(), "user@example.com");

            assert!(platform.visit("new", &["get", "http://localhost:8080/oauth2/sign_out"]).is_sign_in());
            assert!(platform.visit("new", &["get", PAGE]).is_sign_in());
        }

        #[test]
        #[ignore = "needs the lab and the programs of images: docs/testing.md"]
        fn the_commands_for_credentials_make_values_that_work() {
            let parameters = ["dex.passwordHash", "oidcClientSecret", "oauth2-proxy.cookieSecret"];
            let mut platform = Platform::start(&["dex", "oauth2-proxy"]);
            let apply = "kfc apply minikube --components central-dashboard,oauth2-proxy,dex";
            platform.shell(apply).succeeds();
            platform.wait_for_programs();
            platform.serve(&[]);
            platform.forward(
                "kubectl port-forward --namespace istio-system service/istio-ingressgateway 8080:80",
                8080,
            );
            platform.visit("before", &["login", PAGE, "user@example.com", "12341234"]).user();

            let values: Vec<String> =
                parameters.iter().map(|one| format!("--set \"{one}=$({})\"", command_for(one))).collect();
            let (_, said) = platform.shell(&format!("{apply} {}", values.join(" "))).succeeds();
            assert!(!said.contains("KFC1014"), "{said}");
            let restart = "kubectl rollout restart deployment --namespace";
            let page =
                std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/login.md")).unwrap();
            assert!(page.contains(&format!("`{restart} auth`")));
            platform.shell(&format!("{restart} auth; {restart} oauth2-proxy")).succeeds();
            platform.wait_for_programs();
            assert!(
                platform.visit("before", &["get", PAGE]).is_sign_in(),
                "a session outlives the cookie's secret"
            );
            assert_eq!(
                platform.visit("after", &["login", PAGE, "user@example.com", "PASSWORD"]).user(),
                "user@example.com"
            );
        }

        #[test]
        #[ignore = "needs the lab and the programs of images: docs/testing.md"]
        fn a_route_of_openshift_leads_from_its_domain_to_the_dashboard() {
            let mut platform = Platform::start(&["dex", "oauth2-proxy"]);
            platform.cluster.define_platform_kinds();
            let values: Vec<String> = ["dex.passwordHash", "oidcClientSecret", "oauth2-proxy.cookieSecret"]
                .iter()
                .map(|one| format!("--set \"{one}=$({})\"", command_for(one)))
                .collect();
            let apply = "kfc apply openshift --components central-dashboard,oauth2-proxy,dex \
                --set exposure=public --set domain=ml.example.org";
            platform.shell(&format!("{apply} {}", values.join(" "))).succeeds();
            platform.wait_for_programs();
            platform.serve(&["--router", ROUTER]);
            let page =
                platform.visit("user", &["login", "http://ml.example.org/", "user@example.com", "PASSWORD"]);
            assert_eq!(page.user(), "user@example.com");
            let (first, rest) =
                page.urls().split_first().map(|(first, rest)| (*first, rest.to_vec())).unwrap();
            assert_eq!(first, "http://ml.example.org/");
            assert!(rest.iter().all(|url| url.starts_with("https://ml.example.org/")), "{rest:?}");
            let cookies = std::fs::read_to_string(platform.cluster.path("user.cookies")).unwrap();
            assert!(cookies.contains("; secure;"), "{cookies}");
        }

        #[test]
        #[ignore = "needs the lab and the programs of images: docs/testing.md"]
        fn users_of_an_issuer_outside_the_cluster_log_in_there_and_come_back() {
            let mut platform = Platform::start(&["oauth2-proxy"]);
            serve_issuer(&mut platform);
            platform
                .shell(
                    "kfc apply onprem --components central-dashboard,oauth2-proxy --set facts.services.issuer=external \
                    --set external-issuer.issuer=https://login.example.com/dex --set oidcClientSecret=of-ones-own-secret \
                    --set oauth2-proxy.cookieSecret=of-ones-own-cookie-secret-123456",
                )
                .succeeds();
            platform.wait_for("oauth2-proxy", "oauth2-proxy");
            platform.serve(&["--host", &format!("login.example.com={ISSUER}")]);
            platform.forward(
                "kubectl port-forward --namespace istio-system service/istio-ingressgateway 8080:80",
                8080,
            );
            let page = platform.visit("bob", &["login", PAGE, "bob@example.net", "12341234"]);
            assert_eq!(page.user(), "bob@example.net");
            let count = platform.answered().len();
            assert_eq!(platform.visit("nobody", &["get", "http://localhost:8080/dex/"]).status, 403);
            assert_eq!(platform.answered().len(), count, "the path of dex leads to the dashboard");
            assert!(page.urls().iter().any(|url| url.starts_with("https://login.example.com/dex/auth")));
        }

        /// Starts another dex, as the identity provider that is already there: it knows whole addresses alone, as others do.
        fn serve_issuer(platform: &mut Platform) {
            let here = lab_file("").display().to_string();
            let certificate = format!(
                "import sys; sys.path.insert(0, '{here}'); import pki; \
                pki.make_certificate('pki', 'issuer', '/CN=issuer', ['DNS:login.example.com'])"
            );
            Run::of(&mut platform.cluster.command("python3", &["-B", "-c", &certificate])).succeeds();
            platform.cluster.write("hosts", &format!("{ISSUER} login.example.com\n"));
            let (hash, _) = platform.shell("htpasswd -nbBC 12 '' 12341234 | tr -d ':\n'").succeeds();
            let config = format!(
                "issuer: https://login.example.com/dex\n\
                storage: {{type: memory}}\n\
                web: {{https: '{ISSUER}:443', tlsCert: pki/issuer.crt, tlsKey: pki/issuer.key}}\n\
                oauth2: {{skipApprovalScreen: true}}\n\
                enablePasswordDB: true\n\
                staticPasswords: [{{email: bob@example.net, hash: '{hash}', username: bob, userID: '2'}}]\n\
                staticClients: [{{id: kubeflow, name: kfc, secret: of-ones-own-secret, redirectURIs: ['{PAGE}oauth2/callback']}}]\n"
            );
            let config = platform.cluster.write("issuer.yaml", &config);
            let mut command = platform.cluster.command(program("dex"), &["serve", config.to_str().unwrap()]);
            // It reports where it listens on standard error.
            command.stdout(Stdio::null()).stderr(Stdio::null());
            platform.helpers.push(command.spawn().unwrap());
            platform.cluster.wait("the issuer answers", 60, || {
                let url = "https://login.example.com/dex/healthz";
                let to = format!("login.example.com:443:{ISSUER}");
                let args = ["--silent", "--fail", "--cacert", "pki/ca.crt", "--resolve", &to, url];
                Run::of(&mut platform.cluster.command("curl", &args)).code == Some(0)
            });
        }
    }
}
