"""The faults of tests/faults: faults.py COMMAND …

    list OPENAPI        writes cases/ there: what lists/ says, and what follows from the OpenAPI documents in
                        the folder OPENAPI (`documents` writes them). Verdicts of cases that were there already are kept.
    documents LAB OUT   writes the OpenAPI documents of the API server of a lab into a folder; run inside the lab
    record LAB          asks the API server of a lab for its verdict on every case, by server-side apply and creation as dry
                        runs, and writes it beside the case; run inside the lab. A server of another version than NEWEST adds only what differs.
    check LAB           the same, but reports verdicts that differ from the recorded ones instead

Needs PyYAML. The head of faults.rs there describes the files.
"""

import collections
import concurrent.futures
import copy
import itertools
import json
import os
import re
import sys
import time
import urllib.parse
import zlib

import yaml

from admit import Admission
from api import APPLY

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../faults")
NEWEST = "1.37"
# Bytes of the server's words that are kept of each cause.
LONGEST = 220


# Cases

class Base:
    """A valid object, and abbreviations of paths in it."""

    def __init__(self, name, words, text):
        self.name = name
        self.short = sorted((word.split("=", 1) for word in words), key=lambda pair: -len(pair[0]))
        self.object = yaml.safe_load(text)

    def path(self, text):
        for word, path in self.short:
            if text == word or text.startswith((word + ".", word + "[")):
                return path + text[len(word):]
        return text


def bases():
    found = {}
    for part in open(f"{FOLDER}/bases.yaml").read().split("\n# base ")[1:]:
        head, text = part.split("\n", 1)
        name, *words = head.split()
        found[name] = Base(name, words, text.split("\n---", 1)[0])
    return found


def steps(path):
    """`a.b[0]['c.d']` as keys and indices."""
    found = []
    for key, quoted, index in re.findall(r"([^.\[\]]+)|\['([^']*)'\]|\[(\d+)\]", path):
        found.append(int(index) if index else quoted or key)
    return found


def change(target, path, value, delete=False):
    """Sets what is at a path, and makes what is missing on the way; or takes it out."""
    keys = steps(path)
    for key, after in itertools.pairwise(keys):
        empty = [] if isinstance(after, int) else {}
        if isinstance(key, int):
            while len(target) <= key:
                target.append(copy.deepcopy(empty))
        elif not isinstance(target.get(key), (dict, list)):
            target[key] = empty
        target = target[key]
    if delete:
        target.pop(keys[-1], None) if isinstance(target, dict) else target.pop(keys[-1])
    elif isinstance(keys[-1], int) and keys[-1] >= len(target):
        target.append(value)
    else:
        target[keys[-1]] = value


class Case:
    """One change of a base: edits like `spec.replicas=-1` and `-spec.selector`."""

    def __init__(self, rule, base, edits):
        self.rule, self.base, self.edits = rule, base, edits
        self.verdicts = {}

    @property
    def key(self):
        return (self.base, *self.edits)

    def object(self, all_bases):
        made = copy.deepcopy(all_bases[self.base].object)
        for edit in self.edits:
            if edit.startswith("-"):
                change(made, edit[1:], None, delete=True)
            else:
                path, value = edit.split("=", 1)
                change(made, path, value_of(value))
        return made

    def line(self):
        fields = [self.base, *self.edits]
        for version, verdict in sorted(self.verdicts.items(), reverse=True):
            fields += [f"=> {version}", *verdict]
        return "\t".join(fields)


def read_cases():
    """All cases by file, in the order of the files."""
    found = {}
    for name in sorted(os.listdir(f"{FOLDER}/cases")):
        rule, found[name] = "", []
        for line in open(f"{FOLDER}/cases/{name}").read().splitlines():
            if line.startswith("== "):
                rule = line[3:]
            elif line and not line.startswith("#"):
                head, *verdicts = line.split("\t=> ")
                base, *edits = head.split("\t")
                case = Case(rule, base, edits)
                for verdict in verdicts:
                    version, *words = verdict.split("\t")
                    case.verdicts[version] = words
                found[name].append(case)
    return found


def write_cases(name, cases):
    lines = ["# Written by tests/lab/faults.py: BASE, EDITS, => VERSION, ok or no, what the server says."]
    for rule, group in itertools.groupby(cases, key=lambda case: case.rule):
        lines += ["", f"== {rule}", *(case.line() for case in group)]
    os.makedirs(f"{FOLDER}/cases", exist_ok=True)
    with open(f"{FOLDER}/cases/{name}", "w") as file:
        file.write("\n".join(lines) + "\n")


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# What is written by hand: `BASE[,BASE] EDIT & EDIT | VALUE`, where the last edit may have several values, each a case.

