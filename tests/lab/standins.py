"""What stands in for the parts of a cluster that do not run in a lab. Each part writes under the field manager of the real
one, so that a client meets the owners that it would meet.

    webhooks      answers admission, conversion and the metrics API at the addresses of pods, and writes the caBundles
    certificates  fills the Secret of each cert-manager Certificate; Certificates and issuers become Ready
    claims        gives each pending PersistentVolumeClaim a volume
    addresses     gives each Service of type LoadBalancer an address
"""

import base64
import http.server
import json
import os
import ssl
import sys
import threading

import pki
from api import JSON_PATCH, MERGE_PATCH, Api, Refused
from listener import Listener

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
INJECTED = ("cert-manager.io/inject-ca-from", "cert-manager.io/inject-ca-from-secret", "cert-manager.io/inject-apiserver-ca")


def say(*words):
    print("stand-in:", *words, file=sys.stderr, flush=True)


def encoded(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


class Answers(http.server.BaseHTTPRequestHandler):
    """Lets every object pass, converts by writing the version, has no metrics."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[:2] == ["apis", "metrics.k8s.io"] and len(parts) == 3:
            kinds = [{"name": name, "singularName": "", "namespaced": name == "pods", "kind": kind, "verbs": ["get", "list"]}
                     for name, kind in (("nodes", "NodeMetrics"), ("pods", "PodMetrics"))]
            self.answer({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "/".join(parts[1:]), "resources": kinds})
        elif parts[:2] == ["apis", "metrics.k8s.io"] and len(parts) > 3:
            kind = "NodeMetricsList" if parts[3] == "nodes" else "PodMetricsList"
            self.answer({"kind": kind, "apiVersion": "/".join(parts[1:3]), "metadata": {}, "items": []})
        else:
            self.answer({})

    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")
        request = review.get("request", {})
        response = {"uid": request.get("uid")}
        if review.get("kind") == "ConversionReview":
            for item in request["objects"]:
                item["apiVersion"] = request["desiredAPIVersion"]
            response |= {"convertedObjects": request["objects"], "result": {"status": "Success"}}
        else:
            response["allowed"] = True
        self.answer({"apiVersion": review.get("apiVersion"), "kind": review.get("kind"), "response": response})


class Webhooks:
    """Serves what the API server calls: the services that webhooks, conversions and APIServices name. They are found as
    they appear; a pod answers once the endpoints of its service are there, as a real one would. What asks cainjector for a
    caBundle gets it here, unless the real one runs: then the certificates are those that the real cert-manager issues."""

    def __init__(self, folder, left, injects):
        self.folder, self.left, self.injects = folder, left, injects
        self.pki = f"{folder}/pki/webhooks"
        os.makedirs(self.pki, exist_ok=True)
        pki.make_authority(self.pki, "lab-webhooks")
        self.bundle = encoded(f"{self.pki}/ca.crt")
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.sni_callback = self.choose
        self.lock = threading.Lock()
        self.services, self.slices, self.ports = set(), {}, set()
        self.issued = {}

    def start(self):
        if not self.injects:
            follow(self.folder, "/api/v1/secrets", self.see_secret)
        for path, seen in ((f"{ADMISSION}/mutatingwebhookconfigurations", self.see_webhooks),
                           (f"{ADMISSION}/validatingwebhookconfigurations", self.see_webhooks),
                           (DEFINITIONS, self.see_definition), (SERVICES, self.see_api), (SLICES, self.see_slice)):
            follow(self.folder, path, seen)

    def see_secret(self, item):
        """A certificate of cert-manager; it says itself for which names it is."""
        annotations = item["metadata"].get("annotations") or {}
        if "cert-manager.io/certificate-name" not in annotations or not (item.get("data") or {}).get("tls.crt"):
            return
        path = f"{self.pki}/{item['metadata']['uid']}.pem"
        with open(path, "wb") as file:
            for key in ("tls.crt", "tls.key"):
                file.write(base64.b64decode(item["data"][key]))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        for name in annotations.get("cert-manager.io/alt-names", "").split(","):
            self.issued[name] = context

    def choose(self, connection, name, _):
        """Answers with the certificate that was issued for a name, if there is one."""
        if name in self.issued:
            connection.context = self.issued[name]

    def fills(self, item, client):
        """Whether a caBundle is ours to write, and is not written."""
        ours = self.serves(client.get("service")) and (self.injects or not is_injected(item))
        return ours and client.get("caBundle") != self.bundle

    def see_webhooks(self, item):
        patch = []
        for index, webhook in enumerate(item.get("webhooks") or []):
            if self.fills(item, webhook["clientConfig"]):
                patch.append({"op": "add", "path": f"/webhooks/{index}/clientConfig/caBundle", "value": self.bundle})
            # istiod turns its validator on once it can answer.
            if item["metadata"]["name"].startswith("istio-validator") and webhook.get("failurePolicy") == "Ignore":
                patch.append({"op": "replace", "path": f"/webhooks/{index}/failurePolicy", "value": "Fail"})
        plural = item.get("kind", "").lower() + "s"
        self.patch(item, f"{ADMISSION}/{plural}/{item['metadata']['name']}", patch)

    def see_definition(self, item):
        client = item["spec"].get("conversion", {}).get("webhook", {}).get("clientConfig", {})
        if self.fills(item, client):
            path = "/spec/conversion/webhook/clientConfig/caBundle"
            patch = [{"op": "add", "path": path, "value": self.bundle}]
            self.patch(item, f"{DEFINITIONS}/{item['metadata']['name']}", patch)

    def see_api(self, item):
        if self.fills(item, item["spec"]) and is_injected(item):
            patch = [{"op": "add", "path": "/spec/caBundle", "value": self.bundle}]
            self.patch(item, f"{SERVICES}/{item['metadata']['name']}", patch)

    def patch(self, item, path, patch):
        if patch and "deletionTimestamp" not in item["metadata"]:
            status, answer, _ = Api(self.folder, owner(item)).send("PATCH", path, patch, JSON_PATCH)
            if status >= 300 and status != 404:
                say(path, answer)

    def see_slice(self, item):
        service = (item["metadata"]["namespace"], item["metadata"].get("labels", {}).get("kubernetes.io/service-name"))
        with self.lock:
            self.slices[service] = {port["port"] for port in item.get("ports") or [] if port.get("port")}
        self.listen(service)

    def serves(self, service):
        """Whether the pods of a service are ours to answer for; from now on they are."""
        if not service or f"{service['namespace']}/{service['name']}" in self.left:
            return False
        key = (service["namespace"], service["name"])
        with self.lock:
            if key not in self.services:
                self.services.add(key)
                names = [f"DNS:{name}.{namespace}.svc" for namespace, name in sorted(self.services)]
                pki.make_certificate(self.pki, "serving", "/CN=webhooks", names)
                self.context.load_cert_chain(f"{self.pki}/serving.crt", f"{self.pki}/serving.key")
        self.listen(key)
        return True

    def listen(self, service):
        with self.lock:
            new = self.slices.get(service, set()) - self.ports if service in self.services else set()
            self.ports |= new
        for port in new:
            try:
                listener = Listener(("0.0.0.0", port), Answers)
            except OSError as error:
                say(f"port {port} of {'/'.join(service)}:", error)
                continue
            listener.context = self.context
            threading.Thread(target=listener.serve_forever, daemon=True).start()


def is_injected(item):
    """Whether an object asks cainjector for its caBundles."""
    return any(annotation in INJECTED for annotation in item["metadata"].get("annotations") or {})


def owner(item):
    """The field manager that writes caBundles into an object."""
    name = item["metadata"]["name"]
    if is_injected(item):
        return "cainjector"
    if "istio" in name:
        return "pilot-discovery"
    return "katib-controller" if "katib" in name else "webhook-owner"


class Certificates:
    """Plays cert-manager's controller for what its resources promise to others: Secrets and conditions."""

    GROUP = "/apis/cert-manager.io/v1"

    def __init__(self, folder):
        self.folder = folder
        self.pki = f"{folder}/pki/webhooks"

    def start(self):
        follow(self.folder, f"{self.GROUP}/certificates", self.see_certificate)
        for plural in ("issuers", "clusterissuers"):
            follow(self.folder, f"{self.GROUP}/{plural}", lambda item, plural=plural: self.make_ready(item, plural))

    def see_certificate(self, item):
        meta, spec = item["metadata"], item["spec"]
        if "deletionTimestamp" in meta:
            return
        api = Api(self.folder, "cert-manager-certificates-issuing")
        secret = f"/api/v1/namespaces/{meta['namespace']}/secrets/{spec['secretName']}"
        if api.find(secret) is None:
            names = [f"DNS:{name}" for name in spec.get("dnsNames") or [spec.get("commonName") or meta["name"]]]
            file = f"{meta['namespace']}.{meta['name']}"
            pki.make_certificate(self.pki, file, "/CN=certificate", names)
            data = {"tls.crt": encoded(f"{self.pki}/{file}.crt"), "tls.key": encoded(f"{self.pki}/{file}.key"),
                    "ca.crt": encoded(f"{self.pki}/ca.crt")}
            api.apply(secret, {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "data": data,
                               "metadata": {"name": spec["secretName"], "namespace": meta["namespace"],
                                            "annotations": {"cert-manager.io/certificate-name": meta["name"]}}})
        self.make_ready(item, "certificates")

    def make_ready(self, item, plural):
        meta = item["metadata"]
        conditions = item.get("status", {}).get("conditions", [])
        if "deletionTimestamp" in meta or any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
            return
        place = f"namespaces/{meta['namespace']}/" if meta.get("namespace") else ""
        ready = {"type": "Ready", "status": "True", "reason": "Ready", "lastTransitionTime": "2026-01-01T00:00:00Z",
                 "observedGeneration": meta.get("generation", 1)}
        path = f"{self.GROUP}/{place}{plural}/{meta['name']}/status"
        Api(self.folder, "cert-manager").send("PATCH", path, {"status": {"conditions": [ready]}}, MERGE_PATCH)


def bind_claim(folder, item):
    """Makes a volume for a claim, whatever its storage class."""
    meta, spec = item["metadata"], item["spec"]
    if "deletionTimestamp" in meta or spec.get("volumeName") or item.get("status", {}).get("phase") == "Bound":
        return
    name = f"pvc-{meta['uid']}"
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"],
             "uid": meta["uid"]}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume",
              "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": "lab.kfc.dev/none"}},
              "spec": {"capacity": {"storage": spec["resources"]["requests"]["storage"]}, "accessModes": spec["accessModes"],
                       "storageClassName": spec.get("storageClassName") or "", "persistentVolumeReclaimPolicy": "Delete",
                       "hostPath": {"path": f"/lab/{name}"}, "claimRef": claim}}
    status, answer, _ = Api(folder, "provisioner").send("POST", "/api/v1/persistentvolumes", volume)
    if status >= 300 and status != 409:
        say("volume", meta["name"], answer)


