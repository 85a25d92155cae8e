//! Secrets that kfc makes: by an apply, by the program in the cluster, by a command. Nobody overwrites them, and none is taken away.

use super::cluster::{Cluster, Run, Server, lab_file};
use super::space::listed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;

/// A component with a Secret in each of two namespaces, of which the second copies a value of the first.
struct Shop {
    cluster: Cluster,
    name: &'static str,
}

/// Where the program in the cluster finds its ServiceAccount.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

impl Shop {
    fn new(name: &'static str) -> Self {
        let shop = Self { cluster: Cluster::of(Server::Controlled), name };
        let component = "
apiVersion: kfc.dev/v1alpha1
kind: Component
metadata: {name: shop}
spec:
  stage: data
  requires: [{capability: secret-generator}]
  secrets:
  - name: users
    namespace: NAME
    description: The first user.
    keys: {name: constant, hash: {bcrypt: password}, password: {random: {length: 20, alphabet: alphanumeric}}}
    readers: [{kind: Deployment, name: web}]
  - name: client
    namespace: NAME-far
    description: The first user, again.
    keys: {copied: {copy: {namespace: NAME, name: users, key: password}}, own: {random: {length: 32, alphabet: hex}}}
    readers: [{kind: StatefulSet, name: store}]
";
        let base = "
{apiVersion: v1, kind: Namespace, metadata: {name: NAME}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: NAME-far}}
---
apiVersion: v1
kind: Secret
metadata: {name: users, namespace: NAME, labels: {app: shop}}
stringData: {name: first, hash: of-the-base, password: of-the-base}
---
apiVersion: v1
kind: Secret
metadata: {name: client, namespace: NAME-far}
stringData: {copied: of-the-base, own: of-the-base}
";
        let defaults = "
apiVersion: kfc.dev/v1alpha1
kind: Platform
metadata: {name: defaults}
spec:
  role: abstract
  declares: {secrets.default: {type: string, default: generated}}
";
        let generator = "
apiVersion: kfc.dev/v1alpha1
kind: Component
metadata: {name: secret-generator}
spec: {stage: data, provides: [secret-generator]}
";
        for (file, text) in [
            ("bases/shop/component.yaml", component),
            ("bases/shop/shop.yaml", base),
            ("bases/shop/kustomization.yaml", "resources: [shop.yaml]\n"),
            ("bases/secret-generator/component.yaml", generator),
            (
                "bases/secret-generator/kustomization.yaml",
                "namespace: NAME\nresources: [config.yaml, rbac.yaml, workloads.yaml]\n",
            ),
            ("platforms/defaults.yaml", defaults),
            (
                "platforms/here.yaml",
                "{apiVersion: kfc.dev/v1alpha1, kind: Platform, metadata: {name: here}, spec: {role: platform}}\n",
            ),
        ] {
            shop.cluster.write(file, &text.replace("NAME", name));
        }
        // The program is that of the catalog.
        for file in ["config.yaml", "rbac.yaml", "workloads.yaml"] {
            let file = format!("bases/secret-generator/{file}");
            let text = std::fs::read_to_string(lab_file("../..").join(&file)).unwrap();
            shop.cluster.write(&file, &text);
        }
        shop
    }

    /// Writes the stack with these `secrets`.
    fn stack(&self, secrets: &str) {
        let text = format!(
            "apiVersion: kfc.dev/v1alpha1\nkind: Stack\nmetadata: {{name: {}}}\nspec:\n  platform: here\n  \
             builtin: false\n  catalogues: [.]\n  components: [shop]\n  secrets: {secrets}\n",
            self.name
        );
        self.cluster.write("kfc.yaml", &text);
    }

    fn kfc(&self, args: &[&str]) -> Run {
        self.cluster.kfc(args)
    }

    fn apply(&self, more: &[&str]) -> (String, String) {
        self.kfc(&[&["apply", "kfc.yaml", "--no-wait", "--prune-most"], more].concat()).succeeds()
    }

    /// The version and the values of a Secret.
    fn read(&self, namespace: &str, name: &str) -> (String, BTreeMap<String, String>) {
        let secret = self.cluster.get("secret", namespace, name).unwrap();
        let data = secret["data"].as_object().unwrap().iter();
        let decoded =
            |value: &Value| String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap();
        let version = secret["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
        (version, data.map(|(key, value)| (key.clone(), decoded(value))).collect())
    }

    fn both(&self) -> [(String, BTreeMap<String, String>); 2] {
        [self.read(self.name, "users"), self.read(&format!("{}-far", self.name), "client")]
    }

    /// Deletes both Secrets.
    fn lose(&self) {
        for (namespace, secret) in [(self.name.to_owned(), "users"), (format!("{}-far", self.name), "client")]
        {
            self.cluster.kubectl(&["delete", "secret", secret, "--namespace", &namespace]).succeeds();
        }
    }

    /// Runs the program in the cluster: with its script, its recipes, the token of its ServiceAccount, and nothing else.
    fn generate(&self) -> Run {
        let config = self.cluster.get("configmap", self.name, "secret-generator").unwrap();
        let account = self.cluster.path("account");
        let script = config["data"]["generate.py"].as_str().unwrap();
        assert!(script.contains(ACCOUNT));
        self.cluster.write("recipes/generate.py", &script.replace(ACCOUNT, account.to_str().unwrap()));
        self.cluster.write("recipes/recipes.json", config["data"]["recipes.json"].as_str().unwrap());
        let token = ["create", "token", "secret-generator", "--namespace", self.name];
        self.cluster.write("account/token", self.cluster.kubectl(&token).succeeds().0.trim());
        let view =
            self.cluster.kubectl(&["config", "view", "--raw", "--flatten", "--output=json"]).succeeds().0;
        let view: Value = serde_json::from_str(&view).unwrap();
        let server = &view["clusters"][0]["cluster"];
        let authority = server["certificate-authority-data"].as_str().unwrap();
        let authority = String::from_utf8(STANDARD.decode(authority).unwrap()).unwrap();
        self.cluster.write("account/ca.crt", &authority);
        let address = server["server"].as_str().unwrap().trim_start_matches("https://");
        let (host, port) = address.rsplit_once(':').unwrap();
        let mut command = self.cluster.command("python3", &["recipes/generate.py"]);
        command.env("KUBERNETES_SERVICE_HOST", host).env("KUBERNETES_SERVICE_PORT", port);
        Run::of(&mut command)
    }
}

