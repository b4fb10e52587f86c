"""Requests to Meta's Marketing API: what reads may be repeated, what writes is sent once, and every answer is read by our own code.

Remedies for what facebook-business 26.0.3 does wrong, by the numbers of the list in the tests: pages are followed until there is no next
one (1, 9), status, content type and body are checked before anything is believed (2, 3, 4, 6), the token is in no address (5), the version
is set where it is honoured (7), there are no batches (8), and no constants of the SDK are used (10).
"""

import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from videolab_assets.lib.endpoints import checked_address
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import checked_tenant
from videolab_assets.lib.meta import errors
from videolab_assets.lib.meta.errors import GraphError, NotSent, OutcomeUnknown, Throttled, doubt
from videolab_assets.lib.meta.pacing import Load, Pace, longest_regain, usage_of

if TYPE_CHECKING:
    from videolab_assets.lib.meta.wire import Answer, Silence, Wire

META = "https://graph.facebook.com"
TOKEN_VARIABLE = "META_ACCESS_TOKEN"  # noqa: S105
VERSION = "v26.0"

SUNSETS = {"v25.0": date(2027, 2, 18), "v26.0": date(2027, 6, 30)}
"""The versions that answer, and when each is expected to end. Meta ends a version about a year after its release and sends no header that
would say so; v23 ended on 9 June 2026 and v24 on 6 October 2026. Both days here are estimates by that rule: Meta's changelog has the
announced ones."""

WARN_DAYS = 60
TRIES = 6
"""Of a question. A request that changes something has one."""

MOST_REPEATS = 5
"""Times that a cursor may come: an empty page may lead to itself and have its rows a moment later."""

FIRST_WAIT = 1.0
LONGEST_BACKOFF = 60.0
LONGEST_WAIT = 300.0
"""Seconds that are waited for a limit before the run is given up, for its slot to be used by another."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:|-]{8,}")
_PATH = re.compile(r"(?:[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*)?", re.ASCII)
_JSON_TYPES = ("application/json", "text/javascript", "application/javascript")


@dataclass(frozen=True)
class Connection:
    """Where requests go and as whom.

    Attributes:
        token: the access token.
        endpoint: as `checked_endpoint` returns it; Meta's where it is empty.
        version: one of `SUNSETS`.
        timeout: seconds without a byte from the server; four times that for a whole request.
    """

    token: str = field(repr=False)
    endpoint: str = ""
    version: str = VERSION
    timeout: float = 30.0


def token_variable(tenant: str) -> str | None:
    """The name of the environment variable that holds the tenant's access token; None where none does."""
    own = f"{TOKEN_VARIABLE}_{checked_tenant(tenant).upper().replace('-', '_')}"
    return next((name for name in (own, TOKEN_VARIABLE) if os.environ.get(name, "").strip()), None)


def connection_of(tenant: str, *, endpoint: str = "", version: str = "", timeout: float = 30.0) -> Connection:
    """The tenant's connection, its token from the environment.

    Raises:
        PermanentError: there is no token or what is there cannot be one, the endpoint cannot be used, or the version is no version.
    """
    name = token_variable(tenant)
    if name is None:
        own = f"{TOKEN_VARIABLE}_{tenant.upper().replace('-', '_')}"
        raise PermanentError(f"There is no access token for Meta: set {TOKEN_VARIABLE}, or {own} for this tenant alone.")
    if not _TOKEN.fullmatch(os.environ[name].strip()):
        raise PermanentError(f"{name} holds what cannot be an access token: copy it again.")
    return Connection(os.environ[name].strip(), checked_endpoint(endpoint), checked_version(version or VERSION), timeout)


def checked_version(version: str) -> str:
    """The version itself, if it reads like one.

    Raises:
        PermanentError: it does not.
    """
    if not re.fullmatch(r"v[0-9]{1,3}\.[0-9]", version):
        raise PermanentError(f"{version[:20]!r} is not a version of the Marketing API: write it as {VERSION}.")
    return version


def checked_endpoint(endpoint: str) -> str:
    """The address that requests go to: Meta's where `endpoint` is empty.

    Raises:
        PermanentError: it is no address, holds credentials, or would carry the token unencrypted over a network.
    """
    return checked_address(endpoint, "VIDEOLAB_META_ENDPOINT") if endpoint else META


def complaints(version: str, today: date) -> list[str]:
    """What is wrong with a version on a day, in sentences; empty where nothing is."""
    end = SUNSETS.get(version)
    if end is None:
        return [f"{version} of Meta's Marketing API is not known here: use {' or '.join(SUNSETS)}."]
    if today >= end:
        return [f"{version} of Meta's Marketing API has probably ended on {end}: look into Meta's changelog and use a later one."]
    if (end - today).days <= WARN_DAYS:
        return [f"{version} of Meta's Marketing API is expected to end on {end}: prepare for a later one."]
    return []