def listed(text, all_bases):
    rule = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("== "):
            rule = line[3:].strip()
        elif line.strip() and not line.startswith("#"):
            try:
                yield from expanded(line, rule, all_bases)
            except Exception as error:
                sys.exit(f"line {number}: {line}: {error!r}")


def value_of(text):
    """A JSON value; `*N text` repeats a text, for what is too long."""
    repeated = REPEATED.fullmatch(text)
    return repeated[2] * int(repeated[1]) if repeated else json.loads(text)


def written(text):
    """A YAML value as one of a case."""
    return text if REPEATED.fullmatch(text) else compact(yaml.load(text, Loader=Loader))


REPEATED = re.compile(r"\*(\d+) (.*)")


class Loader(yaml.SafeLoader):
    """Dates stay texts."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def expanded(line, rule, all_bases):
    names, rest = line.split(None, 1)
    for name in names.split(","):
        base = all_bases[name]
        done = []
        *first, last = rest.split(" & ")
        for edit in first:
            done.append(edit_of(edit.strip(), base))
        last = last.strip()
        if last.startswith("-"):
            yield Case(rule, name, [*done, "-" + base.path(last[1:].strip())])
            continue
        path, values = last.split(" = ", 1)
        for value in values.split(" | "):
            yield Case(rule, name, [*done, f"{base.path(path.strip())}={written(value.strip())}"])


def edit_of(text, base):
    if text.startswith("-"):
        return "-" + base.path(text[1:].strip())
    path, value = text.split(" = ", 1)
    return f"{base.path(path.strip())}={written(value.strip())}"


# What follows from the OpenAPI documents

class Documents:
    def __init__(self, folder):
        self.types, self.kinds = {}, {}
        for name in sorted(os.listdir(folder)):
            document = json.load(open(f"{folder}/{name}"))
            for type_name, schema in document.get("components", {}).get("schemas", {}).items():
                self.types[type_name] = schema
                for gvk in schema.get("x-kubernetes-group-version-kind", []):
                    version = "/".join(part for part in (gvk["group"], gvk["version"]) if part)
                    self.kinds[version, gvk["kind"]] = type_name

    def resolve(self, schema):
        """The name of the type, if it has one, and its schema."""
        name = None
        while True:
            ref = schema.get("$ref") or next((part["$ref"] for part in schema.get("allOf", []) if "$ref" in part), None)
            if ref is None:
                return name, schema
            name = ref.rsplit("/", 1)[1]
            schema = self.types[name]

    def sample(self, schema, depth=0):
        """The least valid value."""
        name, schema = self.resolve(schema)
        if name and name.endswith("Quantity"):
            return "1"
        if name and name.endswith("IntOrString"):
            return 1
        kind = schema.get("type")
        if "enum" in schema:
            return next(value for value in schema["enum"] if value)
        if kind == "object" and depth < 6:
            return {field: self.sample(schema["properties"][field], depth + 1) for field in schema.get("required", [])}
        if kind == "array":
            return [self.sample(schema["items"], depth + 1)]
        texts = {"date-time": "2026-01-31T12:00:00Z", "byte": "YQ=="}
        return {"integer": 1, "number": 1, "boolean": True, "string": texts.get(schema.get("format"), "a")}.get(kind, {})


# Types whose fields only the server sets, or that hold anything.
LEFT_OUT = re.compile(r"Status$|\.ManagedFieldsEntry$|\.OwnerReference$|\.JSONSchemaProps$|\.JSON$|RawExtension$|FieldsV1$|Condition$")
PARTS = ("unknown field", "wrong type", "missing required", "enum", "format", "list keys")


def from_documents(documents, all_bases):
    """Cases of every type at the first place where it is: one of a base where it can be."""
    todo, seen, found = collections.deque(), set(), []
    for base in all_bases.values():
        if (base.object["apiVersion"], base.object["kind"]) in documents.kinds and base.name != "train":
            name = documents.kinds[base.object["apiVersion"], base.object["kind"]]
            todo.append((base, name, "", base.object, ()))
    late = collections.deque()
    while todo or late:
        base, name, path, value, before = (todo or late).popleft()
        if name in seen or LEFT_OUT.search(name):
            continue
        seen.add(name)
        schema = documents.types[name]
        # Every type of a union or group is tested where its parents are; what is missing there is put there first.
        for case in of_type(documents, base, schema, path, value, before):
            found.append(case)
        for field, inner in schema.get("properties", {}).items():
            if path == "" and field in ("apiVersion", "kind", "status"):
                continue
            place = f"{path}.{field}" if path else field
            inside = value.get(field) if isinstance(value, dict) else None
            of, reached, at = inner, inside, place
            while True:
                inner_name, of = documents.resolve(of)
                if inner_name and "properties" in of:
                    if reached is None:
                        sample = documents.sample(inner)
                        edits = (*before, f"{place}={compact(sample)}")
                        late.append((base, inner_name, at, documents.sample({"$ref": "/" + inner_name}), edits))
                    else:
                        todo.append((base, inner_name, at, reached, before))
                    break
                if of.get("type") == "array":
                    of, at = of["items"], f"{at}[0]"
                    reached = reached[0] if reached else None
                elif isinstance(of.get("additionalProperties"), dict) and of["additionalProperties"]:
                    # Maps of objects are rare.
                    break
                else:
                    break
    return found


def of_type(documents, base, schema, path, value, before):
    """The cases of one type at its place."""
    def case(part, *edits):
        return Case(part, base.name, [*before, *edits])

    def place(field):
        return f"{path}.{field}" if path else field

    if path:
        yield case("unknown field", f"{place('unheard')}=1")
    for field in schema.get("required", []):
        yield case("missing required", "-" + place(field))
    for field, inner in schema.get("properties", {}).items():
        if path == "" and field in ("apiVersion", "kind", "status") or field in ("managedFields", "creationTimestamp"):
            continue
        at = place(field)
        name, of = documents.resolve(inner)
        wrong = wrong_type(name, of)
        if wrong is not None and chance(at, 4):
            yield case("wrong type", f"{at}={compact(wrong)}")
        if "enum" in of or "enum" in inner:
            allowed = inner.get("enum") or of["enum"]
            yield case("enum", f'{at}="Unheard"')
            lower = next((a.lower() for a in allowed if a and a.lower() not in allowed), None)
            if lower:
                yield case("enum", f"{at}={compact(lower)}")
            yield case("enum", f"{at}={compact(next(a for a in allowed if a))}")
        for bad in bad_formats(name, of):
            if chance(at + str(bad), 2):
                yield case("format", f"{at}={compact(bad)}")
        if inner.get("x-kubernetes-list-type") in ("map", "set"):
            there = value.get(field) if isinstance(value, dict) else None
            item = there[0] if there else documents.sample(inner["items"])
            yield case("list keys", f"{at}={compact([item, item])}")
            if not there:
                yield case("list keys", f"{at}={compact([item])}")


def chance(text, in_how_many):
    return zlib.crc32(text.encode()) % in_how_many == 0


def wrong_type(name, schema):
    if name and name.endswith(("Quantity", "IntOrString")):
        return [1]
    kind = schema.get("type")
    return {"string": 7, "integer": "x", "number": "x", "boolean": "x", "array": "x", "object": "x"}.get(kind)


def bad_formats(name, schema):
    if name and name.endswith("Quantity"):
        return ["1 Gi", "much", "1GB"]
    return {"int32": [2147483648, 1.5], "int64": [9223372036854775808], "date-time": ["yesterday", "2026-13-01T00:00:00Z"],
            "byte": ["%%%"]}.get(schema.get("format"), [])


def write_list(openapi):
    all_bases = bases()
    kept = {case.key: case.verdicts for cases in (read_cases().values() if os.path.isdir(f"{FOLDER}/cases") else []) for case in cases}
    files = {}
    for name in sorted(os.listdir(f"{FOLDER}/lists")):
        files[name] = list(listed(open(f"{FOLDER}/lists/{name}").read(), all_bases))
    cases = from_documents(Documents(openapi), all_bases)
    files["schema.txt"] = sorted(cases, key=lambda case: PARTS.index(case.rule))
    files["bases.txt"] = [Case("valid bases", name, []) for name in all_bases]
    seen, counts = set(), collections.OrderedDict()
    for name in sorted(files):
        fresh = []
        for case in files[name]:
            if case.key not in seen:
                seen.add(case.key)
                case.verdicts = kept.get(case.key, {})
                fresh.append(case)
                counts[case.rule] = counts.get(case.rule, 0) + 1
        write_cases(name, fresh)
    with open(f"{FOLDER}/counts.txt", "w") as file:
        file.write("# How many cases each kind of rule has. Written by tests/lab/faults.py.\n")
        file.writelines(f"{count:5} {rule}\n" for rule, count in [*counts.items(), ("all", len(seen))])


# Verdicts

class Server(Admission):
    """An API server that is asked by dry runs."""

    def __init__(self, folder):
        super().__init__(folder)
        version = self.api.ask("GET", "/version")
        self.version = f"{version['major']}.{version['minor'].rstrip('+')}"
        self.discover()

    def prepare(self):
        """Creates what is there before."""
        for item in yaml.safe_load_all(open(f"{FOLDER}/around.yaml")):
            query = urllib.parse.urlencode({"fieldManager": "lab-faults", "force": "true"})
            self.api.ask("PATCH", f"{self.path(item)}?{query}", item, APPLY)
        self.wait_for_definitions()

    def verdict(self, item):
        """`ok`, or `no` and a text for each cause: the field and what the server says."""
        try:
            path = self.path(item)
        except (KeyError, TypeError, AttributeError):
            path = None
        if path is None:
            return ["no", "apiVersion: the server does not know this kind"]
        query = urllib.parse.urlencode({"fieldManager": "lab-faults", "force": "true", "dryRun": "All", "fieldValidation": "Strict"})
        status, answer, _ = self.api.send("PATCH", f"{path}?{query}", item, APPLY)
        if status < 300:
            # A patch takes numbers that are too large, which become others, and unknown fields of types without any.
            query = urllib.parse.urlencode({"dryRun": "All", "fieldValidation": "Strict"})
            status, answer, _ = self.api.send("POST", f"{path.rsplit('/', 1)[0]}?{query}", item)
            if status < 300 or status == 409:
                return ["ok"]
        if not isinstance(answer, dict):
            return ["no", words(f": {answer}")]
        causes = (answer.get("details") or {}).get("causes") or []
        causes = [(cause.get("field", ""), cause.get("message", "")) for cause in causes]
        if not any(field for field, _ in causes):
            causes = [("", answer.get("message", ""))]
        return ["no", *dict.fromkeys(words(f"{field}: {message}") for field, message in causes)]


def words(text):
    """The server's words on one line, without what differs from run to run."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uid>", text)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def ask_all(folder):
    server = Server(folder)
    server.prepare()
    all_bases, files = bases(), read_cases()
    cases = [case for group in files.values() for case in group]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(lambda case: server.verdict(case.object(all_bases)), cases))
    return server.version, files, list(zip(cases, verdicts))


