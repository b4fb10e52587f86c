"""Which clips can be advertised, and which of them are the best."""

from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.campaigns.library import CampaignClips
from videolab_assets.lib.campaigns.request import Best, ClipRef
from videolab_assets.lib.documents import VARIANTS, Clip, ClipPlan, Look, ScoreParts, StoredFile, Variant
from videolab_assets.lib.library import Library
from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests.lib.campaigns.stage import Clips

REEL = "instagram_reel"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(LocalStore(tmp_path / "store"))
    add(library, "acme.talk.0123abcd", {"c01": 0.5, "c02": 0.9}, labels="ab")
    add(library, "acme.walk.0123abcd", {"c01": 0.5, "c02": 0.7})
    add(library, "other.talk.0123abcd", {"c01": 1.0})
    return library


def add(library: Library, video_key: str, scores: dict[str, float], labels: str = "a") -> None:
    parts = ScoreParts(hook=1, completeness=1, speech_density=1, motion=1, faces=1, loudness=1, laughter=1, novelty=1)
    clips = [
        Clip(clip_id=name, start=0, end=10, score=score, parts=parts, reason="", title=name, words=[]) for name, score in scores.items()
    ]
    looks: dict[Any, Look] = {"a": Look()}
    plan = ClipPlan(
        frame_rate=25, duration=60, language="en", rules_version="1", rules_sha256="0" * 64, ranker="rules", clips=clips, looks=looks
    )
    library.write(video_key, plan)
    variants = [variant(library, video_key, name, label) for name in scores for label in labels]
    library.write(video_key, VARIANTS[REEL](clips=variants))


def variant(library: Library, video_key: str, clip_id: str, label: Any) -> Variant:
    def file(ending: str) -> StoredFile:
        name = f"variants/{REEL}/{clip_id}.{label}.{ending}"
        return library.add_bytes(video_key, name, f"{video_key} {name}".encode(), "application/octet-stream")

    values = dict.fromkeys(["width", "height", "captions", "captions_outside", "captions_over_faces"], 1)
    numbers = dict.fromkeys(["frame_rate", "duration", "planned_duration", "black", "frozen"], 1.0)
    return Variant(
        clip_id=clip_id,
        label=label,
        recipe="r",
        video=file("mp4"),
        cover=file("jpg"),
        subtitles=None,
        post=file("json"),
        drawing=file("png"),
        title=f"Title of {clip_id}",
        description="" if clip_id == "c02" else "What is said",
        variable_frame_rate=False,
        codec="h264",
        pixel_format="yuv420p",
        fast_start=True,
        loudness=None,
        true_peak=None,
        faces_kept=None,
        look=Look(),
        framings=[],
        encoded_for=[REEL],
        **values,
        **numbers,
    )


def names(library: Library, wish: Best, **more: Any) -> list[str]:
    both = more.pop("both_looks", False)
    return [source.ref.name for source in CampaignClips(library, "acme", **more).best(wish, both)]


def wish(best: int = 9, videos: list[str] | None = None) -> Best:
    return Best.model_construct(best=best, platform=REEL, videos=videos)


def test_a_variant_is_found_with_its_words(library: Library) -> None:
    """Prevents an ad without text where nothing is said in the clip, or with another clip's files."""
    clips = CampaignClips(library, "acme")
    found = clips.source(ClipRef(video_key="acme.talk.0123abcd", clip_id="c01", platform=REEL, label="b"))
    assert found is not None
    assert (found.title, found.text, found.score) == ("Title of c01", "What is said", 0.5)
    assert found.video.key.endswith("c01.b.mp4")
    silent = clips.source(ClipRef(video_key="acme.talk.0123abcd", clip_id="c02", platform=REEL))
    assert silent is not None
    assert silent.text == "Title of c02"


@pytest.mark.parametrize(
    "ref",
    [
        ClipRef(video_key="acme.talk.0123abcd", clip_id="c09", platform=REEL),
        ClipRef(video_key="acme.talk.0123abcd", clip_id="c01", platform="facebook_feed_video"),
        ClipRef(video_key="acme.talk.0123abcd", clip_id="c01", platform="nowhere"),
        ClipRef(video_key="acme.walk.0123abcd", clip_id="c01", platform=REEL, label="b"),
        ClipRef(video_key="other.talk.0123abcd", clip_id="c01", platform=REEL),
        ClipRef(video_key="../other", clip_id="c01", platform=REEL),
    ],
)
def test_what_is_not_there_or_not_ones_own_is_not_found(library: Library, ref: ClipRef) -> None:
    """Prevents ads of clips that were never made, and of another tenant's."""
    assert CampaignClips(library, "acme").source(ref) is None


def test_a_variant_whose_file_is_gone_is_not_found(library: Library, tmp_path: Path) -> None:
    """Prevents a campaign that is half made when the video turns out to be missing."""
    ref = ClipRef(video_key="acme.walk.0123abcd", clip_id="c02", platform=REEL)
    found = CampaignClips(library, "acme").source(ref)
    assert found is not None
    (tmp_path / "store" / found.cover.key).unlink()
    assert CampaignClips(library, "acme").source(ref) is None
    assert "acme.walk.0123abcd/c02/instagram_reel" not in names(library, wish())


def test_the_best_are_those_with_the_highest_scores(library: Library) -> None:
    """Prevents another order on another day for clips that are equally good."""
    assert names(library, wish()) == [
        "acme.talk.0123abcd/c02/instagram_reel",
        "acme.walk.0123abcd/c02/instagram_reel",
        "acme.talk.0123abcd/c01/instagram_reel",
        "acme.walk.0123abcd/c01/instagram_reel",
    ]
    assert names(library, wish(2)) == names(library, wish())[:2]
    assert names(library, wish(9, ["acme.walk.0123abcd"])) == [
        "acme.walk.0123abcd/c02/instagram_reel",
        "acme.walk.0123abcd/c01/instagram_reel",
    ]


def test_what_did_well_comes_before_what_scored_well(library: Library) -> None:
    """Prevents a guess from being preferred to a result."""
    results = {"acme.walk.0123abcd/c01/instagram_reel": 0.01, "acme.talk.0123abcd/c01.b/instagram_reel": 0.02}
    best = names(library, wish(), performance=lambda ref: results.get(ref.name))
    assert best[:3] == [
        "acme.talk.0123abcd/c01.b/instagram_reel",
        "acme.walk.0123abcd/c01/instagram_reel",
        "acme.talk.0123abcd/c02/instagram_reel",
    ]


def test_a_test_of_looks_takes_clips_that_have_both(library: Library) -> None:
    """Prevents a split by looks of a clip that has only one."""
    assert names(library, wish(), both_looks=True) == ["acme.talk.0123abcd/c02/instagram_reel", "acme.talk.0123abcd/c01/instagram_reel"]


def test_the_stage_is_like_the_library() -> None:
    """Prevents the other tests of this folder from working with clips that could not be."""
    assert all(source.ref == ref for ref, source in Clips().sources.items())
