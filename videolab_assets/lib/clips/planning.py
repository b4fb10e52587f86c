"""A video's clip plan: what the planner finds, what a person orders, and the files that let an editor change it."""

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.clips.orders import Orders, merged, read_orders, to_yaml
from videolab_assets.lib.clips.plan import PLAN_VERSION, Fixed, plan_of
from videolab_assets.lib.clips.project import project_of, validated
from videolab_assets.lib.clips.reranking import Ranker
from videolab_assets.lib.clips.rules import RulesInForce, rules_in_force
from videolab_assets.lib.clips.timeline import read_timeline, to_otio
from videolab_assets.lib.documents import Audio, Clip, ClipPlan, Proxy, Shots, SourceVideo, StoredFile, Transcript
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import library_key, tenant_of
from videolab_assets.lib.library import Library
from videolab_assets.lib.recipe import recipe
from videolab_assets.lib.scratch import scratch_folder
from videolab_assets.lib.sidecars import CLIP_ORDERS, EDITED_TIMELINE, LONGEST_ORDERS, LONGEST_TIMELINE
from videolab_assets.lib.store import ObjectMissing

CODE_VERSION = "1"
"""Raised with how orders and timelines count; the planner and the rankers name themselves."""

WORD_SLACK = 0.001
"""Seconds of a word that nobody misses."""


@dataclass(frozen=True)
class Made:
    """A plan, whether an earlier run had `found` it finished, the rules it follows, and sentences for the log."""

    plan: ClipPlan
    found: bool
    rules: RulesInForce
    notes: list[str] = dataclasses.field(default_factory=list)


@dataclass(frozen=True)
class _Standing:
    """What a person wants of this video's clips.

    Attributes:
        timeline: an edited one; None where there is none, or orders say to forget it.
        orders: those that count beside it. A timeline that came after them is the plan by itself.
    """

    timeline: bytes | None
    orders: Orders

    @property
    def identity(self) -> dict[str, str]:
        return {"timeline": (self.timeline or b"").decode("latin-1"), "orders": self.orders.model_dump_json()}


def version_of(ranker: Ranker) -> str:
    """What decides the clips beside the video, the rules and a person's orders."""
    return f"{CODE_VERSION} {PLAN_VERSION} {ranker.identity}"


def absence(source: SourceVideo) -> str | None:
    """Why there can be no clips; None when there can."""
    return None if source.probe.video else "This file holds sound only: it has no picture to cut clips from."


def make(video_key: str, library: Library, ranker: Ranker, scratch: Path, more: Orders | None = None) -> Made:
    """The plan of a video with a picture; its timeline and project document are in the library.

    Args:
        more: orders from the launchpad; they join those that stand, and stay.

    Raises:
        PermanentError: an order cannot be followed, or what the plan is made of is not there.
    """
    source, shots = library.document(video_key, SourceVideo), library.document(video_key, Shots)
    if source is None or shots is None:
        raise PermanentError(f"The shots of {video_key} are not in the store: materialize shots first.")
    transcript, audio = library.readable(video_key, Transcript), library.readable(video_key, Audio)
    rules = rules_in_force(library.store)
    if more is not None:
        _keep(more, video_key, shots.duration, library)
    standing = _standing(video_key, shots.duration, library)
    made_of = recipe(
        asset="clip_plan",
        code=version_of(ranker),
        shots=shots.recipe,
        transcript=transcript.recipe if transcript else None,
        audio=audio.recipe if audio else None,
        rules=rules.sha256,
        **standing.identity,
    )
    found = library.made(video_key, ClipPlan, made_of)
    if found and found.rules_problem == rules.problem:
        return Made(found, True, rules)
    started = time.monotonic()
    evidence = _evidence(shots, transcript, audio, library, scratch)
    fixed, excluded = _wanted(standing, video_key, shots)
    planned = plan_of(evidence, rules.rules, fixed, excluded)
    ranked = ranker.ranked(planned, evidence.language, tenant_of(video_key))
    looks = {**rules.rules.looks.by_label(), **standing.orders.looks_by_label()}
    plan = ClipPlan(
        recipe=made_of,
        frame_rate=shots.frame_rate,
        duration=shots.duration,
        language=evidence.language,
        rules_version=rules.rules.version,
        rules_sha256=rules.sha256,
        rules_problem=rules.problem,
        ranker=ranked.ranker,
        cost=ranked.cost,
        clips=[clip.model_copy(update={"words_cut": _words_cut(clip, evidence)}) for clip in ranked.clips],
        reason=planned.reason,
        looks=looks,
        seconds=round(time.monotonic() - started, 3),
    )
    return Made(_published(plan, video_key, source, library), False, rules, ranked.notes)


