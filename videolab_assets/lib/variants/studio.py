"""One clip in the studio: its frames looked at once, decoded once, and out come the files for all platforms."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from videolab_assets.lib.captions import Captions, captions_of, cover_ass, fonts, srt_of
from videolab_assets.lib.documents import Clip, ClipFile, Framing, Label, Look, StoredFile, Variant, Word
from videolab_assets.lib.library import Library
from videolab_assets.lib.platforms import PLATFORMS
from videolab_assets.lib.probe import probe
from videolab_assets.lib.reframe import Box, Seen, cover_time, faces_kept, framing_at, framings_of, look, placed
from videolab_assets.lib.reframe.drawing import path_over_source
from videolab_assets.lib.scratch import scratch_folder
from videolab_assets.lib.variants.inspect import Inspection, inspect
from videolab_assets.lib.variants.post import post_of
from videolab_assets.lib.variants.render import Rendered, Take, render
from videolab_assets.lib.variants.renditions import Rendition, renditions_of
from videolab_assets.lib.variants.sound import Sound, levelled

DEFAULT_STYLE = "clear"
CAPTIONS_OFF = "off"

Place = tuple[str, Label]
"""Where a variant belongs: its platform's name and its label."""


@dataclass(frozen=True)
class Scene:
    """What decides a clip's variants, beside the platforms' terms.

    Attributes:
        cuts: seconds of the clip at which one shot follows another.
        language: ISO 639-1.
    """

    clip: Clip
    file: ClipFile
    cuts: list[float]
    looks: Mapping[Label, Look]
    language: str

    @property
    def words(self) -> list[Word]:
        """The clip's words, in seconds of the clip."""
        start, lasts = self.clip.start, self.clip.duration
        return [
            word.model_copy(update={"start": max(0.0, word.start - start), "end": min(lasts, word.end - start)}) for word in self.clip.words
        ]


@dataclass(frozen=True)
class _Dressed:
    """One rendition in one look, ready to be rendered."""

    rendition: Rendition
    label: Label
    look: Look
    framings: list[Framing]
    captions: Captions | None
    take: Take

    @property
    def painted(self) -> list[Box]:
        """Where words are burnt in, as shares of the picture."""
        if self.captions is None:
            return []
        return [*self.captions.areas, *([self.captions.headline] if self.captions.headline else [])]


@dataclass(frozen=True)
class Studio:
    """Where one video's clips are rendered.

    Attributes:
        proxy: the proxy's file.
        face_model: a YuNet ONNX file; None for OpenCV's own cascades.
    """

    video_key: str
    library: Library
    proxy: StoredFile
    scratch: Path
    face_model: Path | None

    def rendered(self, scene: Scene, missing: Mapping[Place, str]) -> dict[Place, Variant]:
        """The variants of a clip that are missing, published; what several platforms take is encoded once.

        Args:
            missing: the recipe of each.

        Raises:
            PermanentError: the clip or the proxy is damaged.
            TransientError: the machine failed.
        """
        with scratch_folder(self.scratch) as folder, ExitStack() as opened:
            rooms = {name: folder / name for name in ("proxy", "clip", "work")}
            for room in rooms.values():
                room.mkdir()
            proxy = opened.enter_context(self.library.store.local(self.proxy.key, rooms["proxy"]))
            video = opened.enter_context(self.library.store.local(scene.file.file.key, rooms["clip"]))
            seen = look(proxy, scene.clip.start, scene.clip.end, self.face_model)
            framings = _framings(scene, seen)
            dressed = [_dressed(rendition, label, scene, seen, framings[rendition]) for rendition, label in _distinct(missing, scene.file)]
            drawing = _drawing(proxy, scene, seen, framings)
            made: dict[Place, Variant] = {}
            for number, group in enumerate(_alike_in_sound(dressed)):
                work = rooms["work"] / str(number)
                work.mkdir()
                sound, shot = _shot(video, group, work)
                for one, rendered in zip(group, shot, strict=True):
                    measured = inspect(rendered.video, video, one.framings, one.painted)
                    measures = _measures(scene, one, measured, sound, faces_kept(seen, one.framings))
                    for name in one.rendition.platforms:
                        if made_of := missing.get((name, one.label)):
                            variant = self._published(name, scene, one, rendered, drawing)
                            made[name, one.label] = Variant.model_validate({**variant, **measures, "recipe": made_of})
            return made

    def _published(self, name: str, scene: Scene, one: _Dressed, rendered: Rendered, drawing: bytes) -> dict[str, object]:
        """The variant's files in the store, and the words to post it with."""
        clip, words = scene.clip, scene.words
        stem = f"variants/{name}/{clip.clip_id}{'' if one.label == 'a' else f'.{one.label}'}"
        post = post_of(clip, words, PLATFORMS[name], scene.language)
        subtitles = srt_of(words, scene.language).encode() if words else None
        return {
            "clip_id": clip.clip_id,
            "label": one.label,
            "video": self.library.add_file(self.video_key, rendered.video, "video/mp4", f"{stem}.mp4"),
            "cover": self.library.add_file(self.video_key, rendered.cover, "image/jpeg", f"{stem}.jpg"),
            "subtitles": subtitles and self.library.add_bytes(self.video_key, f"{stem}.srt", subtitles, "application/x-subrip"),
            "post": self.library.add_bytes(self.video_key, f"{stem}.post.json", post.to_json(), "application/json"),
            "drawing": self.library.add_bytes(self.video_key, f"{stem}.framing.jpg", drawing, "image/jpeg"),
            "title": post.title,
            "description": post.description,
        }


