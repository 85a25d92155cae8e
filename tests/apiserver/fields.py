"""Server-side apply: who owns which field, conflicts, merging. Follows the rules of Kubernetes' structured merge."""

import copy
import json

from kinds import key_of

SKIPPED = {
    (("f", "apiVersion"),),
    (("f", "kind"),),
    (("f", "metadata"), ("f", "name")),
    (("f", "metadata"), ("f", "namespace")),
    (("f", "metadata"), ("f", "managedFields")),
    (("f", "metadata"), ("f", "resourceVersion")),
    (("f", "metadata"), ("f", "uid")),
    (("f", "metadata"), ("f", "creationTimestamp")),
    (("f", "metadata"), ("f", "generation")),
}


def leaves(value, lists, path=()):
    """The paths of everything that is set: of values, of items of lists, of empty mappings."""
    if path in SKIPPED:
        return set()
    if isinstance(value, dict) and value and not (path and lists.is_atomic_map(path)):
        found = set()
        for key, below in value.items():
            found |= leaves(below, lists, path + (("f", key),))
        return found
    if isinstance(value, list) and value:
        keys = lists.keys(path)
        if keys is not None:
            found = set()
            for item in value:
                if keys:
                    step = key_of(item, keys)
                    found.add(path + (step,))
                    found |= leaves(item, lists, path + (step,))
                else:
                    found.add(path + (("v", json.dumps(item)),))
            return found
    return {path} if path else set()


def get(value, path, lists):
    """The value at a path, and whether it is there."""
    for at, step in enumerate(path):
        kind, name = step
        if kind == "f":
            if not isinstance(value, dict) or name not in value:
                return None, False
            value = value[name]
        else:
            if not isinstance(value, list):
                return None, False
            keys = lists.keys(path[:at])
            for item in value:
                here = key_of(item, keys) if keys else ("v", json.dumps(item))
                if here == step:
                    value = item
                    break
            else:
                return None, False
    return value, True


def remove(value, path, lists):
    """Takes out what is at a path, and mappings that become empty by it."""
    if not path:
        return
    parent, there = get(value, path[:-1], lists)
    if not there:
        return
    kind, name = path[-1]
    if kind == "f":
        if isinstance(parent, dict):
            parent.pop(name, None)
    else:
        keys = lists.keys(path[:-1])
        parent[:] = [i for i in parent if (key_of(i, keys) if keys else ("v", json.dumps(i))) != path[-1]]
    if not parent and len(path) > 1 and path[-2][0] == "f":
        remove(value, path[:-1], lists)


def merge(live, ours, lists, path=()):
    """Ours over live."""
    if isinstance(live, dict) and isinstance(ours, dict) and not (path and lists.is_atomic_map(path)):
        merged = dict(live)
        for key, value in ours.items():
            below = path + (("f", key),)
            merged[key] = merge(live[key], value, lists, below) if key in live else copy.deepcopy(value)
        return merged
    if isinstance(live, list) and isinstance(ours, list):
        keys = lists.keys(path)
        if keys == []:
            return live + [item for item in ours if item not in live]
        if keys:
            mine = {key_of(item, keys): item for item in ours}
            merged = []
            for item in live:
                step = key_of(item, keys)
                merged.append(merge(item, mine.pop(step), lists, path + (step,)) if step in mine else item)
            return merged + [copy.deepcopy(item) for item in mine.values()]
    return copy.deepcopy(ours)


def encode(paths):
    """Paths as `fieldsV1`."""
    tree = {}
    for path in sorted(paths):
        here = tree
        for kind, name in path:
            here = here.setdefault(f"{kind}:{name}", {})
        if path[-1][0] == "k":
            here.setdefault(".", {})
    return tree


def decode(tree, path=()):
    """`fieldsV1` as paths."""
    found = set()
    for name, below in tree.items():
        if name == ".":
            found.add(path)
            continue
        step = (name[0], name[2:])
        if below:
            found |= decode(below, path + (step,))
        else:
            found.add(path + (step,))
    return found


