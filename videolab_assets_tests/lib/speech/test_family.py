"""Both Whisper engines: the loading and decoding code of their libraries over tiny models made here, without a network."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech import family
from videolab_assets.lib.speech.engine import SpeechOptions, open_engine
from videolab_assets.lib.speech.family import MOST_WINDOWS, WhisperFamily, language_of
from videolab_assets.lib.speech.faster_whisper import FasterWhisper
from videolab_assets.lib.speech.pieces import pieces
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.transcribe import transcribe
from videolab_assets.lib.speech.voice import SAMPLE_RATE
from videolab_assets.lib.speech.whisper import Whisper
from videolab_assets_tests.lib.speech import checkpoints, sounds
from videolab_assets_tests.lib.speech.checkpoints import Script
from videolab_assets_tests.lib.speech.test_guess import assert_in_order_inside

MODULES = {"whisper": "whisper", "faster-whisper": "faster_whisper"}
VOICE = sounds.mixed(sounds.syllables(8))
SOUND = VOICE.astype(np.float32) / np.float32(32768)
LINES = ((0.0, " Hola, este es un texto de prueba.", 3.0), (3.2, " Otra frase, más larga que la primera.", 6.0))
SPANISH = Script("es", LINES)
LOOP = Script("en", ((0.0, " Thank you." * 9, 7.0),))
CREEPING = Script("en", ((0.0, " So", 0.04), (0.04, " what", 0.0)), ended=False)
GARBAGE = None

Open = Callable[..., WhisperFamily]
Saved = Callable[[Script | None, int], Path]


@pytest.fixture(params=sorted(MODULES))
def name(request: pytest.FixtureRequest) -> str:
    for needed in ("torch", "whisper", "tokenizers", MODULES[request.param]):  # the models are made with openai-whisper's vocabulary
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install -c constraints.txt -e '.[whisper,faster-whisper]'")
    return str(request.param)


@pytest.fixture(scope="module")
def save(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Script | None, int], Path]:
    """The path of a model for an engine, made once."""
    made: dict[tuple[str, Script | None, int], Path] = {}

    def saved(name: str, script: Script | None, vocabulary: int) -> Path:
        key = (name, script, vocabulary)
        if key not in made:
            folder = tmp_path_factory.mktemp("model")
            weights = checkpoints.weights_of(script)
            if name == "whisper":
                made[key] = checkpoints.save_for_whisper(weights, folder / "tiny.pt", vocabulary)
            else:
                made[key] = checkpoints.save_for_faster_whisper(weights, folder / "tiny", vocabulary)
        return made[key]

    return saved


@pytest.fixture
def saved(name: str, save: Callable[[str, Script | None, int], Path]) -> Saved:
    def path(script: Script | None, vocabulary: int = checkpoints.VOCABULARY) -> Path:
        return save(name, script, vocabulary)

    return path


@pytest.fixture
def opened(name: str, saved: Saved, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens the engine with a model of a script; nothing may connect to anything."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def refuse(*_: Any) -> None:
        raise AssertionError("a network connection was tried")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)

    def opened_with(script: Script | None, vocabulary: int = checkpoints.VOCABULARY, **options: Any) -> WhisperFamily:
        engine = open_engine(name, SpeechOptions(model=str(saved(script, vocabulary)), **options))
        assert isinstance(engine, Whisper | FasterWhisper)
        return engine

    return opened_with


def heard_by(engine: WhisperFamily, start: float = 100.0) -> Spoken:
    return engine.transcribe(VOICE, start=start, likely=None)


def texts(spoken: Spoken) -> list[str]:
    return [segment.text for segment in spoken.segments]


@pytest.mark.long
def test_what_the_model_writes_is_what_one_reads(opened: Open) -> None:
    """Prevents an engine that loads and decodes and then loses or garbles words, times or the language it found."""
    spoken = heard_by(opened(SPANISH))
    assert texts(spoken) == ["Hola, este es un texto de prueba.", "Otra frase, más larga que la primera."]
    assert [word.text for word in spoken.segments[0].words] == ["Hola,", "este", "es", "un", "texto", "de", "prueba."]
    assert spoken.language == "es"
    assert spoken.segments[0].words[1].confidence > 0.99
    assert_in_order_inside(spoken.segments, 100, 108)


@pytest.mark.long
def test_a_fixed_language_is_not_looked_for(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a setting that is overruled by a guess, and the time the guess costs."""
    monkeypatch.setattr(Whisper, "_probabilities", None)
    monkeypatch.setattr(FasterWhisper, "_probabilities", None)
    assert heard_by(opened(SPANISH, language="de")).language == "de"


