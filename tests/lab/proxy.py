"""A kube-proxy in user space: listens at the address of each service and connects to one of its ready pods. Pods of real
programs reach the API server and one another through it, where network policies let them."""

import random
import socket
import sys
import threading

from api import PORT, Api
from policies import Policies

KUBERNETES = ("10.96.0.1", 443)


class Proxy:
    def __init__(self, policies):
        self.policies = policies
        self.lock = threading.Lock()
        self.services, self.slices, self.listening = {}, {}, set()

    def see_service(self, item):
        meta, spec = item["metadata"], item["spec"]
        key = (meta["namespace"], meta["name"])
        address = spec.get("clusterIP")
        if "deletionTimestamp" in meta or not address or address == "None" or key == ("default", "kubernetes"):
            with self.lock:
                self.services.pop(key, None)
            return
        ports = {(address, port["port"]): port.get("name") or "" for port in spec.get("ports") or []}
        with self.lock:
            self.services[key] = ports
        for place in ports:
            self.listen(place)

    def see_slice(self, item):
        meta = item["metadata"]
        service = (meta["namespace"], (meta.get("labels") or {}).get("kubernetes.io/service-name"))
        addresses = [address for endpoint in item.get("endpoints") or [] if (endpoint.get("conditions") or {}).get("ready")
                     for address in endpoint["addresses"]]
        ports = {port.get("name") or "": [(address, port["port"]) for address in addresses] for port in item.get("ports") or []}
        with self.lock:
            self.slices[meta["namespace"], meta["name"]] = (service, {} if "deletionTimestamp" in meta else ports)

    def target(self, place):
        if place == KUBERNETES:
            return "127.0.0.1", PORT
        with self.lock:
            found = [target for service, ports in self.services.items() if place in ports
                     for of, targets in self.slices.values() if of == service
                     for target in targets.get(ports[place], [])]
        return random.choice(found) if found else None

    def listen(self, place):
        with self.lock:
            if place in self.listening:
                return
            self.listening.add(place)
        try:
            # Stand-ins listen on the same port of all addresses; the more special listener gets the connection.
            listener = socket.create_server(place, reuse_port=True)
        except OSError as error:
            print("proxy:", place, error, file=sys.stderr, flush=True)
            return
        threading.Thread(target=self.accept, args=(listener, place), daemon=True).start()

    def accept(self, listener, place):
        while True:
            client, source = listener.accept()
            threading.Thread(target=self.connect, args=(client, source[0], place), daemon=True).start()

    def connect(self, client, source, place):
        target = self.target(place)
        if target and not self.policies.admit(source, target):
            print(f"proxy: no network policy lets {source} reach {target}", file=sys.stderr, flush=True)
            target = None
        try:
            server = socket.create_connection(target, timeout=5) if target else None
        except OSError:
            server = None
        if server is None:
            client.close()
            return
        server.settimeout(None)
        threading.Thread(target=pass_on, args=(client, server), daemon=True).start()
        pass_on(server, client)


def pass_on(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        try:
            end.shutdown(how)
        except OSError:
            pass


def start(folder):
    proxy = Proxy(Policies(folder))
    proxy.listen(KUBERNETES)
    for path, seen in (("/api/v1/services", proxy.see_service), ("/apis/discovery.k8s.io/v1/endpointslices", proxy.see_slice)):
        threading.Thread(target=Api(folder, "lab").follow, args=(path, seen), daemon=True).start()
