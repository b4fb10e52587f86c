"""The sample, decoded and transcribed once for all tests of this folder."""

from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.speech.pocketsphinx import PocketSphinx
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.transcribe import Hearing, transcribe
from videolab_assets.lib.speech.voice import Samples
from videolab_assets_tests.lib.speech import sounds


@pytest.fixture(scope="session")
def engine() -> PocketSphinx:
    """One for all tests: what it hears does not depend on what it heard (a test holds it to that)."""
    return PocketSphinx()


@pytest.fixture(scope="session")
def sample_truth() -> dict[str, Any]:
    return sounds.truth()


@pytest.fixture(scope="session")
def sample_flac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sounds.flac_of(sounds.SAMPLE, tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def sample_sound(sample_flac: Path) -> Samples:
    return sounds.samples_of(sample_flac)


@pytest.fixture(scope="session")
def sample_progress() -> list[tuple[float, float, float | None]]:
    """What `sample_hearing` reported on its way."""
    return []


@pytest.fixture(scope="session")
def sample_hearing(
    engine: PocketSphinx, sample_flac: Path, sample_truth: dict[str, Any], sample_progress: list[tuple[float, float, float | None]]
) -> Hearing:
    def tell(done: float, total: float, left: float | None) -> None:
        sample_progress.append((done, total, left))

    return transcribe(sample_flac, engine, duration=sample_truth["video"]["duration"], progress=tell)


@pytest.fixture(scope="session")
def sample_spoken(sample_hearing: Hearing) -> Spoken:
    return sample_hearing.spoken
