"""A video's variants, platform by platform: those that are not there yet are rendered, the rest stays as it is."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from videolab_assets.lib.documents import VARIANTS, Clip, ClipPlan, Clips, Proxy, Shots, StoredFile, Variant, Variants
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.library import Library
from videolab_assets.lib.pipes import Progress
from videolab_assets.lib.platforms import PLATFORMS
from videolab_assets.lib.recipe import JsonValue, recipe
from videolab_assets.lib.scratch import scratch_folder
from videolab_assets.lib.variants.graph import CRF, PRESET
from videolab_assets.lib.variants.sheet import Row, contact_sheet
from videolab_assets.lib.variants.studio import Place, Scene, Studio, rendition_for

VARIANTS_VERSION = f"1-{PRESET}-crf{CRF}"
"""Raised by hand when the code makes something else of the same clip; part of each recipe."""
CONTACT_SHEET = "contact_sheet.jpg"


@dataclass(frozen=True)
class Made:
    """A document for each platform asked for, and those of them that an earlier run had left."""

    documents: dict[str, Variants]
    found: frozenset[str]


def make(
    video_key: str,
    library: Library,
    plan: ClipPlan,
    clips: Clips,
    wanted: Sequence[str],
    scratch: Path,
    face_model: str = "",
    progress: Progress | None = None,
) -> Made:
    """Makes the variants of a plan's clips for the wanted platforms, one decode a clip.

    A variant whose clip, words, look and terms are what they were is kept as it is.

    Args:
        wanted: names out of `PLATFORMS`.
        face_model: path of a YuNet ONNX file; empty for OpenCV's own cascades.
        progress: told the seconds of clips that are done.

    Raises:
        PermanentError: the proxy or the shots are not in the store.
        TransientError: the machine failed.
    """
    proxy, shots = library.document(video_key, Proxy), library.document(video_key, Shots)
    if proxy is None or shots is None:
        raise PermanentError(f"The proxy or the shots of {video_key} are not in the store: materialize them first.")
    studio = Studio(video_key, library, proxy.files[0], scratch, Path(face_model) if face_model else None)
    return _Order(studio, plan, shots).filled(clips, wanted, progress)


@dataclass
class _Order:
    """What is wanted of one video, and what an earlier run left of it."""

    studio: Studio
    plan: ClipPlan
    shots: Shots
    kept: dict[tuple[str, str, str], Variant] = field(default_factory=dict)
    sheets: dict[tuple[str, ...], bytes] = field(default_factory=dict)

    def filled(self, clips: Clips, wanted: Sequence[str], progress: Progress | None) -> Made:
        started, done = time.monotonic(), 0.0
        self._remember(wanted)
        made: dict[str, list[Variant]] = {name: [] for name in wanted}
        left_out: dict[str, list[str]] = {name: [] for name in wanted}
        for clip, file in zip(self.plan.clips, clips.clips, strict=True):
            scene = Scene(clip, file, self._cuts(clip), self.plan.looks, self.plan.language)
            takers = [name for name in wanted if _takes(name, clip, left_out[name])]
            recipes = {(name, label): self._recipe(name, scene, (name, label)) for name in takers for label in scene.looks}
            ready = {place: variant for place, made_of in recipes.items() if (variant := self._kept(clip, place, made_of))}
            missing = {place: made_of for place, made_of in recipes.items() if place not in ready}
            if missing:
                ready |= self.studio.rendered(scene, missing)
            for name, label in recipes:
                made[name].append(ready[name, label])
            done += clip.duration
            if progress:
                progress(done)
        return self._documents(made, left_out, started)

    def _remember(self, wanted: Sequence[str]) -> None:
        for name in wanted:
            before = self.studio.library.readable(self.studio.video_key, VARIANTS[name])
            for variant in before.clips if before else ():
                self.kept[name, variant.clip_id, variant.label] = variant

    def _kept(self, clip: Clip, place: Place, made_of: str) -> Variant | None:
        """The variant that an earlier run left, if it is what is wanted now and its files are there."""
        variant = self.kept.get((place[0], clip.clip_id, place[1]))
        if variant is None or variant.recipe != made_of:
            return None
        return variant if all(map(self.studio.library.has, _files_of(variant))) else None

    def _recipe(self, name: str, scene: Scene, place: Place) -> str:
        terms: list[JsonValue] = [repr(rendition_for(name, scene.file)), repr(PLATFORMS[name])]
        words: list[JsonValue] = [[word.text, round(word.start, 4), round(word.end, 4)] for word in scene.words]
        return recipe(
            asset="variant",
            code=VARIANTS_VERSION,
            clip=scene.file.recipe,
            cuts=[*scene.cuts],
            title=scene.clip.title,
            words=words,
            language=scene.language,
            look=scene.looks[place[1]].model_dump(),
            terms=terms,
            face_model=str(self.studio.face_model or ""),
        )

    def _cuts(self, clip: Clip) -> list[float]:
        """Seconds of the clip at which one shot follows another."""
        inside = (shot.start for shot in self.shots.shots if clip.start < shot.start < clip.end)
        return [round(start - clip.start, 6) for start in inside]

    def _documents(self, made: dict[str, list[Variant]], left_out: dict[str, list[str]], started: float) -> Made:
        library, video_key = self.studio.library, self.studio.video_key
        documents: dict[str, Variants] = {}
        found = set()
        for name, variants in made.items():
            recipes: list[JsonValue] = [variant.recipe for variant in variants]
            made_of = recipe(asset=name, code=VARIANTS_VERSION, variants=recipes, left_out=[*left_out[name]])
            existing = library.made(video_key, VARIANTS[name], made_of)
            if existing:
                documents[name] = existing
                found.add(name)
                continue
            files = [file for variant in variants for file in _files_of(variant)]
            documents[name] = VARIANTS[name](
                recipe=made_of,
                clips=variants,
                left_out=left_out[name],
                files=[*files, *self._sheet(name, variants)],
                seconds=round(time.monotonic() - started, 3),
            )
        return Made(documents, frozenset(found))

    def _sheet(self, name: str, variants: Sequence[Variant]) -> list[StoredFile]:
        """The contact sheet; platforms with the same files have the same sheet."""
        if not variants:
            return []
        shown = tuple(variant.video.sha256 for variant in variants)
        if shown not in self.sheets:
            self.sheets[shown] = self._drawn(variants)
        path = f"variants/{name}/{CONTACT_SHEET}"
        return [self.studio.library.add_bytes(self.studio.video_key, path, self.sheets[shown], "image/jpeg")]

    def _drawn(self, variants: Sequence[Variant]) -> bytes:
        scores = {clip.clip_id: clip.score for clip in self.plan.clips}
        store = self.studio.library.store
        with scratch_folder(self.studio.scratch) as folder, ExitStack() as opened:
            rows = [
                Row(
                    video=opened.enter_context(store.local(variant.video.key, folder)),
                    cover=opened.enter_context(store.local(variant.cover.key, folder)),
                    width=variant.width,
                    height=variant.height,
                    duration=variant.duration,
                    name=variant.name,
                    score=scores[variant.clip_id],
                )
                for variant in variants
            ]
            return contact_sheet(rows)


def _takes(name: str, clip: Clip, left_out: list[str]) -> bool:
    """Whether a platform takes a clip of that length; the reason why not goes to `left_out`."""
    platform = PLATFORMS[name]
    if platform.shortest <= clip.duration <= platform.longest:
        return True
    allowed = f"{platform.shortest:g} to {platform.longest:g} s"
    left_out.append(f"{clip.clip_id} lasts {clip.duration:.1f} s, and a {platform.title} may last {allowed}.")
    return False


def _files_of(variant: Variant) -> list[StoredFile]:
    return [file for file in (variant.video, variant.cover, variant.subtitles, variant.post, variant.drawing) if file]
