"""The one place where an upload is opened: whether it is a video or sound that the rest may work on, and why not if it isn't."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from videolab_assets.lib import disguises
from videolab_assets.lib.documents import Probe
from videolab_assets.lib.errors import RejectedUpload, TransientError
from videolab_assets.lib.ffmpeg import LARGEST_PICTURE_PIXELS, MOST_STREAMS
from videolab_assets.lib.probe import Facts, PictureFacts, StreamTimes, Unreadable, document_of, probe
from videolab_assets.lib.sandbox import printable
from videolab_assets.lib.trial import try_decoding

HEAD_BYTES = 4096
SPARSE_FROM_BYTES = 1 << 20
LOST_SECONDS = 0.5
LOST_SHARE = 0.02


@dataclass(frozen=True)
class Caps:
    """What an upload may be.

    Attributes:
        bytes: size of the file.
        pixels: width times height as stored; ffmpeg's own limit in `HOSTILE_INPUT` is the same number.
        shortest_side: pixels, as stored and as displayed.
        longest_side: the same.
        seconds: duration by packets.
        shortest_seconds: below it nothing can be made.
        streams: tracks of any kind.
        frame_rate: times `seconds`, the most frames; slow motion may be faster for as long as it is short.
        gap_seconds: the longest time without a packet: whatever fills such a gap at a constant rate fills memory or disk.
    """

    bytes: int = 10 << 30
    pixels: int = LARGEST_PICTURE_PIXELS
    shortest_side: int = 16
    longest_side: int = 8192
    seconds: float = 4 * 3600.0
    shortest_seconds: float = 0.1
    streams: int = MOST_STREAMS
    frame_rate: float = 120.0
    gap_seconds: float = 60.0


@dataclass(frozen=True)
class Admission:
    """An upload that passed. `missing` holds a sentence for each thing that can't be made of it; it is empty with `accept`."""

    verdict: Literal["accept", "accept_partial"]
    probe: Probe
    missing: list[str]


class Refusal:
    """Collects what was found, and refuses with it."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def because(self, code: str, sentence: str) -> NoReturn:
        raise RejectedUpload(code, sentence, self.found)


def admit(path: Path, caps: Caps | None = None) -> Admission:
    """Decide on a private copy of an upload: a plain file, a known container, within the caps, whole, and its first seconds decode.

    Args:
        path: the copy, under a name of ours.
        caps: `Caps()` where left out.

    Raises:
        RejectedUpload: it can never be processed; `found` holds what was measured.
        PermanentError: this machine's ffmpeg does not work, so nothing is known of the file.
        TransientError: the machine failed (no sandbox, no memory, no time), so nothing is known of the file.
    """
    caps, refuse = caps or Caps(), Refusal()
    head = _head_of_plain_file(path, caps, refuse)
    facts = _facts(path, head, caps, refuse)
    missing: list[str] = []
    facts = _usable(facts, caps, refuse, missing)
    for times in (facts.video, facts.audio):
        if times is not None:
            _judge_times(times, caps, refuse)
    document = document_of(facts, path.stat().st_size)
    _judge_span(facts, document, caps, refuse)
    if facts.video is not None:
        _judge_picture(facts.video, document, caps, refuse)
    _judge_whole(facts, refuse)
    trial = try_decoding(path, facts)
    if trial.damaged is not None:
        refuse.found["decoder"] = trial.detail
        refuse.because("damaged", f"The {trial.damaged} of this video is damaged and can't be decoded: export it again and upload that.")
    if document.video is not None:
        document = document.model_copy(update={"video": document.video.model_copy(update={"interlaced": trial.interlaced})})
    return Admission("accept_partial" if missing else "accept", document, missing)


def _head_of_plain_file(path: Path, caps: Caps, refuse: Refusal) -> bytes:
    """The first bytes of a regular, non-empty, dense file within the caps. Never blocks, whatever stands under the name."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.EMLINK):
            refuse.because("not_a_file", "This is a link to another file: upload the video itself.")
        if problem.errno in (errno.ENXIO, errno.EOPNOTSUPP, errno.ENODEV):
            refuse.because("not_a_file", "This is a socket or a device, not a file: upload a video.")
        if problem.errno in (errno.EACCES, errno.EPERM):
            refuse.because("not_readable", "This file may not be read: allow it, or upload it again.")
        raise TransientError("The private copy of this upload could not be opened: try again later.", str(problem)) from problem
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            refuse.because("not_a_file", "This is a folder, a pipe or a device, not a file: upload a video.")
        if not status.st_mode & stat.S_IRUSR:
            # Root reads it all the same, and the sandbox, where root is nobody, does not.
            refuse.because("not_readable", "This file may not be read: allow it, or upload it again.")
        refuse.found["bytes"] = status.st_size
        if status.st_size == 0:
            refuse.because("empty", "This file is empty (0 bytes): the upload did not get through, so upload it again.")
        if status.st_size > caps.bytes:
            refuse.because(
                "too_many_bytes", f"This file has {_gigabytes(status.st_size)}, and at most {_gigabytes(caps.bytes)} are allowed."
            )
        if status.st_size > SPARSE_FROM_BYTES and status.st_blocks * 512 < status.st_size / 2:
            refuse.found["bytes_on_disk"] = status.st_blocks * 512
            refuse.because("sparse", "Most of this file is empty space: the upload did not get through, so upload it again.")
        head = os.pread(descriptor, HEAD_BYTES, 0)
    finally:
        os.close(descriptor)
    refuse.found["starts_with"] = printable(head[:32].decode("latin-1"), 200)
    return head