@pytest.mark.long
def test_the_language_is_found_in_every_piece(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a recording whose language changes midway from being heard in the first one to its end."""
    engine = opened(SPANISH)
    probabilities = dict(engine._probabilities(SOUND))
    assert max(probabilities, key=lambda language: probabilities[language]) == "es"
    assert sum(probabilities.values()) == pytest.approx(1, abs=0.01)
    monkeypatch.setattr(engine, "_probabilities", lambda sound: {"es": 0.2, "en": 0.8})
    assert engine.transcribe(VOICE, start=0, likely="es").language == "en"
    monkeypatch.setattr(engine, "_probabilities", lambda sound: {"gl": 0.4, "es": 0.3})
    assert engine.transcribe(VOICE, start=0, likely="es").language == "es"


@pytest.mark.long
def test_a_translation_is_asked_for_and_is_english(opened: Open) -> None:
    """Prevents `translate` from giving the words in the language spoken, or English words that are called Spanish."""
    translated = heard_by(opened(SPANISH, task="translate"))
    assert texts(translated)[0] == "Then, este es un texto de prueba."
    assert translated.language == "en"


@pytest.mark.long
def test_equal_pieces_are_heard_alike(opened: Open) -> None:
    """Prevents a resumed transcript from differing from one made in one go by what was heard before a piece."""
    engine = opened(SPANISH)
    first = heard_by(engine)
    engine.transcribe(VOICE[: 3 * SAMPLE_RATE], start=0, likely="de")
    assert heard_by(engine) == first
    assert heard_by(opened(SPANISH)) == first


@pytest.mark.long
def test_a_loop_is_cut(opened: Open) -> None:
    """Prevents the filters from being tested and not used: "Thank you." nine times, however warm the decoder gets."""
    spoken = heard_by(opened(LOOP))
    assert texts(spoken) == ["Thank you."]
    assert_in_order_inside(spoken.segments, 100, 108)


@pytest.mark.long
def test_a_line_that_every_piece_repeats_is_cut(opened: Open, sample_flac: Path, sample_truth: dict[str, Any]) -> None:
    """Prevents the same over a whole recording, and words outside of it: this model says two lines whatever it hears."""
    duration = sample_truth["video"]["duration"]
    hearing = transcribe(sample_flac, opened(SPANISH), duration=duration)
    assert hearing.pieces == len(list(pieces([sounds.samples_of(sample_flac)]))) == 4
    assert len(hearing.spoken.segments) == 2
    assert_in_order_inside(hearing.spoken.segments, 0, duration)


@pytest.mark.long
def test_garbage_is_hardly_believed(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents hundreds of words from a model of random weights, and times outside the piece from attention that is noise."""
    for module in ("whisper", "faster_whisper"):  # two of six temperatures: it fails at all of them
        monkeypatch.setattr(f"videolab_assets.lib.speech.{module}.TEMPERATURES", (0.0, 0.4))
    engine = opened(GARBAGE)
    guessed = sum(len(guess.words) for guess in engine._guesses(SOUND, "en"))
    spoken = heard_by(engine)
    assert guessed > 50
    assert spoken.word_count <= guessed / 10
    assert_in_order_inside(spoken.segments, 100, 108)


@pytest.mark.long
def test_a_model_that_is_lost_ends(opened: Open, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents hours over half a minute: decoding begins anew at the last whole segment, here every few hundredths of a second."""
    engine = opened(CREEPING)
    decoded = 0
    owner, method = (type(engine._loaded), {"whisper": "decode", "faster-whisper": "generate_with_fallback"}[name])
    decode = getattr(owner, method)

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal decoded
        decoded += 1
        return decode(*given, **named)

    monkeypatch.setattr(owner, method, counted)
    spoken = engine.transcribe(sounds.mixed(sounds.syllables(30)), start=0, likely=None)
    assert 1 < decoded <= MOST_WINDOWS + 1
    assert_in_order_inside(spoken.segments, 0, 30)


@pytest.mark.long
@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.1, 0.3, 30.0])
def test_any_length_can_be_heard(opened: Open, seconds: float) -> None:
    """Prevents an error over an empty buffer, a syllable, or a piece that fills the window exactly."""
    sound = sounds.mixed(sounds.syllables(seconds))
    assert_in_order_inside(opened(SPANISH).transcribe(sound, start=0, likely=None).segments, 0, seconds)


@pytest.mark.long
@pytest.mark.parametrize(("options", "sentence"), [({"language": "es"}, "English alone"), ({"task": "translate"}, "English alone")])
def test_an_english_model_is_recognised_by_its_weights(opened: Open, options: dict[str, Any], sentence: str) -> None:
    """Prevents Spanish heard as English because a file's name does not end in `.en`."""
    with pytest.raises(PermanentError, match=sentence):
        heard_by(opened(GARBAGE, checkpoints.ENGLISH_VOCABULARY, **options))


@pytest.mark.long
def test_a_language_that_whisper_does_not_know(opened: Open) -> None:
    """Prevents a KeyError of a tokenizer's for a mistyped setting."""
    with pytest.raises(PermanentError, match=r"'espanol'.*VIDEOLAB_SPEECH_LANGUAGE"):
        heard_by(opened(SPANISH, language="espanol"))


@pytest.mark.long
def test_a_name_that_no_library_knows(name: str) -> None:
    """Prevents a mistyped model from being looked for on the network."""
    with pytest.raises(PermanentError, match=r"'smal'.*tiny.*small"):
        heard_by(open_engine(name, SpeechOptions(model="smal")))  # type: ignore[arg-type]


@pytest.mark.long
@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 no archive"])
def test_damaged_weights_are_said_to_be(name: str, saved: Saved, tmp_path: Path, content: bytes) -> None:
    """Prevents a traceback of torch's for a file cut off by a full disk, and retries that cannot help."""
    path = tmp_path / "broken.pt"
    if name == "whisper":
        path.write_bytes(content)
    else:
        path.mkdir()
        for file in saved(SPANISH, checkpoints.VOCABULARY).iterdir():
            (path / file.name).write_bytes(content if file.name == "model.bin" else file.read_bytes())
    with pytest.raises(PermanentError, match="cannot be loaded"):
        heard_by(open_engine(name, SpeechOptions(model=str(path))))  # type: ignore[arg-type]


@pytest.mark.long
def test_a_folder_without_its_tokenizer_is_refused(tmp_path: Path, save: Callable[[str, Script | None, int], Path]) -> None:
    """Prevents the library from silently fetching another tokenizer from the network."""
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    whole = save("faster-whisper", SPANISH, checkpoints.VOCABULARY)
    (tmp_path / "part").mkdir()
    for file in whole.iterdir():
        if file.name != "tokenizer.json":
            (tmp_path / "part" / file.name).write_bytes(file.read_bytes())
    engine = FasterWhisper(SpeechOptions(model=str(tmp_path / "part")))
    assert not engine.weights_are_here()
    with pytest.raises(PermanentError, match=r"has no tokenizer\.json"):
        heard_by(engine)


@pytest.mark.long
def test_one_knows_whether_a_download_is_needed(name: str, saved: Saved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a benchmark, or a first video, that waits for half a gigabyte without saying so."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert open_engine(name, SpeechOptions(model=str(saved(SPANISH, checkpoints.VOCABULARY)))).weights_are_here()
    assert not open_engine(name, SpeechOptions(model="tiny.en")).weights_are_here()
    if name == "whisper":
        (tmp_path / "whisper").mkdir()
        (tmp_path / "whisper" / "large-v3-turbo.pt").touch()
        assert open_engine(name, SpeechOptions(model="turbo")).weights_are_here()


@pytest.mark.long
def test_both_engines_give_the_same_document(save: Callable[[str, Script | None, int], Path]) -> None:
    """Prevents one engine's words from coming in another shape: the same weights, the same sound, the same words and nearly their times."""
    for needed in ("whisper", "faster_whisper"):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    heard = [
        open_engine(name, SpeechOptions(model=str(save(name, SPANISH, checkpoints.VOCABULARY)))).transcribe(VOICE, start=5, likely=None)
        for name in sorted(MODULES)
    ]
    assert texts(heard[0]) == texts(heard[1])
    times = [[(word.start, word.end) for segment in spoken.segments for word in segment.words] for spoken in heard]
    assert np.abs(np.array(times[0]) - np.array(times[1])).max() < 0.3


def test_the_language_so_far_decides_only_where_a_short_piece_is_unsure() -> None:
    """Prevents both mistakes: a short "sí" heard as Galician, and an English guest heard as Spanish."""
    unsure, sure = {"gl": 0.5, "es": 0.4}, {"en": 0.9, "es": 0.1}
    assert language_of(unsure, 3, "es") == "es"
    assert language_of(unsure, 3, None) == "gl"
    assert language_of(unsure, family.SHORT_SECONDS, "es") == "gl"
    assert language_of(sure, 3, "es") == "en"
