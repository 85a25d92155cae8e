"""Starts a control plane and what stands in for the rest of a cluster, inside the namespaces that `up` made."""

import argparse
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import kubelet
import pki
import proxy
import standins
from api import PORT, Api, Refused

SERVICES = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
ETCD = 12379
# Collecting garbage takes a quarter of the API server's time when it lives as a server does. This one ends with a test.
MEMORY = {"GOGC": "300", "GOMEMLIMIT": "2GiB"}
# The ports of gateways, to which `kubectl port-forward` can connect, and the address at which gateway.py serves it.
FORWARDED, FORWARD = [8080], "127.0.0.2"


def arguments():
    parser = argparse.ArgumentParser(prog="tests/lab/up", description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--nodes", type=int, default=3, help="simulated nodes (3); every third is an arm64 one")
    parser.add_argument("--bare", action="store_true", help="the API server only: no controllers, no nodes, no stand-ins")
    parser.add_argument("--without", default="", metavar="NAME,…", help=f"stand-ins to leave out: {', '.join(standins.ALL)}")
    parser.add_argument("--leave", default="", metavar="NAMESPACE/SERVICE,…", help="webhooks that a real program answers with a certificate of its own")
    parser.add_argument("--run", default=[], action="append", metavar="IMAGE=PROGRAM",
                        help="run a program, by its path or of build's, as the containers that have this image (without its tag)")
    parser.add_argument("--api-server", default=[], action="append", metavar="FLAG", help="a further flag of the API server")
    parser.add_argument("--until-closed", action="store_true", help="end when standard input ends; a line with a number of seconds restarts the API server")
    parser.add_argument("--remove", action="store_true", help="remove the folder at the end")
    return parser.parse_args()


class Lab:
    """The programs of one control plane."""

    def __init__(self, options):
        self.options = options
        self.folder = options.folder
        self.programs, self.is_ready = {}, False
        os.makedirs(f"{self.folder}/log", exist_ok=True)

    def run(self, name, *flags):
        program = os.path.join(os.environ["KFC_LAB_BIN"], name)
        if not os.path.exists(program):
            sys.exit(f"lab: {program} does not exist; make it with tests/lab/build")
        log = open(f"{self.folder}/log/{name}.log", "wb")
        self.programs[name] = subprocess.Popen([program, *flags], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                               env=MEMORY | os.environ)

    def start_server(self):
        etcd, peer = f"http://127.0.0.1:{ETCD}", f"http://127.0.0.1:{ETCD + 1}"
        self.run("etcd", "--data-dir=etcd", f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}",
                 f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
                 "--unsafe-no-fsync")
        key = "pki/service-accounts"
        self.run("kube-apiserver", f"--etcd-servers={etcd}", f"--secure-port={PORT}", "--bind-address=127.0.0.1",
                 "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", "--enable-aggregator-routing=true",
                 "--tls-cert-file=pki/server.crt", "--tls-private-key-file=pki/server.key", "--client-ca-file=pki/ca.crt",
                 f"--service-account-key-file={key}.pub", f"--service-account-signing-key-file={key}.key",
                 "--service-account-issuer=https://kubernetes.default.svc", f"--service-cluster-ip-range={SERVICES}",
                 "--authorization-mode=Node,RBAC", "--allow-privileged=true", "--profiling=false",
                 "--requestheader-client-ca-file=pki/ca.crt", "--requestheader-allowed-names=front-proxy",
                 "--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group",
                 "--requestheader-username-headers=X-Remote-User",
                 "--proxy-client-cert-file=pki/front-proxy.crt", "--proxy-client-key-file=pki/front-proxy.key",
                 *self.options.api_server)

    def restart(self, name, seconds):
        """Kills a program, and starts it again after some seconds."""
        program = self.programs[name]
        program.kill()
        program.wait()
        time.sleep(seconds)
        self.run(name, *program.args[1:])

    def end(self):
        """Ends the programs, which write into the folder as long as they run. The logs of a start that failed stay."""
        for program in self.programs.values():
            program.kill()
        for program in self.programs.values():
            program.wait()
        if self.options.remove and self.is_ready:
            shutil.rmtree(self.folder, ignore_errors=True)

    def wait_for_server(self, api):
        end = time.monotonic() + 120
        while time.monotonic() < end:
            for name, program in self.programs.items():
                if program.poll() is not None:
                    sys.exit(f"lab: {name} ended: see {self.folder}/log/{name}.log")
            try:
                if api.send("GET", "/readyz")[0] == 200 and api.find("/api/v1/namespaces/kube-system"):
                    return
            except (OSError, Refused):
                pass
            time.sleep(0.2)
        sys.exit(f"lab: the API server is not ready after 120 seconds: see {self.folder}/log")

    def start_controllers(self):
        def users(name):
            config = f"pki/{name}.conf"
            return [f"--kubeconfig={config}", f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}",
                    "--bind-address=127.0.0.1", "--leader-elect=false"]
        self.run("kube-controller-manager", *users("controller-manager"), f"--secure-port={PORT + 1}",
                 "--use-service-account-credentials=true", "--service-account-private-key-file=pki/service-accounts.key",
                 "--root-ca-file=pki/ca.crt", "--cluster-signing-cert-file=pki/ca.crt", "--cluster-signing-key-file=pki/ca.key",
                 "--controllers=*", "--allocate-node-cidrs=false", "--kube-api-qps=200", "--kube-api-burst=400")
        self.run("kube-scheduler", *users("scheduler"), f"--secure-port={PORT + 2}", "--kube-api-qps=200", "--kube-api-burst=400")
        self.run("kwok", "--kubeconfig=kubeconfig", "--manage-all-nodes=true", "--node-ip=127.0.0.1", "--cidr=10.0.0.1/16",
                 "--node-lease-duration-seconds=40", f"--server-address=127.0.0.1:{PORT + 3}",
                 "--tls-cert-file=pki/server.crt", "--tls-private-key-file=pki/server.key", f"--node-port={PORT + 3}",
                 f"--config={os.environ['KFC_LAB_BIN']}/stages.yaml", f"--config={self.write_forwards()}")

    def write_forwards(self):
        """Where `kubectl port-forward` finds what answers for the pods of gateways."""
        forwards = [{"ports": [port], "target": {"address": FORWARD, "port": port}} for port in FORWARDED]
        path = f"{self.folder}/forwards.yaml"
        with open(path, "w") as file:
            json.dump({"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterPortForward", "metadata": {"name": "lab"},
                       "spec": {"forwards": forwards}}, file)
        return path

    def wait_for_controllers(self, api):
        """What the controller manager makes of an empty server: an installer's rights and accounts rest on it."""
        roles = [f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}" for name in ("admin", "edit", "view")]
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                made = all((api.find(role) or {}).get("rules") for role in roles)
                if made and api.find("/api/v1/namespaces/default/serviceaccounts/default"):
                    return
            except (OSError, Refused):
                pass
            time.sleep(0.2)
        sys.exit(f"lab: the controllers are not ready after 120 seconds: see {self.folder}/log")

    def make_nodes(self, api):
        size = {"cpu": "64", "memory": "256Gi", "pods": "250", "ephemeral-storage": "1Ti", "nvidia.com/gpu": "8"}
        for number in range(1, self.options.nodes + 1):
            name = f"node-{number}"
            architecture = "arm64" if number % 3 == 0 else "amd64"
            labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": architecture}
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
                    "status": {"capacity": size, "allocatable": size}}
            api.apply(f"/api/v1/nodes/{name}", node)
            api.apply(f"/api/v1/nodes/{name}/status", node)
        annotation = {"storageclass.kubernetes.io/is-default-class": "true"}
        api.apply("/apis/storage.k8s.io/v1/storageclasses/standard",
                  {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "lab.kfc.dev/none",
                   "metadata": {"name": "standard", "annotations": annotation}})


def main():
    options = arguments()
    # What is asked from outside to end, ends; the process of a namespace of its own ignores signals that it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "route", "add", "local", "10.0.0.0/8", "dev", "lo"], check=True)
    pki.make(options.folder, KUBERNETES_SERVICE)
    lab = Lab(options)
    atexit.register(lab.end)
    lab.start_server()
    api = Api(options.folder, "lab")
    lab.wait_for_server(api)
    if not options.bare:
        lab.start_controllers()
        lab.make_nodes(api)
        lab.wait_for_controllers(api)
        standins.start(options.folder, set(standins.ALL) - set(options.without.split(",")), set(options.leave.split(",")))
    if options.run:
        proxy.start(options.folder)
        programs = dict(pair.split("=", 1) for pair in options.run)
        kubelet.start(options.folder, {image: os.path.join(os.environ["KFC_LAB_BIN"], name) for image, name in programs.items()})
    lab.is_ready = True
    print(f"ready: {options.folder}/enter kubectl get pods --all-namespaces", flush=True)
    if options.until_closed:
        # Each line is a number of seconds for which the API server is away.
        for line in sys.stdin:
            lab.restart("kube-apiserver", float(line))
    else:
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
