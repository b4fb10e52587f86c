"""What a look into the inbox decides: which uploads get a run, which get another one, and which are given up.

What lies there beside the uploads, named after them, is `videolab_assets.lib.amendments`' to decide about.

The cost of a look follows what is in the inbox and in flight, never what is known: the inbox empties as it is read, and
finished uploads are not asked about.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from videolab_assets.lib.amendments import GRACE_SECONDS, Amending, Amendment, attend
from videolab_assets.lib.catalogue import Catalogue, State, Upload, owner_alive
from videolab_assets.lib.errors import PermanentError, RejectedUpload
from videolab_assets.lib.inbox import entries
from videolab_assets.lib.ingest import move_to_rejected, set_aside
from videolab_assets.lib.keys import INBOX, slug, upload_id
from videolab_assets.lib.requests.kinds import request_kind_of
from videolab_assets.lib.sidecars import Sidecar, kind_of, sidecar_of
from videolab_assets.lib.store import Store, StoreObject

FIRST_BACKOFF_SECONDS = 10.0
LONGEST_BACKOFF_SECONDS = 900.0
LOOKED_UP_AT_ONCE = 200
MOST_LISTED = 10_000
"""Uploads and sidecars a look; the inbox empties as it is read, so what lies behind them comes to the front."""
UNFILED = "_unfiled"
"""Folder in `rejected/` for what no tenant's inbox holds; no tenant's name has an underscore."""


class RunState(enum.Enum):
    """How far a run got, in the words that matter here."""

    ALIVE = "alive"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    FAILED_FOR_GOOD = "failed for good"
    STOPPED = "stopped by a person"


@dataclass(frozen=True)
class Run:
    """The latest run of an upload.

    Attributes:
        attempt: which of the upload's attempts it is.
        ended_at: epoch seconds; None while it is alive.
        why: a sentence, where it failed.
    """

    run_id: str
    attempt: int
    state: RunState
    ended_at: float | None = None
    why: str | None = None


@dataclass(frozen=True)
class Ask:
    """A run to start; asking twice for the same `run_key` starts one."""

    upload: Upload
    attempt: int

    @property
    def run_key(self) -> str:
        return f"{self.upload.upload_id}:{self.attempt}"


@dataclass
class Look:
    """What one look decided. Sentences in `notes` are for the log."""

    asks: list[Ask] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    waiting: int = 0


@dataclass(frozen=True)
class Rules:
    """Attributes:
    settle_seconds: an object counts as whole when nothing has touched it for so long; objects of S3 are whole at once.
    max_in_flight: uploads queued or running at once, and runs for sidecars beside them; the rest waits in the inbox.
    max_attempts: runs of one upload, or for one sidecar, before it is given up.
    most_new: new uploads a look, and new runs for sidecars, so that it ends well within the sensor's time limit.
    """

    settle_seconds: float
    max_in_flight: int
    max_attempts: int
    most_new: int = 25


def look(
    store: Store,
    catalogue: Catalogue,
    latest_runs: Callable[[Sequence[Upload]], Mapping[str, Run]],
    abandon: Callable[[Run, str], None],
    rules: Rules,
    now: float,
    amending: Callable[[Sequence[str]], Amending] = lambda _: Amending(),
) -> Look:
    """Looks after the uploads in flight, then into the inbox.

    Args:
        latest_runs: the latest run of each of the given uploads, by upload id; those without one are left out.
        abandon: marks a run as failed whose process is gone, with a sentence why.
        now: epoch seconds.
        amending: looks up the runs of sidecars, by their ids; without it no sidecar leaves the inbox.
    """
    seen = Look()
    in_flight = catalogue.unfinished(rules.max_in_flight)
    runs = latest_runs(in_flight) if in_flight else {}
    for upload in in_flight:
        _look_after(upload, runs.get(upload.upload_id), store, catalogue, abandon, rules, now, seen)
    inbox = _listed(store, rules, now, seen)
    room = rules.max_in_flight - catalogue.count_unfinished()
    _take_up(inbox.uploads, catalogue, now, min(room, rules.most_new), seen)
    if inbox.sidecars:
        coming = _coming(inbox, catalogue)
        attended = attend(inbox.sidecars, coming, store, catalogue, amending, rules.max_in_flight, rules.most_new, rules.max_attempts, now)
        seen.amendments += attended.amendments
        seen.notes += attended.notes
        seen.waiting += attended.waiting
    return seen


def _look_after(
    upload: Upload,
    run: Run | None,
    store: Store,
    catalogue: Catalogue,
    abandon: Callable[[Run, str], None],
    rules: Rules,
    now: float,
    seen: Look,
) -> None:
    if run is None or run.attempt < upload.attempt:
        # Asked for, but the daemon died before it had written that down: the same key again starts at most one run.
        _ask(upload, max(upload.attempt, 1), catalogue, now, seen)
        return
    if run.state is RunState.ALIVE:
        if upload.owner is None or owner_alive(upload):
            return
        abandon(run, "The process that worked on this run is gone: it was killed, or the machine went down.")
        run = Run(run.run_id, run.attempt, RunState.FAILED, now, "Its process was killed.")
    if run.state is RunState.SUCCEEDED:
        if not catalogue.mark_done(upload.upload_id):
            catalogue.mark_failed(upload.upload_id, "Its run ended without taking the upload in: materialize source_video of this video.")
        return
    if run.state is RunState.STOPPED:
        how = "upload the file again" if upload.state is State.QUEUED else "materialize what is missing from the UI"
        _give_up(upload, f"A person stopped its run: to go on, {how}.", store, catalogue, seen)
    elif run.state is RunState.FAILED_FOR_GOOD:
        _give_up(upload, run.why or "Its run failed for a reason that trying again cannot mend.", store, catalogue, seen)
    elif run.attempt >= rules.max_attempts:
        _give_up(upload, f"{run.attempt} attempts failed. The last one: {run.why or 'see its run in the UI.'}", store, catalogue, seen)
    elif now >= (run.ended_at or now) + backoff_seconds(run.attempt):
        _ask(upload, run.attempt + 1, catalogue, now, seen)


def backoff_seconds(attempt: int) -> float:
    """Pause after the `attempt`-th failure: 10 s, 30 s, 90 s … up to 15 minutes."""
    return min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 3.0 ** min(attempt - 1, 10))


def _ask(upload: Upload, attempt: int, catalogue: Catalogue, now: float, seen: Look) -> None:
    if attempt == upload.attempt or catalogue.start_attempt(upload.upload_id, attempt - 1, now):
        seen.asks.append(Ask(upload, attempt))


def _give_up(upload: Upload, sentence: str, store: Store, catalogue: Catalogue, seen: Look) -> None:
    """Ends an upload as failed. What still lies in the inbox moves to `rejected/`, where a person finds it with the reason."""
    if upload.state is State.QUEUED:
        try:
            set_aside(store, upload, RejectedUpload("failed", sentence))
        except PermanentError as error:
            seen.notes.append(f"{upload.inbox_key!r} could not be moved out of the inbox: {error.sentence}")
    catalogue.mark_failed(upload.upload_id, sentence)
    seen.notes.append(f"{upload.video_key}: {sentence}")


@dataclass
class _Inbox:
    """What lies in the tenants' inboxes.

    Attributes:
        uploads: whole ones.
        sidecars: whole ones.
        growing: the keys that what is being copied is going to have.
    """

    uploads: list[StoreObject] = field(default_factory=list)
    sidecars: list[Sidecar] = field(default_factory=list)
    growing: list[str] = field(default_factory=list)


def _listed(store: Store, rules: Rules, now: float, seen: Look) -> _Inbox:
    """The inbox, as far as one look takes it; what is in no tenant's folder is moved out of the way with the reason."""
    inbox = _Inbox()
    for entry in entries(store, rules.settle_seconds, now):
        if entry.tenant and request_kind_of(entry.final_key):
            continue  # the campaigns stage's
        if not entry.is_whole:
            seen.waiting += 1
            if entry.age < GRACE_SECONDS and kind_of(entry.final_key) is None:
                inbox.growing.append(entry.final_key)
        elif entry.tenant is None:
            _refuse_unfiled(store, entry.found, seen)
        elif sidecar := sidecar_of(entry.found):
            inbox.sidecars.append(sidecar)
        else:
            inbox.uploads.append(entry.found)
        if len(inbox.uploads) + len(inbox.sidecars) >= MOST_LISTED:
            break
    return inbox


