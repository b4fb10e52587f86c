"""A server on this machine that misbehaves on request: each request takes the next behaviour of its script."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """Of one that sent JSON."""
        body: dict[str, Any] = json.loads(self.raw)
        return body


class Handler(BaseHTTPRequestHandler):
    """Notes the request and hands it to the script."""

    server: "Server"
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        owner = self.server.owner
        with owner.lock:
            owner.received.append(self._received(raw))
            behave = owner.script.pop(0) if owner.script else owner.otherwise
        with contextlib.suppress(OSError):  # the client has left, as some tests want it to
            behave(self)

    do_POST = do_GET
    do_DELETE = do_GET

    def do_CONNECT(self) -> None:
        """As a proxy that lets nobody through."""
        self.server.owner.received.append(self._received(b""))
        self.send_error(403)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_type": "application/json; charset=UTF-8", "content_length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _received(self, raw: bytes) -> Received:
        return Received(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, raw)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


Behaviour = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: "ScriptedServer"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what it is for."""


@dataclass
class ScriptedServer:
    """What it does next, and what it was sent."""

    otherwise: Behaviour
    port: int = 0
    script: list[Behaviour] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def scripted_server(otherwise: Behaviour) -> Iterator[ScriptedServer]:
    """Runs one until the block ends; `otherwise` is what it does when its script is at its end."""
    server = Server(("127.0.0.1", 0), Handler)
    server.owner = ScriptedServer(otherwise, server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.owner
    finally:
        server.shutdown()
        server.server_close()


def sent(body: Any, status: int = 200, **headers: str) -> Behaviour:
    """Sends JSON, or bytes as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler: handler.reply(status, raw, **headers)


def reset(handler: Handler) -> None:
    """Tears the connection down without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def silent(handler: Handler) -> None:
    """Waits until the client goes away."""
    handler.connection.recv(1)
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Sends a byte whenever the client would else lose patience."""
    handler.send_response(200)
    handler.send_header("content-length", "60")
    handler.end_headers()
    tick = threading.Event()
    for _ in range(60):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        tick.wait(0.1)
