"""What is made of the frames and samples of a video: six documents and their files, from one decode."""

import time
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, get_args

from videolab_assets.lib.decode import Decoded, decode
from videolab_assets.lib.documents import (
    DOCUMENTS,
    Audio,
    Document,
    MediaStream,
    Probe,
    Proxy,
    Shots,
    SourceVideo,
    StoredFile,
    Storyboard,
    Thumbnail,
    Waveform,
)
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.graph import FROM_PICTURE, LONGEST_GAP, PROXY_CRF, PROXY_PRESET, SPEECH_RATE, longest_kept_gap
from videolab_assets.lib.library import Library
from videolab_assets.lib.pipes import Progress
from videolab_assets.lib.probe import probe
from videolab_assets.lib.recipe import recipe
from videolab_assets.lib.scratch import scratch_folder

Some = TypeVar("Some")

MediaAsset = Literal["proxy", "audio", "waveform", "thumbnail", "storyboard", "shots"]
MEDIA_ASSETS: tuple[MediaAsset, ...] = get_args(MediaAsset)

CODE_VERSIONS: dict[MediaAsset, str] = {
    "proxy": f"1-{PROXY_PRESET}-crf{PROXY_CRF}",
    "audio": "1",
    "waveform": "1",
    "thumbnail": "1",
    "storyboard": "1",
    "shots": "1",
}
"""Raised by hand when the code makes something else of the same source; part of each recipe."""


LOST_SECONDS = 0.5
"""A proxy whose picture, or a sound that, ends earlier than its source's by more is incomplete; the check is stricter and only warns."""


@dataclass(frozen=True)
class Made:
    """The documents that now exist, and which of them were found rather than made."""

    documents: dict[MediaAsset, Document]
    found: frozenset[MediaAsset]


def absence(asset: MediaAsset, found: Probe) -> str | None:
    """Why `asset` cannot exist for a file with these streams; None when it can."""
    if asset in FROM_PICTURE:
        return None if found.video else "This file holds sound only: it has no picture."
    return None if found.audio else "This video has no sound."


def make(library: Library, source: SourceVideo, wanted: Set[MediaAsset], scratch: Path, *, progress: Progress | None = None) -> Made:
    """Makes what is wanted of a video and not there yet, in one decode, and publishes its files.

    The documents are returned, not written: a document is what says that its files are whole, so it is written last.

    Args:
        library: where files are looked for and published.
        source: the accepted original.
        wanted: assets that the source can give (see `absence`).
        scratch: folder to make a private work folder in.
        progress: told the seconds of video decoded so far.

    Raises:
        PermanentError: the file is damaged beyond use.
        TransientError: the machine failed.
    """
    recipes = {asset: recipe(asset=asset, code=CODE_VERSIONS[asset], source=source.sha256) for asset in wanted}
    found = {asset: document for asset in wanted if (document := library.made(source.video_key, DOCUMENTS[asset], recipes[asset]))}
    missing = wanted - found.keys()
    if not missing:
        return Made(found, frozenset(found))
    started = time.monotonic()
    with scratch_folder(scratch) as folder:
        work = folder / "work"
        work.mkdir()
        with library.store.local(source.source_key, folder) as original:
            decoded = decode(original, source.probe, missing, work, progress=progress)
        publisher = _Publisher(library, source, decoded, work)
        drafts = {asset: getattr(publisher, asset)() for asset in MEDIA_ASSETS if asset in missing}
    seconds = round(time.monotonic() - started, 3)
    made = {asset: draft.model_copy(update={"recipe": recipes[asset], "seconds": seconds}) for asset, draft in drafts.items()}
    return Made({**found, **made}, frozenset(found))


class _Publisher:
    """Turns one decode into files in the store: a method for each asset, named after it."""

    def __init__(self, library: Library, source: SourceVideo, decoded: Decoded, work: Path) -> None:
        self.library, self.source, self.decoded, self.work = library, source, decoded, work

    def _bytes(self, name: str, data: bytes, media_type: str) -> StoredFile:
        return self.library.add_bytes(self.source.video_key, name, data, media_type)

    def proxy(self) -> Proxy:
        """Checks the encode before it counts: ffmpeg's exit code says nothing about a file that ends early."""
        path, plan = _there(self.decoded.proxy), _there(self.decoded.plan)
        read = probe(path)
        made, sound, picture = read.probe, read.facts.audio, read.facts.video
        video = made.video
        if video is None or picture is None or (video.width, video.height) != (plan.width, plan.height):
            raise TransientError("The proxy came out wrong; it is made again.", f"{made.model_dump_json()} where {plan} was planned")
        self._refuse_loss("picture", self.source.probe.video, video.end, max(LOST_SECONDS, 3 / float(plan.frame_rate)))
        return Proxy(
            width=video.width,
            height=video.height,
            frame_rate=round(video.frame_rate, 3),
            duration=made.duration,
            bit_rate=made.bit_rate,
            audio_video_offset=round(sound.start - picture.start, 4) if sound else 0.0,
            files=[self.library.add_file(self.source.video_key, path, "video/mp4")],
        )

    def _refuse_loss(self, name: str, stream: MediaStream | None, end: float, allowed: float = LOST_SECONDS) -> None:
        """Compares where a stream ends, as made and in the source: each by itself, because the other may well last longer.

        A source whose clock jumps back a little is not judged: what is missing may be gaps that had to be closed.
        """
        whole = _there(stream).end
        if whole - end > allowed and longest_kept_gap(self.source.probe) >= LONGEST_GAP:
            raise PermanentError(
                f"Only {end:.1f} of the {whole:.1f} s of this file's {name} could be decoded: the rest is damaged. "
                "Export it again and upload that."
            )

    def audio(self) -> Audio:
        seconds = self.decoded.samples / SPEECH_RATE
        self._refuse_loss("sound", self.source.probe.audio, seconds)
        return Audio(
            duration=seconds,
            sample_rate=SPEECH_RATE,
            loudness=self.decoded.loudness,
            peak=self.decoded.peak,
            files=[self.library.add_file(self.source.video_key, _there(self.decoded.audio), "audio/flac")],
        )

    def waveform(self) -> Waveform:
        peaks = _there(self.decoded.waveform).finish()
        files = [
            self._bytes("peaks.json", peaks.json_bytes(), "application/json"),
            self._bytes("waveform.png", peaks.png_bytes(), "image/png"),
        ]
        return Waveform(
            duration=self.decoded.samples / SPEECH_RATE, samples_per_pixel=peaks.samples_per_pixel, length=peaks.length, files=files
        )

    def thumbnail(self) -> Thumbnail:
        chosen = _there(self.decoded.stills).thumbnail()
        return Thumbnail(
            time=chosen.time,
            width=chosen.width,
            height=chosen.height,
            score=chosen.score,
            contrast=chosen.contrast,
            faces=chosen.faces,
            files=[self._bytes("thumbnail.jpg", chosen.jpeg, "image/jpeg")],
        )

    def storyboard(self) -> Storyboard:
        sheet = _there(self.decoded.stills).storyboard()
        files = [self._bytes("storyboard.jpg", sheet.jpeg, "image/jpeg"), self._bytes("storyboard.vtt", sheet.vtt.encode(), "text/vtt")]
        return Storyboard(**sheet.layout, files=files)

    def shots(self) -> Shots:
        detected = _there(self.decoded.shots)
        return Shots(frame_rate=float(_there(self.decoded.plan).frame_rate), duration=detected.duration, shots=detected.shots)


def _there(value: Some | None) -> Some:
    if value is None:
        raise AssertionError("decode made less than it was asked for")
    return value
