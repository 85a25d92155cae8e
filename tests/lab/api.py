"""A client of the API server of a lab: requests, lists, watches. Python's own library only."""

import http.client
import json
import ssl
import threading
import time
import urllib.parse

PORT = 16443
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body.get('message', body) if isinstance(body, dict) else body}")
        self.status = status


class Api:
    """Requests of one user agent, which is the field manager too. Each thread has a connection of its own."""

    def __init__(self, folder, agent):
        self.agent = agent
        self.context = ssl.create_default_context(cafile=f"{folder}/pki/ca.crt")
        self.context.load_cert_chain(f"{folder}/pki/admin.crt", f"{folder}/pki/admin.key")
        self.local = threading.local()

    def connect(self, timeout=60):
        return http.client.HTTPSConnection("127.0.0.1", PORT, context=self.context, timeout=timeout)

    def send(self, method, path, body=None, kind="application/json"):
        """Gives status, body and warnings; tries once more when a kept connection was closed by the server."""
        data = None if body is None else json.dumps(body)
        headers = {"User-Agent": self.agent, "Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = kind
        for attempt in (1, 2):
            connection = getattr(self.local, "connection", None) or self.connect()
            self.local.connection = connection
            try:
                connection.request(method, path, data, headers)
                answer = connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                connection.close()
                self.local.connection = None
                if attempt == 2:
                    raise
        try:
            result = json.loads(text)
        except ValueError:
            result = text.decode(errors="replace")
        return answer.status, result, answer.headers.get_all("Warning") or []

    def ask(self, method, path, body=None, kind="application/json"):
        """The body of an answer that is a success."""
        status, result, _ = self.send(method, path, body, kind)
        if status >= 300:
            raise Refused(status, result)
        return result

    def find(self, path):
        """An object, or none."""
        status, result, _ = self.send("GET", path)
        if status == 404:
            return None
        if status >= 300:
            raise Refused(status, result)
        return result

    def items(self, path):
        return self.ask("GET", path).get("items", [])

    def apply(self, path, body, manager=None):
        query = urllib.parse.urlencode({"fieldManager": manager or self.agent, "force": "true"})
        return self.ask("PATCH", f"{path}?{query}", body, APPLY)

    def follow(self, path, seen):
        """Calls `seen` with every object of a list, and again with each that comes or changes; never returns. A resource
        that is not there yet is awaited. Objects that went come with a deletion time."""
        while True:
            try:
                listing = self.find(path)
                if listing is None:
                    time.sleep(0.5)
                    continue
                for item in listing.get("items", []):
                    seen(item)
                self.watch(path, listing["metadata"]["resourceVersion"], seen)
            except Refused:
                time.sleep(0.5)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.5)

    def watch(self, path, version, seen):
        connection = self.connect(timeout=None)
        connection.request("GET", f"{path}?watch=1&resourceVersion={version}", headers={"User-Agent": self.agent})
        answer = connection.getresponse()
        for line in answer:
            event = json.loads(line)
            if event["type"] == "ERROR":
                break
            if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
                item = event["object"]
                if event["type"] == "DELETED":
                    item["metadata"].setdefault("deletionTimestamp", "now")
                seen(item)
        connection.close()
