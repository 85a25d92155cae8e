"""Runs real programs as containers of simulated pods. A container whose image is named gets the program at the pod's own
address, in a root folder of its own, with the arguments, environment, volumes and ServiceAccount token that a kubelet would
give it; it is started again when it ends, and its volumes follow their config maps and Secrets. What a kubelet would wait
for, it waits for. Not played: images (there is only the program), limits, probes other than the readiness of HTTP.

LAB/pods/NAMESPACE.POD.CONTAINER/ has `state.json` (what it waits for, restarts, whether it is ready) and `log`.
"""

import base64
import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time

from api import Api, Refused

SERVICE_HOST = "10.96.0.1"
# The user of images that are made for `runAsNonRoot`, as the distroless ones call it.
NONROOT = 65532
PAUSE = 1.0
DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}


class Waits(Exception):
    """Something that a kubelet waits for before it starts a container."""


class Container:
    """One program as one container of one pod."""

    def __init__(self, lab, pod, spec, program):
        self.lab, self.pod, self.spec, self.program = lab, pod, spec, program
        self.api = Api(lab, "kubelet")
        self.namespace = pod["metadata"]["namespace"]
        self.name = f"{self.namespace}.{pod['metadata']['name']}.{spec['name']}"
        self.folder = f"{lab}/pods/{self.name}"
        self.root = f"{self.folder}/root"
        self.volumes, self.process, self.known_hosts = {}, None, None
        self.account = pod["spec"].get("serviceAccountName", "default")
        self.state = {"program": os.path.basename(program), "pod": pod["metadata"]["name"], "account": f"{self.namespace}:{self.account}",
                      "waits": None, "restarts": 0, "running": False, "ready": False}
        self.stopped = threading.Event()

    # The life of the container.

    def run(self):
        os.makedirs(self.root, exist_ok=True)
        while not self.stopped.is_set():
            try:
                self.prepare()
                self.note(waits=None)
                self.start()
                self.attend()
            except (Waits, OSError, Refused) as reason:
                self.note(waits=str(reason), running=False, ready=False)
            self.stopped.wait(PAUSE)
        if self.process:
            self.process.kill()

    def attend(self):
        """Until the program ends: volumes are kept up to date, and readiness is asked for."""
        while self.process.poll() is None:
            if self.stopped.wait(PAUSE):
                return
            try:
                self.fill_volumes()
                self.write_hosts()
            except (Waits, OSError, Refused):
                pass  # A Secret that went keeps its last content, as in a cluster.
            self.note(ready=self.is_ready())
        self.note(running=False, ready=False, restarts=self.state["restarts"] + 1)

    def note(self, **news):
        if any(self.state[key] != value for key, value in news.items()):
            self.state |= news
            with open(f"{self.folder}/state.json.new", "w") as file:
                json.dump(self.state, file)
            os.replace(f"{self.folder}/state.json.new", f"{self.folder}/state.json")

    def is_ready(self):
        probe = self.spec.get("readinessProbe", {}).get("httpGet")
        if not probe:
            return True
        port = probe["port"]
        if isinstance(port, str):
            port = next(entry["containerPort"] for entry in self.spec["ports"] if entry.get("name") == port)
        secure = probe.get("scheme") == "HTTPS"
        options = {"context": ssl._create_unverified_context()} if secure else {}
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        try:
            connection = connect(self.pod["status"]["podIP"], port, timeout=2, **options)
            # Some programs answer a kubelet in another way than their users.
            connection.request("GET", probe.get("path", "/"), headers={"User-Agent": "kube-probe/1.37"})
            return 200 <= connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False

    # What it is given.

    def object(self, kind, name, optional=False):
        found = self.api.find(f"/api/v1/namespaces/{self.namespace}/{kind}s/{name}")
        if found is None and not optional:
            raise Waits(f"{kind} {name}")
        return found

    def data(self, kind, name, optional=False):
        """Keys and bytes of a config map or Secret."""
        found = self.object(kind, name, optional) or {}
        plain = (found.get("data") or {}).items()
        texts = {key: text.encode() for key, text in plain} if kind == "configmap" else {}
        encoded = dict(found.get("binaryData") or {}) if kind == "configmap" else dict(plain)
        return texts | {key: base64.b64decode(text) for key, text in encoded.items()}

    def field(self, path):
        meta, status, spec = self.pod["metadata"], self.pod["status"], self.pod["spec"]
        part = re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path)
        if part:
            return (meta.get(part[1]) or {}).get(part[2], "")
        values = {"metadata.name": meta["name"], "metadata.namespace": self.namespace, "metadata.uid": meta["uid"],
                  "spec.nodeName": spec.get("nodeName", ""), "spec.serviceAccountName": spec.get("serviceAccountName", ""),
                  "status.podIP": status["podIP"], "status.podIPs": status["podIP"], "status.hostIP": status.get("hostIP", "")}
        return values[path]

    def environment(self):
        values = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "HOSTNAME": self.pod["metadata"]["name"],
                  "KUBERNETES_SERVICE_HOST": SERVICE_HOST, "KUBERNETES_SERVICE_PORT": "443"}
        for source in self.spec.get("envFrom") or []:
            kind = "configmap" if "configMapRef" in source else "secret"
            reference = source.get("configMapRef") or source["secretRef"]
            data = self.data(kind, reference["name"], reference.get("optional"))
            values |= {source.get("prefix", "") + key: text.decode() for key, text in data.items()}
        for variable in self.spec.get("env") or []:
            value = self.value(variable, values)
            if value is not None:
                values[variable["name"]] = value
        return values

    def value(self, variable, values):
        source = variable.get("valueFrom")
        if not source:
            return expand(variable.get("value", ""), values)
        if "fieldRef" in source:
            return self.field(source["fieldRef"]["fieldPath"])
        if "resourceFieldRef" in source:
            return "1"
        kind = "configmap" if "configMapKeyRef" in source else "secret"
        reference = source.get("configMapKeyRef") or source["secretKeyRef"]
        data = self.data(kind, reference["name"], reference.get("optional"))
        if reference["key"] not in data:
            if reference.get("optional"):
                return None
            raise Waits(f"key {reference['key']} of {kind} {reference['name']}")
        return data[reference["key"]].decode()

    def contents(self, source):
        """The files of one source of a volume; none for a source that starts empty."""
        for kind, key in (("configmap", "configMap"), ("secret", "secret")):
            if key in source:
                reference = source[key]
                data = self.data(kind, reference.get("name") or reference.get("secretName"), reference.get("optional"))
                items = reference.get("items")
                return {item["path"]: data[item["key"]] for item in items if item["key"] in data} if items else data
        if "downwardAPI" in source:
            return {item["path"]: self.field(item["fieldRef"]["fieldPath"]).encode() for item in source["downwardAPI"]["items"]}
        if "serviceAccountToken" in source:
            token = source["serviceAccountToken"]
            return {token["path"]: self.token(token.get("audience"))}
        return {}

    def token(self, audience):
        """A token of the pod's ServiceAccount. It is made once: it outlives every test."""
        path = f"{self.folder}/token-{re.sub('[^a-z0-9.]+', '-', audience or 'default')}"
        if not os.path.exists(path):
            meta = self.pod["metadata"]
            bound = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
            body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                    "spec": {"audiences": [audience] if audience else None, "expirationSeconds": 6 * 3600, "boundObjectRef": bound}}
            answer = self.api.ask("POST", f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{self.account}/token", body)
            write(path, answer["status"]["token"].encode())
        with open(path, "rb") as file:
            return file.read()

    def fill_volumes(self):
        for volume in self.pod["spec"].get("volumes") or []:
            sources = volume["projected"]["sources"] if "projected" in volume else [volume]
            folder = f"{self.folder}/volumes/{volume['name']}"
            if volume["name"] not in self.volumes:
                os.makedirs(folder, exist_ok=True)
                os.chmod(folder, 0o777)
            files = {}
            for source in sources:
                files |= self.contents(source)
            if self.volumes.get(volume["name"]) != files:
                for path, data in files.items():
                    write(f"{folder}/{path}", data)
                self.volumes[volume["name"]] = files

    # How it is started.

    def prepare(self):
        """Everything but the process; raises when something is not there yet."""
        self.fill_volumes()
        self.variables = self.environment()
        if self.process:
            return
        for folder, mode in (("dev", 0o755), ("tmp", 0o1777), ("etc/ssl/certs", 0o755)):
            os.makedirs(f"{self.root}/{folder}", exist_ok=True)
            os.chmod(f"{self.root}/{folder}", mode)
        for name, (major, minor) in DEVICES.items():
            if not os.path.exists(f"{self.root}/dev/{name}"):
                os.mknod(f"{self.root}/dev/{name}", 0o020666, os.makedev(major, minor))
                os.chmod(f"{self.root}/dev/{name}", 0o666)
        write(f"{self.root}/etc/passwd", b"root:x:0:0::/:\nnonroot:x:65532:65532::/:\n")
        # The authorities that an image knows.
        shutil.copy(f"{self.lab}/pki/ca.crt", f"{self.root}/etc/ssl/certs/ca-certificates.crt")
        self.write_hosts()
        self.command = (self.spec.get("command") or ["/program"])[0]
        path = self.command if self.command.startswith("/") else f"/usr/bin/{self.command}"
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        shutil.copy(self.program, self.root + path)
        self.path = path
        for mount in sorted(self.spec.get("volumeMounts") or [], key=lambda mount: mount["mountPath"]):
            self.mount(mount)

    def mount(self, mount):
        source = f"{self.folder}/volumes/{mount['name']}/{mount.get('subPath', '')}".rstrip("/")
        target = self.root + mount["mountPath"]
        if mount.get("subPath") and not os.path.exists(source):
            # A directory in a volume that starts empty.
            os.makedirs(source)
            os.chmod(source, 0o777)
        if os.path.isfile(source):
            write(target, b"")
        else:
            os.makedirs(target, exist_ok=True)
        subprocess.run(["mount", "--bind", source, target], check=True)

    def write_hosts(self):
        """Names of services, which a cluster's DNS would answer, and of what LAB/hosts has outside of it."""
        lines = ["127.0.0.1 localhost", f"{self.pod['status']['podIP']} {self.pod['metadata']['name']}"]
        for service in self.api.items("/api/v1/services"):
            meta, address = service["metadata"], service["spec"].get("clusterIP")
            if address and address != "None":
                name = f"{meta['name']}.{meta['namespace']}"
                lines.append(f"{address} {name} {name}.svc {name}.svc.cluster.local")
        text = "\n".join(lines) + "\n"
        if os.path.exists(f"{self.lab}/hosts"):
            with open(f"{self.lab}/hosts") as file:
                text += file.read()
        if text != self.known_hosts:
            write(f"{self.root}/etc/hosts", text.encode())
            self.known_hosts = text

    def user(self):
        context = (self.pod["spec"].get("securityContext") or {}) | (self.spec.get("securityContext") or {})
        default = NONROOT if context.get("runAsNonRoot") else 0
        user = context.get("runAsUser", default)
        return f"{user}:{context.get('runAsGroup', user)}"

    def start(self):
        arguments = [expand(text, self.variables) for text in [*(self.spec.get("command") or [])[1:], *(self.spec.get("args") or [])]]
        log = open(f"{self.folder}/log", "ab")
        log.write(f"== {self.path} {' '.join(arguments)}\n".encode())
        log.flush()
        # The network is made from outside before the program runs.
        wait = 'read -r go && exec chroot --userspec="$1" "$2" "$3" "${@:4}"'
        script = ["bash", "-c", wait, "bash", self.user(), self.root, self.path, *arguments]
        self.process = subprocess.Popen(["unshare", "--net", "--", *script], env=self.variables, stdin=subprocess.PIPE,
                                        stdout=log, stderr=log)
        self.connect(self.process.pid)
        self.process.stdin.write(b"go\n")
        self.process.stdin.close()
        self.note(running=True)

    def connect(self, process):
        """Gives the namespace of the process the address of the pod, with a link to the lab's own."""
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{process}/ns/net") == own:
            time.sleep(0.02)
        address, link = self.pod["status"]["podIP"], f"pod{process}"
        inside = ["nsenter", f"--net=/proc/{process}/ns/net", "ip"]
        for command in (["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(process)],
                        ["ip", "link", "set", link, "up"],
                        [*inside, "link", "set", "lo", "up"], [*inside, "link", "set", "eth0", "up"],
                        [*inside, "address", "add", f"{address}/32", "dev", "eth0"],
                        [*inside, "route", "add", "default", "dev", "eth0"],
                        ["ip", "route", "replace", f"{address}/32", "dev", link, "table", "local", "src", SERVICE_HOST]):
            subprocess.run(command, check=True)


def expand(text, values):
    """`$(NAME)` for variables that are known, as a kubelet does; `$$` is a dollar sign."""
    return re.sub(r"\$\$|\$\(([A-Za-z0-9_.-]+)\)", lambda m: "$" if m[0] == "$$" else values.get(m[1], m[0]), text)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.chmod(path + ".new", 0o644)
    os.replace(path + ".new", path)


def repository(image):
    """An image without its tag and digest."""
    name = image.split("@")[0]
    return name.rsplit(":", 1)[0] if ":" in name.rsplit("/", 1)[-1] else name


class Kubelet:
    """Watches the pods, and runs the containers whose image has a program."""

    def __init__(self, lab, programs):
        self.lab, self.programs = lab, programs
        self.running = {}

    def see_pod(self, pod):
        key = pod["metadata"]["uid"]
        if "deletionTimestamp" in pod["metadata"]:
            for container in self.running.pop(key, []):
                container.stopped.set()
        elif key not in self.running and pod.get("status", {}).get("podIP"):
            found = [(spec, self.programs.get(repository(spec["image"]))) for spec in pod["spec"]["containers"]]
            containers = [Container(self.lab, pod, spec, program) for spec, program in found if program]
            if len(containers) > 1:
                print("kubelet: only the first container is run of", pod["metadata"]["name"], file=sys.stderr, flush=True)
            self.running[key] = containers[:1]
            for container in containers[:1]:
                threading.Thread(target=container.run, daemon=True).start()


def start(lab, programs):
    """Runs the programs (image without tag → path) as containers of pods, from now on."""
    kubelet = Kubelet(lab, programs)
    threading.Thread(target=Api(lab, "kubelet").follow, args=("/api/v1/pods", kubelet.see_pod), daemon=True).start()
