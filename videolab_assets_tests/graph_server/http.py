"""HTTP on loopback: reads a request, has it answered, and breaks the connection where a fault says so."""

import contextlib
import select
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from .faults import Broken
from .request import Answer, read

if TYPE_CHECKING:
    from .server import GraphServer


class Handler(BaseHTTPRequestHandler):
    """One connection, for as many requests as the client sends over it."""

    server: "Listener"
    protocol_version = "HTTP/1.1"
    # An answer leaves in one packet at once: Nagle's algorithm and delayed acknowledgements would hold it back for 40 ms.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the client has left, as some tests want it to
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            received = read(self.command, self.path, dict(self.headers.items()), body)
            try:
                answer = self.server.owner.handle(received)
            except Broken as broken:
                self.close_connection = True
                self._break(broken)
            else:
                raw = answer.bytes()
                self.connection.sendall(self._head(answer, len(raw)) + raw)

    do_GET = do_POST = do_DELETE = _serve

    def _head(self, answer: Answer, length: int) -> bytes:
        lines = [f"HTTP/1.1 {answer.status} {'OK' if answer.status < 300 else 'Error'}", f"Content-Length: {length}"]
        lines += [f"Content-Type: {answer.content_type}", "facebook-api-version: v26.0"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _break(self, broken: Broken) -> None:
        answer = broken.answer
        raw = answer.bytes()
        if broken.how == "hold":
            self._hold(float(broken.settings["hold_seconds"]))
        elif broken.how == "reset":
            reset(self.connection)
        elif broken.how == "half":
            self.connection.sendall(self._head(answer, len(raw)) + raw[: len(raw) // 2])
        elif broken.how == "drip":
            self.connection.sendall(self._head(answer, int(broken.settings["bytes"]) + len(raw)))
            self._drip(int(broken.settings["bytes"]), float(broken.settings["seconds"]))
            self.connection.sendall(raw)
        elif broken.how == "huge":
            size = int(broken.settings["megabytes"])
            self.connection.sendall(self._head(answer, size * 1024**2 + len(raw)) + raw)
            for _ in range(size):
                self.connection.sendall(b" " * 1024**2)

    def _hold(self, seconds: float) -> None:
        """Waits until the client goes away, the time is over, or the server stops."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.server.stopped:
            if select.select([self.connection], [], [], 0.05)[0] and not self.connection.recv(65536):
                return

    def _drip(self, count: int, seconds: float) -> None:
        """Sends a space whenever a reader would else lose patience."""
        for _ in range(count):
            if self.server.stopped:
                return
            self.connection.sendall(b" ")
            time.sleep(seconds)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Listener(ThreadingHTTPServer):
    """The socket, and the connections made to it."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    owner: "GraphServer"

    def __init__(self, address: tuple[str, int], owner: "GraphServer") -> None:
        self.connections: set[socket.socket] = set()
        self.stopped = False
        self.owner = owner
        super().__init__(address, Handler)

    def hang_up(self) -> None:
        """Resets every connection that is open."""
        self.stopped = True
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what it is for."""


def reset(connection: socket.socket) -> None:
    """Tears the connection down without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