def shown(path):
    """A path as messages of the API server spell it."""
    text = ""
    for kind, name in path:
        if kind == "f":
            text += "." + name
        elif kind == "k":
            text += "[" + ",".join(f"{k}={json.dumps(v)}" for k, v in json.loads(name).items()) + "]"
        else:
            text += f"[={name}]"
    return text


def touches(a, b):
    """Whether one of two paths lies at or below the other."""
    short = min(len(a), len(b))
    return a[:short] == b[:short]


class Conflict(Exception):
    def __init__(self, causes):
        self.causes = causes


def apply(live, ours, manager, force, lists, now, version):
    """The object after an apply. Raises [`Conflict`] when fields belong to others and are not taken by force."""
    entries = copy.deepcopy(live["metadata"].get("managedFields", []))
    is_own = lambda entry: entry["manager"] == manager and entry["operation"] == "Apply"
    wanted = leaves(ours, lists)
    causes = []
    for entry in entries:
        if is_own(entry) or entry.get("subresource"):
            continue
        owned = decode(entry["fieldsV1"])
        lost = set()
        for path in wanted:
            hits = {other for other in owned if touches(path, other) and (path == other or path[-1][0] == "f")}
            hits = {other for other in hits if other == path or len(other) < len(path) or other[: len(path)] == path}
            if not hits:
                continue
            value, _ = get(ours, path, lists)
            before, there = get(live, path, lists)
            if path[-1][0] == "k" or (there and before == value):
                continue
            lost |= hits
            causes.append((entry["manager"], entry["apiVersion"], path))
        if lost:
            entry["fieldsV1"] = encode(owned - lost)
    if causes and not force:
        raise Conflict(causes)
    before = next((entry for entry in entries if is_own(entry)), None)
    others = set()
    for entry in entries:
        if not is_own(entry):
            others |= decode(entry["fieldsV1"])
    merged = merge(live, ours, lists)
    if before:
        for path in sorted(decode(before["fieldsV1"]) - wanted, key=len, reverse=True):
            if not any(touches(path, other) for other in others | wanted if len(other) >= len(path)):
                remove(merged, path, lists)
    entries = [entry for entry in entries if not is_own(entry) and entry["fieldsV1"]]
    entry = {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": encode(wanted),
    }
    without_entries = lambda o: {**o, "metadata": {k: v for k, v in o["metadata"].items() if k != "managedFields"}}
    if before and before["fieldsV1"] == entry["fieldsV1"] and without_entries(merged) == without_entries(live):
        entry["time"] = before["time"]
    entries.append(entry)
    merged["metadata"]["managedFields"] = sorted(entries, key=lambda e: (e["operation"], e["time"], e["manager"]))
    return merged


def updated(before, after, manager, lists, now, version, subresource=None):
    """Notes in `after` that a manager changed fields by an update."""
    changed = set()
    paths = leaves(after, lists)
    for path in paths:
        value, _ = get(after, path, lists)
        old, there = get(before, path, lists) if before else (None, False)
        if not there or old != value:
            changed.add(path)
    gone = (leaves(before, lists) - paths) if before else set()
    entries = []
    own = None
    for entry in copy.deepcopy((before or {"metadata": {}})["metadata"].get("managedFields", [])):
        owned = decode(entry["fieldsV1"]) - changed - gone
        key = (entry["manager"], entry["operation"], entry.get("subresource"))
        if key == (manager, "Update", subresource):
            own = entry
            changed |= owned
            continue
        if owned:
            entry["fieldsV1"] = encode(owned)
            entries.append(entry)
    if changed:
        entry = {"manager": manager, "operation": "Update", "apiVersion": version, "time": now,
                 "fieldsType": "FieldsV1", "fieldsV1": encode(changed)}
        if subresource:
            entry["subresource"] = subresource
        if own and own["fieldsV1"] == entry["fieldsV1"]:
            entry["time"] = own["time"]
        entries.append(entry)
    after["metadata"]["managedFields"] = entries
    return after
