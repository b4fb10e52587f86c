"""A clip plan as an OpenTimelineIO timeline, for an editor to open, and an edited one as the clips that a person wants.

What comes back is read by `json_text` and held against the few schemas that matter here: OpenTimelineIO's own parser, which is C++ and
was not written for hostile files, never sees it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn
from urllib.parse import unquote

from videolab_assets.lib.clips.orders import END_SLACK, MOST_FIXED
from videolab_assets.lib.clips.plan import Fixed
from videolab_assets.lib.clips.rules import LONGEST_CLIP, SHORTEST_CLIP
from videolab_assets.lib.documents import Clip, ClipPlan
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.graph import RATES, constant_rate
from videolab_assets.lib.json_text import Placed, read_json
from videolab_assets.lib.sidecars import LONGEST_TIMELINE
from videolab_assets.lib.yaml_text import clock

LARGEST_TIME = 1e12
HIGHEST_RATE = 1e6
LONGEST_TITLE = 100
OURS = "videolab"
"""The name in OpenTimelineIO's metadata under which ours stands."""

_VERSIONS = {"Clip": ("1", "2")}
"""Of the schemas read here, where there is more than the first."""

_ITEMS = ("Clip", "Gap", "Transition")
_REFERENCES = ("ExternalReference", "MissingReference")


