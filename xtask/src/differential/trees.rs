//! Random trees of kustomizations: bases, overlays and components with every field that kustomize has.

use super::Tree;
use super::chance::{Chance, Writer, spelled};
use super::resources::{NAMES, Resource, any_value, generated, labels, odd_scalar, resource};
use serde_json::{Map, Value, json};

/// A kustomization that is being written.
struct Kustomization<'t> {
    chance: &'t mut Chance,
    tree: &'t mut Tree,
    directory: String,
    fields: Map<String, Value>,
    /// The resources that its patches and selectors can find: its own, and those of its bases.
    resources: Vec<Resource>,
}

type Write = fn(&mut Kustomization<'_>);

/// The fields that generate and change resources, each with what writes it.
const FIELDS: &[(&str, Write)] = &[
    ("namePrefix", |k| k.set_one_of("namePrefix", &["p-", "pre.", "a-b-"])),
    ("nameSuffix", |k| k.set_one_of("nameSuffix", &["-s", "-v1"])),
    ("namespace", |k| k.set_one_of("namespace", &["new", "default", "old", "ns-2"])),
    ("commonLabels", |k| {
        let value =
            k.chance.pick(&[json!({"team": "a", "env": "1"}), json!({"app": "over"}), json!({"b/c": ""})]);
        k.set("commonLabels", value);
    }),
    ("labels", |k| k.labels()),
    ("commonAnnotations", |k| {
        let value = k.chance.pick(&[
            spelled("me"),
            spelled("\"1\""),
            spelled("\"a: b\""),
            spelled("\"l1\\nl2\""),
            spelled("''"),
            spelled("\"yes\""),
        ]);
        k.set("commonAnnotations", json!({"by": value, "note": "common"}));
    }),
    ("patches", |k| k.patches()),
    ("patchesStrategicMerge", |k| k.patches_strategic_merge()),
    ("patchesJson6902", |k| k.patches_json6902()),
    ("images", |k| k.images("images")),
    ("imageTags", |k| k.images("imageTags")),
    ("replicas", |k| k.replicas()),
    ("replacements", |k| k.replacements()),
    ("vars", |k| k.vars()),
    ("configMapGenerator", |k| k.generator("configMapGenerator")),
    ("secretGenerator", |k| k.generator("secretGenerator")),
    ("generatorOptions", |k| {
        let value = k.options();
        k.set("generatorOptions", value);
    }),
    ("generators", |k| k.generators()),
    ("transformers", |k| k.transformers()),
    ("validators", |k| k.validators()),
    ("components", |_| {}),
    ("configurations", |k| k.configurations()),
    ("crds", |k| k.crds()),
    ("openapi", |k| k.openapi()),
    ("sortOptions", |k| k.sort_options()),
    ("buildMetadata", |k| {
        let words = k.chance.some(&["managedByLabel", "originAnnotations", "transformerAnnotations"], 1, 3);
        k.set("buildMetadata", json!(words));
    }),
    ("metadata", |k| {
        k.set(
            "metadata",
            json!({"name": "n", "namespace": "m", "labels": {"a": "b"}, "annotations": {"c": "d"}}),
        );
    }),
];

/// The names of the fields of which every pair has to occur.
pub(super) fn paired() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| *name)
}