def _evidence(shots: Shots, transcript: Transcript | None, audio: Audio | None, library: Library, scratch: Path) -> Evidence:
    if audio is None:
        return Evidence.of(shots, transcript, None)
    with scratch_folder(scratch) as folder, library.store.local(audio.files[0].key, folder) as sound:
        return Evidence.of(shots, transcript, sound, audio.duration)


def _words_cut(clip: Clip, evidence: Evidence) -> int:
    """How many words are half inside, as only a person's own times can have it."""
    return sum(
        word.start < edge - WORD_SLACK and word.end > edge + WORD_SLACK for word in evidence.words for edge in (clip.start, clip.end)
    )


def _standing(video_key: str, duration: float, library: Library) -> _Standing:
    """What lies in the video's folder; of timeline and orders the later one has the last word."""
    orders_file, timeline_file = (library.store.stat(library_key(video_key, name)) for name in (CLIP_ORDERS, EDITED_TIMELINE))
    orders = _orders(video_key, duration, library) or Orders()
    if timeline_file is None or (orders.discard_timeline and orders_file and orders_file.modified >= timeline_file.modified):
        return _Standing(None, orders)
    timeline = library.store.read_bytes(timeline_file.key, LONGEST_TIMELINE)
    is_later = orders_file is None or timeline_file.modified > orders_file.modified
    return _Standing(timeline, Orders(looks=orders.looks) if is_later else orders)


def _orders(video_key: str, duration: float, library: Library) -> Orders | None:
    try:
        return read_orders(library.store.read_bytes(library_key(video_key, CLIP_ORDERS), LONGEST_ORDERS), duration)
    except ObjectMissing:
        return None


def _keep(more: Orders, video_key: str, duration: float, library: Library) -> None:
    """Adds orders to those that count, in the file that the inbox would have brought."""
    data = to_yaml(merged(_standing(video_key, duration, library).orders, more))
    read_orders(data, duration)
    library.replace_bytes(video_key, CLIP_ORDERS, data, "application/yaml")


def _wanted(standing: _Standing, video_key: str, shots: Shots) -> tuple[list[Fixed], list[tuple[float, float]]]:
    """Clips that are in whatever the planner thinks, and ranges that none of its own may touch."""
    fixed, excluded = standing.orders.fixed(), standing.orders.excluded()
    if standing.timeline is None:
        return fixed, excluded
    edited = read_timeline(standing.timeline, video_key, shots.duration, shots.frame_rate)
    kept = [clip for clip in edited if not any(clip.start <= end and start < clip.end for start, end in excluded)]
    return [*kept, *fixed], [(0.0, shots.duration)]


def _published(plan: ClipPlan, video_key: str, source: SourceVideo, library: Library) -> ClipPlan:
    """The plan with its files: a timeline for editing programs, and a project document for everything else."""
    proxy = library.readable(video_key, Proxy)
    timeline = to_otio(plan, video_key, library.store.uri(source.source_key), source.original_name)
    project = validated(project_of(plan, source, proxy), library.store)
    files: list[StoredFile] = [
        library.add_bytes(video_key, "clip_plan.otio", timeline.encode(), "application/vnd.otio+json"),
        library.add_bytes(video_key, "clip_plan.project.json", project.model_dump_json(indent=1).encode(), "application/json"),
    ]
    return plan.model_copy(update={"files": files})
