"""The guarded client, over real HTTP against a server on this machine that answers whatever the test says."""

import gzip
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.meta import graph as graph_module
from videolab_assets.lib.meta.errors import (
    AccountBlocked,
    GraphError,
    GraphRefused,
    NotSent,
    OutcomeUnknown,
    Throttled,
    TokenRefused,
    TooMuchData,
)
from videolab_assets.lib.meta.graph import SUNSETS, VERSION, Connection, Graph, checked_endpoint, complaints, connection_of
from videolab_assets.lib.meta.pacing import Load, Pace
from videolab_assets_tests.lib.meta.answers import DONE, refusal
from videolab_assets_tests.scripted_server import Behaviour, Handler, ScriptedServer, reset, scripted_server, sent

TOKEN = "EAAcanary|Zx81-never-to-be-seen"  # noqa: S105


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy between the tests and the server, unless a test sets one."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(sent(DONE)) as server:
        yield server


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def graph(server: ScriptedServer, slept: list[float]) -> Graph:
    return Graph(Connection(TOKEN, server.endpoint, timeout=5), sleep=slept.append)


def impatient(server: ScriptedServer, timeout: float = 0.2) -> Graph:
    return Graph(Connection(TOKEN, server.endpoint, timeout=timeout), sleep=lambda seconds: None)


def silent(handler: Handler) -> None:
    """Waits until the client goes away."""
    handler.connection.recv(1)
    handler.close_connection = True


def drip_headers(handler: Handler) -> None:
    """Sends a byte of a header whenever the client would else lose patience."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-")
    handler.wfile.flush()
    tick = threading.Event()
    for _ in range(60):
        handler.wfile.write(b"a")
        handler.wfile.flush()
        tick.wait(0.1)
    handler.close_connection = True


def endless(handler: Handler) -> None:
    """Sends an answer that does not end."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.end_headers()
    for _ in range(64):
        handler.wfile.write(b'{"id": "' + b" " * 1024**2)
    handler.close_connection = True


def half(handler: Handler) -> None:
    """Sends half of an answer."""
    handler.reply(200, b'{"id": "1", "name', content_length="400")
    handler.close_connection = True


def test_a_request_is_as_meta_wants_it(graph: Graph, server: ScriptedServer) -> None:
    """Prevents lists sent as Python writes them, another version than the one set, and a token anywhere but in its header."""
    graph.post("act_1/campaigns", {"name": "é #vl:1", "special_ad_categories": [], "is_adset_budget_sharing_enabled": False})
    graph.get("", {"ids": "1,2", "fields": "name"})
    post, get = server.received
    assert post.path == f"/{VERSION}/act_1/campaigns"
    assert post.raw == b"name=%C3%A9+%23vl%3A1&special_ad_categories=%5B%5D&is_adset_budget_sharing_enabled=false"
    assert get.path == f"/{VERSION}/?ids=1%2C2&fields=name"
    assert {seen.headers["authorization"] for seen in server.received} == {f"Bearer {TOKEN}"}
    assert all("canary" not in seen.path and b"canary" not in seen.raw for seen in server.received)
    assert graph.requests == 2


def test_a_file_is_sent_as_a_part(graph: Graph, server: ScriptedServer) -> None:
    """Prevents a picture that arrives as text, or cut where the socket's buffer ends."""
    graph.post("act_1/adimages", {"name": "n"}, files={"file": ("a.png", bytes(range(256)) * 4000, "image/png")})
    (seen,) = server.received
    assert seen.headers["content-type"].startswith("multipart/form-data")
    assert bytes(range(256)) * 4000 in seen.raw


