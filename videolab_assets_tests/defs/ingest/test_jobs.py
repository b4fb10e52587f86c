"""One upload through the real sensor and the real job: everything once, and nothing twice."""

import json
from pathlib import Path

import dagster as dg
import pytest

from videolab_assets.defs.media import assets as media_assets
from videolab_assets.lib.catalogue import State
from videolab_assets.lib.documents import VARIANTS, SourceVideo
from videolab_assets.lib.errors import PermanentError
from videolab_assets_tests.lab import ASSETS, Lab, failures_of, fingerprint, materialized, variant, video_key_of

WARNINGS_OF_A_SHORT_TALK = {"summary_is_complete", "words_are_likely"}


def test_one_upload_becomes_every_asset(lab: Lab, clips: Path) -> None:
    """The main job does not work: no run or two, an asset or a check missing, or nothing to see of it in the UI."""
    lab.put(clips / "talk.mp4", "A Talk.mp4")
    (request,) = lab.tick()
    assert lab.partitions == {request.partition_key}
    result = lab.run(request, ASSETS)
    assert result.success, failures_of(result)
    assert lab.tick() == []
    assert lab.upload_of(result).state is State.DONE

    made = materialized(result)
    assert set(made) == set(ASSETS) == lab.made(video_key_of(result))
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert {check.asset_key.to_user_string() for check in checks.values()} >= set(ASSETS)
    assert {name for name, check in checks.items() if not check.passed} <= WARNINGS_OF_A_SHORT_TALK

    for asset, materialization in made.items():
        metadata = materialization.metadata
        assert materialization.partition == video_key_of(result)
        assert metadata["found"].value is False
        assert isinstance(metadata["bytes"], dg.IntMetadataValue)
        assert isinstance(metadata["seconds"], dg.FloatMetadataValue)
        document = json.loads(lab.library.store.read_bytes(str(metadata["document"].value), 1 << 20))
        for file in document["files"]:
            assert metadata[file["key"].rpartition("/")[2]].value == lab.library.store.uri(file["key"]), asset
    for asset in ("thumbnail", "waveform"):
        picture = str(made[asset].metadata["preview"].value)
        assert picture.startswith(f"![{asset}](data:image/webp;base64,")
        assert len(picture) < 1000, "longer Markdown hides behind a button"
    assert made["source_video"].metadata["duration"].value == pytest.approx(10.2, abs=0.1)
    assert made["source_video"].metadata["dimensions"].value == "160x90"
    assert isinstance(made["shots"].metadata["table"], dg.TableMetadataValue)
    assert isinstance(made["transcript"].metadata["words"].value, int)

    lab.assert_tidy()
    lab.assert_nothing_is_half_there()


@pytest.mark.long
def test_a_second_run_makes_nothing_new(lab: Lab, clips: Path) -> None:
    """A person materializes a finished video again: hours of work are repeated, or files change under whoever watches them."""
    lab.put(clips / "talk.mp4")
    (request,) = lab.tick()
    assert lab.run(request).success
    folder = Path(lab.settings.store_location) / "library"
    media = {name: stamp for name, stamp in fingerprint(folder).items() if not name.endswith(tuple(f"/{asset}.json" for asset in ASSETS))}
    before = {name: (folder / name).read_bytes() for name in fingerprint(folder)}

    again = lab.run(request)
    assert again.success
    found = {asset: materialization.metadata["found"].value for asset, materialization in materialized(again).items()}
    assert found == dict.fromkeys(set(ASSETS) - VARIANTS.keys(), True)
    assert {name: stamp for name, stamp in fingerprint(folder).items() if name in media} == media
    assert {name: (folder / name).read_bytes() for name in fingerprint(folder)} == before


def test_the_same_bytes_are_processed_once(lab: Lab, clips: Path) -> None:
    """Somebody uploads a video twice under two names: it is processed twice, or the second upload vanishes without a word."""
    first = lab.process(clips / "silent.mp4", "first.mp4")
    library = fingerprint(Path(lab.settings.store_location) / "library")
    second = lab.process(clips / "silent.mp4", "second.mp4")
    assert second.success
    assert materialized(second) == {}
    assert lab.partitions == {video_key_of(first)}
    assert video_key_of(first) in lab.told(video_key_of(second))["source_video"]["duplicate"]
    upload = lab.upload_of(second)
    assert (upload.state, upload.duplicate_of) == (State.DUPLICATE, video_key_of(first))
    assert fingerprint(Path(lab.settings.store_location) / "library") == library
    lab.assert_tidy()


def test_other_tenants_do_not_learn_of_it(lab: Lab, clips: Path) -> None:
    """A tenant is told that another one has the same video."""
    first = lab.process(clips / "silent.mp4", tenant="acme")
    second = lab.process(clips / "silent.mp4", tenant="rival")
    assert materialized(second).keys() == materialized(first).keys()
    assert lab.partitions == {video_key_of(first), video_key_of(second)}


def failed_for_good(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> dg.ExecuteInProcessResult:
    """The run of an upload whose media step fails once and for all; afterwards the step works again."""

    def fails(*_: object, **__: object) -> None:
        raise PermanentError("This video cannot be decoded.")

    with monkeypatch.context() as broken:
        broken.setattr(media_assets, "make", fails)
        return lab.process(clips / "silent.mp4")


def test_a_failed_upload_may_be_uploaded_again(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure for good, the same content is called a duplicate of what does not exist."""
    failed = failed_for_good(lab, clips, monkeypatch)
    assert failures_of(failed) == {"media": "This video cannot be decoded."}
    upload = lab.upload_of(failed)
    assert (upload.state, upload.reason) == (State.FAILED, "This video cannot be decoded.")
    assert lab.tick() == []

    again = lab.process(clips / "silent.mp4")
    assert again.success, failures_of(again)
    assert lab.made(video_key_of(again)) == {"source_video", "proxy", "thumbnail", "storyboard", "shots", "clip_plan"}
    assert video_key_of(again) != video_key_of(failed)


def test_a_person_may_run_a_failed_upload_again(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run from the UI has no tags: the sensor judges the upload by its old, failed run, and gives up what has just been mended."""
    failed = failed_for_good(lab, clips, monkeypatch)
    mended = lab.run(dg.RunRequest(partition_key=video_key_of(failed)))
    assert mended.success, failures_of(mended)
    assert lab.tick() == []
    assert lab.upload_of(failed).state == State.DONE


def test_an_unreadable_document_is_made_again(lab: Lab, clips: Path) -> None:
    """A document of an earlier version says "materialize it again", and that fails on the same document."""
    first = lab.process(clips / "silent.mp4")
    library, video_key = lab.library, video_key_of(first)
    library.store.write_bytes(library.document_key(video_key, SourceVideo), b'{"old": true}', media_type="application/json")
    again = lab.run(dg.RunRequest(partition_key=video_key))
    assert again.success, failures_of(again)
    assert library.document(video_key, SourceVideo) is not None
    lab.assert_nothing_is_half_there()


def test_uploads_do_not_disturb_each_other(lab: Lab, clips: Path) -> None:
    """One bad file in the inbox keeps the good ones beside it from being processed."""
    lab.put(clips / "silent.mp4", "a.mp4")
    lab.put(b"this is not a video\n" * 40, "b.mp4")
    lab.put(variant(clips / "silent.mp4"), "c.mp4")
    results = lab.work()
    assert sorted(result.success for result in results) == [False, True, True]
    assert {lab.upload_of(result).state for result in results if result.success} == {State.DONE}
    assert len(lab.rejections()) == 1
    lab.assert_tidy()
    lab.assert_nothing_is_half_there()
