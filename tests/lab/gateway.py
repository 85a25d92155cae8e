"""Stands in for Envoy as the ingress gateway of the mesh, and for what is before and after it: gateway.py LAB

    --answer NAMESPACE/SERVICE   answer for the pods of a service: with the request, as JSON. LAB/answered has a line for each
    --router ADDRESS             be OpenShift's router at this address: serve the hosts of Routes, with TLS at the edge
    --host NAME=ADDRESS          the address of a name outside the cluster

What it does with a request, it reads from the API server while the request waits: Gateways, VirtualServices,
AuthorizationPolicies, RequestAuthentications, and the mesh's configuration, as Istio 1.29 makes Envoy's filters of them: CUSTOM
policies ask their provider first, then tokens are verified, then DENY and ALLOW policies decide. Fields that it does not know
end the request with status 500, so that no test passes because something was ignored.
"""

import argparse
import base64
import hashlib
import http.client
import http.server
import json
import os
import re
import socket
import ssl
import sys
import threading
import time
import traceback
import urllib.parse

import yaml

import pki
from api import Api
from up import FORWARD

ISTIO = "/apis/networking.istio.io/v1"
SECURITY = "/apis/security.istio.io/v1"
GATEWAY = ("istio-system", "istio-ingressgateway")
CONFIG = "/api/v1/namespaces/istio-system/configmaps/istio"
# The DigestInfo of SHA-256 in a signature (RFC 8017, section 9.2).
SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-connection", "content-length"}


class Reply(Exception):
    """A filter's own answer to a request."""

    def __init__(self, status, body=b"", headers=()):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, list(headers)


def only(mapping, *known):
    """The mapping, whose fields all have to be known."""
    more = set(mapping) - set(known)
    if more:
        raise NotImplementedError(f"fields {sorted(more)} of {mapping}")
    return mapping


# Texts.


def matches(pattern, text):
    """Istio's matching of names: exact, `prefix*`, `*suffix`, and `*` for anything that is present."""
    if pattern == "*":
        return bool(text)
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def listed(patterns, name):
    return any(matches(pattern.lower(), name.lower()) for pattern in patterns)


def normalized(target):
    """The path as Envoy normalizes it by the mesh's default: dot segments go, also escaped ones. Slashes are not merged."""
    path, mark, query = target.partition("?")
    kept = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments):
        plain = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
        last = number == len(segments) - 1
        if plain == "..":
            del kept[-1:]
        if plain in (".", ".."):
            kept += [""] if last else []
        else:
            kept.append(segment)
    return "/" + "/".join(kept) + mark + query


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# Places outside the gateway.


class Places:
    """Where names lead."""

    def __init__(self, lab, hosts):
        self.api, self.hosts = Api(lab, "gateway"), hosts
        self.trust = ssl.create_default_context(cafile=f"{lab}/pki/ca.crt")

    def service(self, namespace, name):
        found = self.api.find(f"/api/v1/namespaces/{namespace}/services/{name}")
        if found is None:
            raise Reply(503, f"no service {namespace}/{name}".encode())
        return found["spec"]

    def pod(self, namespace, name):
        """A running pod of a service."""
        selector = ",".join(f"{key}={value}" for key, value in self.service(namespace, name)["selector"].items())
        path = f"/api/v1/namespaces/{namespace}/pods?labelSelector={urllib.parse.quote(selector)}"
        return next(pod for pod in self.api.items(path) if pod["status"].get("podIP") and "deletionTimestamp" not in pod["metadata"])

    def address(self, host, namespace=None):
        name = re.fullmatch(r"([^.]+)\.([^.]+)\.svc(\.cluster\.local)?", host)
        if name:
            return self.service(name[2], name[1])["clusterIP"]
        if "." not in host and namespace:
            return self.service(namespace, host)["clusterIP"]
        return self.hosts[host]

    def fetch(self, url):
        """A document of an issuer, as the control plane of the mesh gets it."""
        parts = urllib.parse.urlsplit(url)
        secure = parts.scheme == "https"
        connection = http.client.HTTPConnection(parts.hostname, parts.port or (443 if secure else 80), timeout=10)
        source = self.pod(GATEWAY[0], "istiod")["status"]["podIP"]
        sock = socket.create_connection((self.address(parts.hostname), connection.port), timeout=10, source_address=(source, 0))
        connection.sock = self.trust.wrap_socket(sock, server_hostname=parts.hostname) if secure else sock
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise OSError(f"{url}: {answer.status}")
        return json.loads(text)


