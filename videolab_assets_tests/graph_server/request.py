"""A request as it came in, and what is answered to it."""

import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TEXTS = frozenset({"name", "title", "description", "message", "access_token", "video_file_chunk"})
"""Parameters that are words even where they look like JSON."""


@dataclass(frozen=True)
class Upload:
    """A file of a multipart request."""

    filename: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Received:
    """A request.

    Args:
        path: without version and slashes around it, as in "act_1/campaigns"; "" for `/?ids=`.
        params: of query and body, without the token; JSON lists, objects and booleans are decoded, numbers stay text.
        headers: by lower-case name.
        target: the path and query as sent.
        token: as a header or parameter.
    """

    method: str
    path: str
    params: dict[str, Any]
    headers: dict[str, str]
    version: str
    target: str
    token: str = field(repr=False)
    files: dict[str, Upload] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """What patterns of faults are compared with."""
        return f"{self.method} {self.path}"

    @property
    def validate_only(self) -> bool:
        """Whether it asks only if it could be done."""
        return "validate_only" in (self.params.get("execution_options") or [])


@dataclass
class Answer:
    """What is sent: JSON, or raw bytes.

    Args:
        page_start: for a page of a list, the cursor at which this very page begins.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json; charset=UTF-8"
    page_start: str | None = None

    def bytes(self) -> bytes:
        return self.raw if self.raw is not None else json.dumps(self.body, separators=(",", ":")).encode()


@dataclass
class Call:
    """A request on its way through the server, with the faults that bend what it does.

    Args:
        base: the address of the server.
        played: faults that have done so.
        account: the number of the ad account that it is about, as usage headers name it.
    """

    received: Received
    base: str
    tricks: dict[str, dict[str, Any]] = field(default_factory=dict)
    played: set[str] = field(default_factory=set)
    account: str = "0"

    @property
    def params(self) -> dict[str, Any]:
        return self.received.params

    @property
    def method(self) -> str:
        return self.received.method

    def trick(self, name: str) -> dict[str, Any] | None:
        """The settings of a fault that bends this call, which counts as having happened once it was asked for; None without."""
        if name not in self.tricks:
            return None
        self.played.add(name)
        return self.tricks[name]


def read(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Received:
    """Makes sense of a request line, headers and body."""
    parts = urllib.parse.urlsplit(target)
    path = urllib.parse.unquote(parts.path).strip("/")
    version = ""
    if match := re.match(r"(v\d+\.\d+)(?:/|$)", path):
        version, path = match[1], path[match.end() :]
    lowered = {name.lower(): value for name, value in headers.items()}
    texts = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    files: dict[str, Upload] = {}
    content_type = lowered.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        more, files = _multipart(content_type, body)
        texts |= more
    elif content_type.startswith("application/json"):
        sent = json.loads(body or b"{}")
        texts |= {name: value if isinstance(value, str) else json.dumps(value) for name, value in sent.items()}
    elif body:
        texts |= dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    bearer = re.fullmatch(r"(?:Bearer|OAuth) (.+)", lowered.get("authorization", ""))
    token = texts.pop("access_token", "") or (bearer[1] if bearer else "")
    params = {name: _decoded(name, value) for name, value in texts.items()}
    return Received(method, path, params, lowered, version, target, token, files)


def _decoded(name: str, value: str) -> Any:
    if name in TEXTS or not value or not (value[0] in "[{" or value in ("true", "false", "null")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _multipart(content_type: str, body: bytes) -> tuple[dict[str, str], dict[str, Upload]]:
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    texts: dict[str, str] = {}
    files: dict[str, Upload] = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        named = dict(re.findall(r'(name|filename)="([^"]*)"', head.decode("utf-8", "replace")))
        if "filename" in named:
            files[named["name"]] = Upload(named["filename"], content)
        else:
            texts[named["name"]] = content.decode("utf-8", "replace")
    return texts, files
