"""Webhooks that refuse everything until their pods are ready, as those of a real cluster do."""


def labels_fit(selector, labels):
    selector = selector or {}
    if any(labels.get(k) != v for k, v in (selector.get("matchLabels") or {}).items()):
        return False
    for term in selector.get("matchExpressions") or []:
        value, values = labels.get(term["key"]), term.get("values") or []
        fits = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": term["key"] in labels,
            "DoesNotExist": term["key"] not in labels,
        }[term["operator"]]
        if not fits:
            return False
    return True


def rule_fits(rule, kind, operation):
    has = lambda field, value: "*" in rule.get(field, ["*"]) or value in rule.get(field, ["*"])
    return (has("apiGroups", kind.group) and has("apiVersions", kind.version) and has("operations", operation)
            and (kind.plural in rule.get("resources", []) or "*" in rule.get("resources", []) or "*/*" in rule.get("resources", [])))


def refusal(store, controllers, kind, obj, operation):
    """The message of the webhook that cannot be called for a request; `None` when nothing stands in its way."""
    if kind.group == "admissionregistration.k8s.io":
        return None
    namespace = obj["metadata"].get("namespace", "")
    spaces = store.of(("", "namespaces"))
    space = obj if kind.kind == "Namespace" else spaces.get(("", namespace))
    space_labels = {"kubernetes.io/metadata.name": namespace, **((space or {}).get("metadata", {}).get("labels") or {})}
    for plural in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        for config in store.of(("admissionregistration.k8s.io", plural)).values():
            for hook in config.get("webhooks", []):
                service = hook["clientConfig"].get("service")
                if hook.get("failurePolicy", "Fail") != "Fail" or not service:
                    continue
                if not any(rule_fits(rule, kind, operation) for rule in hook.get("rules", [])):
                    continue
                in_namespace = kind.namespaced or kind.kind == "Namespace"
                if in_namespace and not labels_fit(hook.get("namespaceSelector"), space_labels):
                    continue
                if not labels_fit(hook.get("objectSelector"), obj["metadata"].get("labels") or {}):
                    continue
                if not controllers.answers(service["namespace"], service["name"]):
                    url = f"https://{service['name']}.{service['namespace']}.svc:443{service.get('path', '/')}?timeout=10s"
                    return (f'Internal error occurred: failed calling webhook "{hook["name"]}": failed to call webhook: '
                            f'Post "{url}": no endpoints available for service "{service["name"]}"')
    return None
