"""relay.py FROM TO: passes connections on between two networks that share no network but a file system.

Each side is the path of a socket, or the port of an address of this machine. Prints a line when it listens."""

import socket
import sys
import threading

SIZE = 1 << 16


def is_port(place):
    return place.isdecimal()


def address(place):
    return ("127.0.0.1", int(place)) if is_port(place) else place


def family(place):
    return socket.AF_INET if is_port(place) else socket.AF_UNIX


def pass_on(source, target):
    """Everything from one connection to the other, until that side has sent all."""
    try:
        while data := source.recv(SIZE):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            end.close()


def connect(client, place):
    server = socket.socket(family(place))
    try:
        server.connect(address(place))
    except OSError:
        client.close()
        return
    for pair in ((client, server), (server, client)):
        threading.Thread(target=pass_on, args=pair, daemon=True).start()


def main():
    listen, to = sys.argv[1:]
    listener = socket.socket(family(listen))
    if is_port(listen):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address(listen))
    listener.listen(128)
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=connect, args=(client, to), daemon=True).start()


main()
