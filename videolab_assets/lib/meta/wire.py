"""One HTTP request to Meta over facebook-business' session, exactly once, bounded, and without the token in anything that is seen.

Not imported where definitions load: requests and the SDK come with it.

The SDK only speaks here. It gets an empty answer to judge, because it raises a TypeError over an HTML page and a JSONDecodeError over
`error_data: ""`, and its exceptions hold the request; the real answer is kept for us (facebook-business 26.0.3, `api.py`).
"""

import contextlib
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

LONGEST_ANSWER = 32 * 1024**2
"""Bytes after decompression; a page of 500 rows with all actions has one or two million."""

CONNECT_SECONDS = 10.0
PIECE = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: with names in lower case.
        body: decompressed, whole.
    """

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Silence:
    """Nothing that can be read came back.

    Attributes:
        sent: whether a byte of the request may have left this machine.
        why: in words, without anything of the request.
    """

    sent: bool
    why: str


@dataclass
class _Progress:
    """How far the request under way has come."""

    patience: float
    begun: bool = False
    late: bool = False
    socket: Any = None

    def give_up(self) -> None:
        """Ends the request at its deadline from beside: what drips byte by byte never meets the timeout of a single read."""
        self.late = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Wire:
    """Sends requests one after the other to one server; not for several threads at once.

    Args:
        token: goes into the `Authorization` header and nowhere else: the SDK would put it into every address, and so into every exception
            and log line that tells one.
        endpoint: `https://host`, or `http://` on this machine.
        version: such as `v26.0`.
        timeout: seconds without a byte; four times that for a whole request.
    """

    def __init__(self, token: str, endpoint: str, version: str, timeout: float) -> None:
        self._total = 4 * timeout
        self._session = _Session(timeout)
        self._session.auth = _Bearer(token)
        if endpoint.startswith("https://"):
            self._session.proxies.update(get_environ_proxies(endpoint))
        sdk = FacebookSession(timeout=(min(CONNECT_SECONDS, timeout), timeout))
        self._session.verify = sdk.requests.verify
        sdk.requests.close()
        sdk.requests = self._session
        sdk.GRAPH = endpoint
        self._api = FacebookAdsApi(sdk, api_version=version)

    def send(self, method: str, path: str, params: Mapping[str, Any], files: Mapping[str, Any] | None) -> Answer | Silence:
        """Sends it once and returns whatever that led to; raises nothing that the network or the server may cause.

        Args:
            method: GET, POST or DELETE.
            path: below the version, without slashes at its ends.
            params: as the SDK takes them: lists, objects and booleans are written as JSON.
            files: for a multipart upload, as requests takes them.
        """
        progress = self._session.begin(self._total)
        deadline = threading.Timer(self._total, progress.give_up)
        deadline.daemon = True
        deadline.start()
        try:
            self._api.call(method, (path,), params=dict(params), files=dict(files or {}))
            answer = self._session.answer
            if answer is None or progress.late:  # what was cut off without a length looks whole
                return Silence(progress.begun, f"no whole answer within {self._total:g} s")
            return answer
        except (requests.RequestException, HTTPError, OSError, _TooLong) as error:
            return Silence(progress.begun, f"no whole answer within {self._total:g} s" if progress.late else _why(error))
        finally:
            deadline.cancel()

    def close(self) -> None:
        """Ends the kept connections."""
        self._session.close()


class _TooLong(Exception):
    """The answer has more than `LONGEST_ANSWER` bytes."""


def _why(error: Exception) -> str:
    """Its kind alone: the text of it holds the address."""
    return f"an answer of more than {LONGEST_ANSWER // 1024**2} MiB" if isinstance(error, _TooLong) else type(error).__name__


class _Bearer(AuthBase):
    """Puts the token on a request when it is sent; being set, it also keeps requests from looking into ~/.netrc."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    """Keeps the answer, and hands the SDK an empty one."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        # The environment could give another login (~/.netrc), another list of authorities (REQUESTS_CA_BUNDLE) or a proxy that reads along.
        self.trust_env = False
        self.headers["Accept-Encoding"] = "gzip"
        self.answer: Answer | None = None
        self._adapter = _Adapter(timeout)
        for scheme in ("https://", "http://"):
            self.mount(scheme, self._adapter)

    def begin(self, patience: float) -> _Progress:
        self.answer = None
        self._adapter.progress = _Progress(patience)
        return self._adapter.progress

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().request(method, url, *args, **{**kwargs, "allow_redirects": False, "stream": True})
        try:
            body = bytearray()
            for piece in response.iter_content(PIECE):
                body += piece
                if len(body) > LONGEST_ANSWER:
                    raise _TooLong
        finally:
            response.close()
        self.answer = Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, bytes(body))
        for_the_sdk = requests.Response()
        for_the_sdk.status_code = 200
        for_the_sdk.encoding = "utf-8"
        for_the_sdk._content = b"{}"
        return for_the_sdk


class _Adapter(HTTPAdapter):
    """Never repeats a request, and knows whether one has left."""

    def __init__(self, timeout: float) -> None:
        self.progress = _Progress(timeout)
        self._timeout = timeout
        super().__init__(max_retries=Retry(0, connect=0, read=False, redirect=0, status=0, other=0))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        self._watch(manager)
        return manager

    def _watch(self, manager: Any) -> None:
        adapter, timeout = self, self._timeout

        def watched(kind: Any) -> Any:
            class Watched(kind):  # type: ignore[misc]
                """Splits what it sends, because a socket's timeout bounds a whole `sendall`, however long that is."""

                def connect(self) -> None:
                    try:
                        super().connect()
                    finally:  # what was sent until here went to a proxy, and was not the request
                        adapter.progress.begun = False

                def send(self, data: Any) -> None:
                    if self.sock is None:
                        self.connect()
                    adapter.progress.begun = True
                    adapter.progress.socket = self.sock
                    self.sock.settimeout(timeout)
                    if not isinstance(data, bytes | bytearray):
                        super().send(data)
                        return
                    for start in range(0, len(data), PIECE):
                        super().send(memoryview(data)[start : start + PIECE])

            return Watched

        plain = type("Plain", (HTTPConnectionPool,), {"ConnectionCls": watched(HTTPConnection)})
        secure = type("Secure", (HTTPSConnectionPool,), {"ConnectionCls": watched(HTTPSConnection)})
        manager.pool_classes_by_scheme = {"http": plain, "https": secure}
