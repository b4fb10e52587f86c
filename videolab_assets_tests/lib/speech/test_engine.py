"""The choice of an engine."""

import subprocess
import sys

import pytest

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech.engine import ENGINES, Engine, open_engine


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
    with pytest.raises(PermanentError, match=r"'whispr'.*VIDEOLAB_TRANSCRIBER.*pocketsphinx"):
        open_engine("whispr")


def test_opening_an_engine_loads_no_model() -> None:
    """Prevents every load of the Dagster definitions, which only need the identity, from costing a model's time and memory."""
    ask = "import sys, videolab_assets.lib.speech.engine as e; print(e.open_engine('pocketsphinx').identity, 'pocketsphinx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"
