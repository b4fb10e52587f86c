"""What differs between S3 servers, and what the way to them does to requests."""

import hashlib
import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3.response import HTTPResponse

from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.store import ChangedWhileRead, open_store
from videolab_assets.lib.store.s3 import S3Client, S3Store
from videolab_assets_tests.conftest import s3_client_for


@pytest.fixture
def client(s3_endpoint: str) -> S3Client:
    """A client of this test's own: the tests below bend it."""
    return s3_client_for(s3_endpoint)


@pytest.fixture
def store(client: S3Client, s3_bucket: str) -> S3Store:
    return S3Store(client, s3_bucket, "below")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def ignore_conditions(request: AWSPreparedRequest, **_: object) -> None:
    del request.headers["If-None-Match"]


def not_implemented(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
    if "If-None-Match" not in request.headers:
        return None
    return answer(request, 501, "NotImplemented")


def answer(request: AWSPreparedRequest, status: int, code: str) -> AWSResponse:
    """What a server says that refuses."""
    body = io.BytesIO(f"<Error><Code>{code}</Code></Error>".encode())
    return AWSResponse(request.url, status, HTTPHeaders(), HTTPResponse(body, preload_content=False))


@pytest.mark.parametrize(
    ("event", "server"), [("before-sign.s3.PutObject", ignore_conditions), ("before-send.s3.PutObject", not_implemented)]
)
def test_servers_without_conditions_are_found_out(
    store: S3Store, client: S3Client, s3_bucket: str, scratch: Path, event: str, server: Callable[..., object]
) -> None:
    """A server that ignores If-None-Match (rclone: 24 of 24 racers win) or refuses it (Swift: 501) silently overwrites or crashes."""
    client.meta.events.register(event, server)
    (scratch / "file").write_bytes(b"x")
    assert not store.supports_conditional
    with pytest.raises(PermanentError, match="If-None-Match"):
        store.write_bytes("a", b"x", media_type="text/plain", only_if_absent=True)
    with pytest.raises(PermanentError, match="If-None-Match"):
        store.put_file(scratch / "file", "a", media_type="text/plain", sha256="", only_if_absent=True)
    assert client.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0
    assert store.write_bytes("a", b"x", media_type="text/plain")
    store.move("a", "b")
    assert store.read_bytes("b", 9) == b"x"


def test_a_server_error_is_no_missing_feature(s3_endpoint: str, s3_bucket: str) -> None:
    """One busy moment at the start, and the server counts as unable for as long as the process lives."""
    client = s3_client_for(s3_endpoint, attempts=1)
    store = S3Store(client, s3_bucket)

    def busy(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return answer(request, 503, "SlowDown")

    client.meta.events.register("before-send.s3.PutObject", busy)
    with pytest.raises(TransientError):
        _ = store.supports_conditional
    client.meta.events.unregister("before-send.s3.PutObject", busy)
    assert store.supports_conditional


def test_listing_asks_for_a_page_when_it_is_needed(store: S3Store, client: S3Client) -> None:
    """A tick over a bucket of a million objects lists them all before it takes the first."""
    for number in range(7):
        store.write_bytes(f"inbox/acme/{number}", b"x", media_type="text/plain")
    pages = []

    def small_page(params: dict[str, Any], **_: object) -> None:
        params["MaxKeys"] = 2
        pages.append(params)

    client.meta.events.register("before-parameter-build.s3.ListObjectsV2", small_page)
    listing = store.list("inbox")
    next(listing)
    assert len(pages) == 1
    assert len(list(listing)) == 6


def test_keys_that_only_a_bucket_can_hold(store: S3Store, client: S3Client, s3_bucket: str) -> None:
    """`inbox/acme/../x` is a plain name to S3: it hides in the inbox, or moving it deletes `inbox/x`; folder markers become uploads."""
    store.write_bytes("inbox/victim.mp4", b"victim", media_type="video/mp4")
    odd = "inbox/acme/../victim.mp4"
    client.put_object(Bucket=s3_bucket, Key=f"below/{odd}", Body=b"odd")
    client.put_object(Bucket=s3_bucket, Key="below/inbox/acme/", Body=b"")
    assert {entry.key: entry.regular for entry in store.list("inbox")} == {"inbox/victim.mp4": True, odd: False}
    addresses: list[str] = []
    client.meta.events.register("before-send.s3", lambda request, **_: addresses.append(urlsplit(request.url).path))
    store.move(odd, "rejected/acme/odd.mp4")
    assert not any(".." in address for address in addresses), "a proxy on the way may fold the address"
    assert {entry.key for entry in store.list("")} == {"inbox/victim.mp4", "rejected/acme/odd.mp4"}
    assert store.read_bytes("rejected/acme/odd.mp4", 9) == b"odd"
    assert store.read_bytes("inbox/victim.mp4", 9) == b"victim"


def test_versions_do_not_depend_on_who_says_them(store: S3Store, client: S3Client) -> None:
    """Ceph and MinIO give fractions of a second in a listing and none of an object: the sensor and the run see two uploads."""

    def with_fractions(parsed: dict[str, Any], **_: object) -> None:
        for entry in parsed["Contents"]:
            entry["LastModified"] = entry["LastModified"].replace(microsecond=123_000)

    store.write_bytes("inbox/a", b"x", media_type="video/mp4")
    client.meta.events.register("after-call.s3.ListObjectsV2", with_fractions)
    assert list(store.list("inbox")) == [store.stat("inbox/a")]


def test_the_store_keeps_to_its_prefix(store: S3Store, client: S3Client, s3_bucket: str) -> None:
    """A store in a shared bucket lists, or counts as its own, what others keep there."""
    client.put_object(Bucket=s3_bucket, Key="inbox/a", Body=b"x")
    client.put_object(Bucket=s3_bucket, Key="below2/inbox/a", Body=b"x")
    assert list(store.list("")) == []
    assert store.stat("inbox/a") is None
    assert store.uri("inbox/a") == f"s3://{s3_bucket}/below/inbox/a"


def test_bytes_that_are_not_utf8_are_refused(store: S3Store) -> None:
    """A name from a local folder that S3 cannot spell ends in a UnicodeEncodeError deep in a library."""
    with pytest.raises(PermanentError, match="not UTF-8"):
        store.write_bytes("inbox/\udcff.mp4", b"x", media_type="video/mp4")


def test_a_move_cut_off_between_copy_and_delete_is_finished(store: S3Store, client: S3Client) -> None:
    """A process killed after the copy leaves an object under both names, and moving it again refuses for ever."""
    parts = b"x" * 9_000_000  # uploaded in parts, so that the copy's ETag differs
    client.upload_fileobj(io.BytesIO(parts), store._bucket, "below/inbox/a")

    def die(**_: object) -> None:
        raise KeyboardInterrupt

    assert store.supports_conditional  # before the trap is set: finding out deletes a scratch object
    client.meta.events.register("before-call.s3.DeleteObject", die)
    with pytest.raises(KeyboardInterrupt):
        store.move("inbox/a", "rejected/a")
    client.meta.events.unregister("before-call.s3.DeleteObject", die)
    assert store.stat("inbox/a") is not None and store.stat("rejected/a") is not None
    store.move("inbox/a", "rejected/a")
    assert store.stat("inbox/a") is None
    found = store.stat("rejected/a")
    assert found is not None and found.bytes == len(parts)


def test_a_damaged_object_is_not_handed_out(store: S3Store, client: S3Client, s3_bucket: str, scratch: Path) -> None:
    """Bytes that changed on the way or in the bucket are processed as if they were the original."""
    client.put_object(Bucket=s3_bucket, Key="below/library/a", Body=b"damaged", Metadata={"sha256": hashlib.sha256(b"whole").hexdigest()})
    with pytest.raises(TransientError, match="does not have the bytes"), store.local("library/a", scratch):
        pass
    assert list(scratch.iterdir()) == []


def test_large_conditional_files_are_refused(store: S3Store, scratch: Path) -> None:
    """Over 5 GiB a put needs several parts, whose end some servers do not make conditional: the late run overwrites."""
    with (scratch / "large").open("wb") as file:
        file.truncate(5 * 1024**3 + 1)
    with pytest.raises(PermanentError, match="too large"):
        store.put_file(scratch / "large", "a", media_type="video/mp4", sha256="", only_if_absent=True)


@pytest.mark.parametrize(
    ("bucket", "endpoint", "error", "words"),
    [
        ("no-such-bucket", None, PermanentError, "make the bucket"),
        ("any", "http://127.0.0.1:1", TransientError, "cannot be reached"),
    ],
)
def test_a_wrong_configuration_is_a_sentence(
    s3_endpoint: str, scratch: Path, bucket: str, endpoint: str | None, error: type[Exception], words: str
) -> None:
    """A mistyped bucket is retried for ever, or a server that is restarting fails the upload for good."""
    store = open_store(f"s3://{bucket}", s3_client_for(endpoint or s3_endpoint))
    (scratch / "file").write_bytes(b"x" * 9_000_000)
    with pytest.raises(error, match=words):
        list(store.list(""))
    with pytest.raises(error, match=words):
        store.put_file(scratch / "file", "a", media_type="text/plain", sha256="")


@dataclass
class CuttingProxy:
    """Forwards to the server, and closes the first connections that carried more than `after` bytes back."""

    upstream: tuple[str, int]
    after: int
    cuts: int
    on_cut: list[Callable[[], object]] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def run(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self.forward, args=(self.listener.accept()[0],), daemon=True).start()

    def forward(self, client: socket.socket) -> None:
        with client, socket.create_connection(self.upstream) as server, suppress(OSError):
            threading.Thread(target=pump, args=(client, server), daemon=True).start()
            carried = 0
            while data := server.recv(65536):
                carried += len(data)
                if carried > self.after and self.cuts > 0:
                    self.cuts -= 1
                    for action in self.on_cut:
                        action()
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


@pytest.fixture
def proxy(s3_endpoint: str) -> Iterator[CuttingProxy]:
    address = urlsplit(s3_endpoint)
    assert address.hostname and address.port
    proxy = CuttingProxy((address.hostname, address.port), after=700_000, cuts=3)
    threading.Thread(target=proxy.run, daemon=True).start()
    yield proxy
    proxy.listener.close()


def through(proxy: CuttingProxy, bucket: str) -> S3Store:
    return S3Store(s3_client_for(f"http://127.0.0.1:{proxy.listener.getsockname()[1]}"), bucket, "below")


DATA = bytes(range(256)) * 12_000


def test_a_broken_connection_is_resumed(store: S3Store, proxy: CuttingProxy, s3_bucket: str, scratch: Path) -> None:
    """A download that breaks off after an hour starts anew, or ends short and is taken for whole."""
    store.write_bytes("inbox/a", DATA, media_type="video/mp4")
    fetched = through(proxy, s3_bucket).fetch("inbox/a", scratch / "copy", longest=len(DATA))
    assert proxy.cuts == 0
    assert fetched.sha256 == hashlib.sha256(DATA).hexdigest() == hashlib.sha256((scratch / "copy").read_bytes()).hexdigest()


def test_a_replaced_object_is_not_spliced(store: S3Store, proxy: CuttingProxy, s3_bucket: str, scratch: Path) -> None:
    """The second half comes from another upload than the first."""
    store.write_bytes("inbox/a", DATA, media_type="video/mp4")
    proxy.on_cut.append(lambda: store.write_bytes("inbox/a", DATA[::-1], media_type="video/mp4"))
    with pytest.raises(ChangedWhileRead):
        through(proxy, s3_bucket).fetch("inbox/a", scratch / "copy", longest=len(DATA))
    assert list(scratch.iterdir()) == []


def test_a_connection_that_always_breaks_is_given_up(store: S3Store, proxy: CuttingProxy, s3_bucket: str, scratch: Path) -> None:
    """A dead network is tried for ever, and the run never ends."""
    store.write_bytes("inbox/a", DATA, media_type="video/mp4")
    proxy.cuts, proxy.after = 10**6, 50_000
    with pytest.raises(TransientError, match="broke off"):
        through(proxy, s3_bucket).fetch("inbox/a", scratch / "copy", longest=len(DATA))
    assert list(scratch.iterdir()) == []