def rendition_for(name: str, file: ClipFile) -> Rendition:
    """The file that a platform takes of a clip."""
    return next(rendition for rendition in renditions_of(file.frame_rate) if name in rendition.platforms)


def _framings(scene: Scene, seen: Seen) -> dict[Rendition, list[Framing]]:
    """How the clip is framed for each rendition that any platform takes, wanted or not."""
    return {
        rendition: framings_of(seen, scene.cuts, rendition.width / rendition.height, scene.words, scene.file.duration)
        for rendition in renditions_of(scene.file.frame_rate)
    }


def _drawing(proxy: Path, scene: Scene, seen: Seen, framings: Mapping[Rendition, Sequence[Framing]]) -> bytes:
    shapes = {f"{rendition.width}x{rendition.height}": chosen for rendition, chosen in framings.items()}
    return path_over_source(proxy, scene.clip.start, scene.file.duration, seen, shapes, scene.clip.clip_id)


def _dressed(rendition: Rendition, label: Label, scene: Scene, seen: Seen, framings: list[Framing]) -> _Dressed:
    wanted, shape, size = scene.looks[label], rendition.width / rendition.height, (rendition.width, rendition.height)
    title = wanted.headline or scene.clip.title
    style = DEFAULT_STYLE if wanted.captions == CAPTIONS_OFF else wanted.captions
    words = [] if wanted.captions == CAPTIONS_OFF else scene.words
    headline = title if wanted.hook == "headline" else None
    captions = None
    if words or headline:
        faces = _faces_in_output(seen, framings, shape)
        captions = captions_of(words, scene.language, size, rendition.safe, style, faces, headline)
    at = 0.0 if wanted.cover == "first" else cover_time(seen, framings)
    take = Take(
        rendition=rendition,
        label=label,
        framings=framings,
        ass=captions.ass if captions else None,
        cover_time=at,
        name=f"{rendition.platforms[0].replace('_', '-')}-{label}",
        headline_cover_ass=_cover(title, style, rendition, at, seen, framings) if wanted.cover == "headline" else None,
    )
    return _Dressed(rendition, label, wanted, framings, captions, take)


def _cover(title: str, style: str, rendition: Rendition, time: float, seen: Seen, framings: Sequence[Framing]) -> str:
    tracks = _faces_in_output(seen, framings, rendition.width / rendition.height)
    faces = min(tracks, key=lambda track: abs(track[0] - time), default=(0.0, []))[1]
    return cover_ass((rendition.width, rendition.height), rendition.safe, title, style, faces)


def _shot(video: Path, group: Sequence[_Dressed], work: Path) -> tuple[Sound | None, list[Rendered]]:
    """The sound and the pictures of those that share a sound."""
    found, terms = probe(video).probe, group[0].rendition
    sound = levelled(video, found, terms.loudness, terms.true_peak, terms.audio_bit_rate, work) if found.audio else None
    return sound, render(video, found, [one.take for one in group], sound, work, fonts())


def _measures(scene: Scene, one: _Dressed, measured: Inspection, sound: Sound | None, kept: float | None) -> dict[str, object]:
    captions = one.captions
    return {
        "width": measured.width,
        "height": measured.height,
        "frame_rate": measured.frame_rate,
        "variable_frame_rate": measured.variable_frame_rate,
        "codec": measured.codec,
        "pixel_format": measured.pixel_format,
        "fast_start": measured.fast_start and not measured.edit_list,
        "duration": measured.duration,
        "planned_duration": scene.file.duration,
        "loudness": measured.loudness,
        "true_peak": measured.true_peak,
        "loudness_missed": sound.missed if sound else None,
        "faces_kept": kept,
        "look": one.look,
        "captions": len(captions.cues) if captions else 0,
        "captions_outside": captions.outside if captions else 0,
        "captions_over_faces": captions.over_faces if captions else 0,
        "black": measured.black,
        "frozen": measured.frozen,
        "framings": one.framings,
        "encoded_for": list(one.rendition.platforms),
    }


def _distinct(missing: Mapping[Place, str], file: ClipFile) -> list[tuple[Rendition, Label]]:
    """Each rendition and label once that is missing for any platform, in the platforms' order."""
    return list(dict.fromkeys((rendition_for(name, file), label) for name, label in missing))


def _alike_in_sound(dressed: Sequence[_Dressed]) -> list[list[_Dressed]]:
    """Groups that can share one sound."""
    groups: dict[tuple[float, float, int], list[_Dressed]] = {}
    for one in dressed:
        terms = one.rendition
        groups.setdefault((terms.loudness, terms.true_peak, terms.audio_bit_rate), []).append(one)
    return list(groups.values())


def _faces_in_output(seen: Seen, framings: Sequence[Framing], shape: float) -> list[tuple[float, list[Box]]]:
    """Where each sampled face lies in the output at its time, as shares of that picture."""
    tracks = []
    for sample in seen.samples:
        framing = framing_at(framings, sample.time)
        boxes = (placed(face, framing, sample.time, seen.aspect, shape) for face in sample.faces)
        tracks.append((sample.time, [box for box in boxes if box]))
    return tracks