/// Checks values as the recipes ask for them.
fn check([(_, users), (_, client)]: &[(String, BTreeMap<String, String>); 2]) {
    let (password, hash) = (&users["password"], &users["hash"]);
    assert!(password.len() == 20 && password.chars().all(|c| c.is_ascii_alphanumeric()), "{password}");
    assert_eq!(users["name"], "first");
    assert_eq!(&client["copied"], password);
    assert!(
        client["own"].len() == 32 && client["own"].chars().all(|c| c.is_ascii_hexdigit()),
        "{}",
        client["own"]
    );
    // The C library knows bcrypt, too.
    let check = "import ctypes, sys\n\
                 crypt = ctypes.CDLL('libcrypt.so.1').crypt\n\
                 crypt.argtypes, crypt.restype = (ctypes.c_char_p, ctypes.c_char_p), ctypes.c_char_p\n\
                 text, hashed = (word.encode() for word in sys.argv[1:])\n\
                 sys.exit(crypt(text, hashed) != hashed or not hashed.startswith(b'$2y$10$'))\n";
    let ran = std::process::Command::new("python3").args(["-c", check, password, hash]).status().unwrap();
    assert!(ran.success(), "{hash} is not a hash of {password}");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn an_apply_makes_secrets_once_and_nothing_takes_them_away() {
    let shop = Shop::new("made");
    shop.stack("{}");
    let (out, err) = shop.apply(&[]);
    assert!(
        err.contains("made Secret made/users\n") && err.contains("made Secret made-far/client\n"),
        "{err}"
    );
    let first = shop.both();
    check(&first);
    let values = || first.iter().flat_map(|(_, values)| values.values()).filter(|value| *value != "first");
    let bundle = shop.kfc(&["build", "kfc.yaml"]).succeeds().0;
    let kept = shop.cluster.kubectl(&["get", "configmaps", "--all-namespaces", "--output=yaml"]).succeeds().0;
    for text in [&out, &err, &bundle, &kept] {
        assert!(values().all(|value| !text.contains(value.as_str())), "a value is printed or kept");
        assert!(values().all(|value| !text.contains(&STANDARD.encode(value))), "a value is printed or kept");
    }
    assert!(listed(&shop.cluster, "made").iter().all(|object| !object.starts_with("Secret")));
    let (out, err) = shop.apply(&[]);
    assert_eq!(out, "", "{err}");
    assert_eq!(shop.both(), first);
    // Nor does what the others do: an apply of the bundle by kubectl, and a prune of what it does not have.
    shop.cluster.apply(&bundle);
    let labelled = [
        "apply",
        "-f",
        "bundle.yaml",
        "--prune",
        "--all",
        "--namespace=made",
        "--prune-allowlist=core/v1/Secret",
    ];
    shop.cluster.write("bundle.yaml", &bundle);
    shop.cluster.kubectl(&labelled);
    assert_eq!(shop.both(), first);
    // One that is missing is made again, and only that one.
    shop.cluster.kubectl(&["delete", "secret", "client", "--namespace=made-far"]).succeeds();
    let (_, err) = shop.apply(&[]);
    assert!(err.contains("made Secret made-far/client\n") && !err.contains("made/users"), "{err}");
    let [users, client] = shop.both();
    assert_eq!(users, first[0]);
    assert!(client.1["copied"] == first[1].1["copied"] && client.1["own"] != first[1].1["own"]);
    let (out, err) = shop.kfc(&["diff", "cluster", "kfc.yaml"]).succeeds();
    assert!(!out.contains("Secret") && !err.contains("Secret"), "{out}{err}");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn the_program_in_the_cluster_makes_what_is_missing_and_may_do_nothing_else() {
    let shop = Shop::new("jobs");
    shop.stack("{}");
    shop.cluster.apply(&shop.kfc(&["build", "kfc.yaml"]).succeeds().0);
    let (out, _) = shop.generate().succeeds();
    assert_eq!(out, "created jobs/users\ncreated jobs-far/client\n");
    let first = shop.both();
    check(&first);
    let (out, _) = shop.generate().succeeds();
    assert_eq!(out, "jobs/users exists\njobs-far/client exists\n");
    // An apply finds them.
    let (_, err) = shop.apply(&[]);
    assert!(!err.contains("made Secret"), "{err}");
    assert_eq!(shop.both(), first);
    let may = |verb: &str, what: &str, namespace: &str| {
        let account = "--as=system:serviceaccount:jobs:secret-generator";
        let what = format!("secrets{what}");
        let asked = shop.cluster.kubectl(&["auth", "can-i", verb, &what, account, "--namespace", namespace]);
        asked.out.trim() == "yes"
    };
    assert!(may("get", "/users", "jobs") && may("create", "", "jobs") && may("get", "/client", "jobs-far"));
    for (verb, what, namespace) in [
        ("get", "/other", "jobs"),
        ("get", "/client", "jobs"),
        ("list", "", "jobs"),
        ("update", "/users", "jobs"),
        ("patch", "/users", "jobs"),
        ("delete", "/users", "jobs"),
        ("create", "", "default"),
    ] {
        assert!(!may(verb, what, namespace), "it may {verb} secrets{what} in {namespace}");
    }
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_command_prints_secrets_that_kubectl_creates() {
    let shop = Shop::new("printed");
    shop.stack("{}");
    let create = || {
        let printed = shop.kfc(&["secrets", "generate", "kfc.yaml"]).succeeds().0;
        shop.cluster.write("secrets.yaml", &printed);
        shop.cluster.kubectl(&["create", "-f", "secrets.yaml"])
    };
    for namespace in ["printed", "printed-far"] {
        shop.cluster.kubectl(&["create", "namespace", namespace]).succeeds();
    }
    create().succeeds();
    let first = shop.both();
    check(&first);
    let (_, err) = create().fails();
    assert!(err.contains("already exists"), "{err}");
    assert_eq!(shop.both(), first);
    let (_, err) = shop.apply(&[]);
    assert!(!err.contains("made Secret"), "{err}");
    assert_eq!(shop.both(), first);
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn secrets_of_an_earlier_bundle_keep_their_values_and_leave_the_inventory() {
    let shop = Shop::new("earlier");
    shop.stack("{users: bundle, client: bundle}");
    shop.apply(&[]);
    let [users, client] = shop.both().map(|(_, values)| values);
    assert_eq!((users["password"].as_str(), client["own"].as_str()), ("of-the-base", "of-the-base"));
    assert!(listed(&shop.cluster, "earlier").contains("Secret earlier/users"));
    shop.stack("{users: generated, client: {existing: client}}");
    let (out, err) = shop.apply(&[]);
    assert!(!out.contains("Secret") && !err.contains("made Secret"), "{out}{err}");
    assert!(
        err.contains(
            "2 objects stay: values come from elsewhere now: Secret earlier/users, Secret earlier-far/client"
        ),
        "{err}"
    );
    assert_eq!(shop.both().map(|(_, values)| values), [users, client]);
    assert!(listed(&shop.cluster, "earlier").iter().all(|object| !object.starts_with("Secret")));
    let (out, err) = shop.apply(&[]);
    assert!(out.is_empty() && !err.contains("stays"), "{out}{err}");
    // What nobody owns any more can be given to another tool.
    let secret = shop.cluster.get("secret", "earlier", "users").unwrap();
    let managers = secret["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    assert!(
        managers.iter().all(|entry| !entry["manager"].as_str().unwrap().starts_with("kfc")),
        "{managers:?}"
    );
    shop.lose();
    let (_, err) = shop.apply(&[]);
    assert!(err.contains("made Secret earlier/users") && !err.contains("client"), "{err}");
}

#[test]
#[ignore = "needs the lab: .ci/lab"]
fn a_rotation_changes_a_secret_and_its_copies_and_says_what_to_restart() {
    let shop = Shop::new("rotated");
    shop.stack("{}");
    let rotate = |name: &str| shop.kfc(&["secrets", "rotate", "kfc.yaml", name]);
    let err = rotate("users").refused();
    assert!(err.contains("Secret rotated/users does not exist"), "{err}");
    shop.apply(&[]);
    let [(_, users), (_, client)] = shop.both();
    let (out, _) = rotate("users").succeeds();
    assert_eq!(
        out,
        "kubectl rollout restart deployment/web --namespace rotated\n\
         kubectl rollout restart statefulset/store --namespace rotated-far\n"
    );
    let after = shop.both();
    check(&after);
    let [(_, new_users), (_, new_client)] = &after;
    assert!(new_users["password"] != users["password"] && new_users["name"] == users["name"]);
    assert!(new_client["own"] == client["own"] && new_client["copied"] != client["copied"]);
    let err = rotate("user").refused();
    assert!(err.contains("error[KFC1018]") && err.contains("it makes users, client"), "{err}");
    shop.apply(&[]);
    assert_eq!(shop.both(), after);
}
