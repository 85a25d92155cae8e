"""Objects with resource versions, finalizers, and a log of what happened to them."""

import copy
import datetime
import threading
import uuid

from kinds import BUILT_IN, Lists


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Kind:
    """A kind as it is served."""

    def __init__(self, group, version, kind, plural, namespaced, lists=None, storage=True):
        self.group, self.version, self.kind, self.plural = group, version, kind, plural
        self.namespaced, self.lists, self.storage = namespaced, lists or Lists(), storage

    @property
    def api_version(self):
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self):
        return (self.group, self.plural)


class Store:
    def __init__(self):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.objects = {}
        self.version = 1000
        # (version, type, kind key, object)
        self.log = []
        self.built_in = [
            Kind("" if g == "-" else g, v, k, p, n == "yes") for g, v, k, p, n in BUILT_IN
        ]

    def kinds(self):
        """What is served now: definitions only once they are established."""
        kinds = list(self.built_in)
        for crd in self.objects.get(("apiextensions.k8s.io", "customresourcedefinitions"), {}).values():
            conditions = (crd.get("status") or {}).get("conditions") or []
            if not any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
                continue
            spec = crd["spec"]
            for version in spec["versions"]:
                if version.get("served"):
                    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
                    kinds.append(Kind(spec["group"], version["name"], spec["names"]["kind"], spec["names"]["plural"],
                                      spec["scope"] == "Namespaced", Lists(schema)))
        return kinds

    def of(self, key):
        return self.objects.setdefault(key, {})

    def put(self, kind, obj):
        """Writes an object, new or changed; the generation counts changes of anything but metadata and status."""
        name = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        before = self.of(kind.key).get(name)
        if before is not None and without_version(before) == without_version(obj):
            return before
        obj = copy.deepcopy(obj)
        metadata = obj["metadata"]
        if before is None:
            metadata["uid"] = str(uuid.uuid4())
            metadata["creationTimestamp"] = now()
            metadata["generation"] = 1
        else:
            metadata["uid"] = before["metadata"]["uid"]
            metadata["creationTimestamp"] = before["metadata"]["creationTimestamp"]
            metadata["generation"] = before["metadata"].get("generation", 1)
            if body(before) != body(obj):
                metadata["generation"] += 1
        if kind.kind in ("ConfigMap", "Secret", "Event", "ServiceAccount", "Endpoints") or "rbac" in kind.group:
            metadata.pop("generation")
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        self.of(kind.key)[name] = obj
        self.note("ADDED" if before is None else "MODIFIED", kind, obj)
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers") and kind.kind != "Namespace":
            self.drop(kind, obj)
        return obj

    def drop(self, kind, obj):
        self.of(kind.key).pop((obj["metadata"].get("namespace", ""), obj["metadata"]["name"]), None)
        self.version += 1
        obj = copy.deepcopy(obj)
        obj["metadata"]["resourceVersion"] = str(self.version)
        self.note("DELETED", kind, obj)

    def note(self, what, kind, obj):
        self.log.append((self.version, what, kind.key, obj))
        self.changed.notify_all()

    def delete(self, kind, obj, foreground=False):
        """Marks an object as being deleted, or drops it when nothing holds it."""
        metadata = obj["metadata"]
        if metadata.get("deletionTimestamp"):
            return obj
        obj = copy.deepcopy(obj)
        obj["metadata"]["deletionTimestamp"] = now()
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if foreground and kind.kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"):
            finalizers.append("foregroundDeletion")
        if kind.kind == "Namespace":
            obj["status"] = {"phase": "Terminating"}
        if kind.kind == "CustomResourceDefinition":
            finalizers.append("customresourcecleanup.apiextensions.k8s.io")
        if not finalizers:
            obj["metadata"].pop("finalizers")
            if kind.kind != "Namespace":
                self.drop(kind, obj)
                return obj
        return self.put(kind, obj)


def body(obj):
    return {k: v for k, v in obj.items() if k not in ("metadata", "status")}


def without_version(obj):
    skipped = ("resourceVersion", "generation", "uid", "creationTimestamp")
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k not in skipped}}