@dataclass(frozen=True)
class Page:
    """A part of a list.

    Attributes:
        rows: its entries; a page in the middle may have none.
        after: cursor of the next page; empty on the last one.
    """

    rows: list[dict[str, Any]]
    after: str


class Graph:
    """Meta's Marketing API as one access token sees it; for one thread at a time.

    Args:
        connection: where and as whom.
        pace: slows requests before Meta refuses them; without one only `Throttled` is waited for.
        sleep: waits a number of seconds.
        clock: seconds since the epoch.
        longest_wait: seconds; where Meta asks for more after a refusal, that is raised instead of waited for.

    Attributes:
        requests: sent so far.
        usage: what the last answer with usage headers said: a `Load` for each account's digits, `""` for the app.

    Raises:
        PermanentError: the connection's endpoint, version or token cannot be one.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self.requests = 0
        self.usage: dict[str, Load] = {}
        if not _TOKEN.fullmatch(connection.token):
            raise PermanentError("What was given as the access token for Meta cannot be one: copy it again.")
        checked_version(connection.version)
        self._connection = connection
        self._endpoint = checked_endpoint(connection.endpoint)
        self._pace = pace
        self._sleep = sleep
        self._clock = clock
        self._longest_wait = longest_wait
        self._wire: Wire | None = None

    @property
    def host(self) -> str:
        """Whom requests go to, in words."""
        return urlsplit(self._endpoint).netloc

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, expects: Sequence[str] = ()) -> dict[str, Any]:
        """Asks, again with growing waits where that may help.

        Args:
            path: such as "act_1/campaigns" or an id; empty with `ids` among the parameters.
            params: lists, objects and booleans are sent as JSON.
            expects: the answer has to have one of these fields, if there are any.

        Raises:
            GraphRefused: Meta will not tell.
            TooMuchData: the question has to be split.
            Throttled: the limit is used up for longer than is waited for here.
            OutcomeUnknown, NotSent: all tries failed.
        """
        attempt = 1
        while True:
            outcome = self._outcome("GET", path, params or {}, None, expects)
            if not isinstance(outcome, GraphError):
                return outcome
            wait = self._wait_after(outcome, attempt)
            if wait is None:
                raise outcome
            self._sleep(wait)
            attempt += 1

    def post(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        files: Mapping[str, Any] | None = None,
        expects: Sequence[str] = ("id",),
        wanted: Callable[[], bool] | None = None,
    ) -> dict[str, Any]:
        """Sends exactly one request that may change something, and never repeats it.

        Args:
            path: such as "act_1/campaigns" or an id.
            params: as for `get`.
            files: for a multipart upload: name → (file name, bytes, media type).
            expects: the answer has to have one of these fields, and not false or empty, to count as done.
            wanted: asked directly before it leaves, after any waiting for the limit; where it says no, nothing is sent.

        Raises:
            GraphRefused, Throttled, NotSent, TooMuchData: nothing happened at Meta.
            OutcomeUnknown: it may have happened: look before asking again.
        """
        outcome = self._outcome("POST", path, params or {}, files, expects, wanted)
        if isinstance(outcome, GraphError):
            raise outcome
        return outcome

    def delete(self, path: str) -> dict[str, Any]:
        """Deletes an object with exactly one request; raises as `post`."""
        outcome = self._outcome("DELETE", path, {}, None, ("success",))
        if isinstance(outcome, GraphError):
            raise outcome
        return outcome

    def pages(self, path: str, params: Mapping[str, Any] | None = None, *, limit: int = 100, after: str = "") -> Iterator[Page]:
        """A list, page by page, until the server names no next one: pages in the middle may be empty.

        Args:
            path: of the list.
            params: as for `get`, without `limit` and `after`.
            limit: rows a page, at most.
            after: cursor of an earlier page to go on from.

        Raises:
            GraphError: as `get`; OutcomeUnknown also where cursors go in a circle.
        """
        seen = Counter({after: 1})
        while True:
            asked = {**(params or {}), "limit": limit, **({"after": after} if after else {})}
            answer = self.get(path, asked, expects=("data",))
            after = _next_cursor(answer)
            seen[after] += 1
            rows = answer["data"]
            are_rows = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)  # one left out would be a row lost
            if not are_rows or seen[after] > MOST_REPEATS:
                problem = "sends the same pages again and again" if are_rows else "sends what is no list of objects"
                raise OutcomeUnknown(f"Meta {problem} for GET {path}: what comes after them cannot be read.")
            yield Page(rows, after)
            if not after:
                return

    def rows(self, path: str, params: Mapping[str, Any] | None = None, limit: int = 100) -> Iterator[dict[str, Any]]:
        """The entries of a list, one by one; raises as `pages`."""
        for page in self.pages(path, params, limit=limit):
            yield from page.rows

    def close(self) -> None:
        """Ends the kept connection; the next request makes another."""
        if self._wire is not None:
            self._wire.close()

    def _outcome(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        files: Mapping[str, Any] | None,
        expects: Sequence[str],
        wanted: Callable[[], bool] | None = None,
    ) -> dict[str, Any] | GraphError:
        """The answer or why there is none, as a value: raised by the callers, so that no frame of the traceback holds the token."""
        if not _PATH.fullmatch(path):
            raise PermanentError(f"{path[:80]!r} is not a path of the Marketing API.")
        if self._pace is not None:
            self._pace.before(path)
        if self._wire is None:
            from videolab_assets.lib.meta.wire import Wire

            self._wire = Wire(self._connection.token, self._endpoint, self._connection.version, self._connection.timeout)
        if wanted is not None and not wanted():
            return NotSent(f"{method} {path} was held up for too long, and is not wanted any more: nothing was sent.")
        self.requests += 1
        sent = self._wire.send(method, path, params, files)
        return self._read(f"{method} {path or '/'}", path, sent, expects)

    def _read(self, request: str, path: str, sent: "Answer | Silence", expects: Sequence[str]) -> dict[str, Any] | GraphError:
        from videolab_assets.lib.meta.wire import Silence

        if isinstance(sent, Silence):
            if not sent.sent:
                return NotSent(f"{self.host} cannot be reached: nothing was sent.", f"{request}: {sent.why}")
            return OutcomeUnknown(f"{self.host} did not answer {request}{doubt(request)}.", f"{request}: {sent.why}")
        usage = usage_of(sent.headers, path)
        if usage:
            self.usage = usage
        if self._pace is not None:
            self._pace.note(usage)
        body = _json_object(sent, self._connection.token)
        if body is not None and (error := errors.told(body)) is not None:
            splittable = request.startswith("GET ") or path.endswith("/insights")
            return errors.failure(request, sent.status, error, wait=longest_regain(usage), splittable=splittable)
        if not 200 <= sent.status < 300:
            sentence = f"{self.host} answers {request} with HTTP {sent.status} and gives no reason{doubt(request)}."
            return OutcomeUnknown(sentence, status=sent.status)
        if body is None:
            kind = errors.one_line(sent.headers.get("content-type", ""), 60).replace(self._connection.token, "[token]")
            sentence = f"{self.host} does not answer {request} as the Marketing API does{doubt(request)}."
            return OutcomeUnknown(sentence, f"HTTP {sent.status}, {len(sent.body)} bytes of {kind or 'nothing'}", status=sent.status)
        if expects and not any(_is_there(body.get(name)) for name in expects):
            sentence = f"{self.host} answers {request} without {' or '.join(expects)}{doubt(request)}."
            return OutcomeUnknown(sentence, status=sent.status)
        return body

    def _wait_after(self, failure: GraphError, attempt: int) -> float | None:
        """Seconds until a question is asked again; None where that is no use."""
        if attempt == TRIES or not isinstance(failure, Throttled | OutcomeUnknown | NotSent):
            return None
        backoff: float = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_BACKOFF) * random.uniform(0.5, 1.5)  # noqa: S311
        if not isinstance(failure, Throttled):
            return backoff
        return failure.wait + backoff if failure.wait <= self._longest_wait else None


def _json_object(answer: "Answer", token: str) -> dict[str, Any] | None:
    """The JSON object in an answer without the token, which `paging.next` and some errors repeat; None where it holds no object."""
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() not in _JSON_TYPES:
        return None
    try:
        body = json.loads(answer.body, parse_constant=_refused)
        if isinstance(body, dict):
            # Where Meta always repeats it; to look through all of a long page is slow.
            if isinstance(paging := body.get("paging"), dict):
                body["paging"] = _scrubbed(paging, _forms(token))
            shown = json.dumps(body, ensure_ascii=False)
            if any(form in shown for form in _forms(token)):
                body = _scrubbed(body, _forms(token))
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _is_there(value: object) -> bool:
    return value is not None and value is not False and value != ""


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _forms(token: str) -> set[str]:
    return {token, quote(token), quote(token, safe="")}


def _scrubbed(value: Any, forms: set[str]) -> Any:
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, "[token]")
        return value
    if isinstance(value, list):
        return [_scrubbed(one, forms) for one in value]
    return {_scrubbed(name, forms): _scrubbed(one, forms) for name, one in value.items()} if isinstance(value, dict) else value


def _next_cursor(answer: Mapping[str, Any]) -> str:
    """The cursor of the next page; empty where there is none.

    Only the cursor is taken of the address of the next page: the rest of it may name another server, and holds the token.

    Raises:
        OutcomeUnknown: there is a next page without any cursor.
    """
    paging = answer.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    if not isinstance(paging, dict) or not following:
        return ""
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str) or not after:
        try:
            after = "".join(parse_qs(urlsplit(str(following)).query).get("after", [])[:1])
        except ValueError:
            after = ""
    if not after:
        raise OutcomeUnknown("Meta names a next page without saying where it begins: what comes after it cannot be read.")
    return after
