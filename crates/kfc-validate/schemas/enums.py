#!/usr/bin/env python3
"""Writes enums.txt, the fields that take one of a few texts: enums.py FOLDER…

A FOLDER is the source of a Kubernetes version, as its Go module has it: `go mod download -json k8s.io/kubernetes@v1.37.2` says
where. Its `pkg/generated/openapi/zz_generated.openapi.go` is what the API server publishes as OpenAPI documents. A line is

    TYPE.FIELD FIRST-LAST ["VALUE",…]

with the versions that have exactly these values. Status is left out.
"""
import json
import pathlib
import re
import sys

PREFIXES = [("pkg_apis_meta_v1_", "meta."), ("pkg_apis_apiextensions_v1_", "apiextensions.v1."), ("pkg_apis_apiregistration_v1_", "apiregistration.v1.")]
FUNCTION = re.compile(r"^func schema_(\w+)\(ref common\.ReferenceCallback\) common\.OpenAPIDefinition \{\n(.*?)^\}", re.S | re.M)


def type_name(function):
    """`core.v1.Pod` of `k8sio_api_core_v1_Pod`, which is `api_core_v1_Pod` in older versions; none for internal types."""
    for prefix, instead in PREFIXES:
        if function.startswith(prefix):
            return instead + function[len(prefix):]
    found = re.fullmatch(r"(?:k8sio_)?api_([a-z]+)_(v\d\w*?)_(\w+)", function)
    return ".".join(found.groups()) if found else None


def read(folder):
    """The version, and the values of each field."""
    version = int(re.search(r"@v1\.(\d+)\.", folder).group(1))
    text = (pathlib.Path(folder) / "pkg/generated/openapi/zz_generated.openapi.go").read_text()
    found = {}
    for function, body in FUNCTION.findall(text):
        name, field = type_name(function), None
        if name is None or name.endswith("Status"):
            continue
        for line in body.split("\n"):
            start = re.match(r'^\t{5}"([^"]+)": \{$', line)
            field = start[1] if start else field
            values = re.search(r"Enum:\s+\[\]interface\{\}\{(.*)\},?$", line)
            if values and field:
                found[f"{name}.{field}"] = re.findall(r'"([^"]*)"', values[1])
    return version, found


def main():
    versions = dict(read(folder) for folder in sys.argv[1:])
    lines = []
    for field in sorted({field for fields in versions.values() for field in fields}):
        start, before = None, None
        for version in [*sorted(versions), None]:
            values = versions[version].get(field) if version else None
            if values != before or version is None:
                if before:
                    lines.append(f"{field} {start}-{last} {json.dumps(before, separators=(',', ':'))}")
                start, before = version, values
            last = version
    head = f"# Written by enums.py from the sources of 1.{min(versions)} to 1.{max(versions)}.\n"
    (pathlib.Path(__file__).parent / "enums.txt").write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
