"""What becomes of the requests in the inbox: refused or taken, and the runs that follow them.

    inbox ── content checked ── kept in requests/<tenant>/ ── a run asked for ── inbox emptied once the run has ended

Each step may be the last one before a crash. The inbox object goes last, so a repetition finds it again and asks for the very same run, and
for another one where that failed for a while or was killed. What cannot be followed moves to `rejected/` with the reason beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from videolab_assets.lib.errors import PermanentError, RejectedUpload, TransientError, VideoLabError
from videolab_assets.lib.inbox import entries, read_small
from videolab_assets.lib.ingest import move_to_rejected, shown_name
from videolab_assets.lib.intake import Run, RunState, backoff_seconds
from videolab_assets.lib.keys import REQUESTS, slug, upload_id
from videolab_assets.lib.requests.kinds import LONGEST_REQUEST, RequestKind, request_kind_of
from videolab_assets.lib.store import ObjectMissing, Store, StoreObject

MOST_HANDLED = 50
"""Requests read or moved in a look, so that it ends well within the sensor's time limit."""

MOST_ATTEMPTS = 10
"""Runs for one request: with the pauses between them they last for two hours of a service that does not answer."""


@dataclass(frozen=True)
class Request:
    """One request in the inbox, in one version."""

    found: StoreObject
    kind: RequestKind
    tenant: str

    @property
    def request_id(self) -> str:
        """64 hex digits: this object in this version."""
        return upload_id(self.found.key, self.found.version)

    @property
    def name(self) -> str:
        """The file's name as a slug, without the kind's ending."""
        return slug(f"{self.found.key[: -len(self.kind.ending)]}.yaml")

    @property
    def kept_as(self) -> str:
        """Where the store keeps it for good once it has been taken."""
        return f"{REQUESTS}/{self.tenant}/{self.name}.{self.request_id[:8]}{self.kind.ending}"


@dataclass(frozen=True)
class Taken:
    """What a request that can be followed asks of its job.

    Attributes:
        partition: the job's partition, where it has partitions.
        config: of the job's op, plain values.
    """

    partition: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """A run to start; asking twice for the same `run_key` starts one."""

    request: Request
    taken: Taken
    attempt: int

    @property
    def run_key(self) -> str:
        return f"{self.request.request_id}:request:{self.attempt}"


@dataclass(frozen=True)
class Refused:
    """A request that is not followed, for the person to see.

    Attributes:
        name: as it was uploaded, safe to show.
        kept_as: where it lies now, with the reason in a JSON beside it.
    """

    kind: RequestKind
    tenant: str
    name: str
    sentence: str
    detail: str
    kept_as: str


@dataclass
class Attended:
    """What one look decided. Sentences in `notes` are for the log."""

    asks: list[Ask] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    waiting: int = 0


Take = Callable[[Request, bytes], Taken]
"""Checks a request's content and notes what has to be noted before its run; raises PermanentError where it cannot be followed."""


def look(
    store: Store, take: Take, latest_runs: Callable[[Sequence[str]], Mapping[str, Run]], settle_seconds: float, now: float
) -> Attended:
    """Takes, refuses or leaves each request in the inbox, the oldest first, and sees the runs through that were asked for.

    Args:
        latest_runs: the latest run of each of the given requests, by their ids; those without one are left out.
        settle_seconds: a file counts as whole when nothing touched it for so long.
        now: epoch seconds.
    """
    attended = Attended()
    requests = []
    for entry in entries(store, settle_seconds, now):
        kind = request_kind_of(entry.final_key)
        if kind and entry.tenant and entry.is_whole:
            requests.append(Request(entry.found, kind, entry.tenant))
        elif kind and entry.tenant:
            attended.waiting += 1
    requests.sort(key=lambda request: (request.found.modified, request.found.key))
    handled, attended.waiting = requests[:MOST_HANDLED], attended.waiting + len(requests[MOST_HANDLED:])
    runs = latest_runs([request.request_id for request in handled]) if handled else {}
    for request in handled:
        _Desk(store, take, now, attended).attend(request, runs.get(request.request_id))
    return attended


@dataclass(frozen=True)
class _Desk:
    store: Store
    take: Take
    now: float
    attended: Attended

    def attend(self, request: Request, run: Run | None) -> None:
        try:
            self._follow(request, run)
        except ObjectMissing:
            return  # a person changed their mind
        except TransientError as error:
            self.attended.waiting += 1
            self.attended.notes.append(f"{shown_name(request.found.key)} stays in the inbox: {error.sentence}")
        except PermanentError as error:
            self._refuse(request, error)

    def _follow(self, request: Request, run: Run | None) -> None:
        if run is None:
            self._ask(request, 1)
        elif run.state is RunState.ALIVE:
            self.attended.waiting += 1
        elif run.state is RunState.SUCCEEDED:
            self.store.delete(request.found.key, request.found.version)
        elif run.state is RunState.STOPPED:
            raise PermanentError("A person stopped its run: put the file into the inbox again to go on.")
        elif run.state is RunState.FAILED_FOR_GOOD:
            raise PermanentError(run.why or "Its run failed for a reason that trying again cannot mend: see its run in the UI.")
        elif run.attempt >= MOST_ATTEMPTS:
            raise PermanentError(f"{run.attempt} attempts failed. The last one: {run.why or 'see its run in the UI.'}")
        elif self.now >= (run.ended_at or self.now) + backoff_seconds(run.attempt):
            self._ask(request, run.attempt + 1)
        else:
            self.attended.waiting += 1

    def _ask(self, request: Request, attempt: int) -> None:
        data = read_small(self.store, request.found, LONGEST_REQUEST)
        if data is None:
            self.attended.waiting += 1
            return
        taken = self.take(request, data)
        self.store.write_bytes(request.kept_as, data, media_type="application/yaml")
        self.attended.asks.append(Ask(request, taken, attempt))

    def _refuse(self, request: Request, error: PermanentError) -> None:
        """Moves it out of the inbox, with every problem in the JSON beside it."""
        problems = [line for line in error.detail.splitlines() if line.strip()]
        code = error.code if isinstance(error, RejectedUpload) else "unusable"
        rejection = RejectedUpload(code, error.sentence, {"problems": problems} if problems else None)
        name = f"{request.name}.{request.request_id[:8]}"
        try:
            key = move_to_rejected(self.store, request.tenant, name, request.found.key, request.found.version, rejection)
        except VideoLabError as failure:
            self.attended.waiting += 1
            self.attended.notes.append(f"{shown_name(request.found.key)} could not be moved out of the inbox: {failure.sentence}")
            return
        shown = shown_name(request.found.key)
        self.attended.refused.append(Refused(request.kind, request.tenant, shown, error.sentence, error.detail, key))
        self.attended.notes.append(f"{shown} went to {key.removesuffix('.json')}: {error.sentence}")
