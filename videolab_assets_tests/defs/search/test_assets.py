"""The index as the graph keeps it."""

from pathlib import Path

import dagster as dg
import pytest

from videolab_assets.defs.resources import SearchResource
from videolab_assets.lib.documents import SearchEntry
from videolab_assets.lib.keys import library_key
from videolab_assets_tests.lab import Lab, failures_of, materialized, video_key_of


def tidy(lab: Lab) -> dg.ExecuteInProcessResult:
    """What the nightly schedule does."""
    schedule = lab.repository.get_schedule_def("tidy_search")
    return lab.repository.get_job(schedule.job_name).execute_in_process(instance=lab.instance, raise_on_error=False)


def test_what_is_said_is_found(lab: Lab, clips: Path) -> None:
    """The index says something else than the transcripts, or its check cannot fail."""
    result = lab.process(clips / "sound.m4a")
    assert result.success, failures_of(result)
    index, video_key = SearchResource().open(), video_key_of(result)
    (moment, *_) = index.find("sailor")
    assert moment.video_key == video_key
    assert 0.5 < moment.start < 5.1
    entry = lab.library.document(video_key, SearchEntry)
    assert entry
    assert materialized(result)["search_entry"].metadata["moments"].value == entry.moments == index.count(video_key)
    assert {check.check_name: check.passed for check in result.get_asset_check_evaluations()}["moments_are_indexed"]

    index.remove(video_key)
    again = lab.run(dg.RunRequest(partition_key=video_key, job_name="amend_video"), ["search_entry"])
    assert index.find("sailor"), failures_of(again)


@pytest.mark.long
def test_a_deleted_video_leaves_the_index(lab: Lab, clips: Path) -> None:
    """Search finds what nobody may see any more."""
    kept, gone = (video_key_of(lab.process(clips / name, name)) for name in ("sound.m4a", "talk.mp4"))
    lab.instance.delete_dynamic_partition("videos", gone)
    index = SearchResource().open()
    assert {moment.video_key for moment in index.find("sailor")} == {kept, gone}
    result = tidy(lab)
    assert result.success
    assert materialized(result)["search_index"].metadata["removed"].value == 1
    assert {moment.video_key for moment in index.find("sailor")} == {kept}

    (Path(lab.settings.store_location) / library_key(kept, "transcript.json")).unlink()
    assert materialized(tidy(lab))["search_index"].metadata["removed_videos"].value == [kept]
    assert index.count() == index.count_videos() == 0