def _facts(path: Path, head: bytes, caps: Caps, refuse: Refusal) -> Facts:
    """What the prober says of the file; disguises are refused before it, because a playlist is best never opened."""
    disguise = disguises.recognise(head)
    if disguise is not None:
        refuse.because(disguise.code, disguises.sentence(head, disguise))
    try:
        facts = probe(path, most_streams=caps.streams).facts
    except Unreadable as problem:
        if problem.why == "not_media" and _mp4_without_index(path, head):
            refuse.because("incomplete", "The end of this video is missing, and its index with it: upload it again.")
        if problem.why == "not_media":
            refuse.because("not_a_video", disguises.sentence(head))
        refuse.found["reader"] = problem.detail[-2000:]
        refuse.because(problem.why, f"{problem.sentence} Export it again as MP4 and upload that.")
    refuse.found["read"] = facts.model_dump(mode="json", exclude_none=True)
    return facts


def _usable(facts: Facts, caps: Caps, refuse: Refusal, missing: list[str]) -> Facts:
    """The facts without a video stream that never moves, and a sentence for each kind of stream that is missing."""
    if facts.streams > caps.streams:
        refuse.because(
            "too_many_streams",
            f"This file has {facts.streams} tracks, and at most {caps.streams} are allowed: export it with one picture and one sound.",
        )
    still = facts.video is not None and facts.video.packets == 1
    if still:
        facts = facts.model_copy(update={"video": None})
    if facts.video is None and facts.audio is None:
        formats = ", ".join([*facts.unsupported_pictures, *facts.unsupported_sounds])
        if formats:
            refuse.because(
                "format_not_supported", f"VideoLab does not read the format of this file ({formats}): export it as MP4 with H.264 and AAC."
            )
        if still or facts.stills:
            refuse.because("picture", "This file holds a single picture: upload a video or sound.")
        refuse.because("no_picture_or_sound", "This file holds neither picture nor sound: upload a video or sound.")
    if facts.video is None:
        why = f" that VideoLab reads ({', '.join(facts.unsupported_pictures)})" if facts.unsupported_pictures else ""
        missing.append(f"This file has no moving picture{why}, so there is no proxy, thumbnail, storyboard or shot list.")
    if facts.audio is None:
        why = f" that VideoLab reads ({', '.join(facts.unsupported_sounds)})" if facts.unsupported_sounds else ""
        missing.append(f"This file has no sound{why}, so there is no audio, waveform, transcript or subtitles.")
    return facts


