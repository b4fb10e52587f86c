"""A Gemini server on this machine that misbehaves on request: each request takes the next behaviour of its script."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER: dict[str, Any] = {
    "title": "A garden on the balcony",
    "description": "How to grow vegetables on a balcony with little money.",
    "tags": ["garden", "balcony", "tomatoes"],
    "key_points": [{"time": "0:00", "text": "Vegetables grow on any balcony with five hours of sun."}],
    "show_notes": "### Start\n\n- Buy soil\n- Water at 0:00",
}
"""What a well-behaved model might write."""

USAGE = {"promptTokenCount": 1000, "candidatesTokenCount": 400, "thoughtsTokenCount": 100, "totalTokenCount": 1500}
COST = 1000 * 0.30e-6 + 500 * 2.50e-6
"""US dollars of `USAGE` at the prices of gemini-3.5-flash-lite, thinking paid as output."""


@dataclass(frozen=True)
class Received:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    """Notes the request and hands it to the script."""

    server: "Server"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        owner = self.server.owner
        with owner.lock:
            owner.received.append(Received(self.path, {name.lower(): value for name, value in self.headers.items()}, json.loads(raw)))
            behave = owner.script.pop(0) if owner.script else owner.otherwise
        with contextlib.suppress(OSError):  # the client has left, as some tests want it to
            behave(self)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


Behaviour = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: "GeminiServer"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what it is for."""


@dataclass
class GeminiServer:
    """What it does next, and what it was sent."""

    script: list[Behaviour] = field(default_factory=list)
    otherwise: Behaviour = field(default_factory=lambda: wrote(ANSWER))
    received: list[Received] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def gemini_server() -> Iterator[GeminiServer]:
    """Runs one until the block ends."""
    server = Server(("127.0.0.1", 0), Handler)
    server.owner = GeminiServer(port=server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.owner
    finally:
        server.shutdown()
        server.server_close()


def candidate(text: str | None, finish: str | None = "STOP", model: str = "gemini-3.5-flash-lite", **more: Any) -> dict[str, Any]:
    """A response as the service sends it; `more` replaces or adds to its top level, None takes away."""
    content = {} if text is None else {"content": {"role": "model", "parts": [{"text": "pondering", "thought": True}, {"text": text}]}}
    reason = {} if finish is None else {"finishReason": finish}
    whole = {"candidates": [{**content, **reason, "index": 0}], "usageMetadata": USAGE, "modelVersion": model, **more}
    return {name: value for name, value in whole.items() if value is not None}


def sent(body: Any, status: int = 200, **headers: str) -> Behaviour:
    """Sends JSON, or bytes as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler: handler.reply(status, raw, **headers)


def wrote(answer: Any, finish: str | None = "STOP", **more: Any) -> Behaviour:
    """The model wrote this."""
    return sent(candidate(answer if isinstance(answer, str) or answer is None else json.dumps(answer), finish, **more))


def refused(status: int, message: str = "no", details: Any = (), **headers: str) -> Behaviour:
    """An error as Google's front end tells it."""
    return sent({"error": {"code": status, "message": message, "status": "SOME_STATUS", "details": details}}, status, **headers)


def retry_info(delay: str) -> list[dict[str, str]]:
    return [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]


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
        tick.wait(0.1)
