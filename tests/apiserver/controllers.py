"""What controllers and kubelets of a cluster do, as far as clients can see it."""

import copy
import re
import time
import uuid

from store import now

WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}


class Controllers:
    """`settings`: `crdDelay`, `readyDelay`, `goneDelay` in seconds; `broken`, a pattern of images that cannot be pulled."""

    def __init__(self, store, settings):
        self.store, self.settings = store, settings
        self.seen = {}
        self.by_kind = {kind.kind: kind for kind in store.built_in}

    def run(self):
        while True:
            with self.store.lock:
                self.tick()
            time.sleep(0.03)

    def age(self, obj, what):
        """Seconds since an object was first seen in this generation."""
        key = (what, obj["metadata"]["uid"], obj["metadata"].get("generation"))
        return time.monotonic() - self.seen.setdefault(key, time.monotonic())

    def all(self, kind):
        return list(self.store.of(self.by_kind[kind].key).values())

    def set_status(self, kind, obj, status):
        if obj.get("status") != status:
            obj = copy.deepcopy(obj)
            obj["status"] = status
            self.store.put(self.by_kind[kind], obj)

    def tick(self):
        for crd in self.all("CustomResourceDefinition"):
            self.definition(crd)
        for namespace in self.all("Namespace"):
            self.namespace(namespace)
        for kind in WORKLOADS:
            for workload in self.all(kind):
                self.workload(kind, workload)
        for claim in self.all("PersistentVolumeClaim"):
            self.claim(claim)
        for service in self.all("Service"):
            self.service(service)
        for api in self.all("APIService"):
            self.api_service(api)
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
            for config in self.all(kind):
                self.certificate(kind, config)
        self.garbage()

    def definition(self, crd):
        kind = self.by_kind["CustomResourceDefinition"]
        if crd["metadata"].get("deletionTimestamp"):
            self.clean_definition(kind, crd)
        elif self.age(crd, "crd") >= self.settings["crdDelay"] and not crd.get("status"):
            when = now()
            conditions = [{"type": t, "status": "True", "lastTransitionTime": when, "reason": r, "message": m} for t, r, m in (
                ("NamesAccepted", "NoConflicts", "no conflicts found"),
                ("Established", "InitialNamesAccepted", "the initial names have been accepted"))]
            self.set_status("CustomResourceDefinition", crd, {
                "conditions": conditions, "acceptedNames": crd["spec"]["names"],
                "storedVersions": [v["name"] for v in crd["spec"]["versions"] if v.get("storage")]})

    def clean_definition(self, kind, crd):
        spec = crd["spec"]
        left = self.store.of((spec["group"], spec["names"]["plural"]))
        served = next((k for k in self.store.kinds() if k.key == (spec["group"], spec["names"]["plural"])), None)
        for obj in list(left.values()):
            if served:
                self.store.delete(served, obj)
        if not left or not served:
            done = copy.deepcopy(crd)
            done["metadata"]["finalizers"] = []
            self.store.put(kind, done)

    def namespace(self, namespace):
        kind = self.by_kind["Namespace"]
        name = namespace["metadata"]["name"]
        if not namespace["metadata"].get("deletionTimestamp"):
            self.set_status("Namespace", namespace, {"phase": "Active"})
            for what, made in (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")):
                if (name, made) not in self.store.of(self.by_kind[what].key):
                    self.store.put(self.by_kind[what], {"apiVersion": "v1", "kind": what,
                                                       "metadata": {"name": made, "namespace": name}})
            return
        left = 0
        for served in self.store.kinds():
            if served.namespaced:
                for (where, _), obj in list(self.store.of(served.key).items()):
                    if where == name:
                        self.store.delete(served, obj)
                        left += (where, obj["metadata"]["name"]) in self.store.of(served.key)
        if not left and self.age(namespace, "gone") >= self.settings["goneDelay"]:
            self.store.drop(kind, namespace)

    def pods_of(self, workload):
        uid = workload["metadata"]["uid"]
        return [p for p in self.all("Pod") if any(o["uid"] == uid for o in p["metadata"].get("ownerReferences", []))]

    def workload(self, kind, workload):
        metadata, spec = workload["metadata"], workload["spec"]
        pods = self.pods_of(workload)
        if metadata.get("deletionTimestamp"):
            for pod in pods:
                self.store.delete(self.by_kind["Pod"], pod)
            if not self.pods_of(workload) and self.age(workload, "gone") >= self.settings["goneDelay"]:
                done = copy.deepcopy(workload)
                done["metadata"]["finalizers"] = [f for f in metadata.get("finalizers", []) if f != "foregroundDeletion"]
                self.store.put(self.by_kind[kind], done)
            return
        if spec.get("suspend"):
            return
        wanted = 1 if kind in ("DaemonSet", "Job") else spec.get("replicas", 1)
        pods = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        for pod in pods:
            if pod["metadata"]["annotations"]["generation"] != str(metadata["generation"]):
                self.store.delete(self.by_kind["Pod"], pod)
        pods = self.pods_of(workload)
        while len(pods) < wanted:
            pods.append(self.new_pod(kind, workload))
        for pod in pods[wanted:]:
            self.store.delete(self.by_kind["Pod"], pod)
        is_due = self.age(workload, "ready") >= self.settings["readyDelay"]
        ready = sum(self.run_pod(kind, pod, is_due) for pod in pods[:wanted])
        self.set_status(kind, workload, self.status(kind, workload, wanted, ready))

    def new_pod(self, kind, workload):
        metadata = workload["metadata"]
        template = copy.deepcopy(workload["spec"]["template"])
        labels = template.get("metadata", {}).get("labels", {})
        annotations = {**(template.get("metadata", {}).get("annotations") or {}), "generation": str(metadata["generation"])}
        owner = {"apiVersion": workload["apiVersion"], "kind": kind, "name": metadata["name"], "uid": metadata["uid"],
                 "controller": True, "blockOwnerDeletion": True}
        return self.store.put(self.by_kind["Pod"], {
            "apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
            "metadata": {"name": f"{metadata['name']}-{uuid.uuid4().hex[:5]}", "namespace": metadata["namespace"],
                         "labels": labels, "annotations": annotations, "ownerReferences": [owner]}})

    def run_pod(self, kind, pod, is_due):
        """Moves a pod on; gives whether it is ready."""
        containers = pod["spec"].get("containers", [])
        broken = self.settings.get("broken")
        bad = [c for c in containers if broken and re.search(broken, c.get("image", ""))]
        if bad:
            message = f"Back-off pulling image \"{bad[0]['image']}\""
            waiting = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
            statuses = [{"name": c["name"], "ready": False, "state": waiting if c in bad else {"running": {}}} for c in containers]
            self.set_status("Pod", pod, {"phase": "Pending", "containerStatuses": statuses,
                                         "conditions": [{"type": "Ready", "status": "False"}]})
            self.event(pod, "Failed", message)
            return False
        crashing = self.settings.get("crashing")
        bad = [c for c in containers if crashing and re.search(crashing, c.get("image", ""))]
        if bad:
            state = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}}
            statuses = [{"name": c["name"], "ready": False, **state} for c in bad]
            self.set_status("Pod", pod, {"phase": "Running", "containerStatuses": statuses,
                                         "conditions": [{"type": "Ready", "status": "False"}]})
            return False
        if not is_due:
            return False
        phase = "Succeeded" if kind == "Job" else "Running"
        statuses = [{"name": c["name"], "ready": True, "state": {"running": {}}} for c in containers]
        self.set_status("Pod", pod, {"phase": phase, "containerStatuses": statuses,
                                     "conditions": [{"type": "Ready", "status": "True"}]})
        return True

    def event(self, pod, reason, message):
        metadata = pod["metadata"]
        name = f"{metadata['name']}.{reason.lower()}"
        if (metadata["namespace"], name) in self.store.of(self.by_kind["Event"].key):
            return
        self.store.put(self.by_kind["Event"], {
            "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": reason, "message": message, "count": 3,
            "metadata": {"name": name, "namespace": metadata["namespace"]}, "lastTimestamp": now(),
            "involvedObject": {"kind": "Pod", "name": metadata["name"], "namespace": metadata["namespace"]}})

    def status(self, kind, workload, wanted, ready):
        seen = {"observedGeneration": workload["metadata"]["generation"]}
        if kind == "Deployment":
            return {**seen, "replicas": wanted, "updatedReplicas": wanted, "readyReplicas": ready, "availableReplicas": ready}
        if kind == "StatefulSet":
            return {**seen, "replicas": wanted, "updatedReplicas": wanted, "readyReplicas": ready, "availableReplicas": ready,
                    "currentRevision": "a", "updateRevision": "a"}
        if kind == "DaemonSet":
            return {**seen, "desiredNumberScheduled": wanted, "currentNumberScheduled": wanted,
                    "updatedNumberScheduled": wanted, "numberAvailable": ready, "numberReady": ready}
        done = ready >= wanted
        return {"succeeded": ready, "conditions": [{"type": "Complete", "status": "True"}] if done else []}

    def claim(self, claim):
        if claim.get("status", {}).get("phase") == "Bound":
            return
        classes = {c["metadata"]["name"]: c for c in self.all("StorageClass")}
        default = next((n for n, c in classes.items() if (c["metadata"].get("annotations") or {}).get(
            "storageclass.kubernetes.io/is-default-class") == "true"), None)
        chosen = classes.get(claim["spec"].get("storageClassName") or default)
        used = any(v.get("persistentVolumeClaim", {}).get("claimName") == claim["metadata"]["name"]
                   for p in self.all("Pod") if p["metadata"]["namespace"] == claim["metadata"]["namespace"]
                   for v in p["spec"].get("volumes", []))
        late = chosen and chosen.get("volumeBindingMode") == "WaitForFirstConsumer"
        self.set_status("PersistentVolumeClaim", claim, {"phase": "Bound" if chosen and (used or not late) else "Pending"})

    def endpoints(self, namespace, selector):
        """Addresses of the ready pods that a selector finds."""
        found = []
        for pod in self.all("Pod"):
            labels = pod["metadata"].get("labels") or {}
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))
            fits = selector and all(labels.get(k) == v for k, v in selector.items())
            if pod["metadata"]["namespace"] == namespace and fits and ready:
                found.append(pod["metadata"]["name"])
        return found

    def service(self, service):
        metadata = service["metadata"]
        kind = self.by_kind["EndpointSlice"]
        name = f"{metadata['name']}-slice"
        pods = self.endpoints(metadata["namespace"], service["spec"].get("selector"))
        before = self.store.of(kind.key).get((metadata["namespace"], name))
        owner = {"apiVersion": "v1", "kind": "Service", "name": metadata["name"], "uid": metadata["uid"]}
        slice_ = copy.deepcopy(before) if before else {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": name, "namespace": metadata["namespace"], "ownerReferences": [owner],
                         "labels": {"kubernetes.io/service-name": metadata["name"]}}}
        slice_["endpoints"] = [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}, "targetRef": {"name": p}} for p in sorted(pods)]
        self.store.put(kind, slice_)

    def answers(self, namespace, name):
        """Whether a pod behind a service is ready."""
        service = self.store.of(self.by_kind["Service"].key).get((namespace, name))
        return bool(service and self.endpoints(namespace, service["spec"].get("selector")))

    def api_service(self, api):
        service = api["spec"].get("service")
        up = not service or self.answers(service["namespace"], service["name"])
        message = "all checks passed" if up else "endpoints for service have no addresses"
        self.set_status("APIService", api, {"conditions": [
            {"type": "Available", "status": "True" if up else "False", "reason": "Passed" if up else "MissingEndpoints", "message": message}]})

    def certificate(self, kind, config):
        """cert-manager's injector, once it runs."""
        annotations = config["metadata"].get("annotations") or {}
        injectors = [d for d in self.all("Deployment") if d["metadata"]["name"] == "cert-manager-cainjector"
                     and d.get("status", {}).get("availableReplicas")]
        asks = any(name.startswith("cert-manager.io/inject-ca-from") for name in annotations)
        if not asks or not injectors:
            return
        done = copy.deepcopy(config)
        for webhook in done.get("webhooks", []):
            webhook["clientConfig"]["caBundle"] = "Y2VydGlmaWNhdGU="
        self.store.put(self.by_kind[kind], done)

    def garbage(self):
        """Deletes what belonged to something that is gone."""
        uids = {o["metadata"]["uid"] for objects in self.store.objects.values() for o in objects.values()}
        for kind in ("Pod", "EndpointSlice", "ReplicaSet"):
            for obj in self.all(kind):
                owners = obj["metadata"].get("ownerReferences", [])
                if owners and not any(o["uid"] in uids for o in owners):
                    self.store.delete(self.by_kind[kind], obj)
