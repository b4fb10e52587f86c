"""Small files that a person lays into the inbox for a video, named after it: corrected subtitles, a wish for its summary, orders for its
clips, and an edited timeline of them.

What becomes of them is decided in `videolab_assets.lib.amendments`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import upload_id
from videolab_assets.lib.store import StoreObject
from videolab_assets.lib.subtitles import read_srt
from videolab_assets.lib.subtitles.srt import LONGEST_SRT_BYTES

CORRECTED_SUBTITLES = "corrected.srt"
"""In a video's folder: the subtitles that a person put in place of the machine's, byte for byte."""

SUMMARY_PROMPT = "summary.prompt.txt"
"""In a video's folder: what a person wishes of its summary."""

CLIP_ORDERS = "clips.yaml"
"""In a video's folder: what a person orders for its clips; from the launchpad it is written by us."""

EDITED_TIMELINE = "clips.otio"
"""In a video's folder: its clips as a person edited them, byte for byte."""

LONGEST_PROMPT = 16 * 1024
LONGEST_ORDERS = 64 * 1024
LONGEST_TIMELINE = 4 * 1024**2

Job = Literal["amend_video", "replan_clips"]


@dataclass(frozen=True)
class Measured:
    """What content is checked against: the video's sound or its picture, whichever the kind of sidecar belongs to.

    Attributes:
        duration: seconds; infinite where the kind needs none.
        frame_rate: frames a second; 0 for sound.
    """

    video_key: str
    duration: float
    frame_rate: float = 0.0


@dataclass(frozen=True)
class Kind:
    """One kind of sidecar.

    Attributes:
        ending: how its name in the inbox ends, in lower case.
        library_name: what it is called in the video's folder.
        media_type: for the store.
        longest: bytes.
        check: raises PermanentError if the content cannot be used.
        needs: what the check needs to be measured. Content of a kind that needs nothing is taken in before the video has passed the gate,
            so that its first run follows it for certain.
        job: makes what follows from it.
    """

    ending: str
    library_name: str
    media_type: str
    longest: int
    check: Callable[[bytes, Measured], object]
    needs: Literal["sound", "picture"] | None
    job: Job


def _check_prompt(data: bytes, _: Measured) -> None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PermanentError("The wish for the summary is not UTF-8 text: save it as UTF-8.", str(error)) from error
    if "\0" in text or not text.strip():
        raise PermanentError("The wish for the summary holds no text: write in it what the summary is to be like.")


def _check_subtitles(data: bytes, sound: Measured) -> None:
    read_srt(data, duration=sound.duration)


def _check_orders(data: bytes, picture: Measured) -> None:
    from videolab_assets.lib.clips.orders import read_orders

    read_orders(data, picture.duration)


def _check_timeline(data: bytes, picture: Measured) -> None:
    from videolab_assets.lib.clips.timeline import read_timeline

    read_timeline(data, picture.video_key, picture.duration, picture.frame_rate)


KINDS = (
    Kind(".srt", CORRECTED_SUBTITLES, "application/x-subrip", LONGEST_SRT_BYTES, _check_subtitles, "sound", "amend_video"),
    Kind(".prompt.txt", SUMMARY_PROMPT, "text/plain; charset=utf-8", LONGEST_PROMPT, _check_prompt, None, "amend_video"),
    Kind(".clips.yaml", CLIP_ORDERS, "application/yaml", LONGEST_ORDERS, _check_orders, "picture", "replan_clips"),
    Kind(".otio", EDITED_TIMELINE, "application/vnd.otio+json", LONGEST_TIMELINE, _check_timeline, "picture", "replan_clips"),
)


@dataclass(frozen=True)
class Sidecar:
    """One sidecar in the inbox, in one version.

    Attributes:
        tenant: whose it is.
        stem: its name below the tenant's folder, folders included, without the kind's ending.
    """

    found: StoreObject
    kind: Kind
    tenant: str
    stem: str

    @property
    def sidecar_id(self) -> str:
        """64 hex digits: this object in this version."""
        return upload_id(self.found.key, self.found.version)

    @property
    def name(self) -> str:
        """The stem without folders: a video's key, or the name of what was uploaded."""
        return self.stem.rpartition("/")[2]


def kind_of(name: str) -> Kind | None:
    """The kind of sidecar that a file of that name is; None for an upload."""
    return next((kind for kind in KINDS if name.lower().endswith(kind.ending)), None)


def sidecar_of(found: StoreObject) -> Sidecar | None:
    """The sidecar that an object of a tenant's inbox is; None for an upload."""
    kind = kind_of(found.key)
    if kind is None:
        return None
    _, tenant, path = found.key.split("/", 2)
    return Sidecar(found, kind, tenant, path[: -len(kind.ending)])
