#!/usr/bin/env python3
"""Writes kubernetes.txt, the table of the types of every Kubernetes version that kfc knows: build.py FOLDER

FOLDER has the folders `v1.28.0-local`, `v1.29.0-local`, ... with one `_definitions.json` each, as the Python package
kubernetes-validate ships them below `kubernetes_validate/kubernetes-json-schema`. enums.txt beside this script is from
enums.py; enums-by-hand.txt, optional.txt and removals.txt are written by hand: the published schemas say nothing of these.

The table holds facts alone, one a line, no descriptions. A line at the margin starts a type, ` field! type =A,B from-to` is
a field of it:

    !         it has to be there
    [t]       a list; [t]set has no equal items, [t]map:a,b none with equal a and b
    {t}       a mapping with any keys
    a|b       either
    =A,B      the texts that are allowed, also as items of a list; `~` is a space
    28-31     since 1.28, up to 1.31; what is not said is the first or last version of the table

`= apiVersion kind type` names a kind.
"""
import json
import pathlib
import re
import sys

FIRST = 28
PREFIXES = [
    ("io.k8s.apimachinery.pkg.apis.meta.v1.", "meta."),
    ("io.k8s.apiextensions-apiserver.pkg.apis.", ""),
    ("io.k8s.kube-aggregator.pkg.apis.", ""),
    ("io.k8s.api.", ""),
]
SCHEMA = "apiextensions.v1.JSONSchemaProps"
# Types that are no mapping of fields.
SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "object",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "object",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "object",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": f"{SCHEMA}|boolean",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": f"{SCHEMA}|[{SCHEMA}]",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": f"{SCHEMA}|[string]",
}
FORMATS = {"int32": "int32", "int64": "int64", "byte": "bytes", "date-time": "time", "double": "number"}
# Kinds that nobody puts into a manifest.
SKIPPED = re.compile(r"List$|^(DeleteOptions|WatchEvent|Status|APIGroup|APIResourceList|APIVersions)$")


def short(name):
    for prefix, instead in PREFIXES:
        if name.startswith(prefix):
            return instead + name[len(prefix):]
    return name


def type_of(schema):
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return SCALARS.get(name) or short(name)
    kinds = schema.get("type", "any")
    kind = next(k for k in ([kinds] if isinstance(kinds, str) else kinds) if k != "null")
    if kind == "array":
        text = f"[{type_of(schema['items'])}]"
        if schema.get("x-kubernetes-list-type") == "set":
            text += "set"
        if schema.get("x-kubernetes-list-type") == "map":
            text += "map:" + ",".join(schema["x-kubernetes-list-map-keys"])
        return text
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return "{" + type_of(schema["additionalProperties"]) + "}"
    return FORMATS.get(schema.get("format"), kind)


def by_hand(name):
    """The lines of a hand-written table: its first word, and the others."""
    lines = (pathlib.Path(__file__).parent / name).read_text().splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines if line.strip() and not line.startswith("#")}


def published():
    """The lines of enums.txt: for each field the values from a version on, in the order of the versions."""
    found = {}
    for line in (pathlib.Path(__file__).parent / "enums.txt").read_text().splitlines():
        if not line.startswith("#"):
            field, span, values = line.split(" ", 2)
            first, last = (int(version) for version in span.split("-"))
            found.setdefault(field, []).append((first, last, json.loads(values)))
    return found


def allowed(field, version):
    """The texts that a field takes in a version. Where enums.txt does not have that version, the server checked the same in its
    own code: the values are those of the next version that has some, or else of the last."""
    if field in ENUMS:
        return ENUMS[field]
    lines = PUBLISHED.get(field, [])
    of = next((values for _, last, values in lines if version <= last), lines[-1][2] if lines else [])
    # An empty text is the same as none.
    return [value for value in of if value]


def read(folder, facts, used):
    """Puts what one version has into facts: {(type, None or line of a field or kind): versions}."""
    version = int(re.search(r"v1\.(\d+)", folder.name).group(1))
    definitions = json.loads((folder / "_definitions.json").read_text())["$defs"]
    types = {short(name): schema for name, schema in definitions.items() if name not in SCALARS}
    todo = []
    for name, schema in types.items():
        for gvk in schema.get("x-kubernetes-group-version-kind", []):
            if SKIPPED.search(gvk["kind"]):
                continue
            api_version = "/".join(part for part in (gvk["group"], gvk["version"]) if part)
            facts.setdefault(("", f"= {api_version} {gvk['kind']} {name}"), set()).add(version)
            todo.append(name)
    seen = set()
    while todo:
        name = todo.pop()
        if name in seen or name not in types:
            continue
        seen.add(name)
        facts.setdefault((name, ""), set()).add(version)
        for field, schema in types[name].get("properties", {}).items():
            text = type_of(schema)
            todo += re.findall(r"[A-Za-z0-9.]+\.[A-Za-z0-9]+", text)
            values = allowed(f"{name}.{field}", version)
            used.add(f"{name}.{field}")
            if values:
                text += " =" + ",".join(value.replace(" ", "~") for value in values)
            is_due = field in types[name].get("required", []) and f"{name}.{field}" not in OPTIONAL
            due = "!" if is_due else ""
            facts.setdefault((name, f" {field}{due} {text}"), set()).add(version)
    return version


def spans(versions, first, last):
    """Texts like `29-31` for runs of versions; an empty one for all."""
    runs, start = [], None
    for version in range(first, last + 2):
        if version in versions and start is None:
            start = version
        elif version not in versions and start is not None:
            runs.append((start, version - 1))
            start = None
    words = [("" if a == first else str(a)) + "-" + ("" if b == last else str(b)) for a, b in runs]
    return [" " + word if word != "-" else "" for word in words]


def main():
    folders = [folder for folder in pathlib.Path(sys.argv[1]).glob("v1.*-local")]
    folders = [folder for folder in folders if int(folder.name.split(".")[1]) >= FIRST]
    facts, used, versions = {}, set(), []
    for folder in sorted(folders, key=lambda folder: int(folder.name.split(".")[1])):
        versions.append(read(folder, facts, used))
    first, last = min(versions), max(versions)
    lines = [f"kubernetes {first} {last}"]
    for (name, fact), there in sorted(facts.items(), key=lambda item: item[0]):
        lines += [(fact or name) + span for span in spans(there, first, last)]
    (pathlib.Path(__file__).parent / "kubernetes.txt").write_text("\n".join(lines) + "\n")
    unused = sorted(set(ENUMS) - used)
    if unused:
        sys.exit("enums-by-hand.txt names fields that are not there: " + ", ".join(unused))


ENUMS = by_hand("enums-by-hand.txt")
OPTIONAL = by_hand("optional.txt")
PUBLISHED = published()
if __name__ == "__main__":
    main()
