"""A server on this machine that answers what its script says, for what no well-made server would send."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Notes the request and hands it to the script."""

    server: "Server"
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        owner = self.server.owner
        seen = Seen(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        with owner.lock:
            owner.seen.append(seen)
            behave = owner.script.pop(0) if owner.script else owner.otherwise
        with contextlib.suppress(OSError):  # the client has left, as some tests want it to
            behave(self)

    do_POST = do_GET
    do_DELETE = do_GET

    def do_CONNECT(self) -> None:
        """As a proxy that lets nobody through."""
        self.server.owner.seen.append(Seen(self.command, self.path, dict(self.headers.items()), b""))
        self.send_error(403)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_type": "application/json; charset=UTF-8", "content_length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


Behaviour = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: "Scripted"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what it is for."""


@dataclass
class Scripted:
    """What it does next, and what it was sent."""

    script: list[Behaviour] = field(default_factory=list)
    otherwise: Behaviour = field(default_factory=lambda: answer({"id": "1", "success": True, "data": []}))
    seen: list[Seen] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def scripted_server() -> Iterator[Scripted]:
    """Runs one until the block ends."""
    server = Server(("127.0.0.1", 0), Handler)
    server.owner = Scripted(port=server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.owner
    finally:
        server.shutdown()
        server.server_close()


def answer(body: Any, status: int = 200, **headers: str) -> Behaviour:
    """Sends JSON, or bytes as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler: handler.reply(status, raw, **headers)


def refusal(code: Any, status: int = 400, *, subcode: Any = None, message: Any = "no", **more: Any) -> Behaviour:
    """An error as the Graph API tells it."""
    told = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "AbC", **more}
    return answer({"error": {name: value for name, value in told.items() if value is not None}}, status)
