"""The certificates and kubeconfigs of a lab, by openssl. Keys are on P-256: they are made at once."""

import json
import os
import subprocess

from api import PORT


def openssl(folder, *args):
    result = subprocess.run(["openssl", *args], cwd=folder, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"openssl {' '.join(args)}: {result.stderr}")


def make_authority(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365",
            "-keyout", "ca.key", "-out", "ca.crt", "-subj", f"/CN={name}",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature")


def make_certificate(folder, name, subject, names=()):
    """A key and a certificate of the authority in the same folder: NAME.key and NAME.crt, for DNS names and addresses."""
    extensions = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature",
                  "extendedKeyUsage=serverAuth,clientAuth"]
    if names:
        extensions.append("subjectAltName=" + ",".join(names))
    with open(f"{folder}/{name}.ext", "w") as file:
        file.write("\n".join(extensions))
    openssl(folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "365",
            "-set_serial", f"0x{os.urandom(8).hex()}", "-extfile", f"{name}.ext", "-out", f"{name}.crt")


def der(tag, *parts):
    """An element of DER."""
    content = b"".join(parts)
    length = len(content)
    if length > 127:
        count = (length.bit_length() + 7) // 8
        return bytes([tag, 0x80 | count]) + length.to_bytes(count, "big") + content
    return bytes([tag, length]) + content


def parts_of(element):
    """The elements in an element of DER."""
    def content(data):
        start = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
        return start, int.from_bytes(data[2:start], "big") if start > 2 else data[1]
    start, _ = content(element)
    parts, rest = [], element[start:]
    while rest:
        start, length = content(rest)
        parts.append(rest[:start + length])
        rest = rest[start + length:]
    return parts


def make_version_1(folder, name):
    """Makes NAME.crt a certificate of X.509 version 1: without a version and extensions. Old versions of openssl make these."""
    openssl(folder, "x509", "-in", f"{name}.crt", "-outform", "DER", "-out", f"{name}.der")
    with open(f"{folder}/{name}.der", "rb") as file:
        signed, algorithm, _ = parts_of(file.read())
    signed = der(0x30, *(part for part in parts_of(signed) if part[0] not in (0xA0, 0xA3)))
    with open(f"{folder}/{name}.signed", "wb") as file:
        file.write(signed)
    openssl(folder, "dgst", "-sha256", "-sign", "ca.key", "-out", f"{name}.signature", f"{name}.signed")
    with open(f"{folder}/{name}.signature", "rb") as file:
        signature = file.read()
    with open(f"{folder}/{name}.der", "wb") as file:
        file.write(der(0x30, signed, algorithm, der(0x03, b"\0", signature)))
    openssl(folder, "x509", "-inform", "DER", "-in", f"{name}.der", "-out", f"{name}.crt")


def write_kubeconfig(path, pki, user):
    cluster = {"server": f"https://127.0.0.1:{PORT}", "certificate-authority": f"{pki}/ca.crt"}
    credentials = {"client-certificate": f"{pki}/{user}.crt", "client-key": f"{pki}/{user}.key"}
    with open(path, "w") as file:
        json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "lab",
                   "clusters": [{"name": "lab", "cluster": cluster}],
                   "users": [{"name": "lab", "user": credentials}],
                   "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}]}, file)


def make(lab, kubernetes_service):
    """Everything that a control plane in the folder `lab` needs."""
    folder = f"{lab}/pki"
    os.makedirs(folder, exist_ok=True)
    make_authority(folder, "lab")
    services = [f"DNS:kubernetes{suffix}" for suffix in ("", ".default", ".default.svc", ".default.svc.cluster.local")]
    make_certificate(folder, "server", "/CN=kube-apiserver", ["DNS:localhost", "IP:127.0.0.1", f"IP:{kubernetes_service}", *services])
    make_certificate(folder, "front-proxy", "/CN=front-proxy")
    for name, subject in (("admin", "/O=system:masters/CN=lab-admin"),
                          ("controller-manager", "/CN=system:kube-controller-manager"),
                          ("scheduler", "/CN=system:kube-scheduler")):
        make_certificate(folder, name, subject)
        write_kubeconfig(f"{folder}/{name}.conf", folder, name)
    write_kubeconfig(f"{lab}/kubeconfig", folder, "admin")
    openssl(folder, "genrsa", "-out", "service-accounts.key", "2048")
    openssl(folder, "rsa", "-in", "service-accounts.key", "-pubout", "-out", "service-accounts.pub")
