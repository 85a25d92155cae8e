"""admit.py LAB BUNDLE.json…: asks the API server of a lab whether it admits every object of some bundles (JSON lists), run
inside the lab. Definitions of custom resources and namespaces are created, all else is a server-side dry run; objects that
several bundles share are sent once. Prints one JSON object: how many objects there are, and what was refused or warned of."""

import collections
import concurrent.futures
import json
import os
import sys
import time
import urllib.parse

from api import APPLY, Api

CREATED = ("CustomResourceDefinition", "Namespace")


class Admission:
    def __init__(self, folder):
        self.api = Api(folder, "lab-admission")
        self.paths = {}
        self.problems = []

    def discover(self):
        """The path of each kind that the server knows, and whether it lives in a namespace."""
        groups = self.api.ask("GET", "/apis")["groups"]
        places = [("v1", "/api/v1")] + [(v["groupVersion"], f"/apis/{v['groupVersion']}") for g in groups for v in g["versions"]]
        for version, path in places:
            for resource in (self.api.find(path) or {}).get("resources", []):
                if "/" not in resource["name"]:
                    self.paths[version, resource["kind"]] = (path, resource["name"], resource["namespaced"])

    def path(self, item):
        known = self.paths.get((item["apiVersion"], item["kind"]))
        if known is None:
            return None
        path, plural, namespaced = known
        meta = item["metadata"]
        place = f"/namespaces/{meta.get('namespace') or 'default'}" if namespaced else ""
        return f"{path}{place}/{plural}/{urllib.parse.quote(meta['name'])}"

    def admit(self, item, profiles, really=False):
        """Sends one object; what is not a silent success becomes a problem."""
        path = self.path(item)
        if path is None:
            return self.problem(item, profiles, "the server does not know this kind")
        query = {"fieldManager": "lab-admission", "force": "true"} | ({} if really else {"dryRun": "All"})
        status, answer, warnings = self.api.send("PATCH", f"{path}?{urllib.parse.urlencode(query)}", item, APPLY)
        if status >= 300:
            self.problem(item, profiles, answer.get("message", answer) if isinstance(answer, dict) else answer)
        for warning in warnings:
            self.problem(item, profiles, f"Warning: {warning}")

    def problem(self, item, profiles, message):
        meta = item["metadata"]
        name = f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"]
        self.problems.append({"object": f"{item['apiVersion']} {item['kind']} {name}", "bundles": profiles, "message": message})

    def wait_for_definitions(self):
        """Until the server serves every version of every definition."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.discover()
            specs = [item["spec"] for item in self.api.items(path)]
            served = {(f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                      for spec in specs for version in spec["versions"] if version["served"]}
            if served <= self.paths.keys():
                return
            time.sleep(0.3)
        sys.exit(f"not served after 60 seconds: {sorted(served - self.paths.keys())}")


def read(files):
    """The distinct objects of all bundles, each with the bundles that have it, and how many there are in all."""
    seen, total = collections.OrderedDict(), 0
    for file in files:
        with open(file) as bundle:
            items = json.load(bundle)
        total += len(items)
        for item in items:
            key = json.dumps(item, sort_keys=True)
            seen.setdefault(key, (item, []))[1].append(os.path.basename(file).removesuffix(".json"))
    return list(seen.values()), total


def main():
    folder, files = sys.argv[1], sys.argv[2:]
    objects, total = read(files)
    admission = Admission(folder)
    admission.discover()
    first = set()
    rest = []
    for item, profiles in objects:
        key = (item["kind"], item["metadata"]["name"])
        if item["kind"] in CREATED and key not in first:
            first.add(key)
            admission.admit(item, profiles, really=True)
        else:
            rest.append((item, profiles))
    admission.wait_for_definitions()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(admission.admit, item, profiles) for item, profiles in rest]:
            done.result()
    problems = sorted(admission.problems, key=lambda problem: (problem["object"], problem["message"]))
    json.dump({"objects": total, "distinct": len(objects), "problems": problems}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
