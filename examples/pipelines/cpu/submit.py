"""Starts a run of a pipeline with two steps and waits for its end. Needs no SDK: the API server speaks HTTP and JSON."""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

API = os.environ["KFP_API"]
TOKEN_FILE = "/var/run/secrets/kubeflow/pipelines/token"
NAMESPACE = os.environ["NAMESPACE"]
EXPERIMENT = "examples"

PREPARE = """
import os, random, sys
count, path = int(sys.argv[1]), sys.argv[2]
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path, "w") as out:
    for _ in range(count):
        x = random.random()
        out.write(f"{x} {3 * x + 1 + random.gauss(0, 0.1)}\\n")
"""

TRAIN = """
import json, os, sys
data, path = sys.argv[1], sys.argv[2]
rows = [tuple(map(float, line.split())) for line in open(data)]
slope, offset, device = 0.0, 0.0, "cpu"
try:
    import torch
except ImportError:
    for _ in range(200):
        errors = [(slope * x + offset - y, x) for x, y in rows]
        slope -= sum(e * x for e, x in errors) / len(rows)
        offset -= sum(e for e, _ in errors) / len(rows)
else:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x, y = torch.tensor(rows, device=device).T
    line = torch.zeros(2, device=device, requires_grad=True)
    for _ in range(200):
        ((line[0] * x + line[1] - y) ** 2 / 2).mean().backward()
        with torch.no_grad():
            line -= line.grad
            line.grad.zero_()
    slope, offset = line.tolist()
print(f"y = {slope:.3f} x + {offset:.3f}, computed on {device}")
os.makedirs(os.path.dirname(path), exist_ok=True)
json.dump({"slope": slope, "offset": offset}, open(path, "w"))
"""


def artifact(title):
    return {"artifactType": {"schemaTitle": title, "schemaVersion": "0.0.1"}}


def pipeline():
    """What the SDK would compile to."""
    samples = {"samples": {"parameterType": "NUMBER_INTEGER", "defaultValue": 2000, "isOptional": True}}
    resources = {"cpuLimit": 1.0, "resourceCpuLimit": "1", "memoryLimit": 2.0, "resourceMemoryLimit": "2Gi"}
    accelerator = os.environ.get("ACCELERATOR")
    if accelerator:
        resources["accelerator"] = {
            "type": accelerator, "resourceType": accelerator, "count": "1", "resourceCount": "1",
        }
    prepare = {
        "image": os.environ["PREPARE_IMAGE"],
        "command": ["python3", "-c", PREPARE],
        "args": ["{{$.inputs.parameters['samples']}}", "{{$.outputs.artifacts['data'].path}}"],
    }
    train = {
        "image": os.environ["TRAIN_IMAGE"],
        "command": ["python3", "-c", TRAIN],
        "args": ["{{$.inputs.artifacts['data'].path}}", "{{$.outputs.artifacts['model'].path}}"],
        "resources": resources,
    }
    tasks = {
        "prepare": {
            "taskInfo": {"name": "prepare"},
            "componentRef": {"name": "comp-prepare"},
            "cachingOptions": {"enableCache": True},
            "inputs": {"parameters": {"samples": {"componentInputParameter": "samples"}}},
        },
        "train": {
            "taskInfo": {"name": "train"},
            "componentRef": {"name": "comp-train"},
            "cachingOptions": {"enableCache": True},
            "dependentTasks": ["prepare"],
            "inputs": {"artifacts": {"data": {
                "taskOutputArtifact": {"producerTask": "prepare", "outputArtifactKey": "data"},
            }}},
        },
    }
    return {
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.16.0",
        "pipelineInfo": {"name": "linear-fit"},
        "root": {"inputDefinitions": {"parameters": samples}, "dag": {"tasks": tasks}},
        "components": {
            "comp-prepare": {
                "executorLabel": "exec-prepare",
                "inputDefinitions": {"parameters": {"samples": {"parameterType": "NUMBER_INTEGER"}}},
                "outputDefinitions": {"artifacts": {"data": artifact("system.Dataset")}},
            },
            "comp-train": {
                "executorLabel": "exec-train",
                "inputDefinitions": {"artifacts": {"data": artifact("system.Dataset")}},
                "outputDefinitions": {"artifacts": {"model": artifact("system.Model")}},
            },
        },
        "deploymentSpec": {"executors": {
            "exec-prepare": {"container": prepare},
            "exec-train": {"container": train},
        }},
    }


def call(method, path, body=None):
    # The kubelet renews the token, so it is read for every call.
    with open(TOKEN_FILE) as file:
        headers = {"Authorization": "Bearer " + file.read().strip(), "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{API}/apis/v2beta1/{path}", data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")


def experiment():
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": EXPERIMENT}
    query = urllib.parse.urlencode({
        "namespace": NAMESPACE, "filter": json.dumps({"predicates": [predicate]}),
    })
    found = call("GET", "experiments?" + query).get("experiments")
    if found:
        return found[0]["experiment_id"]
    return call("POST", "experiments", {"display_name": EXPERIMENT, "namespace": NAMESPACE})["experiment_id"]


def main():
    run = call("POST", "runs", {
        "display_name": "linear-fit",
        "experiment_id": experiment(),
        "pipeline_spec": pipeline(),
        "service_account": "default-editor",
    })
    print("run", run["run_id"], flush=True)
    state = None
    while state not in ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"):
        time.sleep(10)
        now = call("GET", "runs/" + run["run_id"]).get("state")
        if now != state:
            state = now
            print(state, flush=True)
    sys.exit(state != "SUCCEEDED")


if __name__ == "__main__":
    main()
