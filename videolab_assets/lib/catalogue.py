"""Every upload ever seen, and how far it got, in SQLite or PostgreSQL.

Dagster forgets a run key when its run is deleted, and would then process the upload again; this table forgets nothing. It is not a
copy of the lineage: what was made of an upload is in the event log and the store.

    queued ──> accepted ──> done
      └───────────┴──> rejected | duplicate | failed;  failed ──> queued when a person asks again

Each method is one statement in a transaction of its own, guarded by the states it may start from, so that concurrent sensors, runs
and reapers need no locks and a killed process leaves nothing half-said.
"""

import enum
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from videolab_assets.lib import keys
from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.processes import ProcessIdentity

LOOK_UP_AT_ONCE = 10_000
"""Ids in one query: SQLite takes 32,766 parameters."""


class State(enum.StrEnum):
    """How far an upload got. The last four are final; `failed` alone can be taken up again, by a person."""

    QUEUED = "queued"
    ACCEPTED = "accepted"
    DONE = "done"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    FAILED = "failed"


UNFINISHED = (State.QUEUED, State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Upload:
    """One object of the inbox in one version.

    Attributes:
        upload_id: `keys.upload_id` of key and version.
        tenant: whose it is.
        inbox_key: where it was put; may hold bytes that are not UTF-8, as lone surrogates.
        version: what the store said of its bytes.
        bytes: its size when it was noticed.
        video_key: the partition; no two uploads share one.
        state: how far it got.
        attempt: runs asked for so far.
        next_attempt_at: epoch seconds before which no further run is due.
        reason: a sentence, of what was rejected or failed.
        sha256: of the content, once it is known.
        duplicate_of: the video key of the first upload of the same bytes.
        owner: the process at work on it, or the last one that was.
        created_at: epoch seconds.
        updated_at: epoch seconds.
    """

    upload_id: str
    tenant: str
    inbox_key: str
    version: str
    bytes: int
    video_key: str
    state: State
    attempt: int
    next_attempt_at: float
    reason: str | None
    sha256: str | None
    duplicate_of: str | None
    owner: ProcessIdentity | None
    created_at: float
    updated_at: float


_metadata = sa.MetaData()

_uploads = sa.Table(
    "uploads",
    _metadata,
    sa.Column("upload_id", sa.String(64), primary_key=True),
    sa.Column("tenant", sa.String(32), nullable=False),
    sa.Column("inbox_key", sa.Text, nullable=False, comment="bytes, percent-encoded"),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("video_key", sa.String(96), nullable=False, unique=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("next_attempt_at", sa.Double, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("sha256", sa.String(64)),
    sa.Column("holds_content", sa.String(64), comment="sha256 while this upload is the tenant's first with these bytes"),
    sa.Column("duplicate_of", sa.String(96)),
    sa.Column("owner", sa.Text, comment="host.boot.pid.started"),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
)

# A literal, because SQLite uses a partial index only for a query that repeats its condition word for word.
_is_unfinished = sa.text("state IN ('queued', 'accepted')")

sa.Index("uploads_holding", _uploads.c.tenant, _uploads.c.holds_content, unique=True)  # NULLs are distinct in both databases
sa.Index(
    "uploads_unfinished",
    _uploads.c.next_attempt_at,
    _uploads.c.upload_id,
    sqlite_where=_is_unfinished,
    postgresql_where=_is_unfinished,
)

# What `rtrim` takes off the end is every character but dots: what stays ends with the last one. A literal for the same reason; compared
# for equality alone, because PostgreSQL's order of texts, and so what a range of them holds, depends on its locale.
_up_to_last_dot = sa.literal_column("coalesce(nullif(rtrim(inbox_key, replace(inbox_key, '.', '')), ''), inbox_key || '.')", sa.Text)

sa.Index("uploads_named", _uploads.c.tenant, _up_to_last_dot)


class Catalogue:
    """The table of uploads; made if missing.

    Every method raises TransientError when the database cannot be reached or stays locked.

    Args:
        url: an SQLAlchemy URL of SQLite or PostgreSQL, such as `sqlite:////data/videolab.db`.
        clock: epoch seconds.

    Raises:
        PermanentError: the URL is not one of these.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._database = Database(url)
        self._database.make(_metadata)

    def describe(self) -> str:
        """The place in words, without credentials."""
        return self._database.describe()

    def enqueue(self, tenant: str, inbox_key: str, version: str, size: int) -> tuple[Upload, bool]:
        """Notes an upload as queued and due at once, unless it is known.

        Args:
            tenant: whose it is.
            inbox_key: where it is.
            version: `StoreObject.version`.
            size: bytes.

        Returns:
            The row, and whether it is new; of concurrent callers exactly one is told so.

        Raises:
            PermanentError: the tenant's name is not one.
        """
        upload_id = keys.upload_id(inbox_key, version)
        now = self._clock()
        # 8 hex digits meet by chance once a few ten thousand uploads share a name; the next eight of the same id then serve.
        for start in range(0, len(upload_id), 8):
            fresh = {
                "upload_id": upload_id,
                "tenant": tenant,
                "inbox_key": quote(inbox_key, errors="surrogateescape"),
                "version": version,
                "bytes": size,
                "video_key": keys.video_key_of(tenant, inbox_key, upload_id[start:]),
                "state": State.QUEUED,
                "attempt": 0,
                "next_attempt_at": now,
                "created_at": now,
                "updated_at": now,
            }
            inserted = self._run(self._database.insert(_uploads).values(fresh).on_conflict_do_nothing())
            upload = self.by_upload_id(upload_id)
            if upload is not None:
                return upload, inserted == 1
        raise PermanentError(f"Too many uploads are called {inbox_key!r}: rename this one.")

    def known(self, upload_ids: Collection[str]) -> dict[str, Upload]:
        """Those of the uploads that have been noted, by id; one query for every 10,000 asked about."""
        wanted = list(upload_ids)
        found: dict[str, Upload] = {}
        for start in range(0, len(wanted), LOOK_UP_AT_ONCE):
            batch = _uploads.c.upload_id.in_(wanted[start : start + LOOK_UP_AT_ONCE])
            found.update((upload.upload_id, upload) for upload in self._uploads_where(batch))
        return found

    def by_upload_id(self, upload_id: str) -> Upload | None:
        """The upload of that id."""
        return next(iter(self._uploads_where(_uploads.c.upload_id == upload_id)), None)

    def by_video_key(self, video_key: str) -> Upload | None:
        """The upload that a partition was made for."""
        return next(iter(self._uploads_where(_uploads.c.video_key == video_key)), None)

    def named(self, tenant: str, stem: str, most: int = 10) -> list[Upload]:
        """The tenant's videos that were uploaded under that name, each once: a duplicate counts as the first upload of its bytes.

        Those that failed or were rejected come last; among equals the newest comes first. Costs what shares the name, however much
        else there is.

        Args:
            tenant: whose they are.
            stem: below the tenant's folder of the inbox, folders included, up to the last dot.
            most: at most so many.
        """
        video_key = sa.func.coalesce(_uploads.c.duplicate_of, _uploads.c.video_key)
        ended_badly = sa.case((_uploads.c.state.in_((State.FAILED, State.REJECTED)), 1), else_=0)
        wanted = quote(f"{keys.INBOX}/{tenant}/{stem}.", errors="surrogateescape")
        statement = (
            sa.select(video_key)
            .where(_uploads.c.tenant == tenant, _up_to_last_dot == wanted)
            .group_by(video_key)
            .order_by(sa.func.min(ended_badly), sa.func.max(_uploads.c.created_at).desc())
            .limit(most)
        )
        with self._database.connect() as connection:
            found = connection.execute(statement).scalars().all()
        if not found:
            return []
        uploads = {upload.video_key: upload for upload in self._uploads_where(_uploads.c.video_key.in_(found))}
        return [uploads[key] for key in found if key in uploads]

    def unfinished(self, limit: int, after: Upload | None = None) -> list[Upload]:
        """Queued and accepted uploads whose next attempt is due, longest due first.

        Costs the same however many finished uploads there are.

        Args:
            limit: at most so many.
            after: the last one of the previous page.
        """
        conditions: list[sa.ColumnElement[bool] | sa.TextClause] = [_is_unfinished, _uploads.c.next_attempt_at <= self._clock()]
        order = (_uploads.c.next_attempt_at, _uploads.c.upload_id)
        if after is not None:
            conditions.append(sa.tuple_(*order) > (after.next_attempt_at, after.upload_id))
        return self._uploads_where(*conditions, order=order, limit=limit)

    def count_unfinished(self) -> int:
        """Uploads queued or accepted, due or not. Costs the same however many finished ones there are."""
        with self._database.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(_uploads).where(_is_unfinished)).scalar_one()

    def holder(self, tenant: str, sha256: str) -> Upload | None:
        """The tenant's upload that holds these bytes (see `claim_content`)."""
        return next(iter(self._uploads_where(_uploads.c.tenant == tenant, _uploads.c.holds_content == sha256)), None)

    def claim_content(self, upload_id: str, sha256: str) -> Upload | None:
        """Makes an unfinished upload its tenant's one upload with these bytes; of concurrent claims exactly one succeeds.

        The claim is let go when the upload becomes rejected, duplicate or failed. Claiming again what one holds is fine.

        Returns:
            None when the bytes are this upload's now, otherwise the upload that holds them.

        Raises:
            PermanentError: the upload is unknown, or final and without these bytes.
        """
        while True:
            try:
                if self._change(upload_id, UNFINISHED, sha256=sha256, holds_content=sha256):
                    return None
            except IntegrityError:
                holder = self._holder(upload_id, sha256)
                if holder is None:  # let go since
                    continue
                return holder
            holder = self._holder(upload_id, sha256)
            if holder is not None and holder.upload_id == upload_id:
                return None
            raise PermanentError(f"The upload {upload_id[:8]} is not one that is being worked on: {self._state_in_words(upload_id)}.")

    def start_attempt(self, upload_id: str, attempt: int, next_attempt_at: float) -> bool:
        """Counts one more run of an unfinished upload, if nobody did so since `attempt` was read.

        Args:
            upload_id: the upload.
            attempt: `Upload.attempt` as it was read; afterwards it is one more.
            next_attempt_at: epoch seconds; before then `unfinished` does not show it.
        """
        return self._change(
            upload_id, UNFINISHED, _uploads.c.attempt == attempt, attempt=attempt + 1, next_attempt_at=next_attempt_at, owner=None
        )

    def set_owner(self, upload_id: str, owner: ProcessIdentity) -> bool:
        """Says which process works on an unfinished upload, so that `owner_alive` can tell when it was killed."""
        return self._change(upload_id, UNFINISHED, owner=owner.token)

    def mark_accepted(self, upload_id: str) -> bool:
        """The gate let it pass and the original is in the library; needs the claim. Repeating it is fine."""
        return self._change(upload_id, UNFINISHED, _uploads.c.holds_content.is_not(None), state=State.ACCEPTED)

    def mark_done(self, upload_id: str) -> bool:
        """Everything was made of an accepted upload."""
        return self._change(upload_id, (State.ACCEPTED,), state=State.DONE, reason=None)

    def mark_rejected(self, upload_id: str, reason: str) -> bool:
        """The gate refuses it, with a sentence for its uploader. Final."""
        return self._change(upload_id, UNFINISHED, state=State.REJECTED, reason=_storable(reason), holds_content=None)

    def mark_duplicate(self, upload_id: str, duplicate_of: str, sha256: str) -> bool:
        """Its bytes are those of another video, given by its key. Final."""
        return self._change(upload_id, UNFINISHED, state=State.DUPLICATE, duplicate_of=duplicate_of, sha256=sha256, holds_content=None)

    def mark_failed(self, upload_id: str, reason: str) -> bool:
        """No further attempt is made by itself; the same content may be uploaded again."""
        return self._change(upload_id, UNFINISHED, state=State.FAILED, reason=_storable(reason), holds_content=None)

    def reopen(self, upload_id: str) -> bool:
        """Queues a failed upload again because a person asks for it; it is due at once, and its attempts go on counting."""
        return self._change(upload_id, (State.FAILED,), state=State.QUEUED, reason=None, next_attempt_at=self._clock())

    def dispose(self) -> None:
        """Closes idle connections."""
        self._database.dispose()

    def _holder(self, upload_id: str, sha256: str) -> Upload | None:
        upload = self.by_upload_id(upload_id)
        return None if upload is None else self.holder(upload.tenant, sha256)

    def _state_in_words(self, upload_id: str) -> str:
        upload = self.by_upload_id(upload_id)
        return "it is unknown" if upload is None else f"it is {upload.state.value}"

    def _change(self, upload_id: str, states: Collection[State], *conditions: sa.ColumnElement[bool], **values: object) -> bool:
        guarded = sa.update(_uploads).where(_uploads.c.upload_id == upload_id, _uploads.c.state.in_(states), *conditions)
        return self._run(guarded.values(updated_at=self._clock(), **values)) == 1

    def _run(self, statement: sa.Insert | sa.Update) -> int:
        """How many rows it touched."""
        with self._database.connect() as connection:
            return connection.execute(statement).rowcount

    def _uploads_where(
        self,
        *conditions: sa.ColumnElement[bool] | sa.TextClause,
        order: Sequence[sa.ColumnElement[Any]] = (),
        limit: int | None = None,
    ) -> list[Upload]:
        statement = sa.select(_uploads).where(*conditions).order_by(*order).limit(limit)
        with self._database.connect() as connection:
            return [_upload(row) for row in connection.execute(statement)]


def owner_alive(upload: Upload) -> bool:
    """Whether the process at work on it may still be: False without one, or when it certainly ended.

    True for a process of another machine, of which nothing here can know.
    """
    return upload.owner is not None and not upload.owner.is_gone()


def _upload(row: sa.Row[Any]) -> Upload:
    values = dict(row._mapping)
    del values["holds_content"]
    values["inbox_key"] = unquote_to_bytes(values["inbox_key"]).decode("utf-8", "surrogateescape")
    values["state"] = State(values["state"])
    values["owner"] = ProcessIdentity.of_token(values["owner"]) if values["owner"] else None
    return Upload(**values)


def _storable(sentence: str) -> str:
    """A reason may quote a name as it was uploaded; PostgreSQL takes neither NUL nor half characters."""
    return sentence.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
