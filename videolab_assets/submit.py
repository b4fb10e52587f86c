"""From a file on this machine to its finished video, through the same inbox, sensor and job as everybody else's."""

import hashlib
import logging
import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import dagster as dg

from videolab_assets.defs.outcomes import UPLOAD_TAG
from videolab_assets.defs.resources import resources_of
from videolab_assets.instance import Sensors
from videolab_assets.lib import keys
from videolab_assets.lib.catalogue import Catalogue, State, Upload
from videolab_assets.lib.documents import DOCUMENTS
from videolab_assets.lib.errors import PermanentError, RejectedUpload
from videolab_assets.lib.library import LONGEST_DOCUMENT, Library
from videolab_assets.lib.sandbox import printable
from videolab_assets.lib.scratch import scratch_folder
from videolab_assets.lib.sidecars import kind_of
from videolab_assets.lib.store import Store
from videolab_assets.settings import Settings

POLL_SECONDS = 0.5
LONGEST_STEM = 100
"""Characters kept of a long name, which leaves room for a number and an ending within the 255 bytes of a file name."""

BOOKKEEPING = ("Dependencies for step", "Skipping step")
"""How Dagster's own lines about steps that do not run begin."""

Status = Literal["done", "duplicate", "rejected", "failed"]
Say = Callable[[str], None]

_STATUS: dict[State, Status] = {State.DONE: "done", State.DUPLICATE: "duplicate", State.REJECTED: "rejected", State.FAILED: "failed"}


@dataclass(frozen=True)
class Outcome:
    """What became of a submitted file.

    Attributes:
        video_key: the video that holds the bytes; of a duplicate, the first one.
        new: whether this submission made it.
        reason: a sentence where it was rejected or failed.
        outputs: one entry for each file that exists: asset, key, bytes, sha256, and seconds of the step that made it.
        skipped: assets that do not exist for this file.
    """

    status: Status
    video_key: str
    new: bool
    reason: str | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def submit(file: Path, tenant: str, settings: Settings, say: Say) -> Outcome:
    """Puts `file` into the tenant's inbox and waits until the sensor and the job are done with it.

    A file whose bytes the tenant already has is not uploaded again; if its first upload is still unfinished, that is waited for.

    Args:
        settings: pinned ones (see `Settings.pinned`).
        say: told each step in a line.

    Raises:
        PermanentError: the tenant's name is not one.
        RejectedUpload: `file` is no readable regular file, or is named like what goes beside a video.
        TransientError: Dagster's daemon could not do its work.
    """
    keys.checked_tenant(tenant)
    _refuse_sidecar(file.name, tenant)
    resources = resources_of(settings)
    library, catalogue = resources["store"].library(), resources["catalogue"].open()
    with scratch_folder(settings.scratch) as folder:
        sha256 = _copy(file, folder / "copy")
        holder = catalogue.holder(tenant, sha256)
        if holder and holder.state is State.DONE:
            return Outcome("done", holder.video_key, False, None, *outputs_of(holder.video_key, library))
        upload_id = holder.upload_id if holder else _put_into_inbox(folder / "copy", file.name, tenant, sha256, library.store)
    say(f"{printable(file.name)} is in inbox/{tenant}/; waiting for the upload sensor.")
    with Sensors(settings) as sensors:
        upload = _wait(upload_id, catalogue, sensors, say)
    status = _STATUS[upload.state]
    video_key = upload.duplicate_of or upload.video_key
    return Outcome(status, video_key, status != "duplicate", upload.reason, *outputs_of(video_key, library))


def outputs_of(video_key: str, library: Library) -> tuple[list[dict[str, Any]], list[str]]:
    """The files of a video, asset by asset in pipeline order, and the assets that it does not have."""
    outputs, missing = [], []
    for asset, kind in DOCUMENTS.items():
        document = library.document(video_key, kind)
        if document is None:
            missing.append(asset)
            continue
        key = library.document_key(video_key, kind)
        written = library.store.read_bytes(key, LONGEST_DOCUMENT)
        files = [(file.key, file.bytes, file.sha256) for file in document.files]
        files.append((key, len(written), hashlib.sha256(written).hexdigest()))
        seconds = document.seconds
        outputs += [{"asset": asset, "key": name, "bytes": size, "sha256": sha256, "seconds": seconds} for name, size, sha256 in files]
    return outputs, missing