impl Kustomization<'_> {
    fn set(&mut self, field: &str, value: Value) {
        self.fields.insert(field.to_owned(), value);
    }

    fn set_one_of(&mut self, field: &str, all: &[&str]) {
        let value = self.chance.pick(all);
        self.set(field, json!(value));
    }

    /// Writes a value into a file of this directory; gives its name.
    fn file(&mut self, name: &str, value: &Value) -> String {
        let text = Writer::document(value, self.chance);
        self.text_file(name, text)
    }

    fn text_file(&mut self, name: &str, text: String) -> String {
        self.tree.add(&format!("{}{name}", self.directory), text);
        name.to_owned()
    }

    fn some_resource(&mut self) -> Resource {
        self.chance.pick(&self.resources)
    }

    /// Of something that has replicas, as a rule: kustomize refuses other names.
    fn replicas(&mut self) {
        let scaled = |one: &Resource| matches!(one.kind, "Deployment" | "StatefulSet");
        let mut names: Vec<String> =
            self.resources.iter().filter(|one| scaled(one)).map(|one| one.name.clone()).collect();
        if self.chance.one_in(30) {
            names.push(self.chance.pick(NAMES).to_owned());
        }
        if !names.is_empty() {
            let (name, count) = (self.chance.pick(&names), self.chance.pick(&[0, 5]));
            self.set("replicas", json!([{"name": name, "count": count}]));
        }
    }

    fn labels(&mut self) {
        let mut entry = json!({"pairs": labels(self.chance)});
        match self.chance.between(0, 5) {
            0 => entry["includeSelectors"] = json!(true),
            1 => entry["includeTemplates"] = json!(true),
            2 => {
                entry["fields"] = json!([{"path": "spec/labels", "create": true, "kind": "Widget"}, {"path": "spec/selector", "group": "example.com", "version": "v1"}]);
            }
            3 => entry["includeSelectors"] = json!(false),
            _ => {}
        }
        let more = json!({"pairs": {"rel": "x"}});
        let entries = if self.chance.one_in(3) { json!([entry, more]) } else { json!([entry]) };
        self.set("labels", entries);
    }

    fn images(&mut self, field: &str) {
        let name = self.chance.pick(&["nginx", "reg.io/a/b", "reg.io:5000/x", "busybox", "n*"]);
        let digest = format!("sha256:{}", "a".repeat(64));
        let mut entry = json!({"name": name});
        let how: &[Value] = &[
            json!({"newTag": "9"}),
            json!({"newName": "other/n"}),
            json!({"digest": digest}),
            json!({"newName": "o", "newTag": "v2"}),
            json!({"tagSuffix": "-x"}),
            json!({"newName": "reg.io:5000/y"}),
            json!({"newTag": "v1", "digest": digest}),
        ];
        for (key, value) in self.chance.pick(how).as_object().into_iter().flatten() {
            entry[key.as_str()] = value.clone();
        }
        self.set(field, json!([entry]));
    }

    /// A body of a strategic merge patch.
    fn merge(&mut self, of: &Resource) -> Value {
        let mut patch = Value::Object(of.head());
        let pods: &[Value] = &[
            json!({"containers": [{"name": "main", "image": "patched:1", "env": [{"name": "A", "value": "z"}, {"name": "B", "$patch": "delete"}]}]}),
            json!({"containers": [{"$patch": "replace"}, {"name": "only", "image": "o"}]}),
            json!({"containers": [{"name": "main", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 7}], "args": ["--new"]}]}),
            json!({"$setElementOrder/containers": [{"name": "side"}, {"name": "main"}], "containers": [{"name": "side", "image": "s"}]}),
            json!({"volumes": [{"name": "v", "emptyDir": {}, "configMap": null}, {"name": "new", "secret": {"secretName": "hidden"}}]}),
            json!({"containers": null}),
            json!({"nodeSelector": {"a": "b"}, "tolerations": [{"key": "k", "operator": "Exists"}]}),
            json!({"volumes": [{"$retainKeys": ["name", "emptyDir"], "name": "v", "emptyDir": {}}]}),
        ];
        let any: &[Value] = &[
            json!({"metadata": {"labels": {"patched": "1", "app": null}}}),
            json!({"metadata": {"annotations": {"a/b": null, "n": "x"}}}),
            json!({"$patch": "delete"}),
            json!({"spec": null}),
            json!({"spec": {"$patch": "replace", "only": "this"}}),
            json!({"spec": {"$patch": "delete"}}),
            json!({"data": {"alpha": null, "newkey": "a\nb"}}),
            json!({"spec": {"ports": [{"port": 80, "name": "http"}, {"port": 90}]}}),
            json!({"spec": {"alpha": any_value(self.chance, 2), "new": any_value(self.chance, 2), "gamma": odd_scalar(self.chance)}}),
            json!({"spec": any_value(self.chance, 3)}),
            json!({"metadata": {"labels": {}}, "spec": {}}),
        ];
        let change = if of.has_pods() && self.chance.one_in(2) {
            json!({"spec": {"template": {"spec": self.chance.pick(pods)}}})
        } else {
            self.chance.pick(any)
        };
        overlay(&mut patch, &change);
        patch
    }

    /// A body of a JSON patch.
    fn operations(&mut self, of: &Resource) -> Value {
        let any: &[Value] = &[
            json!([{"op": "add", "path": "/metadata/labels", "value": {"j": "1"}}]),
            json!([{"op": "replace", "path": "/metadata/name", "value": "renamed"}]),
            json!([{"op": "add", "path": "/x~1y", "value": any_value(self.chance, 2)}]),
            json!([{"op": "test", "path": "/kind", "value": of.kind}, {"op": "add", "path": "/metadata/annotations", "value": {"x": "y"}}]),
            json!([{"op": "copy", "from": "/metadata/name", "path": "/copied"}]),
            json!([{"op": "move", "from": "/kind", "path": "/kind2"}, {"op": "move", "from": "/kind2", "path": "/kind"}]),
            json!([{"op": "add", "path": "/data", "value": {"a": "yes", "b": "1.0", "c": "01"}}]),
            json!([{"op": "add", "path": "/spec", "value": [1, 2.5, null, "x", odd_scalar(self.chance)]}]),
            json!([{"op": "remove", "path": "/metadata/labels"}]),
            json!([{"op": "add", "path": "/metadata/generation", "value": odd_scalar(self.chance)}]),
        ];
        let pods: &[Value] = &[
            json!([{"op": "add", "path": "/spec/template/spec/containers/0", "value": {"name": "first", "image": "nginx"}}]),
            json!([{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "last", "image": "nginx"}}]),
            json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "replaced:2"}]),
            json!([{"op": "remove", "path": "/spec/template/spec/containers/0"}]),
        ];
        if of.has_pods() && self.chance.one_in(2) { self.chance.pick(pods) } else { self.chance.pick(any) }
    }

    fn target(&mut self, of: &Resource) -> Value {
        let (kind, name) = (of.kind, &of.name);
        let all: &[Value] = &[
            json!({"kind": kind, "name": name}),
            json!({"kind": kind}),
            json!({"name": name}),
            json!({"group": of.group(), "version": of.version.rsplit('/').next(), "kind": kind}),
            json!({"kind": kind, "name": format!("{}.*", &name[..1])}),
            json!({"kind": kind, "namespace": of.namespace.unwrap_or("default")}),
            json!({"labelSelector": "app=web"}),
            json!({"annotationSelector": "note", "kind": kind}),
            json!({"kind": format!("{}|Nothing", kind), "labelSelector": "app in (web, x),!none"}),
        ];
        self.chance.pick(all)
    }

    /// A patch as a text, in YAML or JSON.
    fn inline(&mut self, value: &Value) -> String {
        let is_spelled = value.to_string().contains("\\u0001");
        if self.chance.one_in(8) && !is_spelled {
            value.to_string()
        } else {
            Writer::document(value, self.chance)
        }
    }

    fn patches(&mut self) {
        let mut patches = Vec::new();
        for at in 0..self.chance.between(1, 3) {
            let of = self.some_resource();
            let is_json = self.chance.one_in(2);
            let body = if is_json { self.operations(&of) } else { self.merge(&of) };
            let mut patch = if self.chance.one_in(3) {
                json!({"path": self.file(&format!("patch{at}.yaml"), &body)})
            } else {
                json!({"patch": self.inline(&body)})
            };
            if is_json || self.chance.one_in(3) {
                patch["target"] = self.target(&of);
            }
            if self.chance.one_in(5) {
                let (name, kind) = (self.chance.one_in(2), self.chance.one_in(2));
                patch["options"] = json!({"allowNameChange": name, "allowKindChange": kind});
            }
            patches.push(patch);
        }
        self.set("patches", Value::Array(patches));
    }

    fn patches_strategic_merge(&mut self) {
        let of = self.some_resource();
        let body = self.merge(&of);
        let entry = if self.chance.one_in(2) { self.file("merge.yaml", &body) } else { self.inline(&body) };
        self.set("patchesStrategicMerge", json!([entry]));
    }

    fn patches_json6902(&mut self) {
        let of = self.some_resource();
        let body = self.operations(&of);
        let version = of.version.rsplit('/').next();
        let mut patch =
            json!({"target": {"group": of.group(), "version": version, "kind": of.kind, "name": of.name}});
        if let Some(namespace) = of.namespace {
            patch["target"]["namespace"] = json!(namespace);
        }
        if self.chance.one_in(6) {
            patch["target"]["labelSelector"] = json!("app=web");
            patch["target"]["annotationSelector"] = json!("note");
        }
        if self.chance.one_in(6) {
            patch["options"] = json!({"allowNameChange": true, "allowKindChange": false});
        }
        match self.chance.between(0, 2) {
            0 => patch["path"] = json!(self.file("operations.yaml", &body)),
            _ => patch["patch"] = json!(self.inline(&body)),
        }
        self.set("patchesJson6902", json!([patch]));
    }

    /// A selector of a replacement.
    fn selection(&mut self, of: &Resource) -> Value {
        let version = of.version.rsplit('/').next();
        let all: &[Value] = &[
            json!({"kind": of.kind}),
            json!({"kind": of.kind, "name": of.name}),
            json!({"name": format!("{}.*", &of.name[..1])}),
            json!({"group": of.group(), "version": version, "kind": of.kind}),
            json!({"labelSelector": "app=web"}),
            json!({"annotationSelector": "note", "kind": of.kind}),
            json!({"namespace": of.namespace.unwrap_or("default"), "kind": of.kind}),
        ];
        self.chance.pick(all)
    }

    fn replacement_source(&mut self) -> Value {
        let of = self.some_resource();
        let odd = [
            "metadata.labels.app",
            "spec.replicas",
            "data.alpha",
            "metadata.annotations.note",
            "spec.template.spec.containers.0.image",
            "metadata.namespace",
            "spec.alpha",
            "spec.gamma",
            "data.config\\.yaml.a",
            "spec.template.spec.containers.[name=main].image",
        ];
        let path = if self.chance.one_in(3) {
            self.chance.pick(&odd)
        } else {
            self.chance.pick(&["metadata.name", "kind", "apiVersion"])
        };
        let mut source = json!({"kind": of.kind, "name": of.name, "fieldPath": path});
        if let Some(namespace) = of.namespace {
            source["namespace"] = json!(namespace);
        }
        if self.chance.one_in(4) {
            let delimiter = self.chance.pick(&["-", ":", "/"]);
            source["options"] = json!({"delimiter": delimiter, "index": 0, "create": false});
        }
        if self.chance.one_in(6) {
            source["group"] = json!(of.group());
            source["version"] = json!(of.version.rsplit('/').next());
        }
        if self.chance.one_in(40) {
            source["options"] = json!({"encoding": "base64"});
        }
        source
    }

    fn replacement_target(&mut self) -> Value {
        let of = self.some_resource();
        let odd = [
            "metadata.labels.app",
            "metadata.annotations.[a/b]",
            "spec.template.spec.containers.[name=main].image",
            "spec.template.spec.containers.*.image",
            "data.alpha",
            "spec.ports.0.name",
            "spec.alpha",
            "data.config\\.yaml.a",
            "data.config\\.json.a.b",
            "spec.template.spec.containers.[name=main].env.[name=A].value",
            "spec.beta.name",
            "metadata.annotations.note",
        ];
        let mut target = json!({"select": self.selection(&of)});
        let (path, options) = match self.chance.between(0, 5) {
            0 => (self.chance.pick(&odd), json!({})),
            1 => (self.chance.pick(&odd), json!({"create": true})),
            2 => ("metadata.name", json!({"delimiter": "-", "index": self.chance.pick(&[0, 1, -1])})),
            3 => ("metadata.annotations.copied", json!({"create": true, "encoding": "base64"})),
            _ => (
                self.chance.pick(&[
                    "metadata.annotations.copied",
                    "metadata.annotations.a/b",
                    "spec.new.deep",
                ]),
                json!({"create": true}),
            ),
        };
        target["fieldPaths"] = json!([path]);
        target["options"] = options;
        if self.chance.one_in(3) {
            let rejected = self.some_resource();
            target["reject"] = json!([self.selection(&rejected)]);
        }
        target
    }

    fn replacements(&mut self) {
        let mut entry = json!({"targets": [self.replacement_target()]});
        if self.chance.one_in(4) {
            entry["sourceValue"] = json!(self.chance.pick(&["v", "a:b", "1", "true", ""]));
        } else {
            entry["source"] = self.replacement_source();
        }
        let is_file = self.chance.one_in(5);
        let entry = if is_file { json!({"path": self.file("replacement.yaml", &entry)}) } else { entry };
        self.set("replacements", json!([entry]));
    }

    fn vars(&mut self) {
        let of = self.some_resource();
        // Each name once in a tree, as a rule.
        let name = ["V", "W"].into_iter().find(|name| !self.tree.ids.contains(&(*name).to_owned()));
        let name = name.unwrap_or("X").to_owned();
        let mut entry =
            json!({"name": name, "objref": {"apiVersion": of.version, "kind": of.kind, "name": of.name}});
        self.tree.ids.push(name);
        if self.chance.one_in(5) {
            let version = of.version.rsplit('/').next();
            entry["objref"] =
                json!({"group": of.group(), "version": version, "kind": of.kind, "name": of.name});
        }
        if let (Some(namespace), true) = (of.namespace, self.chance.one_in(2)) {
            entry["objref"]["namespace"] = json!(namespace);
        }
        if self.chance.one_in(2) {
            let path = self.chance.pick(&[
                "metadata.name",
                "metadata.name",
                "kind",
                "apiVersion",
                "metadata.labels.app",
                "spec.replicas",
                "data.alpha",
            ]);
            let field = self.chance.pick(&["fieldPath", "fieldpath"]);
            entry["fieldref"] = json!({field: path});
        }
        self.set("vars", json!([entry]));
    }

    fn options(&mut self) -> Value {
        let all: &[Value] = &[
            json!({"disableNameSuffixHash": true}),
            json!({"labels": {"o": "p"}}),
            json!({"annotations": {"q": "1"}}),
            json!({"immutable": true}),
            json!({"labels": {"o": "p"}, "annotations": {"q": "r"}, "disableNameSuffixHash": true}),
        ];
        self.chance.pick(all)
    }

    fn generator(&mut self, field: &str) {
        let is_secret = field == "secretGenerator";
        let name = if is_secret { "hidden" } else { "generated" };
        let mut entry = json!({"name": name});
        let generated = generated(is_secret, name);
        if self.resources.iter().any(|one| one.kind == generated.kind && one.name == name) {
            entry["behavior"] = json!(self.chance.pick(&["merge", "replace"]));
        } else if self.chance.one_in(4) {
            entry["behavior"] = json!("create");
        }
        self.resources.push(generated);
        let literals = [
            "a=1", "b=true", "c=x y", "d=", "e=l1\nl2", "f='q'", "g=\"q\"", "h=a=b", "i= sp", "k=é",
            "l=null", "m=a\tb ",
        ];
        if self.chance.one_in(2) {
            entry["literals"] = json!(self.chance.some(&literals, 1, 4));
        }
        if self.chance.one_in(3) {
            let text = self
                .chance
                .pick(&[
                    "hello",
                    "a\nb\n",
                    "tab\there\n",
                    "",
                    "ends \nx\n",
                    "\r\nwin\r\n",
                    " lead\n",
                    "é\n",
                    "\u{0}bin\n",
                    "\tlead\nx\n",
                    "long ".repeat(40).as_str(),
                ])
                .to_owned();
            let file = self.text_file("data.txt", text);
            entry["files"] = json!([self.chance.pick(&[file, "key=data.txt".to_owned()])]);
        }
        if self.chance.one_in(3) {
            let text = self
                .chance
                .pick(&[
                    "A=1\nB=2\n",
                    "# c\nA=x y\n\nC=\"q\"\n",
                    "A=b=c\n",
                    "A='1'\r\nB= 2 \r\n",
                    "\u{feff}A=1\n",
                    "A=\n",
                ])
                .to_owned();
            let file = self.text_file("x.env", text);
            if self.chance.one_in(4) { entry["env"] = json!(file) } else { entry["envs"] = json!([file]) }
        }
        if self.chance.one_in(4) {
            entry["options"] = self.options();
        }
        if self.chance.one_in(12) {
            entry["namespace"] = json!(self.chance.pick(&["old", "default"]));
        }
        if is_secret && self.chance.one_in(3) {
            entry["type"] = json!("example.com/x");
        }
        self.set(field, json!([entry]));
    }

    fn plug_in(&mut self, field: &str, all: &[Value]) {
        let mut value = self.chance.pick(all);
        overlay(&mut value, &json!({"apiVersion": "builtin", "metadata": {"name": "plug-in"}}));
        let entry = if self.chance.one_in(2) {
            self.file(&format!("{field}.yaml"), &value)
        } else {
            self.inline(&value)
        };
        self.set(field, json!([entry]));
    }

    fn generators(&mut self) {
        let all = [
            json!({"kind": "ConfigMapGenerator", "metadata": {"name": "made"}, "literals": ["a=b"]}),
            json!({"kind": "SecretGenerator", "metadata": {"name": "made"}, "literals": ["a=b"], "type": "x/y"}),
        ];
        self.plug_in("generators", &all);
    }

    fn transformers(&mut self) {
        let of = self.some_resource();
        let (target, operations) = (self.target(&of), self.operations(&of));
        let metadata = json!([{"path": "metadata/labels", "create": true}]);
        let all = [
            json!({"kind": "PrefixTransformer", "prefix": "t-", "fieldSpecs": [{"path": "metadata/name"}]}),
            json!({"kind": "SuffixTransformer", "suffix": "-t", "fieldSpecs": [{"path": "metadata/name", "kind": of.kind}]}),
            json!({"kind": "NamespaceTransformer", "metadata": {"namespace": "moved"}, "fieldSpecs": [{"path": "metadata/namespace", "create": true}]}),
            json!({"kind": "NamespaceTransformer", "metadata": {"namespace": "moved"}, "unsetOnly": true, "setRoleBindingSubjects": "allServiceAccounts",
                "fieldSpecs": [{"path": "metadata/namespace", "create": true}]}),
            json!({"kind": "LabelTransformer", "labels": {"t": "u"}, "fieldSpecs": metadata}),
            json!({"kind": "AnnotationsTransformer", "annotations": {"t": "1"}, "fieldSpecs": [{"path": "metadata/annotations", "create": true}]}),
            json!({"kind": "ImageTagTransformer", "imageTag": {"name": "nginx", "newTag": "t"}, "fieldSpecs": [{"path": "spec/image"}]}),
            json!({"kind": "ReplicaCountTransformer", "replica": {"name": of.name, "count": 4}, "fieldSpecs": [{"path": "spec/replicas", "create": true, "kind": "Deployment"}]}),
            json!({"kind": "PatchTransformer", "patch": Value::String(operations.to_string().replace("\\u0001", "")), "target": target}),
        ];
        self.plug_in("transformers", &all);
    }

    /// A validator sees the resources and changes nothing.
    fn validators(&mut self) {
        self.plug_in("validators", &[json!({"kind": "LabelTransformer", "labels": {}, "fieldSpecs": []})]);
    }

    fn configurations(&mut self) {
        let all = [
            json!({"images": [{"path": "spec/image", "kind": "Widget"}]}),
            json!({"namePrefix": [{"path": "spec/ref/name", "kind": "Widget"}], "commonLabels": [{"path": "spec/selector", "create": true, "kind": "Widget"}]}),
            json!({"nameReference": [{"kind": "ConfigMap", "version": "v1", "fieldSpecs": [{"path": "spec/ref/name", "kind": "Widget"}]}]}),
            json!({"varReference": [{"path": "spec/alpha", "kind": "Widget"}, {"path": "data", "kind": "ConfigMap"}]}),
            json!({"namespace": [{"path": "spec/ns", "create": true, "kind": "Widget"}], "commonAnnotations": [{"path": "spec/notes", "create": true, "kind": "Widget"}]}),
            json!({"replicas": [{"path": "spec/size", "create": true, "kind": "Widget"}]}),
        ];
        let value = self.chance.pick(&all);
        let file = self.file("configuration.yaml", &value);
        self.set("configurations", json!([file]));
    }

    fn crds(&mut self) {
        let reference = json!({"type": "object", "x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": "ConfigMap",
            "x-kubernetes-object-ref-name-key": "name", "properties": {"name": {"type": "string"}}});
        let definitions = json!({"com.example.v1.Widget": {"Schema": {
            "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
                "spec": {"type": "object", "properties": {"ref": reference}}}}, "Dependencies": []}});
        let file = self.text_file("crds.json", definitions.to_string());
        self.set("crds", json!([file]));
    }

    fn openapi(&mut self) {
        if self.chance.one_in(3) {
            return self.set("openapi", json!({"version": "v1.21.2"}));
        }
        let list = json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"});
        let schema = json!({"definitions": {"com.example.v1.Widget": {
            "type": "object", "properties": {"spec": {"type": "object", "properties": {"alpha": list}}},
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Widget"}]}}});
        let file = self.text_file("schema.json", schema.to_string());
        self.set("openapi", json!({"path": file}));
    }

    fn sort_options(&mut self) {
        let all = [
            json!({"order": "legacy"}),
            json!({"order": "fifo"}),
            json!({"order": "legacy", "legacySortOptions": {"orderFirst": ["Widget", "Service"], "orderLast": ["Namespace"]}}),
        ];
        let value = self.chance.pick(&all);
        self.set("sortOptions", value);
    }

    /// Writes the file of this kustomization.
    fn finish(self, kind: &str) -> Vec<Resource> {
        let version = if kind == "Component" { "v1alpha1" } else { "v1beta1" };
        let mut fields = self.fields;
        if kind == "Component" || !self.chance.one_in(4) {
            fields.insert("apiVersion".to_owned(), json!(format!("kustomize.config.k8s.io/{version}")));
            fields.insert("kind".to_owned(), json!(kind));
        }
        let value = Value::Object(fields);
        let text = Writer::document(&value, self.chance);
        self.tree.kustomizations.push(value);
        let name = self.chance.pick(&[
            "kustomization.yaml",
            "kustomization.yaml",
            "kustomization.yml",
            "Kustomization",
        ]);
        self.tree.add(&format!("{}{name}", self.directory), text);
        self.resources
    }
}

/// Puts the fields of a mapping over those of another.
fn overlay(value: &mut Value, change: &Value) {
    match (value, change) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (key, change) in changes {
                match fields.get_mut(key) {
                    Some(field) => overlay(field, change),
                    None => drop(fields.insert(key.clone(), change.clone())),
                }
            }
        }
        (value, change) if *value != *change && !value.is_string() => *value = change.clone(),
        _ => {}
    }
}

/// Writes resources into files, and their names into the kustomization.
fn own_resources(kustomization: &mut Kustomization<'_>) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..kustomization.chance.between(1, 4) {
        let resource = resource(kustomization.chance);
        let id = format!("{} {}", resource.kind, resource.name);
        // Nearly always unique, or most trees would be refused.
        if kustomization.tree.ids.contains(&id) && !kustomization.chance.one_in(40) {
            continue;
        }
        kustomization.tree.ids.push(id);
        texts.push(Writer::document(&resource.value, kustomization.chance));
        kustomization.resources.push(resource);
    }
    if texts.is_empty() {
        return Vec::new();
    }
    if kustomization.chance.one_in(2) {
        return vec![kustomization.text_file("all.yaml", texts.join("---\n"))];
    }
    texts
        .into_iter()
        .enumerate()
        .map(|(at, text)| kustomization.text_file(&format!("r{at}.yaml"), text))
        .collect()
}