def record(folder):
    version, files, asked = ask_all(folder)
    for case, verdict in asked:
        newest = case.verdicts.get(NEWEST)
        case.verdicts.pop(version, None)
        if version == NEWEST or differs(newest, verdict):
            case.verdicts[version] = verdict
    for name, cases in files.items():
        write_cases(name, cases)
    refused = sum(verdict[0] == "no" for _, verdict in asked)
    print(f"{version}: {len(asked)} cases, {refused} refused")


def differs(one, other):
    """Whether the verdicts of two versions differ in more than words."""
    fields = lambda verdict: (verdict[0], sorted({cause.split(": ", 1)[0] for cause in verdict[1:]}))
    return one is None or fields(one) != fields(other)


def check(folder):
    version, _, asked = ask_all(folder)
    different = 0
    for case, verdict in asked:
        recorded = case.verdicts.get(version) or case.verdicts[NEWEST]
        same = recorded == verdict if version == NEWEST else not differs(recorded, verdict)
        if not same:
            different += 1
            print("\t".join(case.key), "\n  recorded", recorded, "\n  now     ", verdict)
    print(f"{version}: {len(asked)} cases, {different} verdicts differ from the recorded ones")
    return 1 if different else 0


def write_documents(folder, out):
    server = Server(folder)
    os.makedirs(out, exist_ok=True)
    for name, place in server.api.ask("GET", "/openapi/v3")["paths"].items():
        with open(f"{out}/{name.replace('/', '_')}.json", "w") as file:
            json.dump(server.api.ask("GET", place["serverRelativeURL"]), file)


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    sys.exit({"list": write_list, "record": record, "check": check, "documents": write_documents}[command](*rest))