def _refuse_sidecar(name: str, tenant: str) -> None:
    """No video ever comes of a sidecar, and so there is nothing to wait for."""
    kind = kind_of(name) or kind_of("".join(_shortened(name)))
    if kind:
        raise RejectedUpload(
            "sidecar",
            f"{printable(name)} belongs to a video: lay it into inbox/{tenant}/ yourself, under the video's key or name, "
            f"as <video key>{kind.ending}.",
        )


def _shortened(name: str) -> tuple[str, str]:
    """What the inbox keeps of the name: stem and ending."""
    return Path(name).stem[:LONGEST_STEM], Path(name).suffix[:20]


def _copy(file: Path, copy: Path) -> str:
    """A private copy, because the store may keep the very bytes that it is given; returns their SHA-256."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # before opening: a pipe would block for ever
            raise RejectedUpload("not_a_file", f"{printable(str(file))} is not a regular file.")
        shutil.copyfile(file, copy)
    except OSError as error:
        raise RejectedUpload("unreadable", f"{printable(str(file))} cannot be read: {error.strerror}.") from error
    with copy.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _put_into_inbox(copy: Path, name: str, tenant: str, sha256: str, store: Store) -> str:
    """Puts the copy under its own name, numbered where that is taken, and returns the upload's id."""
    stem, ending = _shortened(name)
    for number in range(1, 1000):
        key = f"{keys.INBOX}/{tenant}/{stem}{f' ({number})' if number > 1 else ''}{ending}"
        if store.stat(key) is None and store.put_file(
            copy, key, media_type="application/octet-stream", sha256=sha256, only_if_absent=store.supports_conditional
        ):
            found = store.stat(key)
            if found is None:
                break
            return keys.upload_id(key, found.version)
    raise PermanentError(f"inbox/{tenant}/ takes no further file called {printable(name)}: rename this one.")


def _wait(upload_id: str, catalogue: Catalogue, sensors: Sensors, say: Say) -> Upload:
    """Waits for the upload's final state, telling what its runs say meanwhile."""
    news = _News(sensors.instance, upload_id, say)
    while True:
        upload = catalogue.by_upload_id(upload_id)
        if upload:
            news.tell(upload)
            if upload.state in _STATUS:
                return upload
        sensors.keep_running()
        time.sleep(POLL_SECONDS)


class _News:
    """Says once each what the steps of an upload's runs do."""

    def __init__(self, instance: dg.DagsterInstance, upload_id: str, say: Say) -> None:
        self.instance, self.upload_id, self.say = instance, upload_id, say
        self.cursors: dict[str, str] = {}

    def tell(self, upload: Upload) -> None:
        """Says what happened since the last call."""
        for run in reversed(self.instance.get_runs(dg.RunsFilter(tags={UPLOAD_TAG: self.upload_id}))):
            if run.run_id not in self.cursors:
                self.say(f"{upload.video_key}: run {run.run_id[:8]}, attempt {upload.attempt}.")
            news = self.instance.get_records_for_run(run.run_id, cursor=self.cursors.get(run.run_id))
            self.cursors[run.run_id] = news.cursor
            for record in news.records:
                sentence = _sentence(record.event_log_entry)
                if sentence:
                    self.say(f"  {sentence}")


def _sentence(entry: dg.EventLogEntry) -> str | None:
    event = entry.dagster_event
    if event is None:
        is_news = int(entry.level) >= logging.INFO and not entry.user_message.startswith(BOOKKEEPING)
        return entry.user_message if is_news else None
    if event.event_type == dg.DagsterEventType.STEP_START and event.step_key in (*DOCUMENTS, "media"):
        return f"{event.step_key} …"
    if event.event_type == dg.DagsterEventType.STEP_FAILURE:
        return f"{event.step_key} failed."
    return None
