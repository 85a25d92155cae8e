"""Prints, for each kind of custom resources that etcd has, the versions in which it has them: {"jobs.example.com": ["v1"]}."""

import base64
import json
import urllib.request

from up import ETCD

# Where the API server keeps custom resources: /registry/GROUP/PLURAL/…; what is built in is not JSON there.
REGISTRY = "/registry/"


def objects():
    ends = {"key": REGISTRY, "range_end": REGISTRY[:-1] + "0"}
    body = json.dumps({name: base64.b64encode(end.encode()).decode() for name, end in ends.items()})
    with urllib.request.urlopen(f"http://127.0.0.1:{ETCD}/v3/kv/range", body.encode()) as answer:
        for pair in json.load(answer)["kvs"]:
            value = base64.b64decode(pair["value"])
            if value.startswith(b"{"):
                yield base64.b64decode(pair["key"]).decode().split("/"), json.loads(value)


def main():
    found = {}
    for (_, _, group, plural, *_), value in objects():
        name, version = value["apiVersion"].rsplit("/", 1) if "/" in value["apiVersion"] else ("", value["apiVersion"])
        if name == group:
            found.setdefault(f"{plural}.{group}", set()).add(version)
    print(json.dumps({name: sorted(versions) for name, versions in found.items()}))


if __name__ == "__main__":
    main()
