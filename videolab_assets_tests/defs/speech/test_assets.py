"""What is said, as the graph makes it."""

from pathlib import Path

from videolab_assets.lib.documents import Subtitles, Transcript
from videolab_assets_tests.lab import Lab, failures_of, materialized, video_key_of


def test_words_become_subtitles(lab: Lab, clips: Path) -> None:
    """Times of words are those of some other clock, or the UI forgets to say that the words are a draft."""
    lab.put(clips / "sound.m4a")
    (request,) = lab.tick()
    result = lab.run(request, ["source_video", "audio", "transcript", "subtitles"])
    assert result.success, failures_of(result)
    transcript = lab.library.document(video_key_of(result), Transcript)
    subtitles = lab.library.document(video_key_of(result), Subtitles)
    assert transcript and subtitles
    assert (transcript.language, transcript.draft) == ("en", True)
    assert "sailor" in transcript.text  # samples/lighthouse.truth.json: said between 0.8 and 4.9 s
    assert all(0.5 < word.start < word.end < 5.1 for segment in transcript.segments for word in segment.words)
    assert [word for cue in subtitles.cues for word in cue.text.split()] == transcript.text.split()
    metadata = materialized(result)["transcript"].metadata
    assert "draft engine" in str(metadata["draft"].value)
    assert metadata["words"].value == transcript.word_count
    srt = lab.library.store.read_bytes(subtitles.files[0].key, 1 << 20).decode()
    assert srt.startswith("1\n00:00:0")
