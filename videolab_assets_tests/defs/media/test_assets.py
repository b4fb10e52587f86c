"""The one decode as six assets: any of them alone, and only those that a file can give."""

from pathlib import Path

import pytest

from videolab_assets.lib.catalogue import State
from videolab_assets_tests.lab import Lab, failures_of, materialized, video_key_of

OF_SOUND = {"audio", "waveform", "transcript", "subtitles", "summary", "search_entry"}
OF_PICTURE = {"proxy", "thumbnail", "storyboard", "shots", "clip_plan"}
OF_LENGTH = {"clips"}
"""What neither a second of picture nor any sound alone gives."""


def test_only_what_is_asked_for_is_made(lab: Lab, clips: Path) -> None:
    """A person asks for the shots of a video, and pays for its proxy as well; or the rest is shown as skipped for no reason."""
    lab.put(clips / "clip.mp4")
    (request,) = lab.tick()
    assert lab.run(request, ["source_video"]).success
    for asset, files in {"shots": set(), "audio": {"audio.flac"}}.items():
        result = lab.run(request, [asset])
        assert result.success, failures_of(result)
        assert set(materialized(result)) == {asset}
        assert {Path(file).name for file in files_of(lab, video_key_of(result))} >= files
    assert lab.made(video_key_of(result)) == {"source_video", "shots", "audio"}
    assert {Path(file).name for file in files_of(lab, video_key_of(result))} == {
        *("source.mp4", "source_video.json", "shots.json", "audio.flac", "audio.json")
    }
    assert lab.skipped(video_key_of(result)) == {}


def files_of(lab: Lab, video_key: str) -> list[str]:
    return [entry.key for entry in lab.library.store.list(f"library/acme/{video_key}")]


@pytest.mark.parametrize(("clip", "missing", "made"), [("silent.mp4", OF_SOUND, OF_PICTURE), ("sound.m4a", OF_PICTURE, OF_SOUND)])
def test_what_a_file_cannot_give_is_skipped_with_the_reason(clip: str, missing: set[str], made: set[str], lab: Lab, clips: Path) -> None:
    """Half a video fails as a whole, or half its assets stay grey in the UI and nobody can say why."""
    result = lab.process(clips / clip, clip)
    assert result.success, failures_of(result)
    assert lab.upload_of(result).state is State.DONE
    assert set(materialized(result)) == {"source_video", *made}
    skipped = lab.skipped(video_key_of(result))
    assert skipped.keys() == missing | OF_LENGTH
    sentence = "no sound" if "audio" in missing else "no picture"
    assert all(sentence in skipped[asset] for asset in missing)
    lab.assert_tidy()
    lab.assert_nothing_is_half_there()


def test_what_follows_from_the_missing_is_not_told_when_nobody_asked(lab: Lab, clips: Path) -> None:
    """Asking for one asset writes observations on others."""
    lab.put(clips / "silent.mp4")
    (request,) = lab.tick()
    assert lab.run(request, ["source_video"]).success
    result = lab.run(request, ["audio", "shots"])
    assert result.success
    assert set(materialized(result)) == {"shots"}
    assert lab.skipped(video_key_of(result)).keys() == {"audio"}


def test_a_missing_original_says_what_to_do(lab: Lab, clips: Path) -> None:
    """An asset is materialized before its source: the failure is a traceback about a file instead of a sentence."""
    lab.put(clips / "silent.mp4")
    (request,) = lab.tick()
    (failure,) = failures_of(lab.run(request, ["shots"])).values()
    assert failure == f"source_video of {request.partition_key} is not in the store: materialize it first."
