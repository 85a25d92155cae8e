"""trouble.py LAB: a proxy before the API server of a lab, for faults that a server does not show when a test needs them. Runs
inside the lab, prints its port, and ends with its standard input.

Each line of the input is a JSON list of faults, which replaces the list before, or `null`, which changes nothing. The answer is
a line: {"left": the faults that have not happened as often as they say, "peak": how many requests there were at once}. A fault
has a `method`, a `path` (a pattern that is searched in the path, without its query), `times`, and what happens:

    "status": 429, "message": "…", "retryAfter": 1   the proxy answers, in place of the server
    "status": 200, "body": "…"                       the same with a text, as of a kubelet, which a lab does not have
    "cut": true                                      the connection ends before the server gets the request
    "late": true                                     the server serves the request, and the connection ends before its answer
    "delay": 0.02                                    the request waits
    "accept": "application/json"                     the server is asked for the answer in this form

The proxy has the certificate of the server. A request without a token is one of the administrator, whose client certificate
cannot pass through it."""

import http.client
import http.server
import json
import re
import socket
import ssl
import struct
import sys
import threading
import time

from api import PORT, Api
from listener import Listener

# Of one connection each: they are not passed on.
HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
REASONS = {403: "Forbidden", 404: "NotFound", 422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.faults, self.under_way, self.peak = [], 0, 0

    def take(self, method, path):
        """The first fault for a request, which has then happened once more."""
        with self.lock:
            for fault in self.faults:
                if fault["times"] > 0 and fault["method"] in (method, "*") and re.search(fault["path"], path):
                    fault["times"] -= 1
                    return fault
        return {}

    def count(self, change):
        with self.lock:
            self.under_way += change
            self.peak = max(self.peak, self.under_way)

    def replace(self, faults):
        with self.lock:
            if faults is not None:
                self.faults = faults
            return {"left": [fault for fault in self.faults if fault["times"] > 0], "peak": self.peak}


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of a client. It has a connection to the server of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    faults = contexts = None
    upstream = None

    def log_message(self, *_):
        pass

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.faults.count(1)
        try:
            self.serve(body, self.faults.take(self.command, self.path.split("?")[0]))
        except (OSError, http.client.HTTPException):
            self.cut()
        finally:
            self.faults.count(-1)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

    def serve(self, body, fault):
        time.sleep(fault.get("delay", 0))
        if "status" in fault:
            return self.answer(fault)
        if "cut" in fault:
            return self.cut()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        if "accept" in fault:
            headers["Accept"] = fault["accept"]
        if self.upstream is None:
            context = self.contexts["Authorization" in self.headers]
            self.upstream = http.client.HTTPSConnection("127.0.0.1", PORT, context=context)
        self.upstream.request(self.command, self.path, body or None, headers)
        answer = self.upstream.getresponse()
        if "late" in fault:
            answer.read()
            return self.cut()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.copy(answer)

    def copy(self, answer):
        """The body of an answer: at once when its length is known, else as it comes, as of a watch."""
        if answer.length is not None:
            data = answer.read()
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while data := answer.read1(65536):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def answer(self, fault):
        status = fault["status"]
        refusal = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status,
                   "reason": REASONS.get(status, ""), "message": fault.get("message", "the server is busy")}
        data = (fault["body"] if "body" in fault else json.dumps(refusal)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if "body" in fault else "application/json")
        self.send_header("Content-Length", str(len(data)))
        if "retryAfter" in fault:
            self.send_header("Retry-After", str(fault["retryAfter"]))
        self.end_headers()
        self.wfile.write(data)

    def cut(self):
        """Resets the connection, once the handler returns."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def main():
    folder = sys.argv[1]
    Handler.faults = Faults()
    Handler.contexts = {False: Api(folder, "trouble").context, True: ssl.create_default_context(cafile=f"{folder}/pki/ca.crt")}
    listener = Listener(("127.0.0.1", 0), Handler)
    listener.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    listener.context.load_cert_chain(f"{folder}/pki/server.crt", f"{folder}/pki/server.key")
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    print(listener.server_address[1], flush=True)
    for line in sys.stdin:
        print(json.dumps(Handler.faults.replace(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
