"""The transcript that holds: heard once, corrected by a person, never silently undone."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from videolab_assets.lib.documents import Audio, Segment, Transcript, Word
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.keys import library_key
from videolab_assets.lib.library import Library
from videolab_assets.lib.sidecars import CORRECTED_SUBTITLES
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples
from videolab_assets.lib.store.local import LocalStore
from videolab_assets.lib.transcript import Made, make, version_of
from videolab_assets_tests.lib.speech import sounds

KEY = "acme.talk.0123abcd"
SRT = "1\n00:00:01,000 --> 00:00:04,000\nEl marinero subió\na la torre.\n"
LATER_SRT = SRT.replace("marinero", "farero")


@dataclass
class Parrot:
    """An engine that hears the same word in each piece, and can be told to fail at one."""

    word: str = "parrot"
    fail_at: int | None = None
    heard: list[float] = field(default_factory=list)
    name: str = "parrot"
    model: str = "grey"
    draft: bool = True
    languages: frozenset[str] = frozenset({"en"})

    @property
    def identity(self) -> str:
        return f"parrot {self.word}"

    def check(self) -> None:
        """It can always hear."""

    def weights_are_here(self) -> bool:
        return True

    def transcribe(self, samples: Samples, *, start: float, likely: str | None) -> Spoken:
        if len(self.heard) == self.fail_at:
            raise TransientError("The parrot fell off its perch.")
        self.heard.append(start)
        end = start + len(samples) / SAMPLE_RATE
        word = Word(text=self.word, start=start, end=min(end, start + 0.5), confidence=0.9)
        return Spoken("en", [Segment(start=word.start, end=word.end, text=f"{self.word}.", words=[word])])


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(LocalStore(tmp_path / "store"))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sounds.flac_of(sounds.SAMPLE, tmp_path_factory.mktemp("sound"))


@pytest.fixture
def audio(library: Library, recording: Path) -> Audio:
    file = library.add_file(KEY, recording, "audio/flac")
    return Audio(files=[file], duration=sounds.truth()["video"]["duration"], sample_rate=SAMPLE_RATE, loudness=-20.0, peak=-3.0)


def correct(library: Library, srt: str = SRT) -> None:
    library.store.write_bytes(library_key(KEY, CORRECTED_SUBTITLES), srt.encode(), media_type="application/x-subrip")


def written(library: Library, audio: Audio, engine: Parrot, scratch: Path) -> Made:
    made = make(KEY, audio, library, engine, scratch)
    assert library.document(KEY, Transcript) == made.transcript
    return made


def test_the_same_sound_is_heard_once(library: Library, audio: Audio, tmp_path: Path) -> None:
    """Each run pays for Whisper again."""
    engine = Parrot()
    first = written(library, audio, engine, tmp_path)
    pieces = len(engine.heard)
    assert (first.found, first.transcript.pieces) == (False, pieces)
    assert pieces > 3
    again = written(library, audio, engine, tmp_path)
    assert again == Made(first.transcript, found=True)
    assert len(engine.heard) == pieces


def test_another_engine_hears_anew(library: Library, audio: Audio, tmp_path: Path) -> None:
    """A better model is configured, and the words stay those of the old one."""
    written(library, audio, Parrot(), tmp_path)
    other = Parrot("cockatoo")
    assert version_of(other) != version_of(Parrot())
    assert "cockatoo" in written(library, audio, other, tmp_path).transcript.text


def test_a_correction_replaces_the_words_without_hearing_again(library: Library, audio: Audio, tmp_path: Path) -> None:
    """A typo in the subtitles costs another transcription; or captions and summaries go on with the machine's words."""
    engine = Parrot()
    heard = written(library, audio, engine, tmp_path).transcript
    pieces = len(engine.heard)
    correct(library)
    made = written(library, audio, engine, tmp_path)
    assert (made.newly_corrected, made.found, len(engine.heard)) == (True, False, pieces)
    corrected = made.transcript
    assert corrected.text == "El marinero subió a la torre."
    assert [word.text for segment in corrected.segments for word in segment.words] == corrected.text.split()
    assert (corrected.language, corrected.draft) == ("es", False)
    assert corrected.correction
    assert corrected.correction.heard == heard.segments
    assert [cue.text for cue in corrected.correction.cues] == ["El marinero subió\na la torre."]
    again = written(library, audio, engine, tmp_path)
    assert (again.found, again.newly_corrected) == (True, False)


def test_a_second_correction_starts_from_what_was_heard(library: Library, audio: Audio, tmp_path: Path) -> None:
    """The times of the second correction come from the first, and what the engine heard is lost."""
    engine = Parrot()
    heard = written(library, audio, engine, tmp_path).transcript
    for srt in (SRT, LATER_SRT):
        correct(library, srt)
        made = written(library, audio, engine, tmp_path)
        assert made.newly_corrected
    assert "farero" in made.transcript.text
    assert made.transcript.correction
    assert made.transcript.correction.heard == heard.segments
    assert len(engine.heard) == heard.pieces


def test_hearing_again_does_not_undo_a_correction(library: Library, audio: Audio, tmp_path: Path) -> None:
    """Somebody changes the engine a year later, and hours of a person's work are gone."""
    correct(library)
    first = written(library, audio, Parrot(), tmp_path)
    assert first.newly_corrected
    second = written(library, audio, Parrot("cockatoo"), tmp_path)
    assert second.transcript.text == first.transcript.text
    assert not second.newly_corrected
    assert second.transcript.correction
    assert {segment.text for segment in second.transcript.correction.heard} == {"cockatoo."}


def test_a_correction_taken_away_gives_the_heard_words_back(library: Library, audio: Audio, tmp_path: Path) -> None:
    """A correction for the wrong video can never be undone."""
    engine = Parrot()
    heard = written(library, audio, engine, tmp_path).transcript
    correct(library)
    written(library, audio, engine, tmp_path)
    (tmp_path / "store" / library_key(KEY, CORRECTED_SUBTITLES)).unlink()
    back = written(library, audio, engine, tmp_path).transcript
    assert (back.segments, back.language, back.draft, back.correction) == (heard.segments, heard.language, True, None)
    assert len(engine.heard) == heard.pieces


def test_work_goes_on_where_it_stopped(library: Library, audio: Audio, tmp_path: Path) -> None:
    """Three hours of sound are heard from the beginning after every restart; or the pieces stay in the store for ever."""
    failing = Parrot(fail_at=3)
    with pytest.raises(TransientError):
        make(KEY, audio, library, failing, tmp_path)
    assert len(list(library.store.list(f"work/acme/{KEY}"))) == 3
    engine = Parrot()
    made = written(library, audio, engine, tmp_path).transcript
    assert (made.pieces_resumed, made.pieces) == (3, 3 + len(engine.heard))
    assert not set(failing.heard) & set(engine.heard)
    assert list(library.store.list("work")) == []


def test_a_broken_correction_is_told(library: Library, audio: Audio, tmp_path: Path) -> None:
    """Somebody edits the file in the store by hand, and the words silently become the machine's again."""
    correct(library, "no times at all")
    with pytest.raises(PermanentError, match="SRT"):
        make(KEY, audio, library, Parrot(), tmp_path)
