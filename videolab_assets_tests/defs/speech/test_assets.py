"""What is said, as the graph makes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from videolab_assets.defs.resources import SearchResource
from videolab_assets.lib.documents import Shots, Subtitles, Summary, Transcript
from videolab_assets.lib.subtitles import parse_srt
from videolab_assets_tests.lab import Lab, failures_of, materialized, video_key_of

CORRECTION = """1
00:00:00,800 --> 00:00:04,900
El farero subió a la torre vieja.

2
00:00:05,500 --> 00:00:09,800
La niebla cubría el puerto entero.
"""


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


@pytest.mark.long
def test_a_persons_words_replace_the_engines_everywhere(lab: Lab, clips: Path) -> None:
    """Captions, summary or search go on with what the engine misheard; or the correction is nowhere in the ledger."""
    first = lab.process(clips / "talk.mp4", "talk.mp4")
    video_key = video_key_of(first)
    heard = lab.library.document(video_key, Transcript)
    lab.put(CORRECTION.encode("cp1252"), "talk.srt")
    (result,) = lab.work()
    assert result.success, failures_of(result)
    transcript, subtitles = lab.library.document(video_key, Transcript), lab.library.document(video_key, Subtitles)
    summary = lab.library.document(video_key, Summary)
    assert heard and transcript and subtitles and summary
    assert transcript.text == "El farero subió a la torre vieja. La niebla cubría el puerto entero."
    assert (transcript.language, subtitles.language, summary.language) == ("es", "es", "es")
    assert transcript.correction and transcript.correction.heard == heard.segments
    written = {file.key.rpartition(".")[2]: lab.library.store.read_bytes(file.key, 1 << 20).decode() for file in subtitles.files}
    assert written.keys() == {"srt", "vtt", "ass"}
    assert parse_srt(written["srt"]) == parse_srt(CORRECTION)
    assert all("farero" in text for text in written.values())
    assert "niebla" in summary.description
    index = SearchResource().open()
    assert [moment.video_key for moment in index.find("niebla")] == [video_key]
    assert not index.find("sailor")
    made = materialized(result)
    assert {"corrected_subtitles", "transcript", "subtitles", "summary", "search_entry"} <= set(made)
    assert made["corrected_subtitles"].metadata["cues"].value == 2
    assert "person" in str(made["transcript"].metadata["corrected"].value)
    assert made["transcript"].metadata["pieces_resumed"].value == 0


@pytest.mark.long
def test_subtitles_lie_on_the_cuts(lab: Lab, clips: Path) -> None:
    """The shot list is there and the subtitles flash over its cuts all the same."""
    result = lab.process(clips / "talk.mp4")
    shots, subtitles = lab.library.document(video_key_of(result), Shots), lab.library.document(video_key_of(result), Subtitles)
    assert shots and subtitles
    assert subtitles.frame_rate == shots.frame_rate
    assert subtitles.shot_times == [shot.start for shot in shots.shots[1:]]
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    counted = checks["subtitles_follow_the_rules"].metadata
    assert {rule: counted[rule].value for rule in ("off_shot", "overlapping", "too_close", "line_too_long")} == {
        "off_shot": 0,
        "overlapping": 0,
        "too_close": 0,
        "line_too_long": 0,
    }


VERSIONS = """
import json
from videolab_assets.definitions import build_definitions
graph = build_definitions().get_repository_def().asset_graph
print(json.dumps({key.to_user_string(): graph.get(key).code_version for key in graph.get_all_asset_keys()}))
"""


@pytest.mark.long
@pytest.mark.usefixtures("home")
def test_another_model_makes_transcripts_stale_and_nothing_else() -> None:
    """A better model is configured and Dagster shows nothing to do; or it wants every proxy made again."""

    def versions(**environment: str) -> dict[str, str]:
        command = [sys.executable, "-c", VERSIONS]
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=True)
        answer: dict[str, str] = json.loads(done.stdout)
        return answer

    plain = versions()
    small, large = (versions(VIDEOLAB_TRANSCRIBER="whisper", VIDEOLAB_SPEECH_MODEL=model) for model in ("tiny", "large-v3"))
    assert [asset for asset in plain if plain[asset] != small[asset]] == ["transcript"]
    assert [asset for asset in small if small[asset] != large[asset]] == ["transcript"]