def _take_up(uploads: Sequence[StoreObject], catalogue: Catalogue, now: float, room: int, seen: Look) -> None:
    """Asks for a first run of up to `room` uploads that are not known yet."""
    for start in range(0, len(uploads), LOOKED_UP_AT_ONCE):
        if room <= 0:
            return
        for found in _unknown(uploads[start : start + LOOKED_UP_AT_ONCE], catalogue):
            if room <= 0:
                return
            upload, is_new = catalogue.enqueue(found.key.split("/")[1], found.key, found.version, found.bytes)
            if is_new:
                room -= 1
                _ask(upload, 1, catalogue, now, seen)


def _unknown(uploads: Sequence[StoreObject], catalogue: Catalogue) -> list[StoreObject]:
    ids = {upload_id(found.key, found.version): found for found in uploads}
    known = catalogue.known(ids)
    return [found for one, found in ids.items() if one not in known]


def _coming(inbox: _Inbox, catalogue: Catalogue) -> set[tuple[str, str]]:
    """Tenant and stem of what a sidecar is named after and is no video yet: it waits for room, or is being copied."""
    named = {(sidecar.tenant, sidecar.stem) for sidecar in inbox.sidecars}
    waiting = _unknown([found for found in inbox.uploads if _stem(found.key) in named], catalogue)
    return named & {_stem(key) for key in (*(found.key for found in waiting), *inbox.growing)}


def _stem(inbox_key: str) -> tuple[str, str]:
    """Tenant and name of an upload as `Catalogue.named` takes them."""
    tenant, _, path = inbox_key.removeprefix(f"{INBOX}/").partition("/")
    return tenant, path.rpartition(".")[0] or path


def _refuse_unfiled(store: Store, found: StoreObject, seen: Look) -> None:
    sentence = "Uploads belong into inbox/<tenant>/, with a tenant of lower-case letters, digits and hyphens: move this file there."
    name = f"{slug(found.key)}.{upload_id(found.key, found.version)[:8]}"
    try:
        key = move_to_rejected(store, UNFILED, name, found.key, found.version, RejectedUpload("no_tenant", sentence))
    except PermanentError as error:
        seen.notes.append(f"{found.key!r} could not be moved out of the inbox: {error.sentence}")
        return
    seen.notes.append(f"{found.key!r} was moved to {key.removesuffix('.json')}: {sentence}")
