"""What becomes of the sidecars in the inbox: taken into the library, refused or left, and the runs that follow them.

    inbox ── whose video? ── content checked ── library ── a run asked for, once the video's own has ended ── inbox emptied

Each step may be the last one before a crash. The inbox object goes last, when a run for it has ended by itself, so a repetition finds
it again and asks for the very same run, and for another one where that was killed. What cannot be used moves to `rejected/` with the
reason beside it.
"""

import enum
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from videolab_assets.lib.catalogue import UNFINISHED, Catalogue, State, Upload
from videolab_assets.lib.documents import Audio, MediaStream, Shots, SourceVideo
from videolab_assets.lib.errors import PermanentError, RejectedUpload, TransientError, VideoLabError
from videolab_assets.lib.inbox import read_small
from videolab_assets.lib.ingest import move_to_rejected, shown_name
from videolab_assets.lib.keys import VIDEO_KEY_PATTERN, library_key, slug, tenant_of
from videolab_assets.lib.library import Library, kept_name
from videolab_assets.lib.sidecars import Job, Measured, Sidecar
from videolab_assets.lib.store import ObjectMissing, Store

GRACE_SECONDS = 600.0
"""A sidecar may be there before its video; after so long without one it is refused."""

MOST_CONSIDERED = 1000
"""Sidecars a look; each costs a query or two."""

MOST_HANDLED = 50
"""Sidecars read or moved in a look, so that it ends well within the sensor's time limit."""

MAY_BE_SHORTER = 1.0
"""Seconds by which the sound or the picture that is taken out of a video may fall short of what its packets promise."""


class Course(enum.Enum):
    """How far a run for a sidecar got, in the words that matter here."""

    UNDER_WAY = "queued or at work"
    OVER = "ended by itself, well or badly, or stopped by a person"
    KILLED = "ended by something else than itself"


@dataclass(frozen=True)
class AmendRun:
    """The latest run for a sidecar.

    Attributes:
        attempt: which of the sidecar's attempts it is, from 1.
    """

    video_key: str
    attempt: int
    course: Course


@dataclass(frozen=True)
class Amending:
    """What is known of the runs that sidecars ask for.

    Attributes:
        latest: the latest run of each sidecar asked about that has one, by the sidecar's id.
        busy: the keys of all videos that such a run is queued for or at work on, each as often as it has one.
    """

    latest: Mapping[str, AmendRun] = field(default_factory=dict)
    busy: Collection[str] = ()


@dataclass(frozen=True)
class Amendment:
    """A run of `job` to start that follows a sidecar; asking twice for the same `run_key` starts one."""

    sidecar_id: str
    video_key: str
    job: Job
    attempt: int = 1

    @property
    def run_key(self) -> str:
        return f"{self.sidecar_id}:amend:{self.attempt}"