# Filters.


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.body = method, normalized(target), body
        self.headers = [(name.lower(), value) for name, value in headers]
        self.principal = None

    @property
    def path(self):
        return self.target.partition("?")[0]

    def header(self, name):
        return next((value for key, value in self.headers if key == name.lower()), None)

    def drop(self, name):
        self.headers = [(key, value) for key, value in self.headers if key != name.lower()]

    def set(self, name, value):
        self.drop(name)
        self.headers.append((name.lower(), value))


class Mesh:
    """The objects of the mesh for one workload, as they are now."""

    def __init__(self, places):
        self.places, self.api = places, places.api
        self.config = yaml.safe_load(self.api.ask("GET", CONFIG)["data"]["mesh"])
        self.ports = {port["port"]: port["targetPort"] for port in places.service(*GATEWAY)["ports"]}
        pod = places.pod(*GATEWAY)
        self.labels, self.address = pod["metadata"]["labels"], pod["status"]["podIP"]

    def applied(self, plural):
        """The objects of a kind that apply to the workload: those of its namespace and of the root namespace."""
        for item in self.api.items(f"{SECURITY}/{plural}"):
            spec = item["spec"]
            labels = only(spec.get("selector") or {}, "matchLabels").get("matchLabels") or {}
            if item["metadata"]["namespace"] in (GATEWAY[0], self.config["rootNamespace"]) and labels.items() <= self.labels.items():
                yield spec

    def policies(self, action):
        for spec in self.applied("authorizationpolicies"):
            if only(spec, "selector", "action", "rules", "provider").get("action", "ALLOW") == action:
                yield spec

    def is_matched(self, policy, request):
        return any(self.rule_matches(rule, request) for rule in policy.get("rules") or [])

    def rule_matches(self, rule, request):
        only(rule, "from", "to", "when")
        sources = [entry["source"] for entry in rule.get("from") or []]
        operations = [entry["operation"] for entry in rule.get("to") or []]
        return ((not sources or any(self.source_matches(source, request) for source in sources))
                and (not operations or any(self.operation_matches(operation, request) for operation in operations))
                and all(self.condition_holds(condition, request) for condition in rule.get("when") or []))

    def source_matches(self, source, request):
        only(source, "requestPrincipals", "notRequestPrincipals")
        given = request.principal or ""
        wanted, refused = source.get("requestPrincipals"), source.get("notRequestPrincipals") or []
        return (not wanted or any(matches(one, given) for one in wanted)) and not any(matches(one, given) for one in refused)

    def operation_matches(self, operation, request):
        only(operation, "paths", "notPaths", "methods")
        wanted, refused = operation.get("paths"), operation.get("notPaths") or []
        return ((not wanted or any(matches(one, request.path) for one in wanted))
                and not any(matches(one, request.path) for one in refused)
                and (not operation.get("methods") or request.method in operation["methods"]))

    def condition_holds(self, condition, request):
        only(condition, "key", "values", "notValues")
        name = re.fullmatch(r"request\.headers\[(.+)\]", condition["key"])
        if not name:
            raise NotImplementedError(condition)
        given = request.header(name[1]) or ""
        wanted, refused = condition.get("values"), condition.get("notValues") or []
        return (not wanted or any(matches(one, given) for one in wanted)) and not any(matches(one, given) for one in refused)

    # The filters, in their order.

    def filter(self, request):
        for policy in self.policies("CUSTOM"):
            if self.is_matched(policy, request):
                self.ask_provider(policy["provider"]["name"], request)
        self.verify_token(request)
        if any(self.is_matched(policy, request) for policy in self.policies("DENY")):
            raise Reply(403, b"RBAC: access denied")
        allowing = list(self.policies("ALLOW"))
        if allowing and not any(self.is_matched(policy, request) for policy in allowing):
            raise Reply(403, b"RBAC: access denied")

    def ask_provider(self, name, request):
        """Envoy's filter ext_authz with an HTTP service."""
        provider = next((entry for entry in self.config.get("extensionProviders") or [] if entry["name"] == name), None)
        if provider is None:
            # Istio denies what a provider decides that it does not know.
            raise Reply(403, b"RBAC: access denied")
        how = only(provider["envoyExtAuthzHttp"], "service", "port", "pathPrefix", "failOpen", "includeRequestHeadersInCheck",
                   "headersToUpstreamOnAllow", "headersToDownstreamOnDeny", "headersToDownstreamOnAllow")
        sent = [(key, value) for key, value in request.headers if listed(how.get("includeRequestHeadersInCheck") or [], key)]
        sent += [("host", request.header("host")), ("content-length", "0")]
        try:
            address = self.places.address(how["service"].rpartition("/")[2])
            status, headers, body = send(self.address, (address, how["port"]), request.method, how.get("pathPrefix", "") + request.target, sent)
        except OSError as error:
            status, headers, body = 500, [], str(error).encode()
        if status >= 500:
            if how.get("failOpen"):
                return
            raise Reply(403, b"")
        if status == 200:
            if how.get("headersToDownstreamOnAllow"):
                raise NotImplementedError("headersToDownstreamOnAllow")
            for key, value in headers:
                if listed(how.get("headersToUpstreamOnAllow") or [], key):
                    request.set(key, value)
            return
        kept = how.get("headersToDownstreamOnDeny")
        passed = [*(kept or ["*"]), "location", "www-authenticate"]
        raise Reply(status, body, [(key, value) for key, value in headers if listed(passed, key) and key not in HOP])

    def verify_token(self, request):
        """Envoy's filter jwt_authn: a token is verified if there is one."""
        rules = [rule for spec in self.applied("requestauthentications") for rule in only(spec, "selector", "jwtRules")["jwtRules"]]
        for rule in rules:
            only(rule, "issuer", "jwksUri", "fromHeaders", "forwardOriginalToken", "outputClaimToHeaders", "audiences")
            for output in rule.get("outputClaimToHeaders") or []:
                request.drop(output["header"])
        for rule in rules:
            for place in rule.get("fromHeaders") or [{"name": "Authorization", "prefix": "Bearer "}]:
                given, prefix = request.header(place["name"]), place.get("prefix", "")
                if given is None or not given.startswith(prefix):
                    continue
                claims = self.claims(given[len(prefix):], rules)
                if claims["iss"] == rule["issuer"]:
                    self.pass_claims(rule, place, claims, request)

    def claims(self, token, rules):
        try:
            head, payload, signature = token.split(".")
            claims, header = json.loads(decoded(payload)), json.loads(decoded(head))
        except ValueError:
            raise Reply(401, b"Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections") from None
        rule = next((rule for rule in rules if rule["issuer"] == claims.get("iss")), None)
        if rule is None:
            raise Reply(401, b"Jwt issuer is not configured")
        if claims.get("exp", 0) < time.time():
            raise Reply(401, b"Jwt is expired")
        audiences = claims.get("aud") if isinstance(claims.get("aud"), list) else [claims.get("aud")]
        if rule.get("audiences") and not set(rule["audiences"]) & set(audiences):
            raise Reply(403, b"Audiences in Jwt are not allowed")
        uri = rule.get("jwksUri") or self.places.fetch(rule["issuer"] + "/.well-known/openid-configuration")["jwks_uri"]
        keys = {key["kid"]: key for key in self.places.fetch(uri)["keys"]}
        key = keys.get(header.get("kid"))
        if header.get("alg") != "RS256" or key is None or not is_signed(key, f"{head}.{payload}".encode(), decoded(signature)):
            raise Reply(401, b"Jwt verification fails")
        return claims

    def pass_claims(self, rule, place, claims, request):
        request.principal = f"{claims['iss']}/{claims['sub']}"
        for output in rule.get("outputClaimToHeaders") or []:
            value = claims.get(output["claim"])
            if isinstance(value, (str, int)):
                request.set(output["header"], str(value))
            elif value is not None:
                request.set(output["header"], base64.b64encode(json.dumps(value).encode()).decode())
        if not rule.get("forwardOriginalToken"):
            request.drop(place["name"])

    # Routes.

    def gateways(self, port):
        """The Gateways of the workload at a port of its service, with their hosts."""
        found = {}
        for item in self.api.items(f"{ISTIO}/gateways"):
            meta, spec = item["metadata"], only(item["spec"], "selector", "servers")
            if not spec["selector"].items() <= self.labels.items():
                continue
            for server in spec["servers"]:
                only(server, "hosts", "port")
                if server["port"]["number"] == port and server["port"]["protocol"] == "HTTP":
                    found.setdefault(f"{meta['namespace']}/{meta['name']}", []).extend(server["hosts"])
        return found

    def route(self, request, port):
        """The route of a request, and the namespace of its VirtualService. Hosts that are more special come first; then the
        order is that of creation, and routes for every path come last."""
        gateways = self.gateways(port)
        host = (request.header("host") or "").rsplit(":", 1)[0]
        found = []
        for item in self.api.items(f"{ISTIO}/virtualservices"):
            meta, spec = item["metadata"], only(item["spec"], "gateways", "hosts", "http")
            names = [name if "/" in name else f"{meta['namespace']}/{name}" for name in spec.get("gateways") or ["mesh"]]
            hosts = [one for name in names for one in gateways.get(name, [])]
            for own in spec["hosts"]:
                if matches(own, host) and any(one.rpartition("/")[2] == "*" or matches(one, host) for one in hosts):
                    rank = (0 if own == host else 1 if own != "*" else 2, -len(own))
                    found.append((rank, meta["creationTimestamp"], f"{meta['name']}.{meta['namespace']}", spec, meta["namespace"]))
        found.sort(key=lambda entry: entry[:3])
        best = [entry for entry in found if entry[0] == found[0][0]]
        routes = [(http, condition, namespace) for _, _, _, spec, namespace in best for http in spec["http"]
                  for condition in http.get("match") or [{"uri": {"prefix": "/"}}]]
        routes.sort(key=lambda route: route[1] == {"uri": {"prefix": "/"}})
        for http, condition, namespace in routes:
            prefix = self.matched(condition, request)
            if prefix is not None:
                return http, prefix, namespace
        raise Reply(404)

    def matched(self, condition, request):
        """The part of the path that a condition matches, or none."""
        only(condition, "uri", "name", "method", "headers")
        for key, wanted in [("method", condition.get("method"))] if "method" in condition else []:
            if not self.text_matches(wanted, request.method):
                return None
        for name, wanted in (condition.get("headers") or {}).items():
            if not self.text_matches(wanted, request.header(name) or ""):
                return None
        uri = only(condition.get("uri") or {"prefix": "/"}, "prefix", "exact", "regex")
        if not self.text_matches(uri, request.path):
            return None
        return uri.get("prefix", request.path)

    def text_matches(self, wanted, text):
        (how, pattern), = wanted.items()
        return {"prefix": text.startswith(pattern), "exact": text == pattern,
                "regex": how == "regex" and re.fullmatch(pattern, text) is not None}[how]

    def forward(self, request, port):
        http, prefix, namespace = self.route(request, port)
        only(http, "match", "name", "rewrite", "route", "timeout", "headers")
        destination, = http["route"]
        only(destination, "destination", "weight", "headers")
        for changes in (http.get("headers") or {}, destination.get("headers") or {}):
            changes = only(only(changes, "request").get("request") or {}, "set", "add", "remove")
            for name, value in (changes.get("set") or {}).items() | (changes.get("add") or {}).items():
                request.set(name, value)
            for name in changes.get("remove") or []:
                request.drop(name)
        rewrite = only(http.get("rewrite") or {}, "uri").get("uri")
        target = rewrite + request.target[len(prefix):] if rewrite else request.target
        to = only(destination["destination"], "host", "port")
        service = self.places.address(to["host"], namespace)
        return send(self.address, (service, to["port"]["number"]), request.method, target, request.headers, request.body)


