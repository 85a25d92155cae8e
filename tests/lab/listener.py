"""A server of HTTP over TLS, with a thread for each connection."""

import http.server
import socket


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    context = None

    def server_bind(self):
        # Beside the kube-proxy, which listens on the same port of some addresses.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def finish_request(self, request, client_address):
        try:
            with self.context.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)
        except (OSError, ValueError):
            pass  # The other side went away.
