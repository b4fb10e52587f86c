"""The summary as the graph makes it."""

from pathlib import Path

from videolab_assets_tests.lab import Lab, failures_of, materialized, video_key_of


def test_where_nothing_is_said_there_is_nothing_to_summarise(lab: Lab, clips: Path) -> None:
    """Music fails for want of words, or gets a summary of nothing."""
    result = lab.process(clips / "clip.mp4")
    assert result.success, failures_of(result)
    assert {"transcript", "subtitles"} <= set(materialized(result))
    assert "summary" not in materialized(result)
    assert lab.skipped(video_key_of(result))["summary"] == "Nothing is said in this video, so there is nothing to summarise."
