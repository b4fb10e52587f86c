"""The same clip on four platforms, as a person finds it in the UI."""

import json
from pathlib import Path

import dagster as dg
import pytest

from videolab_assets.defs.variants.checks import QUESTIONS
from videolab_assets.lib.clips.rules import RULES_KEY
from videolab_assets.lib.documents import VARIANTS, Document, Variants
from videolab_assets.lib.library import Library
from videolab_assets.lib.sidecars import CLIP_ORDERS
from videolab_assets_tests.lab import QUIET, Lab, failures_of, materialized, video_key_of

BEFORE = ["source_video", "proxy", "audio", "shots", "transcript", "clip_plan", "clips"]


def ordered(lab: Lab, clips: Path) -> dg.RunRequest:
    """The run of a video of which a person wants the first sentence and nothing else."""
    lab.put(clips / "talk.mp4", "talk.mp4")
    (request,) = lab.tick()
    orders = b"pin: [{start: 0.5, end: 5}]\nexclude: [{start: 5, end: 10}]\n"
    lab.library.add_bytes(str(request.partition_key), CLIP_ORDERS, orders, "application/yaml")
    return request


def document_of(lab: Lab, video_key: str, platform: str) -> Variants:
    document = lab.library.document(video_key, VARIANTS[platform])
    assert document is not None
    return document


def replan(lab: Lab, video_key: str, assets: list[str]) -> dg.ExecuteInProcessResult:
    result = lab.repository.get_job("replan_clips").execute_in_process(
        instance=lab.instance, partition_key=video_key, asset_selection=[dg.AssetKey(asset) for asset in assets], run_config=QUIET
    )
    assert result.success, failures_of(result)
    return result


@pytest.mark.long
def test_one_clip_for_every_platform(lab: Lab, clips: Path) -> None:
    """A platform gets no file, another one's, or one that fails its checks; or everything is encoded again with each run."""
    request = ordered(lab, clips)
    result = lab.run(request, [*BEFORE, "instagram_reel", "tiktok_video", "youtube_short"])
    assert result.success, failures_of(result)
    key = video_key_of(result)
    faults = {
        evaluation.check_name: evaluation.metadata
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.asset_key.to_user_string() in VARIANTS
    }
    assert faults == {}
    asked = [evaluation for evaluation in result.get_asset_check_evaluations() if evaluation.asset_key.to_user_string() in VARIANTS]
    assert len(asked) == 3 * len(QUESTIONS)
    reel, tiktok = document_of(lab, key, "instagram_reel"), document_of(lab, key, "tiktok_video")
    (variant,) = reel.clips
    assert (variant.width, variant.height) == (1080, 1920)
    assert variant.loudness == pytest.approx(-14, abs=0.5)
    assert variant.video.sha256 == tiktok.clips[0].video.sha256
    assert variant.encoded_for == ["instagram_reel", "tiktok_video", "youtube_short"]
    assert variant.captions > 0 and variant.subtitles
    assert b"sailor" in lab.library.store.read_bytes(variant.subtitles.key, 1 << 16)
    assert json.loads(lab.library.store.read_bytes(variant.post.key, 1 << 16))["title"] == variant.title != ""
    metadata = materialized(result)["instagram_reel"].metadata
    assert all(str(metadata[name].value).startswith(f"![{name}](data:image/webp;base64,") for name in ("contact_sheet", "reframing"))
    again = replan(lab, key, ["instagram_reel", "tiktok_video"])
    assert all(materialized(again)[platform].metadata["found"].value for platform in ("instagram_reel", "tiktok_video"))
    lab.assert_nothing_is_half_there()
    lab.assert_tidy()


@pytest.mark.long
def test_two_looks_for_a_test_of_one_against_the_other(lab: Lab, clips: Path) -> None:
    """The second look of an A/B test is the first one again, or takes its place; or a changed look leaves the old pictures standing."""
    looks = (
        b"version: two\nlooks:\n  a: {captions: 'off'}\n  b: {captions: bold, hook: headline, headline: Ships at night, cover: headline}\n"
    )
    lab.library.store.write_bytes(RULES_KEY, looks, media_type="application/yaml")
    request = ordered(lab, clips)
    result = lab.run(request, [*BEFORE, "facebook_feed_video"])
    assert result.success, failures_of(result)
    key = video_key_of(result)
    plain, test = document_of(lab, key, "facebook_feed_video").clips
    assert (plain.label, plain.captions, test.label) == ("a", 0, "b")
    assert test.captions > 0
    assert len({plain.video.sha256, test.video.sha256, plain.cover.sha256, test.cover.sha256}) == 4
    assert test.video.key.endswith("c01.b.mp4")
    before = {file.key: file.sha256 for file in (plain.video, plain.cover)}
    lab.library.store.write_bytes(RULES_KEY, looks.replace(b"bold", b"pop"), media_type="application/yaml")
    replan(lab, key, ["clip_plan", "clips", "facebook_feed_video"])
    kept, changed = document_of(lab, key, "facebook_feed_video").clips
    assert {file.key: file.sha256 for file in (kept.video, kept.cover)} == before
    assert changed.look.captions == "pop" and changed.video.sha256 != test.video.sha256


@pytest.mark.long
def test_a_broken_run_leaves_nothing_half_made(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails between two platforms leaves a document of files that are not there, or the next run encodes all anew."""
    request = ordered(lab, clips)
    platforms = ["instagram_reel", "facebook_feed_video"]
    result = lab.run(request, BEFORE)
    assert result.success, failures_of(result)
    calls = 0
    real = Library.write

    def dies(library: Library, video_key: str, document: Document) -> str:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError("the disk is gone")
        return real(library, video_key, document)

    monkeypatch.setattr(Library, "write", dies)
    assert not lab.run(request, platforms).success
    monkeypatch.undo()
    lab.assert_nothing_is_half_there()
    again = lab.run(request, platforms)
    assert again.success, failures_of(again)
    assert [materialized(again)[platform].metadata["found"].value for platform in platforms] == [True, False]
    lab.assert_nothing_is_half_there()
    lab.assert_tidy()