/// A root that is to be written.
struct Layer<'l> {
    directory: &'l str,
    kind: &'l str,
    /// How many layers of bases are below it.
    depth: usize,
}

/// Writes a root over resources that others have; gives those that it has then.
fn write(layer: &Layer<'_>, tree: &mut Tree, chance: &mut Chance, visible: Vec<Resource>) -> Vec<Resource> {
    let Layer { directory, kind, depth } = *layer;
    let mut below = Vec::new();
    let mut roots = Vec::new();
    for at in 0..if depth == 0 { 0 } else { chance.between(1, 2) } {
        let name = format!("base{at}");
        let base =
            Layer { directory: &format!("{directory}{name}/"), kind: "Kustomization", depth: depth - 1 };
        below.extend(write(&base, tree, chance, Vec::new()));
        roots.push(name);
    }
    let mut kustomization = Kustomization {
        chance,
        tree,
        directory: directory.to_owned(),
        fields: Map::new(),
        resources: visible,
    };
    kustomization.resources.extend(below);
    let mut files = own_resources(&mut kustomization);
    if kustomization.resources.is_empty() {
        // Something has to be there.
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: only\n";
        files.push(kustomization.text_file("only.yaml", map.to_owned()));
        let mut only = resource(kustomization.chance);
        (only.version, only.kind, only.name, only.namespace) = ("v1", "ConfigMap", "only".to_owned(), None);
        kustomization.resources.push(only);
    }
    if kustomization.chance.one_in(6) && !roots.is_empty() {
        kustomization.set("bases", json!(roots));
    } else {
        files.extend(roots);
    }
    kustomization.chance.shuffle(&mut files);
    if !files.is_empty() {
        kustomization.set("resources", json!(files));
    }
    let most = if depth == 0 { 5 } else { 7 };
    for (name, write_field) in kustomization.chance.some(FIELDS, 1, most) {
        if name == "components" {
            if kind == "Component" || kustomization.chance.one_in(2) && depth > 1 {
                continue;
            }
            let component = Layer { directory: &format!("{directory}part/"), kind: "Component", depth: 0 };
            let visible = kustomization.resources.clone();
            kustomization.resources = write(&component, kustomization.tree, kustomization.chance, visible);
            kustomization.set("components", json!(["part"]));
        } else {
            write_field(&mut kustomization);
        }
    }
    kustomization.finish(kind)
}

/// A tree of one to three layers.
pub(super) fn grown(chance: &mut Chance) -> Tree {
    let mut tree = Tree::default();
    let depth = chance.pick(&[0, 0, 1, 1, 2]);
    write(&Layer { directory: "", kind: "Kustomization", depth }, &mut tree, chance, Vec::new());
    let flags: &[&[&str]] = &[
        &[],
        &[],
        &[],
        &[],
        &["--enable-managedby-label"],
        &["--load-restrictor", "LoadRestrictionsNone"],
        &["--reorder", "legacy"],
        &["--reorder", "none"],
    ];
    tree.arguments = chance.pick(flags).iter().map(|flag| (*flag).to_owned()).collect();
    tree
}