def _judge_times(times: StreamTimes, caps: Caps, refuse: Refusal) -> None:
    if times.longest_gap > caps.gap_seconds:
        _refuse_gap(times.longest_gap, caps, refuse)
    if isinstance(times, PictureFacts) and times.packets > caps.seconds * caps.frame_rate:
        refuse.because(
            "too_many_frames", f"This video has {times.packets} frames, and at most {caps.seconds * caps.frame_rate:.0f} are allowed."
        )


def _judge_span(facts: Facts, document: Probe, caps: Caps, refuse: Refusal) -> None:
    if facts.video is not None and facts.audio is not None and abs(facts.video.start - facts.audio.start) > caps.gap_seconds:
        _refuse_gap(abs(facts.video.start - facts.audio.start), caps, refuse)
    if document.duration > caps.seconds:
        refuse.because(
            "too_long",
            f"This lasts {_clock(document.duration)}, and the longest allowed is {_clock(caps.seconds)}: cut it and upload the parts.",
        )
    if document.duration < caps.shortest_seconds:
        refuse.because("too_short", f"This lasts {document.duration:.2f} seconds, which is too short to make anything of.")


def _refuse_gap(seconds: float, caps: Caps, refuse: Refusal) -> NoReturn:
    refuse.because(
        "gap",
        f"This video has a gap of {_clock(seconds)} without picture or sound; {_clock(caps.gap_seconds)} are allowed: export it again.",
    )


def _judge_picture(picture: PictureFacts, document: Probe, caps: Caps, refuse: Refusal) -> None:
    """Sizes 0x0 pass: a header without a size says nothing, and the decoder will."""
    shapes = [(picture.coded_width, picture.coded_height)]
    if document.video is not None:
        shapes.append((document.video.width, document.video.height))
    if 0 in shapes[0]:
        return
    for width, height in shapes:
        if min(width, height) < caps.shortest_side:
            refuse.because("too_small", f"The picture is {width}x{height} pixels, and each side needs at least {caps.shortest_side}.")
        if max(width, height) > caps.longest_side:
            refuse.because(
                "too_many_pixels",
                f"The picture is {width}x{height} pixels, and each side may have at most {caps.longest_side}: export it smaller.",
            )
    width, height = shapes[0]
    if width * height > caps.pixels:
        refuse.because(
            "too_many_pixels", f"The picture is {width}x{height} pixels, and at most {caps.pixels} in all are allowed: export it smaller."
        )


def _judge_whole(facts: Facts, refuse: Refusal) -> None:
    """Compare what was read with what a trustworthy header declares: ffmpeg takes half a file for a short one, and exits with 0.

    An MP4's movie header is not asked (it may claim 49 days over healthy tracks), and transport streams declare nothing.
    """
    for stream in (facts.video, facts.audio):
        if stream is None or stream.clock_jumps:
            continue
        declared, read = None, stream.end - stream.start
        if facts.container in ("mov", "flac") or (facts.container == "avi" and stream is facts.video):
            declared = stream.declared
        elif facts.container == "matroska":
            declared = facts.declared
            read = max(facts.end_of_others, *(used.end for used in (facts.video, facts.audio) if used is not None), 0.0)
        if declared is not None and declared - read > max(LOST_SECONDS, LOST_SHARE * declared):
            refuse.because(
                "incomplete",
                f"Only {_clock(read)} of {_clock(declared)} are in this file, so the upload broke off or it is damaged: upload it again.",
            )


def _mp4_without_index(path: Path, head: bytes) -> bool:
    """Whether this is an MP4 that ends before its index, as an interrupted upload does."""
    if head[4:8] != b"ftyp":
        return False
    with path.open("rb") as file:
        size, at = path.stat().st_size, 0
        for _ in range(64):
            file.seek(at)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if header[4:8] == b"moov":
                return False
            at += length
            if length < 8 or at >= size:
                return True
    return False


def _clock(seconds: float) -> str:
    """A length of time in words, in the two largest units that say something."""
    if seconds < 60:
        return f"{seconds:.1f} seconds"
    units = (("year", 31_557_600), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
    parts, left = [], round(seconds)
    for name, length in units:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {name if count == 1 else name + 's'}")
    return " ".join(parts[:2])


def _gigabytes(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"
