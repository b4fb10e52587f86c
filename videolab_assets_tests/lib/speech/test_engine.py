"""The choice of an engine."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech.engine import ENGINES, Engine, SpeechOptions, open_engine
from videolab_assets_tests.lib.speech import sounds

WHISPERS = ("whisper", "faster-whisper")


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_engines_say_who_they_are(name: str) -> None:
    """Prevents a transcript that does not say what heard it, and a changed model that leaves old transcripts fresh."""
    engine: Engine = open_engine(name)
    assert engine.name == name
    assert engine.model
    assert name in engine.identity
    assert engine.model in engine.identity
    assert "\n" not in engine.identity


def test_an_unknown_engine_names_the_choices() -> None:
    """Prevents a misspelt setting from being retried, or from falling back to another engine unseen."""
    with pytest.raises(PermanentError, match=r"'whispr'.*VIDEOLAB_TRANSCRIBER.*faster-whisper, pocketsphinx, whisper"):
        open_engine("whispr")


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_opening_an_engine_loads_no_model(name: str) -> None:
    """Prevents every load of the Dagster definitions, which only need the identity, from costing a model's time and memory."""
    ask = "import sys, videolab_assets.lib.speech.engine as e; o = e.open_engine(sys.argv[1]); o.identity, o.languages, o.model; "
    ask += "print(sorted({'pocketsphinx', 'torch', 'whisper', 'faster_whisper', 'ctranslate2', 'av'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", ask, name], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", WHISPERS)
def test_what_changes_the_words_changes_the_identity(name: str, tmp_path: Path) -> None:
    """Prevents transcripts that stay fresh though model, language or task changed, and ones that go stale on a faster machine."""
    weights = tmp_path / "mine.pt"
    weights.write_bytes(b"weights")
    plain = open_engine(name).identity
    others = [
        SpeechOptions(model="tiny"),
        SpeechOptions(model=str(weights)),
        SpeechOptions(language="es"),
        SpeechOptions(task="translate"),
    ]
    assert len({plain, *(open_engine(name, options).identity for options in others)}) == 5
    assert open_engine(name, SpeechOptions(device="cuda")).identity == plain
    assert str(tmp_path) not in open_engine(name, SpeechOptions(model=str(weights))).identity
    assert open_engine(name, SpeechOptions(model=str(weights))).model == "mine.pt"


@pytest.mark.parametrize("name", WHISPERS)
def test_a_missing_extra_names_the_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents an ImportError out of the definitions, and a person who has to guess what to install."""

    def missing(package: str) -> Any:
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    engine = open_engine(name)
    assert "not installed" in engine.identity
    with pytest.raises(PermanentError, match=rf"pip install -c constraints.txt -e '\.\[{name}\]'"):
        engine.transcribe(sounds.mixed(sounds.syllables(1)), start=0, likely=None)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (SpeechOptions(model="/nowhere/tiny.pt"), r"no speech model at /nowhere/tiny\.pt: set VIDEOLAB_SPEECH_MODEL"),
        (SpeechOptions(device="toaster"), "'toaster' is not a device.*VIDEOLAB_SPEECH_DEVICE"),
        (SpeechOptions(model="small.en", language="es"), "small.en understands English alone"),
        (SpeechOptions(model="small.en", task="translate"), "small.en understands English alone"),
    ],
)
@pytest.mark.parametrize("name", WHISPERS)
def test_what_cannot_work_is_said_before_a_model_is_loaded(
    name: str, options: SpeechOptions, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents a wrong setting from costing a download first, and from showing as a traceback of torch's."""
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1")
    engine = open_engine(name, options)
    assert engine.identity
    with pytest.raises(PermanentError, match=sentence) as raised:
        engine.transcribe(sounds.mixed(sounds.syllables(1)), start=0, likely=None)
    assert "\n" not in str(raised.value)


def test_english_models_say_so() -> None:
    """Prevents a page that offers every language for a model that knows one."""
    assert open_engine("whisper", SpeechOptions(model="base.en")).languages == {"en"}
    assert open_engine("whisper", SpeechOptions(model="base")).languages == frozenset()