def give_address(folder, item):
    """Gives a load balancer an address out of a range that the lab keeps for it."""
    meta = item["metadata"]
    if item["spec"].get("type") != "LoadBalancer" or "deletionTimestamp" in meta:
        return
    if item.get("status", {}).get("loadBalancer", {}).get("ingress"):
        return
    last = 1 + int(meta["uid"][:4], 16) % 250
    body = {"status": {"loadBalancer": {"ingress": [{"ip": f"10.200.0.{last}"}]}}}
    path = f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}/status"
    Api(folder, "cloud-controller-manager").send("PATCH", path, body, MERGE_PATCH)


def follow(folder, path, seen):
    """Calls `seen` with each object of a resource, in a thread of its own."""
    def careful(item):
        try:
            seen(item)
        except (OSError, Refused, KeyError, RuntimeError) as error:
            say(path, item["metadata"].get("name"), repr(error))
    watcher = Api(folder, "lab")
    threading.Thread(target=watcher.follow, args=(path, careful), daemon=True).start()


ALL = {"webhooks", "certificates", "claims", "addresses"}


def start(folder, chosen, left):
    """Starts the chosen stand-ins. Webhooks of the services in `left` (NAMESPACE/NAME) are answered by real programs."""
    if "webhooks" in chosen or "certificates" in chosen:
        webhooks = Webhooks(folder, left, "certificates" in chosen)
        if "webhooks" in chosen:
            webhooks.start()
    if "certificates" in chosen:
        Certificates(folder).start()
    if "claims" in chosen:
        follow(folder, "/api/v1/persistentvolumeclaims", lambda item: bind_claim(folder, item))
    if "addresses" in chosen:
        follow(folder, "/api/v1/services", lambda item: give_address(folder, item))