def is_signed(key, text, signature):
    """Whether a signature is RS256 by a key: PKCS #1 version 1.5 with SHA-256."""
    modulus, exponent = (int.from_bytes(decoded(key[part]), "big") for part in ("n", "e"))
    size = (modulus.bit_length() + 7) // 8
    tail = SHA256 + hashlib.sha256(text).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail
    return len(signature) == size and pow(int.from_bytes(signature, "big"), exponent, modulus) == int.from_bytes(wanted, "big")


def send(source, place, method, target, headers, body=b""):
    """Status, headers and body of an answer to a request that comes from the address `source`."""
    connection = http.client.HTTPConnection(*place, timeout=30, source_address=(source, 0))
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for key, value in headers:
        if key not in HOP:
            connection.putheader(key, value)
    connection.putheader("content-length", str(len(body)))
    connection.endheaders(body)
    try:
        answer = connection.getresponse()
        return answer.status, [(key.lower(), value) for key, value in answer.getheaders()], answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


# Servers.


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, self.headers.items(), self.rfile.read(length))
        try:
            status, headers, body = self.server.answer(request)
        except Reply as reply:
            status, headers, body = reply.status, reply.headers, reply.body
        except OSError as error:
            status, headers, body = 503, [], str(error).encode()
        except Exception:
            traceback.print_exc()
            status, headers, body = 500, [], traceback.format_exc().encode()
        self.send_response_only(status)
        for key, value in headers:
            if key not in HOP:
                self.send_header(key, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_GET

    def log_message(self, form, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    # Others of the lab listen on the same port of all addresses; the more special listener gets the connection.
    daemon_threads = allow_reuse_port = True

    def __init__(self, place, answer, context=None):
        super().__init__(place, Handler)
        self.answer = answer
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def serve_pods(lab, places, name, answers):
    """Listens at the addresses of a service's pods, also of later ones: a port and what answers there."""
    namespace, service = name.split("/")
    selector, served = places.service(namespace, service)["selector"], set()

    def see_pod(pod):
        address = (pod.get("status") or {}).get("podIP")
        if address and selector.items() <= (pod["metadata"].get("labels") or {}).items():
            for port, answer in answers.items():
                if (address, port) not in served:
                    served.add((address, port))
                    Server((address, port), answer)
    path = f"/api/v1/namespaces/{namespace}/pods"
    threading.Thread(target=Api(lab, "gateway").follow, args=(path, see_pod), daemon=True).start()


def serve_gateway(lab, places):
    """Listens at the ports of the gateway's pods for which there is a Gateway."""
    mesh, answers = Mesh(places), {}
    for port, target in mesh.ports.items():
        def answer(request, port=port):
            now = Mesh(places)
            request.set("x-forwarded-proto", "http")
            now.filter(request)
            return now.forward(request, port)
        if mesh.gateways(port):
            answers[target] = answer
            Server((FORWARD, target), answer)
    serve_pods(lab, places, "/".join(GATEWAY), answers)


def serve_application(lab, places, name):
    """Answers for the pods of a service with what reached them."""
    def answer(request):
        text = json.dumps({"service": name, "method": request.method, "target": request.target, "headers": dict(request.headers)})
        with open(f"{lab}/answered", "a") as file:
            file.write(text + "\n")
        return 200, [("content-type", "application/json")], text.encode()
    serve_pods(lab, places, name, {places.service(*name.split("/"))["ports"][0]["targetPort"]: answer})


def serve_router(lab, places, address):
    """OpenShift's router, for the Routes that there are."""
    routes = {item["spec"]["host"]: item for item in places.api.items("/apis/route.openshift.io/v1/routes")}

    def service(request, scheme):
        route = routes.get(request.header("host").rsplit(":", 1)[0])
        if route is None:
            raise Reply(503)
        spec = only(route["spec"], "host", "port", "tls", "to", "wildcardPolicy")
        tls = only(spec["tls"], "termination", "insecureEdgeTerminationPolicy")
        if tls["termination"] != "edge":
            raise NotImplementedError(tls)
        if scheme == "http" and tls.get("insecureEdgeTerminationPolicy") == "Redirect":
            raise Reply(302, b"", [("location", f"https://{request.header('host')}{request.target}")])
        to = places.service(route["metadata"]["namespace"], spec["to"]["name"])
        port = next(port["port"] for port in to["ports"] if spec["port"]["targetPort"] in (port.get("name"), port["targetPort"]))
        request.set("x-forwarded-proto", scheme)
        return send(address, (to["clusterIP"], port), request.method, request.target, request.headers, request.body)

    os.makedirs(f"{lab}/pki", exist_ok=True)
    pki.make_certificate(f"{lab}/pki", "router", "/CN=router", [f"DNS:{host}" for host in routes])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{lab}/pki/router.crt", f"{lab}/pki/router.key")
    Server((address, 443), lambda request: service(request, "https"), context)
    Server((address, 80), lambda request: service(request, "http"))


def main():
    parser = argparse.ArgumentParser(prog="gateway.py", description=__doc__)
    parser.add_argument("lab")
    parser.add_argument("--answer", default=[], action="append")
    parser.add_argument("--router")
    parser.add_argument("--host", default=[], action="append")
    options = parser.parse_args()
    places = Places(options.lab, dict(pair.split("=", 1) for pair in options.host))
    for name in options.answer:
        serve_application(options.lab, places, name)
    serve_gateway(options.lab, places)
    if options.router:
        serve_router(options.lab, places, options.router)
    print("ready", flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
