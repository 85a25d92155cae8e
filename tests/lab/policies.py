"""Network policies, as a network plug-in enforces them: which pod may be reached from where."""

import ipaddress
import threading

from api import Api

# Addresses outside the cluster. Whoever is neither there nor a pod is the machine itself, which is always let in.
OUTSIDE = ipaddress.ip_network("10.250.0.0/16")


def selects(selector, labels):
    """Whether a label selector selects what has these labels."""
    for expression in selector.get("matchExpressions") or []:
        value, values = labels.get(expression["key"]), expression.get("values") or []
        held = {"In": value in values, "NotIn": value not in values, "Exists": value is not None, "DoesNotExist": value is None}
        if not held[expression["operator"]]:
            return False
    return (selector.get("matchLabels") or {}).items() <= labels.items()


class Policies:
    """The pods, namespaces and network policies of a cluster, followed."""

    def __init__(self, folder):
        self.lock = threading.Lock()
        self.seen = {"pods": {}, "namespaces": {}, "networkpolicies": {}}
        for path in ("/api/v1/pods", "/api/v1/namespaces", "/apis/networking.k8s.io/v1/networkpolicies"):
            kind = path.rpartition("/")[2]
            follower = Api(folder, "lab")
            threading.Thread(target=follower.follow, args=(path, lambda item, kind=kind: self.see(kind, item)), daemon=True).start()

    def see(self, kind, item):
        with self.lock:
            if "deletionTimestamp" in item["metadata"]:
                self.seen[kind].pop(item["metadata"]["uid"], None)
            else:
                self.seen[kind][item["metadata"]["uid"]] = item

    def pod(self, address):
        return next((pod for pod in self.seen["pods"].values() if (pod.get("status") or {}).get("podIP") == address), None)

    def admit(self, source, target):
        """Whether an address may connect to a port of an address."""
        address, port = target
        with self.lock:
            pod, peer = self.pod(address), self.pod(source)
            if pod is None or peer is None and ipaddress.ip_address(source) not in OUTSIDE:
                return True
            namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or {}
            isolating = [policy["spec"] for policy in self.seen["networkpolicies"].values()
                         if policy["metadata"]["namespace"] == namespace and selects(policy["spec"].get("podSelector") or {}, labels)
                         and "Ingress" in policy["spec"].get("policyTypes", ["Ingress"])]
            return not isolating or any(self.is_allowed(rule, namespace, pod, port, source, peer)
                                        for spec in isolating for rule in spec.get("ingress") or [])

    def is_allowed(self, rule, namespace, pod, port, source, peer):
        names = {entry["name"]: entry["containerPort"] for container in pod["spec"]["containers"]
                 for entry in container.get("ports") or [] if "name" in entry}
        ports, origins = rule.get("ports") or [], rule.get("from") or []
        return ((not ports or any(names.get(entry.get("port"), entry.get("port", port)) == port for entry in ports))
                and (not origins or any(self.is_origin(origin, namespace, source, peer) for origin in origins)))

    def is_origin(self, origin, namespace, source, peer):
        if "ipBlock" in origin:
            block, address = origin["ipBlock"], ipaddress.ip_address(source)
            return (address in ipaddress.ip_network(block["cidr"])
                    and not any(address in ipaddress.ip_network(part) for part in block.get("except") or []))
        if peer is None:
            return False
        home = peer["metadata"]["namespace"]
        labels = next((item["metadata"].get("labels") or {} for item in self.seen["namespaces"].values()
                       if item["metadata"]["name"] == home), {})
        here = selects(origin["namespaceSelector"], labels) if "namespaceSelector" in origin else home == namespace
        return here and selects(origin.get("podSelector") or {}, peer["metadata"].get("labels") or {})