def to_otio(plan: ClipPlan, video_key: str, uri: str, name: str) -> str:
    """OpenTimelineIO JSON: one video track with the plan's clips, the best first, each on the frames of the source that it plays.

    Args:
        plan: the plan.
        video_key: noted with each clip, so that the timeline is known again.
        uri: where the original is.
        name: what the original was called when it was uploaded.
    """
    import opentimelineio as otio

    rate = constant_rate(plan.frame_rate)

    def stretch(first: int, end: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(otio.opentime.RationalTime(first, float(rate)), otio.opentime.RationalTime(end - first, float(rate)))

    def item(clip: Clip) -> otio.schema.Clip:
        first, end = round(clip.start * rate), round(clip.end * rate)
        source = otio.schema.ExternalReference(uri, stretch(0, frames), {OURS: {"video_key": video_key}})
        source.name = name
        made = otio.schema.Clip(clip.title, source, stretch(first, end), metadata={OURS: _noted(clip, video_key)})
        made.markers.append(otio.schema.Marker(clip.reason, stretch(first, first), otio.schema.MarkerColor.GREEN))
        return made

    frames = max([round(plan.duration * rate), *(round(clip.end * rate) for clip in plan.clips)])
    track = otio.schema.Track("Clips", kind=otio.schema.TrackKind.Video)
    track.extend([item(clip) for clip in plan.clips])
    timeline = otio.schema.Timeline(name, metadata={OURS: {"video_key": video_key, "rules_version": plan.rules_version}})
    timeline.tracks.append(track)
    return str(timeline.to_json_string(indent=1))


def _noted(clip: Clip, video_key: str) -> dict[str, Any]:
    parts = {name: part for name, part in clip.parts if part is not None}
    told = {"score": clip.score, "parts": parts, "reason": clip.reason, "title": clip.title, "origin": clip.origin}
    return {"video_key": video_key, "clip_id": clip.clip_id, **told}


def read_timeline(data: bytes, video_key: str, duration: float, frame_rate: float) -> list[Fixed]:
    """The clips of an edited timeline in its order, on the source's frames, in seconds.

    All enabled clips of all enabled video tracks count, by where they stand in time; gaps, transitions and sound tracks do not. Rates are
    converted; where an editor counts the source's time from its time code, that is taken off. An end up to a second after the video's is
    moved back to it.

    Args:
        data: OpenTimelineIO JSON.
        video_key: the video that every clip has to be of, by its metadata or by where its media lies.
        duration: seconds of the video's picture; infinite where it is not known.
        frame_rate: frames a second of the plan.

    Raises:
        PermanentError: it is no timeline of this video, or asks for what cannot be made of it; the sentence names the line, what stands
            there and what was expected.
    """
    root = read_json(data, longest=LONGEST_TIMELINE, what="timeline")
    clips = _Reader(video_key, duration, constant_rate(frame_rate)).clips(root)
    if len(clips) > MOST_FIXED:
        raise PermanentError(f"This timeline has {len(clips)} clips, and at most {MOST_FIXED} were expected.")
    if not clips:
        raise PermanentError("This timeline has no clip in a video track, and at least one was expected.")
    return clips


def _refuse(line: int, found: str, expected: str) -> NoReturn:
    raise PermanentError(f"Line {line}: {found}, and {expected} was expected.")


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else repr(str(value.get("OTIO_SCHEMA", "{ }"))[:60])
    return "nothing" if value is None else repr(value)[:60]


@dataclass(frozen=True)
class _Reader:
    """Reads one timeline; what it must fit is known."""

    video_key: str
    duration: float
    rate: Fraction

    def clips(self, root: Any) -> list[Fixed]:
        if not isinstance(root, Placed):
            _refuse(1, f"{_shown(root)} stands there", "an OpenTimelineIO timeline")
        _of_schema(root, root.line, "Timeline")
        stack = _inner(root, "tracks", "Stack")
        found: list[tuple[Fraction, int, Fixed]] = []
        for number, track in enumerate(_children(stack, ("Track",))):
            if _enabled(track) and track.get("kind", "Video") == "Video":
                found += [(at, number, clip) for at, clip in self._track(track)]
        each_once: dict[tuple[float, float], Fixed] = {}
        for _, _, clip in sorted(found, key=lambda one: one[:2]):
            each_once.setdefault((clip.start, clip.end), clip)
        return list(each_once.values())

    def _track(self, track: Placed) -> Iterator[tuple[Fraction, Fixed]]:
        """The track's clips, each with where it stands in the track, in seconds."""
        at = Fraction(0)
        for item in _children(track, _ITEMS):
            if item["OTIO_SCHEMA"].startswith("Transition"):
                continue
            start, length = self._stretch(item)
            if item["OTIO_SCHEMA"].startswith("Clip") and _enabled(item):
                yield at, self._clip(item, start, length)
            at += length
        if track.get("source_range") is not None:
            first, shown = _range(track, "source_range")
            if first > 0 or shown < at:
                _refuse(track.line_of("source_range"), "the track is trimmed as a whole", "a track of which the clips are trimmed")

    def _stretch(self, item: Placed) -> tuple[Fraction, Fraction]:
        """Start in the source and length, in seconds."""
        media = _media(item) if item["OTIO_SCHEMA"].startswith("Clip") else None
        available = _range(media, "available_range") if media and media.get("available_range") is not None else None
        if item.get("source_range") is not None:
            start, length = _range(item, "source_range")
        elif available:
            start, length = available
        else:
            _refuse(item.line, "there are no times", "a source_range")
        return start - available[0] if available else start, length

    def _clip(self, clip: Placed, start: Fraction, length: Fraction) -> Fixed:
        media = _media(clip)
        self._check_video(clip, media)
        _check_speed(clip)
        line, half = clip.line_of("source_range"), 1 / (2 * self.rate)
        if start < -half or start >= self.duration:
            _refuse(line, f"the clip starts at {_told(start)}", f"a time within the video, which ends at {clock(self.duration)},")
        if start + length > self.duration + END_SLACK:
            _refuse(line, f"the clip ends at {_told(start + length)}", f"a time up to the video's end at {clock(self.duration)}")
        first, end = self._on_frame(max(start, Fraction(0))), self._on_frame(start + length)
        if not SHORTEST_CLIP <= end - first <= LONGEST_CLIP:
            expected = f"a length from {SHORTEST_CLIP:g} second to {LONGEST_CLIP / 60:g} minutes"
            _refuse(line, f"the clip lasts {_told(length)}", expected)
        return Fixed(first, end, _title(clip, media), "timeline")

    def _on_frame(self, seconds: Fraction) -> float:
        return min(float(round(seconds * self.rate) / self.rate), self.duration)

    def _check_video(self, clip: Placed, media: Placed | None) -> None:
        """The media says best what it is; where an editor lost its note, where it lies or the clip's own note says it."""
        noted = _noted_key(media) or _noted_key(clip)
        lies_in = _path(media)
        if noted == self.video_key or (noted is None and self.video_key in (*lies_in, *(name.rpartition(".")[0] for name in lies_in))):
            return
        shown = noted or "/".join(lies_in) or clip.get("name")
        _refuse(clip.line, f"the clip shows {_shown(shown)}", f"the video {self.video_key}")


def _told(seconds: Fraction) -> str:
    return f"-{clock(float(-seconds))}" if seconds < 0 else clock(float(seconds))


def _of_schema(value: object, line: int, *names: str) -> Placed:
    """The object, if it is of one of these schemas in a known version."""
    schema = value.get("OTIO_SCHEMA") if isinstance(value, Placed) else None
    name, _, version = schema.partition(".") if isinstance(schema, str) else ("", "", "")
    if not isinstance(value, Placed) or name not in names or version not in _VERSIONS.get(name, ("1",)):
        known = [f"{one}.{version}" for one in names for version in _VERSIONS.get(one, ("1",))]
        _refuse(line, f"{_shown(value)} stands there", f"{', '.join(known[:-1])} or {known[-1]}" if len(known) > 1 else known[0])
    return value


def _inner(holder: Placed, name: str, *schemas: str) -> Placed:
    value = holder.get(name)
    return _of_schema(value, value.line if isinstance(value, Placed) else holder.line_of(name), *schemas)


def _children(holder: Placed, schemas: tuple[str, ...]) -> list[Placed]:
    children = holder.get("children", [])
    line = holder.line_of("children")
    if not isinstance(children, list):
        _refuse(line, f"children is {_shown(children)}", "a list")
    return [_of_schema(child, child.line if isinstance(child, Placed) else line, *schemas) for child in children]


def _enabled(item: Placed) -> bool:
    return item.get("enabled", True) is not False


def _media(clip: Placed) -> Placed | None:
    """What the clip plays; None where the timeline says nothing of it."""
    if clip["OTIO_SCHEMA"] == "Clip.1":
        return _inner(clip, "media_reference", *_REFERENCES) if clip.get("media_reference") is not None else None
    references = clip.get("media_references")
    active = clip.get("active_media_reference_key", "DEFAULT_MEDIA")
    if not isinstance(references, Placed) or not isinstance(active, str):
        return None
    return _inner(references, active, *_REFERENCES) if references.get(active) is not None else None


def _path(media: Placed | None) -> list[str]:
    """Folders and name of the file that is shown, last; empty where nothing says them."""
    url = media.get("target_url") if media else None
    return re.split(r"[/\\]", unquote(url.partition("?")[0])) if isinstance(url, str) else []


def _noted_key(item: Placed | None) -> str | None:
    """The video key in our part of an object's metadata."""
    key = _ours(item).get("video_key")
    return key if isinstance(key, str) else None


def _ours(item: Placed | None) -> dict[str, Any]:
    metadata = item.get("metadata") if item else None
    ours = metadata.get(OURS) if isinstance(metadata, dict) else None
    return ours if isinstance(ours, dict) else {}


def _range(holder: Placed, name: str) -> tuple[Fraction, Fraction]:
    """Start and length of a TimeRange, in seconds."""
    stretch = _inner(holder, name, "TimeRange")
    start, length = (_seconds(_inner(stretch, part, "RationalTime")) for part in ("start_time", "duration"))
    if length < 0:
        _refuse(stretch.line_of("duration"), "the length is below 0", "a length")
    return start, length


def _seconds(time: Placed) -> Fraction:
    value, rate = time.get("value"), time.get("rate")
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LARGEST_TIME:
        _refuse(time.line_of("value"), f"value is {_shown(value)}", "a number of frames")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= HIGHEST_RATE:
        _refuse(time.line_of("rate"), f"rate is {_shown(rate)}", "a number of frames a second")
    nearest = min(RATES, key=lambda usual: abs(float(usual) - rate))
    # Editors write 29.97 and 23.98 for rates that are not quite that: taken at their word, an hour would be half a second off.
    exact = nearest if abs(float(nearest) - rate) <= 0.0005 * rate else Fraction(rate)
    return Fraction(value) / exact


def _check_speed(clip: Placed) -> None:
    effects = clip.get("effects") or []
    for effect in effects if isinstance(effects, list) else []:
        schema = str(effect.get("OTIO_SCHEMA")) if isinstance(effect, Placed) else ""
        changes = schema.startswith(("FreezeFrame", "TimeEffect")) or (
            schema.startswith("LinearTimeWarp") and effect.get("time_scalar") != 1
        )
        if changes:
            _refuse(effect.line, f"{_shown(effect)} changes the clip's speed", "a clip as the video plays")


def _title(clip: Placed, media: Placed | None) -> str | None:
    """The clip's name, unless it is that of the file, which editors put in its place; else the title that it went out with."""
    name = clip.get("name")
    is_a_files = name in ("", None, media.get("name") if media else None, *_path(media)[-1:])
    title = _ours(clip).get("title") if is_a_files else name
    seen = " ".join("".join(mark if mark.isprintable() else " " for mark in title).split()) if isinstance(title, str) else ""
    return seen[:LONGEST_TITLE].strip() or None
