#!/usr/bin/env python3
"""A stand-in for a Kubernetes API server, for tests on one machine: it speaks the protocol that kubectl and kfc speak
(discovery, server-side apply with owners of fields, lists, watches, finalizers, dry runs) and imitates controllers. It is
no Kubernetes: there is no validation by schemas, no authorisation, and pods run nothing.

    server.py [--port N] [--settings JSON] [--certificate FILE]

prints its port and serves on the loopback interface until it is ended, with TLS when it has a certificate with its key.
`/_test/settings`, `/_test/objects`, `/_test/requests` and `/_test/peak` (of requests at once) are for tests."""

import argparse
import copy
import json
import re
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import admission
import fields
from controllers import Controllers
from kinds import SHORT
from store import Store, now

SETTINGS = {"crdDelay": 0.2, "readyDelay": 0.3, "goneDelay": 0.05, "broken": None, "faults": [], "storageClasses": ["standard"], "aggregated": True,
            "latency": 0, "token": None, "crashing": None, "logs": ""}


class Refused(Exception):
    """An answer with a `Status`."""

    def __init__(self, code, reason, message, causes=(), retry_after=None):
        self.code, self.retry_after = code, retry_after
        details = {"causes": list(causes)} if causes else {}
        self.status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                       "reason": reason, "details": details, "code": code}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = controllers = None
    requests = []
    under_way = peak = 0
    counting = threading.Lock()

    def log_message(self, *_):
        pass

    def do_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        url = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        try:
            if url.path.startswith("/_test/"):
                return self.answer(200, {"done": self.test(url.path, body)})
            self.requests.append((self.command, url.path, self.headers.get("User-Agent", "")))
            token = SETTINGS["token"]
            if token and self.headers.get("Authorization") != f"Bearer {token}":
                raise Refused(401, "Unauthorized", "Unauthorized")
            self.take_time()
            late = self.fault(url.path)
            if url.path.endswith("/log"):
                return self.answer_text(SETTINGS["logs"])
            if query.get("watch") in ("1", "true"):
                return self.watch(url.path, query)
            with self.store.lock:
                code, value = self.serve(url.path, query, body)
            if late:
                self.hang_up()
            self.answer(code, value)
        except Refused as refused:
            self.answer(refused.code, refused.status, refused.retry_after)
        except BrokenPipeError:
            pass

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_any

    def answer(self, code, value, retry_after=None):
        data = json.dumps(value).encode()
        self.send_response(code)
        form = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" if value.get("kind") == "APIGroupDiscoveryList" else ""
        self.send_header("Content-Type", "application/json" + form)
        self.send_header("Content-Length", str(len(data)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(data)

    def answer_text(self, text):
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def test(self, path, body):
        if path == "/_test/settings":
            if body:
                SETTINGS.update(json.loads(body))
            return SETTINGS
        if path == "/_test/peak":
            return Handler.peak
        with self.store.lock:
            if path == "/_test/requests":
                done = list(self.requests)
                self.requests.clear()
                return done
            return {f"{group}/{plural}/{ns}/{name}": obj["metadata"]["resourceVersion"]
                    for (group, plural), objects in self.store.objects.items() for (ns, name), obj in objects.items()}

    def fault(self, path):
        """Answers as a server in trouble does, as often as the settings say."""
        for fault in SETTINGS["faults"]:
            if fault["times"] > 0 and fault["method"] == self.command and re.search(fault["path"], path):
                fault["times"] -= 1
                if fault.get("late"):
                    return True
                if fault["status"] == 0:
                    self.hang_up()
                reason = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 403: "Forbidden"}
                raise Refused(fault["status"], reason.get(fault["status"], ""), fault.get("message", "the server is busy"),
                              retry_after=fault.get("retryAfter"))
        return False

    def hang_up(self):
        """Ends the connection without an answer."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise BrokenPipeError

    def take_time(self):
        """As long as the settings say; counts how many requests there are at once."""
        with self.counting:
            Handler.under_way += 1
            Handler.peak = max(Handler.peak, Handler.under_way)
        time.sleep(SETTINGS["latency"])
        with self.counting:
            Handler.under_way -= 1

    def serve(self, path, query, body):
        if path in ("/version", "/version/"):
            return 200, {"major": "1", "minor": "33", "gitVersion": "v1.33.0-stand-in", "platform": "linux/amd64"}
        if path.startswith("/openapi"):
            raise Refused(404, "NotFound", "the stand-in has no OpenAPI")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        found = self.discovery(parts)
        if found is not None:
            return 200, found
        kind, namespace, name, sub = self.route(parts)
        if name is None:
            if self.command == "GET":
                return 200, self.list(kind, namespace, query)
            if self.command == "POST":
                return 201, self.create(kind, namespace, query, json.loads(body))
            if self.command == "DELETE":
                for obj in self.select(kind, namespace, query):
                    self.store.delete(kind, obj)
                return 200, self.list(kind, namespace, query)
        elif self.command == "GET":
            return 200, self.shown(kind, self.find(kind, namespace, name))
        elif self.command == "PUT":
            return 200, self.update(kind, namespace, name, sub, query, json.loads(body))
        elif self.command == "PATCH":
            return self.patch(kind, namespace, name, query, body)
        elif self.command == "DELETE":
            return 200, self.delete(kind, namespace, name, query, json.loads(body or b"{}"))
        raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    # Discovery

    def discovery(self, parts):
        kinds = self.store.kinds()
        aggregated = "APIGroupDiscoveryList" in self.headers.get("Accept", "") and SETTINGS["aggregated"]
        if parts in (["api"], ["apis"]):
            core = parts == ["api"]
            kinds = [kind for kind in kinds if (kind.group == "") == core]
            if aggregated:
                return self.aggregated(kinds)
            if core:
                return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
            groups = {}
            for kind in kinds:
                groups.setdefault(kind.group, []).append(kind.version)
            version = lambda g, v: {"groupVersion": f"{g}/{v}", "version": v}
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                {"name": g, "versions": [version(g, v) for v in dict.fromkeys(vs)], "preferredVersion": version(g, vs[0])}
                for g, vs in groups.items()]}
        if (parts[0], len(parts)) not in (("api", 2), ("apis", 3)):
            return None
        group_version = "/".join(parts[1:])
        kinds = [kind for kind in kinds if kind.api_version == group_version]
        if not kinds:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": [
            {"name": k.plural, "singularName": k.kind.lower(), "shortNames": SHORT.get(k.plural, []), "namespaced": k.namespaced, "kind": k.kind,
             "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]} for k in kinds]}

    def aggregated(self, kinds):
        groups = {}
        for kind in kinds:
            resource = {"resource": kind.plural, "singularResource": kind.kind.lower(), "shortNames": SHORT.get(kind.plural, []),
                        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
                        "scope": "Namespaced" if kind.namespaced else "Cluster",
                        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]}
            groups.setdefault(kind.group, {}).setdefault(kind.version, []).append(resource)
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": [
            {"metadata": {"name": group}, "versions": [{"version": v, "resources": r, "freshness": "Current"} for v, r in versions.items()]}
            for group, versions in groups.items()]}

    # Objects

    def route(self, parts):
        """Kind, namespace, name and subresource of a path."""
        missing = Refused(404, "NotFound", "the server could not find the requested resource")
        if parts[0] == "api" and parts[1:2] == ["v1"]:
            group, version, rest = "", "v1", parts[2:]
        elif parts[0] == "apis" and len(parts) > 3:
            group, version, rest = parts[1], parts[2], parts[3:]
        else:
            raise missing
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and not (len(rest) == 3 and rest[2] in ("status", "finalize")):
            namespace, rest = rest[1], rest[2:]
        for kind in self.store.kinds():
            if (kind.group, kind.version, kind.plural) == (group, version, rest[0]):
                return kind, namespace, rest[1] if len(rest) > 1 else None, rest[2] if len(rest) > 2 else None
        raise missing

    def find(self, kind, namespace, name):
        found = self.store.of(kind.key).get((namespace, name))
        if found is None:
            what = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
            raise Refused(404, "NotFound", f'{what} "{name}" not found')
        return found

    def shown(self, kind, obj):
        return {**obj, "apiVersion": kind.api_version, "kind": kind.kind}

    def select(self, kind, namespace, query):
        found = sorted(self.store.of(kind.key).items())
        objects = [obj for (where, _), obj in found if not namespace or where == namespace]
        for term in filter(None, query.get("labelSelector", "").split(",")):
            key, _, value = term.replace("==", "=").partition("=")
            labels = lambda o: o["metadata"].get("labels") or {}
            objects = [o for o in objects if (labels(o).get(key) == value if "=" in term else key in labels(o))]
        for term in filter(None, query.get("fieldSelector", "").split(",")):
            key, _, value = term.partition("=")
            at = lambda o, k=key: o.get("type") if k == "type" else o["metadata"].get(k.split(".")[-1])
            objects = [o for o in objects if at(o) == value]
        return objects

    def list(self, kind, namespace, query):
        objects = self.select(kind, namespace, query)
        metadata = {"resourceVersion": str(self.store.version)}
        limit, skip = int(query.get("limit") or 0), int(query.get("continue") or 0)
        if limit and len(objects) > skip + limit:
            metadata["continue"] = str(skip + limit)
        objects = objects[skip : skip + limit] if limit else objects
        if "PartialObjectMetadataList" in self.headers.get("Accept", ""):
            items = [{"metadata": o["metadata"]} for o in objects]
            return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items}
        items = [self.shown(kind, o) for o in objects]
        return {"kind": kind.kind + "List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}

    def check(self, kind, namespace, obj, operation):
        if kind.namespaced:
            space = self.store.of(("", "namespaces")).get(("", namespace))
            if space is None:
                raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
            if space["metadata"].get("deletionTimestamp") and operation == "CREATE":
                name = obj["metadata"]["name"]
                message = f'{kind.plural} "{name}" is forbidden: unable to create new content in namespace {namespace} because it is being terminated'
                raise Refused(403, "Forbidden", message, [{"reason": "NamespaceTerminating", "field": "metadata.namespace", "message": ""}])
        own = obj["metadata"].get("namespace")
        if not kind.namespaced:
            obj["metadata"].pop("namespace", None)
        elif own and own != namespace:
            raise Refused(400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")
        why = admission.refusal(self.store, self.controllers, kind, obj, operation)
        if why:
            raise Refused(500, "InternalError", why)

    def prepare(self, kind, namespace, obj):
        """What a server fills in."""
        obj = copy.deepcopy(obj)
        if kind.namespaced:
            obj["metadata"]["namespace"] = namespace
        if kind.kind == "Secret" and "stringData" in obj:
            import base64
            data = {k: base64.b64encode(v.encode()).decode() for k, v in obj.pop("stringData").items()}
            obj["data"] = {**(obj.get("data") or {}), **data}
        if kind.kind == "Service" and obj["spec"].get("type") != "ExternalName":
            obj["spec"].setdefault("clusterIP", "10.96.0.1")
            obj["spec"].setdefault("type", "ClusterIP")
        if kind.kind in ("Deployment", "StatefulSet"):
            obj["spec"].setdefault("replicas", 1)
        if kind.kind == "Namespace":
            obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]
        return obj

    def manager(self, query):
        return query.get("fieldManager") or self.headers.get("User-Agent", "unknown").split("/")[0]

    def create(self, kind, namespace, query, obj):
        name = obj["metadata"]["name"]
        if (namespace, name) in self.store.of(kind.key):
            raise Refused(409, "AlreadyExists", f'{kind.plural} "{name}" already exists')
        self.check(kind, namespace, obj, "CREATE")
        obj = self.prepare(kind, namespace, obj)
        fields.updated(None, obj, self.manager(query), kind.lists, now(), kind.api_version)
        return obj if query.get("dryRun") else self.shown(kind, self.store.put(kind, obj))

    def update(self, kind, namespace, name, sub, query, obj):
        before = self.find(kind, namespace, name)
        version = obj["metadata"].get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            message = f'Operation cannot be fulfilled on {kind.plural} "{name}": the object has been modified; please apply your changes to the latest version and try again'
            raise Refused(409, "Conflict", message)
        owners = obj["metadata"].get("managedFields")
        if owners:
            # Who owns what may be written like any other field; an empty entry stands for none.
            before = {**before, "metadata": {**before["metadata"], "managedFields": [owner for owner in owners if owner]}}
        if sub == "status":
            after = {**before, "status": obj.get("status")}
        else:
            after = {**self.prepare(kind, namespace, obj), **({"status": before["status"]} if "status" in before else {})}
        for field in ("uid", "creationTimestamp", "generation", "deletionTimestamp", "resourceVersion"):
            if field in before["metadata"]:
                after["metadata"][field] = before["metadata"][field]
        fields.updated(before, after, self.manager(query), kind.lists, now(), kind.api_version, sub)
        return after if query.get("dryRun") else self.shown(kind, self.store.put(kind, after))

    def patch(self, kind, namespace, name, query, body):
        before = self.store.of(kind.key).get((namespace, name))
        patch_type = self.headers.get("Content-Type", "")
        if "apply-patch" in patch_type:
            return self.apply(kind, namespace, name, query, body, before)
        if before is None:
            self.find(kind, namespace, name)
        if "json-patch" in patch_type:
            raise Refused(415, "UnsupportedMediaType", "the stand-in has no JSON patches")
        patch = json.loads(body)
        if "strategic" in patch_type:
            after = without_nulls(fields.merge(before, patch, kind.lists))
        else:
            after = merge_patch(before, patch)
        return 200, self.update(kind, namespace, name, None, query, copy.deepcopy(after))

    def apply(self, kind, namespace, name, query, body, before):
        try:
            ours = json.loads(body)
        except ValueError:
            import yaml  # kubectl sends JSON; only for people who try the stand-in by hand.
            ours = yaml.safe_load(body)
        manager, force = query.get("fieldManager"), query.get("force") == "true"
        if not manager:
            raise Refused(422, "Invalid", "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch")
        if ours.get("metadata", {}).get("name") != name or ours.get("kind") != kind.kind or ours.get("apiVersion") != kind.api_version:
            raise Refused(400, "BadRequest", "the object in the request body does not match the request URL")
        if "managedFields" in ours["metadata"]:
            raise Refused(400, "BadRequest", "metadata.managedFields must be nil")
        self.check(kind, namespace, ours, "CREATE" if before is None else "UPDATE")
        if kind.kind == "Secret":
            ours = self.prepare(kind, namespace, ours)
        base = before or {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}
        try:
            after = fields.apply(base, ours, manager, force, kind.lists, now(), kind.api_version)
        except fields.Conflict as conflict:
            causes = [{"reason": "FieldManagerConflict", "field": fields.shown(path),
                       "message": f'conflict with "{who}" using {version}'} for who, version, path in sorted(conflict.causes)]
            count = len(causes)
            message = f"Apply failed with {count} conflict{'s' if count > 1 else ''}: " + "; ".join(c["message"] + ": " + c["field"] for c in causes)
            raise Refused(409, "Conflict", message, causes)
        if kind.kind == "Job" and before and before["spec"].get("template") != after["spec"].get("template"):
            raise Refused(422, "Invalid", f'Job.batch "{name}" is invalid: spec.template: Invalid value: field is immutable')
        after = self.prepare(kind, namespace, after)
        if not query.get("dryRun"):
            after = self.store.put(kind, after)
        return (201 if before is None else 200), self.shown(kind, after)

    def delete(self, kind, namespace, name, query, options):
        obj = self.find(kind, namespace, name)
        for field, wanted in (options.get("preconditions") or {}).items():
            if wanted and wanted != obj["metadata"][field]:
                raise Refused(409, "Conflict", f'Operation cannot be fulfilled on {kind.plural} "{name}": Precondition failed: {field}')
        if query.get("dryRun") or options.get("dryRun"):
            return obj
        self.check_delete(kind, obj)
        policy = options.get("propagationPolicy") or query.get("propagationPolicy")
        return self.shown(kind, self.store.delete(kind, obj, policy == "Foreground"))

    def check_delete(self, kind, obj):
        why = admission.refusal(self.store, self.controllers, kind, obj, "DELETE")
        if why:
            raise Refused(500, "InternalError", why)

    def watch(self, path, query):
        parts = [unquote(part) for part in path.strip("/").split("/")]
        with self.store.lock:
            kind, namespace, _, _ = self.route(parts)
            at = int(query.get("resourceVersion") or self.store.version)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = time.monotonic() + min(float(query.get("timeoutSeconds") or 30), 30)
        while time.monotonic() < end:
            with self.store.lock:
                wanted = {id(o) for o in self.select(kind, namespace, query)} if query.get("fieldSelector") else None
                name = dict(t.partition("=")[::2] for t in query.get("fieldSelector", "").split(",") if t).get("metadata.name")
                events = [e for e in self.store.log if e[0] > at and e[2] == kind.key]
                at = self.store.version
                if not events:
                    self.store.changed.wait(0.5)
            for _, what, _, obj in events:
                if namespace and obj["metadata"].get("namespace") != namespace:
                    continue
                if wanted is not None and name and obj["metadata"]["name"] != name:
                    continue
                line = json.dumps({"type": what, "object": self.shown(kind, obj)}).encode() + b"\n"
                self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def merge_patch(value, patch):
    if not isinstance(patch, dict):
        return patch
    value = dict(value) if isinstance(value, dict) else {}
    for key, below in patch.items():
        if below is None:
            value.pop(key, None)
        else:
            value[key] = merge_patch(value.get(key), below)
    return value


def without_nulls(value):
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None and not k.startswith("$")}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def start_objects(store):
    """What every cluster has."""
    by_kind = {kind.kind: kind for kind in store.built_in}
    for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
        store.put(by_kind["Namespace"], {"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": name, "labels": {"kubernetes.io/metadata.name": name}}, "status": {"phase": "Active"}})
    for at, name in enumerate(SETTINGS["storageClasses"]):
        annotations = {"storageclass.kubernetes.io/is-default-class": "true" if at == 0 else "false"}
        store.put(by_kind["StorageClass"], {
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "stand-in",
            "volumeBindingMode": "WaitForFirstConsumer", "metadata": {"name": name, "annotations": annotations}})


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that go away or do not trust the certificate."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--certificate")
    args = parser.parse_args()
    SETTINGS.update(json.loads(args.settings))
    store = Store()
    with store.lock:
        start_objects(store)
    Handler.store, Handler.controllers = store, Controllers(store, SETTINGS)
    threading.Thread(target=Handler.controllers.run, daemon=True).start()
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer.daemon_threads = True
    server = Quiet(("127.0.0.1", args.port), Handler)
    if args.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.certificate)
        # The handshake is made by the thread of the connection: one that does not come may not hold up the others.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_address[1], flush=True)
    # Whoever started it holds the other end of standard input: when it is gone, so are we.
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
