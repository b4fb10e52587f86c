"""The token is nowhere but in the header that carries it."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from videolab_assets.lib.meta.graph import Connection, Graph, Page
from videolab_assets_tests.lib.meta.answers import DONE, refusal
from videolab_assets_tests.lib.meta.test_graph import UNCLEAR, silent
from videolab_assets_tests.scripted_server import Behaviour, ScriptedServer, reset, scripted_server, sent

TOKEN = "EAAcanary|Zx81/never+to=be-seen"  # noqa: S105
FORMS = {form(TOKEN) for form in (str, quote, lambda text: quote(text, safe=""))}
ESCAPED = json.dumps(TOKEN).replace("/", "\\/").replace("canary", "\\u0063anary").strip('"')

ECHOES: dict[str, Behaviour] = {
    "in a message": refusal(190, 401, message=f"Malformed access token {TOKEN}"),
    "in words for people": refusal(100, error_user_title="No", error_user_msg=f"{TOKEN} is not allowed"),
    "at the end of a long message": refusal(100, message="x" * 280 + TOKEN),
    "in the trace": refusal(100, fbtrace_id=TOKEN),
    "in the data": refusal(6000, error_data={"url": f"https://h/?access_token={TOKEN}", TOKEN: [TOKEN]}),
    "in text as data": refusal(6000, error_data=json.dumps({"url": TOKEN})),
    "quoted": refusal(100, message=f"access_token={quote(TOKEN, safe='')}"),
    "escaped": sent(f'{{"error": {{"code": 100, "message": "{ESCAPED}"}}}}'.encode(), 400),
    "as an error of text": sent({"error": TOKEN}, 400),
    "in the content type": sent(b"x", 400, content_type=f"text/{TOKEN}"),
    "in a redirect": sent({}, 302, location=f"http://127.0.0.1:1/?access_token={TOKEN}"),
    "throttled": refusal(17, message=TOKEN),
    "unknown": refusal(2, message=TOKEN),
    "without id": sent({"message": TOKEN}),
    "silent": silent,
    **UNCLEAR,
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(sent(DONE)) as server:
        yield server


def everything(error: BaseException) -> str:
    """All that a log, an event or a debugger would show of an error and of those before it."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    chain = [error, error.__cause__, error.__context__]
    return "".join(shown.format()) + "".join(f"{one}{one!r}{getattr(one, '__dict__', '')}" for one in chain)


def seen_in(text: str) -> bool:
    return any(form in text for form in FORMS) or "canary" in text


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ECHOES)
def test_no_failure_shows_it(name: str, method: str, server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    """Prevents the token in Dagster's event log, where the SDK's exceptions bring it (SDK defect 5), in any log at any level, in the
    values of a traceback's frames, and in what a server that repeats it made us say."""
    caplog.set_level(logging.DEBUG)
    for logger in ("urllib3", "requests", "facebook_business"):
        caplog.set_level(logging.DEBUG, logger)
    server.script, server.otherwise = [ECHOES[name]], ECHOES[name]
    graph = Graph(Connection(TOKEN, server.endpoint, timeout=0.1), sleep=lambda seconds: None)
    error = failure_of(lambda: getattr(graph, method)("act_1/ads", {"name": "x"}, expects=("id",)))
    assert not seen_in(everything(error))
    assert caplog.records and not seen_in(caplog.text)
    assert not seen_in(repr(graph))


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "https://127.0.0.1:1", "https://nowhere.invalid"])
def test_no_broken_connection_shows_it(endpoint: str, caplog: pytest.LogCaptureFixture) -> None:
    """Prevents the address in a connection error, which holds the token where the SDK has its way."""
    caplog.set_level(logging.DEBUG)
    graph = Graph(Connection(TOKEN, endpoint, timeout=0.1), sleep=lambda seconds: None)
    for ask in (lambda: graph.post("act_1/ads"), lambda: graph.get("act_1/ads")):
        assert not seen_in(everything(failure_of(ask)))
    assert not seen_in(caplog.text)


def test_a_torn_connection_does_not_show_it(server: ScriptedServer) -> None:
    """Prevents it in the frames of what urllib3 raised, which ours was raised after."""
    server.script = [reset]
    error = failure_of(lambda: Graph(Connection(TOKEN, server.endpoint)).post("act_1/ads"))
    assert error.__cause__ is None and error.__context__ is None
    assert not seen_in(everything(error))


def test_pages_do_not_keep_it(server: ScriptedServer) -> None:
    """Prevents the address of the next page, token and all, in a row of a table or in a cursor that is stored."""
    following = f"https://graph.facebook.com/v26.0/1/ads?access_token={quote(TOKEN, safe='')}&after=c1"
    body = {"data": [{"id": "1", "link": following, "note": TOKEN}], "paging": {"next": following}}
    server.script = [sent(body)]
    pages = list(Graph(Connection(TOKEN, server.endpoint)).pages("act_1/ads"))
    assert pages[0].after == "c1" and pages[-1] == Page([], "")
    assert not seen_in(repr(pages)) and "[token]" in repr(pages)


def failure_of(ask: Callable[[], Any]) -> BaseException:
    try:
        ask()
    except Exception as error:  # noqa: BLE001
        return error
    pytest.fail("nothing was raised")