@dataclass
class Attended:
    """What became of the inbox's sidecars. Sentences in `notes` are for the log."""

    amendments: list[Amendment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    waiting: int = 0


def attend(
    sidecars: Sequence[Sidecar],
    coming: Collection[tuple[str, str]],
    store: Store,
    catalogue: Catalogue,
    amending: Callable[[Sequence[str]], Amending],
    most_amending: int,
    most_new: int,
    most_attempts: int,
    now: float,
) -> Attended:
    """Takes in, refuses or leaves each of the sidecars, and sees the runs through that were asked for.

    Of several for one video and purpose the newest counts. A video's runs follow one another, because an earlier one that ended last
    would undo a later correction.

    Args:
        sidecars: whole ones, of tenants' inboxes.
        coming: tenant and stem of what is in the inbox or being copied there, and not known to the catalogue yet.
        amending: looks up the runs of sidecars, by their ids.
        most_amending: runs for sidecars that may be queued or at work at once.
        most_new: runs to ask for in this look.
        most_attempts: runs for one sidecar before it is given up.
        now: epoch seconds.
    """
    attended = Attended()
    here = [sidecar for sidecar in sidecars if (sidecar.tenant, sidecar.stem) not in coming]
    attended.waiting += len(sidecars) - len(here)
    if not here:
        return attended
    newest = sorted(here, key=lambda sidecar: (sidecar.found.modified, sidecar.found.key), reverse=True)[:MOST_CONSIDERED]
    runs = amending([sidecar.sidecar_id for sidecar in newest])
    room = min(most_new, most_amending - len(runs.busy))
    desk = _Desk(Library(store), catalogue, set(runs.busy), room, most_attempts, now, attended)
    for sidecar in newest:
        desk.attend(sidecar, runs.latest.get(sidecar.sidecar_id))
    return attended


@dataclass
class _Desk:
    """One look's work.

    Attributes:
        room: runs that may still be asked for.
        most_attempts: runs for one sidecar before it is given up.
        strength: sidecars that may still be read or moved; what is over waits for the next look.
        served: for each video and kind that a newer sidecar is there for, whether that one is in the library.
    """

    library: Library
    catalogue: Catalogue
    busy: set[str]
    room: int
    most_attempts: int
    now: float
    attended: Attended
    strength: int = MOST_HANDLED
    served: dict[tuple[str, str], bool] = field(default_factory=dict)

    def attend(self, sidecar: Sidecar, run: AmendRun | None) -> None:
        try:
            if run is not None:
                is_dealt_with = self._see_through(sidecar, run)
            else:
                upload = self._video_of(sidecar)
                is_dealt_with = upload is not None and self._take(sidecar, upload)
            if not is_dealt_with:
                self.attended.waiting += 1
        except ObjectMissing:
            return  # a person changed their mind
        except TransientError as error:
            self._leave(sidecar, error)
        except PermanentError as error:
            self._refuse(sidecar, error if isinstance(error, RejectedUpload) else RejectedUpload("unusable", error.sentence))

    def _see_through(self, sidecar: Sidecar, run: AmendRun) -> bool:
        """Empties the inbox of a sidecar whose run is over, and asks for another one where it was killed; returns whether it did either.

        What the sidecar holds has been in the library since its first run was asked for, and the video is the one of that run, even
        where another one has got the same name since.
        """
        self.served[run.video_key, sidecar.kind.library_name] = True
        if run.course is Course.UNDER_WAY:
            return False
        if run.course is Course.KILLED and run.attempt < self.most_attempts:
            upload = self.catalogue.by_video_key(run.video_key)
            is_made_anew = upload is not None and upload.state in UNFINISHED
            return not is_made_anew and self._ask(Amendment(sidecar.sidecar_id, run.video_key, sidecar.kind.job, run.attempt + 1))
        if run.course is Course.KILLED:
            self.attended.notes.append(
                f"{shown_name(sidecar.found.key)} left the inbox: {run.attempt} runs for it were killed. "
                f"It is in the library: to follow it, start {sidecar.kind.job} for {run.video_key}."
            )
        self.library.store.delete(sidecar.found.key, sidecar.found.version)
        return True

    def _ask(self, amendment: Amendment) -> bool:
        """Asks for a run if its video has no other one and there is room; returns whether it did."""
        if amendment.video_key in self.busy or self.room <= 0:
            return False
        self.attended.amendments.append(amendment)
        self.busy.add(amendment.video_key)
        self.room -= 1
        return True

    def _video_of(self, sidecar: Sidecar) -> Upload | None:
        """The upload that the sidecar is named after, of a duplicate the first one; None while there may still come one.

        Raises:
            RejectedUpload: there is none, or no single one.
        """
        is_key = VIDEO_KEY_PATTERN.fullmatch(sidecar.name) is not None
        is_own_key = is_key and tenant_of(sidecar.name) == sidecar.tenant
        if is_own_key and (upload := self.catalogue.by_video_key(sidecar.name)):
            first = self.catalogue.by_video_key(upload.duplicate_of) if upload.duplicate_of else None
            return first or upload
        named = self.catalogue.named(sidecar.tenant, sidecar.stem)
        living = [upload for upload in named if upload.state not in (State.FAILED, State.REJECTED)]
        if len(living) == 1:
            return living[0]
        if any(upload.state is State.QUEUED for upload in living):
            return None  # it may turn out to be the same bytes as another, or no video at all
        if living:
            listed = ", ".join(upload.video_key for upload in living)
            raise RejectedUpload("ambiguous", f"Several videos were uploaded under this name: name the file after one of {listed}.")
        if not is_key and abs(self.now - sidecar.found.modified) < GRACE_SECONDS:
            return None
        if named:
            return named[0]
        if is_key and not is_own_key:
            raise RejectedUpload(
                "other_tenant", f"{sidecar.name} is no video of {sidecar.tenant}: lay the file into its own tenant's inbox."
            )
        ending = sidecar.kind.ending
        raise RejectedUpload("no_such_video", f"There is no video to go with it: name the file after the video's key, <video key>{ending}.")

    def _take(self, sidecar: Sidecar, upload: Upload) -> bool:
        """Brings the sidecar into the library and asks for its run, as far as both can be now; returns whether it did the latter.

        Raises:
            RejectedUpload: the video or a newer sidecar leaves no use for it.
            PermanentError: its content cannot be used.
        """
        video_key, kind = upload.video_key, sidecar.kind
        place = (video_key, kind.library_name)
        if self.served.get(place):
            raise RejectedUpload("superseded", f"A newer file of the same kind was put there for {video_key}: that one is used.")
        if place in self.served:
            return False
        running = upload.state in UNFINISHED
        later = running or video_key in self.busy
        self.served[place] = later and self._seems_taken(sidecar, video_key)
        if self.served[place] or not (later or self.room > 0):
            return False
        measured = self._picture(upload) if kind.needs == "picture" else self._sound(upload)
        if measured is None and kind.needs:
            return False
        data = self._read(sidecar)
        if data is None:
            return False
        try:
            kind.check(data, measured or Measured(video_key, math.inf))
        except PermanentError:
            if running and kind.needs:
                return False  # how long it is, is not known for certain before it has been taken out of the video
            raise
        if not self._replaced_since(sidecar, video_key, data):
            self.library.replace_bytes(video_key, kind.library_name, data, kind.media_type)
        self.served[place] = True
        return not later and self._ask(Amendment(sidecar.sidecar_id, video_key, kind.job))

    def _seems_taken(self, sidecar: Sidecar, video_key: str) -> bool:
        """Whether an earlier look wrote it, judged by size and time: cheap enough for every look while another run goes on.

        The look that asks for its run compares the bytes.
        """
        kept = self.library.store.stat(library_key(video_key, sidecar.kind.library_name))
        return kept is not None and kept.bytes == sidecar.found.bytes and kept.modified > sidecar.found.modified

    def _replaced_since(self, sidecar: Sidecar, video_key: str, data: bytes) -> bool:
        """Whether an earlier look wrote it and a person's orders from the launchpad came on top of it while it waited for its run."""
        replaced = self.library.store.stat(library_key(video_key, kept_name(sidecar.kind.library_name, data)))
        return replaced is not None and replaced.modified > sidecar.found.modified

    def _sound(self, upload: Upload) -> Measured | None:
        """The video's sound, rather too short than too long; None while nothing of it is known.

        Raises:
            RejectedUpload: it has no sound, or nothing was made of the upload.
        """
        sound = self.library.document(upload.video_key, Audio)
        if sound is not None:
            return Measured(upload.video_key, sound.duration)
        source = self._source(upload)
        promised = source.probe.audio if source else None
        if upload.state is State.DONE or (source and not promised):
            raise RejectedUpload("no_sound", f"{upload.video_key} has no sound, and so neither subtitles nor a summary.")
        return Measured(upload.video_key, _at_least(promised)) if promised else None

    def _picture(self, upload: Upload) -> Measured | None:
        """The video's picture, likewise.

        Raises:
            RejectedUpload: it has no picture, or nothing was made of the upload.
        """
        picture = self.library.document(upload.video_key, Shots)
        if picture is not None:
            return Measured(upload.video_key, picture.duration, picture.frame_rate)
        source = self._source(upload)
        promised = source.probe.video if source else None
        if promised:
            return Measured(upload.video_key, _at_least(promised), promised.frame_rate)
        if source or upload.state is State.DONE:
            raise RejectedUpload("no_picture", f"{upload.video_key} has no picture, and so no clips.")
        return None

    def _source(self, upload: Upload) -> SourceVideo | None:
        """What the gate found in a video of which no more is known yet."""
        if upload.state in (State.FAILED, State.REJECTED):
            raise RejectedUpload(
                "failed_video", f"Nothing was made of its video {upload.video_key}: {upload.reason or 'its upload failed.'}"
            )
        return self.library.document(upload.video_key, SourceVideo)

    def _read(self, sidecar: Sidecar) -> bytes | None:
        """Its bytes; None when it changed since it was listed, or at the look's end."""
        if self.strength <= 0:
            return None
        self.strength -= 1
        return read_small(self.library.store, sidecar.found, sidecar.kind.longest)

    def _refuse(self, sidecar: Sidecar, rejection: RejectedUpload) -> None:
        found = sidecar.found
        if self.strength <= 0:
            self.attended.waiting += 1
            return
        self.strength -= 1
        name = f"{slug(found.key)}.{sidecar.sidecar_id[:8]}"
        try:
            key = move_to_rejected(self.library.store, sidecar.tenant, name, found.key, found.version, rejection)
        except VideoLabError as error:
            self._leave(sidecar, error)
            return
        self.attended.notes.append(f"{shown_name(found.key)} went to {key.removesuffix('.json')}: {rejection.sentence}")

    def _leave(self, sidecar: Sidecar, error: VideoLabError) -> None:
        self.attended.waiting += 1
        self.attended.notes.append(f"{shown_name(sidecar.found.key)} stays in the inbox: {error.sentence}")


def _at_least(promised: MediaStream) -> float:
    return promised.duration - MAY_BE_SHORTER