UNCLEAR: dict[str, Behaviour] = {
    "html 502": sent(b"<html>Bad Gateway</html>", 502, content_type="text/html"),
    "html 200": sent(b"<html>Sorry</html>", 200, content_type="text/html"),
    "json said to be html": sent({"id": "1"}, content_type="text/html"),
    "empty 200": sent(b""),
    "empty 500": sent(b"", 500),
    "plain 503": sent(b"Service Unavailable", 503, content_type="text/plain"),
    "a list": sent([{"id": "1"}]),
    "a number": sent(5),
    "no id": sent({}),
    "an empty id": sent({"id": ""}),
    "false success": sent({"success": False}),
    "half an answer": half,
    "broken json": sent(b'{"id": "1"'),
    "deep json": sent(b'{"id":' * 5000),
    "a number without end": sent(b'{"id": ' + b"9" * 5000 + b"}"),
    "not a number": sent(b'{"id": NaN}'),
    "no utf-8": sent(b'{"id": "\xff"}'),
    "redirect": sent({"id": "1"}, 307, location="/v26.0/act_1/elsewhere"),
    "reset": reset,
    "code 1": refusal(1),
    "code 2": refusal(2, 500, subcode=1504043),
    "code -1": refusal(-1),
    "no code": refusal(None),
    "error is text": sent({"error": "invalid_request"}, 400),
    "error is a list": sent({"error": [1]}, 400),
    "error is empty": sent({"error": {}}, 400),
    "empty 400": sent({}, 400),
    "transient refusal": refusal(100, is_transient=True),
    "100 and no word more": refusal(100, message=None),
    "100 by a broken server": refusal(100, 500),
    "error_data is empty text": refusal(2, error_data=""),
    "unzipped wrongly": sent(b"no gzip at all", content_encoding="gzip"),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_an_unclear_answer_to_a_write_is_unknown_and_never_repeated(name: str, server: ScriptedServer, graph: Graph) -> None:
    """Prevents a second campaign: the first may be there although the answer cannot be read. SDK defects 2, 3, 4 and 6."""
    server.script = [UNCLEAR[name]]
    with pytest.raises(OutcomeUnknown) as caught:
        graph.post("act_1/campaigns", {"name": "n"})
    assert len(server.received) == graph.requests == 1
    assert "may have done it or not" in caught.value.sentence


@pytest.mark.parametrize("name", [name for name in UNCLEAR if name not in ("no id", "an empty id", "false success")])
def test_an_unclear_answer_to_a_question_is_asked_for_again(name: str, server: ScriptedServer, graph: Graph, slept: list[float]) -> None:
    """Prevents a sync that dies of one bad gateway (SDK defects 2, 3 and 6, where the SDK raises what no retry looks for)."""
    server.script = [UNCLEAR[name], UNCLEAR[name]]
    server.otherwise = sent({"id": "1"})
    assert graph.get("act_1", {"fields": "id"}) == {"id": "1"}
    assert len(server.received) == 3 and len(slept) == 2 and slept[0] < slept[1] * 3


def test_questions_are_given_up_in_the_end(server: ScriptedServer, graph: Graph, slept: list[float]) -> None:
    """Prevents a run that asks for ever, and waits that do not grow."""
    server.otherwise = sent(b"", 500)
    with pytest.raises(OutcomeUnknown):
        graph.get("act_1")
    assert len(server.received) == graph_module.TRIES and len(slept) == graph_module.TRIES - 1
    assert 10 < sum(slept) < 60


CLEAR: dict[str, tuple[Behaviour, type[GraphError]]] = {
    **{f"code {code}": (refusal(code), Throttled) for code in (4, 17, 32, 341, 613, *range(80000, 80015))},
    "throttled with 500": (refusal(80004, 500, is_transient=True, subcode=2446079), Throttled),
    "throttled with 200": (refusal(17, 200), Throttled),
    **{f"code {code}": (refusal(code, 401), TokenRefused) for code in (101, 102, 104, 190)},
    "code 368": (refusal(368), AccountBlocked),
    "code 100": (refusal(100), GraphRefused),
    "code as text": (refusal("100", subcode="1885621"), GraphRefused),
    "code 10": (refusal(10, 403), GraphRefused),
    "code 200": (refusal(200, 403), GraphRefused),
    "code 2635": (refusal(2635), GraphRefused),
    "error in a 200": (refusal(100, 200), GraphRefused),
    "error_data is empty text": (refusal(100, error_data=""), GraphRefused),
    "error_data is broken text": (refusal(100, error_data="{["), GraphRefused),
    "too much data": (refusal(100, subcode=1487534), TooMuchData),
}


@pytest.mark.parametrize("name", CLEAR)
def test_a_clear_refusal_is_told_as_what_it_is(name: str, server: ScriptedServer, graph: Graph) -> None:
    """Prevents a refusal taken for an accident, after which one waits and looks for what cannot be there, and the code lost over
    `error_data: ""` (SDK defect 3)."""
    behaviour, kind = CLEAR[name]
    server.script = [behaviour]
    with pytest.raises(GraphError) as caught:
        graph.post("act_1/campaigns")
    assert type(caught.value) is kind and caught.value.code is not None and caught.value.trace == "AbC"
    assert len(server.received) == 1


def test_a_question_may_be_too_large_but_a_write_cannot(server: ScriptedServer, graph: Graph) -> None:
    """Prevents a write of unknown outcome told as one that can be sent in parts."""
    large = refusal(1, 500, message="Please reduce the amount of data you're asking for, then retry your request")
    for send, path, kind in [
        (graph.get, "act_1/ads", TooMuchData),
        (graph.post, "act_1/insights", TooMuchData),
        (graph.post, "act_1/campaigns", OutcomeUnknown),
    ]:
        server.script = [large]
        with pytest.raises(kind):
            send(path)


def test_the_refusal_says_what_meta_says_to_people(server: ScriptedServer, graph: Graph) -> None:
    """Prevents "Invalid parameter" and nothing else, and a message that brings line breaks and a page of text into the sentence."""
    words: dict[str, Any] = {"error_user_title": "Budget too low", "error_user_msg": "At least\n 1.00 € a day\x1b[31m. " + "x" * 5000}
    server.script = [refusal(100, message="Invalid parameter", **words)]
    with pytest.raises(GraphRefused) as caught:
        graph.post("act_1/adsets")
    assert caught.value.sentence.startswith("Meta refuses POST act_1/adsets: Budget too low: At least 1.00 € a day [31m. xxx")
    assert len(caught.value.sentence) < 400 and caught.value.sentence.isprintable()
    assert caught.value.detail == "POST act_1/adsets, HTTP 400, code 100, trace AbC: Invalid parameter"


def test_a_limit_is_waited_for_as_long_as_the_headers_say(server: ScriptedServer, graph: Graph, slept: list[float]) -> None:
    """Prevents minutes taken for seconds, which asks again far too early and keeps the account blocked."""
    usage = {"1": [{"type": "ads_management", "call_count": 100, "estimated_time_to_regain_access": 3}]}
    body = json.dumps({"error": {"message": "no", "code": 80004}}).encode()
    server.script = [lambda handler: handler.reply(400, body, x_business_use_case_usage=json.dumps(usage))]
    graph.get("act_1/ads")
    assert 180 <= slept[0] < 182


def test_a_long_limit_is_told_instead_of_waited_for(server: ScriptedServer, graph: Graph, slept: list[float]) -> None:
    """Prevents a run that sleeps for an hour in its slot."""
    usage = {"1": [{"estimated_time_to_regain_access": 60}]}
    body = json.dumps({"error": {"message": "no", "code": 80000}}).encode()
    server.script = [lambda handler: handler.reply(400, body, x_business_use_case_usage=json.dumps(usage))]
    with pytest.raises(Throttled) as caught:
        graph.get("act_1/insights")
    assert caught.value.wait == 3600 and not slept


def test_a_timeout_after_sending_is_unknown(server: ScriptedServer) -> None:
    """Prevents a write that was done, but answered late, taken for one that never arrived."""
    server.script = [silent]
    with pytest.raises(OutcomeUnknown):
        impatient(server).post("act_1/campaigns")
    assert len(server.received) == 1


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:{closed}", "https://127.0.0.1:{plain}", "https://nowhere.invalid"])
def test_what_never_left_is_told_apart(endpoint: str, server: ScriptedServer) -> None:
    """Prevents minutes of waiting and looking after a refused connection, a failed handshake or a name that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = endpoint.format(closed=probe.getsockname()[1], plain=server.port)
        with pytest.raises(NotSent):
            Graph(Connection(TOKEN, address, timeout=2)).post("act_1/campaigns")


def test_a_kept_connection_that_is_torn_is_in_doubt(server: ScriptedServer, graph: Graph) -> None:
    """Prevents a client that sends a write again over a new connection, because it believes that a kept one had merely gone stale."""
    graph.get("act_1")
    server.script = [reset]
    with pytest.raises(OutcomeUnknown):
        graph.post("act_1/campaigns")
    assert len(server.received) == 2


@pytest.mark.parametrize("behave", [drip_headers, endless])
def test_answers_are_bounded(behave: Callable[[Handler], None], server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents an answer without end, or one that comes byte by byte so that no single read is late."""
    monkeypatch.setattr("videolab_assets.lib.meta.wire.LONGEST_ANSWER", 4 * 1024**2)
    server.script = [behave]
    with pytest.raises(OutcomeUnknown) as caught:
        impatient(server).post("act_1/campaigns")
    assert ("MiB" if behave is endless else "within") in caught.value.detail


def test_a_small_answer_cannot_grow_large(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents 100 KB of gzip that become 100 MB of memory."""
    monkeypatch.setattr("videolab_assets.lib.meta.wire.LONGEST_ANSWER", 1024**2)
    bomb = gzip.compress(b'{"id": "' + b"1" * 64 * 1024**2 + b'"}')
    server.script = [sent(bomb, content_encoding="gzip")]
    with pytest.raises(OutcomeUnknown):
        impatient(server, 5).post("act_1/campaigns")
    server.script = [sent(gzip.compress(b'{"id": "1"}'), content_encoding="gzip")]
    assert impatient(server, 5).post("act_1/campaigns") == {"id": "1"}


def page(rows: list[int], following: str = "", after: str = "") -> Behaviour:
    paging: dict[str, Any] = {"cursors": {"before": "b", "after": after}} if after else {}
    paging |= {"next": following} if following else {}
    return sent({"data": [{"id": str(row)} for row in rows], "paging": paging})


NEXT = "https://graph.facebook.com/v26.0/act_1/ads?access_token=" + TOKEN + "&limit=1&after="


def test_pages_go_on_over_empty_ones_until_there_is_no_next(server: ScriptedServer, graph: Graph) -> None:
    """Prevents rows lost behind an empty page (SDK defect 1), behind a next page without a cursor beside it, and an extra request for a
    cursor that the last page still has."""
    server.script = [page([1], NEXT + "c1", "c1"), page([], NEXT + "c2", "c2"), page([2], NEXT + "c3"), page([3], after="c4")]
    pages = list(graph.pages("act_1/ads", {"fields": "id"}, limit=1))
    assert [[row["id"] for row in one.rows] for one in pages] == [["1"], [], ["2"], ["3"]]
    assert [one.after for one in pages] == ["c1", "c2", "c3", ""]
    asked = [seen.path.partition("?")[2] for seen in server.received]
    assert asked == ["fields=id&limit=1"] + [f"fields=id&limit=1&after=c{n}" for n in (1, 2, 3)]


def test_lists_are_asked_for_without_a_summary(server: ScriptedServer, graph: Graph) -> None:
    """Prevents the refusals that name a `summary` parameter, which the SDK adds to every list (SDK defect 9)."""
    assert list(graph.rows("act_1/ads")) == []
    assert "summary" not in server.received[0].path


def test_a_list_can_be_gone_on_with(server: ScriptedServer, graph: Graph) -> None:
    """Prevents a sync that begins again at the first page after a crash."""
    assert list(graph.pages("act_1/ads", after="c7"))
    assert server.received[0].path.endswith("after=c7")


@pytest.mark.parametrize("following", ["http://elsewhere.example/x", "nonsense", "http://[", 7])
def test_a_next_page_without_a_place_is_an_error(following: Any, server: ScriptedServer, graph: Graph) -> None:
    """Prevents the silent end of a list that goes on, and a request with the token to wherever an answer points."""
    server.script = [page([1], following)]
    with pytest.raises(OutcomeUnknown):
        list(graph.rows("act_1/ads"))
    assert len(server.received) == 1


def test_a_circle_of_pages_ends(server: ScriptedServer, graph: Graph) -> None:
    """Prevents a sync without end over the same page, and one that ends where an empty page leads to itself for a moment."""
    server.script = [page([], NEXT + "c1", "c1"), page([], NEXT + "c1", "c1"), page([1], NEXT + "c2", "c2"), page([2])]
    assert [row["id"] for row in graph.rows("act_1/ads")] == ["1", "2"]
    server.otherwise = page([1], NEXT + "c1", "c1")
    with pytest.raises(OutcomeUnknown):
        list(graph.rows("act_1/ads"))
    assert len(server.received) < 15


def test_the_version_is_the_one_asked_for_on_every_page(server: ScriptedServer) -> None:
    """Prevents pages of a list read with the SDK's own version instead of ours (SDK defect 7)."""
    graph = Graph(Connection(TOKEN, server.endpoint, "v25.0"))
    server.script = [page([1], NEXT + "c1", "c1")]
    list(graph.rows("act_1/ads"))
    assert [seen.path.split("/")[1] for seen in server.received] == ["v25.0", "v25.0"]


def test_no_request_is_ever_part_of_a_batch(server: ScriptedServer, graph: Graph) -> None:
    """Prevents the SDK's batches, which hand back a write to be executed again (SDK defect 8): each request is one of its own."""
    for _ in range(3):
        graph.post("act_1/campaigns")
    assert len(server.received) == 3 and all(b"batch" not in seen.raw for seen in server.received)


def test_the_sdk_is_used_without_what_it_does_to_the_process(server: ScriptedServer) -> None:
    """Prevents its crash reporter, which posts tracebacks to Meta, its process-wide api, and 0.14 s for everybody who loads us."""
    code = (
        "import sys, videolab_assets.lib.meta.graph as g, videolab_assets.lib.meta.accounts, videolab_assets.lib.meta.video_upload\n"
        "assert not {'facebook_business', 'requests'} & set(sys.modules), 'loaded'\n"
        "hook = sys.excepthook\n"
        f"g.Graph(g.Connection({TOKEN!r}, {server.endpoint!r})).post('act_1/campaigns')\n"
        "from facebook_business.api import FacebookAdsApi\n"
        "assert sys.excepthook is hook and FacebookAdsApi.get_default_api() is None\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_login_of_netrc_is_not_taken(server: ScriptedServer, graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents `~/.netrc` putting another login over the token, or sending one where there should be none."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else\ndefault login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    graph.get("act_1")
    assert server.received[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_proxy_never_sees_the_token(server: ScriptedServer, graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a proxy of the environment that reads along: plain HTTP goes past it, and HTTPS through it only as a tunnel."""
    with scripted_server(sent(DONE)) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.endpoint)
        graph.get("act_1")
        assert len(server.received) == 1 and not proxy.received
        with pytest.raises(NotSent):
            Graph(Connection(TOKEN, "https://graph.example")).post("act_1/campaigns")
        assert [seen.method for seen in proxy.received] == ["CONNECT"]
        assert "canary" not in repr(proxy.received)


def test_the_authorities_are_those_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents REQUESTS_CA_BUNDLE, set for something else, making another authority believed for Meta."""
    from videolab_assets.lib.meta.wire import Wire

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/hostname")
    session = Wire(TOKEN, "https://graph.facebook.com", VERSION, 5)._session
    assert str(session.verify).endswith("fb_ca_chain_bundle.crt")
    settings = session.merge_environment_settings("https://graph.facebook.com", {}, True, None, None)
    assert settings["verify"] == session.verify


@pytest.mark.parametrize("path", ["../act_1", "act_1?x=1", "act_1/", "http://evil", "a b", "act_1//ads", "é"])
def test_paths_are_paths(path: str, graph: Graph, server: ScriptedServer) -> None:
    """Prevents an id out of an answer or a file that leads a request elsewhere."""
    with pytest.raises(PermanentError):
        graph.get(path)
    assert not server.received


def test_the_token_is_the_tenants_or_everybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents one tenant's campaign made with another's token, and a token that cannot be one sent to find that out."""
    monkeypatch.delenv("META_ACCESS_TOKEN", raising=False)
    with pytest.raises(PermanentError, match="META_ACCESS_TOKEN_ACME_CO"):
        connection_of("acme-co")
    monkeypatch.setenv("META_ACCESS_TOKEN", "everybody-1")
    monkeypatch.setenv("META_ACCESS_TOKEN_ACME_CO", " tenants-own-1 ")
    assert connection_of("acme-co").token == "tenants-own-1"  # noqa: S105
    assert connection_of("other").token == "everybody-1"  # noqa: S105
    assert "tenants" not in repr(connection_of("acme-co"))
    monkeypatch.setenv("META_ACCESS_TOKEN", "two\nlines-of-it")
    with pytest.raises(PermanentError) as caught:
        connection_of("other")
    assert "lines" not in str(caught.value)
    with pytest.raises(PermanentError):
        connection_of("acme-co", version="26")


@pytest.mark.parametrize(
    "endpoint", ["http://graph.facebook.com", "https://u:p@h", "ftp://h", "https://", "https://h?x", "http://[::1", "h:1"]
)
def test_endpoints_that_would_give_the_token_away(endpoint: str) -> None:
    """Prevents a token that crosses a network unencrypted."""
    with pytest.raises(PermanentError):
        checked_endpoint(endpoint)
    with pytest.raises(PermanentError):
        Graph(Connection(TOKEN, endpoint))


def test_versions_complain_in_time() -> None:
    """Prevents a version that ends unnoticed, and one that nobody has heard of."""
    assert VERSION in SUNSETS and not complaints(VERSION, date(2026, 11, 27)) and not complaints("v25.0", date(2026, 11, 27))
    assert "expected to end on 2027-02-18" in complaints("v25.0", date(2027, 1, 1))[0]
    assert "ended on 2027-02-18" in complaints("v25.0", date(2027, 2, 18))[0]
    assert "not known" in complaints("v24.0", date(2026, 11, 27))[0]


def test_what_is_not_wanted_any_more_does_not_leave(server: ScriptedServer, slept: list[float]) -> None:
    """Prevents a write that a stop has overtaken while it waited for the limit."""
    pace = Pace(sleep=slept.append, clock=lambda: 0.0)
    pace.note({"1": Load(95)})
    graph = Graph(Connection(TOKEN, server.endpoint), pace=pace)
    with pytest.raises(NotSent):
        graph.post("act_1/campaigns", wanted=lambda: not slept)
    assert slept == [60.0] and not server.received and graph.requests == 0
